package enterprise

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// VerifyEnterprise asks to verify the company the actor acts for.
type VerifyEnterprise struct {
	Key string `json:"-"` // the same key is the same attempt, asked again when it was never settled
	Claim
}

// started is what a repeat of a command needs to find its attempt.
type started struct {
	ID int64 `json:"id"`
}

// stuck is how long an attempt may be asking before it counts as interrupted.
const stuck = time.Minute

// Verify holds the claim against the registry and returns the attempt with its outcome; a registry that gives no answer is
// an outcome too. A claim that cannot be right (a wrong check character) is a fault at its field and no attempt. It returns
// ErrOwner for members, ErrVerified and ErrPending by the state, and ErrAttempts beyond the day's limit.
func (s *Service) Verify(ctx context.Context, actor access.Actor, cmd VerifyEnterprise) (AttemptView, error) {
	claim, err := cmd.clean(s.demo)
	if err != nil {
		return AttemptView{}, err
	}
	a := Attempt{Kind: byRegistry, Outcome: Asking}
	id, err := s.begin(ctx, actor, "enterprise.verify", cmd.Key, claim, a, nil)
	if err != nil {
		return AttemptView{}, fmt.Errorf("verify enterprise %d: %w", actor.EnterpriseID, err)
	}
	if err := s.ask(ctx, actor, id); err != nil {
		return AttemptView{}, fmt.Errorf("settle verification %d: %w", id, err)
	}
	return s.Attempt(ctx, actor, id)
}

// begin writes the attempt down before anything else happens.
func (s *Service) begin(ctx context.Context, actor access.Actor, operation, key string, claim Claim, a Attempt,
	more func(ctx context.Context, tx bun.Tx, e *Enterprise, a *Attempt) error,
) (int64, error) {
	if err := needOwner(actor); err != nil {
		return 0, err
	}
	now := s.clock.Now()
	var done started
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: []any{actor.EnterpriseID, claim}, Now: now},
			func() (started, error) {
				a := a // a repeated transaction starts from the draft
				e, err := s.owned(ctx, tx, actor)
				if err != nil {
					return started{}, err
				}
				if a.Kind != byChange {
					if err := e.mayAsk(); err != nil {
						return started{}, err
					}
				}
				if err := countAttempt(ctx, tx, e.ID, now); err != nil {
					return started{}, err
				}
				// The row is ours now: what another request changed while we waited for it counts.
				if e, err = s.owned(ctx, tx, actor); err != nil {
					return started{}, err
				}
				if err := interrupt(ctx, tx, e.ID, now.Add(-stuck), now); err != nil {
					return started{}, err
				}
				a.EnterpriseID, a.UserID, a.UserName, a.Version, a.AskedAt = e.ID, actor.UserID, actor.Name, 1, now
				a.Name, a.CreditCode, a.LegalPerson = claim.Name, claim.CreditCode, claim.LegalPerson
				summary := "提交企业认证"
				if a.Kind == byChange {
					if err := draftChange(ctx, tx, e, &a); err != nil {
						return started{}, err
					}
					summary = "提交变更登记：" + WordsOf(a.changes())
				}
				if _, err := tx.NewInsert().Model(&a).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
					return started{}, fmt.Errorf("insert attempt: %w", err)
				}
				if more != nil {
					if err := more(ctx, tx, e, &a); err != nil {
						return started{}, err
					}
				}
				return started{ID: a.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: Object, ObjectID: e.ID,
					Summary: summary, Detail: map[string]any{"attempt": a.ID, "kind": a.Kind, "creditCode": a.CreditCode}})
			})
		return err
	})
	return done.ID, err
}

// owned returns the company the actor acts for, when the actor owns it.
func (s *Service) owned(ctx context.Context, db bun.IDB, actor access.Actor) (*Enterprise, error) {
	e, err := find(ctx, db, actor, actor.EnterpriseID)
	if err != nil {
		return nil, err
	}
	role, err := roleOf(ctx, db, e.ID, actor.UserID)
	if err != nil {
		return nil, err
	}
	if role != Owner {
		return nil, ErrOwner
	}
	return e, nil
}

func needOwner(actor access.Actor) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	if actor.Party != access.Enterprise || actor.EnterpriseID == 0 {
		return ErrForbidden
	}
	return nil
}

// ask asks the registry about an attempt that is still open and settles it. Within a process one attempt is asked once at
// a time; between processes the first to settle wins.
func (s *Service) ask(ctx context.Context, actor access.Actor, id int64) error {
	_, err, _ := s.asking.Do(strconv.FormatInt(id, 10), func() (any, error) {
		a, err := findAttempt(ctx, s.db.Read(), actor, id)
		if err != nil || a.Outcome != Asking {
			return nil, err
		}
		return nil, s.settle(ctx, actor, id, s.find(ctx, a.claim()))
	})
	return err
}

