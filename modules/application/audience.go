package application

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/live"
)

// Audience reads who sees the applications: visible, reckoned instead of asked. A test holds the two together.
func (s *Service) Audience(ctx context.Context, db bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	var rows []*Application
	err := db.NewSelect().Model(&rows).Column("id", "institution_id", "enterprise_id").Where("a.id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]live.Sees, len(rows))
	for _, row := range rows {
		institution, company := row.InstitutionID, row.EnterpriseID
		out[row.ID] = func(a access.Actor) bool {
			switch {
			case sees(a):
				return true
			case a.Party == access.Institution && a.InstitutionID != 0 && a.Can(PermView):
				return institution == a.InstitutionID
			case a.Party == access.Enterprise && a.UserID != 0 && a.EnterpriseID != 0:
				return company == a.EnterpriseID
			}
			return false
		}
	}
	return out, nil
}
