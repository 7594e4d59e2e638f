package policy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
)

// TestAnswersStayWhatTheyWere: an answer opened months later says what was said, though facts, policy and day have changed.
func TestAnswersStayWhatTheyWere(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	r.mustFill(t)
	before, err := r.Match(ctx, baker, "")
	if err != nil || before.Answer == "" {
		t.Fatalf("%q %v", before.Answer, err)
	}
	one, err := r.MatchOne(ctx, coder, 1)
	if err != nil || one.Answer == "" || one.Answer == before.Answer {
		t.Fatalf("%q %v", one.Answer, err)
	}
	staff := int64(9)
	quick, err := r.Quick(ctx, visitor, policy.Answers{Industry: "14", Employees: &staff})
	if err != nil || quick.Answer == "" {
		t.Fatalf("%q %v", quick.Answer, err)
	}
	if again, err := r.Match(ctx, baker, ""); err != nil || again.Answer != before.Answer {
		t.Errorf("the same answer was kept twice: %q %v", again.Answer, err)
	}
	if again, err := r.Quick(ctx, visitor, policy.Answers{Industry: "14", Employees: &staff}); err != nil || again.Answer != quick.Answer {
		t.Errorf("the same quick answer was kept twice: %q %v", again.Answer, err)
	}
	var facts string
	if err := r.db.Read().NewRaw("SELECT facts FROM policy_answers WHERE number = ?", before.Answer).Scan(ctx, &facts); err != nil || strings.Contains(facts, "禾谷坊") || strings.Contains(facts, "employees") {
		t.Fatalf("the facts are not sealed: %.60s %v", facts, err)
	}

	// Every policy is rewritten or ended, and half a year passes.
	kept, err := r.All(ctx, system)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range kept {
		if i%2 == 0 {
			_, err = r.Expire(ctx, system, policy.ExpirePolicy{Ref: k.Ref, Reason: "政策到期"})
		} else {
			c := k.Content
			c.Title, c.Conditions = "改写后的"+c.Title, []byte(`{"field":"employees","op":"gte","value":5000,"unit":"人"}`)
			_, err = r.Revise(ctx, system, policy.RevisePolicy{Ref: k.Ref, Content: c})
		}
		if err != nil && k.Status == policy.Live {
			t.Fatal(err)
		}
	}
	r.clock.Advance(180 * 24 * time.Hour)
	open, err := r.Answer(ctx, baker, before.Answer)
	if err != nil || !open.Same {
		t.Fatalf("same: %v %v", open.Same, err)
	}
	if !reflect.DeepEqual(stripped(open.Result), stripped(before)) {
		t.Errorf("the answer reads otherwise:\n%+v\nwas\n%+v", stripped(open.Result), stripped(before))
	}
	if now, err := r.Match(ctx, baker, ""); err != nil || reflect.DeepEqual(stripped(now), stripped(before)) || now.Answer == before.Answer {
		t.Errorf("nothing changed, so the test proves nothing: %v", err)
	}
	single, err := r.Answer(ctx, coder, one.Answer)
	if err != nil || single.Policies != 1 || !single.Same {
		t.Fatalf("%+v %v", single.AnswerItem, err)
	}

	// For whom: the company's people, staff who may look for companies, and of a quick match who has its number, for a month.
	if _, err := r.Answer(ctx, coder, before.Answer); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a stranger opened it: %v", err)
	}
	if _, err := r.Answer(ctx, visitor, before.Answer); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a visitor opened it: %v", err)
	}
	r.roll.names[70] = policy.Company{ID: 70, Name: "禾谷坊烘焙有限公司"}
	if _, err := r.Answer(ctx, finder, before.Answer); err != nil {
		t.Errorf("staff: %v", err)
	}
	if _, err := r.Answer(ctx, viewer, before.Answer); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("staff without the right: %v", err)
	}
	if _, err := r.Answer(ctx, visitor, quick.Answer); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a quick answer outlived its month: %v", err)
	}
	list, _, err := r.MyAnswers(ctx, baker, "", 0)
	if err != nil || len(list) != 2 || list[1].Number != before.Answer {
		t.Errorf("%+v %v", list, err)
	}
	if err := r.ForgetAnswers(ctx); err != nil {
		t.Fatal(err)
	}
	if n := r.rows(t, "policy_answers WHERE kind = 'quick'"); n != 0 {
		t.Errorf("%d quick answers are kept on", n)
	}
	r.clock.Advance(800 * 24 * time.Hour)
	if err := r.ForgetAnswers(ctx); err != nil || r.rows(t, "policy_answers") != 0 {
		t.Errorf("%d answers are kept on: %v", r.rows(t, "policy_answers"), err)
	}
}

