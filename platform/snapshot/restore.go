package snapshot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/failpoint"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/files"
)

// RestoredConfig is the name under which the configuration of the set lies in a restored data directory.
const RestoredConfig = "huiqi.restored.yaml"

// Restoration asks to restore a set.
type Restoration struct {
	Set        *Set
	Identities []age.Identity
	// Data is the data directory to make. Database is the address of PostgreSQL for a set of PostgreSQL, else empty.
	Data     string
	Database string
	// Replace moves what is there aside; without it nothing may be there.
	Replace bool
	// FilesOnly leaves the database out, for one that was recovered by its own means.
	FilesOnly bool
	// Known are the steps of the schema this program has; Migrate brings an older schema up to them.
	Known   []string
	Migrate func(ctx context.Context, address string) error
	Tools   Tools
	Now     time.Time
}

// Report says what a restoration did.
type Report struct {
	Tables        int
	Rows          int64
	Files         int64
	FileBytes     int64
	Missing       int64 // files whose content was not in the set
	Migrated      int   // steps of the schema that were added
	OldData       string
	OldDatabase   string
	Config        string // where the configuration of the set lies
	Demo, Secrets bool
	Took          time.Duration
}

// Restore makes the data directory, and on PostgreSQL the database, as they were. It first reads the whole set and refuses
// a damaged one, one of a newer schema and one whose identity is not among those given; it restores beside the target,
// compares every table and every file, and only then puts the restored data in place. Whatever ends it before leaves what
// was there untouched, and it can be run again.
func Restore(ctx context.Context, r Restoration, progress Progress) (*Report, error) {
	began := time.Now()
	m := r.Set.Manifest
	data, err := filepath.Abs(r.Data)
	if err != nil {
		return nil, err
	}
	if err := r.refuse(ctx, data); err != nil {
		return nil, err
	}
	if err := r.Set.Check(ctx, progress); err != nil {
		return nil, err
	}
	conf, err := r.Set.config(r.Identities)
	if err != nil {
		return nil, err
	}
	part, _ := m.part(databaseName)
	need := m.Files.Bytes
	if r.Database == "" && !r.FilesOnly {
		need += part.PlainSize
	}
	room, err := free(data)
	if err != nil {
		return nil, err
	}
	if room < uint64(need)+margin {
		return nil, ErrSpace.With("磁盘空间不足，未做任何改动：需要 %s，剩余 %s，请清理磁盘或更换目录", bytesText(uint64(need)), bytesText(room))
	}
	if err := sweepRestores(data); err != nil {
		return nil, err
	}
	fresh := data + ".restoring-" + token()
	if err := os.MkdirAll(fresh, 0o750); err != nil {
		return nil, err
	}
	defer os.RemoveAll(fresh) // gone by then when all went well
	rep := &Report{Tables: len(m.Tables), Rows: m.Rows(), Missing: m.Files.Missing, Demo: m.Demo, Secrets: m.Secrets}
	place := restored{drop: func() {}}
	if !r.FilesOnly {
		if place, err = r.restoreDatabase(ctx, fresh, progress); err != nil {
			return nil, err
		}
		defer place.drop()
		if rep.Migrated, err = r.migrate(ctx, place.address); err != nil {
			return nil, err
		}
	}
	if rep.Files, rep.FileBytes, err = r.restoreFiles(ctx, fresh, progress); err != nil {
		return nil, err
	}
	if err := writeDurable(filepath.Join(fresh, RestoredConfig), conf.Config); err != nil {
		return nil, err
	}
	for name, content := range conf.Extra {
		if err := writeDurable(filepath.Join(fresh, filepath.Base(name)), content); err != nil {
			return nil, err
		}
	}
	if err := syncDir(fresh); err != nil {
		return nil, err
	}
	if err := r.place(ctx, rep, place, fresh, data); err != nil {
		return nil, err
	}
	rep.Config, rep.Took = filepath.Join(data, RestoredConfig), time.Since(began)
	return rep, nil
}

