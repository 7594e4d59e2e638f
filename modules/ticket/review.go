package ticket

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// PermTypes is the right to set how the types of requests are handled.
const PermTypes access.Permission = "ticket.types"

// ReviewTicket judges a unit's reply before the requester is called.
type ReviewTicket struct {
	Ref
	Note string // needed to send back
	// Evidence is the desk's word on what the unit showed.
	Evidence []JudgeEvidence `json:",omitempty"`
}

// Review finds a unit's reply good enough for the call-back. Errors as Answer, with ticket.review.
func (s *Service) Review(ctx context.Context, actor access.Actor, cmd ReviewTicket) (View, error) {
	note, err := clean("note", "审核意见", cmd.Note, maxNote, false)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToReview, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		if err := t.Review(); err != nil {
			return effect{}, err
		}
		judged, err := s.judgeEvidence(ctx, tx, actor, t, cmd.Evidence)
		return effect{fact: func(h Head) event.Fact { return ReviewPassed{h, note, judged} }, summary: "审核通过", detail: cmd.Evidence}, err
	})
}

// SendBack has the unit answer anew, under the clock that runs. Errors as Review.
func (s *Service) SendBack(ctx context.Context, actor access.Actor, cmd ReviewTicket) (View, error) {
	note, err := clean("note", "退回原因", cmd.Note, maxNote, true)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, actor, ToSendBack, cmd.Ref, cmd, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
		var judged *EvidenceFact
		e := effect{fact: func(h Head) event.Fact { return ReviewRefused{h, note, judged} }, summary: "审核退回", detail: cmd.Evidence}
		if !t.Allows(ToSendBack) {
			return e, t.SendBack(&Hop{})
		}
		h, err := leadHop(ctx, tx, t.ID)
		if fault.KindOf(err) == fault.NotFound || err == nil && h.State == HopMerged {
			return e, ErrState.With("该工单随主单办结，请对主单审核")
		} else if err != nil {
			return e, err
		}
		if err := t.SendBack(h); err != nil {
			return e, err
		}
		if judged, err = s.judgeEvidence(ctx, tx, actor, t, cmd.Evidence); err != nil {
			return e, err
		}
		return e, saveHop(ctx, tx, h)
	})
}

// reviewOf reports whether a type has its replies reviewed.
func reviewOf(ctx context.Context, db bun.IDB, code string) (bool, error) {
	var on bool
	err := database.QueryOne(ctx, db, []any{&on}, "SELECT review FROM ticket_types WHERE code = ?", code)
	return on, database.Found(err)
}

// SetReview says whether the replies to a type of requests are reviewed before the requester is called; it holds for replies
// from then on. It returns ErrForbidden without ticket.types and ErrNotFound for an unknown type.
func (s *Service) SetReview(ctx context.Context, actor access.Actor, code string, on bool) error {
	if err := actor.Need(PermTypes); err != nil {
		return err
	}
	if !isDesk(actor) {
		return ErrForbidden
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*typeRow)(nil)).Set("review = ?", on).Where("code = ?", code).Exec(ctx)
		if err = database.Changed(res, err); fault.KindOf(err) == fault.Conflict {
			return ErrNotFound
		} else if err != nil {
			return err
		}
		summary := "诉求类型 " + code + " 的办理结果不再审核"
		if on {
			summary = "诉求类型 " + code + " 的办理结果须审核后回访"
		}
		return audit.Write(ctx, tx, actor, s.clock.Now(), audit.Record{Action: "ticket.type_review", Object: "ticket_type", Summary: summary, Detail: map[string]any{"code": code, "review": on}})
	})
}
