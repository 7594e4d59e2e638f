package enterprise

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type portraitOutput struct{ Body Portrait }

type sizeEditionsOutput struct{ Body web.List[SizeEdition] }

type (
	sizeDraftsOutput  struct{ Body web.List[SizeDraft] }
	sizePreviewOutput struct{ Body SizePreview }
)

type sizeDraftInput struct {
	web.Keyed
	Kind string `path:"kind" enum:"size,scale"`
	Body struct {
		Document string        `json:"document" maxLength:"300"`
		From     string        `json:"from" maxLength:"10"`
		Rows     []SizeRowBody `json:"rows" maxItems:"100"`
		Version  int64         `json:"version" doc:"0 begins a draft."`
	}
}

type sizePreviewInput struct {
	Kind   string `path:"kind" enum:"size,scale"`
	Cursor string `query:"cursor" maxLength:"40"`
}

type sizeDraftRefInput struct {
	web.Keyed
	Kind string `path:"kind" enum:"size,scale"`
	Body struct {
		Version int64 `json:"version"`
	}
}

// SizeEditionBody is an edition of thresholds as it is added.
type SizeEditionBody struct {
	Kind     string        `json:"kind" enum:"size,scale"`
	Document string        `json:"document" maxLength:"300"`
	From     string        `json:"from" maxLength:"10"`
	Rows     []SizeRowBody `json:"rows" maxItems:"100"`
}

// registerPortrait adds the operations about portraits and the thresholds of sizes.
func registerPortrait(api huma.API, s *Service) {
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: rule}.Huma()
	}
	huma.Register(api, op("GET", "/api/enterprises/{id}/portrait", "企业画像", access.Require(PermView)), func(ctx context.Context, in *enterpriseGetInput) (*portraitOutput, error) {
		v, err := s.Portrait(ctx, access.From(ctx), in.ID, in.Basis)
		return &portraitOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/my/enterprise/portrait", "本企业画像", access.Only(access.Enterprise)), func(ctx context.Context, _ *struct{}) (*portraitOutput, error) {
		v, err := s.MyPortrait(ctx, access.From(ctx))
		return &portraitOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/size-editions", "划型标准", access.Require(PermView)), func(ctx context.Context, _ *struct{}) (*sizeEditionsOutput, error) {
		list, err := s.SizeEditions(ctx, access.From(ctx))
		return &sizeEditionsOutput{web.NewList(list, "")}, err
	})
	drafts := func(list []SizeDraft, err error) (*sizeDraftsOutput, error) {
		return &sizeDraftsOutput{web.NewList(list, "")}, err
	}
	edits := access.Require(PermGolden, PermSizePublish)
	huma.Register(api, op("GET", "/api/size-drafts", "录入中的划型标准", edits), func(ctx context.Context, _ *struct{}) (*sizeDraftsOutput, error) {
		return drafts(s.SizeDrafts(ctx, access.From(ctx)))
	})
	huma.Register(api, op("PUT", "/api/size-drafts/{kind}", "录入划型标准", access.Require(PermGolden)), func(ctx context.Context, in *sizeDraftInput) (*sizeDraftsOutput, error) {
		b := in.Body
		return drafts(s.SaveSizeDraft(ctx, access.From(ctx), SaveSizeDraft{SizeEditionBody{in.Kind, b.Document, b.From, b.Rows}, b.Version, in.Key}))
	})
	huma.Register(api, op("GET", "/api/size-drafts/{kind}/preview", "预览划型标准的影响", edits), func(ctx context.Context, in *sizePreviewInput) (*sizePreviewOutput, error) {
		v, err := s.PreviewSizes(ctx, access.From(ctx), in.Kind, in.Cursor)
		return &sizePreviewOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/size-drafts/{kind}/discard", "放弃录入的划型标准", access.Require(PermGolden)), func(ctx context.Context, in *sizeDraftRefInput) (*sizeDraftsOutput, error) {
		return drafts(s.DiscardSizeDraft(ctx, access.From(ctx), SizeDraftRef{in.Kind, in.Body.Version, in.Key}))
	})
	huma.Register(api, op("POST", "/api/size-drafts/{kind}/publish", "发布划型标准", access.Require(PermSizePublish)), func(ctx context.Context, in *sizeDraftRefInput) (*sizeEditionsOutput, error) {
		list, err := s.PublishSizeDraft(ctx, access.From(ctx), SizeDraftRef{in.Kind, in.Body.Version, in.Key})
		return &sizeEditionsOutput{web.NewList(list, "")}, err
	})
}
