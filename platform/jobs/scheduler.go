package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
)

// Scheduler has the ticks of tasks worked, each once, whatever the number of processes that run one.
//
// gocron tells the time; at a tick a row of task_runs and a job are inserted together, and the unique index lets one
// process do so. The job only wakes somebody: who claims the row works it under a lease that is renewed while the process
// lives. A run whose lease ended is worked by another process; what the slow one still writes is refused by its claim. A
// task never overlaps itself, and of ticks that were missed only the latest is caught up.
type Scheduler struct {
	o     SchedulerOptions
	queue *Queue
	tasks []Task

	mu      sync.Mutex
	ctx     context.Context // of the process that works; nil before Run and after its end
	held    map[int64]bool  // the runs that this process works, which it never takes over from itself
	quiet   time.Time       // until when it offers no ticks, by the time that passes and not by the clock
	running sync.WaitGroup
}

// SchedulerOptions are what a scheduler needs.
type SchedulerOptions struct {
	DB    *database.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Process names this process in the history: host and process number.
	Process string
	// Lease is how long a run is left alone after its process was last heard of; 0 is 45 seconds. It is renewed four times
	// within itself, and what has no lease is looked for each ninth of it, so that a run is taken over within 90 seconds.
	Lease time.Duration
	// Alone says that no other process works: what is marked running when this one starts was left by one that died.
	Alone bool
}

// setBack is how far the clock must have been set back before ticks that were worked are worked again.
const setBack = 5 * time.Minute

// maxAttempts ends a run whose processes all died over it.
const maxAttempts = 5

// tidyTask keeps the history short.
const tidyTask = "jobs.tidy"

type wakeArgs struct {
	Run int64 `json:"run"`
}

// Kind is River's name of the job.
func (wakeArgs) Kind() string { return "task.wake" }

// NewScheduler returns a scheduler without tasks, and teaches workers to wake it.
func NewScheduler(o SchedulerOptions, workers *Workers) *Scheduler {
	if o.Lease == 0 {
		o.Lease = 45 * time.Second
	}
	s := &Scheduler{o: o, held: map[int64]bool{}}
	Work(workers, func(ctx context.Context, a wakeArgs) error { return s.start(ctx, a.Run) })
	return s
}

// Use gives the scheduler its queue and tasks, with one of its own that keeps the history short. It returns an error for
// a task that cannot be.
func (s *Scheduler) Use(queue *Queue, tasks ...Task) error {
	s.queue = queue
	s.tasks = append(slices.Clone(tasks), Task{Name: tidyTask, Title: "清理任务历史", Cron: "20 3 * * *", Run: s.tidy})
	names := map[string]bool{}
	for _, t := range s.tasks {
		if err := t.check(); err != nil {
			return err
		}
		if names[t.Name] {
			return fmt.Errorf("task %s: appears twice", t.Name)
		}
		names[t.Name] = true
	}
	return nil
}

// Run offers ticks and works runs until ctx ends; then it cancels what runs, waits for up to ten seconds, and gives back
// what did not finish.
func (s *Scheduler) Run(ctx context.Context) error {
	if s.o.Alone {
		if err := s.reclaim(ctx); err != nil {
			return fmt.Errorf("start tasks: %w", err)
		}
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s.mu.Lock()
	s.ctx = work
	s.mu.Unlock()
	ticker, err := s.ticker(ctx)
	if err != nil {
		return fmt.Errorf("start tasks: %w", err)
	}
	ticker.Start()
	<-ctx.Done()
	s.mu.Lock()
	s.ctx = nil
	s.mu.Unlock()
	if err := ticker.Shutdown(); err != nil { // an offer that waits for a busy database; nothing is lost, and it is no failed end
		s.o.Log.Warn("the clock of the tasks does not end", "error", err)
	}
	cancel()
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		s.o.Log.Warn("a task does not end; another process takes it over")
	}
	return nil
}

// ticker is gocron with a job for each task, and a round that finds what no tick brings: ticks that were missed, runs
// whose wake-up was lost, and runs whose process died.
func (s *Scheduler) ticker(ctx context.Context) (gocron.Scheduler, error) {
	g, err := gocron.NewScheduler(gocron.WithLocation(clock.Beijing), gocron.WithStopTimeout(5*time.Second))
	if err != nil {
		return nil, err
	}
	singleton := gocron.WithSingletonMode(gocron.LimitModeReschedule)
	say := func(what string, err error) {
		if err != nil && ctx.Err() == nil {
			s.o.Log.Error(what, "error", err)
		}
	}
	for _, t := range s.tasks {
		_, err := g.NewJob(gocron.CronJob(t.Name, false), gocron.NewTask(func() {
			say("offer task "+t.Name, s.offer(ctx, t))
		}), gocron.WithCronImplementation(ticks{t}), singleton)
		if err != nil {
			return nil, fmt.Errorf("task %s: %w", t.Name, err)
		}
	}
	_, err = g.NewJob(gocron.DurationJob(s.SweepEvery()), gocron.NewTask(func() { say("sweep tasks", s.Sweep(ctx)) }),
		gocron.WithStartAt(gocron.WithStartImmediately()), singleton)
	return g, err
}

// ticks lets gocron follow a task's own reckoning, which needs no zone database and is the same in every process.
type ticks struct{ task Task }

