package enterprise_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

type browser struct {
	t    *testing.T
	edge *web.Server
	fixture
}

func mustServe(t *testing.T) browser {
	t.Helper()
	f := mustNew(t)
	people := map[string]access.Actor{
		"baker": f.mustOpen(t, 7, "麦香"), "rival": f.mustOpen(t, 8, "别家"), "desk": reviewer(50),
		"viewer": {UserID: 51, Name: "赵强", Party: access.Government, Scope: access.ScopeDistrict, Permissions: []access.Permission{enterprise.PermView}},
	}
	edge, err := web.New(web.Options{
		Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Open: true, Version: "test", RequestsPerMinute: 100_000,
		Authenticate: func(_ context.Context, token string) (access.Actor, error) {
			a, ok := people[token]
			if !ok {
				return access.Actor{}, fault.ErrUnauthorized
			}
			if to := f.people.companyOf(a.UserID); to != 0 {
				a.EnterpriseID = to
			}
			return a, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	enterprise.Register(edge.API, f.Service)
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: clock.NewFake(start)})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	if err := f.Pages(edge, pages); err != nil {
		t.Fatal(err)
	}
	return browser{t, edge, f}
}

func (b browser) raw(who, method, path, kind, csrf string, body io.Reader, key string) (int, string, string) {
	b.t.Helper()
	req := httptest.NewRequest(method, path, body)
	req.Header.Set("Cookie", web.SessionCookieName+"="+who)
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-CSRF-Token", csrf)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := b.edge.App.Test(req, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(text)
}

func (b browser) csrf(who string) string {
	_, _, token := b.raw(who, "GET", "/csrf", "", "", nil, "")
	return token
}

func (b browser) do(who, method, path, body string) (int, string) {
	b.t.Helper()
	key := fmt.Sprintf("%x", md5.Sum([]byte(path+body)))
	status, _, text := b.raw(who, method, path, "application/json", b.csrf(who), strings.NewReader(body), key)
	return status, text
}

// form posts a page's form, with a file for each of files by its input.
func (b browser) form(who, path string, values, files map[string]string) (int, string, string) {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("_csrf", b.csrf(who))
	for k, v := range values {
		_ = w.WriteField(k, v)
	}
	for k, content := range files {
		p, err := w.CreateFormFile(k, "营业执照.png")
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = io.WriteString(p, content)
	}
	_ = w.Close()
	return b.raw(who, "POST", path, w.FormDataContentType(), "", &body, "")
}

func TestOverHTTP(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	good := fmt.Sprintf(`{"name":"麦香烘焙(北京)有限公司","creditCode":%q,"legalPerson":"王丽"}`, theCode)
	licence := strings.Replace(good, "}", `,"fileIds":[801]}`, 1)
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		has, lacks                    string
	}{
		{"visitor", "nobody", "GET", "/api/my/enterprise", "", 401, "SIGN_IN_REQUIRED", ""},
		{"staff", "desk", "GET", "/api/my/enterprise", "", 403, "FORBIDDEN", ""},
		{"mine", "baker", "GET", "/api/my/enterprise", "", 200, `"verification":"unverified"`, "别家"},
		{"wrong code", "baker", "POST", "/api/my/enterprise/verifications", strings.Replace(good, theCode, "123", 1), 422, `"field":"creditCode"`, ""},
		{"wrong person", "baker", "POST", "/api/my/enterprise/verifications", strings.Replace(good, "王丽", "李雷", 1), 200, `"outcome":"person_differs"`, "王丽"},
		{"a foreign attempt", "rival", "GET", "/api/my/enterprise/verifications/1", "", 404, "NOT_FOUND", theCode},
		{"a missing attempt", "rival", "GET", "/api/my/enterprise/verifications/999", "", 404, "NOT_FOUND", ""},
		{"verified", "baker", "POST", "/api/my/enterprise/verifications", good, 200, `"outcome":"verified"`, ""},
		{"verified twice", "baker", "POST", "/api/my/enterprise/verifications", good, 200, `"outcome":"verified"`, ""},
		{"facts", "baker", "POST", "/api/my/enterprise/facts", `{"employees":"14"}`, 200, "14 人", ""},
		{"no facts", "baker", "POST", "/api/my/enterprise/facts", `{"employees":"x"}`, 422, `"field":"employees"`, ""},
		{"industries", "baker", "GET", "/api/industries?q=%E7%B3%95%E7%82%B9", "", 200, `"code":"1411"`, "6210"},
		{"industries for visitors", "nobody", "GET", "/api/industries?q=14", "", 401, "", ""},
		{"held", "rival", "POST", "/api/my/enterprise/verifications", good, 200, `"outcome":"held"`, ""},
		{"her requests", "rival", "GET", "/api/my/joins", "", 200, `"state":"open"`, ""},
		{"members", "baker", "GET", "/api/my/enterprise/members", "", 200, `"canDecide":true`, "13800130008"},
		{"the requester admits herself", "rival", "POST", "/api/my/joins/1/admit", `{"version":1}`, 403, "", ""},
		{"the office before the owner", "desk", "POST", "/api/enterprise-joins/1/admit", `{"version":1}`, 403, "", ""},
		{"refuse", "baker", "POST", "/api/my/joins/1/refuse", `{"version":1,"reason":"不认识"}`, 200, `"state":"refused"`, ""},
		{"stale", "baker", "POST", "/api/my/joins/1/admit", `{"version":1}`, 409, "未同意", ""},
		{"dispute", "rival", "POST", "/api/my/joins/1/dispute", `{"version":2,"note":"我是法定代表人"}`, 200, `"state":"disputed"`, ""},
		{"disputes for viewers", "viewer", "GET", "/api/enterprise-joins", "", 403, "", ""},
		{"disputes", "desk", "GET", "/api/enterprise-joins", "", 200, `"id":1`, ""},
		{"admit", "desk", "POST", "/api/enterprise-joins/1/admit", `{"version":3}`, 200, `"state":"admitted"`, ""},
		{"now acts for it", "rival", "GET", "/api/my/enterprises", "", 200, `"current":true`, `"name":"别家"`},
		{"switch to a foreign one", "baker", "POST", "/api/my/enterprises/2/switch", "", 404, "NOT_FOUND", ""},
		{"switch back", "rival", "POST", "/api/my/enterprises/2/switch", "", 204, "", ""},
		{"licence", "rival", "POST", "/api/my/enterprise/reviews", strings.Replace(licence, theCode, demoCode(5), 1), 200, `"outcome":"waiting"`, ""},
		{"queue for viewers", "viewer", "GET", "/api/enterprise-reviews", "", 403, "", ""},
		{"queue", "desk", "GET", "/api/enterprise-reviews", "", 200, `"outcome":"waiting"`, ""},
		{"reasons", "desk", "GET", "/api/enterprise-return-reasons", "", 200, "unclear", ""},
		{"return without a reason", "desk", "POST", "/api/enterprise-reviews/4/return", `{"version":1,"code":""}`, 422, `"field":"code"`, ""},
		{"return a question to the registry", "desk", "POST", "/api/enterprise-reviews/1/return", `{"version":2,"code":"unclear"}`, 404, "", ""},
		{"return", "desk", "POST", "/api/enterprise-reviews/4/return", `{"version":1,"code":"unclear"}`, 200, `"verification":"returned"`, ""},
		{"approve late", "desk", "POST", "/api/enterprise-reviews/4/approve", `{"version":1}`, 409, "李敏", ""},
		{"list", "viewer", "GET", "/api/enterprises?q=%E7%83%98%E7%84%99", "", 200, theCode, "别家"},
		{"list by code", "viewer", "GET", "/api/enterprises?q=9199", "", 200, theCode, "别家"},
		{"list by state", "viewer", "GET", "/api/enterprises?verification=returned", "", 200, "别家", theCode},
		{"no such state", "viewer", "GET", "/api/enterprises?verification=lost", "", 422, `"field":"verification"`, ""},
		{"list for owners", "baker", "GET", "/api/enterprises", "", 403, "", ""},
		{"detail", "viewer", "GET", "/api/enterprises/1", "", 200, `"138****0007"`, "13800130007"},
		{"missing detail", "viewer", "GET", "/api/enterprises/999", "", 404, "NOT_FOUND", ""},
	} {
		status, body := b.do(c.who, c.method, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.has) || (c.lacks != "" && strings.Contains(body, c.lacks)) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}

func TestListsAreNeverNull(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	for path, names := range map[string][]string{
		"/api/my/enterprise": {"facts", "statedFields", "myJoins"}, "/api/my/enterprise/members": {"items", "requests"}, "/api/my/joins": {"items"},
	} {
		_, body := b.do("baker", "GET", path, "")
		var v map[string]any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if _, ok := v[n].([]any); !ok {
				t.Errorf("%s: %s is %v", path, n, v[n])
			}
		}
	}
}

