package message

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/text"
)

// The faults of the outbox.
var (
	// ErrNotUnknown: only a letter whose outcome nobody knows is released.
	ErrNotUnknown = fault.New(fault.Conflict, "LETTER_STATE", "只有“结果不明”的消息可以重发，这条消息的状态已变化，请刷新后查看")
	// ErrCodeOver: a code that is sent late opens nothing.
	ErrCodeOver = fault.New(fault.Conflict, "LETTER_CODE", "验证码已失效，不能重发，请由本人重新获取")
)

// LetterView is a letter as staff see it; its recipient is masked and its content not shown.
type LetterView struct {
	ID        int64      `json:"id"`
	Channel   Channel    `json:"channel"`
	Template  string     `json:"template"`
	Title     string     `json:"title"`
	Recipient string     `json:"recipient" doc:"Phone or WeChat account, masked."`
	State     State      `json:"state"`
	Version   int64      `json:"version"`
	SendID    string     `json:"sendId" doc:"What the provider knows the message by."`
	Receipt   string     `json:"receipt" doc:"The provider's id."`
	Code      string     `json:"code" doc:"The provider's code of a refusal."`
	Attempts  int        `json:"attempts"`
	CreatedAt time.Time  `json:"createdAt"`
	NotBefore *time.Time `json:"notBefore,omitempty"`
	TriedAt   *time.Time `json:"triedAt,omitempty"`
	CanResend bool       `json:"canResend"`
}

// LetterFilter narrows the outbox of one channel.
type LetterFilter struct {
	Channel  Channel
	State    State
	Template string
	Phone    string // exact, however it is written
	Cursor   string
	Limit    int
}

