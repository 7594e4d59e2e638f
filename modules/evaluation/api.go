package evaluation

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type evaluationOutput struct{ Body View }

type evaluationListInput struct {
	web.Listing
	InstitutionID int64  `query:"institutionId"`
	ProductID     int64  `query:"productId"`
	Level         int    `query:"level"`
	State         string `query:"state" enum:"low,unanswered,reported,hidden,voided"`
	From          string `query:"from" maxLength:"10" doc:"First day, 2006-01-02."`
	To            string `query:"to" maxLength:"10" doc:"Last day."`
}

type evaluationListOutput struct{ Body web.List[Item] }

type evaluationIDInput struct {
	ID int64 `path:"id"`
}

type evaluationSubjectInput struct {
	Object string `path:"object" maxLength:"40"`
	ID     int64  `path:"id"`
}

type evaluationAskedOutput struct{ Body Asked }

type evaluationGiveInput struct {
	web.Keyed
	Object string `path:"object" maxLength:"40"`
	ID     int64  `path:"id"`
	Body   Answer
}

// Target is embedded by the input of every command on an evaluation; Huma fills exported structs only.
type Target struct {
	web.Keyed
	ID int64 `path:"id"`
}

func (in *Target) step(version int64) Step { return Step{in.ID, version, in.Key} }

type evaluationReviseInput struct {
	Target
	Body struct {
		Version int64 `json:"version"`
		Answer
	}
}

type evaluationWordsInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Words   string `json:"words"`
	}
}

type evaluationReportInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Cause   Cause  `json:"cause" enum:"insult,privacy,untrue,advert,other"`
		Words   string `json:"words"`
	}
}

type evaluationDecideInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Result  Result `json:"result" enum:"kept,hidden,second"`
		Reason  string `json:"reason"`
	}
}

type evaluationConfirmInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Abusive bool   `json:"abusive" doc:"The level does not count either."`
		Reason  string `json:"reason"`
	}
}

type evaluationRankInput struct {
	From string `query:"from" maxLength:"10" doc:"First day, 2006-01-02; empty for the last twelve months."`
	To   string `query:"to" maxLength:"10" doc:"Last day."`
}

type evaluationRankOutput struct{ Body Ranking }

type evaluationFormsOutput struct {
	Body struct {
		Items []FormView `json:"items"`
		Kinds []Kind     `json:"kinds" doc:"The kinds of service that may have a form of their own."`
	}
}

type evaluationFormInput struct {
	web.Keyed
	Body SetForm
}

type evaluationRulesOutput struct{ Body web.List[RuleView] }

type evaluationRuleInput struct {
	web.Keyed
	Body SetRule
}

type evaluationRatingOutput struct{ Body Rating }

type evaluationCommentsInput struct {
	web.Listing
	ID int64 `path:"id"`
}

