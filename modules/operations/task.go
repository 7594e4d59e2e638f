package operations

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
)

// RunView is one run of a task.
type RunView struct {
	ID        int64         `json:"id"`
	Task      string        `json:"task"`
	Title     string        `json:"title"`
	State     jobs.RunState `json:"state" enum:"waiting,running,done,failed"`
	Trigger   jobs.Trigger  `json:"trigger" enum:"clock,person,retry"`
	AskedBy   string        `json:"askedBy"`
	Tick      time.Time     `json:"tick" doc:"The time the run is for."`
	WakeAt    *time.Time    `json:"wakeAt,omitempty" doc:"When a waiting run begins."`
	StartedAt *time.Time    `json:"startedAt,omitempty"`
	EndedAt   *time.Time    `json:"endedAt,omitempty"`
	TookMS    int64         `json:"tookMs" doc:"How long the last attempt took, or takes by now; 0 when it has not begun."`
	Attempts  int           `json:"attempts"`
	Process   string        `json:"process"`
	Note      string        `json:"note"`
	Error     string        `json:"error"`
	Failure   string        `json:"failure" doc:"What the failure means and what to do, in Chinese."`
	CanRetry  bool          `json:"canRetry"`
}

// TaskView is a task as it is listed.
type TaskView struct {
	Name         string     `json:"name"`
	Title        string     `json:"title"`
	When         string     `json:"when" doc:"In Chinese."`
	Next         *time.Time `json:"next,omitempty" doc:"Missing while paused."`
	PausedAt     *time.Time `json:"pausedAt,omitempty"`
	PausedBy     string     `json:"pausedBy"`
	PausedReason string     `json:"pausedReason"`
	Last         *RunView   `json:"last,omitempty" doc:"The newest run that ended."`
	Current      *RunView   `json:"current,omitempty" doc:"The run that waits or is worked."`
}

// TasksView is every task.
type TasksView struct {
	Items     []TaskView `json:"items"`
	CanManage bool       `json:"canManage"`
}

func (s *Service) titles() map[string]jobs.Task {
	known := map[string]jobs.Task{}
	for _, t := range s.Scheduler.List() {
		known[t.Name] = t
	}
	return known
}

func (s *Service) runView(r jobs.TaskRun, known map[string]jobs.Task, actor access.Actor) RunView {
	t, ok := known[r.Task]
	v := RunView{ID: r.ID, Task: r.Task, Title: t.Title, State: r.State, Trigger: r.Trigger, AskedBy: r.AskedBy, Tick: r.Tick.UTC(),
		StartedAt: utc(r.StartedAt), EndedAt: utc(r.EndedAt), Attempts: r.Attempts, Process: r.Process, Note: r.Note, Error: r.Error,
		CanRetry: ok && r.State == jobs.RunFailed && actor.Can(PermManage)}
	if !ok {
		v.Title = r.Task
	}
	if r.State == jobs.RunFailed {
		v.Failure = t.Failure
	}
	if r.State == jobs.RunWaiting {
		v.WakeAt = utc(&r.WakeAt)
	}
	if r.StartedAt != nil {
		end := s.Clock.Now()
		if r.EndedAt != nil {
			end = *r.EndedAt
		}
		v.TookMS = max(end.Sub(*r.StartedAt).Milliseconds(), 0)
	}
	return v
}

// ListTasks returns every task of the program with how it stands. It needs operations.view.
func (s *Service) ListTasks(ctx context.Context, actor access.Actor) (TasksView, error) {
	if err := actor.Need(PermView); err != nil {
		return TasksView{}, err
	}
	out := TasksView{Items: []TaskView{}, CanManage: actor.Can(PermManage)}
	states, err := s.Scheduler.Tasks(ctx, 2)
	if err != nil {
		return out, fmt.Errorf("list tasks: %w", err)
	}
	known := s.titles()
	for _, st := range states {
		v := TaskView{Name: st.Name, Title: st.Title, When: st.When(), PausedAt: utc(st.PausedAt), PausedBy: st.PausedBy, PausedReason: st.PausedReason}
		if !st.Next.IsZero() {
			next := st.Next
			v.Next = &next
		}
		for _, r := range st.Recent { // a task never overlaps itself: of two runs at most one is open
			run := s.runView(r, known, actor)
			switch {
			case r.State == jobs.RunWaiting || r.State == jobs.RunRunning:
				if v.Current == nil {
					v.Current = &run
				}
			case v.Last == nil:
				v.Last = &run
			}
		}
		out.Items = append(out.Items, v)
	}
	return out, nil
}

// RunFilter narrows the history of the tasks.
type RunFilter struct {
	Task        string
	State       jobs.RunState
	From, Until time.Time // of the tick, [From, Until)
	Cursor      string
	Limit       int
}

