package catalog

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type product20261124 struct {
	bun.BaseModel `bun:"table:products"`

	ID                int64      `bun:"id,pk,autoincrement"`
	InstitutionID     int64      `bun:"institution_id,notnull"`
	InstitutionName   string     `bun:"institution_name,notnull"`
	InstitutionActive bool       `bun:"institution_active,notnull"`
	Name              string     `bun:"name,notnull"`
	Kind              string     `bun:"kind,notnull"`
	FinancingKind     string     `bun:"financing_kind,notnull"`
	Status            string     `bun:"status,notnull"`
	StatusAt          time.Time  `bun:"status_at,notnull"`
	Edition           int64      `bun:"edition,notnull"`
	Shown             int64      `bun:"shown,notnull"`
	Version           int64      `bun:"version,notnull"`
	Recommended       bool       `bun:"recommended,notnull"`
	ListedAt          *time.Time `bun:"listed_at"`
	ListedMicro       int64      `bun:"listed_micro,notnull"`
	ExpiresAt         *time.Time `bun:"expires_at"`
	CreatedAt         time.Time  `bun:"created_at,notnull"`
}

type edition20261124 struct {
	bun.BaseModel `bun:"table:product_editions"`

	ProductID     int64      `bun:"product_id,pk"`
	Number        int64      `bun:"number,pk"`
	Name          string     `bun:"name,notnull"`
	Kind          string     `bun:"kind,notnull"`
	FinancingKind string     `bun:"financing_kind,notnull"`
	Summary       string     `bun:"summary,notnull,type:text"`
	Description   string     `bun:"description,notnull,type:text"`
	RateMin       int        `bun:"rate_min,notnull"`
	RateMax       int        `bun:"rate_max,notnull"`
	AmountMin     int64      `bun:"amount_min,notnull"`
	AmountMax     int64      `bun:"amount_max,notnull"`
	TermMin       int        `bun:"term_min,notnull"`
	TermMax       int        `bun:"term_max,notnull"`
	PriceText     string     `bun:"price_text,notnull"`
	Target        string     `bun:"target,notnull,type:text"`
	Materials     string     `bun:"materials,notnull,type:text"`
	Steps         string     `bun:"steps,notnull,type:text"`
	Days          int        `bun:"days,notnull"`
	ValidUntil    string     `bun:"valid_until,notnull"`
	NameKey       string     `bun:"name_key,notnull"`
	Status        string     `bun:"status,notnull"`
	SubmittedBy   *int64     `bun:"submitted_by"`
	SubmittedName string     `bun:"submitted_name,notnull"`
	SubmittedAt   *time.Time `bun:"submitted_at"`
	PassedBy      *int64     `bun:"passed_by"`
	PassedName    string     `bun:"passed_name,notnull"`
	PassedAt      *time.Time `bun:"passed_at"`
	ApprovedBy    *int64     `bun:"approved_by"`
	ApprovedName  string     `bun:"approved_name,notnull"`
	ApprovedAt    *time.Time `bun:"approved_at"`
	Reason        string     `bun:"reason,notnull,type:text"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	UpdatedAt     time.Time  `bun:"updated_at,notnull"`
}

type batch20261130 struct {
	bun.BaseModel `bun:"table:product_batches"`

	ID      int64      `bun:"id,pk,autoincrement"`
	UserID  int64      `bun:"user_id,notnull"`
	By      string     `bun:"by_name,notnull"`
	Step    string     `bun:"step,notnull"`
	State   string     `bun:"state,notnull"`
	At      time.Time  `bun:"created_at,notnull"`
	EndedAt *time.Time `bun:"ended_at"`
}

type batchItem20261130 struct {
	bun.BaseModel `bun:"table:product_batch_items"`

	BatchID   int64      `bun:"batch_id,pk"`
	ProductID int64      `bun:"product_id,pk"`
	Name      string     `bun:"name,notnull"`
	Version   int64      `bun:"version,notnull"`
	Sampled   bool       `bun:"sampled,notnull"`
	CheckedAt *time.Time `bun:"checked_at"`
	Fine      bool       `bun:"fine,notnull"`
	Note      string     `bun:"note,notnull"`
	Outcome   string     `bun:"outcome,notnull,type:text"`
}

type view20261130 struct {
	bun.BaseModel `bun:"table:product_views"`

	Day       string `bun:"day,pk"`
	ProductID int64  `bun:"product_id,pk"`
	Visitor   string `bun:"visitor,pk"`
}

type suits20261130 struct {
	bun.BaseModel `bun:"table:product_suits"`

	ProductID int64     `bun:"product_id,pk"`
	Suits     string    `bun:"suits,notnull,type:text"`
	Stamp     int64     `bun:"stamp,notnull"`
	Version   int64     `bun:"version,notnull"`
	SetAt     time.Time `bun:"set_at,notnull"`
	SetBy     string    `bun:"set_by,notnull"`
}

type suitStamp20261130 struct {
	bun.BaseModel `bun:"table:product_suit_stamps"`

	ID   int64 `bun:"id,pk"`
	Last int64 `bun:"last,notnull"`
}

type value20261130 struct {
	bun.BaseModel `bun:"table:product_extra_values"`

	ProductID int64  `bun:"product_id,pk"`
	Field     string `bun:"field,pk"`
	Value     string `bun:"value,notnull,type:text"`
	Number    *int64 `bun:"number"`
}

type file20261130 struct {
	bun.BaseModel `bun:"table:product_files"`

	ID        int64 `bun:"id,pk,autoincrement"`
	ProductID int64 `bun:"product_id,notnull"`
	FileID    int64 `bun:"file_id,notnull"`
}

// Migrations are the tables of the module. The full text is dialect SQL because neither form exists on the other database.
var Migrations = []database.Migration{{
	ID: "20261124083002_products",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*product20261124)(nil), (*edition20261124)(nil)); err != nil {
			return err
		}
		steps := []string{
			"CREATE INDEX products_institution ON products (institution_id, id)",
			"CREATE INDEX products_status ON products (status, status_at, id)",
			"CREATE INDEX products_shown ON products (listed_micro, id) WHERE shown > 0",
			"CREATE INDEX products_shown_kind ON products (kind, financing_kind, listed_micro, id) WHERE shown > 0",
			"CREATE INDEX products_expires ON products (expires_at) WHERE shown > 0",
			"CREATE INDEX product_editions_name ON product_editions (name_key)",
		}
		if database.KindOf(tx) == database.SQLite {
			steps = append(steps, "CREATE VIRTUAL TABLE catalog_search USING fts5(body, content='', contentless_delete=1, tokenize='unicode61')")
		} else {
			steps = append(steps,
				"CREATE TABLE catalog_search (id BIGINT PRIMARY KEY, body TSVECTOR NOT NULL)",
				"CREATE INDEX catalog_search_body ON catalog_search USING gin (body)",
				"CREATE INDEX product_editions_name_prefix ON product_editions (name_key text_pattern_ops)")
		}
		return database.Exec(ctx, tx, steps...)
	},
}, {
	ID: "20261128040100_product_search",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.Exec(ctx, tx, "DROP TABLE catalog_search"); err != nil {
			return err
		}
		return fullText.Create(ctx, tx, "products")
	},
}, {
	ID: "20261130040000_product_fields",
	Up: func(ctx context.Context, tx bun.Tx) error {
		var steps []string
		for _, list := range []string{"guarantees", "venues", "deliverables", "conditions"} {
			steps = append(steps, "ALTER TABLE product_editions ADD COLUMN "+list+" TEXT NOT NULL DEFAULT '[]'")
		}
		for _, word := range []string{"cost", "subsidy", "duration", "list_from"} {
			steps = append(steps, "ALTER TABLE product_editions ADD COLUMN "+word+" VARCHAR NOT NULL DEFAULT ''")
		}
		return database.Exec(ctx, tx, steps...)
	},
}, {
	ID: "20261130040100_product_review_due",
	Up: func(ctx context.Context, tx bun.Tx) error {
		for _, column := range []string{"due_at", "reminded_at"} {
			if err := database.ByDialect(ctx, tx, []string{"ALTER TABLE products ADD COLUMN " + column + " TIMESTAMP"},
				[]string{"ALTER TABLE products ADD COLUMN " + column + " TIMESTAMPTZ"}); err != nil {
				return err
			}
		}
		return database.Exec(ctx, tx, "CREATE INDEX products_due ON products (due_at) WHERE due_at IS NOT NULL AND reminded_at IS NULL")
	},
}, {
	ID: "20261130040200_product_batches",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*batch20261130)(nil), (*batchItem20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "CREATE INDEX product_batches_user ON product_batches (user_id, id)")
	},
}, {
	ID: "20261130040300_product_heat",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*view20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"ALTER TABLE products ADD COLUMN heat BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE products ADD COLUMN hot BOOLEAN NOT NULL DEFAULT FALSE",
			"CREATE INDEX products_shown_heat ON products (heat, id) WHERE shown > 0")
	},
}, {
	ID: "20261130020400_product_suits",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*suits20261130)(nil), (*suitStamp20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "INSERT INTO product_suit_stamps (id, last) VALUES (1, 0)", "CREATE INDEX product_suits_stamp ON product_suits (stamp)")
	},
}, {
	ID: "20261130080100_product_extra",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*value20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"ALTER TABLE product_editions ADD COLUMN extra TEXT NOT NULL DEFAULT '[]'",
			"CREATE INDEX product_extra_values_field ON product_extra_values (field, product_id)",
			"CREATE INDEX product_extra_values_number ON product_extra_values (field, number, product_id) WHERE number IS NOT NULL")
	},
}, {
	ID: "20261130080300_product_files",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*file20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"ALTER TABLE product_editions ADD COLUMN cover TEXT NOT NULL DEFAULT '[]'",
			"ALTER TABLE product_editions ADD COLUMN files TEXT NOT NULL DEFAULT '[]'",
			"CREATE UNIQUE INDEX product_files_file ON product_files (file_id)",
			"CREATE INDEX product_files_product ON product_files (product_id)")
	},
}, {
	// What institutions said beside their products becomes part of the editions that stand.
	ID: "20261130080400_product_suits_reviewed",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE product_editions ADD COLUMN suits TEXT NOT NULL DEFAULT ''",
			"ALTER TABLE product_suits ADD COLUMN reason VARCHAR NOT NULL DEFAULT ''",
			"UPDATE product_editions SET suits = (SELECT s.suits FROM product_suits AS s WHERE s.product_id = product_editions.product_id) WHERE EXISTS (SELECT 1 FROM product_suits AS s WHERE s.product_id = product_editions.product_id)")
	},
}, {
	ID: "20261130080500_product_ratings",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE products ADD COLUMN rating_score BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE products ADD COLUMN rating_mean BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE products ADD COLUMN rating_count BIGINT NOT NULL DEFAULT 0",
			"CREATE INDEX products_shown_rating ON products (rating_score, id) WHERE shown > 0")
	},
}, {
	ID: "20261130090100_product_passed_for",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE product_editions ADD COLUMN passed_for BIGINT NOT NULL DEFAULT 0")
	},
}, {
	ID: "20261130090400_product_memory",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*memory20261130)(nil))
	},
}, {
	// The number of the last reminder that a term is about to end.
	ID: "20261130121000_product_expiry_told",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE products ADD COLUMN expiry_told BIGINT NOT NULL DEFAULT 0")
	},
}, {
	// Covers as the cards of lists show them.
	ID: "20261130170000_product_thumbs",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*thumb20261130)(nil))
	},
}}

type thumb20261130 struct {
	bun.BaseModel `bun:"table:product_thumbs"`

	FileID  int64     `bun:"file_id,pk"`
	Tag     string    `bun:"tag,notnull"`
	Content []byte    `bun:"content,notnull"`
	MadeAt  time.Time `bun:"made_at,notnull"`
}

type memory20261130 struct {
	bun.BaseModel `bun:"table:product_memory"`

	ProductID int64     `bun:"product_id,pk"`
	Version   int64     `bun:"version,notnull"`
	Seq       int64     `bun:"seq,notnull"`
	Label     string    `bun:"label,notnull"`
	At        time.Time `bun:"at,notnull"`
	ActorID   int64     `bun:"actor_id,notnull"`
	Was       string    `bun:"was,notnull,type:text"`
}
