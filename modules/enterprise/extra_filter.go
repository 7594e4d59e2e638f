package enterprise

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/form"
)

// extraFilter is one condition on a field.
type extraFilter struct {
	form.Filter
	group string
}

// extraFilters reads the conditions of a list, one a line; a field the actor may not see is no field.
func extraFilters(ctx context.Context, db bun.IDB, actor access.Actor, lines string) ([]extraFilter, error) {
	if strings.TrimSpace(lines) == "" {
		return nil, nil
	}
	list, err := extraFields(ctx, db)
	if err != nil {
		return nil, err
	}
	return conditionsOf(slices.DeleteFunc(list, func(f ExtraFieldView) bool { return !f.staffSees(actor) }), lines)
}

// conditionsOf reads the conditions against the fields that are known.
func conditionsOf(list []ExtraFieldView, lines string) ([]extraFilter, error) {
	fields, groups := make([]form.OwnField, 0, len(list)), map[string]string{}
	for _, f := range list {
		fields, groups[f.Field.Key] = append(fields, f.Field), f.Group
	}
	read, err := form.ReadFilters(fields, lines)
	out := make([]extraFilter, 0, len(read))
	for _, x := range read {
		out = append(out, extraFilter{x, groups[x.Field.Key]})
	}
	return out, err
}

// words says what the condition keeps.
func (x extraFilter) words() string { return x.Words() }

// narrow keeps the companies whose field is as asked.
func (x extraFilter) narrow(q *bun.SelectQuery) *bun.SelectQuery {
	where, args := x.Where("xv.value", "xv.number")
	sub := q.NewSelect().TableExpr("enterprise_extra_values AS xv").ColumnExpr("xv.enterprise_id").Where("xv.field = ? AND xv.ended_at IS NULL", x.Field.Key).Where(where, args...)
	return q.Where("ent.id IN (?)", sub)
}

// needs are the groups of a company's data that the condition reads.
func (x extraFilter) needs() []string {
	if x.group == keyService {
		return nil
	}
	return []string{x.group}
}

// condition narrows a list of companies.
type condition interface {
	narrow(q *bun.SelectQuery) *bun.SelectQuery
	// words says what it keeps.
	words() string
	// needs are the groups of a company's data it reads; reading them needs the company's consent.
	needs() []string
}

// conditions reads what a list is narrowed by, beside words and state.
func (s *Service) conditions(ctx context.Context, db bun.IDB, actor access.Actor, f ListFilter) ([]condition, error) {
	var out []condition
	extra, err := extraFilters(ctx, db, actor, f.Extra)
	for _, x := range extra {
		out = append(out, x)
	}
	if err != nil || f.Tag == "" {
		return out, err
	}
	t, err := s.tagFilterOf(ctx, db, f.Tag)
	return append(out, t), err
}

// needsConsent reports whether the conditions read something that is the companies'.
func needsConsent(list []condition) bool {
	return slices.ContainsFunc(list, func(x condition) bool { return len(x.needs()) > 0 })
}

// readable leaves the companies of which the actor may read what the conditions ask: whoever finds a company by a value has
// read it.
func (s *Service) readable(ctx context.Context, actor access.Actor, list []condition, rows []Enterprise) ([]Enterprise, error) {
	if len(rows) == 0 || !needsConsent(list) {
		return rows, nil
	}
	ids := make([]int64, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	groups, err := s.consents.ReadAll(ctx, actor, ids, Reading{forPortrait, "", "按扩展字段或标签查找企业"})
	if err != nil {
		return nil, fmt.Errorf("who may be found by the conditions: %w", err)
	}
	return slices.DeleteFunc(rows, func(e Enterprise) bool {
		return slices.ContainsFunc(list, func(x condition) bool {
			return slices.ContainsFunc(x.needs(), func(g string) bool { return !slices.Contains(groups[e.ID], g) })
		})
	}), nil
}

// readableRounds is how many pages are looked at for one of a list that keeps only what may be read.
const readableRounds = 5

// listReadable reads a page as list does, without the companies that the actor may not find by the conditions. A page may be
// shorter than asked; the cursor leads on.
func (s *Service) listReadable(ctx context.Context, db bun.IDB, actor access.Actor, f ListFilter, before int64) ([]Enterprise, string, error) {
	var err error
	if f.conditions, err = s.conditions(ctx, db, actor, f); err != nil {
		return nil, "", err
	}
	out := []Enterprise{}
	for range readableRounds {
		rows, err := list(ctx, db, actor, f, before)
		if err != nil {
			return nil, "", err
		}
		rows, next := cut(rows, f.Limit, func(e Enterprise) int64 { return e.ID })
		kept, err := s.readable(ctx, actor, f.conditions, slices.Clone(rows))
		if err != nil {
			return nil, "", err
		}
		if room := f.Limit - len(out); len(kept) > room { // the rest is found again behind the last that is shown
			out = append(out, kept[:room]...)
			return out, fmt.Sprint(out[f.Limit-1].ID), nil
		}
		out = append(out, kept...)
		if next == "" || len(out) == f.Limit {
			return out, next, nil
		}
		if before, err = cursorOf(next); err != nil {
			return nil, "", err
		}
		if !needsConsent(f.conditions) {
			return out, next, nil
		}
	}
	return out, fmt.Sprint(before), nil
}
