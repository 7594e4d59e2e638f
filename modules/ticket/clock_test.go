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
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/worktime"
)

func beijing(text string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", text, clock.Beijing)
	if err != nil {
		panic(err)
	}
	return at.UTC()
}

var system = access.SystemActor("test")

// clocks tells the clocks of a ticket in a line each: kind, state, verdict, deadline in Beijing.
func (f fixture) clocks(t *testing.T, id int64) string {
	t.Helper()
	list, err := f.Clocks(context.Background(), desk, id)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range list {
		state := c.State
		if c.Verdict != "" {
			state = string(c.Verdict)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", c.Kind, state, c.DueAt.In(clock.Beijing).Format("01-02 15:04")))
	}
	return strings.Join(lines, "\n")
}

func (f fixture) wantClocks(t *testing.T, id int64, want ...string) {
	t.Helper()
	if got := f.clocks(t, id); got != strings.Join(want, "\n") {
		t.Fatalf("the clocks are\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	// The deadlines of the rows are those of the running clocks, and only a clock that runs is looked at again.
	var wrong int
	err := f.db.Read().NewRaw(`SELECT count(*) FROM ticket_clocks AS c JOIN tickets AS t ON t.id = c.ticket_id LEFT JOIN ticket_hops AS h ON h.id = c.hop_id
		WHERE c.ticket_id = ? AND (c.stopped_at IS NULL AND c.kind IN ('public', 'reopened') AND t.due_at <> c.due_at
			OR c.stopped_at IS NULL AND c.kind IN ('sign', 'handle') AND h.due_at <> c.due_at
			OR c.next_at IS NOT NULL AND (c.stopped_at IS NOT NULL OR c.paused))`, id).Scan(context.Background(), &wrong)
	if err != nil || wrong != 0 {
		t.Fatalf("%d rows do not agree with their clocks, %v", wrong, err)
	}
}

func (f fixture) facts(t *testing.T, id int64, typ string) []event.Event {
	t.Helper()
	all, err := event.Of(context.Background(), f.db.Read(), ticket.Object, id)
	if err != nil {
		t.Fatal(err)
	}
	var out []event.Event
	for _, e := range all {
		if e.Type == typ {
			out = append(out, e)
		}
	}
	return out
}

// TestClocksFollowTheTicket: each step starts and stops the clocks it says.
func TestClocksFollowTheTicket(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(beijing("2026-11-26 14:00")) // a Thursday
	v := f.mustOpen(t, baker, ask("a"))
	f.wantClocks(t, v.ID, "public running 11-29 14:00")
	f.clock.Advance(time.Hour)
	v = f.mustDispatch(t, v, 10)
	f.wantClocks(t, v.ID, "public running 11-29 14:00", "sign running 11-27 18:00")
	f.clock.Set(beijing("2026-11-27 09:30"))
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	// Five working days would be the 4th of December: the unit has no longer than the requester was told.
	f.wantClocks(t, v.ID, "public running 11-29 14:00", "sign met 11-27 18:00", "handle running 11-29 14:00")
	f.clock.Set(beijing("2026-11-29 15:00"))
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "已说明"}))(t)
	f.wantClocks(t, v.ID, "public running 11-29 14:00", "sign met 11-27 18:00", "handle late 11-29 14:00")
	f.clock.Set(beijing("2026-11-29 16:00"))
	v = must(f.Reopen(ctx, desk, ticket.ReopenTicket{Ref: ref(v), Reason: "企业不满意"}))(t)
	f.wantClocks(t, v.ID, "public replaced 11-29 14:00", "sign met 11-27 18:00", "handle late 11-29 14:00", "reopened running 12-02 16:00", "sign running 11-30 18:00")
	if !v.DueAt.Equal(beijing("2026-12-02 16:00")) {
		t.Errorf("the event and the row tell %s", clock.Show(v.DueAt))
	}
	var head ticket.Reopened
	if e := f.facts(t, v.ID, "ticket.reopened"); len(e) != 1 || e[0].Decode(&head) != nil || !head.DueAt.Equal(v.DueAt) || !head.OldDueAt.Equal(beijing("2026-11-29 14:00")) {
		t.Errorf("the event tells %+v", head)
	}
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "已上门"}))(t)
	v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v), Outcome: &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}}))(t)
	f.wantClocks(t, v.ID, "public replaced 11-29 14:00", "sign met 11-27 18:00", "handle late 11-29 14:00", "reopened met 12-02 16:00", "sign met 11-30 18:00", "handle met 12-02 16:00")

	w := f.mustOpen(t, baker, ask("b"))
	w = must(f.Decline(ctx, desk, ticket.DeclineTicket{Ref: ref(w), Code: "litigation", Route: "请向仲裁委申请"}))(t)
	f.wantClocks(t, w.ID, "public ended 12-02 16:00")
}

