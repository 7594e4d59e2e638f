package wechat_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"

	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/integrations/wechat"
	"github.com/huiqi/huiqi/platform/clock"
)

const aesKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

// keeper is a Cache whose clock is the test's.
type keeper struct {
	mu     sync.Mutex
	values map[string]string
}

func (k *keeper) Get(_ context.Context, key string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.values[key], nil
}

func (k *keeper) Set(_ context.Context, key, value string, _ time.Duration) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.values[key] = value
	return nil
}

type world struct {
	box     *sandbox.Server
	base    string
	clock   *clock.Fake
	cache   *keeper
	client  *wechat.Client
	product *product
}

// product stands for our server: it takes callbacks.
type product struct {
	mu     sync.Mutex
	client *wechat.Client
	events []wechat.Event
	raw    []url.Values
	bodies [][]byte
}

func (p *product) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	event, err := p.client.Receive(r.URL.Query(), body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	p.events, p.raw, p.bodies = append(p.events, event), append(p.raw, r.URL.Query()), append(p.bodies, body)
	_, _ = io.WriteString(w, "success")
}

func mustWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: clock.NewFake(time.Now()), cache: &keeper{values: map[string]string{}}, product: &product{}}
	ours := httptest.NewServer(w.product)
	var err error
	w.box, err = sandbox.New(sandbox.Options{
		DataDir: t.TempDir(), Clock: w.clock, CallbackURL: ours.URL + "/api/wechat/events",
		Secrets: sandbox.Secrets{WechatAppID: "wxapp", WechatSecret: "topsecret", WechatToken: "token", WechatAESKey: aesKey},
		WechatTemplates: map[string]sandbox.WechatTemplate{
			"T1": {Title: "受理通知", Fields: []sandbox.TemplateField{{Key: "thing1", Label: "事项"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(w.box.Handler())
	t.Cleanup(func() { web.Close(); ours.Close(); _ = w.box.Close() })
	w.base = web.URL
	w.client = w.mustClient(t, "topsecret")
	w.product.client = w.client
	return w
}

func (w *world) mustClient(t *testing.T, secret string) *wechat.Client {
	t.Helper()
	c, err := wechat.New(wechat.Config{
		AppID: "wxapp", AppSecret: secret, Token: "token", EncodingAESKey: aesKey, Timeout: time.Second, Cache: w.cache, Clock: w.clock,
		APIBase: w.base + "/sandbox/wechat", OpenBase: w.base + "/sandbox/wechat", MPBase: w.base + "/sandbox/wechat",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) mustPost(t *testing.T, path string, body any) map[string]any {
	t.Helper()
	raw, _ := json.Marshal(body)
	res, err := http.Post(w.base+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer := map[string]any{}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s: status %d, %v", path, res.StatusCode, err)
	}
	return answer
}

func (w *world) mustPhone(t *testing.T, phone, openID string) {
	t.Helper()
	w.mustPost(t, "/sandbox/api/phones", map[string]any{"phone": phone, "nickname": "王老板", "openid": openID})
}

func (w *world) mustMessages(t *testing.T, phone string) []sandbox.WechatMessage {
	t.Helper()
	res, err := http.Get(w.base + "/sandbox/api/phones/" + phone)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var p struct{ Wechat []sandbox.WechatMessage }
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	return p.Wechat
}

// mustCode signs a browser in as phone and returns the code the product would get.
func (w *world) mustCode(t *testing.T, phone string) string {
	t.Helper()
	address, err := w.client.AuthorizeURL(w.base+"/api/wechat/callback", "state123", wechat.Base)
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for range 2 {
		res, err := browser.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusSeeOther {
			to, _ := url.Parse(res.Header.Get("Location"))
			if to.Path != "/api/wechat/callback" || to.Query().Get("state") != "state123" {
				t.Fatalf("sent to %s", to)
			}
			return to.Query().Get("code")
		}
		// Nobody was picked yet: pick, as the person does, and come again, which must need no page.
		res, err = browser.PostForm(address, url.Values{"phone": {phone}})
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	t.Fatal("no code")
	return ""
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var refused *wechat.Refused
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
	if err != nil && strings.Contains(err.Error(), "topsecret") {
		t.Errorf("%s: the error shows the secret", what)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	w.mustPhone(t, "13800000001", "oWang")
	code := w.mustCode(t, "13800000001")
	id, err := w.client.Exchange(t.Context(), code)
	if err != nil || id.OpenID != "oWang" || id.Snapshot {
		t.Fatalf("%+v, %v", id, err)
	}
	_, err = w.client.Exchange(t.Context(), code)
	wantCode(t, "second use", err, wechat.CodeCodeUsed)
	_, err = w.client.Exchange(t.Context(), "nonsense")
	wantCode(t, "unknown code", err, wechat.CodeInvalidCode)
	late := w.mustCode(t, "13800000001")
	_, err = w.mustClient(t, "wrong").Exchange(t.Context(), late)
	wantCode(t, "wrong secret", err, "40125")
	w.clock.Advance(5*time.Minute + time.Second)
	_, err = w.client.Exchange(t.Context(), late)
	wantCode(t, "late", err, wechat.CodeInvalidCode)

	w.mustPost(t, "/sandbox/api/phones", map[string]any{"phone": "13800000002", "openid": "oPreview", "unionid": "u1", "snapshot": true})
	if id, err = w.client.Exchange(t.Context(), w.mustCode(t, "13800000002")); err != nil || !id.Snapshot || id.UnionID != "u1" {
		t.Errorf("preview visitor: %+v, %v", id, err)
	}
}

func TestAuthorizePageRefusesForeignRedirect(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	address, err := w.client.AuthorizeURL("https://evil.example/", "s", wechat.Base)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "10003") {
		t.Errorf("status %d", res.StatusCode)
	}
	if _, err := w.client.AuthorizeURL(w.base, "a b", wechat.Base); err == nil {
		t.Error("a state with a blank was taken")
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	w.mustPhone(t, "13800000001", "oWang")
	m := wechat.TemplateMessage{ID: "n-1", OpenID: "oWang", TemplateID: "T1", URL: w.base + "/m/cases/1", Data: map[string]string{"thing1": strings.Repeat("面", 30) + "\n第二行"}}
	first, err := w.client.SendTemplate(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.client.SendTemplate(t.Context(), m)
	if err != nil || again != first {
		t.Errorf("a repeat got %d, %v, want %d", again, err, first)
	}
	got := w.mustMessages(t, "13800000001")
	if len(got) != 1 || got[0].Title != "受理通知" || got[0].Lines[0].Label != "事项" || len([]rune(got[0].Lines[0].Value)) != 20 {
		t.Errorf("messages: %+v", got)
	}
	_, err = w.client.SendTemplate(t.Context(), wechat.TemplateMessage{OpenID: "oNobody", TemplateID: "T1"})
	wantCode(t, "unknown person", err, "40003")
	_, err = w.client.SendTemplate(t.Context(), wechat.TemplateMessage{OpenID: "oWang", TemplateID: "T9"})
	wantCode(t, "unknown template", err, "40037")
	w.mustPost(t, "/sandbox/api/wechat/callbacks", map[string]any{"phone": "13800000001", "event": "unsubscribe"})
	_, err = w.client.SendTemplate(t.Context(), wechat.TemplateMessage{OpenID: "oWang", TemplateID: "T1", Data: m.Data})
	wantCode(t, "not a follower", err, wechat.CodeNotSubscribed)
}

// TestVoidTokenIsReplacedOnce covers a token that another process made void and one that ended.
func TestVoidTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	w.mustPhone(t, "13800000001", "oWang")
	w.cache.values["wechat:token:wxapp"] = "not-a-token"
	send := func(id string) error {
		_, err := w.client.SendTemplate(t.Context(), wechat.TemplateMessage{ID: id, OpenID: "oWang", TemplateID: "T1", Data: map[string]string{"thing1": "x"}})
		return err
	}
	if err := send("a"); err != nil {
		t.Fatalf("invalid token: %v", err)
	}
	w.clock.Advance(3 * time.Hour)
	if err := send("b"); err != nil {
		t.Fatalf("expired token: %v", err)
	}
	if n := len(w.mustMessages(t, "13800000001")); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}

func TestSendFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode sandbox.Mode
		kept int
		code string
	}{
		{sandbox.Lost, 1, ""}, {sandbox.Reset, 0, ""}, {sandbox.Garbage, 0, ""}, {sandbox.Slow, 0, ""}, {sandbox.Fail, 0, "-1"}, {sandbox.Refuse, 0, "43004"},
	} {
		t.Run(string(tc.mode), func(t *testing.T) {
			t.Parallel()
			w := mustWorld(t)
			w.mustPhone(t, "13800000001", "oWang")
			w.mustPost(t, "/sandbox/api/faults", sandbox.Fault{Target: "wechat", Mode: tc.mode, Count: 1})
			_, err := w.client.SendTemplate(t.Context(), wechat.TemplateMessage{ID: "x", OpenID: "oWang", TemplateID: "T1", Data: map[string]string{"thing1": "x"}})
			if tc.code != "" {
				wantCode(t, "fault", err, tc.code)
			} else if !errors.Is(err, wechat.ErrUnknown) {
				t.Errorf("got %v, want unknown", err)
			}
			if err != nil && w.cache.values["wechat:token:wxapp"] != "" && strings.Contains(err.Error(), w.cache.values["wechat:token:wxapp"]) {
				t.Error("the error shows the token")
			}
			if n := len(w.mustMessages(t, "13800000001")); n != tc.kept {
				t.Errorf("%d messages, want %d", n, tc.kept)
			}
		})
	}
}

func TestSignJS(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	got, err := w.client.SignJS(t.Context(), "https://huiqi.example/m/?a=1#part")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum([]byte("jsapi_ticket=" + w.cache.values["wechat:ticket:wxapp"] + "&noncestr=" + got.Nonce + "&timestamp=" + strconv.FormatInt(got.Timestamp, 10) + "&url=https://huiqi.example/m/?a=1"))
	if got.AppID != "wxapp" || got.Signature != hex.EncodeToString(sum[:]) {
		t.Errorf("%+v", got)
	}
}

func TestScanReachesProduct(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	w.mustPhone(t, "13800000001", "oWang")
	code, err := w.client.CreateQRCode(t.Context(), "login-abc", 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(code.ImageURL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.Header.Get("Content-Type") != "image/png" {
		t.Errorf("picture: %s", res.Header.Get("Content-Type"))
	}
	for _, event := range []string{"SCAN", "unsubscribe", "subscribe"} {
		w.mustPost(t, "/sandbox/api/wechat/callbacks", map[string]any{"phone": "13800000001", "event": event, "ticket": code.Ticket})
	}
	w.mustPost(t, "/sandbox/api/wechat/callbacks", map[string]any{"phone": "13800000001", "event": "text", "content": "你好 <b>&", "repeat": 3})
	events := w.product.events
	if len(events) != 6 || events[0].Kind != wechat.Scan || events[0].Scene != "login-abc" || events[2].Kind != wechat.Subscribe || events[2].Scene != "login-abc" || events[0].OpenID != "oWang" {
		t.Fatalf("%+v", events)
	}
	if events[3].Kind != wechat.Text || events[3].Content != "你好 <b>&" || events[3].Key != events[5].Key || events[3].Key == events[0].Key {
		t.Errorf("text: %+v", events[3:])
	}
}

func TestBadCallbacks(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	w.mustPhone(t, "13800000001", "oWang")
	w.mustPost(t, "/sandbox/api/wechat/callbacks", map[string]any{"phone": "13800000001", "event": "text", "content": "hi"})
	good, body := w.product.raw[0], w.product.bodies[0]
	with := func(key, value string) url.Values {
		q := url.Values{}
		for k, v := range good {
			q[k] = v
		}
		q.Set(key, value)
		return q
	}
	signed := func(plain string) (url.Values, []byte) {
		secret, err := util.EncryptMsg(make([]byte, 16), []byte(plain), "wxapp", aesKey)
		if err != nil {
			t.Fatal(err)
		}
		return with("msg_signature", util.Signature("token", good.Get("timestamp"), good.Get("nonce"), string(secret))), []byte("<xml><Encrypt>" + string(secret) + "</Encrypt></xml>")
	}
	dtdQuery, dtdBody := signed(`<!DOCTYPE x [<!ENTITY e "boom">]><xml><FromUserName>o</FromUserName><MsgType>text</MsgType><Content>&e;</Content></xml>`)
	otherKey, err := wechat.New(wechat.Config{AppID: "wxapp", AppSecret: "s", Token: "token", EncodingAESKey: strings.Repeat("x", 43), Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		client *wechat.Client
		q      url.Values
		body   []byte
		want   error
	}{
		{"wrong signature", w.client, with("signature", "0000"), body, wechat.ErrBadSignature},
		{"changed nonce", w.client, with("nonce", "1"), body, wechat.ErrBadSignature},
		{"wrong message signature", w.client, with("msg_signature", "0000"), body, wechat.ErrBadSignature},
		{"wrong key", otherKey, good, body, wechat.ErrBadMessage},
		{"in clear", w.client, with("encrypt_type", "raw"), []byte("<xml><FromUserName>o</FromUserName></xml>"), wechat.ErrBadMessage},
		{"document type outside", w.client, good, append([]byte("<!DOCTYPE xml>"), body...), wechat.ErrBadMessage},
		{"document type inside", w.client, dtdQuery, dtdBody, wechat.ErrBadMessage},
		{"not XML", w.client, good, []byte("{}"), wechat.ErrBadMessage},
	} {
		if _, err := tc.client.Receive(tc.q, tc.body); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
	w.clock.Advance(10 * time.Minute)
	if _, err := w.client.Receive(good, body); !errors.Is(err, wechat.ErrStale) {
		t.Errorf("ten minutes old: %v", err)
	}
	ts := strconv.FormatInt(w.clock.Now().Unix(), 10)
	check := url.Values{"timestamp": {ts}, "nonce": {"n"}, "echostr": {"hello"}, "signature": {util.Signature("token", ts, "n")}}
	if echo, err := w.client.VerifyURL(check); err != nil || echo != "hello" {
		t.Errorf("address check: %q, %v", echo, err)
	}
}
