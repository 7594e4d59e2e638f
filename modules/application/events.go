package application

import "time"

// Object is the name of an application in events, audit rows and file links.
const Object = "application"

// Head is what every fact says about its application, after the change. It holds no phone number.
type Head struct {
	ID              int64  `json:"id"`
	Number          string `json:"number"`
	Version         int64  `json:"version"`
	Status          Status `json:"status"`
	ProductID       int64  `json:"productId"`
	ProductName     string `json:"productName"`
	Kind            string `json:"kind"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	EnterpriseID    int64  `json:"enterpriseId"`
	EnterpriseName  string `json:"enterpriseName"`
	UserID          int64  `json:"userId"`              // who applied
	HandlerID       int64  `json:"handlerId,omitempty"` // of the institution
}

// Submitted is announced when a company applies.
type Submitted struct {
	Head
	Source Source    `json:"source"`
	Amount int64     `json:"amount,omitempty"`
	Term   int       `json:"term,omitempty"`
	DueAt  time.Time `json:"dueAt"`
}

// Accepted is announced when the institution takes the application on.
type Accepted struct {
	Head
	Note string `json:"note,omitempty"` // to the company
}

// Declined is announced when the institution ends the application. From says at which point.
type Declined struct {
	Head
	From   Status `json:"from"`
	Reason string `json:"reason"`
}

// Withdrawn is announced when the company ends the application.
type Withdrawn struct {
	Head
	Reason string `json:"reason,omitempty"`
}

// SupplementAsked is announced when the company must supply something.
type SupplementAsked struct {
	Head
	Reason string `json:"reason"` // what is lacking
}

// Supplemented is announced when the company supplied it.
type Supplemented struct {
	Head
	Note    string   `json:"note"`
	FileIDs []int64  `json:"fileIds,omitempty"`
	Changes []Mended `json:"changes,omitempty"` // of the answers to what administrators ask
}

// Progressed is announced when the institution tells how far it is.
type Progressed struct {
	Head
	Note    string  `json:"note"` // to the company
	FileIDs []int64 `json:"fileIds,omitempty"`
}

// Approved is announced when the institution grants money.
type Approved struct {
	Head
	Amount int64  `json:"amount"` // fen
	Rate   int    `json:"rate"`   // basis points a year
	Term   int    `json:"term"`   // months
	Note   string `json:"note,omitempty"`
}

// Disbursed is announced when the money was paid out.
type Disbursed struct {
	Head
	Amount int64  `json:"amount"`
	No     int    `json:"no,omitempty"` // of the instalment
	PaidOn string `json:"paidOn,omitempty"`
	Total  int64  `json:"total,omitempty"` // with this one
	Left   int64  `json:"left,omitempty"`  // of what was granted
	Note   string `json:"note,omitempty"`
}

// Investigated is announced when the institution has done due diligence. What it found is not in it.
type Investigated struct {
	Head
	Day string `json:"day"`
	Way Way    `json:"way"`
}

// Planned is announced when the institution tells how the service will be given, or changes it.
type Planned struct {
	Head
	Edition int        `json:"edition"`
	Steps   []PlanStep `json:"steps"`
	Note    string     `json:"note,omitempty"`
}

// StepDone is announced when a step of the plan was done.
type StepDone struct {
	Head
	Title   string  `json:"title"`
	Note    string  `json:"note,omitempty"`
	FileIDs []int64 `json:"fileIds,omitempty"`
}

// Delivered is announced when the service was given; ConfirmUntil is until when the company confirms or objects.
type Delivered struct {
	Head
	Note         string    `json:"note"`
	FileIDs      []int64   `json:"fileIds,omitempty"`
	ConfirmUntil time.Time `json:"confirmUntil"`
}

// Objected is announced when the company does not accept what was delivered.
type Objected struct {
	Head
	Reason string `json:"reason"`
}

// Completed is announced when the application ends well.
type Completed struct {
	Head
	Note    string  `json:"note,omitempty"`
	FileIDs []int64 `json:"fileIds,omitempty"`
	// By is who ended a service: the company (enterprise), or its time to object (time); empty when the institution did.
	By string `json:"by,omitempty"`
}

// HandedOver is announced when another operator becomes the handler. Both names and the note stay within the institution.
type HandedOver struct {
	Head
	FromName string `json:"fromName,omitempty"`
	ToName   string `json:"toName"`
	Note     string `json:"note,omitempty"`
	ByID     int64  `json:"byId,omitempty"` // who handed it over
}

// DueWarned is announced when most of the time of a step has passed.
type DueWarned struct {
	Head
	For   DueFor    `json:"for"`
	DueAt time.Time `json:"dueAt"`
}

// Overdue is announced when the time of a step has passed.
type Overdue struct {
	Head
	For   DueFor    `json:"for"`
	DueAt time.Time `json:"dueAt"`
}

// DueMoved is announced when a new calendar moved a deadline.
type DueMoved struct {
	Head
	For    DueFor    `json:"for"`
	Before time.Time `json:"before"`
	DueAt  time.Time `json:"dueAt"`
}

// Event names the fact.
func (f DueWarned) Event() (string, string, int64) { return "application.due_warned", Object, f.ID }

// Event names the fact.
func (f Overdue) Event() (string, string, int64) { return "application.overdue", Object, f.ID }

// Event names the fact.
func (f DueMoved) Event() (string, string, int64) { return "application.due_moved", Object, f.ID }

// Undone is announced when the last step was taken back.
type Undone struct {
	Head
	Seq    int64  `json:"seq"`   // of the step
	Label  string `json:"label"` // of the step
	Reason string `json:"reason"`
	ByID   int64  `json:"byId"`
}

// Event names the fact.
func (f Undone) Event() (string, string, int64) { return "application.undone", Object, f.ID }

// Event names the fact.
func (f Investigated) Event() (string, string, int64) {
	return "application.investigated", Object, f.ID
}

// Event names the fact.
func (f Planned) Event() (string, string, int64) { return "application.planned", Object, f.ID }

// Event names the fact.
func (f StepDone) Event() (string, string, int64) { return "application.step_done", Object, f.ID }

// Event names the fact.
func (f Delivered) Event() (string, string, int64) { return "application.delivered", Object, f.ID }

// Event names the fact.
func (f Objected) Event() (string, string, int64) { return "application.objected", Object, f.ID }

// Event names the fact.
func (f Submitted) Event() (string, string, int64) { return "application.submitted", Object, f.ID }

// Event names the fact.
func (f Accepted) Event() (string, string, int64) { return "application.accepted", Object, f.ID }

// Event names the fact.
func (f Declined) Event() (string, string, int64) { return "application.declined", Object, f.ID }

// Event names the fact.
func (f Withdrawn) Event() (string, string, int64) { return "application.withdrawn", Object, f.ID }

// Event names the fact.
func (f SupplementAsked) Event() (string, string, int64) {
	return "application.supplement_asked", Object, f.ID
}

// Event names the fact.
func (f Supplemented) Event() (string, string, int64) {
	return "application.supplemented", Object, f.ID
}

// Event names the fact.
func (f Progressed) Event() (string, string, int64) { return "application.progressed", Object, f.ID }

// Event names the fact.
func (f Approved) Event() (string, string, int64) { return "application.approved", Object, f.ID }

// Event names the fact.
func (f Disbursed) Event() (string, string, int64) { return "application.disbursed", Object, f.ID }

// Event names the fact.
func (f Completed) Event() (string, string, int64) { return "application.completed", Object, f.ID }

// Event names the fact.
func (f HandedOver) Event() (string, string, int64) { return "application.handed_over", Object, f.ID }

func (a *Application) head() Head {
	return Head{
		ID: a.ID, Number: a.Number, Version: a.Version, Status: a.Status, ProductID: a.ProductID, ProductName: a.ProductName, Kind: a.Kind,
		InstitutionID: a.InstitutionID, InstitutionName: a.InstitutionName, EnterpriseID: a.EnterpriseID, EnterpriseName: a.EnterpriseName,
		UserID: a.UserID, HandlerID: a.HandlerID,
	}
}
