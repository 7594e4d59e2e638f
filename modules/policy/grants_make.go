package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// MakeGrant makes a list of the companies that fit a policy on what offices say alone, with the evidence of each. It needs
// policy.grant.
func (s *Service) MakeGrant(ctx context.Context, actor access.Actor, policyID int64, key string) (GrantView, error) {
	if err := s.staff(actor, PermGrant); err != nil {
		return GrantView{}, err
	}
	p, err := s.find(ctx, s.db.Read(), actor, policyID)
	if err != nil {
		return GrantView{}, err
	}
	now := s.clock.Now()
	if p.StatusOn(dayOf(now)) != Live {
		return GrantView{}, ErrState.With("政策当前为“%s”，只有现行有效的政策可以生成免申即享名单", p.StatusOn(dayOf(now)).Label())
	}
	r := s.rule(ctx, p)
	if !r.readable {
		return GrantView{}, ErrByHand
	}
	columns, mark, err := s.pool.ready()
	if err != nil {
		return GrantView{}, err
	}
	found := columns.Evaluate(r.condition, now)
	if found.Count(criteria.Eligible) == 0 && found.Count(criteria.NeedsHuman) > 0 {
		return GrantView{}, ErrGrantHuman
	}
	items, err := s.checked(ctx, r, members(found, criteria.Eligible), now)
	if err != nil {
		return GrantView{}, err
	}
	var done outcome
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.grant", Key: key, Request: policyID, Now: now}, func() (outcome, error) {
			if len(items) == 0 {
				return outcome{}, ErrGrantNone
			}
			g := grant{PolicyID: policyID, PolicyVersion: p.Version, Title: p.Title, State: GrantPreparing, Version: 1, FactMark: mark, MakerID: actor.UserID, Maker: actor.Name, CreatedAt: now}
			if err := database.Insert(ctx, tx, &g); err != nil {
				return outcome{}, err
			}
			return outcome{g.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.grant", Object: Object, ObjectID: policyID,
				Summary: fmt.Sprintf("生成免申即享名单，%d 家企业", len(items))})
		})
		return err
	})
	if err != nil {
		return GrantView{}, fmt.Errorf("grant of policy %d: %w", policyID, err)
	}
	if err := s.fillGrant(ctx, actor, done.ID, items); err != nil {
		return GrantView{}, err
	}
	return s.Grant(ctx, actor, done.ID)
}

// checkedItem is a company that fits on what offices say.
type checkedItem struct {
	grantItem

	evidence Evidence
}

// checked keeps those of the companies that still fit without their own word.
func (s *Service) checked(ctx context.Context, r *rule, ids []int64, now time.Time) ([]checkedItem, error) {
	var out []checkedItem
	names := s.fieldNames(fieldRegion)
	for chunk := range slices.Chunk(ids, 500) {
		known, err := s.reach.Register.CheckedFacts(ctx, s.db.Read(), chunk...)
		if err != nil {
			return nil, fmt.Errorf("checked facts: %w", err)
		}
		named, err := s.reach.Register.Named(ctx, s.db.Read(), access.SystemActor("policy.grant"), chunk...)
		if err != nil {
			return nil, fmt.Errorf("names: %w", err)
		}
		for _, id := range chunk {
			facts := known[id]
			j := r.judge(facts, now)
			c, ok := named[id]
			if j.Decision != criteria.Eligible || !ok {
				continue
			}
			town := ""
			for _, t := range s.schema.Tell(criteria.Facts{fieldRegion: facts[fieldRegion]}, now) {
				if t.Field == fieldRegion {
					town = t.Value
				}
			}
			if names[town] != "" {
				town = names[town]
			}
			out = append(out, checkedItem{grantItem{EnterpriseID: id, Name: c.Name, CreditCode: c.CreditCode, Town: town, State: "listed"}, Evidence{At: now, Facts: facts, Lines: j.Lines}})
		}
	}
	return out, nil
}

// fillGrant writes down the companies of a list that is being prepared, in steps.
func (s *Service) fillGrant(ctx context.Context, actor access.Actor, id int64, items []checkedItem) error {
	g, err := findGrant(ctx, s.db.Read(), id)
	if err != nil || g.State != GrantPreparing {
		return err
	}
	for chunk := range slices.Chunk(items, 100) {
		rows := make([]grantItem, 0, len(chunk))
		for _, i := range chunk {
			raw, err := json.Marshal(i.evidence)
			if err != nil {
				return err
			}
			i.GrantID = id
			i.Evidence = s.reach.Box.Seal(raw, evidencePlace(id, i.EnterpriseID))
			rows = append(rows, i.grantItem)
		}
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("companies of grant %d: %w", id, err)
		}
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return s.moveGrant(ctx, tx, actor, g, GrantDraft, nil) })
}
