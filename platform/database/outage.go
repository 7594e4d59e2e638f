package database

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// How the watcher looks: often enough that people wait three seconds at most for an answer while PostgreSQL is gone, and
// seldom enough to cost nothing.
const (
	watchEvery  = time.Second
	watchAnswer = 2 * time.Second
)

// watcher asks PostgreSQL on a connection of its own whether it still answers. While it does not, whoever works with it is
// told at once instead of waiting: a server that was stopped in its tracks keeps its connections open and says nothing.
type watcher struct {
	stop context.CancelFunc
	done chan struct{}

	mu  sync.Mutex
	up  context.Context // ends, with ErrBusy, when PostgreSQL stops answering
	end context.CancelCauseFunc
}

func watch(cfg *pgx.ConnConfig) *watcher {
	ctx, stop := context.WithCancel(context.Background())
	w := &watcher{stop: stop, done: make(chan struct{})}
	w.up, w.end = context.WithCancelCause(context.Background())
	go w.run(ctx, cfg)
	return w
}

func (w *watcher) run(ctx context.Context, cfg *pgx.ConnConfig) {
	defer close(w.done)
	var conn *pgx.Conn
	drop := func() {
		if conn != nil {
			late, cancel := context.WithTimeout(context.Background(), time.Second)
			_ = conn.Close(late)
			cancel()
			conn = nil
		}
	}
	defer drop()
	ask := func() error {
		asked, cancel := context.WithTimeout(ctx, watchAnswer)
		defer cancel()
		if conn == nil {
			c, err := pgx.ConnectConfig(asked, cfg.Copy())
			if err != nil {
				return err
			}
			conn = c
		}
		return conn.Ping(asked)
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		err := ask()
		if ctx.Err() != nil {
			return
		}
		if err != nil && conn != nil { // a connection that was closed on purpose tells nothing; a new one does
			drop()
			err = ask()
		}
		if ctx.Err() != nil {
			return
		}
		w.note(err)
		if err != nil {
			drop()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// note begins or ends an outage.
func (w *watcher) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	down := w.up.Err() != nil
	switch {
	case err != nil && !down:
		w.end(ErrBusy.Wrap(err))
	case err == nil && down:
		w.up, w.end = context.WithCancelCause(context.Background())
	}
}

func (w *watcher) close() {
	w.stop()
	<-w.done
	w.end(nil)
}

// Bound returns a context that ends with ErrBusy as its cause as soon as the database stops answering, at once while it
// does not answer, and the function that gives its means back. The embedded database is never away.
func (db *DB) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if db.watcher == nil {
		return ctx, func() {}
	}
	db.watcher.mu.Lock()
	up := db.watcher.up
	db.watcher.mu.Unlock()
	bound, cancel := context.WithCancelCause(ctx)
	forget := context.AfterFunc(up, func() { cancel(context.Cause(up)) })
	return bound, func() {
		forget()
		cancel(context.Canceled)
	}
}
