package operations

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// stateRow is how one check stands.
type stateRow struct {
	bun.BaseModel `bun:"table:health_states,alias:h"`

	Code      string     `bun:"code,pk"`
	State     State      `bun:"state,notnull"`
	Value     int64      `bun:"value,notnull"`
	Text      string     `bun:"text,notnull"`
	Since     time.Time  `bun:"since,notnull"`
	CheckedAt time.Time  `bun:"checked_at,notnull"`
	HoldUntil *time.Time `bun:"hold_until"`
	Warn      *int64     `bun:"warn"` // the limits that a person set; nil is the program's
	Bad       *int64     `bun:"bad"`
	LimitsBy  string     `bun:"limits_by,notnull"`
}

// incidentRow is the time in which a check was bad.
type incidentRow struct {
	bun.BaseModel `bun:"table:health_incidents,alias:i"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Code      string     `bun:"code,notnull"`
	Title     string     `bun:"title,notnull"`
	Text      string     `bun:"text,notnull"` // what was last found bad
	OpenedAt  time.Time  `bun:"opened_at,notnull"`
	CalmAt    *time.Time `bun:"calm_at"` // since when the check is normal again
	ClosedAt  *time.Time `bun:"closed_at"`
	Alarms    int64      `bun:"alarms,notnull"`
	AlarmedAt time.Time  `bun:"alarmed_at,notnull"`
	KnownAt   *time.Time `bun:"known_at"`
	KnownBy   string     `bun:"known_by,notnull"`
	KnownNote string     `bun:"known_note,notnull"`
}

type reportRow struct {
	bun.BaseModel `bun:"table:health_reports,alias:r"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Day     string    `bun:"day,notnull"`
	MadeAt  time.Time `bun:"made_at,notnull"`
	State   State     `bun:"state,notnull"`
	Summary string    `bun:"summary,notnull"`
	Body    string    `bun:"body,notnull"`
}

type countRow struct {
	bun.BaseModel `bun:"table:request_counts,alias:c"`

	Slot     time.Time `bun:"slot,pk"`
	Requests int64     `bun:"requests,notnull"`
	Refused  int64     `bun:"refused,notnull"`
	Failed   int64     `bun:"failed,notnull"`
	Slow     int64     `bun:"slow,notnull"`
}

// states returns the rows of all checks by code.
func (s *Service) states(ctx context.Context, db bun.IDB) (map[string]stateRow, error) {
	var rows []stateRow
	if err := db.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, err
	}
	return byCode(rows), nil
}

func byCode(rows []stateRow) map[string]stateRow {
	known := make(map[string]stateRow, len(rows))
	for _, r := range rows {
		known[r.Code] = r
	}
	return known
}

// lockStates makes the rows that are missing and returns all of them, locked on PostgreSQL in one order.
func (s *Service) lockStates(ctx context.Context, tx bun.Tx, now time.Time) (map[string]stateRow, error) {
	known, err := s.states(ctx, tx)
	if err != nil {
		return nil, err
	}
	var missing []stateRow
	for _, c := range s.checks {
		if _, ok := known[c.Code]; !ok {
			missing = append(missing, stateRow{Code: c.Code, State: Normal, Since: now, CheckedAt: now})
		}
	}
	if len(missing) > 0 {
		if _, err := tx.NewInsert().Model(&missing).On("CONFLICT (code) DO NOTHING").Exec(ctx); err != nil {
			return nil, err
		}
	}
	var rows []stateRow
	q := tx.NewSelect().Model(&rows).OrderExpr("h.code")
	if database.KindOf(tx) == database.Postgres {
		q = q.For("UPDATE")
	}
	err = q.Scan(ctx)
	return byCode(rows), err
}

// LastInspection is when the checks were last stored; zero when never.
func (s *Service) LastInspection(ctx context.Context) (time.Time, error) {
	var at []time.Time
	err := s.DB.Read().NewSelect().Model((*stateRow)(nil)).Column("h.checked_at").OrderExpr("h.checked_at DESC").Limit(1).Scan(ctx, &at)
	if err != nil || len(at) == 0 {
		return time.Time{}, err
	}
	return at[0], nil
}
