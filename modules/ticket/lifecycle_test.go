package ticket_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/worktime"
)

// unitRights are those of a unit's staff, and what its leader has beyond them.
var unitRights = []access.Permission{ticket.PermForward, ticket.PermLink, ticket.PermReply, ticket.PermRequest, ticket.PermSign, ticket.PermSuspend, ticket.PermView}

func handler(user, department int64, path [4]int64) access.Actor {
	a := staff(user, department, path, access.ScopeDepartment)
	a.Permissions = unitRights
	return a
}

func leader(user, department int64, path [4]int64) access.Actor {
	a := staff(user, department, path, access.ScopeSubtree)
	a.Name = "钱科长"
	a.Permissions = slices.Concat(unitRights, []access.Permission{ticket.PermDecide, ticket.PermEndorse, ticket.PermUndo})
	slices.Sort(a.Permissions)
	return a
}

var (
	bureauClerk  = handler(70, 10, [4]int64{1, 10})
	bureauLeader = leader(71, 10, [4]int64{1, 10})
	squadClerk   = handler(72, 100, [4]int64{1, 10, 100})
	courtClerk   = handler(73, 101, [4]int64{1, 10, 101})
	teamClerk    = handler(75, 1000, [4]int64{1, 10, 100, 1000})
	taxClerk     = handler(74, 20, [4]int64{1, 20})
)

// plainAgent holds the desk's rights but those of the supervisor.
func plainAgent(user int64) access.Actor {
	a := agent(user, "坐席")
	a.Permissions = slices.DeleteFunc(permissions(), func(p access.Permission) bool {
		return p == ticket.PermUndoAny || p == ticket.PermUndo || p == ticket.PermArbitrate
	})
	return a
}

// see reads the ticket anew, for the version.
func (f fixture) see(t *testing.T, a access.Actor, v ticket.View) ticket.View {
	t.Helper()
	return must(f.Get(context.Background(), a, v.ID))(t)
}

func says(t *testing.T, what string, err, want error, words string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: %v", what, err)
	}
}

// signedBy opens a ticket, dispatches it and has the unit sign.
func (f fixture) signedBy(t *testing.T, a access.Actor) ticket.View {
	t.Helper()
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("")), a.DepartmentID)
	return must(f.Sign(context.Background(), a, ticket.SignTicket{Ref: ref(v)}))(t)
}

// commands are all actions of the table as calls of the service.
func (f fixture) commands(other, hop int64) map[ticket.Action]func(context.Context, access.Actor, ticket.Ref) error {
	good := &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}
	type call = func(context.Context, access.Actor, ticket.Ref) error
	do := func(fn func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error)) call {
		return func(ctx context.Context, a access.Actor, r ticket.Ref) error { _, err := fn(ctx, a, r); return err }
	}
	text := "需要说明的情况"
	return map[ticket.Action]call{
		ticket.ToAnswer: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Answer(ctx, a, ticket.AnswerTicket{Ref: r, Text: text})
		}),
		ticket.ToDecline: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Decline(ctx, a, ticket.DeclineTicket{Ref: r, Code: "elsewhere", Reason: text})
		}),
		ticket.ToDispatch: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Dispatch(ctx, a, ticket.DispatchTicket{Ref: r, UnitID: 10})
		}),
		ticket.ToSign: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Sign(ctx, a, ticket.SignTicket{Ref: r})
		}),
		ticket.ToReply: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Reply(ctx, a, ticket.ReplyTicket{Ref: r, Text: text})
		}),
		ticket.ToReview: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Review(ctx, a, ticket.ReviewTicket{Ref: r})
		}),
		ticket.ToSendBack: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.SendBack(ctx, a, ticket.ReviewTicket{Ref: r, Note: text})
		}),
		ticket.ToCallBack: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.CallBack(ctx, a, ticket.CallBackTicket{Ref: r, Note: text})
		}),
		ticket.ToClose: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Close(ctx, a, ticket.CloseTicket{Ref: r, Outcome: good})
		}),
		ticket.ToReopen: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Reopen(ctx, a, ticket.ReopenTicket{Ref: r, Reason: text})
		}),
		ticket.ToVoid: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Void(ctx, a, ticket.VoidTicket{Ref: r, Reason: text})
		}),
		ticket.ToRate: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Rate(ctx, a, ticket.RateTicket{Ref: r, Rating: 5})
		}),
		ticket.ToArchive: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Archive(ctx, a, ticket.ArchiveTicket{Ref: r})
		}),
		ticket.ToClassify: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Classify(ctx, a, ticket.ClassifyTicket{Ref: r, Type: "power", Urgency: ticket.Urgent, Reason: text})
		}),
		ticket.ToSuspend: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Suspend(ctx, a, ticket.SuspendTicket{Ref: r, Reason: text})
		}),
		ticket.ToResume: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Resume(ctx, a, ticket.SuspendTicket{Ref: r, Reason: text})
		}),
		ticket.ToSupplement: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Supplement(ctx, a, ticket.SupplementTicket{Ref: r, Text: text})
		}),
		ticket.ToForward: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Forward(ctx, a, ticket.ForwardTicket{Ref: r, HopID: hop, UnitID: 100})
		}),
		ticket.ToSplit: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Split(ctx, a, ticket.SplitTicket{Ref: r, HopID: hop, Tasks: []ticket.Part{{UnitID: 100, Note: text}}})
		}),
		ticket.ToHopSign: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.SignHop(ctx, a, ticket.SignHop{Ref: r, HopID: hop})
		}),
		ticket.ToHopReply: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.ReplyHop(ctx, a, ticket.ReplyHop{Ref: r, HopID: hop, Text: text})
		}),
		ticket.ToAccept: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Accept(ctx, a, ticket.JudgeTask{Ref: r, HopID: hop})
		}),
		ticket.ToRework: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Rework(ctx, a, ticket.JudgeTask{Ref: r, HopID: hop, Note: text})
		}),
		ticket.ToRecall: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Recall(ctx, a, ticket.RecallHop{Ref: r, HopID: hop, Note: text})
		}),
		ticket.ToReturn: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.AskReturn(ctx, a, ticket.AskTicket{Ref: r, HopID: hop, Code: "not_ours", Text: text})
		}),
		ticket.ToExtend: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.AskExtension(ctx, a, ticket.AskTicket{Ref: r, HopID: hop, Code: "survey", Text: text, Days: 1})
		}),
		ticket.ToAppeal: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.AppealTicket(ctx, a, ticket.AskTicket{Ref: r, Code: "solved", Text: text})
		}),
		ticket.ToEndorse: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Endorse(ctx, a, ticket.DecideTicket{Ref: r, RequestID: 1, Grant: true})
		}),
		ticket.ToDecide: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Decide(ctx, a, ticket.DecideTicket{Ref: r, RequestID: 1, Grant: true})
		}),
		ticket.ToWithdraw: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Withdraw(ctx, a, ticket.WithdrawTicket{Ref: r, RequestID: 1})
		}),
		ticket.ToMerge: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Merge(ctx, a, ticket.MergeTicket{Ref: r, IntoID: other})
		}),
		ticket.ToUnmerge: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Unmerge(ctx, a, ticket.UnmergeTicket{Ref: r, Reason: text})
		}),
		ticket.ToLink: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Link(ctx, a, ticket.LinkTicket{Ref: r, OtherID: other})
		}),
		ticket.ToUnlink: do(func(ctx context.Context, a access.Actor, r ticket.Ref) (ticket.View, error) {
			return f.Unlink(ctx, a, ticket.LinkTicket{Ref: r, OtherID: other})
		}),
	}
}

// TestEveryIllegalStepIsRefused walks every state and action: what the table does not hold is refused, leaves the ticket as it
// was, and the answer names what is possible.
func TestEveryIllegalStepIsRefused(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.signedBy(t, bureauClerk)
	other := f.mustOpen(t, baker, ask(""))
	hop := v.Hops[0].ID
	commands := f.commands(other.ID, hop)
	legal, states := map[ticket.Transition]bool{}, map[ticket.Status]bool{}
	for _, l := range ticket.Lifecycle() {
		legal[ticket.Transition{From: l.From, Action: l.Action}] = true
		states[l.From], states[l.To] = true, true
		if l.Action.Addressed() && commands[l.Action] == nil {
			t.Fatalf("%s has no command in this test", l.Action)
		}
	}
	if len(states) != 13 {
		t.Fatalf("%d states", len(states))
	}
	// What the answer must name, reckoned from the table itself: each command that is legal there, in its order.
	possible := map[ticket.Status]string{}
	for state := range states {
		var names []string
		for _, l := range ticket.Lifecycle() {
			if l.From == state && l.Action.Addressed() && l.Action != ticket.ToLink && l.Action != ticket.ToUnlink {
				names = append(names, ticket.RightOf(l.Action).Label)
			}
		}
		possible[state] = "此状态下可以：" + strings.Join(names, "、")
		if len(names) == 0 {
			possible[state] = "此状态下不再办理"
		}
	}
	unit := bureauLeader
	unit.Permissions = permissions()
	n := 0
	for state := range states {
		for action, command := range commands {
			if legal[ticket.Transition{From: state, Action: action}] {
				continue
			}
			n++
			if _, err := f.db.Writer().ExecContext(ctx, "UPDATE tickets SET status = ? WHERE id = ?", state, v.ID); err != nil {
				t.Fatal(err)
			}
			who := desk
			switch ticket.RightOf(action).Side {
			case ticket.Unit, ticket.Handler, ticket.Worker:
				who = unit
			case ticket.Requester:
				who = baker
			}
			err := command(ctx, who, ref(v))
			told, _ := fault.As(err)
			if !errors.Is(err, ticket.ErrState) || !strings.Contains(told.Message, state.Label()) || !strings.HasSuffix(told.Message, "。"+possible[state]+"，请刷新后查看最新进展") {
				t.Errorf("%s %s: %v, want …%s", state, action, err, possible[state])
			}
			if now := f.see(t, desk, v); now.Status != state || now.Version != v.Version {
				t.Errorf("%s %s: left %s, version %d", state, action, now.Status, now.Version)
			}
		}
	}
	if n < 250 {
		t.Errorf("only %d pairs were tried", n)
	}
}

