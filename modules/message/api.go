package message

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "消息"

type messageListInput struct {
	web.Listing
	Unread bool `query:"unread" doc:"Unread ones only."`
}

type messageListOutput struct{ Body web.List[View] }

type messageUnreadOutput struct {
	Body struct {
		Count int `json:"count" doc:"Counted up to 100."`
	}
}

type messageReadInput struct {
	ID int64 `path:"id"`
}

type messageOutput struct{ Body View }

type messageReadAllInput struct {
	Body struct {
		UpTo int64 `json:"upTo,omitempty" doc:"Newest message that was seen; 0 marks all."`
	}
}

type messageReadAllOutput struct {
	Body struct {
		Marked int `json:"marked"`
	}
}

type messagePreferencesOutput struct{ Body Preferences }

type messagePreferInput struct {
	Group Group `path:"group" maxLength:"40"`
	Body  struct {
		SMS    bool `json:"sms"`
		Wechat bool `json:"wechat"`
	}
}

type messageLettersInput struct {
	web.Listing
	Channel  Channel `query:"channel" enum:"sms,wechat" default:"sms"`
	State    State   `query:"state"`
	Template string  `query:"template" maxLength:"60"`
	Phone    string  `query:"phone" maxLength:"40" doc:"The whole number, however it is written."`
}

type messageLettersOutput struct{ Body web.List[LetterView] }

type messageLetterInput struct {
	Channel Channel `path:"channel" enum:"sms,wechat"`
	ID      int64   `path:"id"`
}

type messageLetterOutput struct{ Body LetterView }

type messageReleaseInput struct {
	web.Keyed
	Channel Channel `path:"channel" enum:"sms,wechat"`
	ID      int64   `path:"id"`
	Body    struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type messageTemplatesOutput struct{ Body web.List[LetterTemplate] }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	own := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.SignedIn()}.Huma()
	}
	staff := func(method, path, summary string, right access.Permission) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(right)}.Huma()
	}
	huma.Register(api, own("GET", "/api/messages", "我的消息"), func(ctx context.Context, in *messageListInput) (*messageListOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), ListFilter{Unread: in.Unread, Cursor: in.Cursor, Limit: in.Limit})
		return &messageListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, own("GET", "/api/messages/unread", "未读消息数"), func(ctx context.Context, _ *struct{}) (*messageUnreadOutput, error) {
		n, err := s.Unread(ctx, access.From(ctx))
		out := &messageUnreadOutput{}
		out.Body.Count = n
		return out, err
	})
	huma.Register(api, own("POST", "/api/messages/{id}/read", "标为已读"), func(ctx context.Context, in *messageReadInput) (*messageOutput, error) {
		v, err := s.Read(ctx, access.From(ctx), in.ID)
		return &messageOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/messages/read-all", "全部标为已读"), func(ctx context.Context, in *messageReadAllInput) (*messageReadAllOutput, error) {
		n, err := s.ReadAll(ctx, access.From(ctx), in.Body.UpTo)
		out := &messageReadAllOutput{}
		out.Body.Marked = n
		return out, err
	})
	huma.Register(api, own("GET", "/api/message-preferences", "我的消息接收设置"), func(ctx context.Context, _ *struct{}) (*messagePreferencesOutput, error) {
		p, err := s.Preferences(ctx, access.From(ctx))
		return &messagePreferencesOutput{p}, err
	})
	huma.Register(api, own("POST", "/api/message-preferences/{group}", "修改消息接收设置"), func(ctx context.Context, in *messagePreferInput) (*messagePreferencesOutput, error) {
		p, err := s.Prefer(ctx, access.From(ctx), in.Group, in.Body.SMS, in.Body.Wechat)
		return &messagePreferencesOutput{p}, err
	})
	huma.Register(api, staff("GET", "/api/message-letters", "短信和微信发送记录", PermView), func(ctx context.Context, in *messageLettersInput) (*messageLettersOutput, error) {
		items, next, err := s.Letters(ctx, access.From(ctx), LetterFilter{
			Channel: in.Channel, State: in.State, Template: in.Template, Phone: in.Phone, Cursor: in.Cursor, Limit: in.Limit,
		})
		return &messageLettersOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, staff("GET", "/api/message-letters/{channel}/{id}", "一条发送记录", PermView), func(ctx context.Context, in *messageLetterInput) (*messageLetterOutput, error) {
		v, err := s.Letter(ctx, access.From(ctx), in.Channel, in.ID)
		return &messageLetterOutput{v}, err
	})
	huma.Register(api, staff("POST", "/api/message-letters/{channel}/{id}/release", "确认未送达并重发", PermRelease),
		func(ctx context.Context, in *messageReleaseInput) (*messageLetterOutput, error) {
			v, err := s.Release(ctx, access.From(ctx), Release{Channel: in.Channel, ID: in.ID, Version: in.Body.Version, Reason: in.Body.Reason, Key: in.Key})
			return &messageLetterOutput{v}, err
		})
	huma.Register(api, staff("GET", "/api/message-templates", "对外发送的消息模板", PermView), func(ctx context.Context, _ *struct{}) (*messageTemplatesOutput, error) {
		items, err := s.LetterTemplates(ctx, access.From(ctx))
		return &messageTemplatesOutput{web.NewList(items, "")}, err
	})
}
