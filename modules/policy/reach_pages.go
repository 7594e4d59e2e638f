package policy

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// answersPage lists what a company was answered.
type answersPage struct {
	Cards []page.ItemCard
	Empty page.Empty
	Next  string
}

// answerPage is an answer opened again.
type answerPage struct {
	matchPage

	Number    string
	Until     string
	Kind      string
	Title     string // of a single policy
	Edition   int64
	Changed   bool   // judging anew came to something else
	RemoveKey string // empty: not for who looks to delete
	Refused   string
}

// publicGrantsPage lists the lists that are shown.
type publicGrantsPage struct {
	Cards []page.ItemCard
	Empty page.Empty
}

// publicGrantPage is one list with its companies.
type publicGrantPage struct {
	Grant     PublicGrant
	Status    page.Tag
	Facts     page.Facts
	Companies []GrantCompany
	Next      string
	Mine      *MyGrant
	Key       string
	Error     string
	Form      *objectForm
	Done      string // the number of an objection that was taken
	Empty     page.Empty
}

type objectForm struct {
	Key                        string
	Errors                     page.ErrorSummary
	Company, Name, Phone, Text page.Field
}

// ReachPages adds the portal's pages of answers and of lists without application. Call it after Pages.
func (s *Service) ReachPages(srv *web.Server, p *web.Pages) error {
	public := access.Public("公示内容，人人可查")
	srv.Page("GET", "/policies/answers", access.Only(access.Enterprise), func(c *fiber.Ctx) error { return s.answersPage(c, p) })
	srv.Page("GET", "/policies/answers/:number", access.Public("未登录者凭答复编号打开自己的快速匹配；其他答复按权限"), func(c *fiber.Ctx) error { return s.answerPage(c, p, nil) })
	srv.Page("POST", "/policies/answers/:number/remove", access.Public("未登录者凭答复编号删除自己的快速匹配；其他答复按权限"), func(c *fiber.Ctx) error {
		actor := access.From(c.UserContext())
		if err := s.RemoveAnswer(c.UserContext(), actor, RemoveAnswer{Key: c.FormValue("key"), Number: c.Params("number")}); err != nil {
			if errors.Is(err, ErrAnswerOwner) {
				return s.answerPage(c, p, err)
			}
			return err
		}
		if actor.Party == access.Enterprise {
			return c.Redirect("/policies/answers", fiber.StatusSeeOther)
		}
		return c.Redirect("/policies/match", fiber.StatusSeeOther)
	})
	srv.Page("GET", "/policies/grants", public, func(c *fiber.Ctx) error { return s.publicGrantsPage(c, p) })
	srv.Page("GET", "/policies/grants/:id<int>", public, func(c *fiber.Ctx) error { return s.publicGrantPage(c, p, nil, "") })
	srv.Page("POST", "/policies/grants/:id<int>/objections", access.Public("公示期内任何人可以提出异议"), func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, err := strconv.ParseInt(c.Params("id"), 10, 64)
		if err != nil {
			return fault.ErrNotFound
		}
		company, err := strconv.ParseInt("0"+c.FormValue("enterpriseId"), 10, 64)
		if err != nil {
			return s.publicGrantPage(c, p, fault.InvalidField("enterpriseId", "OBJECTION_COMPANY", "该企业不在公示名单内，请重新选择"), "")
		}
		number, err := s.RaiseObjection(ctx, access.From(ctx), RaiseObjection{Key: c.FormValue("key"), GrantID: id, EnterpriseID: company, Name: c.FormValue("name"),
			Phone: c.FormValue("phone"), Text: c.FormValue("text")})
		if err != nil {
			return s.publicGrantPage(c, p, err, "")
		}
		return c.Redirect(fmt.Sprintf("/policies/grants/%d?done=%s", id, url.QueryEscape(number)), fiber.StatusSeeOther)
	})
	srv.Page("POST", "/policies/grants/:id<int>/confirm", access.Only(access.Enterprise), func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		id, err := strconv.ParseInt(c.Params("id"), 10, 64)
		if err != nil {
			return fault.ErrNotFound
		}
		if _, err := s.ConfirmGrant(ctx, access.From(ctx), ConfirmGrant{Key: c.FormValue("key"), ID: id, Take: c.FormValue("take") == "yes"}); err != nil {
			f, ok := fault.As(err)
			if !ok {
				return err
			}
			return s.publicGrantPage(c, p, nil, f.Message)
		}
		return c.Redirect(fmt.Sprintf("/policies/grants/%d", id), fiber.StatusSeeOther)
	})
	return nil
}

