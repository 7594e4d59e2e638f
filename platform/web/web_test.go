package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

type echoInput struct {
	web.Keyed
	Name string `path:"name" maxLength:"5"`
	Body struct {
		Text string `json:"text" minLength:"2"`
	}
}

type echoOutput struct {
	Body struct {
		Text  string `json:"text"`
		Actor int64  `json:"actor"`
	}
}

func server(t *testing.T) *web.Server {
	t.Helper()
	s, err := web.New(web.Options{
		Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Open: true, Version: "test", RequestsPerMinute: 100_000,
		Authenticate: func(_ context.Context, token string) (access.Actor, error) {
			if token != "good-token" {
				return access.Actor{}, fault.ErrUnauthorized
			}
			return access.Actor{UserID: 7, Party: access.Platform, Permissions: []access.Permission{"thing.edit"}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	huma.Register(s.API, web.Operation{Method: "POST", Path: "/api/things/{name}", Summary: "试", Access: access.Require("thing.edit")}.Huma(),
		func(ctx context.Context, in *echoInput) (*echoOutput, error) {
			switch in.Body.Text {
			case "missing":
				return nil, fault.ErrNotFound
			case "secret":
				return nil, errors.New("SELECT password FROM users")
			case "panic":
				panic("boom")
			}
			out := &echoOutput{}
			out.Body.Text, out.Body.Actor = in.Name+in.Body.Text, access.From(ctx).UserID
			return out, nil
		})
	s.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	s.Front("/m", fstest.MapFS{"index.html": {Data: []byte("<html>index")}, "assets/a.js": {Data: []byte(strings.Repeat("x", 5000))}})
	return s
}

func call(t *testing.T, s *web.Server, method, path, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := s.App.Test(req, -1)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	return res, string(b)
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := server(t)
	cookie := "__Host-huiqi=good-token"
	_, csrf := call(t, s, "GET", "/csrf", "", map[string]string{"Cookie": cookie})
	signed := map[string]string{"Cookie": cookie, "X-CSRF-Token": csrf, "Content-Type": "application/json"}
	with := func(k, v string) map[string]string {
		m := map[string]string{k: v}
		for k, v := range signed {
			if _, there := m[k]; !there {
				m[k] = v
			}
		}
		return m
	}
	cases := []struct {
		name, method, path, body string
		header                   map[string]string
		status                   int
		has, lacks               string
	}{
		{"fine", "POST", "/api/things/中文", `{"text":"好的"}`, signed, 200, `"actor":7`, ""},
		{"no session", "POST", "/api/things/a", `{"text":"好的"}`, map[string]string{"X-CSRF-Token": "x"}, 403, "CSRF", ""},
		{"no csrf", "POST", "/api/things/a", `{"text":"好的"}`, map[string]string{"Cookie": cookie}, 403, "刷新页面", ""},
		{"other site", "POST", "/api/things/a", `{"text":"好的"}`, with("Origin", "https://evil.example"), 403, "CSRF", ""},
		{"fetch metadata", "POST", "/api/things/a", `{"text":"好的"}`, with("Sec-Fetch-Site", "cross-site"), 403, "CSRF", ""},
		{"too short", "POST", "/api/things/a", `{"text":"x"}`, signed, 422, `"field":"text"`, ""},
		{"says how", "POST", "/api/things/a", `{"text":"x"}`, signed, 422, "至少填写 2 个字", "expected"},
		{"unknown field", "POST", "/api/things/a", `{"text":"好的","x":1}`, signed, 400, "不认识的字段", ""},
		{"not json", "POST", "/api/things/a", `{`, signed, 400, "BAD_JSON", "unexpected"},
		{"not found", "POST", "/api/things/a", `{"text":"missing"}`, signed, 404, "NOT_FOUND", ""},
		{"internal", "POST", "/api/things/a", `{"text":"secret"}`, signed, 500, "INTERNAL", "SELECT"},
		{"panic", "POST", "/api/things/a", `{"text":"panic"}`, signed, 500, "INTERNAL", "boom"},
		{"no route", "GET", "/api/nothing", "", nil, 404, `"traceId"`, ""},
		{"wrong method", "DELETE", "/api/things/a", "", signed, 405, "METHOD_NOT_ALLOWED", ""},
		{"page error", "GET", "/nothing", "", map[string]string{"Accept": "text/html"}, 404, "<html", ""},
		{"front", "GET", "/m/deep/link", "", nil, 200, "<html>index", ""},
		{"front root", "GET", "/m/", "", nil, 200, "<html>index", ""},
		{"front without slash", "GET", "/m", "", nil, 302, "", ""},
		{"front traversal", "GET", "/m/assets/..%2f..%2fgo.mod", "", nil, 404, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			res, body := call(t, s, c.method, c.path, c.body, c.header)
			if res.StatusCode != c.status {
				t.Fatalf("status %d, want %d: %s", res.StatusCode, c.status, body)
			}
			if !strings.Contains(body, c.has) || c.lacks != "" && strings.Contains(body, c.lacks) {
				t.Fatalf("body %s: must hold %q and not %q", body, c.has, c.lacks)
			}
			if res.Header.Get("Content-Security-Policy") == "" || res.Header.Get("X-Request-Id") == "" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Fatalf("security headers are missing: %v", res.Header)
			}
			if c.status >= 400 && strings.HasPrefix(c.path, "/api/") {
				var p web.Problem
				if err := json.Unmarshal([]byte(body), &p); err != nil || p.TraceID == "" || p.Code == "" || p.Detail == "" {
					t.Fatalf("not a whole problem: %s", body)
				}
				if ct := res.Header.Get("Content-Type"); ct != "application/problem+json" {
					t.Fatalf("content type %q", ct)
				}
			}
		})
	}
}

func TestEveryRouteSaysWhoMay(t *testing.T) {
	t.Parallel()
	s := server(t)
	for _, r := range s.Routes() {
		if !r.Rule.Declared() {
			t.Errorf("%s %s has no rule", r.Method, r.Path)
		}
	}
	for name, register := range map[string]func(){
		"page":      func() { s.Page("GET", "/x", access.Rule{}, nil) },
		"operation": func() { web.Operation{Method: "GET", Path: "/api/x"}.Huma() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a %s without a rule was accepted", name)
				}
			}()
			register()
		}()
	}
}

