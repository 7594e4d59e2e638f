package server

import (
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/modules/catalog"
	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/modules/institution"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/seed/demo"
)

// seedInstitutions registers the institutions and the accounts of their operators, before the first product's time. The
// operators of the bank of the guided tour can sign in at once.
func (h *house) seedInstitutions(ctx context.Context, s *seeded) error {
	s.at.Set(s.now.AddDate(-1, 0, 0))
	system := access.SystemActor("seed")
	for _, in := range s.world.Institutions {
		d := institution.Details{Name: in.Name, Kind: in.Kind, CreditCode: in.CreditCode, LegalPerson: in.LegalPerson, Phone: in.Phone,
			Address: in.Address, Summary: in.Summary}
		for _, q := range in.Qualifications {
			d.Qualifications = append(d.Qualifications, institution.Licence(q))
		}
		v, err := h.institutions.Open(ctx, system, institution.OpenInstitution{Details: d})
		if err != nil {
			return fmt.Errorf("%s: %w", in.Key, err)
		}
		s.ids["institution:"+in.Key] = v.ID
		for _, o := range in.Operators {
			role, password := "institution_operator", ""
			if o.Administrator {
				role = "institution_admin"
			}
			if in.Key == s.world.Walk.Bank || in.Key == s.world.Walk.Firm {
				password = demoPassword
			}
			id, err := h.identity.CreateStaff(ctx, system, identity.Staff{Name: o.Name, Account: o.Key, Password: password, Phone: o.Phone,
				Party: access.Institution, InstitutionID: v.ID, Roles: []string{role}})
			if err != nil {
				return fmt.Errorf("%s: %w", o.Key, err)
			}
			s.ids["operator:"+o.Key] = id
		}
	}
	return nil
}

// seedProducts has the products drafted, submitted and reviewed as their states tell, the last step at the time of the
// story. A few go on: new editions of listed products wait for review, and the oldest product of a service has expired.
func (h *house) seedProducts(ctx context.Context, s *seeded) error {
	if err := h.seedFields(ctx, s); err != nil {
		return err
	}
	over := 0 // the product that has expired
	for i, p := range s.world.Products {
		if p.State == "listed" && p.FinancingKind == "" && p.PublishedAt.Before(s.world.Products[over].PublishedAt) {
			over = i
		}
	}
	for i, p := range s.world.Products {
		if err := h.seedProduct(ctx, s, i, p, i == over); err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
	}
	return nil
}

// productStory is one product on its way through the catalogue; after the first error it goes no further.
type productStory struct {
	s   *seeded
	v   catalog.View
	err error
}

func (t *productStory) step(at time.Time, do func(ref catalog.Ref) (catalog.View, error)) {
	if t.err != nil {
		return
	}
	t.s.at.Set(at)
	if v, err := do(catalog.Ref{ID: t.v.ID, Version: t.v.Version}); err != nil {
		t.err = err
	} else {
		t.v = v
	}
}

