package identity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/identity"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/secret"
)

// sendAs asks for a code as somebody.
func (w *world) sendAs(t *testing.T, a access.Actor, phone string) error {
	t.Helper()
	id, answer := w.solve(t)
	_, err := w.SendCode(context.Background(), a, identity.SendCode{Phone: phone, Purpose: identity.ForRegister, CaptchaID: id, CaptchaAnswer: answer})
	return err
}

func TestAddressLimitHoldsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	puzzles := make([][2]string, 60)
	for i := range puzzles {
		puzzles[i][0], puzzles[i][1] = w.solve(t)
	}
	var wg sync.WaitGroup
	var sent atomic.Int64
	for i, p := range puzzles {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, err := w.SendCode(context.Background(), visitor, identity.SendCode{Phone: fmt.Sprintf("138001391%02d", i), Purpose: identity.ForSignIn, CaptchaID: p[0], CaptchaAnswer: p[1]})
			switch {
			case err == nil:
				sent.Add(1)
			case !errors.Is(err, identity.ErrAddressTooMany):
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if sent.Load() != 20 {
		t.Fatalf("%d codes went to one address", sent.Load())
	}
}

func TestDeviceLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := browserOf("one")
	for i := range 10 {
		a.IP = fmt.Sprintf("203.0.113.%d", i) // the address changes, the browser does not
		if err := w.sendAs(t, a, fmt.Sprintf("138001392%02d", i)); err != nil {
			t.Fatalf("code %d: %v", i+1, err)
		}
	}
	if err := w.sendAs(t, a, "13800139299"); !errors.Is(err, identity.ErrDeviceTooMany) {
		t.Fatalf("eleventh: %v", err)
	}
	other := browserOf("two")
	if err := w.sendAs(t, other, "13800139299"); err != nil {
		t.Fatalf("another browser: %v", err)
	}
	w.clock.Advance(61 * time.Minute)
	if err := w.sendAs(t, a, "13800139298"); err != nil {
		t.Fatalf("an hour later: %v", err)
	}
}

