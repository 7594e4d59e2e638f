package search

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// List asks for the documents of a long list that hold the words, newest first.
type List struct {
	Words Query
	// Walks are the rows the reader may see and has filtered, each a query without columns and order that one index of the
	// module's table answers in the order of ID ("t.id"). A row of any of them counts.
	Walks []*bun.SelectQuery
	ID    string
	// Seen, when set, is asked instead of the walks which of these ids the reader may see and has filtered, in any order: a
	// caller that reads the rows there need not read them again.
	Seen func(ctx context.Context, ids []int64) ([]int64, error)
	// Before is the last id of the page before; 0 begins.
	Before int64
	Limit  int
	// Outside, when set, finds the documents instead of the database; Scope narrows what it looks at.
	Outside Outside
	Scope   []string
}

// Found is a page of a List.
type Found struct {
	IDs []int64 // at most Limit, newest first; one page of them ends the list when there are fewer
	// Note is a sentence for the reader: that an outside engine is away, or that the index is being made.
	Note string
	// Hits and Rows are how many entries of the full text and rows of the walks were looked at, the measure of the work.
	Hits, Rows int
}

// firstWalk is how many rows the first round of a walk looks at. Each round looks at four times as many as the one before.
const (
	firstWalk = 64
	growth    = 4
	maxRound  = 1 << 16
)

// Newest returns a page of the documents that hold the words.
//
// Two plans are tried in turns, each a little further than the other was: through the full text, asking which of the newest
// hits the reader may see, and through what the reader may see, asking which of the newest rows hold the words. Each begins
// where the other ended, so that nothing is looked at twice; whichever suits the words ends the search. A common word in a
// narrow scope and a rare word in a wide one are thus both found after a few rows, and no pair of word and scope costs more
// than about twice its better plan.
func (x Index) Newest(ctx context.Context, db bun.IDB, l List) (Found, error) {
	var f Found
	if l.Words.Empty() || l.Limit <= 0 || len(l.Walks) == 0 {
		return f, nil
	}
	if l.Outside != nil {
		found, err := x.outside(ctx, db, l)
		if err == nil {
			return found, nil
		}
		if ctx.Err() != nil {
			return f, err
		}
		f.Note = Degraded
	}
	if note, err := x.unready(ctx, db); err != nil {
		return f, err
	} else if f.Note == "" {
		f.Note = note
	}
	s := searching{Index: x, List: l, db: db, edge: int64(math.MaxInt64), postgres: database.KindOf(db) == database.Postgres}
	if l.Before > 0 {
		s.edge = l.Before
	}
	err := s.run(ctx, &f)
	return f, err
}

// unready returns a note when the table in use does not hold everything.
func (x Index) unready(ctx context.Context, db bun.IDB) (string, error) {
	var layout string
	if err := database.QueryOne(ctx, db, []any{&layout}, "SELECT layout FROM search_indexes WHERE kind = ?", x.Kind); err != nil {
		return "", fmt.Errorf("find the full text of %s: %w", x.Kind, err)
	}
	if layout != x.layout() {
		return "全文索引正在建立，结果可能不全，请稍后再搜索", nil
	}
	return "", nil
}

// searching is one search under way: everything from edge on upwards has been looked at.
type searching struct {
	Index
	List

	db       bun.IDB
	edge     int64
	postgres bool
}

func (s *searching) run(ctx context.Context, f *Found) error {
	rows, hits := firstWalk, s.Limit
	if s.postgres {
		hits = firstWalk
	}
	for {
		// SQLite gives hits in the order of ids and stops at the first; PostgreSQL must gather them all, so it walks first.
		steps := []func() (bool, error){
			func() (bool, error) { return s.throughHits(ctx, f, hits) },
			func() (bool, error) { return s.throughRows(ctx, f, rows) },
		}
		if s.postgres {
			slices.Reverse(steps)
		}
		for _, step := range steps {
			if done, err := step(); err != nil || done {
				return err
			}
			if len(f.IDs) >= s.Limit {
				f.IDs = f.IDs[:s.Limit]
				return nil
			}
		}
		rows, hits = min(rows*growth, maxRound), min(hits*growth, maxRound)
	}
}

// throughHits looks at the newest n hits below the edge. It reports that there are no more.
func (s *searching) throughHits(ctx context.Context, f *Found, n int) (bool, error) {
	ids, all, err := s.hits(ctx, n)
	if err != nil {
		return false, err
	}
	f.Hits += len(ids)
	if !all && s.postgres {
		return false, nil // these are any hits, not the newest
	}
	kept, err := s.visible(ctx, ids)
	if err != nil {
		return false, err
	}
	f.IDs = append(f.IDs, kept...)
	f.IDs = f.IDs[:min(len(f.IDs), s.Limit)]
	if len(ids) > 0 {
		s.edge = ids[len(ids)-1]
	}
	return all, nil
}

