package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// ringPage bounds one transaction of the tasks.
const ringPage = 50

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{
		Name: "application.clocks", Title: "申请时限提醒和超时", Every: 30 * time.Second,
		Failure: "申请的到期提醒和超时通知没有发出；请查看失败原因，恢复后会自动补发。",
		Run: func(ctx context.Context) error {
			return noted(ctx, "处理 %d 个时限", s.Ring, access.SystemActor("job:application.clocks"))
		},
	}, {
		Name: "application.move_deadlines", Title: "按新发布的工作日历调整申请时限", Every: time.Minute,
		Failure: "工作日历发布后，部分申请的时限尚未调整；请查看失败原因，恢复后会接着调整。",
		Run: func(ctx context.Context) error {
			return noted(ctx, "调整 %d 件申请的时限", s.MoveDeadlines, access.SystemActor("job:application.move_deadlines"))
		},
	}, {
		Name: "application.phones", Title: "补建申请联系电话的查找标记", Every: 10 * time.Minute,
		Run: func(ctx context.Context) error {
			return noted(ctx, "补建 %d 件", s.IndexPhones, access.SystemActor("job:application.phones"))
		},
	}}
}

func noted(ctx context.Context, words string, do func(context.Context, access.Actor) (int, error), actor access.Actor) error {
	n, err := do(ctx, actor)
	if n > 0 {
		jobs.Note(ctx, words, n)
	}
	return err
}

// Ring reminds of each deadline whose time is nearly used up and announces each that is over, exactly once whatever the
// number of processes. A service whose time to confirm is over ends as confirmed. It returns how many deadlines it handled.
// Only the system may.
func (s *Service) Ring(ctx context.Context, actor access.Actor) (int, error) {
	now := s.Clock.Now()
	return s.sweep(ctx, actor, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("a.ring_at <= ?", now).OrderExpr("a.ring_at")
	},
		func(ctx context.Context, tx bun.Tx, a *Application) error {
			if now.Before(a.Due.At) {
				a.Rung = Warned
				at := a.Due.At
				a.RingAt = &at
				return s.tell(ctx, tx, actor, now, a, DueWarned{Head: a.head(), For: a.For, DueAt: a.Due.At.UTC()})
			}
			if a.For == DueConfirm {
				return s.lapse(ctx, tx, actor, now, a)
			}
			a.Rung, a.RingAt = Breached, nil
			return s.tell(ctx, tx, actor, now, a, Overdue{Head: a.head(), For: a.For, DueAt: a.Due.At.UTC()})
		})
}

// lapse ends a service as confirmed because the time to object is over.
func (s *Service) lapse(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, a *Application) error {
	read, was := a.Version, a.kept()
	if err := a.Lapse(now); err != nil {
		return err
	}
	if err := save(ctx, tx, a, read); err != nil {
		return err
	}
	e := confirmed(ByTime, "")
	kept, err := event.Append(ctx, tx, actor, now, e.fact(a.head()))
	if err != nil {
		return err
	}
	if err := remember(ctx, tx, actor, lapse, a, was, kept); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, changeRecord(lapse, a, e))
}

// tell writes the clock and what is said of it. The version stays: nobody's command grows stale by a reminder.
func (s *Service) tell(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, a *Application, fact event.Fact) error {
	if err := saveDue(ctx, tx, a); err != nil {
		return err
	}
	_, err := event.Append(ctx, tx, actor, now, fact)
	return err
}

// saveDue writes the deadline alone. The row is locked, and SQLite has one writer.
func saveDue(ctx context.Context, tx bun.Tx, a *Application) error {
	return database.Changed(tx.NewUpdate().Model(a).Column(dueColumns...).Where("id = ? AND version = ?", a.ID, a.Version).Exec(ctx))
}

var dueColumns = []string{"due_for", "due_from", "due_days", "due_calendar", "due_at", "due_percent", "due_held_at", "due_pauses", "ring_at", "rung"}

// MoveDeadlines reckons running deadlines again with the calendar in force, where they were reckoned with another. It returns
// how many it looked at. Only the system may.
func (s *Service) MoveDeadlines(ctx context.Context, actor access.Actor) (int, error) {
	now := s.Clock.Now()
	cal, err := s.inForce(ctx, s.DB.Read())
	if err != nil {
		return 0, err
	}
	return s.sweep(ctx, actor, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("a.due_for <> '' AND a.due_days > 0 AND a.due_calendar <> ?", cal.Number).OrderExpr("a.id")
	}, func(ctx context.Context, tx bun.Tx, a *Application) error {
		before := a.Due.At
		a.reckon(now, cal)
		if a.Due.At.Equal(before) {
			return saveDue(ctx, tx, a)
		}
		return s.tell(ctx, tx, actor, now, a, DueMoved{Head: a.head(), For: a.For, Before: before.UTC(), DueAt: a.Due.At.UTC()})
	})
}

// IndexPhones makes the phones of applications findable that were made before phones were. It returns how many. Only the
// system may.
func (s *Service) IndexPhones(ctx context.Context, actor access.Actor) (int, error) {
	return s.sweep(ctx, actor, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("a.phone_tail = ''").OrderExpr("a.id") },
		func(ctx context.Context, tx bun.Tx, a *Application) error {
			plain, err := s.Box.Open(a.PhoneSealed, phonePlace(a.Number))
			if err != nil {
				return err
			}
			s.index(a, string(plain))
			_, err = tx.NewUpdate().Model(a).Column("phone_blind", "phone_tail").Where("id = ?", a.ID).Exec(ctx)
			return err
		})
}

// sweep works page after page of the applications that ask for it. On PostgreSQL a page is held until its end, without those
// that another process has. A page in which somebody else was faster is tried again.
func (s *Service) sweep(ctx context.Context, actor access.Actor, which func(*bun.SelectQuery) *bun.SelectQuery, do func(context.Context, bun.Tx, *Application) error) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	total, lost := 0, 0
	for ctx.Err() == nil {
		n := 0
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			var rows []Application
			q := which(tx.NewSelect().Model(&rows)).Limit(ringPage)
			if database.KindOf(tx) == database.Postgres {
				q = q.For("UPDATE SKIP LOCKED")
			}
			if err := q.Scan(ctx); err != nil {
				return fmt.Errorf("applications to look at: %w", err)
			}
			n = len(rows)
			for i := range rows {
				if err := do(ctx, tx, &rows[i]); err != nil {
					return fmt.Errorf("application %d: %w", rows[i].ID, err)
				}
			}
			return nil
		})
		if errors.Is(err, fault.ErrChanged) && lost < 5 {
			lost++
			continue
		}
		if err != nil {
			return total, err
		}
		lost = 0
		if total += n; n < ringPage {
			break
		}
	}
	return total, ctx.Err()
}
