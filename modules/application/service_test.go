package application_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/secret"
)

const (
	loanProduct = 500
	taxProduct  = 501
)

// offers are the listed products; a test takes one down.
type offers struct {
	mu   sync.Mutex
	down map[int64]bool
}

func (o *offers) Offer(_ context.Context, _ bun.IDB, id int64) (application.Offer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down[id] {
		return application.Offer{}, fault.ErrNotFound
	}
	switch id {
	case loanProduct:
		return application.Offer{
			ID: id, Name: "烘焙贷", Kind: "financing", KindName: "融资服务", Lends: true, InstitutionID: 30, InstitutionName: "运河银行",
			AmountMin: 10_000_000, AmountMax: 300_000_000, TermMin: 6, TermMax: 36, Materials: []string{"营业执照", "近六个月流水"},
		}, nil
	case taxProduct:
		return application.Offer{ID: id, Name: "代理记账", Kind: "tax", KindName: "财税服务", InstitutionID: 31, InstitutionName: "通成税务师事务所"}, nil
	}
	return application.Offer{}, fault.ErrNotFound
}

func (o *offers) takeDown(id int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down[id] = true
}

type companies struct{}

func (companies) Brief(_ context.Context, _ bun.IDB, id int64) (application.Company, error) {
	return application.Company{Name: fmt.Sprintf("第%d面包房有限公司", id), Verified: id != 79}, nil
}

// ByCode knows the bakery with the code 91110112MA01ABCD1X.
func (companies) ByCode(_ context.Context, _ bun.IDB, prefix string, _ int) ([]int64, error) {
	if strings.HasPrefix("91110112MA01ABCD1X", prefix) {
		return []int64{70}, nil
	}
	return nil, nil
}

type contacts struct{}

func (contacts) Contact(context.Context, bun.IDB, int64) (application.Contact, error) {
	return application.Contact{Name: "王芳", Phone: "13800138000"}, nil
}

type institutions struct{}

func (institutions) Telephone(_ context.Context, _ bun.IDB, id int64) (string, error) {
	return fmt.Sprintf("010-8888%04d", id), nil
}

func (institutions) Operators(_ context.Context, _ bun.IDB, id int64) ([]application.Colleague, error) {
	if id == 30 {
		return []application.Colleague{{ID: 60, Name: "赵强"}, {ID: 61, Name: "钱丽"}}, nil
	}
	return []application.Colleague{{ID: 62, Name: "孙明"}}, nil
}

// files lets an actor claim the files whose id begins with their own: user 7 owns 700 to 799.
type files struct{}

func (files) Claim(_ context.Context, _ bun.Tx, a access.Actor, id int64, _ string, _ int64) error {
	if id/100 != a.UserID {
		return fault.ErrNotFound
	}
	return nil
}

func (files) Of(ctx context.Context, db bun.IDB, _ string, id int64) ([]application.FileView, error) {
	var out []application.FileView
	err := db.NewSelect().TableExpr("application_files").ColumnExpr("file_id AS id").Where("application_id = ?", id).OrderExpr("file_id").Scan(ctx, &out)
	return out, err
}

// uploads numbers the files of a user.
type uploads struct {
	mu   sync.Mutex
	last map[int64]int64
}

func (u *uploads) Save(_ context.Context, a access.Actor, name string, content io.Reader) (application.FileView, error) {
	b, err := io.ReadAll(content)
	if err != nil || len(b) == 0 {
		return application.FileView{}, fault.New(fault.Invalid, "FILE_EMPTY", "文件是空的，请重新选择")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last[a.UserID]++
	return application.FileView{ID: a.UserID*100 + u.last[a.UserID], Name: name, Size: int64(len(b))}, nil
}

var migrations = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, search.Migrations, application.Migrations)

type fixture struct {
	*application.Service
	db     *database.DB
	clock  *clock.Fake
	offers *offers
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
	f := fixture{db: databasetest.New(t, migrations), clock: clock.NewFake(start), offers: &offers{down: map[int64]bool{}}}
	f.Service = application.New(application.Deps{
		DB: f.db, Clock: f.clock, Box: box, Products: f.offers, Companies: companies{}, Contacts: contacts{}, Institutions: institutions{},
		Files: files{}, Uploads: &uploads{last: map[int64]int64{}}, Hotline: "12345",
	})
	return f
}

func boss(user, enterprise int64) access.Actor {
	return access.Actor{UserID: user, Name: "王芳", Party: access.Enterprise, EnterpriseID: enterprise, Scope: access.ScopeSelf}
}

func operator(user, institution int64, name string) access.Actor {
	return access.Actor{
		UserID: user, Name: name, Party: access.Institution, InstitutionID: institution, Scope: access.ScopeSelf,
		Permissions: []access.Permission{application.PermHandle, application.PermView},
	}
}

