package demand

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"
)

// QuoteOrder is the order in which a company compares its quotes.
type QuoteOrder string

// The orders of quotes. A quote that still stands comes before one that does not.
const (
	ByTime   QuoteOrder = "time"   // the first quote first
	ByPrice  QuoteOrder = "price"  // the lowest price, or the lowest rate, first
	ByDays   QuoteOrder = "days"   // the soonest done first; services
	ByAmount QuoteOrder = "amount" // the greatest amount first; financing
	ByRated  QuoteOrder = "rating" // the product companies are most content with first, those without an evaluation last
)

// quoteOrders are those that make sense for a demand, with their words.
func quoteOrders(lends bool) []struct {
	Order QuoteOrder
	Text  string
} {
	type named = struct {
		Order QuoteOrder
		Text  string
	}
	if lends {
		return []named{{ByTime, "最早报价"}, {ByPrice, "利率最低"}, {ByAmount, "金额最高"}, {ByRated, "评价最好"}}
	}
	return []named{{ByTime, "最早报价"}, {ByPrice, "价格最低"}, {ByDays, "完成最快"}, {ByRated, "评价最好"}}
}

// rank says what companies think of the products of the quotes, and puts the quotes in order; one that does not fit the demand is ByTime.
func (s *Service) rank(ctx context.Context, db bun.IDB, v *View, order QuoteOrder) error {
	if len(v.QuoteList) == 0 {
		return nil
	}
	var ids []int64
	for _, q := range v.QuoteList {
		ids = append(ids, q.ProductID)
	}
	rated, err := s.Offers.Ratings(ctx, db, ids)
	if err != nil {
		return fmt.Errorf("ratings of what was quoted: %w", err)
	}
	for i := range v.QuoteList {
		r := rated[v.QuoteList[i].ProductID]
		v.QuoteList[i].Rating, v.QuoteList[i].RatingCount = r.Mean, r.Count
	}
	by := map[QuoteOrder]func(a, b QuoteView) int{
		ByPrice:  func(a, b QuoteView) int { return cmp.Or(cmp.Compare(a.Rate, b.Rate), cmp.Compare(a.Price, b.Price)) },
		ByDays:   func(a, b QuoteView) int { return cmp.Compare(a.Days, b.Days) },
		ByAmount: func(a, b QuoteView) int { return cmp.Compare(b.Amount, a.Amount) },
		ByRated:  func(a, b QuoteView) int { return cmp.Compare(rated[b.ProductID].Score, rated[a.ProductID].Score) },
	}[order]
	fits := false
	for _, o := range quoteOrders(v.Lends) {
		fits = fits || o.Order == order
	}
	if by == nil || !fits {
		return nil
	}
	v.Order = order
	slices.SortStableFunc(v.QuoteList, func(a, b QuoteView) int {
		if (a.State == Live) != (b.State == Live) {
			if a.State == Live {
				return -1
			}
			return 1
		}
		return by(a, b)
	})
	return nil
}
