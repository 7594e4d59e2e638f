package identity

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/secret"
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
			q = q.Where("u.phone_tail = ?", s.Box.BlindTail(f.Phone))
		} else {
			number, err := phone.Normalize(f.Phone)
			if err != nil {
				return nil, "", fault.InvalidField("phone", "BAD_PHONE", "请填写手机号后四位，或完整的手机号")
			}
			q = q.Where("u.phone_blind = ?", s.Box.Blind("phone", number))
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
		number, err := s.Box.Open(u.Phone, "users.phone")
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

// NewUser is an account of the back office that an administrator opens.
type NewUser struct {
	Key                         string `json:"-"`
	Name, Account, Phone        string
	Party                       access.Party
	DepartmentID, InstitutionID int64
	Roles                       []string
}

var accountShape = regexp.MustCompile(`^[a-z][a-z0-9._-]{2,31}$`)

// place checks where a member of staff works.
func (s *Service) place(ctx context.Context, db bun.IDB, u *user, department, institution int64) error {
	u.DepartmentID, u.InstitutionID = nil, nil
	switch u.Party {
	case access.Institution:
		if institution == 0 {
			return fault.InvalidField("institutionId", "NO_INSTITUTION", "请选择所属机构")
		}
		if s.Institutions == nil {
			return fault.InvalidField("institutionId", "NO_INSTITUTION", "没有这家机构，请重新选择")
		}
		if _, err := s.Institutions.InstitutionName(ctx, db, institution); fault.KindOf(err) == fault.NotFound {
			return fault.InvalidField("institutionId", "NO_INSTITUTION", "没有这家机构，请重新选择")
		} else if err != nil {
			return err
		}
		u.InstitutionID = &institution
	case access.Government, access.Platform:
		if department == 0 {
			if u.Party == access.Platform {
				return nil
			}
			return fault.InvalidField("departmentId", "NO_DEPARTMENT", "请选择所属部门")
		}
		if _, err := s.Department(ctx, db, department); fault.KindOf(err) == fault.NotFound {
			return fault.InvalidField("departmentId", "NO_DEPARTMENT", "没有这个部门，请重新选择")
		} else if err != nil {
			return err
		}
		u.DepartmentID = &department
	default:
		return fault.InvalidField("party", "BAD_PARTY", "请选择人员类别")
	}
	return nil
}

// created is what a repeat of opening an account needs.
type created struct {
	ID int64 `json:"id"`
}

// CreateUser opens an account with a password that is returned once and must be changed at the first sign-in. It needs
// identity.users. A repeat with the same key returns the same account and password.
func (s *Service) CreateUser(ctx context.Context, actor access.Actor, cmd NewUser) (UserView, string, error) {
	if err := actor.Need("identity.users"); err != nil {
		return UserView{}, "", err
	}
	name, err := text.Line("name", cmd.Name, 1, 30)
	if err != nil {
		return UserView{}, "", err
	}
	account := strings.ToLower(strings.TrimSpace(cmd.Account))
	if !accountShape.MatchString(account) {
		return UserView{}, "", fault.InvalidField("account", "BAD_ACCOUNT", "账号为 3 至 32 位的小写字母、数字、点、横线或下划线，以字母开头")
	}
	number, err := phone.Normalize(cmd.Phone)
	if err != nil {
		return UserView{}, "", err
	}
	if len(cmd.Roles) == 0 {
		return UserView{}, "", fault.InvalidField("roles", "NO_ROLE", "请至少选择一个角色")
	}
	password := s.temporaryPassword(actor, cmd.Key, account)
	hash, err := s.Box.HashPassword(ctx, password)
	if err != nil {
		return UserView{}, "", err
	}
	var view UserView
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Clock.Now()
		done, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "identity.user_create", Key: cmd.Key, Request: cmd, Now: now}, func() (created, error) {
			u := s.newUser(number, name, cmd.Party, now)
			u.Account, u.PasswordHash, u.MustChange = &account, hash, true
			if err := s.place(ctx, tx, &u, cmd.DepartmentID, cmd.InstitutionID); err != nil {
				return created{}, err
			}
			if err := s.unused(ctx, tx, account, u.PhoneBlind); err != nil {
				return created{}, err
			}
			if _, err := tx.NewInsert().Model(&u).Returning("id").Exec(ctx); err != nil {
				if database.IsDuplicate(err) {
					return created{}, ErrAccountTaken
				}
				return created{}, err
			}
			if err := grant(ctx, tx, actor, u, cmd.Roles...); err != nil {
				return created{}, err
			}
			return created{u.ID}, s.note(ctx, tx, actor, u, "identity.create", "新建账号", cmd.Roles)
		})
		if err != nil {
			return err
		}
		view, err = s.userView(ctx, tx, actor, done.ID)
		return err
	})
	return view, password, err
}

