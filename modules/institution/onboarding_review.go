package institution

import (
	"context"
	"errors"
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
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/text"
)

// CheckApplication finds an application right in the first review.
type CheckApplication struct{ Ref }

// ApproveApplication finds it right in the second.
type ApproveApplication struct{ Ref }

// ReturnApplication sends it back to be amended. Codes are of the ready reasons; some need Text.
type ReturnApplication struct {
	Ref
	Codes []string
	Text  string
}

// RefuseApplication ends it without an institution.
type RefuseApplication struct {
	Ref
	Reason string
}

// Opening is what came of an approval: the application, and how its administrator signs in. The password is shown to the
// reviewer once, to be told by telephone, and must be changed at the first sign-in.
type Opening struct {
	Application ApplicationView `json:"application"`
	Account     string          `json:"account"`
	Password    string          `json:"password"`
}

// CheckApplication passes an application on to the government's review. It needs institution.review. Errors as
// ApproveApplication.
func (s *Service) CheckApplication(ctx context.Context, actor access.Actor, cmd CheckApplication) (ApplicationView, error) {
	return s.decide(ctx, actor, "check", cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, by access.Actor, a *Application, r *round) (event.Fact, string, error) {
		now := s.Clock.Now()
		due, err := s.Desk.ReviewDue(ctx, tx, now)
		if err != nil {
			return nil, "", fmt.Errorf("time limit of the second review: %w", err)
		}
		if err := a.check(due); err != nil {
			return nil, "", err
		}
		r.CheckerID, r.CheckerName, r.CheckedAt, r.CheckerFor = by.UserID, by.Name, &now, by.InNameOf.ID
		return OnboardingChecked{a.head(), utc(due)}, "机构入驻初审通过", nil
	})
}

// ApproveApplication registers the institution and makes the applicant its administrator, in one transaction. It needs
// institution.approve; it returns ErrOwn for the reviewer's own, ErrSamePerson for who did the first review, ErrDecided when it
// does not wait for the second, ErrRegistered when the code was taken meanwhile. A repeat with the same key returns the same password.
func (s *Service) ApproveApplication(ctx context.Context, actor access.Actor, cmd ApproveApplication) (Opening, error) {
	if _, err := s.reviewer(ctx, s.DB.Read(), actor, PermApprove); err != nil {
		return Opening{}, err
	}
	seen, err := findApplication(ctx, s.DB.Read(), actor, cmd.ID)
	if err != nil {
		return Opening{}, err
	}
	password, hash, err := s.Accounts.FirstPassword(ctx, actor, cmd.Key, seen.Account)
	if err != nil {
		return Opening{}, err
	}
	v, err := s.decide(ctx, actor, "approve", cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, by access.Actor, a *Application, r *round) (event.Fact, string, error) {
		now := s.Clock.Now()
		if err := a.decide(Approved, now); err != nil {
			return nil, "", err
		}
		rows, err := documents(ctx, tx, a.ID)
		if err != nil {
			return nil, "", err
		}
		papers := licences{}
		for _, p := range rows {
			if p.To != "" && p.To < s.today() {
				return nil, "", fault.New(fault.Conflict, "EXPIRED", "“"+p.Name+"”已过有效期，请退回申请人更换后再审核")
			}
			papers = append(papers, Licence{Name: p.Name, No: p.No, To: p.To})
		}
		if err := s.Accounts.MayAdminister(ctx, tx, a.UserID, a.Account); err != nil {
			return nil, "", err
		}
		id, err := register(ctx, tx, by, now, a.details(papers))
		if errors.Is(err, ErrTaken) {
			return nil, "", ErrRegistered.With("该统一社会信用代码的机构已登记，不能重复入驻，请退回或不予通过").Wrap(err)
		} else if err != nil {
			return nil, "", err
		}
		if err := s.Accounts.Administer(ctx, tx, by, Administrator{UserID: a.UserID, InstitutionID: id, Account: a.Account, Hash: hash}); err != nil {
			return nil, "", err
		}
		a.InstitutionID = id
		return OnboardingApproved{a.head(), id, a.Account}, "通过机构入驻", nil
	})
	if err != nil {
		return Opening{}, err
	}
	return Opening{Application: v, Account: v.Account, Password: password}, nil
}

