package enterprise

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type portraitOutput struct{ Body Portrait }

type sizeEditionsOutput struct{ Body web.List[SizeEdition] }

type sizeEditionInput struct {
	web.Keyed
	Body SizeEditionBody
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
	huma.Register(api, op("GET", "/api/enterprises/{id}/portrait", "企业画像", access.Require(PermView)), func(ctx context.Context, in *enterpriseIDInput) (*portraitOutput, error) {
		v, err := s.Portrait(ctx, access.From(ctx), in.ID)
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
	huma.Register(api, op("POST", "/api/size-editions", "增加划型标准", access.Require(PermGolden)), func(ctx context.Context, in *sizeEditionInput) (*sizeEditionsOutput, error) {
		e := in.Body.Edition()
		list, err := s.AddEdition(ctx, access.From(ctx), e, in.Key)
		return &sizeEditionsOutput{web.NewList(list, "")}, err
	})
}
