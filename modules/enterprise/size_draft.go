package enterprise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/sizeclass"
)

// PermSizePublish is the right to put an edition of thresholds into force that somebody else has entered.
const PermSizePublish access.Permission = "enterprise.size_publish"

// sizeDraft is an edition that is being entered: one of each kind at a time.
type sizeDraft struct {
	bun.BaseModel `bun:"table:enterprise_size_drafts,alias:sd"`

	Kind      string    `bun:"kind,pk"`
	Document  string    `bun:"document,notnull"`
	FromDay   string    `bun:"from_day,notnull"`
	Body      string    `bun:"body,notnull,type:text"`
	Version   int64     `bun:"version,notnull"`
	Writers   string    `bun:"writers,notnull,type:text"` // JSON: ids of all who wrote it, none of whom publishes it
	UpdatedBy string    `bun:"updated_by,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

type sizeDraft20261129 struct {
	bun.BaseModel `bun:"table:enterprise_size_drafts"`

	Kind      string    `bun:"kind,pk"`
	Document  string    `bun:"document,notnull"`
	FromDay   string    `bun:"from_day,notnull"`
	Body      string    `bun:"body,notnull,type:text"`
	Version   int64     `bun:"version,notnull"`
	Writers   string    `bun:"writers,notnull,type:text"`
	UpdatedBy string    `bun:"updated_by,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

// SizeDraft is an edition that is being entered, as people see it.
type SizeDraft struct {
	SizeEditionBody
	Version    int64     `json:"version"`
	UpdatedBy  string    `json:"updatedBy"`
	UpdatedAt  time.Time `json:"updatedAt"`
	MayPublish bool      `json:"mayPublish" doc:"The actor has the right and wrote none of it."`
}

// The faults of drafts of thresholds.
var (
	// ErrOwnSize: who entered thresholds does not put them into force.
	ErrOwnSize = fault.New(fault.Forbidden, "OWN_SIZE", "划型标准须由未参与录入的人员发布，请联系有发布权限的同事核对后发布")
	// ErrSizeBackwards: what was reckoned before stays as it was.
	ErrSizeBackwards = fault.InvalidField("from", "SIZE_BACKWARDS", "施行日期须晚于现有最新一版的施行日期，已经施行的标准不能改写")
)

func (d *sizeDraft) writers() []int64 {
	var out []int64
	_ = json.Unmarshal([]byte(d.Writers), &out) // written by us
	return out
}

func (d *sizeDraft) view(actor access.Actor) (SizeDraft, error) {
	e := SizeEdition{Kind: d.Kind, Document: d.Document, From: d.FromDay}
	err := e.read(d.Body)
	return SizeDraft{e.Edited(), d.Version, d.UpdatedBy, d.UpdatedAt.UTC(), actor.Can(PermSizePublish) && !slices.Contains(d.writers(), actor.UserID)}, err
}

// read fills the rows of an edition from what is kept.
func (e *SizeEdition) read(body string) error {
	if e.Kind == kindScale {
		return json.Unmarshal([]byte(body), &e.Scale)
	}
	return json.Unmarshal([]byte(body), &e.Rows)
}

// sizeEditor returns a fault for whoever neither enters thresholds nor puts them into force.
func sizeEditor(actor access.Actor) error {
	if actor.Can(PermGolden) || actor.Can(PermSizePublish) {
		return nil
	}
	return actor.Need(PermGolden)
}

// SizeDrafts lists the editions that are being entered. It needs enterprise.golden or enterprise.size_publish.
func (s *Service) SizeDrafts(ctx context.Context, actor access.Actor) ([]SizeDraft, error) {
	if err := sizeEditor(actor); err != nil {
		return nil, err
	}
	var rows []sizeDraft
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("sd.kind DESC").Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]SizeDraft, 0, len(rows))
	for i := range rows {
		v, err := rows[i].view(actor)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// SaveSizeDraft enters an edition (Version 0 begins one) or changes what is entered.
type SaveSizeDraft struct {
	SizeEditionBody
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

// SaveSizeDraft enters an edition of thresholds for a second person to publish. It needs enterprise.golden; a version that is
// not the newest is a conflict.
func (s *Service) SaveSizeDraft(ctx context.Context, actor access.Actor, cmd SaveSizeDraft) ([]SizeDraft, error) {
	if err := actor.Need(PermGolden); err != nil {
		return nil, err
	}
	e := cmd.Edition()
	body, err := e.check()
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err = s.onSizeDraft(ctx, actor, "enterprise.size_draft", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		if err := laterThanAll(ctx, tx, e.Kind, e.From); err != nil {
			return "", err
		}
		row := sizeDraft{Kind: e.Kind, Document: e.Document, FromDay: e.From, Body: body, Version: cmd.Version + 1, UpdatedBy: actor.Name, UpdatedAt: now}
		var is sizeDraft
		err := database.Found(tx.NewSelect().Model(&is).Where("sd.kind = ?", e.Kind).Scan(ctx))
		there := err == nil
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return "", err
		}
		writers := is.writers()
		if !slices.Contains(writers, actor.UserID) {
			writers = append(writers, actor.UserID)
		}
		raw, err := json.Marshal(writers)
		if err != nil {
			return "", err
		}
		row.Writers = string(raw)
		switch {
		case !there && cmd.Version != 0, there && cmd.Version == 0:
			return "", fault.ErrChanged
		case !there:
			if _, err := tx.NewInsert().Model(&row).Exec(ctx); database.IsDuplicate(err) {
				return "", fault.ErrChanged.Wrap(err)
			} else if err != nil {
				return "", err
			}
		default:
			if err := database.Changed(tx.NewUpdate().Model(&row).ExcludeColumn("kind").Where("kind = ? AND version = ?", e.Kind, cmd.Version).Exec(ctx)); err != nil {
				return "", err
			}
		}
		return "录入划型标准：" + e.Document, nil
	})
	if err != nil {
		return nil, err
	}
	return s.SizeDrafts(ctx, actor)
}

