package ticket_test

import (
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
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
		"not reached": func(l []ticket.Transition) []ticket.Transition {
			return slices.DeleteFunc(l, func(t ticket.Transition) bool { return t.To == ticket.Direct })
		},
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
		if err := row.Rate(stars, nil, ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%d stars: %v", stars, err)
		}
	}
	if err := row.Rate(4, nil, "很快"); err != nil || row.Rating != 4 {
		t.Fatal(row.Rating, err)
	}
	if err := row.Rate(1, nil, ""); !errors.Is(err, ticket.ErrRated) || row.Rating != 4 {
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

var update = flag.Bool("update", false, "write the drawing of the lifecycle into the docs")

// TestTheDrawingIsTheTable holds docs/ticket-lifecycle.md to the table that the program loads.
func TestTheDrawingIsTheTable(t *testing.T) {
	t.Parallel()
	const path = "../../docs/ticket-lifecycle.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for _, part := range [][2]string{{"drawing", "```mermaid\n" + ticket.Drawing() + "```\n"}, {"table", ticket.Table()}} {
		begin, end := "<!-- "+part[0]+" -->\n", "<!-- /"+part[0]+" -->"
		before, rest, ok := strings.Cut(want, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for the %s", path, part[0])
		}
		want = before + begin + part[1] + end + after
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("%s is not what the table says: go test ./modules/ticket/ -run TestTheDrawingIsTheTable -update", path)
	}
}
