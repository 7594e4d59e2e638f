package backup_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/huiqi/huiqi/modules/backup"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/snapshot"
)

var (
	viewer   = access.Actor{UserID: 1, Name: "孙宏", Party: access.Platform, Permissions: []access.Permission{"backup.view"}}
	keeper   = access.Actor{UserID: 2, Name: "周岩", Party: access.Platform, Permissions: []access.Permission{"backup.run", "backup.view"}}
	stranger = access.Actor{UserID: 3, Name: "王芳", Party: access.Government, Permissions: []access.Permission{"ticket.view"}}
)

// world is a service over a small installation.
type world struct {
	*backup.Service

	db     *database.DB
	clock  *clock.Fake
	target string
	// before runs at the start of a making.
	before func() error
}

func newWorld(t *testing.T, change func(*backup.Options)) *world {
	t.Helper()
	db := databasetest.New(t, slices.Concat(audit.Migrations, idempotency.Migrations, backup.Migrations))
	folder, err := files.OpenFolder(filepath.Join(t.TempDir(), "files"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: db, clock: clock.NewFake(time.Now().UTC().Truncate(time.Second)), target: filepath.Join(t.TempDir(), "target"), before: func() error { return nil }}
	o := backup.Options{Target: w.target, Recipients: []string{key.Recipient().String()}, Cron: "30 2 * * *", Retention: snapshot.Retention{Daily: 7}}
	if change != nil {
		change(&o)
	}
	scratch := t.TempDir()
	w.Service = backup.New(backup.Deps{DB: db, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Options: o, Source: func(context.Context) (snapshot.Source, error) {
		return snapshot.Source{DB: db, Files: folder, Scratch: scratch, Program: "test"}, w.before()
	}})
	return w
}

// work works one run and returns the newest.
func (w *world) work(t *testing.T) backup.Item {
	t.Helper()
	if worked, err := w.Work(context.Background()); err != nil || !worked {
		t.Fatalf("worked %v, %v", worked, err)
	}
	if failed, _, err := w.List(context.Background(), viewer, backup.ListFilter{State: backup.Failed}); err != nil || len(failed) > 0 && failed[0].Fault != snapshot.ErrSpace.Message {
		t.Logf("failed: %+v %v", failed, err)
	}
	return w.newest(t)
}

func (w *world) newest(t *testing.T) backup.Item {
	t.Helper()
	items, _, err := w.List(context.Background(), viewer, backup.ListFilter{})
	if err != nil || len(items) == 0 {
		t.Fatalf("%v %v", items, err)
	}
	return items[0]
}

func (w *world) actions(t *testing.T) (list []string) {
	t.Helper()
	if err := w.db.Read().NewSelect().TableExpr("audit_entries").Column("action").OrderExpr("id").Scan(context.Background(), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFromAskingToAVerifiedSet(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	second := t.TempDir()
	w := newWorld(t, func(o *backup.Options) { o.CopyTo = second })
	asked, err := w.Ask(ctx, keeper, "key-1")
	if err != nil || asked.State != backup.Waiting || asked.AskedBy != "周岩" {
		t.Fatalf("%+v %v", asked, err)
	}
	again, err := w.Ask(ctx, keeper, "key-1")
	if err != nil || again.ID != asked.ID {
		t.Fatalf("the same key: %+v %v", again, err)
	}
	if _, err := w.Ask(ctx, keeper, "key-2"); !errors.Is(err, backup.ErrOpen) {
		t.Fatalf("a second run at once: %v", err)
	}
	last, err := w.LastBackup(ctx)
	if err != nil || !last.Running || last.VerifiedAt != nil {
		t.Fatalf("%+v %v", last, err)
	}
	done := w.work(t)
	if done.State != backup.Done || done.VerifiedAt == nil || done.CopiedAt == nil || !done.Present || done.Kept != "最新" || done.Rows == 0 || done.Size == 0 {
		t.Fatalf("%+v", done)
	}
	for _, target := range []string{w.target, second} {
		sets, _, err := snapshot.List(target)
		if err != nil || len(sets) != 1 || sets[0].Name() != done.Set || sets[0].Verified == nil {
			t.Fatalf("%s: %v %v", target, sets, err)
		}
	}
	st, err := w.Standing(ctx, viewer)
	if err != nil || len(st.Sets) != 1 || st.CanRun || st.Last.Problem(w.clock.Now()) != "" || st.Free <= 0 {
		t.Fatalf("%+v %v", st, err)
	}
	w.clock.Advance(27 * time.Hour)
	if last, err = w.LastBackup(ctx); err != nil || last.Problem(w.clock.Now()) == "" {
		t.Fatalf("an old backup is no problem: %+v %v", last, err)
	}
	if got := w.actions(t); !slices.Equal(got, []string{"backup.ask", "backup.done"}) {
		t.Fatalf("audit: %v", got)
	}
	if worked, err := w.Work(ctx); worked || err != nil {
		t.Fatalf("worked a run that is over: %v", err)
	}
}

func TestWhoMay(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, nil)
	for _, a := range []access.Actor{stranger, viewer} {
		if _, err := w.Ask(ctx, a, ""); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s asks: %v", a.Name, err)
		}
	}
	if _, _, err := w.List(ctx, stranger, backup.ListFilter{}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("lists: %v", err)
	}
	if _, err := w.Standing(ctx, stranger); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("standing: %v", err)
	}
	if _, err := w.Get(ctx, stranger, 1); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("get: %v", err)
	}
	if _, err := w.Get(ctx, viewer, 99); fault.KindOf(err) != fault.NotFound {
		t.Errorf("get none: %v", err)
	}
}

func TestFailureIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, nil)
	w.before = func() error { return snapshot.ErrSpace }
	if err := w.Tasks()[0].Run(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Tasks()[0].Run(ctx); err != nil { // the next tick finds it waiting
		t.Fatal(err)
	}
	for try := 1; try <= 3; try++ {
		if worked, err := w.Work(ctx); err != nil || !worked {
			t.Fatalf("try %d: %v %v", try, worked, err)
		}
		last, err := w.LastBackup(ctx)
		if err != nil || last.Fault == "" || last.Problem(w.clock.Now()) == "" {
			t.Fatalf("try %d is not told: %+v %v", try, last, err)
		}
		if worked, _ := w.Work(ctx); worked {
			t.Fatalf("try %d is repeated at once", try)
		}
		w.clock.Advance(15 * time.Minute)
	}
	if worked, _ := w.Work(ctx); worked {
		t.Fatal("a fourth try")
	}
	if got := w.actions(t); len(got) != 4 || got[3] != "backup.failed" {
		t.Fatalf("audit: %v", got)
	}
	w.before = func() error { return nil }
	if _, err := w.Ask(ctx, keeper, ""); err != nil {
		t.Fatal(err)
	}
	if done := w.work(t); done.State != backup.Done {
		t.Fatalf("%+v", done)
	}
	if last, err := w.LastBackup(ctx); err != nil || last.Problem(w.clock.Now()) != "" {
		t.Fatalf("%+v %v", last, err)
	}
}

func TestDeadProcessIsNoticedAndKeepsNothing(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{2 * time.Minute, -time.Hour} { // also by a clock that was set back
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			testDeadProcess(t, by)
		})
	}
}

