// Package file keeps uploads. A file belongs to its uploader until a command ties it to an object; from then on whoever
// may see the object may read it, and nobody else learns that it exists.
//
// Tables: files. Needs: a word on who may see an object. Announces nothing.
package file

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // decoded only to be refused when broken
	_ "image/jpeg" // the formats a phone's camera makes
	_ "image/png"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/web"
)

// maxSize is the largest file taken.
const maxSize = 20 << 20

// maxPixels bounds what a picture may unpack to.
const maxPixels = 40_000_000

// The faults of an upload.
var (
	ErrEmpty      = fault.New(fault.Invalid, "FILE_EMPTY", "文件是空的，请重新选择").On("file")
	ErrTooLarge   = fault.New(fault.TooLarge, "FILE_TOO_LARGE", fmt.Sprintf("文件超过 %d MB，请压缩后上传", maxSize>>20)).On("file")
	ErrNotAllowed = fault.New(fault.Invalid, "TYPE_NOT_ALLOWED", "只能上传图片（JPG、PNG）、PDF、Word 或 Excel 文件").On("file")
	ErrMismatch   = fault.New(fault.Invalid, "TYPE_MISMATCH", "文件内容与扩展名不符，请上传原始文件").On("file")
	ErrImage      = fault.New(fault.Invalid, "IMAGE_BAD", "图片已损坏或尺寸过大，请重新拍摄或压缩后上传").On("file")
)

type row struct {
	bun.BaseModel `bun:"table:files,alias:f"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Key       string    `bun:"key,notnull,unique"`
	Name      string    `bun:"name,notnull"`
	Mime      string    `bun:"mime,notnull"`
	Size      int64     `bun:"size,notnull"`
	SHA256    string    `bun:"sha256,notnull"`
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

// Service keeps the files in a folder under names nobody can guess.
type Service struct {
	DB    *database.DB
	Clock clock.Clock
	Dir   string
	// CanSee returns nil when the actor may see the object and fault.ErrNotFound otherwise.
	CanSee func(ctx context.Context, actor access.Actor, object string, id int64) error
}

// Save keeps an upload of a signed-in person. The content must be what the extension says.
func (s *Service) Save(ctx context.Context, actor access.Actor, name string, content []byte) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	mime, err := check(name, content)
	if err != nil {
		return View{}, err
	}
	sum := sha256.Sum256(content)
	r := row{Key: secret.Token(), Name: cleanName(name), Mime: mime, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		OwnerID: actor.UserID, CreatedAt: s.Clock.Now()}
	// The content is on disk before the row exists: a row without its content is never seen.
	if err := s.write(r.Key, content); err != nil {
		return View{}, database.ErrStorageFull.Wrap(err)
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&r).Returning("id").Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, r.CreatedAt, audit.Record{Action: "file.upload", Object: "file", ObjectID: r.ID, Summary: "上传文件"})
	})
	if err != nil {
		_ = os.Remove(s.path(r.Key))
		return View{}, err
	}
	return r.view(), nil
}

func (s *Service) path(key string) string { return filepath.Join(s.Dir, key[:2], key) }

func (s *Service) write(key string, content []byte) error {
	path := s.path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "part-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(content); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// kinds are what may be uploaded: the extension, the type, and how its content begins.
var kinds = []struct{ ext, mime, magic string }{
	{".jpg", "image/jpeg", "\xff\xd8\xff"}, {".jpeg", "image/jpeg", "\xff\xd8\xff"}, {".png", "image/png", "\x89PNG\r\n\x1a\n"},
	{".pdf", "application/pdf", "%PDF-"},
	{".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "PK\x03\x04"},
	{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK\x03\x04"},
}

func check(name string, content []byte) (mime string, err error) {
	switch {
	case len(content) == 0:
		return "", ErrEmpty
	case len(content) > maxSize:
		return "", ErrTooLarge
	}
	ext := strings.ToLower(filepath.Ext(name))
	for _, k := range kinds {
		if k.ext != ext {
			continue
		}
		if !bytes.HasPrefix(content, []byte(k.magic)) {
			return "", ErrMismatch
		}
		if strings.HasPrefix(k.mime, "image/") {
			c, _, err := image.DecodeConfig(bytes.NewReader(content))
			if err != nil || c.Width*c.Height > maxPixels {
				return "", ErrImage
			}
			if _, _, err := image.Decode(bytes.NewReader(content)); err != nil {
				return "", ErrImage
			}
		}
		if k.magic == "PK\x03\x04" {
			want := map[string]string{".docx": "word/", ".xlsx": "xl/"}[ext]
			z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
			if err != nil || !holds(z, want) {
				return "", ErrMismatch
			}
		}
		return k.mime, nil
	}
	return "", ErrNotAllowed
}

func holds(z *zip.Reader, folder string) bool {
	for _, f := range z.File {
		if strings.HasPrefix(f.Name, folder) {
			return true
		}
	}
	return false
}

// cleanName keeps what a person recognises the file by: no folders, no invisible characters, at most 100 characters.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimLeft(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name), ". ")
	ext := filepath.Ext(name)
	base := []rune(strings.TrimSuffix(name, ext))
	if len(base) > 100 {
		base = base[:100]
	}
	if len(base) == 0 {
		base = []rune("文件")
	}
	return string(base) + ext
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

// Read returns a file's content to its uploader or to whoever may see the object it is tied to.
func (s *Service) Read(ctx context.Context, actor access.Actor, id int64) (View, []byte, error) {
	if !actor.SignedIn() {
		return View{}, nil, fault.ErrUnauthorized
	}
	var r row
	if err := s.DB.Read().NewSelect().Model(&r).Where("id = ?", id).Scan(ctx); err != nil {
		return View{}, nil, database.Found(err)
	}
	if r.Object == "" {
		if r.OwnerID != actor.UserID {
			return View{}, nil, fault.ErrNotFound
		}
	} else if err := s.CanSee(ctx, actor, r.Object, r.ObjectID); err != nil {
		return View{}, nil, err
	}
	content, err := os.ReadFile(s.path(r.Key))
	return r.view(), content, err
}

// API adds the routes.
func (s *Service) API(srv *web.Server) {
	srv.Raw("POST", "/api/files", access.SignedIn(), func(c *fiber.Ctx) error {
		h, err := c.FormFile("file")
		if err != nil {
			return fault.New(fault.BadRequest, "BAD_FORM", "没有收到文件，请重新选择后上传").On("file")
		}
		if h.Size > maxSize {
			return ErrTooLarge
		}
		f, err := h.Open()
		if err != nil {
			return err
		}
		defer f.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(f); err != nil {
			return err
		}
		v, err := s.Save(c.UserContext(), access.From(c.UserContext()), h.Filename, b.Bytes())
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
		v, content, err := s.Read(c.UserContext(), access.From(c.UserContext()), int64(id))
		if err != nil {
			return err
		}
		// Never rendered in our origin, except pictures that were decoded when they came in.
		kind := "attachment"
		if strings.HasPrefix(v.Mime, "image/") {
			kind = "inline"
		}
		c.Set(fiber.HeaderContentType, v.Mime)
		c.Set(fiber.HeaderContentDisposition, kind+"; filename*=UTF-8''"+url.PathEscape(v.Name))
		c.Set(fiber.HeaderCacheControl, "private, no-store")
		return c.Send(content)
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
