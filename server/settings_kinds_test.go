package server

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/database"
)

// everyKind sets something of each kind; %[1]s is the code of a ticket type.
const everyKind = `format: 1
ticket_types:
  - {code: '%[1]s', name: 企业用工咨询, category: 综合, urgency: normal, hours: 36, sort: 1, review: true}
  - {code: NIGHT-1, name: 夜间运输通行, category: 综合, urgency: normal, hours: 24, sort: 900, retired: true}
ticket_forms:
  - type: '%[1]s'
    fields:
      - {key: headcount, label: 用工人数, kind: number, required: true, unit: 人}
      - {key: since, label: 起始日期, kind: date}
ticket_budgets:
  - {kind: public, amount: 7, unit: working_days, warn_percent: 70}
  - {type: NIGHT-1, urgency: urgent, kind: sign, amount: 30, unit: working_minutes, warn_percent: 50}
ticket_ladder:
  rungs:
    - {name: 提醒, amount: 0, unit: working_minutes, leaders: false}
    - {name: 约谈, amount: 2, unit: working_days, leaders: true}
callback_plans:
  - {type: NIGHT-1, share: 40, attempts: 2, retry_minutes: 90, script: '您好，请问办理结果是否满意？'}
evidence_rules:
  - type: NIGHT-1
    items: [{code: permit, name: 通行证照片, kind: image, min: 2, required: true, hint: 正反面}]
decline_reasons:
  - {code: in-court, name: 已进入诉讼程序, route: 请向受理法院提出, sort: 70}
ticket_hints:
  - {for: staff, step: suspend, text: 等待企业时才挂起, link_text: 挂起的规定, link_url: /help/12, alt: 流程图, picture: iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==}
application_limits:
  - {kind: legal, accept_days: 1, handle_days: 20, confirm_days: 7, warn_percent: 60}
application_hints:
  - {kind: legal, for: handler, step: deliver, text: 附上审查意见书, link_text: 交付要求, link_url: /help/12}
timed_closing:
  - {name: 久未回访, state: callback, days: 15, action: close, reason: 多次联系未果, enabled: true}
calendar:
  weekly: [[], [{from: 510, until: 720}], [{from: 540, until: 720}], [{from: 540, until: 720}], [{from: 540, until: 720}], [{from: 540, until: 720}], []]
  makeUp: [{from: 540, until: 720}]
  days: []
  years: [2026]
directory:
  - {matter: '%[1]s', lead: TZ-SWJ, helpers: [TZ-RSJ], basis: 通政办〔2026〕5号}
departments:
  - {code: TZ-RSJ, name: 区人力社保局, parent: TZ, sort: 2}
canned_replies:
  - {code: yg, title: 用工政策, category: 用工, body: '{{联系人}}您好，用工补贴请见政策库。'}
quality_card:
  name: 简易评分表
  items: [{name: 服务用语, points: 40, hint: ''}, {name: 答复准确, points: 60, hint: 与知识库不一致扣 10 分}]
  fatal: [泄露来电人信息]
quality_kind_cards:
  - {kind: called_back, name: 回访评分表, items: [{name: 核实结果, points: 70, hint: ''}, {name: 礼貌用语, points: 30, hint: ''}], fatal: []}
quality_rule: {per_agent: 3, kinds: [opened], appeal_days: 5, on: true}
desk_hours:
  - {weekday: 6, from: '09:30', to: '16:00', seats: 3}
surge_rule: {least: 25, factor: 2.5, weeks: 3, on: true}
open311_services:
  - {code: '%[1]s', published: true, keywords: '用工,招聘'}
health_limits:
  - {code: pushes_dead, warn: 3, bad: 30}
enterprise_sources:
  - {code: roll, name: 区属企业名录, official: false, worths: {basic: {rank: 7, days: 300}, operation: {rank: 8, days: 400}, standing: {rank: 9, days: 500},
      admin: {rank: 11, days: 100}, justice: {rank: 12, days: 200}, social: {rank: 13, days: 300}, tax: {rank: 14, days: 400}, ip: {rank: 15, days: 500}}}
enterprise_quality:
  rules:
    - {code: name-there, name: 企业名称填写完整, dimension: complete, field: name, check: present, weight: 10, threshold: 95, action: review}
enterprise_sizes:
  - {kind: scale, document: 规模以上统计标准（2027 年起）, from: '2027-01-01', rows: [{name: 工业, codes: [B, C, D], revenue: [3000]}]}
enterprise_fields:
  - {field: {key: park, label: 所属园区, kind: choice, required: true, options: [台湖园, 宋庄园]}, group: service, types: ['91', '93'], restricted: false, company: reads, sort: 3, retired: false}
enterprise_tags:
  - {code: big_team, name: 用工大户, about: 从业人员 20 人以上, kind: rule, open: true, retired: false, condition: {all: [{field: employees, op: gte, value: 20, unit: 人, label: 从业人员}]}}
extra_fields:
  - {subject: product, field: {key: fields, label: 擅长领域, kind: choices, options: [合同, 用工]}, kinds: [legal], audience: everyone, sort: 10, retired: false}
  - {subject: application, field: {key: firstLoan, label: 是否首次贷款, kind: yesno, required: true}, kinds: [financing], audience: everyone, sort: 20, retired: false}
evaluation_forms:
  - kind: legal
    during: 服务进行中，您对律师的服务满意吗？
    after: 服务已结束，您对律师的服务满意吗？
    levels:
      - {level: 5, label: 非常满意, prompt: 哪些方面让您满意？, tags: [专业, 及时], words: false}
      - {level: 4, label: 满意, prompt: 还可以怎样改进？, tags: [专业], words: false}
      - {level: 3, label: 一般, prompt: 哪些方面需要改进？, tags: [], words: false}
      - {level: 2, label: 不满意, prompt: 请说明不满意的地方, tags: [收费不清], words: true}
      - {level: 1, label: 很不满意, prompt: 请说明不满意的地方, tags: [收费不清, 无人联系], words: true}
evaluation_rule: {minCount: 8, priorWeight: 12, priorLevel: 400, during: false, refused: true, remindDays: 5, reviseDays: 10}
service_evidence:
  - {kind: legal, items: [{code: opinion, name: 法律意见书, side: institution, files: document, min: 1, required: true, hint: 加盖律所公章}]}
assessment_cards:
  - {target: operator, name: 运营评估表, items: [{name: 撮合跟进, points: 60, hint: ''}, {name: 材料审核, points: 40, hint: ''}], fatal: [弄虚作假]}
conversation_rule: {minutes: 30, closeDays: 14}
channel_rule: {days: 45, carryDays: 90}
review_hints:
  - {review: product, for: reviewer, step: return, text: 写明依据, link_text: 退回的规定, link_url: /help/12, alt: 流程图, picture: iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==}
return_reasons:
  - {list: enterprise, code: no_stamp, text: 营业执照副本未加盖公章，请盖章后重新提交, words: false, sort: 15, retired: false}
`

