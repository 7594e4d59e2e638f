package relay_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/relay"
)

func open(t *testing.T, name string) *relay.Relay {
	t.Helper()
	url := os.Getenv("TEST_REDIS_URL")
	if url == "" {
		t.Skip("TEST_REDIS_URL names no server; scripts/with-redis.sh starts one")
	}
	r, err := relay.Open(url, name, slog.New(slog.DiscardHandler))
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
