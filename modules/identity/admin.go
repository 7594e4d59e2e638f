package identity

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// Staff is a new account of the back office.
type Staff struct {
	Name, Account, Password, Phone string
	Party                          access.Party
	DepartmentID                   int64 // 0 for none
	InstitutionID                  int64 // of an institution's operator
	Roles                          []string
}

var errAccountOrPhone = fault.New(fault.Conflict, "ACCOUNT_TAKEN", "账号或手机号已被使用，请更换").On("account")

// CreateStaff makes an account. It needs identity.users; the password must satisfy the rules for staff. Without a password,
// which only the system may leave out, nobody can sign in until an administrator sets one.
func (s *Service) CreateStaff(ctx context.Context, actor access.Actor, in Staff) (int64, error) {
	if err := actor.Need("identity.users"); err != nil {
		return 0, err
	}
	number, err := phone.Normalize(in.Phone)
	if err != nil {
		return 0, err
	}
	hash := ""
	if in.Password != "" || actor.Party != access.System {
		if err := secret.CheckPassword(secret.Staff, in.Password, in.Account); err != nil {
			return 0, err
		}
		if hash, err = s.Box.HashPassword(ctx, in.Password); err != nil {
			return 0, err
		}
	}
	var id int64
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Clock.Now()
		u := s.newUser(number, in.Name, in.Party, now)
		u.Account, u.PasswordHash = &in.Account, hash
		if in.DepartmentID != 0 {
			u.DepartmentID = &in.DepartmentID
		}
		if in.InstitutionID != 0 {
			u.InstitutionID = &in.InstitutionID
		}
		if taken, err := s.taken(ctx, tx, number); err != nil {
			return err
		} else if taken {
			return errAccountOrPhone
		}
		if _, err := tx.NewInsert().Model(&u).Returning("id").Exec(ctx); err != nil {
			if database.IsDuplicate(err) {
				return errAccountOrPhone
			}
			return err
		}
		id = u.ID
		if err := grant(ctx, tx, actor, u, in.Roles...); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.create", Object: "user", ObjectID: u.ID, Summary: "新建账号 " + in.Account, Detail: in.Roles})
	})
	return id, err
}

// Owner is a company's person who is known already.
type Owner struct {
	Name, Phone  string
	EnterpriseID int64
}

// CreateOwner makes the account of a company's person who did not register by themselves; they sign in with a code. Only
// the system may. The caller makes them a member of the company.
func (s *Service) CreateOwner(ctx context.Context, actor access.Actor, in Owner) (int64, error) {
	if actor.Party != access.System {
		return 0, fault.ErrForbidden
	}
	number, err := phone.Normalize(in.Phone)
	if err != nil {
		return 0, err
	}
	var id int64
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Clock.Now()
		u := s.newUser(number, in.Name, access.Enterprise, now)
		if in.EnterpriseID != 0 {
			u.EnterpriseID = &in.EnterpriseID
		}
		if taken, err := s.taken(ctx, tx, number); err != nil {
			return err
		} else if taken {
			return ErrPhoneRegistered
		}
		if _, err := tx.NewInsert().Model(&u).Returning("id").Exec(ctx); err != nil {
			if database.IsDuplicate(err) {
				return ErrPhoneRegistered
			}
			return err
		}
		id = u.ID
		if err := grant(ctx, tx, actor, u, ownerRole); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.create", Object: "user", ObjectID: u.ID, Summary: "新建企业账号"})
	})
	return id, err
}

// ActFor makes a company's person act for another company from their next request on, in the caller's transaction. The
// caller has established that they may. A person of another party is fault.ErrNotFound.
func (s *Service) ActFor(ctx context.Context, tx bun.Tx, userID, enterpriseID int64) error {
	err := database.Changed(tx.NewUpdate().Model((*user)(nil)).Set("enterprise_id = ?", enterpriseID).
		Where("id = ? AND party = ?", userID, access.Enterprise).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return fault.ErrNotFound
	}
	return err
}

