package page_test

import (
	"html/template"
	"strconv"
	"testing"
	"time"

	"os"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/web/page"
)

// now is where the clock of every sample stands: 22 November 2026, 14:05 in Beijing.
var now = time.Date(2026, 11, 22, 6, 5, 0, 0, time.UTC)

func day(n int) time.Time { return now.Add(time.Duration(n) * 24 * time.Hour) }

func options() page.Options {
	return page.Options{
		District: "滨江示范区",
		Demo:     true,
		Clock:    clock.NewFake(now),
		Site: page.SiteInfo{
			Name: "惠企台", Domain: "huiqi.example.cn", Host: "滨江示范区人民政府〔演示〕", Organizer: "滨江示范区企业服务中心〔演示〕",
			Contact: "0000-12345", Address: "滨江示范区政务服务大厦〔演示〕", ServiceHours: "工作日 9:00–17:30",
			ICP: "演ICP备00000000号-1", PoliceRecord: "演公网安备 00000000000000号", IDCode: "0000000000",
		},
		Links: page.Links{
			Search: "/search", Elder: "/elder", Accessibility: "/accessibility", Login: "/login", Register: "/register", Logout: "/logout",
			Me: "/me", Messages: "/me/messages", SiteMap: "/sitemap", Correction: "/correction", Help: "/help", Privacy: "/privacy",
		},
		Nav: []page.NavItem{
			{Key: "home", Text: "首页", URL: "/"}, {Key: "policy", Text: "政策", URL: "/policies"}, {Key: "product", Text: "服务产品", URL: "/products"},
			{Key: "finance", Text: "融资", URL: "/finance"}, {Key: "need", Text: "需求大厅", URL: "/needs"}, {Key: "event", Text: "活动培训", URL: "/events"},
			{Key: "news", Text: "资讯", URL: "/news"}, {Key: "ticket", Text: "诉求与帮助", URL: "/tickets"}, {Key: "me", Text: "我的", URL: "/me"},
		},
		Me: []page.NavItem{
			{Key: "cases", Text: "我的办件", URL: "/me/cases", Icon: "folder"}, {Key: "messages", Text: "消息", URL: "/me/messages", Icon: "mail"},
			{Key: "company", Text: "企业信息", URL: "/me/company", Icon: "building"}, {Key: "members", Text: "成员", URL: "/me/members", Icon: "people"},
			{Key: "favourites", Text: "收藏", URL: "/me/favourites", Icon: "star"}, {Key: "evaluations", Text: "评价", URL: "/me/evaluations", Icon: "pencil"},
		},
	}
}

func mustRenderer(t *testing.T) *page.Renderer {
	t.Helper()
	r, err := page.New(options())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Parse("sample", os.DirFS("testdata/sample")); err != nil {
		t.Fatal(err)
	}
	return r
}

func user() *page.User {
	return &page.User{Name: "陈晓岚", Company: "青禾精密制造有限公司〔演示〕", Verification: page.Tag{Text: "已认证", Tone: page.Success}, Unread: 3}
}

func policies() []page.PolicyCard {
	return []page.PolicyCard{
		{
			URL: "/policies/1", Title: "关于支持中小企业数字化转型的若干措施〔演示〕", Level: "区级", Department: "区工业和信息化局", Labels: []string{"数字化", "制造业"},
			Support: "最高补助 50 万元", PubDate: day(-3), Deadline: day(9), Status: page.Tag{Text: "申报中", Tone: page.Success},
			Summary: "对实施生产线改造、上云用数的规模以上制造业企业，按项目实际投入的 30% 给予补助。",
		},
		{
			URL: "/policies/2", Title: "科技型企业研发投入后补助实施细则〔演示〕", Level: "市级", Department: "市科学技术局", Labels: []string{"科技创新"},
			Support: "按研发费用增量 10%", PubDate: day(-6), Deadline: day(40), Status: page.Tag{Text: "申报中", Tone: page.Success},
			Summary: "上一年度研发费用达到 100 万元，且比前一年增长的企业可以申报。",
		},
		{
			URL: "/policies/3", Title: "小微企业稳岗返还〔演示〕", Level: "省级", Department: "省人力资源和社会保障厅", Labels: []string{"就业"},
			PubDate: day(-20), Status: page.Tag{Text: "免申即享", Tone: page.Info}, Summary: "不裁员或少裁员的参保企业，按上年度实缴失业保险费的 60% 返还。",
		},
	}
}