// stripped leaves out the number of an answer, which its own text cannot name.
func stripped(r policy.Result) string {
	r.Answer = ""
	raw, err := json.Marshal(r)
	if err != nil {
		panic(err) // of texts and numbers
	}
	return string(raw)
}

// TestAnswersOfPoliciesWithoutConditions: opening an answer about a policy without conditions leaves it to people, as it was
// said, and complains of nothing.
func TestAnswersOfPoliciesWithoutConditions(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var said bytes.Buffer
	f := fixture{db: databasetest.New(t, reachSteps), clock: clock.NewFake(start)}
	r := reachOn(t, f, func(d *policy.Deps) { d.Log = slog.New(slog.NewTextHandler(&said, nil)) })
	plain := content("无法比对的办法")
	p := r.mustPublish(t, plain)
	if _, err := r.Revise(ctx, system, policy.RevisePolicy{Ref: policy.Ref{ID: p.ID, Version: p.Version}, Content: plain}); err != nil {
		t.Fatal(err)
	}
	one, err := r.MatchOne(ctx, baker, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Match(ctx, baker, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{one.Answer, all.Answer} {
		open, err := r.Answer(ctx, baker, number)
		if err != nil || !open.Same || open.Result.Groups[3].Group != policy.ByHand || open.Result.Groups[3].Count != 1 {
			t.Errorf("%+v %v", open, err)
		}
	}
	if strings.Contains(said.String(), "parse") {
		t.Errorf("a policy without conditions is complained of: %s", said.String())
	}
}

// TestStaffAnswer: what staff were told of a company can be opened again and is written down.
func TestStaffAnswer(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	p := r.mustTown(t)
	j, err := r.Judgement(ctx, finder, p.ID, 7, "")
	if err != nil || j.Answer == "" || j.Decision != criteria.Near || len(j.Lines) != 2 {
		t.Fatalf("%+v %v", j, err)
	}
	r.roll.learn(7, firm("1411", "110112010", 300))
	open, err := r.Answer(ctx, finder, j.Answer)
	if err != nil || open.Kind != policy.StaffAnswer || !open.Same || open.Result.Count(policy.Nearly) != 1 {
		t.Fatalf("%+v %v", open, err)
	}
	if now, err := r.Judgement(ctx, finder, p.ID, 7, ""); err != nil || now.Decision != criteria.Eligible || now.Answer == j.Answer {
		t.Errorf("%+v %v", now, err)
	}
	if n := r.rows(t, "audit_entries WHERE action IN ('policy.judgement', 'policy.answer')"); n != 3 {
		t.Errorf("%d looks are written down", n)
	}
}

func TestNextStep(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	for i, cond := range []string{
		`{"field":"employees","op":"gte","value":20,"unit":"人"}`, `{"field":"employees","op":"lte","value":200,"unit":"人"}`,
		`{"all":[{"field":"employees","op":"gte","value":3,"unit":"人"},{"field":"revenue","op":"gte","value":1,"unit":"万元"}]}`,
		`{"field":"assets","op":"gte","value":1,"unit":"万元"}`,
		`{"all":[{"field":"employees","op":"gte","value":3,"unit":"人"},{"field":"revenue","op":"gte","value":1,"unit":"万元"},{"field":"assets","op":"gte","value":1,"unit":"万元"}]}`,
	} {
		c := content(fmt.Sprintf("政策%d", i))
		c.Conditions = []byte(cond)
		r.mustPublish(t, c)
	}
	got, err := r.Quick(ctx, visitor, policy.Answers{Industry: "14"})
	if err != nil || got.Next == nil || got.Next.Text != "再填 2 项（从业人员、上年营业收入），可确认 3 项政策" {
		t.Fatalf("%+v %v", got.Next, err)
	}
	staff := int64(30)
	if got, err = r.Quick(ctx, visitor, policy.Answers{Industry: "14", Employees: &staff}); err != nil || got.Next == nil || got.Next.Policies != 3 || len(got.Next.Fields) != 2 {
		t.Fatalf("%+v %v", got.Next, err)
	}
}

// TestFollow: a fact is held against the policies that read it only; who fits now is told, within the limits.
func TestFollow(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	p := r.mustTown(t)
	for i := range 3 { // policies that do not read what will change
		c := content(fmt.Sprintf("软件政策%d", i))
		c.Conditions = []byte(`{"field":"rdRatio","op":"gte","value":3,"unit":"%"}`)
		r.mustPublish(t, c)
	}
	if err := r.EnsureRuns(ctx); err != nil {
		t.Fatal(err)
	}
	for id := range r.rows(t, "policy_runs") {
		if err := r.WorkRun(ctx, int64(id)+1); err != nil {
			t.Fatal(err)
		}
	}
	settle := func() policy.Followed {
		t.Helper()
		r.mustRefresh(t)
		r.clock.Advance(20 * time.Second)
		r.mustRefresh(t)
		f, err := r.JudgeAgain(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := settle(); f.Facts != 0 {
		t.Fatalf("the first round looks at nothing: %+v", f)
	}
	r.consents[7], r.consents[9], r.consents[10] = true, true, true
	r.roll.learn(7, firm("1411", "110112010", 40))  // fits now
	r.roll.learn(8, firm("1411", "110112010", 40))  // fits now, and agreed to nothing
	r.roll.learn(9, firm("1411", "110112010", 8))   // says the same again
	r.roll.learn(1, firm("1411", "110112010", 3))   // fits no more
	r.roll.learn(12, firm("6513", "110112010", 60)) // another trade
	r.mustTell(t, 10, 2)
	r.roll.learn(10, firm("1411", "110112010", 90)) // fits now, and was told twice this week
	f := settle()
	if f.Facts != 6 || f.Companies != 6 || f.Judged != 5 || f.Gained != 3 || f.Lost != 1 || f.Told != 1 {
		t.Errorf("%+v", f)
	}
	if n := r.rows(t, fmt.Sprintf("policy_verdicts WHERE policy_id = %d", p.ID)); n != 8 {
		t.Errorf("%d fit as is kept", n)
	}
	list := r.letters(t)
	if len(list) != 1 || list[0].UserID != 1007 || list[0].What != "policy.fits /policies/match" || list[0].Words != "《食品企业扩产补助》 1" {
		t.Fatalf("%+v", list)
	}
	// It was told already, so a plan leaves it out; and nothing that is looked at again is told again.
	if f := settle(); f.Facts != 0 || len(r.letters(t)) != 1 {
		t.Errorf("%+v", f)
	}
	v, err := r.PreviewPush(ctx, planner, p.ID, policy.Audience{Sets: []criteria.Decision{criteria.Eligible}})
	if err != nil || v.Excluded[0] != (policy.Excluded{Reason: "已告知过本政策", Count: 1}) {
		t.Errorf("%+v %v", v, err)
	}
}

// TestRenew: what fits with the passing of time alone is found by the daily round.
func TestRenew(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	young := firm("1411", "110112010", 30)
	young["established"] = fact(criteria.Day(date("2023-11-25")), "企业登记信息", "2026-11-01")
	r.enrol(1, young)
	r.consents[1] = true
	c := content("成长企业补助")
	c.Conditions = []byte(`{"field":"established","op":"years_since_gte","value":3,"unit":"年"}`)
	r.mustPublish(t, c)
	r.mustRefresh(t)
	if err := r.EnsureRuns(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.WorkRun(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if f, err := r.Renew(ctx); err != nil || f.Gained != 0 {
		t.Fatalf("%+v %v", f, err)
	}
	r.clock.Advance(4 * 24 * time.Hour)
	r.mustRefresh(t)
	for want := range []int{1, 0} {
		f, err := r.Renew(ctx)
		if err != nil || f.Gained != 1-want || f.Told != 1-want {
			t.Errorf("%+v %v", f, err)
		}
	}
}

// TestAnswersAreListedAndRemoved: a person finds the company's answers and their own quick ones, and only who may deletes them.
func TestAnswersAreListedAndRemoved(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	r.mustFill(t)
	one, err := r.MatchOne(ctx, baker, 1)
	if err != nil {
		t.Fatal(err)
	}
	staff := int64(9)
	mine, err := r.Quick(ctx, baker, policy.Answers{Industry: "14", Employees: &staff})
	if err != nil {
		t.Fatal(err)
	}
	strangers, err := r.Quick(ctx, visitor, policy.Answers{Industry: "14", Employees: &staff})
	if err != nil || strangers.Answer == mine.Answer {
		t.Fatalf("%q %v", strangers.Answer, err)
	}
	list, _, err := r.MyAnswers(ctx, baker, "", 0)
	if err != nil || len(list) != 2 || list[0].Number != mine.Answer || list[0].Kind != policy.QuickAnswer || list[1].Title != one.Policy.Title || list[1].Edition != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	colleague := boss(77, baker.EnterpriseID)
	if list, _, err = r.MyAnswers(ctx, colleague, "", 0); err != nil || len(list) != 1 || list[0].Number != one.Answer {
		t.Errorf("to a colleague: %+v %v", list, err)
	}
	open, err := r.Answer(ctx, baker, one.Answer)
	if err != nil || open.Edition != 1 || open.Result.Groups[0].Group == "" || !open.At.Equal(one.At) {
		t.Errorf("%+v %v", open.AnswerItem, err)
	}
	for _, who := range []struct {
		name   string
		number string
		actor  access.Actor
		want   error
	}{
		{"a colleague", mine.Answer, colleague, fault.ErrNotFound}, {"a visitor", mine.Answer, visitor, fault.ErrNotFound},
		{"a stranger", one.Answer, coder, fault.ErrNotFound}, {"staff", one.Answer, viewer, fault.ErrNotFound},
	} {
		if _, err := r.Answer(ctx, who.actor, who.number); !errors.Is(err, who.want) {
			t.Errorf("%s opened it: %v", who.name, err)
		}
		if err := r.RemoveAnswer(ctx, who.actor, policy.RemoveAnswer{Key: who.name, Number: who.number}); !errors.Is(err, who.want) {
			t.Errorf("%s deleted it: %v", who.name, err)
		}
	}
	if err := r.RemoveAnswer(ctx, colleague, policy.RemoveAnswer{Key: "c", Number: one.Answer}); !errors.Is(err, policy.ErrAnswerOwner) {
		t.Errorf("not the owner: %v", err)
	}
	r.roll.owner[baker.EnterpriseID] = baker.UserID
	for range 2 { // a repeat of the key is the first outcome
		if err := r.RemoveAnswer(ctx, baker, policy.RemoveAnswer{Key: "mine", Number: one.Answer}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.RemoveAnswer(ctx, baker, policy.RemoveAnswer{Key: "quick", Number: mine.Answer}); err != nil {
		t.Fatal(err)
	}
	if err := r.RemoveAnswer(ctx, visitor, policy.RemoveAnswer{Key: "v", Number: strangers.Answer}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Answer(ctx, baker, one.Answer); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("it can be opened after it was deleted: %v", err)
	}
	if n := r.rows(t, "policy_answers"); n != 0 {
		t.Errorf("%d answers are kept on", n)
	}
	if n := r.rows(t, "audit_entries WHERE action = 'policy.answer_remove'"); n != 3 {
		t.Errorf("%d deletions are written down", n)
	}
}
