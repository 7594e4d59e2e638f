package operations

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/web"
)

const tag = "运行维护"

type (
	tasksOutput      struct{ Body TasksView }
	runsOutput       struct{ Body web.List[RunView] }
	runOutput        struct{ Body RunView }
	queuesOutput     struct{ Body QueuesView }
	failedJobsOutput struct{ Body web.List[JobView] }
	healthOutput     struct{ Body HealthView }
	incidentsOutput  struct{ Body web.List[IncidentView] }
	incidentOutput   struct{ Body IncidentView }
	reportsOutput    struct{ Body web.List[ReportItem] }
	reportOutput     struct{ Body Report }
)

type runListInput struct {
	web.Listing
	Task  string        `query:"task" maxLength:"100"`
	State jobs.RunState `query:"state" enum:"waiting,running,done,failed"`
	From  time.Time     `query:"from" doc:"Of the time a run is for, inclusive."`
	Until time.Time     `query:"until" doc:"Exclusive."`
}

type numbered struct {
	ID int64 `path:"id"`
}

type taskRunInput struct {
	web.Keyed
	Name string `path:"name" maxLength:"100"`
}

type taskPauseInput struct {
	web.Keyed
	Name string `path:"name" maxLength:"100"`
	Body struct {
		Reason string `json:"reason" minLength:"2" maxLength:"200"`
	}
}

type runRetryInput struct {
	web.Keyed
	ID int64 `path:"id"`
}

type jobListInput struct {
	web.Listing
	Kind  string        `query:"kind" maxLength:"100"`
	State jobs.JobState `query:"state" enum:"retryable,discarded,cancelled"`
}

type jobSettleInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"2" maxLength:"200"`
	}
}

type limitsInput struct {
	web.Keyed
	Code string `path:"code" maxLength:"100"`
	Body struct {
		Warn  int64 `json:"warn" minimum:"0" maximum:"1000000000"`
		Bad   int64 `json:"bad" minimum:"0" maximum:"1000000000"`
		Reset bool  `json:"reset,omitempty" doc:"Take the limits of the program again; warn and bad are not looked at."`
	}
}

type incidentListInput struct {
	web.Listing
	Code string `query:"code" maxLength:"100"`
	Open bool   `query:"open"`
}

type acknowledgeInput struct {
	web.Keyed
	ID   int64 `path:"id"`
	Body struct {
		Note string `json:"note" minLength:"2" maxLength:"500"`
	}
}

// Register adds the operations of the module to the API.
func Register(api huma.API, s *Service) {
	view, manage, duty := access.Require(PermView), access.Require(PermManage), access.Require(PermDuty)
	op := func(method, path, summary string, rule access.Rule) huma.Operation {
		return web.Operation{Method: method, Path: "/api/operations/" + path, Summary: summary, Tag: tag, Access: rule}.Huma()
	}
	huma.Register(api, op("GET", "tasks", "定时任务", view), func(ctx context.Context, _ *struct{}) (*tasksOutput, error) {
		v, err := s.ListTasks(ctx, access.From(ctx))
		return &tasksOutput{v}, err
	})
	huma.Register(api, op("GET", "task-runs", "定时任务执行记录", view), func(ctx context.Context, in *runListInput) (*runsOutput, error) {
		items, next, err := s.ListRuns(ctx, access.From(ctx), RunFilter{Task: in.Task, State: in.State, From: in.From, Until: in.Until, Cursor: in.Cursor, Limit: in.Limit})
		return &runsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("GET", "task-runs/{id}", "一次执行", view), func(ctx context.Context, in *numbered) (*runOutput, error) {
		v, err := s.FindRun(ctx, access.From(ctx), in.ID)
		return &runOutput{v}, err
	})
	huma.Register(api, op("POST", "tasks/{name}/run", "立即执行定时任务", manage), func(ctx context.Context, in *taskRunInput) (*runOutput, error) {
		v, err := s.RunTask(ctx, access.From(ctx), in.Name, in.Key)
		return &runOutput{v}, err
	})
	huma.Register(api, op("POST", "task-runs/{id}/retry", "重试失败的执行", manage), func(ctx context.Context, in *runRetryInput) (*runOutput, error) {
		v, err := s.RetryRun(ctx, access.From(ctx), in.ID, in.Key)
		return &runOutput{v}, err
	})
	done := func(method, path, summary string, rule access.Rule) huma.Operation {
		o := op(method, path, summary, rule)
		o.DefaultStatus = http.StatusNoContent
		return o
	}
	huma.Register(api, done("POST", "tasks/{name}/pause", "暂停定时任务", manage), func(ctx context.Context, in *taskPauseInput) (*struct{}, error) {
		return nil, s.PauseTask(ctx, access.From(ctx), in.Name, in.Body.Reason, in.Key)
	})
	huma.Register(api, done("POST", "tasks/{name}/resume", "恢复定时任务", manage), func(ctx context.Context, in *taskPauseInput) (*struct{}, error) {
		return nil, s.ResumeTask(ctx, access.From(ctx), in.Name, in.Body.Reason, in.Key)
	})
	huma.Register(api, op("GET", "queues", "后台队列与积压", view), func(ctx context.Context, _ *struct{}) (*queuesOutput, error) {
		v, err := s.Queues(ctx, access.From(ctx))
		return &queuesOutput{v}, err
	})
	huma.Register(api, op("GET", "jobs", "未成功的后台工作", view), func(ctx context.Context, in *jobListInput) (*failedJobsOutput, error) {
		items, next, err := s.FailedJobs(ctx, access.From(ctx), JobFilter{Kind: in.Kind, State: in.State, Cursor: in.Cursor, Limit: in.Limit})
		return &failedJobsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, done("POST", "jobs/{id}/retry", "重试后台工作", manage), func(ctx context.Context, in *jobSettleInput) (*struct{}, error) {
		return nil, s.RetryJob(ctx, access.From(ctx), in.ID, in.Body.Reason, in.Key)
	})
	huma.Register(api, done("POST", "jobs/{id}/drop", "放弃后台工作", manage), func(ctx context.Context, in *jobSettleInput) (*struct{}, error) {
		return nil, s.DropJob(ctx, access.From(ctx), in.ID, in.Body.Reason, in.Key)
	})
	huma.Register(api, op("GET", "health", "系统健康", view), func(ctx context.Context, _ *struct{}) (*healthOutput, error) {
		v, err := s.Health(ctx, access.From(ctx))
		return &healthOutput{v}, err
	})
	huma.Register(api, done("POST", "health/{code}/limits", "调整告警阈值", manage), func(ctx context.Context, in *limitsInput) (*struct{}, error) {
		return nil, s.SetLimits(ctx, access.From(ctx), SetLimits{Code: in.Code, Warn: in.Body.Warn, Bad: in.Body.Bad, Reset: in.Body.Reset, Key: in.Key})
	})
	huma.Register(api, op("GET", "incidents", "异常事件", view), func(ctx context.Context, in *incidentListInput) (*incidentsOutput, error) {
		items, next, err := s.Incidents(ctx, access.From(ctx), IncidentFilter{Code: in.Code, Open: in.Open, Cursor: in.Cursor, Limit: in.Limit})
		return &incidentsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("POST", "incidents/{id}/acknowledge", "登记已知悉", duty), func(ctx context.Context, in *acknowledgeInput) (*incidentOutput, error) {
		v, err := s.Acknowledge(ctx, access.From(ctx), in.ID, in.Body.Note, in.Key)
		return &incidentOutput{v}, err
	})
	huma.Register(api, op("GET", "reports", "系统健康状态报告", view), func(ctx context.Context, in *struct{ web.Listing }) (*reportsOutput, error) {
		items, next, err := s.Reports(ctx, access.From(ctx), in.Cursor, in.Limit)
		return &reportsOutput{web.NewList(items, next)}, err
	})
	huma.Register(api, op("GET", "reports/{id}", "一份系统健康状态报告", view), func(ctx context.Context, in *numbered) (*reportOutput, error) {
		v, err := s.Report(ctx, access.From(ctx), in.ID)
		return &reportOutput{v}, err
	})
}
