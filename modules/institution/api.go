package institution

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "机构"

type institutionOutput struct{ Body View }

type institutionListInput struct {
	web.Listing
	Kind   string `query:"kind" maxLength:"20"`
	Status Status `query:"status" enum:"active,suspended"`
	Query  string `query:"q" maxLength:"100" doc:"Part of the name."`
}

type institutionListOutput struct{ Body web.List[Item] }

type institutionGetInput struct {
	ID int64 `path:"id"`
}

type institutionOpenInput struct {
	web.Keyed
	Body Details
}

type institutionEditInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64   `json:"version"`
		Details Details `json:"details"`
	}
}

type institutionSuspendInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type institutionResumeInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type institutionKindsOutput struct {
	Body struct {
		Items []Kind `json:"items"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	staff := access.Only(access.Institution, access.Platform, access.Government)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/institutions", Summary: "机构列表", Tag: tag, Access: staff}.Huma(),
		func(ctx context.Context, in *institutionListInput) (*institutionListOutput, error) {
			items, next, err := s.List(ctx, access.From(ctx), ListFilter{Kind: in.Kind, Status: in.Status, Query: in.Query, Cursor: in.Cursor, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			return &institutionListOutput{Body: web.NewList(items, next)}, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/institution-kinds", Summary: "机构类型", Tag: tag, Access: staff}.Huma(),
		func(context.Context, *struct{}) (*institutionKindsOutput, error) {
			out := &institutionKindsOutput{}
			out.Body.Items = Kinds()
			return out, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/institutions/{id}", Summary: "机构详情", Tag: tag, Access: staff}.Huma(),
		func(ctx context.Context, in *institutionGetInput) (*institutionOutput, error) {
			return output(s.Get(ctx, access.From(ctx), in.ID))
		})
	manage := access.Require(PermManage)
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institutions", Summary: "登记机构", Tag: tag, Access: manage}.Huma(),
		func(ctx context.Context, in *institutionOpenInput) (*institutionOutput, error) {
			return output(s.Open(ctx, access.From(ctx), OpenInstitution{Key: in.Key, Details: in.Body}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institutions/{id}/edit", Summary: "修改机构信息", Tag: tag, Access: manage}.Huma(),
		func(ctx context.Context, in *institutionEditInput) (*institutionOutput, error) {
			return output(s.Edit(ctx, access.From(ctx), EditInstitution{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Details}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institutions/{id}/suspend", Summary: "暂停机构服务", Tag: tag, Access: manage}.Huma(),
		func(ctx context.Context, in *institutionSuspendInput) (*institutionOutput, error) {
			return output(s.Suspend(ctx, access.From(ctx), SuspendInstitution{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Reason}))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/institutions/{id}/resume", Summary: "恢复机构服务", Tag: tag, Access: manage}.Huma(),
		func(ctx context.Context, in *institutionResumeInput) (*institutionOutput, error) {
			return output(s.Resume(ctx, access.From(ctx), ResumeInstitution{Ref{in.ID, in.Body.Version, in.Key}}))
		})
}

func output(v View, err error) (*institutionOutput, error) {
	if err != nil {
		return nil, err
	}
	return &institutionOutput{Body: v}, nil
}
