package evaluation

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/onelink"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// formPart asks in two steps, since there is no script: the level first, then what is asked at that level.
type formPart struct {
	CSRF, Key, Action, Button string
	Question                  string
	Levels                    []page.Link
	Chosen                    int
	FormID, ID, Version       int64
	Errors                    page.ErrorSummary
	Tags, Words               page.Field
}

type givenPart struct {
	Phase                            string
	Tag                              page.Tag
	Tags, Words, When, First, Hidden string
	Reply, Revise                    string
}

type evaluatePage struct {
	Facts   page.Facts
	Given   []givenPart
	Form    *formPart
	Nothing string
	Back    string
}

type linkPage struct {
	Facts page.Facts
	Form  *formPart
	Done  bool
	Over  string
}

type commentPart struct {
	Company, Tags, Words, Reply, When, Phase string
	Tag                                      page.Tag
	Product                                  *page.Link
}

type publicPage struct {
	Title, Text string
	Levels      []page.Fact
	Comments    []commentPart
	Empty       page.Empty
	Pager       page.Pager
}

// levelTone is the colour of a level.
func levelTone(n int) page.Tone {
	switch {
	case n >= 4:
		return page.Success
	case n == 3:
		return page.Warning
	}
	return page.Danger
}

func levelTag(level int, label string) page.Tag {
	return page.Tag{Text: fmt.Sprintf("%s（%d 分）", label, level), Tone: levelTone(level)}
}

// Pages adds the pages of the portal: the company's word on its application, the page of the link, and what everybody may read.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("evaluation", sub); err != nil {
		return err
	}
	who := access.Only(access.Enterprise)
	for object, path := range s.Paths {
		srv.Page("GET", path+"/:id<int>/evaluation", who, func(c *fiber.Ctx) error { return s.evaluatePage(c, p, object, path, nil) })
		srv.Page("POST", path+"/:id<int>/evaluation", who, func(c *fiber.Ctx) error { return s.take(c, p, object, path) })
	}
	link := access.Public("没有登录的企业人员凭短信中的一次性链接评价")
	srv.Page("GET", "/e/:token", link, func(c *fiber.Ctx) error { return s.linkPage(c, p, nil) })
	srv.Page("POST", "/e/:token", link, func(c *fiber.Ctx) error {
		err := s.GiveByLink(c.UserContext(), access.From(c.UserContext()), c.Params("token"), answerOf(c))
		if err != nil {
			return s.linkPage(c, p, err)
		}
		return c.Redirect("/e/"+c.Params("token")+"?done=1", fiber.StatusSeeOther)
	})
	open := access.Public("产品和机构的评分、评价对所有人公开")
	srv.Page("GET", "/products/:id<int>/evaluations", open, func(c *fiber.Ctx) error { return s.publicPage(c, p, true) })
	srv.Page("GET", "/institutions/:id<int>/evaluations", open, func(c *fiber.Ctx) error { return s.publicPage(c, p, false) })
	return nil
}

func idOf(c *fiber.Ctx) int64 {
	id, _ := strconv.ParseInt(c.Params("id"), 10, 64) // the route takes digits only; too many of them are no id
	return id
}

func answerOf(c *fiber.Ctx) Answer {
	a := Answer{Words: c.FormValue("words")}
	a.Level, _ = strconv.Atoi(c.FormValue("level"))
	a.FormID, _ = strconv.ParseInt(c.FormValue("form"), 10, 64)
	for _, v := range c.Request().PostArgs().PeekMulti("tags") {
		a.Tags = append(a.Tags, string(v))
	}
	return a
}

func (s *Service) take(c *fiber.Ctx, p *web.Pages, object, path string) error {
	ctx := c.UserContext()
	actor, a := access.From(ctx), answerOf(c)
	var err error
	if id, _ := strconv.ParseInt(c.FormValue("id"), 10, 64); id != 0 {
		version, _ := strconv.ParseInt(c.FormValue("version"), 10, 64)
		_, err = s.Revise(ctx, actor, Revise{Step{id, version, c.FormValue("key")}, a})
	} else {
		_, err = s.Give(ctx, actor, Give{object, idOf(c), a, c.FormValue("key")})
	}
	if err != nil {
		return s.evaluatePage(c, p, object, path, err)
	}
	return c.Redirect(fmt.Sprintf("%s/%d/evaluation?done=1", path, idOf(c)), fiber.StatusSeeOther)
}

