package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/contract"
	"github.com/huiqi/huiqi/platform/access"
)

// TestContractSignedAndVerified signs a contract on an application of the demo with codes from the outbox, verifies it as a visitor,
// and walks every address of contracts as somebody else.
func TestContractSignedAndVerified(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h, s := toldDemo(t)
	s.tell(t, h.seedApplications)
	system := access.SystemActor("test")
	taken, _, err := h.applications.List(ctx, system, application.ListFilter{Statuses: []application.Status{application.Working, application.Taken}, Limit: 1})
	if err != nil || len(taken) == 0 {
		t.Fatal(len(taken), err)
	}
	app, err := h.applications.Case(ctx, h.db.Read(), system, taken[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	staff, err := h.identity.Colleagues(ctx, h.db.Read(), app.InstitutionID, contract.PermSign)
	if err != nil || len(staff) == 0 {
		t.Fatal(len(staff), err)
	}
	bank, err := h.identity.ActorOf(ctx, system, staff[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	company, err := h.identity.ActorOf(ctx, system, app.UserID)
	if err != nil {
		t.Fatal(err)
	}
	sent := func() string {
		var sealed string
		if err := h.db.Read().NewSelect().TableExpr("sms_messages").Column("params").OrderExpr("id DESC").Limit(1).Scan(ctx, &sealed); err != nil {
			t.Fatal(err)
		}
		plain, err := h.box.Open(sealed, "sms_messages.params")
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`\d{6}`).FindString(string(plain))
	}
	v, err := h.contracts.Make(ctx, bank, contract.Make{Object: application.Object, ID: app.ID, Words: contract.Words{Title: "服务合同", Body: "双方就本次服务约定如下，绝密条款。", Days: 7}})
	if err == nil {
		v, err = h.contracts.Send(ctx, bank, contract.Ref{ID: v.ID, Version: v.Version})
	}
	if err != nil {
		t.Fatal(err)
	}
	first := ""
	for _, who := range []access.Actor{company, bank} {
		if _, err := h.contracts.Code(ctx, who, v.ID); err != nil {
			t.Fatal(err)
		}
		code := sent()
		if first != "" {
			if _, err := h.contracts.Sign(ctx, who, contract.Sign{Ref: contract.Ref{ID: v.ID, Version: v.Version}, Code: first}); err == nil && first != code {
				t.Fatal("somebody else's code signs")
			}
		}
		first = code
		if v, err = h.contracts.Sign(ctx, who, contract.Sign{Ref: contract.Ref{ID: v.ID, Version: v.Version}, Code: code}); err != nil {
			t.Fatal(err)
		}
	}
	if v.State != contract.Effective {
		t.Fatalf("%+v", v)
	}
	_, sections, err := h.evidence.Record(ctx, company, application.Object, app.ID)
	if err != nil || !strings.Contains(fmt.Sprint(sections), v.Number) {
		t.Errorf("the record does not list the contract: %v", err)
	}

	l := linked{t, h}
	res, body := l.open("GET", "/contracts/verify?number="+v.Number+"&code="+url.QueryEscape(v.Code), "", "")
	if res.StatusCode != 200 || !strings.Contains(body, "有效：") || strings.Contains(body, company.Name) || strings.Contains(body, "绝密条款") {
		t.Fatal(res.StatusCode, body)
	}
	if res, body := l.open("GET", "/contracts/verify?number="+v.Number+"&code=0000", "", ""); res.StatusCode != 404 || strings.Contains(body, v.EnterpriseName) {
		t.Fatal(res.StatusCode, body)
	}
	_, pack, err := h.contracts.Package(ctx, company, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	for content, says := range map[string]string{pack.Content: "有效：", strings.Replace(pack.Content, "绝密", "公开", 1): "被改动过"} {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		visitor := "0123456789abcdef0123456789abcdef"
		_ = w.WriteField("_csrf", h.web.Token(visitor))
		part, err := w.CreateFormFile("file", "合同.json")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(part, content)
		_ = w.Close()
		req := httptest.NewRequest("POST", "/contracts/verify", &form)
		req.Header.Set("Content-Type", w.FormDataContentType())
		req.Header.Set("Cookie", "__Host-huiqi-visitor="+visitor)
		res, err := h.web.App.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		if res.StatusCode != 200 || !strings.Contains(string(b), says) {
			t.Errorf("%d, %s is not said", res.StatusCode, says)
		}
	}

	stranger := owner(t, h, "13800138022")
	walked := 0
	for _, r := range h.web.Routes() {
		if !strings.HasPrefix(r.Path, "/api/contracts/") && !strings.HasPrefix(r.Path, "/api/case-contracts/") && !strings.HasSuffix(r.Path, "/contracts") {
			continue
		}
		walked++
		id := v.ID
		if !strings.HasPrefix(r.Path, "/api/contracts/") {
			id = app.ID
		}
		path := func(id int64) string {
			return parameter.ReplaceAllString(strings.Replace(r.Path, "{object}", application.Object, 1), fmt.Sprint(id))
		}
		send := `{"version":` + fmt.Sprint(v.Version) + `,"reason":"没有道理的理由","code":"123456","title":"合同","body":"","days":3,"yes":true}`
		status, text := ask(t, h, r.Method, path(id), stranger, send)
		missing, _ := ask(t, h, r.Method, path(987654), stranger, send)
		if status != missing || status < 400 || strings.Contains(text, "服务合同") {
			t.Errorf("%s %s: somebody else's answers %d, a missing one %d: %s", r.Method, r.Path, status, missing, text)
		}
	}
	if walked < 13 {
		t.Errorf("only %d routes were walked", walked)
	}
}
