package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
)

// UnitSpan is a clock of a unit that has stopped.
type UnitSpan struct {
	Kind    ClockKind // sign or handle
	UnitID  int64
	Started time.Time
	Late    bool
}

// UnitSpans lists the stopped sign and handle clocks of a ticket, for the statistics: nobody's rights are asked.
func (s *Service) UnitSpans(ctx context.Context, db bun.IDB, ticketID int64) ([]UnitSpan, error) {
	rows, err := allClocks(ctx, db, ticketID)
	var out []UnitSpan
	for i := range rows {
		if span, ok := rows[i].span(); ok {
			out = append(out, span)
		}
	}
	return out, err
}

// span is the clock as the statistics read it; false for one that still runs or is not a unit's.
func (c *Clock) span() (UnitSpan, bool) {
	of := (c.Kind == SignClock || c.Kind == HandleClock) && (c.Verdict == InTime || c.Verdict == Late)
	return UnitSpan{c.Kind, c.UnitID, c.StartedAt, c.Verdict == Late}, of
}

// Titles tells the titles of those of the tickets, at most 200, that the actor may see.
func (s *Service) Titles(ctx context.Context, actor access.Actor, ids []int64) (map[int64]string, error) {
	out := map[int64]string{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []Ticket
	err := narrow(s.db.Read().NewSelect().Model(&rows).Column("id", "title").Where("t.id IN (?)", bun.List(ids[:min(len(ids), 200)])), visible(actor)).Scan(ctx)
	for _, t := range rows {
		out[t.ID] = t.Title
	}
	return out, database.Found(err)
}
