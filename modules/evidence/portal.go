package evidence

import (
	"context"
	"embed"
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

const acceptFiles = ".jpg,.jpeg,.png,.pdf,.docx,.xlsx"

type itemPart struct{ Name, State, Hint string }

type piecePart struct {
	ID                        int64
	Name, By, When, Who, Note string
	File                      page.File
	Remove                    string
}

type formPart struct {
	Action, Key string
	Errors      page.ErrorSummary
	Item        page.Field
	Files       page.Field
	Note        page.Field
	Shared      page.Field
}

type evidencePage struct {
	Number, Title, Record, Closed string
	Back                          page.Link
	Missing                       int
	Items                         []itemPart
	Pieces                        []piecePart
	Form                          *formPart
}

type recordPage struct {
	Number, Title, Made string
	Sections            []Section
}

// Pages adds the pages of the portal: the company's evidence, and the record that everybody who sees the case prints.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("evidence", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	all := access.Only(access.Enterprise, access.Institution, access.Platform, access.Government)
	for object, place := range s.Places {
		path := place.Path
		srv.Page("GET", path+"/:id<int>/evidence", who, func(c *fiber.Ctx) error { return s.evidencePage(c, p, object, nil) })
		srv.Page("POST", path+"/:id<int>/evidence", who, func(c *fiber.Ctx) error { return s.take(c, p, object) })
		srv.Page("POST", path+"/:id<int>/evidence/remove", who, func(c *fiber.Ctx) error {
			ctx := c.UserContext()
			piece, _ := strconv.ParseInt(c.FormValue("piece"), 10, 64)
			if err := s.Remove(ctx, access.From(ctx), piece); err != nil {
				return err
			}
			return c.Redirect(fmt.Sprintf("%s/%d/evidence?done=removed", path, idOf(c)), fiber.StatusSeeOther)
		})
		srv.Page("GET", path+"/:id<int>/record", all, func(c *fiber.Ctx) error {
			ctx := c.UserContext()
			of, sections, err := s.Record(ctx, access.From(ctx), object, idOf(c))
			if err != nil {
				return err
			}
			v, err := p.View(c, "服务记录单 "+of.Number)
			if err != nil {
				return err
			}
			v.NoIndex = true
			return p.Render(c, fiber.StatusOK, "evidence/record", v, recordPage{of.Number, of.Title, page.DateTime(s.Clock.Now()), sections})
		})
	}
	return nil
}

func idOf(c *fiber.Ctx) int64 {
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64) // the route takes digits only; too many of them are no id
	return id
}

// received keeps the files that came with the form. The first that cannot be kept is told; the others are.
func (s *Service) received(c *fiber.Ctx) ([]int64, error) {
	form, err := c.MultipartForm()
	if err != nil {
		return nil, nil // a form without files
	}
	var list []int64
	var failure error
	for _, h := range form.File["files"] {
		if h.Filename == "" {
			continue // no file was chosen
		}
		content, err := h.Open()
		if err != nil {
			return list, err
		}
		v, err := s.Files.Save(c.UserContext(), access.From(c.UserContext()), h.Filename, content)
		_ = content.Close()
		if f, ok := fault.As(err); ok {
			failure = fault.InvalidField("files", f.Code, "“"+h.Filename+"”没有上传："+f.Message)
			continue
		} else if err != nil {
			return list, err
		}
		list = append(list, v.ID)
	}
	return list, failure
}

func (s *Service) take(c *fiber.Ctx, p *web.Pages, object string) error {
	ctx := c.UserContext()
	actor, id := access.From(ctx), idOf(c)
	// Nothing is kept for somebody who may not see the case.
	if _, err := s.caseOf(ctx, s.DB.Read(), actor, object, id); err != nil {
		return err
	}
	files, err := s.received(c)
	if err != nil {
		return s.evidencePage(c, p, object, err)
	}
	err = s.Add(ctx, actor, Add{Object: object, ID: id, Item: c.FormValue("item"), FileIDs: files, Note: c.FormValue("note"), Shared: c.FormValue("shared") == "yes", Key: c.FormValue("key")})
	if err != nil {
		return s.evidencePage(c, p, object, err)
	}
	return c.Redirect(fmt.Sprintf("%s/%d/evidence?done=added", s.Places[object].Path, id), fiber.StatusSeeOther)
}

func (it ItemView) state() string {
	switch {
	case it.Missing:
		return fmt.Sprintf("缺少，须上传 %d 份%s，由%s上传", it.Min, fileKinds[it.Files], it.Side.Label())
	case it.Given == 0:
		return "选交，由" + it.Side.Label() + "上传"
	}
	return fmt.Sprintf("已上传 %d 份", it.Given)
}

