package demand

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type demand20261130 struct {
	bun.BaseModel `bun:"table:demands"`

	ID                int64      `bun:"id,pk,autoincrement"`
	Number            string     `bun:"number,notnull"`
	State             string     `bun:"state,notnull"`
	Version           int64      `bun:"version,notnull"`
	EnterpriseID      int64      `bun:"enterprise_id,notnull"`
	EnterpriseName    string     `bun:"enterprise_name,notnull"`
	UserID            int64      `bun:"user_id,notnull"`
	TypedSealed       string     `bun:"typed_sealed,notnull,type:text"`
	CreatedAt         time.Time  `bun:"created_at,notnull"`
	SavedAt           time.Time  `bun:"saved_at,notnull"`
	Kind              string     `bun:"kind,notnull"`
	KindName          string     `bun:"kind_name,notnull"`
	Lends             bool       `bun:"lends,notnull"`
	Title             string     `bun:"title,notnull"`
	Description       string     `bun:"description,notnull,type:text"`
	BudgetMin         int64      `bun:"budget_min,notnull"`
	BudgetMax         int64      `bun:"budget_max,notnull"`
	Term              int        `bun:"term,notnull"`
	Until             string     `bun:"until,notnull"`
	PickUntil         string     `bun:"pick_until,notnull"`
	WantedBy          string     `bun:"wanted_by,notnull"`
	Place             string     `bun:"place,notnull"`
	Named             bool       `bun:"named,notnull"`
	ContactName       string     `bun:"contact_name,notnull"`
	ContactNote       string     `bun:"contact_note,notnull"`
	PhoneSealed       string     `bun:"phone_sealed,notnull,type:text"`
	Round             int        `bun:"round,notnull"`
	SubmittedAt       *time.Time `bun:"submitted_at"`
	DueAt             *time.Time `bun:"due_at"`
	RemindedAt        *time.Time `bun:"reminded_at"`
	ReviewedBy        int64      `bun:"reviewed_by,notnull"`
	ReviewedAt        *time.Time `bun:"reviewed_at"`
	Reason            string     `bun:"reason,notnull,type:text"`
	ApprovedAt        *time.Time `bun:"approved_at"`
	FirstQuoteAt      *time.Time `bun:"first_quote_at"`
	FirstQuoteMinutes int64      `bun:"first_quote_minutes,notnull"`
	OverTold          bool       `bun:"over_told,notnull"`
	EndedAt           *time.Time `bun:"ended_at"`
	QuoteID           int64      `bun:"quote_id,notnull"`
	ApplicationID     int64      `bun:"application_id,notnull"`
	ApplicationNumber string     `bun:"application_number,notnull"`
}

type quote20261130 struct {
	bun.BaseModel `bun:"table:demand_quotes"`

	ID              int64     `bun:"id,pk,autoincrement"`
	DemandID        int64     `bun:"demand_id,notnull"`
	InstitutionID   int64     `bun:"institution_id,notnull"`
	InstitutionName string    `bun:"institution_name,notnull"`
	ProductID       int64     `bun:"product_id,notnull"`
	ProductName     string    `bun:"product_name,notnull"`
	State           string    `bun:"state,notnull"`
	Version         int64     `bun:"version,notnull"`
	Price           int64     `bun:"price,notnull"`
	Days            int       `bun:"days,notnull"`
	Amount          int64     `bun:"amount,notnull"`
	Rate            int       `bun:"rate,notnull"`
	Term            int       `bun:"term,notnull"`
	Text            string    `bun:"text,notnull,type:text"`
	ValidUntil      string    `bun:"valid_until,notnull"`
	ByID            int64     `bun:"by_id,notnull"`
	By              string    `bun:"made_by,notnull"`
	At              time.Time `bun:"made_at,notnull"`
	ChangedAt       time.Time `bun:"changed_at,notnull"`
	UnfitVersion    int64     `bun:"unfit_version,notnull"`
}

type invitation20261130 struct {
	bun.BaseModel `bun:"table:demand_invitations"`

	ID              int64     `bun:"id,pk,autoincrement"`
	DemandID        int64     `bun:"demand_id,notnull"`
	InstitutionID   int64     `bun:"institution_id,notnull"`
	InstitutionName string    `bun:"institution_name,notnull"`
	Why             string    `bun:"why,notnull,type:text"`
	ByMatch         bool      `bun:"by_match,notnull"`
	Gone            bool      `bun:"gone,notnull"`
	Told            bool      `bun:"told,notnull"`
	By              string    `bun:"made_by,notnull"`
	At              time.Time `bun:"made_at,notnull"`
}

type file20261130 struct {
	bun.BaseModel `bun:"table:demand_files"`

	ID       int64 `bun:"id,pk,autoincrement"`
	DemandID int64 `bun:"demand_id,notnull"`
	QuoteID  int64 `bun:"quote_id,notnull"`
	FileID   int64 `bun:"file_id,notnull"`
	Gone     bool  `bun:"gone,notnull"`
}

type number20261130 struct {
	bun.BaseModel `bun:"table:demand_numbers"`

	Day  string `bun:"day,pk"`
	Last int64  `bun:"last,notnull"`
}

// Migrations are the tables of the module. The unique indexes let an institution have one quote and one invitation for a demand,
// however many requests arrive at once.
var Migrations = []database.Migration{{
	ID: "20261130050100_demands",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*demand20261130)(nil), (*quote20261130)(nil), (*invitation20261130)(nil), (*file20261130)(nil), (*number20261130)(nil)); err != nil {
			return err
		}
		if err := database.SerialSteps(ctx, tx, "demand_numbers"); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX demands_number ON demands (number)",
			"CREATE INDEX demands_enterprise ON demands (enterprise_id, id)",
			"CREATE INDEX demands_state ON demands (state, id)",
			"CREATE INDEX demands_hall ON demands (approved_at, id) WHERE state = 'open'",
			"CREATE INDEX demands_until ON demands (until) WHERE state = 'open'",
			"CREATE INDEX demands_due ON demands (due_at) WHERE state = 'review'",
			"CREATE INDEX demands_submitted ON demands (submitted_at)",
			"CREATE UNIQUE INDEX demands_application ON demands (application_id) WHERE application_id <> 0",
			"CREATE UNIQUE INDEX demand_quotes_once ON demand_quotes (demand_id, institution_id)",
			"CREATE INDEX demand_quotes_institution ON demand_quotes (institution_id, id)",
			"CREATE UNIQUE INDEX demand_invitations_once ON demand_invitations (demand_id, institution_id)",
			"CREATE INDEX demand_invitations_institution ON demand_invitations (institution_id, demand_id)",
			"CREATE UNIQUE INDEX demand_files_once ON demand_files (file_id)",
		)
	},
}}
