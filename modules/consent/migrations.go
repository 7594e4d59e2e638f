package consent

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type text20261129 struct {
	bun.BaseModel `bun:"table:consent_texts"`

	ID          int64      `bun:"id,pk,autoincrement"`
	Purpose     string     `bun:"purpose,notnull"`
	No          int64      `bun:"no,notnull"`
	State       string     `bun:"state,notnull"`
	Title       string     `bun:"title,notnull"`
	Body        string     `bun:"body,notnull,type:text"`
	Groups      string     `bun:"groups,notnull,type:text"`
	Days        int64      `bun:"days,notnull"`
	Material    bool       `bun:"material,notnull"`
	Document    string     `bun:"document,notnull,type:text"`
	Digest      string     `bun:"digest,notnull"`
	From        *time.Time `bun:"in_force_from"`
	Version     int64      `bun:"version,notnull"`
	AuthorID    int64      `bun:"author_id,notnull"`
	AuthorName  string     `bun:"author_name,notnull"`
	CreatedAt   time.Time  `bun:"created_at,notnull"`
	Writers     string     `bun:"writers,notnull,type:text"`
	PublisherID int64      `bun:"publisher_id,notnull"`
	Publisher   string     `bun:"publisher_name,notnull"`
	PublishedAt *time.Time `bun:"published_at"`
}

type grant20261129 struct {
	bun.BaseModel `bun:"table:consent_grants"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Purpose      string     `bun:"purpose,notnull"`
	TextID       int64      `bun:"text_id,notnull"`
	TextNo       int64      `bun:"text_no,notnull"`
	Digest       string     `bun:"digest,notnull"`
	GrantedAt    time.Time  `bun:"granted_at,notnull"`
	GrantedBy    int64      `bun:"granted_by,notnull"`
	GrantedName  string     `bun:"granted_name,notnull"`
	Channel      string     `bun:"channel,notnull"`
	IP           string     `bun:"ip,notnull"`
	Until        *time.Time `bun:"until"`
	EndedAt      *time.Time `bun:"ended_at"`
	Ended        string     `bun:"ended,notnull"`
	EndedBy      int64      `bun:"ended_by,notnull"`
	EndedName    string     `bun:"ended_name,notnull"`
	EndedChannel string     `bun:"ended_channel,notnull"`
	EndedIP      string     `bun:"ended_ip,notnull"`
	Reason       string     `bun:"reason,notnull,type:text"`
}

type basis20261129 struct {
	bun.BaseModel `bun:"table:consent_bases"`

	Code     string    `bun:"code,pk"`
	Name     string    `bun:"name,notnull"`
	Law      string    `bun:"law,notnull,type:text"`
	Roles    string    `bun:"roles,notnull,type:text"`
	Purposes string    `bun:"purposes,notnull,type:text"`
	Groups   string    `bun:"groups,notnull,type:text"`
	Active   bool      `bun:"active,notnull"`
	Version  int64     `bun:"version,notnull"`
	By       int64     `bun:"changed_by,notnull"`
	ByName   string    `bun:"changed_name,notnull"`
	At       time.Time `bun:"changed_at,notnull"`
}

type access20261129 struct {
	bun.BaseModel `bun:"table:consent_accesses"`

	ID           int64     `bun:"id,pk,autoincrement"`
	EnterpriseID int64     `bun:"enterprise_id,notnull"`
	At           time.Time `bun:"at,notnull"`
	Purpose      string    `bun:"purpose,notnull"`
	What         string    `bun:"what,notnull"`
	Groups       string    `bun:"groups,notnull,type:text"`
	Allowed      bool      `bun:"allowed,notnull"`
	GrantID      int64     `bun:"grant_id,notnull"`
	Basis        string    `bun:"basis,notnull"`
	BasisName    string    `bun:"basis_name,notnull"`
	Why          string    `bun:"why,notnull"`
	ReaderID     int64     `bun:"reader_id,notnull"`
	ReaderName   string    `bun:"reader_name,notnull"`
	Party        string    `bun:"reader_party,notnull"`
	Unit         string    `bun:"reader_unit,notnull"`
	Roles        string    `bun:"reader_roles,notnull"`
	IP           string    `bun:"ip,notnull"`
}

type asked20261129 struct {
	bun.BaseModel `bun:"table:consent_asked"`

	EnterpriseID int64     `bun:"enterprise_id,pk"`
	TextID       int64     `bun:"text_id,pk"`
	At           time.Time `bun:"at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129150000_consent",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*text20261129)(nil), (*grant20261129)(nil), (*basis20261129)(nil), (*access20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX consent_texts_no ON consent_texts (purpose, no) WHERE state = 'published'",
			"CREATE UNIQUE INDEX consent_texts_draft ON consent_texts (purpose) WHERE state = 'draft'",
			// One grant that stands at most: two at once cannot both stay.
			"CREATE UNIQUE INDEX consent_grants_standing ON consent_grants (purpose, enterprise_id) WHERE ended_at IS NULL",
			"CREATE INDEX consent_grants_enterprise ON consent_grants (enterprise_id, id)",
			"CREATE INDEX consent_grants_list ON consent_grants (purpose, id)",
			"CREATE INDEX consent_grants_at ON consent_grants (purpose, enterprise_id, granted_at)",
			"CREATE INDEX consent_accesses_enterprise ON consent_accesses (enterprise_id, id)",
		)
	},
}, {
	ID: "20261129214000_consent_asked",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*asked20261129)(nil))
	},
}}
