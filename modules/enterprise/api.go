package enterprise

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "企业"

type (
	mineOutput    struct{ Body Mine }
	attemptOutput struct{ Body AttemptView }
	viewOutput    struct{ Body View }
	membersOutput struct{ Body Members }
	joinOutput    struct{ Body JoinView }
	itemsOutput   struct{ Body web.List[Item] }
	reviewsOutput struct{ Body web.List[AttemptView] }
	joinsOutput   struct{ Body web.List[JoinView] }
	oursOutput    struct{ Body web.List[MyCompany] }
	reasonsOutput struct{ Body web.List[reason.Reason] }
	industriesOut struct{ Body web.List[IndustryOption] }
)

type enterpriseVerifyInput struct {
	web.Keyed
	Body struct {
		Name        string `json:"name" maxLength:"600"`
		CreditCode  string `json:"creditCode" maxLength:"100"`
		LegalPerson string `json:"legalPerson" maxLength:"300"`
	}
}

type enterpriseApplyInput struct {
	web.Keyed
	Body struct {
		Name        string  `json:"name" maxLength:"600"`
		CreditCode  string  `json:"creditCode" maxLength:"100"`
		LegalPerson string  `json:"legalPerson" maxLength:"300"`
		Note        string  `json:"note,omitempty"`
		FileIDs     []int64 `json:"fileIds" maxItems:"9" doc:"The licence: pictures or a PDF, uploaded for the purpose licence."`
		LicenceID   int64   `json:"licenceId,omitempty" doc:"A licence the company keeps already, instead of files."`
	}
}

type enterpriseChangeInput struct {
	web.Keyed
	Body struct {
		Name        string  `json:"name,omitempty" maxLength:"600" doc:"The new name, as on the new licence; empty where it stays."`
		LegalPerson string  `json:"legalPerson,omitempty" maxLength:"300" doc:"Who stands for the company now; empty where that stays."`
		Note        string  `json:"note,omitempty"`
		FileIDs     []int64 `json:"fileIds" maxItems:"9" doc:"The new licence: pictures or a PDF, uploaded for the purpose licence."`
		LicenceID   int64   `json:"licenceId,omitempty" doc:"The new licence where the company keeps it already, instead of files."`
	}
}

type enterpriseFetchInput struct{ web.Keyed }

type enterpriseStateInput struct {
	web.Keyed
	Body struct {
		Employees string `json:"employees,omitempty" maxLength:"40"`
		Revenue   string `json:"revenue,omitempty" maxLength:"40" doc:"Last year's, in 万元, at most two decimal places."`
		Assets    string `json:"assets,omitempty" maxLength:"40" doc:"In 万元."`
		RDSpend   string `json:"rdSpend,omitempty" maxLength:"40" doc:"Last year's, in 万元."`
		Industry  string `json:"industry,omitempty" maxLength:"200" doc:"Code or name of GB/T 4754."`
		MoreFacts
		Year string `json:"year,omitempty" maxLength:"10" doc:"Says that the numbers are those at the end of this full year; empty for the last year's books and today's staff."`
	}
}

type enterpriseMandateInput struct {
	web.Keyed
	UserID int64 `path:"id"`
	Body   struct {
		Rights []Right `json:"rights" maxItems:"10" doc:"None takes back what the member may do."`
		Until  string  `json:"until,omitempty" doc:"The last day, as 2027-06-30."`
	}
}

type enterpriseIDInput struct {
	ID int64 `path:"id"`
}

type enterpriseGetInput struct {
	ID    int64  `path:"id"`
	Basis string `query:"basis" maxLength:"40" doc:"Code of the basis the reader claims where the company has not agreed; of /api/consent-offers."`
}

type enterpriseListInput struct {
	web.Listing
	Query        string       `query:"q" maxLength:"400" doc:"Words of the name or a former one, or the beginning of the credit code."`
	Verification Verification `query:"verification"`
	Tag          string       `query:"tag" maxLength:"31" doc:"Code of a tag the companies have."`
	Extra        string       `query:"extra" maxLength:"1000" doc:"Conditions on the fields administrators define, one a line: park:台湖, visited:2026-01-01..2026-06-30, beds:10.."`
}

type enterpriseReasonsInput struct {
	Changing bool `query:"changing" doc:"Those for a change of name or legal person."`
}

type enterpriseQueueInput struct{ web.Listing }

type enterpriseIndustryInput struct {
	Query string `query:"q" maxLength:"200"`
}

// Chosen is embedded by the input of every decision; Huma fills exported structs only.
type Chosen struct {
	web.Keyed
	ID int64 `path:"id"`
}

func (in *Chosen) decide(version int64) Decide {
	return Decide{ID: in.ID, Version: version, Key: in.Key}
}

type enterpriseApproveInput struct {
	Chosen
	Body struct {
		Version int64  `json:"version"`
		Note    string `json:"note,omitempty" doc:"Internal."`
	}
}

