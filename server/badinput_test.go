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

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/uscc"
	"github.com/huiqi/huiqi/platform/web"
)

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

// TestBadRequests is the part of the table of bad inputs that is about requests: numbers 1 to 9, 13, 14 and 45 of the
// reliability rules. Each gets its status, its code, the field and a Chinese sentence that says what to do.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	operator := staff(t, d.house, "yunying", "13900139201", access.Platform, "operator")
	auditor := staff(t, d.house, "shenji", "13900139202", access.Platform, "audit_admin")
	kind := must(d.tickets.Types(context.Background(), must(d.identity.Authenticate(context.Background(), d.session))(t)))(t)[0].Code
	ticketWith := func(more string) string {
		return `{"type":"` + kind + `","title":"路灯不亮","body":"门前路灯坏了三天","source":"h5"` + more + `}`
	}
	titled := func(title string) string {
		return `{"type":"` + kind + `","body":"门前路灯坏了三天","source":"h5","title":"` + title + `"}`
	}
	partner := func(url string) string { return `{"code":"a-partner","name":"市热线","url":"` + url + `"}` }
	institution := func(until string) string {
		return `{"name":"北京诚信律师事务所","kind":"law","creditCode":"` + uscc.Complete("31110000400880000") + `","legalPerson":"王芳","phone":"13900139203",` +
			`"address":"北京市通州区新华大街1号","summary":"为中小企业提供法律服务的律师事务所","qualifications":[{"name":"执业许可证","no":"1","to":"` + until + `"}]}`
	}
	const asJSON = "application/json"
	wide := must(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(ticketWith("")))(t)
	for _, c := range []struct {
		no, what, method, path, session, kind, body string
		status                                      int
		code, field, says                           string
	}{
		{"1", "nothing", "POST", "/api/tickets", d.session, asJSON, "", 400, "BAD_JSON", "", "格式不正确，请"},
		{"1", "no JSON", "POST", "/api/tickets", d.session, asJSON, "title=x", 400, "BAD_JSON", "", "第 1 行第 2 个字符处"},
		{"1", "half of it", "POST", "/api/tickets", d.session, asJSON, "{\n \"title\": \"路灯\",", 400, "BAD_JSON", "", "第 2 行第 16 个字符处"},
		{"1", "twice", "POST", "/api/tickets", d.session, asJSON, ticketWith("") + "x", 400, "BAD_JSON", "", "请更正后重新提交"},
		{"2", "10,000 deep", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)), 400, "TOO_DEEP", "", "超过 32 层，请减少层级"},
		{"3", "the same name twice", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"title":"另一个"`), 400, "UNKNOWN_FIELD", "title", "出现了两次，请只填写一次"},
		{"3", "a name nobody knows", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"colour":"red"`), 400, "UNKNOWN_FIELD", "colour", "不认识的字段，请刷新"},
		{"3", "a row's own column", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"status":"closed"`), 400, "UNKNOWN_FIELD", "status", "不认识的字段，请刷新"},
		{"4", "another kind", "POST", "/api/tickets", d.session, "text/plain", ticketWith(""), 415, "UNSUPPORTED_MEDIA", "", "请使用 JSON"},
		{"4", "a form", "POST", "/api/tickets", d.session, "application/x-www-form-urlencoded", "title=x", 415, "UNSUPPORTED_MEDIA", "", "请使用 JSON"},
		{"4", "no kind", "POST", "/api/tickets", d.session, "", ticketWith(""), 415, "UNSUPPORTED_MEDIA", "", "请使用 JSON"},
		{"4", "UTF-16 that was not declared", "POST", "/api/tickets", d.session, asJSON, wide, 415, "UNSUPPORTED_MEDIA", "", "请使用 UTF-8"},
		{"4", "an encoding nobody knows", "POST", "/api/tickets", d.session, asJSON + "; charset=klingon", ticketWith(""), 415, "UNSUPPORTED_MEDIA", "", "请使用 UTF-8"},
		{"5", "broken UTF-8", "POST", "/api/tickets", d.session, asJSON, titled("路灯\xff"), 422, "BAD_TEXT", "title", "无法识别的字符，请重新输入"},
		{"5", "GBK that was not declared", "POST", "/api/tickets", d.session, asJSON, must(simplifiedchinese.GBK.NewEncoder().String(titled("路灯")))(t), 422, "BAD_TEXT", "body", "无法识别的字符，请重新输入"},
		{"5", "NUL", "POST", "/api/tickets", d.session, asJSON, titled(`路灯\u0000`), 422, "BAD_TEXT", "title", "无法识别的字符，请重新输入"},
		{"5", "half a character", "POST", "/api/tickets", d.session, asJSON, titled(`路灯\ud800`), 422, "BAD_TEXT", "title", "无法识别的字符，请重新输入"},
		{"5", "the other half", "POST", "/api/tickets", d.session, asJSON, titled(`\udc00路灯`), 422, "BAD_TEXT", "title", "无法识别的字符，请重新输入"},
		{"5", "a bell", "POST", "/api/tickets", d.session, asJSON, titled(`路灯\u0007`), 422, "BAD_TEXT", "title", "请删除后重新输入"},
		{"5", "broken UTF-8 in the address", "GET", "/api/tickets?status=%ff%fe", d.session, "", "", 422, "BAD_TEXT", "status", "无法识别的字符，请重新输入"},
		{"5", "NUL in the address", "GET", "/api/tickets?status=a%00b", d.session, "", "", 422, "BAD_TEXT", "status", "无法识别的字符，请重新输入"},
		{"6", "nothing that can be seen", "POST", "/api/tickets", d.session, asJSON, titled(`\u200b\u202e\u2066`), 422, "REQUIRED", "title", "请填写标题"},
		{"8", "NaN", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"fileIds":[NaN]`), 422, "BAD_NUMBER", "fileIds[0]", "请填写半角数字"},
		{"8", "Infinity", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"enterpriseId":-Infinity`), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字"},
		{"8", "1e999", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"enterpriseId":1e999`), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字"},
		{"8", "minus nothing", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"enterpriseId":-0`), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字"},
		{"8", "2^63", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"enterpriseId":9223372036854775808`), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字"},
		{"8", "2^53", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"enterpriseId":9007199254740992`), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字"},
		{"8", "full width", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"enterpriseId":"１２３"`), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字"},
		{"8", "half a thing", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"enterpriseId":1.5`), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字"},
		{"8", "a zero in front", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"enterpriseId":007`), 422, "BAD_NUMBER", "", "请填写半角数字"},
		{"8", "full width in the address", "GET", "/api/tickets?limit=" + "%EF%BC%91", d.session, "", "", 422, "BAD_NUMBER", "limit", "请填写半角数字"},
		{"9", "the 30th of February", "GET", "/api/audit-entries?from=2026-02-30T00:00:00Z", auditor, "", "", 422, "BAD_DATE", "from", "请重新选择"},
		{"9", "the year 0", "GET", "/api/audit-entries?from=0000-01-01T00:00:00Z", auditor, "", "", 422, "BAD_DATE", "from", "1900 年至 2199 年"},
		{"9", "the year 9999", "GET", "/api/audit-entries?until=9999-12-31T23:59:59Z", auditor, "", "", 422, "BAD_DATE", "until", "1900 年至 2199 年"},
		{"9", "a day that is none", "POST", "/api/institutions", operator, asJSON, institution("2026-02-30"), 422, "BAD_DATE", "qualifications.0.to", "例如 2027-06-30"},
		{"9", "full width", "POST", "/api/institutions", operator, asJSON, institution("２０２６-12-01"), 422, "BAD_DATE", "qualifications.0.to", "例如 2027-06-30"},
		{"13", "a title of 900 KB", "POST", "/api/tickets", d.session, asJSON, titled(strings.Repeat("长", 300_000)), 422, "TOO_LONG", "title", "请精简"},
		{"13", "more than one operation takes", "POST", "/api/tickets", d.session, asJSON, titled(strings.Repeat("长", 400_000)), 413, "BODY_TOO_LARGE", "", "请压缩后重试"},
		{"13", "10,000 files", "POST", "/api/tickets", d.session, asJSON, ticketWith(`,"fileIds":[1` + strings.Repeat(",1", 9_999) + `]`), 422, "INVALID_INPUT", "fileIds", "请按提示修改"},
		{"13", "a page of minus one", "GET", "/api/tickets?limit=-1", d.session, "", "", 422, "INVALID_INPUT", "limit", "请按提示修改"},
		{"13", "a page of a thousand million", "GET", "/api/tickets?limit=1000000000", d.session, "", "", 422, "INVALID_INPUT", "limit", "请按提示修改"},
		{"13", "an order nobody offers", "GET", "/api/products?sort=drop+table", d.session, "", "", 422, "INVALID_INPUT", "sort", "请按提示修改"},
		{"13", "a place that is none", "GET", "/api/tickets?cursor=drop", d.session, "", "", 422, "CURSOR", "cursor", "请回到第一页"},
		{"14", "a structure in the address", "GET", "/api/tickets?a[9999999]=1", d.session, "", "", 400, "BAD_FORM", "", "请从页面上重新操作"},
		{"14", "a negative place", "GET", "/api/tickets?a%5B-1%5D=1", d.session, "", "", 400, "BAD_FORM", "", "请从页面上重新操作"},
		{"14", "2,000 parameters", "GET", "/api/tickets?a" + strings.Repeat("&a", 1_999), d.session, "", "", 400, "BAD_FORM", "", "请从页面上重新操作"},
		{"14", "5,000 fields", "POST", "/tickets", d.session, "application/x-www-form-urlencoded", "a=1" + strings.Repeat("&a=1", 4_999), 400, "BAD_FORM", "", "请从页面上重新操作"},
		{"14", "a structure in a form", "POST", "/tickets", d.session, "application/x-www-form-urlencoded", "a[9999999]=1", 400, "BAD_FORM", "", "请从页面上重新操作"},
		{"5", "broken UTF-8 in a form", "POST", "/tickets", d.session, "application/x-www-form-urlencoded", "title=%ff", 422, "BAD_TEXT", "title", "请重新输入"},
		{"15", "an address of 12 KB", "GET", "/api/tickets?cursor=" + strings.Repeat("a", 12_000), d.session, "", "", 414, "ADDRESS_TOO_LONG", "", "请减少查询条件"},
		{"16", "no number where one belongs", "GET", "/api/tickets/abc", d.session, "", "", 404, "NOT_FOUND", "", "请检查网址"},
	} {
		var more []string
		if c.kind != "" {
			more = []string{"Content-Type", c.kind}
		}
		refused(t, c.no+" "+c.what, d.ask(c.method, c.path, c.session, strings.NewReader(c.body), more...), c.status, c.code, c.field, c.says)
	}
	for _, url := range []string{"http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://10.0.0.8/",
		"http://169.254.169.254/latest/meta-data", "https://user:pass@example.com/", "file:///etc/passwd", "gopher://example.com/", "https:///x", "https://example.com:22/", "https://example.com:6379/",
		"http://100.64.0.1/", "http://[fd00::1]/", "http://localhost/"} {
		refused(t, "45 "+url, d.ask("POST", "/api/exchange/partners", operator, strings.NewReader(partner(url)), "Content-Type", asJSON), 422, "URL_NOT_ALLOWED", "url", "推送地址")
	}
	var n int
	for _, table := range []string{"tickets", "institutions", "exchange_partners"} {
		must(0, d.db.Read().NewSelect().TableExpr(table).ColumnExpr("count(*)").Scan(context.Background(), &n))(t)
		if n != 0 {
			t.Errorf("%d rows in %s after all that was refused", n, table)
		}
	}
}

