package institution

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/reason"
	"github.com/huiqi/huiqi/platform/text"
)

// State is how an application for 入驻 stands.
type State string

// The states.
const (
	Draft    State = "draft"    // 填写中
	Waiting  State = "waiting"  // 待初审
	Checked  State = "checked"  // 初审通过，待政府终审
	Returned State = "returned" // 已退回，待补正
	Approved State = "approved" // 已通过
	Refused  State = "refused"  // 不予通过
	// Withdrawn is how a round ends that the applicant took back; the application is a draft again.
	Withdrawn State = "withdrawn" // 已撤回
)

var stateNames = map[State]string{Draft: "填写中", Waiting: "待初审", Checked: "待终审", Returned: "已退回，待补正", Approved: "已通过", Refused: "不予通过", Withdrawn: "已撤回"}

// Label is the state in Chinese, "" for one that does not exist.
func (s State) Label() string { return stateNames[s] }

// FileView is a picture of a document as the files module tells it.
type FileView struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Mime  string `json:"mime"`
	URL   string `json:"url"`
	State string `json:"state" enum:"available,waiting,quarantined"`
}

// Files keeps the pictures of documents.
type Files interface {
	// Keep stores an upload of the actor's for the portal's form, which sends it with the other inputs.
	Keep(ctx context.Context, actor access.Actor, name string, content io.Reader) (int64, error)
	// Claim ties a file of the actor's own to the object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Of(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
}

// Desk says how long a review may take.
type Desk interface {
	ReviewDue(ctx context.Context, db bun.IDB, from time.Time) (time.Time, error)
}

// Administrator is the person who becomes the administrator of a new institution.
type Administrator struct {
	UserID        int64
	InstitutionID int64
	Account       string // what they sign in with
	Hash          string // of the first password, to be changed at the first sign-in
}

// Accounts makes the applicant the administrator of their institution.
type Accounts interface {
	// MayAdminister returns nil when the person can become an administrator with the account's name, and otherwise a fault
	// that says what to do.
	MayAdminister(ctx context.Context, db bun.IDB, userID int64, account string) error
	// FirstPassword makes a password that is shown once, and its hash; with the same key it is the same.
	FirstPassword(ctx context.Context, actor access.Actor, key, account string) (password, hash string, err error)
	// Administer makes the person the administrator in the caller's transaction.
	Administer(ctx context.Context, tx bun.Tx, actor access.Actor, a Administrator) error
}

// Deputies tells which rights colleagues on leave delegated to somebody.
type Deputies interface {
	Lent(ctx context.Context, db bun.IDB, actor access.Actor) (access.Lent, error)
}

// noDeputies is where nobody delegates.
type noDeputies struct{}

func (noDeputies) Lent(context.Context, bun.IDB, access.Actor) (access.Lent, error) { return nil, nil }

// The faults of applying and reviewing.
var (
	// ErrOpen: the person has an application that is not decided.
	ErrOpen = fault.New(fault.Conflict, "ONBOARDING_OPEN", "您已有一份尚未办结的入驻申请，请刷新后在原申请上继续办理")
	// ErrCodeOpen: somebody else's application for the same code waits.
	ErrCodeOpen = fault.New(fault.Conflict, "ONBOARDING_CODE", "该统一社会信用代码的入驻申请正在审核，请与本机构其他经办人确认").On("creditCode")
	// ErrRegistered: the institution is here already.
	ErrRegistered = fault.New(fault.Conflict, "INSTITUTION_EXISTS", "该机构已入驻平台，请联系本机构管理员开通账号").On("creditCode")
	// ErrApplication: somebody changed the application after the actor saw it.
	ErrApplication = fault.New(fault.Conflict, "CHANGED", "申请已有变化，请刷新后再操作")
	// ErrSent: an application that was sent cannot be changed.
	ErrSent = fault.New(fault.Conflict, "ONBOARDING_STATE", "申请当前状态不能修改，请刷新后查看办理进度")
	// ErrDecided: it is not waiting for a decision.
	ErrDecided = fault.New(fault.Conflict, "ONBOARDING_STATE", "该申请不在待审核状态，请刷新后查看")
	// ErrSamePerson: the two reviews are by two people.
	ErrSamePerson = fault.New(fault.Forbidden, "ONBOARDING_SAME_REVIEWER", "初审和终审须由不同的人办理，您已办理初审")
	// ErrOwn: nobody decides their own application.
	ErrOwn = fault.New(fault.Forbidden, "OWN_REVIEW", "不能审核本人提交的申请，请由其他工作人员审核")
	// ErrNoDocument: an application needs at least one document.
	ErrNoDocument = fault.InvalidField("documents", "NO_DOCUMENT", "请至少添加一份执照或许可，并上传照片或扫描件")
)

