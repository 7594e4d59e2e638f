package importing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/heap"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/sheet"
)

// People tells about the person an import belongs to.
type People interface {
	// Now returns the person with the rights of this moment; fault.ErrForbidden when the account is closed to them.
	Now(ctx context.Context, userID int64) (access.Actor, error)
}

// Limits bound what a person may bring in.
type Limits struct {
	Rows int           // of one file
	Keep time.Duration // how long the rows of an import stay
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB      *database.DB
	Clock   clock.Clock
	Box     *secret.Box
	Log     *slog.Logger
	Files   *files.Store
	People  People
	Targets []sheet.Target
	Feeds   []Feed
	// Lease is how long a worker that says nothing counts as alive; 0 is 45 s.
	Lease  time.Duration
	Limits Limits
}

// Service keeps the imports.
type Service struct {
	Deps

	table *lease.Table
	queue *jobs.Queue
	// batch is how many rows are staged in one transaction; spell is how long one that publishes may last.
	batch int
	spell time.Duration
	lot   int // how many records a target that takes many at once gets first
}

// wakeArgs say that an import waits; the row is the truth.
type wakeArgs struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (wakeArgs) Kind() string { return "import.wake" }

// New makes the service and registers its worker; Use gives it the queue. It panics when something of Deps is missing.
func New(d Deps, w *jobs.Workers) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil || d.Log == nil || d.Files == nil || d.People == nil || d.Limits.Rows <= 0 || d.Limits.Keep <= 0 {
		panic("importing: Deps is not complete")
	}
	s := &Service{Deps: d, table: &lease.Table{DB: d.DB, Clock: d.Clock, Log: d.Log, Name: "imports", Term: d.Lease}, batch: 500, spell: 10 * time.Millisecond, lot: 100}
	jobs.Work(w, func(context.Context, wakeArgs) error {
		s.table.Wake()
		return nil
	})
	return s
}

// Use gives the service the queue that wakes the worker.
func (s *Service) Use(q *jobs.Queue) { s.queue = q }

// target returns what the actor may import into.
func (s *Service) target(actor access.Actor, name string) (sheet.Target, error) {
	i := slices.IndexFunc(s.Targets, func(t sheet.Target) bool { return t.Name == name })
	if i < 0 {
		return sheet.Target{}, ErrTarget
	}
	if !actor.Party.Staff() && actor.Party != access.System {
		return sheet.Target{}, fault.ErrForbidden
	}
	return s.Targets[i], actor.Need(s.Targets[i].Permission)
}

// Allowed lists what the actor may import into.
func (s *Service) Allowed(_ context.Context, actor access.Actor) ([]TargetView, error) {
	out := []TargetView{}
	for _, t := range s.Targets {
		if _, err := s.target(actor, t.Name); err == nil {
			out = append(out, TargetView{Name: t.Name, Title: t.Title, Note: t.Note, Fields: t.Fields, Updates: t.Updates, MaxRows: s.most(t), KeyTitle: keyTitle(t), HasResult: t.Extra != nil})
		}
	}
	return out, nil
}

func keyTitle(t sheet.Target) string {
	f, _ := t.Field(t.Key)
	return f.Title
}

// Upload takes a file in and looks at it: the sheets, the heads, the first rows. It returns the fault of package sheet that
// says what is wrong with the file, ErrRows when it is too long.
func (s *Service) Upload(ctx context.Context, actor access.Actor, target, name string, content interface {
	io.Reader
	io.ReaderAt
}, size int64) (View, error) {
	t, err := s.target(actor, target)
	if err != nil {
		return View{}, err
	}
	defer heap.Frugal()() // what may unpack to a gigabyte is garbage as soon as it is read
	book, err := sheet.Open(content, size)
	if err != nil {
		return View{}, err
	}
	if ext := strings.ToLower(path.Ext(name)); ext == ".xls" {
		return View{}, sheet.ErrOld.With("文件扩展名是 .xls，请在 Excel 或 WPS 中另存为“Excel 工作簿（.xlsx）”再上传").On("file")
	}
	sheets, err := s.look(t, book)
	if err != nil {
		return View{}, err
	}
	stored, seal, err := s.keep(ctx, io.NewSectionReader(content, 0, size), name)
	if err != nil {
		return View{}, err
	}
	plain, err := json.Marshal(sheets)
	if err != nil {
		return View{}, err
	}
	now := s.Clock.Now()
	first := sheets[slices.IndexFunc(sheets, func(x seen) bool { return !x.Skipped })]
	r := row{OwnerID: actor.UserID, Target: t.Name, FileName: stored.Name, FileKey: stored.Key, FileSeal: seal, SHA256: stored.SHA256, Sheets: s.Box.Seal(plain, sheetsPlace(actor.UserID)),
		Source: fileSource, Sheet: first.Index, Head: first.Head, Duplicates: sheet.Skip, State: Mapping, Total: int64(first.Rows), CreatedAt: now}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&r).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "import.upload", Object: Object, ObjectID: r.ID, Summary: "上传导入文件：" + t.Title,
			Detail: map[string]any{"target": t.Name, "size": stored.Size, "sha256": stored.SHA256}})
	})
	if err != nil {
		return View{}, errors.Join(err, s.Files.Delete(context.WithoutCancel(ctx), stored.Key))
	}
	return s.Get(ctx, actor, r.ID)
}

