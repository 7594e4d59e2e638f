package policy

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/search"
)

// Group is one of the answers a policy can have.
type Group string

// The groups, best first.
const (
	Eligible    Group = "eligible"
	Possible    Group = "possible" // information is missing, or a clause is for a human
	Nearly      Group = "nearly"   // one clause away that the company can reach
	NotEligible Group = "not_eligible"
	ByHand      Group = "by_hand" // its conditions are no data
)

// Groups are the groups in the order in which they are shown.
var Groups = []Group{Eligible, Possible, Nearly, ByHand, NotEligible}

// Word is the answer in Chinese.
func (g Group) Word() string {
	return map[Group]string{Eligible: "符合", Possible: "待确认", Nearly: "接近", NotEligible: "不符合", ByHand: "需人工判定"}[g]
}

// Note says what the answer means and what to do.
func (g Group) Note() string {
	return map[Group]string{
		Eligible:    "根据现有数据，申报条件全部满足；能否获得支持，以主管部门审核为准",
		Possible:    "已知的条件都满足，还缺少部分信息，或有条件须由主管部门认定",
		Nearly:      "只差一项，达到后即可申报",
		NotEligible: "有条件不满足，或存在不得申报的情形",
		ByHand:      "申报条件尚未整理成可比对的数据，请对照原文或咨询主管部门",
	}[g]
}

// groupShown is how many policies of a group are told one by one.
const groupShown = 50

// Judged is a policy with the answer for one company.
type Judged struct {
	Policy   Item               `json:"policy"`
	Group    Group              `json:"group" enum:"eligible,possible,nearly,by_hand,not_eligible"`
	Word     string             `json:"word"`
	Decision criteria.Decision  `json:"decision,omitempty"` // empty without conditions
	Summary  string             `json:"summary"`
	Lines    []Line             `json:"lines"`
	Missing  []criteria.Missing `json:"missing"` // what could still change the answer

	far far
}

// far is how far a company is from a policy: how many conditions it does not meet, and of what they ask how much is not there.
type far struct{ unmet, short int }

// farFrom measures what is not met and decides.
func farFrom(o criteria.Outcome, lines []Line) far {
	var f far
	for _, l := range lines {
		if l.Kind == "clause" && l.State == Unmet {
			f.unmet++
		}
	}
	for _, c := range o.Clauses {
		if c.Verdict == criteria.False && !c.Negated {
			f.short += 1000 - c.Reached
		}
	}
	return f
}

// GroupResult is one group of a result. Items holds the first of Count.
type GroupResult struct {
	Group Group    `json:"group" enum:"eligible,possible,nearly,by_hand,not_eligible"`
	Word  string   `json:"word"`
	Note  string   `json:"note"`
	Count int      `json:"count"`
	Items []Judged `json:"items"`
}

// Wanted is one piece of information that is missing, and how many policies wait for it.
type Wanted struct {
	criteria.Missing
	Policies int `json:"policies"`
}

// Result is the answer of a matching: when it was judged, for whom, by which facts.
type Result struct {
	At         time.Time       `json:"at"`
	On         string          `json:"on"`                   // the day of judging in Beijing, 2006-01-02
	Enterprise string          `json:"enterprise,omitempty"` // empty for a quick match
	Q          string          `json:"q,omitempty"`
	Groups     []GroupResult   `json:"groups"`
	Facts      []criteria.Told `json:"facts"`  // what was known of the company then
	Wanted     []Wanted        `json:"wanted"` // what is missing, the most useful first
	// Next is the least that would settle the most; nil when little would settle nothing.
	Next *NextStep `json:"next,omitempty"`
	// Answer is the number by which this answer can be opened again; empty when it could not be kept.
	Answer string `json:"answer,omitempty"`
}

// Count is how many policies are in the group.
func (r Result) Count(g Group) int {
	for _, x := range r.Groups {
		if x.Group == g {
			return x.Count
		}
	}
	return 0
}

// One is the answer for one policy.
type One struct {
	Judged
	At         time.Time       `json:"at"`
	On         string          `json:"on"`
	Enterprise string          `json:"enterprise"`
	Facts      []criteria.Told `json:"facts"` // those the conditions ask for
	Answer     string          `json:"answer,omitempty"`
}

// Summary is what the home page says of a matching.
type Summary struct {
	Eligible int `json:"eligible"`
	Possible int `json:"possible"`
	Nearly   int `json:"nearly"`
}

