package application

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
)

// AppliedFor counts the applications that were made for an edition of a product, whatever came of them. The caller has
// established that the asker may know.
func (s *Service) AppliedFor(ctx context.Context, db bun.IDB, productID, edition int64) (int, error) {
	n, err := db.NewSelect().Model((*Application)(nil)).Where("a.product_id = ? AND a.edition = ?", productID, edition).Count(ctx)
	return int(n), err
}

// AppliedBy counts the applications a company made since a moment, whatever came of them. The caller has established that the
// asker may know.
func (s *Service) AppliedBy(ctx context.Context, db bun.IDB, enterpriseID int64, since time.Time) (int, error) {
	n, err := db.NewSelect().Model((*Application)(nil)).Where("a.enterprise_id = ? AND a.submitted_at > ?", enterpriseID, since).Count(ctx)
	return int(n), err
}

// Applied counts the companies that applied for each product since the day of a moment in Beijing. The caller has
// established that the asker is the system.
func (s *Service) Applied(ctx context.Context, db bun.IDB, since time.Time) (map[int64]int64, error) {
	var rows []struct{ ProductID, Companies int64 }
	// Numbers begin with the day and are indexed.
	err := db.NewSelect().Model((*Application)(nil)).Column("product_id").ColumnExpr("count(DISTINCT enterprise_id) AS companies").
		Where("number >= ?", "SQ"+since.In(clock.Beijing).Format("20060102")).Group("product_id").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("companies by product: %w", err)
	}
	out := make(map[int64]int64, len(rows))
	for _, r := range rows {
		out[r.ProductID] = r.Companies
	}
	return out, nil
}
