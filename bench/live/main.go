// Command live measures open streams: it starts the built program on the demo district as a process of its own, opens
// STREAMS (10000) connections to it, has people submit tickets at a steady rate, and prints one JSON line a figure: what
// was missed, what the connections cost, and what other requests take with and without them. `make bench-live`.
//
// Both processes need 10,100 open files: ulimit -n. Client and server share the machine.
package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite"

	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
)

const (
	perSecond = 50 // tickets submitted
	span      = 30 * time.Second
	calm      = 15 * time.Second // of the measurement without streams
	writers   = 100              // people who submit; every stream is one of theirs or an agent's
	agents    = 100              // streams that see everything
	visitor   = "0123456789abcdef0123456789abcdef"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func emit(name, size string, value float64, unit string) {
	b, _ := json.Marshal(map[string]any{"bench": name, "size": size, "value": value, "unit": unit})
	fmt.Println(string(b))
}

type site struct {
	dir, addr string
	cmd       *exec.Cmd
	box       *secret.Box
}

// stream is one open connection and what it was told.
type stream struct {
	user   int // index of the writer; -1 for an agent
	conn   net.Conn
	told   atomic.Int64
	hello  chan struct{}
	broken atomic.Bool
}

func run() error {
	streams := 10_000
	if s := os.Getenv("STREAMS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			return errors.New("STREAMS is not a number")
		}
		streams = n
	}
	dir, err := os.MkdirTemp("", "huiqi-bench-live-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &site{dir: dir, addr: "127.0.0.1:" + strconv.Itoa(19270)}
	if err := s.start(); err != nil {
		return err
	}
	defer s.stop()
	tokens, err := s.people(streams)
	if err != nil {
		return err
	}
	size := fmt.Sprintf("%d streams", streams)

	rest, err := s.resident()
	if err != nil {
		return err
	}
	emit("live.rest", "0 streams", rest, "MiB resident before")
	w := s.write(tokens.writers, calm)
	p50, p95, n, err := s.others(tokens.agent, calm)
	if err != nil {
		return err
	}
	if _, err := w(); err != nil {
		return err
	}
	emit("live.others.p50", "0 streams", p50, fmt.Sprintf("ms of %d requests to lists, pages and the session, %d tickets/s beside them", n, perSecond))
	emit("live.others.p95", "0 streams", p95, "ms")

	if err := s.idle(tokens.agent, streams); err != nil {
		return err
	}
	if rest, err = s.resident(); err != nil { // what the streams cost is counted from here
		return err
	}
	began := time.Now()
	open, err := s.open(tokens, streams)
	if err != nil {
		return err
	}
	emit("live.open", size, time.Since(began).Seconds(), "s until all had their first message")
	held, err := s.resident()
	if err != nil {
		return err
	}
	emit("live.each", size, (held-rest)*1024/float64(streams), "KiB resident a stream")

	w = s.write(tokens.writers, span)
	p50, p95, n, err = s.others(tokens.agent, span)
	if err != nil {
		return err
	}
	written, err := w()
	if err != nil {
		return err
	}
	total := 0
	for _, n := range written {
		total += n
	}
	missed, surplus, broken := settle(open, written, total)
	busy, err := s.resident()
	if err != nil {
		return err
	}
	told := int64(0)
	for _, o := range open {
		told += o.told.Load()
	}
	emit("live.written", size, float64(total), fmt.Sprintf("tickets in %v", span))
	emit("live.told", size, float64(told), "messages")
	emit("live.missed", size, float64(missed), "messages that should have come and did not")
	emit("live.surplus", size, float64(surplus), "messages too many")
	emit("live.broken", size, float64(broken), "streams broken")
	emit("live.busy", size, busy, "MiB resident at the end")
	emit("live.others.p50", size, p50, fmt.Sprintf("ms of %d requests", n))
	emit("live.others.p95", size, p95, "ms")
	return nil
}

func (s *site) start() error {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = exec.Command("bin/huiqi", "serve", "--demo", "--data", filepath.Join(s.dir, "data"), "--listen", s.addr) // #nosec G204 -- a measuring program run by its developer
	s.cmd.Env = append(os.Environ(), "HUIQI_REQUESTS_PER_MINUTE=100000000", "HUIQI_LOG_LEVEL=warn")
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start bin/huiqi (make build makes it): %w", err)
	}
	for range 3000 {
		if res, err := http.Get("http://" + s.addr + "/readyz"); err == nil {
			res.Body.Close()
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("the server does not start")
}

func (s *site) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

type people struct {
	writers []person
	agent   string
	streams []string // a session for each stream: the writers' in turn, the agents' at the end
}

type person struct {
	token, csrf, kind string
}

// people opens the sessions, as sign-ins would have left them: of people with a company, and of an agent.
func (s *site) people(streams int) (people, error) {
	var p people
	raw, err := os.ReadFile(filepath.Join(s.dir, "data", "demo.json"))
	if err != nil {
		return p, err
	}
	var d struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return p, err
	}
	root, err := secret.ParseKey(d.Key)
	if err != nil {
		return p, err
	}
	if s.box, err = secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: "gm"}); err != nil {
		return p, err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "data", "huiqi.db")+"?_pragma=busy_timeout(20000)&_time_format=sqlite")
	if err != nil {
		return p, err
	}
	defer db.Close()
	rows, err := db.Query("SELECT min(id) FROM users WHERE party = 'enterprise' AND enterprise_id IS NOT NULL AND disabled_at IS NULL GROUP BY enterprise_id ORDER BY 1 LIMIT ?", writers)
	if err != nil {
		return p, err
	}
	var users []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return p, err
		}
		users = append(users, id)
	}
	if err := rows.Err(); err != nil || len(users) == 0 {
		return p, fmt.Errorf("the people of the demo: %d, %w", len(users), err)
	}
	var agent int64
	var kind string
	if err := db.QueryRow("SELECT id FROM users WHERE account = 'agent'").Scan(&agent); err != nil {
		return p, err
	}
	if err := db.QueryRow("SELECT code FROM ticket_types ORDER BY code LIMIT 1").Scan(&kind); err != nil {
		return p, err
	}
	tx, err := db.Begin()
	if err != nil {
		return p, err
	}
	now := time.Now().UTC()
	begin := func(user int64) (string, error) {
		token := secret.Token()
		_, err := tx.Exec("INSERT INTO sessions (token_hash, user_id, pending, ip, user_agent, created_at, seen_at, expires_at) VALUES (?, ?, 0, '', '', ?, ?, ?)",
			s.box.HashToken(token), user, now, now, now.Add(time.Hour))
		return token, err
	}
	for i := range streams {
		user := users[i%len(users)]
		if i >= streams-agents {
			user = agent
		}
		token, err := begin(user)
		if err != nil {
			return p, err
		}
		p.streams = append(p.streams, token)
	}
	for _, u := range users {
		token, err := begin(u)
		if err != nil {
			return p, err
		}
		p.writers = append(p.writers, person{token: token, kind: kind})
	}
	if p.agent, err = begin(agent); err != nil {
		return p, err
	}
	if err := tx.Commit(); err != nil {
		return p, err
	}
	for i := range p.writers {
		var me struct {
			CSRFToken string `json:"csrfToken"`
		}
		if err := s.get("/api/session", p.writers[i].token, &me); err != nil {
			return p, err
		}
		p.writers[i].csrf = me.CSRFToken
	}
	return p, nil
}

