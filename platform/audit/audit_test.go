package audit_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

var now = time.Date(2026, 11, 22, 6, 0, 0, 123456000, time.UTC)

func write(t *testing.T, db *database.DB, n int) {
	t.Helper()
	for i := range n {
		err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			return audit.Write(ctx, tx, access.Actor{UserID: 7, Name: "王芳", Party: access.Platform, IP: "127.0.0.1"}, now.Add(time.Duration(i)*time.Second),
				audit.Record{Action: "ticket.close", Object: "ticket", ObjectID: int64(i + 1), Summary: "办结工单", Detail: map[string]int{"n": i}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// unlock removes the triggers, as somebody with the database file could.
func unlock(t *testing.T, db *database.DB) {
	t.Helper()
	list := []string{
		"DROP TRIGGER audit_entries_no_UPDATE", "DROP TRIGGER audit_entries_no_DELETE", "DROP TRIGGER audit_seals_no_UPDATE", "DROP TRIGGER audit_seals_no_DELETE",
	}
	if db.Kind() == database.Postgres {
		list = []string{"DROP TRIGGER audit_entries_fixed ON audit_entries", "DROP TRIGGER audit_seals_fixed ON audit_seals"}
	}
	for _, s := range list {
		if _, err := db.Writer().ExecContext(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"nothing done": "",
		"edited":       "UPDATE audit_entries SET summary = '改过' WHERE object_id = 3",
		"deleted":      "DELETE FROM audit_entries WHERE object_id = 3",
		"seal edited":  "UPDATE audit_seals SET hash = 'x' WHERE seq = 4",
		"seal deleted": "DELETE FROM audit_seals WHERE seq = 2",
	}
	for name, statement := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			db := databasetest.New(t, audit.Migrations)
			write(t, db, 6)
			s := audit.Sealer{DB: db, Log: slog.Default()}
			if err := s.Seal(ctx); err != nil {
				t.Fatal(err)
			}
			write(t, db, 1)
			if statement != "" {
				unlock(t, db)
				if _, err := db.Writer().ExecContext(ctx, statement); err != nil {
					t.Fatal(err)
				}
			}
			r, err := audit.Verify(ctx, db)
			if err != nil {
				t.Fatal(err)
			}
			if statement == "" && (!r.OK() || r.Sealed != 6 || r.Unsealed != 1) {
				t.Fatalf("untouched log: %+v", r)
			}
			if statement != "" && r.OK() {
				t.Fatalf("tampering was not found: %+v", r)
			}
		})
	}
}

func TestRowsCannotBeChanged(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	write(t, db, 1)
	for _, s := range []string{"UPDATE audit_entries SET summary = 'x'", "DELETE FROM audit_entries"} {
		if _, err := db.Writer().ExecContext(ctx, s); err == nil {
			t.Fatalf("%s was allowed", s)
		}
	}
}