func products() []page.ProductCard {
	return []page.ProductCard{
		{URL: "/products/1", Title: "科创信用贷〔演示〕", Institution: "示范银行滨江支行", Icon: "finance", Kind: "融资", Summary: "面向有知识产权的科技企业，无需抵押。", Facts: []page.Fact{{Label: "年利率", Value: page.Rate(385) + " 起", Strong: true}, {Label: "最高额度", Value: page.Money(500_000_000)}, {Label: "期限", Value: "36 个月"}}},
		{URL: "/products/2", Title: "代理记账与报税〔演示〕", Institution: "明账财税服务所", Icon: "tax", Kind: "财税", Summary: "小规模纳税人按月记账、报税，含年度汇算清缴。", Facts: []page.Fact{{Label: "价格", Value: page.Money(20_000) + "/月", Strong: true}, {Label: "办理", Value: "2 个工作日"}, {Label: "好评", Value: "98%"}}, Status: page.Tag{Text: "可用服务券", Tone: page.Info}},
		{URL: "/products/3", Title: "商标注册一站办〔演示〕", Institution: "知衡知识产权代理公司", Icon: "ip", Kind: "知识产权", Summary: "近似查询、材料准备、递交和进度跟踪。", Facts: []page.Fact{{Label: "价格", Value: page.Money(80_000) + "/件", Strong: true}, {Label: "办理", Value: "5 个工作日"}, {Label: "好评", Value: "96%"}}},
	}
}

type homePage struct {
	Banner                                                      page.Banner
	Kinds                                                       []page.ServiceKind
	PolicyHead, NoticeHead, EventHead, ProductHead, PartnerHead page.SectionHead
	Policies                                                    []page.PolicyCard
	Products                                                    []page.ProductCard
	Notices                                                     []page.Notice
	Events                                                      []page.EventCard
	Figures                                                     []page.Figure
	Partners                                                    []page.Partner
}

type listPage struct {
	Filters  page.Filters
	Bar      page.ListBar
	Policies []page.PolicyCard
	Pager    page.Pager
	Empty    page.Empty
}

type detailPage struct {
	Head    page.DetailHead
	Body    template.HTML
	Facts   page.Facts
	Files   page.FileList
	Related []page.Link
	Apply   page.ApplyBar
}

type formPage struct {
	Errors                                                 page.ErrorSummary
	Kind, Title, Text, Area, Amount, Answer, File, Consent page.Field
	Captcha                                                page.Captcha
}

type loginPage struct {
	Tabs                 []page.Link
	Errors               page.ErrorSummary
	Phone, Code, Consent page.Field
	Captcha              page.Captcha
}

type mePage struct {
	Title    string
	Status   page.Tag
	Facts    page.Facts
	Timeline page.Timeline
	Messages []page.ItemCard
	Pager    page.Pager
	Empty    page.Empty
}

type sample struct {
	file string
	name string
	view page.View
	data any
}

