package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/bulk"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/phone"
)

// LoadTables are the tables that a Teller writes.
var LoadTables = []string{"users", "user_roles"}

// Teller makes the accounts of companies' people in a bulk load, as CreateOwner would.
type Teller struct {
	s    *Service
	load *bulk.Load
	role int64
}

// Teller makes the teller of a load. Begin the load after it.
func (s *Service) Teller(ctx context.Context) (*Teller, error) {
	var r role
	if err := s.DB.Read().NewSelect().Model(&r).Where("code = ?", ownerRole).Scan(ctx); err != nil {
		return nil, fmt.Errorf("role %s: %w", ownerRole, database.Found(err))
	}
	return &Teller{s: s, role: r.ID}, nil
}

// Use gives the teller its load.
func (t *Teller) Use(l *bulk.Load) { t.load = l }

// Owner makes one account and returns its id. No phone may come twice or be there already.
func (t *Teller) Owner(actor access.Actor, at time.Time, in Owner) (int64, error) {
	number, err := phone.Normalize(in.Phone)
	if err != nil {
		return 0, err
	}
	u := t.s.newUser(number, in.Name, access.Enterprise, at)
	if in.EnterpriseID != 0 {
		u.EnterpriseID = &in.EnterpriseID
	}
	u.ID = t.load.NextID("users")
	if err := t.load.Add(&u); err != nil {
		return 0, err
	}
	if err := t.load.Add(&userRole{UserID: u.ID, RoleID: t.role}); err != nil {
		return 0, err
	}
	return u.ID, t.load.Tell(actor, at, 0, nil, audit.Record{Action: "identity.create", Object: "user", ObjectID: u.ID, Summary: "新建企业账号"})
}

// ownerRole is the role of a company's people.
const ownerRole = "enterprise_owner"
