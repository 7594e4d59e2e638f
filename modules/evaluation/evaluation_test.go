package evaluation_test

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

	"github.com/huiqi/huiqi/modules/evaluation"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/onelink"
	"github.com/huiqi/huiqi/platform/secret"
)

var start = time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)

// subjects are services by id: of institution id/100, for company id%100.
type subjects struct {
	mu    sync.Mutex
	phase map[int64]evaluation.Phase
}

func (s *subjects) Subject(_ context.Context, _ bun.IDB, a access.Actor, id int64) (evaluation.Subject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	phase, ok := s.phase[id]
	institution, company := id/100, id%100
	seen := a.Party == access.System || a.Party == access.Platform || a.Party == access.Institution && a.InstitutionID == institution || a.Party == access.Enterprise && a.EnterpriseID == company
	if !ok || !seen {
		return evaluation.Subject{}, fault.ErrNotFound
	}
	return evaluation.Subject{Object: "application", ID: id, Number: fmt.Sprintf("SQ-%d", id), Title: "代理记账", Kind: "tax", KindName: "财税服务", ProductID: institution * 10,
		InstitutionID: institution, InstitutionName: fmt.Sprintf("第%d事务所", institution), EnterpriseID: company, EnterpriseName: "麦香烘焙有限公司", UserID: company*10 + 1, Phase: phase}, nil
}

func (s *subjects) Mobile(_ context.Context, _ bun.IDB, id int64) (string, error) {
	if id%100 == 99 {
		return "", nil // a landline
	}
	return fmt.Sprintf("138%08d", id), nil
}

func (s *subjects) set(id int64, phase evaluation.Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase[id] = phase
}

// texts keeps what is sent.
type texts struct {
	mu     sync.Mutex
	tokens []string
}

func (t *texts) Remind(_ context.Context, _ bun.Tx, _, _, token string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens = append(t.tokens, token)
	return nil
}

var migrations = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, onelink.Migrations, evaluation.Migrations)

type fixture struct {
	*evaluation.Service
	db    *database.DB
	clock *clock.Fake
	of    *subjects
	sent  *texts
}

func mustNew(t *testing.T) fixture {
	t.Helper()
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{db: databasetest.New(t, migrations), clock: clock.NewFake(start), of: &subjects{phase: map[int64]evaluation.Phase{}}, sent: &texts{}}
	name := func(context.Context, int64) (string, error) { return "代理记账", nil }
	f.Service = evaluation.New(evaluation.Deps{DB: f.db, Clock: f.clock, Subjects: map[string]evaluation.Subjects{"application": f.of}, Texts: f.sent,
		Kinds: []evaluation.Kind{{Code: "tax", Name: "财税服务"}}, Links: &onelink.Maker{DB: f.db, Clock: f.clock, Box: box}, ProductName: name, InstitutionName: name})
	return f
}

func company(id int64) access.Actor {
	return access.Actor{UserID: id*10 + 1, Name: "王芳", Party: access.Enterprise, EnterpriseID: id, Scope: access.ScopeSelf}
}

func institution(id int64) access.Actor {
	return access.Actor{UserID: id * 1000, Name: "赵强", Party: access.Institution, InstitutionID: id, Scope: access.ScopeSelf,
		Permissions: []access.Permission{evaluation.PermExport, evaluation.PermReply, evaluation.PermView}}
}

func operator(user int64) access.Actor {
	return access.Actor{UserID: user, Name: fmt.Sprintf("运营%d", user), Party: access.Platform, Scope: access.ScopeDistrict,
		Permissions: []access.Permission{evaluation.PermExport, evaluation.PermManage, evaluation.PermModerate, evaluation.PermView}}
}

func good() evaluation.Answer {
	return evaluation.Answer{Level: 5, Tags: []string{"专业", "响应快"}, Words: "三天就办好了"}
}

