//go:build !race

package server

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/uscc"
)

// newKilled starts a server of its own to kill.
func newKilled(t *testing.T) *killed {
	t.Helper()
	k := startKilled(t)
	k.client.Timeout = 20 * time.Second
	t.Cleanup(func() { k.stop() })
	return k
}

// onlyEmbedded skips a test that looks into the file of the embedded database.
func onlyEmbedded(t *testing.T) {
	t.Helper()
	if os.Getenv("TEST_DATABASE_URL") != "" {
		t.Skip("it looks into the file of the embedded database")
	}
}

// outside runs statements on the database file beside the server.
func (k *killed) outside(fn func(db *sql.DB)) {
	k.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(k.dir, "huiqi.db")+"?_pragma=busy_timeout(10000)&_time_format=sqlite")
	if err != nil {
		k.t.Fatal(err)
	}
	defer db.Close()
	fn(db)
}

// enter opens a session of a demo account as a sign-in would have left it.
func (k *killed) enter(account string) {
	k.t.Helper()
	d, err := readDemo(k.dir)
	if err != nil {
		k.t.Fatal(err)
	}
	root, err := secret.ParseKey(d.Key)
	if err != nil {
		k.t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: "gm"})
	if err != nil {
		k.t.Fatal(err)
	}
	k.session, k.visitor = secret.Token(), "0123456789abcdef0123456789abcdef"
	k.outside(func(db *sql.DB) {
		now := time.Now().UTC()
		res, err := db.Exec("INSERT INTO sessions (token_hash, user_id, pending, ip, user_agent, created_at, seen_at, expires_at) SELECT ?, id, 0, '', '', ?, ?, ? FROM users WHERE account = ?",
			box.HashToken(k.session), now, now, now.Add(time.Hour), account)
		if err != nil {
			k.t.Fatal(err)
		}
		if n, _ := res.RowsAffected(); n != 1 {
			k.t.Fatalf("there is no account %s", account)
		}
	})
	var me struct {
		CSRFToken string `json:"csrfToken"`
	}
	k.call("GET", "/api/session", "", nil, &me)
	k.csrf = me.CSRFToken
}

// get reads a file.
func (k *killed) get(path string) (int, []byte) {
	k.t.Helper()
	for try := 0; ; try++ {
		req, err := http.NewRequest("GET", k.base+path, nil)
		if err != nil {
			k.t.Fatal(err)
		}
		req.Header.Set("Cookie", "__Host-huiqi="+k.session)
		res, err := k.client.Do(req)
		if err != nil {
			k.t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			k.t.Fatal(err)
		}
		if res.StatusCode != http.StatusTooManyRequests || try == 30 { // until asks more often than a person may
			return res.StatusCode, b
		}
		time.Sleep(time.Second)
	}
}

type work struct {
	ID                                      int64
	State, Message                          string
	Rows, Read, Created, Good, Bad, Skipped int64
}

// until asks again and again until the work is where it should be.
func (k *killed) until(path string, there func(w work) bool) work {
	k.t.Helper()
	var w work
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if status, ok := k.call("GET", path, "", nil, &w); ok && status == 200 && there(w) {
			return w
		}
		if w.State == "failed" {
			break
		}
	}
	k.t.Fatalf("%s stays at %+v", path, w)
	return w
}

