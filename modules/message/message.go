package message

import (
	"context"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// State is where a letter stands.
type State string

// The states of a letter.
const (
	Queued  State = "queued"
	Sending State = "sending"
	Sent    State = "sent"
	Refused State = "refused"
	Unknown State = "unknown"
)

// Known reports whether s is one of the states.
func (s State) Known() bool {
	return s == Queued || s == Sending || s == Sent || s == Refused || s == Unknown
}

// Channel is a way out of the house.
type Channel string

// The channels.
const (
	SMS    Channel = "sms"
	Wechat Channel = "wechat"
)

// Text is one text message to one phone.
type Text struct {
	Phone    string // normalized, 11 digits
	Template string // our name of the provider's template: "code"
	Params   map[string]string
}

// Post is one WeChat message to one follower.
type Post struct {
	OpenID   string            `json:"-"`
	Template string            `json:"-"` // our name of the provider's template: "ticket_progress"
	Fields   map[string]string `json:"fields"`
	Link     string            `json:"link"` // path below H5, "" when there is nothing to open
}

// Outcome is what came of handing a letter to the provider.
type Outcome struct {
	State     State  // Sent, Refused, Unknown, or Queued when nothing left and it may be tried again
	Receipt   string // the provider's id
	Code      string // the provider's code for a refusal
	Permanent bool   // of a refusal: trying the same letter again cannot help
	Err       error  // for the log
}

// Sender hands text messages to the provider. id is ours; the provider keeps it, and Ask finds the message by it.
type Sender interface {
	// Knows reports whether the installation has the provider's template of that name.
	Knows(template string) bool
	Send(ctx context.Context, id string, t Text) Outcome
	Ask(ctx context.Context, id string, t Text, sentOn time.Time) Outcome
}

// Poster hands messages to WeChat. Posting the same id to the same person again within ten minutes delivers nothing.
type Poster interface {
	Knows(template string) bool
	Post(ctx context.Context, id string, p Post) Outcome
}

// People tells how a person is reached. Phone or openID is empty when there is none; fault.ErrNotFound for nobody.
type People interface {
	Contact(ctx context.Context, db bun.IDB, userID int64) (phone, openID string, err error)
}

// The permissions of the module.
const (
	PermView    access.Permission = "message.view"
	PermRelease access.Permission = "message.release"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "消息", Label: "查看发送记录"},
		{Name: PermRelease, Group: "消息", Label: "确认未送达并重发"},
		{Name: PermExport, Group: "消息", Label: "导出发送记录"},
	}
}

// Deps are what the module needs. Poster may be nil: an installation without WeChat.
type Deps struct {
	DB     *database.DB
	Clock  clock.Clock
	Box    *secret.Box
	People People
	Sender Sender
	Poster Poster
	// Quiet are the hours in which text messages that are not urgent wait; zero is none.
	Quiet QuietHours
	Log   *slog.Logger
}

// Service is the message centre.
type Service struct {
	Deps

	queue *jobs.Queue
}

// New makes the service and registers its workers. Use gives it the queue, which needs the workers first.
func New(d Deps, w *jobs.Workers) *Service {
	s := &Service{Deps: d}
	jobs.Work(w, func(ctx context.Context, job deliverSMS) error {
		return s.Deliver(ctx, access.SystemActor("job:message.sms"), SMS, job.ID)
	})
	jobs.Work(w, func(ctx context.Context, job deliverWechat) error {
		return s.Deliver(ctx, access.SystemActor("job:message.wechat"), Wechat, job.ID)
	})
	return s
}

// Use gives the service the queue it inserts into.
func (s *Service) Use(q *jobs.Queue) { s.queue = q }

// Missing lists the provider's templates the installation lacks, by our names: what uses them goes without the channel.
func (s *Service) Missing() (sms, wechat []string) {
	for _, name := range SMSNames() {
		if s.Sender == nil || !s.Sender.Knows(name) {
			sms = append(sms, name)
		}
	}
	for _, name := range WechatNames() {
		if s.Poster == nil || !s.Poster.Knows(name) {
			wechat = append(wechat, name)
		}
	}
	return sms, wechat
}

// mine is the one predicate that narrows every query of messages: a person's own.
func mine(actor access.Actor) (int64, error) {
	if actor.UserID == 0 {
		return 0, fault.ErrUnauthorized
	}
	return actor.UserID, nil
}

// seesLetters checks that the actor may see what went out to everybody: staff of the whole district with the right.
func seesLetters(actor access.Actor, p access.Permission) error {
	if err := actor.Need(p); err != nil {
		return err
	}
	if actor.Party == access.System || (actor.Party == access.Platform || actor.Party == access.Government) && actor.Scope == access.ScopeDistrict {
		return nil
	}
	return fault.ErrForbidden
}
