package criteria

import (
	"math"
	"sort"
	"time"
)

// sides is a clause held against all rows: where it is true, where it is false, and where it is false and the enterprise can
// come to meet it. The rest is unknown, or for a human.
type sides struct {
	t, f, reach bitmap
	human       bool
}

// asked is one evaluation over the columns.
type asked struct {
	*Columns
	day   time.Time
	on    int32 // day, as a number
	words int
	taken []bitmap
}

// room returns an empty bitmap for every row that is good until done.
func (a *asked) room() bitmap {
	var b bitmap
	if n := len(a.spare); n > 0 {
		b, a.spare = a.spare[n-1], a.spare[:n-1]
		if cap(b) >= a.words {
			b = b[:a.words]
			clear(b)
		} else {
			b = nil
		}
	}
	if b == nil {
		b = make(bitmap, a.words)
	}
	a.taken = append(a.taken, b)
	return b
}

// mostSpare bounds the bitmaps kept for the next evaluation.
const mostSpare = 64

func (a *asked) done() {
	a.spare = append(a.spare, a.taken[:min(len(a.taken), mostSpare-len(a.spare))]...)
}

// counting returns the rows of a column whose value counts on the day, with room for every row.
func (a *asked) counting(x *column) bitmap {
	b := a.room()
	copy(b, x.on(a.on))
	return b
}

func (a *asked) leaf(l *leaf) sides {
	s := sides{t: a.room(), human: l.op == Human}
	x := a.columns[l.field.Name]
	if s.human || x == nil {
		s.f = a.room()
		return s
	}
	if l.years > 0 {
		a.several(l, x, a.columns[l.of.Name], &s)
		return s
	}
	s.f = a.counting(x) // what is true or unknown leaves it again
	switch {
	case l.of.Name != "":
		a.quotient(l, x, a.columns[l.of.Name], &s)
		s.reach = s.f
		return s
	case x.field.Kind == Category:
		a.category(l, x, &s)
		return s
	case x.field.Kind == Holdings:
		for _, code := range l.codes {
			x.holdings.counting(l, s.t, code, a, len(a.ids))
		}
		s.t.and(s.f)
		s.f.andNot(s.t)
		if l.op == NotOn {
			s.t, s.f = s.f, s.t
		} else {
			s.reach = s.f
		}
		return s
	case x.field.Kind == Flag:
		s.t.or(x.yes)
		s.t.and(s.f)
		s.f.andNot(s.t)
		if l.flag != (l.op == Eq) {
			s.t, s.f = s.f, s.t
		}
		return s
	}
	x.numbers.index(x.known)
	a.interval(l, &x.numbers, &s)
	a.odd(l, &x.numbers, x.on(a.on), &s)
	return s
}

// category follows leaf.category: exact codes by the kept answers, sets of possible codes one by one.
func (a *asked) category(l *leaf, x *column, s *sides) {
	rows := len(a.ids)
	maybe := false
	for _, code := range l.codes {
		w := x.categories.ask(x.field, question{code, l.op == Under}, rows)
		w.inside.into(s.t)
		maybe = maybe || w.maybe.n > 0
	}
	if maybe {
		m := a.room()
		for _, code := range l.codes {
			x.categories.ask(x.field, question{code, l.op == Under}, rows).maybe.into(m)
		}
		m.andNot(s.t)
		s.f.andNot(m)
	}
	s.t.and(s.f) // what is not too old
	s.f.andNot(s.t)
	eq := *l
	eq.op = map[bool]Op{true: Eq, false: l.op}[l.op == Ne]
	for _, e := range x.categories.several {
		if e.rows.n == 0 {
			continue
		}
		v := eq.category(e.codes)
		if v == False {
			continue
		}
		e.rows.each(func(row uint32) {
			if !s.f.has(row) {
				return
			}
			s.f.clear(row)
			if v == True {
				s.t.set(row)
			}
		})
	}
	if l.op == Ne {
		s.t, s.f = s.f, s.t
	}
}

