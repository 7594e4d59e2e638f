package enterprise

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

type qualityOutput struct{ Body QualityRules }

type qualitySaveInput struct {
	web.Keyed
	Body struct {
		Version int64         `json:"version"`
		Note    string        `json:"note" maxLength:"300"`
		Rules   []QualityRule `json:"rules" maxItems:"200"`
	}
}

type qualityScoresInput struct {
	web.Listing
	Source string `query:"source" maxLength:"40"`
}

type qualityScoresOutput struct{ Body web.List[QualityScore] }

type qualityScoreOutput struct{ Body QualityScore }

type sourceScoresOutput struct{ Body web.List[SourceScore] }

// registerQuality adds the operations about the quality of registers.
func registerQuality(api huma.API, s *Service) {
	op := func(method, path, summary string, need access.Permission) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: access.Require(need)}.Huma()
	}
	huma.Register(api, op("GET", "/api/quality-rules", "数据质量规则", PermView), func(ctx context.Context, _ *struct{}) (*qualityOutput, error) {
		v, err := s.Quality(ctx, access.From(ctx))
		return &qualityOutput{v}, err
	})
	huma.Register(api, op("PUT", "/api/quality-rules", "修改数据质量规则", PermQuality), func(ctx context.Context, in *qualitySaveInput) (*qualityOutput, error) {
		v, err := s.SaveQuality(ctx, access.From(ctx), SaveQuality{Version: in.Body.Version, Note: in.Body.Note, Rules: in.Body.Rules, Key: in.Key})
		return &qualityOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/quality-scores", "各次导入的数据质量", PermView), func(ctx context.Context, in *qualityScoresInput) (*qualityScoresOutput, error) {
		list, next, err := s.Scores(ctx, access.From(ctx), in.Source, in.Cursor, in.Limit)
		for i := range list {
			list[i].Details = nil
		}
		return &qualityScoresOutput{web.NewList(list, next)}, err
	})
	huma.Register(api, op("GET", "/api/quality-scores/{id}", "一次导入的数据质量", PermView), func(ctx context.Context, in *enterpriseIDInput) (*qualityScoreOutput, error) {
		v, err := s.ScoreOf(ctx, access.From(ctx), in.ID)
		return &qualityScoreOutput{v}, err
	})
	huma.Register(api, op("GET", "/api/quality-sources", "各来源的数据质量", PermView), func(ctx context.Context, _ *struct{}) (*sourceScoresOutput, error) {
		list, err := s.SourceScores(ctx, access.From(ctx))
		return &sourceScoresOutput{web.NewList(list, "")}, err
	})
}
