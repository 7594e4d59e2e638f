package institution

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type institution20261124 struct {
	bun.BaseModel `bun:"table:institutions"`

	ID             int64     `bun:"id,pk,autoincrement"`
	Name           string    `bun:"name,notnull"`
	Kind           string    `bun:"kind,notnull"`
	CreditCode     string    `bun:"credit_code,notnull"`
	LegalPerson    string    `bun:"legal_person,notnull"`
	Phone          string    `bun:"phone,notnull"`
	Address        string    `bun:"address,notnull"`
	Summary        string    `bun:"summary,notnull,type:text"`
	Qualifications string    `bun:"qualifications,notnull,type:text"`
	Status         string    `bun:"status,notnull"`
	Reason         string    `bun:"reason,notnull,type:text"`
	Version        int64     `bun:"version,notnull"`
	CreatedAt      time.Time `bun:"created_at,notnull"`
	UpdatedAt      time.Time `bun:"updated_at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261124083001_institutions",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*institution20261124)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX institutions_code ON institutions (credit_code)",
			"CREATE INDEX institutions_kind ON institutions (kind, id)",
			"CREATE INDEX institutions_status ON institutions (status, id)")
	},
}}
