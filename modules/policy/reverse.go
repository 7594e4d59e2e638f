package policy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
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
