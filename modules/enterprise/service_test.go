package enterprise_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/uscc"
)

var start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// register is a registry that knows one company and answers as the test tells it.
type register struct {
	mu     sync.Mutex
	err    error
	status string
	calls  int
	// name is what the company is registered as now, when it changed.
	name string
	// person is who stands for it now, when that changed.
	person string
	// wait, when set, holds every answer until it is closed or the question is given up.
	wait chan struct{}
}

var theCode = string(uscc.Demo(1))

func (r *register) Check(ctx context.Context, c enterprise.Claim) (enterprise.Answer, error) {
	r.mu.Lock()
	r.calls++
	wait, err, status, name, person := r.wait, r.err, r.status, r.name, r.person
	r.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return enterprise.Answer{}, fmt.Errorf("%w: %w", enterprise.ErrUnavailable, ctx.Err())
		}
	}
	if err != nil {
		return enterprise.Answer{}, err
	}
	if c.CreditCode != theCode {
		return enterprise.Answer{}, nil
	}
	if status == "" {
		status = "存续"
	}
	if name == "" {
		name = "麦香烘焙（北京）有限公司"
	}
	if person == "" {
		person = "王丽"
	}
	a := enterprise.Answer{Found: true, NameMatches: norm.NFKC.String(c.Name) == norm.NFKC.String(name), PersonMatches: c.LegalPerson == person, Status: status}
	if a.NameMatches && a.PersonMatches {
		a.Company = enterprise.Company{Name: name, LegalPerson: person, Established: time.Date(2019, 5, 6, 0, 0, 0, 0, time.UTC),
			Capital: 50_000_000, Industry: "1411", Address: "中仓街道 1 号", Region: "110112001", Status: status}
	}
	return a, nil
}

func (r *register) asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// people have names and phones by their id; acting remembers whom they act for.
type people struct {
	mu     sync.Mutex
	acting map[int64]int64
}

func (p *people) Contact(_ context.Context, _ bun.IDB, id int64) (enterprise.Contact, error) {
	return enterprise.Contact{Name: fmt.Sprintf("张三%d", id), Phone: fmt.Sprintf("1380013%04d", id)}, nil
}

func (p *people) ActFor(_ context.Context, _ bun.Tx, user, company int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acting[user] = company
	return nil
}

func (p *people) companyOf(user int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acting[user]
}

// files lets an actor claim the files whose id begins with their own: user 7 owns 700 to 799.
type files struct {
	mu   sync.Mutex
	tied map[int64][]int64
	next int64
}

func (f *files) Keep(_ context.Context, a access.Actor, name string, content io.Reader) (int64, error) {
	b, err := io.ReadAll(content)
	if err != nil {
		return 0, err
	}
	if !strings.HasPrefix(string(b), "PNG") {
		return 0, fault.New(fault.Invalid, "TYPE_MISMATCH", "文件内容与扩展名不符").On("file")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	return a.UserID*100 + f.next, nil
}

func (f *files) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, object string, objectID int64) error {
	if id/100 != a.UserID || object != enterprise.ObjectAttempt {
		return fault.ErrNotFound
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tied[objectID] = append(f.tied[objectID], id)
	return nil
}

func (f *files) Of(_ context.Context, _ bun.IDB, _ string, id int64) ([]enterprise.FileView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []enterprise.FileView
	for _, x := range f.tied[id] {
		out = append(out, enterprise.FileView{ID: x, Name: "营业执照.png", URL: fmt.Sprintf("/api/files/%d", x)})
	}
	return out, nil
}

func everyGroup() []string {
	var out []string
	for _, g := range enterprise.Groups() {
		out = append(out, g.Code)
	}
	return out
}

// agreed lets everybody read everything but of the companies it names.
type agreed struct{ not map[int64]bool }

var errNotAgreed = fault.New(fault.Forbidden, "CONSENT_NEEDED", "该企业未授权，请联系企业办理授权")

func (a agreed) Read(ctx context.Context, actor access.Actor, id int64, r enterprise.Reading) ([]string, error) {
	all, err := a.ReadAll(ctx, actor, []int64{id}, r)
	if groups, ok := all[id]; ok || err != nil {
		return groups, err
	}
	return nil, errNotAgreed
}

func (a agreed) BasisName(_ context.Context, _ access.Actor, _, basis string) (string, error) {
	return "依据" + basis, nil
}

func (a agreed) ReadAll(_ context.Context, _ access.Actor, ids []int64, _ enterprise.Reading) (map[int64][]string, error) {
	out := map[int64][]string{}
	for _, id := range ids {
		if !a.not[id] {
			out[id] = everyGroup()
		}
	}
	return out, nil
}

var steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, search.Migrations, jobs.Migrations, enterprise.Migrations)

type fixture struct {
	*enterprise.Service
	db       *database.DB
	clock    *clock.Fake
	register *register
	people   *people
}

var terms = enterprise.Terms{
	Industries:     map[string]string{"1411": "糕点、面包制造", "1419": "饼干及其他焙烤食品制造", "6210": "正餐服务", "14": "食品制造业"},
	Regions:        map[string]string{"110112001": "中仓街道"},
	Qualifications: map[string]string{"high_tech": "国家高新技术企业", "srdi": "专精特新中小企业"},
}

