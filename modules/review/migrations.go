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
}, {
	// Delegations were of reviews of companies only, in a table of that module; where it is there, its rows move here.
	ID: "20261130090000_review_delegations",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*delegation20261130)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE INDEX review_delegations_to ON review_delegations (to_id, ends)",
			"CREATE INDEX review_delegations_from ON review_delegations (from_id, id)"); err != nil {
			return err
		}
		exists := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'enterprise_delegations'"
		if database.KindOf(tx) == database.Postgres {
			exists = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'enterprise_delegations'"
		}
		var n int
		if err := tx.QueryRowContext(ctx, exists).Scan(&n); err != nil || n == 0 {
			return err
		}
		return database.Exec(ctx, tx, `INSERT INTO review_delegations (from_id, from_name, to_id, to_name, works, starts, ends, reason, by_name, created_at, ended_at, ended_by)
			SELECT from_id, from_name, to_id, to_name, 'enterprise.review', starts, ends, reason, from_name, created_at, ended_at,
			CASE WHEN ended_at IS NULL THEN '' ELSE from_name END FROM enterprise_delegations ORDER BY id`,
			"DROP TABLE enterprise_delegations")
	},
}}

type delegation20261130 struct {
	bun.BaseModel `bun:"table:review_delegations"`

	ID       int64      `bun:"id,pk,autoincrement"`
	FromID   int64      `bun:"from_id,notnull"`
	FromName string     `bun:"from_name,notnull"`
	ToID     int64      `bun:"to_id,notnull"`
	ToName   string     `bun:"to_name,notnull"`
	Works    string     `bun:"works,notnull"`
	Starts   time.Time  `bun:"starts,notnull"`
	Ends     time.Time  `bun:"ends,notnull"`
	Reason   string     `bun:"reason,notnull"`
	ByName   string     `bun:"by_name,notnull"`
	At       time.Time  `bun:"created_at,notnull"`
	EndedAt  *time.Time `bun:"ended_at"`
	EndedBy  string     `bun:"ended_by,notnull"`
}
