package exchange

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/failpoint"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/secret"
)

// lease is how long a claim holds. No worker lives longer with one push (jobs.Timeout), so whoever comes after it finds a
// dead worker's delivery, not a slow one's.
const lease = jobs.Timeout + 30*time.Second

// pushRoom is the time a run must have left to begin another push.
const pushRoom = 15 * time.Second

// pumpArgs wakes a worker for one partner.
type pumpArgs struct {
	PartnerID int64 `json:"partnerId"`
}

// Kind names the job.
func (pumpArgs) Kind() string { return "exchange.pump" }

// pump sends what is due to one partner, one after the other; several pumps of a partner carry different objects.
func (s *Service) pump(ctx context.Context, job pumpArgs) error {
	for {
		if end, ok := ctx.Deadline(); ok && time.Until(end) < pushRoom {
			return jobs.Snooze(0)
		}
		d, e, err := s.claim(ctx, job.PartnerID)
		if err != nil || d == nil {
			return err
		}
		if err := s.send(ctx, d, e); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// send carries one claimed delivery and writes down what came of it.
func (s *Service) send(ctx context.Context, d *Delivery, e Endpoint) error {
	if err := failpoint.Hit("exchange.claimed"); err != nil {
		return err
	}
	began := s.clock.Now()
	var out Outcome
	if e.Secret == "" {
		out = Outcome{Trouble: Misconfigured}
	} else {
		out = s.pusher.Push(ctx, e, Message{ID: d.MessageID, At: began, Body: []byte(d.Body)})
	}
	if !out.Taken {
		s.log.Warn("push", "delivery", d.ID, "partner", d.PartnerID, "status", out.Status, "trouble", out.Trouble, "error", out.Err)
	}
	if err := failpoint.Hit("exchange.answered"); err != nil {
		return err
	}
	return s.settle(ctx, d, began, out)
}

// claim takes a head that is due and marks it as being sent by us; nil when there is nothing to do or no room.
func (s *Service) claim(ctx context.Context, partner int64) (*Delivery, Endpoint, error) {
	var d *Delivery
	var e Endpoint
	var p *Partner
	defer s.turns.take(partner)()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		d = nil
		if p, err = lock(ctx, tx, partner); errors.Is(err, ErrNotFound) {
			return jobs.Cancel(err)
		} else if err != nil {
			return err
		}
		if p.State != Active || !p.Pushed() {
			return nil
		}
		now := s.clock.Now()
		flying, err := live(ctx, tx, partner, now)
		if err != nil || flying >= p.room() {
			return err
		}
		if d, err = due(ctx, tx, partner, now, 0); err != nil || d == nil {
			return err
		}
		if d.State == Sending {
			err := write(ctx, tx, attempt{DeliveryID: d.ID, Kind: "lost", Number: d.Attempts, At: *d.LastAt, Reason: "推送时服务中断，未记录到结果，按原编号再次推送"})
			if err != nil {
				return err
			}
		}
		read := d.Claim
		next := now.Add(lease)
		d.State, d.Claim, d.NextAt, d.LastAt = Sending, secret.Token(), &next, &now
		d.Attempts++
		if d.FirstAt == nil {
			d.FirstAt = &now
		}
		err = database.Changed(tx.NewUpdate().Model(d).Column("state", "claim", "attempts", "next_at", "first_at", "last_at").
			Where("id = ? AND claim = ?", d.ID, read).Exec(ctx))
		if err != nil {
			return err
		}
		if flying+1 >= p.room() {
			return nil
		}
		other, err := due(ctx, tx, partner, now, d.ID)
		if err != nil || other == nil {
			return err
		}
		return s.queue.Insert(ctx, tx, pumpArgs{PartnerID: partner}, jobs.On(jobs.Push))
	})
	if err != nil || d == nil {
		return nil, e, err
	}
	e = Endpoint{URL: p.URL, AllowCIDRs: p.AllowCIDRs, AllowHosts: p.AllowHosts}
	plain, err := s.box.Open(p.Secret, secretPlace(p.Code))
	if err != nil {
		s.log.Error("push: secret", "partner", p.Code, "error", err)
	} else {
		e.Secret = string(plain)
	}
	return d, e, nil
}

// catchUp is how many waiting deliveries one success brings forward after the partner was down.
const catchUp = 500

