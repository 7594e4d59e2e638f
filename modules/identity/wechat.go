package identity

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/web"
)

// Wechat is what identity needs of the official account.
type Wechat interface {
	// App names the account; an open id means something only in its app.
	App() string
	// AuthorizeURL is the page of WeChat that sends the browser on to redirect with a code and the state.
	AuthorizeURL(redirect, state string) (string, error)
	// Exchange tells whose the code is. It returns ErrWechatCode for a code that was used or expired, and ErrWechatDown
	// when WeChat is out of order or did not answer.
	Exchange(ctx context.Context, code string) (WechatPerson, error)
}

// WechatPerson is who WeChat says is holding the phone. A snapshot visitor has no account of their own.
type WechatPerson struct {
	OpenID   string
	Snapshot bool
}

const (
	stateLife   = 5 * time.Minute
	pendingLife = 15 * time.Minute
)

// Faults on the way through WeChat, each shown on a page of its own.
var (
	ErrWechatOff      = fault.New(fault.NotFound, "WECHAT_OFF", "本平台没有开通微信登录，请用短信验证码登录")
	ErrWechatState    = fault.New(fault.Conflict, "WECHAT_STATE", "这次微信登录不是从当前的浏览器发起的，请从本页重新打开")
	ErrWechatExpired  = fault.New(fault.Conflict, "WECHAT_EXPIRED", "等待的时间过长，这次微信登录已失效，请重新打开")
	ErrWechatUsed     = fault.New(fault.Conflict, "WECHAT_USED", "这次微信登录已经用过一次，不能重复使用，请重新打开")
	ErrWechatCode     = fault.New(fault.Conflict, "WECHAT_CODE", "微信给出的登录凭证已用过或已失效，请重新打开")
	ErrWechatDenied   = fault.New(fault.Conflict, "WECHAT_DENIED", "您没有同意微信授权，也可以用短信验证码登录")
	ErrWechatDown     = fault.New(fault.Unavailable, "WECHAT_DOWN", "微信暂时没有应答，请稍后重新打开，或先用短信验证码登录")
	ErrWechatSnapshot = fault.New(fault.Conflict, "WECHAT_SNAPSHOT", "您正在浏览微信的快照页，微信没有提供您的身份。请点页面下方的“使用完整服务”，再重新打开")
	ErrWechatDisabled = fault.New(fault.Forbidden, "WECHAT_DISABLED", "与这个微信绑定的账号已停用，如有疑问请联系平台工作人员")
	ErrWechatTaken    = fault.New(fault.Conflict, "WECHAT_TAKEN", "这个微信已绑定另一个账号，请先在那个账号的“账号与安全”中解除绑定")
	ErrWechatHasOther = fault.New(fault.Conflict, "WECHAT_HAS_OTHER", "您的账号已绑定另一个微信，请先在“账号与安全”中解除绑定")
)

// WechatBound is announced when a person's WeChat account becomes known.
type WechatBound struct {
	UserID int64 `json:"userId"`
}

// WechatUnbound is announced when a person unties their WeChat account.
type WechatUnbound struct {
	UserID int64 `json:"userId"`
}

// WechatSignedIn is announced when a person signs in with WeChat.
type WechatSignedIn struct {
	UserID int64 `json:"userId"`
}

// Event names the fact.
func (f WechatBound) Event() (string, string, int64) {
	return "identity.wechat_bound", "user", f.UserID
}

// Event names the fact.
func (f WechatUnbound) Event() (string, string, int64) {
	return "identity.wechat_unbound", "user", f.UserID
}

// Event names the fact.
func (f WechatSignedIn) Event() (string, string, int64) {
	return "identity.wechat_signed_in", "user", f.UserID
}

// AuthorizeWechat begins the trip of a browser to WeChat and back to one of our mobile pages, and returns where it goes.
func (s *Service) AuthorizeWechat(ctx context.Context, actor access.Actor, back string) (string, error) {
	return s.depart(ctx, wechatState{Visitor: s.visitor(actor), Return: mobilePath(back)})
}

