package identity

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// exclusive are the rights of the three administrators, whose powers nobody joins (GB/T 22239-2019 8.1.4.2 d).
var exclusive = []access.Permission{"identity.users", "identity.roles", "audit.view"}

// Faults of editing roles.
var (
	ErrRolesExclusive = fault.New(fault.Invalid, "ROLES_EXCLUSIVE", "系统、安全、审计三类管理员不能由同一人兼任，“管理账号”“编辑角色”“查看审计日志”也不能合在一起")
	ErrOwnRole        = fault.New(fault.Conflict, "OWN_ROLE", "您自己担任这个角色，不能修改它的权限，请由其他安全管理员办理")
	ErrLastHolder     = fault.New(fault.Conflict, "LAST_HOLDER", "这样将没有人能够办理，请先让其他人担任")
)

// joins reports whether the rights hold powers of more than one of the three administrators.
func joins(rights []access.Permission) bool {
	n := 0
	for _, p := range exclusive {
		if slices.Contains(rights, p) {
			n++
		}
	}
	return n > 1
}

// lockRoles keeps roles and who holds them as they are until the transaction ends: what is checked over several roles
// cannot be undone by somebody who edits another one.
func lockRoles(ctx context.Context, tx bun.Tx) error {
	if database.KindOf(tx) != database.Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SELECT id FROM roles ORDER BY id FOR UPDATE")
	return err
}

// grant adds roles to a person. Only the system may give roles of another party.
func grant(ctx context.Context, tx bun.Tx, actor access.Actor, u user, codes ...string) error {
	if u.Party.Staff() { // a company's people hold no powers that could join
		if err := lockRoles(ctx, tx); err != nil {
			return err
		}
	}
	for _, code := range codes {
		var r role
		if err := database.Found(tx.NewSelect().Model(&r).Where("code = ?", code).Scan(ctx)); fault.KindOf(err) == fault.NotFound {
			return fault.InvalidField("roles", "UNKNOWN_ROLE", "包含不存在的角色，请刷新页面后重新选择")
		} else if err != nil {
			return fmt.Errorf("role %s: %w", code, err)
		}
		if r.Party != u.Party && actor.Party != access.System {
			return fault.InvalidField("roles", "ROLE_OF_OTHERS", "角色“"+r.Name+"”不适用于这类人员，请重新选择")
		}
		if _, err := tx.NewInsert().Model(&userRole{UserID: u.ID, RoleID: r.ID}).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
	}
	if !u.Party.Staff() {
		return nil
	}
	var rights []access.Permission
	if err := tx.NewSelect().Model((*rolePermission)(nil)).ColumnExpr("permission").
		Where("role_id IN (SELECT ur.role_id FROM user_roles AS ur WHERE ur.user_id = ?)", u.ID).Scan(ctx, &rights); err != nil {
		return err
	}
	if joins(rights) {
		return ErrRolesExclusive.On("roles")
	}
	return nil
}

// held counts who can do each of the exclusive things.
func held(ctx context.Context, tx bun.Tx) (map[access.Permission]int, error) {
	var rows []struct {
		Permission access.Permission
		N          int
	}
	err := tx.NewSelect().TableExpr("role_permissions AS rp").Join("JOIN user_roles AS ur ON ur.role_id = rp.role_id").Join("JOIN users AS u ON u.id = ur.user_id").
		ColumnExpr("rp.permission AS permission, count(DISTINCT u.id) AS n").
		Where("rp.permission IN ? AND u.disabled_at IS NULL", bun.Tuple(exclusive)).GroupExpr("rp.permission").Scan(ctx, &rows)
	counts := map[access.Permission]int{}
	for _, r := range rows {
		counts[r.Permission] = r.N
	}
	return counts, err
}

// keepingHolders runs fn and refuses it when afterwards nobody is left for one of the exclusive things.
func (s *Service) keepingHolders(ctx context.Context, tx bun.Tx, fn func() error) error {
	if err := lockRoles(ctx, tx); err != nil {
		return err
	}
	before, err := held(ctx, tx)
	if err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	after, err := held(ctx, tx)
	if err != nil {
		return err
	}
	for _, p := range exclusive {
		if before[p] > 0 && after[p] == 0 {
			return ErrLastHolder.With("这样将没有人能够“%s”，请先让其他人担任", s.label(p))
		}
	}
	return nil
}

