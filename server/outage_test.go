//go:build !race && unix

package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/database"
)

// cable is the line between the product and PostgreSQL: it can be made slow, and cut.
type cable struct {
	net.Listener
	to    string
	delay atomic.Int64 // of each piece, either way
	mu    sync.Mutex
	ends  []net.Conn
}

func newCable(t *testing.T, to string) *cable {
	c := &cable{Listener: must(net.Listen("tcp", "127.0.0.1:0"))(t), to: to}
	t.Cleanup(func() {
		c.Close()
		c.cut()
	})
	go func() {
		for {
			a, err := c.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", c.to)
			if err != nil {
				a.Close()
				continue
			}
			c.mu.Lock()
			c.ends = append(c.ends, a, b)
			c.mu.Unlock()
			go c.carry(a, b)
			go c.carry(b, a)
		}
	}()
	return c
}

func (c *cable) carry(to, from net.Conn) {
	defer to.Close()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			time.Sleep(time.Duration(c.delay.Load()))
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut breaks every connection there is.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range c.ends {
		end.Close()
	}
	c.ends = nil
}

// TestPostgresGone takes PostgreSQL away in every way a night brings: stopped, killed, frozen, slow, its lines cut. Nobody
// waits for ever, nobody is told a thing was saved that was not, what was acknowledged is there, and the product goes on by
// itself.
func TestPostgresGone(t *testing.T) {
	t.Parallel()
	p := newPostgres(t)
	data := filepath.Join(p.dir, "db")
	p.tool("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
	address := must(url.Parse(p.start(data)))(t)
	port := address.Port()
	line := newCable(t, "127.0.0.1:"+port)
	address.Host = line.Addr().String()
	ctx := context.Background()
	db := must(database.Open(ctx, address.String()))(t)
	t.Cleanup(func() { db.Close() })
	must(0, database.Migrate(ctx, db, Migrations()))(t)
	d := newDesk(t, db, t.TempDir(), nil)
	kind := must(d.tickets.Types(ctx, must(d.identity.Authenticate(ctx, d.session))(t)))(t)[0].Code
	patient := &http.Client{Timeout: time.Minute}
	sent := 0
	submit := func(key string) (int, http.Header, string) {
		sent++
		body := fmt.Sprintf(`{"type":"%s","title":"路灯不亮 %s","body":"门前路灯坏了三天","source":"h5"}`, kind, key)
		req := must(http.NewRequestWithContext(ctx, "POST", d.base+"/api/tickets", strings.NewReader(body)))(t)
		req.Header = d.header(d.session)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
		res, err := patient.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		defer res.Body.Close()
		return res.StatusCode, res.Header, string(must(io.ReadAll(res.Body))(t))
	}
	acknowledged := map[string]bool{}
	works := func(when, key string) {
		t.Helper()
		status, _, said := submit(key)
		for end := time.Now().Add(30 * time.Second); status == 503 && time.Now().Before(end); { // what a 503 asks for: again, with the same key
			time.Sleep(200 * time.Millisecond)
			status, _, said = submit(key)
		}
		if status != 200 {
			t.Fatalf("%s: %d %s", when, status, said)
		}
		acknowledged[key] = true
	}
	// down sends a read and a write while the database is away.
	down := func(when string) {
		t.Helper()
		for _, path := range []string{"/api/tickets", "/readyz"} {
			a := d.ask("GET", path, d.session, nil)
			if a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(a.Detail, "稍后") {
				t.Errorf("%s: GET %s: %d %s %s", when, path, a.status, a.header.Get("Retry-After"), a.body)
			}
		}
		key := "down-" + strconv.Itoa(sent)
		if status, h, said := submit(key); status != 503 || h.Get("Retry-After") == "" || !strings.Contains(said, "稍后") {
			t.Errorf("%s: submit: %d %s", when, status, said)
		}
		// a person gets a page that says so, and the balancer hears that the process lives
		if a := d.ask("GET", "/login", "", nil, "Cookie", "", "Accept", "text/html"); a.status != 503 || !strings.Contains(string(a.body), "</html>") || !strings.Contains(string(a.body), "请稍后重试") {
			t.Errorf("%s: GET /login: %d %s", when, a.status, a.body)
		}
		if a := d.ask("GET", "/healthz", "", nil, "Cookie", ""); a.status != 200 {
			t.Errorf("%s: GET /healthz: %d %s", when, a.status, a.body)
		}
		t.Logf("%s: told", when)
	}
	// back waits until the product has found the database again, without being told.
	back := func(when string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
			if a := d.ask("GET", "/readyz", "", nil); a.status == 200 {
				t.Logf("%s: ready", when)
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: not ready after a minute", when)
			}
		}
	}
	again := func() {
		p.must(filepath.Join(p.bin, "pg_ctl"), "-D", data, "-w", "-t", "120", "-l", filepath.Join(p.dir, "db.log"), "restart")
	}

	works("before", "before")
	for _, mode := range []string{"fast", "immediate"} {
		p.must(filepath.Join(p.bin, "pg_ctl"), "-D", data, "-m", mode, "-w", "stop")
		down("stopped, " + mode)
		again()
		back("started again, " + mode)
		works("after a stop, "+mode, "after-"+mode)
	}

	// frozen: the kernel keeps its connections open, and nothing answers
	pids := serverProcesses(t, data)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	down("frozen")
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	back("thawed")
	works("after the frost", "after-frost")

	// slow beyond use, and well again
	line.delay.Store(int64(3 * time.Second))
	down("slow")
	line.delay.Store(0)
	back("fast again")
	works("after the slowness", "after-slow")

	// each line cut while people work: they get an answer, and one that is true
	var wg sync.WaitGroup
	var mu sync.Mutex
	unsure := map[string]bool{}
	for n := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range 20 {
				key := fmt.Sprintf("cut-%d-%d", n, i)
				body := fmt.Sprintf(`{"type":"%s","title":"路灯不亮 %s","body":"门前路灯坏了三天","source":"h5"}`, kind, key)
				a := d.ask("POST", "/api/tickets", d.session, strings.NewReader(body), "Content-Type", "application/json", "Idempotency-Key", key)
				mu.Lock()
				switch {
				case a.status == 200:
					acknowledged[key] = true
				case a.status == 503 && a.Code == "OUTCOME_UNKNOWN":
					unsure[key] = true
				case a.status != 503:
					t.Errorf("%s: %d %s", key, a.status, a.body)
				}
				mu.Unlock()
			}
		}()
	}
	for range 5 {
		time.Sleep(50 * time.Millisecond)
		line.cut()
	}
	wg.Wait()
	back("after the cuts")
	for key := range unsure { // the same key again tells how it ended, and does it once at most
		if status, _, said := submit(key); status != 200 {
			t.Errorf("%s again: %d %s", key, status, said)
		}
		acknowledged[key] = true
	}
	t.Logf("%d acknowledged, %d of them uncertain at first", len(acknowledged), len(unsure))

	var titles []string
	must(0, db.Read().NewSelect().TableExpr("tickets").Column("title").Scan(ctx, &titles))(t)
	found := map[string]int{}
	for _, title := range titles {
		found[strings.TrimPrefix(title, "路灯不亮 ")]++
	}
	for key := range acknowledged {
		if found[key] != 1 {
			t.Errorf("%s was acknowledged and is there %d times", key, found[key])
		}
		delete(found, key)
	}
	for key, n := range found {
		t.Errorf("%s was refused and is there %d times", key, n)
	}
	if s := db.Read().Stats(); s.InUse != 0 {
		t.Errorf("%d connections are still held", s.InUse)
	}
}

// serverProcesses are the processes of the PostgreSQL server in data.
func serverProcesses(t *testing.T, data string) []int {
	t.Helper()
	first := strings.SplitN(string(must(os.ReadFile(filepath.Join(data, "postmaster.pid")))(t)), "\n", 2)[0]
	pids := []int{must(strconv.Atoi(first))(t)}
	entries := must(os.ReadDir("/proc"))(t)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == first {
			pids = append(pids, pid)
		}
	}
	return pids
}
