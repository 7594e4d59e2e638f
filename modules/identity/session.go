package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/phone"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/text"
)

// Begun is a session that has just begun. Pending means that the second factor is still due.
type Begun struct {
	Token   string
	Expires time.Time
	Pending bool
	SentTo  string // where the second factor's code went, masked
	UserID  int64
	Notice  string // something to tell the person once, beside that they are in
}

// Registered is announced when a person registers.
type Registered struct {
	UserID       int64 `json:"userId"`
	EnterpriseID int64 `json:"enterpriseId"`
}

// Event names the fact.
func (r Registered) Event() (string, string, int64) { return "identity.registered", "user", r.UserID }

// Register is what a company's person types to register (A1).
type Register struct {
	Phone, Code, CompanyName, ContactName string
	Consent                               bool
}

// Register makes the person, their unverified company and a session, or nothing. It returns ErrPhoneRegistered only
// after the code was right, so that nobody learns who is registered.
func (s *Service) Register(ctx context.Context, actor access.Actor, cmd Register) (Begun, error) {
	number, err := phone.Normalize(cmd.Phone)
	if err != nil {
		return Begun{}, err
	}
	company, err := text.Line("companyName", cmd.CompanyName, 1, 100)
	if err != nil {
		return Begun{}, err
	}
	contact, err := text.Line("contactName", cmd.ContactName, 1, 30)
	if err != nil {
		return Begun{}, err
	}
	if !cmd.Consent {
		return Begun{}, ErrConsent
	}
	var begun Begun
	err = s.withCode(ctx, number, ForRegister, cmd.Code, func(ctx context.Context, tx bun.Tx) error {
		now := s.Clock.Now()
		u := s.newUser(number, contact, access.Enterprise, now)
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
		who := actor
		who.UserID, who.Name, who.Party = u.ID, u.Name, u.Party
		id, err := s.Companies.OpenUnverified(ctx, tx, who, company, u.ID)
		if err != nil {
			return err
		}
		u.EnterpriseID = &id
		if _, err := tx.NewUpdate().Model(&u).Column("enterprise_id").WherePK().Exec(ctx); err != nil {
			return err
		}
		if err := grant(ctx, tx, who, u, ownerRole); err != nil {
			return err
		}
		if _, err := event.Append(ctx, tx, who, now, Registered{UserID: u.ID, EnterpriseID: id}); err != nil {
			return err
		}
		if err := audit.Write(ctx, tx, who, now, audit.Record{Action: "identity.register", Object: "user", ObjectID: u.ID,
			Summary: "注册企业账号并同意个人信息保护说明"}); err != nil {
			return err
		}
		if s.Arrivals != nil {
			if err := s.Arrivals.Registered(ctx, tx, who, u.ID, id); err != nil {
				return err
			}
		}
		notice, err := s.claimWechat(ctx, tx, who)
		if err != nil {
			return err
		}
		begun, err = s.begin(ctx, tx, who, u, beginning{notice: notice})
		return err
	})
	return begun, err
}

func (s *Service) newUser(number, name string, party access.Party, now time.Time) user {
	return user{Name: name, Party: party, CreatedAt: now, Version: 1, Phone: s.Box.Seal([]byte(number), phonePlace),
		PhoneBlind: s.Box.Blind("phone", number), PhoneTail: s.Box.BlindTail(number)}
}

// taken reports whether the number is an account's. The unique index alone does not see what is kept under an older key.
func (s *Service) taken(ctx context.Context, tx bun.Tx, number string) (bool, error) {
	return tx.NewSelect().Model((*user)(nil)).Where("phone_blind IN ?", bun.Tuple(s.Box.Blinds("phone", number))).Exists(ctx)
}

// beginning is how a session begins.
type beginning struct {
	pending bool   // the second factor is still due
	by      string // of the audit log; "" is 登录
	notice  string
}

// begin makes the session's row; the token itself is kept nowhere.
func (s *Service) begin(ctx context.Context, tx bun.Tx, actor access.Actor, u user, how beginning) (Begun, error) {
	now := s.Clock.Now()
	life, _ := sessionLife(u.Party)
	if how.pending {
		life = 10 * time.Minute
	}
	b := Begun{Token: secret.Token(), Expires: now.Add(life), Pending: how.pending, UserID: u.ID, Notice: how.notice}
	row := session{TokenHash: s.Box.HashToken(b.Token), UserID: u.ID, Pending: how.pending, IP: actor.IP, UserAgent: cut(actor.UserAgent, 300),
		CreatedAt: now, SeenAt: now, ExpiresAt: b.Expires}
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return Begun{}, fmt.Errorf("begin session: %w", err)
	}
	actor.UserID, actor.Name, actor.Party = u.ID, u.Name, u.Party
	summary := "登录"
	switch {
	case how.pending:
		summary = "密码验证通过，等待短信验证"
	case how.by != "":
		summary = how.by
	}
	return b, audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.sign_in", Object: "user", ObjectID: u.ID, Summary: summary})
}

