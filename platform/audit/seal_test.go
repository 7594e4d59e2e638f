package audit_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

func mustVerify(t *testing.T, db *database.DB) audit.Report {
	t.Helper()
	r, err := audit.Verify(context.Background(), db, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func onlyPostgres(t *testing.T, db *database.DB) {
	t.Helper()
	if db.Kind() != database.Postgres {
		t.Skip("the embedded database has one writer: rows commit in the order of their ids")
	}
}

// A transaction that commits after younger ones is chained when it does, by a sealer that remembers and by one that was
// just started.
func TestRowsCommittedOutOfOrder(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"same sealer": false, "another sealer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			db := databasetest.New(t, audit.Migrations)
			onlyPostgres(t, db)
			c := clock.NewFake(now)
			s := &audit.Sealer{DB: db, Log: slog.Default(), Clock: c}
			defer s.Close()
			pass := func() {
				t.Helper()
				if err := s.Pass(ctx); err != nil {
					t.Fatal(err)
				}
				if restart {
					s.Close()
				}
			}
			slow, err := db.Writer().BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := audit.Write(ctx, slow, actor, now, record(0)); err != nil {
				t.Fatal(err)
			}
			write(t, db, 3)
			undone, err := db.Writer().BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := audit.Write(ctx, undone, actor, now, record(0)); err != nil {
				t.Fatal(err)
			}
			if err := undone.Rollback(); err != nil {
				t.Fatal(err)
			}
			write(t, db, 3)
			pass()
			if r := mustVerify(t, db); !r.OK() || r.Sealed != 6 {
				t.Fatalf("%+v", r)
			}
			c.Advance(time.Hour) // however long it takes, as long as the transaction runs
			write(t, db, 1)
			pass()
			if err := slow.Commit(); err != nil {
				t.Fatal(err)
			}
			if r := mustVerify(t, db); !r.OK() || r.Unsealed != 1 {
				t.Fatalf("%+v", r)
			}
			pass()
			if r := mustVerify(t, db); !r.OK() || r.Sealed != 8 || r.Unsealed != 0 {
				t.Fatalf("%+v", r)
			}
			if restart {
				return
			}
			c.Advance(2 * time.Minute)
			for try := 0; ; try++ { // transactions of other tests on the server hold it up
				pass()
				if s.Gaps() == 0 {
					break
				}
				if try == 500 {
					t.Fatalf("the sealer still looks for %d rows that never came to be", s.Gaps())
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

// Writers and several sealers at once: every row is chained once.
func TestManySealers(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	onlyPostgres(t, db)
	var writers, sealers sync.WaitGroup
	done := make(chan struct{})
	var mu sync.Mutex
	held := 0
	for range 3 {
		s := &audit.Sealer{DB: db, Log: slog.Default()}
		sealers.Go(func() {
			defer s.Close()
			for {
				if err := s.Pass(ctx); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for w := range 4 {
		writers.Go(func() {
			for i := range 60 {
				err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
					if err := audit.Write(ctx, tx, actor, now, record(i)); err != nil {
						return err
					}
					time.Sleep(time.Duration(w+i%5) * time.Millisecond) // so that commits overtake each other
					if i%7 == 0 {
						return context.Canceled
					}
					mu.Lock()
					defer mu.Unlock()
					held++
					return nil
				})
				if err != nil && i%7 != 0 {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	sealers.Wait()
	last := &audit.Sealer{DB: db, Log: slog.Default()}
	if err := last.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	if r := mustVerify(t, db); !r.OK() || r.Sealed != int64(held) || r.Unsealed != 0 {
		t.Fatalf("%d rows: %+v", held, r)
	}
}

// One sealer seals; another takes over when it ends, and at once when its connection is cut.
func TestOneSealerAtATime(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	onlyPostgres(t, db)
	first, second := &audit.Sealer{DB: db, Log: slog.Default()}, &audit.Sealer{DB: db, Log: slog.Default()}
	defer first.Close()
	defer second.Close()
	sealed := func(s *audit.Sealer) int64 {
		t.Helper()
		if err := s.Pass(ctx); err != nil {
			t.Fatal(err)
		}
		return mustVerify(t, db).Sealed
	}
	write(t, db, 1)
	if n := sealed(first); n != 1 {
		t.Fatal(n)
	}
	write(t, db, 1)
	if n := sealed(second); n != 1 {
		t.Fatal("two sealed:", n)
	}
	run(t, db, fmt.Sprintf("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %d AND database = (SELECT oid FROM pg_database WHERE datname = current_database())", database.LockSeal))
	for range 100 { // the server ends the connection when it gets to it
		if n := sealed(second); n == 2 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	write(t, db, 1)
	if err := first.Pass(ctx); err == nil {
		t.Fatal("a sealer without its connection went on")
	}
	if n := sealed(first); n != 2 {
		t.Fatal("two sealed:", n)
	}
	if n := sealed(second); n != 3 {
		t.Fatal(n)
	}
}

// A row with an id that was never given out does not make the sealer skip those still to come.
func TestForgedIDDoesNotCloseTheRest(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, audit.Migrations)
	onlyPostgres(t, db)
	c := clock.NewFake(now)
	s := &audit.Sealer{DB: db, Log: slog.Default(), Clock: c}
	defer s.Close()
	write(t, db, 2)
	run(t, db, "INSERT INTO audit_entries (id, at, actor_id, actor_name, party, ip, trace_id, action, object, object_id, summary, detail) SELECT 9000000, at, 1, '', '', '', '', '', '', 0, '', '{}' FROM audit_entries WHERE id = 1")
	for range 3 {
		if err := s.Pass(ctx); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Hour)
	}
	write(t, db, 2)
	if err := s.Pass(ctx); err != nil {
		t.Fatal(err)
	}
	r := mustVerify(t, db)
	if r.Sealed != 4 || len(r.Problems) != 1 || r.Problems[0].EntryID != 9000000 {
		t.Fatalf("%+v", r)
	}
}
