package server

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
)

// ticketFact is what a message needs of a fact about a ticket.
type ticketFact struct {
	ticket.Head
	Source ticket.Source  `json:"source"`
	Text   string         `json:"text"`
	Reason string         `json:"reason"`
	Note   string         `json:"note"`
	By     string         `json:"by"`
	Kind   string         `json:"kind"`   // of an undone step, its event
	Action string         `json:"action"` // of a rule of timed closing
	Hop    ticket.Given   `json:"hop"`
	To     []ticket.Given `json:"to"`
	// Granted and Carry: a request was granted, and the ticket's own deadline moved.
	Granted bool `json:"granted"`
	Carry   bool `json:"carry"`
}

// besideTicket tells of what happens beside the straight way: the requester of what they wait for or are asked, a unit of what
// it was given or must do anew, and whoever decides of a request.
func (n notices) besideTicket(ctx context.Context, tx bun.Tx, kind string, f ticketFact, notice message.Notice) ([]message.Notice, error) {
	own := func(template string) []message.Notice {
		if f.UserID == 0 {
			return nil
		}
		notice.Template, notice.UserID = template, f.UserID
		return []message.Notice{notice}
	}
	unit := func(template string, id int64, right access.Permission) ([]message.Notice, error) {
		if id == 0 {
			return nil, nil
		}
		notice.Template = template
		to, err := n.audience.DepartmentUsers(ctx, tx, id, right)
		return each(to, notice), err
	}
	desk := func(template string, right access.Permission) ([]message.Notice, error) {
		notice.Template = template
		to, err := n.audience.UsersWith(ctx, tx, right)
		return each(to, notice), err
	}
	say := func(text string) { notice.Params["text"] = text }
	switch kind {
	case "ticket.heard": // whoever works on it now, and the desk of what nobody does
		if f.Status == ticket.Merged {
			return nil, nil // the handling order heard it too
		}
		if f.UnitID != 0 && (f.Status == ticket.Sent || f.Status == ticket.Handling || f.Status == ticket.OnHold) {
			return unit(kind, f.UnitID, ticket.PermReply)
		}
		return desk(kind, ticket.PermDispatch)
	case "ticket.suspended":
		return own(kind), nil
	case "ticket.resumed":
		if f.By == "requester" {
			return unit("ticket.supplemented", f.UnitID, ticket.PermReply)
		}
	case "ticket.forwarded":
		return n.passedOn(ctx, tx, f, notice)
	case "ticket.merged", "ticket.unmerged": // the unit whose work rests, or goes on
		return unit(kind, f.Hop.UnitID, ticket.PermSign)
	case "ticket.sent_back":
		notice.Params["reason"] = f.Note
		return unit("ticket.sent_back", f.UnitID, ticket.PermReply)
	case "ticket.task_returned":
		notice.Params["reason"] = f.Note
		return unit("ticket.sent_back", f.Hop.UnitID, ticket.PermReply)
	case "ticket.return_asked":
		say("退单")
		return desk("ticket.decide", ticket.PermArbitrate)
	case "ticket.extension_asked":
		say("延期")
		return unit("ticket.decide", f.UnitID, ticket.PermEndorse)
	case "ticket.extension_endorsed":
		say("延期")
		return desk("ticket.decide", ticket.PermArbitrate)
	case "ticket.appeal_asked":
		say("申诉")
		return desk("ticket.decide", ticket.PermArbitrate)
	case "ticket.return_decided":
		say("退单申请" + verdict(f.Granted))
		return unit("ticket.decided", f.Hop.UnitID, ticket.PermRequest)
	case "ticket.appeal_decided":
		say("申诉" + verdict(f.Granted))
		return unit("ticket.decided", f.UnitID, ticket.PermRequest)
	case "ticket.extension_decided":
		say("延期申请" + verdict(f.Granted))
		told, err := unit("ticket.decided", f.Hop.UnitID, ticket.PermRequest)
		if err == nil && f.Carry {
			notice.Params = with(notice.Params, "text", f.DueAt.In(clock.Beijing).Format("1月2日 15:04"))
			told = append(told, own("ticket.extended")...)
		}
		return told, err
	case "ticket.lapsed":
		switch f.Action {
		case "remind":
			return unit(kind, f.UnitID, ticket.PermReply)
		case "recall":
			if told, err := unit(kind, f.Hop.UnitID, ticket.PermSign); err != nil {
				return told, err
			} else if more, err := desk(kind, ticket.PermDispatch); err != nil {
				return nil, err
			} else {
				return append(told, more...), nil
			}
		}
		return desk(kind, ticket.PermArbitrate)
	case "ticket.undone":
		// Only what the requester had been told is told to be taken back.
		if f.Kind == "ticket.answered" || f.Kind == "ticket.replied" || f.Kind == "ticket.declined" || f.Kind == "ticket.closed" || f.Kind == "ticket.voided" {
			return own("ticket.withdrawn"), nil
		}
	}
	return nil, nil
}

func verdict(granted bool) string {
	if granted {
		return "已同意"
	}
	return "未获同意"
}

// with is a copy of the values with one more.
func with(values map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range values {
		if k != key {
			out[k] = v
		}
	}
	return out
}

// passedOn tells each unit that was given a part.
func (n notices) passedOn(ctx context.Context, tx bun.Tx, f ticketFact, notice message.Notice) ([]message.Notice, error) {
	var told []message.Notice
	for _, g := range f.To {
		to, err := n.audience.DepartmentUsers(ctx, tx, g.UnitID, ticket.PermSign)
		if err != nil {
			return nil, err
		}
		notice.Template, notice.Params = "ticket.passed_on", with(notice.Params, "unitName", g.UnitName)
		told = append(told, each(to, notice)...)
	}
	return told, nil
}