// cut keeps the first n bytes of what a client sent, without what PostgreSQL would refuse.
func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// SignInBySMS signs a registered person of a company in with a code.
func (s *Service) SignInBySMS(ctx context.Context, actor access.Actor, rawPhone, code string) (Begun, error) {
	number, err := phone.Normalize(rawPhone)
	if err != nil {
		return Begun{}, err
	}
	var begun Begun
	err = s.withCode(ctx, number, ForSignIn, code, func(ctx context.Context, tx bun.Tx) error {
		var u user
		err := database.Found(tx.NewSelect().Model(&u).Where("phone_blind IN ? AND disabled_at IS NULL", bun.Tuple(s.Box.Blinds("phone", number))).Scan(ctx))
		if fault.KindOf(err) == fault.NotFound {
			return ErrNotRegistered
		}
		if err != nil {
			return err
		}
		if u.Party.Staff() {
			return ErrStaffPassword
		}
		who := actor
		who.UserID, who.Name, who.Party = u.ID, u.Name, u.Party
		notice, err := s.claimWechat(ctx, tx, who)
		if err != nil {
			return err
		}
		begun, err = s.begin(ctx, tx, actor, u, beginning{notice: notice})
		return err
	})
	return begun, err
}

// SignIn is the way in with a password.
type SignIn struct {
	Account, Password, CaptchaID, CaptchaAnswer string
}

// decoy is verified when the account does not exist, so that both take the same time.
const decoy = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// SignInByPassword checks account and password after the captcha, and sends staff the second factor's code. The same
// answer comes for an unknown account, a wrong password and a locked account; five wrong ones lock it for 15 minutes.
func (s *Service) SignInByPassword(ctx context.Context, actor access.Actor, cmd SignIn) (Begun, error) {
	if err := s.spendCaptcha(ctx, cmd.CaptchaID, cmd.CaptchaAnswer); err != nil {
		return Begun{}, err
	}
	var u user
	err := database.Found(s.DB.Read().NewSelect().Model(&u).Where("account = ? AND disabled_at IS NULL", cmd.Account).Scan(ctx))
	known := err == nil
	if !known && fault.KindOf(err) != fault.NotFound {
		return Begun{}, err
	}
	hash := decoy
	if known {
		free, err := s.countTry(ctx, actor, u.ID)
		if err != nil {
			return Begun{}, err
		}
		if free && u.PasswordHash != "" {
			hash = u.PasswordHash // a locked account is answered like an unknown one
		}
	}
	right, outdated, err := s.Box.VerifyPassword(ctx, cmd.Password, hash)
	if err != nil && (known || errors.Is(err, secret.ErrHashBusy)) {
		return Begun{}, err // a busy moment must not tell accounts apart either
	}
	if !known || !right || hash == decoy {
		return Begun{}, ErrWrongPassword
	}
	if outdated {
		if err := s.rehash(ctx, u, cmd.Password); err != nil {
			return Begun{}, err
		}
	}
	var begun Begun
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model((*user)(nil)).Set("failed = 0").Set("locked_until = NULL").Where("id = ?", u.ID).Exec(ctx); err != nil {
			return err
		}
		var err error
		if begun, err = s.begin(ctx, tx, actor, u, beginning{pending: u.Party.Staff()}); err != nil || !u.Party.Staff() {
			return err
		}
		number, err := s.Box.Open(u.Phone, phonePlace)
		if err != nil {
			return err
		}
		begun.SentTo = text.MaskPhone(string(number))
		err = s.sendCode(ctx, tx, actor, string(number), ForSecondFactor)
		if errors.Is(err, ErrCodeTooSoon) {
			return nil // the code of a minute ago still works
		}
		return err
	})
	return begun, err
}

// rehash keeps the password just shown under today's cost, unless it was changed meanwhile.
func (s *Service) rehash(ctx context.Context, u user, password string) error {
	hash, err := s.Box.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*user)(nil)).Set("password_hash = ?", hash).Where("id = ? AND password_hash = ?", u.ID, u.PasswordHash).Exec(ctx)
		return err
	})
}

