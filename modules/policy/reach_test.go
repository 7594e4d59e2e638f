package policy_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// roll is a register of companies in memory: each change of facts is one fact with the next id.
type roll struct {
	mu    sync.Mutex
	log   []change
	names map[int64]policy.Company
	owner map[int64]int64
	reads int // companies whose facts were read as of a mark
}

type change struct {
	enterprise int64
	facts      criteria.Facts
}

// learn says what is known of a company from now on.
func (r *roll) learn(id int64, facts criteria.Facts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, change{id, maps.Clone(facts)})
}

func (r *roll) until(mark int64, id int64) criteria.Facts {
	out := criteria.Facts{}
	for i, c := range r.log {
		if int64(i) < mark && c.enterprise == id {
			out = maps.Clone(c.facts)
		}
	}
	return out
}

func (r *roll) FactMark(context.Context, bun.IDB) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(len(r.log)), nil
}

func (r *roll) CountRegister(context.Context, bun.IDB) (int, error) { return len(r.names), nil }

func (r *roll) EachRegistered(_ context.Context, _ bun.IDB, yield func(int64, criteria.Facts) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(r.names)) {
		if err := yield(id, r.until(int64(len(r.log)), id)); err != nil {
			return err
		}
	}
	return nil
}

func (r *roll) InRegister(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]criteria.Facts, error) {
	return r.FactsUntil(ctx, db, 1<<40, ids...)
}

func (r *roll) FactsAfter(_ context.Context, _ bun.IDB, after int64, limit int) ([]policy.ChangedFact, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []policy.ChangedFact
	for i := after; i < int64(len(r.log)) && len(out) < limit; i++ {
		out = append(out, policy.ChangedFact{FactID: i + 1, EnterpriseID: r.log[i].enterprise})
	}
	return out, nil
}

func (r *roll) FactsUntil(_ context.Context, _ bun.IDB, mark int64, ids ...int64) (map[int64]criteria.Facts, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[int64]criteria.Facts{}
	for _, id := range ids {
		if _, in := r.names[id]; in {
			out[id] = r.until(mark, id)
		}
	}
	r.reads += len(out)
	return out, nil
}

func (r *roll) CheckedFacts(ctx context.Context, db bun.IDB, ids ...int64) (map[int64]criteria.Facts, error) {
	out, err := r.InRegister(ctx, db, ids...)
	for _, facts := range out {
		maps.DeleteFunc(facts, func(_ string, f criteria.Fact) bool { return f.Stated })
	}
	return out, err
}

func (r *roll) Named(_ context.Context, _ bun.IDB, actor access.Actor, ids ...int64) (map[int64]policy.Company, error) {
	out := map[int64]policy.Company{}
	for _, id := range ids {
		if c, in := r.names[id]; in && (actor.Can("enterprise.view") || actor.Party == access.System) {
			out[id] = c
		}
	}
	return out, nil
}

func (r *roll) Owners(_ context.Context, _ bun.IDB, ids ...int64) (map[int64]int64, error) {
	out := map[int64]int64{}
	for _, id := range ids {
		if u := r.owner[id]; u != 0 {
			out[id] = u
		}
	}
	return out, nil
}

// agreed lets the companies in it be told.
type agreed map[int64]bool

func (a agreed) Allows(_ context.Context, ids []int64, purpose string, _ time.Time) (map[int64]bool, error) {
	out := map[int64]bool{}
	for _, id := range ids {
		out[id] = a[id] && purpose == policy.PurposePush
	}
	return out, nil
}

// duty is the only basis there is.
const duty = "duty"

// MayRead lets staff read what is known of every company but those whose number is negative in it, of these with a basis.
func (a agreed) MayRead(_ context.Context, _ access.Actor, ids []int64, basis, _ string) (map[int64]func(string) bool, error) {
	out := map[int64]func(string) bool{}
	for _, id := range ids {
		if !a[-id] || basis == duty {
			out[id] = func(string) bool { return true }
		}
	}
	return out, nil
}

// box keeps messages in a table without any uniqueness, so that what is told twice is seen twice.
type letterbox struct{ held time.Time }

