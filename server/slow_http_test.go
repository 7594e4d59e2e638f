package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/web"
)

// TestSlowClients is F-24: clients by the hundred that send a byte now and then, send half a body, take nothing of what they
// asked for, or hold an idle line. Everybody else is served meanwhile, and each of them is cut by a limit of the server's:
// half a minute for what is slow, a minute for a line that was used and is kept.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	up := d.upload("说明.txt", bigText(2<<20-1024))
	if up.status != 201 {
		t.Fatalf("%d %s", up.status, up.body)
	}
	own := "Host: h\r\nCookie: __Host-huiqi=" + d.session + "\r\nX-CSRF-Token: " + d.web.Token(d.session) + "\r\n"
	limits := d.web.App.Config()
	if limits.ReadTimeout > 30*time.Second || web.StallTime > 30*time.Second || limits.IdleTimeout > time.Minute {
		t.Errorf("slow clients have %v to send, %v to take, and %v between requests", limits.ReadTimeout, web.StallTime, limits.IdleTimeout)
	}
	kinds := []slowKind{
		{"headers", "POST /api/tickets HTTP/1.1\r\nHost: h\r\nX-Slow: ", true, 80, limits.ReadTimeout},
		{"body", "POST /api/tickets HTTP/1.1\r\n" + own + "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{", true, 80, limits.ReadTimeout},
		{"upload", "POST /api/files HTTP/1.1\r\n" + own + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\n", false, 80, limits.ReadTimeout},
		{"reader", strings.Repeat("GET "+up.view.URL+" HTTP/1.1\r\n"+own+"\r\n", 20), false, 80, web.StallTime},
		{"silent", "", false, 1000, limits.ReadTimeout},
		{"kept", "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", false, 200, limits.IdleTimeout},
	}
	lines := 0
	for _, k := range kinds {
		lines += k.lines
	}
	ends := make(chan slowEnd, lines)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for _, k := range kinds {
		for range k.lines {
			conn := must(net.Dial("tcp", d.addr))(t)
			t.Cleanup(func() { conn.Close() })
			if tcp, ok := conn.(*net.TCPConn); ok && k.name == "reader" {
				_ = tcp.SetReadBuffer(4 << 10)
			}
			must(io.WriteString(conn, k.first))(t)
			opened := time.Now()
			all.Go(func() {
				k.hold(conn, stop)
				ends <- slowEnd{k.name, time.Since(opened)}
			})
		}
	}
	t.Cleanup(func() {
		close(stop)
		all.Wait()
	})
	cut, last := map[string]int{}, map[string]time.Duration{}
	deadline := time.After(4 * time.Minute)
	for served := 0; ; served++ {
		// somebody else, on a line of their own each time
		conn := must(net.Dial("tcp", d.addr))(t)
		must(fmt.Fprintf(conn, "GET /api/tickets HTTP/1.1\r\n%sConnection: close\r\n\r\n", own))(t)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("somebody else, the %dth time: %v %v", served, res, err)
		}
		conn.Close()
		for drained := false; !drained; {
			select {
			case end := <-ends:
				cut[end.name]++
				last[end.name] = max(last[end.name], end.after)
			default:
				drained = true
			}
		}
		done := 0
		for _, n := range cut {
			done += n
		}
		if done == lines {
			// That a drip does not prolong it is what this holds; a busy machine is late by some seconds.
			for _, k := range kinds {
				if last[k.name] > 2*k.limit {
					t.Errorf("%s: the last was cut after %v, the limit is %v", k.name, last[k.name], k.limit)
				}
			}
			t.Logf("%d requests of others were served meanwhile", served)
			return
		}
		select {
		case <-deadline:
			t.Fatalf("still open after four minutes; cut: %v of %d", cut, lines)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// slowKind is a kind of slow client.
type slowKind struct {
	name, first string
	drip        bool // a byte every two seconds
	lines       int
	limit       time.Duration // after which the server cuts it
}

type slowEnd struct {
	name  string
	after time.Duration
}

// hold keeps the line until it is cut, or until stop.
func (k slowKind) hold(conn net.Conn, stop <-chan struct{}) {
	write := func(what string) {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Second):
			}
			if _, err := io.WriteString(conn, what); err != nil {
				return
			}
		}
	}
	if k.name == "reader" { // takes nothing; that it was cut shows when it writes
		write("GET / HTTP/1.1\r\n\r\n")
		return
	}
	if k.drip {
		go write("a")
	}
	_, _ = io.Copy(io.Discard, conn)
}
