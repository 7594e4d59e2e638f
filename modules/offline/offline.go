// Package offline keeps services that were given without the platform and are recorded on a company's behalf (requirement D8).
//
// # Words
//
// A record (登记) says when, where and by whom a company was served, with what product of which institution, and what shows it. An
// institution records its own services, an operator of the platform those of any. The company confirms it, by the link of a text
// message used once or signed in, or says that it was not served (不是我). Only what is confirmed counts, and once for a company, a
// product, an institution and a day. What shows the service is kept as evidence beside the record.
//
// The link goes to the account of the company's owner where there is one, whatever number was typed: who records cannot confirm.
//
// # States
//
//	waiting ─confirm→ confirmed    by the company
//	waiting ─deny→ denied          by the company, with a reason
//	waiting ─cancel→ cancelled     by who recorded it
//
// # Tables
//
// offline_services, offline_numbers.
//
// # Announces
//
// Recorded, Settled: see events.go.
package offline

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/onelink"
	"github.com/huiqi/huiqi/platform/secret"
)

// The permissions of the module.
const (
	PermRecord access.Permission = "offline.record"
	PermView   access.Permission = "offline.view"
	PermExport access.Permission = "offline.export"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermRecord, Group: "线下服务", Label: "登记线下服务"},
		{Name: PermView, Group: "线下服务", Label: "查看线下服务和统计"},
		{Name: PermExport, Group: "线下服务", Label: "导出线下服务"},
	}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrStep: somebody settled it already.
	ErrStep = fault.New(fault.Conflict, "OFFLINE_STEP", "此登记已经处理，请刷新后查看")
	// ErrTwice: the same service is counted once.
	ErrTwice = fault.New(fault.Conflict, "OFFLINE_TWICE", "同一企业、产品、机构、日期的服务已登记，不重复计数")
	// ErrNear: it looks like one that is there.
	ErrNear = fault.New(fault.Invalid, "OFFLINE_NEAR", "前后 3 天内已登记过该企业的服务，请核对是否重复")
	// ErrNoCompany: the credit code is of no company.
	ErrNoCompany = fault.New(fault.Invalid, "OFFLINE_COMPANY", "没有找到此统一社会信用代码的企业，请核对")
	// ErrOften: one message a day, three in all.
	ErrOften = fault.New(fault.Conflict, "OFFLINE_OFTEN", "确认短信每天最多发送一次，共 3 次")
)

const (
	linkPurpose = "offline"
	// LinkDays is how long the link can be used.
	LinkDays  = 7
	maxSent   = 3
	nearDays  = 3
	oldestDay = 180
	maxFiles  = 9
)

// State is where a record stands.
type State string

// The states.
const (
	Waiting   State = "waiting"
	Confirmed State = "confirmed"
	Denied    State = "denied"
	Cancelled State = "cancelled"
)

var labels = map[State]string{Waiting: "待企业确认", Confirmed: "已确认", Denied: "企业否认", Cancelled: "已撤销"}

// Label is the Chinese word of the state.
func (s State) Label() string { return labels[s] }

// Company is who was served.
type Company struct {
	ID    int64
	Name  string
	Phone string // of the owner's account, "" when nobody owns it
}

// Companies tells about companies.
type Companies interface {
	// ByCode returns fault.ErrNotFound for a credit code of no company.
	ByCode(ctx context.Context, db bun.IDB, code string) (Company, error)
	// Owner returns the company with its owner's phone as it is now.
	Owner(ctx context.Context, db bun.IDB, id int64) (Company, error)
}

// Offer is a product of an institution.
type Offer struct {
	ID              int64
	Name            string
	InstitutionID   int64
	InstitutionName string
}

// Offers tells about products and institutions.
type Offers interface {
	// Product returns a listed product, fault.ErrNotFound otherwise.
	Product(ctx context.Context, db bun.IDB, id int64) (Offer, error)
	InstitutionName(ctx context.Context, db bun.IDB, id int64) (string, error)
}