// TestClocksOfTheWholeLifecycle: hops beside and below the lead hop have clocks of their own, which end with them; a return and
// a reply sent back do not begin a unit's time anew; what is undone brings its clocks back.
func TestClocksOfTheWholeLifecycle(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(beijing("2026-11-26 14:00"))
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("a")), 10)
	v = must(f.Sign(ctx, bureauClerk, ticket.SignTicket{Ref: ref(v)}))(t)
	lead := []string{"public running 11-29 14:00", "sign met 11-27 18:00", "handle running 11-29 14:00"}
	f.wantClocks(t, v.ID, lead...)
	v = must(f.Forward(ctx, bureauClerk, ticket.ForwardTicket{Ref: ref(v), HopID: v.Hops[0].ID, UnitID: 100}))(t)
	f.wantClocks(t, v.ID, append(lead, "sign running 11-27 18:00")...)
	v = must(f.SignHop(ctx, squadClerk, ticket.SignHop{Ref: ref(v), HopID: v.Hops[1].ID}))(t)
	f.wantClocks(t, v.ID, append(lead, "sign met 11-27 18:00", "handle running 11-29 14:00")...)
	v = must(f.Recall(ctx, bureauClerk, ticket.RecallHop{Ref: ref(v), HopID: v.Hops[1].ID, Note: "由本局办理"}))(t)
	f.wantClocks(t, v.ID, append(lead, "sign met 11-27 18:00", "handle ended 11-29 14:00")...)

	f.clock.Set(beijing("2026-11-27 10:00"))
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办"}))(t)
	f.wantClocks(t, v.ID, "public running 11-29 14:00", "sign met 11-27 18:00", "handle met 11-29 14:00", "sign met 11-27 18:00", "handle ended 11-29 14:00")
	v = must(f.Undo(ctx, bureauClerk, ticket.UndoTicket{Ref: ref(v), Reason: "附件传错"}))(t)
	f.wantClocks(t, v.ID, append(lead, "sign met 11-27 18:00", "handle ended 11-29 14:00")...)

	w := f.mustDispatch(t, f.mustOpen(t, baker, ask("b")), 10)
	f.clock.Advance(time.Hour)
	w = must(f.AskReturn(ctx, bureauClerk, ticket.AskTicket{Ref: ref(w), HopID: w.Hops[0].ID, Code: "not_ours", Text: "属于区人社局"}))(t)
	w = must(f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(w), RequestID: w.Requests[0].ID, Grant: true}))(t)
	f.wantClocks(t, w.ID, "public running 11-30 10:00", "sign ended 11-30 10:00")
	w = f.mustDispatch(t, w, 20)
	f.wantClocks(t, w.ID, "public running 11-30 10:00", "sign ended 11-30 10:00", "sign running 11-30 10:00")
}

