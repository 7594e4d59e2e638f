package ticket

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/worktime"
)

type clocksOutput struct {
	Body struct {
		Items []ClockView `json:"items"`
	}
}

type pressInput struct {
	Target
	Body struct {
		Text string `json:"text" doc:"The reason, how things stand, or the instruction."`
	}
}

func (in *pressInput) command() Press { return Press{ID: in.ID, Key: in.Key, Text: in.Body.Text} }

type budgetsOutput struct {
	Body struct {
		Items  []Budget `json:"items"`
		Ladder []Rung   `json:"ladder"`
	}
}

type budgetInput struct {
	web.Keyed
	Body struct {
		Type        string        `json:"type,omitempty" maxLength:"50" doc:"Empty for every type."`
		Urgency     Urgency       `json:"urgency,omitempty" enum:",normal,urgent,critical" doc:"Empty for every urgency."`
		Kind        ClockKind     `json:"kind" enum:"public,sign,handle,urge,return"`
		Amount      int           `json:"amount"`
		Unit        worktime.Unit `json:"unit" enum:"working_days,working_minutes,clock_minutes"`
		WarnPercent int           `json:"warnPercent"`
		Version     int64         `json:"version" doc:"0 for a new one."`
	}
}

type budgetRemoveInput struct {
	Target
	Body struct {
		Version int64 `json:"version"`
	}
}

type ladderInput struct {
	web.Keyed
	Body struct {
		Ladder []Rung `json:"ladder" maxItems:"10"`
	}
}

type budgetPreviewInput struct {
	Type    string  `query:"type" required:"true" maxLength:"50"`
	Urgency Urgency `query:"urgency" enum:"normal,urgent,critical" doc:"Empty takes the type's."`
}

type budgetPreviewOutput struct {
	Body struct {
		Items []Preview `json:"items"`
	}
}

// registerClocks adds what is about time.
func registerClocks(api huma.API, s *Service) {
	reader := access.Only(access.Enterprise, access.Platform, access.Government)
	budgets := access.Require(PermBudgets)
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/tickets/{id}/clocks", Summary: "工单的时限及其计算过程", Tag: tag, Access: reader,
	}.Huma(), func(ctx context.Context, in *getInput) (*clocksOutput, error) {
		items, err := s.Clocks(ctx, access.From(ctx), in.ID)
		out := &clocksOutput{}
		out.Body.Items = items
		return out, err
	})
	for _, p := range []struct {
		path, summary string
		rule          access.Rule
		do            func(context.Context, access.Actor, Press) (View, error)
	}{
		{"urge", "催办承办单位", access.Require(PermUrge), s.Urge},
		{"urge-answer", "答复催办", access.Require(PermReply), s.AnswerUrge},
		{"instruct", "领导批示", access.Require(PermInstruct), s.Instruct},
	} {
		huma.Register(api, web.Operation{
			Method: "POST", Path: "/api/tickets/{id}/" + p.path, Summary: p.summary, Tag: tag, Access: p.rule,
		}.Huma(), func(ctx context.Context, in *pressInput) (*ticketOutput, error) {
			return output(p.do(ctx, access.From(ctx), in.command()))
		})
	}
	list := func(ctx context.Context) (*budgetsOutput, error) {
		items, ladder, err := s.Budgets(ctx, access.From(ctx))
		out := &budgetsOutput{}
		out.Body.Items, out.Body.Ladder = items, ladder
		return out, err
	}
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-budgets", Summary: "时限设置和督办阶梯", Tag: tag, Access: budgets}.Huma(),
		func(ctx context.Context, _ *struct{}) (*budgetsOutput, error) { return list(ctx) })
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-budgets", Summary: "设置一项时限", Tag: tag, Access: budgets}.Huma(),
		func(ctx context.Context, in *budgetInput) (*budgetsOutput, error) {
			b := in.Body
			err := s.SetBudget(ctx, access.From(ctx), SetBudget{Key: in.Key, Type: b.Type, Urgency: b.Urgency, Kind: b.Kind, Amount: b.Amount, Unit: b.Unit, WarnPercent: b.WarnPercent, Version: b.Version})
			if err != nil {
				return nil, err
			}
			return list(ctx)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-budgets/{id}/remove", Summary: "删除一项时限", Tag: tag, Access: budgets}.Huma(),
		func(ctx context.Context, in *budgetRemoveInput) (*budgetsOutput, error) {
			if err := s.RemoveBudget(ctx, access.From(ctx), in.ID, in.Body.Version, in.Key); err != nil {
				return nil, err
			}
			return list(ctx)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-ladder", Summary: "设置督办阶梯", Tag: tag, Access: budgets}.Huma(),
		func(ctx context.Context, in *ladderInput) (*budgetsOutput, error) {
			if err := s.SetLadder(ctx, access.From(ctx), in.Body.Ladder, in.Key); err != nil {
				return nil, err
			}
			return list(ctx)
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-budgets/preview", Summary: "某类诉求现在受理的各项时限", Tag: tag, Access: budgets}.Huma(),
		func(ctx context.Context, in *budgetPreviewInput) (*budgetPreviewOutput, error) {
			items, err := s.PreviewBudgets(ctx, access.From(ctx), in.Type, in.Urgency)
			out := &budgetPreviewOutput{}
			out.Body.Items = items
			return out, err
		})
}
