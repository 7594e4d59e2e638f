package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// Rules are the numbers the desk works by. They are the installation's to set; the zero Rules stands for DefaultRules.
type Rules struct {
	// Extensions and ExtensionDays bound what is granted to one hop: how often, and how many working days in all.
	Extensions, ExtensionDays int
	// OwnUndo is how long the author of a step may undo it; LeaderUndo how long their leader may, before the supervisor must.
	OwnUndo, LeaderUndo time.Duration
	// ArchiveAfter is how many days after closing a ticket is archived.
	ArchiveAfter int
}

// DefaultRules follow the practice of municipal desks. The numbers are settings, none is a rule of law.
func DefaultRules() Rules {
	return Rules{Extensions: 2, ExtensionDays: 10, OwnUndo: 15 * time.Minute, LeaderUndo: 24 * time.Hour, ArchiveAfter: 180}
}

// extended returns the deadline that a signed hop would have with so many working days more.
func (s *Service) extended(ctx context.Context, tx bun.Tx, h *Hop, days int) (time.Time, error) {
	r, err := s.clockRules(ctx, tx)
	if err != nil {
		return h.DueAt, err
	}
	clocks, err := openClocks(ctx, tx, h.TicketID)
	if err != nil {
		return h.DueAt, err
	}
	for _, c := range clocks {
		if ofHop(h, HandleClock)(c) {
			c.ExtraDays += days
			err := c.reckon(r.calendar)
			return c.DueAt, err
		}
	}
	return h.DueAt, h.refuse("延期")
}
