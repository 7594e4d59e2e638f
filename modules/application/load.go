package application

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/bulk"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/worktime"
)

// Story is the life of one application that a bulk load tells: how it came in and each step after, in the order of time.
type Story struct {
	// Submit is the form as it was sent; contact and phone are given, files are not loaded.
	Submit  Submit
	Offer   Offer
	Company string // the name of the actor's company, which is verified
	By      access.Actor
	At      time.Time
	Steps   []StoryStep
}

// StoryStep is one action on the application of a story. Text is the note or reason of the action.
type StoryStep struct {
	Action Action
	By     access.Actor
	At     time.Time
	Text   string
	Loan   Loan  // of an approval
	Amount int64 // of a payment, in fen
	// Plan has the steps of a plan. Diligence says how a company was looked at; its day is that of the step.
	Plan      []PlanStep
	Diligence Investigate
}

// LoadTables are the tables that a Teller writes.
var LoadTables = []string{"applications", "application_diligence", "application_payments"}

// Teller turns stories into rows, as the commands would have left them at the time. Whether the actors had the right is not
// asked: who loads is the operator.
type Teller struct {
	s    *Service
	load *bulk.Load
	days map[string]int64
	// hours are those of the load: history is told by the limits and the calendar of today.
	hours Hours
}

// Teller makes the teller of a load. Begin the load after it.
func (s *Service) Teller(ctx context.Context) (*Teller, error) {
	t := &Teller{s: s}
	var err error
	if t.days, err = database.DrawnByDay(ctx, s.DB.Read(), "application_numbers"); err != nil {
		return nil, err
	}
	t.hours, err = s.hours(ctx, s.DB.Read())
	return t, err
}

// Use gives the teller its load.
func (t *Teller) Use(l *bulk.Load) { t.load = l }

// Tell writes one story; stories come in the order of their At. A company has one open application for a product: the caller
// sees to it, and the load ends with an error otherwise.
func (t *Teller) Tell(story Story) error {
	a := unsent(story.By, story.Submit, story.Offer, story.Company)
	phone, err := a.fill(story.Submit, story.Offer)
	if err != nil {
		return err
	}
	if err := a.Submit(story.At, t.hours); err != nil {
		return err
	}
	day := story.At.In(clock.Beijing).Format("20060102")
	t.days[day]++
	a.ID, a.Number, a.Version = t.load.NextID("applications"), fmt.Sprintf("SQ%s-%06d", day, t.days[day]), 1
	a.PhoneSealed = t.s.Box.Seal([]byte(phone), phonePlace(a.Number))
	t.s.index(a, phone)
	if err := t.load.Tell(story.By, story.At, 1, submitted(a), submitRecord(a)); err != nil {
		return err
	}
	for i, step := range story.Steps {
		e, row, err := t.step(a, step, int64(i)+2)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", step.Action, a.Number, err)
		}
		a.Version++
		if err := t.load.Tell(step.By, step.At, int64(i)+2, e.fact(a.head()), changeRecord(step.Action, a, e)); err != nil {
			return err
		}
		if row != nil {
			if err := t.load.Add(row); err != nil {
				return err
			}
		}
	}
	return t.load.Add(a)
}

// optional are the actions whose text may be left out.
var optional = []Action{ToAccept, ToWithdraw, ToApprove, ToDisburse, ToPlan, ToStep, ToConfirm, ToInvestigate}

// step takes one step; row is what it writes beside the application, nil for nothing.
func (t *Teller) step(a *Application, step StoryStep, seq int64) (e effect, row any, err error) {
	note, err := block("note", "说明", step.Text, maxNote, !slices.Contains(optional, step.Action))
	if err != nil {
		return effect{}, nil, err
	}
	switch step.Action {
	case ToWithdraw:
		return withdrawn(note), nil, a.Withdraw(step.At, note)
	case ToSupplement:
		return supplemented(note, nil, nil), nil, a.Supply(step.At, t.hours)
	case ToAccept:
		return accepted(note), nil, a.Accept(step.At, Colleague{ID: step.By.UserID, Name: step.By.Name}, t.hours)
	case ToDecline:
		return declined(a.Status, note), nil, a.Decline(step.At, note)
	case ToAsk:
		return asked(note), nil, a.Ask(step.At, note)
	case ToProgress:
		return progressed(note, nil), nil, a.Progress()
	case ToPlan:
		steps, err := checkPlan(step.Plan, worktime.DayOf(step.At))
		if err != nil {
			return effect{}, nil, err
		}
		return planned(a, note), nil, a.MakePlan(steps)
	case ToDeliver:
		err := a.Deliver(step.At, t.hours)
		return delivered(a, note, nil), nil, err
	case ToConfirm:
		return confirmed(ByCompany, note), nil, a.Confirm(step.At)
	case ToInvestigate:
		if err := a.Investigate(); err != nil {
			return effect{}, nil, err
		}
		d, err := step.Diligence.record(a, step.By, step.At)
		if err != nil {
			return effect{}, nil, err
		}
		d.ID, d.Seq = t.load.NextID("application_diligence"), seq
		return investigated(d), d, nil
	case ToApprove:
		return approved(step.Loan, note), nil, a.Approve(step.At, step.Loan)
	case ToDisburse:
		p, err := a.pay(step.At, step.Amount, "", note, step.By)
		if err != nil {
			return effect{}, nil, err
		}
		return disbursed(a, p), p, nil
	case ToComplete:
		return completed(note, nil), nil, a.Complete(step.At)
	}
	return effect{}, nil, fault.ErrNotFound
}

// Finish keeps the numbers that were given out. It is called before the load is finished.
func (t *Teller) Finish() error {
	for day, last := range t.days {
		if err := t.load.Drawn("application_numbers", day, last); err != nil {
			return err
		}
	}
	return nil
}
