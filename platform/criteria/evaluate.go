package criteria

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verdict is what a clause or group comes to.
type Verdict string

// The verdicts of clauses and groups.
const (
	True         Verdict = "true"
	False        Verdict = "false"
	Unknown      Verdict = "unknown"
	HumanVerdict Verdict = "human" // undecided, and only a human can decide it
)

// Decision is what a whole condition comes to.
type Decision string

// The decisions.
const (
	Eligible    Decision = "eligible"
	NotEligible Decision = "not_eligible"
	Undecided   Decision = "unknown" // some fact that could still change the answer is not known
	Near        Decision = "near"    // not eligible, but one clause away that the enterprise can reach
	NeedsHuman  Decision = "human"   // every fact is known; what is left only a human can decide
)

// Text says the decision in Chinese.
func (d Decision) Text() string {
	return map[Decision]string{Eligible: "符合", NotEligible: "不符合", Undecided: "待确认", Near: "差一项", NeedsHuman: "需人工判定"}[d]
}

// Outcome is the answer for one enterprise on one day. It can be stored as JSON and shown as it is.
type Outcome struct {
	Decision Decision  `json:"decision"`
	Text     string    `json:"text"`
	Summary  string    `json:"summary"` // one Chinese sentence
	On       string    `json:"on"`      // the day of judging, 2006-01-02
	Clauses  []Clause  `json:"clauses"`
	Missing  []Missing `json:"missing"` // what could still change the answer, in the order of the clauses
	Tree     *Group    `json:"tree"`    // how the clauses combine; null for an empty condition
}

// Clause is the answer to one clause.
type Clause struct {
	Path     string  `json:"path"`
	Field    string  `json:"field,omitempty"`
	Op       Op      `json:"op"`
	Label    string  `json:"label"`
	Quote    string  `json:"quote,omitempty"`
	Verdict  Verdict `json:"verdict"`
	Required string  `json:"required,omitempty"`
	Actual   string  `json:"actual,omitempty"`
	Gap      string  `json:"gap,omitempty"` // 还差 12 人
	Source   string  `json:"source,omitempty"`
	AsOf     string  `json:"asOf,omitempty"`
	Stated   bool    `json:"stated,omitempty"` // judged by the enterprise's own word, which nobody has checked
	Reason   Reason  `json:"reason,omitempty"`
	Why      string  `json:"why,omitempty"`     // why unknown, in Chinese
	Open     bool    `json:"open"`              // undecided, and its answer could still change the whole
	Negated  bool    `json:"negated,omitempty"` // stands under not: true speaks against the enterprise
}

// Missing is one field whose value could still change the answer.
type Missing struct {
	Field  string `json:"field"`
	Label  string `json:"label"`
	Reason Reason `json:"reason"`
	Why    string `json:"why"`
	Ask    string `json:"ask,omitempty"`
}

// Group is one node of the tree: a group with items, or a clause by its index in Outcome.Clauses.
type Group struct {
	Kind    string   `json:"kind"` // all, any, not, atLeast, clause
	K       int      `json:"k,omitempty"`
	Text    string   `json:"text,omitempty"` // 以下条件须全部满足
	Verdict Verdict  `json:"verdict"`
	Clause  int      `json:"clause"` // -1 for groups
	Items   []*Group `json:"items,omitempty"`
}

// Evaluate judges facts by the condition on the day at falls on in Beijing. It never fails: what cannot be read is unknown
// and says so.
func (c Condition) Evaluate(facts Facts, at time.Time) Outcome {
	e := evaluator{facts: facts, day: dayOf(at)}
	out := Outcome{On: e.day.Format(time.DateOnly), Clauses: []Clause{}, Missing: []Missing{}}
	verdict := True
	if c.root != nil {
		out.Tree = e.node(c.root, false)
		verdict = out.Tree.Verdict
	}
	e.open(out.Tree)
	out.Clauses = append(out.Clauses, e.clauses...)
	out.Missing = append(out.Missing, e.missing()...)
	out.Decision = e.decide(out.Tree, verdict)
	out.Text = out.Decision.Text()
	out.Summary = e.summary(out)
	return out
}

type evaluator struct {
	facts   Facts
	day     time.Time
	clauses []Clause
	gaps    [][]gap // beside clauses
	reach   []bool  // beside clauses: false, and the enterprise can reach it
}

