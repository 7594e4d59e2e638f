package exchange_test

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

type caller struct {
	fixture
	edge *web.Server
}

func mustServe(t *testing.T) caller {
	t.Helper()
	f := mustNew(t)
	people := map[string]access.Actor{"manager": manager, "viewer": viewer, "stranger": stranger}
	edge, err := web.New(web.Options{
		Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Version: "test", RequestsPerMinute: 100_000,
		Authenticate: func(_ context.Context, token string) (access.Actor, error) {
			a, ok := people[token]
			if !ok {
				return access.Actor{}, fault.ErrUnauthorized
			}
			return a, nil
		},
		AuthenticateKey: f.Authenticate, Called: f.Called,
	})
	if err != nil {
		t.Fatal(err)
	}
	exchange.Register(edge.API, f.Service)
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	return caller{f, edge}
}

// send calls as a person with a session and, when key is not "", with a partner's key.
func (c caller) send(who, key, method, path, body string) (int, string, string) {
	c.t.Helper()
	one := func(method, path, body, csrf string) (int, string, string) {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-CSRF-Token", csrf)
		req.Header.Set("Idempotency-Key", fmt.Sprintf("%x", md5.Sum([]byte(path+body))))
		if key != "" {
			req.Header.Set("Authorization", key)
		}
		res, err := c.edge.App.Test(req, -1)
		if err != nil {
			c.t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err != nil {
			c.t.Fatal(err)
		}
		return res.StatusCode, string(text), res.Header.Get("Content-Type")
	}
	_, csrf, _ := one("GET", "/csrf", "", "")
	return one(method, path, body, csrf)
}

func TestBackOfficeOverHTTP(t *testing.T) {
	t.Parallel()
	c := mustServe(t)
	const good = `"name":"市级热线平台","url":"https://city.example/events","events":["thing.opened"],"fields":["thing.title"]`
	for _, s := range []struct {
		name, who, method, path, body string
		status                        int
		has, lacks                    string
	}{
		{"visitor", "nobody", "GET", "/api/exchange/partners", "", 401, "SIGN_IN_REQUIRED", ""},
		{"company", "stranger", "GET", "/api/exchange/partners", "", 403, "FORBIDDEN", ""},
		{"topics", "viewer", "GET", "/api/exchange/topics", "", 200, `"standard":["thing.title"]`, ""},
		{"nobody yet", "viewer", "GET", "/api/exchange/partners", "", 200, `"items":[]`, "null"},
		{"create without the right", "viewer", "POST", "/api/exchange/partners", `{"code":"city",` + good + `}`, 403, "FORBIDDEN", ""},
		{"bad address", "manager", "POST", "/api/exchange/partners", `{"code":"city","name":"市级","url":"http://city.example/"}`, 422, `"field":"url"`, ""},
		{"create", "manager", "POST", "/api/exchange/partners", `{"code":"city",` + good + `}`, 200, `"secret":"whsec_`, ""},
		{"create twice", "manager", "POST", "/api/exchange/partners", `{"code":"city",` + good + `}`, 200, `"id":1,`, "whsec_"},
		{"list", "viewer", "GET", "/api/exchange/partners?state=active", "", 200, "市级热线平台", "whsec_"},
		{"no such state", "viewer", "GET", "/api/exchange/partners?state=lost", "", 422, `"field":"state"`, ""},
		{"stale", "manager", "PUT", "/api/exchange/partners/1", `{"version":9,` + good + `}`, 409, "周敏", ""},
		{"update", "manager", "PUT", "/api/exchange/partners/1", `{"version":1,"showNames":true,` + good + `}`, 200, `"showNames":true`, "whsec_"},
		{"missing", "viewer", "GET", "/api/exchange/partners/99", "", 404, "NOT_FOUND", ""},
		{"new secret", "manager", "POST", "/api/exchange/partners/1/secret", `{"version":2}`, 200, `"secret":"whsec_`, ""},
		{"pause", "manager", "POST", "/api/exchange/partners/1/pause", `{"version":3}`, 200, `"state":"paused"`, ""},
		{"resume", "manager", "POST", "/api/exchange/partners/1/resume", `{"version":4}`, 200, `"state":"active"`, ""},
		{"resume again", "manager", "POST", "/api/exchange/partners/1/resume", `{"version":5}`, 409, "正在推送", ""},
		{"key without the right", "viewer", "POST", "/api/exchange/partners/1/keys", `{"name":"生产"}`, 403, "FORBIDDEN", ""},
		{"key with an odd scope", "manager", "POST", "/api/exchange/partners/1/keys", `{"name":"生产","scopes":["ticket.view"]}`, 422, `"field":"scopes"`, ""},
		{"key", "manager", "POST", "/api/exchange/partners/1/keys", `{"name":"生产","scopes":["open.events"]}`, 200, `"plain":"hqk_`, ""},
		{"keys", "viewer", "GET", "/api/exchange/partners/1/keys", "", 200, "生产", "plain"},
		{"revoke", "manager", "POST", "/api/exchange/keys/1/revoke", ``, 200, `"revokedBy":"周敏"`, ""},
		{"calls", "viewer", "GET", "/api/exchange/partners/1/calls", "", 200, `"items":[]`, ""},
		{"no deliveries", "viewer", "GET", "/api/exchange/deliveries?partner=1", "", 200, `"items":[]`, ""},
		{"no such delivery", "viewer", "GET", "/api/exchange/deliveries/5", "", 404, "NOT_FOUND", ""},
		{"skip nothing", "manager", "POST", "/api/exchange/deliveries/5/skip", `{"reason":"测试"}`, 404, "NOT_FOUND", ""},
		{"replay without the right", "viewer", "POST", "/api/exchange/deliveries/5/replay", `{"reason":"测试"}`, 403, "FORBIDDEN", ""},
	} {
		status, body, _ := c.send(s.who, "", s.method, s.path, s.body)
		if status != s.status || !strings.Contains(body, s.has) || (s.lacks != "" && strings.Contains(body, s.lacks)) {
			t.Errorf("%s: %d %s", s.name, status, body)
		}
	}
}

func TestOpenOverHTTP(t *testing.T) {
	t.Parallel()
	c := mustServe(t)
	p := c.mustCreate("city")
	c.happen(fact{Kind: "opened", ID: 1, Title: "路灯不亮"}, fact{Kind: "closed", ID: 1, Title: "路灯不亮"})
	key, bare := c.mustKey(p.ID, exchange.ScopeEvents), c.mustKey(p.ID)
	for _, s := range []struct {
		name, who, key, path string
		status               int
		has                  string
	}{
		{"no key", "nobody", "", "/open/v1/ping", 401, "Authorization"},
		{"no key on nothing", "nobody", "", "/open/v1/nothing", 401, "API_KEY_MISSING"},
		{"a person's session is no key", "manager", "", "/open/v1/ping", 401, "API_KEY_MISSING"},
		{"another sort of key", "nobody", "Basic " + key.Plain, "/open/v1/ping", 401, "API_KEY_MISSING"},
		{"an invented key", "nobody", "Bearer hqk_invented", "/open/v1/ping", 401, "API_KEY"},
		{"ping", "nobody", "Bearer " + key.Plain, "/open/v1/ping", 200, `"partner":"city"`},
		{"a key without the scope", "nobody", "Bearer " + bare.Plain, "/open/v1/events", 403, "FORBIDDEN"},
		{"first page", "nobody", "Bearer " + key.Plain, "/open/v1/events?limit=1", 200, `"next":"1","more":true`},
		{"a bad place", "nobody", "Bearer " + key.Plain, "/open/v1/events?after=x", 422, `"field":"after"`},
		{"no such path", "nobody", "Bearer " + key.Plain, "/open/v1/nothing", 404, "NOT_FOUND"},
		{"a key in the back office", "nobody", "Bearer " + key.Plain, "/api/exchange/partners", 401, "SIGN_IN_REQUIRED"},
	} {
		status, body, kind := c.send(s.who, s.key, "GET", s.path, "")
		if status != s.status || !strings.Contains(body, s.has) {
			t.Errorf("%s: %d %s", s.name, status, body)
		}
		if status >= 400 && kind != "application/problem+json" {
			t.Errorf("%s: answered as %s", s.name, kind)
		}
	}
	_, body, _ := c.send("nobody", "Bearer "+key.Plain, "GET", "/open/v1/events?after=1", "")
	var page struct {
		Items []json.RawMessage
		Next  string
		More  bool
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Items) != 1 || page.More || page.Next != "2" {
		t.Fatalf("%s, %v", body, err)
	}
	v, err := c.Delivery(context.Background(), viewer, 2)
	if err != nil || v.Body != string(page.Items[0]) {
		t.Errorf("pulled %s, pushed %s, %v", page.Items[0], v.Body, err)
	}
	calls, _, err := c.Calls(context.Background(), viewer, p.ID, "", 50)
	if err != nil || len(calls) != 6 {
		t.Fatalf("%d calls are noted, %v", len(calls), err)
	}
	if calls[1].Status != 404 || calls[2].Status != 422 || calls[4].Status != 403 || calls[5].Path != "/open/v1/ping" {
		t.Errorf("%+v", calls)
	}
	if _, err := c.Revoke(context.Background(), manager, exchange.KeyRef{ID: key.ID}); err != nil {
		t.Fatal(err)
	}
	if status, body, _ := c.send("nobody", "Bearer "+key.Plain, "GET", "/open/v1/ping", ""); status != 401 || !strings.Contains(body, "已吊销") {
		t.Errorf("with a revoked key: %d %s", status, body)
	}
}

func TestEveryOperationDeclaresWhoMay(t *testing.T) {
	t.Parallel()
	n := 0
	for _, r := range mustServe(t).edge.Routes() {
		switch {
		case strings.HasPrefix(r.Path, "/api/exchange/"):
			n++
			if r.Rule.Kind != "permission" {
				t.Errorf("%s %s: %+v", r.Method, r.Path, r.Rule)
			}
		case strings.HasPrefix(r.Path, "/open/"):
			n++
			if r.Rule.Kind != "partner" {
				t.Errorf("%s %s: %+v", r.Method, r.Path, r.Rule)
			}
		}
	}
	if n != 18 {
		t.Errorf("%d operations", n)
	}
}
