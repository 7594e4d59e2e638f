package policy

import (
	"strings"

	"github.com/huiqi/huiqi/platform/criteria"
)

// State is how one condition stands for a company.
type State string

// The states of a condition.
const (
	Met      State = "met"
	Unmet    State = "unmet"
	Unknown  State = "unknown" // information is missing
	ForHuman State = "human"   // no data decides it
	Spare    State = "spare"   // not met, and not needed: another of the group is
)

// Word is the state in Chinese.
func (s State) Word() string {
	return map[State]string{Met: "满足", Unmet: "不满足", Unknown: "待确认", ForHuman: "需人工判定", Spare: "可不满足"}[s]
}

// Line is one condition in words, or the heading of a group of them; Depth indents.
type Line struct {
	Kind     string `json:"kind" enum:"group,clause"`
	Depth    int    `json:"depth"`
	State    State  `json:"state,omitempty" enum:"met,unmet,unknown,human,spare"` // empty where no company is judged
	Word     string `json:"word,omitempty"`
	Label    string `json:"label"`              // 从业人员; of a group: 以下条件满足任意一条即可
	Required string `json:"required,omitempty"` // 不低于 20 人
	Actual   string `json:"actual,omitempty"`   // 8 人
	Gap      string `json:"gap,omitempty"`      // 还差 12 人
	Source   string `json:"source,omitempty"`   // 企业填报
	AsOf     string `json:"asOf,omitempty"`     // 2006-01-02
	Stated   bool   `json:"stated,omitempty"`   // the company's own word, unchecked
	Why      string `json:"why,omitempty"`      // why not known
	Quote    string `json:"quote,omitempty"`    // the sentence of the policy
	Clause   string `json:"clause,omitempty"`   // 第二条
}

// stateOf turns a verdict into a state; under not, what is true speaks against the company.
func stateOf(v criteria.Verdict, negated bool) State {
	switch {
	case v == criteria.Unknown:
		return Unknown
	case v == criteria.HumanVerdict:
		return ForHuman
	case (v == criteria.True) != negated:
		return Met
	}
	return Unmet
}

// judged lists the conditions of an outcome in the order of the text, groups before their items.
func judged(o criteria.Outcome, clauseOf func(quote string) string) []Line {
	w := walk{o: o, clauseOf: clauseOf, lines: []Line{}}
	if o.Tree != nil {
		w.group(o.Tree, 0, false, false, true)
	}
	return w.lines
}

// asked lists what conditions ask, without judging anybody.
func asked(o criteria.Outcome, clauseOf func(quote string) string) []Line {
	lines := judged(o, clauseOf)
	for i := range lines {
		l := &lines[i]
		if l.State == ForHuman && l.Kind == "clause" {
			l.Word = ForHuman.Word()
		} else {
			l.State, l.Word = "", ""
		}
		l.Actual, l.Gap, l.Source, l.AsOf, l.Why, l.Stated = "", "", "", "", "", false
	}
	return lines
}

type walk struct {
	o        criteria.Outcome
	clauseOf func(string) string
	lines    []Line
}

// group adds g and what is below it. spare: a group above is satisfied without it. root: a plain list needs no heading.
func (w *walk) group(g *criteria.Group, depth int, negated, spare, root bool) {
	if g.Clause >= 0 {
		w.clause(w.o.Clauses[g.Clause], depth, spare)
		return
	}
	below := negated != (g.Kind == "not")
	if g.Kind == "not" && g.Items[0].Clause >= 0 {
		w.clause(w.o.Clauses[g.Items[0].Clause], depth, spare)
		return
	}
	if !root || g.Kind != "all" {
		st := stateOf(g.Verdict, negated)
		if spare && st != Met {
			st = Spare
		}
		w.lines = append(w.lines, Line{Kind: "group", Depth: depth, State: st, Word: st.Word(), Label: g.Text})
		depth++
	}
	enough := !negated && (g.Kind == "any" || g.Kind == "atLeast") && g.Verdict == criteria.True
	for _, item := range g.Items {
		w.group(item, depth, below, spare || enough && item.Verdict != criteria.True, false)
	}
}

func (w *walk) clause(c criteria.Clause, depth int, spare bool) {
	st := stateOf(c.Verdict, c.Negated)
	if spare && st != Met {
		st = Spare
	}
	l := Line{
		Kind: "clause", Depth: depth, State: st, Word: st.Word(), Label: c.Label, Required: c.Required, Actual: c.Actual, Gap: c.Gap,
		Source: c.Source, AsOf: c.AsOf, Stated: c.Stated, Why: c.Why, Quote: c.Quote, Clause: w.clauseOf(c.Quote),
	}
	if c.Negated {
		l.Required, l.Gap = not(c.Required), ""
	}
	if l.Quote == l.Label {
		l.Quote = ""
	}
	w.lines = append(w.lines, l)
}

// not turns what a clause asks into what may not be.
func not(required string) string {
	for _, p := range [][2]string{{"属于：", "不属于："}, {"是：", "不是："}, {"持有有效的：", "未持有："}, {"未列入：", "已列入："}} {
		if rest, ok := strings.CutPrefix(required, p[0]); ok {
			return p[1] + rest
		}
	}
	return "不得有此情形：" + required
}
