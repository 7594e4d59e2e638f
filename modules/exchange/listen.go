package exchange

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/jobs"
)

// Listener writes a delivery for each partner who subscribed to an event, in the transaction that moves its cursor: an
// event that was read has all its deliveries, whatever is killed when.
func (s *Service) Listener() event.Listener {
	return event.Listener{Name: "exchange", Handle: s.hear}
}

func (s *Service) hear(ctx context.Context, tx bun.Tx, e event.Event) error {
	if _, offered := s.offer.types[e.Type]; !offered {
		return nil
	}
	var partners []Partner
	if err := tx.NewSelect().Model(&partners).Where("p.from_event < ?", e.ID).OrderExpr("p.id").Scan(ctx); err != nil {
		return fmt.Errorf("partners of event %d: %w", e.ID, err)
	}
	for i := range partners {
		if !slices.Contains(partners[i].Events, e.Type) {
			continue
		}
		p, err := lock(ctx, tx, partners[i].ID)
		if err != nil {
			return err
		}
		if err := s.keep(ctx, tx, p, e); err != nil {
			return fmt.Errorf("event %d for %s: %w", e.ID, p.Code, err)
		}
	}
	return nil
}

// keep makes the body of the event for the partner and writes the delivery. The partner's row is locked.
func (s *Service) keep(ctx context.Context, tx bun.Tx, p *Partner, e event.Event) error {
	now := s.clock.Now()
	subject, data, err := s.offer.tell(p, e)
	if err != nil {
		return err
	}
	id := messageID(e.ID, p.Code)
	body, err := s.pusher.Encode(Envelope{
		ID: id, Source: s.source + "/" + e.Object, Type: "cn.huiqi." + e.Type, Subject: subject, At: e.At, Sequence: e.Seq, Data: data,
	})
	if err != nil {
		return err
	}
	d := Delivery{
		PartnerID: p.ID, EventID: e.ID, MessageID: id, Type: e.Type, Object: e.Object, ObjectID: e.ObjectID, Seq: e.Seq,
		Subject: subject, Body: string(body), State: Queued, CreatedAt: now,
	}
	if p.Pushed() {
		waits, err := tx.NewSelect().Model((*Delivery)(nil)).
			Where("d.partner_id = ? AND d.object = ? AND d.object_id = ? AND d.settled_at IS NULL", p.ID, e.Object, e.ObjectID).Exists(ctx)
		if err != nil {
			return err
		}
		if !waits {
			d.NextAt = &now
		}
	} else {
		d.State, d.SettledAt = Kept, &now
	}
	// Read again after its cursor was set back, an event has its delivery already.
	if _, err := tx.NewInsert().Model(&d).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return err
	}
	if d.NextAt == nil || p.State != Active {
		return nil
	}
	return s.queue.Insert(ctx, tx, pumpArgs{PartnerID: p.ID}, jobs.On(jobs.Push))
}
