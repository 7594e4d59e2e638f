package application

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// ToUndo takes the last step back. It is no step of the table: it leads back to where the application was.
const ToUndo Action = "undo"

// The rights to take steps back beyond one's own.
const (
	// PermUndo is for the leaders of an institution, over its own applications.
	PermUndo access.Permission = "application.undo"
	// PermUndoAny is for those who supervise the district's applications.
	PermUndoAny access.Permission = "application.undo_any"
)

// How long a step may be taken back by whom; supervisors may always.
const (
	ownUndo    = 30 * time.Minute
	leaderUndo = 24 * time.Hour
)

// ErrUndo: the last step cannot be taken back, or not by this person.
var ErrUndo = fault.New(fault.Conflict, "APPLICATION_UNDO", "上一步操作不能撤销")

// undoable are the steps that can be taken back whole. What the company did is the company's; handing over is undone by
// handing over.
var undoable = []Action{ToAccept, ToDecline, ToAsk, ToPlan, ToStep, ToDeliver, ToInvestigate, ToApprove, ToDisburse, ToComplete, lapse}

// memoryRow is what an application was before its last step. There is one row per application.
type memoryRow struct {
	bun.BaseModel `bun:"table:application_memory,alias:am"`

	ApplicationID int64     `bun:"application_id,pk"`
	Version       int64     `bun:"version,notnull"` // of the application after the step
	Seq           int64     `bun:"seq,notnull"`     // of the step's event
	Action        Action    `bun:"action,notnull"`
	At            time.Time `bun:"at,notnull"`
	ActorID       int64     `bun:"actor_id,nullzero"`
	Was           string    `bun:"was,notnull"`
}

// kept is what of an application its steps may change.
type kept struct {
	Status          Status     `json:"status"`
	Resume          Status     `json:"resume"`
	HandlerID       int64      `json:"handlerId"`
	HandlerName     string     `json:"handlerName"`
	AcceptedAt      *time.Time `json:"acceptedAt"`
	AcceptMinutes   int64      `json:"acceptMinutes"`
	Reason          string     `json:"reason"`
	Plan            Plan       `json:"plan"`
	DeliveredAt     *time.Time `json:"deliveredAt"`
	Diligences      int        `json:"diligences"`
	ApprovedAt      *time.Time `json:"approvedAt"`
	Loan            Loan       `json:"loan"`
	Payments        int        `json:"payments"`
	DisbursedAmount int64      `json:"disbursedAmount"`
	DisbursedAt     *time.Time `json:"disbursedAt"`
	Due             Due        `json:"due"`
}

func (a *Application) kept() kept {
	return kept{
		a.Status, a.Resume, a.HandlerID, a.HandlerName, a.AcceptedAt, a.AcceptMinutes, a.Reason, a.Plan, a.DeliveredAt, a.Diligences, a.ApprovedAt,
		Loan{a.ApprovedAmount, a.ApprovedRate, a.ApprovedTerm}, a.Payments, a.DisbursedAmount, a.DisbursedAt, a.Due,
	}
}

// restore brings the application back to what it was before its last step. Nothing that was over is undone to be over.
func (a *Application) restore(k kept) {
	a.Status, a.Resume, a.HandlerID, a.HandlerName, a.AcceptedAt, a.AcceptMinutes, a.Reason = k.Status, k.Resume, k.HandlerID, k.HandlerName, k.AcceptedAt, k.AcceptMinutes, k.Reason
	a.Plan, a.DeliveredAt, a.Diligences, a.ApprovedAt, a.Payments, a.DisbursedAmount, a.DisbursedAt = k.Plan, k.DeliveredAt, k.Diligences, k.ApprovedAt, k.Payments, k.DisbursedAmount, k.DisbursedAt
	a.ApprovedAmount, a.ApprovedRate, a.ApprovedTerm = k.Loan.Amount, k.Loan.Rate, k.Loan.Term
	a.Due, a.ClosedAt, a.TotalMinutes = k.Due, nil, 0
}

// remember keeps what the application was beside the step that was taken.
func remember(ctx context.Context, tx bun.Tx, actor access.Actor, action Action, a *Application, was kept, e event.Event) error {
	if !slices.Contains(undoable, action) {
		return nil
	}
	text, err := json.Marshal(was)
	if err != nil {
		return err
	}
	row := memoryRow{ApplicationID: a.ID, Version: a.Version, Seq: e.Seq, Action: action, At: e.At, ActorID: actor.UserID, Was: string(text)}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (application_id) DO UPDATE").
		Set("version = EXCLUDED.version, seq = EXCLUDED.seq, action = EXCLUDED.action, at = EXCLUDED.at, actor_id = EXCLUDED.actor_id, was = EXCLUDED.was").Exec(ctx)
	if err != nil {
		return fmt.Errorf("remember application %d: %w", a.ID, err)
	}
	return nil
}

// memory reads the last step, ErrUndo when it cannot be taken back.
func memory(ctx context.Context, db bun.IDB, a *Application) (*memoryRow, error) {
	var rows []memoryRow
	if err := db.NewSelect().Model(&rows).Where("am.application_id = ? AND am.version = ?", a.ID, a.Version).Scan(ctx); err != nil {
		return nil, fmt.Errorf("last step of application %d: %w", a.ID, err)
	}
	if len(rows) == 0 {
		return nil, ErrUndo.With("上一步操作不能撤销：它由企业作出、不改变办理结果，或已经撤销过")
	}
	return &rows[0], nil
}

