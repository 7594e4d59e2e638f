package ticket

import "time"

// Suspended is announced when work stops until the requester has done their part. Every clock of the ticket stands still.
type Suspended struct {
	Head
	Reason string `json:"reason"` // told to the requester
}

// Resumed is announced when work goes on; the clocks run again with what was left of them.
type Resumed struct {
	Head
	Reason string `json:"reason,omitempty"`
}

// ExtensionAsked is announced when a unit asks for more time on its hop, before that ran out.
type ExtensionAsked struct {
	Head
	HopID  int64  `json:"hopId"`
	Days   int    `json:"days"` // working days
	Reason string `json:"reason"`
}

// ExtensionDecided is announced when the request for more time was granted or not. DueAt of the head is the new deadline.
type ExtensionDecided struct {
	Head
	HopID    int64     `json:"hopId"`
	Granted  bool      `json:"granted"`
	Days     int       `json:"days"` // granted, in working days
	OldDueAt time.Time `json:"oldDueAt"`
	Note     string    `json:"note,omitempty"`
}

// Event names the fact.
func (f Suspended) Event() (string, string, int64) { return "ticket.suspended", Object, f.ID }

// Event names the fact.
func (f Resumed) Event() (string, string, int64) { return "ticket.resumed", Object, f.ID }

// Event names the fact.
func (f ExtensionAsked) Event() (string, string, int64) {
	return "ticket.extension_asked", Object, f.ID
}

// Event names the fact.
func (f ExtensionDecided) Event() (string, string, int64) {
	return "ticket.extension_decided", Object, f.ID
}
