package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// PermExpire is the right to set what happens to tickets on which nobody does anything.
const PermExpire access.Permission = "ticket.expire"

// expireActions are what a rule may do in each state.
var expireActions = map[string][]string{
	string(Received): {"report"}, string(Direct): {"close", "report"}, string(Sent): {"recall", "remind", "report"}, string(Handling): {"remind", "report"},
	string(OnHold): {"close", "report"}, string(Reported): {"close", "report"}, string(Reviewed): {"close", "report"}, string(Calling): {"close", "report"},
	whereUnreached: {"close", "report"}, whereSpared: {"close"}, string(Done): {"archive"}, string(Refused): {"archive"},
}

var expireLabels = map[string]string{"close": "办结", "archive": "归档", "recall": "收回至受理席", "remind": "催促承办单位", "report": "报告督办人员"}

// ExpireRule says what happens to tickets that stand in a state for so many working days without a step.
type ExpireRule struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	State       string     `json:"state" enum:"received,answered,dispatched,signed,suspended,replied,reviewed,callback,unreached,spared,closed,declined"`
	StateLabel  string     `json:"stateLabel"`
	Days        int        `json:"days" doc:"Working days without a step; 0 at once."`
	Action      string     `json:"action" enum:"close,archive,recall,remind,report"`
	ActionLabel string     `json:"actionLabel"`
	Reason      string     `json:"reason" doc:"Told with the act."`
	Enabled     bool       `json:"enabled"`
	Version     int64      `json:"version"`
	SetBy       string     `json:"setBy,omitempty"`
	SetAt       *time.Time `json:"setAt,omitempty"`
}

func stateWord(s string) string {
	switch s {
	case whereUnreached:
		return "回访未接通"
	case whereSpared:
		return "未抽中回访"
	}
	return Status(s).Label()
}

func (r expireRow) view() ExpireRule {
	return ExpireRule{r.ID, r.Name, r.State, stateWord(r.State), r.Days, r.Action, expireLabels[r.Action], r.Reason, r.Enabled, r.Version, r.SetBy, utc(r.SetAt)}
}

// expirer returns a fault for everybody who does not set timed closing.
func expirer(a access.Actor) error {
	if err := a.Need(PermExpire); err != nil {
		return err
	}
	if !isDesk(a) {
		return ErrForbidden
	}
	return nil
}

// ExpireRules lists the rules. It needs ticket.expire at the desk.
func (s *Service) ExpireRules(ctx context.Context, actor access.Actor) ([]ExpireRule, error) {
	if err := expirer(actor); err != nil {
		return nil, err
	}
	var rows []expireRow
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("xr.id").Limit(100).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]ExpireRule, 0, len(rows))
	for _, r := range rows {
		out = append(out, r.view())
	}
	return out, nil
}

// SetExpireRule asks for a rule; ID 0 makes a new one.
type SetExpireRule struct {
	Key     string `json:"-"`
	ID      int64
	Name    string
	State   string
	Days    int
	Action  string
	Reason  string
	Enabled bool
	Version int64
}

// Check tidies the rule and returns the faults of its fields.
func (c *SetExpireRule) Check() error {
	var errs []error
	var err error
	if c.Name, err = clean("name", "规则名称", c.Name, 30, true); err != nil {
		errs = append(errs, err)
	}
	if c.Reason, err = clean("reason", "处理说明", c.Reason, 200, true); err != nil {
		errs = append(errs, err)
	}
	if c.Days < 0 || c.Days > 365 || c.Days == 0 && c.State != whereUnreached {
		errs = append(errs, fault.InvalidField("days", "EXPIRE_DAYS", "无进展的工作日数须在 1 至 365 之间，回访未接通可以为 0"))
	}
	if allowed := expireActions[c.State]; len(allowed) == 0 {
		errs = append(errs, fault.InvalidField("state", "EXPIRE_STATE", "请选择适用的状态"))
	} else if !slices.Contains(allowed, c.Action) {
		words := ""
		for _, a := range allowed {
			words += "、" + expireLabels[a]
		}
		errs = append(errs, fault.InvalidField("action", "EXPIRE_ACTION", "状态“"+stateWord(c.State)+"”可选择："+words[len("、"):]))
	}
	return fault.Merge(errs...)
}

