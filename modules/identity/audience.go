package identity

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
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
	return userIDs(ctx, db, "department_id = ? AND "+holding, departmentID, string(permission))
}

// UsersWith lists the active users who hold a permission; for the notifications of other modules.
func (s *Service) UsersWith(ctx context.Context, db bun.IDB, permission access.Permission) ([]int64, error) {
	return userIDs(ctx, db, holding, string(permission))
}

// userIDs lists the active users of a condition of fixed text: each fact asks for them.
func userIDs(ctx context.Context, db bun.IDB, condition string, args ...any) ([]int64, error) {
	ids := []int64{}
	err := database.Each(ctx, db, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT id FROM users WHERE disabled_at IS NULL AND "+condition+" ORDER BY id", args...)
	return ids, err
}
