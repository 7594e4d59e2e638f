package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/huiqi/huiqi/integrations/registry"
	"github.com/huiqi/huiqi/integrations/sandbox"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/uscc"
)

// TestPages reads a whole register page by page over a registry that is out of order for a while.
func TestPages(t *testing.T) {
	t.Parallel()
	const all = 2350
	var list []registry.Company
	for i := range all {
		list = append(list, registry.Company{Name: fmt.Sprintf("企业%d", i), CreditCode: string(uscc.Demo(i + 1)), Status: "存续"})
	}
	fake := clock.NewFake(time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC))
	box, err := sandbox.New(sandbox.Options{DataDir: t.TempDir(), Clock: fake, Companies: list, Secrets: sandbox.Secrets{RegistryKey: "district", RegistrySecret: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(box.Handler())
	t.Cleanup(func() { web.Close(); _ = box.Close() })
	var waited []time.Duration
	client := func(secret string) *registry.Client {
		c, err := registry.New(registry.Config{BaseURL: web.URL + "/sandbox/registry", Key: "district", Secret: secret, Clock: fake, Pause: func(_ context.Context, d time.Duration) error {
			waited = append(waited, d)
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	trouble := func(m sandbox.Mode, count int) {
		if err := box.SetFault(t.Context(), sandbox.Fault{Target: "registry", Mode: m, Count: count}); err != nil {
			t.Fatal(err)
		}
	}
	c := client("secret")
	seen := map[string]bool{}
	pages, cursor := 0, ""
	for {
		if pages == 1 {
			trouble(sandbox.Fail, 3)
		}
		if pages == 2 {
			trouble(sandbox.Garbage, 1)
		}
		p, err := c.Page(t.Context(), cursor, 1000)
		if err != nil || p.Total != all || len(p.Companies) > 1000 {
			t.Fatalf("%d of %d: %v", len(p.Companies), p.Total, err)
		}
		again, err := c.Page(t.Context(), cursor, 1000)
		if err != nil || len(again.Companies) != len(p.Companies) || again.Next != p.Next {
			t.Fatal("the same cursor gives another page", err)
		}
		for _, x := range p.Companies {
			if seen[x.CreditCode] {
				t.Fatalf("%s twice", x.CreditCode)
			}
			seen[x.CreditCode] = true
		}
		pages++
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if pages != 3 || len(seen) != all {
		t.Errorf("%d companies in %d pages", len(seen), pages)
	}
	if len(waited) != 4 || waited[0] >= waited[1] || waited[1] >= waited[2] {
		t.Errorf("waited %v", waited)
	}
	trouble(sandbox.Fail, 0)
	waited = nil
	if _, err := c.Page(t.Context(), "", 1000); !errors.Is(err, registry.ErrUnavailable) || len(waited) != 5 {
		t.Errorf("given up with %v after %v", err, waited)
	}
	trouble(sandbox.OK, 0)
	waited = nil
	if _, err := client("wrong").Page(t.Context(), "", 1000); !errors.Is(err, registry.ErrRefused) || len(waited) != 0 {
		t.Errorf("%v after %v", err, waited)
	}
}
