package ticket_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/sheet"
)

func (f fixture) found(t *testing.T, a access.Actor, filter ticket.ListFilter) (string, string) {
	t.Helper()
	var ids []string
	for filter.Limit = 2; ; {
		p, err := f.Page(context.Background(), a, filter)
		if err != nil {
			t.Fatalf("%q: %v", filter.Query, err)
		}
		for _, i := range p.Items {
			ids = append(ids, fmt.Sprint(i.ID))
		}
		if p.Next == "" {
			return strings.Join(ids, " "), p.Note
		}
		filter.Cursor = p.Next
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	open := func(a access.Actor, title, body, phone string) ticket.View {
		cmd := ask("")
		cmd.Title, cmd.Body, cmd.Phone, cmd.ContactName = title, body, phone, "王芳"
		return f.mustOpen(t, a, cmd)
	}
	open(baker, "用工补贴如何申请", "门店新招三人，电话 13912345678，身份证 11010519491231002X", "13800138001") // 1
	open(boss(8, 71), "路灯不亮", "申请维修", "13800138002")                                       // 2
	v := open(baker, "停车位申请", "ERP2026 报错", "13700008001")                                 // 3
	v = f.mustDispatch(t, v, 100)
	v = must(f.Sign(ctx, squad, ticket.SignTicket{Ref: ref(v)}))(t)
	must(f.Reply(ctx, squad, ticket.ReplyTicket{Ref: ref(v), Text: "已协调独角兽停车场"}))(t)

	for _, c := range []struct {
		name  string
		actor access.Actor
		query string
		ids   string
		note  string
	}{
		{"the desk, a word", desk, "申请", "3 2 1", ""},
		{"a company, its own", baker, "申请", "3 1", ""},
		{"a rival", boss(8, 71), "申请", "2", ""},
		{"a bureau, its subtree", bureau, "申请", "3", ""},
		{"another bureau", tax, "申请", "", ""},
		{"the answer", desk, "独角兽", "3", ""},
		{"a company's name", desk, "第71面包房", "2", ""},
		{"the caller's name", desk, "王芳", "3 2 1", ""},
		{"a number", desk, "GD20261122-000002", "2", ""},
		{"a number in another hand", desk, " ｇｄ20261122000002 ", "2", ""},
		{"the day of a number", desk, "GD20261122", "3 2 1", ""},
		{"some digits of a number", desk, "GD20261122-00000", "3 2 1", ""},
		{"another's number", baker, "GD20261122-000002", "", ""},
		{"a phone's tail", desk, "8001", "3 1", "按联系电话后四位查找"},
		{"a phone's tail, in scope", bureau, "8001", "3", "按联系电话后四位查找"},
		{"a phone", desk, "138 0013 8001", "1", "按联系电话查找"},
		{"a phone with prefix", desk, "+86 13800138002", "2", "按联系电话查找"},
		{"a phone in the text is not found", desk, "13912345678", "", "按联系电话查找"},
		{"nor an identity number", desk, "11010519491231002X", "", ""},
		{"a credit code from its eighth character", desk, "91110112", "3 1", "按统一社会信用代码查找"},
		{"a whole credit code", desk, "91110112ma01abcd12", "3 1", "按统一社会信用代码查找"},
		{"a credit code of nobody", desk, "91110199", "", ""},
		{"a Latin word with digits", desk, "erp20", "3", ""},
		{"one character", desk, "申", "", "请至少输入两个字再搜索"},
		{"emoji", desk, "😀😀", "", "请至少输入两个字再搜索"},
		{"operators", desk, `"申请" OR (NEAR* -路灯`, "", ""},
		{"quotes", desk, `"'申请'"`, "3 2 1", ""},
		{"too long", desk, "申请 " + strings.Repeat("，", 2000), "3 2 1", "搜索内容过长，只按前 100 个字查找"},
		{"no word at all", desk, "   ", "3 2 1", ""},
	} {
		if ids, note := f.found(t, c.actor, ticket.ListFilter{Query: c.query}); ids != c.ids || note != c.note {
			t.Errorf("%s: %q %q, want %q %q", c.name, ids, note, c.ids, c.note)
		}
	}
	if ids, _ := f.found(t, desk, ticket.ListFilter{Query: "申请", Statuses: []ticket.Status{ticket.Received, ticket.Sent}}); ids != "2 1" {
		t.Errorf("with a status %q", ids)
	}
	if ids, _ := f.found(t, desk, ticket.ListFilter{Query: "8001", Statuses: []ticket.Status{ticket.Reported}}); ids != "3" {
		t.Errorf("a tail with a status %q", ids)
	}
	if ids, _ := f.found(t, desk, ticket.ListFilter{Query: "申请", Urgency: ticket.Critical}); ids != "" {
		t.Errorf("with an urgency %q", ids)
	}
	if ids, _ := f.found(t, desk, ticket.ListFilter{Query: "申请", Waiting: true}); ids != "3 2 1" {
		t.Errorf("waiting %q", ids)
	}

	// What is marked is what was searched, and the numbers in it stay masked.
	p, err := f.Page(ctx, desk, ticket.ListFilter{Query: "新招"})
	if err != nil || len(p.Items) != 1 || p.Items[0].Marks == nil {
		t.Fatal(p, err)
	}
	text, hit := "", ""
	for _, x := range p.Items[0].Marks.Excerpt {
		text += x.Text
		if x.Hit {
			hit += x.Text
		}
	}
	if hit != "新招" || !strings.Contains(text, "139****5678") || strings.Contains(text, "19491231") {
		t.Errorf("excerpt %q marks %q", text, hit)
	}
	if p, err := f.Page(ctx, desk, ticket.ListFilter{Query: "8001"}); err != nil || p.Items[0].Marks != nil {
		t.Errorf("a tail is marked: %+v, %v", p, err)
	}

	// The export is the list.
	src := f.ExportSource()
	n, err := src.Count(ctx, desk, sheet.Filter{"q": "申请"}, 100)
	if err != nil || n != 3 {
		t.Errorf("to be exported %d, %v", n, err)
	}
	if words, err := src.Describe(sheet.Filter{"q": "申请 13912345678"}); err != nil || words != "关键词：申请 139****5678" {
		t.Errorf("described as %q, %v", words, err)
	}

	// No seeded number lies in the full text.
	for _, secret := range []string{"13912345678", "11010519491231002X", "13800138001"} {
		if terms := f.terms(t); slices.ContainsFunc(terms, func(s string) bool { return strings.Contains(strings.ToUpper(s), secret) }) {
			t.Errorf("%s is in the full text", secret)
		}
	}
	// Made anew the index answers the same.
	if err := search.Rebuild(ctx, f.db, ticket.SearchSource(), nil); err != nil {
		t.Fatal(err)
	}
	if ids, _ := f.found(t, desk, ticket.ListFilter{Query: "独角兽"}); ids != "3" {
		t.Errorf("after a rebuild %q", ids)
	}
}

// terms are all words of the full text.
func (f fixture) terms(t *testing.T) []string {
	t.Helper()
	query := "SELECT ts::text FROM search_ticket"
	if f.db.Kind() == database.SQLite {
		if _, err := f.db.Writer().ExecContext(context.Background(), "CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms USING fts5vocab('main', 'search_ticket', 'row')"); err != nil {
			t.Fatal(err)
		}
		query = "SELECT term FROM temp.terms"
	}
	var out []string
	if err := f.db.Writer().NewRaw(query).Scan(context.Background(), &out); err != nil || len(out) == 0 {
		t.Fatal(len(out), err)
	}
	return out
}

// An undone change leaves no text to be found.
func TestSearchKeepsToTheTransaction(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	cmd := ask("")
	cmd.FileIDs = []int64{999} // somebody else's: refused after the ticket was written
	if _, err := f.Open(context.Background(), baker, cmd); err == nil {
		t.Fatal("opened with a foreign file")
	}
	if ids, _ := f.found(t, desk, ticket.ListFilter{Query: "补贴"}); ids != "" {
		t.Errorf("found %q", ids)
	}
	if n := f.indexed(t); n != 0 {
		t.Errorf("%d texts", n)
	}
}

func (f fixture) indexed(t *testing.T) (n int) {
	t.Helper()
	if err := f.db.Read().NewSelect().TableExpr("search_ticket").ColumnExpr("count(*)").Scan(context.Background(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A bureau with 5 tickets out of 20,000 searches the word that all of them hold. Its walks must be planned over the
// index of its own tickets, for platform/search counts on it.
func TestNarrowScopeAmongManyTickets(t *testing.T) {
	t.Parallel()
	f, ctx := mustNew(t), context.Background()
	f.mustOpen(t, baker, ask(""))
	const n = 20_000
	for at := 2; at <= n; at += 2_000 {
		err := f.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			numbers := "WITH RECURSIVE x(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM x WHERE i < ?) SELECT i FROM x"
			unit := "CASE WHEN i % 4000 = 7 THEN 10 ELSE 20 END"
			_, err := tx.ExecContext(ctx, `INSERT INTO tickets (id, number, query_hash, type_code, title, body, urgency, status, version, source, requester_name, phone_sealed, phone_tail,
				user_id, enterprise_name, unit_id, unit_name, unit_l1, unit_l2, created_at, due_at, reply, opinion)
				SELECT i, 'GD20260101-' || i, '', 'labour', '申请', '企业申请事项', 'normal', 'signed', 1, 'h5', '王芳', '', 'tail', 9, '', `+unit+`, '', 1, `+unit+`, ?, ?, '', ''
				FROM (`+numbers+`) AS s`, start, start, at, min(at+1_999, n))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := search.Rebuild(ctx, f.db, ticket.SearchSource(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.db.Writer().ExecContext(ctx, "ANALYZE"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		actor access.Actor
		f     ticket.ListFilter
		found int
	}{
		{bureau, ticket.ListFilter{Query: "申请"}, 5},
		{bureau, ticket.ListFilter{Query: "企业申请事项", Statuses: []ticket.Status{ticket.Handling}}, 5},
		{bureau, ticket.ListFilter{Query: "申请", Statuses: []ticket.Status{ticket.Reported}}, 0},
		{desk, ticket.ListFilter{Query: "申请"}, 21},
		{desk, ticket.ListFilter{Query: "用工补贴"}, 1},
		{tax, ticket.ListFilter{Query: "用工补贴"}, 0},
		{baker, ticket.ListFilter{Query: "用工补贴"}, 1},
	} {
		got, err := f.Looked(ctx, c.actor, c.f)
		if err != nil || len(got.IDs) != c.found || got.Hits+got.Rows > 200 {
			t.Errorf("%q: found %d of %d after %d entries and %d rows, %v", c.f.Query, len(got.IDs), c.found, got.Hits, got.Rows, err)
		}
		for _, q := range f.WalkPlans(c.actor, c.f) {
			if plan := f.explain(t, q); strings.Contains(plan, "SCAN t") || strings.Contains(plan, "Seq Scan on tickets") {
				t.Errorf("%s\nwalks the table: %s", q, plan)
			}
		}
	}
}

func (f fixture) explain(t *testing.T, query string) string {
	t.Helper()
	ctx := context.Background()
	var out []string
	if f.db.Kind() == database.Postgres {
		if err := f.db.Read().NewRaw("EXPLAIN "+query).Scan(ctx, &out); err != nil {
			t.Fatal(err)
		}
		return strings.Join(out, "\n")
	}
	var rows []struct {
		ID, Parent, Notused int64
		Detail              string
	}
	if err := f.db.Read().NewRaw("EXPLAIN QUERY PLAN "+query).Scan(ctx, &rows); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		out = append(out, r.Detail)
	}
	return strings.Join(out, "\n")
}

func TestSearchOverHTTP(t *testing.T) {
	t.Parallel()
	b := mustServePortal(t)
	b.do("baker", "POST", "/api/tickets", `{"type":"labour","title":"补贴<b>如何</b>申请","body":"门店新招三人，联系 13912345678","source":"h5"}`)
	status, body := b.do("desk", "GET", "/api/tickets?q="+url.QueryEscape("补贴"), "")
	if status != 200 || !strings.Contains(body, `{"text":"补贴","hit":true}`) || strings.Contains(body, "13912345678") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := b.do("desk", "GET", "/api/tickets?q="+url.QueryEscape("补"), ""); status != 200 || !strings.Contains(body, `"note":"请至少输入两个字再搜索"`) || !strings.Contains(body, `"items":[]`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := b.do("desk", "GET", "/api/tickets?q="+url.QueryEscape(strings.Repeat("补贴", 200)), ""); status != 200 || !strings.Contains(body, "过长") {
		t.Errorf("%d %s", status, body)
	}
	_, _, html := b.send("baker", "/tickets?q="+url.QueryEscape("补贴 新招"), nil)
	if !strings.Contains(html, "<mark>补贴</mark>&lt;b&gt;") || !strings.Contains(html, "<mark>新招</mark>") || !strings.Contains(html, `value="补贴 新招"`) || strings.Contains(html, "13912345678") {
		t.Errorf("portal: %s", html)
	}
	if _, _, html := b.send("rival", "/tickets?q="+url.QueryEscape("补贴"), nil); strings.Contains(html, "item-card") || !strings.Contains(html, "没有找到") {
		t.Errorf("rival's portal: %s", html)
	}
}
