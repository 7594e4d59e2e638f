package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

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

// world is a service with one list of numbered rows, and two people.
type world struct {
	*Service
	t      *testing.T
	dir    string
	now    *clock.Fake
	rows   int
	mu     sync.Mutex
	people map[int64]access.Actor
	root   []byte // of the box
	// page is called before each page is read.
	page func(after string)
}

var (
	wang = access.Actor{UserID: 7, Name: "王芳", Party: access.Platform, DepartmentName: "综合科", Permissions: []access.Permission{"list.export"}}
	zhao = access.Actor{UserID: 8, Name: "赵强", Party: access.Platform, Permissions: []access.Permission{"list.export", "list.secret"}}
)

func (w *world) Now(_ context.Context, id int64) (access.Actor, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.people[id]
	if !ok {
		return a, fault.ErrForbidden
	}
	return a, nil
}

func (w *world) Place(_ context.Context, a access.Actor) (string, error) {
	return a.DepartmentName, nil
}

func newWorld(t *testing.T, rows int) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: clock.NewFake(time.Date(2026, 11, 27, 6, 5, 0, 0, time.UTC)), rows: rows, people: map[int64]access.Actor{7: wang, 8: zhao}, page: func(string) {}}
	db := databasetest.New(t, slices.Concat(event.Migrations, audit.Migrations, idempotency.Migrations, jobs.Migrations, secret.Migrations, Migrations))
	key, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	w.root = key
	box, err := secret.New(secret.Keys{Current: "k", Keys: map[string][]byte{"k": key}, Suite: "gm"})
	if err != nil {
		t.Fatal(err)
	}
	w.Service = w.worker(db, box)
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
	workers := jobs.NewWorkers()
	s := New(Deps{DB: db, Clock: w.now, Box: box, Log: slog.New(slog.DiscardHandler), Storage: folder, People: w, District: "通州区", Sources: []sheet.Source{w.source()},
		Limits: Limits{Rows: 10_000, PerDay: 5, Keep: 72 * time.Hour}}, workers)
	s.partRows, s.pageRows = 100, 30
	q, err := jobs.New(w.t.Context(), db, nil, s.Log)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(q.Close)
	s.Use(q)
	return s
}

func (w *world) source() sheet.Source {
	return sheet.List[int]{
		Name: "list", Title: "名单", Permission: "list.export",
		Fields: []sheet.Field[int]{
			sheet.Of("number", "序号", 10, func(n *int) sheet.Cell { return sheet.Int(int64(*n)) }),
			sheet.Of("name", "名称", 30, func(n *int) sheet.Cell { return sheet.Text(fmt.Sprintf("=第%d行", *n)) }),
			sheet.Of("secret", "手机号", 12, func(n *int) sheet.Cell { return sheet.Text("13800138000") }).Behind("list.secret"),
		},
		Describe: func(f sheet.Filter) (string, error) {
			if f["q"] != "" {
				return "关键词：" + f["q"], f.Only("q")
			}
			return "", f.Only("q")
		},
		Count: func(_ context.Context, _ access.Actor, _ sheet.Filter, most int) (int, error) {
			return min(w.rows, most), nil
		},
		Page: func(ctx context.Context, _ access.Actor, _ sheet.Filter, after string, limit int) ([]int, string, error) {
			w.page(after)
			if err := ctx.Err(); err != nil {
				return nil, "", err
			}
			from := 0
			if after != "" {
				from, _ = strconv.Atoi(after)
			}
			var out []int
			for n := from + 1; n <= w.rows && len(out) < limit; n++ {
				out = append(out, n)
			}
			next := ""
			if from+len(out) < w.rows {
				next = strconv.Itoa(from + len(out))
			}
			return out, next, nil
		},
	}.Source()
}

