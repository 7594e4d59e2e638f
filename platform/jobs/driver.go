package jobs

import (
	"context"
	"fmt"

	"database/sql"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// River's drivers for database/sql cannot listen, so a job would wait for the next poll. On SQLite all work happens in
// this process, and a channel does; on PostgreSQL the notifications are there already and need a pgx connection.

type sqliteDriver struct {
	*riversqlite.Driver

	bell *bell
}

// SupportsListener tells River that it need not only poll.
func (d *sqliteDriver) SupportsListener() bool { return true }

// GetListener returns the process's bell.
func (d *sqliteDriver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener {
	return d.bell
}

type postgresDriver struct {
	*riverdatabasesql.Driver

	pgx *riverpgxv5.Driver
}

// SupportsListener tells River that it need not only poll.
func (d *postgresDriver) SupportsListener() bool { return true }

// GetListener returns a listener on a connection of its own.
func (d *postgresDriver) GetListener(p *riverdriver.GetListenenerParams) riverdriver.Listener {
	return d.pgx.GetListener(p)
}

func newDriver(ctx context.Context, db *database.DB) (riverdriver.Driver[*sql.Tx], *bell, func(), error) {
	if db.Kind() == database.SQLite {
		b := newBell()
		return &sqliteDriver{Driver: riversqlite.New(db.Writer().DB), bell: b}, b, func() {}, nil
	}
	cfg, err := pgxpool.ParseConfig(db.URL())
	if err != nil {
		return nil, nil, nil, fmt.Errorf("jobs: the address of PostgreSQL cannot be read")
	}
	cfg.MaxConns = 2
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("jobs: %w", err)
	}
	return &postgresDriver{Driver: riverdatabasesql.New(db.Writer().DB), pgx: riverpgxv5.New(pool)}, nil, pool.Close, nil
}

// bell is River's listener within one process.
type bell struct {
	rings chan *riverdriver.Notification
}

func newBell() *bell { return &bell{rings: make(chan *riverdriver.Notification, 256)} }

// ring wakes the queue's workers. A full bell is a bell that rings already.
func (b *bell) ring(queue string) {
	select {
	case b.rings <- &riverdriver.Notification{Topic: "river_insert", Payload: fmt.Sprintf(`{"queue":%q}`, queue)}:
	default:
	}
}

// Close, Connect, Listen, Ping, Unlisten and the rest are River's contract; there is no connection to keep here.
func (b *bell) Close(context.Context) error            { return nil }
func (b *bell) Connect(context.Context) error          { return nil }
func (b *bell) Listen(context.Context, string) error   { return nil }
func (b *bell) Ping(context.Context) error             { return nil }
func (b *bell) Unlisten(context.Context, string) error { return nil }
func (b *bell) Schema() string                         { return "" }
func (b *bell) SetAfterConnectExec(string)             {}

// WaitForNotification returns the next ring.
func (b *bell) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case n := <-b.rings:
		return n, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Migrations are River's own tables, as of the version in go.mod, and the books of the scheduler. River's steps cannot
// share one transaction on PostgreSQL (an enum's new value may not be used before it is committed); River keeps its own
// list and goes on where it stopped.
var Migrations = []database.Migration{{
	ID: "20261101000400_jobs",
	Alone: func(ctx context.Context, db *bun.DB) error {
		var d riverdriver.Driver[*sql.Tx] = riversqlite.New(db.DB)
		if database.KindOf(db) == database.Postgres {
			d = riverdatabasesql.New(db.DB)
		}
		m, err := rivermigrate.New(d, nil)
		if err != nil {
			return err
		}
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	},
}, taskMigration, pauseMigration}
