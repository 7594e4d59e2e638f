package audit_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

// TestMany seals and verifies as many rows as AUDIT_ROWS says, 3,000 without it, and logs what it took. Memory must not
// grow with the log.
func TestMany(t *testing.T) {
	rows := 3000
	if s := os.Getenv("AUDIT_ROWS"); s != "" {
		var err error
		if rows, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	bulk(t, db, rows)
	s := &audit.Sealer{DB: db, Log: slog.Default()}
	defer s.Close()
	timed := func(what string, fn func() error) {
		t.Helper()
		at := time.Now()
		if err := fn(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s %d rows: %s: %v", db.Kind(), rows, what, time.Since(at).Round(10*time.Microsecond))
	}
	timed("seal all", func() error { return s.Pass(ctx) })
	timed("100 idle passes", func() error {
		for range 100 {
			if err := s.Pass(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	timed("first pass of another process", func() error { s.Close(); return s.Pass(ctx) })
	timed("the anti-join over the whole table, as it was", func() error {
		var n int
		return db.Read().NewRaw("SELECT count(*) FROM (SELECT 1 FROM audit_entries a WHERE NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.entry_id = a.id) LIMIT 1) x").Scan(ctx, &n)
	})
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak, told := uint64(0), 0
	timed("verify", func() error {
		r, err := audit.Verify(ctx, db, audit.Options{Progress: func(done, total int64) {
			told++
			if told%20 == 1 {
				runtime.ReadMemStats(&during)
				peak = max(peak, during.HeapInuse)
			}
			if total != int64(rows) || done > total {
				t.Errorf("progress %d of %d", done, total)
			}
		}})
		if err == nil && (!r.OK() || r.Sealed != int64(rows) || r.Unsealed != 0) {
			err = fmt.Errorf("%+v", r)
		}
		return err
	})
	if peak > before.HeapInuse {
		t.Logf("verify: heap grew by %d MB", (peak-before.HeapInuse)>>20)
		if peak-before.HeapInuse > 64<<20 {
			t.Errorf("verify held %d MB", (peak-before.HeapInuse)>>20)
		}
	}
	timed("standing", func() error { _, err := audit.Standing(ctx, db.Read()); return err })
}

func bulk(t *testing.T, db *database.DB, rows int) {
	t.Helper()
	series := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %[1]d)"
	at := "strftime('%%Y-%%m-%%d %%H:%%M:%%S', '2026-01-01', '+' || i || ' seconds') || '.123456+00:00'"
	if db.Kind() == database.Postgres {
		series = "WITH n(i) AS (SELECT generate_series(1, %[1]d))"
		at = "TIMESTAMP '2026-01-01' + i * INTERVAL '1 second'"
	}
	insert := "INSERT INTO audit_entries (at, actor_id, actor_name, party, ip, trace_id, action, object, object_id, summary, detail) "
	columns := "SELECT " + at + ", i %% 500, '经办人' || (i %% 500), 'platform', '10.0.3.' || (i %% 250), '0af7651916cd43dd8448eb211c80319c', 'ticket.assign', 'ticket', i, '派发工单 ' || i || ' 至承办单位', '{\"from\":\"waiting\",\"to\":\"assigned\",\"unit\":' || (i %% 300) || '}' FROM n"
	// SQLite wants WITH first, PostgreSQL takes it there too when the insert's SELECT carries it
	run(t, db, insert+fmt.Sprintf(series+" "+columns, rows))
	if db.Kind() == database.Postgres {
		run(t, db, "ANALYZE audit_entries")
	}
}
