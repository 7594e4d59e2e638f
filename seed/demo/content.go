package demo

import (
	"fmt"
	"strings"
	"time"
)

// shared holds sentences that several texts take turns in using.
type shared struct {
	Process      map[string][]string // how a product of the kind is worked on
	Assurance    []string
	Purpose      map[string][]string // first clause of a policy, by topic
	Procedure    []string
	Service      []string // in place of Procedure where no money is granted
	Supervision  []string
	Closing      []string
	Reading      []string // interpretation of a policy
	NewsEnd      map[string][]string
	Sources      []string
	HelpEnd      []string
	BodyEnd      map[string][]string // last sentence of a ticket, by its nature
	Dispatch     []string
	Sign         []string
	Start        []string
	Review       []string
	Satisfied    []string
	Neutral      []string
	Unsatisfied  []string
	Reopen       []string
	Suspend      []string
	Decline      []string
	Void         []string
	Merge        []string
	Note         []string
	Extension    []string
	Return       []string
	ReturnRefuse []string
	Urge         []string
	Purposes     []string // what a loan is for
	Needs        []string // what a service is for
	Accept       []string
	AskMore      []string
	GiveMore     []string
	Refuse       []string
	Withdraw     []string
	Progress     []string
	Approve      []string
	Disburse     []string
	Complete     []string
	Praise       []string
}

func (g *generator) shared() (shared, error) {
	var s shared
	err := load("shared.yaml", &s)
	return s, err
}

func (g *generator) products() error {
	s, err := g.shared()
	if err != nil {
		return err
	}
	type row struct {
		Inst, Kind, Name, Target, Core, Price string
		Rate, Amount, Term                    [2]int
		Days                                  int
	}
	var list, services []row
	if err := load("products-financing.yaml", &list); err != nil {
		return err
	}
	if err := load("products-services.yaml", &services); err != nil {
		return err
	}
	financing := len(list)
	list = append(list, services...)
	for i, r := range list {
		p := Product{
			Key: fmt.Sprintf("product-%02d", i+1), Institution: r.Inst, Name: Mark + r.Name, Kind: r.Kind, Target: r.Target,
			PriceText: r.Price, Days: r.Days, State: "listed", PublishedAt: g.workHour(g.between(5, 240)),
			Hot: i%9 == 0, Recommended: i%7 == 1,
		}
		if i < financing {
			p.Kind, p.FinancingKind = "financing", r.Kind
			p.RateMin, p.RateMax = r.Rate[0], r.Rate[1]
			p.AmountMin, p.AmountMax = int64(r.Amount[0])*tenThousandYuan, int64(r.Amount[1])*tenThousandYuan
			p.TermMin, p.TermMax = r.Term[0], r.Term[1]
			p.Days = g.between(3, 10)
		}
		group := p.Kind
		if p.FinancingKind != "" {
			group = p.FinancingKind
		}
		p.Summary = strings.SplitAfter(r.Core, "。")[0]
		p.Description = r.Core + "\n" + pick(g, s.Process[group]) + "\n" + "适用对象：" + r.Target + "。" + pick(g, s.Assurance)
		p.Materials, p.Steps = productPapers(group)
		p.terms(r.Core)
		g.w.Products = append(g.w.Products, p)
	}
	// A few are on their way through review, so that every queue has something in it.
	for i, st := range []struct{ state, reason string }{
		{"draft", ""}, {"platform_review", ""}, {"platform_review", ""}, {"government_review", ""}, {"government_review", ""},
		{"returned", "利率上限与合同样本不一致，请核对后重新提交，并补充收费项目说明。"},
		{"taken_down", "机构主动申请下架，原因是合作产品升级，已受理的申请继续办理。"},
	} {
		p := &g.w.Products[8+i*8]
		p.State, p.Reason, p.Hot, p.Recommended = st.state, st.reason, false, false
		day := g.ref.AddDate(0, 0, -1-i) // their last step is a matter of days
		p.PublishedAt = time.Date(day.Year(), day.Month(), day.Day(), 2+i, 15, 0, 0, time.UTC)
	}
	return nil
}

func productPapers(group string) (materials, steps []string) {
	switch group {
	case "debt", "mortgage", "guarantee":
		materials = []string{"营业执照", "法定代表人身份证明", "近六个月对公流水", "近一年纳税申报表", "贷款用途说明"}
		if group == "mortgage" {
			materials = append(materials, "抵押物或质押物权属证明")
		}
		steps = []string{"在线申请", "机构受理", "尽职调查", "核定额度与费率", "签约放款"}
	case "equity":
		materials = []string{"商业计划书", "股权结构说明", "近两年财务报表", "核心团队简历"}
		steps = []string{"提交计划书", "初步沟通", "尽职调查", "投资决策", "签约出资"}
	case "insurance":
		materials = []string{"营业执照", "经营场所证明", "投保清单", "近三年出险情况说明"}
		steps = []string{"在线询价", "风险查勘", "确认方案", "缴费出单"}
	default:
		materials = []string{"营业执照", "需求说明"}
		switch group {
		case "legal":
			materials = append(materials, "相关合同或往来文件")
		case "tax":
			materials = append(materials, "近一年财务报表", "纳税申报表")
		case "hr":
			materials = append(materials, "岗位需求表")
		case "ip":
			materials = append(materials, "技术交底书或标识图样")
		case "certification":
			materials = append(materials, "组织机构图", "主要工艺或服务流程")
		case "innovation":
			materials = append(materials, "技术难题或项目说明")
		case "digital":
			materials = append(materials, "现有系统与设备清单")
		}
		steps = []string{"在线申请", "机构联系确认需求", "签订服务合同", "实施服务", "企业确认与评价"}
	}
	return materials, steps
}

