package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/web/page"
	"github.com/huiqi/huiqi/platform/worktime"
	"github.com/huiqi/huiqi/seed/reference"
)

// newEnterprises joins the keeper of companies. What it needs of identity and of the files is there when it is called, not
// yet when it is made: those modules need companies themselves.
func (h *house) newEnterprises(c Config, p parts, w *jobs.Workers) *enterprise.Service {
	d := enterprise.Deps{
		DB: h.db, Clock: p.clock, People: enterprisePeople{h}, Accounts: enterprisePeople{h}, Files: enterpriseFiles{h}, Terms: terms(), Demo: c.Demo, Box: h.box,
		Papers: heldPapers{h}, Reasons: h.reviews, Hints: h.reviews, Desk: reviewDesk{h}, Deputies: h.reviews, Followed: h.reliedOn, Consents: companyConsents{h}, Doors: []page.Link{{Text: "证照库", URL: "/company/licences"}, {Text: "数据授权", URL: "/company/consents"}},
	}
	if p.registry != nil {
		d.Registry = companyRegistry{p.registry}
	}
	return enterprise.New(d, w)
}

// reliedOn lists in words what was asked for in a company's name since it was verified.
func (h *house) reliedOn(ctx context.Context, db bun.IDB, enterpriseID int64, since time.Time) ([]string, error) {
	var out []string
	for _, part := range []struct {
		words string
		count func(ctx context.Context, db bun.IDB, enterpriseID int64, since time.Time) (int, error)
	}{{"%d 件产品申请", h.applications.AppliedBy}, {"%d 件需求", h.demands.SubmittedBy}} {
		n, err := part.count(ctx, db, enterpriseID, since)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			out = append(out, fmt.Sprintf(part.words, n))
		}
	}
	return out, nil
}

// terms are the names of the codes that facts about companies hold.
var terms = sync.OnceValue(func() enterprise.Terms {
	t := enterprise.Terms{Industries: map[string]string{}, Regions: map[string]string{}, Qualifications: map[string]string{}, Permits: map[string]bool{}}
	industries, err := reference.Industries()
	if err != nil {
		panic(fmt.Sprintf("server: reference lists: %v", err)) // embedded, and tested
	}
	for _, i := range industries {
		t.Industries[i.Code] = i.Name
	}
	divisions, err := reference.Divisions()
	if err != nil {
		panic(fmt.Sprintf("server: reference lists: %v", err))
	}
	for _, d := range divisions {
		t.Regions[d.Code] = d.Name
	}
	titles, err := reference.Qualifications()
	if err != nil {
		panic(fmt.Sprintf("server: reference lists: %v", err))
	}
	for _, q := range titles {
		t.Qualifications[q.Code] = q.Name
		if q.Group == reference.Permits {
			t.Permits[q.Code] = true
		}
	}
	return t
})

// companyRegistry lets companies be verified against the registry.
type companyRegistry struct{ client *registry.Client }

var _ enterprise.Registry = companyRegistry{}

// Check asks whether the claim is right, and for the record when it is.
func (r companyRegistry) Check(ctx context.Context, c enterprise.Claim) (enterprise.Answer, error) {
	a, err := r.client.Verify(ctx, registry.Query{Name: c.Name, CreditCode: c.CreditCode, LegalPerson: c.LegalPerson})
	if err != nil {
		return enterprise.Answer{}, registryFault(err)
	}
	out := enterprise.Answer{Found: a.Found, NameMatches: a.NameMatches, PersonMatches: a.LegalPersonMatches, Status: a.Status}
	if !a.Found || !a.NameMatches || !a.LegalPersonMatches {
		return out, nil
	}
	record, err := r.client.Lookup(ctx, c.CreditCode)
	if err != nil {
		return enterprise.Answer{}, registryFault(err)
	}
	out.Company = enterprise.Company{Name: record.Name, LegalPerson: record.LegalPerson, Capital: record.RegisteredCapital,
		Industry: record.IndustryCode, Address: record.Address, Region: regionOf(record.Street), Status: record.Status}
	if day, err := time.Parse(time.DateOnly, record.Established); err == nil {
		out.Company.Established = day
	}
	return out, nil
}