func (s *Service) unused(ctx context.Context, tx bun.Tx, account, blind string) error {
	if account != "" {
		taken, err := tx.NewSelect().Model((*user)(nil)).Where("account = ?", account).Exists(ctx)
		if err != nil {
			return err
		}
		if taken {
			return ErrAccountTaken.With("账号“%s”已被使用，请更换", account).On("account")
		}
	}
	taken, err := tx.NewSelect().Model((*user)(nil)).Where("phone_blind = ?", blind).Exists(ctx)
	if err == nil && taken {
		return fault.New(fault.Conflict, "PHONE_TAKEN", "该手机号已用于另一个账号，请更换").On("phone")
	}
	return err
}

// temporaryPassword makes a password that can be read out. With a key it is always the same, so that it need not be kept
// for a repeat of the command.
func (s *Service) temporaryPassword(actor access.Actor, key, account string) string {
	seed := secret.Token()
	if key != "" {
		seed = s.Box.MAC("temporary-password", fmt.Sprint(actor.UserID), key, account)
	}
	for i := 0; ; i++ {
		raw, _ := base64.RawURLEncoding.DecodeString(s.Box.MAC("temporary-password", seed, fmt.Sprint(i)))
		var groups []string
		for g, letters := range []string{"ABCDEFGHJKMNPQRSTUVWXYZ", "23456789", "abcdefghjkmnpqrstuvwxyz", "23456789abcdefghjkmnpqrstuvwxyz"} {
			b := make([]byte, 4)
			for j := range b {
				b[j] = letters[int(raw[4*g+j])%len(letters)]
			}
			groups = append(groups, string(b))
		}
		if p := strings.Join(groups, "-"); secret.CheckPassword(secret.Staff, p, account) == nil {
			return p
		}
	}
}

// note writes what an administrator did with an account into the books.
func (s *Service) note(ctx context.Context, tx bun.Tx, actor access.Actor, u user, action, change string, detail any) error {
	now := s.Clock.Now()
	if _, err := event.Append(ctx, tx, actor, now, UserChanged{UserID: u.ID, Change: change}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: action, Object: "user", ObjectID: u.ID, Summary: change + " " + u.Name, Detail: detail})
}

// UserRef names the account a command is about.
type UserRef struct {
	ID      int64
	Version int64  // the version the actor saw
	Key     string `json:"-"`
}

// changeUser is the frame of every command on somebody else's account: right, key, account, version, step, event, audit.
func (s *Service) changeUser(ctx context.Context, actor access.Actor, action string, ref UserRef, request any, step func(ctx context.Context, tx bun.Tx, u *user) (change string, detail any, err error)) (UserView, error) {
	if err := actor.Need("identity.users"); err != nil {
		return UserView{}, err
	}
	var view UserView
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: action, Key: ref.Key, Request: request, Now: s.Clock.Now()}, func() (created, error) {
			u, err := lockUser(ctx, tx, ref.ID)
			if err != nil {
				return created{}, err
			}
			if u.ID == actor.UserID {
				return created{}, ErrSelf
			}
			if u.Version != ref.Version {
				return created{}, staleUser(ctx, tx, u)
			}
			var change string
			var detail any
			err = s.keepingHolders(ctx, tx, func() error {
				change, detail, err = step(ctx, tx, &u)
				if err != nil {
					return err
				}
				u.Version++
				err := database.Changed(tx.NewUpdate().Model(&u).Where("id = ? AND version = ?", u.ID, ref.Version).
					Column("name", "phone", "phone_blind", "phone_tail", "password_hash", "must_change", "department_id", "institution_id", "failed", "locked_until",
						"disabled_at", "version").Exec(ctx))
				if database.IsDuplicate(err) {
					return ErrAccountTaken
				}
				return err
			})
			if err != nil {
				return created{}, err
			}
			return created{u.ID}, s.note(ctx, tx, actor, u, action, change, detail)
		})
		if err != nil {
			return err
		}
		view, err = s.userView(ctx, tx, actor, ref.ID)
		return err
	})
	if err != nil {
		return UserView{}, fmt.Errorf("%s %d: %w", action, ref.ID, err)
	}
	return view, nil
}

// staleUser says what changed meanwhile, who did it and when.
func staleUser(ctx context.Context, tx bun.Tx, u user) error {
	events, err := event.Of(ctx, tx, "user", u.ID)
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(events) {
		var f UserChanged
		if e.Type == "identity.user_changed" && e.Decode(&f) == nil {
			return fault.ErrChanged.With("账号“%s”已有变化：%s于%s“%s”，请刷新后再办理", u.Name, e.ActorName, clock.Show(e.At), f.Change)
		}
	}
	return fault.ErrChanged
}

