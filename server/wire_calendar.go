package server

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/calendar"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/worktime"
	"github.com/huiqi/huiqi/seed/reference"
)

// joinCalendar makes the working calendar. The tickets, whose deadlines it moves, are made after it.
func (h *house) joinCalendar(p parts) {
	h.calendars = calendar.New(calendar.Deps{DB: h.db, Clock: p.clock, Deadlines: deadlines{h}})
}

var _ ticket.Calendars = (*calendar.Service)(nil)

// deadlines lets the calendar see and move the deadlines of tickets.
type deadlines struct{ *house }

var _ calendar.Deadlines = deadlines{}

// Moves reckons a page of running deadlines with another calendar.
func (d deadlines) Moves(ctx context.Context, c *worktime.Calendar, cursor string) (calendar.Moves, error) {
	moved, looked, next, err := d.tickets.MovedBy(ctx, c, cursor)
	m := calendar.Moves{Looked: looked, Next: next}
	for _, x := range moved {
		m.Items = append(m.Items, calendar.Move(x))
	}
	return m, err
}

// UseCalendar puts a version in force.
func (d deadlines) UseCalendar(ctx context.Context, tx bun.Tx, number int64) error {
	return d.tickets.UseCalendar(ctx, tx, number)
}

// ensureCalendar gives a new installation the calendar of the reference data: Monday to Friday, 9 to 12 and 14 to 18, with the
// holidays of the years that the State Council has published.
func (h *house) ensureCalendar(ctx context.Context) error {
	days, err := reference.Holidays()
	if err != nil {
		return err
	}
	years, err := reference.MaintainedYears()
	if err != nil {
		return err
	}
	work := []worktime.Period{{From: 9 * 60, Until: 12 * 60}, {From: 14 * 60, Until: 18 * 60}}
	d := calendar.Definition{Weekly: make([][]worktime.Period, 7), MakeUp: work, Years: years}
	for day := time.Monday; day <= time.Friday; day++ {
		d.Weekly[day] = work
	}
	for _, x := range days {
		d.Days = append(d.Days, calendar.Exception{Day: x.Date, Work: x.Working, Name: x.Name})
	}
	return h.calendars.Ensure(ctx, access.SystemActor("seed"), d)
}

// budgetOf turns a published limit into a budget.
func budgetOf(l reference.Limit) worktime.Budget {
	switch l.Unit {
	case "working_days":
		return worktime.Budget{Amount: l.Amount, Unit: worktime.WorkingDays}
	case "working_hours":
		return worktime.Budget{Amount: l.Amount * 60, Unit: worktime.WorkingMinutes}
	case "days":
		return worktime.Budget{Amount: l.Amount * 24 * 60, Unit: worktime.ClockMinutes}
	case "hours":
		return worktime.Budget{Amount: l.Amount * 60, Unit: worktime.ClockMinutes}
	}
	return worktime.Budget{}
}

// ofClocks tells whom a fact about time concerns: the unit that has the ticket, its leaders from the second step of the ladder
// on, and the desk while no unit has it.
func (n notices) ofClocks(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f ticket.Urged // of which the other facts are a part
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	var text struct {
		Text string `json:"text"`
	}
	if err := decode(e, &text); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, Link: fmt.Sprintf("/tickets/%d", f.ID), Params: map[string]string{
		"number": f.Number, "title": f.Title, "unitName": f.UnitName, "clock": f.Kind.Label(), "due": clock.Show(f.ClockDueAt),
		"name": f.Name, "reason": or(f.Reason, f.Kind.Label()+"已超时，请尽快办理"), "text": or(text.Text, "请查看工单"),
	}}
	switch e.Type {
	case "ticket.urge_answered":
		to, err := n.audience.UsersWith(ctx, tx, ticket.PermUrge)
		return each(to, notice), err
	case "ticket.clock_warned", "ticket.clock_breached", "ticket.urged", "ticket.instructed":
	default:
		return nil, nil
	}
	if f.UnitID == 0 {
		to, err := n.audience.UsersWith(ctx, tx, ticket.PermDispatch)
		return each(to, notice), err
	}
	right := ticket.PermReply
	if f.Kind == ticket.SignClock {
		right = ticket.PermSign
	}
	to, err := n.audience.DepartmentUsers(ctx, tx, f.UnitID, right)
	if err != nil || !f.Leaders {
		return each(to, notice), err
	}
	leaders, err := n.audience.DepartmentUsers(ctx, tx, f.UnitID, ticket.PermInstruct)
	return each(union(to, leaders), notice), err
}

// union is a with what only b has.
func union(a, b []int64) []int64 {
	seen := map[int64]bool{}
	var out []int64
	for _, id := range append(a[:len(a):len(a)], b...) {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
