package ticket_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

func yes(b bool) *bool { return &b }

// repliedBy opens a request of the baker and has the bureau reply to it.
func (f fixture) repliedBy(t *testing.T, key string) ticket.View {
	t.Helper()
	ctx := context.Background()
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask(key)), 10)
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "已电话说明申请办法。"}))(t)
	return f.see(t, desk, v)
}

func (f fixture) callbacks(t *testing.T, view string) []ticket.CallbackView {
	t.Helper()
	list, _, err := f.Callbacks(context.Background(), desk, ticket.CallbackFilter{View: view})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestCallbacksAreTriedAndEnd(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.repliedBy(t, "a")
	due := f.callbacks(t, "due")
	if len(due) != 1 || due[0].TicketID != v.ID || due[0].First || !due[0].DueAt.Equal(beijing("2026-11-23 18:00")) {
		t.Fatalf("queue %+v", due)
	}
	record := func(cmd ticket.RecordCallback) error {
		cmd.Ref = ref(v)
		got, err := f.RecordCallback(ctx, desk, cmd)
		if err == nil {
			v = got
		}
		return err
	}
	gone := start.Add(-time.Hour)
	for name, cmd := range map[string]ticket.RecordCallback{
		"result": {Result: "maybe"}, "solved": {Result: ticket.CallReached, Level: 4}, "level": {Result: ticket.CallReached, Solved: yes(true), Level: 6},
		"then": {Result: ticket.CallReached, Solved: yes(true), Level: 1}, "nextAt": {Result: ticket.CallNoAnswer, NextAt: &gone},
	} {
		if err := record(cmd); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 3 {
		f.clock.Advance(time.Hour)
		if err := record(ticket.RecordCallback{Result: ticket.CallNoAnswer, Words: "响铃无人接听"}); err != nil {
			t.Fatal(i, err)
		}
		if i < 2 && len(f.callbacks(t, "later")) != 1 {
			t.Fatalf("after attempt %d: %+v", i+1, f.callbacks(t, "later"))
		}
	}
	if got := f.callbacks(t, "unreached"); len(got) != 1 || got[0].Attempts != 3 || v.Status != ticket.Calling {
		t.Fatalf("unreached %+v, ticket %s", got, v.Status)
	}
	// The last attempt was a slip: the queue has it again.
	v = must(f.Undo(ctx, desk, ticket.UndoTicket{Ref: ref(v), Reason: "记错工单"}))(t)
	if got := f.callbacks(t, "due"); len(got) != 1 || got[0].Attempts != 2 {
		t.Fatalf("after undo %+v", got)
	}
	if err := record(ticket.RecordCallback{Result: ticket.CallReached, Responded: yes(true), Solved: yes(false), Level: 2, Tags: []string{"超时"}, Words: "补贴仍未到账", Then: ticket.ThenReopen}); err != nil {
		t.Fatal(err)
	}
	if v.Status != ticket.Sent || v.Hops[len(v.Hops)-1].Round != 1 || len(f.callbacks(t, "due")) != 0 {
		t.Fatalf("not done again: %s", v.Status)
	}
	done := f.callbacks(t, "done")
	if len(done) != 1 || done[0].Level != 2 || *done[0].Solved || !*done[0].Responded || !slices.Equal(done[0].Tags, []string{"超时"}) || done[0].ByName != "李敏" {
		t.Fatalf("done %+v", done)
	}
	card, err := f.Callback(ctx, desk, done[0].ID)
	if err != nil || len(card.History) != 4 || !card.History[2].Undone || card.Phone != "138****8000" || card.Script == "" {
		t.Fatalf("card %+v %v", card, err)
	}
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(v)}))(t)
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "补贴今日到账。"}))(t)
	if due := f.callbacks(t, "due"); len(due) != 1 || !due[0].First || due[0].Round != 1 {
		t.Fatalf("second round %+v", due)
	}
	if err := record(ticket.RecordCallback{Result: ticket.CallReached, Solved: yes(true), Level: 5}); err != nil || v.Status != ticket.Done {
		t.Fatalf("%v %s", err, v.Status)
	}
	v = must(f.Undo(ctx, desk, ticket.UndoTicket{Ref: ref(v), Reason: "误操作"}))(t)
	if due := f.callbacks(t, "due"); len(due) != 1 || due[0].Level != 0 {
		t.Fatalf("closing undone: %+v", due)
	}
}