// EditUser changes a member of staff: who they are and where they work, and their roles.
type EditUser struct {
	UserRef
	Name                        string
	Phone                       string // "" keeps the number
	DepartmentID, InstitutionID int64
	Roles                       []string
}

// EditUser changes a member of staff, effective with their next request. It needs identity.users; nobody edits themself.
func (s *Service) EditUser(ctx context.Context, actor access.Actor, cmd EditUser) (UserView, error) {
	name, err := text.Line("name", cmd.Name, 1, 30)
	if err != nil {
		return UserView{}, err
	}
	if len(cmd.Roles) == 0 {
		return UserView{}, fault.InvalidField("roles", "NO_ROLE", "请至少选择一个角色")
	}
	number := ""
	if cmd.Phone != "" {
		if number, err = phone.Normalize(cmd.Phone); err != nil {
			return UserView{}, err
		}
	}
	return s.changeUser(ctx, actor, "identity.user_edit", cmd.UserRef, cmd, func(ctx context.Context, tx bun.Tx, u *user) (string, any, error) {
		if !u.Party.Staff() {
			return "", nil, ErrNotStaff
		}
		u.Name = name
		if err := s.place(ctx, tx, u, cmd.DepartmentID, cmd.InstitutionID); err != nil {
			return "", nil, err
		}
		if number != "" && s.Box.Blind("phone", number) != u.PhoneBlind {
			fresh := s.newUser(number, name, u.Party, u.CreatedAt)
			if err := s.unused(ctx, tx, "", fresh.PhoneBlind); err != nil {
				return "", nil, err
			}
			u.Phone, u.PhoneBlind, u.PhoneTail = fresh.Phone, fresh.PhoneBlind, fresh.PhoneTail
		}
		if _, err := tx.NewDelete().Model((*userRole)(nil)).Where("user_id = ?", u.ID).Exec(ctx); err != nil {
			return "", nil, err
		}
		if err := grant(ctx, tx, actor, *u, cmd.Roles...); err != nil {
			return "", nil, err
		}
		detail := map[string]any{"roles": cmd.Roles, "departmentId": cmd.DepartmentID, "institutionId": cmd.InstitutionID, "newPhone": number != ""}
		return "修改账号", detail, nil
	})
}

// DisableUser asks to disable an account.
type DisableUser struct {
	UserRef
	Reason string
}

// DisableUser ends every session of the account and lets it in no more. It needs identity.users; nobody disables themself.
func (s *Service) DisableUser(ctx context.Context, actor access.Actor, cmd DisableUser) (UserView, error) {
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return UserView{}, err
	}
	return s.changeUser(ctx, actor, "identity.user_disable", cmd.UserRef, cmd, func(ctx context.Context, tx bun.Tx, u *user) (string, any, error) {
		if u.DisabledAt != nil {
			return "", nil, fault.New(fault.Conflict, "USER_STATE", "账号已停用，请刷新")
		}
		now := s.Clock.Now()
		u.DisabledAt = &now
		return "停用账号", map[string]string{"reason": reason}, s.endSessions(ctx, tx, u.ID, 0)
	})
}

// EnableUser lets a disabled account in again. It needs identity.users.
func (s *Service) EnableUser(ctx context.Context, actor access.Actor, cmd UserRef) (UserView, error) {
	return s.changeUser(ctx, actor, "identity.user_enable", cmd, cmd, func(_ context.Context, _ bun.Tx, u *user) (string, any, error) {
		if u.DisabledAt == nil {
			return "", nil, fault.New(fault.Conflict, "USER_STATE", "账号未停用，请刷新")
		}
		u.DisabledAt = nil
		return "启用账号", nil, nil
	})
}

// UnlockUser ends the lock of too many wrong passwords. It needs identity.users.
func (s *Service) UnlockUser(ctx context.Context, actor access.Actor, cmd UserRef) (UserView, error) {
	return s.changeUser(ctx, actor, "identity.user_unlock", cmd, cmd, func(_ context.Context, _ bun.Tx, u *user) (string, any, error) {
		u.Failed, u.LockedUntil = 0, nil
		return "解除锁定", nil, nil
	})
}

// ResetPassword gives the account a password that is returned once and must be changed at the next sign-in, and ends its
// sessions. It needs identity.users. A repeat with the same key returns the same password.
func (s *Service) ResetPassword(ctx context.Context, actor access.Actor, cmd UserRef) (UserView, string, error) {
	v, err := s.User(ctx, actor, cmd.ID)
	if err != nil {
		return UserView{}, "", err
	}
	if v.Account == "" {
		return UserView{}, "", ErrNoPassword
	}
	password := s.temporaryPassword(actor, cmd.Key, v.Account)
	hash, err := s.Box.HashPassword(ctx, password)
	if err != nil {
		return UserView{}, "", err
	}
	v, err = s.changeUser(ctx, actor, "identity.password_reset", cmd, cmd, func(ctx context.Context, tx bun.Tx, u *user) (string, any, error) {
		u.PasswordHash, u.MustChange, u.Failed, u.LockedUntil = hash, true, 0, nil
		return "重置密码", nil, s.endSessions(ctx, tx, u.ID, 0)
	})
	return v, password, err
}

