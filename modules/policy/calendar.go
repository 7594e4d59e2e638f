package policy

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
)

// mostOfMonth bounds the policies of one month.
const mostOfMonth = 300

// CalendarDay is one day on which windows open or close.
type CalendarDay struct {
	Day    string `json:"day"` // 2006-01-02
	Opens  []Item `json:"opens" nullable:"false"`
	Closes []Item `json:"closes" nullable:"false"`
}

// Month is the calendar of applications of one month. Days on which nothing opens or closes are left out.
type Month struct {
	Month    string        `json:"month"` // 2006-01
	Previous string        `json:"previous"`
	Next     string        `json:"next"`
	Today    string        `json:"today"`
	Days     []CalendarDay `json:"days" nullable:"false"`
	Going    []Item        `json:"going" nullable:"false" doc:"Open throughout the month."`
}

// Calendar returns the windows that open, close or go on in a month, 2006-01, of the policies in force; empty is this one.
func (s *Service) Calendar(ctx context.Context, _ access.Actor, month string) (Month, error) {
	now := s.clock.Now()
	today := dayOf(now)
	if month == "" {
		month = today[:7]
	}
	first, err := time.ParseInLocation("2006-01", month, clock.Beijing)
	if err != nil || first.Year() < 2000 || first.Year() > 2100 {
		return Month{}, fault.InvalidField("month", "POLICY_MONTH", "月份应为 2026-01 的格式")
	}
	from, to := dayOf(first), dayOf(first.AddDate(0, 1, -1))
	out := Month{Month: month, Previous: first.AddDate(0, -1, 0).Format("2006-01"), Next: first.AddDate(0, 1, 0).Format("2006-01"), Today: today, Days: []CalendarDay{}, Going: []Item{}}
	var rows []Policy
	narrow := func(q *bun.SelectQuery) *bun.SelectQuery { return inForce(q, today).Limit(mostOfMonth) }
	err = narrow(s.db.Read().NewSelect().Model(&rows)).Where("(p.opens_on BETWEEN ? AND ? OR p.closes_on BETWEEN ? AND ?)", from, to, from, to).OrderExpr("p.deadline, p.id").Scan(ctx)
	if err != nil {
		return out, err
	}
	days := map[string]*CalendarDay{}
	day := func(d string) *CalendarDay {
		if days[d] == nil {
			days[d] = &CalendarDay{Day: d, Opens: []Item{}, Closes: []Item{}}
		}
		return days[d]
	}
	for i := range rows {
		p := &rows[i]
		if p.OpensOn >= from && p.OpensOn <= to {
			day(p.OpensOn).Opens = append(day(p.OpensOn).Opens, p.item(today))
		}
		if p.ClosesOn >= from && p.ClosesOn <= to {
			day(p.ClosesOn).Closes = append(day(p.ClosesOn).Closes, p.item(today))
		}
	}
	for d := first; dayOf(d) <= to; d = d.AddDate(0, 0, 1) {
		if x := days[dayOf(d)]; x != nil {
			out.Days = append(out.Days, *x)
		}
	}
	var going []Policy
	err = narrow(s.db.Read().NewSelect().Model(&going)).Where("p.opens_on < ? AND p.deadline > ? AND (p.opens_on <> '' OR p.closes_on <> '')", from, to).
		OrderExpr("p.deadline, p.id").Limit(50).Scan(ctx)
	for i := range going {
		out.Going = append(out.Going, going[i].item(today))
	}
	return out, err
}