func mustTypeCode(t *testing.T, h *house) string {
	t.Helper()
	types, err := h.tickets.Types(context.Background(), settingsActor("test"))
	if err != nil || len(types) == 0 {
		t.Fatal(len(types), err)
	}
	return types[0].Code
}

// afterDepartments is what a document holds behind its head.
func afterDepartments(doc string) string { return strings.SplitN(doc, "\ndepartments:", 2)[1] }

// TestEveryKindOfSettingsGoesAcross sets each kind by a document, and takes it all to another installation.
func TestEveryKindOfSettingsGoesAcross(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	from, _ := configured(t)
	to := testHouse(t)
	for _, h := range []*house{from, to} { // what a start brings
		if err := h.ensureCalendar(ctx); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf(everyKind, mustTypeCode(t, from))
	formula := regexp.MustCompile(`(?s)\nappraisal_formula:\n.*?\n(\w)`).FindString(exported(t, from) + "end")
	if formula == "" {
		t.Fatal("no formula is exported")
	}
	text += strings.TrimPrefix(strings.Replace(formula[:len(formula)-1], "minCases: 5", "minCases: 8", 1), "\n")

	p := planOf(t, from, text)
	touched := map[string]bool{}
	for _, c := range p.changes {
		touched[c.kind] = true
	}
	for _, k := range from.kinds() {
		if !touched[k.words()] {
			t.Errorf("nothing of %s was set: the test proves nothing about it", k.keyword())
		}
	}
	applied(t, from, text)
	if p := planOf(t, from, text); len(p.changes)+len(p.problems) != 0 {
		t.Fatalf("what was set is not there: %+v %v", p.changes, p.problems)
	}
	if err := from.ensureTicketTypes(ctx); err != nil { // as the next start does
		t.Fatal(err)
	}
	doc := exported(t, from)
	if p := planOf(t, from, doc); len(p.changes)+len(p.notes)+len(p.problems) != 0 {
		t.Fatalf("a document differs from where it comes from: %+v %v %v", p.changes, p.notes, p.problems)
	}
	applied(t, to, doc)
	if p := planOf(t, to, doc); len(p.changes)+len(p.problems) != 0 {
		for _, c := range p.changes {
			t.Errorf("imported again: %s %s %v", c.kind, c.name, c.lines)
		}
		t.Fatal(p.problems)
	}
	if got, want := afterDepartments(exported(t, to)), afterDepartments(doc); got != want {
		a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("line %d: %q, want %q", i, a[i], b[i])
			}
		}
		t.Fatalf("%d lines, want %d", len(a), len(b))
	}
	moved, err := to.tickets.Type(ctx, settingsActor("test"), "NIGHT-1")
	if err != nil || !moved.Retired {
		t.Fatalf("%+v %v", moved, err)
	}
}

