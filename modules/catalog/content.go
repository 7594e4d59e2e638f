package catalog

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/web/page"
)

// The bounds of a product.
const (
	maxName        = 60
	maxSummary     = 200
	maxDescription = 5000
	maxTarget      = 200
	maxPrice       = 100
	maxMaterials   = 20
	maxSteps       = 12
	maxConditions  = 20
	maxResults     = 12
	maxSubsidy     = 200
	maxDuration    = 60
	maxRate        = 3600                  // basis points
	maxAmount      = 100_000_000_000 * 100 // fen: a thousand 亿
	maxTerm        = 600                   // months
	maxDays        = 365
)

// lines are kept as JSON text on both databases.
type lines []string

// Value writes them.
func (l lines) Value() (driver.Value, error) {
	b, err := l.MarshalJSON()
	return string(b), err
}

// MarshalJSON writes no lines as an empty list.
func (l lines) MarshalJSON() ([]byte, error) { return json.Marshal(append([]string{}, l...)) }

// Scan reads them.
func (l *lines) Scan(src any) error { return scanJSON(src, (*[]string)(l)) }

// scanJSON reads what one of the lists of an edition is kept as.
func scanJSON[T any](src any, into *[]T) error {
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), into)
	case []byte:
		return json.Unmarshal(v, into)
	}
	return fmt.Errorf("a list of %T from %T", *into, src)
}

// Content is what an edition says.
type Content struct {
	Name          string   `bun:"name,notnull" json:"name"`
	Kind          string   `bun:"kind,notnull" json:"kind"`
	FinancingKind string   `bun:"financing_kind,notnull" json:"financingKind" doc:"Of financing products only."`
	Summary       string   `bun:"summary,notnull" json:"summary"`
	Description   string   `bun:"description,notnull" json:"description"`
	RateMin       int      `bun:"rate_min,notnull" json:"rateMin" doc:"Yearly, basis points: 385 is 3.85 %."`
	RateMax       int      `bun:"rate_max,notnull" json:"rateMax"`
	AmountMin     int64    `bun:"amount_min,notnull" json:"amountMin" doc:"Fen."`
	AmountMax     int64    `bun:"amount_max,notnull" json:"amountMax"`
	TermMin       int      `bun:"term_min,notnull" json:"termMin" doc:"Months."`
	TermMax       int      `bun:"term_max,notnull" json:"termMax"`
	Guarantees    lines    `bun:"guarantees,notnull" json:"guarantees" nullable:"false" doc:"Of loans: credit (nothing is pledged), mortgage, pledge, guarantor, insurance; any of them will do."`
	Cost          string   `bun:"cost,notnull" json:"cost" doc:"Of services: free, paid or subsidised."`
	PriceText     string   `bun:"price_text,notnull" json:"priceText" doc:"What a service costs, as shown."`
	Subsidy       string   `bun:"subsidy,notnull" json:"subsidy" doc:"Who pays how much of a subsidised service."`
	Venues        lines    `bun:"venues,notnull" json:"venues" nullable:"false" doc:"Where a service takes place: online, office (of the institution), visit (at the company)."`
	Duration      string   `bun:"duration,notnull" json:"duration" doc:"How long a service lasts, as shown."`
	Deliverables  lines    `bun:"deliverables,notnull" json:"deliverables" nullable:"false" doc:"What the company has in hand afterwards."`
	Conditions    lines    `bun:"conditions,notnull" json:"conditions" nullable:"false" doc:"What a company must meet."`
	Target        string   `bun:"target,notnull" json:"target"`
	Materials     lines    `bun:"materials,notnull" json:"materials" nullable:"false"`
	Steps         lines    `bun:"steps,notnull" json:"steps" nullable:"false"`
	Days          int      `bun:"days,notnull" json:"days" doc:"Working days until the result."`
	ListFrom      string   `bun:"list_from,notnull" json:"listFrom" doc:"The first day on the public list; empty as soon as it is approved."`
	ValidUntil    string   `bun:"valid_until,notnull" json:"validUntil" doc:"The last day, 2026-12-31; empty without a term."`
	Cover         fileRefs `bun:"cover,notnull" json:"cover" nullable:"false" required:"false" maxItems:"1" doc:"The picture."`
	Files         fileRefs `bun:"files,notnull" json:"files" nullable:"false" required:"false" doc:"Attachments, pictures or PDF."`
	// Suits is whom the product suits: what recommendations go by once the edition is public.
	Suits Suits `bun:"suits,notnull" json:"suits" required:"false" doc:"Whom the product suits: what recommendations go by once the edition is public."`
	// Extra is what administrators ask beside the rest.
	Extra answers `bun:"extra,notnull" json:"extra" nullable:"false" required:"false" doc:"What is filled into the fields that administrators define."`
}

// entry collects what is wrong with typed content.
type entry struct{ errs []error }

func (e *entry) refuse(field, code, message string) {
	e.errs = append(e.errs, fault.InvalidField(field, code, message))
}

