package review

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type row20261129 struct {
	bun.BaseModel `bun:"table:return_reasons"`

	List    string    `bun:"list,pk"`
	Code    string    `bun:"code,pk"`
	Text    string    `bun:"text,notnull,type:text"`
	Words   bool      `bun:"words,notnull"`
	Sort    int       `bun:"sort,notnull"`
	Retired bool      `bun:"retired,notnull"`
	Version int64     `bun:"version,notnull"`
	SetAt   time.Time `bun:"set_at,notnull"`
	SetBy   string    `bun:"set_by,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129211500_return_reasons",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*row20261129)(nil))
	},
}}
