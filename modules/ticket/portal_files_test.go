package ticket_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// shelf keeps uploads of the baker, each under an id of its own, and refuses what is empty.
type shelf struct {
	sync.Mutex
	names []string
}

func (s *shelf) Save(_ context.Context, a access.Actor, name string, content io.Reader) (ticket.FileView, error) {
	s.Lock()
	defer s.Unlock()
	if b, err := io.ReadAll(content); err != nil {
		return ticket.FileView{}, err
	} else if len(b) == 0 {
		return ticket.FileView{}, fault.InvalidField("file", "FILE_EMPTY", "文件是空的，请重新选择")
	}
	s.names = append(s.names, name)
	return ticket.FileView{ID: a.UserID*100 + int64(len(s.names)), Name: name}, nil
}

func withShelf(t *testing.T) (browser, *shelf) {
	t.Helper()
	f, kept := mustNew(t), &shelf{}
	f.Service = ticket.New(ticket.Deps{DB: f.db, Clock: f.clock, Box: f.box, Units: units{}, Requesters: requesters{}, Files: files{}, Uploads: kept})
	return servePortal(t, f), kept
}

// upload posts a form with files, as a browser without scripts does. A file is its name and content.
func (b browser) upload(who, path string, form map[string]string, sent ...[2]string) (int, string, string) {
	b.t.Helper()
	_, csrf := b.do(who, "GET", "/csrf", "")
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("_csrf", csrf)
	for name, value := range form {
		_ = w.WriteField(name, value)
	}
	if len(sent) == 0 { // what a browser sends of an input in which nothing was chosen
		_, _ = w.CreateFormFile("files", "")
	}
	for _, f := range sent {
		part, _ := w.CreateFormFile("files", f[0])
		_, _ = io.WriteString(part, f[1])
	}
	_ = w.Close()
	req := httptest.NewRequest("POST", path, &body)
	req.Header.Set("Cookie", web.SessionCookieName+"="+who)
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Content-Type", w.FormDataContentType())
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

// TestFilesComeWithASupplement: files are kept once with the form, of a form that is taken; a repeat makes no second one, another
// content under the same key is refused, and nothing is kept for somebody else.
func TestFilesComeWithASupplement(t *testing.T) {
	t.Parallel()
	b, kept := withShelf(t)
	b.do("baker", "POST", "/api/tickets", `{"type":"labour","title":"补贴","body":"如何申请","source":"portal"}`)
	b.do("desk", "POST", "/api/tickets/1/dispatch", `{"version":1,"unitId":10}`)
	b.do("bureau", "POST", "/api/tickets/1/sign", `{"version":2}`)
	b.do("desk", "POST", "/api/tickets/1/suspend", `{"version":3,"reason":"请提供劳动合同"}`)
	_, _, html := b.send("baker", "/tickets/1", nil)
	if !strings.Contains(html, `enctype="multipart/form-data"`) || !strings.Contains(html, `type="file" accept=".jpg`) || strings.Contains(html, "手机端上传") {
		t.Fatalf("no place for files: %s", html)
	}
	form := map[string]string{"key": keyField.FindStringSubmatch(html)[1], "version": "4", "text": ""}
	contract, photo := [2]string{"合同.pdf", "%PDF-1.7"}, [2]string{"现场.jpg", "photo"}
	if status, _, html := b.upload("baker", "/tickets/1/supplement", form, contract); status != 422 || !strings.Contains(html, "请填写补充说明") || !strings.Contains(html, "请重新选择附件") {
		t.Errorf("nothing written: %d %s", status, html)
	}
	form["text"] = "合同见附件"
	if status, _, _ := b.upload("rival", "/tickets/1/supplement", form, contract); status != 404 {
		t.Errorf("a rival supplements: %d", status)
	}
	many := make([][2]string, 10)
	for i := range many {
		many[i] = [2]string{fmt.Sprintf("%d.pdf", i), "%PDF-1.7"}
	}
	if status, _, html := b.upload("baker", "/tickets/1/supplement", form, many...); status != 422 || !strings.Contains(html, "最多上传 9 个附件") || !strings.Contains(html, "合同见附件") {
		t.Errorf("ten files: %d %s", status, html)
	}
	if len(kept.names) != 0 {
		t.Errorf("kept of what was not taken: %v", kept.names)
	}
	if status, _, html := b.upload("baker", "/tickets/1/supplement", form, [2]string{"空.pdf", ""}); status != 422 || !strings.Contains(html, "“空.pdf”没有上传：文件是空的") || !strings.Contains(html, `href="#f-files"`) {
		t.Errorf("an empty file: %d %s", status, html)
	}
	for range 2 {
		if status, to, html := b.upload("baker", "/tickets/1/supplement", form, contract, photo); status != 303 || to != "/tickets/1?done=supplemented" {
			t.Fatalf("sent: %d %s %s", status, to, html)
		}
	}
	if v := b.house.see(t, bureau, ticket.View{Item: ticket.Item{ID: 1}}); len(v.Files) != 2 || v.Status != ticket.Handling {
		t.Errorf("the unit sees %+v, %s", v.Files, v.Status)
	}
	if e := b.house.facts(t, 1, "ticket.resumed"); len(e) != 1 {
		t.Errorf("%d supplements", len(e))
	}
	if status, _, html := b.upload("baker", "/tickets/1/supplement", form, photo); status < 400 || !strings.Contains(html, "前后不一致") {
		t.Errorf("other files under the same key: %d %s", status, html)
	}
}

// TestFilesComeWithARequest sends files with a new request, also after the page warned of one that is alike, and without any.
func TestFilesComeWithARequest(t *testing.T) {
	t.Parallel()
	b, kept := withShelf(t)
	_, _, html := b.send("baker", "/tickets/new?type=labour", nil)
	form := map[string]string{"key": keyField.FindStringSubmatch(html)[1], "type": "labour", "title": "", "body": "门店新招三人，想了解补贴"}
	photo := [2]string{"招聘公告.jpg", "photo"}
	if status, _, html := b.upload("baker", "/tickets", form, photo); status != 422 || len(kept.names) != 0 || !strings.Contains(html, "请重新选择附件") {
		t.Errorf("without a title: %d %v %s", status, kept.names, html)
	}
	form["title"] = "用工补贴"
	for range 2 {
		if status, to, html := b.upload("baker", "/tickets", form, photo); status != 303 || to != "/tickets/1?done=opened" {
			t.Fatalf("sent: %d %s %s", status, to, html)
		}
	}
	if v := b.house.see(t, desk, ticket.View{Item: ticket.Item{ID: 1}}); len(v.Files) != 1 {
		t.Errorf("the desk sees %+v", v.Files)
	}
	_, _, html = b.send("baker", "/tickets/new?type=labour", nil)
	form["key"] = keyField.FindStringSubmatch(html)[1]
	n := len(kept.names)
	if status, _, html := b.upload("baker", "/tickets", form, photo); status != 200 || len(kept.names) != n || !strings.Contains(html, "您已有相似的诉求在办理") || !strings.Contains(html, "请重新选择附件") {
		t.Errorf("alike: %d %s", status, html)
	}
	form["again"] = "1"
	if status, to, html := b.upload("baker", "/tickets", form); status != 303 || to != "/tickets/2?done=opened" {
		t.Errorf("without files: %d %s %s", status, to, html)
	}
}
