package web

import (
	"bytes"
	"context"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Pages renders the portal: it knows the request and gives the layout what it needs of it.
type Pages struct {
	Renderer *page.Renderer
	// User says how the signed-in person is shown in the top bar.
	User func(ctx context.Context, actor access.Actor) (*page.User, error)
}

const elderCookie = "huiqi-elder"

// View returns what the layout needs to know about this request, for the module to complete.
func (p *Pages) View(c *fiber.Ctx, title string) (page.View, error) {
	v := page.View{
		Title: title, Path: c.OriginalURL(), CSRF: CSRF(c.UserContext()), ElderMode: c.Cookies(elderCookie) == "1",
	}
	actor := access.From(c.UserContext())
	if !actor.SignedIn() {
		return v, nil
	}
	u, err := p.User(c.UserContext(), actor)
	v.User = u
	return v, err
}

// Render answers with the page. Nothing is sent when the template fails.
func (p *Pages) Render(c *fiber.Ctx, status int, name string, v page.View, data any) error {
	var b bytes.Buffer
	if err := p.Renderer.Render(&b, name, v, data); err != nil {
		return err
	}
	if v.User != nil || v.NoIndex || c.Method() != fiber.MethodGet {
		c.Set(fiber.HeaderCacheControl, "no-store")
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(b.Bytes())
}

// Error answers a failure of a page in the portal's look; a visitor is led to sign in instead.
func (p *Pages) Error(c *fiber.Ctx, f *Problem) error {
	if f.Status == fiber.StatusUnauthorized && c.Method() == fiber.MethodGet {
		return c.Redirect("/login?return=" + url.QueryEscape(c.OriginalURL()))
	}
	v := page.View{Path: "/", ElderMode: c.Cookies(elderCookie) == "1", NoIndex: true}
	var b bytes.Buffer
	if err := p.Renderer.RenderError(&b, v, f.Status, f.Detail, f.TraceID); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(f.Status).Send(b.Bytes())
}

// Register adds what every portal has: its files and the switch of 长者模式.
func (p *Pages) Register(s *Server) {
	s.Files("/assets/"+page.AssetHash()+"/", page.Assets, true)
	s.Page("GET", "/elder", access.Public("切换长者模式"), func(c *fiber.Ctx) error {
		on := "0"
		if c.Query("on") == "1" {
			on = "1"
		}
		c.Cookie(&fiber.Cookie{Name: elderCookie, Value: on, Path: "/", MaxAge: 365 * 86400, SameSite: "Lax", HTTPOnly: true})
		return c.Redirect(LocalPath(c.Query("return"), "/"))
	})
}

// LocalPath returns target when it is a path of this site and fallback otherwise, so that nobody is sent elsewhere.
func LocalPath(target, fallback string) string {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(target, "/") ||
		strings.HasPrefix(target, "//") || strings.ContainsAny(target, "\\\r\n\t") {
		return fallback
	}
	return target
}

// FormErrors turns the failure of a submitted form into the lines shown at its top and a finder for each field. It
// returns the error itself when it is none that the form can show.
func FormErrors(err error) (page.ErrorSummary, func(field string) string, error) {
	f, ok := fault.As(err)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.NotFound || f.Kind == fault.Unauthorized {
		return page.ErrorSummary{}, nil, err
	}
	fields := f.Fields
	if len(fields) == 0 {
		fields = []fault.Field{{Message: f.Message}}
	}
	var sum page.ErrorSummary
	byName := map[string]string{}
	for _, e := range fields {
		sum.Items = append(sum.Items, page.FieldError{Field: e.Name, Message: e.Message})
		byName[e.Name] = e.Message
	}
	return sum, func(field string) string { return byName[field] }, nil
}
