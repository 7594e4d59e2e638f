package policy

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
)

// Drafter proposes conditions from the text of a policy. It decides nothing: a person takes each proposal, changes it or
// leaves it.
type Drafter interface {
	Propose(title, issuer, text string) (Proposals, error)
}

// Proposals are what a text proposes, in its order.
type Proposals struct {
	Clauses []Proposal
	Open    []string // sentences that read as conditions and that no data decides, or that were not understood
}

// Proposal is one clause a text proposes.
type Proposal struct {
	Quote      string
	Condition  json.RawMessage
	Confidence string // 0.05 to 0.99: how surely it was read
	OneOf      bool   // one of several of which not all need hold
}

// Proposed is a proposal as an editor sees it.
type Proposed struct {
	Quote      string          `json:"quote"`
	Span       Span            `json:"span"`
	Condition  json.RawMessage `json:"condition"`
	Lines      []Line          `json:"lines" nullable:"false"`
	Confidence string          `json:"confidence"`
	Human      bool            `json:"human" doc:"No data of the register decides it."`
	OneOf      bool            `json:"oneOf" doc:"One of several of which not all need hold."`
}

// Sentence is a stretch of the text.
type Sentence struct {
	Text string `json:"text"`
	Span Span   `json:"span"`
}

// ConditionText is what conditions are checked against.
type ConditionText struct {
	Title      string          `json:"title"`
	Issuer     string          `json:"issuer"`
	Text       string          `json:"text"`
	Conditions json.RawMessage `json:"conditions,omitempty"`
}

// Checked is what is to be said of conditions and the text they come from.
type Checked struct {
	Problems  []criteria.Mistake `json:"problems" nullable:"false" doc:"Mistakes, each at its clause."`
	Lines     []Line             `json:"lines" nullable:"false" doc:"The conditions in words; empty while there are mistakes."`
	Quotes    []Quote            `json:"quotes" nullable:"false"`
	Proposals []Proposed         `json:"proposals" nullable:"false" doc:"What the text proposes and no clause quotes yet."`
	Uncovered []Sentence         `json:"uncovered" nullable:"false" doc:"Sentences that read as conditions and that no clause quotes: for people to judge."`
}

// CheckConditions returns every mistake of the conditions of a draft, where their sentences stand, and what the text
// proposes that they do not cover. It needs policy.edit or policy.publish.
func (s *Service) CheckConditions(_ context.Context, actor access.Actor, in ConditionText) (Checked, error) {
	out := Checked{Problems: []criteria.Mistake{}, Lines: []Line{}, Quotes: []Quote{}, Proposals: []Proposed{}, Uncovered: []Sentence{}}
	if err := keeper(actor); err != nil {
		return out, err
	}
	in.Text = strings.ReplaceAll(in.Text, "\r\n", "\n")
	if has(in.Conditions) {
		out.Quotes = append(out.Quotes, located(in.Conditions, in.Text)...)
		if problems := criteria.Check(in.Conditions, s.schema); len(problems) > 0 {
			out.Problems = problems
		} else {
			out.Lines = s.asks(in.Conditions, in.Text)
		}
	}
	if s.drafter == nil || utf8.RuneCountInString(in.Text) > maxText {
		return out, nil
	}
	proposed, err := s.drafter.Propose(in.Title, in.Issuer, in.Text)
	if err != nil {
		return out, err
	}
	out.uncovered(s, proposed, in.Text)
	return out, nil
}

// uncovered keeps of the proposals what no clause quotes.
func (out *Checked) uncovered(s *Service, proposed Proposals, text string) {
	covered := func(span Span) bool {
		return slices.ContainsFunc(out.Quotes, func(q Quote) bool { return q.State != QuoteGone && q.Span.meets(span) })
	}
	after := 0
	place := func(quote string) (Span, bool) { // in the order of the text, so that the same words twice are two places
		q := Quote{Quote: quote, said: &Span{after, after}}
		span, state := q.locate(text)
		if state == QuoteGone {
			return span, false
		}
		if span.Start > after {
			after = span.Start
		}
		return span, true
	}
	for _, p := range proposed.Clauses {
		span, ok := place(p.Quote)
		if !ok || covered(span) {
			continue
		}
		condition := withSpan(p.Condition, span)
		lines := s.asks(condition, text)
		human := slices.ContainsFunc(lines, func(l Line) bool { return l.State == ForHuman })
		out.Proposals = append(out.Proposals, Proposed{
			Quote: p.Quote, Span: span, Condition: condition, Lines: lines, Confidence: p.Confidence, Human: human, OneOf: p.OneOf,
		})
	}
	after = 0
	for _, quote := range proposed.Open {
		if span, ok := place(quote); ok && !covered(span) {
			out.Uncovered = append(out.Uncovered, Sentence{quote, span})
		}
	}
}

