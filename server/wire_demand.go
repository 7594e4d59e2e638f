package server

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/demand"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/web/page"
)

// joinDemands makes the demands of companies, which ask the catalogue what fits and make applications of what is picked.
func (h *house) joinDemands() {
	h.demands = demand.New(demand.Deps{
		DB: h.db, Clock: h.clock, Box: h.box, Kinds: demandKinds(), Offers: demandOffers{h.catalog, h.institutions}, Companies: demandCompanies{h.enterprises},
		Contacts: demandContacts{h.identity}, Applications: demandApplications{h.applications}, Reviews: demandReviews{h}, Files: demandFiles{h.uploads},
	})
	h.sees[demand.ObjectFile] = h.demands.SeesFile
	h.tasks = append(h.tasks, h.demands.Tasks()...)
	h.listeners = append(h.listeners, h.demands.Listener())
	h.applications.ShowBeside(func(ctx context.Context, actor access.Actor, id int64) (page.Panel, error) {
		o, err := h.demands.OriginOf(ctx, actor, id)
		if err != nil || o.DemandID == 0 {
			return page.Panel{}, err
		}
		return page.Panel{Title: "来自需求", Facts: []page.Fact{{Label: "需求编号", Value: o.Number}, {Label: "需求", Value: o.Title}},
			Links: []page.Link{{Text: "查看需求和报价", URL: fmt.Sprintf("/my/demands/%d", o.DemandID)}}}, nil
	})
}

// demandKinds are the kinds of products, any of which may be asked for.
func demandKinds() []demand.Kind {
	var list []demand.Kind
	for _, k := range catalog.Kinds() {
		list = append(list, demand.Kind{Code: k.Code, Name: k.Name, Lends: k.Code == catalog.Financing})
	}
	return list
}

// demandOffers tells the demands what is listed.
type demandOffers struct {
	products     *catalog.Service
	institutions *institution.Service
}

var _ demand.Offers = demandOffers{}

func demandOffer(p catalog.Offer) demand.Offer {
	return demand.Offer{ID: p.ID, Name: p.Name, Kind: p.Kind, InstitutionID: p.InstitutionID, InstitutionName: p.InstitutionName,
		AmountMin: p.AmountMin, AmountMax: p.AmountMax, TermMin: p.TermMin, TermMax: p.TermMax}
}

// Product is a listed product.
func (o demandOffers) Product(ctx context.Context, db bun.IDB, id int64) (demand.Offer, error) {
	p, err := o.products.Offer(ctx, db, id)
	return demandOffer(p), err
}

// Of lists the products of an institution and a kind.
func (o demandOffers) Of(ctx context.Context, db bun.IDB, institutionID int64, kind string) ([]demand.Offer, error) {
	list, err := o.products.OffersOf(ctx, db, institutionID, kind)
	out := make([]demand.Offer, 0, len(list))
	for _, p := range list {
		out = append(out, demandOffer(p))
	}
	return out, err
}

// Fitting lists the products of a kind that may suit a company at the place where it wants the service.
func (o demandOffers) Fitting(ctx context.Context, db bun.IDB, kind string, enterpriseID int64, place string) ([]demand.Fit, error) {
	list, err := o.products.Fitting(ctx, db, kind, enterpriseID, regionIn(place))
	out := make([]demand.Fit, 0, len(list))
	for _, f := range list {
		out = append(out, demand.Fit{Offer: demandOffer(f.Offer), Met: f.Met, Open: f.Open})
	}
	return out, err
}

// Ratings are what companies say of the products.
func (o demandOffers) Ratings(ctx context.Context, db bun.IDB, products []int64) (map[int64]demand.Rating, error) {
	rated, err := o.products.RatingsOf(ctx, db, products)
	out := make(map[int64]demand.Rating, len(rated))
	for id, r := range rated {
		out[id] = demand.Rating(r)
	}
	return out, err
}

// Institution names an institution in service.
func (o demandOffers) Institution(ctx context.Context, db bun.IDB, id int64) (string, error) {
	c, err := o.institutions.Card(ctx, db, id)
	if err == nil && !c.Active {
		err = fault.ErrNotFound
	}
	return c.Name, err
}

// demandCompanies tells the demands who is verified.
type demandCompanies struct{ *enterprise.Service }

var _ demand.Companies = demandCompanies{}

// Brief names a company and says whether it is verified.
func (c demandCompanies) Brief(ctx context.Context, db bun.IDB, id int64) (demand.Company, error) {
	b, err := c.Service.Brief(ctx, db, id)
	return demand.Company{Name: b.Name, Verified: b.Verification == string(enterprise.Verified)}, err
}

