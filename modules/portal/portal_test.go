package portal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/portal"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

var start = time.Date(2026, 11, 22, 6, 5, 0, 0, time.UTC)

func mustServe(t *testing.T, parts portal.Parts) func(who, path string) (int, string) {
	t.Helper()
	people := map[string]access.Actor{
		"owner": {UserID: 20, Name: "王芳", Party: access.Enterprise, EnterpriseID: 70}, "agent": {UserID: 10, Name: "坐席", Party: access.Platform},
	}
	edge, err := web.New(web.Options{
		Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Version: "test", RequestsPerMinute: 100_000,
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
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: clock.NewFake(start),
		Links: page.Links{Search: "/search", Ask: "/tickets/new", Help: "/help", Messages: "/messages"}})
	if err != nil {
		t.Fatal(err)
	}
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	if parts.Clock == nil {
		parts.Clock = clock.NewFake(start)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	if err := portal.New(parts).Pages(edge, pages); err != nil {
		t.Fatal(err)
	}
	return func(who, path string) (int, string) {
		t.Helper()
		req := httptest.NewRequest("GET", path, nil)
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
		req.Header.Set("Accept", "text/html")
		res, err := edge.App.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
}

const attack = `"><script>alert(1)</script>`

func list[T any](items ...T) func(context.Context, int) ([]T, error) {
	return func(context.Context, int) ([]T, error) { return items, nil }
}

func TestHomeShowsOnlyWhatIsJoined(t *testing.T) {
	t.Parallel()
	blocks := []string{"一句话找政策", "服务种类", "最新政策", "推荐服务产品", "资讯动态", "通知公告", "平台数据", "入驻服务机构"}
	status, html := mustServe(t, portal.Parts{})("", "/")
	if status != 200 || !strings.Contains(html, "我要提诉求") {
		t.Fatalf("bare: %d %s", status, html)
	}
	for _, b := range blocks {
		if strings.Contains(html, b) {
			t.Errorf("nobody gave %s", b)
		}
	}
	_, html = mustServe(t, portal.Parts{
		Quick:        page.QuickMatch{Action: "/policies/match"},
		Kinds:        []page.ServiceKind{{Icon: "law", Name: "法律服务", URL: "/products?kind=legal"}},
		PolicyCards:  list(page.PolicyCard{Title: "稳岗" + attack, URL: "/policies/1", Level: "区级"}),
		ProductCards: list(page.ProductCard{Title: "信用贷" + attack, URL: "/products/1", Icon: "finance"}),
		NewsCards:    list(page.Notice{Title: "新闻" + attack, URL: "/news/1", When: start}),
		NoticeCards:  list(page.Notice{Title: "通知" + attack, URL: "/notices/1", When: start}),
		Institutions: list(page.Partner{Name: "银行" + attack}),
		Figures:      []portal.Figure{{Label: "注册企业", Unit: "家", Count: func(context.Context) (int, error) { return 12345, nil }}},
	})("", "/")
	for _, b := range append(blocks, "12,345", "/products?kind=legal", "稳岗&#34;", "信用贷&#34;") {
		if !strings.Contains(html, b) {
			t.Errorf("no %s: %s", b, html)
		}
	}
	if strings.Contains(html, "<script>alert") {
		t.Error("a title runs as a script")
	}
}

func TestHomeLosesABlockAndNotThePage(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	status, html := mustServe(t, portal.Parts{
		PolicyCards: func(context.Context, int) ([]page.PolicyCard, error) { return nil, down },
		Figures: []portal.Figure{{Label: "企业", Count: func(context.Context) (int, error) { return 0, down }},
			{Label: "产品", Count: func(context.Context) (int, error) { return 60, nil }}},
		NewsCards: list(page.Notice{Title: "新闻", URL: "/news/1", When: start}),
	})("", "/")
	if status != 200 || strings.Contains(html, "最新政策") || !strings.Contains(html, "新闻") || strings.Contains(html, ">企业<") || !strings.Contains(html, "60") {
		t.Errorf("%d %s", status, html)
	}
}

func TestFiguresAreCountedOnceAMinute(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	n := 0
	get := mustServe(t, portal.Parts{Clock: c, Figures: []portal.Figure{{Label: "企业", Count: func(context.Context) (int, error) { n++; return 1000 + n, nil }}}})
	for _, want := range []string{"1,001", "1,001"} {
		if _, html := get("", "/"); !strings.Contains(html, want) {
			t.Errorf("no %s", want)
		}
	}
	c.Advance(time.Minute)
	if _, html := get("", "/"); !strings.Contains(html, "1,002") || n != 2 {
		t.Errorf("counted %d times", n)
	}
}

func source(key, name string, total int) portal.Source {
	return portal.Source{Key: key, Name: name, Search: func(_ context.Context, _ access.Actor, q string, limit int) ([]portal.Hit, error) {
		var hits []portal.Hit
		for i := range min(total, limit) {
			hits = append(hits, portal.Hit{Title: fmt.Sprintf("%s第%d条%s", name, i+1, attack), URL: fmt.Sprintf("/%s/%d", key, i+1),
				Summary: strings.Repeat("前文", 100) + "这里说到" + q + "的事" + attack, Meta: []string{"区级"}})
		}
		return hits, nil
	}}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	get := mustServe(t, portal.Parts{Sources: []portal.Source{source("policy", "政策", 40), source("product", "产品", 0), source("big", "大库", 5000)}})
	q := "/search?q=" + url.QueryEscape("贷款贴息")
	status, html := get("", q)
	for _, want := range []string{"全部", `政策<span class="tab-count num">40</span>`, `产品<span class="tab-count num">0</span>`, "999&#43;", "查看全部 40 条", "<mark>贷款贴息</mark>", "政策第4条", "noindex"} {
		if !strings.Contains(html, want) {
			t.Errorf("overview lacks %q: %d %s", want, status, html)
		}
	}
	if strings.Contains(html, "政策第5条") || strings.Contains(html, "<script>alert") {
		t.Errorf("overview: %s", html)
	}
	_, html = get("", q+"&in=policy&page=3")
	if !strings.Contains(html, "政策第31条") || !strings.Contains(html, "政策第40条") || strings.Contains(html, "政策第30条") || strings.Contains(html, "大库第1条") {
		t.Errorf("page 3: %s", html)
	}
	if _, html = get("", q+"&in=product"); !strings.Contains(html, "没有找到与“贷款贴息”有关的内容") || !strings.Contains(html, "查看全部结果") {
		t.Errorf("empty tab: %s", html)
	}
	for path, want := range map[string]string{
		"/search": "请输入要搜索的内容", "/search?q=" + url.QueryEscape("贷"): "请至少输入两个字再搜索", "/search?q=" + url.QueryEscape(strings.Repeat("贷", 101)): "搜索内容最多 100 个字",
		"/search?q=" + url.QueryEscape("ab"+attack): "ab&#34;&gt;",
	} {
		if status, html := get("", path); status != 200 || !strings.Contains(html, want) || strings.Contains(html, "<script>alert") {
			t.Errorf("%s: %d %s", path, status, html)
		}
	}
	for _, path := range []string{q + "&in=odd", q + "&page=0", q + "&page=51", q + "&page=x"} {
		if status, _ := get("", path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	get = mustServe(t, portal.Parts{Sources: []portal.Source{source("product", "产品", 0)}})
	if _, html = get("", q); !strings.Contains(html, "换一个说法") || !strings.Contains(html, "/tickets/new") {
		t.Errorf("nothing found: %s", html)
	}
}

// TestHitsWithAPicture: a hit shows its cover, or the sign of its kind where it has none; hits of other kinds have no place for one.
func TestHitsWithAPicture(t *testing.T) {
	t.Parallel()
	of := func(key string, hits ...portal.Hit) portal.Source {
		return portal.Source{Key: key, Name: key, Search: func(context.Context, access.Actor, string, int) ([]portal.Hit, error) { return hits, nil }}
	}
	get := mustServe(t, portal.Parts{Sources: []portal.Source{
		of("policy", portal.Hit{Title: "贷款贴息办法", URL: "/policies/1"}),
		of("products", portal.Hit{Title: "贷款甲" + attack, URL: "/products/1", Icon: "finance", Thumb: "/products/1/files/2/small"}, portal.Hit{Title: "贷款乙", URL: "/products/2", Icon: "finance"}),
	}})
	status, html := get("", "/search?q="+url.QueryEscape("贷款"))
	if status != 200 || strings.Count(html, `class="product-thumb"`) != 2 || strings.Count(html, `<img src="/products/`) != 1 || strings.Contains(html, "<script>alert") {
		t.Fatalf("%d %s", status, html)
	}
	_, after, _ := strings.Cut(html, `<img src="/products/1/files/2/small" alt="贷款甲`)
	img, _, _ := strings.Cut(after, "</li>")
	if !strings.Contains(img, `loading="lazy"`) || !strings.Contains(img, `<a href="/products/1">`) {
		t.Errorf("the cover: %s", html)
	}
	if !strings.Contains(html, `<li><h3><a href="/policies/1">`) {
		t.Errorf("a policy has a place for a picture: %s", html)
	}
}

func TestSearchGoesOnWithoutABrokenSource(t *testing.T) {
	t.Parallel()
	broken := portal.Source{Key: "x", Name: "政策", Search: func(context.Context, access.Actor, string, int) ([]portal.Hit, error) { return nil, errors.New("down") }}
	status, html := mustServe(t, portal.Parts{Sources: []portal.Source{broken, source("news", "资讯", 2)}})("", "/search?q="+url.QueryEscape("贷款"))
	if status != 200 || !strings.Contains(html, "政策暂时无法搜索") || !strings.Contains(html, "资讯第1条") {
		t.Errorf("%d %s", status, html)
	}
}

func TestMine(t *testing.T) {
	t.Parallel()
	get := mustServe(t, portal.Parts{})
	if status, html := get("owner", "/my"); status != 200 || strings.Contains(html, "my-messages") {
		t.Errorf("bare: %d %s", status, html)
	}
	if status, _ := get("agent", "/my"); status != 403 {
		t.Errorf("staff: %d", status)
	}
	if status, _ := get("", "/my"); status != 401 {
		t.Errorf("visitor: %d", status)
	}
	var asked int64
	get = mustServe(t, portal.Parts{Mine: portal.Mine{
		Company: func(_ context.Context, a access.Actor) (portal.Company, error) {
			asked = a.EnterpriseID
			return portal.Company{Name: "麦香" + attack, State: page.Tag{Text: "未认证", Tone: page.Warning}, Action: page.Link{Text: "去认证", URL: "/enterprise"}}, nil
		},
		Unread: func(context.Context, access.Actor) (int, error) { return 3, nil },
		Cases: []portal.CaseList{
			{Title: "我的诉求", All: "/tickets", Load: func(context.Context, access.Actor, int) ([]page.ItemCard, error) {
				return []page.ItemCard{{Title: "路灯" + attack, URL: "/tickets/1", Status: page.Tag{Text: "办理中"}}}, nil
			}},
			{Title: "我的申请", Empty: "还没有申请过产品。", New: page.Link{Text: "找产品", URL: "/products"}, Load: func(context.Context, access.Actor, int) ([]page.ItemCard, error) {
				return nil, nil
			}},
			{Title: "坏的", Load: func(context.Context, access.Actor, int) ([]page.ItemCard, error) { return nil, errors.New("down") }},
		},
	}})
	status, html := get("owner", "/my")
	for _, want := range []string{"未认证", "去认证", "条未读", "/messages", "办理中", "路灯&#34;", "还没有申请过产品。", "找产品", "暂时读不到"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s: %d %s", want, status, html)
		}
	}
	if asked != 70 || strings.Contains(html, "<script>alert") {
		t.Errorf("asked for %d: %s", asked, html)
	}
}
