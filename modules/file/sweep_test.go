package file_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
)

func (f *fixture) keyOf(t *testing.T, id int64) (key string) {
	t.Helper()
	if err := f.DB.Read().QueryRowContext(context.Background(), "SELECT key FROM files WHERE id = ?", id).Scan(&key); err != nil {
		t.Fatal(err)
	}
	return key
}

func (f *fixture) path(key string) string { return filepath.Join(f.dir, key[:2], key[2:4], key) }

func keep(t *testing.T, s files.Storage, key, content string) {
	t.Helper()
	d, err := s.Draft(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(d, content); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(context.Background(), key); err != nil {
		t.Fatal(err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := newFixture(t, false)
	tied, loose, drafted := mustSave(t, f, "tied.png"), mustSave(t, f, "loose.png"), mustSave(t, f, "drafted.png")
	lost := mustSave(t, f, "lost.png")
	short := mustSave(t, f, "short.png")
	for _, v := range []file.View{tied, lost, short} {
		if err := f.claim(one, v.ID); err != nil {
			t.Fatal(err)
		}
	}
	f.Drafts = func(_ context.Context, owner int64) ([]int64, error) {
		if owner != 1 {
			t.Errorf("asked for the drafts of %d", owner)
		}
		return []int64{drafted.ID}, nil
	}
	orphan := strings.Repeat("ab", 16)
	keep(t, f.folder, orphan, "left by a killed process")
	if err := os.WriteFile(filepath.Join(f.dir, "drafts", "half"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(f.path(f.keyOf(t, lost.ID))); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(f.path(f.keyOf(t, short.ID)), 3); err != nil {
		t.Fatal(err)
	}
	c, err := f.Check(ctx, system)
	if err != nil || c.Rows != 5 || c.Objects != 5 || c.Orphans != 1 || !slices.Equal(c.Missing, []int64{lost.ID, short.ID}) {
		t.Errorf("check: %+v, %v", c, err)
	}

	// nothing young is touched
	early := time.Now().Add(-time.Hour)
	s, err := f.Sweep(ctx, system, early, early)
	if err != nil || s.Drafts != 0 || s.Orphans != 0 || s.Loose != 0 || !slices.Equal(s.Missing, []int64{lost.ID, short.ID}) {
		t.Errorf("young: %+v, %v", s, err)
	}
	if !strings.Contains(f.log.String(), "files swept") || !strings.Contains(f.log.String(), "files without content") {
		t.Errorf("log: %s", f.log)
	}
	late := time.Now().Add(time.Hour)
	gone := f.keyOf(t, loose.ID)
	s, err = f.Sweep(ctx, system, late, late)
	if err != nil || s.Drafts != 1 || s.Orphans != 1 || s.Loose != 1 {
		t.Errorf("old: %+v, %v", s, err)
	}
	for _, key := range []string{orphan, gone} {
		if _, err := os.Stat(f.path(key)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", key, err)
		}
	}
	if _, err := f.Read(ctx, one, loose.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a loose file: %v", err)
	}
	for _, v := range []file.View{tied, drafted} {
		if _, err := os.Stat(f.path(f.keyOf(t, v.ID))); err != nil {
			t.Errorf("%s is gone: %v", v.Name, err)
		}
	}
	if n := f.count(t, "SELECT count(*) FROM audit_entries WHERE action = 'file.expire' AND object_id = ?", loose.ID); n != 1 {
		t.Errorf("%d audit rows", n)
	}
	if s, err = f.Sweep(ctx, system, late, late); err != nil || s.Drafts+s.Orphans+s.Loose != 0 {
		t.Errorf("again: %+v, %v", s, err)
	}
	if _, err := f.Sweep(ctx, one, late, late); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a person sweeps: %v", err)
	}
	// its content lost, a file is no wrong address
	if _, err := f.Read(ctx, two, lost.ID); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a file without content: %v", err)
	}
	if task := f.SweepTask(); task.Name != "file.sweep" || task.Run(ctx) != nil {
		t.Error("the task fails")
	}
}

func mustSave(t *testing.T, f *fixture, name string) file.View {
	t.Helper()
	v, err := f.save(t, name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCopy(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := newFixture(t, false)
	dir := t.TempDir()
	to, err := files.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	var all []file.View
	for _, name := range []string{"a.png", "b.png", "c.png", "d.png"} {
		all = append(all, mustSave(t, f, name))
	}
	ctx2, stop := context.WithCancel(ctx)
	r, err := f.Copy(ctx2, system, f.folder, to, false, func(r file.Copied) {
		if r.Done == 2 {
			stop() // in the middle
		}
	})
	if err == nil || r.Copied != 2 {
		t.Errorf("stopped: %+v, %v", r, err)
	}
	// half a file at the target, and one spoiled at the source
	if err := os.Truncate(filepath.Join(dir, pathOf(f.keyOf(t, all[1].ID))), 5); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path(f.keyOf(t, all[3].ID)), bytes.Repeat([]byte{1}, int(all[3].Size)), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err = f.Copy(ctx, system, f.folder, to, false, func(file.Copied) {})
	if err != nil || r.Done != 4 || r.Copied != 2 || r.Skipped != 1 || !slices.Equal(r.Bad, []int64{all[3].ID}) {
		t.Errorf("went on: %+v, %v", r, err)
	}
	for i, v := range all[:3] {
		a, err := os.ReadFile(f.path(f.keyOf(t, v.ID)))
		b, err2 := os.ReadFile(filepath.Join(dir, pathOf(f.keyOf(t, v.ID))))
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%d: %v %v", i, err, err2)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, pathOf(f.keyOf(t, all[3].ID)))); err == nil {
		t.Error("spoiled content was copied")
	}
	// right in length, wrong in content: only a thorough copy sees it
	spoiled := filepath.Join(dir, pathOf(f.keyOf(t, all[0].ID)))
	if err := os.WriteFile(spoiled, bytes.Repeat([]byte{1}, int(all[0].Size)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err = f.Copy(ctx, system, f.folder, to, true, func(file.Copied) {}); err != nil || r.Copied != 1 || r.Skipped != 2 {
		t.Errorf("thorough: %+v, %v", r, err)
	}
	if _, err := f.Copy(ctx, one, f.folder, to, false, nil); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a person copies: %v", err)
	}
}

func pathOf(key string) string { return filepath.Join(key[:2], key[2:4], key) }
