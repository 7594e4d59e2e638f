package policy

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// RemoveFromGrant takes a company off a draft, for a reason.
type RemoveFromGrant struct {
	GrantStep
	EnterpriseID int64
}

// RemoveFromGrant takes a company off a list that is still a draft. It needs policy.grant.
func (s *Service) RemoveFromGrant(ctx context.Context, actor access.Actor, cmd RemoveFromGrant) (GrantView, error) {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return GrantView{}, text.Named(err, "原因")
	}
	cmd.Reason = reason
	return s.stepGrant(ctx, actor, PermGrant, "remove", "从免申即享名单移出企业", GrantStep{Key: cmd.Key, ID: cmd.ID, Version: cmd.Version, Reason: fmt.Sprintf("%d %s", cmd.EnterpriseID, reason)},
		func(ctx context.Context, tx bun.Tx, g *grant, now time.Time) error {
			if g.State != GrantDraft {
				return ErrGrantState.With("名单当前为“%s”，不能移出企业；公示后请按异议处理", g.State.Label())
			}
			return removeItem(ctx, tx, g.ID, cmd.EnterpriseID, reason, now)
		})
}

// removeItem takes a company off a list; one that is not on it is fault.ErrNotFound.
func removeItem(ctx context.Context, tx bun.Tx, grant, enterprise int64, reason string, now time.Time) error {
	res, err := tx.NewUpdate().Model((*grantItem)(nil)).Set("state = 'removed'").Set("reason = ?", reason).Set("decided_at = ?", now).
		Where("grant_id = ? AND enterprise_id = ? AND state = 'listed'", grant, enterprise).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fault.ErrNotFound
}

// ConfirmGrant says for the actor's company that it takes what the list gives it, or that it does not.
type ConfirmGrant struct {
	Key  string
	ID   int64
	Take bool
}

// ConfirmGrant is for the people of a company on the list while companies confirm; nobody applies. Companies that are not
// on it get ErrNotFound.
func (s *Service) ConfirmGrant(ctx context.Context, actor access.Actor, cmd ConfirmGrant) (MyGrant, error) {
	if actor.Party != access.Enterprise || actor.EnterpriseID == 0 || actor.UserID == 0 {
		return MyGrant{}, fault.ErrForbidden
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.grant_confirm", Key: cmd.Key, Request: []any{cmd.ID, cmd.Take}, Now: now}, func() (outcome, error) {
			owners, err := s.reach.Register.Owners(ctx, tx, actor.EnterpriseID)
			if err != nil {
				return outcome{}, err
			}
			if owners[actor.EnterpriseID] != actor.UserID {
				return outcome{}, fault.New(fault.Forbidden, "OWNER_ONLY", "免申即享须由企业负责人确认，请联系本企业负责人")
			}
			g, err := findGrant(ctx, tx, cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if g.State != GrantConfirming {
				return outcome{}, ErrGrantState.With("名单当前为“%s”，不在确认期间", g.State.Label())
			}
			state := map[bool]string{true: "confirmed", false: "declined"}[cmd.Take]
			res, err := tx.NewUpdate().Model((*grantItem)(nil)).Set("state = ?", state).Set("confirmed_by = ?", actor.Name).Set("decided_at = ?", now).
				Where("grant_id = ? AND enterprise_id = ? AND state IN ('listed', 'confirmed', 'declined')", cmd.ID, actor.EnterpriseID).Exec(ctx)
			if err != nil {
				return outcome{}, err
			}
			if n, err := res.RowsAffected(); err != nil {
				return outcome{}, err
			} else if n == 0 {
				return outcome{}, fault.ErrNotFound
			}
			return outcome{g.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.grant_confirm", Object: Object, ObjectID: g.PolicyID, Summary: "免申即享：企业" + itemWords[state]})
		})
		return err
	})
	if err != nil {
		return MyGrant{}, fmt.Errorf("confirm grant %d: %w", cmd.ID, err)
	}
	return s.myGrant(ctx, actor, cmd.ID)
}
