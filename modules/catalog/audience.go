package catalog

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/live"
)

// Audience reads who sees the products: visible, reckoned instead of asked. A test holds the two together.
func (s *Service) Audience(ctx context.Context, db bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	var rows []struct{ ID, InstitutionID int64 }
	err := db.NewSelect().Model((*Product)(nil)).Column("id", "institution_id").Where("p.id IN (?)", bun.List(ids)).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	var open []int64
	q := db.NewSelect().Model((*Product)(nil)).Column("id").Where("p.id IN (?)", bun.List(ids))
	if err := public(s.Clock.Now()).narrow(q).Scan(ctx, &open); err != nil {
		return nil, err
	}
	isOpen := make(map[int64]bool, len(open))
	for _, id := range open {
		isOpen[id] = true
	}
	out := make(map[int64]live.Sees, len(rows))
	for _, row := range rows {
		institution, shown := row.InstitutionID, isOpen[row.ID]
		out[row.ID] = func(a access.Actor) bool {
			switch {
			case isDesk(a):
				return true
			case a.Party == access.Institution && a.InstitutionID != 0 && a.Can(PermView):
				return institution == a.InstitutionID
			}
			return shown
		}
	}
	return out, nil
}
