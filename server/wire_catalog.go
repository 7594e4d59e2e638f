package server

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/portal"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/web"
	"github.com/huiqi/huiqi/platform/web/page"
)

// rateLimit is four times the market rate for loans of one year (3.00 % since May 2025), above which the law does not
// protect the interest between private lenders. For licensed institutions it is a reason to look twice.
var rateLimit = catalog.RateLimit{BasisPoints: 1200, Basis: "一年期贷款市场报价利率（LPR）3.00% 的四倍"}

// joinCatalog makes institutions and their products, which follow an institution's name and state.
func (h *house) joinCatalog(c Config, p parts) {
	h.institutions = h.newInstitutions(c, p)
	h.tasks = append(h.tasks, h.institutions.Tasks()...)
	h.openExtra()
	h.catalog = catalog.New(catalog.Deps{DB: h.db, Fields: productFields{h.extra}, Files: productFiles{h}, Ratings: productRatings{h}, Clock: p.clock, Institutions: providers{h.institutions}, RateLimit: rateLimit, Reviews: productReviews{h}, Deputies: h.reviews, Uses: productUses{h}, Log: p.log,
		// The applications are made after the catalogue.
		Applied: func(ctx context.Context, db bun.IDB, productID, edition int64) (int, error) {
			return h.applications.AppliedFor(ctx, db, productID, edition)
		},
		Blind: func(text string) string { return h.box.Blinds("product.view", text)[0] }, ApplyURL: "/products/%d/apply",
		Companies: knownCompanies{h}, Schema: enterprise.Schema(terms()), Options: suitOptions()})
	h.sees["product"] = h.catalog.Sees
	h.sees[catalog.ObjectFile] = h.catalog.SeesFile
	h.sees["institution"], h.sees[institution.ObjectDocument] = h.institutions.Sees, h.institutions.SeesDocument
	h.sees[institution.ObjectRenewal] = h.institutions.SeesRenewal
}

// productRatings tells the catalogue what companies say of its products. The evaluations are made after the catalogue.
type productRatings struct{ *house }

var _ catalog.Ratings = productRatings{}

// Products are the ratings of all products.
func (r productRatings) Products(ctx context.Context, db bun.IDB) (map[int64]catalog.Rating, error) {
	list, err := r.evaluations.Products(ctx, db)
	out := make(map[int64]catalog.Rating, len(list))
	for id, x := range list {
		out[id] = catalog.Rating{Score: int64(x.Score), Mean: int64(x.Mean), Count: int64(x.Count)}
	}
	return out, err
}

// productFiles lets products keep files. The house's keeper of files is made after the catalogue.
type productFiles struct{ *house }

var _ catalog.Files = productFiles{}

// Claim ties an upload to a product.
func (f productFiles) Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error {
	return f.uploads.Claim(ctx, tx, actor, fileID, object, objectID)
}

// Known names the files that the actor may read.
func (f productFiles) Known(ctx context.Context, actor access.Actor, ids []int64) (map[int64]catalog.FileRef, error) {
	out := make(map[int64]catalog.FileRef, len(ids))
	for _, id := range ids {
		v, err := f.uploads.Get(ctx, actor, id)
		if fault.KindOf(err) == fault.NotFound {
			continue
		} else if err != nil {
			return nil, err
		}
		out[id] = catalog.FileRef{ID: id, Name: v.Name, Size: v.Size, Mime: v.Mime}
	}
	return out, nil
}

// Open opens a file of a public product; the catalogue has established that it is one.
func (f productFiles) Open(ctx context.Context, id int64) (web.Download, error) {
	return f.uploads.Read(ctx, access.SystemActor("catalog"), id)
}

// Small makes a small picture of one of a public product; the catalogue has established that it is one.
func (f productFiles) Small(ctx context.Context, id int64, width, height int) ([]byte, error) {
	d, err := f.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	defer d.Content.Close()
	return f.uploads.Store.Thumbnail(ctx, d.Content, d.Mime, width, height)
}

// knownCompanies tells the catalogue what is known of companies. The house's companies are made after the catalogue.
type knownCompanies struct{ *house }

