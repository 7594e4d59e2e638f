package policy

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web/page"
)

// part is one part of what a policy says, as a comparison shows it: its lines.
type part struct {
	field, label string
	lines        func(s *Service, c Content) []string
}

func one(read func(c Content) string) func(*Service, Content) []string {
	return func(_ *Service, c Content) []string {
		v := strings.TrimSpace(read(c))
		if v == "" {
			return nil
		}
		return strings.Split(v, "\n")
	}
}

func list[T any](read func(c Content) []T, word func(T) string) func(*Service, Content) []string {
	return func(_ *Service, c Content) []string {
		var out []string
		for _, x := range read(c) {
			out = append(out, word(x))
		}
		return out
	}
}

// parts are all parts in the order of the form.
var parts = []part{
	{"title", "标题", one(func(c Content) string { return c.Title })},
	{"docNumber", "文号", one(func(c Content) string { return c.DocNumber })},
	{"issuer", "发布机构", one(func(c Content) string { return c.Issuer })},
	{"level", "政策层级", one(func(c Content) string { return c.Level.Label() })},
	{"topic", "政策主题", one(func(c Content) string { return c.Topic.Label() })},
	{"kinds", "支持方式", list(func(c Content) []Kind { return c.Kinds }, Kind.Label)},
	{"region", "适用区域", func(s *Service, c Content) []string {
		if f, ok := s.schema.Field(fieldRegion); ok && f.Values[c.Region] != "" {
			return []string{f.Values[c.Region]}
		}
		return one(func(c Content) string { return c.Region })(s, c)
	}},
	{"publishedOn", "发布日期", one(func(c Content) string { return c.PublishedOn })},
	{"effectiveOn", "施行日期", one(func(c Content) string { return c.EffectiveOn })},
	{"opensOn", "申报开始日期", one(func(c Content) string { return c.OpensOn })},
	{"closesOn", "申报截止日期", one(func(c Content) string { return c.ClosesOn })},
	{"expiresOn", "失效日期", one(func(c Content) string { return c.ExpiresOn })},
	{"handlerName", "主管部门", one(func(c Content) string { return c.HandlerName })},
	{"link", "原文链接", one(func(c Content) string { return c.Link })},
	{"text", "正文", one(func(c Content) string { return c.Text })},
	{"benefit", "支持内容", one(func(c Content) string { return c.Benefit })},
	{"benefits", "支持标准", list(func(c Content) []Amount { return c.Benefits }, Amount.say)},
	{"capFen", "支持上限", one(func(c Content) string {
		if c.CapFen == 0 {
			return ""
		}
		return page.Money(c.CapFen)
	})},
	{"materials", "申报材料", list(func(c Content) []string { return c.Materials }, func(s string) string { return s })},
	{"interpretation", "政策解读", one(func(c Content) string { return c.Interpretation })},
	{"faq", "常见问题", list(func(c Content) []Question { return c.FAQ }, func(q Question) string { return q.Q + " " + q.A })},
	{"fileIds", "附件", list(func(c Content) []int64 { return c.FileIDs }, func(int64) string { return "附件" })},
	{"conditions", "申报条件", func(s *Service, c Content) []string { return s.conditionLines(c) }},
}

// say is the amount in words.
func (a Amount) say() string {
	if a.Fen == 0 {
		return a.What
	}
	most := ""
	if a.Cap {
		most = "最高 "
	}
	return a.What + "：" + most + page.Money(a.Fen)
}

func labelOf(field string) string {
	for _, p := range parts {
		if p.field == field {
			return p.label
		}
	}
	return field
}

// conditionLines says conditions line by line, the groups indented; what does not parse is shown as it is.
func (s *Service) conditionLines(c Content) []string {
	if !has(c.Conditions) {
		return nil
	}
	lines := s.asks(c.Conditions, c.Text)
	if len(lines) == 0 {
		return []string{string(c.Conditions)}
	}
	var out []string
	for _, l := range lines {
		line := strings.Repeat("　", l.Depth) + l.Label
		if l.Required != "" {
			line += " " + l.Required
		}
		if l.Quote != "" {
			line += "（“" + l.Quote + "”）"
		}
		out = append(out, line)
	}
	return out
}

// changed names the parts that differ between two contents.
func changed(a, b Content) []string {
	x, y := partsOf(a), partsOf(b)
	fields := []string{}
	for _, p := range parts {
		if !slices.Equal(x[p.field], y[p.field]) {
			fields = append(fields, p.field)
		}
	}
	return fields
}

// partsOf is the JSON of each part, compacted.
func partsOf(c Content) map[string]json.RawMessage {
	raw, err := json.Marshal(c.whole())
	out := map[string]json.RawMessage{}
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return map[string]json.RawMessage{}
	}
	return out
}

// Change is what differs in one part of two editions, paragraph by paragraph, to the word.
type Change struct {
	Field      string      `json:"field"`
	Label      string      `json:"label"`
	Paragraphs []Paragraph `json:"paragraphs"`
}

// Comparison is what differs between two editions.
type Comparison struct {
	From    EditionItem `json:"from"`
	To      EditionItem `json:"to"`
	Changes []Change    `json:"changes" nullable:"false"`
}

// Compare tells what differs between two editions of a policy, in the order of the form. It needs policy.view.
func (s *Service) Compare(ctx context.Context, actor access.Actor, policy, from, to int64) (Comparison, error) {
	if err := library(actor, PermView); err != nil {
		return Comparison{}, err
	}
	db := s.db.Read()
	if _, err := s.find(ctx, db, actor, policy); err != nil {
		return Comparison{}, err
	}
	a, err := findEdition(ctx, db, policy, from)
	if err != nil {
		return Comparison{}, err
	}
	b, err := findEdition(ctx, db, policy, to)
	if err != nil {
		return Comparison{}, err
	}
	was, err := a.content()
	if err != nil {
		return Comparison{}, err
	}
	is, err := b.content()
	if err != nil {
		return Comparison{}, err
	}
	return Comparison{From: a.item(), To: b.item(), Changes: s.differences(was, is)}, nil
}

func (s *Service) differences(was, is Content) []Change {
	out := []Change{}
	for _, p := range parts {
		a, b := p.lines(s, was), p.lines(s, is)
		switch {
		case !slices.Equal(a, b):
			out = append(out, Change{p.field, p.label, paragraphs(a, b)})
		case p.field == "fileIds" && !slices.Equal(was.FileIDs, is.FileIDs): // as many, but others
			out = append(out, Change{p.field, p.label, paragraphs(nil, []string{"附件有更换"})})
		}
	}
	return out
}
