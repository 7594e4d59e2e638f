package catalog

// Kind is one kind of products, or of financing.
type Kind struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Note string `json:"note"`
	Icon string `json:"-"` // of the portal
}

// Financing is the kind whose products have rates, amounts and terms.
const Financing = "financing"

var kinds = []Kind{
	{Financing, "融资服务", "贷款、担保、股权、保险", "finance"},
	{"legal", "法律服务", "合同、用工、纠纷", "law"},
	{"tax", "财税服务", "记账、报税、审计", "tax"},
	{"hr", "人力招聘", "招聘、社保、培训", "people"},
	{"ip", "知识产权", "专利、商标、版权", "ip"},
	{"certification", "资质认证", "体系、产品、许可", "certificate"},
	{"innovation", "科技创新", "研发、检测、转化", "science"},
	{"digital", "数字化", "上云、改造、软件", "digital"},
}

var financingKinds = []Kind{
	{"debt", "债权融资", "信用贷款、流动资金贷款、供应链贷款", "finance"},
	{"mortgage", "抵押融资", "房产、设备、知识产权抵押或质押", "finance"},
	{"equity", "股权融资", "创业投资、产业基金、可转债", "finance"},
	{"guarantee", "融资担保", "政策性与商业性融资担保", "finance"},
	{"insurance", "保险", "财产、责任、信用与科技保险", "finance"},
}

// Subsidised is the cost of a service somebody else pays for in part.
const Subsidised = "subsidised"

// The fixed choices of a product's fields.
var (
	guarantees = []Kind{
		{Code: "credit", Name: "信用（无需抵押担保）"}, {Code: "mortgage", Name: "抵押"}, {Code: "pledge", Name: "质押"}, {Code: "guarantor", Name: "保证"}, {Code: "insurance", Name: "保证保险"},
	}
	costs  = []Kind{{Code: "free", Name: "免费"}, {Code: "paid", Name: "收费"}, {Code: Subsidised, Name: "有补贴"}}
	venues = []Kind{{Code: "online", Name: "线上"}, {Code: "office", Name: "机构现场"}, {Code: "visit", Name: "上门"}}
)

// lends reports whether money of a financing kind has to be paid back, so that it may ask for a guarantee.
func lends(financing string) bool { return financing == "debt" || financing == "mortgage" }

func namesOf(list []Kind, codes []string) []string {
	out := make([]string, 0, len(codes))
	for _, c := range codes {
		out = append(out, kindOf(list, c).Name)
	}
	return out
}

// Kinds lists the eight kinds of products in the order in which every face shows them.
func Kinds() []Kind { return append([]Kind(nil), kinds...) }

// FinancingKinds lists the kinds of financing.
func FinancingKinds() []Kind { return append([]Kind(nil), financingKinds...) }

func kindOf(list []Kind, code string) Kind {
	for _, k := range list {
		if k.Code == code {
			return k
		}
	}
	return Kind{}
}

// rateLabel is what the rate of a financing kind is called.
func rateLabel(financing string) string {
	switch financing {
	case "guarantee":
		return "担保费率"
	case "insurance":
		return "保险费率"
	}
	return "年利率"
}

// amountLabel is what the amount of a financing kind is called.
func amountLabel(financing string) string {
	switch financing {
	case "equity":
		return "投资金额"
	case "guarantee":
		return "担保额度"
	case "insurance":
		return "保险金额"
	}
	return "额度"
}
