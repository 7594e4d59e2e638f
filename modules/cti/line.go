package cti

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// LineCall is the call on a person's telephone.
type LineCall struct {
	ID         int64      `json:"id"`
	Direction  string     `json:"direction" enum:"in,out"`
	State      State      `json:"state" enum:"ringing,talking,ended,missed"`
	Queue      string     `json:"queue"`
	Number     string     `json:"number" doc:"In clear while the call lasts, masked afterwards; empty when it is hidden."`
	RangAt     time.Time  `json:"rangAt"`
	AnsweredAt *time.Time `json:"answeredAt,omitempty"`
	EndedAt    *time.Time `json:"endedAt,omitempty"`
	TicketID   int64      `json:"ticketId" doc:"Registered during the call; 0 for none."`
	Caller     Caller     `json:"caller"`
	Warning    string     `json:"warning" doc:"Why the number is on the list of nuisance callers."`
}

// Line is a person's telephone.
type Line struct {
	Extension string    `json:"extension"`
	Call      *LineCall `json:"call,omitempty"`
}

// after is how long a call that ended stays on the screen.
const after = 3 * time.Minute

// Line returns the actor's own telephone with the call on it. Who sits at the desk may.
func (s *Service) Line(ctx context.Context, actor access.Actor) (Line, error) {
	if err := actor.Need(permSit); err != nil {
		return Line{}, err
	}
	db, now := s.DB.Read(), s.Clock.Now()
	var out Line
	err := db.NewSelect().Model((*extension)(nil)).Column("extension").Where("user_id = ?", actor.UserID).OrderExpr("extension").Limit(1).Scan(ctx, &out.Extension)
	if err != nil && !errors.Is(database.Found(err), fault.ErrNotFound) {
		return Line{}, err
	}
	c := new(call)
	err = database.Found(db.NewSelect().Model(c).Where("c.user_id = ? AND c.rang_at > ?", actor.UserID, now.Add(-4*time.Hour)).
		Where("c.ended_at IS NULL OR c.ended_at > ?", now.Add(-after)).OrderExpr("c.rang_at DESC, c.id DESC").Limit(1).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return Line{}, err
	}
	v := &LineCall{ID: c.ID, Direction: c.Direction, State: c.State, Queue: c.Queue, RangAt: c.RangAt.UTC(), AnsweredAt: utc(c.AnsweredAt), EndedAt: utc(c.EndedAt), TicketID: c.TicketID,
		Caller: Caller{Tickets: []CallerEntry{}}}
	out.Call = v
	number, err := s.number(c)
	if err != nil || number == "" {
		return out, err
	}
	if v.Number = number; c.EndedAt != nil {
		v.Number = text.MaskPhone(number)
	}
	if v.Caller, err = s.Callers.Caller(ctx, actor, number); err != nil {
		return Line{}, err
	}
	if v.Caller.Tickets == nil {
		v.Caller.Tickets = []CallerEntry{}
	}
	v.Warning, err = s.warning(ctx, db, number, now)
	return out, err
}

func (s *Service) number(c *call) (string, error) {
	if c.Sealed == "" {
		return "", nil
	}
	plain, err := s.Box.Open(c.Sealed, numberPlace(c.CallID))
	return string(plain), err
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

// grace is how long after the end of a call a ticket its person opens still belongs to it.
const grace = 15 * time.Minute

// Attach ties a ticket that a person opened to the call they were on then; nothing happens when they were on none. A call
// has one ticket, the first.
func (s *Service) Attach(ctx context.Context, tx bun.Tx, user, ticket int64, at time.Time) error {
	if user == 0 {
		return nil
	}
	_, err := database.Run(ctx, tx, `UPDATE cti_calls SET ticket_id = ? WHERE ticket_id = 0 AND id = (SELECT id FROM cti_calls WHERE user_id = ? AND answered_at <= ?
		AND (ended_at IS NULL AND rang_at > ? OR ended_at > ?) ORDER BY answered_at DESC LIMIT 1)`, ticket, user, at, at.Add(-4*time.Hour), at.Add(-grace))
	return err
}

// CallView is a call of a ticket.
type CallView struct {
	ID        int64     `json:"id"`
	Direction string    `json:"direction" enum:"in,out"`
	State     State     `json:"state" enum:"ringing,talking,ended,missed"`
	Number    string    `json:"number" doc:"Masked."`
	Seat      string    `json:"seat"`
	RangAt    time.Time `json:"rangAt"`
	Seconds   int64     `json:"seconds" doc:"Of talking."`
	Recorded  bool      `json:"recorded" doc:"There is a recording the actor may play."`
}

// OfTicket lists the calls of a ticket that the actor may see, newest first. Staff may.
func (s *Service) OfTicket(ctx context.Context, actor access.Actor, ticket int64) ([]CallView, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	if err := s.Tickets.Sees(ctx, actor, ticket); err != nil {
		return nil, err
	}
	if actor.Party != access.Platform && actor.Party != access.Government {
		return nil, ErrForbidden
	}
	var rows []call
	if err := s.DB.Read().NewSelect().Model(&rows).Where("c.ticket_id = ?", ticket).OrderExpr("c.rang_at DESC").Limit(50).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]CallView, 0, len(rows))
	for i := range rows {
		c := &rows[i]
		number, err := s.number(c)
		if err != nil {
			return nil, err
		}
		v := CallView{ID: c.ID, Direction: c.Direction, State: c.State, Number: text.MaskPhone(number), Seat: c.UserName, RangAt: c.RangAt.UTC(), Recorded: c.Recording != "" && actor.Can(PermListen)}
		if c.AnsweredAt != nil && c.EndedAt != nil {
			v.Seconds = int64(c.EndedAt.Sub(*c.AnsweredAt) / time.Second)
		}
		out = append(out, v)
	}
	return out, nil
}

