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
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/flow"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// PushState is where a plan to tell companies stands.
type PushState string

// The states of a plan.
const (
	PushPreparing PushState = "preparing" // the companies are being written down
	PushWaiting   PushState = "waiting"   // for a second person
	PushRefused   PushState = "refused"
	PushSending   PushState = "sending"
	PushPaused    PushState = "paused"
	PushDone      PushState = "done"
	PushStopped   PushState = "stopped"
)

// PushStates are all states, PushEdges the legal steps between them.
var (
	PushStates = []PushState{PushPreparing, PushWaiting, PushRefused, PushSending, PushPaused, PushDone, PushStopped}
	PushEdges  = []flow.Edge[PushState]{
		{From: PushPreparing, To: PushWaiting}, {From: PushPreparing, To: PushStopped},
		{From: PushWaiting, To: PushSending}, {From: PushWaiting, To: PushRefused}, {From: PushWaiting, To: PushStopped},
		{From: PushSending, To: PushPaused}, {From: PushSending, To: PushDone}, {From: PushSending, To: PushStopped},
		{From: PushPaused, To: PushSending}, {From: PushPaused, To: PushStopped},
	}
)

// Label is the state in Chinese.
func (s PushState) Label() string {
	return map[PushState]string{PushPreparing: "准备中", PushWaiting: "待审批", PushRefused: "审批未通过", PushSending: "发送中", PushPaused: "已暂停", PushDone: "已完成",
		PushStopped: "已停止"}[s]
}

// The faults of a plan.
var (
	ErrPushState = fault.New(fault.Conflict, "PUSH_STATE", "推送计划的状态已变化，请刷新后再操作")
	ErrPushOwn   = fault.New(fault.Forbidden, "PUSH_OWN", "推送计划须由另一人审批，不能审批本人制定的计划")
	ErrPushNone  = fault.New(fault.Conflict, "PUSH_NONE", "按所选范围没有可以告知的企业，请调整范围；未授权、已告知和本周已达上限的企业不会收到消息")
)

// push is a plan to tell companies of a policy.
type push struct {
	bun.BaseModel `bun:"table:policy_pushes,alias:pp"`

	ID            int64      `bun:"id,pk,autoincrement"`
	PolicyID      int64      `bun:"policy_id,notnull"`
	PolicyVersion int64      `bun:"policy_version,notnull"`
	State         PushState  `bun:"state,notnull"`
	Version       int64      `bun:"version,notnull"`
	Audience      string     `bun:"audience,notnull"` // Audience
	Preview       string     `bun:"preview,notnull"`  // PushPreview as it was when the plan was made
	MakerID       int64      `bun:"maker_id,notnull"`
	Maker         string     `bun:"maker,notnull"`
	ApproverID    int64      `bun:"approver_id,nullzero"`
	Approver      string     `bun:"approver,notnull"`
	Reason        string     `bun:"reason,notnull"` // of a refusal or a stop
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	ApprovedAt    *time.Time `bun:"approved_at"`
	EndedAt       *time.Time `bun:"ended_at"`
}

// pushItem is one company of a plan.
type pushItem struct {
	bun.BaseModel `bun:"table:policy_push_items,alias:pi"`

	PushID       int64             `bun:"push_id,pk"`
	EnterpriseID int64             `bun:"enterprise_id,pk"`
	Decision     criteria.Decision `bun:"decision,notnull"`
	State        string            `bun:"state,notnull"` // waiting, told, skipped
	Reason       string            `bun:"reason,notnull"`
	Delivery     Delivery          `bun:"delivery,notnull"` // of the letters; empty: told on the platform only
	Opened       bool              `bun:"opened,notnull"`   // the message was read
	ToldAt       *time.Time        `bun:"told_at"`
}

// told says that a company was told of a policy, by whatever way; it is told once.
type told struct {
	bun.BaseModel `bun:"table:policy_told,alias:pt"`

	PolicyID     int64     `bun:"policy_id,pk"`
	EnterpriseID int64     `bun:"enterprise_id,pk"`
	Notice       string    `bun:"notice,notnull"`
	ToldAt       time.Time `bun:"told_at,notnull"`
}

const week = 7 * 24 * time.Hour

