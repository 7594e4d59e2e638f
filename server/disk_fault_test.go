//go:build linux

package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/secret"
)

// smallDisk mounts a disk of its own, which only root may; otherwise the test says so and is skipped.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("skipped: a small disk can only be mounted by root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		t.Skipf("skipped: no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves no byte free on the disk; the file it returns holds the room.
func fill(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f := must(os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600))(t)
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// full checks the one answer to a full disk.
func full(t *testing.T, what string, a answer) {
	t.Helper()
	if a.status != 503 || a.Code != "STORAGE_FULL" || a.Detail != "存储空间不足，提交未保存，请稍后重试" || a.header.Get("Retry-After") == "" {
		t.Errorf("%s: %d %s", what, a.status, a.body)
	}
}

func (d *desk) submit(title string) answer {
	d.t.Helper()
	ctx := context.Background()
	types := must(d.tickets.Types(ctx, must(d.identity.Authenticate(ctx, d.session))(d.t)))(d.t)
	return d.ask("POST", "/api/tickets", d.session, strings.NewReader(fmt.Sprintf(`{"type":%q,"title":%q,"body":"门前路灯坏了三天","source":"h5"}`, types[0].Code, title)), "Content-Type", "application/json")
}

// reads checks that what only reads is answered.
func (d *desk) reads(what string, paths ...string) {
	d.t.Helper()
	for _, p := range append(paths, "/api/tickets", "/api/session", "/tickets", "/", "/readyz") {
		if got := d.ask("GET", p, d.session, nil); got.status != 200 {
			d.t.Errorf("%s: GET %s: %d %.200s", what, p, got.status, got.body)
		}
	}
}

// work runs what a working process runs beside its server; none of it may end.
func (d *desk) work() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, len(d.background))
	for _, run := range d.background {
		go func() { ended <- database.Outlast(ctx, slog.New(slog.DiscardHandler), run) }()
	}
	d.t.Cleanup(func() {
		done := len(ended)
		for range done { // what had nothing left to do, as a look at the full text's layout, ends well
			if err := <-ended; err != nil {
				d.t.Errorf("the fault ended what works in the background: %v", err)
			}
		}
		stop()
		for range len(d.background) - done {
			if err := <-ended; err != nil {
				d.t.Error(err)
			}
		}
	})
}

// count asks the database one number.
func (d *desk) count(query string) (n int) {
	d.t.Helper()
	must(0, d.db.Read().QueryRowContext(context.Background(), query).Scan(&n))(d.t)
	return n
}

// sound checks that the fault broke nothing.
func (d *desk) sound(accepted int) {
	d.t.Helper()
	ctx := context.Background()
	if d.db.Kind() == database.SQLite {
		var word string
		must(0, d.db.Read().QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&word))(d.t)
		if word != "ok" {
			d.t.Errorf("the database: %s", word)
		}
	}
	if n := d.count("SELECT count(*) FROM tickets"); n != accepted {
		d.t.Errorf("%d tickets for %d that were accepted", n, accepted)
	}
	if r := must(audit.Verify(ctx, d.db, audit.Options{}))(d.t); !r.OK() {
		d.t.Errorf("the audit log: %+v", r)
	}
	if r := must(d.uploads.Check(ctx, access.SystemActor("test")))(d.t); r.Orphans != 0 || len(r.Missing) != 0 {
		d.t.Errorf("files: %+v", r)
	}
}

// TestDatabaseDiskFull is F-07 for the database.
func TestDatabaseDiskFull(t *testing.T) {
	if os.Getenv("TEST_DATABASE_URL") != "" {
		t.Skip("skipped: PostgreSQL's own disk is not ours to fill")
	}
	t.Parallel()
	disk := smallDisk(t, 32)
	db := must(database.Open(context.Background(), filepath.Join(disk, "huiqi.db")))(t)
	t.Cleanup(func() { _ = db.Close() })
	must(0, database.Migrate(context.Background(), db, Migrations()))(t)
	d := newDesk(t, db, t.TempDir(), nil)
	d.work()
	file := d.upload("a.png", pngFile(t))
	accepted := 0
	if a := d.submit("盘满之前"); a.status != 201 && a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	accepted++
	away := owner(t, d.house, "13800138029")
	for round := range 2 {
		must(0, db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE sessions SET seen_at = ?", time.Now().UTC().Add(-5*time.Minute))
			return err
		}))(t)
		filler := fill(t, disk)
		refusals := 0
		for i := 0; refusals < 5; i++ {
			a := d.submit(fmt.Sprintf("盘满 %d-%d", round, i))
			if a.status < 300 {
				if accepted++; i > 5000 {
					t.Fatal("the disk is never full")
				}
				continue
			}
			full(t, "a ticket", a)
			refusals++
		}
		up := d.upload("b.png", pngFile(t))
		for i := 0; up.status == 201 && i < 1000; i++ { // a small row may still find a place in the log
			up = d.upload("b.png", pngFile(t))
		}
		full(t, "an upload", up)
		d.reads("the database's disk full", file.view.URL)
		// who comes back after a while reads on, although it cannot be noted that they were here
		if a := d.ask("GET", "/api/tickets", away, nil); a.status != 200 {
			t.Errorf("somebody who was away: %d %s", a.status, a.body)
		}
		// and all goes on without a restart
		must(0, os.Remove(filler))(t)
		a := d.submit("腾出空间之后")
		if a.status >= 300 {
			t.Fatalf("after room was made: %d %s", a.status, a.body)
		}
		accepted++
		if a := d.upload("c.png", pngFile(t)); a.status != 201 {
			t.Errorf("an upload after room was made: %d %s", a.status, a.body)
		}
	}
	d.sound(accepted)
}