func TestBadSettingsOfEveryKind(t *testing.T) {
	t.Parallel()
	h := testHouse(t)
	before := exported(t, h)
	for doc, says := range map[string]string{
		"ticket_forms:\n  - {type: NONE, fields: []}":                                                                                                   "没有编码为 NONE 的诉求类型",
		"ticket_budgets:\n  - {kind: whenever, amount: 1, unit: working_days, warn_percent: 0}":                                                         "请选择时限种类",
		"ticket_ladder: {rungs: [{name: 提醒, amount: 2, unit: working_days, leaders: false}, {name: 约谈, amount: 1, unit: working_days, leaders: true}]}": "第 2 级应晚于上一级",
		"callback_plans:\n  - {share: 140, attempts: 1, retry_minutes: 60, script: 您好}":                                                                 "抽样比例须在 0 至 100 之间",
		"evidence_rules:\n  - {type: NONE, items: []}":                                                                                                  "没有编码为 NONE 的诉求类型",
		"decline_reasons:\n  - {code: '!', name: 情形, route: 渠道, sort: 1}":                                                                               "编码为 2 至 50 位",
		"ticket_hints:\n  - {for: staff, step: rate, text: 提示}":                                                                                         "没有这个步骤",
		"review_hints:\n  - {review: product, for: submitter, step: pass-first, text: 提示}":                                                              "没有这个步骤",
		"timed_closing:\n  - {name: 规则, state: closed, days: 3, action: recall, reason: 说明, enabled: true}":                                             "可选择：归档",
		"calendar: {weekly: [], makeUp: [], days: [], years: []}":                                                                                       "周日至周六",
		"directory:\n  - {matter: NONE, lead: TZ}":                                                                                                      "没有编码为 NONE 的诉求类型",
		"canned_replies:\n  - {title: 用语, body: '{{天气}}'}":                                                                                              "无法识别",
		"quality_card: {name: 评分表, items: [{name: 服务用语, points: 40, hint: ''}], fatal: []}":                                                             "之和须为 100 分",
		"quality_kind_cards:\n  - {kind: slept, name: 评分表, items: [{name: 服务用语, points: 100, hint: ''}], fatal: []}":                                    "没有这种业务",
		"quality_rule: {per_agent: 0, kinds: [opened], appeal_days: 5, on: true}":                                                                       "抽检件数",
		"desk_hours:\n  - {weekday: 1, from: '18:00', to: '09:00', seats: 1}":                                                                           "结束须晚于开始",
		"surge_rule: {least: 1, factor: 1, weeks: 1, on: true}":                                                                                         "件数请填 2 至 1000",
		"appraisal_formula: {name: 口径, body: {lines: [], omissions: [], weights: [], minCases: 0}}":                                                     "口径",
		"open311_services:\n  - {code: NONE, published: true}":                                                                                          "没有编码为 NONE 的诉求类型",
		"channel_rule: {days: 0, carryDays: 3}":                                                                                                         "请填 1 至 180",
		"conversation_rule: {minutes: -1, closeDays: 3}":                                                                                                "未读提醒请填",
		"service_evidence:\n  - {items: [{code: A, name: 协议, side: institution, files: any, min: 1, required: true}]}":                                  "编码为 2 至 30 位",
		"assessment_cards:\n  - {target: nobody, name: 评估表, items: [], fatal: []}":                                                                      "请写明评估对象",
		"evaluation_rule: {minCount: 0, priorWeight: 1, priorLevel: 0, during: true, refused: false, remindDays: 3, reviseDays: 3}":                     "最少评价数",
		"evaluation_forms:\n  - {kind: circus, during: 满意吗？, after: 满意吗？, levels: []}":                                                                  "没有编码为 circus 的服务类别",
		"health_limits:\n  - {code: nothing, warn: 1, bad: 2}":                                                                                          "没有",
		"health_limits:\n  - {code: jobs, warn: 1, bad: 2}\n  - {code: jobs, warn: 1, bad: 3}":                                                          "出现了两次",
	} {
		p := planOf(t, h, "format: 1\n"+doc+"\n")
		if len(p.problems) != 1 || !strings.Contains(p.problems[0], says) {
			t.Errorf("%s: %v", doc, p.problems)
		}
	}
	for doc, says := range map[string]string{
		"surge_rule: {least: many}":                    "least 的写法不对",
		"surge_rule: {lest: 3}":                        `没有 "lest" 这一项`,
		"ticket_budgets: {kind: public}":               "ticket_budgets（办理时限）无法识别",
		"callback_plans:\n  - {share: 1, sha: 2}":      `没有 "sha" 这一项`,
		"ticket_forms:\n  - {type: 10101, fields: []}": "type 应为文字，数字编码请加引号",
	} {
		f, err := readSettings([]byte("format: 1\n" + doc + "\n"))
		if err == nil {
			_, err = h.planSettings(context.Background(), settingsActor("test"), f)
		}
		if !unusable(err) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", doc, err)
		}
	}
	if afterDepartments(exported(t, h)+"\ndepartments:") != afterDepartments(before+"\ndepartments:") {
		t.Error("looking changed something")
	}
}