// TestPausesAndExtensions: a suspended ticket stands still, and more time for the unit carries the public clock along.
func TestPausesAndExtensions(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(beijing("2026-11-26 14:00"))
	v := f.mustOpen(t, baker, ask("a"))
	v = f.mustDispatch(t, v, 10)
	tell := func(fact func(ticket.Head) event.Fact) {
		t.Helper()
		if err := f.Tell(ctx, f.db, desk, v.ID, fact); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.Set(beijing("2026-11-26 16:00"))
	tell(func(h ticket.Head) event.Fact { return ticket.Suspended{Head: h, Reason: "等企业补充合同"} })
	f.wantClocks(t, v.ID, "public paused 11-29 14:00", "sign paused 11-27 18:00")
	tell(func(h ticket.Head) event.Fact {
		return ticket.Suspended{Head: h, Reason: "再次挂起不再停一次"}
	})
	f.clock.Set(beijing("2026-12-20 09:00"))
	if n, err := f.RingClocks(ctx, system); n != 0 || err != nil {
		t.Fatalf("%d clocks rang while they stood still, %v", n, err)
	}
	f.clock.Set(beijing("2026-11-30 10:00"))
	tell(func(h ticket.Head) event.Fact { return ticket.Resumed{Head: h} })
	// Of 72 hours two were used, and of the eleven working hours until Friday 18:00 two as well: nine more from Monday 10:00.
	f.wantClocks(t, v.ID, "public running 12-03 08:00", "sign running 12-01 12:00")
}

func TestMoreTime(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(beijing("2026-11-26 14:00"))
	v := f.mustOpen(t, baker, ask("a"))
	v = f.mustDispatch(t, v, 10)
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	f.wantClocks(t, v.ID, "public running 11-29 14:00", "sign met 11-27 18:00", "handle running 11-29 14:00")
	decide := func(granted bool) {
		t.Helper()
		if err := f.Tell(ctx, f.db, desk, v.ID, func(h ticket.Head) event.Fact {
			return ticket.ExtensionDecided{Head: h, HopID: v.Hops[0].ID, Granted: granted, Days: 3}
		}); err != nil {
			t.Fatal(err)
		}
	}
	decide(false)
	f.wantClocks(t, v.ID, "public running 11-29 14:00", "sign met 11-27 18:00", "handle running 11-29 14:00")
	decide(true) // five working days and three, and the requester waits as long
	f.wantClocks(t, v.ID, "public running 12-08 18:00", "sign met 11-27 18:00", "handle running 12-08 18:00")
	f.clock.Set(beijing("2026-12-08 17:00"))
	v, err := f.Get(ctx, bureau, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "已办结"}))(t)
	f.wantClocks(t, v.ID, "public running 12-08 18:00", "sign met 11-27 18:00", "handle met 12-08 18:00")
	list, err := f.Clocks(ctx, desk, v.ID)
	if err != nil || !strings.Contains(list[2].Sentence, "已批准延期 3 个工作日") || !strings.Contains(list[0].Sentence, "办理时限随之顺延") {
		t.Errorf("%+v %v", list, err)
	}
}

// TestRinging: a warning and a breach come once each, whoever looks and how often, and the ladder climbs after them.
func TestRinging(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(beijing("2026-11-23 10:00")) // a Monday
	var ids []int64
	for i := range 12 {
		v := f.mustOpen(t, baker, ask(fmt.Sprint("k", i)))
		ids = append(ids, f.mustDispatch(t, v, 10).ID)
	}
	ring := func(want int) {
		t.Helper()
		var wg sync.WaitGroup
		var mu sync.Mutex
		sum := 0
		for range 4 {
			wg.Go(func() {
				n, err := f.RingClocks(ctx, system)
				mu.Lock()
				defer mu.Unlock()
				if sum += n; err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if sum != want {
			t.Errorf("%s: %d clocks rang, want %d", clock.Show(f.clock.Now()), sum, want)
		}
	}
	count := func(typ string, want int) {
		t.Helper()
		for _, id := range ids {
			if n := len(f.facts(t, id, typ)); n != want {
				t.Errorf("%s: %d × %s, want %d", clock.Show(f.clock.Now()), n, typ, want)
			}
		}
	}
	listed := func(a ticket.Alert, want int) {
		t.Helper()
		items, _, err := f.List(ctx, desk, ticket.ListFilter{Alert: a, Limit: 50})
		if err != nil || len(items) != want {
			t.Errorf("%s: %d tickets are %s, want %d; %v", clock.Show(f.clock.Now()), len(items), a, want, err)
		}
	}
	ring(0)
	// Sign until Tuesday 18:00: 13 hours of work, three quarters are 9.75.
	f.clock.Set(beijing("2026-11-24 14:44"))
	ring(0)
	f.clock.Set(beijing("2026-11-24 14:45"))
	ring(12)
	ring(0)
	count("ticket.clock_warned", 1)
	count("ticket.clock_breached", 0)
	listed(ticket.DueSoon, 12)
	f.clock.Set(beijing("2026-11-24 18:00"))
	ring(12)
	count("ticket.clock_breached", 1)
	count("ticket.urged", 1) // the first step is at once
	listed(ticket.DueSoon, 0)
	listed(ticket.OverDue, 12)
	// Who was asleep until the public clock had passed warns no more: breached is breached. The ladder has climbed one more step.
	f.clock.Set(beijing("2026-11-26 10:01"))
	ring(24)
	count("ticket.clock_warned", 1)
	count("ticket.clock_breached", 2)
	count("ticket.urged", 2)
	f.clock.Set(beijing("2026-12-02 18:00")) // six working days after Tuesday
	ring(12)
	count("ticket.urged", 3)
	f.clock.Set(beijing("2027-03-01 10:00"))
	ring(0)
	var last ticket.Urged
	if e := f.facts(t, ids[0], "ticket.urged"); e[2].Decode(&last) != nil || last.Name != "督办通知书" || last.Step != 3 || !last.Leaders {
		t.Errorf("the third step is %+v", last)
	}
	// What is done is no longer overdue; the requester never saw it.
	if v, err := f.Get(ctx, baker, ids[0]); err != nil || v.Alert != ticket.NoAlert || strings.Contains(fmt.Sprint(v.Timeline), "督办") {
		t.Errorf("the requester sees %q %v %v", v.Alert, v.Timeline, err)
	}
	v, err := f.Get(ctx, bureau, ids[0])
	if err != nil || v.Alert != ticket.OverDue || !strings.Contains(fmt.Sprint(v.Timeline), "督办通知书") {
		t.Fatalf("the unit sees %q %v %v", v.Alert, v.Timeline, err)
	}
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "已办理"}))(t)
	if v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v), Outcome: &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}}))(t); v.Alert != ticket.NoAlert {
		t.Errorf("a closed ticket is %q", v.Alert)
	}
	if _, err := f.RingClocks(ctx, desk); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("a person rings: %v", err)
	}
	if _, err := f.Page(ctx, baker, ticket.ListFilter{Alert: ticket.OverDue}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a requester asks for alerts: %v", err)
	}
}

