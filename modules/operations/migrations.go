package operations

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type state20261128 struct {
	bun.BaseModel `bun:"table:health_states"`

	Code      string     `bun:"code,pk"`
	State     string     `bun:"state,notnull"`
	Value     int64      `bun:"value,notnull"`
	Text      string     `bun:"text,notnull,type:text"`
	Since     time.Time  `bun:"since,notnull"`
	CheckedAt time.Time  `bun:"checked_at,notnull"`
	HoldUntil *time.Time `bun:"hold_until"`
	Warn      *int64     `bun:"warn"`
	Bad       *int64     `bun:"bad"`
	LimitsBy  string     `bun:"limits_by,notnull"`
}

type incident20261128 struct {
	bun.BaseModel `bun:"table:health_incidents"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Code      string     `bun:"code,notnull"`
	Title     string     `bun:"title,notnull"`
	Text      string     `bun:"text,notnull,type:text"`
	OpenedAt  time.Time  `bun:"opened_at,notnull"`
	CalmAt    *time.Time `bun:"calm_at"`
	ClosedAt  *time.Time `bun:"closed_at"`
	Alarms    int64      `bun:"alarms,notnull"`
	AlarmedAt time.Time  `bun:"alarmed_at,notnull"`
	KnownAt   *time.Time `bun:"known_at"`
	KnownBy   string     `bun:"known_by,notnull"`
	KnownNote string     `bun:"known_note,notnull,type:text"`
}

type report20261128 struct {
	bun.BaseModel `bun:"table:health_reports"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Day     string    `bun:"day,notnull"`
	MadeAt  time.Time `bun:"made_at,notnull"`
	State   string    `bun:"state,notnull"`
	Summary string    `bun:"summary,notnull,type:text"`
	Body    string    `bun:"body,notnull,type:text"`
}

type count20261128 struct {
	bun.BaseModel `bun:"table:request_counts"`

	Slot     time.Time `bun:"slot,pk"`
	Requests int64     `bun:"requests,notnull"`
	Refused  int64     `bun:"refused,notnull"`
	Failed   int64     `bun:"failed,notnull"`
	Slow     int64     `bun:"slow,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261128010100_operations",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*state20261128)(nil), (*incident20261128)(nil), (*report20261128)(nil), (*count20261128)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			// One incident of a check at a time, whoever inspects.
			"CREATE UNIQUE INDEX health_incidents_open ON health_incidents (code) WHERE closed_at IS NULL",
			"CREATE INDEX health_incidents_time ON health_incidents (opened_at)",
			// One report a day.
			"CREATE UNIQUE INDEX health_reports_day ON health_reports (day)")
	},
}}
