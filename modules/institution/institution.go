package institution

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// Status says whether an institution works on the platform.
type Status string

// The states.
const (
	Active    Status = "active"    // 正常
	Suspended Status = "suspended" // 暂停服务
)

// Kind is one kind of institution.
type Kind struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Kinds lists the kinds in the order in which forms show them.
func Kinds() []Kind {
	return []Kind{
		{"bank", "银行"}, {"guarantee", "融资担保机构"}, {"insurance", "保险机构"}, {"fund", "投资基金"}, {"law", "律师事务所"}, {"tax", "财税服务机构"},
		{"hr", "人力资源机构"}, {"ip", "知识产权机构"}, {"certification", "认证咨询机构"}, {"tech", "科技服务机构"}, {"digital", "数字化服务机构"}, {"other", "其他机构"},
	}
}

// kindName is the Chinese name of a kind, "" for an unknown one.
func kindName(code string) string {
	for _, k := range Kinds() {
		if k.Code == code {
			return k.Name
		}
	}
	return ""
}

// The permissions of the module.
const (
	PermView   access.Permission = "institution.view"
	PermManage access.Permission = "institution.manage"
	// PermReview does the first review of applications for 入驻, the platform's.
	PermReview access.Permission = "institution.review"
	// PermApprove does the second, the government's.
	PermApprove access.Permission = "institution.approve"
	// PermOperators lets an institution's administrator keep the accounts of its own operators.
	PermOperators access.Permission = "institution.operators"
	// PermPapers lets an institution's people hand in its renewed licences and permits.
	PermPapers access.Permission = "institution.papers"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{{Name: PermView, Group: "机构", Label: "查看机构"}, {Name: PermManage, Group: "机构", Label: "登记和管理机构"},
		{Name: PermReview, Group: "机构", Label: "初审机构入驻"}, {Name: PermApprove, Group: "机构", Label: "终审机构入驻"}, {Name: PermOperators, Group: "机构", Label: "管理本机构操作员"},
		{Name: PermUndo, Group: "机构", Label: "撤销任何机构入驻审核决定"}, {Name: PermPapers, Group: "机构", Label: "提交本机构证照更新"}}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrTaken: the credit code belongs to an institution that is registered already.
	ErrTaken = fault.New(fault.Conflict, "INSTITUTION_EXISTS", "该统一社会信用代码的机构已登记，请在机构列表中查找").On("creditCode")
	// ErrStale: somebody changed the institution after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "机构信息已被他人更新，请刷新后再操作")
	// ErrState: it is suspended, or active, already.
	ErrState = fault.New(fault.Conflict, "INSTITUTION_STATE", "机构当前状态不能进行此操作，请刷新后查看")
)

// Licence is a permit an institution works under.
type Licence struct {
	Name string `json:"name"`
	No   string `json:"no"`
	To   string `json:"to" doc:"The last day, 2006-01-02; empty without a term."`
}

// licences are kept as JSON text on both databases.
type licences []Licence

// Value writes them.
func (l licences) Value() (driver.Value, error) {
	if l == nil {
		return "[]", nil
	}
	b, err := json.Marshal([]Licence(l))
	return string(b), err
}

// Scan reads them.
func (l *licences) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), (*[]Licence)(l))
	case []byte:
		return json.Unmarshal(v, (*[]Licence)(l))
	}
	return fmt.Errorf("licences from %T", src)
}

// Institution is one institution.
type Institution struct {
	bun.BaseModel `bun:"table:institutions,alias:i"`

	ID             int64     `bun:"id,pk,autoincrement"`
	Name           string    `bun:"name,notnull"`
	Kind           string    `bun:"kind,notnull"`
	CreditCode     string    `bun:"credit_code,notnull"`
	LegalPerson    string    `bun:"legal_person,notnull"`
	Phone          string    `bun:"phone,notnull"` // of its counter, shown to everybody
	Address        string    `bun:"address,notnull"`
	Summary        string    `bun:"summary,notnull"`
	Qualifications licences  `bun:"qualifications,notnull,type:text"`
	Status         Status    `bun:"status,notnull"`
	Reason         string    `bun:"reason,notnull"` // why it is suspended
	Version        int64     `bun:"version,notnull"`
	CreatedAt      time.Time `bun:"created_at,notnull"`
	UpdatedAt      time.Time `bun:"updated_at,notnull"`
}

// Suspend takes the institution out of service.
func (i *Institution) Suspend(reason string) error {
	if i.Status != Active {
		return ErrState.With("机构已暂停服务，无需重复操作")
	}
	i.Status, i.Reason = Suspended, reason
	return nil
}

// Resume brings it back.
func (i *Institution) Resume() error {
	if i.Status != Suspended {
		return ErrState.With("机构服务正常，无需恢复")
	}
	i.Status, i.Reason = Active, ""
	return nil
}

// Card is an institution as its own products show it.
type Card struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	KindName string `json:"kindName"`
	Summary  string `json:"summary"`
	Phone    string `json:"phone"`
	Address  string `json:"address"`
	Active   bool   `json:"-"`
}

func (i *Institution) card() Card {
	return Card{ID: i.ID, Name: i.Name, KindName: kindName(i.Kind), Summary: i.Summary, Phone: i.Phone, Address: i.Address, Active: i.Status == Active}
}

// Item is an institution in a list.
type Item struct {
	ID         int64     `json:"id"`
	Name       string    `json:"name"`
	Kind       string    `json:"kind"`
	KindName   string    `json:"kindName"`
	CreditCode string    `json:"creditCode"`
	Phone      string    `json:"phone"`
	Status     Status    `json:"status" enum:"active,suspended"`
	Version    int64     `json:"version"`
	Expiring   string    `json:"expiring,omitempty" doc:"The first day on which a qualification ends, when it has ended or does within 60 days."`
	CreatedAt  time.Time `json:"createdAt"`
}

// View is an institution as it is opened.
type View struct {
	Item
	LegalPerson    string    `json:"legalPerson"`
	Address        string    `json:"address"`
	Summary        string    `json:"summary"`
	Qualifications []Licence `json:"qualifications"`
	Reason         string    `json:"reason"`
	Timeline       []Step    `json:"timeline"` // oldest first
	Manage         bool      `json:"manage" doc:"Whether the asker may edit, suspend and resume."`
}

// Step is one entry of an institution's course.
type Step struct {
	Seq   int64     `json:"seq"`
	Label string    `json:"label"`
	At    time.Time `json:"at"`
	Actor string    `json:"actor"`
	Text  string    `json:"text,omitempty"`
}

// soon is how long before its end a qualification is pointed out.
const soon = 60 * 24 * time.Hour

func (i *Institution) item(now time.Time) Item {
	it := Item{ID: i.ID, Name: i.Name, Kind: i.Kind, KindName: kindName(i.Kind), CreditCode: i.CreditCode, Phone: i.Phone, Status: i.Status,
		Version: i.Version, CreatedAt: i.CreatedAt.UTC()}
	limit := now.Add(soon).Format(time.DateOnly)
	for _, q := range i.Qualifications {
		if q.To != "" && q.To <= limit && (it.Expiring == "" || q.To < it.Expiring) {
			it.Expiring = q.To
		}
	}
	return it
}
