package server

import (
	"context"

	"github.com/huiqi/huiqi/modules/canned"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
)

// joinCanned makes the phrases that people write again and again.
func (h *house) joinCanned() {
	h.canned = canned.New(canned.Deps{DB: h.db, Clock: h.clock, Tickets: cannedTickets{h.tickets}})
}

// cannedTickets tells of a ticket what a phrase may name, as far as the asker sees it.
type cannedTickets struct{ *ticket.Service }

var _ canned.Tickets = cannedTickets{}

// Told returns what the ticket says of itself.
func (t cannedTickets) Told(ctx context.Context, actor access.Actor, id int64) (canned.Ticket, error) {
	v, err := t.Get(ctx, actor, id)
	return canned.Ticket{Contact: v.RequesterName, Number: v.Number, Unit: v.UnitName}, err
}
