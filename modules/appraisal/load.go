package appraisal

import (
	"github.com/huiqi/huiqi/platform/bulk"
	"github.com/huiqi/huiqi/platform/event"
)

// LoadTables are the tables that a Teller writes.
var LoadTables = []string{"appraisal_cases"}

// Teller makes the cases of tickets that a bulk load tells, as the listener would have.
type Teller struct{ load *bulk.Load }

// NewTeller makes the teller of a load.
func NewTeller(l *bulk.Load) *Teller { return &Teller{l} }

// Tell folds one ticket from its events, oldest first, and the clocks of its units.
func (t *Teller) Tell(ticketID int64, events []event.Event, spans []Span) error {
	cases, err := Fold(ticketID, events, spans)
	if err != nil {
		return err
	}
	for i := range cases {
		cases[i].ID = t.load.NextID("appraisal_cases")
		if err := t.load.Add(&cases[i]); err != nil {
			return err
		}
	}
	return nil
}