// countTry counts a try with a password before it is checked, so that parallel guesses cannot pass the limit, and
// reports whether the account may be tried at all. Signing in clears the count.
func (s *Service) countTry(ctx context.Context, actor access.Actor, id int64) (free bool, err error) {
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Clock.Now()
		// A lock that has run out begins a new count.
		if _, err := tx.NewUpdate().Model((*user)(nil)).Set("failed = 0").Set("locked_until = NULL").
			Where("id = ? AND locked_until <= ?", id, now).Exec(ctx); err != nil {
			return err
		}
		res, err := tx.NewUpdate().Model((*user)(nil)).Set("failed = failed + 1").Where("id = ? AND locked_until IS NULL", id).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		free = n == 1
		if _, err := tx.NewUpdate().Model((*user)(nil)).Set("locked_until = ?", now.Add(15*time.Minute)).
			Where("id = ? AND failed >= ? AND locked_until IS NULL", id, passwordTries).Exec(ctx); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.password_try", Object: "user", ObjectID: id, Summary: "输入密码"})
	})
	return free, err
}

// passwordTries is how many passwords may be tried before the account is locked.
const passwordTries = 5

// SecondFactor completes a pending session with the code from the phone. The token is exchanged for a new one.
func (s *Service) SecondFactor(ctx context.Context, actor access.Actor, token, code string) (Begun, error) {
	var row session
	err := database.Found(s.DB.Read().NewSelect().Model(&row).
		Where("token_hash IN ? AND pending AND revoked_at IS NULL AND expires_at > ?", bun.Tuple(s.Box.TokenHashes(token)), s.Clock.Now()).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return Begun{}, ErrNoSecondFactor
	}
	if err != nil {
		return Begun{}, err
	}
	var u user
	if err := s.DB.Read().NewSelect().Model(&u).Where("id = ? AND disabled_at IS NULL", row.UserID).Scan(ctx); err != nil {
		return Begun{}, database.Found(err)
	}
	number, err := s.Box.Open(u.Phone, phonePlace)
	if err != nil {
		return Begun{}, err
	}
	var begun Begun
	err = s.withCode(ctx, string(number), ForSecondFactor, code, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model((*session)(nil)).Set("revoked_at = ?", s.Clock.Now()).Where("id = ?", row.ID).Exec(ctx); err != nil {
			return err
		}
		begun, err = s.begin(ctx, tx, actor, u, beginning{})
		return err
	})
	return begun, err
}

// SignOut ends the actor's session.
func (s *Service) SignOut(ctx context.Context, actor access.Actor) error {
	if actor.SessionID == 0 {
		return nil
	}
	return s.revoke(ctx, actor, actor.SessionID)
}

// Revoke ends one of the actor's own sessions; somebody else's is not found.
func (s *Service) Revoke(ctx context.Context, actor access.Actor, sessionID int64) error {
	if !actor.SignedIn() {
		return fault.ErrUnauthorized
	}
	return s.revoke(ctx, actor, sessionID)
}

func (s *Service) revoke(ctx context.Context, actor access.Actor, id int64) error {
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Clock.Now()
		res, err := tx.NewUpdate().Model((*session)(nil)).Set("revoked_at = ?", now).
			Where("id = ? AND user_id = ? AND revoked_at IS NULL", id, actor.UserID).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return fault.ErrNotFound
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.sign_out", Object: "session", ObjectID: id, Summary: "结束会话"})
	})
}

// Authenticate returns who a session token belongs to, with the rights of this moment. It returns ErrUnauthorized for a
// token that is unknown, ended, expired or pending, and for a disabled user.
func (s *Service) Authenticate(ctx context.Context, token string) (access.Actor, error) {
	now := s.Clock.Now()
	db := s.DB.Read()
	row, u, st, err := sessionOf(ctx, db, s.Box.TokenHashes(token))
	if fault.KindOf(err) == fault.NotFound {
		return access.Actor{}, fault.ErrUnauthorized
	} else if err != nil {
		return access.Actor{}, err
	}
	if !row.good(&u, now) {
		return access.Actor{}, fault.ErrUnauthorized
	}
	if now.Sub(row.SeenAt) > time.Minute {
		err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*session)(nil)).Set("seen_at = ?", now).Where("id = ? AND seen_at < ?", row.ID, now).Exec(ctx)
			return err
		})
		// With a full disk people read on: that they were here is noted when there is room again.
		if err != nil && fault.KindOf(err) != fault.Unavailable {
			return access.Actor{}, err
		}
	}
	a := st.actor(&u, row.ID)
	if u.MustChange {
		a.Permissions = nil // nothing but one's own account until the password is one's own
	}
	return a, nil
}