// ActorOf returns a person with the rights of this moment, without a session. Only the system may ask.
func (s *Service) ActorOf(ctx context.Context, actor access.Actor, userID int64) (access.Actor, error) {
	if actor.Party != access.System {
		return access.Actor{}, fault.ErrForbidden
	}
	var u user
	if err := s.DB.Read().NewSelect().Model(&u).Where("id = ?", userID).Scan(ctx); err != nil {
		return access.Actor{}, database.Found(err)
	}
	return s.actor(ctx, s.DB.Read(), u, 0)
}

// Now returns a person with the rights of this moment, for work they asked for that goes on without them.
// It returns fault.ErrForbidden for an account that lets nobody in: disabled, or with a password that is not yet their own.
// Only the system may ask.
func (s *Service) Now(ctx context.Context, actor access.Actor, userID int64) (access.Actor, error) {
	var u user
	if err := s.DB.Read().NewSelect().Model(&u).Where("id = ?", userID).Scan(ctx); err != nil {
		return access.Actor{}, database.Found(err)
	}
	if u.DisabledAt != nil || u.MustChange {
		return access.Actor{}, fault.ErrForbidden
	}
	return s.ActorOf(ctx, actor, userID)
}

// CreateDepartment adds a department below parent (0 for the top), at most four levels deep. It needs identity.users.
func (s *Service) CreateDepartment(ctx context.Context, actor access.Actor, parent int64, code, name string, sort int) (int64, error) {
	if err := actor.Need("identity.users"); err != nil {
		return 0, err
	}
	var id int64
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		d := department{Code: code, Name: name, Sort: sort}
		var levels []*int64
		own := []*int64{&d.L1, &d.L2, &d.L3, &d.L4}
		if parent != 0 {
			var p department
			if err := tx.NewSelect().Model(&p).Where("id = ?", parent).Scan(ctx); err != nil {
				return database.Found(err)
			}
			d.ParentID = &parent
			for i, l := range []int64{p.L1, p.L2, p.L3, p.L4} {
				if l == 0 {
					break
				}
				*own[i] = l
				levels = append(levels, own[i])
			}
		}
		if len(levels) == len(own) {
			return fault.InvalidField("parent", "TOO_DEEP", "部门最多四级，请选择上一级部门")
		}
		if _, err := tx.NewInsert().Model(&d).Returning("id").Exec(ctx); err != nil {
			if database.IsDuplicate(err) {
				return fault.New(fault.Conflict, "DEPARTMENT_EXISTS", "部门编码已存在，请更换").On("code")
			}
			return err
		}
		*own[len(levels)] = d.ID
		id = d.ID
		if _, err := tx.NewUpdate().Model(&d).Column("l1", "l2", "l3", "l4").WherePK().Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "identity.department", Object: "department", ObjectID: d.ID, Summary: "新建部门 " + name})
	})
	return id, err
}

// Department is a department with its place in the tree.
type Department struct {
	ID     int64
	Name   string
	Levels [4]int64
}

// Department returns one department, fault.ErrNotFound when there is none.
func (s *Service) Department(ctx context.Context, db bun.IDB, id int64) (Department, error) {
	var d department
	if err := db.NewSelect().Model(&d).Where("id = ?", id).Scan(ctx); err != nil {
		return Department{}, database.Found(err)
	}
	return Department{d.ID, d.Name, [4]int64{d.L1, d.L2, d.L3, d.L4}}, nil
}

// Departments lists all departments in the order of the tree's levels.
func (s *Service) Departments(ctx context.Context, db bun.IDB) ([]Department, error) {
	var rows []department
	if err := db.NewSelect().Model(&rows).OrderExpr("sort, id").Scan(ctx); err != nil {
		return nil, err
	}
	list := make([]Department, 0, len(rows))
	for _, d := range rows {
		list = append(list, Department{d.ID, d.Name, [4]int64{d.L1, d.L2, d.L3, d.L4}})
	}
	return list, nil
}

// Contact returns how a person is reached; for other modules acting on that person's own command.
func (s *Service) Contact(ctx context.Context, db bun.IDB, userID int64) (name, number string, err error) {
	var sealed string
	if err := database.QueryOne(ctx, db, []any{&name, &sealed}, "SELECT name, phone FROM users WHERE id = ?", userID); err != nil {
		return "", "", database.Found(err)
	}
	plain, err := s.Box.Open(sealed, phonePlace)
	return name, string(plain), err
}