// Evidence keeps what shows that a service was given, and what the government thinks of it.
type Evidence interface {
	// Lay keeps files of the actor's own as evidence of the record, in its transaction; a file of somebody else is fault.ErrNotFound.
	Lay(ctx context.Context, tx bun.Tx, actor access.Actor, id int64, fileIDs []int64) error
}

// Texts sends the text message with the link.
type Texts interface {
	Ask(ctx context.Context, tx bun.Tx, phone, institution, token string) error
}

// Deps is what the module needs.
type Deps struct {
	DB        *database.DB
	Clock     clock.Clock
	Box       *secret.Box
	Companies Companies
	Offers    Offers
	Evidence  Evidence
	Links     *onelink.Maker
	// Texts is nil where an installation does not know its own address: companies confirm signed in.
	Texts Texts
}

// Service keeps the records.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil || d.Companies == nil || d.Offers == nil || d.Evidence == nil || d.Links == nil {
		panic("offline: Deps is not complete")
	}
	return &Service{d}
}

// Object is the name of a record in events, audit rows and file links.
const Object = "offline_service"

// row is one record.
type row struct {
	bun.BaseModel `bun:"table:offline_services,alias:o"`

	ID              int64      `bun:"id,pk,autoincrement"`
	Number          string     `bun:"number,notnull"`
	State           State      `bun:"state,notnull"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	ProductID       int64      `bun:"product_id,notnull"` // 0 for none of those listed
	ProductName     string     `bun:"product_name,notnull"`
	EnterpriseID    int64      `bun:"enterprise_id,notnull"`
	EnterpriseName  string     `bun:"enterprise_name,notnull"`
	Day             string     `bun:"day,notnull"` // 2006-01-02, Beijing
	Place           string     `bun:"place,notnull"`
	Persons         string     `bun:"persons,notnull"`
	Content         string     `bun:"content,notnull"`
	PhoneSealed     string     `bun:"phone_sealed,notnull"` // typed, for a company without an owner
	ByID            int64      `bun:"by_id,notnull"`
	By              string     `bun:"made_by,notnull"`
	ByPlatform      bool       `bun:"by_platform,notnull"`
	At              time.Time  `bun:"made_at,notnull"`
	Sent            int        `bun:"sent,notnull"`
	SentAt          *time.Time `bun:"sent_at"`
	SettledAt       *time.Time `bun:"settled_at"`
	SettledHow      string     `bun:"settled_how,notnull"` // link, signed_in
	Words           string     `bun:"words,notnull"`
}

func phonePlace(number string) string { return "offline.phone:" + number }

// visible is the one predicate that narrows every query of records.
func visible(a access.Actor) (where string, args []any) {
	switch {
	case wide(a):
		return "1 = 1", nil
	case a.Party == access.Institution && a.InstitutionID != 0 && a.Can(PermRecord):
		return "o.institution_id = ?", []any{a.InstitutionID}
	case a.Party == access.Enterprise && a.UserID != 0 && a.EnterpriseID != 0:
		return "o.enterprise_id = ?", []any{a.EnterpriseID}
	}
	return "1 = 0", nil
}

// wide reports whether the actor reads the records of the whole district.
func wide(a access.Actor) bool {
	if a.Party == access.System {
		return true
	}
	return (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView)
}

func find(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*row, error) {
	r := new(row)
	where, args := visible(actor)
	if err := database.Found(db.NewSelect().Model(r).Where("o.id = ?", id).Where(where, args...).Scan(ctx)); err != nil {
		return nil, err
	}
	return r, nil
}

// Case returns a record that the actor may see, as a service that has evidence.
func (s *Service) Case(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (Case, error) {
	r, err := find(ctx, db, actor, id)
	if err != nil {
		return Case{}, err
	}
	return Case{r.ID, r.Number, r.ProductName, r.InstitutionID, r.InstitutionName, r.EnterpriseID, r.EnterpriseName, r.State, r.SettledAt, r.ByPlatform && recorder(actor, r)}, nil
}

// Case is what others may know of a record.
type Case struct {
	ID              int64
	Number          string
	ProductName     string
	InstitutionID   int64
	InstitutionName string
	EnterpriseID    int64
	EnterpriseName  string
	State           State
	SettledAt       *time.Time
	InPlace         bool // the asker acts in the institution's place
}

// Sealed are the columns of the module that only open with a key.
func Sealed() secret.Keepers {
	return secret.Keepers{Columns: []secret.Column{{Table: "offline_services", Key: []string{"id"}, Name: "phone_sealed", With: []string{"number"},
		Place: func(r secret.Row) string { return phonePlace(r.Text("number")) }}}}
}

// Recorded is announced when a service is recorded.
type Recorded struct {
	ID              int64  `json:"id"`
	Number          string `json:"number"`
	InstitutionID   int64  `json:"institutionId"`
	InstitutionName string `json:"institutionName"`
	EnterpriseID    int64  `json:"enterpriseId"`
	EnterpriseName  string `json:"enterpriseName"`
	ProductName     string `json:"productName"`
	Day             string `json:"day"`
}

// Settled is announced when the company confirms or denies it.
type Settled struct {
	Recorded
	State State `json:"state"`
	ByID  int64 `json:"byId"` // who recorded it
}

// Event names the fact.
func (f Recorded) Event() (string, string, int64) { return "offline.recorded", Object, f.ID }

// Event names the fact.
func (f Settled) Event() (string, string, int64) { return "offline.settled", Object, f.ID }

func (r *row) fact() Recorded {
	return Recorded{r.ID, r.Number, r.InstitutionID, r.InstitutionName, r.EnterpriseID, r.EnterpriseName, r.ProductName, r.Day}
}

type row20261130 struct {
	bun.BaseModel `bun:"table:offline_services"`

	ID              int64      `bun:"id,pk,autoincrement"`
	Number          string     `bun:"number,notnull"`
	State           string     `bun:"state,notnull"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	ProductID       int64      `bun:"product_id,notnull"`
	ProductName     string     `bun:"product_name,notnull"`
	EnterpriseID    int64      `bun:"enterprise_id,notnull"`
	EnterpriseName  string     `bun:"enterprise_name,notnull"`
	Day             string     `bun:"day,notnull"`
	Place           string     `bun:"place,notnull"`
	Persons         string     `bun:"persons,notnull"`
	Content         string     `bun:"content,notnull,type:text"`
	PhoneSealed     string     `bun:"phone_sealed,notnull"`
	ByID            int64      `bun:"by_id,notnull"`
	By              string     `bun:"made_by,notnull"`
	ByPlatform      bool       `bun:"by_platform,notnull"`
	At              time.Time  `bun:"made_at,notnull"`
	Sent            int        `bun:"sent,notnull"`
	SentAt          *time.Time `bun:"sent_at"`
	SettledAt       *time.Time `bun:"settled_at"`
	SettledHow      string     `bun:"settled_how,notnull"`
	Words           string     `bun:"words,notnull,type:text"`
}

type number20261130 struct {
	bun.BaseModel `bun:"table:offline_numbers"`

	Day  string `bun:"day,pk"`
	Last int64  `bun:"last,notnull"`
}

// Migrations are the tables of the module. The unique index counts a service once, however many requests arrive at once.
var Migrations = []database.Migration{{
	ID: "20261130030500_offline_services",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*row20261130)(nil), (*number20261130)(nil)); err != nil {
			return err
		}
		if err := database.SerialSteps(ctx, tx, "offline_numbers"); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX offline_services_number ON offline_services (number)",
			"CREATE UNIQUE INDEX offline_services_once ON offline_services (enterprise_id, institution_id, product_id, day) WHERE state IN ('waiting', 'confirmed')",
			"CREATE INDEX offline_services_institution ON offline_services (institution_id, id)",
			"CREATE INDEX offline_services_enterprise ON offline_services (enterprise_id, id)",
			"CREATE INDEX offline_services_day ON offline_services (day, institution_id)",
			"CREATE INDEX offline_services_state ON offline_services (state, id)",
		)
	},
}}