// TestEveryStepAsksForItsPermission walks the table of steps: whoever is of the side of a step, sees the ticket and holds every
// right but the one the step asks for is refused, and the ticket is as it was. With that right the same actor comes as far as the
// question whether what they saw is the newest.
func TestEveryStepAsksForItsPermission(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.signedBy(t, bureauClerk)
	lead := v.Hops[0].ID
	v = must(f.AskExtension(ctx, bureauClerk, ticket.AskTicket{Ref: ref(v), HopID: lead, Code: "survey", Text: "需要说明的情况", Days: 1}))(t)
	v = must(f.Forward(ctx, bureauClerk, ticket.ForwardTicket{Ref: ref(v), HopID: lead, UnitID: 100}))(t)
	other := f.mustOpen(t, baker, ask(""))
	type side struct {
		who      access.Actor
		commands map[ticket.Action]func(context.Context, access.Actor, ticket.Ref) error
	}
	onLead, onSection := f.commands(other.ID, lead), f.commands(other.ID, v.Hops[1].ID)
	center, bureau, section := side{desk, onLead}, side{everyRight(bureauLeader), onLead}, side{everyRight(squadClerk), onSection}
	sides := map[ticket.Side][]side{
		ticket.Desk: {center}, ticket.Unit: {bureau}, ticket.Handler: {bureau, section}, ticket.Level: {center, {bureau.who, onSection}},
		ticket.Worker: {center, bureau}, ticket.Staff: {center, bureau, section},
	}
	events := f.rows(t, "events")
	n, tried := 0, map[ticket.Side]bool{}
	for _, l := range ticket.Lifecycle() {
		right := ticket.RightOf(l.Action)
		if !l.Action.Addressed() || right.Permission == "" { // being the requester is the right
			continue
		}
		if len(sides[right.Side]) == 0 {
			t.Fatalf("nobody of the side %s of %s", right.Side, l.Action)
		}
		if _, err := f.db.Writer().ExecContext(ctx, "UPDATE tickets SET status = ? WHERE id = ?", l.From, v.ID); err != nil {
			t.Fatal(err)
		}
		for _, s := range sides[right.Side] {
			n++
			tried[right.Side] = true
			was := f.see(t, desk, v)
			poor := without(s.who, right.Permission)
			if _, err := f.Get(ctx, poor, v.ID); err != nil || len(poor.Permissions) != len(permissions())-1 {
				t.Fatalf("%s %s: %v, %d rights", l.From, l.Action, err, len(poor.Permissions))
			}
			if err := s.commands[l.Action](ctx, poor, ref(was)); !errors.Is(err, ticket.ErrForbidden) {
				t.Errorf("%s %s by %s without %s: %v", l.From, l.Action, right.Side, right.Permission, err)
			}
			if now := f.see(t, desk, v); !reflect.DeepEqual(now, was) {
				t.Fatalf("%s %s by %s without %s left\n%+v, was\n%+v", l.From, l.Action, right.Side, right.Permission, now, was)
			}
			old := ref(was)
			old.Version--
			if err := s.commands[l.Action](ctx, s.who, old); fault.KindOf(err) != fault.Conflict || errors.Is(err, ticket.ErrState) {
				t.Errorf("%s %s by %s with %s: %v", l.From, l.Action, right.Side, right.Permission, err)
			}
		}
	}
	if len(tried) != len(sides) || n < 100 {
		t.Errorf("%d steps of the sides %v were tried", n, tried)
	}
	if now := f.rows(t, "events"); now != events {
		t.Errorf("%d events, %d before", now, events)
	}
}

func TestHopsAreATree(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, baker, ask(""))
	v = must(f.Dispatch(ctx, desk, ticket.DispatchTicket{Ref: ref(v), UnitID: 10, CoUnitIDs: []int64{20}, Note: "人社牵头"}))(t)
	if len(v.Hops) != 2 || v.Hops[1].Role != ticket.RoleCo || v.Hops[1].Lead || v.UnitName != "区人社局" {
		t.Fatalf("dispatched %+v", v.Hops)
	}
	if items, _, err := f.List(ctx, taxClerk, ticket.ListFilter{Waiting: true}); err != nil || len(items) != 1 {
		t.Fatalf("the co-handler waits for %d, %v", len(items), err)
	}
	co := v.Hops[1].ID
	if _, err := f.Sign(ctx, taxClerk, ticket.SignTicket{Ref: ref(v)}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the co-handler signs for the lead: %v", err)
	}
	v = must(f.SignHop(ctx, taxClerk, ticket.SignHop{Ref: ref(v), HopID: co}))(t)
	if v.Status != ticket.Sent {
		t.Fatalf("the ticket follows the co-handler: %s", v.Status)
	}
	v = must(f.Sign(ctx, bureauClerk, ticket.SignTicket{Ref: ref(v)}))(t)
	lead := v.Hops[0].ID
	_, err := f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办"})
	says(t, "reply before the co-handler", err, ticket.ErrBelow, "区税务局")
	_, err = f.Forward(ctx, bureauClerk, ticket.ForwardTicket{Ref: ref(v), HopID: lead, UnitID: 20})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "不是区人社局的下级单位") {
		t.Errorf("forwarded sideways: %v", err)
	}
	v = must(f.Forward(ctx, bureauClerk, ticket.ForwardTicket{Ref: ref(v), HopID: lead, UnitID: 100, CoUnitIDs: []int64{101}, Note: "请大队核实"}))(t)
	if len(v.Hops) != 4 || v.Hops[2].ParentID != lead || v.Hops[2].Role != ticket.RoleLead || v.Hops[2].FromName != "区人社局" || v.Hops[3].Role != ticket.RoleCo || v.Status != ticket.Handling {
		t.Fatalf("forwarded %+v", v.Hops)
	}
	squadHop, courtHop := v.Hops[2].ID, v.Hops[3].ID
	seen := f.see(t, squadClerk, v)
	if !slices.Contains(seen.Hops[2].Actions, ticket.ToHopSign) || len(seen.Hops[0].Actions) != 0 || slices.Contains(seen.Actions, ticket.ToReply) {
		t.Errorf("the squad may %v and %v", seen.Hops[2].Actions, seen.Actions)
	}
	if _, err := f.SignHop(ctx, courtClerk, ticket.SignHop{Ref: ref(v), HopID: squadHop}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the court signs for the squad: %v", err)
	}
	v = must(f.SignHop(ctx, squadClerk, ticket.SignHop{Ref: ref(v), HopID: squadHop}))(t)
	v = must(f.ReplyHop(ctx, squadClerk, ticket.ReplyHop{Ref: ref(v), HopID: squadHop, Text: "大队：已到店核实", FileIDs: []int64{7201}}))(t)
	v = must(f.ReplyHop(ctx, taxClerk, ticket.ReplyHop{Ref: ref(f.see(t, taxClerk, v)), HopID: co, Text: "税务：已核对申报"}))(t)
	_, err = f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办"})
	says(t, "reply before the court", err, ticket.ErrBelow, "劳动仲裁院")
	v = must(f.Recall(ctx, bureauClerk, ticket.RecallHop{Ref: ref(v), HopID: courtHop, Note: "不再需要仲裁院"}))(t)
	v = must(f.Rework(ctx, bureauClerk, ticket.JudgeTask{Ref: ref(v), HopID: squadHop, Note: "请补充日期"}))(t)
	v = must(f.ReplyHop(ctx, squadClerk, ticket.ReplyHop{Ref: ref(v), HopID: squadHop, Text: "大队：22日已到店核实"}))(t)
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "经核实，补贴已受理。"}))(t)
	if v.Status != ticket.Reported || v.Hops[2].Reply != "大队：22日已到店核实" || v.Hops[1].Reply != "税务：已核对申报" || v.Hops[3].State != ticket.HopEnded {
		t.Fatalf("replied %+v", v)
	}
	mine := f.see(t, baker, v)
	if mine.Reply != "经核实，补贴已受理。" || len(mine.Hops)+len(mine.Requests)+len(mine.Near) != 0 {
		t.Errorf("the requester sees %+v", mine)
	}
	for _, s := range mine.Timeline {
		for _, word := range []string{"大队", "税务：", "仲裁院", "钱科长", "赵强"} {
			if strings.Contains(s.Label+s.Text+s.Actor, word) {
				t.Errorf("the requester reads %+v", s)
			}
		}
	}
}

