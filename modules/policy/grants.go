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
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/flow"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// GrantState is where a list of companies that need not apply (免申即享) stands.
type GrantState string

// The states of a list.
const (
	GrantPreparing  GrantState = "preparing" // the companies are being judged and written down
	GrantDraft      GrantState = "draft"
	GrantReview     GrantState = "review" // for a second person
	GrantPublic     GrantState = "public" // shown to everybody, who may object
	GrantConfirming GrantState = "confirming"
	GrantFinal      GrantState = "final"
	GrantCancelled  GrantState = "cancelled"
)

// GrantStates are all states, GrantEdges the legal steps between them.
var (
	GrantStates = []GrantState{GrantPreparing, GrantDraft, GrantReview, GrantPublic, GrantConfirming, GrantFinal, GrantCancelled}
	GrantEdges  = []flow.Edge[GrantState]{
		{From: GrantPreparing, To: GrantDraft}, {From: GrantPreparing, To: GrantCancelled},
		{From: GrantDraft, To: GrantReview}, {From: GrantDraft, To: GrantCancelled},
		{From: GrantReview, To: GrantPublic}, {From: GrantReview, To: GrantDraft}, {From: GrantReview, To: GrantCancelled},
		{From: GrantPublic, To: GrantConfirming}, {From: GrantPublic, To: GrantCancelled},
		{From: GrantConfirming, To: GrantFinal}, {From: GrantConfirming, To: GrantCancelled},
	}
)

// Label is the state in Chinese.
func (s GrantState) Label() string {
	return map[GrantState]string{GrantPreparing: "生成中", GrantDraft: "编制中", GrantReview: "待审定", GrantPublic: "公示中", GrantConfirming: "企业确认中", GrantFinal: "已确定",
		GrantCancelled: "已作废"}[s]
}

// The faults of a list.
var (
	ErrGrantState = fault.New(fault.Conflict, "GRANT_STATE", "名单的状态已变化，请刷新后再操作")
	ErrGrantOwn   = fault.New(fault.Forbidden, "GRANT_OWN", "名单须由另一人审定，不能审定本人编制的名单")
	ErrGrantNone  = fault.New(fault.Conflict, "GRANT_NONE", "仅凭部门核实的数据，没有企业符合全部条件，不能生成免申即享名单")
	ErrGrantHuman = fault.New(fault.Conflict, "GRANT_HUMAN", "这项政策有须人工判定的条件，不适用免申即享")
	ErrGrantOpen  = fault.New(fault.Conflict, "GRANT_OPEN", "还有未处理的异议，请先处理")
	ErrGrantEarly = fault.New(fault.Conflict, "GRANT_EARLY", "公示期未满，不能进入企业确认")
)

// grant is one list.
type grant struct {
	bun.BaseModel `bun:"table:policy_grants,alias:pg"`

	ID            int64      `bun:"id,pk,autoincrement"`
	PolicyID      int64      `bun:"policy_id,notnull"`
	PolicyVersion int64      `bun:"policy_version,notnull"`
	Title         string     `bun:"title,notnull"` // of the policy, as it was
	State         GrantState `bun:"state,notnull"`
	Version       int64      `bun:"version,notnull"`
	FactMark      int64      `bun:"fact_mark,notnull"`
	MakerID       int64      `bun:"maker_id,notnull"`
	Maker         string     `bun:"maker,notnull"`
	DeciderID     int64      `bun:"decider_id,nullzero"`
	Decider       string     `bun:"decider,notnull"`
	Reason        string     `bun:"reason,notnull"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	PublicAt      *time.Time `bun:"public_at"`
	PublicUntil   *time.Time `bun:"public_until"`
	FinalAt       *time.Time `bun:"final_at"`
}

// grantItem is one company of a list with the evidence as it was frozen.
type grantItem struct {
	bun.BaseModel `bun:"table:policy_grant_items,alias:gi"`

	GrantID      int64      `bun:"grant_id,pk"`
	EnterpriseID int64      `bun:"enterprise_id,pk"`
	Name         string     `bun:"name,notnull"`
	CreditCode   string     `bun:"credit_code,notnull"`
	Town         string     `bun:"town,notnull"`
	State        string     `bun:"state,notnull"`    // listed, removed, confirmed, declined
	Evidence     string     `bun:"evidence,notnull"` // sealed Evidence
	Reason       string     `bun:"reason,notnull"`
	ConfirmedBy  string     `bun:"confirmed_by,notnull"`
	DecidedAt    *time.Time `bun:"decided_at"`
	Told         bool       `bun:"told,notnull"` // that it is to confirm
}

// Evidence is what a company's place on a list rests on, frozen when the list was made.
type Evidence struct {
	At    time.Time      `json:"at"`
	Facts criteria.Facts `json:"facts"`
	Lines []Line         `json:"lines"`
}

func evidencePlace(grant, enterprise int64) string {
	return fmt.Sprintf("policy_grant_items.evidence:%d:%d", grant, enterprise)
}

var itemWords = map[string]string{"listed": "在名单内", "removed": "已移出", "confirmed": "已确认", "declined": "企业放弃"}

// GrantMoved is announced of each step of a list.
type GrantMoved struct {
	ID       int64      `json:"id"`
	PolicyID int64      `json:"policyId"`
	State    GrantState `json:"state"`
}

// Event names the fact.
func (f GrantMoved) Event() (string, string, int64) {
	return "policy_grant." + string(f.State), "policy_grant", f.ID
}

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

func findGrant(ctx context.Context, db bun.IDB, id int64) (*grant, error) {
	g := new(grant)
	if err := db.NewSelect().Model(g).Where("pg.id = ?", id).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return g, nil
}

// moveGrant takes a list one step on, if it is still as it was read.
func (s *Service) moveGrant(ctx context.Context, tx bun.Tx, actor access.Actor, g *grant, to GrantState, change func(*grant)) error {
	if !slices.Contains(GrantEdges, flow.Edge[GrantState]{From: g.State, To: to}) {
		return ErrGrantState.With("名单当前为“%s”，不能进行此操作，请刷新后查看", g.State.Label())
	}
	read := g.Version
	g.State, g.Version = to, read+1
	if change != nil {
		change(g)
	}
	err := database.Changed(tx.NewUpdate().Model(g).ExcludeColumn("id", "created_at").Where("id = ? AND version = ?", g.ID, read).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return ErrGrantState
	}
	if err != nil {
		return err
	}
	_, err = event.Append(ctx, tx, actor, s.clock.Now(), GrantMoved{ID: g.ID, PolicyID: g.PolicyID, State: to})
	return err
}

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