func TestCompressedAsset(t *testing.T) {
	t.Parallel()
	s := server(t)
	res, body := call(t, s, "GET", "/m/assets/a.js", "", map[string]string{"Accept-Encoding": "gzip"})
	if res.Header.Get("Content-Encoding") != "gzip" || len(body) > 1000 || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Fatalf("headers %v, %d bytes", res.Header, len(body))
	}
}

// TestBuiltFilesAreNotCounted: an office behind one address opens the back office many times; the files that come with
// each page do not use up what its people may ask for, nor do the questions of a balancer.
func TestBuiltFilesAreNotCounted(t *testing.T) {
	t.Parallel()
	s, err := web.New(web.Options{Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), RequestsPerMinute: 8,
		Authenticate: func(context.Context, string) (access.Actor, error) { return access.Actor{}, fault.ErrUnauthorized }})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		for _, path := range []string{"/admin/assets/index.js", "/healthz", "/readyz"} {
			if res, _ := call(t, s, "GET", path, "", nil); res.StatusCode == http.StatusTooManyRequests {
				t.Fatalf("%s was counted", path)
			}
		}
	}
	last := 0
	for range 50 {
		res, _ := call(t, s, "GET", "/api/nothing", "", nil)
		last = res.StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("status %d after 50 requests with a limit of 8 a minute", last)
	}
}

// TestBuiltFilesNeedNobody: the files of a page come also while the database cannot say who asks, and bring no cookie.
func TestBuiltFilesNeedNobody(t *testing.T) {
	t.Parallel()
	s, err := web.New(web.Options{Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), RequestsPerMinute: 100,
		Authenticate: func(context.Context, string) (access.Actor, error) {
			return access.Actor{}, fault.New(fault.Unavailable, "DOWN", "系统繁忙，请稍后重试")
		}})
	if err != nil {
		t.Fatal(err)
	}
	s.Front("/m", fstest.MapFS{"index.html": {Data: []byte("<html>index")}, "assets/a.js": {Data: []byte("x")}})
	signedIn := map[string]string{"Cookie": web.SessionCookieName + "=some-token"}
	if res, body := call(t, s, "GET", "/m/assets/a.js", "", signedIn); res.StatusCode != http.StatusOK || body != "x" || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("a built file: status %d, %q, %v", res.StatusCode, body, res.Header)
	}
	if res, _ := call(t, s, "GET", "/m/", "", signedIn); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a page of nobody knows whom: status %d", res.StatusCode)
	}
}

// TestDocumentsAreClosedInProduction: metrics and the interface document are not there unless the installation opens them.
func TestDocumentsAreClosedInProduction(t *testing.T) {
	t.Parallel()
	closed, err := web.New(web.Options{Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32),
		Authenticate: func(context.Context, string) (access.Actor, error) { return access.Actor{}, fault.ErrUnauthorized }})
	if err != nil {
		t.Fatal(err)
	}
	open := server(t)
	for _, path := range []string{"/metrics", "/openapi.json"} {
		if res, _ := call(t, closed, "GET", path, "", nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s in production: status %d", path, res.StatusCode)
		}
		if res, _ := call(t, open, "GET", path, "", nil); res.StatusCode != http.StatusOK {
			t.Errorf("%s when opened: status %d", path, res.StatusCode)
		}
	}
}
