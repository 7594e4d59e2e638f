package volume

import (
	"fmt"
	"time"

	"github.com/huiqi/huiqi/seed/demo"
)

// Offering is a product of one of the institutions, and how it came on the public list.
type Offering struct {
	Institution, Operator         int // who wrote it: an index of Options.Institutions, and of its operators
	Reviewer, Official            int // who passed it, of Options.Reviewers and Options.Officials
	At, Submitted, Passed, Listed time.Time
	Name, Kind, FinancingKind     string
	Summary, Description, Target  string
	RateMin, RateMax              int   // basis points a year
	AmountMin, AmountMax          int64 // fen
	TermMin, TermMax              int   // months
	Guarantees                    []string
	Cost, PriceText, Duration     string
	Venues, Deliverables          []string
	Conditions, Materials, Steps  []string
	Days                          int
}

// line is a kind of product: how often there is one, and the words it is made of.
type line struct {
	weight          int
	kind, financing string
	names           []string
	about           []string // what it is for
	results         []string // of services
	rate, amount    [2]int   // basis points, 万元
	guarantees      []string
}

var lines = []line{
	{26, "financing", "debt", []string{"信用贷", "流动资金贷款", "税易贷", "订单贷", "商户贷", "科创贷", "供应链快贷"}, []string{"采购原料、支付货款", "日常经营周转", "研发投入和备货"}, nil, [2]int{285, 560}, [2]int{10, 1000}, []string{"credit", "guarantor"}},
	{12, "financing", "mortgage", []string{"厂房抵押贷", "房产抵押经营贷", "设备抵押贷", "知识产权质押贷"}, []string{"购置设备、扩建厂房", "置换到期贷款"}, nil, [2]int{310, 620}, [2]int{50, 3000}, []string{"mortgage", "pledge"}},
	{3, "financing", "equity", []string{"天使投资", "成长期股权投资", "产业引导基金直投"}, []string{"新产品研发和市场开拓"}, nil, [2]int{0, 0}, [2]int{100, 5000}, nil},
	{6, "financing", "guarantee", []string{"创业担保", "批量担保", "科技担保"}, []string{"为企业贷款提供增信"}, nil, [2]int{50, 150}, [2]int{20, 1000}, nil},
	{6, "financing", "insurance", []string{"雇主责任险", "贸易信用险", "科技研发费用损失险"}, []string{"分散经营风险"}, nil, [2]int{10, 200}, [2]int{10, 2000}, nil},
	{9, "legal", "", []string{"合同审查", "劳动用工法律顾问", "应收账款催收", "股权架构设计"}, []string{"防范合同和用工风险", "处理经营纠纷"}, []string{"法律意见书", "合同修改稿"}, [2]int{}, [2]int{}, nil},
	{12, "tax", "", []string{"代理记账", "研发费用加计扣除辅导", "汇算清缴审核", "税务健康检查"}, []string{"规范账务、按时申报", "用足税收优惠"}, []string{"申报表和完税凭证", "专项审核报告"}, [2]int{}, [2]int{}, nil},
	{7, "hr", "", []string{"技能人才招聘", "社保代理", "新员工培训", "校企用工对接"}, []string{"解决一线用工和专业人才短缺"}, []string{"候选人名单", "培训记录"}, [2]int{}, [2]int{}, nil},
	{7, "ip", "", []string{"商标注册", "发明专利申请", "知识产权维权", "专利导航"}, []string{"保护品牌和技术成果"}, []string{"受理通知书", "检索分析报告"}, [2]int{}, [2]int{}, nil},
	{6, "certification", "", []string{"质量管理体系认证", "高新技术企业认定辅导", "食品经营许可代办", "专精特新申报辅导"}, []string{"取得资质、进入市场"}, []string{"申报材料全套", "认证证书"}, [2]int{}, [2]int{}, nil},
	{6, "innovation", "", []string{"委托检测", "技术成果对接", "小试中试服务", "科技查新"}, []string{"缩短研发周期", "验证产品性能"}, []string{"检测报告", "技术方案"}, [2]int{}, [2]int{}, nil},
	{6, "digital", "", []string{"门店数字化改造", "生产管理系统上线", "企业上云", "网络安全体检"}, []string{"提高接单和排产效率", "降低信息化成本"}, []string{"上线的系统", "评估报告"}, [2]int{}, [2]int{}, nil},
}

var lineWeights = func() []int {
	var w []int
	for _, l := range lines {
		w = append(w, l.weight)
	}
	return w
}()

