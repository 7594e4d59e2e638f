package policy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// askedFor says that a company looked at how one policy fits it. It stays when the answer is deleted.
type askedFor struct {
	bun.BaseModel `bun:"table:policy_outcome_asked,alias:oa"`

	PolicyID     int64     `bun:"policy_id,pk"`
	EnterpriseID int64     `bun:"enterprise_id,pk"`
	FirstAt      time.Time `bun:"first_at,notnull"`
	LastAt       time.Time `bun:"last_at,notnull"`
}

// markAsked writes that a company asked for a single policy.
func markAsked(ctx context.Context, tx bun.Tx, k kept) error {
	if k.Kind != OwnAnswer || !k.One || len(k.Rules) != 1 {
		return nil
	}
	row := &askedFor{PolicyID: k.Rules[0].policy.ID, EnterpriseID: k.EnterpriseID, FirstAt: k.At, LastAt: k.At}
	_, err := tx.NewInsert().Model(row).On("CONFLICT (policy_id, enterprise_id) DO UPDATE").Set("last_at = EXCLUDED.last_at").Exec(ctx)
	return err
}

// Outcome is what came of a policy, counted from what is written down. A company counts once in each figure.
type Outcome struct {
	At time.Time `json:"at"`
	// Fit is what was found when an edition was published, the latest that is done; nil before the first.
	Fit *FitAtPublishing `json:"fit,omitempty"`
	// Told were told by plans, ToldSince by the platform when they came to fit later.
	Told      int `json:"told"`
	ToldSince int `json:"toldSince"`
	// Opened read the message of a plan.
	Opened int `json:"opened"`
	// Asked looked at how this policy by itself fits them, AskedTold of these after they were told; a match of the whole library
	// is not counted.
	Asked     int `json:"asked"`
	AskedTold int `json:"askedTold"`
	// Lists are those that were shown and not cancelled; Listed are on one, Confirmed and Declined said so.
	Lists     int `json:"lists"`
	Listed    int `json:"listed"`
	Confirmed int `json:"confirmed"`
	Declined  int `json:"declined"`
}

// FitAtPublishing is whom a policy fitted when it was published.
type FitAtPublishing struct {
	At        time.Time `json:"at"`
	Edition   int64     `json:"edition,omitempty"`
	Eligible  int       `json:"eligible"`
	Near      int       `json:"near"`
	Companies int       `json:"companies"` // in the register then
}

// Outcome counts what came of a policy. It is for staff with policy.view; others get ErrForbidden, and ErrNotFound for a policy
// that is not there.
func (s *Service) Outcome(ctx context.Context, actor access.Actor, id int64) (Outcome, error) {
	if err := actor.Need(PermView); err != nil {
		return Outcome{}, err
	}
	if !isStaff(actor) {
		return Outcome{}, fault.ErrForbidden
	}
	if err := s.Sees(ctx, actor, id); err != nil {
		return Outcome{}, err
	}
	out := Outcome{At: s.clock.Now().UTC()}
	var err error
	if out.Fit, err = s.fitAtPublishing(ctx, id); err != nil {
		return Outcome{}, err
	}
	const (
		ofPlans = "policy_push_items AS pi JOIN policy_pushes AS pp ON pp.id = pi.push_id WHERE pp.policy_id = ? AND pi.state = 'told'"
		ofLists = "policy_grant_items AS gi JOIN policy_grants AS pg ON pg.id = gi.grant_id WHERE pg.policy_id = ? AND pg.public_at IS NOT NULL AND pg.state <> 'cancelled'"
	)
	for _, q := range []struct {
		to  *int
		sql string
	}{
		{&out.Told, "SELECT count(DISTINCT pi.enterprise_id) FROM " + ofPlans},
		{&out.Opened, "SELECT count(DISTINCT pi.enterprise_id) FROM " + ofPlans + " AND pi.opened"},
		{&out.ToldSince, "SELECT count(*) FROM policy_told AS pt WHERE pt.policy_id = ? AND NOT EXISTS (SELECT 1 FROM " + ofPlans + " AND pi.enterprise_id = pt.enterprise_id)"},
		{&out.Asked, "SELECT count(*) FROM policy_outcome_asked AS oa WHERE oa.policy_id = ?"},
		{&out.AskedTold, "SELECT count(*) FROM policy_outcome_asked AS oa JOIN policy_told AS pt ON pt.policy_id = oa.policy_id AND pt.enterprise_id = oa.enterprise_id WHERE oa.policy_id = ? AND oa.last_at >= pt.told_at"},
		{&out.Lists, "SELECT count(DISTINCT gi.grant_id) FROM " + ofLists},
		{&out.Listed, "SELECT count(DISTINCT gi.enterprise_id) FROM " + ofLists + " AND gi.state <> 'removed'"},
		{&out.Confirmed, "SELECT count(DISTINCT gi.enterprise_id) FROM " + ofLists + " AND gi.state = 'confirmed'"},
		{&out.Declined, "SELECT count(DISTINCT gi.enterprise_id) FROM " + ofLists + " AND gi.state = 'declined'"},
	} {
		args := []any{id}
		if q.to == &out.ToldSince {
			args = append(args, id)
		}
		if err := database.QueryOne(ctx, s.db.Read(), []any{q.to}, q.sql, args...); err != nil {
			return Outcome{}, fmt.Errorf("outcome of policy %d: %w", id, err)
		}
	}
	return out, nil
}

// fitAtPublishing reads the latest match that was made because an edition was published.
func (s *Service) fitAtPublishing(ctx context.Context, id int64) (*FitAtPublishing, error) {
	var rows []run
	err := s.db.Read().NewSelect().Model(&rows).Where("pr.policy_id = ? AND pr.origin = 'publish' AND pr.done_at IS NOT NULL AND pr.counts <> ''", id).OrderExpr("pr.id DESC").Limit(1).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	v, err := rows[0].view()
	if err != nil {
		return nil, err
	}
	fit := &FitAtPublishing{At: *v.DoneAt, Companies: v.Result.Companies}
	for _, c := range v.Result.Sets {
		switch c.Set {
		case criteria.Eligible:
			fit.Eligible = c.Count
		case criteria.Near:
			fit.Near = c.Count
		}
	}
	p := new(Policy)
	err = database.Found(s.db.Read().NewSelect().Model(p).Column("edition").Where("p.id = ? AND p.version = ?", id, v.Version).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return fit, nil // revised since; the match of the new text is not done yet
	}
	fit.Edition = p.Edition
	return fit, err
}
