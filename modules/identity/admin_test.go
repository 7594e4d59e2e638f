package identity_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// staffed is a world with its three administrators and a department.
type staffed struct {
	*world

	dept                    int64
	system, roles, auditors access.Actor
}

func newStaffed(t *testing.T) *staffed {
	t.Helper()
	ctx := context.Background()
	w := &staffed{world: newWorld(t)}
	top, err := w.CreateDepartment(ctx, access.SystemActor("test"), 0, "110112", "通州区人民政府", 1)
	if err != nil {
		t.Fatal(err)
	}
	if w.dept, err = w.CreateDepartment(ctx, access.SystemActor("test"), top, "110112-01", "城市管理委员会", 2); err != nil {
		t.Fatal(err)
	}
	for i, s := range []struct {
		account, role string
		into          *access.Actor
	}{{"sysadmin", "platform_admin", &w.system}, {"secadmin", "security_admin", &w.roles}, {"auditor", "audit_admin", &w.auditors}} {
		id, err := w.CreateStaff(ctx, access.SystemActor("test"), identity.Staff{Name: s.account, Account: s.account, Phone: fmt.Sprintf("1390013910%d", i),
			Party: access.Platform, Roles: []string{s.role}})
		if err != nil {
			t.Fatal(err)
		}
		if *s.into, err = w.ActorOf(ctx, access.SystemActor("test"), id); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *staffed) handler(t *testing.T, key string) (identity.UserView, string) {
	t.Helper()
	v, password, err := w.CreateUser(context.Background(), w.system, identity.NewUser{Key: key, Name: "王芳", Account: "WangFang", Phone: "13900139200",
		Party: access.Government, DepartmentID: w.dept, Roles: []string{"dept_handler"}})
	if err != nil {
		t.Fatal(err)
	}
	return v, password
}

func (w *staffed) signIn(t *testing.T, account, pass, phone string) (access.Actor, error) {
	t.Helper()
	ctx := context.Background()
	w.clock.Advance(61 * time.Second)
	id, answer := w.solve(t)
	b, err := w.SignInByPassword(ctx, visitor, identity.SignIn{Account: account, Password: pass, CaptchaID: id, CaptchaAnswer: answer})
	if err != nil {
		return access.Actor{}, err
	}
	if b, err = w.SecondFactor(ctx, visitor, b.Token, w.last(phone)); err != nil {
		return access.Actor{}, err
	}
	return w.Authenticate(ctx, b.Token)
}

func code(err error) string {
	f, _ := fault.As(err)
	if f == nil {
		return ""
	}
	return f.Code
}

func TestAccountsFromOpeningToDisabling(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newStaffed(t)
	v, password := w.handler(t, "key-1")
	if v.Account != "wangfang" || v.DepartmentName != "城市管理委员会" || v.State != identity.Active || !v.MustChange || v.PhoneMasked != "139****9200" || len(v.Roles) != 1 {
		t.Fatalf("%+v", v)
	}
	// The same submit twice is one account, with the same password.
	if again, p := w.handler(t, "key-1"); again.ID != v.ID || p != password {
		t.Fatalf("%d %q, first %d %q", again.ID, p, v.ID, password)
	}
	var leaked []string
	if err := w.db.Read().NewRaw("SELECT outcome FROM idempotency_keys UNION ALL SELECT detail FROM audit_entries").Scan(ctx, &leaked); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Join(leaked, " "), password) {
		t.Fatal("the password is kept")
	}
	a, err := w.signIn(t, "wangfang", password, "13900139200")
	if err != nil || a.Can("ticket.view") {
		t.Fatalf("with the administrator's password: %+v, %v", a, err)
	}
	if me, err := w.Me(ctx, a); err != nil || !me.MustChange {
		t.Fatalf("%+v, %v", me, err)
	}
	for _, c := range []struct{ current, fresh, want string }{
		{password, "short", "PASSWORD_SHORT"},
		{password, "Wangfang-2026", "PASSWORD_HAS_ACCOUNT"},
		{"wrong-Password-1", "Yunhe-2026-xin", "PASSWORD_WRONG"},
		{password, password, "PASSWORD_SAME"},
		{password, "Yunhe-2026-xin", ""},
	} {
		if err := w.ChangePassword(ctx, a, c.current, c.fresh); code(err) != c.want {
			t.Fatalf("%s → %s: %v", c.current, c.fresh, err)
		}
	}
	if a, err = w.Authenticate(ctx, tokenOf(t, w, "wangfang", "Yunhe-2026-xin", "13900139200")); err != nil || !a.Can("ticket.view") {
		t.Fatalf("with her own password: %+v, %v", a, err)
	}
	if v, err = w.User(ctx, w.system, v.ID); err != nil || v.MustChange || len(v.Sessions) < 2 {
		t.Fatalf("%+v, %v", v, err)
	}
	// One session, then all of them.
	if v, err = w.EndUserSessions(ctx, w.system, v.ID, a.SessionID); err != nil || slices.ContainsFunc(v.Sessions, func(s identity.SessionView) bool { return s.ID == a.SessionID }) {
		t.Fatalf("%+v, %v", v.Sessions, err)
	}
	if v, err = w.EndUserSessions(ctx, w.system, v.ID, 0); err != nil || len(v.Sessions) != 0 {
		t.Fatalf("%+v, %v", v.Sessions, err)
	}
	fresh, second, err := w.ResetPassword(ctx, w.system, identity.UserRef{ID: v.ID, Version: v.Version, Key: "key-2"})
	if err != nil || second == password || !fresh.MustChange || fresh.Version != v.Version+1 {
		t.Fatalf("%+v, %v", fresh, err)
	}
	if _, p, err := w.ResetPassword(ctx, w.system, identity.UserRef{ID: v.ID, Version: v.Version, Key: "key-2"}); err != nil || p != second {
		t.Fatalf("repeated: %q, %v", p, err)
	}
	if _, _, err := w.ResetPassword(ctx, w.system, identity.UserRef{ID: v.ID, Version: v.Version, Key: "key-3"}); code(err) != "CHANGED" || !strings.Contains(err.Error(), "sysadmin") || !strings.Contains(err.Error(), "重置密码") {
		t.Fatalf("stale: %v", err)
	}
	token := tokenOf(t, w, "wangfang", second, "13900139200")
	v, err = w.DisableUser(ctx, w.system, identity.DisableUser{UserRef: identity.UserRef{ID: v.ID, Version: fresh.Version}, Reason: "调离岗位"})
	if err != nil || v.State != identity.Disabled {
		t.Fatalf("%+v, %v", v, err)
	}
	if _, err := w.Authenticate(ctx, token); !errors.Is(err, fault.ErrUnauthorized) {
		t.Fatalf("a session after disabling: %v", err)
	}
	if _, err := w.signIn(t, "wangfang", second, "13900139200"); !errors.Is(err, identity.ErrWrongPassword) {
		t.Fatalf("signing in after disabling: %v", err)
	}
	if v, err = w.EnableUser(ctx, w.system, identity.UserRef{ID: v.ID, Version: v.Version}); err != nil || v.State != identity.Active {
		t.Fatalf("%+v, %v", v, err)
	}
	for range 5 {
		if _, err := w.signIn(t, "wangfang", "wrong-Password-1", ""); !errors.Is(err, identity.ErrWrongPassword) {
			t.Fatal(err)
		}
	}
	if v, err = w.User(ctx, w.system, v.ID); err != nil || v.State != identity.Locked {
		t.Fatalf("%+v, %v", v, err)
	}
	if v, err = w.UnlockUser(ctx, w.system, identity.UserRef{ID: v.ID, Version: v.Version}); err != nil || v.State != identity.Active {
		t.Fatalf("%+v, %v", v, err)
	}
	if _, err := w.signIn(t, "wangfang", second, "13900139200"); err != nil {
		t.Fatalf("after unlocking: %v", err)
	}
}

