package server

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/policy/draft"
	"github.com/huiqi/huiqi/platform/criteria"
)

// draftedConditions makes a condition tree of a draft, to try it before a person works on it. What the register of
// companies has no field for becomes a clause for a human. A clause whose words begin with 或 stands beside the one before.
func draftedConditions(p policyFile, t enterprise.Terms) json.RawMessage {
	var all []asked
	for i := 0; i < len(p.Clauses); i++ {
		c := p.Clauses[i]
		n := draftedClause(c, t)
		before := i - 1
		if i+1 < len(p.Clauses) && bounds(c, p.Clauses[i+1]) { // both ends of a range stand or fall together
			n = map[string]any{"all": []any{n, draftedClause(p.Clauses[i+1], t)}}
			i++
		}
		if before >= 0 && alternatives(c, p.Clauses[before]) {
			last := &all[len(all)-1]
			if g, ok := last.node.(map[string]any); ok && g["any"] != nil {
				g["any"] = append(g["any"].([]any), n)
			} else {
				last.node = map[string]any{"any": []any{last.node, n}}
			}
			continue
		}
		all = append(all, asked{c.Quote, n})
	}
	for _, q := range p.NotDecidable {
		if !draft.Preferred(q) { // what puts a company before others decides nothing
			all = append(all, asked{q, map[string]any{"op": "human", "quote": q}})
		}
	}
	for _, list := range p.AnyOf {
		all = oneOf(all, list)
	}
	if len(all) == 0 {
		return nil
	}
	nodes := make([]any, 0, len(all))
	for _, a := range all {
		nodes = append(nodes, a.node)
	}
	out, err := json.Marshal(map[string]any{"all": nodes})
	if err != nil {
		return nil // of strings and numbers that were just read
	}
	return out
}

// asked is a condition with the words of the text it stands for.
type asked struct {
	quote string
	node  any
}

// oneOf puts the items of a list, of which one is enough, together where the first of them stood.
func oneOf(all []asked, list [][]string) []asked {
	items := make([][]any, len(list))
	var out []asked
	at := -1
	for _, a := range all {
		i := slices.IndexFunc(list, func(quotes []string) bool { return slices.Contains(quotes, a.quote) })
		if i < 0 {
			out = append(out, a)
			continue
		}
		if at < 0 {
			at = len(out)
			out = append(out, asked{quote: a.quote})
		}
		items[i] = append(items[i], a.node)
	}
	if at < 0 {
		return all
	}
	var group []any
	for _, nodes := range items {
		switch len(nodes) {
		case 0:
		case 1:
			group = append(group, nodes[0])
		default:
			group = append(group, map[string]any{"all": nodes})
		}
	}
	out[at].node = map[string]any{"any": group}
	return out
}

// bounds reports that two clauses are the lower and the upper end of one range: 成立5年（不含）至9年.
func bounds(low, high draft.Clause) bool {
	return low.Quote == high.Quote && low.Field == high.Field && low.Subject == high.Subject &&
		(low.Op == "ge" || low.Op == "gt") && (high.Op == "le" || high.Op == "lt")
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
		if years := yearsBack(c.Period); years > 0 && (op == "has" && obtained.MatchString(c.Quote) || op == "notOn" && spared.MatchString(c.Quote)) {
			leaf["within"] = years
		}
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
		levels := taxLevels(names, c.Op)
		if c.Op == "ge" && strings.Contains(c.Quote, "含M") && !slices.Contains(levels, "M") { // B级及以上（含M级）
			levels = append(levels, "M")
		}
		if c.Op == "not_on" && len(levels) == 1 {
			leaf["field"], leaf["op"], leaf["value"] = "taxGrade", "ne", levels[0]
			return leaf
		}
		return codes("taxGrade", "in", levels)
	case draft.NotOnList:
		courts, lists := courtLists(names)
		if len(courts) == 0 {
			return codes("creditStanding", "notOn", coded(lists, nil, standings(lists)))
		}
		if len(lists) == 0 {
			return codes("judgments", "notOn", courts)
		}
		first := codes("creditStanding", "notOn", coded(lists, nil, standings(lists)))
		leaf = maps.Clone(leaf)
		return map[string]any{"all": []any{first, codes("judgments", "notOn", courts)}}
	case draft.Other:
		switch {
		case c.Op != "true":
		case penaltyFree.MatchString(c.Quote) && knownYears(c.Period):
			kinds := enterprise.Penalties()
			if strings.Contains(c.Quote, "重大") {
				kinds = enterprise.MajorPenalties()
			}
			leaf["field"], leaf["op"], leaf["value"] = "penalties", "notOn", kinds
			if years := yearsBack(c.Period); years > 0 {
				leaf["within"] = years
			}
			return leaf
		case paidUp.MatchString(c.Quote) && c.Period == "":
			return codes("socialArrears", "notOn", []string{"social"})
		}
	}
	field, op, unit := measured(c)
	if field == "" || op == "" {
		return human
	}
	leaf["field"], leaf["op"], leaf["value"] = field, op, c.Value
	if op == "years_since_gt" { // longer than: not up to
		leaf["op"], leaf["unit"] = "years_since_lte", unit
		return map[string]any{"not": leaf}
	}
	if unit != "" {
		leaf["unit"] = unit
	}
	years, over, known := severalYears(c)
	switch {
	case !known:
		return human
	case years > 0 && field == "rdRatio" && over == "total": // 近三年研发费用总额占同期销售收入总额的比例
		if op != "gte" {
			return human
		}
		leaf["field"], leaf["of"], leaf["op"] = "rdSpend", "revenue", "ratio_gte"
	case years > 0 && !asksYears(field, over):
		return human
	}
	if field == "patents" && c.Subject == "知识产权" {
		leaf["label"] = "知识产权（按有效专利）"
	}
	if years > 0 {
		leaf["years"], leaf["over"] = years, over
	}
	return leaf
}

