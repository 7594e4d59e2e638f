package ticket

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// boardMost bounds every count of the board: what is over it is shown as "more than".
const boardMost = 2000

// StatusCount is how many tickets stand in a state.
type StatusCount struct {
	Status Status `json:"status"`
	Label  string `json:"label"`
	Count  int    `json:"count" doc:"At most 2,000; then there are more."`
}

// UnitAlerts is how many tickets of a unit are near their deadline, and past it.
type UnitAlerts struct {
	Unit    string `json:"unit"`
	DueSoon int    `json:"dueSoon"`
	Overdue int    `json:"overdue"`
}

// Board is how the desk's work stands, as far as the actor sees it.
type Board struct {
	Waiting []StatusCount `json:"waiting" doc:"By state, in the order of the work."`
	Oldest  *time.Time    `json:"oldest,omitempty" doc:"When the ticket that waits longest for the desk came in."`
	Alerts  []UnitAlerts  `json:"alerts" doc:"The most overdue first."`
}

// boardStates are the states in which a ticket waits for somebody.
var boardStates = []Status{Received, Sent, Handling, OnHold, Reported, Reviewed, Calling}

// Board returns it. Every count is bounded and runs along an index. Whoever sees tickets of the whole district may.
func (s *Service) Board(ctx context.Context, actor access.Actor) (Board, error) {
	if !actor.SignedIn() {
		return Board{}, fault.ErrUnauthorized
	}
	if !isDesk(actor) {
		return Board{}, ErrForbidden
	}
	db, scopes := s.db.Read(), visible(actor)
	b := Board{Waiting: []StatusCount{}, Alerts: []UnitAlerts{}}
	for _, st := range boardStates {
		q := narrow(db.NewSelect().Model((*Ticket)(nil)).ColumnExpr("1").Where("t.status = ?", st), scopes).Limit(boardMost)
		n, err := db.NewSelect().TableExpr("(?) AS found", q).Count(ctx)
		if err != nil {
			return Board{}, fmt.Errorf("count %s: %w", st, err)
		}
		b.Waiting = append(b.Waiting, StatusCount{st, st.Label(), int(n)})
	}
	var first []Ticket
	err := narrow(db.NewSelect().Model(&first).Column("id", "created_at").Where("t.status = ?", Received), scopes).OrderExpr("t.id").Limit(1).Scan(ctx)
	if err != nil {
		return Board{}, err
	}
	if len(first) > 0 {
		at := first[0].CreatedAt.UTC()
		b.Oldest = &at
	}
	var rows []Ticket
	err = narrow(db.NewSelect().Model(&rows).Column("id", "unit_name", "alert").Where("t.alert <> ''"), scopes).Limit(boardMost).Scan(ctx)
	if err != nil {
		return Board{}, err
	}
	b.Alerts = alertsOf(rows)
	return b, nil
}

func alertsOf(rows []Ticket) []UnitAlerts {
	at := map[string]int{}
	out := []UnitAlerts{}
	for _, r := range rows {
		name := r.UnitName
		if name == "" {
			name = "受理席"
		}
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name], out = i, append(out, UnitAlerts{Unit: name})
		}
		if r.Alert == OverDue {
			out[i].Overdue++
		} else {
			out[i].DueSoon++
		}
	}
	slices.SortStableFunc(out, func(a, b UnitAlerts) int {
		if a.Overdue != b.Overdue {
			return b.Overdue - a.Overdue
		}
		return b.DueSoon - a.DueSoon
	})
	return out
}

// Items returns those of the tickets that the actor sees, newest first, at most 200.
func (s *Service) Items(ctx context.Context, actor access.Actor, ids []int64) ([]Item, error) {
	out := []Item{}
	if len(ids) == 0 {
		return out, nil
	}
	db := s.db.Read()
	var seen []int64
	err := narrow(db.NewSelect().Model((*Ticket)(nil)).Column("id").Where("t.id IN (?)", bun.List(ids)), visible(actor)).OrderExpr("t.id DESC").Limit(200).Scan(ctx, &seen)
	if err != nil {
		return nil, err
	}
	rows, err := byID(ctx, db, ticketColumns, seen)
	if err != nil {
		return nil, err
	}
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		item := rows[i].item(names)
		item.AreaName = s.areaName(item.Area)
		out = append(out, item)
	}
	return out, nil
}

// HiddenFact is a fact about a confidential ticket that somebody does not see.
type HiddenFact struct {
	Type string
	At   time.Time
}

// Hidden lists the facts of these types in [from, to) about confidential tickets the actor does not see, for counts that are
// kept over everything: what they say to the actor must leave these out. Confidential tickets are few.
func (s *Service) Hidden(ctx context.Context, actor access.Actor, from, to time.Time, types ...string) ([]HiddenFact, error) {
	where, args := confided(actor)
	if where == "" {
		return nil, nil
	}
	var rows []struct {
		Type string    `bun:"type"`
		At   time.Time `bun:"at"`
	}
	query := "SELECT e.type, e.at FROM events AS e WHERE e.object = ? AND e.object_id IN (SELECT t.id FROM tickets AS t WHERE t.secrecy <> 0 AND NOT (1 = 1" + where +
		")) AND e.at >= ? AND e.at < ? AND e.type IN (" + marksFor(len(types)) + ")"
	err := database.QueryAll(ctx, s.db.Read(), &rows, query, slices.Concat([]any{Object}, args, []any{from, to}, anys(types))...)
	out := make([]HiddenFact, 0, len(rows))
	for _, r := range rows {
		out = append(out, HiddenFact(r))
	}
	return out, err
}
