package catalog

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// The bounds of a batch.
const (
	batchMost = 50
	// batchTerm is how long what was looked at may be passed; after that the files may be others.
	batchTerm = 2 * time.Hour
	// One in sampleEvery is looked at, and at least sampleLeast of them.
	sampleEvery = 5
	sampleLeast = 2
)

// The faults of batches.
var (
	// ErrBatchOver: the batch was passed, stopped, or began too long ago.
	ErrBatchOver = fault.New(fault.Conflict, "BATCH_OVER", "这次批量审核已经结束或超过 2 小时，请重新选择产品")
	// ErrUnchecked: not every product of the sample was looked at.
	ErrUnchecked = fault.New(fault.Conflict, "BATCH_UNCHECKED", "抽查的产品还没有全部查看并确认，请逐件查看后再批量通过")
)

// BatchState is where a batch stands.
type BatchState string

// The states of a batch.
const (
	BatchOpen    BatchState = "open"
	BatchPassed  BatchState = "passed"
	BatchStopped BatchState = "stopped" // the sample found something
)

type batchRow struct {
	bun.BaseModel `bun:"table:product_batches,alias:b"`

	ID      int64      `bun:"id,pk,autoincrement"`
	UserID  int64      `bun:"user_id,notnull"`
	By      string     `bun:"by_name,notnull"`
	Step    Status     `bun:"step,notnull"`
	State   BatchState `bun:"state,notnull"`
	At      time.Time  `bun:"created_at,notnull"`
	EndedAt *time.Time `bun:"ended_at"`
}

type batchItem struct {
	bun.BaseModel `bun:"table:product_batch_items,alias:i"`

	BatchID   int64      `bun:"batch_id,pk"`
	ProductID int64      `bun:"product_id,pk"`
	Name      string     `bun:"name,notnull"`
	Version   int64      `bun:"version,notnull"`
	Sampled   bool       `bun:"sampled,notnull"`
	CheckedAt *time.Time `bun:"checked_at"`
	Fine      bool       `bun:"fine,notnull"`
	Note      string     `bun:"note,notnull"`
	Outcome   string     `bun:"outcome,notnull"` // empty before, passed, or why not
}

// BatchView is a batch as its reviewer sees it.
type BatchView struct {
	ID    int64           `json:"id"`
	Step  Status          `json:"step" enum:"platform_review,government_review"`
	State BatchState      `json:"state" enum:"open,passed,stopped"`
	Until time.Time       `json:"until" doc:"Until when it may be passed."`
	Items []BatchItemView `json:"items" nullable:"false"`
}

// BatchItemView is one product of a batch.
type BatchItemView struct {
	ProductID int64  `json:"productId"`
	Name      string `json:"name"`
	Sampled   bool   `json:"sampled" doc:"It is to be looked at before the batch may pass."`
	Checked   bool   `json:"checked"`
	Fine      bool   `json:"fine"`
	Note      string `json:"note"`
	Passed    bool   `json:"passed"`
	Problem   string `json:"problem" doc:"Why it was not passed."`
}

// OpenBatch asks to pass several products of one review together.
type OpenBatch struct {
	Key      string `json:"-"`
	Products []Ref
}

// OpenBatch begins a batch and draws the sample that must be looked at: one in five, two at least, by chance that nobody
// can foresee. It needs the right of the review the products wait for, and refuses products that are not the actor's to
// review now, by name.
func (s *Service) OpenBatch(ctx context.Context, actor access.Actor, cmd OpenBatch) (BatchView, error) {
	if _, err := s.lent(ctx, s.DB.Read(), actor, ToPass); err != nil {
		return BatchView{}, err
	}
	switch n := len(cmd.Products); {
	case n < sampleLeast:
		return BatchView{}, fault.InvalidField("products", "BATCH_SIZE", "批量审核至少选择 2 个产品")
	case n > batchMost:
		return BatchView{}, fault.InvalidField("products", "BATCH_SIZE", fmt.Sprintf("一次最多批量审核 %d 个产品，请分批办理", batchMost))
	}
	now := s.Clock.Now()
	var made outcome
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		made, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "product.batch", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			b := &batchRow{UserID: actor.UserID, By: actor.Name, State: BatchOpen, At: now}
			items, err := s.batchItems(ctx, tx, actor, b, cmd.Products)
			if err != nil {
				return outcome{}, err
			}
			if _, err := tx.NewInsert().Model(b).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				return outcome{}, fmt.Errorf("insert batch: %w", err)
			}
			for i := range items {
				items[i].BatchID = b.ID
			}
			if _, err := tx.NewInsert().Model(&items).Exec(ctx); err != nil {
				return outcome{}, fmt.Errorf("insert batch: %w", err)
			}
			return outcome{b.ID}, nil
		})
		return err
	})
	if err != nil {
		return BatchView{}, fmt.Errorf("open batch: %w", err)
	}
	return s.Batch(ctx, actor, made.ID)
}

