package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/sizeclass"
)

// companyFile is a company at the command line. What is left out is not known.
type companyFile struct {
	Name  string                     `json:"name"`
	AsOf  string                     `json:"asOf"` // day the facts are of; empty is the day of judging
	Facts map[string]json.RawMessage `json:"facts"`
}

// readCompany reads a company and adds what follows from its facts: the size class, shares and growth.
func readCompany(file string, t enterprise.Terms, at time.Time) (string, criteria.Facts, error) {
	var c companyFile
	if err := readJSON(file, &c); err != nil {
		return "", nil, err
	}
	asOf := at
	if c.AsOf != "" {
		day, err := time.Parse(time.DateOnly, c.AsOf)
		if err != nil {
			return "", nil, configErrorf("%s：asOf %q 不是日期，例如 2026-11-29", file, c.AsOf)
		}
		asOf = day
	}
	schema := enterprise.Schema(t)
	facts := criteria.Facts{}
	numbers := map[string]int64{}
	for name, raw := range c.Facts {
		f, ok := schema.Field(name)
		if !ok {
			return "", nil, configErrorf("%s：没有名为「%s」的字段，可用的有 %s", file, name, strings.Join(schema.Names(), "、"))
		}
		if string(raw) == "null" {
			continue
		}
		if years, ok := byYear(raw); ok {
			x, n, err := factYears(f, years, "文件所给", asOf)
			if err != nil {
				return "", nil, configErrorf("%s：「%s」（%s）%v", file, f.Label, name, err)
			}
			facts[name], numbers[name] = x, n
			continue
		}
		v, n, err := factValue(f, raw)
		if err != nil {
			return "", nil, configErrorf("%s：「%s」（%s）%v", file, f.Label, name, err)
		}
		numbers[name] = n
		facts[name] = criteria.Fact{Value: v, Source: "文件所给", AsOf: asOf}
	}
	derived(facts, c.Facts, numbers, asOf, at)
	return c.Name, facts, nil
}

// factValue reads one fact of its field, and its number when it counts.
func factValue(f criteria.Field, raw json.RawMessage) (criteria.Value, int64, error) {
	var text string
	isText := json.Unmarshal(raw, &text) == nil
	switch f.Kind {
	case criteria.Count:
		n, err := exact(strings.TrimSuffix(plainText(raw, text), f.Unit), 1)
		return criteria.Number(n), n, err
	case criteria.Money:
		for _, u := range []struct {
			unit string
			fen  int64
		}{{"亿元", 10_000_000_000}, {"万元", 1_000_000}, {"元", 100}} {
			if n, ok := strings.CutSuffix(text, u.unit); ok {
				fen, err := exact(n, u.fen)
				return criteria.Fen(fen), fen, err
			}
		}
		return criteria.Value{}, 0, fmt.Errorf("要写明单位，例如 \"2600万元\"")
	case criteria.Ratio:
		n, ok := strings.CutSuffix(text, "%")
		if !ok {
			return criteria.Value{}, 0, fmt.Errorf("要写成百分比，例如 \"3.5%%\"")
		}
		permille, err := exact(n, 10)
		return criteria.Permille(permille), permille, err
	case criteria.Date:
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return criteria.Value{}, 0, fmt.Errorf("应为日期，例如 \"2018-05-01\"")
		}
		return criteria.Day(day), 0, nil
	case criteria.Category:
		codes := []string{text}
		if !isText && json.Unmarshal(raw, &codes) != nil || len(codes) == 0 || slices.Contains(codes, "") {
			return criteria.Value{}, 0, fmt.Errorf("应为代码，或可能的代码列表")
		}
		if err := among(f, codes...); err != nil {
			return criteria.Value{}, 0, err
		}
		return criteria.OneOf(codes...), 0, nil
	case criteria.Flag:
		var yes bool
		if json.Unmarshal(raw, &yes) != nil {
			return criteria.Value{}, 0, fmt.Errorf("应为 true 或 false")
		}
		return criteria.Yes(yes), 0, nil
	}
	v, err := holdings(f, raw)
	return v, 0, err
}

