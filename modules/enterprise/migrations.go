package enterprise

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type enterprise20261104 struct {
	bun.BaseModel `bun:"table:enterprises"`

	ID           int64     `bun:"id,pk,autoincrement"`
	Name         string    `bun:"name,notnull"`
	CreditCode   *string   `bun:"credit_code"`
	Verification string    `bun:"verification,notnull"`
	CreatedAt    time.Time `bun:"created_at,notnull"`
}

type member20261104 struct {
	bun.BaseModel `bun:"table:enterprise_members"`

	EnterpriseID int64  `bun:"enterprise_id,pk"`
	UserID       int64  `bun:"user_id,pk"`
	Role         string `bun:"role,notnull"`
}

type attempt20261124 struct {
	bun.BaseModel `bun:"table:enterprise_verifications"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	UserID       int64      `bun:"user_id,notnull"`
	UserName     string     `bun:"user_name,notnull"`
	Kind         string     `bun:"kind,notnull"`
	Name         string     `bun:"name,notnull"`
	CreditCode   string     `bun:"credit_code,notnull"`
	LegalPerson  string     `bun:"legal_person,notnull"`
	Note         string     `bun:"note,notnull,type:text"`
	Outcome      string     `bun:"outcome,notnull"`
	Answer       string     `bun:"answer,notnull,type:text"`
	Reason       string     `bun:"reason,notnull,type:text"`
	Version      int64      `bun:"version,notnull"`
	AskedAt      time.Time  `bun:"asked_at,notnull"`
	SettledAt    *time.Time `bun:"settled_at"`
	ReviewerID   *int64     `bun:"reviewer_id"`
	ReviewerName string     `bun:"reviewer_name,notnull"`
}

type join20261124 struct {
	bun.BaseModel `bun:"table:enterprise_joins"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	UserID       int64      `bun:"user_id,notnull"`
	FromID       int64      `bun:"from_id,notnull"`
	State        string     `bun:"state,notnull"`
	Note         string     `bun:"note,notnull,type:text"`
	Reason       string     `bun:"reason,notnull,type:text"`
	Version      int64      `bun:"version,notnull"`
	AskedAt      time.Time  `bun:"asked_at,notnull"`
	DecidedAt    *time.Time `bun:"decided_at"`
	DeciderID    *int64     `bun:"decider_id"`
	DeciderName  string     `bun:"decider_name,notnull"`
}

type fact20261124 struct {
	bun.BaseModel `bun:"table:enterprise_facts"`

	ID           int64     `bun:"id,pk,autoincrement"`
	EnterpriseID int64     `bun:"enterprise_id,notnull"`
	Field        string    `bun:"field,notnull"`
	Value        string    `bun:"value,notnull,type:text"`
	Source       string    `bun:"source,notnull"`
	SourceName   string    `bun:"source_name,notnull"`
	AsOf         time.Time `bun:"as_of,notnull"`
	RecordedAt   time.Time `bun:"recorded_at,notnull"`
	RecordedBy   int64     `bun:"recorded_by,notnull"`
}

