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
// ids in the order given. Only the system may. It is one transaction: give it at most 500.
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
	summary := "登记企业（未认证）"
	if k.Verified {
		a := Attempt{EnterpriseID: e.ID, UserID: owner, Kind: byRegistry, Name: k.Name, CreditCode: k.CreditCode, LegalPerson: k.LegalPerson,
			Outcome: Asking, Version: 1, AskedAt: k.At}
		a.settle(k.At, Agreed, "found=true name=true person=true status=存续")
		if _, err := tx.NewInsert().Model(&a).ExcludeColumn("id").Exec(ctx); err != nil {
			return 0, err
		}
		if err := s.verified(ctx, tx, actor, &e, owner, k.Claim, byRegistry, k.At); err != nil {
			return 0, err
		}
		summary = "登记企业并认证"
	}
	if err := record(ctx, tx, e.ID, 0, k.At, k.Facts...); err != nil {
		return 0, err
	}
	return e.ID, audit.Write(ctx, tx, actor, k.At, audit.Record{Action: "enterprise.register", Object: Object, ObjectID: e.ID, Summary: summary})
}
