package jobs

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/tracing"
)

// errLost is why the work of a run is cancelled when another process has taken it over.
var errLost = errors.New("the run was taken over by another process")

// errTimeout is why the work of a run is cancelled when it takes longer than its task may.
var errTimeout = errors.New("the run took too long")

// retryAfter are the pauses before a run with an hour of the day is tried again.
var retryAfter = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}

// start claims the run and has it worked in the background. It does nothing when somebody else has it, when the task is
// not of this program, or when this process does not work: then the sweep of one that does finds it.
func (s *Scheduler) start(ctx context.Context, id int64) error {
	var run TaskRun
	if err := s.o.DB.Read().NewSelect().Model(&run).Where("r.id = ?", id).Scan(ctx); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return nil // tidied
		}
		return err
	}
	t, ok := s.task(run.Task)
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil || s.held[id] { // held although its lease ended: the clock jumped, or the database was away
		return nil
	}
	if ok, err := s.claim(ctx, &run); err != nil || !ok {
		return err
	}
	work := s.ctx
	s.held[id] = true
	s.running.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.held, id)
		}()
		s.work(work, t, run)
	})
	return nil
}

// free says which runs may be claimed: those that wait and are due, and those whose lease ended. What waits or is held for
// longer than anything may is so by a clock that was set back since. The columns are those of a table called of.
func (s *Scheduler) free(of string) string {
	return strings.ReplaceAll("(#state = ? AND (#wake_at <= ? OR #wake_at > ?) OR #state = ? AND (#lease_ends < ? OR #lease_ends > ?))", "#", of)
}

func (s *Scheduler) freeAt(now time.Time) []any {
	return []any{RunWaiting, now, now.Add(2 * retryAfter[len(retryAfter)-1]), RunRunning, now, now.Add(3 * s.o.Lease)}
}

// claim makes the run this process's own, and reports false when it is another's.
func (s *Scheduler) claim(ctx context.Context, run *TaskRun) (bool, error) {
	now := s.o.Clock.Now()
	ends := now.Add(s.o.Lease)
	ok := false
	err := s.o.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		ok = false
		if run.State == RunRunning && run.Attempts >= maxAttempts {
			_, err := tx.NewUpdate().Model((*TaskRun)(nil)).
				Set("state = ?, ended_at = ?, lease_ends = NULL, claim = ''", RunFailed, now).
				Set("error = ?", fmt.Sprintf("执行中断 %d 次，不再自动重试。最后一次由进程 %s 执行。", run.Attempts, run.Process)).
				Where("id = ? AND claim = ? AND state = ?", run.ID, run.Claim, RunRunning).Where(s.free(""), s.freeAt(now)...).Exec(ctx)
			return err
		}
		claim := rand.Text()
		q := tx.NewUpdate().Model((*TaskRun)(nil)).
			Set("state = ?, claim = ?, process = ?, attempts = attempts + 1, started_at = ?, lease_ends = ?", RunRunning, claim, s.o.Process, now, ends).
			Where("id = ? AND claim = ?", run.ID, run.Claim).
			Where(s.free(""), s.freeAt(now)...)
		taken := ""
		if run.State == RunRunning {
			taken = fmt.Sprintf("进程 %s 中断，由 %s 接手", run.Process, s.o.Process)
			q = q.Set("note = ?", taken)
		}
		res, err := q.Exec(ctx)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		run.State, run.Claim, run.Process, run.StartedAt, run.LeaseEnds, run.Note = RunRunning, claim, s.o.Process, &now, &ends, taken
		run.Attempts++
		ok = true
		return nil
	})
	return ok, err
}

// work does what the task is for, keeps the lease meanwhile, and writes the outcome.
func (s *Scheduler) work(ctx context.Context, t Task, run TaskRun) {
	n := &note{}
	timed, stop := context.WithTimeoutCause(context.WithValue(ctx, noteKey{}, n), t.timeout(), errTimeout)
	defer stop()
	mine, cancel := context.WithCancelCause(timed)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		s.beat(mine, run, cancel)
	}()
	err := protect(mine, t)
	if err != nil && errors.Is(context.Cause(mine), errTimeout) {
		err = fmt.Errorf("超过 %s 未完成，已中止：%w", spell(t.timeout()), err)
	}
	lost := errors.Is(context.Cause(mine), errLost)
	cancel(nil)
	<-beating
	if lost {
		s.o.Log.Warn("a run was taken over", "task", t.Name, "run", run.ID)
		return
	}
	stopped := ctx.Err() != nil && err != nil
	if err != nil && !stopped {
		s.o.Log.Error("task failed", "task", t.Name, "run", run.ID, "error", err)
	}
	for try := range 5 {
		werr := s.finish(context.WithoutCancel(ctx), t, run, strings.Trim(run.Note+"；"+n.read(), "；"), err, stopped)
		if werr == nil {
			return
		}
		// Nobody is lost by giving up: the lease ends and the run is worked again.
		s.o.Log.Error("write the outcome of a task", "task", t.Name, "run", run.ID, "error", werr)
		time.Sleep(time.Duration(try) * time.Second)
	}
}