// MapImport says what the columns are, and has the rows read.
type MapImport struct {
	ID         int64            `json:"id"`
	Key        string           `json:"-"`
	Sheet      int              `json:"sheet"`
	Head       int              `json:"head"` // number of the row of heads; 0 takes the one that was found
	Columns    map[string]int   `json:"columns"`
	Duplicates sheet.Duplicates `json:"duplicates"`
}

// Map starts reading. Rows that were read before with other columns are read anew.
func (s *Service) Map(ctx context.Context, actor access.Actor, cmd MapImport) (View, error) {
	return s.change(ctx, actor, cmd.ID, "import.map", cmd.Key, cmd, "设置导入列", func(ctx context.Context, tx bun.Tx, r *row, t sheet.Target) error {
		if r.Feed != "" {
			return ErrState.With("从接口导入的数据不需要设置列")
		}
		if r.State != Mapping && r.State != Checked && !(r.State == Failed && r.PublishedAt == nil) {
			return ErrState.With("导入任务“%s”，不能再修改列设置", r.State.Label())
		}
		if r.Purged {
			return ErrGone
		}
		sheets, err := s.seen(r)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(sheets, func(x seen) bool { return x.Index == cmd.Sheet && !x.Skipped })
		if at < 0 {
			return fault.InvalidField("sheet", "IMPORT_SHEET", "请选择有数据的工作表（隐藏的工作表不导入）")
		}
		chosen := sheets[at]
		heads := chosen.Heads
		if cmd.Head != 0 && cmd.Head != chosen.Head {
			n := slices.IndexFunc(chosen.First, func(f sheetRow) bool { return f.Number == cmd.Head })
			if n < 0 {
				return fault.InvalidField("head", "IMPORT_HEAD", fmt.Sprintf("表头应在前 %d 行内，请重新选择", headRows))
			}
			chosen.Rows += slices.IndexFunc(chosen.First, func(f sheetRow) bool { return f.Number == chosen.Head }) - n
			chosen.Head, heads = cmd.Head, chosen.First[n].Cells
		}
		used := map[int]string{}
		for key, c := range cmd.Columns {
			f, ok := t.Field(key)
			if !ok || c < 0 || c >= len(heads) {
				return fault.InvalidField("columns."+key, "IMPORT_COLUMN", "列的对应关系有误，请重新选择")
			}
			if other, twice := used[c]; twice {
				return fault.InvalidField("columns."+key, "IMPORT_COLUMN_TWICE", fmt.Sprintf("“%s”和“%s”选了同一列，请重新选择", other, f.Title))
			}
			used[c] = f.Title
		}
		for _, f := range t.Fields {
			if _, ok := cmd.Columns[f.Key]; f.Required && !ok {
				return fault.InvalidField("columns."+f.Key, "IMPORT_COLUMN_MISSING", fmt.Sprintf("请选择“%s”对应的列；文件中没有的，请补充后重新上传", f.Title))
			}
		}
		switch {
		case cmd.Duplicates == sheet.Skip, cmd.Duplicates == sheet.Refuse, cmd.Duplicates == sheet.Update && t.Updates:
		default:
			return fault.InvalidField("duplicates", "IMPORT_DUPLICATES", "请选择遇到重复记录时如何处理")
		}
		columns, err := json.Marshal(cmd.Columns)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		m := remembered{OwnerID: r.OwnerID, Target: t.Name, Heads: headsHash(heads), Columns: string(columns), At: now}
		if _, err := tx.NewInsert().Model(&m).On("CONFLICT (owner_id, target, heads) DO UPDATE").Set("columns = EXCLUDED.columns, at = EXCLUDED.at").Exec(ctx); err != nil {
			return err
		}
		r.Sheet, r.Head, r.Fields, r.Duplicates, r.State, r.Message = chosen.Index, chosen.Head, string(columns), cmd.Duplicates, Reading, ""
		r.Total, r.Read, r.Good, r.Known, r.Bad, r.LastRead, r.CheckedAt, r.FinishedAt = int64(chosen.Rows), 0, 0, 0, 0, 0, nil, nil
		r.Review, r.Dropped = 0, 0
		r.Ask()
		return s.queue.Insert(ctx, tx, wakeArgs{r.ID})
	})
}

// Ref names an import.
type Ref struct {
	ID  int64  `json:"id"`
	Key string `json:"-"`
}