// withSpan writes the place of the quote into a proposed clause, below a not where there is one.
func withSpan(raw json.RawMessage, span Span) json.RawMessage {
	var o map[string]any
	if json.Unmarshal(raw, &o) != nil {
		return raw
	}
	leaf := o
	if inner, ok := o["not"].(map[string]any); ok {
		leaf = inner
	}
	if _, ok := leaf["quote"]; ok {
		leaf["span"] = []int{span.Start, span.End}
	}
	out, err := json.Marshal(o)
	if err != nil {
		return raw
	}
	return out
}

// asks says conditions in words; nothing when they do not parse.
func (s *Service) asks(raw json.RawMessage, text string) []Line {
	c, err := criteria.Parse(raw, s.schema)
	if err != nil {
		return []Line{}
	}
	p := Policy{Text: text}
	return asked(c.Evaluate(nil, s.clock.Now()), p.clauseOf)
}

func has(raw json.RawMessage) bool {
	trimmed := strings.TrimSpace(string(raw))
	return trimmed != "" && trimmed != "null"
}

// keeper lets in who edits or publishes.
func keeper(actor access.Actor) error {
	if err := library(actor, PermEdit); err == nil {
		return nil
	}
	return library(actor, PermPublish)
}

// FieldInfo is one field conditions may name: the dictionary of what data can decide.
type FieldInfo struct {
	Name    string      `json:"name"`
	Label   string      `json:"label"`
	Kind    string      `json:"kind" enum:"count,money,ratio,date,category,flag,holdings"`
	Units   []string    `json:"units" nullable:"false" doc:"The units a bound may have; the first is usual."`
	Ops     []string    `json:"ops" nullable:"false"`
	Tree    bool        `json:"tree" doc:"Its codes are a hierarchy: under."`
	Open    bool        `json:"open" doc:"Other codes than those listed may be named."`
	Codes   []CodeLabel `json:"codes" nullable:"false"`
	MaxDays int         `json:"maxDays" doc:"How old a fact may be, in days; 0 for no limit."`
	Ask     string      `json:"ask" doc:"Who can supply it."`
	Yearly  string      `json:"yearly,omitempty" doc:"How it is called when conditions ask it of several years; empty when they cannot."`
	Booked  bool        `json:"booked,omitempty" doc:"What single years have adds up."`
	Event   bool        `json:"event,omitempty" doc:"Its entries happened on a day: asked of the last years, that day counts."`
}

// CodeLabel is a code with its name. Parent is the code above it, empty at the top.
type CodeLabel struct {
	Code   string `json:"code"`
	Label  string `json:"label"`
	Parent string `json:"parent,omitempty"`
}

// Fields returns what conditions may name, in the order in which it is shown. It needs policy.view.
func (s *Service) Fields(_ context.Context, actor access.Actor) ([]FieldInfo, error) {
	if err := library(actor, PermView); err != nil {
		return nil, err
	}
	units := map[criteria.Kind][]string{criteria.Money: {"万元", "亿元", "元"}, criteria.Ratio: {"%", "‰"}}
	out := []FieldInfo{}
	for _, f := range s.schema.Fields() {
		info := FieldInfo{
			Name: f.Name, Label: f.Label, Kind: string(f.Kind), Units: append([]string{}, units[f.Kind]...), Ops: []string{}, Tree: f.Under != nil,
			Open: !f.Closed, Codes: []CodeLabel{}, MaxDays: int(f.MaxAge.Hours() / 24), Ask: f.Ask, Yearly: f.Yearly, Booked: f.Booked, Event: f.Event,
		}
		if f.Kind == criteria.Count {
			info.Units = []string{f.Unit}
		}
		for _, op := range criteria.OpsOf(f.Kind) {
			info.Ops = append(info.Ops, string(op))
		}
		for code, label := range f.Values {
			info.Codes = append(info.Codes, CodeLabel{Code: code, Label: label, Parent: above(f, code)})
		}
		slices.SortFunc(info.Codes, func(a, b CodeLabel) int { return strings.Compare(a.Code, b.Code) })
		out = append(out, info)
	}
	return out, nil
}

// above is the nearest code above another one in a field's hierarchy.
func above(f criteria.Field, code string) string {
	if f.Under == nil {
		return ""
	}
	for n := len(code) - 1; n > 0; n-- {
		for _, up := range []string{code[:n], code[:n] + strings.Repeat("0", len(code)-n)} {
			if up != code && f.Values[up] != "" && f.Under(code, up) {
				return up
			}
		}
	}
	for letter := 'A'; letter <= 'T'; letter++ {
		if up := string(letter); up != code && f.Values[up] != "" && f.Under(code, up) {
			return up
		}
	}
	return ""
}
