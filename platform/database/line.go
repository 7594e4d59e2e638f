package database

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// lines opens lines to PostgreSQL.
func lines(cfg pgx.ConnConfig) *sql.DB { return sql.OpenDB(connector{stdlib.GetConnector(cfg)}) }

type connector struct{ driver.Connector }

// Connect opens a line.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return line{opened.(*conn)}, nil
}

// line sends a query that has its values in its text in one go. Such a text never comes again: to prepare it first costs a
// second round trip, and its place among the prepared ones a third to give another's up.
type line struct{ *conn }

// conn is embedded under a name of its own: under its own it would hide its method Conn.
type conn = stdlib.Conn

// QueryContext runs the query.
func (l line) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 0 {
		args = []driver.NamedValue{{Ordinal: 1, Value: pgx.QueryExecModeExec}}
	}
	return l.conn.QueryContext(ctx, query, args)
}