// laterThanAll refuses a day on which, or after which, an edition of the kind holds already.
func laterThanAll(ctx context.Context, db bun.IDB, kind, day string) error {
	var last string
	if err := database.QueryOne(ctx, db, []any{&last}, "SELECT coalesce(max(from_day), '') FROM enterprise_size_editions WHERE kind = ?", kind); err != nil {
		return err
	}
	if day <= last {
		return ErrSizeBackwards
	}
	return nil
}

// onSizeDraft is the frame of a change of a draft: key, change, audit, in one transaction.
func (s *Service) onSizeDraft(ctx context.Context, actor access.Actor, operation, key string, request any, step func(ctx context.Context, tx bun.Tx) (string, error)) error {
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: request, Now: now}, func() (started, error) {
			summary, err := step(ctx, tx)
			if err != nil {
				return started{}, err
			}
			return started{}, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: "enterprise_size", Summary: summary, Detail: request})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// SizeDraftRef names a draft at the version that was seen.
type SizeDraftRef struct {
	Kind    string `json:"kind"`
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

func takeDraft(ctx context.Context, tx bun.Tx, cmd SizeDraftRef) (sizeDraft, error) {
	var d sizeDraft
	if err := database.Found(tx.NewSelect().Model(&d).Where("sd.kind = ?", cmd.Kind).Scan(ctx)); err != nil {
		return d, err
	}
	return d, database.Changed(tx.NewDelete().Model((*sizeDraft)(nil)).Where("kind = ? AND version = ?", cmd.Kind, cmd.Version).Exec(ctx))
}

// DiscardSizeDraft throws away what was entered. It needs enterprise.golden.
func (s *Service) DiscardSizeDraft(ctx context.Context, actor access.Actor, cmd SizeDraftRef) ([]SizeDraft, error) {
	if err := actor.Need(PermGolden); err != nil {
		return nil, err
	}
	err := s.onSizeDraft(ctx, actor, "enterprise.size_discard", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		d, err := takeDraft(ctx, tx, cmd)
		return "放弃录入的划型标准：" + d.Document, err
	})
	if err != nil {
		return nil, err
	}
	return s.SizeDrafts(ctx, actor)
}

// PublishSizeDraft adds what was entered as an edition: it holds from its day. It needs enterprise.size_publish and a person
// who wrote none of it (ErrOwnSize).
func (s *Service) PublishSizeDraft(ctx context.Context, actor access.Actor, cmd SizeDraftRef) ([]SizeEdition, error) {
	if err := actor.Need(PermSizePublish); err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err := s.onSizeDraft(ctx, actor, "enterprise.size_publish", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		d, err := takeDraft(ctx, tx, cmd)
		if err != nil {
			return "", err
		}
		if slices.Contains(d.writers(), actor.UserID) {
			return "", ErrOwnSize
		}
		if err := laterThanAll(ctx, tx, d.Kind, d.FromDay); err != nil {
			return "", err
		}
		row := edition{Kind: d.Kind, Document: d.Document, FromDay: d.FromDay, Body: d.Body, ByName: d.UpdatedBy + " 录入，" + actor.Name + " 发布", At: now}
		if err := database.Insert(ctx, tx, &row); err != nil {
			return "", err
		}
		_, err = event.Append(ctx, tx, actor, now, SizeChanged{row.ID, d.Kind, d.Document})
		return "发布划型标准：" + d.Document, err
	})
	if err != nil {
		return nil, err
	}
	return s.SizeEditions(ctx, actor)
}

// SizeMove is how many companies go from one class to another.
type SizeMove struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Count int    `json:"count"`
}

// SizeMoved is one company that would change.
type SizeMoved struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// SizePreview is what the draft would change among a part of the companies.
type SizePreview struct {
	Seen     int         `json:"seen" doc:"Companies looked at."`
	Reckoned int         `json:"reckoned" doc:"Of them those whose industry is known."`
	Changed  int         `json:"changed"`
	Moves    []SizeMove  `json:"moves"`
	Examples []SizeMoved `json:"examples" doc:"Some of those that change, as far as they agreed to be looked at."`
	Next     string      `json:"next,omitempty" doc:"To go on; empty after the last company."`
}

// The parts of a preview.
const (
	previewPart     = 5000
	previewExamples = 50
)

