package enterprise

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/criteria"
)

// Terms are the names of codes, from the reference lists of the installation. Missing ones show the code.
type Terms struct {
	Industries     map[string]string // GB/T 4754: "1411" → 糕点、面包制造
	Regions        map[string]string // divisions: "110112010" → 临河里街道
	Qualifications map[string]string // "high_tech" → 国家高新技术企业
	Permits        map[string]bool   // the qualifications that are administrative permits: "food_license"
}

// plain is the kind of a fact that no condition reads: words.
const plain criteria.Kind = ""

// field is one thing that can be known of a company.
type field struct {
	name, label string
	kind        criteria.Kind
	unit        string
	group       string
	registry    bool // the registry's own: nobody else's word counts beside it
	maxAge      time.Duration
	ask         string            // who can supply it
	yearly      string            // how conditions name it when they ask of several years; empty when they cannot
	booked      bool              // what is booked for a year, not what stands at a moment
	from        []string          // the fields it is reckoned from; nobody says it of itself
	values      map[string]string // the codes it may have, with their names; nil where lists of the installation say it
	event       bool              // an entry happened on its first day, as a penalty was decided
}

// The groups in which facts are shown: the sections of a company's record, for each of which a company gives consent and a
// source is ranked.
const (
	groupBasic     = "工商登记"
	groupOperation = "经营情况"
	groupStanding  = "资质与信用"
	groupAdmin     = "行政许可与处罚"
	groupJustice   = "司法"
	groupSocial    = "社保"
	groupTax       = "税务"
	groupIP        = "知识产权"
)

// yearly is how old a fact of last year's books may be.
const yearly = 600 * 24 * time.Hour

const (
	askSelf     = "企业填报"
	askRegistry = "企业认证后由登记系统提供"
	askBooks    = "由税务部门提供，或由企业填报"
	askSocial   = "由社会保险经办机构提供，或由企业填报"
	askIP       = "由知识产权部门提供，或由企业填报"
)

// fields are all fields, in the order in which they are shown.
var fields = []field{
	{name: "status", label: "登记状态", group: groupBasic, registry: true},
	{name: "established", label: "成立日期", kind: criteria.Date, group: groupBasic, registry: true, ask: askRegistry},
	{name: "capital", label: "注册资本", kind: criteria.Money, group: groupBasic, registry: true, ask: askRegistry},
	{name: "industry", label: "所属行业", kind: criteria.Category, group: groupBasic, registry: true, ask: askRegistry + "，或由企业填报"},
	{name: "region", label: "所在街道（镇）", kind: criteria.Category, group: groupBasic, registry: true, ask: askRegistry},
	{name: "address", label: "登记住所", group: groupBasic, registry: true},
	{name: "scope", label: "经营范围", group: groupBasic, registry: true},
	{name: "registrationNo", label: "原工商注册号", group: groupBasic, registry: true},
	{name: "employees", label: "从业人员", kind: criteria.Count, unit: "人", group: groupOperation, maxAge: yearly, ask: askSelf, yearly: "年末从业人员"},
	{name: "revenue", label: "上年营业收入", kind: criteria.Money, group: groupOperation, maxAge: yearly, ask: askSelf, yearly: "营业收入", booked: true},
	{name: "revenueGrowth", label: "营业收入增长率", kind: criteria.Ratio, group: groupOperation, maxAge: yearly, ask: "填报近两年营业收入后自动计算", yearly: "营业收入增长率", from: []string{"revenue"}},
	{name: "assets", label: "资产总额", kind: criteria.Money, group: groupOperation, maxAge: yearly, ask: askSelf, yearly: "年末资产总额"},
	{name: "liabilities", label: "负债总额", kind: criteria.Money, group: groupOperation, maxAge: yearly, ask: askBooks, yearly: "年末负债总额"},
	{name: "debtRatio", label: "资产负债率", kind: criteria.Ratio, group: groupOperation, maxAge: yearly, ask: "填报负债总额和资产总额后自动计算", yearly: "资产负债率", from: []string{"liabilities", "assets"}},
	{name: "loans", label: "银行贷款余额", kind: criteria.Money, group: groupOperation, maxAge: yearly, ask: askSelf, yearly: "年末银行贷款余额"},
	{name: "rdSpend", label: "上年研发费用", kind: criteria.Money, group: groupOperation, maxAge: yearly, ask: askSelf, yearly: "研发费用", booked: true},
	{name: "rdRatio", label: "研发费用占营业收入", kind: criteria.Ratio, group: groupOperation, ask: "填报研发费用和营业收入后自动计算", yearly: "研发费用占营业收入", from: []string{"rdSpend", "revenue"}},
	{name: "sizeClass", label: "企业规模", kind: criteria.Category, group: groupOperation, ask: "填报从业人员、营业收入、资产总额后自动计算", from: sizeFields, values: sizeNames},
	{name: "aboveScale", label: "规上（限上）统计名录", kind: criteria.Flag, group: groupOperation, maxAge: yearly, ask: "由统计部门提供"},
	{name: "qualification", label: "资质与称号", kind: criteria.Holdings, group: groupStanding, ask: "由主管部门提供"},
	{name: "tag", label: "标签", kind: criteria.Holdings, group: groupStanding, ask: "由主管部门提供"},
	{name: "creditStanding", label: "失信与异常名录", kind: criteria.Holdings, group: groupStanding, ask: "由信用信息平台提供"},
	{name: "permits", label: "行政许可", group: groupAdmin, from: []string{"qualification"}},
	{name: "penalties", label: "行政处罚", kind: criteria.Holdings, group: groupAdmin, ask: "由信用信息平台提供", values: penaltyNames, event: true},
	{name: "judgments", label: "司法记录", kind: criteria.Holdings, group: groupJustice, ask: "由信用信息平台提供", values: judgmentNames},
	{name: "insured", label: "参保人数", kind: criteria.Count, unit: "人", group: groupSocial, maxAge: yearly, ask: askSocial, yearly: "年末参保人数"},
	{name: "socialArrears", label: "社会保险费欠缴", kind: criteria.Holdings, group: groupSocial, ask: "由社会保险经办机构提供", values: arrearNames},
	{name: "taxGrade", label: "纳税信用等级", kind: criteria.Category, group: groupTax, maxAge: yearly, ask: "由税务部门提供", values: taxGrades},
	{name: "patents", label: "有效专利", kind: criteria.Count, unit: "件", group: groupIP, maxAge: yearly, ask: askIP},
	{name: "inventions", label: "有效发明专利", kind: criteria.Count, unit: "件", group: groupIP, maxAge: yearly, ask: askIP},
	{name: "copyrights", label: "软件著作权", kind: criteria.Count, unit: "件", group: groupIP, maxAge: yearly, ask: askIP},
	{name: "trademarks", label: "注册商标", kind: criteria.Count, unit: "件", group: groupIP, maxAge: yearly, ask: askIP},
}

