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
	maxFiles     = 20
)

// Content is what a policy says. Days are written 2006-01-02; an empty one is open. A draft may hold any of it half typed.
type Content struct {
	Title          string          `json:"title"`
	DocNumber      string          `json:"docNumber"`
	Issuer         string          `json:"issuer"`
	Level          Level           `json:"level"`
	Topic          Topic           `json:"topic"`
	Kinds          []Kind          `json:"kinds" nullable:"false"`
	Region         string          `json:"region" doc:"Code of where it applies; empty: not said."`
	PublishedOn    string          `json:"publishedOn"`
	EffectiveOn    string          `json:"effectiveOn" doc:"First day in force; empty: with its publication."`
	OpensOn        string          `json:"opensOn"`
	ClosesOn       string          `json:"closesOn"`
	ExpiresOn      string          `json:"expiresOn"`
	Text           string          `json:"text" doc:"Lines: # 第一章 总则 for a chapter, 第一条 … for an article."`
	Interpretation string          `json:"interpretation"`
	FAQ            []Question      `json:"faq" nullable:"false"`
	Materials      []string        `json:"materials" nullable:"false"`
	Benefit        string          `json:"benefit" doc:"What a company gets, in one sentence."`
	Benefits       []Amount        `json:"benefits" nullable:"false"`
	CapFen         int64           `json:"capFen" doc:"The most one company can receive, in fen; 0: no money."`
	HandlerID      int64           `json:"handlerId"`
	HandlerName    string          `json:"handlerName"`
	Link           string          `json:"link" doc:"Of the original."`
	FileIDs        []int64         `json:"fileIds" nullable:"false" doc:"The attachments in their order."`
	Conditions     json.RawMessage `json:"conditions,omitempty" doc:"null or left out: only a person can judge."`
}

// Amount is one benefit with its amount in fen.
type Amount struct {
	What string `json:"what"`
	Fen  int64  `json:"fen"`
	Cap  bool   `json:"cap" doc:"At most so much."`
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
		{"publishedOn", "发布日期", c.PublishedOn}, {"effectiveOn", "施行日期", c.EffectiveOn}, {"opensOn", "申报开始日期", c.OpensOn}, {"closesOn", "申报截止日期", c.ClosesOn}, {"expiresOn", "失效日期", c.ExpiresOn},
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
	if c.ExpiresOn != "" && c.ExpiresOn < c.EffectiveOn {
		wrong("expiresOn", "失效日期早于施行日期，请核对")
	}
	if c.CapFen < 0 || c.CapFen > maxCapFen {
		wrong("capFen", "支持上限应为不小于零的金额")
	}
	if u, err := url.Parse(c.Link); c.Link != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		wrong("link", "原文链接应以 http:// 或 https:// 开头")
	}
	c.refined(schema, wrong, prose)
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

// refined checks the kinds, the region, the amounts and the number of attachments.
func (c *Content) refined(schema criteria.Schema, wrong func(field, message string), prose func(field, label string, value *string, longest int, needed bool)) {
	for _, k := range c.Kinds {
		if k.Label() == "" {
			wrong("kinds", "请从列表中选择支持方式")
		}
	}
	if f, ok := schema.Field(fieldRegion); ok && c.Region != "" && len(f.Values) > 0 && f.Values[c.Region] == "" {
		wrong("region", "请从列表中选择适用区域")
	}
	if len(c.Benefits) > maxList || len(c.FileIDs) > maxFiles {
		wrong("benefits", fmt.Sprintf("支持标准最多 %d 条，附件最多 %d 个", maxList, maxFiles))
		return
	}
	c.Benefits = append([]Amount(nil), c.Benefits...)
	for i := range c.Benefits {
		b := &c.Benefits[i]
		prose("benefits", "支持标准", &b.What, maxShort, true)
		if b.Fen < 0 || b.Fen > maxCapFen {
			wrong("benefits", "支持标准的金额应不小于零")
		}
	}
}

// whole returns the content with lists that are never null.
func (c Content) whole() Content {
	c.Kinds, c.FAQ, c.Materials = append([]Kind{}, c.Kinds...), append([]Question{}, c.FAQ...), append([]string{}, c.Materials...)
	c.Benefits, c.FileIDs = append([]Amount{}, c.Benefits...), append([]int64{}, c.FileIDs...)
	if trimmed := strings.TrimSpace(string(c.Conditions)); trimmed == "" || trimmed == "null" {
		c.Conditions = nil
	}
	return c
}

// content is what the policy says.
func (p *Policy) content() Content {
	return Content{
		Title: p.Title, DocNumber: p.DocNumber, Issuer: p.Issuer, Level: p.Level, Topic: p.Topic, Kinds: p.Kinds, Region: p.Region,
		PublishedOn: p.PublishedOn, EffectiveOn: p.EffectiveOn, OpensOn: p.OpensOn, ClosesOn: p.ClosesOn, ExpiresOn: p.ExpiresOn, Text: p.Text,
		Interpretation: p.Interpretation, FAQ: p.FAQ, Materials: p.Materials, Benefit: p.Benefit, Benefits: p.Benefits, CapFen: p.CapFen,
		HandlerID: p.HandlerID, HandlerName: p.HandlerName, Link: p.Link, FileIDs: p.FileIDs, Conditions: p.Conditions,
	}.whole()
}
