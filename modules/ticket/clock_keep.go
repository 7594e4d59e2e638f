package ticket

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

const clockColumns = "c.id, c.ticket_id, c.hop_id, c.unit_id, c.kind, c.started_at, c.amount, c.unit, c.warn_percent, c.extra_days, c.follows, c.calendar, " +
	"c.due_at, c.warn_at, c.pauses, c.paused, c.next_at, c.warned_at, c.breached_at, c.rung, c.stopped_at, c.verdict"

// The running clocks of a ticket, on PostgreSQL held until the end of the transaction: the task that warns may have them too.
const (
	runningClocks     = "SELECT " + clockColumns + " FROM ticket_clocks AS c WHERE c.ticket_id = ? AND c.stopped_at IS NULL ORDER BY c.id"
	runningClocksHeld = runningClocks + " FOR UPDATE"
)

// openClocks reads the running clocks of a ticket for a change.
func openClocks(ctx context.Context, tx bun.Tx, ticketID int64) ([]*Clock, error) {
	query := runningClocks
	if database.KindOf(tx) == database.Postgres {
		query = runningClocksHeld
	}
	var rows []Clock
	if err := database.QueryAll(ctx, tx, &rows, query, ticketID); err != nil {
		return nil, fmt.Errorf("clocks of ticket %d: %w", ticketID, err)
	}
	list := make([]*Clock, len(rows))
	for i := range rows {
		list[i] = &rows[i]
		list[i].was = rows[i].DueAt
	}
	return list, nil
}

// allClocks reads the clocks of a ticket, also those that have stopped.
func allClocks(ctx context.Context, db bun.IDB, ticketID int64) ([]Clock, error) {
	var rows []Clock
	err := database.QueryAll(ctx, db, &rows, "SELECT "+clockColumns+" FROM ticket_clocks AS c WHERE c.ticket_id = ? ORDER BY c.id", ticketID)
	return rows, err
}

// keepClocks folds a fact about a ticket into its clocks, in the transaction of the fact. It sets t.DueAt and the deadline of
// the hop to those of their clocks, in the rows too. Facts that say nothing of time cost nothing.
func (s *Service) keepClocks(ctx context.Context, tx bun.Tx, _ access.Actor, now time.Time, t *Ticket, fact event.Fact) error {
	fact = plain(fact)
	clocks, ofHop := needs(fact)
	if !clocks {
		return nil
	}
	r, err := s.clockRules(ctx, tx)
	if err != nil {
		return err
	}
	return s.foldClocks(ctx, tx, r, now, t, fact, ofHop)
}

// foldClocks is keepClocks for who knows the rules already.
func (s *Service) foldClocks(ctx context.Context, tx bun.Tx, r *rules, now time.Time, t *Ticket, fact event.Fact, ofHop bool) (err error) {
	b := &book{rules: r}
	var hop *Hop
	if ofHop {
		hop, err = s.hopOf(ctx, tx, t.ID, fact)
		if err != nil && !(t.MergedInto != 0 && fault.KindOf(err) == fault.NotFound) { // what is merged into another has no hop of its own
			return err
		}
	}
	if _, first := fact.(Opened); !first {
		if b.clocks, err = openClocks(ctx, tx, t.ID); err != nil {
			return err
		}
	}
	if endsHops(t, fact) {
		all, err := hops(ctx, tx, t.ID)
		if err != nil {
			return err
		}
		b.stop(now, Ended, func(c *Clock) bool {
			h := tree(all).at(c.HopID)
			return h != nil && (h.State == HopEnded || h.State == HopReturned || h.State == HopMerged)
		})
	}
	due := t.DueAt
	if err := b.fold(t, hop, now, fact); err != nil {
		return err
	}
	t.moved = b.moved()
	return b.save(ctx, tx, t, !t.DueAt.Equal(due))
}

// moved lists the deadlines that the fold moved, of clocks that ran before it.
func (b *book) moved() []MovedClock {
	var list []MovedClock
	for _, c := range b.clocks {
		if c.ID != 0 && c.running() && !c.Paused && !c.DueAt.Equal(c.was) {
			list = append(list, MovedClock{ClockID: c.ID, Kind: c.Kind, OldDueAt: c.was.UTC(), NewDueAt: c.DueAt.UTC()})
		}
	}
	return list
}

// endsHops reports whether clocks of units end with the fact, neither in time nor late: with a hop end those below it, and what
// the units of a merged ticket did not finish ends with the answer of its order. The public clock goes on.
func endsHops(t *Ticket, fact event.Fact) bool {
	switch fact.(type) {
	case Recalled, ReturnDecided, Lapsed:
		return true
	case Answered, Replied:
		return t.MergedInto != 0
	}
	return false
}

// hopOf is the dispatch a fact is about: the one it names, otherwise the one that carries the ticket.
func (s *Service) hopOf(ctx context.Context, tx bun.Tx, ticketID int64, fact event.Fact) (*Hop, error) {
	f, named := fact.(ExtensionDecided)
	if !named || f.HopID == 0 {
		return leadHop(ctx, tx, ticketID)
	}
	h := new(Hop)
	err := tx.NewSelect().Model(h).Where("h.id = ? AND h.ticket_id = ?", f.HopID, ticketID).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("hop %d of ticket %d: %w", f.HopID, ticketID, database.Found(err))
	}
	return h, nil
}

// save writes the clocks of the book, and what their change makes of the rows of the ticket and its hops.
func (b *book) save(ctx context.Context, tx bun.Tx, t *Ticket, moved bool) error {
	for _, c := range b.clocks {
		if carries := c.Kind == SignClock || c.Kind == HandleClock; carries && c.running() && !c.DueAt.Equal(c.was) {
			if _, err := database.Run(ctx, tx, "UPDATE ticket_hops SET due_at = ? WHERE id = ?", c.DueAt, c.HopID); err != nil {
				return fmt.Errorf("deadline of hop %d: %w", c.HopID, err)
			}
		}
		if c.ID == 0 {
			if err := database.Insert(ctx, tx, c); err != nil {
				return fmt.Errorf("start clock %s of ticket %d: %w", c.Kind, t.ID, err)
			}
			continue
		}
		if err := saveClock(ctx, tx, c); err != nil {
			return err
		}
	}
	if a := alert(b.clocks); a != t.Alert || moved {
		t.Alert = a
		if _, err := database.Run(ctx, tx, "UPDATE tickets SET alert = ?, due_at = ? WHERE id = ?", string(a), t.DueAt, t.ID); err != nil {
			return fmt.Errorf("deadline of ticket %d: %w", t.ID, err)
		}
	}
	return nil
}

// saveClock writes what may change of a clock that has not stopped.
func saveClock(ctx context.Context, tx bun.Tx, c *Clock) error {
	err := database.Changed(tx.NewUpdate().Model(c).
		Column("amount", "unit", "warn_percent", "extra_days", "follows", "calendar", "due_at", "warn_at", "pauses", "paused", "next_at", "warned_at", "breached_at", "rung", "stopped_at", "verdict").
		Where("c.id = ? AND c.stopped_at IS NULL", c.ID).Exec(ctx))
	if err != nil {
		return fmt.Errorf("clock %d: %w", c.ID, err)
	}
	return nil
}
