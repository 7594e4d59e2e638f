package criteria_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/criteria"
)

// draw makes schemas, conditions and companies. Its few values meet often.
type draw struct {
	*rand.Rand
	fields []criteria.Field
	schema criteria.Schema
}

func pick[T any](d *draw, of ...T) T { return of[d.IntN(len(of))] }

var (
	industries = []string{"C", "13", "39", "392", "3920", "3921", "C3920", "6513", "65", "I", "5101", "4754"}
	regions    = []string{"110000", "110100", "110112", "110105", "110112001", "110112002", "110105001", "310000"}
	sizes      = []string{"large", "medium", "small", "micro"}
	titles     = []string{"hte", "srdi", "gazelle", "unicorn"}
	someDays   = []string{"2024-02-28", "2024-02-29", "2024-03-01", "2023-02-28", "2020-02-29", "1970-01-01", "1969-12-31", "2026-11-22", "2026-11-21", "2026-11-23", "2021-11-22", "2023-11-23", "2025-12-31"}
	amounts    = []int64{0, 1, -1, 5, 19, 20, 21, 100, 299, 300, 1000, 2_000_000, 1 << 42, 1 << 52, 1 << 60, -1 << 60, 1<<63 - 1, -1 << 63}
)

func newDraw(seed uint64) *draw {
	d := &draw{Rand: rand.New(rand.NewPCG(seed, 7))} // #nosec G404 -- a test that repeats
	age := func() time.Duration {
		return pick(d, 0, 0, 30*24*time.Hour, 600*24*time.Hour, 600*24*time.Hour+time.Hour, 1<<63-1)
	}
	d.fields = []criteria.Field{
		{Name: "industry", Label: "行业", Kind: criteria.Category, Under: pick(d, criteria.UnderIndustry, criteria.UnderIndustry, nil), Values: map[string]string{"C": "制造业", "39": "电子"}},
		{Name: "region", Label: "注册地", Kind: criteria.Category, Under: pick(d, criteria.UnderRegion, nil), MaxAge: age()},
		{Name: "sizeClass", Label: "规模", Kind: criteria.Category, Closed: true, Values: map[string]string{"large": "大", "medium": "中", "small": "小", "micro": "微"}},
		{Name: "employees", Label: "人员", Kind: criteria.Count, Unit: "人", MaxAge: age(), Yearly: "人员"},
		{Name: "insured", Label: "参保", Kind: criteria.Count, Unit: "人"},
		{Name: "revenue", Label: "收入", Kind: criteria.Money, MaxAge: age(), Yearly: "收入", Booked: true},
		{Name: "rd", Label: "研发", Kind: criteria.Money, Yearly: "研发", Booked: true},
		{Name: "share", Label: "占比", Kind: criteria.Ratio, MaxAge: age(), Yearly: "占比"},
		{Name: "established", Label: "成立", Kind: criteria.Date},
		{Name: "renewed", Label: "年检", Kind: criteria.Date, MaxAge: age()},
		{Name: "title", Label: "资质", Kind: criteria.Holdings, MaxAge: age()},
		{Name: "listed", Label: "名单", Kind: criteria.Holdings},
		{Name: "fined", Label: "处罚", Kind: criteria.Holdings, Event: true},
		{Name: "exporter", Label: "出口", Kind: criteria.Flag, MaxAge: age()},
	}
	var err error
	if d.schema, err = criteria.NewSchema(d.fields...); err != nil {
		panic(err)
	}
	return d
}

func (d *draw) amount() int64 {
	if d.IntN(2) == 0 {
		return d.Int64N(400)
	}
	return pick(d, amounts...)
}

// bound is an amount that a condition may ask for.
func (d *draw) bound() int64 { return max(-1<<59, min(1<<59, d.amount())) }

func (d *draw) some(of []string) []string {
	out := []string{pick(d, of...)}
	for d.IntN(2) == 0 {
		out = append(out, pick(d, of...))
	}
	return out
}

func (d *draw) codes(f criteria.Field) []string {
	switch f.Name {
	case "industry":
		return industries
	case "region":
		return regions
	case "sizeClass":
		return sizes
	}
	return titles
}

