package enterprise

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

// yearsBack is how many full years are kept apart, and how far back a company may fill in its books.
const (
	yearsBack   = criteria.MaxYears
	yearsStated = 5
)

// yearOf is the year of the calendar a word is about: of what is booked for a year ("上年营业收入") the last year that was over
// on its day, or ends in its month, since books are dated about the end of their year; of what stands at a moment the year of
// its day.
func (f field) yearOf(asOf time.Time) int {
	day := asOf.In(clock.Beijing)
	if f.booked {
		return day.AddDate(0, 1, 0).Year() - 1
	}
	return day.Year()
}

// annual picks, of a field, the fact that counts of each full year before now, the latest first. The words of one year are
// weighed as when the last of them was fresh: of a year long past an office's word is not the worse for its age.
func (r ruling) annual(f field, rows []Fact, now time.Time) []Fact {
	last := now.In(clock.Beijing).Year() - 1
	by := map[int][]Fact{}
	for _, x := range rows {
		if y := f.yearOf(x.AsOf); y <= last && y > last-yearsBack {
			by[y] = append(by[y], x)
		}
	}
	var out []Fact
	for _, y := range slices.Backward(slices.Sorted(maps.Keys(by))) {
		if len(by[y]) == 1 && by[y][0].Source != settled { // nearly always
			if _, _, readable := f.read(by[y][0].Value, Terms{}); readable {
				out = append(out, by[y][0])
			}
			continue
		}
		newest := slices.MaxFunc(by[y], func(a, b Fact) int { return a.AsOf.Compare(b.AsOf) })
		if c, ok := r.choose(f, by[y], newest.AsOf); ok {
			out = append(out, c.words[0].Fact)
		}
	}
	return out
}

// yearly adds to the facts of a company what single years had of the fields that conditions may ask so, the shares of each,
// and by how much revenue grew.
func (r ruling) yearly(out criteria.Facts, by map[string][]Fact, now time.Time) {
	years := map[string][]Fact{}
	for _, f := range fields {
		if f.yearly == "" || len(by[f.name]) == 0 {
			continue
		}
		years[f.name] = r.annual(f, by[f.name], now)
		x := out[f.name]
		x.Years = append(x.Years, f.years(years[f.name])...)
		if x.Years != nil {
			out[f.name] = x
		}
	}
	share(out, years, "rdRatio", "rdSpend", "revenue")
	share(out, years, "debtRatio", "liabilities", "assets")
	books := out["revenue"].Years
	if all := Growths(books); all != nil {
		x := criteria.Fact{Years: all}
		if g, ok := GrowthNow(books); ok {
			x.Source, x.AsOf, x.Unknown = g.Source, g.AsOf, g.Unknown
			if g.Unknown == "" {
				x.Value = criteria.Permille(g.N)
			}
		}
		out["revenueGrowth"] = x
	}
}

// years are the facts of single years as conditions read them.
func (f field) years(facts []Fact) []criteria.Year {
	var out []criteria.Year
	for _, y := range facts {
		out = append(out, criteria.Year{Year: f.yearOf(y.AsOf), N: number(y), Source: y.SourceName, AsOf: y.AsOf})
	}
	return out
}

// share adds to a share what it was in the years of which both sides are known.
func share(out criteria.Facts, years map[string][]Fact, name, over, under string) {
	a, _ := fieldOf(over)
	b, _ := fieldOf(under)
	x := out[name]
	for _, s := range years[over] {
		year := a.yearOf(s.AsOf)
		i := slices.IndexFunc(years[under], func(x Fact) bool { return b.yearOf(x.AsOf) == year })
		if i < 0 {
			continue
		}
		n, asOf, _ := quotient(map[string]Fact{over: s, under: years[under][i]}, over, under)
		y := criteria.Year{Year: year, N: n, Source: derivedSource, AsOf: asOf}
		if n < 0 {
			y.N, y.Unknown = 0, criteria.NoBase
		}
		x.Years = append(x.Years, y)
	}
	if x.Years != nil {
		out[name] = x
	}
}

// statedYear reads the year of the books a company fills in: the last one when it says none.
func statedYear(typed string, now time.Time) (int, error) {
	last := now.In(clock.Beijing).Year() - 1
	if typed = strings.TrimSuffix(plainNumber(typed), "年"); typed == "" {
		return last, nil
	}
	year, err := strconv.Atoi(typed)
	if err != nil || year > last || year <= last-yearsStated {
		return 0, fault.InvalidField("year", "YEAR", "数据年度应为 "+strconv.Itoa(last-yearsStated+1)+" 到 "+strconv.Itoa(last)+" 年之间已结束的年度")
	}
	return year, nil
}

// StatedYear is what a company has said of one year, as it typed it.
type StatedYear struct {
	Year   int               `json:"year"`
	Values map[string]string `json:"values"`
}

// statedYears lists what a company has said of the years it may fill in, the latest first; years without a word are there too.
func statedYears(rows []Fact, now time.Time) []StatedYear {
	last := now.In(clock.Beijing).Year() - 1
	out := make([]StatedYear, yearsStated)
	for i := range out {
		out[i] = StatedYear{Year: last - i, Values: map[string]string{}}
	}
	said := slices.DeleteFunc(slices.Clone(rows), func(x Fact) bool { return x.Source != FromSelf })
	slices.SortStableFunc(said, func(a, b Fact) int { return cmp.Compare(a.ID, b.ID) })
	for _, x := range said {
		f, ok := fieldOf(x.Field)
		if i := last - f.yearOf(x.AsOf); ok && f.yearly != "" && i >= 0 && i < yearsStated {
			out[i].Values[x.Field] = typedAs(f, x)
		}
	}
	return out
}
