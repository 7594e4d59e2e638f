package jobs_test

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/jobs"
)

// TestTicksOfTheDayGoOnAfterAFalseClock: a clock that was 100 days ahead for a while leaves nothing undone for 100 days, and
// nothing is done twice.
func TestTicksOfTheDayGoOnAfterAFalseClock(t *testing.T) {
	t.Parallel()
	db, now := databasetest.New(t, jobs.Migrations), clock.NewFake(noon)
	var worked atomic.Int64
	p := startProcess(t, db, now, "a/1", jobs.Task{Name: "test.daily", Title: "日报", Cron: "30 2 * * *", Run: func(context.Context) error {
		worked.Add(1)
		return nil
	}})
	p.sweep(t)
	for i, c := range []struct {
		by   time.Duration
		want int64
		what string
	}{
		{24 * time.Hour, 1, "the next day"},
		{100 * 24 * time.Hour, 2, "by a clock 100 days ahead"},
		{-100 * 24 * time.Hour, 2, "by the right clock again, the same day"},
		{time.Minute, 2, "a minute later"},
		{24 * time.Hour, 3, "a day later"},
		{24 * time.Hour, 4, "another day later"},
		{-time.Hour, 4, "an hour back"},
		{25 * time.Hour, 5, "and on"},
	} {
		now.Advance(c.by)
		p.sweep(t)
		until(t, c.what, func() bool {
			return !slices.ContainsFunc(p.runs(t, "test.daily"), func(r jobs.TaskRun) bool { return r.State != jobs.RunDone })
		})
		if n := worked.Load(); n != c.want {
			t.Fatalf("%d, %s: worked %d times, want %d", i, c.what, n, c.want)
		}
	}
}

// TestARunIsTakenOverByAClockSetBack: a process was killed in the midst of a run, and the clock set back before another began.
func TestARunIsTakenOverByAClockSetBack(t *testing.T) {
	t.Parallel()
	db, now := databasetest.New(t, jobs.Migrations), clock.NewFake(noon)
	var worked atomic.Int64
	p := startProcess(t, db, now, "b/2", jobs.Task{Name: "test.count", Title: "数数", Every: time.Minute, Run: func(context.Context) error {
		worked.Add(1)
		return nil
	}})
	p.sweep(t)
	until(t, "it is worked", func() bool { r := p.runs(t, "test.count"); return len(r) == 1 && r[0].State == jobs.RunDone })
	exec(t, db, "UPDATE task_runs SET state = 'running', claim = 'gone', process = 'a/1', ended_at = NULL, lease_ends = ?", noon.Add(time.Hour+45*time.Second))
	now.Advance(time.Second)
	p.sweep(t)
	until(t, "it is taken over", func() bool {
		r := p.runs(t, "test.count")
		return worked.Load() == 2 && r[len(r)-1].State == jobs.RunDone && r[len(r)-1].Process == "b/2"
	})
}

func exec(t *testing.T, db *database.DB, query string, args ...any) {
	t.Helper()
	err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw(query, args...).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// TestJobsOfAClockSetBackRun: what was asked for by a clock an hour ahead runs when it was set right, and what was asked for
// before keeps its time.
func TestJobsOfAClockSetBackRun(t *testing.T) {
	t.Parallel()
	db := databasetest.New(t, jobs.Migrations)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan int64, 10)
	w := jobs.NewWorkers()
	jobs.Work(w, func(_ context.Context, a remind) error {
		ran <- a.ID
		return nil
	})
	q, err := jobs.New(ctx, db, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	insert := func(id int64, o ...jobs.Option) {
		t.Helper()
		if err := db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return q.Insert(ctx, tx, remind{ID: id}, o...) }); err != nil {
			t.Fatal(err)
		}
	}
	ahead := func(columns ...string) {
		t.Helper()
		for _, column := range columns {
			if db.Kind() == database.SQLite {
				exec(t, db, "UPDATE river_job SET "+column+" = strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 hour') WHERE created_at < datetime('now', '+1 minute')")
			} else {
				exec(t, db, "UPDATE river_job SET "+column+" = now() + interval '1 hour' WHERE created_at < now() + interval '1 minute'")
			}
		}
	}
	insert(1)
	insert(2)
	exec(t, db, "UPDATE river_job SET state = 'running', attempt = 1 WHERE id = 2")
	ahead("scheduled_at", "attempted_at", "created_at")
	insert(3, jobs.At(time.Now().Add(time.Hour))) // by the right clock
	if err := q.SetBack(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	select {
	case id := <-ran:
		if id != 1 {
			t.Errorf("job %d ran", id)
		}
	case <-time.After(20 * time.Second):
		t.Error("what was asked for by the clock of before does not run")
	}
	var left []string
	if err := db.Read().NewRaw("SELECT CAST(state AS text) FROM river_job WHERE id <> 1 ORDER BY id").Scan(ctx, &left); err != nil || !slices.Equal(left, []string{"running", "scheduled"}) {
		t.Errorf("the others are %v, %v", left, err)
	}
	stuck := db.Read().NewRaw("SELECT id FROM river_job WHERE state = 'running' AND attempted_at > ?", time.Now().Add(time.Minute))
	var ids []int64
	if db.Kind() == database.SQLite {
		stuck = db.Read().NewRaw("SELECT id FROM river_job WHERE state = 'running' AND attempted_at > datetime('now', '+1 minute')")
	}
	if err := stuck.Scan(ctx, &ids); err != nil || len(ids) != 0 {
		t.Errorf("what a dead process was working is given to nobody: %v, %v", ids, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
