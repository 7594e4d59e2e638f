package server

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/disk"

	"github.com/huiqi/huiqi/modules/appraisal"
	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/modules/quality"
	"github.com/huiqi/huiqi/platform/audit"
)

// checks are the rules of health that the modules know about.
func (h *house) checks(c Config) []operations.Check {
	folder := c.Data
	type check = operations.Check
	return []check{
		{Code: "disk", Group: "运行环境", Title: "磁盘剩余空间", Unit: "%", Less: true, Warn: 15, Bad: 5,
			Advice:  "请清理服务器磁盘或扩容；空间用尽后，新的提交将无法保存。",
			Measure: func(context.Context) (operations.Reading, error) { return measureDisk(folder, c.Backup.To) }},
		{Code: "listeners", Group: "后台工作", Title: "业务事件处理延迟", Unit: "秒", Warn: 60, Bad: 300,
			Advice: "消息、推送等由业务事件触发，处理停滞时不会发出。请查看服务日志中的 events 错误，处理后自动继续。", Measure: h.measureListeners},
		h.searchCheck(),
		h.companiesCheck(),
		{Code: "backup", Group: "数据安全", Title: "备份", Unit: "小时", Warn: 26, Bad: 50,
			Advice: "请在“备份”查看原因，处理后点击“立即备份”；在备份恢复之前，请勿升级或调整服务器。", Measure: h.measureBackup},
		{Code: "audit_tail", Group: "数据安全", Title: "审计日志封印", Unit: "秒", Warn: 60, Bad: 300,
			Advice: "审计日志应在写入后数秒内封印。请查看服务日志中的 seal audit 错误，必要时重启服务。", Measure: h.measureSeals},
		{Code: "audit_verify", Group: "数据安全", Title: "审计日志核对", Unit: "小时", Warn: 6, Bad: 48,
			Advice: "请在“定时任务”查看“核对新增审计日志”的结果；如与封印不符，请联系审计管理员和安全管理员，保留现场。", Measure: h.measureVerify},
		{Code: "sms", Group: "消息与对接", Title: "短信失败率", Unit: "%", Warn: 10, Bad: 30,
			Advice: "请在“消息—发送记录”查看返回码，核对短信账户余额、签名和模板。", Measure: h.measureTexts},
		{Code: "letters", Group: "消息与对接", Title: "消息未发出时间", Unit: "秒", Warn: 300, Bad: 1800,
			Advice: "请确认服务器能够访问短信和微信服务商，并在“消息—发送记录”查看原因。", Measure: h.measureLetters},
		{Code: "letters_unknown", Group: "消息与对接", Title: "结果不明的消息", Unit: "条", Warn: 1, Bad: 50,
			Advice: "请在“消息—发送记录”筛选“结果不明”，向本人核实后处理。", Measure: h.measureUnknown},
		{Code: "pushes_dead", Group: "消息与对接", Title: "已停止的推送", Unit: "件", Warn: 1, Bad: 10,
			Advice: "请在“数据回流—推送记录”筛选“已停止”，与对接方核实后重推或跳过。", Measure: h.measureDeadPushes},
		{Code: "pushes", Group: "消息与对接", Title: "推送等待时间", Unit: "秒", Warn: 600, Bad: 3600,
			Advice: "请联系对接方核实其接口是否正常；系统会自动重试。", Measure: h.measurePushes},
		{Code: "scanner", Group: "文件", Title: "附件等待查毒时间", Unit: "秒", Warn: 600, Bad: 3600,
			Advice: "请检查查毒服务 clamd 是否运行；恢复后自动继续，期间附件不能下载。", Measure: h.measureScanner},
		{Code: "duty", Group: "值班", Title: "值班人员",
			Advice: "请由安全管理员在“系统—角色”为值班人员的角色勾选“值班：接收系统告警、登记已知悉”。", Measure: h.measureDuty},
	}
}

