package directory

import "time"

// Object is the name of a line in events and audit rows.
const Object = "directory_line"

// Head is what every fact says about its version.
type Head struct {
	ID       int64      `json:"id"` // of the line
	No       int        `json:"no"`
	Matter   string     `json:"matter"`
	Area     string     `json:"area,omitempty"`
	LeadID   int64      `json:"leadId"`
	LeadName string     `json:"leadName"`
	Helpers  []Helper   `json:"helpers,omitempty"`
	From     time.Time  `json:"from"`
	To       *time.Time `json:"to,omitempty"`
	Reason   string     `json:"reason"`
	Basis    string     `json:"basis,omitempty"`
}

// Changed is announced when a line gets a new version.
type Changed struct{ Head }

// Ended is announced when a line will have no valid version any more.
type Ended struct{ Head }

// TakenBack is announced when a version that had not begun is taken back.
type TakenBack struct{ Head }

// Event names the fact.
func (f Changed) Event() (string, string, int64) { return "directory.changed", Object, f.ID }

// Event names the fact.
func (f Ended) Event() (string, string, int64) { return "directory.ended", Object, f.ID }

// Event names the fact.
func (f TakenBack) Event() (string, string, int64) { return "directory.taken_back", Object, f.ID }

func (v *Version) head() Head {
	return Head{v.LineID, v.No, v.Matter, v.Area, v.LeadID, v.LeadName, v.Helpers, v.From, v.To, v.Reason, v.Basis}
}