func (w *world) create(a access.Actor, f Format) View {
	w.t.Helper()
	v, err := w.Create(w.t.Context(), a, Create{Source: "list", Format: f, Purpose: "月度通报"})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) get(id int64) View {
	w.t.Helper()
	r, err := find(w.t.Context(), w.DB.Read(), access.SystemActor("test"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.view(w.t.Context(), r)
}

func (w *world) download(a access.Actor, id int64) []byte {
	w.t.Helper()
	f, err := w.Open(w.t.Context(), a, id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Content.Close()
	b, err := io.ReadAll(f.Content)
	if err != nil || int64(len(b)) != f.Size || f.Content.Size() != f.Size {
		w.t.Fatalf("%d bytes of %d, %v", len(b), f.Size, err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != f.SHA256 {
		w.t.Fatal("the digest is not that of the file")
	}
	return b
}

// stored counts the files on disk, drafts among them.
func (w *world) stored() int {
	n := 0
	err := filepath.WalkDir(w.dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// whole checks that the CSV has the mark, the head and each row once, in order.
func (w *world) whole(b []byte, columns int) {
	w.t.Helper()
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	if len(all) != w.rows+2 || !strings.Contains(all[0][0], "王芳") && !strings.Contains(all[0][0], "赵强") || all[1][0] != "序号" || len(all[1]) != columns {
		w.t.Fatalf("%d lines, begins with %q", len(all), all[:min(2, len(all))])
	}
	for i, line := range all[2:] {
		if line[0] != strconv.Itoa(i+1) || line[1] != fmt.Sprintf("'=第%d行", i+1) {
			w.t.Fatalf("row %d is %q", i+1, line)
		}
	}
}

func TestExportBothFormats(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 345)
	v := w.create(wang, CSV)
	if v.State != Queued || v.FileName != "名单_20261127_1405.csv" {
		t.Fatalf("%+v", v)
	}
	if _, err := w.table.Once(t.Context(), w.work); err != nil {
		t.Fatal(err)
	}
	if v = w.get(v.ID); v.State != Done || v.Rows != 345 || v.Total != 345 || v.ExpiresAt == nil {
		t.Fatalf("%+v", v)
	}
	w.whole(w.download(wang, v.ID), 2)
	if n := w.stored(); n != 1 {
		t.Errorf("%d files are kept for one export", n)
	}

	x := w.create(wang, XLSX)
	if _, err := w.table.Once(t.Context(), w.work); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(w.download(wang, x.ID)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("名单")
	if err != nil || len(rows) != 347 || rows[346][0] != "345" || rows[346][1] != "=第345行" {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, part := range []string{"综合科 王芳", "2026年11月27日 14:05", "用途：月度通报"} {
		if !strings.Contains(rows[0][0], part) {
			t.Errorf("%q is missing in the mark %q", part, rows[0][0])
		}
	}
	var log []string
	if err := w.DB.Read().NewRaw("SELECT action FROM audit_entries ORDER BY id").Scan(t.Context(), &log); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(log, " "); got != "export.create export.done export.download export.create export.done export.download" {
		t.Errorf("the log says %s", got)
	}
}

// TestProgress looks at an export from outside while it is written: what its owner is shown rises from page to page towards
// what was counted, is all of it only with the whole file, and begins anew with a workbook that is made anew.
func TestProgress(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{CSV, XLSX} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 345)
			w.tellEach = -1 // at every page: how fast the machine is says nothing here
			v := w.create(wang, format)
			if v.Rows != 0 || v.Total != 0 {
				t.Errorf("before it began %d of %d", v.Rows, v.Total)
			}
			var shown []int64
			lag := map[Format]int64{CSV: 120 + 30, XLSX: 30}[format] // a CSV tells with each part, a workbook with each page
			ctx, cut := context.WithCancel(t.Context())
			defer cut()
			w.page = func(after string) { // a page is read while the one before it is written
				got := w.get(v.ID)
				read, _ := strconv.ParseInt("0"+after, 10, 64)
				w.mu.Lock()
				defer w.mu.Unlock()
				if got.State != Running || got.Total != 345 || got.Rows > read || got.Rows < read-lag {
					t.Errorf("after %q: %s, %d of %d", after, got.State, got.Rows, got.Total)
				}
				if shown = append(shown, got.Rows); read == 300 {
					cut()
				}
			}
			rises := func(from int64) {
				t.Helper()
				if shown[0] != from || !slices.IsSorted(shown) {
					t.Errorf("from %d: %v", from, shown)
				}
			}
			_, _ = w.table.Once(ctx, w.work)
			rises(0)
			w.now.Advance(46 * time.Second)
			shown = nil
			if worked, err := w.table.Once(t.Context(), w.work); !worked || err != nil {
				t.Fatalf("not taken over: %v", err)
			}
			rises(map[Format]int64{CSV: 240, XLSX: 0}[format])
			if got := w.get(v.ID); got.State != Done || got.Rows != 345 || got.Total != 345 {
				t.Errorf("at the end %s, %d of %d", got.State, got.Rows, got.Total)
			}
		})
	}
}

// TestSecondWorker is F-03 and F-14: the worker of a CSV stops in the middle, another takes over after its term and goes on
// after the last part; the first one wakes up, and nothing of it is kept.
func TestSecondWorker(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{CSV, XLSX} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 345)
			other := w.worker(w.DB, w.Box)
			v := w.create(wang, format)
			var read []string
			stuck, wake := make(chan struct{}), make(chan struct{})
			var stopped atomic.Bool
			w.page = func(after string) {
				w.mu.Lock()
				read = append(read, after)
				w.mu.Unlock()
				if after == "270" && stopped.CompareAndSwap(false, true) {
					close(stuck)
					<-wake
				}
			}
			first := make(chan error, 1)
			go func() {
				_, err := w.table.Once(context.Background(), w.work)
				first <- err
			}()
			<-stuck
			if _, err := w.Open(t.Context(), wang, v.ID); !errors.Is(err, ErrState) {
				t.Fatalf("half a file is offered: %v", err)
			}
			if worked, err := other.table.Once(t.Context(), other.work); worked || err != nil {
				t.Fatalf("taken from a worker within its term: %v", err)
			}
			w.now.Advance(46 * time.Second)
			w.mu.Lock()
			read = nil
			w.mu.Unlock()
			if worked, err := other.table.Once(t.Context(), other.work); !worked || err != nil {
				t.Fatalf("not taken over: %v", err)
			}
			w.mu.Lock()
			from := read[0]
			w.mu.Unlock()
			if want := map[Format]string{CSV: "240", XLSX: ""}[format]; from != want {
				t.Errorf("the second worker began after %q, want %q", from, want)
			}
			keys := func() string {
				var k string
				if err := w.DB.Read().NewRaw("SELECT file_key FROM exports WHERE id = ?", v.ID).Scan(t.Context(), &k); err != nil {
					t.Fatal(err)
				}
				return k
			}
			key := keys()
			close(wake)
			if err := <-first; err != nil {
				t.Fatalf("the first worker: %v", err)
			}
			if keys() != key {
				t.Error("the first worker's file took the place of the second's")
			}
			if v = w.get(v.ID); v.State != Done || v.Rows != 345 {
				t.Fatalf("%+v", v)
			}
			if format == CSV {
				w.whole(w.download(wang, v.ID), 2)
			}
			if err := w.Expire(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := w.stored(); n != 1 {
				t.Errorf("%d files are left", n)
			}
		})
	}
}

func TestCancelAndRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 345)
	v := w.create(wang, CSV)
	w.page = func(after string) {
		if after == "270" {
			if _, err := w.Cancel(context.Background(), wang, v.ID); err != nil {
				t.Error(err)
			}
			w.page = func(string) {}
			// asked for anew at once, before the worker has noticed
			w.rows = 200
			if _, err := w.Retry(context.Background(), wang, v.ID); err != nil {
				t.Error(err)
			}
		}
	}
	if worked, err := w.table.Once(t.Context(), w.work); !worked || err != nil {
		t.Fatal(worked, err)
	}
	if got := w.get(v.ID); got.State != Queued {
		t.Fatalf("the cancelled worker's end was taken: %+v", got)
	}
	if worked, err := w.table.Once(t.Context(), w.work); !worked || err != nil {
		t.Fatal(worked, err)
	}
	if got := w.get(v.ID); got.State != Done || got.Rows != 200 {
		t.Fatalf("%+v", got)
	}
	w.whole(w.download(wang, v.ID), 2) // nothing of the cancelled one is in it
	if _, err := w.Cancel(t.Context(), wang, v.ID); !errors.Is(err, ErrState) {
		t.Errorf("a finished export was cancelled: %v", err)
	}

	w.now.Advance(73 * time.Hour)
	if err := w.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Open(t.Context(), wang, v.ID); !errors.Is(err, ErrGone) {
		t.Errorf("an expired file: %v", err)
	}
	if n := w.stored(); n != 0 {
		t.Errorf("%d files are left", n)
	}
	if _, err := w.Retry(t.Context(), wang, v.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.table.Once(t.Context(), w.work); err != nil {
		t.Fatal(err)
	}
	w.whole(w.download(wang, v.ID), 2)
}

func TestWhoMayExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	ctx := t.Context()
	v := w.create(wang, CSV)
	if _, err := w.Create(ctx, wang, Create{Source: "list", Format: CSV, Purpose: "再来一份"}); !errors.Is(err, ErrBusy) {
		t.Errorf("two at once: %v", err)
	}
	if _, err := w.Get(ctx, zhao, v.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("somebody else's export: %v", err)
	}
	if _, err := w.Cancel(ctx, zhao, v.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("somebody else's export cancelled: %v", err)
	}
	if _, err := w.table.Once(ctx, w.work); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Open(ctx, zhao, v.ID); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("somebody else's file: %v", err)
	}
	if list, _, err := w.List(ctx, zhao, "", 0); err != nil || len(list) != 0 {
		t.Errorf("somebody else's list: %v %v", list, err)
	}
	if _, err := w.Create(ctx, wang, Create{Source: "list", Format: CSV, Purpose: "电话", Columns: []string{"number", "secret"}}); !errors.Is(err, sheet.ErrColumns) {
		t.Errorf("a column beyond the rights: %v", err)
	}
	weak := wang
	weak.Permissions = nil
	if _, err := w.Create(ctx, weak, Create{Source: "list", Format: CSV, Purpose: "没有权限"}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("without the right: %v", err)
	}
	if _, err := w.Open(ctx, weak, v.ID); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("the file after the right was taken away: %v", err)
	}
	if _, err := w.Create(ctx, access.Actor{UserID: 9, Party: access.Enterprise, Permissions: wang.Permissions}, Create{Source: "list", Format: CSV, Purpose: "企业"}); !errors.Is(err, fault.ErrForbidden) {
		t.Errorf("a company's person: %v", err)
	}

	// the rights of the moment count, not those of asking
	z, err := w.Create(ctx, zhao, Create{Source: "list", Format: CSV, Purpose: "电话回访", Columns: []string{"number", "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	lost := zhao
	lost.Permissions = []access.Permission{"list.export"}
	w.people[8] = lost
	if _, err := w.table.Once(ctx, w.work); err != nil {
		t.Fatal(err)
	}
	if got := w.get(z.ID); got.State != Failed || !strings.Contains(got.Message, "无权导出") {
		t.Errorf("%+v", got)
	}
	delete(w.people, 8) // the account is disabled
	z2, err := w.Create(ctx, zhao, Create{Source: "list", Format: CSV, Purpose: "电话回访"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.table.Once(ctx, w.work); err != nil {
		t.Fatal(err)
	}
	if got := w.get(z2.ID); got.State != Failed {
		t.Errorf("%+v", got)
	}
}

func TestBoundsOfExports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 345)
	ctx := t.Context()
	w.Limits.Rows = 300
	v := w.create(wang, XLSX)
	if _, err := w.table.Once(ctx, w.work); err != nil {
		t.Fatal(err)
	}
	if got := w.get(v.ID); got.State != Failed || !strings.Contains(got.Message, "超过 300 行") {
		t.Fatalf("%+v", got)
	}
	for _, c := range []struct {
		cmd  Create
		code string
	}{
		{Create{Source: "nothing", Format: CSV, Purpose: "用途"}, "EXPORT_SOURCE"},
		{Create{Source: "list", Format: "pdf", Purpose: "用途"}, "EXPORT_FORMAT"},
		{Create{Source: "list", Format: CSV}, "REQUIRED"},
		{Create{Source: "list", Format: CSV, Purpose: "用途", Filters: map[string]string{"owner": "1"}}, "EXPORT_FILTER"},
		{Create{Source: "list", Format: CSV, Purpose: "用途", Columns: []string{"number", "number2"}}, "EXPORT_COLUMNS"},
	} {
		_, err := w.Create(ctx, wang, c.cmd)
		if f, ok := fault.As(err); !ok || f.Code != c.code || len(f.Fields) != 1 {
			t.Errorf("%+v: %v, want %s at a field", c.cmd, err, c.code)
		}
	}
	w.rows = 1
	for range 4 {
		w.create(wang, CSV)
		if _, err := w.table.Once(ctx, w.work); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Create(ctx, wang, Create{Source: "list", Format: CSV, Purpose: "第六次"}); !errors.Is(err, ErrDaily) {
		t.Errorf("beyond the day's number: %v", err)
	}
	w.now.Advance(25 * time.Hour)
	w.create(wang, CSV)
}

// TestStorageFails has the disk refuse: the export waits and is tried again, and given up in the end with a sentence.
func TestStorageFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	v := w.create(wang, CSV)
	w.Storage = broken{w.Storage}
	for range maxAttempts {
		if worked, err := w.table.Once(t.Context(), w.work); !worked || err == nil {
			t.Fatalf("the failure was swallowed: %v %v", worked, err)
		}
		w.now.Advance(2 * time.Minute)
	}
	if got := w.get(v.ID); got.State != Failed || got.Message == "" {
		t.Fatalf("%+v", got)
	}
	w.Storage = w.Storage.(broken).Storage
	if _, err := w.Retry(t.Context(), wang, v.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.table.Once(t.Context(), w.work); err != nil {
		t.Fatal(err)
	}
	w.whole(w.download(wang, v.ID), 2)
}

type broken struct{ files.Storage }

func (broken) Draft(context.Context) (files.Draft, error) { return nil, errors.New("no disk") }

// clear reports what of the files on disk can be read without a key, drafts among them.
func (w *world) clear(needles ...string) (found []string) {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, n := range needles {
			if bytes.Contains(b, []byte(n)) {
				found = append(found, filepath.Base(path)+": "+n)
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// TestExportsAreSealed finds nothing of an export on the disk, neither while it is written nor when it is done; a worker
// goes on from sealed parts under new root keys, and what was exported before the upgrade is still read.
func TestExportsAreSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 345)
	ctx := t.Context()
	secrets := []string{"13800138000", "手机号", "赵强", "PK\x03\x04", "xl/worksheets"}
	ask := func(f Format) View {
		v, err := w.Create(ctx, zhao, Create{Source: "list", Format: f, Purpose: "电话回访", Columns: []string{"number", "name", "secret"}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := ask(CSV)
	w.page = func(after string) {
		if after == "270" {
			panic("the worker dies")
		}
	}
	next, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.table.Once(ctx, w.work)
	if got := w.get(v.ID); err == nil || got.State != Running || got.Rows != 240 {
		t.Fatalf("%v %+v", err, got)
	}
	if n := w.stored(); n != 2 {
		t.Errorf("%d parts of two", n)
	}
	if found := w.clear(secrets...); len(found) > 0 {
		t.Errorf("parts can be read: %v", found)
	}
	var seals []string
	if err := w.DB.Read().NewRaw("SELECT seal FROM export_parts ORDER BY seq").Scan(ctx, &seals); err != nil || len(seals) < 2 || seals[0] == "" || seals[0] == seals[1] {
		t.Errorf("%v %q", err, seals)
	}

	// the root keys change and every sealed column follows; a worker that has the old key no more goes on
	ring := func(retired bool) secret.Keys {
		return secret.Keys{Current: "k2", Founding: "k", Keys: map[string][]byte{"k": w.root, "k2": next}, Suite: secret.Intl, Suites: map[string]secret.Suite{"k": secret.GM},
			Retired: map[string]bool{"k": retired}}
	}
	if err := w.Box.Replace(ring(false)); err != nil {
		t.Fatal(err)
	}
	if err := (secret.Rotator{DB: w.DB, Box: w.Box, Clock: w.now, Log: w.Log, Keepers: Sealed()}).Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Box.Replace(ring(true)); err != nil {
		t.Fatal(err)
	}
	w.now.Advance(2 * time.Minute)
	var read []string
	w.page = func(after string) { read = append(read, after) }
	if _, err := w.table.Once(ctx, w.work); err != nil {
		t.Fatal(err)
	}
	if len(read) == 0 || read[0] != "240" {
		t.Errorf("the second worker read %q", read)
	}
	w.page = func(string) {}
	w.whole(w.download(zhao, v.ID), 3)
	x := ask(XLSX)
	if _, err := w.table.Once(ctx, w.work); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(w.download(zhao, x.ID), []byte("PK\x03\x04")) {
		t.Error("no workbook")
	}
	if found := w.clear(secrets...); len(found) > 0 || w.stored() != 2 {
		t.Errorf("%d files; what can be read of them: %v", w.stored(), found)
	}

	// a file that came before the upgrade
	d, err := w.Storage.Draft(ctx)
	if err != nil {
		t.Fatal(err)
	}
	before := newKey()
	if _, err := d.Write([]byte("序号\r\n1\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(ctx, before); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DB.Writer().NewRaw("UPDATE exports SET file_key = ?, file_seal = '' WHERE id = ?", before, v.ID).Exec(ctx); err != nil {
		t.Fatal(err)
	}
	f, err := w.Open(ctx, zhao, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Content.Close()
	if b, err := io.ReadAll(f.Content); err != nil || string(b) != "序号\r\n1\r\n" {
		t.Errorf("%q %v", b, err)
	}
}

// spoil changes a byte in every file on disk.
func (w *world) spoil() {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b[len(b)/2] ^= 1
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestSpoiledExports: a worker that finds a part changed begins anew, and a file that was changed is not given out.
func TestSpoiledExports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 345)
	v := w.create(wang, CSV)
	w.page = func(after string) {
		if after == "270" {
			panic("the worker dies")
		}
	}
	if _, err := w.table.Once(t.Context(), w.work); err == nil {
		t.Fatal("nothing happened")
	}
	w.page = func(string) {}
	w.spoil()
	w.now.Advance(2 * time.Minute)
	if _, err := w.table.Once(t.Context(), w.work); err == nil || !strings.Contains(err.Error(), "part 1") {
		t.Fatalf("gone on with changed parts: %v", err)
	}
	if got := w.get(v.ID); got.State != Running || got.Rows != 0 {
		t.Fatalf("%+v", got)
	}
	w.now.Advance(2 * time.Minute)
	if _, err := w.table.Once(t.Context(), w.work); err != nil {
		t.Fatal(err)
	}
	w.whole(w.download(wang, v.ID), 2)
	if err := w.Expire(t.Context()); err != nil || w.stored() != 1 {
		t.Fatalf("%d files, %v", w.stored(), err)
	}
	w.spoil()
	if _, err := w.Open(t.Context(), wang, v.ID); !errors.Is(err, ErrDamaged) {
		t.Errorf("a changed file: %v", err)
	}
	if got := w.get(v.ID); got.Downloads != 1 {
		t.Errorf("counted as taken: %+v", got)
	}
}
