// Command bench measures the built program on the demo district and prints one JSON line a figure, beside the floor of
// the same run: `make bench`, ONLY=name,name for some of them.
//
// Client and server share the machine: read the ratios (ours ÷ floor), not the absolute numbers.
package main

import (
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
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/huiqi/huiqi/bench/floor"
)

// clients and span are the load of one HTTP figure: closed loop, each client sends when it has its answer.
const (
	clients = 64
	span    = 5 * time.Second
)

type figure struct {
	Bench string   `json:"bench"`
	Size  string   `json:"size"`
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Floor *float64 `json:"floor,omitempty"`
	Ratio *float64 `json:"ratio,omitempty"`
	P99   float64  `json:"p99Milliseconds,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "huiqi-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &server{dir: dir}
	if err := s.start(); err != nil {
		return err
	}
	defer s.stop()
	if err := s.register(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	floorBase := "http://" + l.Addr().String()
	go func() {
		if err := floor.Serve(ctx, l, dir); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "floor:", err)
		}
	}()
	body := func(n int64) []byte {
		b, _ := json.Marshal(map[string]any{"type": s.kind, "title": fmt.Sprintf("门口路灯不亮第 %d 次", n), "body": strings.Repeat("新华西街门前路灯坏了三天，晚上顾客不敢进店。", 5), "source": "h5"})
		return b
	}
	for _, b := range []struct{ name, method, path, floor string }{
		{"ticket.open", "POST", "/api/tickets", "/tickets"},
		{"ticket.list", "GET", "/api/tickets", "/tickets"},
		{"portal.home", "GET", "/", "/page"},
		{"portal.products", "GET", "/products", "/page"},
	} {
		if !wanted(b.name) {
			continue
		}
		ours, p99, err := load(s.base+b.path, b.method, s.cookie, s.csrf, body)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		least, _, err := load(floorBase+b.floor, b.method, "", "", body)
		if err != nil {
			return fmt.Errorf("floor of %s: %w", b.name, err)
		}
		ratio := ours / least
		emit(figure{Bench: b.name, Size: "demo", Value: ours, Unit: "requests/s", Floor: &least, Ratio: &ratio, P99: p99})
	}
	if wanted("search_tickets") {
		if err := s.call("POST", "/api/tickets", json.RawMessage(body(0)), nil); err != nil { // the one the others are made after
			return err
		}
		if err := searchTickets(ctx, s); err != nil {
			return fmt.Errorf("search_tickets: %w", err)
		}
	}
	if wanted("start") || wanted("rest") {
		s.stop()
		began := time.Now()
		if err := s.start(); err != nil {
			return err
		}
		if wanted("start") {
			emit(figure{Bench: "start", Size: "demo", Value: time.Since(began).Seconds(), Unit: "s from start to ready on the seeded data"})
		}
		time.Sleep(3 * time.Second)
		if wanted("rest") {
			mib, err := s.resident()
			if err != nil {
				return err
			}
			emit(figure{Bench: "rest", Size: "demo", Value: mib, Unit: "MiB resident at rest"})
		}
	}
	return nil
}

func wanted(name string) bool {
	only := os.Getenv("ONLY")
	return only == "" || slices.Contains(strings.Split(only, ","), name)
}

func emit(f figure) { _ = json.NewEncoder(os.Stdout).Encode(f) }

// load sends requests from all clients for the span and returns how many were answered a second, and the 99th percentile
// in milliseconds. Any answer but a success ends it.
func load(url, method, cookie, csrf string, body func(int64) []byte) (perSecond, p99 float64, err error) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), span)
	defer cancel()
	var mu sync.Mutex
	var times []time.Duration
	var n atomic.Int64
	var wg sync.WaitGroup
	var failure error
	began := time.Now()
	for range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for ctx.Err() == nil {
				var r io.Reader
				if method == http.MethodPost {
					r = bytes.NewReader(body(n.Add(1)))
				}
				req, err := http.NewRequest(method, url, r)
				if err != nil {
					panic(err)
				}
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Cookie", cookie)
				req.Header.Set("X-CSRF-Token", csrf)
				at := time.Now()
				res, err := client.Do(req)
				if err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
					if res.StatusCode >= 300 {
						err = fmt.Errorf("status %d", res.StatusCode)
					}
				}
				mu.Lock()
				times = append(times, time.Since(at))
				if err != nil {
					failure = err
					cancel()
				}
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	if failure != nil {
		return 0, 0, failure
	}
	took := time.Since(began).Seconds()
	slices.Sort(times)
	return float64(len(times)) / took, float64(times[len(times)*99/100].Microseconds()) / 1000, nil
}

// server is the built program on a demo of its own.
type server struct {
	dir, base, addr    string
	cmd                *exec.Cmd
	cookie, csrf, kind string
}

func (s *server) start() error {
	if s.addr == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.addr = l.Addr().String()
		s.base = "http://" + s.addr
		_ = l.Close()
	}
	// #nosec G204 -- runs the built program with settings of its own
	s.cmd = exec.Command("bin/huiqi", "serve", "--demo", "--data", filepath.Join(s.dir, "demo"), "--listen", s.addr, "--public-url", s.base)
	s.cmd.Env = append(os.Environ(), "HUIQI_REQUESTS_PER_MINUTE=100000000", "HUIQI_LOG_LEVEL=error")
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for range 6000 {
		if res, err := http.Get(s.base + "/readyz"); err == nil {
			_ = res.Body.Close()
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("the server does not start")
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

// resident is the memory of the server alone, without the sandbox process of the demo.
func (s *server) resident() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		return 0, errors.New("no VmRSS")
	}
	kb, err := strconv.ParseFloat(string(m[1]), 64)
	return kb / 1024, err
}

func (s *server) call(method, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, s.base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cookie", s.cookie)
	req.Header.Set("X-CSRF-Token", s.csrf)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(res.Body)
		return fmt.Errorf("%s %s: status %d %s", method, path, res.StatusCode, text)
	}
	for _, c := range res.Cookies() {
		if c.Name == "__Host-huiqi" {
			s.cookie = visitor + "; __Host-huiqi=" + c.Value
		}
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

const visitor = "__Host-huiqi-visitor=0123456789abcdef0123456789abcdef"

// register signs a person up the way people do, with the captcha read from the database and the code from the sandbox.
func (s *server) register() error {
	s.cookie = visitor
	var me struct {
		CSRFToken string `json:"csrfToken"`
	}
	if err := s.call("GET", "/api/session", nil, &me); err != nil {
		return err
	}
	s.csrf = me.CSRFToken
	var captcha struct {
		ID string `json:"id"`
	}
	if err := s.call("POST", "/api/captchas", nil, &captcha); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "demo", "huiqi.db")+"?_pragma=query_only(1)")
	if err != nil {
		return err
	}
	defer db.Close()
	var digits string
	if err := db.QueryRow("SELECT digits FROM captchas WHERE id = ?", captcha.ID).Scan(&digits); err != nil {
		return err
	}
	const phone = "13800138077"
	if err := s.call("POST", "/api/sms-codes", map[string]any{"phone": phone, "purpose": "register", "captchaId": captcha.ID, "captchaAnswer": digits}, nil); err != nil {
		return err
	}
	code := ""
	for range 500 {
		var p struct {
			SMS []struct {
				Content string `json:"content"`
			} `json:"sms"`
		}
		if err := s.call("GET", "/sandbox/api/phones/"+phone, nil, &p); err == nil && len(p.SMS) > 0 {
			code = regexp.MustCompile(`\d{6}`).FindString(p.SMS[0].Content)
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := s.call("POST", "/api/registrations", map[string]any{"phone": phone, "code": code, "companyName": "北京麦香烘焙有限公司", "contactName": "林晓梅", "consent": true}, &me); err != nil {
		return err
	}
	s.csrf = me.CSRFToken
	var types struct {
		Items []struct {
			Code string `json:"code"`
		} `json:"items"`
	}
	if err := s.call("GET", "/api/ticket-types", nil, &types); err != nil {
		return err
	}
	s.kind = types.Items[0].Code
	return nil
}