// company returns the facts and the name of the company the actor acts for; nobody is matched for another one.
func (s *Service) company(ctx context.Context, actor access.Actor) (criteria.Facts, string, error) {
	switch {
	case !actor.SignedIn():
		return nil, "", fault.ErrUnauthorized
	case actor.Party != access.Enterprise:
		return nil, "", fault.ErrForbidden
	case actor.EnterpriseID == 0:
		return nil, "", ErrNoCompany
	}
	facts, err := s.enterprises.Facts(ctx, s.db.Read(), actor.EnterpriseID)
	if err != nil {
		return nil, "", fmt.Errorf("facts of enterprise %d: %w", actor.EnterpriseID, err)
	}
	name, err := s.enterprises.Name(ctx, s.db.Read(), actor.EnterpriseID)
	return facts, name, err
}

// Match judges the policies in force whose window is open or still to come for the company the actor acts for; with q only
// those it describes. Visitors get ErrUnauthorized, other parties ErrForbidden, a person without a company ErrNoCompany.
func (s *Service) Match(ctx context.Context, actor access.Actor, q string) (Result, error) {
	facts, name, err := s.company(ctx, actor)
	if err != nil {
		return Result{}, err
	}
	now := s.clock.Now()
	all, err := s.asking(ctx, now, q)
	if err != nil {
		return Result{}, err
	}
	r := s.sum(all, facts, now, q)
	r.Enterprise = name
	r.Answer = s.keepAnswer(ctx, kept{Kind: OwnAnswer, EnterpriseID: actor.EnterpriseID, UserID: actor.UserID, Q: r.Q, Rules: all, Facts: facts, Name: name, At: now})
	return r, nil
}

// MatchOne judges one policy the actor may see, whatever its window, for the company the actor acts for.
func (s *Service) MatchOne(ctx context.Context, actor access.Actor, id int64) (One, error) {
	facts, name, err := s.company(ctx, actor)
	if err != nil {
		return One{}, err
	}
	p, err := s.find(ctx, s.db.Read(), actor, id)
	if err != nil {
		return One{}, err
	}
	now := s.clock.Now()
	r := s.rule(ctx, p)
	out := One{Judged: r.judge(facts, now), At: now, On: dayOf(now), Enterprise: name, Facts: []criteria.Told{}}
	out.Answer = s.keepAnswer(ctx, kept{Kind: OwnAnswer, EnterpriseID: actor.EnterpriseID, UserID: actor.UserID, Rules: []*rule{r}, One: true, Facts: facts, Name: name, At: now})
	asked := r.condition.Fields()
	for _, t := range s.schema.Tell(facts, now) {
		if slices.Contains(asked, t.Field) {
			out.Facts = append(out.Facts, t)
		}
	}
	return out, nil
}

// MatchSummary counts what Match would find.
func (s *Service) MatchSummary(ctx context.Context, actor access.Actor) (Summary, error) {
	facts, _, err := s.company(ctx, actor)
	if err != nil {
		return Summary{}, err
	}
	r, err := s.result(ctx, facts, "")
	return Summary{Eligible: r.Count(Eligible), Possible: r.Count(Possible), Nearly: r.Count(Nearly)}, err
}

// result judges facts by every policy that can be applied for now or soon.
func (s *Service) result(ctx context.Context, facts criteria.Facts, q string) (Result, error) {
	now := s.clock.Now()
	all, err := s.asking(ctx, now, q)
	if err != nil {
		return Result{}, err
	}
	return s.sum(all, facts, now, q), nil
}

// asking are the policies that a matching holds against a company: those in force that can be applied for now or soon, with
// q only those it describes.
func (s *Service) asking(ctx context.Context, now time.Time, q string) ([]*rule, error) {
	today := dayOf(now)
	all, err := s.rules.current(ctx, s, today)
	if err != nil {
		return nil, err
	}
	if q = strings.TrimSpace(q); q != "" {
		query, err := search.Parse(q)
		if err != nil {
			return nil, err
		}
		if all, err = s.described(ctx, all, query); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(r *rule) bool { return r.policy.WindowOn(today) == Closed }), nil
}

