package identity

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/text"
)

// Faults of managing accounts.
var (
	ErrSelf         = fault.New(fault.Conflict, "OWN_ACCOUNT", "不能办理自己的账号，请由其他系统管理员办理；修改密码请到“我的账号”")
	ErrNoPassword   = fault.New(fault.Conflict, "NO_PASSWORD", "企业账号用短信验证码或微信登录，没有密码")
	ErrNotStaff     = fault.New(fault.Conflict, "NOT_STAFF", "企业账号由本人管理，这里只能停用、启用、解锁和结束登录")
	ErrAccountTaken = fault.New(fault.Conflict, "ACCOUNT_TAKEN", "账号或手机号已被使用，请更换").On("account")
)

// UserChanged is announced when an administrator changes an account. Change says what was done, in Chinese.
type UserChanged struct {
	UserID int64  `json:"userId"`
	Change string `json:"change"`
}

// Event names the fact.
func (f UserChanged) Event() (string, string, int64) {
	return "identity.user_changed", "user", f.UserID
}

// UserState is whether an account can be used.
type UserState string

// The states of an account.
const (
	Active   UserState = "active"
	Locked   UserState = "locked" // for a while, after wrong passwords
	Disabled UserState = "disabled"
)

// RoleName names a role.
type RoleName struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// UserItem is an account in a list.
type UserItem struct {
	ID              int64        `json:"id"`
	Version         int64        `json:"version"`
	Name            string       `json:"name"`
	Account         string       `json:"account"`
	PhoneMasked     string       `json:"phoneMasked"`
	Party           access.Party `json:"party"`
	DepartmentID    int64        `json:"departmentId"`
	DepartmentName  string       `json:"departmentName"`
	InstitutionID   int64        `json:"institutionId"`
	InstitutionName string       `json:"institutionName"`
	EnterpriseName  string       `json:"enterpriseName"`
	Roles           []RoleName   `json:"roles"`
	State           UserState    `json:"state"`
	CreatedAt       time.Time    `json:"createdAt"`
	SeenAt          *time.Time   `json:"seenAt,omitempty" doc:"Last use of a session that is still kept."`
}

// UserView is an account as an administrator sees it.
type UserView struct {
	UserItem
	LockedUntil *time.Time    `json:"lockedUntil,omitempty"`
	DisabledAt  *time.Time    `json:"disabledAt,omitempty"`
	MustChange  bool          `json:"mustChange" doc:"The password was made by an administrator and is to be changed at the next sign-in."`
	HasPassword bool          `json:"hasPassword"`
	Wechat      bool          `json:"wechat" doc:"A WeChat account is bound."`
	Self        bool          `json:"self" doc:"The asker's own account, which others manage."`
	Sessions    []SessionView `json:"sessions"`
}

// UserFilter narrows a list of accounts.
type UserFilter struct {
	Query  string // part of the name, or the beginning of the account
	Phone  string // the last four digits, or the whole number
	Party  access.Party
	Role   string
	State  UserState
	Cursor string
	Limit  int
}

// Users lists accounts, newest first, and returns the cursor of the next page. It needs identity.users.
func (s *Service) Users(ctx context.Context, actor access.Actor, f UserFilter) ([]UserItem, string, error) {
	if err := actor.Need("identity.users"); err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	db := s.DB.Read()
	var rows []user
	q := db.NewSelect().Model(&rows).OrderExpr("u.id DESC").Limit(int64(f.Limit + 1))
	if f.Cursor != "" {
		before, err := strconv.ParseInt(f.Cursor, 10, 64)
		if err != nil || before <= 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
		q = q.Where("u.id < ?", before)
	}
	if part := strings.TrimSpace(f.Query); part != "" {
		part = likeEscape.Replace(part)
		q = q.Where("(u.name LIKE ? ESCAPE '!' OR u.account LIKE ? ESCAPE '!')", "%"+part+"%", strings.ToLower(part)+"%")
	}
	if f.Phone = strings.TrimSpace(f.Phone); f.Phone != "" {
		if len(f.Phone) == 4 {
			q = q.Where("u.phone_tail IN ?", bun.Tuple(s.Box.BlindTails(f.Phone)))
		} else {
			number, err := phone.Normalize(f.Phone)
			if err != nil {
				return nil, "", fault.InvalidField("phone", "BAD_PHONE", "请填写手机号后四位，或完整的手机号")
			}
			q = q.Where("u.phone_blind IN ?", bun.Tuple(s.Box.Blinds("phone", number)))
		}
	}
	if f.Party != "" {
		q = q.Where("u.party = ?", f.Party)
	}
	if f.Role != "" {
		q = q.Where("u.id IN (SELECT ur.user_id FROM user_roles AS ur JOIN roles AS r ON r.id = ur.role_id WHERE r.code = ?)", f.Role)
	}
	now := s.Clock.Now()
	switch f.State {
	case "":
	case Disabled:
		q = q.Where("u.disabled_at IS NOT NULL")
	case Locked:
		q = q.Where("u.disabled_at IS NULL AND u.locked_until > ?", now)
	case Active:
		q = q.Where("u.disabled_at IS NULL AND (u.locked_until IS NULL OR u.locked_until <= ?)", now)
	default:
		return nil, "", fault.InvalidField("state", "USER_STATE", "没有这种账号状态，请重新选择")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("list users: %w", err)
	}
	next := ""
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	items, err := s.userItems(ctx, db, rows)
	return items, next, err
}

