package calendar

import (
	"context"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "工作日历"

type viewOutput struct{ Body View }

type standingOutput struct{ Body Standing }

type listOutput struct{ Body web.List[View] }

type getInput struct {
	ID int64 `path:"id"`
}

// Target is embedded by the input of every command on a draft; Huma fills exported structs only.
type Target struct {
	web.Keyed
	ID int64 `path:"id"`
}

type saveInput struct {
	Target
	Body struct {
		Version    int64      `json:"version"`
		Note       string     `json:"note,omitempty"`
		Definition Definition `json:"definition"`
	}
}

type versionInput struct {
	Target
	Body struct {
		Version int64 `json:"version"`
	}
}

type previewInput struct {
	ID     int64  `path:"id"`
	Cursor string `query:"cursor" maxLength:"200"`
}

type previewOutput struct {
	Body struct {
		Items      []Move `json:"items"`
		Looked     int    `json:"looked" doc:"How many running deadlines were reckoned for this part."`
		NextCursor string `json:"nextCursor,omitempty"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	view, manage := access.Require(PermView), access.Require(PermManage)
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: "/api/calendars" + path, Summary: summary, Tag: tag, Access: rule}.Huma()
	}
	huma.Register(api, op("GET", "/standing", "现行日历和草稿", view), func(ctx context.Context, _ *struct{}) (*standingOutput, error) {
		st, err := s.Standing(ctx, access.From(ctx))
		if err != nil {
			return nil, err
		}
		return &standingOutput{Body: st}, nil
	})
	huma.Register(api, op("GET", "", "日历的各个版本", view), func(ctx context.Context, in *web.Listing) (*listOutput, error) {
		var before int64
		if in.Cursor != "" {
			var err error
			if before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || before <= 0 {
				return nil, fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
			}
		}
		items, next, err := s.List(ctx, access.From(ctx), before, in.Limit)
		if err != nil {
			return nil, err
		}
		cursor := ""
		if next > 0 {
			cursor = strconv.FormatInt(next, 10)
		}
		return &listOutput{Body: web.NewList(items, cursor)}, nil
	})
	huma.Register(api, op("GET", "/{id}", "日历的一个版本", view), func(ctx context.Context, in *getInput) (*viewOutput, error) {
		return output(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("POST", "", "新建或继续编辑草稿", manage), func(ctx context.Context, in *web.Keyed) (*viewOutput, error) {
		return output(s.Begin(ctx, access.From(ctx), in.Key))
	})
	huma.Register(api, op("POST", "/{id}/save", "保存草稿", manage), func(ctx context.Context, in *saveInput) (*viewOutput, error) {
		return output(s.Save(ctx, access.From(ctx), Save{ID: in.ID, Version: in.Body.Version, Key: in.Key, Note: in.Body.Note, Definition: in.Body.Definition}))
	})
	huma.Register(api, op("POST", "/{id}/discard", "删除草稿", manage), func(ctx context.Context, in *versionInput) (*struct{}, error) {
		return nil, s.Discard(ctx, access.From(ctx), in.ID, in.Body.Version, in.Key)
	})
	huma.Register(api, op("GET", "/{id}/preview", "发布后将变更的时限", view), func(ctx context.Context, in *previewInput) (*previewOutput, error) {
		m, err := s.Preview(ctx, access.From(ctx), in.ID, in.Cursor)
		if err != nil {
			return nil, err
		}
		out := &previewOutput{}
		out.Body.Items, out.Body.Looked, out.Body.NextCursor = list(m.Items), m.Looked, m.Next
		return out, nil
	})
	huma.Register(api, op("POST", "/{id}/publish", "发布草稿", manage), func(ctx context.Context, in *versionInput) (*viewOutput, error) {
		return output(s.Publish(ctx, access.From(ctx), in.ID, in.Body.Version, in.Key))
	})
}

func output(v View, err error) (*viewOutput, error) {
	if err != nil {
		return nil, err
	}
	return &viewOutput{Body: v}, nil
}