// protect turns a panic into an error, so that one task does not end the process.
func protect(ctx context.Context, t Task) (err error) {
	ctx, span := tracing.Work(ctx, "task "+t.Name)
	defer func() { span.End(err) }()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return t.Run(ctx)
}

// beat renews the lease until ctx ends, and cancels the work when the run is no longer this process's.
func (s *Scheduler) beat(ctx context.Context, run TaskRun, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(s.o.Lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var held int64
		err := s.o.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			res, err := tx.NewUpdate().Model((*TaskRun)(nil)).Set("lease_ends = ?", s.o.Clock.Now().Add(s.o.Lease)).
				Where("id = ? AND claim = ? AND state = ?", run.ID, run.Claim, RunRunning).Exec(ctx)
			if err != nil {
				return err
			}
			held, err = res.RowsAffected()
			return err
		})
		if err != nil {
			s.o.Log.Error("renew the lease of a task", "task", run.Task, "error", err)
			continue
		}
		if held == 0 {
			cancel(errLost)
			return
		}
	}
}

// finish writes the outcome, unless the run is another's by now.
func (s *Scheduler) finish(ctx context.Context, t Task, run TaskRun, said string, failure error, stopped bool) error {
	now := s.o.Clock.Now()
	return s.o.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		q := tx.NewUpdate().Model((*TaskRun)(nil)).Set("claim = '', lease_ends = NULL, note = ?", said).
			Where("id = ? AND claim = ?", run.ID, run.Claim)
		switch {
		case failure == nil:
			q = q.Set("state = ?, ended_at = ?, error = ''", RunDone, now)
		case stopped: // given back, not counted: the process stops in order
			q = q.Set("state = ?, wake_at = ?, attempts = attempts - 1", RunWaiting, now)
		case t.Cron != "" && run.Trigger == ByClock && run.Attempts <= len(retryAfter):
			q = q.Set("state = ?, wake_at = ?, error = ?", RunWaiting, now.Add(retryAfter[run.Attempts-1]), reason(failure))
		default:
			q = q.Set("state = ?, ended_at = ?, error = ?", RunFailed, now, reason(failure))
		}
		_, err := q.Exec(ctx)
		return err
	})
}

// reason is what the history keeps of a failure.
func reason(err error) string { return cut(err.Error(), 2000) }

// reclaim takes back what an earlier process of a single-process installation was working.
func (s *Scheduler) reclaim(ctx context.Context) error {
	return s.o.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*TaskRun)(nil)).Set("lease_ends = ?", s.o.Clock.Now().Add(-time.Second)).Where("state = ?", RunRunning).Exec(ctx)
		return err
	})
}

// How long history is kept: what went well by an interval, what went well by the hour of the day, and what failed.
const (
	keepFrequent = 3 * 24 * time.Hour
	keepDaily    = 180 * 24 * time.Hour
)

// tidy removes history that has served its purpose, in batches that do not hold the writer.
func (s *Scheduler) tidy(ctx context.Context) error {
	now, removed := s.o.Clock.Now(), int64(0)
	var frequent []string
	for _, t := range s.tasks {
		if t.Every > 0 {
			frequent = append(frequent, t.Name)
		}
	}
	old := func(tx bun.Tx) *bun.SelectQuery {
		q := tx.NewSelect().Model((*TaskRun)(nil)).Column("r.id").Where("r.state IN (?, ?)", RunDone, RunFailed)
		return q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
			q = q.Where("r.ended_at < ?", now.Add(-keepDaily))
			if len(frequent) > 0 {
				q = q.WhereOr("r.state = ? AND r.ended_at < ? AND r.task IN (?)", RunDone, now.Add(-keepFrequent), bun.List(frequent))
			}
			return q
		}).OrderExpr("r.id").Limit(500)
	}
	for {
		var n int64
		err := s.o.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			res, err := tx.NewDelete().Model((*TaskRun)(nil)).Where("id IN (?)", old(tx)).Exec(ctx)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil {
			return err
		}
		removed += n
		Note(ctx, "清理 %d 条历史", removed)
		if n < 500 || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
