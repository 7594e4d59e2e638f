package server

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

// district is a copy of the demo district as its loading leaves it: the address of the database, the folder beside it, which
// holds the embedded one, and the key.
type district struct {
	url, data, key string
}

// districtFolder is what the loading wrote beside the database, made with it once per process.
var districtFolder string

// newDistrict returns a copy of the district for a process that opens it itself.
func newDistrict(t *testing.T) district {
	t.Helper()
	d := district{url: databasetest.Copy(t, Migrations(), "district", fillDistrict), data: filepath.Join(t.TempDir(), "demo")}
	must(0, os.CopyFS(d.data, os.DirFS(districtFolder)))(t)
	d.key = must(readDemo(d.data))(t).Key
	if path := filepath.Join(d.data, "huiqi.db"); !strings.Contains(d.url, "://") {
		must(0, os.Rename(d.url, path))(t)
		d.url = path
	}
	return d
}

func fillDistrict(ctx context.Context, db *database.DB) error {
	var err error
	if districtFolder, err = os.MkdirTemp("", "huiqi-district-*"); err != nil {
		return err
	}
	c, err := Load("", map[string]any{"data": districtFolder, "demo": true})
	if err != nil {
		return err
	}
	demo, err := readDemo(districtFolder)
	if err != nil {
		return err
	}
	h, err := build(ctx, c, db, demo.Key, parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}}})
	if err != nil {
		return err
	}
	defer h.queue.Close()
	return h.prepare(ctx, c, demo.Key, io.Discard)
}

// open opens the district as a process of the product does.
func (d district) open(t *testing.T) (*database.DB, Config) {
	t.Helper()
	db := must(database.Open(context.Background(), d.url))(t)
	t.Cleanup(func() { db.Close() })
	c := must(Load("", map[string]any{"data": d.data, "demo": true, "requests_per_minute": 1_000_000}))(t)
	c.Database = d.url
	return db, c
}

// TestDemoDistrict counts the whole district as it was loaded: every kind of content is there, in every state that the product
// knows, nobody was told of any of it, and the log of it is whole.
func TestDemoDistrict(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d := newDistrict(t)
	db, c := d.open(t)
	h := must(build(ctx, c, db, d.key, parts{log: slog.New(slog.DiscardHandler), clock: clock.System{}, outside: outside{sender: silent{}}}))(t)
	if err := h.ensureDemo(ctx, c, d.key, io.Discard); err != nil {
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
		{"words between companies and institutions", "SELECT count(*) FROM conversation_notes", 6},
		{"contracts sent and drafted", "SELECT count(DISTINCT state) FROM contracts", 2},
		{"pieces of evidence", "SELECT count(*) FROM evidence_pieces", 4},
		{"offline services that wait, are confirmed and denied", "SELECT count(DISTINCT state) FROM offline_services", 3},
		{"papers that wait for review", "SELECT count(*) FROM institution_renewals WHERE state = 'waiting'", 1},
		{"newcomers that wait for review", "SELECT count(*) FROM institution_applications WHERE state = 'waiting'", 1},
		{"policies", "SELECT count(*) FROM policies", 40},
		{"news", "SELECT count(*) FROM articles WHERE kind = 'news'", 40},
		{"tickets", "SELECT count(*) FROM tickets", 300},
		{"applications", "SELECT count(*) FROM applications", 60},
		{"states of tickets", "SELECT count(DISTINCT status) FROM tickets", 9},
		{"states of applications", "SELECT count(DISTINCT status) FROM applications", 9},
		{"tickets of the alarm about one street", "SELECT coalesce(max(n), 0) FROM supervision_alarms WHERE matter = '050101' AND area = '110112001'", 6},
		{"kinds of products", "SELECT count(DISTINCT kind) FROM product_editions", 8},
	} {
		if n := count(k.query); n < k.least {
			t.Errorf("%d %s, want at least %d", n, k.what, k.least)
		}
	}
	for what, query := range map[string]string{
		"invented companies without the mark": "SELECT count(*) FROM enterprises WHERE name NOT LIKE '%〔演示〕%'",
		"codes outside the block of the demo": "SELECT count(*) FROM enterprises WHERE credit_code IS NOT NULL AND credit_code NOT LIKE '9199%'",
		"tickets of another matter, place or hour in what supervisors watch": `SELECT count(*) FROM supervision_seen AS e JOIN tickets AS t ON t.id = e.ticket_id
			WHERE e.matter <> t.type_code OR t.area <> '' AND e.area <> t.area OR e.at <> t.created_at`,
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
