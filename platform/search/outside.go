package search

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// Degraded is the note of a list that an outside engine should have found and the database did.
const Degraded = "全文检索服务暂不可用，已改用数据库检索"

// Outside is an engine beside the database that holds a copy of the documents of a kind.
type Outside interface {
	// Hits returns up to limit ids of documents of the kind that hold the words, below before when it is not 0, newest first.
	// Scope, when not empty, keeps documents that carry one of these marks. Whatever keeps it from a trustworthy answer is an
	// error: it cannot be reached, is slow, holds another layout, or lies too far behind.
	Hits(ctx context.Context, kind string, words Query, scope []string, before int64, limit int) ([]int64, error)
}

// outsideRounds is how often the outside engine is asked for more when the database refused what it found.
const outsideRounds = 4

// outside answers from the outside engine. The database has the last word on every id: what the reader may not see, what is
// gone and what does not hold the words is dropped.
func (x Index) outside(ctx context.Context, db bun.IDB, l List) (Found, error) {
	var f Found
	s := searching{Index: x, List: l, db: db, postgres: database.KindOf(db) == database.Postgres}
	before := l.Before
	for range outsideRounds {
		ids, err := l.Outside.Hits(ctx, x.Kind, l.Words, l.Scope, before, l.Limit)
		if err != nil {
			return f, fmt.Errorf("search outside: %w", err)
		}
		f.Hits += len(ids)
		seen, err := s.visible(ctx, ids)
		if err != nil {
			return f, err
		}
		held, err := s.holding(ctx, seen, l.Limit-len(f.IDs))
		if err != nil {
			return f, err
		}
		f.IDs = append(f.IDs, held...)
		f.IDs = f.IDs[:min(len(f.IDs), l.Limit)]
		if len(ids) < l.Limit || len(f.IDs) >= l.Limit {
			return f, nil
		}
		before = ids[len(ids)-1]
	}
	return f, fmt.Errorf("search outside: most of what %s holds is not to be seen", x.Kind)
}