func TestWhoeverJudgesFirstIsTheCallback(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	voice := access.SystemActor("cti")
	pressed := func(by access.Actor, number string, level int) error {
		return f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return f.VoiceCallback(ctx, tx, by, number, level) })
	}
	for _, c := range []struct {
		name  string
		judge func(v ticket.View) error
		want  ticket.Status
		round int
	}{
		{"the requester is satisfied", func(v ticket.View) error {
			return failure(f.Rate(ctx, baker, ticket.RateTicket{Ref: ref(v), Rating: 4}))
		}, ticket.Done, 0},
		{"the requester is not", func(v ticket.View) error {
			return failure(f.Rate(ctx, baker, ticket.RateTicket{Ref: ref(v), Rating: 1, Opinion: "没有人联系"}))
		}, ticket.Sent, 1},
		{"satisfied and not solved", func(v ticket.View) error {
			return failure(f.Rate(ctx, baker, ticket.RateTicket{Ref: ref(v), Rating: 3, Solved: yes(false)}))
		}, ticket.Sent, 1},
		{"the voice is told it is good", func(v ticket.View) error { return pressed(voice, v.Number, 5) }, ticket.Done, 0},
		{"the voice is told it is bad", func(v ticket.View) error { return pressed(voice, v.Number, 1) }, ticket.Sent, 1},
	} {
		v := f.repliedBy(t, c.name)
		if err := c.judge(v); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := f.see(t, desk, v)
		round := 0
		for _, h := range got.Hops {
			round = max(round, h.Round)
		}
		if got.Status != c.want || round != c.round {
			t.Errorf("%s: %s in round %d, want %s %d", c.name, got.Status, round, c.want, c.round)
		}
	}
	// A key is taken of a ticket that waits to be asked about, from the telephone alone.
	v := f.mustOpen(t, baker, ask("nobody calls"))
	for name, err := range map[string]error{"waits for no call": pressed(voice, v.Number, 5), "unknown": pressed(voice, "GD20200101-000001", 5)} {
		if !errors.Is(err, fault.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := pressed(desk, v.Number, 5); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("by hand: %v", err)
	}
	// In a second round a person decides, and the requester may judge the new reply.
	v = f.repliedBy(t, "twice")
	if err := failure(f.Rate(ctx, baker, ticket.RateTicket{Ref: ref(v), Rating: 1})); err != nil {
		t.Fatal(err)
	}
	v = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(f.see(t, bureau, v))}))(t)
	v = must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(v), Text: "再次办理。"}))(t)
	if err := failure(f.Rate(ctx, baker, ticket.RateTicket{Ref: ref(v), Rating: 2})); err != nil {
		t.Fatal(err)
	}
	if v = f.see(t, desk, v); v.Status != ticket.Calling || v.Rating != 2 {
		t.Fatalf("second round: %s %d", v.Status, v.Rating)
	}
	if due := f.callbacks(t, "due"); due[0].TicketID != v.ID || !due[0].First {
		t.Fatalf("not first: %+v", due[0])
	}
}

// TestJudgedAfterItsEnd: who was never reached may say after the end that it is not solved, on the page or by link, and gets a
// second round; who was reached, or says so late or again, is left to a person.
func TestJudgedAfterItsEnd(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	if err := f.SetCallbackPlan(ctx, desk, ticket.SetCallbackPlan{Type: "labour", Share: 0, Attempts: 2, RetryMinutes: 60, Script: "您好"}); err != nil {
		t.Fatal(err)
	}
	spared := func(key string) ticket.View {
		t.Helper()
		return must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(f.repliedBy(t, key))}))(t)
	}
	rate := func(v ticket.View, rating int) ticket.View {
		t.Helper()
		return must(f.Rate(ctx, baker, ticket.RateTicket{Ref: ref(f.see(t, baker, v)), Rating: rating, Opinion: "没有人联系"}))(t)
	}
	v := rate(spared("good"), 4)
	if v.Status != ticket.Done || v.Rating != 4 {
		t.Errorf("a good judgement: %s %d", v.Status, v.Rating)
	}
	v = rate(spared("bad"), 1)
	if v.Status != ticket.Sent || v.Rating != 0 || v.ClosedAt != nil {
		t.Fatalf("a bad judgement: %s %d", v.Status, v.Rating)
	}
	v = f.see(t, desk, v)
	if last := v.Timeline[len(v.Timeline)-1]; v.Hops[len(v.Hops)-1].Round != 1 || !strings.Contains(last.Text, "没有人联系") {
		t.Errorf("done again as %+v", last)
	}
	var level int
	if err := f.db.Read().NewSelect().TableExpr("ticket_callbacks").Column("level").Where("ticket_id = ? AND round = 0", v.ID).Scan(ctx, &level); err != nil || level != 1 {
		t.Errorf("the call-back says %d, %v", level, err)
	}
	late := spared("late")
	f.clock.Advance((ticket.JudgeDays*24 + 1) * time.Hour)
	if late = rate(late, 1); late.Status != ticket.Done || late.Rating != 1 {
		t.Errorf("late: %s %d", late.Status, late.Rating)
	}
	reached := f.repliedBy(t, "reached")
	reached = must(f.RecordCallback(ctx, desk, ticket.RecordCallback{Ref: ref(reached), Result: ticket.CallReached, Solved: yes(true), Level: 4}))(t)
	if reached = rate(reached, 1); reached.Status != ticket.Done || reached.Rating != 1 {
		t.Errorf("reached before: %s %d", reached.Status, reached.Rating)
	}
	// A caller without an account has the same by link.
	caller := f.answered(t, "caller")
	token := f.link(t, caller.ID).Token
	must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(caller)}))(t)
	if seen, err := f.AtLink(ctx, access.Actor{IP: "10.0.0.7"}, token); err != nil || seen.Number != caller.Number {
		t.Fatalf("%+v %v", seen, err)
	}
	if err := f.Judge(ctx, access.Actor{IP: "10.0.0.7"}, verdict(token, false, 2)); err != nil {
		t.Fatal(err)
	}
	if caller = f.see(t, desk, caller); caller.Status != ticket.Sent {
		t.Errorf("by link: %s", caller.Status)
	}
}

