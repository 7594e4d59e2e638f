//go:build !race

package server

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
)

// ticketHeads are the columns of another desk: the requester's two stand below a head of their own, as do three more below none.
var ticketHeads = []any{"来件编号", "类型", "标题", "诉求内容", "姓名", "来电号码", "信用代码", "表单信息"}

// lineWant is what becomes of a row: with a fault, in which field and which.
type lineWant struct{ state, field, code string }

// ticketLines makes n rows as another desk would hand them over, the first of them row first of the file: phones and codes that a
// spreadsheet turned into floating numbers, repeated rows, unknown types, fields of the form, cells merged over several rows, blank
// rows between. It tells what is to become of each.
func ticketLines(n, first int) ([][]any, map[int]lineWant) {
	var rows [][]any
	want := map[int]lineWant{}
	for i := range n {
		row := []any{fmt.Sprintf("SZ2026-%06d", i), "停水停电停气停热", fmt.Sprintf("园区停水%d", i), "十月二十日起停水，请尽快恢复", "李芳", fmt.Sprintf("138%08d", i), "", "停供种类：停水；是否停产：是"}
		w := lineWant{state: "created"}
		switch i % 20 {
		case 1:
			row[5], w = "1.38E+10", lineWant{"bad", "phone", "NUMBER_LOST"} // as text: what stood there is gone
		case 2:
			row[1], w = "没有的类型", lineWant{"bad", "type", "TICKET_TYPE"}
		case 3, 13:
			row[0], w = fmt.Sprintf("SZ2026-%06d", i-3), lineWant{state: "skipped"}
		case 4:
			row[7], w = "停供种类：停车", lineWant{"bad", "fields", "*"}
		case 5, 6, 7, 15:
			row[0], w = "SZ2026-000000", lineWant{state: "skipped"}
		case 8:
			row[5], w = "12345", lineWant{"bad", "phone", "*"}
		case 9:
			row[1], row[7] = "010101", ""
		case 11:
			row[6], w = 9.1110112e17, lineWant{"bad", "creditCode", "NUMBER_LOST"} // eighteen digits do not fit into a number
		case 12:
			row[5] = 13800000000.0 + float64(i) // eleven do
		case 14:
			row[1], w = "", lineWant{"bad", "type", "REQUIRED"} // merged with the cell above
		case 16:
			row[2], w = "", lineWant{"bad", "title", "REQUIRED"}
		}
		rows = append(rows, row)
		want[first+len(rows)-1] = w
		if i%500 == 499 {
			rows = append(rows, []any{})
		}
	}
	return rows, want
}

// ticketCSV are the rows as a spreadsheet saves them in GBK, below a title.
func ticketCSV(t *testing.T, rows [][]any) []byte {
	t.Helper()
	var b strings.Builder
	b.WriteString("2026年10月热线转办件汇总" + strings.Repeat(",", len(ticketHeads)-1) + "\r\n")
	for _, r := range append([][]any{ticketHeads}, rows...) {
		cells := make([]string, len(ticketHeads))
		for i, c := range r {
			cells[i] = fmt.Sprint(c)
			if x, ok := c.(float64); ok {
				if cells[i] = strconv.FormatFloat(x, 'f', 0, 64); len(cells[i]) > 11 {
					cells[i] = strconv.FormatFloat(x, 'E', 5, 64)
				}
			}
		}
		b.WriteString(strings.Join(cells, ",") + "\r\n")
	}
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return []byte(gbk)
}

// ticketBook are the rows in a workbook, below a title over all columns and a head in two rows: 诉求人 stands over name and phone,
// every other head over both rows.
func ticketBook(t *testing.T, rows [][]any) []byte {
	t.Helper()
	above, below := slices.Clone(ticketHeads), make([]any, len(ticketHeads))
	above[4], above[5], below[4], below[5] = "诉求人", nil, ticketHeads[4], ticketHeads[5]
	return book(t, append([][]any{{"2026年10月热线转办件汇总"}, above, below}, rows...), func(f *excelize.File) {
		merge := func(from, to string) {
			if err := f.MergeCell("Sheet1", from, to); err != nil {
				t.Fatal(err)
			}
		}
		merge("A1", "H1")
		merge("E2", "F2")
		for _, c := range []string{"A", "B", "C", "D", "G", "H"} {
			merge(c+"2", c+"3")
		}
		merge("B17", "B18") // the type of rows 13 and 14
	})
}

