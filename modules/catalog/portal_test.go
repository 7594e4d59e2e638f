package catalog_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

func mustServePortal(t *testing.T) browser {
	t.Helper()
	b := mustServe(t)
	b.mustPages()
	return b
}

// mustPages adds the pages of the portal, as far as there is what they need.
func (b browser) mustPages() {
	t := b.t
	t.Helper()
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: clock.NewFake(start)})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	if err := b.f.Pages(b.edge, pages); err != nil {
		t.Fatal(err)
	}
}

func (b browser) page(who, path string) (int, string) {
	b.t.Helper()
	req := httptest.NewRequest("GET", path, nil)
	req.Header.Set("Cookie", web.SessionCookieName+"="+who)
	req.Header.Set("Accept", "text/html")
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

func TestThePublicPages(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	if status, html := b.page("nobody", "/products"); status != 200 || !strings.Contains(html, "没有符合条件的产品") {
		t.Fatalf("empty list: %d %s", status, html)
	}
	waiting := b.f.mustSubmit(t, banker, loan())
	for _, who := range []string{"nobody", "baker", "banker", "first"} {
		for _, path := range []string{"/products", "/finance", "/products?q=" + url.QueryEscape("烘焙贷")} {
			if status, html := b.page(who, path); status != 200 || strings.Contains(html, fmt.Sprintf("/products/%d", waiting.ID)) {
				t.Errorf("%s sees what waits for review on %s: %d", who, path, status)
			}
		}
		if status, html := b.page(who, fmt.Sprintf("/products/%d", waiting.ID)); status != 404 || strings.Contains(html, "烘焙") {
			t.Errorf("%s opens what waits for review: %d", who, status)
		}
	}
	b.f.mustPass(t, second, b.f.mustPass(t, first, waiting))
	evil := service()
	evil.Name, evil.Description, evil.Target = "<script>alert(1)</script>", "第一行\n<b>第二行</b>", "小微企业🥐"
	law := b.f.mustList(t, lawyer, evil)

	for _, c := range []struct{ path, has, lacks string }{
		{"/products", "〔演示〕烘焙贷", "<script>alert"},
		{"/products", `共 <strong class="num">2</strong> 个产品`, ""},
		{"/products?kind=legal", "公信律师事务所", "烘焙贷"},
		{"/products?kind=legal", `href="/products?kind=legal" class="on"`, "需要金额"},
		{"/finance", "烘焙贷", "公信律师"},
		{"/finance", "3.65% 起", "3.65%–4.10%"},
		{"/finance?amount=10-50&type=debt", "需要金额：10–50 万元", "没有符合"},
		{"/finance?amount=10-50&type=debt", `href="/finance?type=debt"`, ""},
		{"/finance?rate=350", "没有符合条件的产品", "烘焙贷"},
		{"/products?q=" + url.QueryEscape("烘焙贷"), "〔演示〕<mark>烘焙贷</mark>", "公信"},
		{"/products?q=" + url.QueryEscape("烘焙贷") + "&kind=financing", "关键词：烘焙贷", "没有符合"},
		{"/products?q=" + url.QueryEscape(strings.Repeat("长", 101)), "搜索内容最多 100 个字", ""},
		{"/products?institution=2", "机构：公信律师事务所", "烘焙贷"},
		{"/products?institution=x", "烘焙贷", "机构："},
		{"/products?page=99", "没有符合条件的产品", ""},
		{"/products?page=-1&sort=nonsense&kind=%3Cscript%3E", "没有符合条件的产品", "<script>"},
		{fmt.Sprintf("/products/%d", waiting.ID), "3.65%–4.10%", "内部意见"},
		{fmt.Sprintf("/products/%d", waiting.ID), "010-60000001", "立即申请"},
		{fmt.Sprintf("/products/%d", law.ID), "第一行<br>", "<b>第二行"},
	} {
		status, html := b.page("nobody", c.path)
		if status != 200 || !strings.Contains(html, c.has) || (c.lacks != "" && strings.Contains(html, c.lacks)) {
			t.Errorf("%s: %d, want %q without %q", c.path, status, c.has, c.lacks)
		}
	}
	for _, path := range []string{"/products/999", "/products/abc", "/products/99999999999999999999"} {
		if status, _ := b.page("nobody", path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// TestTheDetailSaysWhatDecides: terms, whom it is for, conditions, materials and the steps in their order, of a loan and of a service that
// is subsidised.
func TestTheDetailSaysWhatDecides(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	money, work := loan(), service()
	money.ValidUntil, money.Conditions = "2027-06-30", []string{"无逾期贷款", "在区内经营"}
	work.Cost, work.Subsidy, work.PriceText, work.Duration, work.Venues = catalog.Subsidised, "区财政补助一半", "每件 200 元", "一个月", []string{"visit", "online"}
	for _, c := range []struct {
		id    int64
		parts []string // in the order of the page
	}{
		{b.f.mustList(t, banker, money).ID, []string{"年利率", "3.65%–4.10%", "额度", "期限", "6–24 个月", "信用（无需抵押担保）", "5 个工作日", "2027-06-30", "经营满一年的面包房", "<li>无逾期贷款</li><li>在区内经营</li>", "<li>营业执照</li>", "在线申请", "放款", "运河银行", "010-60000001"}},
		{b.f.mustList(t, lawyer, work).ID, []string{"每件 200 元", "3 个工作日", "有补贴", "线上、上门", "一个月", "区财政补助一半", "小微企业", "审查意见书", "<li>合同文本</li>", "预约", "出具意见", "010-60000002"}},
	} {
		status, html := b.page("nobody", fmt.Sprintf("/products/%d", c.id))
		if status != 200 {
			t.Fatal(status)
		}
		_, rest, _ := strings.Cut(html, "<h1")
		for _, part := range c.parts {
			_, after, ok := strings.Cut(rest, part)
			if !ok {
				t.Errorf("%q is missing, or not in its place, in %s", part, html)
				break
			}
			rest = after
		}
	}
}

func TestTheApplyBarNeedsAPageToApplyOn(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	v := b.f.mustList(t, banker, loan())
	b.f.ApplyURL = "/products/%d/apply"
	if _, html := b.page("nobody", fmt.Sprintf("/products/%d", v.ID)); !strings.Contains(html, fmt.Sprintf(`href="/products/%d/apply"`, v.ID)) {
		t.Error("no way to apply")
	}
}

func TestPagesOfTheList(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	for i := range 20 {
		c := service()
		c.Name = fmt.Sprintf("合同体检 %02d", i)
		b.f.mustList(t, lawyer, c)
	}
	_, first := b.page("nobody", "/products?kind=legal")
	_, second := b.page("nobody", "/products?kind=legal&page=2")
	if strings.Count(first, "product-card") != 18 || strings.Count(second, "product-card") != 2 {
		t.Errorf("%d and %d cards", strings.Count(first, "product-card"), strings.Count(second, "product-card"))
	}
	if !strings.Contains(first, "/products?kind=legal&amp;page=2") || !strings.Contains(second, `href="/products?kind=legal" rel="prev"`) {
		t.Error("the pages do not lead to each other")
	}
}

func ExampleService_Browse() {
	var s *catalog.Service // made by New
	if s == nil {
		return
	}
	found, err := s.Browse(context.Background(), access.Actor{}, catalog.BrowseFilter{Query: "烘焙贷", Kind: catalog.Financing})
	fmt.Println(found.Count, err)
}
