package policy_test

import (
	"errors"
	"testing"

	"github.com/huiqi/huiqi/modules/policy"
)

// The first and the last day belong to a window and to the time a policy holds.
func TestDaysAreIncluded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		opens, closes, today string
		want                 policy.Window
	}{
		{"", "", "2026-11-22", policy.Always},
		{"2026-11-23", "2026-12-31", "2026-11-22", policy.Upcoming},
		{"2026-11-23", "2026-12-31", "2026-11-23", policy.Open},
		{"2026-11-01", "2026-11-22", "2026-11-22", policy.Open},
		{"2026-11-01", "2026-11-21", "2026-11-22", policy.Closed},
		{"2026-11-01", "", "2026-11-22", policy.Open},
		{"2026-12-01", "", "2026-11-22", policy.Upcoming},
		{"", "2026-11-22", "2026-11-22", policy.Open},
		{"", "2026-11-21", "2026-11-22", policy.Closed},
	} {
		p := policy.Policy{OpensOn: c.opens, ClosesOn: c.closes, Deadline: c.closes}
		if c.closes == "" {
			p.Deadline = "9999-12-31"
		}
		if got := p.WindowOn(c.today); got != c.want {
			t.Errorf("%s to %s on %s: %s", c.opens, c.closes, c.today, got)
		}
	}
	for expires, want := range map[string]policy.Status{"": policy.Live, "2026-11-22": policy.Live, "2026-11-21": policy.Lapsed} {
		p := policy.Policy{Status: policy.Live, ExpiresOn: expires}
		if got := p.StatusOn("2026-11-22"); got != want {
			t.Errorf("holds until %q: %s", expires, got)
		}
		p.Status = policy.Draft
		if got := p.StatusOn("2026-11-22"); got != policy.Draft {
			t.Errorf("a draft is %s", got)
		}
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from    policy.Status
		publish policy.Status // "" refuses
		expire  policy.Status
		revise  bool
	}{
		{policy.Draft, policy.Live, "", true},
		{policy.Live, "", policy.Lapsed, true},
		{policy.Lapsed, "", "", false},
	} {
		for name, step := range map[string]struct {
			do   func(*policy.Policy) error
			want policy.Status
		}{
			"publish": {(*policy.Policy).Publish, c.publish}, "expire": {(*policy.Policy).Expire, c.expire},
		} {
			p := policy.Policy{Status: c.from}
			err := step.do(&p)
			if step.want == "" && (!errors.Is(err, policy.ErrState) || p.Status != c.from) || step.want != "" && (err != nil || p.Status != step.want) {
				t.Errorf("%s from %s: %s, %v", name, c.from, p.Status, err)
			}
		}
		p := policy.Policy{Status: c.from}
		if err := p.Revise(policy.Content{Title: "新"}); (err == nil) != c.revise || p.Status != c.from || (p.Title == "新") != c.revise {
			t.Errorf("revise from %s: %v", c.from, err)
		}
	}
}

func TestEveryEnumHasItsWords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	word := func(kind, w string) {
		if w == "" || seen[kind+w] {
			t.Errorf("%s: %q is missing or stands twice", kind, w)
		}
		seen[kind+w] = true
	}
	for _, x := range policy.Levels {
		word("level", x.Label())
	}
	for _, x := range policy.Topics {
		word("topic", x.Label())
	}
	for _, x := range policy.Windows {
		word("window", x.Label())
	}
	for _, x := range []policy.Status{policy.Draft, policy.Live, policy.Lapsed} {
		word("status", x.Label())
	}
	for _, x := range policy.Groups {
		word("group", x.Word())
		word("note", x.Note())
	}
	for _, x := range []policy.State{policy.Met, policy.Unmet, policy.Unknown, policy.ForHuman, policy.Spare} {
		word("state", x.Word())
	}
}
