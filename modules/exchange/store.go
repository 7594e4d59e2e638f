package exchange

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// lock reads a partner for change: whoever makes, sends or settles its deliveries waits here.
func lock(ctx context.Context, tx bun.Tx, id int64) (*Partner, error) {
	p := new(Partner)
	q := tx.NewSelect().Model(p).Where("p.id = ?", id)
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, database.Found(err)
	}
	return p, nil
}

// turns has the workers of this process come one after the other to a partner's row: who waited for it in the database would
// keep a line to it from everybody else.
type turns struct{ of sync.Map }

// take waits for the turn at the partner, which leave ends.
func (t *turns) take(partner int64) (leave func()) {
	m, _ := t.of.LoadOrStore(partner, new(sync.Mutex))
	m.(*sync.Mutex).Lock()
	return m.(*sync.Mutex).Unlock
}

// newest is the id of the last event there is.
func newest(ctx context.Context, db bun.IDB) (int64, error) {
	var id int64
	err := db.NewSelect().TableExpr("events").ColumnExpr("coalesce(max(id), 0)").Scan(ctx, &id)
	return id, err
}

// before says that an earlier delivery of the stream is not settled, or another of it is on the way. It is asked of one row
// after the other: as EXISTS, PostgreSQL would first join all that wait to find the first that may go.
const before = `(SELECT 1 FROM exchange_deliveries AS b WHERE b.partner_id = d.partner_id AND b.object = d.object AND b.object_id = d.object_id
	AND b.settled_at IS NULL AND (b.seq < d.seq OR b.state = 'sending' AND b.id <> d.id) LIMIT 1) IS NOT NULL`

// due finds a head that may be sent now, nil when there is none.
func due(ctx context.Context, db bun.IDB, partner int64, now time.Time, except int64) (*Delivery, error) {
	var rows []Delivery
	err := db.NewSelect().Model(&rows).Where("d.partner_id = ?", partner).Where("d.next_at <= ?", now).Where("d.id <> ?", except).
		Where("NOT " + before).OrderExpr("d.next_at, d.id").Limit(1).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// live counts what is on the way to a partner. There are few such rows: coalesce keeps the planner from walking all that
// waits for its time instead.
func live(ctx context.Context, db bun.IDB, partner int64, now time.Time) (int, error) {
	n, err := db.NewSelect().Model((*Delivery)(nil)).Where("d.partner_id = ? AND d.state = ? AND coalesce(d.next_at, d.created_at) > ?", partner, Sending, now).Count(ctx)
	return int(n), err
}

// arrange gives the head of a stream its time and takes it from the others. A head that has one keeps it; a dead head has
// none, so its stream stands.
func arrange(ctx context.Context, tx bun.Tx, d *Delivery, now time.Time) error {
	stream := func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Where("partner_id = ? AND object = ? AND object_id = ? AND settled_at IS NULL", d.PartnerID, d.Object, d.ObjectID).
			Where("state IN ?", bun.Tuple([]State{Queued, Failed}))
	}
	var head Delivery
	err := tx.NewSelect().Model(&head).Column("id", "state", "next_at").
		Where("d.partner_id = ? AND d.object = ? AND d.object_id = ? AND d.settled_at IS NULL", d.PartnerID, d.Object, d.ObjectID).
		OrderExpr("d.seq").Limit(1).Scan(ctx)
	if err = database.Found(err); errors.Is(err, ErrNotFound) {
		return nil // the stream is at its end
	} else if err != nil {
		return fmt.Errorf("arrange the stream of delivery %d: %w", d.ID, err)
	}
	if _, err := stream(tx.NewUpdate().Model((*Delivery)(nil)).Set("next_at = NULL")).Where("id <> ? AND next_at IS NOT NULL", head.ID).Exec(ctx); err != nil {
		return err
	}
	_, err = stream(tx.NewUpdate().Model((*Delivery)(nil)).Set("next_at = ?", now)).Where("id = ? AND next_at IS NULL", head.ID).Exec(ctx)
	return err
}

// write notes one line of a delivery's history.
func write(ctx context.Context, tx bun.Tx, a attempt) error {
	_, err := tx.NewInsert().Model(&a).Exec(ctx)
	return err
}

// few counts up to limit rows; more of them answer limit.
func few(ctx context.Context, db bun.IDB, q *bun.SelectQuery, limit int) (int, error) {
	var n int
	err := db.NewSelect().ColumnExpr("count(*)").TableExpr("(?) AS c", q.ColumnExpr("1").Limit(int64(limit))).Scan(ctx, &n)
	return n, err
}
