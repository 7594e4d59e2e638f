package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// lock is held by one process of the installation. On PostgreSQL it belongs to a connection, and what the holder does
// runs on that connection: a process that lost it cannot write any more. On SQLite there is one process.
type lock struct {
	db   *database.DB
	id   database.Lock
	conn *bun.Conn
}

// hold takes the lock, or reports false when another process has it. A holder keeps it until release.
func (l *lock) hold(ctx context.Context) (bool, error) {
	if l.db.Kind() == database.SQLite || l.conn != nil {
		return true, nil
	}
	conn, err := l.db.Writer().Conn(ctx)
	if err != nil {
		return false, err
	}
	held := false
	err = conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock(?)", l.id).Scan(&held)
	if err == nil && held {
		// A machine that vanishes without a word frees the lock within half a minute, not after the two hours of the system.
		for _, s := range []string{"tcp_keepalives_idle = 10", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 3"} {
			if _, err = conn.ExecContext(ctx, "SET "+s); err != nil {
				break
			}
		}
		l.conn = &conn
	}
	if err != nil || !held {
		l.conn = nil
		_ = conn.Close()
	}
	return held && err == nil, err
}

// release gives the lock back. After an error the holder releases, since it cannot know what became of its connection.
func (l *lock) release() {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	for _, s := range []string{"SELECT pg_advisory_unlock_all()", "RESET ALL", "SET timezone = 'UTC'"} {
		if _, err := l.conn.ExecContext(ctx, s); err != nil {
			// not fit for the pool: the connection is broken, and the lock with it
			_ = l.conn.Raw(func(any) error { return errBroken })
			break
		}
	}
	_ = l.conn.Close()
	l.conn = nil
}

// read is where the holder reads: its own connection, so that it notices when it lost the lock.
func (l *lock) read() bun.IDB {
	if l.conn != nil {
		return *l.conn
	}
	return l.db.Read()
}

// run is RunInTx on the connection of the lock.
func (l *lock) run(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	if l.conn == nil {
		return l.db.RunInTx(ctx, fn)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	tx, err := l.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(ctx, tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