func (s *Service) batchItems(ctx context.Context, tx bun.Tx, actor access.Actor, b *batchRow, refs []Ref) ([]batchItem, error) {
	items := make([]batchItem, 0, len(refs))
	lent, err := s.lent(ctx, tx, actor, ToPass)
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		d, err := find(ctx, tx, visible(actor, b.At), ref.ID)
		if err != nil {
			return nil, err
		}
		refuse := func(why string) error {
			return fault.InvalidField("products", "BATCH_PRODUCT", fmt.Sprintf("“%s”%s，请取消选择后重试", d.Name, why))
		}
		if slices.ContainsFunc(items, func(i batchItem) bool { return i.ProductID == d.ID }) {
			return nil, refuse("选择了两次")
		}
		if b.Step == "" {
			b.Step = d.Status
		}
		by := d.hand(lent, actor, ToPass)
		switch {
		case d.Version != ref.Version:
			return nil, refuse("在您选择后有变化")
		case !d.Status.reviewing() || !may(by, d, ToPass):
			return nil, refuse("现在不等您审核")
		case d.Status != b.Step:
			return nil, refuse("与其他产品的审核步骤不同")
		case len(d.newest.warnings(s.RateLimit)) > 0:
			return nil, refuse("有需要核对的提示，须单独审核")
		}
		if err := d.mayReview(by); err != nil {
			return nil, refuse("由您提交或初审，须由其他人审核")
		}
		items = append(items, batchItem{ProductID: d.ID, Name: d.newest.Name, Version: d.Version})
	}
	for _, i := range sample(len(items)) {
		items[i].Sampled = true
	}
	return items, nil
}

// sample draws which of n are looked at.
func sample(n int) []int {
	want := min(n, max(sampleLeast, (n+sampleEvery-1)/sampleEvery))
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}
	var out []int
	for range want {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(left))))
		if err != nil {
			panic(err) // the system has no randomness
		}
		i := int(k.Int64())
		out = append(out, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return out
}

// Batch returns a batch of the actor's own, ErrNotFound for another's.
func (s *Service) Batch(ctx context.Context, actor access.Actor, id int64) (BatchView, error) {
	b, items, err := s.batchOf(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return BatchView{}, err
	}
	v := BatchView{ID: b.ID, Step: b.Step, State: b.State, Until: b.At.Add(batchTerm).UTC(), Items: make([]BatchItemView, 0, len(items))}
	for _, i := range items {
		x := BatchItemView{ProductID: i.ProductID, Name: i.Name, Sampled: i.Sampled, Checked: i.CheckedAt != nil, Fine: i.Fine, Note: i.Note, Passed: i.Outcome == outcomePassed}
		if !x.Passed {
			x.Problem = i.Outcome
		}
		v.Items = append(v.Items, x)
	}
	return v, nil
}

const outcomePassed = "passed"

func (s *Service) batchOf(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*batchRow, []batchItem, error) {
	if _, err := s.lent(ctx, db, actor, ToPass); err != nil {
		return nil, nil, err
	}
	b := new(batchRow)
	if err := database.Found(db.NewSelect().Model(b).Where("b.id = ? AND b.user_id = ?", id, actor.UserID).Scan(ctx)); err != nil {
		return nil, nil, err
	}
	var items []batchItem
	if err := db.NewSelect().Model(&items).Where("i.batch_id = ?", id).OrderExpr("i.product_id").Scan(ctx); err != nil {
		return nil, nil, fmt.Errorf("batch %d: %w", id, err)
	}
	return b, items, nil
}

// CheckBatch is what the reviewer found of one product of the sample.
type CheckBatch struct {
	ID        int64
	ProductID int64
	Fine      bool
	Note      string // needed when it is not fine; internal
}

