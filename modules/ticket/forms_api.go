package ticket

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type typeInput struct {
	Code string `path:"code" maxLength:"50"`
}

type typeOutput struct{ Body TypeView }

func typeAnswer(v TypeView, err error) (*typeOutput, error) {
	if err != nil {
		return nil, err
	}
	return &typeOutput{Body: v}, nil
}

type typeBody struct {
	Version      int64   `json:"version" doc:"0 for a new type."`
	Name         string  `json:"name"`
	Category     string  `json:"category,omitempty" doc:"Scheme and version, as huiqi-matter/2026-1."`
	CategoryCode string  `json:"categoryCode,omitempty"`
	Urgency      Urgency `json:"urgency" enum:"normal,urgent,critical"`
	Hours        int     `json:"hours,omitempty" doc:"Of a new type only; afterwards its budgets count."`
	Sort         int     `json:"sort,omitempty"`
}

type changeTypeInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"50"`
	Body typeBody
}

type setFormInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"50"`
	Body struct {
		Version int64       `json:"version" doc:"Of the type."`
		Fields  []FormField `json:"fields" maxItems:"20"`
	}
}

type retireTypeInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"50"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type categoriesOutput struct {
	Body struct {
		Schemes []Scheme   `json:"schemes"`
		Items   []Category `json:"items"`
	}
}

type declineReasonsOutput struct {
	Body struct {
		Items []DeclineReason `json:"items"`
	}
}

type declineReasonInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"50"`
	Body struct {
		Version int64  `json:"version" doc:"0 for a new one."`
		Name    string `json:"name"`
		Route   string `json:"route"`
		Sort    int    `json:"sort,omitempty"`
		Retired bool   `json:"retired,omitempty"`
	}
}

// registerForms adds the operations with which types, their forms and the cases of declining are kept.
func registerForms(api huma.API, s *Service) {
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: rule}.Huma()
	}
	types := access.Require(PermTypes)
	huma.Register(api, op("GET", "/api/ticket-types/{code}", "诉求类型及其各版表单", types), func(ctx context.Context, in *typeInput) (*typeOutput, error) {
		return typeAnswer(s.Type(ctx, access.From(ctx), in.Code))
	})
	huma.Register(api, op("POST", "/api/ticket-types/{code}", "新增或修改诉求类型", types), func(ctx context.Context, in *changeTypeInput) (*typeOutput, error) {
		b := in.Body
		return typeAnswer(s.ChangeType(ctx, access.From(ctx), ChangeType{Key: in.Key, Code: in.Code, Version: b.Version, Name: b.Name, Category: b.Category,
			CategoryCode: b.CategoryCode, Urgency: b.Urgency, Hours: b.Hours, Sort: b.Sort}))
	})
	huma.Register(api, op("POST", "/api/ticket-types/{code}/form", "设置诉求类型的表单（产生新版本）", types), func(ctx context.Context, in *setFormInput) (*typeOutput, error) {
		return typeAnswer(s.SetForm(ctx, access.From(ctx), in.Code, in.Body.Version, in.Body.Fields, in.Key))
	})
	for path, retire := range map[string]bool{"retire": true, "restore": false} {
		summary := "停用诉求类型"
		if !retire {
			summary = "恢复使用诉求类型"
		}
		huma.Register(api, op("POST", "/api/ticket-types/{code}/"+path, summary, types), func(ctx context.Context, in *retireTypeInput) (*typeOutput, error) {
			return typeAnswer(s.RetireType(ctx, access.From(ctx), in.Code, in.Body.Version, retire, in.Key))
		})
	}
	huma.Register(api, op("GET", "/api/ticket-categories", "诉求分类编码表及其版本", types), func(ctx context.Context, _ *struct{}) (*categoriesOutput, error) {
		out := &categoriesOutput{}
		var err error
		out.Body.Schemes, out.Body.Items, err = s.Categories(ctx, access.From(ctx))
		return out, err
	})
	huma.Register(api, op("GET", "/api/ticket-decline-reasons", "不予受理的情形和法定渠道", access.Require(PermDecline, PermTypes)), func(ctx context.Context, _ *struct{}) (*declineReasonsOutput, error) {
		out := &declineReasonsOutput{}
		var err error
		out.Body.Items, err = s.DeclineReasons(ctx, access.From(ctx))
		return out, err
	})
	huma.Register(api, op("POST", "/api/ticket-decline-reasons/{code}", "新增或修改不予受理的情形", types), func(ctx context.Context, in *declineReasonInput) (*struct{}, error) {
		b := in.Body
		return nil, s.SetDeclineReason(ctx, access.From(ctx), DeclineReason{in.Code, b.Name, b.Route, b.Sort, b.Retired, b.Version}, in.Key)
	})
}

type callerInput struct {
	Body struct {
		Phone      string `json:"phone,omitempty" maxLength:"30"`
		CreditCode string `json:"creditCode,omitempty" maxLength:"30"`
	}
}

type callerOutput struct{ Body Caller }

type similarInput struct {
	Body struct {
		Type         string `json:"type,omitempty" maxLength:"50"`
		Title        string `json:"title,omitempty" maxLength:"200"`
		Body         string `json:"body,omitempty" maxLength:"8000"`
		Phone        string `json:"phone,omitempty" maxLength:"30" doc:"Agents only."`
		CreditCode   string `json:"creditCode,omitempty" maxLength:"30" doc:"Agents only."`
		EnterpriseID int64  `json:"enterpriseId,omitempty" doc:"Agents only."`
	}
}

type similarOutput struct {
	Body struct {
		Items []Alike `json:"items"`
	}
}

type byNumberInput struct {
	Body struct {
		Number        string `json:"number" maxLength:"40"`
		Code          string `json:"code" maxLength:"20"`
		CaptchaID     string `json:"captchaId,omitempty" maxLength:"64"`
		CaptchaAnswer string `json:"captchaAnswer,omitempty" maxLength:"12"`
	}
}

type byNumberOutput struct{ Body PublicView }

// registerIntake adds what is asked while a request is written down, and what is asked about it without an account. Numbers
// of people come in bodies, not in addresses, which are logged.
func registerIntake(api huma.API, s *Service) {
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/ticket-callers", Summary: "来电人：本人、企业和此前的工单", Tag: tag, Access: access.Require(PermOpen),
	}.Huma(), func(ctx context.Context, in *callerInput) (*callerOutput, error) {
		c, err := s.Caller(ctx, access.From(ctx), LookUp{in.Body.Phone, in.Body.CreditCode})
		return &callerOutput{Body: c}, err
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/ticket-similar", Summary: "登记时提示可能重复的诉求", Tag: tag, Access: access.Only(access.Enterprise, access.Platform, access.Government),
	}.Huma(), func(ctx context.Context, in *similarInput) (*similarOutput, error) {
		b := in.Body
		items, err := s.Similar(ctx, access.From(ctx), Typed{b.Type, b.Title, b.Body, b.Phone, b.CreditCode, b.EnterpriseID})
		out := &similarOutput{}
		out.Body.Items = items
		return out, err
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/ticket-queries", Summary: "凭流水号和查询码查询诉求进度", Tag: tag, Access: access.Public("无账号的诉求人凭流水号和查询码查询"),
	}.Huma(), func(ctx context.Context, in *byNumberInput) (*byNumberOutput, error) {
		b := in.Body
		v, err := s.ByNumber(ctx, access.From(ctx), AskByNumber{b.Number, b.Code, b.CaptchaID, b.CaptchaAnswer})
		return &byNumberOutput{Body: v}, err
	})
}
