package snapshot_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/snapshot"
)

func TestKeep(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC)
	day := func(n int, verified bool) *snapshot.Set {
		at := time.Date(2026, 11, 26, 18, 30, 0, 0, time.UTC).AddDate(0, 0, -n) // 02:30 in Beijing
		s := &snapshot.Set{Dir: at.Format("/t/huiqi-20060102-150405Z"), Manifest: &snapshot.Manifest{At: at}}
		if verified {
			s.Verified = &snapshot.Verification{}
		}
		return s
	}
	var sets []*snapshot.Set
	for n := range 500 {
		sets = append(sets, day(n, true))
	}
	keep := snapshot.Retention{Daily: 7, Weekly: 4, Monthly: 12}.Keep(sets, now)
	counts := map[string]int{}
	for n, s := range sets {
		why := keep[s.Name()]
		counts[why]++
		if n < 7 && why == "" {
			t.Errorf("day %d goes", n)
		}
	}
	// The seven days touch two weeks, of which Monday to Sunday each has its newest; so two more weeks, and eleven months.
	if got := fmt.Sprint(counts["最新"], counts["每日"], counts["每周"], counts["每月"]); got != "1 6 2 11" {
		t.Errorf("kept %s: %v", got, counts)
	}
	// Sets that could not be verified fill no place, and the newest verified one never goes.
	mixed := []*snapshot.Set{day(0, false), day(1, false), day(2, true), day(3, false), day(4, true)}
	keep = snapshot.Retention{}.Keep(mixed, now)
	for n, want := range []bool{true, true, true, false, false} {
		if (keep[mixed[n].Name()] != "") != want {
			t.Errorf("set %d: %q", n, keep[mixed[n].Name()])
		}
	}
	// One made by hand today stays beside a later one of the same day.
	early := day(0, true)
	early.Dir, early.Manifest.At = "/t/huiqi-20261126-170000Z", early.Manifest.At.Add(-90*time.Minute)
	if keep = (snapshot.Retention{Daily: 1}).Keep([]*snapshot.Set{day(0, true), early}, now); keep[early.Name()] == "" {
		t.Error("the one made by hand goes the same day")
	}
}
