package ticket

import (
	"bytes"
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

// Portal shows the requester's side of the desk on the portal, complete without a script.
type Portal struct {
	Service  *Service
	Renderer *page.Renderer
	// View fills in what the layout needs about this request: who is signed in, the CSRF token, the path.
	View func(c *fiber.Ctx, title string) page.View
}

// Register adds the templates and the pages: /tickets, /tickets/new and /tickets/:id.
func (p *Portal) Register(srv *web.Server) error {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("ticket", files); err != nil {
		return err
	}
	mine := access.Only(access.Enterprise)
	srv.Page("GET", "/tickets", mine, p.list)
	srv.Page("GET", "/tickets/new", mine, p.form)
	srv.Page("POST", "/tickets/new", mine, p.open)
	srv.Page("GET", "/tickets/:id", mine, p.detail)
	srv.Page("POST", "/tickets/:id/rate", mine, p.rate)
	return nil
}

type listPage struct {
	Cards []page.ItemCard
	Empty page.Empty
	Pager page.Pager
}

func (p *Portal) list(c *fiber.Ctx) error {
	ctx := c.UserContext()
	items, next, err := p.Service.List(ctx, access.From(ctx), ListFilter{Cursor: c.Query("cursor")})
	if err != nil {
		return err
	}
	data := listPage{Empty: page.Empty{
		Title: "还没有提过诉求", Text: "经营中遇到困难、想咨询政策或反映问题，都可以在这里提出。", Action: page.Link{Text: "提诉求", URL: "/tickets/new"},
	}}
	for _, i := range items {
		data.Cards = append(data.Cards, page.ItemCard{
			URL: address(i.ID), Title: i.Title, Status: tagOf(i.Status), Meta: []string{i.Number, i.TypeName, page.DateTime(i.CreatedAt) + "提交"},
		})
	}
	first, further := "", ""
	if c.Query("cursor") != "" {
		first = "/tickets"
	}
	if next != "" {
		further = "/tickets?cursor=" + next
	}
	data.Pager = page.NewCursorPager(first, further)
	return p.render(c, fiber.StatusOK, "ticket/list", "我的诉求", data)
}

type formPage struct {
	Errors  page.ErrorSummary
	Type    page.Field
	Title   page.Field
	Body    page.Field
	Contact page.Field
	Phone   page.Field
	Key     string
}

func (p *Portal) form(c *fiber.Ctx) error {
	return p.showForm(c, fiber.StatusOK, OpenTicket{Key: secret.Token()}, nil)
}

// showForm shows the form with what was typed and, after a refusal, what is wrong with it.
func (p *Portal) showForm(c *fiber.Ctx, status int, cmd OpenTicket, refused *fault.Fault) error {
	ctx := c.UserContext()
	types, err := p.Service.Types(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	data := formPage{
		Key:  cmd.Key,
		Type: page.Field{Name: "type", Label: "诉求类型", Required: true},
		Title: page.Field{
			Name: "title", Label: "标题", Value: cmd.Title, Required: true, MaxLength: maxTitle, Hint: "一句话说明您的诉求",
		},
		Body: page.Field{
			Name: "body", Label: "具体情况", Value: cmd.Body, Required: true, MaxLength: maxBody, Rows: 8, Hint: "时间、地点、经过，以及希望得到的帮助",
		},
		Contact: page.Field{Name: "contactName", Label: "联系人", Value: cmd.ContactName, MaxLength: maxName, Autocomplete: "name", Hint: "不填则为账号姓名"},
		Phone: page.Field{
			Name: "phone", Label: "联系电话", Value: cmd.Phone, Type: "tel", InputMode: "tel", MaxLength: 20, Autocomplete: "tel", Hint: "不填则为账号手机号",
		},
	}
	for _, t := range types {
		data.Type.Options = append(data.Type.Options, page.Option{Value: t.Code, Text: t.Name, Chosen: t.Code == cmd.Type})
	}
	if refused != nil {
		for _, field := range []*page.Field{&data.Type, &data.Title, &data.Body, &data.Contact, &data.Phone} {
			for _, f := range refused.Fields {
				if f.Name == field.Name {
					field.Error = f.Message
					data.Errors.Items = append(data.Errors.Items, page.FieldError{Field: f.Name, Message: f.Message})
				}
			}
		}
		if len(data.Errors.Items) == 0 {
			data.Errors.Items = []page.FieldError{{Message: refused.Message}}
		}
	}
	return p.render(c, status, "ticket/form", "提诉求", data)
}

func (p *Portal) open(c *fiber.Ctx) error {
	ctx := c.UserContext()
	cmd := OpenTicket{
		Key: c.FormValue("key"), Type: c.FormValue("type"), Title: c.FormValue("title"), Body: c.FormValue("body"),
		ContactName: c.FormValue("contactName"), Phone: c.FormValue("phone"), Source: FromPortal,
	}
	if len(cmd.Key) < 16 || len(cmd.Key) > 64 {
		cmd.Key = secret.Token()
	}
	v, err := p.Service.Open(ctx, access.From(ctx), cmd)
	if refused, ok := fault.As(err); ok && refused.Kind == fault.Invalid {
		return p.showForm(c, fiber.StatusUnprocessableEntity, cmd, refused)
	}
	if err != nil {
		return err
	}
	return c.Redirect(address(v.ID), fiber.StatusSeeOther)
}

type detailPage struct {
	Ticket   View
	Status   page.Tag
	Facts    page.Facts
	Timeline page.Timeline
	Files    page.FileList
	MayRate  bool
	Rate     page.Field
	Opinion  page.Field
	Key      string
	Rated    string
}

func (p *Portal) detail(c *fiber.Ctx) error {
	ctx := c.UserContext()
	id, err := pathID(c)
	if err != nil {
		return err
	}
	v, err := p.Service.Get(ctx, access.From(ctx), id)
	if err != nil {
		return err
	}
	return p.showDetail(c, fiber.StatusOK, v, nil)
}

func (p *Portal) showDetail(c *fiber.Ctx, status int, v View, refused *fault.Fault) error {
	data := detailPage{
		Ticket: v, Status: tagOf(v.Status), Key: secret.Token(), Timeline: page.Timeline{Steps: stepsOf(v)},
		Facts: page.Facts{Caption: "诉求信息", Items: []page.Fact{
			{Label: "编号", Value: v.Number}, {Label: "诉求类型", Value: v.TypeName}, {Label: "具体情况", Value: v.Body},
			{Label: "联系人", Value: v.RequesterName + " " + v.Phone}, {Label: "提交时间", Value: page.DateTime(v.CreatedAt)},
			{Label: "答复时限", Value: page.DateTime(v.DueAt)},
		}},
		Rate:    page.Field{Name: "rating", Label: "满意程度", Required: true},
		Opinion: page.Field{Name: "opinion", Label: "想补充的话（选填）", MaxLength: maxNote, Rows: 3},
	}
	if v.UnitName != "" {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: "承办单位", Value: v.UnitName})
	}
	told := map[int64]bool{}
	for _, s := range v.Timeline {
		for _, id := range s.FileIDs {
			told[id] = true
		}
	}
	for _, f := range v.Files {
		if !told[f.ID] {
			data.Files.Files = append(data.Files.Files, page.File{Name: f.Name, URL: f.URL, Size: f.Size})
		}
	}
	data.Files.Title = "附件"
	for _, a := range v.Actions {
		data.MayRate = data.MayRate || a == ToRate
	}
	for n := 5; n >= 1; n-- {
		data.Rate.Options = append(data.Rate.Options, page.Option{Value: strconv.Itoa(n), Text: ratings[n]})
	}
	if v.Rating > 0 && v.Rating < len(ratings) {
		data.Rated = ratings[v.Rating]
	}
	if refused != nil {
		data.Rate.Error = refused.Message
	}
	return p.render(c, status, "ticket/detail", v.Title, data)
}

