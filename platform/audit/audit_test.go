package audit_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
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

var now = time.Date(2026, 11, 22, 6, 0, 0, 123456000, time.UTC)

func record(i int) audit.Record {
	return audit.Record{Action: "ticket.close", Object: "ticket", ObjectID: int64(i + 1), Summary: "办结工单", Detail: map[string]int{"n": i}}
}

var actor = access.Actor{UserID: 7, Name: "王芳", Party: access.Platform, IP: "127.0.0.1"}

func write(t *testing.T, db *database.DB, n int) {
	t.Helper()
	for i := range n {
		err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			return audit.Write(ctx, tx, actor, now.Add(time.Duration(i)*time.Second), record(i))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func run(t *testing.T, db *database.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Writer().ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// unlock removes the triggers, as somebody with the database could.
func unlock(t *testing.T, db *database.DB) {
	t.Helper()
	if db.Kind() == database.Postgres {
		run(t, db, "DROP TRIGGER audit_entries_fixed ON audit_entries", "DROP TRIGGER audit_seals_fixed ON audit_seals")
		return
	}
	run(t, db, "DROP TRIGGER audit_entries_no_UPDATE", "DROP TRIGGER audit_entries_no_DELETE", "DROP TRIGGER audit_seals_no_UPDATE", "DROP TRIGGER audit_seals_no_DELETE")
}

func newBox(t *testing.T) *secret.Box {
	t.Helper()
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// log is a sealed log of six rows, with the anchor of a day after the fourth and of the next after the last.
type log struct {
	db     *database.DB
	box    *secret.Box
	sealer *audit.Sealer
	dir    string
}

func newLog(t *testing.T) *log {
	t.Helper()
	l := &log{db: databasetest.New(t, audit.Migrations), box: newBox(t), dir: filepath.Join(t.TempDir(), "anchors")}
	l.sealer = &audit.Sealer{DB: l.db, Log: slog.New(slog.DiscardHandler), Signer: l.box}
	c := clock.NewFake(now)
	write(t, l.db, 4)
	l.seal(t)
	l.anchor(t, c)
	write(t, l.db, 2)
	l.seal(t)
	c.Advance(24 * time.Hour)
	l.anchor(t, c)
	return l
}

func (l *log) seal(t *testing.T) {
	t.Helper()
	if err := l.sealer.Seal(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (l *log) anchor(t *testing.T, c clock.Clock) {
	t.Helper()
	if _, err := (audit.Anchors{DB: l.db, Clock: c, Signer: l.box, Dir: l.dir}).Write(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (l *log) verify(t *testing.T, anchors bool) audit.Report {
	t.Helper()
	o := audit.Options{Signer: l.box}
	if anchors {
		var err error
		if o.Anchors, err = audit.ReadAnchors(l.dir); err != nil {
			t.Fatal(err)
		}
	}
	r, err := audit.Verify(context.Background(), l.db, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rechain makes the log consistent in itself again, as somebody who has read this program could, head record and all;
// only the signature needs a key that is not there.
func (l *log) rechain(t *testing.T) {
	t.Helper()
	run(t, l.db, "DELETE FROM audit_seals", "DELETE FROM audit_heads")
	forger := &audit.Sealer{DB: l.db, Log: slog.New(slog.DiscardHandler)}
	if err := forger.Seal(context.Background()); err != nil {
		t.Fatal(err)
	}
}

const insertEntry = "INSERT INTO audit_entries (id, at, actor_id, actor_name, party, ip, trace_id, action, object, object_id, summary, detail) " +
	"VALUES (%d, '2026-11-22 06:00:00', 7, '王芳', 'platform', '', '', 'ticket.close', 'ticket', 9, '插入', '{}')"

func TestTamperingIsFoundAndLocated(t *testing.T) {
	t.Parallel()
	type place struct {
		kind       audit.Kind
		seq, entry int64
	}
	cases := map[string]struct {
		do       []string
		rechain  bool
		want     []place
		anchors  []place // what the anchors say beyond that
		postgres []place // what its sequence says beyond that
	}{
		"nothing":        {},
		"edit":           {do: []string{"UPDATE audit_entries SET summary = '改过' WHERE id = 3"}, want: []place{{audit.Edited, 3, 3}}},
		"edit of a time": {do: []string{"UPDATE audit_entries SET at = '2026-11-22 07:00:00' WHERE id = 2"}, want: []place{{audit.Edited, 2, 2}}},
		"delete":         {do: []string{"DELETE FROM audit_entries WHERE id = 3"}, want: []place{{audit.Deleted, 3, 3}}},
		"reorder": {
			do:   []string{"UPDATE audit_entries SET id = 100 WHERE id = 2", "UPDATE audit_entries SET id = 2 WHERE id = 4", "UPDATE audit_entries SET id = 4 WHERE id = 100"},
			want: []place{{audit.Edited, 2, 2}, {audit.Edited, 4, 4}},
		},
		"reordered seals": {
			do:   []string{"UPDATE audit_seals SET entry_id = 100 WHERE seq = 2", "UPDATE audit_seals SET entry_id = 2 WHERE seq = 4", "UPDATE audit_seals SET entry_id = 4 WHERE seq = 100", "UPDATE audit_seals SET entry_id = 4 WHERE entry_id = 100"},
			want: []place{{audit.Edited, 2, 4}, {audit.Edited, 4, 2}},
		},
		"insert":               {do: []string{fmt.Sprintf(insertEntry, -5), fmt.Sprintf(insertEntry, 0)}, want: []place{{audit.Inserted, 0, -5}, {audit.Inserted, 0, 0}}},
		"insert with seal":     {do: []string{fmt.Sprintf(insertEntry, 0), "INSERT INTO audit_seals (seq, entry_id, hash) VALUES (0, 0, 'x')"}, want: []place{{audit.Inserted, 0, 0}}},
		"insert at the end":    {do: []string{fmt.Sprintf(insertEntry, 5000), "INSERT INTO audit_seals (seq, entry_id, hash) VALUES (7, 5000, 'x')"}, want: []place{{audit.Edited, 7, 5000}, {audit.Appended, 7, 0}}, postgres: []place{{audit.Inserted, 0, 5000}}},
		"seal edited":          {do: []string{"UPDATE audit_seals SET hash = 'x' WHERE seq = 4"}, want: []place{{audit.Edited, 4, 4}, {audit.Edited, 5, 5}}, anchors: []place{{audit.Rewritten, 4, 4}}},
		"seal missing":         {do: []string{"DELETE FROM audit_seals WHERE seq IN (2, 3)"}, want: []place{{audit.SealMissing, 2, 0}, {audit.Inserted, 0, 2}, {audit.Inserted, 0, 3}}},
		"row and seal missing": {do: []string{"DELETE FROM audit_seals WHERE seq = 2", "DELETE FROM audit_entries WHERE id = 2"}, want: []place{{audit.SealMissing, 2, 0}}},
		"truncated": {
			do:      []string{"DELETE FROM audit_seals WHERE seq > 4", "DELETE FROM audit_entries WHERE id > 4"},
			want:    []place{{audit.Truncated, 5, 0}},
			anchors: []place{{audit.Truncated, 5, 6}},
		},
		"truncated with the head": {
			do:      []string{"DELETE FROM audit_seals WHERE seq > 4", "DELETE FROM audit_entries WHERE id > 4", "UPDATE audit_heads SET seq = 4, entry_id = 4, hash = (SELECT hash FROM audit_seals WHERE seq = 4), closed_id = 4"},
			want:    []place{{audit.HeadForged, 4, 4}},
			anchors: []place{{audit.Truncated, 5, 6}},
		},
		"truncated without a head": {
			do:      []string{"DELETE FROM audit_seals WHERE seq > 4", "DELETE FROM audit_entries WHERE id > 4", "DELETE FROM audit_heads"},
			want:    []place{{audit.HeadForged, 0, 0}},
			anchors: []place{{audit.Truncated, 5, 6}},
		},
		"rewritten": {
			do: []string{"UPDATE audit_entries SET summary = '改过' WHERE id = 5"}, rechain: true,
			want: []place{{audit.HeadForged, 6, 6}}, anchors: []place{{audit.Rewritten, 6, 6}},
		},
		"emptied": {
			do:      []string{"DELETE FROM audit_seals", "DELETE FROM audit_entries"},
			want:    []place{{audit.Truncated, 1, 0}},
			anchors: []place{{audit.Truncated, 1, 6}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLog(t)
			if len(c.do) > 0 {
				unlock(t, l.db)
				run(t, l.db, c.do...)
			}
			if c.rechain {
				l.rechain(t)
			}
			check := func(r audit.Report, want []place) {
				t.Helper()
				found := map[place]string{}
				for _, p := range r.Problems {
					found[place{p.Kind, p.Seq, p.EntryID}] = p.Text
				}
				for _, w := range want {
					if found[w] == "" {
						t.Errorf("%v was not found: %+v", w, r.Problems)
					}
				}
				if len(found) != len(want) {
					t.Errorf("found %+v, want %v", r.Problems, want)
				}
			}
			if l.db.Kind() == database.Postgres {
				c.want = append(c.want, c.postgres...)
			}
			check(l.verify(t, false), c.want)
			if c.anchors == nil {
				return
			}
			r := l.verify(t, true)
			check(r, append(c.anchors, c.want...))
		})
	}
}

func TestWholeLog(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	write(t, l.db, 2)
	r := l.verify(t, true)
	if !r.OK() || r.Sealed != 6 || r.Unsealed != 2 || r.Anchors != 2 || len(r.Notes) != 0 {
		t.Fatalf("%+v", r)
	}
}

// What was cut off stays a hole: the sealer goes on behind the head, not behind what is left.
func TestSealerDoesNotHideATruncation(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{"head kept": "", "head gone": "DELETE FROM audit_heads"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLog(t)
			unlock(t, l.db)
			run(t, l.db, "DELETE FROM audit_seals WHERE seq > 4", "DELETE FROM audit_entries WHERE id > 4")
			if head != "" {
				run(t, l.db, head)
			}
			write(t, l.db, 3)
			l.seal(t)
			if r := l.verify(t, false); r.OK() || r.Unsealed != 0 {
				t.Fatalf("the hole cannot be seen any more: %+v", r)
			}
		})
	}
}

func TestRowsCannotBeChanged(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	write(t, db, 1)
	for _, s := range []string{"UPDATE audit_entries SET summary = 'x'", "DELETE FROM audit_entries"} {
		if _, err := db.Writer().ExecContext(ctx, s); err == nil {
			t.Fatalf("%s was allowed", s)
		}
	}
}

func TestAnchorsThemselvesAreChecked(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	first, second := filepath.Join(l.dir, "audit-2026-11-22.json"), filepath.Join(l.dir, "audit-2026-11-23.json")
	info, err := os.Stat(first)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	original, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	// again on the same day: nothing changes, and a file that says something else is never written over
	write(t, l.db, 1)
	l.seal(t)
	l.anchor(t, clock.NewFake(now.Add(time.Hour)))
	if again, err := os.ReadFile(first); err != nil || string(again) != string(original) {
		t.Fatalf("the anchor of the day was changed: %v", err)
	}
	changed := strings.Replace(string(original), `"count": 4`, `"count": 3`, 1)
	if err := os.WriteFile(first, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (audit.Anchors{DB: l.db, Clock: clock.NewFake(now), Signer: l.box, Dir: l.dir}).Write(context.Background()); err == nil {
		t.Fatal("a foreign file of the day was taken for the anchor")
	}
	if r := l.verify(t, true); r.OK() {
		t.Fatal("a changed anchor was not found")
	}
	if err := os.Remove(first); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(first, original, 0o600); err != nil {
		t.Fatal(err)
	}
	l.anchor(t, clock.NewFake(now.Add(48*time.Hour)))
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if r := l.verify(t, true); r.OK() || r.Problems[0].Kind != audit.AnchorBad {
		t.Fatalf("a missing anchor was not found: %+v", r)
	}
	if err := os.WriteFile(second, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.ReadAnchors(l.dir); err == nil {
		t.Fatal("half a file was read")
	}
}

// A process that dies between its note and the file leaves the same file to the next one.
func TestAnchorIsFinishedAfterACrash(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	path := filepath.Join(l.dir, "audit-2026-11-23.json")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	run(t, l.db, "UPDATE audit_anchors SET written_at = NULL WHERE day = '2026-11-23'")
	write(t, l.db, 3)
	l.seal(t)
	l.anchor(t, clock.NewFake(now.Add(30*time.Hour-6*time.Hour)))
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Fatalf("%v\n%s\n%s", err, before, after)
	}
}

func TestCheckGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := newLog(t)
	c := audit.Checker{DB: l.db, Clock: clock.NewFake(now), Signer: l.box, Dir: l.dir}
	if r, err := c.Check(ctx, false); err != nil || r.Sealed != 6 {
		t.Fatal(r, err)
	}
	write(t, l.db, 3)
	l.seal(t)
	if r, err := c.Check(ctx, false); err != nil || r.Sealed != 3 || r.Anchors != 2 {
		t.Fatal(r, err)
	}
	s, err := audit.Standing(ctx, l.db.Read())
	if err != nil || s.VerifiedSeq != 9 || s.Sealed != 9 || s.Tail != 0 || s.LastError != "" || s.FullAt == nil || s.LastAnchor != "2026-11-23" {
		t.Fatalf("%+v %v", s, err)
	}
	unlock(t, l.db)
	run(t, l.db, "UPDATE audit_entries SET summary = '改过' WHERE id = 2")
	if _, err := c.Check(ctx, false); err != nil {
		t.Fatal("what was checked before is for the whole check:", err)
	}
	if _, err := c.Check(ctx, true); err == nil || !strings.Contains(err.Error(), "日志 2") {
		t.Fatal(err)
	}
	if s, err = audit.Standing(ctx, l.db.Read()); err != nil || s.Problems != 1 || s.LastErrorAt == nil || !strings.Contains(s.LastError, "日志 2") {
		t.Fatalf("%+v %v", s, err)
	}
	// a mark that somebody moved is not believed
	run(t, l.db, "UPDATE audit_entries SET summary = '办结工单' WHERE id = 2", "UPDATE audit_checks SET seq = 8, hash = (SELECT hash FROM audit_seals WHERE seq = 8)")
	if r, err := c.Check(ctx, false); err != nil || r.Sealed != 9 {
		t.Fatal(r, err)
	}
}
