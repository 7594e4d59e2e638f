package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// folk are the people of the tests: three agents, a lead of the desk and two people of unit 10.
type folk struct{ gone map[int64]bool }

var (
	lin   = plainAgent(51)
	zhou  = plainAgent(52)
	wu    = plainAgent(53)
	hands = everyRight(staff(63, 10, [4]int64{1, 10}, access.ScopeDepartment))
	head  = everyRight(bureau)
)

func everyRight(a access.Actor) access.Actor {
	a.Permissions = permissions()
	return a
}

func without(a access.Actor, rights ...access.Permission) access.Actor {
	a.Permissions = slices.DeleteFunc(slices.Clone(a.Permissions), func(p access.Permission) bool { return slices.Contains(rights, p) })
	return a
}

func (folk) Handlers(_ context.Context, _ bun.IDB, unit int64) ([]ticket.Person, error) {
	switch unit {
	case ticket.DeskPlace:
		return []ticket.Person{{ID: 50, Name: "李敏"}, {ID: 51, Name: "坐席51"}, {ID: 52, Name: "坐席52"}, {ID: 53, Name: "坐席53"}}, nil
	case 10:
		return []ticket.Person{{ID: 60, Name: "赵强"}, {ID: 63, Name: "钱进"}}, nil
	}
	return nil, nil
}

func (f folk) Now(_ context.Context, id int64) (access.Actor, error) {
	for _, a := range []access.Actor{desk, lin, zhou, wu, head, hands, tax, baker} {
		if a.UserID == id && !f.gone[id] {
			return a, nil
		}
	}
	return access.Actor{}, fault.ErrNotFound
}

// seats is a table of who is ready for what.
type seats struct{}

func (seats) Ready(ctx context.Context, db bun.IDB, _ time.Time, skill string) ([]int64, error) {
	var ids []int64
	err := db.NewSelect().TableExpr("test_seats").Column("user_id").Where("skill = ?", skill).OrderExpr("user_id").Scan(ctx, &ids)
	return ids, err
}

func mustDesk(t *testing.T, how ticket.Assigning) fixture {
	t.Helper()
	f := mustNew(t)
	if _, err := f.db.Writer().ExecContext(context.Background(), "CREATE TABLE test_seats (user_id BIGINT NOT NULL, skill VARCHAR NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	f.Service = ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{},
		People: folk{}, Seats: seats{}, Assigning: how})
	return f
}

func (f fixture) ready(t *testing.T, skill string, users ...int64) {
	t.Helper()
	for _, u := range users {
		if _, err := f.db.Writer().ExecContext(context.Background(), fmt.Sprintf("INSERT INTO test_seats VALUES (%d, '%s')", u, skill)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOfFiftyClaimsOneWins(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	v := f.mustOpen(t, baker, ask("a"))
	var wg sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			a := plainAgent(int64(100 + i))
			a.Name = fmt.Sprintf("坐席%d", 100+i)
			_, errs[i] = f.Claim(ctx, a, ticket.HoldTicket{ID: v.ID, Key: fmt.Sprint(i)})
		}()
	}
	wg.Wait()
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won >= 0:
			t.Fatal("two won")
		case err == nil:
			won = i
		case !errors.Is(err, ticket.ErrHeld):
			t.Fatalf("claim %d: %v", i, err)
		}
	}
	if won < 0 {
		t.Fatal("nobody won")
	}
	name := fmt.Sprintf("坐席%d", 100+won)
	for i, err := range errs {
		if err != nil && !strings.Contains(err.Error(), name) {
			t.Fatalf("claim %d does not say who has it: %v", i, err)
		}
	}
	now := f.see(t, desk, v)
	if now.Version != v.Version || now.Desk.HolderID != int64(100+won) || f.rows(t, "ticket_holders") != 1 {
		t.Fatalf("version %d, holder %+v", now.Version, now.Desk)
	}
	if n := strings.Count(labels(now), "领取"); n != 1 {
		t.Fatalf("%d claims in the timeline: %s", n, labels(now))
	}
	// The requester and the unit learn nothing of it.
	if got := f.see(t, baker, v); got.Desk != nil || strings.Contains(labels(got), "领取") || got.HolderName != "" {
		t.Fatalf("the requester sees %+v %s", got.Desk, labels(got))
	}
}