// demandContacts tells the demands how a person is reached.
type demandContacts struct{ *identity.Service }

var _ demand.Contacts = demandContacts{}

// demandApplications makes applications of what is picked.
type demandApplications struct{ *application.Service }

var _ demand.Applications = demandApplications{}

// Make makes an application in the transaction of the pick.
func (a demandApplications) Make(ctx context.Context, tx bun.Tx, actor access.Actor, o demand.Order) (demand.Made, error) {
	source := application.FromH5
	if o.Portal {
		source = application.FromPortal
	}
	c, err := a.SubmitIn(ctx, tx, actor, application.Submit{ProductID: o.ProductID, Amount: o.Amount, Term: o.Term, Purpose: o.Purpose, ContactName: o.ContactName, Phone: o.Phone, Source: source})
	return demand.Made{ID: c.ID, Number: c.Number}, err
}

// demandReviews tells the demands what their review goes by.
type demandReviews struct{ *house }

var _ demand.Reviews = demandReviews{}

// ReviewDue is that of every review.
func (d demandReviews) ReviewDue(ctx context.Context, db bun.IDB, from time.Time) (time.Time, error) {
	return reviewDesk(d).ReviewDue(ctx, db, from)
}

// Offered are the reasons that operators keep.
func (d demandReviews) Offered(ctx context.Context, db bun.IDB, list string) ([]reason.Reason, error) {
	return d.reviews.Offered(ctx, db, list)
}

// demandFiles keeps uploads for demands and quotes.
type demandFiles struct{ *file.Service }

var _ demand.Files = demandFiles{}

// Save keeps a file that came with a form.
func (f demandFiles) Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (demand.FileView, error) {
	v, err := f.Service.Save(ctx, actor, "attachment", name, content)
	return demand.FileView(v), err
}

// Known returns files by id.
func (f demandFiles) Known(ctx context.Context, db bun.IDB, ids []int64) (map[int64]demand.FileView, error) {
	known, err := f.Service.Known(ctx, db, ids)
	out := make(map[int64]demand.FileView, len(known))
	for id, v := range known {
		out[id] = demand.FileView(v)
	}
	return out, err
}

// demandFact is what a message needs of a fact about a demand.
type demandFact struct {
	demand.Head
	demand.Offerer

	Reason            string `json:"reason"`
	Changed           bool   `json:"changed"`
	PickUntil         string `json:"pickUntil"`
	ApplicationID     int64  `json:"applicationId"`
	ApplicationNumber string `json:"applicationNumber"`
}

// ofDemand tells the company what becomes of its demand, the reviewers what waits for them, and an institution what concerns it. To
// institutions the company is not named.
func (n notices) ofDemand(ctx context.Context, tx bun.Tx, e event.Event) ([]message.Notice, error) {
	var f demandFact
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	notice := message.Notice{Template: e.Type, UserID: f.UserID, Link: fmt.Sprintf("/my/demands/%d", f.ID), Params: map[string]string{
		"number": f.Number, "title": f.Title, "day": f.Until, "reason": strings.TrimRight(f.Reason, "。"), "institutionName": f.InstitutionName, "applicationNumber": f.ApplicationNumber,
	}}
	switch e.Type {
	case "demand.submitted", "demand.review_overdue":
		notice.Params["enterpriseName"] = f.EnterpriseName
		notice.Link = fmt.Sprintf("/demand-reviews?open=%d", f.ID)
		to, err := n.audience.UsersWith(ctx, tx, demand.PermReview)
		return each(to, notice), err
	case "demand.invited", "demand.unfit", "demand.passed_over", "demand.quote_ended", "demand.picked":
		notice.Link = fmt.Sprintf("/demand-hall?open=%d", f.ID)
		if e.Type == "demand.picked" {
			notice.Link = fmt.Sprintf("/applications/%d", f.ApplicationID)
		}
		to, err := n.audience.InstitutionUsers(ctx, tx, f.InstitutionID)
		return each(to, notice), err
	case "demand.quoted":
		if f.Changed {
			notice.Template = "demand.quote_changed"
		}
	case "demand.quoting_over":
		notice.Params["day"] = f.PickUntil
	case "demand.returned", "demand.approved", "demand.quote_withdrawn", "demand.expired":
	default:
		return nil, nil
	}
	if f.UserID == 0 {
		return nil, nil
	}
	return []message.Notice{notice}, nil
}
