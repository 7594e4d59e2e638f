package content_test

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
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

type browser struct {
	fixture

	t    *testing.T
	edge *web.Server
}

func mustServe(t *testing.T) browser {
	t.Helper()
	f := mustNew(t)
	people := map[string]access.Actor{"writer": writer, "editor": editor, "owner": owner, "agent": agent}
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
	content.Register(edge.API, f.Service)
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: clock.NewFake(start),
		Links: page.Links{Search: "/search", Ask: "/tickets/new"}})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	if err := f.Service.Pages(edge, pages); err != nil {
		t.Fatal(err)
	}
	return browser{f, t, edge}
}

// do sends a request; who is "" for a visitor.
func (b browser) do(who, method, path, body string) (int, string) {
	b.t.Helper()
	send := func(method, path, body, csrf string) (int, string) {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
		if strings.HasPrefix(path, "/api/") {
			req.Header.Set("Content-Type", "application/json")
		} else {
			req.Header.Set("Accept", "text/html")
		}
		req.Header.Set("X-CSRF-Token", csrf)
		req.Header.Set("Idempotency-Key", fmt.Sprintf("%x", md5.Sum([]byte(path+body))))
		res, err := b.edge.App.Test(req, -1)
		if err != nil {
			b.t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		if err != nil {
			b.t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	_, csrf := send("GET", "/csrf", "", "")
	return send(method, path, body, csrf)
}

func TestTheEditorsOverHTTP(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	text := `{"kind":"news","column":"story","title":"一家面包房","body":"她说，最难的是第一笔贷款。","source":"区企业服务中心"}`
	withVersion := func(v int) string { return strings.TrimSuffix(text, "}") + fmt.Sprintf(`,"version":%d}`, v) }
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		has, lacks                    string
	}{
		{"visitor's list", "", "GET", "/api/articles", "", 401, "SIGN_IN_REQUIRED", ""},
		{"owner's list", "owner", "GET", "/api/articles", "", 403, "FORBIDDEN", ""},
		{"agent creates", "agent", "POST", "/api/articles", text, 403, "FORBIDDEN", ""},
		{"create", "writer", "POST", "/api/articles", text, 200, `"status":"draft"`, ""},
		{"create twice", "writer", "POST", "/api/articles", text, 200, `"id":1,`, ""},
		{"create without title", "writer", "POST", "/api/articles", strings.Replace(text, "一家面包房", "", 1), 422, `"field":"title"`, ""},
		{"hidden", "", "GET", "/api/content/articles/1", "", 404, "NOT_FOUND", "面包"},
		{"hidden from the list", "", "GET", "/api/content/articles?kind=news", "", 200, `"items":[]`, ""},
		{"edit a stale one", "writer", "PUT", "/api/articles/1", withVersion(7), 409, "CHANGED", ""},
		{"edit", "writer", "PUT", "/api/articles/1", withVersion(1), 200, `"version":2`, ""},
		{"publish a draft", "editor", "POST", "/api/articles/1/publish", `{"version":2}`, 409, "ARTICLE_STATE", ""},
		{"submit", "writer", "POST", "/api/articles/1/submit", `{"version":2}`, 200, `"status":"review"`, ""},
		{"writer publishes", "writer", "POST", "/api/articles/1/publish", `{"version":3}`, 403, "FORBIDDEN", ""},
		{"return without reason", "editor", "POST", "/api/articles/1/return", `{"version":3,"reason":" "}`, 422, "请填写原因", ""},
		{"review list", "editor", "GET", "/api/articles?status=review&kind=news", "", 200, "一家面包房", ""},
		{"unknown status", "editor", "GET", "/api/articles?status=odd", "", 422, "ARTICLE_STATUS", ""},
		{"publish", "editor", "POST", "/api/articles/1/publish", `{"version":3}`, 200, `"status":"published"`, ""},
		{"seen", "", "GET", "/api/content/articles/1", "", 200, `"text":"她说，最难的是第一笔贷款。"`, "authorName"},
		{"listed", "owner", "GET", "/api/content/articles?kind=news&column=story", "", 200, "一家面包房", ""},
		{"another column", "", "GET", "/api/content/articles?kind=news&column=reading", "", 200, `"items":[]`, ""},
		{"no column", "", "GET", "/api/content/articles?kind=news&column=odd", "", 404, "NOT_FOUND", ""},
		{"columns", "", "GET", "/api/content/columns", "", 200, "企业故事", ""},
		{"blocks", "writer", "POST", "/api/articles/blocks", `{"body":"# 标题\n[x](javascript:alert(1))"}`, 200, `"kind":"heading"`, `"url"`},
		{"blocks of an owner", "owner", "POST", "/api/articles/blocks", `{"body":""}`, 403, "FORBIDDEN", ""},
		{"withdraw", "writer", "POST", "/api/articles/1/withdraw", `{"version":4,"reason":"时间有误"}`, 200, `"status":"withdrawn"`, ""},
		{"gone", "", "GET", "/api/content/articles/1", "", 404, "NOT_FOUND", "面包"},
		{"revise", "writer", "POST", "/api/articles/1/revise", `{"version":5}`, 200, `"status":"draft"`, ""},
	} {
		status, text := b.do(c.who, c.method, c.path, c.body)
		if status != c.status || !strings.Contains(text, c.has) || c.lacks != "" && strings.Contains(text, c.lacks) {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
}

const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>`

func TestThePortalsPages(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	if status, html := b.do("", "GET", "/news", ""); status != 200 || !strings.Contains(html, "还没有内容") {
		t.Fatalf("empty: %d %s", status, html)
	}
	text := news("银企对接会" + attack)
	text.Summary, text.Source = "摘要"+attack, "来源"+attack
	text.Body = "# 标题" + attack + "\n- 项" + attack + "\n1. 步" + attack + "\n段" + attack + " [链" + attack + "](https://a.cn) [坏](javascript:alert(1))"
	text.FileIDs = []int64{701}
	v := b.mustPublish(t, text)
	notice := content.Text{Kind: content.Notice, Title: "维护通知", Body: "零点维护", Source: "平台", ExpiresAt: &tomorrow}
	b.mustPublish(t, notice)
	help := content.Text{Kind: content.Help, Column: "account", Title: "更换手机号", Body: "1. 验证原手机号", Source: "平台"}
	b.mustPublish(t, help)
	at := func(format string) string { return fmt.Sprintf(format, v.ID) }
	for _, c := range []struct {
		name, who, path string
		status          int
		has             []string
		lacks           string
	}{
		{"list", "", "/news", 200, []string{"银企对接会&#34;&gt;", "维护通知", "更换手机号", `name="ColumnName" content="资讯中心"`, `name="ColumnType" content="工作动态"`}, ""},
		{"column", "", "/news?column=trends", 200, []string{"银企对接会", `aria-current="true">惠企动态`, `content="惠企动态"`}, ""},
		{"other column", "", "/news?column=story", 200, []string{"还没有内容"}, "银企对接会"},
		{"no column", "", "/news?column=odd", 404, nil, "银企对接会"},
		{"page 0", "", "/news?page=0", 404, nil, ""},
		{"page 51", "", "/news?page=51", 404, nil, ""},
		{"behind the last", "", "/news?page=2", 404, nil, ""},
		{"article", "", at("/news/%d"), 200, []string{"<h2>标题&#34;", "<li>项", "<ol>", `<a href="https://a.cn">`, "附件701.pdf", at("/content/%d/files/701"),
			`name="ArticleTitle"`, `name="PubDate" content="2026-11-22 14:05"`, `name="ContentSource"`}, "javascript:"},
		{"under another kind", "", at("/notices/%d"), 404, nil, "银企对接会"},
		{"missing", "", "/news/999", 404, nil, ""},
		{"notices", "", "/notices", 200, []string{"维护通知"}, ""},
		{"notice", "", "/notices/2", 200, []string{"有效期至", "零点维护"}, ""},
		{"help", "", "/help", 200, []string{"账号与登录", "更换手机号", "/tickets/new", `action="/search"`}, "产品申请"},
		{"help article", "", "/help/3", 200, []string{"<ol>", "验证原手机号"}, ""},
		{"file", "", at("/content/%d/files/701"), 200, []string{"PDF"}, ""},
		{"foreign file", "", at("/content/%d/files/702"), 404, nil, ""},
		{"preview of a visitor", "", at("/content/%d/preview"), 401, nil, "银企对接会"},
		{"preview of an owner", "owner", at("/content/%d/preview"), 403, nil, "银企对接会"},
		{"preview", "writer", at("/content/%d/preview"), 200, []string{"这是预览", "noindex"}, ""},
	} {
		status, html := b.do(c.who, "GET", c.path, "")
		if status == 302 && c.status == 401 {
			status = 401
		}
		if status != c.status || c.lacks != "" && strings.Contains(html, c.lacks) && c.lacks != "javascript:" {
			t.Errorf("%s: %d %s", c.name, status, html)
		}
		if c.lacks == "javascript:" && strings.Contains(html, `href="javascript:`) {
			t.Errorf("%s leads to a script", c.name)
		}
		if strings.Contains(html, "<script>alert") || strings.Contains(html, "<img src=x") {
			t.Errorf("%s runs what was typed", c.name)
		}
		for _, want := range c.has {
			if !strings.Contains(html, want) {
				t.Errorf("%s lacks %q: %s", c.name, want, html)
			}
		}
	}
	b.clock.Advance(24 * time.Hour)
	if status, html := b.do("", "GET", "/notices", ""); status != 200 || !strings.Contains(html, "目前没有有效的通知") {
		t.Errorf("after its end: %d %s", status, html)
	}
	b.do("writer", "POST", at("/api/articles/%d/withdraw"), fmt.Sprintf(`{"version":%d,"reason":"有误"}`, v.Version))
	for _, path := range []string{at("/news/%d"), at("/content/%d/files/701"), "/notices/2"} {
		missing, want := b.do("", "GET", "/news/999", "")
		status, html := b.do("", "GET", path, "")
		if status != 404 || status != missing || strings.Contains(html, "银企") || (strings.Contains(html, "{") != strings.Contains(want, "{")) {
			t.Errorf("%s: %d %s", path, status, html)
		}
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	var past []content.Past
	for i := range 40 {
		past = append(past, content.Past{Text: news(fmt.Sprintf("第%02d条", i)), At: start.Add(time.Duration(i-50) * time.Hour), Author: writer, Publisher: editor})
	}
	if err := b.Load(context.Background(), access.SystemActor("test"), past); err != nil {
		t.Fatal(err)
	}
	status, html := b.do("", "GET", "/news?page=3", "")
	if status != 200 || strings.Count(html, "<li><h2>") != 10 || !strings.Contains(html, "第00条") || !strings.Contains(html, `href="/news?page=2"`) {
		t.Errorf("page 3: %d %s", status, html)
	}
	_, first := b.do("", "GET", "/api/content/articles?kind=news&limit=15", "")
	var list struct {
		NextCursor string `json:"nextCursor"`
	}
	if err := json.Unmarshal([]byte(first), &list); err != nil || list.NextCursor == "" {
		t.Fatalf("%s %v", first, err)
	}
	if _, next := b.do("", "GET", "/api/content/articles?kind=news&limit=15&cursor="+list.NextCursor, ""); !strings.Contains(next, "第24条") || strings.Contains(next, "第25条") {
		t.Errorf("second page: %s", next)
	}
}
