package operations

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// calm is how long a check must be normal until its incident is over: one that comes and goes is one incident.
const calm = time.Minute

// Inspect measures every check, stores how it stands, and opens, repeats and closes incidents. Any process may at any
// time; what is told is told once.
func (s *Service) Inspect(ctx context.Context) error {
	found := s.measureAll(ctx)
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		rows, err := s.lockStates(ctx, tx, now)
		if err != nil {
			return fmt.Errorf("read the states of the checks: %w", err)
		}
		var open []incidentRow
		if err := tx.NewSelect().Model(&open).Where("i.closed_at IS NULL").OrderExpr("i.id").Scan(ctx); err != nil {
			return fmt.Errorf("read the open incidents: %w", err)
		}
		byCheck := map[string]*incidentRow{}
		for i := range open {
			byCheck[open[i].Code] = &open[i]
		}
		for _, m := range found {
			row := rows[m.check.Code]
			row.take(m, now)
			_, err := tx.NewUpdate().Model(&row).Column("state", "value", "text", "since", "checked_at", "hold_until").WherePK().Exec(ctx)
			if err != nil {
				return fmt.Errorf("store check %s: %w", row.Code, err)
			}
			if err := s.follow(ctx, tx, m.check, row, byCheck[row.Code], now); err != nil {
				return fmt.Errorf("incident of check %s: %w", row.Code, err)
			}
			delete(byCheck, row.Code)
		}
		for _, i := range byCheck { // of a check that this program no longer has
			if err := i.close(ctx, tx, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// take puts what was measured into the row.
func (r *stateRow) take(m measured, now time.Time) {
	warn, bad := limitsOf(m.check, *r)
	state := m.state(warn, bad)
	r.CheckedAt = now
	// A moment is kept on the page for its time; a clock that was set back must not keep it longer.
	if r.HoldUntil != nil && now.Before(*r.HoldUntil) && r.HoldUntil.Sub(now) <= jumpHold && state.rank() < r.State.rank() {
		return
	}
	if r.HoldUntil = nil; m.reading.Hold > 0 && state != Normal {
		until := now.Add(m.reading.Hold)
		r.HoldUntil = &until
	}
	if state != r.State {
		r.Since = now
	}
	r.State, r.Value, r.Text = state, m.reading.Value, m.reading.Text
}

// limitsOf are the limits a person set, or else the program's.
func limitsOf(c Check, r stateRow) (warn, bad int64) {
	if r.Warn != nil && r.Bad != nil {
		return *r.Warn, *r.Bad
	}
	return c.Warn, c.Bad
}

// follow opens, repeats or closes the incident of a check, and tells the people on duty.
func (s *Service) follow(ctx context.Context, tx bun.Tx, c Check, row stateRow, open *incidentRow, now time.Time) error {
	tell := func(i *incidentRow, why Occasion) error {
		n := Notice{Occasion: why, Key: fmt.Sprintf("incident:%d:%d", i.ID, i.Alarms), Title: c.Title, Text: strings.TrimRight(i.Text, "。"), Advice: c.Advice,
			Lasted: Spell(now.Sub(i.OpenedAt)), Link: "/system/health"}
		if why == Recovered {
			n.Key = fmt.Sprintf("incident:%d:over", i.ID)
		}
		return s.Duty.Tell(ctx, tx, n)
	}
	switch {
	case open == nil && row.State == Bad:
		i := incidentRow{Code: c.Code, Title: c.Title, Text: row.Text, OpenedAt: now, Alarms: 1, AlarmedAt: now}
		if _, err := tx.NewInsert().Model(&i).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
			return err
		}
		s.Log.Warn("a health check is bad", "check", c.Code, "found", row.Text)
		return tell(&i, Alarmed)
	case open == nil:
		return nil
	case row.State == Normal && open.CalmAt != nil && !open.CalmAt.After(now) && now.Sub(*open.CalmAt) >= calm:
		if err := open.close(ctx, tx, now); err != nil {
			return err
		}
		return tell(open, Recovered)
	case row.State == Normal:
		if open.CalmAt != nil && !open.CalmAt.After(now) {
			return nil
		}
		open.CalmAt = &now
		return open.save(ctx, tx)
	}
	open.CalmAt = nil
	if row.State == Bad {
		open.Text = row.Text
		if open.KnownAt == nil && now.Sub(open.AlarmedAt).Abs() >= s.Options.RepeatAfter {
			open.Alarms, open.AlarmedAt = open.Alarms+1, now
			if err := tell(open, Repeated); err != nil {
				return err
			}
		}
	}
	return open.save(ctx, tx)
}

func (i *incidentRow) save(ctx context.Context, tx bun.Tx) error {
	_, err := tx.NewUpdate().Model(i).Column("text", "calm_at", "alarms", "alarmed_at").WherePK().Exec(ctx)
	return err
}

func (i *incidentRow) close(ctx context.Context, tx bun.Tx, now time.Time) error {
	_, err := tx.NewUpdate().Model(i).Set("closed_at = ?", now).WherePK().Where("closed_at IS NULL").Exec(ctx)
	return err
}
