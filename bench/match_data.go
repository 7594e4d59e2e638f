package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/seed/reference"
)

// firm is one company of the match figures, as each side is given it: all of them answer alike. What a side cannot say by
// itself is prepared for it: an engine of expressions and a database get whether a fact counts, the section of an industry
// and which titles are valid as columns of their own.
type firm struct {
	region, industry, section, size           string
	employees, revenue                        int64
	hasRegion, hasIndustry, hasSize           bool
	hasEmployees, hasRevenue, hasTitles, hasC bool
	titles                                    uint64 // valid on the day, a bit each
	listed                                    uint64
	facts                                     criteria.Facts
}

// The lists a firm can stand on.
var lists = []string{"abnormal", "serious", "arrears"}

// market makes the firms and the policies of the match figures. The same seed makes the same.
type market struct {
	*rand.Rand
	schema                       criteria.Schema
	day                          time.Time
	classes, sections, divisions []string
	section                      map[string]string // of a class
	streets, titles              []string
	firms                        []firm
}

// matchFirms is how many companies the match figures hold a policy against.
const matchFirms = 150_000

func newMarket() (*market, error) {
	m := &market{Rand: rand.New(rand.NewPCG(2026, 1129)), day: time.Date(2026, 11, 29, 4, 0, 0, 0, time.UTC), section: map[string]string{}} // #nosec G404 -- repeats
	t := enterprise.Terms{Industries: map[string]string{}, Regions: map[string]string{}, Qualifications: map[string]string{}}
	industries, err := reference.Industries()
	if err != nil {
		return nil, err
	}
	letter := ""
	for _, i := range industries {
		t.Industries[i.Code] = i.Name
		switch i.Level {
		case 1:
			letter = i.Code
			m.sections = append(m.sections, i.Code)
		case 2:
			m.divisions = append(m.divisions, i.Code)
		case 4:
			m.classes = append(m.classes, i.Code)
			m.section[i.Code] = letter
		}
	}
	divisions, err := reference.Divisions()
	if err != nil {
		return nil, err
	}
	for _, d := range divisions {
		t.Regions[d.Code] = d.Name
		if len(d.Code) > 6 {
			m.streets = append(m.streets, d.Code)
		}
	}
	titles, err := reference.Qualifications()
	if err != nil {
		return nil, err
	}
	for _, q := range titles {
		t.Qualifications[q.Code] = q.Name
		m.titles = append(m.titles, q.Code)
	}
	m.titles = m.titles[:min(64, len(m.titles))]
	m.Shuffle(len(m.classes), func(i, j int) { m.classes[i], m.classes[j] = m.classes[j], m.classes[i] })
	m.schema = enterprise.Schema(t)
	for range matchFirms {
		m.firms = append(m.firms, m.firm())
	}
	return m, nil
}

// chance is true in of a hundred draws.
func (m *market) chance(percent float64) bool { return m.Float64()*100 < percent }

// amount draws around middle, a few far above it.
func (m *market) amount(middle, spread float64) int64 {
	return int64(middle * math.Exp(m.NormFloat64()*spread))
}

func (m *market) firm() firm {
	f := firm{facts: criteria.Facts{}}
	lastYear := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)
	put := func(name string, v criteria.Value, missing float64) bool {
		x := criteria.Fact{Value: v, Source: "企业登记信息", AsOf: lastYear}
		switch {
		case m.chance(missing):
			return false
		case m.chance(1):
			x.Unknown = criteria.Conflicting
		case m.chance(3):
			x.AsOf = lastYear.AddDate(-1, 0, 0) // counts where age does not matter
			f.facts[name] = x
			field, _ := m.schema.Field(name)
			return field.MaxAge == 0 || m.day.Sub(x.AsOf) <= field.MaxAge
		}
		f.facts[name] = x
		return x.Unknown == ""
	}
	f.region = m.streets[min(m.IntN(len(m.streets)), m.IntN(len(m.streets)))]
	f.hasRegion = put("region", criteria.Code(f.region), 0.5)
	f.industry = m.classes[min(m.IntN(len(m.classes)), m.IntN(len(m.classes)))]
	f.section = m.section[f.industry]
	f.hasIndustry = put("industry", criteria.Code(f.industry), 2)
	f.size = []string{"micro", "micro", "micro", "micro", "small", "small", "medium", "large"}[m.IntN(8)]
	f.hasSize = put("sizeClass", criteria.Code(f.size), 20)
	f.employees = m.amount(18, 1.3)
	f.hasEmployees = put("employees", criteria.Number(f.employees), 20)
	f.revenue = m.amount(600*1_000_000, 1.8)
	f.hasRevenue = put("revenue", criteria.Fen(f.revenue), 30)
	put("assets", criteria.Fen(m.amount(900*1_000_000, 1.8)), 40)
	rd := m.amount(30*1_000_000, 1.5)
	put("rdSpend", criteria.Fen(rd), 60)
	put("rdRatio", criteria.Permille(rd*1000/max(1, f.revenue)), 65)
	put("capital", criteria.Fen(m.amount(500*1_000_000, 1.2)), 1)
	put("established", criteria.Day(m.day.AddDate(0, 0, -m.IntN(9000))), 0.5)
	titles, valid := m.holdings(m.titles, 1.2)
	f.titles, f.hasTitles = valid, put("qualification", criteria.Holds(titles...), 5)
	listed, on := m.holdings(lists, 0.7)
	f.listed, f.hasC = on, put("creditStanding", criteria.Holds(listed...), 3)
	return f
}

