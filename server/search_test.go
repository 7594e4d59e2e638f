package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/meilisearch/meilitest"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/seed/demo"
)

var telephone = regexp.MustCompile(`1[3-9]\d{9}`)

// mustSearched is a house with the demo district's tickets, on the database that URL names, and an outside engine when
// there is one.
func mustSearched(t *testing.T, outsideURL, key string) (*house, *clock.Fake) {
	t.Helper()
	ctx := context.Background()
	now := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	world, err := demo.Generate(now)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	c, err := Load("", map[string]any{"data": data, "demo": true, "database": data + "/huiqi.db", "search.meilisearch.url": outsideURL, "search.meilisearch.key": key})
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(ctx, c.Database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := database.Migrate(ctx, db, Migrations()); err != nil {
		t.Fatal(err)
	}
	s := &seeded{world: world, at: clock.NewFake(now), now: now, ids: map[string]int64{}, actors: map[int64]access.Actor{}}
	h, err := build(ctx, c, db, secret.NewKey(), parts{log: slog.New(slog.DiscardHandler), clock: s.at, outside: outside{sender: silent{}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, load := range []func(context.Context) error{h.identity.EnsureRoles, h.ensureTicketTypes} {
		if err := load(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for _, load := range []func(context.Context, *seeded) error{h.seedDepartments, h.seedStaff, h.seedInstitutions, h.seedCompanies, h.seedTickets} {
		s.at.Set(now.AddDate(0, -6, 0))
		if err := load(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	s.at.Set(now)
	return h, s.at
}

func (h *house) mustFind(t *testing.T, q string) (numbers []string, note string) {
	t.Helper()
	f := ticket.ListFilter{Query: q, Limit: 100}
	for {
		p, err := h.tickets.Page(context.Background(), access.SystemActor("test"), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Items {
			numbers = append(numbers, i.Number)
		}
		if f.Cursor, note = p.Next, p.Note; p.Next == "" {
			return numbers, note
		}
	}
}

// TestSearchOutside joins a server of Meilisearch's protocol to the whole program: the same tickets are found with it,
// without it, and after it was tampered with and made anew.
func TestSearchOutside(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	server := meilitest.New(t)
	h, at := mustSearched(t, server.URL, server.Key)
	want, note := h.mustFind(t, "补贴")
	if len(want) == 0 || note != search.Degraded {
		t.Fatalf("before the copy is made: %d, %q", len(want), note)
	}
	sync := func() {
		t.Helper()
		if err := h.feed.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		for _, mirror := range h.mirrors {
			for more := true; more; {
				var err error
				if more, err = mirror.Step(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		at.Advance(time.Minute)
	}
	sync()
	asked := server.Asked()
	got, note := h.mustFind(t, "补贴")
	if fmt.Sprint(got) != fmt.Sprint(want) || note != "" || server.Asked() == asked {
		t.Errorf("outside: %d of %d, %q", len(got), len(want), note)
	}
	// Nobody's phone is outside.
	for _, d := range server.Docs("huiqi_ticket") {
		if telephone.MatchString(d.Text) {
			t.Errorf("a phone in %s", d.Text)
		}
	}
	server.Fail(503)
	at.Advance(time.Minute)
	if got, note := h.mustFind(t, "补贴"); fmt.Sprint(got) != fmt.Sprint(want) || note != search.Degraded {
		t.Errorf("away: %d of %d, %q", len(got), len(want), note)
	}
	health := func() operations.CheckView {
		t.Helper()
		if err := h.operations.Inspect(ctx); err != nil {
			t.Fatal(err)
		}
		v, err := h.operations.Health(ctx, access.SystemActor("test"))
		if err != nil {
			t.Fatal(err)
		}
		return v.Checks[slices.IndexFunc(v.Checks, func(c operations.CheckView) bool { return c.Code == "search" })]
	}
	if c := health(); c.State != operations.Warn || !strings.Contains(c.Text, "已改用数据库检索") {
		t.Errorf("away for a moment: %+v", c)
	}
	at.Advance(10 * time.Minute)
	if c := health(); c.State != operations.Bad || !strings.Contains(c.Text, "10 分钟") {
		t.Errorf("away for ten minutes: %+v", c)
	}
	told, err := h.db.Read().NewSelect().TableExpr("health_incidents").Where("code = 'search' AND closed_at IS NULL").Count(ctx)
	if err != nil || told != 1 {
		t.Errorf("%d alarms, %v", told, err)
	}
	server.Fail(0)
	at.Advance(time.Minute)
	if c := health(); c.State != operations.Normal || c.Text != "正常" {
		t.Errorf("back again: %+v", c)
	}
	server.Tamper("huiqi_ticket", func(docs map[int64]search.Copy) { clear(docs) })
	var out bytes.Buffer
	at.Advance(time.Minute)
	if code, err := searchStatus(ctx, h, &out); err != nil || code != 1 || !strings.Contains(out.String(), "已改用数据库检索") {
		t.Errorf("status %d %v: %s", code, err, out.String())
	}
	out.Reset()
	if err := rebuildSearch(ctx, h, []string{"ticket"}, true, &out); err != nil || !strings.Contains(out.String(), "外部索引已重建并切换") {
		t.Errorf("rebuild: %v %s", err, out.String())
	}
	at.Advance(time.Minute)
	if got, note := h.mustFind(t, "补贴"); fmt.Sprint(got) != fmt.Sprint(want) || note != "" {
		t.Errorf("made anew: %d of %d, %q", len(got), len(want), note)
	}
	out.Reset()
	if code, err := searchStatus(ctx, h, &out); err != nil || code != 0 {
		t.Errorf("status %d %v: %s", code, err, out.String())
	}
	if err := rebuildSearch(ctx, h, []string{"nothing"}, false, &out); !unusable(err) {
		t.Errorf("an unknown kind: %v", err)
	}
}

// TestFreshenSearch has every index made anew that another version made, behind the start.
func TestFreshenSearch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h, _ := mustSearched(t, "", "")
	want, note := h.mustFind(t, "补贴")
	if len(want) == 0 || note != "" {
		t.Fatalf("%d, %q", len(want), note)
	}
	for _, s := range []string{"DELETE FROM search_ticket WHERE rowid % 2 = 0", "UPDATE search_indexes SET layout = ''"} {
		if _, err := h.db.Writer().ExecContext(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	if got, note := h.mustFind(t, "补贴"); len(got) >= len(want) || !strings.Contains(note, "正在建立") {
		t.Errorf("tampered: %d of %d, %q", len(got), len(want), note)
	}
	if err := h.freshenSearch(ctx, parts{log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if got, note := h.mustFind(t, "补贴"); fmt.Sprint(got) != fmt.Sprint(want) || note != "" {
		t.Errorf("made anew: %d of %d, %q", len(got), len(want), note)
	}
	if len(h.mirrors) != 0 {
		t.Error("mirrors without an engine")
	}
	for _, l := range h.listeners {
		if listenerTitle(l.Name) == l.Name {
			t.Errorf("%s has no words for the page of health", l.Name)
		}
	}
	var out bytes.Buffer
	if err := rebuildSearch(ctx, h, nil, true, &out); !unusable(err) {
		t.Errorf("outside without an engine: %v", err)
	}
	if err := rebuildSearch(ctx, h, nil, false, &out); err != nil || strings.Count(out.String(), "已重建并启用") != 7 {
		t.Errorf("%v %s", err, out.String())
	}
}
