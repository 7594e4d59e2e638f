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
		OpensOn: p.OpensOn, ClosesOn: p.ClosesOn, ExpiresOn: p.ExpiresOn,
	}
}
