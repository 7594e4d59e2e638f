package policy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// Audience is whom a plan is for.
type Audience struct {
	Sets []criteria.Decision `json:"sets" minItems:"1" maxItems:"5"`
	Narrow
}

// The reasons why a company is not told, in the order in which they are asked.
const (
	skipTold    = "已告知过本政策"
	skipConsent = "企业未授权政策推送"
	skipNobody  = "企业没有负责人账号"
	skipOften   = "本周告知次数已达上限"
	skipNoFit   = "政策已修订或失效"
)

// Excluded is how many companies are not told for a reason.
type Excluded struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// PushPreview is what a plan would do.
type PushPreview struct {
	Chosen   int        `json:"chosen"` // companies of the audience
	ToTell   int        `json:"toTell"`
	Excluded []Excluded `json:"excluded"`
	Note     string     `json:"note,omitempty"`
	// Held is until when messages that are not urgent wait, as of now.
	Held    *time.Time `json:"held,omitempty"`
	PerWeek int        `json:"perWeek"`
}

// planned is what a preview rests on.
type planned struct {
	policy  *Policy
	preview PushPreview
	tell    []int64
	by      map[int64]criteria.Decision
}

// PreviewPush says whom a plan would tell and whom not, for which reason. It needs policy.push.
func (s *Service) PreviewPush(ctx context.Context, actor access.Actor, policyID int64, a Audience) (PushPreview, error) {
	p, err := s.plan(ctx, actor, policyID, a)
	return p.preview, err
}

func (s *Service) plan(ctx context.Context, actor access.Actor, policyID int64, a Audience) (planned, error) {
	var out planned
	if err := s.staff(actor, PermPush); err != nil {
		return out, err
	}
	if len(a.Sets) == 0 {
		return out, fault.InvalidField("sets", "PUSH_SETS", "请选择要告知的匹配结果")
	}
	for _, d := range a.Sets {
		if d != criteria.Eligible && d != criteria.Near && d != criteria.Undecided && d != criteria.NeedsHuman {
			return out, fault.InvalidField("sets", "PUSH_SETS", "只能告知符合、接近、待确认或需人工判定的企业")
		}
	}
	p, err := s.find(ctx, s.db.Read(), actor, policyID)
	if err != nil {
		return out, err
	}
	now := s.clock.Now()
	if p.StatusOn(dayOf(now)) != Live {
		return out, ErrState.With("政策当前为“%s”，只有现行有效的政策可以推送", p.StatusOn(dayOf(now)).Label())
	}
	r := s.rule(ctx, p)
	if !r.readable {
		return out, ErrByHand
	}
	columns, _, err := s.pool.ready()
	if err != nil {
		return out, err
	}
	ids, by, err := s.chosen(columns, r, now, a.Narrow, a.Sets...)
	if err != nil {
		return out, err
	}
	out = planned{policy: p, by: by, preview: PushPreview{Chosen: len(ids), Excluded: []Excluded{}, PerWeek: s.reach.PerWeek}}
	if len(a.Sets) == 1 {
		for _, id := range ids {
			out.by[id] = a.Sets[0]
		}
	}
	if at := s.reach.Messages.Held(now); !at.IsZero() {
		out.preview.Held = &at
	}
	why, err := s.exclusions(ctx, s.db.Read(), policyID, ids, now)
	if err != nil {
		return out, err
	}
	counts := map[string]int{}
	for _, id := range ids {
		if why[id] == "" {
			out.tell = append(out.tell, id)
		} else {
			counts[why[id]]++
		}
	}
	out.preview.ToTell = len(out.tell)
	for _, reason := range []string{skipTold, skipConsent, skipNobody, skipOften} {
		if counts[reason] > 0 {
			out.preview.Excluded = append(out.preview.Excluded, Excluded{reason, counts[reason]})
		}
	}
	if len(ids) > 0 && counts[skipConsent] == len(ids)-counts[skipTold] {
		out.preview.Note = "尚无企业授权推送"
	}
	return out, nil
}

