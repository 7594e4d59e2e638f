package volume

import (
	"fmt"
	"strings"
	"time"
)

// matter is a type of request: how often it comes, in which months it comes more often, who handles it, and its words.
type matter struct {
	code   string
	weight int
	months [12]int // permille of the weight; zero is 1000 all year
	units  []string
	local  bool // the street's own office may have it
	what   []string
	detail []string
}

func season(months map[time.Month]int) (m [12]int) {
	for i := range m {
		m[i] = 1000
	}
	for k, v := range months {
		m[k-1] = v
	}
	return m
}

// matters are the kinds of requests that the departments named handle.
func matters(units []string) []matter {
	known := map[string]bool{}
	for _, u := range units {
		known[u] = true
	}
	var list []matter
	for _, m := range allMatters {
		var keep []string
		for _, u := range m.units {
			if known[u] {
				keep = append(keep, u)
			}
		}
		if m.units = keep; len(keep) == 0 {
			m.units = units[:1]
		}
		list = append(list, m)
	}
	return list
}

var allMatters = []matter{
	{"010101", 60, season(map[time.Month]int{3: 1900, 9: 1700}), []string{"TZ-JXJ", "TZ-FGW", "TZ-KW"}, false, []string{"专精特新奖励怎么申报", "小微企业补贴政策咨询", "房租减免政策适用范围", "高新技术企业认定条件"}, []string{"网上说法不一，想确认最新口径", "不清楚我们这种规模能不能享受", "申报系统里找不到入口"}},
	{"010102", 34, season(map[time.Month]int{3: 2100, 9: 2000}), []string{"TZ-JXJ", "TZ-CZJ"}, false, []string{"奖励申报材料被退回", "补贴资金申报系统无法提交", "稳岗补贴申报需要哪些证明"}, []string{"系统提示附件格式不对，换了三次仍然不行", "截止日期快到了，担心来不及", "窗口说还缺一份审计报告"}},
	{"010103", 14, season(nil), []string{"TZ-CZJ", "TZ-JXJ"}, false, []string{"奖励资金迟迟没有到账", "承诺的补贴没有兑现"}, []string{"公示结束已经四个月", "电话咨询多次都说正在走流程"}},
	{"010201", 40, season(map[time.Month]int{1: 1800, 5: 1900}), []string{"TZ-SWJ"}, false, []string{"小规模纳税人减免如何计算", "研发费用加计扣除口径", "个体工商户税收优惠"}, []string{"财务说法和电子税务局提示不一致", "去年按另一种算法申报过"}},
	{"010202", 30, season(map[time.Month]int{1: 1600, 5: 1600}), []string{"TZ-SWJ"}, false, []string{"开票额度不够用", "电子发票系统报错", "纳税申报表无法保存"}, []string{"客户催着要发票", "系统一直转圈", "更换法定代表人之后就登录不上了"}},
	{"020101", 45, season(map[time.Month]int{1: 1500, 11: 1300}), []string{"TZ-JRB"}, false, []string{"年底备货需要流动资金贷款", "有订单但缺少抵押物", "想了解知识产权质押贷款"}, []string{"银行要求房产抵押，我们租的厂房", "希望能对接担保公司", "额度在一百万元左右"}},
	{"020102", 8, season(nil), []string{"TZ-JRB"}, false, []string{"银行提前收回贷款", "贷款搭售保险产品"}, []string{"合同没有到期", "不买就不放款"}},
	{"030101", 48, season(nil), []string{"TZ-SCJ", "TZ-ZWJ"}, false, []string{"变更经营范围怎么办理", "注册地址能否使用园区集中登记", "个体户转企业流程"}, []string{"窗口要求补房屋证明", "网上核名三次没有通过"}},
	{"030102", 36, season(nil), []string{"TZ-ZWJ", "TZ-SCJ", "TZ-GZF"}, false, []string{"食品经营许可证审批进度", "施工许可一直没有结果", "户外招牌审批要多久"}, []string{"受理已经超过二十天", "系统状态一直是审核中", "开业日期已经定了"}},
	{"030103", 7, season(nil), []string{"TZ-ZWJ"}, false, []string{"窗口人员答复前后不一", "同一材料反复要求补正"}, []string{"来回跑了五趟", "每次说的都不一样"}},
	{"040101", 30, season(map[time.Month]int{2: 2200, 3: 1900}), []string{"TZ-RSJ"}, true, []string{"节后招不到熟练工", "需要参加专场招聘会", "急招二十名普工"}, []string{"包吃住仍然招不满", "订单排到下个月了"}},
	{"040102", 34, season(map[time.Month]int{7: 1700}), []string{"TZ-RSJ"}, false, []string{"社保基数调整怎么补差", "员工医保断缴怎么补", "公积金账户转移"}, []string{"系统里显示欠费", "员工等着报销"}},
	{"040201", 16, season(map[time.Month]int{6: 1600, 7: 1600}), []string{"TZ-RSJ"}, false, []string{"人才公寓申请条件", "应届毕业生落户指标"}, []string{"今年准备引进三名硕士", "配租排队到哪一步了"}},
	{"050101", 62, season(map[time.Month]int{1: 2400, 11: 2200, 12: 2600, 7: 1500, 8: 1500, 4: 600, 5: 600}), []string{"TZ-CGW"}, true, []string{"厂区突然停电", "整栋楼没有暖气", "商铺停水两天", "燃气压力不足灶台打不着火"}, []string{"冷库里的货要坏了", "室内只有十二度", "没有接到任何通知", "物业说是市政管线的问题"}},
	{"050102", 20, season(nil), []string{"TZ-CGW"}, false, []string{"车间用电增容", "新厂房燃气报装", "充电桩报装"}, []string{"设备下月到货", "提交申请后一直没人上门勘察"}},
	{"050201", 18, season(nil), []string{"TZ-FGW", "TZ-GZF"}, true, []string{"寻找八百平方米厂房", "厂房租约到期需要搬迁", "想入驻产业园"}, []string{"要求能过环评", "希望离六环近一些"}},
	{"050202", 58, season(map[time.Month]int{9: 1300}), []string{"TZ-JTJ", "TZ-CGW"}, true, []string{"门口道路破损", "园区门前没有停车位", "大货车占道停放", "公交站距离园区太远"}, []string{"客户来了没有地方停车", "上周有电动车摔倒", "早晚高峰堵得厉害"}},
	{"050203", 55, season(map[time.Month]int{7: 1800, 8: 1700}), []string{"TZ-CGW"}, true, []string{"门口路灯不亮", "井盖缺失", "雨水箅子堵塞积水", "护栏被撞坏"}, []string{"晚上顾客不敢进店", "已经坏了三天", "下雨就倒灌进店里"}},
	{"060101", 15, season(nil), []string{"TZ-SCJ"}, false, []string{"同行仿冒我们的商标", "网店虚假宣传"}, []string{"包装几乎一样", "已经保留了截图和公证书"}},
	{"060102", 12, season(nil), []string{"TZ-SCJ", "TZ-FGW"}, false, []string{"物业擅自加收管理费", "协会强制收取会费"}, []string{"没有任何收费依据", "不交就断电"}},
	{"060103", 28, season(map[time.Month]int{1: 2300, 12: 1900}), []string{"TZ-JXJ", "TZ-ZJW", "TZ-SFJ"}, false, []string{"工程款拖欠一年", "货款催收无果", "质保金不退"}, []string{"合同和对账单都在", "对方一直推说领导没有签字", "工人等着发工资"}},
	{"060201", 12, season(nil), []string{"TZ-SFJ", "TZ-SCJ"}, false, []string{"一个月内被检查五次", "罚款依据没有说清"}, []string{"每次来的部门都不同", "影响正常营业"}},
	{"060202", 16, season(nil), []string{"TZ-SCJ", "TZ-FGW"}, false, []string{"如何移出经营异常名录", "行政处罚信息信用修复"}, []string{"地址已经补报", "影响投标"}},
	{"070101", 50, season(map[time.Month]int{6: 1500, 7: 1600, 8: 1500}), []string{"TZ-SHJ", "TZ-CGW"}, true, []string{"隔壁工地夜间施工", "餐饮油烟扰民", "附近堆场扬尘", "厂房异味"}, []string{"凌晨两点还在打桩", "员工宿舍没法休息", "风一吹满地灰"}},
	{"070102", 32, season(map[time.Month]int{7: 1400}), []string{"TZ-CGW"}, true, []string{"园区垃圾三天没有清运", "装修垃圾无人收", "厨余垃圾桶满溢"}, []string{"味道很大", "苍蝇多，影响食品生产"}},
	{"070201", 14, season(nil), []string{"TZ-YJJ"}, true, []string{"楼道堆放易燃物", "隔壁仓库私拉电线", "电动车飞线充电"}, []string{"我们厂里有六十名员工", "和物业反映过没有处理"}},
	{"070202", 5, season(map[time.Month]int{7: 4000, 8: 3600, 6: 2000}), []string{"TZ-YJJ", "TZ-CGW"}, true, []string{"大雨倒灌车间", "燃气管道被挖断", "围墙有倒塌危险"}, []string{"水已经没过脚踝", "人员已经撤出", "急需抽水设备"}},
	{"080101", 22, season(nil), []string{"TZ-ZWJ"}, false, []string{"企业认证一直不通过", "收不到短信验证码", "上传的附件打不开"}, []string{"换了手机也不行", "执照照片很清楚"}},
	{"080102", 6, season(nil), []string{"TZ-ZWJ"}, false, []string{"代办机构收钱不办事", "服务机构承诺与实际不符"}, []string{"合同写明十个工作日"}},
	{"080201", 14, season(nil), []string{"TZ-ZWJ", "TZ-FGW"}, false, []string{"建议延长大厅服务时间", "建议增加园区通勤班车", "建议简化年报内容"}, []string{"很多企业都有同样想法", "其他区已经有成熟做法"}},
	{"080202", 8, season(nil), []string{"TZ-ZWJ"}, true, []string{"感谢热线帮忙协调供暖", "表扬窗口工作人员"}, []string{"问题当天就解决了", "态度非常好"}},
}