// Play returns where the recording of a call lies and writes down who asked. It takes cti.listen, and the right to see the
// ticket the call belongs to, if any; it returns ErrRecording without a recording.
func (s *Service) Play(ctx context.Context, actor access.Actor, id int64) (string, error) {
	if err := actor.Need(PermListen); err != nil {
		return "", err
	}
	c := new(call)
	if err := database.Found(s.DB.Read().NewSelect().Model(c).Where("c.id = ?", id).Scan(ctx)); err != nil {
		return "", err
	}
	if c.TicketID != 0 {
		if err := s.Tickets.Sees(ctx, actor, c.TicketID); err != nil {
			return "", err
		}
	}
	if c.Recording == "" || !s.allowed(c.Recording) { // the list may have changed since
		return "", ErrRecording
	}
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "cti.play", Object: "call", ObjectID: c.ID, Summary: "调听通话录音",
			Detail: map[string]any{"callId": c.CallID, "ticketId": c.TicketID, "seat": c.UserName}})
	})
	if err != nil {
		return "", fmt.Errorf("play call %d: %w", id, err)
	}
	return c.Recording, nil
}

// Figures are those of the incoming calls of a span.
type Figures struct {
	Calls    int `json:"calls"`
	Answered int `json:"answered"`
	Missed   int `json:"missed"`
	InTime   int `json:"inTime" doc:"Answered within 15 seconds (GB/T 33358-2016)."`
	Waiting  int `json:"waiting" doc:"Ringing now."`
	// LongestWait is how many seconds the call that waits longest has waited.
	LongestWait int64          `json:"longestWait"`
	Queues      []QueueWaiting `json:"queues"`
	ConnectRate float64        `json:"connectRate" doc:"Answered of those that ended or were answered; 1 without any."`
	InTimeRate  float64        `json:"inTimeRate" doc:"Answered within 15 seconds, of those answered; 1 without any."`
}

// QueueWaiting is how many wait in a queue.
type QueueWaiting struct {
	Queue   string `json:"queue"`
	Waiting int    `json:"waiting"`
}

// AnswerWithin is how soon a call should be answered, ConnectTarget the share that should be (GB/T 33358-2016).
const (
	AnswerWithin  = 15 * time.Second
	ConnectTarget = 0.95
)

// Figures reckons those of the calls that rang in [from, to), at most a few days. Waiting counts calls of the last half hour:
// one whose end was never told waits no longer.
func (s *Service) Figures(ctx context.Context, db bun.IDB, from, to, now time.Time) (Figures, error) {
	var rows []call
	err := db.NewSelect().Model(&rows).Column("queue", "state", "rang_at", "answered_at", "ended_at").
		Where("c.rang_at >= ? AND c.rang_at < ? AND c.direction = 'in'", from, to).OrderExpr("c.rang_at").Limit(50_000).Scan(ctx)
	if err != nil {
		return Figures{}, fmt.Errorf("figures of calls: %w", err)
	}
	f := Figures{Calls: len(rows), Queues: []QueueWaiting{}, ConnectRate: 1, InTimeRate: 1}
	for i := range rows {
		c := &rows[i]
		switch {
		case c.AnsweredAt != nil:
			f.Answered++
			if c.AnsweredAt.Sub(c.RangAt) <= AnswerWithin {
				f.InTime++
			}
		case c.EndedAt != nil:
			f.Missed++
		case now.Sub(c.RangAt) < 30*time.Minute:
			f.wait(c, now)
		}
	}
	if n := f.Answered + f.Missed; n > 0 {
		f.ConnectRate = float64(f.Answered) / float64(n)
	}
	if f.Answered > 0 {
		f.InTimeRate = float64(f.InTime) / float64(f.Answered)
	}
	return f, nil
}

func (f *Figures) wait(c *call, now time.Time) {
	f.Waiting++
	f.LongestWait = max(f.LongestWait, int64(now.Sub(c.RangAt)/time.Second))
	name := c.Queue
	if name == "" {
		name = "热线"
	}
	for i := range f.Queues {
		if f.Queues[i].Queue == name {
			f.Queues[i].Waiting++
			return
		}
	}
	f.Queues = append(f.Queues, QueueWaiting{name, 1})
}
