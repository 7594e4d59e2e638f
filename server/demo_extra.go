package server

import (
	"context"
	"fmt"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/extra"
	forms "github.com/huiqi/huiqi/platform/form"
)

// demoExtra are the fields the demo district has defined for products and applications.
func demoExtra() []extra.Field {
	least, most := 0.0, 36.0
	lent := []string{"debt", "mortgage"}
	return []extra.Field{
		{Subject: extra.Product, Audience: extra.Everyone, Sort: 10, Kinds: lent,
			Field: forms.OwnField{Key: "firstLoan", Label: "面向首贷户", Kind: forms.YesNo, Help: "没有在银行贷过款的企业能否申请"}},
		{Subject: extra.Product, Audience: extra.Everyone, Sort: 20, Kinds: []string{"mortgage"},
			Field: forms.OwnField{Key: "pledges", Label: "可接受的抵押物", Kind: forms.Choices, Options: []string{"房产", "设备", "知识产权", "应收账款"}}},
		{Subject: extra.Product, Audience: extra.Staff, Sort: 30, Kinds: lent,
			Field: forms.OwnField{Key: "fullCost", Label: "综合融资成本", Kind: forms.Number, Unit: "%", Min: &least, Max: &most, Decimals: 2, Help: "利息和全部费用折算的年化成本，供审核参考，企业不可见"}},
		{Subject: extra.Product, Audience: extra.Everyone, Sort: 40, Kinds: []string{"legal"},
			Field: forms.OwnField{Key: "areas", Label: "擅长领域", Kind: forms.Choices, Options: []string{"合同纠纷", "劳动用工", "知识产权", "公司治理", "涉外业务"}}},
		{Subject: extra.Application, Audience: extra.Everyone, Sort: 10, Kinds: lent,
			Field: forms.OwnField{Key: "firstLoan", Label: "是否首贷", Kind: forms.YesNo, Help: "企业以前没有在银行贷过款的，选“是”"}},
		{Subject: extra.Application, Audience: extra.Everyone, Sort: 20, Kinds: []string{"mortgage"},
			Field: forms.OwnField{Key: "pledge", Label: "抵押物类型", Kind: forms.Choice, Options: []string{"房产", "设备", "知识产权", "应收账款", "尚未确定"}}},
		{Subject: extra.Application, Audience: extra.Everyone, Sort: 30, Kinds: []string{"legal"},
			Field: forms.OwnField{Key: "areas", Label: "涉及领域", Kind: forms.Choices, Options: []string{"合同纠纷", "劳动用工", "知识产权", "公司治理", "涉外业务"}}},
		{Subject: extra.Application, Audience: extra.Staff, Sort: 40, Kinds: []string{"financing"},
			Field: forms.OwnField{Key: "grade", Label: "客户经理初评", Kind: forms.Choice, Options: []string{"优先办理", "正常办理", "重点核实"}, Help: "机构内部登记，企业不可见"}},
	}
}

// seedFields defines them, before the first product.
func (h *house) seedFields(ctx context.Context, s *seeded) error {
	desk, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	s.at.Set(s.now.AddDate(-1, 0, 1))
	for _, f := range demoExtra() {
		if _, err := h.extra.Save(ctx, desk, extra.Save{Field: f}); err != nil {
			return fmt.Errorf("field %s: %w", f.Field.Key, err)
		}
	}
	return nil
}

// demoAnswers are what the institution of the product of a number fills in.
func demoAnswers(kind, financing string, i int) []catalog.Answer {
	say := func(key string, values ...string) catalog.Answer { return catalog.Answer{Key: key, Values: values} }
	var out []catalog.Answer
	if financing == "debt" || financing == "mortgage" {
		out = append(out, say("firstLoan", []string{"yes", "no"}[i%2]), say("fullCost", fmt.Sprintf("%d.%d", 3+i%3, 1+i%9)))
	}
	if financing == "mortgage" {
		out = append(out, say("pledges", [][]string{{"房产"}, {"房产", "设备"}, {"知识产权", "应收账款"}}[i%3]...))
	}
	if kind == "legal" {
		out = append(out, say("areas", [][]string{{"合同纠纷", "劳动用工"}, {"知识产权"}, {"公司治理", "涉外业务"}}[i%3]...))
	}
	return out
}

// demoTyped are what the company of the application of a number fills in.
func demoTyped(kind, financing string, i int64) map[string][]string {
	out := map[string][]string{}
	if financing == "debt" || financing == "mortgage" {
		out["firstLoan"] = []string{[]string{"yes", "no", "no"}[i%3]}
	}
	if financing == "mortgage" {
		out["pledge"] = []string{[]string{"房产", "设备", "知识产权"}[i%3]}
	}
	if kind == "legal" {
		out["areas"] = [][]string{{"劳动用工"}, {"合同纠纷"}, {"知识产权", "合同纠纷"}}[i%3]
	}
	return out
}
