package ticket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// duePage bounds one transaction of the tasks: it holds the writer for some milliseconds.
const duePage = 50

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{
		Name: "ticket.clocks", Title: "工单时限预警、超时和催办", Every: 30 * time.Second,
		Failure: "工单的到期预警、超时标记和催办没有发出；请查看失败原因，恢复后会自动补发。",
		Run: func(ctx context.Context) error {
			n, err := s.RingClocks(ctx, access.SystemActor("job:ticket.clocks"))
			if n > 0 {
				jobs.Note(ctx, "处理 %d 个时限", n)
			}
			return err
		},
	}, {
		Name: "ticket.move_deadlines", Title: "按新发布的工作日历调整时限", Every: time.Minute,
		Failure: "工作日历发布后，部分在办工单的时限尚未调整；请查看失败原因，恢复后会接着调整。",
		Run: func(ctx context.Context) error {
			n, err := s.MoveDeadlines(ctx, access.SystemActor("job:ticket.move_deadlines"))
			if n > 0 {
				jobs.Note(ctx, "调整 %d 件工单的时限", n)
			}
			return err
		},
	}, s.archiving(), s.expiring(), s.placing(), {
		Name: "ticket.forget_tries", Title: "清理诉求自助查询的错误次数", Every: time.Hour,
		Run: s.ForgetTries,
	}}
}

// RingClocks warns of every clock whose time is nearly used up, announces every one whose time is over, and climbs the ladder
// after a breach; each exactly once, whatever the number of processes. It returns how many clocks it handled. Only the
// system may.
func (s *Service) RingClocks(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	return pages(ctx, func() (int, error) { return s.ringPage(ctx, actor) })
}

// pages works page after page until one is not full. A page in which somebody else was faster is tried again.
func pages(ctx context.Context, page func() (int, error)) (int, error) {
	total, lost := 0, 0
	for ctx.Err() == nil {
		n, err := page()
		if errors.Is(err, fault.ErrChanged) && lost < 5 {
			lost++
			continue
		}
		if err != nil {
			return total, err
		}
		lost = 0
		if total += n; n < duePage {
			break
		}
	}
	return total, ctx.Err()
}

// DueClocks are the first limit clocks that have something to say by now, the longest waiting first. On PostgreSQL they are
// held until the end of the transaction, without those that another process has.
func DueClocks(ctx context.Context, tx bun.IDB, now time.Time, limit int) ([]Clock, error) {
	query := "SELECT " + clockColumns + " FROM ticket_clocks AS c WHERE c.next_at <= ? ORDER BY c.next_at LIMIT ?"
	if database.KindOf(tx) == database.Postgres {
		query += " FOR UPDATE SKIP LOCKED"
	}
	var rows []Clock
	err := database.QueryAll(ctx, tx, &rows, query, now, limit)
	return rows, err
}

func (s *Service) ringPage(ctx context.Context, actor access.Actor) (n int, err error) {
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = 0
		rows, err := DueClocks(ctx, tx, now, duePage)
		if err != nil || len(rows) == 0 {
			return err
		}
		r, err := s.clockRules(ctx, tx)
		if err != nil {
			return err
		}
		tickets, err := ticketsOf(ctx, tx, rows)
		if err != nil {
			return err
		}
		for i := range rows {
			c := &rows[i]
			t := tickets[c.TicketID]
			if t == nil {
				return fmt.Errorf("clock %d: no ticket %d", c.ID, c.TicketID)
			}
			facts := c.ring(now, t, r)
			if err := saveClock(ctx, tx, c); err != nil {
				return err
			}
			for _, f := range facts {
				if _, err := event.Append(ctx, tx, actor, now, f); err != nil {
					return err
				}
			}
			if a := c.raises(t.Alert); a != t.Alert {
				t.Alert = a
				if _, err := database.Run(ctx, tx, "UPDATE tickets SET alert = ? WHERE id = ?", string(a), t.ID); err != nil {
					return err
				}
			}
		}
		n = len(rows)
		return nil
	})
	return n, err
}

