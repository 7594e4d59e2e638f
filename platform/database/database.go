// Package database opens the one database of an installation, SQLite in the data folder or PostgreSQL, and is the only
// way to write to it.
//
// Reads go to Read(), a pool of its own. Writes go through RunInTx. On SQLite one goroutine owns the writer and commits
// what waits together (group commit): each caller's closure runs in its own savepoint and nobody hears "done" before the
// batch is on disk. A closure therefore must be short, must touch only its tx, and must do no outside call.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"golang.org/x/sync/semaphore"
	_ "modernc.org/sqlite" // the driver named "sqlite"

	"github.com/huiqi/huiqi/platform/failpoint"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/tracing"
)

// Kind is the database in use.
type Kind string

// The two databases huiqi runs on.
const (
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres"
)

// writeDeadline is how long one closure may take; a caller that left does not cancel it, so it is ours to bound.
const writeDeadline = 10 * time.Second

// ErrStorageFull is returned when the disk has no room left: nothing was saved.
var ErrStorageFull = fault.New(fault.Unavailable, "STORAGE_FULL", "存储空间不足，提交未保存，请稍后重试").After(60)

// ErrStorage is returned when the disk cannot be written for another reason, as after an error of the device: nothing was
// saved.
var ErrStorage = fault.New(fault.Unavailable, "STORAGE_UNAVAILABLE", "存储暂时不可用，提交未保存，请稍后重试").After(10)

// ErrBusy is returned when the database cannot be reached or did not answer in time: nothing was saved.
var ErrBusy = fault.New(fault.Unavailable, "DATABASE_UNAVAILABLE", "系统繁忙，提交未保存，请稍后重试").After(3)

// ErrUnsure is returned when the line to PostgreSQL broke while a transaction was being committed: it may have been saved. A
// command with an idempotency key can be repeated safely.
var ErrUnsure = fault.New(fault.Unavailable, "OUTCOME_UNKNOWN", "网络中断，暂不能确认是否提交成功，请稍后刷新查看，未成功的再重新提交").After(3)

type noteKey struct{}

// Noting returns a context in which RunInTx notes that it saved something. Truth reads the note.
func Noting(ctx context.Context) context.Context {
	return context.WithValue(ctx, noteKey{}, new(atomic.Bool))
}

// Truth returns err, which ended what was done under ctx, or ErrUnsure around it when err says that nothing was saved and
// something was: the database went away after the commit, as while the result was read for the answer.
func Truth(ctx context.Context, err *fault.Fault) *fault.Fault {
	saved, ok := ctx.Value(noteKey{}).(*atomic.Bool)
	if ok && saved.Load() && (errors.Is(err, ErrBusy) || errors.Is(err, ErrStorage) || errors.Is(err, ErrStorageFull)) {
		return ErrUnsure.Wrap(err)
	}
	return err
}

// DB is an open database.
type DB struct {
	kind   Kind
	url    string
	writer *bun.DB
	reader *bun.DB
	group  *group // SQLite only
	// watcher looks whether PostgreSQL answers; nil on SQLite.
	watcher *watcher
	// turns are the writing lines of PostgreSQL, given in the order of asking; the pool gives to anybody, and who has bad luck
	// waits past the deadline. apart are the places among them of what nobody waits for. Both are nil on SQLite.
	turns, apart *semaphore.Weighted
	// people is how many who wait for an answer are writing now, or wait to.
	people atomic.Int64

	mu    sync.Mutex
	hooks map[*sql.Tx]*[]func()
}