var _ gocron.Cron = ticks{}

// IsValid has nothing to say: tasks were checked.
func (ticks) IsValid(string, *time.Location, time.Time) error { return nil }

// Next returns the first tick after last.
func (t ticks) Next(last time.Time) time.Time { return t.task.Next(last) }

// SweepEvery is how often Run sweeps.
func (s *Scheduler) SweepEvery() time.Duration { return s.o.Lease / 9 }

// Sweep offers every tick that is due and works whatever waits or was left by a process that died. Run calls it; a test
// with its own clock may.
func (s *Scheduler) Sweep(ctx context.Context) error {
	var rows []taskRow
	if err := s.o.DB.Read().NewSelect().Model(&rows).Scan(ctx); err != nil {
		return err
	}
	now := s.o.Clock.Now()
	for _, t := range s.tasks {
		tick, ok := t.latest(now)
		if !ok {
			continue
		}
		i := slices.IndexFunc(rows, func(r taskRow) bool { return r.Name == t.Name })
		if i >= 0 && !rows[i].due(t, tick, now) {
			continue
		}
		if err := s.offer(ctx, t); err != nil {
			return fmt.Errorf("offer task %s: %w", t.Name, err)
		}
	}
	var ids []int64
	err := s.o.DB.Read().NewSelect().Model((*TaskRun)(nil)).Column("r.id").
		Where(s.free("r."), s.freeAt(now)...).
		OrderExpr("r.id").Limit(50).Scan(ctx, &ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.start(ctx, id); err != nil {
			return fmt.Errorf("start run %d: %w", id, err)
		}
	}
	return nil
}

// Hold has this process offer no ticks for a while, but those of tasks that are Always worked: the clock was set forward, and
// what is due by it may not be. Who is on duty can set it right meanwhile; a clock that is right goes on by itself. What a
// person starts is started, and another process goes by its own clock.
func (s *Scheduler) Hold(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quiet = time.Now().Add(d)
}

func (s *Scheduler) holds(t Task) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !t.Always && time.Now().Before(s.quiet)
}

// due reports whether the tick is still to be offered.
func (r taskRow) due(t Task, tick, now time.Time) bool {
	if r.PausedAt != nil || tick.Before(r.Since) && r.Since.Sub(now) <= setBack {
		return false
	}
	return r.LastTick == nil || tick.After(*r.LastTick) || r.wasSetBack(t, tick, now)
}

// wasSetBack reports whether the clock was set back so far that the task would pause for it: an interval for more than its
// own, a tick of the day for a day. A tick of the day that stands in the history is not worked again: nobody wants two
// reports of one day.
func (r taskRow) wasSetBack(t Task, tick, now time.Time) bool {
	switch {
	case r.LastTick == nil:
		return false
	case t.Every > 0:
		return r.LastTick.Sub(tick) > setBack+t.Every
	}
	return r.LastTick.Sub(now) > 24*time.Hour
}

// offer writes the run of the latest tick and its wake-up, unless another process did, the task is paused, or it still runs.
func (s *Scheduler) offer(ctx context.Context, t Task) error {
	now := s.o.Clock.Now()
	tick, ok := t.latest(now)
	if !ok || s.holds(t) {
		return nil
	}
	return s.o.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		row, err := lockTask(ctx, tx, t, now)
		if err != nil || !row.due(t, tick, now) {
			return err
		}
		open, err := openRun(ctx, tx, t.Name)
		if err != nil || open != nil {
			return err
		}
		if row.wasSetBack(t, tick, now) {
			if t.Every > 0 {
				row.Round++
			}
			s.o.Log.Warn("the clock was set back", "task", t.Name, "last", row.LastTick, "now", now)
		}
		run := &TaskRun{Task: t.Name, Round: row.Round, Tick: tick, Trigger: ByClock, State: RunWaiting, WakeAt: now}
		if err := s.insert(ctx, tx, run); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model(&row).Set("last_tick = ?", tick).Set("round = ?", row.Round).WherePK().Exec(ctx)
		return err
	})
}

// insert adds the run and its wake-up. A run of that tick that exists already is left alone.
func (s *Scheduler) insert(ctx context.Context, tx bun.Tx, run *TaskRun) error {
	res, err := tx.NewInsert().Model(run).On("CONFLICT (task, round, tick) DO NOTHING").Returning("id").Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return s.queue.Insert(ctx, tx, wakeArgs{Run: run.ID}, On(wakes))
}

// lockTask returns the task's row, made when it is new, locked on PostgreSQL. A new task's last tick is nobody's when it
// has an hour of the day, and due at once when it has an interval.
func lockTask(ctx context.Context, tx bun.Tx, t Task, now time.Time) (taskRow, error) {
	row := taskRow{Name: t.Name, Since: now.Add(-t.Every)}
	if _, err := tx.NewInsert().Model(&row).On("CONFLICT (name) DO NOTHING").Exec(ctx); err != nil {
		return row, err
	}
	q := tx.NewSelect().Model(&row).WherePK()
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	return row, q.Scan(ctx)
}

// task finds a task by its name.
func (s *Scheduler) task(name string) (Task, bool) {
	i := slices.IndexFunc(s.tasks, func(t Task) bool { return t.Name == name })
	if i < 0 {
		return Task{}, false
	}
	return s.tasks[i], true
}
