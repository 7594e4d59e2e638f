package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// JobState is where a job stands. A job that went well leaves the books after a day.
type JobState string

// The states of a job that a person looks after.
const (
	JobWaiting   JobState = "available" // a worker takes it next
	JobScheduled JobState = "scheduled" // not before its time
	JobRunning   JobState = "running"
	JobRetrying  JobState = "retryable" // failed; tried again by itself at ScheduledAt
	JobDead      JobState = "discarded" // failed for good; kept for a week
	JobCancelled JobState = "cancelled" // ended by a worker for which trying again is no use, or by a person; kept for a day
)

// What a person cannot ask for.
var (
	ErrNoJob     = fault.New(fault.NotFound, "JOB_UNKNOWN", "没有这项后台工作，它可能已经完成并清理")
	ErrJobSolved = fault.New(fault.Conflict, "JOB_NOT_FAILED", "这项工作已不在失败状态，请刷新页面查看")
)

// KindCount is how much work of one kind stands where.
type KindCount struct {
	Kind, Queue                                 string
	Waiting, Scheduled, Running, Retrying, Dead int64
	// Oldest is when the oldest waiting job could have begun; nil when none waits.
	Oldest *time.Time
}

// Job is one piece of work in the queue.
type Job struct {
	ID               int64
	Kind, Queue      string
	State            JobState
	Args             string // JSON: ids only
	Attempt, Most    int
	CreatedAt        time.Time
	ScheduledAt      time.Time
	TriedAt, EndedAt *time.Time
	Error            string // of the last attempt
}

// Counts says by kind how much work stands where, most waiting first.
func (q *Queue) Counts(ctx context.Context) ([]KindCount, error) {
	var rows []struct {
		Kind, Queue, State string
		N                  int64
		Oldest             time.Time
	}
	// CAST: on PostgreSQL the state is an enum.
	err := q.db.Read().NewRaw(`SELECT kind, queue, CAST(state AS text) AS state, count(*) AS n, min(scheduled_at) AS oldest FROM river_job
		WHERE state IN ('available', 'scheduled', 'pending', 'running', 'retryable', 'discarded') GROUP BY kind, queue, state ORDER BY kind, queue`).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	list := []KindCount{}
	for _, r := range rows {
		if n := len(list); n == 0 || list[n-1].Kind != r.Kind || list[n-1].Queue != r.Queue {
			list = append(list, KindCount{Kind: r.Kind, Queue: r.Queue})
		}
		c := &list[len(list)-1]
		switch JobState(r.State) {
		case JobWaiting:
			at := r.Oldest.UTC()
			c.Waiting, c.Oldest = r.N, &at
		case JobRunning:
			c.Running = r.N
		case JobRetrying:
			c.Retrying = r.N
		case JobDead:
			c.Dead = r.N
		default:
			c.Scheduled += r.N
		}
	}
	return list, nil
}

// JobFilter narrows the list of jobs that did not go well.
type JobFilter struct {
	Kind   string
	State  JobState // JobRetrying, JobDead or JobCancelled; empty is all three
	Before int64    // the id after which the page goes on
	Limit  int
}

// Failed lists the jobs that did not go well, newest first.
func (q *Queue) Failed(ctx context.Context, f JobFilter) ([]Job, error) {
	states := []rivertype.JobState{rivertype.JobStateRetryable, rivertype.JobStateDiscarded, rivertype.JobStateCancelled}
	if f.State != "" {
		states = []rivertype.JobState{rivertype.JobState(f.State)}
	}
	p := river.NewJobListParams().States(states...).OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(f.Limit)
	if f.Kind != "" {
		p = p.Kinds(f.Kind)
	}
	if f.Before != 0 {
		p = p.Where("id < @before", river.NamedArgs{"before": f.Before})
	}
	res, err := q.client.JobList(ctx, p)
	if err != nil {
		return nil, err
	}
	list := make([]Job, 0, len(res.Jobs))
	for _, r := range res.Jobs {
		list = append(list, jobOf(r))
	}
	return list, nil
}

func jobOf(r *rivertype.JobRow) Job {
	j := Job{ID: r.ID, Kind: r.Kind, Queue: r.Queue, State: JobState(r.State), Args: string(r.EncodedArgs), Attempt: r.Attempt, Most: r.MaxAttempts,
		CreatedAt: r.CreatedAt.UTC(), ScheduledAt: r.ScheduledAt.UTC(), TriedAt: r.AttemptedAt, EndedAt: r.FinalizedAt}
	if n := len(r.Errors); n > 0 {
		j.Error = cut(r.Errors[n-1].Error, 2000)
	}
	return j
}

// RetryJob has a job that did not go well worked again at once, in the caller's transaction. It returns ErrNoJob, or
// ErrJobSolved when it is none of those.
func (q *Queue) RetryJob(ctx context.Context, tx bun.Tx, id int64) (Job, error) {
	j, err := q.failed(ctx, tx, id)
	if err != nil {
		return j, err
	}
	if _, err := q.client.JobRetryTx(ctx, tx.Tx, id); err != nil {
		return j, err
	}
	if q.bell != nil {
		database.AfterCommit(tx, func() { q.bell.ring(j.Queue) })
	}
	return j, nil
}

// DropJob gives up a job that did not go well: it is never worked again and leaves the books. It returns ErrNoJob, or
// ErrJobSolved when it is none of those.
func (q *Queue) DropJob(ctx context.Context, tx bun.Tx, id int64) (Job, error) {
	j, err := q.failed(ctx, tx, id)
	if err != nil {
		return j, err
	}
	_, err = q.client.JobDeleteTx(ctx, tx.Tx, id)
	return j, err
}

// failed reads a job that did not go well, locked on PostgreSQL.
func (q *Queue) failed(ctx context.Context, tx bun.Tx, id int64) (Job, error) {
	if database.KindOf(tx) == database.Postgres {
		if _, err := tx.ExecContext(ctx, "SELECT 1 FROM river_job WHERE id = ? FOR UPDATE", id); err != nil {
			return Job{}, err
		}
	}
	r, err := q.client.JobGetTx(ctx, tx.Tx, id)
	if errors.Is(err, rivertype.ErrNotFound) {
		return Job{}, ErrNoJob
	}
	if err != nil {
		return Job{}, err
	}
	j := jobOf(r)
	if j.State != JobRetrying && j.State != JobDead && j.State != JobCancelled {
		return j, ErrJobSolved
	}
	return j, nil
}
