package policy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/sheet"
)

// ErrByHand: nothing can be found for a policy whose conditions are no data.
var ErrByHand = fault.New(fault.Conflict, "POLICY_BY_HAND", "这项政策的申报条件尚未整理成可比对的数据，不能查找适配企业，请先整理条件")

// Sets are the sets into which a policy divides the companies, in the order in which they are shown.
var Sets = []criteria.Decision{criteria.Eligible, criteria.Near, criteria.Undecided, criteria.NeedsHuman, criteria.NotEligible}

// SetWord names a set in Chinese.
func SetWord(d criteria.Decision) string {
	if d == criteria.Near {
		return "接近"
	}
	return d.Text()
}

// SetCount is how many companies are in a set.
type SetCount struct {
	Set   criteria.Decision `json:"set" enum:"eligible,near,unknown,human,not_eligible"`
	Word  string            `json:"word"`
	Count int               `json:"count"`
}

// PartCount is how the companies of a town or an industry divide. An empty code are those of which it is not known.
type PartCount struct {
	Code        string `json:"code"`
	Name        string `json:"name"`
	Eligible    int    `json:"eligible"`
	Near        int    `json:"near"`
	Unknown     int    `json:"unknown"`
	Human       int    `json:"human"`
	NotEligible int    `json:"notEligible"`
}

func (c *PartCount) add(d criteria.Decision, n int) {
	switch d {
	case criteria.Eligible:
		c.Eligible += n
	case criteria.Near:
		c.Near += n
	case criteria.Undecided:
		c.Unknown += n
	case criteria.NeedsHuman:
		c.Human += n
	default:
		c.NotEligible += n
	}
}

// Division is how a policy divides the companies of the district.
type Division struct {
	Companies  int         `json:"companies"`
	Sets       []SetCount  `json:"sets"`
	Towns      []PartCount `json:"towns"`
	Industries []PartCount `json:"industries"`
	// FactMark is the latest fact that counted, Fingerprint names policy, version, day and facts: two divisions with the same
	// one rest on the same.
	FactMark    int64  `json:"factMark"`
	Fingerprint string `json:"fingerprint"`
	MS          int64  `json:"ms"` // how long the judging took
}

// Reverse is whom a policy fits, as of now.
type Reverse struct {
	Policy Item `json:"policy"`
	// State is ready, loading (the companies are still being loaded; Wait is about how many seconds) or by_hand.
	State    string    `json:"state" enum:"ready,loading,by_hand"`
	Note     string    `json:"note,omitempty"`
	Wait     int       `json:"wait,omitempty"`
	At       time.Time `json:"at"`
	Division *Division `json:"division,omitempty"`
	Runs     []RunView `json:"runs"`
	// Consented is how many of those that fit or nearly fit agreed to be told of policies.
	Consented int  `json:"consented"`
	MayPush   bool `json:"mayPush"`
	MayTake   bool `json:"mayTake"`
	MayGrant  bool `json:"mayGrant"`
}

// Reverse says whom a policy fits. It needs policy.reverse of the whole district.
func (s *Service) Reverse(ctx context.Context, actor access.Actor, id int64) (Reverse, error) {
	if err := s.staff(actor, PermReverse); err != nil {
		return Reverse{}, err
	}
	p, err := s.find(ctx, s.db.Read(), actor, id)
	if err != nil {
		return Reverse{}, err
	}
	now := s.clock.Now()
	out := Reverse{Policy: p.item(dayOf(now)), At: now, State: "ready",
		MayPush: actor.Can(PermPush), MayTake: actor.Can(PermReverseTake), MayGrant: actor.Can(PermGrant)}
	if out.Runs, err = s.runsOf(ctx, id); err != nil {
		return Reverse{}, err
	}
	r := s.rule(ctx, p)
	if !r.readable {
		out.State, out.Note = "by_hand", ErrByHand.Message
		return out, nil
	}
	columns, mark, err := s.pool.ready()
	if f, ok := fault.As(err); ok && errors.Is(err, ErrLoading) {
		out.State, out.Note, out.Wait = "loading", f.Message, max(1, s.pool.state().Seconds)
		return out, nil
	}
	d, sets := s.divide(columns, r, mark, now)
	out.Division = &d
	fit := append(members(sets, criteria.Eligible), members(sets, criteria.Near)...)
	allowed, err := s.reach.Consents.Allows(ctx, fit, PurposePush, now)
	if err != nil {
		return Reverse{}, fmt.Errorf("consents: %w", err)
	}
	for _, yes := range allowed {
		if yes {
			out.Consented++
		}
	}
	return out, nil
}

