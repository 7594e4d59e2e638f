package database

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/uptrace/bun"
)

// A commit that fails must be told to every caller whose closure was in the batch, and nothing of it may stay.
func TestFailedCommitReachesEveryCaller(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, err := Open(ctx, filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.writer.ExecContext(ctx, "CREATE TABLE n (id integer)"); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk on fire")
	db.group.failing = func() error { return full }
	var wg sync.WaitGroup
	for range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				AfterCommit(tx, func() { t.Error("hook ran although nothing was committed") })
				_, err := tx.ExecContext(ctx, "INSERT INTO n VALUES (1)")
				return err
			})
			if !errors.Is(err, full) {
				t.Errorf("got %v", err)
			}
		}()
	}
	wg.Wait()
	var n int
	if err := db.reader.QueryRowContext(ctx, "SELECT count(*) FROM n").Scan(&n); err != nil || n != 0 {
		t.Fatalf("rows %d, err %v", n, err)
	}
}