// TestPassedOnDownThreeLevels goes from the desk to the bureau, its section and the unit below that. Each signs before it passes
// on, the answer comes from the bottom, and nobody answers before the level below.
func TestPassedOnDownThreeLevels(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.signedBy(t, bureauClerk)
	lead := v.Hops[0].ID
	if _, err := f.Get(ctx, squadClerk, v.ID); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("the section sees what it was not given: %v", err)
	}
	v = must(f.Forward(ctx, bureauClerk, ticket.ForwardTicket{Ref: ref(v), HopID: lead, UnitID: 100, Note: "请大队核实"}))(t)
	section := v.Hops[1].ID
	_, err := f.Forward(ctx, squadClerk, ticket.ForwardTicket{Ref: ref(v), HopID: section, UnitID: 1000})
	says(t, "passed on before it is signed", err, ticket.ErrHop, "劳动监察大队")
	v = must(f.SignHop(ctx, squadClerk, ticket.SignHop{Ref: ref(v), HopID: section}))(t)
	if _, err := f.Forward(ctx, bureauClerk, ticket.ForwardTicket{Ref: ref(v), HopID: section, UnitID: 1000}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the bureau passes on for its section: %v", err)
	}
	if _, err := f.Get(ctx, teamClerk, v.ID); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("the lowest unit sees what it was not given: %v", err)
	}
	v = must(f.Forward(ctx, squadClerk, ticket.ForwardTicket{Ref: ref(v), HopID: section, UnitID: 1000, Note: "请中队到店"}))(t)
	v = f.see(t, desk, v)
	for i, want := range []struct {
		unit, parent int64
		from         string
		state        ticket.HopState
	}{
		{10, 0, v.Hops[0].FromName, ticket.HopSigned}, {100, lead, "区人社局", ticket.HopSigned}, {1000, section, "劳动监察大队", ticket.HopSent},
	} {
		if h := v.Hops[i]; h.UnitID != want.unit || h.ParentID != want.parent || h.FromName != want.from || h.State != want.state {
			t.Errorf("hop %d: %+v, want %+v", i, h, want)
		}
	}
	if len(v.Hops) != 3 || v.Status != ticket.Handling || v.UnitName != "区人社局" {
		t.Fatalf("passed on: %s with %s, %d hops", v.Status, v.UnitName, len(v.Hops))
	}
	team := v.Hops[2].ID
	_, err = f.ReplyHop(ctx, teamClerk, ticket.ReplyHop{Ref: ref(v), HopID: team, Text: "已到店"})
	says(t, "answered before it is signed", err, ticket.ErrHop, "监察一中队")
	for _, a := range []access.Actor{bureauClerk, squadClerk} {
		if _, err := f.SignHop(ctx, a, ticket.SignHop{Ref: ref(v), HopID: team}); !errors.Is(err, ticket.ErrForbidden) {
			t.Errorf("%d signs for the lowest unit: %v", a.DepartmentID, err)
		}
	}
	v = must(f.SignHop(ctx, teamClerk, ticket.SignHop{Ref: ref(v), HopID: team}))(t)
	if got := v.Hops[2].Actions; slices.Contains(got, ticket.ToForward) || slices.Contains(got, ticket.ToSplit) || !slices.Contains(got, ticket.ToHopReply) {
		t.Errorf("the lowest unit may %v", got)
	}
	// Nobody answers before the level below.
	_, err = f.ReplyHop(ctx, squadClerk, ticket.ReplyHop{Ref: ref(v), HopID: section, Text: "大队已办"})
	says(t, "the section before its unit", err, ticket.ErrBelow, "监察一中队")
	_, err = f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办"})
	says(t, "the bureau before its section", err, ticket.ErrBelow, "劳动监察大队")
	v = must(f.ReplyHop(ctx, teamClerk, ticket.ReplyHop{Ref: ref(v), HopID: team, Text: "中队：22日已到店核实"}))(t)
	_, err = f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办"})
	says(t, "the bureau with the answer of the lowest unit alone", err, ticket.ErrBelow, "劳动监察大队")
	// The section, not the bureau, judges the answer of its unit.
	if _, err := f.Rework(ctx, bureauClerk, ticket.JudgeTask{Ref: ref(v), HopID: team, Note: "请补充"}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the bureau sends back over its section: %v", err)
	}
	v = must(f.Rework(ctx, squadClerk, ticket.JudgeTask{Ref: ref(v), HopID: team, Note: "请补充签收单"}))(t)
	v = must(f.ReplyHop(ctx, teamClerk, ticket.ReplyHop{Ref: ref(v), HopID: team, Text: "中队：签收单已补"}))(t)
	v = must(f.ReplyHop(ctx, squadClerk, ticket.ReplyHop{Ref: ref(v), HopID: section, Text: "大队：经中队核实属实"}))(t)
	if v.Status != ticket.Handling {
		t.Fatalf("the ticket follows the section: %s", v.Status)
	}
	_, err = f.Rework(ctx, squadClerk, ticket.JudgeTask{Ref: ref(v), HopID: team, Note: "再补充"})
	says(t, "sent back after the section answered", err, ticket.ErrHop, "劳动监察大队已经反馈")
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "经核实，补贴已受理。"}))(t)
	if v.Status != ticket.Reported || v.Hops[2].Reply != "中队：签收单已补" || v.Hops[1].Reply != "大队：经中队核实属实" || v.Hops[0].State != ticket.HopReplied {
		t.Fatalf("replied %s %+v", v.Status, v.Hops)
	}
	mine := f.see(t, baker, v)
	if mine.Reply != "经核实，补贴已受理。" || len(mine.Hops) != 0 || strings.Contains(labels(mine), "中队") {
		t.Errorf("the requester sees %+v", mine)
	}
}

func TestReturnsAreReviewedAndTheClockGoesOn(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC)) // Monday 9:30
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("")), 10)
	due, hop := v.DueAt, v.Hops[0].ID
	back := ticket.AskTicket{Ref: ref(v), HopID: hop, Code: "not_ours", Basis: "三定方案第五条", Text: "属于税务局职责"}
	wrong := back
	wrong.Code = "tired"
	if _, err := f.AskReturn(ctx, bureauClerk, wrong); fault.KindOf(err) != fault.Invalid {
		t.Errorf("unknown reason: %v", err)
	}
	if _, err := f.AskReturn(ctx, squadClerk, back); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("a unit without the ticket asks: %v", err)
	}
	v = must(f.AskReturn(ctx, bureauClerk, back))(t)
	if v.Status != ticket.Sent || !slices.Equal(v.Flags, []ticket.Flag{ticket.FlagReturn}) || len(v.Requests) != 1 || v.Requests[0].AfterSigning {
		t.Fatalf("asked %+v", v)
	}
	if items, _, err := f.List(ctx, desk, ticket.ListFilter{Flag: ticket.FlagReturn}); err != nil || len(items) != 1 || items[0].Flags[0] != ticket.FlagReturn {
		t.Errorf("the list shows %+v, %v", items, err)
	}
	back.Ref = ref(v)
	_, err := f.AskReturn(ctx, bureauClerk, back)
	says(t, "asked twice", err, ticket.ErrRequest, "请勿重复")
	if _, err := f.Decide(ctx, bureauLeader, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Grant: true}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the unit decides on its own return: %v", err)
	}
	v = f.see(t, desk, v)
	if _, err := f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("refused without a reason: %v", err)
	}
	v = must(f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Note: "请按首接负责制办理"}))(t)
	if v.Status != ticket.Sent || v.Requests[0].State != ticket.Denied || len(v.Flags) != 0 {
		t.Fatalf("refused %+v", v)
	}
	v = must(f.Sign(ctx, bureauClerk, ticket.SignTicket{Ref: ref(v)}))(t)
	f.clock.Advance(3 * time.Hour) // 9:30 to 12:30 is two and a half working hours
	back.Ref = ref(v)
	v = must(f.AskReturn(ctx, bureauClerk, back))(t)
	if !v.Requests[1].AfterSigning {
		t.Error("a return after signing is not marked")
	}
	v = must(f.Withdraw(ctx, bureauClerk, ticket.WithdrawTicket{Ref: ref(v), RequestID: v.Requests[1].ID}))(t)
	back.Ref = ref(v)
	v = must(f.AskReturn(ctx, bureauClerk, back))(t)
	v = must(f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[2].ID, Grant: true}))(t)
	if v.Status != ticket.Received || v.UnitName != "" || !v.DueAt.Equal(due) || v.Hops[0].State != ticket.HopReturned {
		t.Fatalf("granted %+v", v)
	}
	v = f.mustDispatch(t, v, 20)
	if !v.DueAt.Equal(due) || v.Hops[1].DueAt.After(due) {
		t.Errorf("the clock began anew: %v, was %v", v.DueAt, due)
	}
	v = must(f.Sign(ctx, taxClerk, ticket.SignTicket{Ref: ref(v)}))(t)
	f.clock.Advance(24 * time.Hour)
	late := back
	late.Ref, late.HopID = ref(v), v.Hops[1].ID
	_, err = f.AskReturn(ctx, taxClerk, late)
	says(t, "asked outside the window", err, ticket.ErrRequest, "4 个工作小时")
	counts, err := f.Returns(ctx, desk, start.AddDate(0, -1, 0), start.AddDate(0, 1, 0))
	if err != nil || len(counts) != 1 || counts[0].UnitName != "区人社局" || counts[0].Dispatcher != "李敏" || counts[0].Asked != 2 || counts[0].Granted != 1 {
		t.Errorf("counts %+v, %v", counts, err)
	}
	wide := ticket.SetBudget{Type: "labour", Kind: ticket.ReturnWindow, Amount: 3, Unit: worktime.WorkingDays}
	if err := f.SetBudget(ctx, desk, wide); err != nil {
		t.Fatal(err)
	}
	if v, err = f.AskReturn(ctx, taxClerk, late); err != nil || len(v.Requests) != 4 {
		t.Errorf("inside the window of its type: %v", err)
	}
}

