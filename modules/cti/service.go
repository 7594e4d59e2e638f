package cti

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/live"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// Seats moves the seat of a person with the telephone.
type Seats interface {
	// Talk says that the person speaks; Hung that the call ended.
	Talk(ctx context.Context, tx bun.Tx, user int64) error
	Hung(ctx context.Context, tx bun.Tx, user int64) error
	// Name is that of a person who may sit at the desk; fault.Invalid or fault.NotFound for others.
	Name(ctx context.Context, tx bun.Tx, user int64) (string, error)
}

// Caller is what is known of a number.
type Caller struct {
	Name    string        `json:"name"`
	Company string        `json:"company"`
	Tickets []CallerEntry `json:"tickets" doc:"Open ones first."`
}

// CallerEntry is a ticket of a caller.
type CallerEntry struct {
	ID     int64     `json:"id"`
	Number string    `json:"number"`
	Title  string    `json:"title"`
	Status string    `json:"status"`
	Open   bool      `json:"open"`
	At     time.Time `json:"at"`
}

// Callers says who has a number, as far as the asker may know.
type Callers interface {
	Caller(ctx context.Context, actor access.Actor, number string) (Caller, error)
}

// Tickets says whether the actor may see a ticket: fault.ErrNotFound when they may not.
type Tickets interface {
	Sees(ctx context.Context, actor access.Actor, id int64) error
}

// Result is what a requester said in a voice call-back.
type Result struct {
	CallID string
	Ticket string // its number
	Key    int    // 1 to 5: very satisfied to not at all
	At     time.Time
}

// Surveys takes the results of voice call-backs into the ticket. It returns fault.ErrNotFound when there is no such ticket.
type Surveys interface {
	RecordCallback(ctx context.Context, tx bun.Tx, r Result) error
}

// Deps is what the module needs; all of it but Secret, Hosts and Surveys.
type Deps struct {
	DB      *database.DB
	Clock   clock.Clock
	Box     *secret.Box
	Seats   Seats
	Callers Callers
	Tickets Tickets
	Surveys Surveys
	// Secret is the key of the telephone platform, base64 with or without whsec_; without one every event is refused.
	Secret string
	// Hosts are those a recording may lie on.
	Hosts []string
}

// Service is the seam to the telephone platform.
type Service struct {
	Deps
	verifier *standardwebhooks.Webhook
}

// New makes the service. It returns an error for a secret that is none, and panics when something else of Deps is missing.
func New(d Deps) (*Service, error) {
	if d.DB == nil || d.Clock == nil || d.Box == nil || d.Seats == nil || d.Callers == nil || d.Tickets == nil {
		panic("cti: Deps is not complete")
	}
	s := &Service{Deps: d}
	if d.Secret == "" {
		return s, nil
	}
	var err error
	if s.verifier, err = standardwebhooks.NewWebhook(d.Secret); err != nil {
		return nil, fmt.Errorf("cti.secret: %w", err)
	}
	return s, nil
}

// oldest is how old a signed event may be, and how far its clock may be ahead.
const oldest = 5 * time.Minute

// Receive takes one signed event. It reports false when the event was taken before. It returns ErrOff, ErrSignature,
// ErrDiffers, or a fault that names the wrong field.
func (s *Service) Receive(ctx context.Context, header http.Header, body []byte) (bool, error) {
	if s.verifier == nil {
		return false, ErrOff
	}
	if s.verifier.VerifyIgnoringTimestamp(body, header) != nil {
		return false, ErrSignature
	}
	now := s.Clock.Now()
	seconds, err := strconv.ParseInt(header.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if age := now.Sub(time.Unix(seconds, 0)); err != nil || age > oldest || age < -oldest {
		return false, ErrSignature
	}
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		return false, fault.InvalidField("body", "CTI_BODY", "事件不是有效的 JSON")
	}
	scope := e.scope() // as it was sent: what is missing is filled in differently each time
	if err := s.check(&e, now); err != nil {
		return false, err
	}
	sum := sha256.Sum256(body)
	return s.take(ctx, e, scope, hex.EncodeToString(sum[:]))
}

