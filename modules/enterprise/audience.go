package enterprise

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/live"
)

// Audience reads who sees the companies: visible, reckoned instead of asked. A test holds the two together.
func (s *Service) Audience(ctx context.Context, db bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	var rows []struct{ EnterpriseID, UserID int64 }
	err := db.NewSelect().TableExpr("enterprise_members AS m").Column("enterprise_id", "user_id").Where("m.enterprise_id IN (?)", bun.List(ids)).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	members := make(map[int64][]int64, len(ids))
	for _, r := range rows {
		members[r.EnterpriseID] = append(members[r.EnterpriseID], r.UserID)
	}
	out := make(map[int64]live.Sees, len(ids))
	for _, id := range ids {
		of := members[id]
		out[id] = func(a access.Actor) bool {
			return isDesk(a) || a.Party == access.Enterprise && a.UserID != 0 && slices.Contains(of, a.UserID)
		}
	}
	return out, nil
}
