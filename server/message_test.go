package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/integrations/sms"
	"github.com/huiqi/huiqi/integrations/wechat"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// staffList answers the same people for every institution and right, and notes what it was asked.
type staffList struct{ asked []string }

func (s *staffList) InstitutionUsers(_ context.Context, _ bun.IDB, id int64) ([]int64, error) {
	s.asked = append(s.asked, fmt.Sprintf("institution %d", id))
	return []int64{901, 902}, nil
}

func (s *staffList) DepartmentUsers(_ context.Context, _ bun.IDB, id int64, right access.Permission) ([]int64, error) {
	s.asked = append(s.asked, fmt.Sprintf("department %d %s", id, right))
	return []int64{905, 906}, nil
}

func (s *staffList) UsersWith(_ context.Context, _ bun.IDB, right access.Permission) ([]int64, error) {
	s.asked = append(s.asked, string(right))
	return []int64{903}, nil
}

func (s *staffList) Reviewing(ctx context.Context, db bun.IDB, right access.Permission) ([]int64, error) {
	return s.UsersWith(ctx, db, right)
}

// told is a fact in the words of the module that announces it.
type told struct {
	typ, object string
	facts       map[string]any
}

func (f told) Event() (string, string, int64) { return f.typ, f.object, int64(f.facts["id"].(int)) }

func (f told) MarshalJSON() ([]byte, error) { return json.Marshal(f.facts) }