// ReturnApplication sends an application back, in either review; the applicant reads the reasons, amends it and sends it again.
// Errors as ApproveApplication.
func (s *Service) ReturnApplication(ctx context.Context, actor access.Actor, cmd ReturnApplication) (ApplicationView, error) {
	return s.decide(ctx, actor, "return", cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, _ access.Actor, a *Application, r *round) (event.Fact, string, error) {
		offered, err := s.Reasons.Offered(ctx, tx, ReasonsOfApplications)
		if err != nil {
			return nil, "", err
		}
		codes, words, err := reason.Compose(offered, cmd.Codes, cmd.Text)
		if errors.Is(err, reason.ErrChoose) {
			return nil, "", fault.InvalidField("codes", reason.ErrChoose.Code, reason.ErrChoose.Message)
		}
		if err != nil {
			return nil, "", err
		}
		r.Codes, r.Reason = strings.Join(codes, " "), words
		return OnboardingReturned{a.head(), masked(words)}, "退回机构入驻", a.decide(Returned, s.Clock.Now())
	})
}

// RefuseApplication ends an application; the applicant reads the reason. Errors as ApproveApplication.
func (s *Service) RefuseApplication(ctx context.Context, actor access.Actor, cmd RefuseApplication) (ApplicationView, error) {
	reason, err := text.Block("reason", cmd.Reason, 5, 500)
	if err != nil {
		return ApplicationView{}, named(err, "reason", "不予通过的原因")
	}
	return s.decide(ctx, actor, "refuse", cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, _ access.Actor, a *Application, r *round) (event.Fact, string, error) {
		r.Reason = reason
		return OnboardingRefused{a.head(), masked(reason)}, "不予通过机构入驻", a.decide(Refused, s.Clock.Now())
	})
}

// masked is free text as events and the audit log may hold it.
func masked(s string) string {
	s, _ = text.MaskNumbers(s)
	return s
}

// decide is the frame of every decision: right, key, application, version, step, round, event, audit, in one transaction.
func (s *Service) decide(ctx context.Context, actor access.Actor, action string, ref Ref, request any,
	step func(ctx context.Context, tx bun.Tx, by access.Actor, a *Application, r *round) (event.Fact, string, error),
) (ApplicationView, error) {
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		lent, err := s.Deputies.Lent(ctx, tx, actor) // as it stands now: a delegation may have ended
		if err != nil {
			return err
		}
		if all := lent.With(actor); !all.Can(PermReview) && !all.Can(PermApprove) {
			return ErrForbidden
		}
		_, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "institution.review_" + action, Key: ref.Key, Request: request, Now: now}, func() (outcome, error) {
			a, err := findApplication(ctx, tx, actor, ref.ID)
			if err != nil {
				return outcome{}, err
			}
			by := lent.Using(actor, a.reviewers())
			if by.Is(a.UserID) {
				return outcome{}, ErrOwn
			}
			r := new(round)
			if err := database.Found(tx.NewSelect().Model(r).Where("r.application_id = ? AND r.round = ?", a.ID, a.Round).Scan(ctx)); err != nil {
				return outcome{}, err
			}
			if a.Version != ref.Version {
				return outcome{}, a.stale(r)
			}
			if a.underReview() {
				if err := by.Need(a.reviewers()); err != nil {
					return outcome{}, err
				}
			}
			if a.State == Checked && by.Is(r.CheckerID, r.CheckerFor) {
				return outcome{}, ErrSamePerson
			}
			was := a.kept(r)
			fact, summary, err := step(ctx, tx, by, a, r)
			if err != nil {
				return outcome{}, err
			}
			if r.Outcome = a.State; a.State != Checked {
				r.ReviewerID, r.ReviewerName, r.DecidedAt = by.UserID, by.Name, &now
			}
			if err := r.save(ctx, tx); err != nil {
				return outcome{}, err
			}
			if err := saveApplication(ctx, tx, a, ref.Version, now); err != nil {
				return outcome{}, err
			}
			told, err := event.Append(ctx, tx, by, now, fact)
			if err != nil {
				return outcome{}, err
			}
			if err := remember(ctx, tx, by, a, was, told); err != nil {
				return outcome{}, err
			}
			return outcome{a.ID}, audit.Write(ctx, tx, by, now, audit.Record{Action: "institution.review_" + action, Object: ObjectApplication, ObjectID: a.ID,
				Summary: summary + " " + a.Name, Detail: map[string]any{"round": a.Round, "codes": r.Codes, "reason": masked(r.Reason), "institution": a.InstitutionID}})
		})
		return err
	})
	if err != nil {
		return ApplicationView{}, fmt.Errorf("%s application %d: %w", action, ref.ID, err)
	}
	return s.Application(ctx, actor, ref.ID)
}

