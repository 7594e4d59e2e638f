package message

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

type deliverSMS struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (deliverSMS) Kind() string { return "message.sms" }

type deliverWechat struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (deliverWechat) Kind() string { return "message.wechat" }

const (
	// askProvider is how long the SMS provider is asked about a message whose answer was lost.
	askProvider = 24 * time.Hour
	// askWechat is how long after the first try a repeat is still dropped by WeChat, which remembers an id for ten minutes.
	askWechat = 9 * time.Minute
	// settleTime is how long after a try the provider's "never seen" is not believed.
	settleTime = time.Minute
	// life is how long a letter that has not left may still leave, codeLife that of a code.
	life     = 24 * time.Hour
	codeLife = 5 * time.Minute
	// codeAgain is how soon a code that has not left is tried again: somebody waits for it, and the provider lets a phone
	// have one code a minute.
	codeAgain = 10 * time.Second
)

// What stands in place of a provider's code when the letter ended here: it never left within its life, or its sealed
// fields cannot be opened.
const (
	codeExpired = "EXPIRED"
	codeSealed  = "SEAL_BROKEN"
)

// carrier is one way out: its table, and how a letter is handed over and asked about.
type carrier struct {
	channel Channel
	table   string
	// asked is how long after the first try asking makes sense.
	asked time.Duration
	send  func(ctx context.Context, l *letter, to string, t Template, content []byte) Outcome
	ask   func(ctx context.Context, l *letter, to string, t Template, content []byte) Outcome
}

// place binds what is sealed to its column. Phones kept the name of the column as it was first called.
func (c carrier) place(column string) string {
	if c.channel == SMS && column == "recipient" {
		column = "phone"
	}
	return c.table + "." + column
}

// held returns until when a letter of the template waits: text messages that are not urgent do not come at night.
func (s *Service) held(c carrier, t Template, now time.Time) time.Time {
	if c.channel != SMS || t.Urgent {
		return time.Time{}
	}
	return s.Quiet.end(now)
}

func (s *Service) carrier(c Channel) carrier {
	if c == Wechat {
		return carrier{channel: Wechat, table: "wechat_messages", asked: askWechat, send: s.post, ask: s.postAgain}
	}
	return carrier{channel: SMS, table: "sms_messages", asked: askProvider, send: s.sendText, ask: s.askText}
}

func (s *Service) sendText(ctx context.Context, l *letter, to string, t Template, content []byte) Outcome {
	text, err := textOf(to, t, content)
	if err != nil {
		return Outcome{State: Refused, Permanent: true, Err: err}
	}
	return s.Sender.Send(ctx, l.SendID, text)
}

func (s *Service) askText(ctx context.Context, l *letter, to string, t Template, content []byte) Outcome {
	text, err := textOf(to, t, content)
	if err != nil {
		return Outcome{State: Unknown, Err: err}
	}
	out := s.Sender.Ask(ctx, l.SendID, text, *l.TriedAt)
	if out.State == Queued && s.Clock.Now().Sub(*l.TriedAt) < settleTime {
		out.State = Unknown // the provider may not have written it down yet
	}
	return out
}

func textOf(to string, t Template, content []byte) (Text, error) {
	text := Text{Phone: to, Template: t.SMS.Name}
	return text, json.Unmarshal(content, &text.Params)
}

func (s *Service) post(ctx context.Context, l *letter, to string, t Template, content []byte) Outcome {
	if s.Poster == nil {
		return Outcome{State: Queued, Err: errors.New("no official account is configured")}
	}
	p := Post{OpenID: to, Template: t.Wechat.Name}
	if err := json.Unmarshal(content, &p); err != nil {
		return Outcome{State: Refused, Permanent: true, Err: err}
	}
	return s.Poster.Post(ctx, l.SendID, p)
}

// postAgain asks by sending the same id again. Only a taking of it or a final no says something about the first try.
func (s *Service) postAgain(ctx context.Context, l *letter, to string, t Template, content []byte) Outcome {
	out := s.post(ctx, l, to, t, content)
	if out.State == Queued || out.State == Refused && !out.Permanent {
		out.State = Unknown
	}
	return out
}

// Deliver hands one letter over or, when an earlier try may have reached the provider, asks about it first. Jobs call it;
// everybody but the system gets fault.ErrForbidden. What it returns says when the job runs again.
func (s *Service) Deliver(ctx context.Context, actor access.Actor, channel Channel, id int64) error {
	if actor.Party != access.System {
		return fault.ErrForbidden
	}
	c := s.carrier(channel)
	l, claim, err := s.claim(ctx, c, id)
	if err != nil || l == nil {
		return err
	}
	out := s.hand(ctx, c, l)
	if out.Err != nil || out.State == Refused {
		s.Log.Warn("letter", "channel", c.channel, "id", l.ID, "template", l.Template, "state", out.State, "code", out.Code, "error", out.Err)
	}
	if err := s.settle(ctx, c, l, claim, out); err != nil {
		return err
	}
	switch {
	case out.State == Unknown && s.asking(c, l):
		return jobs.Snooze(askAgain(s.Clock.Now().Sub(*l.TriedAt)))
	case out.State == Queued && l.Template == CodeTemplate:
		return jobs.Snooze(codeAgain)
	case out.State == Queued:
		return fmt.Errorf("%s letter %d has not left: %w", c.channel, l.ID, errNotSent)
	}
	return nil
}

