package event

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// Place gives positions to the events committed since it was last called, on PostgreSQL; on SQLite they have theirs. One
// process at a time does it, and whoever reads by position calls it first.
func Place(ctx context.Context, db *database.DB) error {
	if db.Kind() != database.Postgres {
		return nil
	}
	waiting, err := db.Read().NewSelect().Model((*Event)(nil)).Where("pos IS NULL").Exists(ctx)
	if err != nil || !waiting {
		return err
	}
	return db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?)", database.LockPlace); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE events e SET pos = m.base + s.rn
			FROM (SELECT id, row_number() OVER (ORDER BY id) AS rn FROM events WHERE pos IS NULL) s,
			     (SELECT coalesce(max(pos), 0) AS base FROM events) m
			WHERE e.id = s.id`)
		return err
	})
}

// Mark is an event without its facts: where it stands, and which object changed for which time.
type Mark struct {
	Pos      int64
	Object   string
	ObjectID int64
	Seq      int64
}

// After lists up to limit placed events behind pos, in order. What has a position is never followed by something with a
// lower one, so a reader misses nothing when it goes on from the last position it got.
func After(ctx context.Context, db bun.IDB, pos, limit int64) ([]Mark, error) {
	var rows []Mark
	err := db.NewSelect().Model((*Event)(nil)).Column("pos", "object", "object_id", "seq").
		Where("pos > ?", pos).OrderExpr("pos").Limit(limit).Scan(ctx, &rows)
	return rows, err
}

// Last returns the highest position, 0 when there is no event.
func Last(ctx context.Context, db bun.IDB) (int64, error) {
	var last int64
	err := db.NewSelect().Model((*Event)(nil)).ColumnExpr("coalesce(max(pos), 0)").Scan(ctx, &last)
	return last, err
}
