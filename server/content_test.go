package server

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/seed/demo"
)

// TestDemoContent loads the district's news, notices and help: enough of each, marked, in every state, and found on the
// portal.
func TestDemoContent(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	now := h.clock.Now()
	world, err := demo.Generate(now)
	if err != nil {
		t.Fatal(err)
	}
	s := &seeded{world: world, at: clock.NewFake(now.AddDate(0, -6, 0)), ids: map[string]int64{}, actors: map[int64]access.Actor{}}
	for _, load := range []func(context.Context, *seeded) error{h.seedDepartments, h.seedStaff, h.seedContent} {
		if err := load(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	for kind, least := range map[content.Kind]int{content.News: 40, content.Notice: 6, content.Help: 12} {
		n, err := h.content.Count(ctx, access.Actor{}, kind, "", 100)
		if err != nil || n < least {
			t.Errorf("%d of %s are seen, %v", n, kind, err)
		}
	}
	seen := map[content.Status]bool{}
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		items, next, err := h.content.List(ctx, access.SystemActor("test"), content.ListFilter{Limit: 50, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			seen[i.Status] = true
			if strings.Count(i.Title, demo.Mark) != 1 || i.PublishAt != nil && i.PublishAt.After(now.Add(time.Hour)) {
				t.Errorf("%q of %v", i.Title, i.PublishAt)
			}
		}
		cursor = next
	}
	if len(seen) != 4 {
		t.Errorf("states: %v", seen)
	}
	for path, want := range map[string]string{
		"/": "资讯动态", "/news": "〔演示〕", "/notices": "〔演示〕", "/help": "账号与登录", "/answers": "常见问答", "/search?q=" + url.QueryEscape("贷款贴息"): "<mark>贷款贴息</mark>", "/sitemap": "/tickets/new",
	} {
		if status, html := ask(t, h, "GET", path, "", ""); status != 200 || !strings.Contains(html, want) {
			t.Errorf("%s: %d lacks %q", path, status, want)
		}
	}
}
