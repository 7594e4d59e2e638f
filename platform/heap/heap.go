// Package heap decides how much garbage may lie about before the collector runs. By default it runs when the heap has
// doubled: of the sixty megabytes that a process of ours keeps that is so often that an eighth of its processor time goes
// into it; of a gigabyte it is right.
package heap

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// Garbage may be three times what lives, as long as the heap is below easyHeap, and as much as what lives beyond it.
const (
	usualPercent = 100
	easyPercent  = 300
	easyHeap     = 384 << 20
)

var (
	mu     sync.Mutex
	eased  bool
	frugal int
)

// set gives the collector its share; mu is held.
func set() {
	switch {
	case eased && frugal == 0:
		debug.SetGCPercent(easyPercent)
	case eased:
		debug.SetGCPercent(usualPercent)
	}
}

// Ease lets garbage lie about, by what lives anew every few seconds, until ctx ends. GOGC and GOMEMLIMIT of the environment
// stay as they are: with either of them it does nothing.
func Ease(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	mu.Lock()
	eased = true
	set()
	mu.Unlock()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		metrics.Read(live)
		debug.SetMemoryLimit(limit(live[0].Value.Uint64() + live[1].Value.Uint64()))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// limit is where the collector begins to run more often than easyPercent asks for.
func limit(lives uint64) int64 {
	return max(easyHeap, 2*int64(lives)) // #nosec G115 -- memory of a machine
}

// Frugal has garbage collected as it is by default until done is called: for work that makes much of it and whose memory is
// bounded, as an export.
func Frugal() (done func()) {
	mu.Lock()
	defer mu.Unlock()
	frugal++
	set()
	return sync.OnceFunc(func() {
		mu.Lock()
		defer mu.Unlock()
		frugal--
		set()
	})
}
