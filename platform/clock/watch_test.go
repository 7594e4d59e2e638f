package clock

import (
	"slices"
	"testing"
	"time"
)

// TestWatchTellsJumps: a clock that runs is not worth a word, one that is set is, in both directions and once each; a slow
// drift is told when it has grown.
func TestWatchTellsJumps(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)
	type look struct{ wall, passed time.Duration }
	looks := []look{{1, 1}, {2, 2}, {3603, 3}, {3604, 4}, {5, 5}, {6, 6}, {7, 6}, {9, 7}, {11, 9}}
	var said []time.Duration
	watch(func() (time.Time, time.Duration, bool) {
		if len(looks) == 0 {
			return start, 0, false
		}
		l := looks[0]
		looks = looks[1:]
		return start.Add(l.wall * time.Second), l.passed * time.Second, true
	}, start, 2*time.Second, func(jump time.Duration) { said = append(said, jump) })
	if !slices.Equal(said, []time.Duration{time.Hour, -time.Hour, 2 * time.Second}) {
		t.Errorf("told %v", said)
	}
}
