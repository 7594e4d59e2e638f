// Package bulk writes very many rows into an installation that nobody else uses: history that is loaded, not made. It takes
// the way around the commands (no transaction each, no listener), so whoever loads builds the rows exactly as the commands
// would have left them; the modules do, and a test compares.
//
// Rows stream through in chunks: memory does not grow with their number. The secondary indexes of the tables are dropped
// for the time and built again at the end, which is several times faster. A table marks the time between: Unfinished says
// so after a crash, and the program refuses to start on a database that is loaded half.
package bulk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun/schema"

	"github.com/huiqi/huiqi/platform/database"
)

// marker is the table that stands while a load is unfinished. It is no part of the schema: a finished load leaves none.
const marker = "bulk_load_unfinished"

// ErrUnfinished is returned when a load before was cut short: the data is incomplete and without its indexes.
var ErrUnfinished = errors.New("a bulk load of this database was cut short; use a new data directory or database, or restore a backup")

// Unfinished returns ErrUnfinished when a load of the database was cut short, nil otherwise.
func Unfinished(ctx context.Context, db *database.DB) error {
	query := "SELECT count(*) FROM sqlite_master WHERE name = ?"
	if db.Kind() == database.Postgres {
		query = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?"
	}
	var n int
	if err := db.Read().NewRaw(query, marker).Scan(ctx, &n); err != nil {
		return err
	}
	if n > 0 {
		return ErrUnfinished
	}
	return nil
}

// The limits of one INSERT on SQLite (parameters) and of one transaction there (rows), and of one COPY on PostgreSQL.
const (
	maxParameters = 8000
	maxRows       = 200
	perCommit     = 100_000
	perCopy       = 5000
)

// Load is one bulk load. Its methods are for one goroutine; a second one writes what they hand over.
type Load struct {
	db      *database.DB
	conn    *sql.Conn
	tables  map[string]*table
	order   []string
	types   map[reflect.Type]*table
	indexes []string // to build again, as statements
	chunks  chan chunk
	ended   chan struct{}
	rows    int64
	// counters are written last.
	counters []counter

	mu  sync.Mutex
	err error

	journal
}

type table struct {
	name    string
	columns []string
	fields  []*schema.Field // nil for rows given as values
	last    int64           // the highest id given out
	serial  bool
	pending []any
	rows    int
	most    int
}

type chunk struct {
	t      *table
	values []any
	rows   int
}