func TestExtensionsTakeTwoStepsAndHaveALimit(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.signedBy(t, bureauClerk)
	hop, due := v.Hops[0].ID, v.DueAt
	more := ticket.AskTicket{Ref: ref(v), HopID: hop, Code: "survey", Text: "需现场勘查", Days: 3}
	v = must(f.AskExtension(ctx, bureauClerk, more))(t)
	r := v.Requests[0]
	if r.State != ticket.Filed || !slices.Equal(r.Actions, []ticket.Action{ticket.ToWithdraw}) {
		t.Fatalf("asked %+v", r)
	}
	_, err := f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: r.ID, Grant: true})
	says(t, "decided before the leader", err, ticket.ErrRequest, "待本单位审核")
	v = must(f.Endorse(ctx, bureauLeader, ticket.DecideTicket{Ref: ref(v), RequestID: r.ID, Grant: true}))(t)
	if !v.DueAt.Equal(due) || v.Requests[0].State != ticket.Endorsed {
		t.Fatalf("endorsed %+v", v.Requests)
	}
	if _, err := f.Decide(ctx, bureauLeader, ticket.DecideTicket{Ref: ref(v), RequestID: r.ID, Grant: true}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the unit grants itself: %v", err)
	}
	v = must(f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: r.ID, Grant: true, Days: 2}))(t)
	want := v.Hops[0].DueAt
	if !want.After(due) || !v.DueAt.Equal(want) || v.Requests[0].NewDueAt == nil || !v.Requests[0].NewDueAt.Equal(want) || !v.Requests[0].OldDueAt.Equal(due) || v.Requests[0].Granted != 2 {
		t.Fatalf("granted: due %v, want %v", v.DueAt, want)
	}
	told := f.see(t, baker, v).Timeline
	if last := told[len(told)-1]; !strings.Contains(last.Label, "办理时限延长 2 个工作日") || last.Text != "" {
		t.Errorf("the requester is told %+v", last)
	}
	// The leader's own request needs no word of their own.
	more.Ref, more.Days = ref(v), 9
	_, err = f.AskExtension(ctx, bureauLeader, more)
	says(t, "too many days", err, ticket.ErrRequest, "还可延期 8 个工作日")
	more.Days = 8
	v = must(f.AskExtension(ctx, bureauLeader, more))(t)
	if v.Requests[1].State != ticket.Endorsed {
		t.Errorf("the leader's request is %s", v.Requests[1].State)
	}
	v = must(f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[1].ID, Grant: true}))(t)
	more.Ref, more.Days = ref(v), 1
	_, err = f.AskExtension(ctx, bureauLeader, more)
	says(t, "too often", err, ticket.ErrRequest, "达到上限")
	w := f.signedBy(t, taxClerk)
	f.clock.Set(w.DueAt)
	_, err = f.AskExtension(ctx, taxClerk, ticket.AskTicket{Ref: ref(w), HopID: w.Hops[0].ID, Code: "survey", Text: "来不及", Days: 1})
	says(t, "asked too late", err, ticket.ErrRequest, "时限已过")
	// What nobody decided ends with the reply.
	x := f.signedBy(t, bureauClerk)
	x = must(f.AskExtension(ctx, bureauClerk, ticket.AskTicket{Ref: ref(x), HopID: x.Hops[0].ID, Code: "survey", Text: "以防万一", Days: 1}))(t)
	x = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(x), Text: "已办"}))(t)
	if x.Requests[0].State != ticket.Withdrawn || len(x.Flags) != 0 {
		t.Errorf("after the reply %+v", x.Requests)
	}
}

// TestWhatWaitsForMyWord: whoever is to decide finds it in their list, and nobody else does, nor who asked.
func TestWhatWaitsForMyWord(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	waits := func(what string, v ticket.View, who ...access.Actor) {
		t.Helper()
		all := map[string]access.Actor{"bureauClerk": bureauClerk, "bureauLeader": bureauLeader, "squadClerk": squadClerk, "taxClerk": taxClerk, "desk": desk, "plainAgent": plainAgent(59)}
		for name, a := range all {
			items, _, err := f.List(ctx, a, ticket.ListFilter{Flag: ticket.FlagMine})
			if err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(items, func(i ticket.Item) bool { return i.ID == v.ID })
			if want := slices.ContainsFunc(who, func(w access.Actor) bool { return w.UserID == a.UserID }); found != want {
				t.Errorf("%s waits for %s: %v", what, name, found)
			}
		}
	}
	v := f.signedBy(t, bureauClerk)
	lead := v.Hops[0].ID
	waits("nothing", v)
	v = must(f.AskExtension(ctx, bureauClerk, ticket.AskTicket{Ref: ref(v), HopID: lead, Code: "survey", Text: "需现场勘查", Days: 1}))(t)
	waits("the unit's extension", v, bureauLeader)
	v = must(f.Endorse(ctx, bureauLeader, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Grant: true}))(t)
	waits("the endorsed extension", v, desk, plainAgent(59))
	v = must(f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Grant: true}))(t)
	waits("what was decided", v)
	v = must(f.Forward(ctx, bureauClerk, ticket.ForwardTicket{Ref: ref(f.see(t, bureauClerk, v)), HopID: lead, UnitID: 100, Note: "请核实"}))(t)
	v = must(f.AskReturn(ctx, squadClerk, ticket.AskTicket{Ref: ref(f.see(t, squadClerk, v)), HopID: v.Hops[1].ID, Code: "not_ours", Text: "不属于大队职责"}))(t)
	waits("the squad's return", v, bureauLeader)
	w := f.signedBy(t, bureauClerk)
	w = must(f.AskReturn(ctx, bureauLeader, ticket.AskTicket{Ref: ref(w), HopID: w.Hops[0].ID, Code: "not_ours", Text: "由税务部门负责"}))(t)
	waits("the lead's return", w, desk, plainAgent(59))
	w = f.signedBy(t, bureauClerk)
	w = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(w), Text: "政策不支持"}))(t)
	w = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(f.see(t, desk, w)), Outcome: &ticket.Outcome{Contacted: true}, Note: "不满意"}))(t)
	w = must(f.AppealTicket(ctx, bureauClerk, ticket.AskTicket{Ref: ref(w), Code: "policy", Text: "现行政策没有此项补贴"}))(t)
	waits("the appeal", w, desk)
}

func TestExtensionOfAHopFurtherDown(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.signedBy(t, bureauClerk)
	v = must(f.Forward(ctx, bureauClerk, ticket.ForwardTicket{Ref: ref(v), HopID: v.Hops[0].ID, UnitID: 100}))(t)
	sub := v.Hops[1].ID
	v = must(f.SignHop(ctx, squadClerk, ticket.SignHop{Ref: ref(v), HopID: sub}))(t)
	squadLeader := leader(75, 100, [4]int64{1, 10, 100})
	v = must(f.AskExtension(ctx, squadLeader, ticket.AskTicket{Ref: ref(v), HopID: sub, Code: "joint", Text: "需会商", Days: 1}))(t)
	if _, err := f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Grant: true}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the desk decides for the bureau: %v", err)
	}
	_, err := f.Decide(ctx, bureauLeader, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Grant: true})
	says(t, "beyond the level above", err, ticket.ErrRequest, "请先为上级环节申请延期")
	v = must(f.Decide(ctx, bureauLeader, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Note: "请抓紧"}))(t)
	v = must(f.AskReturn(ctx, squadClerk, ticket.AskTicket{Ref: ref(v), HopID: sub, Code: "other_area", Text: "不在辖区"}))(t)
	v = must(f.Decide(ctx, bureauLeader, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[1].ID, Grant: true}))(t)
	if v.Status != ticket.Handling || v.Hops[1].State != ticket.HopReturned {
		t.Fatalf("given back to the bureau %+v", v.Hops)
	}
	must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "本局直接办结"}))(t)
}

func TestSuspendedUntilTheRequesterAnswers(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.signedBy(t, bureauClerk)
	v = must(f.Suspend(ctx, bureauClerk, ticket.SuspendTicket{Ref: ref(v), Reason: "请补充三名员工的劳动合同"}))(t)
	if v.Status != ticket.OnHold {
		t.Fatal(v.Status)
	}
	mine := f.see(t, baker, v)
	if mine.Ask != "请补充三名员工的劳动合同" || !slices.Equal(mine.Actions, []ticket.Action{ticket.ToSupplement}) {
		t.Fatalf("the requester sees %q, %v", mine.Ask, mine.Actions)
	}
	if _, err := f.Supplement(ctx, boss(8, 71), ticket.SupplementTicket{Ref: ref(v), Text: "给"}); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("a rival answers: %v", err)
	}
	mine = must(f.Supplement(ctx, baker, ticket.SupplementTicket{Ref: ref(mine), Text: "已上传", FileIDs: []int64{701}}))(t)
	if mine.Status != ticket.Handling || mine.Ask != "" || len(mine.Files) != 1 {
		t.Fatalf("supplemented %+v", mine)
	}
	last := mine.Timeline[len(mine.Timeline)-1]
	if last.Kind != "ticket.resumed" || last.Text != "已上传" || !slices.Equal(last.FileIDs, []int64{701}) {
		t.Errorf("timeline %+v", last)
	}
	v = must(f.Suspend(ctx, desk, ticket.SuspendTicket{Ref: ref(mine), Reason: "再补一份营业执照"}))(t)
	v = must(f.Resume(ctx, bureauClerk, ticket.SuspendTicket{Ref: ref(v), Reason: "企业已电话说明"}))(t)
	if v.Status != ticket.Handling {
		t.Fatal(v.Status)
	}
}

func TestReviewBeforeTheCallBack(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	if err := f.SetReview(ctx, plainAgent(54), "nothing", true); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("an unknown type: %v", err)
	}
	if err := f.SetReview(ctx, bureauLeader, "labour", true); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("a unit sets the types: %v", err)
	}
	if err := f.SetReview(ctx, desk, "labour", true); err != nil {
		t.Fatal(err)
	}
	v := f.signedBy(t, bureauClerk)
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办"}))(t)
	v = f.see(t, desk, v)
	if !slices.Contains(v.Flags, ticket.FlagReview) || slices.Contains(v.Actions, ticket.ToClose) || !slices.Contains(v.Actions, ticket.ToReview) {
		t.Fatalf("to review: %v %v", v.Flags, v.Actions)
	}
	good := &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}
	_, err := f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v), Outcome: good})
	says(t, "closed without review", err, ticket.ErrReviewDue, "须先审核")
	v = must(f.SendBack(ctx, desk, ticket.ReviewTicket{Ref: ref(v), Note: "答复没有依据"}))(t)
	if v.Status != ticket.Handling || v.Hops[0].State != ticket.HopSigned {
		t.Fatalf("sent back %+v", v)
	}
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办，依据第三条"}))(t)
	v = must(f.Review(ctx, desk, ticket.ReviewTicket{Ref: ref(v)}))(t)
	v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v), Outcome: good}))(t)
	if v.Status != ticket.Done {
		t.Fatal(v.Status)
	}
}

