package review

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "退回原因"

type reviewReasonsOutput struct{ Body web.List[ListView] }

type reviewReasonInput struct {
	web.Keyed
	List string `path:"list" maxLength:"40"`
	Code string `path:"code" maxLength:"31"`
	Body struct {
		Text    string `json:"text" maxLength:"600"`
		Words   bool   `json:"words,omitempty" doc:"The reviewer has to add words of their own."`
		Sort    int    `json:"sort,omitempty"`
		Retired bool   `json:"retired,omitempty"`
		Version int64  `json:"version" doc:"0 adds a reason."`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	edit := access.Require(PermReasons)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/return-reasons", Summary: "审核退回原因", Tag: tag, Access: edit}.Huma(),
		func(ctx context.Context, _ *struct{}) (*reviewReasonsOutput, error) {
			list, err := s.All(ctx, access.From(ctx))
			return &reviewReasonsOutput{web.NewList(list, "")}, err
		})
	huma.Register(api, web.Operation{Method: "PUT", Path: "/api/return-reasons/{list}/{code}", Summary: "设置审核退回原因", Tag: tag, Access: edit}.Huma(),
		func(ctx context.Context, in *reviewReasonInput) (*reviewReasonsOutput, error) {
			b := in.Body
			list, err := s.SaveReason(ctx, access.From(ctx), SaveReason{Reason: reason.Reason{Code: in.Code, Text: b.Text, Words: b.Words, Sort: b.Sort, Retired: b.Retired}, List: in.List, Version: b.Version, Key: in.Key})
			return &reviewReasonsOutput{web.NewList(list, "")}, err
		})
}
