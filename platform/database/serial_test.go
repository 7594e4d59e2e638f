package database_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

// TestNumbersOfADay draws numbers from many hands at once, some of whom undo what they do: none is given twice, a day that
// was counted before goes on behind its last, and whoever drew keeps nobody waiting.
func TestNumbersOfADay(t *testing.T) {
	t.Parallel()
	db, ctx := databasetest.New(t, []database.Migration{{ID: "20260101000000_numbers", Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.Exec(ctx, tx, "CREATE TABLE days (day TEXT PRIMARY KEY, last BIGINT NOT NULL)", "INSERT INTO days (day, last) VALUES ('20260101', 41)"); err != nil {
			return err
		}
		return database.SerialSteps(ctx, tx, "days")
	}}}), context.Background()
	draw := func(day string) (n int64) {
		t.Helper()
		if err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
			n, err = database.NextOfDay(ctx, tx, "days", day)
			return err
		}); err != nil {
			t.Error(err)
		}
		return n
	}
	if n := draw("20260101"); n != 42 {
		t.Errorf("a day counted to 41 goes on with %d", n)
	}
	var mu sync.Mutex
	var got []int64
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if i%4 == 0 {
				_ = db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
					_, err := database.NextOfDay(ctx, tx, "days", "20260102")
					if err != nil {
						t.Error(err)
					}
					return context.Canceled
				})
				return
			}
			n := draw("20260102")
			mu.Lock()
			got = append(got, n)
			mu.Unlock()
		})
	}
	all.Wait()
	slices.Sort(got)
	// Who begins the day at the same moment as another draws once in vain.
	if len(slices.Compact(slices.Clone(got))) != 30 || got[0] < 1 || got[29] > 81 {
		t.Errorf("numbers of a new day: %v", got)
	}
	if n := draw("20260101"); n < 43 {
		t.Errorf("the day before is given %d again", n)
	}
	if db.Kind() != database.Postgres {
		return
	}
	err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := database.NextOfDay(ctx, tx, "days", "20260102"); err != nil {
			return err
		}
		draw("20260102") // would wait for this transaction until the deadline
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