// gap is a field a clause lacks.
type gap struct {
	field  Field
	reason Reason
}

func (e *evaluator) node(n *node, negated bool) *Group {
	g := &Group{Kind: n.kind, K: n.k, Clause: -1}
	if n.leaf != nil {
		g.Clause = len(e.clauses)
		c, gaps, reach := e.leaf(n.leaf)
		c.Path, c.Negated = n.path, negated
		e.clauses, e.gaps, e.reach = append(e.clauses, c), append(e.gaps, gaps), append(e.reach, reach)
		g.Verdict = c.Verdict
		return g
	}
	for _, i := range n.items {
		g.Items = append(g.Items, e.node(i, negated != (n.kind == "not")))
	}
	switch n.kind {
	case "all":
		g.Text = "以下条件须全部满足"
	case "any":
		g.Text = "以下条件满足任意一条即可"
	case "not":
		g.Text = "不得有以下情形"
	case "atLeast":
		g.Text = fmt.Sprintf("以下条件至少满足 %d 条", n.k)
	}
	vs := make([]Verdict, len(g.Items))
	for i, item := range g.Items {
		vs[i] = item.Verdict
	}
	g.Verdict = combine(n.kind, n.k, vs)
	return g
}

// combine is Kleene's logic; an undecided group is human when every undecided item is.
func combine(kind string, k int, vs []Verdict) Verdict {
	var t, open, human int
	for _, v := range vs {
		switch v {
		case True:
			t++
		case Unknown:
			open++
		case HumanVerdict:
			open++
			human++
		}
	}
	undecided := Unknown
	if human == open {
		undecided = HumanVerdict
	}
	switch kind {
	case "all":
		k = len(vs)
	case "any":
		k = 1
	case "not":
		switch {
		case open > 0:
			return undecided
		case t == 0:
			return True
		}
		return False
	}
	switch {
	case t >= k:
		return True
	case t+open < k:
		return False
	}
	return undecided
}

// open marks the undecided clauses that no decided group above makes moot: they can still change the answer.
func (e *evaluator) open(g *Group) {
	if g == nil || g.Verdict == True || g.Verdict == False {
		return
	}
	if g.Clause >= 0 {
		e.clauses[g.Clause].Open = true
	}
	for _, i := range g.Items {
		e.open(i)
	}
}

func (e *evaluator) missing() []Missing {
	var out []Missing
	for i, c := range e.clauses {
		if !c.Open {
			continue
		}
		for _, m := range e.gaps[i] {
			if !slices.ContainsFunc(out, func(x Missing) bool { return x.Field == m.field.Name }) {
				out = append(out, Missing{Field: m.field.Name, Label: m.field.Label, Reason: m.reason, Why: m.reason.Text(), Ask: m.field.Ask})
			}
		}
	}
	return out
}

func (e *evaluator) decide(root *Group, v Verdict) Decision {
	switch v {
	case True:
		return Eligible
	case Unknown:
		return Undecided
	case HumanVerdict:
		return NeedsHuman
	}
	for i := range e.clauses {
		if e.reach[i] {
			if w := e.suppose(root, i); w == True || w == HumanVerdict {
				return Near
			}
		}
	}
	return NotEligible
}

// suppose returns the verdict if clause i were true.
func (e *evaluator) suppose(g *Group, i int) Verdict {
	if g.Clause >= 0 {
		if g.Clause == i {
			return True
		}
		return g.Verdict
	}
	vs := make([]Verdict, len(g.Items))
	for j, item := range g.Items {
		vs[j] = e.suppose(item, i)
	}
	return combine(g.Kind, g.K, vs)
}

func (e *evaluator) summary(o Outcome) string {
	switch o.Decision {
	case Eligible:
		return "根据现有数据，符合全部申报条件"
	case NeedsHuman:
		return "可由数据判定的条件均已满足，其余条件需人工判定"
	case Undecided:
		labels := make([]string, len(o.Missing))
		for i, m := range o.Missing {
			labels[i] = m.Label
		}
		return fmt.Sprintf("还需确认 %d 项信息：%s", len(labels), strings.Join(labels, "、"))
	case Near:
		for i, c := range e.clauses {
			if e.reach[i] {
				if w := e.suppose(o.Tree, i); w == True || w == HumanVerdict {
					return strings.TrimSuffix(fmt.Sprintf("只差一项：%s，%s", c.Label, c.Gap), "，")
				}
			}
		}
	}
	n := 0
	for _, c := range o.Clauses {
		if c.Verdict == False {
			n++
		}
	}
	if n == 0 { // a clause that must not hold does
		return "存在不得申报的情形"
	}
	return fmt.Sprintf("有 %d 项条件不满足", n)
}

