package enterprise

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/jobs"
)

// Desk tells how long a review may take.
type Desk interface {
	// ReviewDue is until when a claim that was sent at a moment is to be decided.
	ReviewDue(ctx context.Context, db bun.IDB, from time.Time) (time.Time, error)
}

// plainDesk is the desk of an installation that says nothing: two days on the clock.
type plainDesk struct{}

func (plainDesk) ReviewDue(_ context.Context, _ bun.IDB, from time.Time) (time.Time, error) {
	return from.Add(48 * time.Hour), nil
}

// Deputies tells which rights colleagues on leave delegated to somebody.
type Deputies interface {
	Lent(ctx context.Context, db bun.IDB, actor access.Actor) (access.Lent, error)
}

// noDeputies is where nobody delegates.
type noDeputies struct{}

func (noDeputies) Lent(context.Context, bun.IDB, access.Actor) (access.Lent, error) { return nil, nil }

// reviewer returns the actor as they review: in a colleague's name where the right is lent to them. Without a right of
// either kind it returns ErrForbidden.
func (s *Service) reviewer(ctx context.Context, db bun.IDB, actor access.Actor) (access.Actor, error) {
	err := actor.Need(PermReview)
	if err == nil || !isDesk(actor) {
		return actor, err
	}
	lent, lookErr := s.deputies.Lent(ctx, db, actor)
	if lookErr != nil {
		return actor, lookErr
	}
	by := lent.Using(actor, PermReview)
	return by, by.Need(PermReview)
}

// IsOverdue is announced once for a claim that was not decided in time.
type IsOverdue struct {
	Head
	AttemptID int64     `json:"attemptId"`
	DueAt     time.Time `json:"dueAt"`
}

// Event names the fact.
func (f IsOverdue) Event() (string, string, int64) { return "enterprise.review_overdue", Object, f.ID }

// RemindOverdue announces the claims that were not decided in time, each once. Only the system may.
func (s *Service) RemindOverdue(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	now := s.clock.Now()
	n := 0
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = 0
		var rows []Attempt
		err := tx.NewSelect().Model(&rows).Where("v.outcome = ? AND v.due_at <= ? AND v.reminded_at IS NULL", Waiting, now).OrderExpr("v.id").Limit(100).Scan(ctx)
		if err != nil {
			return err
		}
		for i := range rows {
			a := &rows[i]
			res, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("reminded_at = ?", now).Where("id = ? AND outcome = ? AND reminded_at IS NULL", a.ID, Waiting).Exec(ctx)
			if err != nil {
				return err
			}
			if did, err := res.RowsAffected(); err != nil {
				return err
			} else if did == 0 {
				continue
			}
			f := IsOverdue{Head: Head{ID: a.EnterpriseID, Name: cmp.Or(a.OldName, a.Name), UserID: a.UserID, By: byReview}, AttemptID: a.ID, DueAt: *a.DueAt}
			if _, err := event.Append(ctx, tx, actor, now, f); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{s.tagTask(), {Name: "enterprise.remind_reviews", Title: "提醒超时的企业认证审核", Every: 15 * time.Minute, Timeout: time.Minute,
		Failure: "超时的企业认证审核没有提醒审核人员。请查看服务日志中的原因；恢复后自动补发。",
		Run: func(ctx context.Context) error {
			n, err := s.RemindOverdue(ctx, access.SystemActor("job:enterprise.remind_reviews"))
			if n > 0 {
				jobs.Note(ctx, "提醒 %d 件", n)
			}
			return err
		}}}
}
