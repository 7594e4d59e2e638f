package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// People tells about the person an export belongs to.
type People interface {
	// Now returns the person with the rights of this moment; fault.ErrForbidden when the account is closed to them.
	Now(ctx context.Context, userID int64) (access.Actor, error)
	// Place names where the person works, "" when it has no name.
	Place(ctx context.Context, actor access.Actor) (string, error)
}

// Limits bound what a person may take out.
type Limits struct {
	Rows   int           // of one file
	PerDay int           // exports of one person within 24 hours
	Keep   time.Duration // how long a file stays
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB       *database.DB
	Clock    clock.Clock
	Box      *secret.Box
	Log      *slog.Logger
	Storage  files.Storage
	People   People
	Sources  []sheet.Source
	District string
	// Lease is how long a worker that says nothing counts as alive; 0 is 45 s.
	Lease  time.Duration
	Limits Limits
}

// Service keeps the exports.
type Service struct {
	Deps

	table *lease.Table
	queue *jobs.Queue
	// partRows is how many rows a part of a CSV has: what a killed worker loses at most.
	partRows int
	pageRows int
	// tellEach is how often a workbook that is being written tells how far it is.
	tellEach time.Duration
}

// wakeArgs say that an export waits; the row is the truth.
type wakeArgs struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (wakeArgs) Kind() string { return "export.wake" }

// New makes the service and registers its worker; Use gives it the queue. It panics when something of Deps is missing.
func New(d Deps, w *jobs.Workers) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil || d.Log == nil || d.Storage == nil || d.People == nil || d.Limits.Rows <= 0 || d.Limits.PerDay <= 0 || d.Limits.Keep <= 0 {
		panic("export: Deps is not complete")
	}
	s := &Service{Deps: d, table: &lease.Table{DB: d.DB, Clock: d.Clock, Log: d.Log, Name: "exports", Workers: 2, Term: d.Lease}, partRows: 20_000, pageRows: 1000, tellEach: time.Second}
	jobs.Work(w, func(context.Context, wakeArgs) error {
		s.table.Wake()
		return nil
	})
	return s
}

// Use gives the service the queue that wakes the worker.
func (s *Service) Use(q *jobs.Queue) { s.queue = q }

// source finds a list with the columns it has at this moment; ErrSource when there is none.
func (s *Service) source(ctx context.Context, name string) (sheet.Source, error) {
	i := slices.IndexFunc(s.Sources, func(src sheet.Source) bool { return src.Name == name })
	if i < 0 {
		return sheet.Source{}, ErrSource
	}
	return now(ctx, s.Sources[i])
}

func now(ctx context.Context, src sheet.Source) (sheet.Source, error) {
	if src.Now == nil {
		return src, nil
	}
	return src.Now(ctx)
}

// SourceView is a list the actor may take out.
type SourceView struct {
	Name    string       `json:"name"`
	Title   string       `json:"title"`
	Columns []ColumnView `json:"columns"`
}

// ColumnView is a column of it.
type ColumnView struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	On    bool   `json:"on" doc:"Chosen unless the person chooses otherwise."`
}

// Allowed lists what the actor may take out, with the columns that are theirs.
func (s *Service) Allowed(ctx context.Context, actor access.Actor) ([]SourceView, error) {
	if !actor.Party.Staff() {
		return nil, fault.ErrForbidden
	}
	out := []SourceView{}
	for _, src := range s.Sources {
		if actor.Need(src.Permission) != nil {
			continue
		}
		src, err := now(ctx, src)
		if err != nil {
			return nil, err
		}
		columns, err := src.Allowed(actor)
		if err != nil {
			continue
		}
		v := SourceView{Name: src.Name, Title: src.Title}
		for _, c := range columns {
			if c.Gone {
				continue
			}
			v.Columns = append(v.Columns, ColumnView{c.Key, c.Title, !c.Off})
		}
		out = append(out, v)
	}
	return out, nil
}

// Create asks for an export.
type Create struct {
	Key     string            `json:"-"`
	Source  string            `json:"source"`
	Format  Format            `json:"format"`
	Columns []string          `json:"columns"` // keys; none takes the usual ones
	Filters map[string]string `json:"filters"`
	Purpose string            `json:"purpose"`
}

type made struct {
	ID int64 `json:"id"`
}