var (
	baker    = boss(7, 70)
	banker   = operator(60, 30, "赵强")
	banker2  = operator(61, 30, "钱丽")
	taxman   = operator(62, 31, "孙明")
	platform = access.Actor{UserID: 50, Name: "李敏", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{application.PermView}}
)

func want(key string) application.Submit {
	return application.Submit{
		Key: key, ProductID: loanProduct, Amount: 50_000_000, Term: 12, Purpose: "更换节能烤箱", Collateral: "无", Source: application.FromH5,
	}
}

func (f fixture) mustSubmit(t *testing.T, a access.Actor, cmd application.Submit) application.View {
	t.Helper()
	return must(f.Submit(context.Background(), a, cmd))(t)
}

func must(v application.View, err error) func(*testing.T) application.View {
	return func(t *testing.T) application.View {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// looked is a record of due diligence.
func looked(v application.View) application.Investigate {
	return application.Investigate{Ref: ref(v), Day: "2026-11-24", Way: application.OnSite, People: "钱丽、赵强", Findings: "账目与申报一致，经营正常"}
}

func ref(v application.View) application.Ref { return application.Ref{ID: v.ID, Version: v.Version} }

func (f fixture) rows(t *testing.T, table string) int {
	t.Helper()
	n, err := f.db.Read().NewSelect().TableExpr(table).Count(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func TestALoanFromTheFormToTheMoney(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	cmd := want("a")
	cmd.FileIDs = []int64{701}
	v := f.mustSubmit(t, baker, cmd)
	if v.Number != "SQ20261124-000001" || v.Status != application.Waiting || v.EnterpriseName != "第70面包房有限公司" || v.InstitutionName != "运河银行" {
		t.Fatalf("submitted %+v", v)
	}
	if v.Phone != "138****8000" || v.ContactName != "王芳" || !v.DueAt.Equal(time.Date(2026, 11, 26, 18, 0, 0, 0, clock.Beijing)) || v.InstitutionPhone != "010-88880030" || v.Hotline != "12345" {
		t.Fatalf("submitted %+v", v)
	}
	if !slices.Equal(v.Actions, []application.Action{application.ToWithdraw}) || len(v.Materials) != 2 {
		t.Fatalf("%v %v", v.Actions, v.Materials)
	}
	v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v), Note: "已指定专人联系"}))(t)
	if v.HandlerName != "赵强" || v.Phone != "138****8000" || !v.TelephoneOpens {
		t.Fatalf("accepted %+v", v)
	}
	v = must(f.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(v), Reason: "请补充完整租赁合同"}))(t)
	mine := must(f.Get(ctx, baker, v.ID))(t)
	if mine.Status != application.Lacking || mine.Reason != "请补充完整租赁合同" || !slices.Contains(mine.Actions, application.ToSupplement) {
		t.Fatalf("asked %+v", mine)
	}
	mine = must(f.Supplement(ctx, baker, application.Supplement{Ref: ref(mine), Note: "已补传", FileIDs: []int64{702}}))(t)
	if mine.Status != application.Taken || len(mine.Files) != 2 {
		t.Fatalf("supplied %+v", mine)
	}
	v = must(f.HandOver(ctx, banker, application.HandOver{Ref: ref(mine), UserID: 61, Note: "休假"}))(t)
	v = must(f.Progress(ctx, banker2, application.Progress{Ref: ref(v), Note: "完成现场走访", FileIDs: []int64{6101}}))(t)
	v = must(f.Investigate(ctx, banker2, looked(v)))(t)
	v = must(f.Approve(ctx, banker2, application.Approve{Ref: ref(v), Loan: application.Loan{Amount: 40_000_000, Rate: 385, Term: 12}, Note: "请签约"}))(t)
	v = must(f.Disburse(ctx, banker2, application.Disburse{Ref: ref(v), Amount: 40_000_000}))(t)
	v = must(f.Complete(ctx, banker2, application.Complete{Ref: ref(v), Note: "资金到账"}))(t)
	if v.Status != application.Done || v.ClosedAt == nil || v.ApprovedAmount != 40_000_000 || v.ApprovedRate != 385 || v.DisbursedAmount != 40_000_000 || len(v.Actions) != 0 {
		t.Fatalf("completed %+v", v)
	}
	mine = must(f.Get(ctx, baker, v.ID))(t)
	var told []string
	for _, s := range mine.Timeline {
		told = append(told, s.Actor+" "+s.Label+" "+s.Text)
	}
	all := strings.Join(told, "\n")
	for _, part := range []string{"王芳 提交申请", "运河银行 受理申请 已指定专人联系", "审批金额 40 万元，年利率 3.85%，期限 12 个月", "运河银行 尽职调查 11月24日（二），现场走访", "运河银行 放款 第 1 笔，放款金额 40 万元（2026-11-24），累计 40 万元"} {
		if !strings.Contains(all, part) {
			t.Errorf("she does not read %q in\n%s", part, all)
		}
	}
	for _, part := range []string{"赵强", "钱丽", "休假"} {
		if strings.Contains(all+mine.HandlerName, part) {
			t.Errorf("she reads %q in\n%s", part, all)
		}
	}
	if n := f.rows(t, "audit_entries"); n != 10 || len(v.Timeline) != 10 || len(mine.Timeline) != 9 {
		t.Errorf("%d audit rows, %d and %d steps", n, len(v.Timeline), len(mine.Timeline))
	}
	var facts []string
	if err := f.db.Read().NewSelect().TableExpr("events").Column("facts").Scan(ctx, &facts); err != nil {
		t.Fatal(err)
	}
	for _, fact := range facts {
		if strings.Contains(fact, "13800138000") {
			t.Errorf("an event holds the phone: %s", fact)
		}
		for _, field := range []string{`"number":"SQ`, `"productName":"烘焙贷"`, `"institutionId":30`, `"enterpriseId":70`, `"userId":7`, `"status":`, `"version":`} {
			if !strings.Contains(fact, field) {
				t.Errorf("%s is missing in %s", field, fact)
			}
		}
	}
}