// holdings draws what is held of codes, each with a chance, and which of them are valid on the day.
func (m *market) holdings(codes []string, percent float64) (list []criteria.Holding, valid uint64) {
	for i, code := range codes {
		if !m.chance(percent) {
			continue
		}
		h := criteria.Holding{Code: code, From: m.day.AddDate(0, 0, -1-m.IntN(1000)), To: m.day.AddDate(0, 0, m.IntN(1200)-300)}
		if list = append(list, h); !h.To.Before(m.day) {
			valid |= 1 << i
		}
	}
	return list, valid
}

// policy is one policy in the words of each side.
type matchPolicy struct {
	condition criteria.Condition
	json      string
	expr, sql string
}

// clause is one of a policy's.
type clause struct {
	ours      map[string]any
	expr, sql string
}

func sqlList(codes []string) string { return "('" + strings.Join(codes, "','") + "')" }

func exprList(codes []string) string { return `["` + strings.Join(codes, `","`) + `"]` }

func drawn[T any](m *market, from []T, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = from[m.IntN(len(from))]
	}
	return out
}

func (m *market) inRegion() clause {
	if m.chance(50) { // 在本区登记
		district := m.streets[0][:6]
		return clause{map[string]any{"field": "region", "op": "under", "value": district}, fmt.Sprintf(`hasRegion && region startsWith %q`, district), fmt.Sprintf("substr(region,1,6) = '%s'", district)}
	}
	codes := drawn(m, m.streets, 3+m.IntN(6))
	return clause{map[string]any{"field": "region", "op": "in", "value": codes}, "hasRegion && region in " + exprList(codes), "region IN " + sqlList(codes)}
}

func (m *market) inIndustry() clause {
	letters, codes := drawn(m, m.sections, 1+m.IntN(3)), drawn(m, m.divisions, 2)
	return clause{
		map[string]any{"field": "industry", "op": "under", "value": slices.Concat(letters, codes)},
		fmt.Sprintf("hasIndustry && (section in %s || division in %s)", exprList(letters), exprList(codes)),
		fmt.Sprintf("(section IN %s OR division IN %s)", sqlList(letters), sqlList(codes)),
	}
}

func (m *market) ofSize() clause {
	codes := []string{"medium", "small", "micro"}[m.IntN(2):]
	return clause{map[string]any{"field": "sizeClass", "op": "in", "value": codes}, "hasSize && size in " + exprList(codes), "size IN " + sqlList(codes)}
}

func (m *market) withTitle() clause {
	n := m.Perm(len(m.titles))[:2]
	a, b := m.titles[n[0]], m.titles[n[1]]
	return clause{
		map[string]any{"field": "qualification", "op": "has", "value": []string{a, b}},
		fmt.Sprintf("hasTitles && (t_%s || t_%s)", a, b), fmt.Sprintf("(t_%s OR t_%s)", a, b),
	}
}

func (m *market) notListed() clause {
	code := lists[m.IntN(len(lists))]
	return clause{map[string]any{"field": "creditStanding", "op": "notOn", "value": code}, fmt.Sprintf("hasC && !l_%s", code), fmt.Sprintf("NOT l_%s", code)}
}

func (m *market) ofStaff() clause {
	lo := int64(1 + m.IntN(30))
	hi := lo + int64(m.IntN(300))
	return clause{map[string]any{"field": "employees", "op": "between", "value": []int64{lo, hi}}, fmt.Sprintf("hasEmployees && employees >= %d && employees <= %d", lo, hi), fmt.Sprintf("employees BETWEEN %d AND %d", lo, hi)}
}

func (m *market) ofRevenue() clause {
	lo := int64(1 + m.IntN(2000))
	hi := lo + int64(m.IntN(40_000))
	const wan = 1_000_000
	return clause{
		map[string]any{"field": "revenue", "op": "between", "value": []int64{lo, hi}, "unit": "万元"},
		fmt.Sprintf("hasRevenue && revenue >= %d && revenue <= %d", lo*wan, hi*wan), fmt.Sprintf("revenue BETWEEN %d AND %d", lo*wan, hi*wan),
	}
}

// policy draws a policy of five clauses of codes; with ranges, of seven with two ranges.
func (m *market) policy(ranges bool) (matchPolicy, error) {
	clauses := []clause{m.inRegion(), m.inIndustry(), m.ofSize(), m.withTitle(), m.notListed()}
	if ranges {
		clauses = slices.Insert(clauses, 3, m.ofStaff(), m.ofRevenue())
	}
	var p matchPolicy
	var all []any
	var expr, sql []string
	for _, c := range clauses {
		all, expr, sql = append(all, c.ours), append(expr, c.expr), append(sql, c.sql)
	}
	raw, err := json.Marshal(map[string]any{"all": all})
	if err != nil {
		return p, err
	}
	p.json, p.expr, p.sql = string(raw), strings.Join(expr, " && "), strings.Join(sql, " AND ")
	p.condition, err = criteria.Parse(raw, m.schema)
	return p, err
}

func (m *market) policies(n int, ranges bool) ([]matchPolicy, error) {
	var out []matchPolicy
	for range n {
		p, err := m.policy(ranges)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}
