package policy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/criteria"
	"github.com/huiqi/huiqi/platform/web/page"
)

// Closing narrows a list to the open windows that close soon; a policy itself is Open then.
const Closing Window = "closing"

// closingDays is how many days before its last one a window counts as closing soon.
const closingDays = 14

// ListWindows are the windows a list can be narrowed to, in the order in which they are offered.
var ListWindows = []Window{Open, Closing, Upcoming, Always, Closed}

// listWord is the window as a list offers it.
func (w Window) listWord() string {
	if w == Closing {
		return "即将截止"
	}
	return w.Label()
}

// lastClosing is the last day that counts as soon.
func lastClosing(today string) string {
	return dayOf(timeOf(today).AddDate(0, 0, closingDays))
}

// townDigits is the length of the code of a street or town.
const townDigits = 9

// towns are the streets and towns of the register's region, by code.
func (s *Service) towns() []Choice {
	names := s.fieldNames(fieldRegion)
	var out []Choice
	for _, code := range slices.Sorted(maps.Keys(names)) {
		if len(code) == townDigits {
			out = append(out, Choice{Code: code, Name: names[code]})
		}
	}
	return out
}

// sector is the name of an industry a list can be narrowed to: a letter or a division of GB/T 4754; "" is none.
func (c Choices) sector(code string) string {
	for _, section := range c.Sections {
		if section.Code == code {
			return section.Name
		}
		for _, d := range section.Divisions {
			if d.Code == code {
				return d.Name
			}
		}
	}
	return ""
}

// sectorFact is what is known of a company when only its industry is: one of the divisions of a letter.
func (c Choices) sectorFact(code string) criteria.Value {
	for _, section := range c.Sections {
		if section.Code != code {
			continue
		}
		codes := make([]string, 0, len(section.Divisions))
		for _, d := range section.Divisions {
			codes = append(codes, d.Code)
		}
		return criteria.OneOf(codes...)
	}
	return criteria.Code(code)
}

// applying returns the policies in force that do not shut out companies of the industry and the town of the filter: neither by
// where they apply nor by their conditions. What is left to people shuts out nobody.
func (s *Service) applying(ctx context.Context, f Filter, now time.Time) ([]int64, error) {
	all, err := s.rules.current(ctx, s, dayOf(now))
	if err != nil {
		return nil, err
	}
	facts := criteria.Facts{}
	put := func(field string, v criteria.Value) {
		facts[field] = criteria.Fact{Value: v, Source: "筛选条件", AsOf: clock.Midnight(now)}
	}
	if f.Industry != "" {
		put(fieldIndustry, s.choices.sectorFact(f.Industry))
	}
	if f.Region != "" {
		put(fieldRegion, criteria.Code(f.Region))
	}
	out := []int64{}
	for _, r := range all {
		if f.Region != "" && r.policy.Region != "" && !criteria.UnderRegion(f.Region, r.policy.Region) {
			continue
		}
		if r.readable {
			if d := r.condition.Evaluate(facts, now).Decision; d == criteria.Near || d == criteria.NotEligible {
				continue
			}
		}
		out = append(out, r.policy.ID)
	}
	return out, nil
}

// FilterOption is one choice of a filter.
type FilterOption struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

// FilterGroup is one filter of the public list with what it offers.
type FilterGroup struct {
	Name    string         `json:"name"` // of the parameter
	Label   string         `json:"label"`
	Rare    bool           `json:"rare,omitempty"` // offered behind the others
	Options []FilterOption `json:"options" nullable:"false"`
}

// Filters are the filters of the public list, and how many policies in force the one in use leaves.
type Filters struct {
	Groups []FilterGroup `json:"groups" nullable:"false"`
	Count  int           `json:"count"`
	More   bool          `json:"more,omitempty" doc:"There are more than count."`
	Loose  bool          `json:"loose,omitempty" doc:"Nothing holds the whole query; the list shows what comes closest."`
}

// mostIssuers is how many issuers a filter offers, those with the most policies.
const mostIssuers = 30

// Filters returns what the public list can be narrowed by and how many policies f leaves. Its limit and place are not used.
func (s *Service) Filters(ctx context.Context, actor access.Actor, f Filter) (Filters, error) {
	f.Limit, f.Cursor = 1, ""
	list, err := s.Page(ctx, actor, f, 1)
	if err != nil {
		return Filters{}, err
	}
	groups, err := s.filterGroups(ctx)
	return Filters{Groups: groups, Count: min(list.Count, page.CountCap), More: list.Count > page.CountCap, Loose: list.Loose}, err
}

func (s *Service) filterGroups(ctx context.Context) ([]FilterGroup, error) {
	issuers, err := s.issuers(ctx)
	if err != nil {
		return nil, err
	}
	places, trades := []FilterOption{}, []FilterOption{}
	for _, t := range s.towns() {
		places = append(places, FilterOption{t.Code, t.Name})
	}
	for _, section := range s.choices.Sections {
		trades = append(trades, FilterOption{section.Code, section.Name})
	}
	return []FilterGroup{
		{Name: "window", Label: "申报状态", Options: offered(ListWindows, Window.listWord)},
		{Name: "kind", Label: "支持方式", Options: offered(Kinds, Kind.Label)},
		{Name: "level", Label: "政策层级", Options: offered(Levels, Level.Label)},
		{Name: "topic", Label: "政策主题", Options: offered(Topics, Topic.Label)},
		{Name: "region", Label: "适用街镇", Rare: true, Options: places},
		{Name: "industry", Label: "适用行业", Rare: true, Options: trades},
		{Name: "issuer", Label: "发布机构", Rare: true, Options: issuers},
	}, nil
}

func offered[T ~string](list []T, word func(T) string) []FilterOption {
	out := make([]FilterOption, 0, len(list))
	for _, x := range list {
		out = append(out, FilterOption{string(x), word(x)})
	}
	return out
}

// issuers are those with policies in force, the most first.
func (s *Service) issuers(ctx context.Context) ([]FilterOption, error) {
	var names []string
	q := s.db.Read().NewSelect().Model((*Policy)(nil)).Column("issuer").GroupExpr("p.issuer").OrderExpr("count(*) DESC, p.issuer").Limit(mostIssuers)
	if err := inForce(q, dayOf(s.clock.Now())).Scan(ctx, &names); err != nil {
		return nil, fmt.Errorf("issuers: %w", err)
	}
	return offered(names, func(n string) string { return n }), nil
}

// within narrows to the policies a filter of industry or town leaves.
func (f Filter) within(q *bun.SelectQuery) *bun.SelectQuery {
	switch {
	case f.Industry == "" && f.Region == "":
		return q
	case len(f.applies) == 0:
		return q.Where("1 = 0")
	}
	return q.Where("p.id IN ?", bun.Tuple(f.applies))
}
