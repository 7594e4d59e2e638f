package enterprise

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/criteria"
)

// Terms are the names of codes, from the reference lists of the installation. Missing ones show the code.
type Terms struct {
	Industries     map[string]string // GB/T 4754: "1411" → 糕点、面包制造
	Regions        map[string]string // divisions: "110112010" → 临河里街道
	Qualifications map[string]string // "high_tech" → 国家高新技术企业
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
	ask         string // who can supply it
	yearly      string // how conditions name it when they ask of several years; empty when they cannot
	booked      bool   // what is booked for a year, not what stands at a moment
}

// The groups in which facts are shown.
const (
	groupBasic     = "登记信息"
	groupOperation = "经营情况"
	groupStanding  = "资质与信用"
)

// yearly is how old a fact of last year's books may be.
const yearly = 600 * 24 * time.Hour

// fields are all fields, in the order in which they are shown.
var fields = []field{
	{name: "status", label: "登记状态", group: groupBasic, registry: true},
	{name: "established", label: "成立日期", kind: criteria.Date, group: groupBasic, registry: true, ask: "企业认证后由登记系统提供"},
	{name: "capital", label: "注册资本", kind: criteria.Money, group: groupBasic, registry: true, ask: "企业认证后由登记系统提供"},
	{name: "industry", label: "所属行业", kind: criteria.Category, group: groupBasic, registry: true, ask: "企业认证后由登记系统提供，或由企业填报"},
	{name: "region", label: "所在街道（镇）", kind: criteria.Category, group: groupBasic, registry: true, ask: "企业认证后由登记系统提供"},
	{name: "address", label: "登记住所", group: groupBasic, registry: true},
	{name: "scope", label: "经营范围", group: groupBasic, registry: true},
	{name: "registrationNo", label: "原工商注册号", group: groupBasic, registry: true},
	{name: "employees", label: "从业人员", kind: criteria.Count, unit: "人", group: groupOperation, maxAge: yearly, ask: "企业填报", yearly: "年末从业人员"},
	{name: "revenue", label: "上年营业收入", kind: criteria.Money, group: groupOperation, maxAge: yearly, ask: "企业填报", yearly: "营业收入", booked: true},
	{name: "assets", label: "资产总额", kind: criteria.Money, group: groupOperation, maxAge: yearly, ask: "企业填报", yearly: "年末资产总额"},
	{name: "rdSpend", label: "上年研发费用", kind: criteria.Money, group: groupOperation, maxAge: yearly, ask: "企业填报", yearly: "研发费用", booked: true},
	{name: "rdRatio", label: "研发费用占营业收入", kind: criteria.Ratio, group: groupOperation, ask: "填报研发费用和营业收入后自动计算", yearly: "研发费用占营业收入"},
	{name: "sizeClass", label: "企业规模", kind: criteria.Category, group: groupOperation, ask: "填报从业人员、营业收入、资产总额后自动计算"},
	{name: "aboveScale", label: "规上（限上）统计名录", kind: criteria.Flag, group: groupOperation, maxAge: yearly, ask: "由统计部门提供"},
	{name: "qualification", label: "资质与称号", kind: criteria.Holdings, group: groupStanding, ask: "由主管部门提供"},
	{name: "tag", label: "标签", kind: criteria.Holdings, group: groupStanding, ask: "由主管部门提供"},
	{name: "creditStanding", label: "失信与异常名录", kind: criteria.Holdings, group: groupStanding, ask: "由信用信息平台提供"},
}

func fieldOf(name string) (field, bool) {
	for _, f := range fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

var sizeNames = map[string]string{"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"}

// Schema is what conditions may ask of a company. With terms its texts name codes; the zero Terms leave the codes.
func Schema(t Terms) criteria.Schema {
	list := make([]criteria.Field, 0, len(fields))
	for _, f := range fields {
		if f.kind == plain {
			continue
		}
		c := criteria.Field{Name: f.name, Label: f.label, Kind: f.kind, Unit: f.unit, MaxAge: f.maxAge, Ask: f.ask, Yearly: f.yearly, Booked: f.booked}
		switch f.name {
		case "industry":
			c.Under, c.Values = criteria.UnderIndustry, t.Industries
		case "region":
			c.Under, c.Values = criteria.UnderRegion, t.Regions
		case "sizeClass":
			c.Values, c.Closed = sizeNames, true
		case "qualification":
			c.Values = t.Qualifications
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
		return criteria.Code(s), t.name(f.name, s), true
	}
	return criteria.Value{}, s, true
}

func (f field) holdings(held []Holding, t Terms) (criteria.Value, string, bool) {
	list := make([]criteria.Holding, 0, len(held))
	words := make([]string, 0, len(held))
	for _, h := range held {
		from, err1 := dayOf(h.From)
		to, err2 := dayOf(h.To)
		if err1 != nil || err2 != nil || h.Code == "" {
			return criteria.Value{}, "", false
		}
		list = append(list, criteria.Holding{Code: h.Code, From: from, To: to})
		word := t.name(f.name, h.Code)
		if h.To != "" {
			word += "（有效期至 " + to.Format("2006年1月2日") + "）"
		}
		words = append(words, word)
	}
	if len(words) == 0 {
		return criteria.Holds(), "无", true
	}
	return criteria.Holds(list...), strings.Join(words, "、"), true
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
	case "sizeClass":
		return sizeNames[code]
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
