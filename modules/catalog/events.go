package catalog

// Object is the name of a product in events, audit rows and file links.
const Object = "product"

// Head is what every fact says about its product, after the change: its state is that of the edition the fact is about.
type Head struct {
	ID              int64  `json:"id"`
	Name            string `json:"name"`
	Kind            string `json:"kind"`
	Edition         int64  `json:"edition"`
	Version         int64  `json:"version"`
	Status          Status `json:"status"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
}

// Drafted is announced when an operator begins a product.
type Drafted struct{ Head }

// Edited is announced when a draft changes.
type Edited struct{ Head }

// Submitted is announced when an edition goes to review.
type Submitted struct{ Head }

// Withdrawn is announced when the institution takes an edition back before a decision.
type Withdrawn struct{ Head }

// PassedPlatform is announced when the platform's review passes an edition on to the government's.
type PassedPlatform struct {
	Head
	Note string `json:"note,omitempty"` // internal
}

// Approved is announced when the government's review passes an edition that becomes public on a later day.
type Approved struct {
	Head
	ListFrom string `json:"listFrom"`
	Note     string `json:"note,omitempty"` // internal
}

// Listed is announced when an edition becomes public. Replaces is the edition it takes the place of, 0 for none.
type Listed struct {
	Head
	Replaces int64  `json:"replaces,omitempty"`
	Note     string `json:"note,omitempty"` // internal
}

// Returned is announced when a reviewer sends an edition back.
type Returned struct {
	Head
	Reason string `json:"reason"`
	Step   Status `json:"step"` // whose review it was
}

// Unlisted is announced when a product leaves the public list before its term. Own says that the institution did it.
type Unlisted struct {
	Head
	Reason string `json:"reason"`
	Own    bool   `json:"own,omitempty"`
}

// Expired is announced when a product's term has ended.
type Expired struct {
	Head
	Reason string `json:"reason"`
}

// Revised is announced when an operator begins the next edition.
type Revised struct{ Head }

// Featured is announced when the platform begins or ceases to recommend a product.
type Featured struct {
	Head
	On bool `json:"on"`
}

// ReviewUndone is announced when a decision of a review was taken back; the state is that from before it.
type ReviewUndone struct {
	Head
	Seq    int64  `json:"seq"` // of the decision's event
	Label  string `json:"label"`
	Reason string `json:"reason"`
}

// Event names the fact.
func (f ReviewUndone) Event() (string, string, int64) {
	return "product.review_undone", Object, f.ID
}

// Event names the fact.
func (f Drafted) Event() (string, string, int64) { return "product.drafted", Object, f.ID }

// Event names the fact.
func (f Edited) Event() (string, string, int64) { return "product.edited", Object, f.ID }

// Event names the fact.
func (f Submitted) Event() (string, string, int64) { return "product.submitted", Object, f.ID }

// Event names the fact.
func (f Withdrawn) Event() (string, string, int64) { return "product.withdrawn", Object, f.ID }

// Event names the fact.
func (f PassedPlatform) Event() (string, string, int64) {
	return "product.passed_platform", Object, f.ID
}

// Event names the fact.
func (f Approved) Event() (string, string, int64) { return "product.approved", Object, f.ID }

// Event names the fact.
func (f Listed) Event() (string, string, int64) { return "product.listed", Object, f.ID }

// Event names the fact.
func (f Returned) Event() (string, string, int64) { return "product.returned", Object, f.ID }

// Event names the fact.
func (f Unlisted) Event() (string, string, int64) { return "product.taken_down", Object, f.ID }

// Event names the fact.
func (f Expired) Event() (string, string, int64) { return "product.expired", Object, f.ID }

// Event names the fact.
func (f Revised) Event() (string, string, int64) { return "product.revised", Object, f.ID }

// Event names the fact.
func (f Featured) Event() (string, string, int64) { return "product.featured", Object, f.ID }

// labels say in a word what happened.
// #nosec G101 -- names of steps, no secrets
var labels = map[string]string{
	"product.drafted": "新建草稿", "product.edited": "修改内容", "product.submitted": "提交审核", "product.withdrawn": "撤回",
	"product.passed_platform": "初审通过", "product.approved": "终审通过", "product.listed": "终审通过，上架", "product.returned": "退回", "product.taken_down": "下架",
	"product.expired": "到期下架", "product.expiring": "即将到期，已提醒", "product.review_overdue": "审核超时，已提醒", "product.revised": "新建版本", "product.featured": "调整推荐", "product.review_undone": "撤销审核决定",
}
