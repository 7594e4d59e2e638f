package ticket

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// AnswerTicket asks to answer a request at the desk.
type AnswerTicket struct {
	Ref
	Text    string
	FileIDs []int64
}

// Answer answers a received request at the desk. It returns ErrNotFound when the actor cannot see the ticket, ErrForbidden
// without ticket.answer, and a conflict that says what changed when the version is stale or the state does not allow it.
func (s *Service) Answer(ctx context.Context, actor access.Actor, cmd AnswerTicket) (View, error) {
	text, err := clean("text", "答复内容", cmd.Text, maxBody, true)
	if err != nil {
		return View{}, err
	}
	return s.onOrder(ctx, actor, ToAnswer, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if err := t.Answer(text); err != nil {
			return effect{}, err
		}
		return answered(text, cmd.FileIDs), s.follow(ctx, tx, actor, s.clock.Now(), t)
	})
}

// DispatchTicket asks to hand a ticket to a unit.
type DispatchTicket struct {
	Ref
	UnitID    int64
	CoUnitIDs []int64 // co-handlers: each signs and answers for itself, the lead unit answers for the whole
	Note      string
}

// Dispatch hands a received ticket to a unit, with co-handlers when they are named. A ticket that was given back keeps its
// deadline. Errors as Answer, with ticket.dispatch.
func (s *Service) Dispatch(ctx context.Context, actor access.Actor, cmd DispatchTicket) (View, error) {
	note, err := clean("note", "派单说明", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToDispatch, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		return s.dispatch(ctx, tx, actor, s.clock.Now(), t, cmd, note)
	})
}

// dispatch is the step: the lead hop and those of the co-handlers.
func (s *Service) dispatch(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, cmd DispatchTicket, note string) (effect, error) {
	unit, err := s.unit(ctx, tx, "unitId", cmd.UnitID)
	if err != nil {
		return effect{}, err
	}
	hop, err := t.Dispatch(now, from(actor), unit, note)
	if err != nil {
		return effect{}, err
	}
	hop.sent(actor)
	if _, err := tx.NewInsert().Model(&hop).Exec(ctx); err != nil {
		return effect{}, err
	}
	if len(cmd.CoUnitIDs) == 0 {
		return dispatched(unit, hop, note, nil), nil
	}
	if slices.Contains(cmd.CoUnitIDs, cmd.UnitID) {
		return effect{}, fault.InvalidField("coUnitIds", "UNIT_TWICE", unit.Name+"已是主办单位，请从协办单位中去掉")
	}
	var parts []Part
	for _, id := range cmd.CoUnitIDs {
		parts = append(parts, Part{id, note})
	}
	to, err := s.deal(ctx, tx, actor, t, nil, parts, func(int) Role { return RoleCo })
	return dispatched(unit, hop, note, to), err
}

// sent keeps who dispatched.
func (h *Hop) sent(a access.Actor) { h.SentBy, h.SentByName = a.UserID, a.Name }

// from is the unit a dispatch comes from: the actor's own, or the desk.
func from(a access.Actor) UnitInfo {
	if a.DepartmentID != 0 {
		return UnitInfo{ID: a.DepartmentID, Name: a.DepartmentName}
	}
	return UnitInfo{Name: "受理席"}
}

// SignTicket asks to take a ticket on for the unit.
type SignTicket struct{ Ref }

// Sign takes a dispatched ticket on for the actor's unit. Errors as Answer, with ticket.sign.
func (s *Service) Sign(ctx context.Context, actor access.Actor, cmd SignTicket) (View, error) {
	return s.change(ctx, actor, ToSign, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		e := signed()
		if !t.Allows(ToSign) {
			return e, t.Sign(s.clock.Now(), &Hop{})
		}
		hop, err := leadHop(ctx, tx, t.ID)
		if err != nil {
			return e, err
		}
		if err := t.Sign(s.clock.Now(), hop); err != nil {
			return e, err
		}
		return e, saveHop(ctx, tx, hop)
	})
}

// ReplyTicket asks to tell what the unit did.
type ReplyTicket struct {
	Ref
	Text    string
	FileIDs []int64
	// Evidence is what the type of the request asks for.
	Evidence []GivenEvidence `json:",omitempty"`
}

// Reply tells what the unit did about a signed ticket. Errors as Answer, with ticket.reply; files must be the actor's own. A
// reply without the evidence its type requires is refused with all that is missing.
func (s *Service) Reply(ctx context.Context, actor access.Actor, cmd ReplyTicket) (View, error) {
	text, err := clean("text", "办理结果", cmd.Text, maxBody, true)
	if err != nil {
		return View{}, err
	}
	return s.onOrder(ctx, actor, ToReply, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		e := replied(text, cmd.FileIDs)
		if !t.Allows(ToReply) {
			return e, t.Report(s.clock.Now(), &Hop{}, text)
		}
		rows, err := hops(ctx, tx, t.ID)
		if err != nil {
			return e, err
		}
		all := tree(rows)
		hop := all.lead()
		if hop == nil {
			return e, fmt.Errorf("ticket %d is handled by nobody", t.ID)
		}
		if err := all.clear(hop); err != nil {
			return e, err
		}
		if err := t.Report(s.clock.Now(), hop, text); err != nil {
			return e, err
		}
		items, err := evidenceItems(ctx, tx, t.Type)
		if err != nil {
			return e, err
		}
		below, err := shownBelow(ctx, tx, all.under(hop))
		if err != nil {
			return e, err
		}
		shown, err := checkEvidence(items, cmd.Evidence, below)
		if err != nil {
			return e, err
		}
		files := slices.Clone(cmd.FileIDs)
		for _, g := range cmd.Evidence {
			files = append(files, g.FileIDs...)
		}
		e.files = files
		e.fact = func(h Head) event.Fact { return Replied{Head: h, Text: text, FileIDs: files, Evidence: shown} }
		e.then = func() error { return s.keepEvidence(ctx, tx, t, 0, t.UnitName, items, cmd.Evidence) }
		if t.ReviewDue, err = reviewOf(ctx, tx, t.Type); err != nil {
			return e, err
		}
		if err := dropRequests(ctx, tx, t.ID, 0); err != nil {
			return e, err
		}
		if err := saveHop(ctx, tx, hop); err != nil {
			return e, err
		}
		return e, s.follow(ctx, tx, actor, s.clock.Now(), t)
	})
}

// VoidTicket asks to take a ticket out of the books.
type VoidTicket struct {
	Ref
	Reason string
}

// Void takes a ticket that nobody works on out of the books. Errors as Answer, with ticket.void.
func (s *Service) Void(ctx context.Context, actor access.Actor, cmd VoidTicket) (View, error) {
	reason, err := clean("reason", "作废原因", cmd.Reason, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToVoid, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		e := voided(reason)
		if err := t.Void(s.clock.Now()); err != nil {
			return e, err
		}
		if err := s.whole(ctx, tx, t, "作废"); err != nil {
			return e, err
		}
		if err := dropRequests(ctx, tx, t.ID, 0); err != nil {
			return e, err
		}
		_, err := tx.NewUpdate().Model((*Hop)(nil)).Set("state = ?", HopEnded).
			Where("ticket_id = ? AND state IN (?, ?)", t.ID, HopSent, HopSigned).Exec(ctx)
		return e, err
	})
}
