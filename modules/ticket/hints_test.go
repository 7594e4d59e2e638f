package ticket_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// pngOf is a picture of one colour in base64.
func pngOf(t *testing.T, width, height int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func given(text string) *string { return &text }

// hint finds what is read at a step.
func hint(list []ticket.Hint, who ticket.Reader, step string) (ticket.Hint, bool) {
	i := slices.IndexFunc(list, func(h ticket.Hint) bool { return h.For == who && h.Step == step })
	if i < 0 {
		return ticket.Hint{}, false
	}
	return list[i], true
}

// TestEveryStepCanHaveAHint: each command of the table that a person gives, and each state a requester waits in, is a place.
func TestEveryStepCanHaveAHint(t *testing.T) {
	t.Parallel()
	places := map[string]bool{}
	for _, s := range ticket.HintSteps() {
		if places[string(s.For)+s.Step] || s.Label == "" || s.Where == "" {
			t.Errorf("%+v is there twice or says too little", s)
		}
		places[string(s.For)+s.Step] = true
	}
	silent := map[ticket.Action]bool{ticket.ToArchive: true, ticket.ToWithdraw: true, ticket.ToUnlink: true, ticket.ToHopSign: true}
	for _, step := range ticket.Lifecycle() {
		if r := ticket.RightOf(step.Action); step.Action.Addressed() && !silent[step.Action] {
			who := "staff"
			if r.Side == ticket.Requester {
				who = "requester"
			}
			if !places[who+string(step.Action)] {
				t.Errorf("%s has no place for a hint", step.Action)
			}
		}
		if !places["requesterat-"+string(step.From)] || !places["requesterat-"+string(step.To)] {
			t.Errorf("%s or %s has no place for a hint", step.From, step.To)
		}
	}
}

func TestHintsAreSetAndTakenAway(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	admin := desk
	admin.Permissions = permissions()
	list, err := f.Hints(ctx, bureau)
	if err != nil {
		t.Fatal(err)
	}
	// An installation begins with some.
	was, ok := hint(list, ticket.ForStaff, "suspend")
	if !ok || was.Version != 1 || was.Text == "" {
		t.Fatalf("%+v", was)
	}
	set := ticket.SetHint{For: ticket.ForStaff, Step: "suspend", Text: "等待企业时才挂起。", LinkText: "挂起的规定", LinkURL: "/help/12", Picture: given(pngOf(t, 40, 20)), Alt: "流程图", Version: 1, Key: "a"}
	for range 2 { // a repeat makes one change
		if err := f.SetHint(ctx, admin, set); err != nil {
			t.Fatal(err)
		}
	}
	list, _ = f.Hints(ctx, bureau)
	now, _ := hint(list, ticket.ForStaff, "suspend")
	if now.Version != 2 || now.Text != set.Text || now.LinkURL != "/help/12" || now.Alt != "流程图" || !strings.HasPrefix(now.PictureURL, "/tickets/hints/staff/suspend/picture?v=") || now.SetBy != admin.Name {
		t.Fatalf("%+v", now)
	}
	if n := f.rows(t, "audit_entries"); n != 1 {
		t.Errorf("%d audit rows", n)
	}
	var detail string
	if err := f.db.Read().NewSelect().TableExpr("audit_entries").Column("detail").Scan(ctx, &detail); err != nil || strings.Contains(detail, *set.Picture) || !strings.Contains(detail, set.Text) {
		t.Errorf("the audit log keeps %s, %v", detail, err)
	}
	// Somebody who saw what it was before is told.
	stale := set
	stale.Key, stale.Text = "b", "另一句"
	if err := f.SetHint(ctx, admin, stale); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a stale version: %v", err)
	}
	// Without a word of the picture it stays; another picture has another address; no picture takes it away.
	address := now.PictureURL
	next := set
	next.Key, next.Version, next.Picture, next.Text = "c", 2, nil, "新的说法"
	if err := f.SetHint(ctx, admin, next); err != nil {
		t.Fatal(err)
	}
	list, _ = f.Hints(ctx, bureau)
	if now, _ = hint(list, ticket.ForStaff, "suspend"); now.PictureURL != address || now.Text != "新的说法" || now.Alt != "流程图" {
		t.Errorf("%+v", now)
	}
	next.Key, next.Version, next.Picture = "d", 3, given(pngOf(t, 41, 20))
	if err := f.SetHint(ctx, admin, next); err != nil {
		t.Fatal(err)
	}
	list, _ = f.Hints(ctx, bureau)
	if now, _ = hint(list, ticket.ForStaff, "suspend"); now.PictureURL == address {
		t.Errorf("%+v", now)
	}
	if err := f.SetHint(ctx, admin, ticket.SetHint{For: ticket.ForStaff, Step: "suspend", Version: 4, Picture: given(""), Alt: "流程图"}); err != nil {
		t.Fatal(err)
	}
	list, _ = f.Hints(ctx, bureau)
	if now, _ = hint(list, ticket.ForStaff, "suspend"); now.Version != 5 || now.Text != "" || now.PictureURL != "" || now.Alt != "" {
		t.Errorf("taken away: %+v", now)
	}
	// What requesters read is open; what staff read is not, nor who wrote it.
	open, err := f.RequesterHints(ctx)
	if _, there := hint(open, ticket.ForRequester, "rate"); err != nil || !there {
		t.Errorf("%+v %v", open, err)
	}
	for _, h := range open {
		if h.For != ticket.ForRequester || h.SetBy != "" || h.Text+h.LinkURL+h.PictureURL == "" {
			t.Errorf("a requester reads %+v", h)
		}
	}
	if _, err := f.Hints(ctx, baker); !errors.Is(err, ticket.ErrForbidden) {
		t.Errorf("a requester reads those of staff: %v", err)
	}
	for _, who := range []access.Actor{baker, bureau, everything(tax)} {
		if err := f.SetHint(ctx, who, ticket.SetHint{For: ticket.ForStaff, Step: "void", Text: "x", Version: 1}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s sets a hint: %v", who.Name, err)
		}
	}
}

