package conversation

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

// At is embedded by the input of every operation on the thread of a case; Huma fills exported structs only.
type At struct {
	Object string `path:"object" maxLength:"40"`
	ID     int64  `path:"id"`
}

type conversationInput struct {
	At
	Cursor string `query:"cursor" maxLength:"20"`
}

type conversationOutput struct{ Body View }

type conversationSendInput struct {
	web.Keyed
	At
	Body struct {
		Words   string  `json:"words"`
		FileIDs []int64 `json:"fileIds,omitempty" maxItems:"9"`
		Meant   bool    `json:"meant,omitempty" doc:"Phone or identity numbers in it are meant to be there."`
	}
}

type conversationReadInput struct {
	At
	Body struct {
		UpTo int64 `json:"upTo" doc:"id of the last note that was seen."`
	}
}

type conversationPeekInput struct {
	At
	Body struct {
		Reason string `json:"reason"`
		Cursor string `json:"cursor,omitempty"`
	}
}

type conversationNoteInput struct {
	ID int64 `path:"id"`
}

type conversationUnreadOutput struct{ Body web.List[Waiting] }

type conversationRuleOutput struct{ Body RuleView }

type conversationRuleInput struct{ Body RuleView }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	sides := access.Only(access.Enterprise, access.Institution)
	op := func(method, path, summary string, rule access.Rule, status int) huma.Operation {
		return web.Operation{Method: method, Path: "/api" + path, Summary: summary, Tag: "服务沟通", Access: rule, Status: status}.Huma()
	}
	huma.Register(api, op("GET", "/conversations/{object}/{id}", "一件服务的沟通", sides, 0), func(ctx context.Context, in *conversationInput) (*conversationOutput, error) {
		v, err := s.Of(ctx, access.From(ctx), in.Object, in.ID, in.Cursor)
		return &conversationOutput{v}, err
	})
	huma.Register(api, op("POST", "/conversations/{object}/{id}", "发送沟通消息", sides, 204), func(ctx context.Context, in *conversationSendInput) (*struct{}, error) {
		return nil, s.Send(ctx, access.From(ctx), Send{in.Object, in.At.ID, in.Body.Words, in.Body.FileIDs, in.Body.Meant, in.Key})
	})
	huma.Register(api, op("POST", "/conversations/{object}/{id}/read", "标记沟通已读", sides, 204), func(ctx context.Context, in *conversationReadInput) (*struct{}, error) {
		return nil, s.MarkRead(ctx, access.From(ctx), in.Object, in.ID, in.Body.UpTo)
	})
	huma.Register(api, op("POST", "/conversations/{object}/{id}/peek", "说明理由后查阅沟通记录", access.Require(PermRead), 0), func(ctx context.Context, in *conversationPeekInput) (*conversationOutput, error) {
		v, err := s.Peek(ctx, access.From(ctx), in.Object, in.ID, in.Body.Reason, in.Body.Cursor)
		return &conversationOutput{v}, err
	})
	huma.Register(api, op("POST", "/conversation-notes/{id}/withdraw", "撤回沟通消息（2 分钟内）", sides, 204), func(ctx context.Context, in *conversationNoteInput) (*struct{}, error) {
		return nil, s.Withdraw(ctx, access.From(ctx), in.ID)
	})
	huma.Register(api, op("GET", "/conversations", "有未读消息的沟通", sides, 0), func(ctx context.Context, _ *struct{}) (*conversationUnreadOutput, error) {
		list, err := s.Unread(ctx, access.From(ctx))
		return &conversationUnreadOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("GET", "/conversation-rule", "服务沟通规则", access.Require(PermManage), 0), func(ctx context.Context, _ *struct{}) (*conversationRuleOutput, error) {
		r, err := s.Rule(ctx, access.From(ctx))
		return &conversationRuleOutput{r}, err
	})
	huma.Register(api, op("PUT", "/conversation-rule", "设置服务沟通规则", access.Require(PermManage), 204), func(ctx context.Context, in *conversationRuleInput) (*struct{}, error) {
		return nil, s.SetRule(ctx, access.From(ctx), in.Body)
	})
}