// tokenOf signs in and returns the session's token.
func tokenOf(t *testing.T, w *staffed, account, pass, phone string) string {
	t.Helper()
	ctx := context.Background()
	w.clock.Advance(61 * time.Second)
	id, answer := w.solve(t)
	b, err := w.SignInByPassword(ctx, visitor, identity.SignIn{Account: account, Password: pass, CaptchaID: id, CaptchaAnswer: answer})
	if err != nil {
		t.Fatal(err)
	}
	if b, err = w.SecondFactor(ctx, visitor, b.Token, w.last(phone)); err != nil {
		t.Fatal(err)
	}
	return b.Token
}

func TestWhatAccountsRefuse(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newStaffed(t)
	good := identity.NewUser{Name: "王芳", Account: "wangfang", Phone: "13900139200", Party: access.Government, DepartmentID: w.dept, Roles: []string{"dept_handler"}}
	for _, c := range []struct {
		name  string
		alter func(*identity.NewUser)
		want  string
	}{
		{"no name", func(u *identity.NewUser) { u.Name = " " }, "REQUIRED"},
		{"account in Hanzi", func(u *identity.NewUser) { u.Account = "王芳" }, "BAD_ACCOUNT"},
		{"taken account", func(u *identity.NewUser) { u.Account = "Auditor" }, "ACCOUNT_TAKEN"},
		{"taken phone", func(u *identity.NewUser) { u.Phone = "139 0013 9100" }, "PHONE_TAKEN"},
		{"bad phone", func(u *identity.NewUser) { u.Phone = "12" }, "BAD_PHONE"},
		{"no role", func(u *identity.NewUser) { u.Roles = nil }, "NO_ROLE"},
		{"unknown role", func(u *identity.NewUser) { u.Roles = []string{"king"} }, "UNKNOWN_ROLE"},
		{"role of others", func(u *identity.NewUser) { u.Roles = []string{"agent"} }, "ROLE_OF_OTHERS"},
		{"no department", func(u *identity.NewUser) { u.DepartmentID = 0 }, "NO_DEPARTMENT"},
		{"unknown department", func(u *identity.NewUser) { u.DepartmentID = 999 }, "NO_DEPARTMENT"},
		{"a company's person", func(u *identity.NewUser) { u.Party = access.Enterprise }, "BAD_PARTY"},
		{"no institution", func(u *identity.NewUser) { u.Party, u.Roles = access.Institution, []string{"institution_operator"} }, "NO_INSTITUTION"},
		{"unknown institution", func(u *identity.NewUser) {
			u.Party, u.Roles, u.InstitutionID = access.Institution, []string{"institution_operator"}, 8
		}, "NO_INSTITUTION"},
		{"two administrators in one", func(u *identity.NewUser) {
			u.Party, u.Roles = access.Platform, []string{"platform_admin", "audit_admin"}
		}, "ROLES_EXCLUSIVE"},
	} {
		u := good
		c.alter(&u)
		if _, _, err := w.CreateUser(ctx, w.system, u); code(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	operator := good
	operator.Party, operator.InstitutionID, operator.Roles = access.Institution, 7, []string{"institution_operator"}
	v, _, err := w.CreateUser(ctx, w.system, operator)
	if err != nil || v.InstitutionName != "运河银行" || v.DepartmentID != 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	if ids, err := w.InstitutionUsers(ctx, w.db.Read(), 7); err != nil || len(ids) != 1 || ids[0] != v.ID {
		t.Fatalf("%v, %v", ids, err)
	}
	colleague := good
	colleague.Account, colleague.Phone = "lifang", "13900139299"
	handler, _, err := w.CreateUser(ctx, w.system, colleague)
	if err != nil {
		t.Fatal(err)
	}
	var right access.Permission
	if err := w.db.Read().NewRaw("SELECT rp.permission FROM role_permissions AS rp JOIN user_roles AS ur ON ur.role_id = rp.role_id WHERE ur.user_id = ? LIMIT 1", handler.ID).Scan(ctx, &right); err != nil {
		t.Fatal(err)
	}
	if ids, err := w.DepartmentUsers(ctx, w.db.Read(), w.dept, right); err != nil || !slices.Contains(ids, handler.ID) {
		t.Fatalf("%v, %v", ids, err)
	}
	for _, none := range []func() ([]int64, error){
		func() ([]int64, error) { return w.DepartmentUsers(ctx, w.db.Read(), w.dept, "audit.view") },
		func() ([]int64, error) { return w.DepartmentUsers(ctx, w.db.Read(), w.dept+1000, right) },
	} {
		if ids, err := none(); err != nil || len(ids) != 0 {
			t.Fatalf("%v, %v", ids, err)
		}
	}
	if _, err := w.DisableUser(ctx, w.system, identity.DisableUser{UserRef: identity.UserRef{ID: handler.ID, Version: handler.Version}, Reason: "调离岗位"}); err != nil {
		t.Fatal(err)
	}
	if ids, err := w.DepartmentUsers(ctx, w.db.Read(), w.dept, right); err != nil || slices.Contains(ids, handler.ID) {
		t.Fatalf("disabled: %v, %v", ids, err)
	}
	if ids, err := w.UsersWith(ctx, w.db.Read(), "audit.view"); err != nil || len(ids) != 1 || ids[0] != w.auditors.UserID {
		t.Fatalf("%v, %v", ids, err)
	}
	if _, err := w.DisableUser(ctx, w.system, identity.DisableUser{UserRef: identity.UserRef{ID: v.ID, Version: v.Version}, Reason: "机构撤出"}); err != nil {
		t.Fatal(err)
	}
	if ids, err := w.InstitutionUsers(ctx, w.db.Read(), 7); err != nil || len(ids) != 0 {
		t.Fatalf("disabled: %v, %v", ids, err)
	}

	ref := func(a access.Actor) identity.UserRef { return identity.UserRef{ID: a.UserID, Version: 1} }
	company, err := w.register(t, "13800138200", "麦香烘焙")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"without the right":      {func() error { _, _, err := w.CreateUser(ctx, w.roles, good); return err }, "FORBIDDEN"},
		"list without the right": {func() error { _, _, err := w.Users(ctx, w.auditors, identity.UserFilter{}); return err }, "FORBIDDEN"},
		"a visitor":              {func() error { _, _, err := w.Users(ctx, visitor, identity.UserFilter{}); return err }, "SIGN_IN_REQUIRED"},
		"nobody":                 {func() error { _, err := w.User(ctx, w.system, 999); return err }, "NOT_FOUND"},
		"disable nobody": {func() error {
			_, err := w.DisableUser(ctx, w.system, identity.DisableUser{UserRef: identity.UserRef{ID: 999, Version: 1}, Reason: "没有"})
			return err
		}, "NOT_FOUND"},
		"disable oneself": {func() error {
			_, err := w.DisableUser(ctx, w.system, identity.DisableUser{UserRef: ref(w.system), Reason: "自己"})
			return err
		}, "OWN_ACCOUNT"},
		"edit oneself": {func() error {
			_, err := w.EditUser(ctx, w.system, identity.EditUser{UserRef: ref(w.system), Name: "我", Roles: []string{"platform_admin", "agent"}})
			return err
		}, "OWN_ACCOUNT"},
		"reset one's own password": {func() error { _, _, err := w.ResetPassword(ctx, w.system, ref(w.system)); return err }, "OWN_ACCOUNT"},
		"end one's own sessions":   {func() error { _, err := w.EndUserSessions(ctx, w.system, w.system.UserID, 0); return err }, "OWN_ACCOUNT"},
		"the last auditor": {func() error {
			_, err := w.DisableUser(ctx, w.system, identity.DisableUser{UserRef: ref(w.auditors), Reason: "不要审计"})
			return err
		}, "LAST_HOLDER"},
		"the last security administrator becomes an agent": {func() error {
			_, err := w.EditUser(ctx, w.system, identity.EditUser{UserRef: ref(w.roles), Name: "吴洁", Roles: []string{"agent"}})
			return err
		}, "LAST_HOLDER"},
		"no reason": {func() error {
			_, err := w.DisableUser(ctx, w.system, identity.DisableUser{UserRef: ref(w.auditors)})
			return err
		}, "REQUIRED"},
		"a company's person is not edited": {func() error {
			_, err := w.EditUser(ctx, w.system, identity.EditUser{UserRef: identity.UserRef{ID: company.UserID, Version: 1}, Name: "李", Roles: []string{"agent"}})
			return err
		}, "NOT_STAFF"},
		"a company's person has no password": {func() error {
			_, _, err := w.ResetPassword(ctx, w.system, identity.UserRef{ID: company.UserID, Version: 1})
			return err
		}, "NO_PASSWORD"},
	} {
		if err := c.do(); code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.User(ctx, w.system, w.auditors.UserID); err != nil {
		t.Fatal(err)
	}
	if a, err := w.ActorOf(ctx, access.SystemActor("test"), w.roles.UserID); err != nil || !a.Can("identity.roles") {
		t.Fatalf("what was refused happened: %+v, %v", a, err)
	}
}

func TestListOfAccounts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newStaffed(t)
	v, _ := w.handler(t, "")
	company, err := w.register(t, "13800138201", "麦香烘焙")
	if err != nil {
		t.Fatal(err)
	}
	all := []int64{company.UserID, v.ID, w.auditors.UserID, w.roles.UserID, w.system.UserID}
	for _, c := range []struct {
		name   string
		filter identity.UserFilter
		want   []int64
	}{
		{"everybody, newest first", identity.UserFilter{}, all},
		{"name", identity.UserFilter{Query: "芳"}, all[1:2]},
		{"account", identity.UserFilter{Query: "SEC"}, all[3:4]},
		{"not a pattern", identity.UserFilter{Query: "%"}, nil},
		{"phone's tail", identity.UserFilter{Phone: "8201"}, all[:1]},
		{"whole phone", identity.UserFilter{Phone: "138 0013 8201"}, all[:1]},
		{"party", identity.UserFilter{Party: access.Government}, all[1:2]},
		{"role", identity.UserFilter{Role: "audit_admin"}, all[2:3]},
		{"state", identity.UserFilter{State: identity.Disabled}, nil},
		{"active ones of the platform", identity.UserFilter{State: identity.Active, Party: access.Platform}, all[2:]},
	} {
		items, next, err := w.Users(ctx, w.system, c.filter)
		var got []int64
		for _, i := range items {
			got = append(got, i.ID)
		}
		if err != nil || next != "" || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v; next %q, %v", c.name, got, c.want, next, err)
		}
	}
	var got []int64
	f := identity.UserFilter{Limit: 2}
	for {
		items, next, err := w.Users(ctx, w.system, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			got = append(got, i.ID)
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, all) {
		t.Fatalf("by pages %v, want %v", got, all)
	}
	items, _, err := w.Users(ctx, w.system, identity.UserFilter{Phone: "8201"})
	if err != nil || items[0].EnterpriseName != "麦香烘焙" || items[0].SeenAt == nil || !items[0].SeenAt.Equal(w.clock.Now()) {
		t.Fatalf("%+v, %v", items, err)
	}
	if _, _, err := w.Users(ctx, w.system, identity.UserFilter{Cursor: "x"}); code(err) != "CURSOR" {
		t.Fatal(err)
	}
}

func TestTwoAdministratorsEditAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newStaffed(t)
	v, _ := w.handler(t, "")
	errs := make([]error, 6)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, errs[i] = w.EditUser(ctx, w.system, identity.EditUser{UserRef: identity.UserRef{ID: v.ID, Version: v.Version, Key: fmt.Sprint("k", i)},
				Name: fmt.Sprintf("王芳%d", i), DepartmentID: w.dept, Roles: []string{"dept_leader"}})
		}()
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		switch code(err) {
		case "CHANGED":
		case "":
			if err != nil {
				t.Error(err)
			}
			done++
		default:
			t.Error(err)
		}
	}
	if done != 1 {
		t.Fatalf("%d edits were taken", done)
	}
	if v, err := w.User(ctx, w.system, v.ID); err != nil || v.Version != 2 || v.Roles[0].Code != "dept_leader" || len(v.Roles) != 1 {
		t.Fatalf("%+v, %v", v, err)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newStaffed(t)
	p := func(list ...access.Permission) []access.Permission { return list }
	edit := func(by access.Actor, role string, version int64, rights ...access.Permission) error {
		_, err := w.EditRole(ctx, by, identity.EditRole{Code: role, Version: version, Permissions: rights})
		return err
	}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"two powers in a role of the program", edit(w.roles, "platform_admin", 1, "audit.view", "identity.users"), "ROLES_EXCLUSIVE"},
		{"one's own role", edit(w.roles, "security_admin", 1, "identity.roles", "ticket.view"), "OWN_ROLE"},
		{"a power for a department", edit(w.roles, "dept_handler", 1, "audit.view"), "PLATFORM_ONLY"},
		{"unknown right", edit(w.roles, "agent", 1, "ticket.fly"), "UNKNOWN_PERMISSION"},
		{"unknown role", edit(w.roles, "king", 1), "NOT_FOUND"},
		{"nobody left to audit", edit(w.roles, "audit_admin", 1, "ticket.view"), "LAST_HOLDER"},
		{"stale", edit(w.roles, "agent", 0, "ticket.view"), "CHANGED"},
		{"without the right", edit(w.system, "agent", 1, "ticket.view"), "FORBIDDEN"},
		{"right", edit(w.roles, "agent", 1, "ticket.view"), ""},
		{"twice from the same page", edit(w.roles, "agent", 1, "ticket.view", "ticket.close"), "CHANGED"},
	} {
		if code(c.err) != c.want || c.want == "" && c.err != nil {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
	custom := func(by access.Actor, name string, party access.Party, scope access.Scope, rights []access.Permission) (identity.RoleView, error) {
		return w.CreateRole(ctx, by, identity.NewRole{Name: name, Party: party, Scope: scope, Permissions: rights})
	}
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"two powers", func() error {
			_, err := custom(w.roles, "总管", access.Platform, access.ScopeDistrict, p("identity.users", "identity.roles"))
			return err
		}, "ROLES_EXCLUSIVE"},
		{"taken name", func() error {
			_, err := custom(w.roles, "热线坐席", access.Platform, access.ScopeDistrict, nil)
			return err
		}, "ROLE_EXISTS"},
		{"scope of others", func() error {
			_, err := custom(w.roles, "机构总管", access.Institution, access.ScopeDistrict, nil)
			return err
		}, "BAD_SCOPE"},
		{"party without staff", func() error {
			_, err := custom(w.roles, "企业总管", access.Enterprise, access.ScopeSelf, nil)
			return err
		}, "BAD_PARTY"},
		{"without the right", func() error {
			_, err := custom(w.system, "我的角色", access.Platform, access.ScopeDistrict, nil)
			return err
		}, "FORBIDDEN"},
	} {
		if err := c.do(); code(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	second, err := custom(w.roles, "审计员", access.Platform, access.ScopeDistrict, p("audit.view"))
	if err != nil || !second.Custom || second.Version != 1 || !strings.HasPrefix(second.Code, "custom_") {
		t.Fatalf("%+v, %v", second, err)
	}
	plain, err := custom(w.roles, "值班长", access.Platform, access.ScopeDistrict, p("ticket.view"))
	if err != nil {
		t.Fatal(err)
	}
	// Two roles that join powers are not for one person, whether the role or the person comes first.
	if _, _, err := w.CreateUser(ctx, w.system, identity.NewUser{Name: "兼任", Account: "both", Phone: "13900139300", Party: access.Platform, Roles: []string{"platform_admin", second.Code}}); code(err) != "ROLES_EXCLUSIVE" {
		t.Fatalf("joined by a custom role: %v", err)
	}
	if _, _, err := w.CreateUser(ctx, w.system, identity.NewUser{Name: "兼任", Account: "both", Phone: "13900139300", Party: access.Platform, Roles: []string{plain.Code, second.Code}}); err != nil {
		t.Fatal(err)
	}
	if err := edit(w.roles, plain.Code, 1, "identity.users"); code(err) != "ROLES_EXCLUSIVE" || !strings.Contains(err.Error(), "兼任") {
		t.Fatalf("joined by editing: %v", err)
	}
	views, err := w.Roles(ctx, w.roles)
	if err != nil {
		t.Fatal(err)
	}
	byCode := map[string]identity.RoleView{}
	for _, v := range views {
		byCode[v.Code] = v
	}
	if v := byCode["agent"]; v.Version != 2 || !slices.Equal(v.Permissions, p("ticket.view")) || v.Holders != 0 || v.Mine {
		t.Errorf("%+v", v)
	}
	if v := byCode["security_admin"]; !v.Mine || v.Holders != 1 {
		t.Errorf("%+v", v)
	}
	if v := byCode[plain.Code]; v.Version != 1 || v.Holders != 1 {
		t.Errorf("%+v", v)
	}
}

func TestAuditLogIsReadAndReadingIsAudited(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newStaffed(t)
	v, _ := w.handler(t, "")
	if _, _, err := w.AuditLog(ctx, w.system, identity.LogFilter{}); !errors.Is(err, fault.ErrForbidden) {
		t.Fatalf("the system administrator reads the log: %v", err)
	}
	items, _, err := w.AuditLog(ctx, w.auditors, identity.LogFilter{Actor: "sysadm", Object: "user", ObjectID: v.ID})
	if err != nil || len(items) != 1 || items[0].Summary != "新建账号 王芳" || items[0].ActorName != "sysadmin" {
		t.Fatalf("%+v, %v", items, err)
	}
	entry, err := w.AuditEntry(ctx, w.auditors, items[0].ID)
	if err != nil || string(entry.Detail) != `["dept_handler"]` || entry.Sealed {
		t.Fatalf("%+v, %v", entry, err)
	}
	items, _, err = w.AuditLog(ctx, w.auditors, identity.LogFilter{Actor: fmt.Sprint(w.auditors.UserID), Action: "identity."})
	if err != nil || len(items) != 2 || items[0].Action != "identity.audit_read" || items[1].Action != "identity.audit_list" {
		t.Fatalf("reading left %+v, %v", items, err)
	}
	if items, _, err = w.AuditLog(ctx, w.auditors, identity.LogFilter{Actor: "test"}); err != nil || len(items) == 0 {
		t.Fatalf("what the system did: %+v, %v", items, err)
	}
	if _, err := w.AuditEntry(ctx, w.auditors, 99999); !errors.Is(err, fault.ErrNotFound) {
		t.Fatal(err)
	}
	seals, err := w.AuditSeals(ctx, w.auditors)
	if err != nil || seals.Sealed != 0 || seals.Unsealed < 5 || seals.LastAt != nil {
		t.Fatalf("%+v, %v", seals, err)
	}
}

// TestUpgradeGivesNewRights: what a release adds to a built-in role is given once; what was taken from it stays away.
func TestUpgradeGivesNewRights(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newStaffed(t)
	if _, err := w.EditRole(ctx, w.roles, identity.EditRole{Code: "agent", Version: 1, Permissions: []access.Permission{"ticket.view"}}); err != nil {
		t.Fatal(err)
	}
	next := w.Deps
	next.Roles = slices.Clone(next.Roles)
	i := slices.IndexFunc(next.Roles, func(r identity.BuiltinRole) bool { return r.Code == "agent" })
	next.Roles[i].Permissions = append(slices.Clone(next.Roles[i].Permissions), "ticket.sign")
	if slices.Contains(roles[i].Permissions, "ticket.sign") {
		t.Fatal("the role has the right already")
	}
	agent := func() identity.RoleView {
		list, err := w.Roles(ctx, w.roles)
		if err != nil {
			t.Fatal(err)
		}
		return list[slices.IndexFunc(list, func(r identity.RoleView) bool { return r.Code == "agent" })]
	}
	for range 2 {
		if err := identity.New(next).EnsureRoles(ctx); err != nil {
			t.Fatal(err)
		}
		if r := agent(); !slices.Equal(r.Permissions, []access.Permission{"ticket.sign", "ticket.view"}) || r.Version != 3 {
			t.Errorf("after the upgrade: %v at version %d", r.Permissions, r.Version)
		}
	}
	if _, err := w.EditRole(ctx, w.roles, identity.EditRole{Code: "agent", Version: 3, Permissions: []access.Permission{"ticket.view"}}); err != nil {
		t.Fatal(err)
	}
	if err := identity.New(next).EnsureRoles(ctx); err != nil {
		t.Fatal(err)
	}
	if r := agent(); !slices.Equal(r.Permissions, []access.Permission{"ticket.view"}) {
		t.Errorf("taken away, and given again: %v", r.Permissions)
	}
}
