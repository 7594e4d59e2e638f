package policy

import (
	"context"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sizeclass"
)

// Choice is one answer that is offered.
type Choice struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Section is a letter of the industries with the divisions below it.
type Section struct {
	Choice
	Divisions []Choice `json:"divisions"`
}

// Choices are what the quick match offers to choose from.
type Choices struct {
	Sections []Section `json:"sections"`
	Regions  []Choice  `json:"regions"`
	// Sizes tells the size of a company from its industry, staff and revenue.
	Sizes sizeclass.Table `json:"-"`
}

func (c Choices) industry(code string) bool {
	for _, s := range c.Sections {
		for _, d := range s.Divisions {
			if d.Code == code {
				return true
			}
		}
	}
	return false
}

func (c Choices) region(code string) bool {
	for _, r := range c.Regions {
		if r.Code == code {
			return true
		}
	}
	return false
}

// The names of the facts that a few answers give; conditions name them the same way.
const (
	fieldIndustry    = "industry"
	fieldRegion      = "region"
	fieldEstablished = "established"
	fieldEmployees   = "employees"
	fieldRevenue     = "revenue"
	fieldSize        = "sizeClass"
)

// Answers are what a visitor tells; nil and empty are not told.
type Answers struct {
	Q          string
	Industry   string // two digits of GB/T 4754
	Region     string
	Years      *int   // whole years since registration
	Employees  *int64 // persons
	RevenueFen *int64 // of the year before
}

// Empty reports whether nothing is told.
func (a Answers) Empty() bool {
	return strings.TrimSpace(a.Q) == "" && a.Industry == "" && a.Region == "" && a.Years == nil && a.Employees == nil && a.RevenueFen == nil
}

// readAnswers reads what was typed; what is left empty is not told. One fault names every field that cannot be read.
func readAnswers(field func(name string) string) (Answers, error) {
	a := Answers{Q: strings.TrimSpace(field("q")), Industry: strings.TrimSpace(field("industry")), Region: strings.TrimSpace(field("region"))}
	var fields []fault.Field
	read := func(name, message string, scale int64) *int64 {
		typed := strings.TrimSuffix(strings.NewReplacer(",", "", "，", "", " ", "").Replace(norm.NFKC.String(field(name))), "万元")
		if typed == "" {
			return nil
		}
		whole, part, _ := strings.Cut(typed, ".")
		for digits := scale; digits > 1; digits /= 10 {
			if part == "" {
				part = "0"
			}
			whole, part = whole+part[:1], part[1:]
		}
		n, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || strings.Trim(part, "0") != "" {
			fields = append(fields, fault.Field{Name: name, Message: message})
			return nil
		}
		return &n
	}
	if y := read("years", "成立年数应为整数，不满一年填 0", 1); y != nil {
		years := int(*y)
		a.Years = &years
	}
	a.Employees = read("employees", "从业人员应为整数，例如 14", 1)
	a.RevenueFen = read("revenue", "营业收入应为数字，单位万元，例如 328.5", 1_000_000)
	if len(fields) > 0 {
		f := fault.New(fault.Invalid, "QUICK_MATCH", fields[0].Message)
		f.Fields = fields
		return a, f
	}
	return a, nil
}

// Choices returns what the quick match offers to choose from, to everybody.
func (s *Service) Choices(context.Context, access.Actor) Choices { return s.choices }

// Quick judges the policies by a few answers, for everybody. What is not told stays unknown. The answer can be opened again
// by its number; one to a signed-in person of a company stands in their list.
func (s *Service) Quick(ctx context.Context, actor access.Actor, a Answers) (Result, error) {
	now := s.clock.Now()
	facts, err := s.answered(a, now)
	if err != nil {
		return Result{}, err
	}
	all, err := s.asking(ctx, now, a.Q)
	if err != nil {
		return Result{}, err
	}
	r := quickWords(s.sum(all, facts, now, a.Q))
	var user int64
	if actor.Party == access.Enterprise {
		user = actor.UserID
	}
	r.Answer = s.keepAnswer(ctx, kept{Kind: QuickAnswer, UserID: user, Q: r.Q, Rules: all, Facts: facts, At: now})
	return r, nil
}

