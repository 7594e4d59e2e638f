package policy

import (
	"context"
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

// fullText holds all policies; a hit in a title counts for more.
var fullText = search.Index{Kind: "policy", Title: "政策", Fields: []search.Field{{Name: "title", Weight: 8}, {Name: "body", Weight: 1}}}

func (p *Policy) doc() search.Doc {
	parts := []string{p.DocNumber, p.Issuer, p.HandlerName, p.Level.Label(), p.Topic.Label(), p.Benefit, p.Text, p.Interpretation}
	for _, f := range p.FAQ {
		parts = append(parts, f.Q, f.A)
	}
	return search.Doc{ID: p.ID, Texts: []string{p.Title, strings.Join(append(parts, p.Materials...), "\n")}}
}

// index writes the full text of the policy.
func index(ctx context.Context, tx bun.Tx, p *Policy) error { return fullText.Put(ctx, tx, p.doc()) }

// SearchSource gives the policies to the rebuild of their full text.
func SearchSource() search.Source {
	return search.Source{Index: fullText, Docs: func(ctx context.Context, db bun.IDB, pick search.Pick) ([]search.Doc, error) {
		var rows []Policy
		err := pick(db.NewSelect().Model(&rows), "p.id").Scan(ctx)
		docs := make([]search.Doc, 0, len(rows))
		for i := range rows {
			docs = append(docs, rows[i].doc())
		}
		return docs, err
	}}
}

// matching narrows a query to what the full text finds and returns the expression that ranks it, best first.
func matching(q *bun.SelectQuery, db bun.IDB, query search.Query) (narrowed *bun.SelectQuery, rank string, args []any) {
	rank, args = fullText.Rank(db, query)
	return fullText.Narrow(q, "p.id", query), rank, args
}

// narrow adds the filter. The window is the day's.
func (f Filter) narrow(q *bun.SelectQuery, today string) *bun.SelectQuery {
	if f.Level != "" {
		q = q.Where("p.level = ?", f.Level)
	}
	if f.Topic != "" {
		q = q.Where("p.topic = ?", f.Topic)
	}
	if f.Kind != "" { // kinds are written as a list of words
		q = q.Where("p.kinds LIKE ?", `%"`+string(f.Kind)+`"%`)
	}
	if f.Issuer != "" {
		q = q.Where("p.issuer = ?", f.Issuer)
	}
	q = f.within(q)
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
	case Closing:
		q = q.Where("p.opens_on <= ? AND p.deadline >= ? AND p.deadline <= ?", today, today, lastClosing(today))
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
