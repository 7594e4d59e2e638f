package knowledge_test

import (
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/knowledge"
	"github.com/huiqi/huiqi/platform/fault"
)

// TestSteps takes every action in every state, with and without an edition in force.
func TestSteps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	type world struct {
		k          *knowledge.Entry
		work, live *knowledge.Edition
	}
	acts := map[string]func(w world) error{
		"edit":     func(w world) error { return w.k.Edit(w.work, 1, knowledge.Text{Title: "新"}, "") },
		"submit":   func(w world) error { return w.k.Submit(w.work, w.live, 1) },
		"publish":  func(w world) error { return w.k.Publish(w.work, w.live, now, 2, "审核") },
		"return":   func(w world) error { return w.k.Return(w.work, "改") },
		"revise":   func(w world) error { _, err := w.k.Revise(w.live, now, 1, "编"); return err },
		"discard":  func(w world) error { return w.k.Discard(w.work, now) },
		"confirm":  func(w world) error { return w.k.Confirm(w.live, now, "", 2) },
		"withdraw": func(w world) error { return w.k.Withdraw(w.live, now, "误") },
	}
	type legal map[string]knowledge.Status
	for _, c := range []struct {
		name  string
		from  knowledge.Status
		live  int
		legal legal
	}{
		{"a first draft", knowledge.Draft, 0, legal{"edit": knowledge.Draft, "submit": knowledge.InReview}},
		{"a new draft", knowledge.Draft, 1, legal{"edit": knowledge.Draft, "submit": knowledge.InReview, "discard": knowledge.Published, "withdraw": knowledge.Draft}},
		{"a first review", knowledge.InReview, 0, legal{"publish": knowledge.Published, "return": knowledge.Draft}},
		{"a new review", knowledge.InReview, 1, legal{"publish": knowledge.Published, "return": knowledge.Draft, "withdraw": knowledge.InReview}},
		{"in force", knowledge.Published, 1, legal{"revise": knowledge.Draft, "confirm": knowledge.Published, "withdraw": knowledge.Withdrawn}},
		{"withdrawn", knowledge.Withdrawn, 0, legal{"revise": knowledge.Draft}},
	} {
		for name, do := range acts {
			w := world{&knowledge.Entry{Status: c.from, Live: c.live, Work: 2, Last: 2}, &knowledge.Edition{No: 2, AuthorID: 1, Text: knowledge.Text{Title: "改"}}, nil}
			if c.live > 0 || c.from == knowledge.Withdrawn {
				w.live = &knowledge.Edition{No: 1, AuthorID: 1}
			}
			err := do(w)
			to, ok := c.legal[name]
			if ok && (err != nil || w.k.Status != to) {
				t.Errorf("%s %s: %s, %v", name, c.name, w.k.Status, err)
			}
			if !ok && (fault.KindOf(err) != fault.Conflict || w.k.Status != c.from) {
				t.Errorf("%s %s: %s, %v", name, c.name, w.k.Status, err)
			}
		}
	}
	for _, d := range []knowledge.Edition{{AuthorID: 2}, {EditorID: 2}, {SubmitterID: 2}} {
		k := &knowledge.Entry{Status: knowledge.InReview}
		if err := k.Publish(&d, nil, now, 2, "审核"); fault.KindOf(err) != fault.Forbidden || k.Status != knowledge.InReview || k.Live != 0 {
			t.Errorf("own work was published: %v", err)
		}
	}
}
