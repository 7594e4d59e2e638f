package ticket_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// colleagues are two people of the unit, and one of the desk.
type colleagues struct{}

func (colleagues) Handlers(_ context.Context, _ bun.IDB, unit int64) ([]ticket.Colleague, error) {
	if unit == 0 {
		return []ticket.Colleague{{ID: 51, Name: "周敏"}}, nil
	}
	return []ticket.Colleague{{ID: 60, Name: "赵强", Unit: "区人社局"}, {ID: 63, Name: "钱进", Unit: "区人社局"}}, nil
}

// clerk is an agent who is no lead.
func clerk(user int64) access.Actor {
	a := agent(user, "坐席")
	a.Permissions = slices.DeleteFunc(a.Permissions, func(p access.Permission) bool { return p == ticket.PermConfidential })
	return a
}

// TestConfidential asks every door of the module for a confidential ticket, as each who sees it and as each who does not.
func TestConfidential(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	cmd := ask("a")
	cmd.Title, cmd.Body = "举报用工违法", "同事被拖欠工资，请勿透露我的姓名"
	v := f.mustDispatch(t, f.mustOpen(t, baker, cmd), 10)
	second := f.mustOpen(t, baker, ask("b"))
	confide := ticket.Confide{Ref: ref(v), Level: 1, AskedBy: "企业本人", Reason: "举报人要求保密", People: []int64{60}}
	if _, err := f.Confide(ctx, clerk(51), confide); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("an agent made it confidential: %v", err)
	}
	for name, wrong := range map[string]func(c *ticket.Confide){
		"level": func(c *ticket.Confide) { c.Level = 9 }, "reason": func(c *ticket.Confide) { c.Reason = " " }, "askedBy": func(c *ticket.Confide) { c.AskedBy = "" },
		"people": func(c *ticket.Confide) { c.People = []int64{999} },
	} {
		c := confide
		wrong(&c)
		_, err := f.Confide(ctx, desk, c)
		if fa, ok := fault.As(err); !ok || len(fa.Fields) != 1 || fa.Fields[0].Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := confide
	none.People = nil
	if _, err := f.Confide(ctx, desk, none); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a dispatched ticket that nobody of the unit sees: %v", err)
	}
	v = must(f.Confide(ctx, desk, confide))(t)
	if v.Secrecy != 1 {
		t.Fatalf("%+v", v.Item)
	}
	for who, want := range map[*access.Actor]int{{UserID: 51, Party: access.Platform, Scope: access.ScopeDistrict, Permissions: clerk(51).Permissions}: 1, &desk: 0, &bureau: 0} {
		hidden, err := f.Hidden(ctx, *who, start.Add(-time.Hour), start.Add(time.Hour), "ticket.opened")
		if err != nil || len(hidden) != want {
			t.Errorf("counts of %d leave out %v, %v", who.UserID, hidden, err)
		}
	}

	other := staff(63, 10, [4]int64{1, 10}, access.ScopeSubtree) // of the same unit, not named
	partner := boss(8, 70)                                       // of the same company
	named := clerk(51)
	seers, strangers := []access.Actor{desk, bureau, baker}, []access.Actor{named, other, squad, tax, partner}
	audience, err := f.Audience(ctx, f.db.Read(), []int64{v.ID})
	if err != nil {
		t.Fatal(err)
	}
	inList := func(a access.Actor, query string) bool {
		t.Helper()
		items, _, err := f.List(ctx, a, ticket.ListFilter{Query: query, Limit: 50})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(items, func(i ticket.Item) bool { return i.ID == v.ID })
	}
	queries := []string{"", v.Number, "举报用工违法", "13800138000", "8000"}
	for _, a := range seers {
		if _, err := f.Get(ctx, a, v.ID); err != nil || !audience[v.ID](a) {
			t.Errorf("%s %d: %v, told %v", a.Party, a.UserID, err, audience[v.ID](a))
		}
		for _, q := range queries {
			if !inList(a, q) {
				t.Errorf("%s %d does not find it by %q", a.Party, a.UserID, q)
			}
		}
	}
	for _, a := range strangers {
		for what, err := range map[string]error{
			"get": errorOf(f.Get(ctx, a, v.ID)), "sees": f.Sees(ctx, a, v.ID), "clocks": errorOf(f.Clocks(ctx, a, v.ID)), "confidence": errorOf(f.Confidence(ctx, a, v.ID)),
			"reveal": errorOf(f.Reveal(ctx, a, v.ID, "回访")), "confide": errorOf(f.Confide(ctx, a, ticket.Confide{Ref: ref(v), Reason: "解除"})),
		} {
			if !errors.Is(err, ticket.ErrNotFound) {
				t.Errorf("%s %d, %s: %v", a.Party, a.UserID, what, err)
			}
		}
		if audience[v.ID](a) {
			t.Errorf("%s %d is told of it", a.Party, a.UserID)
		}
		for _, q := range queries {
			if inList(a, q) {
				t.Errorf("%s %d finds it by %q", a.Party, a.UserID, q)
			}
		}
	}
	// The sheet and its count, and a command on it.
	for _, a := range []access.Actor{desk, named} {
		src := f.ExportSource()
		want := map[bool]int{true: 2, false: 1}[a.UserID == desk.UserID]
		n, err := src.Count(ctx, a, sheet.Filter{}, 100)
		if err != nil || n != want {
			t.Errorf("%d counts %d tickets to export, want %d, %v", a.UserID, n, want, err)
		}
		rows, _, err := src.Page(ctx, a, sheet.Query{Columns: []string{"number"}, Limit: 100})
		if err != nil || len(rows) != want {
			t.Errorf("%d exports %d tickets, want %d, %v", a.UserID, len(rows), want, err)
		}
	}
	if _, err := f.Void(ctx, named, ticket.VoidTicket{Ref: ref(v), Reason: "没有道理"}); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("a command of one who does not see it: %v", err)
	}
	if _, err := f.Merge(ctx, desk, ticket.MergeTicket{Ref: ref(second), IntoID: v.ID}); !errors.Is(err, ticket.ErrMerge) {
		t.Errorf("merged into it: %v", err)
	}
	if people, secret, err := f.Cleared(ctx, f.db.Read(), v.ID); err != nil || !secret || !slices.Contains(people, 60) || !slices.Contains(people, 7) || slices.Contains(people, 63) {
		t.Errorf("who may hear of it: %v, %v, %v", people, secret, err)
	}
	// Naming another person, then lifting it.
	confide.Ref, confide.People = ref(v), []int64{51, 60}
	v = must(f.Confide(ctx, desk, confide))(t)
	if _, err := f.Get(ctx, named, v.ID); err != nil {
		t.Errorf("the agent who was named: %v", err)
	}
	for _, s := range must(f.Get(ctx, baker, v.ID))(t).Timeline {
		if s.Kind == "ticket.confided" {
			t.Error("the requester reads who is confided in")
		}
	}
	v = must(f.Confide(ctx, desk, ticket.Confide{Ref: ref(v), Reason: "已公开"}))(t)
	for _, a := range []access.Actor{other, partner, clerk(52)} {
		if _, err := f.Get(ctx, a, v.ID); err != nil {
			t.Errorf("no longer confidential: %s %d: %v", a.Party, a.UserID, err)
		}
	}
	if n, err := f.db.Read().NewSelect().TableExpr("audit_entries").Where("action = 'ticket.confide'").Count(ctx); err != nil || n != 3 {
		t.Errorf("%d lines in the audit log, %v", n, err)
	}
}

