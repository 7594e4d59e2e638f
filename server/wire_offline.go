package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/modules/offline"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// joinOffline makes the records of services that were given without the platform.
func (h *house) joinOffline(c Config) {
	d := offline.Deps{DB: h.db, Clock: h.clock, Box: h.box, Companies: servedCompanies{h.enterprises, h.identity}, Offers: servedOffers{h.catalog, h.institutions},
		Evidence: offlineEvidence{h}, Links: h.links}
	if c.PublicURL != "" {
		d.Texts = offlineTexts{h.messages, strings.TrimSuffix(c.PublicURL, "/")}
	}
	h.offline = offline.New(d)
}

// servedCompanies tells who was served, and how the owner is reached.
type servedCompanies struct {
	companies *enterprise.Service
	people    *identity.Service
}

var _ offline.Companies = servedCompanies{}

// ByCode finds the company of a credit code.
func (s servedCompanies) ByCode(ctx context.Context, db bun.IDB, code string) (offline.Company, error) {
	ids, err := s.companies.ByCode(ctx, db, code, 2)
	if err != nil {
		return offline.Company{}, err
	}
	if len(ids) != 1 {
		return offline.Company{}, fault.ErrNotFound
	}
	return s.Owner(ctx, db, ids[0])
}

// Owner names the company with the phone of its owner's account.
func (s servedCompanies) Owner(ctx context.Context, db bun.IDB, id int64) (offline.Company, error) {
	b, err := s.companies.Brief(ctx, db, id)
	if err != nil {
		return offline.Company{}, err
	}
	out := offline.Company{ID: id, Name: b.Name}
	owners, err := s.companies.Owners(ctx, db, id)
	if err != nil || owners[id] == 0 {
		return out, err
	}
	_, out.Phone, err = s.people.Contact(ctx, db, owners[id])
	if fault.KindOf(err) == fault.NotFound {
		return out, nil // the account is gone
	}
	return out, err
}

// servedOffers tells what was given, and by whom.
type servedOffers struct {
	products     *catalog.Service
	institutions *institution.Service
}

var _ offline.Offers = servedOffers{}

// Product is a listed product.
func (s servedOffers) Product(ctx context.Context, db bun.IDB, id int64) (offline.Offer, error) {
	p, err := s.products.Offer(ctx, db, id)
	return offline.Offer{ID: p.ID, Name: p.Name, InstitutionID: p.InstitutionID, InstitutionName: p.InstitutionName}, err
}

// InstitutionName names an institution.
func (s servedOffers) InstitutionName(ctx context.Context, db bun.IDB, id int64) (string, error) {
	return s.institutions.InstitutionName(ctx, db, id)
}

// offlineEvidence keeps what shows that services were given; it is made after the records, which are its cases.
type offlineEvidence struct{ h *house }

var _ offline.Evidence = offlineEvidence{}

// Lay keeps the files that come with a record.
func (e offlineEvidence) Lay(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, fileIDs []int64) error {
	return e.h.evidence.Lay(ctx, tx, actor, offline.Object, id, fileIDs)
}

// offlineTexts sends the link with which a company confirms a service.
type offlineTexts struct {
	messages *message.Service
	site     string
}

var _ offline.Texts = offlineTexts{}

// Ask writes the message to the outbox.
func (t offlineTexts) Ask(ctx context.Context, tx bun.Tx, phone, institution, token string) error {
	return t.messages.Text(ctx, tx, message.Text{Phone: phone, Template: message.OfflineTemplate, Params: map[string]string{"name": institution, "site": t.site, "code": token}})
}

// ofOffline tells who recorded a service what the company says of it.
func (n notices) ofOffline(_ context.Context, _ bun.Tx, e event.Event) ([]message.Notice, error) {
	if e.Type != "offline.settled" {
		return nil, nil
	}
	var f offline.Settled
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	return []message.Notice{{Template: e.Type, UserID: f.ByID, Link: fmt.Sprintf("/offline-services?open=%d", f.ID), Params: map[string]string{
		"number": f.Number, "name": f.EnterpriseName, "title": f.ProductName, "text": map[offline.State]string{offline.Confirmed: "确认属实", offline.Denied: "表示没有接受过此服务"}[f.State]}}}, nil
}
