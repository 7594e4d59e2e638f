package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/lease"
)

type work struct {
	bun.BaseModel `bun:"table:works"`
	lease.Columns

	ID   int64 `bun:"id,pk,autoincrement"`
	Done int   `bun:"done,notnull"`
}

var steps = []database.Migration{{ID: "20260101000000_works", Up: func(ctx context.Context, tx bun.Tx) error {
	return database.CreateTables(ctx, tx, (*work)(nil))
}}}

func newTable(t *testing.T) (*lease.Table, *clock.Fake) {
	t.Helper()
	c := clock.NewFake(time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC))
	return &lease.Table{DB: databasetest.New(t, steps), Clock: c, Log: slog.New(slog.DiscardHandler), Name: "works"}, c
}

func ask(t *testing.T, tb *lease.Table) int64 {
	t.Helper()
	var w work
	w.Ask()
	err := tb.DB.RunInTx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&w).ExcludeColumn("id").Returning("id").Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return w.ID
}

func finish(tb *lease.Table, c lease.Claim) error {
	return tb.DB.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		if err := tb.Hold(ctx, tx, c); err != nil {
			return err
		}
		_, err := tx.NewRaw("UPDATE works SET done = done + 1, due = ? WHERE id = ?", false, c.ID).Exec(ctx)
		return err
	})
}

func (w work) of(t *testing.T, tb *lease.Table, id int64) work {
	t.Helper()
	if err := tb.DB.Read().NewSelect().Model(&w).Where("id = ?", id).Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestTakenOver is F-14: a worker pauses beyond its term, another takes over, and the first one's end is refused.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	tb, now := newTable(t)
	id := ask(t, tb)
	first, ok, err := tb.Take(t.Context())
	if err != nil || !ok || first.ID != id || first.Attempts != 1 {
		t.Fatalf("%+v %v %v", first, ok, err)
	}
	if _, ok, _ := tb.Take(t.Context()); ok {
		t.Fatal("held work was given to a second worker")
	}
	now.Advance(44 * time.Second)
	if _, ok, _ := tb.Take(t.Context()); ok {
		t.Fatal("taken over before the term")
	}
	now.Advance(2 * time.Second)
	second, ok, err := tb.Take(t.Context())
	if err != nil || !ok || second.Fence <= first.Fence || second.Attempts != 2 {
		t.Fatalf("%+v %v %v", second, ok, err)
	}
	if err := finish(tb, first); !errors.Is(err, lease.ErrLost) {
		t.Fatalf("the first worker's end was taken: %v", err)
	}
	if err := finish(tb, second); err != nil {
		t.Fatal(err)
	}
	if w := (work{}).of(t, tb, id); w.Done != 1 || w.Due {
		t.Fatalf("%+v", w)
	}
	if _, ok, _ := tb.Take(t.Context()); ok {
		t.Fatal("ended work was given out again")
	}
}

func TestSaysItIsAlive(t *testing.T) {
	t.Parallel()
	tb, now := newTable(t)
	ask(t, tb)
	c, _, err := tb.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now.Advance(40 * time.Second)
	if err := tb.DB.RunInTx(t.Context(), func(ctx context.Context, tx bun.Tx) error { return tb.Hold(ctx, tx, c) }); err != nil {
		t.Fatal(err)
	}
	now.Advance(40 * time.Second)
	if _, ok, _ := tb.Take(t.Context()); ok {
		t.Fatal("a living worker lost its work")
	}
}

// TestHeartbeat has work that outlives its term, on the machine's clock, while another worker looks for it.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	tb, _ := newTable(t)
	tb.Clock, tb.Term = clock.System{}, 3*time.Second // a busy machine may leave it no processor for a second
	id := ask(t, tb)
	other := &lease.Table{DB: tb.DB, Clock: tb.Clock, Log: tb.Log, Name: "works", Term: tb.Term}
	worked, err := tb.Once(t.Context(), func(_ context.Context, c lease.Claim) error {
		for end := time.Now().Add(2 * tb.Term); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if _, ok, err := other.Take(t.Context()); ok || err != nil {
				t.Errorf("taken from a living worker: %v %v", ok, err)
				break
			}
		}
		return finish(tb, c)
	})
	if !worked || err != nil {
		t.Fatal(worked, err)
	}
	if w := (work{}).of(t, tb, id); w.Done != 1 {
		t.Fatalf("%+v", w)
	}
}

func TestCancelledWorkStops(t *testing.T) {
	t.Parallel()
	tb, _ := newTable(t)
	tb.Clock, tb.Term = clock.System{}, 400*time.Millisecond
	id := ask(t, tb)
	worked, err := tb.Once(t.Context(), func(ctx context.Context, _ lease.Claim) error {
		err := tb.DB.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewRaw("UPDATE works SET due = ? WHERE id = ?", false, id).Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	})
	if !worked || err != nil {
		t.Fatal(worked, err)
	}
}

func TestFailedWorkWaits(t *testing.T) {
	t.Parallel()
	tb, now := newTable(t)
	id := ask(t, tb)
	if _, err := tb.Once(t.Context(), func(context.Context, lease.Claim) error { return errors.New("no luck") }); err == nil {
		t.Fatal("the failure was swallowed")
	}
	if _, ok, _ := tb.Take(t.Context()); ok {
		t.Fatal("failed work is tried again at once")
	}
	now.Advance(11 * time.Second)
	if _, err := tb.Once(t.Context(), func(context.Context, lease.Claim) error { panic("mistake") }); err == nil {
		t.Fatal("the panic was swallowed")
	}
	now.Advance(21 * time.Second)
	// the process ends in the middle: the next one begins at once, and the attempt does not count
	ctx, end := context.WithCancel(t.Context())
	if _, err := tb.Once(ctx, func(ctx context.Context, _ lease.Claim) error { end(); return ctx.Err() }); err != nil {
		t.Fatal(err)
	}
	c, ok, err := tb.Take(t.Context())
	if err != nil || !ok || c.ID != id || c.Attempts != 3 {
		t.Fatalf("%+v %v %v", c, ok, err)
	}
}

// TestTakenOverByAClockSetBack: what a worker held by a clock an hour ahead when it was killed is not held for an hour.
func TestTakenOverByAClockSetBack(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	tb, now := newTable(t)
	id := ask(t, tb)
	now.Advance(time.Hour)
	first, ok, err := tb.Take(ctx)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	now.Advance(-time.Hour)
	second, ok, err := tb.Take(ctx)
	if err != nil || !ok || second.ID != id || second.Fence <= first.Fence {
		t.Fatalf("%+v after %+v: %v, %v", second, first, ok, err)
	}
	if err := finish(tb, first); !errors.Is(err, lease.ErrLost) {
		t.Errorf("the first one still writes: %v", err)
	}
}