// registryFault says in the module's words why there is no answer. A record that is gone between two questions is no
// answer either.
func registryFault(err error) error {
	if errors.Is(err, registry.ErrRefused) {
		return fmt.Errorf("%w: %w", enterprise.ErrRefused, err)
	}
	return fmt.Errorf("%w: %w", enterprise.ErrUnavailable, err)
}

// regionOf gives the code of a street that a registry names by code or by name; "" for one we do not know.
func regionOf(street string) string {
	if terms().Regions[street] != "" {
		return street
	}
	for code, name := range terms().Regions {
		if street != "" && strings.HasSuffix(street, name) {
			return code
		}
	}
	return ""
}

// regionIn gives the code of the street or town that a person names in an address, the longest name when there are two; "" for none.
func regionIn(address string) string {
	found, length := "", 0
	for code, name := range terms().Regions {
		// "城区" alone is part of too many words.
		if len(code) > 6 && len(name) > length && strings.Contains(address, name) {
			found, length = code, len(name)
		}
	}
	return found
}

// enterprisePeople lets companies reach their people and switch them.
type enterprisePeople struct{ *house }

var (
	_ enterprise.People   = enterprisePeople{}
	_ enterprise.Accounts = enterprisePeople{}
)

// Contact returns how a person is reached.
func (p enterprisePeople) Contact(ctx context.Context, db bun.IDB, userID int64) (enterprise.Contact, error) {
	name, phone, err := p.identity.Contact(ctx, db, userID)
	return enterprise.Contact{Name: name, Phone: phone}, err
}

// ActFor makes a person act for a company.
func (p enterprisePeople) ActFor(ctx context.Context, tx bun.Tx, userID, enterpriseID int64) error {
	return p.identity.ActFor(ctx, tx, userID, enterpriseID)
}

// enterpriseFiles lets companies keep licences.
type enterpriseFiles struct{ *house }

var _ enterprise.Files = enterpriseFiles{}

// Keep stores a licence.
func (f enterpriseFiles) Keep(ctx context.Context, actor access.Actor, name string, content io.Reader) (int64, error) {
	v, err := f.uploads.Save(ctx, actor, "licence", name, content)
	return v.ID, err
}

// Claim ties a licence to an attempt.
func (f enterpriseFiles) Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error {
	return f.uploads.Claim(ctx, tx, actor, fileID, object, objectID)
}

// Of lists the licences of an attempt.
func (f enterpriseFiles) Of(ctx context.Context, db bun.IDB, object string, id int64) ([]enterprise.FileView, error) {
	views, err := f.uploads.Of(ctx, db, object, id)
	list := make([]enterprise.FileView, 0, len(views))
	for _, v := range views {
		list = append(list, enterprise.FileView(v))
	}
	return list, err
}

// reviewDesk tells companies about those who review them.
type reviewDesk struct{ *house }

var _ enterprise.Desk = reviewDesk{}

// reviewBudget is how long a claim may wait for a person. Registering a company takes the registrar no longer.
var reviewBudget = worktime.Budget{Amount: 2, Unit: worktime.WorkingDays}

// ReviewDue reckons in the working days of the calendar in force; before the first is published by the clock.
func (d reviewDesk) ReviewDue(ctx context.Context, db bun.IDB, from time.Time) (time.Time, error) {
	c, err := d.calendars.InForce(ctx, db)
	if fault.KindOf(err) == fault.NotFound {
		return from.Add(time.Duration(reviewBudget.Amount) * 24 * time.Hour), nil
	}
	if err != nil {
		return time.Time{}, err
	}
	due, _ := worktime.Due(from, reviewBudget, c, nil)
	return due, nil
}
