package localsign_test

import (
	"context"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/localsign"
	"github.com/huiqi/huiqi/platform/secret"
)

// TestSignatures makes one key from many at once, verifies what it signs without the installation, and finds every change.
func TestSignatures(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	root, err := secret.ParseKey(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.New(secret.Keys{Current: "k1", Keys: map[string][]byte{"k1": root}, Suite: secret.GM})
	if err != nil {
		t.Fatal(err)
	}
	now := clock.NewFake(time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC))
	s := &localsign.Signer{DB: databasetest.New(t, localsign.Migrations), Clock: now, Box: box, Name: "惠企台"}
	content := []byte("合同正文")
	var mu sync.Mutex
	made := map[localsign.Signature]bool{}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			sig, err := s.Sign(ctx, content)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			made[sig] = true
		})
	}
	wg.Wait()
	if len(made) != 1 {
		t.Fatalf("%d signatures of one content", len(made))
	}
	sig, err := s.Sign(ctx, content)
	if err != nil || localsign.Verify(content, sig) != nil {
		t.Fatal(err)
	}
	if known, err := s.Known(ctx, s.DB.Read(), sig); err != nil || !known {
		t.Fatal(known, err)
	}
	flip := func(s string) string {
		b, _ := base64.StdEncoding.DecodeString(s)
		b[len(b)-1] ^= 1
		return base64.StdEncoding.EncodeToString(b)
	}
	for name, change := range map[string]func(*localsign.Signature){
		"the value": func(x *localsign.Signature) { x.Value = flip(x.Value) }, "the certificate": func(x *localsign.Signature) { x.Certificate = flip(x.Certificate) },
		"the key": func(x *localsign.Signature) { x.KeyID = "0000000000000000" }, "the algorithm": func(x *localsign.Signature) { x.Algorithm = "none" },
	} {
		bad := sig
		change(&bad)
		if localsign.Verify(content, bad) == nil {
			t.Errorf("%s is changed and it verifies", name)
		}
	}
	if localsign.Verify([]byte("合同正丈"), sig) == nil {
		t.Error("another content verifies")
	}
	now.Advance(5 * 365 * 24 * time.Hour) // the key is near its end: another signs, what it signed stays
	later, err := s.Sign(ctx, content)
	if err != nil || later.KeyID == sig.KeyID || localsign.Verify(content, later) != nil || localsign.Verify(content, sig) != nil {
		t.Fatal(later.KeyID, err)
	}
}
