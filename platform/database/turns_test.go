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
	for waiting.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	for i := range 20 {
		if err := db.RunInTx(ctx, insert(fmt.Sprint("有人等着", i))); err != nil {
			t.Fatal(err)
		}
	}
	if n := waiting.Load(); n != 3 {
		t.Errorf("%d transactions of the background at once, want 3 of 12 lines", n)
	}
	close(release)
	done.Wait()
}

// TestPeopleGoFirst: what nobody waits for, though it asked before, is done after those who wait for an answer, but for one with
// each commit of theirs.
func TestPeopleGoFirst(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, steps)
	if db.Kind() != database.SQLite {
		t.Skip("PostgreSQL has several lines: see TestOneOfTheBackgroundAmongMany")
	}
	const each = 30
	var all sync.WaitGroup
	release, held := make(chan struct{}), make(chan struct{})
	all.Go(func() {
		_ = db.RunInTx(ctx, func(context.Context, bun.Tx) error {
			close(held)
			<-release
			return nil
		})
	})
	<-held
	var order []string // written by one at a time
	ask := func(ctx context.Context, who string) {
		for i := range each {
			all.Go(func() {
				err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
					order = append(order, who)
					return insert(fmt.Sprint(who, i))(ctx, tx)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(50 * time.Millisecond) // they ask before the next
	}
	ask(database.Background(ctx), "后台")
	ask(ctx, "有人等着")
	close(release)
	all.Wait()
	last := len(order) - 1
	for ; order[last] == "后台"; last-- {
	}
	if before := last + 1 - each; len(order) != 2*each || before > each/2 {
		t.Errorf("%d of %d ran, %d of the background before the last who waited", len(order), 2*each, before)
	}
}

// TestOneOfTheBackgroundAmongMany: while many people write, one transaction that nobody waits for runs at a time.
func TestOneOfTheBackgroundAmongMany(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, steps)
	if db.Kind() != database.Postgres {
		t.Skip("the embedded database has one writer: see TestPeopleGoFirst")
	}
	var all, inside sync.WaitGroup
	release := make(chan struct{})
	for range 4 {
		inside.Add(1)
		all.Go(func() {
			_ = db.RunInTx(ctx, func(context.Context, bun.Tx) error {
				inside.Done()
				<-release
				return nil
			})
		})
	}
	inside.Wait()
	var now, most, ran atomic.Int32
	var later sync.WaitGroup
	for range 10 {
		later.Go(func() {
			err := db.RunInTx(database.Background(ctx), func(context.Context, bun.Tx) error {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(5 * time.Millisecond)
				now.Add(-1)
				ran.Add(1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	later.Wait()
	close(release)
	all.Wait()
	if most.Load() != 1 || ran.Load() != 10 {
		t.Errorf("%d of the background at once, %d of 10 ran", most.Load(), ran.Load())
	}
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