func labels(v ticket.View) string {
	var out []string
	for _, s := range v.Timeline {
		out = append(out, s.Label)
	}
	return strings.Join(out, "|")
}

func TestHoldingAtTheDeskAndInAUnit(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	v := f.mustOpen(t, baker, ask("a"))
	hold := func(user, seen int64) ticket.HoldTicket { return ticket.HoldTicket{ID: v.ID, UserID: user, Seen: seen} }
	must(f.Claim(ctx, lin, hold(0, 0)))(t)
	must(f.Claim(ctx, lin, hold(0, 0)))(t) // it is hers already
	_, err := f.Release(ctx, zhou, hold(0, 0))
	zhouPlain := without(zhou, ticket.PermAssign)
	_, err2 := f.Release(ctx, zhouPlain, hold(0, 0))
	if err != nil { // zhou may assign, so she may release
		t.Fatal(err)
	}
	says(t, "release of a free one", err2, ticket.ErrNotHeld, "没有人领取")
	must(f.Claim(ctx, lin, hold(0, 0)))(t)
	_, err = f.Release(ctx, zhouPlain, hold(0, 0))
	says(t, "release of hers", err, ticket.ErrNotHeld, lin.Name)
	_, err = f.Assign(ctx, zhouPlain, hold(52, 51))
	if !errors.Is(err, ticket.ErrForbidden) {
		t.Fatalf("assigning what a colleague has without the right: %v", err)
	}
	_, err = f.Assign(ctx, desk, hold(53, 52))
	says(t, "assigning what has changed hands", err, ticket.ErrHeld, lin.Name)
	if _, err = f.Assign(ctx, desk, hold(60, 51)); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("assigning to somebody of a unit: %v", err)
	}
	must(f.Assign(ctx, without(lin, ticket.PermAssign), hold(52, 51)))(t) // she passes on her own
	if got := f.see(t, desk, v); got.HolderID != 52 {
		t.Fatalf("holder %d", got.HolderID)
	}
	// The unit has its own holder; the desk keeps its.
	if _, err := f.Claim(ctx, head, hold(0, 0)); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("a unit that does not see it: %v", err)
	}
	v = f.mustDispatch(t, f.see(t, desk, v), 10)
	got := must(f.Claim(ctx, hands, hold(0, 0)))(t)
	if got.HolderID != 63 || len(got.Desk.Holders) != 1 || strings.Contains(labels(got), "坐席") {
		t.Fatalf("the unit sees %+v %s", got.Desk.Holders, labels(got))
	}
	if all := f.see(t, desk, v); len(all.Desk.Holders) != 2 || all.HolderID != 52 {
		t.Fatalf("the desk sees %+v", all.Desk.Holders)
	}
	if _, err := f.Claim(ctx, everyRight(tax), hold(0, 0)); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("another unit: %v", err)
	}
	people, err := f.Colleagues(ctx, hands, v.ID)
	if err != nil || len(people) != 2 || people[1].ID != 63 {
		t.Fatalf("colleagues %v %v", people, err)
	}
	// Given back, the ticket is nobody's in the unit any more.
	must(f.Assign(ctx, head, hold(60, 63)))(t)
	must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	back := must(f.AskReturn(ctx, head, ticket.AskTicket{Ref: ref(f.see(t, head, v)), HopID: v.Hops[0].ID, Code: "not_ours", Basis: "区政府三定方案", Text: "不属本单位职责"}))(t)
	must(f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(f.see(t, desk, v)), RequestID: back.Requests[0].ID, Grant: true}))(t)
	if f.rows(t, "ticket_holders") != 1 {
		t.Fatal("the unit still holds what it gave back")
	}
	v = must(f.Answer(ctx, desk, ticket.AnswerTicket{Ref: ref(f.see(t, desk, v)), Text: "已电话说明。"}))(t)
	must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v)}))(t)
	_, err = f.Claim(ctx, wu, hold(0, 0))
	says(t, "claiming what is over", err, ticket.ErrNoPlace, "已办结")
}

func TestWaitingTicketsAreSharedOutOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{Mode: ticket.BySkill, Most: 3}), context.Background()
	other := ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{},
		People: folk{}, Seats: seats{}, Assigning: ticket.Assigning{Mode: ticket.BySkill, Most: 3}})
	system := access.SystemActor("test")
	open := func(key, kind string, u ticket.Urgency) ticket.View {
		return f.mustOpen(t, desk, ticket.OpenTicket{Key: key, Type: kind, Title: "诉求" + key, Body: "来电", ContactName: "王芳", Phone: "13800138000", Urgency: u})
	}
	for i := range 5 {
		open(fmt.Sprint("n", i), "labour", ticket.Normal)
	}
	critical := open("c", "labour", ticket.Critical)
	if n, err := f.AssignWaiting(ctx, system); n != 0 || err != nil {
		t.Fatalf("nobody is ready: %d %v", n, err)
	}
	f.ready(t, "", 51)
	if n, err := f.AssignWaiting(ctx, system); n != 3 || err != nil {
		t.Fatalf("one seat takes three: %d %v", n, err)
	}
	if got := f.see(t, desk, critical); got.HolderID != 51 {
		t.Fatalf("the critical one went to %d", got.HolderID)
	}
	// Two processes at once: each of the rest is given once, in turn.
	f.ready(t, "", 52, 53, 99) // 99 does not work at the desk
	var wg sync.WaitGroup
	total := make([]int, 2)
	for i, s := range []*ticket.Service{f.Service, other} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			total[i], _ = s.AssignWaiting(ctx, system)
		}()
	}
	wg.Wait()
	if total[0]+total[1] != 3 || f.rows(t, "ticket_holders") != 6 {
		t.Fatalf("given %v, %d holders", total, f.rows(t, "ticket_holders"))
	}
	loads := map[int64]int{}
	var holders []int64
	if err := f.db.Read().NewSelect().TableExpr("ticket_holders").Column("user_id").Scan(ctx, &holders); err != nil {
		t.Fatal(err)
	}
	for _, h := range holders {
		loads[h]++
	}
	if loads[51] != 3 || loads[52]+loads[53] != 3 || loads[52] == 3 || loads[53] == 3 {
		t.Fatalf("loads %v", loads)
	}
	// Whoever is trained for the type comes first.
	f.ready(t, "power", 53)
	power := open("p", "power", "")
	if n, err := f.AssignWaiting(ctx, system); n != 1 || err != nil {
		t.Fatalf("by skill: %d %v", n, err)
	}
	got := f.see(t, desk, power)
	if got.HolderID != 53 || !strings.Contains(labels(got), "自动分派给") {
		t.Fatalf("the power cut went to %d: %s", got.HolderID, labels(got))
	}
	if _, err := f.AssignWaiting(ctx, desk); !errors.Is(err, ticket.ErrForbidden) {
		t.Fatalf("a person asked: %v", err)
	}
	var handed []event.Event
	if err := f.db.Read().NewSelect().Model(&handed).Where("type = ?", "ticket.handed").Scan(ctx); err != nil || len(handed) != 7 {
		t.Fatalf("%d events, %v", len(handed), err)
	}
}

