//go:build !race

// The processes are this test program itself, which has no main under the race detector; see kill_test.go.

package server

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/huiqi/huiqi/platform/secret"
)

// cluster is one installation of several processes.
type cluster struct {
	t    *testing.T
	h    *house // beside the processes, on the same database, for the test to look with
	db   *sql.DB
	conf string
	log  *os.File
}

// process is one of them.
type process struct {
	name, addr string
	cmd        *exec.Cmd
	done       chan error
}

// visitor is the browser's cookie of everybody in this test.
const visitor = "0123456789abcdef0123456789abcdef"

func freePort(t *testing.T) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	return l.Addr().String()
}

// startRedis starts a server of the test's own and returns its address and what kills it.
func startRedis(t *testing.T) (addr string, kill func()) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed; scripts/tools.sh installs it")
	}
	addr = freePort(t)
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	must(0, cmd.Start())(t)
	kill = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(kill)
	await(t, "redis answers", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return addr, kill
}

// await looks again and again; its deadline is met by a program that hangs only.
func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if there() {
			return
		}
	}
	t.Fatalf("still not: %s", what)
}

func (c *cluster) start(kind string) *process {
	c.t.Helper()
	p := &process{name: kind, addr: freePort(c.t)}
	c.run(p)
	return p
}

func (c *cluster) run(p *process) {
	c.t.Helper()
	args := []string{"worker", "--config", c.conf}
	env := append(os.Environ(), asServer+"=1")
	if p.name == "serve" {
		args = []string{"serve", "--config", c.conf, "--listen", p.addr}
		env = append(env, "HUIQI_JOBS__WORK=false")
	}
	p.cmd = exec.Command(os.Args[0], args...)
	p.cmd.Env, p.cmd.Stderr = env, c.log
	must(0, p.cmd.Start())(c.t)
	p.done = make(chan error, 1)
	go func() { p.done <- p.cmd.Wait() }()
	c.t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	if p.name == "serve" {
		await(c.t, "a serve is ready", func() bool {
			select {
			case err := <-p.done:
				c.t.Fatalf("a serve ended before it was ready: %v", err)
			default:
			}
			return isReady(p.addr)
		})
	}
}

func isReady(addr string) bool {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequest("GET", "http://"+addr+"/readyz", nil)
	if err != nil {
		return false
	}
	req.Header.Set("X-Real-IP", somewhere()) // a balancer asks more often than a visitor may
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func somewhere() string {
	return fmt.Sprintf("10.%d.%d.%d", rand.IntN(250), rand.IntN(250), rand.IntN(250))
}

// ask speaks to one address as the person of the session, each time from another address of the world.
func (c *cluster) ask(addr, method, path, session string, body any, out any, more ...string) (int, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, "http://"+addr+path, in)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", "__Host-huiqi-visitor="+visitor+"; __Host-huiqi="+session)
	key := session
	if key == "" {
		key = visitor
	}
	req.Header.Set("X-CSRF-Token", c.h.web.Token(key))
	req.Header.Set("X-Real-IP", somewhere())
	for i := 0; i < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	res, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	switch out := out.(type) {
	case nil:
	case *[]byte:
		*out = raw
	case *http.Header:
		*out = res.Header
	default:
		if res.StatusCode < 300 {
			return res.StatusCode, json.Unmarshal(raw, out)
		}
	}
	return res.StatusCode, nil
}

func (c *cluster) mustAsk(addr, method, path, session string, body any, out any, more ...string) {
	c.t.Helper()
	if status, err := c.ask(addr, method, path, session, body, out, more...); err != nil || status >= 300 {
		c.t.Fatalf("%s %s: %d, %v", method, path, status, err)
	}
}