// TestUrging: a person presses the unit, which has a clock to answer.
func TestUrging(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(beijing("2026-11-23 10:00"))
	v := f.mustOpen(t, baker, ask("a"))
	press := func(key, text string) ticket.Press { return ticket.Press{ID: v.ID, Key: key, Text: text} }
	for _, k := range []struct {
		what string
		err  error
		want error
	}{
		{"nobody has it", failure(f.Urge(ctx, desk, press("", "请尽快"))), ticket.ErrNotWithUnit},
		{"not without a reason", failure(f.Urge(ctx, desk, press("", " "))), fault.New(fault.Invalid, "", "")},
		{"a stranger", failure(f.Urge(ctx, tax, press("", "请尽快"))), ticket.ErrNotFound},
		{"the requester", failure(f.Urge(ctx, baker, press("", "请尽快"))), ticket.ErrForbidden},
		{"no reminder to answer", failure(f.AnswerUrge(ctx, bureau, press("", "在办"))), ticket.ErrNotFound},
	} {
		if k.what == "not without a reason" {
			if fault.KindOf(k.err) != fault.Invalid {
				t.Errorf("%s: %v", k.what, k.err)
			}
		} else if !errors.Is(k.err, k.want) {
			t.Errorf("%s: %v, want %v", k.what, k.err, k.want)
		}
	}
	v = f.mustDispatch(t, v, 10)
	if err := failure(f.AnswerUrge(ctx, bureau, press("", "在办"))); !errors.Is(err, ticket.ErrNotUrged) {
		t.Error(err)
	}
	must(f.Urge(ctx, desk, press("k1", "企业第二次来电")))(t)
	must(f.Urge(ctx, desk, press("k1", "企业第二次来电")))(t)
	f.wantClocks(t, v.ID, "public running 11-26 10:00", "sign running 11-24 18:00", "urge running 11-23 16:00")
	if err := failure(f.Urge(ctx, desk, press("k2", "再催"))); !errors.Is(err, ticket.ErrUrged) {
		t.Error(err)
	}
	if err := failure(f.AnswerUrge(ctx, desk, press("", "在办"))); !errors.Is(err, ticket.ErrForbidden) {
		t.Error(err)
	}
	f.clock.Set(beijing("2026-11-23 15:00"))
	got := must(f.AnswerUrge(ctx, bureau, press("a1", "已联系企业，明日上门")))(t)
	if !strings.Contains(fmt.Sprint(got.Timeline), "明日上门") || got.Version != v.Version {
		t.Errorf("%+v", got.Timeline)
	}
	f.wantClocks(t, v.ID, "public running 11-26 10:00", "sign running 11-24 18:00", "urge met 11-23 16:00")
	must(f.Urge(ctx, desk, press("k3", "仍未上门")))(t)
	f.clock.Set(beijing("2026-11-24 15:00"))
	if _, err := f.RingClocks(ctx, system); err != nil {
		t.Fatal(err)
	}
	must(f.Urge(ctx, desk, press("k4", "未答复，再次催办")))(t) // the last one was not answered in time
	f.wantClocks(t, v.ID, "public running 11-26 10:00", "sign running 11-24 18:00", "urge met 11-23 16:00", "urge late 11-24 10:00", "urge running 11-25 10:00")

	boss := bureau
	boss.Permissions = append([]access.Permission{ticket.PermInstruct}, bureau.Permissions...)
	if err := failure(f.Instruct(ctx, bureau, press("", "限期办结"))); !errors.Is(err, ticket.ErrForbidden) {
		t.Error(err)
	}
	if got := must(f.Instruct(ctx, boss, press("", "限期办结")))(t); !strings.Contains(fmt.Sprint(got.Timeline), "限期办结") {
		t.Errorf("%v", got.Timeline)
	}
}

