// Package form is what own fields are: fields that administrators define at run time, beside what the program knows. It
// checks a definition, reads what was typed into one and shows what is kept. Requests (modules/ticket) and companies
// (modules/enterprise) keep their fields and values themselves.
package form

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/text"
)

// The kinds of own form fields.
const (
	Text    = "text"
	Number  = "number"
	Date    = "date"
	Choice  = "choice"  // one of the options
	Choices = "choices" // any of the options
	Phone   = "phone"
	YesNo   = "yesno"
)

var fieldKinds = []string{Text, Number, Date, Choice, Choices, Phone, YesNo}

// The most of a form.
const (
	maxFields  = 20
	maxOptions = 40
	maxValue   = 500
)

// OwnField is one field of the form that a type of requests has beside title and text. A value is a list of words: one, or
// for choices any number; yesno is "yes" or "no".
type OwnField struct {
	Key         string   `json:"key" maxLength:"31" doc:"A latin letter, then letters and digits; stays the same when the label is changed."`
	Label       string   `json:"label" maxLength:"30"`
	Kind        string   `json:"kind" enum:"text,number,date,choice,choices,phone,yesno"`
	Help        string   `json:"help,omitempty" maxLength:"200"`
	Required    bool     `json:"required,omitempty"`
	Personal    bool     `json:"personal,omitempty" doc:"Kept sealed, masked to everybody but the desk, neither searched nor exported. A phone always is."`
	MaxLength   int      `json:"maxLength,omitempty" doc:"Of a text, in characters; 0 is 500."`
	Unit        string   `json:"unit,omitempty" maxLength:"10" doc:"Of a number."`
	Min         *float64 `json:"min,omitempty"`
	Max         *float64 `json:"max,omitempty"`
	Decimals    int      `json:"decimals,omitempty" minimum:"0" maximum:"4"`
	Options     []string `json:"options,omitempty"`
	Pattern     string   `json:"pattern,omitempty" maxLength:"200" doc:"A regular expression (RE2) that the whole text must match."`
	PatternHint string   `json:"patternHint,omitempty" maxLength:"100" doc:"What to write, told when the pattern does not match."`
}