// divide holds a policy against every company.
func (s *Service) divide(columns *criteria.Columns, r *rule, mark int64, now time.Time) (Division, *criteria.Sets) {
	begun := time.Now()
	sets := columns.Evaluate(r.condition, now)
	out := Division{FactMark: mark, Fingerprint: fingerprint(r.policy, mark, now), Sets: []SetCount{}, Towns: []PartCount{}, Industries: []PartCount{}}
	towns, industries := map[string]*PartCount{}, map[string]*PartCount{}
	for _, d := range Sets {
		n := sets.Count(d)
		out.Companies += n
		out.Sets = append(out.Sets, SetCount{Set: d, Word: SetWord(d), Count: n})
		for code, n := range sets.CountBy(d, fieldRegion) {
			countIn(towns, townOf(code)).add(d, n)
		}
		for code, n := range sets.CountBy(d, fieldIndustry) {
			countIn(industries, s.choices.sectionOf(code)).add(d, n)
		}
	}
	names := s.fieldNames(fieldRegion)
	out.Towns = countedParts(towns, func(code string) string {
		switch {
		case code == "":
			return "所在街道（镇）不明"
		case names[code] != "":
			return names[code]
		}
		return code
	})
	out.Industries = countedParts(industries, s.choices.sectionName)
	out.MS = time.Since(begun).Milliseconds()
	return out, sets
}

// fingerprint names what a division rests on.
func fingerprint(p *Policy, mark int64, now time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d.%d.%s.%d.%s", p.ID, p.Version, dayOf(now), mark, p.Conditions))
	return hex.EncodeToString(sum[:12])
}

func countIn(of map[string]*PartCount, code string) *PartCount {
	if of[code] == nil {
		of[code] = &PartCount{Code: code}
	}
	return of[code]
}

// countedParts lists the parts, those with most that fit first, what is not known last.
func countedParts(of map[string]*PartCount, name func(code string) string) []PartCount {
	out := make([]PartCount, 0, len(of))
	for code, c := range of {
		c.Name = name(code)
		out = append(out, *c)
	}
	unknown := func(c PartCount) int {
		if c.Code == "" {
			return 1
		}
		return 0
	}
	slices.SortFunc(out, func(a, b PartCount) int {
		return cmp.Or(unknown(a)-unknown(b), b.Eligible-a.Eligible, b.Near-a.Near, b.Unknown-a.Unknown, cmp.Compare(a.Code, b.Code))
	})
	return out
}

// townOf is the street or town (nine digits) in which a division of GB/T 2260 lies, or the code itself where it is wider.
func townOf(code string) string { return code[:min(len(code), 9)] }

func (s *Service) fieldNames(name string) map[string]string {
	f, _ := s.schema.Field(name)
	return f.Values
}

// sectionOf is the letter of the industries under which a code lies, "" when none does.
func (c Choices) sectionOf(code string) string {
	for _, section := range c.Sections {
		if code != "" && criteria.UnderIndustry(code, section.Code) {
			return section.Code
		}
	}
	return ""
}

func (c Choices) sectionName(code string) string {
	for _, section := range c.Sections {
		if section.Code == code {
			return section.Name
		}
	}
	return "所属行业不明"
}

// members lists the companies of a set in the order of their ids.
func members(sets *criteria.Sets, d criteria.Decision) []int64 {
	ids, _ := sets.Page(d, 0, 1<<31)
	slices.Sort(ids)
	return ids
}

// Narrow keeps the companies of some towns and industries; without any it keeps all.
type Narrow struct {
	Towns      []string `json:"towns,omitempty"`      // divisions of GB/T 2260, nine digits
	Industries []string `json:"industries,omitempty"` // letters of GB/T 4754
}

func (n Narrow) empty() bool { return len(n.Towns)+len(n.Industries) == 0 }

