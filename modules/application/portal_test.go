package application_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

func mustServePortal(t *testing.T) browser {
	t.Helper()
	b := mustServe(t)
	renderer, err := page.New(page.Options{District: "测试区", Site: page.SiteInfo{Name: "惠企台"}, Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	pages := &web.Pages{Renderer: renderer, User: func(_ context.Context, a access.Actor) (*page.User, error) { return &page.User{Name: a.Name}, nil }}
	if err := b.Service.Pages(b.edge, pages); err != nil {
		t.Fatal(err)
	}
	return b
}

// form is what a browser without scripts sends; a value that begins with @ is a file of that name.
type posted map[string]string

// send posts a form, or gets the page when there is none, and returns status, address led to, and page.
func (b browser) send(who, path string, f posted) (int, string, string) {
	b.t.Helper()
	method, kind := "GET", ""
	var body bytes.Buffer
	if f != nil {
		_, csrf := b.do(who, "GET", "/csrf", "")
		w := multipart.NewWriter(&body)
		_ = w.WriteField("_csrf", csrf)
		for name, value := range f {
			if file, ok := strings.CutPrefix(value, "@"); ok {
				part, _ := w.CreateFormFile(name, file)
				if file != "" && file != "empty.pdf" {
					_, _ = part.Write([]byte("%PDF-1.7"))
				}
				continue
			}
			_ = w.WriteField(name, value)
		}
		_ = w.Close()
		method, kind = "POST", w.FormDataContentType()
	}
	req := httptest.NewRequest(method, path, &body)
	req.Header.Set("Cookie", web.SessionCookieName+"="+who)
	req.Header.Set("Accept", "text/html")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
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

func mustKey(t *testing.T, html string) string {
	t.Helper()
	m := keyField.FindStringSubmatch(html)
	if m == nil {
		t.Fatalf("no key in %s", html)
	}
	return m[1]
}

func TestApplyingWithoutAScript(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	if status, _, html := b.send("baker", "/applications", nil); status != 200 || !strings.Contains(html, "还没有提交过申请") {
		t.Fatalf("empty list: %d %s", status, html)
	}
	status, _, html := b.send("baker", "/products/500/apply", nil)
	for _, part := range []string{"10 万元至 300 万元", `value="王芳"`, "138****8000", "近六个月流水", "12345", "enctype=\"multipart/form-data\""} {
		if status != 200 || !strings.Contains(html, part) {
			t.Fatalf("form without %q: %d %s", part, status, html)
		}
	}
	f := posted{"key": mustKey(t, html), "action": "submit", "amount": "一百", "term": "12", "purpose": "<script>alert(1)</script>𠮷", "collateral": "", "contactName": "王芳", "phone": "", "files": "@流水.pdf"}
	status, _, html = b.send("baker", "/products/500/apply", f)
	for _, part := range []string{"申请金额应为数字", "&lt;script&gt;", `value="一百"`, "移除 流水.pdf", `href="#f-amount"`} {
		if status != 422 || !strings.Contains(html, part) {
			t.Fatalf("refused form without %q: %d %s", part, status, html)
		}
	}
	if strings.Contains(html, "<script>alert") {
		t.Error("markup is not escaped")
	}
	f["amount"], f["action"], f["files"] = "５0万", "save", "@"
	if status, to, html := b.send("baker", "/products/500/apply", f); status != 303 || to != "/products/500/apply?done=saved" {
		t.Fatalf("saved: %d %s %s", status, to, html)
	}
	if _, _, html := b.send("baker", "/applications", nil); !strings.Contains(html, "草稿") || !strings.Contains(html, "/products/500/apply") {
		t.Errorf("list with the draft: %s", html)
	}
	_, _, html = b.send("baker", "/products/500/apply?done=saved", nil)
	if !strings.Contains(html, "草稿已保存") || !strings.Contains(html, `value="５0万"`) || !strings.Contains(html, "移除 流水.pdf") {
		t.Errorf("continued: %s", html)
	}
	f["key"], f["action"] = mustKey(t, html), "submit"
	for range 2 {
		if status, to, html := b.send("baker", "/products/500/apply", f); status != 303 || to != "/applications/1?done=submitted" {
			t.Fatalf("sent: %d %q %s", status, to, html)
		}
	}
	if status, to, _ := b.send("baker", "/products/500/apply", nil); status/100 != 3 || to != "/applications/1?done=open" {
		t.Errorf("applying again leads to %d %s", status, to)
	}
	if status, to, _ := b.send("baker", "/products/501/apply", posted{"action": "discard"}); status != 303 || to != "/applications?done=discarded" {
		t.Errorf("discarded: %d %s", status, to)
	}
	_, _, html = b.send("baker", "/applications", nil)
	if strings.Count(html, "item-card") != 1 || !strings.Contains(html, "待受理") || !strings.Contains(html, "50 万元") {
		t.Errorf("list: %s", html)
	}
	status, _, html = b.send("baker", "/applications/1?done=submitted", nil)
	for _, part := range []string{"SQ20261124-000001", "申请已提交", "50 万元", "010-88880030", "12345", "下一步", "2026年11月26日 18:00 前", "/applications/1/withdraw"} {
		if status != 200 || !strings.Contains(html, part) {
			t.Errorf("detail without %q: %d %s", part, status, html)
		}
	}
	if strings.Contains(html, "13800138000") || strings.Contains(html, "ZgotmplZ") {
		t.Errorf("detail shows too much: %s", html)
	}
	for _, who := range []string{"rival", "bank", "nobody"} {
		for _, path := range []string{"/applications/1", "/applications/1/withdraw"} {
			if status, _, html := b.send(who, path, nil); status < 400 || strings.Contains(html, "烘焙贷") {
				t.Errorf("%s at %s: %d %s", who, path, status, html)
			}
		}
	}
}

func TestSupplyingAndWithdrawingWithoutAScript(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	ctx := context.Background()
	v := b.mustSubmit(t, baker, want(""))
	must(b.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(v), Reason: "请补充完整租赁合同"}))(t)
	_, _, html := b.send("baker", "/applications/1", nil)
	if !strings.Contains(html, "请补充完整租赁合同") || !strings.Contains(html, "提交补充材料") {
		t.Fatalf("asked: %s", html)
	}
	f := posted{"key": mustKey(t, html), "version": "2", "note": "", "files": "@合同.pdf"}
	if status, _, html := b.send("baker", "/applications/1/supplement", f); status != 422 || !strings.Contains(html, "请填写补充说明") {
		t.Errorf("without a note: %d %s", status, html)
	}
	f["note"], f["files"] = "已补传", "@empty.pdf"
	if status, _, html := b.send("baker", "/applications/1/supplement", f); status != 422 || !strings.Contains(html, "“empty.pdf”没有上传") || !strings.Contains(html, "已补传") {
		t.Errorf("empty file: %d %s", status, html)
	}
	if status, _, _ := b.send("rival", "/applications/1/supplement", f); status != 404 {
		t.Errorf("a rival supplies: %d", status)
	}
	f["files"] = "@合同.pdf"
	for range 2 {
		if status, to, html := b.send("baker", "/applications/1/supplement", f); status != 303 || to != "/applications/1?done=supplied" {
			t.Fatalf("supplied: %d %s %s", status, to, html)
		}
	}
	if got := must(b.Get(ctx, banker, 1))(t); got.Status != application.Waiting || len(got.Files) != 1 {
		t.Errorf("%+v", got)
	}
	status, _, html := b.send("baker", "/applications/1/withdraw", nil)
	if status != 200 || !strings.Contains(html, "不能恢复") {
		t.Fatalf("withdraw: %d %s", status, html)
	}
	g := posted{"key": mustKey(t, html), "version": "1", "reason": "选错产品"}
	if status, _, html := b.send("baker", "/applications/1/withdraw", g); status != 422 || !strings.Contains(html, "请刷新后再办理") {
		t.Errorf("stale: %d %s", status, html)
	}
	g["version"], g["key"] = "3", "k2"
	if status, to, html := b.send("baker", "/applications/1/withdraw", g); status != 303 || to != "/applications/1?done=withdrawn" {
		t.Fatalf("withdrawn: %d %s %s", status, to, html)
	}
	_, _, html = b.send("baker", "/applications/1?done=withdrawn", nil)
	if !strings.Contains(html, "已撤回") || !strings.Contains(html, "选错产品") || strings.Contains(html, "/applications/1/withdraw") {
		t.Errorf("after: %s", html)
	}
	for state, n := range map[string]int{"": 1, "ended": 1, "open": 0, "todo": 0} {
		if _, _, html := b.send("baker", "/applications?state="+state, nil); strings.Count(html, "item-card") != n {
			t.Errorf("list of %q: %s", state, html)
		}
	}
}

func TestWhatStandsInTheWayIsSaid(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	_, _, html := b.send("unverified", "/products/501/apply", nil)
	if !strings.Contains(html, "还没有完成企业认证") || !strings.Contains(html, "去认证企业") {
		t.Fatalf("unverified: %s", html)
	}
	f := posted{"key": mustKey(t, html), "action": "submit", "purpose": "代理记账"}
	status, _, html := b.send("unverified", "/products/501/apply", f)
	if status != 409 || !strings.Contains(html, "去认证企业") || !strings.Contains(html, "代理记账") {
		t.Errorf("unverified sends: %d %s", status, html)
	}
	b.offers.takeDown(501)
	status, _, html = b.send("unverified", "/products/501/apply", nil)
	if status != 200 || !strings.Contains(html, "该产品已下架") || !strings.Contains(html, "代理记账") || strings.Contains(html, ">提交申请<") {
		t.Errorf("taken down: %d %s", status, html)
	}
	if status, _, _ := b.send("baker", "/products/501/apply", nil); status != 404 {
		t.Errorf("a product that is down: %d", status)
	}
	if status, _, html := b.send("baker", "/products/501/apply", f); status != 409 || !strings.Contains(html, "已下架") {
		t.Errorf("sends for a product that is down: %d %s", status, html)
	}
}

// TestEveryStatusSaysWhatIsNextAndWhomToCall brings a loan and a service through every state an application has: each says what
// happens next and gives the telephone of the institution and of the desk, in the answer to programs and on the page.
func TestEveryStatusSaysWhatIsNextAndWhomToCall(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	ctx := context.Background()
	reached, words := map[application.Status]bool{}, map[string]string{}
	// look reads the application as the company does, after a step.
	look := func(v application.View) application.View {
		t.Helper()
		v = must(b.Get(ctx, baker, v.ID))(t)
		reached[v.Status] = true
		phone := "010-8888" + fmt.Sprintf("%04d", v.InstitutionID)
		if v.Next == "" || v.InstitutionPhone != phone || v.Hotline != "12345" {
			t.Errorf("%s %s: %q, %q, %q", v.ProductName, v.Status, v.Next, v.InstitutionPhone, v.Hotline)
		}
		if of, ok := words[v.Next]; ok && of != v.Status.Label() {
			t.Errorf("%s and %s say the same: %s", of, v.Status.Label(), v.Next)
		}
		words[v.Next] = v.Status.Label()
		status, _, html := b.send("baker", fmt.Sprintf("/applications/%d", v.ID), nil)
		for _, part := range []string{v.Status.Label(), v.Next, `href="tel:` + phone + `"`, "12345"} {
			if status != 200 || !strings.Contains(html, part) {
				t.Errorf("%s %s: %d, the page lacks %q", v.ProductName, v.Status, status, part)
			}
		}
		return v
	}
	v := look(b.mustSubmit(t, baker, want("")))
	v = look(must(b.AskSupplement(ctx, banker, application.AskSupplement{Ref: ref(v), Reason: "流水"}))(t))
	v = look(must(b.Supplement(ctx, baker, application.Supplement{Ref: ref(v), Note: "已补"}))(t))
	v = look(must(b.Accept(ctx, banker, application.Accept{Ref: ref(v)}))(t))
	v = look(must(b.Investigate(ctx, banker, looked(v)))(t))
	v = look(must(b.Approve(ctx, banker, application.Approve{Ref: ref(v), Loan: application.Loan{Amount: 40_000_000, Rate: 385, Term: 12}}))(t))
	v = look(must(b.Disburse(ctx, banker, application.Disburse{Ref: ref(v), Amount: 40_000_000}))(t))
	look(must(b.Complete(ctx, banker, application.Complete{Ref: ref(v), Note: "资金到账"}))(t))
	look(must(b.Decline(ctx, banker, application.Decline{Ref: ref(b.mustSubmit(t, baker, want(""))), Reason: "不符合条件"}))(t))
	look(must(b.Withdraw(ctx, baker, application.Withdraw{Ref: ref(b.mustSubmit(t, baker, want("")))}))(t))

	v = look(b.mustSubmit(t, baker, tax()))
	v = look(must(b.Accept(ctx, taxman, application.Accept{Ref: ref(v)}))(t))
	v = look(must(b.MakePlan(ctx, taxman, application.MakePlan{Ref: ref(v), Steps: twoSteps}))(t))
	v = look(must(b.Deliver(ctx, taxman, application.Deliver{Ref: ref(v), Note: "申报回执见附件"}))(t))
	look(must(b.Confirm(ctx, baker, application.Confirm{Ref: ref(v)}))(t))

	for _, step := range application.Lifecycle() {
		if step.To != application.Earlier && !reached[step.To] {
			t.Errorf("no application was looked at in %s", step.To)
		}
	}
}
