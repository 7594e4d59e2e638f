package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/channel"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/seed/demo"
)

// handheld is the browser of one person: the session, and what it carries of the link it came by, in a cookie or, as pages in apps that keep
// none, in a header.
type handheld struct {
	t               *testing.T
	h               *house
	session         string
	cookie, carries string
}

// send sends a command, or reads without a body, and returns the status and the answer.
func (p *handheld) send(method, path, key string, body any) (int, []byte) {
	p.t.Helper()
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			p.t.Fatal(err)
		}
	}
	visitor := "0123456789abcdef0123456789abcdef"
	req := httptest.NewRequest(method, path, &sent)
	req.Header.Set("User-Agent", "Mozilla/5.0 (iPhone) MicroMessenger/8.0")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	cookies, guard := "__Host-huiqi-visitor="+visitor, visitor
	if p.session != "" {
		cookies, guard = cookies+"; "+web.SessionCookieName+"="+p.session, p.session
	}
	if p.cookie != "" {
		cookies += "; __Host-huiqi-channel=" + p.cookie
	}
	req.Header.Set("Cookie", cookies)
	req.Header.Set("X-CSRF-Token", p.h.web.Token(guard))
	if p.carries != "" {
		req.Header.Set("X-Huiqi-Channel", p.carries)
	}
	res, err := p.h.web.App.Test(req, -1)
	if err != nil {
		p.t.Fatal(err)
	}
	if token := carried(res); token != "" {
		p.cookie = token
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, b
}

