package identity

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
)

type department struct {
	bun.BaseModel `bun:"table:departments,alias:d"`

	ID       int64  `bun:"id,pk,autoincrement"`
	Code     string `bun:"code,notnull,unique"`
	Name     string `bun:"name,notnull"`
	ParentID *int64 `bun:"parent_id"`
	L1       int64  `bun:"l1,notnull"`
	L2       int64  `bun:"l2,notnull"`
	L3       int64  `bun:"l3,notnull"`
	L4       int64  `bun:"l4,notnull"`
	Sort     int    `bun:"sort,notnull"`
}

type user struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID            int64        `bun:"id,pk,autoincrement"`
	Name          string       `bun:"name,notnull"`
	Account       *string      `bun:"account,unique"`
	PasswordHash  string       `bun:"password_hash,notnull"`
	Phone         string       `bun:"phone,notnull,type:text"` // sealed
	PhoneBlind    string       `bun:"phone_blind,notnull,unique"`
	PhoneTail     string       `bun:"phone_tail,notnull"`
	Party         access.Party `bun:"party,notnull"`
	DepartmentID  *int64       `bun:"department_id"`
	EnterpriseID  *int64       `bun:"enterprise_id"`
	InstitutionID *int64       `bun:"institution_id"`
	Failed        int          `bun:"failed,notnull"`
	LockedUntil   *time.Time   `bun:"locked_until"`
	DisabledAt    *time.Time   `bun:"disabled_at"`
	CreatedAt     time.Time    `bun:"created_at,notnull"`
}

type role struct {
	bun.BaseModel `bun:"table:roles,alias:r"`

	ID    int64        `bun:"id,pk,autoincrement"`
	Code  string       `bun:"code,notnull,unique"`
	Name  string       `bun:"name,notnull"`
	Party access.Party `bun:"party,notnull"`
	Scope access.Scope `bun:"scope,notnull"`
}

type rolePermission struct {
	bun.BaseModel `bun:"table:role_permissions"`

	RoleID     int64             `bun:"role_id,pk"`
	Permission access.Permission `bun:"permission,pk"`
}

type userRole struct {
	bun.BaseModel `bun:"table:user_roles"`

	UserID int64 `bun:"user_id,pk"`
	RoleID int64 `bun:"role_id,pk"`
}

type session struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	ID        int64      `bun:"id,pk,autoincrement"`
	TokenHash string     `bun:"token_hash,notnull,unique"`
	UserID    int64      `bun:"user_id,notnull"`
	Pending   bool       `bun:"pending,notnull"` // waits for the second factor: nobody is signed in yet
	IP        string     `bun:"ip,notnull"`
	UserAgent string     `bun:"user_agent,notnull,type:text"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	SeenAt    time.Time  `bun:"seen_at,notnull"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	RevokedAt *time.Time `bun:"revoked_at"`
}

type captchaRow struct {
	bun.BaseModel `bun:"table:captchas"`

	ID        string     `bun:"id,pk"`
	Digits    string     `bun:"digits,notnull"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
}

type smsCode struct {
	bun.BaseModel `bun:"table:sms_codes"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Phone     string     `bun:"phone,notnull"` // blind
	Purpose   string     `bun:"purpose,notnull"`
	Code      string     `bun:"code,notnull"` // keyed hash
	IP        string     `bun:"ip,notnull"`
	Attempts  int        `bun:"attempts,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
}

// smsGuard is one row per phone that every request for a code must move: two at once meet here.
type smsGuard struct {
	bun.BaseModel `bun:"table:sms_guards"`

	Phone string    `bun:"phone,pk"`
	Next  time.Time `bun:"next,notnull"`
}

type user20261102 struct {
	bun.BaseModel `bun:"table:users"`

	ID           int64      `bun:"id,pk,autoincrement"`
	Name         string     `bun:"name,notnull"`
	Account      *string    `bun:"account,unique"`
	PasswordHash string     `bun:"password_hash,notnull"`
	Phone        string     `bun:"phone,notnull,type:text"`
	PhoneBlind   string     `bun:"phone_blind,notnull,unique"`
	PhoneTail    string     `bun:"phone_tail,notnull"`
	Party        string     `bun:"party,notnull"`
	DepartmentID *int64     `bun:"department_id"`
	EnterpriseID *int64     `bun:"enterprise_id"`
	Failed       int        `bun:"failed,notnull"`
	LockedUntil  *time.Time `bun:"locked_until"`
	DisabledAt   *time.Time `bun:"disabled_at"`
	CreatedAt    time.Time  `bun:"created_at,notnull"`
}

// Migrations are the tables of the module. A struct that changed later stands beside them in its first shape; the others
// are still as they were created.
var Migrations = []database.Migration{{
	ID: "20261102090000_identity",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*department)(nil), (*user20261102)(nil), (*role)(nil), (*rolePermission)(nil), (*userRole)(nil),
			(*session)(nil), (*captchaRow)(nil), (*smsCode)(nil), (*smsGuard)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX sessions_user ON sessions (user_id)",
			"CREATE INDEX sms_codes_phone ON sms_codes (phone, id)",
			"CREATE INDEX sms_codes_ip ON sms_codes (ip, created_at)",
			"CREATE INDEX users_department ON users (department_id)",
			"CREATE INDEX users_phone_tail ON users (phone_tail)",
		)
	},
}, {
	ID: "20261124080000_institution_users",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE users ADD COLUMN institution_id BIGINT",
			"CREATE INDEX users_institution ON users (institution_id)")
	},
}}
