package exchange

import (
	"context"
	"time"
)

// Standing is how the pushes of the whole district stand, for whoever watches over it.
type Standing struct {
	Waiting  int64      // not delivered yet, of partners that get pushes
	Retrying int64      // of these, failed and tried again
	Dead     int64      // given up; a person decides
	Oldest   *time.Time // when the oldest of those that wait for nobody was made; nil when none waits
	// Down are the names of the partners that take nothing now.
	Down []string
}

// Standing counts what is not delivered. It is no operation of a person: the caller has asked who may see it.
func (s *Service) Standing(ctx context.Context) (Standing, error) {
	var st Standing
	db := s.db.Read()
	for _, c := range []struct {
		into  *int64
		state State
	}{{&st.Waiting, Queued}, {&st.Retrying, Failed}, {&st.Dead, Dead}} {
		n, err := few(ctx, db, db.NewSelect().Model((*Delivery)(nil)).Where("d.state = ?", c.state), 100_000)
		if err != nil {
			return st, err
		}
		*c.into = int64(n)
	}
	st.Waiting += st.Retrying
	// A dead head holds those behind it back: they are its matter, and have no time of their own.
	var oldest []time.Time
	err := db.NewSelect().Model((*Delivery)(nil)).Column("d.created_at").Join("JOIN exchange_partners AS p ON p.id = d.partner_id").
		Where("d.next_at IS NOT NULL AND d.settled_at IS NULL AND p.state = ?", Active).OrderExpr("d.id").Limit(1).Scan(ctx, &oldest)
	if err != nil {
		return st, err
	}
	if len(oldest) > 0 {
		at := oldest[0].UTC()
		st.Oldest = &at
	}
	return st, db.NewSelect().Model((*Partner)(nil)).Column("p.name").Where("p.state = ? AND p.failures >= ?", Active, downAfter).OrderExpr("p.id").Scan(ctx, &st.Down)
}

// Settled counts the pushes that were delivered in [from, to).
func (s *Service) Settled(ctx context.Context, from, to time.Time) (int64, error) {
	n, err := s.db.Read().NewSelect().Model((*Delivery)(nil)).Where("d.state = ? AND d.settled_at >= ? AND d.settled_at < ?", Delivered, from, to).Count(ctx)
	return int64(n), err
}