// sum judges facts by policies and groups the answers.
func (s *Service) sum(all []*rule, facts criteria.Facts, now time.Time, q string) Result {
	out := Result{At: now, On: dayOf(now), Q: strings.TrimSpace(q), Groups: []GroupResult{}, Facts: s.schema.Tell(facts, now), Wanted: []Wanted{}}
	groups := map[Group][]Judged{}
	wanted := map[string]*Wanted{}
	for _, r := range all {
		j := r.judge(facts, now)
		groups[j.Group] = append(groups[j.Group], j)
		for _, m := range j.Missing {
			if wanted[m.Key()] == nil {
				wanted[m.Key()] = &Wanted{Missing: m}
			}
			wanted[m.Key()].Policies++
		}
	}
	for _, g := range Groups {
		items := groups[g]
		slices.SortStableFunc(items, func(a, b Judged) int {
			unmet, short := 0, 0
			if g == Nearly || g == NotEligible { // how close the company is
				unmet, short = cmp.Compare(a.far.unmet, b.far.unmet), cmp.Compare(a.far.short, b.far.short)
			}
			return cmp.Or(unmet, cmp.Compare(len(a.Missing), len(b.Missing)), short, cmp.Compare(later(a.Policy), later(b.Policy)), cmp.Compare(b.Policy.CapFen, a.Policy.CapFen),
				cmp.Compare(b.Policy.ID, a.Policy.ID))
		})
		out.Groups = append(out.Groups, GroupResult{Group: g, Word: g.Word(), Note: g.Note(), Count: len(items), Items: append([]Judged{}, items[:min(len(items), groupShown)]...)})
	}
	for _, field := range slices.Sorted(maps.Keys(wanted)) {
		out.Wanted = append(out.Wanted, *wanted[field])
	}
	slices.SortStableFunc(out.Wanted, func(a, b Wanted) int { return cmp.Compare(b.Policies, a.Policies) })
	out.Next = nextStep(groups[Possible])
	return out
}

// later sorts what can be applied for now, the closest deadline first, before what is still to come.
func later(i Item) string {
	end := i.ClosesOn
	if end == "" {
		end = never
	}
	if i.Window == Upcoming {
		return "1" + i.OpensOn
	}
	return "0" + end
}

// rule is a policy with its conditions read once.
type rule struct {
	policy    *Policy
	readable  bool // it has conditions, and they parse
	condition criteria.Condition
	clauses   map[string]string // sentence → clause of the text that holds it
}

func (s *Service) rule(ctx context.Context, p *Policy) *rule {
	r := &rule{policy: p, clauses: map[string]string{}}
	if !has(p.Conditions) { // what was kept of a policy without any says null
		return r
	}
	c, err := criteria.Parse(p.Conditions, s.schema)
	if err != nil {
		s.log.WarnContext(ctx, "conditions do not parse; the policy is left to people", "policy", p.ID, "error", err)
		return r
	}
	r.readable, r.condition = true, c
	for _, clause := range c.Evaluate(nil, s.clock.Now()).Clauses {
		r.clauses[clause.Quote] = p.clauseOf(clause.Quote)
	}
	return r
}

// judge holds the facts against the policy.
func (r *rule) judge(facts criteria.Facts, now time.Time) Judged {
	j := Judged{Policy: r.policy.item(dayOf(now)), Group: ByHand, Lines: []Line{}, Missing: []criteria.Missing{}}
	if !r.readable {
		j.Policy.Matchable = false
		j.Word, j.Summary = ByHand.Word(), ByHand.Note()
		return j
	}
	o := r.condition.Evaluate(facts, now)
	j.Decision, j.Missing = o.Decision, o.Missing
	j.Lines = judged(o, func(quote string) string { return r.clauses[quote] })
	j.Group = map[criteria.Decision]Group{
		criteria.Eligible: Eligible, criteria.Undecided: Possible, criteria.NeedsHuman: Possible, criteria.Near: Nearly, criteria.NotEligible: NotEligible,
	}[o.Decision]
	j.far = farFrom(o, j.Lines)
	j.Word, j.Summary = o.Decision.Text(), summary(o, j.Lines)
	return j
}

// summary says the answer in one sentence that names what it hangs on.
func summary(o criteria.Outcome, lines []Line) string {
	named := func(st State) (labels []string) {
		for _, l := range lines {
			if l.Kind == "clause" && l.State == st {
				labels = append(labels, l.Label)
			}
		}
		return labels
	}
	switch o.Decision {
	case criteria.NeedsHuman:
		h := named(ForHuman)
		return fmt.Sprintf("可由数据判定的条件均已满足，还有 %d 项由主管部门认定：%s", len(h), strings.Join(h, "；"))
	case criteria.NotEligible:
		if u := named(Unmet); len(u) > 0 {
			return fmt.Sprintf("有 %d 项条件不满足：%s", len(u), strings.Join(u, "、"))
		}
	}
	return o.Summary
}

// rules keeps the policies in force with their conditions read, each at its version. Every use asks the database which
// versions are in force, so a change by any process counts from the next answer on.
type rules struct {
	mu   sync.Mutex
	kept map[int64]*rule
}