// Create queues an export of the actor's. It returns ErrForbidden without the list's right, a fault at the field that is
// wrong, ErrBusy while another one of the actor's is not done, and ErrDaily beyond the day's number.
func (s *Service) Create(ctx context.Context, actor access.Actor, cmd Create) (View, error) {
	if !actor.Party.Staff() || actor.UserID == 0 {
		return View{}, fault.ErrForbidden
	}
	src, err := s.source(ctx, cmd.Source)
	if err != nil {
		return View{}, err
	}
	chosen, err := src.Choose(actor, cmd.Columns)
	if err != nil {
		return View{}, err
	}
	if cmd.Format != XLSX && cmd.Format != CSV {
		return View{}, ErrFormat
	}
	words, err := src.Describe(cmd.Filters)
	if err != nil {
		return View{}, err
	}
	purpose, err := text.Line("purpose", cmd.Purpose, 2, 100)
	if err != nil {
		if errors.Is(err, text.ErrRequired) {
			err = text.ErrRequired.With("请填写导出用途，会写入文件首行和审计日志").On("purpose")
		}
		return View{}, err
	}
	place, err := s.People.Place(ctx, actor)
	if err != nil {
		return View{}, err
	}
	keys := make([]string, 0, len(chosen))
	for _, c := range chosen {
		keys = append(keys, c.Key)
	}
	now := s.Clock.Now()
	columns, err := json.Marshal(keys)
	if err != nil {
		return View{}, err
	}
	filters, err := json.Marshal(cmd.Filters)
	if err != nil {
		return View{}, err
	}
	var done made
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "export.create", Key: cmd.Key, Request: cmd, Now: now}, func() (made, error) {
			n, err := tx.NewSelect().Model((*row)(nil)).Where("x.owner_id = ? AND x.created_at > ?", actor.UserID, now.Add(-24*time.Hour)).Count(ctx)
			if err != nil {
				return made{}, err
			}
			if int(n) >= s.Limits.PerDay {
				return made{}, ErrDaily.With("您在 24 小时内已导出 %d 次，达到上限，请明天再试，或联系系统管理员", n)
			}
			r := row{OwnerID: actor.UserID, Source: src.Name, Format: cmd.Format, Keys: string(columns), Filters: s.Box.Seal(filters, filterPlace(actor.UserID)),
				FilterText: words, Purpose: purpose, Mark: markOf(s.District, place, actor.Name, purpose, now), State: Queued, CreatedAt: now,
				FileName: fmt.Sprintf("%s_%s.%s", src.Title, now.In(clock.Beijing).Format("20060102_1504"), cmd.Format)}
			r.Ask()
			if _, err := tx.NewInsert().Model(&r).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				if database.IsDuplicate(err) {
					return made{}, ErrBusy
				}
				return made{}, fmt.Errorf("insert export: %w", err)
			}
			if err := s.queue.Insert(ctx, tx, wakeArgs{r.ID}); err != nil {
				return made{}, err
			}
			return made{r.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "export.create", Object: Object, ObjectID: r.ID, Summary: "申请导出" + src.Title + "：" + purpose,
				Detail: map[string]any{"source": src.Name, "format": cmd.Format, "columns": keys, "filter": words}})
		})
		return err
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, done.ID)
}

// Get returns one export of the actor's, ErrNotFound for everybody else's.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, r), nil
}