func (e *entry) note(err error, field, label string) {
	f, ok := fault.As(err)
	switch {
	case err == nil:
	case !ok:
		e.errs = append(e.errs, err)
	case f.Code == text.ErrRequired.Code:
		e.refuse(field, f.Code, "请填写"+label)
	default:
		e.refuse(field, f.Code, label+"："+f.Message)
	}
}

func (e *entry) line(field, label, value string, shortest, longest int) string {
	v, err := text.Line(field, value, shortest, longest)
	e.note(err, field, label)
	return v
}

func (e *entry) block(field, label, value string, longest int) string {
	v, err := text.Block(field, value, 0, longest)
	e.note(err, field, label)
	return v
}

func (e *entry) list(field, label string, values []string, most int) lines {
	out := lines{}
	for _, v := range values {
		if v = e.line(field, label, v, 0, 100); v != "" {
			out = append(out, v)
		}
	}
	if len(out) > most {
		e.refuse(field, "TOO_MANY", fmt.Sprintf("%s最多 %d 项，现有 %d 项，请合并后填写", label, most, len(out)))
	}
	return out
}

// codes keeps those of a fixed choice, in its order, each once.
func (e *entry) codes(field, label string, values []string, from []Kind) lines {
	out := lines{}
	for _, k := range from {
		if slices.Contains(values, k.Code) {
			out = append(out, k.Code)
		}
	}
	if slices.ContainsFunc(values, func(v string) bool { return kindOf(from, v).Code == "" }) {
		e.refuse(field, "CHOICE", label+"中有不认识的选项，请重新选择")
	}
	return out
}

// span checks a lower and an upper bound.
func (e *entry) span(field, label string, low, high, most int64, show func(int64) string) {
	switch {
	case low < 0 || high < 0:
		e.refuse(field+"Min", "RANGE", label+"不能为负数")
	case low > most || high > most:
		e.refuse(field+"Max", "RANGE", label+"不能超过 "+show(most)+"，请核对单位")
	case low > high:
		e.refuse(field+"Max", "RANGE", label+"的上限不能小于下限")
	}
}

// clean checks typed content and returns it as it is kept. A draft may have gaps; nothing in it may be wrong.
func (c Content) clean() (Content, error) {
	var e entry
	out := Content{
		Name: e.line("name", "产品名称", c.Name, 2, maxName), Kind: c.Kind, Summary: e.line("summary", "一句话介绍", c.Summary, 0, maxSummary),
		Description: e.block("description", "产品说明", c.Description, maxDescription), Target: e.line("target", "适用对象", c.Target, 0, maxTarget),
		PriceText: e.line("priceText", "价格", c.PriceText, 0, maxPrice), Materials: e.list("materials", "申请材料", c.Materials, maxMaterials),
		Steps: e.list("steps", "办理流程", c.Steps, maxSteps), Days: c.Days, ValidUntil: c.ValidUntil, ListFrom: c.ListFrom,
		Conditions: e.list("conditions", "申请条件", c.Conditions, maxConditions), Guarantees: lines{}, Venues: lines{}, Deliverables: lines{}, Cover: c.Cover, Files: c.Files, Suits: c.Suits,
	}
	if kindOf(kinds, c.Kind).Code == "" {
		e.refuse("kind", "PRODUCT_KIND", "请选择服务类别")
	}
	if c.Kind == Financing {
		out.FinancingKind, out.PriceText = c.FinancingKind, ""
		out.RateMin, out.RateMax, out.AmountMin, out.AmountMax, out.TermMin, out.TermMax = c.RateMin, c.RateMax, c.AmountMin, c.AmountMax, c.TermMin, c.TermMax
		if kindOf(financingKinds, c.FinancingKind).Code == "" {
			e.refuse("financingKind", "FINANCING_KIND", "请选择融资类型")
		}
		if out.Guarantees = e.codes("guarantees", "担保方式", c.Guarantees, guarantees); !lends(c.FinancingKind) {
			out.Guarantees = lines{}
		}
		e.span("rate", rateLabel(c.FinancingKind), int64(c.RateMin), int64(c.RateMax), maxRate, page.Rate)
		e.span("amount", amountLabel(c.FinancingKind), c.AmountMin, c.AmountMax, maxAmount, page.Money)
		if c.AmountMin%100 != 0 || c.AmountMax%100 != 0 {
			field := "amountMax"
			if c.AmountMin%100 != 0 {
				field = "amountMin"
			}
			e.refuse(field, "PRECISION", amountLabel(c.FinancingKind)+"以万元为单位最多 4 位小数，精确到元，请修改")
		}
		e.span("term", "期限", int64(c.TermMin), int64(c.TermMax), maxTerm, func(n int64) string { return fmt.Sprintf("%d 个月", n) })
	} else {
		out.Cost, out.Venues, out.Deliverables = c.Cost, e.codes("venues", "服务方式", c.Venues, venues), e.list("deliverables", "交付成果", c.Deliverables, maxResults)
		out.Duration, out.Subsidy = e.line("duration", "服务周期", c.Duration, 0, maxDuration), e.line("subsidy", "补贴说明", c.Subsidy, 0, maxSubsidy)
		if c.Cost != "" && kindOf(costs, c.Cost).Code == "" {
			e.refuse("cost", "CHOICE", "请选择收费方式")
		}
		if c.Cost != Subsidised {
			out.Subsidy = ""
		}
	}
	if c.Days < 0 || c.Days > maxDays {
		e.refuse("days", "RANGE", fmt.Sprintf("办理时限应在 0 至 %d 个工作日之间", maxDays))
	}
	if _, err := lastMoment(c.ValidUntil); err != nil {
		e.refuse("validUntil", "BAD_DATE", "有效期应为日期，例如 2027-06-30")
	}
	from, err := lastMoment(c.ListFrom)
	if err != nil {
		e.refuse("listFrom", "BAD_DATE", "上架日期应为日期，例如 2027-01-01")
	}
	if until, err := lastMoment(c.ValidUntil); err == nil && from != nil && until != nil && until.Before(*from) {
		e.refuse("validUntil", "RANGE", "有效期不能早于上架日期")
	}
	return out, joined(e.errs)
}