func (s *Service) answersPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	v, err := p.View(c, "匹配答复")
	if err != nil {
		return err
	}
	v.Active, v.NoIndex = "policies", true
	v.Breadcrumb = []page.Crumb{{Text: "政策库", URL: "/policies"}, {Text: "政策匹配", URL: "/policies/match"}, {Text: "历次答复"}}
	list, next, err := s.MyAnswers(ctx, access.From(ctx), c.Query("cursor"), 20)
	if err != nil {
		return err
	}
	data := answersPage{Empty: page.Empty{Title: "还没有匹配答复", Text: "为本企业匹配政策后，每次答复都会保存在这里，可以随时再次打开。", Action: page.Link{Text: "匹配政策", URL: "/policies/match"}}}
	for _, a := range list {
		title := "与全部可申报政策的匹配"
		switch {
		case a.Q != "":
			title = "“" + a.Q + "”的匹配"
		case a.Title != "":
			title = "与《" + strings.Trim(a.Title, "《》") + "》的匹配"
		case a.Kind == QuickAnswer:
			title = "按填写的条件匹配"
		}
		data.Cards = append(data.Cards, page.ItemCard{Title: title, URL: "/policies/answers/" + a.Number, Meta: []string{a.KindName, page.DateTime(a.At) + " 判定", a.extent(), "可查看至 " + page.Date(a.Until)}})
	}
	if next != "" {
		data.Next = "/policies/answers?cursor=" + url.QueryEscape(next)
	}
	return p.Render(c, fiber.StatusOK, "policy/answers", v, data)
}

// extent says which policies an answer is about.
func (i AnswerItem) extent() string {
	if i.Edition > 0 {
		return fmt.Sprintf("按政策第 %d 版", i.Edition)
	}
	return fmt.Sprintf("涉及 %d 项政策", i.Policies)
}

func (s *Service) answerPage(c *fiber.Ctx, p *web.Pages, refused error) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	a, err := s.Answer(ctx, actor, c.Params("number"))
	if err != nil {
		return err
	}
	v, err := p.View(c, "匹配答复")
	if err != nil {
		return err
	}
	v.Active, v.NoIndex = "policies", true
	v.Breadcrumb = []page.Crumb{{Text: "政策库", URL: "/policies"}, {Text: "政策匹配", URL: "/policies/match"}, {Text: "匹配答复"}}
	data := answerPage{Number: a.Number, Until: page.Date(a.Until), Kind: a.KindName, Changed: !a.Same}
	s.fill(&data.matchPage, a.Result)
	data.Title, data.Edition = a.Title, a.Edition
	status := fiber.StatusOK
	if f, ok := fault.As(refused); ok {
		data.Refused, status = f.Message, fiber.StatusForbidden
	}
	if a.Kind != StaffAnswer && (actor.Party == access.Enterprise || actor.Party == access.Anonymous) {
		data.RemoveKey = secret.Token()
	}
	return p.Render(c, status, "policy/answer", v, data)
}

