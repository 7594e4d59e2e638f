package server

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/content"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/web"
)

// joinContent makes the articles.
func (h *house) joinContent(uploads *file.Service) {
	h.content = content.New(content.Deps{DB: h.db, Clock: h.clock, Files: contentFiles{uploads}})
	h.sees[content.Object] = h.content.Sees
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
func (f contentFiles) Open(ctx context.Context, id int64) (web.Download, error) {
	return f.Read(ctx, access.SystemActor("content"), id)
}