// TestFactsBecomeMessages appends facts of every kind as their modules tell them and reads who was told what.
func TestFactsBecomeMessages(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	her, err := h.identity.Authenticate(ctx, owner(t, h, "13800138021"))
	if err != nil {
		t.Fatal(err)
	}
	application := func(typ, status string, more map[string]any) told {
		f := map[string]any{"id": 12, "number": "SQ20261124-000012", "version": 2, "status": status, "productId": 5, "productName": "云贷〔演示〕", "kind": "finance",
			"institutionId": 31, "institutionName": "云河银行〔演示〕", "enterpriseId": 70, "enterpriseName": "麦香烘焙", "userId": her.UserID}
		for k, v := range more {
			f[k] = v
		}
		return told{"application." + typ, "application", f}
	}
	product := func(typ string) told {
		return told{"product." + typ, "product", map[string]any{"id": 5, "name": "云贷〔演示〕", "kind": "finance", "version": 3, "status": typ,
			"institutionId": 31, "institutionName": "云河银行〔演示〕", "reason": "利率写法不规范"}}
	}
	enterprise := func(typ string) told {
		return told{"enterprise." + typ, "enterprise", map[string]any{"id": 70, "name": "麦香烘焙", "userId": her.UserID, "reason": "法定代表人不一致", "by": "review"}}
	}
	bySystem, old, case4 := enterprise("verification_refused"), enterprise("verification_refused"), enterprise("verification_pending")
	bySystem.facts["by"] = "registry"
	delete(old.facts, "by")
	case4.facts["attemptId"] = 4
	changing := func(typ string) told {
		c := enterprise(typ)
		c.facts["attemptId"] = 5
		c.facts["changes"] = []map[string]string{{"what": "name", "label": "企业名称", "from": "麦香面包房", "to": "麦香食品"}, {"what": "legalPerson", "label": "法定代表人", "from": "王丽", "to": "李雷"}}
		return c
	}
	changedByRegistry := changing("changed")
	changedByRegistry.facts["by"] = "registry"
	join := func(typ string) told {
		return told{"enterprise_join." + typ, "enterprise_join", map[string]any{"id": 8, "enterpriseId": 70, "enterpriseName": "麦香烘焙", "userId": her.UserID, "ownerId": 904, "reason": "不认识此人。"}}
	}
	own := product("taken_down")
	own.facts["own"] = true
	of := func(typ string, user int64, more map[string]any) told {
		f := map[string]any{"id": 3, "number": "GD20261124-000003", "title": "路灯不亮", "unitName": "区城市管理委员会", "userId": user}
		for k, v := range more {
			f[k] = v
		}
		return told{"ticket." + typ, "ticket", f}
	}
	partner := func(typ string) told {
		return told{"exchange." + typ, "exchange_partner", map[string]any{"id": 6, "code": "city-hotline", "name": "市级热线平台", "deliveryId": 8,
			"number": "GD20261124-000003", "reason": "对方返回 422，对方认为内容不合格"}}
	}
	needed := func(typ string, more map[string]any) told {
		f := map[string]any{"id": 7, "number": "XQ20261130-000007", "title": "代理记账", "state": "open", "enterpriseName": "麦香烘焙", "userId": her.UserID, "until": "2026-12-10",
			"institutionId": 31, "institutionName": "云河银行〔演示〕"}
		for k, v := range more {
			f[k] = v
		}
		return told{"demand." + typ, "demand", f}
	}
	staff := []int64{901, 902}
	at := time.Now().UTC().Truncate(queueNotice)
	for i, c := range []struct {
		fact  told
		asked string
		to    []int64
		says  string
		link  string
	}{
		{needed("submitted", nil), "demand.review", []int64{903}, "麦香烘焙提交了需求“代理记账”（XQ20261130-000007），请审核。", "/demand-reviews?open=7"},
		{needed("returned", map[string]any{"reason": "需求说明不够具体。"}), "", []int64{her.UserID}, "被退回：需求说明不够具体。请修改", "/my/demands/7"},
		{needed("approved", nil), "", []int64{her.UserID}, "报价截止 2026-12-10", "/my/demands/7"},
		{needed("invited", nil), "institution 31", staff, "平台邀请贵机构为需求“代理记账”", "/demand-hall?open=7"},
		{needed("quoted", nil), "", []int64{her.UserID}, "云河银行〔演示〕为您的需求“代理记账”", "/my/demands/7"},
		{needed("quoted", map[string]any{"changed": true}), "", []int64{her.UserID}, "修改了对需求", "/my/demands/7"},
		{needed("unfit", map[string]any{"reason": "该报价所用的产品“云贷”已下架"}), "institution 31", staff, "但该报价所用的产品“云贷”已下架。请尽快", "/demand-hall?open=7"},
		{needed("quoting_over", map[string]any{"pickUntil": "2026-12-17"}), "", []int64{her.UserID}, "请在 2026-12-17 前选定一家", "/my/demands/7"},
		{needed("picked", map[string]any{"applicationId": 12, "applicationNumber": "SQ20261124-000012"}), "institution 31", staff, "已生成申请 SQ20261124-000012", "/applications/12"},
		{needed("passed_over", nil), "institution 31", staff, "选定了其他机构", "/demand-hall?open=7"},
		{needed("quote_ended", nil), "institution 31", staff, "企业没有选定报价", "/demand-hall?open=7"},
		{needed("closed", nil), "", nil, "", ""},
		{application("submitted", "submitted", nil), "institution 31", staff, "麦香烘焙申请了“云贷〔演示〕”（SQ20261124-000012），请及时受理。", "/applications/12"},
		{application("accepted", "accepted", nil), "", []int64{her.UserID}, "云河银行〔演示〕已受理您的申请“云贷〔演示〕”（SQ20261124-000012），后续进度会继续通知您。", "/applications/12"},
		{application("declined", "declined", map[string]any{"reason": "不在服务区域"}), "", []int64{her.UserID}, "未通过。原因：不在服务区域", "/applications/12"},
		{application("supplement_asked", "supplement", map[string]any{"note": "近三个月流水"}), "", []int64{her.UserID}, "需要补充材料：近三个月流水。", "/applications/12"},
		{application("supplemented", "accepted", nil), "institution 31", staff, "补充材料，请继续办理", "/applications/12"},
		{application("progressed", "surveyed", nil), "", []int64{her.UserID}, "有新进展：云河银行〔演示〕正在办理", "/applications/12"},
		{application("progressed", "in_progress", map[string]any{"note": "已上门尽调"}), "", []int64{her.UserID}, "有新进展：已上门尽调", "/applications/12"},
		{application("approved", "approved", map[string]any{"amount": 50_000_000, "rate": 385, "term": 12, "note": "随借随还"}), "", []int64{her.UserID},
			"已审批通过。金额 50 万元，年利率 3.85%，期限 12 个月。随借随还", "/applications/12"},
		{application("disbursed", "disbursed", map[string]any{"amount": 50_000_000}), "", []int64{her.UserID}, "已放款。金额 50 万元。", "/applications/12"},
		{application("handed_over", "in_progress", map[string]any{"handlerId": 902, "byId": 901, "fromName": "王静", "note": "请今天联系"}), "", []int64{902}, "王静把麦香烘焙申请“云贷〔演示〕”（SQ20261124-000012）转交您经办。请今天联系", "/applications/12"},
		{application("handed_over", "in_progress", map[string]any{"handlerId": 902, "byId": 902}), "", nil, "", ""},
		{application("due_warned", "submitted", map[string]any{"for": "accept", "dueAt": "2026-11-26T10:00:00Z"}), "institution 31", staff, "受理时限将于", "/applications/12"},
		{application("due_warned", "accepted", map[string]any{"for": "handle", "handlerId": 902, "dueAt": "2026-11-26T10:00:00Z"}), "", []int64{902}, "办理时限将于", "/applications/12"},
		{application("completed", "completed", nil), "", []int64{her.UserID}, "已办结。", "/applications/12"},
		{application("completed", "completed", map[string]any{"by": "enterprise"}), "institution 31", staff, "麦香烘焙已确认“云贷〔演示〕”的交付", "/applications/12"},
		{application("filled", "accepted", nil), "institution 31", staff, "的必填信息，请查看", "/applications/12"},
		{application("objected", "in_progress", map[string]any{"reason": "报告缺少盖章页"}), "institution 31", staff, "提出异议：报告缺少盖章页。请沟通后重新交付", "/applications/12"},
		{application("planned", "in_progress", map[string]any{"edition": 1}), "", []int64{her.UserID}, "登记了服务方案", "/applications/12"},
		{application("step_done", "in_progress", map[string]any{"title": "出具初稿"}), "", []int64{her.UserID}, "完成了一个步骤：出具初稿", "/applications/12"},
		{application("delivered", "delivered", map[string]any{"confirmUntil": "2026-12-04T10:00:00Z"}), "", []int64{her.UserID}, "前确认，不符合约定的请提出异议；到期未提出的，视为确认。", "/applications/12"},
		{application("due_warned", "delivered", map[string]any{"for": "confirm", "dueAt": "2026-12-04T10:00:00Z"}), "", []int64{her.UserID}, "即将到期；到期未提出异议的，视为确认", "/applications/12"},
		{application("investigated", "in_progress", map[string]any{"day": "2026-11-20"}), "", []int64{her.UserID}, "开展尽职调查", "/applications/12"},
		{application("withdrawn", "withdrawn", nil), "institution 31", staff, "撤回了", "/applications/12"},
		{product("submitted"), "product.review_platform", []int64{903}, "请初审", "/products/5"},
		{product("passed_platform"), "product.review_government", []int64{903}, "请终审", "/products/5"},
		{product("listed"), "institution 31", staff, "已通过审核并上架", "/products/5"},
		{product("returned"), "institution 31", staff, "被退回修改：利率写法不规范", "/products/5"},
		{product("taken_down"), "institution 31", staff, "已下架：利率写法不规范", "/products/5"},
		{own, "", nil, "", ""},
		{product("expired"), "institution 31", staff, "已到期", "/products/5"},
		{enterprise("verified"), "", []int64{her.UserID}, "“麦香烘焙”已通过企业认证", "/company"},
		{enterprise("verification_refused"), "", []int64{her.UserID}, "未通过：法定代表人不一致。请核对后重新提交。", "/company"},
		{bySystem, "", nil, "", ""},
		{old, "", nil, "", ""},
		{case4, "enterprise.review", []int64{903}, "请审核", "/enterprise-reviews?open=4"},
		{enterprise("verification_pending"), "enterprise.review", []int64{903}, "请审核", "/enterprise-reviews"},
		{enterprise("registered"), "", nil, "", ""},
		{changing("changed"), "", []int64{her.UserID}, "已通过审核，企业名称由“麦香面包房”变更为“麦香食品”，法定代表人由“王丽”变更为“李雷”。", "/company/change"},
		{changedByRegistry, "", nil, "", ""},
		{changing("change_refused"), "", []int64{her.UserID}, "法定代表人由“王丽”变更为“李雷”）被退回：法定代表人不一致。", "/company/change"},
		{changing("change_pending"), "enterprise.review", []int64{903}, "申请变更登记：企业名称由“麦香面包房”变更为“麦香食品”", "/enterprise-reviews?open=5"},
		{join("asked"), "", []int64{904}, "申请加入“麦香烘焙”", "/company"},
		{join("admitted"), "", []int64{her.UserID}, "您已加入“麦香烘焙”", "/company"},
		{join("refused"), "", []int64{her.UserID}, "未通过：不认识此人。", "/company"},
		{join("disputed"), "enterprise.review", []int64{903}, "的归属提出异议", "/enterprise-joins"},
		{of("answered", her.UserID, map[string]any{"text": "可在线申报"}), "", []int64{her.UserID}, "已答复：可在线申报", "/tickets/3"},
		{of("replied", her.UserID, map[string]any{"text": "已修复"}), "", []int64{her.UserID}, "区城市管理委员会已反馈您的诉求“路灯不亮”（GD20261124-000003）：已修复", "/tickets/3"},
		{of("declined", her.UserID, map[string]any{"reason": "请依法申请行政复议"}), "", []int64{her.UserID}, "不予受理：请依法申请行政复议", "/tickets/3"},
		{of("closed", her.UserID, nil), "", []int64{her.UserID}, "请对办理结果作出评价", "/tickets/3"},
		{of("reopened", her.UserID, nil), "", []int64{her.UserID}, "已交区城市管理委员会重新办理", "/tickets/3"},
		{of("reopened", 0, map[string]any{"unitId": 40}), "department 40 ticket.sign", []int64{905, 906}, "已退回区城市管理委员会重新办理", "/tickets/3"},
		{of("dispatched", her.UserID, map[string]any{"unitId": 40}), "department 40 ticket.sign", []int64{905, 906},
			"诉求“路灯不亮”（GD20261124-000003）已派至区城市管理委员会，请及时签收办理。", "/tickets/3"},
		{of("opened", her.UserID, map[string]any{"source": "h5", "urgency": "normal"}), "ticket.dispatch", []int64{903}, "有新的企业诉求等待答复或派单", "/tickets?scope=waiting"},
		{of("opened", her.UserID, map[string]any{"source": "h5", "urgency": "normal"}), "ticket.dispatch", nil, "", ""}, // told already
		{of("opened", her.UserID, map[string]any{"source": "h5", "urgency": "urgent"}), "ticket.dispatch", []int64{903}, "收到企业诉求“路灯不亮”（GD20261124-000003），请及时答复或派单。", "/tickets/3"},
		{of("opened", 0, map[string]any{"source": "agent"}), "", nil, "", ""},
		{of("opened", 0, map[string]any{"source": "agent", "urgency": "critical"}), "ticket.arbitrate", []int64{903}, "收到特急诉求“路灯不亮”（GD20261124-000003），请立即处置并督办。", "/tickets/3"},
		{of("opened", 0, map[string]any{"source": "import", "urgency": "critical"}), "", nil, "", ""},
		{of("classified", her.UserID, map[string]any{"wasUrgency": "normal", "urgency": "urgent", "type": "light", "wasType": "light", "dueAt": "2026-11-25T02:00:00Z", "status": "signed",
			"units": []map[string]any{{"unitId": 40}}, "holders": []int64{906, 907}}), "department 40 ticket.sign", []int64{905, 906, 907}, "紧急程度由“一般”改为“紧急”，办理时限仍为2026年11月25日 10:00。请优先办理。", "/tickets/3"},
		{of("classified", her.UserID, map[string]any{"wasUrgency": "urgent", "urgency": "normal", "units": []map[string]any{{"unitId": 40}}}), "", nil, "", ""},
		{of("classified", 0, map[string]any{"wasUrgency": "normal", "urgency": "normal", "wasType": "road", "type": "light", "wasTypeName": "道路", "typeName": "路灯", "units": []map[string]any{{"unitId": 40}},
			"moves": []map[string]any{{"kind": "public", "oldDueAt": "2026-11-27T02:00:00Z", "newDueAt": "2026-11-25T02:00:00Z"}}}), "department 40 ticket.sign", []int64{905, 906},
			"诉求类型由“道路”更正为“路灯”，办理时限由2026年11月27日 10:00改为2026年11月25日 10:00。请按新的时限办理。", "/tickets/3"},
		{of("signed", her.UserID, map[string]any{"unitId": 40}), "", nil, "", ""},
		{of("replied", 0, nil), "", nil, "", ""},
		{of("noted", 0, map[string]any{"noteId": 5, "mentioned": []int64{901, 902}}), "", staff, "在诉求“路灯不亮”（GD20261124-000003）的内部备注中提醒了您，请查看。", "/tickets/3"},
		{of("noted", her.UserID, map[string]any{"noteId": 6}), "", nil, "", ""}, // mentions nobody
		{partner("stopped"), "exchange.manage", []int64{903}, "向“市级热线平台”推送“GD20261124-000003”的事件已停止：对方返回 422，对方认为内容不合格。请", "/exchange/deliveries?state=dead"},
		{partner("down"), "exchange.manage", []int64{903}, "向“市级热线平台”的推送连续失败：对方返回 422，对方认为内容不合格。系统", "/exchange/partners/6"},
		{partner("renamed"), "", nil, "", ""},
		{told{"policy.published", "policy", map[string]any{"id": 1}}, "", nil, "", ""},
	} {
		name := fmt.Sprintf("%d %s", i, c.fact.typ)
		e := mustAppend(t, h, c.fact)
		e.At = at
		var last int64
		if err := h.db.Read().NewSelect().TableExpr("messages").ColumnExpr("coalesce(max(id), 0)").Scan(ctx, &last); err != nil {
			t.Fatal(err)
		}
		asked := &staffList{}
		listener := notices{messages: h.messages, audience: asked, log: slog.New(slog.DiscardHandler)}.listener()
		for range 2 { // a listener may read a fact again
			if err := h.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return listener.Batch(ctx, tx, []event.Event{e}) }); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if c.asked != "" && (len(asked.asked) == 0 || asked.asked[0] != c.asked) {
			t.Errorf("%s asked for %v", name, asked.asked)
		}
		var rows []struct {
			UserID int64
			Text   string
			Link   string
		}
		if err := h.db.Read().NewSelect().TableExpr("messages").Column("user_id", "text", "link").Where("id > ?", last).
			OrderExpr("user_id").Scan(ctx, &rows); err != nil {
			t.Fatal(err)
		}
		var to []int64
		for _, r := range rows {
			to = append(to, r.UserID)
			if !strings.Contains(r.Text, c.says) || r.Link != c.link {
				t.Errorf("%s says %q and leads to %s", name, r.Text, r.Link)
			}
		}
		if !slices.Equal(to, c.to) {
			t.Errorf("%s was told to %v, want %v", name, to, c.to)
		}
	}
}