// reviewer returns the actor as they use a right of reviewers: in a colleague's name where it is lent to them. Without a right
// of either kind it returns ErrForbidden.
func (s *Service) reviewer(ctx context.Context, db bun.IDB, actor access.Actor, right access.Permission) (access.Actor, error) {
	lent, err := s.Deputies.Lent(ctx, db, actor)
	if err != nil {
		return actor, err
	}
	by := lent.Using(actor, right)
	return by, by.Need(right)
}

// ReturnReasons are the ready reasons for sending an application back. It needs a right of reviewers, own or lent.
func (s *Service) ReturnReasons(ctx context.Context, actor access.Actor) ([]reason.Reason, error) {
	lent, err := s.Deputies.Lent(ctx, s.DB.Read(), actor)
	if err != nil {
		return nil, err
	}
	if all := lent.With(actor); !all.Can(PermReview) && !all.Can(PermApprove) {
		return nil, ErrForbidden
	}
	return s.Reasons.Offered(ctx, s.DB.Read(), ReasonsOfApplications)
}

// save writes what came of a round.
func (r *round) save(ctx context.Context, tx bun.Tx) error {
	_, err := tx.NewUpdate().Model(r).Column("outcome", "codes", "reason", "reviewer_id", "reviewer_name", "decided_at", "checker_id", "checker_name", "checked_at", "checker_for").WherePK().Exec(ctx)
	return err
}

// stale says who decided meanwhile, or that the applicant sent it again.
func (a *Application) stale(r *round) error {
	if r.DecidedAt != nil {
		return ErrApplication.With("%s已处理该申请（%s），请刷新后查看", r.ReviewerName, r.Outcome.Label())
	}
	if r.CheckedAt != nil {
		return ErrApplication.With("%s已初审通过该申请，请刷新后查看", r.CheckerName)
	}
	return ErrApplication
}

// RemindReviews announces the rounds that were not decided in time, each once. Only the system may.
func (s *Service) RemindReviews(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, ErrForbidden
	}
	now := s.Clock.Now()
	n := 0
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = 0
		var rows []Application
		err := tx.NewSelect().Model(&rows).Where("a.state IN (?, ?) AND a.due_at <= ? AND a.reminded_at IS NULL", Waiting, Checked, now).OrderExpr("a.id").Limit(100).Scan(ctx)
		if err != nil {
			return err
		}
		for i := range rows {
			a := &rows[i]
			err := database.Changed(tx.NewUpdate().Model((*Application)(nil)).Set("reminded_at = ?", now).
				Where("id = ? AND state = ? AND reminded_at IS NULL", a.ID, a.State).Exec(ctx))
			if errors.Is(err, fault.ErrChanged) {
				continue
			}
			if err != nil {
				return err
			}
			if _, err := event.Append(ctx, tx, actor, now, OnboardingOverdue{a.head(), utc(*a.DueAt), a.State}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

func utc(t time.Time) time.Time { return t.UTC() }
