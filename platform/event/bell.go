package event

import "sync"

// bells wakes the feeds of this process after a commit. A ring is never waited for and never lost: the channel holds one.
var bells = struct {
	sync.Mutex
	m map[chan struct{}]bool
}{m: map[chan struct{}]bool{}}

func subscribe() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	bells.Lock()
	bells.m[c] = true
	bells.Unlock()
	return c, func() {
		bells.Lock()
		delete(bells.m, c)
		bells.Unlock()
	}
}

func wake() {
	bells.Lock()
	defer bells.Unlock()
	for c := range bells.m {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
