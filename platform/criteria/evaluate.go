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
	return map[Decision]string{Eligible: "符合", NotEligible: "不符合", Undecided: "待确认", Near: "接近", NeedsHuman: "需人工判定"}[d]
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
	// Reached is how much of a least amount is there where it falls short, in permille of what is asked; 0 where nothing of the
	// kind can be said.
	Reached int `json:"-"`
}

// Missing is one field whose value could still change the answer, as it is known now or of single years.
type Missing struct {
	Field  string `json:"field"`
	Label  string `json:"label"`
	Years  string `json:"years,omitempty"` // 2024、2023: the years of which it is missing; empty when it is missing as of now
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

// gap is a field a clause lacks, of a year when the clause asks several.
type gap struct {
	field  Field
	reason Reason
	year   int
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

// Key tells what is missing as of now from what is missing of single years.
func (m Missing) Key() string {
	if m.Years == "" {
		return m.Field
	}
	return m.Field + "@" + m.Years
}

func (e *evaluator) missing() []Missing {
	var out []Missing
	years := map[int][]int{} // of an entry of out
	for i, c := range e.clauses {
		if !c.Open {
			continue
		}
		for _, m := range e.gaps[i] {
			at := slices.IndexFunc(out, func(x Missing) bool { return x.Field == m.field.Name && (x.Years != "") == (m.year != 0) })
			if at < 0 {
				at = len(out)
				x := Missing{Field: m.field.Name, Label: m.field.Label, Reason: m.reason, Why: m.reason.Text(), Ask: m.field.Ask}
				if m.year != 0 {
					x.Label, x.Years = m.field.Yearly, "…"
				}
				out = append(out, x)
			}
			if m.year != 0 && !slices.Contains(years[at], m.year) {
				years[at] = append(years[at], m.year)
			}
		}
	}
	for at, of := range years {
		slices.Sort(of)
		out[at].Years = joinYears(of)
		out[at].Label += "（" + out[at].Years + " 年）"
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