// among refuses codes that a closed list does not have.
func among(f criteria.Field, codes ...string) error {
	for _, c := range codes {
		if _, ok := f.Values[c]; f.Closed && !ok {
			return fmt.Errorf("没有「%s」这个选项，可用的有 %s", c, strings.Join(slices.Sorted(maps.Keys(f.Values)), "、"))
		}
	}
	return nil
}

// byYear reads {"now": 22, "2025": 20, "2024": 18}.
func byYear(raw json.RawMessage) (map[string]json.RawMessage, bool) {
	var years map[string]json.RawMessage
	return years, len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &years) == nil
}

// factYears reads a fact of single years, and its number now: what is given for now, or that of the latest year.
func factYears(f criteria.Field, years map[string]json.RawMessage, source string, at time.Time) (criteria.Fact, int64, error) {
	out := criteria.Fact{Source: source}
	if f.Yearly == "" {
		return out, 0, fmt.Errorf("没有分年数据，请只写一个值")
	}
	now := int64(0)
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(years))) { // now stands behind the digits
		if string(years[name]) == "null" {
			continue
		}
		year, err := strconv.Atoi(name)
		if name != "now" && (err != nil || len(name) != 4) {
			return out, 0, fmt.Errorf("中的「%s」应为年份，例如 {\"2025\": …}", name)
		}
		v, n, err := factValue(f, years[name])
		switch end := time.Date(year, 12, 31, 0, 0, 0, 0, clock.Beijing); {
		case err != nil:
			return out, 0, fmt.Errorf("%s 年%w", name, err)
		case name == "now":
			out.Value, out.AsOf, now = v, at, n
			continue
		default:
			out.Years = append(out.Years, criteria.Year{Year: year, N: n, Source: source, AsOf: end})
			if !out.Value.Known() {
				out.Value, out.AsOf, now = v, end, n
			}
		}
	}
	return out, now, nil
}

func plainText(raw json.RawMessage, text string) string {
	if text != "" {
		return text
	}
	return string(raw)
}

// holdings reads a list of codes, or of {"code","from","to"}.
func holdings(f criteria.Field, raw json.RawMessage) (criteria.Value, error) {
	var items []json.RawMessage
	wrong := fmt.Errorf(`应为列表，例如 ["high_tech"] 或 [{"code":"high_tech","to":"2027-12-31"}]`)
	if json.Unmarshal(raw, &items) != nil || items == nil {
		return criteria.Value{}, wrong
	}
	var out []criteria.Holding
	for _, item := range items {
		var h enterprise.Holding
		if json.Unmarshal(item, &h.Code) != nil && json.Unmarshal(item, &h) != nil || h.Code == "" {
			return criteria.Value{}, wrong
		}
		if err := among(f, h.Code); err != nil {
			return criteria.Value{}, err
		}
		held := criteria.Holding{Code: h.Code}
		for _, d := range []struct {
			text string
			into *time.Time
		}{{h.From, &held.From}, {h.To, &held.To}} {
			if d.text == "" {
				continue
			}
			day, err := time.Parse(time.DateOnly, d.text)
			if err != nil {
				return criteria.Value{}, wrong
			}
			*d.into = day
		}
		if !held.To.IsZero() && held.To.Before(held.From) {
			return criteria.Value{}, fmt.Errorf("「%s」的结束日期早于开始日期", h.Code)
		}
		out = append(out, held)
	}
	return criteria.Holds(out...), nil
}

// exact reads a decimal and multiplies it, without rounding.
func exact(s string, scale int64) (int64, error) {
	s = strings.TrimSpace(s)
	r, ok := new(big.Rat).SetString(s)
	if !ok || len(s) > 30 || strings.Trim(s, "-0123456789.") != "" {
		return 0, fmt.Errorf("应为数字")
	}
	r.Mul(r, new(big.Rat).SetInt64(scale))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, fmt.Errorf("小数位过多或数值过大")
	}
	return r.Num().Int64(), nil
}