func TestAServiceHasNoAmount(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, baker, application.Submit{ProductID: taxProduct, Amount: 5, Term: 5, Purpose: "请代理记账", Collateral: "房产", Phone: "010-8812 3456", Source: application.FromPortal})
	if v.Amount != 0 || v.Term != 0 || v.Collateral != "" || v.Phone != "010-******56" {
		t.Fatalf("%+v", v)
	}
	v = must(f.Accept(ctx, taxman, application.Accept{Ref: ref(v)}))(t)
	if _, err := f.Deliver(ctx, taxman, application.Deliver{Ref: ref(v), Note: "已交付"}); !errors.Is(err, application.ErrState) {
		t.Errorf("delivered without a plan: %v", err)
	}
	v = must(f.MakePlan(ctx, taxman, application.MakePlan{Ref: ref(v), Steps: []application.PlanStep{{Title: "记账报税", Day: "2026-12-15"}}}))(t)
	v = must(f.Progress(ctx, taxman, application.Progress{Ref: ref(v), Note: "已签约"}))(t)
	if _, err := f.Approve(ctx, taxman, application.Approve{Ref: ref(v), Loan: application.Loan{Amount: 1, Term: 1}}); !errors.Is(err, application.ErrState) {
		t.Errorf("a service is approved: %v", err)
	}
	if _, err := f.Complete(ctx, taxman, application.Complete{Ref: ref(v), Note: "已交付"}); !errors.Is(err, application.ErrState) {
		t.Errorf("completed without the company's word: %v", err)
	}
	v = must(f.Deliver(ctx, taxman, application.Deliver{Ref: ref(v), Note: "已交付"}))(t)
	v = must(f.Confirm(ctx, baker, application.Confirm{Ref: ref(v)}))(t)
	if v.Status != application.Done {
		t.Fatalf("%+v", v)
	}
}