func TestBudgetOfTheDay(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	var log bytes.Buffer
	w.CodesPerDay, w.Log = 5, slog.New(slog.NewTextHandler(&log, nil))
	for i := range 5 {
		if err := w.sendAs(t, visitor, fmt.Sprintf("1380013930%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := w.sendAs(t, visitor, "13800139309"); !errors.Is(err, identity.ErrCodeBudget) {
			t.Fatalf("over the budget: %v", err)
		}
	}
	if n := strings.Count(log.String(), "used up"); n != 1 {
		t.Fatalf("%d alarms: %s", n, log.String())
	}
	if n := strings.Count(log.String(), "four fifths"); n != 1 {
		t.Fatalf("%d warnings: %s", n, log.String())
	}
	// Staff who have shown their password are not locked out by it.
	if _, err := w.CreateStaff(ctx, access.SystemActor("test"), identity.Staff{Name: "孙强", Account: "sunqiang", Password: password, Phone: "13900139010",
		Party: access.Platform, Roles: []string{"agent"}}); err != nil {
		t.Fatal(err)
	}
	id, answer := w.solve(t)
	b, err := w.SignInByPassword(ctx, visitor, identity.SignIn{Account: "sunqiang", Password: password, CaptchaID: id, CaptchaAnswer: answer})
	if err != nil || !b.Pending {
		t.Fatalf("%+v, %v", b, err)
	}
	w.clock.Advance(24 * time.Hour)
	if err := w.sendAs(t, visitor, "13800139309"); err != nil {
		t.Fatalf("the next day: %v", err)
	}
}

func TestTheNextCodeComesAtOnceAfterAUsedOne(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	if _, err := w.CreateStaff(ctx, access.SystemActor("test"), identity.Staff{Name: "孙强", Account: "sunqiang", Password: password, Phone: "13900139012",
		Party: access.Platform, Roles: []string{"agent"}}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // in and out again within a minute
		id, answer := w.solve(t)
		b, err := w.SignInByPassword(ctx, visitor, identity.SignIn{Account: "sunqiang", Password: password, CaptchaID: id, CaptchaAnswer: answer})
		if err != nil {
			t.Fatal(err)
		}
		if len(w.codes["13900139012"]) != i+1 {
			t.Fatalf("%d codes at the %d. time", len(w.codes["13900139012"]), i+1)
		}
		if _, err := w.SecondFactor(ctx, visitor, b.Token, w.last("13900139012")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.sendAs(t, visitor, "13900139013"); err != nil {
		t.Fatal(err)
	}
	if err := w.sendAs(t, visitor, "13900139013"); !errors.Is(err, identity.ErrCodeTooSoon) {
		t.Fatalf("while one is unread: %v", err)
	}
}

func TestHundredParallelGuesses(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	id, err := w.CreateStaff(ctx, access.SystemActor("test"), identity.Staff{Name: "孙强", Account: "sunqiang", Password: password, Phone: "13900139011",
		Party: access.Platform, Roles: []string{"agent"}})
	if err != nil {
		t.Fatal(err)
	}
	guess := func(pass string, p [2]string) error {
		_, err := w.SignInByPassword(ctx, visitor, identity.SignIn{Account: "sunqiang", Password: pass, CaptchaID: p[0], CaptchaAnswer: p[1]})
		return err
	}
	puzzles := make([][2]string, 101)
	for i := range puzzles {
		puzzles[i][0], puzzles[i][1] = w.solve(t)
	}
	var wg sync.WaitGroup
	for i, p := range puzzles[:100] {
		wg.Add(1)
		go func() {
			defer wg.Done()
			// a machine that is busy turns some away unseen
			if err := guess(fmt.Sprintf("Guess-%d-guess", i), p); !errors.Is(err, identity.ErrWrongPassword) && !errors.Is(err, secret.ErrHashBusy) {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	// Each guess that may meet the password raises the count before; only five could.
	var failed int
	var locked *time.Time
	if err := w.db.Read().NewSelect().TableExpr("users").Column("failed", "locked_until").Where("id = ?", id).Scan(ctx, &failed, &locked); err != nil {
		t.Fatal(err)
	}
	if failed != 5 || locked == nil {
		t.Fatalf("%d guesses met the password, locked until %v", failed, locked)
	}
	if err := guess(password, puzzles[100]); !errors.Is(err, identity.ErrWrongPassword) {
		t.Fatalf("the right one after them: %v", err)
	}
}

func TestTidy(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	if _, err := w.open(t, browserOf("tidy"), "openid-tidy"); err != nil {
		t.Fatal(err)
	}
	b, err := w.register(t, "13800139400", "甲")
	if err != nil {
		t.Fatal(err)
	}
	count := func(table string) int {
		n, err := w.db.Read().NewSelect().TableExpr(table).Count(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
	if err := w.Tidy(ctx); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"captchas", "sms_codes", "sms_guards", "wechat_states", "wechat_pending", "sessions"} {
		if count(table) == 0 {
			t.Errorf("%s lost what is still needed", table)
		}
	}
	w.clock.Advance(2 * time.Hour)
	if err := w.Tidy(ctx); err != nil {
		t.Fatal(err)
	}
	if count("captchas") != 0 || count("wechat_states") != 0 || count("wechat_pending") != 0 || count("sms_guards") != 0 || count("sms_codes") != 1 {
		t.Error("two hours later something is left, or the codes that the day's limit counts are gone")
	}
	w.clock.Advance(150 * 24 * time.Hour)
	if err := w.Tidy(ctx); err != nil {
		t.Fatal(err)
	}
	if count("sms_codes") != 0 || count("sessions") != 0 {
		t.Error("months later something is left")
	}
	if ok, err := w.db.Read().NewSelect().TableExpr("users").Where("id = ?", b.UserID).Exists(ctx); err != nil || !ok {
		t.Fatalf("the person is gone: %v", err)
	}
}
