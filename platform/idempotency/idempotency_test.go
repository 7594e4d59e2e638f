package idempotency_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

func do(db *database.DB, key, request string, fn func() (int64, error)) (int64, error) {
	var out int64
	err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) (err error) {
		out, err = idempotency.Do(ctx, tx, idempotency.Command{
			Actor: access.Actor{UserID: 1}, Operation: "thing.open", Key: key, Request: request, Now: time.Unix(0, 0).UTC(),
		}, fn)
		return err
	})
	return out, err
}

func TestDoubleClickRunsOnce(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, idempotency.Migrations)
	var runs atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got, err := do(db, "k", "same", func() (int64, error) { runs.Add(1); return 42, nil })
			if err != nil || got != 42 {
				t.Errorf("got %d, %v", got, err)
			}
		}()
	}
	wg.Wait()
	if runs.Load() != 1 {
		t.Fatalf("ran %d times", runs.Load())
	}
	if _, err := do(db, "k", "other", nil); !errors.Is(err, idempotency.ErrKeyReused) {
		t.Fatalf("got %v", err)
	}
}

func TestFailedCommandMayBeRepeated(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, idempotency.Migrations)
	if _, err := do(db, "k", "a", func() (int64, error) { return 0, fault.ErrChanged }); !errors.Is(err, fault.ErrChanged) {
		t.Fatal(err)
	}
	if got, err := do(db, "k", "b", func() (int64, error) { return 5, nil }); err != nil || got != 5 {
		t.Fatalf("got %d, %v", got, err)
	}
}