func mustNew(t *testing.T, change ...func(*enterprise.Deps)) fixture {
	t.Helper()
	f := fixture{db: databasetest.New(t, steps), clock: clock.NewFake(start), register: &register{}, people: &people{acting: map[int64]int64{}}}
	d := enterprise.Deps{DB: f.db, Clock: f.clock, Registry: f.register, People: f.people, Accounts: f.people, Files: &files{tied: map[int64][]int64{}},
		Terms: terms, Consents: agreed{}, Demo: true, Patience: 200 * time.Millisecond}
	for _, c := range change {
		c(&d)
	}
	f.Service = enterprise.New(d, jobs.NewWorkers())
	q, err := jobs.New(context.Background(), f.db, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	f.Use(q)
	return f
}

// patient waits for the register as long as the test wants it to.
func patient(d *enterprise.Deps) { d.Patience = time.Minute }

// mustOpen registers a company of the user and returns its owner.
func (f fixture) mustOpen(t *testing.T, user int64, name string) access.Actor {
	t.Helper()
	a := access.Actor{UserID: user, Name: fmt.Sprintf("张三%d", user), Party: access.Enterprise, Scope: access.ScopeSelf}
	err := f.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) (err error) {
		a.EnterpriseID, err = f.OpenUnverified(ctx, tx, a, name, user)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func claim() enterprise.Claim {
	return enterprise.Claim{Name: "麦香烘焙(北京)有限公司", CreditCode: theCode, LegalPerson: "王丽"}
}

func verify(key string, c enterprise.Claim) enterprise.VerifyEnterprise {
	return enterprise.VerifyEnterprise{Key: key, Claim: c}
}

func apply(a access.Actor, key string, c enterprise.Claim) enterprise.ApplyForReview {
	return enterprise.ApplyForReview{Key: key, Claim: c, FileIDs: []int64{a.UserID*100 + 1}}
}

func reviewer(user int64) access.Actor {
	return access.Actor{UserID: user, Name: "李敏", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermReview, enterprise.PermView}}
}

func (f fixture) mustVerify(t *testing.T, a access.Actor, key string, c enterprise.Claim, want enterprise.Outcome) enterprise.AttemptView {
	t.Helper()
	v, err := f.Verify(context.Background(), a, verify(key, c))
	if err != nil {
		t.Fatal(err)
	}
	if v.Outcome != want {
		t.Fatalf("outcome %s (%s), want %s", v.Outcome, v.Title, want)
	}
	return v
}

func (f fixture) types(t *testing.T, object string, id int64) []string {
	t.Helper()
	events, err := event.Of(context.Background(), f.db.Read(), object, id)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		out = append(out, e.Type)
	}
	return out
}

func (f fixture) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	var n int
	if err := f.db.Read().NewRaw(query, args...).Scan(context.Background(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenUnverified(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustOpen(t, 9, "麦香烘焙坊𠮷")
	b, err := f.Brief(ctx, f.db.Read(), a.EnterpriseID)
	if err != nil || b.Name != "麦香烘焙坊𠮷" || b.Verification != "unverified" || b.CreditCode != "" {
		t.Fatalf("%+v, %v", b, err)
	}
	if err := f.IsMember(ctx, f.db.Read(), a.EnterpriseID, 9); err != nil {
		t.Fatal(err)
	}
	if err := f.IsMember(ctx, f.db.Read(), a.EnterpriseID, 10); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("a stranger: %v", err)
	}
	if got := f.types(t, "enterprise", a.EnterpriseID); !slices.Equal(got, []string{"enterprise.registered"}) {
		t.Fatalf("events %v", got)
	}
	if _, err := f.Brief(ctx, f.db.Read(), a.EnterpriseID+1); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("missing: %v", err)
	}
}

func TestVerified(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	v := f.mustVerify(t, a, "k", claim(), enterprise.Agreed)
	if v.Verification != enterprise.Verified || v.EnterpriseName != "麦香烘焙（北京）有限公司" || len(v.Problems) != 0 {
		t.Fatalf("%+v", v)
	}
	m, err := f.Mine(context.Background(), a)
	if err != nil || m.Name != "麦香烘焙（北京）有限公司" || m.CreditCode != theCode || m.LegalPerson != "王丽" || m.VerifiedAt == nil || !m.VerifiedAt.Equal(start) {
		t.Fatalf("%+v, %v", m, err)
	}
	words := map[string]string{}
	for _, x := range m.Facts {
		words[x.Field] = x.Text + "|" + x.Source
	}
	for field, want := range map[string]string{"established": "2019年5月6日|企业登记信息", "capital": "50 万元|企业登记信息", "industry": "1411 糕点、面包制造|企业登记信息",
		"region": "中仓街道|企业登记信息", "status": "存续|企业登记信息", "address": "中仓街道 1 号|企业登记信息"} {
		if words[field] != want {
			t.Errorf("%s: %q, want %q", field, words[field], want)
		}
	}
	if got := f.types(t, "enterprise", a.EnterpriseID); !slices.Equal(got, []string{"enterprise.registered", "enterprise.verified"}) {
		t.Errorf("events %v", got)
	}
	if _, err := f.Verify(context.Background(), a, verify("other", claim())); !errors.Is(err, enterprise.ErrVerified) {
		t.Errorf("again: %v", err)
	}
	if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action IN ('enterprise.verify', 'enterprise.verify_settle')"); n != 2 {
		t.Errorf("%d audit rows", n)
	}
}

