package demand

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// sweepPage bounds one round of the tasks.
const sweepPage = 100

// Tasks are what the module does by the clock.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "demand.expire", Title: "到期需求自动关闭", Every: time.Minute, Timeout: time.Minute,
		Failure: "到期的需求没有关闭，也没有提醒企业选定报价。请查看服务日志中的原因；恢复后自动补办。",
		Run: func(ctx context.Context) error {
			n, err := s.ExpireDue(ctx, access.SystemActor("job:demand.expire"))
			if n > 0 {
				jobs.Note(ctx, "处理 %d 件到期需求", n)
			}
			return err
		}}, {Name: "demand.remind_reviews", Title: "提醒超时的需求审核", Every: 15 * time.Minute, Timeout: time.Minute,
		Failure: "超时的需求审核没有提醒审核人员。请查看服务日志中的原因；恢复后自动补发。",
		Run: func(ctx context.Context) error {
			n, err := s.RemindOverdue(ctx, access.SystemActor("job:demand.remind_reviews"))
			if n > 0 {
				jobs.Note(ctx, "提醒 %d 件", n)
			}
			return err
		}}}
}

// ExpireDue ends the demands whose days have passed: those nobody quoted for when the last day for quotes has passed, the others
// when that to pick one has. In between the company is reminded once. It returns how many it handled. Only the system may.
func (s *Service) ExpireDue(ctx context.Context, actor access.Actor) (int, error) {
	now := s.Clock.Now()
	return s.sweep(ctx, actor, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("d.state = ? AND d.until < ? AND (d.pick_until < ? OR NOT d.over_told)", Open, today(now), today(now))
	}, func(ctx context.Context, tx bun.Tx, d *Demand) error {
		live, err := tx.NewSelect().Model((*Quote)(nil)).Where("q.demand_id = ? AND q.state = ?", d.ID, Live).Count(ctx)
		if err != nil {
			return err
		}
		if live > 0 && today(now) <= d.PickUntil {
			d.OverTold = true
			if err := keep(ctx, tx, d); err != nil {
				return err
			}
			_, err := event.Append(ctx, tx, actor, now, QuotingOver{d.head(), d.PickUntil, int(live)})
			return err
		}
		return s.expire(ctx, tx, actor, d, now)
	})
}

func (s *Service) expire(ctx context.Context, tx bun.Tx, actor access.Actor, d *Demand, now time.Time) error {
	if err := d.Expire(now); err != nil {
		return err
	}
	ended, err := s.endQuotes(ctx, tx, actor, d, now)
	if err != nil {
		return err
	}
	if err := save(ctx, tx, d); err != nil {
		return err
	}
	return s.book(ctx, tx, actor, now, d, "expire", "需求到期关闭", &Expired{Quotes: ended})
}

// RemindOverdue announces the reviews that were not done in time, each once. Only the system may.
func (s *Service) RemindOverdue(ctx context.Context, actor access.Actor) (int, error) {
	now := s.Clock.Now()
	return s.sweep(ctx, actor, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("d.state = ? AND d.due_at <= ? AND d.reminded_at IS NULL", Review, now)
	}, func(ctx context.Context, tx bun.Tx, d *Demand) error {
		d.RemindedAt = &now
		if err := keep(ctx, tx, d); err != nil {
			return err
		}
		_, err := event.Append(ctx, tx, actor, now, ReviewOverdue{d.head(), d.DueAt.UTC()})
		return err
	})
}

// sweep does something to each demand of a condition, each in its own transaction, in which the condition still holds: whoever was
// first did it.
func (s *Service) sweep(ctx context.Context, actor access.Actor, narrow func(*bun.SelectQuery) *bun.SelectQuery, do func(ctx context.Context, tx bun.Tx, d *Demand) error) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	var ids []int64
	if err := narrow(s.DB.Read().NewSelect().Model((*Demand)(nil)).Column("d.id")).OrderExpr("d.id").Limit(sweepPage).Scan(ctx, &ids); err != nil {
		return 0, fmt.Errorf("demands to be handled: %w", err)
	}
	n := 0
	for _, id := range ids {
		did := false
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			did = false
			d, err := s.hold(ctx, tx, actor, id)
			if fault.KindOf(err) == fault.NotFound {
				return nil
			}
			if err != nil {
				return err
			}
			still, err := narrow(tx.NewSelect().Model((*Demand)(nil))).Where("d.id = ?", id).Exists(ctx)
			if err != nil || !still {
				return err
			}
			did = true
			return do(ctx, tx, d)
		})
		if fault.KindOf(err) == fault.Conflict {
			continue // a person was first; the next round looks again
		}
		if err != nil {
			return n, fmt.Errorf("demand %d: %w", id, err)
		}
		if did {
			n++
		}
	}
	return n, nil
}
