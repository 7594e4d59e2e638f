package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/clamav"
	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
)

// desk is a house that answers on a port of its own, and somebody signed in who uploads.
type desk struct {
	*house
	t       testing.TB
	base    string
	addr    string
	session string
}

// mustClamd runs the stand-in of the scanner.
func mustClamd(t *testing.T) (*sandbox.Server, *clamav.Client) {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0", ClamdListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = box.Close()
	})
	at, err := box.ClamdAddress(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return box, must(clamav.New("tcp://" + at))(t)
}

// newDesk serves a house on db, with its files under dir.
func newDesk(t *testing.T, db *database.DB, dir string, scanner file.Scanner) *desk {
	t.Helper()
	c := must(Load("", map[string]any{"data": dir, "demo": true, "requests_per_minute": 1_000_000}))(t)
	d := deskOf(t, db, c, secret.NewKey(), scanner)
	d.session = owner(t, d.house, "13800138021")
	return d
}

func deskOf(t *testing.T, db *database.DB, c Config, key string, scanner file.Scanner) *desk {
	t.Helper()
	ctx := context.Background()
	h := must(build(ctx, c, db, key, parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}, scanner: scanner}}))(t)
	must(0, h.identity.EnsureRoles(ctx))(t)
	must(0, h.ensureTicketTypes(ctx))(t)
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- h.web.Serve(run, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &desk{house: h, t: t, addr: l.Addr().String(), base: "http://" + l.Addr().String()}
}

func (d *desk) header(session string) http.Header {
	h := http.Header{}
	h.Set("Cookie", "__Host-huiqi-visitor=0123456789abcdef0123456789abcdef; "+web.SessionCookieName+"="+session)
	key := session
	if key == "" {
		key = "0123456789abcdef0123456789abcdef"
	}
	h.Set("X-CSRF-Token", d.web.Token(key))
	return h
}

// answer is what came back, read as a problem when it is one.
type answer struct {
	status int
	header http.Header
	body   []byte
	web.Problem
	view file.View
}

func (d *desk) ask(method, path, session string, body io.Reader, more ...string) answer {
	d.t.Helper()
	req := must(http.NewRequestWithContext(context.Background(), method, d.base+path, body))(d.t)
	req.Header = d.header(session)
	for i := 0; i < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	res := must(http.DefaultClient.Do(req))(d.t)
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header, body: must(io.ReadAll(res.Body))(d.t)}
	if method != "HEAD" && strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		must(0, json.Unmarshal(a.body, &a.Problem))(d.t)
	} else if res.StatusCode == http.StatusCreated {
		must(0, json.Unmarshal(a.body, &a.view))(d.t)
	}
	return a
}

// form writes a form with a file, the way browsers do.
func form(t testing.TB, purpose, name string, content []byte) (string, *bytes.Buffer) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	must(0, w.WriteField("purpose", purpose))(t)
	part := must(w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(name) + `"`},
		"Content-Type": {"application/octet-stream"}}))(t)
	must(part.Write(content))(t)
	must(0, w.Close())(t)
	return w.FormDataContentType(), &b
}

func (d *desk) upload(name string, content []byte) answer {
	d.t.Helper()
	kind, b := form(d.t, "attachment", name, content)
	return d.ask("POST", "/api/files", d.session, b, "Content-Type", kind)
}

// refused checks an answer: status, code, the field, and a Chinese sentence that says what to do.
func refused(t testing.TB, what string, a answer, status int, code, field, says string) {
	t.Helper()
	on := ""
	if len(a.Errors) > 0 {
		on = a.Errors[0].Name
	}
	if a.status != status || a.Code != code || on != field || !strings.Contains(a.Detail, says) || says == "" || a.TraceID == "" {
		t.Errorf("%s: %d %s on %q: %s; want %d %s on %q: …%s…", what, a.status, a.Code, on, a.Detail, status, code, field, says)
	}
	for _, leak := range []string{"goroutine", ".go:", "panic", "multipart:"} {
		if bytes.Contains(a.body, []byte(leak)) {
			t.Errorf("%s: the answer shows %q: %s", what, leak, a.body)
		}
	}
}

