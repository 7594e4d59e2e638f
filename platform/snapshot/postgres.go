package snapshot

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Tools finds the programs of PostgreSQL: a folder, or "" for the search path and Debian's folders.
type Tools string

// ErrTools is returned when a program of PostgreSQL is not installed.
var ErrTools = fault.New(fault.Unavailable, "BACKUP_TOOLS", "找不到 PostgreSQL 的备份工具，请安装与数据库同版本的 postgresql-client，或在 backup.postgres_bin 中指明所在目录")

func (t Tools) path(name string) (string, error) {
	if t != "" {
		p := filepath.Join(string(t), name)
		if _, err := os.Stat(p); err != nil {
			return "", ErrTools.Wrap(err)
		}
		return p, nil
	}
	// The newest of Debian's first: an older pg_dump refuses a newer server.
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		slices.Sort(found)
		return found[len(found)-1], nil
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", ErrTools.Wrap(err)
	}
	return p, nil
}

// command prepares a program of PostgreSQL for the server at target. The password goes through the environment: the
// command line is for everybody to see.
func (t Tools) command(ctx context.Context, target, name string, args ...string) (*exec.Cmd, error) {
	path, err := t.path(name)
	if err != nil {
		return nil, err
	}
	c, err := pgx.ParseConfig(target)
	if err != nil {
		return nil, errors.New("snapshot: the address of PostgreSQL cannot be read")
	}
	cmd := exec.CommandContext(ctx, path, args...) // #nosec G204 -- PostgreSQL's own tools
	cmd.Env = append(os.Environ(), "PGHOST="+c.Host, fmt.Sprintf("PGPORT=%d", c.Port), "PGUSER="+c.User, "PGPASSWORD="+c.Password,
		"PGDATABASE="+c.Database, "PGTZ=UTC", "LC_MESSAGES=C")
	if u, err := url.Parse(target); err == nil {
		// A primary and its standby are named in host and port, and whichever writes is taken.
		for key, variable := range map[string]string{"host": "PGHOST", "port": "PGPORT", "target_session_attrs": "PGTARGETSESSIONATTRS", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"} {
			if v := u.Query().Get(key); v != "" {
				cmd.Env = append(cmd.Env, variable+"="+v)
			}
		}
	}
	cmd.WaitDelay = 10 * time.Second
	return cmd, nil
}

// run runs the program and gives what it complained about with its error.
func run(cmd *exec.Cmd) error {
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(complaints.String())
		if len(text) > 500 {
			text = text[:500]
		}
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, text)
	}
	return nil
}

// openPostgres opens one connection that shows values in one way, whatever the server is set to.
func openPostgres(target string) (*sql.DB, error) {
	c, err := pgx.ParseConfig(target)
	if err != nil {
		return nil, errors.New("snapshot: the address of PostgreSQL cannot be read")
	}
	for k, v := range map[string]string{"timezone": "UTC", "datestyle": "ISO, MDY", "intervalstyle": "postgres", "bytea_output": "hex", "extra_float_digits": "1"} {
		c.RuntimeParams[k] = v
	}
	db := stdlib.OpenDB(*c)
	db.SetMaxOpenConns(1)
	return db, nil
}

// dumpPostgres has pg_dump write what one exported snapshot shows, and hashes the tables of the same snapshot.
func dumpPostgres(ctx context.Context, s Source, dir string, to []age.Recipient, progress Progress) (out dumped, err error) {
	db, err := openPostgres(s.DB.URL())
	if err != nil {
		return out, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return out, err
	}
	defer func() { _ = tx.Rollback() }()
	var id string
	var size int64
	if err := tx.QueryRowContext(ctx, "SELECT pg_export_snapshot(), pg_database_size(current_database())").Scan(&id, &size); err != nil {
		return out, err
	}
	if out.migrations, err = migrations(ctx, tx); err != nil {
		return out, err
	}
	got, err := sealTo(filepath.Join(dir, databaseName), to, func(w io.Writer) error {
		cmd, err := s.Tools.command(ctx, s.DB.URL(), "pg_dump", "--format=custom", "--snapshot="+id, "--no-owner", "--no-privileges")
		if err != nil {
			return err
		}
		var n int64
		cmd.Stdout = counted{w, func(k int) { n += int64(k); progress.say(StageDatabase, n, 0) }}
		return run(cmd)
	})
	if err != nil {
		return out, fmt.Errorf("dump the database: %w", err)
	}
	out.part = Part{Name: databaseName, Size: got.size, SHA256: got.sha256, PlainSize: size}
	return out, describe(ctx, database.Postgres, tx, s, &out, progress)
}

type counted struct {
	w   io.Writer
	say func(n int)
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.say(n)
	return n, err
}

// restorePostgres loads the set into the empty database at target and compares every table.
func restorePostgres(ctx context.Context, s *Set, ids []age.Identity, tools Tools, target string, progress Progress) error {
	r, err := unseal(s.path(databaseName), ids)
	if err != nil {
		return err
	}
	defer r.Close()
	cmd, err := tools.command(ctx, target, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
	if err != nil {
		return err
	}
	cmd.Args = append(cmd.Args, "--dbname="+databaseOf(target))
	var n int64
	p, _ := s.Manifest.part(databaseName)
	cmd.Stdin = told{r, func(k int) { n += int64(k); progress.say(StageRestore, n, p.Size) }}
	if err := run(cmd); err != nil {
		return fmt.Errorf("restore the database: %w", err)
	}
	db, err := openPostgres(target)
	if err != nil {
		return err
	}
	defer db.Close()
	return compare(ctx, database.Postgres, db, s.Manifest, progress)
}

func databaseOf(target string) string {
	c, err := pgx.ParseConfig(target)
	if err != nil {
		return ""
	}
	return c.Database
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,40}$`)

// scratchDatabase makes an empty database beside the one at target, on the same server. drop removes it.
func scratchDatabase(ctx context.Context, target, suffix string) (address string, drop func(), err error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", nil, errors.New("snapshot: the address of PostgreSQL cannot be read")
	}
	name := databaseOf(target)
	if !plainName.MatchString(name) {
		return "", nil, fmt.Errorf("snapshot: a database named %q cannot have a scratch database beside it", name)
	}
	name += suffix
	admin, err := openPostgres(maintenance(target))
	if err != nil {
		return "", nil, err
	}
	if _, err := admin.ExecContext(ctx, `CREATE DATABASE "`+name+`" TEMPLATE template0`); err != nil {
		_ = admin.Close()
		return "", nil, fmt.Errorf("make a scratch database (the role needs CREATEDB): %w", err)
	}
	at := *u
	at.Path = "/" + name
	return at.String(), func() {
		_, _ = admin.ExecContext(context.WithoutCancel(ctx), `DROP DATABASE IF EXISTS "`+name+`" WITH (FORCE)`)
		_ = admin.Close()
	}, nil
}

// maintenance is the server's own database, from where others are made and renamed.
func maintenance(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return target
	}
	u.Path = "/postgres"
	return u.String()
}

// dropLeftovers removes scratch databases of makings that were killed.
func dropLeftovers(ctx context.Context, target, infix string) error {
	admin, err := openPostgres(maintenance(target))
	if err != nil {
		return err
	}
	defer admin.Close()
	rows, err := admin.QueryContext(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", databaseOf(target)+infix)
	if err != nil {
		return err
	}
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			_ = rows.Close()
			return err
		}
		names = append(names, n)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, n := range names {
		if _, err := admin.ExecContext(ctx, `DROP DATABASE IF EXISTS "`+n+`"`); err != nil {
			return err
		}
	}
	return nil
}
