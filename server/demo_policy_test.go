package server

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/demo"
)

// TestDemoPolicies loads the policies of the demo district: every condition is understood, and every sentence it quotes is
// found in a clause of the text.
func TestDemoPolicies(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	now := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	world, err := demo.Generate(now)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load("", map[string]any{"data": t.TempDir(), "demo": true})
	if err != nil {
		t.Fatal(err)
	}
	s := &seeded{world: world, at: clock.NewFake(now), ids: map[string]int64{}, actors: map[int64]access.Actor{}}
	h, err := build(ctx, c, databasetest.New(t, Migrations()), secret.NewKey(), parts{log: slog.New(slog.DiscardHandler), clock: s.at, outside: outside{sender: silent{}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.seedDepartments(ctx, s); err != nil {
		t.Fatal(err)
	}
	if err := h.seedPolicies(ctx, s); err != nil {
		t.Fatal(err)
	}
	s.at.Set(now)
	list, err := h.policies.Page(ctx, access.Actor{}, policy.Filter{Limit: 100}, 1)
	if err != nil || list.Count != len(world.Policies) || len(list.Items) != len(world.Policies) {
		t.Fatalf("%d of %d policies, %v", list.Count, len(world.Policies), err)
	}
	for _, p := range world.Policies {
		v, err := h.policies.Get(ctx, access.Actor{}, s.ids["policy:"+p.Key])
		if err != nil {
			t.Fatal(err)
		}
		if v.Matchable != (p.Conditions != nil) || v.HandlerName == "" || len(v.Clauses) < 5 {
			t.Errorf("%s: %+v", p.Title, v.Item)
		}
		for _, l := range v.Conditions {
			if l.Kind == "clause" && (l.Clause == "" || l.Label == "") {
				t.Errorf("%s: %+v stands in no clause", p.Title, l)
			}
		}
	}
}