// complete says what is missing before the content may be submitted, and that its term has not ended.
func (c Content) complete(now time.Time) error {
	var e entry
	need := func(ok bool, field, message string) {
		if !ok {
			e.refuse(field, "REQUIRED", message)
		}
	}
	need(c.Summary != "", "summary", "请填写一句话介绍")
	need(c.Target != "", "target", "请填写适用对象")
	need(c.Description != "", "description", "请填写产品说明")
	need(len(c.Conditions) > 0, "conditions", "请至少填写一项申请条件，没有条件时填“无”")
	need(len(c.Materials) > 0, "materials", "请至少填写一项申请材料，没有材料要求时填“无需材料”")
	need(len(c.Steps) > 0, "steps", "请至少填写一个办理步骤")
	need(c.Days > 0, "days", "请填写办理时限")
	if c.Kind == Financing {
		// A share in a company has no rate; everything else names what it costs.
		need(c.RateMax > 0 || c.FinancingKind == "equity", "rateMax", "请填写"+rateLabel(c.FinancingKind))
		need(c.AmountMax > 0, "amountMax", "请填写"+amountLabel(c.FinancingKind))
		need(c.TermMax > 0, "termMax", "请填写期限")
		need(len(c.Guarantees) > 0 || !lends(c.FinancingKind), "guarantees", "请选择担保方式，信用贷款选“信用（无需抵押担保）”")
	} else {
		need(c.Cost != "", "cost", "请选择收费方式")
		need(c.Cost != Subsidised || c.Subsidy != "", "subsidy", "请写明由谁补贴、补贴多少")
		need(len(c.Venues) > 0, "venues", "请选择服务方式")
		need(len(c.Deliverables) > 0, "deliverables", "请至少填写一项交付成果")
		need(c.PriceText != "", "priceText", "请填写价格，免费的填“免费”")
	}
	if end, err := lastMoment(c.ValidUntil); err == nil && end != nil && !end.After(now) {
		e.refuse("validUntil", "DATE", "有效期已过，请改为今后的日期，或留空表示长期有效")
	}
	return joined(e.errs)
}

// lastMoment is when the day ends in Beijing; nil for no day.
func lastMoment(day string) (*time.Time, error) {
	if day == "" {
		return nil, nil
	}
	d, err := text.Day("validUntil", day, clock.Beijing)
	if err != nil {
		return nil, err
	}
	end := d.AddDate(0, 0, 1).UTC()
	return &end, nil
}

// nameKey is the name as people type it: without a label in brackets at its beginning, without case.
func nameKey(name string) string {
	for open, end := range map[string]string{"〔": "〕", "【": "】", "[": "]", "（": "）", "(": ")"} {
		if rest, ok := strings.CutPrefix(name, open); ok {
			if _, after, ok := strings.Cut(rest, end); ok && strings.TrimSpace(after) != "" {
				name = strings.TrimSpace(after)
			}
		}
	}
	return strings.ToLower(name)
}

// searchText is what full text looks through; the line ends keep phrases within one part.
func (c Content) searchText(institution string) string {
	return strings.Join([]string{c.Name, c.Summary, institution, kindOf(kinds, c.Kind).Name, kindOf(financingKinds, c.FinancingKind).Name, c.Target, strings.Join(c.Conditions, "\n"), strings.Join(c.Deliverables, "\n"), c.Description, c.said()}, "\n")
}

// said are the answers that companies see, one a line.
func (c Content) said() string {
	words := []string{}
	for _, a := range c.Extra.public() {
		words = append(words, a.Label+"："+a.Text)
	}
	return strings.Join(words, "\n")
}

// joined makes one fault with a field for each wrong input.
func joined(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	first, ok := fault.As(errs[0])
	if !ok {
		return errs[0]
	}
	all := *first
	for _, e := range errs[1:] {
		f, ok := fault.As(e)
		if !ok {
			return e
		}
		all.Fields = append(append([]fault.Field(nil), all.Fields...), f.Fields...)
	}
	return &all
}