func TestTheSampleIsReproducible(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	err := f.SetCallbackPlan(ctx, desk, ticket.SetCallbackPlan{Type: "labour", Share: 0, Attempts: 2, RetryMinutes: 60, Script: "您好"})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetCallbackPlan(ctx, desk, ticket.SetCallbackPlan{Type: "labour", Share: 50, Attempts: 2, RetryMinutes: 60, Script: "您好"}); !errors.Is(err, ticket.ErrStale) {
		t.Fatalf("second new plan: %v", err)
	}
	v := f.repliedBy(t, "spared")
	if got := f.callbacks(t, "spared"); len(got) != 1 || len(f.callbacks(t, "due")) != 0 {
		t.Fatalf("spared %+v", got)
	}
	v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v)}))(t)
	if v.Status != ticket.Done {
		t.Fatal(v.Status)
	}
	cmd := ask("urgent")
	cmd.ContactName, cmd.Phone, cmd.Urgency = "王芳", "13800138000", ticket.Urgent
	u := f.mustDispatch(t, f.mustOpen(t, desk, cmd), 10)
	u = must(f.Sign(ctx, bureau, ticket.SignTicket{Ref: ref(u)}))(t)
	must(f.Reply(ctx, bureau, ticket.ReplyTicket{Ref: ref(u), Text: "已恢复。"}))(t)
	if due := f.callbacks(t, "due"); len(due) != 1 || !due[0].First {
		t.Fatalf("urgent ones are always called: %+v", due)
	}
	// Anybody can reckon it: the first four bytes of SHA-256 of "number/round", modulo 100, below the share.
	if !ticket.Sampled("GD20261122-000001", 0, 60) || ticket.Sampled("GD20261122-000001", 0, 59) || !ticket.Sampled("GD20261122-000001", 1, 39) || ticket.Sampled("GD20261122-000001", 1, 38) {
		t.Fatal("not in the sample that the number gives")
	}
	in := 0
	for i := range 1000 {
		if ticket.Sampled("GD20261122-"+string(rune('0'+i%10))+string(rune('a'+i/10)), 0, 30) {
			in++
		}
	}
	if in < 200 || in > 400 {
		t.Fatalf("%d of 1000 in a sample of 30%%", in)
	}
}

func TestEachCallbackIsClaimedOnce(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for _, key := range []string{"a", "b", "c"} {
		f.repliedBy(t, key)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[int64]int{}
	for user := range int64(6) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			card, err := f.ClaimCallback(ctx, agent(500+user, "坐席"), "")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				got[card.ID]++
			} else if !errors.Is(err, ticket.ErrNoCallback) {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if len(got) != 3 {
		t.Fatalf("claimed %v", got)
	}
	for id, n := range got {
		if n != 1 {
			t.Errorf("call-back %d was given to %d", id, n)
		}
	}
	f.clock.Advance(time.Hour)
	first, err := f.ClaimCallback(ctx, desk, "")
	if err != nil || !first.Mine {
		t.Fatalf("after the claim ran out: %v", err)
	}
	if again, err := f.ClaimCallback(ctx, desk, ""); err != nil || again.ID != first.ID {
		t.Fatalf("their own comes first: %d %v", again.ID, err)
	}
	if err := f.ReleaseCallback(ctx, desk, first.ID); err != nil {
		t.Fatal(err)
	}
	for _, a := range []access.Actor{baker, bureau, tax, {}} {
		_, _, err := f.Callbacks(ctx, a, ticket.CallbackFilter{})
		_, err2 := f.Callback(ctx, a, first.ID)
		_, err3 := f.ClaimCallback(ctx, a, "")
		if err == nil || err2 == nil || err3 == nil || f.ReleaseCallback(ctx, a, first.ID) == nil {
			t.Errorf("%s sees call-backs", a.Name)
		}
	}
}