func (h *house) seedProduct(ctx context.Context, s *seeded, i int, p demo.Product, expires bool) error {
	var operator access.Actor
	for _, in := range s.world.Institutions {
		if in.Key == p.Institution {
			var err error
			if operator, err = s.as(ctx, h, "operator", in.Operators[i%len(in.Operators)].Key); err != nil {
				return err
			}
		}
	}
	first, err := s.as(ctx, h, "staff", []string{"operator01", "operator02"}[i%2])
	if err != nil {
		return err
	}
	second, err := s.as(ctx, h, "staff", map[bool]string{true: "reviewer02", false: "reviewer01"}[p.FinancingKind != ""])
	if err != nil {
		return err
	}
	c := catalog.Content{
		Name: p.Name, Kind: p.Kind, FinancingKind: p.FinancingKind, Summary: p.Summary, Description: p.Description, RateMin: p.RateMin, RateMax: p.RateMax,
		AmountMin: p.AmountMin, AmountMax: p.AmountMax, TermMin: p.TermMin, TermMax: p.TermMax, PriceText: p.PriceText, Target: p.Target,
		Guarantees: p.Guarantees, Cost: p.Cost, Subsidy: p.Subsidy, Venues: p.Venues, Duration: p.Duration, Deliverables: p.Deliverables, Conditions: p.Conditions,
		Materials: p.Materials, Steps: p.Steps, Days: p.Days,
	}
	if p.State == "listed" {
		c.Suits = demoSuits(i, p)
	}
	for _, a := range demoAnswers(p.Kind, p.FinancingKind, i) {
		c.Extra = append(c.Extra, a)
	}
	if expires {
		c.ValidUntil = p.PublishedAt.AddDate(0, 0, 20).Format(time.DateOnly)
	}
	end := p.PublishedAt
	if p.State == "taken_down" {
		end = end.AddDate(0, 0, -45) // it was public for a while
	}
	t := &productStory{s: s}
	submit := func(at time.Time) {
		t.step(at, func(r catalog.Ref) (catalog.View, error) {
			return h.catalog.Submit(ctx, operator, catalog.SubmitProduct{Ref: r})
		})
	}
	pass := func(at time.Time, by access.Actor) {
		t.step(at, func(r catalog.Ref) (catalog.View, error) { return h.catalog.Pass(ctx, by, catalog.PassProduct{Ref: r}) })
	}
	t.step(end.Add(-75*time.Hour), func(catalog.Ref) (catalog.View, error) {
		return h.catalog.Draft(ctx, operator, catalog.DraftProduct{Content: c})
	})
	s.ids["product:"+p.Key] = t.v.ID
	if p.State == "draft" {
		return t.err
	}
	submit(end.Add(-72 * time.Hour))
	switch p.State {
	case "platform_review":
		return t.err
	case "returned":
		t.step(end, func(r catalog.Ref) (catalog.View, error) {
			return h.catalog.Return(ctx, first, catalog.ReturnProduct{Ref: r, Codes: []string{reason.Other}, Text: p.Reason})
		})
		return t.err
	}
	pass(end.Add(-46*time.Hour), first)
	if p.State == "government_review" {
		return t.err
	}
	pass(end, second)
	if p.Recommended {
		t.step(end.Add(time.Hour), func(r catalog.Ref) (catalog.View, error) {
			return h.catalog.Recommend(ctx, first, catalog.RecommendProduct{Ref: r, On: true})
		})
	}
	switch {
	case t.err != nil:
	case p.State == "taken_down":
		t.step(p.PublishedAt, func(r catalog.Ref) (catalog.View, error) {
			return h.catalog.Unlist(ctx, operator, catalog.UnlistProduct{Ref: r, Reason: p.Reason})
		})
	case expires:
		s.at.Set(p.PublishedAt.AddDate(0, 0, 21))
		_, t.err = h.catalog.ExpireDue(ctx, access.SystemActor("job:product.expire"))
	case i%30 == 3:
		h.seedNextEdition(ctx, t, operator, c, s.now)
		if i%60 == 3 {
			pass(s.now.Add(-3*time.Hour), first)
		}
	}
	return t.err
}

// demoSuits says whom a listed product suits: loans ask for years and turnover, services of science for industries.
func demoSuits(i int, p demo.Product) catalog.Suits {
	x := catalog.Suits{Years: 1 + i%4}
	switch {
	case p.FinancingKind == "equity":
		x = catalog.Suits{Sections: []string{"C", "I", "M"}, Years: 1}
	case p.FinancingKind != "":
		x.RevenueMin, x.CleanRecord = int64(1+i%5)*50_000_000, i%2 == 0
		if i%3 == 0 {
			x.Sizes = []string{"micro", "small"}
		}
	case p.Kind == "innovation" || p.Kind == "digital" || p.Kind == "ip":
		x.Sections = [][]string{{"C", "I"}, {"C", "I", "M"}, {"I", "M", "F"}}[i%3]
	case p.Kind == "hr":
		x = catalog.Suits{EmployeesMin: int64(5 + i%4*5)}
	}
	return x
}

// seedNextEdition begins, changes and submits the next edition of a listed product: cheaper and quicker than before.
func (h *house) seedNextEdition(ctx context.Context, t *productStory, operator access.Actor, c catalog.Content, now time.Time) {
	if c.RateMax > 60 {
		c.RateMin, c.RateMax = c.RateMin-20, c.RateMax-30
	}
	c.Days = max(1, c.Days-2)
	c.Materials = append(append([]string{}, c.Materials...), "上一年度合作情况说明")
	t.step(now.Add(-30*time.Hour), func(r catalog.Ref) (catalog.View, error) {
		return h.catalog.Revise(ctx, operator, catalog.ReviseProduct{Ref: r})
	})
	t.step(now.Add(-29*time.Hour), func(r catalog.Ref) (catalog.View, error) {
		return h.catalog.Edit(ctx, operator, catalog.EditProduct{Ref: r, Content: c})
	})
	t.step(now.Add(-28*time.Hour), func(r catalog.Ref) (catalog.View, error) {
		return h.catalog.Submit(ctx, operator, catalog.SubmitProduct{Ref: r})
	})
}
