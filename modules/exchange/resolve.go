package exchange

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/jobs"
	"github.com/huiqi/huiqi/platform/text"
)

// Decision is what a person decides about one delivery.
type Decision struct {
	Key    string `json:"-"`
	ID     int64  `json:"id"`
	Reason string `json:"reason"`
}

// Replay has a delivery pushed again with its old id and body: one that failed, died or was skipped, or that the partner
// lost. What comes after it in its object's stream waits for it. It returns ErrState while it is queued or on the way.
func (s *Service) Replay(ctx context.Context, actor access.Actor, cmd Decision) (DeliveryView, error) {
	return s.decide(ctx, actor, "replay", "重新推送", cmd, func(d *Delivery, _ time.Time, _ string) error { return d.replay() })
}

// Skip lets the stream go on without the partner having this delivery. It returns ErrState when it is settled or on the way.
func (s *Service) Skip(ctx context.Context, actor access.Actor, cmd Decision) (DeliveryView, error) {
	return s.decide(ctx, actor, "skip", "跳过推送", cmd, func(d *Delivery, now time.Time, reason string) error { return d.skip(now, reason) })
}

func (s *Service) decide(ctx context.Context, actor access.Actor, name, word string, cmd Decision,
	step func(d *Delivery, now time.Time, reason string) error,
) (DeliveryView, error) {
	if err := staff(actor, PermManage); err != nil {
		return DeliveryView{}, err
	}
	reason, err := text.Line("reason", cmd.Reason, 2, 200)
	if err != nil {
		return DeliveryView{}, err
	}
	cmd.Reason = reason
	_, _, err = s.command(ctx, actor, name, cmd.Key, cmd, func(ctx context.Context, tx bun.Tx, now time.Time) (int64, error) {
		var d Delivery
		find := func() error {
			return database.Found(visible(tx.NewSelect().Model(&d).Where("d.id = ?", cmd.ID), actor, "d.partner_id").Scan(ctx))
		}
		if err := find(); err != nil {
			return 0, err
		}
		p, err := lock(ctx, tx, d.PartnerID)
		if err != nil {
			return 0, err
		}
		if !p.Pushed() {
			return 0, ErrState.With("该对接方未设置推送地址，由对方自行拉取")
		}
		// Again under the lock: a worker may have moved it meanwhile.
		if err := find(); err != nil {
			return 0, err
		}
		if err := step(&d, now, reason); err != nil {
			return 0, err
		}
		if _, err := tx.NewUpdate().Model(&d).Column("state", "next_at", "first_at", "settled_at", "tries", "reason").WherePK().Exec(ctx); err != nil {
			return 0, err
		}
		if err := arrange(ctx, tx, &d, now); err != nil {
			return 0, err
		}
		if err := write(ctx, tx, attempt{DeliveryID: d.ID, Kind: name, At: now, OK: true, Reason: reason, Actor: actor.Name}); err != nil {
			return 0, err
		}
		if p.State == Active {
			if err := s.queue.Insert(ctx, tx, pumpArgs{PartnerID: p.ID}, jobs.On(jobs.Push)); err != nil {
				return 0, err
			}
		}
		return d.ID, audit.Write(ctx, tx, actor, now, audit.Record{
			Action: "exchange." + name, Object: "delivery", ObjectID: d.ID, Summary: word + " " + p.Name + " " + d.Subject,
			Detail: map[string]string{"message": d.MessageID, "reason": reason},
		})
	})
	if err != nil {
		return DeliveryView{}, fmt.Errorf("%s delivery %d: %w", name, cmd.ID, err)
	}
	return s.Delivery(ctx, actor, cmd.ID)
}
