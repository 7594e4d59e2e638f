package sizeclass_test

import (
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/sizeclass"
)

func TestScale(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	old := sizeclass.FirstScale()
	later := sizeclass.ScaleEdition{Document: "新标准", From: day.AddDate(0, 1, 0), Rows: []sizeclass.ScaleRow{{Name: "工业", Codes: []string{"39"}, Revenue: 3000}}}
	wan := func(n int64) *int64 { n *= 1_000_000; return &n }
	for _, c := range []struct {
		industry string
		revenue  *int64
		at       time.Time
		want     sizeclass.Reach
	}{
		{"3920", wan(2000), day, sizeclass.Reached}, {"C3920", wan(1999), day, sizeclass.NotReached}, {"3920", nil, day, sizeclass.ReachUnknown},
		{"3920", wan(2500), day.AddDate(0, 2, 0), sizeclass.NotReached}, {"4710", wan(9999), day, sizeclass.ByTitle}, {"7010", nil, day, sizeclass.Reached},
		{"7020", wan(999), day, sizeclass.NotReached}, {"7020", wan(1000), day, sizeclass.Reached}, {"5211", wan(500), day, sizeclass.Reached}, {"6210", wan(199), day, sizeclass.NotReached},
		{"6610", wan(99999), day, sizeclass.NotCounted}, {"0111", wan(99999), day, sizeclass.NotCounted}, {"", nil, day, sizeclass.NotCounted},
		{"3920", wan(2000), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), sizeclass.NotCounted},
	} {
		if got, row, _ := sizeclass.Scale([]sizeclass.ScaleEdition{later, old}, c.industry, c.revenue, c.at); got != c.want {
			t.Errorf("%s %v at %s: %s by %+v, want %s", c.industry, c.revenue, c.at.Format(time.DateOnly), got, row, c.want)
		}
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	r := sizeclass.National().Classify("6513", metrics(45, -1, -1), at)
	if len(r.Steps) != 2 || r.Steps[0].Class != sizeclass.Small || r.Steps[1].Value != nil || r.Steps[1].Class != "" {
		t.Errorf("%+v", r.Steps)
	}
	if r := sizeclass.National().Classify("59", metrics(45, 1, -1), at); r.Steps != nil {
		t.Errorf("several rows: %+v", r.Steps)
	}
	for _, row := range sizeclass.First().Rows {
		if why := row.Check(); why != "" {
			t.Error(why)
		}
	}
	bad := sizeclass.Row{Name: "甲", Codes: []string{"39"}, Employees: &[3]int64{10, 20, 30}}
	if bad.Check() == "" {
		t.Error("bounds upside down pass")
	}
}