var (
	impacts  = []string{"影响正常营业", "已经影响交货", "员工意见很大", "每天损失几千元", "客户投诉不断", "安全上也有隐患", "眼看就要到节假日"}
	wishes   = []string{"请尽快派人来看一下", "希望能给个明确的时间", "请协调相关部门解决", "盼回复", "希望有人联系我们说明情况", "请告知需要准备什么材料", "请依法处理"}
	spans    = []string{"昨天下午", "这两天", "从上周开始", "今天早上", "断断续续一个月", "节后以来", "半年多"}
	emojis   = []string{"🙏", "😭", "👍", "❗️", "🔥", "🙏🙏🙏", "👨‍👩‍👧", "🌧️"}
	answers  = []string{"您好，来电反映的问题已核实，", "经查，", "经现场核查，", "我单位接到诉求后立即联系了企业，"}
	outcomes = []string{"已安排维修人员到场处理，现已恢复正常。", "已督促责任单位整改，预计三个工作日内完成。", "已向企业解释现行政策，企业表示理解。", "相关材料已补齐，申报已受理，结果将短信通知。", "已协调双方达成一致，按约定时间支付。", "该事项列入本季度计划，完成后将主动告知企业。", "已现场处置，隐患消除，并加强巡查。"}
	notes    = []string{"", "", "请按时限办理", "企业反映强烈，请优先处理", "请与街道会商后答复"}
	opinions = []string{"", "", "办理及时，谢谢。", "很满意", "态度好，效率高👍", "问题解决了，但时间有点长", "希望以后能更快一些"}
)

