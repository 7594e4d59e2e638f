package server

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/demo"
)

// TestDemoApplications loads the applications of the demo district through the modules joined as they run: each stands
// where its story ends, nobody outside sees it, and no phone lies in clear.
func TestDemoApplications(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	now := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	world, err := demo.Generate(now)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load("", map[string]any{"data": t.TempDir(), "demo": true, "requests_per_minute": 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	s := &seeded{world: world, at: clock.NewFake(now), now: now, ids: map[string]int64{}, actors: map[int64]access.Actor{}}
	h, err := build(ctx, c, databasetest.New(t, Migrations()), secret.NewKey(), parts{log: slog.New(slog.DiscardHandler), clock: s.at, outside: outside{sender: silent{}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.identity.EnsureRoles(ctx); err != nil {
		t.Fatal(err)
	}
	for _, load := range []func(context.Context, *seeded) error{
		h.seedDepartments, h.seedStaff, h.seedInstitutions, h.seedCompanies, h.seedProducts, h.seedApplications,
	} {
		s.at.Set(now.AddDate(0, -6, 0))
		if err := load(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	s.at.Set(now)
	drafted, want, got := 0, map[application.Status]int{}, map[application.Status]int{}
	for _, a := range world.Applications {
		if a.State == "draft" {
			drafted++
		} else {
			want[application.Status(a.State)]++
		}
	}
	var last application.Item
	system := access.SystemActor("test")
	for f := (application.ListFilter{Limit: 100}); ; {
		items, next, err := h.applications.List(ctx, system, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			got[i.Status]++
			last = i
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, the stories end with %v", got, want)
	}
	drafts, err := h.db.Read().NewSelect().TableExpr("application_drafts").Count(ctx)
	if err != nil || int(drafts) != drafted {
		t.Errorf("%d of %d drafts, %v", drafts, drafted, err)
	}
	for _, q := range []string{"SELECT phone_sealed FROM applications", "SELECT sealed FROM application_drafts", "SELECT facts FROM events WHERE object = 'application'"} {
		var rows []string
		if err := h.db.Read().NewRaw(q).Scan(ctx, &rows); err != nil || len(rows) == 0 {
			t.Fatalf("%s: %d rows, %v", q, len(rows), err)
		}
		for _, row := range rows {
			if strings.Contains(row, "19900") {
				t.Errorf("%s holds a phone in clear", q)
			}
		}
	}

	stranger := owner(t, h, "13800138021")
	walked := 0
	for _, r := range h.web.Routes() {
		if !strings.Contains(r.Path, "/applications/") {
			continue
		}
		walked++
		path := func(id int64) string { return parameter.ReplaceAllString(r.Path, fmt.Sprint(id)) }
		body := `{"version":1,"note":"好的","reason":"没有道理的理由","amount":1,"rate":1,"term":1,"userId":1}`
		status, text := ask(t, h, r.Method, path(last.ID), stranger, body)
		missing, _ := ask(t, h, r.Method, path(987654), stranger, body)
		if status != missing || status < 400 || strings.Contains(text, last.ProductName) {
			t.Errorf("%s %s: somebody else's answers %d, a missing one %d", r.Method, r.Path, status, missing)
		}
	}
	if walked < 15 {
		t.Errorf("only %d routes were walked", walked)
	}
}