// TestTenThousandTickets takes in a file of another desk, in GBK and as a workbook with a merged head: every row is accounted for,
// with what is wrong with it, in the list and in the report to take away, and taken in again the file makes nothing new.
func TestTenThousandTickets(t *testing.T) {
	t.Parallel()
	const n = 10_000
	for name, c := range map[string]struct {
		first int
		write func(*testing.T, [][]any) []byte
	}{
		"十月.csv": {3, ticketCSV}, "十月.xlsx": {4, ticketBook},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := testHouse(t)
			token := staffToken(t, h, identity.Staff{Name: "班长", Account: "lead9", Phone: "13900139009", Party: access.Platform, Roles: []string{"desk_lead"}})
			rows, want := ticketLines(n, c.first)
			content := c.write(t, rows)
			v, got := throughImport(t, h, token, "tickets", name, content, "skip", map[string]int{"outer": 0})
			if len(got) != n || int(v["read"].(float64)) != n {
				t.Errorf("%d rows of %d, %v", len(got), n, v)
			}
			count, bad := map[string]int{}, map[string]bool{}
			for number, w := range want {
				r := got[number]
				if r == nil {
					t.Fatalf("row %d is not accounted for", number)
				}
				field, code, message := problemOf(r)
				if r["state"] != w.state || field != w.field && w.state == "bad" || code != w.code && w.code != "*" && w.state == "bad" {
					t.Fatalf("row %d: %v %s %s %q, want %v", number, r["state"], field, code, message, w)
				}
				if w.state == "bad" {
					if bad[strconv.Itoa(number)] = true; message == "" || strings.Contains(message, "138") {
						t.Fatalf("row %d: %q", number, message)
					}
				}
				count[w.state]++
			}
			made := func() int {
				t.Helper()
				made, err := h.db.Read().NewSelect().TableExpr("tickets").Where("source = 'import'").Count(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return int(made)
			}
			if made() != count["created"] {
				t.Errorf("%d tickets for %d created", made(), count["created"])
			}
			if _, text := ask(t, h, "GET", fmt.Sprintf("/api/tickets/%v", got[c.first+9992+9992/500]["objectId"]), token, ""); !strings.Contains(text, "园区停水9992") || !strings.Contains(text, "138****9992") {
				t.Errorf("the phone that came as a number is read as %s", text)
			}
			fields := 0
			for i := range n {
				if want[c.first+i+i/500].state == "created" && i%20 != 9 {
					fields += 2
				}
			}
			if filled, err := h.db.Read().NewSelect().TableExpr("ticket_fields").Count(t.Context()); err != nil || int(filled) != fields {
				t.Errorf("%d fields of %d, %v", filled, fields, err)
			}

			status, raw := ask(t, h, "GET", fmt.Sprintf("/api/imports/%v/report", v["id"]), token, "")
			f, err := excelize.OpenReader(strings.NewReader(raw))
			if status != 200 || err != nil {
				t.Fatalf("report: %d, %v", status, err)
			}
			defer f.Close()
			lines, err := f.GetRows("问题清单")
			if err != nil || len(lines) != len(bad)+1 {
				t.Fatalf("%d lines in the report of %d bad rows, %v", len(lines), len(bad), err)
			}
			last := len(lines[0]) - 1
			for _, line := range lines[1:] {
				if !bad[line[last-1]] || line[last] == "" {
					t.Fatalf("the report has %q", line)
				}
				delete(bad, line[last-1])
			}

			if v, _ = throughImport(t, h, token, "tickets", "再次"+name, content, "skip", map[string]int{"outer": 0}); made() != count["created"] || v["created"].(float64) != 0 {
				t.Errorf("again %v: %d tickets", v, made())
			}
		})
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
