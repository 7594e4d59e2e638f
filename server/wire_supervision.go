package server

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/cti"
	"github.com/huiqi/huiqi/modules/directory"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/seat"
	"github.com/huiqi/huiqi/modules/supervision"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// joinSupervision makes what watches over the desk, and has it hear of each ticket that is received.
func (h *house) joinSupervision() {
	h.supervision = supervision.New(supervision.Deps{
		DB: h.db, Clock: h.clock, Tickets: supervisedTickets{h.tickets}, Telephone: supervisedCalls{h.telephone}, Seats: supervisedSeats{h.seats},
		Names: surgeNames{h}, Messages: toSupervisors{h},
	})
	h.tasks = append(h.tasks, h.supervision.Tasks()...)
	h.listeners = append(h.listeners, event.Listener{Name: "supervision.received", Handle: func(ctx context.Context, tx bun.Tx, e event.Event) error {
		if e.Type == "ticket.confided" {
			var f ticket.Confided
			if err := e.Decode(&f); err != nil {
				return err
			}
			return h.supervision.Hush(ctx, tx, f.ID, f.Level > 0)
		}
		if e.Type != "ticket.opened" {
			return nil
		}
		r, err := h.received(ctx, tx, e)
		if err != nil {
			return err
		}
		return h.supervision.Note(ctx, tx, r)
	}})
}

// received reads the opening of a ticket as the supervision hears of it.
func (h *house) received(ctx context.Context, tx bun.Tx, e event.Event) (supervision.Received, error) {
	var f ticket.Opened
	if err := e.Decode(&f); err != nil {
		return supervision.Received{}, err
	}
	words := f.Title
	if f.Area != "" { // the ticket knows; its title need not say so
		words = areaName(h.directory.Areas(), f.Area)
	}
	secret, err := h.tickets.Secret(ctx, tx, []int64{f.ID})
	return supervision.Received{Ticket: f.ID, Matter: f.Type, Words: words, At: e.At, Secret: secret[f.ID]}, err
}

// supervisedTickets tells how tickets stand.
type supervisedTickets struct{ *ticket.Service }

var _ supervision.Tickets = supervisedTickets{}

// Standing counts what the actor sees.
func (t supervisedTickets) Standing(ctx context.Context, actor access.Actor) (supervision.Standing, error) {
	b, err := t.Board(ctx, actor)
	out := supervision.Standing{Waiting: []supervision.Waiting{}, Oldest: b.Oldest, Alerts: []supervision.UnitAlerts{}}
	for _, w := range b.Waiting {
		out.Waiting = append(out.Waiting, supervision.Waiting{Status: string(w.Status), Label: w.Label, Count: w.Count})
	}
	for _, a := range b.Alerts {
		out.Alerts = append(out.Alerts, supervision.UnitAlerts(a))
	}
	return out, err
}

// Hidden lists what the wallboard must not count for the actor.
func (t supervisedTickets) Hidden(ctx context.Context, actor access.Actor, from, to time.Time) ([]supervision.Fact, error) {
	list, err := t.Service.Hidden(ctx, actor, from, to, "ticket.opened", "ticket.answered", "ticket.replied", "ticket.closed")
	out := make([]supervision.Fact, 0, len(list))
	for _, f := range list {
		out = append(out, supervision.Fact(f))
	}
	return out, err
}

// List shows those of the tickets that the actor sees.
func (t supervisedTickets) List(ctx context.Context, actor access.Actor, ids []int64) ([]supervision.TicketView, error) {
	items, err := t.Items(ctx, actor, ids)
	out := make([]supervision.TicketView, 0, len(items))
	for _, i := range items {
		out = append(out, supervision.TicketView{ID: i.ID, Number: i.Number, Title: i.Title, Status: i.Status.Label(), At: i.CreatedAt})
	}
	return out, err
}

// supervisedCalls tells of calls.
type supervisedCalls struct{ *cti.Service }

var _ supervision.Telephone = supervisedCalls{}

// Figures are those of the calls that rang in [from, to).
func (c supervisedCalls) Figures(ctx context.Context, db bun.IDB, from, to, now time.Time) (supervision.Calls, error) {
	f, err := c.Service.Figures(ctx, db, from, to, now)
	out := supervision.Calls{Calls: f.Calls, Answered: f.Answered, Missed: f.Missed, Waiting: f.Waiting, LongestWait: f.LongestWait, ConnectRate: f.ConnectRate, InTimeRate: f.InTimeRate,
		Queues: []supervision.Queue{}}
	for _, q := range f.Queues {
		out.Queues = append(out.Queues, supervision.Queue(q))
	}
	return out, err
}

// supervisedSeats tells what seats do.
type supervisedSeats struct{ *seat.Service }

var _ supervision.Seats = supervisedSeats{}

// Counts lists every state in which a seat can be on.
func (s supervisedSeats) Counts(ctx context.Context, db bun.IDB, now time.Time) ([]supervision.Seat, error) {
	n, err := s.Service.Counts(ctx, db, now)
	var out []supervision.Seat
	for _, st := range seat.States() {
		if st != seat.Off {
			out = append(out, supervision.Seat{State: string(st), Label: st.Label(), Count: n[st]})
		}
	}
	return out, err
}

func areaName(list []directory.Named, code string) string {
	for _, a := range list {
		if a.Code == code {
			return a.Name
		}
	}
	return ""
}

// surgeNames names what surges are about.
type surgeNames struct{ *house }

var _ supervision.Names = surgeNames{}

// Matter names a type of ticket.
func (n surgeNames) Matter(ctx context.Context, code string) (string, error) {
	types, err := n.tickets.Types(ctx, access.SystemActor("supervision"))
	for _, t := range types {
		if t.Code == code {
			return t.Name, err
		}
	}
	return code, err
}

// Area finds the street or town a text speaks of.
func (n surgeNames) Area(text string) (code, name string) { return n.directory.Area(text) }

// toSupervisors writes to everybody who watches over the desk.
type toSupervisors struct{ *house }

var _ supervision.Messages = toSupervisors{}

// Tell writes one message to each; a repeat of the key writes none.
func (m toSupervisors) Tell(ctx context.Context, tx bun.Tx, key, template, link string, params map[string]string) error {
	to, err := m.identity.UsersWith(ctx, tx, supervision.PermManage)
	if err != nil {
		return err
	}
	for _, user := range to {
		err := m.messages.Notify(ctx, tx, message.Notice{Key: key, UserID: user, Template: template, Params: params, Link: link, At: m.clock.Now()})
		if err != nil && !errors.Is(err, message.ErrTemplate) {
			return err
		}
	}
	return nil
}
