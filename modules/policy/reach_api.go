package policy

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/web"
)

type (
	policyReverseOutput struct{ Body Reverse }

	policyCompaniesInput struct {
		web.Listing
		ID       int64  `path:"id"`
		Set      string `query:"set" enum:"eligible,near,unknown,human,not_eligible" default:"eligible"`
		Town     string `query:"town" maxLength:"200" doc:"Codes of streets and towns, separated by commas."`
		Industry string `query:"industry" maxLength:"60" doc:"Letters of GB/T 4754, separated by commas."`
		ReadBasis
	}
	policyCompaniesOutput struct{ Body web.List[Judgement] }

	policyCompanyInput struct {
		ID         int64 `path:"id"`
		Enterprise int64 `path:"enterprise"`
		ReadBasis
	}
	policyCompanyOutput struct{ Body Judgement }

	policyOutcomeOutput struct{ Body Outcome }

	policyRunInput struct {
		web.Keyed
		ID int64 `path:"id"`
	}

	policyAudienceInput struct {
		web.Keyed
		ID   int64 `path:"id"`
		Body Audience
	}
	pushPreviewOutput struct{ Body PushPreview }
	pushOutput        struct{ Body PushView }
	pushesInput       struct {
		web.Listing
		PolicyID int64 `query:"policyId"`
	}
	pushesOutput struct{ Body web.List[PushView] }
	reachIDInput struct {
		ID int64 `path:"id"`
	}
	reachStepInput struct {
		web.Keyed
		ID   int64 `path:"id"`
		Body struct {
			Version int64  `json:"version"`
			Reason  string `json:"reason,omitempty" maxLength:"200"`
		}
	}

	answersOutput struct{ Body web.List[AnswerItem] }
	answerInput   struct {
		Number string `path:"number" maxLength:"64"`
	}
	answerOutput      struct{ Body AnswerView }
	answerRemoveInput struct {
		web.Keyed
		Number string `path:"number" maxLength:"64"`
	}

	grantOutput struct{ Body GrantView }
	grantsInput struct {
		PolicyID int64 `query:"policyId"`
	}
	grantsOutput   struct{ Body web.List[GrantView] }
	grantPageInput struct {
		web.Listing
		ID int64 `path:"id"`
	}
	grantCompaniesOutput struct{ Body web.List[GrantCompany] }
	grantCompanyInput    struct {
		ID         int64 `path:"id"`
		Enterprise int64 `path:"enterprise"`
		ReadBasis
	}
	grantCompanyOutput struct{ Body GrantCompany }
	grantRemoveInput   struct {
		web.Keyed
		ID         int64 `path:"id"`
		Enterprise int64 `path:"enterprise"`
		Body       struct {
			Version int64  `json:"version"`
			Reason  string `json:"reason" maxLength:"200"`
		}
	}
	objectionDecideInput struct {
		web.Keyed
		ID   int64 `path:"id"`
		Body struct {
			Uphold bool   `json:"uphold"`
			Answer string `json:"answer" maxLength:"1000"`
		}
	}
	myGrantsOutput    struct{ Body web.List[MyGrant] }
	grantConfirmInput struct {
		web.Keyed
		ID   int64 `path:"id"`
		Body struct {
			Take bool `json:"take"`
		}
	}
	myGrantOutput struct{ Body MyGrant }

	publicGrantsOutput struct{ Body web.List[PublicGrant] }
	publicGrantOutput  struct{ Body ShownGrant }
	objectInput        struct {
		web.Keyed
		ID   int64 `path:"id"`
		Body struct {
			EnterpriseID int64  `json:"enterpriseId,omitempty" doc:"Against whom; left out: against the whole list."`
			Name         string `json:"name" maxLength:"50"`
			Phone        string `json:"phone" maxLength:"20"`
			Text         string `json:"text" maxLength:"2000"`
		}
	}
	objectOutput struct {
		Body struct {
			Number string `json:"number"`
		}
	}
)

// ReadBasis is the basis a reader claims, as an operation takes it.
type ReadBasis struct {
	Basis string `query:"basis" maxLength:"40" doc:"Code of the basis the reader claims where the company has not agreed."`
}

