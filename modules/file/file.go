// Package file keeps uploads. A file belongs to its uploader until a command ties it to an object; from then on whoever
// may see the object may read it, and nobody else learns that it exists.
//
// Tables: files. Needs: a word on who may see an object. Announces nothing.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/web"
)

type row struct {
	bun.BaseModel `bun:"table:files,alias:f"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Key       string    `bun:"key,notnull,unique"`
	Name      string    `bun:"name,notnull"`
	Mime      string    `bun:"mime,notnull"`
	Size      int64     `bun:"size,notnull"`
	SHA256    string    `bun:"sha256,notnull"`
	Inline    bool      `bun:"inline,notnull"` // may be shown in our origin
	OwnerID   int64     `bun:"owner_id,notnull"`
	Object    string    `bun:"object,notnull"` // "" until a command ties it
	ObjectID  int64     `bun:"object_id,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
}

// View is a file as it is listed.
type View struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Mime string `json:"mime"`
	URL  string `json:"url"`
}

func (r row) view() View {
	return View{r.ID, r.Name, r.Size, r.Mime, fmt.Sprintf("/api/files/%d", r.ID)}
}

// Service keeps the files in a store under names nobody can guess.
type Service struct {
	DB    *database.DB
	Clock clock.Clock
	Store *files.Store
	// CanSee returns nil when the actor may see the object and fault.ErrNotFound otherwise.
	CanSee func(ctx context.Context, actor access.Actor, object string, id int64) error
}

// Save keeps an upload of a signed-in person. The content must be what the extension says and allowed for the purpose.
func (s *Service) Save(ctx context.Context, actor access.Actor, purpose, name string, content io.Reader) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	// The content is on disk before the row exists: a row without its content is never seen.
	stored, err := s.Store.Put(ctx, content, name, purpose)
	if err != nil {
		return View{}, err
	}
	r := row{Key: stored.Key, Name: stored.Name, Mime: stored.MIME, Size: stored.Size, SHA256: stored.SHA256, Inline: stored.Inline(),
		OwnerID: actor.UserID, CreatedAt: s.Clock.Now()}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&r).Returning("id").Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, r.CreatedAt, audit.Record{Action: "file.upload", Object: "file", ObjectID: r.ID, Summary: "上传文件"})
	})
	if err != nil {
		return View{}, errors.Join(err, s.Store.Delete(context.WithoutCancel(ctx), r.Key))
	}
	return r.view(), nil
}

// Claim ties the actor's own upload to an object, in the transaction of the command that names it. A file of somebody
// else, or one tied already, is not found.
func (s *Service) Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error {
	res, err := tx.NewUpdate().Model((*row)(nil)).Set("object = ?", object).Set("object_id = ?", objectID).
		Where("id = ? AND owner_id = ? AND object = ''", fileID, actor.UserID).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return fault.ErrNotFound
	}
	return nil
}

// Of lists the files of an object. The caller has established that the asker may see it.
func (s *Service) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]View, error) {
	var rows []row
	if err := db.NewSelect().Model(&rows).Where("object = ? AND object_id = ?", object, id).OrderExpr("id").Limit(200).Scan(ctx); err != nil {
		return nil, err
	}
	views := make([]View, 0, len(rows))
	for _, r := range rows {
		views = append(views, r.view())
	}
	return views, nil
}

// Read opens a file for its uploader or for whoever may see the object it is tied to. The caller closes it.
func (s *Service) Read(ctx context.Context, actor access.Actor, id int64) (view View, inline bool, content files.Object, err error) {
	if !actor.SignedIn() {
		return View{}, false, nil, fault.ErrUnauthorized
	}
	var r row
	if err := s.DB.Read().NewSelect().Model(&r).Where("id = ?", id).Scan(ctx); err != nil {
		return View{}, false, nil, database.Found(err)
	}
	if r.Object == "" {
		if r.OwnerID != actor.UserID {
			return View{}, false, nil, fault.ErrNotFound
		}
	} else if err := s.CanSee(ctx, actor, r.Object, r.ObjectID); err != nil {
		return View{}, false, nil, err
	}
	content, err = s.Store.Open(ctx, r.Key)
	return r.view(), r.Inline, content, err
}

// purposeOf is what a form may upload for: a licence keeps to pictures and PDF. Everything else is an attachment.
func purposeOf(named string) string {
	if named == "licence" {
		return named
	}
	return "attachment"
}

// API adds the routes.
func (s *Service) API(srv *web.Server) {
	srv.Raw("POST", "/api/files", access.SignedIn(), func(c *fiber.Ctx) error {
		h, err := c.FormFile("file")
		if err != nil {
			return fault.New(fault.BadRequest, "BAD_FORM", "没有收到文件，请重新选择后上传").On("file")
		}
		f, err := h.Open()
		if err != nil {
			return err
		}
		defer f.Close()
		v, err := s.Save(c.UserContext(), access.From(c.UserContext()), purposeOf(c.FormValue("purpose")), h.Filename, f)
		if err != nil {
			return err
		}
		return c.Status(http.StatusCreated).JSON(v)
	})
	srv.Raw("GET", "/api/files/:id<int>", access.SignedIn(), func(c *fiber.Ctx) error {
		id, err := c.ParamsInt("id")
		if err != nil {
			return fault.ErrNotFound
		}
		v, inline, content, err := s.Read(c.UserContext(), access.From(c.UserContext()), int64(id))
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, v.Mime)
		c.Set(fiber.HeaderContentDisposition, files.ContentDisposition(v.Name, inline))
		c.Set(fiber.HeaderCacheControl, "private, no-store")
		return c.SendStream(content, int(v.Size)) // closes it
	})
}

type row20261104 struct {
	bun.BaseModel `bun:"table:files"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Key       string    `bun:"key,notnull,unique"`
	Name      string    `bun:"name,notnull"`
	Mime      string    `bun:"mime,notnull"`
	Size      int64     `bun:"size,notnull"`
	SHA256    string    `bun:"sha256,notnull"`
	Inline    bool      `bun:"inline,notnull"` // may be shown in our origin
	OwnerID   int64     `bun:"owner_id,notnull"`
	Object    string    `bun:"object,notnull"`
	ObjectID  int64     `bun:"object_id,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261104100000_files",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*row20261104)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "CREATE INDEX files_object ON files (object, object_id)")
	},
}}
