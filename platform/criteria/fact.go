package criteria

import (
	"slices"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
)

// Reason says why a fact is not known.
type Reason string

// The reasons. Unreadable is a fact of another kind than its field: a mistake of whoever collected it.
const (
	NotCollected Reason = "not_collected"
	Expired      Reason = "expired"
	Conflicting  Reason = "conflicting"
	NotConsented Reason = "not_consented"
	Unreadable   Reason = "unreadable"
	Imprecise    Reason = "imprecise" // known only as several possibilities
	NoBase       Reason = "no_base"   // a ratio over nothing
)

// Text says the reason in Chinese.
func (r Reason) Text() string {
	switch r {
	case Expired:
		return "数据已过有效期，需更新"
	case Conflicting:
		return "不同来源的数据不一致，需核实"
	case NotConsented:
		return "企业尚未授权使用该数据"
	case Unreadable:
		return "数据格式有误，需核实"
	case Imprecise:
		return "现有数据不够精确，尚不能判定"
	case NoBase:
		return "比值的分母不大于零，无法计算"
	}
	return "尚未采集该数据"
}

// Holding is one qualification held or list stood on. Zero From or To leave that side open; both days are included.
type Holding struct {
	Code     string
	From, To time.Time
}

func (h Holding) valid(day time.Time) bool {
	return (h.From.IsZero() || !day.Before(dayOf(h.From))) && (h.To.IsZero() || !day.After(dayOf(h.To)))
}

// Value is the value of a fact. The zero Value means unknown.
type Value struct {
	kind     Kind
	n        int64
	day      time.Time
	last     time.Time // of a span of days; day when there is one
	flag     bool
	codes    []string
	holdings []Holding
}

// Number is a whole number, for fields of kind Count.
func Number(n int64) Value { return Value{kind: Count, n: n} }

// Fen is an amount of money, for fields of kind Money.
func Fen(n int64) Value { return Value{kind: Money, n: n} }

// Permille is a ratio in thousandths: 2.6% is 26.
func Permille(n int64) Value { return Value{kind: Ratio, n: n} }

// Day is the day t falls on in Beijing.
func Day(t time.Time) Value { return Value{kind: Date, day: dayOf(t), last: dayOf(t)} }

// Span is a day known only to lie between two, both included.
func Span(from, to time.Time) Value { return Value{kind: Date, day: dayOf(from), last: dayOf(to)} }

// Yes is a flag.
func Yes(b bool) Value { return Value{kind: Flag, flag: b} }

// Code is a category known exactly.
func Code(code string) Value { return OneOf(code) }

// OneOf is a category known to be one of codes. Without codes it is unknown.
func OneOf(codes ...string) Value {
	if len(codes) == 0 {
		return Value{}
	}
	c := slices.Clone(codes)
	slices.Sort(c)
	return Value{kind: Category, codes: slices.Compact(c)}
}

// Holds is the complete list of what is held. An empty list is knowledge: nothing is held.
func Holds(h ...Holding) Value { return Value{kind: Holdings, holdings: slices.Clone(h)} }

// Known reports whether v is a value.
func (v Value) Known() bool { return v.kind != "" }

// Fact is what is known of one field of one enterprise.
type Fact struct {
	Value   Value
	Unknown Reason // why there is no value; NotCollected when empty
	Source  string // Chinese: 市场监管部门登记信息
	AsOf    time.Time
	Stated  bool // the enterprise says so itself, and nobody has checked it
	// Years is what is known of single years, each once; for fields that conditions may ask of several years.
	Years []Year `json:",omitempty"`
}

// Facts are the facts of one enterprise by field name. A missing field is NotCollected.
type Facts map[string]Fact

// look returns the value of a field on day, or why it is not known.
func (fs Facts) look(f Field, day time.Time) (Fact, Reason) {
	x, ok := fs[f.Name]
	switch {
	case !ok:
		return x, NotCollected
	case !x.Value.Known() && x.Unknown == "":
		return x, NotCollected
	case !x.Value.Known() || x.Unknown != "":
		return x, x.Unknown
	case x.Value.kind != f.Kind:
		return x, Unreadable
	case f.MaxAge > 0 && day.Sub(dayOf(x.AsOf)) > f.MaxAge:
		return x, Expired
	}
	return x, ""
}

// dayOf returns midnight UTC of the day t falls on in Beijing: days compare and subtract without zones.
func dayOf(t time.Time) time.Time {
	y, m, d := t.In(clock.Beijing).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// addYears moves a day by whole years; 29 February becomes the month's last day, as 民法典 §203 has it.
func addYears(day time.Time, years int) time.Time {
	t := day.AddDate(years, 0, 0)
	if t.Day() != day.Day() {
		t = t.AddDate(0, 0, -t.Day())
	}
	return t
}

func showDay(t time.Time) string { return t.Format("2006年1月2日") }
