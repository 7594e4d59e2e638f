package appraisal

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// CaseView is a case behind a figure, of a ticket the viewer may see.
type CaseView struct {
	TicketID  int64      `json:"ticketId"`
	Number    string     `json:"number"`
	Title     string     `json:"title"`
	UnitName  string     `json:"unitName"`
	StartedAt time.Time  `json:"startedAt"`
	RepliedAt *time.Time `json:"repliedAt,omitempty"`
	EndedAt   *time.Time `json:"endedAt,omitempty"`
	Class     Class      `json:"class"`
	Label     string     `json:"label" doc:"What the case is for the rate."`
	Counted   bool       `json:"counted"`
	Good      bool       `json:"good"`
	Exclusion string     `json:"exclusion,omitempty" doc:"Why it is left out, in words."`
}

// CaseFilter names the figure whose cases are asked for.
type CaseFilter struct {
	Month  string
	UnitID int64 // 0 for all units the viewer sees
	Rate   Rate
	Class  Class  // "" for every class
	Left   bool   // only those that are left out of the rate
	Cursor string // as the answer before gave it
}

const casePage = 50

// Cases lists the cases behind a figure as they are now, those of tickets that the actor may see. It needs appraisal.view.
func (s *Service) Cases(ctx context.Context, actor access.Actor, f CaseFilter) ([]CaseView, string, error) {
	if err := s.views(actor); err != nil {
		return nil, "", err
	}
	if err := checkMonth("month", f.Month); err != nil {
		return nil, "", err
	}
	if f.Rate.Label() == "" {
		return nil, "", fault.InvalidField("rate", "RATE", "请选择指标")
	}
	var after int64
	if f.Cursor != "" {
		var err error
		if after, err = strconv.ParseInt(f.Cursor, 10, 64); err != nil || after < 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
	}
	ids, all, err := s.own(ctx, actor)
	if err != nil {
		return nil, "", err
	}
	if !all && f.UnitID != 0 && !ids[f.UnitID] || !all && len(ids) == 0 {
		return []CaseView{}, "", nil
	}
	db := s.db.Read()
	form, err := inForce(ctx, db, f.Month)
	if err != nil {
		return nil, "", err
	}
	body, err := form.body()
	if err != nil {
		return nil, "", err
	}
	column := map[Rate]string{Response: "response", Solution: "solution", Satisfaction: "satisfaction", SignTime: "sign", HandleTime: "handle", Return: "given_back", Evidence: "evidence"}[f.Rate]
	var rows []Case
	q := db.NewSelect().Model(&rows).Where("k.month = ? AND k.id > ?", f.Month, after).OrderExpr("k.id").Limit(casePage + 1)
	if f.UnitID != 0 {
		q = q.Where("k.unit_id = ?", f.UnitID)
	} else if !all {
		list := []int64{}
		for id := range ids {
			list = append(list, id)
		}
		q = q.Where("k.unit_id IN (?)", bun.List(list))
	}
	if f.Class != "" {
		q = q.Where("? = ?", bun.Ident("k."+column), f.Class)
	}
	omitted := []Exclusion{}
	for _, o := range body.Omissions {
		if body.omits(f.Rate, o.Exclusion) {
			omitted = append(omitted, o.Exclusion)
		}
	}
	switch {
	case f.Left && len(omitted) == 0:
		return []CaseView{}, "", nil
	case f.Left:
		q = q.Where("k.exclusion IN (?)", bun.List(omitted))
	case len(omitted) > 0:
		q = q.Where("k.exclusion NOT IN (?)", bun.List(omitted))
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("cases: %w", err)
	}
	next := ""
	if len(rows) > casePage {
		rows = rows[:casePage]
		next = strconv.FormatInt(rows[casePage-1].ID, 10)
	}
	var wanted []int64
	for _, c := range rows {
		wanted = append(wanted, c.TicketID)
	}
	titles, err := s.tickets.Titles(ctx, actor, wanted)
	if err != nil {
		return nil, "", err
	}
	out := []CaseView{}
	for i := range rows {
		c := &rows[i]
		title, seen := titles[c.TicketID]
		if !seen {
			continue
		}
		counted, good := body.counts(f.Rate, c.class(f.Rate), c.Exclusion)
		v := CaseView{TicketID: c.TicketID, Number: c.Number, Title: title, UnitName: c.UnitName, StartedAt: c.StartedAt.UTC(), RepliedAt: c.RepliedAt, EndedAt: c.EndedAt,
			Class: c.class(f.Rate), Label: f.Rate.classLabel(c.class(f.Rate)), Counted: counted, Good: good}
		if body.omits(f.Rate, c.Exclusion) {
			v.Exclusion = c.Exclusion.Label()
		}
		out = append(out, v)
	}
	return out, next, nil
}
