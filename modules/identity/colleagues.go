package identity

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// Colleagues lists the people of an institution who hold the permission and may sign in, in the order of their accounts.
func (s *Service) Colleagues(ctx context.Context, db bun.IDB, institutionID int64, p access.Permission) ([]Named, error) {
	list := []Named{}
	err := db.NewSelect().Model((*user)(nil)).Column("u.id", "u.name").Where("u.institution_id = ? AND u.disabled_at IS NULL", institutionID).
		Where("EXISTS (SELECT 1 FROM user_roles AS ur JOIN role_permissions AS rp ON rp.role_id = ur.role_id WHERE ur.user_id = u.id AND rp.permission = ?)", p).
		OrderExpr("u.id").Limit(200).Scan(ctx, &list)
	return list, err
}
