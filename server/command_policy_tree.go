package server

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/policy/draft"
)

// draftedConditions makes a condition tree of a draft, to try it before a person works on it. What the register of
// companies has no field for becomes a clause for a human. A clause whose words begin with 或 stands beside the one before.
func draftedConditions(p policyFile, t enterprise.Terms) json.RawMessage {
	var all []any
	for i, c := range p.Clauses {
		n := draftedClause(c, t)
		if i > 0 && alternatives(c, p.Clauses[i-1]) {
			last := all[len(all)-1]
			if g, ok := last.(map[string]any); ok && g["any"] != nil {
				g["any"] = append(g["any"].([]any), n)
			} else {
				all[len(all)-1] = map[string]any{"any": []any{last, n}}
			}
			continue
		}
		all = append(all, n)
	}
	for _, q := range p.NotDecidable {
		all = append(all, map[string]any{"op": "human", "quote": q})
	}
	if len(all) == 0 {
		return nil
	}
	out, err := json.Marshal(map[string]any{"all": all})
	if err != nil {
		return nil // of strings and numbers that were just read
	}
	return out
}

// alternatives reports that c is the alternative of the clause before it.
func alternatives(c, before draft.Clause) bool {
	if strings.HasPrefix(c.Quote, "或") {
		return true
	}
	either := []draft.Field{draft.Qualification, draft.Revenue, draft.Growth, draft.RDExpense, draft.RDRatio, draft.Patents}
	return c.Quote == before.Quote && strings.Contains(c.Quote, "或") && c.Field != before.Field && slices.Contains(either, c.Field) && slices.Contains(either, before.Field)
}

func draftedClause(c draft.Clause, t enterprise.Terms) any {
	leaf := map[string]any{"quote": c.Quote}
	human := map[string]any{"op": "human", "quote": c.Quote}
	codes := func(field, op string, codes []string) any {
		if len(codes) == 0 {
			return human
		}
		leaf["field"], leaf["op"], leaf["value"] = field, op, codes
		if c.Op == "not_on" && field != "creditStanding" {
			return map[string]any{"not": leaf}
		}
		return leaf
	}
	names := valuesOf(c.Value)
	switch c.Field {
	case draft.Region:
		return codes("region", "under", coded(names, t.Regions, nil))
	case draft.Industry:
		return codes("industry", "under", coded(names, t.Industries, map[string][]string{"工业": {"B", "C", "D"}}))
	case draft.SizeClass:
		if slices.Contains(names, "规上") {
			return codes("qualification", "has", []string{"above_scale"})
		}
		return codes("sizeClass", "in", coded(names, nil, map[string][]string{
			"中小微企业": {"medium", "small", "micro"}, "中小企业": {"medium", "small", "micro"}, "小微企业": {"small", "micro"},
			"大型企业": {"large"}, "中型企业": {"medium"}, "小型企业": {"small"}, "微型企业": {"micro"},
		}))
	case draft.Qualification:
		return codes("qualification", "has", titlesOf(names, t.Qualifications))
	case draft.TaxCredit:
		return codes("qualification", "has", taxLevels(names, c.Op))
	case draft.NotOnList:
		return codes("creditStanding", "notOn", coded(names, nil, standings(names)))
	}
	field, op, unit := measured(c)
	if field == "" || op == "" {
		return human
	}
	leaf["field"], leaf["op"], leaf["value"] = field, op, c.Value
	if unit != "" {
		leaf["unit"] = unit
	}
	return leaf
}

// measured gives a clause that counts the field, operator and unit of the register, empty when it has none.
func measured(c draft.Clause) (field, op, unit string) {
	op = map[string]string{"ge": "gte", "gt": "gt", "le": "lte", "lt": "lt", "eq": "eq"}[c.Op]
	several := strings.Contains(c.Period, "平均") || strings.Contains(c.Period, "近") || strings.Contains(c.Period, "连续") || strings.Contains(c.Period, "累计")
	switch {
	case c.Field == draft.Years && c.Unit == "日期":
		return "established", op, ""
	case c.Field == draft.Years && c.Unit == "年":
		return "established", map[string]string{"ge": "years_since_gte", "le": "years_since_lte", "lt": "years_since_lt"}[c.Op], "年"
	case several:
		return "", "", ""
	case c.Field == draft.Revenue && c.Unit == "万元":
		return "revenue", op, "万元"
	case c.Field == draft.RDExpense && c.Unit == "万元":
		return "rdSpend", op, "万元"
	case c.Field == draft.RDRatio:
		return "rdRatio", op, "%"
	case c.Field == draft.Staff:
		return "employees", op, "人"
	}
	return "", "", ""
}

func valuesOf(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []string:
		return x
	case []any:
		var out []string
		for _, y := range x {
			out = append(out, fmt.Sprint(y))
		}
		return out
	}
	return nil
}

// coded gives the codes of all names, none when one of them is not known: half a list would refuse whom the policy means.
func coded(names []string, list map[string]string, more map[string][]string) []string {
	var out []string
	for _, n := range names {
		if c, ok := more[n]; ok {
			out = append(out, c...)
			continue
		}
		best := ""
		for code, name := range list {
			if name == n && (best == "" || len(code) < len(best)) { // 房地产业 is K and 70: the wider
				best = code
			}
		}
		if best == "" {
			return nil
		}
		out = append(out, best)
	}
	return out
}

// titlesOf gives the codes of titles, which the register may name in full: 国家高新技术企业.
func titlesOf(names []string, list map[string]string) []string {
	var out []string
	for _, n := range names {
		best := ""
		for code, name := range list {
			if strings.HasSuffix(name, n) && (best == "" || cmp.Or(len(name)-len(list[best]), strings.Compare(code, best)) < 0) {
				best = code
			}
		}
		if best == "" {
			return nil
		}
		out = append(out, best)
	}
	return out
}

// taxLevels gives the titles that stand for a level of tax credit, or for it and those above: A, B, M.
func taxLevels(levels []string, op string) []string {
	order := []string{"A", "B", "M"}
	var out []string
	for i, l := range order {
		if slices.Contains(levels, l) || op == "ge" && len(levels) == 1 && slices.Index(order, levels[0]) > i {
			out = append(out, "tax_"+strings.ToLower(l))
		}
	}
	return out
}

// standings gives each list the name the register keeps it under.
func standings(names []string) map[string][]string {
	out := map[string][]string{}
	for _, n := range names {
		switch {
		case strings.Contains(n, "异常"):
			out[n] = []string{"经营异常"}
		case strings.Contains(n, "严重"):
			out[n] = []string{"严重失信"}
		default:
			out[n] = []string{n}
		}
	}
	return out
}
