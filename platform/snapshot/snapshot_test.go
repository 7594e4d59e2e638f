package snapshot_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/files"
	"github.com/huiqi/huiqi/platform/snapshot"
)

var steps = []database.Migration{{
	ID: "20261101000000_things",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.ByDialect(ctx, tx, []string{
			"CREATE TABLE things (id INTEGER PRIMARY KEY, name VARCHAR, price DOUBLE PRECISION, raw BLOB, at TIMESTAMP, gone BOOLEAN)",
			"CREATE TABLE files (key VARCHAR NOT NULL, size INTEGER NOT NULL, sha256 VARCHAR NOT NULL)",
			"CREATE VIRTUAL TABLE things_text USING fts5(t, content='', contentless_delete=1)",
		}, []string{
			"CREATE TABLE things (id bigint PRIMARY KEY, name text, price double precision, raw bytea, at timestamptz, gone boolean)",
			"CREATE TABLE files (key text NOT NULL, size bigint NOT NULL, sha256 text NOT NULL)",
		})
	},
}}

// installation is one to be backed up.
type installation struct {
	t      *testing.T
	source snapshot.Source
	folder *files.Folder
	target string
	key    *age.X25519Identity
	next   int64
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	db := databasetest.New(t, steps)
	folder, err := files.OpenFolder(filepath.Join(t.TempDir(), "files"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	i := &installation{t: t, folder: folder, target: filepath.Join(t.TempDir(), "target"), key: key}
	i.source = snapshot.Source{DB: db, Files: folder, References: []string{"SELECT key, size, sha256 FROM files"}, Config: []byte("district: 甲区\n"),
		Extra: map[string][]byte{"demo.json": []byte("{}")}, Scratch: t.TempDir(), Program: "test", Demo: true, KeyID: "k1", KeyCheck: "check"}
	for range 20 {
		i.add("张三的事项")
	}
	i.upload("第一份附件")
	return i
}

// add writes one row.
func (i *installation) add(name string) {
	i.t.Helper()
	i.next++
	err := i.source.DB.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		if database.KindOf(tx) == database.SQLite {
			if _, err := tx.ExecContext(ctx, "INSERT INTO things_text (rowid, t) VALUES (?, ?)", i.next, name); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO things (id, name, price, raw, at, gone) VALUES (?, ?, ?, ?, ?, NULL)",
			i.next, name+strings.Repeat("。", 3000), 0.1+float64(i.next), []byte{0, 1, 255}, time.Now().UTC())
		return err
	})
	if err != nil {
		i.t.Fatal(err)
	}
}

func (i *installation) upload(content string) string {
	i.t.Helper()
	ctx := context.Background()
	sum := sha256.Sum256([]byte(content))
	key := hex.EncodeToString(sum[:16])
	d, err := i.folder.Draft(ctx)
	if err != nil {
		i.t.Fatal(err)
	}
	if _, err := d.Write([]byte(content)); err != nil {
		i.t.Fatal(err)
	}
	if err := d.Commit(ctx, key); err != nil {
		i.t.Fatal(err)
	}
	err = i.source.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO files (key, size, sha256) VALUES (?, ?, ?)", key, len(content), hex.EncodeToString(sum[:]))
		return err
	})
	if err != nil {
		i.t.Fatal(err)
	}
	return key
}

func (i *installation) create(progress snapshot.Progress) *snapshot.Fresh {
	i.t.Helper()
	f, err := snapshot.Create(context.Background(), i.source, i.target, []string{i.key.Recipient().String()}, progress)
	if err != nil {
		i.t.Fatal(err)
	}
	return f
}

func (i *installation) verified() *snapshot.Fresh {
	i.t.Helper()
	f := i.create(nil)
	if _, err := f.Verify(context.Background(), i.source, nil); err != nil {
		i.t.Fatal(err)
	}
	return f
}

