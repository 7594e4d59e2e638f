package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/web/page"
)

// rateText shows the rate of a financing product, "" when it has none.
func (c Content) rateText() string {
	switch {
	case c.RateMax == 0:
		return ""
	case c.RateMin == c.RateMax:
		return page.Rate(int64(c.RateMax))
	}
	return page.Rate(int64(c.RateMin)) + "–" + page.Rate(int64(c.RateMax))
}

// amountText shows the amounts of a financing product with one unit where both have it: "1–50 万元".
func (c Content) amountText() string {
	low, high := page.Money(c.AmountMin), page.Money(c.AmountMax)
	switch {
	case c.AmountMax == 0:
		return ""
	case c.AmountMin == 0:
		return "最高 " + high
	case low == high:
		return high
	}
	if n, unit, ok := strings.Cut(high, " "); ok {
		if rest, same := strings.CutSuffix(low, " "+unit); same {
			return rest + "–" + n + " " + unit
		}
	}
	return low + "–" + high
}

// termText shows the terms in months, or in years where both are whole: "1–3 年", "6–24 个月".
func (c Content) termText() string {
	low, high, unit := c.TermMin, c.TermMax, "个月"
	if high == 0 {
		return ""
	}
	if low%12 == 0 && high%12 == 0 {
		low, high, unit = low/12, high/12, "年"
	}
	switch {
	case low == 0:
		return fmt.Sprintf("最长 %d %s", high, unit)
	case low == high:
		return fmt.Sprintf("%d %s", high, unit)
	}
	return fmt.Sprintf("%d–%d %s", low, high, unit)
}

// daysText shows how long it takes.
func (c Content) daysText() string {
	if c.Days == 0 {
		return ""
	}
	return fmt.Sprintf("%d 个工作日", c.Days)
}

// Change is one field in which an edition differs from the last approved one.
type Change struct {
	Field  string `json:"field"`
	Label  string `json:"label"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Changes lists the fields in which after differs from before, in the order of the form, in words.
func Changes(before, after Content) []Change {
	out := []Change{}
	add := func(field, label, old, now string) {
		if old != now {
			out = append(out, Change{field, label, old, now})
		}
	}
	kind := after.FinancingKind
	add("name", "产品名称", before.Name, after.Name)
	add("kind", "服务类别", kindOf(kinds, before.Kind).Name, kindOf(kinds, after.Kind).Name)
	add("financingKind", "融资类型", kindOf(financingKinds, before.FinancingKind).Name, kindOf(financingKinds, after.FinancingKind).Name)
	add("summary", "一句话介绍", before.Summary, after.Summary)
	add("rate", rateLabel(kind), before.rateText(), after.rateText())
	add("amount", amountLabel(kind), before.amountText(), after.amountText())
	add("term", "期限", before.termText(), after.termText())
	names := func(list []Kind, codes lines) string { return strings.Join(namesOf(list, codes), "、") }
	add("guarantees", "担保方式", names(guarantees, before.Guarantees), names(guarantees, after.Guarantees))
	add("cost", "收费方式", kindOf(costs, before.Cost).Name, kindOf(costs, after.Cost).Name)
	add("priceText", "价格", before.PriceText, after.PriceText)
	add("subsidy", "补贴说明", before.Subsidy, after.Subsidy)
	add("venues", "服务方式", names(venues, before.Venues), names(venues, after.Venues))
	add("duration", "服务周期", before.Duration, after.Duration)
	add("deliverables", "交付成果", strings.Join(before.Deliverables, "\n"), strings.Join(after.Deliverables, "\n"))
	add("target", "适用对象", before.Target, after.Target)
	add("conditions", "申请条件", strings.Join(before.Conditions, "\n"), strings.Join(after.Conditions, "\n"))
	add("materials", "申请材料", strings.Join(before.Materials, "\n"), strings.Join(after.Materials, "\n"))
	add("steps", "办理流程", strings.Join(before.Steps, "\n"), strings.Join(after.Steps, "\n"))
	add("days", "办理时限", before.daysText(), after.daysText())
	add("listFrom", "上架日期", before.ListFrom, after.ListFrom)
	add("validUntil", "有效期至", before.ValidUntil, after.ValidUntil)
	add("description", "产品说明", before.Description, after.Description)
	add("cover", "封面图", before.Cover.names(nil), after.Cover.names(before.Cover))
	add("files", "附件", before.Files.names(nil), after.Files.names(before.Files))
	seen := map[string]bool{}
	text := func(list answers, key string) string {
		if i := slices.IndexFunc(list, func(a Answer) bool { return a.Key == key }); i >= 0 {
			return list[i].Text
		}
		return ""
	}
	for _, a := range slices.Concat(after.Extra, before.Extra) {
		if !seen[a.Key] {
			seen[a.Key] = true
			add("fields."+a.Key, a.Label, text(before.Extra, a.Key), text(after.Extra, a.Key))
		}
	}
	return out
}

// RateLimit is a rate above which a product is pointed out to its institution and to the reviewers. It is data: the law's
// limit follows the market's rate.
type RateLimit struct {
	BasisPoints int
	Basis       string // how the limit comes about, in words
}

// warnings say what may be right and must be looked at.
func (c Content) warnings(limit RateLimit) []string {
	out := []string{}
	if lends(c.FinancingKind) && limit.BasisPoints > 0 && c.RateMax > limit.BasisPoints {
		out = append(out, fmt.Sprintf("年利率上限 %s 高于 %s（%s），请核对并说明综合融资成本", page.Rate(int64(c.RateMax)), page.Rate(int64(limit.BasisPoints)), limit.Basis))
	}
	return out
}
