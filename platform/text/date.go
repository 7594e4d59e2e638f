package text

import (
	"time"

	"github.com/huiqi/huiqi/platform/fault"
)

// ErrDate is what Day answers a text that is no day.
var ErrDate = fault.New(fault.Invalid, "BAD_DATE", "日期填写有误，请按 2026-11-22 的格式填写")

// The first and the last year people here mean; others are slips of the finger, and some databases do not keep them.
const (
	firstYear = 1900
	lastYear  = 2199
)

// Day reads a day written 2006-01-02 as the first moment of it in zone. It returns a fault on field for a day that the
// calendar does not have (BAD_DATE) or that lies outside the years 1900 to 2199.
func Day(field, s string, zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil {
		return time.Time{}, ErrDate.On(field).Wrap(err)
	}
	return t, inYears(field, t)
}

// Moment reads a time as clients send it (RFC 3339, in any zone) and returns it in UTC, with the faults of Day.
func Moment(field, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, ErrDate.With("时间填写有误，请重新选择").On(field).Wrap(err)
	}
	return t.UTC(), inYears(field, t)
}

func inYears(field string, t time.Time) error {
	if y := t.Year(); y < firstYear || y > lastYear {
		return ErrDate.With("日期应在 %d 年至 %d 年之间，请核对", firstYear, lastYear).On(field)
	}
	return nil
}
