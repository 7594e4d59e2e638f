package web

import (
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"
)

// patient is a listener that waits when the process has no file left to open, instead of ending the server: Fiber takes
// any failure to accept for the end. What waits in the kernel's queue is served when files are closed.
type patient struct {
	net.Listener
	log *slog.Logger
}

// Accept returns the next connection.
func (p patient) Accept() (net.Conn, error) {
	wait, told := 5*time.Millisecond, time.Time{}
	for {
		c, err := p.Listener.Accept()
		if err == nil || !passing(err) {
			return c, err
		}
		if now := time.Now(); now.Sub(told) > 10*time.Second {
			p.log.Error("no connection can be accepted; waiting", "error", err)
			told = now
		}
		time.Sleep(wait)
		wait = min(wait*2, 500*time.Millisecond)
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
