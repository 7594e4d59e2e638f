package ticket

// Given is a hop as the facts name it.
type Given struct {
	HopID    int64  `json:"hopId"`
	UnitID   int64  `json:"unitId"`
	UnitName string `json:"unitName"`
	Role     Role   `json:"role"`
}

// hop is as much of the hop as its clocks ask for.
func (g Given) hop() *Hop { return &Hop{ID: g.HopID, UnitID: g.UnitID} }

func given(h *Hop) Given { return Given{h.ID, h.UnitID, h.UnitName, h.Role} }

// Forwarded is announced when a unit that signed passes work on: to a unit below it, to co-handlers, or as tasks.
type Forwarded struct {
	Head
	FromName string  `json:"fromName"`
	To       []Given `json:"to"`
	Note     string  `json:"note,omitempty"` // internal
}

// PartSigned is announced when a unit takes on a hop that does not carry the ticket.
type PartSigned struct {
	Head
	Hop Given `json:"hop"`
}

// PartAnswered is announced when such a unit tells what it did. The requester reads the reply of the lead hop only.
type PartAnswered struct {
	Head
	Hop     Given   `json:"hop"`
	Text    string  `json:"text"` // internal
	FileIDs []int64 `json:"fileIds,omitempty"`
	// Evidence is told where the type asks for some.
	Evidence *EvidenceFact `json:"evidence,omitempty"`
}

// TaskAccepted is announced when the result of a task is found good.
type TaskAccepted struct {
	Head
	Hop  Given  `json:"hop"`
	Note string `json:"note,omitempty"` // internal
}

// TaskReturned is announced when the result of a task is sent back.
type TaskReturned struct {
	Head
	Hop  Given  `json:"hop"`
	Note string `json:"note"` // internal
}

// Recalled is announced when a hop that does not carry the ticket is taken away from its unit.
type Recalled struct {
	Head
	Hop  Given  `json:"hop"`
	Note string `json:"note,omitempty"` // internal
}

// ReviewPassed is announced when a reply is found good enough for the call-back.
type ReviewPassed struct {
	Head
	Note     string        `json:"note,omitempty"` // internal
	Evidence *EvidenceFact `json:"evidence,omitempty"`
}

// ReviewRefused is announced when the unit must answer anew.
type ReviewRefused struct {
	Head
	Note     string        `json:"note"` // internal
	Evidence *EvidenceFact `json:"evidence,omitempty"`
}

// PutAway is announced when an ended ticket is archived.
type PutAway struct {
	Head
	Rule *RuleRef `json:"rule,omitempty"` // of timed closing
}

// Supplemented is Resumed as the requester brings it about: Reason is what they wrote.
type Supplemented struct {
	Resumed
	FileIDs []int64 `json:"fileIds,omitempty"`
	By      string  `json:"by"` // "requester"
}

// ReturnAsked is announced when a unit wants to give a hop back.
type ReturnAsked struct {
	Head
	RequestID int64  `json:"requestId"`
	Hop       Given  `json:"hop"`
	Code      string `json:"code"`
	Basis     string `json:"basis,omitempty"`
	Note      string `json:"note"` // internal
}

// ReturnDecided is announced when the level that dispatched agreed or not. The clock goes on as it ran.
type ReturnDecided struct {
	Head
	RequestID int64  `json:"requestId"`
	Hop       Given  `json:"hop"`
	Granted   bool   `json:"granted"`
	Note      string `json:"note,omitempty"` // internal
}

// ExtensionEndorsed is announced when the unit's leader let its own staff's request pass, or not.
type ExtensionEndorsed struct {
	Head
	RequestID int64  `json:"requestId"`
	Hop       Given  `json:"hop"`
	Passed    bool   `json:"passed"`
	Note      string `json:"note,omitempty"` // internal
}

// extensionDecided is ExtensionDecided with what the timeline needs. For a hop that does not carry the ticket, DueAt of the
// head is that hop's deadline.
type extensionDecided struct {
	ExtensionDecided
	Hop   Given `json:"hop"`
	Carry bool  `json:"carry"` // the ticket's own deadline moved
}

// RequestWithdrawn is announced when a unit takes a request back.
type RequestWithdrawn struct {
	Head
	RequestID int64       `json:"requestId"`
	Hop       Given       `json:"hop"`
	Kind      RequestKind `json:"kind"`
}

// AppealAsked is announced when the unit does not accept an unsatisfied call-back.
type AppealAsked struct {
	Head
	RequestID int64  `json:"requestId"`
	Code      string `json:"code"`
	Basis     string `json:"basis,omitempty"`
	Note      string `json:"note"` // internal
}

