package enterprise

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/event"
)

// Known is a company that is known already: one of a register that an installation begins with.
type Known struct {
	Claim
	Verified bool
	At       time.Time // when it came
	// Members are its people, the owner first; they act for the company from now on.
	Members []int64
	Facts   []Fact
}

// Load adds companies with their people and facts, as registering and verifying would have left them, and returns their
// ids in the order given. Only the system may. It is one transaction, which ends in ten seconds or fails: give it some dozens.
func (s *Service) Load(ctx context.Context, actor access.Actor, list []Known) ([]int64, error) {
	if actor.Party != access.System {
		return nil, ErrForbidden
	}
	var ids []int64
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		ids = make([]int64, 0, len(list))
		for _, k := range list {
			id, err := s.load(ctx, tx, actor, k)
			if err != nil {
				return fmt.Errorf("load %s: %w", k.Name, err)
			}
			ids = append(ids, id)
		}
		return nil
	})
	return ids, err
}

func (s *Service) load(ctx context.Context, tx bun.Tx, actor access.Actor, k Known) (int64, error) {
	e := Enterprise{Name: k.Name, Verification: Unverified, Version: 1, CreatedAt: k.At}
	if err := insert(ctx, tx, &e); err != nil {
		return 0, err
	}
	role := Owner
	var owner int64
	for _, id := range k.Members {
		m := member{EnterpriseID: e.ID, UserID: id, Role: role, JoinedAt: &k.At}
		if _, err := tx.NewInsert().Model(&m).Exec(ctx); err != nil {
			return 0, err
		}
		if err := s.accounts.ActFor(ctx, tx, id, e.ID); err != nil {
			return 0, err
		}
		if role == Owner {
			owner, role = id, Member
		}
	}
	if _, err := event.Append(ctx, tx, actor, k.At, Registered{ID: e.ID, Name: e.Name, OwnerID: owner}); err != nil {
		return 0, err
	}
	summary := loadedSummary
	if k.Verified {
		a := loadedAttempt(e.ID, owner, k)
		if _, err := tx.NewInsert().Model(&a).ExcludeColumn("id").Exec(ctx); err != nil {
			return 0, err
		}
		if err := s.verified(ctx, tx, actor, &e, owner, k.Claim, byRegistry, k.At); err != nil {
			return 0, err
		}
		summary = loadedVerifiedSummary
	}
	if err := record(ctx, tx, e.ID, 0, k.At, k.Facts...); err != nil {
		return 0, err
	}
	return e.ID, audit.Write(ctx, tx, actor, k.At, loadedRecord(e.ID, summary))
}

// What the audit log says of a company that was known already.
const (
	loadedSummary         = "登记企业（未认证）"
	loadedVerifiedSummary = "登记企业并认证"
)

func loadedRecord(id int64, summary string) audit.Record {
	return audit.Record{Action: "enterprise.register", Object: Object, ObjectID: id, Summary: summary}
}
