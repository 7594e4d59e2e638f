package catalog

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "产品"

type productOutput struct{ Body View }

type productListInput struct {
	web.Listing
	Status        []Status `query:"status" doc:"Any of these states, separated by commas."`
	Kind          string   `query:"kind" maxLength:"20"`
	InstitutionID int64    `query:"institutionId"`
	Query         string   `query:"q" maxLength:"100" doc:"Part of the name of the product or the institution."`
	Shown         bool     `query:"shown" doc:"Only what has a public edition."`
	Extra         string   `query:"extra" maxLength:"1000" doc:"Conditions on the fields administrators define, one a line: park:台湖, since:2026-01-01..2026-06-30, share:10.."`
	Waiting       bool     `query:"waiting" doc:"What waits for the asker's own work, oldest first."`
}

type productListOutput struct{ Body web.List[Item] }

type productGetInput struct {
	ID int64 `path:"id"`
}

type productDraftInput struct {
	web.Keyed
	Body Content
}

// ProductTarget is embedded by the input of every command on a product; Huma fills exported structs only.
type ProductTarget struct {
	web.Keyed
	ID int64 `path:"id"`
}

func (in *ProductTarget) ref(version int64) Ref {
	return Ref{ID: in.ID, Version: version, Key: in.Key}
}

type productEditInput struct {
	ProductTarget
	Body struct {
		Version int64   `json:"version"`
		Content Content `json:"content"`
	}
}

type productStepInput struct {
	ProductTarget
	Body struct {
		Version int64 `json:"version"`
	}
}

type productReasonInput struct {
	ProductTarget
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type productReturnInput struct {
	ProductTarget
	Body struct {
		Version int64    `json:"version"`
		Codes   []string `json:"codes" nullable:"false" maxItems:"30" doc:"Of the ready reasons."`
		Text    string   `json:"text,omitempty" doc:"The reviewer's own words; some reasons need them."`
	}
}

type productBatchInput struct {
	web.Keyed
	Body struct {
		Products []Ref `json:"products" nullable:"false" maxItems:"50" doc:"What was selected, as it was seen."`
	}
}

// ProductBatchTarget names the batch a command is about.
type ProductBatchTarget struct {
	ID int64 `path:"id"`
}

type productCheckInput struct {
	ProductBatchTarget
	Body struct {
		ProductID int64  `json:"productId"`
		Fine      bool   `json:"fine"`
		Note      string `json:"note,omitempty" doc:"What was found, where it is not fine. Internal."`
	}
}

type productBatchOutput struct{ Body BatchView }

type productReasonsOutput struct{ Body web.List[reason.Reason] }

type productPassInput struct {
	ProductTarget
	Body struct {
		Version int64  `json:"version"`
		Note    string `json:"note,omitempty" doc:"Internal."`
	}
}

type productRecommendInput struct {
	ProductTarget
	Body struct {
		Version int64 `json:"version"`
		On      bool  `json:"on"`
	}
}

type browseInput struct {
	web.Listing
	Query         string `query:"q" maxLength:"200"`
	Kind          string `query:"kind" maxLength:"20"`
	FinancingKind string `query:"financing" maxLength:"20"`
	Amount        string `query:"amount" maxLength:"20" doc:"From and to in 万元: 10-50, -10, 500-."`
	Term          string `query:"term" maxLength:"20" doc:"From and to in months."`
	RateMax       int    `query:"rate" minimum:"0" maximum:"3600" doc:"Basis points."`
	Recommended   bool   `query:"recommended"`
	InstitutionID int64  `query:"institutionId"`
	Sort          Sort   `query:"sort" enum:"new,hot,rate,rating,match"`
}

func (in *browseInput) filter() BrowseFilter {
	return BrowseFilter{
		Query: in.Query, Kind: in.Kind, FinancingKind: in.FinancingKind, Amount: ReadSpan(in.Amount), Term: ReadSpan(in.Term), RateMax: in.RateMax,
		Recommended: in.Recommended, InstitutionID: in.InstitutionID, Sort: in.Sort, Nearest: true, Cursor: in.Cursor, Limit: in.Limit,
	}
}

type browseOutput struct {
	Body struct {
		Items      []Card `json:"items" nullable:"false"`
		NextCursor string `json:"nextCursor,omitempty"`
		Count      int    `json:"count,omitempty" doc:"On the first page; 1001 means more than a thousand."`
		Near       bool   `json:"near,omitempty" doc:"Nothing holds all that was searched for: these come closest."`
	}
}

type suitableOutput struct{ Body Recommendation }

type suitOptionsOutput struct{ Body SuitOptions }

type suitsOutput struct{ Body SuitsView }

type suitsInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Version int64  `json:"version" doc:"0 where nothing was said yet."`
		Suits   Suits  `json:"suits"`
		Reason  string `json:"reason" maxLength:"400" doc:"The institution reads it."`
	}
}

