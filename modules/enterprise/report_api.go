package enterprise

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type (
	reportOutput  struct{ Body ReportView }
	reportsOutput struct{ Body web.List[ReportItem] }
)

type reportsInput struct {
	web.Listing
	ID int64 `path:"id"`
}

type reportMakeInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Basis string `json:"basis,omitempty" maxLength:"40" doc:"Code of the basis staff claim where the company has not agreed."`
	}
}

type reportInput struct {
	Number string `path:"number" maxLength:"40"`
	Basis  string `query:"basis" maxLength:"40" doc:"Code of the basis the reader claims where the company has not agreed."`
}

// registerReports adds the operations about credit reports. Companies have theirs on the portal, where they print.
func registerReports(api huma.API, s *Service) {
	op := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(PermView)}.Huma()
	}
	huma.Register(api, op("GET", "/api/enterprises/{id}/reports", "工作人员生成的企业征信报告"), func(ctx context.Context, in *reportsInput) (*reportsOutput, error) {
		list, next, err := s.Reports(ctx, access.From(ctx), in.ID, in.Cursor, in.Limit)
		return &reportsOutput{web.NewList(list, next)}, err
	})
	huma.Register(api, op("POST", "/api/enterprises/{id}/reports", "生成企业征信报告"), func(ctx context.Context, in *reportMakeInput) (*reportOutput, error) {
		v, err := s.MakeReport(ctx, access.From(ctx), MakeReport{in.Key, in.ID, in.Body.Basis})
		return &reportOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/enterprise-reports/{number}", "企业征信报告"), func(ctx context.Context, in *reportInput) (*reportOutput, error) {
		v, err := s.Report(ctx, access.From(ctx), in.Number, in.Basis)
		return &reportOutput{v}, err
	})
}
