package operations

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// slot is the time that one row of request_counts covers.
const slot = 10 * time.Minute

// Traffic is what was answered in a time. Refused are answers from 400, Failed from 500 on.
type Traffic struct{ Requests, Refused, Failed, Slow int64 }

// Record adds what a process has answered since it last said so.
func (s *Service) Record(ctx context.Context, t Traffic) error {
	if t.Requests == 0 {
		return nil
	}
	row := countRow{Slot: s.Clock.Now().Truncate(slot), Requests: t.Requests, Refused: t.Refused, Failed: t.Failed, Slow: t.Slow}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).On("CONFLICT (slot) DO UPDATE").
			Set("requests = c.requests + EXCLUDED.requests, refused = c.refused + EXCLUDED.refused, failed = c.failed + EXCLUDED.failed, slow = c.slow + EXCLUDED.slow").Exec(ctx)
		return err
	})
}

// trafficBetween adds up the slots that begin in [from, to).
func (s *Service) trafficBetween(ctx context.Context, from, to time.Time) (Traffic, error) {
	var t Traffic
	sum := func(column string) string { return "coalesce(sum(c." + column + "), 0)" }
	err := s.DB.Read().NewSelect().Model((*countRow)(nil)).ColumnExpr(sum("requests")).ColumnExpr(sum("refused")).ColumnExpr(sum("failed")).ColumnExpr(sum("slow")).
		Where("c.slot >= ? AND c.slot < ?", from, to).Scan(ctx, &t.Requests, &t.Refused, &t.Failed, &t.Slow)
	return t, err
}

// How long the records of the module are kept.
const (
	keepCounts    = 40 * 24 * time.Hour
	keepIncidents = 2 * 366 * 24 * time.Hour
)

// tidy removes counts and incidents that have served their purpose. Reports stay.
func (s *Service) tidy(ctx context.Context) error {
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*countRow)(nil)).Where("slot < ?", now.Add(-keepCounts)).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewDelete().Model((*incidentRow)(nil)).Where("closed_at < ?", now.Add(-keepIncidents)).Exec(ctx)
		return err
	})
}
