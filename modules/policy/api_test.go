package policy_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

type browser struct {
	t    *testing.T
	edge *web.Server
	f    fixture
}

func mustServe(t *testing.T) browser {
	t.Helper()
	f := mustNew(t)
	people := map[string]access.Actor{"baker": baker, "coder": coder, "viewer": viewer, "alone": boss(11, 0)}
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
	policy.Register(edge.API, f.Service)
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: clock.NewFake(start)})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	if err := f.Pages(edge, pages); err != nil {
		t.Fatal(err)
	}
	f.mustFill(t)
	c := content("草案<script>")
	c.Link = "https://example.com/original"
	f.mustAdd(t, c)
	return browser{t, edge, f}
}

func (b browser) get(who, path string) (int, string) {
	b.t.Helper()
	req := httptest.NewRequest("GET", path, nil)
	req.Header.Set("Accept", "text/html")
	if strings.HasPrefix(path, "/api/") {
		req.Header.Set("Accept", "application/json")
	}
	if who != "" {
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
	}
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

func TestOverHTTP(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	for _, c := range []struct {
		name, who, path string
		status          int
		has, lacks      string
	}{
		{"list for everybody", "", "/api/policies?limit=3", 200, `"nextCursor":"2026-07-30_5"`, "草案"},
		{"list for staff", "viewer", "/api/policies?status=draft", 200, "草案", "烘焙"},
		{"drafts for a visitor", "", "/api/policies?status=draft", 200, `"items":[]`, "草案"},
		{"search", "", "/api/policies?q=带徒师傅", 200, "新型学徒制指引", "软件企业"},
		{"short search", "", "/api/policies?q=补", 422, `"field":"q"`, ""},
		{"no such level", "", "/api/policies?level=town", 422, `"field":"level"`, ""},
		{"one", "", "/api/policies/1", 200, `"clause":"第一条"`, `"actual"`},
		{"draft", "", "/api/policies/8", 404, "NOT_FOUND", "草案"},
		{"draft for staff", "viewer", "/api/policies/8", 200, `"link":"https://example.com/original"`, ""},
		{"missing", "viewer", "/api/policies/99", 404, "NOT_FOUND", ""},
		{"match of a visitor", "", "/api/policies/match", 401, "SIGN_IN_REQUIRED", "禾谷坊"},
		{"match of staff", "viewer", "/api/policies/match", 403, "FORBIDDEN", ""},
		{"match", "baker", "/api/policies/match", 200, `"enterprise":"禾谷坊烘焙有限公司"`, "云脉"},
		{"match says another company", "baker", "/api/policies/match?enterpriseId=71", 200, "禾谷坊", "云脉"},
		{"match without a company", "alone", "/api/policies/match", 409, "NO_COMPANY", ""},
		{"match by a sentence", "baker", "/api/policies/match?q=带徒师傅补贴", 200, "新型学徒制", "烘焙餐饮"},
		{"counts", "baker", "/api/policies/match/summary", 200, `"eligible":2,"possible":1,"nearly":1`, ""},
		{"counts of a visitor", "", "/api/policies/match/summary", 401, "", ""},
		{"one match", "coder", "/api/policies/1/match", 200, `"group":"not_eligible"`, "禾谷坊"},
		{"match of a draft", "coder", "/api/policies/8/match", 404, "NOT_FOUND", ""},
		{"quick", "", "/api/policies/quick-match?industry=14&employees=14&revenue=328.5", 200, `"328.5 万元"`, ""},
		{"quick, full width", "", "/api/policies/quick-match?employees=%EF%BC%91%EF%BC%92", 200, `"12 人"`, ""},
		{"quick, wrong", "", "/api/policies/quick-match?employees=x&revenue=1.0000001&years=-1", 422, `"field":"employees"`, ""},
		{"quick, wrong industry", "", "/api/policies/quick-match?industry=99", 422, `"field":"industry"`, ""},
		{"choices", "", "/api/policies/quick-match/choices", 200, "食品制造业", ""},
	} {
		status, body := b.get(c.who, c.path)
		if status != c.status || !strings.Contains(body, c.has) || c.lacks != "" && strings.Contains(body, c.lacks) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}

func TestListsAreNeverNull(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	for path, lists := range map[string][]string{
		"/api/policies/7": {"clauses", "faq", "materials", "conditions", "history"}, "/api/policies/match": {"groups", "facts", "wanted"}, "/api/policies/7/match": {"lines", "missing", "facts"},
		"/api/policies/quick-match": {"groups", "facts", "wanted"},
	} {
		_, body := b.get("baker", path)
		var v map[string]any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		for _, name := range lists {
			if _, ok := v[name].([]any); !ok {
				t.Errorf("%s: %s is %v", path, name, v[name])
			}
		}
	}
}

func TestPortalPages(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	for _, c := range []struct {
		name, who, path string
		status          int
		has             []string
		lacks           []string
	}{
		{"list", "", "/policies", 200, []string{"共 <strong class=\"num\">7</strong>", "烘焙餐饮小店提质措施", "最高 10 万元"}, []string{"草案"}},
		{"filters are links", "", "/policies?topic=funding&q=软件", 200, []string{`href="/policies?q=%E8%BD%AF%E4%BB%B6"`, "<mark>软件</mark>", `name="topic" value="funding"`}, []string{"新型学徒制"}},
		{"sentence", "", "/policies?q=想找带徒师傅的补贴怎么办", 200, []string{"以下是最接近的政策", "新型学徒制"}, nil},
		{"nothing", "", "/policies?q=航天发射", 200, []string{"没有找到符合条件的政策"}, nil},
		{"too short", "", "/policies?q=x", 422, []string{"请至少输入两个字"}, []string{"没有找到"}},
		{"all filters are links", "", "/policies", 200, []string{`href="/policies?kind=tax"`, `href="/policies?region=110112010"`, `href="/policies?industry=C"`, `href="/policies?window=closing"`, "更多筛选"}, []string{"清除条件"}},
		{"a filter that is rare stands open", "", "/policies?industry=C&window=open", 200, []string{`<details class="filter-more" open>`, "制造业<svg", "清除条件", `href="/policies?window=open"`, `name="industry" value="C"`}, nil},
		{"nothing of a kind", "", "/policies?kind=space", 200, []string{"目前没有“场地支持”的政策", "清除条件，查看全部政策"}, nil},
		{"no such industry", "", "/policies?industry=ZZ", 422, nil, nil},
		{"behind the end", "", "/policies?page=9", 200, []string{"这一页没有内容"}, nil},
		{"detail of a visitor", "", "/policies/1", 200, []string{"看看本企业是否符合", "第一条", "被列入严重失信主体名单", "连锁店可以每家都报吗", "营业执照"}, []string{"与本企业的匹配"}},
		{"detail", "baker", "/policies/1", 200, []string{"与本企业的匹配", "为禾谷坊烘焙有限公司判定", "企业自报，未经核实", "来源：企业填报，截至 2026年10月8日", "本企业：14 人", "需人工判定"}, []string{"该条件无法由数据判定"}},
		{"detail without conditions", "baker", "/policies/7", 200, []string{"需人工判定"}, nil},
		{"detail without a company", "alone", "/policies/1", 200, []string{"还没有关联企业"}, nil},
		{"draft", "", "/policies/8", 404, nil, []string{"草案"}},
		{"draft for staff", "viewer", "/policies/8", 200, []string{"本政策未发布", "草案&lt;script&gt;", `href="https://example.com/original"`}, []string{"草案<script>"}},
		{"match", "baker", "/policies/match", 200, []string{"为禾谷坊烘焙有限公司匹配", `href="/company"`, "只差一项：从业人员，还差 6 人", "判定依据", "接近"}, []string{"云脉", "所填内容加密保存"}},
		{"match by a sentence", "baker", "/policies/match?q=带徒师傅", 200, []string{"新型学徒制"}, []string{"数字化转型"}},
		{"match, too short", "baker", "/policies/match?q=x", 422, []string{"请至少输入两个字", "数字化转型"}, nil},
		{"match without a company", "alone", "/policies/match", 200, []string{"还没有关联企业", "所属行业"}, nil},
		{"visitor's form", "", "/policies/match", 200, []string{`<optgroup label="制造业">`, "所填内容加密保存"}, []string{"判定依据"}},
		{"visitor's answer", "", "/policies/match?industry=14&region=110112&years=3&employees=14&revenue=328", 200, []string{`value="14" selected`, "数字化转型服务券", "本次没有填写", "判定依据"}, []string{"企业自报", "/company"}},
		{"visitor's mistake", "", "/policies/match?employees=many", 422, []string{"从业人员应为整数", `value="many"`}, []string{"判定依据"}},
		{"owner tries another set", "baker", "/policies/match?quick=1&employees=30", 200, []string{"返回本企业的匹配结果", `name="quick" value="1"`}, []string{"禾谷坊", "登录后"}},
	} {
		status, html := b.get(c.who, c.path)
		if status != c.status {
			t.Errorf("%s: %d %s", c.name, status, html)
		}
		for _, x := range c.has {
			if !strings.Contains(html, x) {
				t.Errorf("%s lacks %q: %s", c.name, x, html)
			}
		}
		for _, x := range c.lacks {
			if strings.Contains(html, x) {
				t.Errorf("%s has %q", c.name, x)
			}
		}
	}
}