func bad() evaluation.Answer {
	return evaluation.Answer{Level: 1, Tags: []string{"态度差"}, Words: "接电话的人骂人，电话 13800138000"}
}

func mustGive(t *testing.T, f fixture, id int64, a evaluation.Answer) evaluation.View {
	t.Helper()
	v, err := f.Give(context.Background(), company(id%100), evaluation.Give{Object: "application", ID: id, Answer: a})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func step(v evaluation.View) evaluation.Step { return evaluation.Step{ID: v.ID, Version: v.Version} }

// TestDuringAndAfter evaluates a service while it is given and when it has ended: what was said during it counts until then.
func TestDuringAndAfter(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	f.of.set(301, "")
	give := func(a evaluation.Answer) error {
		_, err := f.Give(ctx, company(1), evaluation.Give{Object: "application", ID: 301, Answer: a})
		return err
	}
	if err := give(good()); !errors.Is(err, evaluation.ErrPhase) {
		t.Fatalf("before it was taken on: %v", err)
	}
	f.of.set(301, evaluation.During)
	for says, a := range map[string]evaluation.Answer{
		"请选择满意程度":    {},
		"与“非常满意”不对应": {Level: 5, Tags: []string{"态度差"}},
		"请填写评价内容":    {Level: 2},
		"已更新":        {Level: 5, FormID: 77},
	} {
		if err := give(a); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %s", a, err, says)
		}
	}
	mustGive(t, f, 301, bad())
	if r, err := f.OfProduct(ctx, 30); err != nil || r.Count != 1 || r.Mean != 100 {
		t.Fatalf("%+v %v", r, err)
	}
	f.of.set(301, evaluation.After)
	mustGive(t, f, 301, good())
	if err := give(good()); !errors.Is(err, evaluation.ErrGiven) {
		t.Fatalf("twice: %v", err)
	}
	if r, err := f.OfProduct(ctx, 30); err != nil || r.Count != 1 || r.Mean != 500 {
		t.Fatalf("what was said after it replaces what was said during it: %+v %v", r, err)
	}
	asked, err := f.Of(ctx, company(1), "application", 301)
	if err != nil || len(asked.Given) != 2 || asked.May || !slices.Equal(asked.Given[1].Tags, []string{"响应快", "专业"}) {
		t.Fatalf("%+v %v", asked, err)
	}
}

