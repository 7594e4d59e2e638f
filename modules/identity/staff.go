package identity

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// NamedWith lists the active users who hold a permission, by name; for the pages of other modules.
func (s *Service) NamedWith(ctx context.Context, db bun.IDB, permission access.Permission) ([]Named, error) {
	list := []Named{}
	err := db.NewSelect().Model((*user)(nil)).Column("id", "name").Where("disabled_at IS NULL").Where(holding, permission).OrderExpr("name, id").Scan(ctx, &list)
	return list, err
}

// DistrictStaff lists the active staff of the platform and the government who hold a permission and whose widest scope is the
// whole district, by name.
func (s *Service) DistrictStaff(ctx context.Context, db bun.IDB, permission access.Permission) ([]Named, error) {
	list := []Named{}
	err := db.NewSelect().Model((*user)(nil)).Column("id", "name").Where("disabled_at IS NULL AND party IN (?, ?)", access.Platform, access.Government).Where(holding, permission).
		Where("id IN (SELECT ur.user_id FROM user_roles AS ur JOIN roles AS r ON r.id = ur.role_id WHERE r.scope = ?)", access.ScopeDistrict).OrderExpr("name, id").Scan(ctx, &list)
	return list, err
}

// Staffer is a person and the department they work in, "" for staff of the platform.
type Staffer struct {
	ID   int64
	Name string
	Unit string
}

// PeopleOf lists the active staff of a department and of those below it who hold a permission, of department 0 the platform's.
func (s *Service) PeopleOf(ctx context.Context, db bun.IDB, departmentID int64, permission access.Permission) ([]Staffer, error) {
	list := []Staffer{}
	q := db.NewSelect().Model((*user)(nil)).ColumnExpr("u.id, u.name, coalesce(d.name, '') AS unit").Join("LEFT JOIN departments AS d ON d.id = u.department_id").
		Where("u.disabled_at IS NULL").Where("u."+holding, permission).OrderExpr("u.name, u.id")
	if departmentID == 0 {
		q = q.Where("u.party = ?", access.Platform)
	} else {
		q = q.Where("(d.l1 = ? OR d.l2 = ? OR d.l3 = ? OR d.l4 = ?)", departmentID, departmentID, departmentID, departmentID)
	}
	err := q.Scan(ctx, &list)
	return list, err
}
