package server

import (
	"context"
	"io"
	"testing"

	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/secret"
)

// TestDemoDistrict loads the whole district and counts it: every kind of content is there, in every state that the product
// knows, nobody was told of any of it, and the log of it is whole.
func TestDemoDistrict(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := testHouse(t)
	c, err := Load("", map[string]any{"data": t.TempDir(), "demo": true})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.ensureDemo(ctx, c, secret.NewKey(), io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := h.ensureDemo(ctx, c, secret.NewKey(), io.Discard); err != nil {
		t.Fatalf("a second start: %v", err)
	}
	count := func(query string) (n int) {
		if err := h.db.Read().NewRaw(query).Scan(ctx, &n); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return n
	}
	for _, k := range []struct {
		what, query string
		least       int
	}{
		{"departments", "SELECT count(*) FROM departments", 80},
		{"streets and towns", "SELECT count(*) FROM departments WHERE name LIKE '%办事处%' OR name LIKE '%人民政府〔演示〕'", 22},
		{"institutions", "SELECT count(*) FROM institutions", 15},
		{"companies", "SELECT count(*) FROM enterprises", 200},
		{"verified companies", "SELECT count(*) FROM enterprises WHERE verification = 'verified'", 150},
		{"products", "SELECT count(*) FROM products", 60},
		{"policies", "SELECT count(*) FROM policies", 40},
		{"news", "SELECT count(*) FROM articles WHERE kind = 'news'", 40},
		{"tickets", "SELECT count(*) FROM tickets", 300},
		{"applications", "SELECT count(*) FROM applications", 60},
		{"states of tickets", "SELECT count(DISTINCT status) FROM tickets", 9},
		{"states of applications", "SELECT count(DISTINCT status) FROM applications", 9},
		{"kinds of products", "SELECT count(DISTINCT kind) FROM product_editions", 8},
	} {
		if n := count(k.query); n < k.least {
			t.Errorf("%d %s, want at least %d", n, k.what, k.least)
		}
	}
	for what, query := range map[string]string{
		"invented companies without the mark":  "SELECT count(*) FROM enterprises WHERE name NOT LIKE '%〔演示〕%'",
		"codes outside the block of the demo":  "SELECT count(*) FROM enterprises WHERE credit_code IS NOT NULL AND credit_code NOT LIKE '9199%'",
		"messages about what was never new":    "SELECT count(*) FROM messages",
		"pushes of what was never new":         "SELECT count(*) FROM exchange_deliveries",
		"text messages about the past":         "SELECT count(*) FROM sms_messages",
		"events that the listeners still have": "SELECT count(*) FROM events WHERE pos > (SELECT min(pos) FROM event_cursors)",
	} {
		if n := count(query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	if err := h.feed.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if n := count("SELECT count(*) FROM messages"); n != 0 {
		t.Errorf("%d messages after the listeners ran", n)
	}
	if err := h.sealer.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := audit.Verify(ctx, h.db, audit.Options{Signer: h.box})
	if err != nil || !r.OK() || r.Sealed < 2000 {
		t.Errorf("audit: %d sealed, %v, %v", r.Sealed, r.Problems, err)
	}
}
