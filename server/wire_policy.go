package server

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/consent"
	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/sizeclass"
	"github.com/huiqi/huiqi/seed/reference"
)

// The regions a visitor can choose besides the divisions of the reference list. Their codes lie in blocks that no division
// has, so that they are known to be elsewhere.
const (
	elsewhereInCity = "110199"
	elsewhere       = "990000"
)

// newPolicies builds the library of policies and the matching over what is known of companies.
func (h *house) newPolicies(p parts, companies *enterprise.Service, readable policy.Readable) (*policy.Service, error) {
	words := terms()
	words.Regions = maps.Clone(words.Regions)
	choices, err := policyChoices(words.Regions)
	if err != nil {
		return nil, fmt.Errorf("choices of the quick match: %w", err)
	}
	d := policy.Deps{
		DB: h.db, Clock: p.clock, Log: p.log, Schema: enterprise.Schema(words), Enterprises: matched{companies}, Choices: choices, Readable: readable, CompanyPage: "/company",
	}
	h.joinLibrary(&d, words)
	return policy.New(d), nil
}

// selfStated is the source of what a company says itself.
const selfStated = "企业填报"

// matched lets policies be matched with what is known of companies.
type matched struct{ *enterprise.Service }

var _ policy.Enterprises = matched{}

// Facts are what is known of a company; its own word is marked as unchecked.
func (m matched) Facts(ctx context.Context, db bun.IDB, id int64) (criteria.Facts, error) {
	facts, err := m.Service.Facts(ctx, db, id)
	return stated(facts), err
}

// consented lets staff match a company with what it agreed to.
type consented struct{ *house }

var _ policy.Readable = consented{}

// FactsFor are the facts of the groups the reader may read.
func (c consented) FactsFor(ctx context.Context, actor access.Actor, id int64, basis string) (criteria.Facts, error) {
	db := c.db.Read()
	if err := c.enterprises.Visible(ctx, db, actor, id); err != nil {
		return nil, err
	}
	pass, err := c.consents.Read(ctx, actor, id, consent.Reading{Purpose: consent.PolicyMatch, Basis: basis, What: "政策匹配"})
	if err != nil {
		return nil, err
	}
	facts, err := matched{c.enterprises}.Facts(ctx, db, id)
	maps.DeleteFunc(facts, func(field string, _ criteria.Fact) bool {
		return !slices.Contains(pass.Groups, enterprise.GroupOf(field))
	})
	return facts, err
}

// Name names a company.
func (m matched) Name(ctx context.Context, db bun.IDB, id int64) (string, error) {
	b, err := m.Brief(ctx, db, id)
	return b.Name, err
}

// policyChoices are what the quick match offers; the names of its regions are added to regions.
func policyChoices(regions map[string]string) (policy.Choices, error) {
	choices := policy.Choices{Sizes: sizeclass.National()}
	industries, err := reference.Industries()
	if err != nil {
		return choices, err
	}
	divisions, err := reference.Divisions()
	if err != nil {
		return choices, err
	}
	for _, i := range industries {
		switch i.Level {
		case 1:
			choices.Sections = append(choices.Sections, policy.Section{Choice: policy.Choice{Code: i.Code, Name: i.Name}})
		case 2:
			last := &choices.Sections[len(choices.Sections)-1]
			last.Divisions = append(last.Divisions, policy.Choice{Code: i.Code, Name: i.Name})
		}
	}
	for _, d := range divisions {
		switch d.Level {
		case "city":
			regions[elsewhereInCity], regions[elsewhere] = d.Name+"其他区", d.Name+"以外"
		case "district":
			choices.Regions = append(choices.Regions, policy.Choice{Code: d.Code, Name: d.Name})
		}
	}
	for _, code := range []string{elsewhereInCity, elsewhere} {
		choices.Regions = append(choices.Regions, policy.Choice{Code: code, Name: regions[code]})
	}
	return choices, nil
}