// hits returns up to n hits below the edge, newest first, and whether these are all. On PostgreSQL, when they are not all,
// they may be any.
func (s *searching) hits(ctx context.Context, n int) (ids []int64, all bool, err error) {
	if !s.postgres {
		err = database.Each(ctx, s.db, func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		}, "SELECT rowid FROM "+s.table()+" WHERE "+s.table()+" MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?", s.Words.FTS5(), s.edge, n)
		return ids, len(ids) < n, err
	}
	// Ordered by id, a rare word would have the whole table walked; the gathered hits are few or too many to be worth it.
	err = s.db.NewRaw("WITH h AS MATERIALIZED (SELECT id FROM "+s.table()+" WHERE ts @@ ?::tsquery LIMIT ?) SELECT id FROM h", s.Words.TSQuery(), n+1).Scan(ctx, &ids)
	if err != nil || len(ids) > n {
		return ids, false, err
	}
	ids = slices.DeleteFunc(ids, func(id int64) bool { return id >= s.edge })
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Compare(b, a) })
	return ids, true, nil
}

// visible keeps the ids whose rows a walk holds, in their order.
func (s *searching) visible(ctx context.Context, ids []int64) ([]int64, error) {
	const portion = 1000
	seen := make(map[int64]bool, len(ids))
	for part := range slices.Chunk(ids, portion) {
		if s.Seen != nil {
			some, err := s.Seen(ctx, part)
			if err != nil {
				return nil, fmt.Errorf("look at hits of %s: %w", s.Kind, err)
			}
			for _, id := range some {
				seen[id] = true
			}
			continue
		}
		for _, w := range s.Walks {
			var some []int64
			if err := w.Clone().ColumnExpr(s.ID).Where(s.ID+" IN (?)", bun.List(part)).Scan(ctx, &some); err != nil {
				return nil, fmt.Errorf("look at hits of %s: %w", s.Kind, err)
			}
			for _, id := range some {
				seen[id] = true
			}
		}
	}
	var kept []int64
	for _, id := range ids {
		if seen[id] {
			kept = append(kept, id)
		}
	}
	return kept, nil
}

// throughRows looks at the newest n visible rows below the edge. It reports that there are no more.
func (s *searching) throughRows(ctx context.Context, f *Found, n int) (bool, error) {
	var ids []int64
	for _, w := range s.Walks {
		var some []int64
		if err := w.Clone().ColumnExpr(s.ID).Where(s.ID+" < ?", s.edge).OrderExpr(s.ID+" DESC").Limit(int64(n)).Scan(ctx, &some); err != nil {
			return false, fmt.Errorf("walk %s: %w", s.Kind, err)
		}
		ids = append(ids, some...)
	}
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Compare(b, a) })
	ids = slices.Compact(ids)
	all := len(ids) < n
	ids = ids[:min(len(ids), n)]
	f.Rows += len(ids)
	held, err := s.holding(ctx, ids, s.Limit-len(f.IDs))
	if err != nil {
		return false, err
	}
	f.IDs = append(f.IDs, held...)
	if len(ids) > 0 {
		s.edge = ids[len(ids)-1]
	}
	return all, nil
}

// holding keeps the first limit of the ids whose documents hold the words, in their order.
func (s *searching) holding(ctx context.Context, ids []int64, limit int) ([]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var out []int64
	if s.postgres {
		err := s.db.NewRaw("WITH c AS MATERIALIZED (SELECT id, ts FROM "+s.table()+" WHERE id IN (?)) SELECT id FROM c WHERE ts @@ ?::tsquery ORDER BY id DESC LIMIT ?",
			bun.List(ids), s.Words.TSQuery(), limit).Scan(ctx, &out)
		return out, err
	}
	values := make([]string, len(ids))
	for i, id := range ids {
		values[i] = fmt.Sprintf("(%d)", id)
	}
	// The list keeps its order, and reading ends at the limit.
	rows, err := s.db.QueryContext(ctx, "WITH c(id) AS (VALUES "+strings.Join(values, ", ")+") SELECT id FROM c WHERE EXISTS (SELECT 1 FROM "+
		s.table()+" WHERE "+s.table()+" MATCH ? AND rowid = c.id)", s.Words.FTS5())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for len(out) < limit && rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
