package content

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// pageSize is how many entries a page of a public list has.
const pageSize = 15

// newFor is how long an entry is called new.
const newFor = 3 * 24 * time.Hour

type listPage struct {
	Title, Text string
	Tabs        []page.Link
	Items       []page.FeedItem
	Empty       page.Empty
	Pager       page.Pager
	Side        []sideBox
}

// sideBox is a short list beside the main one.
type sideBox struct {
	Head  page.SectionHead
	Items []page.Notice
}

type articlePage struct {
	Head  page.ArticleHead
	Text  page.Prose
	Files page.FileList
	Back  page.Link
	Side  []sideBox
}

type helpPage struct {
	Groups []helpGroup
	Empty  page.Empty
}

type helpGroup struct {
	Name  string
	Code  string
	Items []page.Link
}

// addressOf is where readers find an article.
func addressOf(k Kind, id int64) string {
	switch k {
	case Notice:
		return fmt.Sprintf("/notices/%d", id)
	case Help:
		return fmt.Sprintf("/help/%d", id)
	}
	return fmt.Sprintf("/news/%d", id)
}

// Address is where readers of the portal find the article.
func (c Card) Address() string { return addressOf(c.Kind, c.ID) }

// Pages adds the pages of news, notices and help to the portal.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("content", sub); err != nil {
		return err
	}
	everybody := access.Public("已发布的资讯、通知和帮助")
	srv.Page("GET", "/news", everybody, func(c *fiber.Ctx) error { return s.listPage(c, p, News) })
	srv.Page("GET", "/notices", everybody, func(c *fiber.Ctx) error { return s.listPage(c, p, Notice) })
	srv.Page("GET", "/help", everybody, func(c *fiber.Ctx) error { return s.helpPage(c, p) })
	for k, path := range map[Kind]string{News: "/news/:id<int>", Notice: "/notices/:id<int>", Help: "/help/:id<int>"} {
		srv.Page("GET", path, everybody, func(c *fiber.Ctx) error {
			a, err := s.Open(c.UserContext(), access.From(c.UserContext()), idOf(c, "id"))
			if err != nil {
				return err
			}
			if a.Kind != k {
				return ErrNotFound
			}
			return s.articlePage(c, p, a, page.Flash{})
		})
	}
	srv.Page("GET", "/content/:id<int>/preview", access.Require(PermEdit, PermPublish), func(c *fiber.Ctx) error {
		a, err := s.Preview(c.UserContext(), access.From(c.UserContext()), idOf(c, "id"))
		if err != nil {
			return err
		}
		return s.articlePage(c, p, a, page.Flash{Tone: page.Info, Text: "这是预览，只有内容编辑和审核人员能看到；发布后的页面与此相同"})
	})
	srv.Download("/content/:id<int>/files/:file<int>", access.Public("已发布内容的附件"), s.attachment)
	return nil
}

// idOf reads a number of the address; 0 when it is none, which no object has.
func idOf(c *fiber.Ctx, name string) int64 {
	id, _ := strconv.ParseInt(c.Params(name), 10, 64)
	return id
}

// attachment opens a file for readers. They may keep it, and ask each time: taken down means gone.
func (s *Service) attachment(c *fiber.Ctx) (web.Download, error) {
	d, err := s.Attachment(c.UserContext(), access.From(c.UserContext()), idOf(c, "id"), idOf(c, "file"))
	d.Keep = true
	return d, err
}

var listTexts = map[Kind][3]string{ // title, text, address
	News:   {"资讯中心", "要闻、政策解读、惠企动态、活动培训和企业故事", "/news"},
	Notice: {"通知公告", "平台运行、申报受理和服务安排，到期自动撤下", "/notices"},
	Help:   {"帮助中心", "按步骤说明平台的每一项操作", "/help"},
}