// Begin starts a load into the tables; they are the only ones the load may write. Until Finish the writer belongs to the
// load: a command that writes on SQLite would wait for it. It returns ErrUnfinished after a load that was cut short.
func Begin(ctx context.Context, db *database.DB, tables ...string) (*Load, error) {
	if err := Unfinished(ctx, db); err != nil {
		return nil, err
	}
	l := &Load{db: db, tables: map[string]*table{}, types: map[reflect.Type]*table{}, chunks: make(chan chunk, 16), ended: make(chan struct{})}
	if err := l.openJournal(ctx); err != nil {
		return nil, err
	}
	for _, name := range append([]string{"events", "audit_entries"}, tables...) {
		l.tables[name] = &table{name: name}
		l.order = append(l.order, name)
	}
	conn, err := db.Writer().DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	l.conn = conn
	if err := l.dropIndexes(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	if err := l.findIDs(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	go l.write(context.WithoutCancel(ctx))
	return l, nil
}

// dropIndexes marks the load and drops the indexes that no constraint needs, in one transaction.
func (l *Load) dropIndexes(ctx context.Context) error {
	query := "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
	if l.db.Kind() == database.Postgres {
		query = `SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.schemaname = current_schema() AND i.tablename = $1
			AND NOT EXISTS (SELECT 1 FROM pg_constraint c JOIN pg_class k ON k.oid = c.conindid WHERE k.relname = i.indexname)`
	}
	drop := []string{"CREATE TABLE " + marker + " (statement TEXT NOT NULL)"}
	for _, name := range l.order {
		rows, err := l.conn.QueryContext(ctx, query, name)
		if err != nil {
			return err
		}
		for rows.Next() {
			var index, create string
			if err := rows.Scan(&index, &create); err != nil {
				_ = rows.Close()
				return err
			}
			l.indexes = append(l.indexes, create)
			drop = append(drop, "DROP INDEX "+index)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	if l.db.Kind() == database.SQLite {
		for _, p := range []string{"PRAGMA synchronous = NORMAL", "PRAGMA cache_size = -200000", "PRAGMA wal_autocheckpoint = 20000"} {
			if _, err := l.conn.ExecContext(ctx, p); err != nil {
				return err
			}
		}
	}
	tx, err := l.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, s := range drop {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	for _, s := range l.indexes {
		// #nosec G202 -- the marker's name is a constant; the statement is the index's own, kept for the operator to see
		if _, err := tx.ExecContext(ctx, "INSERT INTO "+marker+" (statement) VALUES ('"+strings.ReplaceAll(s, "'", "''")+"')"); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// findIDs learns where the ids of each table go on.
func (l *Load) findIDs(ctx context.Context) error {
	for _, t := range l.tables {
		query := "SELECT count(*) FROM pragma_table_info('" + t.name + "') WHERE name = 'id'"
		if l.db.Kind() == database.Postgres {
			query = "SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '" + t.name + "' AND column_name = 'id' AND data_type = 'bigint'"
		}
		var n int
		if err := l.conn.QueryRowContext(ctx, query).Scan(&n); err != nil {
			return err
		}
		if t.serial = n > 0; !t.serial {
			continue
		}
		// #nosec G202 -- the names of the tables come from the modules, not from a person
		if err := l.conn.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM "+t.name).Scan(&t.last); err != nil {
			return err
		}
	}
	return nil
}

// NextID gives out the next id of a table, in ascending order.
func (l *Load) NextID(name string) int64 {
	t := l.tables[name]
	t.last++
	return t.last
}

// Kind tells which database is loaded, for rows that the two keep differently.
func (l *Load) Kind() database.Kind { return l.db.Kind() }

// Count returns how many rows were handed over so far.
func (l *Load) Count() int64 { return l.rows }

// Add hands a row over: a pointer to a struct with bun tags, of one of the tables, with its id set. It returns the error of
// an earlier row that could not be written.
func (l *Load) Add(row any) error {
	v := reflect.ValueOf(row).Elem()
	t, ok := l.types[v.Type()]
	if !ok {
		s := l.db.Writer().Table(v.Type())
		if t = l.tables[s.Name]; t == nil {
			return fmt.Errorf("bulk: table %s is not among those of the load", s.Name)
		}
		t.fields = s.Fields
		for _, f := range s.Fields {
			t.columns = append(t.columns, f.Name)
		}
		l.types[v.Type()] = t
	}
	for _, f := range t.fields {
		t.pending = append(t.pending, value(f, v))
	}
	return l.added(t)
}

// Row hands a row over by its values, for a table without a struct of its own: always the same columns in the same order.
func (l *Load) Row(name string, columns []string, values ...any) error {
	t := l.tables[name]
	if t == nil {
		return fmt.Errorf("bulk: table %s is not among those of the load", name)
	}
	if t.columns == nil {
		t.columns = columns
	}
	t.pending = append(t.pending, values...)
	return l.added(t)
}

// Drawn says up to which number a day of the counters of a table was drawn (database.NextOfDay). It is written by Finish,
// behind all rows.
func (l *Load) Drawn(table, day string, last int64) error {
	l.counters = append(l.counters, counter{table, day, last})
	return l.failed()
}

type counter struct {
	table, day string
	last       int64
}

func (c counter) write(ctx context.Context, conn *sql.Conn, kind database.Kind) error {
	_, err := conn.ExecContext(ctx, database.DrawnUntil(kind, c.table), c.day, c.last)
	return err
}

func (l *Load) added(t *table) error {
	t.rows++
	l.rows++
	if t.most == 0 {
		if t.most = perCopy; l.db.Kind() == database.SQLite {
			t.most = min(maxRows, maxParameters/len(t.columns))
		}
	}
	if t.rows == t.most {
		l.hand(t)
	}
	return l.failed()
}

func (l *Load) hand(t *table) {
	if t.rows == 0 {
		return
	}
	l.chunks <- chunk{t, t.pending, t.rows}
	t.pending, t.rows = make([]any, 0, cap(t.pending)), 0
}

func (l *Load) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *Load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

// value is what the database keeps of a field.
func value(f *schema.Field, row reflect.Value) any {
	v := database.Value(f, row)
	if at, ok := v.(time.Time); ok {
		return at.UTC().Format(database.TimeForm)
	}
	return v
}

// write is the goroutine that owns the connection.
func (l *Load) write(ctx context.Context) {
	defer close(l.ended)
	w := writer{conn: l.conn, kind: l.db.Kind()}
	for c := range l.chunks {
		if l.failed() != nil {
			continue // the other side is still to hear of it
		}
		if err := w.put(ctx, c); err != nil {
			l.fail(fmt.Errorf("load %s: %w", c.t.name, err))
		}
	}
	if err := w.commit(); err != nil {
		l.fail(err)
	}
}

type writer struct {
	conn  *sql.Conn
	kind  database.Kind
	tx    *sql.Tx
	full  map[*table]*sql.Stmt
	since int
}

func (w *writer) put(ctx context.Context, c chunk) error {
	if w.kind == database.Postgres {
		return w.copy(ctx, c)
	}
	if w.tx == nil {
		var err error
		if w.tx, err = w.conn.BeginTx(ctx, nil); err != nil {
			return err
		}
		w.full, w.since = map[*table]*sql.Stmt{}, 0
	}
	if c.rows != c.t.most {
		_, err := w.tx.ExecContext(ctx, insert(c.t, c.rows), c.values...)
		return err
	}
	s := w.full[c.t]
	if s == nil {
		var err error
		if s, err = w.tx.PrepareContext(ctx, insert(c.t, c.rows)); err != nil {
			return err
		}
		w.full[c.t] = s
	}
	if _, err := s.ExecContext(ctx, c.values...); err != nil {
		return err
	}
	if w.since += c.rows; w.since >= perCommit {
		return w.commit()
	}
	return nil
}

func (w *writer) commit() error {
	if w.tx == nil {
		return nil
	}
	err := w.tx.Commit()
	w.tx = nil
	return err
}

func insert(t *table, rows int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(t.columns)), ",") + ")"
	return "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES " + strings.TrimSuffix(strings.Repeat(one+",", rows), ",")
}

// copy sends the rows in PostgreSQL's own text form.
func (w *writer) copy(ctx context.Context, c chunk) error {
	var b strings.Builder
	for i, v := range c.values {
		switch x := v.(type) {
		case nil:
			b.WriteString(`\N`)
		case string:
			_, _ = escapes.WriteString(&b, x)
		default:
			fmt.Fprint(&b, x)
		}
		if (i+1)%len(c.t.columns) == 0 {
			b.WriteByte('\n')
		} else {
			b.WriteByte('\t')
		}
	}
	return w.conn.Raw(func(driver any) error {
		_, err := driver.(interface{ Conn() *pgx.Conn }).Conn().PgConn().CopyFrom(ctx, strings.NewReader(b.String()),
			"COPY "+c.t.name+" ("+strings.Join(c.t.columns, ", ")+") FROM STDIN")
		return err
	})
}

var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// Finish writes what is left, builds the indexes, lets the ids go on behind the rows, gathers statistics and takes the mark
// away. say is told what is done; it may be nil. After an error the load stays unfinished.
func (l *Load) Finish(ctx context.Context, say func(string)) error {
	if say == nil {
		say = func(string) {}
	}
	err := l.flushJournal()
	for _, name := range l.order {
		l.hand(l.tables[name])
	}
	close(l.chunks)
	<-l.ended
	defer l.conn.Close()
	if err := errors.Join(err, l.failed()); err != nil {
		return err
	}
	for _, c := range l.counters {
		if err := c.write(ctx, l.conn, l.db.Kind()); err != nil {
			return err
		}
	}
	if l.db.Kind() == database.Postgres {
		if _, err := l.conn.ExecContext(ctx, "SET maintenance_work_mem = '512MB'"); err != nil {
			return err
		}
	}
	for i, s := range l.indexes {
		say(fmt.Sprintf("indexes %d of %d", i+1, len(l.indexes)))
		if _, err := l.conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	say("statistics")
	var last []string
	if l.db.Kind() == database.Postgres {
		for _, t := range l.tables {
			if t.serial {
				last = append(last, fmt.Sprintf("SELECT setval(pg_get_serial_sequence('%s', 'id'), %d)", t.name, max(t.last, 1)))
			}
			last = append(last, "ANALYZE "+t.name)
		}
		last = append(last, "RESET maintenance_work_mem")
	} else {
		// With a limit there are no samples of values (sqlite_stat4). With samples the planner wants to know the values of the
		// parameters, and parses every prepared statement anew each time it is asked.
		last = append(last, "PRAGMA analysis_limit = 1000", "ANALYZE")
	}
	for _, s := range append(last, "DROP TABLE "+marker) {
		if _, err := l.conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if l.db.Kind() == database.SQLite {
		for _, p := range []string{"PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -2000", "PRAGMA wal_autocheckpoint = 1000"} {
			if _, err := l.conn.ExecContext(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// Abandon gives the connection back after an error. The load stays unfinished.
func (l *Load) Abandon() {
	l.fail(errors.New("bulk: abandoned"))
	close(l.chunks)
	<-l.ended
	_ = l.conn.Close()
}
