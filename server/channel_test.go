package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/channel"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
)

// linked is a browser that opens short links and carries what it was given.
type linked struct {
	t *testing.T
	h *house
}

func (l linked) open(method, path, cookie, body string) (*http.Response, string) {
	l.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	visitor := "0123456789abcdef0123456789abcdef"
	req.Header.Set("Cookie", "__Host-huiqi-visitor="+visitor+"; "+cookie)
	req.Header.Set("User-Agent", "Mozilla/5.0 (iPhone) MicroMessenger/8.0")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-CSRF-Token", l.h.web.Token(visitor))
	res, err := l.h.web.App.Test(req, -1)
	if err != nil {
		l.t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	return res, string(b)
}

func carried(res *http.Response) string {
	for _, c := range res.Cookies() {
		if c.Name == "__Host-huiqi-channel" {
			return c.Value
		}
	}
	return ""
}

// TestShortLinkToStatistics opens a channel's link, registers with what the browser carries, and reads the statistics.
func TestShortLinkToStatistics(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	l := linked{t, h}
	operator := access.Actor{UserID: 1, Name: "运营", Party: access.Platform, Scope: access.ScopeDistrict, Permissions: []access.Permission{channel.PermManage, channel.PermView}}
	made, err := h.channels.Create(ctx, operator, channel.Create{Names: []string{"手机端海报", "门户海报"}, Fields: channel.Fields{Kind: "poster", Landing: "/m/register", On: true}})
	if err != nil {
		t.Fatal(err)
	}
	desk, err := h.channels.Update(ctx, operator, channel.Update{ID: made[1].ID, Version: 1, Name: "门户海报", Fields: channel.Fields{Kind: "poster", Landing: "/policies", On: true}})
	if err != nil {
		t.Fatal(err)
	}
	res, _ := l.open("GET", "/c/"+strings.ToLower(made[0].Code), "", "")
	token := carried(res)
	if res.StatusCode != 302 || token == "" || res.Header.Get("Location") != "/m/register?c="+made[0].Code+"&v="+token || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatal(res.StatusCode, res.Header)
	}
	if set := strings.Join(res.Header["Set-Cookie"], "\n"); !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "Secure") || !strings.Contains(set, "SameSite=Lax") || !strings.Contains(set, "Max-Age=2592000") {
		t.Fatal(set)
	}
	// A browser that never was here gets both cookies, each on a line of its own.
	fresh := httptest.NewRequest("GET", "/c/"+made[0].Code, nil)
	fresh.Header.Set("User-Agent", "Mozilla/5.0 (iPhone)")
	if res, err := h.web.App.Test(fresh, -1); err != nil || carried(res) == "" || len(res.Cookies()) != 2 {
		t.Fatal(res.Header["Set-Cookie"], err)
	}
	// The page in WeChat has lost the cookie, but knows the code: nobody is counted twice.
	if res, body := l.open("POST", "/api/channel-visits", "", `{"code":"`+made[0].Code+`","token":"`+token+`"}`); res.StatusCode != 200 || carried(res) == "" || !strings.Contains(body, `"token":"`) {
		t.Fatal(res.StatusCode, body)
	}
	if res, body := l.open("POST", "/api/channel-visits", "", `{"code":"NOSUCH"}`); res.StatusCode != 200 || res.Header.Get("Set-Cookie") != "" || !strings.Contains(body, `"landing":"/"`) {
		t.Fatal(res.StatusCode, res.Header, body)
	}
	res, _ = l.open("GET", "/c/"+desk.Code, "__Host-huiqi-channel="+token, "")
	token = carried(res)
	if res.Header.Get("Location") != "/policies" {
		t.Fatal(res.Header)
	}
	for _, wrong := range []string{"/c/NOSUCH", "/c/evil.example", "/c/" + made[0].Code + "x"} {
		if res, _ := l.open("GET", wrong, "", ""); res.StatusCode != 302 || res.Header.Get("Location") != "/" || carried(res) != "" {
			t.Errorf("%s: %d %v", wrong, res.StatusCode, res.Header)
		}
	}
	req := httptest.NewRequest("GET", "/c/"+desk.Code, nil)
	req.Header.Set("User-Agent", "Mozilla/5.0")
	req.Header.Set("Sec-Purpose", "prefetch;prerender")
	if res, err := h.web.App.Test(req, -1); err != nil || carried(res) != "" {
		t.Errorf("a page fetched in advance is a visit: %v", err)
	}

	mustRegister(t, h, "13612340994", access.Actor{Party: access.Anonymous, IP: "203.0.113.7", Arrival: token})
	st, err := h.channels.Stats(ctx, operator, channel.Query{})
	if err != nil || st.Total.Numbers != (channel.Numbers{Visits: 3, Visitors: 2, Registrations: 1}) {
		t.Fatalf("%+v %v", st.Total, err)
	}
	for _, line := range st.Lines {
		if line.Code == desk.Code && line.Registrations != 1 {
			t.Errorf("the last link: %+v", line)
		}
	}
	// A visitor learns nothing of the channels.
	for _, path := range []string{"/api/channels", "/api/channel-stats", "/api/channel-rule", "/api/channel-options", "/api/channels/1/qr.png", "/api/channels/1/qr.svg", "/api/channel-pictures?ids=1", "/api/channel-origins/applications/1"} {
		if res, body := l.open("GET", path, "", ""); res.StatusCode != 401 {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	var problem struct {
		Code string `json:"code"`
	}
	if _, body := l.open("POST", "/api/channel-visits", "", `{"code":"`+strings.Repeat("A", 30)+`"}`); json.Unmarshal([]byte(body), &problem) != nil || problem.Code == "" {
		t.Error(body)
	}
}

// mustRegister registers a company's owner as owner does, by who asks.
func mustRegister(t *testing.T, h *house, phone string, visitor access.Actor) identity.Begun {
	t.Helper()
	ctx := context.Background()
	code := mustCode(t, h, phone, visitor, identity.ForRegister)
	b, err := h.identity.Register(ctx, visitor, identity.Register{Phone: phone, Code: code, CompanyName: "通州区渠道面点有限公司", ContactName: "李", Consent: true})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
