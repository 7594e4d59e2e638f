package server

import (
	"context"
	"fmt"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/portal"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web/page"
)

// portalOf joins what the modules give to the portal's own pages. What a module does not give does not appear.
func (h *house) portalOf(p parts) *portal.Portal {
	visitor := access.Actor{Party: access.Anonymous}
	blocks := portal.Parts{
		Log: p.log, Clock: p.clock,
		Quick: page.QuickMatch{Action: "/policies/match", Placeholder: "一句话找政策，如：烘焙店更换设备有没有补助", Examples: []page.Link{
			{Text: "首次贷款贴息", URL: "/policies/match?q=贷款贴息"}, {Text: "招聘高校毕业生", URL: "/policies/match?q=高校毕业生"}, {Text: "数字化改造", URL: "/policies/match?q=数字化"},
		}},
		PolicyCards: h.policies.Latest,
		NewsCards: func(ctx context.Context, n int) ([]page.Notice, error) {
			return h.content.Latest(ctx, visitor, content.News, n)
		},
		NoticeCards: func(ctx context.Context, n int) ([]page.Notice, error) {
			return h.content.Latest(ctx, visitor, content.Notice, n)
		},
		Figures: []portal.Figure{
			{Label: "已认证企业", Unit: "家", Count: h.enterprises.CountVerified},
			{Label: "有效惠企政策", Unit: "件", Count: h.policies.CountLive},
			{Label: "已办结诉求", Unit: "件", Count: h.tickets.CountClosed},
		},
		Sources: []portal.Source{
			{Key: "policy", Name: "政策", Search: func(ctx context.Context, actor access.Actor, q string, limit int) ([]portal.Hit, error) {
				found, err := h.policies.Search(ctx, actor, q, limit)
				hits := make([]portal.Hit, 0, len(found))
				for _, f := range found {
					hits = append(hits, portal.Hit{Title: f.Title, URL: f.URL, Summary: f.Summary, Meta: f.Meta})
				}
				return hits, err
			}},
			h.demandSource(),
			h.contentSource("news", "资讯公告", content.News, content.Notice),
			h.contentSource("help", "帮助", content.Help),
		},
		Mine: portal.Mine{
			Company: h.myCompany,
			Unread:  h.messages.Unread,
			Cases: []portal.CaseList{{
				Title: "我的申请", All: "/applications", New: page.Link{Text: "去选产品", URL: "/products"},
				Empty: "还没有提交过申请。在服务产品里选择贷款或专业服务，填写申请后，进度会显示在这里。", Load: h.myApplications,
			}, {
				Title: "我的诉求", All: "/tickets", New: page.Link{Text: "提交诉求", URL: "/tickets/new"},
				Empty: "还没有提交过诉求。遇到政策、审批、用工、水电气热等方面的问题，都可以提出。", Load: h.myTickets,
			}},
		},
	}
	h.addCatalog(&blocks)
	return portal.New(blocks)
}

// siteInfo is what the rules for government sites want in the footer. A demo that says nothing about itself shows where
// each line stands.
func siteInfo(c Config) page.SiteInfo {
	if c.Demo && c.Site.Host == "" {
		return page.SiteInfo{Name: c.Site.Name, Host: c.District + "人民政府〔演示〕", Organizer: "区政务服务和数据管理局〔演示〕", Contact: "010-00012345〔演示〕",
			Address: "区政务服务中心〔演示〕", ServiceHours: "热线全天接听", ICP: "京ICP备00000000号〔演示〕", IDCode: "0000000000〔演示〕"}
	}
	return page.SiteInfo{Name: c.Site.Name, Host: c.Site.Host, Contact: c.Site.Contact, ICP: c.Site.ICP, PoliceRecord: c.Site.PoliceRecord, IDCode: c.Site.IDCode}
}

// myCompany tells a person how their company stands.
func (h *house) myCompany(ctx context.Context, actor access.Actor) (portal.Company, error) {
	m, err := h.enterprises.Mine(ctx, actor)
	if err != nil {
		return portal.Company{}, err
	}
	c := portal.Company{Name: m.Name, State: enterprise.Tag(m.Verification), Action: page.Link{Text: "查看企业信息", URL: "/company"}}
	switch m.Verification {
	case enterprise.Verified:
		c.Text = "可以申请服务产品，按企业信息匹配政策。"
	case enterprise.Pending:
		c.Text = "营业执照已提交，审核结果会以消息通知您。"
	case enterprise.Returned:
		c.Text = "认证材料被退回，请按说明修改后重新提交。"
		c.Action.Text = "重新提交认证"
	default:
		c.Text = "完成企业认证后，可以申请服务产品、匹配政策。"
		c.Action.Text = "去认证"
	}
	return c, nil
}

// myApplications lists the latest applications of the actor's company for 我的.
func (h *house) myApplications(ctx context.Context, actor access.Actor, n int) ([]page.ItemCard, error) {
	items, _, err := h.applications.List(ctx, actor, application.ListFilter{Limit: n})
	cards := make([]page.ItemCard, 0, len(items))
	for _, i := range items {
		cards = append(cards, i.Card())
	}
	return cards, err
}

// myTickets lists the actor's latest requests for 我的.
func (h *house) myTickets(ctx context.Context, actor access.Actor, n int) ([]page.ItemCard, error) {
	items, _, err := h.tickets.List(ctx, actor, ticket.ListFilter{Limit: n})
	cards := make([]page.ItemCard, 0, len(items))
	for _, i := range items {
		cards = append(cards, i.Card())
	}
	return cards, err
}

// demandSource lets the portal's search look through the hall, where everybody reads the same.
func (h *house) demandSource() portal.Source {
	return portal.Source{
		Key: "demand", Name: "企业需求",
		Search: func(ctx context.Context, _ access.Actor, q string, limit int) ([]portal.Hit, error) {
			found, err := h.demands.Search(ctx, q, limit)
			hits := make([]portal.Hit, 0, len(found))
			for _, f := range found {
				hits = append(hits, portal.Hit{Title: f.Title, URL: fmt.Sprintf("/demands/%d", f.ID), Summary: f.Summary, Meta: []string{f.KindName, f.Company, f.Budget, "报价截止 " + f.Until}})
			}
			return hits, err
		},
		Count: func(ctx context.Context, _ access.Actor, q string, limit int) (int, error) {
			return h.demands.CountFound(ctx, q, limit)
		},
	}
}

// contentSource lets the portal's search look through articles.
func (h *house) contentSource(key, name string, kinds ...content.Kind) portal.Source {
	return portal.Source{
		Key: key, Name: name,
		Search: func(ctx context.Context, actor access.Actor, q string, limit int) ([]portal.Hit, error) {
			words, err := search.Parse(q)
			if err != nil {
				return nil, err
			}
			found, err := h.content.Search(ctx, actor, words, limit, kinds...)
			hits := make([]portal.Hit, 0, len(found))
			for _, f := range found {
				hit := portal.Hit{Title: f.Title, URL: f.Address(), Summary: f.Text, Meta: []string{f.ColumnName}}
				if f.Kind != content.Help {
					hit.Meta = append(hit.Meta, page.Date(f.PublishAt), "来源："+f.Source)
				}
				hits = append(hits, hit)
			}
			return hits, err
		},
		Count: func(ctx context.Context, actor access.Actor, q string, limit int) (int, error) {
			words, err := search.Parse(q)
			if err != nil {
				return 0, err
			}
			return h.content.CountFound(ctx, actor, words, limit, kinds...)
		},
	}
}
