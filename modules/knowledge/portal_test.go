package knowledge_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/knowledge"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// TestWhatEverybodyReads opens the pages of the portal as a visitor: what is public and in force, and nothing else.
func TestWhatEverybodyReads(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	edge, err := web.New(web.Options{Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Open: true, Version: "test", RequestsPerMinute: 100_000,
		Authenticate: func(context.Context, string) (access.Actor, error) { return access.Actor{Party: access.Anonymous}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: clock.NewFake(start)})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(context.Context, access.Actor) (*page.User, error) { return nil, nil }}
	if err := f.Pages(edge, pages); err != nil {
		t.Fatal(err)
	}
	open := f.mustPublish(t, agent, reviewer, text("食品经营许可延续"))
	inner := text("内部口径：许可证处罚裁量")
	inner.Audience = knowledge.Staff
	secret := f.mustPublish(t, agent, reviewer, inner)
	f.mustCreate(t, agent, text("还没有审核的许可口径"))
	get := func(path string) (int, string) {
		t.Helper()
		req := httptest.NewRequest("GET", path, nil)
		req.Header.Set("Accept", "text/html")
		res, err := edge.App.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	for _, c := range []struct {
		path, has string
		status    int
	}{
		{"/answers", "食品经营许可延续", 200},
		{"/answers?q=" + url.QueryEscape("营业执照"), "<mark>营业执照</mark>", 200},
		{"/answers?q=" + url.QueryEscape("路灯"), "没有找到相关的问答", 200},
		{"/answers?q=" + url.QueryEscape("照"), "f-q-error", 422},
		{fmt.Sprintf("/answers/%d", open.ID), "食品经营许可和备案管理办法（第三十条）", 200},
		{fmt.Sprintf("/answers/%d", open.ID), "<li>申请书</li>", 200},
		{fmt.Sprintf("/answers/%d", secret.ID), "", 404},
		{"/answers/4711", "", 404},
	} {
		status, html := get(c.path)
		if status != c.status || !strings.Contains(html, c.has) || strings.Contains(html, "裁量") || strings.Contains(html, "还没有审核") {
			t.Errorf("%s: %d %s", c.path, status, html)
		}
	}
}
