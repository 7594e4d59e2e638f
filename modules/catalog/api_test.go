package catalog_test

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

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

type browser struct {
	t    *testing.T
	edge *web.Server
	f    fixture
}

func mustServe(t *testing.T) browser {
	t.Helper()
	f := mustNew(t)
	people := map[string]access.Actor{"banker": banker, "lawyer": lawyer, "first": first, "first2": first2, "second": second, "baker": baker}
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
	catalog.Register(edge.API, f.Service)
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

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheCatalogueOverHTTP(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	draft, wrong := mustJSON(t, loan()), loan()
	wrong.RateMax = 9999
	edited := loan()
	edited.Summary = "给烘焙店的信用贷款"
	for _, c := range []struct {
		name, who, method, path, body string
		status                        int
		has, lacks                    string
	}{
		{"company drafts", "baker", "POST", "/api/managed-products", draft, 403, "FORBIDDEN", ""},
		{"reviewer drafts", "first", "POST", "/api/managed-products", draft, 403, "FORBIDDEN", ""},
		{"wrong rate", "banker", "POST", "/api/managed-products", mustJSON(t, wrong), 422, `"field":"rateMax"`, ""},
		{"draft", "banker", "POST", "/api/managed-products", draft, 200, `"status":"draft"`, ""},
		{"draft twice", "banker", "POST", "/api/managed-products", draft, 200, `"id":1,`, ""},
		{"edit", "banker", "POST", "/api/managed-products/1/edit", `{"version":1,"content":` + mustJSON(t, edited) + `}`, 200, "给烘焙店的信用贷款", ""},
		{"stale edit", "banker", "POST", "/api/managed-products/1/edit", `{"version":1,"content":` + draft + `}`, 409, "柜员小陈", ""},
		{"foreign open", "lawyer", "GET", "/api/managed-products/1", "", 404, "NOT_FOUND", "烘焙"},
		{"foreign submit", "lawyer", "POST", "/api/managed-products/1/submit", `{"version":2}`, 404, "NOT_FOUND", "烘焙"},
		{"submit", "banker", "POST", "/api/managed-products/1/submit", `{"version":2}`, 200, `"status":"platform_review"`, ""},
		{"public list", "nobody", "GET", "/api/products", "", 200, `"items":[]`, "烘焙"},
		{"public search", "nobody", "GET", "/api/products?q=%E7%83%98%E7%84%99", "", 200, `"items":[]`, ""},
		{"public open", "nobody", "GET", "/api/products/1", "", 404, "NOT_FOUND", "烘焙"},
		{"the reviewer's public list", "first", "GET", "/api/products", "", 200, `"items":[]`, "烘焙"},
		{"queue", "first", "GET", "/api/managed-products?waiting=true", "", 200, "烘焙贷", ""},
		{"not the government's queue", "second", "GET", "/api/managed-products?waiting=true", "", 200, `"items":[]`, ""},
		{"own institution passes", "banker", "POST", "/api/managed-products/1/pass", `{"version":3}`, 403, "FORBIDDEN", ""},
		{"return without reason", "first", "POST", "/api/managed-products/1/return", `{"version":3,"reason":""}`, 422, `"field":"reason"`, ""},
		{"pass", "first", "POST", "/api/managed-products/1/pass", `{"version":3,"note":"材料齐"}`, 200, `"status":"government_review"`, ""},
		{"second come", "first2", "POST", "/api/managed-products/1/return", `{"version":3,"codes":["charges"]}`, 409, "初审赵", ""},
		{"still not public", "nobody", "GET", "/api/products/1", "", 404, "NOT_FOUND", ""},
		{"approve", "second", "POST", "/api/managed-products/1/pass", `{"version":4}`, 200, `"status":"listed"`, ""},
		{"public now", "nobody", "GET", "/api/products?q=%E7%83%98%E7%84%99%E8%B4%B7", "", 200, "给烘焙店的信用贷款", "材料齐"},
		{"opened now", "nobody", "GET", "/api/products/1", "", 200, `"materials":["营业执照"]`, "submitted"},
		{"no such state", "first", "GET", "/api/managed-products?status=lost", "", 422, `"field":"status"`, ""},
		{"recommend without the right", "second", "POST", "/api/managed-products/1/recommend", `{"version":5,"on":true}`, 403, "FORBIDDEN", ""},
		{"recommend", "first", "POST", "/api/managed-products/1/recommend", `{"version":5,"on":true}`, 200, `"recommended":true`, ""},
		{"take down", "second", "POST", "/api/managed-products/1/take-down", `{"version":6,"reason":"资质到期"}`, 200, `"status":"taken_down"`, ""},
		{"gone", "nobody", "GET", "/api/products/1", "", 404, "NOT_FOUND", "烘焙"},
		{"kinds", "nobody", "GET", "/api/product-kinds", "", 200, "知识产权", ""},
	} {
		status, body := b.do(c.who, c.method, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.has) || (c.lacks != "" && strings.Contains(body, c.lacks)) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
}

// TestBadNumbersAreToldInWords: what an operator may type of a product by mistake is refused at its field, with what to do.
func TestBadNumbersAreToldInWords(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	for _, c := range []struct {
		name, field, says string
		change            func(*catalog.Content)
	}{
		{"a rate of 3,600 %", "rateMax", "年利率不能超过 36.00%，请核对单位", func(c *catalog.Content) { c.RateMax = 360_000 }},
		{"a term of -1", "termMin", "期限不能为负数", func(c *catalog.Content) { c.TermMin = -1 }},
		{"an end before the start", "validUntil", "有效期不能早于上架日期", func(c *catalog.Content) { c.ListFrom, c.ValidUntil = "2027-03-01", "2027-02-28" }},
		{"50.12345 in ten thousands", "amountMax", "额度以万元为单位最多 4 位小数，精确到元，请修改", func(c *catalog.Content) { c.AmountMax = 50_123_450 }},
	} {
		content := loan()
		c.change(&content)
		status, body := b.do("banker", "POST", "/api/managed-products", mustJSON(t, content))
		if status != 422 || !strings.Contains(body, `"field":"`+c.field+`"`) || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	if _, body := b.do("banker", "GET", "/api/managed-products", ""); !strings.Contains(body, `"items":[]`) {
		t.Errorf("kept: %s", body)
	}
}

func TestEveryOperationDeclaresWhoMay(t *testing.T) {
	t.Parallel()
	managed := 0
	for _, r := range mustServe(t).edge.Routes() {
		if strings.HasPrefix(r.Path, "/api/managed-products") {
			managed++
			if r.Rule.Kind != "permission" {
				t.Errorf("%s %s: %+v", r.Method, r.Path, r.Rule)
			}
		}
	}
	if managed != 15 {
		t.Errorf("%d operations on managed products", managed)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	t.Parallel()
	b := mustServe(t)
	_, body := b.do("banker", "POST", "/api/managed-products", mustJSON(t, catalog.Content{Name: "空白服务", Kind: "tax", Materials: []string{}, Steps: []string{}}))
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	content, _ := v["content"].(map[string]any)
	for _, list := range []any{v["changes"], v["warnings"], v["editions"], v["timeline"], v["actions"], content["materials"], content["steps"]} {
		if _, ok := list.([]any); !ok {
			t.Errorf("a list is %v in %s", list, body)
		}
	}
}
