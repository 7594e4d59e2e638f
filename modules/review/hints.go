package review

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/web"
)

// Reader is who a hint is written for.
type Reader string

// The readers of hints.
const (
	ForReviewer  Reader = "reviewer"  // staff who decide
	ForSubmitter Reader = "submitter" // whose matter is reviewed
)

var readers = map[Reader]string{ForReviewer: "审核人员", ForSubmitter: "提交方"}

// HintStep is a place where a hint can stand.
type HintStep struct {
	For   Reader `json:"for" enum:"reviewer,submitter"`
	Step  string `json:"step"`
	Label string `json:"label"`
	Where string `json:"where" doc:"Where it is read, in words."`
}

// Hinted is a kind of review with the places where hints can stand, in their order.
type Hinted struct {
	Key   string     `json:"key"`
	Title string     `json:"title"`
	Steps []HintStep `json:"steps"`
}

func (h Hinted) step(who Reader, step string) (HintStep, bool) {
	i := slices.IndexFunc(h.Steps, func(s HintStep) bool { return s.For == who && s.Step == step })
	if i < 0 {
		return HintStep{}, false
	}
	return h.Steps[i], true
}

// Hint is what people read at a step of a review.
type Hint struct {
	Review string `json:"review"`
	For    Reader `json:"for" enum:"reviewer,submitter"`
	Step   string `json:"step"`
	hint.Said
	Version int64      `json:"version"`
	SetBy   string     `json:"setBy,omitempty"`
	SetAt   *time.Time `json:"setAt,omitempty"`
}

type hintRow struct {
	bun.BaseModel `bun:"table:review_hints,alias:rh"`

	Review string `bun:"review,pk"`
	For    Reader `bun:"reader,pk"`
	Step   string `bun:"step,pk"`
	hint.Row
}

func (r hintRow) view() Hint {
	v := Hint{Review: r.Review, For: r.For, Step: r.Step, Said: r.Said(fmt.Sprintf("/review-hints/%s/%s/%s", r.Review, r.For, r.Step)), Version: r.Version, SetBy: r.SetBy}
	if r.SetAt != nil {
		at := r.SetAt.UTC()
		v.SetAt = &at
	}
	return v
}

// Hints are what is read at the steps, and where something can be.
type Hints struct {
	Items   []Hint   `json:"items" doc:"Those taken away are there without content, with their version."`
	Reviews []Hinted `json:"reviews" doc:"The reviews with every place where a hint can stand."`
}

// Hints lists the hints of all reviews for their editor. It needs review.reasons.
func (s *Service) Hints(ctx context.Context, actor access.Actor) (Hints, error) {
	out := Hints{Items: []Hint{}, Reviews: slices.Clone(s.Hinted)}
	if err := actor.Need(PermReasons); err != nil {
		return out, err
	}
	rows, err := s.hintRows(ctx, s.DB.Read(), "")
	for _, r := range rows {
		out.Items = append(out.Items, r.view())
	}
	return out, err
}

// hintRows reads the hints of all readers, or of one, without their pictures.
func (s *Service) hintRows(ctx context.Context, db bun.IDB, who Reader) ([]hintRow, error) {
	var rows []hintRow
	q := db.NewSelect().Model(&rows).ExcludeColumn("picture").OrderExpr("rh.review, rh.reader, rh.step")
	if who != "" {
		q = q.Where("rh.reader = ?", who)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("hints of reviews: %w", err)
	}
	return rows, nil
}

// readerOf is which hints the actor reads: staff of the platform and the government those of reviewers.
func readerOf(actor access.Actor) Reader {
	if actor.Party == access.Platform || actor.Party == access.Government {
		return ForReviewer
	}
	return ForSubmitter
}

// Reads lists what the actor reads at the steps of reviews. Who wrote it is no matter of the readers.
func (s *Service) Reads(ctx context.Context, actor access.Actor) ([]Hint, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	rows, err := s.hintRows(ctx, s.DB.Read(), readerOf(actor))
	out := []Hint{}
	for _, r := range rows {
		if !r.Empty() {
			v := r.view()
			v.SetBy, v.SetAt = "", nil
			out = append(out, v)
		}
	}
	return out, err
}