// BindWechat begins the trip by which a signed-in person of a company ties their WeChat account, and returns where it goes.
func (s *Service) BindWechat(ctx context.Context, actor access.Actor, back string) (string, error) {
	if actor.UserID == 0 {
		return "", fault.ErrUnauthorized
	}
	if actor.Party != access.Enterprise {
		return "", fault.ErrForbidden
	}
	if bound, err := s.wechatBound(ctx, s.DB.Read(), actor.UserID); err != nil {
		return "", err
	} else if bound {
		return "", ErrWechatHasOther
	}
	return s.depart(ctx, wechatState{Visitor: s.visitor(actor), UserID: actor.UserID, Return: mobilePath(back)})
}

func (s *Service) depart(ctx context.Context, row wechatState) (string, error) {
	if s.Wechat == nil {
		return "", ErrWechatOff
	}
	if row.Visitor == "" {
		return "", ErrWechatState
	}
	state := rand.Text() // letters and digits, as WeChat demands
	row.State, row.ExpiresAt = s.Box.HashToken(state), s.Clock.Now().Add(stateLife)
	to, err := s.Wechat.AuthorizeURL(s.PublicURL+"/wechat/callback", state)
	if err != nil {
		return "", err
	}
	return to, s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		return err
	})
}

// WechatReturn is how a trip ended. Return is where the browser goes, also when it ended with an error.
type WechatReturn struct {
	Return  string
	Binding bool   // the trip was to bind, not to sign in
	Begun   *Begun // the session of a person whose WeChat account is known
	New     bool   // nobody is known by this WeChat account: registering or signing in binds it
}

// ReturnFromWechat ends a trip: the state must be of this browser and works once, and the code tells whose phone it is. A
// known person is signed in; an unknown WeChat account waits for the person to register or to sign in by SMS.
func (s *Service) ReturnFromWechat(ctx context.Context, actor access.Actor, code, state string) (WechatReturn, error) {
	end := WechatReturn{Return: mobileHome}
	if s.Wechat == nil {
		return end, ErrWechatOff
	}
	row, err := s.arrive(ctx, actor, state)
	if row.Return != "" {
		end.Return, end.Binding = row.Return, row.UserID != 0
	}
	if err == nil && !end.Binding && actor.UserID != 0 {
		return end, nil // signed in meanwhile, in another tab
	}
	if err == nil && code == "" {
		err = ErrWechatDenied
	}
	if err != nil {
		if fault.KindOf(err) == fault.Conflict && row.UsedAt != nil && !end.Binding && actor.UserID != 0 {
			return end, nil // the back button of somebody who is in already
		}
		return end, err
	}
	// No transaction is open while WeChat is asked.
	who, err := s.Wechat.Exchange(ctx, code)
	if err != nil {
		return end, err
	}
	if who.Snapshot || who.OpenID == "" {
		return end, ErrWechatSnapshot
	}
	if end.Binding && row.UserID != actor.UserID {
		return end, ErrWechatState // somebody else signed in on the way
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		end.Begun, end.New = nil, false
		if end.Binding {
			return s.bind(ctx, tx, actor, s.seal(who.OpenID))
		}
		return s.admit(ctx, tx, actor, who.OpenID, &end)
	})
	return end, err
}

// arrive uses the state up. The row is returned as far as it is this browser's own.
func (s *Service) arrive(ctx context.Context, actor access.Actor, state string) (wechatState, error) {
	var row wechatState
	now := s.Clock.Now()
	var verdict error
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		row, verdict = wechatState{}, nil
		err := database.Found(tx.NewSelect().Model(&row).Where("state IN ?", bun.Tuple(s.Box.TokenHashes(state))).Scan(ctx))
		if fault.KindOf(err) == fault.NotFound || err == nil && (row.Visitor == "" || !slices.Contains(s.visitors(actor), row.Visitor)) {
			row, verdict = wechatState{}, ErrWechatState
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case row.UsedAt != nil:
			verdict = ErrWechatUsed
			return nil
		case !now.Before(row.ExpiresAt):
			verdict = ErrWechatExpired
			return nil
		}
		res, err := tx.NewUpdate().Model((*wechatState)(nil)).Set("used_at = ?", now).Where("state = ? AND used_at IS NULL", row.State).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			row.UsedAt, verdict = &now, ErrWechatUsed
		}
		return err
	})
	if err != nil {
		return row, err
	}
	return row, verdict
}