func (s *Service) check(e *Event, now time.Time) error {
	wrong := func(field, why string) error { return fault.InvalidField(field, "CTI_EVENT", why) }
	switch {
	case !slices.Contains([]Kind{Ring, Answer, HangUp, Survey}, e.Kind):
		return wrong("event", "event 须为 ring、answer、hangup 或 survey")
	case e.CallID == "" || len(e.CallID) > 100:
		return wrong("callId", "callId 必填，最长 100 个字符")
	case len(e.Extension) > 20 || len([]rune(e.Queue)) > 50:
		return wrong("extension", "extension 最长 20 个字符，queue 最长 50 个字")
	case e.Direction != "" && e.Direction != "in" && e.Direction != "out":
		return wrong("direction", "direction 须为 in 或 out")
	case e.Kind == Survey && (e.Key < 1 || e.Key > 5):
		return wrong("key", "按键须为 1 至 5")
	case e.Kind == Answer && e.Extension == "":
		return wrong("extension", "接通事件须写明分机")
	case e.Recording != "" && !s.allowed(e.Recording):
		return wrong("recording", "录音地址不在允许的主机名单内，请联系管理员设置 cti.recording_hosts")
	}
	if e.Direction == "" {
		e.Direction = "in"
	}
	if e.At.IsZero() || e.At.After(now.Add(oldest)) || e.At.Before(now.Add(-24*time.Hour)) {
		e.At = now
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	if n, err := phone.Contact(e.Number); err == nil {
		e.Number = n
	} else if len(e.Number) > 30 {
		return wrong("number", "号码最长 30 个字符")
	}
	return nil
}

// allowed reports whether a recording lies on a host of the list, over https or on the list with its port.
func (s *Service) allowed(link string) bool {
	u, err := url.Parse(link)
	return err == nil && u.User == nil && (u.Scheme == "https" || u.Scheme == "http") && slices.Contains(s.Hosts, u.Host) && len(link) <= 500
}

func (s *Service) take(ctx context.Context, e Event, scope, digest string) (bool, error) {
	first := false
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		first = false
		row := eventRow{CallID: e.CallID, Kind: e.Kind, Scope: scope, Digest: digest, At: s.Clock.Now()}
		res, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			var known string
			err := tx.NewSelect().Model((*eventRow)(nil)).Column("digest").Where("call_id = ? AND kind = ? AND scope = ?", e.CallID, e.Kind, scope).Scan(ctx, &known)
			if err == nil && known != digest {
				return ErrDiffers
			}
			return err
		}
		first = true
		if e.Kind == Survey {
			return s.press(ctx, tx, e)
		}
		return s.move(ctx, tx, e)
	})
	if err != nil {
		return false, fmt.Errorf("call %s %s: %w", e.CallID, e.Kind, err)
	}
	return first, nil
}

// press keeps a key of a voice call-back and hands it to the ticket. A ticket that is not known leaves the key untaken.
func (s *Service) press(ctx context.Context, tx bun.Tx, e Event) error {
	v := survey{CallID: e.CallID, Ticket: text.Truncate(e.Ticket, 40), Key: e.Key, At: e.At}
	if s.Surveys != nil {
		err := s.Surveys.RecordCallback(ctx, tx, Result{CallID: e.CallID, Ticket: e.Ticket, Key: e.Key, At: e.At})
		if err != nil && !errors.Is(err, fault.ErrNotFound) {
			return err
		}
		v.Taken = err == nil
	}
	_, err := tx.NewInsert().Model(&v).On("CONFLICT DO NOTHING").Exec(ctx)
	return err
}

