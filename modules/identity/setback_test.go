package identity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/identity"
)

// TestNothingBeginsAgainWhenTheClockGoesBack is F-15: sessions, codes and captchas that had ended stay ended, those on their
// way end or last no longer than they were given, and people can go on at once.
func TestNothingBeginsAgainWhenTheClockGoesBack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t)
	idle, err := w.register(t, "13800138001", "甲公司")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(7*24*time.Hour + 30*time.Minute)
	if _, err := w.Authenticate(ctx, idle.Token); err == nil {
		t.Fatal("a session outlives a week without use")
	}
	fresh, err := w.register(t, "13800138002", "乙公司")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.send(t, "13800138003", identity.ForRegister); err != nil { // over before the clock is set
		t.Fatal(err)
	}
	w.clock.Advance(6 * time.Minute)
	if err := w.send(t, "13800138004", identity.ForRegister); err != nil { // on its way
		t.Fatal(err)
	}
	captcha, answer := w.solve(t)

	w.clock.Advance(-time.Hour)
	if err := w.SetBack(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(ctx, idle.Token); err == nil {
		t.Error("a session that was over lets in again")
	}
	if _, err := w.Authenticate(ctx, fresh.Token); err != nil {
		t.Errorf("a session that was good ended: %v", err)
	}
	enter := func(phone string) error {
		_, err := w.Register(ctx, visitor, identity.Register{Phone: phone, Code: w.last(phone), CompanyName: "丙公司", ContactName: "李梅", Consent: true})
		return err
	}
	for _, wait := range []time.Duration{time.Second, 50 * time.Minute, 10 * time.Minute} { // up to the moments they were made at
		w.clock.Advance(wait)
		for _, phone := range []string{"13800138003", "13800138004"} {
			if err := enter(phone); !errors.Is(err, identity.ErrCodeExpired) {
				t.Errorf("the code of %s after %s: %v", phone, wait, err)
			}
		}
		if _, err := w.SendCode(ctx, visitor, identity.SendCode{Phone: "13800138005", Purpose: identity.ForRegister, CaptchaID: captcha, CaptchaAnswer: answer}); !errors.Is(err, identity.ErrCaptcha) {
			t.Errorf("the captcha after %s: %v", wait, err)
		}
		if wait == time.Second { // a new code is a minute away, not an hour
			w.clock.Advance(2 * time.Minute)
			if err := w.send(t, "13800138004", identity.ForSignIn); err != nil && !errors.Is(err, identity.ErrCodeTooMany) {
				t.Errorf("a new code: %v", err)
			}
		}
	}
	w.clock.Advance(7*24*time.Hour - time.Hour) // a week after the clock was set, and not after the session was seen last by the old one
	if _, err := w.Authenticate(ctx, fresh.Token); err == nil {
		t.Error("a session lasts longer than it was given")
	}
}