// body writes the request: mostly two to five sentences, a few one line, one in a hundred as long as people can write.
func (g *Generator) body(m matter, place, what string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s，%s%s。", pick(g, spans), place, what)
	if !g.chance(18) {
		first := g.rand.IntN(len(m.detail))
		for i := range g.between(1, len(m.detail)) {
			b.WriteString(m.detail[(first+i)%len(m.detail)] + "，" + pick(g, impacts) + "。")
		}
		b.WriteString(pick(g, wishes) + "。")
	}
	if g.chance(1) {
		for i := range g.between(12, 26) {
			fmt.Fprintf(&b, "\n%d. %d月%d日%d时，%s，%s；%s，%s。", i+1, g.between(1, 12), g.between(1, 28), g.between(8, 20), g.place(), pick(g, m.what), pick(g, m.detail), pick(g, impacts))
		}
	}
	if g.chance(3) {
		b.WriteString(pick(g, emojis))
	}
	return b.String()
}

func (g *Generator) matter(at time.Time) matter {
	month := at.Add(8*time.Hour).Month() - 1
	total := 0
	for _, m := range g.matters {
		total += m.weight * m.months[month]
	}
	n := g.rand.IntN(total)
	for _, m := range g.matters {
		if n -= m.weight * m.months[month]; n < 0 {
			return m
		}
	}
	return g.matters[0]
}

