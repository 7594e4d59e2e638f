package institution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// PermUndo is the right to take back what another reviewer decided about an application for 入驻, or oneself a while ago.
const PermUndo access.Permission = "institution.review_undo"

// ErrUndo: the decision cannot be taken back, or not by this person.
var ErrUndo = fault.New(fault.Conflict, "ONBOARDING_UNDO", "审核决定不能撤销")

// errOpened: an approval made an institution and an administrator, who signs in with a password that was told.
var errOpened = ErrUndo.With("审核通过后机构已登记、管理员账号已开通，不能撤销；请在机构详情暂停服务，写明原因")

// memoryRow is what an application was before the last decision. It counts as long as nothing followed: every later step makes
// another version.
type memoryRow struct {
	bun.BaseModel `bun:"table:institution_memory,alias:im"`

	ApplicationID int64     `bun:"application_id,pk"`
	Version       int64     `bun:"version,notnull"` // of the application after the decision
	Seq           int64     `bun:"seq,notnull"`     // of the decision's event
	Label         string    `bun:"label,notnull"`
	At            time.Time `bun:"at,notnull"`
	ActorID       int64     `bun:"actor_id,notnull"`
	Was           string    `bun:"was,notnull"`
}

// kept is what a decision changes of an application and its round.
type kept struct {
	State        State      `json:"state"`
	Outcome      State      `json:"outcome"`
	Codes        string     `json:"codes"`
	Reason       string     `json:"reason"`
	ReviewerID   int64      `json:"reviewerId"`
	ReviewerName string     `json:"reviewerName"`
	CheckerID    int64      `json:"checkerId"`
	CheckerName  string     `json:"checkerName"`
	CheckerFor   int64      `json:"checkerFor"`
	CheckedAt    *time.Time `json:"checkedAt"`
}

func (a *Application) kept(r *round) kept {
	return kept{a.State, r.Outcome, r.Codes, r.Reason, r.ReviewerID, r.ReviewerName, r.CheckerID, r.CheckerName, r.CheckerFor, r.CheckedAt}
}

// restore brings the application and its round back to what they were before the decision, due anew.
func (a *Application) restore(r *round, k kept, due time.Time) {
	a.State, a.DueAt, a.RemindedAt, a.DecidedAt = k.State, &due, nil, nil
	r.Outcome, r.Codes, r.Reason, r.ReviewerID, r.ReviewerName, r.DecidedAt = k.Outcome, k.Codes, k.Reason, k.ReviewerID, k.ReviewerName, nil
	r.CheckerID, r.CheckerName, r.CheckerFor, r.CheckedAt = k.CheckerID, k.CheckerName, k.CheckerFor, k.CheckedAt
}

// remember keeps what the application was beside the decision that was made.
func remember(ctx context.Context, tx bun.Tx, by access.Actor, a *Application, was kept, e event.Event) error {
	b, err := json.Marshal(was)
	if err != nil {
		return err
	}
	row := memoryRow{ApplicationID: a.ID, Version: a.Version, Seq: e.Seq, Label: onboardingLabels[e.Type], At: e.At, ActorID: by.UserID, Was: string(b)}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (application_id) DO UPDATE").
		Set("version = EXCLUDED.version, seq = EXCLUDED.seq, label = EXCLUDED.label, at = EXCLUDED.at, actor_id = EXCLUDED.actor_id, was = EXCLUDED.was").Exec(ctx)
	if err != nil {
		return fmt.Errorf("remember application %d: %w", a.ID, err)
	}
	return nil
}

// memory reads the last decision, ErrUndo when something followed it.
func memory(ctx context.Context, db bun.IDB, a *Application) (*memoryRow, error) {
	if a.InstitutionID != 0 {
		return nil, errOpened
	}
	var rows []memoryRow
	if err := db.NewSelect().Model(&rows).Where("im.application_id = ? AND im.version = ?", a.ID, a.Version).Scan(ctx); err != nil {
		return nil, fmt.Errorf("last decision on application %d: %w", a.ID, err)
	}
	if len(rows) == 0 {
		return nil, ErrUndo.With("没有可以撤销的审核决定：申请人或审核人员之后已有其他操作，或已经撤销过")
	}
	return &rows[0], nil
}

// mayUndo returns nil when the actor may take the decision back now, otherwise a fault that says who may.
func mayUndo(lent access.Lent, actor access.Actor, now time.Time, a *Application, m *memoryRow) error {
	return graded(lent, actor, now, a.UserID, undo.Decision{By: m.ActorID, At: m.At})
}

