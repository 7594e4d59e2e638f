package ticket_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

func (f fixture) expire(t *testing.T, want int) {
	t.Helper()
	n, err := f.Expire(context.Background(), access.SystemActor("job:ticket.expire"))
	if err != nil || n != want {
		t.Fatalf("%d acts, want %d: %v", n, want, err)
	}
}

func (f fixture) ruleOf(t *testing.T, state, action string) ticket.ExpireRule {
	t.Helper()
	rules, err := f.ExpireRules(context.Background(), desk)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if r.State == state && r.Action == action {
			return r
		}
	}
	t.Fatalf("no rule %s %s", state, action)
	return ticket.ExpireRule{}
}

func (f fixture) switchOn(t *testing.T, r ticket.ExpireRule) {
	t.Helper()
	err := f.SetExpireRule(context.Background(), desk, ticket.SetExpireRule{ID: r.ID, Name: r.Name, State: r.State, Days: r.Days, Action: r.Action, Reason: r.Reason, Enabled: true, Version: r.Version})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSuspendedTooLongIsClosedAndUndone(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("a")), 10)
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	v = must(f.Suspend(ctx, desk, ticket.SuspendTicket{Ref: ref(v), Reason: "请补充营业执照"}))(t)
	rule := f.ruleOf(t, "suspended", "close")
	f.clock.Set(beijing("2026-12-11 17:59")) // 22 November is a Sunday: the fifteenth working day after it ends at 18:00
	f.expire(t, 0)
	if list, _, err := f.ExpirePreview(ctx, desk, rule.ID); err != nil || len(list) != 0 {
		t.Fatalf("too early: %+v %v", list, err)
	}
	f.clock.Set(beijing("2026-12-11 18:00"))
	if list, _, err := f.ExpirePreview(ctx, desk, rule.ID); err != nil || len(list) != 1 || list[0].Number != v.Number || !list[0].Due.Equal(beijing("2026-12-11 18:00")) {
		t.Fatalf("preview %+v %v", list, err)
	}
	f.expire(t, 1)
	f.expire(t, 0)
	v = f.see(t, desk, v)
	last := v.Timeline[len(v.Timeline)-1]
	if v.Status != ticket.Done || v.Hops[0].State != ticket.HopEnded || last.Label != "按规则办结：挂起后未补充材料" {
		t.Fatalf("%s %s %+v", v.Status, v.Hops[0].State, last)
	}
	var fact ticket.Closed
	if err := f.facts(t, v.ID, "ticket.closed")[0].Decode(&fact); err != nil || fact.Rule == nil || fact.Rule.ID != rule.ID || fact.Rule.Version != rule.Version {
		t.Fatalf("%+v %v", fact.Rule, err)
	}
	if err := failure(f.Undo(ctx, plainAgent(77), ticket.UndoTicket{Ref: ref(v), Reason: "企业已寄出材料"})); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("an agent undoes it: %v", err)
	}
	v = must(f.Undo(ctx, desk, ticket.UndoTicket{Ref: ref(v), Reason: "企业已寄出材料"}))(t)
	if v.Status != ticket.OnHold || v.Hops[0].State != ticket.HopSigned {
		t.Fatalf("undone: %s %s", v.Status, v.Hops[0].State)
	}
	f.expire(t, 0) // its time begins anew
	acts, _, err := f.ExpireActs(ctx, desk, 0, "")
	if err != nil || len(acts) != 1 || acts[0].UndoneAt == nil || acts[0].RuleVersion != rule.Version {
		t.Fatalf("history %+v %v", acts, err)
	}
	f.clock.Set(beijing("2027-01-04 18:00"))
	f.expire(t, 1)
}

func TestOtherRules(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	unsigned := f.mustDispatch(t, f.mustOpen(t, baker, ask("unsigned")), 10)
	slow := f.mustDispatch(t, f.mustOpen(t, baker, ask("slow")), 20)
	must(f.Sign(ctx, tax, ticket.SignTicket{Ref: ref(slow)}))(t)
	reached := f.repliedBy(t, "unreached")
	reached = must(f.RecordCallback(ctx, desk, ticket.RecordCallback{Ref: ref(reached), Result: ticket.CallWrong, Words: "空号"}))(t)
	f.expire(t, 1) // the one that was not reached, at once
	if v := f.see(t, desk, reached); v.Status != ticket.Done || v.Timeline[len(v.Timeline)-1].Outcome.Contacted {
		t.Fatalf("unreached: %s", v.Status)
	}
	f.switchOn(t, f.ruleOf(t, "dispatched", "recall"))
	f.switchOn(t, f.ruleOf(t, "signed", "remind"))
	f.clock.Set(beijing("2026-11-25 18:00"))
	f.expire(t, 1)
	v := f.see(t, desk, unsigned)
	if v.Status != ticket.Received || v.UnitName != "" || v.Hops[0].State != ticket.HopEnded {
		t.Fatalf("recalled: %s %q %s", v.Status, v.UnitName, v.Hops[0].State)
	}
	must(f.Undo(ctx, desk, ticket.UndoTicket{Ref: ref(v), Reason: "单位已电话接单"}))(t)
	f.clock.Set(beijing("2026-12-04 18:00"))
	f.expire(t, 2) // recalled again, and the slow one reminded
	f.expire(t, 0)
	if n := len(f.facts(t, slow.ID, "ticket.lapsed")); n != 1 {
		t.Fatalf("reminded %d times", n)
	}
	for name, cmd := range map[string]ticket.SetExpireRule{
		"name": {State: "signed", Days: 1, Action: "remind", Reason: "x"}, "days": {Name: "x", State: "signed", Action: "remind", Reason: "x"},
		"state": {Name: "x", State: "nowhere", Days: 1, Action: "remind", Reason: "x"}, "action": {Name: "x", State: "signed", Days: 1, Action: "close", Reason: "x"},
	} {
		if err := f.SetExpireRule(ctx, desk, cmd); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := f.ruleOf(t, "signed", "remind")
	if err := f.SetExpireRule(ctx, desk, ticket.SetExpireRule{ID: r.ID, Name: "x", State: "signed", Days: 1, Action: "remind", Reason: "x", Version: r.Version - 1}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("stale: %v", err)
	}
	for _, a := range []access.Actor{baker, bureau, {}} {
		_, err := f.ExpireRules(ctx, a)
		_, _, err2 := f.ExpirePreview(ctx, a, r.ID)
		_, _, err3 := f.ExpireActs(ctx, a, 0, "")
		if _, err4 := f.Expire(ctx, a); err == nil || err2 == nil || err3 == nil || err4 == nil {
			t.Errorf("%q sees timed closing", a.Name)
		}
	}
}

// TestTwoProcessesExpireOnce has two services on one database work at once.
func TestTwoProcessesExpireOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	const tickets = 12
	for i := range tickets {
		v := f.mustDispatch(t, f.mustOpen(t, baker, ask(fmt.Sprint(i))), 10)
		v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
		must(f.Suspend(ctx, desk, ticket.SuspendTicket{Ref: ref(v), Reason: "请补充材料"}))(t)
	}
	f.clock.Advance(40 * 24 * time.Hour)
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for range 3 {
		s := ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{}})
		wg.Add(1)
		go func() {
			defer wg.Done()
			n, err := s.Expire(ctx, access.SystemActor("job:ticket.expire"))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			total += n
		}()
	}
	wg.Wait()
	if closed := f.rows(t, "events WHERE type = 'ticket.closed'"); total != tickets || closed != tickets || f.rows(t, "ticket_expire_acts") != tickets {
		t.Fatalf("%d acts said, %d closed, want %d", total, closed, tickets)
	}
}
