package demand

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/web"
)

type demandOutput struct{ Body View }

type demandHallInput struct {
	Query   string `query:"q" maxLength:"200"`
	Kind    string `query:"kind" maxLength:"40"`
	Sort    Sort   `query:"sort" enum:"new,until,budget"`
	Invited bool   `query:"invited" doc:"Those the asking institution was invited to."`
	Page    int    `query:"page" minimum:"0" maximum:"1000"`
	Limit   int    `query:"limit" minimum:"0" maximum:"50"`
}

type demandFoundOutput struct{ Body Found }

type demandIDInput struct {
	ID int64 `path:"id"`
}

type demandGetInput struct {
	ID    int64      `path:"id"`
	Order QuoteOrder `query:"order" enum:"time,price,days,amount,rating" doc:"Of the quotes; for the company. One that does not fit the kind is time."`
}

type demandHallOutput struct{ Body HallView }

type demandOptions struct {
	Kinds []Kind `json:"kinds"`
}

type demandOptionsOutput struct{ Body demandOptions }

type demandListInput struct {
	web.Listing
	State []State `query:"state" doc:"One or several, with commas."`
	Kind  string  `query:"kind" maxLength:"40"`
	Query string  `query:"q" maxLength:"200"`
}

type demandListOutput struct{ Body web.List[Item] }

type demandNewInput struct {
	web.Keyed
	Body Typed
}

type demandSaveInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Typed
		Version int64 `json:"version"`
	}
}

type demandVersionInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type demandCloseInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type demandPickInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version      int64 `json:"version"`
		QuoteID      int64 `json:"quoteId"`
		QuoteVersion int64 `json:"quoteVersion"`
	}
}

type demandApproveInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64   `json:"version"`
		With    []int64 `json:"with,omitempty" doc:"Institutions that are invited besides those matched."`
		Without []int64 `json:"without,omitempty" doc:"Matched institutions that are not invited."`
	}
}

type demandReturnInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64    `json:"version"`
		Codes   []string `json:"codes"`
		Text    string   `json:"text,omitempty"`
	}
}

type demandInviteInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		InstitutionID int64 `json:"institutionId"`
	}
}

type demandUninviteInput struct {
	web.Keyed
	ID            int64 `path:"id"`
	InstitutionID int64 `path:"institutionId"`
	Body          struct {
		Reason string `json:"reason"`
	}
}

type demandQuoteInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Offered
		Version int64 `json:"version" doc:"Of the quote; 0 for a new one."`
	}
}

type demandQuotesInput struct {
	web.Listing
	State QuoteState `query:"state" enum:",live,withdrawn,picked,passed,ended"`
}

type demandQuotesOutput struct{ Body web.List[QuoteItem] }

type demandMatchesOutput struct{ Body web.List[Match] }

type demandReasonsOutput struct{ Body web.List[reason.Reason] }

type demandStatsInput struct {
	From string `query:"from" maxLength:"10" doc:"First day, 2006-01-02."`
	To   string `query:"to" maxLength:"10" doc:"Last day."`
}

type demandStatsOutput struct{ Body web.List[Tally] }