func (s *Service) listPage(c *fiber.Ctx, p *web.Pages, k Kind) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	texts := listTexts[k]
	column, ok := columnOf(k, c.Query("column"))
	if !ok && c.Query("column") != "" {
		return ErrNotFound
	}
	n := 1
	if q := c.Query("page"); q != "" {
		var err error
		if n, err = strconv.Atoi(q); err != nil || n < 1 || n > page.MaxPage {
			return ErrNotFound
		}
	}
	found, err := s.Count(ctx, actor, k, column.Code, page.MaxPage*pageSize)
	if err != nil {
		return err
	}
	last := (found + pageSize - 1) / pageSize
	if n > 1 && n > last {
		return ErrNotFound
	}
	cards, _, err := s.Read(ctx, actor, ReadFilter{Kind: k, Column: column.Code, Page: n, Limit: pageSize})
	if err != nil {
		return err
	}
	title := texts[0]
	crumbs := []page.Crumb{{Text: texts[0]}}
	if k == News && column.Code != "" {
		title, crumbs = column.Name, []page.Crumb{{Text: texts[0], URL: texts[2]}, {Text: column.Name}}
	}
	v, err := p.View(c, title)
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb, v.Description = "news", crumbs, texts[1]
	v.Meta = page.Meta{ColumnName: title, ColumnType: typeOf(k, column)}
	address := func(code string, n int) string {
		q := url.Values{}
		if code != "" {
			q.Set("column", code)
		}
		if n > 1 {
			q.Set("page", strconv.Itoa(n))
		}
		if len(q) == 0 {
			return texts[2]
		}
		return texts[2] + "?" + q.Encode()
	}
	data := listPage{Title: title, Text: texts[1], Pager: page.NewPager(n, last, func(n int) string { return address(column.Code, n) })}
	if k == News {
		data.Tabs = append(data.Tabs, page.Link{Text: "全部", URL: address("", 1), Current: column.Code == ""})
		for _, col := range Columns(News) {
			data.Tabs = append(data.Tabs, page.Link{Text: col.Name, URL: address(col.Code, 1), Current: col.Code == column.Code})
		}
	}
	for _, card := range cards {
		data.Items = append(data.Items, s.feedItem(card, column.Code == ""))
	}
	data.Empty = page.Empty{Title: "这个栏目还没有内容", Text: "新内容发布后会出现在这里。", Action: page.Link{Text: "查看全部资讯", URL: "/news"}}
	if k == Notice {
		data.Empty = page.Empty{Title: "目前没有有效的通知", Text: "过期的通知会自动撤下；平台运行和申报受理的新安排会在这里发布。", Action: page.Link{Text: "查看资讯", URL: "/news"}}
	}
	others := []Kind{Notice, Help}
	if k == Notice {
		others = []Kind{News, Help}
	}
	if data.Side, err = s.sides(ctx, actor, others...); err != nil {
		return err
	}
	return p.Render(c, fiber.StatusOK, "content/list", v, data)
}

// typeOf is the sort of column for the page labels.
func typeOf(k Kind, column Column) string {
	if column.Type != "" {
		return column.Type
	}
	return Columns(k)[0].Type
}

func (s *Service) feedItem(card Card, named bool) page.FeedItem {
	i := page.FeedItem{URL: card.Address(), Title: card.Title, Summary: card.Summary, When: card.PublishAt, Source: card.Source, Top: card.Top}
	if named && card.Kind == News {
		i.Label = card.ColumnName
	}
	return i
}

// sides are the short lists beside a page. A kind without anything is left out.
func (s *Service) sides(ctx context.Context, actor access.Actor, kinds ...Kind) ([]sideBox, error) {
	var out []sideBox
	for _, k := range kinds {
		list, err := s.Latest(ctx, actor, k, 5)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			continue
		}
		texts := listTexts[k]
		box := sideBox{Head: page.SectionHead{Title: texts[0], More: page.Link{Text: "更多", URL: texts[2]}}, Items: list}
		if k == Help {
			for i := range box.Items {
				box.Items[i].When, box.Items[i].New = time.Time{}, false
			}
		}
		out = append(out, box)
	}
	return out, nil
}

// Latest returns the newest of a kind as the home page lists them, those set on top first.
func (s *Service) Latest(ctx context.Context, actor access.Actor, k Kind, n int) ([]page.Notice, error) {
	cards, _, err := s.Read(ctx, actor, ReadFilter{Kind: k, Limit: n})
	if err != nil {
		return nil, err
	}
	out := make([]page.Notice, 0, len(cards))
	for _, card := range cards {
		i := page.Notice{Title: card.Title, URL: card.Address(), When: card.PublishAt, New: s.clock.Now().Sub(card.PublishAt) < newFor}
		if k == News {
			i.Label = card.ColumnName
		}
		out = append(out, i)
	}
	return out, nil
}

