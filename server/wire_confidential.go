package server

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/event"
)

// ticketColleagues tells who may be named to handle a confidential ticket.
type ticketColleagues struct{ *identity.Service }

var _ ticket.Colleagues = ticketColleagues{}

// Handlers lists the people of a unit and of those below it who may read tickets; of unit 0 those of the desk.
func (c ticketColleagues) Handlers(ctx context.Context, db bun.IDB, unit int64) ([]ticket.Colleague, error) {
	list, err := c.PeopleOf(ctx, db, unit, ticket.PermView)
	out := make([]ticket.Colleague, 0, len(list))
	for _, p := range list {
		out = append(out, ticket.Colleague{ID: p.ID, Name: p.Name, Unit: p.Unit})
	}
	return out, err
}

// withoutSecrets has a listener that carries facts out of the house hear nothing of confidential tickets.
func (h *house) withoutSecrets(l event.Listener) event.Listener {
	hear := l.Batch
	l.Batch = func(ctx context.Context, tx bun.Tx, list []event.Event) error {
		var ids []int64
		for _, e := range list {
			if e.Object == ticket.Object {
				ids = append(ids, e.ObjectID)
			}
		}
		secret, err := h.tickets.Secret(ctx, tx, ids)
		if err != nil {
			return err
		}
		return hear(ctx, tx, slices.DeleteFunc(slices.Clone(list), func(e event.Event) bool { return e.Object == ticket.Object && secret[e.ObjectID] }))
	}
	return l
}

// cleared keeps the messages about a confidential ticket to those who see it.
func (h *house) cleared(ctx context.Context, tx bun.Tx, e event.Event, told []message.Notice) ([]message.Notice, error) {
	if e.Object != ticket.Object || len(told) == 0 {
		return told, nil
	}
	people, confidential, err := h.tickets.Cleared(ctx, tx, e.ObjectID)
	if err != nil || !confidential {
		return told, err
	}
	all, err := h.identity.UsersWith(ctx, tx, ticket.PermConfidential)
	if err != nil {
		return nil, err
	}
	people = append(people, all...)
	return slices.DeleteFunc(told, func(n message.Notice) bool { return !slices.Contains(people, n.UserID) }), nil
}