// ListRuns returns a page of the history, newest first, and the cursor of the next page. It needs operations.view.
func (s *Service) ListRuns(ctx context.Context, actor access.Actor, f RunFilter) ([]RunView, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	before, limit, err := pageOf(f.Cursor, f.Limit)
	if err != nil {
		return nil, "", err
	}
	rows, err := s.Scheduler.Runs(ctx, jobs.RunFilter{Task: f.Task, State: f.State, From: f.From, To: f.Until, Before: before, Limit: limit + 1})
	if err != nil {
		return nil, "", fmt.Errorf("list runs of tasks: %w", err)
	}
	rows, next := page(rows, limit, func(r jobs.TaskRun) int64 { return r.ID })
	known := s.titles()
	views := make([]RunView, 0, len(rows))
	for _, r := range rows {
		views = append(views, s.runView(r, known, actor))
	}
	return views, next, nil
}

// FindRun returns one run. It needs operations.view.
func (s *Service) FindRun(ctx context.Context, actor access.Actor, id int64) (RunView, error) {
	if err := actor.Need(PermView); err != nil {
		return RunView{}, err
	}
	r, err := s.Scheduler.FindRun(ctx, id)
	if err != nil {
		return RunView{}, err
	}
	return s.runView(r, s.titles(), actor), nil
}

// RunTask has a task worked now, also while it is paused. It needs operations.manage and returns jobs.ErrNoTask, or
// jobs.ErrTaskBusy while it runs.
func (s *Service) RunTask(ctx context.Context, actor access.Actor, name, key string) (RunView, error) {
	return s.ask(ctx, actor, idempotency.Command{Operation: "operations.run_task", Key: key, Request: name}, "立即执行", func(ctx context.Context, tx bun.Tx) (jobs.TaskRun, error) {
		return s.Scheduler.RunNow(ctx, tx, name, actor.Name)
	})
}

// RetryRun has the task of a failed run worked again. It needs operations.manage and returns jobs.ErrNotFailed for a run
// that did not fail.
func (s *Service) RetryRun(ctx context.Context, actor access.Actor, id int64, key string) (RunView, error) {
	return s.ask(ctx, actor, idempotency.Command{Operation: "operations.retry_run", Key: key, Request: id}, "重试", func(ctx context.Context, tx bun.Tx) (jobs.TaskRun, error) {
		return s.Scheduler.Retry(ctx, tx, id, actor.Name)
	})
}

func (s *Service) ask(ctx context.Context, actor access.Actor, cmd idempotency.Command, verb string, fn func(ctx context.Context, tx bun.Tx) (jobs.TaskRun, error)) (RunView, error) {
	if err := actor.Need(PermManage); err != nil {
		return RunView{}, err
	}
	known := s.titles()
	cmd.Actor = actor
	id, err := s.once(ctx, cmd, func(ctx context.Context, tx bun.Tx) (int64, error) {
		run, err := fn(ctx, tx)
		if err != nil {
			return 0, err
		}
		return run.ID, audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: cmd.Operation, Object: "task", ObjectID: run.ID,
			Summary: verb + "定时任务“" + known[run.Task].Title + "”", Detail: map[string]string{"task": run.Task}})
	})
	if err != nil {
		return RunView{}, err
	}
	r, err := s.Scheduler.FindRun(ctx, id)
	if err != nil {
		return RunView{}, err
	}
	return s.runView(r, known, actor), nil
}

// PauseTask stops the clock for a task; what runs ends as it would. It needs operations.manage and a reason, and returns
// jobs.ErrPaused for a task that stands still already.
func (s *Service) PauseTask(ctx context.Context, actor access.Actor, name, reason, key string) error {
	return s.setPause(ctx, actor, idempotency.Command{Operation: "operations.pause_task", Key: key, Request: name}, "暂停", reason, func(ctx context.Context, tx bun.Tx) error {
		return s.Scheduler.Pause(ctx, tx, name, actor.Name, reason)
	})
}

// ResumeTask starts the clock for a task again. It needs operations.manage and returns jobs.ErrNotPaused for one that goes.
func (s *Service) ResumeTask(ctx context.Context, actor access.Actor, name, reason, key string) error {
	return s.setPause(ctx, actor, idempotency.Command{Operation: "operations.resume_task", Key: key, Request: name}, "恢复", reason, func(ctx context.Context, tx bun.Tx) error {
		return s.Scheduler.Resume(ctx, tx, name)
	})
}

func (s *Service) setPause(ctx context.Context, actor access.Actor, cmd idempotency.Command, verb, reason string, fn func(ctx context.Context, tx bun.Tx) error) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	name, _ := cmd.Request.(string)
	title := s.titles()[name].Title
	cmd.Actor, cmd.Request = actor, []string{name, reason}
	_, err := s.once(ctx, cmd, func(ctx context.Context, tx bun.Tx) (int64, error) {
		if err := fn(ctx, tx); err != nil {
			return 0, err
		}
		return 0, audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: cmd.Operation, Object: "task", Summary: verb + "定时任务“" + title + "”",
			Detail: map[string]string{"task": name, "reason": reason}})
	})
	return err
}