func (g *generator) policies() error {
	s, err := g.shared()
	if err != nil {
		return err
	}
	type row struct {
		Title, Level, Topic, Handler, Benefit string
		Cap                                   int64
		Clauses, Materials                    []string
		Conditions                            []any
		FAQ                                   []Question `yaml:"faq"`
	}
	var list []row
	for _, name := range []string{"policies-1.yaml", "policies-2.yaml"} {
		var part []row
		if err := load(name, &part); err != nil {
			return err
		}
		list = append(list, part...)
	}
	names := map[string]string{}
	for _, d := range g.w.Departments {
		names[d.Code] = d.Name
	}
	for i, r := range list {
		published := g.between(25, 520)
		p := Policy{
			Key: fmt.Sprintf("policy-%02d", i+1), Title: Mark + r.Title, Level: r.Level, Topic: r.Topic, Handler: r.Handler,
			PublishedOn: g.date(published), ExpiresOn: g.date(published - 365*g.between(2, 4)),
			Benefit: r.Benefit, CapFen: r.Cap * tenThousandYuan, Materials: r.Materials, FAQ: r.FAQ,
		}
		prefix := map[string]string{"国家": "企服", "市": "京企", "区": "通企"}[r.Level]
		p.DocNumber = fmt.Sprintf("%s%s〔%s〕%d号", prefix, Mark, p.PublishedOn[:4], i+3)
		switch r.Level {
		case "国家":
			p.Issuer = "国家中小企业服务主管部门" + Mark
		case "市":
			p.Issuer = "北京市中小企业服务主管部门" + Mark
		default:
			p.Issuer = "通州" + strings.TrimPrefix(names[r.Handler], "市")
		}
		if r.Cap > 0 {
			switch n := i % 10; {
			case n < 6:
				p.OpensOn, p.ClosesOn = g.date(g.between(5, 24)), g.date(-g.between(12, 90))
			case n == 6 || n == 7:
				p.OpensOn, p.ClosesOn = g.date(-g.between(10, 30)), g.date(-g.between(50, 100))
			case n == 8:
				p.OpensOn, p.ClosesOn = g.date(24), g.date(g.between(2, 9))
			}
		}

		var b strings.Builder
		n := 0
		clause := func(text string) {
			n++
			fmt.Fprintf(&b, "第%s条 %s\n", hanNumber(n), text)
		}
		clause(pick(g, s.Purpose[r.Topic]))
		for _, c := range r.Clauses {
			clause(c)
		}
		if r.Cap > 0 {
			clause(pick(g, s.Procedure))
		} else {
			clause(pick(g, s.Service))
		}
		clause(pick(g, s.Supervision))
		clause(pick(g, s.Closing))
		p.Text = strings.TrimRight(b.String(), "\n")
		short := strings.TrimSuffix(strings.SplitAfter(r.Clauses[0], "。")[0], "。")
		p.Interpretation = strings.NewReplacer("{who}", short, "{benefit}", r.Benefit, "{first}", firstOf(r.Materials)).Replace(pick(g, s.Reading))
		if p.Conditions, err = conditionTree(r.Conditions, p.Text); err != nil {
			return fmt.Errorf("%s: %w", r.Title, err)
		}
		g.w.Policies = append(g.w.Policies, p)
	}
	return nil
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return "申请表"
	}
	return list[0]
}

// hanNumber writes 1 to 19 in Chinese.
func hanNumber(n int) string {
	digits := []string{"", "一", "二", "三", "四", "五", "六", "七", "八", "九"}
	if n < 10 {
		return digits[n]
	}
	return "十" + digits[n-10]
}

func (g *generator) articles() error {
	s, err := g.shared()
	if err != nil {
		return err
	}
	var news []struct {
		C, T string
		B    []string
	}
	if err := load("news.yaml", &news); err != nil {
		return err
	}
	for i, r := range news {
		body := append(append([]string(nil), r.B...), pick(g, s.NewsEnd[r.C]))
		g.w.News = append(g.w.News, News{
			Key: fmt.Sprintf("news-%02d", i+1), Title: Mark + r.T, Column: r.C, Paragraphs: body,
			Source: pick(g, s.Sources) + Mark, PublishedAt: g.workHour(2 + i*g.between(3, 4)), Top: i < 2,
		})
	}
	var f struct {
		Notices []struct{ T, B string }
		Help    []struct {
			T, G string
			S    []string
			B    string
		}
		Partners []struct {
			Code, Name, Direction, Note string
			Events                      []string
			Quota                       int
		}
	}
	if err := load("articles.yaml", &f); err != nil {
		return err
	}
	for i, r := range f.Notices {
		g.w.Notices = append(g.w.Notices, Notice{Key: fmt.Sprintf("notice-%02d", i+1), Title: Mark + r.T, Body: r.B,
			PublishedAt: g.workHour(1 + i*6), ExpiresAt: g.ref.AddDate(0, 0, 45-i*6)})
	}
	for i, r := range f.Help {
		g.w.Help = append(g.w.Help, Article{Key: fmt.Sprintf("help-%02d", i+1), Title: Mark + r.T, Group: r.G, Steps: r.S,
			Body: r.B + pick(g, s.HelpEnd), Public: true})
	}
	for i, r := range f.Partners {
		g.w.Partners = append(g.w.Partners, Partner{Code: r.Code, Name: r.Name + Mark, Contact: g.person(), Phone: phone(7, i+1),
			Direction: r.Direction, Events: r.Events, Quota: r.Quota, Note: r.Note})
	}
	return nil
}
