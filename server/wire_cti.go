package server

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/cti"
	"github.com/huiqi/huiqi/modules/seat"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// joinTelephone makes the seam to the telephone platform. Tickets that agents open belong to the call they are on.
func (h *house) joinTelephone(c Config) error {
	var err error
	h.telephone, err = cti.New(cti.Deps{DB: h.db, Clock: h.clock, Box: h.box, Seats: ctiSeats{h.seats}, Callers: ctiCallers{h.tickets}, Tickets: h.tickets, Surveys: surveys{h.tickets},
		Secret: c.CTI.Secret, Hosts: c.CTI.RecordingHosts})
	if err != nil {
		return configErrorf("%v", err)
	}
	h.listeners = append(h.listeners, event.Listener{Name: "cti.tickets", Handle: func(ctx context.Context, tx bun.Tx, e event.Event) error {
		if e.Type != "ticket.opened" {
			return nil
		}
		return h.telephone.Attach(ctx, tx, e.ActorID, e.ObjectID, e.At)
	}})
	return nil
}

// ctiSeats moves seats with the telephone.
type ctiSeats struct{ *seat.Service }

var _ cti.Seats = ctiSeats{}

// Talk has a seat that is signed in be on a call, whatever it did.
func (s ctiSeats) Talk(ctx context.Context, tx bun.Tx, user int64) error {
	_, err := s.Set(ctx, tx, user, []seat.State{seat.Free, seat.After, seat.Break, seat.Away}, seat.Talking)
	return err
}

// Hung has a seat that was on a call finish it.
func (s ctiSeats) Hung(ctx context.Context, tx bun.Tx, user int64) error {
	_, err := s.Set(ctx, tx, user, []seat.State{seat.Talking}, seat.After)
	return err
}

// Name is that of somebody who may sit at the desk.
func (s ctiSeats) Name(ctx context.Context, tx bun.Tx, user int64) (string, error) {
	p, err := s.Person(ctx, tx, user)
	return p.Name, err
}

// surveys takes the keys pressed in a voice call-back into the ticket: 1 on the telephone is the best.
type surveys struct{ *ticket.Service }

var _ cti.Surveys = surveys{}

// RecordCallback keeps one result.
func (s surveys) RecordCallback(ctx context.Context, tx bun.Tx, r cti.Result) error {
	return s.VoiceCallback(ctx, tx, access.SystemActor("cti"), r.Ticket, 6-r.Key)
}

// ctiCallers tells of a number what its tickets say, as far as the asker sees them.
type ctiCallers struct{ *ticket.Service }

var _ cti.Callers = ctiCallers{}

// callerTickets is how many tickets are shown when a call rings.
const callerTickets = 10

// Caller names the person of the latest ticket, and lists what is open before the rest.
func (c ctiCallers) Caller(ctx context.Context, actor access.Actor, number string) (cti.Caller, error) {
	items, _, err := c.List(ctx, actor, ticket.ListFilter{Fields: ticket.Fields{Phone: number}, Limit: callerTickets})
	if fault.KindOf(err) == fault.Invalid { // an extension or a hidden number: nobody's
		return cti.Caller{}, nil
	}
	if err != nil {
		return cti.Caller{}, err
	}
	var out cti.Caller
	over := []ticket.Status{ticket.Refused, ticket.Done, ticket.Archived, ticket.Void}
	for _, i := range items {
		if out.Name == "" {
			out.Name, out.Company = i.RequesterName, i.EnterpriseName
		}
		out.Tickets = append(out.Tickets, cti.CallerEntry{ID: i.ID, Number: i.Number, Title: i.Title, Status: i.Status.Label(), Open: !slices.Contains(over, i.Status), At: i.CreatedAt})
	}
	slices.SortStableFunc(out.Tickets, func(a, b cti.CallerEntry) int {
		switch {
		case a.Open == b.Open:
			return 0
		case a.Open:
			return -1
		}
		return 1
	})
	return out, nil
}