func mustAppend(t *testing.T, h *house, fact event.Fact) event.Event {
	t.Helper()
	var e event.Event
	err := h.db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		var err error
		e, err = event.Append(ctx, tx, access.SystemActor("test"), clock.System{}.Now(), fact)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestABadFactStopsNobody has a listener that fails, a fact that cannot be read and a good one after them.
func TestABadFactStopsNobody(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	her, err := h.identity.Authenticate(ctx, owner(t, h, "13800138022"))
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, h, told{"application.accepted", "application", map[string]any{"id": 1, "number": 7}})
	mustAppend(t, h, told{"ticket.closed", "ticket", map[string]any{"id": 3, "number": "GD20261124-000003", "title": "路灯不亮", "userId": her.UserID}})
	var log bytes.Buffer
	broken := event.Listener{Name: "broken", Handle: func(context.Context, bun.Tx, event.Event) error { return errors.New("cannot") }}
	feed := event.NewFeed(h.db, slog.New(slog.DiscardHandler), broken, notices{messages: h.messages, audience: &staffList{}, log: slog.New(slog.NewTextHandler(&log, nil))}.listener())
	if err := feed.Drain(ctx); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Fatalf("%v", err)
	}
	if n, err := h.messages.Unread(ctx, her); err != nil || n != 1 {
		t.Fatalf("%d messages, %v", n, err)
	}
	if !strings.Contains(log.String(), "application.accepted") || strings.Contains(log.String(), "138001380") {
		t.Errorf("the log says %q", log.String())
	}
}