type demandOriginOutput struct{ Body Origin }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	open := access.Public("需求大厅对所有人公开，不含联系方式、报价和邀请")
	company := access.Only(access.Enterprise)
	reader := access.Only(access.Enterprise, access.Platform, access.Government)
	review, invite, quote := access.Require(PermReview), access.Require(PermInvite), access.Require(PermQuote)
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: "/api" + path, Summary: summary, Tag: "需求", Access: rule}.Huma()
	}
	one := func(v View, err error) (*demandOutput, error) {
		if err != nil {
			return nil, err
		}
		return &demandOutput{v}, nil
	}
	hall := func(v HallView, err error) (*demandHallOutput, error) {
		if err != nil {
			return nil, err
		}
		return &demandHallOutput{v}, nil
	}
	huma.Register(api, op("GET", "/demand-hall", "需求大厅", open), func(ctx context.Context, in *demandHallInput) (*demandFoundOutput, error) {
		found, err := s.Browse(ctx, access.From(ctx), HallFilter{in.Query, in.Kind, in.Sort, in.Invited, in.Page, in.Limit})
		return &demandFoundOutput{found}, err
	})
	huma.Register(api, op("GET", "/demand-hall/{id}", "需求大厅的一件需求", open), func(ctx context.Context, in *demandIDInput) (*demandHallOutput, error) {
		return hall(s.Hall(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("GET", "/demand-options", "需求类别", open), func(context.Context, *struct{}) (*demandOptionsOutput, error) {
		return &demandOptionsOutput{demandOptions{s.Kinds}}, nil
	})
	huma.Register(api, op("GET", "/demands", "本企业的需求，或全区的需求", reader), func(ctx context.Context, in *demandListInput) (*demandListOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), Filter{in.State, in.Kind, in.Query, in.Cursor, in.Limit})
		return &demandListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("POST", "/demands", "新建需求草稿", company), func(ctx context.Context, in *demandNewInput) (*demandOutput, error) {
		return one(s.Save(ctx, access.From(ctx), Save{Ref{Key: in.Key}, in.Body}))
	})
	huma.Register(api, op("GET", "/demands/{id}", "一件需求", reader), func(ctx context.Context, in *demandGetInput) (*demandOutput, error) {
		return one(s.GetIn(ctx, access.From(ctx), in.ID, in.Order))
	})
	huma.Register(api, op("PUT", "/demands/{id}", "保存需求草稿", company), func(ctx context.Context, in *demandSaveInput) (*demandOutput, error) {
		return one(s.Save(ctx, access.From(ctx), Save{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Typed}))
	})
	huma.Register(api, op("POST", "/demands/{id}/submit", "提交需求审核", company), func(ctx context.Context, in *demandVersionInput) (*demandOutput, error) {
		return one(s.Submit(ctx, access.From(ctx), Ref{in.ID, in.Body.Version, in.Key}))
	})
	huma.Register(api, op("POST", "/demands/{id}/recall", "从审核撤回需求", company), func(ctx context.Context, in *demandVersionInput) (*demandOutput, error) {
		return one(s.Recall(ctx, access.From(ctx), Ref{in.ID, in.Body.Version, in.Key}))
	})
	huma.Register(api, op("POST", "/demands/{id}/discard", "删除需求草稿", company), func(ctx context.Context, in *demandVersionInput) (*struct{}, error) {
		return nil, s.Discard(ctx, access.From(ctx), Ref{in.ID, in.Body.Version, in.Key})
	})
	huma.Register(api, op("POST", "/demands/{id}/close", "关闭需求", company), func(ctx context.Context, in *demandCloseInput) (*demandOutput, error) {
		return one(s.Close(ctx, access.From(ctx), Close{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Reason}))
	})
	huma.Register(api, op("POST", "/demands/{id}/pick", "选定报价", company), func(ctx context.Context, in *demandPickInput) (*demandOutput, error) {
		return one(s.Pick(ctx, access.From(ctx), Pick{Ref: Ref{in.ID, in.Body.Version, in.Key}, QuoteID: in.Body.QuoteID, QuoteVersion: in.Body.QuoteVersion}))
	})
	huma.Register(api, op("POST", "/demands/{id}/approve", "需求审核通过", review), func(ctx context.Context, in *demandApproveInput) (*demandOutput, error) {
		return one(s.Approve(ctx, access.From(ctx), Approve{Ref{in.ID, in.Body.Version, in.Key}, in.Body.With, in.Body.Without}))
	})
	huma.Register(api, op("POST", "/demands/{id}/return", "退回需求", review), func(ctx context.Context, in *demandReturnInput) (*demandOutput, error) {
		return one(s.Return(ctx, access.From(ctx), Return{Ref{in.ID, in.Body.Version, in.Key}, in.Body.Codes, in.Body.Text}))
	})
	huma.Register(api, op("GET", "/demands/{id}/matches", "将邀请的机构", review), func(ctx context.Context, in *demandIDInput) (*demandMatchesOutput, error) {
		list, err := s.Matches(ctx, access.From(ctx), in.ID)
		return &demandMatchesOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("POST", "/demands/{id}/invitations", "邀请机构报价", invite), func(ctx context.Context, in *demandInviteInput) (*demandOutput, error) {
		return one(s.Invite(ctx, access.From(ctx), Invite{Key: in.Key, ID: in.ID, InstitutionID: in.Body.InstitutionID}))
	})
	huma.Register(api, op("POST", "/demands/{id}/invitations/{institutionId}/remove", "移除机构邀请", invite), func(ctx context.Context, in *demandUninviteInput) (*demandOutput, error) {
		return one(s.Uninvite(ctx, access.From(ctx), Invite{in.Key, in.ID, in.InstitutionID, in.Body.Reason}))
	})
	huma.Register(api, op("PUT", "/demands/{id}/quote", "报价或修改报价", quote), func(ctx context.Context, in *demandQuoteInput) (*demandHallOutput, error) {
		return hall(s.Quote(ctx, access.From(ctx), Bid{in.Key, in.ID, in.Body.Version, in.Body.Offered}))
	})
	huma.Register(api, op("POST", "/demands/{id}/quote/withdraw", "撤回报价", quote), func(ctx context.Context, in *demandVersionInput) (*demandHallOutput, error) {
		return hall(s.Withdraw(ctx, access.From(ctx), Unbid{in.Key, in.ID, in.Body.Version}))
	})
	huma.Register(api, op("GET", "/demand-quotes", "本机构的报价", quote), func(ctx context.Context, in *demandQuotesInput) (*demandQuotesOutput, error) {
		items, next, err := s.Quotes(ctx, access.From(ctx), in.State, in.Cursor, in.Limit)
		return &demandQuotesOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("GET", "/demand-reasons", "需求退回原因", review), func(ctx context.Context, _ *struct{}) (*demandReasonsOutput, error) {
		list, err := s.ReturnReasons(ctx, access.From(ctx))
		return &demandReasonsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("GET", "/demand-stats", "需求统计", access.Require(PermView)), func(ctx context.Context, in *demandStatsInput) (*demandStatsOutput, error) {
		list, err := s.Stats(ctx, access.From(ctx), in.From, in.To)
		return &demandStatsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("GET", "/applications/{id}/demand", "申请来自的需求", access.SignedIn()), func(ctx context.Context, in *demandIDInput) (*demandOriginOutput, error) {
		o, err := s.OriginOf(ctx, access.From(ctx), in.ID)
		return &demandOriginOutput{o}, err
	})
}