// TestOddRequestsAreTaken: what is unusual but says one thing only is taken: other encodings that are declared, rare Hanzi,
// other zones. Nothing invisible is kept, and a length is one of characters.
func TestOddRequestsAreTaken(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	her := must(d.identity.Authenticate(ctx, d.session))(t)
	kind := must(d.tickets.Types(ctx, her))(t)[0].Code
	body := func(title string) string {
		return `{"type":"` + kind + `","title":"` + title + `","body":"门前路灯坏了三天","source":"h5"}`
	}
	rare := "𠮷野家·古丽扎尔·〇𪚥𫓧😀👨‍👩‍👧"
	pile := "坏" + strings.Repeat("\u0301", 60)
	for _, c := range []struct{ no, what, kind, body, title string }{
		{"4", "a byte-order mark", "application/json", "\ufeff" + body("路灯不亮"), "路灯不亮"},
		{"4", "GBK", "application/json; charset=gbk", must(simplifiedchinese.GBK.NewEncoder().String(body("路灯不亮")))(t), "路灯不亮"},
		{"4", "UTF-16", "application/json; charset=utf-16", must(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(body("路灯不亮")))(t), "路灯不亮"},
		{"4", "a name in capitals", "Application/JSON; Charset=UTF-8", body("路灯不亮"), "路灯不亮"},
		{"6", "right to left", "application/json", body("路灯\u202e不亮\u200b\u2066"), "路灯不亮"},
		{"6", "a pile of marks", "application/json", body(pile), "坏" + strings.Repeat("\u0301", 4)},
		{"7", "rare Hanzi", "application/json", body(rare), rare},
		{"7", "as escapes", "application/json", body(`\ud842\udfb7野家`), "𠮷野家"},
		{"7", "a hundred of four bytes", "application/json", body(strings.Repeat("𠮷", 100)), strings.Repeat("𠮷", 100)},
		{"37", "markup", "application/json", body(`<script>alert(1)</script>{{7*7}}`), "<script>alert(1)</script>{{7*7}}"},
	} {
		a := d.ask("POST", "/api/tickets", d.session, strings.NewReader(c.body), "Content-Type", c.kind)
		if a.status != 200 {
			t.Errorf("%s %s: %d %s", c.no, c.what, a.status, a.body)
			continue
		}
		items, _, err := d.tickets.List(ctx, her, ticket.ListFilter{Limit: 1})
		if err != nil || items[0].Title != c.title {
			t.Errorf("%s %s is kept as %+q, %v", c.no, c.what, items[0].Title, err)
		}
	}
	auditor := staff(t, d.house, "shenji", "13900139202", access.Platform, "audit_admin")
	count := func(from string) string {
		a := d.ask("GET", "/api/audit-entries?limit=100&action=ticket.open&from="+from, auditor, nil)
		if a.status != 200 {
			t.Fatalf("9 from %s: %d %s", from, a.status, a.body)
		}
		return string(a.body)
	}
	if a, b := count("2026-11-22T08:00:00%2B08:00"), count("2026-11-21T19:00:00-05:00"); a != b {
		t.Errorf("9: the same moment in two zones finds %s and %s", a, b)
	}
}

