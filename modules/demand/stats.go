package demand

import (
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// Tally is what came of the demands of a kind that were submitted for the first time, or again, in a span of days.
type Tally struct {
	Kind     string `bun:"kind" json:"kind"`
	KindName string `bun:"kind_name" json:"kindName"`
	Posted   int    `bun:"posted" json:"posted"`
	Approved int    `bun:"approved" json:"approved" doc:"That came to stand in the hall."`
	Quoted   int    `bun:"quoted" json:"quoted" doc:"Of those with one quote at least, also when it was withdrawn."`
	Quotes   int    `bun:"quotes" json:"quotes" doc:"Quotes in all."`
	Picked   int    `bun:"picked" json:"picked"`
	Expired  int    `bun:"expired" json:"expired"`
	Closed   int    `bun:"closed" json:"closed"`
	// FirstMinutes is how long it took on average from the hall to the first quote, of those that have one.
	FirstMinutes int64 `bun:"first_minutes" json:"firstMinutes"`
}

// Stats counts the demands that were last submitted in a span of days (2006-01-02, both with it) by kind, and in all at the end with
// an empty kind. It needs demand.view over the whole district.
func (s *Service) Stats(ctx context.Context, actor access.Actor, from, to string) ([]Tally, error) {
	if err := actor.Need(PermView); err != nil {
		return nil, err
	}
	if !wide(actor) {
		return nil, ErrForbidden
	}
	var span [2]time.Time
	for i, day := range []string{from, to} {
		if day == "" {
			continue
		}
		t, err := text.Day([]string{"from", "to"}[i], day, clock.Beijing)
		if err != nil {
			return nil, err
		}
		span[i] = t
	}
	if from != "" && to != "" && span[1].Before(span[0]) {
		return nil, fault.InvalidField("to", "DEMAND_SPAN", "结束日期不能早于开始日期")
	}
	db := s.DB.Read()
	list := []Tally{}
	q := db.NewSelect().TableExpr("demands AS d").ColumnExpr(`d.kind, max(d.kind_name) AS kind_name, count(*) AS posted,
		sum(CASE WHEN d.approved_at IS NOT NULL THEN 1 ELSE 0 END) AS approved, sum(CASE WHEN d.first_quote_at IS NOT NULL THEN 1 ELSE 0 END) AS quoted,
		sum((SELECT count(*) FROM demand_quotes AS q WHERE q.demand_id = d.id)) AS quotes,
		sum(CASE WHEN d.state = 'picked' THEN 1 ELSE 0 END) AS picked, sum(CASE WHEN d.state = 'expired' THEN 1 ELSE 0 END) AS expired,
		sum(CASE WHEN d.state = 'closed' THEN 1 ELSE 0 END) AS closed,
		CAST(coalesce(avg(CASE WHEN d.first_quote_at IS NOT NULL THEN d.first_quote_minutes END), 0) AS BIGINT) AS first_minutes`).
		Where("d.submitted_at IS NOT NULL AND d.state <> 'draft'").GroupExpr("d.kind").OrderExpr("posted DESC, d.kind")
	if from != "" {
		q = q.Where("d.submitted_at >= ?", span[0].UTC())
	}
	if to != "" {
		q = q.Where("d.submitted_at < ?", span[1].AddDate(0, 0, 1).UTC())
	}
	if err := q.Scan(ctx, &list); err != nil {
		return nil, fmt.Errorf("tally of demands: %w", err)
	}
	all, minutes := Tally{KindName: "合计"}, int64(0)
	for _, t := range list {
		all.Posted += t.Posted
		all.Approved += t.Approved
		all.Quoted += t.Quoted
		all.Quotes += t.Quotes
		all.Picked += t.Picked
		all.Expired += t.Expired
		all.Closed += t.Closed
		minutes += t.FirstMinutes * int64(t.Quoted)
	}
	if all.Quoted > 0 {
		all.FirstMinutes = minutes / int64(all.Quoted)
	}
	return append(list, all), nil
}
