package conversation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

// Rule is when one is reminded of what one has not read, and when a thread closes.
type Rule struct {
	Minutes   int `json:"minutes" minimum:"0" maximum:"4320" doc:"After which a side that has not read is reminded; 0 reminds nobody."`
	CloseDays int `json:"closeDays" minimum:"0" maximum:"90" doc:"After the end of a case, in which one still writes."`
}

// Check returns the faults of the rule.
func (r Rule) Check() error {
	if r.Minutes < 0 || r.Minutes > 4320 || r.CloseDays < 0 || r.CloseDays > 90 {
		return fault.InvalidField("minutes", "CONVERSATION_RULE", "未读提醒请填 0 至 4320 分钟，结束后可继续沟通请填 0 至 90 天")
	}
	return nil
}

// RuleView is the rule in force.
type RuleView struct {
	Rule
	Version int64 `json:"version"`
}

type ruleRow struct {
	bun.BaseModel `bun:"table:conversation_rules,alias:r"`

	ID        int64 `bun:"id,pk"`
	Minutes   int   `bun:"minutes,notnull"`
	CloseDays int   `bun:"close_days,notnull"`
	Version   int64 `bun:"version,notnull"`
}

func ruleRowOf(ctx context.Context, db bun.IDB) (ruleRow, error) {
	r := ruleRow{}
	err := database.Found(db.NewSelect().Model(&r).Where("r.id = 1").Scan(ctx))
	return r, err
}

func ruleOf(ctx context.Context, db bun.IDB) (Rule, error) {
	r, err := ruleRowOf(ctx, db)
	return Rule{r.Minutes, r.CloseDays}, err
}

// Rule returns the rule in force. It takes conversation.manage.
func (s *Service) Rule(ctx context.Context, actor access.Actor) (RuleView, error) {
	if err := actor.Need(PermManage); err != nil {
		return RuleView{}, err
	}
	r, err := ruleRowOf(ctx, s.DB.Read())
	return RuleView{Rule{r.Minutes, r.CloseDays}, r.Version}, err
}

// SetRule changes the rule; Version is the one the actor saw. It takes conversation.manage.
func (s *Service) SetRule(ctx context.Context, actor access.Actor, r RuleView) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(database.Run(ctx, tx, "UPDATE conversation_rules SET minutes = ?, close_days = ?, version = version + 1 WHERE id = 1 AND version = ?", r.Minutes, r.CloseDays, r.Version))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "conversation.rule", Object: Object, Summary: "设置服务沟通规则", Detail: r.Rule})
	})
}

// Nobody is reminded from nightFrom to nightUntil o'clock in Beijing.
const (
	nightFrom  = 22
	nightUntil = 8
)

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{Name: "conversation.remind", Title: "提醒未读的服务沟通", Every: time.Minute, Run: s.Remind, Failure: "未读沟通没有提醒；请查看失败原因，恢复后自动继续，不会重复提醒。"}}
}

// Remind announces each side that has not read for the minutes of the rule, once until it reads; by night it waits for the morning.
func (s *Service) Remind(ctx context.Context) error {
	r, err := ruleOf(ctx, s.DB.Read())
	now := s.Clock.Now()
	if hour := now.In(clock.Beijing).Hour(); err != nil || r.Minutes == 0 || hour >= nightFrom || hour < nightUntil {
		return err
	}
	due := now.Add(-time.Duration(r.Minutes) * time.Minute)
	told := 0
	for _, side := range []Side{Enterprise, Institution} {
		where := fmt.Sprintf("t.%[1]s_unread > 0 AND t.%[1]s_reminded = FALSE AND t.%[1]s_since <= ?", string(side))
		var rows []thread
		if err := s.DB.Read().NewSelect().Model(&rows).Where(where, due).OrderExpr("t.id").Limit(500).Scan(ctx); err != nil {
			return err
		}
		for _, t := range rows {
			err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				err := database.Changed(database.Run(ctx, tx, fmt.Sprintf("UPDATE conversation_threads SET %[1]s_reminded = TRUE WHERE id = ? AND %[1]s_unread > 0 AND %[1]s_reminded = FALSE", string(side)), t.ID))
				if errors.Is(err, fault.ErrChanged) {
					return nil // read, or another process was first
				}
				if err != nil {
					return err
				}
				count := t.EnterpriseUnread
				if side == Institution {
					count = t.InstitutionUnread
				}
				told++
				_, err = event.Append(ctx, tx, access.SystemActor("job:conversation.remind"), now, Unread{t.head(), side, count})
				return err
			})
			if err != nil {
				return fmt.Errorf("remind of thread %d: %w", t.ID, err)
			}
		}
	}
	jobs.Note(ctx, "提醒 %d 件", told)
	return nil
}