// markTold writes that a company is told; false when it was already.
func markTold(ctx context.Context, tx bun.Tx, row told) (bool, error) {
	res, err := tx.NewInsert().Model(&row).On("CONFLICT (policy_id, enterprise_id) DO NOTHING").Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// toldSince counts the messages a company got since a moment; one message may tell of several policies.
func toldSince(ctx context.Context, db bun.IDB, id int64, since time.Time) (int, error) {
	var n int
	err := db.NewSelect().Model((*told)(nil)).ColumnExpr("count(DISTINCT pt.notice)").Where("pt.enterprise_id = ? AND pt.told_at > ?", id, since).Scan(ctx, &n)
	return n, err
}

func findPush(ctx context.Context, db bun.IDB, id int64) (*push, error) {
	row := new(push)
	if err := db.NewSelect().Model(row).Where("pp.id = ?", id).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return row, nil
}

// PushMoved is announced of each step of a plan.
type PushMoved struct {
	ID       int64     `json:"id"`
	PolicyID int64     `json:"policyId"`
	State    PushState `json:"state"`
	Title    string    `json:"title"` // of the policy
	Count    int       `json:"count"` // companies to tell, as it was planned
	MakerID  int64     `json:"makerId"`
}

// Event names the fact.
func (f PushMoved) Event() (string, string, int64) {
	return "policy_push." + string(f.State), "policy_push", f.ID
}

// movePush takes a plan one step on, if it is still as it was read.
func (s *Service) movePush(ctx context.Context, tx bun.Tx, actor access.Actor, row *push, to PushState, change func(*push)) error {
	if !slices.Contains(PushEdges, flow.Edge[PushState]{From: row.State, To: to}) {
		return ErrPushState.With("推送计划当前为“%s”，不能进行此操作，请刷新后查看", row.State.Label())
	}
	read := row.Version
	row.State, row.Version = to, read+1
	if change != nil {
		change(row)
	}
	err := database.Changed(tx.NewUpdate().Model(row).ExcludeColumn("id", "created_at").Where("id = ? AND version = ?", row.ID, read).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return ErrPushState
	}
	if err != nil {
		return err
	}
	fact := PushMoved{ID: row.ID, PolicyID: row.PolicyID, State: to, MakerID: row.MakerID}
	if err := database.QueryOne(ctx, tx, []any{&fact.Title}, "SELECT title FROM policies WHERE id = ?", row.PolicyID); err != nil {
		return err
	}
	var preview PushPreview
	if err := json.Unmarshal([]byte(row.Preview), &preview); err != nil {
		return fmt.Errorf("push %d: %w", row.ID, err)
	}
	fact.Count = preview.ToTell
	_, err = event.Append(ctx, tx, actor, s.clock.Now(), fact)
	return err
}

// PushStep is one step on a plan; Version is the one the actor saw.
type PushStep struct {
	Key     string
	ID      int64
	Version int64
	Reason  string
}

// ApprovePush has a plan sent. It needs policy.push_approve and a person other than the maker.
func (s *Service) ApprovePush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	return s.stepPush(ctx, actor, PermPushApprove, "approve", "审批通过推送计划", cmd, func(ctx context.Context, tx bun.Tx, row *push, now time.Time) error {
		if row.MakerID == actor.UserID {
			return ErrPushOwn
		}
		if err := s.movePush(ctx, tx, actor, row, PushSending, func(p *push) { p.ApproverID, p.Approver, p.ApprovedAt = actor.UserID, actor.Name, &now }); err != nil {
			return err
		}
		return s.reach.Queue.Insert(ctx, tx, pushJob{PushID: row.ID})
	})
}

// RefusePush sends a plan back for a reason. It needs policy.push_approve and a person other than the maker.
func (s *Service) RefusePush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return PushView{}, text.Named(err, "原因")
	}
	return s.stepPush(ctx, actor, PermPushApprove, "refuse", "退回推送计划", cmd, func(ctx context.Context, tx bun.Tx, row *push, now time.Time) error {
		if row.MakerID == actor.UserID {
			return ErrPushOwn
		}
		return s.movePush(ctx, tx, actor, row, PushRefused, func(p *push) {
			p.ApproverID, p.Approver, p.ApprovedAt, p.Reason, p.EndedAt = actor.UserID, actor.Name, &now, reason, &now
		})
	})
}

// PausePush holds a plan that is being sent; what left has left. It needs policy.push.
func (s *Service) PausePush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	return s.stepPush(ctx, actor, PermPush, "pause", "暂停推送", cmd, func(ctx context.Context, tx bun.Tx, row *push, _ time.Time) error {
		return s.movePush(ctx, tx, actor, row, PushPaused, nil)
	})
}

// ResumePush goes on with a paused plan. It needs policy.push.
func (s *Service) ResumePush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	return s.stepPush(ctx, actor, PermPush, "resume", "继续推送", cmd, func(ctx context.Context, tx bun.Tx, row *push, _ time.Time) error {
		if row.State != PushPaused {
			return ErrPushState.With("推送计划当前为“%s”，不能继续，请刷新后查看", row.State.Label())
		}
		if err := s.movePush(ctx, tx, actor, row, PushSending, nil); err != nil {
			return err
		}
		return s.reach.Queue.Insert(ctx, tx, pushJob{PushID: row.ID})
	})
}

// StopPush ends a plan for a reason; companies that were not told are not told any more. It needs policy.push.
func (s *Service) StopPush(ctx context.Context, actor access.Actor, cmd PushStep) (PushView, error) {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return PushView{}, text.Named(err, "原因")
	}
	return s.stepPush(ctx, actor, PermPush, "stop", "停止推送", cmd, func(ctx context.Context, tx bun.Tx, row *push, now time.Time) error {
		return s.movePush(ctx, tx, actor, row, PushStopped, func(p *push) { p.Reason, p.EndedAt = reason, &now })
	})
}

func (s *Service) stepPush(ctx context.Context, actor access.Actor, right access.Permission, action, summary string, cmd PushStep,
	step func(ctx context.Context, tx bun.Tx, row *push, now time.Time) error,
) (PushView, error) {
	if err := s.staff(actor, right); err != nil {
		return PushView{}, err
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "policy.push_" + action, Key: cmd.Key, Request: []any{cmd.ID, cmd.Version, cmd.Reason}, Now: now}, func() (outcome, error) {
			row, err := findPush(ctx, tx, cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			if row.Version != cmd.Version {
				return outcome{}, ErrPushState
			}
			if err := step(ctx, tx, row, now); err != nil {
				return outcome{}, err
			}
			return outcome{row.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "policy.push_" + action, Object: Object, ObjectID: row.PolicyID, Summary: summary,
				Detail: map[string]any{"push": row.ID, "reason": cmd.Reason}})
		})
		return err
	})
	if err != nil {
		return PushView{}, fmt.Errorf("%s push %d: %w", action, cmd.ID, err)
	}
	return s.Push(ctx, actor, cmd.ID)
}
