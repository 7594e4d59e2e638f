package identity_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/crypto/argon2"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
)

// rotate has the world seal with a key of the other suite from now on.
func (w *world) rotate(t *testing.T) secret.Rotator {
	t.Helper()
	k2, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	err = w.Box.Replace(secret.Keys{Current: "k2", Founding: "k1", Keys: map[string][]byte{"k1": w.key, "k2": k2}, Suite: secret.Intl, Suites: map[string]secret.Suite{"k1": secret.GM}})
	if err != nil {
		t.Fatal(err)
	}
	return secret.Rotator{DB: w.db, Box: w.Box, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Keepers: identity.Sealed()}
}

// People notice nothing of a change of keys: what they hold works before, amid and after it, and nobody gets a second
// account.
func TestPeopleDoNotNoticeARotation(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	begun, err := w.register(t, "13800138000", "北京麦香烘焙有限公司")
	if err != nil {
		t.Fatal(err)
	}
	phoneA, phoneB := browserOf("a"), browserOf("b")
	if r, err := w.open(t, phoneA, "open-a"); err != nil || !r.New {
		t.Fatalf("%+v %v", r, err)
	}
	w.registerIn(t, phoneA, "13800138002") // binds open-a
	if err := w.send(t, "13800138003", identity.ForRegister); err != nil {
		t.Fatal(err)
	}
	state := w.travel(t, phoneB, "/")
	r := w.rotate(t)
	look := func(when string) {
		t.Helper()
		if a, err := w.Authenticate(ctx, begun.Token); err != nil || a.UserID != begun.UserID {
			t.Fatalf("%s: the session ended: %v", when, err)
		}
		w.clock.Advance(61 * time.Minute)
		if err := w.send(t, "13800138000", identity.ForSignIn); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if b, err := w.SignInBySMS(ctx, visitor, "13800138000", w.last("13800138000")); err != nil || b.UserID != begun.UserID {
			t.Fatalf("%s: %+v %v", when, b, err)
		}
		if r, err := w.open(t, browserOf("c"), "open-a"); err != nil || r.Begun == nil {
			t.Fatalf("%s: WeChat does not know its person any more: %v", when, err)
		}
		system := access.SystemActor("test")
		for _, phone := range []string{"8000", "13800138000"} {
			list, _, err := w.Users(ctx, system, identity.UserFilter{Phone: phone})
			if err != nil || len(list) != 1 || list[0].ID != begun.UserID {
				t.Fatalf("%s: %s finds %v, %v", when, phone, list, err)
			}
		}
		if _, err := w.register(t, "13800138002", "另一家有限公司"); err == nil {
			t.Fatalf("%s: a phone has two accounts", when)
		}
		if err := w.KeysFit(ctx); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	// a code and a trip to WeChat that began under the old key end under the new one
	if _, err := w.Register(ctx, visitor, identity.Register{Phone: "13800138003", Code: w.last("13800138003"), CompanyName: "丙有限公司", ContactName: "王", Consent: true}); err != nil {
		t.Fatal(err)
	}
	w.wechat.holds["code-b"] = identity.WechatPerson{OpenID: "open-b"}
	if _, err := w.ReturnFromWechat(ctx, phoneB, "code-b", state); err != nil {
		t.Fatal(err)
	}
	look("before")
	stopped, stop := context.WithCancel(ctx)
	r.Note = func(context.Context, string, ...any) { stop() } // after the first column
	if err := r.Run(stopped); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	look("amid")
	r.Note = nil
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	look("after")
	uses, err := r.Uses(ctx, w.db.Read(), "k1", true, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range uses {
		if u.Ends == "" {
			t.Errorf("%s still has %d rows under the old key", u.Column, u.Rows)
		}
	}
	if len(uses) == 0 {
		t.Error("the session of the old key is not counted")
	}
	// with other keys the program does not start
	other, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Box.Replace(secret.Keys{Current: "k2", Keys: map[string][]byte{"k2": other}, Suite: secret.Intl}); err != nil {
		t.Fatal(err)
	}
	if err := w.KeysFit(ctx); !errors.Is(err, identity.ErrForeignKeys) {
		t.Error(err)
	}
}

// A password hashed under an older cost is hashed anew when it is next shown.
func TestSigningInRenewsTheHash(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	id, err := w.CreateStaff(ctx, access.SystemActor("test"), identity.Staff{Name: "孙强", Account: "sunqiang", Password: password, Phone: "13900139011", Party: access.Platform, Roles: []string{"agent"}})
	if err != nil {
		t.Fatal(err)
	}
	salt := []byte("0123456789abcdef")
	enc := base64.RawStdEncoding
	old := fmt.Sprintf("$argon2id$v=19$m=8192,t=1,p=1$%s$%s", enc.EncodeToString(salt), enc.EncodeToString(argon2.IDKey([]byte(password), salt, 1, 8192, 1, 32)))
	err = w.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("UPDATE users SET password_hash = ? WHERE id = ?", old, id).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	hash := func() (s string) {
		t.Helper()
		if err := w.db.Read().NewSelect().TableExpr("users").Column("password_hash").Where("id = ?", id).Scan(ctx, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	try := func(pass string) error {
		c, answer := w.solve(t)
		_, err := w.SignInByPassword(ctx, visitor, identity.SignIn{Account: "sunqiang", Password: pass, CaptchaID: c, CaptchaAnswer: answer})
		return err
	}
	if err := try("Wrong-2026-huiqi!x"); fault.KindOf(err) != fault.Unauthorized && !errors.Is(err, identity.ErrWrongPassword) {
		t.Fatal(err)
	}
	if hash() != old {
		t.Fatal("a wrong password changed the hash")
	}
	if err := try(password); err != nil {
		t.Fatal(err)
	}
	renewed := hash()
	if renewed == old || !strings.HasPrefix(renewed, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(renewed)
	}
	if ok, again, err := w.Box.VerifyPassword(ctx, password, renewed); !ok || again || err != nil {
		t.Fatal(ok, again, err)
	}
}
