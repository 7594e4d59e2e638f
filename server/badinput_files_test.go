package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

// badFiles are the part of the table that is about files: numbers 20 to 30, and 5 inside a file. Nothing of them is kept but
// what is in quarantine.
func badFiles(t *testing.T) []badInput {
	_, scanner := mustClamd(t)
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), scanner)
	const mb = 1 << 20
	quarantined := func(n int) func(*testing.T, answer) {
		return func(t *testing.T, _ answer) {
			r := must(d.uploads.Check(context.Background(), access.SystemActor("test")))(t)
			if r.Rows != n || r.Objects != n || r.Orphans != 0 || len(r.Missing) != 0 {
				t.Errorf("kept: %+v", r)
			}
			if n != d.rows(t, "(SELECT 1 FROM files WHERE state = 'quarantined') AS q") || n != d.rows(t, "(SELECT 1 FROM audit_entries WHERE action = 'file.quarantine') AS q") {
				t.Errorf("%d are not in quarantine and written down", n)
			}
		}
	}
	return followed([]badInput{
		{5, "control characters in a text", d.file("a.csv", []byte("a,b\n\x00\x01")), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{5, "no known encoding", d.file("a.txt", []byte("abc\xff\xff\xff")), 422, "TYPE_MISMATCH", "file", "UTF-8", nil},

		{20, "nothing in it", d.file("a.jpg", nil), 422, "FILE_EMPTY", "file", "文件是空的，请重新选择", nil},

		{21, "a text over 2 MB", d.file("a.txt", bigText(2*mb+20)), 413, "FILE_TOO_LARGE", "file", "不能超过 2 MB", nil},
		{21, "a picture over 10 MB", d.file("a.jpg", append(jpegFile(t), repeat(0, 10*mb)...)), 413, "FILE_TOO_LARGE", "file", "不能超过 10 MB", nil},
		{21, "a PDF over 20 MB", d.file("a.pdf", pdfFile(strings.Repeat("x", 20*mb))), 413, "FILE_TOO_LARGE", "file", "不能超过 20 MB", nil},
		{21, "more than any request may bring", d.file("a.pdf", pdfFile(strings.Repeat("x", 30*mb))), 413, "BODY_TOO_LARGE", "file", "超过 24 MB", nil},

		{23, "exe renamed", d.file("a.jpg", []byte("MZ\x90\x00\x03\x00\x00\x00This program cannot be run in DOS mode")), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{23, "html as png", d.file("a.png", []byte("<html><script>alert(1)</script>")), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{23, "html as text", d.file("a.txt", []byte("\ufeff \n<!DOCTYPE html><script>alert(1)</script>")), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{23, "GIF and script", d.file("a.jpg", []byte("GIF89a/*\x01\x00\x01\x00*/=1;alert(1)//")), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{23, "PDF and page, page first", d.file("a.pdf", []byte("%PDF-1.7\n<html><script>alert(1)</script></html>\n1 0 obj<<>>endobj\n%%EOF")), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{23, "PDF and page, page last", d.file("a.pdf", append(pdfFile(""), "<!doctype html><script>alert(1)</script>"...)), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{23, "PDF and zip", d.file("a.pdf", append(pdfFile(""), zipFile(t, entry{name: "x"})...)), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{23, "zip as docx", d.file("a.docx", zipFile(t, entry{name: "x.txt"})), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{23, "old office as docx", d.file("a.docx", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600)...)), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{23, "macros", d.file("a.docx", docx(t, entry{name: "word/vbaProject.bin"})), 422, "TYPE_NOT_ALLOWED", "file", "宏", nil},
		{23, "a GIF that is a script", d.file("a.gif", []byte("GIF89a/*\x01\x00\x01\x00*/=1;alert(1)//")), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},

		{24, "svg with script", d.file("a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},
		{24, "html", d.file("a.html", []byte("<p>")), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},
		{24, "htm", d.file("a.htm", []byte("<p>")), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},
		{24, "xml", d.file("a.xml", []byte("<?xml version='1.0'?><x/>")), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},
		{24, "lnk", d.file("a.lnk", []byte("L\x00\x00\x00")), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},
		{24, "js", d.file("a.js", []byte("alert(1)")), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},
		{24, "no extension", d.file("passwd", []byte("root:x")), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},
		{24, "zip", d.file("42.zip", zipFile(t, entry{name: "x"})), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},

		{25, "half a JPEG", d.file("a.jpg", jpegFile(t)[:300]), 422, "IMAGE_BAD", "file", "图片已损坏或尺寸过大", nil},
		{25, "JPEG of 60,000 × 60,000", d.file("a.jpg", resizedJPEG(t, 60_000, 60_000)), 422, "IMAGE_BAD", "file", "图片已损坏或尺寸过大", nil},
		{25, "PNG of 60,000 × 60,000", d.file("a.png", resizedPNG(t, 60_000, 60_000)), 422, "IMAGE_BAD", "file", "图片已损坏或尺寸过大", nil},
		{25, "PNG of 1 × 2,000,000,000", d.file("a.png", resizedPNG(t, 1, 2_000_000_000)), 422, "IMAGE_BAD", "file", "图片已损坏或尺寸过大", nil},
		{25, "GIF of 100,000 pictures", d.file("a.gif", frames(t, 100_000)), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},
		{25, "the same as JPEG", d.file("a.jpg", frames(t, 100_000)), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{25, "WebP that moves", d.file("a.webp", riff("VP8X", []byte{2, 0, 0, 0, 0, 0, 0, 0, 0, 0})), 422, "IMAGE_BAD", "file", "图片已损坏或尺寸过大", nil},

		{26, "VP8L of 16,384 × 16,384", d.file("a.webp", vp8l(16_384, 16_384)), 422, "IMAGE_BAD", "file", "图片已损坏或尺寸过大", nil},
		{26, "VP8L of noise", d.file("a.webp", vp8l(3_000, 3_000)), 422, "IMAGE_BAD", "file", "图片已损坏或尺寸过大", nil},
		{26, "VP8L that ends too soon", d.file("a.webp", vp8lShort(3_000, 3_000)), 422, "IMAGE_BAD", "file", "图片已损坏或尺寸过大", nil},
		{26, "VP8L with 65,536 groups of trees", d.file("a.webp", vp8lGroups(16, 16)), 422, "IMAGE_BAD", "file", "图片已损坏或尺寸过大", nil},

		{27, "cut PDF", d.file("a.pdf", []byte("%PDF-1.7\n1 0 obj")), 422, "TYPE_MISMATCH", "file", "不完整", nil},
		{27, "PDF with a password", d.file("a.pdf", pdfFile("<</S/JavaScript/JS(app.alert(1))>>\ntrailer<</Encrypt 9 0 R>>")), 422, "FILE_ENCRYPTED", "file", "请取消密码后再上传", nil},

		{28, "unpacks to 400 MB", d.file("a.xlsx", xlsx(t, entry{name: "xl/sharedStrings.xml", data: make([]byte, 400*mb)})), 422, "ARCHIVE_TOO_BIG", "file", "展开后过大", nil},
		{28, "says it is small and is not", d.file("a.docx", lying(t)), 422, "ARCHIVE_BAD", "file", "结构异常", nil},
		{28, "zip in it", d.file("a.docx", docx(t, entry{name: "word/x.bin", data: zipFile(t, entry{name: "y"})})), 422, "ARCHIVE_BAD", "file", "含有压缩包", nil},
		{28, "7z in it", d.file("a.docx", docx(t, entry{name: "word/media/x.png", data: []byte("7z\xbc\xaf\x27\x1c......")})), 422, "ARCHIVE_BAD", "file", "含有压缩包", nil},
		{28, "a document in a document in a document", d.file("a.docx", docx(t, entry{name: "word/embeddings/b.xlsx", data: xlsx(t, entry{name: "xl/embeddings/c.docx", data: docx(t)})})), 422, "ARCHIVE_BAD", "file", "含有压缩包", nil},
		{28, "overlapping entries", d.file("a.docx", overlapping(t)), 422, "ARCHIVE_BAD", "file", "结构异常", nil},
		{28, "zip slip", d.file("a.docx", docx(t, entry{name: "../../etc/cron.d/x"})), 422, "ARCHIVE_BAD", "file", "结构异常", nil},
		{28, "zip slip the other way", d.file("a.docx", docx(t, entry{name: `..\..\x`})), 422, "ARCHIVE_BAD", "file", "结构异常", nil},
		{28, "an absolute path", d.file("a.docx", docx(t, entry{name: "/etc/passwd"})), 422, "ARCHIVE_BAD", "file", "结构异常", nil},
		{28, "a link", d.file("a.docx", docx(t, entry{name: "word/link", data: []byte("/etc/passwd"), mode: 0o777 | 1<<27})), 422, "ARCHIVE_BAD", "file", "结构异常", nil},
		{28, "cut", d.file("a.docx", docx(t)[:80]), 422, "TYPE_MISMATCH", "file", "扩展名不符", nil},
		{28, "42.zip", d.file("a.docx", docx(t, fortyTwo(t)...)), 422, "ARCHIVE_BAD", "file", "含有压缩包", nil},
		{28, "1,000,000 entries", d.large("a.docx", crowded(1_000_000)), 413, "BODY_TOO_LARGE", "file", "超过 24 MB", nil}, // a megabyte of it takes 22,000
		{28, "440,000 entries, as many as fit", d.large("a.docx", crowded(440_000)), 422, "ARCHIVE_TOO_BIG", "file", "展开后过大", nil},
		{28, "394,218 entries, said to be 1,002", d.large("a.docx", modest(394_216)), 422, "ARCHIVE_TOO_BIG", "file", "展开后过大", nil},
		{28, "10,000 entries", d.large("a.docx", crowded(10_000)), 422, "ARCHIVE_TOO_BIG", "file", "展开后过大", nil},
		{28, "two entries said to be 1,000,000", d.file("a.docx", boastful(t, 1_000_000)), 422, "ARCHIVE_BAD", "file", "结构异常", nil},

		{29, "locked zip", d.file("a.docx", locked(docx(t))), 422, "FILE_ENCRYPTED", "file", "请取消密码后再上传", nil},
		{29, "locked xlsx", d.file("a.xlsx", lockedOffice()), 422, "FILE_ENCRYPTED", "file", "请取消密码后再上传", nil},
		{29, "locked PDF", d.file("a.pdf", pdfFile("trailer<</Encrypt 9 0 R>>")), 422, "FILE_ENCRYPTED", "file", "请取消密码后再上传", nil},
		{29, "locked PDF, said in another way", d.file("a.pdf", pdfFile("trailer<</Enc#72ypt <</Filter/Standard>>>>")), 422, "FILE_ENCRYPTED", "file", "请取消密码后再上传", nil},

		{30, "EICAR", d.file("说明.txt", []byte(eicarFile)), 422, "VIRUS_FOUND", "file", "文件含有病毒，已被隔离", quarantined(1)},
		{30, "EICAR in a document", d.file("a.docx", docx(t, entry{name: "word/x.bin", data: []byte(eicarFile)})), 422, "VIRUS_FOUND", "file", "文件含有病毒，已被隔离", quarantined(2)},
	}, quarantined(0))
}

// oddFiles are what is strange but no harm: it is kept under a name of ours and given out shut up.
func oddFiles(t *testing.T) []badInput {
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	jpg := jpegFile(t)
	nul := d.post(d.session, "/api/files", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''x%00.php.jpg\r\n\r\n"+string(jpg)+"\r\n--b--\r\n")
	return []badInput{
		{22, "two folders up", d.file("../../x.jpg", jpg), 201, "", "", "", d.shown("x.jpg", true, "")},
		{22, "a path of Windows", d.file(`C:\temp\x.jpg`, jpg), 201, "", "", "", d.shown("x.jpg", true, "")},
		{22, "two folders up, escaped", d.file("..%2f..%2fx.jpg", jpg), 201, "", "", "", d.shown("%2f..%2fx.jpg", true, "")},
		{22, "a device", d.file("CON.jpg", jpg), 201, "", "", "", d.shown("_CON.jpg", true, "")},
		{22, "300 characters", d.file(strings.Repeat("长", 300)+".jpg", jpg), 201, "", "", "", d.shown(strings.Repeat("长", 76)+".jpg", true, "")},
		{22, "emoji and rare Hanzi", d.file("😀𠮷〇.jpg", jpg), 201, "", "", "", d.shown("😀𠮷〇.jpg", true, "")},
		{22, "a dot in front", d.file(".htaccess.jpg", jpg), 201, "", "", "", d.shown("htaccess.jpg", true, "")},
		{22, "two extensions", d.file("a.php.jpg", jpg), 201, "", "", "", d.shown("a.php.jpg", true, "")},
		{22, "right to left", d.file("\u202egpj.exe.jpg", jpg), 201, "", "", "", d.shown("gpj.exe.jpg", true, "")},
		{22, "a line of a header", d.file("x\r\nSet-Cookie: a=b.jpg", jpg), 201, "", "", "", d.shown("xSet-Cookie_ a=b.jpg", true, "")},
		{22, "NUL, escaped", nul, 201, "", "", "", d.shown("x.php.jpg", true, "")},
		{25, "EXIF with a place", d.file("GPS.jpg", photo(t)), 201, "", "", "", d.shown("GPS.jpg", true, "GPSLatitude")},
		{23, "a script behind a picture", d.file("尾巴.jpg", append(bytes.Clone(jpg), "<script>alert(1)</script>"...)), 201, "", "", "", d.shown("尾巴.jpg", true, "<script>")},
		{25, "WebP", d.file("a.webp", webpFile(t)), 201, "", "", "", d.shown("a.jpg", true, "")},
		{25, "PNG of 100,000 pictures", d.file("a.png", moving(t, 100_000)), 201, "", "", "", d.shown("a.png", true, "fdAT")},
		{27, "PDF of pages only", d.file("plain.pdf", pdfFile("")), 201, "", "", "", d.shown("plain.pdf", true, "")},
		{27, "PDF with a script", d.file("script.pdf", pdfFile("<</S/JavaScript/JS(app.alert(1))>>")), 201, "", "", "", d.shown("script.pdf", false, "")},
		{27, "a script in a compressed part", d.file("hidden.pdf", hiddenScript(t)), 201, "", "", "", d.shown("hidden.pdf", false, "")},
		{27, "a script, said in another way", d.file("escaped.pdf", pdfFile("<</S/Java#53cript>>")), 201, "", "", "", d.shown("escaped.pdf", false, "")},
		{27, "PDF that starts a program", d.file("launch.pdf", pdfFile("<</S/Launch/F(cmd.exe)>>")), 201, "", "", "", d.shown("launch.pdf", false, "")},
		{27, "PDF with a file in it", d.file("embedded.pdf", pdfFile("<</Names<</EmbeddedFiles 5 0 R>>>>")), 201, "", "", "", d.shown("embedded.pdf", false, "")},
		{28, "a document in a document", d.file("表中表.docx", docx(t, entry{name: "word/embeddings/b.xlsx", data: xlsx(t)})), 201, "", "", "", d.shown("表中表.docx", false, "")},
		{23, "CSV with a formula", d.file("a.csv", []byte("\xef\xbb\xbf企业名称,代码\r\n=cmd|' /C calc'!A0,1\r\n")), 201, "", "", "", d.shown("a.csv", false, "")},
	}
}

// shown says that an upload is kept under a name, and given out as itself without a part of what was sent: in place or to be
// taken away, and so that nothing in it runs.
func (d *desk) shown(name string, inline bool, lacks string) func(*testing.T, answer) {
	return func(t *testing.T, a answer) {
		if a.view.Name != name || a.view.State != "available" {
			t.Fatalf("kept as %q, %s", a.view.Name, a.view.State)
		}
		got := d.on(t).ask("GET", a.view.URL, d.session, nil)
		disposition := got.header.Get("Content-Disposition")
		if got.status != 200 || int64(len(got.body)) != a.view.Size || strings.HasPrefix(disposition, "inline") != inline || strings.ContainsAny(disposition, "\r\n") {
			t.Errorf("%d, %d bytes, %s", got.status, len(got.body), disposition)
		}
		if lacks != "" && bytes.Contains(got.body, []byte(lacks)) {
			t.Errorf("it still has %s", lacks)
		}
		policy := got.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") || !strings.Contains(policy, "sandbox") && !(inline && a.view.Mime == "application/pdf") ||
			got.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(got.header.Get("Cache-Control"), "private") || got.header.Get("Content-Type") != a.view.Mime {
			t.Errorf("given out with %v", got.header)
		}
	}
}

// badForms are number 19: forms that are none. What of 21 needs a line of its own is in lyingUploads.
func badForms(t *testing.T) []badInput {
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	part := func(head, body string) string { return "--b\r\n" + head + "\r\n\r\n" + body + "\r\n" }
	const (
		file  = `Content-Disposition: form-data; name="file"; filename="a.txt"`
		field = `Content-Disposition: form-data; name="purpose"`
		kind  = "multipart/form-data; boundary=b"
		end   = "--b--\r\n"
		none  = "没有收到文件，请重新选择后上传"
	)
	send := func(kind, body string, more ...string) func(*testing.T) answer {
		return d.post(d.session, "/api/files", kind, body, more...)
	}
	return followed([]badInput{
		{19, "no boundary", send("multipart/form-data", part(file, "x")+end), 400, "BAD_FORM", "file", none, nil},
		{19, "no form", send(asJSON, `{"file":"x"}`), 400, "BAD_FORM", "file", none, nil},
		{19, "no kind", send("", "x"), 400, "BAD_FORM", "file", none, nil},
		{19, "an empty body", send(kind, ""), 400, "BAD_FORM", "file", none, nil},
		{19, "no part", send(kind, end), 400, "BAD_FORM", "file", none, nil},
		{19, "another boundary", send(kind, strings.ReplaceAll(part(file, "x"), "--b", "--c")+"--c--\r\n"), 400, "BAD_FORM", "file", none, nil},
		{19, "10,000 parts", send(kind, strings.Repeat(part(`Content-Disposition: form-data; name="x"`, "1"), 10_000)+end), 400, "BAD_FORM", "file", none, nil},
		{19, "a part without a name", send(kind, part(`Content-Disposition: form-data`, "1")+part(file, "x")+end), 400, "BAD_FORM", "file", none, nil},
		{19, "a file without a name", send(kind, part(`Content-Disposition: form-data; name="file"`, "x")+end), 400, "BAD_FORM", "file", none, nil},
		{19, "a form in the form", send(kind, part(file+"\r\nContent-Type: multipart/mixed; boundary=c", "--c\r\n\r\nx\r\n--c--")+end), 400, "BAD_FORM", "file", none, nil},
		{19, "a long field", send(kind, part(field, strings.Repeat("x", 5000))+part(file, "x")+end), 400, "BAD_FORM", "file", none, nil},
		{19, "headers that are none", send(kind, "--b\r\nx\r\n\r\n\r\n"+end), 400, "BAD_FORM", "file", none, nil},
		{19, "cut in the middle of the file", send(kind, "--b\r\n"+file+"\r\n\r\nabc"), 400, "UPLOAD_BROKEN", "file", "上传中断，请重试", nil},
		{22, "NUL", send(kind, part("Content-Disposition: form-data; name=\"file\"; filename=\"a\x00.txt\"", "x")+end), 400, "BAD_FORM", "file", none, nil}, // no header may hold it

		// other fields that come before are no harm: this one says what the file is for
		{19, "a text as a licence", send(kind, part(field, "licence")+part(file, "x")+end), 422, "TYPE_NOT_ALLOWED", "file", "请上传", nil},
		// a page of another site cannot send a form: the token is in a header or nowhere
		{19, "a token in the form", send(kind, part(`Content-Disposition: form-data; name="_csrf"`, d.web.Token(d.session))+part(file, "x")+end, "X-CSRF-Token", ""), 403, "CSRF", "", "请刷新", nil},
		{19, "nobody's", d.post("", "/api/files", kind, part(file, "x")+end), 401, "SIGN_IN_REQUIRED", "", "请先登录", nil},
	}, d.nothingKept)
}

// nothingKept says that no upload left a row or bytes.
func (d *desk) nothingKept(t *testing.T, _ answer) {
	if r := must(d.uploads.Check(context.Background(), access.SystemActor("test")))(t); r.Rows+r.Objects != 0 {
		t.Errorf("kept: %+v", r)
	}
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

// pour sends a request whose body says nothing true of its end, until the server closes the line; it must not take more than
// most bytes. What is left over of the body is never taken for another request.
func (d *desk) pour(head string, body io.Reader, most int64) func(*testing.T) answer {
	return func(t *testing.T) answer {
		conn := must(net.Dial("tcp", d.addr))(t)
		defer conn.Close()
		must(0, conn.SetDeadline(time.Now().Add(30*time.Second)))(t)
		for k, v := range d.header(d.session) {
			head += k + ": " + v[0] + "\r\n"
		}
		must(io.WriteString(conn, head+"\r\n"))(t)
		sent := make(chan int64, 1)
		go func() {
			n, _ := io.Copy(conn, body)
			sent <- n
		}()
		var out bytes.Buffer
		_, _ = io.Copy(&out, conn) // the server closes
		_ = conn.Close()
		if n := <-sent; n > most {
			t.Errorf("%d bytes were taken", n)
		}
		if text := out.String(); strings.Contains(text, "csrfToken") || !strings.Contains(text, "Connection: close\r\n") {
			t.Errorf("answered %.600s", text)
		}
		res := must(http.ReadResponse(bufio.NewReader(&out), nil))(t)
		defer res.Body.Close()
		a := answer{status: res.StatusCode, header: res.Header, body: must(io.ReadAll(res.Body))(t)}
		must(0, json.Unmarshal(a.body, &a.Problem))(t)
		return a
	}
}

// lyingUploads are the part of number 21 that no library sends: bodies without an end, or of another length than they say.
func lyingUploads(t *testing.T) []badInput {
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	post := func(path, kind, more string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: " + d.addr + "\r\nContent-Type: " + kind + "\r\n" + more + "\r\n"
	}
	upload := func(more string) string { return post("/api/files", "multipart/form-data; boundary=b", more) }
	const (
		endless = "Transfer-Encoding: chunked"
		begin   = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"
		mb      = 1 << 20
	)
	return followed([]badInput{
		{21, "a file without an end", d.pour(upload(endless), &chunks{head: fmt.Sprintf("%x\r\n%s\r\n", len(begin), begin)}, 16*mb), 413, "FILE_TOO_LARGE", "file", "文件不能超过 2 MB，请压缩后再上传", nil},
		{21, "a form without an end or a part", d.pour(upload(endless), &chunks{}, 16*mb), 400, "BAD_FORM", "file", "没有收到文件，请重新选择后上传", nil},
		{21, "a length of 100 GB", d.pour(upload("Content-Length: 99999999999"), strings.NewReader(begin+strings.Repeat("a", 10_000)), mb), 413, "BODY_TOO_LARGE", "file", "提交的内容超过 24 MB，请压缩后重试", nil},
		{21, "too short a length", d.pour(upload("Content-Length: 100"), strings.NewReader(begin+"abc\r\nGET /api/session HTTP/1.1\r\nHost: x\r\n\r\n--b--\r\n"), mb), 400, "UPLOAD_BROKEN", "file", "上传中断，请重试", nil},
		{21, "JSON without an end", d.pour(post("/api/tickets", asJSON, endless), &chunks{}, 40*mb), 413, "BODY_TOO_LARGE", "", "提交的内容超过 24 MB，请压缩后重试", nil},
		{21, "a page's form without an end", d.pour(post("/login", asJSON, endless), &chunks{}, 40*mb), 413, "BODY_TOO_LARGE", "", "提交的内容超过 24 MB，请压缩后重试", nil},
	}, d.nothingKept)
}
