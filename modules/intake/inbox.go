package intake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// State is where a message of the inbox stands.
type State string

// The states.
const (
	Pending  State = "pending"
	IsFiled  State = "filed"
	Declined State = "declined"
	Spam     State = "spam"
	Joined   State = "joined"  // it answers about a ticket and was put on its timeline
	Ignored  State = "ignored" // written by a machine: an automatic answer, a bounce, a list, our own address
)

// MessageObject is the name of a message in events and file links.
const MessageObject = "intake_message"

// message is a mail, or a partner's request that is looked at first.
type message struct {
	bun.BaseModel `bun:"table:intake_messages,alias:m"`

	ID         int64      `bun:"id,pk,autoincrement"`
	Channel    Channel    `bun:"channel,notnull"`
	Mark       string     `bun:"mark,notnull"` // the same for the same message, however often it comes
	State      State      `bun:"state,notnull"`
	Version    int64      `bun:"version,notnull"`
	Sender     string     `bun:"sender,notnull,type:text"` // sealed: the address of a mail, else a phone
	Blind      string     `bun:"blind,nullzero"`           // of a mail
	SenderName string     `bun:"sender_name,notnull"`
	Subject    string     `bun:"subject,notnull,type:text"`
	Body       string     `bun:"body,notnull,type:text"`
	Reference  string     `bun:"reference,notnull,type:text"` // its Message-ID, for our answer
	Code       string     `bun:"code,notnull"`                // the ticket type, when the sender named one
	Flag       string     `bun:"flag,notnull,type:text"`      // what an agent should know
	TicketID   int64      `bun:"ticket_id,nullzero"`
	Number     string     `bun:"number,notnull"`
	Reason     string     `bun:"reason,notnull,type:text"`
	DecidedBy  string     `bun:"decided_by,notnull"`
	DecidedAt  *time.Time `bun:"decided_at"`
	ReceivedAt time.Time  `bun:"received_at,notnull"`
}

func senderPlace(mark string) string { return "intake.sender:" + mark }

// MessageReceived is announced when a message comes into the inbox.
type MessageReceived struct {
	ID      int64   `json:"id"`
	Channel Channel `json:"channel"`
	State   State   `json:"state"`
	Subject string  `json:"subject"`
}

// Event names the fact.
func (f MessageReceived) Event() (string, string, int64) {
	return "intake.message_received", MessageObject, f.ID
}

// MessageDecided is announced when an agent decided what becomes of a message.
type MessageDecided struct {
	ID       int64  `json:"id"`
	State    State  `json:"state"`
	Reason   string `json:"reason,omitempty"`
	TicketID int64  `json:"ticketId,omitempty"`
}

// Event names the fact.
func (f MessageDecided) Event() (string, string, int64) {
	return "intake.message_decided", MessageObject, f.ID
}

// putMessage writes a message with its files and announces it; errRepeat when it is there already.
func (s *Service) putMessage(ctx context.Context, tx bun.Tx, m *message, fileIDs []int64) error {
	res, err := tx.NewInsert().Model(m).ExcludeColumn("id").On("CONFLICT (mark) DO NOTHING").Returning("id").Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return errRepeat
	}
	us := access.SystemActor(string(m.Channel))
	for _, id := range fileIDs {
		if err := s.Files.Claim(ctx, tx, us, id, MessageObject, m.ID); err != nil {
			return err
		}
	}
	_, err = event.Append(ctx, tx, us, s.Clock.Now(), MessageReceived{m.ID, m.Channel, m.State, m.Subject})
	return err
}

// Item is a message in the list of the inbox.
type Item struct {
	ID         int64      `json:"id"`
	Version    int64      `json:"version"`
	Channel    Channel    `json:"channel" enum:"open311,wechat,mail"`
	State      State      `json:"state" enum:"pending,filed,declined,spam,joined,ignored"`
	SenderName string     `json:"senderName"`
	Subject    string     `json:"subject"`
	Flag       string     `json:"flag,omitempty" doc:"What an agent should know: a forged reference, an attachment that was refused."`
	TicketID   int64      `json:"ticketId,omitempty"`
	Number     string     `json:"number,omitempty"`
	DecidedBy  string     `json:"decidedBy,omitempty"`
	DecidedAt  *time.Time `json:"decidedAt,omitempty"`
	ReceivedAt time.Time  `json:"receivedAt"`
}

