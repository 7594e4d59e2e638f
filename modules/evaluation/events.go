package evaluation

import "github.com/huiqi/huiqi/platform/event"

// Head is what every fact says about its evaluation. It holds no words.
type Head struct {
	ID              int64  `json:"id"`
	Object          string `json:"object"` // what was evaluated
	ObjectID        int64  `json:"objectId"`
	Number          string `json:"number"`
	Title           string `json:"title"`
	Phase           Phase  `json:"phase"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	EnterpriseID    int64  `json:"enterpriseId"`
	EnterpriseName  string `json:"enterpriseName"`
	UserID          int64  `json:"userId"`
	Level           int    `json:"level"`
	Label           string `json:"label"`
}

// Given is announced when a company evaluates a service.
type Given struct{ Head }

// Revised is announced when it does so anew.
type Revised struct {
	Head
	FirstLevel int `json:"firstLevel"`
}

// Replied is announced when the institution replies for the first time.
type Replied struct{ Head }

// Reported is announced when somebody reports an evaluation as abusive.
type Reported struct {
	Head
	ReportID int64  `json:"reportId"`
	Reason   string `json:"reason"`
}

// Decided is announced when somebody decides on a report. Result is kept, hidden, second (another person must confirm) or voided.
type Decided struct {
	Head
	ReportID    int64  `json:"reportId"`
	Result      Result `json:"result"`
	Reason      string `json:"reason"`
	Institution bool   `json:"institution"` // it had reported
}

// Event names the fact.
func (f Given) Event() (string, string, int64) { return "evaluation.given", Object, f.ID }

// Event names the fact.
func (f Revised) Event() (string, string, int64) { return "evaluation.revised", Object, f.ID }

// Event names the fact.
func (f Replied) Event() (string, string, int64) { return "evaluation.replied", Object, f.ID }

// Event names the fact.
func (f Reported) Event() (string, string, int64) { return "evaluation.reported", Object, f.ID }

// Event names the fact.
func (f Decided) Event() (string, string, int64) { return "evaluation.decided", Object, f.ID }

var (
	_ event.Fact = Given{}
	_ event.Fact = Decided{}
)

func (v *Evaluation) head() Head {
	return Head{ID: v.ID, Object: v.Subject, ObjectID: v.SubjectID, Number: v.Number, Title: v.Title, Phase: v.Phase, InstitutionID: v.InstitutionID,
		InstitutionName: v.InstitutionName, EnterpriseID: v.EnterpriseID, EnterpriseName: v.EnterpriseName, UserID: v.UserID, Level: v.Level, Label: v.Label}
}
