package enterprise

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
	"github.com/huiqi/huiqi/platform/undo"
)

// PermUndo is the right to take back what another reviewer decided about a company, or oneself a while ago.
const PermUndo access.Permission = "enterprise.review_undo"

// ErrUndo: the decision cannot be taken back, or not by this person.
var ErrUndo = fault.New(fault.Conflict, "ENTERPRISE_UNDO", "审核决定不能撤销")

// approvalRow is what a company was before a person approved its claim.
type approvalRow struct {
	bun.BaseModel `bun:"table:enterprise_approvals,alias:ap"`

	AttemptID   int64  `bun:"attempt_id,pk"`
	Name        string `bun:"name,notnull"`
	LegalPerson string `bun:"legal_person,notnull"`
	Adopted     bool   `bun:"adopted,notnull"` // the register's own record was merged into it
}

// WasUndone is announced when a decision of a review was taken back: the claim waits again.
type WasUndone struct {
	Head
	AttemptID int64  `json:"attemptId"`
	Label     string `json:"label"`
	Reason    string `json:"reason"`
}

// Event names the fact.
func (f WasUndone) Event() (string, string, int64) { return "enterprise.review_undone", Object, f.ID }

// UndoReview asks to take a decision back.
type UndoReview struct {
	Decide
	Reason string // the company reads it
}

// undoable returns a fault unless the decision stands and nothing followed it.
func (s *Service) undoable(ctx context.Context, db bun.IDB, e *Enterprise, a *Attempt) error {
	if !a.reviewed() || a.ReviewerID == 0 || a.SettledAt == nil || a.Outcome != Approved && a.Outcome != SentBack {
		return ErrUndo.With("没有可以撤销的审核决定")
	}
	newer, err := db.NewSelect().Model((*Attempt)(nil)).Where("v.enterprise_id = ? AND v.id > ? AND v.kind <> ?", e.ID, a.ID, byFetch).Exists(ctx)
	switch {
	case err != nil:
		return err
	case newer:
		return ErrUndo.With("企业已重新提交，不能撤销，请办理新的申请")
	case a.Kind == byChange && a.Outcome == Approved:
		return ErrUndo.With("变更登记已经生效，不能撤销；如有错误，请企业重新办理变更登记")
	case a.Kind == byChange:
		return nil
	case a.Outcome == SentBack && e.Verification != Returned, a.Outcome == Approved && (e.Verification != Verified || e.code() != a.CreditCode):
		return ErrUndo.With("企业当前为“%s”，不能撤销，请刷新后查看", e.Verification.Label())
	case a.Outcome == SentBack:
		return nil
	}
	return s.nothingFollowed(ctx, db, e, a)
}

// nothingFollowed returns a fault when somebody has relied on an approval: what was merged, who joined, what was applied for.
func (s *Service) nothingFollowed(ctx context.Context, db bun.IDB, e *Enterprise, a *Attempt) error {
	was := new(approvalRow)
	err := database.Found(db.NewSelect().Model(was).Where("ap.attempt_id = ?", a.ID).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return ErrUndo.With("该认证办理时系统没有保存撤销所需的记录，不能撤销")
	} else if err != nil {
		return err
	}
	if was.Adopted {
		return ErrUndo.With("认证时已并入登记部门导入的企业档案，不能撤销")
	}
	var done []string
	joined, err := db.NewSelect().Model((*member)(nil)).Where("m.enterprise_id = ? AND m.joined_at > ?", e.ID, *a.SettledAt).Count(ctx)
	if err != nil {
		return err
	}
	if joined > 0 {
		done = append(done, fmt.Sprintf("%d 名成员加入", joined))
	}
	if s.followed != nil {
		more, err := s.followed(ctx, db, e.ID, *a.SettledAt)
		if err != nil {
			return fmt.Errorf("what followed the verification of enterprise %d: %w", e.ID, err)
		}
		done = append(done, more...)
	}
	if len(done) > 0 {
		return ErrUndo.With("认证通过后企业已有%s，不能撤销", strings.Join(done, "、"))
	}
	return nil
}

// mayUndo returns nil when the actor may take the decision back now, otherwise a fault that says who may.
func (s *Service) mayUndo(ctx context.Context, db bun.IDB, actor access.Actor, a *Attempt) error {
	switch {
	case !actor.SignedIn():
		return fault.ErrUnauthorized
	case !isDesk(actor) || actor.Is(a.UserID):
		return ErrForbidden
	}
	now := s.clock.Now()
	d := undo.Decision{By: a.ReviewerID, At: now} // what was not settled is not undoable anyway
	if a.SettledAt != nil {
		d.At = *a.SettledAt
	}
	return undo.Rule{Anybodys: PermUndo, Refused: ErrUndo}.May(actor, d, now, func() error {
		_, err := s.reviewer(ctx, db, actor)
		return err
	})
}