// MessageView is a message opened. Phone is what the agent may start from.
type MessageView struct {
	Item
	Body    string     `json:"body"`
	Address string     `json:"address,omitempty" doc:"Of the sender of a mail."`
	Phone   string     `json:"phone,omitempty" doc:"As given, or found in the text."`
	Type    string     `json:"type,omitempty" doc:"The ticket type that the sender named."`
	Reason  string     `json:"reason,omitempty"`
	Files   []FileView `json:"files"`
}

func (m *message) item() Item {
	return Item{ID: m.ID, Version: m.Version, Channel: m.Channel, State: m.State, SenderName: m.SenderName, Subject: m.Subject, Flag: m.Flag, TicketID: m.TicketID,
		Number: m.Number, DecidedBy: m.DecidedBy, DecidedAt: m.DecidedAt, ReceivedAt: m.ReceivedAt.UTC()}
}

// Inbox lists the messages in a state, newest first; "" is pending. It needs intake.inbox.
func (s *Service) Inbox(ctx context.Context, actor access.Actor, state State, cursor string, limit int) ([]Item, string, error) {
	if err := staff(actor, PermInbox); err != nil {
		return nil, "", err
	}
	if state == "" {
		state = Pending
	}
	if limit < 1 || limit > 100 {
		limit = 20
	}
	var rows []message
	q := s.DB.Read().NewSelect().Model(&rows).ExcludeColumn("body").Where("m.state = ?", state).OrderExpr("m.id DESC").Limit(int64(limit) + 1)
	if before, err := text.Cursor(cursor); err != nil {
		return nil, "", err
	} else if before > 0 {
		q = q.Where("m.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list inbox: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	out := make([]Item, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].item())
	}
	return out, next, nil
}

func findMessage(ctx context.Context, db bun.IDB, id int64) (message, error) {
	var m message
	return m, database.Found(db.NewSelect().Model(&m).Where("m.id = ?", id).Scan(ctx))
}

// SeesMessage returns nil when the actor may read the message's files.
func (s *Service) SeesMessage(ctx context.Context, actor access.Actor, id int64) error {
	if staff(actor, PermInbox) != nil {
		return ErrNotFound
	}
	_, err := findMessage(ctx, s.DB.Read(), id)
	return err
}

// Message opens one. It needs intake.inbox.
func (s *Service) Message(ctx context.Context, actor access.Actor, id int64) (MessageView, error) {
	if err := staff(actor, PermInbox); err != nil {
		return MessageView{}, err
	}
	m, err := findMessage(ctx, s.DB.Read(), id)
	if err != nil {
		return MessageView{}, err
	}
	return s.messageView(ctx, m)
}

func (s *Service) messageView(ctx context.Context, m message) (MessageView, error) {
	v := MessageView{Item: m.item(), Body: m.Body, Type: m.Code, Reason: m.Reason}
	sender, err := s.Box.Open(m.Sender, senderPlace(m.Mark))
	if err != nil {
		return v, err
	}
	if m.Channel == Mail {
		v.Address, v.Phone = string(sender), phoneIn(m.Body)
	} else {
		v.Phone = string(sender)
	}
	object, id := MessageObject, m.ID
	if m.State == IsFiled {
		object, id = "ticket", m.TicketID
	}
	v.Files, err = s.Files.Of(ctx, s.DB.Read(), object, id)
	return v, err
}

// MakeTicket has a message become a ticket. Version is the message's as the actor saw it.
type MakeTicket struct {
	ID             int64
	Version        int64
	Type           string
	Title          string
	Body           string
	ContactName    string
	Phone          string
	EnterpriseName string
}

// Make opens the ticket of a message, hands it the files, and has the sender of a mail told number and query code, all in one
// transaction. It needs intake.inbox, and of the desk the right to open tickets; ErrDecided or ErrStale when somebody was
// faster. A mail needs no phone: its sender is reached by mail.
func (s *Service) Make(ctx context.Context, actor access.Actor, cmd MakeTicket) (MessageView, error) {
	if err := staff(actor, PermInbox); err != nil {
		return MessageView{}, err
	}
	seen, err := findMessage(ctx, s.DB.Read(), cmd.ID)
	if err != nil {
		return MessageView{}, err
	}
	if seen.State != Pending {
		return MessageView{}, ErrDecided
	}
	if strings.TrimSpace(cmd.Phone) == "" && seen.Channel != Mail {
		return MessageView{}, fault.InvalidField("phone", "REQUIRED", "请填写联系电话")
	}
	err = s.Desk.Open(ctx, actor, Filing{Channel: seen.Channel, Type: cmd.Type, Title: cmd.Title, Body: cmd.Body, ContactName: cmd.ContactName, Phone: cmd.Phone,
		EnterpriseName: cmd.EnterpriseName, Within: func(ctx context.Context, tx bun.Tx, f Filed) error {
			m := seen
			m.TicketID, m.Number = f.ID, f.Number
			if err := s.decide(ctx, tx, actor, &m, cmd.Version, IsFiled, ""); err != nil {
				return err
			}
			if err := s.Files.Pass(ctx, tx, MessageObject, m.ID, "ticket", f.ID); err != nil {
				return err
			}
			_, err := tx.NewUpdate().Model((*requestRow)(nil)).Set("ticket_id = ?", f.ID).Set("number = ?", f.Number).Set("due_at = ?", f.DueAt).
				Set("note = ?", notes["received"].note).Set("updated_at = ?", s.Clock.Now()).Where("message_id = ?", m.ID).Exec(ctx)
			if err != nil {
				return err
			}
			return s.acknowledge(ctx, tx, &m, f)
		}})
	if err != nil {
		return MessageView{}, fmt.Errorf("make a ticket of message %d: %w", cmd.ID, err)
	}
	return s.Message(ctx, actor, cmd.ID)
}

// decide takes the message to its end, once.
func (s *Service) decide(ctx context.Context, tx bun.Tx, actor access.Actor, m *message, version int64, to State, reason string) error {
	now := s.Clock.Now()
	m.State, m.Version, m.Reason, m.DecidedBy, m.DecidedAt = to, version+1, reason, actor.Name, &now
	err := database.Changed(tx.NewUpdate().Model(m).Column("state", "version", "reason", "decided_by", "decided_at", "ticket_id", "number").
		Where("id = ? AND version = ? AND state = ?", m.ID, version, Pending).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return ErrStale
	} else if err != nil {
		return err
	}
	return s.record(ctx, tx, actor, MessageDecided{m.ID, to, reason, m.TicketID}, audit.Record{Action: "intake." + string(to), Object: MessageObject, ObjectID: m.ID,
		Summary: verdicts[to], Detail: map[string]any{"ticketId": m.TicketID}})
}

var verdicts = map[State]string{IsFiled: "来件转为工单", Declined: "来件不予受理", Spam: "来件标为垃圾", Joined: "来件并入工单"}

// Judge refuses a message or puts it away as rubbish.
type Judge struct {
	ID      int64
	Version int64
	State   State // Declined with its reason and legal route, or Spam
	Reason  string
}

// Judge ends a message without a ticket. The sender of a mail that is declined is told why; rubbish is not answered.
func (s *Service) Judge(ctx context.Context, actor access.Actor, cmd Judge) (MessageView, error) {
	if err := staff(actor, PermInbox); err != nil {
		return MessageView{}, err
	}
	least := 0
	switch cmd.State {
	case Declined:
		least = 5
	case Spam:
	default:
		return MessageView{}, fault.InvalidField("state", "INTAKE_STATE", "请选择不予受理或垃圾")
	}
	reason, err := text.Block("reason", cmd.Reason, least, 500)
	if err != nil {
		return MessageView{}, text.Named(err, "原因")
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		m, err := findMessage(ctx, tx, cmd.ID)
		if err != nil {
			return err
		}
		if m.State != Pending {
			return ErrDecided
		}
		if err := s.decide(ctx, tx, actor, &m, cmd.Version, cmd.State, reason); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model((*requestRow)(nil)).Set("state = ?", requestClosed).Set("note = ?", notes["declined"].note).Set("updated_at = ?", s.Clock.Now()).
			Where("message_id = ?", m.ID).Exec(ctx)
		if err != nil || cmd.State != Declined {
			return err
		}
		return s.refuse(ctx, tx, &m)
	})
	if err != nil {
		return MessageView{}, fmt.Errorf("judge message %d: %w", cmd.ID, err)
	}
	return s.Message(ctx, actor, cmd.ID)
}
