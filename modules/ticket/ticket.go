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
	FromAgent  Source = "agent"  // an agent wrote it down for a caller
	FromImport Source = "import" // a line of a spreadsheet
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
	// ErrReviewDue: a type that asks for it has the unit's reply reviewed before the requester is called.
	ErrReviewDue = fault.New(fault.Conflict, "TICKET_REVIEW", "此类工单的办理结果须先审核，审核通过后再回访或办结")
	// ErrBelow: units that were given a part have not answered yet, or their answer was not accepted.
	ErrBelow = fault.New(fault.Conflict, "TICKET_BELOW", "下级或协办单位尚未反馈，请等待其反馈，或收回后再办理")
	// ErrHop: the hop named is not one the actor may act on, or its state does not allow it.
	ErrHop = fault.New(fault.Conflict, "TICKET_HOP", "该办理环节当前不能进行此操作，请刷新后查看")
	// ErrRequest: the return, extension or appeal does not meet its conditions.
	ErrRequest = fault.New(fault.Conflict, "TICKET_REQUEST", "该申请当前不能进行此操作，请刷新后查看")
	// ErrMerge: the tickets cannot be handled as one.
	ErrMerge = fault.New(fault.Conflict, "TICKET_MERGE", "这两件工单不能并单，请核对工单状态")
	// ErrUndo: nothing can be undone, or not by this person any more.
	ErrUndo = fault.New(fault.Conflict, "TICKET_UNDO", "上一步操作不能撤销")
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
	OpinionTags    string     `bun:"opinion_tags,notnull"` // JSON, "" for none
	// ReviewDue: the reply waits for its review before the requester is called. A type asks for it.
	ReviewDue bool `bun:"review_due,notnull"`
	// Round counts how often the ticket was done again.
	Round int `bun:"round,notnull"`
	// MergedInto is the handling order this ticket was merged into; kept after it was answered with that order.
	MergedInto int64 `bun:"merged_into,nullzero"`
	// Excluded: an appeal was granted; the statistics leave the judgement of this ticket out.
	Excluded bool  `bun:"excluded,notnull"`
	Alert    Alert `bun:"alert,notnull"` // kept by the clocks
	// Secrecy is the level of a confidential ticket, 0 for another; Confide alone sets it.
	Secrecy int `bun:"secrecy,notnull"`
	// MovedAt is when the last step was taken; none once the ticket is put away.
	MovedAt time.Time `bun:"moved_at,nullzero"`
	// Area is the code of the street or town the matter lies in, "" when nobody knows. Locate alone changes it.
	Area string `bun:"area"`

	moved []MovedClock // the deadlines that the step at hand moves, for its fact
}

// Hop is one dispatch of a ticket to a unit. The latest hop with Lead set carries the ticket: the ticket's state follows it.
// Every other hop works for the hop ParentID names, or, without one, beside the lead hop: a unit further down that the work
// was passed on to, a co-handler, a task.
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

	ParentID int64 `bun:"parent_id,nullzero"`
	Role     Role  `bun:"role,notnull"`
	Round    int   `bun:"round,notnull"` // that of the ticket when it was dispatched
	// Reply is the unit's own answer: what the requester reads is the one of the lead hop.
	Reply string `bun:"reply,notnull"`
	// SentBy is the person who dispatched, for the counts of returns.
	SentBy     int64  `bun:"sent_by,nullzero"`
	SentByName string `bun:"sent_by_name,notnull"`
}

// Role is what a unit was given a hop for.
type Role string

// The roles.
const (
	RoleLead Role = "lead" // 主办
	RoleCo   Role = "co"   // 协办
	RoleTask Role = "task" // a part of the work whose result is accepted or sent back
)

// Open reports whether the unit still has something to do.
func (h *Hop) Open() bool { return h.State == HopSent || h.State == HopSigned }

// Settled reports whether nothing is waited for: the unit answered, and a task's answer was accepted, or the hop ended.
func (h *Hop) Settled() bool { return !h.Open() && (h.Role != RoleTask || h.State != HopReplied) }

// HopState is where a hop stands.
type HopState string

// The states of a hop.
const (
	HopSent     HopState = "dispatched"
	HopSigned   HopState = "signed"
	HopReplied  HopState = "replied"
	HopAccepted HopState = "accepted" // a task whose result was found good
	HopReturned HopState = "returned" // the unit gave it back and the level that dispatched agreed
	HopEnded    HopState = "ended"    // voided or recalled before the unit replied
	HopMerged   HopState = "merged"   // the ticket was merged into another; undoing that gives it back to the unit
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
		return ErrState.With("工单当前为“%s”，不能%s。%s，请刷新后查看最新进展", t.Status.Label(), RightOf(a).Label, legal(t.Status))
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
	t.place(to)
	return t.hop(now, from, note), nil
}

