//go:build !race

package server

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
)

// ticketLines writes n lines as another desk would hand them over: a title above the heads, phones that a spreadsheet turned
// into floating numbers, repeated lines, unknown types, fields of the form. It tells how many of each it wrote.
func ticketLines(n int) (string, map[string]int) {
	var b strings.Builder
	b.WriteString("2026年10月热线转办件汇总,,,,,\r\n来件编号,类型,标题,诉求内容,姓名,来电号码,表单信息\r\n")
	want := map[string]int{}
	for i := range n {
		number, kind, phone, fields, what := fmt.Sprintf("SZ2026-%06d", i), "停水停电停气停热", fmt.Sprintf("138%08d", i), "停供种类：停水；是否停产：是", "created"
		switch i % 10 {
		case 1:
			phone, what = "1.38E+10", "bad"
		case 2:
			kind, what = "没有的类型", "bad"
		case 3:
			number, what = fmt.Sprintf("SZ2026-%06d", i-3), "skipped"
		case 4:
			fields, what = "停供种类：停车", "bad"
		case 5, 6, 7:
			number, what = "SZ2026-000000", "skipped"
		case 8:
			phone, what = "12345", "bad"
		case 9:
			kind = "010101"
			fields = ""
		}
		want[what]++
		fmt.Fprintf(&b, "%s,%s,园区停水%d,\"十月二十日起停水，请尽快恢复\",李芳,%s,%s\r\n", number, kind, i, phone, fields)
	}
	return b.String(), want
}

// TestTenThousandTickets takes in a file of another desk in GBK: every line is accounted for, with what is wrong with it, and
// taken in again the file makes nothing new.
func TestTenThousandTickets(t *testing.T) {
	t.Parallel()
	h := testHouse(t)
	token := staffToken(t, h, identity.Staff{Name: "班长", Account: "lead9", Phone: "13900139009", Party: access.Platform, Roles: []string{"desk_lead"}})
	const rows = 10_000
	text, want := ticketLines(rows)
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	v, got := throughImport(t, h, token, "tickets", "十月.csv", []byte(gbk), "skip", map[string]int{"outer": 0})
	count := map[string]int{}
	for _, r := range got {
		count[r["state"].(string)]++
		if field, code, message := problemOf(r); r["state"] == "bad" && (message == "" || field == "" || strings.Contains(message, "138")) {
			t.Fatalf("row %v: %q %q %q", r["number"], field, code, message)
		}
	}
	if len(got) != rows || fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("%d rows %v, want %v; %v", len(got), count, want, v)
	}
	n, err := h.db.Read().NewSelect().TableExpr("tickets").Where("source = 'import'").Count(t.Context())
	if err != nil || int(n) != want["created"] {
		t.Errorf("%d tickets for %d created, %v", n, want["created"], err)
	}
	filled, err := h.db.Read().NewSelect().TableExpr("ticket_fields").Count(t.Context())
	if err != nil || int(filled) != want["created"] { // every second of them has two fields
		t.Errorf("%d fields, %v", filled, err)
	}
}

// sendSheet sends a file for a target as the browser does, and returns its address.
func (k *killed) sendSheet(target, content string) string {
	k.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.WriteField("target", target)
	part, _ := m.CreateFormFile("file", "转办件.csv")
	_, _ = io.WriteString(part, content)
	_ = m.Close()
	req, err := http.NewRequest("POST", k.base+"/api/imports", &body)
	if err != nil {
		k.t.Fatal(err)
	}
	req.Header.Set("Content-Type", m.FormDataContentType())
	req.Header.Set("Cookie", "__Host-huiqi="+k.session)
	req.Header.Set("X-CSRF-Token", k.csrf)
	res, err := k.client.Do(req)
	if err != nil {
		k.t.Fatal(err)
	}
	defer res.Body.Close()
	if raw, _ := io.ReadAll(res.Body); res.StatusCode != 201 {
		k.t.Fatalf("%d %s", res.StatusCode, raw)
	}
	return "/api/imports/1"
}

// TestKilledWhileImportingTickets kills the server while it publishes the lines: each good line is one ticket with its event,
// its audit row, its clock and its place in the full text.
func TestKilledWhileImportingTickets(t *testing.T) {
	t.Parallel()
	onlyEmbedded(t)
	k := newKilled(t)
	k.enter("lead")
	const rows = 1200
	var b strings.Builder
	b.WriteString("来件编号,类型,标题,诉求内容,姓名,来电号码\n")
	for i := range rows {
		fmt.Fprintf(&b, "DD%d,010101,断电导入%d,补贴如何申请,李芳,138%08d\n", i, i, i)
	}
	path := k.sendSheet("tickets", b.String())
	if status, _ := k.call("POST", path+"/mapping", "map", map[string]any{"sheet": 0, "duplicates": "skip",
		"columns": map[string]int{"outer": 0, "type": 1, "title": 2, "body": 3, "contactName": 4, "phone": 5}}, nil); status != 200 {
		t.Fatalf("mapping: %d", status)
	}
	k.until(path, func(w work) bool { return w.State == "checked" })
	if status, _ := k.call("POST", path+"/publish", "publish", map[string]any{}, nil); status != 200 {
		t.Fatalf("publish: %d", status)
	}
	killed := 0
	for at := int64(0); killed < 3; killed++ {
		w := k.until(path, func(w work) bool { return w.State == "done" || w.Created > at })
		if w.State == "done" {
			break
		}
		at = w.Created + 150
		k.stop()
		k.start()
	}
	if killed < 2 {
		t.Errorf("the server was killed %d times only: the test proves little", killed)
	}
	if w := k.until(path, func(w work) bool { return w.State == "done" }); w.Created != rows {
		t.Errorf("%+v", w)
	}
	const imported = "SELECT id FROM tickets WHERE title LIKE '断电导入%'"
	k.outside(func(db *sql.DB) {
		for what, query := range map[string]string{
			"tickets":     "SELECT count(*) FROM tickets WHERE title LIKE '断电导入%'",
			"titles":      "SELECT count(DISTINCT title) FROM tickets WHERE title LIKE '断电导入%'",
			"lines":       "SELECT count(*) FROM ticket_arrivals WHERE ticket_id IN (" + imported + ")",
			"rows":        "SELECT count(DISTINCT object_id) FROM import_rows WHERE state = 'created'",
			"events":      "SELECT count(*) FROM events WHERE type = 'ticket.opened' AND object_id IN (" + imported + ")",
			"audit rows":  "SELECT count(*) FROM audit_entries WHERE action = 'ticket.open' AND object_id IN (" + imported + ")",
			"clocks":      "SELECT count(*) FROM ticket_clocks WHERE kind = 'public' AND ticket_id IN (" + imported + ")",
			"in the text": "SELECT count(*) FROM search_ticket WHERE rowid IN (" + imported + ")",
		} {
			var n int
			if err := db.QueryRow(query).Scan(&n); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if n != rows {
				t.Errorf("%s: %d for %d lines", what, n, rows)
			}
		}
	})
	t.Logf("%d lines in over %d kills", rows, killed)
}
