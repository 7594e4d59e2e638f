package identity

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

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
			id, err := s.openAccount(ctx, tx, actor, u, cmd)
			return created{id}, err
		})
		if err != nil {
			return err
		}
		view, err = s.userView(ctx, tx, actor, done.ID)
		return err
	})
	return view, password, err
}

// openAccount writes the account of a member of staff with its place and roles.
func (s *Service) openAccount(ctx context.Context, tx bun.Tx, actor access.Actor, u user, cmd NewUser) (int64, error) {
	if err := s.place(ctx, tx, &u, cmd.DepartmentID, cmd.InstitutionID); err != nil {
		return 0, err
	}
	if err := s.unused(ctx, tx, *u.Account, u.Phone); err != nil {
		return 0, err
	}
	if _, err := tx.NewInsert().Model(&u).Returning("id").Exec(ctx); err != nil {
		if database.IsDuplicate(err) {
			return 0, ErrAccountTaken
		}
		return 0, err
	}
	if err := grant(ctx, tx, actor, u, cmd.Roles...); err != nil {
		return 0, err
	}
	return u.ID, s.note(ctx, tx, actor, u, "identity.create", "新建账号", cmd.Roles)
}

// unused refuses an account or a phone, sealed, that somebody has.
func (s *Service) unused(ctx context.Context, tx bun.Tx, account, sealed string) error {
	if account != "" {
		taken, err := tx.NewSelect().Model((*user)(nil)).Where("account = ?", account).Exists(ctx)
		if err != nil {
			return err
		}
		if taken {
			return ErrAccountTaken.With("账号“%s”已被使用，请更换", account).On("account")
		}
	}
	number, err := s.Box.Open(sealed, phonePlace)
	if err != nil {
		return err
	}
	taken, err := s.taken(ctx, tx, string(number))
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
