package ticket

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/fault"
)

// Urgency says how soon harm comes.
type Urgency string

// The urgencies.
const (
	Normal   Urgency = "normal"
	Urgent   Urgency = "urgent"
	Critical Urgency = "critical"
)

// Known reports whether u is one of the urgencies.
func (u Urgency) Known() bool { return u == Normal || u == Urgent || u == Critical }

// Source is the way a ticket came in.
type Source string

// The sources.
const (
	FromH5     Source = "h5"
	FromPortal Source = "portal"
	FromAgent  Source = "agent" // an agent wrote it down for a caller
)

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrState: the state of the ticket does not allow the action.
	ErrState = fault.New(fault.Conflict, "TICKET_STATE", "工单当前状态不能进行此操作，请刷新后查看")
	// ErrStale: somebody changed the ticket after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "工单已被他人更新，请刷新后再办理")
	// ErrRated: a ticket is rated once.
	ErrRated = fault.New(fault.Conflict, "TICKET_RATED", "您已评价过此工单，感谢您的反馈")
	// ErrOutcome: closing after a unit's reply needs the outcome of the call.
	ErrOutcome = fault.InvalidField("outcome", "TICKET_OUTCOME", "请先登记回访结果（是否接通、是否解决、是否满意）")
	// ErrReason: an outcome that is not good needs its reason.
	ErrReason = fault.InvalidField("note", "TICKET_REASON", "未接通、未解决或不满意时，请写明情况后再办结")
)

// Ticket is one request. Only its methods change Status.
type Ticket struct {
	bun.BaseModel `bun:"table:tickets,alias:t"`

	ID             int64      `bun:"id,pk,autoincrement"`
	Number         string     `bun:"number,notnull"`
	QueryHash      string     `bun:"query_hash,notnull"`
	Type           string     `bun:"type_code,notnull"`
	Title          string     `bun:"title,notnull"`
	Body           string     `bun:"body,notnull"`
	Urgency        Urgency    `bun:"urgency,notnull"`
	Status         Status     `bun:"status,notnull"`
	Version        int64      `bun:"version,notnull"`
	Source         Source     `bun:"source,notnull"`
	RequesterName  string     `bun:"requester_name,notnull"`
	PhoneSealed    string     `bun:"phone_sealed,notnull"`
	PhoneBlind     string     `bun:"phone_blind,nullzero"`
	PhoneTail      string     `bun:"phone_tail,nullzero"`
	UserID         int64      `bun:"user_id,nullzero"`
	EnterpriseID   int64      `bun:"enterprise_id,nullzero"`
	EnterpriseName string     `bun:"enterprise_name,notnull"`
	OpenedBy       int64      `bun:"opened_by,nullzero"`
	UnitID         int64      `bun:"unit_id,nullzero"`
	UnitName       string     `bun:"unit_name,notnull"`
	UnitL1         int64      `bun:"unit_l1,nullzero"`
	UnitL2         int64      `bun:"unit_l2,nullzero"`
	UnitL3         int64      `bun:"unit_l3,nullzero"`
	UnitL4         int64      `bun:"unit_l4,nullzero"`
	CreatedAt      time.Time  `bun:"created_at,notnull"`
	DueAt          time.Time  `bun:"due_at,notnull"`
	ClosedAt       *time.Time `bun:"closed_at"`
	Reply          string     `bun:"reply,notnull"`
	Rating         int        `bun:"rating,nullzero"`
	Opinion        string     `bun:"opinion,notnull"`
}

// Hop is one dispatch of a ticket to a unit. The latest hop with Lead set carries the ticket.
type Hop struct {
	bun.BaseModel `bun:"table:ticket_hops,alias:h"`

	ID        int64      `bun:"id,pk,autoincrement"`
	TicketID  int64      `bun:"ticket_id,notnull"`
	FromID    int64      `bun:"from_id,nullzero"`
	FromName  string     `bun:"from_name,notnull"`
	UnitID    int64      `bun:"unit_id,notnull"`
	UnitName  string     `bun:"unit_name,notnull"`
	UnitL1    int64      `bun:"unit_l1,nullzero"`
	UnitL2    int64      `bun:"unit_l2,nullzero"`
	UnitL3    int64      `bun:"unit_l3,nullzero"`
	UnitL4    int64      `bun:"unit_l4,nullzero"`
	Lead      bool       `bun:"lead,notnull"`
	State     HopState   `bun:"state,notnull"`
	SentAt    time.Time  `bun:"sent_at,notnull"`
	SignedAt  *time.Time `bun:"signed_at"`
	RepliedAt *time.Time `bun:"replied_at"`
	DueAt     time.Time  `bun:"due_at,notnull"`
	Note      string     `bun:"note,notnull"`
}

// HopState is where a hop stands.
type HopState string