// enter opens a session of a member of staff as a sign-in with both factors would have left it.
func (c *cluster) enter(account string) string {
	c.t.Helper()
	token, now := secret.Token(), time.Now().UTC()
	res := must(c.db.Exec("INSERT INTO sessions (token_hash, user_id, pending, ip, user_agent, created_at, seen_at, expires_at) SELECT $1, id, false, '', '', $2, $2, $3 FROM users WHERE account = $4",
		c.h.box.HashToken(token), now, now.Add(time.Hour), account))(c.t)
	if n, _ := res.RowsAffected(); n != 1 {
		c.t.Fatalf("there is no account %s", account)
	}
	return token
}

// register goes the way of a person at one process: captcha, code, registration. The code is read from the outbox.
func (c *cluster) register(addr, phone string) (session string) {
	c.t.Helper()
	var captcha struct{ ID string }
	c.mustAsk(addr, "POST", "/api/captchas", "", nil, &captcha)
	var digits, sealed string
	must(0, c.db.QueryRow("SELECT digits FROM captchas WHERE id = $1", captcha.ID).Scan(&digits))(c.t)
	c.mustAsk(addr, "POST", "/api/sms-codes", "", map[string]any{"phone": phone, "purpose": "register", "captchaId": captcha.ID, "captchaAnswer": digits}, nil)
	must(0, c.db.QueryRow("SELECT params FROM sms_messages ORDER BY id DESC LIMIT 1").Scan(&sealed))(c.t)
	plain := must(c.h.box.Open(sealed, "sms_messages.params"))(c.t)
	code := regexp.MustCompile(`\d{6}`).FindString(string(plain))
	var head http.Header
	c.mustAsk(addr, "POST", "/api/registrations", "", map[string]any{"phone": phone, "code": code, "companyName": "北京麦香烘焙有限公司", "contactName": "林晓梅", "consent": true}, &head)
	for _, ck := range (&http.Response{Header: head}).Cookies() {
		if ck.Name == "__Host-huiqi" {
			session = ck.Value
		}
	}
	if session == "" {
		c.t.Fatal("registered without a session")
	}
	return session
}

func (c *cluster) openTicket(addr, session, title string) int64 {
	c.t.Helper()
	var kind string
	must(0, c.db.QueryRow("SELECT code FROM ticket_types ORDER BY code LIMIT 1").Scan(&kind))(c.t)
	var v struct{ ID int64 }
	c.mustAsk(addr, "POST", "/api/tickets", session, map[string]any{"type": kind, "title": title, "body": "门前路灯坏了三天", "source": "h5"}, &v, "Idempotency-Key", title)
	return v.ID
}

