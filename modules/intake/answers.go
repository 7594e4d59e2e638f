package intake

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// answers checks the attributes against the service's form and writes them as lines. A service without a form takes any, up
// to twenty.
func (s *Service) answers(ctx context.Context, r *Report) ([]string, error) {
	var form []Field
	if s.Fields != nil {
		var err error
		if form, err = s.Fields.Fields(ctx, r.Code); err != nil {
			return nil, err
		}
	}
	var lines []string
	var wrong []error
	for code := range r.Attributes {
		if !utf8.ValidString(code) {
			return nil, invalid("attribute", "attribute 的编码含有无法识别的字符")
		}
	}
	write := func(label string, values []string) {
		for i, v := range values {
			clean, err := text.Line("attribute", v, 0, 200)
			if err != nil {
				wrong = append(wrong, invalid("attribute", "attribute %s 的值含有无法识别的字符或超过 200 个字", label))
				return
			}
			values[i] = clean
		}
		lines = append(lines, label+"："+strings.Join(values, "、"))
	}
	if len(form) == 0 {
		for _, code := range slices.Sorted(mapKeys(r.Attributes)) {
			if len(lines) == 20 {
				break
			}
			write(text.Truncate(text.Visible(code), 40), slices.Clone(r.Attributes[code]))
		}
		return lines, fault.Merge(wrong...)
	}
	for _, f := range form {
		given := slices.DeleteFunc(slices.Clone(r.Attributes[f.Code]), func(v string) bool { return strings.TrimSpace(v) == "" })
		if len(given) == 0 {
			if f.Required {
				wrong = append(wrong, invalid("attribute["+f.Code+"]", "attribute[%s]（%s）为必填项", f.Code, f.Label))
			}
			continue
		}
		for i, v := range given {
			if len(f.Values) == 0 {
				break
			}
			at := slices.IndexFunc(f.Values, func(c Choice) bool { return c.Key == v })
			if at < 0 {
				wrong = append(wrong, invalid("attribute["+f.Code+"]", "attribute[%s] 没有选项 %s", f.Code, text.Truncate(text.Visible(v), 40)))
				break
			}
			given[i] = f.Values[at].Name
		}
		write(f.Label, given)
	}
	return lines, fault.Merge(wrong...)
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
