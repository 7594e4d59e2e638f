package jobs

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// What a person cannot ask for.
var (
	ErrNoTask    = fault.New(fault.NotFound, "TASK_UNKNOWN", "没有这个定时任务，它可能已在新版本中取消")
	ErrTaskBusy  = fault.New(fault.Conflict, "TASK_BUSY", "该任务正在执行，请等它结束后再试")
	ErrPaused    = fault.New(fault.Conflict, "TASK_PAUSED", "该任务已暂停，请刷新页面查看")
	ErrNotPaused = fault.New(fault.Conflict, "TASK_NOT_PAUSED", "该任务没有暂停，请刷新页面查看")
	ErrNotFailed = fault.New(fault.Conflict, "RUN_NOT_FAILED", "只有失败的执行可以重试，请刷新页面查看最新状态")
)

// TaskState is a task with what is known about it.
type TaskState struct {
	Task

	Next     time.Time  // zero while paused
	PausedAt *time.Time // nil when it is not
	PausedBy string
	// PausedReason is why, in the words of that person.
	PausedReason string
	Recent       []TaskRun // newest first, at most as many as were asked for
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
		st := TaskState{Task: t, PausedAt: r.PausedAt, PausedBy: r.PausedBy, PausedReason: r.PausedReason}
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

// FindRun returns one run of the history; fault.ErrNotFound when there is none.
func (s *Scheduler) FindRun(ctx context.Context, id int64) (TaskRun, error) {
	var run TaskRun
	err := s.o.DB.Read().NewSelect().Model(&run).Where("r.id = ?", id).Scan(ctx)
	return run, database.Found(err)
}

// Failing returns the tasks whose newest finished run failed for good, each with its last three finished runs.
func (s *Scheduler) Failing(ctx context.Context) ([]TaskState, error) {
	var last []TaskRun
	db := s.o.DB.Read()
	newest := db.NewSelect().Model((*TaskRun)(nil)).ModelTableExpr("task_runs AS x").ColumnExpr("max(x.id)").
		Where("x.state IN (?, ?)", RunDone, RunFailed).GroupExpr("x.task")
	if err := db.NewSelect().Model(&last).Where("r.id IN (?)", newest).Where("r.state = ?", RunFailed).OrderExpr("r.id DESC").Scan(ctx); err != nil {
		return nil, err
	}
	var list []TaskState
	for _, r := range last {
		t, ok := s.task(r.Task)
		if !ok {
			continue
		}
		st := TaskState{Task: t}
		if err := db.NewSelect().Model(&st.Recent).Where("r.task = ? AND r.state IN (?, ?)", t.Name, RunDone, RunFailed).OrderExpr("r.id DESC").Limit(3).Scan(ctx); err != nil {
			return nil, err
		}
		list = append(list, st)
	}
	return list, nil
}

// Counts is how many runs of the scheduler ended in a time.
type Counts struct{ Done, Failed int64 }

// Ended counts the runs that ended in [from, to).
func (s *Scheduler) Ended(ctx context.Context, from, to time.Time) (Counts, error) {
	var c Counts
	err := s.o.DB.Read().NewSelect().Model((*TaskRun)(nil)).
		ColumnExpr("coalesce(sum(CASE WHEN r.state = ? THEN 1 ELSE 0 END), 0) AS done", RunDone).
		ColumnExpr("coalesce(sum(CASE WHEN r.state = ? THEN 1 ELSE 0 END), 0) AS failed", RunFailed).
		Where("r.ended_at >= ? AND r.ended_at < ?", from, to).Scan(ctx, &c.Done, &c.Failed)
	return c, err
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

// Pause stops the clock for the task, by whom and why; what runs ends as it would. It returns ErrPaused for a task that
// stands still already.
func (s *Scheduler) Pause(ctx context.Context, tx bun.Tx, name, by, reason string) error {
	return s.setPause(ctx, tx, name, func(row *taskRow, now time.Time) error {
		if row.PausedAt != nil {
			return ErrPaused
		}
		row.PausedAt, row.PausedBy, row.PausedReason = &now, by, reason
		return nil
	})
}

// Resume starts the clock for the task again, from its next tick on: what passed meanwhile is not caught up. It returns
// ErrNotPaused for a task that goes.
func (s *Scheduler) Resume(ctx context.Context, tx bun.Tx, name string) error {
	return s.setPause(ctx, tx, name, func(row *taskRow, now time.Time) error {
		if row.PausedAt == nil {
			return ErrNotPaused
		}
		row.PausedAt, row.PausedBy, row.PausedReason, row.Since = nil, "", "", now
		return nil
	})
}

func (s *Scheduler) setPause(ctx context.Context, tx bun.Tx, name string, change func(row *taskRow, now time.Time) error) error {
	t, ok := s.task(name)
	if !ok {
		return ErrNoTask
	}
	now := s.o.Clock.Now()
	row, err := lockTask(ctx, tx, t, now)
	if err != nil {
		return err
	}
	if err := change(&row, now); err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model(&row).Column("paused_at", "paused_by", "paused_reason", "since").WherePK().Exec(ctx)
	return err
}

// List returns the tasks of the program, without what is known about them.
func (s *Scheduler) List() []Task { return slices.Clone(s.tasks) }