func errorOf[T any](_ T, err error) error { return err }

func TestReveal(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("a")), 10)
	handler := bureau
	handler.Permissions = append(slices.Clone(handler.Permissions), ticket.PermReveal)
	slices.Sort(handler.Permissions)
	for _, a := range []access.Actor{desk, handler} {
		if phone, err := f.Reveal(ctx, a, v.ID, "电话回访"); err != nil || phone != "13800138000" {
			t.Errorf("%s: %q, %v", a.Name, phone, err)
		}
	}
	if _, err := f.Reveal(ctx, desk, v.ID, "  "); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := f.Reveal(ctx, bureau, v.ID, "联系企业"); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
	if _, err := f.Reveal(ctx, tax, v.ID, "联系企业"); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("a unit that has nothing to do with it: %v", err)
	}
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		_, err = f.Reveal(ctx, handler, v.ID, "联系企业")
	}
	if !errors.Is(err, ticket.ErrReveals) || n != 40 { // one went before
		t.Errorf("after %d: %v", n, err)
	}
	f.clock.Advance(time.Hour + time.Second)
	if _, err := f.Reveal(ctx, handler, v.ID, "联系企业"); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	watch := access.Actor{UserID: 90, Party: access.Platform, Permissions: []access.Permission{ticket.PermReveals}}
	list, next, err := f.Reveals(ctx, watch, "", 20)
	if err != nil || len(list) != 20 || next == "" || list[0].Name != "赵强" || list[0].Reason != "联系企业" || list[0].Number != v.Number {
		t.Errorf("%d, next %q, %v", len(list), next, err)
	}
	if _, _, err := f.Reveals(ctx, desk, "", 20); err != nil {
		t.Errorf("holders of the right: %v", err)
	}
	if _, _, err := f.Reveals(ctx, handler, "", 20); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
}
