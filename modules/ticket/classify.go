package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// ClassifyTicket asks to put a ticket under another type or urgency.
type ClassifyTicket struct {
	Ref
	Type    string
	Urgency Urgency
	Reason  string
}

// Classified is announced when the desk corrects what a ticket is about or how soon harm comes, or takes one into it that is more
// urgent. Type, Urgency and DueAt of the head are the new ones; the limits that run count anew from where they began.
type Classified struct {
	Head
	WasType     string  `json:"wasType"`
	WasUrgency  Urgency `json:"wasUrgency"`
	WasTypeName string  `json:"wasTypeName"`
	TypeName    string  `json:"typeName"`
	Reason      string  `json:"reason"` // internal
	// Moves are the deadlines that moved with it; a clock that stands still is reckoned when it goes on.
	Moves []MovedClock `json:"moves,omitempty"`
	// Units are those that have a part of the work in hand, Holders the people who took it at the desk or in their unit.
	Units   []Given `json:"units,omitempty"`
	Holders []int64 `json:"holders,omitempty"`
}

// Event names the fact.
func (f Classified) Event() (string, string, int64) { return "ticket.classified", Object, f.ID }

var urgencyRank = map[Urgency]int{Normal: 1, Urgent: 2, Critical: 3}

// above reports whether harm comes sooner than with another urgency.
func (u Urgency) above(other Urgency) bool { return urgencyRank[u] > urgencyRank[other] }

// Label is the Chinese word of the urgency.
func (u Urgency) Label() string { return urgencyNames[u] }

// Raised reports whether the ticket is more urgent than before.
func (f Classified) Raised() bool { return f.Urgency.above(f.WasUrgency) }

// Sooner reports whether a deadline was brought forward.
func (f Classified) Sooner() bool {
	return slices.ContainsFunc(f.Moves, func(m MovedClock) bool { return m.NewDueAt.Before(m.OldDueAt) })
}

// Changed says what was changed, in words.
func (f Classified) Changed() string {
	var parts []string
	if f.WasType != f.Type {
		parts = append(parts, fmt.Sprintf("诉求类型由“%s”更正为“%s”", f.WasTypeName, f.TypeName))
	}
	if f.WasUrgency != f.Urgency {
		parts = append(parts, fmt.Sprintf("紧急程度由“%s”改为“%s”", f.WasUrgency.Label(), f.Urgency.Label()))
	}
	return strings.Join(parts, "，")
}

// Deadline says in words what became of the limit that the requester is told of.
func (f Classified) Deadline() string {
	for _, m := range f.Moves {
		if m.Kind.public() {
			return m.text()
		}
	}
	if f.Status == OnHold {
		return "办理时限在恢复办理时按新的分类计算"
	}
	return "办理时限仍为" + clock.Show(f.DueAt)
}

// told is the step of the timeline in words, and what only staff read of it: the reason, and the limits of the units.
func (f Classified) told() (label, text string) {
	lines := []string{f.Reason}
	for _, m := range f.Moves {
		if line := m.text(); !m.Kind.public() && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return f.Changed() + "，" + f.Deadline(), strings.Join(lines, "\n")
}

// filedAt is when a ticket was put under its type: when it was received, or when the desk put it under another.
func filedAt(e event.Event, before time.Time) (time.Time, error) {
	if e.Type != "ticket.classified" {
		return before, nil
	}
	var f Classified
	if err := e.Decode(&f); err != nil || f.WasType == f.Type {
		return before, err
	}
	return e.At, nil
}

// Classify corrects the type and the urgency of a ticket that is not answered yet: requesters choose what seems nearest. The
// deadlines that run are reckoned anew from where they began, with the limits of the new type; pauses and granted days stay, as do
// the fields that were filled in. Errors as Answer, with ticket.dispatch; a fault on "type", "urgency" or "reason" says what is wrong.
func (s *Service) Classify(ctx context.Context, actor access.Actor, cmd ClassifyTicket) (View, error) {
	var errs []error
	reason, err := clean("reason", "更正原因", cmd.Reason, maxNote, true)
	if err != nil {
		errs = append(errs, err)
	}
	if cmd.Type = strings.TrimSpace(cmd.Type); cmd.Type == "" {
		errs = append(errs, fault.InvalidField("type", "TICKET_TYPE", "请选择诉求类型"))
	}
	if !cmd.Urgency.Known() {
		errs = append(errs, fault.InvalidField("urgency", "TICKET_URGENCY", "请选择紧急程度：一般、紧急或特急"))
	}
	if err := fault.Merge(errs...); err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToClassify, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if err := t.stay(ToClassify); err != nil {
			return effect{}, err
		}
		now, err := typeOf(ctx, tx, cmd.Type)
		switch {
		case errors.Is(err, fault.ErrNotFound):
			return effect{}, fault.InvalidField("type", "TICKET_TYPE", "没有这种诉求类型，请重新选择")
		case err != nil:
			return effect{}, err
		case now.Retired && cmd.Type != t.Type:
			return effect{}, fault.InvalidField("type", "TYPE_RETIRED", "该诉求类型已停用，请改为其他类型")
		case cmd.Type == t.Type && cmd.Urgency == t.Urgency:
			return effect{}, fault.InvalidField("type", "TICKET_SAME", "类型和紧急程度都没有变化，请更正后再提交")
		}
		return reclassify(ctx, tx, t, now, cmd.Urgency, reason)
	})
}

// reclassify puts a ticket under a type and an urgency, and notes who works on it, for whoever tells them.
func reclassify(ctx context.Context, tx bun.Tx, t *Ticket, to typeRow, urgency Urgency, reason string) (effect, error) {
	was, err := typeOf(ctx, tx, t.Type)
	if err != nil {
		return effect{}, err
	}
	f := Classified{WasType: t.Type, WasUrgency: t.Urgency, WasTypeName: was.Name, TypeName: to.Name, Reason: reason}
	all, err := hops(ctx, tx, t.ID)
	if err != nil {
		return effect{}, err
	}
	for i := range all {
		if all[i].Open() {
			f.Units = append(f.Units, given(&all[i]))
		}
	}
	holders, err := holdersOf(ctx, tx, t.ID)
	if err != nil {
		return effect{}, err
	}
	for _, h := range holders {
		f.Holders = append(f.Holders, h.UserID)
	}
	if _, err := database.Run(ctx, tx, "UPDATE tickets SET type_code = ?, urgency = ? WHERE id = ?", to.Code, string(urgency), t.ID); err != nil {
		return effect{}, err
	}
	t.Type, t.Urgency = to.Code, urgency
	return effect{fact: func(h Head) event.Fact { f.Head, f.Moves = h, t.moved; return f }, summary: "更正分类", detail: map[string]any{
		"type": f.WasType, "urgency": f.WasUrgency, "newType": to.Code, "newUrgency": urgency}}, nil
}

// raise makes a handling order as urgent as what is merged into it: whoever works on the order works on both.
func (s *Service) raise(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, lead, t *Ticket) error {
	if !t.Urgency.above(lead.Urgency) {
		return nil
	}
	kind, err := typeOf(ctx, tx, lead.Type)
	if err != nil {
		return err
	}
	e, err := reclassify(ctx, tx, lead, kind, t.Urgency, "并入的工单更为紧急")
	if err != nil {
		return err
	}
	_, err = s.book(ctx, tx, actor, now, ToClassify, lead, lead.Version, lead.Reply, e)
	return err
}
