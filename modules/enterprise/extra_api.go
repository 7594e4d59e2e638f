package enterprise

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/form"
	"github.com/huiqi/huiqi/platform/web"
)

type (
	extraOutput       struct{ Body Extra }
	extraFieldsOutput struct{ Body web.List[ExtraFieldView] }
	companyTypesOut   struct{ Body web.List[CompanyType] }
)

// ExtraFieldBody is a field as it is saved; its key stands in the address.
type ExtraFieldBody struct {
	Field      form.OwnField `json:"field"`
	Group      string        `json:"group" enum:"service,basic,operation,standing,admin,justice,social,tax,ip"`
	Types      []string      `json:"types,omitempty" maxItems:"40"`
	Restricted bool          `json:"restricted,omitempty"`
	Company    string        `json:"company" enum:"hidden,reads,fills"`
	Sort       int           `json:"sort,omitempty"`
	Retired    bool          `json:"retired,omitempty"`
	Version    int64         `json:"version" doc:"0 adds a field."`
}

type enterpriseExtraFieldInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"31"`
	Body ExtraFieldBody
}

// ExtraBody is what is filled in: by the keys of the fields, only those that change.
type ExtraBody struct {
	Version int64               `json:"version"`
	Values  map[string][]string `json:"values"`
	Basis   string              `json:"basis,omitempty" maxLength:"40" doc:"On which what is changed was read, where the company has not agreed."`
}

type enterpriseExtraInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body ExtraBody
}

type enterpriseMyExtraInput struct {
	web.Keyed
	Body ExtraBody
}

// registerExtra adds the operations about the fields that administrators define.
func registerExtra(api huma.API, s *Service) {
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: rule}.Huma()
	}
	fields := func(list []ExtraFieldView, err error) (*extraFieldsOutput, error) {
		return &extraFieldsOutput{web.NewList(list, "")}, err
	}
	huma.Register(api, op("GET", "/api/enterprise-fields", "企业扩展字段", access.Require(PermView)), func(ctx context.Context, _ *struct{}) (*extraFieldsOutput, error) {
		return fields(s.ExtraFields(ctx, access.From(ctx)))
	})
	huma.Register(api, op("GET", "/api/enterprise-types", "企业类型", access.Require(PermView)), func(context.Context, *struct{}) (*companyTypesOut, error) {
		return &companyTypesOut{web.NewList(CompanyTypes(), "")}, nil
	})
	huma.Register(api, op("PUT", "/api/enterprise-fields/{code}", "定义企业扩展字段", access.Require(PermExtraFields)), func(ctx context.Context, in *enterpriseExtraFieldInput) (*extraFieldsOutput, error) {
		b := in.Body
		b.Field.Key = in.Code
		return fields(s.SaveExtraField(ctx, access.From(ctx), SaveExtraField{ExtraField{b.Field, b.Group, b.Types, b.Restricted, b.Company, b.Sort, b.Retired}, b.Version, in.Key}))
	})
	huma.Register(api, op("GET", "/api/enterprises/{id}/extra", "企业扩展信息", access.Require(PermView)), func(ctx context.Context, in *enterpriseGetInput) (*extraOutput, error) {
		v, err := s.Extra(ctx, access.From(ctx), in.ID, in.Basis)
		return &extraOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/enterprises/{id}/extra", "填写企业扩展信息", access.Require(PermExtra)), func(ctx context.Context, in *enterpriseExtraInput) (*extraOutput, error) {
		v, err := s.SetExtra(ctx, access.From(ctx), SetExtra{in.ID, in.Body.Version, in.Body.Values, in.Body.Basis, in.Key})
		return &extraOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/my/enterprise/extra", "本企业扩展信息", access.Only(access.Enterprise)), func(ctx context.Context, _ *struct{}) (*extraOutput, error) {
		v, err := s.MyExtra(ctx, access.From(ctx))
		return &extraOutput{v}, err
	})
	huma.Register(api, op("POST", "/api/my/enterprise/extra", "填写本企业扩展信息", access.Only(access.Enterprise)), func(ctx context.Context, in *enterpriseMyExtraInput) (*extraOutput, error) {
		v, err := s.SetMyExtra(ctx, access.From(ctx), SetExtra{Version: in.Body.Version, Values: in.Body.Values, Key: in.Key})
		return &extraOutput{v}, err
	})
}