var fieldKey = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9]{0,30}$`)

// Check brings the fields of a form to what is kept, or says of each what is wrong with it: "fields.0.label".
func Check(fields []OwnField) ([]OwnField, error) {
	if len(fields) > maxFields {
		return nil, fault.InvalidField("fields", "FORM_LONG", fmt.Sprintf("一个表单最多 %d 个字段，请删减后保存", maxFields))
	}
	out := make([]OwnField, 0, len(fields))
	var errs []error
	seen, labels := map[string]bool{}, map[string]bool{}
	for i, f := range fields {
		bad := func(what, message string) {
			errs = append(errs, fault.InvalidField(fmt.Sprintf("fields.%d.%s", i, what), "FORM_FIELD", fmt.Sprintf("第 %d 个字段：%s", i+1, message)))
		}
		f.check(bad, seen[strings.TrimSpace(f.Key)], labels[strings.TrimSpace(f.Label)])
		seen[f.Key], labels[f.Label] = true, true
		out = append(out, f)
	}
	return out, fault.Merge(errs...)
}

// CheckOne is Check for a field that stands alone; what is wrong is told at "label", "options" and so on.
func CheckOne(f OwnField) (OwnField, error) {
	var errs []error
	f.check(func(what, message string) { errs = append(errs, fault.InvalidField(what, "FORM_FIELD", message)) }, false, false)
	return f, fault.Merge(errs...)
}

// check tidies the field; keyTaken and labelTaken say that another field of the form has its key or its label.
func (f *OwnField) check(bad func(what, message string), keyTaken, labelTaken bool) {
	f.Key, f.Label, f.Help, f.Unit = strings.TrimSpace(f.Key), strings.TrimSpace(f.Label), strings.TrimSpace(f.Help), strings.TrimSpace(f.Unit)
	if !fieldKey.MatchString(f.Key) || keyTaken {
		bad("key", "标识须以字母开头，由字母和数字组成，且不能重复")
	}
	if _, err := text.Typed("label", "名称", f.Label, 30, true); err != nil || labelTaken || strings.ContainsAny(f.Label, "：:；;\n") {
		bad("label", "名称须为 1 至 30 个字，不能重复，不能含冒号和分号")
	}
	if !slices.Contains(fieldKinds, f.Kind) {
		bad("kind", "请选择字段类型")
	}
	if _, err := text.Typed("help", "填写说明", f.Help, 200, false); err != nil {
		bad("help", "填写说明最多 200 个字")
	}
	f.checkKind(bad)
}

// checkKind checks and tidies what only some kinds have.
func (f *OwnField) checkKind(bad func(what, message string)) {
	if f.Kind != Number {
		f.Unit, f.Min, f.Max, f.Decimals = "", nil, nil, 0
	}
	if f.Kind != Text {
		f.MaxLength, f.Pattern, f.PatternHint = 0, "", ""
	}
	if f.Kind != Choice && f.Kind != Choices {
		f.Options = nil
	}
	switch f.Kind {
	case Phone:
		f.Personal = true
	case Text:
		if f.MaxLength < 0 || f.MaxLength > maxValue {
			bad("maxLength", fmt.Sprintf("最多字数须在 1 至 %d 之间", maxValue))
		}
		if _, err := regexp.Compile(f.Pattern); err != nil || len(f.Pattern) > 200 {
			bad("pattern", "格式规则不是有效的正则表达式，请修改或删除")
		} else if f.Pattern != "" && strings.TrimSpace(f.PatternHint) == "" {
			bad("patternHint", "设置了格式规则，请写明应当怎样填写")
		}
	case Number:
		if f.Decimals < 0 || f.Decimals > 4 {
			bad("decimals", "小数位数须在 0 至 4 之间")
		}
		if utf8.RuneCountInString(f.Unit) > 10 {
			bad("unit", "单位最多 10 个字")
		}
		if f.Min != nil && f.Max != nil && *f.Min > *f.Max {
			bad("max", "最大值不能小于最小值")
		}
	case Choice, Choices:
		f.checkOptions(bad)
	}
}

func (f *OwnField) checkOptions(bad func(what, message string)) {
	var kept []string
	for _, o := range f.Options {
		o = strings.TrimSpace(o)
		if o == "" {
			continue
		}
		if utf8.RuneCountInString(o) > 60 || slices.Contains(kept, o) || strings.ContainsAny(o, "\n；;、") {
			bad("options", "选项“"+o+"”重复、过长，或含有顿号、分号")
			return
		}
		kept = append(kept, o)
	}
	if f.Options = kept; len(kept) < 2 || len(kept) > maxOptions {
		bad("options", fmt.Sprintf("请设置 2 至 %d 个选项", maxOptions))
	}
}

// Read turns what was typed into the value that is kept, "" for none.
func (f *OwnField) Read(typed []string) (string, error) {
	name := "fields." + f.Key
	fail := func(code, message string) (string, error) { return "", fault.InvalidField(name, code, f.Label+message) }
	words := make([]string, 0, len(typed))
	for _, w := range typed {
		w, err := text.Typed(name, f.Label, w, maxValue, false)
		if err != nil {
			return "", err
		}
		if w != "" {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "", nil
	}
	if len(words) > 1 && f.Kind != Choices {
		return fail("FIELD_MANY", "只能填写一项")
	}
	word := words[0]
	switch f.Kind {
	case Number:
		return f.number(word)
	case Date:
		return f.date(word)
	case Phone:
		number, ok := phone.Digits(word)
		if !ok {
			return fail("BAD_PHONE", "不是有效的电话号码，请填写 11 位手机号或带区号的固定电话")
		}
		return number, nil
	case YesNo:
		switch word {
		case "yes", "no":
			return word, nil
		case "是":
			return "yes", nil
		case "否":
			return "no", nil
		}
		return fail("FIELD_CHOICE", "请选择是或否")
	case Choice, Choices:
		return f.chosen(words)
	}
	return f.text(word)
}

func (f *OwnField) text(word string) (string, error) {
	longest := f.MaxLength
	if longest == 0 {
		longest = maxValue
	}
	if _, err := text.Typed("fields."+f.Key, f.Label, word, longest, false); err != nil {
		return "", err
	}
	if f.Pattern != "" {
		whole, err := regexp.Compile("^(?:" + f.Pattern + ")$")
		if err != nil {
			return "", err
		}
		if !whole.MatchString(word) {
			return "", fault.InvalidField("fields."+f.Key, "FIELD_PATTERN", f.Label+"格式不正确："+f.PatternHint)
		}
	}
	return word, nil
}

var decimal = regexp.MustCompile(`^-?\d{1,12}(\.\d{1,9})?$`)

func (f *OwnField) number(word string) (string, error) {
	fail := func(message string) (string, error) {
		return "", fault.InvalidField("fields."+f.Key, "FIELD_NUMBER", f.Label+message)
	}
	word = strings.NewReplacer(",", "", " ", "").Replace(strings.TrimSuffix(norm.NFKC.String(word), norm.NFKC.String(f.Unit)))
	if !decimal.MatchString(word) {
		return fail("应为数字" + f.example())
	}
	whole, part, _ := strings.Cut(word, ".")
	part = strings.TrimRight(part, "0")
	if len(part) > f.Decimals {
		if f.Decimals == 0 {
			return fail("应为整数")
		}
		return fail(fmt.Sprintf("最多 %d 位小数", f.Decimals))
	}
	minus := strings.HasPrefix(whole, "-")
	whole = strings.TrimLeft(strings.TrimPrefix(whole, "-"), "0")
	if whole == "" {
		whole = "0"
	}
	if part != "" {
		whole += "." + part
	}
	if minus && strings.Trim(whole, "0.") != "" {
		whole = "-" + whole
	}
	var n float64
	if _, err := fmt.Sscan(whole, &n); err != nil || math.IsInf(n, 0) {
		return fail("应为数字")
	}
	if f.Min != nil && n < *f.Min || f.Max != nil && n > *f.Max {
		return fail(f.limits())
	}
	return whole, nil
}

// example names the unit, so that it is not typed.
func (f *OwnField) example() string {
	if f.Unit == "" {
		return ""
	}
	return "，以" + f.Unit + "为单位"
}

func (f *OwnField) limits() string {
	switch {
	case f.Min != nil && f.Max != nil:
		return fmt.Sprintf("须在 %v 至 %v%s 之间", *f.Min, *f.Max, f.Unit)
	case f.Min != nil:
		return fmt.Sprintf("不能小于 %v%s", *f.Min, f.Unit)
	}
	return fmt.Sprintf("不能大于 %v%s", *f.Max, f.Unit)
}

func (f *OwnField) date(word string) (string, error) {
	word, _, _ = strings.Cut(norm.NFKC.String(word), " ")
	for _, layout := range []string{time.DateOnly, "2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日"} {
		if t, err := time.Parse(layout, word); err == nil && t.Year() >= 1900 && t.Year() <= 2200 {
			return t.Format(time.DateOnly), nil
		}
	}
	return "", fault.InvalidField("fields."+f.Key, "BAD_DATE", f.Label+"不是有效的日期，请填写为 2026-11-22 的样式")
}

func (f *OwnField) chosen(words []string) (string, error) {
	var kept []string
	for _, w := range words {
		if !slices.Contains(f.Options, w) {
			return "", fault.InvalidField("fields."+f.Key, "FIELD_CHOICE", f.Label+"请从所列选项中选择")
		}
		if !slices.Contains(kept, w) {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, "\n"), nil
}

// Show is a kept value in words.
func (f *OwnField) Show(value string) string {
	switch f.Kind {
	case Number:
		if f.Unit != "" {
			return value + " " + f.Unit
		}
	case Choices:
		return strings.ReplaceAll(value, "\n", "、")
	case YesNo:
		if value == "yes" {
			return "是"
		}
		return "否"
	}
	return value
}

// Fill reads everything typed for a form. all demands what is required: it is false where nobody saw the form, as in a letter.
func Fill(fields []OwnField, typed map[string][]string, all bool) (map[string]string, error) {
	out := map[string]string{}
	var errs []error
	known := map[string]bool{}
	for i := range fields {
		f := &fields[i]
		known[f.Key] = true
		value, err := f.Read(typed[f.Key])
		switch {
		case err != nil:
			errs = append(errs, err)
		case value != "":
			out[f.Key] = value
		case f.Required && all:
			word := "填写"
			if f.Kind == Choice || f.Kind == Choices || f.Kind == YesNo {
				word = "选择"
			}
			errs = append(errs, fault.InvalidField("fields."+f.Key, "REQUIRED", "请"+word+f.Label))
		}
	}
	for key, words := range typed {
		if !known[key] && strings.TrimSpace(strings.Join(words, "")) != "" {
			errs = append(errs, fault.InvalidField("type", "FORM_CHANGED", "该类型的表单已经更新，请刷新页面后重新填写"))
			break
		}
	}
	return out, fault.Merge(errs...)
}
