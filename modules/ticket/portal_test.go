package ticket_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

func mustServePortal(t *testing.T) browser {
	t.Helper()
	return servePortal(t, mustNew(t))
}

func servePortal(t *testing.T, f fixture) browser {
	t.Helper()
	b := serve(t, f)
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: clock.NewFake(start)})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	if err := b.service.Pages(b.edge, pages); err != nil {
		t.Fatal(err)
	}
	return b
}

// send posts a form, or gets the page when there is none, and returns status, address led to, and page.
func (b browser) send(who, path string, form url.Values) (int, string, string) {
	b.t.Helper()
	method, body := "GET", ""
	if form != nil {
		_, csrf := b.do(who, "GET", "/csrf", "")
		form.Set("_csrf", csrf)
		method, body = "POST", form.Encode()
	}
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Cookie", web.SessionCookieName+"="+who)
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
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

var keyField = regexp.MustCompile(`name="key" value="([^"]+)"`)

func TestTheRequestersPages(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	if status, _, html := b.send("baker", "/tickets", nil); status != 200 || !strings.Contains(html, "还没有提交过诉求") {
		t.Fatalf("empty list: %d %s", status, html)
	}
	if status, _, html := b.send("baker", "/tickets/new", nil); status != 200 || !strings.Contains(html, "劳动用工") || strings.Contains(html, `name="title"`) {
		t.Fatalf("choose: %d %s", status, html)
	}
	if status, _, html := b.send("baker", "/tickets/new?type=", nil); status != 422 || !strings.Contains(html, "请选择诉求类型") {
		t.Fatalf("chosen nothing: %d %s", status, html)
	}
	_, _, html := b.send("baker", "/tickets/new?type=labour", nil)
	key := keyField.FindStringSubmatch(html)
	if key == nil || !strings.Contains(html, "劳动用工") {
		t.Fatalf("form: %s", html)
	}
	form := url.Values{"key": {key[1]}, "type": {"labour"}, "title": {""}, "body": {"<script>alert(1)</script>𠮷"}}
	status, _, html := b.send("baker", "/tickets", form)
	if status != 422 || !strings.Contains(html, "请填写标题") || !strings.Contains(html, "&lt;script&gt;") || strings.Contains(html, "<script>alert") {
		t.Fatalf("refused form: %d %s", status, html)
	}
	form.Set("title", "补贴如何申请")
	for range 2 {
		status, to, html := b.send("baker", "/tickets", form)
		if status != 303 || to != "/tickets/1?done=opened" {
			t.Fatalf("sent: %d %q %s", status, to, html)
		}
	}
	if _, _, html := b.send("baker", "/tickets", nil); strings.Count(html, "item-card") != 1 || !strings.Contains(html, "待处理") {
		t.Errorf("list: %s", html)
	}
	status, _, html = b.send("baker", "/tickets/1", nil)
	if status != 200 || !strings.Contains(html, "GD20261122-000001") || !strings.Contains(html, "预计答复") || strings.Contains(html, "<script>alert") || strings.Contains(html, "13800138000") {
		t.Errorf("detail: %d %s", status, html)
	}
	for _, who := range []string{"rival", "desk", "nobody"} {
		if status, _, html := b.send(who, "/tickets/1", nil); status < 400 || strings.Contains(html, "补贴") {
			t.Errorf("%s: %d %s", who, status, html)
		}
	}
	b.do("desk", "POST", "/api/tickets/1/answer", `{"version":1,"text":"可在线申报"}`)
	b.do("desk", "POST", "/api/tickets/1/close", `{"version":2}`)
	_, _, html = b.send("baker", "/tickets/1", nil)
	if !strings.Contains(html, "评价办理结果") || !strings.Contains(html, "可在线申报") || strings.Contains(html, "预计答复") {
		t.Fatalf("closed: %s", html)
	}
	if _, _, html := b.send("baker", "/tickets", nil); !strings.Contains(html, "请为这次办理评价") {
		t.Errorf("the list does not ask for the judgement: %s", html)
	}
	rating := url.Values{"key": keyField.FindStringSubmatch(html)[1:], "version": {"3"}}
	if status, _, html := b.send("baker", "/tickets/1/rate", rating); status != 422 || !strings.Contains(html, "请选择满意程度") {
		t.Errorf("no stars: %d %s", status, html)
	}
	rating.Set("rating", "5")
	if status, to, _ := b.send("baker", "/tickets/1/rate", rating); status != 303 || to != "/tickets/1?done=rated" {
		t.Errorf("rated: %d %s", status, to)
	}
	if _, _, html := b.send("baker", "/tickets/1", nil); !strings.Contains(html, "非常满意") || strings.Contains(html, "评价办理结果") {
		t.Errorf("after rating: %s", html)
	}
}

func TestTheRequesterSupplementsOnThePortal(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	b.do("baker", "POST", "/api/tickets", `{"type":"labour","title":"补贴","body":"如何申请","source":"portal"}`)
	b.do("desk", "POST", "/api/tickets/1/dispatch", `{"version":1,"unitId":10}`)
	b.do("bureau", "POST", "/api/tickets/1/sign", `{"version":2}`)
	if status, body := b.do("desk", "POST", "/api/tickets/1/suspend", `{"version":3,"reason":"请提供<b>劳动合同</b>"}`); status != 200 {
		t.Fatal(status, body)
	}
	_, _, html := b.send("baker", "/tickets/1", nil)
	if !strings.Contains(html, "请补充材料") || !strings.Contains(html, "请提供&lt;b&gt;劳动合同") || !strings.Contains(html, "暂停计算") || strings.Contains(html, "已挂起") {
		t.Fatalf("suspended: %s", html)
	}
	if _, _, html := b.send("baker", "/tickets", nil); !strings.Contains(html, "请补充材料后继续办理") || strings.Contains(html, "已挂起") {
		t.Errorf("the list does not say what is to be done: %s", html)
	}
	form := url.Values{"key": keyField.FindStringSubmatch(html)[1:], "version": {"4"}}
	if status, _, html := b.send("baker", "/tickets/1/supplement", form); status != 422 || !strings.Contains(html, "请填写补充说明") {
		t.Errorf("nothing written: %d %s", status, html)
	}
	form.Set("text", "合同已寄出")
	if status, _, _ := b.send("rival", "/tickets/1/supplement", form); status != 404 {
		t.Errorf("a rival supplements: %d", status)
	}
	if status, to, _ := b.send("baker", "/tickets/1/supplement", form); status != 303 || to != "/tickets/1?done=supplemented" {
		t.Errorf("sent: %d %s", status, to)
	}
	if _, _, html := b.send("baker", "/tickets/1", nil); !strings.Contains(html, "合同已寄出") || !strings.Contains(html, "办理中") || strings.Contains(html, `name="text"`) {
		t.Errorf("afterwards: %s", html)
	}
}

// TestTheFormOfATypeOnThePortal fills own fields without a script, is warned of an open request that is alike, and asks how it
// stands with number and code.
func TestTheFormOfATypeOnThePortal(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	if _, err := b.service.SetForm(context.Background(), desk, "power", 1, supply, ""); err != nil {
		t.Fatal(err)
	}
	_, _, html := b.send("baker", "/tickets/new?type=power", nil)
	for _, want := range []string{`type="checkbox" id="f-fields.kind-0" name="fields.kind" value="停水"`, `type="radio" id="f-fields.scope-0"`, `name="fields.since" type="date"`, `name="fields.onSite" type="tel"`, "万元"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s", want)
		}
	}
	form := func() url.Values {
		return url.Values{"key": keyField.FindStringSubmatch(html)[1:], "type": {"power"}, "title": {"园区停电"}, "body": {"二号楼停电半天"}, "fields.kind": {"停水", "停电"}, "fields.loss": {"abc"}, "fields.halted": {"no"}}
	}
	bad := form()
	status, _, again := b.send("baker", "/tickets", bad)
	if status != 422 || !strings.Contains(again, "损失应为数字") || !strings.Contains(again, `value="停电" checked`) || !strings.Contains(again, `href="#f-fields.loss"`) {
		t.Fatalf("refused: %d %s", status, again)
	}
	good := form()
	good.Set("fields.loss", "3")
	for range 2 {
		if status, to, html := b.send("baker", "/tickets", good); status != 303 || to != "/tickets/1?done=opened" {
			t.Fatalf("sent: %d %q %s", status, to, html)
		}
	}
	if _, _, html := b.send("baker", "/tickets/1", nil); !strings.Contains(html, "停水、停电") || !strings.Contains(html, "3 万元") {
		t.Errorf("detail: %s", html)
	}
	_, _, html = b.send("baker", "/tickets/new?type=power", nil)
	second := form()
	second.Set("fields.loss", "")
	if status, _, html := b.send("baker", "/tickets", second); status != 200 || !strings.Contains(html, "您已有相似的诉求在办理") || !strings.Contains(html, "/tickets/1") {
		t.Errorf("hint: %d %s", status, html)
	}
	second.Set("again", "1")
	if status, to, _ := b.send("baker", "/tickets", second); status != 303 || to != "/tickets/2?done=opened" {
		t.Errorf("another matter: %d %s", status, to)
	}
	var v struct{ Number, QueryCode string }
	if _, body := b.do("desk", "POST", "/api/tickets", `{"type":"labour","title":"补贴","body":"如何申请","source":"agent","contactName":"李芳","phone":"13911112222"}`); json.Unmarshal([]byte(body), &v) != nil {
		t.Fatal(body)
	}
	visit := b.visitor("/tickets/query")
	if status, html := visit(url.Values{"number": {v.Number}, "code": {"12"}}); status != 422 || !strings.Contains(html, "流水号或查询码不正确") || strings.Contains(html, "图形验证码") {
		t.Errorf("wrong code: %d %s", status, html)
	}
	if status, html := visit(url.Values{"number": {v.Number}, "code": {v.QueryCode}}); status != 200 || !strings.Contains(html, "办理进度") || strings.Contains(html, "李芳") {
		t.Errorf("asked: %d %s", status, html)
	}
}