// ring is what a clock has to say now. A clock that nobody looked at until its time was over does not warn any more.
func (c *Clock) ring(now time.Time, t *Ticket, r *rules) []event.Fact {
	var facts []event.Fact
	about := ClockFact{ClockID: c.ID, Kind: c.Kind, HopID: c.HopID, ClockDueAt: c.DueAt.UTC()}
	if c.BreachedAt.IsZero() {
		switch {
		case !now.Before(c.DueAt):
			c.BreachedAt = now
			facts = append(facts, ClockBreached{Head: t.head(), ClockFact: about})
		case c.WarnedAt.IsZero() && !c.WarnAt.IsZero() && !now.Before(c.WarnAt):
			c.WarnedAt = now
			facts = append(facts, ClockWarned{Head: t.head(), ClockFact: about})
		}
	}
	if !c.BreachedAt.IsZero() {
		for at := r.rungAt(c); !at.IsZero() && !at.After(now); at = r.rungAt(c) {
			step := r.ladder[c.Rung]
			c.Rung++
			facts = append(facts, Urged{Head: t.head(), ClockFact: about, Step: step.Step, Name: step.Name, Leaders: step.Leaders})
		}
	}
	c.plan(now, r)
	return facts
}

// raises is the alert of the ticket after the clock rang: it only grows, what takes it back is a fact about the ticket.
func (c *Clock) raises(before Alert) Alert {
	switch {
	case c.Kind == UrgeClock || before == OverDue:
		return before
	case !c.BreachedAt.IsZero():
		return OverDue
	case !c.WarnedAt.IsZero():
		return DueSoon
	}
	return before
}

func ticketsOf(ctx context.Context, tx bun.Tx, clocks []Clock) (map[int64]*Ticket, error) {
	ids := make([]int64, 0, len(clocks))
	for i := range clocks {
		if !slices.Contains(ids, clocks[i].TicketID) {
			ids = append(ids, clocks[i].TicketID)
		}
	}
	var rows []Ticket
	if err := tx.NewSelect().Model(&rows).Where("t.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("tickets of clocks: %w", err)
	}
	found := make(map[int64]*Ticket, len(rows))
	for i := range rows {
		found[rows[i].ID] = &rows[i]
	}
	return found, nil
}

// MoveDeadlines brings the running clocks to the calendar in force, page by page: what one run leaves, another finishes. Each
// ticket whose deadline moved gets one event with the old and the new one. It returns how many tickets it looked at. Only the
// system may.
func (s *Service) MoveDeadlines(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	return pages(ctx, func() (int, error) { return s.movePage(ctx, actor) })
}

const outdatedClocks = "SELECT " + clockColumns + " FROM ticket_clocks AS c WHERE c.stopped_at IS NULL AND c.calendar < ? ORDER BY c.calendar, c.id LIMIT ?"

func (s *Service) movePage(ctx context.Context, actor access.Actor) (n int, err error) {
	r, err := s.clockRules(ctx, s.db.Read())
	if err != nil {
		return 0, err
	}
	var old []Clock
	if err := database.QueryAll(ctx, s.db.Read(), &old, outdatedClocks, r.calendar.Number, duePage); err != nil || len(old) == 0 {
		return 0, err
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = len(old)
		tickets, err := ticketsOf(ctx, tx, old)
		if err != nil {
			return err
		}
		for _, id := range slices.Sorted(maps.Keys(tickets)) { // two processes at one page take its rows in one order
			if err := s.moveTicket(ctx, tx, actor, now, r, tickets[id]); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// moveTicket reckons the clocks of one ticket with the rules. Somebody else may have done so meanwhile: then nothing moves.
func (s *Service) moveTicket(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, r *rules, t *Ticket) error {
	clocks, err := openClocks(ctx, tx, t.ID)
	if err != nil {
		return err
	}
	b := &book{rules: r, clocks: clocks}
	moves, due, err := b.move(t, now)
	if err != nil {
		return err
	}
	if err := b.save(ctx, tx, t, !t.DueAt.Equal(due)); err != nil {
		return err
	}
	if len(moves) == 0 {
		return nil
	}
	_, err = event.Append(ctx, tx, actor, now, DeadlineMoved{Head: t.head(), Calendar: r.calendar.Number, Moves: moves})
	return err
}

// move reckons the clocks of the book again and says which deadlines moved, and what the ticket's was before.
func (b *book) move(t *Ticket, now time.Time) ([]MovedClock, time.Time, error) {
	before, due := map[int64]time.Time{}, t.DueAt
	for _, c := range b.clocks {
		before[c.ID] = c.DueAt
	}
	if err := b.settle(t, nil, now); err != nil {
		return nil, due, err
	}
	var moves []MovedClock
	for _, c := range b.clocks {
		if !c.DueAt.Equal(before[c.ID]) {
			moves = append(moves, MovedClock{ClockID: c.ID, Kind: c.Kind, OldDueAt: before[c.ID].UTC(), NewDueAt: c.DueAt.UTC()})
		}
	}
	return moves, due, nil
}
