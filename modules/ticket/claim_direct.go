package ticket

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// AtOnce is what an agent with a caller on the line does with the request at once. With Answer it is answered and closed
// (直接答复并办结), with UnitID dispatched (登记并派单), with neither it waits in the queue. The whole is one transaction that takes
// the steps of the table one after the other: nobody ever sees half of it, and each step has its own event and its own right.
type AtOnce struct {
	Answer  string
	FileIDs []int64
	// Solved and Satisfied are what the caller said; that they were reached is plain. Note says why when either is not so.
	Solved, Satisfied bool
	Note              string // of the outcome, or of the dispatch
	UnitID            int64
}

// onLine is the outcome of a call that need not be called back.
func (n *AtOnce) onLine() *Outcome {
	return &Outcome{Contacted: true, Solved: n.Solved, Satisfied: n.Satisfied}
}

// check cleans what was typed, before the transaction.
func (n *AtOnce) check(actor access.Actor, agent bool) error {
	if n == nil {
		return nil
	}
	if !agent {
		return ErrForbidden
	}
	var err error
	if n.Note, err = clean("note", "说明", n.Note, maxNote, false); err != nil {
		return err
	}
	if n.Answer, err = clean("answer", "答复内容", n.Answer, maxBody, false); err != nil {
		return err
	}
	switch {
	case n.Answer != "" && n.UnitID != 0:
		return fault.InvalidField("unitId", "DESK_BOTH", "请选择直接答复办结或派单，不能同时进行")
	case n.Answer != "" && (!actor.Can(PermAnswer) || !actor.Can(PermClose)), n.UnitID != 0 && !actor.Can(PermDispatch):
		return ErrForbidden
	case n.Answer != "" && !n.onLine().Good() && n.Note == "":
		return fault.InvalidField("note", "TICKET_REASON", "未解决或不满意时，请写明情况后再办结，或改为派单")
	}
	return nil
}

// then takes the steps that follow the opening.
func (s *Service) then(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, t *Ticket, n *AtOnce) error {
	if n == nil {
		return nil
	}
	if err := dropDraft(ctx, tx, actor.UserID); err != nil {
		return err
	}
	switch {
	case n.Answer != "":
		err := s.step(ctx, tx, actor, now, ToAnswer, t, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
			return answered(n.Answer, n.FileIDs), t.Answer(n.Answer)
		})
		if err != nil {
			return err
		}
		return s.step(ctx, tx, actor, now, ToClose, t, func(_ context.Context, _ bun.Tx, t *Ticket) (effect, error) {
			o := n.onLine()
			e := closed(o, n.Note)
			e.fact = func(h Head) event.Fact { return Closed{Head: h, Outcome: o, Note: n.Note, OnLine: true} }
			return e, t.Close(now, o, n.Note)
		})
	case n.UnitID != 0:
		return s.step(ctx, tx, actor, now, ToDispatch, t, func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error) {
			return s.dispatch(ctx, tx, actor, now, t, DispatchTicket{UnitID: n.UnitID}, n.Note)
		})
	}
	return nil
}

// maxDraft bounds a draft, in bytes.
const maxDraft = 64 << 10

// ErrDraft: what is typed is larger than a draft may be.
var ErrDraft = fault.New(fault.Invalid, "DESK_DRAFT", "内容过长，暂不能自动保存，请尽快提交")

// Draft is what an agent has typed and not sent yet.
type Draft struct {
	Body json.RawMessage `json:"body"`
	At   time.Time       `json:"at"`
}

func draftPlace(user int64) string { return fmt.Sprintf("ticket.draft:%d", user) }

// KeepDraft keeps what the actor has typed, for them alone and sealed: it holds a caller's number. Opening the ticket with Then
// takes it away in the same transaction.
func (s *Service) KeepDraft(ctx context.Context, actor access.Actor, body json.RawMessage) error {
	if err := colleagueMay(actor, PermOpen); err != nil {
		return err
	}
	if len(body) > maxDraft {
		return ErrDraft
	}
	sealed := s.box.Seal(body, draftPlace(actor.UserID))
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := database.Run(ctx, tx, "INSERT INTO ticket_drafts (user_id, sealed, at) VALUES (?, ?, ?) ON CONFLICT (user_id) DO UPDATE SET sealed = EXCLUDED.sealed, at = EXCLUDED.at",
			actor.UserID, sealed, s.clock.Now())
		return err
	})
}

// DraftOf returns the actor's draft, nil when there is none.
func (s *Service) DraftOf(ctx context.Context, actor access.Actor) (*Draft, error) {
	if err := colleagueMay(actor, PermOpen); err != nil {
		return nil, err
	}
	var rows []struct {
		Sealed string    `bun:"sealed"`
		At     time.Time `bun:"at"`
	}
	err := database.QueryAll(ctx, s.db.Read(), &rows, "SELECT sealed, at FROM ticket_drafts WHERE user_id = ?", actor.UserID)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	body, err := s.box.Open(rows[0].Sealed, draftPlace(actor.UserID))
	return &Draft{Body: body, At: rows[0].At.UTC()}, err
}

// DropDraft forgets the actor's draft.
func (s *Service) DropDraft(ctx context.Context, actor access.Actor) error {
	if err := colleagueMay(actor, PermOpen); err != nil {
		return err
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return dropDraft(ctx, tx, actor.UserID) })
}

func dropDraft(ctx context.Context, tx bun.Tx, user int64) error {
	_, err := database.Run(ctx, tx, "DELETE FROM ticket_drafts WHERE user_id = ?", user)
	return err
}