// TestOneOfManyAtOnce sends the same evaluation from many at once.
func TestOneOfManyAtOnce(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	f.of.set(301, evaluation.After)
	var wg sync.WaitGroup
	var mu sync.Mutex
	kept := 0
	for range 20 {
		wg.Go(func() {
			_, err := f.Give(context.Background(), company(1), evaluation.Give{Object: "application", ID: 301, Answer: good()})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				kept++
			} else if k := fault.KindOf(err); k != fault.Conflict {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	r, err := f.OfInstitution(context.Background(), 3)
	if err != nil || kept != 1 || r.Count != 1 {
		t.Fatalf("%d kept, %+v %v", kept, r, err)
	}
}

// TestForeignersLearnNothing asks for an evaluation as those whom it does not concern.
func TestForeignersLearnNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	f.of.set(301, evaluation.After)
	v := mustGive(t, f, 301, bad())
	weak := institution(3)
	weak.Permissions = nil
	for who, a := range map[string]access.Actor{"another company": company(2), "another institution": institution(4), "a visitor": {Party: access.Anonymous}, "no right": weak} {
		if _, err := f.Get(ctx, a, v.ID); !errors.Is(err, fault.ErrNotFound) && !errors.Is(err, fault.ErrUnauthorized) {
			t.Errorf("%s reads it: %v", who, err)
		}
		if items, _, err := f.List(ctx, a, evaluation.Filter{}); len(items) != 0 || err != nil && !errors.Is(err, fault.ErrUnauthorized) {
			t.Errorf("%s lists %d, %v", who, len(items), err)
		}
		if _, err := f.Of(ctx, a, "application", 301); err == nil {
			t.Errorf("%s reads what was said", who)
		}
		if _, err := f.Reply(ctx, a, evaluation.Reply{Step: step(v), Words: "感谢"}); err == nil {
			t.Errorf("%s replies", who)
		}
		if _, err := f.Revise(ctx, a, evaluation.Revise{Step: step(v), Answer: good()}); err == nil {
			t.Errorf("%s revises", who)
		}
	}
	if _, err := f.Revise(ctx, institution(3), evaluation.Revise{Step: step(v), Answer: good()}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the institution revises: %v", err)
	}
	if _, err := f.Decide(ctx, institution(3), evaluation.Decide{Step: step(v), Result: evaluation.Hid, Reason: "不属实的内容"}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the institution hides: %v", err)
	}
	ranking, err := f.Rank(ctx, institution(4), "", "")
	if err != nil || len(ranking.Items) != 0 {
		t.Errorf("another institution reads figures: %+v %v", ranking.Items, err)
	}
	public, _, err := f.Comments(ctx, 30, 0, "", 10)
	if err != nil || len(public) != 1 || strings.Contains(fmt.Sprintf("%+v", public), "13800138000") || strings.Contains(fmt.Sprintf("%+v", public), "烘焙") {
		t.Errorf("in public: %+v %v", public, err)
	}
}

func TestRevisedOnceAndRepliedUntilRead(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	f.of.set(301, evaluation.After)
	v := mustGive(t, f, 301, bad())
	replied, err := f.Reply(ctx, institution(3), evaluation.Reply{Step: step(v), Words: "已核实并道歉"})
	if err != nil {
		t.Fatal(err)
	}
	replied, err = f.Reply(ctx, institution(3), evaluation.Reply{Step: step(replied), Words: "已核实，负责人会致歉"})
	if err != nil || replied.Reply != "已核实，负责人会致歉" {
		t.Fatalf("changed before it was read: %+v %v", replied, err)
	}
	asked, err := f.Of(ctx, company(1), "application", 301)
	if err != nil || asked.Given[0].ReplyReadAt == nil || asked.Given[0].ReplyBy != "" {
		t.Fatalf("%+v %v", asked.Given, err)
	}
	if _, err := f.Reply(ctx, institution(3), evaluation.Reply{Step: step(asked.Given[0]), Words: "不认可此评价"}); !errors.Is(err, evaluation.ErrReplied) {
		t.Fatalf("changed after it was read: %v", err)
	}
	if _, err := f.Revise(ctx, company(1), evaluation.Revise{Step: step(v), Answer: good()}); !errors.Is(err, evaluation.ErrStale) {
		t.Fatalf("an old version: %v", err)
	}
	again, err := f.Revise(ctx, company(1), evaluation.Revise{Step: step(asked.Given[0]), Answer: good()})
	if err != nil || again.Level != 5 || again.First == nil || again.First.Level != 1 || again.First.Words != bad().Words {
		t.Fatalf("%+v %v", again, err)
	}
	if _, err := f.Revise(ctx, company(1), evaluation.Revise{Step: step(again), Answer: bad()}); !errors.Is(err, evaluation.ErrRevised) {
		t.Fatalf("a second time: %v", err)
	}
	f.of.set(302, evaluation.After)
	late := mustGive(t, f, 302, bad())
	f.clock.Advance(31 * 24 * time.Hour)
	if _, err := f.Revise(ctx, company(2), evaluation.Revise{Step: step(late), Answer: good()}); !errors.Is(err, evaluation.ErrLate) {
		t.Fatalf("after a month: %v", err)
	}
}

// TestAbuse hides words by one person and takes the level out by two.
func TestAbuse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	for i := range int64(2) {
		f.of.set(301+i, evaluation.After)
		mustGive(t, f, 301+i, bad())
	}
	items, _, err := f.List(ctx, operator(9), evaluation.Filter{})
	if err != nil || len(items) != 2 {
		t.Fatal(len(items), err)
	}
	v, err := f.Report(ctx, institution(3), evaluation.Report{Step: evaluation.Step{ID: items[0].ID, Version: items[0].Version}, Cause: evaluation.Untrue, Words: "我们的人没有这样说过"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Report(ctx, institution(3), evaluation.Report{Step: step(v), Cause: evaluation.Untrue, Words: "我们的人没有这样说过"}); !errors.Is(err, evaluation.ErrReported) {
		t.Fatalf("reported twice: %v", err)
	}
	if _, err := f.Confirm(ctx, operator(9), evaluation.Confirm{Step: step(v), Abusive: true, Reason: "核对了通话录音"}); !errors.Is(err, evaluation.ErrStep) {
		t.Fatalf("the second person before the first: %v", err)
	}
	v, err = f.Decide(ctx, operator(9), evaluation.Decide{Step: step(v), Result: evaluation.Second, Reason: "核对录音，与事实不符"})
	if err != nil || !v.Hidden || v.Voided {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := f.Confirm(ctx, operator(9), evaluation.Confirm{Step: step(v), Abusive: true, Reason: "核对了通话录音"}); !errors.Is(err, evaluation.ErrOwnDecision) {
		t.Fatalf("the same person: %v", err)
	}
	if r, _ := f.OfInstitution(ctx, 3); r.Count != 2 {
		t.Fatalf("one person took a level out: %+v", r)
	}
	v, err = f.Confirm(ctx, operator(10), evaluation.Confirm{Step: step(v), Abusive: true, Reason: "复核录音，情况属实"})
	if err != nil || !v.Voided {
		t.Fatalf("%+v %v", v, err)
	}
	if r, _ := f.OfInstitution(ctx, 3); r.Count != 1 {
		t.Fatalf("%+v", r)
	}
	seen, err := f.Get(ctx, institution(3), v.ID)
	if err != nil || seen.Words != "" || len(seen.Tags) != 0 || seen.Report.First != "" || seen.Report.SecondReason == "" {
		t.Fatalf("the institution reads %+v %+v %v", seen, seen.Report, err)
	}
	if _, err := f.Restore(ctx, operator(10), step(v), "企业申诉后恢复"); !errors.Is(err, evaluation.ErrStep) {
		t.Fatalf("what two persons found is restored by one: %v", err)
	}

	other, err := f.Get(ctx, operator(9), items[1].ID)
	if err != nil {
		t.Fatal(err)
	}
	other, err = f.Report(ctx, operator(9), evaluation.Report{Step: step(other), Cause: evaluation.Privacy, Words: "含有手机号码"})
	if err != nil {
		t.Fatal(err)
	}
	other, err = f.Decide(ctx, operator(9), evaluation.Decide{Step: step(other), Result: evaluation.Hid, Reason: "含有他人手机号码"})
	if err != nil {
		t.Fatal(err)
	}
	if public, _, _ := f.Comments(ctx, 0, 3, "", 10); len(public) != 0 {
		t.Fatalf("hidden words in public: %+v", public)
	}
	if r, _ := f.OfInstitution(ctx, 3); r.Count != 1 {
		t.Fatalf("hiding words changed the rating: %+v", r)
	}
	if other, err = f.Restore(ctx, operator(10), step(other), "企业已删去号码"); err != nil || other.Hidden {
		t.Fatalf("%+v %v", other, err)
	}
}

// TestRanking holds the ranking against numbers reckoned by hand.
func TestRanking(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	rules, err := f.Rules(ctx, operator(9))
	if err != nil {
		t.Fatal(err)
	}
	r := evaluation.StandardRule()
	r.MinCount, r.PriorWeight = 2, 4
	if err := f.SetRule(ctx, operator(9), evaluation.SetRule{Base: rules[0].ID, Reason: "试行", Rule: r}); err != nil {
		t.Fatal(err)
	}
	if err := f.SetRule(ctx, operator(9), evaluation.SetRule{Base: rules[0].ID, Reason: "试行", Rule: r}); !errors.Is(err, evaluation.ErrStale) {
		t.Fatalf("over a newer version: %v", err)
	}
	// Institution 3: 5 5; institution 4: 5 5 5 5 4 4; institution 5: 5 alone; institution 6: 1 1.
	id := map[int64]int64{}
	for of, levels := range map[int64][]int{3: {5, 5}, 4: {5, 5, 5, 5, 4, 4}, 5: {5}, 6: {1, 1}} {
		for _, l := range levels {
			id[of]++
			n := of*100 + id[of]
			f.of.set(n, evaluation.After)
			mustGive(t, f, n, evaluation.Answer{Level: l, Words: "用了一个月的感受"})
		}
	}
	got, err := f.Rank(ctx, operator(9), "", "")
	if err != nil {
		t.Fatal(err)
	}
	// 45 points in 11 evaluations: 4.09 to begin from. 3: (10+4×4.09)/6 = 4.39; 4: (28+16.36)/10 = 4.44; 6: (2+16.36)/6 = 3.06.
	want := []string{"1 4 444 467 6", "2 3 439 500 2", "3 6 306 100 2", "0 5 427 500 1"}
	for i, x := range got.Items {
		if s := fmt.Sprint(x.Rank, x.InstitutionID, x.Score, x.Mean, x.Count); i >= len(want) || s != want[i] {
			t.Errorf("%d: %s, want %v", i, s, want)
		}
	}
	if got.Prior != 409 || len(got.Items) != 4 {
		t.Errorf("prior %d, %d institutions", got.Prior, len(got.Items))
	}
	own, err := f.Rank(ctx, institution(3), "", "")
	if err != nil || len(own.Items) != 1 || own.Items[0].Rank != 2 {
		t.Errorf("%+v %v", own.Items, err)
	}
	if empty, err := f.Rank(ctx, operator(9), "2025-01-01", "2025-12-31"); err != nil || len(empty.Items) != 0 {
		t.Errorf("a year before: %+v %v", empty.Items, err)
	}
	for _, bad := range [][2]string{{"2026-12-01", "2026-11-01"}, {"gestern", ""}, {"2010-01-01", "2026-01-01"}} {
		if _, err := f.Rank(ctx, operator(9), bad[0], bad[1]); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// TestRemindedOnce sends the link of a service that ended, once, and takes one evaluation by it.
func TestRemindedOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	visitor := access.Actor{Party: access.Anonymous, IP: "203.0.113.9"}
	for _, id := range []int64{301, 302, 399} {
		f.of.set(id, evaluation.After)
		for range 2 { // told twice
			if err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				return f.Ended(ctx, tx, "application", id, 3, "第3事务所", start)
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	mustGive(t, f, 302, good()) // said something already; 399 has no mobile phone
	remind := func(want int) {
		t.Helper()
		if err := f.Remind(ctx); err != nil {
			t.Fatal(err)
		}
		if len(f.sent.tokens) != want {
			t.Fatalf("%d reminders, want %d", len(f.sent.tokens), want)
		}
	}
	f.clock.Advance(3*24*time.Hour - time.Minute)
	remind(0)
	f.clock.Advance(2 * time.Minute)
	remind(1)
	f.clock.Advance(24 * time.Hour)
	remind(1)
	token := f.sent.tokens[0]
	if v, err := f.AtLink(ctx, visitor, token); err != nil || v.Number != "SQ-301" {
		t.Fatalf("%+v %v", v, err)
	}
	if err := f.GiveByLink(ctx, visitor, token, evaluation.Answer{Level: 2}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("without words: %v", err)
	}
	var wg sync.WaitGroup
	kept := make(chan error, 10)
	for range 10 {
		wg.Go(func() { kept <- f.GiveByLink(ctx, visitor, token, good()) })
	}
	wg.Wait()
	close(kept)
	n := 0
	for err := range kept {
		if err == nil {
			n++
		} else if !errors.Is(err, onelink.ErrUsed) && !errors.Is(err, evaluation.ErrGiven) && fault.KindOf(err) != fault.Conflict {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Fatalf("%d were kept", n)
	}
	if _, err := f.AtLink(ctx, visitor, token); !errors.Is(err, onelink.ErrUsed) {
		t.Fatalf("used: %v", err)
	}
	ranking, err := f.Rank(ctx, operator(9), "", "")
	if err != nil || ranking.Items[0].Ended != 3 || ranking.Items[0].Said != 2 {
		t.Fatalf("%+v %v", ranking.Items, err)
	}
	for i := range 25 {
		_, err = f.AtLink(ctx, visitor, fmt.Sprintf("%026d", i))
	}
	if !errors.Is(err, onelink.ErrMany) {
		t.Fatalf("after many tries: %v", err)
	}
}

func TestFormOfAKind(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	form := evaluation.Standard()
	form.Levels[0].Tags = []string{"报税准时"}
	if err := f.SetForm(ctx, operator(9), evaluation.SetForm{Kind: "circus", Form: form}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("an unknown kind: %v", err)
	}
	if err := f.SetForm(ctx, institution(3), evaluation.SetForm{Kind: "tax", Form: form}); !errors.Is(err, fault.ErrForbidden) {
		t.Fatalf("by an institution: %v", err)
	}
	if err := f.SetForm(ctx, operator(9), evaluation.SetForm{Kind: "tax", Form: form}); err != nil {
		t.Fatal(err)
	}
	f.of.set(301, evaluation.After)
	asked, err := f.Of(ctx, company(1), "application", 301)
	if err != nil || asked.Form == nil || !slices.Equal(asked.Form.Levels[0].Tags, []string{"报税准时"}) {
		t.Fatalf("%+v %v", asked.Form, err)
	}
	last := asked.Form.ID
	if err := f.SetForm(ctx, operator(9), evaluation.SetForm{Kind: "tax", Base: last, Withdraw: true}); err != nil {
		t.Fatal(err)
	}
	if asked, err = f.Of(ctx, company(1), "application", 301); err != nil || slices.Contains(asked.Form.Levels[0].Tags, "报税准时") {
		t.Fatalf("withdrawn: %+v %v", asked.Form, err)
	}
	broken := evaluation.Standard()
	broken.Levels[1].Level = 5
	if err := f.SetForm(ctx, operator(9), evaluation.SetForm{Base: 1, Form: broken}); fault.KindOf(err) != fault.Invalid {
		t.Fatalf("two best levels: %v", err)
	}
}

// TestProductsAreRatedFromThePrior has one best evaluation of one product weigh less than three good ones of another.
func TestProductsAreRatedFromThePrior(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	give := func(id int64, level int) {
		t.Helper()
		f.of.set(id, evaluation.After)
		a := good()
		a.Level, a.Tags = level, nil
		if _, err := f.Give(ctx, company(id%100), evaluation.Give{Object: "application", ID: id, Answer: a}); err != nil {
			t.Fatal(err)
		}
	}
	give(301, 5)
	for id := int64(401); id <= 403; id++ {
		give(id, 4)
	}
	is, err := f.Products(ctx, f.DB.Read())
	if err != nil || len(is) != 2 {
		t.Fatal(is, err)
	}
	one, three := is[30], is[40]
	if one.Mean != 500 || one.Count != 1 || three.Mean != 400 || three.Count != 3 {
		t.Errorf("%+v %+v", one, three)
	}
	// All together say 4.25: whoever has said little is near it.
	if one.Score <= 425 || one.Score >= 500 || three.Score >= 425 || three.Score <= 400 || 500-one.Score < three.Score-400 {
		t.Errorf("scores %d and %d", one.Score, three.Score)
	}
}
