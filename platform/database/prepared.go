package database

import (
	"context"
	"database/sql"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// Statements that every request runs are kept prepared: parsing them again cost up to a third of a request's time (measured
// on SQLite; bun writes its arguments into the text, so each of its queries is a new text).

// statements are the prepared statements of one pool, by their text.
type statements struct {
	pool *bun.DB
	kind Kind
	mu   sync.Mutex
	list map[string]*sql.Stmt // nil while one is being prepared
}

func newStatements(pool *bun.DB, kind Kind) *statements {
	s := &statements{pool: pool, kind: kind, list: map[string]*sql.Stmt{}}
	pools.Store(pool, s)
	return s
}

// pools finds the statements of a pool for reading.
var pools sync.Map // *bun.DB → *statements

// text gives the query the marks of its database: ? becomes $1, $2, … on PostgreSQL.
func (s *statements) text(query string) string {
	if s.kind != Postgres {
		return query
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

// get returns the statement, nil when there is none yet. wait prepares it at once; otherwise it is prepared beside, because
// whoever asks may hold the only connection.
func (s *statements) get(ctx context.Context, query string, wait bool) (*sql.Stmt, error) {
	s.mu.Lock()
	st, begun := s.list[query]
	if st == nil && !wait {
		s.list[query] = nil
	}
	s.mu.Unlock()
	switch {
	case st != nil:
		return st, nil
	case wait:
		return s.prepare(ctx, query)
	case !begun:
		go func() { _, _ = s.prepare(context.Background(), query) }() // #nosec G118 -- the statement outlives the request
	}
	return nil, nil
}

// prepare asks the database without holding anybody else up. Of two that do so at once the first one's statement stays.
func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	st, err := s.pool.DB.PrepareContext(ctx, s.text(query))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if s.list[query] == nil {
			delete(s.list, query) // to be tried again
		}
		return nil, err
	}
	if first := s.list[query]; first != nil {
		_ = st.Close()
		return first, nil
	}
	s.list[query] = st
	return st, nil
}

// QueryAll runs a query of fixed text, with ? for each argument, and scans its rows into list, as bun does. QueryOne scans
// the columns of one row, sql.ErrNoRows when there is none, and Run runs a statement that gives no rows.
//
// The statement is prepared once for each connection: they are for what every request asks, not for text that is put together
// anew. db is the pool for reading or a transaction of RunInTx.
func QueryAll[T any](ctx context.Context, db bun.IDB, list *[]T, query string, args ...any) error {
	rows, by, err := open(ctx, db, query, args)
	if err != nil {
		return err
	}
	return by.ScanRows(ctx, rows, list)
}

// QueryOne reads one row; see QueryAll.
func QueryOne(ctx context.Context, db bun.IDB, dest []any, query string, args ...any) error {
	rows, _, err := open(ctx, db, query, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	return rows.Close()
}

// Run changes something; see QueryAll.
func Run(ctx context.Context, tx bun.Tx, query string, args ...any) (sql.Result, error) {
	s, st, err := inTx(ctx, tx, query)
	if err != nil {
		return nil, err
	}
	args = s.marks(args)
	if st == nil {
		return tx.Tx.ExecContext(ctx, s.text(query), args...)
	}
	return st.ExecContext(ctx, args...)
}

// Insert adds the row that the pointer names, of a table with an id that the database gives, and sets its id: what bun's
// insert does, with a statement that is prepared once. Fields tagged with a dash or scanonly are left out as bun does.
func Insert(ctx context.Context, tx bun.Tx, row any) error {
	v := reflect.ValueOf(row).Elem()
	p := shapeOf(tx, v.Type())
	args := make([]any, 0, len(p.fields))
	for _, f := range p.fields {
		args = append(args, Value(f, v))
	}
	return QueryOne(ctx, tx, []any{p.id.Value(v).Addr().Interface()}, p.insert, args...)
}

// shape is how a type is inserted.
type shape struct {
	insert string
	fields []*schema.Field
	id     *schema.Field
}

var shapes sync.Map // reflect.Type → *shape

func shapeOf(tx bun.Tx, t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	table := tx.Dialect().Tables().Get(t)
	s := &shape{}
	var names []string
	for _, f := range table.Fields {
		if f.IsPK && f.Name == "id" {
			s.id = f
			continue
		}
		s.fields = append(s.fields, f)
		names = append(names, f.Name)
	}
	s.insert = "INSERT INTO " + table.Name + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ") + ") RETURNING id"
	shapes.Store(t, s)
	return s
}

// TimeForm is how moments are written into the embedded database, by bun and by us.
const TimeForm = "2006-01-02 15:04:05.999999-07:00"

// Value is what the database keeps of a field of the row, as bun would have written it, with moments as time.Time.
func Value(f *schema.Field, row reflect.Value) any {
	v := f.Value(row)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	} else if f.NullZero && v.IsZero() {
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Bool:
		return v.Bool()
	case reflect.Slice: // json.RawMessage
		return string(v.Bytes())
	}
	return v.Interface()
}

// marks puts moments into the form of the database.
func (s *statements) marks(args []any) []any {
	for i, a := range args {
		switch at := a.(type) {
		case *time.Time:
			if args[i] = nil; at != nil {
				args[i] = s.moment(*at)
			}
		case time.Time:
			args[i] = s.moment(at)
		}
	}
	return args
}

func (s *statements) moment(at time.Time) any {
	if s.kind == SQLite {
		return at.UTC().Format(TimeForm)
	}
	return at.UTC()
}

func open(ctx context.Context, db bun.IDB, query string, args []any) (*sql.Rows, *bun.DB, error) {
	switch x := db.(type) {
	case bun.Tx:
		s, st, err := inTx(ctx, x, query)
		if err != nil {
			return nil, nil, err
		}
		var rows *sql.Rows
		args = s.marks(args)
		if st == nil {
			rows, err = x.Tx.QueryContext(ctx, s.text(query), args...)
		} else {
			rows, err = st.QueryContext(ctx, args...)
		}
		return rows, s.pool, err
	case *bun.DB:
		v, ok := pools.Load(x)
		if !ok {
			panic("database: a query on a pool that is not for reading")
		}
		s := v.(*statements)
		st, err := s.get(ctx, query, true)
		if err != nil {
			return nil, nil, err
		}
		rows, err := st.QueryContext(ctx, s.marks(args)...)
		return rows, s.pool, err
	}
	panic("database: a query needs the pool for reading or a transaction")
}

// inTx returns the statement on the transaction's connection, nil while it is not prepared yet.
func inTx(ctx context.Context, tx bun.Tx, query string) (*statements, *sql.Stmt, error) {
	v, ok := registry.Load(tx.Tx)
	if !ok {
		panic("database: a query on a transaction that is not of RunInTx")
	}
	s := v.(*DB).written
	st, err := s.get(ctx, query, false)
	if err != nil || st == nil {
		return s, nil, err
	}
	return s, tx.Tx.StmtContext(ctx, st), nil
}