// TestSameAnswerForMissingAndForeign is number 16: what does not exist, belongs to another or was taken away is the same 404.
func TestSameAnswerForMissingAndForeign(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	theirs := owner(t, d.house, "13800138022")
	her := must(d.identity.Authenticate(ctx, d.session))(t)
	kind := must(d.tickets.Types(ctx, her))(t)[0].Code
	tk := must(d.tickets.Open(ctx, her, ticket.OpenTicket{Type: kind, Title: "路灯不亮", Body: "门前路灯坏了三天", Source: "h5"}))(t)
	up := d.upload("a.jpg", jpegFile(t))
	if up.status != 201 {
		t.Fatalf("%d %s", up.status, up.body)
	}
	trace := regexp.MustCompile(`"traceId":"[0-9a-f]+"`)
	for _, c := range []struct{ method, own, missing, body string }{
		{"GET", fmt.Sprintf("/api/tickets/%d", tk.ID), "/api/tickets/999999", ""},
		{"POST", fmt.Sprintf("/api/tickets/%d/rate", tk.ID), "/api/tickets/999999/rate", `{"version":1,"rating":5}`},
		{"GET", up.view.URL, "/api/files/999999", ""},
		{"GET", "/api/applications/1", "/api/applications/999999", ""},
	} {
		var seen []string
		for _, path := range []string{c.own, c.missing} {
			a := d.ask(c.method, path, theirs, strings.NewReader(c.body), "Content-Type", "application/json")
			if a.status != 404 || a.Code != "NOT_FOUND" {
				t.Errorf("16 %s %s: %d %s", c.method, path, a.status, a.body)
			}
			seen = append(seen, trace.ReplaceAllString(string(a.body), ""))
		}
		if seen[0] != seen[1] {
			t.Errorf("16 %s: another's answers %s, a missing one %s", c.own, seen[0], seen[1])
		}
	}
	// one's own upload that was never handed in, once it was cleared away
	if got := d.ask("GET", up.view.URL, d.session, nil); got.status != 200 {
		t.Fatalf("16 before it is cleared away: %d %s", got.status, got.body)
	}
	must(d.uploads.Sweep(ctx, access.SystemActor("test"), time.Now().Add(-time.Hour), time.Now().Add(time.Minute)))(t)
	gone, missing := d.ask("GET", up.view.URL, d.session, nil), d.ask("GET", "/api/files/999999", d.session, nil)
	if gone.status != 404 || trace.ReplaceAllString(string(gone.body), "") != trace.ReplaceAllString(string(missing.body), "") {
		t.Errorf("16 what was deleted: %d %s, what never was: %s", gone.status, gone.body, missing.body)
	}
}

