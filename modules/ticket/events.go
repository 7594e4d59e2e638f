package ticket

import "time"

// Object is the name of a ticket in events, audit rows and file links.
const Object = "ticket"

// Head is what every fact says about its ticket, after the change. It holds no phone number.
type Head struct {
	ID           int64     `json:"id"`
	Number       string    `json:"number"`
	Title        string    `json:"title"`
	Type         string    `json:"type"`
	Urgency      Urgency   `json:"urgency"`
	Status       Status    `json:"status"`
	Version      int64     `json:"version"`
	UserID       int64     `json:"userId,omitempty"` // the requester, when they have an account
	EnterpriseID int64     `json:"enterpriseId,omitempty"`
	Secrecy      int       `json:"secrecy,omitempty"` // its level when it is confidential
	UnitID       int64     `json:"unitId,omitempty"`
	UnitName     string    `json:"unitName,omitempty"`
	Area         string    `json:"area,omitempty"` // code of the street or town, when somebody knows it
	DueAt        time.Time `json:"dueAt"`
}

// Opened is announced when a ticket is received.
type Opened struct {
	Head
	Source         Source `json:"source"`
	EnterpriseName string `json:"enterpriseName,omitempty"`
}

// Answered is announced when the desk answers itself.
type Answered struct {
	Head
	Text string `json:"text"`
}

// Declined is announced when the desk may not take a request.
type Declined struct {
	Head
	Reason string `json:"reason"` // what the requester reads: the case, the explanation and the legal route
	Code   string `json:"code,omitempty"`
	Route  string `json:"route,omitempty"`
}

// Dispatched is announced when a unit gets the ticket.
type Dispatched struct {
	Head
	FromName string  `json:"fromName,omitempty"`
	Note     string  `json:"note,omitempty"` // internal
	To       []Given `json:"to,omitempty"`   // the co-handlers, when there are any
}

// Signed is announced when the unit takes the ticket on.
type Signed struct{ Head }

// Replied is announced when the unit tells what it did.
type Replied struct {
	Head
	Text    string  `json:"text"`
	FileIDs []int64 `json:"fileIds,omitempty"`
	// Evidence is told where the type asks for some.
	Evidence *EvidenceFact `json:"evidence,omitempty"`
}

// CalledBack is announced for each call that did not settle the ticket.
type CalledBack struct {
	Head
	Outcome Outcome    `json:"outcome"`
	Note    string     `json:"note,omitempty"` // internal
	Told    *Told      `json:"told,omitempty"`
	NextAt  *time.Time `json:"nextAt,omitempty"` // when somebody calls again, if it was agreed
}

// Closed is announced when a ticket ends well or as well as it could.
type Closed struct {
	Head
	Outcome *Outcome `json:"outcome,omitempty"`
	Note    string   `json:"note,omitempty"` // internal
	// OnLine: the caller heard the answer and judged it on the telephone; no call-back follows.
	OnLine bool     `json:"onLine,omitempty"`
	Told   *Told    `json:"told,omitempty"`
	Rule   *RuleRef `json:"rule,omitempty"` // of timed closing, when no person closed it
}

// Reopened is announced when the unit must do it again. OldDueAt is the deadline the new clock replaces.
type Reopened struct {
	Head
	OldDueAt time.Time `json:"oldDueAt"`
	Note     string    `json:"note,omitempty"` // internal
	Outcome  *Outcome  `json:"outcome,omitempty"`
	Told     *Told     `json:"told,omitempty"` // of the call-back that led to it
}

// Voided is announced when a ticket is taken out of the books.
type Voided struct {
	Head
	Reason string `json:"reason"`
}

// Rated is announced when the requester judges the handling.
type Rated struct {
	Head
	Rating  int      `json:"rating"`
	Tags    []string `json:"tags,omitempty"`
	Opinion string   `json:"opinion,omitempty"`
}

// Event names the fact.
func (f Opened) Event() (string, string, int64) { return "ticket.opened", Object, f.ID }

// Event names the fact.
func (f Answered) Event() (string, string, int64) { return "ticket.answered", Object, f.ID }

// Event names the fact.
func (f Declined) Event() (string, string, int64) { return "ticket.declined", Object, f.ID }

// Event names the fact.
func (f Dispatched) Event() (string, string, int64) { return "ticket.dispatched", Object, f.ID }

// Event names the fact.
func (f Signed) Event() (string, string, int64) { return "ticket.signed", Object, f.ID }

// Event names the fact.
func (f Replied) Event() (string, string, int64) { return "ticket.replied", Object, f.ID }

// Event names the fact.
func (f CalledBack) Event() (string, string, int64) { return "ticket.called_back", Object, f.ID }

// Event names the fact.
func (f Closed) Event() (string, string, int64) { return "ticket.closed", Object, f.ID }

// Event names the fact.
func (f Reopened) Event() (string, string, int64) { return "ticket.reopened", Object, f.ID }

// Event names the fact.
func (f Voided) Event() (string, string, int64) { return "ticket.voided", Object, f.ID }

// Event names the fact.
func (f Rated) Event() (string, string, int64) { return "ticket.rated", Object, f.ID }

func (t *Ticket) head() Head {
	return Head{
		ID: t.ID, Number: t.Number, Title: t.Title, Type: t.Type, Urgency: t.Urgency, Status: t.Status, Version: t.Version,
		UserID: t.UserID, EnterpriseID: t.EnterpriseID, UnitID: t.UnitID, UnitName: t.UnitName, DueAt: t.DueAt, Secrecy: t.Secrecy, Area: t.Area,
	}
}
