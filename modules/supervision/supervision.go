package supervision

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// The rights of the module.
const (
	PermView   access.Permission = "supervision.view"   // wallboard, alarms, reports
	PermManage access.Permission = "supervision.manage" // rules, acknowledging alarms
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "坐席与督导", Label: "查看督导大屏、突增预警和运行报告"},
		{Name: PermManage, Group: "坐席与督导", Label: "确认预警、设置预警规则"},
	}
}

// Object names a surge in events and audit rows.
const Object = "surge"

// TicketView is a ticket of an alarm, as far as it may be seen.
type TicketView struct {
	ID     int64     `json:"id"`
	Number string    `json:"number"`
	Title  string    `json:"title"`
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

// Tickets tells how the tickets stand, as far as the actor sees them.
type Tickets interface {
	Standing(ctx context.Context, actor access.Actor) (Standing, error)
	List(ctx context.Context, actor access.Actor, ids []int64) ([]TicketView, error)
	// Hidden lists the facts in [from, to) about tickets the actor does not see, of the types the wallboard counts.
	Hidden(ctx context.Context, actor access.Actor, from, to time.Time) ([]Fact, error)
}

// Fact is something that happened to a ticket.
type Fact struct {
	Type string // ticket.opened, ticket.answered, ticket.replied, ticket.closed
	At   time.Time
}

// Standing is how the tickets stand.
type Standing struct {
	Waiting []Waiting    `json:"waiting"`
	Oldest  *time.Time   `json:"oldest,omitempty"`
	Alerts  []UnitAlerts `json:"alerts"`
}

// Waiting is how many tickets wait in a state.
type Waiting struct {
	Status string `json:"status"`
	Label  string `json:"label"`
	Count  int    `json:"count" doc:"At most 2,000; then there are more."`
}

// UnitAlerts is how many tickets of a unit are near their deadline and past it.
type UnitAlerts struct {
	Unit    string `json:"unit"`
	DueSoon int    `json:"dueSoon"`
	Overdue int    `json:"overdue"`
}

// Calls are the figures of incoming calls.
type Calls struct {
	Calls       int     `json:"calls"`
	Answered    int     `json:"answered"`
	Missed      int     `json:"missed"`
	Waiting     int     `json:"waiting"`
	LongestWait int64   `json:"longestWait" doc:"Seconds."`
	ConnectRate float64 `json:"connectRate"`
	InTimeRate  float64 `json:"inTimeRate"`
	Queues      []Queue `json:"queues"`
}

// Queue is how many calls wait in a queue.
type Queue struct {
	Queue   string `json:"queue"`
	Waiting int    `json:"waiting"`
}

// Telephone tells of the calls that rang in [from, to).
type Telephone interface {
	Figures(ctx context.Context, db bun.IDB, from, to, now time.Time) (Calls, error)
}

// Seat is how many seats are in a state.
type Seat struct {
	State string `json:"state"`
	Label string `json:"label"`
	Count int    `json:"count"`
}

// Seats tells what the seats do.
type Seats interface {
	Counts(ctx context.Context, db bun.IDB, now time.Time) ([]Seat, error)
}

// Names names matters and finds the area a text speaks of.
type Names interface {
	Matter(ctx context.Context, code string) (string, error)
	Area(text string) (code, name string)
}

// Messages reaches the supervisors.
type Messages interface {
	Tell(ctx context.Context, tx bun.Tx, key, template, link string, params map[string]string) error
}

// Deps is what the module needs; all of it.
type Deps struct {
	DB        *database.DB
	Clock     clock.Clock
	Tickets   Tickets
	Telephone Telephone
	Seats     Seats
	Names     Names
	Messages  Messages
}

// Service watches over the desk.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Tickets == nil || d.Telephone == nil || d.Seats == nil || d.Names == nil || d.Messages == nil {
		panic("supervision: Deps is not complete")
	}
	return &Service{d}
}

// The faults of the module.
var (
	ErrForbidden = fault.ErrForbidden
	ErrNotFound  = fault.ErrNotFound
	// ErrStale: somebody was faster.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "内容已被他人更新，请刷新后再操作")
)
