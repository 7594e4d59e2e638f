package application_test

import (
	"errors"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/application"
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
				if l[i].Action == application.ToDecline || l[i].Action == application.ToWithdraw || l[i].Action == application.ToComplete {
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
		application.ToSubmit:     func(a *application.Application) error { return a.Submit(start) },
		application.ToWithdraw:   func(a *application.Application) error { return a.Withdraw(start, "") },
		application.ToSupplement: func(a *application.Application) error { return a.Supply(start) },
		application.ToAccept:     func(a *application.Application) error { return a.Accept(application.Colleague{ID: 9, Name: "赵"}) },
		application.ToDecline:    func(a *application.Application) error { return a.Decline(start, "不符合") },
		application.ToAsk:        func(a *application.Application) error { return a.Ask("流水") },
		application.ToProgress:   func(a *application.Application) error { return a.Progress() },
		application.ToApprove:    func(a *application.Application) error { return a.Approve(loan) },
		application.ToDisburse:   func(a *application.Application) error { return a.Disburse(start, 50_000_000) },
		application.ToComplete:   func(a *application.Application) error { return a.Complete(start) },
		application.ToHandOver:   func(a *application.Application) error { return a.HandOver(application.Colleague{ID: 8}) },
	}
	all := []application.Status{
		application.Unsent, application.Waiting, application.Lacking, application.Taken, application.Working, application.Granted,
		application.PaidOut, application.Done, application.Refused, application.Dropped,
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
				row := &application.Application{Status: from, Lends: lends, Resume: application.Taken, ApprovedAmount: 50_000_000}
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
		row := &application.Application{Status: from, DueAt: start}
		if err := row.Ask("完整的租赁合同"); err != nil || row.Status != application.Lacking || row.Reason == "" {
			t.Fatalf("%s: %+v %v", from, row, err)
		}
		if err := row.Supply(start.Add(time.Hour)); err != nil || row.Status != from || row.Reason != "" || row.Resume != "" {
			t.Fatalf("%s: %+v %v", from, row, err)
		}
		anew := !row.DueAt.Equal(start)
		if anew != (from == application.Waiting) {
			t.Errorf("%s: due %v", from, row.DueAt)
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
		row := &application.Application{Status: application.Working, Lends: true}
		err := row.Approve(loan)
		f, _ := fault.As(err)
		if c.field == "" && err != nil || c.field != "" && (f == nil || len(f.Fields) != 1 || f.Fields[0].Name != c.field) {
			t.Errorf("%+v: %v", loan, err)
		}
	}
	row := &application.Application{Status: application.Granted, Lends: true, ApprovedAmount: 100}
	if err := row.Disburse(start, 101); fault.KindOf(err) != fault.Invalid {
		t.Errorf("more than granted: %v", err)
	}
	row.Status = application.Granted
	if err := row.Disburse(start, 100); err != nil || row.DisbursedAt == nil {
		t.Errorf("what was granted: %v", err)
	}
}

func TestOverdueOnlyWhileNobodyAccepted(t *testing.T) {
	t.Parallel()
	row := &application.Application{Status: application.Unsent}
	if err := row.Submit(start); err != nil {
		t.Fatal(err)
	}
	if late := start.Add(application.AcceptHours*time.Hour + 1); row.Overdue(start.Add(application.AcceptHours*time.Hour)) || !row.Overdue(late) {
		t.Errorf("due %v", row.DueAt)
	}
	if err := row.Accept(application.Colleague{ID: 1}); err != nil || row.Overdue(start.Add(1000*time.Hour)) {
		t.Errorf("accepted and overdue, %v", err)
	}
}