// Publish gives the good rows to the module they belong to. One that failed on the way goes on after the last row.
func (s *Service) Publish(ctx context.Context, actor access.Actor, cmd Ref) (View, error) {
	return s.change(ctx, actor, cmd.ID, "import.publish", cmd.Key, cmd, "发布导入", func(ctx context.Context, tx bun.Tx, r *row, _ sheet.Target) error {
		if r.State != Checked && !(r.State == Failed && r.PublishedAt != nil) {
			return ErrState.With("导入任务“%s”，不能发布，请刷新后查看", r.State.Label())
		}
		if r.Purged {
			return ErrGone
		}
		if r.Review > 0 {
			return ErrReview.With("还有 %d 行需要人工审核，请逐条或按类型决定后再发布", r.Review)
		}
		if r.Good+r.Known == 0 {
			return fault.New(fault.Conflict, "IMPORT_NOTHING", "没有可以发布的记录，请下载问题清单，修改后重新上传")
		}
		now := s.Clock.Now()
		r.State, r.Message, r.FinishedAt = Publishing, "", nil
		if r.PublishedAt == nil {
			r.PublishedAt = &now
		}
		r.Ask()
		return s.queue.Insert(ctx, tx, wakeArgs{r.ID})
	})
}

// Cancel ends an import that is not done. What is published already stays; the rest is not.
func (s *Service) Cancel(ctx context.Context, actor access.Actor, cmd Ref) (View, error) {
	return s.change(ctx, actor, cmd.ID, "import.cancel", cmd.Key, cmd, "取消导入", func(_ context.Context, _ bun.Tx, r *row, _ sheet.Target) error {
		if r.State == Done || r.State == Cancelled {
			return ErrState.With("导入任务“%s”，不能取消，请刷新后查看", r.State.Label())
		}
		now := s.Clock.Now()
		r.State, r.Due, r.FinishedAt, r.Fence = Cancelled, false, &now, r.Fence+1
		return nil
	})
}

func (s *Service) change(ctx context.Context, actor access.Actor, id int64, action, key string, request any, summary string,
	step func(ctx context.Context, tx bun.Tx, r *row, t sheet.Target) error,
) (View, error) {
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: action, Key: key, Request: request, Now: now}, func() (Ref, error) {
			r, err := find(ctx, tx, actor, id)
			if err != nil {
				return Ref{}, err
			}
			t, err := s.target(actor, r.Target)
			if err != nil {
				return Ref{}, err
			}
			read, fence := r.State, r.Fence
			if err := step(ctx, tx, r, t); err != nil {
				return Ref{}, err
			}
			err = database.Changed(tx.NewUpdate().Model(r).ExcludeColumn("id", "owner_id", "target", "file_name", "file_key", "sha256", "sheets", "created_at", "purged").
				Where("id = ? AND state = ? AND fence = ?", r.ID, read, fence).Exec(ctx))
			switch {
			case database.IsDuplicate(err):
				return Ref{}, ErrBusy
			case errors.Is(err, fault.ErrChanged):
				return Ref{}, ErrState
			case err != nil:
				return Ref{}, err
			}
			return Ref{ID: r.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: action, Object: Object, ObjectID: r.ID, Summary: summary + "：" + t.Title,
				Detail: map[string]any{"file": r.FileName, "duplicates": r.Duplicates, "good": r.Good, "known": r.Known, "bad": r.Bad, "review": r.Review, "dropped": r.Dropped}})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s %d: %w", action, id, err)
	}
	s.table.Wake()
	return s.Get(ctx, actor, id)
}

// Get returns one import of the actor's, ErrNotFound for everybody else's.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	r, err := find(ctx, s.DB.Read(), actor, id)
	if err != nil {
		return View{}, err
	}
	v := s.item(r)
	t, err := s.target(actor, r.Target)
	if err != nil {
		return View{}, err
	}
	sheets, err := s.seen(r)
	if err != nil {
		return View{}, err
	}
	flags, err := s.flags(ctx, r, t)
	if err != nil {
		return View{}, err
	}
	full := View{Item: v, Flags: flags, CanResume: resumable(r), Sheet: r.Sheet, Head: r.Head, Sheets: []SheetView{}, Columns: r.mapping(), CanPublish: r.Good+r.Known > 0 && r.Review == 0 && (r.State == Checked || r.State == Failed && r.PublishedAt != nil),
		HasResult: t.Extra != nil && r.Created > 0 && !r.Purged}
	for _, x := range sheets {
		if r.Purged {
			break
		}
		suggested, err := s.recall(ctx, r, t, x.Heads)
		if err != nil {
			return View{}, err
		}
		full.Sheets = append(full.Sheets, SheetView{Index: x.Index, Name: x.Name, Rows: x.Rows, Head: x.Head, Heads: x.Heads, Sample: x.Sample, First: x.First, Skipped: x.Skipped, Suggested: suggested})
	}
	return full, nil
}

// List returns a page of the actor's imports, newest first, and the cursor of the next.
func (s *Service) List(ctx context.Context, actor access.Actor, cursor string, limit int) ([]Item, string, error) {
	if !actor.Party.Staff() {
		return nil, "", fault.ErrForbidden
	}
	if limit <= 0 || limit > 100 {
		limit = 20
	}
	var rows []row
	q := visible(s.DB.Read().NewSelect().Model(&rows).ExcludeColumn("sheets"), actor).OrderExpr("i.id DESC").Limit(int64(limit + 1))
	if cursor != "" {
		before, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil || before <= 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
		q = q.Where("i.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list imports: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]Item, 0, len(rows))
	for i := range rows {
		out = append(out, s.item(&rows[i]))
	}
	return out, next, nil
}
