// Package clock gives the time to everything that needs it, so that tests can move it. No other package calls time.Now
// for business facts.
package clock

import (
	"regexp"
	"sync"
	"time"
)

// Clock tells the time. Implementations return UTC with microsecond precision, what both databases keep.
type Clock interface {
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now returns the current time in UTC, cut to microseconds.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Fake is a clock that stands still until moved. It is safe for concurrent use.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake returns a clock standing at t.
func NewFake(t time.Time) *Fake { return &Fake{now: t.UTC().Truncate(time.Microsecond)} }

// Now returns where the clock stands.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves the clock by d.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d).Truncate(time.Microsecond)
}

// Set puts the clock at t.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = t.UTC().Truncate(time.Microsecond)
}

// Beijing is the zone every face shows: UTC+8 without daylight saving, needing no zone database.
var Beijing = time.FixedZone("Asia/Shanghai", 8*3600)

// Show renders t as people here read it: 2026年11月22日 14:05.
func Show(t time.Time) string { return t.In(Beijing).Format("2006年1月2日 15:04") }

// IsMonth reports whether s is a month of this century as 2026-11.
func IsMonth(s string) bool { return month.MatchString(s) }

var month = regexp.MustCompile(`^20\d\d-(0[1-9]|1[0-2])$`)

// Midnight is the beginning of t's day in Beijing.
func Midnight(t time.Time) time.Time {
	y, m, d := t.In(Beijing).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, Beijing)
}
