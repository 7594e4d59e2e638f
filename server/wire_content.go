package server

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/portal"
	"github.com/huiqi/huiqi/modules/ticket"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/web/page"
)

// joinContent makes the articles.
func (h *house) joinContent(uploads *file.Service) {
	h.content = content.New(content.Deps{DB: h.db, Clock: h.clock, Files: contentFiles{uploads}})
	h.sees[content.Object] = h.content.Sees
}

// portalOf joins what the modules give to the portal's own pages. What a module does not give does not appear.
func (h *house) portalOf(p parts) *portal.Portal {
	visitor := access.Actor{Party: access.Anonymous}
	return portal.New(portal.Parts{
		Log: p.log, Clock: p.clock,
		NewsCards: func(ctx context.Context, n int) ([]page.Notice, error) {
			return h.content.Latest(ctx, visitor, content.News, n)
		},
		NoticeCards: func(ctx context.Context, n int) ([]page.Notice, error) {
			return h.content.Latest(ctx, visitor, content.Notice, n)
		},
		Sources: []portal.Source{
			h.contentSource("news", "资讯公告", content.News, content.Notice),
			h.contentSource("help", "帮助", content.Help),
		},
		Mine: portal.Mine{
			Cases: []portal.CaseList{{
				Title: "我的诉求", All: "/tickets", New: page.Link{Text: "提交诉求", URL: "/tickets/new"},
				Empty: "还没有提交过诉求。遇到政策、审批、用工、水电气热等方面的问题，都可以提出。", Load: h.myTickets,
			}},
		},
	})
}

// contentSource lets the portal's search look through articles.
func (h *house) contentSource(key, name string, kinds ...content.Kind) portal.Source {
	return portal.Source{
		Key: key, Name: name,
		Search: func(ctx context.Context, actor access.Actor, q string, limit int) ([]portal.Hit, error) {
			words, err := search.Parse(q)
			if err != nil {
				return nil, err
			}
			found, err := h.content.Search(ctx, actor, words, limit, kinds...)
			hits := make([]portal.Hit, 0, len(found))
			for _, f := range found {
				hit := portal.Hit{Title: f.Title, URL: f.Address(), Summary: f.Text, Meta: []string{f.ColumnName}}
				if f.Kind != content.Help {
					hit.Meta = append(hit.Meta, page.Date(f.PublishAt), "来源："+f.Source)
				}
				hits = append(hits, hit)
			}
			return hits, err
		},
		Count: func(ctx context.Context, actor access.Actor, q string, limit int) (int, error) {
			words, err := search.Parse(q)
			if err != nil {
				return 0, err
			}
			return h.content.CountFound(ctx, actor, words, limit, kinds...)
		},
	}
}

// myTickets lists the actor's latest requests for 我的.
func (h *house) myTickets(ctx context.Context, actor access.Actor, n int) ([]page.ItemCard, error) {
	items, _, err := h.tickets.List(ctx, actor, ticket.ListFilter{Limit: n})
	cards := make([]page.ItemCard, 0, len(items))
	for _, i := range items {
		cards = append(cards, i.Card())
	}
	return cards, err
}

// contentFiles lets articles keep files.
type contentFiles struct{ *file.Service }

var _ content.Files = contentFiles{}

// Of lists the files of an object.
func (f contentFiles) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]content.FileView, error) {
	views, err := f.Service.Of(ctx, db, object, id)
	list := make([]content.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, content.FileView(v))
	}
	return list, err
}

// Open opens a file of an article that the asker may see; the article's module has established that.
func (f contentFiles) Open(ctx context.Context, id int64) (content.File, error) {
	v, inline, object, err := f.Service.Read(ctx, access.SystemActor("content"), id)
	if err != nil {
		return content.File{}, err
	}
	return content.File{ReadCloser: object, Name: v.Name, Mime: v.Mime, Size: v.Size, Inline: inline}, nil
}
