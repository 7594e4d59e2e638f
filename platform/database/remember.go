package database

import (
	"context"
	"database/sql/driver"
	"fmt"

	"modernc.org/sqlite"
)

// The embedded database parses a statement each time it is asked, unless it is kept prepared: up to a third of a request's
// time. remembering opens connections that keep every statement that comes with arguments; what comes without has its
// values in the text, as bun's have, and is not seen again.
type remembering struct{ driver.Connector }

// rememberedStatements bounds what one connection keeps. The program asks a few hundred.
const rememberedStatements = 500

func remember(dsn string) (driver.Connector, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return remembering{c}, nil
}

// Connect opens a connection.
func (r remembering) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &rememberingConn{sqliteConn: c.(sqliteConn), kept: map[string]*keptStatement{}}, nil
}

// sqliteConn is what database/sql asks of a connection of the driver.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// rememberingConn is used by one goroutine at a time, as database/sql promises.
type rememberingConn struct {
	sqliteConn

	kept map[string]*keptStatement
}

// keptStatement is a prepared statement. Busy means that its rows are still being read.
type keptStatement struct {
	driver.Stmt

	busy bool
}

// statement returns the kept statement of the text, nil when it must be asked without one.
func (c *rememberingConn) statement(ctx context.Context, query string, args int) (*keptStatement, error) {
	if args == 0 {
		return nil, nil
	}
	if s, ok := c.kept[query]; ok {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	if len(c.kept) >= rememberedStatements {
		for text, s := range c.kept {
			if !s.busy {
				delete(c.kept, text)
				_ = s.Close()
			}
		}
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &keptStatement{Stmt: prepared}
	c.kept[query] = s
	return s, nil
}

// ExecContext runs a statement that gives no rows.
func (c *rememberingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query, len(args))
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext runs a statement that gives rows.
func (c *rememberingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query, len(args))
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &keptRows{sqliteRows: rows.(sqliteRows), of: s}, nil
}

// Close gives the statements back before the connection.
func (c *rememberingConn) Close() error {
	for _, s := range c.kept {
		_ = s.Close()
	}
	clear(c.kept)
	return c.sqliteConn.Close()
}

// sqliteRows is what database/sql asks of rows of the driver.
type sqliteRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

type keptRows struct {
	sqliteRows

	of *keptStatement
}

// Close makes the statement free for the next who asks.
func (r *keptRows) Close() error {
	r.of.busy = false
	return r.sqliteRows.Close()
}