// move applies an event to its call, tells the lines concerned and moves the seat.
func (s *Service) move(ctx context.Context, tx bun.Tx, e Event) error {
	c := &call{CallID: e.CallID, Direction: e.Direction, State: Ringing, RangAt: e.At}
	if e.Number != "" {
		c.Sealed, c.Blind, c.Tail = s.Box.Seal([]byte(e.Number), numberPlace(e.CallID)), s.Box.Blind("phone", e.Number), s.Box.BlindTail(e.Number)
	}
	if _, err := tx.NewInsert().Model(c).ExcludeColumn("id").On("CONFLICT (call_id) DO NOTHING").Exec(ctx); err != nil {
		return err
	}
	kept := new(call)
	q := tx.NewSelect().Model(kept).Where("c.call_id = ?", e.CallID)
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	if err := database.Found(q.Scan(ctx)); err != nil {
		return err
	}
	if kept.Sealed == "" && c.Sealed != "" {
		kept.Sealed, kept.Blind, kept.Tail = c.Sealed, c.Blind, c.Tail
	}
	before, wasTalking := kept.UserID, kept.State == Talking
	user, name, err := seatOf(ctx, tx, e.Extension)
	if err != nil {
		return err
	}
	kept.apply(e, user, name)
	if _, err := tx.NewUpdate().Model(kept).WherePK().Exec(ctx); err != nil {
		return err
	}
	return s.tell(ctx, tx, e, kept, before, wasTalking)
}

// tell moves the seats concerned and tells their lines.
func (s *Service) tell(ctx context.Context, tx bun.Tx, e Event, kept *call, before int64, wasTalking bool) error {
	lines := []int64{kept.UserID}
	if before != kept.UserID {
		lines = append(lines, before)
	}
	// In the order of their people, so that two calls never wait for each other in a ring.
	slices.Sort(lines)
	if database.KindOf(tx) == database.Postgres {
		if _, err := database.Run(ctx, tx, "SELECT 1 FROM cti_extensions WHERE user_id IN (?, ?) ORDER BY user_id FOR UPDATE", lines[0], lines[len(lines)-1]); err != nil {
			return err
		}
	}
	var err error
	for _, id := range lines {
		if id == 0 {
			continue
		}
		talks := id == kept.UserID && kept.State == Talking
		switch {
		case talks && e.Kind == Answer:
			err = s.Seats.Talk(ctx, tx, id)
		case wasTalking && !talks:
			err = s.Seats.Hung(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		if _, err := event.Append(ctx, tx, access.SystemActor("telephone"), s.Clock.Now(), LineChanged{UserID: id, CallID: kept.ID, State: kept.State}); err != nil {
			return err
		}
	}
	return nil
}

// seatOf names the person an extension belongs to, nobody for one that is not known.
func seatOf(ctx context.Context, db bun.IDB, number string) (int64, string, error) {
	if number == "" {
		return 0, "", nil
	}
	var x extension
	err := database.Found(db.NewSelect().Model(&x).Where("extension = ?", number).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		return 0, "", nil
	}
	return x.UserID, x.Name, err
}

// Audience says who is told of a line: the person it belongs to, nobody else.
func (s *Service) Audience(_ context.Context, _ bun.IDB, ids []int64) (map[int64]live.Sees, error) {
	out := make(map[int64]live.Sees, len(ids))
	for _, id := range ids {
		out[id] = func(a access.Actor) bool { return a.UserID == id && a.Can(permSit) }
	}
	return out, nil
}

// Sealed are the columns of the module that only open with a key.
func Sealed() secret.Keepers {
	return secret.Keepers{Columns: []secret.Column{
		{Table: "cti_calls", Key: []string{"id"}, Name: "number_sealed", With: []string{"call_id"}, Place: func(r secret.Row) string { return numberPlace(r.Text("call_id")) },
			Indexes: secret.PhoneIndexes("number_blind", "number_tail")},
		{Table: "cti_nuisance", Key: []string{"id"}, Name: "number_sealed", Place: secret.Fixed(nuisancePlace), Indexes: secret.PhoneIndexes("number_blind", "number_tail")},
	}}
}

// Tell takes an event without a signature, for what is loaded. Only the system may.
func (s *Service) Tell(ctx context.Context, actor access.Actor, e Event) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	scope := e.scope()
	if err := s.check(&e, s.Clock.Now()); err != nil {
		return err
	}
	_, err := s.take(ctx, e, scope, "")
	return err
}
