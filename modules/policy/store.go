package policy

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/search"
)

// find reads one policy that narrow lets through.
func find(ctx context.Context, db bun.IDB, narrow func(*bun.SelectQuery) *bun.SelectQuery, id int64) (*Policy, error) {
	p := new(Policy)
	if err := narrow(db.NewSelect().Model(p)).Where("p.id = ?", id).Limit(1).Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return p, nil
}

// save writes what a command may change, if the policy is still at the version that was read, and indexes its text.
func save(ctx context.Context, tx bun.Tx, p *Policy, read int64) error {
	p.Version = read + 1
	err := database.Changed(tx.NewUpdate().Model(p).ExcludeColumn("id", "created_at").Where("id = ? AND version = ?", p.ID, read).Exec(ctx))
	if err != nil {
		return err
	}
	return index(ctx, tx, p)
}

// index writes the full text of the policy; a title counts for more.
func index(ctx context.Context, tx bun.Tx, p *Policy) error {
	parts := []string{p.DocNumber, p.Issuer, p.HandlerName, p.Level.Label(), p.Topic.Label(), p.Benefit, p.Text, p.Interpretation}
	for _, f := range p.FAQ {
		parts = append(parts, f.Q, f.A)
	}
	body := strings.Join(append(parts, p.Materials...), "\n")
	var err error
	if database.KindOf(tx) == database.Postgres {
		_, err = tx.NewRaw("INSERT INTO policy_search (policy_id, doc) VALUES (?, setweight(?::tsvector, 'A') || setweight(?::tsvector, 'D')) "+
			"ON CONFLICT (policy_id) DO UPDATE SET doc = EXCLUDED.doc", p.ID, search.Vector(p.Title), search.Vector(body)).Exec(ctx)
	} else {
		if _, err = tx.NewRaw("DELETE FROM policy_search WHERE rowid = ?", p.ID).Exec(ctx); err == nil {
			_, err = tx.NewRaw("INSERT INTO policy_search (rowid, title, body) VALUES (?, ?, ?)", p.ID, search.Tokens(p.Title), search.Tokens(body)).Exec(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("index policy %d: %w", p.ID, err)
	}
	return nil
}

// matching narrows a query to what the full text finds and returns the expression that ranks it, best first.
func matching(q *bun.SelectQuery, db bun.IDB, query search.Query) (narrowed *bun.SelectQuery, rank string, args []any) {
	if database.KindOf(db) == database.Postgres {
		ts := query.TSQuery()
		return q.Join("JOIN policy_search AS s ON s.policy_id = p.id").Where("s.doc @@ ?::tsquery", ts), "ts_rank(s.doc, ?::tsquery) DESC", []any{ts}
	}
	return q.Join("JOIN policy_search AS s ON s.rowid = p.id").Where("policy_search MATCH ?", query.FTS5()), "bm25(policy_search, 8.0, 1.0)", nil
}

// narrow adds the filter. The window is the day's.
func (f Filter) narrow(q *bun.SelectQuery, today string) *bun.SelectQuery {
	if f.Level != "" {
		q = q.Where("p.level = ?", f.Level)
	}
	if f.Topic != "" {
		q = q.Where("p.topic = ?", f.Topic)
	}
	switch f.Status {
	case Live:
		q = inForce(q, today)
	case Lapsed:
		q = q.Where("(p.status = ? OR p.status = ? AND p.expires_on <> '' AND p.expires_on < ?)", Lapsed, Live, today)
	case Draft:
		q = q.Where("p.status = ?", Draft)
	}
	switch f.Window {
	case Always:
		q = q.Where("p.opens_on = '' AND p.closes_on = ''")
	case Upcoming:
		q = q.Where("p.opens_on > ?", today)
	case Closed:
		q = q.Where("p.deadline < ?", today)
	case Open:
		q = q.Where("p.opens_on <= ? AND p.deadline >= ? AND (p.opens_on <> '' OR p.closes_on <> '')", today, today)
	}
	return q
}

// place is where a keyset page begins: behind this policy in the order of the list.
type place struct {
	day string
	id  int64
}

// order sorts and begins behind the place.
func order(q *bun.SelectQuery, sort Sort, after *place, today string) *bun.SelectQuery {
	if sort == ByDeadline {
		// What can still be applied for comes first, the closest deadline before the others.
		const closed = "CASE WHEN p.deadline < ? THEN 1 ELSE 0 END"
		if after != nil {
			past := 0
			if after.day < today {
				past = 1
			}
			q = q.Where("("+closed+", p.deadline, p.id) > (?, ?, ?)", today, past, after.day, after.id)
		}
		return q.OrderExpr(closed+", p.deadline, p.id", today)
	}
	if after != nil {
		q = q.Where("(p.published_on, p.id) < (?, ?)", after.day, after.id)
	}
	return q.OrderExpr("p.published_on DESC, p.id DESC")
}