var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

func (s *site) get(path, token string, out any) error {
	req, err := http.NewRequest("GET", "http://"+s.addr+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Cookie", "__Host-huiqi-visitor="+visitor+"; __Host-huiqi="+token)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != 200 {
		return fmt.Errorf("%s: %d %s", path, res.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// write has people submit tickets for a while, at a rate that does not depend on the answers. What it returns waits for
// the end and says how many each submitted.
func (s *site) write(by []person, d time.Duration) func() ([]int, error) {
	counts := make([]atomic.Int64, len(by))
	var failed atomic.Value
	var all sync.WaitGroup
	all.Go(func() {
		tick := time.NewTicker(time.Second / perSecond)
		defer tick.Stop()
		for i := range int(d.Seconds() * perSecond) {
			<-tick.C
			all.Go(func() {
				n := i % len(by)
				if err := s.submit(by[n], i); err != nil {
					failed.Store(err)
					return
				}
				counts[n].Add(1)
			})
		}
	})
	return func() ([]int, error) {
		all.Wait()
		out := make([]int, len(by))
		for i := range counts {
			out[i] = int(counts[i].Load())
		}
		err, _ := failed.Load().(error)
		return out, err
	}
}

func (s *site) submit(p person, i int) error {
	b, _ := json.Marshal(map[string]any{"type": p.kind, "title": fmt.Sprintf("门口路灯不亮第 %d 次", i), "body": "新华西街门前路灯坏了三天", "source": "h5"})
	req, err := http.NewRequest("POST", "http://"+s.addr+"/api/tickets", bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", "__Host-huiqi-visitor="+visitor+"; __Host-huiqi="+p.token)
	req.Header.Set("X-CSRF-Token", p.csrf)
	req.Header.Set("Idempotency-Key", secret.Token())
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("submit: %d %s", res.StatusCode, raw)
	}
	return err
}

// others asks for what people look at, 20 times a second, and returns p50 and p95 in milliseconds.
func (s *site) others(agent string, d time.Duration) (p50, p95 float64, n int, err error) {
	var mu sync.Mutex
	var took []float64
	var all sync.WaitGroup
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := range int(d / (50 * time.Millisecond)) {
		<-tick.C
		all.Go(func() {
			began := time.Now()
			e := s.get([]string{"/api/tickets?limit=20", "/", "/api/session", "/products"}[i%4], agent, map[bool]any{true: &struct{}{}, false: nil}[i%2 == 0])
			mu.Lock()
			defer mu.Unlock()
			took = append(took, float64(time.Since(began).Microseconds())/1000)
			if e != nil {
				err = e
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*95/100], len(took), err
}

// open opens the streams, from several addresses of the loopback so that ports do not run short.
func (s *site) open(p people, n int) ([]*stream, error) {
	open := make([]*stream, n)
	var all sync.WaitGroup
	var failed atomic.Value
	next := make(chan int)
	for range 32 {
		all.Go(func() {
			for i := range next {
				o := &stream{user: i % len(p.writers), hello: make(chan struct{})}
				if i >= n-agents {
					o.user = -1
				}
				open[i] = o
				if err := s.connect(o, p.streams[i], i); err != nil {
					failed.Store(err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	if err, ok := failed.Load().(error); ok {
		return nil, err
	}
	for _, o := range open {
		select {
		case <-o.hello:
		case <-time.After(time.Minute):
			return nil, errors.New("a stream has no first message")
		}
	}
	return open, nil
}

// idle opens connections on which nothing comes, asks for what people look at meanwhile, and waits until the server has cut
// them all: F-24.
func (s *site) idle(agent string, n int) error {
	size := fmt.Sprintf("%d idle", n)
	var mu sync.Mutex
	var held []float64
	var all sync.WaitGroup
	for i := range n {
		conn, err := s.dial(i)
		if err != nil {
			return err
		}
		opened := time.Now()
		all.Go(func() {
			_ = conn.SetReadDeadline(opened.Add(3 * web.RequestTime))
			_, err := conn.Read(make([]byte, 1))
			_ = conn.Close()
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			held = append(held, time.Since(opened).Seconds())
		})
	}
	p50, p95, asked, err := s.others(agent, calm)
	all.Wait()
	if err != nil {
		return err
	}
	emit("live.others.p50", size, p50, fmt.Sprintf("ms of %d requests", asked))
	emit("live.others.p95", size, p95, "ms")
	emit("live.idle.cut", size, float64(len(held)), "idle connections that the server cut")
	if len(held) > 0 {
		emit("live.idle.longest", size, slices.Max(held), fmt.Sprintf("s until the last was cut; the limit is %v", web.RequestTime))
	}
	return nil
}

func (s *site) dial(i int) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%8))}}
	return d.DialContext(context.Background(), "tcp", s.addr)
}

func (s *site) connect(o *stream, token string, i int) error {
	conn, err := s.dial(i)
	if err != nil {
		return err
	}
	o.conn = conn
	_, err = fmt.Fprintf(conn, "GET /api/live HTTP/1.1\r\nHost: %s\r\nCookie: __Host-huiqi-visitor=%s; __Host-huiqi=%s\r\n\r\n", s.addr, visitor, token)
	if err != nil {
		return err
	}
	go o.read()
	return nil
}

func (o *stream) read() {
	in := bufio.NewReaderSize(o.conn, 1024)
	said := false
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			o.broken.Store(true)
			return
		}
		switch text := strings.TrimSpace(string(line)); {
		case strings.HasPrefix(text, `data: {"object":"ticket"`): // agents are told of their messages, too
			o.told.Add(1)
		case text == "event: hello" && !said:
			said = true
			close(o.hello)
		case text == "event: bye", text == "event: resync":
			o.broken.Store(true)
		}
	}
}

// settle waits for the last messages and compares.
func settle(open []*stream, written []int, total int) (missed, surplus int64, broken int) {
	for range 100 {
		missed, surplus, broken = 0, 0, 0
		for _, o := range open {
			want := int64(total)
			if o.user >= 0 {
				want = int64(written[o.user])
			}
			if d := want - o.told.Load(); d > 0 {
				missed += d
			} else {
				surplus -= d
			}
			if o.broken.Load() {
				broken++
			}
		}
		if missed == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return missed, surplus, broken
}

// resident is the server's memory in MiB.
func (s *site) resident() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(f[1], 64)
			return kib / 1024, err
		}
	}
	return 0, errors.New("no VmRSS")
}
