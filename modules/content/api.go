package content

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/notation"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "内容"

type articleReadInput struct {
	web.Listing
	Kind   Kind   `query:"kind" required:"true" enum:"news,notice,help"`
	Column string `query:"column" maxLength:"20"`
}

type articleCardsOutput struct{ Body web.List[Card] }

type articlePageInput struct {
	ID int64 `path:"id"`
}

type articlePageOutput struct{ Body Page }

type articleColumnsOutput struct {
	Body struct {
		Items []Column `json:"items"`
	}
}

type articleListInput struct {
	web.Listing
	Kind   Kind   `query:"kind"`
	Status Status `query:"status"`
	Query  string `query:"q" maxLength:"100"`
}

type articleListOutput struct{ Body web.List[Item] }

type articleOutput struct{ Body View }

// ArticleText is what an editor sends of an article.
type ArticleText struct {
	Kind      Kind       `json:"kind" enum:"news,notice,help"`
	Column    string     `json:"column,omitempty" doc:"Empty for a notice."`
	Title     string     `json:"title"`
	Summary   string     `json:"summary,omitempty" doc:"Empty takes the beginning of the body."`
	Body      string     `json:"body" doc:"One paragraph a line; # heading, - entry, 1. step, [text](address)."`
	Source    string     `json:"source"`
	Top       bool       `json:"top,omitempty"`
	PublishAt *time.Time `json:"publishAt,omitempty" doc:"Empty: as soon as it is approved."`
	ExpiresAt *time.Time `json:"expiresAt,omitempty" doc:"Needed for a notice."`
	FileIDs   []int64    `json:"fileIds,omitempty" maxItems:"9"`
}

func (t ArticleText) text() Text { return Text(t) }

type articleCreateInput struct {
	web.Keyed
	Body ArticleText
}

// Target is embedded by the input of every command on an article; Huma fills exported structs only.
type Target struct {
	web.Keyed
	ID int64 `path:"id"`
}

type articleEditInput struct {
	Target
	Body struct {
		ArticleText
		Version int64 `json:"version"`
	}
}

type articleStepInput struct {
	Target
	Body struct {
		Version int64 `json:"version"`
	}
}

type articleReasonInput struct {
	Target
	Body struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}
}

type articleBlocksInput struct {
	Body struct {
		Body string `json:"body" maxLength:"20000"`
	}
}

type articleBlocksOutput struct {
	Body struct {
		Blocks []notation.Block `json:"blocks"`
	}
}

func (in *Target) ref(version int64) Ref { return Ref{ID: in.ID, Version: version, Key: in.Key} }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	everybody := access.Public("已发布的资讯、通知和帮助")
	staff := access.Require(PermEdit, PermPublish)
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/content/articles", Summary: "已发布的资讯、通知、帮助", Tag: tag, Access: everybody,
	}.Huma(), func(ctx context.Context, in *articleReadInput) (*articleCardsOutput, error) {
		items, next, err := s.Read(ctx, access.From(ctx), ReadFilter{Kind: in.Kind, Column: in.Column, Cursor: in.Cursor, Limit: in.Limit})
		return &articleCardsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/content/articles/{id}", Summary: "已发布的一篇", Tag: tag, Access: everybody,
	}.Huma(), func(ctx context.Context, in *articlePageInput) (*articlePageOutput, error) {
		p, err := s.Open(ctx, access.From(ctx), in.ID)
		return &articlePageOutput{p}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/content/columns", Summary: "栏目", Tag: tag, Access: everybody,
	}.Huma(), func(context.Context, *struct{}) (*articleColumnsOutput, error) {
		out := &articleColumnsOutput{}
		out.Body.Items = columns
		return out, nil
	})

	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/articles", Summary: "内容列表", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *articleListInput) (*articleListOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), ListFilter{Kind: in.Kind, Status: in.Status, Query: in.Query, Cursor: in.Cursor, Limit: in.Limit})
		return &articleListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/articles/{id}", Summary: "内容详情", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *articlePageInput) (*articleOutput, error) {
		return output(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/articles", Summary: "新建内容", Tag: tag, Access: access.Require(PermEdit),
	}.Huma(), func(ctx context.Context, in *articleCreateInput) (*articleOutput, error) {
		return output(s.Create(ctx, access.From(ctx), CreateArticle{in.Key, in.Body.text()}))
	})
	huma.Register(api, web.Operation{
		Method: "PUT", Path: "/api/articles/{id}", Summary: "修改草稿", Tag: tag, Access: access.Require(PermEdit),
	}.Huma(), func(ctx context.Context, in *articleEditInput) (*articleOutput, error) {
		return output(s.Edit(ctx, access.From(ctx), EditArticle{in.ref(in.Body.Version), in.Body.text()}))
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/articles/blocks", Summary: "正文按门户样式分段，用于预览", Tag: tag, Access: staff,
	}.Huma(), func(_ context.Context, in *articleBlocksInput) (*articleBlocksOutput, error) {
		out := &articleBlocksOutput{}
		if out.Body.Blocks = notation.Blocks(in.Body.Body); out.Body.Blocks == nil {
			out.Body.Blocks = []notation.Block{}
		}
		return out, nil
	})
	huma.Register(api, action(ToSubmit), func(ctx context.Context, in *articleStepInput) (*articleOutput, error) {
		return output(s.Submit(ctx, access.From(ctx), in.ref(in.Body.Version)))
	})
	huma.Register(api, action(ToPublish), func(ctx context.Context, in *articleStepInput) (*articleOutput, error) {
		return output(s.Publish(ctx, access.From(ctx), in.ref(in.Body.Version)))
	})
	huma.Register(api, action(ToRevise), func(ctx context.Context, in *articleStepInput) (*articleOutput, error) {
		return output(s.Revise(ctx, access.From(ctx), in.ref(in.Body.Version)))
	})
	huma.Register(api, action(ToReturn), func(ctx context.Context, in *articleReasonInput) (*articleOutput, error) {
		return output(s.Return(ctx, access.From(ctx), ReasonedArticle{in.ref(in.Body.Version), in.Body.Reason}))
	})
	huma.Register(api, action(ToWithdraw), func(ctx context.Context, in *articleReasonInput) (*articleOutput, error) {
		return output(s.Withdraw(ctx, access.From(ctx), ReasonedArticle{in.ref(in.Body.Version), in.Body.Reason}))
	})
}

// action declares the address and the right of a command.
func action(a Action) huma.Operation {
	r := rightsOf(a)
	return web.Operation{Method: "POST", Path: "/api/articles/{id}/" + string(a), Summary: r.Label, Tag: tag, Access: access.Require(r.Rights...)}.Huma()
}

func output(v View, err error) (*articleOutput, error) {
	if err != nil {
		return nil, err
	}
	return &articleOutput{Body: v}, nil
}
