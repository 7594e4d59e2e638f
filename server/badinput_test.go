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
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
)

// badInput is one line of the table of bad inputs, section 5.3 of the reliability rules: what is sent, and what must come
// back. What is odd but says one thing only is taken: then code is empty, and then says what is kept and shown of it.
type badInput struct {
	no     int // of the rules' table
	what   string
	do     func(t *testing.T) answer
	status int // 0: the line is cut without an answer; of a command (46) its exit code
	code   string
	field  string
	says   string // in the Chinese sentence
	then   func(t *testing.T, a answer)
}

// badInputNumbers are the numbers that this suite owes a case. The others have tests of their own: 10 to 12 in
// platform/idcard, uscc and phone, 31 in TestScannerDown, 37 to 39 with what shows, sends and streams.
var badInputNumbers = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 32, 33, 34, 35, 36, 40, 41, 42, 43, 44, 45, 46}

// TestBadInputs is the table of bad inputs as a whole: each gets its status, its code, the field and a Chinese sentence
// that says what to do, and leaves nothing behind; none gets a 500 or a stack.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	cases := map[int]int{}
	for _, table := range []func(*testing.T) []badInput{
		badRequests, oddRequests, foreignRequests, repeatedRequests, badSessions, badHTTP, badRanges, badPlaces,
		badFiles, oddFiles, badForms, lyingUploads, badSheets, dirtyRows, oddSheets, hugeInputs, badConfigs,
	} {
		for _, c := range table(t) {
			cases[c.no]++
			t.Run(fmt.Sprintf("%02d_%s", c.no, c.what), func(t *testing.T) { c.check(t, c.do(t)) })
		}
	}
	for _, no := range badInputNumbers {
		if cases[no] == 0 {
			t.Errorf("number %d of the table has no case", no)
		}
	}
}

func (c badInput) check(t *testing.T, a answer) {
	t.Helper()
	if c.code != "" {
		refused(t, c.what, a, c.status, c.code, c.field, c.says)
	} else if a.status != c.status || a.Code != "" || !strings.Contains(a.Detail, c.says) {
		t.Errorf("%d %s %s %.300s, want %d %s", a.status, a.Code, a.Detail, a.body, c.status, c.says)
	}
	if c.then != nil && !t.Failed() {
		c.then(t, a)
	}
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
	for _, f := range a.Errors {
		if f.Message != "" && strings.IndexFunc(f.Message, func(r rune) bool { return unicode.Is(unicode.Han, r) }) < 0 {
			t.Errorf("%s: %s is told %q", what, f.Name, f.Message)
		}
	}
	for _, leak := range []string{"goroutine", ".go:", "panic", "multipart:"} {
		if bytes.Contains(a.body, []byte(leak)) {
			t.Errorf("%s: the answer shows %q: %s", what, leak, a.body)
		}
	}
}

// staff signs a person of the given roles in, the way people do: captcha, password, code from the outbox.
func staff(t *testing.T, h *house, account, phone string, party access.Party, roles ...string) string {
	t.Helper()
	ctx, visitor := context.Background(), access.Actor{Party: access.Anonymous, IP: "203.0.113.9"}
	const password = "Yun-He-2026-bad"
	must(h.identity.CreateStaff(ctx, access.SystemActor("test"), identity.Staff{Name: "王芳", Account: account, Password: password, Phone: phone, Party: party, Roles: roles}))(t)
	id := must(h.identity.NewCaptcha(ctx))(t)
	var digits, sealed string
	must(0, h.db.Read().NewSelect().TableExpr("captchas").Column("digits").Where("id = ?", id).Scan(ctx, &digits))(t)
	b := must(h.identity.SignInByPassword(ctx, visitor, identity.SignIn{Account: account, Password: password, CaptchaID: id, CaptchaAnswer: digits}))(t)
	must(0, h.db.Read().NewSelect().TableExpr("sms_messages").Column("params").OrderExpr("id DESC").Limit(1).Scan(ctx, &sealed))(t)
	plain := must(h.box.Open(sealed, "sms_messages.params"))(t)
	b = must(h.identity.SecondFactor(ctx, visitor, b.Token, regexp.MustCompile(`\d{6}`).FindString(string(plain))))(t)
	return b.Token
}

// on is the same desk for another test, which is the one that fails.
func (d *desk) on(t testing.TB) *desk {
	o := *d
	o.t = t
	return &o
}

const asJSON, asForm = "application/json", "application/x-www-form-urlencoded"

// get asks for path.
func (d *desk) get(session, path string, more ...string) func(*testing.T) answer {
	return func(t *testing.T) answer { return d.on(t).ask("GET", path, session, nil, more...) }
}

// post sends body to path as a content of kind; "" sends no kind.
func (d *desk) post(session, path, kind, body string, more ...string) func(*testing.T) answer {
	if kind != "" {
		more = append(more, "Content-Type", kind)
	}
	return func(t *testing.T) answer { return d.on(t).ask("POST", path, session, strings.NewReader(body), more...) }
}

// file uploads content.
func (d *desk) file(name string, content []byte) func(*testing.T) answer {
	return func(t *testing.T) answer { return d.on(t).upload(name, content) }
}

// large is file for content that is only made when it is sent.
func (d *desk) large(name string, content func(t testing.TB) []byte) func(*testing.T) answer {
	return func(t *testing.T) answer { return d.on(t).upload(name, content(t)) }
}

// wire sends what no library would, as it is written here, and returns the first answer; status 0 when there was none.
func (d *desk) wire(sent string) func(*testing.T) answer {
	return func(t *testing.T) answer {
		conn := must(net.Dial("tcp", d.addr))(t)
		defer conn.Close()
		must(0, conn.SetDeadline(time.Now().Add(30*time.Second)))(t)
		go func() { // what is refused early is not read to its end
			_, _ = io.WriteString(conn, sent)
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
		}()
		return read(t, conn)
	}
}

// read reads an answer off the line.
func read(t *testing.T, conn io.Reader) answer {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return answer{}
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	a.body, _ = io.ReadAll(res.Body)
	if a.status >= 400 {
		if err := json.Unmarshal(a.body, &a.Problem); err != nil || a.Status != a.status {
			t.Errorf("%d with %q: %v", a.status, a.body, err)
		}
	}
	return a
}

// rows counts the rows of tables together.
func (d *desk) rows(t testing.TB, tables ...string) int {
	t.Helper()
	all := 0
	for _, table := range tables {
		var n int
		must(0, d.db.Read().NewSelect().TableExpr(table).ColumnExpr("count(*)").Scan(context.Background(), &n))(t)
		all += n
	}
	return all
}

// empty says that nothing was written into tables.
func (d *desk) empty(tables ...string) func(*testing.T, answer) {
	return func(t *testing.T, _ answer) {
		if n := d.rows(t, tables...); n != 0 {
			t.Errorf("%d rows in %v", n, tables)
		}
	}
}

// served says that the session of whoever sent it is still good.
func (d *desk) served(t *testing.T, _ answer) {
	if a := d.on(t).ask("GET", "/api/tickets", d.session, nil); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}

// followed lets the same follow every case that says nothing itself.
func followed(list []badInput, then func(*testing.T, answer)) []badInput {
	for i := range list {
		if list[i].then == nil {
			list[i].then = then
		}
	}
	return list
}
