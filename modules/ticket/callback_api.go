package ticket

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type callbackListInput struct {
	View   string `query:"view" enum:"due,later,unreached,spared,done" doc:"Empty is due."`
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100"`
}

type callbackListOutput struct{ Body web.List[CallbackView] }

type callbackCardOutput struct{ Body CallbackCard }

type callbackIDInput struct {
	ID int64 `path:"id" minimum:"1"`
}

type callbackClaimInput struct{ web.Keyed }

type callbackRecordInput struct {
	Target
	Body struct {
		Version   int64      `json:"version"`
		Result    CallResult `json:"result" enum:"reached,no_answer,refused,wrong_number"`
		Responded *bool      `json:"responded,omitempty" doc:"The unit had been in touch with the requester."`
		Solved    *bool      `json:"solved,omitempty" doc:"Needed when the requester was reached."`
		Level     int        `json:"level,omitempty" doc:"1 to 5; needed when the requester was reached."`
		Tags      []string   `json:"tags,omitempty" maxItems:"10"`
		Words     string     `json:"words,omitempty"`
		NextAt    *time.Time `json:"nextAt,omitempty"`
		Then      Then       `json:"then,omitempty" enum:",close,reopen" doc:"Needed when the requester is not satisfied."`
		UnitID    int64      `json:"unitId,omitempty" doc:"To have it done again by another unit."`
	}
}

type callbackPlansOutput struct {
	Body struct {
		Items []CallbackPlan `json:"items"`
	}
}

type callbackPlanInput struct {
	web.Keyed
	Body struct {
		Type         string `json:"type,omitempty" maxLength:"50" doc:"Empty for every type without a plan of its own."`
		Share        int    `json:"share"`
		Attempts     int    `json:"attempts"`
		RetryMinutes int    `json:"retryMinutes"`
		Script       string `json:"script"`
		Version      int64  `json:"version" doc:"0 for a new one."`
	}
}

const callbackTag = "回访"

// registerCallbacks adds what is about calling requesters back.
func registerCallbacks(api huma.API, s *Service) {
	callers := access.Require(PermClose)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-callbacks", Summary: "回访队列和回访记录", Tag: callbackTag, Access: callers}.Huma(),
		func(ctx context.Context, in *callbackListInput) (*callbackListOutput, error) {
			items, next, err := s.Callbacks(ctx, access.From(ctx), CallbackFilter(*in))
			if err != nil {
				return nil, err
			}
			return &callbackListOutput{web.NewList(items, next)}, nil
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-callbacks/claim", Summary: "领取下一个回访", Tag: callbackTag, Access: callers}.Huma(),
		func(ctx context.Context, in *callbackClaimInput) (*callbackCardOutput, error) {
			return callbackOutput(s.ClaimCallback(ctx, access.From(ctx), in.Key))
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-callbacks/{id}", Summary: "回访详情、话术和历次回访", Tag: callbackTag, Access: callers}.Huma(),
		func(ctx context.Context, in *callbackIDInput) (*callbackCardOutput, error) {
			return callbackOutput(s.Callback(ctx, access.From(ctx), in.ID))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-callbacks/{id}/release", Summary: "放回回访队列", Tag: callbackTag, Access: callers, Status: 204}.Huma(),
		func(ctx context.Context, in *callbackIDInput) (*struct{}, error) {
			return nil, s.ReleaseCallback(ctx, access.From(ctx), in.ID)
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/tickets/{id}/callback-record", Summary: "登记一次回访", Tag: callbackTag, Access: callers}.Huma(),
		func(ctx context.Context, in *callbackRecordInput) (*ticketOutput, error) {
			b := in.Body
			return output(s.RecordCallback(ctx, access.From(ctx), RecordCallback{
				Ref: in.ref(b.Version), Result: b.Result, Responded: b.Responded, Solved: b.Solved, Level: b.Level, Tags: b.Tags, Words: b.Words, NextAt: b.NextAt, Then: b.Then, UnitID: b.UnitID,
			}))
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-callback-plans", Summary: "回访抽样、次数和话术", Tag: callbackTag, Access: callers}.Huma(),
		func(ctx context.Context, _ *struct{}) (*callbackPlansOutput, error) {
			items, err := s.CallbackPlans(ctx, access.From(ctx))
			out := &callbackPlansOutput{}
			out.Body.Items = items
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-callback-plans", Summary: "设置一类诉求的回访", Tag: callbackTag, Access: access.Require(PermTypes), Status: 204}.Huma(),
		func(ctx context.Context, in *callbackPlanInput) (*struct{}, error) {
			b := in.Body
			return nil, s.SetCallbackPlan(ctx, access.From(ctx), SetCallbackPlan{in.Key, b.Type, b.Share, b.Attempts, b.RetryMinutes, b.Script, b.Version})
		})
}

func callbackOutput(c CallbackCard, err error) (*callbackCardOutput, error) {
	if err != nil {
		return nil, err
	}
	return &callbackCardOutput{c}, nil
}