// TestWaitingTicketsGoRoundTheReadySeats gives each ready seat one in turn, whatever anybody is trained for; the turn goes on
// from run to run, and a seat that was away is the next when it is back.
func TestWaitingTicketsGoRoundTheReadySeats(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{Mode: ticket.RoundRobin, Most: 4}), context.Background()
	var opened []ticket.View
	given := func(n int, want ...int64) {
		t.Helper()
		var fresh []ticket.View
		for range n {
			fresh = append(fresh, f.mustOpen(t, baker, ask(fmt.Sprint("r", len(opened)+len(fresh)))))
			f.clock.Advance(time.Minute)
		}
		got, err := f.AssignWaiting(ctx, access.SystemActor("test"))
		if err != nil || got != len(slices.DeleteFunc(slices.Clone(want), func(id int64) bool { return id == 0 })) {
			t.Fatalf("%d given, %v, want %v", got, err, want)
		}
		var to []int64
		for _, v := range fresh {
			to = append(to, f.see(t, desk, v).HolderID)
		}
		if !slices.Equal(to, want) {
			t.Fatalf("given to %v, want %v", to, want)
		}
		opened = append(opened, fresh...)
	}
	f.ready(t, "", 51, 52, 53, 99) // 99 does not work at the desk
	f.ready(t, "labour", 52)       // who is trained for it has no advantage
	given(5, 51, 52, 53, 51, 52)
	given(2, 53, 51)
	if _, err := f.db.Writer().ExecContext(ctx, "DELETE FROM test_seats WHERE user_id = 52"); err != nil {
		t.Fatal(err)
	}
	given(1, 53)
	f.ready(t, "", 52)
	given(2, 52, 51)
	given(3, 53, 52, 0) // each has the most they get
	if f.rows(t, "ticket_holders") != 12 {
		t.Fatalf("%d holders", f.rows(t, "ticket_holders"))
	}
	// What somebody has done makes room for what waits.
	v := f.see(t, desk, opened[0])
	must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(must(f.Answer(ctx, desk, ticket.AnswerTicket{Ref: ref(v), Text: "已电话说明。"}))(t))}))(t)
	if n, err := f.AssignWaiting(ctx, access.SystemActor("test")); n != 1 || err != nil || f.see(t, desk, opened[12]).HolderID != 51 {
		t.Fatalf("the last one: %d %v, held by %d", n, err, f.see(t, desk, opened[12]).HolderID)
	}
}

