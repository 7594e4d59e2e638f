package enterprise

import (
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// membersPage is who acts for the company, and what each may do in its name (经办授权).
type membersPage struct {
	Owner   bool
	Members []memberRow
	History []page.ItemCard
}

type memberRow struct {
	page.ItemCard
	Edit string // address of the change of their mandate, to the owner
}

// mandatePage changes what one member may do.
type mandatePage struct {
	Name   string
	Phone  string
	Now    string
	Action string
	Key    string
	Errors page.ErrorSummary
	Rights page.Field
	Until  page.Field
	Ends   bool // something may be taken back
}

const membersHome = "/company/members"

// memberPages adds the people of a company to the portal.
func (s *Service) memberPages(srv *web.Server, p *web.Pages) {
	who := access.Only(access.Enterprise)
	srv.Page("GET", membersHome, who, func(c *fiber.Ctx) error { return s.membersPage(c, p) })
	srv.Page("GET", membersHome+"/:id<int>", who, func(c *fiber.Ctx) error { return s.mandatePage(c, p, nil) })
	srv.Page("POST", membersHome+"/:id<int>", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
		cmd := Mandate{Key: c.FormValue("key"), UserID: id, Until: c.FormValue("until")}
		if c.FormValue("action") != "end" { // taking all back sends no rights
			for _, r := range posted(c, "rights") {
				cmd.Rights = append(cmd.Rights, Right(r))
			}
		}
		if _, err := s.Mandate(ctx, access.From(ctx), cmd); err != nil {
			return s.mandatePage(c, p, err)
		}
		return c.Redirect(membersHome+"?done=mandated", fiber.StatusSeeOther)
	})
}

// posted are all values of one input of a form.
func posted(c *fiber.Ctx, name string) []string {
	if form, err := c.MultipartForm(); err == nil {
		return form.Value[name]
	}
	var out []string
	for _, v := range c.Request().PostArgs().PeekMulti(name) {
		out = append(out, string(v))
	}
	return out
}

// mandateWords say what a member may do now.
func mandateWords(m MemberView) string {
	switch {
	case m.Role == Owner:
		return "可以办理本企业的全部事项"
	case m.Mandate == nil:
		return "没有经办授权，可以办理申请和诉求"
	}
	return "可以" + m.Mandate.Words + "，至 " + m.Mandate.Until
}

func (s *Service) membersPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	m, err := s.Members(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	v, err := s.companyView(c, p, "企业成员", page.Crumb{Text: "企业成员"})
	if err != nil {
		return err
	}
	v.Flash = doneTexts[c.Query("done")]
	data := membersPage{Owner: m.Role == Owner}
	names := map[int64]string{}
	for _, x := range m.Items {
		names[x.UserID] = x.Name
		row := memberRow{ItemCard: page.ItemCard{Title: x.Name, Status: page.Tag{Text: roleNames[x.Role], Tone: page.Neutral}, Summary: mandateWords(x), Meta: []string{x.Phone}}}
		if data.Owner && x.Role != Owner {
			row.Edit = membersHome + "/" + strconv.FormatInt(x.UserID, 10)
		}
		data.Members = append(data.Members, row)
	}
	for _, x := range m.Mandates {
		name := names[x.UserID]
		if name == "" {
			name = "已退出的成员"
		}
		card := page.ItemCard{Title: name + "：" + x.Words, Status: page.Tag{Text: "有效", Tone: page.Success},
			Meta: []string{page.DateTime(x.GivenAt) + " 由 " + x.GivenName + " 授权", "截止 " + x.Until}}
		switch {
		case x.EndedAt != nil:
			card.Status = page.Tag{Text: "已终止", Tone: page.Neutral}
			card.Meta = append(card.Meta, page.DateTime(*x.EndedAt)+" 由 "+x.EndedName+" 调整或收回")
		case !x.Holds:
			card.Status = page.Tag{Text: "已到期", Tone: page.Warning}
		}
		data.History = append(data.History, card)
	}
	return p.Render(c, fiber.StatusOK, "enterprise/members", v, data)
}

// mandatePage shows the form of one member; failure belongs to the form that was sent.
func (s *Service) mandatePage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	m, err := s.Members(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	if m.Role != Owner {
		return ErrOwner
	}
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64)
	i := slices.IndexFunc(m.Items, func(x MemberView) bool { return x.UserID == id })
	if i < 0 {
		return ErrNotFound
	}
	x := m.Items[i]
	if x.Role == Owner {
		return ErrMandateSelf
	}
	v, err := s.companyView(c, p, "调整经办授权", page.Crumb{Text: "企业成员", URL: membersHome}, page.Crumb{Text: "调整经办授权"})
	if err != nil {
		return err
	}
	data := mandatePage{Name: x.Name, Phone: x.Phone, Now: mandateWords(x), Action: membersHome + "/" + strconv.FormatInt(id, 10), Key: secret.Token(), Ends: x.Mandate != nil}
	var rights []string
	until, status := "", fiber.StatusOK
	if x.Mandate != nil {
		for _, r := range x.Mandate.Rights {
			rights = append(rights, string(r))
		}
		until = x.Mandate.Until
	}
	found := func(string) string { return "" }
	if failure != nil {
		if data.Errors, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		v.Path, status = data.Action, fiber.StatusUnprocessableEntity
		rights, until = posted(c, "rights"), c.FormValue("until")
		if k := c.FormValue("key"); k != "" && len(k) <= 64 {
			data.Key = k
		}
	}
	data.Rights = page.Field{Name: "rights", Label: "可以办理的事项", Hint: "没有勾选的事项由企业负责人办理", Error: found("rights")}
	for _, o := range m.Offers {
		data.Rights.Options = append(data.Rights.Options, page.Option{Value: string(o.Code), Text: o.Name, Chosen: slices.Contains(rights, string(o.Code))})
	}
	data.Until = page.Field{Name: "until", Label: "授权截止日期", Type: "date", Hint: "到期自动失效，最长三年，例如 2027-06-30", Value: until, Error: found("until")}
	return p.Render(c, status, "enterprise/mandate", v, data)
}
