package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"
)

// What every request asks goes to the database as a fixed text with its arguments beside it, and is prepared once for each
// connection: on the embedded database by remembering, on PostgreSQL by pgx. bun writes its arguments into the text, so each
// of its queries is a new text that is parsed again.

// text gives the query the marks of its database: ? becomes $1, $2, … on PostgreSQL.
func (k Kind) text(query string) string {
	if k != Postgres {
		return query
	}
	if known, ok := numbered.Load(query); ok {
		return known.(string)
	}
	var b strings.Builder
	for n, rest := 1, query; ; n++ {
		before, after, found := strings.Cut(rest, "?")
		b.WriteString(before)
		if !found {
			numbered.Store(query, b.String())
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		rest = after
	}
}

// numbered are the texts that PostgreSQL was asked, with the marks of the program.
var numbered sync.Map // string → string

// QueryAll runs a query of fixed text, with ? for each argument, and scans its rows into list, as bun does. QueryOne scans
// the columns of one row, sql.ErrNoRows when there is none, and Run runs a statement that gives no rows.
//
// They are for what every request asks, not for text that is put together anew. db is a pool or a transaction.
func QueryAll[T any](ctx context.Context, db bun.IDB, list *[]T, query string, args ...any) error {
	rows, by, err := open(ctx, db, query, args)
	if err != nil {
		return err
	}
	return by.ScanRows(ctx, rows, list)
}

// Each calls scan for every row, for those who know their columns: it costs half of what finding the fields of a struct does.
// See QueryAll.
func Each(ctx context.Context, db bun.IDB, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, _, err := open(ctx, db, query, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
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
	k := KindOf(tx)
	ctx, span := statement(ctx, k, query)
	res, err := tx.Tx.ExecContext(ctx, k.text(query), k.marks(args)...)
	span.End(err)
	return res, err
}

// Insert adds the row that the pointer names, of a table with an id that the database gives, and sets its id: what bun's
// insert does, with a statement that is prepared once. Fields tagged with a dash or scanonly are left out as bun does.
func Insert(ctx context.Context, tx bun.Tx, row any) error {
	return insert(ctx, tx, row, "")
}

// InsertNew is Insert of a row that may be there already, by a unique index on the columns; it tells whether it was not.
func InsertNew(ctx context.Context, tx bun.Tx, row any, columns string) (bool, error) {
	err := insert(ctx, tx, row, " ON CONFLICT ("+columns+") DO NOTHING")
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func insert(ctx context.Context, tx bun.Tx, row any, clause string) error {
	v := reflect.ValueOf(row).Elem()
	p := shapeOf(tx, v.Type())
	args := make([]any, 0, len(p.fields))
	for _, f := range p.fields {
		args = append(args, Value(f, v))
	}
	return QueryOne(ctx, tx, []any{p.id.Value(v).Addr().Interface()}, p.insert+clause+" RETURNING id", args...)
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
	s.insert = "INSERT INTO " + table.Name + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ") + ")"
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
	case reflect.Slice, reflect.Struct, reflect.Map:
		if own, ok := v.Interface().(driver.Valuer); ok { // a column of JSON; what it cannot write, bun could not either
			kept, err := own.Value()
			if err != nil {
				panic("database: " + f.Name + ": " + err.Error())
			}
			return kept
		}
		if v.Kind() == reflect.Slice { // json.RawMessage
			return string(v.Bytes())
		}
	}
	return v.Interface()
}

// marks puts moments into the form of the database.
func (k Kind) marks(args []any) []any {
	for i, a := range args {
		switch at := a.(type) {
		case *time.Time:
			if args[i] = nil; at != nil {
				args[i] = k.moment(*at)
			}
		case time.Time:
			args[i] = k.moment(at)
		}
	}
	return args
}

func (k Kind) moment(at time.Time) any {
	if k == SQLite {
		return at.UTC().Format(TimeForm)
	}
	return at.UTC()
}

func open(ctx context.Context, db bun.IDB, query string, args []any) (*sql.Rows, *bun.DB, error) {
	k := KindOf(db)
	_, span := statement(ctx, k, query) // the rows outlive it
	query, args = k.text(query), k.marks(args)
	switch x := db.(type) {
	case bun.Tx:
		rows, err := x.Tx.QueryContext(ctx, query, args...)
		span.End(err)
		return rows, scanners[k], err
	case *bun.DB:
		rows, err := x.DB.QueryContext(ctx, query, args...)
		span.End(err)
		return rows, x, err
	}
	panic("database: a query needs a pool or a transaction")
}

// scanners read rows into structs; they have no connection.
var scanners = map[Kind]*bun.DB{SQLite: bun.NewDB(nil, sqlitedialect.New()), Postgres: bun.NewDB(nil, pgdialect.New())}