// The states of a hop.
const (
	HopSent    HopState = "dispatched"
	HopSigned  HopState = "signed"
	HopReplied HopState = "replied"
	HopEnded   HopState = "ended" // voided before the unit replied
)

// Outcome is what a call-back found.
type Outcome struct {
	Contacted bool `json:"contacted"`
	Solved    bool `json:"solved"`
	Satisfied bool `json:"satisfied"`
}

// Good reports whether nothing is left to explain.
func (o Outcome) Good() bool { return o.Contacted && o.Solved && o.Satisfied }

// Allows reports whether the state of the ticket allows the action, whoever asks.
func (t *Ticket) Allows(a Action) bool {
	_, ok := next(t.Status, a)
	return ok
}

// move takes the step or says why the state does not allow it.
func (t *Ticket) move(a Action) error {
	to, ok := next(t.Status, a)
	if !ok {
		return ErrState.With("工单当前为“%s”，不能%s，请刷新后查看最新进展", t.Status.Label(), RightOf(a).Label)
	}
	t.Status = to
	return nil
}

// Answer records the desk's own answer.
func (t *Ticket) Answer(text string) error {
	if err := t.move(ToAnswer); err != nil {
		return err
	}
	t.Reply = text
	return nil
}

// Decline ends a ticket the desk may not take; reason names the legal route.
func (t *Ticket) Decline(now time.Time, reason string) error {
	if err := t.move(ToDecline); err != nil {
		return err
	}
	t.Reply, t.ClosedAt = reason, &now
	return nil
}

// Dispatch hands the ticket to a unit and returns the hop to keep.
func (t *Ticket) Dispatch(now time.Time, from, to UnitInfo, note string) (Hop, error) {
	if err := t.move(ToDispatch); err != nil {
		return Hop{}, err
	}
	t.UnitID, t.UnitName = to.ID, to.Name
	t.UnitL1, t.UnitL2, t.UnitL3, t.UnitL4 = to.Levels[0], to.Levels[1], to.Levels[2], to.Levels[3]
	return t.hop(now, from, note), nil
}

func (t *Ticket) hop(now time.Time, from UnitInfo, note string) Hop {
	return Hop{
		TicketID: t.ID, FromID: from.ID, FromName: from.Name, UnitID: t.UnitID, UnitName: t.UnitName,
		UnitL1: t.UnitL1, UnitL2: t.UnitL2, UnitL3: t.UnitL3, UnitL4: t.UnitL4,
		Lead: true, State: HopSent, SentAt: now, DueAt: t.DueAt, Note: note,
	}
}

// Sign records that the unit took the ticket on.
func (t *Ticket) Sign(now time.Time, h *Hop) error {
	if err := t.move(ToSign); err != nil {
		return err
	}
	h.State, h.SignedAt = HopSigned, &now
	return nil
}

// Report records the unit's reply.
func (t *Ticket) Report(now time.Time, h *Hop, text string) error {
	if err := t.move(ToReply); err != nil {
		return err
	}
	t.Reply = text
	h.State, h.RepliedAt = HopReplied, &now
	return nil
}

// CallBack records a call that did not settle the ticket.
func (t *Ticket) CallBack() error { return t.move(ToCallBack) }

// Close ends the ticket. After a unit's reply the outcome of the call-back is needed, and a note when it is not good.
func (t *Ticket) Close(now time.Time, o *Outcome, note string) error {
	direct := t.Status == Direct
	if err := t.move(ToClose); err != nil {
		return err
	}
	if o == nil && !direct {
		return ErrOutcome
	}
	if o != nil && !o.Good() && note == "" {
		return ErrReason
	}
	t.ClosedAt = &now
	return nil
}

// Reopen has the same unit do it again under a new clock and returns the new hop.
func (t *Ticket) Reopen(now time.Time, hours int, from UnitInfo, note string) (Hop, error) {
	if err := t.move(ToReopen); err != nil {
		return Hop{}, err
	}
	t.DueAt = Deadline(now, hours)
	return t.hop(now, from, note), nil
}

// Void takes the ticket out of the books.
func (t *Ticket) Void(now time.Time) error {
	if err := t.move(ToVoid); err != nil {
		return err
	}
	t.ClosedAt = &now
	return nil
}

// Rate keeps the requester's judgement, once.
func (t *Ticket) Rate(stars int, opinion string) error {
	if err := t.move(ToRate); err != nil {
		return err
	}
	if t.Rating != 0 {
		return ErrRated
	}
	if stars < 1 || stars > 5 {
		return fault.InvalidField("rating", "RATING_RANGE", "请选择 1 到 5 颗星")
	}
	t.Rating, t.Opinion = stars, opinion
	return nil
}

// Deadline is when a ticket that starts at start must be answered: hours later on the clock.
func Deadline(start time.Time, hours int) time.Time {
	return start.Add(time.Duration(hours) * time.Hour)
}