// noSettings are the tables that no settings stand in, by what they hold. A new table belongs here or to a kind of settings.
var noSettings = map[string]string{
	"work of people and what came of it": `demands demand_quotes demand_invitations demand_files conversation_threads conversation_notes conversation_files evidence_pieces evidence_assessments evaluations evaluation_firsts evaluation_reports evaluation_cases one_links applications application_drafts application_files application_numbers article_files articles intake_requests intake_messages intake_letters intake_talks intake_seen enterprises enterprise_names enterprise_contacts enterprise_extra_values enterprise_size_drafts enterprise_facts enterprise_settlements enterprise_quality_scores enterprise_quality_tallies enterprise_joins review_delegations enterprise_members enterprise_mandates enterprise_verifications enterprise_approvals licences licence_uses licence_reminders institutions institution_applications institution_documents institution_rounds institution_memory institution_renewals institution_reminders files products product_editions product_memory product_batches product_batch_items product_views enterprise_reports enterprise_tag_drafts enterprise_tagged enterprise_tag_walks application_diligence application_memory application_payments product_suits offline_services channels channel_visits channel_attributions contracts contract_signatures contract_templates product_extra_values product_files application_answers
		knowledge_editions knowledge_entries knowledge_feedback knowledge_units knowledge_uses policy_editions policy_examples policy_reminders policy_saves policy_subscriptions quality_checks quality_draws quality_works messages sms_messages wechat_messages
		tickets ticket_bulks ticket_bulk_rows ticket_callbacks ticket_callback_attempts ticket_clocks ticket_confidants ticket_evidence ticket_fields ticket_files ticket_judge_links
		ticket_holders ticket_hops ticket_links ticket_memory ticket_note_readers ticket_notes ticket_presence ticket_requests ticket_reveals ticket_secrets ticket_tags ticket_drafts ticket_type_places
		ticket_expire_acts directory_dispatches canned_uses cti_calls cti_events cti_surveys supervision_alarms supervision_reports supervision_seen ticket_arrivals
		policy_answers policy_answer_texts policy_grants policy_grant_items policy_objections policy_outcome_asked policy_pushes policy_push_items policy_runs policy_told`,
	"what companies agree to, put in force by two persons of each installation": `consent_texts consent_grants consent_bases consent_accesses consent_asked`,
	"accounts and what a person set for themselves":                             `users user_roles sessions wechat_accounts wechat_pending wechat_states message_preferences import_mappings ticket_views ticket_view_defaults`,
	"seats of persons, who are other ones elsewhere":                            `seats seat_members seat_shifts seat_shift_changes seat_skills seat_spells seat_teams cti_extensions cti_nuisance`,
	"keys and standing of connections":                                          `exchange_attempts exchange_calls exchange_deliveries exchange_keys exchange_usage intake_keys intake_mailboxes`,
	"comes with the program":                                                    `ticket_categories ticket_schemes ticket_secrecy_levels role_defaults licence_kinds`,
	"reckoned from others":                                                      `product_thumbs appraisal_cases appraisal_snapshots appraisal_state request_counts product_suit_stamps ticket_clock_stamps policy_follow policy_verdicts ticket_numbers ticket_turns health_incidents health_reports offline_numbers demand_numbers contract_numbers`,
	"the program's own": `audit_anchors audit_checks audit_entries audit_heads audit_seals audit_ships backups captchas event_cursors events export_parts exports idempotency_keys import_rows imports
		schema_migrations search_dirty search_indexes search_mirrors secret_rotations sms_codes sms_days sms_guards task_runs tasks ticket_query_tries one_link_tries signing_keys`,
}

