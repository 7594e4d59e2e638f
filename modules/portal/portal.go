// Package portal is what the portal has of its own: the home page, the search over everything, 我的, and the pages every
// government site must have. What stands on them belongs to other modules; each gives its part as a small function of
// Parts, and what nobody gives is not there. The package owns no tables and announces nothing.
package portal

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// Parts are what the modules give to the portal. Every part may be left out: its block, tab or line then does not appear.
// The functions of the home page are for everybody; those of Mine get who asks and narrow by themselves.
type Parts struct {
	Log   *slog.Logger
	Clock clock.Clock

	// Quick is the form 一句话找政策 in the banner.
	Quick page.QuickMatch
	// Kinds are the doors to the kinds of services.
	Kinds        []page.ServiceKind
	PolicyCards  func(ctx context.Context, n int) ([]page.PolicyCard, error)
	ProductCards func(ctx context.Context, n int) ([]page.ProductCard, error)
	NewsCards    func(ctx context.Context, n int) ([]page.Notice, error)
	NoticeCards  func(ctx context.Context, n int) ([]page.Notice, error)
	Institutions func(ctx context.Context, n int) ([]page.Partner, error)
	// Figures are counted at most once a minute.
	Figures []Figure

	Sources []Source
	Mine    Mine
}

// Portal serves the pages.
type Portal struct {
	parts   Parts
	figures figures
}

// New makes the portal of the parts. It panics without a log and a clock.
func New(p Parts) *Portal {
	if p.Log == nil || p.Clock == nil {
		panic("portal: Parts need a log and a clock")
	}
	return &Portal{parts: p}
}

// Pages adds the portal's own pages.
func (p *Portal) Pages(s *web.Server, pages *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := pages.Renderer.Parse("portal", sub); err != nil {
		return err
	}
	s.Page("GET", "/", access.Public("门户首页"), func(c *fiber.Ctx) error { return p.home(c, pages) })
	if len(p.parts.Sources) > 0 {
		s.Page("GET", "/search", access.Public("全站搜索"), func(c *fiber.Ctx) error { return p.search(c, pages) })
	}
	s.Page("GET", "/my", access.Only(access.Enterprise), func(c *fiber.Ctx) error { return p.my(c, pages) })
	for path, name := range map[string]struct{ page, title string }{
		"/privacy": {"portal/privacy", "个人信息保护说明"}, "/accessibility": {"portal/accessibility", "无障碍说明"}, "/sitemap": {"portal/sitemap", "站点地图"},
	} {
		s.Page("GET", path, access.Public("公开说明"), func(c *fiber.Ctx) error {
			v, err := pages.View(c, name.title)
			if err != nil {
				return err
			}
			v.Breadcrumb = []page.Crumb{{Text: name.title}}
			return pages.Render(c, fiber.StatusOK, name.page, v, struct{}{})
		})
	}
	return nil
}
