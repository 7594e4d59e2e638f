package contract

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

func notFound(err error) error { return database.Found(err) }

type contract20261130 struct {
	bun.BaseModel `bun:"table:contracts"`

	ID              int64      `bun:"id,pk,autoincrement"`
	Version         int64      `bun:"version,notnull"`
	Number          string     `bun:"number,notnull"`
	State           string     `bun:"state,notnull"`
	CaseObject      string     `bun:"object,notnull"`
	CaseID          int64      `bun:"object_id,notnull"`
	CaseNumber      string     `bun:"case_number,notnull"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	EnterpriseID    int64      `bun:"enterprise_id,notnull"`
	EnterpriseName  string     `bun:"enterprise_name,notnull"`
	UserID          int64      `bun:"user_id,notnull"`
	TemplateID      int64      `bun:"template_id,notnull"`
	Title           string     `bun:"title,notnull"`
	Body            string     `bun:"body,notnull,type:text"`
	FileID          int64      `bun:"file_id,notnull"`
	FileDigest      string     `bun:"file_digest,notnull"`
	Days            int        `bun:"days,notnull"`
	Content         string     `bun:"content,notnull,type:text"`
	Digest          string     `bun:"digest,notnull"`
	By              string     `bun:"made_by,notnull"`
	At              time.Time  `bun:"made_at,notnull"`
	SentAt          *time.Time `bun:"sent_at"`
	ExpiresAt       *time.Time `bun:"expires_at"`
	EffectiveAt     *time.Time `bun:"effective_at"`
	EndedAt         *time.Time `bun:"ended_at"`
	Signing         string     `bun:"signing,notnull"`
	Reason          string     `bun:"reason,notnull,type:text"`
	VoidSide        string     `bun:"void_side,notnull"`
	VoidReason      string     `bun:"void_reason,notnull,type:text"`
}

type signature20261130 struct {
	bun.BaseModel `bun:"table:contract_signatures"`

	ContractID int64     `bun:"contract_id,pk"`
	Side       string    `bun:"side,pk"`
	UserID     int64     `bun:"user_id,notnull"`
	Name       string    `bun:"name,notnull"`
	Payload    string    `bun:"payload,notnull,type:text"`
	Provider   string    `bun:"provider,notnull"`
	Proof      string    `bun:"proof,notnull,type:text"`
	At         time.Time `bun:"made_at,notnull"`
}

type template20261130 struct {
	bun.BaseModel `bun:"table:contract_templates"`

	ID            int64     `bun:"id,pk,autoincrement"`
	Family        string    `bun:"family,notnull"`
	Edition       int       `bun:"edition,notnull"`
	InstitutionID int64     `bun:"institution_id,notnull"`
	Title         string    `bun:"title,notnull"`
	Body          string    `bun:"body,notnull,type:text"`
	Withdrawn     bool      `bun:"withdrawn,notnull"`
	By            string    `bun:"made_by,notnull"`
	At            time.Time `bun:"made_at,notnull"`
}

type number20261130 struct {
	bun.BaseModel `bun:"table:contract_numbers"`

	Day  string `bun:"day,pk"`
	Last int64  `bun:"last,notnull"`
}

// Migrations are the tables of the module. The key of signatures lets a side sign once, however many requests arrive at once.
var Migrations = []database.Migration{{
	ID: "20261130060300_contracts",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*contract20261130)(nil), (*signature20261130)(nil), (*template20261130)(nil), (*number20261130)(nil)); err != nil {
			return err
		}
		if err := database.SerialSteps(ctx, tx, "contract_numbers"); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX contracts_number ON contracts (number)",
			"CREATE INDEX contracts_case ON contracts (object, object_id)",
			"CREATE INDEX contracts_digest ON contracts (digest)",
			"CREATE INDEX contracts_file_digest ON contracts (file_digest)",
			"CREATE INDEX contracts_due ON contracts (expires_at) WHERE state IN ('sent', 'half')",
			"CREATE INDEX contract_signatures_making ON contract_signatures (made_at) WHERE provider = ''",
			"CREATE UNIQUE INDEX contract_templates_edition ON contract_templates (family, edition)",
		)
	},
}}
