package identity_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/secret"
)

// world is a service with a texter that notes the codes.
type world struct {
	key []byte // the root of the box
	*identity.Service

	db     *database.DB
	clock  *clock.Fake
	wechat *fakeWechat
	mu     sync.Mutex
	codes  map[string][]string
}

// The rights and roles of the tests.
var (
	rights = append(identity.Permissions(), access.Info{Name: "ticket.view"}, access.Info{Name: "ticket.close"}, access.Info{Name: "ticket.sign"})
	roles  = []identity.BuiltinRole{
		{Code: "platform_admin", Name: "系统管理员", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{"identity.users"}},
		{Code: "security_admin", Name: "安全管理员", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{"identity.roles"}},
		{Code: "audit_admin", Name: "审计管理员", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{"audit.view"}},
		{Code: "agent", Name: "热线坐席", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{"ticket.view", "ticket.close"}},
		{Code: "dept_handler", Name: "部门经办人", Party: access.Government, Scope: access.ScopeDepartment, Permissions: []access.Permission{"ticket.view", "ticket.sign"}},
		{Code: "dept_leader", Name: "部门领导", Party: access.Government, Scope: access.ScopeSubtree, Permissions: []access.Permission{"ticket.view", "ticket.sign"}},
		{Code: "institution_operator", Name: "机构操作员", Party: access.Institution, Scope: access.ScopeSelf},
		{Code: "enterprise_owner", Name: "企业负责人", Party: access.Enterprise, Scope: access.ScopeSelf},
	}
)

func (w *world) TextCode(_ context.Context, _ bun.Tx, phone, code string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.codes[phone] = append(w.codes[phone], code)
	return nil
}

func (w *world) OpenUnverified(ctx context.Context, tx bun.Tx, _ access.Actor, name string, _ int64) (int64, error) {
	if name == "失败的企业" {
		return 0, fault.ErrUnavailable
	}
	var id int64
	err := tx.QueryRowContext(ctx, "INSERT INTO test_companies (name) VALUES (?) RETURNING id", name).Scan(&id)
	return id, err
}

func (w *world) Company(ctx context.Context, db bun.IDB, id int64) (identity.Company, error) {
	c := identity.Company{ID: id, Verification: "unverified"}
	return c, db.NewSelect().TableExpr("test_companies").Column("name").Where("id = ?", id).Scan(ctx, &c.Name)
}

// Counted: of these companies none is verified.
func (w *world) Counted(context.Context, bun.IDB, int64) (bool, error) { return false, nil }

func (w *world) InstitutionName(_ context.Context, _ bun.IDB, id int64) (string, error) {
	if id != 7 {
		return "", fault.ErrNotFound
	}
	return "运河银行", nil
}

func (w *world) Institutions(context.Context, bun.IDB) ([]identity.Named, error) {
	return []identity.Named{{ID: 7, Name: "运河银行"}}, nil
}

type testCompany struct {
	bun.BaseModel `bun:"table:test_companies"`

	ID   int64  `bun:"id,pk,autoincrement"`
	Name string `bun:"name,notnull"`
}

var companies = []database.Migration{{ID: "20261199000000_test_companies", Up: func(ctx context.Context, tx bun.Tx) error {
	return database.CreateTables(ctx, tx, (*testCompany)(nil))
}}}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{codes: map[string][]string{}, wechat: &fakeWechat{holds: map[string]identity.WechatPerson{}}, clock: clock.NewFake(time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)),
		db: databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, identity.Migrations, secret.Migrations, companies))}
	key, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	w.key = key
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": key}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	w.Service = identity.New(identity.Deps{DB: w.db, Clock: w.clock, Box: box, Companies: w, Texter: w, Log: slog.New(slog.DiscardHandler), District: "北京市通州区", Permissions: rights, Roles: roles,
		Wechat: w.wechat, PublicURL: "https://hq.example", Institutions: w, InstitutionList: w, CodesPerDay: 1000})
	if err := w.EnsureRoles(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w
}

var visitor = access.Actor{Party: access.Anonymous, IP: "203.0.113.9"}

