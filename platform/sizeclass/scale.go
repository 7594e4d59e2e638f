package sizeclass

import (
	"strings"
	"time"
)

// ScaleRow is from which revenue enterprises of an industry belong into the statistical register (规模以上, 限额以上).
type ScaleRow struct {
	Name  string   `json:"name"`
	Codes []string `json:"codes"` // prefixes of GB/T 4754-2017 numeric codes
	// Revenue is the yearly revenue in 万元 at which the enterprise belongs there; 0: every one that is active.
	Revenue int64 `json:"revenue"`
	// ByTitle says that a title decides and not an amount: 有资质的建筑业.
	ByTitle bool `json:"byTitle,omitempty"`
}

// ScaleEdition is one edition of the thresholds and when it begins to hold.
type ScaleEdition struct {
	Document string     `json:"document"`
	From     time.Time  `json:"from"`
	Rows     []ScaleRow `json:"rows"`
}

// Reach is whether an enterprise reaches the threshold.
type Reach string

// The answers. ReachUnknown is when the revenue is not known, ByTitle when a title decides, NotCounted where the register
// has no threshold for the industry.
const (
	Reached      Reach = "reached"
	NotReached   Reach = "below"
	ReachUnknown Reach = "unknown"
	ByTitle      Reach = "title"
	NotCounted   Reach = "none"
)

// Scale tells by the edition that holds on day at whether an enterprise of the industry with the revenue (fen, nil unknown)
// reaches the threshold, and by which row. The longest code that fits decides.
func Scale(editions []ScaleEdition, industry string, revenue *int64, at time.Time) (Reach, ScaleRow, string) {
	var e *ScaleEdition
	for i := range editions {
		if !editions[i].From.After(at) && (e == nil || editions[i].From.After(e.From)) {
			e = &editions[i]
		}
	}
	if e == nil {
		return NotCounted, ScaleRow{}, ""
	}
	code := strings.TrimLeft(industry, "ABCDEFGHIJKLMNOPQRST")
	best, row := 0, ScaleRow{}
	for _, r := range e.Rows {
		for _, p := range r.Codes {
			if strings.HasPrefix(code, p) && len(p) > best {
				best, row = len(p), r
			}
		}
	}
	switch {
	case best == 0:
		return NotCounted, row, e.Document
	case row.ByTitle:
		return ByTitle, row, e.Document
	case row.Revenue == 0:
		return Reached, row, e.Document
	case revenue == nil:
		return ReachUnknown, row, e.Document
	case *revenue >= row.Revenue*fenPerWan:
		return Reached, row, e.Document
	}
	return NotReached, row, e.Document
}

// FirstScale returns the thresholds that an installation begins with (统计上的“四上”单位标准, 2023).
func FirstScale() ScaleEdition {
	return ScaleEdition{Document: "“四上”单位标准（2023）", From: time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC), Rows: []ScaleRow{
		{Name: "规模以上工业", Codes: span(6, 46), Revenue: 2000},
		{Name: "有资质的建筑业", Codes: span(47, 50), ByTitle: true},
		{Name: "限额以上批发业", Codes: []string{"51"}, Revenue: 2000},
		{Name: "限额以上零售业", Codes: []string{"52"}, Revenue: 500},
		{Name: "限额以上住宿和餐饮业", Codes: []string{"61", "62"}, Revenue: 200},
		{Name: "房地产开发经营业", Codes: []string{"701"}},
		{Name: "规模以上服务业（交通运输、仓储和邮政）", Codes: span(53, 60), Revenue: 2000},
		{Name: "规模以上服务业（信息传输、软件和信息技术服务）", Codes: span(63, 65), Revenue: 2000},
		{Name: "规模以上服务业（水利、环境和公共设施管理）", Codes: span(76, 79), Revenue: 2000},
		{Name: "规模以上服务业（卫生）", Codes: []string{"84"}, Revenue: 2000},
		{Name: "规模以上服务业（租赁和商务服务）", Codes: []string{"71", "72"}, Revenue: 1000},
		{Name: "规模以上服务业（科学研究和技术服务）", Codes: span(73, 75), Revenue: 1000},
		{Name: "规模以上服务业（教育）", Codes: []string{"83"}, Revenue: 1000},
		{Name: "规模以上服务业（物业管理、中介、租赁和其他房地产）", Codes: []string{"702", "703", "704", "709"}, Revenue: 1000},
		{Name: "规模以上服务业（居民服务、修理和其他服务）", Codes: span(80, 82), Revenue: 500},
		{Name: "规模以上服务业（社会工作）", Codes: []string{"85"}, Revenue: 500},
		{Name: "规模以上服务业（文化、体育和娱乐）", Codes: span(86, 90), Revenue: 500},
	}}
}