// PersonByPhone returns the person of a company who has the phone, and the company they act for now, 0 for none. It returns
// fault.ErrNotFound for nobody; staff are nobody here.
func (s *Service) PersonByPhone(ctx context.Context, db bun.IDB, phone string) (id int64, name string, company int64, err error) {
	var u user
	err = db.NewSelect().Model(&u).Column("id", "name", "enterprise_id").
		Where("phone_blind IN ? AND party = ? AND disabled_at IS NULL", bun.Tuple(s.Box.Blinds("phone", phone)), string(access.Enterprise)).Scan(ctx)
	if err != nil {
		return 0, "", 0, database.Found(err)
	}
	if u.EnterpriseID != nil {
		company = *u.EnterpriseID
	}
	return u.ID, u.Name, company, nil
}

// Empty reports whether the installation has no user yet.
func (s *Service) Empty(ctx context.Context) (bool, error) {
	ok, err := s.DB.Read().NewSelect().Model((*user)(nil)).Exists(ctx)
	return !ok, err
}

// Me is the person signed in, as the faces show them.
type Me struct {
	SignedIn    bool                `json:"signedIn"`
	User        *MeUser             `json:"user"`
	Enterprise  *Company            `json:"enterprise"`
	Institution *Named              `json:"institution"`
	Department  *Named              `json:"department"`
	Permissions []access.Permission `json:"permissions"`
	Deputed     []access.Permission `json:"deputed" doc:"Rights the person uses in a colleague's name now, who delegated them; not among the permissions."`
	CSRFToken   string              `json:"csrfToken"`
	Demo        bool                `json:"demo"`
	Wechat      bool                `json:"wechat" doc:"Whether signing in with WeChat is offered."`
	MustChange  bool                `json:"mustChange,omitempty" doc:"The password must be changed before anything else."`
	Notice      string              `json:"notice,omitempty" doc:"Something to tell the person once, after signing in."`
	District    string              `json:"district"`
}

// MeUser is the person's own account.
type MeUser struct {
	ID          int64        `json:"id"`
	Name        string       `json:"name"`
	PhoneMasked string       `json:"phoneMasked"`
	Party       access.Party `json:"party"`
}

// Named is something with an id and a name.
type Named struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Me describes the actor to itself. The caller adds the CSRF token.
func (s *Service) Me(ctx context.Context, actor access.Actor) (Me, error) {
	m := Me{Permissions: []access.Permission{}, Deputed: []access.Permission{}, Demo: s.Demo, District: s.District, Wechat: s.Wechat != nil}
	if actor.UserID == 0 {
		return m, nil
	}
	var u user
	if err := s.DB.Read().NewSelect().Model(&u).Where("id = ?", actor.UserID).Scan(ctx); err != nil {
		return m, database.Found(err)
	}
	number, err := s.Box.Open(u.Phone, phonePlace)
	if err != nil {
		return m, err
	}
	m.SignedIn, m.MustChange = true, u.MustChange
	m.User = &MeUser{ID: actor.UserID, Name: actor.Name, PhoneMasked: text.MaskPhone(string(number)), Party: actor.Party}
	m.Permissions = append(m.Permissions, actor.Permissions...)
	if s.Deputies != nil && actor.Party != access.Enterprise {
		rights, err := s.Deputies.Deputed(ctx, s.DB.Read(), actor)
		if err != nil {
			return m, err
		}
		m.Deputed = append(m.Deputed, rights...)
	}
	if actor.EnterpriseID != 0 {
		c, err := s.Companies.Company(ctx, s.DB.Read(), actor.EnterpriseID)
		if err != nil {
			return m, err
		}
		m.Enterprise = &c
	}
	if actor.InstitutionID != 0 && s.Institutions != nil {
		name, err := s.Institutions.InstitutionName(ctx, s.DB.Read(), actor.InstitutionID)
		if err != nil {
			return m, err
		}
		m.Institution = &Named{actor.InstitutionID, name}
	}
	if actor.DepartmentID != 0 {
		m.Department = &Named{actor.DepartmentID, actor.DepartmentName}
	}
	return m, nil
}