// sessionOf reads a session, its person and where they stand: what every request asks about, in one statement. The token may
// have been hashed under any of the keys.
func sessionOf(ctx context.Context, db bun.IDB, hashes []string) (row session, u user, st standing, err error) {
	for _, hash := range hashes {
		err = database.Found(database.QueryOne(ctx, db, append([]any{&row.ID, &row.Pending, &row.SeenAt, &row.ExpiresAt, &row.RevokedAt,
			&u.ID, &u.Name, &u.Party, &u.DepartmentID, &u.EnterpriseID, &u.InstitutionID, &u.DisabledAt, &u.MustChange}, st.dest()...),
			`SELECT s.id, s.pending, s.seen_at, s.expires_at, s.revoked_at, u.id, u.name, u.party, u.department_id, u.enterprise_id, u.institution_id, u.disabled_at, u.must_change, `+
				standingColumns+` FROM sessions s JOIN users u ON u.id = s.user_id `+standingJoin+` WHERE s.token_hash = ?`, hash))
		if fault.KindOf(err) != fault.NotFound {
			break
		}
	}
	row.UserID = u.ID
	return row, u, st, err
}

// standing is where a person stands: their department and what their roles let them do.
type standing struct {
	department department
	roles      string // a line for each role: its scope and its permissions
}

const (
	standingColumns = `coalesce(d.id, 0), coalesce(d.name, ''), coalesce(d.l1, 0), coalesce(d.l2, 0), coalesce(d.l3, 0), coalesce(d.l4, 0),
		coalesce((SELECT string_agg(r.scope || coalesce((SELECT ' ' || string_agg(rp.permission, ' ') FROM role_permissions rp WHERE rp.role_id = r.id), ''), ';')
			FROM user_roles ur JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = u.id), '')`
	standingJoin = "LEFT JOIN departments d ON d.id = u.department_id"
)

func (st *standing) dest() []any {
	d := &st.department
	return []any{&d.ID, &d.Name, &d.L1, &d.L2, &d.L3, &d.L4, &st.roles}
}

// actor is the person with the rights of this moment.
func (st *standing) actor(u *user, sessionID int64) access.Actor {
	a := actorOf(u)
	a.SessionID = sessionID
	if st.department.ID != 0 {
		place(&a, st.department)
	}
	var rights []right
	for role := range strings.SplitSeq(st.roles, ";") {
		scope, permissions, _ := strings.Cut(role, " ")
		for p := range strings.SplitSeq(permissions, " ") {
			rights = append(rights, right{access.Scope(scope), access.Permission(p)})
		}
	}
	entitle(&a, rights)
	return a
}

var scopeWidth = map[access.Scope]int{access.ScopeSelf: 1, access.ScopeDepartment: 2, access.ScopeSubtree: 3, access.ScopeDistrict: 4}

func (s *Service) actor(ctx context.Context, db bun.IDB, u user, sessionID int64) (access.Actor, error) {
	var st standing
	err := database.QueryOne(ctx, db, st.dest(), "SELECT "+standingColumns+" FROM users u "+standingJoin+" WHERE u.id = ?", u.ID)
	return st.actor(&u, sessionID), database.Found(err)
}

// actorOf is the user without place and rights.
func actorOf(u *user) access.Actor {
	a := access.Actor{UserID: u.ID, Name: u.Name, Party: u.Party}
	if u.EnterpriseID != nil {
		a.EnterpriseID = *u.EnterpriseID
	}
	if u.InstitutionID != nil {
		a.InstitutionID = *u.InstitutionID
	}
	return a
}

func place(a *access.Actor, d department) {
	a.DepartmentID, a.DepartmentName, a.DepartmentPath = d.ID, d.Name, [4]int64{d.L1, d.L2, d.L3, d.L4}
}

// right is one permission of one role, empty for a role without any.
type right struct {
	Scope      access.Scope
	Permission access.Permission
}

func rightsOf(db bun.IDB) *bun.SelectQuery {
	return db.NewSelect().TableExpr("user_roles AS ur").Join("JOIN roles AS r ON r.id = ur.role_id").
		Join("LEFT JOIN role_permissions AS rp ON rp.role_id = r.id").ColumnExpr("r.scope AS scope, coalesce(rp.permission, '') AS permission")
}

// entitle gives the actor the permissions of all roles and the widest of their scopes.
func entitle(a *access.Actor, rights []right) {
	for _, r := range rights {
		if scopeWidth[r.Scope] > scopeWidth[a.Scope] {
			a.Scope = r.Scope
		}
		if r.Permission != "" {
			a.Permissions = append(a.Permissions, r.Permission)
		}
	}
	slices.Sort(a.Permissions)
	a.Permissions = slices.Compact(a.Permissions)
}
