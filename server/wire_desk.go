package server

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

// Desk says how tickets that wait at the desk are shared out.
type Desk struct {
	// Assign is "" to have each claimed by hand, round_robin, or skill.
	Assign string `koanf:"assign"`
	// AssignMost is how many tickets that wait one agent has before they are given no more; 0 is 5.
	AssignMost int `koanf:"assign_most"`
}

func (c Desk) assigning() ticket.Assigning {
	return ticket.Assigning{Mode: c.Assign, Most: c.AssignMost}
}

func (c Desk) check() error {
	if !c.assigning().Known() {
		return configErrorf("desk.assign：应为空、round_robin 或 skill")
	}
	if c.AssignMost < 0 {
		return configErrorf("desk.assign_most：应为 0（即默认的 5）或正整数")
	}
	return nil
}

// joinDesk has the desk's tasks asked for and its bulk actions worked.
func (h *house) joinDesk() {
	h.tasks = append(h.tasks, h.tickets.DeskTasks()...)
	h.background = append(h.background, h.tickets.RunBulks)
}

// readySeats are the seats of the desk, which are made after it.
type readySeats struct{ h *house }

var _ ticket.Seats = readySeats{}

// Ready lists who could take a ticket now.
func (r readySeats) Ready(ctx context.Context, db bun.IDB, at time.Time, skill string) ([]int64, error) {
	return r.h.seats.Ready(ctx, db, at, skill)
}

// colleagues tells the desk who works where.
type colleagues struct{ *identity.Service }

var _ ticket.People = colleagues{}

// Handlers lists who answers at the desk, or handles the tickets of a unit.
func (c colleagues) Handlers(ctx context.Context, db bun.IDB, unit int64) ([]ticket.Person, error) {
	var ids []int64
	var err error
	if unit == ticket.DeskPlace {
		ids, err = c.UsersWith(ctx, db, ticket.PermAnswer)
	} else {
		ids, err = c.DepartmentUsers(ctx, db, unit, ticket.PermReply)
	}
	if err != nil {
		return nil, err
	}
	named, err := c.Named(ctx, db, ids)
	out := make([]ticket.Person, 0, len(named))
	for _, n := range named {
		out = append(out, ticket.Person(n))
	}
	return out, err
}

// Now returns the person with the rights of this moment.
func (c colleagues) Now(ctx context.Context, userID int64) (access.Actor, error) {
	return c.Service.Now(ctx, access.SystemActor("desk"), userID)
}

// ofDesk tells a colleague that a ticket was given to them, and those whom a note mentions.
func (n notices) ofDesk(e event.Event, notice message.Notice) ([]message.Notice, error) {
	var f struct {
		HolderID  int64   `json:"holderId"`
		Mentioned []int64 `json:"mentioned"`
	}
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice.Params = with(notice.Params, "name", or(e.By(), "系统"))
	switch e.Type {
	case "ticket.handed":
		if f.HolderID == e.ActorID {
			return nil, nil
		}
		notice.Template, notice.UserID = "ticket.handed", f.HolderID
		return []message.Notice{notice}, nil
	case "ticket.noted":
		notice.Template, notice.Link = "ticket.mentioned", fmt.Sprintf("/tickets/%d", e.ObjectID)
		return each(f.Mentioned, notice), nil
	}
	return nil, nil
}