// TestALetterKeepsTheDeadlineOfItsDay: read again after the deadline moved, each reminder says the one it was written with,
// whether a person or the ladder wrote it.
func TestALetterKeepsTheDeadlineOfItsDay(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(beijing("2026-11-23 10:00"))
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("a")), 10)
	first := v.DueAt
	must(f.Urge(ctx, desk, ticket.Press{ID: v.ID, Key: "k1", Text: "企业第二次来电"}))(t)
	v = must(f.Classify(ctx, desk, ticket.ClassifyTicket{Ref: ref(v), Type: "labour", Urgency: ticket.Urgent, Reason: "门店已停业"}))(t)
	second := v.DueAt
	if !second.Before(first) {
		t.Fatalf("due %v, before %v", second, first)
	}
	f.clock.Set(beijing("2026-11-23 12:00")) // an urgent one is signed within two hours
	if _, err := f.RingClocks(ctx, system); err != nil {
		t.Fatal(err)
	}
	v = must(f.Classify(ctx, desk, ticket.ClassifyTicket{Ref: ref(f.see(t, desk, v)), Type: "labour", Urgency: ticket.Normal, Reason: "门店已恢复营业"}))(t)
	if !v.DueAt.Equal(first) {
		t.Fatalf("due %v, want %v", v.DueAt, first)
	}
	for _, who := range []access.Actor{desk, bureau} {
		var said []time.Time
		for _, s := range f.see(t, who, v).Timeline {
			if s.Kind != "ticket.urged" {
				if s.DueAt != nil {
					t.Errorf("%s says a deadline of its day", s.Kind)
				}
				continue
			}
			if s.DueAt == nil {
				t.Fatalf("%s says no deadline", s.Label)
			}
			said = append(said, *s.DueAt)
		}
		if !slices.EqualFunc(said, []time.Time{first, second}, time.Time.Equal) {
			t.Errorf("the letters say %v, want %v and %v", said, first, second)
		}
	}
}

func failure(_ ticket.View, err error) error { return err }

// TestExplained: the reckoning reads as a person would say it.
func TestExplained(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	if err := f.EnsureBudgets(ctx, system, []ticket.TypeBudgets{{Type: "labour", Answer: worktime.Budget{Amount: 3, Unit: worktime.WorkingDays}}}); err != nil {
		t.Fatal(err)
	}
	f.clock.Set(beijing("2026-11-26 14:00"))
	v := f.mustOpen(t, baker, ask("a"))
	list, err := f.Clocks(ctx, baker, v.ID)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	const want = "3 个工作日：11月26日（四）14:00起；计入11月27日（五）、11月30日（一）、12月1日（二）；不计11月26日（四）当日不计入、11月28日（六）至11月29日（日）周末；2026年度日历未维护，按周一至周五计算，节假日安排公布后时限可能调整；截止12月1日（二）18:00。"
	if list[0].Sentence != want {
		t.Errorf("%s\nwant\n%s", list[0].Sentence, want)
	}
	v = f.mustDispatch(t, v, 10)
	f.clock.Set(beijing("2026-12-02 10:30"))
	if list, err = f.Clocks(ctx, baker, v.ID); err != nil || len(list) != 1 || list[0].Overdue != "1 小时 30 分钟（工作时间）" {
		t.Errorf("the requester sees %+v %v", list, err)
	}
	if _, err := f.Clocks(ctx, tax, v.ID); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := f.Clocks(ctx, access.Actor{}, v.ID); !errors.Is(err, fault.ErrUnauthorized) {
		t.Errorf("a visitor: %v", err)
	}
}

