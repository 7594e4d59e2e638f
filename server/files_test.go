package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
)

// TestRanges asks for parts of a file: number 44 of the bad inputs, and what RFC 9110 says of the good ones.
func TestRanges(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	body := "0123456789abcdefghijklmnopqrstuvwxyz"
	a := d.upload("a.txt", []byte(body))
	if a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	whole := d.ask("GET", a.view.URL, d.session, nil)
	tag := whole.header.Get("ETag")
	if whole.status != 200 || string(whole.body) != body || len(tag) < 34 || strings.HasPrefix(tag, "W/") || whole.header.Get("Accept-Ranges") != "bytes" {
		t.Fatalf("%d %s %v", whole.status, whole.body, whole.header)
	}
	if _, err := http.ParseTime(whole.header.Get("Last-Modified")); err != nil {
		t.Error(err)
	}
	hundred := func(n int) string {
		var s []string
		for i := range n {
			s = append(s, fmt.Sprintf("%d-%d", i%30, i%30))
		}
		return "bytes=" + strings.Join(s, ",")
	}
	for _, c := range []struct {
		what, ask string
		status    int
		part      string
		where     string
	}{
		{"the beginning", "bytes=0-4", 206, body[:5], "bytes 0-4/36"},
		{"the middle", "bytes=10-19", 206, body[10:20], "bytes 10-19/36"},
		{"one byte", "bytes=0-0", 206, "0", "bytes 0-0/36"},
		{"from the middle on", "bytes=30-", 206, body[30:], "bytes 30-35/36"},
		{"the last five", "bytes=-5", 206, body[31:], "bytes 31-35/36"},
		{"more than the end", "bytes=30-99", 206, body[30:], "bytes 30-35/36"},
		{"the last hundred", "bytes=-100", 206, body, "bytes 0-35/36"},
		{"the last byte", "bytes=35-35", 206, "z", "bytes 35-35/36"},
		{"beyond the end", "bytes=36-", 416, "", "bytes */36"},
		{"far beyond the end", "bytes=99999999999999999999-", 416, "", "bytes */36"},
		{"the last none", "bytes=-0", 416, "", "bytes */36"},
		{"two beyond the end", "bytes=40-41,50-", 416, "", "bytes */36"},
		{"one of two beyond the end", "bytes=40-41,0-1", 206, "01", "bytes 0-1/36"},
		{"backwards", "bytes=5-2", 200, body, ""},
		{"no numbers", "bytes=a-b", 200, body, ""},
		{"below nothing", "bytes=-1-5", 200, body, ""},
		{"signs", "bytes=+1-+5", 200, body, ""},
		{"no dash", "bytes=5", 200, body, ""},
		{"another unit", "pages=1-2", 200, body, ""},
		{"nothing", "bytes=", 200, body, ""},
		{"1000 ranges", hundred(1000), 200, body, ""},
		{"20 ranges", hundred(20), 200, body, ""},
		{"the whole twice", "bytes=0-,0-", 200, body, ""},
	} {
		got := d.ask("GET", a.view.URL, d.session, nil, "Range", c.ask)
		if got.status != c.status || c.status < 400 && string(got.body) != c.part || got.header.Get("Content-Range") != c.where {
			t.Errorf("44 %s: %d %q %q", c.what, got.status, got.body, got.header.Get("Content-Range"))
		}
		if c.status == 416 && (got.Code != "RANGE_NOT_SATISFIABLE" || !strings.Contains(got.Detail, "超出文件范围")) {
			t.Errorf("44 %s: %s", c.what, got.body)
		}
		// of a head there are no parts
		head := d.ask("HEAD", a.view.URL, d.session, nil, "Range", c.ask)
		if head.status != 200 || len(head.body) != 0 || head.header.Get("Content-Length") != "36" || head.header.Get("ETag") != tag {
			t.Errorf("the head of %s: %d %v", c.what, head.status, head.header)
		}
	}
	got := d.ask("GET", a.view.URL, d.session, nil, "Range", "bytes=0-1, 10-12 ,-1")
	kind, params, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if got.status != 206 || err != nil || kind != "multipart/byteranges" {
		t.Fatalf("three parts: %d %v", got.status, got.header)
	}
	r := multipart.NewReader(bytes.NewReader(got.body), params["boundary"])
	for _, want := range [][2]string{{"01", "bytes 0-1/36"}, {"abc", "bytes 10-12/36"}, {"z", "bytes 35-35/36"}} {
		p := must(r.NextPart())(t)
		if b := must(io.ReadAll(p))(t); string(b) != want[0] || p.Header.Get("Content-Range") != want[1] || p.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("part %v: %q %v", want, b, p.Header)
		}
	}
	if _, err := r.NextPart(); err != io.EOF {
		t.Errorf("after the last part: %v", err)
	}
	for _, c := range []struct {
		what   string
		header []string
		status int
		body   string
	}{
		{"what it has", []string{"If-None-Match", tag}, 304, ""},
		{"what it has among others", []string{"If-None-Match", `"x", W/` + tag}, 304, ""},
		{"whatever it has", []string{"If-None-Match", "*"}, 304, ""},
		{"something else", []string{"If-None-Match", `"x"`}, 200, body},
		{"goes on with the same", []string{"Range", "bytes=30-", "If-Range", tag}, 206, body[30:]},
		{"goes on with another", []string{"Range", "bytes=30-", "If-Range", `"x"`}, 200, body},
		{"goes on with a weak word", []string{"Range", "bytes=30-", "If-Range", "W/" + tag}, 200, body},
		{"goes on by date", []string{"Range", "bytes=30-", "If-Range", whole.header.Get("Last-Modified")}, 200, body},
	} {
		if got := d.ask("GET", a.view.URL, d.session, nil, c.header...); got.status != c.status || string(got.body) != c.body {
			t.Errorf("%s: %d %q", c.what, got.status, got.body)
		}
	}
}

