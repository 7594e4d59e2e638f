package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// Sees says whether an actor may know of an object. It only reckons: it is asked for every stream.
type Sees func(actor access.Actor) bool

// Audience reads what decides who sees the objects, once for all streams. An object that is not in the answer is seen by
// nobody.
type Audience func(ctx context.Context, db bun.IDB, ids []int64) (map[int64]Sees, error)

// Options are what a hub needs.
type Options struct {
	DB  *database.DB
	Log *slog.Logger
	// Audiences are the kinds of objects that are told of, by their names in the events.
	Audiences map[string]Audience
	// Sessions returns the actors of those of the sessions that are still good, with their rights of this moment.
	Sessions func(ctx context.Context, ids []int64) (map[int64]access.Actor, error)

	// The rest have defaults.

	// MaxStreams bounds the process, 20,000; PerSession one session, 6: the oldest gives way.
	MaxStreams, PerSession int
	// Heartbeat is how often a silent stream shows that it lives, 20 s; Check how often sessions and rights are looked at,
	// 3 s; Poll how often events of other processes are looked for when nobody rings, 1 s.
	Heartbeat, Check, Poll time.Duration
}

const (
	// batch is how many events are handed out at once.
	batch = 500
	// recent is how many events are kept for pages that come back.
	recent = 4096
	// farthest is how many events a page may have missed and still get them one by one.
	farthest = 2 * recent
	// longest is how many messages may wait for a client that does not take them.
	longest = 2048
	// fresh is how long an audience that was read for a page that came back is good for the next one.
	fresh = 2 * time.Second
	// pacePerStream spaces the rounds of handing out, so that 10,000 streams are written to twice a second and not fifty
	// times; slowestPace bounds it.
	pacePerStream, slowestPace = 50 * time.Microsecond, 500 * time.Millisecond
)

// ErrFull is returned when the process holds as many streams as it may.
var ErrFull = fault.New(fault.Unavailable, "LIVE_FULL", "在线人数较多，页面暂不能自动更新，请手动刷新").After(30)

var errClosing = fault.New(fault.Unavailable, "LIVE_CLOSING", "服务正在重启，页面将自动重新连接").After(1)

// Hub holds the streams of one process.
type Hub struct {
	o Options

	mu      sync.Mutex
	streams map[*Stream]bool
	bySess  map[int64][]*Stream // oldest first
	pos     int64               // everything up to here was handed out
	ring    []event.Mark        // the last of them, oldest first
	floor   int64               // the ring holds everything above this
	closed  bool

	started chan struct{} // closed once pos is known

	cacheMu sync.Mutex
	cache   map[object]audience
	loading sync.Mutex // one page that comes back reads at a time; the others find what it read

	told, dropped prometheus.Counter
}

type object struct {
	kind string
	id   int64
}

type audience struct {
	sees Sees
	at   time.Time
}

// New returns a hub; it tells nothing before Run.
func New(o Options) *Hub {
	o.MaxStreams = orInt(o.MaxStreams, 20_000)
	o.PerSession = orInt(o.PerSession, 6)
	o.Heartbeat = orTime(o.Heartbeat, 20*time.Second)
	o.Check = orTime(o.Check, 3*time.Second)
	o.Poll = orTime(o.Poll, time.Second)
	return &Hub{
		o: o, streams: map[*Stream]bool{}, bySess: map[int64][]*Stream{}, started: make(chan struct{}), cache: map[object]audience{},
		told:    prometheus.NewCounter(prometheus.CounterOpts{Name: "huiqi_live_messages_total", Help: "Changes told on streams."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "huiqi_live_dropped_total", Help: "Streams dropped because their client did not read."}),
	}
}

func orInt(n, other int) int {
	if n > 0 {
		return n
	}
	return other
}

func orTime(d, other time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return other
}

// Collect registers what the hub counts.
func (h *Hub) Collect(r prometheus.Registerer) {
	r.MustRegister(h.told, h.dropped, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "huiqi_live_streams", Help: "Open streams."},
		func() float64 { return float64(h.Count()) }))
}

// Count returns the number of open streams.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams)
}