// sizeFields are the facts that classes are reckoned of.
var sizeFields = []string{"industry", "employees", "revenue", "assets"}

// PreviewSizes reckons a part of the companies by what holds today and by the draft, by the facts of today. The caller goes on
// with Next until it is empty and adds up. It needs enterprise.golden or enterprise.size_publish.
func (s *Service) PreviewSizes(ctx context.Context, actor access.Actor, kind, cursor string) (SizePreview, error) {
	out := SizePreview{Moves: []SizeMove{}, Examples: []SizeMoved{}}
	if err := errors.Join(actor.Need(PermView), sizeEditor(actor)); err != nil {
		return out, err
	}
	after, err := cursorOf(cursor)
	if err != nil {
		return out, err
	}
	db := s.db.Read()
	var d sizeDraft
	if err := database.Found(db.NewSelect().Model(&d).Where("sd.kind = ?", kind).Scan(ctx)); err != nil {
		return out, err
	}
	is, err := s.readThresholds(ctx, db)
	if err != nil {
		return out, err
	}
	e := SizeEdition{Kind: d.Kind, Document: d.Document}
	if err := e.read(d.Body); err != nil {
		return out, err
	}
	will := &thresholds{sizes: sizeclass.New(sizeclass.Edition{Document: d.Document, Rows: e.Rows}), scale: []sizeclass.ScaleEdition{{Document: d.Document, Rows: e.Scale}}}
	rule, err := s.ruling(ctx, db)
	if err != nil {
		return out, err
	}
	var rows []Enterprise
	if err := visible(db.NewSelect().Model(&rows), actor, "ent.id").Column("id", "name").Where("ent.id > ? AND ent.replaced_by IS NULL", after).OrderExpr("ent.id").Limit(previewPart).Scan(ctx); err != nil {
		return out, err
	}
	counts := map[[2]string]int{}
	var moved []SizeMoved
	at := s.clock.Now()
	for part := range slices.Chunk(rows, 500) {
		facts, err := sizeFacts(ctx, db, part)
		if err != nil {
			return out, err
		}
		for _, c := range part {
			now := rule.current(facts[c.ID], at)
			from, known := classText(is, kind, now, at)
			if out.Seen++; !known {
				continue
			}
			out.Reckoned++
			if to, _ := classText(will, kind, now, at); to != from {
				out.Changed++
				counts[[2]string{from, to}]++
				moved = append(moved, SizeMoved{c.ID, c.Name, from, to})
			}
		}
	}
	for k, n := range counts {
		out.Moves = append(out.Moves, SizeMove{k[0], k[1], n})
	}
	slices.SortFunc(out.Moves, func(a, b SizeMove) int {
		return strings.Compare(a.From+"\n"+a.To, b.From+"\n"+b.To)
	})
	if len(rows) == previewPart {
		out.Next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	out.Examples, err = s.readableMoves(ctx, actor, moved[:min(len(moved), previewExamples)])
	return out, err
}

// readableMoves leaves the companies whose data the actor may read: a class is one.
func (s *Service) readableMoves(ctx context.Context, actor access.Actor, moved []SizeMoved) ([]SizeMoved, error) {
	if len(moved) == 0 {
		return []SizeMoved{}, nil
	}
	ids := make([]int64, 0, len(moved))
	for _, m := range moved {
		ids = append(ids, m.ID)
	}
	groups, err := s.consents.ReadAll(ctx, actor, ids, Reading{forPortrait, "", "预览划型标准的影响"})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(moved, func(m SizeMoved) bool { return !slices.Contains(groups[m.ID], keyOperation) }), nil
}

// sizeFacts reads what classes are reckoned of, oldest first.
func sizeFacts(ctx context.Context, db bun.IDB, companies []Enterprise) (map[int64][]Fact, error) {
	ids := make([]int64, 0, len(companies))
	for _, c := range companies {
		ids = append(ids, c.ID)
	}
	var rows []Fact
	err := db.NewSelect().Model(&rows).Where("f.enterprise_id IN (?) AND f.field IN (?)", bun.List(ids), bun.List(sizeFields)).OrderExpr("f.id").Scan(ctx)
	out := map[int64][]Fact{}
	for _, r := range rows {
		out[r.EnterpriseID] = append(out[r.EnterpriseID], r)
	}
	return out, err
}

// classText is the class of a company in words: the classes it may be of, or whether it reaches the statistical register.
func classText(t *thresholds, kind string, now map[string]Fact, at time.Time) (string, bool) {
	r, m, _, known := classify(t, now, at)
	if !known {
		return "", false
	}
	if kind == kindScale {
		reach, _, _ := sizeclass.Scale(t.scale, word(now["industry"]), m.Revenue, at)
		_, text, _ := scaleOf(reach, sizeclass.ScaleRow{}, "", map[string]Fact{})
		head, _, _ := strings.Cut(text, "，")
		return head, true
	}
	if len(r.Classes) == 0 {
		return "不适用", true
	}
	if one, ok := r.Exact(); ok {
		return one.Text(), true
	}
	return classWords(r.Classes), true
}
