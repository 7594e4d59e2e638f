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

type application20261129 struct {
	bun.BaseModel `bun:"table:institution_applications"`

	ID            int64      `bun:"id,pk,autoincrement"`
	Number        string     `bun:"number,notnull"`
	UserID        int64      `bun:"user_id,notnull"`
	UserName      string     `bun:"user_name,notnull"`
	State         string     `bun:"state,notnull"`
	Round         int64      `bun:"round,notnull"`
	Name          string     `bun:"name,notnull"`
	Kind          string     `bun:"kind,notnull"`
	CreditCode    string     `bun:"credit_code,notnull"`
	LegalPerson   string     `bun:"legal_person,notnull"`
	Phone         string     `bun:"phone,notnull"`
	Address       string     `bun:"address,notnull"`
	Summary       string     `bun:"summary,notnull,type:text"`
	Offers        string     `bun:"offers,notnull,type:text"`
	ContactName   string     `bun:"contact_name,notnull"`
	ContactSealed string     `bun:"contact_sealed,notnull,type:text"`
	Account       string     `bun:"account,notnull"`
	InstitutionID int64      `bun:"institution_id,notnull"`
	Version       int64      `bun:"version,notnull"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	UpdatedAt     time.Time  `bun:"updated_at,notnull"`
	SubmittedAt   *time.Time `bun:"submitted_at"`
	DueAt         *time.Time `bun:"due_at"`
	RemindedAt    *time.Time `bun:"reminded_at"`
	DecidedAt     *time.Time `bun:"decided_at"`
}

type document20261129 struct {
	bun.BaseModel `bun:"table:institution_documents"`

	ID            int64      `bun:"id,pk,autoincrement"`
	ApplicationID int64      `bun:"application_id,notnull"`
	Name          string     `bun:"name,notnull"`
	No            string     `bun:"no,notnull"`
	To            string     `bun:"valid_to,notnull"`
	AddedAt       time.Time  `bun:"added_at,notnull"`
	RemovedAt     *time.Time `bun:"removed_at"`
}

type round20261129 struct {
	bun.BaseModel `bun:"table:institution_rounds"`

	ApplicationID int64      `bun:"application_id,pk"`
	Round         int64      `bun:"round,pk"`
	Sent          string     `bun:"sent,notnull,type:text"`
	SubmittedAt   time.Time  `bun:"submitted_at,notnull"`
	DueAt         time.Time  `bun:"due_at,notnull"`
	Outcome       string     `bun:"outcome,notnull"`
	Codes         string     `bun:"codes,notnull"`
	Reason        string     `bun:"reason,notnull,type:text"`
	ReviewerID    int64      `bun:"reviewer_id,notnull"`
	ReviewerName  string     `bun:"reviewer_name,notnull"`
	DecidedAt     *time.Time `bun:"decided_at"`
}

type renewal20261130 struct {
	bun.BaseModel `bun:"table:institution_renewals"`

	ID            int64      `bun:"id,pk,autoincrement"`
	InstitutionID int64      `bun:"institution_id,notnull"`
	Replaces      string     `bun:"replaces,notnull"`
	Name          string     `bun:"name,notnull"`
	No            string     `bun:"no,notnull"`
	To            string     `bun:"valid_to,notnull"`
	State         string     `bun:"state,notnull"`
	Reason        string     `bun:"reason,notnull,type:text"`
	UserID        int64      `bun:"user_id,notnull"`
	UserName      string     `bun:"user_name,notnull"`
	ReviewerID    int64      `bun:"reviewer_id,notnull"`
	ReviewerName  string     `bun:"reviewer_name,notnull"`
	Version       int64      `bun:"version,notnull"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	DecidedAt     *time.Time `bun:"decided_at"`
}

type reminder20261129 struct {
	bun.BaseModel `bun:"table:institution_reminders"`

	InstitutionID int64     `bun:"institution_id,pk"`
	Name          string    `bun:"name,pk"`
	No            string    `bun:"no,pk"`
	To            string    `bun:"valid_to,pk"`
	Threshold     int64     `bun:"threshold,pk"`
	At            time.Time `bun:"at,notnull"`
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
}, {
	ID: "20261129182000_institution_onboarding",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*application20261129)(nil), (*document20261129)(nil), (*round20261129)(nil), (*reminder20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			// One open application a person, and one under review a credit code: two who send at once meet here.
			"CREATE UNIQUE INDEX institution_applications_person ON institution_applications (user_id) WHERE state IN ('draft', 'waiting', 'returned')",
			"CREATE UNIQUE INDEX institution_applications_code ON institution_applications (credit_code) WHERE state = 'waiting'",
			"CREATE INDEX institution_applications_state ON institution_applications (state, id)",
			"CREATE INDEX institution_applications_user ON institution_applications (user_id, id)",
			"CREATE INDEX institution_documents_application ON institution_documents (application_id, id)")
	},
}, {
	ID: "20261130070000_institution_second_review",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.ByDialect(ctx, tx, []string{"ALTER TABLE institution_rounds ADD COLUMN checked_at TIMESTAMP"},
			[]string{"ALTER TABLE institution_rounds ADD COLUMN checked_at TIMESTAMPTZ"}); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"ALTER TABLE institution_rounds ADD COLUMN checker_id BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE institution_rounds ADD COLUMN checker_name VARCHAR NOT NULL DEFAULT ''",
			"DROP INDEX institution_applications_person",
			"DROP INDEX institution_applications_code",
			"CREATE UNIQUE INDEX institution_applications_person ON institution_applications (user_id) WHERE state IN ('draft', 'waiting', 'checked', 'returned')",
			"CREATE UNIQUE INDEX institution_applications_code ON institution_applications (credit_code) WHERE state IN ('waiting', 'checked')")
	},
}, {
	ID: "20261130070100_institution_renewals",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*renewal20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			// One waiting renewal of a qualification: two who hand in at once meet here.
			"CREATE UNIQUE INDEX institution_renewals_open ON institution_renewals (institution_id, replaces) WHERE state = 'waiting' AND replaces <> ''",
			"CREATE INDEX institution_renewals_institution ON institution_renewals (institution_id, id)",
			"CREATE INDEX institution_renewals_state ON institution_renewals (state, id)")
	},
}, {
	ID: "20261130090200_institution_checker_for",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE institution_rounds ADD COLUMN checker_for BIGINT NOT NULL DEFAULT 0")
	},
}, {
	ID: "20261130090500_institution_memory",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*memory20261130)(nil))
	},
}, {
	ID: "20261130120500_institution_renewal_was",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE institution_renewals ADD COLUMN was TEXT NOT NULL DEFAULT ''")
	},
}}

type memory20261130 struct {
	bun.BaseModel `bun:"table:institution_memory"`

	ApplicationID int64     `bun:"application_id,pk"`
	Version       int64     `bun:"version,notnull"`
	Seq           int64     `bun:"seq,notnull"`
	Label         string    `bun:"label,notnull"`
	At            time.Time `bun:"at,notnull"`
	ActorID       int64     `bun:"actor_id,notnull"`
	Was           string    `bun:"was,notnull,type:text"`
}
