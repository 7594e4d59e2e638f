package policy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/flow"
	"github.com/huiqi/huiqi/platform/sheet"
)

func TestLifecyclesAreWhole(t *testing.T) {
	t.Parallel()
	if err := flow.Connected(policy.PushEdges, policy.PushStates, policy.PushPreparing, policy.PushRefused, policy.PushDone, policy.PushStopped); err != nil {
		t.Error("push:", err)
	}
	if err := flow.Connected(policy.GrantEdges, policy.GrantStates, policy.GrantPreparing, policy.GrantFinal, policy.GrantCancelled); err != nil {
		t.Error("grant:", err)
	}
	for _, s := range policy.PushStates {
		if s.Label() == "" {
			t.Errorf("%s has no word", s)
		}
	}
	for _, s := range policy.GrantStates {
		if s.Label() == "" {
			t.Errorf("%s has no word", s)
		}
	}
}

// grantFlow drives one list.
type grantFlow struct {
	*reach

	t *testing.T
	g policy.GrantView
	n int
}

func (f *grantFlow) step(do func(context.Context, access.Actor, policy.GrantStep) (policy.GrantView, error), a access.Actor, want policy.GrantState) {
	f.t.Helper()
	f.n++
	g, err := do(context.Background(), a, policy.GrantStep{Key: fmt.Sprint(f.n), ID: f.g.ID, Version: f.g.Version, Reason: "情况说明"})
	if err != nil || g.State != want {
		f.t.Fatalf("%s: %v, want %s", g.State, err, want)
	}
	f.g = g
}

func (f *grantFlow) refused(what string, do func(context.Context, access.Actor, policy.GrantStep) (policy.GrantView, error), a access.Actor) {
	f.t.Helper()
	f.n++
	if _, err := do(context.Background(), a, policy.GrantStep{Key: fmt.Sprint(f.n), ID: f.g.ID, Version: f.g.Version, Reason: "情况说明"}); err == nil {
		f.t.Errorf("%s", what)
	}
}