// TestKilledWhileExporting is F-03: the server dies in the middle of a CSV and of a workbook; the next one finishes them,
// each row is in the file once, and nothing is offered before.
func TestKilledWhileExporting(t *testing.T) {
	t.Parallel()
	onlyEmbedded(t)
	k := newKilled(t)
	k.enter("operator01")
	const rows = 60_000
	k.outside(func(db *sql.DB) {
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO enterprises (name, verification, created_at, legal_person, version, asked_on, asked) SELECT '大批企业' || i, 'unverified', '2026-01-01 00:00:00+00:00', '', 1, '', 0 FROM n`, rows); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	})
	for _, format := range []string{"csv", "xlsx"} {
		var w work
		if status, _ := k.call("POST", "/api/exports", format, map[string]any{"source": "enterprises", "format": format, "purpose": "断电演练", "columns": []string{"name", "creditCode"}}, &w); status != 200 {
			t.Fatalf("%s: %d", format, status)
		}
		path := fmt.Sprintf("/api/exports/%d", w.ID)
		for range 2 {
			before := w.Rows
			if w = k.until(path, func(w work) bool {
				return w.State == "done" || w.State == "running" && (w.Rows > before || format == "xlsx")
			}); w.State == "done" {
				t.Fatalf("%s: done before the server could be killed", format)
			}
			k.stop()
			k.start()
			if status, _ := k.get(path + "/file"); status != 409 && status != 200 {
				t.Errorf("%s: half a file is answered with %d", format, status)
			}
			if format == "xlsx" {
				break
			}
		}
		k.until(path, func(w work) bool { return w.State == "done" })
		status, raw := k.get(path + "/file")
		if status != 200 {
			t.Fatalf("%s: %d %s", format, status, raw)
		}
		var lines [][]string
		if format == "csv" {
			r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
			r.FieldsPerRecord = -1
			var err error
			if lines, err = r.ReadAll(); err != nil {
				t.Fatal(err)
			}
		} else {
			f, err := excelize.OpenReader(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if lines, err = f.GetRows("企业"); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
		seen := map[string]bool{}
		for _, l := range lines {
			if name := l[0]; strings.HasPrefix(name, "大批企业") {
				if seen[name] {
					t.Fatalf("%s: %s twice", format, name)
				}
				seen[name] = true
			}
		}
		if len(seen) != rows {
			t.Errorf("%s: %d of %d rows", format, len(seen), rows)
		}
	}
}

// TestKilledWhileImporting kills the server while it reads a file and while it publishes the rows: every row is accounted
// for once, and is one company.
func TestKilledWhileImporting(t *testing.T) {
	t.Parallel()
	onlyEmbedded(t)
	k := newKilled(t)
	k.enter("operator01")
	const rows = 4000
	var b strings.Builder
	b.WriteString("企业名称,统一社会信用代码\n")
	for i := range rows {
		fmt.Fprintf(&b, "断电企业%d,%s\n", i, uscc.Demo(900_000+i))
	}
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.WriteField("target", "enterprises")
	part, _ := m.CreateFormFile("file", "名录.csv")
	_, _ = io.WriteString(part, b.String())
	_ = m.Close()
	req, err := http.NewRequest("POST", k.base+"/api/imports", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", m.FormDataContentType())
	req.Header.Set("Cookie", "__Host-huiqi="+k.session)
	req.Header.Set("X-CSRF-Token", k.csrf)
	res, err := k.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 201 {
		t.Fatalf("%d %s", res.StatusCode, raw)
	}
	path := "/api/imports/1"
	if status, _ := k.call("POST", path+"/mapping", "map", map[string]any{"sheet": 0, "columns": map[string]int{"name": 0, "creditCode": 1}, "duplicates": "refuse"}, nil); status != 200 {
		t.Fatalf("mapping: %d", status)
	}
	killed := 0
	for at := int64(0); ; {
		w := k.until(path, func(w work) bool { return w.State == "checked" || w.Read > at })
		if w.State == "checked" {
			break
		}
		at = w.Read
		if killed++; killed > 3 {
			continue
		}
		k.stop()
		k.start()
	}
	if w := k.until(path, func(w work) bool { return w.State == "checked" }); w.Read != rows || w.Good != rows || w.Bad != 0 {
		t.Fatalf("%+v", w)
	}
	if status, _ := k.call("POST", path+"/publish", "publish", map[string]any{}, nil); status != 200 {
		t.Fatalf("publish: %d", status)
	}
	for at := int64(0); ; {
		w := k.until(path, func(w work) bool { return w.State == "done" || w.Created > at })
		if w.State == "done" {
			break
		}
		at = w.Created + 300
		if killed++; killed > 6 {
			continue
		}
		k.stop()
		k.start()
	}
	if killed < 4 {
		t.Errorf("the server was killed %d times only: the test proves little", killed)
	}
	if w := k.until(path, func(w work) bool { return w.State == "done" }); w.Created != rows {
		t.Errorf("%+v", w)
	}
	k.outside(func(db *sql.DB) {
		for what, query := range map[string]string{
			"companies":    "SELECT count(*) FROM enterprises WHERE name LIKE '断电企业%'",
			"rows":         "SELECT count(*) FROM import_rows WHERE state = 'created' AND object_id > 0",
			"events":       "SELECT coalesce(sum(json_array_length(facts, '$.created')), 0) FROM events WHERE type = 'enterprise.imported_many'",
			"audit rows":   "SELECT coalesce(sum(json_array_length(detail, '$.created')), 0) FROM audit_entries WHERE action = 'enterprise.import'",
			"scored":       "SELECT rows_seen FROM enterprise_quality_scores",
			"indexed":      "SELECT count(*) FROM search_enterprise WHERE rowid IN (SELECT id FROM enterprises WHERE name LIKE '断电企业%')",
			"linked twice": "SELECT count(DISTINCT object_id) FROM import_rows",
		} {
			var n int
			if err := db.QueryRow(query).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n != rows {
				t.Errorf("%s: %s for %d rows", what, strconv.Itoa(n), rows)
			}
		}
	})
	t.Logf("%d rows in over %d kills", rows, killed)
}

// TestKilledWhileReadingARegister kills the server between the pages of an outside register and while it publishes what it
// read: nothing is a company before it is published, reading goes on at the page where it was, and every company is there
// once.
func TestKilledWhileReadingARegister(t *testing.T) {
	t.Parallel()
	onlyEmbedded(t)
	k := newKilled(t)
	k.enter("operator01")
	const fresh = 4000
	outside, err := sql.Open("sqlite", "file:"+filepath.Join(k.dir, "sandbox", "sandbox.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	tx, err := outside.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for i := range fresh {
		c := registry.Company{Name: fmt.Sprintf("断页企业%d", i), CreditCode: string(uscc.Demo(800_000 + i)), LegalPerson: "王丽", Established: "2020-05-06", IndustryCode: "1411", Status: "存续"}
		body, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("INSERT INTO companies (code, name, legal_person, body) VALUES (?, ?, ?, ?)", c.CreditCode, c.Name, c.LegalPerson, string(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	all := k.number(outside, "SELECT count(*) FROM companies")
	if status, _ := k.call("POST", "/api/import-feeds", "read", map[string]any{"feed": "registry", "duplicates": "skip"}, nil); status != 200 && status != 201 {
		t.Fatalf("start: %d", status)
	}
	path := "/api/imports/1"
	published := func() (n int) {
		k.outside(func(db *sql.DB) { n = k.number(db, "SELECT count(*) FROM enterprises WHERE name LIKE '断页企业%'") })
		return n
	}
	killed := 0
	for at := int64(0); ; {
		w := k.until(path, func(w work) bool { return w.State == "checked" || w.Read > at })
		if w.State == "checked" {
			break
		}
		if at = w.Read + 700; killed > 3 {
			continue
		}
		killed++
		k.stop()
		if n := published(); n != 0 {
			t.Fatalf("%d companies before they were published", n)
		}
		k.start()
		if again := k.until(path, func(work) bool { return true }); again.Read < w.Read {
			t.Errorf("reading began again: %d rows after %d", again.Read, w.Read)
		}
	}
	w := k.until(path, func(w work) bool { return w.State == "checked" })
	if w.Read != int64(all) || w.Bad != 0 || published() != 0 {
		t.Fatalf("%+v of %d", w, all)
	}
	if status, _ := k.call("POST", path+"/publish", "publish", map[string]any{}, nil); status != 200 {
		t.Fatalf("publish: %d", status)
	}
	for at := int64(0); ; {
		w := k.until(path, func(w work) bool { return w.State == "done" || w.Created > at })
		if w.State == "done" {
			break
		}
		if at = w.Created + 300; killed > 6 {
			continue
		}
		killed++
		k.stop()
		k.start()
	}
	if killed < 3 {
		t.Errorf("the server was killed %d times only: the test proves little", killed)
	}
	k.outside(func(db *sql.DB) {
		for what, query := range map[string]string{
			"companies": "SELECT count(*) FROM enterprises WHERE name LIKE '断页企业%'",
			"codes":     "SELECT count(DISTINCT credit_code) FROM enterprises WHERE name LIKE '断页企业%'",
			"facts":     "SELECT count(*) FROM enterprise_facts AS f JOIN enterprises AS e ON e.id = f.enterprise_id WHERE e.name LIKE '断页企业%' AND f.field = 'industry' AND f.source = 'registry'",
			"indexed":   "SELECT count(*) FROM search_enterprise WHERE rowid IN (SELECT id FROM enterprises WHERE name LIKE '断页企业%')",
		} {
			if n := k.number(db, query); n != fresh {
				t.Errorf("%s: %d for %d companies", what, n, fresh)
			}
		}
		if n := k.number(db, "SELECT count(*) FROM import_rows"); n != all {
			t.Errorf("%d rows for a register of %d", n, all)
		}
	})
	t.Logf("a register of %d in over %d kills", all, killed)
}

// number reads one number beside the server.
func (k *killed) number(db *sql.DB, query string) int {
	k.t.Helper()
	var n int
	if err := db.QueryRow(query).Scan(&n); err != nil {
		k.t.Fatal(err)
	}
	return n
}
