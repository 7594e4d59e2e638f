package flow_test

import (
	"slices"
	"testing"

	"github.com/huiqi/huiqi/platform/flow"
)

type edges = []flow.Edge[string]

func TestReach(t *testing.T) {
	t.Parallel()
	table := edges{{"a", "b"}, {"b", "c"}, {"c", "a"}, {"d", "a"}}
	if got := flow.Reach(table, "a"); !slices.Equal(got, []string{"b", "c", "a"}) {
		t.Errorf("from a: %v", got)
	}
	if got := flow.Reach(table[:2], "a"); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("without the way back: %v", got)
	}
	if flow.Leads(table, "a", "d") || !flow.Leads(table, "d", "x", "c") {
		t.Error("Leads is wrong")
	}
}

func TestConnected(t *testing.T) {
	t.Parallel()
	table := edges{{"draft", "open"}, {"open", "done"}, {"open", "void"}}
	all := []string{"done", "draft", "open", "void"}
	for name, c := range map[string]struct {
		table  edges
		states []string
		ends   []string
		want   string
	}{
		"whole":            {table, all, []string{"done", "void"}, ""},
		"no ends asked":    {table, all, nil, ""},
		"not reached":      {table[:2], all, []string{"done", "void"}, "void cannot be reached"},
		"no way out":       {append(slices.Clone(table), flow.Edge[string]{From: "open", To: "stuck"}), append(slices.Clone(all), "stuck"), []string{"done", "void"}, "stuck has no way to an end"},
		"stuck but no end": {append(slices.Clone(table), flow.Edge[string]{From: "open", To: "stuck"}), append(slices.Clone(all), "stuck"), nil, ""},
	} {
		got := ""
		if err := flow.Connected(c.table, c.states, "draft", c.ends...); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
