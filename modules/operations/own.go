package operations

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/jobs"
)

// own are the checks of what the module itself stands on.
func (s *Service) own() []Check {
	return []Check{
		{Code: "database", Group: "运行环境", Title: "数据库响应", Unit: "毫秒", Warn: 500, Bad: 3000,
			Advice: "请检查数据库所在磁盘和服务器负载；如为外部数据库，请检查网络和数据库服务。", Measure: s.measureDatabase},
		{Code: "clock", Group: "运行环境", Title: "系统时钟",
			Advice: "请在服务器上检查时间同步服务（chronyd 或 ntpd），确认时间正确后再办理有时限的业务。", Measure: s.measureClock},
		{Code: "inspection", Group: "运行环境", Title: "巡检间隔", Unit: "秒", Warn: 120, Bad: 600,
			Advice: "此前一段时间没有巡检，服务可能停止过、数据库不可用或时钟被调整，请查看服务日志，确认是否为计划内停机并核对服务器时间。", Measure: s.measureGap},
		{Code: "requests", Group: "运行环境", Title: "请求出错率", Unit: "%", Warn: 1, Bad: 5,
			Advice: "请在服务日志中按 status 500 查找出错的地址和原因，必要时联系开发维护单位。", Measure: s.measureRequests},
		{Code: "queue", Group: "后台工作", Title: "后台工作等待时间", Unit: "秒", Warn: 60, Bad: 600,
			Advice: "请确认后台服务在运行；如积压持续增加，请在“后台队列”查看是哪一类工作，必要时增加处理进程。", Measure: s.measureQueue},
		{Code: "jobs", Group: "后台工作", Title: "失败的后台工作", Unit: "项", Warn: 1, Bad: 20,
			Advice: "请在“后台队列”查看失败原因，处理后重试，确认不需要的写明原因后放弃。", Measure: s.measureJobs},
		{Code: "tasks", Group: "后台工作", Title: "定时任务",
			Advice: "请在“定时任务”查看失败原因，处理后重试。", Measure: s.measureTasks},
	}
}

// measureDatabase times one read and one durable write.
func (s *Service) measureDatabase(ctx context.Context) (Reading, error) {
	begin := s.Elapsed()
	if err := s.DB.Ping(ctx); err != nil {
		return Reading{State: Bad, Text: "数据库没有应答"}, nil
	}
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*stateRow)(nil)).Set("checked_at = checked_at").Where("code = ?", "database").Exec(ctx)
		return err
	})
	if err != nil {
		return Reading{State: Bad, Text: "数据库不能写入：" + cut(err.Error(), 150)}, nil
	}
	took := (s.Elapsed() - begin).Milliseconds()
	return Reading{Value: took, Text: fmt.Sprintf("读写一次用时 %d 毫秒", took)}, nil
}

const (
	// clockJump is from when a step of the clock is told, jumpHold how long it stays on the page.
	clockJump = 10 * time.Second
	jumpHold  = 10 * time.Minute
)

// A clock set forward by HoldFrom or more holds what is done by the clock back for HoldFor. So does a start that long after the
// last inspection: HoldFromStop is more than a planned stop takes, and nobody can tell a longer one from a clock set meanwhile.
const (
	HoldFrom     = 5 * time.Minute
	HoldFor      = 10 * time.Minute
	HoldFromStop = time.Hour
)

// measureClock compares the clock with one that nobody sets, and with the database server's.
func (s *Service) measureClock(ctx context.Context) (Reading, error) {
	s.mu.Lock()
	wall, steady := s.Clock.Now(), s.Elapsed()
	jump := time.Duration(0)
	if s.looked {
		jump = wall.Sub(s.wall) - (steady - s.steady)
	}
	first := !s.looked
	s.looked, s.wall, s.steady = true, wall, steady
	s.mu.Unlock()
	if first { // the clock may have been set while nothing ran
		last, err := s.LastInspection(ctx)
		if err != nil {
			return Reading{}, err
		}
		if back := last.Sub(wall); back >= time.Minute {
			return Reading{State: Bad, Hold: jumpHold, Text: fmt.Sprintf("系统时钟比上次巡检时早 %s，可能在停机期间被调慢", Spell(back))}, nil
		}
	}
	if jump.Abs() >= clockJump {
		way := "调快"
		if jump < 0 {
			way = "调慢"
		}
		said := fmt.Sprintf("系统时钟在 %s 被%s %s", clock.Show(wall), way, Spell(jump))
		if jump >= HoldFrom {
			said += fmt.Sprintf("，定时任务暂停 %s，请在此之前校准时间", Spell(HoldFor))
		}
		return Reading{State: Bad, Hold: jumpHold, Text: said}, nil
	}
	if s.DB.Kind() != database.Postgres {
		return Reading{Text: "没有发现跳变"}, nil
	}
	// Two machines' clocks, of which a fake one is none.
	var theirs time.Time
	if err := s.DB.Read().NewRaw("SELECT clock_timestamp()").Scan(ctx, &theirs); err != nil {
		return Reading{}, err
	}
	switch skew := time.Since(theirs); {
	case skew.Abs() >= time.Minute:
		return Reading{State: Bad, Text: "与数据库服务器的时钟相差 " + Spell(skew)}, nil
	case skew.Abs() >= 5*time.Second:
		return Reading{State: Warn, Text: "与数据库服务器的时钟相差 " + Spell(skew)}, nil
	}
	return Reading{Text: "没有发现跳变，与数据库服务器一致"}, nil
}

