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
)

// TestSlowClients: hundreds of clients that send a byte now and then, send half a body, take nothing of what they asked for or
// hold an idle line. Everybody else is served meanwhile, and each of them is cut in the end.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	d := newDesk(t, databasetest.New(t, Migrations()), t.TempDir(), nil)
	up := d.upload("说明.txt", bigText(2<<20-1024))
	if up.status != 201 {
		t.Fatalf("%d %s", up.status, up.body)
	}
	own := "Host: h\r\nCookie: __Host-huiqi=" + d.session + "\r\nX-CSRF-Token: " + d.web.Token(d.session) + "\r\n"
	kinds := []struct {
		name, first string
		drip        bool
	}{
		{"headers", "POST /api/tickets HTTP/1.1\r\nHost: h\r\nX-Slow: ", true},
		{"body", "POST /api/tickets HTTP/1.1\r\n" + own + "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{", true},
		{"upload", "POST /api/files HTTP/1.1\r\n" + own + "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b\r\n", false},
		{"reader", strings.Repeat("GET "+up.view.URL+" HTTP/1.1\r\n"+own+"\r\n", 20), false},
		{"silent", "", false},
	}
	const each = 80
	ends := make(chan string, each*len(kinds))
	stop := make(chan struct{})
	var lines sync.WaitGroup
	for _, k := range kinds {
		for range each {
			conn := must(net.Dial("tcp", d.addr))(t)
			t.Cleanup(func() { conn.Close() })
			if tcp, ok := conn.(*net.TCPConn); ok && k.name == "reader" {
				_ = tcp.SetReadBuffer(4 << 10)
			}
			must(io.WriteString(conn, k.first))(t)
			lines.Add(1)
			go func() {
				defer lines.Done()
				if k.drip {
					go func() {
						for {
							select {
							case <-stop:
								return
							case <-time.After(2 * time.Second):
								if _, err := conn.Write([]byte("a")); err != nil {
									return
								}
							}
						}
					}()
				}
				if k.name == "reader" { // takes nothing; that it was cut shows when it writes
					for {
						select {
						case <-stop:
							return
						case <-time.After(2 * time.Second):
						}
						if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
							ends <- k.name
							return
						}
					}
				}
				_, _ = io.Copy(io.Discard, conn)
				ends <- k.name
			}()
		}
	}
	t.Cleanup(func() {
		close(stop)
		lines.Wait()
	})
	cut := map[string]int{}
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
			case name := <-ends:
				cut[name]++
			default:
				drained = true
			}
		}
		done := 0
		for _, n := range cut {
			done += n
		}
		if done == each*len(kinds) {
			t.Logf("%d requests of others were served meanwhile", served)
			return
		}
		select {
		case <-deadline:
			t.Fatalf("still open after four minutes; cut: %v of %d each", cut, each)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
