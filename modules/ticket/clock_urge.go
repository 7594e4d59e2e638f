package ticket

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// The faults of urging.
var (
	// ErrNotWithUnit: nobody has the ticket who could be pressed.
	ErrNotWithUnit = fault.New(fault.Conflict, "TICKET_NOT_WITH_UNIT", "工单不在承办单位手中，无需催办")
	// ErrUrged: the unit has not answered the last reminder yet.
	ErrUrged = fault.New(fault.Conflict, "TICKET_URGED", "上一次催办尚在答复时限内，请等待承办单位答复")
	// ErrNotUrged: there is no reminder to answer.
	ErrNotUrged = fault.New(fault.Conflict, "TICKET_NOT_URGED", "没有待答复的催办")
)

// Press is a word that goes with a ticket and moves it to no other state: a reminder, its answer, an instruction.
type Press struct {
	ID   int64  `json:"id"`
	Key  string `json:"-"`
	Text string `json:"text"`
}

// Urge presses the unit that has the ticket, with a reason; it has until the end of a clock of its own to answer. It returns
// ErrNotFound when the actor cannot see the ticket, ErrForbidden without ticket.urge, ErrNotWithUnit when no unit has it, and
// ErrUrged while the last reminder waits for its answer in time.
func (s *Service) Urge(ctx context.Context, actor access.Actor, cmd Press) (View, error) {
	text, err := clean("reason", "催办理由", cmd.Text, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.press(ctx, actor, cmd, "urge", "催办", func(ctx context.Context, tx bun.Tx, now time.Time, t *Ticket) (event.Fact, error) {
		if !isDesk(actor) || !actor.Can(PermUrge) {
			return nil, ErrForbidden
		}
		if t.Status != Sent && t.Status != Handling {
			return nil, ErrNotWithUnit
		}
		clocks, err := openClocks(ctx, tx, t.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range clocks {
			if c.Kind == UrgeClock && now.Before(c.DueAt) {
				return nil, ErrUrged.With("上一次催办的答复时限为%s，请等待承办单位答复", clock.Show(c.DueAt))
			}
		}
		r, err := s.clockRules(ctx, tx)
		if err != nil {
			return nil, err
		}
		hop, err := leadHop(ctx, tx, t.ID)
		if err != nil {
			return nil, err
		}
		by := r.due(t.Type, t.Urgency, UrgeClock, now)
		return Urged{Head: t.head(), ClockFact: ClockFact{Kind: UrgeClock, HopID: hop.ID, ClockDueAt: by.UTC()}, Name: "催办", Reason: text, AnswerBy: by.UTC()}, nil
	})
}

// AnswerUrge says how things stand, for the unit that was pressed. Errors as Urge, with ticket.reply; ErrNotUrged when no
// reminder waits.
func (s *Service) AnswerUrge(ctx context.Context, actor access.Actor, cmd Press) (View, error) {
	text, err := clean("text", "进展情况", cmd.Text, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.press(ctx, actor, cmd, "urge_answer", "答复催办", func(ctx context.Context, tx bun.Tx, _ time.Time, t *Ticket) (event.Fact, error) {
		if !isLead(actor, t) || !actor.Can(PermReply) {
			return nil, ErrForbidden
		}
		clocks, err := openClocks(ctx, tx, t.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range clocks {
			if c.Kind == UrgeClock {
				return UrgeAnswered{Head: t.head(), Text: text}, nil
			}
		}
		return nil, ErrNotUrged
	})
}

// Instruct keeps a leader's instruction with the ticket; the unit is told. It returns ErrNotFound when the actor cannot see
// the ticket, ErrForbidden without ticket.instruct, and ErrState for a ticket that is over.
func (s *Service) Instruct(ctx context.Context, actor access.Actor, cmd Press) (View, error) {
	text, err := clean("text", "批示内容", cmd.Text, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.press(ctx, actor, cmd, "instruct", "领导批示", func(_ context.Context, _ bun.Tx, _ time.Time, t *Ticket) (event.Fact, error) {
		if actor.Party == access.Enterprise || !actor.Can(PermInstruct) {
			return nil, ErrForbidden
		}
		if t.ClosedAt != nil {
			return nil, ErrState.With("工单当前为“%s”，不能批示", t.Status.Label())
		}
		return Instructed{Head: t.head(), Text: text}, nil
	})
}

// press is the frame of the three: right, key, ticket, event, clocks, audit, in one transaction. The version of the ticket
// stays, so that nobody who works on it is held up.
func (s *Service) press(ctx context.Context, actor access.Actor, cmd Press, action, label string,
	step func(ctx context.Context, tx bun.Tx, now time.Time, t *Ticket) (event.Fact, error),
) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "ticket." + action, Key: cmd.Key, Request: cmd, Now: now,
		}, func() (outcome, error) {
			t, err := find(ctx, tx, visible(actor), cmd.ID)
			if err != nil {
				return outcome{}, err
			}
			fact, err := step(ctx, tx, now, t)
			if err != nil {
				return outcome{}, err
			}
			if _, err := event.Append(ctx, tx, actor, now, fact); err != nil {
				return outcome{}, err
			}
			if err := s.keepClocks(ctx, tx, actor, now, t, fact); err != nil {
				return outcome{}, err
			}
			return outcome{ID: t.ID}, audit.Write(ctx, tx, actor, now, audit.Record{
				Action: "ticket." + action, Object: Object, ObjectID: t.ID, Summary: label + " " + t.Number,
			})
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s ticket %d: %w", action, cmd.ID, err)
	}
	return s.Get(ctx, actor, cmd.ID)
}