// TestBadFiles is the part of the table of bad inputs that is about files: numbers 19 to 30 of the reliability rules.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	_, scanner := mustClamd(t)
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), scanner)
	const mb = 1 << 20
	many := make([]entry, 70_000) // more than the two bytes that count them can say
	for i := range many {
		many[i] = entry{name: "word/" + strconv.Itoa(i)}
	}
	for _, c := range []struct {
		no, what, name string
		content        []byte
		status         int
		code, says     string
	}{
		{"20", "nothing in it", "a.jpg", nil, 422, "FILE_EMPTY", "文件是空的，请重新选择"},
		{"21", "a text over 2 MB", "a.txt", bigText(2*mb + 20), 413, "FILE_TOO_LARGE", "不能超过 2 MB"},
		{"21", "a picture over 10 MB", "a.jpg", append(jpegFile(t), repeat(0, 10*mb)...), 413, "FILE_TOO_LARGE", "不能超过 10 MB"},
		{"21", "a PDF over 20 MB", "a.pdf", pdfFile(strings.Repeat("x", 20*mb)), 413, "FILE_TOO_LARGE", "不能超过 20 MB"},
		{"21", "more than any request may bring", "a.pdf", pdfFile(strings.Repeat("x", 30*mb)), 413, "BODY_TOO_LARGE", "超过 24 MB"},
		{"23", "exe renamed", "a.jpg", []byte("MZ\x90\x00\x03\x00\x00\x00This program cannot be run in DOS mode"), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"23", "html as png", "a.png", []byte("<html><script>alert(1)</script>"), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"23", "html as text", "a.txt", []byte("\ufeff \n<!DOCTYPE html><script>alert(1)</script>"), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"23", "GIF and script", "a.jpg", []byte("GIF89a/*\x01\x00\x01\x00*/=1;alert(1)//"), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"23", "PDF and page, page first", "a.pdf", []byte("%PDF-1.7\n<html><script>alert(1)</script></html>\n1 0 obj<<>>endobj\n%%EOF"), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"23", "PDF and page, page last", "a.pdf", append(pdfFile(""), "<!doctype html><script>alert(1)</script>"...), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"23", "PDF and zip", "a.pdf", append(pdfFile(""), zipFile(t, entry{name: "x"})...), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"23", "zip as docx", "a.docx", zipFile(t, entry{name: "x.txt"}), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"23", "old office as docx", "a.docx", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600)...), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"23", "macros", "a.docx", docx(t, entry{name: "word/vbaProject.bin"}), 422, "TYPE_NOT_ALLOWED", "宏"},
		{"24", "svg with script", "a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), 422, "TYPE_NOT_ALLOWED", "请上传"},
		{"24", "html", "a.html", []byte("<p>"), 422, "TYPE_NOT_ALLOWED", "请上传"},
		{"24", "htm", "a.htm", []byte("<p>"), 422, "TYPE_NOT_ALLOWED", "请上传"},
		{"24", "xml", "a.xml", []byte("<?xml version='1.0'?><x/>"), 422, "TYPE_NOT_ALLOWED", "请上传"},
		{"24", "lnk", "a.lnk", []byte("L\x00\x00\x00"), 422, "TYPE_NOT_ALLOWED", "请上传"},
		{"24", "js", "a.js", []byte("alert(1)"), 422, "TYPE_NOT_ALLOWED", "请上传"},
		{"24", "no extension", "passwd", []byte("root:x"), 422, "TYPE_NOT_ALLOWED", "请上传"},
		{"24", "zip", "42.zip", zipFile(t, entry{name: "x"}), 422, "TYPE_NOT_ALLOWED", "请上传"},
		{"25", "half a JPEG", "a.jpg", jpegFile(t)[:300], 422, "IMAGE_BAD", "图片已损坏或尺寸过大"},
		{"25", "JPEG of 60,000 × 60,000", "a.jpg", resizedJPEG(t, 60_000, 60_000), 422, "IMAGE_BAD", "图片已损坏或尺寸过大"},
		{"25", "PNG of 60,000 × 60,000", "a.png", resizedPNG(t, 60_000, 60_000), 422, "IMAGE_BAD", "图片已损坏或尺寸过大"},
		{"25", "PNG of 1 × 2,000,000,000", "a.png", resizedPNG(t, 1, 2_000_000_000), 422, "IMAGE_BAD", "图片已损坏或尺寸过大"},
		{"25", "GIF of 100,000 pictures", "a.gif", frames(t, 100_000), 422, "TYPE_NOT_ALLOWED", "请上传"},
		{"25", "the same as JPEG", "a.jpg", frames(t, 100_000), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"26", "VP8L of 16,384 × 16,384", "a.webp", vp8l(16_384, 16_384), 422, "IMAGE_BAD", "图片已损坏或尺寸过大"},
		{"26", "VP8L of noise", "a.webp", vp8l(3_000, 3_000), 422, "IMAGE_BAD", "图片已损坏或尺寸过大"},
		{"25", "WebP that moves", "a.webp", riff("VP8X", []byte{2, 0, 0, 0, 0, 0, 0, 0, 0, 0}), 422, "IMAGE_BAD", "图片已损坏或尺寸过大"},
		{"28", "unpacks to 400 MB", "a.xlsx", xlsx(t, entry{name: "xl/sharedStrings.xml", data: make([]byte, 400*mb)}), 422, "ARCHIVE_TOO_BIG", "展开后过大"},
		{"28", "says it is small and is not", "a.docx", lying(t), 422, "ARCHIVE_BAD", "结构异常"},
		{"28", "70,000 entries", "a.docx", docx(t, many...), 422, "ARCHIVE_TOO_BIG", "展开后过大"},
		{"28", "zip in it", "a.docx", docx(t, entry{name: "word/x.bin", data: zipFile(t, entry{name: "y"})}), 422, "ARCHIVE_BAD", "含有压缩包"},
		{"28", "7z in it", "a.docx", docx(t, entry{name: "word/media/x.png", data: []byte("7z\xbc\xaf\x27\x1c......")}), 422, "ARCHIVE_BAD", "含有压缩包"},
		{"28", "a document in a document in a document", "a.docx",
			docx(t, entry{name: "word/embeddings/b.xlsx", data: xlsx(t, entry{name: "xl/embeddings/c.docx", data: docx(t)})}), 422, "ARCHIVE_BAD", "含有压缩包"},
		{"28", "overlapping entries", "a.docx", overlapping(t), 422, "ARCHIVE_BAD", "结构异常"},
		{"28", "zip slip", "a.docx", docx(t, entry{name: "../../etc/cron.d/x"}), 422, "ARCHIVE_BAD", "结构异常"},
		{"28", "zip slip the other way", "a.docx", docx(t, entry{name: `..\..\x`}), 422, "ARCHIVE_BAD", "结构异常"},
		{"28", "an absolute path", "a.docx", docx(t, entry{name: "/etc/passwd"}), 422, "ARCHIVE_BAD", "结构异常"},
		{"28", "a link", "a.docx", docx(t, entry{name: "word/link", data: []byte("/etc/passwd"), mode: 0o777 | 1<<27}), 422, "ARCHIVE_BAD", "结构异常"},
		{"28", "cut", "a.docx", docx(t)[:80], 422, "TYPE_MISMATCH", "扩展名不符"},
		{"29", "locked zip", "a.docx", locked(docx(t)), 422, "FILE_ENCRYPTED", "请取消密码后再上传"},
		{"29", "locked xlsx", "a.xlsx", lockedOffice(), 422, "FILE_ENCRYPTED", "请取消密码后再上传"},
		{"29", "locked PDF", "a.pdf", pdfFile("trailer<</Encrypt 9 0 R>>"), 422, "FILE_ENCRYPTED", "请取消密码后再上传"},
		{"29", "locked PDF, said in another way", "a.pdf", pdfFile("trailer<</Enc#72ypt <</Filter/Standard>>>>"), 422, "FILE_ENCRYPTED", "请取消密码后再上传"},
		{"27", "cut PDF", "a.pdf", []byte("%PDF-1.7\n1 0 obj"), 422, "TYPE_MISMATCH", "不完整"},
		{"30", "EICAR", "说明.txt", []byte(eicarFile), 422, "VIRUS_FOUND", "文件含有病毒，已被隔离"},
		{"30", "EICAR in a document", "a.docx", docx(t, entry{name: "word/x.bin", data: []byte(eicarFile)}), 422, "VIRUS_FOUND", "文件含有病毒，已被隔离"},
		{"5", "control characters in a text", "a.csv", []byte("a,b\n\x00\x01"), 422, "TYPE_MISMATCH", "扩展名不符"},
		{"5", "no known encoding", "a.txt", []byte("abc\xff\xff\xff"), 422, "TYPE_MISMATCH", "UTF-8"},
	} {
		refused(t, c.no+" "+c.what, d.upload(c.name, c.content), c.status, c.code, "file", c.says)
	}
	// nothing of all that is kept but what is in quarantine
	r := must(d.uploads.Check(context.Background(), access.SystemActor("test")))(t)
	if r.Rows != 2 || r.Objects != 2 || r.Orphans != 0 || len(r.Missing) != 0 {
		t.Errorf("kept: %+v", r)
	}
	var quarantined, written int
	must(0, d.db.Read().NewSelect().TableExpr("files").ColumnExpr("count(*)").Where("state = 'quarantined'").Scan(context.Background(), &quarantined))(t)
	must(0, d.db.Read().NewSelect().TableExpr("audit_entries").ColumnExpr("count(*)").Where("action = 'file.quarantine'").Scan(context.Background(), &written))(t)
	if quarantined != 2 || written != 2 {
		t.Errorf("%d in quarantine, %d written down", quarantined, written)
	}
}