func (s *Service) label(p access.Permission) string {
	for _, i := range s.Deps.Permissions {
		if i.Name == p {
			return i.Label
		}
	}
	return string(p)
}

// EnsureRoles makes the built-in roles that are missing, and gives those that exist the permissions that this release adds
// to them, with a line in the audit log. What an administrator has taken from a role is not given again.
func (s *Service) EnsureRoles(ctx context.Context) error {
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, b := range s.Deps.Roles {
			if err := s.ensureRole(ctx, tx, b); err != nil {
				return fmt.Errorf("role %s: %w", b.Code, err)
			}
		}
		return nil
	})
}

func (s *Service) ensureRole(ctx context.Context, tx bun.Tx, b BuiltinRole) error {
	r := role{Code: b.Code, Name: b.Name, Party: b.Party, Scope: b.Scope, Version: 1}
	res, err := tx.NewInsert().Model(&r).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return err
	}
	made, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if err := tx.NewSelect().Model(&r).Where("code = ?", b.Code).Scan(ctx); err != nil {
		return err
	}
	var known []access.Permission
	if err := tx.NewSelect().Model((*roleDefault)(nil)).Column("permission").Where("role_id = ?", r.ID).Scan(ctx, &known); err != nil {
		return err
	}
	added := slices.DeleteFunc(slices.Clone(b.Permissions), func(p access.Permission) bool { return slices.Contains(known, p) })
	if len(added) == 0 {
		return nil
	}
	for _, p := range added {
		if _, err := tx.NewInsert().Model(&roleDefault{RoleID: r.ID, Permission: p}).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&rolePermission{RoleID: r.ID, Permission: p}).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
	}
	if made > 0 {
		return nil
	}
	if err := database.Changed(tx.NewUpdate().Model((*role)(nil)).Set("version = version + 1").Where("id = ?", r.ID).Exec(ctx)); err != nil {
		return err
	}
	return audit.Write(ctx, tx, access.SystemActor("upgrade"), s.Clock.Now(), audit.Record{
		Action: "identity.role", Object: "role", ObjectID: r.ID, Summary: "系统升级，角色“" + r.Name + "”增加权限", Detail: map[string]any{"added": added},
	})
}

