package message

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/huiqi/huiqi/platform/text"
)

// Group is what a person can switch off together.
type Group string

// The groups. Codes are no notices and cannot be switched off.
const (
	Applications Group = "application"
	Tickets      Group = "ticket"
	Enterprises  Group = "enterprise"
	Products     Group = "product"
	Exchanges    Group = "exchange"
	Uploads      Group = "file"
	Operations   Group = "operations"
	Policies     Group = "policy"
	Evaluations  Group = "evaluation"
	Demands      Group = "demand"
	Codes        Group = "code"
)

// groups are all groups with their word, in the order in which they are shown.
var groups = []struct {
	group Group
	label string
}{
	{Applications, "申请进度"}, {Tickets, "诉求进度"}, {Enterprises, "企业认证"}, {Policies, "政策推送与订阅"}, {Evaluations, "服务评价与沟通"}, {Demands, "需求与报价"}, {Products, "产品审核"}, {Exchanges, "数据回流"}, {Uploads, "文件安全"}, {Operations, "系统运行"}, {Codes, "验证码"},
}

// Label is the Chinese word of the group.
func (g Group) Label() string {
	for _, x := range groups {
		if x.group == g {
			return x.label
		}
	}
	return ""
}

// Template is one kind of notice. Patterns take values as {name}; {time} is when the fact happened.
type Template struct {
	Code   string // kept in rows for good: "application.accepted"
	Group  Group
	Title  string
	Text   string
	Urgent bool // its text message may come at night
	SMS    *SMSForm
	Wechat *WechatForm
}

// SMSForm is a template as a text message.
type SMSForm struct {
	Name   string            // our name of the provider's template; see SMSTexts
	Params map[string]string // the provider's parameter → pattern
}

// WechatForm is a template as a WeChat message.
type WechatForm struct {
	Name   string            // our name of the provider's template; see WechatLayouts
	Values map[string]string // the field's key → pattern
}

// SMSTexts are the texts to have approved by the provider, by our name. What the portal or a person typed never stands in
// them, but for a product's reviewed name.
func SMSTexts() map[string]string {
	return map[string]string{
		"code":                    "您的验证码是 ${code}，5 分钟内有效。请勿告诉他人。",
		"application_progress":    "您申请的“${product}”${status}，申请编号 ${number}，请登录惠企台查看详情。",
		"ticket_progress":         "您的诉求 ${number} ${status}，请登录惠企台查看详情。",
		"ticket_urgent":           "工单 ${number} ${status}，请立即登录惠企台办理。",
		"ticket_received":         "您的诉求已受理，流水号 ${number}，查询码 ${code}，可在惠企台“诉求进度查询”中查看进度。请勿告诉他人。",
		"enterprise_verification": "您的企业认证${status}，请登录惠企台查看详情。",
		"ticket_judge":            "您的诉求 ${number} 已有办理结果，请于 7 日内打开 ${site}/j/${code} 评价，无需登录；也可等候电话回访。",
		"offline_confirm":         "${name}登记了为贵企业提供的线下服务，请于 7 日内打开 ${site}/o/${code} 核对确认，无需登录；不属实请选“不是我”。",
		"service_evaluate":        "您办理的“${product}”服务已结束，请于 14 日内打开 ${site}/e/${code} 评价，无需登录。",
		"demand_progress":         "您的需求 ${number} ${status}，请登录惠企台查看详情。",
		"demand_offer":            "企业需求 ${number} ${status}，请登录惠企台“需求大厅”查看。",
		"policy_push":             "贵企业有新的惠企政策信息：${title}，请登录惠企台查看。如不再需要，可在企业授权中取消。",
		"system_alarm":            "系统巡检：${item}${status}，请登录惠企台查看处理。",
	}
}

// WechatField is one line of a WeChat message as WeChat approves it.
type WechatField struct{ Key, Label string }

// WechatLayout is a WeChat message as WeChat approves it.
type WechatLayout struct {
	Title  string
	Fields []WechatField
}

// WechatLayouts are the messages to have approved by WeChat, by our name.
func WechatLayouts() map[string]WechatLayout {
	return map[string]WechatLayout{
		"application_progress": {Title: "申请进度通知", Fields: []WechatField{
			{"thing1", "申请事项"}, {"character_string2", "申请编号"}, {"phrase3", "当前进度"}, {"time4", "更新时间"}, {"thing5", "说明"}}},
		"ticket_progress": {Title: "诉求办理通知", Fields: []WechatField{
			{"thing1", "诉求事项"}, {"character_string2", "诉求编号"}, {"phrase3", "当前进度"}, {"time4", "更新时间"}, {"thing5", "说明"}}},
		"demand_progress": {Title: "需求进度通知", Fields: []WechatField{
			{"thing1", "需求事项"}, {"character_string2", "需求编号"}, {"phrase3", "当前进度"}, {"time4", "更新时间"}, {"thing5", "说明"}}},
		"enterprise_verification": {Title: "企业认证结果通知", Fields: []WechatField{
			{"thing1", "企业名称"}, {"phrase2", "认证结果"}, {"time3", "完成时间"}, {"thing4", "说明"}}},
	}
}