// Every answer of the registry has words of its own, at the input it is about.
func TestTheRegistryDisagrees(t *testing.T) {
	t.Parallel()
	other := claim()
	other.CreditCode = string(uscc.Demo(2))
	name, person, both := claim(), claim(), claim()
	name.Name = "麦香面包房"
	person.LegalPerson = "李雷"
	both.Name, both.LegalPerson = "麦香面包房", "李雷"
	for _, c := range []struct {
		name    string
		claim   enterprise.Claim
		prepare func(*register)
		want    enterprise.Outcome
		title   string
		fields  []string
		review  bool
		event   bool
	}{
		{"not found", other, nil, enterprise.NotRegistered, "没有查到", []string{"creditCode"}, true, true},
		{"name differs", name, nil, enterprise.NameDiffers, "企业名称", []string{"name"}, true, true},
		{"person differs", person, nil, enterprise.PersonDiffers, "法定代表人", []string{"legalPerson"}, true, true},
		{"both differ", both, nil, enterprise.NameDiffers, "企业名称", []string{"name", "legalPerson"}, true, true},
		{"dissolved", claim(), func(r *register) { r.status = "注销" }, enterprise.Closed, "不能认证", nil, false, true},
		{"revoked", claim(), func(r *register) { r.status = "吊销，未注销" }, enterprise.Closed, "不能认证", nil, false, true},
		{"a stranger does not learn that it is revoked", name, func(r *register) { r.status = "吊销" }, enterprise.NameDiffers, "企业名称", []string{"name"}, true, true},
		{"down", claim(), func(r *register) { r.err = enterprise.ErrUnavailable }, enterprise.NoAnswer, "登记系统暂时无法核验", nil, true, false},
		{"refuses us", claim(), func(r *register) { r.err = fmt.Errorf("%w: FORBIDDEN", enterprise.ErrRefused) }, enterprise.NoAnswer, "登记系统暂时无法核验", nil, true, false},
		{"slow", claim(), func(r *register) { r.wait = make(chan struct{}) }, enterprise.NoAnswer, "登记系统暂时无法核验", nil, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := mustNew(t)
			if c.prepare != nil {
				c.prepare(f.register)
			}
			a := f.mustOpen(t, 7, "麦香")
			v := f.mustVerify(t, a, "k", c.claim, c.want)
			var fields []string
			for _, p := range v.Problems {
				fields = append(fields, p.Name)
			}
			if !strings.Contains(v.Title, c.title) || v.Text == "" || !slices.Equal(fields, c.fields) || v.CanReview != c.review || v.Verification != enterprise.Unverified {
				t.Errorf("%+v", v)
			}
			if v.Answer != "" || v.ReviewerName != "" {
				t.Errorf("shows what is for staff: %+v", v)
			}
			if got := slices.Contains(f.types(t, "enterprise", a.EnterpriseID), "enterprise.verification_refused"); got != c.event {
				t.Errorf("announced %t", got)
			}
			if n := f.count(t, "SELECT count(*) FROM enterprise_verifications WHERE outcome = ? AND answer <> ''", c.want); n != 1 {
				t.Errorf("%d rows in the log", n)
			}
			// Whatever it was, the way on is open.
			f.register.mu.Lock()
			f.register.err, f.register.status, f.register.wait = nil, "", nil
			f.register.mu.Unlock()
			f.mustVerify(t, a, "k2", claim(), enterprise.Agreed)
		})
	}
}

func TestWrongInputIsNoAttempt(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	typo := claim()
	typo.CreditCode = strings.Replace(theCode, "0", "O", 1)
	_, err := f.Verify(context.Background(), a, verify("k", typo))
	x, ok := fault.As(err)
	if !ok || x.Kind != fault.Invalid || len(x.Fields) != 1 || x.Fields[0].Name != "creditCode" || !strings.Contains(x.Fields[0].Message, "完整代码可能是 "+theCode) {
		t.Fatalf("%v", err)
	}
	typo.CreditCode = theCode[:16] + theCode[17:] + theCode[16:17]
	if _, err = f.Verify(context.Background(), a, verify("k", typo)); !errors.Is(err, uscc.ErrBad) || !strings.Contains(err.Error(), "校验不通过") {
		t.Fatalf("a wrong check character: %v", err)
	}
	_, err = f.Verify(context.Background(), a, verify("k", enterprise.Claim{}))
	x, ok = fault.As(err)
	if !ok || len(x.Fields) != 3 || x.Fields[0].Message != "请填写企业名称" {
		t.Fatalf("%+v", err)
	}
	if f.register.asked() != 0 || f.count(t, "SELECT count(*) FROM enterprise_verifications") != 0 {
		t.Error("the registry was asked, or a row written")
	}
	production := mustNew(t, func(d *enterprise.Deps) { d.Demo = false })
	b := production.mustOpen(t, 7, "麦香")
	if _, err := production.Verify(context.Background(), b, verify("k", claim())); !errors.Is(err, uscc.ErrBad) {
		t.Errorf("a demo code in production: %v", err)
	}
}

func TestWhoMayVerify(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustOpen(t, 7, "麦香")
	stranger := access.Actor{UserID: 8, Party: access.Enterprise, EnterpriseID: a.EnterpriseID}
	for name, c := range map[string]struct {
		actor access.Actor
		want  error
	}{
		"visitor":       {access.Actor{Party: access.Anonymous}, fault.ErrUnauthorized},
		"staff":         {reviewer(50), enterprise.ErrForbidden},
		"nobody's":      {access.Actor{UserID: 9, Party: access.Enterprise}, enterprise.ErrForbidden},
		"foreign owner": {stranger, enterprise.ErrNotFound},
	} {
		if _, err := f.Verify(ctx, c.actor, verify("k", claim())); !errors.Is(err, c.want) {
			t.Errorf("%s verifies: %v", name, err)
		}
		if _, err := f.Apply(ctx, c.actor, apply(c.actor, "k", claim())); !errors.Is(err, c.want) {
			t.Errorf("%s applies: %v", name, err)
		}
		if _, err := f.State(ctx, c.actor, enterprise.StateFacts{Employees: "3"}); !errors.Is(err, c.want) {
			t.Errorf("%s states: %v", name, err)
		}
	}
	v := f.mustVerify(t, a, "k", claim(), enterprise.Agreed)
	if _, err := f.Attempt(ctx, f.mustOpen(t, 8, "别家"), v.ID); !errors.Is(err, enterprise.ErrNotFound) {
		t.Errorf("a foreign attempt: %v", err)
	}
	if _, err := f.Attempt(ctx, a, v.ID+100); !errors.Is(err, enterprise.ErrNotFound) {
		t.Errorf("a missing attempt: %v", err)
	}
	if err := f.Sees(ctx, f.mustOpen(t, 9, "别家"), v.ID); !errors.Is(err, enterprise.ErrNotFound) {
		t.Errorf("a foreign licence: %v", err)
	}
	if err := f.Sees(ctx, reviewer(50), v.ID); err != nil {
		t.Errorf("a reviewer: %v", err)
	}
	if _, err := f.Get(ctx, a, a.EnterpriseID, ""); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the owner reads the office's page: %v", err)
	}
}