// TestCluster runs two serve and two worker processes on one PostgreSQL and one Redis, as a district does, and takes from
// them what a bad day takes: a worker, the Redis, one serve after the other.
func TestCluster(t *testing.T) {
	t.Parallel()
	if os.Getenv("TEST_DATABASE_URL") == "" {
		t.Skip("TEST_DATABASE_URL names no PostgreSQL; scripts/with-postgres.sh starts one")
	}
	redisAddr, killRedis := startRedis(t)
	loaded := newDistrict(t)
	key := loaded.key
	db, demo := loaded.open(t)
	d := deskOf(t, db, demo, key, nil)
	dir := t.TempDir()
	conf := filepath.Join(dir, "huiqi.yaml")
	must(0, os.WriteFile(conf, fmt.Appendf(nil, `
data: %s
database: %q
public_url: https://hq.example.gov.cn
trusted_proxies: ["127.0.0.1"]
requests_per_minute: 240
drain_seconds: 1
first_admin_phone: "13800138000"
log_level: warn
secrets: {key: %q}
redis: {url: "redis://%s/0"}
jobs: {lease_seconds: 5}
sms: {access_key_id: id, access_key_secret: secret, sign_name: 惠企台, endpoint: "127.0.0.1:1", templates: {code: SMS_1}}
`, dir, db.URL(), key, redisAddr), 0o600))(t)
	logs := must(os.Create(filepath.Join(dir, "log")))(t)
	c := &cluster{t: t, h: d.house, db: must(sql.Open("pgx", db.URL()))(t), conf: conf, log: logs}
	t.Cleanup(func() {
		c.db.Close()
		logs.Close()
		if t.Failed() {
			b, _ := os.ReadFile(logs.Name())
			t.Logf("%s", b[max(0, len(b)-6000):])
		}
	})
	a, b := c.start("serve"), c.start("serve")
	first := c.start("worker")

	// sign in on one, used on the other
	owner := c.register(a.addr, "13800138031")
	ticketID := c.openTicket(b.addr, owner, "在另一个进程提交")

	// a change on one reaches a stream on the other, and what the person may not see does not
	s := (&desk{house: d.house, t: t, base: "http://" + a.addr}).stream(owner, "")
	var foreign int64
	heard := func(want int64) {
		t.Helper()
		for {
			m, ok := s.next()
			if !ok {
				t.Fatal("the stream ended")
			}
			if m.Name != "change" || m.Object != "ticket" {
				continue
			}
			if m.ID == foreign {
				t.Error("told of another person's ticket")
			}
			if m.ID == want { // one of the person's own that changed just before the stream was opened may come first
				return
			}
		}
	}
	if m, ok := s.next(); !ok || m.Name != "hello" {
		t.Fatalf("the stream begins with %+v", m)
	}
	other := c.register(b.addr, "13800138032")
	foreign = c.openTicket(b.addr, other, "别人的事")
	heard(c.openTicket(b.addr, owner, "从乙进程"))

	// a role loses a right on one and it counts on the other at once
	agent, security := c.enter("agent"), c.enter("secadmin")
	path := fmt.Sprintf("/api/tickets/%d", ticketID)
	c.mustAsk(b.addr, "GET", path, agent, nil, nil)
	var roles struct {
		Items []struct {
			Code    string
			Version int64
		}
	}
	c.mustAsk(a.addr, "GET", "/api/roles", security, nil, &roles)
	for _, r := range roles.Items {
		if r.Code == "agent" {
			c.mustAsk(a.addr, "POST", "/api/roles/agent/permissions", security, map[string]any{"version": r.Version, "permissions": []string{"ticket.open"}}, nil)
		}
	}
	if status, err := c.ask(b.addr, "GET", path, agent, nil, nil); err != nil || status < 400 {
		t.Errorf("after the right was taken away: %d, %v", status, err)
	}

	t.Run("requests of an address are counted together", func(t *testing.T) {
		began, passed := time.Now(), 0
		for i := range 300 {
			addr := []string{a.addr, b.addr}[i%2]
			status, err := c.ask(addr, "GET", "/api/session", "", nil, nil, "X-Real-IP", "203.0.113.99")
			if err != nil {
				t.Fatal(err)
			}
			if status == http.StatusOK {
				passed++
			} else if status != http.StatusTooManyRequests {
				t.Fatalf("status %d", status)
			}
		}
		// a quarter of a minute's at once, and four a second; apart, each process would have let as many pass
		if most := 60 + int(4*time.Since(began).Seconds()) + 2; passed > most {
			t.Errorf("%d requests passed, want at most %d", passed, most)
		}
	})

	t.Run("a killed worker's work is taken over", func(t *testing.T) { c.killWorker(a.addr, first) })
	second := c.start("worker")

	t.Run("rolling restart", func(t *testing.T) { c.rolling(owner, a, b) })

	// without Redis the site goes on, and streams are told a little later
	killRedis()
	s = (&desk{house: d.house, t: t, base: "http://" + a.addr}).stream(owner, "")
	if m, ok := s.next(); !ok || m.Name != "hello" {
		t.Fatalf("without Redis a stream begins with %+v", m)
	}
	heard(c.openTicket(b.addr, owner, "没有缓存也能办"))
	if status, err := c.ask(a.addr, "GET", "/api/session", owner, nil, nil); err != nil || status != 200 {
		t.Errorf("without Redis: %d, %v", status, err)
	}

	// each tick was worked once, by a worker: the claim, the unique tick and the attempts say so
	var ticks, again int
	var processes string
	await(t, "a task of the clock has run since", func() bool {
		must(0, c.db.QueryRow("SELECT count(*), coalesce(string_agg(DISTINCT process, ','), '') FROM task_runs WHERE trigger_kind = 'clock' AND state = 'done'").Scan(&ticks, &processes))(t)
		return ticks > 0
	})
	must(0, c.db.QueryRow("SELECT count(*) FROM (SELECT task, tick FROM task_runs WHERE trigger_kind = 'clock' GROUP BY task, tick HAVING count(*) > 1) AS x").Scan(&again))(t)
	if again != 0 {
		t.Errorf("%d ticks have more than one run", again)
	}
	for _, p := range []*process{a, b} {
		if strings.Contains(processes, fmt.Sprintf("/%d", p.cmd.Process.Pid)) {
			t.Errorf("a serve that should not work did: %s", processes)
		}
	}
	t.Logf("%d runs by %s", ticks, processes)

	// an ordered end: the stream is told, and the processes end without a complaint
	for _, p := range []*process{a, b, second} {
		must(0, p.cmd.Process.Signal(syscall.SIGTERM))(t)
	}
	for {
		m, ok := s.next()
		if !ok {
			t.Error("the stream ended without a word")
			break
		}
		if m.Name == "bye" {
			if m.Reason != "restart" {
				t.Errorf("the stream ended because of %q", m.Reason)
			}
			break
		}
	}
	for _, p := range []*process{a, b, second} {
		if err := <-p.done; err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}

// killWorker kills the only worker in the middle of an export; one that is started then finishes it, with each row once.
func (c *cluster) killWorker(addr string, only *process) {
	t := c.t
	const rows = 60_000
	must(c.db.Exec(`INSERT INTO enterprises (name, verification, created_at, legal_person, version, asked_on, asked)
		SELECT '大批企业' || i, 'unverified', '2026-01-01 00:00:00+00', '', 1, '', 0 FROM generate_series(1, $1) AS i`, rows))(t)
	operator := c.enter("operator01")
	var w work
	c.mustAsk(addr, "POST", "/api/exports", operator, map[string]any{"source": "enterprises", "format": "csv", "purpose": "断电演练", "columns": []string{"name", "creditCode"}}, &w, "Idempotency-Key", "export")
	path := fmt.Sprintf("/api/exports/%d", w.ID)
	look := func() {
		if _, err := c.ask(addr, "GET", path, operator, nil, &w); err != nil {
			t.Fatal(err)
		}
		if w.State == "failed" {
			t.Fatalf("the export failed: %+v", w)
		}
	}
	await(t, "the export runs", func() bool { look(); return w.State == "running" || w.State == "done" })
	must(0, only.cmd.Process.Kill())(t)
	<-only.done
	if look(); w.State == "done" {
		t.Fatal("done before the worker could be killed")
	}
	killed := time.Now()
	*only = *c.start("worker")
	await(t, "another worker finished the export", func() bool { look(); return w.State == "done" })
	took := time.Since(killed)
	if t.Logf("taken over and finished %v after the kill", took.Round(time.Millisecond)); took > 90*time.Second {
		t.Errorf("taken over after %v, want 90 s at most", took)
	}
	var raw []byte
	c.mustAsk(addr, "GET", path+"/file", operator, nil, &raw)
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	seen := map[string]bool{}
	for _, l := range must(r.ReadAll())(t) {
		if name := l[0]; strings.HasPrefix(name, "大批企业") {
			if seen[name] {
				t.Fatalf("%s twice", name)
			}
			seen[name] = true
		}
	}
	if len(seen) != rows {
		t.Errorf("%d of %d rows", len(seen), rows)
	}
}

// balancer is what stands before the serve processes: it sends requests to those that are ready, and tries another one
// only when a connection is refused.
type balancer struct {
	addrs  []string
	ready  [2]atomic.Bool
	turn   atomic.Int64
	client *http.Transport
}

func (l *balancer) watch(ctx context.Context) {
	for ctx.Err() == nil {
		for i, addr := range l.addrs {
			l.ready[i].Store(isReady(addr))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// ServeHTTP passes the request on.
func (l *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	for range 200 {
		i := int(l.turn.Add(1)) % len(l.addrs)
		if !l.ready[i].Load() {
			time.Sleep(time.Millisecond)
			continue
		}
		out := r.Clone(r.Context())
		// no GetBody: the transport must not send a change twice by itself
		out.URL.Scheme, out.URL.Host, out.RequestURI, out.Body, out.GetBody = "http", l.addrs[i], "", io.NopCloser(bytes.NewReader(body)), nil
		res, err := l.client.RoundTrip(out)
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
		return
	}
	http.Error(w, "no process is ready", http.StatusBadGateway)
}

// rolling restarts one serve after the other while eight people work, of whom none notices.
func (c *cluster) rolling(session string, serves ...*process) {
	t := c.t
	ctx, stop := context.WithCancel(context.Background())
	l := &balancer{addrs: []string{serves[0].addr, serves[1].addr}, client: &http.Transport{MaxIdleConnsPerHost: 16}}
	for i := range l.ready {
		l.ready[i].Store(true)
	}
	var background sync.WaitGroup
	background.Go(func() { l.watch(ctx) })
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	front := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second}
	background.Go(func() { _ = front.Serve(listener) })
	var kind string
	must(0, c.db.QueryRow("SELECT code FROM ticket_types ORDER BY code LIMIT 1").Scan(&kind))(t)
	addr := listener.Addr().String()
	var people sync.WaitGroup
	var answered, failed atomic.Int64
	leave := make(chan struct{})
	for n := range 8 {
		people.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-leave:
					return
				default:
				}
				method, path, body := "GET", "/api/tickets", any(nil)
				if i%2 == 1 {
					method, body = "POST", map[string]any{"type": kind, "title": fmt.Sprintf("滚动-%d-%d", n, i), "body": "门前路灯坏了三天", "source": "h5"}
				}
				status, err := c.ask(addr, method, path, session, body, nil, "Idempotency-Key", fmt.Sprintf("roll-%d-%d", n, i))
				answered.Add(1)
				if err != nil || status >= 300 {
					failed.Add(1)
					t.Errorf("person %d: %s %s: %d, %v", n, method, path, status, err)
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	for i, p := range serves {
		await(t, "both are ready", func() bool { return l.ready[0].Load() && l.ready[1].Load() })
		before := answered.Load()
		must(0, p.cmd.Process.Signal(syscall.SIGTERM))(t)
		if err := <-p.done; err != nil {
			t.Errorf("serve %d ended with %v", i, err)
		}
		c.run(p)
		await(t, "people worked on", func() bool { return answered.Load() > before+20 || failed.Load() > 0 })
	}
	close(leave)
	people.Wait()
	stop()
	front.Close()
	background.Wait()
	t.Logf("%d requests answered during the restart of both, %d failed", answered.Load(), failed.Load())
}

// TestWorkerNeedsPostgres: on the embedded database there is nothing to share.
func TestWorkerNeedsPostgres(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if code := Main([]string{"worker", "--data", dir, "--config", workerConfig(t, dir, "")}, &out, &errs); code != 2 || !strings.Contains(errs.String(), "使用内嵌数据库") {
		t.Errorf("worker: %d %s", code, errs.String())
	}
	errs.Reset()
	if code := Main([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--config", workerConfig(t, dir, "jobs: {work: false}\n")}, &out, &errs); code != 2 || !strings.Contains(errs.String(), "jobs.work") {
		t.Errorf("serve without work: %d %s", code, errs.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "huiqi.db")); err == nil {
		t.Error("a refused start left a database")
	}
}

func workerConfig(t *testing.T, dir, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "huiqi.yaml")
	must(0, os.WriteFile(file, fmt.Appendf(nil, "data: %s\npublic_url: https://hq.example.gov.cn\nsecrets: {key: %q}\n%s"+
		"sms: {access_key_id: id, access_key_secret: secret, sign_name: 惠企台, templates: {code: SMS_1}}\n", dir, secret.NewKey(), more), 0o600))(t)
	return file
}