func TestQueuesFiltersAndOrders(t *testing.T) {
	t.Parallel()
	f, ctx := mustDesk(t, ticket.Assigning{}), context.Background()
	open := func(key, kind string, u ticket.Urgency, phone string) ticket.View {
		v := f.mustOpen(t, desk, ticket.OpenTicket{Key: key, Type: kind, Title: "诉求" + key, Body: "来电", ContactName: "王芳", Phone: phone, Urgency: u, EnterpriseID: 70})
		f.clock.Advance(time.Minute)
		return v
	}
	a := open("a", "labour", ticket.Normal, "13800138000")
	b := open("b", "power", ticket.Urgent, "13900139000")
	c := open("c", "labour", ticket.Critical, "13800138000")
	must(f.Claim(ctx, lin, ticket.HoldTicket{ID: a.ID}))(t)
	must(f.Tag(ctx, lin, ticket.TagTicket{ID: b.ID, Add: []string{"节前 检查"}}))(t)
	d := open("d", "labour", ticket.Normal, "13700137000")
	d = f.mustDispatch(t, d, 100)
	f.clock.Advance(24 * time.Hour)
	e := open("e", "power", ticket.Normal, "13700137001")
	today, tomorrow := start.In(clock.Beijing).Format("2006-01-02"), start.AddDate(0, 0, 1).In(clock.Beijing).Format("2006-01-02")
	for _, c2 := range []struct {
		name string
		who  access.Actor
		f    ticket.ListFilter
		want []int64
	}{
		{"free, most urgent first", lin, filter(ticket.Fields{Queue: ticket.QueueFree, Sort: ticket.MostFirst}), []int64{c.ID, b.ID, e.ID}},
		{"mine", lin, filter(ticket.Fields{Queue: ticket.QueueMine}), []int64{a.ID}},
		{"mine of another", zhou, filter(ticket.Fields{Queue: ticket.QueueMine}), nil},
		{"group", zhou, filter(ticket.Fields{Queue: ticket.QueueGroup}), []int64{a.ID}},
		{"free in the unit", everyRight(squad), filter(ticket.Fields{Queue: ticket.QueueFree}), []int64{d.ID}},
		{"free below", head, filter(ticket.Fields{Queue: ticket.QueueFree}), []int64{d.ID}},
		{"held by", zhou, filter(ticket.Fields{Holder: 51}), []int64{a.ID}},
		{"by deadline", lin, filter(ticket.Fields{Sort: ticket.DueFirst, Types: []string{"labour"}}), []int64{c.ID, a.ID, d.ID}},
		{"types", lin, filter(ticket.Fields{Types: []string{"power"}}), []int64{e.ID, b.ID}},
		{"a unit above", lin, filter(ticket.Fields{Unit: 10}), []int64{d.ID}},
		{"another unit", lin, filter(ticket.Fields{Unit: 20}), nil},
		{"the first day", lin, filter(ticket.Fields{From: today, To: today}), []int64{d.ID, c.ID, b.ID, a.ID}},
		{"the next day", lin, filter(ticket.Fields{From: tomorrow}), []int64{e.ID}},
		{"long ago", lin, filter(ticket.Fields{To: "2020-01-01"}), nil},
		{"due", lin, filter(ticket.Fields{DueTo: today}), []int64{c.ID}},
		{"tag", zhou, filter(ticket.Fields{Tag: "节前 检查"}), []int64{b.ID}},
		{"phone", lin, filter(ticket.Fields{Phone: "138 0013 8000"}), []int64{c.ID, a.ID}},
		{"tail", lin, filter(ticket.Fields{Phone: "9000"}), []int64{b.ID}},
		{"code", lin, filter(ticket.Fields{Code: "91110112ma"}), []int64{e.ID, d.ID, c.ID, b.ID, a.ID}},
		{"another code", lin, filter(ticket.Fields{Code: "91110112mb"}), nil},
		{"company and source", lin, filter(ticket.Fields{Enterprise: 70, Source: ticket.FromH5}), nil},
		{"tag and words", lin, ticket.ListFilter{Query: "来电", Fields: ticket.Fields{Tag: "节前 检查"}}, []int64{b.ID}},
	} {
		if got := f.walk(t, c2.who, c2.f, 100); !slices.Equal(got, c2.want) {
			t.Errorf("%s: %v, want %v", c2.name, got, c2.want)
		}
		// Page after page of one, the order is the same.
		if got := f.walk(t, c2.who, c2.f, 1); !slices.Equal(got, c2.want) {
			t.Errorf("%s, page by page: %v, want %v", c2.name, got, c2.want)
		}
	}
	for name, bad := range map[string]ticket.ListFilter{
		"queue": filter(ticket.Fields{Queue: "x"}), "sort": filter(ticket.Fields{Sort: "x"}), "day": filter(ticket.Fields{From: "22.11."}), "unit": filter(ticket.Fields{Unit: 999}),
		"code": filter(ticket.Fields{Code: "911"}), "phone": filter(ticket.Fields{Phone: "12"}), "cursor": {Cursor: "1.2", Fields: ticket.Fields{Sort: ticket.DueFirst}},
	} {
		if _, err := f.Page(ctx, lin, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Page(ctx, baker, filter(ticket.Fields{Tag: "x"})); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("a requester asks for tags: %v", err)
	}
}

func filter(f ticket.Fields) ticket.ListFilter { return ticket.ListFilter{Fields: f} }

// walk lists page after page.
func (f fixture) walk(t *testing.T, who access.Actor, lf ticket.ListFilter, limit int) []int64 {
	t.Helper()
	lf.Limit = limit
	var out []int64
	for range 20 {
		p, err := f.Page(context.Background(), who, lf)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Items {
			out = append(out, i.ID)
		}
		if lf.Cursor = p.Next; p.Next == "" {
			return out
		}
	}
	t.Fatal("the list does not end")
	return nil
}
