package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process that is told to end while 500 requests are under way answers each of them, keeps each ticket among them once,
// takes no new ones, and ends without a complaint.
func TestEndedWith500UnderWay(t *testing.T) {
	t.Parallel()
	k := startKilled(t, "HUIQI_REQUESTS_PER_MINUTE=100000")
	defer func() { k.stop() }()
	owner := k.person("1")
	owner.register("13800138088")
	const people = 500
	type visit struct {
		conn net.Conn
		read *bufio.Reader
		rest []byte
	}
	visits := make([]visit, people)
	kept := 0
	for i := range visits {
		// Every tenth opens a ticket; the others do what costs little, so that a busy machine answers all in time.
		path, what := "/api/messages/read-all", map[string]any{"upTo": 1}
		if i%10 == 0 {
			kept++
			path, what = "/api/tickets", map[string]any{"type": owner.kind, "title": fmt.Sprintf("停机前 %03d", i), "body": "门前路灯坏了三天", "source": "h5"}
		}
		body, err := json.Marshal(what)
		if err != nil {
			t.Fatal(err)
		}
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nX-CSRF-Token: %s\r\nIdempotency-Key: drain-%03d\r\nExpect: 100-continue\r\n"+
			"Cookie: __Host-huiqi-visitor=%s; __Host-huiqi=%s\r\n\r\n", path, k.addr, len(body), owner.csrf, i, owner.visitor, owner.session)
		conn, err := net.Dial("tcp", k.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
		// The server says when it has read the head: from then on the request is under way, however busy the machine is.
		read := bufio.NewReader(conn)
		for line := ""; line != "\r\n"; {
			if line, err = read.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, "HTTP/") && !strings.Contains(line, "100 Continue") {
				t.Fatalf("request %d: %s", i, line)
			}
		}
		if _, err := conn.Write(body[:len(body)/2]); err != nil {
			t.Fatal(err)
		}
		visits[i] = visit{conn, read, body[len(body)/2:]}
	}
	began := time.Now()
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for range 1000 { // until nobody new is let in
		conn, err := net.DialTimeout("tcp", k.addr, time.Second)
		if err != nil {
			break
		}
		conn.Close()
		time.Sleep(5 * time.Millisecond)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]int{}
	for i, v := range visits {
		wg.Go(func() {
			answer := ""
			if _, err := v.conn.Write(v.rest); err != nil {
				answer = err.Error()
			} else if res, err := http.ReadResponse(v.read, nil); err != nil {
				answer = err.Error()
			} else {
				answer = res.Status
				res.Body.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			if answers[answer]++; answers[answer] == 1 {
				t.Logf("request %d: %s", i, answer)
			}
		})
	}
	wg.Wait()
	if err := k.cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	t.Logf("ended after %s: %v", time.Since(began).Round(time.Millisecond), answers)
	if answers["200 OK"] != people {
		t.Errorf("answers: %v", answers)
	}
	var rows, titles int
	if err := k.open().QueryRow("SELECT count(*), count(DISTINCT title) FROM tickets WHERE title LIKE '停机前 %'").Scan(&rows, &titles); err != nil {
		t.Fatal(err)
	}
	if rows != kept || titles != kept {
		t.Errorf("%d tickets with %d titles of %d", rows, titles, kept)
	}
}
