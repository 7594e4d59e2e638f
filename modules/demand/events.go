package demand

import "time"

// Head is what every fact says about its demand. It holds no phone number, and the company's name for staff alone.
type Head struct {
	ID             int64  `json:"id"`
	Number         string `json:"number"`
	Version        int64  `json:"version"`
	State          State  `json:"state"`
	Title          string `json:"title"`
	Kind           string `json:"kind"`
	KindName       string `json:"kindName"`
	EnterpriseID   int64  `json:"enterpriseId"`
	EnterpriseName string `json:"enterpriseName"`
	UserID         int64  `json:"userId"`
	Until          string `json:"until"`
}

func (d *Demand) head() Head {
	return Head{d.ID, d.Number, d.Version, d.State, d.Title, d.Kind, d.KindName, d.EnterpriseID, d.EnterpriseName, d.UserID, d.Until}
}

// retell gives a fact the demand as it is after the change.
func (h *Head) retell(now Head) { *h = now }

// Offerer is the institution of an invitation or a quote.
type Offerer struct {
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	ProductName     string `json:"productName,omitempty"`
	QuoteID         int64  `json:"quoteId,omitempty"`
}

func (q *Quote) offerer() Offerer {
	return Offerer{q.InstitutionID, q.InstitutionName, q.ProductName, q.ID}
}

// Submitted is announced when a demand goes to the reviewers.
type Submitted struct {
	Head
	Round int       `json:"round"`
	DueAt time.Time `json:"dueAt"`
}

// Recalled is announced when the company takes it back from them.
type Recalled struct{ Head }

// Returned is announced when a reviewer sends it back.
type Returned struct {
	Head
	Reason string `json:"reason"`
	Round  int    `json:"round"`
}

// Approved is announced when it stands in the hall.
type Approved struct{ Head }

// ReviewOverdue is announced once for a review that was not done in time.
type ReviewOverdue struct {
	Head
	DueAt time.Time `json:"dueAt"`
}

// Invited is announced once for each institution that is invited.
type Invited struct {
	Head
	Offerer
	ByMatch bool `json:"byMatch"`
}

// Uninvited is announced when an operator takes an invitation away.
type Uninvited struct {
	Head
	Offerer
	Reason string `json:"reason"`
}

// Quoted is announced when an institution quotes, or changes its quote.
type Quoted struct {
	Head
	Offerer
	Changed bool `json:"changed"`
}

// QuoteWithdrawn is announced when an institution takes its quote back.
type QuoteWithdrawn struct {
	Head
	Offerer
}

// Unfit is announced once for a quote the company wanted to pick and could not.
type Unfit struct {
	Head
	Offerer
	Reason string `json:"reason"`
}

// QuotingOver is announced when the last day for quotes has passed and there are some to pick of.
type QuotingOver struct {
	Head
	PickUntil string `json:"pickUntil"`
	Quotes    int    `json:"quotes"`
}

// Picked is announced when the company picked a quote and the application was made.
type Picked struct {
	Head
	Offerer
	ApplicationID     int64  `json:"applicationId"`
	ApplicationNumber string `json:"applicationNumber"`
}

// PassedOver is announced for each quote that was not picked when another one was.
type PassedOver struct {
	Head
	Offerer
}

// Closed is announced when the company ends the demand.
type Closed struct {
	Head
	Reason string `json:"reason"`
}

// Expired is announced when the days of the demand have passed.
type Expired struct {
	Head
	Quotes int `json:"quotes"`
}

// QuoteEnded is announced for each quote that stood when its demand ended without a pick.
type QuoteEnded struct {
	Head
	Offerer
}

// Event names the fact.
func (f Submitted) Event() (string, string, int64) { return "demand.submitted", Object, f.ID }

// Event names the fact.
func (f Recalled) Event() (string, string, int64) { return "demand.recalled", Object, f.ID }

// Event names the fact.
func (f Returned) Event() (string, string, int64) { return "demand.returned", Object, f.ID }

// Event names the fact.
func (f Approved) Event() (string, string, int64) { return "demand.approved", Object, f.ID }

// Event names the fact.
func (f ReviewOverdue) Event() (string, string, int64) { return "demand.review_overdue", Object, f.ID }

// Event names the fact.
func (f Invited) Event() (string, string, int64) { return "demand.invited", Object, f.ID }

// Event names the fact.
func (f Uninvited) Event() (string, string, int64) { return "demand.uninvited", Object, f.ID }

// Event names the fact.
func (f Quoted) Event() (string, string, int64) { return "demand.quoted", Object, f.ID }

// Event names the fact.
func (f QuoteWithdrawn) Event() (string, string, int64) {
	return "demand.quote_withdrawn", Object, f.ID
}

// Event names the fact.
func (f Unfit) Event() (string, string, int64) { return "demand.unfit", Object, f.ID }

// Event names the fact.
func (f QuotingOver) Event() (string, string, int64) { return "demand.quoting_over", Object, f.ID }

// Event names the fact.
func (f Picked) Event() (string, string, int64) { return "demand.picked", Object, f.ID }

// Event names the fact.
func (f PassedOver) Event() (string, string, int64) { return "demand.passed_over", Object, f.ID }

// Event names the fact.
func (f Closed) Event() (string, string, int64) { return "demand.closed", Object, f.ID }

// Event names the fact.
func (f Expired) Event() (string, string, int64) { return "demand.expired", Object, f.ID }

// Event names the fact.
func (f QuoteEnded) Event() (string, string, int64) { return "demand.quote_ended", Object, f.ID }
