package identity

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// RolesOf names the roles a person holds, in the order in which they were made; none for somebody who is not there.
func (s *Service) RolesOf(ctx context.Context, db bun.IDB, userID int64) ([]RoleName, error) {
	list := []RoleName{}
	err := db.NewSelect().TableExpr("user_roles AS ur").Join("JOIN roles AS r ON r.id = ur.role_id").ColumnExpr("r.code, r.name").
		Where("ur.user_id = ?", userID).OrderExpr("r.id").Scan(ctx, &list)
	return list, err
}

// StaffRoles names all roles of those who work in the back office.
func (s *Service) StaffRoles(ctx context.Context, db bun.IDB) ([]RoleName, error) {
	list := []RoleName{}
	err := db.NewSelect().TableExpr("roles AS r").ColumnExpr("r.code, r.name").
		Where("r.party IN (?, ?, ?)", access.Government, access.Platform, access.Institution).OrderExpr("r.id").Scan(ctx, &list)
	return list, err
}
