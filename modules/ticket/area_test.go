package ticket_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// streets are two towns.
type streets struct{}

func (streets) Areas() []ticket.Area {
	return []ticket.Area{{Code: "114", Name: "台湖镇"}, {Code: "106", Name: "漷县镇"}}
}

func (streets) AreaIn(words string) string {
	lake, county := strings.Contains(words, "台湖"), strings.Contains(words, "漷县")
	switch {
	case lake && !county:
		return "114"
	case county && !lake:
		return "106"
	}
	return ""
}

func located(t *testing.T) fixture {
	t.Helper()
	f := mustDesk(t, ticket.Assigning{})
	f.Service = ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{}, People: folk{}, Seats: seats{}, Areas: streets{}})
	return f
}

func (f fixture) openIn(t *testing.T, key, body, area string) ticket.View {
	t.Helper()
	cmd := call(key)
	cmd.Body, cmd.Area = body, area
	return f.mustOpen(t, desk, cmd)
}

func numbers(items []ticket.Item) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.Number)
	}
	slices.Sort(out)
	return out
}

func TestATicketLiesInAStreetOrTown(t *testing.T) {
	t.Parallel()
	f, ctx := located(t), context.Background()
	read := f.openIn(t, "1", "台湖的厂区停水", "")
	chosen := f.openIn(t, "2", "台湖的厂区停水，另在漷县有库房", "106")
	silent := f.openIn(t, "3", "厂区停水", "")
	if read.AreaName != "台湖镇" || chosen.Area != "106" || silent.Area != "" || silent.AreaName != "" {
		t.Fatalf("%q %q %q", read.AreaName, chosen.Area, silent.Area)
	}
	cmd := call("4")
	cmd.Area = "999"
	if _, err := f.Open(ctx, desk, cmd); !errors.Is(err, ticket.ErrArea) {
		t.Errorf("unknown area: %v", err)
	}
	for _, c := range []struct {
		areas []string
		query string
		want  []string
	}{
		{[]string{"114"}, "", []string{read.Number}},
		{[]string{"114", ticket.NoArea}, "", []string{read.Number, silent.Number}},
		{[]string{"106"}, "厂区停水", []string{chosen.Number}},
		{[]string{"106"}, read.Number, nil},
	} {
		p, err := f.Page(ctx, desk, ticket.ListFilter{Query: c.query, Fields: ticket.Fields{Areas: c.areas}})
		if err != nil || !slices.Equal(numbers(p.Items), c.want) {
			t.Errorf("%v %q: %v %v", c.areas, c.query, numbers(p.Items), err)
		}
	}
	if _, err := f.Page(ctx, desk, ticket.ListFilter{Fields: ticket.Fields{Areas: []string{"999"}}}); !errors.Is(err, ticket.ErrArea) {
		t.Errorf("unknown filter: %v", err)
	}
	view, err := f.SaveView(ctx, desk, ticket.SaveView{Key: "v", ViewText: ticket.ViewText{Name: "漷县", Holder: ticket.PersonalView, Filter: map[string][]string{"area": {"106"}}, Columns: []string{"areaName"}}})
	if err != nil || !slices.Equal(view.Filter["area"], []string{"106"}) {
		t.Fatalf("%+v %v", view, err)
	}
	source := f.ExportSource()
	filter := sheet.Filter{"area": "114,none"}
	page, _, err := source.Page(ctx, desk, sheet.Query{Filter: filter, Columns: []string{"number", "area"}, Limit: 10})
	if err != nil || len(page) != 2 || page[1][1] != sheet.Text("台湖镇") {
		t.Errorf("exported %+v %v", page, err)
	}
	if words, err := source.Describe(filter); err != nil || words != "街道乡镇：台湖镇、未注明" {
		t.Errorf("%q %v", words, err)
	}
}