func TestReopenedAtAnotherUnit(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.signedBy(t, bureauClerk)
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办"}))(t)
	v = must(f.Reopen(ctx, desk, ticket.ReopenTicket{Ref: ref(v), Reason: "企业认为应由税务办理", UnitID: 20}))(t)
	if v.Status != ticket.Sent || v.UnitName != "区税务局" || len(v.Hops) != 2 || v.Hops[1].Round != 1 || v.Hops[0].State != ticket.HopReplied {
		t.Fatalf("reopened %+v", v.Hops)
	}
	v = must(f.Sign(ctx, taxClerk, ticket.SignTicket{Ref: ref(v)}))(t)
	must(f.Reply(ctx, taxClerk, ticket.ReplyTicket{Ref: ref(v), Text: "税务已办"}))(t)
}

func TestUndoneByGradedAuthority(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	one, other := plainAgent(56), plainAgent(57)
	chief := plainAgent(58)
	chief.Permissions = append(slices.Clone(chief.Permissions), ticket.PermUndo)
	slices.Sort(chief.Permissions)
	dispatch := func() ticket.View {
		v := f.mustOpen(t, baker, ask(""))
		return must(f.Dispatch(ctx, one, ticket.DispatchTicket{Ref: ref(v), UnitID: 20, Note: "派错了"}))(t)
	}
	undo := func(a access.Actor, v ticket.View) (ticket.View, error) {
		return f.Undo(ctx, a, ticket.UndoTicket{Ref: ref(v), Reason: "派错单位"})
	}
	v := dispatch()
	if v.Undo == nil || !strings.Contains(v.Undo.Label, "派单至区税务局") || !slices.Contains(v.Actions, ticket.ToUndo) {
		t.Fatalf("offered %+v", v.Undo)
	}
	_, err := undo(other, v)
	says(t, "a colleague", err, ticket.ErrUndo, "只能由操作人本人")
	v = must(undo(one, v))(t)
	if v.Status != ticket.Received || len(v.Hops) != 0 || v.UnitName != "" {
		t.Fatalf("undone %+v", v)
	}
	if _, err := f.Get(ctx, taxClerk, v.ID); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("the wrong unit still sees it: %v", err)
	}
	last := v.Timeline[len(v.Timeline)-1]
	if last.Kind != "ticket.undone" || !strings.Contains(last.Label, "派单至区税务局") || last.Text != "派错单位" {
		t.Errorf("timeline %+v", last)
	}
	_, err = undo(one, v)
	says(t, "undone twice", err, ticket.ErrUndo, "不能撤销")
	v = dispatch()
	f.clock.Advance(16 * time.Minute)
	_, err = undo(one, v)
	says(t, "the author, late", err, ticket.ErrUndo, "请由本级负责人撤销")
	must(undo(chief, v))(t)
	v = dispatch()
	f.clock.Advance(25 * time.Hour)
	_, err = undo(chief, v)
	says(t, "the leader, late", err, ticket.ErrUndo, "督办人员")
	must(undo(desk, v))(t)

	// A unit's step is its leader's to undo, not another unit's.
	v = f.signedBy(t, bureauClerk)
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "错误的答复"}))(t)
	f.clock.Advance(20 * time.Minute)
	_, err = undo(chief, v)
	says(t, "the desk's leader", err, ticket.ErrUndo, "本级负责人")
	v = must(undo(bureauLeader, v))(t)
	if v.Status != ticket.Handling || v.Reply != "" || v.Hops[0].State != ticket.HopSigned || v.Hops[0].RepliedAt != nil {
		t.Fatalf("undone %+v", v)
	}
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "正确的答复"}))(t)
	v = must(f.Close(ctx, one, ticket.CloseTicket{Ref: ref(v), Outcome: &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}}))(t)
	_, err = undo(one, v)
	says(t, "after closing", err, ticket.ErrUndo, "督办人员")
	v = must(undo(desk, v))(t)
	if v.Status != ticket.Reported || v.ClosedAt != nil {
		t.Fatalf("reopened by undoing %+v", v)
	}
	// A decision comes back with its request.
	v = f.mustDispatch(t, f.mustOpen(t, baker, ask("")), 10)
	v = must(f.AskReturn(ctx, bureauClerk, ticket.AskTicket{Ref: ref(v), HopID: v.Hops[0].ID, Code: "repeat", Text: "重复"}))(t)
	v = must(f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Grant: true}))(t)
	v = must(undo(desk, v))(t)
	if v.Status != ticket.Sent || v.Hops[0].State != ticket.HopSent || v.Requests[0].State != ticket.Filed || v.UnitName != "区人社局" {
		t.Fatalf("the decision undone %+v", v)
	}
	// The requester's own step is theirs.
	v = f.signedBy(t, bureauClerk)
	v = must(f.Suspend(ctx, bureauClerk, ticket.SuspendTicket{Ref: ref(v), Reason: "请补充"}))(t)
	v = must(f.Supplement(ctx, baker, ticket.SupplementTicket{Ref: ref(v), Text: "补充"}))(t)
	if _, err := undo(desk, v); !errors.Is(err, ticket.ErrUndo) {
		t.Errorf("the requester's step undone: %v", err)
	}
	if _, err := undo(baker, v); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("the requester undoes: %v", err)
	}
}

func TestMergedTicketsKeepTheirRequesters(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	lead := f.mustDispatch(t, f.mustOpen(t, baker, ask("")), 10)
	caller := boss(9, 72)
	one, two := f.mustOpen(t, caller, ask("")), f.mustOpen(t, boss(10, 73), ask(""))
	join := func(v ticket.View, into int64) (ticket.View, error) {
		return f.Merge(ctx, desk, ticket.MergeTicket{Ref: ref(v), IntoID: into, Note: "同一件事"})
	}
	_, err := join(one, one.ID)
	says(t, "into itself", err, ticket.ErrMerge, "它自己")
	a, b := must(join(one, lead.ID))(t), must(join(two, lead.ID))(t)
	if a.Status != ticket.Merged || a.Number != one.Number || a.UnitName != "区人社局" || len(a.Near) != 1 || a.Near[0].Kind != "lead" {
		t.Fatalf("merged %+v", a)
	}
	_, err = join(f.mustOpen(t, baker, ask("")), a.ID)
	says(t, "into a merged one", err, ticket.ErrMerge, "已并单")
	lead = f.see(t, bureauClerk, lead)
	if len(lead.Near) != 2 || lead.Near[0].RequesterName != "王芳" {
		t.Fatalf("the unit sees %+v", lead.Near)
	}
	_, err = f.Void(ctx, desk, ticket.VoidTicket{Ref: ref(lead), Reason: "重复"})
	says(t, "the order voided", err, ticket.ErrMerge, "2 件工单")
	b = must(f.Unmerge(ctx, desk, ticket.UnmergeTicket{Ref: ref(b), Reason: "不是一件事"}))(t)
	if b.Status != ticket.Received || b.UnitName != "" {
		t.Fatalf("parted %+v", b)
	}
	if _, err := f.Get(ctx, bureauClerk, b.ID); !errors.Is(err, ticket.ErrNotFound) {
		t.Errorf("the unit still sees the parted ticket: %v", err)
	}
	lead = must(f.Sign(ctx, bureauClerk, ticket.SignTicket{Ref: ref(lead)}))(t)
	// What the merged requester writes again is read where it is worked on, by staff alone.
	err = f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return f.Hear(ctx, tx, access.SystemActor("test"), a.ID, ticket.FromMail, "又停电了")
	})
	if err != nil {
		t.Fatal(err)
	}
	words := func(who access.Actor, v ticket.View) (out string) {
		for _, s := range f.see(t, who, v).Timeline {
			out += s.Label + "：" + s.Text + "|"
		}
		return out
	}
	if got := words(bureauClerk, lead); !strings.Contains(got, "并入的一件工单再次来信：又停电了") {
		t.Errorf("the handling order lacks it: %s", got)
	}
	if got := words(caller, a); !strings.Contains(got, "企业再次来信：又停电了") {
		t.Errorf("the merged ticket lacks it: %s", got)
	}
	if got := words(baker, lead); strings.Contains(got, "又停电了") || strings.Contains(got, "再次来信") {
		t.Errorf("the other requester reads it: %s", got)
	}
	// A reply to the merged ticket goes to the handling order.
	a = f.see(t, bureauClerk, a)
	got := must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(a), Text: "已统一处理"}))(t)
	if got.ID != a.ID || got.Status != ticket.Reported || got.Reply != "已统一处理" {
		t.Fatalf("replied %+v", got)
	}
	lead = f.see(t, desk, lead)
	if lead.Status != ticket.Reported || lead.Reply != "已统一处理" {
		t.Fatalf("the order %+v", lead)
	}
	mine := f.see(t, caller, a)
	if mine.Reply != "已统一处理" {
		t.Errorf("the merged requester reads %q", mine.Reply)
	}
	for _, s := range mine.Timeline {
		if strings.Contains(s.Label+s.Text, lead.Number) {
			t.Errorf("the requester learns of another ticket: %+v", s)
		}
	}
	_, err = f.Undo(ctx, desk, ticket.UndoTicket{Ref: ref(lead), Reason: "写错"})
	says(t, "undone with followers", err, ticket.ErrUndo, "分别退回重办")
	bad := &ticket.Outcome{Contacted: true}
	a = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(f.see(t, desk, a)), Outcome: &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}}))(t)
	lead = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(lead), Outcome: bad, Note: "仍有意见"}))(t)
	if a.Status != ticket.Done || lead.Status != ticket.Done {
		t.Fatal(a.Status, lead.Status)
	}
	// Answered at the desk, merged ones are answered too.
	lead, one = f.mustOpen(t, baker, ask("")), f.mustOpen(t, caller, ask(""))
	one = must(join(one, lead.ID))(t)
	must(f.Answer(ctx, desk, ticket.AnswerTicket{Ref: ref(f.see(t, desk, lead)), Text: "请看指南"}))(t)
	if one = f.see(t, caller, one); one.Status != ticket.Direct || one.Reply != "请看指南" {
		t.Fatalf("followed %+v", one)
	}
}

