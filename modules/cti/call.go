package cti

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// The rights of the module. Who sits at the desk (seat.sit) sees the own line without any.
const (
	PermListen access.Permission = "cti.listen" // to play recordings
	PermManage access.Permission = "cti.manage" // extensions, nuisance callers
	permSit    access.Permission = "seat.sit"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermListen, Group: "坐席与督导", Label: "调听通话录音"},
		{Name: PermManage, Group: "坐席与督导", Label: "管理分机与骚扰来电名单"},
	}
}

// Object names a person's telephone line in events; its id is the person's.
const Object = "line"

// State is where a call stands.
type State string

// The states.
const (
	Ringing State = "ringing"
	Talking State = "talking"
	Ended   State = "ended"
	Missed  State = "missed" // it ended before anybody answered
)

// call is one call.
type call struct {
	bun.BaseModel `bun:"table:cti_calls,alias:c"`

	ID         int64      `bun:"id,pk,autoincrement"`
	CallID     string     `bun:"call_id,notnull"` // of the telephone platform
	Direction  string     `bun:"direction,notnull"`
	Queue      string     `bun:"queue,notnull"`
	Extension  string     `bun:"extension,notnull"`
	UserID     int64      `bun:"user_id,notnull"` // the seat; 0 while it waits in the queue
	UserName   string     `bun:"user_name,notnull"`
	Sealed     string     `bun:"number_sealed,notnull"`
	Blind      string     `bun:"number_blind,notnull"`
	Tail       string     `bun:"number_tail,notnull"`
	State      State      `bun:"state,notnull"`
	RangAt     time.Time  `bun:"rang_at,notnull"`
	AnsweredAt *time.Time `bun:"answered_at"`
	EndedAt    *time.Time `bun:"ended_at"`
	Recording  string     `bun:"recording,notnull"`
	TicketID   int64      `bun:"ticket_id,notnull"`
}

func numberPlace(callID string) string { return "cti.number:" + callID }

// Kind is what an event tells.
type Kind string

// The kinds of events.
const (
	Ring   Kind = "ring"
	Answer Kind = "answer"
	HangUp Kind = "hangup"
	Survey Kind = "survey" // a key was pressed in a voice call-back
)

// Event is what the telephone platform tells.
type Event struct {
	Kind      Kind      `json:"event"`
	CallID    string    `json:"callId"`
	At        time.Time `json:"at"`
	Direction string    `json:"direction,omitempty"` // in or out; empty is in
	Number    string    `json:"number,omitempty"`    // of the other side; empty when it is hidden
	Queue     string    `json:"queue,omitempty"`
	Extension string    `json:"extension,omitempty"`
	Recording string    `json:"recording,omitempty"`
	Key       int       `json:"key,omitempty"`    // of a survey, 1 to 5
	Ticket    string    `json:"ticket,omitempty"` // of a survey: the number of the ticket that was asked about
}

// apply moves the call as the event tells, whatever the order in which events arrive.
func (c *call) apply(e Event, user int64, name string) {
	if e.Queue != "" {
		c.Queue = e.Queue
	}
	if e.Extension != "" && c.EndedAt == nil {
		c.Extension, c.UserID, c.UserName = e.Extension, user, name
	}
	at := e.At.UTC()
	switch e.Kind {
	case Ring:
		if at.Before(c.RangAt) {
			c.RangAt = at
		}
	case Answer:
		if c.AnsweredAt == nil {
			c.AnsweredAt = &at
		}
	case HangUp:
		if c.EndedAt == nil {
			c.EndedAt = &at
		}
		if e.Recording != "" {
			c.Recording = e.Recording
		}
	}
	switch {
	case c.EndedAt != nil && c.AnsweredAt != nil:
		c.State = Ended
	case c.EndedAt != nil:
		c.State = Missed
	case c.AnsweredAt != nil:
		c.State = Talking
	default:
		c.State = Ringing
	}
}

// eventRow is an event that was taken.
type eventRow struct {
	bun.BaseModel `bun:"table:cti_events,alias:e"`

	CallID string    `bun:"call_id,pk"`
	Kind   Kind      `bun:"kind,pk"`
	Scope  string    `bun:"scope,pk"` // the extension; of a ring with its time: one seat may be offered a call twice
	Digest string    `bun:"digest,notnull"`
	At     time.Time `bun:"at,notnull"`
}

// scope is what tells an event from another one of the same call and kind.
func (e Event) scope() string {
	if e.Kind == Ring && !e.At.IsZero() {
		return e.Extension + "@" + e.At.UTC().Format(time.RFC3339Nano)
	}
	return e.Extension
}

// extension says whose telephone one is.
type extension struct {
	bun.BaseModel `bun:"table:cti_extensions,alias:x"`

	Extension string `bun:"extension,pk"`
	UserID    int64  `bun:"user_id,notnull"`
	Name      string `bun:"user_name,notnull"`
}

// survey is a key that was pressed.
type survey struct {
	bun.BaseModel `bun:"table:cti_surveys,alias:v"`

	CallID string    `bun:"call_id,pk"`
	Ticket string    `bun:"ticket_number,notnull"`
	Key    int       `bun:"pressed,notnull"`
	At     time.Time `bun:"at,notnull"`
	Taken  bool      `bun:"taken,notnull"`
}

// LineChanged is announced when something is new on a person's telephone.
type LineChanged struct {
	UserID int64 `json:"userId"`
	CallID int64 `json:"callId"`
	State  State `json:"state"`
}

// Event names the fact.
func (f LineChanged) Event() (string, string, int64) { return "cti.line_changed", Object, f.UserID }

// The faults of the module.
var (
	ErrForbidden = fault.ErrForbidden
	// ErrSignature: the request is not signed with the key of the installation, or is too old.
	ErrSignature = fault.New(fault.Unauthorized, "CTI_SIGNATURE", "签名无效或已过期，请核对密钥和时钟")
	// ErrOff: the installation has no telephone platform.
	ErrOff = fault.New(fault.Unavailable, "CTI_OFF", "本平台未开通话务接口，请在配置中设置 cti.secret")
	// ErrDiffers: the same event came before with another content.
	ErrDiffers = fault.New(fault.Conflict, "CTI_DIFFERS", "同一通话的同一事件已收到过不同的内容，已按首次内容处理")
	// ErrRecording: the call has no recording.
	ErrRecording = fault.New(fault.NotFound, "NO_RECORDING", "该通话没有录音")
	errStale     = fault.New(fault.Conflict, "CHANGED", "内容已被他人更新，请刷新后再操作")
)