type enterpriseReturnInput struct {
	Chosen
	Body struct {
		Version int64  `json:"version"`
		Code    string `json:"code" doc:"One of the ready reasons."`
		Text    string `json:"text,omitempty" doc:"More words; needed with the reason other."`
	}
}

type enterpriseAdmitInput struct {
	Chosen
	Body struct {
		Version int64 `json:"version"`
	}
}

type enterpriseRefuseInput struct {
	Chosen
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type enterpriseDisputeInput struct {
	Chosen
	Body struct {
		Version int64  `json:"version"`
		Note    string `json:"note"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	own := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Only(access.Enterprise)}.Huma()
	}
	desk := func(method, path, summary string, need access.Permission) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(need)}.Huma()
	}
	huma.Register(api, own("GET", "/api/my/enterprise", "我的企业"), func(ctx context.Context, _ *struct{}) (*mineOutput, error) {
		v, err := s.Mine(ctx, access.From(ctx))
		return &mineOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/enterprise/verifications", "企业实名认证：与登记系统核验"), func(ctx context.Context, in *enterpriseVerifyInput) (*attemptOutput, error) {
		v, err := s.Verify(ctx, access.From(ctx), VerifyEnterprise{in.Key, Claim{in.Body.Name, in.Body.CreditCode, in.Body.LegalPerson}})
		return &attemptOutput{v}, err
	})
	huma.Register(api, own("GET", "/api/my/enterprise/verifications/{id}", "一次认证的结果"), func(ctx context.Context, in *enterpriseIDInput) (*attemptOutput, error) {
		v, err := s.Attempt(ctx, access.From(ctx), in.ID)
		return &attemptOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/enterprise/reviews", "企业实名认证：上传营业执照人工审核"), func(ctx context.Context, in *enterpriseApplyInput) (*attemptOutput, error) {
		b := in.Body
		v, err := s.Apply(ctx, access.From(ctx), ApplyForReview{in.Key, Claim{b.Name, b.CreditCode, b.LegalPerson}, b.Note, b.FileIDs, b.LicenceID})
		return &attemptOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/enterprise/changes", "企业变更登记"), func(ctx context.Context, in *enterpriseChangeInput) (*attemptOutput, error) {
		b := in.Body
		v, err := s.Change(ctx, access.From(ctx), ChangeRegistered{in.Key, b.Name, b.LegalPerson, b.Note, b.FileIDs, b.LicenceID})
		return &attemptOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/enterprise/registry", "获取企业登记信息"), func(ctx context.Context, in *enterpriseFetchInput) (*attemptOutput, error) {
		v, err := s.Fetch(ctx, access.From(ctx), FetchFacts{in.Key})
		return &attemptOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/enterprise/facts", "填报企业信息"), func(ctx context.Context, in *enterpriseStateInput) (*mineOutput, error) {
		b := in.Body
		v, err := s.State(ctx, access.From(ctx), StateFacts{in.Key, b.Employees, b.Revenue, b.Assets, b.RDSpend, b.Industry, b.MoreFacts, b.Year})
		return &mineOutput{v}, err
	})
	huma.Register(api, own("GET", "/api/my/enterprise/members", "本企业成员与加入申请"), func(ctx context.Context, _ *struct{}) (*membersOutput, error) {
		v, err := s.Members(ctx, access.From(ctx))
		return &membersOutput{v}, err
	})
	huma.Register(api, own("POST", "/api/my/enterprise/members/{id}/mandate", "调整成员的经办授权"), func(ctx context.Context, in *enterpriseMandateInput) (*membersOutput, error) {
		v, err := s.Mandate(ctx, access.From(ctx), Mandate{in.Key, in.UserID, in.Body.Rights, in.Body.Until})
		return &membersOutput{v}, err
	})
	huma.Register(api, own("GET", "/api/my/enterprises", "我可代表的企业"), func(ctx context.Context, _ *struct{}) (*oursOutput, error) {
		list, err := s.Companies(ctx, access.From(ctx))
		return &oursOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, own("POST", "/api/my/enterprises/{id}/switch", "切换办理业务的企业"), func(ctx context.Context, in *enterpriseIDInput) (*struct{}, error) {
		return nil, s.Switch(ctx, access.From(ctx), in.ID)
	})
	huma.Register(api, own("GET", "/api/my/joins", "我的加入申请"), func(ctx context.Context, _ *struct{}) (*joinsOutput, error) {
		list, err := s.MyJoins(ctx, access.From(ctx))
		return &joinsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, own("POST", "/api/my/joins/{id}/dispute", "加入申请提交平台核实"), func(ctx context.Context, in *enterpriseDisputeInput) (*joinOutput, error) {
		v, err := s.Dispute(ctx, access.From(ctx), DisputeJoin{in.decide(in.Body.Version), in.Body.Note})
		return &joinOutput{v}, err
	})
	// Somebody on leave may have delegated to a colleague without the right: the service looks.
	review := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(PermReview, PermView)}.Huma()
	}
	for path, op := range map[string]func(method, path, summary string) huma.Operation{"/api/my/joins": own, "/api/enterprise-joins": review} {
		huma.Register(api, op("POST", path+"/{id}/admit", "同意加入申请"), func(ctx context.Context, in *enterpriseAdmitInput) (*joinOutput, error) {
			v, err := s.Admit(ctx, access.From(ctx), AdmitJoin{in.decide(in.Body.Version)})
			return &joinOutput{v}, err
		})
		huma.Register(api, op("POST", path+"/{id}/refuse", "不同意加入申请"), func(ctx context.Context, in *enterpriseRefuseInput) (*joinOutput, error) {
			v, err := s.Refuse(ctx, access.From(ctx), RefuseJoin{in.decide(in.Body.Version), in.Body.Reason})
			return &joinOutput{v}, err
		})
	}
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/industries", Summary: "查找国民经济行业", Tag: tag, Access: access.SignedIn()}.Huma(),
		func(ctx context.Context, in *enterpriseIndustryInput) (*industriesOut, error) {
			list, err := s.Industries(ctx, access.From(ctx), in.Query)
			return &industriesOut{web.NewList(list, "")}, err
		})
	huma.Register(api, desk("GET", "/api/enterprises", "企业列表", PermView), func(ctx context.Context, in *enterpriseListInput) (*itemsOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), ListFilter{Query: in.Query, Verification: in.Verification, Extra: in.Extra, Tag: in.Tag, Cursor: in.Cursor, Limit: in.Limit})
		return &itemsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, desk("GET", "/api/enterprises/{id}", "企业详情", PermView), func(ctx context.Context, in *enterpriseGetInput) (*viewOutput, error) {
		v, err := s.Get(ctx, access.From(ctx), in.ID, in.Basis)
		return &viewOutput{v}, err
	})
	huma.Register(api, review("GET", "/api/enterprise-reviews", "待审核的企业认证"), func(ctx context.Context, in *enterpriseQueueInput) (*reviewsOutput, error) {
		items, next, err := s.Reviews(ctx, access.From(ctx), in.Cursor, in.Limit)
		return &reviewsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, desk("GET", "/api/enterprise-reviews/{id}", "企业认证申请", PermView), func(ctx context.Context, in *enterpriseIDInput) (*attemptOutput, error) {
		v, err := s.Attempt(ctx, access.From(ctx), in.ID)
		return &attemptOutput{v}, err
	})
	huma.Register(api, review("GET", "/api/enterprise-return-reasons", "退回原因"), func(ctx context.Context, in *enterpriseReasonsInput) (*reasonsOutput, error) {
		list, err := s.ReturnReasons(ctx, access.From(ctx), in.Changing)
		return &reasonsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, review("POST", "/api/enterprise-reviews/{id}/approve", "通过企业认证"), func(ctx context.Context, in *enterpriseApproveInput) (*attemptOutput, error) {
		v, err := s.Approve(ctx, access.From(ctx), ApproveReview{in.decide(in.Body.Version), in.Body.Note})
		return &attemptOutput{v}, err
	})
	huma.Register(api, review("POST", "/api/enterprise-reviews/{id}/return", "退回企业认证"), func(ctx context.Context, in *enterpriseReturnInput) (*attemptOutput, error) {
		v, err := s.Return(ctx, access.From(ctx), ReturnReview{in.decide(in.Body.Version), in.Body.Code, in.Body.Text})
		return &attemptOutput{v}, err
	})
	undoing := access.Require(PermReview, PermUndo, PermView)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/enterprise-decisions", Summary: "已审核的企业认证", Tag: tag, Access: undoing}.Huma(), func(ctx context.Context, in *enterpriseQueueInput) (*reviewsOutput, error) {
		items, next, err := s.Decisions(ctx, access.From(ctx), in.Cursor, in.Limit)
		return &reviewsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/enterprise-reviews/{id}/undo", Summary: "撤销企业认证审核决定", Tag: tag, Access: undoing}.Huma(), func(ctx context.Context, in *enterpriseRefuseInput) (*attemptOutput, error) {
		v, err := s.UndoReview(ctx, access.From(ctx), UndoReview{in.decide(in.Body.Version), in.Body.Reason})
		return &attemptOutput{v}, err
	})
	huma.Register(api, review("GET", "/api/enterprise-joins", "待平台核实的加入申请"), func(ctx context.Context, in *enterpriseQueueInput) (*joinsOutput, error) {
		items, next, err := s.Disputes(ctx, access.From(ctx), in.Cursor, in.Limit)
		return &joinsOutput{web.NewList(items, next)}, err
	})
	registerGolden(api, s)
	registerQuality(api, s)
	registerPortrait(api, s)
	registerReports(api, s)
	registerTags(api, s)
	registerExtra(api, s)
}