// A double click is one attempt and, within a process, one question.
func TestOneKeyIsOneAttempt(t *testing.T) {
	t.Parallel()
	f := mustNew(t, patient)
	a := f.mustOpen(t, 7, "麦香")
	f.register.wait = make(chan struct{})
	var wg sync.WaitGroup
	got := make([]enterprise.AttemptView, 4)
	for i := range got {
		wg.Go(func() {
			v, err := f.Verify(context.Background(), a, verify("same", claim()))
			if err != nil {
				t.Error(err)
			}
			got[i] = v
		})
	}
	for f.register.asked() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(f.register.wait)
	wg.Wait()
	for _, v := range got {
		if v.ID != got[0].ID || v.Outcome != enterprise.Agreed {
			t.Errorf("%d %s", v.ID, v.Outcome)
		}
	}
	if n := f.count(t, "SELECT count(*) FROM enterprise_verifications"); n != 1 {
		t.Errorf("%d attempts", n)
	}
	if got := f.types(t, "enterprise", a.EnterpriseID); !slices.Equal(got, []string{"enterprise.registered", "enterprise.verified"}) {
		t.Errorf("events %v", got)
	}
	again := claim()
	again.LegalPerson = "李雷"
	if _, err := f.Verify(context.Background(), a, verify("same", again)); !errors.Is(err, idempotency.ErrKeyReused) {
		t.Errorf("the key with another content: %v", err)
	}
}

// crash is a registry during whose answer the process ends.
type crash struct{}

func (crash) Check(context.Context, enterprise.Claim) (enterprise.Answer, error) {
	panic("the process ends here")
}

func TestCrashBetweenAskingAndSettling(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	d := enterprise.Deps{DB: f.db, Clock: f.clock, Registry: crash{}, People: f.people, Accounts: f.people, Files: &files{tied: map[int64][]int64{}}, Demo: true}
	crashing := enterprise.New(d, jobs.NewWorkers())
	func() {
		defer func() { _ = recover() }()
		_, _ = crashing.Verify(context.Background(), a, verify("k", claim()))
	}()
	m, err := f.Mine(context.Background(), a)
	if err != nil || m.Attempt == nil || m.Attempt.Outcome != enterprise.Asking || m.Verification != enterprise.Unverified {
		t.Fatalf("after the crash: %+v, %v", m.Attempt, err)
	}
	f.clock.Advance(2 * time.Minute)
	m, err = f.Mine(context.Background(), a)
	if err != nil || m.Attempt.Outcome != enterprise.Interrupted || !m.Attempt.CanReview {
		t.Fatalf("later: %+v, %v", m.Attempt, err)
	}
	// The same key goes on with the same attempt.
	v := f.mustVerify(t, a, "k", claim(), enterprise.Agreed)
	if v.ID != m.Attempt.ID || f.count(t, "SELECT count(*) FROM enterprise_verifications") != 1 {
		t.Errorf("repeated: %+v", v)
	}
}

func TestAnotherKeyLeavesTheCrashedAttemptBehind(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	crashing := enterprise.New(enterprise.Deps{DB: f.db, Clock: f.clock, Registry: crash{}, People: f.people, Accounts: f.people, Files: &files{}, Demo: true}, jobs.NewWorkers())
	func() {
		defer func() { _ = recover() }()
		_, _ = crashing.Verify(context.Background(), a, verify("k", claim()))
	}()
	f.clock.Advance(2 * time.Minute)
	f.mustVerify(t, a, "k2", claim(), enterprise.Agreed)
	if n := f.count(t, "SELECT count(*) FROM enterprise_verifications WHERE outcome = 'interrupted'"); n != 1 {
		t.Errorf("%d interrupted", n)
	}
}

// Two companies verify one code at once: one is verified, the other's owner asks to join it.
func TestParallelVerifiesOfOneCode(t *testing.T) {
	t.Parallel()
	f := mustNew(t, patient)
	const n = 4
	owners := make([]access.Actor, n)
	for i := range owners {
		owners[i] = f.mustOpen(t, int64(7+i), "麦香")
	}
	f.register.wait = make(chan struct{})
	outcomes := make([]enterprise.Outcome, n)
	var wg sync.WaitGroup
	for i, a := range owners {
		wg.Go(func() {
			v, err := f.Verify(context.Background(), a, verify("k", claim()))
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
			outcomes[i] = v.Outcome
		})
	}
	for f.register.asked() < n {
		time.Sleep(time.Millisecond)
	}
	close(f.register.wait)
	wg.Wait()
	agreed, held := 0, 0
	for _, o := range outcomes {
		switch o {
		case enterprise.Agreed:
			agreed++
		case enterprise.Held:
			held++
		}
	}
	if agreed != 1 || held != n-1 {
		t.Errorf("outcomes %v", outcomes)
	}
	if got := f.count(t, "SELECT count(*) FROM enterprises WHERE verification = 'verified'"); got != 1 {
		t.Errorf("%d verified", got)
	}
	if got := f.count(t, "SELECT count(*) FROM enterprise_joins WHERE state = 'open'"); got != n-1 {
		t.Errorf("%d requests", got)
	}
}