var errNotSent = errors.New("it is tried again")

// askAgain is how long to wait before the next question: half a minute at first, ten minutes at the end of a day.
func askAgain(age time.Duration) time.Duration {
	return min(max(age/10, 30*time.Second), 10*time.Minute)
}

// asking reports whether there is still somebody to ask about the letter.
func (s *Service) asking(c carrier, l *letter) bool {
	return l.TriedAt != nil && s.Clock.Now().Sub(*l.TriedAt) < c.asked
}

// hand takes the step that the letter's state asks for.
func (s *Service) hand(ctx context.Context, c carrier, l *letter) Outcome {
	t, ok := templateOf(l.Template)
	if !ok || c.channel == SMS && t.SMS == nil || c.channel == Wechat && t.Wechat == nil {
		return Outcome{State: Refused, Permanent: true, Err: fmt.Errorf("%w: %q has no such form", ErrTemplate, l.Template)}
	}
	to, err := s.Box.Open(l.Recipient, c.place("recipient"))
	if err != nil {
		return Outcome{State: Refused, Permanent: true, Code: codeSealed, Err: err}
	}
	content, err := s.Box.Open(l.Params, c.place("params"))
	if err != nil {
		return Outcome{State: Refused, Permanent: true, Code: codeSealed, Err: err}
	}
	if l.State != Queued {
		if !s.asking(c, l) {
			return Outcome{State: Unknown, Receipt: l.Receipt, Code: l.Code}
		}
		return c.ask(ctx, l, string(to), t, content)
	}
	if s.expired(l) {
		return Outcome{State: Refused, Permanent: true, Code: codeExpired}
	}
	out := c.send(ctx, l, string(to), t, content)
	if out.State == Refused && !out.Permanent {
		out.State = Queued
	}
	return out
}

// expired reports whether a letter that has not left is of no use any more.
func (s *Service) expired(l *letter) bool {
	since := l.CreatedAt
	if l.NotBefore != nil && l.NotBefore.After(since) {
		since = *l.NotBefore
	}
	longest := life
	if l.Template == CodeTemplate {
		longest = codeLife
	}
	return s.Clock.Now().Sub(since) > longest
}

var errBusy = errors.New("another worker has this letter")

// claim marks the letter as being worked on by us and returns it as it stood before, or nil when there is nothing to do.
func (s *Service) claim(ctx context.Context, c carrier, id int64) (*letter, string, error) {
	var before *letter
	var wait time.Duration
	claim := secret.Token()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		before, wait = nil, 0
		var row letter
		q := tx.NewSelect().Model(&row).ModelTableExpr("? AS o", bun.Ident(c.table)).Where("o.id = ?", id)
		if database.KindOf(tx) == database.Postgres {
			q = q.For("UPDATE")
		}
		if err := q.Scan(ctx); err != nil {
			return jobs.Cancel(database.Found(err))
		}
		now := s.Clock.Now()
		switch row.State {
		case Sent, Refused:
			return nil
		case Sending:
			// A worker died or hangs between its claim and its answer: nobody knows whether the letter left.
			if row.ClaimedAt != nil && now.Sub(*row.ClaimedAt).Abs() < jobs.Timeout {
				return errBusy
			}
		case Queued:
			t, _ := templateOf(row.Template)
			until := s.held(c, t, now)
			if row.NotBefore != nil && row.NotBefore.After(until) {
				until = *row.NotBefore
			}
			if until.After(now) {
				wait = until.Sub(now)
				_, err := update(tx, c).Set("not_before = ?", until).Where("id = ?", id).Exec(ctx)
				return err
			}
			row.TriedAt = &now
		}
		before = &row
		_, err := update(tx, c).Set("state = ?", Sending).Set("claim = ?", claim).Set("claimed_at = ?", now).
			Set("tried_at = ?", row.TriedAt).Set("attempts = attempts + 1").Where("id = ?", id).Exec(ctx)
		return err
	})
	switch {
	case errors.Is(err, errBusy):
		return nil, "", jobs.Snooze(jobs.Timeout)
	case err == nil && wait > 0:
		return nil, "", jobs.Snooze(wait)
	}
	return before, claim, err
}

// settle writes what came of the try, unless a later worker or a person has taken the letter over.
func (s *Service) settle(ctx context.Context, c carrier, l *letter, claim string, out Outcome) error {
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		q := update(tx, c).Set("state = ?", out.State).Set("receipt = ?", out.Receipt).Set("code = ?", out.Code).Set("claim = ''")
		if out.State != l.State {
			q = q.Set("version = version + 1")
		}
		_, err := q.Where("id = ? AND claim = ?", l.ID, claim).Exec(ctx)
		return err
	})
}

func update(tx bun.Tx, c carrier) *bun.UpdateQuery {
	return tx.NewUpdate().Model((*letter)(nil)).ModelTableExpr("?", bun.Ident(c.table))
}
