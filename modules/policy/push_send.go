package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
)

const (
	// batchOfPush is how many companies are told in one transaction; a pause or a stop waits for one at most.
	batchOfPush = 20
	// spellOfPush is how many batches a job sends before others get their turn.
	spellOfPush = 50
)

// workPush sends batches of a plan until it is done, paused or stopped. A worker that dies leaves whole batches: a company's
// row, its message and that it was told are of one transaction.
func (s *Service) workPush(ctx context.Context, id int64) error {
	if at := s.reach.Messages.Held(s.clock.Now()); !at.IsZero() {
		return jobs.Snooze(at.Sub(s.clock.Now()))
	}
	for range spellOfPush {
		more, err := s.sendBatch(ctx, id)
		if errors.Is(err, fault.ErrNotFound) {
			return jobs.Cancel(fmt.Errorf("push %d: %w", id, err))
		}
		if err != nil || !more {
			return err
		}
	}
	return jobs.Snooze(100 * time.Millisecond)
}

// sendBatch tells the next companies of a plan; false when there is nothing more to do now.
func (s *Service) sendBatch(ctx context.Context, id int64) (bool, error) {
	db, now := s.db.Read(), s.clock.Now()
	row, err := findPush(ctx, db, id)
	if err != nil || row.State != PushSending {
		return false, err
	}
	var ids []int64
	if err := db.NewSelect().Model((*pushItem)(nil)).Column("enterprise_id").Where("pi.push_id = ? AND pi.state = 'waiting'", id).
		OrderExpr("pi.enterprise_id").Limit(batchOfPush).Scan(ctx, &ids); err != nil {
		return false, fmt.Errorf("companies of push %d: %w", id, err)
	}
	// Whatever became of consents, owners and the policy since the plan was made counts now.
	why, err := s.exclusions(ctx, db, row.PolicyID, ids, now)
	if err != nil {
		return false, err
	}
	owners, err := s.reach.Register.Owners(ctx, db, ids...)
	if err != nil {
		return false, err
	}
	actor := access.SystemActor("job:policy.push")
	p, err := s.find(ctx, db, actor, row.PolicyID)
	if err != nil {
		return false, err
	}
	valid := p.StatusOn(dayOf(now)) == Live && p.Version == row.PolicyVersion
	more := true
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		more = true
		// Who sends holds the plan's row, so that batches do not overlap and a pause comes before or after one.
		held, err := holdPush(ctx, tx, id)
		if err != nil || held.State != PushSending {
			more = false
			return err
		}
		if len(ids) == 0 {
			more = false
			return s.movePush(ctx, tx, actor, held, PushDone, func(p *push) { p.EndedAt = &now })
		}
		var items []pushItem
		if err := tx.NewSelect().Model(&items).Where("pi.push_id = ? AND pi.state = 'waiting' AND pi.enterprise_id IN ?", id, bun.Tuple(ids)).Scan(ctx); err != nil {
			return err
		}
		for i := range items {
			reason := why[items[i].EnterpriseID]
			if !valid {
				reason = skipNoFit
			}
			if err := s.sendOne(ctx, tx, p, &items[i], owners[items[i].EnterpriseID], reason, now); err != nil {
				return fmt.Errorf("tell enterprise %d: %w", items[i].EnterpriseID, err)
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("send push %d: %w", id, err)
	}
	return more, nil
}

// holdPush reads a plan so that nobody else changes it before the transaction ends.
func holdPush(ctx context.Context, tx bun.Tx, id int64) (*push, error) {
	row := new(push)
	q := tx.NewSelect().Model(row).Where("pp.id = ?", id)
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	return row, database.Found(q.Scan(ctx))
}

// sendOne tells one company, or writes down why not.
func (s *Service) sendOne(ctx context.Context, tx bun.Tx, p *Policy, item *pushItem, user int64, reason string, now time.Time) error {
	if reason == "" {
		n, err := toldSince(ctx, tx, item.EnterpriseID, now.Add(-week))
		if err != nil {
			return err
		}
		key := pushKey(item.PushID, item.EnterpriseID)
		if n >= s.reach.PerWeek {
			reason = skipOften
		} else if fresh, err := markTold(ctx, tx, told{PolicyID: p.ID, EnterpriseID: item.EnterpriseID, Notice: key, ToldAt: now}); err != nil {
			return err
		} else if !fresh {
			reason = skipTold
		} else if err := s.reach.Messages.Tell(ctx, tx, key, user, "policy.pushed", p.item(dayOf(now)).url(), map[string]string{
			"title": p.Title, "answer": pushAnswer(item.Decision), "window": p.item(dayOf(now)).WindowText()}); err != nil {
			return err
		}
	}
	item.State, item.ToldAt = "told", &now
	if reason != "" {
		item.State, item.Reason, item.ToldAt = "skipped", reason, nil
	}
	_, err := tx.NewUpdate().Model(item).Column("state", "reason", "told_at").WherePK().Where("state = 'waiting'").Exec(ctx)
	return err
}

func pushKey(push, enterprise int64) string {
	return fmt.Sprintf("policy.push:%d:%d", push, enterprise)
}

// pushAnswer says how a policy stands for a company without promising anything.
func pushAnswer(d criteria.Decision) string {
	switch d {
	case criteria.Eligible:
		return "可能符合申报条件"
	case criteria.Near:
		return "距申报条件还差一项"
	}
	return "部分条件尚待确认"
}

// PushTasks are what the clock asks for while plans are sent.
func (s *Service) PushTasks() []jobs.Task {
	return []jobs.Task{
		{Name: "policy.push_outcomes", Title: "统计政策推送结果", Every: time.Minute, Run: s.PushOutcomes},
		{Name: "policy.grant_notices", Title: "请企业确认免申即享", Every: time.Minute, Run: s.TellGrants, Failure: "已公示的免申即享名单没有通知到企业，请查看服务日志"},
	}
}

// TellGrants asks the companies of lists that are to be confirmed to do so. It is owed to them, so it takes no consent and
// no weekly limit; each is asked once.
func (s *Service) TellGrants(ctx context.Context) error {
	for {
		var items []grantItem
		db := s.db.Read()
		err := db.NewSelect().Model(&items).ExcludeColumn("evidence").Join("JOIN policy_grants AS pg ON pg.id = gi.grant_id").Where("pg.state = ? AND gi.state = 'listed' AND NOT gi.told", GrantConfirming).
			OrderExpr("gi.grant_id, gi.enterprise_id").Limit(batchOfPush).Scan(ctx)
		if err != nil || len(items) == 0 {
			return err
		}
		ids := make([]int64, 0, len(items))
		for _, i := range items {
			ids = append(ids, i.EnterpriseID)
		}
		owners, err := s.reach.Register.Owners(ctx, db, ids...)
		if err != nil {
			return err
		}
		err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			for _, i := range items {
				if _, err := tx.NewUpdate().Model((*grantItem)(nil)).Set("told = ?", true).Where("grant_id = ? AND enterprise_id = ?", i.GrantID, i.EnterpriseID).Exec(ctx); err != nil {
					return err
				}
				g, err := findGrant(ctx, tx, i.GrantID)
				if err != nil {
					return err
				}
				if owners[i.EnterpriseID] == 0 {
					continue
				}
				err = s.reach.Messages.Tell(ctx, tx, fmt.Sprintf("policy.granted:%d:%d", i.GrantID, i.EnterpriseID), owners[i.EnterpriseID], "policy.granted", fmt.Sprintf("/policies/%d", g.PolicyID),
					map[string]string{"title": g.Title})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("tell of grants: %w", err)
		}
	}
}

// PushOutcomes brings up what became of the letters of the plans of the last days.
func (s *Service) PushOutcomes(ctx context.Context) error {
	now := s.clock.Now()
	var rows []push
	err := s.db.Read().NewSelect().Model(&rows).Where("pp.state IN ('sending', 'paused') OR (pp.state IN ('done', 'stopped') AND pp.ended_at > ?)", now.Add(-week)).
		OrderExpr("pp.id").Limit(200).Scan(ctx)
	if err != nil {
		return fmt.Errorf("pushes under way: %w", err)
	}
	for i := range rows {
		if err := s.outcomesOf(ctx, &rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// outcomesOf asks the message centre about the companies that were told and whose letters have not come to an end.
func (s *Service) outcomesOf(ctx context.Context, row *push) error {
	for after := int64(0); ; {
		var items []pushItem
		err := s.db.Read().NewSelect().Model(&items).Where("pi.push_id = ? AND pi.state = 'told' AND pi.enterprise_id > ?", row.ID, after).
			Where("NOT (pi.opened AND pi.delivery = 'sent')").OrderExpr("pi.enterprise_id").Limit(300).Scan(ctx)
		if err != nil || len(items) == 0 {
			return err
		}
		after = items[len(items)-1].EnterpriseID
		keys := make([]string, 0, len(items))
		for _, i := range items {
			keys = append(keys, pushKey(row.ID, i.EnterpriseID))
		}
		known, err := s.reach.Messages.Outcomes(ctx, s.db.Read(), keys)
		if err != nil {
			return fmt.Errorf("outcomes of push %d: %w", row.ID, err)
		}
		items = slices.DeleteFunc(items, func(i pushItem) bool {
			o := known[pushKey(row.ID, i.EnterpriseID)]
			return o.Delivery == i.Delivery && o.Opened == i.Opened
		})
		err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			for _, i := range items {
				o := known[pushKey(row.ID, i.EnterpriseID)]
				if _, err := tx.NewUpdate().Model((*pushItem)(nil)).Set("delivery = ?", o.Delivery).Set("opened = ?", o.Opened).
					Where("push_id = ? AND enterprise_id = ?", row.ID, i.EnterpriseID).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("outcomes of push %d: %w", row.ID, err)
		}
	}
}