// TestMergedAfterDispatch merges what units have already: it rests with them, comes back as it was, and ends with the order.
func TestMergedAfterDispatch(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	caller := boss(9, 72)
	lead := f.mustDispatch(t, f.mustOpen(t, baker, ask("")), 10)
	join := func(v ticket.View) ticket.View {
		t.Helper()
		return must(f.Merge(ctx, desk, ticket.MergeTicket{Ref: ref(v), IntoID: lead.ID, Note: "同一件事"}))(t)
	}
	part := func(v ticket.View) ticket.View {
		t.Helper()
		return must(f.Unmerge(ctx, desk, ticket.UnmergeTicket{Ref: ref(v), Reason: "不是一件事"}))(t)
	}
	one := must(f.Dispatch(ctx, desk, ticket.DispatchTicket{Ref: ref(f.mustOpen(t, caller, ask(""))), UnitID: 20, CoUnitIDs: []int64{100}}))(t)
	one = must(f.Sign(ctx, taxClerk, ticket.SignTicket{Ref: ref(one)}))(t)
	one = must(f.AskReturn(ctx, taxClerk, ticket.AskTicket{Ref: ref(one), HopID: one.Hops[0].ID, Code: "not_ours", Text: "由人社部门负责办理"}))(t)
	due := one.Hops[0].DueAt
	one = join(f.see(t, desk, one))
	if one.Status != ticket.Merged || one.UnitName != "区人社局" || one.Hops[0].State != ticket.HopMerged || one.Hops[1].State != ticket.HopMerged || len(one.Flags) != 0 {
		t.Fatalf("merged %+v", one)
	}
	if items, _, err := f.List(ctx, taxClerk, ticket.ListFilter{Waiting: true}); err != nil || len(items) != 0 {
		t.Errorf("the unit still has %+v, %v", items, err)
	}
	if _, err := f.Get(ctx, taxClerk, one.ID); err != nil {
		t.Errorf("the unit cannot read what it once had: %v", err)
	}
	clocks, err := f.Clocks(ctx, desk, one.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range clocks {
		if rests := c.Kind != ticket.PublicClock && c.State == "running" || c.Kind == ticket.PublicClock && c.State != "running"; rests {
			t.Errorf("%s is %s: units rest, the requester waits", c.Label, c.State)
		}
	}
	f.clock.Advance(48 * time.Hour)
	one = part(one)
	if one.Status != ticket.Handling || one.UnitName != "区税务局" || one.Hops[0].State != ticket.HopSigned || one.Hops[1].State != ticket.HopSent {
		t.Fatalf("given back %+v", one)
	}
	if !one.Hops[0].DueAt.After(due) && !one.Hops[0].DueAt.Equal(one.DueAt) {
		t.Errorf("the unit's time went on while it rested: %s, before %s", one.Hops[0].DueAt, due)
	}
	two := f.mustDispatch(t, f.mustOpen(t, boss(10, 73), ask("")), 20)
	if two = part(join(two)); two.Status != ticket.Sent || two.UnitName != "区税务局" {
		t.Fatalf("given back unsigned %+v", two)
	}
	one, two = join(one), join(two)
	if _, err := f.Void(ctx, desk, ticket.VoidTicket{Ref: ref(f.see(t, desk, lead)), Reason: "重复"}); !errors.Is(err, ticket.ErrMerge) {
		t.Errorf("the order voided: %v", err)
	}
	lead = must(f.Sign(ctx, bureauClerk, ticket.SignTicket{Ref: ref(f.see(t, desk, lead))}))(t)
	// A reply to a merged ticket goes to the handling order, and with it to everybody merged into it.
	one = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(f.see(t, bureauClerk, one)), Text: "已统一处理"}))(t)
	for _, v := range []ticket.View{lead, one, two} {
		if v = f.see(t, desk, v); v.Status != ticket.Reported || v.Reply != "已统一处理" {
			t.Errorf("%s is %s and reads %q", v.Number, v.Status, v.Reply)
		}
	}
	if _, err := f.SendBack(ctx, desk, ticket.ReviewTicket{Ref: ref(f.see(t, desk, one)), Note: "不清楚"}); !errors.Is(err, ticket.ErrState) {
		t.Errorf("sent back to a unit that rests: %v", err)
	}
	again := must(f.Reopen(ctx, desk, ticket.ReopenTicket{Ref: ref(f.see(t, desk, one)), Reason: "未解决"}))(t)
	if again.UnitName != "区人社局" || again.Status != ticket.Sent {
		t.Fatalf("done again by %s, %s", again.UnitName, again.Status)
	}
}

// TestMergedWhileItWaitsForTheRequester: what was held rests too, its requester waits for the order meanwhile, and undoing the
// merger has it wait for the requester as before.
func TestMergedWhileItWaitsForTheRequester(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.clock.Set(beijing("2026-11-26 14:00"))
	lead := f.mustDispatch(t, f.mustOpen(t, baker, ask("lead")), 10)
	v := f.mustDispatch(t, f.mustOpen(t, boss(9, 72), ask("held")), 20)
	v = must(f.Sign(ctx, taxClerk, ticket.SignTicket{Ref: ref(v)}))(t)
	f.clock.Set(beijing("2026-11-26 15:00"))
	v = must(f.Suspend(ctx, taxClerk, ticket.SuspendTicket{Ref: ref(v), Reason: "请补充完税证明"}))(t)
	f.wantClocks(t, v.ID, "public paused 11-29 14:00", "sign met 11-27 18:00", "handle paused 11-29 14:00")
	f.clock.Set(beijing("2026-11-26 17:00"))
	v = must(f.Merge(ctx, desk, ticket.MergeTicket{Ref: ref(f.see(t, desk, v)), IntoID: lead.ID, Note: "同一件事"}))(t)
	if v.Status != ticket.Merged || v.Hops[0].State != ticket.HopMerged || v.Ask != "" {
		t.Fatalf("merged %+v", v)
	}
	f.wantClocks(t, v.ID, "public running 11-29 16:00", "sign met 11-27 18:00", "handle paused 11-29 14:00")
	if mine := f.see(t, boss(9, 72), v); slices.Contains(mine.Actions, ticket.ToSupplement) {
		t.Error("the requester is still asked")
	}
	f.clock.Set(beijing("2026-11-26 18:00"))
	v = must(f.Unmerge(ctx, desk, ticket.UnmergeTicket{Ref: ref(v), Reason: "不是一件事"}))(t)
	if v.Status != ticket.OnHold || v.UnitName != "区税务局" || v.Hops[0].State != ticket.HopSigned || v.Ask != "请补充完税证明" {
		t.Fatalf("parted %s %s %s %q", v.Status, v.UnitName, v.Hops[0].State, v.Ask)
	}
	f.wantClocks(t, v.ID, "public paused 11-29 16:00", "sign met 11-27 18:00", "handle paused 11-29 14:00")
	f.clock.Set(beijing("2026-11-27 15:00"))
	v = must(f.Supplement(ctx, boss(9, 72), ticket.SupplementTicket{Ref: ref(f.see(t, boss(9, 72), v)), Text: "见附件"}))(t)
	if v.Status != ticket.Handling {
		t.Fatal(v.Status)
	}
	f.wantClocks(t, v.ID, "public running 11-30 13:00", "sign met 11-27 18:00", "handle running 11-30 13:00")
	// Merged again when nobody is waited for, it comes back to the unit.
	v = must(f.Merge(ctx, desk, ticket.MergeTicket{Ref: ref(f.see(t, desk, v)), IntoID: lead.ID}))(t)
	v = must(f.Unmerge(ctx, desk, ticket.UnmergeTicket{Ref: ref(v), Reason: "不是一件事"}))(t)
	if v.Status != ticket.Handling || v.Ask != "" {
		t.Fatalf("parted again %s %q", v.Status, v.Ask)
	}
	// Held and merged, it is answered with its order.
	v = must(f.Suspend(ctx, taxClerk, ticket.SuspendTicket{Ref: ref(f.see(t, taxClerk, v)), Reason: "请补充"}))(t)
	v = must(f.Merge(ctx, desk, ticket.MergeTicket{Ref: ref(f.see(t, desk, v)), IntoID: lead.ID}))(t)
	lead = must(f.Sign(ctx, bureauClerk, ticket.SignTicket{Ref: ref(f.see(t, bureauClerk, lead))}))(t)
	must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(lead), Text: "已统一处理"}))(t)
	if v = f.see(t, desk, v); v.Status != ticket.Reported || v.Reply != "已统一处理" {
		t.Errorf("followed: %s %q", v.Status, v.Reply)
	}
}