// ToSubmitter is what those whose matter is reviewed read at a step, nil for nothing. The caller has established that the asker
// is one of them.
func (s *Service) ToSubmitter(ctx context.Context, db bun.IDB, review, step string) (*hint.Said, error) {
	var rows []hintRow
	if err := db.NewSelect().Model(&rows).ExcludeColumn("picture").Where("rh.review = ? AND rh.reader = ? AND rh.step = ?", review, ForSubmitter, step).Scan(ctx); err != nil {
		return nil, fmt.Errorf("hint of review %s at %s: %w", review, step, err)
	}
	if len(rows) == 0 || rows[0].Empty() {
		return nil, nil
	}
	said := rows[0].view().Said
	return &said, nil
}

// SetHint asks for what is read at a step: all of it as given, nothing takes the hint away.
type SetHint struct {
	Key    string `json:"-"`
	Review string `json:"review"`
	For    Reader `json:"for"`
	Step   string `json:"step"`
	hint.Set
}

// CheckHint tidies the hint and returns the faults of its place and fields.
func (s *Service) CheckHint(c *SetHint) error {
	var place error
	if _, _, ok := s.place(*c); !ok {
		place = fault.InvalidField("step", "HINT_STEP", "没有这个步骤，请刷新后重新选择")
	}
	return fault.Merge(place, c.Set.Check())
}

func (s *Service) place(c SetHint) (Hinted, HintStep, bool) {
	i := slices.IndexFunc(s.Hinted, func(h Hinted) bool { return h.Key == c.Review })
	if i < 0 {
		return Hinted{}, HintStep{}, false
	}
	step, ok := s.Hinted[i].step(c.For, c.Step)
	return s.Hinted[i], step, ok
}

// HintName is the place of a hint in words, its step where there is no such place.
func (s *Service) HintName(c SetHint) string {
	if h, step, ok := s.place(c); ok {
		return h.Title + "—" + readers[c.For] + "—" + step.Label
	}
	return c.Step
}

// SetHint sets what is read at a step, from the next time it is opened on. It needs review.reasons; a version that is not the
// present one is a conflict.
func (s *Service) SetHint(ctx context.Context, actor access.Actor, c SetHint) error {
	if err := actor.Need(PermReasons); err != nil {
		return err
	}
	if err := s.CheckHint(&c); err != nil {
		return err
	}
	now := s.Clock.Now()
	kept := c
	kept.Set = c.Set.Logged()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "review.hint", Key: c.Key, Request: kept, Now: now}, func() (bool, error) {
			row := hintRow{Review: c.Review, For: c.For, Step: c.Step, Row: c.Row(now, actor.Name)}
			if err := hint.Put(ctx, tx, &row, c.Set, "review = ? AND reader = ? AND step = ?", c.Review, c.For, c.Step); err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "review.hint", Object: "review_hint", Summary: "设置审核提示：" + s.HintName(c), Detail: kept})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("hint of review %s at %s: %w", c.Review, c.Step, err)
	}
	return nil
}

// HintsWhole lists the hints with their pictures, as SetHint takes them: to carry them to another installation. It needs
// review.reasons.
func (s *Service) HintsWhole(ctx context.Context, actor access.Actor) ([]SetHint, error) {
	if err := actor.Need(PermReasons); err != nil {
		return nil, err
	}
	var rows []hintRow
	if err := s.DB.Read().NewSelect().Model(&rows).OrderExpr("rh.review, rh.reader, rh.step").Scan(ctx); err != nil {
		return nil, fmt.Errorf("hints of reviews: %w", err)
	}
	out := make([]SetHint, 0, len(rows))
	for _, r := range rows {
		out = append(out, SetHint{Review: r.Review, For: r.For, Step: r.Step, Set: hint.Set{Text: r.Text, LinkText: r.LinkText, LinkURL: r.LinkURL, Picture: &r.Picture, Alt: r.Alt, Version: r.Version}})
	}
	return out, nil
}

// Pages adds the addresses of the hints' pictures: each kind of reader reads its own, and who edits them all.
func (s *Service) Pages(srv *web.Server, _ *web.Pages) error {
	srv.Download("/review-hints/:review/:reader/:step/picture", access.SignedIn(), func(c *fiber.Ctx) (web.Download, error) {
		actor := access.From(c.UserContext())
		if who := Reader(c.Params("reader")); who != readerOf(actor) && !actor.Can(PermReasons) {
			return web.Download{}, fault.ErrNotFound
		}
		var row hintRow
		err := database.Found(s.DB.Read().NewSelect().Model(&row).Where("rh.review = ? AND rh.reader = ? AND rh.step = ? AND rh.picture <> ''", c.Params("review"), c.Params("reader"), c.Params("step")).Scan(c.UserContext()))
		if err != nil {
			return web.Download{}, err
		}
		return hint.Download(row.Row)
	})
	return nil
}
