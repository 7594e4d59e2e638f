package conversation

// Head is what every fact says about its thread. It holds no words.
type Head struct {
	ID              int64  `json:"id"`
	Object          string `json:"object"`
	ObjectID        int64  `json:"objectId"`
	Number          string `json:"number"`
	Title           string `json:"title"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	EnterpriseID    int64  `json:"enterpriseId"`
	EnterpriseName  string `json:"enterpriseName"`
	UserID          int64  `json:"userId"`
	HandlerID       int64  `json:"handlerId,omitempty"`
}

// Sent is announced when somebody writes. First says that the other side had read everything before.
type Sent struct {
	Head
	NoteID int64 `json:"noteId"`
	Side   Side  `json:"side"`
	First  bool  `json:"first"`
}

// Read is announced when a side has read what the other wrote.
type Read struct {
	Head
	Side Side `json:"side"`
}

// Withdrawn is announced when somebody takes a note back.
type Withdrawn struct {
	Head
	NoteID int64 `json:"noteId"`
	Side   Side  `json:"side"`
}

// Unread is announced when a side has not read for so long that it is reminded.
type Unread struct {
	Head
	Side  Side `json:"side"` // who has not read
	Count int  `json:"count"`
}

// Event names the fact.
func (f Sent) Event() (string, string, int64) { return "conversation.sent", Object, f.ID }

// Event names the fact.
func (f Read) Event() (string, string, int64) { return "conversation.read", Object, f.ID }

// Event names the fact.
func (f Withdrawn) Event() (string, string, int64) { return "conversation.withdrawn", Object, f.ID }

// Event names the fact.
func (f Unread) Event() (string, string, int64) { return "conversation.unread", Object, f.ID }

func (t *thread) head() Head {
	return Head{ID: t.ID, Object: t.CaseObject, ObjectID: t.CaseID, Number: t.Number, Title: t.Title, InstitutionID: t.InstitutionID, InstitutionName: t.InstitutionName,
		EnterpriseID: t.EnterpriseID, EnterpriseName: t.EnterpriseName, UserID: t.UserID, HandlerID: t.HandlerID}
}