var keyField = regexp.MustCompile(`action="/company/verify"[^§]*?name="key" value="([^"]+)"`)

func TestTheCompanysPage(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	show := func(who string) string {
		status, _, html := b.raw(who, "GET", "/company", "", "", nil, "")
		if status != 200 {
			t.Fatalf("%s: %d %s", who, status, html)
		}
		return html
	}
	html := show("baker")
	key := keyField.FindStringSubmatch(html)
	if key == nil || !strings.Contains(html, "未认证") || !strings.Contains(html, "还没有企业信息") {
		t.Fatalf("%s", html)
	}
	values := map[string]string{"key": key[1], "action": "verify", "name": "<script>alert(1)</script>𠮷", "creditCode": "123", "legalPerson": "王丽"}
	status, _, html := b.form("baker", "/company/verify", values, nil)
	if status != 422 || !strings.Contains(html, "应为 18 位") || strings.Contains(html, "<script>alert") || !strings.Contains(html, `value="`+key[1]+`"`) {
		t.Fatalf("a wrong code: %d %s", status, html)
	}
	values["name"], values["creditCode"], values["legalPerson"] = claim().Name, theCode, "李雷"
	if status, to, html := b.form("baker", "/company/verify", values, nil); status != 303 || to != "/company?done=sent" {
		t.Fatalf("sent: %d %s %s", status, to, html)
	}
	html = show("baker")
	if !strings.Contains(html, "法定代表人与登记信息不一致") || !strings.Contains(html, "与登记的法定代表人不一致") || !strings.Contains(html, `value="李雷"`) {
		t.Errorf("the outcome: %s", html)
	}
	key = keyField.FindStringSubmatch(html)
	values["key"], values["action"] = key[1], "review"
	if status, _, html := b.form("baker", "/company/verify", values, nil); status != 422 || !strings.Contains(html, "请上传营业执照") {
		t.Errorf("review without a licence: %d %s", status, html)
	}
	if status, _, html := b.form("baker", "/company/verify", values, map[string]string{"licence": "MZ program"}); status != 422 || !strings.Contains(html, "文件内容与扩展名不符") {
		t.Errorf("a program for a licence: %d %s", status, html)
	}
	for range 2 {
		if status, to, html := b.form("baker", "/company/verify", values, map[string]string{"licence": "PNG picture"}); status != 303 || to != "/company?done=sent" {
			t.Fatalf("licence: %d %s %s", status, to, html)
		}
	}
	html = show("baker")
	if !strings.Contains(html, "认证审核中") || !strings.Contains(html, "营业执照.png") || strings.Contains(html, "提交核验") {
		t.Errorf("pending: %s", html)
	}
	if status, to, html := b.form("baker", "/company/facts", map[string]string{"employees": "14", "industry": "糕点、面包制造"}, nil); status != 303 || to != "/company?done=stated" {
		t.Errorf("facts: %d %s %s", status, to, html)
	}
	if html := show("baker"); !strings.Contains(html, "14 人") || !strings.Contains(html, "来源：企业填报") || !strings.Contains(html, "微型") {
		t.Errorf("after stating: %s", html)
	}
	if status, _, html := b.form("baker", "/company/facts", map[string]string{"employees": "很多"}, nil); status != 422 || !strings.Contains(html, "从业人员应为整数") || !strings.Contains(html, `value="很多"`) {
		t.Errorf("wrong facts: %d %s", status, html)
	}
	for _, who := range []string{"desk", "nobody"} {
		if status, _, html := b.raw(who, "GET", "/company", "", "", nil, ""); status < 300 || strings.Contains(html, "麦香") {
			t.Errorf("%s: %d", who, status)
		}
	}
}