type showOutput struct{ Body Detail }

type kindsOutput struct {
	Body struct {
		Kinds     []Kind `json:"kinds" nullable:"false"`
		Financing []Kind `json:"financing" nullable:"false"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	open := access.Public("已上架的产品对所有人公开")
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/products", Summary: "已上架的产品，按条件查找", Tag: tag, Access: open}.Huma(),
		func(ctx context.Context, in *browseInput) (*browseOutput, error) {
			found, err := s.Browse(ctx, access.From(ctx), in.filter())
			out := &browseOutput{}
			out.Body.Items, out.Body.NextCursor, out.Body.Count, out.Body.Near = found.Items, found.Next, found.Count, found.Near
			return out, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/products/{id}", Summary: "已上架产品的详情", Tag: tag, Access: open}.Huma(),
		func(ctx context.Context, in *productGetInput) (*showOutput, error) {
			d, err := s.Show(ctx, access.From(ctx), in.ID)
			return &showOutput{d}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/product-kinds", Summary: "服务类别和融资类型", Tag: tag, Access: open}.Huma(),
		func(context.Context, *struct{}) (*kindsOutput, error) {
			out := &kindsOutput{}
			out.Body.Kinds, out.Body.Financing = Kinds(), FinancingKinds()
			return out, nil
		})

	huma.Register(api, web.Operation{Method: "GET", Path: "/api/suitable-products", Summary: "适合本企业的产品，附理由和差距", Tag: tag, Access: access.Only(access.Enterprise)}.Huma(),
		func(ctx context.Context, _ *struct{}) (*suitableOutput, error) {
			r, err := s.Suitable(ctx, access.From(ctx))
			return &suitableOutput{r}, err
		})

	view := access.Require(PermView)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/product-suit-options", Summary: "“适合的企业”可选的行业、地区等", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, _ *struct{}) (*suitOptionsOutput, error) {
			o, err := s.SuitChoices(ctx, access.From(ctx))
			return &suitOptionsOutput{o}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/managed-products/{id}/suits", Summary: "产品适合的企业", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *productGetInput) (*suitsOutput, error) {
			v, err := s.SuitsOf(ctx, access.From(ctx), in.ID)
			return &suitsOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/managed-products/{id}/suits", Summary: "调整产品适合的企业，不随版本审核", Tag: tag, Access: access.Require(PermReviewPlatform)}.Huma(),
		func(ctx context.Context, in *suitsInput) (*suitsOutput, error) {
			v, err := s.SetSuits(ctx, access.From(ctx), SetSuits{Key: in.Key, ID: in.ID, Version: in.Body.Version, Suits: in.Body.Suits, Reason: in.Body.Reason})
			return &suitsOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/managed-products", Summary: "本机构的产品，或待审核和管理的产品", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *productListInput) (*productListOutput, error) {
			items, next, err := s.List(ctx, access.From(ctx), ListFilter{Statuses: in.Status, Kind: in.Kind, InstitutionID: in.InstitutionID,
				Query: in.Query, Shown: in.Shown, Extra: in.Extra, Waiting: in.Waiting, Cursor: in.Cursor, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			return &productListOutput{Body: web.NewList(items, next)}, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/managed-products/{id}", Summary: "产品详情、版本与审核过程", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *productGetInput) (*productOutput, error) {
			return output(s.Get(ctx, access.From(ctx), in.ID))
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/managed-products", Summary: "新建产品草稿", Tag: tag, Access: access.Require(PermEdit)}.Huma(),
		func(ctx context.Context, in *productDraftInput) (*productOutput, error) {
			return output(s.Draft(ctx, access.From(ctx), DraftProduct{Key: in.Key, Content: in.Body}))
		})
	huma.Register(api, command(ToEdit, "修改草稿", PermEdit), func(ctx context.Context, in *productEditInput) (*productOutput, error) {
		return output(s.Edit(ctx, access.From(ctx), EditProduct{in.ref(in.Body.Version), in.Body.Content}))
	})
	huma.Register(api, command(ToSubmit, "提交审核", PermEdit), func(ctx context.Context, in *productStepInput) (*productOutput, error) {
		return output(s.Submit(ctx, access.From(ctx), SubmitProduct{in.ref(in.Body.Version)}))
	})
	huma.Register(api, command(ToWithdraw, "撤回审核中的产品", PermEdit), func(ctx context.Context, in *productStepInput) (*productOutput, error) {
		return output(s.Withdraw(ctx, access.From(ctx), WithdrawProduct{in.ref(in.Body.Version)}))
	})
	huma.Register(api, command(ToRevise, "新建版本", PermEdit), func(ctx context.Context, in *productStepInput) (*productOutput, error) {
		return output(s.Revise(ctx, access.From(ctx), ReviseProduct{in.ref(in.Body.Version)}))
	})
	huma.Register(api, command(ToUnlist, "机构下架产品", PermEdit), func(ctx context.Context, in *productReasonInput) (*productOutput, error) {
		return output(s.Unlist(ctx, access.From(ctx), UnlistProduct{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, command(ToUndo, "撤销产品审核决定", PermReviewPlatform, PermReviewGovernment, PermUndo, PermView), func(ctx context.Context, in *productReasonInput) (*productOutput, error) {
		return output(s.Undo(ctx, access.From(ctx), UndoReview{in.ref(in.Body.Version), in.Body.Reason}))
	})
	// Somebody on leave may have delegated a review to a colleague without the right: the service looks.
	huma.Register(api, command(ToPass, "审核通过", PermReviewPlatform, PermReviewGovernment, PermView), func(ctx context.Context, in *productPassInput) (*productOutput, error) {
		return output(s.Pass(ctx, access.From(ctx), PassProduct{in.ref(in.Body.Version), in.Body.Note}))
	})
	huma.Register(api, command(ToReturn, "审核退回", PermReviewPlatform, PermReviewGovernment, PermView), func(ctx context.Context, in *productReturnInput) (*productOutput, error) {
		return output(s.Return(ctx, access.From(ctx), ReturnProduct{in.ref(in.Body.Version), in.Body.Codes, in.Body.Text}))
	})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/product-return-reasons", Summary: "产品退回原因", Tag: tag, Access: access.Require(PermReviewPlatform, PermReviewGovernment, PermView)}.Huma(),
		func(ctx context.Context, _ *struct{}) (*productReasonsOutput, error) {
			list, err := s.Reasons(ctx, access.From(ctx))
			return &productReasonsOutput{web.NewList(list, "")}, err
		})
	registerBatches(api, s)
	huma.Register(api, command(ToTakeDown, "管理部门下架产品", PermTakeDown), func(ctx context.Context, in *productReasonInput) (*productOutput, error) {
		return output(s.TakeDown(ctx, access.From(ctx), TakeDownProduct{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, command(ToRecommend, "设为或取消推荐", PermReviewPlatform), func(ctx context.Context, in *productRecommendInput) (*productOutput, error) {
		return output(s.Recommend(ctx, access.From(ctx), RecommendProduct{in.ref(in.Body.Version), in.Body.On}))
	})
}

func registerBatches(api huma.API, s *Service) {
	batch := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: "/api/product-batches" + path, Summary: summary, Tag: tag, Access: access.Require(PermReviewPlatform, PermReviewGovernment, PermView)}.Huma()
	}
	output := func(v BatchView, err error) (*productBatchOutput, error) { return &productBatchOutput{v}, err }
	huma.Register(api, batch("POST", "", "开始批量审核，抽取须查看的产品"), func(ctx context.Context, in *productBatchInput) (*productBatchOutput, error) {
		return output(s.OpenBatch(ctx, access.From(ctx), OpenBatch{Key: in.Key, Products: in.Body.Products}))
	})
	huma.Register(api, batch("GET", "/{id}", "批量审核的进展"), func(ctx context.Context, in *ProductBatchTarget) (*productBatchOutput, error) {
		return output(s.Batch(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, batch("POST", "/{id}/checks", "记录抽查结果"), func(ctx context.Context, in *productCheckInput) (*productBatchOutput, error) {
		return output(s.CheckBatch(ctx, access.From(ctx), CheckBatch{ID: in.ID, ProductID: in.Body.ProductID, Fine: in.Body.Fine, Note: in.Body.Note}))
	})
	huma.Register(api, batch("POST", "/{id}/pass", "批量通过"), func(ctx context.Context, in *ProductBatchTarget) (*productBatchOutput, error) {
		return output(s.PassBatch(ctx, access.From(ctx), in.ID))
	})
}

// command declares the address and the right of a command.
func command(a Action, summary string, any ...access.Permission) huma.Operation {
	return web.Operation{Method: "POST", Path: "/api/managed-products/{id}/" + string(a), Summary: summary, Tag: tag, Access: access.Require(any...)}.Huma()
}

func output(v View, err error) (*productOutput, error) {
	if err != nil {
		return nil, err
	}
	return &productOutput{Body: v}, nil
}