// RegisterReach adds the operations of finding and telling companies to the API.
func RegisterReach(api huma.API, s *Service) {
	s.reverseAPI(api)
	s.pushAPI(api)
	s.answerAPI(api)
	s.grantAPI(api)
}

func reachOp(method, path, summary string, rule access.Rule) huma.Operation {
	return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: rule}.Huma()
}

func commaSeparated(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

func (s *Service) reverseAPI(api huma.API) {
	find := access.Require(PermReverse)
	huma.Register(api, reachOp("GET", "/api/policies/{id}/reverse", "政策适配企业", find), func(ctx context.Context, in *policyGetInput) (*policyReverseOutput, error) {
		r, err := s.Reverse(ctx, access.From(ctx), in.ID)
		return &policyReverseOutput{r}, err
	})
	huma.Register(api, reachOp("GET", "/api/policies/{id}/outcome", "政策成效", access.Require(PermView)), func(ctx context.Context, in *policyGetInput) (*policyOutcomeOutput, error) {
		v, err := s.Outcome(ctx, access.From(ctx), in.ID)
		return &policyOutcomeOutput{v}, err
	})
	huma.Register(api, reachOp("GET", "/api/policies/{id}/companies", "政策适配企业名单", find), func(ctx context.Context, in *policyCompaniesInput) (*policyCompaniesOutput, error) {
		list, next, err := s.Companies(ctx, access.From(ctx), in.ID, CompanyFilter{Set: criteria.Decision(in.Set), Narrow: Narrow{Towns: commaSeparated(in.Town), Industries: commaSeparated(in.Industry)},
			Basis: in.Basis, Cursor: in.Cursor, Limit: in.Limit})
		return &policyCompaniesOutput{web.NewList(list, next)}, err
	})
	huma.Register(api, reachOp("GET", "/api/policies/{id}/companies/{enterprise}", "政策与一家企业的匹配", find), func(ctx context.Context, in *policyCompanyInput) (*policyCompanyOutput, error) {
		j, err := s.Judgement(ctx, access.From(ctx), in.ID, in.Enterprise, in.Basis)
		return &policyCompanyOutput{j}, err
	})
	huma.Register(api, reachOp("POST", "/api/policies/{id}/runs", "匹配适配企业", find), func(ctx context.Context, in *policyRunInput) (*struct{}, error) {
		return nil, s.Run(ctx, access.From(ctx), in.ID, in.Key)
	})
}

func (s *Service) pushAPI(api huma.API) {
	push, approve, some := access.Require(PermPush), access.Require(PermPushApprove), access.Require(PermPush, PermPushApprove)
	huma.Register(api, reachOp("POST", "/api/policies/{id}/pushes/preview", "预览推送计划", push), func(ctx context.Context, in *policyAudienceInput) (*pushPreviewOutput, error) {
		p, err := s.PreviewPush(ctx, access.From(ctx), in.ID, in.Body)
		return &pushPreviewOutput{p}, err
	})
	huma.Register(api, reachOp("POST", "/api/policies/{id}/pushes", "制定推送计划", push), func(ctx context.Context, in *policyAudienceInput) (*pushOutput, error) {
		v, err := s.MakePush(ctx, access.From(ctx), MakePush{Key: in.Key, PolicyID: in.ID, Audience: in.Body})
		return &pushOutput{v}, err
	})
	huma.Register(api, reachOp("GET", "/api/policy-pushes", "推送计划", some), func(ctx context.Context, in *pushesInput) (*pushesOutput, error) {
		list, next, err := s.Pushes(ctx, access.From(ctx), in.PolicyID, in.Cursor, in.Limit)
		return &pushesOutput{web.NewList(list, next)}, err
	})
	huma.Register(api, reachOp("GET", "/api/policy-pushes/{id}", "一项推送计划", some), func(ctx context.Context, in *reachIDInput) (*pushOutput, error) {
		v, err := s.Push(ctx, access.From(ctx), in.ID)
		return &pushOutput{v}, err
	})
	for _, o := range []struct {
		path, summary string
		rule          access.Rule
		do            func(context.Context, access.Actor, PushStep) (PushView, error)
	}{
		{"approve", "审批通过推送计划", approve, s.ApprovePush}, {"refuse", "退回推送计划", approve, s.RefusePush}, {"pause", "暂停推送", push, s.PausePush},
		{"resume", "继续推送", push, s.ResumePush}, {"stop", "停止推送", push, s.StopPush},
	} {
		huma.Register(api, reachOp("POST", "/api/policy-pushes/{id}/"+o.path, o.summary, o.rule), func(ctx context.Context, in *reachStepInput) (*pushOutput, error) {
			v, err := o.do(ctx, access.From(ctx), PushStep{Key: in.Key, ID: in.ID, Version: in.Body.Version, Reason: in.Body.Reason})
			return &pushOutput{v}, err
		})
	}
}

func (s *Service) answerAPI(api huma.API) {
	huma.Register(api, reachOp("GET", "/api/policy-answers", "本企业的匹配答复", access.Only(access.Enterprise)), func(ctx context.Context, in *web.Listing) (*answersOutput, error) {
		list, next, err := s.MyAnswers(ctx, access.From(ctx), in.Cursor, in.Limit)
		return &answersOutput{web.NewList(list, next)}, err
	})
	huma.Register(api, reachOp("GET", "/api/policy-answers/{number}", "打开一份匹配答复", access.Public("未登录者凭答复编号打开自己的快速匹配；其他答复按权限")), func(ctx context.Context, in *answerInput) (*answerOutput, error) {
		v, err := s.Answer(ctx, access.From(ctx), in.Number)
		return &answerOutput{v}, err
	})
	huma.Register(api, reachOp("POST", "/api/policy-answers/{number}/remove", "删除一份匹配答复", access.Public("未登录者凭答复编号删除自己的快速匹配；其他答复按权限")), func(ctx context.Context, in *answerRemoveInput) (*struct{}, error) {
		return nil, s.RemoveAnswer(ctx, access.From(ctx), RemoveAnswer{Key: in.Key, Number: in.Number})
	})
}

func (s *Service) grantAPI(api huma.API) {
	edit, decide, some := access.Require(PermGrant), access.Require(PermGrantDecide), access.Require(PermGrant, PermGrantDecide)
	huma.Register(api, reachOp("POST", "/api/policies/{id}/grants", "生成免申即享名单", edit), func(ctx context.Context, in *policyRunInput) (*grantOutput, error) {
		v, err := s.MakeGrant(ctx, access.From(ctx), in.ID, in.Key)
		return &grantOutput{v}, err
	})
	huma.Register(api, reachOp("GET", "/api/policy-grants", "免申即享名单", some), func(ctx context.Context, in *grantsInput) (*grantsOutput, error) {
		list, err := s.GrantsOf(ctx, access.From(ctx), in.PolicyID)
		return &grantsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, reachOp("GET", "/api/policy-grants/{id}", "一份免申即享名单", some), func(ctx context.Context, in *reachIDInput) (*grantOutput, error) {
		v, err := s.Grant(ctx, access.From(ctx), in.ID)
		return &grantOutput{v}, err
	})
	huma.Register(api, reachOp("GET", "/api/policy-grants/{id}/companies", "免申即享名单的企业", some), func(ctx context.Context, in *grantPageInput) (*grantCompaniesOutput, error) {
		list, next, err := s.GrantCompanies(ctx, access.From(ctx), in.ID, in.Cursor, in.Limit)
		return &grantCompaniesOutput{web.NewList(list, next)}, err
	})
	huma.Register(api, reachOp("GET", "/api/policy-grants/{id}/companies/{enterprise}", "免申即享的依据", some), func(ctx context.Context, in *grantCompanyInput) (*grantCompanyOutput, error) {
		v, err := s.GrantEvidence(ctx, access.From(ctx), in.ID, in.Enterprise, in.Basis)
		return &grantCompanyOutput{v}, err
	})
	huma.Register(api, reachOp("POST", "/api/policy-grants/{id}/companies/{enterprise}/remove", "从免申即享名单移出企业", edit), func(ctx context.Context, in *grantRemoveInput) (*grantOutput, error) {
		v, err := s.RemoveFromGrant(ctx, access.From(ctx), RemoveFromGrant{GrantStep{Key: in.Key, ID: in.ID, Version: in.Body.Version, Reason: in.Body.Reason}, in.Enterprise})
		return &grantOutput{v}, err
	})
	for _, o := range []struct {
		path, summary string
		rule          access.Rule
		do            func(context.Context, access.Actor, GrantStep) (GrantView, error)
	}{
		{"submit", "提交审定免申即享名单", edit, s.SubmitGrant}, {"return", "退回免申即享名单", decide, s.ReturnGrant}, {"publish", "公示免申即享名单", decide, s.PublishGrant},
		{"cancel", "作废免申即享名单", edit, s.CancelGrant}, {"confirming", "公示结束，请企业确认", decide, s.OpenConfirming}, {"finish", "确定免申即享名单", decide, s.FinishGrant},
	} {
		huma.Register(api, reachOp("POST", "/api/policy-grants/{id}/"+o.path, o.summary, o.rule), func(ctx context.Context, in *reachStepInput) (*grantOutput, error) {
			v, err := o.do(ctx, access.From(ctx), GrantStep{Key: in.Key, ID: in.ID, Version: in.Body.Version, Reason: in.Body.Reason})
			return &grantOutput{v}, err
		})
	}
	huma.Register(api, reachOp("POST", "/api/policy-objections/{id}/decide", "处理免申即享异议", decide), func(ctx context.Context, in *objectionDecideInput) (*grantOutput, error) {
		v, err := s.DecideObjection(ctx, access.From(ctx), DecideObjection{Key: in.Key, ID: in.ID, Uphold: in.Body.Uphold, Answer: in.Body.Answer})
		return &grantOutput{v}, err
	})
	s.publicGrantAPI(api)
	company := access.Only(access.Enterprise)
	huma.Register(api, reachOp("GET", "/api/my/policy-grants", "本企业的免申即享", company), func(ctx context.Context, _ *struct{}) (*myGrantsOutput, error) {
		list, err := s.MyGrants(ctx, access.From(ctx))
		return &myGrantsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, reachOp("POST", "/api/my/policy-grants/{id}/confirm", "确认或放弃免申即享", company), func(ctx context.Context, in *grantConfirmInput) (*myGrantOutput, error) {
		v, err := s.ConfirmGrant(ctx, access.From(ctx), ConfirmGrant{Key: in.Key, ID: in.ID, Take: in.Body.Take})
		return &myGrantOutput{v}, err
	})
}

// publicGrantAPI is what everybody sees of the lists and may say against them.
func (s *Service) publicGrantAPI(api huma.API) {
	public := access.Public("公示内容，人人可查")
	huma.Register(api, reachOp("GET", "/api/public/policy-grants", "公示的免申即享名单", public), func(ctx context.Context, _ *struct{}) (*publicGrantsOutput, error) {
		list, err := s.PublicGrants(ctx)
		return &publicGrantsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, reachOp("GET", "/api/public/policy-grants/{id}", "一份公示的免申即享名单", public), func(ctx context.Context, in *grantPageInput) (*publicGrantOutput, error) {
		v, err := s.ShownGrant(ctx, access.From(ctx), in.ID, in.Cursor, in.Limit)
		return &publicGrantOutput{v}, err
	})
	huma.Register(api, reachOp("POST", "/api/public/policy-grants/{id}/objections", "对公示的免申即享名单提出异议", access.Public("公示期内任何人可以提出异议")), func(ctx context.Context, in *objectInput) (*objectOutput, error) {
		number, err := s.RaiseObjection(ctx, access.From(ctx), RaiseObjection{Key: in.Key, GrantID: in.ID, EnterpriseID: in.Body.EnterpriseID, Name: in.Body.Name, Phone: in.Body.Phone, Text: in.Body.Text})
		out := &objectOutput{}
		out.Body.Number = number
		return out, err
	})
}