var _ catalog.Companies = knownCompanies{}

// Facts are what is known of a company; its own word is marked as unchecked.
func (k knownCompanies) Facts(ctx context.Context, db bun.IDB, id int64) (criteria.Facts, error) {
	return matched{k.enterprises}.Facts(ctx, db, id)
}

// suitOptions are what an institution chooses from when it says whom a product suits.
func suitOptions() catalog.SuitOptions {
	o := catalog.SuitOptions{Lists: []string{"严重失信"}, Sizes: []catalog.Option{{Code: "micro", Name: "微型"}, {Code: "small", Name: "小型"}, {Code: "medium", Name: "中型"}, {Code: "large", Name: "大型"}}}
	named := func(names map[string]string, fits func(code string) bool) []catalog.Option {
		var list []catalog.Option
		for _, code := range slices.Sorted(maps.Keys(names)) {
			if fits(code) {
				list = append(list, catalog.Option{Code: code, Name: names[code]})
			}
		}
		return list
	}
	t := terms()
	o.Sections = named(t.Industries, func(code string) bool { return len(code) <= 2 })
	o.Regions = named(t.Regions, func(code string) bool { return len(code) > 4 })
	o.Titles = named(t.Qualifications, func(string) bool { return true })
	for _, g := range enterprise.GradeTitles() { // offered among the titles, and asked of the grade
		o.Titles = append(o.Titles, catalog.Option(g))
	}
	return o
}

var _ identity.Institutions = (*institution.Service)(nil)

// productReviews tells the catalogue what its reviews go by.
type productReviews struct{ *house }

var _ catalog.Reviews = productReviews{}

// ReviewDue is that of every review.
func (d productReviews) ReviewDue(ctx context.Context, db bun.IDB, from time.Time) (time.Time, error) {
	return reviewDesk(d).ReviewDue(ctx, db, from)
}

// Offered are the reasons that operators keep.
func (d productReviews) Offered(ctx context.Context, db bun.IDB, list string) ([]reason.Reason, error) {
	return d.reviews.Offered(ctx, db, list)
}

// productUses tells the catalogue what came of its products.
type productUses struct{ *house }

// Applied is known to the applications, which are made after the catalogue.
func (u productUses) Applied(ctx context.Context, db bun.IDB, since time.Time) (map[int64]int64, error) {
	return u.applications.Applied(ctx, db, since)
}

// providers tells the catalogue about institutions.
type providers struct{ *institution.Service }

var _ catalog.Institutions = providers{}

// Institution returns one institution.
func (p providers) Institution(ctx context.Context, db bun.IDB, id int64) (catalog.Provider, error) {
	c, err := p.Card(ctx, db, id)
	return catalog.Provider(c), err
}

// addCatalog gives the portal its doors to the kinds of products, its products and institutions, and their search.
func (h *house) addCatalog(parts *portal.Parts) {
	parts.Kinds, parts.ProductCards = catalog.Doors(), h.catalog.Cards
	parts.Institutions = func(ctx context.Context, n int) ([]page.Partner, error) {
		cards, err := h.institutions.Partners(ctx, n)
		list := make([]page.Partner, 0, len(cards))
		for _, c := range cards {
			list = append(list, page.Partner{Name: c.Name, Kind: c.KindName, URL: fmt.Sprintf("/products?institution=%d", c.ID)})
		}
		return list, err
	}
	parts.Figures = append(parts.Figures,
		portal.Figure{Label: "服务产品", Unit: "个", Count: h.catalog.Public})
	parts.Sources = append(parts.Sources, portal.Source{
		Key: "products", Name: "产品",
		Search: func(ctx context.Context, actor access.Actor, q string, limit int) ([]portal.Hit, error) {
			found, err := h.catalog.Search(ctx, actor, q, limit)
			hits := make([]portal.Hit, 0, len(found))
			for _, f := range found {
				hits = append(hits, portal.Hit(f))
			}
			return hits, err
		},
		Count: h.catalog.Count,
	})
}