var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// userItems tells what a list shows of the people.
func (s *Service) userItems(ctx context.Context, db bun.IDB, rows []user) ([]UserItem, error) {
	if len(rows) == 0 {
		return []UserItem{}, nil
	}
	ids := make([]int64, 0, len(rows))
	for _, u := range rows {
		ids = append(ids, u.ID)
	}
	var roles []struct {
		UserID     int64
		Code, Name string
	}
	err := db.NewSelect().TableExpr("user_roles AS ur").Join("JOIN roles AS r ON r.id = ur.role_id").ColumnExpr("ur.user_id, r.code, r.name").
		Where("ur.user_id IN ?", bun.Tuple(ids)).OrderExpr("r.id").Scan(ctx, &roles)
	if err != nil {
		return nil, err
	}
	var seen []struct {
		UserID int64
		SeenAt time.Time
	}
	err = db.NewSelect().TableExpr("sessions").ColumnExpr("user_id, max(seen_at) AS seen_at").Where("user_id IN ? AND NOT pending", bun.Tuple(ids)).
		GroupExpr("user_id").Scan(ctx, &seen)
	if err != nil {
		return nil, err
	}
	names := s.naming(ctx, db)
	items := make([]UserItem, 0, len(rows))
	for _, u := range rows {
		number, err := s.Box.Open(u.Phone, phonePlace)
		if err != nil {
			return nil, err
		}
		i := UserItem{ID: u.ID, Version: u.Version, Name: u.Name, PhoneMasked: text.MaskPhone(string(number)), Party: u.Party, Roles: []RoleName{},
			State: s.state(u), CreatedAt: u.CreatedAt.UTC()}
		if u.Account != nil {
			i.Account = *u.Account
		}
		if i.DepartmentID, i.DepartmentName, err = names.department(u.DepartmentID); err != nil {
			return nil, err
		}
		if i.InstitutionID, i.InstitutionName, err = names.institution(u.InstitutionID); err != nil {
			return nil, err
		}
		if _, i.EnterpriseName, err = names.enterprise(u.EnterpriseID); err != nil {
			return nil, err
		}
		for _, r := range roles {
			if r.UserID == u.ID {
				i.Roles = append(i.Roles, RoleName{r.Code, r.Name})
			}
		}
		for _, row := range seen {
			if row.UserID == u.ID {
				at := row.SeenAt.UTC()
				i.SeenAt = &at
			}
		}
		items = append(items, i)
	}
	return items, nil
}

func (s *Service) state(u user) UserState {
	switch {
	case u.DisabledAt != nil:
		return Disabled
	case u.LockedUntil != nil && s.Clock.Now().Before(*u.LockedUntil):
		return Locked
	}
	return Active
}

// names looks each place of work up once.
type names struct {
	department, institution, enterprise func(id *int64) (int64, string, error)
}

func (s *Service) naming(ctx context.Context, db bun.IDB) names {
	once := func(find func(id int64) (string, error)) func(id *int64) (int64, string, error) {
		known := map[int64]string{}
		return func(id *int64) (int64, string, error) {
			if id == nil || *id == 0 {
				return 0, "", nil
			}
			if name, ok := known[*id]; ok {
				return *id, name, nil
			}
			name, err := find(*id)
			known[*id] = name
			return *id, name, err
		}
	}
	return names{
		department: once(func(id int64) (string, error) { d, err := s.Department(ctx, db, id); return d.Name, err }),
		institution: once(func(id int64) (string, error) {
			if s.Institutions == nil {
				return "", nil
			}
			return s.Institutions.InstitutionName(ctx, db, id)
		}),
		enterprise: once(func(id int64) (string, error) { c, err := s.Companies.Company(ctx, db, id); return c.Name, err }),
	}
}

// User returns one account, fault.ErrNotFound when there is none. It needs identity.users.
func (s *Service) User(ctx context.Context, actor access.Actor, id int64) (UserView, error) {
	if err := actor.Need("identity.users"); err != nil {
		return UserView{}, err
	}
	return s.userView(ctx, s.DB.Read(), actor, id)
}

func (s *Service) userView(ctx context.Context, db bun.IDB, actor access.Actor, id int64) (UserView, error) {
	var u user
	if err := db.NewSelect().Model(&u).Where("id = ?", id).Scan(ctx); err != nil {
		return UserView{}, database.Found(err)
	}
	items, err := s.userItems(ctx, db, []user{u})
	if err != nil {
		return UserView{}, err
	}
	v := UserView{UserItem: items[0], MustChange: u.MustChange, HasPassword: u.PasswordHash != "", Self: u.ID == actor.UserID}
	if v.State == Locked {
		at := u.LockedUntil.UTC()
		v.LockedUntil = &at
	}
	if u.DisabledAt != nil {
		at := u.DisabledAt.UTC()
		v.DisabledAt = &at
	}
	if v.Wechat, err = s.wechatBound(ctx, db, u.ID); err != nil {
		return v, err
	}
	v.Sessions, err = s.sessions(ctx, db, u, 0)
	return v, err
}
