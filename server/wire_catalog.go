package server

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
)

// rateLimit is four times the market rate for loans of one year (3.00 % since May 2025), above which the law does not
// protect the interest between private lenders. For licensed institutions it is a reason to look twice.
var rateLimit = catalog.RateLimit{BasisPoints: 1200, Basis: "一年期贷款市场报价利率（LPR）3.00% 的四倍"}

// joinCatalog makes institutions and their products, which follow an institution's name and state.
func (h *house) joinCatalog(c Config, p parts) {
	h.institutions = institution.New(institution.Deps{DB: h.db, Clock: p.clock, DemoCodes: c.Demo, Hooks: institution.Hooks{
		Changed: func(ctx context.Context, tx bun.Tx, card institution.Card) error {
			return h.catalog.FollowInstitution(ctx, tx, catalog.Provider(card))
		},
	}})
	h.catalog = catalog.New(catalog.Deps{DB: h.db, Clock: p.clock, Log: p.log, Institutions: providers{h.institutions}, RateLimit: rateLimit, ApplyURL: "/products/%d/apply"})
	h.sees["product"] = h.catalog.Sees
	h.sees["institution"] = h.institutions.Sees
}

var _ identity.Institutions = (*institution.Service)(nil)

// providers tells the catalogue about institutions.
type providers struct{ *institution.Service }

var _ catalog.Institutions = providers{}

// Institution returns one institution.
func (p providers) Institution(ctx context.Context, db bun.IDB, id int64) (catalog.Provider, error) {
	c, err := p.Card(ctx, db, id)
	return catalog.Provider(c), err
}
