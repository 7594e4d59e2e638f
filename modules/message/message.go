// Package message is the message centre (requirements I1–I3). Today it sends text messages.
//
// Words: a message is a row of the outbox, written in the transaction of the change it tells of; a job wakes a worker
// to send it. States: queued → sending → sent, or refused (the provider said no), or unknown (the answer was lost).
// An unknown message is asked about by our id and never sent again blindly.
//
// Tables: sms_messages. Needs: an SMS sender. Announces nothing.
package message

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// State is where a message stands.
type State string

// The states of a message.
const (
	Queued  State = "queued"
	Sending State = "sending"
	Sent    State = "sent"
	Refused State = "refused"
	Unknown State = "unknown"
)

// Text is one text message to one phone.
type Text struct {
	Phone    string // normalized, 11 digits
	Template string // our name: "code"; the installation maps it to the provider's code
	Params   map[string]string
}

// Outcome is what came of handing a message to the provider.
type Outcome struct {
	State     State  // Sent, Refused, Unknown, or Queued when nothing left and it may be tried again
	Receipt   string // the provider's id
	Code      string // the provider's code for a refusal
	Permanent bool   // trying the same message again cannot help
	Err       error  // for the log
}

// Sender hands messages to the provider. id is ours; the provider keeps it, and Ask finds the message by it.
type Sender interface {
	Send(ctx context.Context, id string, t Text) Outcome
	Ask(ctx context.Context, id string, t Text, sentOn time.Time) Outcome
}

