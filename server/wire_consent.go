package server

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/application"
	"github.com/huiqi/huiqi/modules/consent"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/modules/message"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/seed/reference"
)

// joinConsents makes what companies agree to. The companies ask it who may read them.
func (h *house) joinConsents() {
	groups := make([]consent.Named, 0, 3)
	for _, g := range enterprise.Groups() {
		groups = append(groups, consent.Named(g))
	}
	h.consents = consent.New(consent.Deps{DB: h.db, Clock: h.clock, Companies: h.enterprises, Readers: dataReaders{h.identity, h.institutions}, Groups: groups})
	h.tasks = append(h.tasks, h.consents.Tasks()...)
}

// ensureConsents brings the drafts of what companies are asked, for a person to read and publish, and the bases.
func (h *house) ensureConsents(ctx context.Context) error {
	ref, err := reference.Consents()
	if err != nil {
		return err
	}
	var drafts []consent.Write
	for _, t := range ref.Texts {
		drafts = append(drafts, consent.Write{Purpose: t.Purpose, Title: t.Title, Body: t.Body, Groups: t.Groups, Days: t.Days, Material: true})
	}
	var bases []consent.Declare
	for _, b := range ref.Bases {
		bases = append(bases, consent.Declare{Code: b.Code, Name: b.Name, Law: b.Law, Roles: b.Roles, Purposes: b.Purposes, Groups: b.Groups, Active: true})
	}
	return h.consents.Ensure(ctx, access.SystemActor("系统"), drafts, bases)
}

// dataReaders tells who reads what is known of companies.
type dataReaders struct {
	people       *identity.Service
	institutions *institution.Service
}

var _ consent.Readers = dataReaders{}

// Reader names the unit of a person and their roles; the system and partners have none.
func (r dataReaders) Reader(ctx context.Context, db bun.IDB, actor access.Actor) (consent.Reader, error) {
	out := consent.Reader{Unit: actor.DepartmentName, Roles: []consent.Named{}}
	switch {
	case actor.Party == access.System:
		out.Unit = "平台系统"
	case actor.Party == access.Platform && out.Unit == "":
		out.Unit = "平台运营"
	case actor.InstitutionID != 0:
		card, err := r.institutions.Card(ctx, db, actor.InstitutionID)
		if err != nil {
			return out, fmt.Errorf("institution %d: %w", actor.InstitutionID, err)
		}
		out.Unit = card.Name
	}
	roles, err := r.people.RolesOf(ctx, db, actor.UserID)
	for _, role := range roles {
		out.Roles = append(out.Roles, consent.Named(role))
	}
	return out, err
}

// Roles are all roles of staff.
func (r dataReaders) Roles(ctx context.Context, db bun.IDB) ([]consent.Named, error) {
	list, err := r.people.StaffRoles(ctx, db)
	out := make([]consent.Named, 0, len(list))
	for _, role := range list {
		out = append(out, consent.Named(role))
	}
	return out, err
}

// companyConsents lets companies ask what of them may be read. The consents are made after the companies.
type companyConsents struct{ *house }

var _ enterprise.Consents = companyConsents{}

// Read asks for one company.
func (c companyConsents) Read(ctx context.Context, actor access.Actor, id int64, r enterprise.Reading) ([]string, error) {
	p, err := c.consents.Read(ctx, actor, id, consent.Reading(r))
	return p.Groups, err
}

// BasisName finds a basis among those offered to the reader.
func (c companyConsents) BasisName(ctx context.Context, actor access.Actor, purpose, basis string) (string, error) {
	offers, err := c.consents.Offers(ctx, actor, purpose)
	for _, o := range offers {
		if o.Code == basis {
			return o.Name, nil
		}
	}
	return basis, err
}

// ReadAll asks for several.
func (c companyConsents) ReadAll(ctx context.Context, actor access.Actor, ids []int64, r enterprise.Reading) (map[int64][]string, error) {
	passes, err := c.consents.ReadAll(ctx, actor, ids, consent.Reading(r))
	out := make(map[int64][]string, len(passes))
	for id, p := range passes {
		out[id] = p.Groups
	}
	return out, err
}

// applicantProfiles tells the institutions that handle applications about the companies.
type applicantProfiles struct{ *enterprise.Service }

var _ application.Profiles = applicantProfiles{}

// Profile tells what the company agreed to have told.
func (p applicantProfiles) Profile(ctx context.Context, actor access.Actor, enterpriseID int64, where string) (application.Profile, error) {
	v, err := p.Service.Profile(ctx, actor, enterpriseID, where)
	out := application.Profile{Name: v.Name, CreditCode: v.CreditCode, LegalPerson: v.LegalPerson, Facts: []application.ProfileFact{}}
	for _, f := range v.Facts {
		out.Facts = append(out.Facts, application.ProfileFact{Group: f.Group, Label: f.Label, Text: f.Text, Source: f.Source, AsOf: f.AsOf})
	}
	return out, err
}

// applicantDossier tells a company's people what an institution would read of it.
type applicantDossier struct{ *house }

var _ application.Dossier = applicantDossier{}

// Known lists what is known of the actor's company.
func (d applicantDossier) Known(ctx context.Context, actor access.Actor) ([]application.ProfileFact, error) {
	m, err := d.enterprises.Mine(ctx, actor)
	if err != nil {
		return nil, err
	}
	list := make([]application.ProfileFact, 0, len(m.Facts))
	for _, f := range m.Facts {
		list = append(list, application.ProfileFact{Group: f.Group, Label: f.Label, Text: f.Text, Source: f.Source, AsOf: f.AsOf})
	}
	return list, nil
}

// Sharing says how the company stands to telling institutions.
func (d applicantDossier) Sharing(ctx context.Context, actor access.Actor) (application.Sharing, error) {
	m, err := d.consents.Mine(ctx, actor)
	if err != nil {
		return application.Sharing{}, err
	}
	for _, a := range m.Items {
		if a.Code != consent.ShareInstitution {
			continue
		}
		s := application.Sharing{Holds: a.Holds, Word: a.Word}
		if !s.Holds {
			s.WhyNot = m.WhyNot
		}
		return s, nil
	}
	return application.Sharing{}, nil
}

// ofConsent asks those who sign for a company for the version in force.
func (n notices) ofConsent(_ context.Context, _ bun.Tx, e event.Event) ([]message.Notice, error) {
	if e.Type != "consent.asked_again" {
		return nil, nil
	}
	var f consent.AskedAgain
	if err := decode(e, &f); err != nil {
		return nil, err
	}
	effect := "原授权继续有效"
	if f.Void {
		effect = "原授权已不再适用，重新授权前平台不再按此用途使用本企业数据"
	}
	return each(f.UserIDs, message.Notice{Template: e.Type, Link: "/company/consents", Params: map[string]string{"purpose": f.PurposeName, "effect": effect}}), nil
}
