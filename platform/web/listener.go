package web

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"
)

// patient is a listener that waits when the process has no file left to open, instead of ending the server: Fiber takes
// any failure to accept for the end. What waits in the kernel's queue is served when files are closed.
type patient struct {
	net.Listener
	log    *slog.Logger
	mu     sync.Mutex
	silent map[*steady]time.Time // accepted then, and nothing has come on them
}

// Accept returns the next connection.
func (p *patient) Accept() (net.Conn, error) {
	wait, told := 5*time.Millisecond, time.Time{}
	for {
		c, err := p.Listener.Accept()
		if err == nil {
			return p.open(c), nil
		}
		if !passing(err) {
			return nil, err
		}
		if now := time.Now(); now.Sub(told) > 10*time.Second {
			p.log.Error("no connection can be accepted; waiting", "error", err)
			told = now
		}
		time.Sleep(wait)
		wait = min(wait*2, 500*time.Millisecond)
	}
}

// open takes note of an accepted connection until something comes on it.
func (p *patient) open(c net.Conn) *steady {
	s := &steady{Conn: c}
	s.heard = sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.silent, s)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent[s] = time.Now()
	return s
}

// silence is how long a connection may be open before its first request comes, once the server ends: as net/http has it.
const silence = 5 * time.Second

// closeSilent ends the connections on which nothing came within silence. Browsers and balancers open some in advance;
// fasthttp counts each as a request being read, and would wait for it at the end.
func (p *patient) closeSilent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, opened := range p.silent {
		time.AfterFunc(time.Until(opened.Add(silence)), func() {
			p.mu.Lock()
			_, still := p.silent[c]
			p.mu.Unlock()
			if still {
				_ = c.Close()
			}
		})
	}
}

func passing(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// A client must take stallBytes within StallTime, or it is cut: a reader that takes a byte a minute would hold its
// connection, and what waits to be sent on it, for good. There is no limit to the whole of an answer.
const (
	stallBytes = 64 << 10
	StallTime  = 30 * time.Second // how long a client may take nothing
)

// steady is a connection whose client has to keep taking what it is sent.
type steady struct {
	net.Conn
	heard func() // told of the first byte, and of the end
}

// Read reads what the client sent.
func (c *steady) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard()
	}
	return n, err
}

// Close closes the connection.
func (c *steady) Close() error {
	c.heard()
	return c.Conn.Close()
}

// Write sends b in pieces, each within StallTime.
func (c *steady) Write(b []byte) (int, error) {
	sent := 0
	for {
		piece := b[sent:min(len(b), sent+stallBytes)]
		if err := c.Conn.SetWriteDeadline(time.Now().Add(StallTime)); err != nil {
			return sent, err
		}
		n, err := c.Conn.Write(piece)
		sent += n
		if err != nil || sent == len(b) {
			return sent, err
		}
	}
}
