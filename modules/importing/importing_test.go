package importing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/sheet"
)

type thing struct {
	bun.BaseModel `bun:"table:things"`

	ID   int64  `bun:"id,pk,autoincrement"`
	Code string `bun:"code,notnull,unique"`
	Name string `bun:"name,notnull"`
}

var steps = slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, jobs.Migrations, Migrations, []database.Migration{{
	ID: "20200101000000_things", Up: func(ctx context.Context, tx bun.Tx) error { return database.CreateTables(ctx, tx, (*thing)(nil)) },
}})

// world is a service that imports things, and the people who may.
type world struct {
	*Service
	t      *testing.T
	dir    string
	now    *clock.Fake
	mu     sync.Mutex
	people map[int64]access.Actor
	// before is called before each thing is published.
	before func(number int) error
}

var wang = access.Actor{UserID: 7, Name: "王芳", Party: access.Platform, Permissions: []access.Permission{"things.import"}}

func (w *world) Now(_ context.Context, id int64) (access.Actor, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.people[id]
	if !ok {
		return a, fault.ErrForbidden
	}
	return a, nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: clock.NewFake(time.Date(2026, 11, 27, 6, 5, 0, 0, time.UTC)), people: map[int64]access.Actor{7: wang}, before: func(int) error { return nil }}
	key, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k", Keys: map[string][]byte{"k": key}, Suite: "gm"})
	if err != nil {
		t.Fatal(err)
	}
	w.Service = w.worker(databasetest.New(t, steps), box)
	return w
}

// worker is another process of the same installation.
func (w *world) worker(db *database.DB, box *secret.Box) *Service {
	w.t.Helper()
	folder, err := files.OpenFolder(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { folder.Close() })
	s := New(Deps{DB: db, Clock: w.now, Box: box, Log: slog.New(slog.DiscardHandler), Files: files.New(folder, files.Purposes()), People: w, Targets: []sheet.Target{w.target()},
		Limits: Limits{Rows: 500, Keep: 72 * time.Hour}}, jobs.NewWorkers())
	s.batch = 20
	q, err := jobs.New(w.t.Context(), db, nil, s.Log)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(q.Close)
	s.Use(q)
	return s
}

func (w *world) target() sheet.Target {
	return sheet.Target{
		Name: "things", Title: "物品", Permission: "things.import", Key: "code", Updates: true,
		Fields: []sheet.TargetField{{Key: "code", Title: "编码", Kind: sheet.CodeField, Required: true}, {Key: "name", Title: "名称", Aliases: []string{"品名"}, Kind: sheet.LineField}},
		Check: func(_ context.Context, _ access.Actor, r sheet.Record) (sheet.Record, []sheet.RowProblem, error) {
			return r, nil, nil
		},
		Existing: func(ctx context.Context, _ access.Actor, keys []string) (map[string]bool, error) {
			out := map[string]bool{}
			if len(keys) == 0 {
				return out, nil
			}
			var rows []string
			err := w.DB.Read().NewSelect().Model((*thing)(nil)).Column("code").Where("code IN ?", bun.Tuple(keys)).Scan(ctx, &rows)
			for _, c := range rows {
				out[c] = true
			}
			return out, err
		},
		Publish: func(ctx context.Context, tx bun.Tx, _ access.Actor, r sheet.Record, _ sheet.Duplicates, _ string, _ any) (sheet.Change, int64, error) {
			x := thing{Code: r.Values["code"], Name: r.Values["name"]}
			if _, err := tx.NewInsert().Model(&x).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
				if database.IsDuplicate(err) {
					return "", 0, sheet.ErrExists.On("code")
				}
				return "", 0, err
			}
			return sheet.Created, x.ID, w.before(r.Row) // a failure after the write must undo it
		},
	}
}

func (w *world) list(head string, rows int) string {
	var b strings.Builder
	b.WriteString(head + "\n")
	for i := range rows {
		fmt.Fprintf(&b, "C%03d,第%d件\n", i, i)
	}
	return b.String()
}

func (w *world) upload(content string) View {
	w.t.Helper()
	v, err := w.Upload(w.t.Context(), wang, "things", "物品.csv", bytes.NewReader([]byte(content)), int64(len(content)))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) step() {
	w.t.Helper()
	if worked, err := w.Step(w.t.Context()); !worked || err != nil {
		w.t.Fatal(worked, err)
	}
}

func (w *world) checked(content string) View {
	w.t.Helper()
	v := w.upload(content)
	if _, err := w.Map(w.t.Context(), wang, MapImport{ID: v.ID, Columns: map[string]int{"code": 0, "name": 1}, Duplicates: sheet.Refuse}); err != nil {
		w.t.Fatal(err)
	}
	w.step()
	return w.get(v.ID)
}

