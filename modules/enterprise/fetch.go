package enterprise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// A company verified by its licence has no facts of the registry yet. They are asked for after the approval, and again
// whenever the owner wants; each try is an attempt of the kind byFetch and changes nothing of the verification.

// The faults of fetching.
var (
	// ErrUnverified: there is nothing to fetch for a company nobody knows.
	ErrUnverified = fault.New(fault.Conflict, "ENTERPRISE_UNVERIFIED", "企业通过认证后才能获取登记信息，请先完成企业认证")
	// ErrFetched: the registry's facts are there.
	ErrFetched = fault.New(fault.Conflict, "REGISTRY_FETCHED", "登记信息已取得，请刷新后查看")
)

// FetchFacts asks for the registry's facts of the verified company the actor acts for.
type FetchFacts struct {
	Key string `json:"-"`
}

// Fetch asks the registry for its facts of a verified company that has none, and returns the attempt with its outcome. It
// returns ErrOwner for members, ErrUnverified and ErrFetched by the state, and ErrAttempts beyond the day's limit.
func (s *Service) Fetch(ctx context.Context, actor access.Actor, cmd FetchFacts) (AttemptView, error) {
	if err := needOwner(actor); err != nil {
		return AttemptView{}, err
	}
	now := s.clock.Now()
	id, err := s.beginFetch(ctx, actor, cmd.Key, now, actor.EnterpriseID, func(ctx context.Context, tx bun.Tx) (*Enterprise, Attempt, error) {
		e, err := s.owned(ctx, tx, actor)
		if err != nil {
			return nil, Attempt{}, err
		}
		if err := needFacts(ctx, tx, e); err != nil {
			return nil, Attempt{}, err
		}
		return e, Attempt{UserID: actor.UserID, UserName: actor.Name}, countAttempt(ctx, tx, e.ID, now)
	})
	if err != nil {
		return AttemptView{}, fmt.Errorf("fetch facts of enterprise %d: %w", actor.EnterpriseID, err)
	}
	if err := s.ask(ctx, actor, id); err != nil {
		return AttemptView{}, fmt.Errorf("settle fetching %d: %w", id, err)
	}
	return s.Attempt(ctx, actor, id)
}

// FetchApproved asks for the facts of a company whose review was approved, once, in the name of who applied; it is what the
// job of an approval calls. Only the system may. What the registry answers is in the log of attempts, and the owner can ask
// again; an error is one of our own and worth another run.
func (s *Service) FetchApproved(ctx context.Context, actor access.Actor, reviewID int64) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	key := fmt.Sprintf("review:%d", reviewID)
	review, err := findAttempt(ctx, s.db.Read(), actor, reviewID)
	if err != nil {
		return err
	}
	id, err := s.beginFetch(ctx, actor, key, s.clock.Now(), review.EnterpriseID, func(ctx context.Context, tx bun.Tx) (*Enterprise, Attempt, error) {
		e, err := find(ctx, tx, actor, review.EnterpriseID)
		if err != nil {
			return nil, Attempt{}, err
		}
		return e, Attempt{UserID: review.UserID, UserName: review.UserName}, needFacts(ctx, tx, e)
	})
	if errors.Is(err, ErrFetched) {
		return nil // the owner was quicker
	}
	if err != nil {
		return err
	}
	return s.ask(ctx, actor, id)
}

// beginFetch writes the attempt down before the registry is asked.
func (s *Service) beginFetch(ctx context.Context, actor access.Actor, key string, now time.Time, enterpriseID int64,
	who func(ctx context.Context, tx bun.Tx) (*Enterprise, Attempt, error),
) (int64, error) {
	var done started
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		done, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "enterprise.fetch", Key: key, Request: []any{enterpriseID}, Now: now},
			func() (started, error) {
				e, a, err := who(ctx, tx)
				if err != nil {
					return started{}, err
				}
				if err := interrupt(ctx, tx, e.ID, now.Add(-stuck), now); err != nil {
					return started{}, err
				}
				a.Kind, a.Outcome, a.EnterpriseID, a.Version, a.AskedAt = byFetch, Asking, e.ID, 1, now
				a.Name, a.CreditCode, a.LegalPerson = e.Name, e.code(), e.LegalPerson
				if _, err := tx.NewInsert().Model(&a).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
					return started{}, fmt.Errorf("insert attempt: %w", err)
				}
				return started{ID: a.ID}, audit.Write(ctx, tx, actor, now, audit.Record{Action: "enterprise.fetch", Object: Object, ObjectID: e.ID,
					Summary: "获取企业登记信息", Detail: map[string]any{"attempt": a.ID}})
			})
		return err
	})
	return done.ID, err
}

// needFacts says why there is nothing to fetch.
func needFacts(ctx context.Context, db bun.IDB, e *Enterprise) error {
	if e.Verification != Verified {
		return ErrUnverified
	}
	rows, err := factsOf(ctx, db, e.ID)
	if err == nil && hasRegistered(rows[e.ID]) {
		err = ErrFetched
	}
	return err
}

// hasRegistered reports whether the registry has said anything.
func hasRegistered(rows []Fact) bool {
	return slices.ContainsFunc(rows, func(f Fact) bool { return f.Source == FromRegistry })
}

// fetched records the facts of a company, once: of two who ask at a time the second reads what the first has written.
func (s *Service) fetched(ctx context.Context, tx bun.Tx, actor access.Actor, e *Enterprise, answer Answer, now time.Time) error {
	rows, err := factsOf(ctx, tx, e.ID)
	if err != nil || hasRegistered(rows[e.ID]) {
		return err
	}
	if err := save(ctx, tx, e); err != nil {
		return err
	}
	return record(ctx, tx, e.ID, actor.UserID, now, registered(answer.Company, now)...)
}

// fetchLooks are the outcomes of fetching in words; the verification is not in question.
var fetchLooks = map[Outcome]look{
	Asking:        {"正在获取登记信息", "正在向登记系统获取，请稍候查看结果", false},
	Interrupted:   {"获取没有完成", "上次获取中途中断，请重新获取", false},
	Agreed:        {"已取得登记信息", "成立日期、行业等信息已按企业登记信息更新", false},
	NotRegistered: {"登记系统中没有查到这家企业", "新设立的企业可能次日才能查到，请过后再获取。企业认证不受影响", false},
	NameDiffers:   {"登记系统中的企业名称与认证的名称不一致", "刚办理变更登记的，请在登记系统更新后再获取。企业认证不受影响", false},
	PersonDiffers: {"登记系统中的法定代表人与认证的不一致", "刚办理法定代表人变更的，请在登记系统更新后再获取。企业认证不受影响", false},
	Closed:        {"企业登记状态异常，未取得登记信息", "", false},
	NoAnswer:      {"登记系统暂时没有答复", "请稍后再获取。企业认证不受影响", false},
	NoRegistry:    {"本平台尚未接入企业登记系统", "暂时不能获取登记信息。企业认证不受影响", false},
}
