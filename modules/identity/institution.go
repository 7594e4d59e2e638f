package identity

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
)

// administratorRole is the role of an institution's administrator.
const administratorRole = "institution_admin"

// ErrHasCompany: a person of a company that is verified or being verified cannot leave it for an institution.
var ErrHasCompany = fault.New(fault.Conflict, "HAS_COMPANY", "您的账号代表已认证或正在认证的企业办事，不能改作机构账号。请用另一个手机号注册后申请入驻")

// MayAdminister returns nil when a person of a company can become the administrator of an institution who signs in with the
// account: the name is well formed and free, and none of their companies is verified or being verified. Otherwise ErrAccountTaken at
// "account", ErrHasCompany, or fault.ErrNotFound for somebody who is staff.
func (s *Service) MayAdminister(ctx context.Context, db bun.IDB, userID int64, account string) error {
	if !accountShape.MatchString(account) {
		return errAccountShape
	}
	var u user
	if err := db.NewSelect().Model(&u).Where("id = ? AND party = ? AND disabled_at IS NULL", userID, access.Enterprise).Scan(ctx); err != nil {
		return database.Found(err)
	}
	taken, err := db.NewSelect().Model((*user)(nil)).Where("account = ? AND id <> ?", account, userID).Exists(ctx)
	if err != nil {
		return err
	}
	if taken {
		return ErrAccountTaken.With("账号“%s”已被使用，请更换", account).On("account")
	}
	// Whichever of their companies they act for at the moment: it would lose its person.
	if counted, err := s.Companies.Counted(ctx, db, userID); err != nil {
		return err
	} else if counted {
		return ErrHasCompany
	}
	return nil
}

var errAccountShape = fault.InvalidField("account", "BAD_ACCOUNT", "账号为 3 至 32 位的小写字母、数字、点、横线或下划线，以字母开头")

// FirstPassword makes a password for an account that is about to be opened, and its hash. It is to be shown once; with the
// same key of the same actor it is the same.
func (s *Service) FirstPassword(ctx context.Context, actor access.Actor, key, account string) (password, hash string, err error) {
	password = s.temporaryPassword(actor, key, account)
	hash, err = s.Box.HashPassword(ctx, password)
	return password, hash, err
}

// Administer makes a person of a company the administrator of an institution, in the caller's transaction: from then on they
// are its staff, sign in with account and password, and act for no company. Their sessions end. The caller has established
// that they may; errors as MayAdminister.
func (s *Service) Administer(ctx context.Context, tx bun.Tx, actor access.Actor, userID, institutionID int64, account, hash string) error {
	if err := s.MayAdminister(ctx, tx, userID, account); err != nil {
		return err
	}
	u, err := lockUser(ctx, tx, userID)
	if err != nil {
		return err
	}
	u.Party, u.EnterpriseID, u.Account, u.PasswordHash, u.MustChange = access.Institution, nil, &account, hash, true
	if err := s.place(ctx, tx, &u, 0, institutionID); err != nil {
		return err
	}
	read := u.Version
	u.Version++
	err = database.Changed(tx.NewUpdate().Model(&u).Where("id = ? AND version = ? AND party = ?", u.ID, read, access.Enterprise).
		Column("party", "account", "password_hash", "must_change", "enterprise_id", "institution_id", "version").Exec(ctx))
	if database.IsDuplicate(err) {
		return ErrAccountTaken.On("account").Wrap(err)
	} else if err != nil {
		return err
	}
	if _, err := tx.NewDelete().Model((*userRole)(nil)).Where("user_id = ?", u.ID).Exec(ctx); err != nil {
		return err
	}
	if err := grant(ctx, tx, actor, u, administratorRole); err != nil {
		return err
	}
	if err := s.endSessions(ctx, tx, u.ID, 0); err != nil {
		return err
	}
	return s.note(ctx, tx, actor, u, "identity.administer", "转为机构管理员", map[string]any{"institutionId": institutionID})
}

// OperatorsOf lists the people of an institution, those who were there first before the others.
func (s *Service) OperatorsOf(ctx context.Context, db bun.IDB, institutionID int64) ([]UserItem, error) {
	var rows []user
	if err := db.NewSelect().Model(&rows).Where("u.party = ? AND u.institution_id = ?", access.Institution, institutionID).OrderExpr("u.id").Limit(500).Scan(ctx); err != nil {
		return nil, err
	}
	return s.userItems(ctx, db, rows)
}

// InstitutionRoles lists the roles that an institution's people may have.
func (s *Service) InstitutionRoles(ctx context.Context, db bun.IDB) ([]RoleName, error) {
	var rows []role
	if err := db.NewSelect().Model(&rows).Where("r.party = ?", access.Institution).OrderExpr("r.custom, r.id DESC").Scan(ctx); err != nil {
		return nil, err
	}
	list := make([]RoleName, 0, len(rows))
	for _, r := range rows {
		list = append(list, RoleName{r.Code, r.Name})
	}
	return list, nil
}

// OpenOperator opens the account of a person of an institution in the caller's transaction. The caller has established that
// the actor keeps the accounts of that institution. The role must be one of InstitutionRoles.
func (s *Service) OpenOperator(ctx context.Context, tx bun.Tx, actor access.Actor, institutionID int64, cmd NewUser, hash string) (int64, error) {
	account := strings.ToLower(strings.TrimSpace(cmd.Account))
	if !accountShape.MatchString(account) {
		return 0, errAccountShape
	}
	u := s.newUser(cmd.Phone, cmd.Name, access.Institution, s.Clock.Now())
	u.Account, u.PasswordHash, u.MustChange = &account, hash, true
	cmd.InstitutionID = institutionID
	return s.openAccount(ctx, tx, actor, u, cmd)
}

// SwitchOperator disables the account of a person of an institution or lets it in again, in the caller's transaction. The
// caller has established that the actor keeps the accounts of that institution. An account that is not of it is
// fault.ErrNotFound, the actor's own ErrSelf.
func (s *Service) SwitchOperator(ctx context.Context, tx bun.Tx, actor access.Actor, institutionID int64, ref UserRef, on bool, reason string) error {
	u, err := lockUser(ctx, tx, ref.ID)
	if err != nil {
		return err
	}
	switch {
	case u.Party != access.Institution || u.InstitutionID == nil || *u.InstitutionID != institutionID:
		return fault.ErrNotFound
	case u.ID == actor.UserID:
		return ErrSelf
	case u.Version != ref.Version:
		return staleUser(ctx, tx, u)
	case on == (u.DisabledAt == nil):
		return fault.New(fault.Conflict, "USER_STATE", "账号状态已有变化，请刷新")
	}
	now := s.Clock.Now()
	action, change := "identity.user_enable", "启用账号"
	u.DisabledAt = nil
	if !on {
		action, change, u.DisabledAt = "identity.user_disable", "停用账号", &now
		if err := s.endSessions(ctx, tx, u.ID, 0); err != nil {
			return err
		}
	}
	u.Version++
	err = database.Changed(tx.NewUpdate().Model(&u).Where("id = ? AND version = ?", u.ID, ref.Version).Column("disabled_at", "version").Exec(ctx))
	if err != nil {
		return err
	}
	return s.note(ctx, tx, actor, u, action, change, map[string]string{"reason": reason})
}