// TestUploadsDiskFull is F-07 for the files.
func TestUploadsDiskFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 8)
	d := newDesk(t, databasetest.New(t, Migrations()), disk, nil)
	d.work()
	before := d.upload("a.png", pngFile(t))
	filler := fill(t, disk)
	for _, c := range []struct {
		name    string
		content []byte
	}{{"b.png", pngFile(t)}, {"b.txt", bigText(1 << 20)}, {"b.pdf", pdfFile(strings.Repeat("x", 3<<20))}, {"b.docx", docx(t)}} {
		full(t, c.name, d.upload(c.name, c.content))
	}
	d.reads("the files' disk full", before.view.URL)
	if a := d.submit("不带附件的诉求"); a.status >= 300 {
		t.Errorf("a ticket without a file: %d %s", a.status, a.body)
	}
	must(0, os.Remove(filler))(t)
	after := d.upload("c.png", pngFile(t))
	if after.status != 201 || d.ask("GET", after.view.URL, d.session, nil).status != 200 {
		t.Errorf("after room was made: %d %s", after.status, after.body)
	}
	if half := must(os.ReadDir(filepath.Join(disk, "files", "drafts")))(t); len(half) != 0 {
		t.Errorf("%d half files are left", len(half))
	}
	d.sound(1)
}

// TestLogDiskFull is F-07 for the log: what cannot be written down is served all the same.
func TestLogDiskFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 1)
	out := must(os.OpenFile(filepath.Join(disk, "huiqi.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600))(t)
	defer out.Close()
	filler := fill(t, disk)
	c := must(Load("", map[string]any{"data": t.TempDir(), "demo": true, "requests_per_minute": 1_000_000}))(t)
	h := must(build(context.Background(), c, databasetest.New(t, Migrations()), secret.NewKey(), parts{
		log: slog.New(slog.NewJSONHandler(out, nil)), clock: clock.System{}, outside: outside{sender: silent{}},
	}))(t)
	get := func() {
		if status, body := ask(t, h, "GET", "/api/session", "", ""); status != 200 {
			t.Errorf("%d %s", status, body)
		}
		if status, _ := ask(t, h, "GET", "/api/tickets", "", ""); status != 401 {
			t.Errorf("a refusal: %d", status)
		}
	}
	get()
	if b := must(os.ReadFile(out.Name()))(t); len(b) != 0 {
		t.Fatalf("the disk was not full: %d bytes", len(b))
	}
	must(0, os.Remove(filler))(t)
	get()
	if b := must(os.ReadFile(out.Name()))(t); bytes.Count(b, []byte("\n")) < 2 || !bytes.Contains(b, []byte(`"path":"/api/session"`)) {
		t.Errorf("with room again the log says %q", b)
	}
}

// TestFilesReadOnly is F-08 for the files: a folder that can only be read.
func TestFilesReadOnly(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 8)
	d := newDesk(t, databasetest.New(t, Migrations()), disk, nil)
	before := d.upload("a.png", pngFile(t))
	must(0, syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))(t)
	refused(t, "a folder that can only be read", d.upload("b.png", pngFile(t)), 503, "STORAGE_UNAVAILABLE", "", "文件存储暂时不可用，提交未保存")
	if err := d.uploads.Store.Storage().Check(context.Background()); err == nil {
		t.Error("the check passes")
	}
	d.reads("the files read-only", before.view.URL)
	must(0, syscall.Mount("", disk, "", syscall.MS_REMOUNT, ""))(t)
	if a := d.upload("c.png", pngFile(t)); a.status != 201 {
		t.Errorf("writable again: %d %s", a.status, a.body)
	}
	d.sound(0)
}

// TestDatabaseReadOnly is F-08 for the database: its files cannot be written any more, while they are open.
func TestDatabaseReadOnly(t *testing.T) {
	if os.Getenv("TEST_DATABASE_URL") != "" {
		t.Skip("skipped: PostgreSQL's own disk is not ours")
	}
	t.Parallel()
	// Memory does not forbid writing to a file that is open (scripts/with-scratch.sh).
	dir := must(os.MkdirTemp(os.Getenv("TEST_DISK"), "huiqi-*"))(t)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	db := must(database.Open(context.Background(), filepath.Join(dir, "huiqi.db")))(t)
	t.Cleanup(func() { _ = db.Close() })
	must(0, database.Migrate(context.Background(), db, Migrations()))(t)
	d := newDesk(t, db, t.TempDir(), nil)
	d.work()
	if a := d.submit("写得了"); a.status >= 300 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	lock := func(flag string) error {
		return exec.Command("chattr", flag, filepath.Join(dir, "huiqi.db"), filepath.Join(dir, "huiqi.db-wal")).Run()
	}
	if err := lock("+i"); err != nil {
		t.Skipf("skipped: this file system cannot forbid writing to root: %v", err)
	}
	t.Cleanup(func() { _ = lock("-i") })
	for range 3 {
		refused(t, "a database that cannot be written", d.submit("写不了"), 503, "STORAGE_UNAVAILABLE", "", "存储暂时不可用，提交未保存，请稍后重试")
	}
	d.reads("the database read-only")
	must(0, lock("-i"))(t)
	if a := d.submit("又写得了"); a.status >= 300 {
		t.Errorf("writable again: %d %s", a.status, a.body)
	}
	d.sound(2)
}