func TestBadHints(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	admin := desk
	admin.Permissions = permissions()
	var big bytes.Buffer
	wide := image.NewRGBA(image.Rect(0, 0, 1400, 1400))
	for i := range wide.Pix {
		wide.Pix[i] = byte(i * i >> 3)
	}
	wide.Set(0, 0, color.White)
	if err := jpeg.Encode(&big, wide, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	torn, _ := base64.StdEncoding.DecodeString(pngOf(t, 400, 400))
	for _, c := range []struct {
		field, says string
		hint        ticket.SetHint
	}{
		{"step", "没有这个步骤", ticket.SetHint{For: ticket.ForStaff, Step: "rate", Text: "x"}},
		{"step", "没有这个步骤", ticket.SetHint{For: "everybody", Step: "open", Text: "x"}},
		{"text", "最多 300 个字", ticket.SetHint{For: ticket.ForStaff, Step: "merge", Text: strings.Repeat("长", 301)}},
		{"linkUrl", "请填写链接地址", ticket.SetHint{For: ticket.ForStaff, Step: "merge", LinkText: "规定"}},
		{"linkText", "请填写链接文字", ticket.SetHint{For: ticket.ForStaff, Step: "merge", LinkURL: "/help"}},
		{"linkUrl", "https://", ticket.SetHint{For: ticket.ForStaff, Step: "merge", LinkText: "规定", LinkURL: "javascript:alert(1)"}},
		{"linkUrl", "https://", ticket.SetHint{For: ticket.ForStaff, Step: "merge", LinkText: "规定", LinkURL: "//evil.example"}},
		{"linkUrl", "https://", ticket.SetHint{For: ticket.ForStaff, Step: "merge", LinkText: "规定", LinkURL: `/\evil.example`}},
		{"linkUrl", "https://", ticket.SetHint{For: ticket.ForStaff, Step: "merge", LinkText: "规定", LinkURL: "https://gov@evil.example/"}},
		{"linkUrl", "https://", ticket.SetHint{For: ticket.ForStaff, Step: "merge", LinkText: "规定", LinkURL: "http://example.com/"}},
		{"alt", "请填写图片说明", ticket.SetHint{For: ticket.ForStaff, Step: "merge", Picture: given(pngOf(t, 2, 2))}},
		{"picture", "没有完整上传", ticket.SetHint{For: ticket.ForStaff, Step: "merge", Alt: "图", Picture: given("不是")}},
		{"picture", "PNG 或 JPG", ticket.SetHint{For: ticket.ForStaff, Step: "merge", Alt: "图", Picture: given(base64.StdEncoding.EncodeToString([]byte("<svg onload=alert(1)>")))}},
		{"picture", "300 KB", ticket.SetHint{For: ticket.ForStaff, Step: "merge", Alt: "图", Picture: given(base64.StdEncoding.EncodeToString(big.Bytes()))}},
		{"picture", "2000 像素", ticket.SetHint{For: ticket.ForStaff, Step: "merge", Alt: "图", Picture: given(pngOf(t, 2001, 2))}},
		{"picture", "已损坏", ticket.SetHint{For: ticket.ForStaff, Step: "merge", Alt: "图", Picture: given(base64.StdEncoding.EncodeToString(torn[:len(torn)-40]))}},
	} {
		err := f.SetHint(ctx, admin, c.hint)
		told, _ := fault.As(err)
		if told == nil || !slices.ContainsFunc(told.Fields, func(d fault.Field) bool { return d.Name == c.field && strings.Contains(d.Message, c.says) }) {
			t.Errorf("%s %s: %+v", c.field, c.says, err)
		}
	}
	if f.rows(t, "audit_entries") != 0 {
		t.Error("a bad hint was kept")
	}
}

// TestHintsOnThePortal: what an administrator wrote is read where the requester stands, as text and not as markup; the picture of
// a requester's hint is open to everybody, that of staff is not.
func TestHintsOnThePortal(t *testing.T) {
	t.Parallel()
	b, ctx := mustServePortal(t), context.Background()
	admin := desk
	admin.Permissions = permissions()
	for _, step := range []string{"open", "query", "rate", "at-received", "at-closed"} {
		h := ticket.SetHint{For: ticket.ForRequester, Step: step, Text: "<b>读到" + step + "</b>", LinkText: "办事指南", LinkURL: "https://www.example.gov.cn/guide", Picture: given(pngOf(t, 30, 20)), Alt: "流程图"}
		if step == "rate" { // an installation begins with one
			h.Version = 1
		}
		if err := b.service.SetHint(ctx, admin, h); err != nil {
			t.Fatal(step, err)
		}
	}
	if err := b.service.SetHint(ctx, admin, ticket.SetHint{For: ticket.ForStaff, Step: "merge", Text: "x", Picture: given(pngOf(t, 3, 3)), Alt: "图"}); err != nil {
		t.Fatal(err)
	}
	reads := func(path string, steps ...string) {
		t.Helper()
		status, _, html := b.send("baker", path, nil)
		if n := strings.Count(html, "step-hint"); status != 200 || n != len(steps) {
			t.Errorf("%s: %d, %d hints", path, status, n)
		}
		for _, step := range steps {
			for _, want := range []string{"&lt;b&gt;读到" + step + "&lt;/b&gt;", `<a href="https://www.example.gov.cn/guide">办事指南</a>`, `src="/tickets/hints/requester/` + step + `/picture?v=`, `alt="流程图"`} {
				if !strings.Contains(html, want) {
					t.Errorf("%s lacks %s: %s", path, want, html)
				}
			}
		}
	}
	reads("/tickets/new", "open")
	reads("/tickets/new?type=labour", "open")
	reads("/tickets/query", "query")
	b.do("baker", "POST", "/api/tickets", `{"type":"labour","title":"补贴","body":"如何申请","source":"h5"}`)
	reads("/tickets/1", "at-received")
	b.do("desk", "POST", "/api/tickets/1/answer", `{"version":1,"text":"可在线申报"}`)
	reads("/tickets/1")
	b.do("desk", "POST", "/api/tickets/1/close", `{"version":2}`)
	reads("/tickets/1", "at-closed", "rate")
	for path, want := range map[string]int{"requester/open": 200, "requester/merge": 404, "requester/none": 404, "staff/merge": 401} {
		req := httptest.NewRequest("GET", "/tickets/hints/"+path+"/picture", nil)
		res, err := b.edge.App.Test(req, -1)
		if err != nil || res.StatusCode != want || want == 200 && (res.Header.Get("Content-Type") != "image/png" || res.Header.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s: %+v %v", path, res, err)
		}
	}
	if status, body := b.do("bureau", "GET", "/tickets/hints/staff/merge/picture", ""); status != 200 || !strings.HasPrefix(body, "\x89PNG") {
		t.Errorf("staff: %d", status)
	}
	if status, body := b.do("nobody", "GET", "/api/public/ticket-hints", ""); status != 200 || strings.Contains(body, "setBy") || strings.Contains(body, `"staff"`) {
		t.Errorf("public: %d %s", status, body)
	}
	if status, _ := b.do("baker", "GET", "/api/ticket-hints", ""); status != 403 {
		t.Errorf("a requester reads those of staff: %d", status)
	}
}
