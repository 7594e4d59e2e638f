package server

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/modules/enterprise"
	"github.com/huiqi/huiqi/modules/policy"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/sizeclass"
	"github.com/huiqi/huiqi/seed/reference"
)

// newPolicies builds the library of policies and the matching.
func newPolicies(db *database.DB, p parts, companies *enterprise.Service) (*policy.Service, error) {
	schema, choices, err := policyTerms()
	if err != nil {
		return nil, err
	}
	return policy.New(policy.Deps{DB: db, Clock: p.clock, Log: p.log, Schema: schema, Enterprises: matched{companies}, Choices: choices}), nil
}

// matched lets policies be matched with what is known of companies.
type matched struct{ companies *enterprise.Service }

var _ policy.Enterprises = matched{}

// Facts are what is known of a company: nothing, until the companies keep facts.
func (m matched) Facts(context.Context, bun.IDB, int64) (criteria.Facts, error) {
	return criteria.Facts{}, nil
}

// Name names a company.
func (m matched) Name(ctx context.Context, db bun.IDB, id int64) (string, error) {
	b, err := m.companies.Brief(ctx, db, id)
	return b.Name, err
}

// The regions a visitor can choose besides the divisions of the reference list. Their codes lie in blocks that no division
// has, so that they are known to be elsewhere.
const (
	elsewhereInCity = "110199"
	elsewhere       = "990000"
)

// policyTerms are the fields that conditions may name, with the words for their codes, and what the quick match offers.
func policyTerms() (criteria.Schema, policy.Choices, error) {
	fail := func(err error) (criteria.Schema, policy.Choices, error) {
		return criteria.Schema{}, policy.Choices{}, fmt.Errorf("terms of policies: %w", err)
	}
	industries, err := reference.Industries()
	if err != nil {
		return fail(err)
	}
	divisions, err := reference.Divisions()
	if err != nil {
		return fail(err)
	}
	titles, err := reference.Qualifications()
	if err != nil {
		return fail(err)
	}
	choices := policy.Choices{Sizes: sizeclass.National()}
	industryNames, regionNames, titleNames := map[string]string{}, map[string]string{}, map[string]string{}
	for _, i := range industries {
		industryNames[i.Code] = i.Name
		switch i.Level {
		case 1:
			choices.Sections = append(choices.Sections, policy.Section{Choice: policy.Choice{Code: i.Code, Name: i.Name}})
		case 2:
			last := &choices.Sections[len(choices.Sections)-1]
			last.Divisions = append(last.Divisions, policy.Choice{Code: i.Code, Name: i.Name})
		}
	}
	for _, d := range divisions {
		regionNames[d.Code] = d.Name
		switch d.Level {
		case "city":
			regionNames[elsewhereInCity], regionNames[elsewhere] = d.Name+"其他区", d.Name+"以外"
		case "district":
			choices.Regions = append(choices.Regions, policy.Choice{Code: d.Code, Name: d.Name})
		}
	}
	for _, code := range []string{elsewhereInCity, elsewhere} {
		choices.Regions = append(choices.Regions, policy.Choice{Code: code, Name: regionNames[code]})
	}
	for _, t := range titles {
		titleNames[t.Code] = t.Name
	}
	sizes := map[string]string{}
	for _, c := range []sizeclass.Class{sizeclass.Large, sizeclass.Medium, sizeclass.Small, sizeclass.Micro} {
		sizes[string(c)] = c.Text()
	}
	const byOwner = "企业填报"
	schema, err := criteria.NewSchema(
		criteria.Field{Name: "established", Label: "成立日期", Kind: criteria.Date},
		criteria.Field{Name: "industry", Label: "所属行业", Kind: criteria.Category, Under: criteria.UnderIndustry, Values: industryNames},
		criteria.Field{Name: "region", Label: "注册地", Kind: criteria.Category, Under: criteria.UnderRegion, Values: regionNames},
		criteria.Field{Name: "employees", Label: "从业人员", Kind: criteria.Count, Unit: "人", Ask: byOwner},
		criteria.Field{Name: "revenue", Label: "上年营业收入", Kind: criteria.Money, Ask: byOwner},
		criteria.Field{Name: "assets", Label: "资产总额", Kind: criteria.Money, Ask: byOwner},
		criteria.Field{Name: "rdSpend", Label: "上年研发费用", Kind: criteria.Money, Ask: byOwner},
		criteria.Field{Name: "rdRatio", Label: "研发费用占营业收入", Kind: criteria.Ratio, Ask: byOwner},
		criteria.Field{Name: "sizeClass", Label: "企业规模", Kind: criteria.Category, Values: sizes, Closed: true},
		criteria.Field{Name: "qualification", Label: "资质与称号", Kind: criteria.Holdings, Values: titleNames},
		criteria.Field{Name: "creditStanding", Label: "失信与异常名录", Kind: criteria.Holdings},
	)
	if err != nil {
		return fail(err)
	}
	return schema, choices, nil
}
