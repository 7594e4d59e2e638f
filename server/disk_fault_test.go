//go:build linux

package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/backup"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/snapshot"
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

// noting is a provider of text messages that notes when each message left, by the clock of the test.
type noting struct {
	silent

	now  func() time.Time
	mu   sync.Mutex
	left []time.Time // alarms
}

// Send takes every message.
func (n *noting) Send(_ context.Context, _ string, text message.Text) message.Outcome {
	n.mu.Lock()
	defer n.mu.Unlock()
	if text.Template == "system_alarm" {
		n.left = append(n.left, n.now())
	}
	return message.Outcome{State: message.Sent}
}

func (n *noting) alarms() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.left)
}

// TestAnAlarmIsOutWithinAMinute fills the disk of a process that works, in the night and just after an inspection, and counts
// by the clock of the test until the text message leaves. Nothing offers ticks but the sweep, and in the second case the
// inspection does not run at all.
func TestAnAlarmIsOutWithinAMinute(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		paused bool
	}{{"by the scheduler", false}, {"by the guard", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			disk := smallDisk(t, 4)
			out := &noting{}
			w := mustWatchWith(t, map[string]any{"data": disk}, func(w *watched) message.Sender {
				out.now = w.now.Now
				return out
			})
			w.now.Set(clock.Midnight(w.now.Now()).Add(-21 * time.Hour)) // not ahead of the jobs, whose clock is the machine's
			running, stop := context.WithCancel(ctx)
			var all sync.WaitGroup
			all.Go(func() { _ = w.queue.Run(running) })
			all.Go(func() { _ = w.scheduler.Run(running) })
			t.Cleanup(func() { stop(); all.Wait() })
			if c.paused {
				must(0, w.operations.PauseTask(ctx, w.duty, "operations.inspect", "检修", ""))(t)
			}
			second := 0
			pass := func() {
				t.Helper()
				w.pass(time.Second)
				if second++; second%int(w.scheduler.SweepEvery()/time.Second) == 0 {
					must(0, w.scheduler.Sweep(ctx))(t)
				}
				if second%int(operations.GuardEvery/time.Second) == 0 {
					must(0, w.operations.InspectIfLate(ctx))(t)
				}
				eventually(t, "what is due is done", func() bool {
					return w.number(t, "SELECT count(*) FROM task_runs WHERE task = 'operations.inspect' AND state IN ('waiting', 'running')")+
						w.number(t, "SELECT count(*) FROM sms_messages WHERE state IN ('queued', 'sending')") == 0
				})
			}
			inspected := func() (at time.Time) {
				t.Helper()
				for _, check := range mustHealth(t, w).Checks {
					if check.Code == "disk" && check.CheckedAt != nil {
						at = *check.CheckedAt
					}
				}
				return at
			}
			for begun := inspected(); !inspected().After(begun); { // its disk has just been found well
				pass()
			}
			fill(t, disk)
			broke := w.now.Now()
			for len(out.alarms()) == 0 {
				if pass(); w.now.Now().Sub(broke) > 2*time.Minute {
					t.Fatalf("nobody was told; the disk: %+v", mustHealth(t, w).Checks)
				}
			}
			if took := out.alarms()[0].Sub(broke); took > time.Minute {
				t.Errorf("the alarm left after %s", took)
			}
			if texts, letters := w.told(t, "alarm", "磁盘剩余空间"); len(texts) != 1 || letters != len(out.alarms()) {
				t.Errorf("told %v, %d text messages, %v", texts, letters, out.alarms())
			}
		})
	}
}