func setRights(ctx context.Context, tx bun.Tx, roleID int64, rights []access.Permission) error {
	if _, err := tx.NewDelete().Model((*rolePermission)(nil)).Where("role_id = ?", roleID).Exec(ctx); err != nil {
		return err
	}
	for _, p := range rights {
		if _, err := tx.NewInsert().Model(&rolePermission{RoleID: roleID, Permission: p}).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// RoleView is a role as it is edited.
type RoleView struct {
	Code        string              `json:"code"`
	Name        string              `json:"name"`
	Party       access.Party        `json:"party"`
	Scope       access.Scope        `json:"scope"`
	Custom      bool                `json:"custom" doc:"Made by an administrator, not by the program."`
	Version     int64               `json:"version"`
	Holders     int                 `json:"holders" doc:"People who have it."`
	Mine        bool                `json:"mine" doc:"The asker has it and therefore cannot edit it."`
	Permissions []access.Permission `json:"permissions"`
}

// Roles lists the roles with their permissions. It needs identity.roles, or identity.users to choose from.
func (s *Service) Roles(ctx context.Context, actor access.Actor) ([]RoleView, error) {
	if actor.Need("identity.roles") != nil {
		if err := actor.Need("identity.users"); err != nil {
			return nil, err
		}
	}
	return s.roleViews(ctx, s.DB.Read(), actor, "")
}

func (s *Service) roleViews(ctx context.Context, db bun.IDB, actor access.Actor, code string) ([]RoleView, error) {
	var rows []role
	q := db.NewSelect().Model(&rows).OrderExpr("id")
	if code != "" {
		q = q.Where("code = ?", code)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, err
	}
	var rights []rolePermission
	if err := db.NewSelect().Model(&rights).OrderExpr("permission").Scan(ctx); err != nil {
		return nil, err
	}
	var holders []struct {
		RoleID  int64
		N, Mine int
	}
	err := db.NewSelect().TableExpr("user_roles").ColumnExpr("role_id, count(*) AS n, sum(CASE WHEN user_id = ? THEN 1 ELSE 0 END) AS mine", actor.UserID).
		GroupExpr("role_id").Scan(ctx, &holders)
	if err != nil {
		return nil, err
	}
	views := make([]RoleView, 0, len(rows))
	for _, r := range rows {
		v := RoleView{Code: r.Code, Name: r.Name, Party: r.Party, Scope: r.Scope, Custom: r.Custom, Version: r.Version, Permissions: []access.Permission{}}
		for _, p := range rights {
			if p.RoleID == r.ID {
				v.Permissions = append(v.Permissions, p.Permission)
			}
		}
		for _, h := range holders {
			if h.RoleID == r.ID {
				v.Holders, v.Mine = h.N, h.Mine > 0 && actor.UserID != 0
			}
		}
		views = append(views, v)
	}
	return views, nil
}

func (s *Service) roleView(ctx context.Context, db bun.IDB, actor access.Actor, code string) (RoleView, error) {
	views, err := s.roleViews(ctx, db, actor, code)
	if err != nil {
		return RoleView{}, err
	}
	if len(views) == 0 {
		return RoleView{}, fault.ErrNotFound
	}
	return views[0], nil
}

// checkRights refuses rights that do not exist, that nobody may join, or that a party other than the platform has no
// business with.
func (s *Service) checkRights(party access.Party, rights []access.Permission) error {
	for _, p := range rights {
		if !slices.ContainsFunc(s.Deps.Permissions, func(i access.Info) bool { return i.Name == p }) {
			return fault.InvalidField("permissions", "UNKNOWN_PERMISSION", "包含不存在的权限，请刷新页面后重新选择")
		}
		if slices.Contains(exclusive, p) && party != access.Platform {
			return fault.InvalidField("permissions", "PLATFORM_ONLY", "“"+s.label(p)+"”只能给平台人员的角色")
		}
	}
	if joins(rights) {
		return ErrRolesExclusive.On("permissions")
	}
	return nil
}

// EditRole asks to replace a role's permissions.
type EditRole struct {
	Code        string
	Version     int64 // the version the actor saw
	Key         string
	Permissions []access.Permission
}

// EditRole replaces a role's permissions, effective with the next request of everybody who has it. It needs
// identity.roles; it refuses permissions that do not exist or join the powers of the three administrators, in this role
// or in the hands of somebody who has it, a role the actor has, and a change after which nobody is left to administer.
func (s *Service) EditRole(ctx context.Context, actor access.Actor, cmd EditRole) (RoleView, error) {
	if err := actor.Need("identity.roles"); err != nil {
		return RoleView{}, err
	}
	var view RoleView
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var err error
		view, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "identity.role", Key: cmd.Key, Request: cmd, Now: s.Clock.Now()}, func() (RoleView, error) {
			err := s.keepingHolders(ctx, tx, func() error { return s.editRole(ctx, tx, actor, cmd) })
			if err != nil {
				return RoleView{}, err
			}
			return s.roleView(ctx, tx, actor, cmd.Code)
		})
		return err
	})
	return view, err
}

func (s *Service) editRole(ctx context.Context, tx bun.Tx, actor access.Actor, cmd EditRole) error {
	before, err := s.roleView(ctx, tx, actor, cmd.Code)
	if err != nil {
		return err
	}
	if before.Mine {
		return ErrOwnRole
	}
	if err := s.checkRights(before.Party, cmd.Permissions); err != nil {
		return err
	}
	if before.Version != cmd.Version {
		return fault.ErrChanged.With("角色“%s”的权限刚刚被他人修改，请刷新后在最新内容上重新修改", before.Name)
	}
	var r role
	if err := tx.NewSelect().Model(&r).Where("code = ?", cmd.Code).Scan(ctx); err != nil {
		return database.Found(err)
	}
	if err := database.Changed(tx.NewUpdate().Model((*role)(nil)).Set("version = version + 1").Where("id = ? AND version = ?", r.ID, cmd.Version).Exec(ctx)); err != nil {
		return err
	}
	if err := setRights(ctx, tx, r.ID, cmd.Permissions); err != nil {
		return err
	}
	if err := nobodyJoins(ctx, tx, r.ID); err != nil {
		return err
	}
	var detail struct {
		Added   []access.Permission `json:"added"`
		Removed []access.Permission `json:"removed"`
	}
	for _, p := range cmd.Permissions {
		if !slices.Contains(before.Permissions, p) {
			detail.Added = append(detail.Added, p)
		}
	}
	for _, p := range before.Permissions {
		if !slices.Contains(cmd.Permissions, p) {
			detail.Removed = append(detail.Removed, p)
		}
	}
	return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "identity.role", Object: "role", ObjectID: r.ID,
		Summary: "修改角色“" + r.Name + "”的权限", Detail: detail})
}