// Run reads and hands out until ctx ends; then every stream is ended with a closing comment.
func (h *Hub) Run(ctx context.Context) error {
	defer h.close()
	bell, off := event.Bell()
	defer off()
	var checks sync.WaitGroup
	checks.Go(func() { h.check(ctx) })
	defer checks.Wait()
	poll := time.NewTicker(h.o.Poll)
	defer poll.Stop()
	for ctx.Err() == nil {
		began := time.Now()
		more, err := h.round(ctx)
		if err != nil && ctx.Err() == nil {
			h.o.Log.Error("live: hand out", "error", err)
			more = false
		}
		if rest := min(slowestPace, time.Duration(h.Count())*pacePerStream) - time.Since(began); rest > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(rest):
			}
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-bell:
		case <-poll.C:
		}
	}
	return nil
}

// round reads the events since the last one and hands them out. It reports whether more are waiting.
func (h *Hub) round(ctx context.Context) (bool, error) {
	if err := event.Place(ctx, h.o.DB); err != nil {
		return false, fmt.Errorf("place events: %w", err)
	}
	select {
	case <-h.started:
	default:
		return false, h.begin(ctx)
	}
	marks, err := event.After(ctx, h.o.DB.Read(), h.pos, batch)
	if err != nil || len(marks) == 0 {
		return false, err
	}
	changes, err := h.judge(ctx, marks)
	if err != nil {
		return false, err
	}
	h.handOut(marks, changes)
	return len(marks) == batch, nil
}

// begin finds where the table stands, and keeps the last events for pages that come back to a new process.
func (h *Hub) begin(ctx context.Context) error {
	last, err := event.Last(ctx, h.o.DB.Read())
	if err != nil {
		return err
	}
	floor := max(0, last-recent/2)
	marks, err := event.After(ctx, h.o.DB.Read(), floor, recent)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pos, h.floor, h.ring = last, floor, marks
	if n := len(marks); n > 0 {
		h.pos = marks[n-1].Pos
	}
	close(h.started)
	return nil
}

// change is an event that streams may be told of.
type change struct {
	pos  int64
	sees Sees
	text []byte
}

// judge reads who sees the objects of the marks. Marks of other kinds, and those that nobody sees, fall away.
func (h *Hub) judge(ctx context.Context, marks []event.Mark) ([]change, error) {
	found, err := h.load(ctx, marks)
	if err != nil {
		return nil, err
	}
	list := make([]change, 0, len(marks))
	for _, m := range marks {
		if sees := found[object{m.Object, m.ObjectID}]; sees != nil {
			list = append(list, change{m.Pos, sees, message(m)})
		}
	}
	return list, nil
}

// load asks the kinds for the audiences of the marks, with one question a kind, and keeps the answers for a moment.
func (h *Hub) load(ctx context.Context, marks []event.Mark) (map[object]Sees, error) {
	ids := map[string][]int64{}
	for _, m := range marks {
		if h.o.Audiences[m.Object] != nil {
			ids[m.Object] = append(ids[m.Object], m.ObjectID)
		}
	}
	found, at := map[object]Sees{}, time.Now()
	for kind, list := range ids {
		slices.Sort(list)
		for part := range slices.Chunk(slices.Compact(list), batch) {
			answers, err := h.o.Audiences[kind](ctx, h.o.DB.Read(), part)
			if err != nil {
				return nil, fmt.Errorf("audience of %s: %w", kind, err)
			}
			for _, id := range part {
				found[object{kind, id}] = answers[id]
			}
		}
	}
	h.cacheMu.Lock()
	defer h.cacheMu.Unlock()
	for o, sees := range found {
		h.cache[o] = audience{sees, at}
	}
	if len(h.cache) > 2*recent {
		for o, a := range h.cache {
			if at.Sub(a.at) > fresh {
				delete(h.cache, o)
			}
		}
	}
	return found, nil
}

