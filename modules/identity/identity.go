// Package identity knows the people: users of the three parties, the department tree, roles edited at run time, sessions,
// and the ways in (requirements A1–A6, O1).
//
// Words: a person registers with a phone and a code and owns an unverified company; staff sign in with account and
// password and then a code sent to their phone (second factor). A captcha comes before any code. A code lives five
// minutes, works once and dies at the fifth wrong try; codes are limited per phone, address, browser and day over all
// purposes. Inside WeChat a browser first travels to WeChat and back (state: this browser's, once, five minutes); a known
// open id signs its person in, an unknown one waits a quarter of an hour for its person to register or sign in by SMS.
//
// An account is active, locked for a while, or disabled. Administrators open, change, disable and reset others' accounts,
// never their own; a password they made must be changed before anything else. The rights identity.users, identity.roles
// and audit.view meet in no role and in no person.
//
// Tables: departments, users, roles, role_permissions, user_roles, sessions, captchas, sms_codes, sms_guards, sms_days,
// wechat_accounts, wechat_states, wechat_pending.
// Needs: a way to text, a keeper of companies; where there are any, the official account and the institutions.
// Announces identity.registered, identity.wechat_bound, identity.wechat_unbound, identity.wechat_signed_in,
// identity.user_changed.
package identity

import (
	"context"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
)

// Company is how a company is named beside a person.
type Company struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	CreditCode   string `json:"creditCode"`
	Verification string `json:"verification"`
}

// Companies is what identity needs of the keeper of companies.
type Companies interface {
	// OpenUnverified makes a company owned by the user in the transaction and returns its id.
	OpenUnverified(ctx context.Context, tx bun.Tx, actor access.Actor, name string, owner int64) (int64, error)
	// Company names a company.
	Company(ctx context.Context, db bun.IDB, id int64) (Company, error)
	// Counted reports whether the person belongs to any company that is verified or being verified.
	Counted(ctx context.Context, db bun.IDB, userID int64) (bool, error)
}

// Texter sends a code to a phone; the message leaves after the transaction is committed.
type Texter interface {
	TextCode(ctx context.Context, tx bun.Tx, phone, code string) error
}

// Institutions names the institution an operator works for.
type Institutions interface {
	InstitutionName(ctx context.Context, db bun.IDB, id int64) (string, error)
}

// InstitutionList lists the institutions that accounts of operators may be opened for.
type InstitutionList interface {
	Institutions(ctx context.Context, db bun.IDB) ([]Named, error)
}

// Deputies tells which rights of others a person uses in their name now.
type Deputies interface {
	Deputed(ctx context.Context, db bun.IDB, actor access.Actor) ([]access.Permission, error)
}

// Arrivals keeps by which way people came who register.
type Arrivals interface {
	// Registered is told in the transaction of a registration.
	Registered(ctx context.Context, tx bun.Tx, actor access.Actor, userID, enterpriseID int64) error
}

// Deps are what the module needs.
type Deps struct {
	DB           *database.DB
	Clock        clock.Clock
	Box          *secret.Box
	Companies    Companies
	Institutions Institutions
	// InstitutionList is nil where there are no institutions yet.
	InstitutionList InstitutionList
	// Deputies is nil where nobody delegates.
	Deputies Deputies
	Texter   Texter
	Log      *slog.Logger
	District string
	Demo     bool
	// Wechat is the official account; nil offers no sign-in with WeChat. PublicURL is where browsers find us.
	Wechat    Wechat
	PublicURL string
	// CodesPerDay bounds the SMS codes of a day in the whole installation; 0 does not.
	CodesPerDay int
	// Arrivals attributes registrations to what brought them; nil attributes none.
	Arrivals Arrivals
	// Permissions are all rights of the program, Roles what an installation begins with.
	Permissions []access.Info
	Roles       []BuiltinRole
}

// Service is identity.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Faults that a person can meet on the way in.
var (
	ErrCaptcha         = fault.New(fault.Invalid, "CAPTCHA_WRONG", "图形验证码不正确或已过期，请看新图重新输入").On("captchaAnswer")
	ErrCodeWrong       = fault.New(fault.Invalid, "CODE_WRONG", "短信验证码不正确，请核对后重新输入").On("code")
	ErrCodeExpired     = fault.New(fault.Invalid, "CODE_EXPIRED", "短信验证码已过期，请重新获取").On("code")
	ErrCodeUsed        = fault.New(fault.Invalid, "CODE_USED", "短信验证码已使用过，请重新获取").On("code")
	ErrCodeLocked      = fault.New(fault.Invalid, "CODE_LOCKED", "验证码输错次数过多，请重新获取").On("code")
	ErrCodeTooSoon     = fault.New(fault.TooMany, "CODE_TOO_SOON", "验证码已发送，请一分钟后再试")
	ErrCodeTooMany     = fault.New(fault.TooMany, "CODE_TOO_MANY", "该手机号获取验证码过于频繁，请稍后再试或明天再试")
	ErrPhoneRegistered = fault.New(fault.Conflict, "PHONE_REGISTERED", "该手机号已注册，请直接用短信验证码登录").On("phone")
	ErrConsent         = fault.New(fault.Invalid, "CONSENT_REQUIRED", "请阅读并同意个人信息保护说明后再注册").On("consent")
	ErrWrongPassword   = fault.New(fault.Invalid, "SIGN_IN_FAILED", "账号或密码不正确；连续输错 5 次账号会锁定 15 分钟，请核对后再试")
	ErrNotRegistered   = fault.New(fault.Invalid, "NOT_REGISTERED", "该手机号尚未注册，请先注册企业账号").On("phone")
	ErrStaffPassword   = fault.New(fault.Forbidden, "USE_PASSWORD", "工作人员请使用账号密码登录")
	ErrNoSecondFactor  = fault.New(fault.Conflict, "SECOND_FACTOR_NOT_DUE", "当前无需短信验证，请重新登录")
)

// Permissions are the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: "identity.users", Group: "系统", Label: "管理账号"}, {Name: "identity.roles", Group: "系统", Label: "编辑角色"},
		{Name: "audit.view", Group: "系统", Label: "查看审计日志"}, {Name: PermExportAudit, Group: "系统", Label: "导出审计日志"},
	}
}

// BuiltinRole is a role an installation begins with; its permissions may be edited afterwards.
type BuiltinRole struct {
	Code, Name  string
	Party       access.Party
	Scope       access.Scope
	Permissions []access.Permission
}

// sessionLife is how long a session lasts at most, and idle without use.
func sessionLife(p access.Party) (absolute, idle time.Duration) {
	if p.Staff() {
		return 12 * time.Hour, 30 * time.Minute
	}
	return 30 * 24 * time.Hour, 7 * 24 * time.Hour
}