// condition is the filter in the language of conditions.
func (s *Service) condition(n Narrow) (criteria.Condition, error) {
	var all []map[string]any
	for field, codes := range map[string][]string{fieldRegion: n.Towns, fieldIndustry: n.Industries} {
		if len(codes) > 0 {
			all = append(all, map[string]any{"field": field, "op": "under", "value": codes})
		}
	}
	raw, err := json.Marshal(map[string]any{"all": all})
	if err != nil {
		return criteria.Condition{}, err
	}
	c, err := criteria.Parse(raw, s.schema)
	if err != nil {
		return c, fault.InvalidField("town", "POLICY_NARROW", "街道（镇）或行业无法识别，请重新选择")
	}
	return c, nil
}

// chosen lists the companies of the sets that narrow keeps, in the order of their ids, each with its decision.
func (s *Service) chosen(columns *criteria.Columns, r *rule, now time.Time, narrow Narrow, sets ...criteria.Decision) ([]int64, map[int64]criteria.Decision, error) {
	found := columns.Evaluate(r.condition, now)
	var ids []int64
	by := map[int64]criteria.Decision{}
	for _, d := range sets {
		list := members(found, d)
		ids = append(ids, list...)
		if len(sets) > 1 {
			for _, id := range list {
				by[id] = d
			}
		}
	}
	slices.Sort(ids)
	if narrow.empty() {
		return ids, by, nil
	}
	c, err := s.condition(narrow)
	if err != nil {
		return nil, nil, err
	}
	keep := members(columns.Evaluate(c, now), criteria.Eligible)
	return slices.DeleteFunc(ids, func(id int64) bool { _, in := slices.BinarySearch(keep, id); return !in }), by, nil
}

// CompanyFilter asks for companies of a set.
type CompanyFilter struct {
	Set    criteria.Decision
	Narrow Narrow
	Basis  string // code of the basis the reader claims where companies have not agreed
	Cursor string
	Limit  int
}

// Judgement is how a policy stands for a company, and why.
type Judgement struct {
	EnterpriseID int64             `json:"enterpriseId"`
	Name         string            `json:"name"` // empty when the viewer may not see the company
	CreditCode   string            `json:"creditCode,omitempty"`
	Verified     bool              `json:"verified"`
	Town         string            `json:"town,omitempty"`
	Industry     string            `json:"industry,omitempty"`
	Decision     criteria.Decision `json:"decision"`
	Word         string            `json:"word"`
	Summary      string            `json:"summary"`
	Lines        []Line            `json:"lines"` // empty when the viewer may not see the company, or Withheld
	Withheld     bool              `json:"withheld,omitempty" doc:"The company did not agree that the reasons are shown."`
	// Answer is the number by which this can be opened again, of one company that was looked at.
	Answer string `json:"answer,omitempty"`
}

// Companies lists companies of a set with reasons, in the order of their ids, and the cursor of the next page. That
// somebody looked is written down. It needs policy.reverse of the whole district; of a company the viewer may not see, name
// and facts are left out.
func (s *Service) Companies(ctx context.Context, actor access.Actor, id int64, f CompanyFilter) ([]Judgement, string, error) {
	list, next, err := s.companies(ctx, actor, id, f)
	if err != nil {
		return nil, "", err
	}
	words := "查看政策适配企业（" + SetWord(f.Set) + "）"
	return list, next, s.looked(ctx, actor, "policy.reverse", id, words, map[string]any{"narrow": f.Narrow, "cursor": f.Cursor, "rows": len(list), "basis": f.Basis})
}

