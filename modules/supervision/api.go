package supervision

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "督导"

type wallboardOutput struct{ Body Wallboard }

type ruleOutput struct{ Body Rule }

type ruleInput struct {
	web.Keyed
	Body Rule
}

type alarmsOutput struct{ Body web.List[AlarmView] }

type idInput struct {
	ID int64 `path:"id"`
}

type alarmOutput struct{ Body AlarmView }

type ackInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Note string `json:"note"`
	}
}

type reportsInput struct {
	web.Listing
	Kind Kind `query:"kind" enum:"day,week,month"`
}

type reportsOutput struct{ Body web.List[ReportView] }

type reportOutput struct{ Body ReportView }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	view, manage := access.Require(PermView), access.Require(PermManage)
	op := func(method, path, summary string, rule access.Rule, status int) huma.Operation {
		return web.Operation{Method: method, Path: "/api/supervision" + path, Summary: summary, Tag: tag, Access: rule, Status: status}.Huma()
	}
	huma.Register(api, op("GET", "/wallboard", "督导大屏", view, 0), func(ctx context.Context, _ *struct{}) (*wallboardOutput, error) {
		w, err := s.Wallboard(ctx, access.From(ctx))
		return &wallboardOutput{w}, err
	})
	huma.Register(api, op("GET", "/surge-rule", "突增预警规则", view, 0), func(ctx context.Context, _ *struct{}) (*ruleOutput, error) {
		r, err := s.Rule(ctx, access.From(ctx))
		return &ruleOutput{r}, err
	})
	huma.Register(api, op("PUT", "/surge-rule", "设置突增预警规则", manage, 204), func(ctx context.Context, in *ruleInput) (*struct{}, error) {
		return nil, s.SetRule(ctx, access.From(ctx), in.Body)
	})
	huma.Register(api, op("GET", "/alarms", "突增预警", view, 0), func(ctx context.Context, in *web.Listing) (*alarmsOutput, error) {
		items, next, err := s.Alarms(ctx, access.From(ctx), in.Cursor, in.Limit)
		if err != nil {
			return nil, err
		}
		return &alarmsOutput{web.NewList(items, next)}, nil
	})
	huma.Register(api, op("GET", "/alarms/{id}", "一个突增预警及其工单", view, 0), func(ctx context.Context, in *idInput) (*alarmOutput, error) {
		a, err := s.Alarm(ctx, access.From(ctx), in.ID)
		return &alarmOutput{a}, err
	})
	huma.Register(api, op("POST", "/alarms/{id}/ack", "确认突增预警", manage, 204), func(ctx context.Context, in *ackInput) (*struct{}, error) {
		return nil, s.Ack(ctx, access.From(ctx), in.ID, in.Body.Note)
	})
	huma.Register(api, op("GET", "/reports", "运行报告", view, 0), func(ctx context.Context, in *reportsInput) (*reportsOutput, error) {
		items, next, err := s.Reports(ctx, access.From(ctx), in.Kind, in.Cursor, in.Limit)
		if err != nil {
			return nil, err
		}
		return &reportsOutput{web.NewList(items, next)}, nil
	})
	huma.Register(api, op("GET", "/reports/{id}", "一份运行报告", view, 0), func(ctx context.Context, in *idInput) (*reportOutput, error) {
		r, err := s.Report(ctx, access.From(ctx), in.ID)
		return &reportOutput{r}, err
	})
}
