package exchange

import (
	"context"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "数据回流"

type partnerOutput struct{ Body PartnerView }

type partnerListInput struct {
	web.Listing
	State PartnerState `query:"state" enum:"active,paused"`
}

type partnerListOutput struct{ Body web.List[PartnerView] }

type partnerGetInput struct {
	ID int64 `path:"id"`
}

// PartnerBody is what a form sends about a partner.
type PartnerBody struct {
	Name           string   `json:"name" maxLength:"300"`
	Note           string   `json:"note,omitempty" maxLength:"2000"`
	URL            string   `json:"url,omitempty" maxLength:"600" doc:"Empty for a partner who only pulls."`
	AllowCIDRs     []string `json:"allowCidrs,omitempty" maxItems:"50" doc:"Private networks the partner may be reached in."`
	Events         []string `json:"events,omitempty" maxItems:"200"`
	Fields         []string `json:"fields,omitempty" maxItems:"500" doc:"As ticket.title."`
	ShowNames      bool     `json:"showNames,omitempty"`
	CallsPerMinute int      `json:"callsPerMinute,omitempty" default:"120"`
	CallsPerDay    int      `json:"callsPerDay,omitempty" default:"20000"`
}

func (b PartnerBody) fields() PartnerFields { return PartnerFields(b) }

type partnerCreateInput struct {
	web.Keyed
	Body struct {
		Code string `json:"code" maxLength:"60"`
		PartnerBody
	}
}

type partnerUpdateInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
		PartnerBody
	}
}

type partnerActInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

func (in *partnerActInput) ref() PartnerRef {
	return PartnerRef{Key: in.Key, ID: in.ID, Version: in.Body.Version}
}

type exchangeTopicsOutput struct {
	Body struct {
		Topics   []Topic  `json:"topics"`
		Fields   []Field  `json:"fields"`
		Standard []string `json:"standard" doc:"The fields of a new partner."`
	}
}

type deliveryListInput struct {
	web.Listing
	Partner int64  `query:"partner"`
	State   State  `query:"state"`
	Subject string `query:"subject" maxLength:"60" doc:"Number of the object, in full."`
}

type deliveryListOutput struct{ Body web.List[DeliveryItem] }

type deliveryGetInput struct {
	ID int64 `path:"id"`
}

type deliveryOutput struct{ Body DeliveryView }

type partnerDeliveryActInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Reason string `json:"reason" maxLength:"800"`
	}
}

func (in *partnerDeliveryActInput) decision() Decision {
	return Decision{Key: in.Key, ID: in.ID, Reason: in.Body.Reason}
}

type keyListOutput struct{ Body web.List[KeyView] }

type keyOutput struct{ Body KeyView }

type partnerKeyIssueInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Name   string              `json:"name" maxLength:"200"`
		Scopes []access.Permission `json:"scopes,omitempty" maxItems:"20"`
	}
}

type keyRevokeInput struct {
	web.Keyed
	ID int64 `path:"id"`
}

type callListInput struct {
	web.Listing
	ID int64 `path:"id"`
}

