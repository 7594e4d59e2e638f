package supervision

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type seen20261129 struct {
	bun.BaseModel `bun:"table:supervision_seen"`

	TicketID int64     `bun:"ticket_id,pk"`
	Matter   string    `bun:"matter,notnull"`
	Area     string    `bun:"area,notnull"`
	At       time.Time `bun:"at,notnull"`
}

type rule20261129 struct {
	bun.BaseModel `bun:"table:supervision_rules"`

	ID      int64   `bun:"id,pk"`
	Least   int     `bun:"least,notnull"`
	Factor  float64 `bun:"factor,notnull"`
	Weeks   int     `bun:"weeks,notnull"`
	On      bool    `bun:"active,notnull"`
	Version int64   `bun:"version,notnull"`
}

type alarm20261129 struct {
	bun.BaseModel `bun:"table:supervision_alarms"`

	ID         int64      `bun:"id,pk,autoincrement"`
	Matter     string     `bun:"matter,notnull"`
	MatterName string     `bun:"matter_name,notnull"`
	Area       string     `bun:"area,notnull"`
	AreaName   string     `bun:"area_name,notnull"`
	FirstAt    time.Time  `bun:"first_at,notnull"`
	LastAt     time.Time  `bun:"last_at,notnull"`
	Count      int        `bun:"n,notnull"`
	Usual      float64    `bun:"usual,notnull"`
	AckedBy    string     `bun:"acked_by,notnull"`
	AckedAt    *time.Time `bun:"acked_at"`
	Note       string     `bun:"note,notnull,type:text"`
}

type report20261129 struct {
	bun.BaseModel `bun:"table:supervision_reports"`

	ID     int64     `bun:"id,pk,autoincrement"`
	Kind   string    `bun:"kind,notnull"`
	From   time.Time `bun:"from_at,notnull"`
	To     time.Time `bun:"to_at,notnull"`
	Name   string    `bun:"name,notnull"`
	Body   string    `bun:"body,notnull,type:text"`
	MadeAt time.Time `bun:"made_at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129083000_supervision",
	Up: func(ctx context.Context, tx bun.Tx) error {
		err := database.CreateTables(ctx, tx, (*seen20261129)(nil), (*rule20261129)(nil), (*alarm20261129)(nil), (*report20261129)(nil))
		if err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX supervision_seen_kind ON supervision_seen (matter, area, at)",
			"CREATE INDEX supervision_seen_at ON supervision_seen (at)",
			"CREATE INDEX supervision_alarms_kind ON supervision_alarms (matter, area, last_at)",
			"CREATE INDEX supervision_alarms_open ON supervision_alarms (id) WHERE acked_at IS NULL",
			"CREATE UNIQUE INDEX supervision_reports_span ON supervision_reports (kind, from_at)",
			"INSERT INTO supervision_rules (id, least, factor, weeks, active, version) VALUES (1, 5, 3, 4, TRUE, 1)",
		)
	},
}, {
	ID: "20261129170100_surges_without_secrets",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE supervision_seen ADD COLUMN hushed BOOLEAN NOT NULL DEFAULT FALSE")
	},
}}
