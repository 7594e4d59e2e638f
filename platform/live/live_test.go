package live_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/live"
)

type changed struct{ ID int64 }

func (c changed) Event() (string, string, int64) { return "thing.changed", "thing", c.ID }

type secret struct{ ID int64 }

func (s secret) Event() (string, string, int64) { return "secret.changed", "secret", s.ID }

var now = time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)

// put announces, again when another change of the object was first.
func put(t *testing.T, db *database.DB, f event.Fact) {
	for {
		err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			_, err := event.Append(ctx, tx, access.SystemActor("test"), now, f)
			return err
		})
		if errors.Is(err, fault.ErrChanged) {
			continue
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
}

// things are seen by the user of their parity; those that can be divided by seven by nobody.
func things(_ context.Context, _ bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	out := map[int64]live.Sees{}
	for _, id := range ids {
		if id%7 != 0 {
			out[id] = func(a access.Actor) bool { return a.UserID%2 == id%2 }
		}
	}
	return out, nil
}

type sessions struct {
	sync.Mutex
	m map[int64]access.Actor
}

func (s *sessions) of(_ context.Context, ids []int64) (map[int64]access.Actor, error) {
	s.Lock()
	defer s.Unlock()
	out := map[int64]access.Actor{}
	for _, id := range ids {
		if a, ok := s.m[id]; ok {
			out[id] = a
		}
	}
	return out, nil
}

func actor(user int64) access.Actor {
	return access.Actor{UserID: user, Party: access.Enterprise, SessionID: user}
}

func run(t *testing.T, o live.Options) *live.Hub {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	if o.Audiences == nil {
		o.Audiences = map[string]live.Audience{"thing": things}
	}
	if o.Sessions == nil {
		s := &sessions{m: map[int64]access.Actor{}}
		for user := range int64(50) {
			s.m[user] = actor(user)
		}
		o.Sessions = s.of
	}
	h := live.New(o)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return h
}

type told struct {
	pos  int64
	name string
	data struct {
		Object  string
		ID      int64
		Version int64
		Reason  string
		Resumed bool
	}
}

// listen is a page: it opens a stream and hands on what comes, until it is told to stop or the stream ends.
func listen(ctx context.Context, h *live.Hub, a access.Actor, after *int64, on func(told) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := h.Open(ctx, a, after)
	if err != nil {
		return err
	}
	defer s.Close()
	r, w := io.Pipe()
	go func() { w.CloseWithError(s.Serve(ctx, w)) }()
	defer r.Close()
	in := bufio.NewScanner(r)
	m := told{}
	for in.Scan() {
		key, value, _ := strings.Cut(in.Text(), ": ")
		switch key {
		case "id":
			if m.pos, err = strconv.ParseInt(value, 10, 64); err != nil {
				return err
			}
		case "event":
			m.name = value
		case "data":
			if err := json.Unmarshal([]byte(value), &m.data); err != nil {
				return err
			}
		case "":
			if m.name != "" && !on(m) {
				return nil
			}
			m = told{}
		}
	}
	return in.Err()
}

// TestNothingMissedNothingTwice has pages come and go while others write: each is told of every change that it may know of,
// once and in order, and of nothing else.
func TestNothingMissedNothingTwice(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, event.Migrations)
	put(t, db, changed{ID: 1}) // something before anybody listens
	quick := live.Options{DB: db, Heartbeat: 50 * time.Millisecond}
	hubs := []*live.Hub{run(t, quick), run(t, quick)}
	const writers, each = 8, 60
	var written atomic.Bool
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var pages, writing sync.WaitGroup
	got := make([][]told, 6)
	var greeted sync.WaitGroup
	for p := range got {
		pages.Add(1)
		greeted.Add(1)
		go func() {
			defer pages.Done()
			var after *int64
			for first := true; ; first = false {
				leave := 1 + rand.IntN(25)
				end := false
				err := listen(ctx, hubs[rand.IntN(2)], actor(int64(p)), after, func(m told) bool {
					switch m.name {
					case "hello":
						if m.data.Resumed == first {
							t.Errorf("page %d: resumed %v at the first visit %v", p, m.data.Resumed, first)
						}
						if first {
							greeted.Done()
						}
					case "change":
						got[p] = append(got[p], m)
					case "resync", "bye":
						t.Errorf("page %d: %s", p, m.name)
						end = true
					}
					pos := m.pos
					after = &pos
					leave--
					if m.name == "beat" && written.Load() {
						last, err := event.Last(ctx, db.Read())
						if err != nil {
							t.Error(err)
						}
						end = end || pos >= last
					}
					return !end && (leave > 0 || written.Load())
				})
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				if end || ctx.Err() != nil {
					return
				}
			}
		}()
	}
	greeted.Wait()
	for w := range writers {
		writing.Add(1)
		go func() {
			defer writing.Done()
			for i := range each {
				id := int64(rand.IntN(20) + 1)
				if i%10 == 9 {
					put(t, db, secret{ID: id})
				} else {
					put(t, db, changed{ID: id + int64(w%2)})
				}
			}
		}()
	}
	writing.Wait()
	if err := event.Place(ctx, db); err != nil {
		t.Fatal(err)
	}
	// a page waits for a beat to know that it has all
	written.Store(true)
	pages.Wait()
	if ctx.Err() != nil {
		t.Fatal("the pages do not come to the end")
	}
	marks, err := event.After(ctx, db.Read(), 1, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for p, list := range got {
		var want, have []string
		for _, m := range marks {
			if m.Object == "thing" && m.ObjectID%7 != 0 && m.ObjectID%2 == int64(p)%2 {
				want = append(want, fmt.Sprint(m.Pos, m.ObjectID, m.Seq))
			}
		}
		for _, m := range list {
			have = append(have, fmt.Sprint(m.pos, m.data.ID, m.data.Version))
		}
		if !slices.Equal(want, have) {
			t.Errorf("page %d was told of %d changes, want %d", p, len(have), len(want))
		}
	}
}

