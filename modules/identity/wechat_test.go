package identity_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// fakeWechat is an official account whose codes are the names of what they stand for.
type fakeWechat struct {
	mu    sync.Mutex
	holds map[string]identity.WechatPerson // code → who
	fail  error
	asked int
}

func (f *fakeWechat) App() string { return "wxtest" }

func (f *fakeWechat) AuthorizeURL(redirect, state string) (string, error) {
	return "https://open.example/authorize?redirect_uri=" + url.QueryEscape(redirect) + "&state=" + state, nil
}

func (f *fakeWechat) Exchange(_ context.Context, code string) (identity.WechatPerson, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.fail != nil {
		return identity.WechatPerson{}, f.fail
	}
	who, ok := f.holds[code]
	if !ok {
		return who, identity.ErrWechatCode
	}
	delete(f.holds, code)
	return who, nil
}

// browserOf is a visitor with a browser of their own.
func browserOf(name string) access.Actor {
	a := visitor
	a.Visitor = "visitor-of-" + name
	return a
}

// travel sends a browser to WeChat and returns the state it comes back with.
func (w *world) travel(t *testing.T, a access.Actor, back string) string {
	t.Helper()
	to, err := w.AuthorizeWechat(context.Background(), a, back)
	if err != nil {
		t.Fatal(err)
	}
	return stateOf(t, to)
}

func stateOf(t *testing.T, to string) string {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("redirect_uri") != "https://hq.example/wechat/callback" {
		t.Fatalf("sent to %s, %v", to, err)
	}
	return u.Query().Get("state")
}

// open is a browser opening our page inside WeChat.
func (w *world) open(t *testing.T, a access.Actor, openID string) (identity.WechatReturn, error) {
	t.Helper()
	state := w.travel(t, a, "/m/policy/3?tab=1")
	code := "code of " + state
	w.wechat.mu.Lock()
	w.wechat.holds[code] = identity.WechatPerson{OpenID: openID}
	w.wechat.mu.Unlock()
	return w.ReturnFromWechat(context.Background(), a, code, state)
}

// registerIn is register in a browser of one's own.
func (w *world) registerIn(t *testing.T, a access.Actor, phone string) identity.Begun {
	t.Helper()
	if err := w.send(t, phone, identity.ForRegister); err != nil {
		t.Fatal(err)
	}
	b, err := w.Register(context.Background(), a, identity.Register{Phone: phone, Code: w.last(phone), CompanyName: "麦香烘焙", ContactName: "李梅", Consent: true})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// signInIn is signing in by SMS in a browser of one's own.
func (w *world) signInIn(t *testing.T, a access.Actor, phone string) identity.Begun {
	t.Helper()
	w.clock.Advance(61 * time.Second)
	if err := w.send(t, phone, identity.ForSignIn); err != nil {
		t.Fatal(err)
	}
	b, err := w.SignInBySMS(context.Background(), a, phone, w.last(phone))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w *world) openIDOf(t *testing.T, userID int64) string {
	t.Helper()
	id, err := w.OpenIDOf(context.Background(), w.db.Read(), userID)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestRegisteringBindsAndOpeningAgainSignsIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	first := browserOf("first")
	end, err := w.open(t, first, "openid-mei")
	if err != nil || !end.New || end.Begun != nil || end.Return != "/m/policy/3?tab=1" {
		t.Fatalf("%+v, %v", end, err)
	}
	b := w.registerIn(t, first, "13800138100")
	if b.Notice != "" || w.openIDOf(t, b.UserID) != "openid-mei" {
		t.Fatalf("%+v, %q", b, w.openIDOf(t, b.UserID))
	}
	// Another browser of the same WeChat account, months later.
	w.clock.Advance(100 * 24 * time.Hour)
	end, err = w.open(t, browserOf("second"), "openid-mei")
	if err != nil || end.New || end.Begun == nil || end.Begun.UserID != b.UserID {
		t.Fatalf("%+v, %v", end, err)
	}
	a, err := w.Authenticate(ctx, end.Begun.Token)
	if err != nil || a.UserID != b.UserID {
		t.Fatalf("%+v, %v", a, err)
	}
	account, err := w.Account(ctx, a)
	if err != nil || account.Wechat != "bound" || len(account.Sessions) != 1 || !account.Sessions[0].Current {
		t.Fatalf("%+v, %v", account, err)
	}
	if err := w.UnbindWechat(ctx, a); err != nil {
		t.Fatal(err)
	}
	if err := w.UnbindWechat(ctx, a); err != nil {
		t.Fatalf("nothing to untie: %v", err)
	}
	if end, err = w.open(t, browserOf("third"), "openid-mei"); err != nil || !end.New {
		t.Fatalf("after untying: %+v, %v", end, err)
	}
	events, err := event.Of(ctx, w.db.Read(), "user", b.UserID)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, e := range events {
		types = append(types, e.Type)
		if strings.Contains(string(e.Facts), "openid") {
			t.Errorf("%s tells the open id", e.Type)
		}
	}
	if got := strings.Join(types, " "); got != "identity.registered identity.wechat_bound identity.wechat_signed_in identity.wechat_unbound" {
		t.Errorf("events %s", got)
	}
	var rows []string
	if err := w.db.Read().NewRaw("SELECT summary FROM audit_entries WHERE object = 'user' AND (action LIKE 'identity.wechat%' OR summary = '微信登录') ORDER BY id").Scan(ctx, &rows); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows, " "); got != "绑定微信 微信登录 解除微信绑定" {
		t.Errorf("audit rows %s", got)
	}
	for _, q := range []string{"SELECT open_id || blind FROM wechat_pending", "SELECT state || visitor FROM wechat_states"} {
		var kept []string
		if err := w.db.Read().NewRaw(q).Scan(ctx, &kept); err != nil || len(kept) == 0 {
			t.Fatalf("%s: %d rows, %v", q, len(kept), err)
		}
		for _, k := range kept {
			if strings.Contains(k, "openid-mei") || strings.Contains(k, "visitor-of") {
				t.Errorf("%s holds it in clear: %s", q, k)
			}
		}
	}
}

func TestSigningInBySMSBinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mei := w.registerIn(t, browserOf("desk"), "13800138101")
	if w.openIDOf(t, mei.UserID) != "" {
		t.Fatal("bound without WeChat")
	}
	phone := browserOf("phone")
	if _, err := w.open(t, phone, "openid-mei"); err != nil {
		t.Fatal(err)
	}
	if b := w.signInIn(t, phone, "13800138101"); b.Notice != "" || w.openIDOf(t, mei.UserID) != "openid-mei" {
		t.Fatalf("%+v", b)
	}
	// A second WeChat account does not take the place of the first, and does not keep her out.
	other := browserOf("other phone")
	if _, err := w.open(t, other, "openid-other"); err != nil {
		t.Fatal(err)
	}
	if b := w.signInIn(t, other, "13800138101"); !strings.Contains(b.Notice, "另一个微信") || w.openIDOf(t, mei.UserID) != "openid-mei" {
		t.Fatalf("%+v, %q", b, w.openIDOf(t, mei.UserID))
	}
	// What waited is gone: the next person in this browser does not get it.
	if wang := w.registerIn(t, other, "13800138102"); w.openIDOf(t, wang.UserID) != "" {
		t.Fatal("the open id waited on")
	}
}

func TestPendingOpenIDIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := browserOf("slow")
	if _, err := w.open(t, a, "openid-slow"); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(16 * time.Minute)
	if b := w.registerIn(t, a, "13800138103"); w.openIDOf(t, b.UserID) != "" {
		t.Fatal("bound after a quarter of an hour")
	}
	if _, err := w.open(t, a, "openid-slow"); err != nil {
		t.Fatal(err)
	}
	if b := w.registerIn(t, browserOf("somebody else"), "13800138104"); w.openIDOf(t, b.UserID) != "" {
		t.Fatal("bound in another browser")
	}
}

