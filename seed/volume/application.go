package volume

import (
	"fmt"
	"time"
)

var purposes = []string{"购买原料和包装", "更新生产设备", "补充流动资金", "支付货款", "扩建厂房", "研发新产品", "装修门店", "备货过节", "支付工人工资", "数字化改造"}

var serviceNeeds = []string{"需要代理记账和纳税申报服务", "希望有人辅导高新技术企业认定", "需要检测报告，用于出口报关", "想做一次安全生产评估", "需要律师审阅供货合同", "希望对接展会摊位", "需要办理商标注册"}

// apply has a verified company apply for a product for which it has no open application. In a district so small that there
// is none, nothing comes of it.
func (g *Generator) apply(at time.Time) *Application {
	var c, p int
	for try := 0; ; try++ {
		c, p = g.company(), g.rand.IntN(len(g.o.Products))
		if g.verified[c] && !at.Before(g.open[[2]int{c, p}]) {
			break
		}
		if try == 50 {
			return nil
		}
	}
	product := g.o.Products[p]
	lends := product.Lends
	a := &Application{At: at, Company: c, Product: p, Source: pick(g, []string{"h5", "h5", "portal"})}
	if lends {
		a.Amount, a.Term = int64(g.between(5, 500))*1_000_000, pick(g, []int{6, 12, 12, 24, 36})
		a.Amount, a.Term = within(a.Amount, product.AmountMin, product.AmountMax), within(a.Term, product.TermMin, product.TermMax)
		a.Purpose = fmt.Sprintf("%s，预计%d个月内用完，还款来源为销售回款", pick(g, purposes), g.between(1, 10))
	} else {
		a.Purpose = pick(g, serviceNeeds) + fmt.Sprintf("，企业现有%d人", g.between(3, 200))
	}
	by := g.rand.IntN(product.Operators)
	end := time.Time{}
	last := at
	step := func(lo, hi time.Duration, s Step) bool {
		last = g.later(last, lo, hi)
		if last.After(g.o.Until) {
			return false
		}
		s.At, s.Actor = last, by
		a.Steps = append(a.Steps, s)
		return true
	}
	const day = 24 * time.Hour
	g.lives(lends, a, step, day)
	if n := len(a.Steps); n > 0 {
		switch a.Steps[n-1].Action {
		case "complete", "confirm", "decline", "withdraw":
			end = a.Steps[n-1].At
		}
	}
	if end.IsZero() {
		end = g.o.Until.AddDate(10, 0, 0)
	}
	g.open[[2]int{c, p}] = end
	return a
}

// lives tells what the institution did.
func (g *Generator) lives(lends bool, a *Application, step func(lo, hi time.Duration, s Step) bool, day time.Duration) {
	if g.chance(4) {
		step(time.Hour, 2*day, Step{Action: "withdraw", Text: pick(g, []string{"", "暂时不需要了", "已找到其他渠道"})})
		return
	}
	if g.chance(6) {
		step(2*time.Hour, 2*day, Step{Action: "decline", Text: pick(g, []string{"企业成立时间不足，暂不符合准入条件", "经营范围不在服务范围内", "材料不真实"})})
		return
	}
	if !step(time.Hour, 2*day, Step{Action: "accept", Text: pick(g, []string{"", "已收到您的申请，客户经理将在两个工作日内联系您"})}) {
		return
	}
	if g.chance(25) {
		if !step(3*time.Hour, 3*day, Step{Action: "ask-supplement", Text: "请补充近三个月的银行流水和纳税证明"}) || !step(5*time.Hour, 6*day, Step{Action: "supplement", Text: "材料已补齐，请查收"}) {
			return
		}
	}
	first := Step{Action: "plan", Text: pick(g, []string{"按约定内容提供服务", "安排专人上门服务", "线上沟通后出具成果"})}
	if lends {
		first = Step{Action: "diligence", Text: pick(g, []string{"经营场所真实，账目与申报一致", "生产正常，订单充足，上下游稳定", "负债适中，纳税记录良好"})}
	}
	if !step(5*time.Hour, 5*day, first) {
		return
	}
	for range g.between(0, 2) {
		if !step(5*time.Hour, 5*day, Step{Action: "progress", Text: pick(g, []string{"已实地走访企业，正在整理报告", "材料已提交审查部门", "已完成初步评估", "正在安排专家对接"})}) {
			return
		}
	}
	if g.chance(12) {
		step(day, 6*day, Step{Action: "decline", Text: "经审查，企业负债率偏高，本次未能通过"})
		return
	}
	if lends {
		amount := a.Amount * int64(g.between(50, 100)) / 100
		if !step(day, 6*day, Step{Action: "approve", Amount: amount, Rate: g.between(285, 620), Term: a.Term}) || !step(day, 9*day, Step{Action: "disburse", Amount: amount}) {
			return
		}
	}
	if lends {
		step(day, 15*day, Step{Action: "complete", Text: "款项已按约定用途支付，业务办结"})
		return
	}
	if step(day, 15*day, Step{Action: "deliver", Text: pick(g, []string{"服务已完成，成果已交付，请核对", "报告已出具，请确认"})}) {
		step(time.Hour, 3*day, Step{Action: "confirm"})
	}
}

// within moves n into the limits; an upper one of zero is none.
func within[N int | int64](n, lo, hi N) N {
	if hi > 0 {
		n = min(n, hi)
	}
	return max(n, lo)
}
