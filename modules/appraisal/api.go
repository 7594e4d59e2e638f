package appraisal

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "三率考核"

type appraisalMonthInput struct {
	Month   string `path:"month" maxLength:"7" doc:"As 2026-11."`
	Edition int    `query:"edition" minimum:"0" doc:"A frozen edition; 0 is the newest."`
	Live    bool   `query:"live" doc:"The figures as they are now, also of a frozen month."`
}

type appraisalMonthOutput struct{ Body MonthView }

type appraisalCasesInput struct {
	Month  string `path:"month" maxLength:"7"`
	UnitID int64  `query:"unitId" minimum:"0"`
	Rate   Rate   `query:"rate" required:"true" enum:"response,solution,satisfaction,sign,handle,return,evidence"`
	Class  Class  `query:"class" maxLength:"20"`
	Left   bool   `query:"left" doc:"Those that are left out of the rate."`
	Cursor string `query:"cursor"`
}

type appraisalCasesOutput struct{ Body web.List[CaseView] }

type appraisalCorrectInput struct {
	web.Keyed
	Month string `path:"month" maxLength:"7"`
	Body  struct {
		Edition int    `json:"edition" doc:"The newest edition that was seen."`
		Reason  string `json:"reason"`
	}
}

type appraisalFormulasOutput struct {
	Body struct {
		Items []Formula `json:"items"`
	}
}

type appraisalFormulaInput struct {
	web.Keyed
	Body struct {
		Name   string `json:"name"`
		From   string `json:"from" doc:"The first month, as 2026-12."`
		Body   Body   `json:"body"`
		Reason string `json:"reason"`
		Last   int64  `json:"last" doc:"The number of the newest version that was seen."`
	}
}

type rebuildOutput struct{ Body Rebuilding }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	viewers, managers := access.Require(PermView), access.Require(PermManage)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/appraisal/months/{month}", Summary: "一个月的三率、排名和剔除", Tag: tag, Access: viewers}.Huma(),
		func(ctx context.Context, in *appraisalMonthInput) (*appraisalMonthOutput, error) {
			v, err := s.Month(ctx, access.From(ctx), in.Month, in.Edition, in.Live)
			if err != nil {
				return nil, err
			}
			return &appraisalMonthOutput{v}, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/appraisal/months/{month}/cases", Summary: "指标背后的工单", Tag: tag, Access: viewers}.Huma(),
		func(ctx context.Context, in *appraisalCasesInput) (*appraisalCasesOutput, error) {
			items, next, err := s.Cases(ctx, access.From(ctx), CaseFilter(*in))
			if err != nil {
				return nil, err
			}
			return &appraisalCasesOutput{web.NewList(items, next)}, nil
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/appraisal/months/{month}/correct", Summary: "更正已冻结的月份，形成新版本", Tag: tag, Access: managers, Status: 204}.Huma(),
		func(ctx context.Context, in *appraisalCorrectInput) (*struct{}, error) {
			return nil, s.Correct(ctx, access.From(ctx), Correct{in.Key, in.Month, in.Body.Edition, in.Body.Reason})
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/appraisal/formulas", Summary: "考核口径的各个版本", Tag: tag, Access: viewers}.Huma(),
		func(ctx context.Context, _ *struct{}) (*appraisalFormulasOutput, error) {
			items, err := s.Formulas(ctx, access.From(ctx))
			out := &appraisalFormulasOutput{}
			out.Body.Items = items
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/appraisal/formulas", Summary: "调整考核口径", Tag: tag, Access: managers, Status: 204}.Huma(),
		func(ctx context.Context, in *appraisalFormulaInput) (*struct{}, error) {
			b := in.Body
			return nil, s.SetFormula(ctx, access.From(ctx), SetFormula{in.Key, b.Name, b.From, b.Body, b.Reason, b.Last})
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/appraisal/rebuild", Summary: "重新计算的进度", Tag: tag, Access: managers}.Huma(),
		func(ctx context.Context, _ *struct{}) (*rebuildOutput, error) {
			r, err := s.Rebuilding(ctx, access.From(ctx))
			return &rebuildOutput{r}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/appraisal/rebuild", Summary: "从办理记录重新计算考核件", Tag: tag, Access: managers, Status: 204}.Huma(),
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			return nil, s.Rebuild(ctx, access.From(ctx))
		})
}
