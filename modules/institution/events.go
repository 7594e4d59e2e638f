package institution

import "time"

// Object is the name of an institution in events, audit rows and file links.
const Object = "institution"

// Head is what every fact says about its institution, after the change.
type Head struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Status  Status `json:"status"`
	Version int64  `json:"version"`
}

// Opened is announced when an institution is registered.
type Opened struct{ Head }

// Edited is announced when its particulars change.
type Edited struct{ Head }

// Paused is announced when it is taken out of service.
type Paused struct {
	Head
	Reason string `json:"reason"`
}

// Resumed is announced when it is back.
type Resumed struct{ Head }

// Event names the fact.
func (f Opened) Event() (string, string, int64) { return "institution.opened", Object, f.ID }

// Event names the fact.
func (f Edited) Event() (string, string, int64) { return "institution.edited", Object, f.ID }

// Event names the fact.
func (f Paused) Event() (string, string, int64) { return "institution.suspended", Object, f.ID }

// Event names the fact.
func (f Resumed) Event() (string, string, int64) { return "institution.resumed", Object, f.ID }

// The names of the objects of onboarding in events, audit rows and file links.
const (
	ObjectApplication = "institution_application"
	ObjectDocument    = "institution_document"
)

// OnboardingHead is what every fact about an application for 入驻 says. UserID applied.
type OnboardingHead struct {
	ID     int64  `json:"id"`
	Number string `json:"number"`
	Name   string `json:"name"`
	UserID int64  `json:"userId"`
	Round  int    `json:"round"`
}

// OnboardingSubmitted is announced when an application was sent, or sent again.
type OnboardingSubmitted struct {
	OnboardingHead
	DueAt time.Time `json:"dueAt"`
}

// OnboardingReturned is announced when it was sent back.
type OnboardingReturned struct {
	OnboardingHead
	Reason string `json:"reason"`
}

// OnboardingApproved is announced when the institution came into being.
type OnboardingApproved struct {
	OnboardingHead
	InstitutionID int64  `json:"institutionId"`
	Account       string `json:"account"`
}

// OnboardingRefused is announced when it was refused.
type OnboardingRefused struct {
	OnboardingHead
	Reason string `json:"reason"`
}

// OnboardingChecked is announced when it passed the first review.
type OnboardingChecked struct {
	OnboardingHead
	DueAt time.Time `json:"dueAt"`
}

// OnboardingUndone is announced when a decision was taken back; State is that from before it.
type OnboardingUndone struct {
	OnboardingHead
	Seq    int64  `json:"seq"` // of the decision's event
	Label  string `json:"label"`
	Reason string `json:"reason"`
	State  State  `json:"state"`
}

// Event names the fact.
func (f OnboardingUndone) Event() (string, string, int64) {
	return "institution_application.review_undone", ObjectApplication, f.ID
}

// OnboardingWithdrawn is announced when its applicant took it back.
type OnboardingWithdrawn struct{ OnboardingHead }

// OnboardingOverdue is announced once for a review that was not done in time; State says which.
type OnboardingOverdue struct {
	OnboardingHead
	DueAt time.Time `json:"dueAt"`
	State State     `json:"state"`
}

// Expiring is announced 30 and 7 days before a qualification ends, and on the day.
type Expiring struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Paper string `json:"paper"`
	To    string `json:"to"`
	Days  int    `json:"days"`
}

// Event names the fact.
func (f OnboardingSubmitted) Event() (string, string, int64) {
	return "institution_application.submitted", ObjectApplication, f.ID
}

// Event names the fact.
func (f OnboardingChecked) Event() (string, string, int64) {
	return "institution_application.checked", ObjectApplication, f.ID
}

// Event names the fact.
func (f OnboardingWithdrawn) Event() (string, string, int64) {
	return "institution_application.withdrawn", ObjectApplication, f.ID
}

// Event names the fact.
func (f OnboardingReturned) Event() (string, string, int64) {
	return "institution_application.returned", ObjectApplication, f.ID
}

// Event names the fact.
func (f OnboardingApproved) Event() (string, string, int64) {
	return "institution_application.approved", ObjectApplication, f.ID
}

// Event names the fact.
func (f OnboardingRefused) Event() (string, string, int64) {
	return "institution_application.refused", ObjectApplication, f.ID
}

// Event names the fact.
func (f OnboardingOverdue) Event() (string, string, int64) {
	return "institution_application.overdue", ObjectApplication, f.ID
}

// Event names the fact.
func (f Expiring) Event() (string, string, int64) { return "institution.expiring", Object, f.ID }

func (a *Application) head() OnboardingHead {
	return OnboardingHead{ID: a.ID, Number: a.Number, Name: a.Name, UserID: a.UserID, Round: a.Round}
}

func (i *Institution) head() Head {
	return Head{ID: i.ID, Name: i.Name, Kind: i.Kind, Status: i.Status, Version: i.Version}
}

var labels = map[string]string{
	"institution.opened": "登记机构", "institution.edited": "修改信息", "institution.suspended": "暂停服务", "institution.resumed": "恢复服务",
	"institution.expiring": "资质到期提醒",
}
