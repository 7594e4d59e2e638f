package evaluation

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/onelink"
)

// The permissions of the module.
const (
	PermView     access.Permission = "evaluation.view"
	PermReply    access.Permission = "evaluation.reply"    // for one's institution
	PermModerate access.Permission = "evaluation.moderate" // abuse
	PermManage   access.Permission = "evaluation.manage"   // forms and rule
	PermExport   access.Permission = "evaluation.export"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "服务评价", Label: "查看服务评价和机构排名"},
		{Name: PermReply, Group: "服务评价", Label: "代表本机构回复、举报评价"},
		{Name: PermModerate, Group: "服务评价", Label: "处理评价举报（隐藏文字；两人确认后不计分）"},
		{Name: PermManage, Group: "服务评价", Label: "设置评价表和排名规则"},
		{Name: PermExport, Group: "服务评价", Label: "导出评价和排名"},
	}
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrStale: somebody changed it after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "评价已被他人更新，请刷新后再操作")
	// ErrPhase: the subject cannot be evaluated in its state.
	ErrPhase = fault.New(fault.Conflict, "EVALUATION_PHASE", "机构受理后才能评价服务；已撤回的申请不再评价")
	// ErrGiven: somebody of the company was first.
	ErrGiven = fault.New(fault.Conflict, "EVALUATION_GIVEN", "贵企业已评价过这一阶段的服务，可以修改一次")
	// ErrRevised: an evaluation is given anew once.
	ErrRevised = fault.New(fault.Conflict, "EVALUATION_REVISED", "评价只能修改一次，已修改过")
	// ErrLate: the days in which it could be given anew are over.
	ErrLate = fault.New(fault.Conflict, "EVALUATION_LATE", "已超过可修改评价的期限")
	// ErrReplied: the company has read the reply.
	ErrReplied = fault.New(fault.Conflict, "EVALUATION_REPLY_READ", "企业已阅读回复，不能再修改")
	// ErrReported: one report at a time.
	ErrReported = fault.New(fault.Conflict, "EVALUATION_REPORTED", "此评价的举报正在处理，请等待处理结果")
	// ErrStep: the state does not allow it.
	ErrStep = fault.New(fault.Conflict, "EVALUATION_STEP", "当前状态不能这样操作，请刷新后查看")
	// ErrOwnDecision: the second person is another one.
	ErrOwnDecision = fault.New(fault.Forbidden, "EVALUATION_OWN_DECISION", "须由举报人和初次处理人以外的人员确认")
)

// Phase is when a service is evaluated.
type Phase string

// The phases.
const (
	During Phase = "during"
	After  Phase = "after"
)

// Label is the Chinese word of the phase.
func (p Phase) Label() string {
	switch p {
	case During:
		return "服务中"
	case After:
		return "服务后"
	}
	return ""
}

// Subject is a piece of service that is evaluated.
type Subject struct {
	Object         string
	ID             int64
	Number, Title  string
	Kind, KindName string // of service
	ProductID      int64

	InstitutionID   int64
	InstitutionName string
	EnterpriseID    int64
	EnterpriseName  string
	UserID          int64 // who is asked

	// Phase is "" while there is nothing to evaluate.
	Phase Phase
	// Refused says that the service ended without being given.
	Refused bool
}

// Subjects are the pieces of service of one kind of object.
type Subjects interface {
	// Subject returns one that the actor may see, fault.ErrNotFound otherwise.
	Subject(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (Subject, error)
	// Mobile is the mobile phone of who is asked, "" when there is none.
	Mobile(ctx context.Context, db bun.IDB, id int64) (string, error)
}

// Kind is a kind of service that may have a form of its own.
type Kind struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Texts sends the text message with the link of a reminder.
type Texts interface {
	Remind(ctx context.Context, tx bun.Tx, phone, title, token string) error
}

// Deps is what the module needs.
type Deps struct {
	DB       *database.DB
	Clock    clock.Clock
	Subjects map[string]Subjects
	Kinds    []Kind
	Links    *onelink.Maker
	// Texts is nil where an installation does not know its own address: nobody is reminded.
	Texts Texts
	// Paths are where the companies' pages of the objects are on the portal: "application" → "/applications".
	Paths map[string]string
	// ProductName and InstitutionName name what is offered to everybody, fault.ErrNotFound for what is not.
	ProductName     func(ctx context.Context, id int64) (string, error)
	InstitutionName func(ctx context.Context, id int64) (string, error)
}

// Service keeps the evaluations.
type Service struct{ Deps }

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || len(d.Subjects) == 0 || d.Links == nil || d.ProductName == nil || d.InstitutionName == nil {
		panic("evaluation: Deps is not complete")
	}
	return &Service{d}
}

// Object is the name of an evaluation in events and audit rows.
const Object = "evaluation"

