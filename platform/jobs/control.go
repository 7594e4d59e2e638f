package jobs

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/fault"
)

// What a person cannot ask for.
var (
	ErrNoTask    = fault.New(fault.NotFound, "TASK_UNKNOWN", "没有这个定时任务，它可能已在新版本中取消")
	ErrTaskBusy  = fault.New(fault.Conflict, "TASK_BUSY", "该任务正在执行，请等它结束后再试")
	ErrNotFailed = fault.New(fault.Conflict, "RUN_NOT_FAILED", "只有失败的执行可以重试，请刷新页面查看最新状态")
)

// TaskState is a task with what is known about it.
type TaskState struct {
	Task

	Next     time.Time  // zero while paused
	PausedAt *time.Time // nil when it is not
	PausedBy string
	Recent   []TaskRun // newest first, at most as many as were asked for
}

// Tasks returns every task of the program with its last runs, in the order in which they were given.
func (s *Scheduler) Tasks(ctx context.Context, recent int) ([]TaskState, error) {
	var rows []taskRow
	db := s.o.DB.Read()
	if err := db.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, err
	}
	known := map[string]taskRow{}
	for _, r := range rows {
		known[r.Name] = r
	}
	list := make([]TaskState, 0, len(s.tasks))
	for _, t := range s.tasks {
		r := known[t.Name]
		st := TaskState{Task: t, PausedAt: r.PausedAt, PausedBy: r.PausedBy}
		if r.PausedAt == nil {
			st.Next = t.Next(s.o.Clock.Now())
		}
		if err := db.NewSelect().Model(&st.Recent).Where("r.task = ?", t.Name).OrderExpr("r.id DESC").Limit(int64(recent)).Scan(ctx); err != nil {
			return nil, err
		}
		list = append(list, st)
	}
	return list, nil
}

// RunFilter narrows the history. Zero fields do not.
type RunFilter struct {
	Task   string
	State  RunState
	From   time.Time // of the tick, inclusive
	To     time.Time // of the tick, exclusive
	Before int64     // the id after which the page goes on
	Limit  int
}

// Runs lists the history, newest first.
func (s *Scheduler) Runs(ctx context.Context, f RunFilter) ([]TaskRun, error) {
	list := []TaskRun{}
	q := s.o.DB.Read().NewSelect().Model(&list).OrderExpr("r.id DESC").Limit(int64(f.Limit))
	if f.Task != "" {
		q = q.Where("r.task = ?", f.Task)
	}
	if f.State != "" {
		q = q.Where("r.state = ?", f.State)
	}
	if !f.From.IsZero() {
		q = q.Where("r.tick >= ?", f.From)
	}
	if !f.To.IsZero() {
		q = q.Where("r.tick < ?", f.To)
	}
	if f.Before != 0 {
		q = q.Where("r.id < ?", f.Before)
	}
	return list, q.Scan(ctx)
}

// RunNow has the task worked once, now, also while it is paused. It returns ErrTaskBusy while it runs already;
// a run that waits for another try after a failure is tried at once instead.
func (s *Scheduler) RunNow(ctx context.Context, tx bun.Tx, name, by string) (TaskRun, error) {
	return s.ask(ctx, tx, name, ByPerson, by)
}

// Retry has the task of a failed run worked again. It returns ErrNotFailed for a run that did not fail.
func (s *Scheduler) Retry(ctx context.Context, tx bun.Tx, id int64, by string) (TaskRun, error) {
	var run TaskRun
	if err := tx.NewSelect().Model(&run).Where("r.id = ?", id).Scan(ctx); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return run, fault.ErrNotFound
		}
		return run, err
	}
	if run.State != RunFailed {
		return run, ErrNotFailed
	}
	return s.ask(ctx, tx, run.Task, ByRetry, by)
}

func (s *Scheduler) ask(ctx context.Context, tx bun.Tx, name string, why Trigger, by string) (TaskRun, error) {
	t, ok := s.task(name)
	if !ok {
		return TaskRun{}, ErrNoTask
	}
	now := s.o.Clock.Now()
	row, err := lockTask(ctx, tx, t, now)
	if err != nil {
		return TaskRun{}, err
	}
	open, err := openRun(ctx, tx, name)
	if err != nil {
		return TaskRun{}, err
	}
	if open != nil {
		if open.State == RunWaiting && open.Attempts > 0 {
			return s.hurry(ctx, tx, *open, by)
		}
		return TaskRun{}, ErrTaskBusy
	}
	run := TaskRun{Task: name, Round: row.Round, Tick: now, Trigger: why, AskedBy: by, State: RunWaiting, WakeAt: now}
	for run.ID == 0 { // who asks in the very microsecond of a tick is moved behind it
		if err := s.insert(ctx, tx, &run); err != nil {
			return run, err
		}
		if run.ID == 0 {
			run.Tick = run.Tick.Add(time.Microsecond)
		}
	}
	return run, nil
}

// hurry ends the pause before another try.
func (s *Scheduler) hurry(ctx context.Context, tx bun.Tx, run TaskRun, by string) (TaskRun, error) {
	run.WakeAt, run.AskedBy = s.o.Clock.Now(), by
	if _, err := tx.NewUpdate().Model(&run).Column("wake_at", "asked_by").WherePK().Where("state = ?", RunWaiting).Exec(ctx); err != nil {
		return run, err
	}
	return run, s.queue.Insert(ctx, tx, wakeArgs{Run: run.ID}, On(wakes))
}

// openRun returns the run of the task that waits or is worked, nil when none does. One that waits for another try after a
// failure counts.
func openRun(ctx context.Context, tx bun.Tx, name string) (*TaskRun, error) {
	var run TaskRun
	err := tx.NewSelect().Model(&run).Where("r.task = ?", name).Where("r.state IN (?, ?)", RunWaiting, RunRunning).OrderExpr("r.id").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &run, err
}

// Pause stops the clock for the task; what runs ends as it would. Pausing twice keeps the first person's name.
func (s *Scheduler) Pause(ctx context.Context, tx bun.Tx, name, by string) error {
	return s.setPause(ctx, tx, name, func(row *taskRow, now time.Time) bool {
		if row.PausedAt != nil {
			return false
		}
		row.PausedAt, row.PausedBy = &now, by
		return true
	})
}

// Resume starts the clock for the task again, from its next tick on: what passed meanwhile is not caught up.
func (s *Scheduler) Resume(ctx context.Context, tx bun.Tx, name string) error {
	return s.setPause(ctx, tx, name, func(row *taskRow, now time.Time) bool {
		if row.PausedAt == nil {
			return false
		}
		row.PausedAt, row.PausedBy, row.Since = nil, "", now
		return true
	})
}

func (s *Scheduler) setPause(ctx context.Context, tx bun.Tx, name string, change func(row *taskRow, now time.Time) bool) error {
	t, ok := s.task(name)
	if !ok {
		return ErrNoTask
	}
	now := s.o.Clock.Now()
	row, err := lockTask(ctx, tx, t, now)
	if err != nil || !change(&row, now) {
		return err
	}
	_, err = tx.NewUpdate().Model(&row).Column("paused_at", "paused_by", "since").WherePK().Exec(ctx)
	return err
}
