package text_test

import (
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

func TestDays(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"2026-02-30", "2025-02-29", "0000-01-01", "9999-12-31", "1899-12-31", "2026-1-1", "２０２６-01-01", "2026-01-01T00:00:00Z", "", "今天", "2026-13-01"} {
		_, err := text.Day("day", s, clock.Beijing)
		if f, ok := fault.As(err); !ok || f.Code != "BAD_DATE" || len(f.Fields) != 1 || f.Fields[0].Name != "day" {
			t.Errorf("%q: %v", s, err)
		}
	}
	d, err := text.Day("day", "2024-02-29", clock.Beijing)
	if err != nil || !d.Equal(time.Date(2024, 2, 28, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("%v, %v", d, err)
	}
	for _, s := range []string{"2026-02-30T00:00:00Z", "2026-01-01", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59+08:00", "2026-01-01T25:00:00Z", ""} {
		_, err := text.Moment("at", s)
		if f, ok := fault.As(err); !ok || f.Code != "BAD_DATE" {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"2026-11-22T08:00:00+08:00", "2026-11-22T00:00:00Z", "2026-11-21T19:00:00-05:00"} {
		if at, err := text.Moment("at", s); err != nil || !at.Equal(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)) || at.Location() != time.UTC {
			t.Errorf("%q: %v, %v", s, at, err)
		}
	}
}