func TestWhoSeesAndMayDoWhat(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, baker, want(""))
	reader := banker
	reader.Permissions = []access.Permission{application.PermView}
	reviewer := access.Actor{UserID: 51, Party: access.Government, Scope: access.ScopeDistrict, Permissions: []access.Permission{application.PermView}}
	bureau := reviewer
	bureau.Scope = access.ScopeDepartment
	for _, c := range []struct {
		name   string
		actor  access.Actor
		sees   bool
		accept error
	}{
		{"visitor", access.Actor{Party: access.Anonymous}, false, fault.ErrUnauthorized},
		{"applicant", baker, true, application.ErrForbidden},
		{"colleague of the company", boss(8, 70), true, application.ErrForbidden},
		{"other company", boss(8, 71), false, application.ErrForbidden},
		{"she, acting for another company", boss(7, 71), false, application.ErrForbidden},
		{"person without a company", boss(9, 0), false, application.ErrForbidden},
		{"other institution", taxman, false, application.ErrNotFound},
		{"institution that only reads", reader, true, application.ErrForbidden},
		{"operator of no institution", operator(64, 0, ""), false, application.ErrNotFound},
		{"platform", platform, true, application.ErrForbidden},
		{"reviewer", reviewer, true, application.ErrForbidden},
		{"department", bureau, false, application.ErrForbidden},
		{"institution", banker, true, nil},
	} {
		got, err := f.Get(ctx, c.actor, v.ID)
		if seen := err == nil; seen != c.sees {
			t.Errorf("%s: sees %v, %v", c.name, seen, err)
		}
		if !c.sees && c.actor.SignedIn() {
			_, missing := f.Get(ctx, c.actor, 987654)
			if err.Error() != missing.Error() {
				t.Errorf("%s: foreign %v, missing %v", c.name, err, missing)
			}
		}
		if strings.Contains(fmt.Sprint(got), "13800138000") {
			t.Errorf("%s reads the phone", c.name)
		}
		if seen := f.Sees(ctx, c.actor, v.ID) == nil; seen != c.sees {
			t.Errorf("%s: may read its files %v", c.name, seen)
		}
		items, _, err := f.List(ctx, c.actor, application.ListFilter{})
		if (len(items) == 1) != c.sees {
			t.Errorf("%s: lists %d, %v", c.name, len(items), err)
		}
		if c.accept != nil {
			if _, err := f.Accept(ctx, c.actor, application.Accept{Ref: ref(v)}); !errors.Is(err, c.accept) {
				t.Errorf("%s: accepts %v", c.name, err)
			}
			if phone, err := f.Telephone(ctx, c.actor, v.ID); err == nil {
				t.Errorf("%s: opens the phone %s", c.name, phone)
			}
		}
	}
	if got := must(f.Get(ctx, platform, v.ID))(t); got.ContactName != "王*" {
		t.Errorf("the platform reads the name %q", got.ContactName)
	}
	before := f.rows(t, "audit_entries")
	for range 2 {
		if phone, err := f.Telephone(ctx, banker, v.ID); err != nil || phone != "13800138000" {
			t.Errorf("the bank opens %q, %v", phone, err)
		}
	}
	if n := f.rows(t, "audit_entries"); n != before+2 {
		t.Errorf("two openings left %d audit rows", n-before)
	}
	for name, err := range map[string]error{
		"a bank withdraws":         errOf(f.Withdraw(ctx, banker, application.Withdraw{Ref: ref(v)})),
		"a bank supplies":          errOf(f.Supplement(ctx, banker, application.Supplement{Ref: ref(v), Note: "好"})),
		"the platform withdraws":   errOf(f.Withdraw(ctx, platform, application.Withdraw{Ref: ref(v)})),
		"a bank applies":           errOf(f.Submit(ctx, banker, want(""))),
		"a bank reads a form":      errOf2(f.Form(ctx, banker, loanProduct)),
		"she lists the colleagues": errOf2(f.Colleagues(ctx, baker)),
	} {
		if !errors.Is(err, application.ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Withdraw(ctx, boss(8, 71), application.Withdraw{Ref: ref(v)}); !errors.Is(err, application.ErrNotFound) {
		t.Errorf("another company withdraws: %v", err)
	}
	cmd := want("")
	cmd.ProductID, cmd.FileIDs = taxProduct, []int64{801}
	if _, err := f.Submit(ctx, baker, cmd); !errors.Is(err, fault.ErrNotFound) || f.rows(t, "applications") != 1 {
		t.Errorf("ties a foreign file: %v", err)
	}
}

func errOf(_ application.View, err error) error { return err }

func errOf2[T any](_ T, err error) error { return err }

func TestOnlyAVerifiedCompanyApplies(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	unverified := boss(9, 79)
	form, err := f.Form(ctx, unverified, loanProduct)
	if err != nil || form.Verified {
		t.Fatalf("%+v %v", form, err)
	}
	if _, err := f.SaveDraft(ctx, unverified, loanProduct, application.Typed{Purpose: "买烤箱"}); err != nil {
		t.Fatal(err)
	}
	_, err = f.Submit(ctx, unverified, want(""))
	if !errors.Is(err, application.ErrUnverified) || !strings.Contains(err.Error(), "认证") || f.rows(t, "applications") != 0 {
		t.Errorf("%v", err)
	}
	if _, err := f.Submit(ctx, boss(9, 0), want("")); !errors.Is(err, application.ErrNoEnterprise) {
		t.Errorf("without a company: %v", err)
	}
}

func TestWrongInputsAreToldFieldByField(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for _, c := range []struct {
		field, says string
		spoil       func(*application.Submit)
	}{
		{"amount", "请填写申请金额", func(c *application.Submit) { c.Amount = 0 }},
		{"amount", "最低申请 10 万元，您填写的是 9.5 万元", func(c *application.Submit) { c.Amount = 9_500_000 }},
		{"amount", "最高申请 300 万元", func(c *application.Submit) { c.Amount = 300_000_001 }},
		{"amount", "应为数字", func(c *application.Submit) { c.Amount = -1 }},
		{"amount", "最多 4 位小数", func(c *application.Submit) { c.Amount = 50_123_450 }}, // typed as 50.12345
		{"term", "应为整数", func(c *application.Submit) { c.Term = -1 }},
		{"term", "请填写申请期限", func(c *application.Submit) { c.Term = 0 }},
		{"term", "6 至 36 个月，您填写的是 5 个月", func(c *application.Submit) { c.Term = 5 }},
		{"term", "6 至 36 个月", func(c *application.Submit) { c.Term = 37 }},
		{"purpose", "请填写资金用途", func(c *application.Submit) { c.Purpose = " \n" }},
		{"purpose", "最多 1000 个字", func(c *application.Submit) { c.Purpose = strings.Repeat("𠮷", 1001) }},
		{"purpose", "无法识别", func(c *application.Submit) { c.Purpose = "a\xffb" }},
		{"collateral", "最多 300 个字", func(c *application.Submit) { c.Collateral = strings.Repeat("房", 301) }},
		{"contactName", "最多 50 个字", func(c *application.Submit) { c.ContactName = strings.Repeat("名", 51) }},
		{"phone", "11 位手机号", func(c *application.Submit) { c.Phone = "12345678" }},
		{"source", "企业端", func(c *application.Submit) { c.Source = "agent" }},
	} {
		cmd := want("")
		c.spoil(&cmd)
		_, err := f.Submit(ctx, baker, cmd)
		got, _ := fault.As(err)
		if got == nil || got.Kind != fault.Invalid || len(got.Fields) != 1 || got.Fields[0].Name != c.field || !strings.Contains(got.Fields[0].Message, c.says) {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	_, err := f.Submit(ctx, baker, application.Submit{ProductID: loanProduct, Source: application.FromH5})
	if got, _ := fault.As(err); got == nil || len(got.Fields) != 3 {
		t.Errorf("all at once: %v", err)
	}
	if n := f.rows(t, "applications"); n != 0 {
		t.Errorf("%d applications were kept", n)
	}
}

func TestADoubleClickIsOneApplication(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	first := f.mustSubmit(t, baker, want("k"))
	again := f.mustSubmit(t, baker, want("k"))
	if again.ID != first.ID || f.rows(t, "applications") != 1 || f.rows(t, "events") != 1 {
		t.Fatalf("%d and %d", first.ID, again.ID)
	}
	other := want("k")
	other.Amount++
	if _, err := f.Submit(ctx, baker, other); !errors.Is(err, idempotency.ErrKeyReused) {
		t.Errorf("another content under the key: %v", err)
	}
	if _, err := f.Submit(ctx, boss(7, 71), want("k")); !errors.Is(err, idempotency.ErrKeyReused) {
		t.Errorf("another company under the key: %v", err)
	}
	_, err := f.Submit(ctx, boss(8, 70), want("other"))
	if !errors.Is(err, application.ErrOpen) || !strings.Contains(err.Error(), first.Number) {
		t.Errorf("a colleague applies again: %v", err)
	}
	if form, err := f.Form(ctx, boss(8, 70), loanProduct); err != nil || form.OpenID != first.ID || form.OpenNumber != first.Number {
		t.Errorf("the form leads to %+v, %v", form, err)
	}
	f.mustSubmit(t, boss(8, 71), want("k"))
	must(f.Withdraw(ctx, baker, application.Withdraw{Ref: ref(first)}))(t)
	if v := f.mustSubmit(t, baker, want("later")); v.ID == first.ID {
		t.Error("a withdrawn application stands in the way")
	}
}

// TestTwoAtOnceAreOneOpenApplication sends two applications at the same moment, with keys of their own and with one key.
func TestTwoAtOnceAreOneOpenApplication(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for round := range 5 {
		company := boss(7, int64(700+round))
		errs := atOnce(func(i int) error { return errOf(f.Submit(ctx, company, want(fmt.Sprint("k", round, "-", i)))) })
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: %v", round, errs)
		}
		if err := errors.Join(errs...); !errors.Is(err, application.ErrOpen) || !strings.Contains(err.Error(), "SQ20261124-") {
			t.Errorf("round %d: the loser hears %v", round, err)
		}
		same := atOnce(func(int) error {
			return errOf(f.Submit(ctx, boss(7, int64(800+round)), want(fmt.Sprint("same", round))))
		})
		if err := errors.Join(same...); err != nil {
			t.Errorf("round %d: one key twice: %v", round, err)
		}
	}
	if n := f.rows(t, "applications"); n != 10 {
		t.Errorf("%d applications", n)
	}
}

func atOnce(do func(i int) error) []error { return crowd(2, do) }

// crowd has n do it at the same moment.
func crowd(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(1)
	for i := range errs {
		done.Add(1)
		go func() {
			defer done.Done()
			ready.Wait()
			errs[i] = do(i)
		}()
	}
	ready.Done()
	done.Wait()
	return errs
}

func TestWithdrawAgainstAccept(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	for round := range 5 {
		company := boss(7, int64(700+round))
		v := f.mustSubmit(t, company, want(""))
		errs := atOnce(func(i int) error {
			if i == 0 {
				return errOf(f.Withdraw(ctx, company, application.Withdraw{Ref: ref(v)}))
			}
			return errOf(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))
		})
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: %v", round, errs)
		}
		now := must(f.Get(ctx, banker, v.ID))(t)
		says, status := "运河银行于2026年11月24日 09:30进行了“受理申请”", application.Taken
		if errs[0] == nil {
			says, status = "王芳于2026年11月24日 09:30进行了“撤回申请”", application.Dropped
		}
		loser := errors.Join(errs...)
		if !errors.Is(loser, application.ErrStale) || !strings.Contains(loser.Error(), says) || now.Status != status || len(now.Timeline) != 2 {
			t.Errorf("round %d: %v; %s", round, loser, now.Status)
		}
	}
}

