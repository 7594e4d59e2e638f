package event

import "sync"

// bells wakes who waits for events in this process. A ring is never waited for and never lost: the channel holds one.
var bells = struct {
	sync.Mutex
	all   map[chan struct{}]bool
	local map[chan struct{}]bool
}{all: map[chan struct{}]bool{}, local: map[chan struct{}]bool{}}

// Bell returns a channel that gets a value after events were committed, by this process or, when somebody calls Ring, by
// another; and what gives it back. One value may stand for many events.
func Bell() (<-chan struct{}, func()) { return hang(bells.all) }

// OwnBell is Bell without Ring: it tells of commits of this process only, for who passes them on to others.
func OwnBell() (<-chan struct{}, func()) { return hang(bells.local) }

// Ring wakes this process as if it had committed events itself: another one said that it did.
func Ring() {
	bells.Lock()
	defer bells.Unlock()
	ring(bells.all)
}

func hang(on map[chan struct{}]bool) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	bells.Lock()
	defer bells.Unlock()
	on[c] = true
	return c, func() {
		bells.Lock()
		defer bells.Unlock()
		delete(on, c)
	}
}

func wake() {
	bells.Lock()
	defer bells.Unlock()
	ring(bells.all)
	ring(bells.local)
}

func ring(them map[chan struct{}]bool) {
	for c := range them {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