// admit signs in whom the open id belongs to, or keeps it for the browser until its person is known.
func (s *Service) admit(ctx context.Context, tx bun.Tx, actor access.Actor, openID string, end *WechatReturn) error {
	now := s.Clock.Now()
	known := s.seal(openID)
	err := database.Found(tx.NewSelect().Model(&known).Where("app = ? AND blind IN ?", known.App, bun.Tuple(s.Box.Blinds("wechat:"+known.App, openID))).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		end.New = true
		visitor := s.visitor(actor)
		if visitor == "" {
			return ErrWechatState
		}
		p := wechatPending{Visitor: visitor, App: known.App, OpenID: known.OpenID, Blind: known.Blind, ExpiresAt: now.Add(pendingLife)}
		_, err := tx.NewInsert().Model(&p).On("CONFLICT (visitor) DO UPDATE").
			Set("app = EXCLUDED.app, open_id = EXCLUDED.open_id, blind = EXCLUDED.blind, expires_at = EXCLUDED.expires_at").Exec(ctx)
		return err
	}
	if err != nil {
		return err
	}
	u, err := lockUser(ctx, tx, known.UserID)
	if err != nil {
		return err
	}
	switch {
	case u.DisabledAt != nil:
		return ErrWechatDisabled
	case u.Party.Staff():
		return ErrStaffPassword
	}
	if _, err := tx.NewUpdate().Model((*wechatAccount)(nil)).Set("entered_at = ?", now).Where("id = ?", known.ID).Exec(ctx); err != nil {
		return err
	}
	begun, err := s.begin(ctx, tx, actor, u, beginning{by: "微信登录"})
	if err != nil {
		return err
	}
	end.Begun = &begun
	actor.UserID, actor.Name, actor.Party = u.ID, u.Name, u.Party
	_, err = event.Append(ctx, tx, actor, now, WechatSignedIn{u.ID})
	return err
}

// seal makes the row of an open id, as it is kept.
func (s *Service) seal(openID string) wechatAccount {
	app := s.Wechat.App()
	return wechatAccount{App: app, OpenID: s.Box.Seal([]byte(openID), openIDPlace), Blind: s.Box.Blind("wechat:"+app, openID)}
}

// bind ties the sealed open id to the actor. It returns ErrWechatTaken when the open id is another person's, and
// ErrWechatHasOther when the person has another one; the transaction may go on after either.
func (s *Service) bind(ctx context.Context, tx bun.Tx, actor access.Actor, row wechatAccount) error {
	if _, err := lockUser(ctx, tx, actor.UserID); err != nil {
		return err
	}
	now := s.Clock.Now()
	openID, err := s.Box.Open(row.OpenID, openIDPlace)
	if err != nil {
		return err
	}
	// Kept under an older key, it would not meet the unique index.
	var other wechatAccount
	holder := func() error {
		return database.Found(tx.NewSelect().Model(&other).Where("app = ? AND blind IN ?", row.App, bun.Tuple(s.Box.Blinds("wechat:"+row.App, string(openID)))).Scan(ctx))
	}
	switch err := holder(); {
	case fault.KindOf(err) == fault.NotFound:
	case err != nil:
		return err
	case other.UserID == actor.UserID:
		return nil
	default:
		return ErrWechatTaken
	}
	row.UserID, row.BoundAt, row.EnteredAt = actor.UserID, now, now
	res, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		switch err := holder(); {
		case fault.KindOf(err) == fault.NotFound:
			return ErrWechatHasOther
		case err != nil:
			return err
		case other.UserID == actor.UserID:
			return nil
		}
		return ErrWechatTaken
	}
	if _, err := event.Append(ctx, tx, actor, now, WechatBound{actor.UserID}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.wechat_bind", Object: "user", ObjectID: actor.UserID, Summary: "绑定微信"})
}

