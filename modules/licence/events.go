package licence

// Object is the name of a paper in events, audit rows and file links.
const Object = "licence"

// Head is what every fact about a paper says.
type Head struct {
	ID           int64  `json:"id"`
	EnterpriseID int64  `json:"enterpriseId"`
	Kind         string `json:"kind"`
	KindName     string `json:"kindName"`
	Replaces     int64  `json:"replaces,omitempty"`
}

// Kept is announced when a company keeps a paper, new or in the place of another.
type Kept struct{ Head }

// WasRemoved is announced when a company removed a paper.
type WasRemoved struct{ Head }

// Used is announced when a paper was handed in somewhere.
type Used struct {
	Head
	Object   string `json:"object"`
	ObjectID int64  `json:"objectId"`
}

// Expiring is announced once for each paper and threshold. UserIDs are the people to remind.
type Expiring struct {
	Head
	ExpiresOn string  `json:"expiresOn"`
	Days      int     `json:"days"` // that are left
	Threshold int     `json:"threshold"`
	UserIDs   []int64 `json:"userIds"`
}

// Event names the fact.
func (f Kept) Event() (string, string, int64) { return "licence.kept", Object, f.ID }

// Event names the fact.
func (f WasRemoved) Event() (string, string, int64) { return "licence.removed", Object, f.ID }

// Event names the fact.
func (f Used) Event() (string, string, int64) { return "licence.used", Object, f.ID }

// Event names the fact.
func (f Expiring) Event() (string, string, int64) { return "licence.expiring", Object, f.ID }
