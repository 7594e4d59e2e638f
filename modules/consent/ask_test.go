package consent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/modules/consent"
	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/event"
)

var clockwork = access.SystemActor("job")

func (f fixture) mustAsk(t *testing.T) int {
	t.Helper()
	n, err := f.AskAgain(context.Background(), clockwork)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// askedOf are the versions a company was asked for, in their order.
func (f fixture) askedOf(t *testing.T, id int64) []consent.AskedAgain {
	t.Helper()
	events, err := event.Of(context.Background(), f.db.Read(), consent.Object, id)
	if err != nil {
		t.Fatal(err)
	}
	var out []consent.AskedAgain
	for _, e := range events {
		if e.Type != "consent.asked_again" {
			continue
		}
		var x consent.AskedAgain
		if err := json.Unmarshal(e.Facts, &x); err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

func TestCompaniesAreAskedAgainOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	f := mustNew(t)
	if _, err := f.AskAgain(ctx, clerk); !errors.Is(err, consent.ErrForbidden) {
		t.Fatal(err)
	}
	v1 := f.mustPublish(t, draft(consent.PolicyMatch, false, 0, "basic"))
	var third consent.Asked
	for _, id := range []int64{1, 2, 3} {
		third = f.mustGive(t, owner(id), v1)
	}
	if _, err := f.Revoke(ctx, owner(3), consent.Revoke{Purpose: consent.PolicyMatch, GrantID: third.Grant.ID, Channel: consent.OnH5}); err != nil {
		t.Fatal(err)
	}
	if n := f.mustAsk(t); n != 0 {
		t.Fatal("asked for the first version:", n)
	}
	f.clock.Advance(time.Hour)
	v2 := f.mustPublish(t, draft(consent.PolicyMatch, false, 0, "basic"))
	f.mustGive(t, owner(2), v2) // has read it already
	for i, want := range []int{1, 0, 0} {
		if n := f.mustAsk(t); n != want {
			t.Fatalf("round %d: %d", i, n)
		}
	}
	got := f.askedOf(t, 1)
	if len(got) != 1 || got[0].TextNo != 2 || got[0].Void || got[0].PurposeName == "" || fmt.Sprint(got[0].UserIDs) != "[10]" {
		t.Fatalf("%+v", got)
	}
	if len(f.askedOf(t, 2))+len(f.askedOf(t, 3)) != 0 {
		t.Fatal("asked who has agreed, or who has taken it back")
	}
	// Two versions at once are one question, for the newer; a material one says that the old consent no longer holds.
	f.clock.Advance(time.Hour)
	f.mustPublish(t, draft(consent.PolicyMatch, true, 0, "basic", "operation"))
	f.mustPublish(t, draft(consent.PolicyMatch, false, 0, "basic", "operation"))
	var wg sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for range 4 { // several processes
		wg.Add(1)
		go func() {
			defer wg.Done()
			n, err := f.AskAgain(ctx, clockwork)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum += n
		}()
	}
	wg.Wait()
	if got = f.askedOf(t, 1); sum != 2 || len(got) != 2 || got[1].TextNo != 4 || !got[1].Void {
		t.Fatalf("%d %+v", sum, got)
	}
}

func TestALapsedConsentIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	f := mustNew(t)
	v1 := f.mustPublish(t, draft(consent.PolicyMatch, false, 30, "basic"))
	f.mustGive(t, owner(1), v1)
	f.clock.Advance(40 * 24 * time.Hour)
	f.mustPublish(t, draft(consent.PolicyMatch, false, 30, "basic"))
	if n := f.mustAsk(t); n != 0 {
		t.Fatal(n)
	}
}