// TestOddFilesAreKeptSafely: what is strange but no harm is kept under a name of ours and given out shut up.
func TestOddFilesAreKeptSafely(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	jpg := jpegFile(t)
	for _, c := range []struct {
		no, name string
		content  []byte
		kept     string
		inline   bool
		lacks    string
	}{
		{"22", "../../x.jpg", jpg, "x.jpg", true, ""},
		{"22", `C:\temp\x.jpg`, jpg, "x.jpg", true, ""},
		{"22", "..%2f..%2fx.jpg", jpg, "%2f..%2fx.jpg", true, ""},
		{"22", "CON.jpg", jpg, "_CON.jpg", true, ""},
		{"22", strings.Repeat("长", 300) + ".jpg", jpg, strings.Repeat("长", 76) + ".jpg", true, ""},
		{"22", "😀𠮷〇.jpg", jpg, "😀𠮷〇.jpg", true, ""},
		{"22", ".htaccess.jpg", jpg, "htaccess.jpg", true, ""},
		{"22", "a.php.jpg", jpg, "a.php.jpg", true, ""},
		{"22", "\u202egpj.exe.jpg", jpg, "gpj.exe.jpg", true, ""},
		{"22", "x\r\nSet-Cookie: a=b.jpg", jpg, "xSet-Cookie_ a=b.jpg", true, ""},
		{"25", "GPS.jpg", photo(t), "GPS.jpg", true, "GPSLatitude"},
		{"23", "尾巴.jpg", append(bytes.Clone(jpg), "<script>alert(1)</script>"...), "尾巴.jpg", true, "<script>"},
		{"25", "a.webp", webpFile(t), "a.jpg", true, ""},
		{"27", "plain.pdf", pdfFile(""), "plain.pdf", true, ""},
		{"27", "script.pdf", pdfFile("<</S/JavaScript/JS(app.alert(1))>>"), "script.pdf", false, ""},
		{"27", "hidden.pdf", hiddenScript(t), "hidden.pdf", false, ""},
		{"27", "escaped.pdf", pdfFile("<</S/Java#53cript>>"), "escaped.pdf", false, ""},
		{"27", "launch.pdf", pdfFile("<</S/Launch/F(cmd.exe)>>"), "launch.pdf", false, ""},
		{"27", "embedded.pdf", pdfFile("<</Names<</EmbeddedFiles 5 0 R>>>>"), "embedded.pdf", false, ""},
		{"28", "表中表.docx", docx(t, entry{name: "word/embeddings/b.xlsx", data: xlsx(t)}), "表中表.docx", false, ""},
		{"23", "a.csv", []byte("\xef\xbb\xbf企业名称,代码\r\n=cmd|' /C calc'!A0,1\r\n"), "a.csv", false, ""},
	} {
		a := d.upload(c.name, c.content)
		if a.status != 201 || a.view.Name != c.kept || a.view.State != "available" {
			t.Errorf("%s %q: %d %s kept as %q", c.no, c.name, a.status, a.body, a.view.Name)
			continue
		}
		got := d.ask("GET", a.view.URL, d.session, nil)
		disposition := got.header.Get("Content-Disposition")
		if got.status != 200 || int64(len(got.body)) != a.view.Size || strings.HasPrefix(disposition, "inline") != c.inline || strings.ContainsAny(disposition, "\r\n") {
			t.Errorf("%s %q: %d, %d bytes, %s", c.no, c.name, got.status, len(got.body), disposition)
		}
		if c.lacks != "" && bytes.Contains(got.body, []byte(c.lacks)) {
			t.Errorf("%s %q still has %s", c.no, c.name, c.lacks)
		}
		policy := got.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") || !strings.Contains(policy, "sandbox") && !(c.inline && a.view.Mime == "application/pdf") ||
			got.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(got.header.Get("Cache-Control"), "private") || got.header.Get("Content-Type") != a.view.Mime {
			t.Errorf("%s %q is given out with %v", c.no, c.name, got.header)
		}
	}
}

