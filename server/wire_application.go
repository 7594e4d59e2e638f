package server

import (
	"context"
	"io"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/calendar"
	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/file"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/review"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/search"
)

// joinApplications makes the applications, which ask the catalogue what is listed and the companies who is verified.
func (h *house) joinApplications(c Config, p parts, outside search.Outside) {
	h.applications = application.New(application.Deps{
		DB: h.db, Clock: p.clock, Box: h.box, Products: offers{h.catalog}, Companies: applicants{h.enterprises}, Contacts: applicantContacts{h.identity},
		Institutions: handlers{h.identity, h.institutions}, Files: applicationFiles{h.uploads}, Uploads: applicationFiles{h.uploads}, Hotline: siteInfo(c).Contact,
		Profiles: applicantProfiles{h.enterprises}, Papers: applicationPapers{h}, Dossier: applicantDossier{h}, Calendars: h.calendars, Kinds: productKinds(), Reasons: h.reviews, Outside: outside, Arrivals: h.channels, Fields: applicationFields{h.extra},
	})
	h.tasks = append(h.tasks, h.applications.Tasks()...)
	h.sees[application.Object], h.sees[application.ObjectDiligence] = h.applications.Sees, h.applications.SeesDiligence
}

var (
	_ application.Calendars = (*calendar.Service)(nil)
	_ application.Reasons   = (*review.Service)(nil)
)

// productKinds are the kinds of products, whose applications may have limits of their own.
func productKinds() []application.Kind {
	var list []application.Kind
	for _, k := range catalog.Kinds() {
		list = append(list, application.Kind{Code: k.Code, Name: k.Name})
	}
	return list
}

// offers tells the applications what is publicly listed.
type offers struct{ *catalog.Service }

var _ application.Products = offers{}

// Offer is a listed product.
func (o offers) Offer(ctx context.Context, db bun.IDB, id int64) (application.Offer, error) {
	p, err := o.Service.Offer(ctx, db, id)
	if err != nil {
		return application.Offer{}, err
	}
	return taken(p), nil
}

// taken is what an application takes over from a product.
func taken(p catalog.Offer) application.Offer {
	return application.Offer{
		ID: p.ID, Name: p.Name, Edition: p.Edition, Kind: p.Kind, KindName: p.KindName, FinancingKind: p.FinancingKind, Lends: p.Lends,
		InstitutionID: p.InstitutionID, InstitutionName: p.InstitutionName, AmountMin: p.AmountMin, AmountMax: p.AmountMax,
		TermMin: p.TermMin, TermMax: p.TermMax, Materials: p.Materials, Days: p.Days,
	}
}

// applicants tells the applications about companies.
type applicants struct{ *enterprise.Service }

var _ application.Companies = applicants{}

// Brief names a company and says whether it is verified.
func (a applicants) Brief(ctx context.Context, db bun.IDB, id int64) (application.Company, error) {
	b, err := a.Service.Brief(ctx, db, id)
	return application.Company{Name: b.Name, Verified: b.Verification == string(enterprise.Verified)}, err
}

// applicantContacts tells the applications how a person is reached.
type applicantContacts struct{ *identity.Service }

var _ application.Contacts = applicantContacts{}

// Contact returns the name and the phone of an account.
func (a applicantContacts) Contact(ctx context.Context, db bun.IDB, userID int64) (application.Contact, error) {
	name, phone, err := a.Service.Contact(ctx, db, userID)
	return application.Contact{Name: name, Phone: phone}, err
}

// handlers tells the applications about the institutions that handle them.
type handlers struct {
	people       *identity.Service
	institutions *institution.Service
}

var _ application.Institutions = handlers{}

// Telephone is the number the institution shows.
func (i handlers) Telephone(ctx context.Context, db bun.IDB, id int64) (string, error) {
	card, err := i.institutions.Card(ctx, db, id)
	return card.Phone, err
}

// Operators are the people of the institution who may handle applications.
func (i handlers) Operators(ctx context.Context, db bun.IDB, id int64) ([]application.Colleague, error) {
	people, err := i.people.Colleagues(ctx, db, id, application.PermHandle)
	list := make([]application.Colleague, 0, len(people))
	for _, p := range people {
		list = append(list, application.Colleague(p))
	}
	return list, err
}

// applicationFiles lets applications keep files.
type applicationFiles struct{ *file.Service }

var (
	_ application.Files   = applicationFiles{}
	_ application.Uploads = applicationFiles{}
)

// Of lists the files of an object.
func (f applicationFiles) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]application.FileView, error) {
	views, err := f.Service.Of(ctx, db, object, id)
	list := make([]application.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, application.FileView(v))
	}
	return list, err
}

// Save keeps a file that came with a form.
func (f applicationFiles) Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (application.FileView, error) {
	v, err := f.Service.Save(ctx, actor, "attachment", name, content)
	return application.FileView(v), err
}