func TestTenAttemptsADay(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	wrong := claim()
	wrong.Name = "麦香面包房"
	for i := range enterprise.MaxAttempts {
		f.mustVerify(t, a, fmt.Sprint("k", i), wrong, enterprise.NameDiffers)
	}
	_, err := f.Verify(context.Background(), a, verify("eleventh", claim()))
	if !errors.Is(err, enterprise.ErrAttempts) || fault.KindOf(err) != fault.TooMany {
		t.Fatalf("the eleventh: %v", err)
	}
	if f.register.asked() != enterprise.MaxAttempts {
		t.Errorf("asked %d times", f.register.asked())
	}
	if m, err := f.Mine(context.Background(), a); err != nil || m.AttemptsLeft != 0 {
		t.Errorf("left %d, %v", m.AttemptsLeft, err)
	}
	f.clock.Set(time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)) // midnight in Beijing
	f.mustVerify(t, a, "next day", claim(), enterprise.Agreed)
}

func TestWithoutARegistry(t *testing.T) {
	t.Parallel()
	f := mustNew(t, func(d *enterprise.Deps) { d.Registry = nil })
	a := f.mustOpen(t, 7, "麦香")
	v := f.mustVerify(t, a, "k", claim(), enterprise.NoRegistry)
	if !v.CanReview || !strings.Contains(v.Text, "人工审核") {
		t.Errorf("%+v", v)
	}
}

