package institution

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/web"
)

type (
	applicationOutput  struct{ Body ApplicationView }
	applicationsOutput struct{ Body web.List[ApplicationItem] }
	openingOutput      struct{ Body Opening }
	reasonsOutput      struct{ Body web.List[reason.Reason] }
	staffOutput        struct{ Body Staff }
	operatorOutput     struct{ Body OperatorOpening }
)

type institutionApplicationsInput struct {
	web.Listing
	State State `query:"state" enum:"waiting,checked,returned,approved,refused"`
}

type institutionApplicationInput struct {
	ID int64 `path:"id"`
}

type institutionApproveInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type institutionReturnInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64    `json:"version"`
		Codes   []string `json:"codes" maxItems:"10" doc:"Of the ready reasons."`
		Text    string   `json:"text,omitempty" doc:"More words; needed with the reason other."`
	}
}

type institutionRefuseInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type institutionOperatorOpenInput struct {
	web.Keyed
	Body struct {
		Name    string `json:"name"`
		Account string `json:"account"`
		Phone   string `json:"phone"`
		Role    string `json:"role"`
	}
}

type institutionOperatorDisableInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type institutionOperatorEnableInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

// RegisterOnboarding adds the operations of reviewing applications and of an institution's own operators to the API.
func RegisterOnboarding(api huma.API, s *Service) {
	view := access.Require(PermView)
	// Somebody on leave may have delegated a review to a colleague without the right: the service looks.
	review := access.Require(PermReview, PermApprove, PermView)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/institution-applications", Summary: "机构入驻申请列表", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *institutionApplicationsInput) (*applicationsOutput, error) {
			items, next, err := s.Applications(ctx, access.From(ctx), in.State, in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return &applicationsOutput{Body: web.NewList(items, next)}, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/institution-return-reasons", Summary: "机构入驻退回原因", Tag: tag, Access: review}.Huma(),
		func(ctx context.Context, _ *struct{}) (*reasonsOutput, error) {
			list, err := s.ReturnReasons(ctx, access.From(ctx))
			return &reasonsOutput{Body: web.NewList(list, "")}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/institution-applications/{id}", Summary: "机构入驻申请", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *institutionApplicationInput) (*applicationOutput, error) {
			return applied(s.Application(ctx, access.From(ctx), in.ID))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-applications/{id}/check", Summary: "初审通过机构入驻", Tag: tag, Access: review}.Huma(),
		func(ctx context.Context, in *institutionApproveInput) (*applicationOutput, error) {
			return applied(s.CheckApplication(ctx, access.From(ctx), CheckApplication{Ref{in.ID, in.Body.Version, in.Key}}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-applications/{id}/approve", Summary: "终审通过机构入驻", Tag: tag, Access: review}.Huma(),
		func(ctx context.Context, in *institutionApproveInput) (*openingOutput, error) {
			o, err := s.ApproveApplication(ctx, access.From(ctx), ApproveApplication{Ref{in.ID, in.Body.Version, in.Key}})
			if err != nil {
				return nil, err
			}
			return &openingOutput{Body: o}, nil
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-applications/{id}/return", Summary: "退回机构入驻申请", Tag: tag, Access: review}.Huma(),
		func(ctx context.Context, in *institutionReturnInput) (*applicationOutput, error) {
			return applied(s.ReturnApplication(ctx, access.From(ctx), ReturnApplication{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Codes, in.Body.Text}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-applications/{id}/refuse", Summary: "不予通过机构入驻", Tag: tag, Access: review}.Huma(),
		func(ctx context.Context, in *institutionRefuseInput) (*applicationOutput, error) {
			return applied(s.RefuseApplication(ctx, access.From(ctx), RefuseApplication{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Reason}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-applications/{id}/undo", Summary: "撤销机构入驻审核决定", Tag: tag, Access: access.Require(PermReview, PermApprove, PermUndo, PermView)}.Huma(),
		func(ctx context.Context, in *institutionRefuseInput) (*applicationOutput, error) {
			return applied(s.UndoReview(ctx, access.From(ctx), UndoReview{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Reason}))
		})
	own := access.Require(PermOperators)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/institution-operators", Summary: "本机构操作员", Tag: tag, Access: own}.Huma(),
		func(ctx context.Context, _ *struct{}) (*staffOutput, error) {
			return people(s.OperatorList(ctx, access.From(ctx)))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-operators", Summary: "开通本机构操作员", Tag: tag, Access: own}.Huma(),
		func(ctx context.Context, in *institutionOperatorOpenInput) (*operatorOutput, error) {
			o, err := s.OpenOperator(ctx, access.From(ctx), OpenOperator{Key: in.Key, Name: in.Body.Name, Account: in.Body.Account, Phone: in.Body.Phone, Role: in.Body.Role})
			if err != nil {
				return nil, err
			}
			return &operatorOutput{Body: o}, nil
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-operators/{id}/disable", Summary: "停用本机构操作员", Tag: tag, Access: own}.Huma(),
		func(ctx context.Context, in *institutionOperatorDisableInput) (*staffOutput, error) {
			return people(s.DisableOperator(ctx, access.From(ctx), DisableOperator{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Reason}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-operators/{id}/enable", Summary: "启用本机构操作员", Tag: tag, Access: own}.Huma(),
		func(ctx context.Context, in *institutionOperatorEnableInput) (*staffOutput, error) {
			return people(s.EnableOperator(ctx, access.From(ctx), Ref{in.ID, in.Body.Version, in.Key}))
		})
}

func applied(v ApplicationView, err error) (*applicationOutput, error) {
	if err != nil {
		return nil, err
	}
	return &applicationOutput{Body: v}, nil
}

func people(v Staff, err error) (*staffOutput, error) {
	if err != nil {
		return nil, err
	}
	return &staffOutput{Body: v}, nil
}
