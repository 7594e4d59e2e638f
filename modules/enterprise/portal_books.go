package enterprise

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// booksPage is what a company says of one full year, for conditions that ask of several.
type booksPage struct {
	Key    string
	Year   int
	Years  []yearLink
	Errors page.ErrorSummary
	Fields []page.Field
}

type yearLink struct {
	Year    int
	Current bool
	Said    bool
}

// booksPage shows the form of one year; failure belongs to the form that was sent.
func (s *Service) booksPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	m, err := s.Mine(ctx, actor)
	if err != nil {
		return err
	}
	if err := s.Entitled(ctx, s.db.Read(), actor.EnterpriseID, actor.UserID, RightFacts); err != nil {
		return err
	}
	v, err := p.View(c, "往年经营数据")
	if err != nil {
		return err
	}
	v.ActiveMe, v.NoIndex, v.Breadcrumb = "company", true, []page.Crumb{{Text: "我的企业", URL: "/company"}, {Text: "往年经营数据"}}
	v.Flash = doneTexts[c.Query("done")]
	typed, status := c.Query("year"), fiber.StatusOK
	data := booksPage{Key: secret.Token()}
	found := func(string) string { return "" }
	if failure != nil {
		v.Path, status, typed = "/company/books", fiber.StatusUnprocessableEntity, c.FormValue("year")
		if data.Errors, found, err = web.FormErrors(failure); err != nil {
			return err
		}
	}
	if data.Year, err = statedYear(typed, s.clock.Now()); err != nil && failure == nil {
		return err
	}
	values := map[string]string{}
	for _, y := range m.StatedYears {
		data.Years = append(data.Years, yearLink{Year: y.Year, Current: y.Year == data.Year, Said: len(y.Values) > 0})
		if y.Year == data.Year {
			values = y.Values
		}
	}
	for _, f := range fields {
		if f.yearly == "" || len(f.from) > 0 {
			continue
		}
		value := values[f.name]
		if failure != nil {
			value = c.FormValue(f.name)
		}
		in := page.Field{Name: f.name, Label: f.yearly, Value: value, MaxLength: 40, InputMode: "decimal", Unit: "万元", Error: found(f.name)}
		switch {
		case f.kind == criteria.Count:
			in.Unit, in.InputMode = f.unit, "numeric"
		case f.name == "rdSpend" || f.name == "loans":
			in.Hint = "没有请填 0"
		}
		data.Fields = append(data.Fields, in)
	}
	return p.Render(c, status, "enterprise/books", v, data)
}

// sendBooks records what was typed for a year.
func (s *Service) sendBooks(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	year := c.FormValue("year")
	_, err := s.State(ctx, access.From(ctx), StateFacts{Key: c.FormValue("key"), Employees: c.FormValue("employees"), Revenue: c.FormValue("revenue"),
		Assets: c.FormValue("assets"), RDSpend: c.FormValue("rdSpend"), MoreFacts: postedMore(c), Year: year})
	if err != nil {
		return s.booksPage(c, p, err)
	}
	n, err := strconv.Atoi(year)
	if err != nil {
		return c.Redirect("/company?done=stated", fiber.StatusSeeOther)
	}
	return c.Redirect("/company/books?done=stated&year="+strconv.Itoa(n), fiber.StatusSeeOther)
}
