package demo

// Demand is a need that a company posts, and what comes of it until now. Days are counted from the end of the story.
type Demand struct {
	Owner       string // key
	Kind        string
	Title       string
	Description string
	BudgetMin   string // in units of ten thousand yuan
	BudgetMax   string
	Term        string // months
	Place       string
	Named       bool
	Posted      int    // days ago
	Until       int    // days from now, before it when negative
	Wanted      int    // days from now
	End         string // draft, review, returned, open, picked, closed, expired
	Quotes      []DemandQuote
}

// DemandQuote is what an institution offers.
type DemandQuote struct {
	Institution string // key
	Product     string // what its name holds; empty takes any that fits
	After       int    // days after the demand was posted
	Price, Days string
	Amount      string
	Rate, Term  string
	Text        string
}

// Demands are the needs of the district's companies, the oldest first. They are posted by the owners of companies that have applied
// for something, who are verified, and by the owner of the guided tour.
func (w World) Demands() []Demand {
	var owners []string
	seen := map[string]bool{w.Walk.BakeryOwner: true}
	for _, a := range w.Applications {
		if a.State != "draft" && !seen[a.Owner] {
			seen[a.Owner] = true
			owners = append(owners, a.Owner)
		}
	}
	if len(owners) < 8 {
		return nil
	}
	bakery := w.Walk.BakeryOwner
	return []Demand{
		{Owner: owners[0], Kind: "certification", Title: "质量管理体系首次认证", Description: "机械加工企业，员工 46 人，第一次做质量管理体系认证，需要现场辅导、文件编写和内审，明年一季度参加投标前拿到证书。", BudgetMin: "0.8", BudgetMax: "1.5", Place: "张家湾镇", Posted: 60, Until: -35, Wanted: 20, End: "expired"},
		{Owner: bakery, Kind: "tax", Title: "委托代理记账和报税", Description: "烘焙门店，小规模纳税人，每月约 40 张票据，需要记账、报税、个税申报和工商年报。原会计离职，请先协助完成账套交接。", BudgetMax: "0.6", Place: "新华西街", Named: true, Posted: 40, Until: -20, Wanted: 10, End: "picked",
			Quotes: []DemandQuote{{Institution: "tax-mingshu", Product: "代理记账", After: 4, Price: "3120", Days: "5", Text: "按年服务，每月 260 元，含个税申报和工商年报；账套交接免费，五个工作日内完成。"}}},
		{Owner: owners[1], Kind: "ip", Title: "新产品商标注册", Description: "准备注册食品类商标两件，含图形和文字，请先做近似查询并说明把握。", BudgetMax: "0.3", Posted: 30, Until: -12, Wanted: 30, End: "closed",
			Quotes: []DemandQuote{{Institution: "ip-zhixin", Product: "商标注册", After: 3, Price: "1800", Days: "5", Text: "两类两件，含官费和近似查询，五个工作日内提交。"}}},
		{Owner: owners[2], Kind: "financing", Title: "购置烘烤设备需要流动资金", Description: "订单增加，计划新购隧道炉一条，自筹一半，需要流动资金周转。近两年纳税正常，无不良记录，可提供设备采购合同。", BudgetMax: "100", Term: "12", Place: "通州区", Posted: 12, Until: 9, Wanted: 25, End: "open",
			Quotes: []DemandQuote{{Institution: w.Walk.Bank, After: 4, Amount: "100", Rate: "3.65", Term: "12", Text: "信用方式，资料齐全后三个工作日内审批，可随借随还。"}}},
		{Owner: owners[3], Kind: "legal", Title: "劳动合同和员工手册梳理", Description: "员工 60 余人，实行综合计算工时，需要律师梳理劳动合同、员工手册和加班管理制度，并做一次培训。", BudgetMin: "0.5", BudgetMax: "1", Named: true, Posted: 10, Until: 5, Wanted: 30, End: "open",
			Quotes: []DemandQuote{{Institution: "law-zhengheng", Product: "劳动用工", After: 3, Price: "6800", Days: "10", Text: "含合同与手册文本、制度合规意见和两小时现场培训，完成后三个月内电话答疑。"}}},
		{Owner: bakery, Kind: "digital", Title: "门店收银系统升级，接通外卖订单", Description: "三家门店，需要统一收银、会员和库存，自动接收两个外卖平台的订单，旧系统的会员数据要迁移。", BudgetMin: "0.5", BudgetMax: "2", Place: "新华西街、梨园", Named: true, Posted: 8, Until: 12, Wanted: 40, End: "open",
			Quotes: []DemandQuote{{Institution: "digital-yunfan", Product: "收银", After: 3, Price: "8640", Days: "7", Text: "三家门店首年授权、安装和培训，会员数据迁移免费，次年每店 980 元。"},
				{Institution: "digital-anwang", Product: "网络安全", After: 5, Price: "12000", Days: "12", Text: "含三家门店部署、数据迁移和一年安全巡检，外卖接口按平台规则对接。"}}},
		{Owner: owners[4], Kind: "innovation", Title: "食品包装材料迁移量检测", Description: "三种包装材料，需要按国家标准检测总迁移量和重金属，出具带资质标识的报告。", BudgetMax: "0.8", Posted: 6, Until: 3, Wanted: 15, End: "open"},
		{Owner: owners[5], Kind: "ip", Title: "办理专利", Description: "想办理专利。", Posted: 5, Until: 20, Wanted: 60, End: "returned"},
		{Owner: owners[6], Kind: "hr", Title: "春节前短期用工 20 人", Description: "分拣和打包岗位，春节前后约 30 天，需健康证，厂区提供住宿和两餐，工资日结。", BudgetMin: "5", BudgetMax: "8", Place: "马驹桥镇", Posted: 4, Until: 15, Wanted: 45, End: "review"},
		{Owner: owners[7], Kind: "financing", Title: "出口订单备货贷款", Description: "已签出口合同，需要备货资金，回款周期约 90 天，可配合投保信用保险。", BudgetMax: "300", Term: "12", Posted: 1, Until: 20, Wanted: 30, End: "review"},
		{Owner: bakery, Kind: "certification", Title: "食品安全管理体系认证", Description: "为学校供餐做准备。", Posted: 1, Until: 25, Wanted: 90, End: "draft"},
	}
}
