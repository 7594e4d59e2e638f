package ticket

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type expireRulesOutput struct {
	Body struct {
		Items []ExpireRule `json:"items"`
	}
}

type expireRuleInput struct {
	web.Keyed
	Body struct {
		ID      int64  `json:"id" doc:"0 for a new one."`
		Name    string `json:"name"`
		State   string `json:"state" enum:"received,answered,dispatched,signed,suspended,replied,reviewed,callback,unreached,spared,closed,declined"`
		Days    int    `json:"days"`
		Action  string `json:"action" enum:"close,archive,recall,remind,report"`
		Reason  string `json:"reason"`
		Enabled bool   `json:"enabled"`
		Version int64  `json:"version"`
	}
}

type expirePreviewInput struct {
	ID int64 `path:"id" minimum:"1"`
}

type expirePreviewOutput struct {
	Body struct {
		Items []Idle `json:"items"`
		More  bool   `json:"more" doc:"There may be others beside these."`
	}
}

type expireActsInput struct {
	Rule   int64  `query:"rule" minimum:"0"`
	Cursor string `query:"cursor"`
}

type expireActsOutput struct{ Body web.List[ExpireAct] }

type evidenceRulesOutput struct {
	Body struct {
		Items []EvidenceRule `json:"items"`
	}
}

type evidenceRuleInput struct {
	web.Keyed
	Body struct {
		Type    string         `json:"type" maxLength:"50"`
		Items   []EvidenceItem `json:"items" maxItems:"20"`
		Version int64          `json:"version" doc:"0 for a new one."`
	}
}

// registerExpiry adds timed closing and the evidence that types ask for.
func registerExpiry(api huma.API, s *Service) {
	const timed, evidence = "定时处理", "佐证"
	rule := access.Require(PermExpire)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-expire-rules", Summary: "异常流程定时处理规则", Tag: timed, Access: rule}.Huma(),
		func(ctx context.Context, _ *struct{}) (*expireRulesOutput, error) {
			items, err := s.ExpireRules(ctx, access.From(ctx))
			out := &expireRulesOutput{}
			out.Body.Items = items
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-expire-rules", Summary: "设置定时处理规则", Tag: timed, Access: rule, Status: 204}.Huma(),
		func(ctx context.Context, in *expireRuleInput) (*struct{}, error) {
			b := in.Body
			return nil, s.SetExpireRule(ctx, access.From(ctx), SetExpireRule{in.Key, b.ID, b.Name, b.State, b.Days, b.Action, b.Reason, b.Enabled, b.Version})
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-expire-rules/{id}/preview", Summary: "规则现在会处理的工单", Tag: timed, Access: rule}.Huma(),
		func(ctx context.Context, in *expirePreviewInput) (*expirePreviewOutput, error) {
			items, more, err := s.ExpirePreview(ctx, access.From(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			out := &expirePreviewOutput{}
			out.Body.Items, out.Body.More = items, more
			return out, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-expire-acts", Summary: "定时处理记录", Tag: timed, Access: rule}.Huma(),
		func(ctx context.Context, in *expireActsInput) (*expireActsOutput, error) {
			items, next, err := s.ExpireActs(ctx, access.From(ctx), in.Rule, in.Cursor)
			if err != nil {
				return nil, err
			}
			return &expireActsOutput{web.NewList(items, next)}, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/ticket-evidence-rules", Summary: "各类诉求的佐证要求", Tag: evidence, Access: access.Require(PermView)}.Huma(),
		func(ctx context.Context, _ *struct{}) (*evidenceRulesOutput, error) {
			items, err := s.EvidenceRules(ctx, access.From(ctx))
			out := &evidenceRulesOutput{}
			out.Body.Items = items
			return out, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/ticket-evidence-rules", Summary: "设置一类诉求的佐证要求", Tag: evidence, Access: access.Require(PermTypes), Status: 204}.Huma(),
		func(ctx context.Context, in *evidenceRuleInput) (*struct{}, error) {
			return nil, s.SetEvidenceRule(ctx, access.From(ctx), SetEvidenceRule{in.Key, in.Body.Type, in.Body.Items, in.Body.Version})
		})
}