// graded returns nil when the actor may take back what somebody decided then about what is the submitter's.
func graded(lent access.Lent, actor access.Actor, now time.Time, submitter int64, d undo.Decision) error {
	if actor.Party != access.Platform && actor.Party != access.Government || actor.Is(submitter) {
		return ErrForbidden
	}
	return undo.Rule{Anybodys: PermUndo, Refused: ErrUndo}.May(actor, d, now, func() error {
		if all := lent.With(actor); !all.Can(PermReview) && !all.Can(PermApprove) {
			return ErrForbidden
		}
		return nil
	})
}

// UndoReview asks to take the last decision on an application back.
type UndoReview struct {
	Ref
	Reason string // the applicant reads it
}

// UndoReview takes the last decision of a review of an application back: who decided may within minutes, later and what others
// decided needs institution.review_undo. An approval stays: its institution and administrator are there. It returns ErrUndo when
// something followed; errors as ApproveApplication otherwise.
func (s *Service) UndoReview(ctx context.Context, actor access.Actor, cmd UndoReview) (ApplicationView, error) {
	if !actor.SignedIn() {
		return ApplicationView{}, fault.ErrUnauthorized
	}
	reason, err := text.Block("reason", cmd.Reason, 2, 500)
	if err != nil {
		return ApplicationView{}, text.Named(err, "撤销原因")
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.review_undo", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			a, err := findApplication(ctx, tx, actor, cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			r := new(round)
			if err := database.Found(tx.NewSelect().Model(r).Where("r.application_id = ? AND r.round = ?", a.ID, a.Round).Scan(ctx)); err != nil {
				return outcome{}, err
			}
			if a.Version != cmd.Version {
				return outcome{}, a.stale(r)
			}
			m, err := memory(ctx, tx, a)
			if err != nil {
				return outcome{}, err
			}
			lent, err := s.Deputies.Lent(ctx, tx, actor)
			if err != nil {
				return outcome{}, err
			}
			if err := mayUndo(lent, actor, now, a, m); err != nil {
				return outcome{}, err
			}
			var was kept
			if err := json.Unmarshal([]byte(m.Was), &was); err != nil {
				return outcome{}, err
			}
			due, err := s.Desk.ReviewDue(ctx, tx, now)
			if err != nil {
				return outcome{}, fmt.Errorf("time limit of the review: %w", err)
			}
			a.restore(r, was, due)
			if err := r.save(ctx, tx); err != nil {
				return outcome{}, err
			}
			if err := saveApplication(ctx, tx, a, cmd.Version, now); err != nil {
				return outcome{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, OnboardingUndone{a.head(), m.Seq, m.Label, masked(reason), a.State}); err != nil {
				return outcome{}, err
			}
			return outcome{a.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "institution.review_undo", Object: ObjectApplication, ObjectID: a.ID,
				Summary: "撤销“" + m.Label + "” " + a.Name, Detail: map[string]any{"seq": m.Seq, "reason": masked(reason), "round": a.Round}})
		})
		return err
	})
	if database.IsDuplicate(err) && !errors.Is(err, fault.ErrChanged) { // the applicant, or a colleague of theirs, began another one
		err = ErrUndo.With("申请人已另行提交入驻申请，不能撤销，请在新的申请中办理").Wrap(err)
	}
	if err != nil {
		return ApplicationView{}, fmt.Errorf("undo the review of application %d: %w", cmd.ID, err)
	}
	return s.Application(ctx, actor, cmd.ID)
}

// UndoView is the decision that the actor may take back.
type UndoView struct {
	Seq   int64  `json:"seq"`
	Label string `json:"label"`
	// Told says what comes of it.
	Told string `json:"told"`
}

// undoFor tells what the actor may take back, nil for nothing.
func (s *Service) undoFor(ctx context.Context, db bun.IDB, lent access.Lent, actor access.Actor, a *Application) (*UndoView, error) {
	if actor.Party != access.Platform && actor.Party != access.Government {
		return nil, nil
	}
	m, err := memory(ctx, db, a)
	if err == nil {
		err = mayUndo(lent, actor, s.Clock.Now(), a, m)
	}
	if k := fault.KindOf(err); k == fault.Conflict || k == fault.Forbidden {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &UndoView{m.Seq, m.Label, "撤销后申请回到这一步之前，重新计算审核时限，申请人和审核人员都会收到通知。"}, nil
}
