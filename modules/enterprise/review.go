package enterprise

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/text"
)

// maxLicences is how many pictures one application may carry.
const maxLicences = 3

// ApplyForReview asks a person to verify the company by its licence.
type ApplyForReview struct {
	Key string `json:"-"`
	Claim
	Note    string
	FileIDs []int64
	// LicenceID is a licence the company keeps already, handed in instead of files or beside them; 0 is none.
	LicenceID int64
}

// Apply hands the claim with its licence to the reviewers: the company is pending from then on. It returns ErrLicence
// without a file, ErrHeld when another company holds the code, and otherwise what Verify returns.
func (s *Service) Apply(ctx context.Context, actor access.Actor, cmd ApplyForReview) (AttemptView, error) {
	claim, err := cmd.clean(s.demo)
	errs := []error{}
	if err != nil {
		errs = append(errs, err)
	}
	note, err := text.Block("note", cmd.Note, 0, 500)
	if err != nil {
		errs = append(errs, err)
	}
	if err := s.needLicence(cmd.FileIDs, cmd.LicenceID); err != nil {
		errs = append(errs, err)
	}
	if err := fault.Merge(errs...); err != nil {
		return AttemptView{}, err
	}
	id, err := s.begin(ctx, actor, "enterprise.apply", cmd.Key, claim, Attempt{Kind: byReview, Outcome: Waiting, Note: note},
		func(ctx context.Context, tx bun.Tx, e *Enterprise, a *Attempt) error {
			other, held, err := holder(ctx, tx, claim.CreditCode)
			if err != nil {
				return err
			}
			if held {
				if held, err = spokenFor(ctx, tx, &other); err != nil {
					return err
				}
			}
			if held {
				return ErrHeld.With("该统一社会信用代码已由平台上的企业认证，请先通过登记系统核验，核验后会向该企业负责人发送加入申请").On("creditCode")
			}
			if err := e.await(); err != nil {
				return err
			}
			due, err := s.desk.ReviewDue(ctx, tx, a.AskedAt)
			if err != nil {
				return fmt.Errorf("time limit of the review: %w", err)
			}
			a.DueAt = &due
			if _, err := tx.NewUpdate().Model(a).Column("due_at").WherePK().Exec(ctx); err != nil {
				return err
			}
			if err := save(ctx, tx, e); err != nil {
				return err
			}
			if err := s.handIn(ctx, tx, actor, a.ID, cmd.FileIDs, cmd.LicenceID); err != nil {
				return err
			}
			_, err = event.Append(ctx, tx, actor, a.AskedAt, IsPending{Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byReview}, a.ID})
			return err
		})
	if err != nil {
		return AttemptView{}, fmt.Errorf("apply for review of enterprise %d: %w", actor.EnterpriseID, err)
	}
	return s.Attempt(ctx, actor, id)
}

