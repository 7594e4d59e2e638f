package registry_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/platform/clock"
)

var bakery = registry.Company{
	Name: "通州麦香面包房（北京）有限公司", CreditCode: "91990000MA0000001X", LegalPerson: "王丽", Established: "2019-05-06",
	RegisteredCapital: 50_000_000, IndustryCode: "1411", Address: "中仓街道 1 号", Status: "存续", Street: "中仓街道",
}

type world struct {
	box   *sandbox.Server
	url   string
	clock *clock.Fake
}

func mustWorld(t *testing.T) world {
	t.Helper()
	fake := clock.NewFake(time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC))
	box, err := sandbox.New(sandbox.Options{
		DataDir: t.TempDir(), Clock: fake, Companies: []registry.Company{bakery},
		Secrets: sandbox.Secrets{RegistryKey: "district", RegistrySecret: "secret"},
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(box.Handler())
	t.Cleanup(func() { web.Close(); _ = box.Close() })
	return world{box, web.URL + "/sandbox/registry", fake}
}

func mustClient(t *testing.T, w world, secret string) *registry.Client {
	t.Helper()
	c, err := registry.New(registry.Config{BaseURL: w.url, Key: "district", Secret: secret, Timeout: time.Second, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerifyAndLookup(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	c := mustClient(t, w, "secret")
	for _, tc := range []struct {
		name string
		q    registry.Query
		want registry.Answer
	}{
		{"all right", registry.Query{Name: bakery.Name, CreditCode: bakery.CreditCode, LegalPerson: "王丽"}, registry.Answer{Found: true, NameMatches: true, LegalPersonMatches: true, Status: "存续"}},
		{"narrow brackets", registry.Query{Name: "通州麦香面包房(北京)有限公司", CreditCode: bakery.CreditCode, LegalPerson: "王丽"}, registry.Answer{Found: true, NameMatches: true, LegalPersonMatches: true, Status: "存续"}},
		{"name differs", registry.Query{Name: "别的公司", CreditCode: bakery.CreditCode, LegalPerson: "王丽"}, registry.Answer{Found: true, LegalPersonMatches: true, Status: "存续"}},
		{"person differs", registry.Query{Name: bakery.Name, CreditCode: bakery.CreditCode, LegalPerson: "李雷"}, registry.Answer{Found: true, NameMatches: true, Status: "存续"}},
		{"unknown code", registry.Query{Name: bakery.Name, CreditCode: "91990000MA00000020", LegalPerson: "王丽"}, registry.Answer{}},
	} {
		if got, err := c.Verify(t.Context(), tc.q); err != nil || got != tc.want {
			t.Errorf("%s: %+v, %v", tc.name, got, err)
		}
	}
	if got, err := c.Lookup(t.Context(), bakery.CreditCode); err != nil || got != bakery {
		t.Errorf("lookup: %+v, %v", got, err)
	}
	if _, err := c.Lookup(t.Context(), "91990000MA00000020"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("lookup of an unknown code: %v", err)
	}
}

func TestFaultsAreUnavailable(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	c := mustClient(t, w, "secret")
	for mode, want := range map[sandbox.Mode]error{
		sandbox.Fail: registry.ErrUnavailable, sandbox.Reset: registry.ErrUnavailable, sandbox.Lost: registry.ErrUnavailable,
		sandbox.Garbage: registry.ErrUnavailable, sandbox.Slow: registry.ErrUnavailable, sandbox.Refuse: registry.ErrRefused,
	} {
		if err := w.box.SetFault(t.Context(), sandbox.Fault{Target: "registry", Mode: mode}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Verify(t.Context(), registry.Query{CreditCode: bakery.CreditCode}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", mode, err, want)
		}
		if _, err := c.Lookup(t.Context(), bakery.CreditCode); !errors.Is(err, want) || errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: lookup %v, want %v", mode, err, want)
		}
	}
}

func TestWrongSecretIsRefused(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	if _, err := mustClient(t, w, "other").Lookup(t.Context(), bakery.CreditCode); !errors.Is(err, registry.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

// TestSignedRequestCannotBeReused replays and bends one good request in every way that must not pass.
func TestSignedRequestCannotBeReused(t *testing.T) {
	t.Parallel()
	w := mustWorld(t)
	body := []byte(`{"creditCode":"` + bakery.CreditCode + `"}`)
	path := "/sandbox/registry/v1/verify"
	now := strconv.FormatInt(w.clock.Now().Unix(), 10)
	good := map[string]string{
		registry.HeaderKey: "district", registry.HeaderTimestamp: now, registry.HeaderNonce: "n-1",
		registry.HeaderSignature: registry.Sign("secret", http.MethodPost, path, now, "n-1", body),
	}
	send := func(query string, body []byte, change func(http.Header)) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/v1/verify"+query, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range good {
			req.Header.Set(k, v)
		}
		change(req.Header)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	keep := func(http.Header) {}
	if got := send("", []byte(`{"creditCode":"x"}`), keep); got != http.StatusUnauthorized {
		t.Errorf("changed body: %d", got)
	}
	if got := send("?a=1", body, keep); got != http.StatusUnauthorized {
		t.Errorf("changed query: %d", got)
	}
	if got := send("", body, func(h http.Header) { h.Set(registry.HeaderKey, "other") }); got != http.StatusUnauthorized {
		t.Errorf("swapped key: %d", got)
	}
	if got := send("", body, func(h http.Header) { h.Add(registry.HeaderNonce, "n-2") }); got != http.StatusUnauthorized {
		t.Errorf("two nonces: %d", got)
	}
	if got := send("", body, keep); got != http.StatusOK {
		t.Fatalf("good request: %d", got)
	}
	if got := send("", body, keep); got != http.StatusUnauthorized {
		t.Errorf("replay: %d", got)
	}
	w.clock.Advance(registry.Tolerance + time.Second)
	good[registry.HeaderNonce] = "n-3"
	good[registry.HeaderSignature] = registry.Sign("secret", http.MethodPost, path, now, "n-3", body)
	if got := send("", body, keep); got != http.StatusUnauthorized {
		t.Errorf("old request: %d", got)
	}
}

func TestSignCoversTheMethod(t *testing.T) {
	t.Parallel()
	got := registry.Sign("secret", "POST", "/v1/verify", "1790000000", "nonce", []byte(`{}`))
	if len(got) != 64 || got != registry.Sign("secret", "POST", "/v1/verify", "1790000000", "nonce", []byte(`{}`)) {
		t.Errorf("got %s", got)
	}
	if got == registry.Sign("secret", "GET", "/v1/verify", "1790000000", "nonce", []byte(`{}`)) {
		t.Error("the method is not signed")
	}
}
