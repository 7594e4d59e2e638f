package quality

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// Rule says what is drawn each night, and how long one may appeal.
type Rule struct {
	PerAgent   int    `json:"perAgent" minimum:"1" maximum:"50" doc:"Of the works of each agent and day."`
	Kinds      []Kind `json:"kinds" enum:"opened,answered,called_back"`
	AppealDays int    `json:"appealDays" minimum:"1" maximum:"30" doc:"Whole days after the score."`
	On         bool   `json:"on"`
	Version    int64  `json:"version"`
}

type ruleRow struct {
	bun.BaseModel `bun:"table:quality_rules,alias:r"`

	ID         int64  `bun:"id,pk"`
	PerAgent   int    `bun:"per_agent"`
	Kinds      string `bun:"kinds"`
	AppealDays int    `bun:"appeal_days"`
	On         bool   `bun:"active"`
	Version    int64  `bun:"version"`
}

func kindsOf(s string) []Kind {
	out := []Kind{}
	for _, k := range Kinds {
		if slices.Contains(strings.Split(s, ","), string(k)) {
			out = append(out, k)
		}
	}
	return out
}

func joined(kinds []Kind) string {
	list := make([]string, 0, len(kinds))
	for _, k := range Kinds {
		if slices.Contains(kinds, k) {
			list = append(list, string(k))
		}
	}
	return strings.Join(list, ",")
}

func checkKinds(kinds []Kind) error {
	if len(kinds) == 0 || slices.ContainsFunc(kinds, func(k Kind) bool { return k.Label() == "" }) {
		return fault.InvalidField("kinds", "QUALITY_KINDS", "请至少选择一种业务：受理、直接答复、回访")
	}
	return nil
}

// Check returns the faults of the rule.
func (r Rule) Check() error {
	err := checkKinds(r.Kinds)
	if r.PerAgent < 1 || r.PerAgent > 50 || r.AppealDays < 1 || r.AppealDays > 30 {
		err = fault.Merge(err, fault.InvalidField("perAgent", "QUALITY_RULE", "每人每日抽检件数请填 1 至 50，申诉期限请填 1 至 30 日"))
	}
	return err
}

func rule(ctx context.Context, db bun.IDB) (Rule, error) {
	r := new(ruleRow)
	err := database.Found(db.NewSelect().Model(r).Where("r.id = 1").Scan(ctx))
	return Rule{PerAgent: r.PerAgent, Kinds: kindsOf(r.Kinds), AppealDays: r.AppealDays, On: r.On, Version: r.Version}, err
}

// Rule returns what is drawn each night. It takes quality.view.
func (s *Service) Rule(ctx context.Context, actor access.Actor) (Rule, error) {
	if err := actor.Need(PermView); err != nil {
		return Rule{}, err
	}
	return rule(ctx, s.DB.Read())
}

// SetRule says what is drawn from the next night on; Version is the one the actor saw. It takes quality.manage.
func (s *Service) SetRule(ctx context.Context, actor access.Actor, r Rule) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := database.Changed(database.Run(ctx, tx, "UPDATE quality_rules SET per_agent = ?, kinds = ?, appeal_days = ?, active = ?, version = version + 1 WHERE id = 1 AND version = ?",
			r.PerAgent, joined(r.Kinds), r.AppealDays, r.On, r.Version))
		if errors.Is(err, fault.ErrChanged) {
			return ErrStale.With("抽检规则已被他人更新，请刷新后再修改")
		}
		if err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "quality.rule", Object: Object, Summary: "设置抽检规则", Detail: r})
	})
}