// mayUndo returns nil when the actor may take the step back now, otherwise ErrUndo with who may.
func mayUndo(actor access.Actor, now time.Time, a *Application, m *memoryRow) error {
	if sees(actor) && actor.Party == access.Platform && actor.Can(PermUndoAny) {
		return nil
	}
	if !handles(actor, a) {
		return ErrForbidden
	}
	since := now.Sub(m.At)
	leads := actor.Can(PermUndo)
	if leads && since <= leaderUndo {
		return nil
	}
	if m.ActorID == actor.UserID && since <= ownUndo && !a.Status.Ended() {
		return nil
	}
	switch {
	case leads:
		return ErrUndo.With("已超过 %d 小时，请由平台运营人员撤销", int(leaderUndo.Hours()))
	case a.Status.Ended():
		return ErrUndo.With("申请已结束，只能由机构管理员或平台运营人员撤销")
	case m.ActorID == actor.UserID:
		return ErrUndo.With("已超过 %d 分钟，请由机构管理员撤销", int(ownUndo.Minutes()))
	}
	return ErrUndo.With("只能由操作人本人、机构管理员或平台运营人员撤销")
}

// Undo asks to take the last step back.
type Undo struct {
	Ref
	Reason string // both sides read it
}

// Undo takes the last step back with a new event that names it: its author may within minutes, then a leader of the
// institution (application.undo), then the supervisors of the district (application.undo_any). What the step set off outside
// stays. It returns ErrUndo when the step cannot be taken back or not by this person any more; errors as Accept otherwise.
func (s *Service) Undo(ctx context.Context, actor access.Actor, cmd Undo) (View, error) {
	reason, err := block("reason", "撤销原因", cmd.Reason, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToUndo, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, a *Application) (effect, error) {
		m, err := memory(ctx, tx, a)
		if err != nil {
			return effect{}, err
		}
		if err := mayUndo(actor, s.Clock.Now(), a, m); err != nil {
			return effect{}, err
		}
		label, err := labelOf(ctx, tx, a.ID, m.Seq)
		if err != nil {
			return effect{}, err
		}
		if a.ClosedAt != nil {
			if other, err := openOf(ctx, tx, a.EnterpriseID, a.ProductID); err == nil {
				return effect{}, ErrUndo.With("企业已就同一产品重新申请（%s），不能再撤销，请在新的申请中办理", other.Number)
			} else if fault.KindOf(err) != fault.NotFound {
				return effect{}, err
			}
		}
		var was kept
		if err := json.Unmarshal([]byte(m.Was), &was); err != nil {
			return effect{}, err
		}
		a.restore(was)
		return effect{
			fact: func(h Head) event.Fact {
				return Undone{Head: h, Seq: m.Seq, Label: label, Reason: reason, ByID: actor.UserID}
			},
			summary: "撤销“" + label + "”", detail: map[string]any{"seq": m.Seq, "action": m.Action, "reason": reason},
			after: func(ctx context.Context, tx bun.Tx, _ int64) error { return takeBack(ctx, tx, a, m) },
		}, nil
	})
}

// takeBack removes what the step wrote beside the application.
func takeBack(ctx context.Context, tx bun.Tx, a *Application, m *memoryRow) error {
	if _, err := tx.NewDelete().Model((*payment)(nil)).Where("application_id = ? AND no > ?", a.ID, a.Payments).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewDelete().Model((*diligence)(nil)).Where("application_id = ? AND seq = ?", a.ID, m.Seq).Exec(ctx)
	return err
}

// labelOf is what the timeline calls a step.
func labelOf(ctx context.Context, db bun.IDB, id, seq int64) (string, error) {
	events, err := event.Of(ctx, db, Object, id)
	if err != nil {
		return "", err
	}
	for _, e := range events {
		if e.Seq == seq {
			step, err := stepOf(e)
			return step.Label, err
		}
	}
	return "", fmt.Errorf("application %d has no event %d", id, seq)
}

// UndoView is the step that the actor may take back.
type UndoView struct {
	Seq   int64  `json:"seq"`
	Label string `json:"label"`
	// Told says what stays although the step is undone.
	Told string `json:"told"`
}

// undoFor tells what the actor may take back, nil for nothing.
func (s *Service) undoFor(ctx context.Context, db bun.IDB, actor access.Actor, a *Application, timeline []Step) (*UndoView, error) {
	if !may(actor, a, ToUndo) {
		return nil, nil
	}
	m, err := memory(ctx, db, a)
	if fault.KindOf(err) == fault.Conflict {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if mayUndo(actor, s.Clock.Now(), a, m) != nil {
		return nil, nil
	}
	for _, step := range timeline {
		if step.Seq == m.Seq {
			return &UndoView{step.Seq, step.Label, "撤销后申请恢复到这一步之前的状态，企业和机构都会收到通知；已经发出的短信、微信和已推送给外部系统的数据不会收回，必要时请电话说明。"}, nil
		}
	}
	return nil, nil
}