func TestAStaleVersionSaysWhatHappened(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, baker, want(""))
	must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	_, err := f.Decline(ctx, banker2, application.Decline{Ref: ref(v), Reason: "负债率偏高"})
	if !errors.Is(err, application.ErrStale) || !strings.Contains(err.Error(), "赵强") || !strings.Contains(err.Error(), "受理申请") {
		t.Errorf("%v", err)
	}
	for _, reason := range []string{"", " \n"} {
		_, err = f.Decline(ctx, banker2, application.Decline{Ref: application.Ref{ID: v.ID, Version: 2}, Reason: reason})
		if got, _ := fault.As(err); got == nil || got.Kind != fault.Invalid || got.Fields[0].Name != "reason" {
			t.Errorf("without a reason: %v", err)
		}
	}
	done := must(f.Decline(ctx, banker2, application.Decline{Ref: application.Ref{ID: v.ID, Version: 2, Key: "d"}, Reason: "负债率偏高"}))(t)
	again := must(f.Decline(ctx, banker2, application.Decline{Ref: application.Ref{ID: v.ID, Version: 2, Key: "d"}, Reason: "负债率偏高"}))(t)
	if done.Version != again.Version || f.rows(t, "events") != 3 {
		t.Errorf("declined twice: %d and %d", done.Version, again.Version)
	}
	mine := must(f.Get(ctx, baker, v.ID))(t)
	if mine.Reason != "负债率偏高" || mine.Timeline[2].Label != "审核未通过" {
		t.Errorf("%+v", mine.Timeline)
	}
}

