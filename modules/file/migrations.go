package file

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type row20261104 struct {
	bun.BaseModel `bun:"table:files"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Key       string    `bun:"key,notnull,unique"`
	Name      string    `bun:"name,notnull"`
	Mime      string    `bun:"mime,notnull"`
	Size      int64     `bun:"size,notnull"`
	SHA256    string    `bun:"sha256,notnull"`
	Inline    bool      `bun:"inline,notnull"` // may be shown in our origin
	OwnerID   int64     `bun:"owner_id,notnull"`
	Object    string    `bun:"object,notnull"`
	ObjectID  int64     `bun:"object_id,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{
	{
		ID: "20261104100000_files",
		Up: func(ctx context.Context, tx bun.Tx) error {
			if err := database.CreateTables(ctx, tx, (*row20261104)(nil)); err != nil {
				return err
			}
			return database.Exec(ctx, tx, "CREATE INDEX files_object ON files (object, object_id)")
		},
	},
	{
		// What was there before counts as available: it was given out already.
		ID: "20261127020000_file_states",
		Up: func(ctx context.Context, tx bun.Tx) error {
			if err := database.ByDialect(ctx, tx,
				[]string{"ALTER TABLE files ADD COLUMN scanned_at TIMESTAMP"},
				[]string{"ALTER TABLE files ADD COLUMN scanned_at TIMESTAMPTZ"}); err != nil {
				return err
			}
			return database.Exec(ctx, tx,
				"ALTER TABLE files ADD COLUMN state VARCHAR NOT NULL DEFAULT 'available'",
				"ALTER TABLE files ADD COLUMN virus VARCHAR NOT NULL DEFAULT ''",
				"CREATE INDEX files_held ON files (id) WHERE state <> 'available'",
				"CREATE INDEX files_loose ON files (created_at) WHERE object = ''")
		},
	},
}
