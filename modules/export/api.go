package export

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "导出"

type exportSourcesOutput struct{ Body web.List[SourceView] }

type exportListInput struct{ web.Listing }

type exportListOutput struct{ Body web.List[View] }

type exportOutput struct{ Body View }

type exportCreateInput struct {
	web.Keyed
	Body struct {
		Source  string            `json:"source" maxLength:"40"`
		Format  Format            `json:"format" enum:"xlsx,csv"`
		Columns []string          `json:"columns,omitempty" maxItems:"200" doc:"Keys; none takes the usual ones."`
		Filters map[string]string `json:"filters,omitempty" doc:"As in the address of the list; several values are separated by commas."`
		Purpose string            `json:"purpose" maxLength:"400"`
	}
}

type exportGetInput struct {
	ID int64 `path:"id"`
}

var mimes = map[Format]string{XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", CSV: "text/csv; charset=utf-8"}

// API adds the operations and the download.
func (s *Service) API(srv *web.Server) {
	staff := access.Only(access.Platform, access.Government, access.Institution)
	op := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: staff}.Huma()
	}
	api := srv.API
	huma.Register(api, op("GET", "/api/export-sources", "可导出的列表和列"), func(ctx context.Context, _ *struct{}) (*exportSourcesOutput, error) {
		items, err := s.Allowed(ctx, access.From(ctx))
		return &exportSourcesOutput{web.NewList(items, "")}, err
	})
	huma.Register(api, op("GET", "/api/exports", "我的导出"), func(ctx context.Context, in *exportListInput) (*exportListOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), in.Cursor, in.Limit)
		return &exportListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("POST", "/api/exports", "申请导出"), func(ctx context.Context, in *exportCreateInput) (*exportOutput, error) {
		b := in.Body
		return output(s.Create(ctx, access.From(ctx), Create{Key: in.Key, Source: b.Source, Format: b.Format, Columns: b.Columns, Filters: b.Filters, Purpose: b.Purpose}))
	})
	huma.Register(api, op("GET", "/api/exports/{id}", "导出进度"), func(ctx context.Context, in *exportGetInput) (*exportOutput, error) {
		return output(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("POST", "/api/exports/{id}/cancel", "取消导出"), func(ctx context.Context, in *exportGetInput) (*exportOutput, error) {
		return output(s.Cancel(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("POST", "/api/exports/{id}/retry", "重新导出"), func(ctx context.Context, in *exportGetInput) (*exportOutput, error) {
		return output(s.Retry(ctx, access.From(ctx), in.ID))
	})
	srv.Download("/api/exports/:id<int>/file", staff, func(c *fiber.Ctx) (web.Download, error) {
		id, err := c.ParamsInt("id")
		if err != nil {
			return web.Download{}, fault.ErrNotFound
		}
		open := s.Open
		if c.Method() == fiber.MethodHead {
			open = s.Look // nothing of it goes out
		}
		f, err := open(c.UserContext(), access.From(c.UserContext()), int64(id))
		if err != nil {
			return web.Download{}, err
		}
		return web.Download{Mime: mimes[f.Format], Disposition: files.ContentDisposition(f.FileName, false), Size: f.Size, Tag: f.SHA256, Written: *f.FinishedAt, Content: f.Content}, nil
	})
}

func output(v View, err error) (*exportOutput, error) {
	if err != nil {
		return nil, err
	}
	return &exportOutput{v}, nil
}