// AppealDecided is announced when the supervisor decided. Granted leaves the ticket out of the statistics.
type AppealDecided struct {
	Head
	RequestID int64  `json:"requestId"`
	Granted   bool   `json:"granted"`
	Note      string `json:"note,omitempty"` // internal
}

// Joined is announced of a ticket that is from now on handled as part of another.
type Joined struct {
	Head
	Into   int64  `json:"into"`
	Number string `json:"leadNumber"` // internal
	Note   string `json:"note,omitempty"`
	// Hop is the lead hop that rests from now on, nil when the ticket waited at the desk.
	Hop *Given `json:"hop,omitempty"`
	// Held: the ticket waited for its requester, who from now on waits for the order.
	Held bool `json:"held,omitempty"`
}

// Absorbed is announced of the handling order that takes a ticket in.
type Absorbed struct {
	Head
	Other  int64  `json:"other"`
	Number string `json:"otherNumber"` // internal
}

// Parted is announced of a ticket that is one of its own again.
type Parted struct {
	Head
	From int64  `json:"from"`
	Note string `json:"note"`          // internal
	Hop  *Given `json:"hop,omitempty"` // the lead hop that goes on
	// Ask is what the requester is waited for again, "" when the ticket was not held.
	Ask string `json:"ask,omitempty"`
}

// Linked is announced of both tickets that are about one thing. It names no number: who sees one may not see the other.
type Linked struct {
	Head
	Other int64 `json:"other"`
}

// Unlinked is announced of both tickets when the link is taken away.
type Unlinked struct {
	Head
	Other int64 `json:"other"`
}

// Undone is announced when the last step is taken back. What the step set off outside, such as a letter sent, stays.
type Undone struct {
	Head
	Seq    int64  `json:"seq"` // of the event that is undone
	Kind   string `json:"kind"`
	Label  string `json:"label"`
	Reason string `json:"reason"`
}

// Event names the fact.
func (f Forwarded) Event() (string, string, int64) { return "ticket.forwarded", Object, f.ID }

// Event names the fact.
func (f PartSigned) Event() (string, string, int64) { return "ticket.hop_signed", Object, f.ID }

// Event names the fact.
func (f PartAnswered) Event() (string, string, int64) { return "ticket.hop_replied", Object, f.ID }

// Event names the fact.
func (f TaskAccepted) Event() (string, string, int64) { return "ticket.task_accepted", Object, f.ID }

// Event names the fact.
func (f TaskReturned) Event() (string, string, int64) { return "ticket.task_returned", Object, f.ID }

// Event names the fact.
func (f Recalled) Event() (string, string, int64) { return "ticket.recalled", Object, f.ID }

// Event names the fact.
func (f ReviewPassed) Event() (string, string, int64) { return "ticket.reviewed", Object, f.ID }

// Event names the fact.
func (f ReviewRefused) Event() (string, string, int64) { return "ticket.sent_back", Object, f.ID }

// Event names the fact.
func (f PutAway) Event() (string, string, int64) { return "ticket.archived", Object, f.ID }

// Event names the fact.
func (f ReturnAsked) Event() (string, string, int64) { return "ticket.return_asked", Object, f.ID }

// Event names the fact.
func (f ReturnDecided) Event() (string, string, int64) { return "ticket.return_decided", Object, f.ID }

// Event names the fact.
func (f ExtensionEndorsed) Event() (string, string, int64) {
	return "ticket.extension_endorsed", Object, f.ID
}

// Event names the fact.
func (f RequestWithdrawn) Event() (string, string, int64) {
	return "ticket.request_withdrawn", Object, f.ID
}

// Event names the fact.
func (f AppealAsked) Event() (string, string, int64) { return "ticket.appeal_asked", Object, f.ID }

// Event names the fact.
func (f AppealDecided) Event() (string, string, int64) { return "ticket.appeal_decided", Object, f.ID }

// Event names the fact.
func (f Joined) Event() (string, string, int64) { return "ticket.merged", Object, f.ID }

// Event names the fact.
func (f Absorbed) Event() (string, string, int64) { return "ticket.absorbed", Object, f.ID }

// Event names the fact.
func (f Parted) Event() (string, string, int64) { return "ticket.unmerged", Object, f.ID }

// Event names the fact.
func (f Linked) Event() (string, string, int64) { return "ticket.linked", Object, f.ID }

// Event names the fact.
func (f Unlinked) Event() (string, string, int64) { return "ticket.unlinked", Object, f.ID }

// Event names the fact.
func (f Undone) Event() (string, string, int64) { return "ticket.undone", Object, f.ID }