// ratings are the words of one to five stars.
var ratings = [...]string{"", "很不满意", "不满意", "基本满意", "满意", "非常满意"}

// stepsOf tells the course, newest first.
func stepsOf(v View) []page.Step {
	files := map[int64]FileView{}
	for _, f := range v.Files {
		files[f.ID] = f
	}
	var out []page.Step
	for i := len(v.Timeline) - 1; i >= 0; i-- {
		s := v.Timeline[i]
		step := page.Step{Title: s.Label, Who: s.Actor, When: s.At, Text: s.Text, State: page.StepDone}
		if i == len(v.Timeline)-1 && v.ClosedAt == nil {
			step.State = page.StepCurrent
		}
		for _, id := range s.FileIDs {
			if f, ok := files[id]; ok {
				step.Files = append(step.Files, page.File{Name: f.Name, URL: f.URL, Size: f.Size})
			}
		}
		out = append(out, step)
	}
	return out
}

func (p *Portal) rate(c *fiber.Ctx) error {
	ctx := c.UserContext()
	id, err := pathID(c)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64) // a broken one is a stale one
	stars, _ := strconv.Atoi(c.FormValue("rating"))                // a broken one is out of range
	cmd := RateTicket{Ref: Ref{ID: id, Version: version, Key: c.FormValue("key")}, Rating: stars, Opinion: c.FormValue("opinion")}
	if len(cmd.Key) > 64 {
		return fault.InvalidField("key", "KEY_TOO_LONG", "页面已过期，请刷新后重新提交")
	}
	_, err = p.Service.Rate(ctx, access.From(ctx), cmd)
	if refused, ok := fault.As(err); ok && (refused.Kind == fault.Invalid || refused.Kind == fault.Conflict) {
		v, err := p.Service.Get(ctx, access.From(ctx), id)
		if err != nil {
			return err
		}
		return p.showDetail(c, fiber.StatusUnprocessableEntity, v, refused)
	}
	if err != nil {
		return err
	}
	return c.Redirect(address(id), fiber.StatusSeeOther)
}

func (p *Portal) render(c *fiber.Ctx, status int, name, title string, data any) error {
	view := p.View(c, title)
	view.NoIndex = true
	view.ActiveMe = "tickets"
	view.Breadcrumb = []page.Crumb{{Text: "我的诉求"}}
	if name != "ticket/list" {
		view.Breadcrumb = []page.Crumb{{Text: "我的诉求", URL: "/tickets"}, {Text: title}}
	}
	var out bytes.Buffer
	if err := p.Renderer.Render(&out, name, view, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Status(status).Type("html", "utf-8")
	return c.Send(out.Bytes())
}

func pathID(c *fiber.Ctx) (int64, error) {
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return 0, ErrNotFound
	}
	return id, nil
}

func address(id int64) string { return "/tickets/" + strconv.FormatInt(id, 10) }

// tagOf shows the state in the look of the portal.
func tagOf(s Status) page.Tag {
	tag := page.Tag{Text: s.Label(), Tone: page.Info, Icon: "clock"}
	switch s {
	case Direct, Done:
		tag.Tone, tag.Icon = page.Success, ""
	case Refused, Void:
		tag.Tone, tag.Icon = page.Neutral, ""
	}
	return tag
}
