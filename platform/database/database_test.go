package database_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
)

type note struct {
	bun.BaseModel `bun:"table:notes"`

	ID   int64  `bun:"id,pk,autoincrement"`
	Text string `bun:"text,notnull,unique"`
}

var steps = []database.Migration{{
	ID: "20261101000000_notes",
	Up: func(ctx context.Context, tx bun.Tx) error { return database.CreateTables(ctx, tx, (*note)(nil)) },
}}

func insert(text string) func(context.Context, bun.Tx) error {
	return func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&note{Text: text}).Exec(ctx)
		return err
	}
}

func count(t *testing.T, db *database.DB) int {
	t.Helper()
	n, err := db.Read().NewSelect().Model((*note)(nil)).Count(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func TestRunInTxKeepsOrUndoesWhole(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, steps)
	ctx := context.Background()
	if err := db.RunInTx(ctx, insert("甲")); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := insert("乙")(ctx, tx); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	err = db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := insert("丙")(ctx, tx); err != nil {
			return err
		}
		panic("bad")
	})
	if err == nil {
		t.Fatal("a panic must come back as an error")
	}
	if n := count(t, db); n != 1 {
		t.Fatalf("rows = %d, want 1", n)
	}
	if err := db.RunInTx(ctx, insert("甲")); !database.IsDuplicate(err) {
		t.Fatalf("want a duplicate error, got %v", err)
	}
}

func TestConcurrentWritersKeepTheirOwnOutcome(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, steps)
	ctx := context.Background()
	var wg sync.WaitGroup
	var woken, failed atomic.Int64
	for i := range 200 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				database.AfterCommit(tx, func() { woken.Add(1) })
				if err := insert(string(rune('一'+i)))(ctx, tx); err != nil {
					return err
				}
				if i%2 == 1 {
					return fault.ErrChanged
				}
				return nil
			})
			if errors.Is(err, fault.ErrChanged) {
				failed.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if err := db.RunInTx(ctx, insert("末")); err != nil { // hooks of the batch before have run by now
		t.Fatal(err)
	}
	if count(t, db) != 101 || failed.Load() != 100 || woken.Load() != 100 {
		t.Fatalf("rows %d, failed %d, woken %d; want 101, 100, 100", count(t, db), failed.Load(), woken.Load())
	}
}

func TestWriteAfterClientLeftStillCommits(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, steps)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := db.RunInTx(ctx, insert("甲")); err != nil {
		t.Fatal(err)
	}
	if count(t, db) != 1 {
		t.Fatal("the write was lost")
	}
}

func TestMigrateIsRepeatableAndRefusesNewer(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, steps)
	ctx := context.Background()
	if err := database.Migrate(ctx, db, steps); err != nil {
		t.Fatal(err)
	}
	bad := append(steps[:1:1], database.Migration{ID: "20261102000000_bad", Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.Exec(ctx, tx, "CREATE TABLE half (id integer)"); err != nil {
			return err
		}
		return errors.New("stop")
	}})
	if err := database.Migrate(ctx, db, bad); err == nil {
		t.Fatal("want the step's error")
	}
	if _, err := db.Read().ExecContext(ctx, "SELECT * FROM half"); err == nil {
		t.Fatal("a failed step left its table behind")
	}
	var newer database.ErrNewerSchema
	if err := database.Migrate(ctx, db, nil); !errors.As(err, &newer) {
		t.Fatalf("want ErrNewerSchema, got %v", err)
	}
}