// SMSNames are our names of the provider's templates, sorted.
func SMSNames() []string { return sorted(SMSTexts()) }

// WechatNames are our names of WeChat's templates, sorted.
func WechatNames() []string { return sorted(WechatLayouts()) }

func sorted[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// CodeTemplate is the template of verification codes, sent by Text.
const CodeTemplate = "code"

// ReceiptTemplate is the template of the number and query code of a request, sent by Text to a caller without an account.
const ReceiptTemplate = "ticket.receipt"

// JudgeTemplate is the template of the link with which a requester without an account judges a reply, sent by Text.
const JudgeTemplate = "ticket.judge"

// OfflineTemplate is the template of the link with which a company confirms a service given without the platform, sent by Text.
const OfflineTemplate = "offline.confirm"

// EvaluateTemplate is the template of the link with which a service that ended is evaluated, sent by Text.
const EvaluateTemplate = "evaluation.remind"

func onApplication(status, phrase, note string) (*SMSForm, *WechatForm) {
	return &SMSForm{"application_progress", map[string]string{"product": "{productName}", "number": "{number}", "status": status}},
		&WechatForm{"application_progress", map[string]string{
			"thing1": "{productName}", "character_string2": "{number}", "phrase3": phrase, "time4": "{time}", "thing5": note}}
}

func onTalk(status, phrase, note string) (*SMSForm, *WechatForm) {
	return &SMSForm{"application_progress", map[string]string{"product": "{title}", "number": "{number}", "status": status}},
		&WechatForm{"application_progress", map[string]string{
			"thing1": "{title}", "character_string2": "{number}", "phrase3": phrase, "time4": "{time}", "thing5": note}}
}

func onDemand(status, phrase, note string) (*SMSForm, *WechatForm) {
	return &SMSForm{"demand_progress", map[string]string{"number": "{number}", "status": status}},
		&WechatForm{"demand_progress", map[string]string{
			"thing1": "{title}", "character_string2": "{number}", "phrase3": phrase, "time4": "{time}", "thing5": note}}
}

// onOffer is onDemand for an institution.
func onOffer(status, phrase, note string) (*SMSForm, *WechatForm) {
	sms, wechat := onDemand(status, phrase, note)
	sms.Name = "demand_offer"
	return sms, wechat
}

func onTicket(status, phrase, note string) (*SMSForm, *WechatForm) {
	return &SMSForm{"ticket_progress", map[string]string{"number": "{number}", "status": status}},
		&WechatForm{"ticket_progress", map[string]string{
			"thing1": "{title}", "character_string2": "{number}", "phrase3": phrase, "time4": "{time}", "thing5": note}}
}

// onUrgent is onTicket for whoever works on it.
func onUrgent(status, phrase, note string) (*SMSForm, *WechatForm) {
	sms, wechat := onTicket(status, phrase, note)
	sms.Name = "ticket_urgent"
	return sms, wechat
}

func onVerification(status, phrase, note string) (*SMSForm, *WechatForm) {
	return &SMSForm{"enterprise_verification", map[string]string{"status": status}},
		&WechatForm{"enterprise_verification", map[string]string{"thing1": "{name}", "phrase2": phrase, "time3": "{time}", "thing4": note}}
}

// Templates lists every kind of notice.
func Templates() []Template { return slices.Clone(table) }

var table = templates()

// form makes both outside forms of a template.
type form func(status, phrase, note string) (*SMSForm, *WechatForm)

func templates() []Template {
	of := func(g Group) func(code, title, text string) Template {
		return func(code, title, text string) Template {
			return Template{Code: string(g) + "." + code, Group: g, Title: title, Text: text}
		}
	}
	l, v, d := of(Policies), of(Evaluations), of(Demands)
	a, t, e, p, x := of(Applications), of(Tickets), of(Enterprises), of(Products), of(Exchanges)
	j := func(code, title, text string) Template {
		return Template{Code: "enterprise_join." + code, Group: Enterprises, Title: title, Text: text}
	}
	with := func(t Template, f form, status, phrase, note string) Template {
		t.SMS, t.Wechat = f(status, phrase, note)
		return t
	}
	alarm := func(code, title, text, status string) Template { // somebody is on duty at night as well
		return Template{Code: "operations." + code, Group: Operations, Title: title, Text: text, Urgent: true,
			SMS: &SMSForm{"system_alarm", map[string]string{"item": "{item}", "status": status}}}
	}
	light := func(t Template, f form, phrase, note string) Template { // too small a step for a text message
		_, t.Wechat = f("", phrase, note)
		return t
	}
	night := func(t Template) Template { // harm does not wait for the morning
		t.Urgent = true
		return t
	}
	return []Template{
		{Code: CodeTemplate, Group: Codes, Title: "验证码", Urgent: true, SMS: &SMSForm{"code", map[string]string{"code": "{code}"}}},
		{Code: ReceiptTemplate, Group: Codes, Title: "诉求受理通知", SMS: &SMSForm{"ticket_received", map[string]string{"number": "{number}", "code": "{code}"}}},
		{Code: JudgeTemplate, Group: Codes, Title: "办理结果评价链接", SMS: &SMSForm{"ticket_judge", map[string]string{"number": "{number}", "site": "{site}", "code": "{code}"}}},

		with(a("accepted", "申请已受理", "{institutionName}已受理您的申请“{productName}”（{number}），后续进度会继续通知您。{note}"),
			onApplication, "已受理", "已受理", "{institutionName}已受理"),
		with(a("declined", "申请未通过", "您的申请“{productName}”（{number}）未通过。原因：{reason}"), onApplication, "未通过", "未通过", "{reason}"),
		with(a("supplement_asked", "请补充申请材料", "您的申请“{productName}”（{number}）需要补充材料：{reason}。请打开申请详情，补充后重新提交。"),
			onApplication, "需要补充材料", "待补正", "{reason}"),
		light(a("progressed", "申请有新进展", "您的申请“{productName}”（{number}）有新进展：{note}"), onApplication, "办理中", "{note}"),
		with(a("approved", "申请审批通过", "您的申请“{productName}”（{number}）已审批通过。{note}"), onApplication, "已审批通过", "已审批", "{institutionName}已审批通过"),
		with(a("disbursed", "申请已放款", "您的申请“{productName}”（{number}）已放款。{note}"), onApplication, "已放款", "已放款", "{institutionName}已放款"),
		with(a("completed", "申请已办结", "您的申请“{productName}”（{number}）已办结。{note}"), onApplication, "已办结", "已办结", "{institutionName}已办结"),
		light(a("planned", "服务方案已登记", "{institutionName}为您的申请“{productName}”（{number}）登记了服务方案，请查看各步骤和完成日期。{note}"), onApplication, "已定方案", "{institutionName}已登记服务方案"),
		light(a("step_done", "服务方案有一步完成", "您的申请“{productName}”（{number}）完成了一个步骤：{note}"), onApplication, "办理中", "{note}"),
		with(a("delivered", "服务已交付，请确认", "{institutionName}已交付您的申请“{productName}”（{number}）。请于{due}前确认，不符合约定的请提出异议；到期未提出的，视为确认。"),
			onApplication, "已交付，请在期限内确认", "待确认", "请于{due}前确认"),
		with(a("confirm_soon", "请尽快确认交付", "您的申请“{productName}”（{number}）已交付，确认期限{due}即将到期；到期未提出异议的，视为确认。"), onApplication, "即将视为确认", "待确认", "请于{due}前确认"),
		light(a("investigated", "已开展尽职调查", "{institutionName}已为您的申请“{productName}”（{number}）开展尽职调查。"), onApplication, "尽职调查", "{institutionName}已开展尽职调查"),
		with(a("undone", "一步办理操作被撤回", "您的申请“{productName}”（{number}）的“{step}”被撤回：{reason}。请以重新办理的结果为准。"), onApplication, "有一步办理被撤回", "已撤回", "请以重新办理的结果为准"),
		a("undone_inside", "申请的一步办理操作被撤回", "{enterpriseName}申请“{productName}”（{number}）的“{step}”被撤回：{reason}。请重新办理。"),
		a("confirmed", "企业确认交付", "{enterpriseName}已确认“{productName}”的交付（{number}），申请办结。"),
		a("lapsed", "到期视为确认", "“{productName}”的交付（{number}）到期没有异议，视为{enterpriseName}确认，申请办结。"),
		a("objected", "企业对交付提出异议", "{enterpriseName}对“{productName}”的交付（{number}）提出异议：{reason}。请沟通后重新交付。"),
		a("due_warned", "申请时限即将到期", "{enterpriseName}申请“{productName}”（{number}）的{clock}将于{due}到期，请抓紧办理。"),
		a("overdue", "申请已超过时限", "{enterpriseName}申请“{productName}”（{number}）的{clock}（{due}）已超过，请{institutionName}立即办理。"),
		a("overdue_to_applicant", "申请办理超过时限", "您的申请“{productName}”（{number}）的{clock}（{due}）已超过，平台已提醒{institutionName}。您也可以拨打申请详情中的电话催办。"),
		a("due_moved", "申请时限调整", "工作日历调整后，您的申请“{productName}”（{number}）的{clock}变为{due}。"),
		a("handed_over", "申请转交您经办", "{name}把{enterpriseName}申请“{productName}”（{number}）转交您经办。{note}"),
		a("submitted", "收到新的申请", "{enterpriseName}申请了“{productName}”（{number}），请及时受理。"),
		a("filled", "企业已补填申请信息", "{enterpriseName}已补填“{productName}”的申请（{number}）的必填信息，请查看。"),
		a("supplemented", "企业已补充材料", "{enterpriseName}已为“{productName}”的申请（{number}）补充材料，请继续办理。"),
		a("withdrawn", "企业撤回申请", "{enterpriseName}撤回了“{productName}”的申请（{number}）。"),

		with(t("answered", "诉求已答复", "您的诉求“{title}”（{number}）已答复：{text}"), onTicket, "已答复", "已答复", "{text}"),
		with(t("replied", "承办单位已反馈", "{unitName}已反馈您的诉求“{title}”（{number}）：{text}"), onTicket, "已有办理结果", "已反馈", "{text}"),
		with(t("declined", "诉求不予受理", "您的诉求“{title}”（{number}）不予受理：{reason}"), onTicket, "不予受理", "不予受理", "{reason}"),
		light(t("closed", "诉求已办结", "您的诉求“{title}”（{number}）已办结，请对办理结果作出评价。"), onTicket, "已办结", "请对办理结果作出评价"),
		light(t("reopened", "诉求重新办理", "您的诉求“{title}”（{number}）已交{unitName}重新办理。"), onTicket, "重新办理", "{unitName}重新办理"),
		t("heard", "诉求人再次来信", "诉求“{title}”（{number}）的诉求人再次来信：{text}"),
		t("waiting", "收到新的诉求", "收到企业诉求“{title}”（{number}），请及时答复或派单。"),
		t("queued", "有新的诉求待处理", "有新的企业诉求等待答复或派单，请在待处理工单中查看。"),
		night(with(t("critical", "收到特急诉求", "收到特急诉求“{title}”（{number}），请立即处置并督办。"), onUrgent, "为特急诉求", "特急诉求", "请立即处置并督办")),
		night(with(t("raised_critical", "工单升为特急", "诉求“{title}”（{number}）{change}，{due}。请立即办理。"), onUrgent, "紧急程度升为{urgency}", "升为{urgency}", "{due}")),
		with(t("raised", "工单更为紧急", "诉求“{title}”（{number}）{change}，{due}。请优先办理。"), onUrgent, "紧急程度升为{urgency}", "升为{urgency}", "{due}"),
		t("sooner", "工单时限提前", "诉求“{title}”（{number}）{change}，{due}。请按新的时限办理。"),
		t("assigned", "诉求待签收", "诉求“{title}”（{number}）已派至{unitName}，请及时签收办理。"),
		t("assigned_again", "诉求退回重办", "诉求“{title}”（{number}）已退回{unitName}重新办理，请查看退回原因并及时签收。"),
		with(t("suspended", "请补充材料", "您的诉求“{title}”（{number}）需要您补充：{reason}。补充后继续办理，办理时限从那时起接着计算。"), onTicket, "待您补充材料", "待补充", "{reason}"),
		light(t("extended", "办理时限延长", "您的诉求“{title}”（{number}）办理时限延长至{text}，请您谅解。"), onTicket, "已延期", "延长至{text}"),
		light(t("withdrawn", "答复已撤回", "您的诉求“{title}”（{number}）有一步办理操作被撤回，请以重新办理的结果为准。"), onTicket, "已撤回", "请以重新办理的结果为准"),
		t("supplemented", "企业已补充材料", "诉求“{title}”（{number}）的企业已补充材料，请继续办理。"),
		t("passed_on", "转办或协办待签收", "诉求“{title}”（{number}）已转至{unitName}，请及时签收办理。"),
		t("sent_back", "反馈被退回", "诉求“{title}”（{number}）的办理结果被退回：{reason}。请重新反馈。"),
		t("handed", "工单指派给您", "{name}把诉求“{title}”（{number}）指派给您办理，请及时处理。"),
		t("mentioned", "同事提醒您查看工单", "{name}在诉求“{title}”（{number}）的内部备注中提醒了您，请查看。"),
		t("decide", "申请待审批", "诉求“{title}”（{number}）有一件{text}申请待审批。"),
		t("merged", "工单已并单", "诉求“{title}”（{number}）已并入同类工单统一办理，本单位暂停办理，时限停止计算。"),
		t("unmerged", "工单恢复办理", "诉求“{title}”（{number}）已撤销并单，请继续办理，时限扣除并单期间。"),
		t("decided", "申请已审批", "诉求“{title}”（{number}）的{text}。"),
		t("lapsed", "工单长期无进展", "诉求“{title}”（{number}）：{reason}"),
		t("clock_warned", "时限即将到期", "诉求“{title}”（{number}）的{clock}将于{due}到期，请抓紧办理。"),
		t("clock_breached", "已超过时限", "诉求“{title}”（{number}）的{clock}（{due}）已超过，请立即办理。"),
		t("urged", "工单催办", "{name}：诉求“{title}”（{number}），{reason}。请{unitName}尽快办理并在工单中说明进展。"),
		t("urge_answered", "催办已答复", "{unitName}答复了诉求“{title}”（{number}）的催办：{text}"),
		t("instructed", "领导批示", "诉求“{title}”（{number}）有新的批示：{text}"),

		l("published", "有新政策发布", "您订阅的内容有新政策：{issuer}发布了“{title}”，请查看是否符合条件。"),
		l("revised", "订阅的政策有修订", "您订阅的政策“{title}”已修订，请查看变化。"),
		l("closing", "申报即将截止", "您订阅的政策“{title}”将于{day}截止申报，{left}。"),
		l("submitted", "政策稿件待审核", "{name}提交了政策“{title}”的稿件，请审核发布。"),
		l("sent_back", "政策稿件被退回", "政策“{title}”的稿件被退回：{reason}。请修改后再次提交。"),

		with(e("verified", "企业认证通过", "“{name}”已通过企业认证，可以申请服务产品、匹配惠企政策。"), onVerification, "已通过", "已通过", "可以申请服务产品"),
		with(e("verification_refused", "企业认证未通过", "“{name}”的企业认证未通过：{reason}。请核对后重新提交。"), onVerification, "未通过", "未通过", "{reason}"),
		e("verification_pending", "企业认证待审核", "“{name}”提交了企业认证材料，请审核。"),
		e("changed", "企业变更登记已通过", "“{name}”的变更登记已通过审核，{changes}。办理中的申请和诉求仍使用原来的登记内容。"),
		e("change_refused", "企业变更登记被退回", "“{name}”的变更登记（{changes}）被退回：{reason}。请核对后重新提交。"),
		e("change_pending", "企业变更登记待审核", "“{name}”申请变更登记：{changes}，请审核。"),
		{Code: "licence.expiring", Group: Enterprises, Title: "证照即将到期", Text: "本企业的{kind}将于 {until} 到期（{left}）。请及时换证，并在“我的企业—证照库”更新。"},
		{Code: "consent.asked_again", Group: Enterprises, Title: "数据授权书已更新", Text: "“{purpose}”的数据授权书已更新，{effect}。请在“我的企业—数据授权”阅读新版本后决定是否授权。"},
		{Code: "institution_application.submitted", Group: Enterprises, Title: "机构入驻待审核", Text: "“{name}”提交了入驻申请（{number}），请审核。"},
		{Code: "institution_application.checked", Group: Enterprises, Title: "机构入驻待终审", Text: "“{name}”的入驻申请（{number}）已通过初审，请终审。"},
		{Code: "institution_application.overdue", Group: Enterprises, Title: "机构入驻审核超时", Text: "“{name}”的入驻申请（{number}）已超过审核时限，请尽快审核。"},
		{Code: "institution_application.returned", Group: Enterprises, Title: "机构入驻申请已退回", Text: "“{name}”的入驻申请（{number}）已退回：{reason}。请修改后重新提交。"},
		{Code: "institution_application.refused", Group: Enterprises, Title: "机构入驻未通过", Text: "“{name}”的入驻申请（{number}）未通过：{reason}。"},
		{Code: "institution_application.review_undone", Group: Enterprises, Title: "机构入驻审核已撤销", Text: "“{name}”入驻申请（{number}）的“{kind}”已撤销：{reason}。申请回到这一步之前，将重新审核。"},
		{Code: "institution_application.approved", Group: Enterprises, Title: "机构已入驻", Text: "“{name}”已入驻平台，您是机构管理员，登录账号为 {account}。"},
		{Code: "institution.expiring", Group: Enterprises, Title: "机构资质即将到期", Text: "“{name}”的{kind}将于 {until} 到期（{left}）。请及时换证，并由机构管理员在“机构—本机构”提交新证照。"},
		{Code: "institution_renewal.submitted", Group: Enterprises, Title: "机构证照待审核", Text: "“{name}”提交了新的{kind}，请审核。"},
		{Code: "institution_renewal.passed", Group: Enterprises, Title: "机构证照已更新", Text: "“{name}”的{kind}已通过审核，机构信息已更新。"},
		{Code: "institution_renewal.review_undone", Group: Enterprises, Title: "机构证照审核已撤销", Text: "“{name}”的{kind}的审核决定“{step}”已撤销：{reason}。将重新审核。"},
		{Code: "institution_renewal.returned", Group: Enterprises, Title: "机构证照被退回", Text: "“{name}”的{kind}被退回：{reason}。请更换后重新提交。"},
		{Code: "enterprise.review_overdue", Group: Enterprises, Title: "企业认证审核超时", Text: "“{name}”的企业认证（变更登记）申请已超过审核时限，请尽快审核。"},
		{Code: "enterprise.review_undone", Group: Enterprises, Title: "企业认证审核已撤销", Text: "“{name}”的审核决定“{kind}”已撤销：{reason}。申请将重新审核。"},
		{Code: "review.delegated", Group: Enterprises, Title: "审核委托", Text: "离岗委托：由受托人代{name}办理{kind}，{reason}。受托期间，待审核的事项会出现在受托人的审核列表中。"},
		{Code: "review.delegation_ended", Group: Enterprises, Title: "审核委托已收回", Text: "代{name}办理{kind}的委托（{reason}）已收回，受托人从现在起不再代为审核。"},
		j("asked", "有人申请加入企业", "有人用统一社会信用代码申请加入“{name}”，请核实后同意或拒绝。"),
		j("admitted", "已加入企业", "您已加入“{name}”，可以代表企业办理业务。"),
		j("refused", "加入企业未通过", "您加入“{name}”的申请未通过：{reason}。如有异议，可在企业信息中申请平台处理。"),
		j("disputed", "企业归属待处理", "有人对“{name}”的归属提出异议，请核实处理。"),

		p("submitted", "产品待初审", "{institutionName}提交了产品“{name}”，请初审。"),
		p("passed_platform", "产品待终审", "{institutionName}的产品“{name}”已通过初审，请终审。"),
		p("review_overdue", "产品审核超时", "产品“{name}”（{institutionName}）已超过审核时限，请尽快审核。"),
		p("approved", "产品已通过终审", "产品“{name}”已通过终审，将于 {day} 自动上架。"),
		p("listed", "产品已上架", "产品“{name}”已通过审核并上架。"),
		p("returned", "产品被退回", "产品“{name}”被退回修改：{reason}"),
		p("review_undone", "产品审核已撤销", "产品“{name}”（{institutionName}）的“{kind}”已撤销：{reason}。产品回到这一步之前，将重新审核。"),
		p("taken_down", "产品已下架", "产品“{name}”已下架：{reason}"),
		p("expiring", "产品即将到期", "产品“{name}”的有效期至 {until}（{left}），到期后不再对企业展示。如需继续提供，请修改为新版本、更新有效期后提交审核。"),
		p("expired", "产品已到期", "产品“{name}”已到期，不再对企业展示。如需继续提供，请更新有效期后重新提交。"),

		{Code: OfflineTemplate, Group: Codes, Title: "线下服务确认", SMS: &SMSForm{"offline_confirm", map[string]string{"name": "{name}", "site": "{site}", "code": "{code}"}}},
		{Code: "offline.settled", Group: Evaluations, Title: "线下服务登记有答复", Text: "{name}对线下服务“{title}”（{number}）的登记{text}。"},
		d("submitted", "企业需求待审核", "{enterpriseName}提交了需求“{title}”（{number}），请审核。"),
		d("review_overdue", "企业需求审核超时", "{enterpriseName}的需求“{title}”（{number}）已超过审核时限，请尽快审核。"),
		with(d("returned", "需求被退回修改", "您的需求“{title}”（{number}）被退回：{reason}。请修改后重新提交。"), onDemand, "被退回修改", "被退回", "{reason}"),
		light(d("approved", "需求已通过审核", "您的需求“{title}”（{number}）已通过审核，进入需求大厅，正在邀请合适的机构报价，报价截止 {day}。"), onDemand, "已通过", "请等待机构报价"),
		with(d("invited", "邀请您报价", "平台邀请贵机构为需求“{title}”（{number}）报价，报价截止 {day}。请在“需求大厅”查看。"), onOffer, "邀请贵机构报价", "邀请报价", "报价截止 {day}"),
		with(d("quoted", "收到机构报价", "{institutionName}为您的需求“{title}”（{number}）提交了报价，请查看。"), onDemand, "收到机构报价", "收到报价", "{institutionName}提交了报价"),
		light(d("quote_changed", "机构修改了报价", "{institutionName}修改了对需求“{title}”（{number}）的报价，请查看最新内容。"), onDemand, "报价更新", "{institutionName}修改了报价"),
		light(d("quote_withdrawn", "机构撤回了报价", "{institutionName}撤回了对需求“{title}”（{number}）的报价。"), onDemand, "报价撤回", "{institutionName}撤回了报价"),
		with(d("unfit", "请更新报价", "企业有意选定贵机构对需求“{title}”（{number}）的报价，但{reason}。请尽快更换产品或更新报价。"), onOffer, "请更新报价", "请更新报价", "企业有意选定，请更新报价"),
		with(d("quoting_over", "报价已截止，请选定", "您的需求“{title}”（{number}）报价已截止，请在 {day} 前选定一家；到期未选定的，需求自动关闭。"), onDemand, "报价已截止，请选定一家", "待选定", "请在 {day} 前选定一家"),
		with(d("picked", "报价被选定", "贵机构对需求“{title}”（{number}）的报价被企业选定，已生成申请 {applicationNumber}，请及时受理。"), onOffer, "选定了贵机构的报价，已生成申请", "已被选定", "已生成申请 {applicationNumber}"),
		light(d("passed_over", "需求已选定其他机构", "感谢贵机构为需求“{title}”（{number}）报价。企业综合考虑后选定了其他机构，期待下次合作。"), onOffer, "未选定", "企业选定了其他机构"),
		light(d("quote_ended", "报价的需求已结束", "贵机构报过价的需求“{title}”（{number}）已结束，企业没有选定报价。感谢您的参与。"), onOffer, "已结束", "企业没有选定报价"),
		with(d("expired", "需求已到期关闭", "您的需求“{title}”（{number}）已到期，自动关闭。如仍需要，可以重新发布。"), onDemand, "已到期关闭", "已关闭", "到期没有选定报价"),
		{Code: "contract.step", Group: Evaluations, Title: "电子合同", Text: "合同“{title}”（{number}）{text}。"},
		{Code: EvaluateTemplate, Group: Codes, Title: "服务评价提醒", SMS: &SMSForm{"service_evaluate", map[string]string{"product": "{product}", "site": "{site}", "code": "{code}"}}},
		v("given", "收到服务评价", "{enterpriseName}评价了“{title}”（{number}）的服务：{level}。请查看，可以回复一次。"),
		v("revised", "企业修改了服务评价", "{enterpriseName}修改了对“{title}”（{number}）的评价：{level}。"),
		v("replied", "机构回复了您的评价", "{institutionName}回复了您对“{title}”（{number}）的评价，请查看。"),
		v("reported", "服务评价被举报", "对“{title}”（{number}）的评价被举报：{reason}，请处理。"),
		v("second", "评价举报待第二人确认", "对“{title}”（{number}）的评价已由一人认定不当，须另一人确认是否不计分。"),
		v("decided", "评价举报已处理", "您举报的“{title}”（{number}）的评价已处理：{level}。理由：{reason}。"),
		{Code: "conversation.sent", Group: Evaluations, Title: "收到服务沟通消息", Text: "{name}就“{title}”（{number}）发来消息，请查看。"},
		with(Template{Code: "conversation.unread", Group: Evaluations, Title: "有未读的服务沟通消息", Text: "{name}就“{title}”（{number}）发来的 {count} 条消息尚未阅读，请及时查看。"}, onTalk, "有未读消息", "有未读消息", "对方发来消息尚未阅读"),
		{Code: "evidence.added", Group: Evaluations, Title: "收到服务佐证", Text: "{name}为“{title}”（{number}）上传了服务佐证：{item}。"},
		{Code: "evidence.assessed", Group: Evaluations, Title: "政府评估结果", Text: "“{title}”（{number}）的服务经政府评估得 {score} 分，请查看评语。"},
		v("hidden", "评价文字已隐藏", "您对“{title}”（{number}）的评价文字已由平台隐藏。理由：{reason}。如有异议请联系惠企热线。"),

		{Code: "file.quarantined", Group: Uploads, Title: "附件已被隔离", Text: "您上传的“{name}”经检查含有病毒，已被隔离，任何人不能下载。请在本机杀毒后，把需要的材料重新提交。"},

		alarm("alarm", "系统异常告警", "“{item}”异常：{text}。{advice}", "异常"),
		alarm("repeated", "系统异常仍未恢复", "“{item}”异常已持续 {lasted}，尚无人登记知悉：{text}。{advice}", "异常仍未恢复"),
		alarm("recovered", "系统异常已恢复", "“{item}”已恢复正常，本次异常持续 {lasted}。", "已恢复正常"),
		{Code: "operations.report", Group: Operations, Title: "系统健康状态报告", Text: "{item}的系统健康状态报告已生成：{text}。"},

		{Code: "supervision.surge", Group: Tickets, Title: "同类诉求突增", Text: "“{name}”（{text}）一小时内收到 {number} 件，同期平均 {reason} 件，请查看并确认预警。"},
		{Code: "quality.scored", Group: Tickets, Title: "质检评分结果", Text: "您办理的工单“{number}”质检得分 {text} 分，如有异议请在 {due} 前提出申诉。"},
		{Code: "quality.appealed", Group: Tickets, Title: "质检申诉待复核", Text: "{name}对工单“{number}”的质检评分提出申诉，请复核。"},
		{Code: "quality.decided", Group: Tickets, Title: "质检申诉已复核", Text: "您对工单“{number}”质检评分的申诉已复核：{text}。"},
		{Code: "supervision.report", Group: Tickets, Title: "热线运行{name}", Text: "{text}的热线运行{name}已生成，请查看。"},

		{Code: "policy.pushed", Group: Policies, Title: "惠企政策提醒", SMS: &SMSForm{"policy_push", map[string]string{"title": "{title}"}},
			Text: "根据现有信息，贵企业{answer}：《{title}》，申报时间：{window}。能否获得支持以主管部门审核为准，请查看条件并核对企业信息。"},
		{Code: "policy.fits", Group: Policies, Title: "新符合政策提醒", SMS: &SMSForm{"policy_push", map[string]string{"title": "新符合 {count} 项政策"}},
			Text: "根据最新信息，贵企业新符合 {count} 项政策：{title}。请查看申报条件和时间，能否获得支持以主管部门审核为准。"},
		{Code: "policy.granted", Group: Policies, Title: "免申即享待确认", SMS: &SMSForm{"policy_push", map[string]string{"title": "免申即享待确认"}},
			Text: "贵企业已列入《{title}》免申即享名单并完成公示，无需申报，请企业负责人登录门户，在“政策库 → 免申即享公示”中确认。"},
		{Code: "policy.push_waiting", Group: Policies, Title: "推送计划待审批", Text: "《{title}》的推送计划待审批，拟告知 {count} 家企业。"},
		{Code: "policy.objected", Group: Policies, Title: "收到免申即享异议", Text: "《{title}》免申即享名单收到异议，请核实处理。"},

		x("stopped", "推送已停止", "向“{name}”推送“{number}”的事件已停止：{reason}。请在推送记录中重推或跳过；处理完之前，该对接方再有推送停止不另行通知。"),
		x("down", "对接方连续推送失败", "向“{name}”的推送连续失败：{reason}。系统仍在自动重试，请联系对方核实。"),
	}
}

func templateOf(code string) (Template, bool) {
	i := slices.IndexFunc(table, func(t Template) bool { return t.Code == code })
	if i < 0 {
		return Template{}, false
	}
	return table[i], true
}

var blank = regexp.MustCompile(`\{([A-Za-z]+)\}`)

// fill puts the values into the pattern. A value that is missing is a mistake of the caller.
func fill(pattern string, values map[string]string) (string, error) {
	missing := ""
	out := blank.ReplaceAllStringFunc(pattern, func(m string) string {
		v, ok := values[m[1:len(m)-1]]
		if !ok {
			missing = m
		}
		return v
	})
	if missing != "" {
		return "", fmt.Errorf("%w: %q needs %s", ErrTemplate, pattern, missing)
	}
	return out, nil
}

func fillAll(patterns, values map[string]string, fit func(key, value string) string) (map[string]string, error) {
	out := make(map[string]string, len(patterns))
	for key, pattern := range patterns {
		v, err := fill(pattern, values)
		if err != nil {
			return nil, err
		}
		out[key] = fit(key, v)
	}
	return out, nil
}

// smsParam keeps a parameter within what providers take.
func smsParam(_, value string) string { return text.Truncate(flat(value), 20) }

// wechatLimits are the longest values by the kind of field.
var wechatLimits = map[string]int{"thing": 20, "character_string": 32, "phrase": 5}

// wechatValue keeps a field within what WeChat takes; an empty one would be refused.
func wechatValue(key, value string) string {
	value = flat(value)
	if value == "" {
		return "无"
	}
	if n, ok := wechatLimits[strings.TrimRight(key, "0123456789")]; ok {
		value = text.Truncate(value, n)
	}
	return value
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// ValidateTemplates says what is wrong with a table of templates: a code twice, no words, a group nobody knows, a form that
// does not fit what the provider approves.
func ValidateTemplates(list []Template) error {
	seen := map[string]bool{}
	for _, t := range list {
		switch {
		case seen[t.Code]:
			return fmt.Errorf("%s: twice", t.Code)
		case t.Code == "" || t.Title == "" || t.Group.Label() == "":
			return fmt.Errorf("%q: code, title and a known group are needed", t.Code)
		case t.Text == "" && t.Group != Codes:
			return fmt.Errorf("%s: no text", t.Code)
		}
		seen[t.Code] = true
		if t.SMS != nil {
			approved, ok := SMSTexts()[t.SMS.Name]
			if !ok {
				return fmt.Errorf("%s: no text message %q", t.Code, t.SMS.Name)
			}
			var keys []string
			for _, m := range regexp.MustCompile(`\$\{([a-z]+)\}`).FindAllStringSubmatch(approved, -1) {
				keys = append(keys, m[1])
			}
			if err := same(keys, t.SMS.Params); err != nil {
				return fmt.Errorf("%s: text message %s: %w", t.Code, t.SMS.Name, err)
			}
		}
		if t.Wechat != nil {
			layout, ok := WechatLayouts()[t.Wechat.Name]
			if !ok {
				return fmt.Errorf("%s: no WeChat message %q", t.Code, t.Wechat.Name)
			}
			var keys []string
			for _, f := range layout.Fields {
				keys = append(keys, f.Key)
			}
			if err := same(keys, t.Wechat.Values); err != nil {
				return fmt.Errorf("%s: WeChat message %s: %w", t.Code, t.Wechat.Name, err)
			}
			for key, v := range t.Wechat.Values {
				if n := wechatLimits[strings.TrimRight(key, "0123456789")]; n > 0 && !strings.Contains(v, "{") && utf8.RuneCountInString(v) > n {
					return fmt.Errorf("%s: WeChat message: %s %q is longer than %d", t.Code, key, v, n)
				}
			}
		}
	}
	return nil
}

func same(keys []string, given map[string]string) error {
	for _, k := range keys {
		if given[k] == "" {
			return fmt.Errorf("%s is missing", k)
		}
	}
	for k := range given {
		if !slices.Contains(keys, k) {
			return fmt.Errorf("%s is too much", k)
		}
	}
	return nil
}
