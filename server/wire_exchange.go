package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/netip"
	"time"

	"github.com/huiqi/huiqi/integrations/partners/webhook"
	"github.com/huiqi/huiqi/modules/exchange"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// pushTime is how long one push may take, a third of what a job may.
const pushTime = 10 * time.Second

// openExchange makes the exchange and has it listen. What the district announces is told here by name; the exchange knows
// no other module.
func (h *house) openExchange(c Config, p parts, w *jobs.Workers) {
	h.exchange = exchange.New(exchange.Deps{
		DB: h.db, Clock: p.clock, Box: h.box, Pusher: pusher{&webhook.Client{Timeout: pushTime, Clock: p.clock}}, Log: p.log,
		Source: hostOf(c.PublicURL), Topics: exchangeTopics(), Fields: exchangeFields(),
	}, w)
	h.listeners = append(h.listeners, h.withoutSecrets(h.exchange.Listener()))
}

// exchangeTopics are the events partners may subscribe to.
func exchangeTopics() []exchange.Topic {
	var all []exchange.Topic
	for _, g := range []struct {
		group  string
		topics [][2]string
	}{
		{"工单", [][2]string{
			{"ticket.opened", "工单受理"}, {"ticket.answered", "工单直接答复"}, {"ticket.declined", "工单不予受理"}, {"ticket.dispatched", "工单派单"},
			{"ticket.signed", "工单签收"}, {"ticket.replied", "工单反馈办理结果"}, {"ticket.called_back", "工单电话回访"}, {"ticket.reopened", "工单退回重办"}, {"ticket.classified", "工单更正类型和紧急程度"},
			{"ticket.closed", "工单办结"}, {"ticket.voided", "工单作废"}, {"ticket.rated", "工单评价"},
			{"ticket.suspended", "工单挂起"}, {"ticket.resumed", "工单恢复办理"}, {"ticket.extension_decided", "工单延期审批"}, {"ticket.reviewed", "工单审核通过"},
			{"ticket.merged", "工单并单"}, {"ticket.unmerged", "撤销并单"}, {"ticket.archived", "工单归档"}, {"ticket.undone", "撤销上一步操作"},
		}},
		{"申请", [][2]string{
			{"application.submitted", "申请提交"}, {"application.accepted", "申请受理"}, {"application.declined", "申请不予受理"}, {"application.withdrawn", "申请撤回"},
			{"application.supplement_asked", "申请要求补正"}, {"application.supplemented", "申请补正提交"}, {"application.filled", "申请信息补填"}, {"application.progressed", "申请办理进展"},
			{"application.approved", "申请审批通过"}, {"application.disbursed", "申请放款"}, {"application.completed", "申请办结"},
		}},
		{"企业", [][2]string{{"enterprise.verified", "企业认证通过"}}},
	} {
		for _, t := range g.topics {
			all = append(all, exchange.Topic{Type: t[0], Label: t[1], Group: g.group})
		}
	}
	return all
}

