package event

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type event20261101 struct {
	bun.BaseModel `bun:"table:events"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Pos       *int64    `bun:"pos"`
	Type      string    `bun:"type,notnull"`
	Object    string    `bun:"object,notnull"`
	ObjectID  int64     `bun:"object_id,notnull"`
	Seq       int64     `bun:"seq,notnull"`
	ActorID   int64     `bun:"actor_id,notnull"`
	ActorName string    `bun:"actor_name,notnull"`
	TraceID   string    `bun:"trace_id,notnull"`
	At        time.Time `bun:"at,notnull"`
	Facts     string    `bun:"facts,notnull,type:text"`
}

type cursor20261101 struct {
	bun.BaseModel `bun:"table:event_cursors"`

	Name string `bun:"name,pk"`
	Pos  int64  `bun:"pos,notnull"`
}

// Migrations are the tables of the package.
var Migrations = []database.Migration{{
	ID: "20261101000100_events",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*event20261101)(nil), (*cursor20261101)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX events_object ON events (object, object_id, seq)",
			"CREATE UNIQUE INDEX events_pos ON events (pos)",
			"CREATE INDEX events_unplaced ON events (id) WHERE pos IS NULL",
		)
	},
}, {
	// What happened in a span of time is counted without reading the rows.
	ID: "20261129140000_events_at",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "CREATE INDEX events_at ON events (at, type)")
	},
}}
