package application_test

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

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

type browser struct {
	t    *testing.T
	edge *web.Server
	fixture
}

func mustServe(t *testing.T) browser {
	t.Helper()
	f := mustNew(t)
	people := map[string]access.Actor{"baker": baker, "rival": boss(8, 71), "unverified": boss(9, 79), "bank": banker, "tax": taxman, "platform": platform}
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
	application.Register(edge.API, f.Service)
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	return browser{t, edge, f}
}

func (b browser) do(who, method, path, body string) (int, string) {
	b.t.Helper()
	send := func(method, path, body, csrf string) (int, string) {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Cookie", web.SessionCookieName+"="+who)
		req.Header.Set("Content-Type", "application/json")
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

func TestTheDeskOverHTTP(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	loan := `{"productId":500,"amount":50000000,"term":12,"purpose":"更换节能烤箱","source":"h5","fileIds":[701]}`
	typed := `{"amount":"50","term":"","purpose":"烤箱","collateral":"","contactName":"","phone":"","files":[{"id":701,"name":"流水.pdf","size":9}]}`
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		has, lacks                    string
	}{
		{"visitor", "nobody", "GET", "/api/applications", "", 401, "SIGN_IN_REQUIRED", ""},
		{"form", "baker", "GET", "/api/application-forms/500", "", 200, `"amountMin":10000000`, "13800138000"},
		{"form of nothing", "baker", "GET", "/api/application-forms/999", "", 404, "NOT_FOUND", ""},
		{"form for staff", "bank", "GET", "/api/application-forms/500", "", 403, "FORBIDDEN", ""},
		{"save", "baker", "POST", "/api/application-drafts/500", typed, 200, `"savedAt"`, ""},
		{"draft in the form", "baker", "GET", "/api/application-forms/500", "", 200, `"流水.pdf"`, ""},
		{"drafts", "baker", "GET", "/api/application-drafts", "", 200, `"productName":"烘焙贷"`, ""},
		{"drafts of a rival", "rival", "GET", "/api/application-drafts", "", 200, `"items":[]`, ""},
		{"discard", "rival", "POST", "/api/application-drafts/500/discard", "", 204, "", ""},
		{"unverified", "unverified", "POST", "/api/applications", `{"productId":500,"amount":50000000,"term":12,"purpose":"烤箱","source":"h5"}`, 409, "ENTERPRISE_UNVERIFIED", ""},
		{"too much", "baker", "POST", "/api/applications", `{"productId":500,"amount":900000000,"term":12,"purpose":"烤箱","source":"h5"}`, 422, `"field":"amount"`, ""},
		{"fractions of a yuan", "baker", "POST", "/api/applications", `{"productId":500,"amount":50123450,"term":12,"purpose":"烤箱","source":"h5"}`, 422, "申请金额最多 4 位小数", ""},
		{"a term of -1", "baker", "POST", "/api/applications", `{"productId":500,"amount":50000000,"term":-1,"purpose":"烤箱","source":"h5"}`, 422, "申请期限应为整数", ""},
		{"of nothing", "baker", "POST", "/api/applications", `{"productId":999,"purpose":"烤箱","source":"h5"}`, 409, "PRODUCT_UNLISTED", ""},
		{"submit", "baker", "POST", "/api/applications", loan, 200, `"number":"SQ20261124-000001"`, "13800138000"},
		{"submit twice", "baker", "POST", "/api/applications", loan, 200, `"id":1,`, ""},
		{"submit another", "baker", "POST", "/api/applications", loan + " ", 409, "SQ20261124-000001", ""},
		{"mine", "baker", "GET", "/api/applications", "", 200, "烘焙贷", ""},
		{"rival's list", "rival", "GET", "/api/applications", "", 200, `"items":[]`, ""},
		{"rival opens it", "rival", "GET", "/api/applications/1", "", 404, "NOT_FOUND", "烘焙贷"},
		{"other institution opens it", "tax", "GET", "/api/applications/1", "", 404, "NOT_FOUND", "烘焙贷"},
		{"other institution accepts", "tax", "POST", "/api/applications/1/accept", `{"version":1}`, 404, "NOT_FOUND", ""},
		{"other institution calls", "tax", "POST", "/api/applications/1/telephone", "", 404, "NOT_FOUND", ""},
		{"platform calls", "platform", "POST", "/api/applications/1/telephone", "", 403, "FORBIDDEN", ""},
		{"bank", "bank", "GET", "/api/applications?waiting=true", "", 200, "SQ20261124-000001", ""},
		{"no such state", "bank", "GET", "/api/applications?status=lost", "", 422, `"field":"status"`, ""},
		{"bank calls", "bank", "POST", "/api/applications/1/telephone", "", 200, `"phone":"13800138000"`, ""},
		{"baker accepts", "baker", "POST", "/api/applications/1/accept", `{"version":1}`, 403, "FORBIDDEN", ""},
		{"decline without reason", "bank", "POST", "/api/applications/1/decline", `{"version":1}`, 422, `"field":"reason"`, ""},
		{"ask", "bank", "POST", "/api/applications/1/ask-supplement", `{"version":1,"reason":"近三个月流水"}`, 200, `"status":"supplement"`, ""},
		{"supply with a foreign file", "baker", "POST", "/api/applications/1/supplement", `{"version":2,"note":"已补","fileIds":[6001]}`, 404, "NOT_FOUND", ""},
		{"supply", "baker", "POST", "/api/applications/1/supplement", `{"version":2,"note":"已补充","fileIds":[702]}`, 200, `"status":"submitted"`, ""},
		{"accept a batch", "bank", "POST", "/api/application-batches/accept", `{"items":[{"id":1,"version":3},{"id":2,"version":1}]}`, 200, `"ok":false`, ""},
		{"withdraw stale", "baker", "POST", "/api/applications/1/withdraw", `{"version":3}`, 409, "运河银行", "赵强"},
		{"colleagues", "bank", "GET", "/api/application-colleagues", "", 200, "钱丽", ""},
		{"hand over", "bank", "POST", "/api/applications/1/hand-over", `{"version":4,"userId":61,"note":"休假"}`, 200, `"handlerName":"钱丽"`, ""},
		{"she reads no names", "baker", "GET", "/api/applications/1", "", 200, `"handlerName":""`, "钱丽"},
		{"approve too early", "bank", "POST", "/api/applications/1/approve", `{"version":5,"amount":1,"rate":1,"term":1}`, 409, "已受理", ""},
		{"look at the company", "bank", "POST", "/api/applications/1/diligence", `{"version":5,"day":"2026-11-24","way":"on_site","people":"钱丽、赵强","findings":"负债率低于行业均值","fileIds":[6001]}`, 200, `"status":"in_progress"`, ""},
		{"she reads no findings", "baker", "GET", "/api/applications/1", "", 200, "尽职调查", "负债率低于行业均值"},
		{"nor does the platform", "platform", "GET", "/api/applications/1", "", 200, "尽职调查", "负债率低于行业均值"},
		{"grant at 3,600 %", "bank", "POST", "/api/applications/1/approve", `{"version":6,"amount":40000000,"rate":360000,"term":12}`, 422, "年利率应在 0 至 36% 之间", ""},
		{"grant for -1", "bank", "POST", "/api/applications/1/approve", `{"version":6,"amount":40000000,"rate":385,"term":-1}`, 422, "期限应在 1 至 360 个月之间", ""},
		{"approve wrongly", "bank", "POST", "/api/applications/1/approve", `{"version":6,"amount":0,"rate":9999,"term":0}`, 422, `"field":"rate"`, ""},
		{"approve", "bank", "POST", "/api/applications/1/approve", `{"version":6,"amount":40000000,"rate":385,"term":12}`, 200, `"approvedRate":385`, ""},
		{"pay too much", "bank", "POST", "/api/applications/1/disburse", `{"version":7,"amount":40000001}`, 422, `"field":"amount"`, ""},
		{"pay", "bank", "POST", "/api/applications/1/disburse", `{"version":7,"amount":30000000}`, 200, `"status":"disbursed"`, ""},
		{"pay more than is left", "bank", "POST", "/api/applications/1/disburse", `{"version":8,"amount":10000001}`, 422, "尚未放款的 10 万元", ""},
		{"pay the rest", "bank", "POST", "/api/applications/1/disburse", `{"version":8,"amount":10000000,"paidOn":"2026-11-24"}`, 200, `"no":2`, ""},
		{"complete", "bank", "POST", "/api/applications/1/complete", `{"version":9,"note":"资金到账"}`, 200, `"status":"completed"`, ""},
		{"withdraw too late", "baker", "POST", "/api/applications/1/withdraw", `{"version":10}`, 409, "已办结", ""},
		{"decline a batch without reason", "bank", "POST", "/api/application-batches/decline", `{"items":[{"id":1,"version":3}]}`, 422, `"field":"reason"`, ""},
	} {
		status, body := b.do(c.who, c.method, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.has) || (c.lacks != "" && strings.Contains(body, c.lacks)) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}

func TestEveryOperationDeclaresWhoMay(t *testing.T) {
	t.Parallel()
	n := 0
	for _, r := range mustServe(t).edge.Routes() {
		if strings.HasPrefix(r.Path, "/api/application") {
			n++
			if !r.Rule.Declared() || r.Rule.Kind == "public" {
				t.Errorf("%s %s: %+v", r.Method, r.Path, r.Rule)
			}
		}
	}
	if n != 38 {
		t.Errorf("%d operations", n)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	_, body := b.do("baker", "POST", "/api/applications", `{"productId":501,"purpose":"记账","source":"portal"}`)
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"timeline", "files", "actions", "materials"} {
		if _, ok := v[name].([]any); !ok {
			t.Errorf("%s is %v", name, v[name])
		}
	}
	_, body = b.do("rival", "GET", "/api/application-forms/501", "")
	if !strings.Contains(body, `"materials":[]`) {
		t.Errorf("form: %s", body)
	}
}
