package message_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

type browser struct {
	fixture

	edge *web.Server
}

func mustServe(t *testing.T) browser {
	t.Helper()
	f := mustNew(t)
	people := map[string]access.Actor{"baker": baker, "rival": rival, "operator": operator, "watcher": watcher}
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
	message.Register(edge.API, f.Service)
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: clock.NewFake(start), Links: page.Links{Messages: "/messages"}})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(ctx context.Context, a access.Actor) (*page.User, error) {
		n, err := f.Unread(ctx, a)
		return &page.User{Name: a.Name, Unread: n}, err
	}}
	if err := f.Pages(edge, pages); err != nil {
		t.Fatal(err)
	}
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	return browser{f, edge}
}

func (b browser) send(who, method, path, kind, body string) (int, string, string) {
	b.t.Helper()
	send := func(method, path, body, csrf string) (int, string, string) {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
		req.Header.Set("Content-Type", kind)
		req.Header.Set("X-CSRF-Token", csrf)
		req.Header.Set("Idempotency-Key", fmt.Sprint(len(path), len(body)))
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
	_, _, csrf := send("GET", "/csrf", "", "")
	return send(method, path, body, csrf)
}

func TestMessagesOverHTTP(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	b.mustNotify(replied("event:1", 7), replied("event:2", 7), replied("event:3", 7), replied("event:1", 8))
	b.sms.answer = []message.Outcome{{State: message.Unknown}}
	_ = b.deliver(message.SMS, 1)
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		has, lacks                    string
	}{
		{"visitor", "nobody", "GET", "/api/messages", "", 401, "SIGN_IN_REQUIRED", ""},
		{"visitor counts", "nobody", "GET", "/api/messages/unread", "", 401, "SIGN_IN_REQUIRED", ""},
		{"mine", "baker", "GET", "/api/messages", "", 200, `"title":"承办单位已反馈"`, "13800138000"},
		{"unread", "baker", "GET", "/api/messages/unread", "", 200, `"count":3`, ""},
		{"one page", "baker", "GET", "/api/messages?limit=2", "", 200, `"nextCursor":"2"`, ""},
		{"next page", "baker", "GET", "/api/messages?limit=2&cursor=2", "", 200, `"id":1,`, "nextCursor"},
		{"bad cursor", "baker", "GET", "/api/messages?cursor=no", "", 422, `"field":"cursor"`, ""},
		{"somebody else's", "rival", "POST", "/api/messages/1/read", "", 404, "NOT_FOUND", "路灯"},
		{"missing", "rival", "POST", "/api/messages/99/read", "", 404, "NOT_FOUND", ""},
		{"read", "baker", "POST", "/api/messages/1/read", "", 200, `"readAt"`, ""},
		{"unread ones", "baker", "GET", "/api/messages?unread=true", "", 200, `"id":3,`, `"id":1,`},
		{"read up to the second", "baker", "POST", "/api/messages/read-all", `{"upTo":2}`, 200, `"marked":1`, ""},
		{"unread after that", "baker", "GET", "/api/messages/unread", "", 200, `"count":1`, ""},
		{"the other person's", "rival", "GET", "/api/messages/unread", "", 200, `"count":1`, ""},
		{"preferences", "baker", "GET", "/api/message-preferences", "", 200, `"phone":"138****8000"`, "13800138000"},
		{"switch off", "baker", "POST", "/api/message-preferences/ticket", `{"sms":false,"wechat":true}`, 200, `"group":"ticket","label":"诉求进度","sms":false,"wechat":true`, ""},
		{"no such switch", "baker", "POST", "/api/message-preferences/code", `{"sms":false,"wechat":true}`, 422, `"field":"group"`, ""},
		{"staff have no switches", "operator", "GET", "/api/message-preferences", "", 200, `"groups":[]`, ""},
		{"the log for her", "baker", "GET", "/api/message-letters", "", 403, "FORBIDDEN", ""},
		{"the log", "watcher", "GET", "/api/message-letters?state=unknown", "", 200, `"recipient":"138****8000"`, "13800138000"},
		{"the log of WeChat", "watcher", "GET", "/api/message-letters?channel=wechat&template=ticket.replied", "", 200, `"recipient":"oBAK****6789"`, "BAKERY"},
		{"no such channel", "watcher", "GET", "/api/message-letters?channel=pigeon", "", 422, "channel", ""},
		{"one letter", "watcher", "GET", "/api/message-letters/sms/1", "", 200, `"canResend":false`, ""},
		{"no such letter", "watcher", "GET", "/api/message-letters/sms/99", "", 404, "NOT_FOUND", ""},
		{"templates", "watcher", "GET", "/api/message-templates", "", 200, `"code":"application.accepted"`, "product.listed"},
		{"release without the right", "watcher", "POST", "/api/message-letters/sms/1/release", `{"version":2,"reason":"电话询问本人，没有收到"}`, 403, "FORBIDDEN", ""},
		{"release without a reason", "operator", "POST", "/api/message-letters/sms/1/release", `{"version":2,"reason":""}`, 422, `"field":"reason"`, ""},
		{"release", "operator", "POST", "/api/message-letters/sms/1/release", `{"version":2,"reason":"电话询问本人，没有收到"}`, 200, `"state":"queued"`, ""},
		{"release again by the same click", "operator", "POST", "/api/message-letters/sms/1/release", `{"version":2,"reason":"电话询问本人，没有收到"}`, 200, `"state":"queued"`, ""},
		{"release of what waits", "operator", "POST", "/api/message-letters/sms/1/release", `{"version":3,"reason":"又问了一次，还是没有"}`, 409, "LETTER_STATE", ""},
	} {
		status, _, body := b.send(c.who, c.method, c.path, "application/json", c.body)
		if status != c.status || !strings.Contains(body, c.has) || c.lacks != "" && strings.Contains(body, c.lacks) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}

func TestTheReadersPages(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	get := func(who, path string) (int, string) {
		status, _, html := b.send(who, "GET", path, "", "")
		return status, html
	}
	post := func(who, path string, form url.Values) (int, string) {
		_, _, csrf := b.send(who, "GET", "/csrf", "", "")
		form.Set("_csrf", csrf)
		status, to, _ := b.send(who, "POST", path, "application/x-www-form-urlencoded", form.Encode())
		return status, to
	}
	if status, html := get("baker", "/messages"); status != 200 || !strings.Contains(html, "还没有消息") || strings.Contains(html, "全部标为已读") {
		t.Fatalf("empty: %d %s", status, html)
	}
	for i := range 22 {
		n := replied(fmt.Sprintf("event:%d", i), 7)
		n.Params["text"] = "<script>alert(1)</script>"
		b.mustNotify(n)
	}
	_, html := get("baker", "/messages")
	if strings.Count(html, "item-card unread") != 20 || !strings.Contains(html, "cursor=3") || !strings.Contains(html, "&lt;script&gt;") ||
		strings.Contains(html, "<script>alert") || !strings.Contains(html, `name="newest" value="22"`) || !strings.Contains(html, `22<span class="sr"> 条未读`) {
		t.Fatalf("list: %s", html)
	}
	if _, html := get("baker", "/messages?cursor=3"); strings.Count(html, "item-card unread") != 2 || !strings.Contains(html, `name="newest" value="0"`) {
		t.Errorf("second page: %s", html)
	}
	if status, to := post("baker", "/messages/22/open", url.Values{}); status != 303 || to != "/tickets/3" {
		t.Errorf("open: %d %s", status, to)
	}
	if status, _ := post("rival", "/messages/21/open", url.Values{}); status != 404 {
		t.Errorf("somebody else's: %d", status)
	}
	if status, _ := post("operator", "/messages/read-all", url.Values{}); status != 403 {
		t.Errorf("staff on the portal: %d", status)
	}
	b.mustNotify(replied("event:new", 7))
	if status, to := post("baker", "/messages/read-all", url.Values{"newest": {"22"}}); status != 303 || to != "/messages?done=read" {
		t.Errorf("read all: %d %s", status, to)
	}
	if _, html := get("baker", "/messages?unread=1"); strings.Count(html, "item-card unread") != 1 {
		t.Errorf("what came meanwhile: %s", html)
	}
	post("baker", "/messages/23/open", url.Values{})
	if _, html := get("baker", "/messages?unread=1"); !strings.Contains(html, "没有未读消息") {
		t.Errorf("all read: %s", html)
	}
	if status, html := get("operator", "/messages"); status != 403 || strings.Contains(html, "路灯") {
		t.Errorf("staff: %d", status)
	}
}