func (s *Service) publicGrantsPage(c *fiber.Ctx, p *web.Pages) error {
	v, err := p.View(c, "免申即享公示")
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb = "policies", []page.Crumb{{Text: "政策库", URL: "/policies"}, {Text: "免申即享公示"}}
	v.Description = "无需企业申报、由主管部门凭已核实数据认定的惠企政策名单"
	list, err := s.PublicGrants(c.UserContext())
	if err != nil {
		return err
	}
	data := publicGrantsPage{Empty: page.Empty{Title: "目前没有公示的名单", Text: "名单公示后会显示在这里。", Action: page.Link{Text: "查看政策库", URL: "/policies"}}}
	for _, g := range list {
		data.Cards = append(data.Cards, page.ItemCard{Title: g.Title, URL: fmt.Sprintf("/policies/grants/%d", g.ID), Status: grantTag(g),
			Meta: []string{fmt.Sprintf("%d 家企业", g.Companies), "公示期 " + page.Date(g.PublicAt) + " 至 " + page.Date(g.PublicUntil)}})
	}
	return p.Render(c, fiber.StatusOK, "policy/grants", v, data)
}

func grantTag(g PublicGrant) page.Tag {
	if g.Open {
		return page.Tag{Text: "公示中", Tone: page.Info, Icon: "clock"}
	}
	if g.State == GrantFinal {
		return page.Tag{Text: g.StateName, Tone: page.Success, Icon: "success"}
	}
	return page.Tag{Text: "公示已结束", Tone: page.Neutral}
}

func (s *Service) publicGrantPage(c *fiber.Ctx, p *web.Pages, failed error, refused string) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return fault.ErrNotFound
	}
	shown, err := s.ShownGrant(ctx, actor, id, c.Query("cursor"), 100)
	if err != nil {
		return err
	}
	g, items, next := shown.PublicGrant, shown.Items, shown.NextCursor
	v, err := p.View(c, "免申即享公示："+g.Title)
	if err != nil {
		return err
	}
	v.Active = "policies"
	v.Breadcrumb = []page.Crumb{{Text: "政策库", URL: "/policies"}, {Text: "免申即享公示", URL: "/policies/grants"}, {Text: "公示名单"}}
	data := publicGrantPage{Grant: g, Status: grantTag(g), Companies: items, Done: c.Query("done"), Error: refused, Key: secret.Token(), Mine: shown.Mine,
		Empty: page.Empty{Title: "名单中没有企业"},
		Facts: page.Facts{Caption: "公示信息", Items: []page.Fact{{Label: "企业数量", Value: fmt.Sprintf("%d 家", g.Companies)},
			{Label: "公示期", Value: page.Date(g.PublicAt) + " 至 " + page.Date(g.PublicUntil)}, {Label: "认定依据", Value: "仅采用部门核实的数据，名单形成时的依据已留存"}}}}
	if next != "" {
		data.Next = fmt.Sprintf("/policies/grants/%d?cursor=%s", id, url.QueryEscape(next))
	}
	status := fiber.StatusOK
	if refused != "" {
		status = fiber.StatusConflict
	}
	if g.Open {
		f := &objectForm{Key: secret.Token(),
			Company: page.Field{Name: "enterpriseId", Label: "针对的企业（不选表示针对整个名单）", Value: c.FormValue("enterpriseId")},
			Name:    page.Field{Name: "name", Label: "您的姓名", Required: true, MaxLength: 50, Value: c.FormValue("name")},
			Phone:   page.Field{Name: "phone", Label: "联系电话", Required: true, MaxLength: 20, InputMode: "tel", Value: c.FormValue("phone"), Hint: "仅用于核实异议，不对外公开"},
			Text:    page.Field{Name: "text", Label: "异议内容", Required: true, MaxLength: 2000, Value: c.FormValue("text"), Hint: "请写明事实和理由，10 个字以上"}}
		for _, i := range items {
			value := strconv.FormatInt(i.EnterpriseID, 10)
			f.Company.Options = append(f.Company.Options, page.Option{Value: value, Text: i.Name, Chosen: value == f.Company.Value})
		}
		if failed != nil {
			var found func(string) string
			if f.Errors, found, err = web.FormErrors(failed); err != nil {
				return err
			}
			status = fiber.StatusUnprocessableEntity
			for _, x := range []*page.Field{&f.Company, &f.Name, &f.Phone, &f.Text} {
				x.Error = found(x.Name)
			}
		}
		data.Form = f
	} else if failed != nil {
		return failed
	}
	return p.Render(c, status, "policy/grant", v, data)
}
