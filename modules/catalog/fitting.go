package catalog

import (
	"context"
	"fmt"
	"maps"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/criteria"
)

// Fitted is a listed product of a kind, with the points of the public register in which a company meets what it asks, and those that
// are not known of the company.
type Fitted struct {
	Offer
	Met, Open []string
}

// registered are the facts that stand in the public register. That a company meets a figure of its business, or is on no list, is not
// told by the reasons of a match.
var registered = map[string]bool{"industry": true, "region": true, "established": true}

// maxFitted bounds how many products are looked at.
const maxFitted = 300

// OffersOf lists the listed products of an institution and a kind, in the order in which the lists show them. The caller has
// established that the asker works for the institution.
func (s *Service) OffersOf(ctx context.Context, db bun.IDB, institutionID int64, kind string) ([]Offer, error) {
	var ids []int64
	err := public(s.Clock.Now()).narrow(db.NewSelect().TableExpr("products AS p").Column("p.id")).
		Where("p.institution_id = ? AND p.kind = ?", institutionID, kind).OrderExpr("p.listed_micro DESC, p.id DESC").Limit(100).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("products of institution %d: %w", institutionID, err)
	}
	out := make([]Offer, 0, len(ids))
	for _, id := range ids {
		o, err := s.Offer(ctx, db, id)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// Fitting lists the listed products of a kind that ask nothing a company is known not to meet: those it meets first, then those of
// which something is not known, then those that ask nothing. It is asked by the program on behalf of the company. region is the code of the
// place where the service is wanted, which counts instead of the company's own when it is given.
func (s *Service) Fitting(ctx context.Context, db bun.IDB, kind string, enterpriseID int64, region string) ([]Fitted, error) {
	now := s.Clock.Now()
	var ids []int64
	err := public(now).narrow(db.NewSelect().TableExpr("products AS p").Column("p.id")).
		Where("p.kind = ?", kind).OrderExpr("p.recommended DESC, p.heat DESC, p.listed_micro DESC, p.id DESC").Limit(maxFitted).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("products of kind %s: %w", kind, err)
	}
	var facts criteria.Facts
	of := func(int64) criteria.Condition { return criteria.Condition{} }
	if s.Companies != nil {
		if facts, err = s.Companies.Facts(ctx, db, enterpriseID); err != nil {
			return nil, fmt.Errorf("facts of enterprise %d: %w", enterpriseID, err)
		}
		if region != "" {
			facts = maps.Clone(facts)
			if facts == nil {
				facts = criteria.Facts{}
			}
			facts["region"] = criteria.Fact{Value: criteria.Code(region), Source: "需求中的服务地点", AsOf: now}
		}
		if _, of, err = s.suitsPool(ctx, db); err != nil {
			return nil, err
		}
	}
	var met, open, plain []Fitted
	for _, id := range ids {
		f := Fitted{Offer: Offer{ID: id}}
		refused := false
		for _, c := range of(id).Evaluate(facts, now).Clauses {
			if c.Verdict == criteria.False {
				refused = true
			}
			if !registered[c.Field] {
				continue
			}
			switch c.Verdict {
			case criteria.True:
				f.Met = append(f.Met, c.Label)
			case criteria.False:
			default:
				f.Open = append(f.Open, c.Label)
			}
		}
		switch {
		case refused:
		case len(f.Open) > 0:
			open = append(open, f)
		case len(f.Met) > 0:
			met = append(met, f)
		default:
			plain = append(plain, f)
		}
	}
	out := append(append(met, open...), plain...)
	for i := range out {
		if out[i].Offer, err = s.Offer(ctx, db, out[i].ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// RatingsOf are the ratings of products, of those that have been evaluated.
func (s *Service) RatingsOf(ctx context.Context, db bun.IDB, ids []int64) (map[int64]Rating, error) {
	out := map[int64]Rating{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []Product
	if err := db.NewSelect().Model(&rows).Column("id", "rating_score", "rating_mean", "rating_count").Where("p.id IN ?", bun.Tuple(ids)).Where("p.rating_count > 0").Scan(ctx); err != nil {
		return nil, fmt.Errorf("ratings of products: %w", err)
	}
	for _, p := range rows {
		out[p.ID] = Rating{p.RatingScore, p.RatingMean, p.RatingCount}
	}
	return out, nil
}
