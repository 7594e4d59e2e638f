package catalog

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
)

// Companies tells what is known of a company.
type Companies interface {
	// Facts are what is known of the company by now.
	Facts(ctx context.Context, db bun.IDB, id int64) (criteria.Facts, error)
}

// ErrNoCompany: a person who acts for no company is recommended nothing.
var ErrNoCompany = fault.New(fault.Conflict, "NO_ENTERPRISE", "当前账号没有关联企业，请先登记企业，再查看适合本企业的产品")

// shownEach is how many products of a group are shown, candidates how many are looked at: some may not be public any more.
const (
	shownEach  = 12
	candidates = 60
)

// Recommended is a product with what speaks for it, and what the company lacks.
type Recommended struct {
	Card
	Reasons []string `json:"reasons" doc:"What of the company the product suits."`
	Lacks   []string `json:"lacks" doc:"What the company does not meet, or what is not known of it."`
}

// Recommendation is what suits a company, what would if one thing changed, and what may when more is known.
type Recommendation struct {
	Fits  []Recommended `json:"fits"`
	Near  []Recommended `json:"near"`
	Open  []Recommended `json:"open"`
	Count int           `json:"count" doc:"How many suit it in all."`
	// Ask says what to fill in to learn more, the most useful first.
	Ask []string `json:"ask"`
}

// pool holds whom the products suit, as far as it was read.
type pool struct {
	mu    sync.Mutex
	stamp int64
	all   *criteria.Pool
	of    map[int64]criteria.Condition
}

// suitsPool brings the pool up to date: what was said since it was read is read.
func (s *Service) suitsPool(ctx context.Context, db bun.IDB) (*criteria.Pool, func(int64) criteria.Condition, error) {
	p := &s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all, p.of = criteria.NewPool(), map[int64]criteria.Condition{}
	}
	last, err := lastStamp(ctx, db)
	if err != nil {
		return nil, nil, fmt.Errorf("whom products suit: %w", err)
	}
	if last > p.stamp {
		var rows []suitsRow
		if err := db.NewSelect().Model(&rows).Where("ps.stamp > ? AND ps.stamp <= ?", p.stamp, last).Scan(ctx); err != nil {
			return nil, nil, fmt.Errorf("whom products suit: %w", err)
		}
		for _, r := range rows {
			x, err := readSuits(r.Suits)
			if err != nil {
				return nil, nil, err
			}
			c, err := x.condition(s.Schema, s.Options)
			if err != nil || x.empty() { // a code that is gone asks for a thing that nobody has
				p.all.Remove(r.ProductID)
				delete(p.of, r.ProductID)
				continue
			}
			p.all.Put(r.ProductID, c)
			p.of[r.ProductID] = c
		}
		p.stamp = last
	}
	return p.all, func(id int64) criteria.Condition {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.of[id]
	}, nil
}

// Suitable tells which public products suit the company the actor acts for, and why. Visitors get ErrUnauthorized, others
// ErrForbidden, a person without a company ErrNoCompany.
func (s *Service) Suitable(ctx context.Context, actor access.Actor) (Recommendation, error) {
	switch {
	case !actor.SignedIn():
		return Recommendation{}, fault.ErrUnauthorized
	case actor.Party != access.Enterprise || s.Companies == nil:
		return Recommendation{}, fault.ErrForbidden
	case actor.EnterpriseID == 0:
		return Recommendation{}, ErrNoCompany
	}
	db := s.DB.Read()
	facts, err := s.Companies.Facts(ctx, db, actor.EnterpriseID)
	if err != nil {
		return Recommendation{}, fmt.Errorf("facts of enterprise %d: %w", actor.EnterpriseID, err)
	}
	all, of, err := s.suitsPool(ctx, db)
	if err != nil {
		return Recommendation{}, err
	}
	now := s.Clock.Now()
	j := all.Judge(facts, now)
	out := Recommendation{Ask: []string{}}
	out.Count, _, _, _ = j.Count()
	asked := map[string]bool{}
	for _, g := range []struct {
		into *[]Recommended
		ids  []int64
	}{{&out.Fits, j.Fits(candidates)}, {&out.Near, j.Near(candidates)}, {&out.Open, j.Open(candidates)}} {
		cards, err := s.publicCards(ctx, db, g.ids, now)
		if err != nil {
			return Recommendation{}, err
		}
		*g.into = make([]Recommended, 0, len(cards))
		for _, card := range cards[:min(len(cards), shownEach)] {
			r, missing := told(card, of(card.ID), facts, now)
			*g.into = append(*g.into, r)
			for _, m := range missing {
				if words := m.Label + "：" + m.Why + "，" + m.Ask; !asked[m.Label] {
					asked[m.Label] = true
					out.Ask = append(out.Ask, words)
				}
			}
		}
	}
	return out, nil
}

// publicCards reads those of the products that are public, in the order of the ids.
func (s *Service) publicCards(ctx context.Context, db bun.IDB, ids []int64, now time.Time) ([]Card, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var open []int64
	q := public(now).narrow(db.NewSelect().TableExpr("products AS p").Column("p.id")).Where("p.id IN (?)", bun.List(ids))
	if err := q.Scan(ctx, &open); err != nil {
		return nil, fmt.Errorf("public products: %w", err)
	}
	is := map[int64]bool{}
	for _, id := range open {
		is[id] = true
	}
	kept := make([]int64, 0, len(open))
	for _, id := range ids {
		if is[id] {
			kept = append(kept, id)
		}
	}
	return s.cards(ctx, db, kept)
}

// told puts the judgement of one product in words.
func told(card Card, c criteria.Condition, facts criteria.Facts, now time.Time) (Recommended, []criteria.Missing) {
	r := Recommended{Card: card, Reasons: []string{}, Lacks: []string{}}
	o := c.Evaluate(facts, now)
	for _, x := range o.Clauses {
		switch x.Verdict {
		case criteria.True:
			r.Reasons = append(r.Reasons, reasonOf(x))
		case criteria.False:
			lack := "需" + x.Label + x.Required
			if x.Actual != "" {
				lack += "，现为 " + x.Actual
			}
			if x.Gap != "" {
				lack += "（" + x.Gap + "）"
			}
			r.Lacks = append(r.Lacks, lack)
		}
	}
	for _, m := range o.Missing {
		r.Lacks = append(r.Lacks, m.Label+"未知："+m.Why)
	}
	return r, o.Missing
}

// reasonOf says what of the company speaks for a product: 软件和信息技术服务业, 成立满 3 年, 从业人员 35 人.
func reasonOf(c criteria.Clause) string {
	switch c.Field {
	case "industry", "region", "sizeClass", "qualification":
		return c.Actual
	case "established":
		return "成立" + strings.TrimPrefix(c.Required, "至今")
	case "creditStanding":
		return "没有失信记录"
	}
	return c.Label + " " + c.Actual
}
