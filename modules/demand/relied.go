package demand

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// SubmittedBy counts the demands a company sent to review since a moment, whatever came of them. The caller has established
// that the asker may know.
func (s *Service) SubmittedBy(ctx context.Context, db bun.IDB, enterpriseID int64, since time.Time) (int, error) {
	n, err := db.NewSelect().Model((*Demand)(nil)).Where("d.enterprise_id = ? AND d.submitted_at > ?", enterpriseID, since).Count(ctx)
	return int(n), err
}