// settle writes what came of a push, unless a later worker has taken the delivery over.
func (s *Service) settle(ctx context.Context, d *Delivery, began time.Time, out Outcome) error {
	defer s.turns.take(d.PartnerID)()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		p, err := lock(ctx, tx, d.PartnerID)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		after := *d
		line := attempt{DeliveryID: d.ID, Kind: "push", Number: d.Attempts, At: began, TookMS: now.Sub(began).Milliseconds(), Status: out.Status, OK: out.Taken}
		if out.Taken {
			after.deliver(now, out)
		} else {
			after.fail(now, out, s.chance())
			line.Reason = out.Words()
		}
		res, err := tx.NewUpdate().Model(&after).Column("state", "next_at", "tries", "status", "reason", "receipt", "settled_at").
			Where("id = ? AND claim = ? AND state = ?", d.ID, d.Claim, Sending).Exec(ctx)
		if err != nil {
			return fmt.Errorf("settle delivery %d: %w", d.ID, err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			s.log.Warn("push: taken over meanwhile", "delivery", d.ID)
			return nil
		}
		if err := write(ctx, tx, line); err != nil {
			return err
		}
		if out.Taken {
			if err := arrange(ctx, tx, &after, now); err != nil {
				return err
			}
		}
		if after.State == Dead {
			if err := s.announceStop(ctx, tx, p, &after, now); err != nil {
				return err
			}
		}
		return s.judge(ctx, tx, p, now, out)
	})
}

// judge keeps count of failures in a row. When a partner is back after it was down, what waits for it comes forward.
func (s *Service) judge(ctx context.Context, tx bun.Tx, p *Partner, now time.Time, out Outcome) error {
	failures := 0
	if !out.Taken {
		failures = p.Failures
		if out.whole() {
			failures++
		}
	}
	if failures == p.Failures {
		return nil
	}
	if out.Taken && p.Failures >= downAfter {
		waiting := tx.NewSelect().Model((*Delivery)(nil)).Column("d.id").Where("d.partner_id = ? AND d.next_at > ? AND d.state = ?", p.ID, now, Failed).
			OrderExpr("d.next_at").Limit(catchUp)
		if _, err := tx.NewUpdate().Model((*Delivery)(nil)).Set("next_at = ?", now).Where("id IN (?)", waiting).Exec(ctx); err != nil {
			return err
		}
	}
	if failures == downAfter && p.Failures < downAfter {
		if _, err := event.Append(ctx, tx, pumping, now, Down{ID: p.ID, Code: p.Code, Name: p.Name, Reason: out.Words()}); err != nil {
			return err
		}
	}
	_, err := tx.NewUpdate().Model((*Partner)(nil)).Set("failures = ?", failures).Where("id = ?", p.ID).Exec(ctx)
	return err
}

// Reclaim takes back at once what a process that died was sending, instead of when its claim runs out. Only where no other
// process can be sending, which is so on the embedded database, and before this one begins. Only the system may.
func (s *Service) Reclaim(ctx context.Context, actor access.Actor) error {
	if actor.Party != access.System {
		return fault.ErrForbidden
	}
	if s.db.Kind() != database.SQLite {
		return nil
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*Delivery)(nil)).Set("next_at = ?", s.clock.Now()).Where("state = ?", Sending).Exec(ctx)
		return err
	})
}

// Run wakes what is due until ctx ends: each second, and first of all what an earlier process left behind.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := s.wake(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("exchange: wake", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tasks are what the module does by the clock, beside what Run looks for each second.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{
		{Name: "exchange.mend", Title: "检查对接推送有无遗漏", Every: time.Minute, Run: s.mend},
		{Name: "exchange.calls", Title: "清理过期的接口调用记录", Every: time.Hour, Run: s.forgetCalls},
	}
}

// wake inserts a job for each partner something is due for.
func (s *Service) wake(ctx context.Context) error {
	var ids []int64
	err := s.db.Read().NewSelect().Model((*Partner)(nil)).Column("p.id").Where("p.state = ?", Active).Where("p.url <> ''").
		Where("EXISTS (SELECT 1 FROM exchange_deliveries AS d WHERE d.partner_id = p.id AND d.next_at <= ?)", s.clock.Now()).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, id := range ids {
			if err := s.queue.Insert(ctx, tx, pumpArgs{PartnerID: id}, jobs.On(jobs.Push)); err != nil {
				return err
			}
		}
		return nil
	})
}

// mend finds heads without a time, which cannot be, and gives them one: no delivery may ever be forgotten.
func (s *Service) mend(ctx context.Context) error {
	var partners []int64
	if err := s.db.Read().NewSelect().Model((*Partner)(nil)).Column("p.id").Scan(ctx, &partners); err != nil {
		return err
	}
	for _, id := range partners {
		var lost []Delivery
		err := s.db.Read().NewSelect().Model(&lost).ExcludeColumn("body").
			Where("d.partner_id = ? AND d.settled_at IS NULL AND d.next_at IS NULL", id).
			Where("d.state IN ?", bun.Tuple([]State{Queued, Failed})).Where("NOT " + before).Limit(100).Scan(ctx)
		if err != nil {
			return err
		}
		for i := range lost {
			err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
				if _, err := lock(ctx, tx, id); err != nil {
					return err
				}
				return arrange(ctx, tx, &lost[i], s.clock.Now())
			})
			if err != nil {
				return err
			}
			s.log.Error("exchange: a head had no time", "delivery", lost[i].ID)
		}
	}
	return nil
}