func (d *draw) fact(f criteria.Field) criteria.Fact {
	out := criteria.Fact{Years: d.years(f), AsOf: pick(d, today, today, today.AddDate(0, 0, -30), today.AddDate(0, 0, -31), today.AddDate(0, 0, -600), today.AddDate(0, 0, -601), today.AddDate(0, 0, 9), time.Time{})}
	switch d.IntN(9) {
	case 0:
		out.Unknown = pick(d, criteria.Conflicting, criteria.NotConsented, criteria.NoBase, criteria.Reason("stale"))
	case 1:
		out.Value = pick(d, criteria.Value{}, criteria.Number(3), criteria.Yes(true), criteria.Code("C")) // mostly of another kind
		return out
	}
	switch f.Kind {
	case criteria.Count:
		out.Value = criteria.Number(d.amount())
	case criteria.Money:
		out.Value = criteria.Fen(d.amount())
	case criteria.Ratio:
		out.Value = criteria.Permille(d.amount())
	case criteria.Date:
		a, b := date(pick(d, someDays...)), date(pick(d, someDays...))
		out.Value = pick(d, criteria.Day(a), criteria.Day(a), criteria.Span(a, b))
	case criteria.Category:
		out.Value = pick(d, criteria.Code(pick(d, d.codes(f)...)), criteria.OneOf(d.some(d.codes(f))...), criteria.Value{})
	case criteria.Flag:
		out.Value = criteria.Yes(d.IntN(2) == 0)
	case criteria.Holdings:
		var hs []criteria.Holding
		for d.IntN(3) > 0 {
			h := criteria.Holding{Code: pick(d, titles...)}
			if d.IntN(2) == 0 {
				h.From = date(pick(d, someDays...))
			}
			if d.IntN(2) == 0 {
				h.To = date(pick(d, someDays...))
			}
			hs = append(hs, h)
		}
		out.Value = criteria.Holds(hs...)
	}
	return out
}

// years draws what a field has in single years, around the days on which it is judged.
func (d *draw) years(f criteria.Field) []criteria.Year {
	if f.Yearly == "" || d.IntN(8) == 0 {
		return nil
	}
	var out []criteria.Year
	for _, first := range []int{2025, 2024, 2023, 1969} {
		for y := first; y > first-3; y-- {
			switch d.IntN(12) {
			case 0:
			case 1:
				out = append(out, criteria.Year{Year: y, Unknown: pick(d, criteria.Conflicting, criteria.NoBase)})
			default:
				out = append(out, criteria.Year{Year: y, N: d.amount()})
			}
		}
	}
	return out
}

func (d *draw) company() criteria.Facts {
	out := criteria.Facts{}
	for _, f := range d.fields {
		if d.IntN(6) > 0 {
			out[f.Name] = d.fact(f)
		}
	}
	return out
}

type object = map[string]any

func (d *draw) leaf() object {
	if d.IntN(15) == 0 {
		return object{"op": "human", "label": "技术水平领先"}
	}
	f := pick(d, d.fields...)
	op := pick(d, criteria.OpsOf(f.Kind)...)
	out := object{"field": f.Name, "op": op}
	bound := d.bound
	if f.Kind == criteria.Count && op != criteria.RatioGte {
		bound = func() int64 { return max(0, d.bound()) }
	}
	number := func() any { return fmt.Sprint(bound()) }
	switch {
	case op == criteria.Human:
		return out
	case f.Kind == criteria.Category || f.Kind == criteria.Holdings:
		out["value"] = d.some(d.codes(f))
		if op == criteria.Eq || op == criteria.Ne {
			out["value"] = pick(d, d.codes(f)...)
		}
		if op == criteria.Has || op == criteria.NotOn {
			switch d.IntN(4) {
			case 0:
				out["on"] = pick(d, someDays...)
			case 1:
				out["within"] = pick(d, 1, 2, 3, 5, 50)
			}
		}
		return out
	case f.Kind == criteria.Flag:
		out["value"] = d.IntN(2) == 0
		return out
	case op == criteria.RatioGte:
		out["unit"] = "‰"
		switch f.Name {
		case "employees", "insured":
			out["of"] = pick(d, "employees", "insured")
		case "revenue", "rd":
			out["of"] = pick(d, "revenue", "rd")
		}
	case op == criteria.YearsSinceGte || op == criteria.YearsSinceLt || op == criteria.YearsSinceLte:
		out["value"] = pick(d, 0, 1, 2, 3, 5, 57, 200)
		return out
	case f.Kind == criteria.Date:
		number = func() any { return pick(d, someDays...) }
	case f.Kind == criteria.Money:
		out["unit"] = "分"
	case f.Kind == criteria.Ratio:
		out["unit"] = "‰"
	}
	out["value"] = number()
	d.several(f, out)
	if op == criteria.Between {
		a, b := bound(), bound()
		out["value"] = []any{fmt.Sprint(min(a, b)), fmt.Sprint(max(a, b))}
		if f.Kind == criteria.Date {
			a, b := pick(d, someDays...), pick(d, someDays...)
			out["value"] = []any{min(a, b), max(a, b)}
		}
		if v := out["value"].([]any); v[0] != v[1] {
			out["ends"] = pick(d, "[]", "[)", "(]")
		}
	}
	return out
}

