package licence

import (
	"embed"
	"io/fs"
	"mime/multipart"
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

// home is where a company's papers are on the portal.
const home = "/company/licences"

// paperCard is one paper on the page.
type paperCard struct {
	View
	Tag    page.Tag
	Facts  page.Facts
	Images page.FileList
	Key    string // of the form that removes it
}

// shelfPage is all papers on one page, with the form to add one.
type shelfPage struct {
	Current []paperCard
	Past    []paperCard
	Empty   page.Empty
	Form    *paperForm
}

// paperForm adds a paper, or one in the place of another.
type paperForm struct {
	Title    string
	Key      string
	Replaces int64
	Version  int64
	Errors   page.ErrorSummary
	Fields   []page.Field
	Kind     page.Field
	Files    page.Field
}

// Pages adds the company's pages of the portal. They work without a script.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("licence", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	srv.Page("GET", home, who, func(c *fiber.Ctx) error { return s.shelfPage(c, p, nil) })
	srv.Page("POST", home, who, func(c *fiber.Ctx) error {
		if err := s.sendPaper(c); err != nil {
			return s.shelfPage(c, p, err)
		}
		return c.Redirect(home+"?done=kept", fiber.StatusSeeOther)
	})
	srv.Page("POST", home+"/:id<int>/remove", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
		version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
		if _, err := s.Remove(ctx, access.From(ctx), Remove{Key: c.FormValue("key"), ID: id, Version: version}); err != nil {
			return err
		}
		return c.Redirect(home+"?done=removed", fiber.StatusSeeOther)
	})
	return nil
}

var doneTexts = map[string]page.Flash{
	"kept":    {Tone: page.Success, Text: "证照已保存，以后办事可以直接选用"},
	"removed": {Tone: page.Success, Text: "证照已移除，此前办事中提交的仍然保留"},
}

// sendPaper keeps what the form sent.
func (s *Service) sendPaper(c *fiber.Ctx) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	if err := s.mine(ctx, s.DB.Read(), actor); err != nil {
		return err // before anything is stored
	}
	cmd := Keep{Key: c.FormValue("key"), Paper: Paper{Kind: c.FormValue("kind"), Number: c.FormValue("number"), Issuer: c.FormValue("issuer"),
		IssuedOn: c.FormValue("issuedOn"), ExpiresOn: c.FormValue("expiresOn")}}
	cmd.Replaces, _ = strconv.ParseInt(c.FormValue("replaces"), 10, 64)
	cmd.Version, _ = strconv.ParseInt(c.FormValue("version"), 10, 64)
	if form, err := c.MultipartForm(); err == nil {
		for _, h := range form.File["files"] {
			id, err := s.keepFile(c, actor, h)
			if err != nil {
				return onFiles(err)
			}
			if id != 0 {
				cmd.FileIDs = append(cmd.FileIDs, id)
			}
		}
	}
	_, err := s.Keep(ctx, actor, cmd)
	return err
}

// keepFile stores one upload; an input left empty is no file.
func (s *Service) keepFile(c *fiber.Ctx, actor access.Actor, h *multipart.FileHeader) (int64, error) {
	if h.Filename == "" && h.Size == 0 {
		return 0, nil
	}
	f, err := h.Open()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return s.Files.Keep(c.UserContext(), actor, h.Filename, f)
}

// onFiles shows what is wrong with an upload at the form's own input.
func onFiles(err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	at := *f
	at.Fields = nil
	return at.On("files")
}

func card(v View) paperCard {
	c := paperCard{View: v, Key: secret.Token(), Tag: page.Tag{Text: v.Word, Tone: map[string]page.Tone{"valid": page.Success, "soon": page.Warning, "expired": page.Danger}[v.Standing]}}
	c.Facts.Caption = v.KindName
	for _, f := range []page.Fact{{Label: "编号", Value: v.Number}, {Label: "发证机关", Value: v.Issuer}, {Label: "发证日期", Value: v.IssuedOn}, {Label: "有效期至", Value: v.ExpiresOn}} {
		if f.Value != "" {
			c.Facts.Items = append(c.Facts.Items, f)
		}
	}
	if v.ExpiresOn == "" {
		c.Facts.Items = append(c.Facts.Items, page.Fact{Label: "有效期至", Value: "长期"})
	}
	for _, f := range v.Files {
		c.Images.Files = append(c.Images.Files, page.Attachment(f.Name, f.URL, f.Size, f.State))
	}
	return c
}

// shelfPage shows the page; failure belongs to the form that was sent.
func (s *Service) shelfPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	shelf, err := s.Mine(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	v, err := p.View(c, "证照库")
	if err != nil {
		return err
	}
	v.ActiveMe, v.NoIndex, v.Flash = "company", true, doneTexts[c.Query("done")]
	v.Breadcrumb = []page.Crumb{{Text: "我的企业", URL: "/company"}, {Text: "证照库"}}
	status, found := fiber.StatusOK, func(string) string { return "" }
	var sum page.ErrorSummary
	if failure != nil {
		if sum, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		status, v.Path = fiber.StatusUnprocessableEntity, home
	}
	data := shelfPage{Empty: page.Empty{Title: "还没有证照", Text: "上传一次，以后认证、申请时可以直接选用，到期前会提醒。"}}
	replaces, _ := strconv.ParseInt(c.FormValue("replaces", c.Query("replace")), 10, 64)
	var old *View
	for i := range shelf.Items {
		x := shelf.Items[i]
		if x.State == Current {
			data.Current = append(data.Current, card(x))
			if x.ID == replaces {
				old = &shelf.Items[i]
			}
		} else {
			data.Past = append(data.Past, card(x))
		}
	}
	data.Form = formOf(c, shelf.Kinds, old, sum, found)
	return p.Render(c, status, "licence/shelf", v, data)
}

func formOf(c *fiber.Ctx, kinds []Kind, old *View, sum page.ErrorSummary, found func(string) string) *paperForm {
	f := &paperForm{Title: "添加证照", Key: secret.Token(), Errors: sum}
	kind, number, issuer := c.FormValue("kind"), c.FormValue("number"), c.FormValue("issuer")
	if k := c.FormValue("key"); k != "" && len(k) <= 64 {
		f.Key = k
	}
	if old != nil {
		f.Title, f.Replaces, f.Version = "更新"+old.KindName, old.ID, old.Version
		kind = old.Kind
		if number == "" {
			number, issuer = old.Number, old.Issuer
		}
	}
	f.Kind = page.Field{Name: "kind", Label: "证照种类", Required: true, Error: found("kind")}
	for _, k := range kinds {
		if old == nil || k.Code == old.Kind {
			f.Kind.Options = append(f.Kind.Options, page.Option{Value: k.Code, Text: k.Name, Chosen: k.Code == kind})
		}
	}
	f.Fields = []page.Field{
		{Name: "number", Label: "证照编号", Required: true, MaxLength: 60, Value: number, Error: found("number")},
		{Name: "issuer", Label: "发证机关", MaxLength: 100, Value: issuer, Error: found("issuer")},
		{Name: "issuedOn", Label: "发证日期", Type: "date", Value: c.FormValue("issuedOn"), Error: found("issuedOn")},
		{Name: "expiresOn", Label: "有效期至", Type: "date", Hint: "长期有效的不填", Value: c.FormValue("expiresOn"), Error: found("expiresOn")},
	}
	f.Files = page.Field{Name: "files", Label: "照片或扫描件", Hint: "jpg、png 或 pdf，每个不超过 10 MB，最多 9 个", Accept: ".jpg,.jpeg,.png,.pdf", Multiple: true, Required: true, Error: found("files")}
	return f
}
