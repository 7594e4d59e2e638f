package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/jobs"
)

type tickArgs struct {
	N int `json:"n"`
}

// Kind names the job.
func (tickArgs) Kind() string { return "bench.tick" }

// jobStart commits lone jobs with pauses between, to a queue as the server runs it, in a database beside the data set, and
// measures from the commit to the start of the job.
func jobStart(ctx context.Context, e *env) error {
	dir, err := os.MkdirTemp("", "huiqi-jobs-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	target := e.data.database
	if target == "" {
		target = filepath.Join(dir, "jobs.db")
	}
	db, err := database.Open(ctx, target)
	if err != nil {
		return err
	}
	defer db.Close()
	if e.data.database == "" {
		if err := database.Migrate(ctx, db, jobs.Migrations); err != nil {
			return err
		}
	} else {
		e.ours.stop() // its workers would take the jobs
		defer func() { e.ours, _ = startOurs(e.data) }()
	}
	w := jobs.NewWorkers()
	began := make(chan time.Time, 1)
	jobs.Work(w, func(context.Context, tickArgs) error {
		began <- time.Now()
		return nil
	})
	q, err := jobs.New(ctx, db, w, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- q.Run(running) }()
	time.Sleep(2 * time.Second)
	var waits []float64
	for n := range 200 {
		if err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return q.Insert(ctx, tx, tickArgs{n}) }); err != nil {
			return err
		}
		committed := time.Now()
		waits = append(waits, max(0, float64((<-began).Sub(committed).Microseconds())/1000))
		time.Sleep(60 * time.Millisecond)
	}
	stop()
	<-ended
	slices.Sort(waits)
	f := e.figure("job_start", "ms from commit to start, p95")
	f.Value, f.P50, f.P95, f.P99 = waits[189], waits[99], waits[189], waits[197]
	emit(f)
	return nil
}
