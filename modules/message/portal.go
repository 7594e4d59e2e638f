package message

import (
	"embed"
	"io/fs"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templateFiles embed.FS

type listPage struct {
	Items   []listItem
	Filters page.Filters
	Newest  int64 // upper end of 全部标为已读: what comes meanwhile stays unread
	Unread  bool  // something on this page is unread
	Empty   page.Empty
	Pager   page.Pager
}

// listItem is a message with the button that opens it: opening marks it as read, so it is a form and no link.
type listItem struct {
	ID     int64
	Title  string
	Text   string
	Label  string
	When   time.Time
	Unread bool
	Opens  bool
}

// Pages adds the portal's page of one's messages.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("message", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	srv.Page("GET", "/messages", who, func(c *fiber.Ctx) error { return s.listPage(c, p) })
	srv.Page("POST", "/messages/:id<int>/open", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, err := strconv.ParseInt(c.Params("id"), 10, 64)
		if err != nil {
			return fault.ErrNotFound
		}
		v, err := s.Read(ctx, access.From(ctx), id)
		if err != nil {
			return err
		}
		return c.Redirect(web.LocalPath(v.Link, "/messages"), fiber.StatusSeeOther)
	})
	srv.Page("POST", "/messages/read-all", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		newest, _ := strconv.ParseInt(c.FormValue("newest"), 10, 64)
		if _, err := s.ReadAll(ctx, access.From(ctx), newest); err != nil {
			return err
		}
		return c.Redirect("/messages?done=read", fiber.StatusSeeOther)
	})
	return nil
}

func (s *Service) listPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	unread := c.Query("unread") == "1"
	items, next, err := s.List(ctx, access.From(ctx), ListFilter{Unread: unread, Cursor: c.Query("cursor"), Limit: 20})
	if err != nil {
		return err
	}
	v, err := p.View(c, "我的消息")
	if err != nil {
		return err
	}
	v.ActiveMe, v.NoIndex, v.Breadcrumb = "messages", true, []page.Crumb{{Text: "我的消息"}}
	if c.Query("done") == "read" {
		v.Flash = page.Flash{Tone: page.Success, Text: "消息已全部标为已读"}
	}
	data := listPage{
		Filters: page.Filters{Groups: []page.FilterGroup{{Label: "显示", Options: []page.Link{
			{Text: "全部", URL: "/messages", Current: !unread}, {Text: "未读", URL: "/messages?unread=1", Current: unread}}}}},
		Empty: page.Empty{Title: "还没有消息", Text: "您的诉求、申请和企业认证有进展时，会在这里通知您。"},
	}
	if unread {
		data.Empty = page.Empty{Title: "没有未读消息", Text: "消息都看过了。", Action: page.Link{Text: "查看全部消息", URL: "/messages"}}
	}
	for i, m := range items {
		if i == 0 && c.Query("cursor") == "" {
			data.Newest = m.ID
		}
		data.Unread = data.Unread || m.ReadAt == nil
		data.Items = append(data.Items, listItem{ID: m.ID, Title: m.Title, Text: m.Text, Label: m.Group.Label(), When: m.CreatedAt,
			Unread: m.ReadAt == nil, Opens: m.Link != ""})
	}
	here := "/messages?"
	if unread {
		here += "unread=1&"
	}
	first, following := "", ""
	if c.Query("cursor") != "" {
		first = here[:len(here)-1]
	}
	if next != "" {
		following = here + "cursor=" + next
	}
	data.Pager = page.NewCursorPager(first, following)
	return p.Render(c, fiber.StatusOK, "message/list", v, data)
}
