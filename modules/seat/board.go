package seat

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
)

// Line is one seat on the supervisor's page.
type Line struct {
	UserID   int64            `json:"userId"`
	Name     string           `json:"name"`
	Team     string           `json:"team"`
	State    State            `json:"state" enum:"free,talking,after,break,away,off"`
	Reason   string           `json:"reason"`
	Since    time.Time        `json:"since"`
	Version  int64            `json:"version"`
	Skills   []string         `json:"skills" doc:"Codes of matters; none takes every matter."`
	Seconds  map[string]int64 `json:"seconds" doc:"Seconds of today in Beijing, by state."`
	OnShift  bool             `json:"onShift" doc:"The roster has the person work now."`
	HasShift bool             `json:"hasShift" doc:"The roster has the person work today."`
}

// Board is the supervisor's page of seats.
type Board struct {
	Lines   []Line        `json:"lines"`
	Matters []Matter      `json:"matters"`
	Counts  map[State]int `json:"counts"`
	At      time.Time     `json:"at"`
}

// Board lists everybody who may sit at the desk, with what they do now and did today. Who sees seats may.
func (s *Service) Board(ctx context.Context, actor access.Actor) (Board, error) {
	if err := actor.Need(PermView); err != nil {
		return Board{}, err
	}
	db, now := s.db.Read(), s.clock.Now()
	people, err := s.people.With(ctx, db, PermSit)
	if err != nil {
		return Board{}, err
	}
	b := Board{Lines: make([]Line, 0, len(people)), At: now, Counts: map[State]int{}}
	if b.Matters, err = s.matters.Matters(ctx); err != nil {
		return Board{}, err
	}
	var rows []seat
	if err := db.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return Board{}, err
	}
	kept := map[int64]*seat{}
	for i := range rows {
		kept[rows[i].UserID] = &rows[i]
	}
	var skills []skill
	if err := db.NewSelect().Model(&skills).OrderExpr("code").Scan(ctx); err != nil {
		return Board{}, err
	}
	trained := map[int64][]string{}
	for _, k := range skills {
		trained[k.UserID] = append(trained[k.UserID], k.Code)
	}
	day := midnight(now)
	spent, err := totals(ctx, db, day, now)
	if err != nil {
		return Board{}, err
	}
	duty, err := dutyOf(ctx, db, now)
	if err != nil {
		return Board{}, err
	}
	for _, p := range people {
		l := Line{UserID: p.ID, Name: p.Name, State: Off, Since: day, Skills: trained[p.ID], Seconds: spent[p.ID], Team: duty.team[p.ID],
			OnShift: duty.now[p.ID], HasShift: duty.today[p.ID]}
		if r := kept[p.ID]; r != nil {
			l.State, l.Reason, l.Since, l.Version = r.at(now), r.Reason, r.Since.UTC(), r.Version
			if l.State != r.State {
				l.Reason, l.Since = "连接中断", r.Until.UTC()
			}
		}
		if l.Skills == nil {
			l.Skills = []string{}
		}
		if l.Seconds == nil {
			l.Seconds = map[string]int64{}
		}
		b.Counts[l.State]++
		b.Lines = append(b.Lines, l)
	}
	slices.SortStableFunc(b.Lines, func(x, y Line) int { return slices.Index(States(), x.State) - slices.Index(States(), y.State) })
	return b, nil
}

// Counts says how many seats are in each state now, for the wallboard.
func (s *Service) Counts(ctx context.Context, db bun.IDB, now time.Time) (map[State]int, error) {
	var rows []seat
	if err := db.NewSelect().Model(&rows).Where("state <> ?", Off).Scan(ctx); err != nil {
		return nil, err
	}
	out := map[State]int{}
	for i := range rows {
		out[rows[i].at(now)]++
	}
	delete(out, Off)
	return out, nil
}

// midnight is the beginning of the day in Beijing.
func midnight(now time.Time) time.Time { return clock.Midnight(now).UTC() }

// totals adds up the spells of each person within [from, to), by state.
func totals(ctx context.Context, db bun.IDB, from, to time.Time) (map[int64]map[string]int64, error) {
	var rows []spell
	err := db.NewSelect().Model(&rows).Where("p.ended_at IS NULL OR p.ended_at > ?", from).Where("p.began_at < ?", to).Scan(ctx)
	if err != nil {
		return nil, err
	}
	out := map[int64]map[string]int64{}
	for i := range rows {
		p := &rows[i]
		if out[p.UserID] == nil {
			out[p.UserID] = map[string]int64{}
		}
		out[p.UserID][string(p.State)] += int64(p.within(from, to) / time.Second)
	}
	return out, nil
}

// Spell is a part of a person's day.
type Spell struct {
	State   State      `json:"state" enum:"free,talking,after,break,away,off"`
	Reason  string     `json:"reason"`
	BeganAt time.Time  `json:"beganAt"`
	EndedAt *time.Time `json:"endedAt,omitempty"`
	Seconds int64      `json:"seconds"`
}

// Day lists what a person did on a day in Beijing, in order, at most 500 spells. One's own day, or anybody's for who sees seats.
func (s *Service) Day(ctx context.Context, actor access.Actor, user int64, day time.Time) ([]Spell, error) {
	if err := actor.Need(PermSit); err != nil || user != actor.UserID {
		if err := actor.Need(PermView); err != nil {
			return nil, err
		}
	}
	from := midnight(day)
	to := from.AddDate(0, 0, 1)
	if now := s.clock.Now(); to.After(now) {
		to = now
	}
	var rows []spell
	err := s.db.Read().NewSelect().Model(&rows).Where("p.user_id = ?", user).Where("p.ended_at IS NULL OR p.ended_at > ?", from).Where("p.began_at < ?", to).
		OrderExpr("p.began_at, p.id").Limit(500).Scan(ctx)
	out := make([]Spell, 0, len(rows))
	for i := range rows {
		p := &rows[i]
		v := Spell{State: p.State, Reason: p.Reason, BeganAt: p.BeganAt.UTC(), Seconds: int64(p.within(from, to) / time.Second)}
		if p.EndedAt != nil {
			end := p.EndedAt.UTC()
			v.EndedAt = &end
		}
		out = append(out, v)
	}
	return out, err
}