// derived adds what was not given and follows from what was.
func derived(facts criteria.Facts, given map[string]json.RawMessage, numbers map[string]int64, asOf, at time.Time) {
	pointer := func(name string) *int64 {
		if !facts[name].Value.Known() {
			return nil
		}
		n := numbers[name]
		return &n
	}
	var industry string
	if _, stated := facts["sizeClass"]; !stated && json.Unmarshal(given["industry"], &industry) == nil {
		m := sizeclass.Metrics{Employees: pointer("employees"), Revenue: pointer("revenue"), Assets: pointer("assets")}
		if r := sizeclass.National().Classify(industry, m, at); len(r.Classes) > 0 {
			facts["sizeClass"] = criteria.Fact{Value: criteria.OneOf(r.Codes()...), Source: "按" + r.Document + "计算", AsOf: asOf}
		}
	}
	for _, q := range []struct{ name, over, under string }{{"rdRatio", "rdSpend", "revenue"}, {"debtRatio", "liabilities", "assets"}} {
		if _, stated := facts[q.name]; stated {
			continue
		}
		x := criteria.Fact{Years: shares(facts[q.over].Years, facts[q.under].Years)}
		if over, base := pointer(q.over), pointer(q.under); over != nil && base != nil {
			x.Source, x.AsOf = computed, asOf
			if n, ok := share(*over, *base); ok {
				x.Value = criteria.Permille(n)
			} else {
				x.Unknown = criteria.NoBase
			}
		}
		if x.Source != "" || x.Years != nil {
			facts[q.name] = x
		}
	}
	growth(facts)
	gradeApart(facts, given)
}

// growth adds by how much revenue grew, where the books of several years are given and it is not given itself.
func growth(facts criteria.Facts) {
	books := slices.Clone(facts["revenue"].Years)
	slices.SortFunc(books, func(a, b criteria.Year) int { return b.Year - a.Year })
	all := enterprise.Growths(books)
	if _, stated := facts["revenueGrowth"]; stated || all == nil {
		return
	}
	x := criteria.Fact{Years: all}
	if g, ok := enterprise.GrowthNow(books); ok {
		x.Source, x.AsOf, x.Unknown = g.Source, g.AsOf, g.Unknown
		if g.Unknown == "" {
			x.Value = criteria.Permille(g.N)
		}
	}
	facts["revenueGrowth"] = x
}

// gradeApart reads a grade of tax credit that is given among the titles, as files of before have it.
func gradeApart(facts criteria.Facts, given map[string]json.RawMessage) {
	f, _ := enterprise.Schema(enterprise.Terms{}).Field("qualification")
	var titles []json.RawMessage
	if _, stated := facts["taxGrade"]; stated || json.Unmarshal(given["qualification"], &titles) != nil {
		return
	}
	for _, raw := range titles {
		var h enterprise.Holding
		if json.Unmarshal(raw, &h.Code) != nil && json.Unmarshal(raw, &h) != nil {
			continue
		}
		if m := f.Moved[h.Code]; m.Field == "taxGrade" {
			facts[m.Field] = criteria.Fact{Value: criteria.Code(m.Code), Source: facts["qualification"].Source, AsOf: facts["qualification"].AsOf}
		}
	}
}

// computed is the source of what follows from other facts.
const computed = "按已有信息计算"

// share is research of revenue in permille, cut; false over no revenue.
func share(spend, base int64) (int64, bool) {
	if base <= 0 {
		return 0, false
	}
	n := new(big.Int).Mul(big.NewInt(spend), big.NewInt(1000))
	return n.Quo(n, big.NewInt(base)).Int64(), true
}

// shares are the shares of the years of which both are known.
func shares(spend, base []criteria.Year) []criteria.Year {
	var out []criteria.Year
	for _, a := range spend {
		for _, b := range base {
			if a.Year != b.Year {
				continue
			}
			y := criteria.Year{Year: a.Year, Source: computed, AsOf: a.AsOf}
			n, ok := share(a.N, b.N)
			if y.N = n; !ok {
				y.Unknown = criteria.NoBase
			}
			out = append(out, y)
		}
	}
	return out
}
