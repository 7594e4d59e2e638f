package server

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/knowledge"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/seed/reference"
)

// joinKnowledge makes what the desk knows.
func (h *house) joinKnowledge() {
	h.knowledge = knowledge.New(knowledge.Deps{DB: h.db, Clock: h.clock, Units: knowledgeUnits{h.identity}, Matters: matters{h.tickets}, Tickets: h.tickets})
}

// knowledgeUnits names the departments to the knowledge base.
type knowledgeUnits struct{ *identity.Service }

var _ knowledge.Units = knowledgeUnits{}

// Unit returns one department.
func (u knowledgeUnits) Unit(ctx context.Context, db bun.IDB, id int64) (knowledge.UnitInfo, error) {
	d, err := u.Department(ctx, db, id)
	return knowledge.UnitInfo(d), err
}

// Units lists the departments below the district government.
func (u knowledgeUnits) Units(ctx context.Context, db bun.IDB) ([]knowledge.UnitInfo, error) {
	list, err := units(u).Units(ctx, db)
	out := make([]knowledge.UnitInfo, 0, len(list))
	for _, d := range list {
		out = append(out, knowledge.UnitInfo(d))
	}
	return out, err
}

// matters tells what tickets are about: the groups of the scheme we ship, and the types as the installation has them.
type matters struct{ tickets *ticket.Service }

var _ knowledge.Matters = matters{}

// Matters lists the groups, each before the types in it.
func (m matters) Matters(ctx context.Context) ([]knowledge.Matter, error) {
	tree, err := reference.TicketTypes()
	if err != nil {
		return nil, err
	}
	types, err := m.tickets.Types(ctx, access.SystemActor("matters"))
	if err != nil {
		return nil, err
	}
	var out []knowledge.Matter
	listed := map[string]bool{}
	for _, t := range tree.Types {
		if t.Level < 3 {
			out = append(out, knowledge.Matter{Code: t.Code, Name: t.Name})
			continue
		}
		for _, own := range types {
			if own.Code == t.Code {
				out, listed[t.Code] = append(out, knowledge.Matter{Code: own.Code, Name: own.Name}), true
			}
		}
	}
	for _, own := range types { // types of the installation's own
		if !listed[own.Code] {
			out = append(out, knowledge.Matter{Code: own.Code, Name: own.Name})
		}
	}
	return out, nil
}