// interval follows leaf.amount and leaf.date for what the index holds: the true values lie from lo on and below hi, or,
// turned, outside.
func (a *asked) interval(l *leaf, c *numbers, s *sides) {
	lo, hi, turned := int64(math.MinInt64), int64(math.MaxInt64), false
	low, high := l.lo, l.hi
	if l.field.Kind == Date {
		low, high = low/86400, high/86400
	}
	reach := false
	switch l.op {
	case Eq, Ne:
		lo, hi, turned = low, low+1, l.op == Ne
	case Gt:
		lo, reach = low+1, true
	case Gte, RatioGte:
		lo, reach = low, true
	case Lt:
		hi = low
	case Lte:
		hi = low + 1
	case Between:
		lo, hi, reach = low, high+1, true
	case YearsSinceGte:
		hi, reach = a.full(l.lo, false), true
	case YearsSinceLt:
		lo = a.full(l.lo, false)
	case YearsSinceLte:
		lo = a.full(l.lo, true)
	}
	reach = reach && (l.field.Kind != Date || l.op == YearsSinceGte)
	var below bitmap
	if lo != math.MinInt64 {
		below = a.room()
		c.less(below, lo)
		below.and(s.f)
	}
	if hi == math.MaxInt64 {
		copy(s.t, s.f)
	} else {
		c.less(s.t, hi)
		s.t.and(s.f)
	}
	s.t.andNot(below)
	s.f.andNot(s.t)
	if turned {
		s.t, s.f = s.f, s.t
	}
	if reach {
		s.reach = s.f
		if l.op == Between {
			s.reach = below
		}
	}
}

// full returns the first day from which on years are not full on the day of judging; with exactly, the first from which on
// they are not more than full.
func (a *asked) full(years int64, exactly bool) int64 {
	const span = 80_000 // more than 200 years in days
	first := int64(a.on) - span
	return first + int64(sort.Search(2*span, func(i int) bool {
		on := addYears(dayAt(int32(first)+int32(i)), int(years)) // #nosec G115 -- days near today
		if exactly {
			return !on.Before(a.day)
		}
		return on.After(a.day)
	}))
}

// odd judges one by one what the index does not hold.
func (a *asked) odd(l *leaf, c *numbers, on bitmap, s *sides) {
	if len(c.odd) == 0 {
		return
	}
	if len(s.reach) > 0 && &s.reach[0] == &s.f[0] {
		s.reach = append(bitmap(nil), s.f...)
	}
	for row, v := range c.odd {
		if !on.has(row) {
			continue
		}
		s.t.clear(row)
		s.f.clear(row)
		s.reach.clear(row)
		var got Verdict
		var reach bool
		if l.field.Kind == Date {
			got, _, reach = l.date(v.day, a.day)
			if v.last.After(v.day) && l.span(v, a.day) == Unknown {
				continue
			}
		} else {
			got, _, reach = l.amount(v.n)
		}
		if got == True {
			s.t.set(row)
			continue
		}
		s.f.set(row)
		if reach && s.reach != nil {
			s.reach.set(row)
		}
	}
}

// quotient follows leaf.quotient. Over nothing there is no ratio.
func (a *asked) quotient(l *leaf, x, base *column, s *sides) {
	if base == nil {
		clear(s.f)
		return
	}
	s.f.and(base.on(a.on))
	a.share(l, &x.numbers, &base.numbers, s)
}

// share holds the rows of s.f against a ratio of two numbers.
func (a *asked) share(l *leaf, over, under *numbers, s *sides) {
	// Small enough for both products; most are.
	small := l.lo >= 0 && l.lo <= 1<<20
	const most = 1 << 42
	s.f.each(func(row uint32) {
		n, d := over.of[row], under.of[row]
		var holds bool
		switch {
		case d <= 0:
			s.f.clear(row)
			return
		case small && d < most && n < most && n > -most:
			holds = n*1000 >= d*l.lo
		default:
			holds = ratioAtLeast(n, d, l.lo)
		}
		if holds {
			s.t.set(row)
		}
	})
	s.f.andNot(s.t)
}