// TestBadForms sends forms that are none: number 19, and what of 21 needs a line of its own.
func TestBadForms(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	part := func(head, body string) string { return "--b\r\n" + head + "\r\n\r\n" + body + "\r\n" }
	file := `Content-Disposition: form-data; name="file"; filename="a.txt"`
	const kind = "multipart/form-data; boundary=b"
	for _, c := range []struct {
		what, kind, body string
		status           int
		code, says       string
	}{
		{"no boundary", "multipart/form-data", part(file, "x") + "--b--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"no form", "application/json", `{"file":"x"}`, 400, "BAD_FORM", "没有收到文件"},
		{"no kind", "", "x", 400, "BAD_FORM", "没有收到文件"},
		{"an empty body", kind, "", 400, "BAD_FORM", "没有收到文件"},
		{"no part", kind, "--b--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"another boundary", kind, strings.ReplaceAll(part(file, "x"), "--b", "--c") + "--c--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"10,000 parts", kind, strings.Repeat(part(`Content-Disposition: form-data; name="x"`, "1"), 10_000) + "--b--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"a part without a name", kind, part(`Content-Disposition: form-data`, "1") + part(file, "x") + "--b--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"a file without a name", kind, part(`Content-Disposition: form-data; name="file"`, "x") + "--b--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"a form in the form", kind, part(file+"\r\nContent-Type: multipart/mixed; boundary=c", "--c\r\n\r\nx\r\n--c--") + "--b--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"a long field", kind, part(`Content-Disposition: form-data; name="purpose"`, strings.Repeat("x", 5000)) + part(file, "x") + "--b--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"NUL in the name", kind, part("Content-Disposition: form-data; name=\"file\"; filename=\"a\x00.txt\"", "x") + "--b--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"headers that are none", kind, "--b\r\nx\r\n\r\n\r\n--b--\r\n", 400, "BAD_FORM", "没有收到文件"},
		{"cut in the middle of the file", kind, "--b\r\n" + file + "\r\n\r\nabc", 400, "UPLOAD_BROKEN", "上传中断，请重试"},
	} {
		refused(t, "19 "+c.what, d.ask("POST", "/api/files", d.session, strings.NewReader(c.body), "Content-Type", c.kind), c.status, c.code, "file", c.says)
	}
	// other field names that come before are no harm
	if a := d.ask("POST", "/api/files", d.session, strings.NewReader(part(`Content-Disposition: form-data; name="purpose"`, "licence")+part(file, "x")+"--b--\r\n"), "Content-Type", kind); a.Code != "TYPE_NOT_ALLOWED" {
		t.Errorf("a text as a licence: %d %s", a.status, a.body)
	}
	// a page of another site cannot send a form: the token is in a header or nowhere
	if a := d.ask("POST", "/api/files", d.session, strings.NewReader(part(`Content-Disposition: form-data; name="_csrf"`, d.web.Token(d.session))+part(file, "x")+"--b--\r\n"),
		"Content-Type", kind, "X-CSRF-Token", ""); a.status != 403 || a.Code != "CSRF" {
		t.Errorf("a form without the header: %d %s", a.status, a.body)
	}
	if a := d.ask("POST", "/api/files", "", strings.NewReader(part(file, "x")+"--b--\r\n"), "Content-Type", kind); a.status != 401 {
		t.Errorf("nobody uploads: %d", a.status)
	}
	if r := must(d.uploads.Check(context.Background(), access.SystemActor("test")))(t); r.Rows+r.Objects != 0 {
		t.Errorf("kept: %+v", r)
	}
}

// raw sends bytes as they are and returns the status and body of the first answer, and how many bytes were taken.
func (d *desk) raw(head string, body io.Reader) (int, string, int64) {
	d.t.Helper()
	conn := must(net.Dial("tcp", d.addr))(d.t)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	lines := head
	for k, v := range d.header(d.session) {
		lines += k + ": " + v[0] + "\r\n"
	}
	must(io.WriteString(conn, lines+"\r\n"))(d.t)
	sent := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(conn, body)
		sent <- n
	}()
	var out bytes.Buffer
	_, _ = io.Copy(&out, conn) // the server closes
	_ = conn.Close()
	n := <-sent
	status := 0
	_, _ = fmt.Sscanf(out.String(), "HTTP/1.1 %d", &status)
	return status, out.String(), n
}

