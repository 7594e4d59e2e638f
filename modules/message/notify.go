package message

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// ErrTemplate is returned for a template nobody knows or a value it needs and did not get: a mistake of the program, before
// anything was written.
var ErrTemplate = errors.New("message: template")

// Notice is what one person is to be told.
type Notice struct {
	// Key makes a repeat harmless: a person gets one message of a key. Listeners take the event's id.
	Key      string
	UserID   int64
	Template string
	Params   map[string]string
	// Link is the path of the object below the face: "/tickets/42". Portal, H5 and back office each put their own before it.
	Link string
	// At is when the fact happened; zero is now. What is older than tooLate is told in the person's list only.
	At time.Time
}

const (
	// tooLate is the age from which a fact is no longer carried outside: a first start over old facts wakes nobody.
	tooLate = 48 * time.Hour
	// longestValue bounds a value in a message; the whole text stands where the link leads.
	longestValue = 200
)

// Notify writes the message, and the letters that go with it, in the caller's transaction. A repeat of the key is dropped.
// It returns ErrTemplate before anything is written when the notice does not fit its template.
func (s *Service) Notify(ctx context.Context, tx bun.Tx, n Notice) error {
	now := s.Clock.Now()
	w, err := s.write(n, now)
	if err != nil {
		return err
	}
	return s.keep(ctx, tx, []written{w}, now)
}

// NotifyAll is Notify of many, whose messages it writes together. It returns the errors of those notices that do not fit their
// template, and writes the others.
func (s *Service) NotifyAll(ctx context.Context, tx bun.Tx, list []Notice) (unfit []error, err error) {
	now := s.Clock.Now()
	var all []written
	had := map[one]bool{}
	for _, n := range list {
		if had[one{n.UserID, n.Key}] {
			continue
		}
		w, err := s.write(n, now)
		if err != nil {
			unfit = append(unfit, fmt.Errorf("%s for %d: %w", n.Key, n.UserID, err))
			continue
		}
		had[one{n.UserID, n.Key}] = true
		all = append(all, w)
	}
	return unfit, s.keep(ctx, tx, all, now)
}

// one is what a person gets once.
type one struct {
	user int64
	key  string
}

// written is a notice in its words.
type written struct {
	notice   Notice
	template Template
	row      message
	letters  []ready
}

func (s *Service) write(n Notice, now time.Time) (written, error) {
	t, ok := templateOf(n.Template)
	if !ok || t.Text == "" {
		return written{}, fmt.Errorf("%w: there is none called %q", ErrTemplate, n.Template)
	}
	if n.At.IsZero() {
		n.At = now
	}
	values := make(map[string]string, len(n.Params)+1)
	for k, v := range n.Params {
		masked, _ := text.MaskNumbers(v)
		values[k] = text.Truncate(masked, longestValue)
	}
	values["time"] = clock.Show(n.At)
	body, err := fill(t.Text, values)
	if err != nil {
		return written{}, err
	}
	letters, err := s.forms(t, values, n.Link)
	row := message{UserID: n.UserID, Key: n.Key, Template: t.Code, Group: t.Group, Title: t.Title, Text: body, Link: n.Link, CreatedAt: now}
	return written{n, t, row, letters}, err
}

// keep writes messages and their letters, without those that came before.
func (s *Service) keep(ctx context.Context, tx bun.Tx, list []written, now time.Time) error {
	rows := make([]message, len(list))
	for i, w := range list {
		rows[i] = w.row
	}
	told := map[one]int64{}
	err := database.InsertMany(ctx, tx, rows, "ON CONFLICT (user_id, key) DO NOTHING RETURNING id, user_id, key", func(r *sql.Rows) error {
		var id int64
		var o one
		err := r.Scan(&id, &o.user, &o.key)
		told[o] = id
		return err
	})
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	for _, w := range list {
		id, ok := told[one{w.notice.UserID, w.notice.Key}]
		if !ok {
			continue
		}
		if err := s.carry(ctx, tx, w, id, now); err != nil {
			return fmt.Errorf("notify %s: %w", w.template.Code, err)
		}
	}
	return nil
}

