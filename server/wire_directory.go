package server

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/directory"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/seed/reference"
)

// joinDirectory makes the directory of who handles what, and has it hear of each dispatch.
func (h *house) joinDirectory() error {
	divisions, err := reference.Divisions()
	if err != nil {
		return err
	}
	areas := []directory.Named{}
	for _, d := range divisions {
		if d.Level == "street" || d.Level == "town" {
			areas = append(areas, directory.Named{Code: d.Code, Name: d.Name})
		}
	}
	h.directory = directory.New(directory.Deps{DB: h.db, Clock: h.clock, Units: directoryUnits{h.identity}, Matters: directoryMatters{matters{h.tickets}}, Areas: areas})
	h.listeners = append(h.listeners, event.Listener{Name: "directory.dispatches", Handle: h.noteDispatch})
	return nil
}

// noteDispatch keeps a dispatch beside what the directory said, and that a unit gave a ticket back.
func (h *house) noteDispatch(ctx context.Context, tx bun.Tx, e event.Event) error {
	if e.Object != ticket.Object {
		return nil
	}
	switch e.Type {
	case "ticket.dispatched":
		var f ticket.Dispatched
		if err := e.Decode(&f); err != nil {
			return fmt.Errorf("dispatch of ticket %d: %w", e.ObjectID, err)
		}
		return h.directory.Note(ctx, tx, directory.Dispatch{
			EventID: e.ID, TicketID: f.ID, Type: f.Type, Area: f.Area, Text: f.Title, UnitID: f.UnitID, UnitName: f.UnitName, By: e.ActorID, At: e.At,
		})
	case "ticket.return_decided":
		var f struct {
			Granted bool `json:"granted"`
			Hop     struct {
				UnitID int64 `json:"unitId"`
			} `json:"hop"`
		}
		if err := e.Decode(&f); err != nil || !f.Granted {
			return err
		}
		return h.directory.Returned(ctx, tx, e.ObjectID, f.Hop.UnitID, e.At)
	}
	return nil
}

// ticketAreas tells tickets the streets and towns the directory knows.
type ticketAreas struct{ *house }

var _ ticket.Areas = ticketAreas{}

// Areas lists them.
func (a ticketAreas) Areas() []ticket.Area {
	out := make([]ticket.Area, 0, 22)
	for _, n := range a.directory.Areas() {
		out = append(out, ticket.Area(n))
	}
	return out
}

// AreaIn is the code of the one a text names.
func (a ticketAreas) AreaIn(words string) string {
	code, _ := a.directory.Area(words)
	return code
}

// directoryUnits names the departments that tickets go to.
type directoryUnits struct{ *identity.Service }

var _ directory.Units = directoryUnits{}

// Units lists the departments below the district government.
func (u directoryUnits) Units(ctx context.Context, db bun.IDB) ([]directory.UnitInfo, error) {
	list, err := units(u).Units(ctx, db)
	out := make([]directory.UnitInfo, 0, len(list))
	for _, d := range list {
		out = append(out, directory.UnitInfo{ID: d.ID, Name: d.Name})
	}
	return out, err
}

// directoryMatters tells the directory what tickets are about.
type directoryMatters struct{ matters }

var _ directory.Matters = directoryMatters{}

// Matters lists the groups, each before the types in it.
func (m directoryMatters) Matters(ctx context.Context) ([]directory.Named, error) {
	list, err := m.matters.Matters(ctx)
	out := make([]directory.Named, 0, len(list))
	for _, x := range list {
		out = append(out, directory.Named(x))
	}
	return out, err
}
