// Package enterprise keeps the companies and who acts for them (requirements A1, B1). Registering makes an unverified
// company; verification against the registry is not part of this slice.
//
// Tables: enterprises, enterprise_members. Needs nothing. Announces enterprise.registered.
package enterprise

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// Verification is whether the company is known to be what it says (requirement B1).
type Verification string

// Unverified is the state of a company that only typed its name.
const Unverified Verification = "unverified"

type enterprise struct {
	bun.BaseModel `bun:"table:enterprises,alias:ent"`

	ID           int64        `bun:"id,pk,autoincrement"`
	Name         string       `bun:"name,notnull"`
	CreditCode   *string      `bun:"credit_code"`
	Verification Verification `bun:"verification,notnull"`
	CreatedAt    time.Time    `bun:"created_at,notnull"`
}

type member struct {
	bun.BaseModel `bun:"table:enterprise_members"`

	EnterpriseID int64  `bun:"enterprise_id,pk"`
	UserID       int64  `bun:"user_id,pk"`
	Role         string `bun:"role,notnull"` // owner or member
}

// Registered is announced when somebody registers a company.
type Registered struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	OwnerID int64  `json:"ownerId"`
}

// Event names the fact.
func (r Registered) Event() (string, string, int64) {
	return "enterprise.registered", "enterprise", r.ID
}

// Brief is how a company is named beside a person.
type Brief struct {
	ID           int64
	Name         string
	CreditCode   string // empty until verified
	Verification string
}

// Service keeps the companies.
type Service struct {
	Clock clock.Clock
}

// OpenUnverified makes a company that nobody has checked, owned by the user, in the caller's transaction. Two people may
// register the same name: only a verified credit code tells companies apart.
func (s *Service) OpenUnverified(ctx context.Context, tx bun.Tx, actor access.Actor, name string, ownerUserID int64) (int64, error) {
	now := s.Clock.Now()
	e := enterprise{Name: name, Verification: Unverified, CreatedAt: now}
	if _, err := tx.NewInsert().Model(&e).Returning("id").Exec(ctx); err != nil {
		return 0, fmt.Errorf("open enterprise: %w", err)
	}
	if _, err := tx.NewInsert().Model(&member{EnterpriseID: e.ID, UserID: ownerUserID, Role: "owner"}).Exec(ctx); err != nil {
		return 0, fmt.Errorf("open enterprise: %w", err)
	}
	if _, err := event.Append(ctx, tx, actor, now, Registered{ID: e.ID, Name: name, OwnerID: ownerUserID}); err != nil {
		return 0, err
	}
	return e.ID, audit.Write(ctx, tx, actor, now, audit.Record{
		Action: "enterprise.register", Object: "enterprise", ObjectID: e.ID, Summary: "登记企业（未认证）",
	})
}

// Brief returns how the company is named. The caller has established that the asker acts for it.
func (s *Service) Brief(ctx context.Context, db bun.IDB, id int64) (Brief, error) {
	var e enterprise
	if err := db.NewSelect().Model(&e).Where("ent.id = ?", id).Scan(ctx); err != nil {
		return Brief{}, fmt.Errorf("enterprise %d: %w", id, database.Found(err))
	}
	b := Brief{ID: e.ID, Name: e.Name, Verification: string(e.Verification)}
	if e.CreditCode != nil {
		b.CreditCode = *e.CreditCode
	}
	return b, nil
}

// IsMember returns fault.ErrNotFound unless the user acts for the company.
func (s *Service) IsMember(ctx context.Context, db bun.IDB, enterpriseID, userID int64) error {
	ok, err := db.NewSelect().Model((*member)(nil)).Where("enterprise_id = ? AND user_id = ?", enterpriseID, userID).Exists(ctx)
	if err == nil && !ok {
		return fault.ErrNotFound
	}
	return err
}

type enterprise20261104 struct {
	bun.BaseModel `bun:"table:enterprises"`

	ID           int64     `bun:"id,pk,autoincrement"`
	Name         string    `bun:"name,notnull"`
	CreditCode   *string   `bun:"credit_code"`
	Verification string    `bun:"verification,notnull"`
	CreatedAt    time.Time `bun:"created_at,notnull"`
}

type member20261104 struct {
	bun.BaseModel `bun:"table:enterprise_members"`

	EnterpriseID int64  `bun:"enterprise_id,pk"`
	UserID       int64  `bun:"user_id,pk"`
	Role         string `bun:"role,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261104090000_enterprises",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*enterprise20261104)(nil), (*member20261104)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX enterprises_credit_code ON enterprises (credit_code)",
			"CREATE INDEX enterprise_members_user ON enterprise_members (user_id)")
	},
}}
