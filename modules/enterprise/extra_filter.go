package enterprise

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/form"
)

// maxExtraFilters is by how many fields a list is narrowed at once.
const maxExtraFilters = 5

// extraFilter is one condition on a field: words, or a span of numbers or days of which one end may be open.
type extraFilter struct {
	field    ExtraFieldView
	word     string
	from, to string
}

// ErrExtraFilter is returned for a condition that cannot be read.
var ErrExtraFilter = fault.InvalidField("extra", "EXTRA_FILTER", "扩展字段的筛选条件无法识别，请重新选择字段和内容")

// extraFilters reads the conditions of a list, one a line: "park:台湖", "visited:2026-01-01..2026-06-30", "beds:10..". A field the
// actor may not see is no field.
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
	var out []extraFilter
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		if line == "" {
			continue
		}
		key, word, ok := strings.Cut(line, ":")
		i := slices.IndexFunc(list, func(f ExtraFieldView) bool { return f.Field.Key == strings.TrimSpace(key) })
		if word = strings.TrimSpace(word); !ok || i < 0 || word == "" || len(out) == maxExtraFilters {
			return nil, ErrExtraFilter
		}
		x, err := extraCondition(list[i], word)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// extraCondition reads what is asked of one field.
func extraCondition(f ExtraFieldView, word string) (extraFilter, error) {
	out := extraFilter{field: f, word: word}
	bad := func(what string) (extraFilter, error) {
		return out, ErrExtraFilter.With("%s%s", f.Field.Label, what)
	}
	lenient := f.Field // a span may begin before what the field takes
	lenient.Min, lenient.Max = nil, nil
	switch f.Field.Kind {
	case form.Number, form.Date:
		from, to, span := strings.Cut(word, "..")
		if !span {
			to = from
		}
		for _, end := range []*string{&from, &to} {
			v, err := lenient.Read([]string{*end})
			if err != nil {
				if f.Field.Kind == form.Date {
					return bad("应为日期，例如 2026-01-01，或起止日期 2026-01-01..2026-06-30")
				}
				return bad("应为数字，例如 10，或范围 10..50")
			}
			*end = v
		}
		if from == "" && to == "" {
			return bad("请至少填写范围的一端")
		}
		if out.from, out.to = from, to; from != "" && to != "" && !inOrder(&f.Field, from, to) {
			return bad("的范围前后颠倒，请调换")
		}
	case form.Choice, form.Choices, form.YesNo:
		v, err := lenient.Read([]string{word})
		if err != nil {
			return bad("没有这个选项，请重新选择")
		}
		out.word = v
	default:
		if len([]rune(word)) > 60 {
			return bad("的查找内容最多 60 个字")
		}
	}
	return out, nil
}

func inOrder(f *form.OwnField, from, to string) bool {
	if f.Kind == form.Number {
		return *extraNumber(f, from) <= *extraNumber(f, to)
	}
	return from <= to
}

// words says what the condition keeps.
func (x extraFilter) words() string {
	f := x.field.Field
	show := func(v string) string {
		if f.Kind == form.Date {
			if day, err := time.Parse(time.DateOnly, v); err == nil {
				return day.Format("2006年1月2日")
			}
		}
		return f.Show(v)
	}
	switch {
	case f.Kind != form.Number && f.Kind != form.Date:
		if f.Kind == form.Text {
			return f.Label + "含“" + x.word + "”"
		}
		return f.Label + "：" + show(x.word)
	case x.from == x.to:
		return f.Label + "：" + show(x.from)
	case x.to == "":
		return f.Label + "：" + show(x.from) + "起"
	case x.from == "":
		return f.Label + "：至 " + show(x.to)
	}
	return f.Label + "：" + show(x.from) + " 至 " + show(x.to)
}

var likeMarks = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// narrow keeps the companies whose field is as asked.
func (x extraFilter) narrow(q *bun.SelectQuery) *bun.SelectQuery {
	sub := q.NewSelect().TableExpr("enterprise_extra_values AS xv").ColumnExpr("xv.enterprise_id").Where("xv.field = ? AND xv.ended_at IS NULL AND xv.value <> ''", x.field.Field.Key)
	f := &x.field.Field
	switch f.Kind {
	case form.Number:
		if x.from != "" {
			sub = sub.Where("xv.number >= ?", *extraNumber(f, x.from))
		}
		if x.to != "" {
			sub = sub.Where("xv.number <= ?", *extraNumber(f, x.to))
		}
	case form.Date:
		if x.from != "" {
			sub = sub.Where("xv.value >= ?", x.from)
		}
		if x.to != "" {
			sub = sub.Where("xv.value <= ?", x.to)
		}
	case form.Choice, form.YesNo:
		sub = sub.Where("xv.value = ?", x.word)
	case form.Choices:
		sub = sub.Where(`? || xv.value || ? LIKE ? ESCAPE '\'`, "\n", "\n", "%\n"+likeMarks.Replace(x.word)+"\n%")
	default:
		sub = sub.Where(`lower(xv.value) LIKE ? ESCAPE '\'`, "%"+likeMarks.Replace(strings.ToLower(x.word))+"%")
	}
	return q.Where("ent.id IN (?)", sub)
}

// needs are the groups of a company's data that the condition reads.
func (x extraFilter) needs() []string {
	if x.field.Group == keyService {
		return nil
	}
	return []string{x.field.Group}
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