type chunks struct {
	head string
	at   int
}

// Read gives the head of a form and then content for ever, in chunks.
func (c *chunks) Read(p []byte) (int, error) {
	if c.at < len(c.head) {
		n := copy(p, c.head[c.at:])
		c.at += n
		return n, nil
	}
	return copy(p, "1000\r\n"+strings.Repeat("a", 0x1000)+"\r\n"), nil
}

func TestUploadsThatLie(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	head := "POST /api/files HTTP/1.1\r\nHost: " + d.addr + "\r\nContent-Type: multipart/form-data; boundary=b\r\n"
	begin := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"

	status, text, sent := d.raw(head+"Transfer-Encoding: chunked\r\n", &chunks{head: fmt.Sprintf("%x\r\n%s\r\n", len(begin), begin)})
	if status != 413 || !strings.Contains(text, "FILE_TOO_LARGE") || !strings.Contains(text, "不能超过 2 MB") || !strings.Contains(text, "Connection: close") || sent > 16<<20 {
		t.Errorf("21 an endless file: %d after %d bytes: %.300s", status, sent, text)
	}
	status, text, sent = d.raw(head+"Transfer-Encoding: chunked\r\n", &chunks{})
	if status != 400 || !strings.Contains(text, "BAD_FORM") || sent > 16<<20 {
		t.Errorf("21 an endless form without a part: %d after %d bytes: %.300s", status, sent, text)
	}
	status, text, _ = d.raw(head+"Content-Length: 99999999999\r\n", strings.NewReader(begin+strings.Repeat("a", 10_000)))
	if status != 413 || !strings.Contains(text, "24 MB") {
		t.Errorf("21 a length of 100 GB: %d %.300s", status, text)
	}
	// shorter than what comes: what is left over is not taken for another request
	status, text, _ = d.raw(head+"Content-Length: 100\r\n", strings.NewReader(begin+"abc\r\nGET /api/session HTTP/1.1\r\nHost: x\r\n\r\n--b--\r\n"))
	if status != 400 || strings.Count(text, "HTTP/1.1 ") > 1 && strings.Contains(text, "csrfToken") {
		t.Errorf("21 too short a length: %d %.600s", status, text)
	}
	for _, path := range []string{"/api/tickets", "/login"} {
		other := "POST " + path + " HTTP/1.1\r\nHost: " + d.addr + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
		if status, text, sent := d.raw(other, &chunks{}); status != 413 || sent > 40<<20 {
			t.Errorf("an endless body to %s: %d after %d bytes: %.300s", path, status, sent, text)
		}
	}
	if r := must(d.uploads.Check(context.Background(), access.SystemActor("test")))(t); r.Rows+r.Objects != 0 {
		t.Errorf("kept: %+v", r)
	}
}
