package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/web"
)

// processName is what this process is called in histories.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// newScheduler makes the scheduler of this process. On SQLite no other process works.
func newScheduler(db *database.DB, c Config, p parts, workers *jobs.Workers) *jobs.Scheduler {
	return jobs.NewScheduler(jobs.SchedulerOptions{
		DB: db, Clock: p.clock, Log: p.log, Process: processName(), Alone: db.Kind() == database.SQLite, Lease: c.Jobs.lease(),
	}, workers)
}

// joinOperations makes what the person on duty works with, and tells it what each module knows about itself.
func (h *house) joinOperations(c Config, p parts) {
	c.Backup.fill(c.Data)
	h.operations = operations.New(operations.Deps{
		DB: h.db, Clock: p.clock, Log: p.log, Scheduler: h.scheduler, Queue: h.queue, Duty: duty{h, p.log}, Elapsed: p.elapsed,
		Checks: h.checks(c), Backlogs: h.backlogs(), Sources: h.reportSources(),
		Options: operations.Options{RepeatAfter: c.Operations.repeatAfter(), ReportCron: c.Operations.Report},
	})
	h.tasks = append(h.tasks, h.operations.Tasks()...)
	if h.db.Kind() == database.SQLite {
		h.tasks = append(h.tasks, jobs.Task{Name: "database.optimize", Title: "更新查询统计信息", Cron: "10 3 * * *", Timeout: time.Hour, Run: h.db.Optimize,
			Failure: "数据量大时查询可能变慢，请检查磁盘空间，次日会自动重试。"})
	}
	h.everywhere = append(h.everywhere, h.operations.Guard, h.countRequests)
}

// countRequests adds what this process answers to the books of the installation until ctx ends.
func (h *house) countRequests(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	var told web.Traffic
	for {
		last := false
		select {
		case <-ctx.Done():
			last = true
		case <-tick.C:
		}
		now := h.web.Traffic()
		// Nothing is lost by a failure: the next round adds it.
		if err := h.operations.Record(context.WithoutCancel(ctx), operations.Traffic(now.Since(told))); err == nil {
			told = now
		}
		if last {
			return nil
		}
	}
}

// duty tells whoever is on duty through the message centre.
type duty struct {
	*house

	log *slog.Logger
}

var _ operations.Duty = duty{}

// Tell writes a message, and for an alarm a text message, to everybody on duty.
func (d duty) Tell(ctx context.Context, tx bun.Tx, n operations.Notice) error {
	to, err := d.identity.UsersWith(ctx, tx, operations.PermDuty)
	if err != nil {
		return err
	}
	for _, user := range to {
		err := d.messages.Notify(ctx, tx, message.Notice{Key: "operations:" + n.Key, UserID: user, Template: "operations." + string(n.Occasion), Link: n.Link,
			Params: map[string]string{"item": n.Title, "text": n.Text, "advice": n.Advice, "lasted": n.Lasted}})
		if errors.Is(err, message.ErrTemplate) {
			d.log.Error("an alarm without a message", "occasion", n.Occasion, "error", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// backlogs are what waits in the modules.
func (h *house) backlogs() []operations.Backlog {
	return []operations.Backlog{
		{Code: "pushes", Title: "未送达的推送", Page: "/exchange/deliveries", Count: func(ctx context.Context) (operations.Amount, error) {
			st, err := h.exchange.Standing(ctx)
			return operations.Amount{Waiting: st.Waiting + st.Dead, Oldest: st.Oldest, Stuck: st.Dead, Note: strings.Join(st.Down, "、")}, err
		}},
		{Code: "letters", Title: "未发出的短信和微信", Page: "/message-letters", Count: func(ctx context.Context) (operations.Amount, error) {
			st, err := h.messages.Standing(ctx)
			return operations.Amount{Waiting: st.Waiting + st.Unknown, Oldest: st.Oldest, Stuck: st.Unknown, Note: "结果不明的须核实后处理"}, err
		}},
		{Code: "audit", Title: "未封印的审计日志", Page: "/system/audit", Count: func(ctx context.Context) (operations.Amount, error) {
			t, err := audit.Unsealed(ctx, h.db.Read())
			return operations.Amount{Waiting: t.Unsealed, Oldest: t.Oldest}, err
		}},
		{Code: "events", Title: "未处理的业务事件", Count: func(ctx context.Context) (operations.Amount, error) {
			lags, err := h.feed.Lag(ctx)
			var a operations.Amount
			for _, l := range lags {
				a.Waiting += l.Waiting
				if l.Oldest != nil && (a.Oldest == nil || l.Oldest.Before(*a.Oldest)) {
					a.Oldest, a.Note = l.Oldest, listenerTitle(l.Listener)
				}
			}
			return a, err
		}},
		{Code: "files", Title: "不能下载的附件", Count: func(ctx context.Context) (operations.Amount, error) {
			st, err := h.uploads.Standing(ctx)
			return operations.Amount{Waiting: st.Waiting + st.Quarantined, Oldest: st.Oldest, Note: fmt.Sprintf("等待查毒 %d 个，已隔离 %d 个", st.Waiting, st.Quarantined)}, err
		}},
	}
}

// reportSources are the figures of the daily report that the modules know.
func (h *house) reportSources() []operations.Source {
	n := operations.Number
	return []operations.Source{
		{Title: "业务", Figures: func(ctx context.Context, from, to time.Time) ([]operations.Figure, error) {
			c, err := event.Counts(ctx, h.db.Read(), from, to)
			return []operations.Figure{
				n("受理工单", c["ticket.opened"], ""), n("办结工单", c["ticket.closed"], ""), n("提交申请", c["application.submitted"], ""),
				n("办结申请", c["application.completed"], ""), n("企业认证通过", c["enterprise.verified"], ""),
			}, err
		}},
		{Title: "消息与对接", Figures: func(ctx context.Context, from, to time.Time) ([]operations.Figure, error) {
			o, err := h.messages.Between(ctx, from, to)
			if err != nil {
				return nil, err
			}
			delivered, err := h.exchange.Settled(ctx, from, to)
			if err != nil {
				return nil, err
			}
			st, err := h.exchange.Standing(ctx)
			return []operations.Figure{
				n("短信已发送", o.Sent, ""), n("短信未送出", o.Refused, ""), n("短信结果不明", o.Unknown, ""), n("推送已送达", delivered, ""), n("推送已停止", st.Dead, "生成报告时"),
			}, err
		}},
		{Title: "备份", Figures: func(ctx context.Context, _, _ time.Time) ([]operations.Figure, error) {
			last, err := h.backups.LastBackup(ctx)
			if err != nil {
				return nil, err
			}
			f := operations.Figure{Label: "最近一次验证通过", Value: "无", Note: last.Problem(h.clock.Now())}
			if last.VerifiedAt != nil {
				f.Value = operations.Spell(h.age(last.VerifiedAt)) + "前"
			}
			return []operations.Figure{f}, nil
		}},
	}
}
