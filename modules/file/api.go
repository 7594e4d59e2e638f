package file

import (
	"context"
	"net/http"

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
	srv.Upload("/api/files", access.SignedIn(), func(c *fiber.Ctx, ctx context.Context, u web.Uploaded) error {
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
	srv.Raw("GET", "/api/files/:id<int>/state", access.SignedIn(), func(c *fiber.Ctx) error {
		id, err := c.ParamsInt("id")
		if err != nil {
			return fault.ErrNotFound
		}
		v, err := s.Get(c.UserContext(), access.From(c.UserContext()), int64(id))
		if err != nil {
			return err
		}
		return c.JSON(v)
	})
}