// TestFilesOfOthers is T-SEC-01: an id of somebody else's file opens nothing, however it is asked for.
func TestFilesOfOthers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	stranger := owner(t, d.house, "13800138022")
	mine := must(d.identity.Authenticate(ctx, d.session))(t)
	theirs := must(d.identity.Authenticate(ctx, stranger))(t)
	types := must(d.tickets.Types(ctx, mine))(t)

	loose, tied := d.upload("散.png", pngFile(t)).view, d.upload("附.png", pngFile(t)).view
	if loose.ID == 0 || tied.ID == 0 || tied.ID == loose.ID {
		t.Fatalf("%+v %+v", loose, tied)
	}
	// the same bytes by somebody else are another file
	kind, b := form(t, "attachment", "散.png", pngFile(t))
	if other := d.ask("POST", "/api/files", stranger, b, "Content-Type", kind).view; other.ID == loose.ID || d.ask("GET", other.URL, d.session, nil).status != 404 {
		t.Error("the same content is one file")
	}
	missing := d.ask("GET", "/api/files/999999", stranger, nil)
	opens := func(who, session string, want int, views ...file.View) {
		t.Helper()
		for _, v := range views {
			for _, method := range []string{"GET", "HEAD"} {
				got := d.ask(method, v.URL, session, nil)
				if got.status != want {
					t.Errorf("%s: %s %s %s: %d", who, method, v.URL, v.Name, got.status)
				}
				if want == 404 && method == "GET" && (got.Code != missing.Code || got.Detail != missing.Detail) {
					t.Errorf("%s: somebody else's file answers otherwise than a missing one: %s", who, got.body)
				}
			}
			if got := d.ask("GET", v.URL+"/state", session, nil); got.status != want {
				t.Errorf("%s: state of %s: %d", who, v.Name, got.status)
			}
			if got := d.ask("GET", v.URL, session, nil, "Range", "bytes=0-0", "If-None-Match", "*"); want != 200 && got.status != want {
				t.Errorf("%s: a part of %s: %d", who, v.Name, got.status)
			}
		}
	}
	opens("nobody", "", 401, loose, tied)
	opens("a stranger", stranger, 404, loose, tied)
	opens("the uploader", d.session, 200, loose, tied)

	// a stranger cannot hand in somebody else's upload
	open := func(session string, actor access.Actor, id int64) (ticket.View, error) {
		return d.tickets.Open(ctx, actor, ticket.OpenTicket{Type: types[0].Code, Title: "路灯不亮", Body: "门前路灯坏了三天", Source: "h5", FileIDs: []int64{id}})
	}
	for _, id := range []int64{loose.ID, tied.ID, 999999} {
		if _, err := open(stranger, theirs, id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a stranger hands in %d: %v", id, err)
		}
	}
	tk := must(open(d.session, mine, tied.ID))(t)
	if _, err := open(d.session, mine, tied.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("handed in twice: %v", err)
	}
	opens("a stranger, once it is handed in", stranger, 404, loose, tied)
	opens("the uploader, once it is handed in", d.session, 200, tied)
	if len(tk.Files) != 1 || tk.Files[0].ID != tied.ID || tk.Files[0].State != "available" {
		t.Errorf("files of the ticket: %+v", tk.Files)
	}

	// a link of a published article is of that article, for as long as it is published
	writer := access.Actor{UserID: 900, Name: "编辑", Party: access.Platform, Permissions: []access.Permission{content.PermEdit, content.PermPublish}, Scope: access.ScopeDistrict}
	editor := writer
	editor.UserID = 901
	v := must(d.uploads.Save(ctx, writer, "attachment", "指南.pdf", bytes.NewReader(pdfFile(""))))(t)
	article := must(d.content.Create(ctx, writer, content.CreateArticle{Text: content.Text{Kind: content.News, Column: "story", Title: "申报指南", Body: "见附件", Source: "平台", FileIDs: []int64{v.ID}}}))(t)
	link := fmt.Sprintf("/content/%d/files/%d", article.ID, v.ID)
	if got := d.ask("GET", link, "", nil); got.status != 404 {
		t.Errorf("the file of a draft: %d", got.status)
	}
	ref := func(v content.View) content.Ref { return content.Ref{ID: v.ID, Version: v.Version} }
	article = must(d.content.Publish(ctx, editor, ref(must(d.content.Submit(ctx, writer, ref(article)))(t))))(t)
	got := d.ask("GET", link, "", nil)
	if got.status != 200 || got.header.Get("Cache-Control") != "private, no-cache" || !strings.Contains(got.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("published: %d %v", got.status, got.header)
	}
	for _, path := range []string{fmt.Sprintf("/content/%d/files/%d", article.ID, tied.ID), fmt.Sprintf("/content/%d/files/%d", article.ID+1, v.ID), fmt.Sprintf("/api/files/%d", loose.ID)} {
		if got := d.ask("GET", path, stranger, nil); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	must(d.content.Withdraw(ctx, editor, content.ReasonedArticle{Ref: ref(article), Reason: "内容有误，需要更正"}))(t)
	if again := d.ask("GET", link, "", nil, "If-None-Match", got.header.Get("ETag")); again.status != 404 {
		t.Errorf("taken down, and the link is used again: %d", again.status)
	}
	// and of a session that ended nothing is left
	must(0, d.identity.SignOut(ctx, mine))(t)
	opens("a session that ended", d.session, 401, loose, tied)
}