// part makes the form; base is the address of the page, to which the level is added.
func part(c *fiber.Ctx, base, question string, form FormView, failure error) (*formPart, error) {
	f := &formPart{Action: base, Question: question, FormID: form.ID, Key: secret.Token(), Button: "提交评价"}
	f.CSRF = web.CSRF(c.UserContext())
	chosen := c.Query("level")
	found := func(string) string { return "" }
	if failure != nil {
		var err error
		if f.Errors, found, err = web.FormErrors(failure); err != nil {
			return nil, err
		}
		chosen = c.FormValue("level")
		if k := c.FormValue("key"); k != "" && fault.KindOf(failure) == fault.Invalid {
			f.Key = k
		}
	}
	f.Chosen, _ = strconv.Atoi(chosen)
	mark := "?"
	if strings.Contains(base, "?") {
		mark = "&"
	}
	for _, l := range form.Levels {
		f.Levels = append(f.Levels, page.Link{Text: l.Label, URL: fmt.Sprintf("%s%slevel=%d", base, mark, l.Level), Current: l.Level == f.Chosen})
	}
	l, ok := form.level(f.Chosen)
	if !ok {
		f.Chosen = 0
		return f, nil
	}
	said := answerOf(c)
	f.Tags = page.Field{Name: "tags", Label: l.Prompt, Hint: fmt.Sprintf("可多选，最多 %d 个", maxChosen), Error: found("tags")}
	for _, t := range l.Tags {
		o := page.Option{Value: t, Text: t}
		for _, x := range said.Tags {
			o.Chosen = o.Chosen || x == t
		}
		f.Tags.Options = append(f.Tags.Options, o)
	}
	f.Words = page.Field{Name: "words", Label: "具体意见", Hint: "会公开展示，请勿填写电话、身份证号等个人信息", Value: said.Words, Required: l.Words, MaxLength: maxWords, Rows: 4, Error: found("words")}
	return f, nil
}

func (s *Service) evaluatePage(c *fiber.Ctx, p *web.Pages, object, path string, failure error) error {
	ctx := c.UserContext()
	id := idOf(c)
	asked, err := s.Of(ctx, access.From(ctx), object, id)
	if err != nil {
		return err
	}
	v, err := p.View(c, "服务评价")
	if err != nil {
		return err
	}
	back := fmt.Sprintf("%s/%d", path, id)
	v.Active, v.ActiveMe, v.NoIndex = "applications", "applications", true
	v.Breadcrumb = []page.Crumb{{Text: "我的申请", URL: "/applications"}, {Text: asked.Number, URL: back}, {Text: "服务评价"}}
	if c.Query("done") != "" && failure == nil {
		v.Flash = page.Flash{Tone: page.Success, Text: "评价已提交，机构可以看到并回复"}
	}
	base := back + "/evaluation"
	data := evaluatePage{Back: back, Facts: page.Facts{Caption: "申请信息", Items: []page.Fact{
		{Label: "申请编号", Value: asked.Number}, {Label: "服务产品", Value: asked.Title}, {Label: "服务机构", Value: asked.InstitutionName}}}}
	status := fiber.StatusOK
	if failure != nil {
		status = fiber.StatusUnprocessableEntity
	}
	var revising *View
	for i := range asked.Given {
		g := &asked.Given[i]
		one := givenOf(g)
		if len(g.Actions) > 0 && g.Actions[0] == "revise" {
			one.Revise = fmt.Sprintf("%s?revise=%s", base, g.Phase)
			if c.Query("revise") == string(g.Phase) || failure != nil && c.FormValue("id") == strconv.FormatInt(g.ID, 10) {
				revising, one.Revise = g, ""
			}
		}
		data.Given = append(data.Given, one)
	}
	switch {
	case revising != nil && asked.Form != nil:
		question := asked.Form.During
		if revising.Phase == After {
			question = asked.Form.After
		}
		if data.Form, err = part(c, base+"?revise="+string(revising.Phase), question, *asked.Form, failure); err != nil {
			return err
		}
		data.Form.ID, data.Form.Version, data.Form.Button = revising.ID, revising.Version, "保存修改（只能修改一次）"
	case asked.May:
		question := asked.Form.During
		if asked.Phase == After {
			question = asked.Form.After
		}
		if data.Form, err = part(c, base, question, *asked.Form, failure); err != nil {
			return err
		}
	case failure != nil:
		return failure
	case len(asked.Given) == 0:
		data.Nothing = "机构受理后可以评价服务；已撤回的申请不再评价。"
	}
	return p.Render(c, status, "evaluation/evaluate", v, data)
}

