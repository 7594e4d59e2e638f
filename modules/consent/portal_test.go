package consent_test

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/modules/consent"
	"github.com/huiqi/huiqi/platform/access"
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
	member := owner(1)
	member.UserID++
	people := map[string]access.Actor{"owner": owner(1), "member": member, "clerk": clerk, "writer": writer, "publisher": publisher}
	edge, err := web.New(web.Options{
		Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Open: true, Version: "test", RequestsPerMinute: 100_000,
		Authenticate: func(_ context.Context, token string) (access.Actor, error) {
			a, ok := people[token]
			if !ok {
				return access.Actor{}, fault.ErrUnauthorized
			}
			return a, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	consent.Register(edge.API, f.Service)
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	if err := f.Pages(edge, pages); err != nil {
		t.Fatal(err)
	}
	return browser{t, edge, f}
}

func (b browser) do(who, method, path, kind, body string) (int, string, string) {
	b.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Cookie", web.SessionCookieName+"="+who)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
		if kind == "application/json" {
			_, _, token := b.do(who, "GET", "/csrf", "", "")
			req.Header.Set("X-CSRF-Token", token)
		}
	}
	res, err := b.edge.App.Test(req, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(text)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// form sends the last form of a page with what a person types into it.
func (b browser) form(who, from, to string, typed url.Values) (int, string, string) {
	b.t.Helper()
	status, _, body := b.do(who, "GET", from, "", "")
	if status != 200 {
		b.t.Fatal(from, status, body)
	}
	for _, m := range hidden.FindAllStringSubmatch(body[strings.LastIndex(body, `action="`+to):], -1) {
		typed.Set(m[1], m[2])
	}
	return b.do(who, "POST", to, "application/x-www-form-urlencoded", typed.Encode())
}

func TestCompanyAgreesAndRevokesWithoutScript(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	v := b.mustPublish(t, draft(consent.Portrait, false, 0, "basic"))
	if _, _, body := b.do("owner", "GET", "/company/consents", "", ""); !strings.Contains(body, "未授权") || !strings.Contains(body, "还没有查阅记录") || !strings.Contains(body, "授权书未发布") {
		t.Fatal(body)
	}
	at := "/company/consents/portrait"
	if _, _, body := b.do("owner", "GET", at, "", ""); !strings.Contains(body, v.Digest) || !strings.Contains(body, "本企业同意平台在上述范围内使用本企业的数据") {
		t.Fatal(body)
	}
	if status, _, body := b.form("owner", at, at+"/give", url.Values{}); status != 422 || !strings.Contains(body, "请阅读授权书后勾选同意") {
		t.Fatal(status, body)
	}
	if _, _, body := b.do("member", "GET", at, "", ""); strings.Contains(body, at+"/give") || !strings.Contains(body, "请联系本企业负责人办理") {
		t.Fatal(body)
	}
	if status, to, body := b.form("owner", at, at+"/give", url.Values{"agree": {"1"}}); status != 303 || to != "/company/consents?done=given" {
		t.Fatal(status, to, body)
	}
	if err := b.Check(context.Background(), clerk, 1, consent.Portrait, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, body := b.do("owner", "GET", "/company/consents", "", ""); !strings.Contains(body, "区经信局") || !strings.Contains(body, "企业授权") || strings.Contains(body, "10.1.1.1") {
		t.Fatal(body)
	}
	if _, _, body := b.do("owner", "GET", at+"/revoke", "", ""); !strings.Contains(body, "确认撤回") || !strings.Contains(body, "法定职责范围内的查阅除外") {
		t.Fatal(body)
	}
	if status, to, body := b.form("owner", at+"/revoke", at+"/revoke", url.Values{"reason": {"不再需要"}}); status != 303 || to != "/company/consents?done=revoked" {
		t.Fatal(status, to, body)
	}
	if _, _, body := b.do("owner", "GET", "/company/consents", "", ""); !strings.Contains(body, "已撤回授权") || !strings.Contains(body, "不再需要") {
		t.Fatal(body)
	}
	if err := b.Check(context.Background(), clerk, 1, consent.Portrait, ""); err == nil {
		t.Fatal("read after revoking")
	}
	if status, _, _ := b.do("owner", "GET", "/company/consents/nonsense", "", ""); status != 404 {
		t.Fatal(status)
	}
}

func TestInterfaceOfConsents(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	v := b.mustPublish(t, draft(consent.Portrait, false, 0, "basic"))
	give := `{"textId":` + strconv.FormatInt(v.ID, 10) + `,"digest":"` + v.Digest + `"}`
	body := `{"purpose":"policy_push","title":"政策主动推送授权书","body":"本企业同意平台主动推送适合的政策，可以随时撤回。","groups":["basic"],"days":30}`
	for _, c := range []struct {
		who, method, path, body string
		status                  int
		has                     string
	}{
		{"clerk", "GET", "/api/my/consents", "", 403, ""},
		{"owner", "GET", "/api/my/consents", "", 200, `"open":1`},
		{"member", "POST", "/api/my/consents/portrait/give", give, 403, "OWNER_ONLY"},
		{"owner", "POST", "/api/my/consents/portrait/give", give, 200, `"channel":"手机端"`},
		{"owner", "POST", "/api/my/consents/portrait/give", give, 409, "CONSENT_GRANTED"},
		{"owner", "POST", "/api/my/consents/portrait/revoke", `{"grantId":99}`, 409, "CONSENT_ENDED"},
		{"owner", "GET", "/api/my/consent-accesses", "", 200, `"items":[]`},
		{"owner", "GET", "/api/consents?purpose=portrait", "", 403, ""},
		{"clerk", "GET", "/api/consents?purpose=portrait", "", 200, `"enterpriseName":"企业1"`},
		{"clerk", "GET", "/api/enterprises/1/consents", "", 200, `"holds":true`},
		{"clerk", "GET", "/api/enterprises/1/accesses", "", 200, `"items":[]`},
		{"clerk", "POST", "/api/consent-texts", body, 403, ""},
		{"writer", "POST", "/api/consent-texts", body, 200, `"canPublish":false`},
		{"publisher", "POST", "/api/consent-texts/2/publish", `{"version":1}`, 200, `"no":1`},
		{"publisher", "POST", "/api/consent-texts/2/publish", `{"version":2}`, 409, "CONSENT_PUBLISHED"},
		{"writer", "POST", "/api/consent-texts/2/discard", `{"version":2}`, 409, "CONSENT_PUBLISHED"},
		{"writer", "GET", "/api/consent-texts", "", 200, `"inForce":true`},
		{"writer", "GET", "/api/consent-words", "", 200, `"政策主动推送"`},
		{"publisher", "POST", "/api/consent-bases/duty", `{"name":"履行法定职责","law":"数据安全法第三十八条","roles":["operator"],"purposes":["portrait"],"groups":["nothing"],"active":true}`, 422, "数据范围"},
		{"publisher", "POST", "/api/consent-bases/duty", `{"name":"履行法定职责","law":"数据安全法第三十八条","roles":["operator"],"purposes":["portrait"],"groups":["basic"],"active":true}`, 200, `"version":1`},
		{"clerk", "GET", "/api/consent-bases", "", 200, `"履行法定职责"`},
		{"clerk", "GET", "/api/consent-offers?purpose=portrait", "", 200, `"items":[]`},
	} {
		kind := ""
		if c.method == "POST" {
			kind = "application/json"
		}
		status, _, got := b.do(c.who, c.method, c.path, kind, c.body)
		if status != c.status || !strings.Contains(got, c.has) {
			t.Errorf("%s %s %s: %d, want %d: %s", c.who, c.method, c.path, status, c.status, got)
		}
	}
}
