package conversation

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

type notePart struct {
	ID                     int64
	By, Words, When, State string
	Files                  page.FileList
	Withdrawn              bool
	Withdraw               string
}

type threadPage struct {
	Number, Title, With, Older, Action, Back, Key string
	Notes                                         []notePart
	Writes                                        bool
	Errors                                        page.ErrorSummary
	Words, Upload, Meant                          page.Field
}

// Pages adds the company's side of a thread to the portal.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("conversation", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	for object, path := range s.Paths {
		srv.Page("GET", path+"/:id<int>/messages", who, func(c *fiber.Ctx) error { return s.threadPage(c, p, object, path, nil) })
		srv.Page("POST", path+"/:id<int>/messages", who, func(c *fiber.Ctx) error { return s.take(c, p, object, path) })
		srv.Page("POST", path+"/:id<int>/messages/withdraw", who, func(c *fiber.Ctx) error {
			ctx := c.UserContext()
			id, _ := strconv.ParseInt(c.FormValue("note"), 10, 64)
			if err := s.Withdraw(ctx, access.From(ctx), id); err != nil {
				return err
			}
			return c.Redirect(fmt.Sprintf("%s/%d/messages", path, idOf(c)), fiber.StatusSeeOther)
		})
	}
	return nil
}

func idOf(c *fiber.Ctx) int64 {
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64) // the route takes digits only; too many of them are no id
	return id
}

func (s *Service) take(c *fiber.Ctx, p *web.Pages, object, path string) error {
	ctx := c.UserContext()
	actor, id := access.From(ctx), idOf(c)
	// Nothing is kept for somebody who may not see the case.
	if _, err := s.caseOf(ctx, s.DB.Read(), actor, object, id); err != nil {
		return err
	}
	cmd := Send{Object: object, ID: id, Words: c.FormValue("words"), Meant: c.FormValue("meant") != "", Key: c.FormValue("key")}
	if form, err := c.MultipartForm(); err == nil {
		for _, h := range form.File["files"] {
			if h.Filename == "" {
				continue // no file was chosen
			}
			content, err := h.Open()
			if err != nil {
				return err
			}
			v, err := s.Files.Save(ctx, actor, h.Filename, content)
			_ = content.Close()
			if f, ok := fault.As(err); ok {
				return s.threadPage(c, p, object, path, fault.InvalidField("files", f.Code, "“"+h.Filename+"”没有上传："+f.Message))
			} else if err != nil {
				return err
			}
			cmd.FileIDs = append(cmd.FileIDs, v.ID)
		}
	}
	if err := s.Send(ctx, actor, cmd); err != nil {
		return s.threadPage(c, p, object, path, err)
	}
	return c.Redirect(fmt.Sprintf("%s/%d/messages", path, id), fiber.StatusSeeOther)
}

func (s *Service) threadPage(c *fiber.Ctx, p *web.Pages, object, path string, failure error) error {
	ctx := c.UserContext()
	actor, id := access.From(ctx), idOf(c)
	t, err := s.Of(ctx, actor, object, id, c.Query("before"))
	if err != nil {
		return err
	}
	if t.Unread > 0 && len(t.Notes) > 0 && c.Query("before") == "" {
		if err := s.MarkRead(ctx, actor, object, id, t.Notes[len(t.Notes)-1].ID); err != nil {
			return err
		}
	}
	v, err := p.View(c, "与机构沟通")
	if err != nil {
		return err
	}
	back := fmt.Sprintf("%s/%d", path, id)
	v.Active, v.ActiveMe, v.NoIndex = "applications", "applications", true
	v.Breadcrumb = []page.Crumb{{Text: "我的申请", URL: "/applications"}, {Text: t.Number, URL: back}, {Text: "与机构沟通"}}
	data := threadPage{Number: t.Number, Title: t.Title, With: t.With, Back: back, Action: back + "/messages", Key: secret.Token(), Writes: t.Writes}
	if t.NextCursor != "" {
		data.Older = data.Action + "?before=" + t.NextCursor
	}
	for _, n := range t.Notes {
		one := notePart{ID: n.ID, By: n.By, Words: n.Words, When: page.DateTime(n.At), Withdrawn: n.Withdrawn}
		if n.Own && !n.Withdrawn {
			one.State = map[bool]string{true: "机构已读", false: "机构未读"}[n.Read]
		}
		if n.Withdraws {
			one.Withdraw = data.Action + "/withdraw"
		}
		for _, f := range n.Files {
			one.Files.Files = append(one.Files.Files, page.Attachment(f.Name, f.URL, f.Size, f.State))
		}
		data.Notes = append(data.Notes, one)
	}
	status := fiber.StatusOK
	wrong := func(string) string { return "" }
	if failure != nil {
		if data.Errors, wrong, err = web.FormErrors(failure); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
		if errors.Is(failure, ErrNumbers) {
			data.Meant = page.Field{Name: "meant", Label: "内容中的号码确需发送"}
		}
	}
	data.Words = page.Field{Name: "words", Label: "消息", Hint: "请勿发送身份证号等个人信息", Value: c.FormValue("words"), MaxLength: maxWords, Rows: 3, Error: wrong("words")}
	data.Upload = page.Field{Name: "files", Label: "附件", Hint: "支持 jpg、png、pdf、docx、xlsx，可多选，最多 9 个", Accept: ".jpg,.jpeg,.png,.pdf,.docx,.xlsx", Multiple: true, Error: wrong("files")}
	return p.Render(c, status, "conversation/thread", v, data)
}

// Panel is the thread on the company's page of a case.
func (s *Service) Panel(object, path string) func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error) {
	return func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error) {
		t, err := s.Of(ctx, actor, object, id, "")
		if err != nil || t.Closed && t.Count == 0 {
			return page.Panel{}, err
		}
		out := page.Panel{Title: "与机构沟通", Text: "还没有消息。", Links: []page.Link{{Text: "发消息", URL: fmt.Sprintf("%s/%d/messages", path, id)}}}
		if t.Count > 0 {
			out.Text, out.Links[0].Text = fmt.Sprintf("共 %d 条消息。", t.Count), "查看消息"
		}
		if t.Unread > 0 {
			out.Tag, out.Act = page.Tag{Text: fmt.Sprintf("%d 条未读", t.Unread), Tone: page.Warning}, true
		}
		return out, nil
	}
}
