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
	Version       int64        `bun:"version,notnull"`     // of what an administrator edits
	MustChange    bool         `bun:"must_change,notnull"` // the password was made by somebody else
}

type role struct {
	bun.BaseModel `bun:"table:roles,alias:r"`

	ID      int64        `bun:"id,pk,autoincrement"`
	Code    string       `bun:"code,notnull,unique"`
	Name    string       `bun:"name,notnull"`
	Party   access.Party `bun:"party,notnull"`
	Scope   access.Scope `bun:"scope,notnull"`
	Version int64        `bun:"version,notnull"`
	Custom  bool         `bun:"custom,notnull"` // made by an administrator
}

type rolePermission struct {
	bun.BaseModel `bun:"table:role_permissions"`

	RoleID     int64             `bun:"role_id,pk"`
	Permission access.Permission `bun:"permission,pk"`
}

// roleDefault is a permission that the program has given a built-in role once. What an administrator takes away afterwards
// stays away; what a later release adds is given.
type roleDefault struct {
	bun.BaseModel `bun:"table:role_defaults"`

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
	Device    string     `bun:"device,notnull"` // blind, of the visitor
	Attempts  int        `bun:"attempts,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
}

// smsGuard is one row per phone, address and device that every request for a code must move: two at once meet here.
type smsGuard struct {
	bun.BaseModel `bun:"table:sms_guards"`

	Phone string    `bun:"phone,pk"` // blind, or "ip:" and the address, or "device:" and the blind visitor
	Next  time.Time `bun:"next,notnull"`
}

// smsDay counts the codes of a day in Beijing.
type smsDay struct {
	bun.BaseModel `bun:"table:sms_days"`

	Day  string `bun:"day,pk"` // 2026-11-22
	Sent int64  `bun:"sent,notnull"`
}

// wechatAccount is the WeChat account of a person: one open id has one person in one app, and the other way round.
type wechatAccount struct {
	bun.BaseModel `bun:"table:wechat_accounts,alias:w"`

	ID        int64     `bun:"id,pk,autoincrement"`
	App       string    `bun:"app,notnull"`
	UserID    int64     `bun:"user_id,notnull"`
	OpenID    string    `bun:"open_id,notnull,type:text"` // sealed
	Blind     string    `bun:"blind,notnull"`
	BoundAt   time.Time `bun:"bound_at,notnull"`
	EnteredAt time.Time `bun:"entered_at,notnull"` // last sign-in with it
}

// wechatState is one trip of a browser to WeChat and back.
type wechatState struct {
	bun.BaseModel `bun:"table:wechat_states"`

	State     string     `bun:"state,pk"` // hash
	Visitor   string     `bun:"visitor,notnull"`
	UserID    int64      `bun:"user_id,notnull"` // who wants to bind; 0 to sign in
	Return    string     `bun:"return_to,notnull,type:text"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
}

// wechatPending is the WeChat account of a browser whose person is not known yet.
type wechatPending struct {
	bun.BaseModel `bun:"table:wechat_pending"`

	Visitor   string    `bun:"visitor,pk"`
	App       string    `bun:"app,notnull"`
	OpenID    string    `bun:"open_id,notnull,type:text"` // sealed
	Blind     string    `bun:"blind,notnull"`
	ExpiresAt time.Time `bun:"expires_at,notnull"`
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

type role20261102 struct {
	bun.BaseModel `bun:"table:roles"`

	ID    int64  `bun:"id,pk,autoincrement"`
	Code  string `bun:"code,notnull,unique"`
	Name  string `bun:"name,notnull"`
	Party string `bun:"party,notnull"`
	Scope string `bun:"scope,notnull"`
}

type smsCode20261102 struct {
	bun.BaseModel `bun:"table:sms_codes"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Phone     string     `bun:"phone,notnull"`
	Purpose   string     `bun:"purpose,notnull"`
	Code      string     `bun:"code,notnull"`
	IP        string     `bun:"ip,notnull"`
	Attempts  int        `bun:"attempts,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	ExpiresAt time.Time  `bun:"expires_at,notnull"`
	UsedAt    *time.Time `bun:"used_at"`
}

// Migrations are the tables of the module. A struct that changed later stands beside them in its first shape; the others
// are still as they were created.
var Migrations = []database.Migration{{
	ID: "20261102090000_identity",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*department)(nil), (*user20261102)(nil), (*role20261102)(nil), (*rolePermission)(nil), (*userRole)(nil),
			(*session)(nil), (*captchaRow)(nil), (*smsCode20261102)(nil), (*smsGuard)(nil)); err != nil {
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
}, {
	ID: "20261124081000_wechat_accounts",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*wechatAccount)(nil), (*wechatState)(nil), (*wechatPending)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX wechat_accounts_open_id ON wechat_accounts (app, blind)",
			"CREATE UNIQUE INDEX wechat_accounts_user ON wechat_accounts (user_id, app)",
			"CREATE INDEX wechat_states_expires ON wechat_states (expires_at)",
			"CREATE INDEX wechat_pending_expires ON wechat_pending (expires_at)",
		)
	},
}, {
	ID: "20261124081100_sms_limits",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*smsDay)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"ALTER TABLE sms_codes ADD COLUMN device VARCHAR NOT NULL DEFAULT ''",
			"CREATE INDEX sms_codes_device ON sms_codes (device, created_at)",
			"CREATE INDEX sms_codes_created ON sms_codes (created_at)",
			"CREATE INDEX sms_guards_next ON sms_guards (next)",
			"CREATE INDEX captchas_expires ON captchas (expires_at)",
			"CREATE INDEX sessions_expires ON sessions (expires_at)",
		)
	},
}, {
	ID: "20261124081200_administration",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 1",
			"ALTER TABLE users ADD COLUMN must_change BOOLEAN NOT NULL DEFAULT FALSE",
			"ALTER TABLE roles ADD COLUMN version BIGINT NOT NULL DEFAULT 1",
			"ALTER TABLE roles ADD COLUMN custom BOOLEAN NOT NULL DEFAULT FALSE",
			"CREATE INDEX users_party ON users (party, id)",
			"CREATE INDEX user_roles_role ON user_roles (role_id, user_id)",
		)
	},
}, {
	ID: "20261129000100_role_defaults",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*roleDefault)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx, `INSERT INTO role_defaults (role_id, permission)
			SELECT p.role_id, p.permission FROM role_permissions AS p JOIN roles AS r ON r.id = p.role_id WHERE NOT r.custom`)
	},
}}
