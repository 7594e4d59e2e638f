package catalog

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// ObjectFile is the name of a file of a product in file links: who may read it depends on the editions that have it.
const ObjectFile = "product_file"

// maxAttached is how many attachments an edition has beside its picture.
const maxAttached = 5

// Files keeps uploads.
type Files interface {
	// Claim ties a file of the actor's own to an object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	// Known returns what is known of those of the files that the actor may read.
	Known(ctx context.Context, actor access.Actor, ids []int64) (map[int64]FileRef, error)
	// Open opens a file; the catalogue has established that the asker may.
	Open(ctx context.Context, id int64) (web.Download, error)
	// Small makes a JPEG of width by height pixels of a picture; the catalogue has established that the asker may see it.
	Small(ctx context.Context, id int64, width, height int) ([]byte, error)
}

// FileRef is a file of an edition.
type FileRef struct {
	ID   int64  `json:"id"`
	Name string `json:"name,omitempty" doc:"The program says it, as the rest."`
	Size int64  `json:"size,omitempty"`
	Mime string `json:"mime,omitempty"`
}

// fileRefs are kept as JSON text on both databases.
type fileRefs []FileRef

// Value writes them.
func (l fileRefs) Value() (driver.Value, error) {
	b, err := l.MarshalJSON()
	return string(b), err
}

// MarshalJSON writes no files as an empty list.
func (l fileRefs) MarshalJSON() ([]byte, error) { return json.Marshal(append([]FileRef{}, l...)) }

// Scan reads them.
func (l *fileRefs) Scan(src any) error { return scanJSON(src, (*[]FileRef)(l)) }

func (l fileRefs) has(id int64) bool {
	return slices.ContainsFunc(l, func(f FileRef) bool { return f.ID == id })
}

// names are the names for the difference; a file that was uploaded anew under its old name is another one.
func (l fileRefs) names(before fileRefs) string {
	var out []string
	for _, f := range l {
		name := f.Name
		if !before.has(f.ID) && slices.ContainsFunc(before, func(b FileRef) bool { return b.Name == f.Name }) {
			name += "（重新上传）"
		}
		out = append(out, name)
	}
	return strings.Join(out, "\n")
}

// all are the files of an edition.
func (c Content) all() fileRefs { return slices.Concat(c.Cover, c.Files) }

// PublicFile is a file of a public edition.
type PublicFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	URL  string `json:"url"`
}

func publicURL(product, file int64) string {
	return fmt.Sprintf("/products/%d/files/%d", product, file)
}

// cover is the address of the picture, "" without one.
func (d *dossier) cover() string {
	for _, f := range d.public.Cover {
		return publicURL(d.ID, f.ID)
	}
	return ""
}

// publicFiles are the attachments of the public edition.
func (d *dossier) publicFiles() []PublicFile {
	out := []PublicFile{}
	for _, f := range d.public.Files {
		out = append(out, PublicFile{f.Name, f.Size, publicURL(d.ID, f.ID)})
	}
	return out
}

