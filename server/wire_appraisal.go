package server

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/appraisal"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
)

// joinAppraisal makes the appraisal of the units, and has it hear of every step of a ticket.
func (h *house) joinAppraisal() {
	h.appraisal = appraisal.New(appraisal.Deps{
		DB: h.db, Clock: h.clock, Units: appraisalUnits{h.identity}, Spans: appraisalSpans{h.tickets}, Tickets: h.tickets,
		Behind: h.behind(appraisal.ListenerName),
	})
	h.listeners = append(h.listeners, h.appraisal.Listener())
	h.tasks = append(h.tasks, h.appraisal.Tasks()...)
}

// appraisalUnits tells the departments that tickets go to.
type appraisalUnits struct{ *identity.Service }

var _ appraisal.Units = appraisalUnits{}

// Units lists the departments below the district government.
func (u appraisalUnits) Units(ctx context.Context, db bun.IDB) ([]appraisal.Unit, error) {
	list, err := units(u).Units(ctx, db)
	out := make([]appraisal.Unit, 0, len(list))
	for _, d := range list {
		out = append(out, appraisal.Unit(d))
	}
	return out, err
}

// appraisalSpans tells whether units were in time.
type appraisalSpans struct{ *ticket.Service }

var _ appraisal.Spans = appraisalSpans{}
var _ appraisal.Tickets = (*ticket.Service)(nil)

// Spans lists the clocks of a ticket's units that have stopped.
func (s appraisalSpans) Spans(ctx context.Context, db bun.IDB, ticketID int64) ([]appraisal.Span, error) {
	list, err := s.UnitSpans(ctx, db, ticketID)
	return appraised(list), err
}

// appraised are the clocks of units as the appraisal reads them.
func appraised(list []ticket.UnitSpan) []appraisal.Span {
	out := make([]appraisal.Span, 0, len(list))
	for _, c := range list {
		out = append(out, appraisal.Span{Kind: string(c.Kind), UnitID: c.UnitID, Started: c.Started, Late: c.Late})
	}
	return out
}
