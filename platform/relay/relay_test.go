package relay_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/relay"
)

func open(t *testing.T, name string) *relay.Relay {
	t.Helper()
	at := os.Getenv("TEST_REDIS_URL")
	if at == "" {
		t.Skip("TEST_REDIS_URL names no server; scripts/with-redis.sh starts one")
	}
	r, err := relay.Open(at, name, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// TestTakeIsCountedTogether: two processes share one allowance.
func TestTakeIsCountedTogether(t *testing.T) {
	t.Parallel()
	a, b := open(t, "a"), open(t, "b")
	const perMinute = 4 // one at once, and the next after 15 s
	if wait, ok := a.Take(t.Context(), "192.0.2.1", perMinute); !ok || wait != 0 {
		t.Fatalf("the first: %v %v", wait, ok)
	}
	wait, ok := b.Take(t.Context(), "192.0.2.1", perMinute)
	if !ok || wait <= 0 || wait > 15*time.Second {
		t.Fatalf("the second, at the other process: %v %v", wait, ok)
	}
	if wait, ok := b.Take(t.Context(), "192.0.2.2", perMinute); !ok || wait != 0 {
		t.Fatalf("another address: %v %v", wait, ok)
	}
}

// TestRingReachesTheOthers: what one process tells, the others hear.
func TestRingReachesTheOthers(t *testing.T) {
	r := open(t, "c")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	defer func() { stop(); <-done }()
	bell, off := event.Bell()
	defer off()
	other := open(t, "d")
	for end := time.Now().Add(time.Minute); ; {
		if err := other.Tell(ctx); err != nil {
			t.Fatal(err)
		}
		select {
		case <-bell:
			return
		case <-time.After(50 * time.Millisecond): // the subscription may still be on its way
		}
		if time.Now().After(end) {
			t.Fatal("nobody heard")
		}
	}
}

// TestWithoutRedis: nothing waits for a server that is not there.
func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	r, err := relay.Open("redis://127.0.0.1:1/0", "e", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 1000 {
		if _, ok := r.Take(t.Context(), "192.0.2.1", 60); ok {
			t.Fatal("an answer from nowhere")
		}
	}
	if _, err := relay.Open("http://127.0.0.1", "f", slog.Default()); err == nil {
		t.Error("an address of no Redis is taken")
	}
}

// TestSilentRedis is F-11: a server that takes what is said and never answers costs one patience, and nobody waits for it
// again until it was left alone for a while.
func TestSilentRedis(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	r, err := relay.Open("redis://"+l.Addr().String()+"/0", "g", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	began := time.Now()
	for range 1000 {
		if _, ok := r.Take(t.Context(), "192.0.2.1", 60); ok {
			t.Fatal("an answer from silence")
		}
	}
	if took := time.Since(began); took > 10*time.Second { // 1000 times the patience would be minutes
		t.Errorf("a thousand requests waited %s", took)
	}
}

// TestFlushedRedis is F-11: of what Redis forgot the allowance begins anew, and nobody sees an error.
func TestFlushedRedis(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(os.Getenv("TEST_REDIS_URL"))
	if err != nil || u.Host == "" {
		t.Skip("TEST_REDIS_URL names no server; scripts/with-redis.sh starts one")
	}
	u.Path = "/5" // beside the other tests
	r, err := relay.Open(u.String(), "h", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	take := func() time.Duration {
		t.Helper()
		wait, ok := r.Take(t.Context(), "192.0.2.9", 4)
		if !ok {
			t.Fatal("Redis was given up")
		}
		return wait
	}
	if first, second := take(), take(); first != 0 || second <= 0 {
		t.Fatalf("%v, then %v", first, second)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "SELECT 5\r\nFLUSHDB\r\nSCRIPT FLUSH\r\n"); err != nil {
		t.Fatal(err)
	}
	answers := make([]byte, len("+OK\r\n+OK\r\n+OK\r\n"))
	if _, err := io.ReadFull(c, answers); err != nil || string(answers) != "+OK\r\n+OK\r\n+OK\r\n" {
		t.Fatalf("%q %v", answers, err)
	}
	if wait := take(); wait != 0 {
		t.Errorf("still counted: %v", wait)
	}
}
