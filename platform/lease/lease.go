// Package lease lets work that takes minutes be done by one worker at a time, and be taken over when its worker dies. The
// work is a row of a table of the module's own that embeds Columns; its worker holds it for a while and says again and
// again that it is alive. Every claim has a fence, a number that only grows: a worker that was thought dead and wakes up
// finds its fence outdated, and what it writes is refused.
package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

// Columns are embedded by the row of a piece of work.
type Columns struct {
	// Due says that work waits or goes on. The module sets it with the change that asks for work and clears it in the
	// transaction that ends it.
	Due        bool       `bun:"due,notnull"`
	Fence      int64      `bun:"fence,notnull"`
	Attempts   int        `bun:"attempts,notnull"` // claims since the work was last asked for
	LeaseUntil *time.Time `bun:"lease_until"`
}

// Ask is what the columns are when work is asked for: free for the next worker, and closed to one that still writes what was
// asked for before.
func (c *Columns) Ask() { c.Due, c.Attempts, c.LeaseUntil, c.Fence = true, 0, nil, c.Fence+1 }

// Claim is one worker's hold on a row.
type Claim struct {
	ID       int64
	Fence    int64
	Attempts int // 1 for the first worker
}

// ErrLost is returned when the work is not the worker's any more: it was cancelled, or another worker took it.
var ErrLost = errors.New("lease: the work is not ours any more")

// Table is where work lies.
type Table struct {
	DB    *database.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Name is the table.
	Name string
	// Workers is how many rows are worked at once in this process; 0 is 1.
	Workers int
	// Term is how long a worker that says nothing counts as alive, 0 is 45 s. Poll is how often work nobody called for is
	// looked for, 0 is 10 s. A dead worker's row is taken over within the two together.
	Term, Poll time.Duration

	once sync.Once
	bell chan struct{}
}

func (t *Table) term() time.Duration {
	if t.Term > 0 {
		return t.Term
	}
	return 45 * time.Second
}

func (t *Table) wake() chan struct{} {
	t.once.Do(func() { t.bell = make(chan struct{}, 1) })
	return t.bell
}

// Wake has an idle worker of this process look for work now.
func (t *Table) Wake() {
	select {
	case t.wake() <- struct{}{}:
	default:
	}
}

// longestWait is the most that a row waits after an attempt that failed.
const longestWait = time.Minute

// Take claims the row that has waited longest; false when none waits.
func (t *Table) Take(ctx context.Context) (Claim, bool, error) {
	now := t.Clock.Now()
	// What is held or waits for longer than anything may is so by a clock that was set back since.
	free, never := "due AND (lease_until IS NULL OR lease_until <= ? OR lease_until > ?)", now.Add(t.term()+2*longestWait)
	waits, err := t.DB.Read().NewSelect().TableExpr("?", bun.Ident(t.Name)).ColumnExpr("1").Where(free, now, never).Exists(ctx)
	if err != nil || !waits {
		return Claim{}, false, err
	}
	var c Claim
	found := false
	err = t.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		found = false
		lock := ""
		if database.KindOf(tx) == database.Postgres {
			lock = " FOR UPDATE SKIP LOCKED"
		}
		var rows []Claim
		err := tx.NewRaw("UPDATE ? SET fence = fence + 1, attempts = attempts + 1, lease_until = ? WHERE id = (SELECT id FROM ? WHERE "+free+
			" ORDER BY id LIMIT 1"+lock+") RETURNING id, fence, attempts", bun.Ident(t.Name), now.Add(t.term()), bun.Ident(t.Name), now, never).Scan(ctx, &rows)
		if err == nil && len(rows) == 1 {
			c, found = rows[0], true
		}
		return err
	})
	if err != nil {
		return Claim{}, false, fmt.Errorf("take work of %s: %w", t.Name, err)
	}
	return c, found, nil
}

// Hold says within tx that the worker is alive. It returns ErrLost when the row is not the worker's any more: then nothing
// of the transaction may be kept.
func (t *Table) Hold(ctx context.Context, tx bun.Tx, c Claim) error {
	res, err := tx.NewRaw("UPDATE ? SET lease_until = ? WHERE id = ? AND fence = ? AND due", bun.Ident(t.Name), t.Clock.Now().Add(t.term()), c.ID, c.Fence).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return ErrLost
	}
	return nil
}

// free lets the row go at the given time.
func (t *Table) free(ctx context.Context, c Claim, at time.Time, uncounted int) error {
	return t.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("UPDATE ? SET lease_until = ?, attempts = attempts - ? WHERE id = ? AND fence = ? AND due", bun.Ident(t.Name), at, uncounted, c.ID, c.Fence).Exec(ctx)
		return err
	})
}

// Run works what lies in the table until ctx ends. do ends a row by clearing due in a transaction that Holds; an error of
// it lets the row wait before it is claimed again. The context of do ends when the work is lost, and when the process
// ends, which lets another one go on at once.
func (t *Table) Run(ctx context.Context, do func(ctx context.Context, c Claim) error) error {
	poll := t.Poll
	if poll <= 0 {
		poll = 10 * time.Second
	}
	if t.DB.Kind() == database.SQLite {
		// the only process there is has just begun: whoever held a row is dead
		err := t.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewRaw("UPDATE ? SET lease_until = NULL WHERE due", bun.Ident(t.Name)).Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("free the work of %s: %w", t.Name, err)
		}
	}
	var wg sync.WaitGroup
	for range max(1, t.Workers) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			tick := time.NewTicker(poll)
			defer tick.Stop()
			for {
				worked, err := t.Once(ctx, do)
				if err != nil && ctx.Err() == nil {
					t.Log.Error("long work", "table", t.Name, "error", err)
				}
				if worked && ctx.Err() == nil {
					continue
				}
				select {
				case <-ctx.Done():
					return
				case <-t.wake():
				case <-tick.C:
				}
			}
		}()
	}
	wg.Wait()
	return nil
}

// Once claims and works one row; false when none waited.
func (t *Table) Once(ctx context.Context, do func(ctx context.Context, c Claim) error) (bool, error) {
	c, ok, err := t.Take(ctx)
	if err != nil || !ok {
		return false, err
	}
	t.Wake() // another worker may find another row
	err = t.held(ctx, c, do)
	switch {
	case err == nil, errors.Is(err, ErrLost):
		return true, nil
	case ctx.Err() != nil:
		return true, t.free(context.WithoutCancel(ctx), c, t.Clock.Now(), 1)
	}
	wait := min(time.Duration(c.Attempts)*10*time.Second, longestWait)
	return true, errors.Join(fmt.Errorf("row %d, attempt %d: %w", c.ID, c.Attempts, err), t.free(ctx, c, t.Clock.Now().Add(wait), 0))
}

// held runs do while a heartbeat keeps the lease.
func (t *Table) held(ctx context.Context, c Claim, do func(ctx context.Context, c Claim) error) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		beat := time.NewTicker(t.term() / 4)
		defer beat.Stop()
		for {
			select {
			case <-done:
				return
			case <-beat.C:
				err := t.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return t.Hold(ctx, tx, c) })
				if errors.Is(err, ErrLost) {
					cancel(ErrLost)
					return
				}
			}
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		close(done)
		wg.Wait()
		if errors.Is(context.Cause(ctx), ErrLost) {
			err = ErrLost
		}
		cancel(nil)
	}()
	return do(ctx, c)
}