// restoration is one of set into a new place.
func (i *installation) restoration(set *snapshot.Set) snapshot.Restoration {
	r := snapshot.Restoration{Set: set, Identities: []age.Identity{i.key}, Data: filepath.Join(i.t.TempDir(), "restored"), Known: []string{steps[0].ID}, Now: time.Now()}
	if i.source.DB.Kind() == database.Postgres {
		u, err := url.Parse(i.source.DB.URL())
		if err != nil {
			i.t.Fatal(err)
		}
		u.Path += fmt.Sprintf("_r%d", time.Now().UnixNano()%1e9)
		r.Database = u.String()
		i.t.Cleanup(func() {
			_, _ = i.source.DB.Writer().ExecContext(context.Background(), `DROP DATABASE IF EXISTS "`+u.Path[1:]+`" WITH (FORCE)`)
		})
	}
	return r
}

// count counts the rows of a restored database.
func (i *installation) count(r snapshot.Restoration, table string) (n int) {
	i.t.Helper()
	address := r.Database
	if address == "" {
		address = filepath.Join(r.Data, "huiqi.db")
	}
	db, err := database.Open(context.Background(), address)
	if err != nil {
		i.t.Fatal(err)
	}
	defer db.Close()
	if err := db.Read().QueryRowContext(context.Background(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		i.t.Fatal(err)
	}
	return n
}

func TestRestoredAsItWasAtOneInstant(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	before := i.next
	wrote := map[string]bool{}
	f := i.create(func(stage string, done, total int64) {
		// People go on writing at every stage; a making that held the writer would never get past this line.
		if !wrote[stage] {
			wrote[stage] = true
			i.add("备份开始以后")
		}
	})
	if i.next == before {
		t.Fatal("no progress was told")
	}
	v, err := f.Verify(context.Background(), i.source, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.Files != 1 || v.Rows != f.Manifest.Rows() {
		t.Fatalf("%+v", v)
	}
	sets, broken, err := snapshot.List(i.target)
	if err != nil || len(sets) != 1 || len(broken) != 0 || sets[0].Verified == nil {
		t.Fatalf("%v %v %v", sets, broken, err)
	}
	r := i.restoration(sets[0])
	rep, err := snapshot.Restore(context.Background(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := i.count(r, "things"); int64(n) != before || rep.Files != 1 || !rep.Demo || rep.OldData != "" {
		t.Fatalf("%d rows, want %d; %+v", n, before, rep)
	}
	for name, want := range map[string]string{"demo.json": "{}", snapshot.RestoredConfig: "district: 甲区\n"} {
		if got, err := os.ReadFile(filepath.Join(r.Data, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	folder, err := files.OpenFolder(filepath.Join(r.Data, "files"))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	o, err := folder.Open(context.Background(), hex.EncodeToString(sumOf("第一份附件")[:16]))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(o); err != nil || b.String() != "第一份附件" {
		t.Fatalf("%q %v", b.String(), err)
	}
}

func sumOf(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

func TestNothingReadableInTheTarget(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	i.verified()
	err := filepath.WalkDir(i.target, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, plain := range []string{"张三", "附件", "district"} {
			if bytes.Contains(b, []byte(plain)) {
				t.Errorf("%s holds %q", filepath.Base(path), plain)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(i.source.Scratch, "huiqi-scratch")); err != nil || len(left) > 0 {
		t.Fatalf("left in the scratch folder: %v %v", left, err)
	}
}

func TestDamagedSetIsRefusedUntouched(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	f := i.verified()
	var paths []string
	for _, root := range []string{f.Dir, filepath.Join(i.target, "files")} {
		if err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && d.Name() != "verified.json" {
				paths = append(paths, path)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(paths) != 6 {
		t.Fatalf("%d files in the set: %v", len(paths), paths)
	}
	for _, path := range paths {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		flipped := slices.Clone(whole)
		flipped[len(flipped)/2] ^= 1
		for what, bad := range map[string][]byte{"a bit": flipped, "cut": whole[:len(whole)-2]} {
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			set, err := snapshot.Open(f.Dir)
			if err == nil {
				r := i.restoration(set)
				_, err = snapshot.Restore(context.Background(), r, nil)
				if _, stat := os.Stat(r.Data); !errors.Is(stat, os.ErrNotExist) {
					t.Errorf("%s, %s: something was restored", filepath.Base(path), what)
				}
			}
			if !errors.Is(err, snapshot.ErrDamaged) {
				t.Errorf("%s, %s: %v", filepath.Base(path), what, err)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := snapshot.Open(f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Check(context.Background(), nil); err != nil {
		t.Fatalf("mended: %v", err)
	}
}

func TestRestoreRefusals(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	f := i.verified()
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	occupied := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(occupied, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(occupied, "mine"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(r *snapshot.Restoration)
		want   error
	}{
		"another identity":  {func(r *snapshot.Restoration) { r.Identities = []age.Identity{other} }, snapshot.ErrIdentity},
		"a newer schema":    {func(r *snapshot.Restoration) { r.Known = nil }, snapshot.ErrNewer},
		"an occupied place": {func(r *snapshot.Restoration) { r.Data = occupied }, snapshot.ErrExists},
	} {
		r := i.restoration(f.Set)
		c.change(&r)
		if _, err := snapshot.Restore(context.Background(), r, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(r.Data); r.Data != occupied && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something was made", name)
		}
	}
	if left, _ := filepath.Glob(filepath.Dir(occupied) + "/*restoring*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestReplaceMovesTheOldAsideAndNeverARunningOne(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	f := i.verified()
	r := i.restoration(f.Set)
	ctx := context.Background()
	if _, err := snapshot.Restore(ctx, r, nil); err != nil {
		t.Fatal(err)
	}
	address := r.Database
	if address == "" {
		address = filepath.Join(r.Data, "huiqi.db")
	}
	running, err := database.Open(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := running.Writer().ExecContext(ctx, "DELETE FROM things"); err != nil {
		t.Fatal(err)
	}
	r.Replace = true
	if _, err := snapshot.Restore(ctx, r, nil); !errors.Is(err, snapshot.ErrRunning) {
		t.Fatalf("a running one: %v", err)
	}
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	if i.count(r, "things") != 0 {
		t.Fatal("the refused restoration changed the data")
	}
	rep, err := snapshot.Restore(ctx, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := i.count(r, "things"); n != 20 {
		t.Fatalf("%d rows", n)
	}
	if r.Database == "" {
		if n := i.count(snapshot.Restoration{Data: rep.OldData}, "things"); n != 0 {
			t.Fatalf("the old directory has %d rows", n)
		}
		return
	}
	if rep.OldDatabase == "" {
		t.Fatal("the old database is gone")
	}
	if _, err := i.source.DB.Writer().ExecContext(ctx, `DROP DATABASE "`+rep.OldDatabase+`" WITH (FORCE)`); err != nil {
		t.Fatal(err)
	}
}

func TestOlderSchemaIsMigrated(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	f := i.verified()
	r := i.restoration(f.Set)
	later := append(slices.Clone(steps), database.Migration{ID: "20261102000000_more", Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "CREATE TABLE more (id integer)")
	}})
	r.Known = append(r.Known, later[1].ID)
	r.Migrate = func(ctx context.Context, address string) error {
		db, err := database.Open(ctx, address)
		if err != nil {
			return err
		}
		return errors.Join(database.Migrate(ctx, db, later), db.Close())
	}
	rep, err := snapshot.Restore(context.Background(), r, nil)
	if err != nil || rep.Migrated != 1 {
		t.Fatalf("%+v %v", rep, err)
	}
	if i.count(r, "more") != 0 || i.count(r, "things") != 20 {
		t.Fatal("not both are there")
	}
}

func TestVerifyFindsWhatIsNotAsItWas(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	f := i.create(nil)
	n := slices.IndexFunc(f.Manifest.Tables, func(t snapshot.Table) bool { return strings.Contains(t.Name, "things") && t.Rows == 20 })
	good := f.Manifest.Tables[n].Hash
	f.Manifest.Tables[n].Hash = strings.Repeat("0", 32)
	if _, err := f.Verify(context.Background(), i.source, nil); !errors.Is(err, snapshot.ErrDiffers) {
		t.Fatalf("got %v", err)
	}
	if set, err := snapshot.Open(f.Dir); err != nil || set.Verified != nil {
		t.Fatalf("marked as verified: %v", err)
	}
	f.Manifest.Tables[n].Hash = good
	if _, err := f.Verify(context.Background(), i.source, nil); err != nil {
		t.Fatal(err)
	}
	// Whoever holds the identity may do the same anywhere, with every file.
	if v, err := f.VerifyWith(context.Background(), i.source, []age.Identity{i.key}, nil); err != nil || v.Files != 1 {
		t.Fatalf("%+v %v", v, err)
	}
}

func TestFilesAreStoredOnceAndMended(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	i.verified()
	i.upload("第二份附件")
	second := i.verified()
	if m := second.Manifest.Files; m.Count != 2 || m.NewCount != 1 {
		t.Fatalf("%+v", m)
	}
	pool, err := filepath.Glob(filepath.Join(i.target, "files", "*", "*.age"))
	if err != nil || len(pool) != 2 {
		t.Fatalf("%v %v", pool, err)
	}
	// One goes bad on the disk: the next verification finds it, the making after that stores it anew.
	b, err := os.ReadFile(pool[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(pool[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	third := i.create(nil)
	if _, err := third.Verify(context.Background(), i.source, nil); !errors.Is(err, snapshot.ErrDamaged) {
		t.Fatalf("the bad file was not found: %v", err)
	}
	fourth := i.verified()
	if m := fourth.Manifest.Files; m.Count != 2 || m.NewCount != 1 {
		t.Fatalf("%+v", m)
	}
	// A row without content, and content that is not what its row says, are told.
	key := i.upload("第三份附件")
	if err := i.folder.Delete(context.Background(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := i.source.DB.Writer().ExecContext(context.Background(), "UPDATE files SET sha256 = 'x' WHERE key <> ?", key); err != nil {
		t.Fatal(err)
	}
	if m := i.verified().Manifest.Files; m.Missing != 1 || m.Damaged != 2 || m.Count != 2 {
		t.Fatalf("%+v", m)
	}
}

func TestCopyAndRetention(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	first := i.verified()
	second := filepath.Join(t.TempDir(), "elsewhere")
	copied, err := first.CopyTo(context.Background(), second, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := copied.Check(context.Background(), nil); err != nil || copied.Verified == nil {
		t.Fatalf("the copy: %v", err)
	}
	if _, err := snapshot.Restore(context.Background(), i.restoration(copied), nil); err != nil {
		t.Fatalf("from the copy: %v", err)
	}
	// Two days later, with one set a day kept, the first goes with the file only it needed.
	if _, err := i.source.DB.Writer().ExecContext(context.Background(), "DELETE FROM files"); err != nil {
		t.Fatal(err)
	}
	latest := i.verified()
	now := time.Now().Add(48 * time.Hour)
	removed, err := snapshot.Retention{Daily: 1}.Apply(i.target, now)
	if err != nil || len(removed) != 1 || removed[0] != first.Name() {
		t.Fatalf("%v %v", removed, err)
	}
	if left, _ := filepath.Glob(filepath.Join(i.target, "files", "*", "*")); len(left) != 0 {
		t.Fatalf("left in the pool: %v", left)
	}
	if err := latest.Check(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestOneMakingAtATime(t *testing.T) {
	t.Parallel()
	i := newInstallation(t)
	asked := false
	i.create(func(string, int64, int64) {
		if asked {
			return
		}
		asked = true
		if _, err := snapshot.Create(context.Background(), i.source, i.target, []string{i.key.Recipient().String()}, nil); !errors.Is(err, snapshot.ErrBusy) {
			t.Errorf("got %v", err)
		}
	})
	if !asked {
		t.Fatal("not tried")
	}
	if _, err := snapshot.Create(context.Background(), i.source, i.target, nil, nil); err == nil {
		t.Fatal("a set for nobody was made")
	}
}

func TestKeygenNeverReplaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "identity.txt")
	public, err := snapshot.Keygen(path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ids, err := snapshot.ReadIdentities(path)
	if err != nil || ids[0].(*age.X25519Identity).Recipient().String() != public {
		t.Fatalf("%v %v", ids, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v", info.Mode())
	}
	if _, err := snapshot.Keygen(path, time.Now()); !errors.Is(err, os.ErrExist) {
		t.Fatalf("got %v", err)
	}
	if _, err := snapshot.ParseRecipients([]string{"age1nonsense"}); err == nil {
		t.Fatal("nonsense is taken for a public key")
	}
}