func TestWechatFaults(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	here := browserOf("here")
	good := func(openID string) (state, code string) {
		state = w.travel(t, here, "/m/")
		w.wechat.holds[state] = identity.WechatPerson{OpenID: openID}
		return state, state
	}
	cases := []struct {
		name string
		do   func() error
		want error
	}{
		{"code used or expired", func() error {
			_, err := w.ReturnFromWechat(ctx, here, "unknown", w.travel(t, here, "/m/"))
			return err
		}, identity.ErrWechatCode},
		{"no consent", func() error { _, err := w.ReturnFromWechat(ctx, here, "", w.travel(t, here, "/m/")); return err }, identity.ErrWechatDenied},
		{"state never given", func() error { _, err := w.ReturnFromWechat(ctx, here, "x", "nonsense"); return err }, identity.ErrWechatState},
		{"state of another browser", func() error {
			state, code := good("o")
			_, err := w.ReturnFromWechat(ctx, browserOf("there"), code, state)
			return err
		}, identity.ErrWechatState},
		{"no cookies at all", func() error {
			state, code := good("o")
			_, err := w.ReturnFromWechat(ctx, visitor, code, state)
			return err
		}, identity.ErrWechatState},
		{"state twice", func() error {
			state, code := good("o")
			if _, err := w.ReturnFromWechat(ctx, here, code, state); err != nil {
				return err
			}
			_, err := w.ReturnFromWechat(ctx, here, code, state)
			return err
		}, identity.ErrWechatUsed},
		{"state too old", func() error {
			state, code := good("o")
			w.clock.Advance(5 * time.Minute)
			_, err := w.ReturnFromWechat(ctx, here, code, state)
			return err
		}, identity.ErrWechatExpired},
		{"WeChat is down", func() error {
			state, code := good("o")
			w.wechat.fail = identity.ErrWechatDown
			defer func() { w.wechat.fail = nil }()
			_, err := w.ReturnFromWechat(ctx, here, code, state)
			return err
		}, identity.ErrWechatDown},
		{"snapshot visitor", func() error {
			state, code := good("o")
			w.wechat.holds[code] = identity.WechatPerson{OpenID: "o-snapshot", Snapshot: true}
			_, err := w.ReturnFromWechat(ctx, here, code, state)
			if b := w.registerIn(t, here, "13800138105"); w.openIDOf(t, b.UserID) == "o-snapshot" {
				t.Error("a snapshot visitor was bound")
			}
			return err
		}, identity.ErrWechatSnapshot},
	}
	for _, c := range cases {
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	asked := w.wechat.asked
	_, _ = w.ReturnFromWechat(ctx, here, "x", "nonsense")
	if w.wechat.asked != asked {
		t.Error("WeChat is asked about a state that is not ours")
	}
}

func TestWechatKeepsOut(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	a := browserOf("mei")
	if _, err := w.open(t, a, "openid-mei"); err != nil {
		t.Fatal(err)
	}
	mei := w.registerIn(t, a, "13800138106")
	if _, err := w.DisableUser(ctx, access.SystemActor("test"), identity.DisableUser{UserRef: identity.UserRef{ID: mei.UserID, Version: 1}, Reason: "企业注销"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.open(t, a, "openid-mei"); !errors.Is(err, identity.ErrWechatDisabled) {
		t.Fatalf("disabled: %v", err)
	}
	// Whoever has become staff signs in as staff do.
	if _, err := w.EnableUser(ctx, access.SystemActor("test"), identity.UserRef{ID: mei.UserID, Version: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Writer().ExecContext(ctx, "UPDATE users SET party = 'platform' WHERE id = ?", mei.UserID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.open(t, a, "openid-mei"); !errors.Is(err, identity.ErrStaffPassword) {
		t.Fatalf("staff: %v", err)
	}
	staff := access.Actor{UserID: mei.UserID, Party: access.Platform, Visitor: a.Visitor}
	if _, err := w.BindWechat(ctx, staff, "/m/"); !errors.Is(err, fault.ErrForbidden) {
		t.Fatalf("staff bind: %v", err)
	}
}

func TestBindingWhileSignedIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	person := func(name, phone string) access.Actor {
		b := w.registerIn(t, browserOf(name), phone)
		a, err := w.Authenticate(ctx, b.Token)
		if err != nil {
			t.Fatal(err)
		}
		a.Visitor = "visitor-of-" + name
		return a
	}
	mei, wang := person("mei", "13800138107"), person("wang", "13800138108")
	bind := func(a access.Actor, openID string) error {
		to, err := w.BindWechat(ctx, a, "/m/account")
		if err != nil {
			return err
		}
		state := stateOf(t, to)
		w.wechat.mu.Lock()
		w.wechat.holds[state] = identity.WechatPerson{OpenID: openID}
		w.wechat.mu.Unlock()
		end, err := w.ReturnFromWechat(ctx, a, state, state)
		if !end.Binding || end.Return != "/m/account" || end.Begun != nil {
			t.Errorf("%+v", end)
		}
		return err
	}
	if err := bind(mei, "openid-mei"); err != nil || w.openIDOf(t, mei.UserID) != "openid-mei" {
		t.Fatal(err)
	}
	if err := bind(mei, "openid-2"); !errors.Is(err, identity.ErrWechatHasOther) {
		t.Fatalf("a second one: %v", err)
	}
	if err := bind(wang, "openid-mei"); !errors.Is(err, identity.ErrWechatTaken) || w.openIDOf(t, wang.UserID) != "" {
		t.Fatalf("somebody else's: %v", err)
	}
	// Begun by one, ended by the other.
	to, err := w.BindWechat(ctx, wang, "/m/account")
	if err != nil {
		t.Fatal(err)
	}
	state := stateOf(t, to)
	w.wechat.holds[state] = identity.WechatPerson{OpenID: "openid-wang"}
	swapped := mei
	swapped.Visitor = wang.Visitor
	if _, err := w.ReturnFromWechat(ctx, swapped, state, state); !errors.Is(err, identity.ErrWechatState) || w.openIDOf(t, mei.UserID) != "openid-mei" {
		t.Fatalf("somebody else came back: %v", err)
	}
	// One open id, two people, at once: one of them gets it.
	zhao, qian := person("zhao", "13800138109"), person("qian", "13800138110")
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, a := range []access.Actor{zhao, qian} {
		wg.Add(1)
		go func() { defer wg.Done(); errs[i] = bind(a, "openid-one") }()
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("%v and %v", errs[0], errs[1])
	}
	for _, err := range errs {
		if err != nil && !errors.Is(err, identity.ErrWechatTaken) {
			t.Error(err)
		}
	}
}

func TestManyTabsOpenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := browserOf("tabs")
	if _, err := w.open(t, a, "openid-tabs"); err != nil {
		t.Fatal(err)
	}
	mei := w.registerIn(t, a, "13800138111")
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			end, err := w.open(t, a, "openid-tabs")
			if err != nil || end.Begun == nil || end.Begun.UserID != mei.UserID {
				t.Errorf("%+v, %v", end, err)
			}
		}()
	}
	wg.Wait()
}
