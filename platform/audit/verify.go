package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Report is the outcome of Verify.
type Report struct {
	Sealed   int64    // rows whose seal is right
	Unsealed int64    // rows not sealed yet, at the tail
	Problems []string // Chinese, one a place; empty when the log is whole
}

// OK reports whether nothing was tampered with.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// maxProblems bounds the report: past it only the first places matter.
const maxProblems = 20

// Verify recomputes the chain from its beginning and names each place that does not fit: an edited row, a deleted row, a
// seal that was changed or is missing.
func Verify(ctx context.Context, db *database.DB) (Report, error) {
	var r Report
	add := func(format string, args ...any) {
		if len(r.Problems) < maxProblems {
			r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
		}
	}
	prev, seq := "", int64(0)
	for {
		var rows []seal
		if err := db.Read().NewSelect().Model(&rows).Where("seq > ?", seq).OrderExpr("seq").Limit(1000).Scan(ctx); err != nil {
			return r, fmt.Errorf("read seals: %w", err)
		}
		entries, err := entriesOf(ctx, db, rows)
		if err != nil {
			return r, err
		}
		for _, row := range rows {
			e, there := entries[row.EntryID]
			switch {
			case row.Seq != seq+1:
				add("第 %d 至 %d 号封印缺失", seq+1, row.Seq-1)
			case !there:
				add("第 %d 号封印对应的日志 %d 已被删除", row.Seq, row.EntryID)
			case hash(prev, e) != row.Hash:
				add("日志 %d（第 %d 号封印）与封印不符，内容或顺序被改动", row.EntryID, row.Seq)
			default:
				r.Sealed++
			}
			prev, seq = row.Hash, row.Seq
		}
		if len(rows) < 1000 {
			break
		}
	}
	n, err := unsealed(db.Read()).Count(ctx)
	r.Unsealed = int64(n)
	return r, err
}

// entriesOf reads the rows that a page of seals speaks of.
func entriesOf(ctx context.Context, db *database.DB, seals []seal) (map[int64]Entry, error) {
	ids := make([]int64, 0, len(seals))
	for _, s := range seals {
		ids = append(ids, s.EntryID)
	}
	found := make(map[int64]Entry, len(seals))
	if len(ids) == 0 {
		return found, nil
	}
	var rows []Entry
	if err := db.Read().NewSelect().Model(&rows).Where("a.id IN ?", bun.Tuple(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	for _, e := range rows {
		found[e.ID] = e
	}
	return found, nil
}