// SetExpireRule sets a rule. It needs ticket.expire at the desk; ErrStale when somebody else was faster.
func (s *Service) SetExpireRule(ctx context.Context, actor access.Actor, cmd SetExpireRule) error {
	if err := expirer(actor); err != nil {
		return err
	}
	if err := cmd.Check(); err != nil {
		return err
	}
	now := s.clock.Now()
	row := expireRow{ID: cmd.ID, Name: cmd.Name, State: cmd.State, Days: cmd.Days, Action: cmd.Action, Reason: cmd.Reason, Enabled: cmd.Enabled, Version: cmd.Version + 1, SetAt: &now, SetBy: actor.Name}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.expire_rule", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			row := row
			if cmd.ID == 0 {
				row.Version = 1
				if _, err := tx.NewInsert().Model(&row).ExcludeColumn("id").Exec(ctx); err != nil {
					return false, err
				}
			} else if err := database.Changed(tx.NewUpdate().Model(&row).Where("xr.id = ? AND xr.version = ?", cmd.ID, cmd.Version).Exec(ctx)); errors.Is(err, fault.ErrChanged) {
				return false, ErrStale.With("规则已被他人修改，请刷新后再设置")
			} else if err != nil {
				return false, err
			}
			on := "停用"
			if cmd.Enabled {
				on = "启用"
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.expire_rule", Object: "ticket_expire_rule", Summary: fmt.Sprintf("设置定时处理规则“%s”（%s）", cmd.Name, on), Detail: cmd})
		})
		return err
	})
}

// ExpirePreview lists what a rule would act on now, at most 100 tickets, whether or not it is enabled. It needs ticket.expire at
// the desk; ErrNotFound for an unknown rule.
func (s *Service) ExpirePreview(ctx context.Context, actor access.Actor, id int64) ([]Idle, bool, error) {
	if err := expirer(actor); err != nil {
		return nil, false, err
	}
	db := s.db.Read()
	var rule expireRow
	if err := db.NewSelect().Model(&rule).Where("xr.id = ?", id).Scan(ctx); err != nil {
		return nil, false, database.Found(err)
	}
	r, err := s.clockRules(ctx, db)
	if err != nil {
		return nil, false, err
	}
	now := s.clock.Now()
	list, err := s.idle(ctx, db, &rule, visible(actor), r.calendar, now, time.Time{}, 0)
	if err != nil {
		return nil, false, err
	}
	more := len(list) == idlePage
	out := slices.DeleteFunc(list, func(i Idle) bool { return i.Due.After(now) })
	return out, more, nil
}

// ExpireAct is what a rule did.
type ExpireAct struct {
	ID          int64      `json:"id"`
	RuleID      int64      `json:"ruleId"`
	RuleVersion int64      `json:"ruleVersion"`
	RuleName    string     `json:"ruleName"`
	Action      string     `json:"action" enum:"close,archive,recall,remind,report"`
	ActionLabel string     `json:"actionLabel"`
	TicketID    int64      `json:"ticketId"`
	Number      string     `json:"number"`
	Since       time.Time  `json:"since"`
	At          time.Time  `json:"at"`
	UndoneAt    *time.Time `json:"undoneAt,omitempty"`
}

// ExpireActs lists what the rules did, the newest first, by tickets the actor sees. It needs ticket.expire at the desk.
func (s *Service) ExpireActs(ctx context.Context, actor access.Actor, rule int64, cursor string) ([]ExpireAct, string, error) {
	if err := expirer(actor); err != nil {
		return nil, "", err
	}
	const limit = 50
	var rows []actRow
	q := s.db.Read().NewSelect().Model(&rows).Join("JOIN tickets AS t ON t.id = xa.ticket_id").OrderExpr("xa.id DESC").Limit(limit + 1)
	if rule != 0 {
		q = q.Where("xa.rule_id = ?", rule)
	}
	if cursor != "" {
		before, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
		q = q.Where("xa.id < ?", before)
	}
	if err := narrow(q, visible(actor)).Scan(ctx); err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]ExpireAct, 0, len(rows))
	for _, a := range rows {
		out = append(out, ExpireAct{a.ID, a.RuleID, a.RuleVersion, a.RuleName, a.Action, expireLabels[a.Action], a.TicketID, a.Number, a.Since.UTC(), a.At.UTC(), utc(a.UndoneAt)})
	}
	return out, next, nil
}

// mendExpire marks the act of a rule that was undone: it was the last step of the ticket.
func mendExpire(ctx context.Context, tx bun.Tx, now time.Time, t *Ticket) error {
	_, err := database.Run(ctx, tx, "UPDATE ticket_expire_acts SET undone_at = ? WHERE ticket_id = ? AND ticket_version = ? AND action IN ('close', 'archive', 'recall')", now, t.ID, t.Version-2)
	return err
}
