package database_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
)

// TestDeadlockIsTriedAgain is the part of F-10 about PostgreSQL's own refusals: two writers lock two rows crosswise, one is
// chosen as the victim, and both end well; so does one that loses a race of serialization. What fails each time fails.
func TestDeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := databasetest.New(t, steps)
	if db.Kind() != database.Postgres {
		t.Skip("one writer at a time cannot deadlock")
	}
	for _, text := range []string{"甲", "乙"} {
		if err := db.RunInTx(ctx, insert(text)); err != nil {
			t.Fatal(err)
		}
	}
	touch := func(ctx context.Context, tx bun.Tx, id int) error {
		_, err := tx.NewRaw("UPDATE notes SET text = text || '.' WHERE id = ?", id).Exec(ctx)
		return err
	}
	var met sync.WaitGroup
	met.Add(2)
	var runs atomic.Int32
	var both sync.WaitGroup
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		both.Go(func() {
			first := true
			err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				runs.Add(1)
				if err := touch(ctx, tx, order[0]); err != nil {
					return err
				}
				if first { // both hold one row before either asks for the other
					first = false
					met.Done()
					met.Wait()
				}
				return touch(ctx, tx, order[1])
			})
			if err != nil {
				t.Errorf("%v: %v", order, err)
			}
		})
	}
	both.Wait()
	if runs.Load() < 3 { // the victim may be quick and take its row again before the other does: then there is another
		t.Errorf("%d runs: there was no victim", runs.Load())
	}
	var texts []string
	if err := db.Read().NewSelect().Model((*note)(nil)).Column("text").OrderExpr("id").Scan(ctx, &texts); err != nil || len(texts) != 2 || texts[0] != "甲.." || texts[1] != "乙.." {
		t.Errorf("%v %v", texts, err)
	}

	refuse := func(times int32) (int32, error) {
		var n atomic.Int32
		err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			if n.Add(1) > times {
				return nil
			}
			_, err := tx.ExecContext(ctx, "DO $$ BEGIN RAISE EXCEPTION 'lost a race' USING ERRCODE = '40001'; END $$")
			return err
		})
		return n.Load(), err
	}
	if n, err := refuse(2); n != 3 || err != nil {
		t.Errorf("refused twice: %d runs, %v", n, err)
	}
	if n, err := refuse(100); n != 4 || err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("refused always: %d runs, %v", n, err)
	}
}