// TestBudgets: what is said of an urgency goes before what is said of a type, a person's word stays, and running clocks keep
// their budget.
func TestBudgets(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(beijing("2026-11-26 14:00"))
	boss := desk
	old := f.mustOpen(t, baker, ask("old"))
	due := func(u ticket.Urgency) string {
		t.Helper()
		list, err := f.PreviewBudgets(ctx, boss, "labour", u)
		if err != nil {
			t.Fatal(err)
		}
		cmd := ask("")
		cmd.Urgency, cmd.ContactName, cmd.Phone, cmd.Source = u, "王芳", "13800138000", ""
		v := must(f.Open(ctx, desk, cmd))(t)
		if !v.DueAt.Equal(list[0].DueAt) {
			t.Errorf("%s: previewed %s, got %s", u, clock.Show(list[0].DueAt), clock.Show(v.DueAt))
		}
		return list[0].Budget + " " + list[0].From
	}
	want := func(u ticket.Urgency, text string) {
		t.Helper()
		if got := due(u); got != text {
			t.Errorf("%s gets %s, want %s", u, got, text)
		}
	}
	want(ticket.Normal, "3 天 按诉求类型")
	want(ticket.Urgent, "24 小时 按紧急程度")
	want(ticket.Critical, "2 小时 按紧急程度")
	set := ticket.SetBudget{Type: "labour", Urgency: ticket.Urgent, Kind: ticket.PublicClock, Amount: 4 * 60, Unit: worktime.WorkingMinutes, WarnPercent: 50}
	if err := f.SetBudget(ctx, boss, set); err != nil {
		t.Fatal(err)
	}
	want(ticket.Urgent, "4 个工作小时 按诉求类型和紧急程度")
	if err := f.SetBudget(ctx, boss, set); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second one: %v", err)
	}
	set.Version, set.Amount = 1, 60
	if err := f.SetBudget(ctx, boss, set); err != nil {
		t.Fatal(err)
	}
	if err := f.SetBudget(ctx, boss, set); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a stale one: %v", err)
	}
	want(ticket.Urgent, "1 个工作小时 按诉求类型和紧急程度")
	// The program's own numbers come again with each start; a person's stay.
	if err := f.SetBudget(ctx, boss, ticket.SetBudget{Type: "labour", Kind: ticket.PublicClock, Amount: 5, Unit: worktime.WorkingDays, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if err := f.EnsureBudgets(ctx, system, []ticket.TypeBudgets{{Type: "labour", Answer: worktime.Budget{Amount: 3, Unit: worktime.WorkingDays}}}); err != nil {
		t.Fatal(err)
	}
	want(ticket.Normal, "5 个工作日 按诉求类型")
	f.wantClocks(t, old.ID, "public running 11-29 14:00")
	list, ladder, err := f.Budgets(ctx, boss)
	if err != nil || len(ladder) != 3 {
		t.Fatal(list, ladder, err)
	}
	for _, b := range list {
		switch err := f.RemoveBudget(ctx, boss, b.ID, b.Version, ""); {
		case b.Type == "" && b.Urgency == "" && fault.KindOf(err) != fault.Conflict, b.Type+string(b.Urgency) != "" && err != nil:
			t.Errorf("%+v: %v", b, err)
		}
	}
	want(ticket.Urgent, "7 天 通用")
	if err := f.SetLadder(ctx, boss, []ticket.Rung{{Name: "甲", Amount: 2, Unit: worktime.WorkingDays}, {Name: "乙", Amount: 1, Unit: worktime.WorkingDays}}, ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a ladder that goes down: %v", err)
	}
	if err := f.SetLadder(ctx, boss, []ticket.Rung{{Name: "催办", Unit: worktime.WorkingDays}}, ""); err != nil {
		t.Error(err)
	}
	for what, b := range map[string]ticket.SetBudget{
		"no time":         {Kind: ticket.SignClock, Unit: worktime.WorkingDays},
		"an unknown unit": {Kind: ticket.SignClock, Unit: "weeks", Amount: 1},
		"an unknown kind": {Kind: "reopened", Unit: worktime.WorkingDays, Amount: 1},
		"too early":       {Kind: ticket.SignClock, Unit: worktime.WorkingDays, Amount: 1, WarnPercent: 100},
		"an unknown type": {Type: "x", Kind: ticket.SignClock, Unit: worktime.WorkingDays, Amount: 1},
	} {
		if err := f.SetBudget(ctx, boss, b); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, err := range map[string]error{"set": f.SetBudget(ctx, bureau, set), "remove": f.RemoveBudget(ctx, baker, 1, 1, ""), "ladder": f.SetLadder(ctx, bureau, nil, "")} {
		if !errors.Is(err, fault.ErrForbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// calendars are versions that a test made.
type calendars map[int64]*worktime.Calendar

func (c calendars) Calendar(_ context.Context, _ bun.IDB, number int64) (*worktime.Calendar, error) {
	if c[number] == nil {
		return nil, fault.ErrNotFound
	}
	return c[number], nil
}

// TestADeadlineInAYearThatNobodySet: the clock itself says that holidays may still move a deadline beyond the years of the calendar,
// and stops saying so once the year is set.
func TestADeadlineInAYearThatNobodySet(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	work := []worktime.Period{{From: 9 * 60, Until: 18 * 60}}
	base := worktime.Calendar{Number: 1, Weekly: [7][]worktime.Period{1: work, 2: work, 3: work, 4: work, 5: work}, Years: []int{2026}}
	whole := base
	whole.Number, whole.Years, whole.Off = 2, []int{2026, 2027}, map[worktime.Day]string{worktime.Date(2027, 1, 1): "元旦"}
	f.Service = ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{}, Calendars: calendars{1: &base, 2: &whole}})
	use := func(n int64) {
		t.Helper()
		if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return f.UseCalendar(ctx, tx, n) }); err != nil {
			t.Fatal(err)
		}
	}
	use(1)
	if err := f.EnsureBudgets(ctx, system, []ticket.TypeBudgets{{Type: "labour", Answer: worktime.Budget{Amount: 3, Unit: worktime.WorkingDays}}}); err != nil {
		t.Fatal(err)
	}
	reads := func(v ticket.View, warns bool, day string) {
		t.Helper()
		list, err := f.Clocks(ctx, desk, v.ID)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if got := strings.Contains(list[0].Sentence, "2027年度日历未维护"); got != warns || !strings.Contains(list[0].Sentence, "截止"+day) {
			t.Errorf("%s", list[0].Sentence)
		}
	}
	f.clock.Set(beijing("2026-12-22 10:00"))
	reads(f.mustOpen(t, baker, ask("within")), false, "12月25日")
	f.clock.Set(beijing("2026-12-30 10:00"))
	v := f.mustOpen(t, baker, ask("across"))
	reads(v, true, "1月4日")
	use(2)
	if _, err := f.MoveDeadlines(ctx, system); err != nil {
		t.Fatal(err)
	}
	reads(v, false, "1月5日")
}

// TestDeadlinesMove: a new calendar shows what it moves, moves it once, and tells the old and the new deadline.
func TestDeadlinesMove(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	work := []worktime.Period{{From: 9 * 60, Until: 18 * 60}}
	base := worktime.Calendar{Number: 1, Weekly: [7][]worktime.Period{1: work, 2: work, 3: work, 4: work, 5: work}, Years: []int{2026}}
	other := base
	other.Number, other.Off = 2, map[worktime.Day]string{worktime.Date(2026, 11, 27): "区庆"}
	f.Service = ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{}, Calendars: calendars{1: &base, 2: &other}})
	use := func(n int64) {
		t.Helper()
		if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return f.UseCalendar(ctx, tx, n) }); err != nil {
			t.Fatal(err)
		}
	}
	use(1)
	f.clock.Set(beijing("2026-11-26 14:00"))
	var ids []int64
	for i := range 60 { // more than a page
		v := f.mustOpen(t, baker, ask(fmt.Sprint("k", i)))
		if ids = append(ids, v.ID); i < 55 {
			f.mustDispatch(t, v, 10)
		}
	}
	moved, looked, next, err := f.MovedBy(ctx, &other, "")
	if err != nil || len(moved) != 55 || looked != 115 || next != "" || moved[0].Label != "签收时限" || !moved[0].OldDueAt.Equal(beijing("2026-11-27 18:00")) || !moved[0].NewDueAt.Equal(beijing("2026-11-29 14:00")) {
		t.Fatalf("%d moved of %d, then %q, %v: %+v", len(moved), looked, next, err, moved[:min(1, len(moved))])
	}
	f.wantClocks(t, ids[0], "public running 11-29 14:00", "sign running 11-27 18:00") // only looked at
	if n, err := f.MoveDeadlines(ctx, system); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	use(2)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := f.MoveDeadlines(ctx, system); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, id := range ids {
		told := f.facts(t, id, "ticket.deadline_moved")
		if i >= 55 && len(told) != 0 || i < 55 && len(told) != 1 {
			t.Fatalf("ticket %d was told %d times", i, len(told))
		}
	}
	var fact ticket.DeadlineMoved
	if err := f.facts(t, ids[0], "ticket.deadline_moved")[0].Decode(&fact); err != nil || fact.Calendar != 2 || len(fact.Moves) != 1 || !fact.Moves[0].OldDueAt.Equal(beijing("2026-11-27 18:00")) {
		t.Errorf("%+v %v", fact, err)
	}
	f.wantClocks(t, ids[0], "public running 11-29 14:00", "sign running 11-29 14:00") // Monday 18:00, but no longer than the requester waits
	if n, err := f.MoveDeadlines(ctx, system); n != 0 || err != nil {
		t.Errorf("moved again: %d %v", n, err)
	}
	if _, _, _, err := f.MovedBy(ctx, &other, "x"); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