type mandate20261129 struct {
	bun.BaseModel `bun:"table:enterprise_mandates"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	UserID       int64      `bun:"user_id,notnull"`
	Rights       string     `bun:"rights,notnull,type:text"`
	Until        time.Time  `bun:"until,notnull"`
	GivenAt      time.Time  `bun:"given_at,notnull"`
	GivenBy      int64      `bun:"given_by,notnull"`
	GivenName    string     `bun:"given_name,notnull"`
	EndedAt      *time.Time `bun:"ended_at"`
	EndedBy      int64      `bun:"ended_by,notnull"`
	EndedName    string     `bun:"ended_name,notnull"`
}

type delegation20261129 struct {
	bun.BaseModel `bun:"table:enterprise_delegations"`

	ID       int64      `bun:"id,pk,autoincrement"`
	FromID   int64      `bun:"from_id,notnull"`
	FromName string     `bun:"from_name,notnull"`
	ToID     int64      `bun:"to_id,notnull"`
	ToName   string     `bun:"to_name,notnull"`
	Starts   time.Time  `bun:"starts,notnull"`
	Ends     time.Time  `bun:"ends,notnull"`
	Reason   string     `bun:"reason,notnull"`
	At       time.Time  `bun:"created_at,notnull"`
	EndedAt  *time.Time `bun:"ended_at"`
}

type name20261129 struct {
	bun.BaseModel `bun:"table:enterprise_names"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Name         string     `bun:"name,notnull"`
	StartedAt    time.Time  `bun:"started_at,notnull"`
	EndedAt      *time.Time `bun:"ended_at"`
	By           string     `bun:"confirmed_by,notnull"`
	ByName       string     `bun:"confirmed_name,notnull"`
	AttemptID    int64      `bun:"attempt_id,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261104090000_enterprises",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*enterprise20261104)(nil), (*member20261104)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX enterprises_credit_code ON enterprises (credit_code)",
			"CREATE INDEX enterprise_members_user ON enterprise_members (user_id)")
	},
}, {
	ID: "20261124082000_verification",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*attempt20261124)(nil), (*join20261124)(nil), (*fact20261124)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"ALTER TABLE enterprises ADD COLUMN legal_person TEXT NOT NULL DEFAULT ''",
			"ALTER TABLE enterprises ADD COLUMN version BIGINT NOT NULL DEFAULT 1",
			"ALTER TABLE enterprises ADD COLUMN verified_at TIMESTAMP",
			"ALTER TABLE enterprises ADD COLUMN replaced_by BIGINT",
			"ALTER TABLE enterprises ADD COLUMN asked_on TEXT NOT NULL DEFAULT ''",
			"ALTER TABLE enterprises ADD COLUMN asked BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE enterprise_members ADD COLUMN joined_at TIMESTAMP",
			"CREATE INDEX enterprises_verification ON enterprises (verification, id)",
			"CREATE INDEX enterprise_verifications_enterprise ON enterprise_verifications (enterprise_id, id)",
			"CREATE INDEX enterprise_verifications_outcome ON enterprise_verifications (outcome, id)",
			"CREATE INDEX enterprise_joins_enterprise ON enterprise_joins (enterprise_id, id)",
			"CREATE INDEX enterprise_joins_user ON enterprise_joins (user_id, id)",
			"CREATE INDEX enterprise_joins_state ON enterprise_joins (state, id)",
			"CREATE UNIQUE INDEX enterprise_joins_open ON enterprise_joins (enterprise_id, user_id) WHERE state IN ('open', 'disputed')",
			"CREATE INDEX enterprise_facts_field ON enterprise_facts (enterprise_id, field, id)",
		); err != nil {
			return err
		}
		// Full text is the databases' own: FTS5 beside the table on SQLite, a vector in it on PostgreSQL.
		if database.KindOf(tx) == database.SQLite {
			if err := database.Exec(ctx, tx, "CREATE VIRTUAL TABLE enterprise_names USING fts5(tokens, tokenize='unicode61')"); err != nil {
				return err
			}
		} else if err := database.Exec(ctx, tx, "ALTER TABLE enterprises ADD COLUMN name_vector tsvector",
			"CREATE INDEX enterprises_name ON enterprises USING gin (name_vector)"); err != nil {
			return err
		}
		return nil
	},
}, {
	ID: "20261127030200_enterprise_contacts",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*contact20261127)(nil))
	},
}, {
	ID: "20261128040400_enterprise_search",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.ByDialect(ctx, tx, []string{"DROP TABLE enterprise_names"}, []string{"ALTER TABLE enterprises DROP COLUMN name_vector"}); err != nil {
			return err
		}
		return fullText.Create(ctx, tx, "enterprises")
	},
}, {
	ID: "20261129151000_enterprise_mandates",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*mandate20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX enterprise_mandates_standing ON enterprise_mandates (enterprise_id, user_id) WHERE ended_at IS NULL",
			"CREATE INDEX enterprise_mandates_enterprise ON enterprise_mandates (enterprise_id, id)")
	},
}, {
	ID: "20261129153000_enterprise_delegations",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*delegation20261129)(nil)); err != nil {
			return err
		}
		if err := database.ByDialect(ctx, tx,
			[]string{"ALTER TABLE enterprise_verifications ADD COLUMN due_at TIMESTAMP", "ALTER TABLE enterprise_verifications ADD COLUMN reminded_at TIMESTAMP"},
			[]string{"ALTER TABLE enterprise_verifications ADD COLUMN due_at TIMESTAMPTZ", "ALTER TABLE enterprise_verifications ADD COLUMN reminded_at TIMESTAMPTZ"}); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX enterprise_delegations_to ON enterprise_delegations (to_id, ends)",
			"CREATE INDEX enterprise_delegations_from ON enterprise_delegations (from_id, id)")
	},
}, {
	ID: "20261129155000_enterprise_golden",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*source20261129)(nil), (*settlement20261129)(nil)); err != nil {
			return err
		}
		rows := firstSources()
		if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "CREATE INDEX enterprise_settlements_enterprise ON enterprise_settlements (enterprise_id, id)")
	},
}, {
	ID: "20261129155200_enterprise_quality",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*ruleSet20261129)(nil), (*score20261129)(nil), (*tally20261129)(nil)); err != nil {
			return err
		}
		first, err := firstRuleSet()
		if err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&first).ExcludeColumn("id").Exec(ctx); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX enterprise_quality_scores_source ON enterprise_quality_scores (source, import_id)",
			"CREATE INDEX enterprises_by_name ON enterprises (name)")
	},
}, {
	ID: "20261129155300_enterprise_sizes",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*edition20261129)(nil)); err != nil {
			return err
		}
		rows, err := firstEditions()
		if err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&rows).ExcludeColumn("id").Exec(ctx); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "CREATE UNIQUE INDEX enterprise_size_editions_from ON enterprise_size_editions (kind, from_day)")
	},
}, {
	ID: "20261129181500_enterprise_names",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*name20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"ALTER TABLE enterprise_verifications ADD COLUMN old_name TEXT NOT NULL DEFAULT ''",
			"CREATE INDEX enterprise_names_enterprise ON enterprise_names (enterprise_id, id)",
			"CREATE UNIQUE INDEX enterprise_names_present ON enterprise_names (enterprise_id) WHERE ended_at IS NULL",
			"CREATE UNIQUE INDEX enterprise_verifications_renaming ON enterprise_verifications (enterprise_id) WHERE kind = 'rename' AND outcome IN ('asking', 'waiting')")
	},
}, {
	ID: "20261129210000_enterprise_extra",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*extraField20261129)(nil), (*extraValue20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"ALTER TABLE enterprises ADD COLUMN extra_version BIGINT NOT NULL DEFAULT 0",
			"CREATE UNIQUE INDEX enterprise_extra_values_now ON enterprise_extra_values (enterprise_id, field) WHERE ended_at IS NULL",
			"CREATE INDEX enterprise_extra_values_history ON enterprise_extra_values (enterprise_id, id)",
			"CREATE INDEX enterprise_extra_values_field ON enterprise_extra_values (field, number) WHERE ended_at IS NULL")
	},
}, {
	ID: "20261129220000_enterprise_size_drafts",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*sizeDraft20261129)(nil))
	},
}, {
	ID: "20261130010100_enterprise_changes",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE enterprise_names ADD COLUMN what TEXT NOT NULL DEFAULT 'name'",
			"DROP INDEX enterprise_names_present",
			"CREATE UNIQUE INDEX enterprise_names_present ON enterprise_names (enterprise_id, what) WHERE ended_at IS NULL",
			"ALTER TABLE enterprise_verifications ADD COLUMN old_person TEXT NOT NULL DEFAULT ''",
			"DROP INDEX enterprise_verifications_renaming",
			"UPDATE enterprise_verifications SET kind = 'change', old_person = legal_person WHERE kind = 'rename'",
			"CREATE UNIQUE INDEX enterprise_verifications_changing ON enterprise_verifications (enterprise_id) WHERE kind = 'change' AND outcome IN ('asking', 'waiting')")
	},
}, {
	ID: "20261130010200_enterprise_reports",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*report20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX enterprise_reports_number ON enterprise_reports (number)",
			"CREATE INDEX enterprise_reports_enterprise ON enterprise_reports (enterprise_id, id)")
	},
}, {
	ID: "20261130010300_enterprise_tags",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*tagEdition20261130)(nil), (*tagDraft20261130)(nil), (*tagged20261130)(nil), (*tagWalk20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"INSERT INTO enterprise_tag_walks (id, edition, day, after, fact) VALUES (1, 0, '', -1, 0)",
			"CREATE UNIQUE INDEX enterprise_tag_editions_no ON enterprise_tag_editions (code, no)",
			"CREATE UNIQUE INDEX enterprise_tagged_now ON enterprise_tagged (enterprise_id, code) WHERE ended_at IS NULL",
			"CREATE INDEX enterprise_tagged_code ON enterprise_tagged (code, enterprise_id) WHERE ended_at IS NULL",
			"CREATE INDEX enterprise_tagged_history ON enterprise_tagged (enterprise_id, id)")
	},
}, {
	ID: "20261130090600_enterprise_approvals",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*approval20261130)(nil))
	},
}, {
	ID: "20261130110000_enterprise_sections",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := addWorths(ctx, tx); err != nil {
			return err
		}
		return gradesApart(ctx, tx)
	},
}}

type approval20261130 struct {
	bun.BaseModel `bun:"table:enterprise_approvals"`

	AttemptID   int64  `bun:"attempt_id,pk"`
	Name        string `bun:"name,notnull"`
	LegalPerson string `bun:"legal_person,notnull"`
	Adopted     bool   `bun:"adopted,notnull"`
}
