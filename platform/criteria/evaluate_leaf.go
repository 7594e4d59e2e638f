package criteria

import (
	"fmt"
	"slices"
	"time"
)

// leaf judges one clause. gaps lists the fields it lacks; reach reports a false clause the enterprise can come to meet.
func (e *evaluator) leaf(l *leaf) (c Clause, gaps []gap, reach bool) {
	c = Clause{Field: l.field.Name, Op: l.op, Label: l.label, Quote: l.quote, Required: l.required()}
	if l.op == Human {
		c.Verdict, c.Why = HumanVerdict, "该条件无法由数据判定，需人工判定"
		return c, nil, false
	}
	if l.years > 0 {
		return e.several(l, c)
	}
	lack := func(f Field, r Reason) (Clause, []gap, bool) {
		gaps = append(gaps, gap{field: f, reason: r})
		c.Verdict, c.Reason, c.Why = Unknown, gaps[0].reason, gaps[0].reason.Text()
		return c, gaps, false
	}
	fact, why := e.facts.look(l.field, e.day)
	c.Source, c.Stated = fact.Source, fact.Stated
	if !fact.AsOf.IsZero() {
		c.AsOf = dayOf(fact.AsOf).Format(time.DateOnly)
	}
	if l.of.Name != "" {
		base, baseWhy := e.facts.look(l.of, e.day)
		c.Stated = c.Stated || base.Stated
		if why != "" {
			lack(l.field, why)
		}
		if baseWhy == "" && base.Value.n <= 0 {
			baseWhy = NoBase
		}
		if baseWhy != "" {
			lack(l.of, baseWhy)
		}
		if len(gaps) > 0 {
			return c, gaps, false
		}
		c.Verdict, c.Actual, c.Gap = l.quotient(fact.Value.n, base.Value.n)
		return c, nil, c.Verdict == False
	}
	if why != "" {
		return lack(l.field, why)
	}
	c.Actual = l.field.show(fact.Value, e.day)
	switch l.field.Kind {
	case Category:
		c.Verdict = l.category(fact.Value.codes)
		if c.Verdict == Unknown {
			return lack(l.field, Imprecise)
		}
	case Flag:
		c.Verdict = verdict((fact.Value.flag == l.flag) == (l.op == Eq))
	case Holdings:
		c.Verdict, c.Gap = l.holds(fact.Value.holdings, e.day)
		reach = l.op == Has
	case Date:
		c.Verdict, c.Gap, reach = l.date(fact.Value.day, e.day)
		if fact.Value.last.After(fact.Value.day) {
			if v := l.span(fact.Value, e.day); v == Unknown {
				c.Gap = ""
				return lack(l.field, Imprecise)
			}
		}
	default:
		c.Verdict, c.Gap, reach = l.amount(fact.Value.n)
		if reach && l.lo > 0 && fact.Value.n > 0 && fact.Value.n < l.lo {
			c.Reached = int(ratioFloor(fact.Value.n, l.lo) / 10)
		}
	}
	return c, nil, reach && c.Verdict == False
}

func verdict(b bool) Verdict {
	if b {
		return True
	}
	return False
}

// category compares the set of possible codes; see the package comment.
func (l *leaf) category(codes []string) Verdict {
	inside, maybe := 0, 0
	for _, c := range codes {
		switch {
		case slices.ContainsFunc(l.codes, func(want string) bool { return l.op == Under && l.field.under(c, want) || c == want }):
			inside++
		case (l.op == Under || l.field.Under != nil) && slices.ContainsFunc(l.codes, func(want string) bool { return l.field.under(want, c) }):
			maybe++ // known only more coarsely than asked: C when 39 is asked
		}
	}
	v := Unknown
	if inside == len(codes) {
		v = True
	} else if inside+maybe == 0 {
		v = False
	}
	if l.op == Ne {
		return combine("not", 0, []Verdict{v})
	}
	return v
}

func (l *leaf) holds(hs []Holding, day time.Time) (Verdict, string) {
	if l.on != 0 {
		day = time.Unix(l.on, 0).UTC()
	}
	var ended *Holding
	for i, h := range hs {
		if !slices.Contains(l.codes, h.Code) {
			continue
		}
		if l.counts(h, day) {
			if l.op == NotOn {
				return False, l.found() + l.field.labelOf(h.Code)
			}
			return True, ""
		}
		if !h.To.IsZero() && dayOf(h.To).Before(day) && (ended == nil || h.To.After(ended.To)) {
			ended = &hs[i]
		}
	}
	switch {
	case l.op == NotOn:
		return True, ""
	case l.within > 0:
		return False, fmt.Sprintf("近 %d 年内未取得：", l.within) + l.field.labels(l.codes)
	case ended != nil:
		return False, fmt.Sprintf("%s已于 %s到期", l.field.labelOf(ended.Code), showDay(dayOf(ended.To)))
	}
	return False, "尚未取得：" + l.field.labels(l.codes)
}

