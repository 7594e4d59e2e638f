package knowledge

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// TodoKind is why an entry waits for the actor.
type TodoKind string

// The kinds, the most urgent first.
const (
	TodoReport   TodoKind = "report"   // somebody says that it is wrong
	TodoReview   TodoKind = "review"   // an edition waits for its review, and the actor did not write it
	TodoOver     TodoKind = "over"     // its time has passed: 待复核
	TodoSoon     TodoKind = "soon"     // its time will pass within thirty days
	TodoReturned TodoKind = "returned" // the actor's own edition came back
)

// Todo is one entry that waits for the actor.
type Todo struct {
	Kind   TodoKind  `json:"kind" enum:"report,review,over,soon,returned"`
	ID     int64     `json:"id"`
	Title  string    `json:"title"`
	Text   string    `json:"text" doc:"The reason, or the day."`
	Who    string    `json:"who"`
	At     time.Time `json:"at"`
	Report int64     `json:"report,omitempty" doc:"Id of the report to answer."`
}

// soonDays is how long before the end of an entry's time its owner is told.
const soonDays = 30

// todoLimit bounds each kind.
const todoLimit = 50

// Todo lists what waits for the actor: reports and the end of the time of what they, or their unit, are responsible for,
// reviews that are theirs to make, and editions that came back to them. The platform's own entries (of no unit) wait for
// whoever of the platform may write or review.
func (s *Service) Todo(ctx context.Context, actor access.Actor) ([]Todo, error) {
	if err := need(actor, PermEdit, PermReview); err != nil {
		return nil, err
	}
	db, now := s.db.Read(), s.clock.Now()
	today, soon := day(now), day(now.AddDate(0, 0, soonDays))
	out := []Todo{}

	var reports []struct {
		feedback
		Title string `bun:"title"`
	}
	q := db.NewSelect().TableExpr("knowledge_feedback AS f").ColumnExpr("f.*, k.title").Join("JOIN knowledge_entries AS k ON k.id = f.entry_id").
		Where("f.open").OrderExpr("f.id").Limit(todoLimit)
	if err := owned(q, actor).Scan(ctx, &reports); err != nil {
		return nil, fmt.Errorf("open reports: %w", err)
	}
	for _, r := range reports {
		out = append(out, Todo{TodoReport, r.EntryID, r.Title, r.Reason, r.UserName, r.At.UTC(), r.ID})
	}

	if actor.Can(PermReview) {
		var waiting []Entry
		q := narrow(db.NewSelect().Model(&waiting), visible(actor, today)).Where("k.status = ?", InReview).OrderExpr("k.updated_at").Limit(todoLimit).
			Where("NOT EXISTS (SELECT 1 FROM knowledge_editions AS d WHERE d.entry_id = k.id AND d.no = k.work_no AND (d.author_id = ? OR d.editor_id = ? OR d.submitter_id = ?))",
				actor.UserID, actor.UserID, actor.UserID)
		if err := q.Scan(ctx); err != nil {
			return nil, fmt.Errorf("waiting reviews: %w", err)
		}
		for i := range waiting {
			if k := &waiting[i]; edits(actor, k) {
				out = append(out, Todo{TodoReview, k.ID, k.Title, "", k.OwnerName, k.UpdatedAt.UTC(), 0})
			}
		}
	}

	var ending []Entry
	err := owned(db.NewSelect().Model(&ending), actor).Where("k.live_no > 0 AND k.valid_until <> '' AND k.valid_until <= ?", soon).
		OrderExpr("k.valid_until, k.id").Limit(todoLimit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("entries that end: %w", err)
	}
	for i := range ending {
		k, kind := &ending[i], TodoSoon
		if k.Over(today) {
			kind = TodoOver
		}
		out = append(out, Todo{kind, k.ID, k.Title, k.Until, k.OwnerName, k.UpdatedAt.UTC(), 0})
	}

	var returned []Entry
	err = db.NewSelect().Model(&returned).Join("JOIN knowledge_editions AS d ON d.entry_id = k.id AND d.no = k.work_no").
		Where("k.status = ? AND k.reason <> '' AND d.author_id = ?", Draft, actor.UserID).OrderExpr("k.updated_at").Limit(todoLimit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("returned entries: %w", err)
	}
	for i := range returned {
		k := &returned[i]
		out = append(out, Todo{TodoReturned, k.ID, k.Title, k.Reason, k.OwnerName, k.UpdatedAt.UTC(), 0})
	}
	return out, nil
}

// owned narrows a query of k to what the actor, or their unit, is responsible for.
func owned(q *bun.SelectQuery, a access.Actor) *bun.SelectQuery {
	return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.WhereOr("k.owner_id = ?", a.UserID)
		if s, ok := own(a); ok {
			q = q.WhereOr(s.where, s.args...)
		}
		if everywhere(a) && a.Can(PermReview) {
			q = q.WhereOr("k.unit_id = 0")
		}
		return q
	})
}