func TestWhereATicketLiesIsCorrected(t *testing.T) {
	t.Parallel()
	f, ctx := located(t), context.Background()
	v := f.openIn(t, "1", "台湖的厂区停水", "")
	move := func(a access.Actor, key, to, seen string) (ticket.View, error) {
		return f.Locate(ctx, a, ticket.LocateTicket{ID: v.ID, Key: key, Area: to, Seen: seen})
	}
	now := must(move(desk, "a", "106", "114"))(t)
	again := must(move(desk, "a", "106", "114"))(t)
	last := now.Timeline[len(now.Timeline)-1]
	if now.AreaName != "漷县镇" || now.Version != v.Version || last.Label != "区域改为漷县镇" || len(again.Timeline) != len(now.Timeline) {
		t.Fatalf("%+v", now)
	}
	if mine := must(f.Get(ctx, desk, v.ID))(t); mine.Status != ticket.Received {
		t.Errorf("%s", mine.Status)
	}
	if _, err := move(desk, "b", "", "114"); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "漷县镇") {
		t.Errorf("stale: %v", err)
	}
	if _, err := move(desk, "c", "999", "106"); !errors.Is(err, ticket.ErrArea) {
		t.Errorf("unknown: %v", err)
	}
	if _, err := move(baker, "d", "114", "106"); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("requester: %v", err)
	}
	noting := bureauClerk
	noting.Permissions = permissions()
	if _, err := move(noting, "e", "114", "106"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a unit that has nothing to do with it: %v", err)
	}
	must(f.Dispatch(ctx, desk, ticket.DispatchTicket{Ref: ref(now), UnitID: 10}))(t)
	if got := must(move(noting, "f", "114", "106"))(t); got.Area != "114" {
		t.Errorf("its unit: %+v", got)
	}
}

func TestManyAreLocatedAndPutBack(t *testing.T) {
	t.Parallel()
	f, ctx := located(t), context.Background()
	a, b, c := f.openIn(t, "1", "停水", ""), f.openIn(t, "2", "台湖停水", ""), f.openIn(t, "3", "漷县停水", "")
	if _, err := f.StartBulk(ctx, desk, ticket.StartBulk{Key: "0", Action: ticket.BulkLocate, Targets: targets(a)}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no area: %v", err)
	}
	f.clock.Advance(time.Minute)
	done := f.bulk(t, desk, ticket.StartBulk{Key: "1", Action: ticket.BulkLocate, Params: ticket.BulkParams{Area: "106"}, Targets: targets(a, b, c)})
	where := func() string {
		return f.see(t, desk, a).Area + "," + f.see(t, desk, b).Area + "," + f.see(t, desk, c).Area
	}
	if done.Done != 3 || done.Failed != 0 || where() != "106,106,106" {
		t.Fatalf("%+v %s", done, where())
	}
	if _, err := f.UndoBulk(ctx, desk, done.ID, "选错了", "u"); err != nil {
		t.Fatal(err)
	}
	if undone := f.worked(t, desk, done.ID); undone.Undone != 2 || where() != ",114,106" {
		t.Errorf("%+v %s", undone, where())
	}
}

func TestTicketsOfBeforeArePlaced(t *testing.T) {
	t.Parallel()
	f, ctx := located(t), context.Background()
	old, set := f.openIn(t, "1", "台湖的厂区停水", ""), f.openIn(t, "2", "台湖的厂区停水", "106")
	if _, err := f.db.Writer().ExecContext(ctx, "UPDATE tickets SET area = NULL WHERE number = '"+old.Number+"'"); err != nil {
		t.Fatal(err)
	}
	if got := f.see(t, desk, old); got.Area != "" {
		t.Fatalf("%+v", got.Area)
	}
	if p, err := f.Page(ctx, desk, ticket.ListFilter{Query: "厂区停水"}); err != nil || len(p.Items) != 2 {
		t.Fatalf("found %+v %v", p, err)
	}
	system := access.SystemActor("test")
	if n, err := f.PlaceTickets(ctx, system); err != nil || n != 1 {
		t.Fatalf("%d %v", n, err)
	}
	if n, err := f.PlaceTickets(ctx, system); err != nil || n != 0 || f.see(t, desk, old).Area != "114" || f.see(t, desk, set).Area != "106" {
		t.Errorf("%d %v", n, err)
	}
	if _, err := f.PlaceTickets(ctx, desk); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("%v", err)
	}
}
