package portal

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Mine is what 我的 shows of a company's own affairs.
type Mine struct {
	// Company tells how the company of the actor stands.
	Company func(ctx context.Context, actor access.Actor) (Company, error)
	// Unread counts the messages the actor has not read.
	Unread func(ctx context.Context, actor access.Actor) (int, error)
	Cases  []CaseList
}

// Company is the state of the company a person acts for.
type Company struct {
	Name   string
	State  page.Tag
	Text   string    // what the state means for her
	Action page.Link // what to do next; may be empty
}

// CaseList is one kind of cases: 我的诉求, 我的申请.
type CaseList struct {
	Title string
	All   string // address of the whole list
	New   page.Link
	Empty string // said when there is none
	Load  func(ctx context.Context, actor access.Actor, n int) ([]page.ItemCard, error)
}

// myCases is how many cases of a kind the page shows.
const myCases = 5

type myPage struct {
	Company  *Company
	Messages *myMessages
	Cases    []myCaseList
}

type myMessages struct {
	Unread int
	URL    string
}

type myCaseList struct {
	Head  page.SectionHead
	New   page.Link
	Items []page.ItemCard
	Empty string
	Fault bool // could not be loaded
}

func (p *Portal) my(c *fiber.Ctx, pages *web.Pages) error {
	ctx := c.UserContext()
	actor := access.From(ctx)
	v, err := pages.View(c, "我的")
	if err != nil {
		return err
	}
	v.Active, v.ActiveMe, v.NoIndex, v.Breadcrumb = "my", "my", true, []page.Crumb{{Text: "我的"}}
	data := myPage{}
	mine := p.parts.Mine
	if mine.Company != nil {
		company, err := mine.Company(ctx, actor)
		if err != nil {
			p.parts.Log.ErrorContext(ctx, "the company is missing on 我的", "error", err)
		} else {
			data.Company = &company
		}
	}
	if mine.Unread != nil {
		n, err := mine.Unread(ctx, actor)
		if err != nil {
			p.parts.Log.ErrorContext(ctx, "the messages are missing on 我的", "error", err)
		} else {
			data.Messages = &myMessages{Unread: n, URL: pages.Renderer.Links().Messages}
		}
	}
	for _, l := range mine.Cases {
		list := myCaseList{Head: page.SectionHead{Title: l.Title}, New: l.New, Empty: l.Empty}
		if list.Items, err = l.Load(ctx, actor, myCases); err != nil {
			p.parts.Log.ErrorContext(ctx, "cases are missing on 我的", "cases", l.Title, "error", err)
			list.Fault = true
		}
		if len(list.Items) > 0 {
			list.Head.More = page.Link{Text: "全部", URL: l.All}
		}
		data.Cases = append(data.Cases, list)
	}
	return pages.Render(c, fiber.StatusOK, "portal/my", v, data)
}
