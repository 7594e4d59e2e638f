//go:build !race

package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/snapshot"
)

// These tests end a real program at one exact place, as kill -9 does, and look at what is left (F-04, F-05).

var fragile struct {
	once sync.Once
	path string
	err  error
}

// fragileProgram links the program with failpoints, once for all tests.
func fragileProgram(t *testing.T) string {
	t.Helper()
	fragile.once.Do(func() {
		dir, err := os.MkdirTemp("", "huiqi-fragile-*")
		if err != nil {
			fragile.err = err
			return
		}
		fragile.path = filepath.Join(dir, "huiqi")
		cmd := exec.Command("go", "build", "-ldflags", "-s -w -X github.com/huiqi/huiqi/platform/failpoint.linked=yes", "-o", fragile.path, "..")
		if out, err := cmd.CombinedOutput(); err != nil {
			fragile.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if fragile.err != nil {
		t.Fatal(fragile.err)
	}
	return fragile.path
}

// removeShared removes what the tests of this file share.
func removeShared() {
	for _, dir := range []string{filepath.Dir(fragile.path), districtFolder} {
		if dir != "." && dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
}

// invoke runs the program and returns what it said and its exit code; -1 is killed.
func invoke(t *testing.T, program, failpoint string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "FAILPOINT="+failpoint)
	out, err := cmd.CombinedOutput()
	var e *exec.ExitError
	if err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// mustInvoke runs the program without failpoints and returns what it said.
func mustInvoke(t *testing.T, args ...string) string {
	t.Helper()
	out, code := invoke(t, fragileProgram(t), "", args...)
	if code != 0 {
		t.Fatalf("huiqi %s: exit %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// killedAt runs the program with a failpoint that kills it, and fails when it did not get there.
func killedAt(t *testing.T, place string, args ...string) {
	t.Helper()
	if out, code := invoke(t, fragileProgram(t), place+":kill", args...); code != -1 {
		t.Fatalf("%s: not killed, exit %d\n%s", place, code, out)
	}
}

func seededDir(t *testing.T) string {
	t.Helper()
	if os.Getenv("TEST_DATABASE_URL") != "" {
		t.Skip("data directories are those of the embedded database")
	}
	return newDistrict(t).data
}

func usable(t *testing.T, target string) []*snapshot.Set {
	t.Helper()
	sets, broken, err := snapshot.List(target)
	if err != nil || len(broken) > 0 {
		t.Fatalf("broken %v, %v", broken, err)
	}
	for _, s := range sets {
		if err := s.Check(context.Background(), nil); err != nil {
			t.Fatalf("%s: %v", s.Name(), err)
		}
	}
	return sets
}

func tickets(t *testing.T, dir string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "huiqi.db")+"?_pragma=query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM tickets").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKilledInBackup: wherever the making ends, the set before is whole, nothing that looks like a set is not one, and the
// next making goes through and leaves no rest.
func TestKilledInBackup(t *testing.T) {
	t.Parallel()
	dir, target := seededDir(t), filepath.Join(t.TempDir(), "target")
	args := []string{"backup", "--data", dir, "--to", target}
	mustInvoke(t, args...)
	for _, c := range []struct {
		place string
		sets  int // after the kill
	}{{"snapshot.page:1", 1}, {"snapshot.page:3", 1}, {"snapshot.before-rename:1", 1}, {"snapshot.after-rename:1", 2}} {
		killedAt(t, c.place, args...)
		if got := usable(t, target); len(got) != c.sets || got[len(got)-1].Verified == nil {
			t.Fatalf("%s: %d sets, want %d", c.place, len(got), c.sets)
		}
	}
	mustInvoke(t, args...)
	if got := usable(t, target); len(got) != 3 || got[0].Verified == nil {
		t.Fatalf("%d sets afterwards", len(got))
	}
	left, err := filepath.Glob(filepath.Join(target, ".part-*"))
	if err != nil || len(left) > 0 {
		t.Fatalf("left: %v %v", left, err)
	}
	if scratch, err := os.ReadDir(filepath.Join(dir, "huiqi-scratch")); err != nil || len(scratch) > 0 {
		t.Fatalf("plain text is left: %v %v", scratch, err)
	}
}

// TestKilledInRestore: wherever the restoring ends, what was there is there, and restoring again goes through (F-04, F-29).
func TestKilledInRestore(t *testing.T) {
	t.Parallel()
	dir, target := seededDir(t), filepath.Join(t.TempDir(), "target")
	identity := filepath.Join(t.TempDir(), "identity.txt")
	mustInvoke(t, "backup", "--data", dir, "--to", target)
	// The identity is kept elsewhere.
	raw, err := os.ReadFile(filepath.Join(dir, demoIdentityFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(identity, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	set := usable(t, target)[0]
	want := tickets(t, dir)
	restore := []string{"restore", "--from", set.Dir, "--data", dir, "--identity", identity}
	if out, code := invoke(t, fragileProgram(t), "", restore...); code != 1 || !strings.Contains(out, "--replace") {
		t.Fatalf("over data: exit %d\n%s", code, out)
	}
	restore = append(restore, "--replace")
	killedAt(t, "restore.database:1", restore...)
	if got := tickets(t, dir); got != want {
		t.Fatalf("%d tickets after a killed restoring, want %d", got, want)
	}
	killedAt(t, "restore.aside:1", restore...)
	aside, err := filepath.Glob(dir + "-before-*")
	if err != nil || len(aside) != 1 {
		t.Fatalf("the old directory: %v %v", aside, err)
	}
	if got := tickets(t, aside[0]); got != want {
		t.Fatalf("the old directory has %d tickets, want %d", got, want)
	}
	out := mustInvoke(t, restore...)
	if !strings.Contains(out, "用时") || !strings.Contains(out, "仍为演示环境") || tickets(t, dir) != want || !isDemo(dir) {
		t.Fatalf("restored:\n%s", out)
	}
	if left, _ := filepath.Glob(dir + ".restoring-*"); len(left) > 0 {
		t.Fatalf("left: %v", left)
	}
	// A machine that never saw this installation: only the set, the identity and the command.
	fresh := filepath.Join(t.TempDir(), "elsewhere", "data")
	mustInvoke(t, "restore", "--from", set.Dir, "--data", fresh, "--identity", identity)
	if tickets(t, fresh) != want {
		t.Fatal("not all tickets on the new machine")
	}
	mustInvoke(t, "audit", "verify", "--data", fresh)
}

// TestKilledInMigration: wherever the steps of the schema end, the next start brings them to their end, and the schema is
// the one of an undisturbed start (F-05).
func TestKilledInMigration(t *testing.T) {
	t.Parallel()
	if os.Getenv("TEST_DATABASE_URL") != "" {
		t.Skip("run on the embedded database; PostgreSQL's steps go the same way")
	}
	whole := filepath.Join(t.TempDir(), "whole")
	mustInvoke(t, "migrate", "--data", whole)
	want := schemaOf(t, whole)
	steps := len(Migrations())
	for _, n := range []int{1, 2, steps / 2, steps - 1, steps} {
		for _, place := range []string{"database.migration-step", "database.migration-commit"} {
			dir := filepath.Join(t.TempDir(), "data")
			killedAt(t, fmt.Sprintf("%s:%d", place, n), "migrate", "--data", dir)
			mustInvoke(t, "migrate", "--data", dir)
			if got := schemaOf(t, dir); got != want {
				t.Errorf("%s, step %d: the schema is another one", place, n)
			}
		}
	}
}

func schemaOf(t *testing.T, dir string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "huiqi.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var b strings.Builder
	for _, query := range []string{"SELECT coalesce(sql, name) FROM sqlite_master ORDER BY type, name", "SELECT id FROM schema_migrations ORDER BY id"} {
		rows, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			b.WriteString(s + "\n")
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestOldProgramRefusesANewerSchema: one clear sentence, exit 2, nothing changed; and so does a restoring.
func TestOldProgramRefusesANewerSchema(t *testing.T) {
	t.Parallel()
	dir, target := seededDir(t), filepath.Join(t.TempDir(), "target")
	db, err := database.Open(context.Background(), filepath.Join(dir, "huiqi.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Writer().ExecContext(context.Background(), "INSERT INTO schema_migrations (id, at) VALUES ('20990101000000_tomorrow', '2099-01-01')"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "migrate"} {
		args := []string{command, "--data", dir}
		if command == "serve" {
			args = append(args, "--listen", "127.0.0.1:0")
		}
		out, code := invoke(t, fragileProgram(t), "", args...)
		said := out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]
		if code != 2 || !strings.Contains(said, "upgraded by a newer huiqi (20990101000000_tomorrow)") {
			t.Errorf("%s: exit %d\n%s", command, code, out)
		}
	}
	mustInvoke(t, "backup", "--data", dir, "--to", target) // still possible, and useful just then
	fresh := filepath.Join(t.TempDir(), "fresh")
	out, code := invoke(t, fragileProgram(t), "", "restore", "--from", usable(t, target)[0].Dir, "--data", fresh, "--identity", filepath.Join(dir, demoIdentityFile))
	if code != 2 || !strings.Contains(out, "更新版本的程序") {
		t.Errorf("restore: exit %d\n%s", code, out)
	}
	if _, err := os.Stat(fresh); !errors.Is(err, os.ErrNotExist) {
		t.Error("something was restored")
	}
}

// TestKilledInImport: a change is there whole or not at all on either side of its commit, and importing again goes on.
func TestKilledInImport(t *testing.T) {
	t.Parallel()
	const doc = `format: 1
departments:
  - {code: NEW-1, name: 新设部门一, parent: TZ, sort: 90}
  - {code: NEW-2, name: 新设部门二, parent: NEW-1, sort: 91}
  - {code: NEW-3, name: 新设部门三, parent: NEW-2, sort: 92}
`
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := seededDir(t)
	args := []string{"config", "import", file, "--data", dir}
	if out := mustInvoke(t, args...); !strings.Contains(out, "共 3 项变更") || !strings.Contains(out, "仅为预览") {
		t.Fatal(out)
	}
	args = append(args, "--apply")
	killedAt(t, "database.before-commit:2", args...) // the first is in, the second is not
	if out := mustInvoke(t, args[:len(args)-1]...); !strings.Contains(out, "共 2 项变更") {
		t.Fatal(out)
	}
	killedAt(t, "database.after-commit:1", args...) // the second is in, though nobody heard of it
	if out := mustInvoke(t, args...); !strings.Contains(out, "导入完成，1 项变更") {
		t.Fatal(out)
	}
	if out := mustInvoke(t, args...); !strings.Contains(out, "没有需要变更的内容") {
		t.Fatal(out)
	}
}
