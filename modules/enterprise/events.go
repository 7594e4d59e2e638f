package enterprise

// The names of the module's objects in events, audit rows and file links.
const (
	Object        = "enterprise"
	ObjectAttempt = "enterprise_verification"
	ObjectJoin    = "enterprise_join"
)

// Registered is announced when somebody registers a company.
type Registered struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	OwnerID int64  `json:"ownerId"`
}

// Head is what every fact about a verification says. UserID is who claimed.
type Head struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	UserID int64  `json:"userId"`
	// By says what the claim was held against: registry or review.
	By string `json:"by"`
}

// WasVerified is announced when a company turned out to be what it says.
type WasVerified struct {
	Head
	CreditCode string `json:"creditCode"`
}

// WasRefused is announced when the registry disagrees, or a person sent the claim back.
type WasRefused struct {
	Head
	Reason string `json:"reason"`
}

// IsPending is announced when a licence waits for a person.
type IsPending struct {
	Head
	AttemptID int64 `json:"attemptId"`
}

// JoinHead is what every fact about a request to join says. UserID asks, OwnerID decides.
type JoinHead struct {
	ID             int64  `json:"id"`
	EnterpriseID   int64  `json:"enterpriseId"`
	EnterpriseName string `json:"enterpriseName"`
	UserID         int64  `json:"userId"`
	OwnerID        int64  `json:"ownerId"`
}

// JoinAsked is announced when somebody claims a code that is held.
type JoinAsked struct{ JoinHead }

// JoinDisputed is announced when the requester asks the operator to decide.
type JoinDisputed struct {
	JoinHead
	Note string `json:"note,omitempty"`
}

// JoinAdmitted is announced when the requester became a member.
type JoinAdmitted struct{ JoinHead }

// JoinRefused is announced when the requester did not.
type JoinRefused struct {
	JoinHead
	Reason string `json:"reason"`
}

// Event names the fact.
func (f Registered) Event() (string, string, int64) { return "enterprise.registered", Object, f.ID }

// Event names the fact.
func (f WasVerified) Event() (string, string, int64) { return "enterprise.verified", Object, f.ID }

// Event names the fact.
func (f WasRefused) Event() (string, string, int64) {
	return "enterprise.verification_refused", Object, f.ID
}

// Event names the fact.
func (f IsPending) Event() (string, string, int64) {
	return "enterprise.verification_pending", Object, f.ID
}

// Event names the fact.
func (f JoinAsked) Event() (string, string, int64) {
	return "enterprise_join.asked", ObjectJoin, f.ID
}

// Event names the fact.
func (f JoinDisputed) Event() (string, string, int64) {
	return "enterprise_join.disputed", ObjectJoin, f.ID
}

// Event names the fact.
func (f JoinAdmitted) Event() (string, string, int64) {
	return "enterprise_join.admitted", ObjectJoin, f.ID
}

// Event names the fact.
func (f JoinRefused) Event() (string, string, int64) {
	return "enterprise_join.refused", ObjectJoin, f.ID
}
