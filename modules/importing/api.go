package importing

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "导入"

// maxForm is how many bytes a form may have: the largest file of the purpose "import" and what is around it.
const maxForm = 64 * files.MB

type importTargetsOutput struct{ Body web.List[TargetView] }

type importListInput struct{ web.Listing }

type importListOutput struct{ Body web.List[Item] }

type importOutput struct{ Body View }

type importGetInput struct {
	ID int64 `path:"id"`
}

type importActInput struct {
	web.Keyed
	ID int64 `path:"id"`
}

type importMapInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Sheet      int              `json:"sheet"`
		Head       int              `json:"head,omitempty" doc:"Number of the row of heads; 0 takes the one that was found."`
		Columns    map[string]int   `json:"columns" doc:"Field to column, from 0."`
		Duplicates sheet.Duplicates `json:"duplicates" enum:"skip,update,refuse"`
	}
}

type importRowsInput struct {
	web.Listing
	ID    int64      `path:"id"`
	State []RowState `query:"state" doc:"Any of these states, separated by commas."`
}

type importRowsOutput struct{ Body web.List[RowView] }

type importFeedsOutput struct{ Body web.List[FeedView] }

type importFeedInput struct {
	web.Keyed
	Body struct {
		Feed       string           `json:"feed" maxLength:"40"`
		Duplicates sheet.Duplicates `json:"duplicates" enum:"skip,update,refuse"`
	}
}

type importDecideInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Rows   []int  `json:"rows,omitempty" maxItems:"200" doc:"Numbers of rows; or a kind."`
		Flag   string `json:"flag,omitempty" maxLength:"40" doc:"All rows of this kind that wait."`
		Accept bool   `json:"accept"`
	}
}

// API adds the operations, the upload and the downloads.
func (s *Service) API(srv *web.Server) {
	staff := access.Only(access.Platform, access.Government, access.Institution)
	op := func(method, path, summary string) huma.Operation {
		return web.Operation{Method: method, Path: path, Summary: summary, Tag: tag, Access: staff}.Huma()
	}
	api := srv.API
	huma.Register(api, op("GET", "/api/import-targets", "可导入的数据"), func(ctx context.Context, _ *struct{}) (*importTargetsOutput, error) {
		items, err := s.Allowed(ctx, access.From(ctx))
		return &importTargetsOutput{web.NewList(items, "")}, err
	})
	huma.Register(api, op("GET", "/api/imports", "我的导入"), func(ctx context.Context, in *importListInput) (*importListOutput, error) {
		items, next, err := s.List(ctx, access.From(ctx), in.Cursor, in.Limit)
		return &importListOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("GET", "/api/imports/{id}", "导入进度"), func(ctx context.Context, in *importGetInput) (*importOutput, error) {
		return output(s.Get(ctx, access.From(ctx), in.ID))
	})
	huma.Register(api, op("GET", "/api/imports/{id}/rows", "导入明细"), func(ctx context.Context, in *importRowsInput) (*importRowsOutput, error) {
		items, next, err := s.Rows(ctx, access.From(ctx), in.ID, in.State, in.Cursor, in.Limit)
		return &importRowsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("POST", "/api/imports/{id}/mapping", "设置列并检查"), func(ctx context.Context, in *importMapInput) (*importOutput, error) {
		b := in.Body
		return output(s.Map(ctx, access.From(ctx), MapImport{ID: in.ID, Key: in.Key, Sheet: b.Sheet, Head: b.Head, Columns: b.Columns, Duplicates: b.Duplicates}))
	})
	huma.Register(api, op("POST", "/api/imports/{id}/publish", "发布"), func(ctx context.Context, in *importActInput) (*importOutput, error) {
		return output(s.Publish(ctx, access.From(ctx), Ref{in.ID, in.Key}))
	})
	huma.Register(api, op("POST", "/api/imports/{id}/cancel", "取消导入"), func(ctx context.Context, in *importActInput) (*importOutput, error) {
		return output(s.Cancel(ctx, access.From(ctx), Ref{in.ID, in.Key}))
	})
	huma.Register(api, op("GET", "/api/import-feeds", "可导入的数据接口"), func(ctx context.Context, _ *struct{}) (*importFeedsOutput, error) {
		items, err := s.AllowedFeeds(ctx, access.From(ctx))
		return &importFeedsOutput{web.NewList(items, "")}, err
	})
	huma.Register(api, op("POST", "/api/import-feeds", "从接口导入"), func(ctx context.Context, in *importFeedInput) (*importOutput, error) {
		return output(s.StartFeed(ctx, access.From(ctx), StartFeed{Feed: in.Body.Feed, Duplicates: in.Body.Duplicates, Key: in.Key}))
	})
	huma.Register(api, op("POST", "/api/imports/{id}/resume", "继续读取接口"), func(ctx context.Context, in *importActInput) (*importOutput, error) {
		return output(s.Resume(ctx, access.From(ctx), Ref{in.ID, in.Key}))
	})
	huma.Register(api, op("POST", "/api/imports/{id}/decisions", "审核导入的行"), func(ctx context.Context, in *importDecideInput) (*importOutput, error) {
		b := in.Body
		return output(s.Decide(ctx, access.From(ctx), Decide{ID: in.ID, Key: in.Key, Rows: b.Rows, Flag: b.Flag, Accept: b.Accept}))
	})
	srv.Upload("/api/imports", staff, maxForm, func(c *fiber.Ctx, ctx context.Context, u web.Uploaded) error {
		f, size, err := u.Spool()
		if err != nil {
			return files.StorageFault(err)
		}
		defer f.Close()
		v, err := s.Upload(ctx, access.From(ctx), u.Fields["target"], u.Name, f, size)
		if err != nil {
			return err
		}
		return c.Status(http.StatusCreated).JSON(v)
	})
	download := func(path string, get func(ctx context.Context, actor access.Actor, c *fiber.Ctx) (string, []byte, error)) {
		srv.Raw("GET", path, staff, func(c *fiber.Ctx) error {
			name, content, err := get(c.UserContext(), access.From(c.UserContext()), c)
			if err != nil {
				return err
			}
			c.Set(fiber.HeaderContentType, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
			c.Set(fiber.HeaderContentDisposition, files.ContentDisposition(name, false))
			c.Set(fiber.HeaderCacheControl, "private, no-store")
			return c.Send(content)
		})
	}
	byID := func(get func(ctx context.Context, actor access.Actor, id int64) (string, []byte, error)) func(context.Context, access.Actor, *fiber.Ctx) (string, []byte, error) {
		return func(ctx context.Context, actor access.Actor, c *fiber.Ctx) (string, []byte, error) {
			id, err := c.ParamsInt("id")
			if err != nil {
				return "", nil, fault.ErrNotFound
			}
			return get(ctx, actor, int64(id))
		}
	}
	download("/api/imports/:id<int>/report", byID(s.Report))
	download("/api/imports/:id<int>/result", byID(s.Result))
	download("/api/import-targets/:name/template", func(ctx context.Context, actor access.Actor, c *fiber.Ctx) (string, []byte, error) {
		return s.Template(ctx, actor, c.Params("name"))
	})
}

func output(v View, err error) (*importOutput, error) {
	if err != nil {
		return nil, err
	}
	return &importOutput{v}, nil
}