// ReasonsOfApplications is the list of ready reasons for sending an application back.
const ReasonsOfApplications = "institution"

// Reasons are the ready reasons of reviews, where they are edited.
type Reasons interface {
	// Offered returns those of a list that are in use, in their order.
	Offered(ctx context.Context, db bun.IDB, list string) ([]reason.Reason, error)
}

// HintsOfApplications is the review of 入驻 among those that have hints.
const HintsOfApplications = "institution"

// FirstReasons are the reasons an installation begins with.
func FirstReasons() []reason.Reason {
	return []reason.Reason{
		{Code: "unclear", Text: "证照照片不清晰或不完整，请重新拍摄后上传", Sort: 10},
		{Code: "differs", Text: "填写的机构名称、统一社会信用代码或法定代表人与营业执照不一致，请核对后修改", Sort: 20},
		{Code: "no_permit", Text: "缺少从事该类服务所需的许可或资质，请补充上传", Sort: 30},
		{Code: "expired", Text: "证照已过期或即将到期，请更换有效证照后上传", Sort: 40},
		{Code: "offers", Text: "服务内容填写不具体，请写明服务对象、项目和收费方式", Sort: 50},
		{Code: reason.Other, Text: "其他原因", Words: true, Sort: 900},
	}
}

// plainReasons are the first ones, where nobody edits them.
type plainReasons struct{}

func (plainReasons) Offered(context.Context, bun.IDB, string) ([]reason.Reason, error) {
	return FirstReasons(), nil
}

// Form is what an applicant says of their institution.
type Form struct {
	Name         string `json:"name"`
	Kind         string `json:"kind"`
	CreditCode   string `json:"creditCode"`
	LegalPerson  string `json:"legalPerson"`
	Phone        string `json:"phone"` // of its counter, shown to everybody
	Address      string `json:"address"`
	Summary      string `json:"summary"`
	Offers       string `json:"offers"` // what it wants to offer here
	ContactName  string `json:"contactName"`
	ContactPhone string `json:"-"` // sealed in the row
	Account      string `json:"account"`
}

// rough is the form as a draft keeps it: whatever is typed, no longer than the inputs take.
func (f Form) rough() Form {
	cut := func(s string, most int) string {
		return text.Truncate(strings.TrimSpace(strings.ToValidUTF8(s, "")), most)
	}
	return Form{Name: cut(f.Name, 100), Kind: cut(f.Kind, 20), CreditCode: cut(f.CreditCode, 40), LegalPerson: cut(f.LegalPerson, 50), Phone: cut(f.Phone, 30),
		Address: cut(f.Address, 200), Summary: cut(f.Summary, 500), Offers: cut(f.Offers, 1000), ContactName: cut(f.ContactName, 30),
		ContactPhone: cut(f.ContactPhone, 30), Account: strings.ToLower(cut(f.Account, 32))}
}