// several asks half of the clauses that can be asked of several years so.
func (d *draw) several(f criteria.Field, clause object) {
	if f.Yearly == "" || clause["of"] == "insured" || d.IntN(2) == 0 {
		return
	}
	overs := []string{"each", "any", "mean"}
	if clause["of"] != nil {
		overs = overs[:2]
	}
	if f.Booked {
		overs = append(overs, "total")
	}
	clause["years"], clause["over"] = pick(d, 1, 2, 3, 3, 4), pick(d, overs...)
}

// condition draws a tree; half of the leaves of wide groups make near misses common.
func (d *draw) condition(depth int) object {
	kind := pick(d, "leaf", "all", "all", "any", "not", "atLeast")
	if depth == 0 || kind == "leaf" && depth < 3 {
		return d.leaf()
	}
	if kind == "not" {
		return object{"not": d.condition(depth - 1)}
	}
	items := make([]object, 1+d.IntN(4))
	for i := range items {
		items[i] = d.condition(depth - 1)
	}
	if kind == "atLeast" {
		return object{"atLeast": object{"k": 1 + d.IntN(len(items)), "of": items}}
	}
	if kind == "leaf" {
		kind = "all"
	}
	return object{kind: items}
}

func (d *draw) parsed(t *testing.T, depth int) criteria.Condition {
	t.Helper()
	raw, err := json.Marshal(d.condition(depth))
	if err != nil {
		t.Fatal(err)
	}
	c, err := criteria.Parse(raw, d.schema)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return c
}

// same holds the columns' answer against the row by row answer of every company.
func same(t *testing.T, cols *criteria.Columns, all map[int64]criteria.Facts, c criteria.Condition, at time.Time) map[criteria.Decision]int {
	t.Helper()
	text, _ := json.Marshal(c)
	sets := cols.Evaluate(c, at)
	counts := map[criteria.Decision]int{}
	for id, facts := range all {
		o := c.Evaluate(facts, at)
		counts[o.Decision]++
		got, ok := sets.Decision(id)
		if !ok || got != o.Decision {
			t.Fatalf("%s on %s: company %d is %q, row by row %q\n%+v\n%+v", text, at, id, got, o.Decision, facts, o.Clauses)
		}
		if id%8 == 0 {
			if m := sets.Missing(id); !slices.Equal(m, o.Missing) {
				t.Fatalf("%s: company %d lacks %+v, row by row %+v", text, id, m, o.Missing)
			}
		}
	}
	for _, d := range []criteria.Decision{criteria.Eligible, criteria.Near, criteria.NotEligible, criteria.Undecided, criteria.NeedsHuman} {
		if n := sets.Count(d); n != counts[d] {
			t.Fatalf("%s: %d are %s, row by row %d", text, n, d, counts[d])
		}
	}
	return counts
}