var (
	obtained  = regexp.MustCompile(`年度?(?:以来|内|间|以内)?[^，。；]{0,8}(?:获得|取得|获评|获|认定|评为|入选)`)
	spared    = regexp.MustCompile(`年度?(?:以来|内|间|以内)?[^，。；]{0,10}(?:未|无|没有|不存在)`)
	lastYears = regexp.MustCompile(`(?:近|前|过去|连续)(?:的)?(\d{1,2}|[一二两三四五六七八九十])个?(?:完整)?(?:会计|纳税|自然)?(?:年度|年)`)
	oneYear   = regexp.MustCompile(`任[意何]?[一1]个?(?:会计)?年|其中[一1]年|至少有?[一1]年|有[一1]年`)
	eachYear  = regexp.MustCompile(`(?:^|[^年平])均(?:不|在|达|超|高|大|≥)`)
	inTotal   = regexp.MustCompile(`累计|合计|总和|之和|总额占`)
	onAverage = regexp.MustCompile(`平均|年均|均值`)
)

// yearsBack is how many years a period goes back: 3 of 近三年, 0 of 上年度 or of months.
func yearsBack(period string) int {
	m := lastYears.FindStringSubmatch(period)
	if m == nil {
		return 0
	}
	if n := strings.Index("零一二三四五六七八九十", m[1]); n > 0 {
		return n / len("一")
	}
	if m[1] == "两" {
		return 2
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n > criteria.MaxYears {
		return 0
	}
	return n
}

// severalYears says of how many years a clause speaks and how they are taken together; 0 when of the last one. A growth over
// years, a period of months and one of too many years are not known.
func severalYears(c draft.Clause) (years int, over string, known bool) {
	if c.Field == draft.Years {
		return 0, "", true
	}
	years = yearsBack(c.Period)
	words := c.Period + c.Quote
	switch {
	case strings.Contains(words, "复合"):
		return 0, "", false
	case years == 0:
		return 0, "", !strings.Contains(c.Period, "近") && !strings.Contains(c.Period, "连续") && !inTotal.MatchString(c.Period) && !onAverage.MatchString(c.Period)
	case oneYear.MatchString(words):
		over = "any"
	case eachYear.MatchString(words): // 总额占营业收入总额的比重均在3%以上
		over = "each"
	case onAverage.MatchString(words):
		over = "mean"
	case inTotal.MatchString(words):
		over = "total"
	default: // 近三年营业收入（均）不低于: the stricter reading, for a person to look at
		over = "each"
	}
	return years, over, true
}

// measured gives a clause that counts the field, operator and unit of the register, empty when it has none.
func measured(c draft.Clause) (field, op, unit string) {
	op = map[string]string{"ge": "gte", "gt": "gt", "le": "lte", "lt": "lt", "eq": "eq"}[c.Op]
	switch {
	case c.Field == draft.Years && c.Unit == "日期":
		return "established", op, ""
	case c.Field == draft.Years && c.Unit == "年":
		return "established", map[string]string{"ge": "years_since_gte", "gt": "years_since_gt", "le": "years_since_lte", "lt": "years_since_lt"}[c.Op], "年"
	case c.Field == draft.Revenue && c.Unit == "万元":
		return "revenue", op, "万元"
	case c.Field == draft.RDExpense && c.Unit == "万元":
		return "rdSpend", op, "万元"
	case c.Field == draft.RDRatio:
		return "rdRatio", op, "%"
	case c.Field == draft.Staff:
		return "employees", op, "人"
	case c.Field == draft.SocialInsured && c.Unit == "人":
		return "insured", op, "人"
	case c.Field == draft.Growth && c.Unit == "%":
		return "revenueGrowth", op, "%"
	case c.Field == draft.Patents && c.Unit == "件":
		return property(c), op, "件"
	case c.Field == draft.Loan && c.Unit == "万元" && !oneLoan.MatchString(c.Quote):
		return "loans", op, "万元"
	case c.Field == draft.Other:
		m := otherMeasures[c.Subject]
		if m[1] == c.Unit {
			return m[0], op, m[1]
		}
	}
	return "", "", ""
}

// otherMeasures are the measures the draft has no field of its own for, and the register has.
var otherMeasures = map[string][2]string{
	"资产负债率": {"debtRatio", "%"}, "资产总额": {"assets", "万元"}, "总资产": {"assets", "万元"}, "资产总计": {"assets", "万元"}, "负债总额": {"liabilities", "万元"},
	"注册商标": {"trademarks", "件"}, "有效注册商标": {"trademarks", "件"}, "商标": {"trademarks", "件"},
}

var (
	// oneLoan is a loan by itself, asked for or given, and not what a company owes.
	oneLoan = regexp.MustCompile(`单[户笔]|每[户笔]|授信|申请|拟|新增|首次|首贷|期限`)
	// penaltyFree asks for no penalty, of whatever office and kind.
	penaltyFree = regexp.MustCompile(`(?:未|无|没有|不存在)(?:受到|受过|发生|存在|有|被处以)?过?(?:重大|较?严重)?行政处罚(?:记录|情形|情况|等?(?:不良)?记录)?的?$`)
	paidUp      = regexp.MustCompile(`(?:无|未|没有|不存在)(?:拖欠|欠缴|欠)(?:职工|员工)?(?:社会保险|社保)费?用?(?:情况|情形|行为|记录|问题)?的?$`)
	// notYet is property that is asked for, or held abroad, or that another right stands beside: the register does not count it.
	notYet = regexp.MustCompile(`申请|受理|实审|PCT|海外|国外|境外|植物新品种|布图设计|转化`)
)

// property is the field of the register that counts what a clause counts; empty where it counts several together.
func property(c draft.Clause) string {
	if notYet.MatchString(c.Quote) && !strings.Contains(c.Quote, "授权") {
		return ""
	}
	switch {
	case c.Subject == "软件著作权", c.Subject == "软著":
		return "copyrights"
	case c.Subject == "知识产权":
		if strings.Contains(c.Quote, "类知识产权") {
			return ""
		}
		return "patents"
	case c.Subject != "专利":
		return ""
	case strings.Contains(c.Quote, "实用新型") || strings.Contains(c.Quote, "外观设计"):
		return ""
	case strings.Contains(c.Quote, "发明"):
		return "inventions"
	}
	return "patents"
}

// asksYears reports whether the register keeps single years of a field, and can take them together so.
func asksYears(field, over string) bool {
	f, ok := enterprise.Schema(enterprise.Terms{}).Field(field)
	return ok && f.Yearly != "" && (over != "total" || f.Booked || field == "rdRatio")
}

// knownYears reports whether a period is none, or one of years back from today.
func knownYears(period string) bool { return period == "" || yearsBack(period) > 0 }

// courtLists parts the names of lists into those that courts keep, by their codes, and the others.
func courtLists(names []string) (courts, lists []string) {
	for _, n := range names {
		if strings.Contains(n, "被执行人") {
			if !slices.Contains(courts, "dishonest") {
				courts = append(courts, "dishonest")
			}
			continue
		}
		lists = append(lists, n)
	}
	return courts, lists
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

// taxLevels gives the grades of tax credit that are asked for, or one and those above.
func taxLevels(levels []string, op string) []string {
	order := []string{"A", "B", "M", "C", "D"}
	var out []string
	for i, l := range order {
		if slices.Contains(levels, l) || op == "ge" && len(levels) == 1 && slices.Index(order, levels[0]) > i {
			out = append(out, l)
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