// leaf judges one clause. gaps lists the fields it lacks; reach reports a false clause the enterprise can come to meet.
func (e *evaluator) leaf(l *leaf) (c Clause, gaps []gap, reach bool) {
	c = Clause{Field: l.field.Name, Op: l.op, Label: l.label, Quote: l.quote, Required: l.required()}
	if l.op == Human {
		c.Verdict, c.Why = HumanVerdict, "该条件无法由数据判定，需人工判定"
		return c, nil, false
	}
	lack := func(f Field, r Reason) (Clause, []gap, bool) {
		gaps = append(gaps, gap{f, r})
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
				return False, "已列入：" + l.field.labelOf(h.Code)
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
// unknown day on was not obtained within them.
func (l *leaf) counts(h Holding, day time.Time) bool {
	if l.within == 0 {
		return h.valid(day)
	}
	since := addYears(day, -l.within)
	begun := h.From.IsZero() || !dayOf(h.From).After(day)
	if l.op == Has {
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

func (l *leaf) amountText(n int64) string {
	switch l.field.Kind {
	case Ratio:
		return show(n, 10) + " 个百分点"
	case Count:
		return count(n, l.unit)
	}
	return money(n)
}

// number shows a bound.
func (l *leaf) number(n int64) string {
	switch {
	case l.field.Kind == Date:
		return showDay(time.Unix(n, 0).UTC())
	case l.field.Kind == Ratio || l.op == RatioGte:
		return show(n, 10) + "%"
	case l.field.Kind == Money:
		return money(n)
	}
	return count(n, l.unit)
}

// required says in Chinese what the clause asks.
func (l *leaf) required() string {
	switch l.op {
	case Human:
		return ""
	case In, Under:
		return "属于：" + l.field.labels(l.codes)
	case Has:
		return l.when("持有有效的：", "取得：") + l.field.labels(l.codes)
	case NotOn:
		return l.when("未列入：", "未列入：") + l.field.labels(l.codes)
	case YearsSinceGte:
		return fmt.Sprintf("至今满 %d 年", l.lo)
	case YearsSinceLte:
		return fmt.Sprintf("至今不超过 %d 年", l.lo)
	case YearsSinceLt:
		return fmt.Sprintf("至今不满 %d 年", l.lo)
	case Between:
		return l.between()
	case RatioGte:
		if l.of.Name != "" {
			return fmt.Sprintf("占%s的比例不低于 %s", l.of.Label, l.number(l.lo))
		}
	}
	prefix := map[Op]string{Eq: "等于 ", Ne: "不等于 ", Gt: "超过 ", Gte: "不低于 ", Lt: "低于 ", Lte: "不超过 ", RatioGte: "不低于 "}[l.op]
	switch l.field.Kind {
	case Category:
		return map[Op]string{Eq: "是：", Ne: "不是："}[l.op] + l.field.labels(l.codes)
	case Flag:
		return yes(l.flag == (l.op == Eq))
	case Date:
		prefix = map[Op]string{Eq: "等于 ", Ne: "不等于 ", Gt: "晚于 ", Gte: "不早于 ", Lt: "早于 ", Lte: "不晚于 "}[l.op]
	}
	return prefix + l.number(l.lo)
}

// between says a range; an end that is not part of it says so.
func (l *leaf) between() string {
	lo, hi := l.number(l.lo), l.number(l.hi)
	if l.openLo {
		lo = l.number(l.lo-l.step()) + "（不含）"
	}
	if l.openHi {
		hi = l.number(l.hi+l.step()) + "（不含）"
	}
	return lo + " 至 " + hi
}

// when puts the day or the years before what is to be held.
func (l *leaf) when(onDay, within string) string {
	switch {
	case l.on != 0:
		return "在 " + showDay(time.Unix(l.on, 0).UTC()) + onDay
	case l.within != 0:
		return fmt.Sprintf("近 %d 年内", l.within) + within
	}
	return onDay
}

func yes(b bool) string {
	if b {
		return "是"
	}
	return "否"
}