// List returns a page of the actor's exports, newest first, and the cursor of the next.
func (s *Service) List(ctx context.Context, actor access.Actor, cursor string, limit int) ([]View, string, error) {
	if !actor.Party.Staff() {
		return nil, "", fault.ErrForbidden
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	var rows []row
	q := visible(s.DB.Read().NewSelect().Model(&rows), actor).OrderExpr("x.id DESC").Limit(int64(limit + 1))
	if cursor != "" {
		before, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil || before <= 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
		q = q.Where("x.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list exports: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]View, 0, len(rows))
	for i := range rows {
		out = append(out, s.view(ctx, &rows[i]))
	}
	return out, next, nil
}

// Cancel stops an export that is not done. What was written is removed.
func (s *Service) Cancel(ctx context.Context, actor access.Actor, id int64) (View, error) {
	return s.change(ctx, actor, id, "export.cancel", "取消导出", func(ctx context.Context, tx bun.Tx, r *row) error {
		if r.State != Queued && r.State != Running {
			return ErrState.With("导出任务“%s”，不能取消，请刷新后查看", r.State.Label())
		}
		now := s.Clock.Now()
		r.State, r.Due, r.FinishedAt = Cancelled, false, &now
		return nil
	})
}

// Retry asks for a failed, cancelled or expired export once more, with the rights of now. A CSV that failed goes on after
// its last part.
func (s *Service) Retry(ctx context.Context, actor access.Actor, id int64) (View, error) {
	asked, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return View{}, err
	}
	src, err := s.source(ctx, asked.Source)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, id, "export.retry", "重新导出", func(ctx context.Context, tx bun.Tx, r *row) error {
		if _, err := src.Choose(actor, r.columns()); err != nil {
			return err
		}
		if r.State != Failed && r.State != Cancelled && r.State != Expired {
			return ErrState.With("导出任务“%s”，不需要重新导出，请刷新后查看", r.State.Label())
		}
		if r.FileKey != "" {
			return ErrState.With("上次的文件正在清理，请一分钟后再试")
		}
		if r.State != Failed {
			r.Rows, r.After = 0, ""
			if _, err := tx.NewUpdate().Model((*part)(nil)).Set("ready = ?", false).Where("export_id = ?", r.ID).Exec(ctx); err != nil {
				return err
			}
		}
		r.State, r.Message, r.Total, r.FinishedAt, r.ExpiresAt, r.StartedAt = Queued, "", 0, nil, nil, nil
		r.Ask()
		return s.queue.Insert(ctx, tx, wakeArgs{r.ID})
	})
}

func (s *Service) change(ctx context.Context, actor access.Actor, id int64, action, summary string, step func(ctx context.Context, tx bun.Tx, r *row) error) (View, error) {
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r, err := find(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		read, fence := r.State, r.Fence
		if err := step(ctx, tx, r); err != nil {
			return err
		}
		err = database.Changed(tx.NewUpdate().Model(r).Column("state", "due", "fence", "attempts", "lease_until", "message", "rows_done", "rows_total", "position", "started_at",
			"finished_at", "expires_at").Where("id = ? AND state = ? AND fence = ?", r.ID, read, fence).Exec(ctx))
		if database.IsDuplicate(err) {
			return ErrBusy
		} else if errors.Is(err, fault.ErrChanged) {
			return ErrState
		} else if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: action, Object: Object, ObjectID: r.ID, Summary: summary + " " + r.FileName})
	})
	if err != nil {
		return View{}, fmt.Errorf("%s %d: %w", action, id, err)
	}
	s.table.Wake()
	return s.Get(ctx, actor, id)
}

// File is the content of a finished export.
type File struct {
	View
	SHA256  string
	Content files.Object
}

// Look returns the file of a finished export of the actor's, who still holds the right to the list. The caller closes it,
// and gives nothing of it away.
func (s *Service) Look(ctx context.Context, actor access.Actor, id int64) (File, error) {
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return File{}, err
	}
	if r.State == Expired {
		return File{}, ErrGone
	}
	if r.State != Done {
		return File{}, ErrState.With("导出任务“%s”，还不能下载", r.State.Label())
	}
	src, err := s.source(ctx, r.Source)
	if err != nil {
		return File{}, err
	}
	if _, err := src.Choose(actor, r.columns()); err != nil {
		return File{}, fault.ErrForbidden
	}
	content, err := s.open(ctx, r.FileKey, r.FileSeal)
	if err != nil {
		return File{}, err
	}
	return File{s.view(ctx, r), r.SHA256, content}, nil
}

// Open is Look for who takes the file, or a range of it: that is written down.
func (s *Service) Open(ctx context.Context, actor access.Actor, id int64) (File, error) {
	f, err := s.Look(ctx, actor, id)
	if err != nil {
		return File{}, err
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(tx.NewUpdate().Model((*row)(nil)).Set("downloads = downloads + 1").Where("id = ? AND state = ?", id, Done).Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return ErrGone
		} else if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "export.download", Object: Object, ObjectID: id, Summary: "下载导出文件 " + f.FileName,
			Detail: map[string]any{"rows": f.Rows, "sha256": f.SHA256}})
	})
	if err != nil {
		return File{}, errors.Join(err, f.Content.Close())
	}
	return f, nil
}
