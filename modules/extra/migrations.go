package extra

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type field20261130 struct {
	bun.BaseModel `bun:"table:extra_fields"`

	Subject    string    `bun:"subject,pk"`
	Code       string    `bun:"code,pk"`
	Definition string    `bun:"definition,notnull,type:text"`
	Kinds      string    `bun:"kinds,notnull,type:text"`
	Audience   string    `bun:"audience,notnull"`
	Sort       int       `bun:"sort,notnull"`
	Retired    bool      `bun:"retired,notnull"`
	Version    int64     `bun:"version,notnull"`
	UpdatedAt  time.Time `bun:"updated_at,notnull"`
	UpdatedBy  string    `bun:"updated_by,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261130080000_extra_fields",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*field20261130)(nil))
	},
}}
