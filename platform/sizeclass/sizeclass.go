// Package sizeclass tells large, medium, small and micro enterprises apart by the national thresholds (工信部联企业〔2011〕
// 300号, in the industries of 统计上大中小微型企业划分办法（2017）). What is not known widens the answer instead of spoiling it:
// the result is the set of classes still possible, which criteria takes as a category known as one of several.
//
// It answers neither 小型微利企业 (a tax notion) nor 规模以上 (a statistical list): those are other fields.
package sizeclass

import (
	"slices"
	"strings"
	"time"
)

// Class is a size.
type Class string

// The sizes, from the largest down.
const (
	Large  Class = "large"
	Medium Class = "medium"
	Small  Class = "small"
	Micro  Class = "micro"
)

// Text says the class in Chinese.
func (c Class) Text() string {
	return map[Class]string{Large: "大型", Medium: "中型", Small: "小型", Micro: "微型"}[c]
}

// Metrics is what is known of an enterprise; nil is unknown.
type Metrics struct {
	Employees *int64 // 从业人员
	Revenue   *int64 // 营业收入, fen
	Assets    *int64 // 资产总额, fen
}

// Bounds are the lower bounds of large, medium and small: at or above is in. Nil when the industry does not use the metric.
type Bounds *[3]int64

// Row is the thresholds of one industry. Employees in persons, Revenue and Assets in 万元 as the document prints them.
type Row struct {
	Name      string   `json:"name"`
	Codes     []string `json:"codes"` // prefixes of GB/T 4754-2017 numeric codes
	Employees Bounds   `json:"employees,omitempty"`
	Revenue   Bounds   `json:"revenue,omitempty"`
	Assets    Bounds   `json:"assets,omitempty"`
}

// Check says in Chinese what is wrong with a row, "" when nothing is.
func (row Row) Check() string {
	if row.Name == "" || len(row.Codes) == 0 {
		return "每一行应有行业名称和行业代码"
	}
	for _, c := range row.Codes {
		if len(c) < 2 || len(c) > 4 || strings.Trim(c, "0123456789") != "" {
			return "行业代码应为 2 至 4 位数字：" + c
		}
	}
	if row.Employees == nil && row.Revenue == nil && row.Assets == nil {
		return row.Name + "没有任何指标"
	}
	for _, b := range []Bounds{row.Employees, row.Revenue, row.Assets} {
		if b != nil && (b[0] < b[1] || b[1] < b[2] || b[2] < 1) {
			return row.Name + "的界限应依次为大型、中型、小型的下限，从大到小"
		}
	}
	return ""
}

// Edition is one document's table and when it begins to hold.
type Edition struct {
	Document string    `json:"document"`
	From     time.Time `json:"from"`
	Rows     []Row     `json:"rows"`
}

// Result is the answer.
type Result struct {
	Classes  []Class // the classes still possible, largest first; none when the table does not apply or the industry is too coarse
	Industry string  // the row used
	Document string
	Why      string // Chinese: why Classes is empty
	// Steps are what each metric of the row says for itself; none where the code fits several rows.
	Steps []Step
}

// Step is one metric of the reckoning.
type Step struct {
	Name  string // 从业人员, 营业收入, 资产总额
	Money bool   // Value is fen; else persons
	Value *int64 // nil where it is not known
	Class Class  // the largest the metric allows; "" where it is not known
}

// steps says for each metric that the row uses which class it allows.
func (row Row) steps(m Metrics) []Step {
	var out []Step
	add := func(name string, b Bounds, v *int64, unit int64) {
		if b == nil {
			return
		}
		s := Step{Name: name, Money: unit != 1, Value: v}
		if v != nil {
			s.Class = Micro
			for i, c := range []Class{Large, Medium, Small} {
				if *v >= b[i]*unit {
					s.Class = c
					break
				}
			}
		}
		out = append(out, s)
	}
	add("从业人员", row.Employees, m.Employees, 1)
	add("营业收入", row.Revenue, m.Revenue, fenPerWan)
	add("资产总额", row.Assets, m.Assets, fenPerWan)
	return out
}

// Exact returns the class when only one is possible.
func (r Result) Exact() (Class, bool) {
	if len(r.Classes) == 1 {
		return r.Classes[0], true
	}
	return "", false
}

// Codes returns Classes as text, for criteria.OneOf.
func (r Result) Codes() []string {
	out := make([]string, len(r.Classes))
	for i, c := range r.Classes {
		out[i] = string(c)
	}
	return out
}

// Table classifies by the edition that holds on a day.
type Table struct{ editions []Edition }

// New makes a table of editions in any order.
func New(editions ...Edition) Table {
	e := slices.Clone(editions)
	slices.SortFunc(e, func(a, b Edition) int { return a.From.Compare(b.From) })
	return Table{e}
}

const fenPerWan = 1_000_000