type kept struct {
	bun.BaseModel `bun:"table:test_letters"`

	Key    string `bun:"key"`
	UserID int64  `bun:"user_id"`
	What   string `bun:"what"`
	Words  string `bun:"words"`
}

func (l *letterbox) Tell(ctx context.Context, tx bun.Tx, key string, user int64, template, link string, params map[string]string) error {
	_, err := tx.NewInsert().Model(&kept{Key: key, UserID: user, What: template + " " + link, Words: params["title"] + " " + params["answer"] + params["count"]}).Exec(ctx)
	return err
}

func (l *letterbox) Held(time.Time) time.Time { return l.held }

func (l *letterbox) Outcomes(_ context.Context, _ bun.IDB, keys []string) (map[string]policy.MessageOutcome, error) {
	out := map[string]policy.MessageOutcome{}
	for i, k := range keys {
		out[k] = policy.MessageOutcome{Delivery: []policy.Delivery{policy.DeliverySent, policy.DeliveryUnknown, policy.DeliveryFailed}[i%3], Opened: i%3 == 0}
	}
	return out, nil
}

var reachSteps = slices.Concat(steps, jobs.Migrations, policy.ReachMigrations, []database.Migration{{ID: "20991231000000_test_letters", Up: func(ctx context.Context, tx bun.Tx) error {
	return database.Exec(ctx, tx, "CREATE TABLE test_letters (key TEXT NOT NULL, user_id BIGINT NOT NULL, what TEXT NOT NULL, words TEXT NOT NULL)")
}}})

type reach struct {
	fixture

	roll     *roll
	consents agreed
	box      *letterbox
}

func mustReach(t testing.TB) *reach {
	t.Helper()
	f := fixture{db: databasetest.New(t, reachSteps), clock: clock.NewFake(start)}
	return reachOn(t, f)
}

func reachOn(t testing.TB, f fixture, change ...func(*policy.Deps)) *reach {
	t.Helper()
	r := &reach{roll: &roll{names: map[int64]policy.Company{}, owner: map[int64]int64{}}, consents: agreed{}, box: &letterbox{}}
	d := deps(t, f)
	for _, c := range change {
		c(&d)
	}
	f.Service = policy.New(d)
	r.fixture = f
	workers := jobs.NewWorkers()
	policy.Work(workers, func() *policy.Service { return r.Service })
	queue, err := jobs.New(context.Background(), f.db, workers, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queue.Close)
	key, err := secret.ParseKey("q3Zk1m8Jc0y2sVw7Tn5bR4xLh6PfGd9AeUiOoQzYtXM=")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": key}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	r.UseReach(policy.Reach{Register: r.roll, Consents: r.consents, Messages: r.box, Box: keys, Queue: queue, PerWeek: 2, KeepOwn: 700 * 24 * time.Hour, KeepQuick: 30 * 24 * time.Hour, PublicDays: 7})
	return r
}

// firm is what offices say of a company: an industry, a town and, when it is not negative, its staff.
func firm(industry, town string, staff int64) criteria.Facts {
	f := criteria.Facts{"industry": fact(criteria.Code(industry), "企业登记信息", "2026-11-01"), "region": fact(criteria.Code(town), "企业登记信息", "2026-11-01")}
	if staff >= 0 {
		f["employees"] = fact(criteria.Number(staff), "社会保险经办机构", "2026-11-01")
	}
	return f
}

// enrol puts a company into the register, with somebody who speaks for it.
func (r *reach) enrol(id int64, facts criteria.Facts) {
	r.roll.names[id] = policy.Company{ID: id, Name: fmt.Sprintf("第%d企业", id), CreditCode: fmt.Sprintf("911101120000%06d", id), Verified: true}
	r.roll.owner[id] = 1000 + id
	r.roll.learn(id, facts)
}

// bakers asks for makers of food with at least twenty people.
const bakers = `{"all":[{"field":"industry","op":"under","value":["14"],"label":"所属行业"},{"field":"employees","op":"gte","value":20,"unit":"人","label":"从业人员","quote":"从业人员不超过100人的企业可以申请。"}]}`

