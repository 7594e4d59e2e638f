package ticket

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
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

// Classified is announced when the desk corrects what a ticket is about or how soon harm comes. Type, Urgency and DueAt of the head
// are the new ones; the limits that run count anew from where they began.
type Classified struct {
	Head
	WasType     string  `json:"wasType"`
	WasUrgency  Urgency `json:"wasUrgency"`
	WasTypeName string  `json:"wasTypeName"`
	TypeName    string  `json:"typeName"`
	Reason      string  `json:"reason"` // internal
}

// Event names the fact.
func (f Classified) Event() (string, string, int64) { return "ticket.classified", Object, f.ID }

// told is the step of the timeline in words.
func (f Classified) told() string {
	var parts []string
	if f.WasType != f.Type {
		parts = append(parts, fmt.Sprintf("诉求类型由“%s”更正为“%s”", f.WasTypeName, f.TypeName))
	}
	if f.WasUrgency != f.Urgency {
		parts = append(parts, fmt.Sprintf("紧急程度由“%s”改为“%s”", urgencyNames[f.WasUrgency], urgencyNames[f.Urgency]))
	}
	return strings.Join(parts, "，")
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
		was, err := typeOf(ctx, tx, t.Type)
		if err != nil {
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
		f := Classified{WasType: t.Type, WasUrgency: t.Urgency, WasTypeName: was.Name, TypeName: now.Name, Reason: reason}
		if _, err := database.Run(ctx, tx, "UPDATE tickets SET type_code = ?, urgency = ? WHERE id = ?", cmd.Type, string(cmd.Urgency), t.ID); err != nil {
			return effect{}, err
		}
		t.Type, t.Urgency = cmd.Type, cmd.Urgency
		return effect{fact: func(h Head) event.Fact { f.Head = h; return f }, summary: "更正分类", detail: map[string]any{
			"type": f.WasType, "urgency": f.WasUrgency, "newType": cmd.Type, "newUrgency": cmd.Urgency}}, nil
	})
}