// measureDisk looks at the folders' disks; the fullest counts. A folder that is missing is on a disk that is not mounted,
// or was never made: then its parent's disk is as good.
func measureDisk(folders ...string) (operations.Reading, error) {
	r := operations.Reading{Value: 100}
	var err error
	for _, folder := range folders {
		var u *disk.UsageStat
		if _, missing := os.Stat(folder); missing != nil {
			continue
		}
		if u, err = disk.Usage(folder); err != nil {
			return r, err
		}
		left := int64(0)
		if u.Total > 0 {
			left = int64(u.Free * 100 / u.Total)
		}
		if left <= r.Value {
			r.Value, r.Text = left, fmt.Sprintf("剩余 %d%%，%s", left, size(int64(u.Free)))
		}
	}
	return r, nil
}

func (h *house) measureListeners(ctx context.Context) (operations.Reading, error) {
	lags, err := h.feed.Lag(ctx)
	if err != nil {
		return operations.Reading{}, err
	}
	r := operations.Reading{Text: "没有积压"}
	for _, l := range lags {
		if l.Oldest == nil {
			continue
		}
		if behind := h.age(l.Oldest); behind >= time.Duration(r.Value)*time.Second {
			r.Value, r.Text = int64(behind/time.Second), fmt.Sprintf("“%s”有 %d 件未处理，最久 %s", listenerTitle(l.Listener), l.Waiting, operations.Spell(behind))
		}
	}
	return r, nil
}

// listenerTitles are the listeners as the person on duty knows them; those of the copies outside are made from their kinds.
var listenerTitles = map[string]string{
	"message": "消息通知", "exchange": "数据回流", "ticket.receipts": "受理回执", "ticket.judge_links": "评价链接", "evaluation.ended": "服务结束后的评价提醒", "channel.outcomes": "渠道成果统计", "cti.tickets": "来电与工单的关联", "directory.dispatches": "派单建议", "demand.invitations": "需求匹配和邀请",
	"intake.requests": "公开诉求的进度", "policy.runs": "政策与企业的匹配", "supervision.received": "受理量统计", appraisal.ListenerName: "考核指标", quality.ListenerName: "质检抽取",
}

func listenerTitle(name string) string {
	if kind, outside := strings.CutPrefix(name, "search."); outside {
		return "外部索引 " + kind
	}
	if title := listenerTitles[name]; title != "" {
		return title
	}
	return name
}

func (h *house) age(at *time.Time) time.Duration {
	if at == nil {
		return 0
	}
	return max(h.clock.Now().Sub(*at), 0)
}

func (h *house) measureBackup(ctx context.Context) (operations.Reading, error) {
	last, err := h.backups.LastBackup(ctx)
	if err != nil {
		return operations.Reading{}, err
	}
	r := operations.Reading{Text: "尚未到首次备份时间"}
	if last.VerifiedAt != nil {
		old := h.age(last.VerifiedAt)
		r.Value, r.Text = int64(old/time.Hour), operations.Spell(old)+"前的备份已恢复验证通过"
	}
	problem := last.Problem(h.clock.Now())
	if problem == "" {
		return r, nil
	}
	r.Text = problem
	switch {
	case !last.Configured, last.Fault != "", last.Lost > 0:
		r.State = operations.Bad
	default: // none yet, an old one, or one that did not reach its second place
		r.State = operations.Warn
	}
	return r, nil
}

func (h *house) measureSeals(ctx context.Context) (operations.Reading, error) {
	tail, err := audit.Unsealed(ctx, h.db.Read())
	if err != nil || tail.Oldest == nil {
		return operations.Reading{Text: "全部已封印"}, err
	}
	if tail.SealedAt == nil { // nothing to hold the age of the entries against: a demo's are of last year
		return operations.Reading{State: operations.Warn, Text: fmt.Sprintf("%d 条待封印，尚未封印过", tail.Unsealed)}, nil
	}
	old := min(h.age(tail.Oldest), h.age(tail.SealedAt))
	return operations.Reading{Value: int64(old / time.Second), Text: fmt.Sprintf("%d 条待封印，封印停滞 %s", tail.Unsealed, operations.Spell(old))}, nil
}

