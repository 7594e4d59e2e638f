package policy

import (
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// MyGrant is a list as a company on it sees it.
type MyGrant struct {
	ID          int64      `json:"id"`
	PolicyID    int64      `json:"policyId"`
	Title       string     `json:"title"`
	State       GrantState `json:"state" enum:"public,confirming,final,cancelled"`
	StateName   string     `json:"stateName"`
	PublicUntil *time.Time `json:"publicUntil,omitempty"`
	Mine        string     `json:"mine" enum:"listed,removed,confirmed,declined"`
	MineName    string     `json:"mineName"`
	MayConfirm  bool       `json:"mayConfirm"`
}

// MyGrants lists the lists the company the actor acts for is on, newest first.
func (s *Service) MyGrants(ctx context.Context, actor access.Actor) ([]MyGrant, error) {
	if actor.Party != access.Enterprise || actor.EnterpriseID == 0 {
		return nil, fault.ErrForbidden
	}
	return s.myGrants(ctx, actor, 0)
}

func (s *Service) myGrant(ctx context.Context, actor access.Actor, id int64) (MyGrant, error) {
	list, err := s.myGrants(ctx, actor, id)
	if err == nil && len(list) == 0 {
		err = fault.ErrNotFound
	}
	if err != nil {
		return MyGrant{}, err
	}
	return list[0], nil
}

func (s *Service) myGrants(ctx context.Context, actor access.Actor, id int64) ([]MyGrant, error) {
	var rows []struct {
		grant `bun:",extend"`
		Mine  string `bun:"mine"`
	}
	q := s.db.Read().NewSelect().TableExpr("policy_grants AS pg").ColumnExpr("pg.*, gi.state AS mine").Join("JOIN policy_grant_items AS gi ON gi.grant_id = pg.id").
		Where("gi.enterprise_id = ? AND pg.public_at IS NOT NULL", actor.EnterpriseID).OrderExpr("pg.id DESC").Limit(50)
	if id > 0 {
		q = q.Where("pg.id = ?", id)
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("grants of enterprise %d: %w", actor.EnterpriseID, err)
	}
	out := make([]MyGrant, 0, len(rows))
	for _, r := range rows {
		out = append(out, MyGrant{ID: r.ID, PolicyID: r.PolicyID, Title: r.Title, State: r.State, StateName: r.State.Label(), PublicUntil: utc(r.PublicUntil), Mine: r.Mine,
			MineName: itemWords[r.Mine], MayConfirm: r.State == GrantConfirming && r.Mine != "removed"})
	}
	return out, nil
}

// PublicGrant is a list as the public sees it.
type PublicGrant struct {
	ID          int64      `json:"id"`
	PolicyID    int64      `json:"policyId"`
	Title       string     `json:"title"`
	State       GrantState `json:"state" enum:"public,confirming,final"`
	StateName   string     `json:"stateName"`
	PublicAt    time.Time  `json:"publicAt"`
	PublicUntil time.Time  `json:"publicUntil"`
	Open        bool       `json:"open"` // objections are taken
	Companies   int        `json:"companies"`
}

// PublicGrants lists the lists that are or were shown to the public, newest first, at most a hundred.
func (s *Service) PublicGrants(ctx context.Context) ([]PublicGrant, error) {
	return s.publicGrants(ctx, 0)
}

func (s *Service) publicGrants(ctx context.Context, id int64) ([]PublicGrant, error) {
	var rows []grant
	q := s.db.Read().NewSelect().Model(&rows).Where("pg.public_at IS NOT NULL AND pg.state IN ('public', 'confirming', 'final')").OrderExpr("pg.id DESC").Limit(100)
	if id > 0 {
		q = q.Where("pg.id = ?", id)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("public grants: %w", err)
	}
	now := s.clock.Now()
	out := make([]PublicGrant, 0, len(rows))
	for _, g := range rows {
		counts, err := s.grantCounts(ctx, g.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, PublicGrant{ID: g.ID, PolicyID: g.PolicyID, Title: g.Title, State: g.State, StateName: g.State.Label(), PublicAt: g.PublicAt.UTC(), PublicUntil: g.PublicUntil.UTC(),
			Open: g.State == GrantPublic && now.Before(*g.PublicUntil), Companies: counts["listed"] + counts["confirmed"] + counts["declined"]})
	}
	return out, nil
}

// PublicCompanies lists who is on a public list: the names, which are public, and of the credit code the ends.
func (s *Service) PublicCompanies(ctx context.Context, id int64, cursor string, limit int) (PublicGrant, []GrantCompany, string, error) {
	list, err := s.publicGrants(ctx, id)
	if err == nil && len(list) == 0 {
		err = fault.ErrNotFound
	}
	if err != nil {
		return PublicGrant{}, nil, "", err
	}
	items, next, err := s.grantPage(ctx, id, []string{"listed", "confirmed", "declined"}, cursor, limit)
	for i := range items {
		items[i].CreditCode, items[i].Reason, items[i].ConfirmedBy, items[i].DecidedAt = maskCode(items[i].CreditCode), "", "", nil
		items[i].State, items[i].StateName = "listed", itemWords["listed"]
	}
	return list[0], items, next, err
}

// ShownGrant is a list as the public sees it, a page of its companies, and how it stands for the company of who looks.
type ShownGrant struct {
	PublicGrant

	Items      []GrantCompany `json:"items" nullable:"false"`
	NextCursor string         `json:"nextCursor,omitempty"`
	Mine       *MyGrant       `json:"mine,omitempty"`
}

// ShownGrant returns a public list for everybody; a company that is on it also gets its own place, also one that was taken
// off.
func (s *Service) ShownGrant(ctx context.Context, actor access.Actor, id int64, cursor string, limit int) (ShownGrant, error) {
	g, items, next, err := s.PublicCompanies(ctx, id, cursor, limit)
	if err != nil {
		return ShownGrant{}, err
	}
	v := ShownGrant{PublicGrant: g, Items: items, NextCursor: next}
	if actor.Party != access.Enterprise || actor.EnterpriseID == 0 {
		return v, nil
	}
	mine, err := s.myGrants(ctx, actor, id)
	if len(mine) > 0 {
		v.Mine = &mine[0]
	}
	return v, err
}

// maskCode keeps the first four and the last four characters of a credit code.
func maskCode(code string) string {
	if len(code) < 12 {
		return code
	}
	return code[:4] + "**********" + code[len(code)-4:]
}
