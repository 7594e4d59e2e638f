package enterprise

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type (
	tagsOutput        struct{ Body web.List[TagView] }
	tagDraftsOutput   struct{ Body web.List[TagDraft] }
	tagPreviewOutput  struct{ Body TagPreview }
	companyTagsOutput struct{ Body CompanyTags }
)

type tagDraftInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"31"`
	Body struct {
		Name      string `json:"name" maxLength:"120"`
		About     string `json:"about,omitempty" maxLength:"1200"`
		Kind      string `json:"kind" enum:"rule,hand"`
		Open      bool   `json:"open,omitempty" doc:"The company itself sees it."`
		Retired   bool   `json:"retired,omitempty"`
		Condition any    `json:"condition,omitempty" doc:"Of a rule-made tag; written as the conditions of policies."`
		Version   int64  `json:"version" doc:"0 begins a draft."`
	}
}

type tagPreviewInput struct {
	Code   string `path:"code" maxLength:"31"`
	Cursor string `query:"cursor" maxLength:"40"`
}

type tagDraftRefInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"31"`
	Body struct {
		Version int64 `json:"version"`
	}
}

type tagGiveInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Code   string `json:"code" maxLength:"31"`
		Reason string `json:"reason" maxLength:"1200"`
	}
}

type tagTakeInput struct {
	web.Keyed
	ID   int64  `path:"id"`
	Code string `path:"code" maxLength:"31"`
	Body struct {
		Reason string `json:"reason" maxLength:"1200"`
	}
}

// registerTags adds the operations about tags.
func registerTags(api huma.API, s *Service) {
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: rule}.Huma()
	}
	drafts := func(list []TagDraft, err error) (*tagDraftsOutput, error) {
		return &tagDraftsOutput{web.NewList(list, "")}, err
	}
	edits := access.Require(PermTags, PermTagPublish)
	huma.Register(api, op("GET", "/api/enterprise-tags", "企业标签", access.Require(PermView)), func(ctx context.Context, _ *struct{}) (*tagsOutput, error) {
		list, err := s.Tags(ctx, access.From(ctx))
		return &tagsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("GET", "/api/enterprise-tag-drafts", "录入中的企业标签", edits), func(ctx context.Context, _ *struct{}) (*tagDraftsOutput, error) {
		return drafts(s.TagDrafts(ctx, access.From(ctx)))
	})
	huma.Register(api, op("PUT", "/api/enterprise-tag-drafts/{code}", "录入企业标签", access.Require(PermTags)), func(ctx context.Context, in *tagDraftInput) (*tagDraftsOutput, error) {
		b := in.Body
		return drafts(s.SaveTagDraft(ctx, access.From(ctx), SaveTagDraft{TagBody{in.Code, b.Name, b.About, b.Kind, b.Open, b.Retired, b.Condition}, b.Version, in.Key}))
	})
	huma.Register(api, op("GET", "/api/enterprise-tag-drafts/{code}/preview", "预览企业标签", edits), func(ctx context.Context, in *tagPreviewInput) (*tagPreviewOutput, error) {
		v, err := s.PreviewTag(ctx, access.From(ctx), in.Code, in.Cursor)
		return &tagPreviewOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/enterprise-tag-drafts/{code}/discard", "放弃录入的企业标签", access.Require(PermTags)), func(ctx context.Context, in *tagDraftRefInput) (*tagDraftsOutput, error) {
		return drafts(s.DiscardTagDraft(ctx, access.From(ctx), TagDraftRef{in.Code, in.Body.Version, in.Key}))
	})
	huma.Register(api, op("POST", "/api/enterprise-tag-drafts/{code}/publish", "发布企业标签", access.Require(PermTagPublish)), func(ctx context.Context, in *tagDraftRefInput) (*tagsOutput, error) {
		list, err := s.PublishTagDraft(ctx, access.From(ctx), TagDraftRef{in.Code, in.Body.Version, in.Key})
		return &tagsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("GET", "/api/enterprises/{id}/tags", "一家企业的标签", access.Require(PermView)), func(ctx context.Context, in *enterpriseGetInput) (*companyTagsOutput, error) {
		v, err := s.CompanyTags(ctx, access.From(ctx), in.ID, in.Basis)
		return &companyTagsOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/enterprises/{id}/tags", "标注企业标签", access.Require(PermTags)), func(ctx context.Context, in *tagGiveInput) (*companyTagsOutput, error) {
		v, err := s.GiveTag(ctx, access.From(ctx), TagCompany{in.ID, in.Body.Code, in.Body.Reason, in.Key})
		return &companyTagsOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/enterprises/{id}/tags/{code}/end", "取消企业标签", access.Require(PermTags)), func(ctx context.Context, in *tagTakeInput) (*companyTagsOutput, error) {
		v, err := s.TakeTag(ctx, access.From(ctx), TagCompany{in.ID, in.Code, in.Body.Reason, in.Key})
		return &companyTagsOutput{v}, err
	})
}
