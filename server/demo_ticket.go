package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/seed/demo"
)

// seedTickets has the district's tickets opened and handled as their stories tell, everything in the order in which it
// happened, each step by who took it and when. Steps that the desk does not take (urging, a review that no type asks for) are
// left out, and the ticket stands where the steps before led it.
func (h *house) seedTickets(ctx context.Context, s *seeded) error {
	type moment struct {
		at   time.Time
		do   func() error
		what string
	}
	var story []moment
	all := map[string]*ticketStory{}
	for _, t := range s.world.Tickets {
		told := &ticketStory{Ticket: t, all: all}
		all[t.Key] = told
		story = append(story, moment{t.OpenedAt, func() error { return h.openTicket(ctx, s, told) }, t.Key})
		last := t.OpenedAt
		for _, step := range t.Steps {
			story = append(story, moment{step.At, func() error { return h.ticketStep(ctx, s, told, step) }, t.Key + " " + step.Kind})
			last = step.At
		}
		if end := last.Add(2 * time.Hour); end.Before(s.now.AddDate(0, 0, -30)) {
			story = append(story, moment{end, func() error { return h.endTicket(ctx, s, told) }, t.Key + " end"})
		}
	}
	slices.SortStableFunc(story, func(a, b moment) int { return a.at.Compare(b.at) })
	for _, m := range story {
		s.at.Set(m.at)
		if err := m.do(); err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
	}
	return nil
}

// ticketStory is a ticket while its story is told.
type ticketStory struct {
	demo.Ticket

	all     map[string]*ticketStory // those of the district, by key
	view    ticket.View
	opener  access.Actor
	outcome *ticket.Outcome
	note    string
}

func (h *house) openTicket(ctx context.Context, s *seeded, t *ticketStory) error {
	cmd := ticket.OpenTicket{Type: t.Type, Title: t.Title, Body: t.Body, ContactName: t.Requester.Name, Phone: t.Requester.Phone, Source: ticket.FromH5, Fields: t.Fields, Area: t.Street}
	if t.Channel == "portal" {
		cmd.Source = ticket.FromPortal
	}
	var err error
	if _, known := s.ids["owner:"+t.Requester.Owner]; known {
		t.opener, err = s.as(ctx, h, "owner", t.Requester.Owner)
	} else {
		// Nobody of the company has an account: an agent wrote the request down.
		t.opener, err = s.as(ctx, h, "staff", t.Agent)
		cmd.EnterpriseID = s.ids["company:"+t.Requester.Company]
		cmd.Urgency = ticket.Urgency(t.Urgency)
		if t.Urgency == "emergency" {
			cmd.Urgency = ticket.Critical
		}
	}
	if err != nil {
		return err
	}
	t.view, err = h.tickets.Open(ctx, t.opener, cmd)
	return err
}

// endTicket closes what was answered at once, and has a satisfied requester with an account rate what was closed.
func (h *house) endTicket(ctx context.Context, s *seeded, t *ticketStory) error {
	var err error
	if t.view.Status == ticket.Direct {
		by, err := s.as(ctx, h, "staff", t.Agent)
		if err != nil {
			return err
		}
		t.view, err = h.tickets.Close(ctx, by, ticket.CloseTicket{Ref: t.ref()})
		if err != nil {
			return err
		}
	}
	if t.view.Status == ticket.Done && t.opener.Party == access.Enterprise && t.outcome != nil && t.outcome.Satisfied {
		_, err = h.tickets.Rate(ctx, t.opener, ticket.RateTicket{Ref: t.ref(), Rating: 5, Opinion: "办理及时，谢谢。"})
	}
	return err
}

func (t *ticketStory) ref() ticket.Ref { return ticket.Ref{ID: t.view.ID, Version: t.view.Version} }

