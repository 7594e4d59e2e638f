package contract

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type contractOutput struct{ Body View }

type contractIDInput struct {
	ID int64 `path:"id"`
}

type contractCaseInput struct {
	Object string `path:"object" maxLength:"40"`
	ID     int64  `path:"id"`
}

// CaseView are the contracts of a case.
type CaseView struct {
	Items  []View `json:"items"`
	Drafts bool   `json:"drafts" doc:"The asker may draft one."`
}

type contractCaseOutput struct{ Body CaseView }

type contractMakeInput struct {
	web.Keyed
	Object string `path:"object" maxLength:"40"`
	ID     int64  `path:"id"`
	Body   Make
}

type contractEditInput struct {
	ID   int64 `path:"id"`
	Body Edit
}

type contractRefInput struct {
	ID   int64 `path:"id"`
	Body Ref
}

type contractEndInput struct {
	ID   int64 `path:"id"`
	Body Ending
}

type contractVoidInput struct {
	ID   int64 `path:"id"`
	Body Void
}

type contractSignInput struct {
	ID   int64 `path:"id"`
	Body Sign
}

type contractCodeOutput struct {
	Body struct {
		SentTo string `json:"sentTo" doc:"The phone, masked."`
	}
}

type contractPackageOutput struct{ Body Package }

type contractTemplatesOutput struct{ Body web.List[TemplateView] }

type contractTemplateInput struct{ Body SaveTemplate }

type contractCheckInput struct {
	Number string `query:"number" maxLength:"30"`
	Code   string `query:"code" maxLength:"30"`
}

type contractCheckOutput struct{ Body Checked }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	reader := access.Only(access.Enterprise, access.Institution, access.Platform, access.Government)
	party := access.Only(access.Enterprise, access.Institution)
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: "/api" + path, Summary: summary, Tag: "电子合同", Access: rule}.Huma()
	}
	one := func(v View, err error) (*contractOutput, error) {
		if err != nil {
			return nil, err
		}
		return &contractOutput{v}, nil
	}
	huma.Register(api, op("GET", "/case-contracts/{object}/{id}", "申请的合同", reader), func(ctx context.Context, in *contractCaseInput) (*contractCaseOutput, error) {
		items, drafts, err := s.Of(ctx, access.From(ctx), in.Object, in.ID)
		if err != nil {
			return nil, err
		}
		return &contractCaseOutput{CaseView{items, drafts}}, nil
	})
	huma.Register(api, op("POST", "/case-contracts/{object}/{id}", "起草合同", access.Require(PermDraft)), func(ctx context.Context, in *contractMakeInput) (*contractOutput, error) {
		in.Body.Key, in.Body.Object, in.Body.ID = in.Key, in.Object, in.ID
		return one(s.Make(ctx, access.From(ctx), in.Body))
	})
	huma.Register(api, op("GET", "/contracts/{id}", "一份合同", reader), func(ctx context.Context, in *contractIDInput) (*contractOutput, error) {
		return one(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("PUT", "/contracts/{id}", "修改合同草稿", access.Require(PermDraft)), func(ctx context.Context, in *contractEditInput) (*contractOutput, error) {
		in.Body.ID = in.ID
		return one(s.Edit(ctx, access.From(ctx), in.Body))
	})
	huma.Register(api, op("POST", "/contracts/{id}/send", "发送合同给企业", access.Require(PermDraft)), func(ctx context.Context, in *contractRefInput) (*contractOutput, error) {
		in.Body.ID = in.ID
		return one(s.Send(ctx, access.From(ctx), in.Body))
	})
	huma.Register(api, op("POST", "/contracts/{id}/withdraw", "撤回合同", access.Require(PermDraft)), func(ctx context.Context, in *contractEndInput) (*contractOutput, error) {
		in.Body.ID = in.ID
		return one(s.Withdraw(ctx, access.From(ctx), in.Body))
	})
	huma.Register(api, op("POST", "/contracts/{id}/reject", "企业拒签合同", access.Only(access.Enterprise)), func(ctx context.Context, in *contractEndInput) (*contractOutput, error) {
		in.Body.ID = in.ID
		return one(s.Reject(ctx, access.From(ctx), in.Body))
	})
	huma.Register(api, op("POST", "/contracts/{id}/code", "发送签署验证码", party), func(ctx context.Context, in *contractIDInput) (*contractCodeOutput, error) {
		to, err := s.Code(ctx, access.From(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		out := new(contractCodeOutput)
		out.Body.SentTo = to
		return out, nil
	})
	huma.Register(api, op("POST", "/contracts/{id}/sign", "签署合同", party), func(ctx context.Context, in *contractSignInput) (*contractOutput, error) {
		in.Body.ID = in.ID
		return one(s.Sign(ctx, access.From(ctx), in.Body))
	})
	huma.Register(api, op("POST", "/contracts/{id}/void", "申请、同意或不同意作废合同", party), func(ctx context.Context, in *contractVoidInput) (*contractOutput, error) {
		in.Body.ID = in.ID
		return one(s.Void(ctx, access.From(ctx), in.Body))
	})
	huma.Register(api, op("GET", "/contracts/{id}/package", "合同签名数据，可脱离平台验证", reader), func(ctx context.Context, in *contractIDInput) (*contractPackageOutput, error) {
		_, p, err := s.Package(ctx, access.From(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return &contractPackageOutput{p}, nil
	})
	templates := access.Require(PermDraft, PermTemplates)
	huma.Register(api, op("GET", "/contract-templates", "合同模板", templates), func(ctx context.Context, _ *struct{}) (*contractTemplatesOutput, error) {
		list, err := s.Templates(ctx, access.From(ctx))
		return &contractTemplatesOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("POST", "/contract-templates", "保存合同模板为新版本", access.Require(PermTemplates)), func(ctx context.Context, in *contractTemplateInput) (*contractTemplatesOutput, error) {
		actor := access.From(ctx)
		if err := s.SaveTemplate(ctx, actor, in.Body); err != nil {
			return nil, err
		}
		list, err := s.Templates(ctx, actor)
		return &contractTemplatesOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("GET", "/contract-checks", "按编号和校验码核验合同", access.Public("持有合同的人无需登录即可核验真伪")), func(ctx context.Context, in *contractCheckInput) (*contractCheckOutput, error) {
		v, err := s.Check(ctx, in.Number, in.Code)
		if err != nil {
			return nil, err
		}
		return &contractCheckOutput{v}, nil
	})
}
