package demo

import "strings"

// terms fills what a product says of its conditions, by what its text tells.
func (p *Product) terms(core string) {
	p.Conditions = []string{p.Target, "近两年无严重违法失信记录"}
	switch p.FinancingKind {
	case "":
		p.serviceTerms()
		return
	case "debt", "mortgage":
		p.Conditions = append(p.Conditions, "企业和法定代表人没有当前逾期贷款")
		for _, g := range []struct{ code, word string }{{"credit", "信用贷款"}, {"mortgage", "抵押"}, {"pledge", "质押"}, {"guarantor", "组合担保"}, {"insurance", "信用保险"}} {
			if strings.Contains(core, g.word) {
				p.Guarantees = append(p.Guarantees, g.code)
			}
		}
		if len(p.Guarantees) == 0 {
			p.Guarantees = []string{"credit", "guarantor"}
		}
	case "guarantee":
		p.Conditions = append(p.Conditions, "在本市纳税或缴纳社会保险")
	case "equity":
		p.Conditions = append(p.Conditions, "股权清晰，主要股东没有未了结的诉讼")
	}
}

// results are what a service of a kind leaves behind, where it takes place and how long it lasts.
var results = map[string]struct {
	deliverables, venues []string
	duration             string
}{
	"legal":         {[]string{"书面法律意见", "修改后的合同或函件文本"}, []string{"online", "office"}, "按次服务"},
	"tax":           {[]string{"账套或工作底稿", "服务报告"}, []string{"office", "visit"}, "按约定的会计期间"},
	"hr":            {[]string{"到岗名单或培训记录", "服务情况反馈表"}, []string{"online", "visit"}, "一个月左右"},
	"ip":            {[]string{"受理通知书或授权证书", "申请文件副本"}, []string{"online", "office"}, "以主管部门审查周期为准"},
	"certification": {[]string{"体系文件", "审核报告或证书"}, []string{"visit"}, "三至六个月"},
	"innovation":    {[]string{"技术方案或检测报告", "成果交接清单"}, []string{"office", "visit"}, "按项目约定"},
	"digital":       {[]string{"上线的系统或服务", "使用说明和培训记录"}, []string{"online", "visit"}, "一至三个月"},
}

func (p *Product) serviceTerms() {
	switch {
	case p.PriceText == "免费":
		p.Cost = "free"
	case strings.Contains(p.PriceText, "补贴"):
		p.Cost, p.Subsidy = "subsidised", "符合条件的企业可以向人力社保部门申请培训补贴，机构协助准备材料"
	default:
		p.Cost = "paid"
	}
	r := results[p.Kind]
	p.Deliverables, p.Venues, p.Duration = r.deliverables, r.venues, r.duration
}
