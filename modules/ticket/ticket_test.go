package ticket_test

import (
	"errors"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/fault"
)

var start = time.Date(2026, 11, 22, 1, 30, 0, 0, time.UTC)

func TestLifecycleIsSound(t *testing.T) {
	t.Parallel()
	if err := ticket.ValidateLifecycle(ticket.Lifecycle()); err != nil {
		t.Fatal(err)
	}
	broken := map[string]func([]ticket.Transition) []ticket.Transition{
		"unknown state":  func(l []ticket.Transition) []ticket.Transition { l[0].To = "lost"; return l },
		"unknown action": func(l []ticket.Transition) []ticket.Transition { l[0].Action = "dance"; return l },
		"two outcomes": func(l []ticket.Transition) []ticket.Transition {
			return append(l, ticket.Transition{From: ticket.Received, Action: ticket.ToAnswer, To: ticket.Void})
		},
		"no way out": func(l []ticket.Transition) []ticket.Transition {
			var kept []ticket.Transition
			for _, t := range l {
				if t.From != ticket.Direct {
					kept = append(kept, t)
				}
			}
			return kept
		},
		"not reached": func(l []ticket.Transition) []ticket.Transition { return l[1:] },
		"out of an end": func(l []ticket.Transition) []ticket.Transition {
			return append(l, ticket.Transition{From: ticket.Void, Action: ticket.ToSign, To: ticket.Handling})
		},
	}
	for name, spoil := range broken {
		if err := ticket.ValidateLifecycle(spoil(ticket.Lifecycle())); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEveryIllegalStepIsRefused(t *testing.T) {
	t.Parallel()
	legal := map[ticket.Status]map[ticket.Action]bool{}
	for _, l := range ticket.Lifecycle() {
		if legal[l.From] == nil {
			legal[l.From] = map[ticket.Action]bool{}
		}
		legal[l.From][l.Action] = true
	}
	steps := map[ticket.Action]func(*ticket.Ticket) error{
		ticket.ToAnswer:  func(t *ticket.Ticket) error { return t.Answer("好") },
		ticket.ToDecline: func(t *ticket.Ticket) error { return t.Decline(start, "请向法院起诉") },
		ticket.ToDispatch: func(t *ticket.Ticket) error {
			_, err := t.Dispatch(start, ticket.UnitInfo{}, ticket.UnitInfo{ID: 7}, "")
			return err
		},
		ticket.ToSign:     func(t *ticket.Ticket) error { return t.Sign(start, &ticket.Hop{}) },
		ticket.ToReply:    func(t *ticket.Ticket) error { return t.Report(start, &ticket.Hop{}, "已修复") },
		ticket.ToCallBack: func(t *ticket.Ticket) error { return t.CallBack() },
		ticket.ToClose: func(t *ticket.Ticket) error {
			return t.Close(start, &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}, "")
		},
		ticket.ToReopen: func(t *ticket.Ticket) error { _, err := t.Reopen(start, 24, ticket.UnitInfo{}, ""); return err },
		ticket.ToVoid:   func(t *ticket.Ticket) error { return t.Void(start) },
		ticket.ToRate:   func(t *ticket.Ticket) error { return t.Rate(5, "") },
	}
	for _, from := range []ticket.Status{
		ticket.Received, ticket.Direct, ticket.Refused, ticket.Sent, ticket.Handling, ticket.Reported, ticket.Calling, ticket.Done, ticket.Void,
	} {
		for a, step := range steps {
			row := &ticket.Ticket{Status: from}
			err := step(row)
			if legal[from][a] && err != nil {
				t.Errorf("%s %s: %v", from, a, err)
			}
			if !legal[from][a] && (!errors.Is(err, ticket.ErrState) || row.Status != from) {
				t.Errorf("%s %s: error %v, status %s", from, a, err, row.Status)
			}
		}
	}
}

func TestClosingNeedsTheCallBack(t *testing.T) {
	t.Parallel()
	good := &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}
	for _, c := range []struct {
		name    string
		from    ticket.Status
		outcome *ticket.Outcome
		note    string
		want    error
	}{
		{"answered at once", ticket.Direct, nil, "", nil},
		{"no outcome", ticket.Reported, nil, "已电话告知", ticket.ErrOutcome},
		{"good", ticket.Reported, good, "", nil},
		{"bad without a reason", ticket.Calling, &ticket.Outcome{Contacted: true}, "", ticket.ErrReason},
		{"bad with a reason", ticket.Calling, &ticket.Outcome{}, "三次未接通", nil},
	} {
		row := &ticket.Ticket{Status: c.from}
		if err := row.Close(start, c.outcome, c.note); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestRatingIsOnceAndWithinFive(t *testing.T) {
	t.Parallel()
	row := &ticket.Ticket{Status: ticket.Done}
	for _, stars := range []int{0, 6, -1} {
		if err := row.Rate(stars, ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%d stars: %v", stars, err)
		}
	}
	if err := row.Rate(4, "很快"); err != nil || row.Rating != 4 {
		t.Fatal(row.Rating, err)
	}
	if err := row.Rate(1, ""); !errors.Is(err, ticket.ErrRated) || row.Rating != 4 {
		t.Fatal(row.Rating, err)
	}
}

func TestReopeningStartsANewClock(t *testing.T) {
	t.Parallel()
	row := &ticket.Ticket{Status: ticket.Reported, UnitID: 7, UnitName: "区人社局", DueAt: start}
	hop, err := row.Reopen(start.Add(time.Hour), 24, ticket.UnitInfo{Name: "受理席"}, "问题仍在")
	if err != nil || row.Status != ticket.Sent || !row.DueAt.Equal(start.Add(25*time.Hour)) {
		t.Fatal(row.Status, row.DueAt, err)
	}
	if hop.UnitID != 7 || !hop.DueAt.Equal(row.DueAt) || hop.State != ticket.HopSent || hop.FromName != "受理席" {
		t.Fatalf("hop %+v", hop)
	}
}
