package enterprise

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// namePage is the change of the company's name: how the last one went, the form, and the names it had.
type namePage struct {
	Name    string
	Why     string // why nothing may be asked now
	Outcome *outcomeBox
	Form    *renameForm
	Names   []nameRow
}

type renameForm struct {
	Key     string // one per opening of the form: a double click is one request
	Errors  page.ErrorSummary
	Name    page.Field
	Paper   *page.Field // nil where the company keeps no licence
	Licence page.Field
	Note    page.Field
}

type nameRow struct{ Name, When, How string }

// namingOf says on the company's page what may be done about its name; nil before it is verified.
func namingOf(m Mine) *namingBox {
	switch {
	case m.Verification != Verified:
		return nil
	case m.Renaming != nil && (m.Renaming.Outcome == Waiting || m.Renaming.Outcome == Asking):
		return &namingBox{Text: "名称变更为“" + m.Renaming.Name + "”正在办理：" + m.Renaming.Title + "。", Button: "查看办理情况"}
	case m.CanRename:
		return &namingBox{Text: "已在登记机关办理名称变更的，凭新的营业执照在这里更新企业名称。", Button: "办理名称变更"}
	case len(m.Names) > 0:
		return &namingBox{Text: "查看本企业的名称变更记录。", Button: "查看名称记录"}
	}
	return nil
}

// namePage shows the page; failure belongs to the form that was sent.
func (s *Service) namePage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	m, err := s.Mine(ctx, actor)
	if err != nil {
		return err
	}
	if failure != nil && !m.CanRename { // there is no form to show it at
		return failure
	}
	v, err := p.View(c, "企业名称变更")
	if err != nil {
		return err
	}
	v.ActiveMe, v.NoIndex, v.Breadcrumb = "company", true, []page.Crumb{{Text: "我的企业", URL: "/company"}, {Text: "企业名称变更"}}
	status := fiber.StatusOK
	if failure != nil {
		v.Path, status = "/company/name", fiber.StatusUnprocessableEntity
	}
	data := namePage{Name: m.Name}
	if m.Renaming != nil {
		data.Outcome = boxOf(m.Renaming)
		data.Outcome.When = showTime(m.Renaming.AskedAt) + " 申请由“" + m.Renaming.OldName + "”变更为“" + m.Renaming.Name + "”"
	}
	switch {
	case m.CanRename:
		if data.Form, err = s.renameFields(c, actor, failure); err != nil {
			return err
		}
	case m.Verification != Verified:
		data.Why = "企业通过认证后才需要办理名称变更。未认证的企业请直接按新名称认证。"
	case m.Role != Owner:
		data.Why = "名称变更须由企业负责人办理，请联系本企业负责人。"
	}
	for _, n := range m.Names {
		when := page.Date(n.From) + " 至今"
		if n.Until != nil {
			when = page.Date(n.From) + " 至 " + page.Date(*n.Until)
		}
		data.Names = append(data.Names, nameRow{n.Name, when, n.How})
	}
	return p.Render(c, status, "enterprise/name", v, data)
}

func (s *Service) renameFields(c *fiber.Ctx, actor access.Actor, failure error) (*renameForm, error) {
	f := &renameForm{Key: secret.Token()}
	problem := func(string) string { return "" }
	name, note := "", ""
	if failure != nil {
		var err error
		if f.Errors, problem, err = web.FormErrors(failure); err != nil {
			return nil, err
		}
		name, note = c.FormValue("name"), c.FormValue("note")
		if k := c.FormValue("key"); k != "" && len(k) <= 64 {
			f.Key = k
		}
	}
	f.Name = page.Field{Name: "name", Label: "变更后的企业名称", Hint: "与新的营业执照一致的全称", Value: name, Required: true, MaxLength: 100, Error: problem("name")}
	f.Licence = page.Field{Name: "licence", Label: "新的营业执照", Hint: "照片或扫描件，jpg、png 或 pdf，每个不超过 10 MB", Accept: ".jpg,.jpeg,.png,.pdf", Multiple: true, Error: problem("licence")}
	f.Note = page.Field{Name: "note", Label: "补充说明", Hint: "选填", Value: note, MaxLength: 500, Rows: 2, Error: problem("note")}
	var err error
	f.Paper, err = s.paperField(c, actor, "须是变更后的新执照；没有的请在下面上传")
	return f, err
}

// paperField offers the licences the company keeps, the one posted as chosen; nil where it keeps none.
func (s *Service) paperField(c *fiber.Ctx, actor access.Actor, hint string) (*page.Field, error) {
	if s.papers == nil {
		return nil, nil
	}
	papers, err := s.papers.Offered(c.UserContext(), actor)
	if err != nil || len(papers) == 0 {
		return nil, err
	}
	f := &page.Field{Name: "licenceId", Label: "从证照库选用", Hint: hint}
	chosen := c.FormValue("licenceId")
	for _, x := range papers {
		id := strconv.FormatInt(x.ID, 10)
		f.Options = append(f.Options, page.Option{Value: id, Text: x.Title, Chosen: id == chosen})
	}
	return f, nil
}

// sendRename asks for the change of name as the form says.
func (s *Service) sendRename(c *fiber.Ctx) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	cmd := Rename{Key: c.FormValue("key"), Name: c.FormValue("name"), Note: c.FormValue("note")}
	cmd.LicenceID, _ = strconv.ParseInt(c.FormValue("licenceId"), 10, 64)
	if _, err := line("name", "变更后的企业名称", cmd.Name, 2, 100); err != nil {
		return err // before anything is stored
	}
	var err error
	if cmd.FileIDs, err = s.keepLicences(c, actor); err != nil {
		return err
	}
	_, err = s.Rename(ctx, actor, cmd)
	return err
}