// refuse says what speaks against restoring before anything is read or written.
func (r Restoration) refuse(ctx context.Context, data string) error {
	m := r.Set.Manifest
	if m.Database == string(database.Postgres) && r.Database == "" && !r.FilesOnly {
		return fault.New(fault.Invalid, "RESTORE_DATABASE", "这是 PostgreSQL 的备份集，请用 --database 指明要恢复到的数据库")
	}
	if m.Database == string(database.SQLite) && r.Database != "" {
		return fault.New(fault.Invalid, "RESTORE_DATABASE", "这是嵌入式数据库的备份集，恢复时不能指定 --database")
	}
	for _, id := range m.Migrations {
		if !slices.Contains(r.Known, id) {
			return ErrNewer.Wrap(fmt.Errorf("snapshot: unknown step %s", id))
		}
	}
	entries, err := os.ReadDir(data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 && !r.Replace {
		return ErrExists.With("%s 已有数据，未做任何改动；确认要替换时请加 --replace，原有数据会移到旁边保留", data)
	}
	if r.Database == "" || r.FilesOnly {
		return idle(ctx, filepath.Join(data, databaseFile))
	}
	n, err := tablesAt(ctx, r.Database)
	if err != nil {
		return err
	}
	if n > 0 && !r.Replace {
		return ErrExists.With("数据库 %s 已有数据，未做任何改动；确认要替换时请加 --replace，原有数据库会改名保留", databaseOf(r.Database))
	}
	return nil
}

// restored is where the database was restored to, beside its place.
type restored struct {
	address string
	drop    func()
}

func (r Restoration) restoreDatabase(ctx context.Context, fresh string, progress Progress) (restored, error) {
	if r.Database == "" {
		path := filepath.Join(fresh, databaseFile)
		return restored{path, func() {}}, restoreSQLite(ctx, r.Set, r.Identities, path, progress)
	}
	address, drop, err := scratchDatabase(ctx, r.Database, "_restoring_"+token())
	if err != nil {
		return restored{}, err
	}
	if err := restorePostgres(ctx, r.Set, r.Identities, r.Tools, address, progress); err != nil {
		drop()
		return restored{}, err
	}
	return restored{address, drop}, nil
}

func (r Restoration) migrate(ctx context.Context, address string) (int, error) {
	n := len(r.Known) - len(r.Set.Manifest.Migrations)
	if n == 0 {
		return 0, nil
	}
	if err := r.Migrate(ctx, address); err != nil {
		return 0, fmt.Errorf("bring the restored database to this program's schema: %w", err)
	}
	return n, nil
}

// restoreFiles decrypts the contents into the new data directory.
func (r Restoration) restoreFiles(ctx context.Context, fresh string, progress Progress) (n, bytes int64, err error) {
	folder, err := files.OpenFolder(filepath.Join(fresh, "files"))
	if err != nil {
		return 0, 0, err
	}
	defer folder.Close()
	target := filepath.Dir(r.Set.Dir)
	err = r.Set.eachFile(func(e fileEntry) error {
		progress.say(StageContent, n, r.Set.Manifest.Files.Count)
		if e.Missing {
			return nil
		}
		d, err := folder.Draft(ctx)
		if err != nil {
			return err
		}
		if err := open(ctx, pooled(target, e), e, r.Identities, d); err != nil {
			return errors.Join(err, d.Discard())
		}
		n++
		bytes += e.Size
		return d.Commit(ctx, e.Key)
	})
	return n, bytes, err
}

// place puts the restored data where it belongs and what was there aside.
func (r Restoration) place(ctx context.Context, rep *Report, place restored, fresh, data string) error {
	suffix := "-before-" + r.Now.UTC().Format("20060102-150405")
	if r.Database != "" && !r.FilesOnly {
		old, err := swapDatabase(ctx, r.Database, place.address, strings.ReplaceAll(suffix, "-", "_"))
		if err != nil {
			return err
		}
		rep.OldDatabase = old
	} else if err := idle(ctx, filepath.Join(data, databaseFile)); err != nil {
		return err // somebody started the program meanwhile
	}
	parent := filepath.Dir(data)
	if entries, err := os.ReadDir(data); err == nil && len(entries) > 0 {
		rep.OldData = data + suffix
		if err := os.Rename(data, rep.OldData); err != nil {
			return err
		}
	} else if err == nil {
		if err := os.Remove(data); err != nil {
			return err
		}
	}
	if err := failpoint.Hit("restore.aside"); err != nil {
		return err
	}
	return errors.Join(os.Rename(fresh, data), syncDir(parent))
}

// sweepRestores removes what killed restorations left beside the data directory.
func sweepRestores(data string) error {
	left, err := filepath.Glob(data + ".restoring-*")
	if err != nil {
		return err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

func token() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// tablesAt counts the tables of the database at address; 0 when there is no such database.
func tablesAt(ctx context.Context, address string) (int, error) {
	exists, err := databaseExists(ctx, address)
	if err != nil || !exists {
		return 0, err
	}
	db, err := openPostgres(address)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	list, err := tables(ctx, database.Postgres, db)
	return len(list), err
}

func databaseExists(ctx context.Context, address string) (found bool, err error) {
	admin, err := openPostgres(maintenance(address))
	if err != nil {
		return false, err
	}
	defer admin.Close()
	err = admin.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", databaseOf(address)).Scan(&found)
	return found, err
}

// swapDatabase gives the restored database its name and the one that has it another.
func swapDatabase(ctx context.Context, address, fresh, suffix string) (old string, err error) {
	name := databaseOf(address)
	exists, err := databaseExists(ctx, address)
	if err != nil {
		return "", err
	}
	admin, err := openPostgres(maintenance(address))
	if err != nil {
		return "", err
	}
	defer admin.Close()
	n, err := tablesAt(ctx, address)
	if err != nil {
		return "", err
	}
	switch {
	case exists && n == 0:
		if _, err := admin.ExecContext(ctx, `DROP DATABASE "`+name+`"`); err != nil {
			return "", ErrRunning.Wrap(err)
		}
	case exists:
		old = name + suffix
		if _, err := admin.ExecContext(ctx, `ALTER DATABASE "`+name+`" RENAME TO "`+old+`"`); err != nil {
			return "", ErrRunning.Wrap(err)
		}
	}
	if err := failpoint.Hit("restore.aside"); err != nil {
		return "", err
	}
	_, err = admin.ExecContext(ctx, `ALTER DATABASE "`+databaseOf(fresh)+`" RENAME TO "`+name+`"`)
	return old, err
}