// TestAwayTooLong: who missed more than is told one by one, or knows a position that the table does not have, fetches anew.
func TestAwayTooLong(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, event.Migrations)
	err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		rows := make([]event.Event, 9000)
		for i := range rows {
			rows[i] = event.Event{Type: "thing.changed", Object: "thing", ObjectID: 2, Seq: int64(i + 1), At: now, Facts: []byte("{}")}
		}
		for part := range slices.Chunk(rows, 500) {
			if _, err := tx.NewInsert().Model(&part).ExcludeColumn("id", "pos").Exec(ctx); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE events SET pos = id")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h := run(t, live.Options{DB: db})
	for after, want := range map[int64][2]string{10: {"resync", ""}, 900_000: {"resync", ""}, 9000: {"hello", ""}, 8998: {"hello", "change"}, 3000: {"hello", "change"}} {
		var names []string
		n := 0
		err := listen(context.Background(), h, actor(2), &after, func(m told) bool {
			names = append(names, m.name)
			if m.name == "change" {
				n++
				if m.pos != after+int64(n) {
					t.Fatalf("after %d: position %d as number %d", after, m.pos, n)
				}
			}
			return want[1] != "" && m.pos < 9000
		})
		if err != nil {
			t.Fatal(err)
		}
		if names[0] != want[0] || want[1] != "" && n != int(9000-after) {
			t.Errorf("after %d: %s, then %d changes", after, names[0], n)
		}
	}
}

// stuck is a client that never takes anything.
type stuck struct{ wrote chan struct{} }

func (s stuck) Write(b []byte) (int, error) {
	s.wrote <- struct{}{}
	select {}
}

// TestSlowClient: a client that does not read loses its stream and holds up nobody.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, event.Migrations)
	h := run(t, live.Options{DB: db})
	slow, err := h.Open(context.Background(), actor(2), nil)
	if err != nil {
		t.Fatal(err)
	}
	client := stuck{make(chan struct{}, 1)}
	go func() { _ = slow.Serve(context.Background(), client) }()
	<-client.wrote
	const events = 2400
	err = db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		for i := range int64(events) {
			if _, err := event.Append(ctx, tx, access.Actor{}, now, changed{ID: 10_000 + 2*i*7 + 2}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "the slow stream is dropped", func() bool { return h.Count() == 0 })
	// Who comes back while so many are dealt out may be told to begin anew; soon after it hears all.
	wait(t, "another client hears of every change", func() bool {
		n, zero := 0, int64(0)
		err := listen(context.Background(), h, actor(4), &zero, func(m told) bool {
			if m.name == "change" {
				n++
			}
			return n < events
		})
		return err == nil && n == events
	})
}

// TestEndOfSessionAndRights: a stream ends soon after its session or its rights do.
func TestEndOfSessionAndRights(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, event.Migrations)
	s := &sessions{m: map[int64]access.Actor{1: actor(1), 2: actor(2), 3: actor(3)}}
	h := run(t, live.Options{DB: db, Sessions: s.of, Check: 20 * time.Millisecond})
	reasons := make(chan string, 3)
	for user := int64(1); user <= 3; user++ {
		go func() {
			last := ""
			_ = listen(context.Background(), h, actor(user), nil, func(m told) bool { last = m.data.Reason; return true })
			reasons <- fmt.Sprint(user, last)
		}()
	}
	wait(t, "three streams", func() bool { return h.Count() == 3 })
	s.Lock()
	delete(s.m, 1)
	a := actor(2)
	a.Permissions = []access.Permission{"ticket.view"}
	s.m[2] = a
	s.Unlock()
	got := []string{<-reasons, <-reasons}
	slices.Sort(got)
	if !slices.Equal(got, []string{"1signed_out", "2rights"}) {
		t.Errorf("ended with %v", got)
	}
	if h.Count() != 1 {
		t.Errorf("%d streams are left", h.Count())
	}
}

// TestManyStreamsOfASession: the oldest gives way to the newest, and a full process refuses.
func TestManyStreamsOfASession(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, event.Migrations)
	h := run(t, live.Options{DB: db, PerSession: 2, MaxStreams: 3})
	ended := make(chan string, 1)
	go func() {
		_ = listen(context.Background(), h, actor(1), nil, func(m told) bool {
			if m.name == "bye" {
				ended <- m.data.Reason
			}
			return true
		})
	}()
	wait(t, "a stream", func() bool { return h.Count() == 1 })
	for range 2 {
		if _, err := h.Open(context.Background(), actor(1), nil); err != nil {
			t.Fatal(err)
		}
	}
	if reason := <-ended; reason != "too_many" {
		t.Errorf("the oldest ended with %q", reason)
	}
	if _, err := h.Open(context.Background(), actor(2), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Open(context.Background(), actor(3), nil); !errors.Is(err, live.ErrFull) {
		t.Errorf("a full process: %v", err)
	}
}

// wait looks again and again, with a deadline that only a hanging program meets.
func wait(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if there() {
			return
		}
	}
	t.Fatalf("still not: %s", what)
}
