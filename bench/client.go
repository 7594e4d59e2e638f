package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bytes"

	"github.com/valyala/fasthttp"
)

// session is one signed-in browser.
type session struct{ Cookie, CSRF string }

// request is one kind of request of a load. {n} in the body is a number that never comes twice, {id} in path and body one of
// the ids: of the client's own when there are lists for each.
type request struct {
	Weight int // how often of the sum of all
	Method string
	Path   string
	Body   string
	IDs    [][]int64
	// Once takes each id of the first list one time, and ends the load when none is left.
	Once bool
	// Next takes the ids of each client's list one after the other.
	Next bool
}

// plan is what the load process is told: closed loop, each client sends when it has its answer.
type plan struct {
	Addr     string // host:port
	Clients  int
	Warm     time.Duration
	Span     time.Duration
	Sessions []session // dealt to the clients in turn
	Mix      []request
	First    int64 // where {n} begins

	renew func(*plan) // what makes it fit for one more load, nil for nothing
}

// result is what the load process saw.
type result struct {
	PerSecond     float64
	P50, P95, P99 float64 // ms
	Requests      int     // the warming ones included
	Errors        int
	Failure       string // the first
	Last          int64
}

// send runs a load in a process of its own.
func send(p plan) (result, error) {
	var r result
	in, err := json.Marshal(p)
	if err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	// #nosec G204 -- runs this program itself
	cmd := exec.Command(self, "client")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("the load process: %w", err)
	}
	return r, json.Unmarshal(out, &r)
}

// clientProcess is the load process: a plan on standard input, a result on standard output.
func clientProcess() error {
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(run1(p))
}

func run1(p plan) result {
	hc := &fasthttp.HostClient{Addr: p.Addr, MaxConns: p.Clients + 8, ReadTimeout: 60 * time.Second, WriteTimeout: 60 * time.Second, MaxIdleConnDuration: time.Minute, NoDefaultUserAgentHeader: true}
	total := 0
	for _, r := range p.Mix {
		total += r.Weight
	}
	var n atomic.Int64
	n.Store(p.First)
	begin := time.Now().Add(p.Warm)
	end := begin.Add(p.Span)
	times := make([][]float64, p.Clients)
	var errors, requests atomic.Int64
	var failure atomic.Value
	var wg sync.WaitGroup
	var taken atomic.Int64
	for c := range p.Clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			// #nosec G404 -- which request comes next
			rnd := rand.New(rand.NewPCG(uint64(c), 1))
			req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			var s session
			if len(p.Sessions) > 0 {
				s = p.Sessions[c%len(p.Sessions)]
			}
			turns := make([]int, len(p.Mix))
			for time.Now().Before(end) {
				k := rnd.IntN(total)
				i := 0
				for k >= p.Mix[i].Weight {
					k -= p.Mix[i].Weight
					i++
				}
				m := p.Mix[i]
				path, id := m.Path, ""
				switch {
				case m.Once:
					k := int(taken.Add(1)) - 1
					if k >= len(m.IDs[0]) {
						return
					}
					id = strconv.FormatInt(m.IDs[0][k], 10)
				case len(m.IDs) > 0:
					ids := m.IDs[c%len(m.IDs)]
					k := rnd.IntN(len(ids))
					if m.Next {
						k = min(turns[i], len(ids)-1) // one too many is the server's error to find
						turns[i]++
					}
					id = strconv.FormatInt(ids[k], 10)
				}
				path = strings.Replace(path, "{id}", id, 1)
				req.Reset()
				req.SetRequestURI("http://" + p.Addr + path)
				req.Header.SetMethod(m.Method)
				if s.Cookie != "" {
					req.Header.Set("Cookie", s.Cookie)
				}
				if m.Method == "POST" {
					number := strconv.FormatInt(n.Add(1), 10)
					req.Header.SetContentType("application/json")
					req.Header.Set("X-CSRF-Token", s.CSRF)
					req.Header.Set("Idempotency-Key", "bench-key-"+number)
					req.SetBodyString(strings.NewReplacer("{n}", number, "{id}", id).Replace(m.Body))
				}
				at := time.Now()
				err := hc.Do(req, res)
				took := time.Since(at)
				requests.Add(1)
				if err == nil && res.StatusCode() >= 300 {
					err = fmt.Errorf("%s %s: status %d %.300s", m.Method, path, res.StatusCode(), res.Body())
				}
				if err != nil {
					errors.Add(1)
					failure.CompareAndSwap(nil, err.Error())
				}
				if at.After(begin) {
					times[c] = append(times[c], float64(took.Microseconds())/1000)
				}
			}
		}()
	}
	wg.Wait()
	all := slices.Concat(times...)
	slices.Sort(all)
	r := result{Errors: int(errors.Load()), Requests: int(requests.Load()), Last: n.Load()}
	if f, ok := failure.Load().(string); ok {
		r.Failure = f
	}
	if len(all) == 0 {
		return r
	}
	at := func(q int) float64 { return all[min(len(all)*q/100, len(all)-1)] }
	r.PerSecond, r.P50, r.P95, r.P99 = float64(len(all))/time.Since(begin).Seconds(), at(50), at(95), at(99)
	return r
}