func (t *Ticket) hop(now time.Time, from UnitInfo, note string) Hop {
	return Hop{
		TicketID: t.ID, FromID: from.ID, FromName: from.Name, UnitID: t.UnitID, UnitName: t.UnitName,
		UnitL1: t.UnitL1, UnitL2: t.UnitL2, UnitL3: t.UnitL3, UnitL4: t.UnitL4,
		Lead: true, State: HopSent, SentAt: now, DueAt: t.DueAt, Note: note, Role: RoleLead, Round: t.Round,
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
	h.State, h.RepliedAt, h.Reply = HopReplied, &now, text
	return nil
}

// Review finds the unit's reply good enough for the call-back.
func (t *Ticket) Review() error {
	if err := t.move(ToReview); err != nil {
		return err
	}
	t.ReviewDue = false
	return nil
}

// SendBack has the unit answer anew, under the clock that runs.
func (t *Ticket) SendBack(h *Hop) error {
	if err := t.move(ToSendBack); err != nil {
		return err
	}
	t.ReviewDue = false
	h.State, h.RepliedAt = HopSigned, nil
	return nil
}

// reviewed refuses what must wait for the review of the reply.
func (t *Ticket) reviewed() error {
	if t.Status == Reported && t.ReviewDue {
		return ErrReviewDue
	}
	return nil
}

// CallBack records a call that did not settle the ticket.
func (t *Ticket) CallBack() error {
	if err := t.reviewed(); err != nil {
		return err
	}
	return t.move(ToCallBack)
}

// Suspend stops the work until the requester has done their part.
func (t *Ticket) Suspend() error { return t.move(ToSuspend) }

// Resume goes on with the work.
func (t *Ticket) Resume() error { return t.move(ToResume) }

// Supplement is the requester's part, with which the work goes on.
func (t *Ticket) Supplement() error { return t.move(ToSupplement) }

// Archive puts an ended ticket away.
func (t *Ticket) Archive() error { return t.move(ToArchive) }

// TakeBack has the ticket dispatched anew, because the lead unit gave it back. The clock goes on.
func (t *Ticket) TakeBack(h *Hop) error {
	if err := t.move(takeBack); err != nil {
		return err
	}
	h.State = HopReturned
	t.place(UnitInfo{})
	return nil
}

// Merge makes the ticket a part of the handling order.
func (t *Ticket) Merge(into *Ticket) error {
	switch into.Status {
	case Received, Sent, Handling, OnHold:
	default:
		return ErrMerge.With("主单 %s 当前为“%s”，不能再并入其他工单", into.Number, into.Status.Label())
	}
	if into.ID == t.ID {
		return ErrMerge.With("不能把工单并入它自己，请选择另一件工单作为主单")
	}
	if err := t.move(ToMerge); err != nil {
		return err
	}
	t.MergedInto = into.ID
	t.at(into)
	return nil
}

// Unmerge makes the ticket one of its own again: at the unit whose work rested, nil for none, or at the desk. A ticket that was
// held when it was merged waits for its requester again.
func (t *Ticket) Unmerge(rested *Hop, held bool) error {
	a, at := ToUnmerge, UnitInfo{}
	if rested != nil {
		a, at = partSent, rested.unit()
		if rested.SignedAt != nil {
			a = partHandling
		}
		if held {
			a = partHeld
		}
	}
	if err := t.move(a); err != nil {
		return err
	}
	t.MergedInto = 0
	t.place(at)
	return nil
}

// Follow answers the ticket with what its handling order was answered.
func (t *Ticket) Follow(lead *Ticket) error {
	a := followReply
	if lead.Status == Direct {
		a = followAnswer
	}
	if err := t.move(a); err != nil {
		return err
	}
	t.Reply, t.ReviewDue = lead.Reply, lead.ReviewDue
	t.at(lead)
	return nil
}

// at puts the ticket where another one lies.
func (t *Ticket) at(o *Ticket) {
	t.UnitID, t.UnitName, t.UnitL1, t.UnitL2, t.UnitL3, t.UnitL4 = o.UnitID, o.UnitName, o.UnitL1, o.UnitL2, o.UnitL3, o.UnitL4
}

// place puts the ticket at a unit; the zero UnitInfo is the desk.
func (t *Ticket) place(u UnitInfo) {
	t.UnitID, t.UnitName = u.ID, u.Name
	t.UnitL1, t.UnitL2, t.UnitL3, t.UnitL4 = u.Levels[0], u.Levels[1], u.Levels[2], u.Levels[3]
}

// stay refuses a step of a hop or of a request in a state that has none.
func (t *Ticket) stay(a Action) error { return t.move(a) }

// Close ends the ticket. After a unit's reply the outcome of the call-back is needed, and a note when it is not good.
func (t *Ticket) Close(now time.Time, o *Outcome, note string) error {
	if err := t.reviewed(); err != nil {
		return err
	}
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

// CloseUncalled ends a ticket whose requester is not called, because it is not in the sample.
func (t *Ticket) CloseUncalled(now time.Time) error {
	if err := t.reviewed(); err != nil {
		return err
	}
	if err := t.move(ToClose); err != nil {
		return err
	}
	t.ClosedAt = &now
	return nil
}

// Reopen has the unit the ticket lies with do it again under a new clock and returns the new hop, also when the ticket had ended.
func (t *Ticket) Reopen(now time.Time, hours int, from UnitInfo, note string) (Hop, error) {
	if err := t.move(ToReopen); err != nil {
		return Hop{}, err
	}
	t.DueAt, t.ReviewDue, t.ClosedAt = Deadline(now, hours), false, nil
	t.Rating, t.Opinion, t.OpinionTags, t.Excluded = 0, "", "", false // the next reply is judged anew
	t.Round++
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
func (t *Ticket) Rate(stars int, tags []string, opinion string) error {
	if err := t.reviewed(); err != nil {
		return err
	}
	if err := t.move(ToRate); err != nil {
		return err
	}
	if t.Rating != 0 {
		return ErrRated
	}
	if stars < 1 || stars > 5 {
		return fault.InvalidField("rating", "RATING_RANGE", "请选择满意程度")
	}
	t.Rating, t.Opinion, t.OpinionTags = stars, opinion, tagsText(tags)
	return nil
}

// Deadline is when a ticket that starts at start must be answered: hours later on the clock.
func Deadline(start time.Time, hours int) time.Time {
	return start.Add(time.Duration(hours) * time.Hour)
}
