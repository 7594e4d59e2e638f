package file

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// purposeOf is what a form may upload for: a licence keeps to pictures and PDF. Everything else is an attachment.
func purposeOf(named string) string {
	if named == "licence" {
		return named
	}
	return "attachment"
}

// API adds the routes. The form's purpose must come before its file.
func (s *Service) API(srv *web.Server) {
	srv.Upload("/api/files", access.SignedIn(), 0, func(c *fiber.Ctx, ctx context.Context, u web.Uploaded) error {
		v, err := s.Save(ctx, access.From(ctx), purposeOf(u.Fields["purpose"]), u.Name, u.Content)
		if err != nil {
			return err
		}
		return c.Status(http.StatusCreated).JSON(v)
	})
	srv.Download("/api/files/:id<int>", access.SignedIn(), func(c *fiber.Ctx) (web.Download, error) {
		id, err := c.ParamsInt("id")
		if err != nil {
			return web.Download{}, fault.ErrNotFound
		}
		return s.Read(c.UserContext(), access.From(c.UserContext()), int64(id))
	})
	huma.Register(srv.API, web.Operation{
		Method: "GET", Path: "/api/files/{id}/state", Summary: "文件的安全检查状态", Tag: "文件", Access: access.SignedIn(),
	}.Huma(), func(ctx context.Context, in *fileInput) (*fileOutput, error) {
		v, err := s.Get(ctx, access.From(ctx), in.ID)
		return &fileOutput{v}, err
	})
}

type fileInput struct {
	ID int64 `path:"id"`
}

type fileOutput struct{ Body View }
