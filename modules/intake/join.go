package intake

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// mostHeard is how much of a mail goes onto the timeline of a ticket.
const mostHeard = 2000

// JoinMessage asks to put a mail onto the timeline of the ticket it is about, as when it was forwarded or written from another
// address: such a mail does not find its ticket by itself.
type JoinMessage struct {
	ID      int64
	Version int64
	Number  string // of a ticket the actor sees
}

// Join ends the message with the ticket: its words go onto the timeline, its files to the ticket, and whoever handles it is
// told. It needs intake.inbox; ErrDecided or ErrStale when somebody was faster. What a partner sent becomes a ticket of its own,
// since the partner asks how it stands.
func (s *Service) Join(ctx context.Context, actor access.Actor, cmd JoinMessage) (MessageView, error) {
	if err := staff(actor, PermInbox); err != nil {
		return MessageView{}, err
	}
	number, err := text.Line("number", cmd.Number, 1, 40)
	if err != nil {
		return MessageView{}, text.Named(err, "工单编号")
	}
	id, err := s.Desk.Numbered(ctx, actor, number)
	if errors.Is(err, ErrNotFound) {
		return MessageView{}, fault.InvalidField("number", "INTAKE_NUMBER", "没有找到这件工单，请核对工单编号").Wrap(err)
	} else if err != nil {
		return MessageView{}, err
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		m, err := findMessage(ctx, tx, cmd.ID)
		if err != nil {
			return err
		}
		if m.State != Pending {
			return ErrDecided
		}
		if m.Channel != Mail {
			return fault.InvalidField("number", "INTAKE_JOIN", "对接方的来件请转为工单，再与原工单并单或关联，对接方才能查询进度")
		}
		m.TicketID, m.Number = id, number
		if err := s.decide(ctx, tx, actor, &m, cmd.Version, Joined, ""); err != nil {
			return err
		}
		if err := s.Desk.Hear(ctx, tx, id, Mail, text.Truncate(unquoted(m.Body), mostHeard)); err != nil {
			return err
		}
		return s.Files.Pass(ctx, tx, MessageObject, m.ID, "ticket", id)
	})
	if err != nil {
		return MessageView{}, fmt.Errorf("join message %d: %w", cmd.ID, err)
	}
	return s.Message(ctx, actor, cmd.ID)
}
