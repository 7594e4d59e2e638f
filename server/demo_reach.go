package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
)

// seedReach shows a list of companies that need not apply to the public, one objected to, and has each policy in force held
// against the companies once the demo runs.
func (h *house) seedReach(ctx context.Context, s *seeded) error {
	s.at.Set(s.now.AddDate(0, 0, -2))
	maker, err := s.as(ctx, h, "staff", "operator01")
	if err != nil {
		return err
	}
	decider, err := s.as(ctx, h, "staff", "reviewer01")
	if err != nil {
		return err
	}
	if err := h.policies.RefreshPool(ctx); err != nil {
		return err
	}
	for _, p := range s.world.Policies {
		id := s.ids["policy:"+p.Key]
		g, err := h.policies.MakeGrant(ctx, maker, id, "demo-grant-"+p.Key)
		if errors.Is(err, policy.ErrGrantNone) || errors.Is(err, policy.ErrGrantHuman) || errors.Is(err, policy.ErrByHand) || errors.Is(err, policy.ErrState) || errors.Is(err, policy.ErrNotFound) {
			continue
		}
		if err == nil {
			g, err = h.policies.SubmitGrant(ctx, maker, policy.GrantStep{Key: "demo-submit", ID: g.ID, Version: g.Version})
		}
		if err == nil {
			g, err = h.policies.PublishGrant(ctx, decider, policy.GrantStep{Key: "demo-publish", ID: g.ID, Version: g.Version})
		}
		if err == nil {
			_, err = h.policies.RaiseObjection(ctx, access.Actor{Party: access.Anonymous}, policy.RaiseObjection{Key: "demo-object", GrantID: g.ID, Name: "周明", Phone: "13800138066",
				Text: "名单中有企业近半年没有实际经营，请核实后再作认定。"})
		}
		if err != nil {
			return fmt.Errorf("list of %s: %w", p.Title, err)
		}
		break
	}
	return h.policies.EnsureRuns(ctx)
}
