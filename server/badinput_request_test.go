package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/uscc"
)

// badRequests are numbers 1 to 9, 13 to 16 and 45 as far as a request is refused: none of them leaves a row.
func badRequests(t *testing.T) []badInput {
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	operator := staff(t, d.house, "yunying", "13900139201", access.Platform, "operator")
	auditor := staff(t, d.house, "shenji", "13900139202", access.Platform, "audit_admin")
	agent := staff(t, d.house, "zuoxi", "13900139204", access.Platform, "agent")
	kind := must(d.tickets.Types(context.Background(), must(d.identity.Authenticate(context.Background(), d.session))(t)))(t)[0].Code
	ticketWith := func(more string) string {
		return `{"type":"` + kind + `","title":"路灯不亮","body":"门前路灯坏了三天","source":"h5"` + more + `}`
	}
	titled := func(title string) string {
		return `{"type":"` + kind + `","body":"门前路灯坏了三天","source":"h5","title":"` + title + `"}`
	}
	institution := func(until string) string {
		return `{"name":"北京诚信律师事务所","kind":"law","creditCode":"` + uscc.Complete("31110000400880000") + `","legalPerson":"王芳","phone":"13900139203",` +
			`"address":"北京市通州区新华大街1号","summary":"为中小企业提供法律服务的律师事务所","qualifications":[{"name":"执业许可证","no":"1","to":"` + until + `"}]}`
	}
	wide := must(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(ticketWith("")))(t)
	gbk := must(simplifiedchinese.GBK.NewEncoder().String(titled("路灯")))(t)
	open := func(kind, body string) func(*testing.T) answer { return d.post(d.session, "/api/tickets", kind, body) }
	send := func(body string) func(*testing.T) answer { return open(asJSON, body) }
	list := func(query string) func(*testing.T) answer { return d.get(d.session, "/api/tickets?"+query) }
	form := func(body string) func(*testing.T) answer { return d.post(d.session, "/tickets", asForm, body) }
	tags := `"` + strings.Join(slices.Repeat([]string{"标签"}, 10_000), `","`) + `"`
	out := []badInput{
		{1, "nothing", send(""), 400, "BAD_JSON", "", "格式不正确，请", nil},
		{1, "no JSON", send("title=x"), 400, "BAD_JSON", "", "第 1 行第 2 个字符处", nil},
		{1, "half of it", send("{\n \"title\": \"路灯\","), 400, "BAD_JSON", "", "第 2 行第 16 个字符处", nil},
		{1, "twice", send(ticketWith("") + "x"), 400, "BAD_JSON", "", "请更正后重新提交", nil},

		{2, "10,000 deep", send(ticketWith(`,"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000))), 400, "TOO_DEEP", "", "超过 32 层，请减少层级", nil},
		{2, "10,000 objects deep", send(ticketWith(`,"x":` + strings.Repeat(`{"x":`, 10_000) + "1" + strings.Repeat("}", 10_000))), 400, "TOO_DEEP", "", "超过 32 层，请减少层级", nil},

		{3, "the same name twice", send(ticketWith(`,"title":"另一个"`)), 400, "UNKNOWN_FIELD", "title", "出现了两次，请只填写一次", nil},
		{3, "a name nobody knows", send(ticketWith(`,"colour":"red"`)), 400, "UNKNOWN_FIELD", "colour", "不认识的字段，请刷新", nil},
		{3, "a column of the row", send(ticketWith(`,"status":"closed"`)), 400, "UNKNOWN_FIELD", "status", "不认识的字段，请刷新", nil},

		{4, "another kind", open("text/plain", ticketWith("")), 415, "UNSUPPORTED_MEDIA", "", "请使用 JSON", nil},
		{4, "a form", open(asForm, "title=x"), 415, "UNSUPPORTED_MEDIA", "", "请使用 JSON", nil},
		{4, "no kind", open("", ticketWith("")), 415, "UNSUPPORTED_MEDIA", "", "请使用 JSON", nil},
		{4, "UTF-16 that was not declared", send(wide), 415, "UNSUPPORTED_MEDIA", "", "请使用 UTF-8", nil},
		{4, "an encoding nobody knows", open(asJSON+"; charset=klingon", ticketWith("")), 415, "UNSUPPORTED_MEDIA", "", "请使用 UTF-8", nil},

		{5, "broken UTF-8", send(titled("路灯\xff")), 422, "BAD_TEXT", "title", "无法识别的字符，请重新输入", nil},
		{5, "GBK that was not declared", send(gbk), 422, "BAD_TEXT", "body", "无法识别的字符，请重新输入", nil},
		{5, "NUL", send(titled(`路灯\u0000`)), 422, "BAD_TEXT", "title", "无法识别的字符，请重新输入", nil},
		{5, "half a character", send(titled(`路灯\ud800`)), 422, "BAD_TEXT", "title", "无法识别的字符，请重新输入", nil},
		{5, "the other half", send(titled(`\udc00路灯`)), 422, "BAD_TEXT", "title", "无法识别的字符，请重新输入", nil},
		{5, "a bell", send(titled(`路灯\u0007`)), 422, "BAD_TEXT", "title", "请删除后重新输入", nil},
		{5, "broken UTF-8 in the address", list("status=%ff%fe"), 422, "BAD_TEXT", "status", "无法识别的字符，请重新输入", nil},
		{5, "NUL in the address", list("status=a%00b"), 422, "BAD_TEXT", "status", "无法识别的字符，请重新输入", nil},
		{5, "broken UTF-8 in a form", form("title=%ff"), 422, "BAD_TEXT", "title", "请重新输入", nil},

		{6, "nothing that can be seen", send(titled(`\u200b\u202e\u2066`)), 422, "REQUIRED", "title", "请填写标题", nil},
		{6, "a hundred and one characters", send(titled(strings.Repeat("𠮷", 101))), 422, "TOO_LONG", "title", "请精简", nil},

		{8, "NaN", send(ticketWith(`,"fileIds":[NaN]`)), 422, "BAD_NUMBER", "fileIds[0]", "请填写半角数字", nil},
		{8, "Infinity", send(ticketWith(`,"enterpriseId":-Infinity`)), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字", nil},
		{8, "1e999", send(ticketWith(`,"enterpriseId":1e999`)), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字", nil},
		{8, "minus nothing", send(ticketWith(`,"enterpriseId":-0`)), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字", nil},
		{8, "2^63", send(ticketWith(`,"enterpriseId":9223372036854775808`)), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字", nil},
		{8, "2^53", send(ticketWith(`,"enterpriseId":9007199254740992`)), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字", nil},
		{8, "full width", send(ticketWith(`,"enterpriseId":"１２３"`)), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字", nil},
		{8, "half a thing", send(ticketWith(`,"enterpriseId":1.5`)), 422, "BAD_NUMBER", "enterpriseId", "请填写半角数字", nil},
		{8, "a zero in front", send(ticketWith(`,"enterpriseId":007`)), 422, "BAD_NUMBER", "", "请填写半角数字", nil},
		{8, "full width in the address", list("limit=%EF%BC%91"), 422, "BAD_NUMBER", "limit", "请填写半角数字", nil},
		{8, "2^63 in the address", list("limit=9223372036854775808"), 422, "BAD_NUMBER", "limit", "请填写半角数字", nil},

		{9, "the 30th of February", d.get(auditor, "/api/audit-entries?from=2026-02-30T00:00:00Z"), 422, "BAD_DATE", "from", "请重新选择", nil},
		{9, "the year 0", d.get(auditor, "/api/audit-entries?from=0000-01-01T00:00:00Z"), 422, "BAD_DATE", "from", "1900 年至 2199 年", nil},
		{9, "the year 9999", d.get(auditor, "/api/audit-entries?until=9999-12-31T23:59:59Z"), 422, "BAD_DATE", "until", "1900 年至 2199 年", nil},
		{9, "a day that is none", d.post(operator, "/api/institutions", asJSON, institution("2026-02-30")), 422, "BAD_DATE", "qualifications.0.to", "例如 2027-06-30", nil},
		{9, "full width", d.post(operator, "/api/institutions", asJSON, institution("２０２６-12-01")), 422, "BAD_DATE", "qualifications.0.to", "例如 2027-06-30", nil},

		{13, "a title of 900 KB", send(titled(strings.Repeat("长", 300_000))), 422, "TOO_LONG", "title", "请精简", nil},
		{13, "a title of more than 1 MB", send(titled(strings.Repeat("长", 400_000))), 413, "BODY_TOO_LARGE", "", "请压缩后重试", nil},
		{13, "10,000 files", send(ticketWith(`,"fileIds":[1` + strings.Repeat(",1", 9_999) + `]`)), 422, "INVALID_INPUT", "fileIds", "请按提示修改", nil},
		{13, "10,000 tags", d.post(agent, "/api/tickets/1/tags", asJSON, `{"add":[`+tags+`]}`), 422, "INVALID_INPUT", "add", "请按提示修改", nil},
		{13, "a page of minus one", list("limit=-1"), 422, "INVALID_INPUT", "limit", "请按提示修改", nil},
		{13, "a page of a thousand million", list("limit=1000000000"), 422, "INVALID_INPUT", "limit", "请按提示修改", nil},
		{13, "an order nobody offers", d.get(d.session, "/api/products?sort=drop+table"), 422, "INVALID_INPUT", "sort", "请按提示修改", nil},
		{13, "a place that is none", list("cursor=drop"), 422, "CURSOR", "cursor", "请回到第一页", nil},

		{14, "a structure in the address", list("a[9999999]=1"), 400, "BAD_FORM", "", "请从页面上重新操作", nil},
		{14, "a negative place", list("a%5B-1%5D=1"), 400, "BAD_FORM", "", "请从页面上重新操作", nil},
		{14, "2,000 parameters", list("a" + strings.Repeat("&a", 1_999)), 400, "BAD_FORM", "", "请从页面上重新操作", nil},
		{14, "5,000 parameters", list("a" + strings.Repeat("&a", 4_999)), 400, "BAD_FORM", "", "请从页面上重新操作", nil},
		{14, "5,000 fields", form("a=1" + strings.Repeat("&a=1", 4_999)), 400, "BAD_FORM", "", "请从页面上重新操作", nil},
		{14, "a structure in a form", form("a[9999999]=1"), 400, "BAD_FORM", "", "请从页面上重新操作", nil},

		{15, "an address of 12 KB", list("cursor=" + strings.Repeat("a", 12_000)), 414, "ADDRESS_TOO_LONG", "", "请减少查询条件", nil},
		{16, "no number where one belongs", d.get(d.session, "/api/tickets/abc"), 404, "NOT_FOUND", "", "请检查网址", nil},
	}
	// the addresses of F-13; one that only turns inward when it is looked up is refused when it is called
	hosts := []string{"10.0.0.8", "169.254.169.254/latest/meta-data", "100.64.0.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[fd00::1]", "localhost"}
	odd := []string{"127.1", "2130706433", "0x7f000001"}
	for _, refused := range []struct {
		scheme string
		hosts  []string
		says   string
	}{
		{"http://", slices.Concat([]string{"example.com"}, hosts, odd), "推送地址应以 https:// 开头；政务内网地址请先登记所在网段"},
		{"https://", hosts, "推送地址是内网或本机地址，请先登记对接方所在的内网网段"},
		{"https://", odd, "推送地址中的 IP 写法不规范，请按四段数字填写"},
		{"https://", []string{"user:pass@example.com"}, "推送地址中不能带用户名或密码，请删除后填写"},
		{"https://", []string{"/x"}, "推送地址缺少域名，请核对"},
		{"https://", []string{"example.com:22", "example.com:6379"}, "推送地址的端口不在允许范围内，请使用 443、8443、80 或 8080"},
		{"", []string{"file:///etc/passwd", "gopher://example.com"}, "推送地址应以 https:// 开头"},
	} {
		for _, host := range refused.hosts {
			url := refused.scheme + host
			out = append(out, badInput{45, url, d.post(operator, "/api/exchange/partners", asJSON, `{"code":"a-partner","name":"市热线","url":"`+url+`"}`), 422, "URL_NOT_ALLOWED", "url", refused.says, nil})
		}
	}
	return followed(out, d.empty("tickets", "ticket_tags", "institutions", "exchange_partners"))
}

// oddRequests are what is unusual but says one thing only, and is taken: other encodings that are declared, rare Hanzi, other
// zones, parameters of other programs. Nothing invisible is kept, and a length is one of characters.
func oddRequests(t *testing.T) []badInput {
	ctx := context.Background()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	auditor := staff(t, d.house, "shenji", "13900139202", access.Platform, "audit_admin")
	agent := staff(t, d.house, "zuoxi", "13900139204", access.Platform, "agent")
	her := must(d.identity.Authenticate(ctx, d.session))(t)
	kind := must(d.tickets.Types(ctx, her))(t)[0].Code
	body := func(title string) string {
		return `{"type":"` + kind + `","title":"` + title + `","body":"门前路灯坏了三天","source":"h5"}`
	}
	open := func(kind, body string) func(*testing.T) answer { return d.post(d.session, "/api/tickets", kind, body) }
	kept := func(title string) func(*testing.T, answer) {
		return func(t *testing.T, _ answer) {
			items, _, err := d.tickets.List(ctx, her, ticket.ListFilter{Limit: 1})
			if err != nil || items[0].Title != title {
				t.Errorf("kept as %+q, %v", items[0].Title, err)
			}
		}
	}
	const rare = "𠮷野家·古丽扎尔·〇𪚥𫓧😀👨‍👩‍👧"
	pile := "坏" + strings.Repeat("\u0301", 60)
	const since = "/api/audit-entries?limit=100&action=ticket.open&from="
	return []badInput{
		{4, "a byte-order mark", open(asJSON, "\ufeff"+body("路灯不亮")), 200, "", "", "", kept("路灯不亮")},
		{4, "GBK", open(asJSON+"; charset=gbk", must(simplifiedchinese.GBK.NewEncoder().String(body("路灯不亮")))(t)), 200, "", "", "", kept("路灯不亮")},
		{4, "UTF-16", open(asJSON+"; charset=utf-16", must(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(body("路灯不亮")))(t)), 200, "", "", "", kept("路灯不亮")},
		{4, "a kind in capitals", open("Application/JSON; Charset=UTF-8", body("路灯不亮")), 200, "", "", "", kept("路灯不亮")},

		{6, "right to left", open(asJSON, body("路灯\u202e不亮\u200b\u2066")), 200, "", "", "", kept("路灯不亮")},
		{6, "a pile of marks", open(asJSON, body(pile)), 200, "", "", "", kept("坏" + strings.Repeat("\u0301", 4))},

		{7, "rare Hanzi", open(asJSON, body(rare)), 200, "", "", "", kept(rare)},
		{7, "as escapes", open(asJSON, body(`\ud842\udfb7野家`)), 200, "", "", "", kept("𠮷野家")},
		{7, "a hundred of four bytes", open(asJSON, body(strings.Repeat("𠮷", 100))), 200, "", "", "", kept(strings.Repeat("𠮷", 100))},
		{7, "found again", d.get(agent, "/api/tickets?q=%F0%AA%9A%A5%F0%AB%93%A7"), 200, "", "", "", func(t *testing.T, a answer) { // 𪚥𫓧
			if !bytes.Contains(a.body, []byte(rare)) || bytes.Count(a.body, []byte(`"number"`)) != 1 {
				t.Errorf("found %s", a.body)
			}
		}},
		{7, "in a workbook", func(t *testing.T) answer { return d.workbook(t, agent) }, 200, "", "", "", func(t *testing.T, a answer) {
			f := must(excelize.OpenReader(bytes.NewReader(a.body)))(t)
			defer f.Close()
			rows := must(f.GetRows(f.GetSheetName(0)))(t)
			if !slices.ContainsFunc(rows, func(r []string) bool { return slices.Contains(r, rare) }) {
				t.Errorf("%q", rows)
			}
		}},
		{7, "in a text message", d.get(d.session, "/api/session"), 200, "", "", "", func(t *testing.T, _ answer) {
			must(0, d.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				return d.messages.Notify(ctx, tx, message.Notice{Key: "rare", UserID: her.UserID, Template: "application.accepted", At: time.Now(), Params: map[string]string{"number": "SQ1", "productName": rare, "institutionName": rare, "note": ""}})
			}))(t)
			var sealed string
			must(0, d.db.Read().NewSelect().TableExpr("sms_messages").Column("params").OrderExpr("id DESC").Limit(1).Scan(ctx, &sealed))(t)
			if plain := must(d.box.Open(sealed, "sms_messages.params"))(t); !bytes.Contains(plain, []byte(rare)) {
				t.Errorf("%s", plain)
			}
		}},

		{9, "the same moment in two zones", d.get(auditor, since+"2026-11-22T08:00:00%2B08:00"), 200, "", "", "", func(t *testing.T, a answer) {
			if b := d.on(t).ask("GET", since+"2026-11-21T19:00:00-05:00", auditor, nil); b.status != 200 || !bytes.Equal(a.body, b.body) {
				t.Errorf("found %s and %d %s", a.body, b.status, b.body)
			}
		}},

		{13, "pages by numbers", d.get(d.session, "/api/tickets?page=-1&size=1000000000"), 200, "", "", "", func(t *testing.T, a answer) { // not ours: lists go on by a cursor
			if first := d.on(t).ask("GET", "/api/tickets", d.session, nil); !bytes.Equal(a.body, first.body) {
				t.Errorf("%s beside %s", a.body, first.body)
			}
		}},

		{37, "markup", open(asJSON, body(`<script>alert(1)</script>{{7*7}}`)), 200, "", "", "", kept("<script>alert(1)</script>{{7*7}}")},
	}
}

// workbook takes all tickets out as a workbook.
func (d *desk) workbook(t *testing.T, session string) answer {
	t.Helper()
	d = d.on(t)
	var made struct{ ID int64 }
	asked := d.ask("POST", "/api/exports", session, strings.NewReader(`{"source":"tickets","format":"xlsx","purpose":"核对"}`), "Content-Type", asJSON)
	must(0, json.Unmarshal(asked.body, &made))(t)
	if worked, err := d.exports.Step(context.Background()); !worked || err != nil {
		t.Fatal(worked, err)
	}
	return d.ask("GET", fmt.Sprintf("/api/exports/%d/file", made.ID), session, nil)
}

// foreignRequests are number 16: what does not exist, belongs to another or was taken away is the same 404.
func foreignRequests(t *testing.T) []badInput {
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
	missing := func(method, session, path, body string) func(*testing.T, answer) {
		return func(t *testing.T, a answer) {
			b := d.on(t).ask(method, path, session, strings.NewReader(body), "Content-Type", asJSON)
			if b.status != 404 || trace.ReplaceAllString(string(a.body), "") != trace.ReplaceAllString(string(b.body), "") {
				t.Errorf("another's answers %s, a missing one %s", a.body, b.body)
			}
		}
	}
	const rating = `{"version":1,"rating":5}`
	const says = "没有找到您要的内容，可能已被删除，或您没有查看权限"
	return []badInput{
		{16, "a ticket of another", d.get(theirs, fmt.Sprintf("/api/tickets/%d", tk.ID)), 404, "NOT_FOUND", "", says, missing("GET", theirs, "/api/tickets/999999", "")},
		{16, "rating it", d.post(theirs, fmt.Sprintf("/api/tickets/%d/rate", tk.ID), asJSON, rating), 404, "NOT_FOUND", "", says, missing("POST", theirs, "/api/tickets/999999/rate", rating)},
		{16, "a file of another", d.get(theirs, up.view.URL), 404, "NOT_FOUND", "", says, missing("GET", theirs, "/api/files/999999", "")},
		{16, "an application that is none", d.get(theirs, "/api/applications/1"), 404, "NOT_FOUND", "", says, missing("GET", theirs, "/api/applications/999999", "")},
		{16, "a file of one's own", d.get(d.session, up.view.URL), 200, "", "", "", nil},
		{16, "the same once it was cleared away", func(t *testing.T) answer { // it was never handed in
			must(d.uploads.Sweep(ctx, access.SystemActor("test"), time.Now().Add(-time.Hour), time.Now().Add(time.Minute)))(t)
			return d.on(t).ask("GET", up.view.URL, d.session, nil)
		}, 404, "NOT_FOUND", "", says, missing("GET", d.session, "/api/files/999999", "")},
	}
}

// repeatedRequests are numbers 17 and 18: an old version is told who changed what and when, and a key goes with one body.
func repeatedRequests(t *testing.T) []badInput {
	ctx := context.Background()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	agent := staff(t, d.house, "zuoxi", "13900139205", access.Platform, "agent")
	her := must(d.identity.Authenticate(ctx, d.session))(t)
	kind := must(d.tickets.Types(ctx, her))(t)[0].Code
	open := func(key, title string) func(*testing.T) answer {
		return d.post(d.session, "/api/tickets", asJSON, `{"type":"`+kind+`","title":"`+title+`","body":"门前路灯坏了三天","source":"h5"}`, "Idempotency-Key", key)
	}
	tell := func(key string) func(*testing.T) answer {
		return func(t *testing.T) answer {
			items, _, err := d.tickets.List(ctx, her, ticket.ListFilter{Limit: 1})
			must(0, err)(t)
			return d.post(agent, fmt.Sprintf("/api/tickets/%d/answer", items[0].ID), asJSON, `{"version":1,"text":"已安排维修"}`, "Idempotency-Key", key)(t)
		}
	}
	one := func(t *testing.T, _ answer) {
		if n := d.rows(t, "tickets"); n != 1 {
			t.Errorf("%d tickets", n)
		}
	}
	return []badInput{
		{18, "the same key and body", open("k1", "路灯不亮"), 200, "", "", "", func(t *testing.T, first answer) {
			if again := open("k1", "路灯不亮")(t); !bytes.Equal(first.body, again.body) {
				t.Errorf("%s, again %d %s", first.body, again.status, again.body)
			}
			one(t, first)
		}},
		{18, "the same key, another body", open("k1", "水管漏水"), 422, "KEY_REUSED", "", "请刷新页面后重新填写", one},
		{18, "a key of 100 characters", open(strings.Repeat("k", 100), "水管漏水"), 422, "INVALID_INPUT", "Idempotency-Key", "请按提示修改", one},
		{17, "the version that is there", tell("a1"), 200, "", "", "", nil},
		{17, "an old version", tell("a2"), 409, "CHANGED", "", "王芳于", func(t *testing.T, a answer) {
			if !regexp.MustCompile(`工单已更新：王芳于2\d{3}年\d+月\d+日.*进行了“.+”，请刷新后再办理`).MatchString(a.Detail) {
				t.Error(a.Detail)
			}
		}},
	}
}

// badSessions are numbers 41 and 42: who brings garbage in the place of a session is a visitor, and no forged key opens
// /open/.
func badSessions(t *testing.T) []badInput {
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	var out []badInput
	const named = "__Host-huiqi="
	cookies := map[string]string{
		"garbage": named + "garbage", "5,000 bytes": named + strings.Repeat("a", 5_000), "two sessions": named + "a; " + named + "b", "a byte more": named + d.session + "x",
		"no text": named + "%00%ff", "a byte less": named + d.session[1:], "SQL": named + "' OR 1=1 --", "no cookie": "=;;;=",
	}
	for _, what := range slices.Sorted(maps.Keys(cookies)) {
		cookie := cookies[what]
		out = append(out,
			badInput{41, what, d.get("", "/api/tickets", "Cookie", cookie), 401, "SIGN_IN_REQUIRED", "", "请先登录", nil},
			badInput{41, what + ", a page", d.get("", "/", "Cookie", cookie), 200, "", "", "", nil},
			badInput{41, what + ", a session", d.get("", "/api/session", "Cookie", cookie), 200, "", "", "", func(t *testing.T, a answer) {
				if !bytes.Contains(a.body, []byte(`"csrfToken":"`)) || bytes.Contains(a.body, []byte("13800138021")) {
					t.Errorf("%s", a.body)
				}
			}})
	}
	ctx, system := context.Background(), access.SystemActor("test")
	p := must(d.exchange.Create(ctx, system, exchange.CreatePartner{Code: "city-hotline", PartnerFields: exchange.PartnerFields{Name: "市热线", CallsPerMinute: 100, CallsPerDay: 1000}}))(t)
	key := must(d.exchange.Issue(ctx, system, exchange.IssueKey{PartnerID: p.ID, Name: "生产"}))(t).Plain
	open := func(key string) func(*testing.T) answer {
		return d.get("", "/open/v1/ping", "Authorization", "Bearer "+key)
	}
	out = append(out, badInput{42, "the right key", open(key), 200, "", "", "", nil})
	forged := map[string]string{
		"no algorithm": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjaXR5LWhvdGxpbmUifQ.", "a key of theirs": "eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uL2Rldi9udWxsIn0.eyJzdWIiOiIxIn0.AAAA",
		"a byte more": key + "x", "a byte less": key[:len(key)-1], "capitals": strings.ToUpper(key), "a blank": " " + key, "two": key + ", Bearer x", "8,000 bytes": strings.Repeat("a", 8_000),
		"null": "null", "undefined": "undefined", "SQL": "' OR '1'='1", "a session": d.session,
	}
	for _, what := range slices.Sorted(maps.Keys(forged)) {
		out = append(out, badInput{42, what, open(forged[what]), 401, "API_KEY", "", "接口密钥无效或已吊销，请", func(t *testing.T, a answer) { // to each the same
			if b := open("x")(t); b.Detail != a.Detail {
				t.Errorf("%q beside %q", a.Detail, b.Detail)
			}
		}})
	}
	return out
}
