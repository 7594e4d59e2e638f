package backup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
	"github.com/huiqi/huiqi/platform/snapshot"
)

// errTaken: another process has the run in hand.
var errTaken = errors.New("backup: the run is in other hands")

var system = access.SystemActor("backup")

// Run works what is asked for until ctx ends. Several processes may run it; each run is worked by one.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		if _, err := s.Work(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("backup", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.bell:
		}
	}
}

// Work works one run that is due and says whether there was one. The outcome is in the run; an error says that the books
// could not be kept.
func (s *Service) Work(ctx context.Context) (bool, error) {
	if err := s.buryDead(ctx); err != nil {
		return false, err
	}
	r, err := s.claim(ctx)
	if err != nil || r == nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &worker{s: s, run: r}
	var beating sync.WaitGroup
	beating.Go(func() { w.beat(ctx, cancel) })
	err = w.work(ctx)
	cancel()
	beating.Wait()
	return true, s.end(context.WithoutCancel(ctx), r, err)
}

// claim takes the run that is due.
func (s *Service) claim(ctx context.Context) (*Run, error) {
	now := s.Clock.Now()
	var r Run
	due := func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("b.state = ? AND (b.not_before <= ? OR b.not_before > ?)", Waiting, now, now.Add(pause)) // none waits longer: the clock was set back
	}
	found, err := due(s.DB.Read().NewSelect().Model((*Run)(nil))).Exists(ctx)
	if err != nil || !found {
		return nil, err
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r = Run{}
		if err := due(tx.NewSelect().Model(&r)).OrderExpr("b.id").Limit(1).Scan(ctx); err != nil {
			return database.Found(err)
		}
		r.State, r.Claim, r.StartedAt, r.HeartbeatAt = Making, secret.Token(), &now, &now
		return database.Changed(tx.NewUpdate().Model(&r).Column("state", "claim", "started_at", "heartbeat_at").Where("b.id = ? AND b.state = ?", r.ID, Waiting).Exec(ctx))
	})
	if k := fault.KindOf(err); err != nil && (k == fault.NotFound || errors.Is(err, fault.ErrChanged)) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &r, nil
}

// buryDead ends runs whose process gives no sign any more.
func (s *Service) buryDead(ctx context.Context) error {
	var dead []Run
	now := s.Clock.Now() // a sign of life from ahead of it is of a clock that was set back since
	err := s.DB.Read().NewSelect().Model(&dead).Where("b.state IN ? AND (b.heartbeat_at < ? OR b.heartbeat_at > ?)", bun.Tuple(working), now.Add(-silent), now.Add(silent)).Scan(ctx)
	if err != nil {
		return err
	}
	for i := range dead {
		err := s.end(ctx, &dead[i], fault.New(fault.Unavailable, "BACKUP_DIED", "备份进程中途停止，以前的备份集不受影响"))
		if err != nil && !errors.Is(err, errTaken) {
			return err
		}
	}
	return nil
}

// end writes the outcome, and asks for another try after a failure.
func (s *Service) end(ctx context.Context, r *Run, outcome error) error {
	now := s.Clock.Now()
	return s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		r := *r
		r.State, r.EndedAt, r.Stage, r.StageDone, r.StageTotal = Done, &now, "", 0, 0
		record := audit.Record{Action: "backup.done", Object: "backup", ObjectID: r.ID, Summary: "备份完成并通过恢复验证 " + r.SetName}
		if outcome != nil {
			r.State, r.Fault = Failed, sentence(outcome)
			record.Action, record.Summary = "backup.failed", "备份未完成："+r.Fault
			s.Log.Error("backup failed", "run", r.ID, "error", outcome)
		}
		res, err := tx.NewUpdate().Model(&r).ExcludeColumn("id", "asked_at", "asked_by", "cause", "attempt", "not_before", "started_at", "claim").
			Where("b.id = ? AND b.claim = ? AND b.state IN ?", r.ID, r.Claim, bun.Tuple(working)).Exec(ctx)
		if err := database.Changed(res, err); errors.Is(err, fault.ErrChanged) {
			return errTaken
		} else if err != nil {
			return err
		}
		if outcome != nil && r.Attempt < attempts {
			again := Run{State: Waiting, Cause: r.Cause, Attempt: r.Attempt + 1, AskedAt: now, AskedBy: r.AskedBy, NotBefore: now.Add(pause)}
			if err := insert(ctx, tx, &again); err != nil && !errors.Is(err, ErrOpen) {
				return err
			}
		}
		return audit.Write(ctx, tx, system, now, record)
	})
}

