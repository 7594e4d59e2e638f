package extra

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "扩展字段"

type (
	extraFieldsOutput struct{ Body web.List[View] }
	extraKindsOutput  struct{ Body web.List[Kind] }
)

type extraFieldInput struct {
	web.Keyed
	Subject Subject `path:"subject" enum:"product,application"`
	Code    string  `path:"code" maxLength:"31"`
	Body    struct {
		Field    form.OwnField `json:"field"`
		Kinds    []string      `json:"kinds,omitempty" maxItems:"20"`
		Audience string        `json:"audience" enum:"everyone,staff"`
		Sort     int           `json:"sort,omitempty"`
		Retired  bool          `json:"retired,omitempty"`
		Version  int64         `json:"version" doc:"0 adds a field."`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	op := func(method, path, summary string, any ...access.Permission) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(any...)}.Huma()
	}
	fields := func(list []View, err error) (*extraFieldsOutput, error) {
		return &extraFieldsOutput{web.NewList(list, "")}, err
	}
	huma.Register(api, op("GET", "/api/extra-fields", "产品和申请的扩展字段", s.reads...), func(ctx context.Context, _ *struct{}) (*extraFieldsOutput, error) {
		return fields(s.List(ctx, access.From(ctx)))
	})
	huma.Register(api, op("GET", "/api/extra-field-kinds", "扩展字段可用的服务类别", s.reads...), func(context.Context, *struct{}) (*extraKindsOutput, error) {
		return &extraKindsOutput{web.NewList(s.Kinds(), "")}, nil
	})
	huma.Register(api, op("PUT", "/api/extra-fields/{subject}/{code}", "定义产品或申请的扩展字段", PermManage), func(ctx context.Context, in *extraFieldInput) (*extraFieldsOutput, error) {
		b := in.Body
		b.Field.Key = in.Code
		return fields(s.Save(ctx, access.From(ctx), Save{Field{in.Subject, b.Field, b.Kinds, b.Audience, b.Sort, b.Retired}, b.Version, in.Key}))
	})
}
