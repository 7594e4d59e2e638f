package policy

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type policy20261124 struct {
	bun.BaseModel `bun:"table:policies"`

	ID             int64     `bun:"id,pk,autoincrement"`
	Title          string    `bun:"title,notnull"`
	DocNumber      string    `bun:"doc_number,notnull"`
	Issuer         string    `bun:"issuer,notnull"`
	Level          string    `bun:"level,notnull"`
	Topic          string    `bun:"topic,notnull"`
	PublishedOn    string    `bun:"published_on,notnull"`
	OpensOn        string    `bun:"opens_on,notnull"`
	ClosesOn       string    `bun:"closes_on,notnull"`
	Deadline       string    `bun:"deadline,notnull"`
	ExpiresOn      string    `bun:"expires_on,notnull"`
	Body           string    `bun:"body,notnull,type:text"`
	Interpretation string    `bun:"interpretation,notnull,type:text"`
	FAQ            string    `bun:"faq,notnull,type:text"`
	Materials      string    `bun:"materials,notnull,type:text"`
	Benefit        string    `bun:"benefit,notnull"`
	CapFen         int64     `bun:"cap_fen,notnull"`
	HandlerID      *int64    `bun:"handler_id"`
	HandlerName    string    `bun:"handler_name,notnull"`
	Link           string    `bun:"link,notnull"`
	Conditions     *string   `bun:"conditions,type:text"`
	Status         string    `bun:"status,notnull"`
	Version        int64     `bun:"version,notnull"`
	CreatedAt      time.Time `bun:"created_at,notnull"`
	UpdatedAt      time.Time `bun:"updated_at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = append([]database.Migration{{
	ID: "20261124087001_policies",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*policy20261124)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE INDEX policies_published ON policies (status, published_on, id)",
			"CREATE INDEX policies_deadline ON policies (status, deadline, id)",
			"CREATE INDEX policies_day ON policies (published_on, id)",
			"CREATE INDEX policies_close ON policies (deadline, id)",
		); err != nil {
			return err
		}
		// Each database has its own full text; both live in the transaction of the row.
		return database.ByDialect(ctx, tx,
			[]string{"CREATE VIRTUAL TABLE policy_search USING fts5(title, body, content='', contentless_delete=1, tokenize='unicode61')"},
			[]string{
				"CREATE TABLE policy_search (policy_id BIGINT PRIMARY KEY REFERENCES policies (id), doc TSVECTOR NOT NULL)",
				"CREATE INDEX policy_search_doc ON policy_search USING gin (doc)",
			})
	},
}, {
	ID: "20261128040300_policy_search",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.Exec(ctx, tx, "DROP TABLE policy_search"); err != nil {
			return err
		}
		return fullText.Create(ctx, tx, "policies")
	},
}}, libraryMigrations...)