func TestHandingOverStaysWithinTheInstitution(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, baker, want(""))
	for _, to := range []int64{62, 7, 0} {
		_, err := f.HandOver(ctx, banker, application.HandOver{Ref: ref(v), UserID: to})
		if got, _ := fault.As(err); got == nil || len(got.Fields) != 1 || got.Fields[0].Name != "userId" {
			t.Errorf("to %d: %v", to, err)
		}
	}
	v = must(f.HandOver(ctx, banker2, application.HandOver{Ref: ref(v), UserID: 61}))(t) // takes it
	if v.HandlerName != "钱丽" {
		t.Fatalf("%+v", v)
	}
	if _, err := f.HandOver(ctx, banker, application.HandOver{Ref: ref(v), UserID: 61}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("to the same: %v", err)
	}
	v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	if v.HandlerName != "钱丽" {
		t.Errorf("accepting took it from %s", v.HandlerName)
	}
	for actor, n := range map[*access.Actor]int{&banker: 0, &banker2: 1, &taxman: 0} {
		items, _, err := f.List(ctx, *actor, application.ListFilter{Mine: true})
		if err != nil || len(items) != n {
			t.Errorf("%s: %d of its own, %v", actor.Name, len(items), err)
		}
	}
	if list, err := f.Colleagues(ctx, taxman); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

