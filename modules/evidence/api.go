package evidence

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/scorecard"
	"github.com/huiqi/huiqi/platform/web"
)

type evidenceCaseInput struct {
	Object string `path:"object" maxLength:"40"`
	ID     int64  `path:"id"`
}

type evidenceOutput struct{ Body View }

type evidenceAddInput struct {
	web.Keyed
	Object string `path:"object" maxLength:"40"`
	ID     int64  `path:"id"`
	Body   struct {
		Item    string  `json:"item,omitempty" doc:"Code of the item; empty for something else."`
		FileIDs []int64 `json:"fileIds" minItems:"1" maxItems:"9"`
		Note    string  `json:"note,omitempty"`
		Shared  bool    `json:"shared" doc:"The other side sees it too."`
	}
}

type evidencePieceInput struct {
	ID int64 `path:"id"`
}

type evidenceAssessInput struct {
	web.Keyed
	Object string `path:"object" maxLength:"40"`
	ID     int64  `path:"id"`
	Body   struct {
		Target  Target `json:"target" enum:"institution,operator"`
		Version int64  `json:"version" doc:"Of the assessment there is; 0 when there is none."`
		CardID  int64  `json:"cardId"`
		scorecard.Marks
	}
}

type evidenceAssessmentsInput struct {
	web.Listing
	Target Target `query:"target" enum:"institution,operator"`
}

type evidenceAssessmentsOutput struct{ Body web.List[AssessmentView] }

type evidenceListsOutput struct {
	Body struct {
		Items []ListView `json:"items"`
		Kinds []Kind     `json:"kinds"`
	}
}

type evidenceListInput struct {
	web.Keyed
	Body SetList
}

type evidenceCardsOutput struct{ Body web.List[CardView] }

type evidenceCardInput struct {
	web.Keyed
	Body SetCard
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	reader := access.Only(access.Enterprise, access.Institution, access.Platform, access.Government)
	sides := access.Only(access.Enterprise, access.Institution)
	manage := access.Require(PermManage)
	op := func(method, path, summary string, rule access.Rule, status int) huma.Operation {
		return web.Operation{Method: method, Path: "/api" + path, Summary: summary, Tag: "服务佐证", Access: rule, Status: status}.Huma()
	}
	huma.Register(api, op("GET", "/evidence/{object}/{id}", "一件服务的佐证和评估", reader, 0), func(ctx context.Context, in *evidenceCaseInput) (*evidenceOutput, error) {
		v, err := s.Of(ctx, access.From(ctx), in.Object, in.ID)
		return &evidenceOutput{v}, err
	})
	huma.Register(api, op("POST", "/evidence/{object}/{id}", "上传服务佐证", sides, 204), func(ctx context.Context, in *evidenceAddInput) (*struct{}, error) {
		b := in.Body
		return nil, s.Add(ctx, access.From(ctx), Add{in.Object, in.ID, b.Item, b.FileIDs, b.Note, b.Shared, in.Key})
	})
	huma.Register(api, op("POST", "/evidence-pieces/{id}/remove", "移除本方的服务佐证", sides, 204), func(ctx context.Context, in *evidencePieceInput) (*struct{}, error) {
		return nil, s.Remove(ctx, access.From(ctx), in.ID)
	})
	huma.Register(api, op("POST", "/evidence/{object}/{id}/assess", "政府评估", access.Require(PermAssess), 204), func(ctx context.Context, in *evidenceAssessInput) (*struct{}, error) {
		b := in.Body
		return nil, s.Assess(ctx, access.From(ctx), Assess{in.Object, in.ID, b.Target, b.Version, b.CardID, b.Marks, in.Key})
	})
	huma.Register(api, op("GET", "/assessments", "政府评估", access.Require(PermView, PermAssess, PermAdd), 0), func(ctx context.Context, in *evidenceAssessmentsInput) (*evidenceAssessmentsOutput, error) {
		items, next, err := s.Assessments(ctx, access.From(ctx), Filter{in.Target, in.Cursor, in.Limit})
		return &evidenceAssessmentsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("GET", "/evidence-lists", "服务佐证清单", manage, 0), func(ctx context.Context, _ *struct{}) (*evidenceListsOutput, error) {
		list, err := s.Lists(ctx, access.From(ctx))
		out := &evidenceListsOutput{}
		out.Body.Items, out.Body.Kinds = list, s.Kinds
		return out, err
	})
	huma.Register(api, op("PUT", "/evidence-list", "更新服务佐证清单", manage, 204), func(ctx context.Context, in *evidenceListInput) (*struct{}, error) {
		in.Body.Key = in.Key
		return nil, s.SetList(ctx, access.From(ctx), in.Body)
	})
	huma.Register(api, op("GET", "/assessment-cards", "政府评估表", access.Require(PermManage, PermAssess), 0), func(ctx context.Context, _ *struct{}) (*evidenceCardsOutput, error) {
		list, err := s.Cards(ctx, access.From(ctx))
		return &evidenceCardsOutput{web.NewList(list, "")}, err
	})
	huma.Register(api, op("PUT", "/assessment-card", "更新政府评估表", manage, 204), func(ctx context.Context, in *evidenceCardInput) (*struct{}, error) {
		in.Body.Key = in.Key
		return nil, s.SetCard(ctx, access.From(ctx), in.Body)
	})
}
