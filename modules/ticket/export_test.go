package ticket

import (
	"context"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/search"
)

// Looked searches words as Page does and tells how many entries and rows were looked at.
func (s *Service) Looked(ctx context.Context, a access.Actor, f ListFilter) (search.Found, error) {
	words, _ := search.Read(f.Query)
	return fullText.Newest(ctx, s.db.Read(), search.List{Words: words, Walks: walks(s.db.Read(), visible(a), f), ID: "t.id", Limit: 21})
}

// WalkPlans are the queries of the walks as they are sent.
func (s *Service) WalkPlans(a access.Actor, f ListFilter) []string {
	var out []string
	for _, w := range walks(s.db.Read(), visible(a), f) {
		out = append(out, w.ColumnExpr("t.id").Where("t.id < 15000").OrderExpr("t.id DESC").Limit(64).String())
	}
	return out
}

// Sampled reports whether a ticket is in the sample of call-backs.
func Sampled(number string, round, share int) bool { return sampled(number, round, share) }