func samples() []sample {
	captcha := page.Captcha{ID: "c1", ImageURL: page.AssetPath("empty.svg"), AudioURL: "/captchas/c1.wav", RefreshURL: "/login?captcha=new"}
	bad := captcha
	bad.Error = "图形验证码不正确，请重新输入"
	home := sample{"home", "sample/home", page.View{Active: "home", Path: "/", Description: "政策、融资、服务和诉求，一个平台办理"}, homePage{
		Banner: page.Banner{Title: "惠企政策一站通 企业服务马上办", Text: "找政策、找服务、找资金、提诉求，都在这里", Quick: page.QuickMatch{
			Action: "/policies/match", Placeholder: "例如：我是 30 人的制造业企业，想做数字化改造",
			Examples: []page.Link{{Text: "研发补助", URL: "/policies/match?q=1"}, {Text: "稳岗返还", URL: "/policies/match?q=2"}, {Text: "首次上规模奖励", URL: "/policies/match?q=3"}},
		}},
		Kinds: []page.ServiceKind{
			{Icon: "finance", Name: "融资服务", Note: "贷款、担保、股权", URL: "/products?kind=finance"}, {Icon: "law", Name: "法律服务", Note: "合同、用工、纠纷", URL: "/products?kind=law"},
			{Icon: "tax", Name: "财税服务", Note: "记账、报税、审计", URL: "/products?kind=tax"}, {Icon: "people", Name: "人力招聘", Note: "招聘、社保、培训", URL: "/products?kind=people"},
			{Icon: "ip", Name: "知识产权", Note: "专利、商标、版权", URL: "/products?kind=ip"}, {Icon: "certificate", Name: "资质认证", Note: "体系、产品、许可", URL: "/products?kind=certificate"},
			{Icon: "science", Name: "科技创新", Note: "研发、检测、转化", URL: "/products?kind=science"}, {Icon: "digital", Name: "数字化", Note: "上云、改造、软件", URL: "/products?kind=digital"},
		},
		PolicyHead:  page.SectionHead{Title: "最新政策", More: page.Link{Text: "全部政策", URL: "/policies"}},
		NoticeHead:  page.SectionHead{Title: "通知公告", More: page.Link{Text: "更多", URL: "/news"}},
		EventHead:   page.SectionHead{Title: "活动培训", More: page.Link{Text: "更多", URL: "/events"}},
		ProductHead: page.SectionHead{Title: "热门服务产品", Note: "由审核通过的机构提供", More: page.Link{Text: "全部产品", URL: "/products"}},
		PartnerHead: page.SectionHead{Title: "合作机构", More: page.Link{Text: "全部机构", URL: "/institutions"}},
		Policies:    policies(), Products: products(),
		Notices: []page.Notice{
			{Title: "关于系统升级期间暂停在线申报的通知〔演示〕", URL: "/news/1", When: now.Add(-3 * time.Hour), Label: "通知", New: true},
			{Title: "第四季度助企活动安排〔演示〕", URL: "/news/2", When: day(-2)},
			{Title: "2026 年度优秀服务机构名单公示〔演示〕", URL: "/news/3", When: day(-5), Label: "公示"},
		},
		Events: []page.EventCard{
			{Title: "数字化转型政策宣讲会〔演示〕", URL: "/events/1", Start: day(6), Place: "政务服务中心 3 楼", Status: page.Tag{Text: "报名中", Tone: page.Success}},
			{Title: "小微企业融资对接会〔演示〕", URL: "/events/2", Start: day(13), Place: "产业园路演厅", Status: page.Tag{Text: "即将满员", Tone: page.Warning}},
		},
		Figures:  []page.Figure{{Value: "12,640", Unit: "家", Label: "注册企业"}, {Value: "318", Unit: "家", Label: "服务机构"}, {Value: "1,052", Unit: "项", Label: "惠企政策"}, {Value: "97.6", Unit: "%", Label: "诉求满意率"}},
		Partners: []page.Partner{{Name: "示范银行滨江支行", URL: "/institutions/1", Kind: "金融机构"}, {Name: "明账财税服务所", URL: "/institutions/2", Kind: "财税服务"}, {Name: "衡正律师事务所", URL: "/institutions/3", Kind: "法律服务"}, {Name: "知衡知识产权代理公司", Kind: "知识产权"}},
	}}
	list := sample{"list", "sample/list", page.View{
		Title: "政策库", Active: "policy", Path: "/policies?level=district&page=7", Query: "数字化", User: user(), CSRF: "token", Breadcrumb: []page.Crumb{{Text: "政策"}},
		Meta: page.Meta{ColumnName: "政策", ColumnType: "政策文件"},
	}, listPage{
		Filters: page.Filters{
			Groups: []page.FilterGroup{
				{Label: "级别", Options: []page.Link{{Text: "不限", URL: "/policies"}, {Text: "国家级", URL: "/policies?level=nation"}, {Text: "省级", URL: "/policies?level=province"}, {Text: "市级", URL: "/policies?level=city"}, {Text: "区级", URL: "/policies?level=district", Current: true}}},
				{Label: "主题", Options: []page.Link{{Text: "不限", URL: "/policies", Current: true}, {Text: "资金补助", URL: "/policies?t=1"}, {Text: "人才就业", URL: "/policies?t=2"}, {Text: "科技创新", URL: "/policies?t=3"}, {Text: "数字化", URL: "/policies?t=4"}}},
			},
			Chips: []page.Chip{{Text: "区级", Remove: "/policies"}}, Clear: "/policies",
		},
		Bar:      page.ListBar{Count: 1001, Unit: "项政策", Query: "数字化", Sorts: []page.Link{{Text: "最新发布", URL: "/policies?s=new", Current: true}, {Text: "即将截止", URL: "/policies?s=due"}, {Text: "最相关", URL: "/policies?s=best"}}},
		Policies: highlighted(policies(), "数字化"),
		Pager:    page.NewPager(7, 101, func(n int) string { return "/policies?page=" + strconv.Itoa(n) }),
	}}
	empty := list
	empty.file = "list-empty"
	empty.data = listPage{Filters: page.Filters{Chips: []page.Chip{{Text: "国家级", Remove: "/policies"}}, Clear: "/policies"}, Bar: page.ListBar{Query: "量子"}, Empty: page.Empty{Title: "没有符合条件的政策", Text: "可以减少筛选条件，或订阅后等新政策发布时通知您。", Action: page.Link{Text: "清除筛选条件", URL: "/policies"}}}
	detail := sample{"detail", "sample/detail", page.View{
		Title: "关于支持中小企业数字化转型的若干措施", Active: "policy", Path: "/policies/1", Breadcrumb: []page.Crumb{{Text: "政策", URL: "/policies"}, {Text: "正文"}},
		Meta: page.Meta{ColumnName: "政策", ArticleTitle: "关于支持中小企业数字化转型的若干措施", PubDate: "2026-11-19 14:05", ContentSource: "区工业和信息化局"},
	}, detailPage{
		Head: page.DetailHead{Title: "关于支持中小企业数字化转型的若干措施〔演示〕", Status: page.Tag{Text: "申报中", Tone: page.Success}, Source: "区工业和信息化局", PubDate: day(-3), Labels: []string{"数字化", "制造业"},
			Facts: []page.Fact{{Label: "最高补助", Value: page.Money(50_000_000), Strong: true}, {Label: "申报截止", Value: page.Date(day(9))}, {Label: "级别", Value: "区级"}, {Label: "咨询电话", Value: "0000-12345"}}},
		Body:    "<h2>一、支持对象</h2><p>在本区登记注册、正常经营一年以上的中小制造业企业。企业应当建立财务制度，近两年没有重大违法记录。</p><h2>二、支持标准</h2><p>对生产线数字化改造、设备联网和软件采购，按实际投入的 30% 补助，每家企业每年最高 50 万元。同一项目不重复享受。</p>",
		Facts:   page.Facts{Caption: "申报要点", Items: []page.Fact{{Label: "适用行业", Value: "制造业"}, {Label: "企业规模", Value: "中型、小型、微型"}, {Label: "办理方式", Value: "线上申报，审核后拨付"}, {Label: "原文", Value: "查看发布页", URL: "https://www.example.cn/1"}}},
		Files:   page.FileList{Title: "附件", Files: []page.File{{Name: "申报表.docx", URL: "/api/files/1", Size: 38_400}, {Name: "投入明细样表.xlsx", URL: "/api/files/2", Size: 1_530_000}}},
		Related: []page.Link{{Text: "科技型企业研发投入后补助实施细则", URL: "/policies/2"}, {Text: "小微企业稳岗返还", URL: "/policies/3"}},
		Apply:   page.ApplyBar{Title: "距申报截止还有 9 天", Note: "申报前请准备好营业执照和投入明细", Primary: page.Link{Text: "开始申报", URL: "/policies/1/apply"}, Secondary: []page.Link{{Text: "收藏", URL: "/policies/1/favourite"}, {Text: "看我是否符合", URL: "/policies/1/match"}}},
	}}
	form := sample{"form", "sample/form", page.View{Title: "提交诉求", Active: "ticket", Path: "/tickets/new", User: user(), CSRF: "token", Breadcrumb: []page.Crumb{{Text: "诉求与帮助", URL: "/tickets"}, {Text: "提交诉求"}}}, formPage{
		Errors:  page.ErrorSummary{Items: []page.FieldError{{Field: "title", Message: "请填写诉求标题"}, {Field: "amount", Message: "涉及金额应为数字"}, {Field: "captchaAnswer", Message: bad.Error}}},
		Kind:    page.Field{Name: "kind", Label: "诉求类型", Required: true, Options: []page.Option{{Value: "ask", Text: "咨询", Hint: "政策、流程、材料"}, {Value: "help", Text: "求助", Hint: "经营中遇到的困难", Chosen: true}, {Value: "complain", Text: "投诉"}}},
		Title:   page.Field{Name: "title", Label: "标题", Required: true, Hint: "一句话说明要解决的事，不超过 50 字", Error: "请填写诉求标题", MaxLength: 50},
		Text:    page.Field{Name: "text", Label: "具体情况", Required: true, Value: "厂区门口道路施工，货车进不来。\n希望协调临时通道。", Rows: 5, MaxLength: 2000},
		Area:    page.Field{Name: "area", Label: "所在街道", Required: true, Options: []page.Option{{Value: "1", Text: "江湾街道", Chosen: true}, {Value: "2", Text: "云桥街道"}}},
		Amount:  page.Field{Name: "amount", Label: "涉及金额", Value: "十万", Unit: "万元", InputMode: "decimal", Error: "涉及金额应为数字"},
		Answer:  page.Field{Name: "answer", Label: "希望怎样回复", Options: []page.Option{{Value: "sms", Text: "短信", Chosen: true}, {Value: "phone", Text: "电话"}}},
		File:    page.Field{Name: "file", Label: "证明材料", Hint: "图片或 PDF，每个不超过 10 MB", Accept: ".jpg,.png,.pdf", Multiple: true, Files: []page.File{{Name: "现场照片.jpg", URL: "/api/files/3", Size: 820_000}}},
		Captcha: bad,
		Consent: page.Field{Name: "consent", Label: "我已阅读并同意", Required: true, Value: "1", Link: page.Link{Text: "《个人信息保护说明》", URL: "/privacy"}},
	}}
	login := sample{"login", "sample/login", page.View{Title: "登录", Path: "/login", CSRF: "token", NoIndex: true, Flash: page.Flash{Tone: page.Success, Text: "验证码已发送至 " + page.MaskPhone("13800005678")}}, loginPage{
		Tabs:  []page.Link{{Text: "短信登录", URL: "/login", Current: true}, {Text: "密码登录", URL: "/login?by=password"}, {Text: "微信扫码", URL: "/login?by=wechat"}},
		Phone: page.Field{Name: "phone", Label: "手机号", Required: true, Type: "tel", Value: "13800005678", Autocomplete: "tel", MaxLength: 11}, Captcha: captcha,
		Code:    page.Field{Name: "code", Label: "短信验证码", Required: true, Wait: 42},
		Consent: page.Field{Name: "consent", Label: "我已阅读并同意", Required: true, Link: page.Link{Text: "《个人信息保护说明》", URL: "/privacy"}},
	}}
	me := sample{"me", "sample/me", page.View{Title: "办件详情", Active: "me", ActiveMe: "cases", Path: "/me/cases/1", User: user(), CSRF: "token", NoIndex: true, Breadcrumb: []page.Crumb{{Text: "我的", URL: "/me"}, {Text: "办件详情"}}}, mePage{
		Title: "科创信用贷申请", Status: page.Tag{Text: "办理中", Tone: page.Info, Icon: "clock"},
		Facts: page.Facts{Caption: "申请信息", Items: []page.Fact{{Label: "申请编号", Value: "SQ20261120000017"}, {Label: "申请金额", Value: page.Money(200_000_000), Strong: true}, {Label: "受理机构", Value: "示范银行滨江支行", URL: "/institutions/1"}}},
		Timeline: page.Timeline{Steps: []page.Step{
			{Title: "等待放款", State: page.StepPending},
			{Title: "尽职调查", Who: "示范银行 · 李经理", When: now.Add(-2 * time.Hour), State: page.StepCurrent, Text: "已预约 11月24日 上午上门，\n请准备近两年的财务报表。"},
			{Title: "材料退回补充", Who: "示范银行 · 李经理", When: day(-1), State: page.StepFailed, Text: "缺少法定代表人身份证背面。", Files: []page.File{{Name: "补充说明.pdf", URL: "/api/files/4", Size: 52_000}}},
			{Title: "提交申请", Who: "陈晓岚", When: day(-2)},
		}},
		Messages: []page.ItemCard{{URL: "/me/messages/1", Title: "您的申请进入尽职调查", Summary: "示范银行已预约上门时间。", Meta: []string{"2 小时前", "申请进度"}, Unread: true}, {URL: "/me/messages/2", Title: "政策截止提醒", Meta: []string{"2026年11月20日 09:00"}, Status: page.Tag{Text: "加急", Tone: page.Urgent}}},
		Pager:    page.NewCursorPager("/me/messages", "/me/messages?cursor=abc"),
		Empty:    page.Empty{Title: "还没有收藏", Text: "在政策或产品页面点“收藏”，之后可以在这里找到。", Action: page.Link{Text: "去看政策", URL: "/policies"}},
	}}
	elder := home
	elder.file = "home-elder"
	elder.view.ElderMode = true
	elderForm := login
	elderForm.file = "login-elder"
	elderForm.view.ElderMode = true
	return []sample{home, list, empty, detail, form, login, me, elder, elderForm}
}

func highlighted(cards []page.PolicyCard, query string) []page.PolicyCard {
	for i := range cards {
		cards[i].Query = query
	}
	return cards
}