// TestDoneAgainAfterItsEnd: a requester who says after the end that it is not solved gets a second round and a second clock, and
// what was found before stays as it was told.
func TestDoneAgainAfterItsEnd(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	good := &ticket.Outcome{Contacted: true, Solved: true, Satisfied: true}
	v := f.signedBy(t, bureauClerk)
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办"}))(t)
	v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(f.see(t, desk, v)), Outcome: good}))(t)
	if items, _, err := f.List(ctx, desk, ticket.ListFilter{Waiting: true}); err != nil || len(items) != 0 {
		t.Fatalf("a closed ticket waits for the desk: %+v, %v", items, err)
	}
	if !slices.Contains(f.see(t, plainAgent(59), v).Actions, ticket.ToReopen) || slices.Contains(f.see(t, bureauClerk, v).Actions, ticket.ToReopen) {
		t.Error("the desk, and it alone, has it done again")
	}
	if _, err := f.Reopen(ctx, bureauLeader, ticket.ReopenTicket{Ref: ref(v), Reason: "又停电了"}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("a unit: %v", err)
	}
	v = must(f.Reopen(ctx, plainAgent(59), ticket.ReopenTicket{Ref: ref(v), Reason: "企业来电：又停电了"}))(t)
	if v.Status != ticket.Sent || v.UnitName != "区人社局" || v.ClosedAt != nil || len(v.Hops) != 2 || v.Hops[1].Round != 1 {
		t.Fatalf("done again %+v", v)
	}
	clocks, err := f.Clocks(ctx, desk, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	if last := clocks[len(clocks)-2]; last.Kind != ticket.ReopenedClock || last.State != "running" {
		t.Errorf("no second clock: %+v", clocks)
	}
	var level, attempts int
	if err := f.db.Read().NewSelect().TableExpr("ticket_callbacks").Column("level", "attempts").Where("ticket_id = ? AND round = 0", v.ID).Scan(ctx, &level, &attempts); err != nil || level != 4 || attempts != 1 {
		t.Errorf("the call-back of before now says %d after %d, %v", level, attempts, err)
	}
	v = must(f.Undo(ctx, desk, ticket.UndoTicket{Ref: ref(v), Reason: "另立工单"}))(t)
	if v.Status != ticket.Done || v.ClosedAt == nil || len(v.Hops) != 1 {
		t.Fatalf("undone %+v", v)
	}
	if err := f.db.Read().NewSelect().TableExpr("ticket_callbacks").Column("level", "attempts").Where("ticket_id = ? AND round = 0", v.ID).Scan(ctx, &level, &attempts); err != nil || level != 4 || attempts != 1 {
		t.Errorf("undone, the call-back says %d after %d, %v", level, attempts, err)
	}
	// While an appeal waits nothing is done again.
	v = f.signedBy(t, bureauClerk)
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "政策不支持"}))(t)
	v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(f.see(t, desk, v)), Outcome: &ticket.Outcome{Contacted: true}, Note: "不满意"}))(t)
	v = must(f.AppealTicket(ctx, bureauClerk, ticket.AskTicket{Ref: ref(v), Code: "policy", Text: "现行政策没有此项补贴"}))(t)
	_, err = f.Reopen(ctx, desk, ticket.ReopenTicket{Ref: ref(v), Reason: "不满意"})
	says(t, "with an appeal", err, ticket.ErrRequest, "裁定后再重办")
	// What the desk answered itself goes to a unit that is named, before and after its end.
	v = f.mustOpen(t, baker, ask(""))
	v = must(f.Answer(ctx, desk, ticket.AnswerTicket{Ref: ref(v), Text: "可在线申报。"}))(t)
	_, err = f.Reopen(ctx, desk, ticket.ReopenTicket{Ref: ref(v), Reason: "网上报不了"})
	if told, ok := fault.As(err); !ok || len(told.Fields) != 1 || told.Fields[0].Name != "unitId" {
		t.Errorf("no unit: %v", err)
	}
	v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v)}))(t)
	v = must(f.Reopen(ctx, desk, ticket.ReopenTicket{Ref: ref(v), Reason: "网上报不了", UnitID: 20}))(t)
	if v.Status != ticket.Sent || v.UnitName != "区税务局" || v.ClosedAt != nil {
		t.Fatalf("answered at the desk, done again %+v", v)
	}
	v = must(f.Sign(ctx, taxClerk, ticket.SignTicket{Ref: ref(v)}))(t)
	if v = must(f.Reply(ctx, taxClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已修复"}))(t); v.Status != ticket.Reported {
		t.Fatal(v.Status)
	}
}

// TestTheDeskCorrectsWhatItIsAbout: another type and urgency bring other limits, reckoned from where the clocks began; what was
// granted and filled in stays, and the requester reads the new type alone.
func TestTheDeskCorrectsWhatItIsAbout(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	if err := f.EnsureBudgets(ctx, system, []ticket.TypeBudgets{
		{Type: "labour", Answer: worktime.Budget{Amount: 5, Unit: worktime.WorkingDays}}, {Type: "power", Answer: worktime.Budget{Amount: 24 * 60, Unit: worktime.ClockMinutes}},
	}); err != nil {
		t.Fatal(err)
	}
	f.clock.Set(beijing("2026-11-23 10:00")) // a Monday
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("wrong type")), 10)
	v = must(f.Sign(ctx, bureauClerk, ticket.SignTicket{Ref: ref(v)}))(t)
	f.wantClocks(t, v.ID, "public running 11-30 18:00", "sign met 11-24 18:00", "handle running 11-30 18:00")
	right := func() ticket.ClassifyTicket {
		return ticket.ClassifyTicket{Ref: ref(v), Type: "power", Urgency: ticket.Urgent, Reason: "来电核实为园区停电"}
	}
	for name, wrong := range map[string]func(c *ticket.ClassifyTicket){
		"type": func(c *ticket.ClassifyTicket) { c.Type = "nothing" }, "urgency": func(c *ticket.ClassifyTicket) { c.Urgency = "very" }, "reason": func(c *ticket.ClassifyTicket) { c.Reason = " " },
	} {
		cmd := right()
		wrong(&cmd)
		_, err := f.Classify(ctx, desk, cmd)
		if told, ok := fault.As(err); !ok || len(told.Fields) != 1 || told.Fields[0].Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	same := right()
	same.Type, same.Urgency = v.Type, v.Urgency
	if _, err := f.Classify(ctx, desk, same); fault.KindOf(err) != fault.Invalid {
		t.Errorf("nothing changed: %v", err)
	}
	for _, who := range []access.Actor{bureauLeader, baker} {
		if _, err := f.Classify(ctx, who, right()); !errors.Is(err, ticket.ErrForbidden) {
			t.Errorf("%s: %v", who.Name, err)
		}
	}
	f.clock.Set(beijing("2026-11-23 15:00"))
	v = must(f.Classify(ctx, desk, right()))(t)
	if v.Type != "power" || v.Urgency != ticket.Urgent || v.Status != ticket.Handling || !v.DueAt.Equal(beijing("2026-11-24 10:00")) || !v.Hops[0].DueAt.Equal(v.DueAt) {
		t.Fatalf("classified %+v", v)
	}
	f.wantClocks(t, v.ID, "public running 11-24 10:00", "sign met 11-24 18:00", "handle running 11-24 10:00")
	// The event explains the deadlines: what moved, from when to when.
	const moved = "由2026年11月30日 18:00改为2026年11月24日 10:00"
	if last := v.Timeline[len(v.Timeline)-1]; last.Label != "诉求类型由“劳动用工”更正为“供电故障”，紧急程度由“一般”改为“紧急”，办理时限"+moved || last.Text != "来电核实为园区停电\n承办时限"+moved {
		t.Errorf("the course says %+v", last)
	}
	var told ticket.Classified
	if e := f.facts(t, v.ID, "ticket.classified"); len(e) != 1 || e[0].Decode(&told) != nil || len(told.Moves) != 2 || !told.Raised() || !told.Sooner() ||
		len(told.Units) != 1 || told.Units[0].UnitID != 10 || !told.DueAt.Equal(v.DueAt) || !told.Moves[0].NewDueAt.Equal(v.DueAt) {
		t.Errorf("the event says %+v", told)
	}
	mine := f.see(t, baker, v)
	if last := mine.Timeline[len(mine.Timeline)-1]; !strings.HasSuffix(last.Label, "办理时限"+moved) || last.Text != "" || last.Actor != "" {
		t.Errorf("the requester reads %+v", last)
	}
	if items, _, err := f.List(ctx, desk, ticket.ListFilter{Urgency: ticket.Urgent, Fields: ticket.Fields{Types: []string{"power"}}}); err != nil || len(items) != 1 {
		t.Errorf("found under its new type: %+v, %v", items, err)
	}
	// A held ticket keeps its pause, under the new limit from where it began.
	v = must(f.Suspend(ctx, desk, ticket.SuspendTicket{Ref: ref(v), Reason: "请补充电表号"}))(t)
	f.clock.Set(beijing("2026-11-23 17:00"))
	back := ticket.ClassifyTicket{Ref: ref(v), Type: "labour", Urgency: ticket.Normal, Reason: "仍属用工"}
	v = must(f.Classify(ctx, desk, back))(t)
	if last := v.Timeline[len(v.Timeline)-1]; !strings.HasSuffix(last.Label, "办理时限在恢复办理时按新的分类计算") || strings.Contains(last.Text, "承办时限") {
		t.Errorf("while it stands still the course says %+v", last)
	}
	v = must(f.Resume(ctx, desk, ticket.SuspendTicket{Ref: ref(v), Reason: "已说明"}))(t)
	f.wantClocks(t, v.ID, "public running 12-01 11:00", "sign met 11-24 18:00", "handle running 12-01 11:00")
}

