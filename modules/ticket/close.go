package ticket

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
)

// CallBackTicket records a call that did not settle the ticket.
type CallBackTicket struct {
	Ref
	Outcome Outcome
	Note    string
}

// CallBack records a call to the requester that did not settle the ticket: not reached, wrong number, to be called again.
// Errors as Answer, with ticket.close.
func (s *Service) CallBack(ctx context.Context, actor access.Actor, cmd CallBackTicket) (View, error) {
	note, err := clean("note", "回访情况", cmd.Note, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToCallBack, cmd.Ref, cmd, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
		return calledBack(cmd.Outcome, note), t.CallBack()
	})
}

// CloseTicket asks to end a ticket with the outcome of the call-back.
type CloseTicket struct {
	Ref
	Outcome *Outcome // needed after a unit's reply, unless the ticket is not in the sample of its type
	Note    string   // needed when the outcome is not good
}

// Close ends a ticket that was answered, replied to or called back. Errors as Answer, with ticket.close; ErrOutcome and
// ErrReason when the call-back is not told.
func (s *Service) Close(ctx context.Context, actor access.Actor, cmd CloseTicket) (View, error) {
	note, err := clean("note", "回访情况", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToClose, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if cmd.Outcome == nil && t.callable() {
			c, err := callbackOf(ctx, tx, t.ID, t.Round)
			if err != nil {
				return effect{}, err
			}
			if c != nil && c.State == CallbackSpared {
				return closed(nil, note), t.CloseUncalled(s.clock.Now())
			}
		}
		return closed(cmd.Outcome, note), t.Close(s.clock.Now(), cmd.Outcome, note)
	})
}

// ReopenTicket asks the unit to do it again.
type ReopenTicket struct {
	Ref
	Reason string
	UnitID int64 // another unit than the last; 0 for the same, if there was one
}

// Reopen has a ticket done again under a new clock, by the same unit or another, because the requester is not satisfied, also when
// they say so after it was closed. What the desk answered itself needs a unit. Errors as Answer, with ticket.reopen; ErrRequest
// while an appeal waits.
func (s *Service) Reopen(ctx context.Context, actor access.Actor, cmd ReopenTicket) (View, error) {
	reason, err := clean("reason", "重办原因", cmd.Reason, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToReopen, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		return s.doAgain(ctx, tx, actor, t, cmd.UnitID, reason, nil, nil)
	})
}

// RateTicket is the requester's judgement.
type RateTicket struct {
	Ref
	Rating  int      // 1 to 5
	Tags    []string `json:",omitempty"` // of the form's level
	Opinion string
	Solved  *bool `json:",omitempty"` // nil goes by the rating
}

// Rate keeps the requester's judgement, once for each reply. Before anybody called about the reply it counts as the call-back:
// the ticket ends, or is done again. Everybody but the requester gets ErrForbidden or ErrNotFound.
func (s *Service) Rate(ctx context.Context, actor access.Actor, cmd RateTicket) (View, error) {
	opinion, err := clean("opinion", "评价内容", cmd.Opinion, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToRate, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		solved := cmd.Rating >= satisfiedFrom
		if cmd.Solved != nil {
			solved = *cmd.Solved
		}
		j := Judgement{Level: cmd.Rating, Tags: cmd.Tags, Words: opinion}
		if err := s.checkJudgement(ctx, tx, &j, map[string]string{"level": "rating", "words": "opinion"}); err != nil {
			return effect{}, err
		}
		return s.rating(ctx, tx, t, j, solved, nil)
	})
}

// rating is the step of a requester's judgement, with what follows from it.
func (s *Service) rating(ctx context.Context, tx bun.Tx, t *Ticket, j Judgement, solved bool, responded *bool) (effect, error) {
	e := rated(j)
	e.then = func() error { return s.judged(ctx, tx, t, j, solved, responded) }
	return e, t.Rate(j.Level, j.Tags, j.Words)
}
