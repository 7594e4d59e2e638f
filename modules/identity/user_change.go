package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/text"
)

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
			return fault.ErrChanged.With("账号“%s”已有变化：%s于%s“%s”，请刷新后再办理", u.Name, e.By(), clock.Show(e.At), f.Change)
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
		if number != "" && !slices.Contains(s.Box.Blinds("phone", number), u.PhoneBlind) {
			fresh := s.newUser(number, name, u.Party, u.CreatedAt)
			if err := s.unused(ctx, tx, "", fresh.Phone); err != nil {
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