// TestStaleAndRepeated are numbers 17 and 18: an old version is told who changed what and when, and a key goes with one body.
func TestStaleAndRepeated(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	agent := staff(t, d.house, "zuoxi", "13900139205", access.Platform, "agent")
	her := must(d.identity.Authenticate(ctx, d.session))(t)
	kind := must(d.tickets.Types(ctx, her))(t)[0].Code
	open := `{"type":"` + kind + `","title":"%s","body":"门前路灯坏了三天","source":"h5"}`
	send := func(session, path, key, body string) answer {
		return d.ask("POST", path, session, strings.NewReader(body), "Content-Type", "application/json", "Idempotency-Key", key)
	}
	first := send(d.session, "/api/tickets", "k1", fmt.Sprintf(open, "路灯不亮"))
	again := send(d.session, "/api/tickets", "k1", fmt.Sprintf(open, "路灯不亮"))
	if first.status != 200 || !bytes.Equal(first.body, again.body) {
		t.Errorf("18: %d %s, again %d %s", first.status, first.body, again.status, again.body)
	}
	refused(t, "18 the same key, another body", send(d.session, "/api/tickets", "k1", fmt.Sprintf(open, "水管漏水")), 422, "KEY_REUSED", "", "请刷新页面后重新填写")
	refused(t, "18 a key of 100 characters", send(d.session, "/api/tickets", strings.Repeat("k", 100), fmt.Sprintf(open, "水管漏水")), 422, "INVALID_INPUT", "Idempotency-Key", "请按提示修改")
	var n int
	must(0, d.db.Read().NewSelect().TableExpr("tickets").ColumnExpr("count(*)").Scan(ctx, &n))(t)
	if n != 1 {
		t.Errorf("18: %d tickets", n)
	}
	items, _, err := d.tickets.List(ctx, her, ticket.ListFilter{Limit: 1})
	must(0, err)(t)
	path := fmt.Sprintf("/api/tickets/%d/answer", items[0].ID)
	if a := send(agent, path, "a1", `{"version":1,"text":"已安排维修"}`); a.status != 200 {
		t.Fatalf("answer: %d %s", a.status, a.body)
	}
	refused(t, "17 an old version", send(agent, path, "a2", `{"version":1,"text":"已安排维修"}`), 409, "CHANGED", "", "王芳于")
}

