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
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/uscc"
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

// TestTicketsByCreditCode finds tickets by what a company is known by: the beginning of its credit code, as the register of
// companies has it, and the end of its phone. Whoever may not see a ticket does not learn of it so.
func TestTicketsByCreditCode(t *testing.T) {
	t.Parallel()
	ctx, system := context.Background(), access.SystemActor("test")
	d := newDistrict(t)
	db, c := d.open(t)
	h := must(build(ctx, c, db, d.key, parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}}}))(t)
	account := func(name string) access.Actor {
		t.Helper()
		var id int64
		if err := db.Read().NewRaw("SELECT id FROM users WHERE account = ?", name).Scan(ctx, &id); err != nil {
			t.Fatal(name, err)
		}
		return must(h.identity.ActorOf(ctx, system, id))(t)
	}
	desk := account("agent")
	// Two companies of one registration authority, which has none in the demo district.
	codes := []string{uscc.Complete("91440106MA5ABCDE1"), uscc.Complete("91440106MA5XYWTU2")}
	var owners []access.Actor
	var firms []int64
	for i, code := range codes {
		user := must(h.identity.CreateOwner(ctx, system, identity.Owner{Name: "王芳", Phone: fmt.Sprintf("1990007%04d", 6101+i)}))(t)
		ids := must(h.enterprises.Load(ctx, system, []enterprise.Known{{Claim: enterprise.Claim{Name: fmt.Sprintf("岭南第%d灯具有限公司", i+1), CreditCode: code, LegalPerson: "王芳"},
			Verified: true, At: time.Now(), Members: []int64{user}}}))(t)
		owners, firms = append(owners, must(h.identity.ActorOf(ctx, system, user))(t)), append(firms, ids[0])
	}
	kind := mustTypeCode(t, h)
	open := func(by access.Actor, cmd ticket.OpenTicket) ticket.View {
		t.Helper()
		cmd.Type, cmd.Title, cmd.Body = kind, "霓虹招牌被风吹落", "门前的霓虹招牌被大风吹落，请协调清运"
		return must(h.tickets.Open(ctx, by, cmd))(t)
	}
	first := open(owners[0], ticket.OpenTicket{Source: ticket.FromH5})
	called := open(desk, ticket.OpenTicket{Source: ticket.FromAgent, ContactName: "李军", Phone: "13700137001", EnterpriseID: firms[0]})
	second := open(owners[1], ticket.OpenTicket{Source: ticket.FromH5})

	// One department has the first ticket; another has nothing to do with any of them.
	units := must((units{h.identity}).Units(ctx, db.Read()))(t)
	var with, without access.Actor
	for _, u := range units {
		var id int64
		_ = db.Read().NewRaw("SELECT coalesce(min(id), 0) FROM users WHERE party = 'government' AND department_id = ? AND disabled_at IS NULL", u.ID).Scan(ctx, &id)
		if id == 0 {
			continue
		}
		a := must(h.identity.ActorOf(ctx, system, id))(t)
		if !a.Can(ticket.PermReply) || a.Can(ticket.PermOpen) {
			continue
		}
		if with.UserID == 0 {
			with = a
			first = must(h.tickets.Dispatch(ctx, desk, ticket.DispatchTicket{Ref: ticket.Ref{ID: first.ID, Version: first.Version}, UnitID: u.ID}))(t)
		} else {
			without = a
			break
		}
	}
	if without.UserID == 0 {
		t.Fatal("two departments are needed")
	}
	bank := account("bank-yunhe-1")

	list := func(views ...ticket.View) string {
		var out []string
		for _, v := range views {
			out = append(out, v.Number)
		}
		return strings.Join(out, " ")
	}
	const byCode, byTail = "按统一社会信用代码查找", "按联系电话后四位查找"
	all, whole := list(second, called, first), strings.ToLower(codes[0])
	for _, q := range []struct {
		what string
		by   access.Actor
		q    string
		want string
		note string
	}{
		{"the authority's eight digits", desk, codes[0][:8], all, byCode},
		{"the beginning", desk, codes[0][:12], list(called, first), byCode},
		{"the beginning in small letters", desk, whole[:13], list(called, first), byCode},
		{"the whole code", desk, codes[1], list(second), byCode},
		{"the whole code, in groups and small letters", desk, " " + whole[:8] + " " + whole[8:] + " ", list(called, first), byCode},
		{"a code of nobody, one character off", desk, codes[0][:16] + "0", "", ""},
		{"less than an authority is words", desk, codes[0][:6], "", ""},
		{"its own company", owners[0], codes[0][:12], list(called, first), byCode},
		{"a rival", owners[1], codes[0][:12], "", byCode},
		{"a rival, by the authority", owners[1], codes[0][:8], list(second), byCode},
		{"the department that has it", with, codes[0], list(first), byCode},
		{"another department", without, codes[0], "", byCode},
		{"an institution", bank, codes[0], "", byCode},
		{"a phone's tail", desk, "6101", list(first), byTail},
		{"the tail of who called", desk, "7001", list(called), byTail},
		{"a tail, another department", without, "6101", "", byTail},
		{"a tail, an institution", bank, "6101", "", byTail},
	} {
		p, err := h.tickets.Page(ctx, q.by, ticket.ListFilter{Query: q.q, Limit: 100})
		if err != nil {
			t.Errorf("%s: %v", q.what, err)
			continue
		}
		var got []string
		for _, i := range p.Items {
			got = append(got, i.Number)
			if i.Marks != nil {
				t.Errorf("%s: an exact thing is marked: %+v", q.what, i.Marks)
			}
		}
		if strings.Join(got, " ") != q.want || p.Note != q.note {
			t.Errorf("%s: %q %q, want %q %q", q.what, got, p.Note, q.want, q.note)
		}
	}
	// The same in the field of the filter, which has no words to fall back on.
	p, err := h.tickets.Page(ctx, desk, ticket.ListFilter{Fields: ticket.Fields{Code: whole[:12]}})
	if err != nil || len(p.Items) != 2 || p.Items[0].Number != called.Number || p.Items[1].Number != first.Number {
		t.Errorf("the field: %+v, %v", p.Items, err)
	}

	// What a word found is marked in the title and in the request, whole and nothing else.
	if p, err = h.tickets.Page(ctx, desk, ticket.ListFilter{Query: "霓虹招牌"}); err != nil || len(p.Items) != 3 {
		t.Fatalf("by a word: %d, %v", len(p.Items), err)
	}
	for _, i := range p.Items {
		for what, pieces := range map[string][]search.Piece{"霓虹招牌被风吹落": i.Marks.Title, "门前的霓虹招牌被大风吹落，请协调清运": i.Marks.Excerpt} {
			text, hits := "", ""
			for _, p := range pieces {
				if text += p.Text; p.Hit {
					hits += "[" + p.Text + "]"
				}
			}
			if text != what || hits != "[霓虹招牌]" {
				t.Errorf("%s: %q marks %s", i.Number, text, hits)
			}
		}
	}
	if p, err := h.tickets.Page(ctx, without, ticket.ListFilter{Query: "霓虹招牌"}); err != nil || len(p.Items) != 0 {
		t.Errorf("another department, by a word: %+v, %v", p.Items, err)
	}
}