func (s *Service) companies(ctx context.Context, actor access.Actor, id int64, f CompanyFilter) ([]Judgement, string, error) {
	if err := s.staff(actor, PermReverse); err != nil {
		return nil, "", err
	}
	if !slices.Contains(Sets, f.Set) {
		return nil, "", fault.InvalidField("set", "POLICY_SET", "没有这种匹配结果，请重新选择")
	}
	after, err := strconv.ParseInt(cmp.Or(f.Cursor, "0"), 10, 64)
	if err != nil || after < 0 {
		return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	if f.Limit <= 0 || f.Limit > 500 {
		f.Limit = 20
	}
	p, err := s.find(ctx, s.db.Read(), actor, id)
	if err != nil {
		return nil, "", err
	}
	r := s.rule(ctx, p)
	if !r.readable {
		return nil, "", ErrByHand
	}
	columns, _, err := s.pool.ready()
	if err != nil {
		return nil, "", err
	}
	now := s.clock.Now()
	ids, _, err := s.chosen(columns, r, now, f.Narrow, f.Set)
	if err != nil {
		return nil, "", err
	}
	from, found := slices.BinarySearch(ids, after)
	if found {
		from++
	}
	ids, next := ids[from:], ""
	if len(ids) > f.Limit {
		ids = ids[:f.Limit]
		next = strconv.FormatInt(ids[f.Limit-1], 10)
	}
	out, err := s.explain(ctx, actor, r, now, f.Basis, ids)
	return out, next, err
}

// explain has the row judge say why.
func (s *Service) explain(ctx context.Context, actor access.Actor, r *rule, now time.Time, basis string, ids []int64) ([]Judgement, error) {
	out := make([]Judgement, 0, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	db := s.db.Read()
	known, err := s.reach.Register.InRegister(ctx, db, ids...)
	if err != nil {
		return nil, fmt.Errorf("facts of companies: %w", err)
	}
	named, err := s.reach.Register.Named(ctx, db, actor, ids...)
	if err != nil {
		return nil, fmt.Errorf("names of companies: %w", err)
	}
	allowed, err := s.reach.Consents.MayRead(ctx, actor, slices.Collect(maps.Keys(named)), basis, "政策适配企业："+r.policy.Title)
	if err != nil {
		return nil, fmt.Errorf("what may be read of companies: %w", err)
	}
	for _, id := range ids {
		facts, ok := known[id]
		if !ok {
			continue // it left the register meanwhile
		}
		j := r.judge(facts, now)
		v := Judgement{EnterpriseID: id, Decision: j.Decision, Word: SetWord(j.Decision), Lines: []Line{}}
		if c, seen := named[id]; seen {
			v.Name, v.CreditCode, v.Verified = c.Name, c.CreditCode, c.Verified
			s.reasoned(&v, r, j, facts, now, allowed[id])
		}
		out = append(out, v)
	}
	return out, nil
}

// reasoned adds what may be read of a company. The reasons name all that the conditions ask for, so that they are told whole
// or not at all.
func (s *Service) reasoned(v *Judgement, r *rule, j Judged, facts criteria.Facts, now time.Time, may func(field string) bool) {
	if may == nil || slices.ContainsFunc(r.condition.Fields(), func(field string) bool { return !may(field) }) {
		v.Withheld = true
	} else {
		v.Summary, v.Lines = j.Summary, j.Lines
	}
	for _, t := range s.schema.Tell(facts, now) {
		switch {
		case may == nil || !may(t.Field):
		case t.Field == fieldRegion:
			v.Town = t.Value
		case t.Field == fieldIndustry:
			v.Industry = t.Value
		}
	}
}

// reasons are the conditions that are not met or not known, in one line of a spreadsheet.
func (j Judgement) reasons() string {
	var out []string
	for _, l := range j.Lines {
		if l.Kind != "clause" || l.State == Met || l.State == Spare {
			continue
		}
		words := l.Label + "：" + l.Word
		if more := strings.TrimSpace(cmp.Or(l.Gap, l.Why)); more != "" {
			words += "（" + more + "）"
		}
		out = append(out, words)
	}
	return strings.Join(out, "；")
}

// reverseFilter reads the filter of the list that leaves: a policy, one set, and what narrows it.
func (s *Service) reverseFilter(f sheet.Filter) (int64, CompanyFilter, error) {
	id, err := strconv.ParseInt(f["policy"], 10, 64)
	c := CompanyFilter{Set: criteria.Decision(f["set"]), Narrow: Narrow{Towns: f.Words("town"), Industries: f.Words("industry")}}
	if err != nil || !slices.Contains(Sets, c.Set) || f.Only("policy", "set", "town", "industry") != nil {
		return 0, c, sheet.ErrFilter
	}
	return id, c, nil
}

func sets(d criteria.Decision) []criteria.Decision { return []criteria.Decision{d} }