// TestBadSessionsAndKeys are numbers 41 and 42: who brings garbage in the place of a session is a visitor, and no forged
// key opens /open/.
func TestBadSessionsAndKeys(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	for _, cookie := range []string{
		"__Host-huiqi=garbage", "__Host-huiqi=" + strings.Repeat("a", 5_000), "__Host-huiqi=a; __Host-huiqi=b", "__Host-huiqi=" + d.session + "x", "__Host-huiqi=%00%ff", "=;;;=",
		"__Host-huiqi=" + d.session[1:], "__Host-huiqi=' OR 1=1 --",
	} {
		for path, status := range map[string]int{"/api/session": 200, "/api/tickets": 401, "/": 200} {
			a := d.ask("GET", path, "", nil, "Cookie", cookie)
			if a.status != status {
				t.Errorf("41 %.40s on %s: %d %s", cookie, path, a.status, a.body)
			}
			if status == 401 && a.Code != "SIGN_IN_REQUIRED" {
				t.Errorf("41 %.40s: %s", cookie, a.Code)
			}
		}
	}
	ctx, system := context.Background(), access.SystemActor("test")
	p := must(d.exchange.Create(ctx, system, exchange.CreatePartner{Code: "city-hotline", PartnerFields: exchange.PartnerFields{Name: "市热线", CallsPerMinute: 100, CallsPerDay: 1000}}))(t)
	k := must(d.exchange.Issue(ctx, system, exchange.IssueKey{PartnerID: p.ID, Name: "生产"}))(t)
	if a := d.ask("GET", "/open/v1/ping", "", nil, "Authorization", "Bearer "+k.Plain); a.status != 200 {
		t.Fatalf("the right key: %d %s", a.status, a.body)
	}
	said := ""
	for _, forged := range []string{
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJjaXR5LWhvdGxpbmUifQ.", "eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uL2Rldi9udWxsIn0.eyJzdWIiOiIxIn0.AAAA", k.Plain + "x", k.Plain[:len(k.Plain)-1], strings.ToUpper(k.Plain),
		" " + k.Plain, k.Plain + ", Bearer x", strings.Repeat("a", 8_000), "null", "undefined", "' OR '1'='1", d.session,
	} {
		a := d.ask("GET", "/open/v1/ping", "", nil, "Authorization", "Bearer "+forged)
		refused(t, "42 "+forged[:min(20, len(forged))], a, 401, "API_KEY", "", "接口密钥无效或已吊销，请")
		if said == "" {
			said = a.Detail
		}
		if a.Detail != said {
			t.Errorf("42: %q beside %q", a.Detail, said)
		}
	}
}

