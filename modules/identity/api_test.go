package identity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

const visitorCookie = "__Host-huiqi-visitor"

// browser is a person's browser: it keeps cookies.
type browser struct {
	t       *testing.T
	edge    *web.Server
	cookies map[string]string
}

func (w *world) serve(t *testing.T) *web.Server {
	t.Helper()
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	edge, err := web.New(web.Options{Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Open: true, Version: "test", RequestsPerMinute: 100_000,
		Authenticate: w.Authenticate, ErrorPage: pages.Error})
	if err != nil {
		t.Fatal(err)
	}
	w.API(edge)
	if err := w.Pages(edge, pages); err != nil {
		t.Fatal(err)
	}
	return edge
}

func newBrowser(t *testing.T, edge *web.Server) *browser {
	return &browser{t, edge, map[string]string{}}
}

// as is a browser in which somebody is signed in.
func (b *browser) as(token string) *browser {
	b.cookies[web.SessionCookieName] = token
	return b
}

func (b *browser) do(method, path, body string) (status int, location, text string) {
	b.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50")
	if !strings.HasPrefix(path, "/api/") {
		req.Header.Set("Accept", "text/html")
	}
	var pairs []string
	for name, value := range b.cookies {
		pairs = append(pairs, name+"="+value)
	}
	req.Header.Set("Cookie", strings.Join(pairs, "; "))
	key := b.cookies[web.SessionCookieName]
	if key == "" {
		key = b.cookies[visitorCookie]
	}
	req.Header.Set("X-CSRF-Token", b.edge.Token(key))
	res, err := b.edge.App.Test(req, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		b.cookies[c.Name] = c.Value
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(raw)
}

// through sends the browser from our page through WeChat, where the phone holds openID, back to our callback.
func (b *browser) through(w *world, back, openID string) (int, string, string) {
	b.t.Helper()
	status, to, text := b.do("GET", "/wechat/authorize?return="+url.QueryEscape(back), "")
	if status != 302 || !strings.HasPrefix(to, "https://open.example/") {
		b.t.Fatalf("authorize: %d %s %s", status, to, text)
	}
	state := stateOf(b.t, to)
	w.wechat.holds[state] = identity.WechatPerson{OpenID: openID, Snapshot: openID == "snapshot"}
	return b.do("GET", "/wechat/callback?code="+state+"&state="+state, "")
}

func TestTheWayThroughWechat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	edge := w.serve(t)
	phone := newBrowser(t, edge)
	if _, _, text := phone.do("GET", "/api/session", ""); !strings.Contains(text, `"wechat":true`) {
		t.Fatalf("not offered: %s", text)
	}
	status, to, _ := phone.through(w, "/m/policy/3?tab=1", "openid-mei")
	if status != 302 || to != "/m/register?return=%2Fpolicy%2F3%3Ftab%3D1&wechat=new" {
		t.Fatalf("unknown: %d %s", status, to)
	}
	if status, to, _ = phone.through(w, "/m/login?return=%2Fmine", "openid-mei"); status != 302 || to != "/m/login?return=%2Fmine&wechat=new" {
		t.Fatalf("unknown, on the way to signing in: %d %s", status, to)
	}
	if err := w.send(t, "13800138300", identity.ForRegister); err != nil {
		t.Fatal(err)
	}
	status, _, text := phone.do("POST", "/api/registrations", fmt.Sprintf(`{"phone":"13800138300","code":%q,"companyName":"麦香烘焙","contactName":"李梅","consent":true}`, w.last("13800138300")))
	if status != 200 || strings.Contains(text, "notice") {
		t.Fatalf("%d %s", status, text)
	}
	if status, to, _ := phone.do("GET", "/wechat/authorize?return=/m/mine", ""); status != 302 || to != "/m/mine" {
		t.Fatalf("somebody who is in: %d %s", status, to)
	}
	again := newBrowser(t, edge)
	if status, to, _ = again.through(w, "/m/policy/3", "openid-mei"); status != 302 || to != "/m/policy/3" || again.cookies[web.SessionCookieName] == "" {
		t.Fatalf("known: %d %s", status, to)
	}
	if _, _, text := again.do("GET", "/api/account", ""); !strings.Contains(text, `"wechat":"bound"`) || !strings.Contains(text, "微信（安卓）") || strings.Contains(text, "openid") {
		t.Fatalf("%s", text)
	}
	// Nobody is sent elsewhere.
	for _, back := range []string{"https://evil.example/m/", "//evil.example/m/", "/m/\\evil", "/admin/", "/m/" + strings.Repeat("x", 600)} {
		if _, to, _ := again.do("GET", "/wechat/authorize?return="+url.QueryEscape(back), ""); to != "/m/" {
			t.Errorf("%s leads to %s", back, to)
		}
	}
	var out struct{ URL string }
	if _, _, text := again.do("POST", "/api/account/wechat/unbind", ""); text != "" {
		t.Fatalf("unbind: %s", text)
	}
	_, _, text = again.do("POST", "/api/account/wechat/bind", `{"return":"/m/account"}`)
	if err := json.Unmarshal([]byte(text), &out); err != nil || out.URL == "" {
		t.Fatalf("bind: %s", text)
	}
	state := stateOf(t, out.URL)
	w.wechat.holds[state] = identity.WechatPerson{OpenID: "openid-mei"}
	if status, to, _ = again.do("GET", "/wechat/callback?code="+state+"&state="+state, ""); status != 302 || to != "/m/account" {
		t.Fatalf("bound: %d %s", status, to)
	}
}

func TestPagesOfWechatFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	edge := w.serve(t)
	b := newBrowser(t, edge)
	depart := func() string {
		_, to, _ := b.do("GET", "/wechat/authorize?return=/m/mine", "")
		return stateOf(t, to)
	}
	for _, c := range []struct {
		name   string
		do     func() (int, string, string)
		status int
		has    string
	}{
		{"code", func() (int, string, string) { return b.do("GET", "/wechat/callback?code=used&state="+depart(), "") }, 409, "已用过或已失效"},
		{"another browser", func() (int, string, string) {
			return newBrowser(t, edge).do("GET", "/wechat/callback?code=x&state="+depart(), "")
		}, 409, "不是从当前的浏览器发起"},
		{"denied", func() (int, string, string) { return b.do("GET", "/wechat/callback?state="+depart(), "") }, 409, "没有同意微信授权"},
		{"snapshot", func() (int, string, string) { return b.through(w, "/m/mine", "snapshot") }, 409, "使用完整服务"},
		{"down", func() (int, string, string) {
			w.wechat.fail = identity.ErrWechatDown
			defer func() { w.wechat.fail = nil }()
			return b.do("GET", "/wechat/callback?code=x&state="+depart(), "")
		}, 503, "微信暂时没有应答"},
		{"too late", func() (int, string, string) {
			state := depart()
			w.clock.Advance(6 * time.Minute)
			return b.do("GET", "/wechat/callback?code=x&state="+state, "")
		}, 409, "时间过长"},
	} {
		status, _, text := c.do()
		if status != c.status || !strings.Contains(text, c.has) || !strings.Contains(text, "重新打开") || !strings.Contains(text, "用短信验证码登录") ||
			!strings.Contains(text, `href="/wechat/authorize?return=%2Fm%2F`) || !strings.Contains(text, `href="/m/login?return=%2F`) {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
	w.Wechat = nil
	if status, _, text := b.do("GET", "/wechat/authorize?return=/m/", ""); status != 404 || !strings.Contains(text, "没有开通微信登录") || strings.Contains(text, "重新打开") {
		t.Errorf("not offered: %d %s", status, text)
	}
	if _, _, text := b.do("GET", "/api/session", ""); !strings.Contains(text, `"wechat":false`) {
		t.Errorf("%s", text)
	}
}

func TestAdministrationOverHTTP(t *testing.T) {
	t.Parallel()
	w := newStaffed(t)
	edge := w.serve(t)
	for _, s := range []string{"sysadmin", "secadmin", "auditor"} {
		a := map[string]access.Actor{"sysadmin": w.system, "secadmin": w.roles, "auditor": w.auditors}[s]
		_, pw, err := w.ResetPassword(context.Background(), access.SystemActor("test"), identity.UserRef{ID: a.UserID, Version: 1})
		if err != nil {
			t.Fatal(err)
		}
		// Their own password from here on.
		token := tokenOf(t, w, s, pw, fmt.Sprintf("1390013910%d", map[string]int{"sysadmin": 0, "secadmin": 1, "auditor": 2}[s]))
		b := newBrowser(t, edge).as(token)
		if status, _, text := b.do("GET", "/api/users", ""); status != 403 {
			t.Fatalf("%s before the password is changed: %d %s", s, status, text)
		}
		if status, _, text := b.do("POST", "/api/account/password", fmt.Sprintf(`{"current":%q,"password":"Yunhe-2026-xin"}`, pw)); status != 204 {
			t.Fatalf("%s: %d %s", s, status, text)
		}
		b.do("DELETE", "/api/session", "")
	}
	people := map[string]*browser{"visitor": newBrowser(t, edge)}
	for i, s := range []string{"sysadmin", "secadmin", "auditor"} {
		people[s] = newBrowser(t, edge).as(tokenOf(t, w, s, "Yunhe-2026-xin", fmt.Sprintf("1390013910%d", i)))
	}
	owner := w.registerIn(t, browserOf("owner"), "13800138400")
	people["owner"] = newBrowser(t, edge).as(owner.Token)
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		has, lacks                    string
	}{
		{"visitor", "visitor", "GET", "/api/users", "", 401, "SIGN_IN_REQUIRED", ""},
		{"owner", "owner", "GET", "/api/users", "", 403, "FORBIDDEN", ""},
		{"auditor lists users", "auditor", "GET", "/api/users", "", 403, "FORBIDDEN", ""},
		{"list", "sysadmin", "GET", "/api/users?q=sec", "", 200, `"account":"secadmin"`, "13900139101"},
		{"by phone", "sysadmin", "GET", "/api/users?phone=8400", "", 200, `"phoneMasked":"138****8400"`, "secadmin"},
		{"bad state", "sysadmin", "GET", "/api/users?state=lost", "", 422, `"field":"state"`, ""},
		{"places", "sysadmin", "GET", "/api/user-places", "", 200, "通州区人民政府 / 城市管理委员会", ""},
		{"roles to choose", "sysadmin", "GET", "/api/roles", "", 200, "dept_handler", ""},
		{"create", "sysadmin", "POST", "/api/users", `{"name":"王芳","account":"wangfang","phone":"13900139500","party":"government","departmentId":2,"roles":["dept_handler"]}`, 200, `"password":"`, ""},
		{"create twice", "sysadmin", "POST", "/api/users", `{"name":"王芳","account":"wangfang","phone":"13900139501","party":"government","departmentId":2,"roles":["dept_handler"]}`, 409, `"field":"account"`, ""},
		{"detail", "sysadmin", "GET", "/api/users/5", "", 200, `"mustChange":true`, "password_hash"},
		{"missing", "sysadmin", "GET", "/api/users/999", "", 404, "NOT_FOUND", ""},
		{"edit", "sysadmin", "POST", "/api/users/5", `{"version":1,"name":"王芳芳","departmentId":1,"roles":["dept_leader"]}`, 200, "王芳芳", ""},
		{"stale", "sysadmin", "POST", "/api/users/5/disable", `{"version":1,"reason":"调离"}`, 409, "修改账号", ""},
		{"disable", "sysadmin", "POST", "/api/users/5/disable", `{"version":2,"reason":"调离"}`, 200, `"state":"disabled"`, ""},
		{"oneself", "sysadmin", "POST", "/api/users/1/disable", `{"version":3,"reason":"自己"}`, 409, "OWN_ACCOUNT", ""},
		{"role", "secadmin", "POST", "/api/roles", `{"name":"值班长","party":"platform","scope":"district","permissions":["ticket.view"]}`, 200, `"custom":true`, ""},
		{"role with two powers", "secadmin", "POST", "/api/roles", `{"name":"总管","party":"platform","scope":"district","permissions":["identity.users","audit.view"]}`, 422, `"field":"permissions"`, ""},
		{"edit role", "secadmin", "POST", "/api/roles/agent/permissions", `{"version":1,"permissions":["ticket.view"]}`, 200, `"version":2`, ""},
		{"edit role again", "secadmin", "POST", "/api/roles/agent/permissions", `{"version":1,"permissions":["ticket.close"]}`, 409, "热线坐席", ""},
		{"sysadmin edits roles", "sysadmin", "POST", "/api/roles/agent/permissions", `{"version":2,"permissions":[]}`, 403, "FORBIDDEN", ""},
		{"log", "auditor", "GET", "/api/audit-entries?object=role&limit=1", "", 200, "修改角色“热线坐席”的权限", ""},
		{"log since tomorrow", "auditor", "GET", "/api/audit-entries?from=2027-01-01T00:00:00Z", "", 200, `"items":[]`, ""},
		{"log at a bad time", "auditor", "GET", "/api/audit-entries?from=yesterday", "", 422, `"field":"from"`, ""},
		{"log for the owner", "owner", "GET", "/api/audit-entries", "", 403, "FORBIDDEN", ""},
		{"seals", "auditor", "GET", "/api/audit-seals", "", 200, `"sealed":0`, ""},
		{"account", "owner", "GET", "/api/account", "", 200, `"place":"麦香烘焙"`, ""},
		{"somebody's session", "owner", "POST", "/api/account/sessions/1/end", "", 404, "NOT_FOUND", ""},
		{"others end", "owner", "POST", "/api/account/end-other-sessions", "", 204, "", ""},
		{"account of nobody", "visitor", "GET", "/api/account", "", 401, "SIGN_IN_REQUIRED", ""},
	} {
		status, _, body := people[c.who].do(c.method, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.has) || (c.lacks != "" && strings.Contains(body, c.lacks)) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}