func (w *world) get(id int64) View {
	w.t.Helper()
	v, err := w.Get(w.t.Context(), wang, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) count(query string) (n int) {
	w.t.Helper()
	if err := w.DB.Read().NewRaw(query).Scan(w.t.Context(), &n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// TestNothingIsSeenBeforePublishing has a list checked, and published with one row that its module refuses after writing.
func TestNothingIsSeenBeforePublishing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.checked(w.list("编码,名称", 55))
	if v.State != Checked || v.Good != 55 || !v.CanPublish || w.count("SELECT count(*) FROM things") != 0 {
		t.Fatalf("%+v", v)
	}
	w.before = func(number int) error {
		if number == 7 {
			return fault.New(fault.Conflict, "BROKEN", "这件物品已报废").On("name")
		}
		return nil
	}
	if _, err := w.Publish(t.Context(), wang, Ref{ID: v.ID}); err != nil {
		t.Fatal(err)
	}
	w.step()
	if v = w.get(v.ID); v.State != Done || v.Created != 54 || v.Refused != 1 {
		t.Fatalf("%+v", v)
	}
	if n := w.count("SELECT count(*) FROM things"); n != 54 {
		t.Errorf("%d things: the refused row left something behind", n)
	}
	rows, _, err := w.Rows(t.Context(), wang, v.ID, []RowState{RowRefused}, "", 10)
	if err != nil || len(rows) != 1 || rows[0].Number != 7 || rows[0].Problems[0].Code != "BROKEN" || rows[0].Problems[0].Field != "name" {
		t.Errorf("%+v %v", rows, err)
	}
	if _, err := w.Publish(t.Context(), wang, Ref{ID: v.ID}); !errors.Is(err, ErrState) {
		t.Errorf("published twice: %v", err)
	}
}

// TestSecondWorker is F-03 and F-14: a worker stops in the middle of publishing, another goes on after its term, the first
// wakes up and writes nothing.
func TestSecondWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.worker(w.DB, w.Box)
	v := w.checked(w.list("编码,名称", 55))
	w.spell = 0 // one row in each transaction
	if _, err := w.Publish(t.Context(), wang, Ref{ID: v.ID}); err != nil {
		t.Fatal(err)
	}
	// the first worker has claimed the work and done nothing yet
	first, ok, err := w.table.Take(t.Context())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	r, err := find(t.Context(), w.DB.Read(), wang, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	if worked, err := other.Step(t.Context()); worked || err != nil {
		t.Fatalf("taken from a living worker: %v", err)
	}
	w.now.Advance(46 * time.Second)
	if worked, err := other.Step(t.Context()); !worked || err != nil {
		t.Fatal(worked, err)
	}
	if err := w.publish(t.Context(), first, r); err == nil {
		t.Error("the first worker's end was taken")
	}
	if v = w.get(v.ID); v.State != Done || v.Created != 55 || w.count("SELECT count(*) FROM things") != 55 || w.count("SELECT count(*) FROM audit_entries WHERE action = 'import.done'") != 1 {
		t.Errorf("%+v", v)
	}
}

// TestFailsAndGoesOn has the database of the module fail in the middle: the import waits, goes on after the last row, and
// is given up with a sentence when it never works; then it can be gone on with.
func TestFailsAndGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.spell = 0
	v := w.checked(w.list("编码,名称", 30))
	if _, err := w.Publish(t.Context(), wang, Ref{ID: v.ID}); err != nil {
		t.Fatal(err)
	}
	w.before = func(number int) error {
		if number == 12 {
			return errors.New("no luck")
		}
		return nil
	}
	for range maxAttempts {
		if worked, err := w.Step(t.Context()); !worked || err == nil {
			t.Fatal("the failure was swallowed", worked)
		}
		w.now.Advance(2 * time.Minute)
	}
	if v = w.get(v.ID); v.State != Failed || v.Message == "" || v.Created != 10 || !v.CanPublish {
		t.Fatalf("%+v", v)
	}
	w.before = func(int) error { return nil }
	if _, err := w.Publish(t.Context(), wang, Ref{ID: v.ID}); err != nil {
		t.Fatal(err)
	}
	w.step()
	if v = w.get(v.ID); v.State != Done || v.Created != 30 || w.count("SELECT count(*) FROM things") != 30 {
		t.Errorf("%+v", v)
	}
}

func TestColumnsAreRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.upload(w.list("甲,乙", 3))
	if s := v.Sheets[0]; len(s.Suggested) != 0 || s.Head != 1 {
		t.Fatalf("%+v", s)
	}
	for _, c := range []struct {
		cmd   MapImport
		field string
	}{
		{MapImport{Columns: map[string]int{"name": 1}, Duplicates: sheet.Skip}, "columns.code"},
		{MapImport{Columns: map[string]int{"code": 0, "name": 0}, Duplicates: sheet.Skip}, "columns."},
		{MapImport{Columns: map[string]int{"code": 9}, Duplicates: sheet.Skip}, "columns.code"},
		{MapImport{Columns: map[string]int{"code": 0, "colour": 1}, Duplicates: sheet.Skip}, "columns.colour"},
		{MapImport{Columns: map[string]int{"code": 0}, Duplicates: "merge"}, "duplicates"},
		{MapImport{Sheet: 4, Columns: map[string]int{"code": 0}, Duplicates: sheet.Skip}, "sheet"},
		{MapImport{Head: 99, Columns: map[string]int{"code": 0}, Duplicates: sheet.Skip}, "head"},
	} {
		c.cmd.ID = v.ID
		_, err := w.Map(t.Context(), wang, c.cmd)
		if f, ok := fault.As(err); !ok || len(f.Fields) != 1 || !strings.HasPrefix(f.Fields[0].Name, c.field) {
			t.Errorf("%+v: %v", c.cmd, err)
		}
	}
	if _, err := w.Map(t.Context(), wang, MapImport{ID: v.ID, Columns: map[string]int{"code": 0, "name": 1}, Duplicates: sheet.Skip}); err != nil {
		t.Fatal(err)
	}
	// one at a time, and the same heads are known the next time
	again := w.upload(w.list("甲,乙", 3))
	if s := again.Sheets[0]; s.Suggested["code"] != 0 || s.Suggested["name"] != 1 || len(s.Suggested) != 2 {
		t.Errorf("%+v", s)
	}
	if _, err := w.Map(t.Context(), wang, MapImport{ID: again.ID, Columns: map[string]int{"code": 0}, Duplicates: sheet.Skip}); !errors.Is(err, ErrBusy) {
		t.Errorf("two at once: %v", err)
	}
	w.step()
	// other columns: what was read is read anew
	if _, err := w.Map(t.Context(), wang, MapImport{ID: v.ID, Columns: map[string]int{"code": 1}, Duplicates: sheet.Skip}); err != nil {
		t.Fatal(err)
	}
	w.step()
	rows, _, err := w.Rows(t.Context(), wang, v.ID, nil, "", 10)
	if err != nil || len(rows) != 3 || rows[0].Values["code"] != "第0件" || len(rows[0].Values) != 1 {
		t.Errorf("%+v %v", rows, err)
	}
}

func TestWhoMayImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.upload(w.list("编码,名称", 3))
	zhao := access.Actor{UserID: 8, Party: access.Platform, Permissions: wang.Permissions}
	if _, err := w.Get(t.Context(), zhao, v.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("somebody else's import: %v", err)
	}
	if _, _, err := w.Rows(t.Context(), zhao, v.ID, nil, "", 10); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("somebody else's rows: %v", err)
	}
	if _, _, err := w.Report(t.Context(), zhao, v.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("somebody else's report: %v", err)
	}
	weak := wang
	weak.Permissions = nil
	if _, err := w.Upload(t.Context(), weak, "things", "a.csv", bytes.NewReader([]byte("a,b")), 3); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
	if _, err := w.Map(t.Context(), wang, MapImport{ID: v.ID, Columns: map[string]int{"code": 0}, Duplicates: sheet.Skip}); err != nil {
		t.Fatal(err)
	}
	delete(w.people, 7) // the account is closed before the worker comes
	w.step()
	if v := w.get(v.ID); v.State != Failed || v.Message == "" {
		t.Errorf("%+v", v)
	}
}

// TestRowsAreRemoved has the time of an import come: rows, file and what was seen of it go, the counts stay.
func TestRowsAreRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.checked(w.list("编码,名称", 55))
	if _, err := w.Cancel(t.Context(), wang, Ref{ID: v.ID}); err != nil {
		t.Fatal(err)
	}
	if err := w.Expire(t.Context()); err != nil || w.count("SELECT count(*) FROM import_rows") != 55 {
		t.Fatal("removed before their time", err)
	}
	w.now.Advance(73 * time.Hour)
	if err := w.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept := 0
	_ = filepath.WalkDir(w.dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			kept++
		}
		return err
	})
	if v = w.get(v.ID); !v.Purged || v.Good != 55 || len(v.Sheets) != 0 || kept != 0 || w.count("SELECT count(*) FROM import_rows") != 0 {
		t.Errorf("%+v, %d files", v, kept)
	}
	if _, _, err := w.Report(t.Context(), wang, v.ID); !errors.Is(err, ErrGone) {
		t.Errorf("the report of rows that are gone: %v", err)
	}
}