// TestBadHTTP is the part of number 15 and all of 43 that no library sends: each line goes out as it is written here.
func TestBadHTTP(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	const chunked = "two kinds of length" // read by the one that ends it, which leaves a body that is no JSON
	own := "Cookie: __Host-huiqi=" + d.session + "\r\nX-CSRF-Token: " + d.web.Token(d.session) + "\r\n"
	usual := map[int]string{400: "BAD_REQUEST", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 414: "ADDRESS_TOO_LONG", 431: "HEADERS_TOO_LARGE"}
	sentences := map[string]string{"BAD_REQUEST": "请求无法识别，请刷新页面后重试", "BAD_JSON": "提交的内容格式不正确，请刷新页面后重试", "NOT_FOUND": "您访问的页面不存在，请检查网址，或从首页重新进入",
		"METHOD_NOT_ALLOWED": "此地址不支持这种操作，请从页面上重新操作", "ADDRESS_TOO_LONG": "网址过长，请减少查询条件，或从首页重新进入", "HEADERS_TOO_LARGE": "请求头或网址过长，请清除浏览器 Cookie 后重试，或从首页重新进入"}
	for _, c := range []struct {
		no, what, sent string
		statuses       []int // 0: the line is cut without an answer
	}{
		{"15", "a header of 64 KB", "GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", []int{431}},
		{"15", "500 headers", "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("X: a\r\n", 500) + "\r\n", []int{431}},
		{"15", "an address of 64 KB", "GET /?" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: h\r\n\r\n", []int{431, 414}},
		{"43", chunked, "POST /api/tickets HTTP/1.1\r\nHost: h\r\n" + own + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []int{400}},
		{"43", "two lengths", "POST /api/tickets HTTP/1.1\r\nHost: h\r\n" + own + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", []int{400}},
		{"43", "a length with a sign", "POST /api/tickets HTTP/1.1\r\nHost: h\r\n" + own + "Content-Length: +4\r\n\r\nabcd", []int{400}},
		{"43", "no host", "GET / HTTP/1.1\r\n\r\n", []int{400}},
		{"43", "two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", []int{400}},
		{"43", "TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", []int{405, 404}},
		{"43", "CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", []int{400, 404, 405}},
		{"43", "another method by header", "POST /api/session HTTP/1.1\r\nHost: h\r\n" + own + "X-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\n", []int{405, 404}},
		{"43", "HTTP/0.9", "GET /\r\n\r\n", []int{0, 400, 505}},
		{"43", "lines that end with LF alone", "POST /api/tickets HTTP/1.1\nHost: h\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n", []int{400}},
		{"43", "no protocol", "\x16\x03\x01\x02\x00\x01\x00", []int{0, 400}},
		{"43", "a header folded", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", []int{200, 400}},
		{"43", "a header without a name", "GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n", []int{400}},
		{"43", "a space before the colon", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nabcde", []int{400}},
	} {
		conn := must(net.Dial("tcp", d.addr))(t)
		must(io.WriteString(conn, c.sent))(t)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
		status := 0
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			status = res.StatusCode
			b, _ := io.ReadAll(res.Body)
			var told web.Problem
			if status >= 400 && (json.Unmarshal(b, &told) != nil || told.Status != status || told.Code != usual[status] && c.what != chunked || told.Detail != sentences[told.Code]) {
				t.Errorf("%s %s: %d %s", c.no, c.what, status, b)
			}
		}
		conn.Close()
		ok := false
		for _, s := range c.statuses {
			ok = ok || s == status
		}
		if !ok {
			t.Errorf("%s %s: %d, want one of %v (%v)", c.no, c.what, status, c.statuses, err)
		}
	}
	// a forged host never comes back in an address of ours
	for _, c := range []string{"GET /elder?return=//evil.example HTTP/1.1\r\nHost: evil.example\r\n\r\n", "GET http://evil.example/login HTTP/1.1\r\nHost: evil.example\r\n\r\n", "GET /m HTTP/1.1\r\nHost: evil.example\r\n\r\n"} {
		conn := must(net.Dial("tcp", d.addr))(t)
		must(io.WriteString(conn, c))(t)
		res := must(http.ReadResponse(bufio.NewReader(conn), nil))(t)
		b, _ := io.ReadAll(res.Body)
		conn.Close()
		if strings.Contains(res.Header.Get("Location"), "evil") || bytes.Contains(b, []byte("evil.example")) {
			t.Errorf("43 %q answers %v %s", c, res.Header, b)
		}
	}
	// and the session of all that is still good
	if a := d.ask("GET", "/api/tickets", d.session, nil); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}

// TestBadRanges is number 44.
func TestBadRanges(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	up := d.upload("a.txt", []byte(strings.Repeat("惠企台", 100)))
	for _, c := range []struct {
		asked  string
		status int
	}{
		{"bytes=0-9", 206}, {"bytes=0-0" + strings.Repeat(",0-0", 999), 200}, {"bytes=9-0", 200}, {"bytes=900-", 416}, {"bytes=-0", 416}, {"bytes=99999999999999999999-", 416},
		{"lines=1-2", 200}, {"bytes=a-b", 200}, {"bytes=", 200}, {"bytes=0-9, 5-14, 8-20", 206},
	} {
		a := d.ask("GET", up.view.URL, d.session, nil, "Range", c.asked)
		if a.status != c.status || a.status == 200 && len(a.body) != 900 || a.status == 416 && (a.Code != "RANGE_NOT_SATISFIABLE" || a.Detail != "请求的部分超出文件范围，请重新下载") {
			t.Errorf("44 %.40s: %d, %d bytes %s %s", c.asked, a.status, len(a.body), a.Code, a.Detail)
		}
	}
}

// TestBadLastEventID is number 40: a place in the stream that is none is ignored, and the stream begins.
func TestBadLastEventID(t *testing.T) {
	t.Parallel()
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
	for what, c := range map[string]struct {
		id     string
		status int
	}{
		"nothing": {"", 200}, "words": {"drop table", 200}, "minus one": {"-1", 200}, "2^64": {"18446744073709551616", 200}, "the future": {"999999999999", 200}, "full width": {"１２", 200},
		"10 KB": {strings.Repeat("9", 10<<10), 200}, "64 KB": {strings.Repeat("9", 64<<10), 431},
	} {
		status, first := 0, ""
		for range 100 { // the first read of the events may still be on its way
			conn := must(net.Dial("tcp", d.addr))(t)
			must(fmt.Fprintf(conn, "GET /api/live HTTP/1.1\r\nHost: h\r\nCookie: __Host-huiqi=%s\r\nLast-Event-ID: %s\r\n\r\n", d.session, c.id))(t)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("40 %s: %v", what, err)
			}
			if status = res.StatusCode; status == 200 {
				first, _ = bufio.NewReader(res.Body).ReadString('\n')
			}
			conn.Close()
			if status != 503 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if status != c.status || status == 200 && first == "" {
			t.Errorf("40 %s: %d %q, want %d", what, status, first, c.status)
		}
	}
}
