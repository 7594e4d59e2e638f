package canned

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "常用语"

type cannedListInput struct {
	Query string `query:"q" maxLength:"100" doc:"Words, or the beginning of a code with or without its slash."`
}

type cannedListOutput struct {
	Body struct {
		Items        []View   `json:"items"`
		Placeholders []string `json:"placeholders"`
		MayShare     bool     `json:"mayShare"`
	}
}

type cannedOutput struct{ Body View }

type cannedCreateInput struct {
	web.Keyed
	Body Text
}

type cannedEditInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Text
		Version int64 `json:"version"`
	}
}

type cannedRemoveInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type cannedUseInput struct {
	ID   int64 `path:"id"`
	Body struct {
		TicketID int64 `json:"ticketId,omitempty" minimum:"0" doc:"Fills the placeholders; 0 for none."`
	}
}

type cannedUseOutput struct{ Body Filled }

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	staff := access.Only(access.Platform, access.Government)
	huma.Register(api, web.Operation{
		Method: "GET", Path: "/api/canned-replies", Summary: "可用的常用语，常用的在前", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *cannedListInput) (*cannedListOutput, error) {
		out := &cannedListOutput{}
		var err error
		out.Body.Items, err = s.List(ctx, access.From(ctx), in.Query)
		out.Body.Placeholders, out.Body.MayShare = Placeholders(), access.From(ctx).Can(PermShare)
		return out, err
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/canned-replies", Summary: "新建常用语", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *cannedCreateInput) (*cannedOutput, error) {
		v, err := s.Save(ctx, access.From(ctx), Save{Key: in.Key, Text: in.Body})
		return &cannedOutput{v}, err
	})
	huma.Register(api, web.Operation{
		Method: "PUT", Path: "/api/canned-replies/{id}", Summary: "修改常用语", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *cannedEditInput) (*cannedOutput, error) {
		v, err := s.Save(ctx, access.From(ctx), Save{ID: in.ID, Version: in.Body.Version, Key: in.Key, Text: in.Body.Text})
		return &cannedOutput{v}, err
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/canned-replies/{id}/remove", Summary: "删除常用语", Tag: tag, Access: staff, Status: 204,
	}.Huma(), func(ctx context.Context, in *cannedRemoveInput) (*struct{}, error) {
		return nil, s.Remove(ctx, access.From(ctx), in.ID, in.Body.Version)
	})
	huma.Register(api, web.Operation{
		Method: "POST", Path: "/api/canned-replies/{id}/use", Summary: "取用常用语并填入工单信息", Tag: tag, Access: staff,
	}.Huma(), func(ctx context.Context, in *cannedUseInput) (*cannedUseOutput, error) {
		f, err := s.Use(ctx, access.From(ctx), in.ID, in.Body.TicketID)
		return &cannedUseOutput{f}, err
	})
}
