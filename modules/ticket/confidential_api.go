package ticket

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type confidenceInput struct {
	ID int64 `path:"id"`
}

type confidenceOutput struct{ Body Confidence }

type confideInput struct {
	Target
	Body struct {
		Version int64   `json:"version"`
		Level   int     `json:"level" minimum:"0"`
		AskedBy string  `json:"askedBy,omitempty" doc:"Who wants it confidential."`
		Reason  string  `json:"reason"`
		People  []int64 `json:"people,omitempty" maxItems:"50" doc:"Who of the handling unit and the desk sees it."`
	}
}

type revealInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Field  string `json:"field,omitempty" maxLength:"50" doc:"Key of an own field that holds a number; left out it is the phone of the requester."`
		Reason string `json:"reason"`
	}
}

type revealOutput struct {
	Body struct {
		Phone string `json:"phone"`
	}
}

type revealsOutput struct{ Body web.List[RevealView] }

// RegisterConfidential adds the operations on confidential tickets and on numbers that are revealed.
func RegisterConfidential(api huma.API, s *Service) {
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/tickets/{id}/confidence", Summary: "工单的保密设置", Tag: tag, Access: access.SignedIn()}.Huma(),
		func(ctx context.Context, in *confidenceInput) (*confidenceOutput, error) {
			v, err := s.Confidence(ctx, access.From(ctx), in.ID)
			return &confidenceOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/tickets/{id}/confide", Summary: "设为或解除保密", Tag: tag, Access: access.SignedIn()}.Huma(),
		func(ctx context.Context, in *confideInput) (*ticketOutput, error) {
			v, err := s.Confide(ctx, access.From(ctx), Confide{Ref: Ref{in.ID, in.Body.Version, in.Key}, Level: in.Body.Level, AskedBy: in.Body.AskedBy, Reason: in.Body.Reason, People: in.Body.People})
			return &ticketOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/tickets/{id}/reveal", Summary: "查看完整联系电话（须写明原因）", Tag: tag, Access: access.SignedIn()}.Huma(),
		func(ctx context.Context, in *revealInput) (*revealOutput, error) {
			out := &revealOutput{}
			var err error
			out.Body.Phone, err = s.RevealField(ctx, access.From(ctx), in.ID, in.Body.Field, in.Body.Reason)
			return out, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/reveals", Summary: "完整号码的查看记录", Tag: tag, Access: access.Require(PermReveals)}.Huma(),
		func(ctx context.Context, in *web.Listing) (*revealsOutput, error) {
			items, next, err := s.Reveals(ctx, access.From(ctx), in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return &revealsOutput{web.NewList(items, next)}, nil
		})
}