// needLicence says what is wrong with the licence that is to be handed in.
func (s *Service) needLicence(fileIDs []int64, licenceID int64) error {
	switch {
	case len(fileIDs) == 0 && (licenceID == 0 || s.papers == nil):
		return ErrLicence
	case len(fileIDs) > maxLicences:
		return fault.InvalidField("licence", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个文件，请删减后提交", maxLicences))
	}
	return nil
}

// handIn ties the licence to an attempt.
func (s *Service) handIn(ctx context.Context, tx bun.Tx, actor access.Actor, attemptID int64, fileIDs []int64, licenceID int64) error {
	for _, f := range fileIDs {
		if err := s.files.Claim(ctx, tx, actor, f, ObjectAttempt, attemptID); err != nil {
			return err
		}
	}
	if licenceID == 0 || s.papers == nil {
		return nil
	}
	return s.papers.Use(ctx, tx, actor, licenceID, ObjectAttempt, attemptID)
}

// Reviews returns a page of the licences that wait, oldest first, and the cursor of the next page. It needs
// enterprise.review, or a delegation of somebody who has it.
func (s *Service) Reviews(ctx context.Context, actor access.Actor, cursor string, limit int) ([]AttemptView, string, error) {
	db := s.db.Read()
	if _, err := s.reviewer(ctx, db, actor); err != nil {
		return nil, "", err
	}
	after, err := cursorOf(cursor)
	if err != nil {
		return nil, "", err
	}
	limit = limitOf(limit)
	var rows []Attempt
	err = visible(db.NewSelect().Model(&rows), actor, "v.enterprise_id").Where("v.outcome = ? AND v.id > ?", Waiting, after).
		OrderExpr("v.id").Limit(int64(limit + 1)).Scan(ctx)
	if err != nil {
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

// Decide names the application a reviewer decides.
type Decide struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"`
	Key     string `json:"-"`
}

// ApproveReview finds the licence right.
type ApproveReview struct {
	Decide
	Note string // internal
}

// ReturnReview sends the claim back. Code is one of ReturnReasons; some need Text.
type ReturnReview struct {
	Decide
	Code string
	Text string
}

// Approve verifies the company by its licence, or registers it otherwise as its change asks. It needs enterprise.review, returns ErrOwnReview for the reviewer's own
// company, ErrHeld when the code was taken meanwhile, and a Conflict when somebody decided first. Then the registry is asked
// for its facts; without an answer the company is verified all the same.
func (s *Service) Approve(ctx context.Context, actor access.Actor, cmd ApproveReview) (AttemptView, error) {
	note, err := text.Block("note", cmd.Note, 0, 500)
	if err != nil {
		return AttemptView{}, err
	}
	return s.decide(ctx, actor, cmd.Decide, "enterprise.approve", note, func(ctx context.Context, tx bun.Tx, by access.Actor, e *Enterprise, a *Attempt) (string, error) {
		return note, s.approve(ctx, tx, by, e, a)
	})
}

func (s *Service) approve(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt) error {
	now := s.clock.Now()
	if err := a.decide(now, actor.UserID, actor.Name, Approved, ""); err != nil {
		return err
	}
	if a.Kind == byChange {
		return s.approveChange(ctx, tx, actor, e, a, now)
	}
	other, held, err := holder(ctx, tx, a.CreditCode)
	if err != nil {
		return err
	}
	was := approvalRow{AttemptID: a.ID, Name: e.Name, LegalPerson: e.LegalPerson, Adopted: held}
	if _, err := tx.NewInsert().Model(&was).On("CONFLICT (attempt_id) DO UPDATE").Set("name = EXCLUDED.name, legal_person = EXCLUDED.legal_person, adopted = EXCLUDED.adopted").Exec(ctx); err != nil {
		return fmt.Errorf("remember enterprise %d: %w", e.ID, err)
	}
	if held {
		taken, err := spokenFor(ctx, tx, &other)
		if err != nil {
			return err
		}
		if taken {
			return ErrHeld.With("该统一社会信用代码已由“%s”认证，请退回申请，并告知企业向该企业负责人申请加入", other.Name)
		}
		if err := adopt(ctx, tx, e.ID, &other); err != nil {
			return err
		}
	}
	if err := s.verified(ctx, tx, actor, e, a.UserID, a.claim(), byReview, now); err != nil || s.registry == nil {
		return err
	}
	// The reviewer does not wait for the registry, and the approval stands whatever comes of asking it.
	return s.queue.Insert(ctx, tx, fetchArgs{ReviewID: a.ID}, jobs.On(jobs.Delivery))
}

// Return sends the claim back with the reason the company reads.
func (s *Service) Return(ctx context.Context, actor access.Actor, cmd ReturnReview) (AttemptView, error) {
	request := strings.Join([]string{cmd.Code, cmd.Text}, "\n")
	return s.decide(ctx, actor, cmd.Decide, "enterprise.return", request, func(ctx context.Context, tx bun.Tx, by access.Actor, e *Enterprise, a *Attempt) (string, error) {
		offered, err := s.reasons.Offered(ctx, tx, reasonList(a.Kind))
		if err != nil {
			return "", err
		}
		_, words, err := reason.Compose(offered, []string{cmd.Code}, cmd.Text)
		if err != nil {
			return "", err
		}
		return words, s.sendBack(ctx, tx, by, e, a, words)
	})
}

func (s *Service) sendBack(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, words string) error {
	now := s.clock.Now()
	if err := a.decide(now, actor.UserID, actor.Name, SentBack, words); err != nil {
		return err
	}
	if a.Kind == byChange {
		return s.returnChange(ctx, tx, actor, e, a, now)
	}
	if err := e.sendBack(); err != nil {
		return err
	}
	if err := save(ctx, tx, e); err != nil {
		return err
	}
	_, err := event.Append(ctx, tx, actor, now, WasRefused{Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byReview}, masked(words)})
	return err
}

// masked is free text as events and the audit log may hold it.
func masked(s string) string {
	s, _ = text.MaskNumbers(s)
	return s
}

// decide is the frame of both decisions: right, key, attempt, version, step, audit, in one transaction.
func (s *Service) decide(ctx context.Context, actor access.Actor, d Decide, operation, request string,
	step func(ctx context.Context, tx bun.Tx, by access.Actor, e *Enterprise, a *Attempt) (note string, err error),
) (AttemptView, error) {
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		actor, err := s.reviewer(ctx, tx, actor) // as it stands now: a delegation may have ended
		if err != nil {
			return err
		}
		_, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: d.Key, Request: []any{d, request}, Now: now},
			func() (started, error) {
				a, err := findAttempt(ctx, tx, actor, d.ID)
				if err != nil {
					return started{}, err
				}
				if !a.reviewed() || a.Outcome == Asking {
					return started{}, ErrNotFound
				}
				e, err := find(ctx, tx, actor, a.EnterpriseID)
				if err != nil {
					return started{}, err
				}
				if err := ownReview(ctx, tx, actor, e, a); err != nil {
					return started{}, err
				}
				if a.Version != d.Version {
					return started{}, s.stale(a)
				}
				note, err := step(ctx, tx, actor, e, a)
				if err != nil {
					return started{}, err
				}
				if err := saveAttempt(ctx, tx, a); err != nil {
					return started{}, err
				}
				return started{ID: a.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: Object, ObjectID: e.ID,
					Summary: a.label() + " " + e.Name, Detail: map[string]any{"attempt": a.ID, "note": masked(note), "behalf": actor.InNameOf.Name}})
			})
		return err
	})
	if database.IsDuplicate(err) && !errors.Is(err, fault.ErrChanged) { // somebody verified the code between our look and our write
		err = ErrHeld.Wrap(err)
	}
	if err != nil {
		return AttemptView{}, fmt.Errorf("%s %d: %w", operation, d.ID, err)
	}
	return s.Attempt(ctx, actor, d.ID)
}

// ownReview returns ErrOwnReview when the actor, or in whose name they act, asked for the review or is of the company.
func ownReview(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt) error {
	if actor.Is(a.UserID) {
		return ErrOwnReview
	}
	for _, who := range []int64{actor.UserID, actor.InNameOf.ID} {
		if _, err := roleOf(ctx, tx, e.ID, who); err == nil {
			return ErrOwnReview
		} else if fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	return nil
}

// stale says what changed meanwhile, who did it and when.
func (s *Service) stale(a *Attempt) error {
	if a.SettledAt == nil {
		return fault.ErrChanged
	}
	return fault.ErrChanged.With("%s已于%s处理该申请（%s），请刷新后查看", a.ReviewerName, showTime(*a.SettledAt), a.label())
}
