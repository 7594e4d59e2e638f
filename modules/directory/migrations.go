package directory

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type line20261129 struct {
	bun.BaseModel `bun:"table:directory_lines"`

	ID      int64  `bun:"id,pk,autoincrement"`
	Matter  string `bun:"matter,notnull"`
	Area    string `bun:"area,notnull"`
	Version int64  `bun:"version,notnull"`
	Last    int64  `bun:"last_no,notnull"`
}

type version20261129 struct {
	bun.BaseModel `bun:"table:directory_versions"`

	ID         int64      `bun:"id,pk,autoincrement"`
	LineID     int64      `bun:"line_id,notnull"`
	No         int64      `bun:"no,notnull"`
	Matter     string     `bun:"matter,notnull"`
	Area       string     `bun:"area,notnull"`
	LeadID     int64      `bun:"lead_id,notnull"`
	LeadName   string     `bun:"lead_name,notnull"`
	Helpers    string     `bun:"helpers,notnull,type:text"`
	From       time.Time  `bun:"valid_from,notnull"`
	To         *time.Time `bun:"valid_to"`
	Reason     string     `bun:"reason,notnull,type:text"`
	Basis      string     `bun:"basis,notnull"`
	EndReason  string     `bun:"end_reason,notnull,type:text"`
	AuthorID   int64      `bun:"author_id,notnull"`
	AuthorName string     `bun:"author_name,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	TakenBack  bool       `bun:"taken_back,notnull"`
}

type dispatch20261129 struct {
	bun.BaseModel `bun:"table:directory_dispatches"`

	EventID     int64      `bun:"event_id,pk"`
	TicketID    int64      `bun:"ticket_id,notnull"`
	Matter      string     `bun:"matter,notnull"`
	Area        string     `bun:"area,notnull"`
	UnitID      int64      `bun:"unit_id,notnull"`
	UnitName    string     `bun:"unit_name,notnull"`
	At          time.Time  `bun:"at,notnull"`
	By          int64      `bun:"dispatched_by,notnull"`
	VersionID   int64      `bun:"version_id,notnull"`
	SuggestedID int64      `bun:"suggested_id,notnull"`
	Followed    bool       `bun:"followed,notnull"`
	ReturnedAt  *time.Time `bun:"returned_at"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129032000_directory",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*line20261129)(nil), (*version20261129)(nil), (*dispatch20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX directory_lines_place ON directory_lines (matter, area)",
			"CREATE UNIQUE INDEX directory_versions_no ON directory_versions (line_id, no)",
			// One version without an end at most: two changes at once cannot both stay.
			"CREATE UNIQUE INDEX directory_versions_open ON directory_versions (line_id) WHERE valid_to IS NULL AND NOT taken_back",
			"CREATE INDEX directory_versions_place ON directory_versions (matter, area, valid_from)",
			"CREATE INDEX directory_versions_ends ON directory_versions (valid_to)",
			"CREATE INDEX directory_dispatches_matter ON directory_dispatches (matter, at)",
			"CREATE INDEX directory_dispatches_version ON directory_dispatches (version_id, at)",
			"CREATE INDEX directory_dispatches_ticket ON directory_dispatches (ticket_id, event_id)",
			"CREATE INDEX directory_dispatches_at ON directory_dispatches (at)",
		)
	},
}}