// settle writes down what the registry said. Whoever loses the race for a credit code reads the state anew.
func (s *Service) settle(ctx context.Context, actor access.Actor, id int64, f finding) error {
	var err error
	for range 5 {
		err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return s.settleOnce(ctx, tx, actor, id, f) })
		if !database.IsDuplicate(err) && !errors.Is(err, fault.ErrChanged) {
			return err
		}
	}
	return err
}

func (s *Service) settleOnce(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, f finding) error {
	now := s.clock.Now()
	a, err := findAttempt(ctx, tx, actor, id)
	if err != nil || a.Outcome != Asking {
		return err
	}
	e, err := find(ctx, tx, actor, a.EnterpriseID)
	if err != nil {
		return err
	}
	outcome, what := f.outcome, "企业认证："+f.outcome.Label()
	switch {
	case a.Kind == byFetch:
		what = "获取企业登记信息：" + fetchLooks[outcome].title
		if outcome == Agreed {
			if err := s.fetched(ctx, tx, actor, e, f.answer, now); err != nil {
				return err
			}
		}
	case a.Kind == byChange:
		if outcome, err = s.settleChange(ctx, tx, actor, e, a, f, now); err != nil {
			return err
		}
		what = "企业变更登记：" + changeLooks[outcome].title
	case outcome == Agreed:
		if outcome, err = s.agree(ctx, tx, actor, e, a, f.answer, now); err != nil {
			return err
		}
		what = "企业认证：" + outcome.Label()
	case outcome.refusal():
		head := Head{ID: e.ID, Name: e.Name, UserID: a.UserID, By: byRegistry}
		if _, err := event.Append(ctx, tx, actor, now, WasRefused{Head: head, Reason: outcome.Label()}); err != nil {
			return err
		}
	}
	if outcome == Waiting {
		a.hold(f.codes)
	} else {
		a.settle(now, outcome, f.codes)
	}
	if err := saveAttempt(ctx, tx, a); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.verify_settle", Object: Object, ObjectID: e.ID,
		Summary: what, Detail: map[string]any{"attempt": a.ID, "outcome": outcome, "answer": f.codes}})
}

// agree makes the company verified, or leads to the company that holds the code already.
func (s *Service) agree(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, a *Attempt, answer Answer, now time.Time) (Outcome, error) {
	other, held, err := holder(ctx, tx, a.CreditCode)
	switch {
	case err != nil:
		return "", err
	case held && other.ID == e.ID:
		return Agreed, nil // the same claim of a moment ago
	case held:
		taken, err := spokenFor(ctx, tx, &other)
		if err != nil {
			return "", err
		}
		if taken || e.Verification == Verified {
			return s.knock(ctx, tx, actor, e, &other, a, now)
		}
		if err := adopt(ctx, tx, e.ID, &other); err != nil {
			return "", err
		}
	case e.Verification == Verified:
		return Interrupted, nil // verified with another code meanwhile
	}
	claim := a.claim()
	if answer.Company.Name != "" {
		claim.Name = answer.Company.Name
	}
	if err := s.verified(ctx, tx, actor, e, a.UserID, claim, byRegistry, now); err != nil {
		return "", err
	}
	return Agreed, record(ctx, tx, e.ID, actor.UserID, now, registered(answer.Company, now)...)
}

// verified writes the company as verified and tells of it.
func (s *Service) verified(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, userID int64, claim Claim, by string, now time.Time) error {
	if err := e.verify(now, claim); err != nil {
		return err
	}
	if err := save(ctx, tx, e); err != nil {
		return err
	}
	_, err := event.Append(ctx, tx, actor, now, WasVerified{Head: Head{ID: e.ID, Name: e.Name, UserID: userID, By: by}, CreditCode: claim.CreditCode})
	return err
}

// Attempt returns one attempt of a company the actor may see, ErrNotFound otherwise.
func (s *Service) Attempt(ctx context.Context, actor access.Actor, id int64) (AttemptView, error) {
	if !actor.SignedIn() {
		return AttemptView{}, fault.ErrUnauthorized
	}
	a, err := findAttempt(ctx, s.db.Read(), actor, id)
	if err != nil {
		return AttemptView{}, err
	}
	return s.attemptView(ctx, s.db.Read(), actor, a)
}

// Sees returns nil when the actor may see the attempt, ErrNotFound when they may not: the word on who may read its licence.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	_, err := findAttempt(ctx, s.db.Read(), actor, id)
	return err
}