// ticketStep takes one step of the story, unless the desk has no such step or the ticket does not allow it.
func (h *house) ticketStep(ctx context.Context, s *seeded, t *ticketStory, step demo.Step) error {
	by, err := s.as(ctx, h, "staff", step.By)
	if err != nil {
		return err
	}
	ref, at := t.ref(), t.view.Status
	done := func(v ticket.View, err error) error {
		if err == nil {
			t.view = v
		}
		return err
	}
	waits := at == ticket.Reported || at == ticket.Calling
	switch step.Kind {
	case "answer":
		return done(h.tickets.Answer(ctx, by, ticket.AnswerTicket{Ref: ref, Text: step.Text}))
	case "decline":
		return done(h.tickets.Decline(ctx, by, ticket.DeclineTicket{Ref: ref, Code: declineCase(t.Type), Reason: step.Text}))
	case "dispatch":
		if at != ticket.Received {
			return nil // a second dispatch follows a returned one, which the desk does not know
		}
		unit, err := s.id("department", step.Department)
		if err != nil {
			return err
		}
		return done(h.tickets.Dispatch(ctx, by, ticket.DispatchTicket{Ref: ref, UnitID: unit, Note: step.Text}))
	case "sign":
		if at == ticket.Sent {
			return done(h.tickets.Sign(ctx, by, ticket.SignTicket{Ref: ref}))
		}
	case "reply":
		if at == ticket.Handling {
			return done(h.tickets.Reply(ctx, by, ticket.ReplyTicket{Ref: ref, Text: step.Text}))
		}
	case "callback":
		t.outcome = &ticket.Outcome{Contacted: step.Outcome == "reached", Solved: step.Solved, Satisfied: step.Rating == 0 || step.Rating >= 4}
		t.note = step.Text
		if !t.outcome.Contacted && waits { // a call that reached somebody is told with the closing
			return done(h.tickets.CallBack(ctx, by, ticket.CallBackTicket{Ref: ref, Outcome: *t.outcome, Note: step.Text}))
		}
	case "close":
		if at == ticket.Direct {
			return done(h.tickets.Close(ctx, by, ticket.CloseTicket{Ref: ref}))
		}
		if waits {
			cmd := ticket.CloseTicket{Ref: ref, Outcome: t.outcome, Note: step.Text}
			if cmd.Outcome == nil {
				cmd.Outcome = &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}
			}
			if cmd.Note == "" {
				cmd.Note = t.note
			}
			return done(h.tickets.Close(ctx, by, cmd))
		}
	case "reopen":
		if waits {
			return done(h.tickets.Reopen(ctx, by, ticket.ReopenTicket{Ref: ref, Reason: step.Text}))
		}
	case "merge":
		if at != ticket.Received {
			return nil
		}
		return h.mergeTicket(ctx, t, step, by)
	case "void":
		return done(h.tickets.Void(ctx, by, ticket.VoidTicket{Ref: ref, Reason: step.Text}))
	case "suspend":
		if at == ticket.Handling {
			return done(h.tickets.Suspend(ctx, by, ticket.SuspendTicket{Ref: ref, Reason: step.Text}))
		}
	case "archive":
		if at == ticket.Done {
			return done(h.tickets.Archive(ctx, by, ticket.ArchiveTicket{Ref: ref}))
		}
	case "return_request", "return_refuse", "extension_request", "extension_approve":
		return h.ticketRequest(ctx, s, t, step, by)
	}
	return nil
}

// ticketRequest takes a step of a return or of an extension. A unit that asks outside the window or the limits is told so, and
// the story goes on without its request.
func (h *house) ticketRequest(ctx context.Context, s *seeded, t *ticketStory, step demo.Step, by access.Actor) error {
	var v ticket.View
	var err error
	ref := t.ref()
	last := func(kind ticket.RequestKind) int64 {
		for _, r := range slices.Backward(t.view.Requests) {
			if r.Kind == kind && (r.State == ticket.Filed || r.State == ticket.Endorsed) {
				return r.ID
			}
		}
		return 0
	}
	switch step.Kind {
	case "return_request":
		v, err = h.tickets.AskReturn(ctx, by, ticket.AskTicket{Ref: ref, HopID: t.leadHop(), Code: "several", Text: step.Text})
	case "extension_request":
		v, err = h.tickets.AskExtension(ctx, by, ticket.AskTicket{Ref: ref, HopID: t.leadHop(), Code: "joint", Text: step.Text, Days: step.Days})
	case "return_refuse":
		id := last(ticket.AskReturn)
		if id == 0 {
			return nil
		}
		v, err = h.tickets.Decide(ctx, by, ticket.DecideTicket{Ref: ref, RequestID: id, Note: step.Text})
	case "extension_approve":
		id := last(ticket.AskExtension)
		if id == 0 {
			return nil
		}
		if v, err = h.tickets.Endorse(ctx, by, ticket.DecideTicket{Ref: ref, RequestID: id, Grant: true, Note: step.Text}); err != nil {
			return err
		}
		t.view = v
		desk, err := s.as(ctx, h, "staff", "lead01")
		if err != nil {
			return err
		}
		v, err = h.tickets.Decide(ctx, desk, ticket.DecideTicket{Ref: t.ref(), RequestID: id, Grant: true})
		if err == nil {
			t.view = v
		}
		return err
	}
	if errors.Is(err, ticket.ErrRequest) || errors.Is(err, ticket.ErrState) {
		return nil
	}
	if err == nil {
		t.view = v
	}
	return err
}

// leadHop is the hop that carries the ticket.
func (t *ticketStory) leadHop() int64 {
	for _, hop := range slices.Backward(t.view.Hops) {
		if hop.Lead {
			return hop.ID
		}
	}
	return 0
}

// mergeTicket merges the ticket into the one its story names; when that one is answered already, the ticket is voided as a
// repetition of it.
func (h *house) mergeTicket(ctx context.Context, t *ticketStory, step demo.Step, by access.Actor) error {
	lead := t.all[step.Target]
	if lead == nil {
		return fmt.Errorf("no ticket %s to merge into", step.Target)
	}
	v, err := h.tickets.Merge(ctx, by, ticket.MergeTicket{Ref: t.ref(), IntoID: lead.view.ID, Note: step.Text})
	if errors.Is(err, ticket.ErrMerge) {
		v, err = h.tickets.Void(ctx, by, ticket.VoidTicket{Ref: t.ref(), Reason: "与同一事项的工单重复"})
	}
	if err != nil {
		return err
	}
	t.view = v
	lead.view, err = h.tickets.Get(ctx, by, lead.view.ID) // it knows of the merger
	return err
}

// declineCase is the case in which a request of this type is not taken in the demo's stories.
func declineCase(kind string) string {
	switch kind[:2] {
	case "02", "06":
		return "contract"
	case "04", "03":
		return "litigation"
	}
	return "unclear"
}