// CheckBatch keeps what was found. Something that is not fine stops the batch: each of its products is reviewed by itself.
func (s *Service) CheckBatch(ctx context.Context, actor access.Actor, cmd CheckBatch) (BatchView, error) {
	least := 0
	if !cmd.Fine {
		least = 2
	}
	note, err := text.Line("note", cmd.Note, least, 200)
	if err != nil {
		return BatchView{}, text.Named(err, "发现的问题")
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		b, items, err := s.batchOf(ctx, tx, actor, cmd.ID)
		if err != nil {
			return err
		}
		if b.over(now) {
			return ErrBatchOver
		}
		if !slices.ContainsFunc(items, func(i batchItem) bool { return i.ProductID == cmd.ProductID && i.Sampled }) {
			return ErrNotFound
		}
		_, err = tx.NewUpdate().Model((*batchItem)(nil)).Set("checked_at = ?", now).Set("fine = ?", cmd.Fine).Set("note = ?", note).
			Where("batch_id = ? AND product_id = ?", cmd.ID, cmd.ProductID).Exec(ctx)
		if err != nil || cmd.Fine {
			return err
		}
		if err := b.end(ctx, tx, BatchStopped, now); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "product.batch_stop", Object: Object, ObjectID: cmd.ProductID,
			Summary: "抽查发现问题，停止批量审核", Detail: map[string]any{"batch": b.ID, "note": note}})
	})
	if err != nil {
		return BatchView{}, fmt.Errorf("check batch %d: %w", cmd.ID, err)
	}
	return s.Batch(ctx, actor, cmd.ID)
}

func (b *batchRow) over(now time.Time) bool {
	return b.State != BatchOpen || now.After(b.At.Add(batchTerm))
}

func (b *batchRow) end(ctx context.Context, tx bun.Tx, state BatchState, now time.Time) error {
	err := database.Changed(tx.NewUpdate().Model((*batchRow)(nil)).Set("state = ?", state).Set("ended_at = ?", now).Where("id = ? AND state = ?", b.ID, BatchOpen).Exec(ctx))
	if fault.KindOf(err) == fault.Conflict {
		return ErrBatchOver
	}
	return err
}

// PassBatch passes the products of a batch whose sample was found fine, each by itself: one that changed meanwhile is left
// with the reason and keeps nobody back. Repeated after a crash it goes on with those that are left.
func (s *Service) PassBatch(ctx context.Context, actor access.Actor, id int64) (BatchView, error) {
	b, items, err := s.batchOf(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return BatchView{}, err
	}
	if b.State == BatchPassed {
		return s.Batch(ctx, actor, id)
	}
	if b.over(s.Clock.Now()) {
		return BatchView{}, ErrBatchOver
	}
	looked := 0
	for _, i := range items {
		if i.Sampled && (i.CheckedAt == nil || !i.Fine) {
			return BatchView{}, ErrUnchecked
		}
		if i.Sampled {
			looked++
		}
	}
	for _, i := range items {
		if i.Outcome != "" {
			continue
		}
		why := outcomePassed
		_, err := s.Pass(ctx, actor, PassProduct{Ref: Ref{ID: i.ProductID, Version: i.Version, Key: fmt.Sprintf("batch-%d-%d", id, i.ProductID)},
			Note: fmt.Sprintf("批量审核，共 %d 个产品，抽查 %d 个", len(items), looked)})
		if f, ok := fault.As(err); ok && f.Kind != fault.Unavailable && f.Kind != fault.Internal {
			why = f.Message
		} else if err != nil {
			return BatchView{}, err
		}
		err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*batchItem)(nil)).Set("outcome = ?", why).Where("batch_id = ? AND product_id = ? AND outcome = ''", id, i.ProductID).Exec(ctx)
			return err
		})
		if err != nil {
			return BatchView{}, err
		}
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := b.end(ctx, tx, BatchPassed, now); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "product.batch_pass", Object: Object, Summary: fmt.Sprintf("批量审核 %d 个产品", len(items)),
			Detail: map[string]any{"batch": id, "looked": looked}})
	})
	if err != nil && !ErrBatchOver.Is(err) { // the same batch, sent twice
		return BatchView{}, err
	}
	return s.Batch(ctx, actor, id)
}