func (h *house) measureVerify(ctx context.Context) (operations.Reading, error) {
	log, err := audit.Standing(ctx, h.db.Read())
	switch {
	case err != nil:
		return operations.Reading{}, err
	case log.LastError != "":
		return operations.Reading{State: operations.Bad, Text: log.LastError}, nil
	case log.VerifiedAt == nil:
		return operations.Reading{Text: "尚未到首次核对时间"}, nil
	}
	old := h.age(log.VerifiedAt)
	return operations.Reading{Value: int64(old / time.Hour), Text: fmt.Sprintf("%s前核对通过，共 %d 条", operations.Spell(old), log.VerifiedSeq)}, nil
}

// fewTexts is below how many a rate of failures says nothing.
const fewTexts = 10

func (h *house) measureTexts(ctx context.Context) (operations.Reading, error) {
	o, err := h.messages.Recent(ctx, h.clock.Now().Add(-time.Hour))
	if err != nil {
		return operations.Reading{}, err
	}
	r := operations.Reading{Text: fmt.Sprintf("近 1 小时发送 %d 条，未送出 %d 条，结果不明 %d 条", o.Settled(), o.Refused, o.Unknown)}
	if o.Settled() >= fewTexts {
		r.Value = (o.Refused + o.Unknown) * 100 / o.Settled()
	}
	return r, nil
}

func (h *house) measureLetters(ctx context.Context) (operations.Reading, error) {
	st, err := h.messages.Standing(ctx)
	if err != nil || st.Oldest == nil {
		return operations.Reading{Text: "没有等待发出的消息"}, err
	}
	old := h.age(st.Oldest)
	return operations.Reading{Value: int64(old / time.Second), Text: fmt.Sprintf("%d 条等待发出，最久 %s", st.Waiting, operations.Spell(old))}, nil
}

func (h *house) measureUnknown(ctx context.Context) (operations.Reading, error) {
	st, err := h.messages.Standing(ctx)
	return operations.Reading{Value: st.Unknown}, err
}

func (h *house) measureDeadPushes(ctx context.Context) (operations.Reading, error) {
	st, err := h.exchange.Standing(ctx)
	return operations.Reading{Value: st.Dead}, err
}

func (h *house) measurePushes(ctx context.Context) (operations.Reading, error) {
	st, err := h.exchange.Standing(ctx)
	if err != nil {
		return operations.Reading{}, err
	}
	r := operations.Reading{Text: "没有等待的推送"}
	if st.Oldest != nil {
		old := h.age(st.Oldest)
		r.Value, r.Text = int64(old/time.Second), fmt.Sprintf("%d 件未送达，最久 %s", st.Waiting, operations.Spell(old))
	}
	if len(st.Down) > 0 {
		r.State = operations.Warn
		r.Text += "；连续失败的对接方：" + strings.Join(st.Down, "、")
	}
	return r, nil
}

func (h *house) measureScanner(ctx context.Context) (operations.Reading, error) {
	st, err := h.uploads.Standing(ctx)
	if err != nil || st.Oldest == nil {
		return operations.Reading{Text: "没有等待查毒的附件"}, err
	}
	old := h.age(st.Oldest)
	return operations.Reading{Value: int64(old / time.Second), Text: fmt.Sprintf("%d 个附件等待查毒，最久 %s", st.Waiting, operations.Spell(old))}, nil
}

func (h *house) measureDuty(ctx context.Context) (operations.Reading, error) {
	users, err := h.identity.UsersWith(ctx, h.db.Read(), operations.PermDuty)
	if err != nil {
		return operations.Reading{}, err
	}
	if len(users) == 0 {
		return operations.Reading{State: operations.Warn, Text: "没有值班人员，告警无人接收"}, nil
	}
	return operations.Reading{Text: fmt.Sprintf("%d 人接收告警", len(users))}, nil
}