// Open opens the database at url: "postgres://…", or a file path for SQLite (created when missing, with its folder).
func Open(ctx context.Context, target string) (*DB, error) {
	if strings.HasPrefix(target, "postgres://") || strings.HasPrefix(target, "postgresql://") {
		return openPostgres(ctx, target)
	}
	return openSQLite(ctx, target)
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("create data folder: %w", err)
	}
	dsn := func(extra string) string {
		q := "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)&_time_format=sqlite"
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q + extra
	}
	writing, err := remember(dsn("&_txlock=immediate"))
	if err != nil {
		return nil, err
	}
	reading, err := remember(dsn("&_pragma=query_only(1)"))
	if err != nil {
		return nil, err
	}
	w := sql.OpenDB(writing)
	w.SetMaxOpenConns(1)
	w.SetConnMaxIdleTime(0)
	if err := w.PingContext(ctx); err != nil {
		w.Close()
		return nil, fmt.Errorf("open database %s: %w", filepath.Base(path), err)
	}
	r := sql.OpenDB(reading)
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	if err := openAll(ctx, r); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", filepath.Base(path), err), r.Close(), w.Close())
	}
	db := &DB{
		kind: SQLite, url: path, hooks: map[*sql.Tx]*[]func(){},
		writer: witnessed(bun.NewDB(w, sqlitedialect.New()), SQLite), reader: witnessed(bun.NewDB(r, sqlitedialect.New()), SQLite),
	}
	db.group = newGroup(db)
	return db, nil
}

// readers is how many connections read the embedded database.
const readers = 4

// openAll opens every connection of the pool now, and they stay open: a process that may open no more files still reads.
func openAll(ctx context.Context, pool *sql.DB) error {
	for range readers {
		c, err := pool.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close() // back to the pool once all are open
	}
	return nil
}

// writers is how many lines to PostgreSQL write at once, and how many read; spare are for the queue's own statements.
// What nobody waits for has the places of apart among the writing lines, and one of them while a crowd of people writes.
const (
	writers = 12
	spare   = 4
	apart   = writers / 4
	crowd   = writers / 3
)

func openPostgres(ctx context.Context, target string) (*DB, error) {
	cfg, err := pgx.ParseConfig(target)
	if err != nil {
		return nil, errors.New("database: the address of PostgreSQL cannot be read")
	}
	if cfg.RuntimeParams == nil {
		cfg.RuntimeParams = map[string]string{}
	}
	cfg.RuntimeParams["timezone"] = "UTC"
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 3 * time.Second
	}
	open := func(conns int) *bun.DB {
		s := lines(*cfg)
		s.SetMaxOpenConns(conns)
		s.SetMaxIdleConns(conns)
		s.SetConnMaxLifetime(30 * time.Minute)
		return witnessed(bun.NewDB(s, pgdialect.New()), Postgres)
	}
	db := &DB{kind: Postgres, url: target, hooks: map[*sql.Tx]*[]func(){}, writer: open(writers + spare), reader: open(writers), turns: semaphore.NewWeighted(writers), apart: semaphore.NewWeighted(apart)}
	if err := db.writer.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("reach PostgreSQL: %w", err)
	}
	db.watcher = watch(cfg)
	return db, nil
}

// Kind tells which database this is.
func (db *DB) Kind() Kind { return db.kind }

// URL returns the address the database was opened with.
func (db *DB) URL() string { return db.url }

// Read returns the pool for reading. It sees every acknowledged write. Never use it inside a RunInTx closure.
func (db *DB) Read() *bun.DB { return db.reader }

// Writer returns the connection that writes, for the job queue and the migrations only. On SQLite it is a single
// connection: a statement on it from inside a RunInTx closure waits for itself.
func (db *DB) Writer() *bun.DB { return db.writer }

// Close ends the writer after what waits is committed, then both pools.
func (db *DB) Close() error {
	if db.group != nil {
		db.group.stop()
	}
	if db.watcher != nil {
		db.watcher.close()
	}
	return errors.Join(db.writer.Close(), db.reader.Close())
}

// Ping answers whether the database can be reached for reading.
func (db *DB) Ping(ctx context.Context) error { return db.reader.PingContext(ctx) }

// RunInTx runs fn in a transaction and returns nil only when it is committed durably. An error or panic of fn undoes all
// fn did and nothing else. fn may run again on PostgreSQL when it lost a serialization race, a deadlock or its line, so it must not
// keep state outside tx. The context's cancellation is not passed on: a client that leaves does not half-do a thing.
func (db *DB) RunInTx(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	background := ctx.Value(backgroundKey{}) != nil
	if !background {
		db.people.Add(1)
		defer db.people.Add(-1)
	} else if db.apart != nil {
		places := int64(1)
		if db.people.Load() >= crowd {
			places = apart // alone
		}
		if err := db.apart.Acquire(ctx, places); err != nil {
			return ErrBusy.Wrap(err)
		}
		defer db.apart.Release(places)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeDeadline)
	defer cancel()
	ctx, span := tracing.Part(ctx, "transaction", "db.system.name", db.kind.system())
	err := db.inTx(ctx, fn)
	span.End(err)
	if note, ok := ctx.Value(noteKey{}).(*atomic.Bool); ok && err == nil {
		note.Store(true)
	}
	return err
}

