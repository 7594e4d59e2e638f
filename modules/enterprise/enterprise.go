package enterprise

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// The rights of the module.
const (
	PermView   access.Permission = "enterprise.view"
	PermReview access.Permission = "enterprise.review"
)

// Permissions describes the rights for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "企业", Label: "查看企业"}, {Name: PermReview, Group: "企业", Label: "审核企业认证"}, {Name: PermUndo, Group: "企业", Label: "撤销任何企业认证审核决定"},
		{Name: PermExport, Group: "企业", Label: "导出企业"}, {Name: PermImport, Group: "企业", Label: "导入企业名录"},
		{Name: PermGolden, Group: "企业", Label: "核定企业数据、维护数据来源"},
		{Name: PermQuality, Group: "企业", Label: "维护数据质量规则"},
		{Name: PermSizePublish, Group: "企业", Label: "发布划型标准"},
		{Name: PermTags, Group: "企业", Label: "定义和标注企业标签"}, {Name: PermTagPublish, Group: "企业", Label: "发布企业标签"},
		{Name: PermExtra, Group: "企业", Label: "填写企业扩展信息"}, {Name: PermExtraRestricted, Group: "企业", Label: "查看受限的企业扩展信息"},
		{Name: PermExtraFields, Group: "企业", Label: "定义企业扩展字段"},
	}
}

// Verification is whether the company is known to be what it says (requirement B1).
type Verification string

// The states of a company.
const (
	Unverified Verification = "unverified"
	Pending    Verification = "pending"
	Verified   Verification = "verified"
	Returned   Verification = "returned"
)

// Label is the state in one word, "" for one that does not exist.
func (v Verification) Label() string {
	switch v {
	case Unverified:
		return "未认证"
	case Pending:
		return "认证审核中"
	case Verified:
		return "已认证"
	case Returned:
		return "认证被退回"
	}
	return ""
}

// The faults of the module.
var (
	ErrNotFound  = fault.ErrNotFound
	ErrForbidden = fault.ErrForbidden
	// ErrOwner: only the owner speaks for the company.
	ErrOwner = fault.New(fault.Forbidden, "OWNER_ONLY", "此事项须由企业负责人办理，请联系本企业负责人")
	// ErrVerified: the company is verified already.
	ErrVerified = fault.New(fault.Conflict, "ENTERPRISE_VERIFIED", "企业已通过认证，无需重复认证")
	// ErrPending: a person is looking at the licence.
	ErrPending = fault.New(fault.Conflict, "ENTERPRISE_PENDING", "认证申请正在人工审核，请等待审核结果")
	// ErrHeld: another company of the platform holds the credit code.
	ErrHeld = fault.New(fault.Conflict, "CREDIT_CODE_HELD", "该统一社会信用代码已由平台上的企业认证").On("creditCode")
	// ErrAttempts: the day's attempts are used up.
	ErrAttempts = fault.New(fault.TooMany, "ENTERPRISE_ATTEMPTS", fmt.Sprintf("今天的认证次数已用完（每天 %d 次），请明天再试", MaxAttempts))
	// ErrLicence: a person cannot review without the licence.
	ErrLicence = fault.InvalidField("licence", "LICENCE_NEEDED", "请上传营业执照照片或扫描件")
	// ErrOwnReview: nobody reviews their own.
	ErrOwnReview = fault.New(fault.Forbidden, "OWN_REVIEW", "不能审核本人所在企业的申请，请由其他审核人员办理")
)

// MaxAttempts is how often one company may try within a day.
const MaxAttempts = 10

// The roles of a member.
const (
	Owner  = "owner"
	Member = "member"
)

// Enterprise is one company. Only its methods change Verification.
type Enterprise struct {
	bun.BaseModel `bun:"table:enterprises,alias:ent"`

	ID           int64        `bun:"id,pk,autoincrement"`
	Name         string       `bun:"name,notnull"`
	CreditCode   *string      `bun:"credit_code"`
	LegalPerson  string       `bun:"legal_person,notnull"`
	Verification Verification `bun:"verification,notnull"`
	Version      int64        `bun:"version,notnull"`
	CreatedAt    time.Time    `bun:"created_at,notnull"`
	VerifiedAt   *time.Time   `bun:"verified_at"`
	ReplacedBy   int64        `bun:"replaced_by,nullzero"` // the verified company its owner joined instead
	// AskedOn and Asked count the attempts of one day.
	AskedOn string `bun:"asked_on,notnull"`
	Asked   int    `bun:"asked,notnull"`
}

