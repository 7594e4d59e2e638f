package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/undo"
)

// ToUndo takes the last decision of a review back. It is no step of the table: it leads back to where the edition was.
const ToUndo Action = "undo"

// PermUndo is the right to take back what another reviewer decided, or oneself a while ago.
const PermUndo access.Permission = "product.review_undo"

// ErrUndo: the decision cannot be taken back, or not by this person.
var ErrUndo = fault.New(fault.Conflict, "PRODUCT_UNDO", "审核决定不能撤销")

// memoryRow is what a product was before the last decision of a review. There is one row per product; it counts as long as
// nothing followed: every later step makes another version.
type memoryRow struct {
	bun.BaseModel `bun:"table:product_memory,alias:pm"`

	ProductID int64     `bun:"product_id,pk"`
	Version   int64     `bun:"version,notnull"` // of the product after the decision
	Seq       int64     `bun:"seq,notnull"`     // of the decision's event
	Label     string    `bun:"label,notnull"`
	At        time.Time `bun:"at,notnull"`
	ActorID   int64     `bun:"actor_id,notnull"`
	Was       string    `bun:"was,notnull"`
}

// kept is what of a product and its newest edition a decision may change.
type kept struct {
	Status       Status     `json:"status"`
	PassedBy     int64      `json:"passedBy"`
	PassedName   string     `json:"passedName"`
	PassedAt     *time.Time `json:"passedAt"`
	PassedFor    int64      `json:"passedFor"`
	ApprovedBy   int64      `json:"approvedBy"`
	ApprovedName string     `json:"approvedName"`
	ApprovedAt   *time.Time `json:"approvedAt"`
	Reason       string     `json:"reason"`
	Shown        int64      `json:"shown"`
	Recommended  bool       `json:"recommended"`
	ListedAt     *time.Time `json:"listedAt"`
	ListedMicro  int64      `json:"listedMicro"`
	ExpiresAt    *time.Time `json:"expiresAt"`
}

func (d *dossier) kept() kept {
	e := d.newest
	return kept{e.Status, e.PassedBy, e.PassedName, e.PassedAt, e.PassedFor, e.ApprovedBy, e.ApprovedName, e.ApprovedAt, e.Reason,
		d.Shown, d.Recommended, d.ListedAt, d.ListedMicro, d.ExpiresAt}
}

// restore brings the product back to what it was before the decision; earlier is the edition that was public then, where it is
// another than the newest.
func (d *dossier) restore(k kept, earlier *Edition, now time.Time) {
	e := d.newest
	e.Status, e.PassedBy, e.PassedName, e.PassedAt, e.PassedFor = k.Status, k.PassedBy, k.PassedName, k.PassedAt, k.PassedFor
	e.ApprovedBy, e.ApprovedName, e.ApprovedAt, e.Reason, e.UpdatedAt = k.ApprovedBy, k.ApprovedName, k.ApprovedAt, k.Reason, now
	d.Status, d.StatusAt = k.Status, now
	d.Shown, d.Recommended, d.ListedAt, d.ListedMicro, d.ExpiresAt = k.Shown, k.Recommended, k.ListedAt, k.ListedMicro, k.ExpiresAt
	if earlier != nil {
		earlier.Status, earlier.UpdatedAt = Public, now
	}
	d.public = earlier
}

// remember keeps what the product was beside the decision that was made.
func remember(ctx context.Context, tx bun.Tx, d *dossier, was kept, e event.Event) error {
	step, err := stepOf(e)
	if err != nil {
		return err
	}
	b, err := json.Marshal(was)
	if err != nil {
		return err
	}
	row := memoryRow{ProductID: d.ID, Version: d.Version, Seq: e.Seq, Label: step.Label, At: e.At, ActorID: d.by.UserID, Was: string(b)}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (product_id) DO UPDATE").
		Set("version = EXCLUDED.version, seq = EXCLUDED.seq, label = EXCLUDED.label, at = EXCLUDED.at, actor_id = EXCLUDED.actor_id, was = EXCLUDED.was").Exec(ctx)
	if err != nil {
		return fmt.Errorf("remember product %d: %w", d.ID, err)
	}
	return nil
}

// memory reads the last decision, ErrUndo when something followed it.
func memory(ctx context.Context, db bun.IDB, d *dossier) (*memoryRow, error) {
	var rows []memoryRow
	if err := db.NewSelect().Model(&rows).Where("pm.product_id = ? AND pm.version = ?", d.ID, d.Version).Scan(ctx); err != nil {
		return nil, fmt.Errorf("last decision on product %d: %w", d.ID, err)
	}
	if len(rows) == 0 {
		return nil, ErrUndo.With("没有可以撤销的审核决定：之后已有其他操作，或已经撤销过")
	}
	return &rows[0], nil
}