func TestDraftsAreTheWritersOwn(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	typed := application.Typed{Amount: "五十", Term: "", Purpose: "买烤箱", Phone: "13900139000", Files: []application.DraftFile{{ID: 701, Name: "流水.pdf", Size: 9}}}
	for range 3 {
		if _, err := f.SaveDraft(ctx, baker, loanProduct, typed); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.Advance(time.Minute)
	typed.Amount = "50"
	if _, err := f.SaveDraft(ctx, baker, loanProduct, typed); err != nil {
		t.Fatal(err)
	}
	form, err := f.Form(ctx, baker, loanProduct)
	if err != nil || form.Draft == nil || form.Draft.Amount != "50" || form.Draft.Files[0].Name != "流水.pdf" || !form.Draft.SavedAt.Equal(start.Add(time.Minute)) {
		t.Fatalf("%+v %v", form, err)
	}
	if f.rows(t, "application_drafts") != 1 || f.rows(t, "audit_entries") != 1 || f.rows(t, "events") != 0 {
		t.Errorf("%d drafts, %d audit rows, %d events", f.rows(t, "application_drafts"), f.rows(t, "audit_entries"), f.rows(t, "events"))
	}
	var sealed string
	if err := f.db.Read().NewSelect().TableExpr("application_drafts").Column("sealed").Scan(ctx, &sealed); err != nil || strings.Contains(sealed, "13900139000") || strings.Contains(sealed, "烤箱") {
		t.Errorf("the draft lies open: %s %v", sealed, err)
	}
	for _, other := range []access.Actor{boss(8, 70), boss(7, 71)} {
		form, err := f.Form(ctx, other, loanProduct)
		list, err2 := f.Drafts(ctx, other)
		if err != nil || form.Draft != nil || err2 != nil || len(list) != 0 {
			t.Errorf("user %d of company %d reads the draft: %+v %v %v", other.UserID, other.EnterpriseID, form.Draft, list, errors.Join(err, err2))
		}
	}
	for _, staff := range []access.Actor{banker, platform} {
		items, _, err := f.List(ctx, staff, application.ListFilter{})
		drafts, err2 := f.Drafts(ctx, staff)
		if err != nil || err2 != nil || len(items) != 0 || len(drafts) != 0 {
			t.Errorf("%s sees the draft: %v %v %v", staff.Name, items, drafts, errors.Join(err, err2))
		}
	}
	if list, err := f.Drafts(ctx, baker); err != nil || len(list) != 1 || list[0].ProductName != "烘焙贷" {
		t.Errorf("%v %v", list, err)
	}
	f.mustSubmit(t, baker, want(""))
	if n := f.rows(t, "application_drafts"); n != 0 {
		t.Errorf("%d drafts after sending", n)
	}
	if _, err := f.SaveDraft(ctx, baker, loanProduct, typed); !errors.Is(err, application.ErrOpen) {
		t.Errorf("a late save: %v", err)
	}
	if _, err := f.SaveDraft(ctx, baker, taxProduct, typed); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.DiscardDraft(ctx, baker, taxProduct); err != nil || f.rows(t, "application_drafts") != 0 {
			t.Errorf("discarded: %v", err)
		}
	}
	if _, err := f.SaveDraft(ctx, baker, 999, typed); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("of no product: %v", err)
	}
	typed.Purpose = strings.Repeat("长", 4001)
	if _, err := f.SaveDraft(ctx, baker, taxProduct, typed); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too long: %v", err)
	}
}

func TestAProductTakenDownKeepsTheDraft(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	if _, err := f.SaveDraft(ctx, baker, loanProduct, application.Typed{Amount: "50", Purpose: "买烤箱"}); err != nil {
		t.Fatal(err)
	}
	f.offers.takeDown(loanProduct)
	_, err := f.Submit(ctx, baker, want("k"))
	if !errors.Is(err, application.ErrUnlisted) || fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "草稿") {
		t.Fatalf("%v", err)
	}
	form, err := f.Form(ctx, baker, loanProduct)
	if err != nil || form.Listed || form.Draft == nil || form.Draft.Purpose != "买烤箱" || form.Product.Name != "烘焙贷" || !form.Product.Lends {
		t.Fatalf("%+v %v", form, err)
	}
	if _, err := f.SaveDraft(ctx, baker, loanProduct, application.Typed{Amount: "60"}); err != nil {
		t.Errorf("the draft cannot be written on: %v", err)
	}
	if _, err := f.Form(ctx, boss(8, 71), loanProduct); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("the form of a product that is down: %v", err)
	}
	if _, err := f.Submit(ctx, boss(8, 71), want("k")); !errors.Is(err, application.ErrUnlisted) || strings.Contains(err.Error(), "草稿") {
		t.Errorf("without a draft: %v", err)
	}
}

// TestATakenDownProductLeavesRunningApplications: what was sent before goes on to its end under the terms it was sent for.
func TestATakenDownProductLeavesRunningApplications(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	v := f.mustSubmit(t, baker, want(""))
	f.offers.takeDown(loanProduct)
	v = must(f.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(v), Reason: "请补充流水"}))(t)
	v = must(f.Supplement(ctx, baker, application.Supplement{Ref: ref(v), Note: "已补充"}))(t)
	v = must(f.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t)
	v = must(f.Investigate(ctx, banker, looked(v)))(t)
	v = must(f.Approve(ctx, banker, application.Approve{Ref: ref(v), Loan: application.Loan{Amount: 40_000_000, Rate: 385, Term: 12}}))(t)
	v = must(f.Disburse(ctx, banker, application.Disburse{Ref: ref(v), Amount: 40_000_000}))(t)
	v = must(f.Complete(ctx, banker, application.Complete{Ref: ref(v), Note: "已按约定用途支付"}))(t)
	if v.Status != application.Done || v.ProductName != "烘焙贷" || len(v.Materials) != 2 {
		t.Errorf("%+v", v.Item)
	}
}

