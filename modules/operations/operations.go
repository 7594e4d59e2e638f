package operations

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
)

// The permissions of the module.
const (
	PermView   access.Permission = "operations.view"
	PermManage access.Permission = "operations.manage"
	PermDuty   access.Permission = "operations.duty"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "运行维护", Label: "查看任务、队列和系统健康"},
		{Name: PermManage, Group: "运行维护", Label: "执行和暂停任务、处理失败工作、调整告警阈值"},
		{Name: PermDuty, Group: "运行维护", Label: "值班：接收系统告警、登记已知悉"},
	}
}

// The faults of the module.
var (
	ErrNoCheck  = fault.New(fault.NotFound, "CHECK_UNKNOWN", "没有这项检查，它可能已在新版本中取消")
	ErrNoLimits = fault.New(fault.Conflict, "CHECK_FIXED", "这项检查没有可以调整的阈值")
	ErrClosed   = fault.New(fault.Conflict, "INCIDENT_CLOSED", "该异常已恢复，无需再登记，请刷新页面查看")
	ErrKnown    = fault.New(fault.Conflict, "INCIDENT_KNOWN", "该异常已有人登记知悉，请刷新页面查看")
	ErrLimits   = fault.InvalidField("bad", "LIMITS", "异常阈值应当比注意阈值更严重，且都不小于 0，请核对两个数字")
)

// Deps are what the module needs.
type Deps struct {
	DB        *database.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Scheduler *jobs.Scheduler
	Queue     *jobs.Queue
	Duty      Duty
	Checks    []Check
	Backlogs  []Backlog
	Sources   []Source
	Options   Options
	// Elapsed is how long the process has run by a clock that nobody sets; nil is the machine's.
	Elapsed func() time.Duration
}

// Options are what an installation sets.
type Options struct {
	// RepeatAfter is how long an incident that nobody has acknowledged stays silent after an alarm.
	RepeatAfter time.Duration
	// ReportCron says when the daily report is made: five cron fields, Asia/Shanghai.
	ReportCron string
}

// Duty tells the people on duty, in the caller's transaction. A repeat of the key is dropped.
type Duty interface {
	Tell(ctx context.Context, tx bun.Tx, n Notice) error
}

// Occasion is why the people on duty are told something.
type Occasion string

// The occasions.
const (
	Alarmed   Occasion = "alarm"
	Repeated  Occasion = "repeated"
	Recovered Occasion = "recovered"
	Reported  Occasion = "report"
)

// Notice is what the people on duty are told.
type Notice struct {
	Occasion Occasion
	Key      string
	Title    string // of the check, or the day of the report
	Text     string // what was measured
	Advice   string // what to do
	Lasted   string // of a recovered or repeated incident
	Link     string
}

// Service is the module.
type Service struct {
	Deps

	checks  []Check
	hanging sync.Map // codes of checks whose last look did not come back yet

	mu     sync.Mutex // of what follows: the clock as it was looked at last
	looked bool
	wall   time.Time
	steady time.Duration
}

// New makes the service. It panics when something of Deps is missing or a check is described badly: that is a mistake in
// the program.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Log == nil || d.Scheduler == nil || d.Queue == nil || d.Duty == nil {
		panic("operations: Deps is not complete")
	}
	if d.Elapsed == nil {
		start := time.Now()
		d.Elapsed = func() time.Duration { return time.Since(start) }
	}
	s := &Service{Deps: d}
	s.checks = append(s.own(), d.Checks...)
	seen, groups := map[string]bool{}, map[string]int{}
	for _, c := range s.checks {
		if _, known := groups[c.Group]; !known {
			groups[c.Group] = len(groups)
		}
		if err := c.valid(); err != nil {
			panic("operations: " + err.Error())
		}
		if seen[c.Code] {
			panic("operations: check " + c.Code + " appears twice")
		}
		seen[c.Code] = true
	}
	if s.longest() > alarmWithin-alarmLeaves {
		panic(fmt.Sprintf("operations: an alarm may take %s", s.longest()))
	}
	slices.SortStableFunc(s.checks, func(a, b Check) int { return groups[a.Group] - groups[b.Group] })
	return s
}

// An alarm is out within a minute of what it is about (alarmWithin, of which alarmLeaves is for the message to go): every
// check is measured each inspectEvery, and when nobody has for guardAfter, the guard does, which looks each GuardEvery.
const (
	inspectEvery = 15 * time.Second
	guardAfter   = 25 * time.Second
	GuardEvery   = 5 * time.Second
	alarmWithin  = time.Minute
	alarmLeaves  = 5 * time.Second
)

// longest is the most that passes from a fault to its alarm being written: it comes just after its check was looked at, that
// inspection and the next one take as long as they may, and the tick of the next one is lost, so that a sweep begins it.
func (s *Service) longest() time.Duration {
	looking := s.measureLongest()
	return max(max(looking, inspectEvery)+s.Scheduler.SweepEvery(), guardAfter+GuardEvery) + looking
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{
		{Name: "operations.inspect", Title: "系统健康巡检和告警", Every: inspectEvery, Timeout: time.Minute, Always: true,
			Failure: "系统健康没有巡检，异常可能不会告警。请查看错误信息，必要时重启服务。",
			Run:     s.Inspect},
		{Name: "operations.report", Title: "生成《系统健康状态报告》", Cron: s.Options.ReportCron, Timeout: 10 * time.Minute,
			Failure: "当天没有生成系统健康状态报告。请查看错误信息，处理后点击“立即执行”。",
			Run: func(ctx context.Context) error {
				day, made, err := s.MakeReport(ctx)
				if err == nil && made {
					jobs.Note(ctx, "已生成 %s 的报告", day)
				} else if err == nil {
					jobs.Note(ctx, "%s 的报告已经生成过", day)
				}
				return err
			}},
		{Name: "operations.tidy", Title: "清理过期的运行记录", Cron: "50 3 * * *", Run: s.tidy},
	}
}

// Guard inspects when the scheduler does not: what watches over everything must not hang on one part of it. It returns when
// ctx ends.
func (s *Service) Guard(ctx context.Context) error {
	tick := time.NewTicker(GuardEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.InspectIfLate(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("inspect the system's health", "error", err)
		}
	}
}

// InspectIfLate inspects when nobody has for a while. Guard calls it; a test with its own clock may.
func (s *Service) InspectIfLate(ctx context.Context) error {
	last, err := s.LastInspection(ctx)
	if err != nil || !last.IsZero() && s.Clock.Now().Sub(last).Abs() < guardAfter {
		return err
	}
	return s.Inspect(ctx)
}

// once runs a command in a transaction; a repeat of the key answers with the first outcome.
func (s *Service) once(ctx context.Context, cmd idempotency.Command, fn func(ctx context.Context, tx bun.Tx) (int64, error)) (int64, error) {
	var id int64
	cmd.Now = s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		id, err = idempotency.Do(ctx, tx, cmd, func() (int64, error) {
			return fn(ctx, tx)
		})
		return err
	})
	return id, err
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