var (
	customers  = []string{"小微企业", "个体工商户", "科技型企业", "制造业企业", "餐饮和零售商户", "文化创意企业", "外贸企业", "专精特新企业", "涉农企业", "初创企业"}
	conditions = []string{"在本区注册并正常经营满一年", "近一年无不良信用记录", "纳税信用等级不低于 B 级", "有固定经营场所", "近两年无重大违法记录", "社会保险正常缴纳", "有真实的订单或者合同"}
	materials  = []string{"营业执照", "法定代表人身份证明", "近三个月银行流水", "近一年纳税证明", "购销合同", "经营场所租赁合同", "企业章程"}
	stages     = []string{"在线提交申请", "客户经理联系核实", "实地了解情况", "出具方案", "签订协议", "提供服务", "回访"}
)

// some picks n different ones, in their order.
func some(g *Generator, list []string, n int) []string {
	out := make([]string, 0, n)
	for i, s := range list {
		if g.rand.IntN(len(list)-i) < n-len(out) {
			out = append(out, s)
		}
	}
	return out
}

// Offering hands out the next product. They all come before the first company, and applications are for them as for those
// of Options.
func (g *Generator) Offering() Offering {
	n := g.offered
	g.offered++
	l := lines[g.weighted(lineWeights)]
	who, about, name := pick(g, customers), pick(g, l.about), pick(g, l.names)
	word := string(pick(g, []rune(nameRunes))) + string(pick(g, []rune(nameRunes)))
	start := g.o.Start().AddDate(0, -9, 0)
	span := g.o.Start().AddDate(0, -7, 0).Sub(start)
	o := Offering{
		Institution: g.rand.IntN(len(g.o.Institutions)), Reviewer: g.rand.IntN(g.o.Reviewers), Official: g.rand.IntN(g.o.Officials),
		At:   start.Add(time.Duration(float64(span) * float64(n) / float64(g.o.Offerings))).Truncate(time.Millisecond),
		Name: "〔" + demo.Mark + "〕" + word + name, Kind: l.kind, FinancingKind: l.financing,
		Summary: fmt.Sprintf("面向%s的%s，用于%s", who, name, about), Target: who,
		Description: fmt.Sprintf("%s适用于%s，可用于%s。%s，%d 个工作日内答复。办理过程中有疑问可以在平台上与我们联系，也可以拨打机构服务电话。", name, who, about, pick(g, []string{"线上申请、专人对接", "一次申请、全程代办", "到店或者上门办理"}), 2+n%9),
		Conditions:  some(g, conditions, g.between(1, 4)), Materials: some(g, materials, g.between(2, 5)), Steps: some(g, stages, g.between(3, 6)), Days: 2 + n%9,
	}
	o.Operator = g.rand.IntN(g.o.Institutions[o.Institution])
	offered := Product{Operators: g.o.Institutions[o.Institution]}
	if l.financing != "" {
		if l.rate[1] > 0 {
			o.RateMin = g.between(l.rate[0], l.rate[1])
			o.RateMax = g.between(o.RateMin, l.rate[1])
		}
		top := g.between(l.amount[0], l.amount[1])
		o.AmountMin, o.AmountMax = int64(l.amount[0])*1_000_000, int64(top)*1_000_000
		o.TermMin, o.TermMax = pick(g, []int{1, 3, 6}), pick(g, []int{12, 24, 36, 60})
		if l.guarantees != nil {
			o.Guarantees = some(g, l.guarantees, g.between(1, len(l.guarantees)))
		}
		offered.Lends, offered.AmountMin, offered.AmountMax, offered.TermMin, offered.TermMax = true, o.AmountMin, o.AmountMax, o.TermMin, o.TermMax
	} else {
		o.Cost = pick(g, []string{"free", "paid", "paid"})
		o.PriceText = "免费"
		if o.Cost == "paid" {
			o.PriceText = fmt.Sprintf("%d 元起", g.between(2, 90)*100)
		}
		o.Venues = some(g, []string{"online", "office", "visit"}, g.between(1, 3))
		o.Duration = pick(g, []string{"5 个工作日", "一个月", "按年服务", "按次服务"})
		o.Deliverables = some(g, l.results, g.between(1, len(l.results)))
	}
	g.o.Products = append(g.o.Products, offered)
	o.Submitted = g.later(o.At, time.Hour, 24*time.Hour)
	o.Passed = g.later(o.Submitted, 2*time.Hour, 48*time.Hour)
	o.Listed = g.later(o.Passed, 2*time.Hour, 48*time.Hour)
	return o
}
