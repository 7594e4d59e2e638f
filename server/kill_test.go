//go:build !race

// The embedded database is thirty times slower under the race detector; the suite runs this test without it.

package server

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test program is also the server it kills: with this variable set it runs the commands instead of the tests, and so
// does the sandbox that such a server starts.
const asServer = "TEST_AS_HUIQI"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(Main(os.Args[1:], io.Discard, io.Discard))
	}
	code := m.Run()
	removeShared()
	os.Exit(code)
}

// rounds is how often the server is killed: 8 times, 5 on PostgreSQL where a start takes longer, or what TORTURE_ROUNDS
// says.
func rounds(t *testing.T) int {
	n := 8
	if os.Getenv("TEST_DATABASE_URL") != "" {
		n = 5
	}
	if s := os.Getenv("TORTURE_ROUNDS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal("TORTURE_ROUNDS is not a number")
		}
	}
	return n
}

// underWay says that something was acknowledged in this round.
func underWay(first chan<- struct{}) {
	select {
	case first <- struct{}{}:
	default:
	}
}

// soon returns when work is under way, at a moment nobody can tell: however slow the machine is, the server is killed in the
// midst of it.
func soon(first <-chan struct{}) {
	select {
	case <-first:
	case <-time.After(20 * time.Second):
	}
	time.Sleep(time.Duration(mathrand.IntN(150)) * time.Millisecond)
}

// users is how many people use the server that is killed: 8, and 50 in `make torture`.
func users() int {
	if os.Getenv("TORTURE_ROUNDS") != "" {
		return 50
	}
	return 8
}

