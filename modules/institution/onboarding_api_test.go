package institution_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// TestApplyingOverTheAPI applies as the mobile face does: what is typed is kept, a paper comes in and goes, it is sent, sent back, mended,
// taken back; everybody else is refused, and the portal has the same application.
func TestApplyingOverTheAPI(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	persons := map[string]access.Actor{"lawyer": lawyer, "stranger": stranger, "reviewer": reviewer, "bank": operator(1)}
	edge, err := web.New(web.Options{
		Log: slog.New(slog.DiscardHandler), CSRFKey: make([]byte, 32), Open: true, Version: "test", RequestsPerMinute: 100_000,
		Authenticate: func(_ context.Context, token string) (access.Actor, error) {
			if a, ok := persons[token]; ok {
				return a, nil
			}
			return access.Actor{}, fault.ErrUnauthorized
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	institution.RegisterApplying(edge.API, f.Service)
	edge.Page("GET", "/csrf", access.Public("test"), func(c *fiber.Ctx) error { return c.SendString(web.CSRF(c.UserContext())) })
	type answer struct {
		institution.OnboardingDesk
		Errors []struct{ Field, Message string } `json:"errors"`
		text   string
		status int
	}
	n := 0
	send := func(who, method, path string, body any) (a answer) {
		t.Helper()
		ask := func(method, path, csrf string, body io.Reader) (int, string) {
			req := httptest.NewRequest(method, path, body)
			if who != "" {
				req.Header.Set("Cookie", web.SessionCookieName+"="+who)
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("X-CSRF-Token", csrf)
			n++
			req.Header.Set("Idempotency-Key", fmt.Sprint("key-", n))
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
		_, csrf := ask("GET", "/csrf", "", nil)
		var sent bytes.Buffer
		if body != nil {
			if err := json.NewEncoder(&sent).Encode(body); err != nil {
				t.Fatal(err)
			}
		}
		a.status, a.text = ask(method, path, csrf, &sent)
		_ = json.Unmarshal([]byte(a.text), &a)
		return a
	}
	x := lawFirm(51)
	typed := func(version int64) map[string]any {
		return map[string]any{"version": version, "name": x.Name, "kind": x.Kind, "creditCode": x.CreditCode, "legalPerson": x.LegalPerson, "phone": x.Phone, "address": x.Address, "summary": x.Summary,
			"offers": x.Offers, "contactName": x.ContactName, "contactPhone": x.ContactPhone, "account": x.Account}
	}
	with := func(m map[string]any, more ...any) map[string]any {
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}

	if a := send("lawyer", "GET", "/api/onboarding", nil); a.status != 200 || a.Application != nil || len(a.Kinds) != len(institution.Kinds()) {
		t.Fatalf("before anything: %d %s", a.status, a.text)
	}
	a := send("lawyer", "POST", "/api/onboarding/draft", with(typed(0), "offers", "写了一半", "account", ""))
	if a.status != 200 || a.Application == nil || a.Application.State != institution.Draft || a.Application.Offers != "写了一半" || a.Application.ContactPhone != x.ContactPhone || a.Next == "" {
		t.Fatalf("a draft: %d %s", a.status, a.text)
	}
	if again := send("lawyer", "POST", "/api/onboarding/draft", typed(0)); again.status != 409 {
		t.Errorf("a second one: %d %s", again.status, again.text)
	}
	if early := send("lawyer", "POST", "/api/onboarding/submit", typed(a.Application.Version)); early.status != 422 || !strings.Contains(early.text, "请至少添加一份执照或许可") {
		t.Errorf("without a paper: %d %s", early.status, early.text)
	}
	for field, body := range map[string]map[string]any{
		"docFiles": with(typed(a.Application.Version), "docName", "执业许可证", "docNo", "演示311号", "docTo", "", "fileIds", []int64{}),
		"docTo":    with(typed(a.Application.Version), "docName", "执业许可证", "docNo", "演示311号", "docTo", "2020-01-01", "fileIds", []int64{3101}),
		"docName":  with(typed(a.Application.Version), "docName", "", "docNo", "演示311号", "docTo", "", "fileIds", []int64{3101}),
	} {
		if wrong := send("lawyer", "POST", "/api/onboarding/documents", body); wrong.status != 422 || !strings.Contains(wrong.text, `"`+field+`"`) {
			t.Errorf("%s: %d %s", field, wrong.status, wrong.text)
		}
	}
	paper := func(file int64) answer {
		return send("lawyer", "POST", "/api/onboarding/documents", with(typed(a.Application.Version), "docName", "执业许可证", "docNo", "演示311号", "docTo", "2027-06-30", "fileIds", []int64{file}))
	}
	if a = paper(3101); a.status != 200 || len(a.Application.Documents) != 1 || a.Application.Offers != x.Offers || len(a.Application.Documents[0].Files) != 1 {
		t.Fatalf("a paper: %d %s", a.status, a.text)
	}
	removed := send("lawyer", "POST", fmt.Sprintf("/api/onboarding/documents/%d/remove", a.Application.Documents[0].ID), typed(a.Application.Version))
	if a = removed; a.status != 200 || len(a.Application.Documents) != 0 {
		t.Fatalf("removed: %d %s", a.status, a.text)
	}
	if a = paper(3102); a.status != 200 {
		t.Fatal(a.status, a.text)
	}
	a = send("lawyer", "POST", "/api/onboarding/submit", typed(a.Application.Version))
	if a.status != 200 || a.Application.State != institution.Waiting || !strings.HasPrefix(a.Application.Number, "RZ20261122-") || !strings.Contains(a.Next, "前完成平台初审") || !a.Application.MayWithdraw {
		t.Fatalf("sent: %d %s", a.status, a.text)
	}
	if late := send("lawyer", "POST", "/api/onboarding/draft", typed(a.Application.Version)); late.status != 409 {
		t.Errorf("changed while it waits: %d %s", late.status, late.text)
	}
	ctx := context.Background()
	v, err := f.ReturnApplication(ctx, reviewer, institution.ReturnApplication{Ref: institution.Ref{ID: a.Application.ID, Version: a.Application.Version}, Codes: []string{"unclear"}})
	if err != nil {
		t.Fatal(err)
	}
	if a = send("lawyer", "GET", "/api/onboarding", nil); a.Application.State != institution.Returned || !strings.Contains(a.Next, "不清晰") || a.Application.Rounds[0].Reviewer != "" || strings.Contains(a.text, reviewer.Name) {
		t.Errorf("sent back: %s", a.text)
	}
	x.Offers += "也代理劳动仲裁。"
	a = send("lawyer", "POST", "/api/onboarding/submit", typed(v.Version))
	if a.status != 200 || len(a.Application.Rounds) != 2 || len(a.Application.Rounds[0].Changes) != 1 {
		t.Fatalf("mended: %d %s", a.status, a.text)
	}
	path := fmt.Sprintf("/api/onboarding/%d/withdraw", a.Application.ID)
	one := fmt.Sprintf("/api/onboarding?id=%d", a.Application.ID)
	for _, who := range []string{"stranger", "bank", "reviewer", ""} {
		for _, r := range []struct {
			method, path string
			body         any
		}{{"GET", one, nil}, {"POST", path, map[string]any{"version": a.Application.Version}}} {
			if b := send(who, r.method, r.path, r.body); b.status != 404 && b.status != 403 && b.status != 401 || strings.Contains(b.text, x.Name) {
				t.Errorf("%q %s %s: %d %s", who, r.method, r.path, b.status, b.text)
			}
		}
	}
	if b := send("stranger", "GET", "/api/onboarding", nil); b.status != 200 || b.Application != nil {
		t.Errorf("a stranger's own: %d %s", b.status, b.text)
	}
	if b := send("lawyer", "GET", one, nil); b.status != 200 || b.Application == nil || b.Application.ID != a.Application.ID {
		t.Errorf("by its id: %d %s", b.status, b.text)
	}
	if a = send("lawyer", "POST", path, map[string]any{"version": a.Application.Version}); a.status != 200 || a.Application.State != institution.Draft || a.Application.Offers != x.Offers {
		t.Fatalf("taken back: %d %s", a.status, a.text)
	}
	if mine, err := f.Mine(ctx, lawyer); err != nil || mine.ID != a.Application.ID || mine.Version != a.Application.Version {
		t.Errorf("the portal has another: %+v %v", mine, err)
	}
}
