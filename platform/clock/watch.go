package clock

import (
	"context"
	"time"
)

// Watch tells when the machine's clock was set: every so often it compares how far the clock went with how much time
// passed, and calls said with the difference when it is at least least. It returns when ctx ends. What counts time here
// (timers, deadlines of requests) does not follow such a jump; what compares moments (leases, schedules, sessions) does.
func Watch(ctx context.Context, every, least time.Duration, said func(jump time.Duration)) {
	start := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	watch(func() (wall time.Time, passed time.Duration, ok bool) {
		select {
		case <-ctx.Done():
			return wall, 0, false
		case <-tick.C:
			return time.Now().Round(0), time.Since(start), true // Round drops what does not follow the clock
		}
	}, start.Round(0), least, said)
}

func watch(next func() (wall time.Time, passed time.Duration, ok bool), start time.Time, least time.Duration, said func(time.Duration)) {
	ahead := time.Duration(0) // of the clock, against the time that passed
	for {
		wall, passed, ok := next()
		if !ok {
			return
		}
		now := wall.Sub(start) - passed
		if jump := now - ahead; jump.Abs() >= least {
			said(jump)
			ahead = now
		}
	}
}
