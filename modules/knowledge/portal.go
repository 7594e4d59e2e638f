package knowledge

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

//go:embed templates/*.html
var templates embed.FS

// publicMost is how many answers one page of the portal shows: the fittest for what was asked, or those used most.
const publicMost = 20

type answersPage struct {
	Query, Error, Note string
	Items              []page.ItemCard
	Empty              page.Empty
}

type answerPage struct {
	Title, Question string
	Text            page.Prose
	Facts           page.Facts
}

// Pages adds what everybody may read of the knowledge base to the portal.
func (s *Service) Pages(srv *web.Server, p *web.Pages) error {
	sub, err := fs.Sub(templates, "templates")
	if err != nil {
		return err
	}
	if err := p.Renderer.Parse("knowledge", sub); err != nil {
		return err
	}
	open := access.Public("公开的知识条目")
	srv.Page("GET", "/answers", open, func(c *fiber.Ctx) error { return s.answersPage(c, p) })
	srv.Page("GET", "/answers/:id<int>", open, func(c *fiber.Ctx) error { return s.answerPage(c, p) })
	return nil
}

func (s *Service) answersPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	data := answersPage{Query: strings.TrimSpace(c.Query("q")), Empty: page.Empty{Title: "常见问答正在整理", Text: "现在有疑问，可以提交诉求，由工作人员答复。"}}
	status := fiber.StatusOK
	list, err := s.Public(ctx, access.From(ctx), FindFilter{Query: data.Query, Limit: publicMost})
	if f, ok := fault.As(err); ok && f.Kind == fault.Invalid {
		data.Error, status = f.Message, fiber.StatusUnprocessableEntity
	} else if err != nil {
		return err
	}
	switch {
	case data.Query != "":
		data.Empty = page.Empty{Title: "没有找到相关的问答", Text: "可以换一个词再试，或提交诉求，由工作人员答复。"}
	case len(list) == publicMost:
		data.Note = fmt.Sprintf("以下是最常用的 %d 条，其他问题请输入关键词搜索", publicMost)
	}
	for _, k := range list {
		data.Items = append(data.Items, k.card())
	}
	v, err := p.View(c, "常见问答")
	if err != nil {
		return err
	}
	v.Active, v.Breadcrumb = "help", []page.Crumb{{Text: "帮助中心", URL: "/help"}, {Text: "常见问答"}}
	v.Description = "热线坐席常用的答复口径"
	return p.Render(c, status, "knowledge/list", v, data)
}

// card is the entry in a list of the portal, with what was searched for marked.
func (f Found) card() page.ItemCard {
	c := page.ItemCard{URL: fmt.Sprintf("/answers/%d", f.ID), Title: f.Title}
	if f.CategoryName != "" {
		c.Meta = append(c.Meta, f.CategoryName)
	}
	c.Meta = append(c.Meta, f.Source.Title)
	var hits []string
	for _, of := range [][]search.Piece{f.Marks, f.Excerpt} {
		for _, piece := range of {
			if piece.Hit {
				hits = append(hits, piece.Text)
			}
		}
	}
	for _, piece := range f.Excerpt {
		c.Summary += piece.Text
	}
	c.Query = strings.Join(hits, " ")
	return c
}

func (s *Service) answerPage(c *fiber.Ctx, p *web.Pages) error {
	ctx := c.UserContext()
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return fault.ErrNotFound
	}
	k, err := s.Open(ctx, access.From(ctx), id)
	if err != nil {
		return err
	}
	v, err := p.View(c, k.Title)
	if err != nil {
		return err
	}
	v.Active, v.Description = "help", k.Question
	v.Breadcrumb = []page.Crumb{{Text: "帮助中心", URL: "/help"}, {Text: "常见问答", URL: "/answers"}, {Text: k.Title}}
	source := k.Source.Title
	if k.Source.Number != "" {
		source += "（" + k.Source.Number + "）"
	}
	facts := []page.Fact{{Label: "依据", Value: source}, {Label: "答复单位", Value: k.UnitName}}
	if k.ValidUntil != "" {
		facts = append(facts, page.Fact{Label: "有效期至", Value: showDay(k.ValidUntil)})
	}
	return p.Render(c, fiber.StatusOK, "knowledge/detail", v, answerPage{Title: k.Title, Question: k.Question, Text: page.ProseOf(k.Blocks),
		Facts: page.Facts{Caption: "依据和有效期", Items: facts}})
}