// quickWords says the result to somebody who told a few answers.
func quickWords(r Result) Result {
	// Everything rests on the answers, so the conditions do not repeat it, and nobody was to collect the rest.
	const untold = "本次没有填写"
	for _, g := range r.Groups {
		for i := range g.Items {
			j := &g.Items[i]
			for k := range j.Lines {
				l := &j.Lines[k]
				l.Source, l.AsOf, l.Stated = "", "", false
				if years, ok := strings.CutSuffix(l.Why, criteria.NotCollected.Text()); ok {
					l.Why = years + untold
				}
			}
			for k := range j.Missing {
				j.Missing[k] = answer(j.Missing[k], untold)
			}
		}
	}
	for i := range r.Wanted {
		r.Wanted[i].Missing = answer(r.Wanted[i].Missing, untold)
	}
	told := r.Facts[:0]
	for _, f := range r.Facts {
		if f.Value != "" {
			told = append(told, f)
		}
	}
	r.Facts = told
	return r
}

// answer says of something missing what a visitor can make of it.
func answer(m criteria.Missing, untold string) criteria.Missing {
	m.Ask = ""
	if m.Reason == criteria.NotCollected {
		m.Why = untold
	}
	return m
}

// answered turns answers into facts and refuses what cannot be.
func (s *Service) answered(a Answers, now time.Time) (criteria.Facts, error) {
	var fields []fault.Field
	facts := criteria.Facts{}
	put := func(field string, v criteria.Value, source string) {
		facts[field] = criteria.Fact{Value: v, Source: source, AsOf: clock.Midnight(now), Stated: true}
	}
	const told = "本次填写"
	if a.Industry != "" {
		if s.choices.industry(a.Industry) {
			put(fieldIndustry, criteria.Code(a.Industry), told)
		} else {
			fields = append(fields, fault.Field{Name: "industry", Message: "请从列表中选择所属行业"})
		}
	}
	if a.Region != "" {
		if s.choices.region(a.Region) {
			put(fieldRegion, criteria.Code(a.Region), told)
		} else {
			fields = append(fields, fault.Field{Name: "region", Message: "请从列表中选择注册地"})
		}
	}
	if a.Years != nil {
		if y := *a.Years; y >= 0 && y <= 200 {
			// y whole years have passed, and not yet one more.
			today := now.In(clock.Beijing)
			put(fieldEstablished, criteria.Span(today.AddDate(-y-1, 0, 1), today.AddDate(-y, 0, 0)), told)
		} else {
			fields = append(fields, fault.Field{Name: "years", Message: "成立年数应为 0 到 200 的整数，不满一年填 0"})
		}
	}
	if a.Employees != nil {
		if n := *a.Employees; n >= 0 && n <= 10_000_000 {
			put(fieldEmployees, criteria.Number(n), told)
		} else {
			fields = append(fields, fault.Field{Name: "employees", Message: "从业人员应为不小于 0 的整数"})
		}
	}
	if a.RevenueFen != nil {
		if n := *a.RevenueFen; n >= 0 && n <= maxCapFen {
			put(fieldRevenue, criteria.Fen(n), told)
		} else {
			fields = append(fields, fault.Field{Name: "revenue", Message: "营业收入应为不小于 0 的金额，单位万元"})
		}
	}
	if len(fields) > 0 {
		f := fault.New(fault.Invalid, "QUICK_MATCH", fields[0].Message)
		f.Fields = fields
		return nil, f
	}
	if a.Industry != "" && (a.Employees != nil || a.RevenueFen != nil) {
		size := s.choices.Sizes.Classify(a.Industry, sizeclass.Metrics{Employees: a.Employees, Revenue: a.RevenueFen}, now)
		if len(size.Classes) > 0 {
			put(fieldSize, criteria.OneOf(size.Codes()...), "按本次填写推算")
		}
	}
	return facts, nil
}
