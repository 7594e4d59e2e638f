package application

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type application20261124 struct {
	bun.BaseModel `bun:"table:applications"`

	ID              int64      `bun:"id,pk,autoincrement"`
	Number          string     `bun:"number,notnull"`
	Status          string     `bun:"status,notnull"`
	Resume          string     `bun:"resume,notnull"`
	Version         int64      `bun:"version,notnull"`
	Source          string     `bun:"source,notnull"`
	ProductID       int64      `bun:"product_id,notnull"`
	ProductName     string     `bun:"product_name,notnull"`
	Edition         int64      `bun:"edition,notnull"`
	Kind            string     `bun:"kind,notnull"`
	KindName        string     `bun:"kind_name,notnull"`
	Lends           bool       `bun:"lends,notnull"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	Materials       string     `bun:"materials,notnull,type:text"`
	EnterpriseID    int64      `bun:"enterprise_id,notnull"`
	EnterpriseName  string     `bun:"enterprise_name,notnull"`
	UserID          int64      `bun:"user_id,notnull"`
	ContactName     string     `bun:"contact_name,notnull"`
	PhoneSealed     string     `bun:"phone_sealed,notnull"`
	Amount          int64      `bun:"amount,notnull"`
	Term            int        `bun:"term,notnull"`
	Purpose         string     `bun:"purpose,notnull,type:text"`
	Collateral      string     `bun:"collateral,notnull,type:text"`
	HandlerID       *int64     `bun:"handler_id"`
	HandlerName     string     `bun:"handler_name,notnull"`
	SubmittedAt     time.Time  `bun:"submitted_at,notnull"`
	DueAt           time.Time  `bun:"due_at,notnull"`
	ClosedAt        *time.Time `bun:"closed_at"`
	Reason          string     `bun:"reason,notnull,type:text"`
	ApprovedAmount  int64      `bun:"approved_amount,notnull"`
	ApprovedRate    int        `bun:"approved_rate,notnull"`
	ApprovedTerm    int        `bun:"approved_term,notnull"`
	DisbursedAmount int64      `bun:"disbursed_amount,notnull"`
	DisbursedAt     *time.Time `bun:"disbursed_at"`
}

type draft20261124 struct {
	bun.BaseModel `bun:"table:application_drafts"`

	UserID          int64     `bun:"user_id,pk"`
	EnterpriseID    int64     `bun:"enterprise_id,pk"`
	ProductID       int64     `bun:"product_id,pk"`
	ProductName     string    `bun:"product_name,notnull"`
	KindName        string    `bun:"kind_name,notnull"`
	Lends           bool      `bun:"lends,notnull"`
	InstitutionName string    `bun:"institution_name,notnull"`
	Sealed          string    `bun:"sealed,notnull,type:text"`
	SavedAt         time.Time `bun:"saved_at,notnull"`
}

type file20261124 struct {
	bun.BaseModel `bun:"table:application_files"`

	ApplicationID int64  `bun:"application_id,pk"`
	FileID        int64  `bun:"file_id,pk"`
	Seq           int64  `bun:"seq,notnull"`
	Kind          string `bun:"kind,notnull"`
}

type number20261124 struct {
	bun.BaseModel `bun:"table:application_numbers"`

	Day  string `bun:"day,pk"`
	Last int64  `bun:"last,notnull"`
}

// Migrations are the tables of the module. The unique index keeps a company from having two open applications for one
// product, however many requests arrive at once.
var Migrations = []database.Migration{{
	ID: "20261124084000_applications",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*application20261124)(nil), (*draft20261124)(nil), (*file20261124)(nil), (*number20261124)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX applications_number ON applications (number)",
			"CREATE UNIQUE INDEX applications_open ON applications (enterprise_id, product_id) WHERE closed_at IS NULL",
			"CREATE INDEX applications_enterprise ON applications (enterprise_id, id)",
			"CREATE INDEX applications_enterprise_status ON applications (enterprise_id, status, id)",
			"CREATE INDEX applications_institution ON applications (institution_id, id)",
			"CREATE INDEX applications_institution_status ON applications (institution_id, status, id)",
			"CREATE INDEX applications_institution_due ON applications (institution_id, status, due_at, id)",
			"CREATE INDEX applications_handler ON applications (handler_id, id)",
			"CREATE INDEX applications_handler_status ON applications (handler_id, status, id)",
			"CREATE INDEX applications_status ON applications (status, id)",
			"CREATE INDEX applications_due ON applications (status, due_at, id)",
			"CREATE INDEX application_drafts_writer ON application_drafts (user_id, enterprise_id, saved_at)",
			"CREATE INDEX application_files_file ON application_files (file_id)")
	},
}, {
	ID: "20261129180100_application_numbers_drawn",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.SerialSteps(ctx, tx, "application_numbers")
	},
}}
