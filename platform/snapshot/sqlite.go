package snapshot

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
	"modernc.org/sqlite"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/failpoint"
)

// pagesPerStep is how much of the database is copied before progress is told and the context asked: 1 MiB.
const pagesPerStep = 256

// databaseFile is the name of the embedded database in a data directory.
const databaseFile = "huiqi.db"

// dumped is what a database gave at one instant.
type dumped struct {
	part       Part
	tables     []Table
	schema     string
	migrations []string
	refs       []reference
}

// reference is a file that a row of the snapshot names.
type reference struct {
	Key    string
	Size   int64
	SHA256 string
}

// dumpSQLite copies the database page by page out of one read transaction. Writers go on meanwhile; the log of the database
// cannot shrink before the copy and the hashing of its tables are through.
func dumpSQLite(ctx context.Context, s Source, dir string, to []age.Recipient, progress Progress) (out dumped, err error) {
	db, err := openFile(s.DB.URL())
	if err != nil {
		return out, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return out, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return out, err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	// The first read fixes what the transaction sees.
	if out.migrations, err = migrations(ctx, conn); err != nil {
		return out, err
	}
	copied := filepath.Join(s.Scratch, scratchCopy)
	defer os.Remove(copied)
	err = conn.Raw(func(driver any) error {
		source, ok := driver.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		})
		if !ok {
			return fmt.Errorf("snapshot: %T cannot copy", driver)
		}
		b, err := source.NewBackup(dsn(copied, "&_pragma=synchronous(OFF)&_pragma=journal_mode(OFF)"))
		if err != nil {
			return err
		}
		for {
			if err := errors.Join(ctx.Err(), failpoint.Hit("snapshot.page")); err != nil {
				return errors.Join(err, b.Finish())
			}
			more, err := b.Step(pagesPerStep)
			if err != nil {
				return errors.Join(err, b.Finish())
			}
			total := int64(b.PageCount())
			progress.say(StageDatabase, total-int64(b.Remaining()), total)
			if !more {
				return b.Finish()
			}
		}
	})
	if err != nil {
		return out, fmt.Errorf("copy the database: %w", err)
	}
	if err := describe(ctx, database.SQLite, conn, s, &out, progress); err != nil {
		return out, err
	}
	_, _ = conn.ExecContext(ctx, "ROLLBACK")
	return out, sealDatabase(ctx, copied, filepath.Join(dir, databaseName), to, &out, progress)
}

// describe reads of the snapshot what the manifest says about it.
func describe(ctx context.Context, kind database.Kind, q queries, s Source, out *dumped, progress Progress) (err error) {
	if out.tables, err = fingerprint(ctx, kind, q, progress); err != nil {
		return err
	}
	if out.schema, err = schema(ctx, kind, q); err != nil {
		return err
	}
	for _, query := range s.References {
		rows, err := q.QueryContext(ctx, query)
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		for rows.Next() {
			var r reference
			if err := rows.Scan(&r.Key, &r.Size, &r.SHA256); err != nil {
				_ = rows.Close()
				return err
			}
			out.refs = append(out.refs, r)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

func migrations(ctx context.Context, q queries) ([]string, error) {
	ids, err := texts(ctx, q, "SELECT id FROM schema_migrations ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("read the schema's version: %w", err)
	}
	return ids, nil
}

// sealDatabase compresses and encrypts the copy.
func sealDatabase(ctx context.Context, from, path string, to []age.Recipient, out *dumped, progress Progress) error {
	f, err := os.Open(from) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	got, err := sealTo(path, to, func(w io.Writer) error {
		z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		n := int64(0)
		_, err = io.CopyBuffer(z, struct{ io.Reader }{told{reader{ctx, f}, func(k int) {
			n += int64(k)
			progress.say(StageEncrypt, n, info.Size())
		}}}, make([]byte, 1<<20))
		return errors.Join(err, z.Close())
	})
	out.part = Part{Name: databaseName, Size: got.size, SHA256: got.sha256, PlainSize: info.Size()}
	return err
}

// told says how much was read.
type told struct {
	r   io.Reader
	say func(n int)
}

func (t told) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.say(n)
	return n, err
}

// restoreSQLite writes the database of the set to path and compares every table.
func restoreSQLite(ctx context.Context, s *Set, ids []age.Identity, path string, progress Progress) error {
	p, _ := s.Manifest.part(databaseName)
	r, err := unseal(s.path(databaseName), ids)
	if err != nil {
		return err
	}
	defer r.Close()
	z, err := zstd.NewReader(reader{ctx, r}, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer z.Close()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // #nosec G304 -- a path of the operator's or of a set
	if err != nil {
		return err
	}
	n := int64(0)
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, told{z, func(k int) {
		n += int64(k)
		progress.say(StageRestore, n, p.PlainSize)
	}}, make([]byte, 1<<20))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("restore the database: %w", err)
	}
	if err := failpoint.Hit("restore.database"); err != nil {
		return err
	}
	db, err := openFile(path)
	if err != nil {
		return err
	}
	defer db.Close()
	problems, err := texts(ctx, db, "PRAGMA quick_check(3)")
	if err != nil {
		return ErrDiffers.Wrap(err)
	}
	if len(problems) != 1 || problems[0] != "ok" {
		return ErrDiffers.With("恢复出的数据库未通过完整性检查：%s", strings.Join(problems, "；"))
	}
	return compare(ctx, database.SQLite, db, s.Manifest, progress)
}

// compare says whether the restored database is the one of the set.
func compare(ctx context.Context, kind database.Kind, q queries, m *Manifest, progress Progress) error {
	got, err := fingerprint(ctx, kind, q, progress)
	if err != nil {
		return err
	}
	if diff := differences(m.Tables, got); len(diff) > 0 {
		return ErrDiffers.With("恢复出的数据与备份时不一致：%s", strings.Join(diff[:min(5, len(diff))], "；"))
	}
	sum, err := schema(ctx, kind, q)
	if err != nil {
		return err
	}
	if sum != m.Schema {
		return ErrDiffers.With("恢复出的表结构与备份时不一致")
	}
	return nil
}

// openFile opens a database file for reading, on one connection.
func openFile(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "&_pragma=query_only(1)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func dsn(path, extra string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(5000)" + extra
}

// idle returns ErrRunning when a program has the database open. A log without readers is folded in on the way.
func idle(ctx context.Context, path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=locking_mode(EXCLUSIVE)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		return ErrRunning.Wrap(err)
	}
	_, err = db.ExecContext(ctx, "ROLLBACK")
	return err
}
