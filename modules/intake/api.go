package intake

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "诉求渠道"

type keysOutput struct{ Body web.List[KeyView] }

type keyOutput struct{ Body KeyView }

type intakeIssueInput struct {
	web.Keyed
	Body struct {
		Partner   string   `json:"partner"`
		Services  []string `json:"services,omitempty" maxItems:"200" doc:"Codes; none: all that are offered."`
		Review    bool     `json:"review,omitempty"`
		PerMinute int64    `json:"perMinute,omitempty"`
		PerDay    int64    `json:"perDay,omitempty"`
	}
}

type intakeIDInput struct {
	ID int64 `path:"id"`
}

type servicesOutput struct{ Body web.List[ServiceView] }

type intakeServiceInput struct {
	Code string `path:"code" maxLength:"20"`
	Body struct {
		Offered   bool   `json:"offered"`
		Published bool   `json:"published,omitempty"`
		Keywords  string `json:"keywords,omitempty"`
	}
}

type intakeNumberInput struct {
	Number string `path:"number" maxLength:"40"`
}

type wordsOutput struct{ Body PublicWords }

type intakePublishInput struct {
	web.Keyed
	Number string `path:"number" maxLength:"40"`
	Body   struct {
		Text string `json:"text" doc:"Empty takes it back."`
		Seen string `json:"seen" doc:"The text that was seen; another one meanwhile is a conflict."`
	}
}

type intakeJoinInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Number  string `json:"number" doc:"Of the ticket the mail is about."`
	}
}

type inboxInput struct {
	web.Listing
	State State `query:"state" enum:"pending,filed,declined,spam,joined,ignored"`
}

type inboxOutput struct{ Body web.List[Item] }

type messageOutput struct{ Body MessageView }

type intakeMakeInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Version        int64  `json:"version"`
		Type           string `json:"type"`
		Title          string `json:"title"`
		Body           string `json:"body"`
		ContactName    string `json:"contactName"`
		Phone          string `json:"phone,omitempty" doc:"May be left out for a mail."`
		EnterpriseName string `json:"enterpriseName,omitempty"`
	}
}

type intakeJudgeInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		State   State  `json:"state" enum:"declined,spam"`
		Reason  string `json:"reason,omitempty" doc:"Needed to decline; the sender of a mail is told."`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	operator, agent := access.Require(PermOpen311), access.Require(PermInbox)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/open311/keys", Summary: "Open311 密钥", Tag: tag, Access: operator}.Huma(),
		func(ctx context.Context, _ *struct{}) (*keysOutput, error) {
			items, err := s.Keys(ctx, access.From(ctx))
			return &keysOutput{web.NewList(items, "")}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/open311/keys", Summary: "签发 Open311 密钥", Tag: tag, Access: operator}.Huma(),
		func(ctx context.Context, in *intakeIssueInput) (*keyOutput, error) {
			b := in.Body
			v, err := s.Issue(ctx, access.From(ctx), IssueKey{in.Key, b.Partner, b.Services, b.Review, b.PerMinute, b.PerDay})
			return &keyOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/open311/keys/{id}/revoke", Summary: "吊销 Open311 密钥", Tag: tag, Access: operator}.Huma(),
		func(ctx context.Context, in *intakeIDInput) (*keyOutput, error) {
			v, err := s.RevokeKey(ctx, access.From(ctx), in.ID)
			return &keyOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/open311/services", Summary: "Open311 开放的服务", Tag: tag, Access: operator}.Huma(),
		func(ctx context.Context, _ *struct{}) (*servicesOutput, error) {
			items, err := s.Services(ctx, access.From(ctx))
			return &servicesOutput{web.NewList(items, "")}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/open311/services/{code}", Summary: "设置 Open311 开放的服务", Tag: tag, Access: operator}.Huma(),
		func(ctx context.Context, in *intakeServiceInput) (*servicesOutput, error) {
			items, err := s.SetService(ctx, access.From(ctx), SetService{in.Code, in.Body.Offered, in.Body.Published, in.Body.Keywords})
			return &servicesOutput{web.NewList(items, "")}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/open311/requests/{number}/publish", Summary: "公开一件诉求的说明", Tag: tag, Access: operator}.Huma(),
		func(ctx context.Context, in *intakePublishInput) (*struct{}, error) {
			return nil, s.Publish(ctx, access.From(ctx), Publish{in.Number, in.Body.Text, in.Body.Seen, in.Key})
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/open311/requests/{number}", Summary: "一件诉求公开的说明", Tag: tag, Access: operator}.Huma(),
		func(ctx context.Context, in *intakeNumberInput) (*wordsOutput, error) {
			v, err := s.Words(ctx, access.From(ctx), in.Number)
			return &wordsOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/inbox", Summary: "来件箱", Tag: tag, Access: agent}.Huma(),
		func(ctx context.Context, in *inboxInput) (*inboxOutput, error) {
			items, next, err := s.Inbox(ctx, access.From(ctx), in.State, in.Cursor, in.Limit)
			return &inboxOutput{web.NewList(items, next)}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/inbox/{id}", Summary: "来件", Tag: tag, Access: agent}.Huma(),
		func(ctx context.Context, in *intakeIDInput) (*messageOutput, error) {
			v, err := s.Message(ctx, access.From(ctx), in.ID)
			return &messageOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/inbox/{id}/ticket", Summary: "来件转为工单", Tag: tag, Access: agent}.Huma(),
		func(ctx context.Context, in *intakeMakeInput) (*messageOutput, error) {
			b := in.Body
			v, err := s.Make(ctx, access.From(ctx), MakeTicket{in.ID, b.Version, b.Type, b.Title, b.Body, b.ContactName, b.Phone, b.EnterpriseName})
			return &messageOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/inbox/{id}/join", Summary: "来件并入已有工单", Tag: tag, Access: agent}.Huma(),
		func(ctx context.Context, in *intakeJoinInput) (*messageOutput, error) {
			v, err := s.Join(ctx, access.From(ctx), JoinMessage{in.ID, in.Body.Version, in.Body.Number})
			return &messageOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/inbox/{id}/judge", Summary: "来件不予受理或标为垃圾", Tag: tag, Access: agent}.Huma(),
		func(ctx context.Context, in *intakeJudgeInput) (*messageOutput, error) {
			v, err := s.Judge(ctx, access.From(ctx), Judge{in.ID, in.Body.Version, in.Body.State, in.Body.Reason})
			return &messageOutput{v}, err
		})
}
