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

	"github.com/huiqi/huiqi/platform/database/databasetest"
)

// badHTTP are the part of number 15 and all of 43 that no library sends: each goes out as it is written here.
func badHTTP(t *testing.T) []badInput {
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	own := "Cookie: __Host-huiqi=" + d.session + "\r\nX-CSRF-Token: " + d.web.Token(d.session) + "\r\n"
	const (
		unread  = "请求无法识别，请刷新页面后重试"
		nowhere = "您访问的页面不存在，请检查网址，或从首页重新进入"
		method  = "此地址不支持这种操作，请从页面上重新操作"
		headers = "请求头或网址过长，请清除浏览器 Cookie 后重试，或从首页重新进入"
	)
	// a forged host never comes back in an address of ours
	unsaid := func(t *testing.T, a answer) {
		if strings.Contains(a.header.Get("Location"), "evil") || bytes.Contains(a.body, []byte("evil.example")) {
			t.Errorf("%v %s", a.header, a.body)
		}
	}
	return followed([]badInput{
		{15, "a header of 64 KB", d.wire("GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n"), 431, "HEADERS_TOO_LARGE", "", headers, nil},
		{15, "500 headers", d.wire("GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("X: a\r\n", 500) + "\r\n"), 431, "HEADERS_TOO_LARGE", "", headers, nil},
		{15, "an address of 64 KB", d.wire("GET /?" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: h\r\n\r\n"), 431, "HEADERS_TOO_LARGE", "", headers, nil},

		{43, "two kinds of length", d.wire("POST /api/tickets HTTP/1.1\r\nHost: h\r\n" + own + "Content-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "two kinds of length and a request behind", d.pour("POST /api/tickets HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 54\r\nTransfer-Encoding: chunked\r\n", strings.NewReader("0\r\n\r\nGET /api/session HTTP/1.1\r\nHost: h\r\nX: a\r\n\r\n"), 1<<20), 400, "BAD_REQUEST", "", unread, nil},
		{43, "two lengths", d.wire("POST /api/tickets HTTP/1.1\r\nHost: h\r\n" + own + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "a length with a sign", d.wire("POST /api/tickets HTTP/1.1\r\nHost: h\r\n" + own + "Content-Length: +4\r\n\r\nabcd"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "no host", d.wire("GET / HTTP/1.1\r\n\r\n"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "two hosts", d.wire("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "TRACE", d.wire("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"), 405, "METHOD_NOT_ALLOWED", "", method, nil},
		{43, "CONNECT", d.wire("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n"), 405, "METHOD_NOT_ALLOWED", "", method, nil},
		{43, "another method by header", d.wire("POST /api/session HTTP/1.1\r\nHost: h\r\n" + own + "X-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\n"), 405, "METHOD_NOT_ALLOWED", "", method, nil},
		{43, "HTTP/0.9", d.wire("GET /\r\n\r\n"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "lines that end with LF alone", d.wire("POST /api/tickets HTTP/1.1\nHost: h\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "a page by lines that end with LF alone", d.wire("GET / HTTP/1.1\nHost: h\nConnection: close\n\n"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "no HTTP", d.wire("\x16\x03\x01\x02\x00\x01\x00"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "a header folded", d.wire("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"), 200, "", "", "", nil}, // read as one line
		{43, "a header without a name", d.wire("GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "a space before the colon", d.wire("GET / HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nabcde"), 400, "BAD_REQUEST", "", unread, nil},
		{43, "a forged host", d.wire("GET /elder?return=//evil.example HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 302, "", "", "", unsaid},
		{43, "a forged host and a slash too few", d.wire("GET /m HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 302, "", "", "", unsaid},
		{43, "a whole address", d.wire("GET http://evil.example/login HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 200, "", "", "", unsaid},
		{43, "a whole address that leads nowhere", d.wire("GET http://evil.example/nowhere HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 404, "NOT_FOUND", "", nowhere, unsaid},
	}, d.served)
}

// badRanges are number 44.
func badRanges(t *testing.T) []badInput {
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	up := d.upload("a.txt", []byte(strings.Repeat("惠企台", 100)))
	part := func(asked string) func(*testing.T) answer { return d.get(d.session, up.view.URL, "Range", asked) }
	long := func(n int) func(*testing.T, answer) {
		return func(t *testing.T, a answer) {
			if len(a.body) != n {
				t.Errorf("%d bytes", len(a.body))
			}
		}
	}
	const beyond = "请求的部分超出文件范围，请重新下载"
	return []badInput{
		{44, "ten bytes", part("bytes=0-9"), 206, "", "", "", long(10)},
		{44, "1,000 ranges", part("bytes=0-0" + strings.Repeat(",0-0", 999)), 200, "", "", "", long(900)},
		{44, "backwards", part("bytes=9-0"), 200, "", "", "", long(900)},
		{44, "beyond the end", part("bytes=900-"), 416, "RANGE_NOT_SATISFIABLE", "", beyond, nil},
		{44, "the last none", part("bytes=-0"), 416, "RANGE_NOT_SATISFIABLE", "", beyond, nil},
		{44, "far beyond the end", part("bytes=99999999999999999999-"), 416, "RANGE_NOT_SATISFIABLE", "", beyond, nil},
		{44, "lines", part("lines=1-2"), 200, "", "", "", long(900)},
		{44, "letters", part("bytes=a-b"), 200, "", "", "", long(900)},
		{44, "none", part("bytes="), 200, "", "", "", long(900)},
		{44, "ranges that overlap", part("bytes=0-9, 5-14, 8-20"), 206, "", "", "", nil},
	}
}

// badPlaces are number 40: a place in the stream that is none is ignored, and the stream begins. One that is longer than
// headers may be is cut before it is read.
func badPlaces(t *testing.T) []badInput {
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.live.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	at := func(id string) func(*testing.T) answer {
		return func(t *testing.T) answer { return d.follow(t, id) }
	}
	eventually(t, "the first events are read", func() bool { return at("")(t).status == 200 })
	hello := func(t *testing.T, a answer) {
		if !bytes.HasPrefix(a.body, []byte("retry: ")) {
			t.Errorf("the stream begins with %q", a.body)
		}
	}
	const headers = "请求头或网址过长，请清除浏览器 Cookie 后重试"
	return []badInput{
		{40, "nothing", at(""), 200, "", "", "", hello},
		{40, "words", at("drop table"), 200, "", "", "", hello},
		{40, "minus one", at("-1"), 200, "", "", "", hello},
		{40, "2^64", at("18446744073709551616"), 200, "", "", "", hello},
		{40, "the future", at("999999999999"), 200, "", "", "", hello},
		{40, "full width", at("１２"), 200, "", "", "", hello},
		{40, "10 KB", at(strings.Repeat("9", 10<<10)), 200, "", "", "", hello},
		{40, "64 KB", at(strings.Repeat("9", 64<<10)), 431, "HEADERS_TOO_LARGE", "", headers, d.served},
		// whether the answer is read before the line is cut is chance
		{40, "10 MB", func(t *testing.T) answer {
			a := d.follow(t, strings.Repeat("9", 10<<20))
			if a.status == 431 && a.Code == "HEADERS_TOO_LARGE" {
				return answer{}
			}
			return a
		}, 0, "", "", "", d.served},
	}
}

// follow asks for the stream from a place on, and returns how it begins.
func (d *desk) follow(t *testing.T, id string) answer {
	t.Helper()
	conn := must(net.Dial("tcp", d.addr))(t)
	defer conn.Close()
	must(0, conn.SetDeadline(time.Now().Add(30*time.Second)))(t)
	go func() { // what is refused early is not read to its end
		_, _ = fmt.Fprintf(conn, "GET /api/live HTTP/1.1\r\nHost: h\r\nCookie: __Host-huiqi=%s\r\nLast-Event-ID: %s\r\n\r\n", d.session, id)
	}()
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return answer{}
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.status == 200 {
		a.body, _ = bufio.NewReader(res.Body).ReadBytes('\n')
		return a
	}
	a.body, _ = io.ReadAll(res.Body)
	must(0, json.Unmarshal(a.body, &a.Problem))(t)
	return a
}