func (s *Service) articlePage(c *fiber.Ctx, p *web.Pages, a Page, flash page.Flash) error {
	v, err := p.View(c, a.Title)
	if err != nil {
		return err
	}
	column, _ := columnOf(a.Kind, a.Column)
	texts := listTexts[a.Kind]
	v.Active, v.Flash, v.NoIndex, v.Description = "news", flash, flash.Text != "", a.Summary
	v.Breadcrumb = []page.Crumb{{Text: texts[0], URL: texts[2]}, {Text: "正文"}}
	if a.Kind == News {
		v.Breadcrumb = []page.Crumb{{Text: texts[0], URL: texts[2]}, {Text: column.Name, URL: "/news?column=" + column.Code}, {Text: "正文"}}
	}
	if a.Kind == Help {
		v.Active = "help"
	}
	v.Meta = page.Meta{ColumnName: column.Name, ColumnType: column.Type, ArticleTitle: a.Title,
		PubDate: a.PublishAt.In(clock.Beijing).Format("2006-01-02 15:04"), ContentSource: a.Source}
	data := articlePage{
		Head: page.ArticleHead{Title: a.Title, Source: a.Source, When: a.PublishAt, Label: column.Name},
		Text: page.ProseOf(a.Blocks), Back: page.Link{Text: "返回" + texts[0], URL: texts[2]},
	}
	if a.Kind == Notice {
		data.Head.Label = ""
		if a.ExpiresAt != nil {
			data.Head.Until = *a.ExpiresAt
		}
	}
	if len(a.Files) > 0 {
		data.Files.Title = "附件下载"
		for _, f := range a.Files {
			data.Files.Files = append(data.Files.Files, page.Attachment(f.Name, f.URL, f.Size, f.State))
		}
	}
	if data.Side, err = s.beside(c.UserContext(), a); err != nil {
		return err
	}
	return p.Render(c, fiber.StatusOK, "content/article", v, data)
}

// beside lists what else the column of an article has, and the notices.
func (s *Service) beside(ctx context.Context, a Page) ([]sideBox, error) {
	actor := access.From(ctx)
	cards, _, err := s.Read(ctx, actor, ReadFilter{Kind: a.Kind, Column: a.Column, Limit: 7})
	if err != nil {
		return nil, err
	}
	name, all := a.ColumnName, listTexts[a.Kind][2]
	if a.Kind == News {
		all += "?column=" + a.Column
	}
	if a.Kind == Help {
		all += "#" + a.Column
	}
	box := sideBox{Head: page.SectionHead{Title: name, More: page.Link{Text: "更多", URL: all}}}
	for _, card := range cards {
		if card.ID == a.ID || len(box.Items) == 6 {
			continue
		}
		n := page.Notice{Title: card.Title, URL: card.Address(), When: card.PublishAt}
		if a.Kind == Help {
			n.When = time.Time{}
		}
		box.Items = append(box.Items, n)
	}
	var out []sideBox
	if len(box.Items) > 0 {
		out = append(out, box)
	}
	if a.Kind != News {
		return out, nil
	}
	more, err := s.sides(ctx, actor, Notice)
	return append(out, more...), err
}

// helpLimit bounds the one page of all help.
const helpLimit = 100

func (s *Service) helpPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	cards, _, err := s.Read(ctx, access.From(ctx), ReadFilter{Kind: Help, Limit: helpLimit})
	if err != nil {
		return err
	}
	v, err := p.View(c, listTexts[Help][0])
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb, v.Description = "help", []page.Crumb{{Text: listTexts[Help][0]}}, listTexts[Help][1]
	v.Meta = page.Meta{ColumnName: listTexts[Help][0], ColumnType: typeOf(Help, Column{})}
	data := helpPage{Empty: page.Empty{Title: "帮助正在编写", Text: "现在有疑问，请拨打页面底部的咨询电话。", Action: page.Link{Text: "返回首页", URL: "/"}}}
	for _, col := range Columns(Help) {
		g := helpGroup{Name: col.Name, Code: col.Code}
		for _, card := range cards {
			if card.Column == col.Code {
				g.Items = append(g.Items, page.Link{Text: card.Title, URL: card.Address()})
			}
		}
		if len(g.Items) > 0 {
			data.Groups = append(data.Groups, g)
		}
	}
	return p.Render(c, fiber.StatusOK, "content/help", v, data)
}
