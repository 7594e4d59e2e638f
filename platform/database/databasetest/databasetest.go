// Package databasetest gives a test its own migrated database: SQLite in a temporary folder, or a fresh PostgreSQL
// database when TEST_DATABASE_URL names a server. What it begins with is made once per process and copied.
package databasetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/database"
)

type template struct {
	once sync.Once
	file []byte // SQLite: the migrated file
	name string // PostgreSQL: the template database
	err  error
}

var templates sync.Map // key of the migration list → *template

// New returns a migrated database of the test's own, closed and removed at its end.
func New(t testing.TB, steps []database.Migration) *database.DB {
	t.Helper()
	return Filled(t, steps, "", nil)
}

// Filled is New with what fill wrote after the migration. It is called once per process and name; every test gets a copy.
func Filled(t testing.TB, steps []database.Migration, name string, fill func(context.Context, *database.DB) error) *database.DB {
	t.Helper()
	db, err := database.Open(context.Background(), Copy(t, steps, name, fill))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Copy is Filled for a process that opens the database itself: it returns the address.
func Copy(t testing.TB, steps []database.Migration, name string, fill func(context.Context, *database.DB) error) string {
	t.Helper()
	key := name + ";"
	for _, s := range steps {
		key += s.ID + ";"
	}
	v, _ := templates.LoadOrStore(key, &template{})
	tpl := v.(*template)
	prepare := func(ctx context.Context, db *database.DB) error {
		if err := database.Migrate(ctx, db, steps); err != nil || fill == nil {
			return err
		}
		return fill(ctx, db)
	}
	if server := os.Getenv("TEST_DATABASE_URL"); server != "" {
		return copyPostgres(t, server, tpl, prepare)
	}
	return copySQLite(t, tpl, prepare)
}

func copySQLite(t testing.TB, tpl *template, prepare func(context.Context, *database.DB) error) string {
	t.Helper()
	ctx := context.Background()
	tpl.once.Do(func() {
		dir, err := os.MkdirTemp("", "huiqi-template-*")
		if err != nil {
			tpl.err = err
			return
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "template.db")
		db, err := database.Open(ctx, path)
		if err != nil {
			tpl.err = err
			return
		}
		if err := prepare(ctx, db); err != nil {
			db.Close()
			tpl.err = err
			return
		}
		if _, err := db.Writer().ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			tpl.err = err
		}
		if err := db.Close(); err != nil {
			tpl.err = err
			return
		}
		// #nosec G304 -- a file in a temporary folder made above
		tpl.file, tpl.err = os.ReadFile(path)
	})
	if tpl.err != nil {
		t.Fatalf("make the template database: %v", tpl.err)
	}
	path := filepath.Join(t.TempDir(), "huiqi.db")
	if err := os.WriteFile(path, tpl.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func copyPostgres(t testing.TB, server string, tpl *template, prepare func(context.Context, *database.DB) error) string {
	t.Helper()
	ctx := context.Background()
	admin, err := database.Open(ctx, server)
	if err != nil {
		t.Fatalf("reach the test PostgreSQL: %v", err)
	}
	t.Cleanup(func() { admin.Close() })
	at := func(name string) string {
		u, err := url.Parse(server)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + name
		return u.String()
	}
	tpl.once.Do(func() {
		tpl.name = "tpl_" + random()
		if _, tpl.err = admin.Writer().ExecContext(ctx, "CREATE DATABASE "+tpl.name); tpl.err != nil {
			return
		}
		db, err := database.Open(ctx, at(tpl.name))
		if err != nil {
			tpl.err = err
			return
		}
		defer db.Close()
		tpl.err = prepare(ctx, db)
	})
	if tpl.err != nil {
		t.Fatalf("make the template database: %v", tpl.err)
	}
	name := "test_" + random()
	for try := 0; ; try++ {
		_, err = admin.Writer().ExecContext(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, tpl.name))
		if err == nil {
			break
		}
		if try == 50 {
			t.Fatalf("copy the template database: %v", err)
		}
		time.Sleep(50 * time.Millisecond) // another test is copying the template
	}
	t.Cleanup(func() {
		_, _ = admin.Writer().ExecContext(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	})
	return at(name)
}

func random() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
