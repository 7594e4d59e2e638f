package event

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// Lag is how far a listener is behind.
type Lag struct {
	Listener string
	Waiting  int64      // events it has not heard, counted up to a bound
	Oldest   *time.Time // when the oldest of them happened; nil when it has heard all
}

// mostLag is where counting ends.
const mostLag = 1000

// Lag says how far each listener of this program is behind.
func (f *Feed) Lag(ctx context.Context) ([]Lag, error) {
	list := make([]Lag, 0, len(f.listeners))
	// On PostgreSQL an event without a position waits for the sequencer, and with it for every listener.
	var unplaced []Event
	if err := f.db.Read().NewSelect().Model(&unplaced).Column("e.id", "e.at").Where("e.pos IS NULL").OrderExpr("e.id").Limit(mostLag).Scan(ctx); err != nil {
		return nil, err
	}
	for _, l := range f.listeners {
		lag := Lag{Listener: l.Name}
		var at int64
		if err := f.db.Read().NewSelect().Model((*cursor)(nil)).ColumnExpr("coalesce(max(pos), 0)").Where("name = ?", l.Name).Scan(ctx, &at); err != nil {
			return nil, err
		}
		var rows []Event
		err := f.db.Read().NewSelect().Model(&rows).Column("e.id", "e.at").Where("e.pos > ?", at).OrderExpr("e.pos").Limit(mostLag).Scan(ctx)
		if err != nil {
			return nil, err
		}
		rows = append(rows, unplaced...)
		if lag.Waiting = int64(len(rows)); lag.Waiting > 0 {
			oldest := rows[0].At.UTC()
			lag.Oldest = &oldest
		}
		list = append(list, lag)
	}
	return list, nil
}

// Counts says how many events of each type happened in [from, to).
func Counts(ctx context.Context, db bun.IDB, from, to time.Time) (map[string]int64, error) {
	var rows []struct {
		Type string
		N    int64
	}
	err := db.NewSelect().Model((*Event)(nil)).ColumnExpr("e.type AS type, count(*) AS n").Where("e.at >= ? AND e.at < ?", from, to).GroupExpr("e.type").Scan(ctx, &rows)
	counts := make(map[string]int64, len(rows))
	for _, r := range rows {
		counts[r.Type] = r.N
	}
	return counts, err
}
