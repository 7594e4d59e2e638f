package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

type remind struct {
	ID int64 `json:"id"`
}

func (remind) Kind() string { return "test.remind" }

func TestJobRunsExactlyIfCommitted(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, jobs.Migrations)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan int64, 10)
	failed := false
	w := jobs.NewWorkers()
	jobs.Work(w, func(_ context.Context, a remind) error {
		if a.ID == 3 && !failed {
			failed = true
			return jobs.Snooze(time.Millisecond)
		}
		ran <- a.ID
		if a.ID == 2 {
			return jobs.Cancel(errors.New("never again"))
		}
		return nil
	})
	q, err := jobs.New(ctx, db, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	err = db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := q.Insert(ctx, tx, remind{ID: 99}); err != nil {
			return err
		}
		return fault.ErrChanged
	})
	if !errors.Is(err, fault.ErrChanged) {
		t.Fatal(err)
	}
	for id := int64(1); id <= 3; id++ {
		err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			return q.Insert(ctx, tx, remind{ID: id}, jobs.On(jobs.Delivery))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int64]int{}
	for range 3 {
		select {
		case id := <-ran:
			seen[id]++
		case <-time.After(20 * time.Second):
			t.Fatalf("jobs did not run; seen %v", seen)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if seen[1] != 1 || seen[2] != 1 || seen[3] != 1 {
		t.Fatalf("seen %v", seen)
	}
}
