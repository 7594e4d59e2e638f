package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/jobs"
)

type fragile struct {
	ID int64 `json:"id"`
}

func (fragile) Kind() string { return "test.fragile" }

// TestWorkThatFailedIsListedRetriedAndDropped looks at a queue the way a person on duty does.
func TestWorkThatFailedIsListedRetriedAndDropped(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, jobs.Migrations)
	ctx, cancel := context.WithCancel(context.Background())
	var broken atomic.Bool
	broken.Store(true)
	var done atomic.Int64
	w := jobs.NewWorkers()
	jobs.Work(w, func(_ context.Context, a fragile) error {
		if broken.Load() {
			return errors.New("对方没有应答")
		}
		done.Add(1)
		return nil
	})
	q, err := jobs.New(ctx, db, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	// Nobody works yet: what is inserted waits.
	for id := range int64(3) {
		if err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return q.Insert(ctx, tx, fragile{ID: id + 1}) }); err != nil {
			t.Fatal(err)
		}
	}
	counts, err := q.Counts(ctx)
	if err != nil || len(counts) != 1 || counts[0].Waiting != 3 || counts[0].Oldest == nil || counts[0].Queue != jobs.Default {
		t.Fatalf("%+v, %v", counts, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	var failed []jobs.Job
	until(t, "all three failed", func() bool {
		failed, err = q.Failed(ctx, jobs.JobFilter{State: jobs.JobRetrying, Limit: 10})
		return err == nil && len(failed) == 3
	})
	if failed[0].Error != "对方没有应答" || failed[0].Args != `{"id":3}` && failed[0].Args != `{"id": 3}` || failed[0].ID < failed[1].ID {
		t.Fatalf("%+v", failed[0])
	}
	rest, err := q.Failed(ctx, jobs.JobFilter{Kind: "test.fragile", Before: failed[0].ID, Limit: 10})
	if err != nil || len(rest) != 2 {
		t.Fatalf("the next page has %d, %v", len(rest), err)
	}
	if other, err := q.Failed(ctx, jobs.JobFilter{Kind: "test.other", Limit: 10}); err != nil || len(other) != 0 {
		t.Fatalf("%+v, %v", other, err)
	}
	// One that is dead for good, as after its last attempt.
	if err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := "CURRENT_TIMESTAMP"
		if db.Kind() == database.Postgres {
			now = "now()"
		}
		_, err := tx.NewRaw("UPDATE river_job SET state = 'discarded', finalized_at = "+now+" WHERE id = ?", failed[2].ID).Exec(ctx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if counts, err = q.Counts(ctx); err != nil || counts[0].Dead != 1 || counts[0].Retrying != 2 {
		t.Fatalf("%+v, %v", counts, err)
	}
	broken.Store(false)
	act := func(f func(ctx context.Context, tx bun.Tx, id int64) (jobs.Job, error), id int64) error {
		return db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := f(ctx, tx, id)
			return err
		})
	}
	if err := act(q.DropJob, failed[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := act(q.RetryJob, failed[0].ID); !errors.Is(err, jobs.ErrNoJob) {
		t.Errorf("retrying what was given up: %v", err)
	}
	for _, j := range failed[1:] {
		if err := act(q.RetryJob, j.ID); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "both were worked", func() bool {
		left, err := q.Failed(ctx, jobs.JobFilter{Limit: 10})
		return err == nil && len(left) == 0 && done.Load() == 2
	})
	until(t, "the books say so", func() bool { return errors.Is(act(q.RetryJob, failed[1].ID), jobs.ErrJobSolved) })
}