// handOut gives the changes to every stream whose actor sees them. It never waits for a client.
func (h *Hub) handOut(marks []event.Mark, changes []change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pos = marks[len(marks)-1].Pos
	h.ring = append(h.ring, marks...)
	if over := len(h.ring) - recent; over > 0 {
		h.floor = h.ring[over-1].Pos
		h.ring = slices.Delete(h.ring, 0, over)
	}
	told := 0
	for s := range h.streams {
		n, ok := s.give(h.pos, changes)
		told += n
		if !ok {
			h.dropped.Inc()
			h.remove(s)
		}
	}
	h.told.Add(float64(told))
}

// Open begins a stream of the actor behind the position after, nil for now. It returns ErrFull, or a fault when the process
// is about to end. The stream must be Closed.
func (h *Hub) Open(ctx context.Context, actor access.Actor, after *int64) (*Stream, error) {
	select {
	case <-h.started:
	case <-ctx.Done():
		return nil, errClosing
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errClosing
	}
	if len(h.streams) >= h.o.MaxStreams {
		return nil, ErrFull
	}
	s := &Stream{hub: h, actor: actor, after: after, start: h.pos, pos: h.pos, bell: make(chan struct{}, 1)}
	if after != nil {
		s.pos = max(s.pos, *after)
	}
	h.streams[s] = true
	list := append(h.bySess[actor.SessionID], s)
	h.bySess[actor.SessionID] = list
	if len(list) > h.o.PerSession {
		oldest := list[0]
		oldest.end(byeTooMany)
		h.remove(oldest)
	}
	return s, nil
}

// remove forgets a stream; the lock is held.
func (h *Hub) remove(s *Stream) {
	if !h.streams[s] {
		return
	}
	delete(h.streams, s)
	id := s.actor.SessionID
	if list := slices.DeleteFunc(slices.Clone(h.bySess[id]), func(o *Stream) bool { return o == s }); len(list) > 0 {
		h.bySess[id] = list
	} else {
		delete(h.bySess, id)
	}
}

func (h *Hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.streams {
		s.end(byeRestart)
		h.remove(s)
	}
}

// errTooFar says that a page missed more than is told one by one.
var errTooFar = errors.New("live: too far behind")

// missed lists what happened behind a position up to another one.
func (h *Hub) missed(ctx context.Context, after, upTo int64) ([]event.Mark, error) {
	h.mu.Lock()
	if after >= h.floor {
		from, _ := slices.BinarySearchFunc(h.ring, after+1, func(m event.Mark, pos int64) int { return compare(m.Pos, pos) })
		to, _ := slices.BinarySearchFunc(h.ring, upTo+1, func(m event.Mark, pos int64) int { return compare(m.Pos, pos) })
		list := slices.Clone(h.ring[from:max(from, to)])
		h.mu.Unlock()
		return list, nil
	}
	h.mu.Unlock()
	if upTo-after > farthest {
		return nil, errTooFar
	}
	list, err := event.After(ctx, h.o.DB.Read(), after, farthest)
	if err != nil {
		return nil, err
	}
	to, _ := slices.BinarySearchFunc(list, upTo+1, func(m event.Mark, pos int64) int { return compare(m.Pos, pos) })
	return list[:to], nil
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// recall is judge for a page that came back: what was read a moment ago is good enough.
func (h *Hub) recall(ctx context.Context, marks []event.Mark) ([]change, error) {
	h.loading.Lock()
	defer h.loading.Unlock()
	now := time.Now()
	known := make(map[object]Sees, len(marks))
	var unknown []event.Mark
	h.cacheMu.Lock()
	for _, m := range marks {
		o := object{m.Object, m.ObjectID}
		if a, ok := h.cache[o]; ok && now.Sub(a.at) < fresh {
			known[o] = a.sees
		} else {
			unknown = append(unknown, m)
		}
	}
	h.cacheMu.Unlock()
	found, err := h.load(ctx, unknown)
	if err != nil {
		return nil, err
	}
	list := make([]change, 0, len(marks))
	for _, m := range marks {
		o := object{m.Object, m.ObjectID}
		sees, ok := known[o]
		if !ok {
			sees = found[o]
		}
		if sees != nil {
			list = append(list, change{m.Pos, sees, message(m)})
		}
	}
	return list, nil
}
