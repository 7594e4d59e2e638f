package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/web"
)

// The reasons in the last message of a stream, which tell the page what to do: come back soon; come back now, with
// everything fetched anew; sign in; stay away until somebody looks at the page again.
const (
	byeRestart   = "restart"
	byeRights    = "rights"
	byeSignedOut = "signed_out"
	byeTooMany   = "too_many"
)

// Stream is what one page is told.
type Stream struct {
	hub   *Hub
	actor access.Actor
	after *int64 // the position the page had when it came; nil for a page that is new
	start int64  // where the hub was when the stream began

	mu      sync.Mutex
	waiting [][]byte // messages not yet written
	pos     int64    // everything up to here was given
	bye     string   // why the stream ends
	lost    bool     // the client did not take what waited
	bell    chan struct{}
}

// message is how a change is told: its position as the id, so that a page that comes back can say where it was.
func message(m event.Mark) []byte {
	return fmt.Appendf(nil, "id: %d\nevent: change\ndata: {\"object\":%q,\"id\":%d,\"version\":%d}\n\n", m.Pos, m.Object, m.ObjectID, m.Seq)
}

// give adds the changes that the actor sees; false when the client takes nothing and the stream ends with a resync.
func (s *Stream) give(pos int64, changes []change) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range changes {
		if c.pos > s.pos && c.sees(s.actor) {
			s.waiting = append(s.waiting, c.text)
			n++
		}
	}
	s.pos = max(s.pos, pos)
	if len(s.waiting) > longest {
		s.waiting, s.lost = nil, true
	}
	if n > 0 {
		s.ring()
	}
	return n, !s.lost
}

func (s *Stream) ring() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// end lets the stream finish with a reason; the hub's lock is held, the stream's is not.
func (s *Stream) end(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bye = reason
	s.ring()
}

// Close gives the stream back.
func (s *Stream) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.remove(s)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// errEnded says that the stream said goodbye.
var errEnded = errors.New("live: ended")

// Serve writes the stream until the client leaves, ctx ends or the hub ends it.
func (s *Stream) Serve(ctx context.Context, w io.Writer) error {
	if err := s.greet(ctx, w); err != nil {
		return err
	}
	beat := time.NewTimer(s.hub.o.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.bell:
		case <-beat.C:
		}
		if err := s.flush(w); err != nil {
			return err
		}
		beat.Reset(s.hub.o.Heartbeat)
	}
}

// greet says where the stream begins, and tells a page that came back what it missed. What happens meanwhile waits.
func (s *Stream) greet(ctx context.Context, w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("retry: 2000\n")
	switch {
	case s.after == nil:
		greeting(&b, s.start, "hello", `{"resumed":false}`)
	case *s.after > s.start:
		// The page was with a process that is ahead of this one; or the database is an older one than the page knew.
		last, err := event.Last(ctx, s.hub.o.DB.Read())
		if err != nil {
			return err
		}
		if *s.after > last {
			greeting(&b, s.backTo(), "resync", `{}`)
			break
		}
		greeting(&b, *s.after, "hello", `{"resumed":true}`)
	default:
		marks, err := s.hub.missed(ctx, *s.after, s.start)
		if errors.Is(err, errTooFar) {
			greeting(&b, s.start, "resync", `{}`)
			break
		}
		if err != nil {
			return err
		}
		changes, err := s.hub.recall(ctx, marks)
		if err != nil {
			return err
		}
		greeting(&b, *s.after, "hello", `{"resumed":true}`)
		for _, c := range changes {
			if c.sees(s.actor) {
				b.Write(c.text)
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func greeting(b *bytes.Buffer, pos int64, name, data string) {
	fmt.Fprintf(b, "id: %d\nevent: %s\ndata: %s\n\n", pos, name, data)
}

// backTo lets the stream go on from where the hub is, and returns that position.
func (s *Stream) backTo() int64 {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pos, s.waiting = s.hub.pos, nil
	return s.pos
}

// flush writes what waits, or that there is nothing.
func (s *Stream) flush(w io.Writer) error {
	s.mu.Lock()
	waiting, pos, bye, lost := s.waiting, s.pos, s.bye, s.lost
	s.waiting = nil
	s.mu.Unlock()
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	for _, m := range waiting {
		b.Write(m)
	}
	switch {
	case lost:
		greeting(b, pos, "resync", `{}`)
	case bye != "":
		greeting(b, pos, "bye", fmt.Sprintf(`{"reason":%q}`, bye))
		b.WriteString(": closing\n\n")
	case len(waiting) == 0:
		greeting(b, pos, "beat", `{}`)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	if lost || bye != "" {
		return errEnded
	}
	return nil
}

// Register puts the stream at GET /api/live. A page that comes back names its position in Last-Event-ID, or in after when
// it cannot set the header; what is no position is ignored.
func Register(srv *web.Server, h *Hub) {
	h.Collect(srv.Metrics())
	srv.Raw("GET", "/api/live", access.SignedIn(), func(c *fiber.Ctx) error {
		if err := h.room(); err != nil {
			return err
		}
		actor := access.From(c.UserContext())
		after := position(c.Query("after"), c.Get("Last-Event-ID"))
		return srv.Stream(c, "text/event-stream; charset=utf-8", func(conn net.Conn) { go h.hold(conn, actor, after) })
	})
}

// position reads the first of the texts that is one.
func position(texts ...string) *int64 {
	for _, t := range texts {
		if n, err := strconv.ParseInt(t, 10, 64); err == nil && n >= 0 {
			return &n
		}
	}
	return nil
}

// room says whether another stream may begin.
func (h *Hub) room() error {
	select {
	case <-h.started:
	case <-time.After(time.Second): // a process that has just begun
		return errClosing
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errClosing
	case len(h.streams) >= h.o.MaxStreams:
		return ErrFull
	}
	return nil
}

// hold serves one connection to its end.
func (h *Hub) hold(conn net.Conn, actor access.Actor, after *int64) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, err := h.Open(ctx, actor, after)
	if err != nil {
		return
	}
	defer s.Close()
	go func() { // the only sign that the client left is the end of what it sends
		defer cancel()
		var b [16]byte
		for {
			if _, err := conn.Read(b[:]); err != nil {
				return
			}
		}
	}()
	if err := s.Serve(ctx, conn); err != nil && ctx.Err() == nil && !errors.Is(err, errEnded) {
		h.o.Log.Debug("live: stream", "error", err)
	}
}
