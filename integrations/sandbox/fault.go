package sandbox

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// The systems that can be told to misbehave.
var targets = []string{"sms", "wechat", "registry", "mail", "partner", "clamd", "telephone"}

// Mode is how a system behaves.
type Mode string

// The modes.
const (
	OK      Mode = "ok"
	Slow    Mode = "slow"    // waits, then does it
	Fail    Mode = "fail"    // says that it is out of order, does nothing
	Refuse  Mode = "refuse"  // says no in its own words, does nothing
	Reset   Mode = "reset"   // cuts the line before doing anything
	Lost    Mode = "lost"    // does it, then cuts the line
	Garbage Mode = "garbage" // answers nonsense, does nothing
)

var modes = []Mode{OK, Slow, Fail, Refuse, Reset, Lost, Garbage}

// Fault is how one system behaves, for the next Count calls or, with 0, until told otherwise.
type Fault struct {
	Target  string `json:"target"`
	Mode    Mode   `json:"mode"`
	Count   int    `json:"count"`
	DelayMS int    `json:"delayMs"`
}

// SetFault changes how a system behaves. It returns an error when target or mode is none of ours.
func (s *Server) SetFault(ctx context.Context, f Fault) error {
	if !slices.Contains(targets, f.Target) || !slices.Contains(modes, f.Mode) || f.Count < 0 || f.DelayMS < 0 || f.DelayMS > 600_000 {
		return fmt.Errorf("target 须为 %v，mode 须为 %v，count 不小于 0，delayMs 为 0 至 600000", targets, modes)
	}
	if f.Mode == Slow && f.DelayMS == 0 {
		f.DelayMS = 20_000
	}
	_, err := s.db.ExecContext(ctx, `INSERT INTO faults (target, mode, remaining, delay_ms) VALUES (?, ?, ?, ?)
		ON CONFLICT (target) DO UPDATE SET mode = excluded.mode, remaining = excluded.remaining, delay_ms = excluded.delay_ms`,
		f.Target, f.Mode, f.Count, f.DelayMS)
	return err
}

// faults returns how each system behaves, in the order of targets.
func (s *Server) faults(ctx context.Context) ([]Fault, error) {
	all := make([]Fault, 0, len(targets))
	for _, t := range targets {
		f, err := s.fault(ctx, t)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func (s *Server) fault(ctx context.Context, target string) (Fault, error) {
	f := Fault{Target: target, Mode: OK}
	err := s.db.QueryRowContext(ctx, `SELECT mode, remaining, delay_ms FROM faults WHERE target = ?`, target).Scan(&f.Mode, &f.Count, &f.DelayMS)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return f, err
}

// take returns how the next call of target goes and counts it.
func (s *Server) take(ctx context.Context, target string) (Fault, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return Fault{}, err
	}
	defer func() { _ = tx.Rollback() }()
	f := Fault{Target: target, Mode: OK}
	err = tx.QueryRowContext(ctx, `SELECT mode, remaining, delay_ms FROM faults WHERE target = ?`, target).Scan(&f.Mode, &f.Count, &f.DelayMS)
	if errors.Is(err, sql.ErrNoRows) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	switch f.Count {
	case 0:
		return f, nil
	case 1:
		_, err = tx.ExecContext(ctx, `DELETE FROM faults WHERE target = ?`, target)
	default:
		_, err = tx.ExecContext(ctx, `UPDATE faults SET remaining = remaining - 1 WHERE target = ?`, target)
	}
	if err != nil {
		return f, err
	}
	return f, tx.Commit()
}

// misbehaving puts the target's fault around a protocol handler. refuse answers the system's own no, fail its own
// out-of-order.
func (s *Server) misbehaving(target string, fail, refuse, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// The server only notices a caller that left once the body is read.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
		if err != nil {
			http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		f, err := s.take(r.Context(), target)
		if err != nil {
			broken(w, err)
			return
		}
		if f.DelayMS > 0 && !wait(r.Context(), time.Duration(f.DelayMS)*time.Millisecond) {
			return
		}
		switch f.Mode {
		case Fail:
			fail(w, r)
		case Refuse:
			refuse(w, r)
		case Reset:
			cut(w)
		case Lost:
			next(blackhole{header: http.Header{}}, r)
			cut(w)
		case Garbage:
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html><body>\xb4\xed\xce\xf3 502 Bad Gateway</body></html>"))
		default:
			next(w, r)
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// cut drops the connection with a TCP reset.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	reset(conn)
}

func reset(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	_ = conn.Close()
}

// blackhole takes an answer that nobody will see.
type blackhole struct{ header http.Header }

// Header returns headers that are thrown away.
func (b blackhole) Header() http.Header { return b.header }

// Write throws p away.
func (b blackhole) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader does nothing.
func (b blackhole) WriteHeader(int) {}
