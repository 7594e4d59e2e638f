package sandbox_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/partners/webhook"
	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/integrations/sms"
)

const partnerSecret = "whsec_c2FuZGJveC1wYXJ0bmVyLXNlY3JldC0wMDAx"

// mustStart opens the sandbox in dir and returns its address and a function that stops it.
func mustStart(t *testing.T, dir string) (string, func()) {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{
		DataDir:   dir,
		Companies: []registry.Company{{Name: "〔演示〕麦香面包房", CreditCode: "91990000MA0000001X", LegalPerson: "王丽", Status: "存续", RegisteredCapital: 50_000_000}},
		Secrets:   sandbox.Secrets{SMSKeyID: "k", SMSKeySecret: "s", WechatAppID: "wx", WechatSecret: "s", PartnerSecret: partnerSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(box.Handler())
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			web.Close()
			_ = box.Close()
		}
	}
	t.Cleanup(stop)
	return web.URL, stop
}

func mustGet(t *testing.T, address string) (int, string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func post(t *testing.T, address string, body any) int {
	t.Helper()
	raw, _ := json.Marshal(body)
	res, err := http.Post(address, "application/json", bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func mustSend(t *testing.T, base, phone string) {
	t.Helper()
	c, err := sms.New(sms.Config{AccessKeyID: "k", AccessKeySecret: "s", SignName: "惠企台", Scheme: "http", Endpoint: strings.TrimPrefix(base, "http://") + "/sandbox/sms"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), sms.Message{ID: "o-1", Phone: phone, Template: "SMS_1", Params: map[string]string{"code": "246810"}}); err != nil {
		t.Fatal(err)
	}
}

func mustPush(t *testing.T, base, id, subject string, sequence int64) {
	t.Helper()
	body, err := webhook.Envelope{ID: id, Source: "/t", Type: "cn.huiqi.ticket.closed", Subject: subject, Time: time.Now(), Sequence: sequence}.JSON()
	if err != nil {
		t.Fatal(err)
	}
	e := webhook.Endpoint{URL: base + "/sandbox/partner/city/events", Secret: partnerSecret, AllowHosts: []string{strings.TrimPrefix(base, "http://")}}
	if _, err := (&webhook.Client{}).Push(t.Context(), e, webhook.Delivery{ID: id, Timestamp: time.Now(), Body: body}); err != nil {
		t.Fatal(err)
	}
}

func TestEverythingSurvivesRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	base, stop := mustStart(t, dir)
	mustSend(t, base, "13800000001")
	mustPush(t, base, "e-1", "GD-1", 1)
	if got := post(t, base+"/sandbox/api/faults", sandbox.Fault{Target: "registry", Mode: sandbox.Fail, Count: 3}); got != 200 {
		t.Fatalf("fault: %d", got)
	}
	if got := post(t, base+"/sandbox/api/registry/companies", registry.Company{Name: "新公司", CreditCode: "91990000MA0000002Y", LegalPerson: "李雷"}); got != 201 {
		t.Fatalf("company: %d", got)
	}
	stop()
	base, _ = mustStart(t, dir)
	for path, want := range map[string]string{
		"/sandbox/api/phones/13800000001":              "246810",
		"/sandbox/api/partner/deliveries?partner=city": `"id":"e-1"`,
		"/sandbox/api/faults":                          `{"target":"registry","mode":"fail","count":3,"delayMs":0}`,
		"/sandbox/api/registry/companies":              "新公司",
	} {
		if status, body := mustGet(t, base+path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if got := post(t, base+"/sandbox/api/reset", nil); got != 200 {
		t.Fatalf("reset: %d", got)
	}
	if _, body := mustGet(t, base+"/sandbox/api/phones/13800000001"); strings.Contains(body, "246810") {
		t.Error("reset kept a message")
	}
	if _, body := mustGet(t, base+"/sandbox/api/registry/companies"); !strings.Contains(body, "新公司") {
		t.Error("reset forgot a company")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	base, _ := mustStart(t, t.TempDir())
	mustSend(t, base, "13800000001")
	mustPush(t, base, "e-1", "GD-1", 1)
	mustPush(t, base, "e-1", "GD-1", 1)
	mustPush(t, base, "e-3", "GD-1", 3)
	mustPush(t, base, "e-2", "GD-1", 2)
	for _, tc := range []struct {
		path   string
		status int
		want   string
	}{
		{"/sandbox/", 200, "沙箱首页"},
		{"/sandbox/phone", 200, "手机尾号 0001"},
		{"/sandbox/phone/13800000001", 200, "您的验证码是 246810"},
		{"/sandbox/phone/13800000001?tab=wechat", 200, "还没有微信消息"},
		{"/sandbox/phone/13900000000", 404, "没有这部手机"},
		{"/sandbox/mailbox", 200, "还没有邮件"},
		{"/sandbox/registry?q=" + url.QueryEscape("麦香"), 200, "50 万元"},
		{"/sandbox/registry?q=%3Cscript%3E", 200, "&lt;script&gt;"},
		{"/sandbox/partner", 200, "重复 1 次"},
		{"/sandbox/partner?subject=GD-1", 200, "顺序不对"},
		{"/sandbox/nowhere", 404, "没有这个页面"},
		{"/sandbox/assets/sandbox.css", 200, ".device"},
	} {
		status, body := mustGet(t, base+tc.path)
		if status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s: %d, lacks %q", tc.path, status, tc.want)
		}
		if strings.HasPrefix(tc.path, "/sandbox/assets") {
			continue
		}
		if !strings.Contains(body, "演示环境") {
			t.Errorf("%s: no banner", tc.path)
		}
	}
}

func TestOpenInWechatStaysOnSite(t *testing.T) {
	t.Parallel()
	base, _ := mustStart(t, t.TempDir())
	mustSend(t, base, "13800000001")
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for to, want := range map[string]string{
		"":                     "/m/?wechat=sandbox",
		"/m/cases/1?a=1":       "/m/cases/1?a=1&wechat=sandbox",
		base + "/m/cases/2":    "/m/cases/2?wechat=sandbox",
		"/tickets":             "/tickets",
		"https://evil.example": "/sandbox/",
		"//evil.example/":      "/sandbox/",
		"/\\evil.example":      "/sandbox/",
	} {
		res, err := browser.Get(base + "/sandbox/phone/13800000001/open?to=" + url.QueryEscape(to))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.Header.Get("Location"); got != want {
			t.Errorf("to %q: sent to %q, want %q", to, got, want)
		}
	}
	at, _ := url.Parse(base + "/sandbox/wechat/")
	if cookies := jar.Cookies(at); len(cookies) != 1 || cookies[0].Value != "13800000001" {
		t.Errorf("cookies %v", cookies)
	}
}

func TestAPIRefusesNonsense(t *testing.T) {
	t.Parallel()
	base, _ := mustStart(t, t.TempDir())
	for _, tc := range []struct {
		path string
		body any
		want int
	}{
		{"/sandbox/api/faults", sandbox.Fault{Target: "moon", Mode: sandbox.Fail}, 422},
		{"/sandbox/api/faults", sandbox.Fault{Target: "sms", Mode: "sulk"}, 422},
		{"/sandbox/api/faults", []int{1}, 400},
		{"/sandbox/api/phones", map[string]string{"phone": "123"}, 422},
		{"/sandbox/api/registry/companies", map[string]string{"name": "x"}, 422},
		{"/sandbox/api/wechat/callbacks", map[string]string{"phone": "13800000009", "event": "text"}, 422},
	} {
		if got := post(t, base+tc.path, tc.body); got != tc.want {
			t.Errorf("%s %v: %d, want %d", tc.path, tc.body, got, tc.want)
		}
	}
}

// TestSMSReplay sends one signed request of the provider's protocol twice.
func TestSMSReplay(t *testing.T) {
	t.Parallel()
	base, _ := mustStart(t, t.TempDir())
	var signed string
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.URL.RawQuery
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(spy.Close)
	c, err := sms.New(sms.Config{AccessKeyID: "k", AccessKeySecret: "s", SignName: "惠企台", Scheme: "http", Endpoint: strings.TrimPrefix(spy.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), sms.Message{ID: "o", Phone: "13800000001", Template: "T", Params: map[string]string{"a": "b~*+ 中"}}); err == nil {
		t.Fatal("the spy answered no error")
	}
	send := func(query string) string {
		res, err := http.Post(base+"/sandbox/sms/?"+query, "application/x-www-form-urlencoded", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var answer struct{ Code string }
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return answer.Code
	}
	if got := send(strings.Replace(signed, "13800000001", "13800000002", 1)); got != "SignatureDoesNotMatch" {
		t.Errorf("changed: %s", got)
	}
	if got := send(signed); got != "OK" {
		t.Errorf("first: %s", got)
	}
	if got := send(signed); got != "SignatureNonceUsed" {
		t.Errorf("replay: %s", got)
	}
}
