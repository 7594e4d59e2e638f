package demand

import (
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

type hallPage struct {
	Query   string
	Hidden  []page.Option // what else is chosen
	Filters page.Filters
	Bar     page.ListBar
	Items   []page.ItemCard
	Empty   page.Empty
	Pager   page.Pager
}

type hallDetail struct {
	Head        page.DetailHead
	Description string
	Own         page.Link // the company's own page of it
	Facts       page.Facts
	Bar         *page.ApplyBar
}

type minePage struct {
	Filters []page.Link
	Items   []page.ItemCard
	Empty   page.Empty
	Pager   page.Pager
}

type column struct {
	Name, URL string
	Status    page.Tag
	Pick      string
	Files     []page.File
}

// line is one row of the comparison of quotes.
type line struct {
	Label  string
	Values []string
}

type detailPage struct {
	ID       int64
	Title    string
	Status   page.Tag
	Facts    page.Facts
	Text     string
	Errors   page.ErrorSummary
	Reason   page.Panel
	Result   page.Panel
	Columns  []column
	Orders   []page.Link // of the quotes
	Lines    []line
	AnyFiles bool
	NoQuotes string
	Note     string
	Invited  []InvitationView
	Files    page.FileList
	Course   page.Timeline
	Links    []page.Link
}

type formPage struct {
	ID, Version int64
	Action      string
	Key         string
	Notice      string
	Link        page.Link
	Reason      string
	Errors      page.ErrorSummary
	Kind        page.Field
	Fields      []page.Field
	Named       page.Field
	Kept, Files page.Field
	SavedAt     string
	Discard     string
}

type confirmPage struct {
	Title, Text string
	Facts       page.Facts
	Action      string
	Version     int64
	Quote       int64
	Key         string
	Errors      page.ErrorSummary
	Reason      *page.Field
	Button      string
	Back        string
}

var tones = map[State]page.Tone{Draft: page.Neutral, Review: page.Warning, SentBack: page.Danger, Open: page.Info, Chosen: page.Success, Ended: page.Neutral, Lapsed: page.Neutral}

var quoteTones = map[QuoteState]page.Tone{Live: page.Info, TakenBack: page.Neutral, Won: page.Success, Passed: page.Neutral, Over: page.Neutral}

// Pages adds the hall and the company's pages of the portal.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("demand", sub); err != nil {
		return err
	}
	open := access.Public("需求大厅对所有人公开，不含联系方式、报价和邀请")
	srv.Page("GET", "/demands", open, func(c *fiber.Ctx) error { return s.hallPage(c, p) })
	srv.Page("GET", "/demands/:id<int>", open, func(c *fiber.Ctx) error { return s.hallDetail(c, p) })
	who := access.Only(access.Enterprise)
	srv.Page("GET", "/my/demands", who, func(c *fiber.Ctx) error { return s.minePage(c, p) })
	srv.Page("GET", "/my/demands/new", who, func(c *fiber.Ctx) error { return s.formPage(c, p, nil, nil, nil) })
	srv.Page("POST", "/my/demands/new", who, func(c *fiber.Ctx) error { return s.takeForm(c, p) })
	srv.Page("GET", "/my/demands/:id<int>", who, func(c *fiber.Ctx) error { return s.detailPage(c, p, nil) })
	srv.Page("GET", "/my/demands/:id<int>/edit", who, func(c *fiber.Ctx) error { return s.editPage(c, p) })
	srv.Page("POST", "/my/demands/:id<int>/edit", who, func(c *fiber.Ctx) error { return s.takeForm(c, p) })
	srv.Page("GET", "/my/demands/:id<int>/pick/:quote<int>", who, func(c *fiber.Ctx) error { return s.pickPage(c, p) })
	srv.Page("POST", "/my/demands/:id<int>/pick/:quote<int>", who, func(c *fiber.Ctx) error { return s.takePick(c, p) })
	for name, step := range steps {
		srv.Page("GET", "/my/demands/:id<int>/"+name, who, func(c *fiber.Ctx) error { return s.stepPage(c, p, step, nil) })
		srv.Page("POST", "/my/demands/:id<int>/"+name, who, func(c *fiber.Ctx) error { return s.takeStep(c, p, step) })
	}
	return nil
}

func number(c *fiber.Ctx, name string) int64 {
	id, _ := strconv.ParseInt(c.Params(name), 10, 64) // the route takes digits only; too many of them are no id
	return id
}

func formNumber(c *fiber.Ctx, name string) int64 {
	n, _ := strconv.ParseInt(c.FormValue(name), 10, 64) // what is no number is a version nobody saw
	return n
}

// chosen are the filters in the address of the hall.
type chosen url.Values

// with is the address with one filter changed; any change leads back to the first page.
func (c chosen) with(name, value string) string {
	v := url.Values{}
	for k, x := range c {
		if k != "page" && k != name {
			v[k] = x
		}
	}
	if value != "" {
		v.Set(name, value)
	}
	if len(v) == 0 {
		return "/demands"
	}
	return "/demands?" + v.Encode()
}

