package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/database/databasetest"
	"github.com/huiqi/huiqi/platform/jobs"
)

var noon = time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC)

// process is one scheduler over a shared database, with the queue that wakes it.
type process struct {
	*jobs.Scheduler

	stop func()
}

func startProcess(t *testing.T, db *database.DB, now clock.Clock, name string, tasks ...jobs.Task) process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	w := jobs.NewWorkers()
	s := jobs.NewScheduler(jobs.SchedulerOptions{DB: db, Clock: now, Log: log, Process: name}, w)
	q, err := jobs.New(ctx, db, w, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Use(q, tasks...); err != nil {
		t.Fatal(err)
	}
	var ended sync.WaitGroup
	ended.Go(func() { _ = s.Run(ctx) })
	ended.Go(func() { _ = q.Run(ctx) })
	p := process{Scheduler: s, stop: sync.OnceFunc(func() { cancel(); ended.Wait() })}
	t.Cleanup(p.stop)
	return p
}

// runs returns the history of a task, newest first.
func (p process) runs(t *testing.T, task string) []jobs.TaskRun {
	t.Helper()
	list, err := p.Runs(context.Background(), jobs.RunFilter{Task: task, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// until waits for what other goroutines bring about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain until %s", what)
}

func (p process) sweep(t *testing.T) {
	t.Helper()
	if err := p.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestTheWorkOfEachTickHappensOnce(t *testing.T) {
	t.Parallel()
	db, now := databasetest.New(t, jobs.Migrations), clock.NewFake(noon)
	var worked atomic.Int64
	task := jobs.Task{Name: "test.count", Title: "数数", Every: time.Minute, Run: func(ctx context.Context) error {
		jobs.Note(ctx, "第 %d 次", worked.Add(1))
		return nil
	}}
	var all []process
	for _, name := range []string{"a/1", "b/2", "c/3"} {
		all = append(all, startProcess(t, db, now, name, task))
	}
	const ticks = 6
	for tick := range ticks {
		if tick > 0 {
			now.Advance(time.Minute)
		}
		var crowd sync.WaitGroup
		for _, p := range all {
			for range 3 {
				crowd.Go(func() {
					if err := p.Sweep(context.Background()); err != nil {
						t.Error(err)
					}
				})
			}
		}
		crowd.Wait()
		until(t, "the tick is worked", func() bool {
			r := all[0].runs(t, "test.count")
			return len(r) > tick && r[0].State == jobs.RunDone
		})
	}
	list := all[0].runs(t, "test.count")
	if len(list) != ticks || worked.Load() != ticks {
		t.Fatalf("%d ticks gave %d runs and were worked %d times", ticks, len(list), worked.Load())
	}
	for i, r := range list {
		if want := noon.Add(time.Duration(ticks-1-i) * time.Minute); !r.Tick.Equal(want) || r.Attempts != 1 || r.Trigger != jobs.ByClock ||
			r.EndedAt == nil || r.StartedAt == nil || r.Process == "" || !strings.HasPrefix(r.Note, "第 ") {
			t.Errorf("run %d: %+v, tick wanted %s", i, r, want)
		}
	}
}

func TestMissedTicksAreCaughtUpOnce(t *testing.T) {
	t.Parallel()
	db, now := databasetest.New(t, jobs.Migrations), clock.NewFake(noon)
	nothing := func(context.Context) error { return nil }
	tasks := []jobs.Task{
		{Name: "test.often", Title: "常做", Every: time.Minute, Run: nothing},
		{Name: "test.daily", Title: "日做", Cron: "0 8 * * *", Run: nothing},
	}
	p := startProcess(t, db, now, "a/1", tasks...)
	settled := func(often, daily int) {
		t.Helper()
		p.sweep(t)
		until(t, "all is done", func() bool {
			for _, task := range []string{"test.often", "test.daily"} {
				for _, r := range p.runs(t, task) {
					if r.State != jobs.RunDone {
						return false
					}
				}
			}
			return true
		})
		if o, d := len(p.runs(t, "test.often")), len(p.runs(t, "test.daily")); o != often || d != daily {
			t.Fatalf("at %s: %d and %d runs, want %d and %d", now.Now(), o, d, often, daily)
		}
	}
	settled(1, 0) // the eight o'clock before the first start is nobody's
	p.stop()
	now.Advance(2*24*time.Hour + 90*time.Second)
	p = startProcess(t, db, now, "a/2", tasks...)
	settled(2, 1)
	settled(2, 1)
	if r := p.runs(t, "test.daily")[0]; !r.Tick.Equal(time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the latest eight o'clock is caught up, not %s", r.Tick)
	}
	// An hour back: the interval goes on, the day is not done twice.
	now.Advance(-time.Hour)
	settled(3, 1)
	now.Advance(time.Minute)
	settled(4, 1)
	now.Advance(24 * time.Hour)
	settled(5, 2)
}

func TestPauseRunNowResume(t *testing.T) {
	t.Parallel()
	db, now := databasetest.New(t, jobs.Migrations), clock.NewFake(noon)
	gate := make(chan struct{})
	task := jobs.Task{Name: "test.held", Title: "等", Every: time.Minute, Run: func(ctx context.Context) error {
		select {
		case <-gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	p := startProcess(t, db, now, "a/1", task)
	act := func(fn func(ctx context.Context, tx bun.Tx) error) error { return db.RunInTx(context.Background(), fn) }
	runNow := func() error {
		return act(func(ctx context.Context, tx bun.Tx) error {
			_, err := p.RunNow(ctx, tx, "test.held", "王芳")
			return err
		})
	}
	p.sweep(t)
	until(t, "it runs", func() bool { r := p.runs(t, "test.held"); return len(r) == 1 && r[0].State == jobs.RunRunning })
	if err := runNow(); !errors.Is(err, jobs.ErrTaskBusy) {
		t.Fatalf("run now while it runs: %v", err)
	}
	now.Advance(10 * time.Second) // not past the lease
	gate <- struct{}{}
	until(t, "it is done", func() bool { return p.runs(t, "test.held")[0].State == jobs.RunDone })

	if err := act(func(ctx context.Context, tx bun.Tx) error {
		return p.Pause(ctx, tx, "test.held", "李强", "等对方修好")
	}); err != nil {
		t.Fatal(err)
	}
	if err := act(func(ctx context.Context, tx bun.Tx) error {
		return p.Pause(ctx, tx, "test.held", "王芳", "再停一次")
	}); !errors.Is(err, jobs.ErrPaused) {
		t.Fatalf("pausing twice: %v", err)
	}
	now.Advance(10 * time.Minute)
	p.sweep(t)
	if n := len(p.runs(t, "test.held")); n != 1 {
		t.Fatalf("a paused task has %d runs", n)
	}
	states, err := p.Tasks(context.Background(), 5)
	if err != nil || states[0].PausedBy != "李强" || states[0].PausedReason != "等对方修好" || !states[0].Next.IsZero() || len(states[0].Recent) != 1 {
		t.Fatalf("%+v, %v", states[0], err)
	}
	if err := runNow(); err != nil {
		t.Fatal(err)
	}
	gate <- struct{}{}
	until(t, "the asked run is done", func() bool { return p.runs(t, "test.held")[0].State == jobs.RunDone })
	if r := p.runs(t, "test.held")[0]; r.AskedBy != "王芳" || r.Trigger != jobs.ByPerson {
		t.Errorf("%+v", r)
	}
	if err := act(func(ctx context.Context, tx bun.Tx) error { return p.Resume(ctx, tx, "test.held") }); err != nil {
		t.Fatal(err)
	}
	now.Advance(30 * time.Second)
	p.sweep(t)
	if n := len(p.runs(t, "test.held")); n != 2 {
		t.Fatalf("resuming catches nothing up, but there are %d runs", n)
	}
	now.Advance(30 * time.Second)
	p.sweep(t)
	until(t, "the next tick is worked", func() bool { return len(p.runs(t, "test.held")) == 3 })
	close(gate)
}

func TestFailures(t *testing.T) {
	t.Parallel()
	db, now := databasetest.New(t, jobs.Migrations), clock.NewFake(noon)
	var daily atomic.Int64
	p := startProcess(t, db, now, "a/1",
		jobs.Task{Name: "test.breaks", Title: "坏", Every: time.Hour, Run: func(context.Context) error { panic("out of paper") }},
		jobs.Task{Name: "test.slow", Title: "慢", Every: time.Hour, Timeout: time.Millisecond, Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}},
		jobs.Task{Name: "test.daily", Title: "日做", Cron: "30 12 * * *", Run: func(context.Context) error {
			if daily.Add(1) < 3 {
				return errors.New("not yet")
			}
			return nil
		}})
	p.sweep(t)
	until(t, "it failed", func() bool { r := p.runs(t, "test.breaks"); return len(r) == 1 && r[0].State == jobs.RunFailed })
	failed := p.runs(t, "test.breaks")[0]
	if !strings.Contains(failed.Error, "out of paper") {
		t.Errorf("%+v", failed)
	}
	err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		_, err := p.Retry(ctx, tx, failed.ID, "王芳")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "it failed again", func() bool { r := p.runs(t, "test.breaks"); return len(r) == 2 && r[0].State == jobs.RunFailed })
	p.sweep(t)
	until(t, "what takes too long is ended", func() bool { r := p.runs(t, "test.slow"); return len(r) == 1 && r[0].State == jobs.RunFailed })
	if r := p.runs(t, "test.slow")[0]; !strings.Contains(r.Error, "未完成，已中止") {
		t.Errorf("%+v", r)
	}

	now.Advance(30 * time.Minute) // 12:30 in Beijing
	for i := range 3 {
		switch i {
		case 1:
			now.Advance(time.Minute)
		case 2: // a person does not wait the five minutes
			err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
				_, err := p.RunNow(ctx, tx, "test.daily", "王芳")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		p.sweep(t)
		until(t, "it was tried", func() bool {
			r := p.runs(t, "test.daily")
			return len(r) == 1 && r[0].Attempts == i+1 && r[0].State != jobs.RunRunning
		})
		p.sweep(t) // too early for another try
	}
	if r := p.runs(t, "test.daily")[0]; r.State != jobs.RunDone || r.Error != "" || daily.Load() != 3 {
		t.Errorf("%+v after %d tries", r, daily.Load())
	}
	err = db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		_, err := p.Retry(ctx, tx, p.runs(t, "test.daily")[0].ID, "王芳")
		return err
	})
	if !errors.Is(err, jobs.ErrNotFailed) {
		t.Errorf("retry of what is done: %v", err)
	}
}

func TestARunIsTakenOverAndTheFirstOwnerIsRefused(t *testing.T) {
	t.Parallel()
	db, now := databasetest.New(t, jobs.Migrations), clock.NewFake(noon)
	entered, leave := make(chan string, 4), make(chan struct{})
	task := func(name string) jobs.Task {
		return jobs.Task{Name: "test.long", Title: "长", Every: time.Hour, Run: func(ctx context.Context) error {
			entered <- name
			<-leave // like a process that hangs: it does not look at ctx
			jobs.Note(ctx, "由 %s 完成", name)
			return nil
		}}
	}
	a := startProcess(t, db, now, "a/1", task("a"))
	a.sweep(t)
	if who := <-entered; who != "a" {
		t.Fatal(who)
	}
	b := startProcess(t, db, now, "b/2", task("b"))
	b.sweep(t)
	now.Advance(44 * time.Second)
	b.sweep(t)
	if r := b.runs(t, "test.long"); len(r) != 1 || r[0].Process != "a/1" {
		t.Fatalf("taken too early: %+v", r)
	}
	now.Advance(2 * time.Second)
	b.sweep(t)
	until(t, "somebody takes over", func() bool { return b.runs(t, "test.long")[0].Attempts == 2 })
	<-entered
	taken := b.runs(t, "test.long")[0]
	close(leave)
	until(t, "it is done", func() bool { return b.runs(t, "test.long")[0].State == jobs.RunDone })
	if r := b.runs(t, "test.long")[0]; r.Process != taken.Process || !strings.Contains(r.Note, "接手") || r.Attempts != 2 || len(b.runs(t, "test.long")) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestAProcessThatStopsGivesItsRunBack(t *testing.T) {
	t.Parallel()
	db, now := databasetest.New(t, jobs.Migrations), clock.NewFake(noon)
	entered := make(chan struct{}, 2)
	var finish atomic.Bool
	task := jobs.Task{Name: "test.long", Title: "长", Every: time.Hour, Run: func(ctx context.Context) error {
		entered <- struct{}{}
		if finish.Load() {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	a := startProcess(t, db, now, "a/1", task)
	a.sweep(t)
	<-entered
	a.stop()
	if r := a.runs(t, "test.long")[0]; r.State != jobs.RunWaiting || r.Attempts != 0 || r.Claim != "" {
		t.Fatalf("%+v", r)
	}
	finish.Store(true)
	b := startProcess(t, db, now, "b/2", task)
	b.sweep(t)
	<-entered
	until(t, "b has done it", func() bool { r := b.runs(t, "test.long")[0]; return r.State == jobs.RunDone && r.Process == "b/2" })
}

func TestTasksThatCannotBe(t *testing.T) {
	t.Parallel()
	run := func(context.Context) error { return nil }
	good := jobs.Task{Name: "a.b", Title: "好", Every: time.Minute, Run: run}
	for name, list := range map[string][]jobs.Task{
		"no name":    {{Title: "好", Every: time.Minute, Run: run}},
		"no title":   {{Name: "a.b", Every: time.Minute, Run: run}},
		"no work":    {{Name: "a.b", Title: "好", Every: time.Minute}},
		"no time":    {{Name: "a.b", Title: "好", Run: run}},
		"two times":  {{Name: "a.b", Title: "好", Every: time.Minute, Cron: "0 8 * * *", Run: run}},
		"too often":  {{Name: "a.b", Title: "好", Every: time.Second, Run: run}},
		"not cron":   {{Name: "a.b", Title: "好", Cron: "0 25 * * *", Run: run}},
		"descriptor": {{Name: "a.b", Title: "好", Cron: "@every 1m", Run: run}},
		"twice":      {good, good},
	} {
		s := jobs.NewScheduler(jobs.SchedulerOptions{}, jobs.NewWorkers())
		if err := s.Use(nil, list...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for task, want := range map[*jobs.Task]string{
		{Cron: "0 8 * * *"}: "每天 08:00 2026-11-28 00:00", {Cron: "30 2 * * 0"}: "每周日 02:30 2026-11-28 18:30",
		{Every: 90 * time.Second}: "每 90 秒 2026-11-27 04:01", {Every: 2 * time.Hour}: "每 2 小时 2026-11-27 06:00", {Cron: "0 8 1 1 *"}: "按计划 0 8 1 1 * 2027-01-01 00:00",
	} {
		if got := task.When() + " " + task.Next(noon).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestHistoryIsKeptAsLongAsItServes(t *testing.T) {
	t.Parallel()
	db, now := databasetest.New(t, jobs.Migrations), clock.NewFake(noon)
	nothing := func(context.Context) error { return nil }
	p := startProcess(t, db, now, "a/1", jobs.Task{Name: "test.often", Title: "常做", Every: time.Minute, Run: nothing},
		jobs.Task{Name: "test.daily", Title: "日做", Cron: "0 8 * * *", Run: nothing})
	var kept []jobs.TaskRun
	for i, r := range []struct {
		task  string
		state jobs.RunState
		age   time.Duration
		stays bool
	}{
		{"test.often", jobs.RunDone, 4 * 24 * time.Hour, false}, {"test.often", jobs.RunDone, 2 * 24 * time.Hour, true},
		{"test.often", jobs.RunFailed, 100 * 24 * time.Hour, true}, {"test.often", jobs.RunFailed, 181 * 24 * time.Hour, false},
		{"test.daily", jobs.RunDone, 100 * 24 * time.Hour, true}, {"test.daily", jobs.RunDone, 181 * 24 * time.Hour, false},
		{"test.gone", jobs.RunDone, 181 * 24 * time.Hour, false}, {"test.often", jobs.RunWaiting, 0, true},
	} {
		ended := noon.Add(-r.age)
		run := jobs.TaskRun{Task: r.task, Round: 100, Tick: ended.Add(time.Duration(i)), State: r.state, WakeAt: noon.Add(time.Hour), EndedAt: &ended}
		err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&run).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.stays {
			kept = append(kept, run)
		}
	}
	err := db.RunInTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		_, err := p.RunNow(ctx, tx, "jobs.tidy", "王芳")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "it is tidied", func() bool { r := p.runs(t, "jobs.tidy"); return len(r) == 1 && r[0].State == jobs.RunDone })
	var ids []int64
	if err := db.Read().NewSelect().Model((*jobs.TaskRun)(nil)).Column("id").Where("round = 100").Order("id").Scan(context.Background(), &ids); err != nil {
		t.Fatal(err)
	}
	if len(ids) != len(kept) {
		t.Fatalf("kept %v, want %+v", ids, kept)
	}
	for i, r := range kept {
		if ids[i] != r.ID {
			t.Errorf("kept %d, want %+v", ids[i], r)
		}
	}
}
