package policy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/flow"
)

// GrantView is a list as staff see it.
type GrantView struct {
	ID            int64           `json:"id"`
	Version       int64           `json:"version"`
	PolicyID      int64           `json:"policyId"`
	PolicyVersion int64           `json:"policyVersion"`
	Title         string          `json:"title"`
	State         GrantState      `json:"state" enum:"preparing,draft,review,public,confirming,final,cancelled"`
	StateName     string          `json:"stateName"`
	FactMark      int64           `json:"factMark"`
	Maker         string          `json:"maker"`
	Decider       string          `json:"decider,omitempty"`
	Reason        string          `json:"reason,omitempty"`
	CreatedAt     time.Time       `json:"createdAt"`
	PublicAt      *time.Time      `json:"publicAt,omitempty"`
	PublicUntil   *time.Time      `json:"publicUntil,omitempty"`
	FinalAt       *time.Time      `json:"finalAt,omitempty"`
	Counts        map[string]int  `json:"counts"` // by the state of its companies
	Objections    []ObjectionView `json:"objections"`
	MayEdit       bool            `json:"mayEdit"`
	MayDecide     bool            `json:"mayDecide"`
}

func (s *Service) mayGrants(actor access.Actor) error {
	if err := s.staff(actor, PermGrant); err != nil {
		return s.staff(actor, PermGrantDecide)
	}
	return nil
}

// Grant returns a list. It needs policy.grant or policy.grant_decide.
func (s *Service) Grant(ctx context.Context, actor access.Actor, id int64) (GrantView, error) {
	if err := s.mayGrants(actor); err != nil {
		return GrantView{}, err
	}
	g, err := findGrant(ctx, s.db.Read(), id)
	if err != nil {
		return GrantView{}, err
	}
	return s.grantView(ctx, actor, g)
}

// GrantsOf lists the lists of a policy (0: of all), newest first, at most fifty.
func (s *Service) GrantsOf(ctx context.Context, actor access.Actor, policyID int64) ([]GrantView, error) {
	if err := s.mayGrants(actor); err != nil {
		return nil, err
	}
	var rows []grant
	q := s.db.Read().NewSelect().Model(&rows).OrderExpr("pg.id DESC").Limit(50)
	if policyID > 0 {
		q = q.Where("pg.policy_id = ?", policyID)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("grants: %w", err)
	}
	out := make([]GrantView, 0, len(rows))
	for i := range rows {
		v, err := s.grantView(ctx, actor, &rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *Service) grantView(ctx context.Context, actor access.Actor, g *grant) (GrantView, error) {
	other := actor.UserID != g.MakerID
	v := GrantView{ID: g.ID, Version: g.Version, PolicyID: g.PolicyID, PolicyVersion: g.PolicyVersion, Title: g.Title, State: g.State, StateName: g.State.Label(), FactMark: g.FactMark,
		Maker: g.Maker, Decider: g.Decider, Reason: g.Reason, CreatedAt: g.CreatedAt.UTC(), PublicAt: utc(g.PublicAt), PublicUntil: utc(g.PublicUntil), FinalAt: utc(g.FinalAt),
		Counts: map[string]int{}, Objections: []ObjectionView{},
		MayEdit:   actor.Can(PermGrant) && flow.Leads(GrantEdges, g.State, GrantCancelled),
		MayDecide: actor.Can(PermGrantDecide) && (other || g.State != GrantReview) && flow.Leads(GrantEdges, g.State, GrantFinal)}
	var err error
	if v.Counts, err = s.grantCounts(ctx, g.ID); err != nil {
		return v, err
	}
	var rows []objection
	if err := s.db.Read().NewSelect().Model(&rows).Where("po.grant_id = ?", g.ID).OrderExpr("po.id DESC").Limit(200).Scan(ctx); err != nil {
		return v, fmt.Errorf("objections: %w", err)
	}
	for _, o := range rows {
		view, err := s.objectionView(ctx, actor, o)
		if err != nil {
			return v, err
		}
		v.Objections = append(v.Objections, view)
	}
	return v, nil
}

func (s *Service) grantCounts(ctx context.Context, id int64) (map[string]int, error) {
	var counts []struct {
		State string
		N     int
	}
	err := s.db.Read().NewSelect().Model((*grantItem)(nil)).ColumnExpr("gi.state, count(*) AS n").Where("gi.grant_id = ?", id).GroupExpr("gi.state").Scan(ctx, &counts)
	out := map[string]int{}
	for _, c := range counts {
		out[c.State] = c.N
	}
	return out, err
}

// GrantCompany is a company of a list.
type GrantCompany struct {
	EnterpriseID int64      `json:"enterpriseId"`
	Name         string     `json:"name"`
	CreditCode   string     `json:"creditCode"` // the middle is masked for the public
	Town         string     `json:"town,omitempty"`
	State        string     `json:"state" enum:"listed,removed,confirmed,declined"`
	StateName    string     `json:"stateName"`
	Reason       string     `json:"reason,omitempty"`
	ConfirmedBy  string     `json:"confirmedBy,omitempty"`
	DecidedAt    *time.Time `json:"decidedAt,omitempty"`
	Evidence     *Evidence  `json:"-"`
	Lines        []Line     `json:"lines,omitempty"` // of one that was asked for
}

func (i *grantItem) view() GrantCompany {
	return GrantCompany{EnterpriseID: i.EnterpriseID, Name: i.Name, CreditCode: i.CreditCode, Town: i.Town, State: i.State, StateName: itemWords[i.State], Reason: i.Reason,
		ConfirmedBy: i.ConfirmedBy, DecidedAt: utc(i.DecidedAt)}
}

// GrantCompanies lists the companies of a list for staff, in the order of their ids, and the cursor of the next page.
func (s *Service) GrantCompanies(ctx context.Context, actor access.Actor, id int64, cursor string, limit int) ([]GrantCompany, string, error) {
	if err := s.mayGrants(actor); err != nil {
		return nil, "", err
	}
	return s.grantPage(ctx, id, nil, cursor, limit)
}

func (s *Service) grantPage(ctx context.Context, id int64, states []string, cursor string, limit int) ([]GrantCompany, string, error) {
	after, err := strconv.ParseInt(cmp.Or(cursor, "0"), 10, 64)
	if err != nil || after < 0 {
		return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
	}
	if limit <= 0 || limit > 500 {
		limit = 20
	}
	var rows []grantItem
	q := s.db.Read().NewSelect().Model(&rows).ExcludeColumn("evidence").Where("gi.grant_id = ? AND gi.enterprise_id > ?", id, after).OrderExpr("gi.enterprise_id").Limit(int64(limit + 1))
	if len(states) > 0 {
		q = q.Where("gi.state IN ?", bun.Tuple(states))
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("companies of grant %d: %w", id, err)
	}
	next := ""
	if len(rows) > limit {
		rows, next = rows[:limit], strconv.FormatInt(rows[limit-1].EnterpriseID, 10)
	}
	out := make([]GrantCompany, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].view())
	}
	return out, next, nil
}

