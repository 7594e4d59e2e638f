package secret_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
)

// Two passwords are hashed at once; others wait, and are told to come back after a while.
func TestTwoHashesAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := oneKey(t, secret.GM)
	patience := make(chan time.Time)
	b.LosePatience(patience)
	first, second := b.Occupy(), b.Occupy()
	done := make(chan error, 20)
	hash := func() {
		_, err := b.HashPassword(ctx, "正确的马-battery")
		done <- err
	}
	for range 20 {
		go hash()
	}
	for range 5 { // each tick ends one caller's patience; none has been served
		patience <- time.Time{}
		err := <-done
		if !errors.Is(err, secret.ErrHashBusy) || fault.KindOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
		if f, _ := fault.As(err); f.RetryAfter == 0 {
			t.Fatal("it does not say when to come back")
		}
	}
	first() // one turn serves the others one by one, although the second never ends
	for range 15 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	second()

	// whoever goes away does not wait
	b.Occupy()
	b.Occupy()
	gone, cancel := context.WithCancel(ctx)
	go func() {
		_, _, err := b.VerifyPassword(gone, "x", "")
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Unavailable {
		t.Fatal(err)
	}
}
