package demo

import (
	"time"

	"github.com/huiqi/huiqi/seed/reference"
)

// samples are what people write into the text fields of forms, by the key of the field.
var samples = map[string][]string{
	"policy":      {"中小微企业稳岗补贴", "高新技术企业认定奖励", "首次升规奖励", "技术改造贷款贴息"},
	"period":      {"2026-08", "2026-09", "2026-10"},
	"matter":      {"食品经营许可变更", "户外广告设置审批", "排水许可", "建设工程竣工备案"},
	"post":        {"面包烘焙师", "数控车工", "仓库管理员", "前端开发工程师", "保洁员"},
	"place":       {"园区二号楼东侧", "厂区南门外路口", "商业街 18 号门前", "地下车库入口"},
	"target":      {"同街一家门店", "某网络店铺", "邻近加工点"},
	"payee":       {"园区物业公司", "行业协会", "检测代理机构"},
	"debtor":      {"某建设集团项目部", "某商贸有限公司", "某餐饮管理公司"},
	"agency":      {"市场监管所", "消防救援站", "综合行政执法队"},
	"document":    {"通市监罚〔2025〕118 号", "通城管罚〔2026〕32 号"},
	"institution": {"某会计服务公司", "某人力资源公司", "某知识产权代理公司"},
	"receipt":     {"2026-0731-0045", "2026-0912-0118"},
}

// amounts are plausible numbers by the unit of a field.
var amounts = map[string][]string{
	"万元": {"30", "50", "86.5", "120", "260"}, "元": {"4500", "6800", "9200", "15000"}, "人": {"2", "5", "12", "30"}, "个月": {"6", "12", "24", "36"},
	"平方米": {"80", "260", "1200", "3000"}, "千伏安": {"100", "315", "630"}, "元/平方米·天": {"0.8", "1.2", "2.5"},
}

// filled fills the form of a ticket's type, the n-th ticket always alike. One in five people leaves what is not required.
func filled(fields []reference.TypeField, t *Ticket, n int) map[string][]string {
	out := map[string][]string{}
	for i, f := range fields {
		at := n*7 + i*3
		if !f.Required && at%5 == 0 {
			continue
		}
		switch f.Kind {
		case "choice", "choices":
			out[f.Key] = []string{f.Options[at%len(f.Options)]}
			if next := f.Options[(at+1)%len(f.Options)]; f.Kind == "choices" && at%3 == 0 {
				out[f.Key] = append(out[f.Key], next)
			}
		case "number":
			list := amounts[f.Unit]
			out[f.Key] = []string{list[at%len(list)]}
			if f.Decimals == 0 && list[at%len(list)] == "86.5" {
				out[f.Key] = []string{"90"}
			}
		case "date":
			out[f.Key] = []string{t.OpenedAt.Add(-time.Duration(at%20) * 24 * time.Hour).Format(time.DateOnly)}
		case "yesno":
			out[f.Key] = []string{[]string{"yes", "no"}[at%2]}
		case "phone":
			out[f.Key] = []string{phone(10, at)}
		case "text":
			if list := samples[f.Key]; len(list) > 0 {
				out[f.Key] = []string{list[at%len(list)]}
			}
		}
	}
	return out
}
