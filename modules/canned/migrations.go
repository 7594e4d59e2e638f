package canned

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type phrase20261129 struct {
	bun.BaseModel `bun:"table:canned_replies"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Holder    string    `bun:"holder,notnull"`
	UserID    int64     `bun:"user_id,notnull"`
	UnitID    int64     `bun:"unit_id,notnull"`
	UnitName  string    `bun:"unit_name,notnull"`
	Code      string    `bun:"code,notnull"`
	Title     string    `bun:"title,notnull"`
	Body      string    `bun:"body,notnull,type:text"`
	Category  string    `bun:"category,notnull"`
	Version   int64     `bun:"version,notnull"`
	Uses      int64     `bun:"uses,notnull"`
	Removed   bool      `bun:"removed,notnull"`
	EditorID  int64     `bun:"editor_id,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

type used20261129 struct {
	bun.BaseModel `bun:"table:canned_uses"`

	PhraseID int64     `bun:"phrase_id,pk"`
	UserID   int64     `bun:"user_id,pk"`
	Uses     int64     `bun:"uses,notnull"`
	LastAt   time.Time `bun:"last_at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129031000_canned_replies",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*phrase20261129)(nil), (*used20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX canned_replies_user ON canned_replies (user_id, id) WHERE holder = 'personal'",
			"CREATE INDEX canned_replies_unit ON canned_replies (unit_id, id) WHERE holder = 'unit'",
			"CREATE UNIQUE INDEX canned_replies_code ON canned_replies (holder, user_id, unit_id, code) WHERE code <> '' AND NOT removed",
		)
	},
}}