// Classify returns the classes possible for an enterprise of the industry (GB/T 4754-2017, 3920 or C3920) with metrics, by
// the edition that holds on day at. A code too coarse to name a row, such as 59, gives the classes of every row below it,
// unless some industry below it has none.
func (t Table) Classify(industry string, m Metrics, at time.Time) Result {
	var e *Edition
	for i := range t.editions {
		if !t.editions[i].From.After(at) {
			e = &t.editions[i]
		}
	}
	if e == nil {
		return Result{Why: "当日没有施行中的划型标准"}
	}
	r := Result{Document: e.Document}
	code := industry
	if code != "" && code[0] >= 'A' {
		code = code[1:]
	}
	if code == "" {
		r.Why = "行业代码不够具体，请填写到中类"
		return r
	}
	var names []string
	possible := map[Class]bool{}
	for _, row := range e.Rows {
		hit := slices.ContainsFunc(row.Codes, func(p string) bool { return strings.HasPrefix(code, p) })
		below := slices.ContainsFunc(row.Codes, func(p string) bool { return len(p) > len(code) && strings.HasPrefix(p, code) })
		if !hit && !below {
			continue
		}
		if below && code == "70" { // 704 lies below, and has no row
			r.Why = "行业代码不够具体，请填写到中类"
			return r
		}
		names = append(names, row.Name)
		if r.Steps = row.steps(m); len(names) > 1 {
			r.Steps = nil
		}
		for _, c := range row.classes(m) {
			possible[c] = true
		}
	}
	if len(names) == 0 {
		r.Why = "该行业不适用划型标准"
		return r
	}
	r.Industry = strings.Join(names, "、")
	for _, c := range []Class{Large, Medium, Small, Micro} {
		if possible[c] {
			r.Classes = append(r.Classes, c)
		}
	}
	return r
}

// classes keeps every class whose bounds are not missed for certain, and stops at the first that is met for certain.
func (row Row) classes(m Metrics) []Class {
	var out []Class
	for i, c := range []Class{Large, Medium, Small} {
		missed, sure := false, true
		test := func(b Bounds, v *int64, unit int64) {
			switch {
			case b == nil:
			case v == nil:
				sure = false
			case *v < b[i]*unit:
				missed = true
			}
		}
		test(row.Employees, m.Employees, 1)
		test(row.Revenue, m.Revenue, fenPerWan)
		test(row.Assets, m.Assets, fenPerWan)
		if missed {
			continue
		}
		out = append(out, c)
		if sure {
			return out
		}
	}
	return append(out, Micro)
}

func b(large, medium, small int64) Bounds { return &[3]int64{large, medium, small} }

// First returns the edition that an installation begins with: the table of 2011. The medium bounds of 物业管理 and 租赁和商务服务业 await a check against the printed document.
func First() Edition {
	return Edition{
		Document: "工信部联企业〔2011〕300号",
		From:     time.Date(2011, 6, 18, 0, 0, 0, 0, time.UTC),
		Rows: []Row{
			{"农、林、牧、渔业", split("01 02 03 04 05"), nil, b(20000, 500, 50), nil},
			{"工业", span(6, 46), b(1000, 300, 20), b(40000, 2000, 300), nil},
			{"建筑业", span(47, 50), nil, b(80000, 6000, 300), b(80000, 5000, 300)},
			{"批发业", split("51"), b(200, 20, 5), b(40000, 5000, 1000), nil},
			{"零售业", split("52"), b(300, 50, 10), b(20000, 500, 100), nil},
			{"交通运输业", split("54 55 56 57 58 591"), b(1000, 300, 20), b(30000, 3000, 200), nil},
			{"仓储业", split("592 593 594 595 596 599"), b(200, 100, 20), b(30000, 1000, 100), nil},
			{"邮政业", split("60"), b(1000, 300, 20), b(30000, 2000, 100), nil},
			{"住宿业", split("61"), b(300, 100, 10), b(10000, 2000, 100), nil},
			{"餐饮业", split("62"), b(300, 100, 10), b(10000, 2000, 100), nil},
			{"信息传输业", split("63 64"), b(2000, 100, 10), b(100000, 1000, 100), nil},
			{"软件和信息技术服务业", split("65"), b(300, 100, 10), b(10000, 1000, 50), nil},
			{"房地产开发经营", split("701"), nil, b(200000, 1000, 100), b(10000, 5000, 2000)},
			{"物业管理", split("702"), b(1000, 300, 100), b(5000, 1000, 500), nil},
			{"租赁和商务服务业", split("71 72"), b(300, 100, 10), nil, b(120000, 8000, 100)},
			{"其他未列明行业", append(span(73, 82), split("85 86 87 88 89 90 703 709")...), b(300, 100, 10), nil, nil},
		},
	}
}

// National returns the table of the edition that an installation begins with.
func National() Table { return New(First()) }

func split(s string) []string { return strings.Fields(s) }

// span lists two-digit codes from first to last.
func span(first, last int) []string {
	var out []string
	for n := first; n <= last; n++ {
		out = append(out, string([]byte{byte('0' + n/10), byte('0' + n%10)}))
	}
	return out
}
