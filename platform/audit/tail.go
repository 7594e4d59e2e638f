package audit

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// Tail is what of the log is not sealed yet.
type Tail struct {
	Unsealed int64
	Oldest   *time.Time // when the oldest of it happened; nil when all is sealed
	// SealedAt is when the sealer last sealed anything; nil when it never has. What is loaded with times of long ago makes
	// Oldest old while the sealer works.
	SealedAt *time.Time
}

// tailLooks is how many of the newest entries Unsealed looks at: what a sealer that stands still leaves lies at the end.
const tailLooks = 10_000

// Unsealed looks at the end of the log: the sealer chains what is committed within a second.
func Unsealed(ctx context.Context, db bun.IDB) (Tail, error) {
	var t Tail
	newest := db.NewSelect().Model((*Entry)(nil)).Column("a.id", "a.at").OrderExpr("a.id DESC").Limit(tailLooks)
	open := func() *bun.SelectQuery {
		return db.NewSelect().TableExpr("(?) AS a", newest).Where("NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.entry_id = a.id)")
	}
	n, err := open().Count(ctx)
	if err != nil || n == 0 {
		return t, err
	}
	t.Unsealed = int64(n)
	var oldest []time.Time
	if err := open().ColumnExpr("a.at").OrderExpr("a.id").Limit(1).Scan(ctx, &oldest); err != nil || len(oldest) == 0 {
		return t, err
	}
	at := oldest[0].UTC()
	t.Oldest = &at
	var last []seal
	if err := db.NewSelect().Model(&last).OrderExpr("seq DESC").Limit(1).Scan(ctx); err != nil {
		return t, err
	}
	if len(last) > 0 && last[0].SealedAt != nil {
		sealed := last[0].SealedAt.UTC()
		t.SealedAt = &sealed
	}
	return t, nil
}
