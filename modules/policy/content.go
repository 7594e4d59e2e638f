package policy

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// The longest inputs, in characters.
const (
	maxTitle     = 200
	maxShort     = 200
	maxText      = 50_000
	maxList      = 50
	maxCapFen    = 1_000_000_000_000_00 // a trillion yuan
	maxLink      = 500
	maxParagraph = 5_000
)

// Content is what a policy says. Days are written 2006-01-02; an empty one is open.
type Content struct {
	Title          string
	DocNumber      string
	Issuer         string
	Level          Level
	Topic          Topic
	PublishedOn    string
	OpensOn        string
	ClosesOn       string
	ExpiresOn      string
	Text           string // numbered clauses, one a line
	Interpretation string
	FAQ            []Question
	Materials      []string
	Benefit        string // what a company gets, in one sentence
	CapFen         int64
	HandlerID      int64
	HandlerName    string
	Link           string          // of the original
	Conditions     json.RawMessage // null or empty: only a person can judge
}

// check cleans what was given and returns one fault that names every wrong field.
func (c Content) check(schema criteria.Schema) (Content, error) {
	var fields []fault.Field
	wrong := func(field, message string) { fields = append(fields, fault.Field{Name: field, Message: message}) }
	prose := func(field, label string, value *string, longest int, needed bool) {
		*value = strings.TrimSpace(strings.ReplaceAll(*value, "\r\n", "\n"))
		switch n := utf8.RuneCountInString(*value); {
		case !utf8.ValidString(*value) || strings.ContainsFunc(*value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
			wrong(field, label+"含有无法识别的字符，请重新输入")
		case n == 0 && needed:
			wrong(field, "请填写"+label)
		case n > longest:
			wrong(field, fmt.Sprintf("%s最多 %d 个字，现有 %d 个字，请精简", label, longest, n))
		}
	}
	prose("title", "标题", &c.Title, maxTitle, true)
	prose("docNumber", "文号", &c.DocNumber, maxShort, false)
	prose("issuer", "发布机构", &c.Issuer, maxShort, true)
	prose("text", "正文", &c.Text, maxText, true)
	prose("interpretation", "政策解读", &c.Interpretation, maxText, false)
	prose("benefit", "支持内容", &c.Benefit, maxShort, false)
	prose("handlerName", "主管部门", &c.HandlerName, maxShort, false)
	prose("link", "原文链接", &c.Link, maxLink, false)
	if c.Level.Label() == "" {
		wrong("level", "请选择政策层级")
	}
	if c.Topic.Label() == "" {
		wrong("topic", "请选择政策主题")
	}
	for _, d := range []struct{ field, label, value string }{
		{"publishedOn", "发布日期", c.PublishedOn}, {"opensOn", "申报开始日期", c.OpensOn}, {"closesOn", "申报截止日期", c.ClosesOn}, {"expiresOn", "失效日期", c.ExpiresOn},
	} {
		if _, err := text.Day(d.field, d.value, clock.Beijing); err != nil && (d.value != "" || d.field == "publishedOn") {
			wrong(d.field, d.label+"应为日期，例如 2026-01-31")
		}
	}
	if c.ClosesOn != "" && c.OpensOn > c.ClosesOn {
		wrong("closesOn", "申报截止日期早于开始日期，请核对")
	}
	if c.ExpiresOn != "" && c.ExpiresOn < c.PublishedOn {
		wrong("expiresOn", "失效日期早于发布日期，请核对")
	}
	if c.CapFen < 0 || c.CapFen > maxCapFen {
		wrong("capFen", "支持上限应为不小于零的金额")
	}
	if u, err := url.Parse(c.Link); c.Link != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		wrong("link", "原文链接应以 http:// 或 https:// 开头")
	}
	if len(c.FAQ) > maxList || len(c.Materials) > maxList {
		wrong("materials", fmt.Sprintf("申报材料和常见问题各最多 %d 条", maxList))
	} else {
		c.FAQ, c.Materials = append([]Question(nil), c.FAQ...), append([]string(nil), c.Materials...)
		for i := range c.FAQ {
			prose("faq", "常见问题", &c.FAQ[i].Q, maxShort, true)
			prose("faq", "常见问题的解答", &c.FAQ[i].A, maxParagraph, true)
		}
		for i := range c.Materials {
			prose("materials", "申报材料", &c.Materials[i], maxShort, true)
		}
	}
	if trimmed := strings.TrimSpace(string(c.Conditions)); trimmed == "" || trimmed == "null" {
		c.Conditions = nil
	} else if parsed, err := criteria.Parse(c.Conditions, schema); err != nil {
		f, _ := fault.As(err)
		wrong("conditions", f.Message)
	} else if c.Conditions, err = parsed.MarshalJSON(); err != nil {
		return c, err
	}
	if len(fields) > 0 {
		f := fault.New(fault.Invalid, "POLICY_CONTENT", fields[0].Message)
		f.Fields = fields
		return c, f
	}
	return c, nil
}