// visitor opens a page without an account and returns what posts its form.
func (b browser) visitor(path string) func(url.Values) (int, string) {
	b.t.Helper()
	req := httptest.NewRequest("GET", path, nil)
	first, err := b.edge.App.Test(req, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	html, err := io.ReadAll(first.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	token := regexp.MustCompile(`name="_csrf" value="([^"]+)"`).FindSubmatch(html)
	if token == nil {
		b.t.Fatalf("no form: %s", html)
	}
	return func(form url.Values) (int, string) {
		b.t.Helper()
		form.Set("_csrf", string(token[1]))
		req := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
		for _, c := range first.Cookies() {
			req.AddCookie(c)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", "text/html")
		res, err := b.edge.App.Test(req, -1)
		if err != nil {
			b.t.Fatal(err)
		}
		html, err := io.ReadAll(res.Body)
		if err != nil {
			b.t.Fatal(err)
		}
		return res.StatusCode, string(html)
	}
}

// TestTheAreaOnThePortal chooses a street or town without a script.
func TestTheAreaOnThePortal(t *testing.T) {
	t.Parallel()
	b := servePortal(t, located(t))
	_, _, html := b.send("baker", "/tickets/new?type=labour", nil)
	if !strings.Contains(html, `<option value="114">台湖镇</option>`) || !strings.Contains(html, "不清楚的不用选择") {
		t.Fatalf("form: %s", html)
	}
	form := url.Values{"key": keyField.FindStringSubmatch(html)[1:], "type": {"labour"}, "title": {""}, "body": {"门店在漷县镇，招了三人"}, "area": {"114"}}
	if status, _, again := b.send("baker", "/tickets", form); status != 422 || !strings.Contains(again, `<option value="114" selected>台湖镇</option>`) {
		t.Fatalf("refused: %d %s", status, again)
	}
	form.Set("title", "用工补贴")
	form.Set("area", "999")
	if status, _, again := b.send("baker", "/tickets", form); status != 422 || !strings.Contains(again, `href="#f-area"`) {
		t.Errorf("an unknown place: %d %s", status, again)
	}
	form.Set("area", "114")
	if status, to, html := b.send("baker", "/tickets", form); status != 303 {
		t.Fatalf("sent: %d %q %s", status, to, html)
	}
	if _, _, html := b.send("baker", "/tickets/1", nil); !strings.Contains(html, "台湖镇") || b.house.see(t, desk, ticket.View{Item: ticket.Item{ID: 1}}).Area != "114" {
		t.Errorf("the place chosen is not that of the ticket: %s", html)
	}
}
