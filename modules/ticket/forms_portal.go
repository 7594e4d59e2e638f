package ticket

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// choosePage is the first step of the form: what the request is about. The second step shows the fields of the type.
type choosePage struct {
	Hint   *Hint
	Errors page.ErrorSummary
	Type   page.Field
}

type formPage struct {
	Key      string // one per opening of the form: a double click opens one ticket
	Errors   page.ErrorSummary
	Type     string
	TypeName string
	Title    page.Field
	Body     page.Field
	Area     *page.Field // the streets and towns; nil when none are known
	Files    page.Field
	Fields   []page.Field // each with its template's kind in Type
	Alike    []page.ItemCard
	Hint     *Hint
}

// portalField is a field of a form with what was typed into it.
func portalField(f FormField, typed []string, wrong string) page.Field {
	out := f.Input(typed, wrong)
	if f.Personal && f.Kind != PhoneField {
		out.Hint = strings.TrimSpace(out.Hint + " 属于个人信息，加密保存，仅受理坐席可见")
	}
	return out
}

// typedFields are the own fields of the posted form, by their keys.
func typedFields(c *fiber.Ctx) map[string][]string {
	out := map[string][]string{}
	for key, values := range formValues(c) {
		if name, ok := strings.CutPrefix(key, "fields."); ok {
			out[name] = values
		}
	}
	return out
}

// postForm opens the ticket, or shows the form again: with what is wrong, or with open requests of the same person that are
// alike, once.
func (s *Service) postForm(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	cmd := OpenTicket{Key: c.FormValue("key"), Type: c.FormValue("type"), Title: c.FormValue("title"), Body: c.FormValue("body"), Source: FromPortal, Fields: typedFields(c), Area: c.FormValue("area")}
	if c.FormValue("again") == "" {
		alike, err := s.Similar(ctx, actor, Typed{Type: cmd.Type, Title: cmd.Title, Body: cmd.Body})
		if err != nil {
			return err
		}
		// A repeat of this very form is answered by its key.
		used, err := idempotency.Used(ctx, s.db.Read(), actor, "ticket.open", cmd.Key)
		if err != nil {
			return err
		}
		if len(alike) > 0 && !used {
			return s.formPage(c, p, nil, alike)
		}
	}
	if _, _, err := draft(cmd, false); err != nil { // no file is kept of a form that will be shown again
		return s.formPage(c, p, err, nil)
	}
	var err error
	if cmd.FileIDs, cmd.Sent, err = s.sent(c); err != nil {
		return s.formPage(c, p, err, nil)
	}
	v, err := s.Open(ctx, actor, cmd)
	if err != nil {
		return s.formPage(c, p, err, nil)
	}
	return c.Redirect(fmt.Sprintf("/tickets/%d?done=opened", v.ID), fiber.StatusSeeOther)
}

// areaField is the choice of a street or town, which nobody has to make.
func (s *Service) areaField(c *fiber.Ctx, wrong string) (*page.Field, error) {
	areas, err := s.Areas(c.UserContext(), access.From(c.UserContext()))
	if err != nil || len(areas) == 0 {
		return nil, err
	}
	f := page.Field{Name: "area", Label: "街道乡镇", Hint: "事情发生在哪里；不清楚的不用选择", Error: wrong}
	for _, a := range areas {
		f.Options = append(f.Options, page.Option{Value: a.Code, Text: a.Name, Chosen: a.Code == c.FormValue("area")})
	}
	return &f, nil
}

func (s *Service) formPage(c *fiber.Ctx, p *web.Pages, failure error, alike []Alike) error {
	ctx := c.UserContext()
	types, err := s.Types(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	v, err := p.View(c, "提交诉求")
	if err != nil {
		return err
	}
	v.Active, v.NoIndex, v.Breadcrumb = "help", true, []page.Crumb{{Text: "我的诉求", URL: "/tickets"}, {Text: "提交诉求"}}
	status := fiber.StatusOK
	found := func(string) string { return "" }
	var sum page.ErrorSummary
	if failure != nil {
		if sum, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		status = fiber.StatusUnprocessableEntity
	}
	hint, err := s.hintAt(ctx, "open")
	if err != nil {
		return err
	}
	code := c.Query("type", c.FormValue("type"))
	at := slices.IndexFunc(types, func(t Type) bool { return t.Code == code })
	if at < 0 {
		data := choosePage{Hint: hint, Errors: sum, Type: page.Field{Name: "type", Label: "诉求类型", Hint: "选择最接近的一类，下一步填写具体内容", Required: true, Error: found("type")}}
		if data.Type.Error == "" && c.Context().QueryArgs().Has("type") {
			data.Type.Error = "请选择诉求类型"
			data.Errors.Items = []page.FieldError{{Field: "type", Message: data.Type.Error}}
			status = fiber.StatusUnprocessableEntity
		}
		for _, t := range types {
			data.Type.Options = append(data.Type.Options, page.Option{Value: t.Code, Text: t.Name})
		}
		return p.Render(c, status, "ticket/choose", v, data)
	}
	kind := types[at]
	data := formPage{Key: c.FormValue("key"), Hint: hint, Errors: sum, Type: kind.Code, TypeName: kind.Name}
	if data.Key == "" {
		data.Key = secret.Token()
	}
	data.Title = page.Field{Name: "title", Label: "标题", Hint: "一句话说明事项", Value: c.FormValue("title"), Required: true, MaxLength: maxTitle, Error: found("title")}
	data.Body = page.Field{Name: "body", Label: "具体情况", Hint: "时间、地点、涉及的单位和希望解决的问题", Value: c.FormValue("body"), Required: true,
		MaxLength: maxBody, Rows: 8, Error: found("body")}
	data.Files = filesField(c, found("files"))
	if data.Area, err = s.areaField(c, found("area")); err != nil {
		return err
	}
	typed := typedFields(c)
	for _, f := range kind.Fields {
		data.Fields = append(data.Fields, portalField(f, typed[f.Key], found("fields."+f.Key)))
	}
	for _, a := range alike {
		data.Alike = append(data.Alike, a.Card())
	}
	return p.Render(c, status, "ticket/new", v, data)
}