// TestClocksOfBefore: a ticket that was open before there were clocks keeps its deadline as a clock.
func TestClocksOfBefore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	before := slices.DeleteFunc(slices.Clone(steps), func(m database.Migration) bool {
		return m.ID == "20261129010000_ticket_clocks" || m.ID == "20261129112000_ticket_return_window"
	})
	db := databasetest.New(t, before)
	at := func(text string) time.Time { return beijing(text) }
	if err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for i, status := range []string{"received", "signed", "closed"} {
			if _, err := tx.NewRaw(`INSERT INTO tickets (id, number, query_hash, type_code, title, body, urgency, status, version, source, requester_name, phone_sealed, enterprise_name, unit_name, created_at, due_at, reply, opinion)
				VALUES (?, ?, '', 'labour', '', '', 'normal', ?, 1, 'h5', '', '', '', '', ?, ?, '', '')`, i+1, fmt.Sprint("GD", i), status, at("2026-11-26 14:00"), at("2026-11-29 14:00")).Exec(ctx); err != nil {
				return err
			}
		}
		_, err := tx.NewRaw(`INSERT INTO ticket_hops (ticket_id, from_name, unit_id, unit_name, lead, state, sent_at, signed_at, due_at, note) VALUES (2, '', 10, '', TRUE, 'signed', ?, ?, ?, '')`,
			at("2026-11-26 15:00"), at("2026-11-26 16:30"), at("2026-11-29 14:00")).Exec(ctx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := database.Migrate(ctx, db, steps); err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		TicketID int64
		Kind     string
		Amount   int
		DueAt    time.Time
		NextAt   time.Time
	}
	if err := db.Read().NewRaw("SELECT ticket_id, kind, amount, due_at, next_at FROM ticket_clocks ORDER BY id").Scan(ctx, &rows); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, r := range rows {
		got += fmt.Sprintf("%d %s %d; ", r.TicketID, r.Kind, r.Amount)
		if !r.DueAt.Equal(at("2026-11-29 14:00")) || !r.NextAt.Equal(r.DueAt) {
			t.Errorf("%+v", r)
		}
	}
	if got != "1 public 4320; 2 public 4320; 2 handle 4170; " {
		t.Error(got)
	}
}
