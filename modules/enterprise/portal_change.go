package enterprise

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// changePage is the change of what the company is registered as: how the last one went, the form, and what it was before.
type changePage struct {
	Name, Person string
	Why          string // why nothing may be asked now
	Outcome      *outcomeBox
	Form         *changeForm
	Histories    []heldTable
}

type changeForm struct {
	Key     string // one per opening of the form: a double click is one request
	Errors  page.ErrorSummary
	Name    page.Field
	Person  page.Field
	Paper   *page.Field // nil where the company keeps no licence
	Licence page.Field
	Note    page.Field
}

// heldTable are the names a company had, or its legal persons.
type heldTable struct {
	Title string
	Rows  []heldRow
}

type heldRow struct{ Name, When, How string }

// changingOf says on the company's page what may be done about its registration; nil before it is verified.
func changingOf(m Mine) *changeBox {
	switch {
	case m.Verification != Verified:
		return nil
	case m.Changing != nil && (m.Changing.Outcome == Waiting || m.Changing.Outcome == Asking):
		return &changeBox{Text: WordsOf(m.Changing.Changes) + "，正在办理：" + m.Changing.Title + "。", Button: "查看办理情况"}
	case m.CanChange:
		return &changeBox{Text: "已在登记机关变更企业名称或法定代表人的，凭新的营业执照在这里更新。", Button: "办理变更登记"}
	case len(m.Names)+len(m.Persons) > 0:
		return &changeBox{Text: "查看本企业名称和法定代表人的变更记录。", Button: "查看变更记录"}
	}
	return nil
}

// changePage shows the page; failure belongs to the form that was sent.
func (s *Service) changePage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	m, err := s.Mine(ctx, actor)
	if err != nil {
		return err
	}
	if failure != nil && !m.CanChange { // there is no form to show it at
		return failure
	}
	v, err := p.View(c, "变更登记")
	if err != nil {
		return err
	}
	v.ActiveMe, v.NoIndex, v.Breadcrumb = "company", true, []page.Crumb{{Text: "我的企业", URL: "/company"}, {Text: "变更登记"}}
	status := fiber.StatusOK
	if failure != nil {
		v.Path, status = "/company/change", fiber.StatusUnprocessableEntity
	}
	data := changePage{Name: m.Name, Person: m.LegalPerson, Histories: heldTables(m)}
	if m.Changing != nil {
		data.Outcome = boxOf(m.Changing)
		data.Outcome.When = showTime(m.Changing.AskedAt) + " 申请" + WordsOf(m.Changing.Changes)
	}
	switch {
	case m.CanChange:
		if data.Form, err = s.changeFields(c, actor, m, failure); err != nil {
			return err
		}
	case m.Verification != Verified:
		data.Why = "企业通过认证后才需要办理变更登记。未认证的企业请直接按新的营业执照认证。"
	case m.Role != Owner:
		data.Why = "变更登记须由企业负责人办理，请联系本企业负责人。"
	}
	return p.Render(c, status, "enterprise/change", v, data)
}

func heldTables(m Mine) []heldTable {
	var out []heldTable
	for _, x := range []struct {
		title string
		list  []NameView
	}{{"名称记录", m.Names}, {"法定代表人记录", m.Persons}} {
		if len(x.list) == 0 {
			continue
		}
		t := heldTable{Title: x.title}
		for _, n := range x.list {
			when := page.Date(n.From) + " 至今"
			if n.Until != nil {
				when = page.Date(n.From) + " 至 " + page.Date(*n.Until)
			}
			t.Rows = append(t.Rows, heldRow{n.Name, when, n.How})
		}
		out = append(out, t)
	}
	return out
}

func (s *Service) changeFields(c *fiber.Ctx, actor access.Actor, m Mine, failure error) (*changeForm, error) {
	f := &changeForm{Key: secret.Token()}
	problem := func(string) string { return "" }
	name, person, note := "", "", ""
	if failure != nil {
		var err error
		if f.Errors, problem, err = web.FormErrors(failure); err != nil {
			return nil, err
		}
		name, person, note = c.FormValue("name"), c.FormValue("legalPerson"), c.FormValue("note")
		if k := c.FormValue("key"); k != "" && len(k) <= 64 {
			f.Key = k
		}
	}
	f.Name = page.Field{Name: "name", Label: "变更后的企业名称", Hint: "与新的营业执照一致的全称；名称没有变更的不填", Value: name, MaxLength: 100, Error: problem("name")}
	f.Person = page.Field{Name: "legalPerson", Label: "变更后的法定代表人", Hint: "没有变更的不填", Value: person, MaxLength: 50, Error: problem("legalPerson")}
	if m.LegalPerson != "" {
		f.Person.Hint = "现为" + m.LegalPerson + "；" + f.Person.Hint
	}
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

// sendChange asks for the change as the form says.
func (s *Service) sendChange(c *fiber.Ctx) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	cmd := ChangeRegistered{Key: c.FormValue("key"), Name: c.FormValue("name"), LegalPerson: c.FormValue("legalPerson"), Note: c.FormValue("note")}
	cmd.LicenceID, _ = strconv.ParseInt(c.FormValue("licenceId"), 10, 64)
	if _, _, err := cmd.clean(); err != nil {
		return err // before anything is stored
	}
	var err error
	if cmd.FileIDs, err = s.keepLicences(c, actor); err != nil {
		return err
	}
	_, err = s.Change(ctx, actor, cmd)
	return err
}