type backgroundKey struct{}

// Background marks what is done with ctx as work that nobody waits for, so that those who wait for an answer go first. On
// PostgreSQL its transactions together hold a quarter of the lines, and one while many people write; on SQLite one of them goes
// with each commit of theirs.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

func (db *DB) inTx(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	if db.group != nil {
		return Classify(db.group.run(ctx, fn, ctx.Value(backgroundKey{}) != nil))
	}
	ctx, end := db.Bound(ctx)
	defer end()
	err := db.turns.Acquire(ctx, 1)
	if err != nil {
		return ErrBusy.Wrap(err)
	}
	defer db.turns.Release(1)
	for attempt := range 4 {
		err = db.runPostgres(ctx, fn)
		if !retryable(err) && !lost(err) || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Duration(attempt+1) * 10 * time.Millisecond)
	}
	if _, ok := fault.As(err); err != nil && !ok && errors.Is(context.Cause(ctx), ErrBusy) {
		return ErrBusy.Wrap(err)
	}
	return Classify(err)
}

func (db *DB) runPostgres(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) (err error) {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	done := db.collect(tx)
	committed := false
	defer func() {
		hooks := done()
		if p := recover(); p != nil {
			_ = tx.Rollback()
			err = fmt.Errorf("panic in transaction: %v", p)
			return
		}
		if !committed {
			_ = tx.Rollback()
			return
		}
		for _, h := range hooks {
			h()
		}
	}()
	if err := fn(ctx, tx); err != nil {
		return err
	}
	if err := commit(tx); err != nil {
		return err
	}
	committed = true
	return nil
}

// commit is tx.Commit between the two places where a test ends the process.
func commit(tx bun.Tx) error {
	if err := failpoint.Hit("database.before-commit"); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		var told *pgconn.PgError
		if KindOf(tx) == Postgres && !errors.As(err, &told) {
			return ErrUnsure.Wrap(err) // the line broke: whether it was done, only the database knows
		}
		return err
	}
	_ = failpoint.Hit("database.after-commit")
	return nil
}

// collect starts a list of after-commit hooks for the transaction; the function it returns ends the list and hands it out.
func (db *DB) collect(tx bun.Tx) func() []func() {
	list := &[]func(){}
	db.mu.Lock()
	db.hooks[tx.Tx] = list
	db.mu.Unlock()
	registry.Store(tx.Tx, db)
	return func() []func() {
		registry.Delete(tx.Tx)
		db.mu.Lock()
		defer db.mu.Unlock()
		delete(db.hooks, tx.Tx)
		return *list
	}
}

// registry finds the DB of a running transaction, so that AfterCommit needs the tx alone.
var registry sync.Map // *sql.Tx → *DB

// AfterCommit has fn called once the transaction is committed durably, and never when it is undone. fn runs on the
// caller's goroutine (PostgreSQL) or the writer's (SQLite): it must only wake somebody, not work.
func AfterCommit(tx bun.Tx, fn func()) {
	v, ok := registry.Load(tx.Tx)
	if !ok {
		panic("database: AfterCommit outside RunInTx")
	}
	db := v.(*DB)
	db.mu.Lock()
	defer db.mu.Unlock()
	list := db.hooks[tx.Tx]
	*list = append(*list, fn)
}

// KindOf tells which database a connection or transaction speaks to.
func KindOf(db bun.IDB) Kind {
	if db.Dialect().Name().String() == "pg" {
		return Postgres
	}
	return SQLite
}

// Found turns sql.ErrNoRows into fault.ErrNotFound and passes every other error on.
func Found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.ErrNotFound
	}
	return err
}

// Changed returns fault.ErrChanged when a conditional update touched no row.
func Changed(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.ErrChanged
	}
	return nil
}
