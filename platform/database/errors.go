package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/huiqi/huiqi/platform/fault"
)

// SQLite result codes, https://www.sqlite.org/rescode.html.
const (
	sqliteBusy             = 5
	sqliteFull             = 13
	sqliteReadOnly         = 8
	sqliteIOErr            = 10
	sqliteCorrupt          = 11 // also what a read says to which the disk answered EIO
	sqliteCantOpen         = 14
	sqliteShmSize          = 4874 // the write-ahead log's index could not grow
	sqliteConstraintUnique = 2067
	sqliteConstraintPK     = 1555
)

// IsDuplicate reports whether err says that a unique index refused the row.
func IsDuplicate(err error) bool {
	var s *sqlite.Error
	if errors.As(err, &s) {
		return s.Code() == sqliteConstraintUnique || s.Code() == sqliteConstraintPK
	}
	var p *pgconn.PgError
	return errors.As(err, &p) && p.Code == "23505"
}

func retryable(err error) bool {
	var p *pgconn.PgError
	return errors.As(err, &p) && (p.Code == "40001" || p.Code == "40P01")
}

// Classify gives an unreachable or full database a message a person can act on and leaves every other error alone. RunInTx
// does it by itself; what was read is classified at the edge.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	var s *sqlite.Error
	if errors.As(err, &s) {
		if s.Code() == sqliteShmSize {
			return ErrStorageFull.Wrap(err)
		}
		switch s.Code() & 0xff {
		case sqliteFull:
			return ErrStorageFull.Wrap(err)
		case sqliteReadOnly, sqliteIOErr, sqliteCorrupt, sqliteCantOpen:
			return ErrStorage.Wrap(err)
		case sqliteBusy:
			return ErrBusy.Wrap(err)
		}
		return err
	}
	var p *pgconn.PgError
	if errors.As(err, &p) {
		switch {
		case p.Code == "53100":
			return ErrStorageFull.Wrap(err)
		case strings.HasPrefix(p.Code, "57") || strings.HasPrefix(p.Code, "53") || retryable(err):
			return ErrBusy.Wrap(err)
		}
		return err
	}
	if lost(err) || errors.Is(err, context.DeadlineExceeded) {
		return ErrBusy.Wrap(err)
	}
	return err
}

// lost reports that the line to PostgreSQL broke or could not be made. Of a statement before the commit it means that nothing
// was done.
func lost(err error) bool {
	if _, ok := fault.As(err); ok || err == nil {
		return false
	}
	var n net.Error
	var c *pgconn.ConnectError
	return errors.As(err, &n) || errors.As(err, &c) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}