// exchangeFields are the fields of the facts that may leave. No phone is among them; internal notes and names are chosen on
// purpose only.
func exchangeFields() []exchange.Field {
	plain := func(object, key, label string) exchange.Field {
		return exchange.Field{Object: object, Key: key, Label: label, Kind: exchange.Plain, Standard: true}
	}
	chosen := func(f exchange.Field, kind exchange.FieldKind) exchange.Field {
		f.Kind, f.Standard = kind, false
		return f
	}
	return []exchange.Field{
		plain("ticket", "title", "标题"), plain("ticket", "type", "诉求类型编码"), plain("ticket", "urgency", "紧急程度"), plain("ticket", "source", "来源"),
		plain("ticket", "dueAt", "办理时限"), plain("ticket", "oldDueAt", "原办理时限"), plain("ticket", "unitName", "承办单位"), plain("ticket", "fromName", "派单单位"),
		plain("ticket", "enterpriseName", "企业名称"), plain("ticket", "text", "答复或办理结果"), plain("ticket", "reason", "不予受理、作废、挂起或撤销的原因"),
		plain("ticket", "outcome", "回访结果"), plain("ticket", "rating", "评价星级"), plain("ticket", "opinion", "评价内容"),
		chosen(plain("ticket", "note", "内部备注"), exchange.Plain), chosen(plain("ticket", "actor", "办理人姓名"), exchange.Name),
		plain("application", "productName", "产品名称"), plain("application", "kind", "产品类别"), plain("application", "institutionName", "服务机构"),
		plain("application", "enterpriseName", "企业名称"), plain("application", "reason", "原因或补正要求"),
		plain("application", "amount", "金额（分）"), plain("application", "rate", "年利率（基点）"), plain("application", "term", "期限（月）"),
		chosen(plain("application", "note", "办理说明"), exchange.Plain), chosen(plain("application", "actor", "办理人姓名"), exchange.Name),
		plain("enterprise", "name", "企业名称"), plain("enterprise", "creditCode", "统一社会信用代码"), chosen(plain("enterprise", "actor", "办理人姓名"), exchange.Name),
	}
}

// pusher lets the exchange push through webhooks.
type pusher struct{ client *webhook.Client }

var _ exchange.Pusher = pusher{}

// Check says in Chinese why an address can never be used.
func (p pusher) Check(e exchange.Endpoint) error {
	err := webhook.CheckURL(endpoint(e))
	if err == nil {
		return nil
	}
	message := "推送地址无法识别，请按 https://example.gov.cn/events 的形式填写"
	var a *webhook.AddressError
	if errors.As(err, &a) {
		switch a.Why {
		case webhook.OtherScheme, webhook.PlainHTTP:
			message = "推送地址应以 https:// 开头；政务内网地址请先登记所在网段"
		case webhook.HasPassword:
			message = "推送地址中不能带用户名或密码，请删除后填写"
		case webhook.NoHost:
			message = "推送地址缺少域名，请核对"
		case webhook.OddAddress:
			message = "推送地址中的 IP 写法不规范，请按四段数字填写"
		case webhook.NotPublic:
			message = "推送地址是内网或本机地址，请先登记对接方所在的内网网段"
		case webhook.OtherPort:
			message = "推送地址的端口不在允许范围内，请使用 443、8443、80 或 8080"
		}
	}
	return fault.InvalidField("url", "URL_NOT_ALLOWED", message).Wrap(err)
}

// Encode writes the event as CloudEvents.
func (p pusher) Encode(e exchange.Envelope) ([]byte, error) {
	return webhook.Envelope{ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Time: e.At, Sequence: e.Sequence, Data: e.Data}.JSON()
}

// NewSecret makes a Standard Webhooks secret of 32 bytes.
func (p pusher) NewSecret() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	return "whsec_" + base64.StdEncoding.EncodeToString(raw)
}

// Push sends once.
func (p pusher) Push(ctx context.Context, e exchange.Endpoint, m exchange.Message) exchange.Outcome {
	r, err := p.client.Push(ctx, endpoint(e), webhook.Delivery{ID: m.ID, Timestamp: m.At, Body: m.Body})
	if err == nil {
		return exchange.Outcome{Taken: true, Status: r.Status, Receipt: r.PartnerID}
	}
	var f *webhook.Failure
	if !errors.As(err, &f) {
		return exchange.Outcome{Trouble: exchange.Unreachable, Err: err}
	}
	return exchange.Outcome{Status: f.Status, Trouble: exchange.Trouble(f.Cause), RetryAfter: f.RetryAfter, Err: err}
}

func endpoint(e exchange.Endpoint) webhook.Endpoint {
	out := webhook.Endpoint{URL: e.URL, Secret: e.Secret, AllowHosts: e.AllowHosts}
	for _, c := range e.AllowCIDRs {
		if n, err := netip.ParsePrefix(c); err == nil {
			out.AllowCIDRs = append(out.AllowCIDRs, n)
		}
	}
	return out
}