// TestTheRequesterIsTold runs a ticket through the desk and reads her list through the interface.
func TestTheRequesterIsTold(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	token := owner(t, h, "13800138023")
	her, err := h.identity.Authenticate(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	types, err := h.tickets.Types(ctx, her)
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.tickets.Open(ctx, her, ticket.OpenTicket{Type: types[0].Code, Title: "路灯不亮", Body: "门前路灯坏了", Source: "h5"})
	if err != nil {
		t.Fatal(err)
	}
	desk := access.SystemActor("desk")
	if _, err := h.tickets.Answer(ctx, desk, ticket.AnswerTicket{Ref: ticket.Ref{ID: v.ID, Version: v.Version}, Text: "已转修，今晚恢复。"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.feed.Drain(ctx); err != nil {
			t.Fatal(err)
		}
	}
	status, text := ask(t, h, "GET", "/api/messages", token, "")
	if status != 200 || strings.Count(text, `"title":`) != 1 || !strings.Contains(text, "已转修，今晚恢复。") || !strings.Contains(text, fmt.Sprintf(`"link":"/tickets/%d"`, v.ID)) {
		t.Fatalf("%d %s", status, text)
	}
	var texts int
	if err := h.db.Read().NewRaw("SELECT count(*) FROM sms_messages WHERE template = 'ticket.answered' AND user_id = ?", her.UserID).Scan(ctx, &texts); err != nil || texts != 1 {
		t.Fatalf("%d text messages, %v", texts, err)
	}
}

// reachable answers the same phone and WeChat account for everybody.
type reachable struct{ phone, openID string }

func (r reachable) Contact(context.Context, bun.IDB, int64) (string, string, error) {
	return r.phone, r.openID, nil
}

type sandboxed struct {
	*message.Service

	t     *testing.T
	clock *clock.Fake
	base  string
	phone string
}

// mustSandbox joins the message centre to the stand-ins of the providers, as a demo does.
func mustSandbox(t *testing.T) sandboxed {
	t.Helper()
	ctx := context.Background()
	secrets := sandbox.Secrets{SMSKeyID: "id", SMSKeySecret: "key", WechatAppID: "wx1", WechatSecret: "sec", WechatToken: "t", WechatAESKey: secret.NewKey()[:43]}
	box, err := sandbox.New(sandbox.Options{DataDir: t.TempDir(), Secrets: secrets, SMSTemplates: demoTexts(), WechatTemplates: demoLayouts()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	web := httptest.NewServer(box.Handler())
	t.Cleanup(web.Close)
	f := sandboxed{t: t, clock: clock.NewFake(time.Now()), base: web.URL, phone: "13800138024"}
	if at := f.clock.Now().In(clock.Beijing); at.Hour() >= 20 {
		f.clock.Advance(-4 * time.Hour) // the letters of this test stay in the stand-in's day
	}
	texts, err := sms.New(sms.Config{AccessKeyID: "id", AccessKeySecret: "key", Endpoint: strings.TrimPrefix(web.URL, "http://") + "/sandbox/sms", Scheme: "http", SignName: "惠企台演示", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	account, err := wechat.New(wechat.Config{AppID: "wx1", AppSecret: "sec", APIBase: web.URL + "/sandbox/wechat", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	seal, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	db := databasetest.New(t, Migrations())
	f.call("POST", "/sandbox/api/phones", `{"phone":"13800138024","subscribed":true,"openid":"oSBXbaker00000001"}`)
	f.Service = message.New(message.Deps{
		DB: db, Clock: f.clock, Box: seal, People: reachable{f.phone, "oSBXbaker00000001"}, Log: slog.New(slog.DiscardHandler),
		Sender: texter{client: texts, templates: demoCodes(demoSMSPrefix, message.SMSNames())},
		Poster: poster{client: account, templates: demoCodes(demoWechatPrefix, message.WechatNames()), base: "https://hq.example/m"},
	}, jobs.NewWorkers())
	q, err := jobs.New(ctx, db, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f.Use(q)
	return f
}

func (f sandboxed) call(method, path, body string) map[string]any {
	f.t.Helper()
	req, err := http.NewRequest(method, f.base+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		f.t.Fatalf("%s %s: %d %v", method, path, res.StatusCode, err)
	}
	return out
}

func (f sandboxed) fault(target string, mode sandbox.Mode) {
	f.t.Helper()
	f.call("POST", "/sandbox/api/faults", fmt.Sprintf(`{"target":%q,"mode":%q,"count":1}`, target, mode))
}

// onPhone counts what the phone shows of a channel.
func (f sandboxed) onPhone(c message.Channel) []any {
	f.t.Helper()
	list, _ := f.call("GET", "/sandbox/api/phones/"+f.phone, "")[string(c)].([]any)
	return list
}

func (f sandboxed) deliver(c message.Channel, id int64) message.LetterView {
	f.t.Helper()
	_ = f.Deliver(context.Background(), access.SystemActor("test"), c, id)
	v, err := f.Letter(context.Background(), access.SystemActor("test"), c, id)
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

func accepted(key string) message.Notice {
	return message.Notice{Key: key, UserID: 7, Template: "application.accepted", Link: "/applications/12", Params: map[string]string{
		"number": "SQ20261124-000012", "productName": "小微企业流动资金贷款（信用类，最高五十万元）〔演示〕", "institutionName": "云河银行〔演示〕", "enterpriseName": "麦香烘焙", "reason": "", "note": "",
	}}
}

// TestEveryTemplateIsTaken sends every template through the stand-ins: they refuse what the providers would refuse.
func TestEveryTemplateIsTaken(t *testing.T) {
	t.Parallel()
	f := mustSandbox(t)
	values := accepted("").Params
	for _, k := range []string{"title", "text", "unitName", "name", "item", "advice", "lasted", "clock", "due", "kind", "until", "left", "issuer", "window", "product", "status", "day", "answer", "count", "oldName", "newName", "step", "changes", "score", "level", "account", "purpose", "effect", "applicationNumber", "change", "urgency"} {
		values[k] = "很长很长的一段文字，\n里面有换行，也有超过二十个字的内容"
	}
	values["number"] = "SQ20261124-000012"
	texts, posts := 0, 0
	for _, tpl := range message.Templates() {
		if tpl.Group == message.Codes {
			continue
		}
		if err := f.DB.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			return f.Notify(ctx, tx, message.Notice{Key: tpl.Code, UserID: 7, Template: tpl.Code, Params: values, Link: "/x"})
		}); err != nil {
			t.Fatalf("%s: %v", tpl.Code, err)
		}
		if tpl.SMS != nil {
			texts++
			if v := f.deliver(message.SMS, int64(texts)); v.State != message.Sent || v.Receipt == "" {
				t.Errorf("%s as a text message: %+v", tpl.Code, v)
			}
		}
		if tpl.Wechat != nil {
			posts++
			if v := f.deliver(message.Wechat, int64(posts)); v.State != message.Sent || v.Receipt == "" {
				t.Errorf("%s in WeChat: %+v", tpl.Code, v)
			}
		}
	}
	if len(f.onPhone(message.SMS)) != texts || len(f.onPhone(message.Wechat)) != posts || texts < 8 || posts < 10 {
		t.Errorf("%d text messages, %d in WeChat, on the phone %d and %d", texts, posts, len(f.onPhone(message.SMS)), len(f.onPhone(message.Wechat)))
	}
}

// TestTheProvidersFail has each stand-in fail in each way: the phone never shows a letter twice, and what did arrive is
// known to have arrived.
func TestTheProvidersFail(t *testing.T) {
	t.Parallel()
	type after struct {
		wait  time.Duration
		state message.State
		shown int
	}
	for _, c := range []struct {
		channel message.Channel
		mode    sandbox.Mode
		then    []after
	}{
		{message.SMS, sandbox.Refuse, []after{{0, message.Queued, 0}, {time.Second, message.Sent, 1}}},                                  // 余额不足 passes
		{message.SMS, sandbox.Fail, []after{{0, message.Unknown, 0}, {2 * time.Minute, message.Queued, 0}, {0, message.Sent, 1}}},       // 503: asked, never seen, sent
		{message.SMS, sandbox.Reset, []after{{0, message.Unknown, 0}, {2 * time.Minute, message.Queued, 0}, {0, message.Sent, 1}}},      // cut before
		{message.SMS, sandbox.Lost, []after{{0, message.Unknown, 1}, {2 * time.Minute, message.Sent, 1}, {time.Hour, message.Sent, 1}}}, // cut after
		{message.SMS, sandbox.Garbage, []after{{0, message.Unknown, 0}, {2 * time.Minute, message.Queued, 0}, {0, message.Sent, 1}}},
		{message.Wechat, sandbox.Refuse, []after{{0, message.Refused, 0}, {time.Hour, message.Refused, 0}}}, // 43004
		{message.Wechat, sandbox.Fail, []after{{0, message.Queued, 0}, {time.Second, message.Sent, 1}}},     // -1 busy
		{message.Wechat, sandbox.Reset, []after{{0, message.Unknown, 0}, {time.Minute, message.Sent, 1}}},
		{message.Wechat, sandbox.Lost, []after{{0, message.Unknown, 1}, {time.Minute, message.Sent, 1}}},
		{message.Wechat, sandbox.Lost, []after{{0, message.Unknown, 1}, {time.Hour, message.Unknown, 1}}}, // found too late: shown, not sent again
	} {
		t.Run(fmt.Sprintf("%s %s", c.channel, c.mode), func(t *testing.T) {
			t.Parallel()
			f := mustSandbox(t)
			if err := f.DB.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error { return f.Notify(ctx, tx, accepted("event:1")) }); err != nil {
				t.Fatal(err)
			}
			f.fault(string(c.channel), c.mode)
			for i, a := range c.then {
				f.clock.Advance(a.wait)
				v := f.deliver(c.channel, 1)
				if shown := len(f.onPhone(c.channel)); v.State != a.state || shown != a.shown {
					t.Fatalf("step %d: %s with %d on the phone, want %s with %d (%+v)", i, v.State, shown, a.state, a.shown, v)
				}
			}
			if n, err := f.Unread(context.Background(), access.Actor{UserID: 7, Party: access.Enterprise}); err != nil || n != 1 {
				t.Errorf("her list has %d, %v", n, err)
			}
		})
	}
}

// TestWhoDoesNotFollow: a tap on the message leads to the case; somebody who stopped following gets no more of them.
func TestWhoDoesNotFollow(t *testing.T) {
	t.Parallel()
	f := mustSandbox(t)
	for i, key := range []string{"event:1", "event:2"} {
		if err := f.DB.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error { return f.Notify(ctx, tx, accepted(key)) }); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if v := f.deliver(message.Wechat, 1); v.State != message.Sent {
				t.Fatalf("%+v", v)
			}
			m := f.onPhone(message.Wechat)[0].(map[string]any)
			if m["title"] != "申请进度通知" || m["url"] != "https://hq.example/m/applications/12" {
				t.Errorf("%v", m)
			}
			f.call("POST", "/sandbox/api/phones", `{"phone":"13800138024","subscribed":false,"openid":"oSBXbaker00000001"}`)
			continue
		}
		if v := f.deliver(message.Wechat, 2); v.State != message.Refused || v.Code != wechat.CodeNotSubscribed {
			t.Fatalf("%+v", v)
		}
	}
}

// TestRareCharactersInTextMessages is bad input 7 through the channel: Hanzi beyond the first plane, variants, marks and emoji
// reach the phone whole, count as one each, and are never cut within.
func TestRareCharactersInTextMessages(t *testing.T) {
	t.Parallel()
	f := mustSandbox(t)
	twenty := func(s string) string { // filled up to the twenty characters that a parameter has
		return s + strings.Repeat("通", 20-utf8.RuneCountInString(s))
	}
	const family, variant, accent = "👩‍👩‍👧", "葛\U000E0100", "e\u0301"
	cases := []struct{ title, want string }{
		{twenty("𠮷野家𬭛䶮㐂·𰻝"), twenty("𠮷野家𬭛䶮㐂·𰻝")},
		{strings.Repeat("𠮷", 20), strings.Repeat("𠮷", 20)},
		{strings.Repeat("𠮷", 21), strings.Repeat("𠮷", 19) + "…"},
		{twenty(variant + "城" + accent + family + "👍🏽🇨🇳"), twenty(variant + "城" + accent + family + "👍🏽🇨🇳")},
		{strings.Repeat("通", 17) + family + "店", strings.Repeat("通", 17) + "…"},
		{strings.Repeat("通", 18) + variant + "城", strings.Repeat("通", 18) + "…"},
		{strings.Repeat("通", 18) + accent + "ab", strings.Repeat("通", 18) + "…"},
		{strings.Repeat("通", 17) + variant + "城市", strings.Repeat("通", 17) + variant + "…"},
		{strings.Repeat("通", 18) + "🇨🇳店", strings.Repeat("通", 18) + "…"},
	}
	for i, c := range cases {
		if err := f.DB.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			return f.Notify(ctx, tx, message.Notice{Key: fmt.Sprint("rare:", i), UserID: 7, Template: "policy.pushed", Link: "/x",
				Params: map[string]string{"title": c.title, "answer": "可能符合", "window": "长期"}})
		}); err != nil {
			t.Fatalf("%q: %v", c.title, err)
		}
		if v := f.deliver(message.SMS, int64(i+1)); v.State != message.Sent {
			t.Fatalf("%q: %+v", c.title, v)
		}
		newest, _ := f.onPhone(message.SMS)[0].(map[string]any)
		params, _ := newest["params"].(map[string]any)
		content, _ := newest["content"].(string)
		if params["title"] != c.want || !strings.Contains(content, "："+c.want+"，请登录惠企台") || strings.ContainsRune(content, utf8.RuneError) {
			t.Errorf("%q came as %q, want %q, in %q", c.title, params["title"], c.want, content)
		}
		if n := utf8.RuneCountInString(c.want); n > 20 {
			t.Errorf("%q has %d characters", c.want, n)
		}
		var whole string
		must(0, f.DB.Read().NewRaw("SELECT text FROM messages ORDER BY id DESC LIMIT 1").Scan(context.Background(), &whole))(t)
		if !strings.Contains(whole, "《"+c.title+"》") {
			t.Errorf("the message on the site says %q of %q", whole, c.title)
		}
	}
}
