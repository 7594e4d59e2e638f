package knowledge

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// LineKind says whether a line stands in both editions or in one of them.
type LineKind string

// The kinds of lines.
const (
	Same    LineKind = "same"
	Removed LineKind = "removed"
	Added   LineKind = "added"
)

// Line is one line of a comparison.
type Line struct {
	Kind LineKind `json:"kind" enum:"same,removed,added"`
	Text string   `json:"text"`
}

// Change is what differs in one part of two editions. Long texts are compared line by line.
type Change struct {
	Field string `json:"field"`
	Label string `json:"label"`
	Lines []Line `json:"lines"`
}

// most is how many lines are compared line by line; longer texts are shown as replaced.
const most = 1000

// lines compares two texts line by line: the fewest lines are called removed or added.
func lines(a, b []string) []Line {
	var out []Line
	all := func(kind LineKind, list []string) {
		for _, s := range list {
			out = append(out, Line{kind, s})
		}
	}
	if len(a) > most || len(b) > most {
		all(Removed, a)
		all(Added, b)
		return out
	}
	// same[i][j] is the length of what a[i:] and b[j:] have in common.
	same := make([][]int, len(a)+1)
	for i := range same {
		same[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				same[i][j] = same[i+1][j+1] + 1
			} else {
				same[i][j] = max(same[i+1][j], same[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			out = append(out, Line{Same, a[i]})
			i, j = i+1, j+1
		case same[i+1][j] >= same[i][j+1]:
			out = append(out, Line{Removed, a[i]})
			i++
		default:
			out = append(out, Line{Added, b[j]})
			j++
		}
	}
	all(Removed, a[i:])
	all(Added, b[j:])
	return out
}

// words gives what a comparison shows of codes and ids.
type words struct {
	matters map[string]string
	units   map[int64]string
}

func (w words) matter(code string) string {
	if n := w.matters[code]; n != "" {
		return n
	}
	return code
}

func (w words) unitList(ids []int64) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		n := w.units[id]
		if n == "" {
			n = "单位 " + strconv.FormatInt(id, 10) + "（已撤销）"
		}
		out = append(out, n)
	}
	return out
}

// showDay is a day as it reads on a page.
func showDay(day string) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return d.Format("2006年1月2日")
}

// compare tells what differs between two texts, part by part, in the order of the form.
func compare(a, b Text, w words) []Change {
	out := []Change{}
	add := func(field, label string, was, is []string) {
		if !slices.Equal(was, is) {
			out = append(out, Change{field, label, lines(was, is)})
		}
	}
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, "\n")
	}
	or := func(s, empty string) []string {
		if s == "" {
			return []string{empty}
		}
		return []string{showDay(s)}
	}
	add("title", "标题", one(a.Title), one(b.Title))
	add("question", "问题", one(a.Question), one(b.Question))
	add("answer", "答复内容", one(a.Answer), one(b.Answer))
	add("category", "事项", one(w.matter(a.Category)), one(w.matter(b.Category)))
	add("keywords", "关键词", a.Keywords, b.Keywords)
	add("audience", "可见范围", one(a.Audience.Label()), one(b.Audience.Label()))
	add("unitIds", "相关单位", w.unitList(a.UnitIDs), w.unitList(b.UnitIDs))
	add("validFrom", "生效日期", or(a.From, "发布即生效"), or(b.From, "发布即生效"))
	add("validUntil", "有效期至", or(a.Until, "长期"), or(b.Until, "长期"))
	add("sourceKind", "依据类型", one(a.SourceKind.Label()), one(b.SourceKind.Label()))
	add("sourceTitle", "依据名称", one(a.SourceTitle), one(b.SourceTitle))
	add("sourceNumber", "文号", one(a.SourceNumber), one(b.SourceNumber))
	return out
}