// TestKilledWhileSubmitting kills the server without warning while people submit, again and again: what was acknowledged
// is there, what was repeated with its key is there once, and nothing is there that nobody sent.
func TestKilledWhileSubmitting(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	k := &killed{t: t, base: "http://" + addr, addr: addr, client: &http.Client{Timeout: 5 * time.Second}}
	k.settle()
	k.start()
	defer func() { k.stop() }()
	k.register("13800138099")

	acked, sent := map[string]int64{}, 0
	var mu sync.Mutex
	rounds := rounds(t)
	for round := range rounds {
		stop, first := make(chan struct{}), make(chan struct{}, 1)
		unknown := make(chan string, 1000)
		var wg sync.WaitGroup
		for range users() {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for {
					select {
					case <-stop:
						return
					default:
					}
					mu.Lock()
					sent++
					key := fmt.Sprintf("round-%d-%d", round, sent)
					mu.Unlock()
					id, ok := k.submit(key)
					if !ok {
						unknown <- key
						return
					}
					mu.Lock()
					acked[key] = id
					mu.Unlock()
					underWay(first)
				}
			}()
		}
		soon(first)
		k.stop()
		close(stop)
		wg.Wait()
		close(unknown)
		k.start()
		for key := range unknown {
			id, ok := k.submit(key)
			if !ok {
				t.Fatalf("round %d: %s was refused after the restart", round, key)
			}
			acked[key] = id
		}
	}
	db := k.open()
	count := func(query string, args ...any) (n int) {
		if err := db.QueryRow(query, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	seen := map[int64]string{}
	for key, id := range acked {
		if other, twice := seen[id]; twice {
			t.Errorf("%s and %s were answered with the same ticket", key, other)
		}
		seen[id] = key
		if count("SELECT count(*) FROM tickets WHERE id = ? AND title = ?", id, key) != 1 {
			t.Errorf("%s was acknowledged and is lost", key)
		}
	}
	const ours = "(SELECT id FROM tickets WHERE title LIKE 'round-%')" // beside those of the demo district
	if n := count("SELECT count(*) FROM " + ours + " AS ours"); n != len(acked) {
		t.Errorf("%d tickets for %d submissions", n, len(acked))
	}
	for what, query := range map[string]string{
		"events":       "SELECT count(*) FROM events WHERE type = 'ticket.opened' AND object_id IN " + ours,
		"keys":         "SELECT count(*) FROM idempotency_keys WHERE outcome <> '' AND key LIKE 'round-%'",
		"audit rows":   "SELECT count(*) FROM audit_entries WHERE object = 'ticket' AND object_id IN " + ours,
		"double title": "SELECT count(DISTINCT title) FROM tickets WHERE title LIKE 'round-%'",
	} {
		if n := count(query); n != len(acked) {
			t.Errorf("%s: %d for %d submissions", what, n, len(acked))
		}
	}
	if len(acked) < rounds {
		t.Errorf("only %d submissions in %d rounds: the test proves little", len(acked), rounds)
	}
	t.Logf("%d submissions acknowledged over %d kills", len(acked), rounds)
}

// killed is a server to kill, and a person who uses it.
type killed struct {
	t                *testing.T
	database         string // of PostgreSQL; empty is SQLite in dir
	dir, base, addr  string
	client           *http.Client
	cmd              *exec.Cmd
	session, visitor string
	csrf             string
	kind             string
	env              []string // settings of its own
}

func (k *killed) start() {
	k.t.Helper()
	args := []string{"serve", "--demo", "--data", k.dir, "--listen", k.addr, "--public-url", k.base}
	if k.database != "" {
		args = append(args, "--database", k.database)
	}
	k.cmd = exec.Command(os.Args[0], args...)
	k.cmd.Env = append(append(os.Environ(), asServer+"=1"), k.env...)
	if err := k.cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.ready()
}

// settle gives the server a demo district of its own.
func (k *killed) settle() {
	k.t.Helper()
	d := newDistrict(k.t)
	k.dir = d.data
	if strings.Contains(d.url, "://") {
		k.database = d.url
	}
}

// beside is the database of a server, asked beside it. It takes ? for a parameter on both databases.
type beside struct {
	*sql.DB
	postgres bool
}

func (b beside) text(query string) string {
	if !b.postgres {
		return query
	}
	var out strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			fmt.Fprintf(&out, "$%d", n)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// QueryRow is that of the database.
func (b beside) QueryRow(query string, args ...any) *sql.Row {
	return b.DB.QueryRow(b.text(query), args...)
}

// Query is that of the database.
func (b beside) Query(query string, args ...any) (*sql.Rows, error) {
	return b.DB.Query(b.text(query), args...)
}

// open reads the database beside the server.
func (k *killed) open() beside {
	k.t.Helper()
	driver, source := "sqlite", "file:"+filepath.Join(k.dir, "huiqi.db")+"?_pragma=query_only(1)&_pragma=busy_timeout(5000)"
	if k.database != "" {
		driver, source = "pgx", k.database
	}
	db := must(sql.Open(driver, source))(k.t)
	k.t.Cleanup(func() { db.Close() })
	return beside{db, k.database != ""}
}

func (k *killed) ready() {
	k.t.Helper()
	for range 6000 { // two minutes on a busy machine
		res, err := k.client.Get(k.base + "/readyz")
		if err == nil {
			res.Body.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	k.t.Fatal("the server does not start")
}

func (k *killed) stop() {
	_ = k.cmd.Process.Kill()
	_ = k.cmd.Wait()
}

// call speaks JSON as the person; false means that no answer came.
func (k *killed) call(method, path, key string, in, out any) (int, bool) {
	body, err := json.Marshal(in)
	if err != nil {
		k.t.Error(err)
		return 0, false
	}
	req, err := http.NewRequestWithContext(context.Background(), method, k.base+path, bytes.NewReader(body))
	if err != nil {
		k.t.Error(err)
		return 0, false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-CSRF-Token", k.csrf)
	req.Header.Set("Idempotency-Key", key)
	req.Header.Set("Cookie", "__Host-huiqi-visitor="+k.visitor+"; __Host-huiqi="+k.session)
	res, err := k.client.Do(req)
	if err != nil {
		return 0, false
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, false
	}
	for _, c := range res.Cookies() {
		if c.Name == "__Host-huiqi" {
			k.session = c.Value
		}
	}
	if out != nil && res.StatusCode < 300 {
		if err := json.Unmarshal(raw, out); err != nil {
			return 0, false
		}
	}
	return res.StatusCode, true
}

func (k *killed) submit(key string) (int64, bool) {
	var out struct {
		ID int64 `json:"id"`
	}
	status, ok := k.call("POST", "/api/tickets", key, map[string]any{"type": k.kind, "title": key, "body": "门前路灯坏了三天", "source": "h5"}, &out)
	if ok && status >= 300 && status < 500 {
		k.t.Errorf("%s: status %d", key, status)
	}
	return out.ID, ok && status < 300
}

// register goes the way of a person: captcha, code from the sandbox's phone, registration.
func (k *killed) register(phone string) {
	k.t.Helper()
	k.visitor = "0123456789abcdef0123456789abcdef"
	var me struct {
		CSRFToken string `json:"csrfToken"`
	}
	k.call("GET", "/api/session", "", nil, &me)
	k.csrf = me.CSRFToken
	var captcha struct {
		ID string `json:"id"`
	}
	k.call("POST", "/api/captchas", "", nil, &captcha)
	var digits string
	if err := k.open().QueryRow("SELECT digits FROM captchas WHERE id = ?", captcha.ID).Scan(&digits); err != nil {
		k.t.Fatal(err)
	}
	status, _ := k.call("POST", "/api/sms-codes", "", map[string]any{"phone": phone, "purpose": "register", "captchaId": captcha.ID, "captchaAnswer": digits}, nil)
	if status != 200 {
		k.t.Fatalf("code: status %d", status)
	}
	code := ""
	for range 500 {
		res, err := k.client.Get(k.base + "/sandbox/api/phones/" + phone)
		if err == nil {
			b, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if m := regexp.MustCompile(`验证码是 (\d{6})`).FindSubmatch(b); m != nil {
				code = string(m[1])
				break
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	status, _ = k.call("POST", "/api/registrations", "", map[string]any{"phone": phone, "code": code, "companyName": "北京麦香烘焙有限公司", "contactName": "林晓梅", "consent": true}, &me)
	if status != 200 || k.session == "" {
		k.t.Fatalf("registration: status %d", status)
	}
	k.csrf = me.CSRFToken
	var types struct {
		Items []struct {
			Code string `json:"code"`
		} `json:"items"`
	}
	k.call("GET", "/api/ticket-types", "", nil, &types)
	if len(types.Items) == 0 {
		k.t.Fatal("no ticket types")
	}
	k.kind = types.Items[0].Code
}