// GrantEvidence opens what a company's place on a list rests on. It needs policy.grant or policy.grant_decide, and that the
// company agreed to be matched or that basis, the code of a basis the reader claims, covers them: ErrUnread. Each reading and
// each refusal is in the company's log. A company the actor may not see is ErrNotFound.
func (s *Service) GrantEvidence(ctx context.Context, actor access.Actor, id, enterpriseID int64, basis string) (GrantCompany, error) {
	if err := s.mayGrants(actor); err != nil {
		return GrantCompany{}, err
	}
	db := s.db.Read()
	g, err := findGrant(ctx, db, id)
	if err != nil {
		return GrantCompany{}, err
	}
	row := new(grantItem)
	if err := db.NewSelect().Model(row).Where("gi.grant_id = ? AND gi.enterprise_id = ?", id, enterpriseID).Scan(ctx); err != nil {
		return GrantCompany{}, database.Found(err)
	}
	named, err := s.reach.Register.Named(ctx, db, actor, enterpriseID)
	if err != nil {
		return GrantCompany{}, fmt.Errorf("name of enterprise %d: %w", enterpriseID, err)
	}
	if _, sees := named[enterpriseID]; !sees {
		return GrantCompany{}, fault.ErrNotFound
	}
	allowed, err := s.reach.Consents.MayRead(ctx, actor, []int64{enterpriseID}, basis, "免申即享依据："+g.Title)
	if err != nil {
		return GrantCompany{}, fmt.Errorf("what may be read of enterprise %d: %w", enterpriseID, err)
	}
	may := allowed[enterpriseID]
	if may == nil {
		return GrantCompany{}, ErrUnread
	}
	plain, err := s.reach.Box.Open(row.Evidence, evidencePlace(id, enterpriseID))
	if err != nil {
		return GrantCompany{}, fmt.Errorf("evidence of grant %d: %w", id, err)
	}
	v := row.view()
	v.Evidence = new(Evidence)
	if err := json.Unmarshal(plain, v.Evidence); err != nil {
		return GrantCompany{}, fmt.Errorf("evidence of grant %d: %w", id, err)
	}
	// The lines name all that the conditions ask for, so that they are told whole or not at all.
	asked, err := s.askedBy(ctx, g, v.Evidence)
	if err != nil {
		return GrantCompany{}, err
	}
	if slices.ContainsFunc(asked, func(field string) bool { return !may(field) }) {
		return GrantCompany{}, ErrUnread
	}
	v.Lines = v.Evidence.Lines
	return v, s.looked(ctx, actor, "policy.grant_evidence", 0, "查看免申即享依据", map[string]any{"grant": id, "enterprise": enterpriseID, "basis": basis})
}

// askedBy are the fields the conditions of a list name, as they read when it was made; where that text is not kept, all that
// the evidence holds.
func (s *Service) askedBy(ctx context.Context, g *grant, e *Evidence) ([]string, error) {
	p := new(Policy)
	err := s.db.Read().NewSelect().Model(p).Where("p.id = ? AND p.version = ?", g.PolicyID, g.PolicyVersion).Scan(ctx)
	if err == nil {
		if r := s.rule(ctx, p); r.readable {
			return r.condition.Fields(), nil
		}
	} else if err = database.Found(err); !errors.Is(err, fault.ErrNotFound) {
		return nil, fmt.Errorf("policy %d of grant %d: %w", g.PolicyID, g.ID, err)
	}
	return slices.Collect(maps.Keys(e.Facts)), nil
}
