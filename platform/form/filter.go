package form

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/fault"
)

// maxFilters is by how many fields a list is narrowed at once.
const maxFilters = 5

// Filter is one condition on a field: words, or a span of numbers or days of which one end may be open.
type Filter struct {
	Field    OwnField
	Word     string
	From, To string
}

// ErrFilter is returned for a condition that cannot be read.
var ErrFilter = fault.InvalidField("extra", "EXTRA_FILTER", "扩展字段的筛选条件无法识别，请重新选择字段和内容")

// ReadFilters reads the conditions of a list against the fields the reader may see, one a line: "park:台湖",
// "visited:2026-01-01..2026-06-30", "beds:10..".
func ReadFilters(fields []OwnField, lines string) ([]Filter, error) {
	var out []Filter
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		if line == "" {
			continue
		}
		key, word, ok := strings.Cut(line, ":")
		i := slices.IndexFunc(fields, func(f OwnField) bool { return f.Key == strings.TrimSpace(key) })
		if word = strings.TrimSpace(word); !ok || i < 0 || word == "" || len(out) == maxFilters {
			return nil, ErrFilter
		}
		x, err := readFilter(fields[i], word)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// readFilter reads what is asked of one field.
func readFilter(f OwnField, word string) (Filter, error) {
	out := Filter{Field: f, Word: word}
	bad := func(what string) (Filter, error) {
		return out, ErrFilter.With("%s%s", f.Label, what)
	}
	lenient := f // a span may begin before what the field takes
	lenient.Min, lenient.Max = nil, nil
	switch f.Kind {
	case Number, Date:
		from, to, span := strings.Cut(word, "..")
		if !span {
			to = from
		}
		for _, end := range []*string{&from, &to} {
			v, err := lenient.Read([]string{*end})
			if err != nil {
				if f.Kind == Date {
					return bad("应为日期，例如 2026-01-01，或起止日期 2026-01-01..2026-06-30")
				}
				return bad("应为数字，例如 10，或范围 10..50")
			}
			*end = v
		}
		if from == "" && to == "" {
			return bad("请至少填写范围的一端")
		}
		if out.From, out.To = from, to; from != "" && to != "" && !f.inOrder(from, to) {
			return bad("的范围前后颠倒，请调换")
		}
	case Choice, Choices, YesNo:
		v, err := lenient.Read([]string{word})
		if err != nil {
			return bad("没有这个选项，请重新选择")
		}
		out.Word = v
	default:
		if len([]rune(word)) > 60 {
			return bad("的查找内容最多 60 个字")
		}
	}
	return out, nil
}

func (f *OwnField) inOrder(from, to string) bool {
	if f.Kind == Number {
		return *f.Scaled(from) <= *f.Scaled(to)
	}
	return from <= to
}

// Words says what the condition keeps.
func (x Filter) Words() string {
	f := x.Field
	show := func(v string) string {
		if f.Kind == Date {
			if day, err := time.Parse(time.DateOnly, v); err == nil {
				return day.Format("2006年1月2日")
			}
		}
		return f.Show(v)
	}
	switch {
	case f.Kind != Number && f.Kind != Date:
		if f.Kind == Text {
			return f.Label + "含“" + x.Word + "”"
		}
		return f.Label + "：" + show(x.Word)
	case x.From == x.To:
		return f.Label + "：" + show(x.From)
	case x.To == "":
		return f.Label + "：" + show(x.From) + "起"
	case x.From == "":
		return f.Label + "：至 " + show(x.To)
	}
	return f.Label + "：" + show(x.From) + " 至 " + show(x.To)
}

var likeMarks = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Where is the condition on the columns that hold a value as it is kept and, of a number, Scaled.
func (x Filter) Where(value, number string) (where string, args []any) {
	var all []string
	add := func(cond string, arg ...any) { all, args = append(all, cond), append(args, arg...) }
	add(value + " <> ''")
	switch x.Field.Kind {
	case Number:
		if x.From != "" {
			add(number+" >= ?", *x.Field.Scaled(x.From))
		}
		if x.To != "" {
			add(number+" <= ?", *x.Field.Scaled(x.To))
		}
	case Date:
		if x.From != "" {
			add(value+" >= ?", x.From)
		}
		if x.To != "" {
			add(value+" <= ?", x.To)
		}
	case Choice, YesNo:
		add(value+" = ?", x.Word)
	case Choices:
		add(fmt.Sprintf(`? || %s || ? LIKE ? ESCAPE '\'`, value), "\n", "\n", "%\n"+likeMarks.Replace(x.Word)+"\n%")
	default:
		add(fmt.Sprintf(`lower(%s) LIKE ? ESCAPE '\'`, value), "%"+likeMarks.Replace(strings.ToLower(x.Word))+"%")
	}
	return strings.Join(all, " AND "), args
}

// Scaled is ten thousand times a number as it is kept, so that numbers compare without floating point; nil of anything else.
func (f *OwnField) Scaled(value string) *int64 {
	if f.Kind != Number || value == "" {
		return nil
	}
	whole, part, _ := strings.Cut(strings.TrimPrefix(value, "-"), ".")
	var n int64
	for _, c := range whole + (part + "0000")[:4] {
		n = n*10 + int64(c-'0')
	}
	if strings.HasPrefix(value, "-") {
		n = -n
	}
	return &n
}

// Typed splits a kept value as it would be typed again.
func Typed(value string) []string {
	if value == "" {
		return []string{}
	}
	return strings.Split(value, "\n")
}