func TestReview(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustOpen(t, 7, "麦香")
	bare := apply(a, "k", claim())
	bare.FileIDs = nil
	if _, err := f.Apply(ctx, a, bare); !errors.Is(err, enterprise.ErrLicence) {
		t.Fatalf("without a licence: %v", err)
	}
	foreign := apply(a, "k", claim())
	foreign.FileIDs = []int64{901}
	if _, err := f.Apply(ctx, a, foreign); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("with somebody else's file: %v", err)
	}
	var v enterprise.AttemptView
	for range 2 {
		var err error
		if v, err = f.Apply(ctx, a, apply(a, "k", claim())); err != nil || v.Outcome != enterprise.Waiting || v.Verification != enterprise.Pending || len(v.Files) != 1 {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if _, err := f.Verify(ctx, a, verify("k2", claim())); !errors.Is(err, enterprise.ErrPending) {
		t.Errorf("verify while pending: %v", err)
	}
	queue, _, err := f.Reviews(ctx, reviewer(50), "", 20)
	if err != nil || len(queue) != 1 || queue[0].Files[0].URL == "" || queue[0].EnterpriseName != "麦香" {
		t.Fatalf("%+v, %v", queue, err)
	}
	d := enterprise.Decide{ID: v.ID, Version: v.Version, Key: "r"}
	for name, c := range map[string]struct {
		actor access.Actor
		want  error
	}{
		"the owner": {a, fault.ErrForbidden}, "visitor": {access.Actor{Party: access.Anonymous}, fault.ErrUnauthorized},
		"only viewing":  {access.Actor{UserID: 51, Party: access.Government, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermView}}, fault.ErrForbidden},
		"their own":     {reviewer(7), enterprise.ErrOwnReview},
		"without scope": {access.Actor{UserID: 52, Party: access.Platform, Scope: access.ScopeSelf, Permissions: []access.Permission{enterprise.PermReview, enterprise.PermView}}, fault.ErrNotFound},
	} {
		if _, err := f.Approve(ctx, c.actor, enterprise.ApproveReview{Decide: d}); !errors.Is(err, c.want) {
			t.Errorf("%s approves: %v", name, err)
		}
	}
	if _, err := f.Return(ctx, reviewer(50), enterprise.ReturnReview{Decide: d, Code: "other"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("another reason without words: %v", err)
	}
	if _, err := f.Return(ctx, reviewer(50), enterprise.ReturnReview{Decide: d, Code: "nonsense"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no such reason: %v", err)
	}
	back, err := f.Return(ctx, reviewer(50), enterprise.ReturnReview{Decide: d, Code: "unclear", Text: "右下角反光，电话 13800138000"})
	if err != nil || back.Outcome != enterprise.SentBack || back.Verification != enterprise.Returned || !strings.Contains(back.Reason, "右下角反光") || back.ReviewerName != "李敏" {
		t.Fatalf("%+v, %v", back, err)
	}
	_, err = f.Approve(ctx, reviewer(53), enterprise.ApproveReview{Decide: enterprise.Decide{ID: v.ID, Version: v.Version, Key: "late"}})
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "李敏") || !strings.Contains(err.Error(), "退回") {
		t.Errorf("somebody decided first: %v", err)
	}
	if n := f.count(t, "SELECT count(*) FROM events WHERE facts LIKE '%13800138000%'") + f.count(t, "SELECT count(*) FROM audit_entries WHERE detail LIKE '%13800138000%'"); n != 0 {
		t.Error("a phone in the events or the log")
	}
	mine, err := f.Mine(ctx, a)
	if err != nil || mine.Attempt.Text != back.Reason || mine.Attempt.ReviewerName != "" || !mine.Attempt.CanReview {
		t.Errorf("the owner sees %+v, %v", mine.Attempt, err)
	}
	v, err = f.Apply(ctx, a, enterprise.ApplyForReview{Key: "k3", Claim: claim(), FileIDs: []int64{702}})
	if err != nil {
		t.Fatal(err)
	}
	ok := enterprise.ApproveReview{Decide: enterprise.Decide{ID: v.ID, Version: v.Version, Key: "r2"}}
	for range 2 {
		if v, err = f.Approve(ctx, reviewer(50), ok); err != nil || v.Outcome != enterprise.Approved || v.Verification != enterprise.Verified {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	want := []string{"enterprise.registered", "enterprise.verification_pending", "enterprise.verification_refused", "enterprise.verification_pending", "enterprise.verified"}
	if got := f.types(t, "enterprise", a.EnterpriseID); !slices.Equal(got, want) {
		t.Errorf("events %v", got)
	}
}

// mustApprove has a company verified by its licence.
func (f fixture) mustApprove(t *testing.T, a access.Actor) enterprise.AttemptView {
	t.Helper()
	ctx := context.Background()
	v, err := f.Apply(ctx, a, apply(a, "licence", claim()))
	if err != nil {
		t.Fatal(err)
	}
	d := enterprise.Decide{ID: v.ID, Version: v.Version, Key: "pass"}
	for range 2 { // the same press twice
		if v, err = f.Approve(ctx, reviewer(50), enterprise.ApproveReview{Decide: d}); err != nil || v.Verification != enterprise.Verified {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if n := f.count(t, "SELECT count(*) FROM river_job WHERE kind = 'enterprise.fetch'"); n > 1 {
		t.Fatalf("%d jobs of one approval", n)
	} else if n == 1 { // none without a registry
		if err := f.FetchApproved(ctx, reviewer(50), v.ID); !errors.Is(err, enterprise.ErrForbidden) {
			t.Errorf("a reviewer fetches: %v", err)
		}
		for range 2 { // a job may run again
			if err := f.FetchApproved(ctx, access.SystemActor("test"), v.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	return v
}

func (f fixture) mustMine(t *testing.T, a access.Actor) enterprise.Mine {
	t.Helper()
	m, err := f.Mine(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestApprovalBringsTheRegistrysFacts(t *testing.T) {
	t.Parallel()
	auto := mustNew(t)
	b := auto.mustOpen(t, 7, "麦香")
	auto.mustVerify(t, b, "k", claim(), enterprise.Agreed)
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	f.mustApprove(t, a)
	m := f.mustMine(t, a)
	if want := auto.mustMine(t, b).Facts; len(want) == 0 || !slices.Equal(m.Facts, want) || m.RegistryMissing || m.CanFetch {
		t.Errorf("%+v, want the facts %+v", m, want)
	}
	if n := f.register.asked(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	if n := f.count(t, "SELECT count(*) FROM river_job WHERE kind = 'enterprise.fetch'"); n != 1 {
		t.Errorf("%d jobs", n)
	}
	if m.AttemptsLeft != enterprise.MaxAttempts-1 {
		t.Errorf("the office's asking counts: %d left", m.AttemptsLeft)
	}
	if _, err := f.Fetch(context.Background(), a, enterprise.FetchFacts{Key: "f"}); !errors.Is(err, enterprise.ErrFetched) {
		t.Errorf("again: %v", err)
	}
}

func TestFactsAreFetchedLater(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(*register)
		outcome enterprise.Outcome
		says    string
	}{
		{"down", func(r *register) { r.err = enterprise.ErrUnavailable }, enterprise.NoAnswer, "没有答复"},
		{"slow", func(r *register) { r.wait = make(chan struct{}) }, enterprise.NoAnswer, "没有答复"},
		{"dissolved", func(r *register) { r.status = "注销" }, enterprise.Closed, "状态异常"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := mustNew(t)
			ctx := context.Background()
			a, stranger := f.mustOpen(t, 7, "麦香"), f.mustOpen(t, 8, "别家")
			c.prepare(f.register)
			f.mustApprove(t, a)
			m := f.mustMine(t, a)
			if m.Verification != enterprise.Verified || !m.RegistryMissing || !m.CanFetch || len(m.Facts) != 0 || m.Attempt == nil || m.Attempt.Outcome != c.outcome {
				t.Fatalf("%+v", m)
			}
			if m.Attempt.UserName != a.Name || m.Attempt.ReviewerName != "" || m.Attempt.CanReview {
				t.Errorf("%+v", m.Attempt)
			}
			v, err := f.Fetch(ctx, a, enterprise.FetchFacts{Key: "f1"})
			if err != nil || v.Outcome != c.outcome || v.Kind != "facts" || !strings.Contains(v.Title, c.says) || v.Text == "" || len(v.Problems) != 0 {
				t.Errorf("%+v, %v", v, err)
			}
			if slices.Contains(f.types(t, "enterprise", a.EnterpriseID), "enterprise.verification_refused") {
				t.Error("a refusal was announced of a verified company")
			}
			// A stranger fetches nothing for her and reads nothing of it.
			foreign := stranger
			foreign.EnterpriseID = a.EnterpriseID
			if _, err := f.Fetch(ctx, foreign, enterprise.FetchFacts{Key: "f"}); !errors.Is(err, fault.ErrNotFound) {
				t.Errorf("a stranger: %v", err)
			}
			if _, err := f.Attempt(ctx, stranger, v.ID); !errors.Is(err, fault.ErrNotFound) {
				t.Errorf("a stranger reads: %v", err)
			}
			if _, err := f.Fetch(ctx, stranger, enterprise.FetchFacts{Key: "f"}); !errors.Is(err, enterprise.ErrUnverified) {
				t.Errorf("an unverified company: %v", err)
			}
			f.register.mu.Lock()
			f.register.err, f.register.status, f.register.wait = nil, "", nil
			f.register.mu.Unlock()
			var wg sync.WaitGroup
			for i := range 4 { // two presses of two openings of the page
				wg.Go(func() {
					v, err := f.Fetch(ctx, a, enterprise.FetchFacts{Key: fmt.Sprint("later", i/2)})
					if err != nil && !errors.Is(err, enterprise.ErrFetched) || err == nil && v.Outcome != enterprise.Agreed {
						t.Errorf("%+v, %v", v, err)
					}
				})
			}
			wg.Wait()
			if m := f.mustMine(t, a); m.RegistryMissing || len(m.Facts) != 7 {
				t.Errorf("%+v", m)
			}
			if n := f.count(t, "SELECT count(*) FROM enterprise_facts WHERE field = 'established'"); n != 1 {
				t.Errorf("recorded %d times", n)
			}
			if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'enterprise.fetch'"); n < 3 {
				t.Errorf("%d audit rows", n)
			}
		})
	}
}

func TestFetchingHasALimit(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	a := f.mustOpen(t, 7, "麦香")
	f.register.err = enterprise.ErrUnavailable
	f.mustApprove(t, a)
	for i := range enterprise.MaxAttempts {
		_, err := f.Fetch(context.Background(), a, enterprise.FetchFacts{Key: fmt.Sprint("f", i)})
		if last := i == enterprise.MaxAttempts-1; last != errors.Is(err, enterprise.ErrAttempts) || !last && err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	none := mustNew(t, func(d *enterprise.Deps) { d.Registry = nil })
	b := none.mustOpen(t, 7, "麦香")
	none.mustApprove(t, b)
	if m := none.mustMine(t, b); !m.RegistryMissing || m.CanFetch {
		t.Errorf("without a registry: %+v", m)
	}
}

func TestReviewersLearnWhyItCameToThem(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustOpen(t, 7, "麦香")
	wrong := claim()
	wrong.LegalPerson = "李雷"
	f.mustVerify(t, a, "k", wrong, enterprise.PersonDiffers)
	v, err := f.Apply(ctx, a, apply(a, "k2", wrong))
	if err != nil || v.Before != nil {
		t.Fatalf("the owner: %+v, %v", v.Before, err)
	}
	if v, err = f.Attempt(ctx, reviewer(50), v.ID); err != nil || v.Before == nil || v.Before.Title != "法定代表人与登记信息不一致" || !strings.Contains(v.Before.Answer, "person=false") {
		t.Errorf("the reviewer: %+v, %v", v.Before, err)
	}
	b := f.mustOpen(t, 8, "别家")
	if v, err = f.Apply(ctx, b, apply(b, "k", claim())); err == nil {
		v, err = f.Attempt(ctx, reviewer(50), v.ID)
	}
	if err != nil || v.Before != nil {
		t.Errorf("never asked: %+v, %v", v.Before, err)
	}
}

func TestTwoReviewersAtOnce(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a := f.mustOpen(t, 7, "麦香")
	v, err := f.Apply(ctx, a, apply(a, "k", claim()))
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			d := enterprise.Decide{ID: v.ID, Version: v.Version, Key: fmt.Sprint(i)}
			if i%2 == 0 {
				_, errs[i] = f.Approve(ctx, reviewer(int64(50+i)), enterprise.ApproveReview{Decide: d})
			} else {
				_, errs[i] = f.Return(ctx, reviewer(int64(50+i)), enterprise.ReturnReview{Decide: d, Code: "unclear"})
			}
		})
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if fault.KindOf(err) != fault.Conflict {
			t.Errorf("%v", err)
		}
	}
	if done != 1 || f.count(t, "SELECT count(*) FROM events WHERE type IN ('enterprise.verified', 'enterprise.verification_refused')") != 1 {
		t.Errorf("%d decisions", done)
	}
}

func TestApprovingAHeldCode(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	late, first := f.mustOpen(t, 7, "后来的"), f.mustOpen(t, 8, "先来的")
	v, err := f.Apply(ctx, late, apply(late, "k", claim()))
	if err != nil {
		t.Fatal(err)
	}
	f.mustVerify(t, first, "k", claim(), enterprise.Agreed)
	_, err = f.Approve(ctx, reviewer(50), enterprise.ApproveReview{Decide: enterprise.Decide{ID: v.ID, Version: v.Version}})
	if !errors.Is(err, enterprise.ErrHeld) || !strings.Contains(err.Error(), "麦香烘焙（北京）有限公司") {
		t.Errorf("%v", err)
	}
	third := f.mustOpen(t, 9, "再后来的")
	if _, err := f.Apply(ctx, third, apply(third, "k", claim())); !errors.Is(err, enterprise.ErrHeld) {
		t.Errorf("applying for a held code: %v", err)
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	owner, cook := f.mustOpen(t, 7, "麦香"), f.mustOpen(t, 8, "麦香的同事")
	f.mustVerify(t, owner, "k", claim(), enterprise.Agreed)
	f.mustVerify(t, cook, "k", claim(), enterprise.Held)
	f.mustVerify(t, cook, "k2", claim(), enterprise.Held)
	members, err := f.Members(ctx, owner)
	if err != nil || len(members.Items) != 1 || len(members.Requests) != 1 || members.Requests[0].Phone != "138****0008" || !members.Requests[0].CanDecide {
		t.Fatalf("%+v, %v", members, err)
	}
	j := members.Requests[0]
	mine, err := f.MyJoins(ctx, cook)
	if err != nil || len(mine) != 1 || mine[0].CanDecide || !mine[0].CanDispute {
		t.Fatalf("%+v, %v", mine, err)
	}
	d := enterprise.Decide{ID: j.ID, Version: j.Version, Key: "a"}
	stranger := f.mustOpen(t, 9, "别家")
	if _, err := f.Admit(ctx, stranger, enterprise.AdmitJoin{Decide: d}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("a stranger admits: %v", err)
	}
	if _, err := f.Admit(ctx, cook, enterprise.AdmitJoin{Decide: d}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the requester admits: %v", err)
	}
	if _, err := f.Admit(ctx, reviewer(50), enterprise.AdmitJoin{Decide: d}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("staff before the owner: %v", err)
	}
	for range 2 {
		if v, err := f.Admit(ctx, owner, enterprise.AdmitJoin{Decide: d}); err != nil || v.State != enterprise.JoinAccepted {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if f.people.companyOf(8) != owner.EnterpriseID {
		t.Errorf("the cook acts for %d", f.people.companyOf(8))
	}
	cook.EnterpriseID = owner.EnterpriseID
	list, err := f.Companies(ctx, cook)
	if err != nil || len(list) != 1 || !list[0].Current || list[0].Role != enterprise.Member {
		t.Fatalf("%+v, %v", list, err)
	}
	if m, err := f.Members(ctx, cook); err != nil || len(m.Items) != 2 || len(m.Requests) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := f.State(ctx, cook, enterprise.StateFacts{Employees: "3"}); !errors.Is(err, enterprise.ErrRight) {
		t.Errorf("a member speaks for the company: %v", err)
	}
	if got := f.types(t, "enterprise_join", j.ID); !slices.Equal(got, []string{"enterprise_join.asked", "enterprise_join.admitted"}) {
		t.Errorf("events %v", got)
	}
	_, err = f.Refuse(ctx, owner, enterprise.RefuseJoin{Decide: enterprise.Decide{ID: j.ID, Version: j.Version, Key: "late"}, Reason: "不是本公司员工"})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("stale: %v", err)
	}
}

func TestDispute(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	owner, cook := f.mustOpen(t, 7, "麦香"), f.mustOpen(t, 8, "真正的老板")
	f.mustVerify(t, owner, "k", claim(), enterprise.Agreed)
	f.mustVerify(t, cook, "k", claim(), enterprise.Held)
	mine, err := f.MyJoins(ctx, cook)
	if err != nil || len(mine) != 1 {
		t.Fatal(err)
	}
	j := mine[0]
	if _, err := f.Refuse(ctx, owner, enterprise.RefuseJoin{Decide: enterprise.Decide{ID: j.ID, Version: j.Version}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	if j, err = f.Refuse(ctx, owner, enterprise.RefuseJoin{Decide: enterprise.Decide{ID: j.ID, Version: j.Version}, Reason: "不认识此人"}); err != nil || j.State != enterprise.JoinRejected {
		t.Fatalf("%+v, %v", j, err)
	}
	if j, err = f.Dispute(ctx, cook, enterprise.DisputeJoin{Decide: enterprise.Decide{ID: j.ID, Version: j.Version}, Note: "我是法定代表人，对方冒用"}); err != nil || j.State != enterprise.JoinInDispute {
		t.Fatalf("%+v, %v", j, err)
	}
	if _, err := f.Admit(ctx, owner, enterprise.AdmitJoin{Decide: enterprise.Decide{ID: j.ID, Version: j.Version}}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the owner decides a dispute: %v", err)
	}
	queue, _, err := f.Disputes(ctx, reviewer(50), "", 20)
	if err != nil || len(queue) != 1 || !queue[0].CanDecide || queue[0].Note == "" {
		t.Fatalf("%+v, %v", queue, err)
	}
	if _, _, err := f.Disputes(ctx, owner, "", 20); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the owner reads the disputes: %v", err)
	}
	if j, err = f.Admit(ctx, reviewer(50), enterprise.AdmitJoin{Decide: enterprise.Decide{ID: j.ID, Version: j.Version}}); err != nil || j.State != enterprise.JoinAccepted {
		t.Fatalf("%+v, %v", j, err)
	}
	if f.people.companyOf(8) != owner.EnterpriseID {
		t.Error("not switched")
	}
}

func TestSwitch(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	a, b := f.mustOpen(t, 7, "一号"), f.mustOpen(t, 7, "二号")
	list, err := f.Companies(ctx, b)
	if err != nil || len(list) != 2 || list[0].ID != b.EnterpriseID || !list[0].Current {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := f.Switch(ctx, b, a.EnterpriseID); err != nil || f.people.companyOf(7) != a.EnterpriseID {
		t.Errorf("%v", err)
	}
	foreign := f.mustOpen(t, 8, "别家")
	if err := f.Switch(ctx, a, foreign.EnterpriseID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("foreign: %v", err)
	}
	if err := f.Switch(ctx, a, 999); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	ctx := context.Background()
	first := f.mustOpen(t, 7, "麦香")
	f.mustVerify(t, first, "k", claim(), enterprise.Agreed)
	for i := range 5 {
		f.mustOpen(t, int64(20+i), fmt.Sprintf("通州运河餐饮%d号店", i))
	}
	staff := reviewer(50)
	for _, c := range []struct {
		f    enterprise.ListFilter
		want int
	}{
		{enterprise.ListFilter{}, 6},
		{enterprise.ListFilter{Query: "运河餐饮"}, 5},
		{enterprise.ListFilter{Query: "烘焙"}, 1}, // the registry's wording is what is found
		{enterprise.ListFilter{Query: theCode[:8]}, 1},
		{enterprise.ListFilter{Query: strings.ToLower(theCode)}, 1},
		{enterprise.ListFilter{Query: "9299"}, 0},
		{enterprise.ListFilter{Query: "面粉厂"}, 0},
		{enterprise.ListFilter{Verification: enterprise.Verified}, 1},
		{enterprise.ListFilter{Verification: enterprise.Unverified, Query: "运河"}, 5},
	} {
		items, _, err := f.List(ctx, staff, c.f)
		if err != nil || len(items) != c.want {
			t.Errorf("%+v: %d, %v", c.f, len(items), err)
		}
	}
	seen, cursor := 0, ""
	for {
		items, next, err := f.List(ctx, staff, enterprise.ListFilter{Limit: 4, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		seen += len(items)
		if cursor = next; next == "" {
			break
		}
	}
	if seen != 6 {
		t.Errorf("pages hold %d", seen)
	}
	if _, _, err := f.List(ctx, staff, enterprise.ListFilter{Query: "麦"}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("one character: %v", err)
	}
	if _, _, err := f.List(ctx, first, enterprise.ListFilter{}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("an owner lists: %v", err)
	}
	v, err := f.Get(ctx, staff, first.EnterpriseID, "")
	if err != nil || len(v.Attempts) != 1 || v.Attempts[0].Answer == "" || len(v.Members) != 1 || v.Members[0].Phone != "138****0007" || len(v.History) == 0 {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := f.Get(ctx, staff, 999, ""); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
}

func demoCode(n int) string { return string(uscc.Demo(n)) }
