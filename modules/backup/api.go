package backup

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "备份"

type backupListInput struct {
	web.Listing
	State State `query:"state" enum:"waiting,making,verifying,copying,done,failed"`
}

type backupListOutput struct{ Body web.List[Item] }

type backupOutput struct{ Body Item }

type standingOutput struct{ Body Standing }

type backupGetInput struct {
	ID int64 `path:"id"`
}

// Register adds the operations of the module to the API. There is none that hands out a set.
func Register(api huma.API, s *Service) {
	view := access.Require(PermView)
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/backups", Summary: "备份记录", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *backupListInput) (*backupListOutput, error) {
			items, next, err := s.List(ctx, access.From(ctx), ListFilter{State: in.State, Cursor: in.Cursor, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			return &backupListOutput{Body: web.NewList(items, next)}, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/backups/standing", Summary: "备份总体情况", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, _ *struct{}) (*standingOutput, error) {
			st, err := s.Standing(ctx, access.From(ctx))
			if err != nil {
				return nil, err
			}
			return &standingOutput{Body: st}, nil
		})
	huma.Register(api, web.Operation{Method: "GET", Path: "/api/backups/{id}", Summary: "一次备份", Tag: tag, Access: view}.Huma(),
		func(ctx context.Context, in *backupGetInput) (*backupOutput, error) {
			it, err := s.Get(ctx, access.From(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return &backupOutput{Body: it}, nil
		})
	huma.Register(api, web.Operation{Method: "POST", Path: "/api/backups", Summary: "立即备份", Tag: tag, Access: access.Require(PermRun), Status: http.StatusAccepted}.Huma(),
		func(ctx context.Context, in *struct{ web.Keyed }) (*backupOutput, error) {
			it, err := s.Ask(ctx, access.From(ctx), in.Key)
			if err != nil {
				return nil, err
			}
			return &backupOutput{Body: it}, nil
		})
}
