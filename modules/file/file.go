// Package file keeps uploads. A file belongs to its uploader until a command ties it to an object; from then on whoever
// may see the object may read it, and nobody else learns that it exists.
//
// A file is available, waits for the scanner, or is quarantined. Where an installation has a scanner nothing is given out
// that it has not passed: with the scanner down an upload is kept and waits, and a job asks again until it answers. What
// holds a virus is kept out of reach of everybody, written down, and told to its uploader.
//
//	upload ──► available                     no scanner, or it found nothing
//	       ├─► waiting ──► available         the scanner was down and came back
//	       │           └─► quarantined       … and found something
//	       └─► quarantined                   refused as VIRUS_FOUND
//
// Tables: files. Needs: a word on who may see an object, and on what drafts still want; a scanner where there is one.
// Announces: Quarantined.
package file

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/web"
)

// State says whether a file may be given out.
type State string

// The states.
const (
	Available   State = "available"
	Waiting     State = "waiting" // for the scanner
	Quarantined State = "quarantined"
)

// The faults of files.
var (
	ErrVirus       = fault.New(fault.Invalid, "VIRUS_FOUND", "文件含有病毒，已被隔离，没有上传。请在本机杀毒后重新选择文件")
	ErrWaiting     = fault.New(fault.Conflict, "FILE_WAITING", "文件正在等待安全检查，通过后才能下载，请稍后再试").After(60)
	ErrQuarantined = fault.New(fault.Forbidden, "FILE_QUARANTINED", "文件含有病毒，已被隔离，不能下载")
	errClaimVirus  = fault.New(fault.Invalid, "FILE_QUARANTINED", "附件含有病毒，已被隔离，请移除后再提交")
)

type row struct {
	bun.BaseModel `bun:"table:files,alias:f"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Key       string     `bun:"key,notnull,unique"`
	Name      string     `bun:"name,notnull"`
	Mime      string     `bun:"mime,notnull"`
	Size      int64      `bun:"size,notnull"`
	SHA256    string     `bun:"sha256,notnull"`
	Inline    bool       `bun:"inline,notnull"` // may be shown in our origin
	OwnerID   int64      `bun:"owner_id,notnull"`
	Object    string     `bun:"object,notnull"` // "" until a command ties it
	ObjectID  int64      `bun:"object_id,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	State     State      `bun:"state,notnull"`
	Virus     string     `bun:"virus,notnull"` // the scanner's word for what it found
	ScannedAt *time.Time `bun:"scanned_at"`
}

// View is a file as it is listed.
type View struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Mime string `json:"mime"`
	URL  string `json:"url"`
	// State says whether it may be had: it waits for the scanner, or was put away by it.
	State string `json:"state" enum:"available,waiting,quarantined"`
}

func (r row) view() View {
	return View{r.ID, r.Name, r.Size, r.Mime, fmt.Sprintf("/api/files/%d", r.ID), string(r.State)}
}

// Scanner looks for malware.
type Scanner interface {
	// Scan reads content and returns the name of what it found, "" when nothing. An error is no verdict.
	Scan(ctx context.Context, content io.Reader) (virus string, err error)
}

// Service keeps the files in a store under names nobody can guess.
type Service struct {
	DB    *database.DB
	Clock clock.Clock
	Log   *slog.Logger
	Store *files.Store
	// Scanner is nil where an installation has none.
	Scanner Scanner
	// CanSee returns nil when the actor may see the object and fault.ErrNotFound otherwise.
	CanSee func(ctx context.Context, actor access.Actor, object string, id int64) error
	// Drafts lists the loose files that the owner's unsent forms still name; nil: there are no such forms.
	Drafts func(ctx context.Context, ownerID int64) ([]int64, error)

	queue *jobs.Queue
}

// Use gives the service the queue it inserts into; needed where there is a scanner.
func (s *Service) Use(q *jobs.Queue) { s.queue = q }

// Claim ties the actor's own upload to an object, in the transaction of the command that names it. A file of somebody
// else, or one tied already, is not found.
func (s *Service) Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error {
	res, err := tx.NewUpdate().Model((*row)(nil)).Set("object = ?", object).Set("object_id = ?", objectID).
		Where("id = ? AND owner_id = ? AND object = '' AND state <> ?", fileID, actor.UserID, Quarantined).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	held, err := tx.NewSelect().Model((*row)(nil)).Where("id = ? AND owner_id = ? AND state = ?", fileID, actor.UserID, Quarantined).Exists(ctx)
	if err == nil && held {
		return errClaimVirus.On("fileIds")
	}
	if err == nil {
		err = fault.ErrNotFound
	}
	return err
}

// Of lists the files of an object. The caller has established that the asker may see it.
func (s *Service) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]View, error) {
	var rows []row
	err := database.QueryAll(ctx, db, &rows, `SELECT id, key, name, mime, size, sha256, inline, owner_id, object, object_id, created_at, state, virus, scanned_at FROM files
		WHERE object = ? AND object_id = ? ORDER BY id LIMIT 200`, object, id)
	if err != nil {
		return nil, err
	}
	views := make([]View, 0, len(rows))
	for _, r := range rows {
		views = append(views, r.view())
	}
	return views, nil
}

// Known returns what is known of the files by id. The caller has established that the asker may see them.
func (s *Service) Known(ctx context.Context, db bun.IDB, ids []int64) (map[int64]View, error) {
	out := make(map[int64]View, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var rows []row
	if err := db.NewSelect().Model(&rows).Where("f.id IN ?", bun.Tuple(ids)).Scan(ctx); err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.ID] = r.view()
	}
	return out, nil
}

// find reads a row the actor may see: the uploader's own while it is loose, afterwards by the object it is tied to.
func (s *Service) find(ctx context.Context, actor access.Actor, id int64) (row, error) {
	var r row
	if !actor.SignedIn() {
		return r, fault.ErrUnauthorized
	}
	if err := s.DB.Read().NewSelect().Model(&r).Where("id = ?", id).Scan(ctx); err != nil {
		return r, database.Found(err)
	}
	if r.Object != "" {
		return r, s.CanSee(ctx, actor, r.Object, r.ObjectID)
	}
	if r.OwnerID != actor.UserID {
		return r, fault.ErrNotFound
	}
	return r, nil
}

// Get returns what is known of a file, for its uploader or for whoever may see the object it is tied to.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	r, err := s.find(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	return r.view(), nil
}

// Read opens a file for its uploader or for whoever may see the object it is tied to. It returns ErrWaiting and
// ErrQuarantined for what may not be given out. The caller closes the content.
func (s *Service) Read(ctx context.Context, actor access.Actor, id int64) (web.Download, error) {
	r, err := s.find(ctx, actor, id)
	if err != nil {
		return web.Download{}, err
	}
	switch r.State {
	case Waiting:
		return web.Download{}, ErrWaiting
	case Quarantined:
		return web.Download{}, ErrQuarantined
	}
	content, err := s.Store.Open(ctx, r.Key)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound { // it is there, only its content is not: nobody's address is wrong
			err = files.ErrStorageDown.Wrap(fmt.Errorf("file %d without content: %w", r.ID, err))
		}
		return web.Download{}, err
	}
	return web.Download{Mime: r.Mime, Disposition: files.ContentDisposition(r.Name, r.Inline), Size: r.Size, Tag: r.SHA256, Written: r.CreatedAt, Content: content}, nil
}