// tell makes the ticket that came in at the moment, with all that happened to it until now.
func (g *Generator) tell(at time.Time) *Ticket {
	m := g.matter(at)
	what, road := pick(g, m.what), pick(g, roads)
	t := &Ticket{At: at, Type: m.code, Title: what, Body: g.body(m, road+g.number(), what), Company: g.company(), Agent: g.rand.IntN(g.o.Agents)}
	if g.chance(60) {
		t.Title = road + what
	}
	switch g.weighted([]int{44, 18, 38}) {
	case 0:
		t.Channel = "h5"
	case 1:
		t.Channel = "portal"
	default:
		t.Channel, t.Name, t.Phone = "agent", g.name(), Phone(3_000_000+g.rand.IntN(200_000))
		if g.chance(30) {
			t.Company = -1
		}
	}
	g.lifeOf(t, m)
	return t
}

func (g *Generator) lifeOf(t *Ticket, m matter) {
	last := t.At
	agent := g.rand.IntN(g.o.Agents)
	step := func(lo, hi time.Duration, s Step) bool {
		last = g.later(last, lo, hi)
		if last.After(g.o.Until) {
			return false
		}
		s.At = last
		t.Steps = append(t.Steps, s)
		return true
	}
	const day = 24 * time.Hour
	rate := func() {
		if t.Channel != "agent" && g.chance(72) || t.Channel == "agent" && t.Company >= 0 && g.chance(15) {
			step(10*time.Minute, 5*day, Step{Action: "rate", Rating: g.weighted([]int{0, 3, 3, 8, 24, 62}), Text: pick(g, opinions)})
		}
	}
	switch g.weighted([]int{11, 2, 2, 85}) {
	case 0:
		if step(3*time.Minute, 8*time.Hour, Step{Action: "answer", Actor: agent, Text: pick(g, answers) + pick(g, outcomes)}) && step(time.Hour, day, Step{Action: "close", Actor: agent}) {
			rate()
		}
		return
	case 1:
		step(10*time.Minute, day, Step{Action: "decline", Actor: agent, Text: "该事项已进入诉讼程序，请通过人民法院解决。"})
		return
	case 2:
		step(10*time.Minute, 5*time.Hour, Step{Action: "void", Actor: agent, Text: pick(g, []string{"与同一事项的工单重复", "企业来电撤回"})})
		return
	}
	unit := pick(g, m.units)
	if m.local && g.chance(45) {
		unit = pick(g, g.streets).unit
	}
	if !step(2*time.Minute, 5*time.Hour, Step{Action: "dispatch", Actor: agent, Unit: unit, Text: pick(g, notes)}) {
		return
	}
	for again := 0; ; again++ {
		if !step(10*time.Minute, day, Step{Action: "sign", Unit: unit}) || !step(2*time.Hour, 8*day, Step{Action: "reply", Unit: unit, Text: pick(g, answers) + what(t) + "一事，" + pick(g, outcomes)}) {
			return
		}
		caller := g.rand.IntN(g.o.Agents)
		for range g.weighted([]int{60, 30, 10}) {
			if !step(2*time.Hour, 2*day, Step{Action: "callback", Actor: caller, Called: true, Text: pick(g, []string{"电话无人接听", "占线，稍后再拨", "关机"})}) {
				return
			}
		}
		if again == 0 && g.chance(8) {
			if !step(time.Hour, 2*day, Step{Action: "reopen", Actor: caller, Text: "企业表示问题没有解决，请继续办理"}) {
				return
			}
			continue
		}
		s := Step{Action: "close", Actor: caller, Called: true, Contacted: true, Solved: true, Satisfied: true}
		if g.chance(9) {
			s.Solved, s.Satisfied, s.Text = g.chance(50), false, pick(g, []string{"企业认为时间过长", "部分诉求受政策限制，已解释"})
		} else if g.chance(3) {
			s.Contacted, s.Text = false, "三次拨打均未接通，已短信告知结果"
		}
		if step(time.Hour, 2*day, s) {
			rate()
		}
		return
	}
}

func what(t *Ticket) string { return "关于" + t.Title }
