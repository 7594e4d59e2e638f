package sizeclass_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/huiqi/huiqi/platform/sizeclass"
)

var at = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// metrics takes persons and 万元; negative is unknown.
func metrics(x, y, z int64) sizeclass.Metrics {
	known := func(n, unit int64) *int64 {
		if n < 0 {
			return nil
		}
		n *= unit
		return &n
	}
	return sizeclass.Metrics{Employees: known(x, 1), Revenue: known(y, 1_000_000), Assets: known(z, 1_000_000)}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		industry string
		x, y, z  int64
		want     string
	}{
		{"3920", 19, -1, -1, "micro"},
		{"C3920", 500, 3000, -1, "medium"},
		{"39", 500, -1, -1, "medium small micro"},
		{"3920", 999, 90000, -1, "medium"},
		{"3920", 1000, 40000, -1, "large"},
		{"6513", 9, 99999, -1, "micro"},
		{"7111", 50, -1, 99, "micro"},
		{"7010", -1, 150000, 9000, "medium"},
		{"3920", -1, -1, -1, "large medium small micro"},
		{"3920", 1000, 39999, -1, "medium"},
		{"3920", 20, 300, -1, "small"},
		{"3920", 20, 299, -1, "micro"},
		{"0111", -1, 50, -1, "small"},
		{"4710", -1, 80000, 80000, "large"},
		{"4710", -1, 80000, 79999, "medium"},
		{"5910", 20, 200, -1, "small"},
		{"5930", 20, 100, -1, "small"},
		{"59", 100, 1500, -1, "medium small"}, // 仓储业 medium, 交通运输业 small
		{"8510", 100, -1, -1, "medium"},
		{"7030", 9, -1, -1, "micro"},
		// outside the table: never micro
		{"6610", 5, 5, 5, ""}, {"5310", 5, 5, 5, ""}, {"7040", 5, 5, 5, ""}, {"8310", 5, 5, 5, ""}, {"8411", 5, 5, 5, ""},
		{"70", 5, 5, 5, ""}, {"C", 5, 5, 5, ""}, {"", 5, 5, 5, ""},
	} {
		r := sizeclass.National().Classify(c.industry, metrics(c.x, c.y, c.z), at)
		if got := strings.Join(r.Codes(), " "); got != c.want || (got == "") != (r.Why != "") || r.Document == "" {
			t.Errorf("%s %d %d %d = %q %+v, want %q", c.industry, c.x, c.y, c.z, got, r, c.want)
		}
		if one, ok := r.Exact(); ok != (len(r.Classes) == 1) || ok && one.Text() == "" {
			t.Errorf("%s: Exact = %s, %v", c.industry, one, ok)
		}
	}
	if r := sizeclass.National().Classify("3920", metrics(1, 1, 1), time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)); r.Why == "" || len(r.Classes) > 0 {
		t.Errorf("before the first edition: %+v", r)
	}
}

func TestEditions(t *testing.T) {
	t.Parallel()
	row := func(small int64) []sizeclass.Row {
		return []sizeclass.Row{{Name: "甲", Codes: []string{"39"}, Employees: &[3]int64{1000, 100, small}}}
	}
	table := sizeclass.New(
		sizeclass.Edition{Document: "新", From: at, Rows: row(50)},
		sizeclass.Edition{Document: "旧", From: at.AddDate(-9, 0, 0), Rows: row(10)},
	)
	for day, want := range map[time.Time]string{at.AddDate(0, 0, -1): "旧small", at: "新micro"} {
		r := table.Classify("3920", metrics(20, -1, -1), day)
		if got := r.Document + strings.Join(r.Codes(), " "); got != want {
			t.Errorf("%s: %s", day, got)
		}
	}
}

// Learning a metric only narrows the set, and knowing all of them leaves one class.
func TestNarrows(t *testing.T) {
	t.Parallel()
	table := sizeclass.National()
	codes := strings.Fields("01 39 47 51 52 54 591 593 60 61 62 64 65 701 702 71 73 703")
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(codes).Draw(t, "code")
		draw := func(name string) int64 { return rapid.Int64Range(0, 250_000).Draw(t, name) }
		x, y, z := draw("x"), draw("y"), draw("z")
		all := table.Classify(code, metrics(x, y, z), at).Classes
		if len(all) != 1 {
			t.Fatalf("%s %d %d %d: %v", code, x, y, z, all)
		}
		for mask := range 8 {
			v := []int64{x, y, z}
			for i := range v {
				if mask>>i&1 == 0 {
					v[i] = -1
				}
			}
			if some := table.Classify(code, metrics(v[0], v[1], v[2]), at).Classes; !slices.Contains(some, all[0]) {
				t.Fatalf("%s %v: %v lacks %v", code, v, some, all[0])
			}
		}
	})
}
