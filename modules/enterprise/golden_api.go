package enterprise

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type goldenOutput struct{ Body Golden }

type sourcesOutput struct{ Body web.List[SourceView] }

type enterpriseSettleInput struct {
	Chosen
	Body struct {
		Field  string `json:"field" maxLength:"40"`
		FactID int64  `json:"factId" doc:"The word that counts from now on."`
		Last   int64  `json:"last" doc:"The newest fact of the field that was seen."`
		Reason string `json:"reason" maxLength:"1000"`
	}
}

type enterpriseUnsettleInput struct {
	Chosen
	Body struct {
		Field  string `json:"field" maxLength:"40"`
		Last   int64  `json:"last"`
		Reason string `json:"reason" maxLength:"1000"`
	}
}

type enterpriseSourceInput struct {
	web.Keyed
	Code Source `path:"code" maxLength:"40"`
	Body struct {
		Name     string           `json:"name" maxLength:"300"`
		Official bool             `json:"official"`
		Worths   map[string]Worth `json:"worths"`
		Version  int64            `json:"version"`
	}
}

// registerGolden adds the operations of the golden record.
func registerGolden(api huma.API, s *Service) {
	op := func(method, path, summary string, need access.Permission) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(need)}.Huma()
	}
	huma.Register(api, op("GET", "/api/enterprises/{id}/golden", "企业数据的来源与冲突", PermView), func(ctx context.Context, in *enterpriseIDInput) (*goldenOutput, error) {
		v, err := s.Golden(ctx, access.From(ctx), in.ID)
		return &goldenOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/enterprises/{id}/settlements", "核定企业数据", PermGolden), func(ctx context.Context, in *enterpriseSettleInput) (*goldenOutput, error) {
		v, err := s.Settle(ctx, access.From(ctx), Settle{ID: in.ID, Field: in.Body.Field, FactID: in.Body.FactID, Reason: in.Body.Reason, Last: in.Body.Last, Key: in.Key})
		return &goldenOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/enterprises/{id}/settlements/undo", "撤销核定", PermGolden), func(ctx context.Context, in *enterpriseUnsettleInput) (*goldenOutput, error) {
		v, err := s.Unsettle(ctx, access.From(ctx), Settle{ID: in.ID, Field: in.Body.Field, Reason: in.Body.Reason, Last: in.Body.Last, Key: in.Key})
		return &goldenOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/enterprise-sources", "数据来源", PermView), func(ctx context.Context, _ *struct{}) (*sourcesOutput, error) {
		list, err := s.Sources(ctx, access.From(ctx))
		return &sourcesOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("PUT", "/api/enterprise-sources/{code}", "修改数据来源", PermGolden), func(ctx context.Context, in *enterpriseSourceInput) (*sourcesOutput, error) {
		b := in.Body
		list, err := s.SaveSource(ctx, access.From(ctx), SaveSource{Code: in.Code, Name: b.Name, Official: b.Official, Worths: b.Worths, Version: b.Version, Key: in.Key})
		return &sourcesOutput{web.NewList(list, "")}, err
	})
}