// carry announces a message and puts its letters into the outbox.
func (s *Service) carry(ctx context.Context, tx bun.Tx, w written, id int64, now time.Time) error {
	n, t, letters := w.notice, w.template, w.letters
	if _, err := event.Append(ctx, tx, access.SystemActor("message"), now, Arrived{ID: id, UserID: n.UserID}); err != nil {
		return err
	}
	if len(letters) == 0 || now.Sub(n.At) > tooLate {
		return nil
	}
	wants, err := preference(ctx, tx, n.UserID, t.Group)
	if err != nil {
		return err
	}
	phone, openID, err := s.People.Contact(ctx, tx, n.UserID)
	if fault.KindOf(err) == fault.NotFound {
		return nil // the account is gone: nobody to carry a letter to
	}
	if err != nil {
		return err
	}
	for _, l := range letters {
		to := map[Channel]string{SMS: phone, Wechat: openID}[l.channel]
		if to == "" || l.channel == SMS && !wants.SMS || l.channel == Wechat && !wants.Wechat {
			continue
		}
		if err := s.put(ctx, tx, envelope{channel: l.channel, to: to, phone: phone, template: t, content: l.content, userID: n.UserID, notice: n.Key}); err != nil {
			return err
		}
	}
	return nil
}

type ready struct {
	channel Channel
	content any
}

// forms makes what is sent by each channel that the template and the installation have.
func (s *Service) forms(t Template, values map[string]string, link string) ([]ready, error) {
	var out []ready
	if t.SMS != nil && s.Sender != nil && s.Sender.Knows(t.SMS.Name) {
		params, err := fillAll(t.SMS.Params, values, smsParam)
		if err != nil {
			return nil, err
		}
		out = append(out, ready{SMS, params})
	}
	if t.Wechat != nil && s.Poster != nil && s.Poster.Knows(t.Wechat.Name) {
		fields, err := fillAll(t.Wechat.Values, values, wechatValue)
		if err != nil {
			return nil, err
		}
		out = append(out, ready{Wechat, Post{Fields: fields, Link: link}})
	}
	return out, nil
}

// Text writes a text message that is no notice, a code, to the outbox in the caller's transaction; it leaves after the
// commit.
func (s *Service) Text(ctx context.Context, tx bun.Tx, t Text) error {
	template, ok := templateOf(t.Template)
	if !ok || template.SMS == nil {
		return fmt.Errorf("%w: no text message called %q", ErrTemplate, t.Template)
	}
	if err := s.put(ctx, tx, envelope{channel: SMS, to: t.Phone, phone: t.Phone, template: template, content: maps.Clone(t.Params)}); err != nil {
		return fmt.Errorf("text message: %w", err)
	}
	return nil
}

// envelope is a letter on its way into the outbox.
type envelope struct {
	channel   Channel
	to, phone string
	template  Template
	content   any
	userID    int64
	notice    string
}

// put writes the letter and the job that wakes a worker for it.
func (s *Service) put(ctx context.Context, tx bun.Tx, e envelope) error {
	content, err := json.Marshal(e.content)
	if err != nil {
		return err
	}
	c := s.carrier(e.channel)
	row := letter{
		SendID: secret.Token(), Recipient: s.Box.Seal([]byte(e.to), c.place("recipient")), Params: s.Box.Seal(content, c.place("params")),
		PhoneBlind: s.Box.Blind("phone", e.phone), UserID: e.userID, Template: e.template.Code, NoticeKey: e.notice, State: Queued, Version: 1, CreatedAt: s.Clock.Now(),
	}
	if until := s.held(c, e.template, row.CreatedAt); !until.IsZero() {
		row.NotBefore = &until
	}
	if _, err := tx.NewInsert().Model(&row).ModelTableExpr(c.table).ExcludeColumn("id").Returning("id").Exec(ctx); err != nil {
		return err
	}
	return s.wake(ctx, tx, c.channel, row.ID, row.NotBefore)
}

// wake inserts the job of a letter, for now or for when it may leave.
func (s *Service) wake(ctx context.Context, tx bun.Tx, channel Channel, id int64, at *time.Time) error {
	options := []jobs.Option{jobs.On(jobs.Delivery)}
	if at != nil {
		options = append(options, jobs.At(*at))
	}
	if channel == Wechat {
		return s.queue.Insert(ctx, tx, deliverWechat{ID: id}, options...)
	}
	return s.queue.Insert(ctx, tx, deliverSMS{ID: id}, options...)
}

// preference reads what the person wants of a group; everything, as long as they said nothing.
func preference(ctx context.Context, db bun.IDB, userID int64, g Group) (preferenceRow, error) {
	p := preferenceRow{SMS: true, Wechat: true}
	err := database.Found(db.NewSelect().Model(&p).Where("user_id = ? AND topic = ?", userID, g).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return preferenceRow{SMS: true, Wechat: true}, nil
	}
	return p, err
}