// EndUserSessions ends one session of an account, or all of them with session 0. It needs identity.users.
func (s *Service) EndUserSessions(ctx context.Context, actor access.Actor, userID, sessionID int64) (UserView, error) {
	if err := actor.Need("identity.users"); err != nil {
		return UserView{}, err
	}
	if userID == actor.UserID {
		return UserView{}, ErrSelf
	}
	var view UserView
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		u, err := lockUser(ctx, tx, userID)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		q := tx.NewUpdate().Model((*session)(nil)).Set("revoked_at = ?", now).Where("user_id = ? AND revoked_at IS NULL", u.ID)
		if sessionID != 0 {
			q = q.Where("id = ?", sessionID)
		}
		res, err := q.Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			err := audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.user_sessions", Object: "user", ObjectID: u.ID,
				Summary: "结束登录 " + u.Name, Detail: map[string]int64{"sessionId": sessionID}})
			if err != nil {
				return err
			}
		}
		view, err = s.userView(ctx, tx, actor, u.ID)
		return err
	})
	return view, err
}

// endSessions ends the sessions of a person except one.
func (s *Service) endSessions(ctx context.Context, tx bun.Tx, userID, except int64) error {
	_, err := tx.NewUpdate().Model((*session)(nil)).Set("revoked_at = ?", s.Clock.Now()).
		Where("user_id = ? AND id <> ? AND revoked_at IS NULL", userID, except).Exec(ctx)
	return err
}

// InstitutionUsers lists the active users of an institution; for the notifications of other modules.
func (s *Service) InstitutionUsers(ctx context.Context, db bun.IDB, institutionID int64) ([]int64, error) {
	ids := []int64{}
	err := db.NewSelect().Model((*user)(nil)).Column("id").Where("institution_id = ? AND disabled_at IS NULL", institutionID).OrderExpr("id").Scan(ctx, &ids)
	return ids, err
}

// DepartmentUsers lists the active users of a department itself who hold a permission; for the notifications of other modules.
func (s *Service) DepartmentUsers(ctx context.Context, db bun.IDB, departmentID int64, permission access.Permission) ([]int64, error) {
	ids := []int64{}
	err := db.NewSelect().Model((*user)(nil)).Column("id").Where("department_id = ? AND disabled_at IS NULL", departmentID).
		Where("id IN (SELECT ur.user_id FROM user_roles AS ur JOIN role_permissions AS rp ON rp.role_id = ur.role_id WHERE rp.permission = ?)", permission).
		OrderExpr("id").Scan(ctx, &ids)
	return ids, err
}

// UsersWith lists the active users who hold a permission; for the notifications of other modules.
func (s *Service) UsersWith(ctx context.Context, db bun.IDB, permission access.Permission) ([]int64, error) {
	ids := []int64{}
	err := db.NewSelect().Model((*user)(nil)).Column("id").Where("disabled_at IS NULL").
		Where("id IN (SELECT ur.user_id FROM user_roles AS ur JOIN role_permissions AS rp ON rp.role_id = ur.role_id WHERE rp.permission = ?)", permission).
		OrderExpr("id").Scan(ctx, &ids)
	return ids, err
}

// Places are where staff may work, for the form of an account.
type Places struct {
	Departments  []Named `json:"departments" doc:"In the order of the tree, with the names above them."`
	Institutions []Named `json:"institutions"`
}

// Places lists where staff may work. It needs identity.users.
func (s *Service) Places(ctx context.Context, actor access.Actor) (Places, error) {
	p := Places{Departments: []Named{}, Institutions: []Named{}}
	if err := actor.Need("identity.users"); err != nil {
		return p, err
	}
	all, err := s.Departments(ctx, s.DB.Read())
	if err != nil {
		return p, err
	}
	names := map[int64]string{}
	for _, d := range all {
		names[d.ID] = d.Name
	}
	for _, d := range all {
		var way []string
		for _, id := range d.Levels {
			if id != 0 && id != d.ID && names[id] != "" {
				way = append(way, names[id])
			}
		}
		p.Departments = append(p.Departments, Named{d.ID, strings.Join(append(way, d.Name), " / ")})
	}
	if s.InstitutionList != nil {
		if p.Institutions, err = s.InstitutionList.Institutions(ctx, s.DB.Read()); err != nil {
			return p, err
		}
	}
	return p, nil
}