// Evaluation is what a company said of a service in one phase.
type Evaluation struct {
	bun.BaseModel `bun:"table:evaluations,alias:v"`

	ID              int64  `bun:"id,pk,autoincrement"`
	Version         int64  `bun:"version,notnull"`
	Subject         string `bun:"object,notnull"`
	SubjectID       int64  `bun:"object_id,notnull"`
	Phase           Phase  `bun:"phase,notnull"`
	Number          string `bun:"number,notnull"`
	Title           string `bun:"title,notnull"`
	Kind            string `bun:"kind,notnull"`
	KindName        string `bun:"kind_name,notnull"`
	ProductID       int64  `bun:"product_id,notnull"`
	InstitutionID   int64  `bun:"institution_id,notnull"`
	InstitutionName string `bun:"institution_name,notnull"`
	EnterpriseID    int64  `bun:"enterprise_id,notnull"`
	EnterpriseName  string `bun:"enterprise_name,notnull"`
	Refused         bool   `bun:"refused,notnull"`

	UserID  int64     `bun:"user_id,notnull"`
	ByLink  bool      `bun:"by_link,notnull"`
	FormID  int64     `bun:"form_id,notnull"`
	Level   int       `bun:"level,notnull"`
	Label   string    `bun:"label,notnull"`
	Tags    string    `bun:"tags,notnull"` // JSON
	Words   string    `bun:"words,notnull"`
	GivenAt time.Time `bun:"given_at,notnull"`

	RevisedAt *time.Time `bun:"revised_at"`

	Reply       string     `bun:"reply,notnull"`
	ReplyBy     string     `bun:"reply_by,notnull"`
	RepliedAt   *time.Time `bun:"replied_at"`
	ReplyReadAt *time.Time `bun:"reply_read_at"`

	Hidden     bool   `bun:"hidden,notnull"` // the words and tags are not shown
	HiddenWhy  string `bun:"hidden_why,notnull"`
	Voided     bool   `bun:"voided,notnull"` // found abusive by two persons: the level does not count
	Superseded bool   `bun:"superseded,notnull"`
	Counts     bool   `bun:"counts,notnull"` // neither voided nor superseded
}

// firstRow is what was said before an evaluation was given anew.
type firstRow struct {
	bun.BaseModel `bun:"table:evaluation_firsts,alias:vf"`

	EvaluationID int64     `bun:"evaluation_id,pk"`
	UserID       int64     `bun:"user_id,notnull"`
	FormID       int64     `bun:"form_id,notnull"`
	Level        int       `bun:"level,notnull"`
	Label        string    `bun:"label,notnull"`
	Tags         string    `bun:"tags,notnull"`
	Words        string    `bun:"words,notnull"`
	GivenAt      time.Time `bun:"given_at,notnull"`
}

// visible is the one predicate that narrows every query of evaluations.
func visible(a access.Actor) (where string, args []any) {
	switch {
	case wide(a):
		return "1 = 1", nil
	case a.Party == access.Institution && a.InstitutionID != 0 && a.Can(PermView):
		return "v.institution_id = ?", []any{a.InstitutionID}
	case a.Party == access.Enterprise && a.UserID != 0 && a.EnterpriseID != 0:
		return "v.enterprise_id = ?", []any{a.EnterpriseID}
	}
	return "1 = 0", nil
}

// wide reports whether the actor reads the evaluations of the whole district.
func wide(a access.Actor) bool {
	if a.Party == access.System {
		return true
	}
	return (a.Party == access.Platform || a.Party == access.Government) && a.Scope == access.ScopeDistrict && a.Can(PermView)
}

func find(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (*Evaluation, error) {
	v := new(Evaluation)
	where, args := visible(actor)
	err := db.NewSelect().Model(v).Where("v.id = ?", id).Where(where, args...).Limit(1).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	return v, nil
}

// of finds the evaluation of a subject in a phase. The caller has established that the asker may see the subject.
func of(ctx context.Context, db bun.IDB, object string, id int64, phase Phase) (*Evaluation, error) {
	v := new(Evaluation)
	err := db.NewSelect().Model(v).Where("v.object = ? AND v.object_id = ? AND v.phase = ?", object, id, phase).Limit(1).Scan(ctx)
	if err != nil {
		return nil, database.Found(err)
	}
	return v, nil
}

// save writes what a command may change, if the evaluation is still at the version that was read.
func save(ctx context.Context, tx bun.Tx, v *Evaluation) error {
	read := v.Version
	v.Version++
	return database.Changed(tx.NewUpdate().Model(v).Column("version", "form_id", "level", "label", "tags", "words", "user_id", "by_link", "given_at", "revised_at",
		"reply", "reply_by", "replied_at", "reply_read_at", "hidden", "hidden_why", "voided", "superseded", "counts").
		Where("id = ? AND version = ?", v.ID, read).Exec(ctx))
}

// subject asks the module that keeps the object.
func (s *Service) subject(ctx context.Context, db bun.IDB, actor access.Actor, object string, id int64) (Subject, error) {
	of, ok := s.Subjects[object]
	if !ok {
		return Subject{}, ErrNotFound
	}
	return of.Subject(ctx, db, actor, id)
}
