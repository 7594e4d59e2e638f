package calendar

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type version20261129 struct {
	bun.BaseModel `bun:"table:calendar_versions"`

	ID          int64      `bun:"id,pk,autoincrement"`
	State       string     `bun:"state,notnull"`
	BaseID      *int64     `bun:"base_id"`
	Note        string     `bun:"note,notnull,type:text"`
	Definition  string     `bun:"definition,notnull,type:text"`
	Version     int64      `bun:"version,notnull"`
	CreatedAt   time.Time  `bun:"created_at,notnull"`
	CreatedBy   string     `bun:"created_by,notnull"`
	ChangedAt   time.Time  `bun:"changed_at,notnull"`
	ChangedBy   string     `bun:"changed_by,notnull"`
	PublishedAt *time.Time `bun:"published_at"`
	PublishedBy string     `bun:"published_by,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129010100_calendar_versions",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*version20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			// One version is in force, and one draft is edited.
			"CREATE UNIQUE INDEX calendar_versions_state ON calendar_versions (state) WHERE state IN ('draft', 'published')")
	},
}}