// UndoReview takes a decision about a claim or a change back, and it waits for a reviewer again: who decided may within minutes,
// later and what others decided needs enterprise.review_undo. An approval is undone whole, with what the registry told since, as
// long as nobody relied on it; a change that holds is not. It returns ErrUndo with the reason, a Conflict when it is stale.
func (s *Service) UndoReview(ctx context.Context, actor access.Actor, cmd UndoReview) (AttemptView, error) {
	if !actor.SignedIn() {
		return AttemptView{}, fault.ErrUnauthorized
	}
	reason, err := text.Block("reason", cmd.Reason, 2, 500)
	if err != nil {
		return AttemptView{}, text.Named(err, "撤销原因")
	}
	now := s.clock.Now()
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.review_undo", Key: cmd.Key, Request: cmd, Now: now}, func() (started, error) {
			a, err := findAttempt(ctx, tx, actor, cmd.ID)
			if err != nil {
				return started{}, err
			}
			e, err := find(ctx, tx, actor, a.EnterpriseID)
			if err != nil {
				return started{}, err
			}
			if err := s.mayUndo(ctx, tx, actor, a); err != nil {
				return started{}, err
			}
			if a.Version != cmd.Version {
				return started{}, s.stale(a)
			}
			if err := s.undoable(ctx, tx, e, a); err != nil {
				return started{}, err
			}
			label := a.label()
			if err := s.takeReviewBack(ctx, tx, e, a, now); err != nil {
				return started{}, err
			}
			fact := WasUndone{Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byReview}, a.ID, label, masked(reason)}
			if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
				return started{}, err
			}
			return started{ID: a.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.review_undo", Object: Object, ObjectID: e.ID,
				Summary: "撤销“" + label + "” " + e.Name, Detail: map[string]any{"attempt": a.ID, "reason": masked(reason)}})
		})
		return err
	})
	if err != nil {
		return AttemptView{}, fmt.Errorf("undo review %d: %w", cmd.ID, err)
	}
	return s.Attempt(ctx, actor, cmd.ID)
}

// takeReviewBack brings company and claim back to where they waited, due anew.
func (s *Service) takeReviewBack(ctx context.Context, tx bun.Tx, e *Enterprise, a *Attempt, now time.Time) error {
	if a.Kind == byReview {
		if a.Outcome == Approved {
			was := new(approvalRow)
			if err := database.Found(tx.NewSelect().Model(was).Where("ap.attempt_id = ?", a.ID).Scan(ctx)); err != nil {
				return err
			}
			// What the registry told of the code was told on the strength of the approval.
			if _, err := tx.NewDelete().Model((*Fact)(nil)).Where("enterprise_id = ? AND source = ? AND recorded_at >= ?", e.ID, FromRegistry, *a.SettledAt).Exec(ctx); err != nil {
				return err
			}
			e.Name, e.LegalPerson, e.CreditCode, e.VerifiedAt = was.Name, was.LegalPerson, nil, nil
		}
		e.Verification = Pending
	}
	// A company that sends something new at this moment meets the undoing at its row.
	if err := save(ctx, tx, e); err != nil {
		return err
	}
	due, err := s.desk.ReviewDue(ctx, tx, now)
	if err != nil {
		return fmt.Errorf("time limit of the review: %w", err)
	}
	a.Outcome, a.Reason, a.SettledAt, a.ReviewerID, a.ReviewerName, a.DueAt, a.RemindedAt = Waiting, "", nil, 0, "", &due, nil
	if _, err := tx.NewUpdate().Model(a).Column("due_at", "reminded_at").WherePK().Exec(ctx); err != nil {
		return err
	}
	return saveAttempt(ctx, tx, a)
}

// Decisions returns a page of the claims and changes that people decided, newest first, and the cursor of the next page. It needs
// enterprise.review, own or lent, or enterprise.review_undo.
func (s *Service) Decisions(ctx context.Context, actor access.Actor, cursor string, limit int) ([]AttemptView, string, error) {
	db := s.db.Read()
	if !isDesk(actor) || !actor.Can(PermUndo) {
		if _, err := s.reviewer(ctx, db, actor); err != nil {
			return nil, "", err
		}
	}
	before, err := cursorOf(cursor)
	if err != nil {
		return nil, "", err
	}
	limit = limitOf(limit)
	var rows []Attempt
	q := visible(db.NewSelect().Model(&rows), actor, "v.enterprise_id").Where("v.outcome IN (?, ?) AND v.kind IN (?, ?)", Approved, SentBack, byReview, byChange)
	if before > 0 {
		q = q.Where("v.id < ?", before)
	}
	if err := q.OrderExpr("v.id DESC").Limit(int64(limit + 1)).Scan(ctx); err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(a Attempt) int64 { return a.ID })
	views := make([]AttemptView, 0, len(rows))
	for i := range rows {
		v, err := s.attemptView(ctx, db, actor, &rows[i])
		if err != nil {
			return nil, "", err
		}
		views = append(views, v)
	}
	return views, next, nil
}

// mayUndoNow reports whether the actor may take the decision back as things stand.
func (s *Service) mayUndoNow(ctx context.Context, db bun.IDB, actor access.Actor, e *Enterprise, a *Attempt) (bool, error) {
	if !isDesk(actor) || a.Outcome != Approved && a.Outcome != SentBack {
		return false, nil
	}
	err := s.mayUndo(ctx, db, actor, a)
	if err == nil {
		err = s.undoable(ctx, db, e, a)
	}
	if k := fault.KindOf(err); k == fault.Conflict || k == fault.Forbidden {
		return false, nil
	}
	return err == nil, err
}