// named fills in what is known of the files that were named, and says what cannot be taken. Whose they are is asked when they are
// tied to the product.
func (s *Service) named(ctx context.Context, actor access.Actor, c *Content) error {
	var errs []error
	if len(c.Cover) > 1 {
		errs = append(errs, fault.InvalidField("cover", "TOO_MANY", "封面图只能有一张"))
	}
	if len(c.Files) > maxAttached {
		errs = append(errs, fault.InvalidField("files", "TOO_MANY", fmt.Sprintf("附件最多 %d 个，现有 %d 个，请删减", maxAttached, len(c.Files))))
	}
	if err := fault.Merge(errs...); err != nil || len(c.Cover)+len(c.Files) == 0 {
		return err
	}
	known := map[int64]FileRef{}
	if s.Files != nil {
		var ids []int64
		for _, f := range c.all() {
			ids = append(ids, f.ID)
		}
		var err error
		if known, err = s.Files.Known(ctx, actor, ids); err != nil {
			return fmt.Errorf("files of a product: %w", err)
		}
	}
	seen := map[int64]bool{}
	take := func(field string, list fileRefs, fits func(mime string) bool, otherwise string) fileRefs {
		out := fileRefs{}
		for _, f := range list {
			is, ok := known[f.ID]
			switch {
			case !ok || seen[f.ID]:
				errs = append(errs, errGone(field))
			case !fits(is.Mime):
				errs = append(errs, fault.InvalidField(field, "FILE_KIND", "“"+is.Name+"”"+otherwise))
			default:
				seen[f.ID] = true
				out = append(out, is)
			}
		}
		return out
	}
	picture := func(mime string) bool { return strings.HasPrefix(mime, "image/") }
	c.Cover = take("cover", c.Cover, picture, "不是图片，封面图请上传 jpg 或 png 图片")
	c.Files = take("files", c.Files, func(mime string) bool { return picture(mime) || mime == "application/pdf" }, "不能作为附件，请上传 PDF 或图片")
	return fault.Merge(errs...)
}

func errGone(field string) error {
	return fault.InvalidField(field, "FILE_GONE", "文件不存在或已用于别处，请移除后重新上传")
}

type fileRow struct {
	bun.BaseModel `bun:"table:product_files,alias:pf"`

	ID        int64 `bun:"id,pk,autoincrement"`
	ProductID int64 `bun:"product_id,notnull"`
	FileID    int64 `bun:"file_id,notnull"`
}

// keepFiles ties the files of the newest edition to the product, those that are not yet.
func (s *Service) keepFiles(ctx context.Context, tx bun.Tx, actor access.Actor, d *dossier) error {
	all := d.newest.all()
	if len(all) == 0 {
		return nil
	}
	var tied []int64
	if err := tx.NewSelect().Model((*fileRow)(nil)).Column("file_id").Where("pf.product_id = ?", d.ID).Scan(ctx, &tied); err != nil {
		return fmt.Errorf("files of product %d: %w", d.ID, err)
	}
	for _, f := range all {
		if slices.Contains(tied, f.ID) {
			continue
		}
		field := "files"
		if d.newest.Cover.has(f.ID) {
			field = "cover"
		}
		r := fileRow{ProductID: d.ID, FileID: f.ID}
		if _, err := tx.NewInsert().Model(&r).ExcludeColumn("id").Returning("id").Exec(ctx); database.IsDuplicate(err) {
			return errGone(field)
		} else if err != nil {
			return fmt.Errorf("file %d of product %d: %w", f.ID, d.ID, err)
		}
		if err := s.Files.Claim(ctx, tx, actor, f.ID, ObjectFile, r.ID); fault.KindOf(err) == fault.NotFound {
			return errGone(field)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// SeesFile returns nil when the actor may read the file of a product, ErrNotFound when they may not: those who work on the
// product read all of its files, everybody else those of the public edition.
func (s *Service) SeesFile(ctx context.Context, actor access.Actor, id int64) error {
	db := s.DB.Read()
	r := new(fileRow)
	if err := db.NewSelect().Model(r).Where("pf.id = ?", id).Scan(ctx); err != nil {
		return database.Found(err)
	}
	now := s.Clock.Now()
	d, err := find(ctx, db, visible(actor, now), r.ProductID)
	if err != nil {
		return err
	}
	if isDesk(actor) || isOwner(actor, d.Product) || d.public != nil && d.public.all().has(r.FileID) {
		return nil
	}
	return ErrNotFound
}

// PublicFile opens a file of the public edition of a product, whoever asks; ErrNotFound for any other.
func (s *Service) PublicFile(ctx context.Context, _ access.Actor, id, fileID int64) (web.Download, error) {
	d, err := find(ctx, s.DB.Read(), public(s.Clock.Now()), id)
	if err != nil {
		return web.Download{}, err
	}
	if s.Files == nil || !d.public.all().has(fileID) {
		return web.Download{}, ErrNotFound
	}
	return s.Files.Open(ctx, fileID)
}