type evaluationCommentsOutput struct{ Body web.List[Comment] }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	reader := access.Only(access.Enterprise, access.Institution, access.Platform, access.Government)
	open := access.Public("产品和机构的评分、评价对所有人公开")
	view, reply, moderate, manage := access.Require(PermView), access.Require(PermReply), access.Require(PermModerate), access.Require(PermManage)
	op := func(method, path, summary string, rule access.Rule, status int) huma.Operation {
		return web.Operation{Method: method, Path: "/api" + path, Summary: summary, Tag: "服务评价", Access: rule, Status: status}.Huma()
	}
	one := func(v View, err error) (*evaluationOutput, error) {
		if err != nil {
			return nil, err
		}
		return &evaluationOutput{v}, nil
	}
	huma.Register(api, op("GET", "/evaluation-subjects/{object}/{id}", "某项服务的评价表和已有评价", reader, 0), func(ctx context.Context, in *evaluationSubjectInput) (*evaluationAskedOutput, error) {
		v, err := s.Of(ctx, access.From(ctx), in.Object, in.ID)
		return &evaluationAskedOutput{v}, err
	})
	huma.Register(api, op("POST", "/evaluation-subjects/{object}/{id}", "评价服务", access.Only(access.Enterprise), 0), func(ctx context.Context, in *evaluationGiveInput) (*evaluationOutput, error) {
		return one(s.Give(ctx, access.From(ctx), Give{in.Object, in.ID, in.Body, in.Key}))
	})
	huma.Register(api, op("GET", "/evaluations", "服务评价", reader, 0), func(ctx context.Context, in *evaluationListInput) (*evaluationListOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), Filter{InstitutionID: in.InstitutionID, ProductID: in.ProductID, State: in.State, Level: in.Level,
			From: in.From, To: in.To, Cursor: in.Cursor, Limit: in.Limit})
		return &evaluationListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("GET", "/evaluations/{id}", "一条服务评价", reader, 0), func(ctx context.Context, in *evaluationIDInput) (*evaluationOutput, error) {
		return one(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("POST", "/evaluations/{id}/revise", "修改评价（一次）", access.Only(access.Enterprise), 0), func(ctx context.Context, in *evaluationReviseInput) (*evaluationOutput, error) {
		return one(s.Revise(ctx, access.From(ctx), Revise{in.step(in.Body.Version), in.Body.Answer}))
	})
	huma.Register(api, op("POST", "/evaluations/{id}/reply", "回复评价", reply, 0), func(ctx context.Context, in *evaluationWordsInput) (*evaluationOutput, error) {
		return one(s.Reply(ctx, access.From(ctx), Reply{in.step(in.Body.Version), in.Body.Words}))
	})
	huma.Register(api, op("POST", "/evaluations/{id}/report", "举报评价", access.Require(PermReply, PermModerate), 0), func(ctx context.Context, in *evaluationReportInput) (*evaluationOutput, error) {
		return one(s.Report(ctx, access.From(ctx), Report{in.step(in.Body.Version), in.Body.Cause, in.Body.Words}))
	})
	huma.Register(api, op("POST", "/evaluations/{id}/decide", "处理评价举报", moderate, 0), func(ctx context.Context, in *evaluationDecideInput) (*evaluationOutput, error) {
		return one(s.Decide(ctx, access.From(ctx), Decide{in.step(in.Body.Version), in.Body.Result, in.Body.Reason}))
	})
	huma.Register(api, op("POST", "/evaluations/{id}/confirm", "第二人确认评价是否不计分", moderate, 0), func(ctx context.Context, in *evaluationConfirmInput) (*evaluationOutput, error) {
		return one(s.Confirm(ctx, access.From(ctx), Confirm{in.step(in.Body.Version), in.Body.Abusive, in.Body.Reason}))
	})
	huma.Register(api, op("POST", "/evaluations/{id}/restore", "恢复显示评价文字", moderate, 0), func(ctx context.Context, in *evaluationWordsInput) (*evaluationOutput, error) {
		return one(s.Restore(ctx, access.From(ctx), in.step(in.Body.Version), in.Body.Words))
	})
	huma.Register(api, op("GET", "/evaluation-ranking", "机构服务评价排名", view, 0), func(ctx context.Context, in *evaluationRankInput) (*evaluationRankOutput, error) {
		v, err := s.Rank(ctx, access.From(ctx), in.From, in.To)
		return &evaluationRankOutput{v}, err
	})
	huma.Register(api, op("GET", "/evaluation-forms", "服务评价表", manage, 0), func(ctx context.Context, _ *struct{}) (*evaluationFormsOutput, error) {
		list, err := s.Forms(ctx, access.From(ctx))
		out := &evaluationFormsOutput{}
		out.Body.Items, out.Body.Kinds = list, s.Kinds
		return out, err
	})
	huma.Register(api, op("PUT", "/evaluation-form", "更新服务评价表", manage, 204), func(ctx context.Context, in *evaluationFormInput) (*struct{}, error) {
		in.Body.Key = in.Key
		return nil, s.SetForm(ctx, access.From(ctx), in.Body)
	})
	huma.Register(api, op("GET", "/evaluation-rules", "服务评价规则的各个版本", view, 0), func(ctx context.Context, _ *struct{}) (*evaluationRulesOutput, error) {
		list, err := s.Rules(ctx, access.From(ctx))
		return &evaluationRulesOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("PUT", "/evaluation-rule", "更新服务评价规则", manage, 204), func(ctx context.Context, in *evaluationRuleInput) (*struct{}, error) {
		in.Body.Key = in.Key
		return nil, s.SetRule(ctx, access.From(ctx), in.Body)
	})
	for _, of := range []struct {
		path, what string
		rating     func(context.Context, int64) (Rating, error)
		product    bool
	}{{"/product-ratings/{id}", "产品", s.OfProduct, true}, {"/institution-ratings/{id}", "机构", s.OfInstitution, false}} {
		huma.Register(api, op("GET", of.path, of.what+"的评分", open, 0), func(ctx context.Context, in *evaluationIDInput) (*evaluationRatingOutput, error) {
			v, err := of.rating(ctx, in.ID)
			return &evaluationRatingOutput{v}, err
		})
		huma.Register(api, op("GET", of.path+"/comments", of.what+"的评价", open, 0), func(ctx context.Context, in *evaluationCommentsInput) (*evaluationCommentsOutput, error) {
			product, institution := in.ID, int64(0)
			if !of.product {
				product, institution = 0, in.ID
			}
			items, next, err := s.Comments(ctx, product, institution, in.Cursor, in.Limit)
			return &evaluationCommentsOutput{web.NewList(items, next)}, err
		})
	}
}
