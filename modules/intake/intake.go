package intake

import (
	"context"
	"io"
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

// The permissions of the module.
const (
	PermInbox   access.Permission = "intake.inbox"
	PermOpen311 access.Permission = "intake.open311"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermInbox, Group: "诉求渠道", Label: "办理来件箱"},
		{Name: PermOpen311, Group: "诉求渠道", Label: "管理 Open311 开放接口"},
	}
}

// The faults of the module.
var (
	ErrNotFound = fault.ErrNotFound
	// ErrStale: somebody changed the row after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "内容已被他人更新，请刷新后再操作")
	// ErrDecided: a message is decided once.
	ErrDecided = fault.New(fault.Conflict, "INTAKE_DECIDED", "这件来件已经处理过，请刷新后查看")
)

// Channel is a way in.
type Channel string

// The channels.
const (
	Open311 Channel = "open311"
	Wechat  Channel = "wechat"
	Mail    Channel = "mail"
)

// Matter is a ticket type.
type Matter struct{ Code, Name, Group string }

// Filing is a ticket to be opened. A phone may be missing. Within is written in the transaction of the ticket, and its error
// undoes it.
type Filing struct {
	Channel        Channel
	Type           string
	Title          string
	Body           string
	ContactName    string
	Phone          string
	EnterpriseName string
	FileIDs        []int64
	Within         func(ctx context.Context, tx bun.Tx, f Filed) error
}

// Filed is the ticket that was opened.
type Filed struct {
	ID        int64
	Number    string
	QueryCode string
	DueAt     time.Time
}

// Told is how a ticket stands, for whoever knows its query code.
type Told struct {
	Number, Status, TypeName, UnitName, Reply string
	At, DueAt                                 time.Time
	Ended                                     bool
}

// Desk is the service desk.
type Desk interface {
	// Open returns when the ticket and what Within wrote are committed. A person of a company is the requester; the system and
	// agents open for the contact named.
	Open(ctx context.Context, actor access.Actor, f Filing) error
	// Matters lists the types, in their order.
	Matters(ctx context.Context) ([]Matter, error)
	// ByCode returns fault.ErrNotFound's kind when number and code do not belong together, and one of kind TooMany when who, or
	// anybody for the number, was wrong too often.
	ByCode(ctx context.Context, who, number, code string) (Told, error)
	// Numbered finds a ticket the actor sees by its number; fault.ErrNotFound for others.
	Numbered(ctx context.Context, actor access.Actor, number string) (int64, error)
	// Hear puts further words on the timeline of a ticket.
	Hear(ctx context.Context, tx bun.Tx, ticketID int64, c Channel, text string) error
}

// FileView is an attachment.
type FileView struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Mime  string `json:"mime"`
	URL   string `json:"url"`
	State string `json:"state" enum:"available,waiting,quarantined"`
}

// Files keeps attachments.
type Files interface {
	// Save keeps one; a fault of kind Invalid or TooLarge is the file's own.
	Save(ctx context.Context, actor access.Actor, name string, content io.Reader) (FileView, error)
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Of(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
	// Pass hands all files of an object to another.
	Pass(ctx context.Context, tx bun.Tx, object string, id int64, toObject string, toID int64) error
}

// Accounts knows the people behind WeChat accounts.
type Accounts interface {
	// ByOpenID returns fault.ErrNotFound for a WeChat account that nobody bound.
	ByOpenID(ctx context.Context, openID string) (access.Actor, error)
}

// WechatLine speaks to followers beside the answer to a callback.
type WechatLine interface {
	// Tell sends a text. Permanent says that another try cannot help.
	Tell(ctx context.Context, openID, text string) (permanent bool, err error)
	// Media fetches what somebody sent.
	Media(ctx context.Context, id string) (name string, content []byte, err error)
}

// Letter is a mail on its way out. ID is the same on every try and makes its Message-ID.
type Letter struct {
	ID, To, Subject, Text string
	// ReplyTo is the mail it answers, "" when none.
	ReplyTo string
}

// Fate is what became of a letter.
type Fate string

// The fates: taken, not sent (try again), refused for good, or nobody knows, which is not tried again.
const (
	Taken   Fate = "sent"
	NotSent Fate = "queued"
	Refused Fate = "refused"
	Unknown Fate = "unknown"
)

// Mailer sends letters.
type Mailer interface {
	Send(ctx context.Context, l Letter) (Fate, error)
}

// Deps is what the module needs. WechatLine, Accounts, Mailer and Mailbox are missing where an installation has no such
// account.
type Deps struct {
	DB       *database.DB
	Clock    clock.Clock
	Box      *secret.Box
	Log      *slog.Logger
	Desk     Desk
	Files    Files
	Accounts Accounts
	Wechat   WechatLine
	Mailer   Mailer
	Mailbox  Mailbox
	// Address is our mailbox: what comes from it is a loop.
	Address string
	// District and PublicURL are told to the outside; Jurisdiction is the id of Open311, Test says that this is no
	// production.
	District, PublicURL, Jurisdiction string
	Test                              bool
	// Fields tells the form fields of a service; nil: they have none.
	Fields Fields
}

// Service takes requests in.
type Service struct {
	Deps
	queue *jobs.Queue
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil || d.Log == nil || d.Desk == nil || d.Files == nil {
		panic("intake: Deps is not complete")
	}
	return &Service{Deps: d}
}

// Use gives the service the queue it inserts into.
func (s *Service) Use(q *jobs.Queue) { s.queue = q }

// staff returns ErrUnauthorized or ErrForbidden when the actor, as one of the staff, has not the right.
func staff(a access.Actor, p access.Permission) error {
	if err := a.Need(p); err != nil {
		return err
	}
	if a.Party != access.System && a.Party != access.Platform && a.Party != access.Government {
		return fault.ErrForbidden
	}
	return nil
}