// TestApplicationsCountForTheirChannel goes the whole way over HTTP: short links are opened, a company registers, companies apply, the bank
// accepts and grants; the statistics count each once for its channel, and what was undone no more.
func TestApplicationsCountForTheirChannel(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h, s := toldDemo(t)
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- h.feed.Run(running) }()
	t.Cleanup(func() { stop(); <-done })

	operator := must(s.as(ctx, h, "staff", "operator01"))(t)
	made := must(h.channels.Create(ctx, operator, channel.Create{Names: []string{"网点台卡", "园区海报", "无人问津"}, Fields: channel.Fields{Kind: "bank", Landing: "/products", On: true}}))(t)
	desk := &handheld{t: t, h: h, session: session(t, h, operator.UserID, s.at.Now())}
	numbers := func() map[string]channel.Numbers {
		t.Helper()
		status, b := desk.send("GET", "/api/channel-stats", "", nil)
		var st channel.Stats
		if err := json.Unmarshal(b, &st); status != 200 || err != nil {
			t.Fatal(status, string(b), err)
		}
		out := map[string]channel.Numbers{"": st.Total.Numbers}
		for _, l := range st.Lines {
			out[l.Name] = l.Numbers
		}
		return out
	}

	// Three companies: one scanned the card at the counter, one the poster in an app that keeps no cookies, one came by itself.
	type applied struct {
		*handheld
		view application.View
		told demo.Application
	}
	var cases []applied
	taken := map[string]bool{}
	for _, told := range s.world.Applications {
		if len(cases) == 3 || told.Amount == 0 || taken[told.Company] || taken[told.Owner] {
			continue
		}
		who := must(s.as(ctx, h, "owner", told.Owner))(t)
		product := must(s.id("product", told.Product))(t)
		form, err := h.applications.Form(ctx, who, product)
		if err != nil || !form.Verified || !form.Listed || !form.Product.Lends {
			continue
		}
		taken[told.Company], taken[told.Owner] = true, true
		p := &handheld{t: t, h: h}
		if n := len(cases); n < 2 { // she opens the link before she signs in
			if status, _ := p.send("GET", "/c/"+made[n].Code, "", nil); status != http.StatusFound || p.cookie == "" {
				t.Fatal(status)
			}
			if n == 1 {
				p.carries, p.cookie = p.cookie, ""
			}
		}
		p.session = session(t, h, who.UserID, s.at.Now())
		body := map[string]any{"productId": product, "amount": form.Product.AmountMin, "term": max(form.Product.TermMin, 1), "purpose": "采购原料", "source": "h5", "fields": map[string][]string{}}
		var v application.View
		for range 2 { // a double click
			status, b := p.send("POST", "/api/applications", "apply-"+told.Key, body)
			if status != 200 || json.Unmarshal(b, &v) != nil || v.ID == 0 {
				t.Fatal(status, string(b))
			}
		}
		cases = append(cases, applied{p, v, told})
	}
	if len(cases) != 3 {
		t.Fatalf("%d companies apply", len(cases))
	}
	got := numbers()
	for name, want := range map[string]channel.Numbers{"网点台卡": {Visits: 1, Visitors: 1, Applications: 1}, "园区海报": {Visits: 1, Visitors: 1, Applications: 1}, "无人问津": {}, "": {Visits: 2, Visitors: 2, Applications: 2}} {
		if got[name] != want {
			t.Errorf("%q: %+v, want %+v", name, got[name], want)
		}
	}

	// Where it came from stands beside the application, for the platform and nobody else.
	origin := func(p *handheld, id int64) (int, string) {
		status, b := p.send("GET", fmt.Sprintf("/api/channel-origins/applications/%d", id), "", nil)
		return status, string(b)
	}
	for n, want := range []string{made[0].Code, made[1].Code} {
		if status, b := origin(desk, cases[n].view.ID); status != 200 || !strings.Contains(b, `"code":"`+want+`"`) || !strings.Contains(b, `"how":"link"`) {
			t.Errorf("%d: %d %s", n, status, b)
		}
	}
	if status, b := origin(desk, cases[2].view.ID); status != 200 || !strings.Contains(b, `"items":[]`) {
		t.Errorf("it came by itself: %d %s", status, b)
	}
	first := cases[0]
	staff := must(h.identity.Colleagues(ctx, h.db.Read(), first.view.InstitutionID, application.PermHandle))(t)
	bank := &handheld{t: t, h: h, session: session(t, h, staff[0].ID, s.at.Now())}
	for name, p := range map[string]*handheld{"the bank": bank, "the company": first.handheld} {
		if status, b := origin(p, first.view.ID); status != 403 || strings.Contains(b, made[0].Code) {
			t.Errorf("%s reads the channel: %d %s", name, status, b)
		}
	}

	// What came of it counts too, and no more when the step was taken back.
	v := first.view
	step := func(action string, body map[string]any) {
		t.Helper()
		body["version"] = v.Version
		status, b := bank.send("POST", fmt.Sprintf("/api/applications/%d/%s", v.ID, action), action, body)
		if status != 200 || json.Unmarshal(b, &v) != nil {
			t.Fatal(action, status, string(b))
		}
	}
	step("accept", map[string]any{"note": ""})
	step("diligence", map[string]any{"day": s.at.Now().Format("2006-01-02"), "way": "documents", "people": "钱丽", "findings": "账目与申报一致，经营正常"})
	step("approve", map[string]any{"amount": v.Amount, "rate": 385, "term": v.Term})
	eventually(t, "the grant is counted", func() bool { n := numbers(); return n["网点台卡"].Approved == 1 && n[""].Approved == 1 })
	step("undo", map[string]any{"reason": "填错了利率"})
	eventually(t, "the grant is counted no more", func() bool { return numbers()["网点台卡"].Approved == 0 })

	// Somebody new scans the poster and registers.
	p := &handheld{t: t, h: h}
	p.send("GET", "/c/"+made[1].Code, "", nil)
	code := mustCode(t, h, "13612341001", access.Actor{Party: access.Anonymous, IP: "203.0.113.8"}, identity.ForRegister)
	if status, b := p.send("POST", "/api/registrations", "", map[string]any{"phone": "13612341001", "code": code, "companyName": "通州区海报面点有限公司", "contactName": "李", "consent": true}); status != 200 {
		t.Fatal(status, string(b))
	}
	if n := numbers()["园区海报"]; n != (channel.Numbers{Visits: 2, Visitors: 2, Registrations: 1, Applications: 1}) {
		t.Errorf("after the registration: %+v", n)
	}
}