func testDeadProcess(t *testing.T, by time.Duration) {
	t.Helper()
	ctx := context.Background()
	w := newWorld(t, nil)
	if _, err := w.Ask(ctx, keeper, ""); err != nil {
		t.Fatal(err)
	}
	// While the first process is stuck in the making, another looks a minute later.
	w.before = func() error {
		w.before = func() error { return nil }
		w.clock.Advance(by)
		if worked, err := w.Work(ctx); worked || err != nil {
			t.Errorf("the other process: %v %v", worked, err)
		}
		return nil
	}
	// The first one wakes up and finds that the run is no longer its own.
	if _, err := w.Work(ctx); err == nil {
		t.Fatal("the process that was given up wrote its outcome")
	}
	items, _, err := w.List(ctx, viewer, backup.ListFilter{State: backup.Failed})
	if err != nil || len(items) != 1 || items[0].Fault == "" {
		t.Fatalf("%+v %v", items, err)
	}
	w.clock.Advance(15 * time.Minute)
	if done := w.work(t); done.State != backup.Done || done.Attempt != 2 {
		t.Fatalf("%+v", done)
	}
}

func TestEachRunIsWorkedOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, nil)
	var asked, worked sync.Map
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			if _, err := w.Ask(ctx, keeper, ""); err == nil {
				asked.Store(n, true)
			} else if !errors.Is(err, backup.ErrOpen) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for n := range 8 {
		wg.Go(func() {
			ok, err := w.Work(ctx)
			if err != nil {
				t.Error(err)
			}
			if ok {
				worked.Store(n, true)
			}
		})
	}
	wg.Wait()
	if a, b := count(&asked), count(&worked); a != 1 || b != 1 {
		t.Fatalf("%d asked, %d worked", a, b)
	}
}

func count(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

func TestUnsetAndUnmountedAreTold(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	unset := newWorld(t, func(o *backup.Options) { o.Recipients = nil })
	if _, err := unset.Ask(ctx, keeper, ""); !errors.Is(err, backup.ErrUnset) {
		t.Fatalf("got %v", err)
	}
	if err := unset.Tasks()[0].Run(ctx); !errors.Is(err, backup.ErrUnset) {
		t.Fatalf("got %v", err)
	}
	if last, err := unset.LastBackup(ctx); err != nil || last.Problem(time.Now()) == "" {
		t.Fatalf("%+v %v", last, err)
	}
	gone := filepath.Join(t.TempDir(), "mnt")
	w := newWorld(t, func(o *backup.Options) { o.CopyTo = gone })
	if _, err := w.Ask(ctx, keeper, ""); err != nil {
		t.Fatal(err)
	}
	if done := w.work(t); done.State != backup.Done || done.CopyFault == "" || done.CopiedAt != nil {
		t.Fatalf("%+v", done)
	}
	if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("the set was copied into the folder below the mount")
	}
	if last, err := w.LastBackup(ctx); err != nil || last.Problem(w.clock.Now()) == "" {
		t.Fatalf("%+v %v", last, err)
	}
}

func TestADamagedPoolIsMendedInTheSameRun(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, nil)
	folder, err := files.OpenFolder(filepath.Join(t.TempDir(), "files"))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	d, err := folder.Draft(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write([]byte("内容")); err != nil {
		t.Fatal(err)
	}
	const key = "00112233445566778899aabbccddeeff"
	if err := d.Commit(ctx, key); err != nil {
		t.Fatal(err)
	}
	source, scratch := w.Source, t.TempDir()
	w.Source = func(ctx context.Context) (snapshot.Source, error) {
		s, err := source(ctx)
		s.Files, s.Scratch, s.References = folder, scratch, []string{"SELECT '" + key + "', 6, ''"}
		return s, err
	}
	for n := range 2 {
		if _, err := w.Ask(ctx, keeper, ""); err != nil {
			t.Fatal(err)
		}
		done := w.work(t)
		if done.State != backup.Done || done.Files != 1 || done.FilesNew != 1 {
			t.Fatalf("round %d: %+v", n, done)
		}
		pool, _ := filepath.Glob(filepath.Join(w.target, "files", "00", "*.age"))
		if len(pool) != 1 {
			t.Fatalf("round %d: %v", n, pool)
		}
		b, err := os.ReadFile(pool[0])
		if err != nil {
			t.Fatal(err)
		}
		b[0] ^= 1
		if err := os.WriteFile(pool[0], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