// TestScannerDown is number 31: what could not be scanned waits, is given to nobody, and is let go by a job once the
// scanner is back; what turns out to hold a virus is put away and its uploader told.
func TestScannerDown(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clamd, scanner := mustClamd(t)
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), scanner)
	must(0, clamd.SetFault(ctx, sandbox.Fault{Target: "clamd", Mode: sandbox.Fail}))(t)
	must(0, clamd.SetFault(ctx, sandbox.Fault{Target: "clamd", Mode: sandbox.Reset, Count: 1000}))(t)
	clean, bad := d.upload("好.txt", []byte("你好")), d.upload("坏.txt", []byte(eicarFile))
	for _, a := range []answer{clean, bad} {
		if a.status != 201 || a.view.State != "waiting" {
			t.Fatalf("with the scanner down: %d %s", a.status, a.body)
		}
		refused(t, "31 not scanned yet", d.ask("GET", a.view.URL, d.session, nil), 409, "FILE_WAITING", "", "正在等待安全检查")
	}
	must(0, clamd.SetFault(ctx, sandbox.Fault{Target: "clamd", Mode: sandbox.OK}))(t)
	must(0, d.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE river_job SET scheduled_at = ? WHERE kind = 'file.scan'", time.Now().UTC().Add(-time.Minute))
		return err
	}))(t)
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 2)
	go func() { done <- d.queue.Run(run) }()
	go func() { done <- d.feed.Run(run) }()
	defer func() {
		stop()
		must(0, <-done)(t)
		must(0, <-done)(t)
	}()
	eventually(t, "the files are scanned", func() bool {
		a, b := d.ask("GET", clean.view.URL+"/state", d.session, nil), d.ask("GET", bad.view.URL+"/state", d.session, nil)
		return bytes.Contains(a.body, []byte(`"available"`)) && bytes.Contains(b.body, []byte(`"quarantined"`))
	})
	if got := d.ask("GET", clean.view.URL, d.session, nil); got.status != 200 || string(got.body) != "你好" {
		t.Errorf("let go: %d %s", got.status, got.body)
	}
	refused(t, "31 found later", d.ask("GET", bad.view.URL, d.session, nil), 403, "FILE_QUARANTINED", "", "已被隔离")
	eventually(t, "the uploader is told", func() bool {
		return bytes.Contains(d.ask("GET", "/api/messages", d.session, nil).body, []byte("坏.txt"))
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 3000 { // a minute
		if ok() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}
