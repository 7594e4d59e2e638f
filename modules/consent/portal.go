package consent

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// home is where a company's consents are on the portal.
const home = "/company/consents"

// standingTag is how a standing is shown on the portal.
func standingTag(s Standing) page.Tag {
	tone := map[Standing]page.Tone{Holds: page.Success, OldHolds: page.Info, Open: page.Warning, OldVoid: page.Warning, Expired: page.Warning}[s]
	return page.Tag{Text: s.Word(), Tone: tone}
}

// listPage is all of a company's consents on one page.
type listPage struct {
	WhyNot   string
	Purposes []page.ItemCard
	History  []page.ItemCard
	Accesses []accessRow
	NoLog    page.Empty
	Older    string // address of older accesses
	Newest   bool
}

// accessRow is one reading as the company reads it.
type accessRow struct {
	AccessView
	Tag page.Tag
}

// textPage is one purpose with the words to agree to.
type textPage struct {
	Asked   Asked
	Status  page.Tag
	State   page.Facts
	Lines   []string // of the document
	Give    *giveForm
	WhyNot  string
	Revoke  string // address of the page that asks whether to revoke
	Confirm *giveForm
}

// giveForm is what is sent to agree or to revoke.
type giveForm struct {
	Key    string
	ID     int64
	Digest string
	Errors page.ErrorSummary
	Check  page.Field
	Reason page.Field
	Button string
}

// Pages adds the company's pages of the portal. They work without a script.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("consent", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	srv.Page("GET", home, who, func(c *fiber.Ctx) error { return s.listPage(c, p) })
	srv.Page("GET", home+"/:purpose", who, func(c *fiber.Ctx) error { return s.textPage(c, p, false, nil) })
	srv.Page("GET", home+"/:purpose/revoke", who, func(c *fiber.Ctx) error { return s.textPage(c, p, true, nil) })
	srv.Page("POST", home+"/:purpose/give", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, _ := strconv.ParseInt(c.FormValue("id"), 10, 64)
		var err error
		if c.FormValue("agree") != "1" {
			err = fault.InvalidField("agree", "CONSENT_AGREE", "请阅读授权书后勾选同意")
		} else {
			_, err = s.Give(ctx, access.From(ctx), Give{Key: c.FormValue("key"), Purpose: c.Params("purpose"), TextID: id, Digest: c.FormValue("digest"), Channel: OnPortal})
		}
		if err != nil {
			return s.textPage(c, p, false, err)
		}
		return c.Redirect(home+"?done=given", fiber.StatusSeeOther)
	})
	srv.Page("POST", home+"/:purpose/revoke", who, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, _ := strconv.ParseInt(c.FormValue("id"), 10, 64)
		_, err := s.Revoke(ctx, access.From(ctx), Revoke{Key: c.FormValue("key"), Purpose: c.Params("purpose"), GrantID: id, Reason: c.FormValue("reason"), Channel: OnPortal})
		if err != nil {
			return s.textPage(c, p, true, err)
		}
		return c.Redirect(home+"?done=revoked", fiber.StatusSeeOther)
	})
	return nil
}

var doneTexts = map[string]page.Flash{
	"given":   {Tone: page.Success, Text: "已授权，可以随时在本页撤回"},
	"revoked": {Tone: page.Success, Text: "已撤回授权，平台从现在起不再使用本企业数据用于该用途"},
}

func (s *Service) view(c *fiber.Ctx, p *web.Pages, title string, crumbs ...page.Crumb) (page.View, error) {
	v, err := p.View(c, title)
	v.ActiveMe, v.NoIndex = "company", true
	v.Breadcrumb = append([]page.Crumb{{Text: "我的企业", URL: "/company"}}, crumbs...)
	return v, err
}

func (s *Service) listPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	m, err := s.Mine(ctx, actor)
	if err != nil {
		return err
	}
	log, next, err := s.Accesses(ctx, actor, actor.EnterpriseID, c.Query("before"), 20)
	if err != nil {
		return err
	}
	v, err := s.view(c, p, "数据授权", page.Crumb{Text: "数据授权"})
	if err != nil {
		return err
	}
	v.Flash = doneTexts[c.Query("done")]
	data := listPage{WhyNot: m.WhyNot, Newest: c.Query("before") == "",
		NoLog: page.Empty{Title: "还没有查阅记录", Text: "工作人员或服务机构查阅本企业的数据后，会在这里显示查阅时间、单位和依据。"}}
	for _, a := range m.Items {
		card := page.ItemCard{Title: a.Name, URL: home + "/" + a.Code, Summary: a.What + "。", Status: standingTag(a.Standing)}
		if a.Grant != nil {
			card.Meta = append(card.Meta, grantedWords(a.Grant))
		}
		data.Purposes = append(data.Purposes, card)
	}
	for i := range m.History {
		g := &m.History[i]
		card := page.ItemCard{Title: fmt.Sprintf("%s（第 %d 版）", g.PurposeName, g.TextNo), Meta: []string{grantedWords(g)}, Status: page.Tag{Text: g.Word, Tone: standingTag(g.Standing).Tone}}
		if g.EndedAt != nil {
			card.Meta = append(card.Meta, fmt.Sprintf("%s由 %s 终止（%s）", page.DateTime(*g.EndedAt), g.EndedName, g.EndedChannel))
		}
		if g.Reason != "" {
			card.Meta = append(card.Meta, "原因："+g.Reason)
		}
		data.History = append(data.History, card)
	}
	for _, a := range log {
		row := accessRow{a, page.Tag{Text: "已查阅", Tone: page.Info}}
		if !a.Allowed {
			row.Tag = page.Tag{Text: "已拒绝", Tone: page.Warning}
		}
		data.Accesses = append(data.Accesses, row)
	}
	if next != "" {
		data.Older = home + "?before=" + next + "#log"
	}
	return p.Render(c, fiber.StatusOK, "consent/list", v, data)
}

