package message

import (
	"context"
	"strings"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/sheet"
	"github.com/huiqi/huiqi/platform/text"
)

// PermExport is the right to take the record of what was sent out.
const PermExport access.Permission = "message.export"

var (
	channelNames = map[Channel]string{SMS: "短信", Wechat: "微信"}
	stateNames   = map[State]string{Queued: "待发送", Sending: "发送中", Sent: "已发送", Refused: "未送出", Unknown: "结果不明"}
)

// ExportSource is the record of one channel's letters that leaves as a spreadsheet, newest first; recipients are masked, as
// on the page.
func (s *Service) ExportSource() sheet.Source {
	of := sheet.Of[LetterView]
	return sheet.List[LetterView]{
		Name: "letters", Title: "消息发送记录", Permission: PermExport,
		Describe: func(f sheet.Filter) (string, error) {
			parsed, err := letterFilter(f)
			if err != nil {
				return "", err
			}
			words := []string{channelNames[parsed.Channel]}
			if parsed.State != "" {
				words = append(words, "状态："+stateNames[parsed.State])
			}
			if parsed.Template != "" {
				t, _ := templateOf(parsed.Template)
				words = append(words, "消息："+t.Title)
			}
			if parsed.Phone != "" {
				words = append(words, "手机号："+text.MaskPhone(parsed.Phone))
			}
			return strings.Join(words, "；"), nil
		},
		Page: func(ctx context.Context, actor access.Actor, f sheet.Filter, after string, limit int) ([]LetterView, string, error) {
			parsed, err := letterFilter(f)
			if err != nil {
				return nil, "", err
			}
			parsed.Cursor, parsed.Limit = after, min(limit, 100)
			return s.Letters(ctx, actor, parsed)
		},
		Fields: []sheet.Field[LetterView]{
			of("createdAt", "生成时间", 20, func(l *LetterView) sheet.Cell { return sheet.Time(l.CreatedAt) }),
			of("channel", "渠道", 8, func(l *LetterView) sheet.Cell { return sheet.Text(channelNames[l.Channel]) }),
			of("title", "消息", 24, func(l *LetterView) sheet.Cell { return sheet.Text(l.Title) }),
			of("recipient", "收件人（脱敏）", 18, func(l *LetterView) sheet.Cell { return sheet.Text(l.Recipient) }),
			of("state", "状态", 10, func(l *LetterView) sheet.Cell { return sheet.Text(stateNames[l.State]) }),
			of("code", "服务商返回", 30, func(l *LetterView) sheet.Cell { return sheet.Text(l.Code) }),
			of("attempts", "发送次数", 10, func(l *LetterView) sheet.Cell { return sheet.Int(int64(l.Attempts)) }),
			of("triedAt", "发送时间", 20, func(l *LetterView) sheet.Cell { return sheet.TimeOf(l.TriedAt) }),
			of("receipt", "服务商流水号", 30, func(l *LetterView) sheet.Cell { return sheet.Text(l.Receipt) }),
			of("sendId", "发送编号", 30, func(l *LetterView) sheet.Cell { return sheet.Text(l.SendID) }),
		},
	}.Source()
}

func letterFilter(f sheet.Filter) (LetterFilter, error) {
	out := LetterFilter{Channel: Channel(f["channel"]), State: State(f["state"]), Template: f["template"], Phone: f["phone"]}
	if err := f.Only("channel", "state", "template", "phone"); err != nil {
		return out, err
	}
	if out.Channel == "" {
		out.Channel = SMS
	}
	if channelNames[out.Channel] == "" || out.State != "" && !out.State.Known() {
		return out, sheet.ErrFilter
	}
	if out.Template != "" {
		if _, ok := templateOf(out.Template); !ok {
			return out, sheet.ErrFilter
		}
	}
	if out.Phone != "" {
		if _, err := phone.Normalize(out.Phone); err != nil {
			return out, sheet.ErrFilter
		}
	}
	return out, nil
}
