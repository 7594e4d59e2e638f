package identity

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
)

// SessionView is one place where a person is signed in.
type SessionView struct {
	ID        int64     `json:"id"`
	Device    string    `json:"device" doc:"Program and system, in Chinese."`
	IP        string    `json:"ip"`
	CreatedAt time.Time `json:"createdAt"`
	SeenAt    time.Time `json:"seenAt"`
	Current   bool      `json:"current"`
}

// sessions lists where a person is signed in now, last used first.
func (s *Service) sessions(ctx context.Context, db bun.IDB, u user, current int64) ([]SessionView, error) {
	_, idle := sessionLife(u.Party)
	now := s.Clock.Now()
	var rows []session
	err := db.NewSelect().Model(&rows).Where("user_id = ? AND NOT pending AND revoked_at IS NULL AND expires_at > ? AND seen_at >= ?", u.ID, now, now.Add(-idle)).
		OrderExpr("seen_at DESC, id DESC").Limit(100).Scan(ctx)
	views := make([]SessionView, 0, len(rows))
	for _, r := range rows {
		views = append(views, SessionView{ID: r.ID, Device: device(r.UserAgent), IP: r.IP, CreatedAt: r.CreatedAt.UTC(), SeenAt: r.SeenAt.UTC(), Current: r.ID == current})
	}
	return views, err
}

// device names the program and the system of a browser, as far as people can tell them apart.
func device(userAgent string) string {
	find := func(names [][2]string) string {
		for _, n := range names {
			if strings.Contains(userAgent, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	program := find([][2]string{{"MicroMessenger", "微信"}, {"360SE", "360 浏览器"}, {"QQBrowser", "QQ 浏览器"}, {"Edg", "Edge"}, {"Firefox", "Firefox"},
		{"Chrome", "Chrome"}, {"Safari", "Safari"}, {"Trident", "IE"}, {"MSIE", "IE"}})
	system := find([][2]string{{"HarmonyOS", "鸿蒙"}, {"OpenHarmony", "鸿蒙"}, {"iPhone", "苹果手机"}, {"iPad", "苹果平板"}, {"Android", "安卓"}, {"Windows", "Windows"},
		{"Mac OS X", "苹果电脑"}, {"Linux", "Linux"}})
	switch {
	case program == "" && system == "":
		return "未知设备"
	case program == "":
		return system
	case system == "":
		return program
	}
	return program + "（" + system + "）"
}

// AccountView is a person's own account, as they manage it themself.
type AccountView struct {
	Name        string        `json:"name"`
	Account     string        `json:"account"`
	PhoneMasked string        `json:"phoneMasked"`
	Party       access.Party  `json:"party"`
	Place       string        `json:"place" doc:"Department, institution or company."`
	Roles       []RoleName    `json:"roles"`
	HasPassword bool          `json:"hasPassword"`
	MustChange  bool          `json:"mustChange" doc:"The password was made by an administrator; until it is changed nothing else can be done."`
	Wechat      string        `json:"wechat" enum:"off,unbound,bound" doc:"off: signing in with WeChat is not offered to this person."`
	Sessions    []SessionView `json:"sessions"`
}

// Account returns the actor's own account.
func (s *Service) Account(ctx context.Context, actor access.Actor) (AccountView, error) {
	if actor.UserID == 0 {
		return AccountView{}, fault.ErrUnauthorized
	}
	db := s.DB.Read()
	var u user
	if err := db.NewSelect().Model(&u).Where("id = ?", actor.UserID).Scan(ctx); err != nil {
		return AccountView{}, database.Found(err)
	}
	items, err := s.userItems(ctx, db, []user{u})
	if err != nil {
		return AccountView{}, err
	}
	i := items[0]
	v := AccountView{Name: i.Name, Account: i.Account, PhoneMasked: i.PhoneMasked, Party: i.Party, Roles: i.Roles, HasPassword: u.PasswordHash != "",
		MustChange: u.MustChange, Wechat: "off", Place: i.DepartmentName + i.InstitutionName + i.EnterpriseName}
	if s.Wechat != nil && u.Party == access.Enterprise {
		bound, err := s.wechatBound(ctx, db, u.ID)
		if err != nil {
			return v, err
		}
		v.Wechat = "unbound"
		if bound {
			v.Wechat = "bound"
		}
	}
	v.Sessions, err = s.sessions(ctx, db, u, actor.SessionID)
	return v, err
}

// Faults of changing one's own password.
var (
	ErrCurrentWrong  = fault.InvalidField("current", "PASSWORD_WRONG", "当前密码不正确；连续输错 5 次账号会锁定 15 分钟")
	ErrCurrentLocked = fault.InvalidField("current", "PASSWORD_LOCKED", "密码输错次数过多，请 15 分钟后再试")
	ErrSamePassword  = fault.InvalidField("password", "PASSWORD_SAME", "新密码不能与当前密码相同")
)

// ChangePassword replaces the actor's own password and ends their other sessions. The current one is counted like a try
// to sign in.
func (s *Service) ChangePassword(ctx context.Context, actor access.Actor, current, password string) error {
	if actor.UserID == 0 {
		return fault.ErrUnauthorized
	}
	var u user
	if err := s.DB.Read().NewSelect().Model(&u).Where("id = ?", actor.UserID).Scan(ctx); err != nil {
		return database.Found(err)
	}
	if u.PasswordHash == "" || u.Account == nil {
		return ErrNoPassword
	}
	profile := secret.Public
	if u.Party.Staff() {
		profile = secret.Staff
	}
	if err := secret.CheckPassword(profile, password, *u.Account); err != nil {
		return err
	}
	if free, err := s.countTry(ctx, actor, u.ID); err != nil {
		return err
	} else if !free {
		return ErrCurrentLocked
	}
	right, _, err := s.Box.VerifyPassword(ctx, current, u.PasswordHash)
	if err != nil {
		return err
	}
	if !right {
		return ErrCurrentWrong
	}
	if current == password {
		return ErrSamePassword
	}
	hash, err := s.Box.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		// Only over the password that was shown: an administrator may have reset it meanwhile.
		err := database.Changed(tx.NewUpdate().Model((*user)(nil)).Set("password_hash = ?, must_change = ?, failed = 0, locked_until = NULL", hash, false).
			Where("id = ? AND password_hash = ?", u.ID, u.PasswordHash).Exec(ctx))
		if err != nil {
			return err
		}
		if err := s.endSessions(ctx, tx, u.ID, actor.SessionID); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "identity.password", Object: "user", ObjectID: u.ID, Summary: "修改自己的密码"})
	})
}

// EndOtherSessions signs the actor out everywhere else.
func (s *Service) EndOtherSessions(ctx context.Context, actor access.Actor) error {
	if actor.UserID == 0 {
		return fault.ErrUnauthorized
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.endSessions(ctx, tx, actor.UserID, actor.SessionID); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, s.Clock.Now(), audit.Record{Action: "identity.sign_out_others", Object: "user", ObjectID: actor.UserID, Summary: "结束其他设备上的登录"})
	})
}
