package policy

import (
	"cmp"
	"context"
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