// nobodyJoins refuses when somebody who has the role holds powers of two of the three administrators.
func nobodyJoins(ctx context.Context, tx bun.Tx, roleID int64) error {
	var names []string
	err := tx.NewSelect().TableExpr("user_roles AS mine").Join("JOIN users AS u ON u.id = mine.user_id").Join("JOIN user_roles AS ur ON ur.user_id = mine.user_id").
		Join("JOIN role_permissions AS rp ON rp.role_id = ur.role_id").ColumnExpr("u.name").
		Where("mine.role_id = ? AND rp.permission IN ?", roleID, bun.Tuple(exclusive)).
		GroupExpr("u.id, u.name").Having("count(DISTINCT rp.permission) > 1").OrderExpr("u.id").Limit(3).Scan(ctx, &names)
	if err != nil || len(names) == 0 {
		return err
	}
	return ErrRolesExclusive.With("%s还担任其他角色，这样会兼有系统、安全、审计管理员的权力，请先调整他们的角色", strings.Join(names, "、")).On("permissions")
}

// NewRole is a role that an administrator makes.
type NewRole struct {
	Key         string
	Name        string
	Party       access.Party
	Scope       access.Scope
	Permissions []access.Permission
}

// scopesOf are the scopes a role of the party may have.
var scopesOf = map[access.Party][]access.Scope{
	access.Platform:    {access.ScopeDistrict},
	access.Government:  {access.ScopeDepartment, access.ScopeSubtree, access.ScopeDistrict},
	access.Institution: {access.ScopeSelf},
}

// CreateRole makes a role of one's own. It needs identity.roles and refuses what EditRole refuses.
func (s *Service) CreateRole(ctx context.Context, actor access.Actor, cmd NewRole) (RoleView, error) {
	if err := actor.Need("identity.roles"); err != nil {
		return RoleView{}, err
	}
	name, err := text.Line("name", cmd.Name, 2, 30)
	if err != nil {
		return RoleView{}, err
	}
	if cmd.Party == access.Enterprise {
		return RoleView{}, fault.InvalidField("party", "BAD_PARTY", "请选择角色适用的人员")
	}
	if err := s.CheckRole(cmd); err != nil {
		return RoleView{}, err
	}
	var view RoleView
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Clock.Now()
		var err error
		view, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "identity.role_create", Key: cmd.Key, Request: cmd, Now: now}, func() (RoleView, error) {
			if err := lockRoles(ctx, tx); err != nil {
				return RoleView{}, err
			}
			taken, err := tx.NewSelect().Model((*role)(nil)).Where("name = ?", name).Exists(ctx)
			if err != nil {
				return RoleView{}, err
			}
			if taken {
				return RoleView{}, fault.New(fault.Conflict, "ROLE_EXISTS", "已有名为“"+name+"”的角色，请换一个名称").On("name")
			}
			r := role{Code: "custom_" + strings.ToLower(rand.Text()[:10]), Name: name, Party: cmd.Party, Scope: cmd.Scope, Version: 1, Custom: true}
			if _, err := tx.NewInsert().Model(&r).Returning("id").Exec(ctx); err != nil {
				return RoleView{}, err
			}
			if err := setRights(ctx, tx, r.ID, cmd.Permissions); err != nil {
				return RoleView{}, err
			}
			err = audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.role_create", Object: "role", ObjectID: r.ID,
				Summary: "新建角色“" + name + "”", Detail: cmd.Permissions})
			if err != nil {
				return RoleView{}, err
			}
			return s.roleView(ctx, tx, actor, r.Code)
		})
		return err
	})
	return view, err
}
