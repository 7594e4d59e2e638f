package database

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/failpoint"
)

// Migration is one append-only step of the schema. ID is a UTC timestamp and a name, "20261201090000_tickets"; the IDs of
// all modules together order the steps.
type Migration struct {
	ID string
	Up func(ctx context.Context, tx bun.Tx) error
	// Alone replaces Up for a step that cannot run in one transaction. It must be repeatable: after a crash it runs again.
	Alone func(ctx context.Context, db *bun.DB) error
}

type applied struct {
	bun.BaseModel `bun:"table:schema_migrations"`

	ID string    `bun:"id,pk"`
	At time.Time `bun:"at,notnull"`
}

var migrationID = regexp.MustCompile(`^\d{14}_[a-z0-9_]+$`)

// ErrNewerSchema is returned when the database was migrated by a newer program.
type ErrNewerSchema struct{ IDs []string }

// Error names the unknown steps.
func (e ErrNewerSchema) Error() string {
	return "the database was upgraded by a newer huiqi (" + strings.Join(e.IDs, ", ") + "); start that version or restore a backup"
}

// Alone runs fn while no other process that asks for the same runs it: on PostgreSQL under a lock of the server, on SQLite
// there is no other process.
func Alone(ctx context.Context, db *DB, lock Lock, fn func(ctx context.Context) error) error {
	if db.kind != Postgres {
		return fn(ctx)
	}
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(?)", lock); err != nil {
		return err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(?)", lock) }()
	return fn(ctx)
}

// Migrate applies the steps that are missing, in order, each with its record in one transaction, so that a crash leaves
// a step done or not done. Several processes may call it at once on PostgreSQL; one works and the others wait.
func Migrate(ctx context.Context, db *DB, steps []Migration) error {
	steps = slices.Clone(steps)
	slices.SortFunc(steps, func(a, b Migration) int { return strings.Compare(a.ID, b.ID) })
	known := map[string]bool{}
	for _, s := range steps {
		if !migrationID.MatchString(s.ID) {
			return fmt.Errorf("migration %q: the name must be a UTC timestamp and lower-case words", s.ID)
		}
		if known[s.ID] {
			return fmt.Errorf("migration %q appears twice", s.ID)
		}
		known[s.ID] = true
	}
	if db.kind == Postgres {
		conn, err := db.writer.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(?)", LockMigrate); err != nil {
			return err
		}
		defer func() { _, _ = conn.ExecContext(context.Background(), "SELECT pg_advisory_unlock(?)", LockMigrate) }()
	}
	if _, err := db.writer.NewCreateTable().Model((*applied)(nil)).IfNotExists().Exec(ctx); err != nil {
		return fmt.Errorf("create schema_migrations: %w", err)
	}
	var rows []applied
	if err := db.writer.NewSelect().Model(&rows).OrderExpr("id").Scan(ctx); err != nil {
		return fmt.Errorf("read schema_migrations: %w", err)
	}
	have := map[string]bool{}
	var newer []string
	for _, r := range rows {
		have[r.ID] = true
		if !known[r.ID] {
			newer = append(newer, r.ID)
		}
	}
	if newer != nil {
		return ErrNewerSchema{newer}
	}
	for _, s := range steps {
		if have[s.ID] {
			continue
		}
		if s.Alone != nil {
			if err := s.Alone(ctx, db.writer); err != nil {
				return fmt.Errorf("migration %s: %w", s.ID, err)
			}
			s.Up = func(context.Context, bun.Tx) error { return nil }
		}
		tx, err := db.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := s.Up(ctx, tx); err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("migration %s: %w", s.ID, err)
		}
		if err := failpoint.Hit("database.migration-step"); err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("migration %s: %w", s.ID, err)
		}
		if _, err := tx.NewInsert().Model(&applied{ID: s.ID, At: time.Now().UTC()}).Exec(ctx); err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("migration %s: record: %w", s.ID, err)
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("migration %s: commit: %w", s.ID, err)
		}
		_ = failpoint.Hit("database.migration-commit")
	}
	return nil
}

// CreateTables creates a table for each frozen model.
func CreateTables(ctx context.Context, tx bun.Tx, models ...any) error {
	for _, m := range models {
		if _, err := tx.NewCreateTable().Model(m).Exec(ctx); err != nil {
			return fmt.Errorf("create table of %T: %w", m, err)
		}
	}
	return nil
}

// Exec runs statements that both databases understand, one after the other.
func Exec(ctx context.Context, tx bun.Tx, statements ...string) error {
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// ByDialect runs the statement list of the database in use; for what the two write differently.
func ByDialect(ctx context.Context, tx bun.Tx, sqlite, postgres []string) error {
	if KindOf(tx) == Postgres {
		return Exec(ctx, tx, postgres...)
	}
	return Exec(ctx, tx, sqlite...)
}

// Pending compares the steps with what the database has had, without changing anything: which are still to come, and
// which it had from a newer program.
func Pending(ctx context.Context, db *DB, steps []Migration) (missing, newer []string, err error) {
	exists := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'"
	if db.kind == Postgres {
		exists = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_migrations'"
	}
	var tables int
	if err := db.Read().NewRaw(exists).Scan(ctx, &tables); err != nil {
		return nil, nil, err
	}
	var rows []applied
	if tables > 0 {
		if err := db.Read().NewSelect().Model(&rows).OrderExpr("id").Scan(ctx); err != nil {
			return nil, nil, fmt.Errorf("read schema_migrations: %w", err)
		}
	}
	for _, s := range steps {
		if !slices.ContainsFunc(rows, func(r applied) bool { return r.ID == s.ID }) {
			missing = append(missing, s.ID)
		}
	}
	for _, r := range rows {
		if !slices.ContainsFunc(steps, func(s Migration) bool { return s.ID == r.ID }) {
			newer = append(newer, r.ID)
		}
	}
	return missing, newer, nil
}