func (s *Service) hallPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	at := chosen{}
	for _, name := range []string{"q", "kind", "sort", "page"} {
		if v := strings.TrimSpace(c.Query(name)); v != "" {
			at[name] = []string{v}
		}
	}
	get := func(name string) string { return url.Values(at).Get(name) }
	n, _ := strconv.Atoi(get("page"))
	data := hallPage{Query: get("q"), Empty: page.Empty{Title: "暂时没有符合条件的需求", Text: "可以减少筛选条件，或换一个关键词。", Action: page.Link{Text: "查看全部需求", URL: "/demands"}}}
	if len(at) == 0 {
		data.Empty = page.Empty{Title: "需求大厅还没有需求", Text: "企业发布的需求审核通过后显示在这里，由平台邀请合适的机构报价。", Action: page.Link{Text: "发布需求", URL: "/my/demands/new"}}
	}
	found, err := s.Browse(ctx, access.From(ctx), HallFilter{Query: get("q"), Kind: get("kind"), Sort: Sort(get("sort")), Page: n, Limit: 10})
	if f, ok := fault.As(err); ok && f.Kind == fault.Invalid {
		data.Empty.Title, data.Empty.Text = "无法按此条件查找", f.Message
		found.Page, found.Last = 1, 1
	} else if err != nil {
		return err
	}
	v, err := p.View(c, "需求大厅")
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb, v.Description = "demands", []page.Crumb{{Text: "需求大厅"}}, "企业发布的服务和融资需求，机构可以报价"
	v.Meta, v.NoIndex = page.Meta{ColumnName: "需求大厅", ColumnType: "需求"}, get("q") != ""
	if data.Query != "" {
		data.Filters.Chips = append(data.Filters.Chips, page.Chip{Text: "关键词：" + data.Query, Remove: at.with("q", "")})
	}
	g := page.FilterGroup{Label: "需求类别", Options: []page.Link{{Text: "不限", URL: at.with("kind", ""), Current: get("kind") == ""}}}
	for _, k := range s.Kinds {
		g.Options = append(g.Options, page.Link{Text: k.Name, URL: at.with("kind", k.Code), Current: get("kind") == k.Code})
		if get("kind") == k.Code {
			data.Filters.Chips = append(data.Filters.Chips, page.Chip{Text: "需求类别：" + k.Name, Remove: at.with("kind", "")})
		}
	}
	data.Filters.Groups = append(data.Filters.Groups, g)
	if len(data.Filters.Chips) > 0 {
		data.Filters.Clear = "/demands"
	}
	for _, name := range []string{"kind", "sort"} {
		if get(name) != "" {
			data.Hidden = append(data.Hidden, page.Option{Text: name, Value: get(name)})
		}
	}
	data.Bar = page.ListBar{Count: found.Count, Unit: "件需求", Query: data.Query}
	for _, o := range [][2]string{{"", "最新发布"}, {string(ByUntil), "最早截止"}, {string(ByBudget), "预算从高到低"}} {
		data.Bar.Sorts = append(data.Bar.Sorts, page.Link{Text: o[1], URL: at.with("sort", o[0]), Current: get("sort") == o[0]})
	}
	for _, i := range found.Items {
		data.Items = append(data.Items, i.card(data.Query))
	}
	data.Pager = page.NewPager(found.Page, found.Last, func(n int) string {
		if n == 1 {
			return at.with("", "")
		}
		return at.with("page", strconv.Itoa(n))
	})
	return p.Render(c, fiber.StatusOK, "demand/hall", v, data)
}

func (i HallItem) card(query string) page.ItemCard {
	budget := "预算 " + i.Budget
	if i.Lends {
		budget = fmt.Sprintf("需要 %s，%d 个月", i.Budget, i.Term)
	}
	meta := []string{i.KindName, budget, "报价截止 " + shown(i.Until), i.Company}
	if i.Place != "" {
		meta = append(meta, i.Place)
	}
	return page.ItemCard{URL: fmt.Sprintf("/demands/%d", i.ID), Title: i.Title, Query: query, Summary: i.Summary, Meta: meta}
}

func (s *Service) hallDetail(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	d, err := s.Hall(ctx, actor, number(c, "id"))
	if err != nil {
		return err
	}
	v, err := p.View(c, d.Title)
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb = "demands", []page.Crumb{{Text: "需求大厅", URL: "/demands"}, {Text: d.Number}}
	v.Meta, v.Description = page.Meta{ColumnName: "需求大厅", ColumnType: "需求"}, d.Summary
	budget := page.Fact{Label: "预算", Value: d.Budget, Strong: true}
	if d.Lends {
		budget.Label = "需要金额"
	}
	data := hallDetail{Description: d.Description, Head: page.DetailHead{Title: d.Title, Status: page.Tag{Text: "征集报价", Tone: page.Info}, Source: d.Company, PubDate: d.ApprovedAt, Labels: []string{d.KindName},
		Facts: []page.Fact{budget, {Label: "报价截止", Value: shown(d.Until)}, {Label: "希望完成", Value: shown(d.WantedBy)}}},
		Facts: page.Facts{Caption: "需求信息", Items: []page.Fact{{Label: "编号", Value: d.Number}, {Label: "类别", Value: d.KindName}, {Label: "企业", Value: d.Company}}}}
	if d.Lends {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: "使用期限", Value: fmt.Sprintf("%d 个月", d.Term)})
	}
	if d.Place != "" {
		data.Facts.Items = append(data.Facts.Items, page.Fact{Label: "服务地点", Value: d.Place})
	}
	if actor.Party == access.Enterprise {
		if own, err := s.Get(ctx, actor, d.ID); err == nil {
			data.Own = page.Link{Text: "查看报价和进度", URL: fmt.Sprintf("/my/demands/%d", own.ID)}
		} else if fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	data.Bar = &page.ApplyBar{Title: "我也有类似需求", Note: "发布后由平台审核并邀请合适的机构报价", Primary: page.Link{Text: "发布需求", URL: "/my/demands/new"}, Secondary: []page.Link{{Text: "返回需求大厅", URL: "/demands"}}}
	if data.Own.URL != "" {
		data.Bar = &page.ApplyBar{Title: "这是贵企业发布的需求", Note: "机构的报价只有贵企业看得到", Primary: data.Own}
	}
	return p.Render(c, fiber.StatusOK, "demand/hall_detail", v, data)
}