// measureGap says how long ago the last inspection was.
func (s *Service) measureGap(ctx context.Context) (Reading, error) {
	last, err := s.LastInspection(ctx)
	if err != nil || last.IsZero() {
		return Reading{Text: "首次巡检"}, err
	}
	gap := max(s.Clock.Now().Sub(last), 0)
	r := Reading{Value: int64(gap / time.Second), Text: "距上次巡检 " + Spell(gap)}
	if gap >= HoldFromStop && s.Elapsed() < HoldFor {
		r.Text += fmt.Sprintf("，服务刚刚启动，定时任务暂停 %s，请核对服务器时间", Spell(HoldFor))
	}
	return r, nil
}

// fewRequests is below how many a rate of errors says nothing.
const fewRequests = 20

func (s *Service) measureRequests(ctx context.Context) (Reading, error) {
	now := s.Clock.Now()
	t, err := s.trafficBetween(ctx, now.Add(-2*slot), now)
	if err != nil {
		return Reading{}, err
	}
	r := Reading{Text: fmt.Sprintf("近 20 分钟处理 %d 次请求，出错 %d 次", t.Requests, t.Failed)}
	if t.Requests >= fewRequests {
		r.Value = t.Failed * 100 / t.Requests
	}
	return r, nil
}

func (s *Service) measureQueue(ctx context.Context) (Reading, error) {
	counts, err := s.Queue.Counts(ctx)
	if err != nil {
		return Reading{}, err
	}
	now, total := s.Clock.Now(), int64(0)
	var oldest *time.Time
	kind := ""
	for _, c := range counts {
		total += c.Waiting
		if c.Oldest != nil && (oldest == nil || c.Oldest.Before(*oldest)) {
			oldest, kind = c.Oldest, c.Kind
		}
	}
	if oldest == nil {
		return Reading{Text: "没有等待的工作"}, nil
	}
	age := max(now.Sub(*oldest), 0)
	return Reading{Value: int64(age / time.Second), Text: fmt.Sprintf("%d 项等待，最久 %s（%s）", total, Spell(age), KindTitle(kind))}, nil
}

func (s *Service) measureJobs(ctx context.Context) (Reading, error) {
	counts, err := s.Queue.Counts(ctx)
	if err != nil {
		return Reading{}, err
	}
	var dead, retrying int64
	for _, c := range counts {
		dead, retrying = dead+c.Dead, retrying+c.Retrying
	}
	return Reading{Value: dead, Text: fmt.Sprintf("失败 %d 项，等待自动重试 %d 项", dead, retrying)}, nil
}

// measureTasks looks at the newest run of each task. One of an interval may fail twice: its next tick comes soon.
func (s *Service) measureTasks(ctx context.Context) (Reading, error) {
	failing, err := s.Scheduler.Failing(ctx)
	if err != nil {
		return Reading{}, err
	}
	if len(failing) == 0 {
		return Reading{Text: "最近一次执行均成功"}, nil
	}
	r := Reading{State: Warn}
	var parts []string
	for _, t := range failing {
		if t.Cron != "" || allFailed(t.Recent) {
			r.State = Bad
		}
		part := "“" + t.Title + "”执行失败"
		if t.Failure != "" {
			part += "：" + strings.TrimRight(t.Failure, "。")
		}
		parts = append(parts, part)
	}
	r.Text = cut(strings.Join(parts, "；"), 400)
	return r, nil
}

func allFailed(runs []jobs.TaskRun) bool {
	for _, r := range runs {
		if r.State != jobs.RunFailed {
			return false
		}
	}
	return len(runs) == 3
}
