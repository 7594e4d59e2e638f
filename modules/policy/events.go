package policy

// Object is the name of a policy in events, audit rows and file links.
const Object = "policy"

// Head is what every fact says about its policy, after the change.
type Head struct {
	ID        int64  `json:"id"`
	Title     string `json:"title"`
	DocNumber string `json:"docNumber,omitempty"`
	Level     Level  `json:"level"`
	Topic     Topic  `json:"topic"`
	Status    Status `json:"status"`
	Version   int64  `json:"version"`
	OpensOn   string `json:"opensOn,omitempty"`
	ClosesOn  string `json:"closesOn,omitempty"`
	ExpiresOn string `json:"expiresOn,omitempty"`
	Issuer    string `json:"issuer,omitempty"`
	Edition   int64  `json:"edition,omitempty"` // in force
}

// Added is announced when a draft comes into the library.
type Added struct{ Head }

// Published is announced when a policy becomes public.
type Published struct{ Head }

// Revised is announced when what a policy says is replaced.
type Revised struct{ Head }

// Expired is announced when a policy is ended before its day.
type Expired struct {
	Head
	Reason string `json:"reason"`
}

// Event names the fact.
func (f Added) Event() (string, string, int64) { return "policy.added", Object, f.ID }

// Event names the fact.
func (f Published) Event() (string, string, int64) { return "policy.published", Object, f.ID }

// Event names the fact.
func (f Revised) Event() (string, string, int64) { return "policy.revised", Object, f.ID }

// Event names the fact.
func (f Expired) Event() (string, string, int64) { return "policy.expired", Object, f.ID }

func (p *Policy) head() Head {
	return Head{
		ID: p.ID, Title: p.Title, DocNumber: p.DocNumber, Level: p.Level, Topic: p.Topic, Status: p.Status, Version: p.Version,
		OpensOn: p.OpensOn, ClosesOn: p.ClosesOn, ExpiresOn: p.ExpiresOn, Issuer: p.Issuer, Edition: p.Edition,
	}
}

// Edited is announced when people work on a draft: when it is begun, when somebody takes it up, and every ten minutes of
// typing at most.
type Edited struct{ Head }

// Submitted is announced when a draft is handed in for review.
type Submitted struct {
	Head
	No   int64  `json:"no"`
	Note string `json:"note,omitempty"`
}

// SentBack is announced when a draft comes back from review.
type SentBack struct {
	Head
	No     int64  `json:"no"`
	UserID int64  `json:"userId"` // who submitted it
	Reason string `json:"reason"`
}

// Dropped is announced when a draft is given up.
type Dropped struct {
	Head
	No int64 `json:"no"`
}

// Withdrawn is announced when a published policy is taken back from the public.
type Withdrawn struct {
	Head
	Reason string `json:"reason"`
}

// Exampled is announced when the example companies of a policy change.
type Exampled struct{ Head }

// Event names the fact.
func (f Edited) Event() (string, string, int64) { return "policy.edited", Object, f.ID }

// Event names the fact.
func (f Submitted) Event() (string, string, int64) { return "policy.submitted", Object, f.ID }

// Event names the fact.
func (f SentBack) Event() (string, string, int64) { return "policy.sent_back", Object, f.ID }

// Event names the fact.
func (f Dropped) Event() (string, string, int64) { return "policy.dropped", Object, f.ID }

// Event names the fact.
func (f Withdrawn) Event() (string, string, int64) { return "policy.withdrawn", Object, f.ID }

// Event names the fact.
func (f Exampled) Event() (string, string, int64) { return "policy.exampled", Object, f.ID }
