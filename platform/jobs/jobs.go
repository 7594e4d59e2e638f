// Package jobs is durable work after a commit: a job exists exactly if the change that asked for it does. It wraps River
// and is its only importer.
//
// A job may run more than once (a crash, a slow worker), so a worker calls an idempotent service method. Business facts
// never hang on a job's id: the row the job points at is the truth, the job only wakes somebody to look at it.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
	"github.com/uptrace/bun"

	"database/sql"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/tracing"
)

// Args are what a job carries: ids only. Kind is "module.verb", never renamed.
type Args interface {
	Kind() string
}

// The queues. Delivery is for calls to outside systems, Default for everything short. Partners have a queue of their own:
// theirs may all be slow at once, and nobody's code waits behind them.
const (
	Default  = "default"
	Delivery = "delivery"
	Push     = "push"
	// wakes is the scheduler's: what watches the other queues must not wait behind them.
	wakes = "wakes"
)

// Timeout is how long one run may take; a run that is still marked running after Rescue is given to another worker.
const (
	Timeout = 30 * time.Second
	Rescue  = 60 * time.Second
)

// Workers is the list of what this program can do; filled at wiring time.
type Workers struct {
	river *river.Workers
	kinds []string
}

// NewWorkers returns an empty list.
func NewWorkers() *Workers { return &Workers{river: river.NewWorkers()} }

// Kinds lists the registered kinds.
func (w *Workers) Kinds() []string { return append([]string(nil), w.kinds...) }

// Work registers fn for jobs with arguments of type T. An error makes the job run again later; Cancel ends it.
func Work[T Args](w *Workers, fn func(ctx context.Context, args T) error) {
	var zero T
	w.kinds = append(w.kinds, zero.Kind())
	river.AddWorker(w.river, &worker[T]{fn: fn})
}

// Cancel marks err as one that trying again cannot mend.
func Cancel(err error) error { return river.JobCancel(err) }

// Snooze makes the job run again after d without counting an attempt.
func Snooze(d time.Duration) error { return river.JobSnooze(d) }

type worker[T Args] struct {
	river.WorkerDefaults[T]

	fn func(ctx context.Context, args T) error
}

// Work runs the function.
func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) (err error) {
	ctx, span := tracing.Work(ctx, "job "+job.Kind)
	defer func() { span.End(err) }()
	return w.fn(ctx, job.Args)
}

// Option changes how a job is inserted.
type Option func(*river.InsertOpts)

// On puts the job on a queue.
func On(queue string) Option { return func(o *river.InsertOpts) { o.Queue = queue } }

// At delays the job.
func At(t time.Time) Option { return func(o *river.InsertOpts) { o.ScheduledAt = t } }

// Queue inserts jobs and, when Run, works them.
type Queue struct {
	db     *database.DB
	client *river.Client[*sql.Tx]
	bell   *bell
	log    *slog.Logger
	close  func()
}

// New makes the queue of one process. With workers nil it only inserts.
func New(ctx context.Context, db *database.DB, workers *Workers, log *slog.Logger) (*Queue, error) {
	cfg := &river.Config{Logger: slog.New(quiet{log.Handler()}), JobTimeout: Timeout, RescueStuckJobsAfter: Rescue}
	if workers != nil {
		cfg.Workers = workers.river
		// The two cooldowns: without them a notification within 100 ms of another is dropped until the next poll.
		cfg.FetchCooldown = time.Millisecond
		cfg.FetchPollInterval = time.Second
		cfg.Queues = map[string]river.QueueConfig{
			Default:  {MaxWorkers: 20, FetchCooldown: 20 * time.Millisecond},
			Delivery: {MaxWorkers: 20, FetchCooldown: 20 * time.Millisecond},
			Push:     {MaxWorkers: 24, FetchCooldown: 20 * time.Millisecond},
			wakes:    {MaxWorkers: 4, FetchCooldown: 20 * time.Millisecond},
		}
	}
	d, b, closeDriver, err := newDriver(ctx, db)
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient[*sql.Tx](d, cfg)
	if err != nil {
		closeDriver()
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return &Queue{db: db, client: client, bell: b, log: log, close: closeDriver}, nil
}

// quiet keeps what the queue says about itself every few seconds out of the log; warnings and errors pass.
type quiet struct{ slog.Handler }

// Enabled reports whether the level is worth a line.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

// WithAttrs and WithGroup stay quiet.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup is WithAttrs for a group.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }

// Insert adds the job to the transaction and wakes a worker once it is committed.
func (q *Queue) Insert(ctx context.Context, tx bun.Tx, args Args, options ...Option) error {
	opts := &river.InsertOpts{Queue: Default}
	for _, o := range options {
		o(opts)
	}
	if _, err := q.client.InsertTx(ctx, tx.Tx, args, opts); err != nil {
		return fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	if q.bell != nil && opts.ScheduledAt.IsZero() {
		database.AfterCommit(tx, func() { q.bell.ring(opts.Queue) })
	}
	return nil
}

// SetBack is told that the clock was set back to now: what was to run by the time of before runs now, and what a process that
// died was working then is given to another as soon as any. What was asked for before the clock was set forward keeps its time.
func (q *Queue) SetBack(ctx context.Context, now time.Time) error {
	var at any = now
	if q.db.Kind() == database.SQLite {
		at = now.UTC().Format("2006-01-02 15:04:05.000") // as River writes it
	}
	err := q.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw(`UPDATE river_job SET scheduled_at = ?0 WHERE state IN ('available', 'scheduled', 'retryable') AND scheduled_at > ?0
			AND (created_at > ?0 OR attempted_at > ?0)`, at).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw("UPDATE river_job SET attempted_at = ?0 WHERE state = 'running' AND attempted_at > ?0", at).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("jobs after the clock was set back: %w", err)
	}
	return nil
}

// Close gives back what New opened; for a queue that is never Run.
func (q *Queue) Close() { q.close() }

// Run works the queues until ctx ends, then lets running jobs finish for up to ten seconds. It begins as soon as the
// database can be written.
func (q *Queue) Run(ctx context.Context) error {
	defer q.close()
	start := func(ctx context.Context) error {
		return q.client.Start(database.Background(context.WithoutCancel(ctx)))
	}
	if err := database.Outlast(ctx, q.log, start); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := q.client.Stop(stop); err != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := q.client.StopAndCancel(hard); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("stop jobs: %w", err)
		}
	}
	return nil
}

// Failed tells whether err ended a job for good; for tests of workers.
func Failed(err error) bool {
	var c *rivertype.JobCancelError
	return errors.As(err, &c)
}

var _ riverdriver.Driver[*sql.Tx] = (*sqliteDriver)(nil)
var _ riverdriver.Driver[*sql.Tx] = (*postgresDriver)(nil)
