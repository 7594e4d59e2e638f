package worktime

import (
	"fmt"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
)

// Day is a day of the calendar in Beijing, as the number of days since 1 January 1970. Its text is 2026-11-26.
type Day int32

// DayOf is the day in Beijing at the moment.
func DayOf(t time.Time) Day {
	// Beijing has no daylight saving, so days are all of one length and division finds them.
	s := t.Unix() + 8*3600
	d := s / 86400
	if s%86400 < 0 {
		d--
	}
	return Day(d)
}

// Date is the day of a year, month and day of the month; the 32nd of January is the 1st of February.
func Date(year int, month time.Month, day int) Day {
	return DayOf(time.Date(year, month, day, 0, 0, 0, 0, clock.Beijing))
}

// ParseDay reads 2026-11-26.
func ParseDay(text string) (Day, error) {
	t, err := time.ParseInLocation(time.DateOnly, text, clock.Beijing)
	if err != nil {
		return 0, fmt.Errorf("%q is not a day such as 2026-11-26", text)
	}
	return DayOf(t), nil
}

// At is the moment so many minutes after the day began in Beijing.
func (d Day) At(minute int) time.Time {
	return time.Unix(int64(d)*86400-8*3600+int64(minute)*60, 0).UTC()
}

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday {
	return time.Weekday(((int(d)+4)%7 + 7) % 7) // 1 January 1970 was a Thursday
}

// Year is the year the day lies in.
func (d Day) Year() int { return d.At(0).In(clock.Beijing).Year() }

// String is the day as 2026-11-26.
func (d Day) String() string { return d.At(0).In(clock.Beijing).Format(time.DateOnly) }

var weekdays = [7]string{"日", "一", "二", "三", "四", "五", "六"}

// Show is the day as people read it: 11月26日（四）.
func (d Day) Show() string {
	return d.At(0).In(clock.Beijing).Format("1月2日") + "（" + weekdays[d.Weekday()] + "）"
}

// MarshalText writes 2026-11-26.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 2026-11-26.
func (d *Day) UnmarshalText(text []byte) error {
	var err error
	*d, err = ParseDay(string(text))
	return err
}