func givenOf(g *View) givenPart {
	one := givenPart{Phase: g.Phase.Label(), Tag: levelTag(g.Level, g.Label), Tags: strings.Join(g.Tags, "、"), Words: g.Words, When: page.DateTime(g.GivenAt), Reply: g.Reply}
	if g.RevisedAt != nil {
		one.When = page.DateTime(*g.RevisedAt) + " 修改"
	}
	if g.First != nil {
		one.First = fmt.Sprintf("%s（%d 分），%s", g.First.Label, g.First.Level, page.DateTime(g.First.GivenAt))
	}
	switch {
	case g.Voided:
		one.Hidden = "文字已隐藏，评分不计入统计。理由：" + g.HiddenWhy
	case g.Hidden:
		one.Hidden = "文字已隐藏，评分仍计入统计。理由：" + g.HiddenWhy
	}
	return one
}

func (s *Service) linkPage(c *fiber.Ctx, p *web.Pages, failure error) error {
	ctx := c.UserContext()
	v, err := p.View(c, "评价服务")
	if err != nil {
		return err
	}
	v.NoIndex, v.Breadcrumb = true, []page.Crumb{{Text: "评价服务"}}
	c.Set("Referrer-Policy", "no-referrer")
	c.Set("Cache-Control", "no-store")
	var data linkPage
	status := fiber.StatusOK
	shown := failure
	if failure != nil && fault.KindOf(failure) == fault.Invalid {
		status, shown = fiber.StatusUnprocessableEntity, nil
	}
	var found LinkView
	if shown == nil {
		found, shown = s.AtLink(ctx, access.From(ctx), c.Params("token"))
	}
	if shown != nil {
		f, ok := fault.As(shown)
		if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			return shown
		}
		data.Done = errors.Is(shown, onelink.ErrUsed) && c.Query("done") != ""
		data.Over = f.Message
		switch {
		case data.Done:
		case f.Kind == fault.NotFound:
			status = fiber.StatusNotFound
		case f.Kind == fault.TooMany:
			status = fiber.StatusTooManyRequests
		default:
			status = fiber.StatusGone
		}
		return p.Render(c, status, "evaluation/link", v, data)
	}
	data.Facts = page.Facts{Caption: "服务信息", Items: []page.Fact{{Label: "申请编号", Value: found.Number}, {Label: "服务产品", Value: found.Title}, {Label: "服务机构", Value: found.InstitutionName}}}
	if data.Form, err = part(c, "/e/"+c.Params("token"), found.Form.After, found.Form, failure); err != nil {
		return err
	}
	return p.Render(c, status, "evaluation/link", v, data)
}

