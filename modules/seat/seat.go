package seat

import (
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Object names a seat in events and audit rows; its id is the person's.
const Object = "seat"

// The rights of the module.
const (
	PermSit    access.Permission = "seat.sit"    // to sit at the desk
	PermView   access.Permission = "seat.view"   // to see all seats and the roster
	PermManage access.Permission = "seat.manage" // skills, teams, shifts, another's state
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermSit, Group: "坐席与督导", Label: "坐席签入"},
		{Name: PermView, Group: "坐席与督导", Label: "查看坐席与排班"},
		{Name: PermManage, Group: "坐席与督导", Label: "管理技能、班组与排班"},
	}
}

// State is what a seat does.
type State string

// The states.
const (
	Free    State = "free"    // 空闲
	Talking State = "talking" // 通话
	After   State = "after"   // 话后处理
	Break   State = "break"   // 小休
	Away    State = "away"    // 离席
	Off     State = "off"     // 离线
)

var states = map[State]string{Free: "空闲", Talking: "通话", After: "话后处理", Break: "小休", Away: "离席", Off: "离线"}

// States lists the states in the order in which they are shown.
func States() []State { return []State{Free, Talking, After, Break, Away, Off} }

// Label is the Chinese word of the state, empty for one that does not exist.
func (s State) Label() string { return states[s] }

// Reasons are those of leaving the seat; Other wants words of one's own.
func Reasons() []string {
	return []string{"用餐", "会议", "培训", "外出办事", "设备故障", Other}
}

// Other is the reason that wants words of one's own.
const Other = "其他"

// Lease is how long a page may be silent before its seat goes off; pages say every Beat that they are there.
const (
	Lease = 90 * time.Second
	Beat  = 30 * time.Second
)

// The faults of the module.
var (
	ErrForbidden = fault.ErrForbidden
	ErrNotFound  = fault.ErrNotFound
	// ErrStale: the state was changed elsewhere: on another page, by the telephone, or because the page was silent.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "坐席状态已变化，请按页面上的最新状态重新切换")
	// ErrNoSeat: the person holds no right to sit at the desk.
	ErrNoSeat = fault.New(fault.Invalid, "SEAT_NONE", "此人没有坐席签入权限，请先由系统管理员授予“热线坐席”角色").On("userId")
)

// seat is where a person stands now.
type seat struct {
	bun.BaseModel `bun:"table:seats,alias:s"`

	UserID  int64     `bun:"user_id,pk"`
	Name    string    `bun:"name,notnull"`
	State   State     `bun:"state,notnull"`
	Reason  string    `bun:"reason,notnull"`
	Since   time.Time `bun:"since,notnull"`
	Until   time.Time `bun:"lease_until,notnull"`
	Version int64     `bun:"version,notnull"`
}

// at is the state at a moment: a silent seat is off, whether or not that was written down already.
func (s *seat) at(now time.Time) State {
	if s.State != Off && now.After(s.Until) {
		return Off
	}
	return s.State
}

// spell is the time a seat spent in one state.
type spell struct {
	bun.BaseModel `bun:"table:seat_spells,alias:p"`

	ID      int64      `bun:"id,pk,autoincrement"`
	UserID  int64      `bun:"user_id,notnull"`
	State   State      `bun:"state,notnull"`
	Reason  string     `bun:"reason,notnull"`
	BeganAt time.Time  `bun:"began_at,notnull"`
	EndedAt *time.Time `bun:"ended_at"` // nil while it lasts
	By      int64      `bun:"changed_by,notnull"`
}

// within is how much of the spell lies in [from, to).
func (p *spell) within(from, to time.Time) time.Duration {
	end := to
	if p.EndedAt != nil && p.EndedAt.Before(to) {
		end = *p.EndedAt
	}
	if p.BeganAt.After(from) {
		from = p.BeganAt
	}
	return max(0, end.Sub(from))
}

// Changed is announced when a seat changes its state.
type Changed struct {
	UserID int64  `json:"userId"`
	Name   string `json:"name"`
	From   State  `json:"from"`
	To     State  `json:"to"`
	Reason string `json:"reason,omitempty"`
	// Seconds is how long the state before lasted.
	Seconds int64 `json:"seconds"`
}

// Event names the fact.
func (f Changed) Event() (string, string, int64) { return "seat.changed", Object, f.UserID }

// Rostered is announced when the roster of a day changes.
type Rostered struct {
	ShiftID int64  `json:"shiftId"`
	Day     string `json:"day"`
	Team    string `json:"team"`
	Reason  string `json:"reason"`
}

// Event names the fact.
func (f Rostered) Event() (string, string, int64) { return "seat.rostered", "shift", f.ShiftID }

// checkReason returns the reason as it is kept: leaving the seat needs one of Reasons, or words of one's own.
func checkReason(to State, reason, words string) (string, error) {
	if to != Away {
		return "", nil
	}
	switch {
	case !slices.Contains(Reasons(), reason):
		return "", fault.InvalidField("reason", "SEAT_REASON", "离席请选择原因")
	case reason == Other && words == "":
		return "", fault.InvalidField("words", "SEAT_REASON", "请写明离席原因")
	case reason == Other:
		return words, nil
	}
	return reason, nil
}