func (s *Service) evidencePage(c *fiber.Ctx, p *web.Pages, object string, failure error) error {
	ctx := c.UserContext()
	id := idOf(c)
	found, err := s.Of(ctx, access.From(ctx), object, id)
	if err != nil {
		return err
	}
	v, err := p.View(c, "服务佐证")
	if err != nil {
		return err
	}
	place := s.Places[object]
	base := fmt.Sprintf("%s/%d", place.Path, id)
	v.Active, v.ActiveMe, v.NoIndex = "my", place.Active, true
	v.Breadcrumb = []page.Crumb{{Text: place.List, URL: place.Path}, {Text: found.Number, URL: place.of(id)}, {Text: "服务佐证"}}
	if text := map[string]string{"added": "佐证已上传", "removed": "文件已移除"}[c.Query("done")]; text != "" && failure == nil {
		v.Flash = page.Flash{Tone: page.Success, Text: text}
	}
	data := evidencePage{Number: found.Number, Title: found.Title, Back: page.Link{Text: place.Back, URL: place.of(id)}, Record: base + "/record", Missing: found.Missing, Closed: found.Closed}
	for _, it := range found.Items {
		data.Items = append(data.Items, itemPart{it.Name, it.state(), it.Hint})
	}
	for _, x := range found.Pieces {
		one := piecePart{ID: x.ID, Name: x.Name, By: x.Side.Label() + "：" + x.By, When: page.DateTime(x.At), Who: "双方可见", Note: x.Note, File: page.Attachment(x.File.Name, x.File.URL, x.File.Size, x.File.State)}
		if !x.Shared {
			one.Who = "仅本方和政府、平台可见"
		}
		if x.Removes {
			one.Remove = base + "/evidence/remove"
		}
		data.Pieces = append(data.Pieces, one)
	}
	status := fiber.StatusOK
	wrong := func(string) string { return "" }
	if found.Side != "" {
		f := &formPart{Action: base + "/evidence", Key: secret.Token()}
		if failure != nil {
			if f.Errors, wrong, err = web.FormErrors(failure); err != nil {
				return err
			}
			status = fiber.StatusUnprocessableEntity
		}
		f.Item = page.Field{Name: "item", Label: "佐证种类", Error: wrong("item"), Options: []page.Option{{Value: "", Text: "其他"}}}
		for _, it := range found.Items {
			if it.Side == found.Side {
				f.Item.Options = append(f.Item.Options, page.Option{Value: it.Code, Text: it.Name, Chosen: it.Code == c.FormValue("item")})
			}
		}
		f.Files = page.Field{Name: "files", Label: "文件", Hint: "支持 jpg、png、pdf、docx、xlsx，可多选，最多 9 个，每个不超过 20 MB", Accept: acceptFiles, Multiple: true, Required: true, Error: wrong("files")}
		f.Note = page.Field{Name: "note", Label: "说明", Value: c.FormValue("note"), MaxLength: 200, Error: wrong("note")}
		shared := c.FormValue("shared") != "no"
		f.Shared = page.Field{Name: "shared", Label: "谁能看到", Options: []page.Option{{Value: "yes", Text: "双方", Chosen: shared}, {Value: "no", Text: "仅本企业和政府、平台", Chosen: !shared}}}
		data.Form = f
	} else if failure != nil {
		return failure
	}
	return p.Render(c, status, "evidence/evidence", v, data)
}

// Panel is the evidence on the company's page of a case.
func (s *Service) Panel(object, path string) func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error) {
	return func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error) {
		v, err := s.Of(ctx, actor, object, id)
		if err != nil {
			return page.Panel{}, err
		}
		base := fmt.Sprintf("%s/%d", path, id)
		links := []page.Link{{Text: "查看佐证", URL: base + "/evidence"}, {Text: "服务记录单", URL: base + "/record"}}
		if v.Side != "" {
			links[0].Text = "查看和上传佐证"
		} else if len(v.Pieces) == 0 {
			links = links[1:]
		}
		text := fmt.Sprintf("双方已上传 %d 个文件。", len(v.Pieces))
		if v.Missing > 0 && len(v.Pieces) > 0 {
			text += fmt.Sprintf("还缺少 %d 项必需的佐证。", v.Missing)
		}
		return page.Panel{Title: "服务佐证", Text: text, Links: links}, nil
	}
}
