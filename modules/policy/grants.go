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
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/flow"
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