// TestBackupDiskFull is F-07 for the backups: their disk is full before one begins, and runs full while one is made. Each time
// it ends with a sentence, nothing stays of it, the set of before is whole, the person on duty is told, and the next one works.
func TestBackupDiskFull(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	disk := smallDisk(t, 160)
	target := filepath.Join(disk, "backups")
	w := mustWatchWith(t, map[string]any{"data": t.TempDir(), "backup.to": target}, func(*watched) message.Sender { return silent{} })
	const mega = 1 << 20
	room := func() int64 { return snapshot.Free(disk) }
	leave := func(megabytes int64) (filler string) { // free on the disk
		t.Helper()
		filler = filepath.Join(disk, "filler")
		must(0, os.WriteFile(filler, make([]byte, max(room()-megabytes*mega, 0)), 0o600))(t)
		return filler
	}
	keep := func() { // a file of 8 MB, as uploads are kept
		t.Helper()
		content := make([]byte, 8*mega)
		must(rand.Read(content))(t)
		key, sum := hex.EncodeToString(content[:16]), sha256.Sum256(content)
		d := must(w.uploads.Store.Storage().Draft(ctx))(t)
		must(d.Write(content))(t)
		must(0, d.Commit(ctx, key))(t)
		w.exec(t, "INSERT INTO files (key, size, sha256, name, mime, inline, owner_id, object, object_id, created_at) VALUES (?, ?, ?, 'a.pdf', 'application/pdf', ?, ?, '', 0, ?)",
			key, len(content), hex.EncodeToString(sum[:]), false, w.duty.UserID, w.now.Now())
	}
	run := func() backup.Item {
		t.Helper()
		if worked := must(w.backups.Work(ctx))(t); !worked {
			t.Fatal("there was nothing to do")
		}
		items, _, err := w.backups.List(ctx, w.duty, backup.ListFilter{})
		for i := range must(items, err)(t) {
			if items[i].State == backup.Done || items[i].State == backup.Failed {
				return items[i]
			}
		}
		t.Fatalf("no run is over: %+v", items)
		return backup.Item{}
	}
	sets := func() (names []string) {
		t.Helper()
		list, broken, err := snapshot.List(target)
		if must(0, err)(t); len(broken) > 0 {
			t.Errorf("sets that cannot be read: %v", broken)
		}
		for _, set := range list {
			if err := set.Check(ctx, nil); err != nil || set.Verified == nil {
				t.Errorf("%s: verified %v, %v", set.Name(), set.Verified, err)
			}
			names = append(names, set.Name())
		}
		return names
	}
	must(w.backups.Ask(ctx, w.duty, ""))(t)
	first := run()
	if first.State != backup.Done {
		t.Fatalf("%+v", first)
	}
	w.inspect(t)
	for i, c := range []struct {
		name, says string
		breaks     func()
	}{
		{"before it begins", "磁盘空间不足：备份目录需要约", func() { leave(0) }},
		{"while it is made", "磁盘空间不足，本次备份未完成，以前的备份集不受影响，请清理磁盘或更换目录", func() {
			size := int64(0) // what the program asks for before it begins, and little more
			if w.db.Kind() == database.Postgres {
				size = int64(w.number(t, "SELECT pg_database_size(current_database())"))
			} else {
				size = must(os.Stat(w.db.URL()))(t).Size()
			}
			leave(size/2/mega + 64 + 8)
			for range 11 {
				keep()
			}
		}},
	} {
		c.breaks()
		before := room()
		must(w.backups.Ask(ctx, w.duty, ""))(t)
		failed := run()
		if failed.State != backup.Failed || !strings.HasPrefix(failed.Fault, c.says) {
			t.Fatalf("%s: %+v", c.name, failed)
		}
		if got := sets(); !slices.Equal(got, []string{first.Set}) {
			t.Errorf("%s: the sets are %v", c.name, got)
		}
		if left := room(); left < before-mega {
			t.Errorf("%s: of %d bytes that were free %d are left", c.name, before, left)
		}
		w.pass(15 * time.Second)
		w.inspect(t)
		if told, letters := w.told(t, "alarm", "备份"); len(told) != i+1 || letters < i+1 || !strings.Contains(told[i], "最近一次备份未完成："+strings.TrimRight(failed.Fault, "。")) {
			t.Errorf("%s: told %v, %d text messages", c.name, told, letters)
		}
		must(0, os.Remove(filepath.Join(disk, "filler")))(t)
		w.pass(16 * time.Minute) // it is tried again by itself
		if next := run(); next.State != backup.Done || next.Cause != backup.ByHand || next.Attempt != 2 {
			t.Errorf("%s: with room again: %+v", c.name, next)
		}
		if got := sets(); len(got) != 2 || got[1] != first.Set {
			t.Errorf("%s: the sets are %v", c.name, got)
		}
		for range 3 {
			w.inspect(t)
			w.pass(time.Minute)
		}
		if told, _ := w.told(t, "recovered", "备份"); len(told) != i+1 {
			t.Errorf("%s: when it was over: %v", c.name, told)
		}
		must(0, os.RemoveAll(filepath.Join(target, sets()[0])))(t)
	}
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
