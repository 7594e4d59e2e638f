package application

import (
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/bulk"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
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
}

// LoadTables are the tables that a Teller writes.
var LoadTables = []string{"applications"}

// Teller turns stories into rows, as the commands would have left them at the time. Whether the actors had the right is not
// asked: who loads is the operator.
type Teller struct {
	s    *Service
	load *bulk.Load
	days map[string]int64
}

// Teller makes the teller of a load. Begin the load after it.
func (s *Service) Teller(ctx context.Context) (*Teller, error) {
	t := &Teller{s: s}
	var err error
	t.days, err = database.DrawnByDay(ctx, s.DB.Read(), "application_numbers")
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
	if err := a.Submit(story.At); err != nil {
		return err
	}
	day := story.At.In(clock.Beijing).Format("20060102")
	t.days[day]++
	a.ID, a.Number, a.Version = t.load.NextID("applications"), fmt.Sprintf("SQ%s-%06d", day, t.days[day]), 1
	a.PhoneSealed = t.s.Box.Seal([]byte(phone), phonePlace(a.Number))
	if err := t.load.Tell(story.By, story.At, 1, submitted(a), submitRecord(a)); err != nil {
		return err
	}
	for i, step := range story.Steps {
		e, err := t.step(a, step)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", step.Action, a.Number, err)
		}
		a.Version++
		if err := t.load.Tell(step.By, step.At, int64(i)+2, e.fact(a.head()), changeRecord(step.Action, a, e)); err != nil {
			return err
		}
	}
	return t.load.Add(a)
}

func (t *Teller) step(a *Application, step StoryStep) (effect, error) {
	needed := step.Action != ToAccept && step.Action != ToWithdraw && step.Action != ToApprove && step.Action != ToDisburse
	note, err := block("note", "说明", step.Text, maxNote, needed)
	if err != nil {
		return effect{}, err
	}
	switch step.Action {
	case ToWithdraw:
		return withdrawn(note), a.Withdraw(step.At, note)
	case ToSupplement:
		return supplemented(note, nil), a.Supply(step.At)
	case ToAccept:
		return accepted(note), a.Accept(Colleague{ID: step.By.UserID, Name: step.By.Name})
	case ToDecline:
		return declined(a.Status, note), a.Decline(step.At, note)
	case ToAsk:
		return asked(note), a.Ask(note)
	case ToProgress:
		return progressed(note, nil), a.Progress()
	case ToApprove:
		return approved(step.Loan, note), a.Approve(step.Loan)
	case ToDisburse:
		return disbursed(step.Amount, note), a.Disburse(step.At, step.Amount)
	case ToComplete:
		return completed(note, nil), a.Complete(step.At)
	}
	return effect{}, fault.ErrNotFound
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