// claimWechat ties the WeChat account that waits in this browser to the person who has just shown their phone. The person
// is let in all the same when it cannot be tied; the notice says why.
func (s *Service) claimWechat(ctx context.Context, tx bun.Tx, actor access.Actor) (notice string, err error) {
	visitor := s.visitor(actor)
	if s.Wechat == nil || visitor == "" {
		return "", nil
	}
	var p wechatPending
	err = database.Found(tx.NewSelect().Model(&p).Where("visitor IN ? AND app = ? AND expires_at > ?", bun.Tuple(s.visitors(actor)), s.Wechat.App(), s.Clock.Now()).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if _, err := tx.NewDelete().Model(&p).WherePK().Exec(ctx); err != nil {
		return "", err
	}
	err = s.bind(ctx, tx, actor, wechatAccount{App: p.App, OpenID: p.OpenID, Blind: p.Blind})
	if f, ok := fault.As(err); ok && f.Kind == fault.Conflict && f.Code != fault.ErrChanged.Code {
		return f.Message, nil
	}
	return "", err
}

// UnbindWechat unties the actor's WeChat account; without one there is nothing to do.
func (s *Service) UnbindWechat(ctx context.Context, actor access.Actor) error {
	if actor.UserID == 0 {
		return fault.ErrUnauthorized
	}
	if s.Wechat == nil {
		return ErrWechatOff
	}
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := lockUser(ctx, tx, actor.UserID); err != nil {
			return err
		}
		res, err := tx.NewDelete().Model((*wechatAccount)(nil)).Where("user_id = ? AND app = ?", actor.UserID, s.Wechat.App()).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		now := s.Clock.Now()
		if _, err := event.Append(ctx, tx, actor, now, WechatUnbound{actor.UserID}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, actor, now, audit.Record{Action: "identity.wechat_unbind", Object: "user", ObjectID: actor.UserID, Summary: "解除微信绑定"})
	})
}

// OpenIDOf returns the open id by which WeChat knows the person, "" when there is none; for messages to them.
func (s *Service) OpenIDOf(ctx context.Context, db bun.IDB, userID int64) (string, error) {
	if s.Wechat == nil {
		return "", nil
	}
	var row wechatAccount
	err := database.Found(db.NewSelect().Model(&row).Where("user_id = ? AND app = ?", userID, s.Wechat.App()).Scan(ctx))
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("open id of user %d: %w", userID, err)
	}
	plain, err := s.Box.Open(row.OpenID, openIDPlace)
	return string(plain), err
}

// ByOpenID returns the person of a company whom WeChat knows by the open id, as they would act when signed in. It returns
// fault.ErrNotFound when nobody is known by it, or they are disabled; for messages that come from WeChat itself.
func (s *Service) ByOpenID(ctx context.Context, openID string) (access.Actor, error) {
	if s.Wechat == nil {
		return access.Actor{}, fault.ErrNotFound
	}
	db := s.DB.Read()
	var row wechatAccount
	app := s.Wechat.App()
	if err := database.Found(db.NewSelect().Model(&row).Where("app = ? AND blind IN ?", app, bun.Tuple(s.Box.Blinds("wechat:"+app, openID))).Scan(ctx)); err != nil {
		return access.Actor{}, err
	}
	var u user
	if err := database.Found(db.NewSelect().Model(&u).Where("id = ?", row.UserID).Scan(ctx)); err != nil {
		return access.Actor{}, err
	}
	if u.DisabledAt != nil || u.Party != access.Enterprise {
		return access.Actor{}, fault.ErrNotFound
	}
	return s.actor(ctx, db, u, 0)
}

func (s *Service) wechatBound(ctx context.Context, db bun.IDB, userID int64) (bool, error) {
	if s.Wechat == nil {
		return false, nil
	}
	return db.NewSelect().Model((*wechatAccount)(nil)).Where("user_id = ? AND app = ?", userID, s.Wechat.App()).Exists(ctx)
}

// lockUser reads a person and keeps everybody else from changing them until the transaction ends, so that facts about one
// person come one after the other.
func lockUser(ctx context.Context, tx bun.Tx, id int64) (user, error) {
	var u user
	q := tx.NewSelect().Model(&u).Where("id = ?", id)
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	return u, database.Found(q.Scan(ctx))
}

const mobileHome = "/m/"

// mobilePath is a page of the mobile face, its home for anything else.
func mobilePath(target string) string {
	if len(target) > 500 || !strings.HasPrefix(target, mobileHome) {
		return mobileHome
	}
	return web.LocalPath(target, mobileHome)
}

// greeting is where somebody goes whose WeChat account nobody is known by: to where they can register or sign in.
func greeting(back string) string {
	u, err := url.Parse(back)
	if err != nil {
		return mobileHome
	}
	q := url.Values{"wechat": {"new"}}
	if u.Path == "/m/login" || u.Path == "/m/register" {
		if inner := u.Query().Get("return"); inner != "" {
			q.Set("return", inner)
		}
		return u.Path + "?" + q.Encode()
	}
	q.Set("return", strings.TrimPrefix(back, "/m"))
	return "/m/register?" + q.Encode()
}
