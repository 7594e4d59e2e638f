package criteria

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Year is what is known of a field in one year of the calendar: N in the unit of the field's kind, or why not.
type Year struct {
	Year    int
	N       int64  `json:",omitempty"`
	Unknown Reason `json:",omitempty"` // why there is no number
	Source  string `json:",omitempty"`
	AsOf    time.Time
	Stated  bool `json:",omitempty"`
}

// MaxYears is how many years back a clause may ask.
const MaxYears = 10

// over is how the years of a clause are taken together.
type over string

// What is asked of several years: each of them, one of them, their mean, their sum.
const (
	overEach  over = "each"
	overAny   over = "any"
	overMean  over = "mean"
	overTotal over = "total"
)

var overText = map[over]string{overEach: "均", overAny: "任意一年", overMean: "平均", overTotal: "合计"}

// several checks a clause about several years.
func (l *leaf) several(at place) error {
	switch {
	case l.years == 0 && l.over == "":
		return nil
	case l.years == 0:
		return at.wrong("请写明「%s」是近几年的", l.label)
	case l.over == "":
		return at.wrong("请写明「%s」是各年均、任意一年、平均还是合计", l.label)
	case l.field.Yearly == "":
		return at.wrong("「%s」没有分年数据，不能按近几年判定", l.field.Label)
	case l.of.Name != "" && l.of.Yearly == "":
		return at.wrong("「%s」没有分年数据，不能按近几年判定", l.of.Label)
	case l.of.Name != "" && l.over == overMean:
		return at.wrong("两项之比请用各年均、任意一年或合计，不能用平均")
	case l.over == overTotal && (!l.field.Booked || l.of.Name != "" && !l.of.Booked):
		return at.wrong("「%s」各年的数不能相加，请用平均、各年均或任意一年", l.label)
	}
	return nil
}

// fullYears returns the years a clause asks on a day, the latest first: those that are over.
func (l *leaf) fullYears(day time.Time) []int {
	out := make([]int, l.years)
	for i := range out {
		out[i] = day.Year() - 1 - i
	}
	return out
}

// inYear returns what is known of a field in a year, or why it is not known.
func (fs Facts) inYear(f Field, year int) (Year, Reason) {
	x := fs[f.Name]
	at := slices.IndexFunc(x.Years, func(y Year) bool { return y.Year == year })
	switch {
	case at >= 0:
		return x.Years[at], x.Years[at].Unknown
	case x.Unknown == NotConsented:
		return Year{}, NotConsented
	}
	return Year{}, NotCollected
}