// Application is one application for 入驻.
type Application struct {
	bun.BaseModel `bun:"table:institution_applications,alias:a"`

	ID            int64      `bun:"id,pk,autoincrement"`
	Number        string     `bun:"number,notnull"` // RZ20261129-000012, given when it is first sent
	UserID        int64      `bun:"user_id,notnull"`
	UserName      string     `bun:"user_name,notnull"`
	State         State      `bun:"state,notnull"`
	Round         int        `bun:"round,notnull"` // how often it was sent
	Name          string     `bun:"name,notnull"`
	Kind          string     `bun:"kind,notnull"`
	CreditCode    string     `bun:"credit_code,notnull"`
	LegalPerson   string     `bun:"legal_person,notnull"`
	Phone         string     `bun:"phone,notnull"`
	Address       string     `bun:"address,notnull"`
	Summary       string     `bun:"summary,notnull"`
	Offers        string     `bun:"offers,notnull"`
	ContactName   string     `bun:"contact_name,notnull"`
	ContactSealed string     `bun:"contact_sealed,notnull"` // "" while there is none
	Account       string     `bun:"account,notnull"`
	InstitutionID int64      `bun:"institution_id,notnull"` // what came of it; 0 before
	Version       int64      `bun:"version,notnull"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	UpdatedAt     time.Time  `bun:"updated_at,notnull"`
	SubmittedAt   *time.Time `bun:"submitted_at"`
	// DueAt is until when the round is to be decided, RemindedAt when the reviewers were told that it is past.
	DueAt      *time.Time `bun:"due_at"`
	RemindedAt *time.Time `bun:"reminded_at"`
	DecidedAt  *time.Time `bun:"decided_at"`
}

// contactPlace binds a sealed phone to its row.
func contactPlace(id int64) string { return fmt.Sprintf("institution_applications.contact:%d", id) }

// editable reports whether the applicant may change it.
func (a *Application) editable() bool { return a.State == Draft || a.State == Returned }

// submit hands the application, with these particulars, to the reviewers for another round.
func (a *Application) submit(d Details, offers, contact, account string, now, due time.Time) error {
	if !a.editable() {
		return ErrSent
	}
	a.Name, a.Kind, a.CreditCode, a.LegalPerson, a.Phone, a.Address, a.Summary = d.Name, d.Kind, d.CreditCode, d.LegalPerson, d.Phone, d.Address, d.Summary
	a.Offers, a.ContactName, a.Account = offers, contact, account
	a.State, a.Round, a.DueAt, a.RemindedAt = Waiting, a.Round+1, &due, nil
	if a.SubmittedAt == nil {
		a.SubmittedAt = &now
		a.Number = fmt.Sprintf("RZ%s-%06d", now.In(clock.Beijing).Format("20060102"), a.ID)
	}
	return nil
}

// underReview reports whether it waits for one of the two reviews.
func (a *Application) underReview() bool { return a.State == Waiting || a.State == Checked }

// reviewers is the right that the review it waits for needs: 初审 by the platform, 终审 by the government.
func (a *Application) reviewers() access.Permission {
	if a.State == Checked {
		return PermApprove
	}
	return PermReview
}

// check passes the application on to the government's review, due by then.
func (a *Application) check(due time.Time) error {
	if a.State != Waiting {
		return ErrDecided.With("该申请%s，不能初审，请刷新后查看", a.State.Label())
	}
	a.State, a.DueAt, a.RemindedAt = Checked, &due, nil
	return nil
}

// withdraw takes it back from the reviewers, to be changed.
func (a *Application) withdraw() error {
	if !a.underReview() {
		return ErrDecided.With("该申请%s，不能撤回，请刷新后查看", a.State.Label())
	}
	a.State, a.DueAt = Draft, nil
	return nil
}

// decide ends a round.
func (a *Application) decide(o State, now time.Time) error {
	if !a.underReview() || o == Approved && a.State != Checked {
		return ErrDecided.With("该申请%s，请刷新后查看", a.State.Label())
	}
	a.State, a.DueAt = o, nil
	if o != Returned {
		a.DecidedAt = &now
	}
	return nil
}

// details are the particulars as the institution is registered with.
func (a *Application) details(papers []Licence) Details {
	return Details{Name: a.Name, Kind: a.Kind, CreditCode: a.CreditCode, LegalPerson: a.LegalPerson, Phone: a.Phone, Address: a.Address, Summary: a.Summary, Qualifications: papers}
}

// document is a licence or permit of an application.
type document struct {
	bun.BaseModel `bun:"table:institution_documents,alias:p"`

	ID            int64      `bun:"id,pk,autoincrement"`
	ApplicationID int64      `bun:"application_id,notnull"`
	Name          string     `bun:"name,notnull"`
	No            string     `bun:"no,notnull"`
	To            string     `bun:"valid_to,notnull"` // the last day; "" without a term
	AddedAt       time.Time  `bun:"added_at,notnull"`
	RemovedAt     *time.Time `bun:"removed_at"` // its pictures stay for the rounds it was sent with
}

// paper is a document as a round keeps it.
type paper struct {
	ID int64 `json:"id"`
	Licence
	Files int `json:"files"`
}

// snapshot is what was sent in a round, kept as JSON text on both databases.
type snapshot struct {
	Form
	Contact string  `json:"contact"` // the phone, masked
	Papers  []paper `json:"papers"`
}

// Value writes it.
func (s snapshot) Value() (driver.Value, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

// Scan reads it.
func (s *snapshot) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), s)
	case []byte:
		return json.Unmarshal(v, s)
	}
	return fmt.Errorf("snapshot from %T", src)
}

// round is one sending with what came of it.
type round struct {
	bun.BaseModel `bun:"table:institution_rounds,alias:r"`

	ApplicationID int64      `bun:"application_id,pk"`
	Round         int        `bun:"round,pk"`
	Sent          snapshot   `bun:"sent,notnull,type:text"`
	SubmittedAt   time.Time  `bun:"submitted_at,notnull"`
	DueAt         time.Time  `bun:"due_at,notnull"`
	Outcome       State      `bun:"outcome,notnull"` // waiting until it is decided
	Codes         string     `bun:"codes,notnull"`   // ready reasons, separated by spaces
	Reason        string     `bun:"reason,notnull"`
	ReviewerID    int64      `bun:"reviewer_id,notnull"`
	ReviewerName  string     `bun:"reviewer_name,notnull"`
	DecidedAt     *time.Time `bun:"decided_at"`
	// Who passed it on to the government, and when.
	CheckerID   int64      `bun:"checker_id,notnull"`
	CheckerName string     `bun:"checker_name,notnull"`
	CheckedAt   *time.Time `bun:"checked_at"`
	CheckerFor  int64      `bun:"checker_for,notnull"` // in whose name, 0 for their own
}

// Change is one particular that is not as it was the round before.
type Change struct {
	Label  string `json:"label"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// changes lists what differs between two rounds, in the order of the form.
func changes(before, after snapshot) []Change {
	out := []Change{}
	see := func(label, b, a string) {
		if b != a {
			out = append(out, Change{label, b, a})
		}
	}
	see("机构名称", before.Name, after.Name)
	see("机构类型", kindName(before.Kind), kindName(after.Kind))
	see("统一社会信用代码", before.CreditCode, after.CreditCode)
	see("法定代表人", before.LegalPerson, after.LegalPerson)
	see("咨询电话", before.Phone, after.Phone)
	see("地址", before.Address, after.Address)
	see("机构简介", before.Summary, after.Summary)
	see("服务内容", before.Offers, after.Offers)
	see("联系人", before.ContactName, after.ContactName)
	see("联系手机", before.Contact, after.Contact)
	see("管理员账号", before.Account, after.Account)
	for _, p := range before.Papers {
		if !slices.ContainsFunc(after.Papers, func(x paper) bool { return x.ID == p.ID }) {
			out = append(out, Change{"证照", p.words(), "已移除"})
		}
	}
	for _, p := range after.Papers {
		if !slices.ContainsFunc(before.Papers, func(x paper) bool { return x.ID == p.ID }) {
			out = append(out, Change{"证照", "", "新增" + p.words()})
		}
	}
	return out
}

func (p paper) words() string {
	return fmt.Sprintf("%s（%s，%s）", p.Name, p.No, cmp.Or(p.To, "长期有效"))
}
