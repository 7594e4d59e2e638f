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

// Backlog is how much of one kind of work waits in a module.
type Backlog struct {
	Code, Title string
	// Page is where in the back office it is looked after; empty is nowhere.
	Page  string
	Count func(ctx context.Context) (Amount, error)
}

// Amount is what a module counts.
type Amount struct {
	Waiting int64
	Oldest  *time.Time // of what waits
	Stuck   int64      // of these, what does not move by itself
	Note    string
}

// BacklogView is a backlog as the page shows it.
type BacklogView struct {
	Code    string `json:"code"`
	Title   string `json:"title"`
	Page    string `json:"page" doc:"Path in the back office; empty when there is none."`
	Waiting int64  `json:"waiting"`
	Stuck   int64  `json:"stuck" doc:"What waits for a person."`
	Age     string `json:"age" doc:"How long the oldest waits, in Chinese; empty when nothing does."`
	Note    string `json:"note"`
	Fault   string `json:"fault" doc:"Why it could not be counted; empty when it was."`
}

// KindView is the work of one kind in the queue.
type KindView struct {
	Kind      string `json:"kind"`
	Title     string `json:"title"`
	Queue     string `json:"queue"`
	Waiting   int64  `json:"waiting"`
	Scheduled int64  `json:"scheduled"`
	Running   int64  `json:"running"`
	Retrying  int64  `json:"retrying"`
	Dead      int64  `json:"dead"`
	Age       string `json:"age" doc:"How long the oldest waits, in Chinese; empty when none does."`
}

// QueuesView is all work behind the scenes.
type QueuesView struct {
	Kinds     []KindView    `json:"kinds"`
	Backlogs  []BacklogView `json:"backlogs"`
	CanManage bool          `json:"canManage"`
}

// kindTitles are the words of the kinds of jobs. A kind without one is shown by its name.
var kindTitles = map[string]string{
	"task.wake": "唤起定时任务", "message.sms": "发送短信", "message.wechat": "发送微信消息", "exchange.pump": "向对接方推送",
	"enterprise.fetch": "查询企业登记信息", "file.scan": "附件查毒", "export.wake": "生成导出文件", "import.wake": "处理数据导入",
}

// KindTitle is the word of a kind of job.
func KindTitle(kind string) string {
	if t := kindTitles[kind]; t != "" {
		return t
	}
	return kind
}

// Queues returns what waits, runs and failed. It needs operations.view.
func (s *Service) Queues(ctx context.Context, actor access.Actor) (QueuesView, error) {
	if err := actor.Need(PermView); err != nil {
		return QueuesView{}, err
	}
	out := QueuesView{Kinds: []KindView{}, CanManage: actor.Can(PermManage)}
	counts, err := s.Queue.Counts(ctx)
	if err != nil {
		return out, fmt.Errorf("count jobs: %w", err)
	}
	now := s.Clock.Now()
	for _, c := range counts {
		out.Kinds = append(out.Kinds, KindView{Kind: c.Kind, Title: KindTitle(c.Kind), Queue: c.Queue, Waiting: c.Waiting, Scheduled: c.Scheduled,
			Running: c.Running, Retrying: c.Retrying, Dead: c.Dead, Age: age(now, c.Oldest)})
	}
	out.Backlogs = s.backlogs(ctx, now)
	return out, nil
}

func (s *Service) backlogs(ctx context.Context, now time.Time) []BacklogView {
	list := make([]BacklogView, 0, len(s.Deps.Backlogs))
	for _, b := range s.Deps.Backlogs {
		v := BacklogView{Code: b.Code, Title: b.Title, Page: b.Page}
		n, err := b.Count(ctx)
		if err != nil {
			s.Log.Error("count a backlog", "backlog", b.Code, "error", err)
			v.Fault = "暂时无法统计，请稍后刷新"
		} else {
			v.Waiting, v.Stuck, v.Note, v.Age = n.Waiting, n.Stuck, n.Note, age(now, n.Oldest)
		}
		list = append(list, v)
	}
	return list
}

