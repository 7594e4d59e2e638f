package database_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

// TestBackgroundLeavesRoom: work that nobody waits for, all of it stuck behind one lock, keeps nobody from writing.
func TestBackgroundLeavesRoom(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, steps)
	if db.Kind() != database.Postgres {
		t.Skip("the embedded database has one writer, and nothing waits within it")
	}
	release, held := make(chan struct{}), make(chan struct{})
	var stuck, done sync.WaitGroup
	done.Go(func() {
		err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(7)")
			close(held)
			<-release
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	var waiting atomic.Int32
	for range 40 {
		done.Add(1)
		stuck.Go(func() {
			defer done.Done()
			err := db.RunInTx(database.Background(ctx), func(ctx context.Context, tx bun.Tx) error {
				waiting.Add(1)
				_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(7)")
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for waiting.Load() < 6 {
		time.Sleep(time.Millisecond)
	}
	for i := range 20 {
		if err := db.RunInTx(ctx, insert(fmt.Sprint("有人等着", i))); err != nil {
			t.Fatal(err)
		}
	}
	if n := waiting.Load(); n != 6 {
		t.Errorf("%d transactions of the background at once, want 6 of 12 lines", n)
	}
	close(release)
	done.Wait()
}

// TestWritersTakeTurns: who asks for a line first gets it first. A pool gives it to anybody, so that of many some wait past
// their deadline.
func TestWritersTakeTurns(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, steps)
	if db.Kind() != database.Postgres {
		t.Skip("the embedded database has one writer")
	}
	release := make(chan struct{})
	var inside, all sync.WaitGroup
	for range 12 {
		inside.Add(1)
		all.Go(func() {
			_ = db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				inside.Done()
				<-release
				return nil
			})
		})
	}
	inside.Wait()
	var mu sync.Mutex
	var order []int
	for i := range 200 {
		all.Go(func() {
			_ = db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				return nil
			})
		})
		time.Sleep(time.Millisecond) // it asks before the next one
	}
	close(release)
	all.Wait()
	if len(order) != 200 {
		t.Fatalf("%d of 200 ran", len(order))
	}
	// Twelve run at once and overtake each other: what tells turns from luck is how the first twenty fared together.
	sum := 0
	for at, i := range order {
		if i < 20 {
			sum += at
		}
	}
	if mean := sum / 20; mean > 70 {
		t.Errorf("the first 20 of 200 came as number %d on the average", mean)
	}
}
