package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// planRow is how the requesters of one type of requests are called; the type "" is every other one.
type planRow struct {
	bun.BaseModel `bun:"table:ticket_callback_plans,alias:cp"`

	Type string `bun:"type_code,pk"`
	// Share is the percentage of ordinary requests that are called; urgent ones and those done again always are.
	Share        int        `bun:"share,notnull"`
	Attempts     int        `bun:"attempts,notnull"`
	RetryMinutes int        `bun:"retry_minutes,notnull"` // working minutes between two attempts
	Script       string     `bun:"script,notnull"`
	Version      int64      `bun:"version,notnull"`
	SetAt        *time.Time `bun:"set_at"`
	SetBy        string     `bun:"set_by,notnull"`
}

// planOf is the plan of a type, or the general one.
func planOf(ctx context.Context, db bun.IDB, typ string) (planRow, error) {
	var rows []planRow
	err := database.QueryAll(ctx, db, &rows, "SELECT type_code, share, attempts, retry_minutes, script, version, set_at, set_by FROM ticket_callback_plans WHERE type_code IN (?, '') ORDER BY type_code DESC LIMIT 1", typ)
	if err != nil {
		return planRow{}, err
	}
	if len(rows) == 0 {
		return planRow{}, fmt.Errorf("no plan of call-backs: %w", fault.ErrNotFound)
	}
	return rows[0], nil
}

// CallbackPlan is how requesters are called after a reply.
type CallbackPlan struct {
	Type         string     `json:"type" doc:"Empty for every type without a plan of its own."`
	TypeName     string     `json:"typeName"`
	Share        int        `json:"share" doc:"Percentage of ordinary requests that are called; urgent ones and those done again always are."`
	Attempts     int        `json:"attempts" doc:"How often it is tried."`
	RetryMinutes int        `json:"retryMinutes" doc:"Working minutes between two attempts."`
	Script       string     `json:"script"`
	Version      int64      `json:"version"`
	SetBy        string     `json:"setBy,omitempty"`
	SetAt        *time.Time `json:"setAt,omitempty"`
}

// CallbackPlans lists the plans, the general one first. It needs ticket.close at the desk.
func (s *Service) CallbackPlans(ctx context.Context, actor access.Actor) ([]CallbackPlan, error) {
	if err := caller(actor); err != nil {
		return nil, err
	}
	var rows []planRow
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("cp.type_code").Limit(500).Scan(ctx); err != nil {
		return nil, err
	}
	names, err := s.typeNames(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	out := make([]CallbackPlan, 0, len(rows))
	for _, r := range rows {
		out = append(out, CallbackPlan{r.Type, names[r.Type], r.Share, r.Attempts, r.RetryMinutes, r.Script, r.Version, r.SetBy, utc(r.SetAt)})
	}
	return out, nil
}

// SetCallbackPlan asks for the plan of a type; Version 0 makes a new one.
type SetCallbackPlan struct {
	Key                           string `json:"-"`
	Type                          string
	Share, Attempts, RetryMinutes int
	Script                        string
	Version                       int64
}

// Check tidies the plan and returns the faults of its fields. Whether there is such a type is asked when it is set.
func (c *SetCallbackPlan) Check() error {
	var errs []error
	var err error
	if c.Script, err = clean("script", "回访话术", c.Script, maxNote, true); err != nil {
		errs = append(errs, err)
	}
	if c.Share < 0 || c.Share > 100 {
		errs = append(errs, fault.InvalidField("share", "CALL_SHARE", "抽样比例须在 0 至 100 之间"))
	}
	if c.Attempts < 1 || c.Attempts > 10 {
		errs = append(errs, fault.InvalidField("attempts", "CALL_ATTEMPTS", "回访次数须在 1 至 10 之间"))
	}
	if c.RetryMinutes < 10 || c.RetryMinutes > 4800 {
		errs = append(errs, fault.InvalidField("retryMinutes", "CALL_RETRY", "再次回访的间隔须在 10 至 4800 个工作分钟之间"))
	}
	return fault.Merge(errs...)
}

// SetCallbackPlan sets how requesters of a type are called. It holds for replies from then on. It needs ticket.types at the
// desk; ErrStale when somebody else was faster.
func (s *Service) SetCallbackPlan(ctx context.Context, actor access.Actor, cmd SetCallbackPlan) error {
	if err := actor.Need(PermTypes); err != nil {
		return err
	}
	if !isDesk(actor) {
		return ErrForbidden
	}
	if err := cmd.Check(); err != nil {
		return err
	}
	now := s.clock.Now()
	row := planRow{Type: cmd.Type, Share: cmd.Share, Attempts: cmd.Attempts, RetryMinutes: cmd.RetryMinutes, Script: cmd.Script, Version: cmd.Version + 1, SetAt: &now, SetBy: actor.Name}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "ticket.callback_plan", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			name := "各类诉求"
			if cmd.Type != "" {
				kind, err := typeOf(ctx, tx, cmd.Type)
				if errors.Is(err, fault.ErrNotFound) {
					return false, fault.InvalidField("type", "TICKET_TYPE", "没有这种诉求类型，请重新选择")
				} else if err != nil {
					return false, err
				}
				name = kind.Name
			}
			var err error
			if cmd.Version == 0 {
				err = database.Changed(tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx))
			} else {
				err = database.Changed(tx.NewUpdate().Model(&row).Where("cp.type_code = ? AND cp.version = ?", cmd.Type, cmd.Version).Exec(ctx))
			}
			if errors.Is(err, fault.ErrChanged) {
				return false, ErrStale.With("回访设置已被他人修改，请刷新后再设置")
			} else if err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "ticket.callback_plan", Object: "ticket_callback_plan",
				Summary: fmt.Sprintf("设置%s的回访：抽样 %d%%，最多 %d 次", name, cmd.Share, cmd.Attempts), Detail: cmd})
		})
		return err
	})
}