// counts reports whether a holding speaks for or against: valid on the day, or of the last years. What was held from an
// unknown day on was not obtained within them; an event of an unknown day counts as long as it lasts.
func (l *leaf) counts(h Holding, day time.Time) bool {
	if l.within == 0 {
		return h.valid(day)
	}
	since := addYears(day, -l.within)
	begun := h.From.IsZero() || !dayOf(h.From).After(day)
	if l.op == Has || l.field.Event && !h.From.IsZero() {
		return !h.From.IsZero() && begun && !dayOf(h.From).Before(since)
	}
	return begun && (h.To.IsZero() || !dayOf(h.To).Before(since))
}

// compare is the ordering operators on numbers and days.
func (l *leaf) compare(n int64) bool {
	switch l.op {
	case Eq:
		return n == l.lo
	case Ne:
		return n != l.lo
	case Gt:
		return n > l.lo
	case Gte, RatioGte:
		return n >= l.lo
	case Lt:
		return n < l.lo
	case Lte:
		return n <= l.lo
	}
	return n >= l.lo && n <= l.hi
}

func (l *leaf) amount(n int64) (Verdict, string, bool) {
	if l.compare(n) {
		return True, "", false
	}
	short, over := int64(0), int64(0)
	switch l.op {
	case Gt, Gte, RatioGte:
		short = l.lo - n
	case Lt, Lte:
		over = n - l.lo
	case Between:
		short, over = l.lo-n, n-l.hi
		return l.outside(short, over)
	default:
		return False, "", false
	}
	step := int64(0) // an excluded bound is missed by one more
	if l.op == Gt || l.op == Lt {
		step = 1
	}
	tail := ""
	if step == 1 && l.field.Kind != Count {
		step, tail = 0, "以上"
		if short == 0 && over == 0 {
			return False, "恰好等于界限，不符合", l.op == Gt
		}
	}
	if short+step > 0 && over <= 0 && l.op != Lt {
		return False, "还差 " + l.amountText(short+step) + tail, true
	}
	return False, "超出 " + l.amountText(over+step) + tail, false
}

// outside says how far a value lies outside a range; of an open end the last value outside is the bound itself.
func (l *leaf) outside(short, over int64) (Verdict, string, bool) {
	word, miss, open := "还差 ", short, l.openLo
	if short <= 0 {
		word, miss, open = "超出 ", over, l.openHi
	}
	tail := ""
	if open && l.field.Kind != Count {
		if miss--; miss == 0 {
			return False, "恰好等于界限，不符合", short > 0
		}
		tail = "以上"
	}
	return False, word + l.amountText(miss) + tail, short > 0
}

func (l *leaf) date(day, today time.Time) (Verdict, string, bool) {
	switch l.op {
	case YearsSinceGte:
		from := addYears(day, int(l.lo))
		if !today.Before(from) {
			return True, "", false
		}
		return False, fmt.Sprintf("还差 %d 天，%s起满足", int(from.Sub(today).Hours()/24), showDay(from)), true
	case YearsSinceLte:
		to := addYears(day, int(l.lo))
		if !today.After(to) {
			return True, "", false
		}
		return False, fmt.Sprintf("已超过 %d 天", int(today.Sub(to).Hours()/24)), false
	case YearsSinceLt:
		if to := addYears(day, int(l.lo)); !today.Before(to) {
			return False, fmt.Sprintf("已于 %s满 %d 年", showDay(to), l.lo), false
		}
		return True, "", false
	}
	return verdict(l.compare(day.Unix())), "", false
}

// span judges a day known only to lie in a span: unknown when its days do not all decide alike. Only between and the
// equalities can decide differently within than at both ends.
func (l *leaf) span(v Value, today time.Time) Verdict {
	first, _, _ := l.date(v.day, today)
	last, _, _ := l.date(v.last, today)
	from, to := v.day.Unix(), v.last.Unix()
	inside := (l.op == Eq || l.op == Ne) && from <= l.lo && l.lo <= to || l.op == Between && from < l.lo && l.hi < to
	if first != last || inside {
		return Unknown
	}
	return first
}

func (l *leaf) quotient(a, b int64) (v Verdict, actual, gap string) {
	// shown to a tenth of a permille, cut, so that 2.99% never reads as 3%
	tenths := ratioFloor(a, b)
	actual = show(tenths, 100) + "%"
	if ratioAtLeast(a, b, l.lo) {
		return True, actual, ""
	}
	return False, actual, "还差 " + show(l.lo*10-tenths, 100) + " 个百分点"
}