// several judges a clause about several years.
func (e *evaluator) several(l *leaf, c Clause) (Clause, []gap, bool) {
	years := l.fullYears(e.day)
	var (
		gaps      []gap
		told      []string
		short     []string // what each year that falls short lacks
		sources   []string
		sum, base total
		verdicts  = make([]Verdict, len(years))
		ofRatio   = l.of.Name != ""
		blank     = true // of no year anything is known
	)
	for i, year := range years {
		y, why := e.facts.inYear(l.field, year)
		var b Year
		whyBase := Reason("")
		if ofRatio {
			b, whyBase = e.facts.inYear(l.of, year)
			if whyBase == "" && b.N <= 0 && l.over != overTotal {
				whyBase = NoBase
			}
		}
		if why != "" {
			gaps = append(gaps, gap{l.field, why, year})
		}
		if whyBase != "" {
			gaps = append(gaps, gap{l.of, whyBase, year})
		}
		verdicts[i] = Unknown
		if why != "" || whyBase != "" {
			told = append(told, fmt.Sprintf("%d年 %s", year, unknownYear(why, whyBase)))
			continue
		}
		blank = false
		sum.add(y.N)
		base.add(b.N)
		for _, from := range []Year{y, b} {
			c.Stated = c.Stated || from.Stated
			if from.Source != "" && !slices.Contains(sources, from.Source) {
				sources = append(sources, from.Source)
			}
			if day := dayOf(from.AsOf).Format(time.DateOnly); !from.AsOf.IsZero() && day > c.AsOf {
				c.AsOf = day
			}
		}
		var gap, shown string
		if ofRatio {
			if l.over == overTotal {
				told = append(told, fmt.Sprintf("%d年 %s、%s", year, l.field.number(y.N), l.of.number(b.N)))
				continue
			}
			verdicts[i], shown, gap = l.quotient(y.N, b.N)
		} else {
			verdicts[i], gap, _ = l.amount(y.N)
			shown = l.field.number(y.N)
		}
		told = append(told, fmt.Sprintf("%d年 %s", year, shown))
		if verdicts[i] == False && gap != "" {
			short = append(short, fmt.Sprintf("%d年%s", year, gap))
		}
	}
	c.Source = strings.Join(sources, "、")
	if !blank {
		c.Actual = strings.Join(told, "，")
	}
	raises := l.op == Gt || l.op == Gte || l.op == RatioGte
	var reach bool
	switch l.over {
	case overEach:
		c.Verdict = combine("all", 0, verdicts)
		c.Gap = strings.Join(short, "；")
		reach = leaves(verdicts)
	case overAny:
		c.Verdict = combine("any", 0, verdicts)
		c.Gap, reach = strings.Join(short, "；"), raises
	default:
		c.Verdict = Unknown
		reach = raises
		if len(gaps) == 0 && ofRatio && base.sign() <= 0 {
			gaps = append(gaps, gap{l.of, NoBase, years[0]})
		}
		if len(gaps) == 0 {
			var shown string
			c.Verdict, shown, c.Gap = l.together(&sum, &base)
			c.Actual = shown + "（" + c.Actual + "）"
		}
	}
	if c.Verdict != False {
		c.Gap = ""
	}
	if c.Verdict != Unknown {
		return c, nil, reach && c.Verdict == False
	}
	c.Reason, c.Why = gaps[0].reason, yearsWhy(gaps)
	return c, gaps, false
}

// leaves reports that only the earliest year fails, which the next year's books take out of the count.
func leaves(vs []Verdict) bool {
	last := len(vs) - 1
	for i, v := range vs {
		if (v == False) != (i == last) || v == Unknown {
			return false
		}
	}
	return true
}

// divisor is what a sum is divided by: the number of years for a mean.
func (l *leaf) divisor() int64 {
	if l.over == overMean {
		return int64(l.years)
	}
	return 1
}

// holdsTogether holds the sum of the years, or their mean, against the clause. An end that is not part of a range is left out
// of the mean itself, not of the whole numbers beside it.
func (l *leaf) holdsTogether(sum, base *total) bool {
	if l.of.Name != "" { // sum ÷ base against permille
		return new(big.Int).Mul(sum.big(), big.NewInt(1000)).Cmp(new(big.Int).Mul(base.big(), big.NewInt(l.lo))) >= 0
	}
	to := func(bound int64) int { return sum.against(1, bound, l.divisor()) }
	switch l.op {
	case Eq:
		return to(l.lo) == 0
	case Ne:
		return to(l.lo) != 0
	case Gt:
		return to(l.lo) > 0
	case Gte, RatioGte:
		return to(l.lo) >= 0
	case Lt:
		return to(l.lo) < 0
	case Lte:
		return to(l.lo) <= 0
	}
	low, high := to(l.lo) >= 0, to(l.hi) <= 0
	if l.openLo {
		low = to(l.lo-l.step()) > 0
	}
	if l.openHi {
		high = to(l.hi+l.step()) < 0
	}
	return low && high
}

