package seat

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// Ready lists the people whose seats are free at the moment at, the longest idle first. skill is the code of a type of ticket
// or of a group of types, "" for any: only those who are trained for it, for the group it belongs to, or who have no list of
// skills (they take every matter) are named. It reads through db, so that a transaction may ask.
func (s *Service) Ready(ctx context.Context, db bun.IDB, at time.Time, skill string) ([]int64, error) {
	var ids []int64
	q := db.NewSelect().Model((*seat)(nil)).Column("user_id").Where("s.state = ? AND s.lease_until >= ?", Free, at).OrderExpr("s.since, s.user_id")
	if skill != "" {
		codes, err := s.lineage(ctx, skill)
		if err != nil {
			return nil, err
		}
		q = q.Where("(NOT EXISTS (SELECT 1 FROM seat_skills AS k WHERE k.user_id = s.user_id) OR EXISTS (SELECT 1 FROM seat_skills AS k WHERE k.user_id = s.user_id AND k.code IN (?)))", bun.List(codes))
	}
	if err := q.Scan(ctx, &ids); err != nil {
		return nil, fmt.Errorf("ready seats: %w", err)
	}
	return ids, nil
}

// lineage is the code and those of the groups it belongs to.
func (s *Service) lineage(ctx context.Context, code string) ([]string, error) {
	all, err := s.matters.Matters(ctx)
	if err != nil {
		return nil, err
	}
	group := make(map[string]string, len(all))
	for _, m := range all {
		group[m.Code] = m.Group
	}
	out := []string{code}
	for g := group[code]; g != "" && len(out) < 5; g = group[g] {
		out = append(out, g)
	}
	return out, nil
}