// mustTown fills the district: 1-6 fit, 7-9 nearly, 10-11 lack their staff, the others are in another trade.
func (r *reach) mustTown(t testing.TB) policy.View {
	t.Helper()
	for id := int64(1); id <= 15; id++ {
		town := []string{"110112010", "110112001"}[id%2]
		switch {
		case id <= 6:
			r.enrol(id, firm("1411", town, 20+id))
		case id <= 9:
			r.enrol(id, firm("1411", town, 8))
		case id <= 11:
			r.enrol(id, firm("1411", town, -1))
		default:
			r.enrol(id, firm("6513", town, 50))
		}
	}
	r.mustRefresh(t)
	c := content("食品企业扩产补助")
	c.Conditions = []byte(bakers)
	return r.mustPublish(t, c)
}

func (r *reach) mustRefresh(t testing.TB) {
	t.Helper()
	if err := r.RefreshPool(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func staffWith(user int64, rights ...access.Permission) access.Actor {
	rights = append(rights, policy.PermView)
	slices.Sort(rights)
	return access.Actor{UserID: user, Name: fmt.Sprintf("工作人员%d", user), Party: access.Platform, Scope: access.ScopeDistrict, Permissions: rights}
}

var (
	finder   = staffWith(60, policy.PermReverse, "enterprise.view")
	planner  = staffWith(61, policy.PermPush, policy.PermReverse, policy.PermGrant, "enterprise.view")
	approver = staffWith(62, policy.PermPush, policy.PermPushApprove, policy.PermGrantDecide, "enterprise.view")
)

func counts(d *policy.Division) string {
	var out []string
	for _, s := range d.Sets {
		out = append(out, fmt.Sprintf("%s %d", s.Word, s.Count))
	}
	return strings.Join(out, " ")
}

func TestReverse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	c := content("先于数据")
	c.Conditions = []byte(bakers)
	early := r.mustPublish(t, c)
	v, err := r.Reverse(ctx, finder, early.ID)
	if err != nil || v.State != "loading" || !strings.Contains(v.Note, "正在载入") || v.Wait < 1 {
		t.Fatalf("before the companies are there: %+v %v", v, err)
	}
	p := r.mustTown(t)
	if v, err = r.Reverse(ctx, finder, p.ID); err != nil || v.State != "ready" {
		t.Fatalf("%+v %v", v, err)
	}
	if got := counts(v.Division); got != "符合 6 接近 3 待确认 2 需人工判定 0 不符合 4" || v.Division.Companies != 15 {
		t.Errorf("%s of %d", got, v.Division.Companies)
	}
	if n := len(v.Division.Towns); n != 2 || v.Division.Towns[0].Eligible != 3 || v.Division.Towns[1].Name != "九棵树街道" && v.Division.Towns[0].Name != "九棵树街道" {
		t.Errorf("%d towns: %+v", n, v.Division.Towns)
	}
	if i := v.Division.Industries; i[0].Name != "制造业" || i[0].Eligible != 6 || i[0].Near != 3 || i[0].Unknown != 2 || i[len(i)-1].Code != "" || i[len(i)-1].NotEligible != 4 {
		t.Errorf("industries: %+v", i)
	}
	// Page by page, each with the reason of the row judge.
	var names []string
	for cursor := ""; ; {
		list, next, err := r.Companies(ctx, finder, p.ID, policy.CompanyFilter{Set: criteria.Near, Limit: 2, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range list {
			names = append(names, fmt.Sprintf("%s %s %s", j.Name, j.Word, j.Summary))
		}
		if cursor = next; next == "" {
			break
		}
	}
	if got := strings.Join(names, "|"); got != "第7企业 接近 只差一项：从业人员，还差 12 人|第8企业 接近 只差一项：从业人员，还差 12 人|第9企业 接近 只差一项：从业人员，还差 12 人" {
		t.Error(got)
	}
	list, _, err := r.Companies(ctx, finder, p.ID, policy.CompanyFilter{Set: criteria.Eligible, Narrow: policy.Narrow{Towns: []string{"110112010"}, Industries: []string{"C"}}})
	if err != nil || len(list) != 3 || list[0].EnterpriseID != 2 {
		t.Errorf("of one town: %+v %v", list, err)
	}
	// Of a company that did not agree no reason is told, in the list or alone.
	r.consents[-2] = true
	if list, _, err = r.Companies(ctx, finder, p.ID, policy.CompanyFilter{Set: criteria.Eligible}); err != nil || !list[1].Withheld || list[1].Name == "" || list[1].Summary+list[1].Town+list[1].Industry != "" || len(list[1].Lines) != 0 || list[0].Withheld || len(list[0].Lines) == 0 {
		t.Errorf("without consent: %+v %v", list, err)
	}
	for _, basis := range []string{"", "none"} {
		if _, err := r.Judgement(ctx, finder, p.ID, 2, basis); !errors.Is(err, policy.ErrUnread) {
			t.Errorf("explained without consent, basis %q: %v", basis, err)
		}
	}
	if j, err := r.Judgement(ctx, finder, p.ID, 2, duty); err != nil || len(j.Lines) != 2 {
		t.Errorf("with a basis: %+v %v", j, err)
	}
	if list, _, err = r.Companies(ctx, finder, p.ID, policy.CompanyFilter{Set: criteria.Eligible, Basis: duty}); err != nil || list[1].Withheld || len(list[1].Lines) == 0 {
		t.Errorf("listed with a basis: %+v %v", list, err)
	}
	delete(r.consents, -2)
	// Who may not see companies sees no name and no fact; others see nothing at all.
	blind := staffWith(63, policy.PermReverse)
	if list, _, err = r.Companies(ctx, blind, p.ID, policy.CompanyFilter{Set: criteria.Eligible}); err != nil || len(list) != 6 || list[0].Name+list[0].CreditCode+list[0].Town != "" || len(list[0].Lines) != 0 {
		t.Errorf("without the right to companies: %+v %v", list, err)
	}
	if _, err := r.Judgement(ctx, blind, p.ID, 1, ""); err == nil {
		t.Error("a company nobody may see was explained")
	}
	for _, a := range []access.Actor{viewer, baker, visitor} {
		if _, err := r.Reverse(ctx, a, p.ID); err == nil {
			t.Errorf("%s may look for companies", a.Party)
		}
		if _, _, err := r.Companies(ctx, a, p.ID, policy.CompanyFilter{Set: criteria.Eligible}); err == nil {
			t.Errorf("%s may list companies", a.Party)
		}
	}
	if n := r.rows(t, "audit_entries WHERE action = 'policy.reverse'"); n != 6 {
		t.Errorf("%d looks are written down", n)
	}
	// The store follows what is learnt, and who comes and goes.
	r.roll.learn(7, firm("1411", "110112010", 20))
	r.roll.names[16] = policy.Company{ID: 16, Name: "第16企业", CreditCode: "91110112000000016X"}
	r.roll.learn(16, firm("1411", "110112010", 90))
	delete(r.roll.names, 1)
	r.roll.learn(1, criteria.Facts{})
	r.mustRefresh(t)
	if v, err = r.Reverse(ctx, finder, p.ID); err != nil || counts(v.Division) != "符合 7 接近 2 待确认 2 需人工判定 0 不符合 4" {
		t.Errorf("%s %v", counts(v.Division), err)
	}
	if st := r.Pool(); !st.Ready || st.Companies != 15 || st.Bytes == 0 || st.FactMark == 0 && r.db.Kind() == database.SQLite {
		t.Errorf("%+v", st)
	}
}

// TestRunIsKeptOnce: each version that is published has one kept match, however often the listener and the clock ask.
func TestRunIsKeptOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	p := r.mustTown(t)
	feed := event.NewFeed(r.db, slog.New(slog.DiscardHandler), r.RunListener())
	for range 2 {
		if err := feed.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		if err := r.EnsureRuns(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.rows(t, "policy_runs"); n != 1 {
		t.Fatalf("%d runs", n)
	}
	if n := r.rows(t, "river_job WHERE kind = 'policy.run'"); n != 1 {
		t.Fatalf("%d jobs", n)
	}
	for range 2 {
		if err := r.WorkRun(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	v, err := r.Reverse(ctx, finder, p.ID)
	if err != nil || len(v.Runs) != 1 || v.Runs[0].Result == nil || counts(v.Runs[0].Result) != counts(v.Division) || v.Runs[0].Result.Fingerprint != v.Division.Fingerprint {
		t.Fatalf("%+v %v", v.Runs, err)
	}
	if n := r.rows(t, "policy_verdicts"); n != 6 {
		t.Errorf("%d verdicts", n)
	}
	// What is learnt later changes the answer of now, not the one that is kept.
	r.roll.learn(7, firm("1411", "110112010", 20))
	r.mustRefresh(t)
	for range 2 { // the same key asks once
		if err := r.Run(ctx, finder, p.ID, "again"); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.WorkRun(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if v, err = r.Reverse(ctx, finder, p.ID); err != nil || len(v.Runs) != 2 {
		t.Fatalf("%d runs %v", len(v.Runs), err)
	}
	if newest, first := counts(v.Runs[0].Result), counts(v.Runs[1].Result); !strings.HasPrefix(newest, "符合 7 ") || !strings.HasPrefix(first, "符合 6 ") {
		t.Errorf("%s after %s", newest, first)
	}
	if n := r.rows(t, "policy_verdicts"); n != 7 {
		t.Errorf("%d verdicts", n)
	}
}

func (r *reach) letters(t testing.TB) []kept {
	t.Helper()
	var rows []kept
	if err := r.db.Read().NewSelect().Model(&rows).OrderExpr("key").Scan(context.Background()); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestPush(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	p := r.mustTown(t)
	near := policy.Audience{Sets: []criteria.Decision{criteria.Eligible, criteria.Near}}
	if v, err := r.PreviewPush(ctx, planner, p.ID, near); err != nil || v.ToTell != 0 || v.Note != "尚无企业授权推送" {
		t.Fatalf("%+v %v", v, err)
	}
	if _, err := r.MakePush(ctx, planner, policy.MakePush{Key: "none", PolicyID: p.ID, Audience: near}); err == nil {
		t.Fatal("a plan for nobody")
	}
	for id := int64(1); id <= 8; id++ {
		r.consents[id] = true
	}
	delete(r.roll.owner, 2)
	r.mustTell(t, 3, 1) // told once this week: once more is allowed
	r.mustTell(t, 4, 2)
	v, err := r.PreviewPush(ctx, planner, p.ID, near)
	if err != nil || v.Chosen != 9 || v.ToTell != 6 || fmt.Sprint(v.Excluded) != "[{企业未授权政策推送 1} {企业没有负责人账号 1} {本周告知次数已达上限 1}]" {
		t.Fatalf("%+v %v", v, err)
	}
	plan, err := r.MakePush(ctx, planner, policy.MakePush{Key: "plan", PolicyID: p.ID, Audience: near})
	if err != nil || plan.State != policy.PushWaiting || plan.Progress.Waiting != 6 || plan.MayApprove {
		t.Fatalf("%+v %v", plan, err)
	}
	if again, err := r.MakePush(ctx, planner, policy.MakePush{Key: "plan", PolicyID: p.ID, Audience: near}); err != nil || again.ID != plan.ID || again.Progress.Total != 6 {
		t.Fatalf("a repeat made %+v %v", again, err)
	}
	step := policy.PushStep{Key: "ok", ID: plan.ID, Version: plan.Version}
	both := planner
	both.Permissions = append(slices.Clone(planner.Permissions), policy.PermPushApprove)
	slices.Sort(both.Permissions)
	if _, err := r.ApprovePush(ctx, both, step); err == nil {
		t.Fatal("the maker approved")
	}
	if plan, err = r.ApprovePush(ctx, approver, step); err != nil || plan.State != policy.PushSending {
		t.Fatalf("%+v %v", plan, err)
	}
	// Between the plan and the sending one takes its consent back.
	delete(r.consents, 8)
	r.box.held = start.Add(time.Hour)
	if err := r.WorkPush(ctx, plan.ID); err == nil {
		t.Fatal("sent in the quiet hours")
	}
	r.box.held = time.Time{}
	for range 2 {
		if err := r.WorkPush(ctx, plan.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.PushOutcomes(ctx); err != nil {
		t.Fatal(err)
	}
	if plan, err = r.Push(ctx, planner, plan.ID); err != nil || plan.State != policy.PushDone || plan.Progress.Told != 5 || fmt.Sprint(plan.Progress.Skipped) != "[{企业未授权政策推送 1}]" {
		t.Fatalf("%+v %v", plan, err)
	}
	if g := plan.Progress; g.Sent != 2 || g.Unknown != 2 || g.Failed != 1 || g.Opened != 2 {
		t.Errorf("outcomes: %+v", g)
	}
	list := r.letters(t)
	if len(list) != 5 || list[0].UserID != 1001 || list[0].Words != "食品企业扩产补助 可能符合申报条件" || list[4].Words != "食品企业扩产补助 距申报条件还差一项" {
		t.Fatalf("%+v", list)
	}
	// Each company is told of a policy once, whatever plan comes next.
	if v, err := r.PreviewPush(ctx, planner, p.ID, near); err != nil || v.ToTell != 0 || v.Excluded[0] != (policy.Excluded{Reason: "已告知过本政策", Count: 5}) {
		t.Errorf("%+v %v", v, err)
	}
}

// mustTell has a company told of n other policies today.
func (r *reach) mustTell(t testing.TB, id int64, n int) {
	t.Helper()
	err := r.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		for i := range n {
			if _, err := tx.ExecContext(ctx, "INSERT INTO policy_told (policy_id, enterprise_id, notice, told_at) VALUES (?, ?, ?, ?)", 900+i, id, fmt.Sprint("x", i), start.Add(-time.Hour)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPushIsPausedAndStopped(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := mustReach(t)
	for id := int64(1); id <= 70; id++ {
		r.enrol(id, firm("1411", "110112010", 30))
		r.consents[id] = true
	}
	r.mustRefresh(t)
	c := content("食品企业扩产补助")
	c.Conditions = []byte(bakers)
	p := r.mustPublish(t, c)
	plan, err := r.MakePush(ctx, planner, policy.MakePush{Key: "a", PolicyID: p.ID, Audience: policy.Audience{Sets: []criteria.Decision{criteria.Eligible}}})
	if err != nil {
		t.Fatal(err)
	}
	if plan, err = r.ApprovePush(ctx, approver, policy.PushStep{Key: "b", ID: plan.ID, Version: plan.Version}); err != nil {
		t.Fatal(err)
	}
	if plan, err = r.PausePush(ctx, planner, policy.PushStep{Key: "c", ID: plan.ID, Version: plan.Version}); err != nil || plan.State != policy.PushPaused {
		t.Fatal(plan.State, err)
	}
	if err := r.WorkPush(ctx, plan.ID); err != nil || len(r.letters(t)) != 0 {
		t.Fatalf("a paused plan sent: %v", err)
	}
	if _, err := r.StopPush(ctx, planner, policy.PushStep{Key: "d", ID: plan.ID, Version: plan.Version - 1, Reason: "内容有误"}); err == nil {
		t.Fatal("a stale step passed")
	}
	if plan, err = r.StopPush(ctx, planner, policy.PushStep{Key: "e", ID: plan.ID, Version: plan.Version, Reason: "内容有误"}); err != nil || plan.State != policy.PushStopped {
		t.Fatal(plan.State, err)
	}
	if _, err := r.ResumePush(ctx, planner, policy.PushStep{Key: "f", ID: plan.ID, Version: plan.Version}); err == nil {
		t.Fatal("a stopped plan went on")
	}
	if err := r.WorkPush(ctx, plan.ID); err != nil || len(r.letters(t)) != 0 {
		t.Fatalf("a stopped plan sent: %v", err)
	}
}