// TestEveryTableOfSettingsIsDeclared fails when a table is new and nobody said whether it holds what an operator sets.
func TestEveryTableOfSettingsIsDeclared(t *testing.T) {
	t.Parallel()
	h := testHouse(t)
	known := map[string]string{"departments": "departments", "roles": "roles", "role_permissions": "roles", "ticket_types": "ticket_types", "exchange_partners": "partners", "policies": "policies",
		"health_states": "health_limits"}
	for _, k := range h.kinds() {
		for _, table := range k.keeps() {
			known[table] = k.keyword()
		}
	}
	for what, names := range noSettings {
		for _, name := range strings.Fields(names) {
			if known[name] != "" {
				t.Errorf("%s is %s and %s", name, what, known[name])
			}
			known[name] = what
		}
	}
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if h.db.Kind() == database.Postgres {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	var tables []string
	if err := h.db.Read().NewRaw(query).Scan(context.Background(), &tables); err != nil || len(tables) < 100 {
		t.Fatal(len(tables), err)
	}
	for _, name := range tables {
		// The full text is made from others, and the queue of jobs has its own tables.
		if strings.HasPrefix(name, "search_") || strings.HasPrefix(name, "river_") {
			continue
		}
		if known[name] == "" {
			t.Errorf("%s: does an operator set what it holds? Then give it a kind in settings_kinds.go; otherwise say here what it holds", name)
		}
		delete(known, name)
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !strings.HasPrefix(name, "search_") {
			t.Errorf("there is no table %s", name)
		}
	}
}