// grantedWords says who agreed, when and from where.
func grantedWords(g *GrantView) string {
	out := fmt.Sprintf("%s由 %s 授权（%s", page.DateTime(g.GrantedAt), g.GrantedName, g.Channel)
	if g.IP != "" {
		out += "，" + g.IP
	}
	out += "）"
	if g.Until != nil {
		out += "，有效期至 " + page.Date(*g.Until)
	}
	return out
}

// textPage shows one purpose; failure belongs to the form that was sent.
func (s *Service) textPage(c *fiber.Ctx, p *web.Pages, revoking bool, failure error) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	purpose, ok := PurposeOf(c.Params("purpose"))
	if !ok {
		return ErrNotFound
	}
	m, err := s.Mine(ctx, actor)
	if err != nil {
		return err
	}
	var a Asked
	for _, x := range m.Items {
		if x.Code == purpose.Code {
			a = x
		}
	}
	v, err := s.view(c, p, purpose.Name+"授权", page.Crumb{Text: "数据授权", URL: home}, page.Crumb{Text: purpose.Name})
	if err != nil {
		return err
	}
	status, found := fiber.StatusOK, func(string) string { return "" }
	var sum page.ErrorSummary
	if failure != nil {
		if sum, found, err = web.FormErrors(failure); err != nil {
			return err
		}
		status, v.Path = fiber.StatusUnprocessableEntity, home+"/"+purpose.Code
	}
	data := textPage{Asked: a, Status: standingTag(a.Standing), State: stateOf(a), WhyNot: m.WhyNot}
	if a.Text != nil {
		data.Lines = strings.Split(strings.TrimRight(a.Text.Document, "\n"), "\n")
	}
	switch {
	case revoking && a.MayEnd:
		data.Confirm = &giveForm{Key: key(c), ID: a.Grant.ID, Errors: sum, Reason: page.Field{Name: "reason", Label: "撤回原因", Hint: "可以不填", MaxLength: 300, Rows: 2,
			Value: c.FormValue("reason"), Error: found("reason")}}
	case a.MayEnd:
		data.Revoke = home + "/" + purpose.Code + "/revoke"
	}
	if a.MayGive && !revoking {
		data.Give = &giveForm{Key: key(c), ID: a.Text.ID, Digest: a.Text.Digest, Errors: sum, Button: "同意授权",
			Check: page.Field{Name: "agree", Label: "我已阅读并代表本企业同意以上授权书", Required: true, Error: found("agree")}}
		if a.Grant != nil && a.Standing != WasRevoked {
			data.Give.Button = "按新版本重新授权"
		}
	} else if failure != nil && data.Confirm == nil {
		return failure // somebody else has done it meanwhile
	}
	return p.Render(c, status, "consent/text", v, data)
}

// key keeps the key of a form that comes back with errors.
func key(c *fiber.Ctx) string {
	if k := c.FormValue("key"); k != "" && len(k) <= 64 {
		return k
	}
	return secret.Token()
}

func stateOf(a Asked) page.Facts {
	f := page.Facts{Caption: "授权情况", Items: []page.Fact{{Label: "用于", Value: a.What}}}
	if a.Grant != nil {
		f.Items = append(f.Items, page.Fact{Label: "授权记录", Value: grantedWords(a.Grant)})
		if a.Text != nil && a.Grant.TextID != a.Text.ID {
			f.Items = append(f.Items, page.Fact{Label: "授权的版本", Value: fmt.Sprintf("第 %d 版（现行第 %d 版）", a.Grant.TextNo, a.Text.No)})
		}
		if a.Grant.EndedAt != nil {
			f.Items = append(f.Items, page.Fact{Label: "撤回", Value: page.DateTime(*a.Grant.EndedAt) + " " + a.Grant.EndedName})
		}
	}
	if a.Text != nil {
		f.Items = append(f.Items, page.Fact{Label: "数据范围", Value: joined(a.Text.GroupNames)}, page.Fact{Label: "授权书版本", Value: fmt.Sprintf("第 %d 版，%s起施行", a.Text.No, page.Date(*a.Text.From))},
			page.Fact{Label: "原文摘要值（SM3）", Value: a.Text.Digest})
	}
	return f
}
