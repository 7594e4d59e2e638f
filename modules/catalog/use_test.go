package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

type applied map[int64]int64

func (a applied) Applied(context.Context, bun.IDB, time.Time) (map[int64]int64, error) { return a, nil }

// TestHeatIsRealUse: each person counts once a day, crawlers and those who work on products never; old views are forgotten,
// and only what is public is hot.
func TestHeatIsRealUse(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.Blind = func(text string) string { return fmt.Sprintf("%x", text) }
	a, b, c := f.mustList(t, banker, loan()), f.mustList(t, lawyer, service()), f.mustList(t, banker, loan())
	f.Uses = applied{b.ID: 2, c.ID: 1}
	open := func(id int64, actor access.Actor) {
		t.Helper()
		must(f.Show(ctx, actor, id))(t)
	}
	for n := range 9 {
		open(a.ID, access.Actor{Party: access.Anonymous, IP: fmt.Sprint("10.0.0.", n), UserAgent: "Mozilla"})
	}
	for range 3 {
		open(a.ID, baker)
		open(a.ID, access.Actor{Party: access.Anonymous, IP: "10.0.0.1", UserAgent: "Mozilla"})
		open(a.ID, access.Actor{Party: access.Anonymous, IP: "10.0.0.200", UserAgent: "Baiduspider/2.0"})
		open(a.ID, banker)
		open(a.ID, first)
	}
	reckon := func(want string) {
		t.Helper()
		must(f.ReckonHeat(ctx, machine))(t)
		found := must(f.Browse(ctx, nobody, catalog.BrowseFilter{Sort: catalog.ByHeat}))(t)
		got := ""
		for _, k := range found.Items {
			got += fmt.Sprint(k.ID, map[bool]string{true: "!", false: " "}[k.Hot])
		}
		if got != want {
			t.Errorf("by heat %q, want %q", got, want)
		}
	}
	reckon(fmt.Sprint(b.ID, "!", c.ID, "!", a.ID, "!")) // 20, 10, and 10 views
	f.clock.Advance(24 * time.Hour)
	open(a.ID, baker)
	reckon(fmt.Sprint(b.ID, "!", a.ID, "!", c.ID, "!")) // the next day counts again
	f.Uses = applied{c.ID: 1}
	f.clock.Advance(29 * 24 * time.Hour)
	reckon(fmt.Sprint(c.ID, "!", a.ID, " ", b.ID, " ")) // the first day is forgotten
	must(f.TakeDown(ctx, first, catalog.TakeDownProduct{Ref: ref(must(f.Get(ctx, first, c.ID))(t)), Reason: "核查"}))(t)
	reckon(fmt.Sprint(a.ID, " ", b.ID, " "))
	if _, err := f.ReckonHeat(ctx, first); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("by a person: %v", err)
	}
}
