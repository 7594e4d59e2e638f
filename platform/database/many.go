package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/uptrace/bun"
)

// manyRows are how many rows one statement of InsertMany adds: three fixed texts for each table, each prepared once, instead
// of one for each length of a list.
var manyRows = []int{64, 8, 1}

// InsertMany adds rows of one table; their ids are given by the database where the primary key is named id. tail stands
// behind the values, as "ON CONFLICT (code) DO NOTHING RETURNING id, code", and returned, when not nil, scans each row the
// statement gives back. The order in which rows come back is the database's own.
func InsertMany[T any](ctx context.Context, tx bun.Tx, rows []T, tail string, returned func(*sql.Rows) error) error {
	if len(rows) == 0 {
		return nil
	}
	p := shapeOf(tx, reflect.TypeFor[T]())
	head, values, _ := strings.Cut(p.insert, " VALUES ")
	if tail != "" {
		tail = " " + tail
	}
	for _, n := range manyRows {
		query := head + " VALUES " + strings.TrimSuffix(strings.Repeat(values+", ", n), ", ") + tail
		for len(rows) >= n {
			args := make([]any, 0, n*len(p.fields))
			for _, row := range rows[:n] {
				v := reflect.ValueOf(&row).Elem()
				for _, f := range p.fields {
					args = append(args, Value(f, v))
				}
			}
			rows = rows[n:]
			if returned == nil {
				if _, err := Run(ctx, tx, query, args...); err != nil {
					return err
				}
				continue
			}
			if err := Each(ctx, tx, returned, query, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// List is a relation with the column value, for a query of fixed text: FROM List(db) CROSS JOIN table WHERE column = list.value.
// Its argument is what Texts returns. On the embedded database it costs a fraction of IN with as many marks, for which a
// table is made and thrown away each time.
func List(db bun.IDB) string {
	if KindOf(db) == Postgres {
		return "json_array_elements_text(CAST(? AS json)) AS list(value)"
	}
	return "json_each(?) AS list"
}

// Texts are the argument of List.
func Texts(list []string) string {
	raw, err := json.Marshal(list)
	if err != nil {
		panic(err) // texts always encode
	}
	return string(raw)
}