// together judges the sum of the years, or their mean, and says it.
func (l *leaf) together(total, under *total) (v Verdict, actual, gap string) {
	word := overText[l.over] + " "
	v = verdict(l.holdsTogether(total, under))
	sum, base := total.big(), under.big()
	if l.of.Name != "" {
		tenths := floorDiv(new(big.Int).Mul(sum, big.NewInt(10_000)), base)
		if v == True {
			return v, word + show(tenths, 100) + "%", ""
		}
		return v, word + show(tenths, 100) + "%", "还差 " + show(l.lo*10-tenths, 100) + " 个百分点"
	}
	n := l.divisor()
	switch actual = word; {
	case l.over == overTotal:
		actual += l.field.number(floorDiv(sum, big.NewInt(1)))
	case l.field.Kind == Money:
		actual += money(floorDiv(sum, big.NewInt(n)))
	case l.field.Kind == Ratio: // to a hundredth of a percent, cut
		actual += show(floorDiv(new(big.Int).Mul(sum, big.NewInt(10)), big.NewInt(n)), 100) + "%"
	default:
		actual += strings.TrimSpace(grouped(show(floorDiv(new(big.Int).Mul(sum, big.NewInt(100)), big.NewInt(n)), 100)) + " " + l.unit)
	}
	if v == True {
		return v, actual, ""
	}
	return v, actual, l.shortOf(sum, n)
}

// shortOf says how much a sum or mean lacks, or has too much, rounded up to the smallest unit.
func (l *leaf) shortOf(sum *big.Int, n int64) string {
	apart := func(bound int64, over bool) int64 {
		d := new(big.Int).Sub(new(big.Int).Mul(big.NewInt(bound), big.NewInt(n)), sum)
		if over {
			d.Neg(d)
		}
		return floorDiv(d.Add(d, big.NewInt(n-1)), big.NewInt(n))
	}
	word, tail := overText[l.over], ""
	least, most := l.lo, l.lo
	if l.op == Between {
		least, most = l.lo, l.hi
	}
	if l.op == Gt || l.op == Lt || l.openLo || l.openHi {
		tail = "以上"
	}
	if d := apart(least, false); d > 0 && l.op != Lt && l.op != Lte && l.op != Eq && l.op != Ne {
		return word + "还差 " + l.amountText(d) + tail
	}
	if d := apart(most, true); d > 0 && l.op != Gt && l.op != Gte && l.op != RatioGte && l.op != Eq && l.op != Ne {
		return word + "超出 " + l.amountText(d) + tail
	}
	if l.op == Gt || l.op == Lt || l.op == Between {
		return "恰好等于界限，不符合"
	}
	return ""
}

// floorDiv divides towards minus infinity; b is positive. What is beyond int64 is shown as its end.
func floorDiv(a, b *big.Int) int64 {
	q := new(big.Int).Div(a, b) // Euclidean: towards minus infinity for b > 0
	switch {
	case q.IsInt64():
		return q.Int64()
	case q.Sign() < 0:
		return -1 << 62
	}
	return 1 << 62
}

// number shows a number of the field.
func (f Field) number(n int64) string {
	switch f.Kind {
	case Ratio:
		return show(n, 10) + "%"
	case Money:
		return money(n)
	}
	return count(n, f.Unit)
}

// showYears lists what is known of single years, the latest first.
func (f Field) showYears(years []Year) string {
	var out []string
	for _, y := range slices.Backward(slices.SortedFunc(slices.Values(years), func(a, b Year) int { return cmp.Compare(a.Year, b.Year) })) {
		if y.Unknown == "" {
			out = append(out, fmt.Sprintf("%d年 %s", y.Year, f.number(y.N)))
		}
	}
	if len(out) < 2 {
		return ""
	}
	return "（" + strings.Join(out, "，") + "）"
}

func unknownYear(why ...Reason) string {
	for _, w := range why {
		switch w {
		case "", NotCollected:
			continue
		case NoBase:
			return "分母不大于零"
		case NotConsented:
			return "未授权"
		}
		return "待核实"
	}
	return "尚无数据"
}

// yearsWhy says which years a clause lacks and why.
func yearsWhy(gaps []gap) string {
	var years []int
	for _, g := range gaps {
		if g.reason == gaps[0].reason && !slices.Contains(years, g.year) {
			years = append(years, g.year)
		}
	}
	slices.Sort(years)
	return joinYears(years) + " 年：" + gaps[0].reason.Text()
}

func joinYears(years []int) string {
	out := make([]string, len(years))
	for i, y := range years {
		out[i] = strconv.Itoa(y)
	}
	return strings.Join(out, "、")
}

// lastYears says how many years in Chinese: 近三年.
func lastYears(n int) string {
	return "近" + [...]string{"", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十"}[n] + "年"
}