// sentence is what the page shows of an error.
func sentence(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	if errors.Is(err, context.Canceled) {
		return "程序停止，备份中断，以前的备份集不受影响"
	}
	text := []rune(err.Error())
	return "系统错误：" + string(text[:min(len(text), 300)])
}

// worker works one run.
type worker struct {
	s   *Service
	run *Run

	mu          sync.Mutex
	stage       string
	done, total int64
}

func (w *worker) progress(stage string, done, total int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stage, w.done, w.total = stage, done, total
}

// beat shows that the run is alive and how far it is. When the run was taken away, the work stops.
func (w *worker) beat(ctx context.Context, stop func()) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := w.sign(ctx, ""); errors.Is(err, errTaken) {
				stop()
				return
			} else if err != nil {
				w.s.Log.Warn("backup: sign of life", "error", err)
			}
		}
	}
}

// sign writes the progress, and with it a new state unless that is "".
func (w *worker) sign(ctx context.Context, state State) error {
	w.mu.Lock()
	stage, done, total := w.stage, w.done, w.total
	w.mu.Unlock()
	now := w.s.Clock.Now()
	return w.s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		q := tx.NewUpdate().Model((*Run)(nil)).Set("heartbeat_at = ?", now).Set("stage = ?", stage).Set("stage_done = ?", done).Set("stage_total = ?", total).
			Where("id = ? AND claim = ? AND state IN ?", w.run.ID, w.run.Claim, bun.Tuple(working))
		if state != "" {
			q = q.Set("state = ?", state)
		}
		err := database.Changed(q.Exec(ctx))
		if errors.Is(err, fault.ErrChanged) {
			return errTaken
		}
		return err
	})
}

// work makes the set, has it restored and compared, copies it and tidies.
func (w *worker) work(ctx context.Context) error {
	s, r := w.s, w.run
	src, err := s.Source(ctx)
	if err != nil {
		return err
	}
	err = w.makeVerified(ctx, src)
	if errors.Is(err, snapshot.ErrDamaged) {
		// A file of the pool went bad and was removed; made again, it is stored anew.
		s.Log.Error("backup: the target had a damaged file, making the set again", "error", err)
		if err := w.sign(ctx, Making); err != nil {
			return err
		}
		err = w.makeVerified(ctx, src)
	}
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	r.VerifiedAt = &now
	if s.Options.CopyTo != "" {
		if err := w.sign(ctx, Copying); err != nil {
			return err
		}
		if err := w.copy(ctx); err != nil {
			s.Log.Error("backup: copy to the second target", "error", err)
			r.CopyFault = sentence(err)
		} else {
			r.CopiedAt = &now
		}
	}
	if removed, err := s.Options.Retention.Apply(s.Options.Target, s.Clock.Now()); err != nil {
		s.Log.Warn("backup: tidy the target", "error", err)
	} else if len(removed) > 0 {
		s.Log.Info("backup: old sets removed", "sets", removed)
	}
	return nil
}

func (w *worker) makeVerified(ctx context.Context, src snapshot.Source) error {
	f, err := snapshot.Create(ctx, src, w.s.Options.Target, w.s.Options.Recipients, w.progress)
	if err != nil {
		return err
	}
	m, r := f.Manifest, w.run
	r.SetName, r.Size, r.Rows = m.Name, m.Size(), m.Rows()
	r.Files, r.FilesNew, r.FilesMissing, r.FilesDamaged = m.Files.Count, m.Files.NewCount, m.Files.Missing, m.Files.Damaged
	if err := w.sign(ctx, Verifying); err != nil {
		return err
	}
	if _, err := f.Verify(ctx, src, w.progress); err != nil {
		return fmt.Errorf("verify %s: %w", m.Name, err)
	}
	return nil
}

// copy copies the set to the second target. The folder must be there: an unmounted one must not be filled by mistake.
func (w *worker) copy(ctx context.Context) error {
	s := w.s
	if err := reachable(s.Options.CopyTo); err != nil {
		return err
	}
	sets, _, err := snapshot.List(s.Options.Target)
	if err != nil {
		return err
	}
	for _, set := range sets {
		if set.Name() == w.run.SetName {
			if _, err := set.CopyTo(ctx, s.Options.CopyTo, w.progress); err != nil {
				return err
			}
		}
	}
	_, err = s.Options.Retention.Apply(s.Options.CopyTo, s.Clock.Now())
	return err
}
