package institution

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type (
	renewalOutput  struct{ Body RenewalView }
	renewalsOutput struct{ Body web.List[RenewalView] }
)

type institutionRenewalsInput struct {
	web.Listing
	State State `query:"state" enum:"waiting,approved,returned,withdrawn"`
}

type institutionRenewalInput struct {
	web.Keyed
	Body struct {
		Replaces string  `json:"replaces" maxLength:"60" doc:"The number of the qualification it takes the place of; empty for one more."`
		Paper    Licence `json:"paper"`
		FileIDs  []int64 `json:"fileIds" maxItems:"5"`
	}
}

type institutionRenewalStepInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type institutionRenewalReturnInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

// RegisterRenewals adds the operations of handing papers in and reviewing them to the API.
func RegisterRenewals(api huma.API, s *Service) {
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/institution-renewals", Summary: "机构证照更新列表", Tag: tag, Access: access.Require(PermView, PermPapers)}.Huma(),
		func(ctx context.Context, in *institutionRenewalsInput) (*renewalsOutput, error) {
			items, next, err := s.Renewals(ctx, access.From(ctx), in.State, in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return &renewalsOutput{Body: web.NewList(items, next)}, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/institution-renewals/{id}", Summary: "机构证照更新", Tag: tag, Access: access.Require(PermView, PermPapers)}.Huma(),
		func(ctx context.Context, in *institutionApplicationInput) (*renewalOutput, error) {
			return renewed(s.Renewal(ctx, access.From(ctx), in.ID))
		})
	own, review := access.Require(PermPapers), access.Require(PermReview, PermView) // who stands in for a reviewer has only the second: the service looks
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-renewals", Summary: "提交机构证照更新", Tag: tag, Access: own}.Huma(),
		func(ctx context.Context, in *institutionRenewalInput) (*renewalOutput, error) {
			return renewed(s.HandIn(ctx, access.From(ctx), HandIn{Key: in.Key, Replaces: in.Body.Replaces, Paper: in.Body.Paper, FileIDs: in.Body.FileIDs}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-renewals/{id}/pass", Summary: "通过机构证照更新", Tag: tag, Access: review}.Huma(),
		func(ctx context.Context, in *institutionRenewalStepInput) (*renewalOutput, error) {
			return renewed(s.PassRenewal(ctx, access.From(ctx), PassRenewal{Ref{in.ID, in.Body.Version, in.Key}}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-renewals/{id}/return", Summary: "退回机构证照更新", Tag: tag, Access: review}.Huma(),
		func(ctx context.Context, in *institutionRenewalReturnInput) (*renewalOutput, error) {
			return renewed(s.ReturnRenewal(ctx, access.From(ctx), ReturnRenewal{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Reason}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-renewals/{id}/undo", Summary: "撤销机构证照更新的审核决定", Tag: tag, Access: access.Require(PermReview, PermView, PermUndo)}.Huma(),
		func(ctx context.Context, in *institutionRenewalReturnInput) (*renewalOutput, error) {
			return renewed(s.UndoRenewal(ctx, access.From(ctx), UndoRenewal{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Reason}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institution-renewals/{id}/withdraw", Summary: "撤回机构证照更新", Tag: tag, Access: own}.Huma(),
		func(ctx context.Context, in *institutionRenewalStepInput) (*renewalOutput, error) {
			return renewed(s.WithdrawRenewal(ctx, access.From(ctx), WithdrawRenewal{Ref{in.ID, in.Body.Version, in.Key}}))
		})
}

func renewed(v RenewalView, err error) (*renewalOutput, error) {
	if err != nil {
		return nil, err
	}
	return &renewalOutput{Body: v}, nil
}