// TestAnUrgentTicketMakesItsOrderUrgent: whoever works on the handling order works on what was merged into it, with its urgency and
// its limits; what is less urgent leaves the order as it is, and what is parted again does not slow it down by itself.
func TestAnUrgentTicketMakesItsOrderUrgent(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	if err := f.EnsureBudgets(ctx, system, []ticket.TypeBudgets{{Type: "labour", Answer: worktime.Budget{Amount: 5, Unit: worktime.WorkingDays}}}); err != nil {
		t.Fatal(err)
	}
	if err := f.SetBudget(ctx, desk, ticket.SetBudget{Type: "labour", Urgency: ticket.Critical, Kind: ticket.PublicClock, Amount: 24 * 60, Unit: worktime.ClockMinutes}); err != nil {
		t.Fatal(err)
	}
	f.clock.Set(beijing("2026-11-23 10:00"))
	lead := must(f.Sign(ctx, bureauClerk, ticket.SignTicket{Ref: ref(f.mustDispatch(t, f.mustOpen(t, baker, ask("lead")), 10))}))(t)
	calm, grave := f.mustOpen(t, boss(9, 72), ask("")), f.mustOpen(t, boss(10, 73), ask(""))
	grave = must(f.Classify(ctx, desk, ticket.ClassifyTicket{Ref: ref(grave), Type: "labour", Urgency: ticket.Critical, Reason: "有人受伤"}))(t)
	join := func(v ticket.View) ticket.View {
		t.Helper()
		return must(f.Merge(ctx, desk, ticket.MergeTicket{Ref: ref(v), IntoID: lead.ID}))(t)
	}
	join(calm)
	if got := f.see(t, desk, lead); got.Urgency != ticket.Normal || len(f.facts(t, lead.ID, "ticket.classified")) != 0 {
		t.Errorf("after a calm one: %s", got.Urgency)
	}
	grave = join(grave)
	f.wantClocks(t, lead.ID, "public running 11-24 10:00", "sign met 11-24 18:00", "handle running 11-23 12:00")
	got := f.see(t, desk, lead)
	if got.Urgency != ticket.Critical || got.Type != "labour" || !got.DueAt.Equal(beijing("2026-11-24 10:00")) {
		t.Errorf("the order %s until %s", got.Urgency, got.DueAt)
	}
	var told ticket.Classified
	if e := f.facts(t, lead.ID, "ticket.classified"); len(e) != 1 || e[0].Decode(&told) != nil || !told.Raised() || len(told.Units) != 1 {
		t.Errorf("told %+v", told)
	}
	for _, s := range f.see(t, baker, lead).Timeline {
		if strings.Contains(s.Label+s.Text, grave.Number) || strings.Contains(s.Text, "并入") {
			t.Errorf("its requester learns of another: %+v", s)
		}
	}
	must(f.Unmerge(ctx, desk, ticket.UnmergeTicket{Ref: ref(grave), Reason: "不是一件事"}))(t)
	if got := f.see(t, desk, lead); got.Urgency != ticket.Critical {
		t.Errorf("parted, the order is %s", got.Urgency)
	}
}

func TestTasksAreAcceptedBeforeTheReply(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.signedBy(t, bureauClerk)
	lead := v.Hops[0].ID
	v = must(f.Split(ctx, bureauClerk, ticket.SplitTicket{Ref: ref(v), HopID: lead, Tasks: []ticket.Part{{UnitID: 100, Note: "到店核查"}, {UnitID: 101, Note: "出具意见"}}}))(t)
	v = must(f.Split(ctx, desk, ticket.SplitTicket{Ref: ref(v), Tasks: []ticket.Part{{UnitID: 20, Note: "核对税款"}}}))(t)
	if len(v.Hops) != 4 || v.Hops[3].ParentID != 0 || v.Hops[1].Note != "到店核查" {
		t.Fatalf("split %+v", v.Hops)
	}
	done := func(a access.Actor, hop int64) {
		t.Helper()
		v = f.see(t, a, v)
		v = must(f.SignHop(ctx, a, ticket.SignHop{Ref: ref(v), HopID: hop}))(t)
		v = must(f.ReplyHop(ctx, a, ticket.ReplyHop{Ref: ref(v), HopID: hop, Text: "完成"}))(t)
	}
	done(squadClerk, v.Hops[1].ID)
	done(courtClerk, v.Hops[2].ID)
	done(taxClerk, v.Hops[3].ID)
	_, err := f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "已办"})
	says(t, "reply before acceptance", err, ticket.ErrBelow, "未验收")
	if _, err := f.Accept(ctx, squadClerk, ticket.JudgeTask{Ref: ref(v), HopID: v.Hops[1].ID}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("accepts its own task: %v", err)
	}
	v = must(f.Accept(ctx, bureauClerk, ticket.JudgeTask{Ref: ref(v), HopID: v.Hops[1].ID}))(t)
	v = must(f.Rework(ctx, bureauClerk, ticket.JudgeTask{Ref: ref(v), HopID: v.Hops[2].ID, Note: "缺盖章"}))(t)
	v = must(f.ReplyHop(ctx, courtClerk, ticket.ReplyHop{Ref: ref(v), HopID: v.Hops[2].ID, Text: "已盖章"}))(t)
	v = must(f.Accept(ctx, bureauClerk, ticket.JudgeTask{Ref: ref(v), HopID: v.Hops[2].ID}))(t)
	v = must(f.Accept(ctx, desk, ticket.JudgeTask{Ref: ref(v), HopID: v.Hops[3].ID}))(t)
	v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "三项均已完成"}))(t)
	if v.Status != ticket.Reported {
		t.Fatal(v.Status)
	}
}

func TestLinksAreSeenWithinTheRights(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	a, b := f.signedBy(t, bureauClerk), f.signedBy(t, taxClerk)
	if _, err := f.Link(ctx, bureauClerk, ticket.LinkTicket{Ref: ref(a), OtherID: b.ID}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("links what it does not see: %v", err)
	}
	a = must(f.Link(ctx, desk, ticket.LinkTicket{Ref: ref(a), OtherID: b.ID}))(t)
	b = f.see(t, desk, b)
	if len(a.Near) != 1 || len(b.Near) != 1 || b.Near[0].Number != a.Number || a.Near[0].Kind != "link" {
		t.Fatalf("linked %+v %+v", a.Near, b.Near)
	}
	seen := f.see(t, bureauClerk, a)
	if len(seen.Near) != 0 {
		t.Errorf("the bureau sees %+v", seen.Near)
	}
	for _, s := range seen.Timeline {
		if strings.Contains(s.Label+s.Text, b.Number) {
			t.Errorf("the bureau reads %+v", s)
		}
	}
	b = must(f.Unlink(ctx, desk, ticket.LinkTicket{Ref: ref(b), OtherID: a.ID}))(t)
	if len(b.Near) != 0 || len(f.see(t, desk, a).Near) != 0 {
		t.Error("the link stayed")
	}
}

func TestAppealsLeaveTheStatistics(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	closed := func(o *ticket.Outcome) ticket.View {
		v := f.signedBy(t, bureauClerk)
		v = must(f.Reply(ctx, bureauClerk, ticket.ReplyTicket{Ref: ref(v), Text: "政策不支持，已解释"}))(t)
		return must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v), Outcome: o, Note: "企业不满意"}))(t)
	}
	appeal := ticket.AskTicket{Code: "policy", Text: "现行政策没有此项补贴"}
	v := closed(&ticket.Outcome{Contacted: true, Solved: true, Satisfied: true})
	appeal.Ref = ref(v)
	_, err := f.AppealTicket(ctx, bureauClerk, appeal)
	says(t, "satisfied", err, ticket.ErrRequest, "没有不满意")
	v = closed(&ticket.Outcome{Contacted: true})
	appeal.Ref = ref(v)
	v = must(f.AppealTicket(ctx, bureauClerk, appeal))(t)
	if !slices.Equal(v.Flags, []ticket.Flag{ticket.FlagAppeal}) {
		t.Fatalf("flags %v", v.Flags)
	}
	if _, err := f.Decide(ctx, plainAgent(59), ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Grant: true}); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("an agent decides: %v", err)
	}
	_, err = f.Archive(ctx, desk, ticket.ArchiveTicket{Ref: ref(v)})
	says(t, "archived with an appeal", err, ticket.ErrRequest, "尚未裁定")
	v = must(f.Decide(ctx, desk, ticket.DecideTicket{Ref: ref(v), RequestID: v.Requests[0].ID, Grant: true, Note: "同意剔除"}))(t)
	if !v.Excluded || v.Status != ticket.Done {
		t.Fatalf("granted %+v", v)
	}
	if mine := f.see(t, baker, v); mine.Excluded || len(mine.Flags) != 0 {
		t.Errorf("the requester sees it: %+v", mine)
	}
}

func TestArchivedAfterItsTime(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustOpen(t, baker, ask(""))
	v = must(f.Answer(ctx, desk, ticket.AnswerTicket{Ref: ref(v), Text: "可在线申报。"}))(t)
	v = must(f.Close(ctx, desk, ticket.CloseTicket{Ref: ref(v)}))(t)
	system := access.SystemActor("ticket.archive")
	if _, err := f.ArchiveDue(ctx, desk); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("a person runs the task: %v", err)
	}
	if n, err := f.ArchiveDue(ctx, system); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	f.clock.Advance(181 * 24 * time.Hour)
	if n, err := f.ArchiveDue(ctx, system); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := f.ArchiveDue(ctx, system); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if v = f.see(t, desk, v); v.Status != ticket.Archived {
		t.Fatal(v.Status)
	}
	if n, err := f.CountClosed(ctx); n != 1 || err != nil {
		t.Errorf("the portal counts %d, %v", n, err)
	}
}

// TestOfFiftyOneSigns: fifty press the button at once, one signs, forty-nine are told who did.
func TestOfFiftyOneSigns(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustDispatch(t, f.mustOpen(t, baker, ask("")), 10)
	errs := make([]error, 50)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, errs[i] = f.Sign(ctx, handler(1000+int64(i), 10, [4]int64{1, 10}), ticket.SignTicket{Ref: ref(v)})
		}()
	}
	wg.Wait()
	won := 0
	for i, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, ticket.ErrStale) || !strings.Contains(err.Error(), "签收"):
			t.Errorf("%d: %v", i, err)
		}
	}
	if won != 1 || f.rows(t, "events") != 3 || f.rows(t, "audit_entries") != 3 {
		t.Fatalf("%d signed, %d events, %d audit rows", won, f.rows(t, "events"), f.rows(t, "audit_entries"))
	}
}