type sms struct {
	bun.BaseModel `bun:"table:sms_messages"`

	ID        int64      `bun:"id,pk,autoincrement"`
	SendID    string     `bun:"send_id,notnull"`
	Phone     string     `bun:"phone,notnull,type:text"`  // sealed
	Params    string     `bun:"params,notnull,type:text"` // sealed: a code is a secret
	Template  string     `bun:"template,notnull"`
	State     State      `bun:"state,notnull"`
	Claim     string     `bun:"claim,notnull"` // who sends it now; a slow worker's write is refused by it
	Receipt   string     `bun:"receipt,notnull"`
	Code      string     `bun:"code,notnull"`
	Attempts  int        `bun:"attempts,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	TriedAt   *time.Time `bun:"tried_at"`
}

// Deps are what the module needs.
type Deps struct {
	DB     *database.DB
	Clock  clock.Clock
	Box    *secret.Box
	Sender Sender
	Log    *slog.Logger
}

// Service is the message centre.
type Service struct {
	Deps

	queue *jobs.Queue
}

// New makes the service and registers its worker. Use gives it the queue, which needs the workers first.
func New(d Deps, w *jobs.Workers) *Service {
	s := &Service{Deps: d}
	jobs.Work(w, s.deliver)
	return s
}

// Use gives the service the queue it inserts into.
func (s *Service) Use(q *jobs.Queue) { s.queue = q }

type deliverSMS struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (deliverSMS) Kind() string { return "message.sms" }

const (
	aadPhone  = "sms_messages.phone"
	aadParams = "sms_messages.params"
	// askFor is how long the provider is asked about a message whose answer was lost.
	askFor = 24 * time.Hour
	// settleTime is how long after a try the provider's "never seen" is not believed.
	settleTime = time.Minute
)

// Text writes the message to the outbox in the caller's transaction; it leaves after the commit.
func (s *Service) Text(ctx context.Context, tx bun.Tx, t Text) error {
	params, err := json.Marshal(t.Params)
	if err != nil {
		return fmt.Errorf("text message: %w", err)
	}
	row := sms{
		SendID: secret.Token(), Phone: s.Box.Seal([]byte(t.Phone), aadPhone), Params: s.Box.Seal(params, aadParams),
		Template: t.Template, State: Queued, CreatedAt: s.Clock.Now(),
	}
	if _, err := tx.NewInsert().Model(&row).Returning("id").Exec(ctx); err != nil {
		return fmt.Errorf("text message: %w", err)
	}
	return s.queue.Insert(ctx, tx, deliverSMS{ID: row.ID}, jobs.On(jobs.Delivery))
}

// deliver sends one message or, when an earlier try may have reached the provider, asks about it first.
func (s *Service) deliver(ctx context.Context, job deliverSMS) error {
	row, claim, err := s.claim(ctx, job.ID)
	if err != nil || row == nil {
		return err
	}
	t, err := s.open(row)
	if err != nil {
		return jobs.Cancel(err)
	}
	var out Outcome
	if row.State == Queued {
		out = s.Sender.Send(ctx, row.SendID, t)
	} else {
		out = s.Sender.Ask(ctx, row.SendID, t, *row.TriedAt)
	}
	if row.State != Queued && out.State == Queued && s.Clock.Now().Sub(*row.TriedAt) < settleTime {
		out.State = Unknown // the provider may not have written it down yet
	}
	if out.Err != nil {
		s.Log.Warn("text message", "id", row.ID, "state", out.State, "code", out.Code, "error", out.Err)
	}
	if err := s.settle(ctx, row, claim, out); err != nil {
		return err
	}
	switch {
	case out.State == Unknown && s.Clock.Now().Sub(row.CreatedAt) < askFor:
		return jobs.Snooze(30 * time.Second)
	case out.State == Queued || out.State == Refused && !out.Permanent:
		return fmt.Errorf("text message %d not sent: %w", row.ID, out.Err)
	}
	return nil
}

// claim marks the message as being sent by us and returns it as it stood before, or nil when there is nothing to do.
func (s *Service) claim(ctx context.Context, id int64) (*sms, string, error) {
	var before *sms
	claim := secret.Token()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		before = nil
		var row sms
		q := tx.NewSelect().Model(&row).Where("id = ?", id)
		if database.KindOf(tx) == database.Postgres {
			q = q.For("UPDATE")
		}
		if err := q.Scan(ctx); err != nil {
			return jobs.Cancel(database.Found(err))
		}
		now := s.Clock.Now()
		switch row.State {
		case Sent:
			return nil
		case Sending:
			// A worker died or hangs between its claim and its answer: nobody knows whether the message left.
			if now.Sub(*row.TriedAt) < jobs.Timeout {
				return errBusy
			}
		case Refused:
			row.State = Queued
		}
		before = &row
		after := row
		after.State, after.Claim, after.Attempts = Sending, claim, row.Attempts+1
		if row.State == Queued {
			after.TriedAt = &now
			before.TriedAt = &now
		}
		_, err := tx.NewUpdate().Model(&after).Column("state", "claim", "attempts", "tried_at").WherePK().Exec(ctx)
		return err
	})
	if errors.Is(err, errBusy) {
		return nil, "", jobs.Snooze(jobs.Timeout)
	}
	return before, claim, err
}

var errBusy = errors.New("another worker has this message")

// settle writes what came of the try, unless a later worker has taken the message over.
func (s *Service) settle(ctx context.Context, row *sms, claim string, out Outcome) error {
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*sms)(nil)).Set("state = ?", out.State).Set("receipt = ?", out.Receipt).Set("code = ?", out.Code).
			Where("id = ? AND claim = ?", row.ID, claim).Exec(ctx)
		return err
	})
}

func (s *Service) open(row *sms) (Text, error) {
	phone, err := s.Box.Open(row.Phone, aadPhone)
	if err != nil {
		return Text{}, fmt.Errorf("text message %d: %w", row.ID, err)
	}
	raw, err := s.Box.Open(row.Params, aadParams)
	if err != nil {
		return Text{}, fmt.Errorf("text message %d: %w", row.ID, err)
	}
	t := Text{Phone: string(phone), Template: row.Template}
	return t, json.Unmarshal(raw, &t.Params)
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261102100000_sms_messages",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*sms20261102)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "CREATE UNIQUE INDEX sms_messages_send_id ON sms_messages (send_id)",
			"CREATE INDEX sms_messages_open ON sms_messages (id) WHERE state NOT IN ('sent', 'refused')")
	},
}}

type sms20261102 struct {
	bun.BaseModel `bun:"table:sms_messages"`

	ID        int64      `bun:"id,pk,autoincrement"`
	SendID    string     `bun:"send_id,notnull"`
	Phone     string     `bun:"phone,notnull,type:text"`
	Params    string     `bun:"params,notnull,type:text"`
	Template  string     `bun:"template,notnull"`
	State     string     `bun:"state,notnull"`
	Claim     string     `bun:"claim,notnull"`
	Receipt   string     `bun:"receipt,notnull"`
	Code      string     `bun:"code,notnull"`
	Attempts  int        `bun:"attempts,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	TriedAt   *time.Time `bun:"tried_at"`
}