func TestFetchingOnThePage(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	down := func(err error) {
		b.register.mu.Lock()
		b.register.err = err
		b.register.mu.Unlock()
	}
	down(enterprise.ErrUnavailable)
	if status, _, html := b.form("baker", "/company/registry", map[string]string{"key": "k"}, nil); status < 400 {
		t.Errorf("before verification: %d %s", status, html)
	}
	values := map[string]string{"key": "k", "action": "review", "name": claim().Name, "creditCode": theCode, "legalPerson": "王丽"}
	b.form("baker", "/company/verify", values, map[string]string{"licence": "PNG picture"})
	if status, body := b.do("desk", "POST", "/api/enterprise-reviews/1/approve", `{"version":1}`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	show := func(path string) string {
		_, _, html := b.raw("baker", "GET", path, "", "", nil, "")
		return html
	}
	html := show("/company")
	if !strings.Contains(html, "登记信息尚未取得") || !strings.Contains(html, "获取登记信息</button>") || strings.Contains(html, "自动带入登记信息") {
		t.Errorf("%s", html)
	}
	if status, to, html := b.form("baker", "/company/registry", map[string]string{"key": "k1"}, nil); status != 303 || to != "/company?done=fetched" {
		t.Fatalf("%d %s %s", status, to, html)
	}
	if html := show("/company?done=fetched"); !strings.Contains(html, "登记系统暂时没有答复") || strings.Contains(html, "已取得登记信息") {
		t.Errorf("%s", html)
	}
	if status, body := b.do("rival", "POST", "/api/my/enterprise/registry", ""); status != 409 || !strings.Contains(body, "ENTERPRISE_UNVERIFIED") {
		t.Errorf("rival: %d %s", status, body)
	}
	if status, body := b.do("desk", "POST", "/api/my/enterprise/registry", ""); status != 403 {
		t.Errorf("desk: %d %s", status, body)
	}
	down(nil)
	if status, body := b.do("baker", "POST", "/api/my/enterprise/registry", ""); status != 200 || !strings.Contains(body, `"outcome":"verified"`) {
		t.Errorf("%d %s", status, body)
	}
	if html := show("/company?done=fetched"); !strings.Contains(html, "已取得登记信息") || !strings.Contains(html, "2019年5月6日") || strings.Contains(html, "登记信息尚未取得") {
		t.Errorf("%s", html)
	}
}

func TestJoiningOnThePage(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	b.form("baker", "/company/verify", map[string]string{"action": "verify", "name": claim().Name, "creditCode": theCode, "legalPerson": "王丽"}, nil)
	b.form("rival", "/company/verify", map[string]string{"action": "verify", "name": claim().Name, "creditCode": theCode, "legalPerson": "王丽"}, nil)
	_, _, html := b.raw("rival", "GET", "/company", "", "", nil, "")
	if !strings.Contains(html, "等待企业负责人处理") || !strings.Contains(html, "麦香烘焙（北京）有限公司") {
		t.Fatalf("%s", html)
	}
	_, _, html = b.raw("baker", "GET", "/company", "", "", nil, "")
	if !strings.Contains(html, "待处理的加入申请") || !strings.Contains(html, "138****0008") || strings.Contains(html, "13800130008") {
		t.Fatalf("%s", html)
	}
	if status, to, html := b.form("baker", "/company/joins/1/admit", map[string]string{"version": "1"}, nil); status != 303 || to != "/company?done=decided" {
		t.Fatalf("%d %s %s", status, to, html)
	}
	_, _, html = b.raw("rival", "GET", "/company", "", "", nil, "")
	if !strings.Contains(html, "麦香烘焙（北京）有限公司") || !strings.Contains(html, "成员") || strings.Contains(html, "提交核验") {
		t.Errorf("%s", html)
	}
	if status, _, _ := b.form("rival", "/company/switch", map[string]string{"id": "2"}, nil); status != 303 {
		t.Errorf("switch: %d", status)
	}
	if status, _, _ := b.form("baker", "/company/switch", map[string]string{"id": "2"}, nil); status != 404 {
		t.Errorf("switch to a foreign company: %d", status)
	}
}

func TestEveryOperationDeclaresWhoMay(t *testing.T) {
	t.Parallel()
	n := 0
	for _, r := range mustServe(t).edge.Routes() {
		if strings.HasPrefix(r.Path, "/api/") || strings.HasPrefix(r.Path, "/company") {
			n++
			if !r.Rule.Declared() || r.Rule.Kind == "public" {
				t.Errorf("%s %s: %+v", r.Method, r.Path, r.Rule)
			}
		}
	}
	if n < 30 { // fewer: the test looks at nothing
		t.Errorf("%d routes", n)
	}
}
