package message

import (
	"fmt"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
)

// QuietHours are the hours of the day, in Beijing, in which text messages that are not urgent wait. The zero value is none.
type QuietHours struct {
	from, until time.Duration // since midnight; equal is none, until before from goes over midnight
}

// NightHours are the quiet hours as long as an installation sets no others: 22:00 to 08:00.
var NightHours = QuietHours{from: 22 * time.Hour, until: 8 * time.Hour}

// ParseQuietHours reads "22:00-08:00", or "none" for no quiet hours.
func ParseQuietHours(text string) (QuietHours, error) {
	if text == "none" {
		return QuietHours{}, nil
	}
	from, until, ok := strings.Cut(text, "-")
	a, errA := time.Parse("15:04", from)
	b, errB := time.Parse("15:04", until)
	if !ok || errA != nil || errB != nil || a.Equal(b) {
		return QuietHours{}, fmt.Errorf("%q is not a time of the day such as 22:00-08:00, nor none", text)
	}
	midnight := a.Truncate(24 * time.Hour)
	return QuietHours{from: a.Sub(midnight), until: b.Sub(midnight)}, nil
}

// end returns when the quiet hours that t lies in are over, zero outside them.
func (q QuietHours) end(t time.Time) time.Time {
	b := t.In(clock.Beijing)
	midnight := time.Date(b.Year(), b.Month(), b.Day(), 0, 0, 0, 0, clock.Beijing)
	now, until := b.Sub(midnight), midnight.Add(q.until)
	switch {
	case q.from == q.until:
	case q.from < q.until && q.from <= now && now < q.until, q.from > q.until && now < q.until:
		return until.UTC()
	case q.from > q.until && now >= q.from:
		return until.AddDate(0, 0, 1).UTC()
	}
	return time.Time{}
}
