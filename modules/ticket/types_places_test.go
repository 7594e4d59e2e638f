package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// TestATicketKeepsTheCategoryItWasFiledUnder: a new version of the scheme, another code or another scheme for a type say nothing of
// what was filed before; who is put under another type has the place of that type on that day.
func TestATicketKeepsTheCategoryItWasFiledUnder(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	system := access.SystemActor("seed")
	scheme := func(name, version string, codes map[string]string) {
		t.Helper()
		var list []ticket.Category
		for code, word := range codes {
			list = append(list, ticket.Category{Scheme: name, Version: version, Code: code, Name: word, Level: 1})
		}
		if err := f.EnsureCategories(ctx, system, ticket.Scheme{Scheme: name, Version: version, Name: name}, list); err != nil {
			t.Fatal(err)
		}
	}
	put := func(code string, version int64, category, place string) {
		t.Helper()
		names := map[string]string{"labour": "劳动用工", "power": "供电故障"}
		if _, err := f.ChangeType(ctx, desk, ticket.ChangeType{Code: code, Version: version, Name: names[code], Urgency: ticket.Normal, Category: category, CategoryCode: place}); err != nil {
			t.Fatal(err)
		}
		f.clock.Advance(time.Minute)
	}
	want := func(what string, v ticket.View, category, code, name string) {
		t.Helper()
		for _, who := range []access.Actor{desk, baker} {
			if got := f.see(t, who, v); got.Category != category || got.CategoryCode != code || got.CategoryName != name {
				t.Errorf("%s, read by %s: %s %s %s", what, who.Name, got.Category, got.CategoryCode, got.CategoryName)
			}
		}
	}
	scheme("matter", "2026-1", map[string]string{"0201": "用工", "0301": "供电"})
	put("labour", 1, "matter/2026-1", "0201")
	put("power", 1, "matter/2026-1", "0301")
	old := f.mustOpen(t, baker, ask("a"))
	moves := f.mustOpen(t, baker, ask("b"))
	want("new", old, "matter/2026-1", "0201", "用工")
	f.clock.Advance(time.Hour)

	// The scheme gets a new version with another code and word; the next year another scheme takes its place.
	scheme("matter", "2027-1", map[string]string{"0901": "就业和用工", "0301": "供电和充电"})
	put("labour", 2, "matter/2027-1", "0901")
	young := f.mustOpen(t, baker, ask("c"))
	f.clock.Advance(time.Minute)
	scheme("gb39666", "1", map[string]string{"110000": "劳动保障"})
	put("labour", 3, "gb39666/1", "110000")
	youngest := f.mustOpen(t, baker, ask("d"))
	want("of before", old, "matter/2026-1", "0201", "用工")
	want("of the second version", young, "matter/2027-1", "0901", "就业和用工")
	want("of the other scheme", youngest, "gb39666/1", "110000", "劳动保障")

	// Put under another type, it has the place of that type on that day, also after that type moved on. Another urgency alone
	// files nothing anew.
	moves = must(f.Classify(ctx, desk, ticket.ClassifyTicket{Ref: ref(moves), Type: "power", Urgency: moves.Urgency, Reason: "停电"}))(t)
	want("put under another type", moves, "matter/2026-1", "0301", "供电")
	f.clock.Advance(time.Minute)
	put("power", 2, "matter/2027-1", "0301")
	want("after that type moved on", moves, "matter/2026-1", "0301", "供电")
	moves = must(f.Classify(ctx, desk, ticket.ClassifyTicket{Ref: ref(f.see(t, desk, moves)), Type: "power", Urgency: ticket.Critical, Reason: "全楼停电"}))(t)
	want("more urgent alone", moves, "matter/2026-1", "0301", "供电")

	// A start with the same reference data notes nothing again, and another process reads the same.
	n := f.rows(t, "ticket_type_places")
	for range 2 {
		if err := f.EnsureTypes(ctx, system, []ticket.Type{{Code: "power", Name: "供电故障", Category: "x", Urgency: ticket.Urgent, Hours: 24, Sort: 2}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.rows(t, "ticket_type_places"); got != n {
		t.Errorf("%d places after two starts, %d before", got, n)
	}
	f.Service = ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{}})
	want("read by another process", young, "matter/2027-1", "0901", "就业和用工")

	// The file says the same, and the columns leave with those only who ask for them and may take the list out.
	source := f.ExportSource()
	columns := []string{"number", "categoryCode", "categoryName", "category"}
	page, _, err := source.Page(ctx, desk, sheet.Query{Columns: columns, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, row := range page {
		told[fmt.Sprint(row[0])] = fmt.Sprint(row[1:])
	}
	for v, want := range map[*ticket.View][3]string{
		&old: {"0201", "用工", "matter/2026-1"}, &young: {"0901", "就业和用工", "matter/2027-1"}, &youngest: {"110000", "劳动保障", "gb39666/1"},
		&moves: {"0301", "供电", "matter/2026-1"},
	} {
		if got := told[fmt.Sprint(sheet.Text(v.Number))]; got != fmt.Sprint([]sheet.Cell{sheet.Text(want[0]), sheet.Text(want[1]), sheet.Text(want[2])}) {
			t.Errorf("the file says %s, want %s", got, want)
		}
	}
	if _, _, err := source.Page(ctx, bureau, sheet.Query{Columns: columns, Limit: 10}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("taken out without the right: %v", err)
	}
	usual, err := source.Choose(desk, nil)
	if err != nil || slices.ContainsFunc(usual, func(c sheet.SourceColumn) bool { return strings.HasPrefix(c.Key, "category") }) {
		t.Errorf("not asked for: %v %v", usual, err)
	}
}
