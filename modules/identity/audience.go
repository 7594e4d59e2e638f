package identity

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// InstitutionUsers lists the active users of an institution; for the notifications of other modules.
func (s *Service) InstitutionUsers(ctx context.Context, db bun.IDB, institutionID int64) ([]int64, error) {
	ids := []int64{}
	err := db.NewSelect().Model((*user)(nil)).Column("id").Where("institution_id = ? AND disabled_at IS NULL", institutionID).OrderExpr("id").Scan(ctx, &ids)
	return ids, err
}

// Named names people, in the order of their accounts.
func (s *Service) Named(ctx context.Context, db bun.IDB, ids []int64) ([]Named, error) {
	list := []Named{}
	if len(ids) == 0 {
		return list, nil
	}
	err := db.NewSelect().Model((*user)(nil)).Column("u.id", "u.name").Where("u.id IN (?)", bun.List(ids)).OrderExpr("u.id").Scan(ctx, &list)
	return list, err
}

// holding keeps the users who have a permission through any of their roles.
const holding = "id IN (SELECT ur.user_id FROM user_roles AS ur JOIN role_permissions AS rp ON rp.role_id = ur.role_id WHERE rp.permission = ?)"

// DepartmentUsers lists the active users of a department itself who hold a permission; for the notifications of other modules.
func (s *Service) DepartmentUsers(ctx context.Context, db bun.IDB, departmentID int64, permission access.Permission) ([]int64, error) {
	ids := []int64{}
	err := db.NewSelect().Model((*user)(nil)).Column("id").Where("department_id = ? AND disabled_at IS NULL", departmentID).
		Where(holding, permission).
		OrderExpr("id").Scan(ctx, &ids)
	return ids, err
}

// UsersWith lists the active users who hold a permission; for the notifications of other modules.
func (s *Service) UsersWith(ctx context.Context, db bun.IDB, permission access.Permission) ([]int64, error) {
	ids := []int64{}
	err := db.NewSelect().Model((*user)(nil)).Column("id").Where("disabled_at IS NULL").
		Where(holding, permission).
		OrderExpr("id").Scan(ctx, &ids)
	return ids, err
}
