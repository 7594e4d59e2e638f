package server

import (
	"context"
	"os"
	"time"

	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/jobs"
)

// joinAudit gives the log its sealer, its checks, its anchors and its receiver.
func (h *house) joinAudit(c Config, p parts) error {
	h.sealer = &audit.Sealer{DB: h.db, Log: p.log, Signer: h.box, Clock: p.clock}
	h.background = append(h.background, h.sealer.Run)
	checker := audit.Checker{DB: h.db, Clock: p.clock, Signer: h.box, Dir: c.anchorDir()}
	anchors := audit.Anchors{DB: h.db, Clock: p.clock, Signer: h.box, Dir: c.anchorDir()}
	check := func(whole bool) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			r, err := checker.Check(ctx, whole)
			jobs.Note(ctx, "核对 %d 条，共 %d 条，锚点 %d 个相符", r.Sealed, r.Total, r.Anchors)
			return err
		}
	}
	const failure = "审计日志与封印不符，可能被改动。请立即报告安全管理员，保留现场，按《审计日志》手册处理。"
	h.tasks = append(h.tasks,
		jobs.Task{Name: "audit.anchor", Title: "写审计日志锚点", Cron: "5 0 * * *", Timeout: 10 * time.Minute, Run: func(ctx context.Context) error {
			name, err := anchors.Write(ctx)
			jobs.Note(ctx, "%s", name)
			return err
		}, Failure: "当天的锚点文件没有写成，请检查锚点目录是否可写、是否已有内容不同的同名文件。"},
		jobs.Task{Name: "audit.check", Title: "核对新增审计日志", Every: time.Hour, Run: check(false), Failure: failure},
		jobs.Task{Name: "audit.check_all", Title: "核对全部审计日志", Cron: "40 4 * * 0", Run: check(true), Failure: failure},
	)
	s := c.Audit.Syslog
	if s.Address == "" {
		return nil
	}
	config, err := s.tls()
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "-"
	}
	shipper := &audit.Shipper{DB: h.db, Clock: p.clock, Log: p.log, Address: s.Address, TLS: config, Host: host}
	h.background = append(h.background, shipper.Run)
	return nil
}
