package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/heap"
	"github.com/huiqi/huiqi/platform/relay"
	"github.com/huiqi/huiqi/platform/secret"
)

// take counts requests for all processes together; nil when this one is alone.
func (p parts) take() func(context.Context, string, int) (time.Duration, bool) {
	if p.relay == nil {
		return nil
	}
	return p.relay.Take
}

// join opens the line to the other processes, when one is configured.
func join(c Config, log *slog.Logger) (*relay.Relay, func(), error) {
	if c.Redis.URL == "" {
		return nil, func() {}, nil
	}
	r, err := relay.Open(c.Redis.URL, processName()+"/"+secret.Token()[:8], log)
	if err != nil {
		return nil, nil, err
	}
	return r, func() { _ = r.Close() }, nil
}

// skewed is from when on two clocks are too far apart for leases and deadlines to mean the same.
const skewed = 2 * time.Second

// accompany runs what every process has beside its own work: the line to the others, an eye on the clock, and room for garbage.
func (h *house) accompany(ctx context.Context, g *errgroup.Group, p parts) error {
	if err := h.clockAtStart(ctx); err != nil {
		return err
	}
	if p.relay != nil {
		g.Go(func() error { return p.relay.Run(ctx) })
	}
	for _, run := range h.everywhere {
		g.Go(func() error { return run(ctx) })
	}
	g.Go(func() error {
		heap.Ease(ctx)
		return nil
	})
	g.Go(func() error {
		clock.Watch(ctx, time.Second, skewed, func(jump time.Duration) {
			p.log.Error("the clock of this machine was set; check its time service", "seconds", jump.Seconds())
			if err := h.clockWasSet(ctx, jump); err != nil {
				p.log.Error("mend what the clock left", "error", err)
			}
		})
		return nil
	})
	if h.db.Kind() != database.Postgres {
		return nil
	}
	g.Go(func() error {
		tick := time.NewTicker(time.Minute)
		defer tick.Stop()
		for {
			if skew, err := databaseSkew(ctx, h.db); err == nil && skew.Abs() > skewed {
				p.log.Error("the clock of this machine differs from the database's; check the time service of both", "seconds", skew.Seconds())
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	})
	return nil
}

// clockAtStart does as clockWasSet for a clock that was set while no process ran, as far as it can be told: it stands before
// what was last written down, or so long after it that somebody should look first. Beside a database whose clock says
// otherwise, it is this machine's that is wrong, and nothing is done by it.
func (h *house) clockAtStart(ctx context.Context) error {
	last, err := h.operations.LastInspection(ctx)
	if err != nil || last.IsZero() {
		return err
	}
	away := h.clock.Now().Sub(last)
	if away > -time.Minute && away < operations.HoldFromStop {
		return nil
	}
	if h.db.Kind() == database.Postgres {
		skew, err := databaseSkew(ctx, h.db)
		if err != nil || skew.Abs() >= time.Minute {
			return err
		}
	}
	return h.clockWasSet(ctx, away)
}

// clockWasSet keeps a clock that was set from doing harm: forward, what is due by it waits until somebody could look; back,
// what had ended stays ended.
func (h *house) clockWasSet(ctx context.Context, jump time.Duration) error {
	switch {
	case jump >= operations.HoldFrom:
		h.scheduler.Hold(operations.HoldFor)
	case jump <= -time.Minute:
		return errors.Join(h.identity.SetBack(ctx, -jump), h.queue.SetBack(ctx, h.clock.Now()))
	}
	return nil
}

// databaseSkew is how far the database's clock is ahead of ours.
func databaseSkew(ctx context.Context, db *database.DB) (time.Duration, error) {
	var theirs time.Time
	asked := time.Now()
	if err := db.Read().NewRaw("SELECT clock_timestamp()").Scan(ctx, &theirs); err != nil {
		return 0, err
	}
	return theirs.Sub(asked.Add(time.Since(asked) / 2)), nil
}

// runWorker does the work of an installation without answering anybody, until ctx ends: jobs, schedules, listeners, outgoing
// messages, long exports. Any number of such processes share it.
func runWorker(ctx context.Context, c Config) error {
	if !c.onPostgres() {
		return configErrorf("worker：使用内嵌数据库时所有任务都由 serve 进程处理；worker 须配置 `database: postgres://…`")
	}
	if !c.Jobs.Work {
		return configErrorf("worker：本进程的 jobs.work 为 false，将无事可做，请设为 true")
	}
	log, err := logger(c.LogLevel)
	if err != nil {
		return err
	}
	p := parts{log: log, clock: clock.System{}}
	key := c.Secrets.Key
	var demo demoSettings
	if c.Demo {
		if demo, err = readDemo(c.Data); err != nil {
			return err
		}
		key = demo.Key
	}
	h, leave, err := raise(ctx, c, demo, key, &p)
	if err != nil {
		return err
	}
	defer leave()
	log.Info("working", "process", processName())
	g, ctx := errgroup.WithContext(ctx)
	if err := h.accompany(ctx, g, p); err != nil {
		return err
	}
	for _, run := range h.background {
		g.Go(func() error { return database.Outlast(database.Background(ctx), log, run) })
	}
	return g.Wait()
}