// TestGrant takes a list from the companies that fit on checked facts to the final one.
func TestGrant(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	p := r.mustTown(t)
	said := firm("1411", "110112010", 30)
	own := said["employees"]
	own.Stated = true
	said["employees"] = own
	r.roll.learn(6, said) // fits by its own word only
	r.mustRefresh(t)
	g, err := r.MakeGrant(ctx, planner, p.ID, "make")
	if err != nil || g.State != policy.GrantDraft || g.Counts["listed"] != 5 {
		t.Fatalf("%+v %v", g, err)
	}
	f := &grantFlow{reach: r, t: t, g: g}
	if again, err := r.MakeGrant(ctx, planner, p.ID, "make"); err != nil || again.ID != g.ID {
		t.Errorf("a repeat made %d: %v", again.ID, err)
	}
	// The evidence is what was known then, and sealed.
	r.roll.learn(1, firm("1411", "110112010", 2))
	c, err := r.GrantEvidence(ctx, planner, g.ID, 1, "")
	if err != nil || len(c.Lines) != 2 || c.Lines[1].Actual != "21 人" || c.Lines[1].Source != "社会保险经办机构" {
		t.Fatalf("%+v %v", c, err)
	}
	// It is read as everything of a company: with its consent, or with a basis, by who may see the company.
	r.consents[-1] = true
	for _, basis := range []string{"", "none"} {
		if c, err := r.GrantEvidence(ctx, planner, g.ID, 1, basis); !errors.Is(err, policy.ErrUnread) || c.Evidence != nil {
			t.Errorf("evidence without consent, basis %q: %+v %v", basis, c, err)
		}
	}
	if c, err := r.GrantEvidence(ctx, planner, g.ID, 1, duty); err != nil || len(c.Lines) != 2 {
		t.Errorf("evidence with a basis: %+v %v", c, err)
	}
	if _, err := r.GrantEvidence(ctx, staffWith(64, policy.PermGrant), g.ID, 2, duty); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("evidence of a company that is not seen: %v", err)
	}
	if n := r.rows(t, "audit_entries WHERE action = 'policy.grant_evidence'"); n != 2 {
		t.Errorf("%d looks are written down", n)
	}
	delete(r.consents, -1)
	if n := r.rows(t, "policy_grant_items WHERE evidence LIKE '%employees%'"); n != 0 {
		t.Error("evidence is not sealed")
	}
	if _, err := r.RemoveFromGrant(ctx, planner, policy.RemoveFromGrant{GrantStep: policy.GrantStep{Key: "rm", ID: g.ID, Version: g.Version, Reason: "已享受同类政策"}, EnterpriseID: 5}); err != nil {
		t.Fatal(err)
	}
	f.step(r.SubmitGrant, planner, policy.GrantReview)
	f.refused("the maker published", r.PublishGrant, with(planner, policy.PermGrantDecide))
	f.step(r.ReturnGrant, approver, policy.GrantDraft)
	f.step(r.SubmitGrant, planner, policy.GrantReview)
	if list, err := r.PublicGrants(ctx); err != nil || len(list) != 0 {
		t.Fatalf("shown before it was published: %+v %v", list, err)
	}
	f.step(r.PublishGrant, approver, policy.GrantPublic)
	until := *f.g.PublicUntil
	if want := time.Date(2026, 11, 29, 15, 59, 59, 0, time.UTC); !until.Equal(want) {
		t.Errorf("shown until %s, want %s", until, want)
	}
	pub, items, _, err := r.PublicCompanies(ctx, g.ID, "", 0)
	if err != nil || !pub.Open || pub.Companies != 4 || len(items) != 4 || items[0].Name != "第1企业" || items[0].CreditCode != "9111**********0001" || items[0].Evidence != nil {
		t.Fatalf("%+v %+v %v", pub, items, err)
	}

	// Anybody objects with a name and a telephone.
	object := func(key, phone string, company int64) (string, error) {
		return r.RaiseObjection(ctx, visitor, policy.RaiseObjection{Key: key, GrantID: g.ID, EnterpriseID: company, Name: "周明", Phone: phone, Text: "该企业已停产，不应享受。"})
	}
	number, err := object("o1", "13800138000", 2)
	if err != nil || !strings.HasPrefix(number, "YY20261122") {
		t.Fatalf("%s %v", number, err)
	}
	if again, err := object("o1", "13800138000", 2); err != nil || again != number {
		t.Errorf("a repeat: %s %v", again, err)
	}
	for _, bad := range []struct {
		phone   string
		company int64
	}{{"12", 2}, {"13800138000", 14}, {"13800138000", 5}} {
		if _, err := object("bad"+bad.phone+fmt.Sprint(bad.company), bad.phone, bad.company); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := object("o2", "13800138000", 3); err != nil {
		t.Fatal(err)
	}
	f.reload()
	if len(f.g.Objections) != 2 || f.g.Objections[1].Phone != "138****8000" {
		t.Fatalf("to who does not decide: %+v", f.g.Objections)
	}
	r.clock.Set(until.Add(time.Minute))
	f.refused("confirming began with objections open", r.OpenConfirming, approver)
	for i, uphold := range []bool{true, false} {
		if _, err := r.DecideObjection(ctx, planner, policy.DecideObjection{Key: "no", ID: int64(i + 1), Uphold: uphold, Answer: "经核实，情况属实。"}); err == nil {
			t.Error("somebody without the right decided")
		}
		if _, err := r.DecideObjection(ctx, approver, policy.DecideObjection{Key: fmt.Sprint("d", i), ID: int64(i + 1), Uphold: uphold, Answer: "经核实，情况属实。"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := object("late", "13800138000", 1); !errors.Is(err, policy.ErrGrantState) {
		t.Errorf("an objection after the showing: %v", err)
	}
	f.reload()
	f.step(r.OpenConfirming, approver, policy.GrantConfirming)
	for range 2 {
		if err := r.TellGrants(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if list := r.letters(t); len(list) != 3 || list[0].UserID != 1001 {
		t.Fatalf("asked to confirm: %+v", list)
	}

	// The companies confirm; nobody applies.
	confirm := func(user, company int64, take bool) (policy.MyGrant, error) {
		return r.ConfirmGrant(ctx, boss(user, company), policy.ConfirmGrant{Key: fmt.Sprint(user, take), ID: g.ID, Take: take})
	}
	if m, err := confirm(1001, 1, true); err != nil || m.Mine != "confirmed" {
		t.Fatalf("%+v %v", m, err)
	}
	if m, err := confirm(1003, 3, false); err != nil || m.Mine != "declined" {
		t.Fatalf("%+v %v", m, err)
	}
	if _, err := confirm(1002, 2, true); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("one that was taken off confirmed: %v", err)
	}
	if _, err := confirm(1014, 14, true); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a stranger confirmed: %v", err)
	}
	if _, err := confirm(77, 1, true); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("somebody else of the company confirmed: %v", err)
	}
	for _, x := range []struct {
		who  access.Actor
		mine string
	}{{boss(1001, 1), "confirmed"}, {boss(1003, 3), "declined"}, {boss(1002, 2), "removed"}, {boss(1014, 14), ""}, {visitor, ""}} {
		v, err := r.ShownGrant(ctx, x.who, g.ID, "", 0)
		got := ""
		if v.Mine != nil {
			got = v.Mine.Mine
		}
		if err != nil || got != x.mine || len(v.Items) != 3 {
			t.Errorf("shown to %d: %q of %d %v", x.who.UserID, got, len(v.Items), err)
		}
	}
	f.reload()
	f.step(r.FinishGrant, approver, policy.GrantFinal)
	if fmt.Sprint(f.g.Counts) != "map[confirmed:1 declined:1 listed:1 removed:2]" {
		t.Error(f.g.Counts)
	}
	rows, _, err := r.GrantSource().Page(ctx, planner, sheet.Query{Filter: sheet.Filter{"grant": fmt.Sprint(g.ID)}, Limit: 50})
	if err != nil || len(rows) != 5 || rows[0][3].String() != "已确认" || rows[1][4].String() != "异议成立：经核实，情况属实。" {
		t.Errorf("%v %v", rows, err)
	}
}

func (f *grantFlow) reload() {
	f.t.Helper()
	g, err := f.Grant(context.Background(), planner, f.g.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	f.g = g
}

func with(a access.Actor, right access.Permission) access.Actor {
	return staffWith(a.UserID, append([]access.Permission{right}, a.Permissions...)...)
}

// TestGrantNeedsData: a policy with a clause for humans has no such list, nor one nobody fits on checked facts.
func TestGrantNeedsData(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	r.mustTown(t)
	c := content("技术领先奖励")
	c.Conditions = []byte(`{"all":[{"field":"industry","op":"under","value":["14"]},{"op":"human","label":"技术水平领先"}]}`)
	if _, err := r.MakeGrant(ctx, planner, r.mustPublish(t, c).ID, "a"); !errors.Is(err, policy.ErrGrantHuman) {
		t.Errorf("%v", err)
	}
	c = content("大企业奖励")
	c.Conditions = []byte(`{"field":"employees","op":"gte","value":5000,"unit":"人"}`)
	if _, err := r.MakeGrant(ctx, planner, r.mustPublish(t, c).ID, "b"); !errors.Is(err, policy.ErrGrantNone) {
		t.Errorf("%v", err)
	}
	c = content("没有条件的政策")
	c.Conditions = nil
	if _, err := r.MakeGrant(ctx, planner, r.mustPublish(t, c).ID, "c"); !errors.Is(err, policy.ErrByHand) {
		t.Errorf("%v", err)
	}
	if _, err := r.MakeGrant(ctx, finder, 1, "d"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("%v", err)
	}
	rows, _, err := r.ReverseSource().Page(ctx, with(finder, policy.PermReverseTake), sheet.Query{Filter: sheet.Filter{"policy": "1", "set": string(criteria.Near)}, Limit: 50})
	if err != nil || len(rows) != 3 || rows[0][7].String() != "从业人员：不满足（还差 12 人）" {
		t.Errorf("%v %v", rows, err)
	}
}
