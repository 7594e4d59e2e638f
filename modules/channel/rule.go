package channel

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Rule says how long a channel is remembered.
type Rule struct {
	Days      int `json:"days" doc:"After opening a link."`
	CarryDays int `json:"carryDays" doc:"After a company registered by a channel, in which its applications without a link are that channel's; 0 is never."`
}

// Check says what is wrong with the rule.
func (r Rule) Check() error {
	var errs []error
	if r.Days < 1 || r.Days > 180 {
		errs = append(errs, fault.InvalidField("days", "CHANNEL_RULE", "打开链接后的有效天数请填 1 至 180"))
	}
	if r.CarryDays < 0 || r.CarryDays > 730 {
		errs = append(errs, fault.InvalidField("carryDays", "CHANNEL_RULE", fmt.Sprintf("注册后申请沿用渠道的天数请填 0 至 %d，0 为不沿用", 730)))
	}
	return fault.Merge(errs...)
}

// RuleView is the rule in force.
type RuleView struct {
	Rule
	Version int64 `json:"version"`
}

type ruleRow struct {
	bun.BaseModel `bun:"table:channel_rules,alias:r"`

	ID        int64 `bun:"id,pk"`
	Days      int   `bun:"days,notnull"`
	CarryDays int   `bun:"carry_days,notnull"`
	Version   int64 `bun:"version,notnull"`
}

func ruleOf(ctx context.Context, db bun.IDB) (RuleView, error) {
	r := ruleRow{}
	err := database.Found(db.NewSelect().Model(&r).Where("r.id = 1").Scan(ctx))
	return RuleView{Rule{r.Days, r.CarryDays}, r.Version}, err
}

// Rule returns the rule in force. It takes channel.view.
func (s *Service) Rule(ctx context.Context, actor access.Actor) (RuleView, error) {
	if err := need(actor, PermView); err != nil {
		return RuleView{}, err
	}
	return ruleOf(ctx, s.DB.Read())
}

// SetRule changes the rule; Version is the one the actor saw. It takes channel.manage. What is attributed stays as it is.
func (s *Service) SetRule(ctx context.Context, actor access.Actor, r RuleView) error {
	if err := need(actor, PermManage); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(database.Run(ctx, tx, "UPDATE channel_rules SET days = ?, carry_days = ?, version = version + 1 WHERE id = 1 AND version = ?", r.Days, r.CarryDays, r.Version))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "channel.rule", Object: Object, Summary: "设置渠道归因规则", Detail: r.Rule})
	})
}
