package identity

import (
	"context"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// PermExportAudit is the right to take the audit log out.
const PermExportAudit access.Permission = "audit.export"

// ExportSource is the audit log that leaves as a spreadsheet, newest first. Every page read is itself in the log, as when
// the log is read on its page.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[LogItem]
	return sheet.List[LogItem]{
		Name: "audit", Title: "审计日志", Permission: PermExportAudit,
		Describe: func(f sheet.Filter) (string, error) {
			parsed, err := logFilter(f)
			if err != nil {
				return "", err
			}
			var words []string
			if !parsed.From.IsZero() {
				words = append(words, "自 "+clock.Show(parsed.From))
			}
			if !parsed.Until.IsZero() {
				words = append(words, "至 "+clock.Show(parsed.Until))
			}
			for _, w := range [][2]string{{"操作人：", parsed.Actor}, {"对象：", parsed.Object}, {"操作：", parsed.Action}} {
				if w[1] != "" {
					shown, _ := text.MaskNumbers(w[1])
					words = append(words, w[0]+shown)
				}
			}
			return strings.Join(words, "；"), nil
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]LogItem, string, error) {
			parsed, err := logFilter(f)
			if err != nil {
				return nil, "", err
			}
			parsed.Cursor, parsed.Limit = after, min(limit, 100)
			return s.AuditLog(ctx, actor, parsed)
		},
		Fields: []sheet.Field[LogItem]{
			of("id", "序号", 10, func(e *LogItem) sheet.Cell { return sheet.Int(e.ID) }),
			of("at", "时间", 20, func(e *LogItem) sheet.Cell { return sheet.Time(e.At) }),
			of("actor", "操作人", 16, func(e *LogItem) sheet.Cell { return sheet.Text(e.ActorName) }),
			of("party", "身份", 14, func(e *LogItem) sheet.Cell { return sheet.Text(partyNames[access.Party(e.Party)]) }),
			of("summary", "内容", 50, func(e *LogItem) sheet.Cell { return sheet.Text(e.Summary) }),
			of("action", "操作", 24, func(e *LogItem) sheet.Cell { return sheet.Text(e.Action) }),
			of("object", "对象", 18, func(e *LogItem) sheet.Cell { return sheet.Text(e.Object) }),
			of("objectId", "对象编号", 10, func(e *LogItem) sheet.Cell { return sheet.Int(e.ObjectID) }),
			of("ip", "网络地址", 18, func(e *LogItem) sheet.Cell { return sheet.Text(e.IP) }),
		},
	}.Source()
}

var partyNames = map[access.Party]string{access.Anonymous: "访客", access.Government: "政府部门", access.Institution: "服务机构", access.Enterprise: "企业",
	access.Platform: "平台", access.Partner: "对接方", access.System: "系统"}

func logFilter(f sheet.Filter) (LogFilter, error) {
	out := LogFilter{Actor: f["actor"], Object: f["object"], Action: f["action"]}
	if err := f.Only("from", "until", "actor", "object", "action"); err != nil {
		return out, err
	}
	for name, into := range map[string]*time.Time{"from": &out.From, "until": &out.Until} {
		if f[name] == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, f[name])
		if err != nil {
			return out, sheet.ErrFilter
		}
		*into = at
	}
	if len(out.Actor)+len(out.Object)+len(out.Action) > 400 {
		return out, sheet.ErrFilter
	}
	return out, nil
}