func (e *Enterprise) code() string {
	if e.CreditCode == nil {
		return ""
	}
	return *e.CreditCode
}

// mayAsk says why no attempt may begin.
func (e *Enterprise) mayAsk() error {
	switch e.Verification {
	case Verified:
		return ErrVerified
	case Pending:
		return ErrPending
	}
	return nil
}

// verify records that the company is what it claims to be.
func (e *Enterprise) verify(now time.Time, c Claim) error {
	if e.Verification == Verified {
		return ErrVerified
	}
	e.Verification, e.VerifiedAt = Verified, &now
	e.Name, e.CreditCode, e.LegalPerson = c.Name, &c.CreditCode, c.LegalPerson
	return nil
}

// await records that a person has to look.
func (e *Enterprise) await() error {
	if err := e.mayAsk(); err != nil {
		return err
	}
	e.Verification = Pending
	return nil
}

// sendBack records that the person was not satisfied.
func (e *Enterprise) sendBack() error {
	if e.Verification != Pending {
		return fault.ErrChanged.With("企业当前为“%s”，请刷新后查看", e.Verification.Label())
	}
	e.Verification = Returned
	return nil
}

type member struct {
	bun.BaseModel `bun:"table:enterprise_members,alias:m"`

	EnterpriseID int64      `bun:"enterprise_id,pk"`
	UserID       int64      `bun:"user_id,pk"`
	Role         string     `bun:"role,notnull"`
	JoinedAt     *time.Time `bun:"joined_at"`
}

// Brief is how a company is named beside a person.
type Brief struct {
	ID           int64
	Name         string
	CreditCode   string // empty until verified
	Verification string
}

// OpenUnverified makes a company that nobody has checked, owned by the user, in the caller's transaction. Two people may
// register the same name: only a verified credit code tells companies apart.
func (s *Service) OpenUnverified(ctx context.Context, tx bun.Tx, actor access.Actor, name string, ownerUserID int64) (int64, error) {
	now := s.clock.Now()
	e := Enterprise{Name: name, Verification: Unverified, Version: 1, CreatedAt: now}
	if err := insert(ctx, tx, &e); err != nil {
		return 0, fmt.Errorf("open enterprise: %w", err)
	}
	if _, err := tx.NewInsert().Model(&member{EnterpriseID: e.ID, UserID: ownerUserID, Role: Owner, JoinedAt: &now}).Exec(ctx); err != nil {
		return 0, fmt.Errorf("open enterprise: %w", err)
	}
	if _, err := event.Append(ctx, tx, actor, now, Registered{ID: e.ID, Name: name, OwnerID: ownerUserID}); err != nil {
		return 0, err
	}
	return e.ID, audit.Write(ctx, tx, actor, now, audit.Record{
		Action: "enterprise.register", Object: Object, ObjectID: e.ID, Summary: "登记企业（未认证）",
	})
}

// Brief returns how the company is named. The caller has established that the asker acts for it.
func (s *Service) Brief(ctx context.Context, db bun.IDB, id int64) (Brief, error) {
	b := Brief{ID: id}
	err := database.QueryOne(ctx, db, []any{&b.Name, &b.CreditCode, &b.Verification}, "SELECT name, coalesce(credit_code, ''), verification FROM enterprises WHERE id = ?", id)
	if err != nil {
		return Brief{}, fmt.Errorf("enterprise %d: %w", id, database.Found(err))
	}
	return b, nil
}

// ByCode lists up to limit companies whose credit code begins with the prefix. The caller shows nothing of them but what its
// own scope lets through.
func (s *Service) ByCode(ctx context.Context, db bun.IDB, prefix string, limit int) ([]int64, error) {
	return byCode(ctx, db, prefix, limit)
}

// IsMember returns fault.ErrNotFound unless the user acts for the company.
func (s *Service) IsMember(ctx context.Context, db bun.IDB, enterpriseID, userID int64) error {
	_, err := roleOf(ctx, db, enterpriseID, userID)
	return err
}
