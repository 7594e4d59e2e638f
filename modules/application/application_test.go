package application_test

import (
	"errors"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

var start = time.Date(2026, 11, 24, 1, 30, 0, 0, time.UTC)

func TestLifecycleIsSound(t *testing.T) {
	t.Parallel()
	if err := application.ValidateLifecycle(application.Lifecycle()); err != nil {
		t.Fatal(err)
	}
	type table = []application.Transition
	without := func(l table, from application.Status, a application.Action) table {
		var kept table
		for _, t := range l {
			if t.From != from || t.Action != a {
				kept = append(kept, t)
			}
		}
		return kept
	}
	broken := map[string]func(table) table{
		"unknown state":  func(l table) table { l[0].To = "lost"; return l },
		"unknown action": func(l table) table { l[0].Action = "dance"; return l },
		"two outcomes": func(l table) table {
			return append(l, application.Transition{From: application.Waiting, Action: application.ToAccept, To: application.Done})
		},
		"out of an end": func(l table) table {
			return append(l, application.Transition{From: application.Done, Action: application.ToProgress, To: application.Working})
		},
		"paid out for good": func(l table) table { return without(l, application.PaidOut, application.ToComplete) },
		"never approved":    func(l table) table { return without(l, application.Working, application.ToApprove) },
		"services never end well": func(l table) table {
			for i := range l {
				if l[i].To == application.Done || l[i].Action == application.ToDecline || l[i].Action == application.ToWithdraw {
					l[i].For = application.Financing
				}
			}
			return l
		},
	}
	for name, spoil := range broken {
		if err := application.ValidateLifecycle(spoil(application.Lifecycle())); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEveryIllegalStepIsRefused(t *testing.T) {
	t.Parallel()
	loan := application.Loan{Amount: 50_000_000, Rate: 385, Term: 12}
	steps := map[application.Action]func(*application.Application) error{
		application.ToSubmit:     func(a *application.Application) error { return a.Submit(start, application.Hours{}) },
		application.ToWithdraw:   func(a *application.Application) error { return a.Withdraw(start, "") },
		application.ToSupplement: func(a *application.Application) error { return a.Supply(start, application.Hours{}) },
		application.ToAccept: func(a *application.Application) error {
			return a.Accept(start, application.Colleague{ID: 9, Name: "赵"}, application.Hours{})
		},
		application.ToDecline:  func(a *application.Application) error { return a.Decline(start, "不符合") },
		application.ToAsk:      func(a *application.Application) error { return a.Ask(start, "流水") },
		application.ToProgress: func(a *application.Application) error { return a.Progress() },
		application.ToApprove:  func(a *application.Application) error { return a.Approve(start, loan) },
		application.ToDisburse: func(a *application.Application) error { return a.Disburse(start, 50_000_000) },
		application.ToComplete: func(a *application.Application) error { return a.Complete(start) },
		application.ToHandOver: func(a *application.Application) error { return a.HandOver(application.Colleague{ID: 8}) },
	}
	plan := application.Plan{Edition: 1, Steps: []application.PlanStep{{Title: "出具报告", Day: "2026-12-01"}}}
	all := []application.Status{
		application.Unsent, application.Waiting, application.Lacking, application.Taken, application.Working, application.Granted,
		application.Given, application.PaidOut, application.Done, application.Refused, application.Dropped,
	}
	for _, lends := range []bool{true, false} {
		legal := map[application.Status]map[application.Action]application.Status{}
		for _, l := range application.Lifecycle() {
			if l.For != application.Any && (l.For == application.Financing) != lends {
				continue
			}
			if legal[l.From] == nil {
				legal[l.From] = map[application.Action]application.Status{}
			}
			legal[l.From][l.Action] = l.To
		}
		for _, from := range all {
			for action, step := range steps {
				row := &application.Application{Status: from, Lends: lends, Resume: application.Taken, ApprovedAmount: 50_000_000, Diligences: 1, Plan: plan}
				err := step(row)
				to, ok := legal[from][action]
				if to == application.Earlier {
					to = application.Taken
				}
				if ok && (err != nil || row.Status != to) {
					t.Errorf("lends %v, %s %s: %v, now %s", lends, from, action, err, row.Status)
				}
				if !ok && (!errors.Is(err, application.ErrState) || row.Status != from) {
					t.Errorf("lends %v, %s %s: error %v, status %s", lends, from, action, err, row.Status)
				}
			}
		}
	}
}

func TestASupplementGoesBackToWhereItWasAsked(t *testing.T) {
	t.Parallel()
	for _, from := range []application.Status{application.Waiting, application.Taken, application.Working} {
		row := &application.Application{Status: application.Unsent, PromisedDays: 3}
		if err := row.Submit(start, application.Hours{}); err != nil {
			t.Fatal(err)
		}
		if from != application.Waiting {
			if err := row.Accept(start, application.Colleague{ID: 1}, application.Hours{}); err != nil || row.For != application.DueHandle {
				t.Fatal(row.For, err)
			}
		}
		row.Status = from
		due := row.Due.At
		if err := row.Ask(start, "完整的租赁合同"); err != nil || row.Status != application.Lacking || row.Reason == "" || row.Overdue(due.Add(time.Hour)) {
			t.Fatalf("%s: %+v %v", from, row, err)
		}
		if err := row.Supply(start.AddDate(0, 0, 7), application.Hours{}); err != nil || row.Status != from || row.Reason != "" || row.Resume != "" {
			t.Fatalf("%s: %+v %v", from, row, err)
		}
		// A week in which the company had to supply something: the time to accept begins anew, that to handle goes on.
		if want := due.AddDate(0, 0, 7); !row.Due.At.Equal(want) {
			t.Errorf("%s: due %v, want %v", from, row.Due.At, want)
		}
		if (len(row.Pauses) == 1) != (from != application.Waiting) {
			t.Errorf("%s: %d pauses", from, len(row.Pauses))
		}
	}
}

func TestWhatABankMayGrant(t *testing.T) {
	t.Parallel()
	good := application.Loan{Amount: 1, Rate: 0, Term: 360}
	for _, c := range []struct {
		field string
		spoil func(*application.Loan)
	}{
		{"", func(*application.Loan) {}},
		{"amount", func(l *application.Loan) { l.Amount = 0 }},
		{"amount", func(l *application.Loan) { l.Amount = -5 }},
		{"amount", func(l *application.Loan) { l.Amount = 2_000_000_000_000 }},
		{"rate", func(l *application.Loan) { l.Rate = -1 }},
		{"rate", func(l *application.Loan) { l.Rate = 3601 }},
		{"term", func(l *application.Loan) { l.Term = 0 }},
		{"term", func(l *application.Loan) { l.Term = 361 }},
	} {
		loan := good
		c.spoil(&loan)
		row := &application.Application{Status: application.Working, Lends: true, Diligences: 1}
		err := row.Approve(start, loan)
		f, _ := fault.As(err)
		if c.field == "" && err != nil || c.field != "" && (f == nil || len(f.Fields) != 1 || f.Fields[0].Name != c.field) {
			t.Errorf("%+v: %v", loan, err)
		}
	}
	row := &application.Application{Status: application.Granted, Lends: true, ApprovedAmount: 100}
	if err := row.Disburse(start, 101); fault.KindOf(err) != fault.Invalid {
		t.Errorf("more than granted: %v", err)
	}
	for i, amount := range []int64{60, 40} {
		row.Status = []application.Status{application.Granted, application.PaidOut}[i]
		if err := row.Disburse(start, amount); err != nil || row.DisbursedAt == nil || row.Payments != i+1 {
			t.Errorf("instalment %d: %v", i+1, err)
		}
		if err := row.Disburse(start, 41); fault.KindOf(err) != fault.Invalid {
			t.Errorf("more than is left after instalment %d: %v", i+1, err)
		}
	}
	unseen := &application.Application{Status: application.Working, Lends: true}
	if err := unseen.Approve(start, good); !errors.Is(err, application.ErrNoDiligence) {
		t.Errorf("granted without due diligence: %v", err)
	}
}

func TestDeadlinesCountWorkingDays(t *testing.T) {
	t.Parallel()
	friday := time.Date(2026, 11, 27, 16, 0, 0, 0, clock.Beijing)
	row := &application.Application{Status: application.Unsent}
	if err := row.Submit(friday, application.Hours{}); err != nil {
		t.Fatal(err)
	}
	// Two working days after a Friday are a Tuesday, until the end of work.
	if due := time.Date(2026, 12, 1, 18, 0, 0, 0, clock.Beijing); !row.Due.At.Equal(due) || row.Overdue(due) || !row.Overdue(due.Add(time.Second)) {
		t.Errorf("due %v", row.Due.At)
	}
	if row.RingAt == nil || !row.RingAt.After(friday) || !row.RingAt.Before(row.Due.At) {
		t.Errorf("reminded at %v", row.RingAt)
	}
	if err := row.Accept(friday, application.Colleague{ID: 1}, application.Hours{}); err != nil || row.For != application.DueHandle {
		t.Errorf("%v, due for %q", err, row.For)
	}
	if err := row.Decline(friday, "不符合"); err != nil || row.Overdue(friday.AddDate(1, 0, 0)) || row.RingAt != nil {
		t.Errorf("declined and overdue, %v", err)
	}
}