func TestBatchesTellEachOutcome(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	var refs []application.Ref
	for i := range 3 {
		refs = append(refs, ref(f.mustSubmit(t, boss(7, int64(700+i)), want(""))))
	}
	must(f.Withdraw(ctx, boss(7, 700), application.Withdraw{Ref: refs[0]}))(t)
	foreign := ref(f.mustSubmit(t, baker, application.Submit{ProductID: taxProduct, Purpose: "记账", Source: application.FromH5}))
	all := append(slices.Clone(refs), foreign)
	for range 2 { // the repeat of the key answers the same
		got, err := f.AcceptAll(ctx, banker, "batch", all, "已受理")
		if err != nil || len(got) != 4 {
			t.Fatal(got, err)
		}
		if got[0].OK || !strings.Contains(got[0].Message, "撤回申请") || !got[1].OK || !got[2].OK || got[3].OK || got[3].Message != application.ErrNotFound.Message {
			t.Fatalf("%+v", got)
		}
	}
	if items, _, err := f.List(ctx, banker, application.ListFilter{Statuses: []application.Status{application.Taken}}); err != nil || len(items) != 2 {
		t.Errorf("%d accepted, %v", len(items), err)
	}
	if _, err := f.DeclineAll(ctx, banker, "", refs, nil, ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a reason: %v", err)
	}
	got, err := f.DeclineAll(ctx, taxman, "", []application.Ref{foreign}, nil, "超出服务范围")
	if err != nil || !got[0].OK {
		t.Errorf("%+v %v", got, err)
	}
	for _, n := range []int{0, 51} {
		if _, err := f.AcceptAll(ctx, banker, "", make([]application.Ref, n), ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%d at once: %v", n, err)
		}
	}
	if _, err := f.AcceptAll(ctx, baker, "", refs, ""); !errors.Is(err, application.ErrForbidden) {
		t.Errorf("she accepts: %v", err)
	}
}

func TestListsByNumberAndByDeadline(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	var views []application.View
	for i := range 5 {
		views = append(views, f.mustSubmit(t, boss(7, int64(700+i)), want("")))
		f.clock.Advance(24 * time.Hour)
	}
	// The first is asked for a supplement and comes back with a new deadline: it waits longest by number, not by deadline.
	v := must(f.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(views[0]), Reason: "流水"}))(t)
	must(f.Supplement(ctx, boss(7, 700), application.Supplement{Ref: ref(v), Note: "已补"}))(t)
	must(f.Accept(ctx, banker, application.Accept{Ref: ref(views[4])}))(t)
	read := func(filter application.ListFilter) string {
		var ids []string
		filter.Limit = 2
		for pages := 0; pages == 0 || filter.Cursor != ""; pages++ {
			items, next, err := f.List(ctx, banker, filter)
			if err != nil || pages > 4 {
				t.Fatal(pages, err)
			}
			for _, i := range items {
				ids = append(ids, fmt.Sprint(i.ID-views[0].ID+1))
			}
			filter.Cursor = next
		}
		return strings.Join(ids, "")
	}
	if got := read(application.ListFilter{}); got != "54321" {
		t.Errorf("all: %s", got)
	}
	if got := read(application.ListFilter{Waiting: true}); got != "2314" {
		t.Errorf("waiting: %s", got)
	}
	if got := read(application.ListFilter{Statuses: []application.Status{application.Taken, application.Waiting}}); got != "54321" {
		t.Errorf("two states: %s", got)
	}
	if got := read(application.ListFilter{Overdue: true}); got != "2" {
		t.Errorf("overdue: %s", got)
	}
	if got := read(application.ListFilter{Soon: true}); got != "" {
		t.Errorf("soon although nobody was reminded: %s", got)
	}
	items, _, err := f.List(ctx, banker, application.ListFilter{Waiting: true})
	if err != nil || !items[0].Overdue || items[1].Overdue {
		t.Errorf("%+v %v", items, err)
	}
	for _, bad := range []application.ListFilter{{Cursor: "x"}, {Cursor: "1.2"}, {Cursor: "5", Waiting: true}, {Cursor: "1.x", Waiting: true}, {Statuses: []application.Status{"x"}}} {
		if _, _, err := f.List(ctx, banker, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
