package server

import (
	"context"
	"fmt"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/seed/demo"
)

// seedTickets has the district's tickets opened and handled as their stories tell, each step by who took it and when.
// Steps that the desk does not know yet (review, suspension, merging and the like) are left out, and the ticket stands
// where the steps before led it.
func (h *house) seedTickets(ctx context.Context, s *seeded) error {
	for _, t := range s.world.Tickets {
		if err := h.seedTicket(ctx, s, t); err != nil {
			return fmt.Errorf("%s: %w", t.Key, err)
		}
	}
	return nil
}

func (h *house) seedTicket(ctx context.Context, s *seeded, t demo.Ticket) error {
	s.at.Set(t.OpenedAt)
	cmd := ticket.OpenTicket{Type: t.Type, Title: t.Title, Body: t.Body, ContactName: t.Requester.Name, Phone: t.Requester.Phone, Source: ticket.FromH5}
	if t.Channel == "portal" {
		cmd.Source = ticket.FromPortal
	}
	opener, err := s.as(ctx, h, "owner", t.Requester.Owner)
	if err != nil {
		// Nobody of the company has an account: an agent wrote the request down.
		if opener, err = s.as(ctx, h, "staff", t.Agent); err != nil {
			return err
		}
		cmd.EnterpriseID = s.ids["company:"+t.Requester.Company]
		cmd.Urgency = ticket.Urgency(t.Urgency)
		if t.Urgency == "emergency" {
			cmd.Urgency = ticket.Critical
		}
	}
	v, err := h.tickets.Open(ctx, opener, cmd)
	if err != nil {
		return err
	}
	var outcome *ticket.Outcome
	note := ""
	for _, step := range t.Steps {
		s.at.Set(step.At)
		by, err := s.as(ctx, h, "staff", step.By)
		if err != nil {
			return err
		}
		next, err := h.ticketStep(ctx, s, by, v, step, &outcome, &note)
		if err != nil {
			return fmt.Errorf("%s: %w", step.Kind, err)
		}
		if next != nil {
			v = *next
		}
	}
	if v.Status == ticket.Done && opener.Party == access.Enterprise && outcome != nil && outcome.Satisfied {
		_, err = h.tickets.Rate(ctx, opener, ticket.RateTicket{Ref: ticket.Ref{ID: v.ID, Version: v.Version}, Rating: 5, Opinion: "办理及时，谢谢。"})
	}
	return err
}

// ticketStep takes one step of the story; nil means that the desk has no such step or that the ticket does not allow it.
func (h *house) ticketStep(ctx context.Context, s *seeded, by access.Actor, v ticket.View, step demo.Step, outcome **ticket.Outcome, note *string) (*ticket.View, error) {
	ref := ticket.Ref{ID: v.ID, Version: v.Version}
	done := func(v ticket.View, err error) (*ticket.View, error) { return &v, err }
	switch step.Kind {
	case "answer":
		return done(h.tickets.Answer(ctx, by, ticket.AnswerTicket{Ref: ref, Text: step.Text}))
	case "decline":
		return done(h.tickets.Decline(ctx, by, ticket.DeclineTicket{Ref: ref, Reason: step.Text}))
	case "dispatch":
		if v.Status != ticket.Received {
			return nil, nil // a second dispatch follows a returned one, which the desk does not know
		}
		unit, err := s.id("department", step.Department)
		if err != nil {
			return nil, err
		}
		return done(h.tickets.Dispatch(ctx, by, ticket.DispatchTicket{Ref: ref, UnitID: unit, Note: step.Text}))
	case "sign":
		if v.Status != ticket.Sent {
			return nil, nil
		}
		return done(h.tickets.Sign(ctx, by, ticket.SignTicket{Ref: ref}))
	case "reply":
		if v.Status != ticket.Handling {
			return nil, nil
		}
		return done(h.tickets.Reply(ctx, by, ticket.ReplyTicket{Ref: ref, Text: step.Text}))
	case "callback":
		*outcome = &ticket.Outcome{Contacted: step.Outcome == "reached", Solved: step.Solved, Satisfied: step.Rating == 0 || step.Rating >= 4}
		*note = step.Text
		if (*outcome).Contacted || v.Status != ticket.Reported && v.Status != ticket.Calling {
			return nil, nil // told with the closing
		}
		return done(h.tickets.CallBack(ctx, by, ticket.CallBackTicket{Ref: ref, Outcome: **outcome, Note: step.Text}))
	case "close":
		if v.Status != ticket.Reported && v.Status != ticket.Calling && v.Status != ticket.Direct {
			return nil, nil
		}
		cmd := ticket.CloseTicket{Ref: ref, Outcome: *outcome, Note: step.Text}
		if v.Status != ticket.Direct && cmd.Outcome == nil {
			cmd.Outcome = &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}
		}
		if cmd.Note == "" {
			cmd.Note = *note
		}
		return done(h.tickets.Close(ctx, by, cmd))
	case "reopen":
		if v.Status != ticket.Reported && v.Status != ticket.Calling {
			return nil, nil
		}
		return done(h.tickets.Reopen(ctx, by, ticket.ReopenTicket{Ref: ref, Reason: step.Text}))
	case "void":
		return done(h.tickets.Void(ctx, by, ticket.VoidTicket{Ref: ref, Reason: step.Text}))
	}
	return nil, nil
}
