package policy

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "政策"

// NarrowList is what a list of policies is narrowed by, as an operation takes it.
type NarrowList struct {
	Q        string `query:"q" maxLength:"100" doc:"Chinese full text; a sentence finds what comes closest."`
	Level    Level  `query:"level"`
	Topic    Topic  `query:"topic"`
	Kind     Kind   `query:"kind"`
	Window   Window `query:"window" doc:"As of a policy, or closing: open and closing within 14 days."`
	Region   string `query:"region" maxLength:"12" doc:"Code of a street or town; leaves what is in force and applies there."`
	Industry string `query:"industry" maxLength:"10" doc:"Letter or division of GB/T 4754; leaves what is in force and does not shut it out."`
	Issuer   string `query:"issuer" maxLength:"200"`
}

func (n NarrowList) filter() Filter {
	return Filter{Q: n.Q, Level: n.Level, Topic: n.Topic, Kind: n.Kind, Window: n.Window, Region: n.Region, Industry: n.Industry, Issuer: n.Issuer}
}

type policyListInput struct {
	web.Listing
	NarrowList

	Status Status `query:"status" doc:"published is what is in force today; the others are seen by staff only."`
	Sort   Sort   `query:"sort"`
}

type policyFiltersInput struct{ NarrowList }

type policyFiltersOutput struct{ Body Filters }

type policyListOutput struct{ Body web.List[Item] }

type policyGetInput struct {
	ID int64 `path:"id"`
}

type policyRevisionsOutput struct {
	Body struct {
		Items []Revision `json:"items" nullable:"false"`
	}
}

type policyOutput struct{ Body View }

type policyMatchInput struct {
	Q string `query:"q" maxLength:"100" doc:"Only the policies this sentence describes."`
}

type policyMatchOutput struct{ Body Result }

type policyOneOutput struct{ Body One }

type policySummaryOutput struct{ Body Summary }

type policyChoicesOutput struct{ Body Choices }

type policyQuickInput struct {
	Q         string `query:"q" maxLength:"100"`
	Industry  string `query:"industry" maxLength:"10"`
	Region    string `query:"region" maxLength:"12"`
	Years     string `query:"years" maxLength:"10" doc:"Whole years since registration."`
	Employees string `query:"employees" maxLength:"20"`
	Revenue   string `query:"revenue" maxLength:"20" doc:"Of the year before, in 万元."`
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	registerMatchFor(api, s)
	public := access.Public("政策公开，人人可查")
	company := access.Only(access.Enterprise)
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/policies", Summary: "政策库", Tag: tag, Access: public,
	}.Huma(), func(ctx context.Context, in *policyListInput) (*policyListOutput, error) {
		f := in.filter()
		f.Status, f.Sort, f.Cursor, f.Limit = in.Status, in.Sort, in.Cursor, in.Limit
		items, next, err := s.List(ctx, access.From(ctx), f)
		if err != nil {
			return nil, err
		}
		return &policyListOutput{Body: web.NewList(items, next)}, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/policy-filters", Summary: "政策库的筛选条件和符合的数量", Tag: tag, Access: public,
	}.Huma(), func(ctx context.Context, in *policyFiltersInput) (*policyFiltersOutput, error) {
		v, err := s.Filters(ctx, access.From(ctx), in.filter())
		return &policyFiltersOutput{v}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/policies/match", Summary: "与本企业匹配的政策", Tag: tag, Access: company,
	}.Huma(), func(ctx context.Context, in *policyMatchInput) (*policyMatchOutput, error) {
		r, err := s.Match(ctx, access.From(ctx), in.Q)
		if err != nil {
			return nil, err
		}
		return &policyMatchOutput{Body: r}, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/policies/match/summary", Summary: "与本企业匹配的政策数量", Tag: tag, Access: company,
	}.Huma(), func(ctx context.Context, _ *struct{}) (*policySummaryOutput, error) {
		r, err := s.MatchSummary(ctx, access.From(ctx))
		if err != nil {
			return nil, err
		}
		return &policySummaryOutput{Body: r}, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/policies/quick-match", Summary: "填几项条件快速匹配政策", Tag: tag, Access: access.Public("未登录也可试算；所填内容加密保存，凭答复编号再次打开"),
	}.Huma(), func(ctx context.Context, in *policyQuickInput) (*policyMatchOutput, error) {
		a, err := readAnswers(in.field)
		if err != nil {
			return nil, err
		}
		r, err := s.Quick(ctx, access.From(ctx), a)
		if err != nil {
			return nil, err
		}
		return &policyMatchOutput{Body: r}, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/policies/quick-match/choices", Summary: "快速匹配的行业和注册地选项", Tag: tag, Access: access.Public("快速匹配的选项"),
	}.Huma(), func(ctx context.Context, _ *struct{}) (*policyChoicesOutput, error) {
		return &policyChoicesOutput{Body: s.Choices(ctx, access.From(ctx))}, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/policies/{id}/revisions", Summary: "政策的修订记录", Tag: tag, Access: public,
	}.Huma(), func(ctx context.Context, in *policyGetInput) (*policyRevisionsOutput, error) {
		out := &policyRevisionsOutput{}
		var err error
		out.Body.Items, err = s.Revisions(ctx, access.From(ctx), in.ID)
		return out, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/policies/{id}", Summary: "政策详情", Tag: tag, Access: public,
	}.Huma(), func(ctx context.Context, in *policyGetInput) (*policyOutput, error) {
		v, err := s.Get(ctx, access.From(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return &policyOutput{Body: v}, nil
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/policies/{id}/match", Summary: "政策与本企业的匹配", Tag: tag, Access: company,
	}.Huma(), func(ctx context.Context, in *policyGetInput) (*policyOneOutput, error) {
		r, err := s.MatchOne(ctx, access.From(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		return &policyOneOutput{Body: r}, nil
	})
}

func (in *policyQuickInput) field(name string) string {
	return map[string]string{
		"q": in.Q, "industry": in.Industry, "region": in.Region, "years": in.Years, "employees": in.Employees, "revenue": in.Revenue,
	}[name]
}
