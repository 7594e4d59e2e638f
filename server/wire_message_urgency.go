package server

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// critical tells the supervisors of what came in as critical.
func (n notices) critical(ctx context.Context, tx bun.Tx, e event.Event, notice message.Notice) ([]message.Notice, error) {
	notice.Template = "ticket.critical"
	to, err := n.audience.UsersWith(ctx, tx, ticket.PermArbitrate)
	return each(without(to, e.ActorID), notice), err
}

// reclassified tells those who have a ticket that it became more urgent or that their time became shorter: who holds it, the units
// with a part of it, and the desk while it lies there with nobody. Of what became critical the leaders of the units and the
// supervisors hear too. Whoever changed it knows.
func (n notices) reclassified(ctx context.Context, tx bun.Tx, e event.Event, notice message.Notice) ([]message.Notice, error) {
	var f ticket.Classified
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	var units, desk []access.Permission
	switch {
	case f.Raised() && f.Urgency == ticket.Critical:
		notice.Template, units, desk = "ticket.raised_critical", []access.Permission{ticket.PermSign, ticket.PermReply, ticket.PermInstruct}, []access.Permission{ticket.PermArbitrate}
	case f.Raised():
		notice.Template, units = "ticket.raised", []access.Permission{ticket.PermSign, ticket.PermReply}
	case f.Sooner():
		notice.Template, units = "ticket.sooner", []access.Permission{ticket.PermSign, ticket.PermReply}
	default:
		return nil, nil
	}
	if len(f.Units)+len(f.Holders) == 0 {
		desk = append(desk, ticket.PermDispatch)
	}
	notice.Params["change"], notice.Params["due"], notice.Params["urgency"] = f.Changed(), f.Deadline(), f.Urgency.Label()
	to := f.Holders
	for _, u := range f.Units {
		for _, right := range units {
			more, err := n.audience.DepartmentUsers(ctx, tx, u.UnitID, right)
			if err != nil {
				return nil, err
			}
			to = union(to, more)
		}
	}
	for _, right := range desk {
		more, err := n.audience.UsersWith(ctx, tx, right)
		if err != nil {
			return nil, err
		}
		to = union(to, more)
	}
	return each(without(to, e.ActorID), notice), nil
}