// Columns and rows come to the same for random schemas, conditions and companies, and still do when facts change, companies
// go and come, and days pass.
func TestColumnsEqualRows(t *testing.T) {
	t.Parallel()
	total := map[criteria.Decision]int{}
	for seed := range uint64(24) {
		d := newDraw(seed)
		cols := criteria.NewColumns(d.schema)
		all := map[int64]criteria.Facts{}
		for id := range int64(60 + d.IntN(20)) {
			all[id] = d.company()
		}
		cols.Fill(maps.All(all))
		for round := range 30 {
			at := pick(d, today, today, date("2024-02-29"), date("2025-02-28"), time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC), date("1970-06-01"))
			for decision, n := range same(t, cols, all, d.parsed(t, 1+round%3), at) {
				total[decision] += n
			}
			for range 5 {
				id := d.Int64N(90)
				if d.IntN(4) == 0 {
					delete(all, id)
					cols.Remove(id)
				} else {
					all[id] = d.company()
					cols.Put(id, all[id])
				}
			}
		}
		if cols.Len() != len(all) {
			t.Errorf("%d companies, want %d", cols.Len(), len(all))
		}
	}
	for _, d := range []criteria.Decision{criteria.Eligible, criteria.Near, criteria.NotEligible, criteria.Undecided, criteria.NeedsHuman} {
		if total[d] < 500 {
			t.Errorf("only %d answers were %s: the draw does not test it", total[d], d)
		}
	}
}

// With thousands of rows the indexes have many cuts and lists become bitmaps; changes keep them right until they are cut anew.
func TestColumnsLarge(t *testing.T) {
	t.Parallel()
	d := newDraw(99)
	cols := criteria.NewColumns(d.schema)
	all := map[int64]criteria.Facts{}
	for id := range int64(3000) {
		all[id] = d.company()
		if v := all[id]["insured"]; v.Value.Known() && v.Unknown == "" {
			v.Value = criteria.Number(d.Int64N(5000))
			all[id]["insured"] = v
		}
	}
	cols.Fill(maps.All(all))
	leaf := func(text string) criteria.Condition {
		c, err := criteria.Parse([]byte(text), d.schema)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for round := range 4 {
		same(t, cols, all, leaf(fmt.Sprintf(`{"field":"insured","op":"between","value":[%d,%d]}`, 1000*round, 1000*round+777)), today)
		same(t, cols, all, d.parsed(t, 2), today)
		for id := range int64(700) { // heaps of one region of the numbers outgrow their bucket
			all[id] = d.company()
			all[id]["insured"] = known(criteria.Number(2000 + d.Int64N(300)))
			cols.Put(id, all[id])
		}
	}
}

// Pages show every company of a set once, in order, and an answer stays as it was when the store changes.
func TestColumnsPages(t *testing.T) {
	t.Parallel()
	s := mustSchema(t)
	cols := criteria.NewColumns(s)
	for id := range int64(300) {
		cols.Put(1000+id, criteria.Facts{"employees": known(criteria.Number(id)), "region": known(criteria.Code(fmt.Sprintf("11011200%d", id%3)))})
	}
	sets := cols.Evaluate(mustParse(t, `{"field":"employees","op":"gte","value":100}`), today)
	cols.Put(1250, criteria.Facts{})
	cols.Remove(1251)
	var got []int64
	for at := 0; at >= 0; {
		ids, next := sets.Page(criteria.Eligible, at, 64)
		got, at = append(got, ids...), next
	}
	if len(got) != 200 || got[0] != 1100 || got[199] != 1299 || !slices.IsSorted(got) || sets.Count(criteria.Near) != 100 {
		t.Errorf("%d pages' ids %v", len(got), got)
	}
	if by := sets.CountBy(criteria.Near, "region"); by["110112000"] != 34 || by["110112001"] != 33 || by["110112002"] != 33 {
		t.Errorf("by region %v", by)
	}
	again := cols.Evaluate(criteria.Condition{}, today)
	if again.Count(criteria.Eligible) != 299 || cols.Len() != 299 || cols.Bytes() < 299*8 {
		t.Errorf("%d of %d in %d bytes", again.Count(criteria.Eligible), cols.Len(), cols.Bytes())
	}
	if _, ok := cols.Facts(1251); ok {
		t.Error("a removed company is still there")
	}
}