// mayUndo returns nil when the actor may take the decision back now, otherwise a fault that says who may.
func mayUndo(lent access.Lent, actor access.Actor, now time.Time, d *dossier, m *memoryRow) error {
	if !isDesk(actor) || actor.Is(d.newest.SubmittedBy) {
		return ErrForbidden
	}
	return undo.Rule{Anybodys: PermUndo, Refused: ErrUndo}.May(actor, undo.Decision{By: m.ActorID, At: m.At}, now, func() error {
		if !mayEver(lent.With(actor), ToPass) {
			return ErrForbidden
		}
		return nil
	})
}

// followed returns ErrUndo when companies have applied for the edition that the decision made public.
func (s *Service) followed(ctx context.Context, db bun.IDB, d *dossier) error {
	if d.newest.Status != Public || s.Applied == nil {
		return nil
	}
	n, err := s.Applied(ctx, db, d.ID, d.newest.Number)
	if err != nil {
		return fmt.Errorf("applications for product %d: %w", d.ID, err)
	}
	if n > 0 {
		return ErrUndo.With("上架后已有 %d 件申请，不能撤销审核；如需停止提供，请下架产品，已提交的申请继续办理", n)
	}
	return nil
}

// UndoReview asks to take the last decision of a review back.
type UndoReview struct {
	Ref
	Reason string // the institution reads it
}

// Undo takes the last decision of a review back, whole: an edition that became public by it leaves the list, and the one it
// replaced is public again. Who decided may within minutes; later, and what others decided, needs product.review_undo. It
// returns ErrUndo when something followed, applications of companies among it; errors as Pass otherwise.
func (s *Service) Undo(ctx context.Context, actor access.Actor, cmd UndoReview) (View, error) {
	reason, err := text.Block("reason", cmd.Reason, 2, 500)
	if err != nil {
		return View{}, text.Named(err, "撤销原因")
	}
	err = s.changeWith(ctx, actor, ToUndo, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, lent access.Lent, d *dossier, now time.Time) (effect, error) {
		m, err := memory(ctx, tx, d)
		if err != nil {
			return effect{}, err
		}
		if err := mayUndo(lent, actor, now, d, m); err != nil {
			return effect{}, err
		}
		if err := s.followed(ctx, tx, d); err != nil {
			return effect{}, err
		}
		var was kept
		if err := json.Unmarshal([]byte(m.Was), &was); err != nil {
			return effect{}, err
		}
		wasPublic := d.newest.Status == Public
		var earlier *Edition
		if was.Shown != 0 && was.Shown != d.newest.Number {
			if earlier, err = edition(ctx, tx, d.ID, was.Shown); err != nil {
				return effect{}, err
			}
		}
		d.restore(was, earlier, now)
		return effect{about: d.newest, public: wasPublic, summary: "撤销“" + m.Label + "”", detail: map[string]any{"seq": m.Seq, "reason": reason},
			fact: func(h Head) event.Fact { return ReviewUndone{Head: h, Seq: m.Seq, Label: m.Label, Reason: reason} }}, nil
	})
	return s.after(ctx, actor, cmd.ID, err)
}

// UndoView is the decision that the actor may take back.
type UndoView struct {
	Seq   int64  `json:"seq"`
	Label string `json:"label"`
	// Told says what comes of it.
	Told string `json:"told"`
}

// undoFor tells what the actor may take back, nil for nothing.
func (s *Service) undoFor(ctx context.Context, db bun.IDB, lent access.Lent, actor access.Actor, d *dossier) (*UndoView, error) {
	if !isDesk(actor) {
		return nil, nil
	}
	m, err := memory(ctx, db, d)
	if err == nil {
		err = mayUndo(lent, actor, s.Clock.Now(), d, m)
	}
	if err == nil {
		err = s.followed(ctx, db, d)
	}
	if k := fault.KindOf(err); k == fault.Conflict || k == fault.Forbidden {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	told := "撤销后产品回到这一步之前，重新计算审核时限，机构和审核人员都会收到通知。"
	if d.newest.Status == Public {
		told = "撤销后这一版立即下架，之前公开的版本恢复公开；机构和审核人员都会收到通知。"
	}
	return &UndoView{m.Seq, m.Label, told}, nil
}
