package institution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

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

// renewalLabels are the decisions in words.
var renewalLabels = map[State]string{Approved: "通过证照更新", Returned: "退回证照更新"}

// remembered is what a qualification was before a paper took its place, "" where it took none.
func (i *Institution) remembered(no string) (string, error) {
	at := slices.IndexFunc(i.Qualifications, func(q Licence) bool { return q.No == no })
	if no == "" || at < 0 {
		return "", nil
	}
	b, err := json.Marshal(i.Qualifications[at])
	return string(b), err
}

// restored are the qualifications without what the paper changed, or a fault when they went on since.
func (i *Institution) restored(r *Renewal) (licences, error) {
	list := slices.Clone(i.Qualifications)
	at := slices.Index(list, Licence{Name: r.Name, No: r.No, To: r.To})
	if at < 0 {
		return nil, ErrUndo.With("机构证照之后又有变化，不能撤销；需要更正的，请机构重新提交证照")
	}
	if r.Replaces == "" {
		return slices.Delete(list, at, at+1), nil
	}
	var was Licence
	if r.Was == "" {
		return nil, ErrUndo.With("这项决定没有留存原证照，不能撤销；需要更正的，请机构重新提交证照")
	}
	if err := json.Unmarshal([]byte(r.Was), &was); err != nil {
		return nil, fmt.Errorf("qualification before renewal %d: %w", r.ID, err)
	}
	list[at] = was
	return list, nil
}

// mayUndoRenewal returns nil when the actor may take the decision on a paper back now, otherwise a fault that says who may.
func (s *Service) mayUndoRenewal(ctx context.Context, db bun.IDB, actor access.Actor, r *Renewal) error {
	if renewalLabels[r.State] == "" || r.DecidedAt == nil {
		return ErrUndo.With("没有可以撤销的审核决定，请刷新后查看")
	}
	lent, err := s.Deputies.Lent(ctx, db, actor)
	if err != nil {
		return err
	}
	if actor.InstitutionID == r.InstitutionID {
		return ErrForbidden
	}
	return graded(lent, actor, s.Clock.Now(), r.UserID, undo.Decision{By: r.ReviewerID, At: *r.DecidedAt})
}

// UndoRenewal asks to take the decision on a paper back.
type UndoRenewal struct {
	Ref
	Reason string // the institution reads it
}

// RenewalUndone is announced when a decision on a paper was taken back: it waits again.
type RenewalUndone struct {
	RenewalHead
	Label  string `json:"label"`
	Reason string `json:"reason"`
}

// Event names the fact.
func (f RenewalUndone) Event() (string, string, int64) {
	return "institution_renewal.review_undone", ObjectRenewal, f.ID
}

// UndoRenewal takes the decision on a paper back: who decided may within minutes, later and what others decided needs
// institution.review_undo. The qualification it took the place of counts again, and the paper waits for its review. It returns
// ErrUndo when the qualifications, or what the institution hands in, went on since.
func (s *Service) UndoRenewal(ctx context.Context, actor access.Actor, cmd UndoRenewal) (RenewalView, error) {
	if !actor.SignedIn() {
		return RenewalView{}, fault.ErrUnauthorized
	}
	reason, err := text.Block("reason", cmd.Reason, 2, 500)
	if err != nil {
		return RenewalView{}, text.Named(err, "撤销原因")
	}
	now := s.Clock.Now()
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.renewal_undo", Key: cmd.Key, Request: cmd, Now: now}, func() (outcome, error) {
			r := new(Renewal)
			if err := database.Found(visibleRenewals(tx.NewSelect().Model(r), actor).Where("n.id = ?", cmd.ID).Scan(ctx)); err != nil {
				return outcome{}, err
			}
			if r.Version != cmd.Version {
				return outcome{}, ErrUndo.With("证照更新已有变化，请刷新后查看")
			}
			if err := s.mayUndoRenewal(ctx, tx, actor, r); err != nil {
				return outcome{}, err
			}
			i, err := find(ctx, tx, scope{where: "1 = 1"}, r.InstitutionID)
			if err != nil {
				return outcome{}, err
			}
			if r.State == Approved {
				if err := s.takeOut(ctx, tx, actor, r, i); err != nil {
					return outcome{}, err
				}
			}
			label := renewalLabels[r.State]
			r.State, r.Reason, r.Was, r.ReviewerID, r.ReviewerName, r.DecidedAt, r.Version = Waiting, "", "", 0, "", nil, cmd.Version+1
			err = database.Changed(tx.NewUpdate().Model(r).Column("state", "reason", "was", "reviewer_id", "reviewer_name", "decided_at", "version").
				Where("id = ? AND version = ?", r.ID, cmd.Version).Exec(ctx))
			switch {
			case database.IsDuplicate(err):
				return outcome{}, ErrUndo.With("机构已重新提交这份证照，请在新的证照更新中办理").Wrap(err)
			case errors.Is(err, fault.ErrChanged):
				return outcome{}, ErrUndo.With("证照更新已有变化，请刷新后查看").Wrap(err)
			case err != nil:
				return outcome{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, RenewalUndone{r.head(i.Name), label, masked(reason)}); err != nil {
				return outcome{}, err
			}
			return outcome{r.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "institution.renewal_undo", Object: ObjectRenewal, ObjectID: r.ID,
				Summary: "撤销“" + label + "” " + r.Name, Detail: map[string]any{"institution": r.InstitutionID, "reason": masked(reason)}})
		})
		return err
	})
	if err != nil {
		return RenewalView{}, fmt.Errorf("undo the review of renewal %d: %w", cmd.ID, err)
	}
	return s.Renewal(ctx, actor, cmd.ID)
}

// takeOut brings the institution's qualifications back to what they were before the paper counted.
func (s *Service) takeOut(ctx context.Context, tx bun.Tx, actor access.Actor, r *Renewal, i *Institution) error {
	next, err := tx.NewSelect().Model((*Renewal)(nil)).Where("n.institution_id = ? AND n.replaces = ? AND n.state = ?", i.ID, r.No, Waiting).Count(ctx)
	if err != nil {
		return err
	}
	if next > 0 {
		return ErrUndo.With("机构已提交这份证照的下一次更新，请先办结或退回，再撤销")
	}
	list, err := i.restored(r)
	if err != nil {
		return err
	}
	read := i.Version
	i.Qualifications, i.UpdatedAt = list, s.Clock.Now()
	if err := save(ctx, tx, i, read); errors.Is(err, fault.ErrChanged) {
		return stale(ctx, tx, i.ID)
	} else if err != nil {
		return err
	}
	_, err = event.Append(ctx, tx, actor, s.Clock.Now(), Edited{i.head()})
	return err
}

// undoOfRenewal tells what the actor may take back, nil for nothing.
func (s *Service) undoOfRenewal(ctx context.Context, db bun.IDB, actor access.Actor, r *Renewal, i *Institution) (*UndoView, error) {
	err := s.mayUndoRenewal(ctx, db, actor, r)
	if err == nil && r.State == Approved {
		_, err = i.restored(r)
	}
	if k := fault.KindOf(err); k == fault.Conflict || k == fault.Forbidden {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	told := "撤销后这份证照回到待审核，机构和审核人员都会收到通知。"
	if r.State == Approved {
		told = "撤销后机构信息恢复为更新前的证照，这份证照回到待审核，机构和审核人员都会收到通知。"
	}
	return &UndoView{Label: renewalLabels[r.State], Told: told}, nil
}