func fieldOf(name string) (field, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// The kinds of administrative penalties, after 行政处罚法 (2021) 第九条. Those of 第六十三条, before which a company is heard, are
// apart: they are what policies call 重大行政处罚.
var penaltyNames = map[string]string{
	"warning": "警告、通报批评", "fine": "罚款、没收", "major_fine": "较大数额罚款、没收", "permit": "降低资质等级、吊销许可证件", "permit_held": "暂扣许可证件",
	"closure": "责令停产停业、责令关闭、限制从业", "restraint": "限制开展生产经营活动", "detention": "行政拘留",
}

// MajorPenalties are the kinds of penalties before which a company is heard (行政处罚法 第六十三条).
func MajorPenalties() []string { return []string{"closure", "major_fine", "permit"} }

// Penalties are the kinds of penalties, by their codes in order.
func Penalties() []string { return slices.Sorted(maps.Keys(penaltyNames)) }

// What courts say of companies.
var judgmentNames = map[string]string{
	"dishonest": "失信被执行人", "enforced": "被执行人", "restricted": "限制高消费", "defendant": "涉诉案件（被告）", "bankruptcy": "破产、重整",
}

var arrearNames = map[string]string{"social": "欠缴社会保险费"}

// The grades of tax credit: A, B, C and D of 国家税务总局公告2014年第40号, M of 2018年第8号 for companies that are new or had no
// income.
var taxGrades = map[string]string{"A": "A级", "B": "B级", "M": "M级", "C": "C级", "D": "D级"}

// movedTitles are the grades as titles, which they were before they had a field of their own.
var movedTitles = map[string]criteria.Elsewhere{"tax_a": {Field: "taxGrade", Code: "A"}, "tax_b": {Field: "taxGrade", Code: "B"}, "tax_m": {Field: "taxGrade", Code: "M"}}

// GradeTitles are the grades of tax credit as titles: what offers titles to choose offers these beside them, and a condition that
// names one asks the grade.
func GradeTitles() []Group {
	var out []Group
	for _, code := range slices.Sorted(maps.Keys(movedTitles)) {
		out = append(out, Group{code, "纳税信用" + taxGrades[movedTitles[code].Code]})
	}
	return out
}

var sizeNames = map[string]string{"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"}

// Schema is what conditions may ask of a company. With terms its texts name codes; the zero Terms leave the codes.
func Schema(t Terms) criteria.Schema {
	list := make([]criteria.Field, 0, len(fields))
	for _, f := range fields {
		if f.kind == plain {
			continue
		}
		c := criteria.Field{Name: f.name, Label: f.label, Kind: f.kind, Unit: f.unit, MaxAge: f.maxAge, Ask: f.ask, Yearly: f.yearly, Booked: f.booked,
			Values: f.values, Closed: f.values != nil, Event: f.event}
		switch f.name {
		case "industry":
			c.Under, c.Values = criteria.UnderIndustry, t.Industries
		case "region":
			c.Under, c.Values = criteria.UnderRegion, t.Regions
		case "qualification":
			c.Values, c.Moved = t.Qualifications, movedTitles
		}
		list = append(list, c)
	}
	s, err := criteria.NewSchema(list...)
	if err != nil {
		panic(err) // a mistake in the table above
	}
	return s
}

// Holding is one title held or list stood on, as a fact keeps it. Days are written 2006-01-02; an empty one leaves that
// side open.
type Holding struct {
	Code string `json:"code"`
	No   string `json:"no,omitempty"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	By   string `json:"by,omitempty"`   // the authority, of penalties and of what courts say
	Text string `json:"text,omitempty"` // in words
}

// read turns a kept value into what conditions read and what people read; false when it cannot be one of the field.
func (f field) read(raw string, t Terms) (criteria.Value, string, bool) {
	switch f.kind {
	case criteria.Count, criteria.Money, criteria.Ratio:
		var n int64
		if raw == withdrawn || json.Unmarshal([]byte(raw), &n) != nil {
			return criteria.Value{}, "", false
		}
		switch f.kind {
		case criteria.Count:
			return criteria.Number(n), fmt.Sprintf("%d %s", n, f.unit), true
		case criteria.Ratio:
			return criteria.Permille(n), percent(n), true
		}
		return criteria.Fen(n), money(n), true
	case criteria.Flag:
		var yes bool
		if raw == withdrawn || json.Unmarshal([]byte(raw), &yes) != nil {
			return criteria.Value{}, "", false
		}
		if yes {
			return criteria.Yes(true), "在库", true
		}
		return criteria.Yes(false), "不在库", true
	case criteria.Holdings:
		var held []Holding
		if raw == withdrawn || json.Unmarshal([]byte(raw), &held) != nil {
			return criteria.Value{}, "", false
		}
		return f.holdings(held, t)
	}
	var s string
	if json.Unmarshal([]byte(raw), &s) != nil || s == "" {
		return criteria.Value{}, "", false
	}
	switch f.kind {
	case criteria.Date:
		day, err := time.Parse(time.DateOnly, s)
		return criteria.Day(day), day.Format("2006年1月2日"), err == nil
	case criteria.Category:
		if f.values != nil && f.values[s] == "" {
			return criteria.Value{}, "", false
		}
		return criteria.Code(s), f.nameOf(s, t), true
	}
	return criteria.Value{}, s, true
}

// nameOf is a code of the field with its name.
func (f field) nameOf(code string, t Terms) string {
	if n := f.values[code]; n != "" {
		return n
	}
	return t.name(f.name, code)
}

func (f field) holdings(held []Holding, t Terms) (criteria.Value, string, bool) {
	list := make([]criteria.Holding, 0, len(held))
	words := make([]string, 0, len(held))
	for _, h := range held {
		from, err1 := dayOf(h.From)
		to, err2 := dayOf(h.To)
		if err1 != nil || err2 != nil || h.Code == "" || f.values != nil && f.values[h.Code] == "" || h.From != "" && h.To != "" && to.Before(from) {
			return criteria.Value{}, "", false
		}
		list = append(list, criteria.Holding{Code: h.Code, From: from, To: to})
		words = append(words, f.nameOf(h.Code, t)+f.about(h, from, to))
	}
	if len(words) == 0 {
		return criteria.Holds(), "无", true
	}
	return criteria.Holds(list...), strings.Join(words, "、"), true
}

// about says of an entry what there is beside its code.
func (f field) about(h Holding, from, to time.Time) string {
	var more []string
	until := "有效期至 "
	if f.values != nil { // a record of somebody else about the company: when, under which number, by whom
		until = map[bool]string{true: "公示至 ", false: "止于 "}[f.event]
		if h.From != "" {
			more = append(more, from.Format("2006年1月2日"))
		}
		for _, s := range []string{h.By, h.No, h.Text} {
			if s != "" {
				more = append(more, s)
			}
		}
	}
	if h.To != "" {
		more = append(more, until+to.Format("2006年1月2日"))
	}
	if len(more) == 0 {
		return ""
	}
	return "（" + strings.Join(more, "，") + "）"
}

func dayOf(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}

// name is a code with its name.
func (t Terms) name(field, code string) string {
	switch field {
	case "industry":
		if n := t.Industries[code]; n != "" {
			return code + " " + n
		}
	case "region":
		if n := t.Regions[code]; n != "" {
			return n
		}
	case "qualification":
		if n := t.Qualifications[code]; n != "" {
			return n
		}
	}
	return code
}

// The fen in a yuan and in ten thousand of them.
const (
	fenPerYuan = 100
	fenPerWan  = 10_000 * fenPerYuan
)

// money shows fen in 万元, in 元 below one.
func money(fen int64) string {
	if fen > -fenPerWan && fen < fenPerWan {
		return decimal(fen, fenPerYuan) + " 元"
	}
	return decimal(fen, fenPerWan) + " 万元"
}

func percent(permille int64) string { return decimal(permille, 10) + "%" }

// decimal shows n/scale without trailing zeros.
func decimal(n, scale int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	whole, rest := n/scale, n%scale
	if rest == 0 {
		return fmt.Sprintf("%s%d", sign, whole)
	}
	digits := fmt.Sprint(scale + rest)[1:]
	return fmt.Sprintf("%s%d.%s", sign, whole, strings.TrimRight(digits, "0"))
}