// Letters returns a page of what went out by a channel, newest first, and the cursor of the next page. It needs message.view.
func (s *Service) Letters(ctx context.Context, actor access.Actor, f LetterFilter) ([]LetterView, string, error) {
	if err := seesLetters(actor, PermView); err != nil {
		return nil, "", err
	}
	if f.Channel != SMS && f.Channel != Wechat {
		return nil, "", fault.InvalidField("channel", "MESSAGE_CHANNEL", "请选择短信或微信")
	}
	if f.State != "" && !f.State.Known() {
		return nil, "", fault.InvalidField("state", "MESSAGE_STATE", "没有这种发送状态，请重新选择")
	}
	before, limit, err := pageOf(f.Cursor, f.Limit)
	if err != nil {
		return nil, "", err
	}
	c := s.carrier(f.Channel)
	var rows []letter
	q := s.DB.Read().NewSelect().Model(&rows).ModelTableExpr("? AS o", bun.Ident(c.table)).OrderExpr("o.id DESC").Limit(int64(limit + 1))
	if f.State != "" {
		q = q.Where("o.state = ?", f.State)
	}
	if f.Template != "" {
		q = q.Where("o.template = ?", f.Template)
	}
	if f.Phone != "" {
		number, err := phone.Normalize(f.Phone)
		if err != nil {
			return nil, "", err
		}
		q = q.Where("o.phone_blind IN ?", bun.Tuple(s.Box.Blinds("phone", number)))
	}
	if before > 0 {
		q = q.Where("o.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list letters: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	items := make([]LetterView, 0, len(rows))
	for i := range rows {
		item, err := s.letterView(c, actor, &rows[i])
		if err != nil {
			return nil, "", err
		}
		items = append(items, item)
	}
	return items, next, nil
}

// Letter returns one letter. It needs message.view.
func (s *Service) Letter(ctx context.Context, actor access.Actor, channel Channel, id int64) (LetterView, error) {
	if err := seesLetters(actor, PermView); err != nil {
		return LetterView{}, err
	}
	c := s.carrier(channel)
	row, err := findLetter(ctx, s.DB.Read(), c, id)
	if err != nil {
		return LetterView{}, err
	}
	return s.letterView(c, actor, row)
}

func findLetter(ctx context.Context, db bun.IDB, c carrier, id int64) (*letter, error) {
	var row letter
	err := db.NewSelect().Model(&row).ModelTableExpr("? AS o", bun.Ident(c.table)).Where("o.id = ?", id).Scan(ctx)
	return &row, database.Found(err)
}

func (s *Service) letterView(c carrier, actor access.Actor, l *letter) (LetterView, error) {
	to, err := s.Box.Open(l.Recipient, c.place("recipient"))
	if err != nil {
		return LetterView{}, fmt.Errorf("%s letter %d: %w", c.channel, l.ID, err)
	}
	t, _ := templateOf(l.Template)
	item := LetterView{
		ID: l.ID, Channel: c.channel, Template: l.Template, Title: t.Title, Recipient: text.MaskPhone(string(to)), State: l.State, Version: l.Version,
		SendID: l.SendID, Receipt: l.Receipt, Code: l.Code, Attempts: l.Attempts, CreatedAt: l.CreatedAt.UTC(), NotBefore: utc(l.NotBefore), TriedAt: utc(l.TriedAt),
		CanResend: l.State == Unknown && l.Template != CodeTemplate && seesLetters(actor, PermRelease) == nil,
	}
	if c.channel == Wechat {
		item.Recipient = maskOpenID(string(to))
	}
	return item, nil
}

// maskOpenID keeps the ends: enough to tell two people apart, too little to write to one.
func maskOpenID(id string) string {
	if len(id) < 12 {
		return "****"
	}
	return id[:4] + "****" + id[len(id)-4:]
}

// LetterTemplate names a template for the filter of the list.
type LetterTemplate struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Group  string `json:"group" doc:"In words."`
	SMS    bool   `json:"sms"`
	Wechat bool   `json:"wechat"`
}

// LetterTemplates lists the templates that leave the house. It needs message.view.
func (s *Service) LetterTemplates(_ context.Context, actor access.Actor) ([]LetterTemplate, error) {
	if err := seesLetters(actor, PermView); err != nil {
		return nil, err
	}
	var out []LetterTemplate
	for _, t := range table {
		if t.SMS != nil || t.Wechat != nil {
			out = append(out, LetterTemplate{Code: t.Code, Title: t.Title, Group: t.Group.Label(), SMS: t.SMS != nil, Wechat: t.Wechat != nil})
		}
	}
	return out, nil
}

// Released is announced when a person had a letter of unknown outcome sent again.
type Released struct {
	ID       int64   `json:"id"`
	Channel  Channel `json:"channel"`
	Template string  `json:"template"`
	Reason   string  `json:"reason"`
}

// Event names the fact.
func (r Released) Event() (string, string, int64) {
	return "message.released", objectOf(r.Channel), r.ID
}

func objectOf(c Channel) string { return string(c) + "_message" }

// Release asks to send a letter of unknown outcome again, because somebody made sure that it did not arrive.
type Release struct {
	Channel Channel `json:"channel"`
	ID      int64   `json:"id"`
	Version int64   `json:"version"`
	Reason  string  `json:"reason"`
	Key     string  `json:"-"`
}

// Release queues the letter again and returns it. It needs message.release; ErrNotUnknown when the outcome is known by now
// or is being asked about, ErrCodeOver for a code.
func (s *Service) Release(ctx context.Context, actor access.Actor, cmd Release) (LetterView, error) {
	if err := seesLetters(actor, PermRelease); err != nil {
		return LetterView{}, err
	}
	reason, err := text.Line("reason", cmd.Reason, 5, 200)
	if err != nil {
		return LetterView{}, err
	}
	reason, _ = text.MaskNumbers(reason)
	if cmd.Channel != SMS && cmd.Channel != Wechat {
		return LetterView{}, fault.ErrNotFound
	}
	c := s.carrier(cmd.Channel)
	now := s.Clock.Now()
	type released struct {
		ID int64 `json:"id"`
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "message.release", Key: cmd.Key, Request: cmd, Now: now},
			func() (released, error) {
				row, err := findLetter(ctx, tx, c, cmd.ID)
				if err != nil {
					return released{}, err
				}
				if row.Template == CodeTemplate {
					return released{}, ErrCodeOver
				}
				res, err := update(tx, c).Set("state = ?", Queued).Set("claim = ''").Set("code = ''").Set("tried_at = NULL").Set("not_before = ?", now).
					Set("version = version + 1").Where("id = ? AND state = ? AND version = ?", cmd.ID, Unknown, cmd.Version).Exec(ctx)
				if err != nil {
					return released{}, err
				}
				if n, err := res.RowsAffected(); err != nil {
					return released{}, err
				} else if n == 0 {
					return released{}, ErrNotUnknown
				}
				if err := s.wake(ctx, tx, c.channel, cmd.ID, nil); err != nil {
					return released{}, err
				}
				if _, err := event.Append(ctx, tx, actor, now, Released{ID: cmd.ID, Channel: c.channel, Template: row.Template, Reason: reason}); err != nil {
					return released{}, err
				}
				return released{cmd.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "message.release", Object: objectOf(c.channel), ObjectID: cmd.ID,
					Summary: "确认未送达并重发：" + reason, Detail: map[string]string{"template": row.Template, "sendId": row.SendID}})
			})
		return err
	})
	if err != nil {
		return LetterView{}, fmt.Errorf("release %s letter %d: %w", cmd.Channel, cmd.ID, err)
	}
	row, err := findLetter(ctx, s.DB.Read(), c, cmd.ID)
	if err != nil {
		return LetterView{}, err
	}
	return s.letterView(c, actor, row)
}