type callListOutput struct{ Body web.List[CallView] }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	see := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(PermView)}.Huma()
	}
	manage := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(PermManage)}.Huma()
	}
	huma.Register(api, see("GET", "/api/exchange/topics", "可订阅的事件和可推送的字段"), func(ctx context.Context, _ *struct{}) (*exchangeTopicsOutput, error) {
		topics, fields, err := s.Topics(ctx, access.From(ctx))
		out := &exchangeTopicsOutput{}
		out.Body.Topics, out.Body.Fields, out.Body.Standard = topics, fields, append([]string{}, s.offer.standard()...)
		return out, err
	})
	huma.Register(api, see("GET", "/api/exchange/partners", "对接方列表"), func(ctx context.Context, in *partnerListInput) (*partnerListOutput, error) {
		items, next, err := s.Partners(ctx, access.From(ctx), PartnerFilter{State: in.State, Cursor: in.Cursor, Limit: in.Limit})
		return &partnerListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, see("GET", "/api/exchange/partners/{id}", "对接方详情"), func(ctx context.Context, in *partnerGetInput) (*partnerOutput, error) {
		return partnerOut(s.Partner(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, manage("POST", "/api/exchange/partners", "新增对接方"), func(ctx context.Context, in *partnerCreateInput) (*partnerOutput, error) {
		return partnerOut(s.Create(ctx, access.From(ctx), CreatePartner{Key: in.Key, Code: in.Body.Code, PartnerFields: in.Body.fields()}))
	})
	huma.Register(api, manage("PUT", "/api/exchange/partners/{id}", "修改对接方"), func(ctx context.Context, in *partnerUpdateInput) (*partnerOutput, error) {
		return partnerOut(s.Update(ctx, access.From(ctx), UpdatePartner{Key: in.Key, ID: in.ID, Version: in.Body.Version, PartnerFields: in.Body.fields()}))
	})
	huma.Register(api, manage("POST", "/api/exchange/partners/{id}/pause", "暂停推送"), func(ctx context.Context, in *partnerActInput) (*partnerOutput, error) {
		return partnerOut(s.Pause(ctx, access.From(ctx), in.ref()))
	})
	huma.Register(api, manage("POST", "/api/exchange/partners/{id}/resume", "恢复推送"), func(ctx context.Context, in *partnerActInput) (*partnerOutput, error) {
		return partnerOut(s.Resume(ctx, access.From(ctx), in.ref()))
	})
	huma.Register(api, manage("POST", "/api/exchange/partners/{id}/secret", "更换签名密钥"), func(ctx context.Context, in *partnerActInput) (*partnerOutput, error) {
		return partnerOut(s.RenewSecret(ctx, access.From(ctx), in.ref()))
	})
	huma.Register(api, see("GET", "/api/exchange/partners/{id}/keys", "对接方的接口密钥"), func(ctx context.Context, in *partnerGetInput) (*keyListOutput, error) {
		items, err := s.Keys(ctx, access.From(ctx), in.ID)
		return &keyListOutput{web.NewList(items, "")}, err
	})
	huma.Register(api, manage("POST", "/api/exchange/partners/{id}/keys", "签发接口密钥"), func(ctx context.Context, in *partnerKeyIssueInput) (*keyOutput, error) {
		v, err := s.Issue(ctx, access.From(ctx), IssueKey{Key: in.Key, PartnerID: in.ID, Name: in.Body.Name, Scopes: in.Body.Scopes})
		return &keyOutput{v}, err
	})
	huma.Register(api, manage("POST", "/api/exchange/keys/{id}/revoke", "吊销接口密钥"), func(ctx context.Context, in *keyRevokeInput) (*keyOutput, error) {
		v, err := s.Revoke(ctx, access.From(ctx), KeyRef{Key: in.Key, ID: in.ID})
		return &keyOutput{v}, err
	})
	huma.Register(api, see("GET", "/api/exchange/partners/{id}/calls", "对接方的调用日志"), func(ctx context.Context, in *callListInput) (*callListOutput, error) {
		items, next, err := s.Calls(ctx, access.From(ctx), in.ID, in.Cursor, in.Limit)
		return &callListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, see("GET", "/api/exchange/deliveries", "推送记录"), func(ctx context.Context, in *deliveryListInput) (*deliveryListOutput, error) {
		items, next, err := s.Deliveries(ctx, access.From(ctx), DeliveryFilter{
			PartnerID: in.Partner, State: in.State, Subject: in.Subject, Cursor: in.Cursor, Limit: in.Limit,
		})
		return &deliveryListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, see("GET", "/api/exchange/deliveries/{id}", "推送详情"), func(ctx context.Context, in *deliveryGetInput) (*deliveryOutput, error) {
		return deliveryOut(s.Delivery(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, manage("POST", "/api/exchange/deliveries/{id}/replay", "重新推送"), func(ctx context.Context, in *partnerDeliveryActInput) (*deliveryOutput, error) {
		return deliveryOut(s.Replay(ctx, access.From(ctx), in.decision()))
	})
	huma.Register(api, manage("POST", "/api/exchange/deliveries/{id}/skip", "跳过推送"), func(ctx context.Context, in *partnerDeliveryActInput) (*deliveryOutput, error) {
		return deliveryOut(s.Skip(ctx, access.From(ctx), in.decision()))
	})
	open(api, s)
}

func partnerOut(v PartnerView, err error) (*partnerOutput, error) {
	if err != nil {
		return nil, err
	}
	return &partnerOutput{v}, nil
}

func deliveryOut(v DeliveryView, err error) (*deliveryOutput, error) {
	if err != nil {
		return nil, err
	}
	return &deliveryOutput{v}, nil
}

type openPingOutput struct {
	Body struct {
		Partner string   `json:"partner" doc:"Name of the partner the key belongs to."`
		Scopes  []string `json:"scopes"`
	}
}

type openEventsInput struct {
	After string `query:"after" maxLength:"40" doc:"next of the call before; empty for the first."`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type openEventsOutput struct {
	Body struct {
		Items []json.RawMessage `json:"items" doc:"CloudEvents 1.0, as they are pushed."`
		Next  string            `json:"next" doc:"Where the next call goes on. Keep it once the items are safe."`
		More  bool              `json:"more" doc:"There are further events: call again at once."`
	}
}

// open adds what partners call with a key (Authorization: Bearer).
func open(api huma.API, s *Service) {
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/open/v1/ping", Summary: "检查接口密钥是否可用", Tag: "对接方接口", Access: access.Keyed(ScopePing),
	}.Huma(), func(ctx context.Context, _ *struct{}) (*openPingOutput, error) {
		a := access.From(ctx)
		out := &openPingOutput{}
		out.Body.Partner = a.Name
		for _, p := range a.Permissions {
			out.Body.Scopes = append(out.Body.Scopes, string(p))
		}
		return out, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/open/v1/events", Summary: "拉取本对接方的事件", Tag: "对接方接口", Access: access.Keyed(ScopeEvents),
	}.Huma(), func(ctx context.Context, in *openEventsInput) (*openEventsOutput, error) {
		events, more, err := s.Events(ctx, access.From(ctx), in.After, in.Limit)
		if err != nil {
			return nil, err
		}
		out := &openEventsOutput{}
		out.Body.Items, out.Body.Next, out.Body.More = make([]json.RawMessage, 0, len(events)), in.After, more
		for _, e := range events {
			out.Body.Items = append(out.Body.Items, e.Body)
			out.Body.Next = e.Cursor
		}
		return out, nil
	})
}
