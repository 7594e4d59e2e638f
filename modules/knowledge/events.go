package knowledge

// Object is the name of an entry in events and audit rows.
const Object = "knowledge"

// Head is what every fact says about its entry, after the change.
type Head struct {
	ID       int64    `json:"id"`
	Title    string   `json:"title"`
	Status   Status   `json:"status"`
	Version  int64    `json:"version"`
	Live     int      `json:"live,omitempty"`    // number of the edition in force
	Edition  int      `json:"edition,omitempty"` // number of the edition the fact is about
	Audience Audience `json:"audience"`
	Category string   `json:"category,omitempty"`
	OwnerID  int64    `json:"ownerId,omitempty"`
	UnitID   int64    `json:"unitId,omitempty"`
}

// Created is announced when somebody begins an entry.
type Created struct{ Head }

// Edited is announced when somebody changes what is being written.
type Edited struct{ Head }

// Submitted is announced when an edition waits for its review.
type Submitted struct{ Head }

// Issued is announced when a second person puts an edition in force.
type Issued struct{ Head }

// Returned is announced when an edition goes back to whoever wrote it.
type Returned struct {
	Head
	Reason string `json:"reason"`
}

// Revised is announced when a new edition is begun.
type Revised struct{ Head }

// Discarded is announced when a new edition is given up.
type Discarded struct{ Head }

// Confirmed is announced when a second person says that the edition in force is still right.
type Confirmed struct {
	Head
	Until string `json:"until,omitempty"`
}

// Withdrew is announced when an entry is no longer in force.
type Withdrew struct {
	Head
	Reason string `json:"reason"`
}

// Reported is announced when somebody says that an entry is wrong.
type Reported struct {
	Head
	Reason string `json:"reason"`
}

// Settled is announced when a report was answered.
type Settled struct {
	Head
	Outcome Outcome `json:"outcome"`
	Note    string  `json:"reason"`
}

// Event names the fact.
func (f Created) Event() (string, string, int64) { return "knowledge.created", Object, f.ID }

// Event names the fact.
func (f Edited) Event() (string, string, int64) { return "knowledge.edited", Object, f.ID }

// Event names the fact.
func (f Submitted) Event() (string, string, int64) { return "knowledge.submitted", Object, f.ID }

// Event names the fact.
func (f Issued) Event() (string, string, int64) { return "knowledge.published", Object, f.ID }

// Event names the fact.
func (f Returned) Event() (string, string, int64) { return "knowledge.returned", Object, f.ID }

// Event names the fact.
func (f Revised) Event() (string, string, int64) { return "knowledge.revised", Object, f.ID }

// Event names the fact.
func (f Discarded) Event() (string, string, int64) { return "knowledge.discarded", Object, f.ID }

// Event names the fact.
func (f Confirmed) Event() (string, string, int64) { return "knowledge.confirmed", Object, f.ID }

// Event names the fact.
func (f Withdrew) Event() (string, string, int64) { return "knowledge.withdrawn", Object, f.ID }

// Event names the fact.
func (f Reported) Event() (string, string, int64) { return "knowledge.reported", Object, f.ID }

// Event names the fact.
func (f Settled) Event() (string, string, int64) { return "knowledge.settled", Object, f.ID }

var labels = map[string]string{
	"knowledge.created": "新建", "knowledge.edited": "修改", "knowledge.submitted": "提交审核", "knowledge.published": "审核发布", "knowledge.returned": "退回修改",
	"knowledge.revised": "开始修订", "knowledge.discarded": "放弃修订", "knowledge.confirmed": "复核确认", "knowledge.withdrawn": "撤下",
	"knowledge.reported": "反馈有误", "knowledge.settled": "处理反馈",
}

// head is what a fact about one edition says.
func (k *Entry) head(edition int) Head {
	return Head{ID: k.ID, Title: k.Title, Status: k.Status, Version: k.Version, Live: k.Live, Edition: edition, Audience: k.Audience, Category: k.Category,
		OwnerID: k.OwnerID, UnitID: k.UnitID}
}
