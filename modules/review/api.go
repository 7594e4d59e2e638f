package review

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/hint"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/web"
)

const (
	tag           = "退回原因"
	tagDelegation = "委托审核"
	tagHints      = "审核提示"
)

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

type delegationsOutput struct{ Body Delegations }

type reviewDelegateInput struct {
	web.Keyed
	Body struct {
		FromID int64    `json:"fromId,omitempty" doc:"Who is on leave; 0 is the asker."`
		ToID   int64    `json:"toId"`
		Works  []string `json:"works" maxItems:"20" doc:"Keys of the kinds of review."`
		Starts string   `json:"starts" doc:"The first day, as 2026-11-22."`
		Ends   string   `json:"ends" doc:"The last day."`
		Reason string   `json:"reason"`
	}
}

type reviewDelegationInput struct {
	ID int64 `path:"id"`
}

func registerDelegations(api huma.API, s *Service) {
	op := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: "/api/review-delegations" + path, Summary: summary, Tag: tagDelegation, Access: access.Only(access.Platform, access.Government)}.Huma()
	}
	huma.Register(api, op("GET", "", "委托审核"), func(ctx context.Context, _ *struct{}) (*delegationsOutput, error) {
		v, err := s.Delegations(ctx, access.From(ctx))
		return &delegationsOutput{v}, err
	})
	huma.Register(api, op("POST", "", "离岗期间委托同事审核"), func(ctx context.Context, in *reviewDelegateInput) (*delegationsOutput, error) {
		b := in.Body
		v, err := s.Delegate(ctx, access.From(ctx), Delegate{in.Key, b.FromID, b.ToID, b.Works, b.Starts, b.Ends, b.Reason})
		return &delegationsOutput{v}, err
	})
	huma.Register(api, op("POST", "/{id}/end", "收回委托"), func(ctx context.Context, in *reviewDelegationInput) (*delegationsOutput, error) {
		v, err := s.EndDelegation(ctx, access.From(ctx), in.ID)
		return &delegationsOutput{v}, err
	})
}

type reviewHintsOutput struct{ Body Hints }

type reviewReadHintsOutput struct{ Body web.List[Hint] }

type reviewHintInput struct {
	web.Keyed
	Review string `path:"review" maxLength:"30"`
	For    Reader `path:"for" enum:"reviewer,submitter"`
	Step   string `path:"step" maxLength:"30"`
	Body   struct {
		Version  int64   `json:"version" doc:"0 where there was none."`
		Text     string  `json:"text,omitempty"`
		LinkText string  `json:"linkText,omitempty"`
		LinkURL  string  `json:"linkUrl,omitempty" doc:"https:// or an address of this site that begins with /."`
		Picture  *string `json:"picture,omitempty" doc:"A PNG or JPEG of up to 300 KB in base64; empty takes it away, left out keeps it."`
		Alt      string  `json:"alt,omitempty" doc:"What the picture shows."`
	}
}

func registerHints(api huma.API, s *Service) {
	edit := access.Require(PermReasons)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/review-hints", Summary: "审核各步骤的提示", Tag: tagHints, Access: edit}.Huma(),
		func(ctx context.Context, _ *struct{}) (*reviewHintsOutput, error) {
			v, err := s.Hints(ctx, access.From(ctx))
			return &reviewHintsOutput{v}, err
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/my-review-hints", Summary: "本人在审核各步骤看到的提示", Tag: tagHints, Access: access.SignedIn()}.Huma(),
		func(ctx context.Context, _ *struct{}) (*reviewReadHintsOutput, error) {
			list, err := s.Reads(ctx, access.From(ctx))
			return &reviewReadHintsOutput{web.NewList(list, "")}, err
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/review-hints/{review}/{for}/{step}", Summary: "设置审核一个步骤的提示", Tag: tagHints, Access: edit}.Huma(),
		func(ctx context.Context, in *reviewHintInput) (*struct{}, error) {
			b := in.Body
			return nil, s.SetHint(ctx, access.From(ctx), SetHint{Key: in.Key, Review: in.Review, For: in.For, Step: in.Step,
				Set: hint.Set{Text: b.Text, LinkText: b.LinkText, LinkURL: b.LinkURL, Picture: b.Picture, Alt: b.Alt, Version: b.Version}})
		})
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	registerDelegations(api, s)
	registerHints(api, s)
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
