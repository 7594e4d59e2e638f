package policy

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// GrantStep is one step on a list; Version is the one the actor saw.
type GrantStep struct {
	Key     string
	ID      int64
	Version int64
	Reason  string
}

// SubmitGrant hands a list to a second person. It needs policy.grant.
func (s *Service) SubmitGrant(ctx context.Context, actor access.Actor, cmd GrantStep) (GrantView, error) {
	return s.stepGrant(ctx, actor, PermGrant, "submit", "提交审定免申即享名单", cmd, func(ctx context.Context, tx bun.Tx, g *grant, _ time.Time) error {
		return s.moveGrant(ctx, tx, actor, g, GrantReview, nil)
	})
}

// ReturnGrant sends a list back to who made it, for a reason. It needs policy.grant_decide and another person.
func (s *Service) ReturnGrant(ctx context.Context, actor access.Actor, cmd GrantStep) (GrantView, error) {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return GrantView{}, text.Named(err, "原因")
	}
	return s.stepGrant(ctx, actor, PermGrantDecide, "return", "退回免申即享名单", cmd, func(ctx context.Context, tx bun.Tx, g *grant, _ time.Time) error {
		if g.MakerID == actor.UserID {
			return ErrGrantOwn
		}
		return s.moveGrant(ctx, tx, actor, g, GrantDraft, func(g *grant) { g.Reason = reason })
	})
}

// PublishGrant shows a list to the public for the days the installation set, beginning with the next. It needs
// policy.grant_decide and a person other than the maker.
func (s *Service) PublishGrant(ctx context.Context, actor access.Actor, cmd GrantStep) (GrantView, error) {
	return s.stepGrant(ctx, actor, PermGrantDecide, "publish", "公示免申即享名单", cmd, func(ctx context.Context, tx bun.Tx, g *grant, now time.Time) error {
		if g.MakerID == actor.UserID {
			return ErrGrantOwn
		}
		if g.State != GrantReview {
			return ErrGrantState.With("名单当前为“%s”，不能公示，请刷新后查看", g.State.Label())
		}
		until := clock.Midnight(now).AddDate(0, 0, s.reach.PublicDays+1).Add(-time.Second).UTC()
		return s.moveGrant(ctx, tx, actor, g, GrantPublic, func(g *grant) {
			g.DeciderID, g.Decider, g.Reason, g.PublicAt, g.PublicUntil = actor.UserID, actor.Name, "", &now, &until
		})
	})
}

// CancelGrant ends a list for a reason. It needs policy.grant, once it was public policy.grant_decide.
func (s *Service) CancelGrant(ctx context.Context, actor access.Actor, cmd GrantStep) (GrantView, error) {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return GrantView{}, text.Named(err, "原因")
	}
	return s.stepGrant(ctx, actor, PermGrant, "cancel", "作废免申即享名单", cmd, func(ctx context.Context, tx bun.Tx, g *grant, _ time.Time) error {
		if g.PublicAt != nil && !actor.Can(PermGrantDecide) {
			return fault.ErrForbidden
		}
		return s.moveGrant(ctx, tx, actor, g, GrantCancelled, func(g *grant) { g.Reason = reason })
	})
}

// OpenConfirming ends the showing after its last day, once no objection is open, and asks the companies to confirm. It needs
// policy.grant_decide.
func (s *Service) OpenConfirming(ctx context.Context, actor access.Actor, cmd GrantStep) (GrantView, error) {
	return s.stepGrant(ctx, actor, PermGrantDecide, "confirming", "公示结束，请企业确认", cmd, func(ctx context.Context, tx bun.Tx, g *grant, now time.Time) error {
		if g.State == GrantPublic && g.PublicUntil != nil && now.Before(*g.PublicUntil) {
			return ErrGrantEarly.With("公示期至 %s，期满后再请企业确认", clock.Show(*g.PublicUntil))
		}
		open, err := tx.NewSelect().Model((*objection)(nil)).Where("po.grant_id = ? AND po.state = 'open'", g.ID).Exists(ctx)
		if err != nil {
			return err
		}
		if open {
			return ErrGrantOpen
		}
		return s.moveGrant(ctx, tx, actor, g, GrantConfirming, nil)
	})
}

// FinishGrant fixes the list: the companies that confirmed. It needs policy.grant_decide.
func (s *Service) FinishGrant(ctx context.Context, actor access.Actor, cmd GrantStep) (GrantView, error) {
	return s.stepGrant(ctx, actor, PermGrantDecide, "finish", "确定免申即享名单", cmd, func(ctx context.Context, tx bun.Tx, g *grant, now time.Time) error {
		return s.moveGrant(ctx, tx, actor, g, GrantFinal, func(g *grant) { g.FinalAt = &now })
	})
}

func (s *Service) stepGrant(ctx context.Context, actor access.Actor, right access.Permission, action, summary string, cmd GrantStep,
	step func(ctx context.Context, tx bun.Tx, g *grant, now time.Time) error,
) (GrantView, error) {
	if err := s.staff(actor, right); err != nil {
		return GrantView{}, err
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.grant_" + action, Key: cmd.Key, Request: []any{cmd.ID, cmd.Version, cmd.Reason}, Now: now}, func() (outcome, error) {
			g, err := findGrant(ctx, tx, cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if g.Version != cmd.Version {
				return outcome{}, ErrGrantState
			}
			if err := step(ctx, tx, g, now); err != nil {
				return outcome{}, err
			}
			return outcome{g.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.grant_" + action, Object: Object, ObjectID: g.PolicyID, Summary: summary,
				Detail: map[string]any{"grant": g.ID, "reason": cmd.Reason}})
		})
		return err
	})
	if err != nil {
		return GrantView{}, fmt.Errorf("%s grant %d: %w", action, cmd.ID, err)
	}
	return s.Grant(ctx, actor, cmd.ID)
}