// reload is how many policies are read at once.
const reload = 200

// current returns the rules of the policies in force today, the newest first.
func (c *rules) current(ctx context.Context, s *Service, today string) ([]*rule, error) {
	db := s.db.Read()
	var heads []struct{ ID, Version int64 }
	err := inForce(db.NewSelect().TableExpr("policies AS p").ColumnExpr("p.id, p.version"), today).OrderExpr("p.published_on DESC, p.id DESC").Scan(ctx, &heads)
	if err != nil {
		return nil, fmt.Errorf("policies in force: %w", err)
	}
	c.mu.Lock()
	before := c.kept
	c.mu.Unlock()
	now := make(map[int64]*rule, len(heads))
	var stale []int64
	for _, h := range heads {
		if r := before[h.ID]; r != nil && r.policy.Version == h.Version {
			now[h.ID] = r
		} else {
			stale = append(stale, h.ID)
		}
	}
	for ids := range slices.Chunk(stale, reload) {
		var rows []Policy
		if err := inForce(db.NewSelect().Model(&rows), today).Where("p.id IN ?", bun.Tuple(ids)).Scan(ctx); err != nil {
			return nil, fmt.Errorf("read policies: %w", err)
		}
		for i := range rows {
			now[rows[i].ID] = s.rule(ctx, &rows[i])
		}
	}
	if len(stale) > 0 || len(before) != len(now) {
		c.mu.Lock()
		c.kept = now
		c.mu.Unlock()
	}
	out := make([]*rule, 0, len(heads))
	for _, h := range heads {
		if r := now[h.ID]; r != nil {
			out = append(out, r)
		}
	}
	return out, nil
}

// described keeps the rules whose policies a sentence describes, best first.
func (s *Service) described(ctx context.Context, all []*rule, query search.Query) ([]*rule, error) {
	ids := make(map[int64]*rule, len(all))
	for _, r := range all {
		ids[r.policy.ID] = r
	}
	rows, err := s.closest(ctx, func(q *bun.SelectQuery) *bun.SelectQuery { return inForce(q, dayOf(s.clock.Now())) }, query.Loosen())
	if err != nil {
		return nil, err
	}
	var out []*rule
	for _, p := range rows {
		if r := ids[p.ID]; r != nil {
			out = append(out, r)
		}
	}
	return out, nil
}

// The candidates a sentence is compared with, and how many of them are shown at most.
const (
	candidates   = 200
	closestShown = 20
)

// closest returns the policies that hold most of what a loosened query names, best first. What few policies hold weighs
// more than what all do; the title and what a company gets weigh more than the text.
func (s *Service) closest(ctx context.Context, base func(*bun.SelectQuery) *bun.SelectQuery, query search.Query) ([]Policy, error) {
	terms := query.Terms()
	if len(terms) == 0 {
		return nil, nil
	}
	db := s.db.Read()
	var rows []Policy
	q, rank, args := matching(base(db.NewSelect().Model(&rows)), db, query)
	if err := q.OrderExpr(rank+", p.id DESC", args...).Limit(candidates).Scan(ctx); err != nil {
		return nil, fmt.Errorf("policies close to a sentence: %w", err)
	}
	weights := make([][]float64, len(rows))
	holding := make([]float64, len(terms))
	for i, p := range rows {
		title, gain, text := strings.ToLower(p.Title), strings.ToLower(p.Benefit+p.Topic.Label()), strings.ToLower(p.Text)
		weights[i] = make([]float64, len(terms))
		for t, term := range terms {
			switch {
			case strings.Contains(title, term):
				weights[i][t] = 3
			case strings.Contains(gain, term):
				weights[i][t] = 2
			case strings.Contains(text, term):
				weights[i][t] = 1
			default:
				continue
			}
			holding[t]++
		}
	}
	scores := make(map[int64]float64, len(rows))
	best := 0.0
	for i, p := range rows {
		for t := range terms {
			if holding[t] > 0 {
				scores[p.ID] += weights[i][t] * math.Log(1+float64(len(rows))/holding[t])
			}
		}
		best = max(best, scores[p.ID])
	}
	slices.SortStableFunc(rows, func(a, b Policy) int { return cmp.Compare(scores[b.ID], scores[a.ID]) })
	n := 0
	for n < len(rows) && n < closestShown && scores[rows[n].ID] > 0 && scores[rows[n].ID] >= best*0.5 {
		n++
	}
	return rows[:n], nil
}
