package server

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/seat"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/seed/reference"
)

// joinSeats makes the seats of the desk.
func (h *house) joinSeats() {
	h.seats = seat.New(seat.Deps{DB: h.db, Clock: h.clock, People: seatPeople{h.identity}, Matters: seatMatters{matters{h.tickets}}})
	h.tasks = append(h.tasks, h.seats.Tasks()...)
}

// seatPeople names those who may sit at the desk.
type seatPeople struct{ *identity.Service }

var _ seat.People = seatPeople{}

// With lists the people who hold a right.
func (p seatPeople) With(ctx context.Context, db bun.IDB, right access.Permission) ([]seat.Person, error) {
	list, err := p.NamedWith(ctx, db, right)
	out := make([]seat.Person, 0, len(list))
	for _, n := range list {
		out = append(out, seat.Person{ID: n.ID, Name: n.Name})
	}
	return out, err
}

// seatMatters tells what one can be trained for, each type with the group it belongs to.
type seatMatters struct{ matters }

var _ seat.Matters = seatMatters{}

// Matters lists the groups, each before the types in it.
func (m seatMatters) Matters(ctx context.Context) ([]seat.Matter, error) {
	tree, err := reference.TicketTypes()
	if err != nil {
		return nil, err
	}
	parent := map[string]string{}
	for _, t := range tree.Types {
		parent[t.Code] = t.Parent
	}
	list, err := m.matters.Matters(ctx)
	out := make([]seat.Matter, 0, len(list))
	for _, x := range list {
		out = append(out, seat.Matter{Code: x.Code, Name: x.Name, Group: parent[x.Code]})
	}
	return out, err
}