// exclusions says of companies why they are not told; one that is told is missing.
func (s *Service) exclusions(ctx context.Context, db bun.IDB, policyID int64, ids []int64, now time.Time) (map[int64]string, error) {
	out := map[int64]string{}
	for chunk := range slices.Chunk(ids, 500) {
		var had, often []int64
		if err := db.NewSelect().Model((*told)(nil)).Column("enterprise_id").Where("pt.policy_id = ? AND pt.enterprise_id IN ?", policyID, bun.Tuple(chunk)).Scan(ctx, &had); err != nil {
			return nil, fmt.Errorf("told before: %w", err)
		}
		err := db.NewSelect().Model((*told)(nil)).Column("enterprise_id").Where("pt.enterprise_id IN ? AND pt.told_at > ?", bun.Tuple(chunk), now.Add(-week)).
			GroupExpr("pt.enterprise_id").Having("count(DISTINCT pt.notice) >= ?", s.reach.PerWeek).Scan(ctx, &often)
		if err != nil {
			return nil, fmt.Errorf("told this week: %w", err)
		}
		allowed, err := s.reach.Consents.Allows(ctx, chunk, PurposePush, now)
		if err != nil {
			return nil, fmt.Errorf("consents: %w", err)
		}
		owners, err := s.reach.Register.Owners(ctx, db, chunk...)
		if err != nil {
			return nil, fmt.Errorf("owners: %w", err)
		}
		for _, id := range chunk {
			switch {
			case slices.Contains(had, id):
				out[id] = skipTold
			case !allowed[id]:
				out[id] = skipConsent
			case owners[id] == 0:
				out[id] = skipNobody
			case slices.Contains(often, id):
				out[id] = skipOften
			}
		}
	}
	return out, nil
}

// MakePush asks for a plan.
type MakePush struct {
	Key      string
	PolicyID int64
	Audience Audience
}

// MakePush writes down a plan with the companies it would tell; a second person approves it. It needs policy.push.
func (s *Service) MakePush(ctx context.Context, actor access.Actor, cmd MakePush) (PushView, error) {
	p, err := s.plan(ctx, actor, cmd.PolicyID, cmd.Audience)
	if err != nil {
		return PushView{}, err
	}
	now := s.clock.Now()
	audience, err1 := json.Marshal(cmd.Audience)
	preview, err2 := json.Marshal(p.preview)
	if err := errors.Join(err1, err2); err != nil {
		return PushView{}, err
	}
	var done outcome
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.push", Key: cmd.Key, Request: []any{cmd.PolicyID, cmd.Audience}, Now: now}, func() (outcome, error) {
			if len(p.tell) == 0 {
				return outcome{}, ErrPushNone
			}
			row := push{PolicyID: cmd.PolicyID, PolicyVersion: p.policy.Version, State: PushPreparing, Version: 1, Audience: string(audience), Preview: string(preview),
				MakerID: actor.UserID, Maker: actor.Name, CreatedAt: now}
			if err := database.Insert(ctx, tx, &row); err != nil {
				return outcome{}, err
			}
			return outcome{row.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.push", Object: Object, ObjectID: cmd.PolicyID,
				Summary: fmt.Sprintf("制定推送计划，拟告知 %d 家企业", len(p.tell)), Detail: cmd.Audience})
		})
		return err
	})
	if err != nil {
		return PushView{}, fmt.Errorf("push policy %d: %w", cmd.PolicyID, err)
	}
	if err := s.fillPush(ctx, actor, done.ID, p); err != nil {
		return PushView{}, err
	}
	return s.Push(ctx, actor, done.ID)
}

// fillPush writes down the companies of a plan that is being prepared, in steps, and hands it to a second person.
func (s *Service) fillPush(ctx context.Context, actor access.Actor, id int64, p planned) error {
	row, err := findPush(ctx, s.db.Read(), id)
	if err != nil || row.State != PushPreparing {
		return err
	}
	for chunk := range slices.Chunk(p.tell, 300) {
		rows := make([]pushItem, 0, len(chunk))
		for _, e := range chunk {
			rows = append(rows, pushItem{PushID: id, EnterpriseID: e, Decision: p.by[e], State: "waiting"})
		}
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("companies of push %d: %w", id, err)
		}
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return s.movePush(ctx, tx, actor, row, PushWaiting, nil)
	})
}