func (s *Service) publicPage(c *fiber.Ctx, p *web.Pages, product bool) error {
	ctx := c.UserContext()
	id := idOf(c)
	name := s.InstitutionName
	if product {
		name = s.ProductName
	}
	title, err := name(ctx, id)
	if err != nil {
		return err
	}
	v, err := p.View(c, title+"的服务评价")
	if err != nil {
		return err
	}
	v.Active = "products"
	base := fmt.Sprintf("/institutions/%d/evaluations", id)
	v.Breadcrumb = []page.Crumb{{Text: "服务产品", URL: "/products"}, {Text: title, URL: fmt.Sprintf("/products?institution=%d", id)}, {Text: "服务评价"}}
	of, productID, institutionID := s.OfInstitution, int64(0), id
	if product {
		base = fmt.Sprintf("/products/%d/evaluations", id)
		v.Breadcrumb[1].URL = fmt.Sprintf("/products/%d", id)
		of, productID, institutionID = s.OfProduct, id, 0
	}
	rating, err := of(ctx, id)
	if err != nil {
		return err
	}
	data := publicPage{Title: title + "的服务评价", Text: "评价来自在平台办理过服务的企业，企业名称只显示前两个字",
		Empty: page.Empty{Title: "还没有公开的评价", Text: "企业办理服务后可以评价，评价会显示在这里。", Action: page.Link{Text: "查看服务产品", URL: "/products"}}}
	if rating.Count > 0 {
		data.Text = fmt.Sprintf("平均 %s 分，共 %d 条评价。", rating.Text(), rating.Count) + data.Text
		for i, n := range rating.Levels {
			data.Levels = append(data.Levels, page.Fact{Label: fmt.Sprintf("%d 分", Levels-i), Value: fmt.Sprintf("%d 条（%d%%）", n, rounded(int64(n)*100, int64(rating.Count)))})
		}
	}
	items, next, err := s.Comments(ctx, productID, institutionID, c.Query("cursor"), 10)
	if err != nil {
		return err
	}
	for _, x := range items {
		one := commentPart{Company: x.Company, Tag: levelTag(x.Level, x.Label), Tags: strings.Join(x.Tags, "、"), Words: x.Words, Reply: x.Reply, When: page.Date(x.GivenAt), Phase: x.Phase.Label()}
		if !product {
			one.Product = &page.Link{Text: x.ProductName, URL: fmt.Sprintf("/products/%d", x.ProductID)}
		}
		data.Comments = append(data.Comments, one)
	}
	first, following := "", ""
	if c.Query("cursor") != "" {
		first = base
	}
	if next != "" {
		following = base + "?cursor=" + next
	}
	data.Pager = page.NewCursorPager(first, following)
	return p.Render(c, fiber.StatusOK, "evaluation/public", v, data)
}

// Panel is the evaluation on the company's page of a subject.
func (s *Service) Panel(object, path string) func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error) {
	return func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error) {
		subject, err := s.subject(ctx, s.DB.Read(), actor, object, id)
		if err != nil || subject.Phase == "" {
			return page.Panel{}, err
		}
		where := page.Link{Text: "评价服务", URL: fmt.Sprintf("%s/%d/evaluation", path, id)}
		out := page.Panel{Title: "服务评价", Text: "说说机构的服务怎么样，服务中、服务后各可评价一次。", Links: []page.Link{where}, Act: subject.Phase == After}
		for _, phase := range []Phase{During, After} {
			v, err := of(ctx, s.DB.Read(), object, id, phase)
			if errors.Is(err, fault.ErrNotFound) {
				continue
			}
			if err != nil {
				return out, err
			}
			out.Facts = append(out.Facts, page.Fact{Label: phase.Label(), Value: fmt.Sprintf("%s（%d 分），%s", v.Label, v.Level, page.DateTime(v.GivenAt))})
			if v.RepliedAt != nil {
				word := "机构已回复"
				if v.ReplyReadAt == nil {
					word = "机构有新回复，请查看"
				}
				out.Facts = append(out.Facts, page.Fact{Label: "回复", Value: word, URL: where.URL})
			}
			if phase == subject.Phase {
				out.Text, out.Act, out.Links[0].Text = "", false, "查看评价"
			}
		}
		return out, nil
	}
}

// Public is the rating on the public page of a product.
func (s *Service) Public(ctx context.Context, productID, institutionID int64) (page.Panel, error) {
	product, err := s.OfProduct(ctx, productID)
	if err != nil {
		return page.Panel{}, err
	}
	institution, err := s.OfInstitution(ctx, institutionID)
	if err != nil {
		return page.Panel{}, err
	}
	if institution.Count == 0 {
		return page.Panel{Title: "服务评价", Text: "还没有企业评价。办理服务后可以评价，评价会显示在这里。"}, nil
	}
	of := func(label string, r Rating, path string) page.Fact {
		if r.Count == 0 {
			return page.Fact{Label: label, Value: "暂无评价"}
		}
		return page.Fact{Label: label, Value: fmt.Sprintf("%s 分（%d 条评价）", r.Text(), r.Count), URL: path}
	}
	return page.Panel{Title: "服务评价", Facts: []page.Fact{
		of("本产品", product, fmt.Sprintf("/products/%d/evaluations", productID)), of("提供机构", institution, fmt.Sprintf("/institutions/%d/evaluations", institutionID)),
	}}, nil
}
