package enterprise

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/criteria"
)

// KnownAfter returns what is known of at most limit companies with an id above after, in the order of their ids; fewer are
// the last. It is for counting over all companies: the caller shows nobody's facts.
func (s *Service) KnownAfter(ctx context.Context, db bun.IDB, after int64, limit int) ([]int64, map[int64]criteria.Facts, error) {
	var ids []int64
	err := db.NewSelect().Model((*Enterprise)(nil)).Column("id").Where("id > ?", after).OrderExpr("id").Limit(int64(limit)).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return nil, nil, err
	}
	facts, err := s.FactsOf(ctx, db, ids...)
	return ids, facts, err
}

// KnownMark changes with every fact that is recorded and every company that is added: what was built of the facts at one
// mark holds as long as the mark is the same.
func (s *Service) KnownMark(ctx context.Context, db bun.IDB) (string, error) {
	var fact, company int64
	if err := db.NewSelect().Model((*Fact)(nil)).ColumnExpr("COALESCE(MAX(id), 0)").Scan(ctx, &fact); err != nil {
		return "", err
	}
	err := db.NewSelect().Model((*Enterprise)(nil)).ColumnExpr("COALESCE(MAX(id), 0)").Scan(ctx, &company)
	return fmt.Sprintf("%d.%d", fact, company), err
}
