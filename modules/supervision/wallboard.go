package supervision

import (
	"context"
	"fmt"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
)

// Wallboard is how the desk stands at a moment.
type Wallboard struct {
	At       time.Time `json:"at"`
	Calls    Calls     `json:"calls"`
	Seats    []Seat    `json:"seats"`
	Standing Standing  `json:"standing"`
	// Received, Answered and Closed are tickets of today in Beijing.
	Received int64       `json:"received"`
	Answered int64       `json:"answered" doc:"By the desk itself, or by a unit."`
	Closed   int64       `json:"closed"`
	Hours    []int       `json:"hours" doc:"Tickets received in each hour of today."`
	Alarms   []AlarmView `json:"alarms" doc:"Those nobody has acknowledged."`
	// ConnectTarget and AnswerWithin are the standard's (GB/T 33358-2016).
	ConnectTarget float64 `json:"connectTarget"`
	AnswerWithin  int     `json:"answerWithin" doc:"Seconds."`
}

// Wallboard reads it. It takes supervision.view; tickets are counted as far as the actor sees them.
func (s *Service) Wallboard(ctx context.Context, actor access.Actor) (Wallboard, error) {
	if err := actor.Need(PermView); err != nil {
		return Wallboard{}, err
	}
	db, now := s.DB.Read(), s.Clock.Now()
	day := clock.Midnight(now)
	w := Wallboard{At: now, ConnectTarget: 0.95, AnswerWithin: 15, Hours: make([]int, 24)}
	var err error
	if w.Calls, err = s.Telephone.Figures(ctx, db, day, day.AddDate(0, 0, 1), now); err != nil {
		return Wallboard{}, err
	}
	if w.Seats, err = s.Seats.Counts(ctx, db, now); err != nil {
		return Wallboard{}, err
	}
	if w.Standing, err = s.Tickets.Standing(ctx, actor); err != nil {
		return Wallboard{}, err
	}
	counts, err := event.Counts(ctx, db, day, day.AddDate(0, 0, 1))
	if err != nil {
		return Wallboard{}, fmt.Errorf("count today: %w", err)
	}
	w.Received, w.Answered, w.Closed = counts["ticket.opened"], counts["ticket.answered"]+counts["ticket.replied"], counts["ticket.closed"]
	var seen []seen
	if err := db.NewSelect().Model(&seen).Column("at").Where("e.at >= ? AND e.at < ?", day, day.AddDate(0, 0, 1)).Limit(20_000).Scan(ctx); err != nil {
		return Wallboard{}, err
	}
	for _, x := range seen {
		w.Hours[int(x.At.Sub(day).Hours())]++
	}
	hidden, err := s.Tickets.Hidden(ctx, actor, day, day.AddDate(0, 0, 1))
	if err != nil {
		return Wallboard{}, err
	}
	for _, h := range hidden {
		w.without(h, day)
	}
	w.Alarms, err = s.alarms(ctx, true, 0, 10)
	return w, err
}

// without takes a fact the actor does not see out of the counts of the day.
func (w *Wallboard) without(h Fact, day time.Time) {
	switch h.Type {
	case "ticket.opened":
		w.Received = max(0, w.Received-1)
		if hour := int(h.At.Sub(day).Hours()); w.Hours[hour] > 0 { // the listener may not have heard of it yet
			w.Hours[hour]--
		}
	case "ticket.answered", "ticket.replied":
		w.Answered = max(0, w.Answered-1)
	case "ticket.closed":
		w.Closed = max(0, w.Closed-1)
	}
}