func age(now time.Time, oldest *time.Time) string {
	if oldest == nil {
		return ""
	}
	return Spell(max(now.Sub(*oldest), 0))
}

// JobView is one piece of work that did not go well.
type JobView struct {
	ID        int64         `json:"id"`
	Kind      string        `json:"kind"`
	Title     string        `json:"title"`
	State     jobs.JobState `json:"state" enum:"retryable,discarded,cancelled"`
	Args      string        `json:"args" doc:"JSON, ids only."`
	Attempt   int           `json:"attempt"`
	Most      int           `json:"most" doc:"Attempts in all."`
	CreatedAt time.Time     `json:"createdAt"`
	NextAt    *time.Time    `json:"nextAt,omitempty" doc:"When it is tried again by itself."`
	TriedAt   *time.Time    `json:"triedAt,omitempty"`
	Error     string        `json:"error"`
}

// JobFilter narrows the list of work that did not go well.
type JobFilter struct {
	Kind   string
	State  jobs.JobState
	Cursor string
	Limit  int
}

// FailedJobs returns a page of the work that did not go well, newest first, and the cursor of the next page. It needs
// operations.view.
func (s *Service) FailedJobs(ctx context.Context, actor access.Actor, f JobFilter) ([]JobView, string, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, "", err
	}
	before, limit, err := pageOf(f.Cursor, f.Limit)
	if err != nil {
		return nil, "", err
	}
	rows, err := s.Queue.Failed(ctx, jobs.JobFilter{Kind: f.Kind, State: f.State, Before: before, Limit: limit + 1})
	if err != nil {
		return nil, "", fmt.Errorf("list failed jobs: %w", err)
	}
	rows, next := page(rows, limit, func(j jobs.Job) int64 { return j.ID })
	views := make([]JobView, 0, len(rows))
	for _, j := range rows {
		v := JobView{ID: j.ID, Kind: j.Kind, Title: KindTitle(j.Kind), State: j.State, Args: j.Args, Attempt: j.Attempt, Most: j.Most, CreatedAt: j.CreatedAt, TriedAt: utc(j.TriedAt), Error: j.Error}
		if j.State == jobs.JobRetrying {
			v.NextAt = &j.ScheduledAt
		}
		views = append(views, v)
	}
	return views, next, nil
}

// RetryJob has work that failed done again at once. It needs operations.manage and a reason, and returns jobs.ErrNoJob or
// jobs.ErrJobSolved.
func (s *Service) RetryJob(ctx context.Context, actor access.Actor, id int64, reason, key string) error {
	return s.settle(ctx, actor, idempotency.Command{Operation: "operations.retry_job", Key: key}, id, "重试", reason, s.Queue.RetryJob)
}

// DropJob gives up work that failed: it is never done. It needs operations.manage and a reason, and returns jobs.ErrNoJob
// or jobs.ErrJobSolved.
func (s *Service) DropJob(ctx context.Context, actor access.Actor, id int64, reason, key string) error {
	return s.settle(ctx, actor, idempotency.Command{Operation: "operations.drop_job", Key: key}, id, "放弃", reason, s.Queue.DropJob)
}

func (s *Service) settle(ctx context.Context, actor access.Actor, cmd idempotency.Command, id int64, verb, reason string, fn func(ctx context.Context, tx bun.Tx, id int64) (jobs.Job, error)) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	cmd.Actor, cmd.Request = actor, map[string]any{"id": id, "reason": reason}
	_, err := s.once(ctx, cmd, func(ctx context.Context, tx bun.Tx) (int64, error) {
		j, err := fn(ctx, tx, id)
		if err != nil {
			return 0, err
		}
		return id, audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: cmd.Operation, Object: "job", ObjectID: id, Summary: verb + "后台工作“" + KindTitle(j.Kind) + "”",
			Detail: map[string]string{"kind": j.Kind, "args": j.Args, "error": cut(j.Error, 300), "reason": reason}})
	})
	return err
}
