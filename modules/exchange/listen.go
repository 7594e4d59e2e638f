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
	return event.Listener{Name: "exchange", Batch: s.hear}
}

func (s *Service) hear(ctx context.Context, tx bun.Tx, list []event.Event) error {
	list = slices.DeleteFunc(slices.Clone(list), func(e event.Event) bool { _, offered := s.offer.types[e.Type]; return !offered })
	if len(list) == 0 {
		return nil
	}
	var ids []int64
	if err := tx.NewSelect().Model((*Partner)(nil)).Column("id").Where("p.from_event < ?", list[len(list)-1].ID).OrderExpr("p.id").Scan(ctx, &ids); err != nil {
		return fmt.Errorf("partners of event %d: %w", list[0].ID, err)
	}
	for _, id := range ids {
		p, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := s.keep(ctx, tx, p, list); err != nil {
			return fmt.Errorf("events from %d for %s: %w", list[0].ID, p.Code, err)
		}
	}
	return nil
}

// stream is what a partner gets in order: the events of one object.
type stream struct {
	object string
	id     int64
}

// keep makes the bodies of the events for the partner and writes the deliveries. The partner's row is locked.
func (s *Service) keep(ctx context.Context, tx bun.Tx, p *Partner, list []event.Event) error {
	list = slices.DeleteFunc(slices.Clone(list), func(e event.Event) bool { return e.ID <= p.FromEvent || !slices.Contains(p.Events, e.Type) })
	if len(list) == 0 {
		return nil
	}
	now := s.clock.Now()
	waits, err := waiting(ctx, tx, p, list)
	if err != nil {
		return err
	}
	rows, due := make([]Delivery, 0, len(list)), false
	for _, e := range list {
		body, subject, err := s.body(p, e)
		if err != nil {
			return fmt.Errorf("event %d: %w", e.ID, err)
		}
		d := Delivery{
			PartnerID: p.ID, EventID: e.ID, MessageID: messageID(e.ID, p.Code), Type: e.Type, Object: e.Object, ObjectID: e.ObjectID, Seq: e.Seq,
			Subject: subject, Body: string(body), State: Queued, CreatedAt: now,
		}
		of := stream{e.Object, e.ObjectID}
		switch {
		case !p.Pushed():
			d.State, d.SettledAt = Kept, &now
		case !waits[of]:
			d.NextAt, waits[of], due = &now, true, true
		}
		rows = append(rows, d)
	}
	// Read again after its cursor was set back, an event has its delivery already.
	if _, err := tx.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return err
	}
	if !due || p.State != Active {
		return nil
	}
	return s.queue.Insert(ctx, tx, pumpArgs{PartnerID: p.ID}, jobs.On(jobs.Push))
}

// waiting tells the streams of the events in which an earlier delivery is not settled.
func waiting(ctx context.Context, tx bun.Tx, p *Partner, list []event.Event) (map[stream]bool, error) {
	waits := map[stream]bool{}
	if !p.Pushed() {
		return waits, nil
	}
	ids := map[string][]int64{}
	for _, e := range list {
		ids[e.Object] = append(ids[e.Object], e.ObjectID)
	}
	for object, of := range ids {
		var open []int64
		err := tx.NewSelect().Model((*Delivery)(nil)).Distinct().Column("object_id").
			Where("d.partner_id = ? AND d.object = ? AND d.object_id IN (?) AND d.settled_at IS NULL", p.ID, object, bun.List(of)).Scan(ctx, &open)
		if err != nil {
			return nil, err
		}
		for _, id := range open {
			waits[stream{object, id}] = true
		}
	}
	return waits, nil
}

// body is what the partner is told of the event, and under which name of its object.
func (s *Service) body(p *Partner, e event.Event) (body []byte, subject string, err error) {
	subject, data, err := s.offer.tell(p, e)
	if err != nil {
		return nil, "", err
	}
	body, err = s.pusher.Encode(Envelope{
		ID: messageID(e.ID, p.Code), Source: s.source + "/" + e.Object, Type: "cn.huiqi." + e.Type, Subject: subject, At: e.At, Sequence: e.Seq, Data: data,
	})
	return body, subject, err
}
