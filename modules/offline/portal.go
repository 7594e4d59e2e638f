package offline

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/onelink"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

type answerPart struct {
	Action, CSRF string
	Errors       page.ErrorSummary
	Words        page.Field
}

type linkPage struct {
	Facts page.Facts
	Form  answerPart
	Done  bool
	Over  string
}

type itemPart struct {
	Title  string
	Status page.Tag
	Facts  page.Facts
	Links  []page.Link
	Form   *answerPart
}

type listPage struct {
	Items []itemPart
	Empty page.Empty
	Pager page.Pager
}

var tones = map[State]page.Tone{Waiting: page.Warning, Confirmed: page.Success, Denied: page.Danger, Cancelled: page.Neutral}

// Pages adds the page of the link in a text message, and the company's list.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("offline", sub); err != nil {
		return err
	}
	open := access.Public("没有登录的企业人员凭短信中的一次性链接确认线下服务")
	srv.Page("GET", "/o/:token", open, func(c *fiber.Ctx) error { return s.linkPage(c, p, nil) })
	srv.Page("POST", "/o/:token", open, func(c *fiber.Ctx) error {
		err := s.AnswerByLink(c.UserContext(), access.From(c.UserContext()), c.Params("token"), Answer{c.FormValue("yes") == "1", c.FormValue("words")})
		if err != nil {
			return s.linkPage(c, p, err)
		}
		return c.Redirect("/o/"+c.Params("token")+"?done=1", fiber.StatusSeeOther)
	})
	who := access.Only(access.Enterprise)
	srv.Page("GET", "/offline-services", who, func(c *fiber.Ctx) error { return s.listPage(c, p, 0, nil) })
	srv.Page("POST", "/offline-services/:id<int>/answer", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, _ := strconv.ParseInt(c.Params("id"), 10, 64) // the route takes digits only; too many of them are no id
		if _, err := s.Answer(ctx, access.From(ctx), id, Answer{c.FormValue("yes") == "1", c.FormValue("words")}); err != nil {
			return s.listPage(c, p, id, err)
		}
		return c.Redirect("/offline-services?done=1", fiber.StatusSeeOther)
	})
	return nil
}

func factsOf(v View) page.Facts {
	f := page.Facts{Caption: "服务信息", Items: []page.Fact{{Label: "登记编号", Value: v.Number}, {Label: "企业", Value: v.EnterpriseName}, {Label: "服务机构", Value: v.InstitutionName},
		{Label: "服务", Value: v.ProductName}, {Label: "服务日期", Value: v.Day}, {Label: "地点", Value: v.Place}, {Label: "参加人员", Value: v.Persons}, {Label: "服务内容", Value: v.Content}}}
	if v.Words != "" {
		f.Items = append(f.Items, page.Fact{Label: "说明", Value: v.Words})
	}
	return f
}

func answerOf(c *fiber.Ctx, action string, failure error) (answerPart, error) {
	f := answerPart{Action: action, CSRF: web.CSRF(c.UserContext())}
	wrong := func(string) string { return "" }
	if failure != nil {
		var err error
		if f.Errors, wrong, err = web.FormErrors(failure); err != nil {
			return f, err
		}
	}
	f.Words = page.Field{Name: "words", Label: "情况说明", Hint: "不属实时请写明，例如“不是本企业”", Value: c.FormValue("words"), MaxLength: 200, Error: wrong("words")}
	return f, nil
}

func (s *Service) linkPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	v, err := p.View(c, "确认线下服务")
	if err != nil {
		return err
	}
	v.NoIndex, v.Breadcrumb = true, []page.Crumb{{Text: "确认线下服务"}}
	c.Set("Referrer-Policy", "no-referrer")
	c.Set("Cache-Control", "no-store")
	var data linkPage
	status, shown := fiber.StatusOK, failure
	if failure != nil && fault.KindOf(failure) == fault.Invalid {
		status, shown = fiber.StatusUnprocessableEntity, nil
	}
	var found View
	if shown == nil {
		found, shown = s.AtLink(ctx, access.From(ctx), c.Params("token"))
	}
	if shown != nil {
		f, ok := fault.As(shown)
		if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			return shown
		}
		data.Done, data.Over = errors.Is(shown, onelink.ErrUsed) && c.Query("done") != "", f.Message
		switch {
		case data.Done:
		case f.Kind == fault.NotFound:
			status = fiber.StatusNotFound
		case f.Kind == fault.TooMany:
			status = fiber.StatusTooManyRequests
		default:
			status = fiber.StatusGone
		}
		return p.Render(c, status, "offline/link", v, data)
	}
	data.Facts = factsOf(found)
	if data.Form, err = answerOf(c, "/o/"+c.Params("token"), failure); err != nil {
		return err
	}
	return p.Render(c, status, "offline/link", v, data)
}

func (s *Service) listPage(c *fiber.Ctx, p *web.Pages, failed int64, failure error) error {
	ctx := c.UserContext()
	items, next, err := s.List(ctx, access.From(ctx), Filter{Cursor: c.Query("cursor"), Limit: 10})
	if err != nil {
		return err
	}
	v, err := p.View(c, "线下服务")
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex, v.Breadcrumb = "my", "offline", true, []page.Crumb{{Text: "线下服务"}}
	if c.Query("done") != "" && failure == nil {
		v.Flash = page.Flash{Tone: page.Success, Text: "已收到您的答复"}
	}
	data := listPage{Empty: page.Empty{Title: "没有线下服务登记", Text: "机构或平台登记了贵企业在线下接受的服务后，会显示在这里，请核对确认。", Action: page.Link{Text: "查看服务产品", URL: "/products"}}}
	status, shown := fiber.StatusOK, false
	for _, x := range items {
		one := itemPart{Title: x.ProductName, Status: page.Tag{Text: x.State.Label(), Tone: tones[x.State]}, Facts: factsOf(x)}
		if x.State != Cancelled {
			base := fmt.Sprintf("/offline-services/%d", x.ID)
			one.Links = []page.Link{{Text: "服务佐证", URL: base + "/evidence"}, {Text: "服务记录单", URL: base + "/record"}}
		}
		if len(x.Actions) > 0 {
			var why error
			if x.ID == failed {
				why, shown, status = failure, true, fiber.StatusUnprocessableEntity
			}
			f, err := answerOf(c, fmt.Sprintf("/offline-services/%d/answer", x.ID), why)
			if err != nil {
				return err
			}
			one.Form = &f
		}
		data.Items = append(data.Items, one)
	}
	if failure != nil && !shown {
		return failure
	}
	first, following := "", ""
	if c.Query("cursor") != "" {
		first = "/offline-services"
	}
	if next != "" {
		following = "/offline-services?cursor=" + next
	}
	data.Pager = page.NewCursorPager(first, following)
	return p.Render(c, status, "offline/list", v, data)
}