// solve makes a captcha and reads its answer from the table, as the eye would from the picture.
func (w *world) solve(t *testing.T) (id, answer string) {
	t.Helper()
	id, err := w.NewCaptcha(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.db.Read().NewSelect().TableExpr("captchas").Column("digits").Where("id = ?", id).Scan(context.Background(), &answer); err != nil {
		t.Fatal(err)
	}
	return id, answer
}

func (w *world) send(t *testing.T, phone string, purpose identity.Purpose) error {
	t.Helper()
	id, answer := w.solve(t)
	_, err := w.SendCode(context.Background(), visitor, identity.SendCode{Phone: phone, Purpose: purpose, CaptchaID: id, CaptchaAnswer: answer})
	return err
}

func (w *world) last(phone string) string { return w.codes[phone][len(w.codes[phone])-1] }

func (w *world) register(t *testing.T, phone, company string) (identity.Begun, error) {
	t.Helper()
	if err := w.send(t, phone, identity.ForRegister); err != nil {
		t.Fatal(err)
	}
	return w.Register(context.Background(), visitor, identity.Register{Phone: phone, Code: w.last(phone), CompanyName: company, ContactName: "李𠮷", Consent: true})
}

func TestHundredRequestsSendOneCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shapes := []string{"13800138000", "+86 138 0013 8000", "１３８００１３８０００", "0086-13800138000", "138-0013-8000"}
	puzzles := make([][2]string, 100)
	for i := range puzzles {
		puzzles[i][0], puzzles[i][1] = w.solve(t)
	}
	var wg sync.WaitGroup
	var sent atomic.Int64
	for i, p := range puzzles {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := w.SendCode(context.Background(), visitor, identity.SendCode{Phone: shapes[i%len(shapes)], Purpose: identity.ForSignIn, CaptchaID: p[0], CaptchaAnswer: p[1]})
			switch {
			case err == nil:
				sent.Add(1)
			case !errors.Is(err, identity.ErrCodeTooSoon):
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if sent.Load() != 1 || len(w.codes["13800138000"]) != 1 || len(w.codes) != 1 {
		t.Fatalf("sent %d, codes %v", sent.Load(), w.codes)
	}
}

func TestCodeLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 5 {
		if err := w.send(t, "13800138001", identity.ForSignIn); err != nil {
			t.Fatalf("code %d: %v", i+1, err)
		}
		w.clock.Advance(61 * time.Second)
	}
	if err := w.send(t, "13800138001", identity.ForRegister); !errors.Is(err, identity.ErrCodeTooMany) {
		t.Fatalf("sixth in the hour, for another purpose: %v", err)
	}
	w.clock.Advance(time.Hour)
	if err := w.send(t, "13800138001", identity.ForSignIn); err != nil {
		t.Fatalf("an hour later: %v", err)
	}
	id, answer := w.solve(t)
	cmd := identity.SendCode{Phone: "13800138002", Purpose: identity.ForSignIn, CaptchaID: id, CaptchaAnswer: answer + "1"}
	if _, err := w.SendCode(context.Background(), visitor, cmd); !errors.Is(err, identity.ErrCaptcha) {
		t.Fatalf("wrong captcha: %v", err)
	}
	cmd.CaptchaAnswer = answer
	if _, err := w.SendCode(context.Background(), visitor, cmd); !errors.Is(err, identity.ErrCaptcha) {
		t.Fatalf("captcha used twice: %v", err)
	}
}

func TestCodeFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	phone := "13800138003"
	if _, err := w.register(t, phone, "麦香烘焙坊"); err != nil {
		t.Fatal(err)
	}
	try := func(code string) error { _, err := w.SignInBySMS(ctx, visitor, phone, code); return err }
	w.clock.Advance(61 * time.Second)
	if err := w.send(t, phone, identity.ForSignIn); err != nil {
		t.Fatal(err)
	}
	wrong := "000000"
	if w.last(phone) == wrong {
		wrong = "000001"
	}
	for range 5 {
		if err := try(wrong); !errors.Is(err, identity.ErrCodeWrong) {
			t.Fatal(err)
		}
	}
	if err := try(w.last(phone)); !errors.Is(err, identity.ErrCodeLocked) {
		t.Fatalf("sixth attempt with the right code: %v", err)
	}
	w.clock.Advance(61 * time.Second)
	if err := w.send(t, phone, identity.ForSignIn); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(6 * time.Minute)
	if err := try(w.last(phone)); !errors.Is(err, identity.ErrCodeExpired) {
		t.Fatalf("expired: %v", err)
	}
	if err := w.send(t, phone, identity.ForSignIn); err != nil {
		t.Fatal(err)
	}
	if err := try(w.last(phone)); err != nil {
		t.Fatal(err)
	}
	if err := try(w.last(phone)); !errors.Is(err, identity.ErrCodeUsed) {
		t.Fatalf("used: %v", err)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cases := []struct{ name, company, code string }{
		{"plain", "北京麦香烘焙有限公司", ""},
		{"rare Hanzi and emoji", "𠮷祥🍞烘焙", ""},
		{"markup is text", "<script>alert(1)</script>", ""},
		{"300 characters", strings.Repeat("麦", 300), "TOO_LONG"},
		{"empty", " \u200b ", "REQUIRED"},
		{"neighbour fails, nothing is kept", "失败的企业", "UNAVAILABLE"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b, err := w.register(t, "13800138004", c.company)
			if c.code != "" {
				f, ok := fault.As(err)
				if !ok || f.Code != c.code {
					t.Fatalf("got %v, want %s", err, c.code)
				}
				if empty, err := w.Empty(ctx); err != nil || !empty {
					t.Fatalf("something was kept: %v", err)
				}
				// The code is not lost with the failed try.
				if _, err := w.Register(ctx, visitor, identity.Register{Phone: "13800138004", Code: w.last("13800138004"), CompanyName: "改正后的名称", ContactName: "李", Consent: true}); err != nil {
					t.Fatalf("corrected and sent again: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			a, err := w.Authenticate(ctx, b.Token)
			if err != nil || a.Party != access.Enterprise || a.EnterpriseID == 0 {
				t.Fatalf("%+v, %v", a, err)
			}
			me, err := w.Me(ctx, a)
			if err != nil || me.Enterprise.Name != c.company || me.User.PhoneMasked != "138****8004" {
				t.Fatalf("%+v, %v", me, err)
			}
			w.clock.Advance(61 * time.Second)
			if _, err := w.register(t, "13800138004", "另一家"); !errors.Is(err, identity.ErrPhoneRegistered) {
				t.Fatalf("second registration: %v", err)
			}
		})
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	a1, err := w.register(t, "13800138005", "甲")
	if err != nil {
		t.Fatal(err)
	}
	a2, err := w.register(t, "13800138006", "乙")
	if err != nil {
		t.Fatal(err)
	}
	one, err := w.Authenticate(ctx, a1.Token)
	if err != nil {
		t.Fatal(err)
	}
	two, err := w.Authenticate(ctx, a2.Token)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Revoke(ctx, two, one.SessionID); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("somebody else's session: %v", err)
	}
	if err := w.SignOut(ctx, one); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(ctx, a1.Token); !errors.Is(err, fault.ErrUnauthorized) {
		t.Fatalf("after signing out: %v", err)
	}
	w.clock.Advance(8 * 24 * time.Hour)
	if _, err := w.Authenticate(ctx, a2.Token); !errors.Is(err, fault.ErrUnauthorized) {
		t.Fatalf("after a week idle: %v", err)
	}
}

const password = "Tz-2026-huiqi!x"

func TestStaffNeedTwoFactors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	system := access.SystemActor("test")
	top, err := w.CreateDepartment(ctx, system, 0, "110112", "通州区人民政府", 1)
	if err != nil {
		t.Fatal(err)
	}
	dept, err := w.CreateDepartment(ctx, system, top, "110112-01", "城市管理委员会", 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateStaff(ctx, system, identity.Staff{Name: "王芳", Account: "wangfang", Password: password, Phone: "13900139000",
		Party: access.Government, DepartmentID: dept, Roles: []string{"dept_handler"}}); err != nil {
		t.Fatal(err)
	}
	in := func(pass string) (identity.Begun, error) {
		id, answer := w.solve(t)
		return w.SignInByPassword(ctx, visitor, identity.SignIn{Account: "wangfang", Password: pass, CaptchaID: id, CaptchaAnswer: answer})
	}
	b, err := in(password)
	if err != nil || !b.Pending || b.SentTo != "139****9000" {
		t.Fatalf("%+v, %v", b, err)
	}
	if _, err := w.Authenticate(ctx, b.Token); !errors.Is(err, fault.ErrUnauthorized) {
		t.Fatalf("one factor let in: %v", err)
	}
	full, err := w.SecondFactor(ctx, visitor, b.Token, w.last("13900139000"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.Authenticate(ctx, full.Token)
	if err != nil || !a.Can("ticket.sign") || a.Can("ticket.dispatch") || a.DepartmentPath != [4]int64{top, dept} || a.Scope != access.ScopeDepartment {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := w.SecondFactor(ctx, visitor, b.Token, w.last("13900139000")); !errors.Is(err, identity.ErrNoSecondFactor) {
		t.Fatalf("used twice: %v", err)
	}
	// Roles are edited at run time and hold from the next request on.
	if _, err := w.EditRole(ctx, a, identity.EditRole{Code: "dept_handler", Version: 1}); !errors.Is(err, fault.ErrForbidden) {
		t.Fatalf("a handler edits roles: %v", err)
	}
	if _, err := w.EditRole(ctx, system, identity.EditRole{Code: "dept_handler", Version: 1, Permissions: []access.Permission{"ticket.view"}}); err != nil {
		t.Fatal(err)
	}
	if a, err = w.Authenticate(ctx, full.Token); err != nil || a.Can("ticket.sign") || !a.Can("ticket.view") {
		t.Fatalf("%+v, %v", a, err)
	}
	for range 5 {
		if _, err := in("wrong-Password-1"); !errors.Is(err, identity.ErrWrongPassword) {
			t.Fatal(err)
		}
	}
	if _, err := in(password); !errors.Is(err, identity.ErrWrongPassword) {
		t.Fatalf("the right password after five failures: %v", err)
	}
	w.clock.Advance(16 * time.Minute)
	if _, err := in(password); err != nil {
		t.Fatalf("after the lock: %v", err)
	}
	if _, err := w.CreateStaff(ctx, system, identity.Staff{Name: "孙强", Account: "sunqiang", Password: password, Phone: "13900139001",
		Party: access.Platform, Roles: []string{"platform_admin", "audit_admin"}}); err == nil {
		t.Fatal("one person joined two of the three administrators")
	}
}
