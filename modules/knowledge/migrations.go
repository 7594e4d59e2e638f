package knowledge

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type text20261129 struct {
	Title        string `bun:"title,notnull"`
	Question     string `bun:"question,notnull,type:text"`
	Answer       string `bun:"answer,notnull,type:text"`
	Category     string `bun:"category,notnull"`
	Keywords     string `bun:"keywords,notnull,type:text"`
	Audience     string `bun:"audience,notnull"`
	UnitIDs      string `bun:"unit_ids,notnull,type:text"`
	From         string `bun:"valid_from,notnull"`
	Until        string `bun:"valid_until,notnull"`
	SourceKind   string `bun:"source_kind,notnull"`
	SourceTitle  string `bun:"source_title,notnull"`
	SourceNumber string `bun:"source_number,notnull"`
}

type entry20261129 struct {
	bun.BaseModel `bun:"table:knowledge_entries"`
	text20261129

	ID          int64      `bun:"id,pk,autoincrement"`
	Status      string     `bun:"status,notnull"`
	Version     int64      `bun:"version,notnull"`
	Live        int64      `bun:"live_no,notnull"`
	Work        int64      `bun:"work_no,notnull"`
	Last        int64      `bun:"last_no,notnull"`
	OwnerID     int64      `bun:"owner_id,notnull"`
	OwnerName   string     `bun:"owner_name,notnull"`
	UnitID      int64      `bun:"unit_id,notnull"`
	UnitName    string     `bun:"unit_name,notnull"`
	UnitL1      int64      `bun:"unit_l1,notnull"`
	UnitL2      int64      `bun:"unit_l2,notnull"`
	UnitL3      int64      `bun:"unit_l3,notnull"`
	UnitL4      int64      `bun:"unit_l4,notnull"`
	Uses        int64      `bun:"uses,notnull"`
	Useful      int64      `bun:"useful,notnull"`
	OpenReports int64      `bun:"open_reports,notnull"`
	Reason      string     `bun:"reason,notnull,type:text"`
	PublishedAt *time.Time `bun:"published_at"`
	CreatedAt   time.Time  `bun:"created_at,notnull"`
	UpdatedAt   time.Time  `bun:"updated_at,notnull"`
}

type edition20261129 struct {
	bun.BaseModel `bun:"table:knowledge_editions"`
	text20261129

	EntryID      int64      `bun:"entry_id,pk"`
	No           int64      `bun:"no,pk"`
	State        string     `bun:"state,notnull"`
	Change       string     `bun:"change_note,notnull,type:text"`
	AuthorID     int64      `bun:"author_id,notnull"`
	AuthorName   string     `bun:"author_name,notnull"`
	EditorID     int64      `bun:"editor_id,notnull"`
	SubmitterID  int64      `bun:"submitter_id,notnull"`
	ReviewerID   int64      `bun:"reviewer_id,notnull"`
	ReviewerName string     `bun:"reviewer_name,notnull"`
	CreatedAt    time.Time  `bun:"created_at,notnull"`
	PublishedAt  *time.Time `bun:"published_at"`
	EndedAt      *time.Time `bun:"ended_at"`
}

type unit20261129 struct {
	bun.BaseModel `bun:"table:knowledge_units"`

	EntryID int64 `bun:"entry_id,pk"`
	UnitID  int64 `bun:"unit_id,pk"`
}

type use20261129 struct {
	bun.BaseModel `bun:"table:knowledge_uses"`

	EntryID  int64     `bun:"entry_id,pk"`
	TicketID int64     `bun:"ticket_id,pk"`
	UserID   int64     `bun:"user_id,pk"`
	No       int64     `bun:"edition_no,notnull"`
	At       time.Time `bun:"at,notnull"`
}

type feedback20261129 struct {
	bun.BaseModel `bun:"table:knowledge_feedback"`

	ID          int64      `bun:"id,pk,autoincrement"`
	EntryID     int64      `bun:"entry_id,notnull"`
	No          int64      `bun:"edition_no,notnull"`
	Wrong       bool       `bun:"wrong,notnull"`
	Reason      string     `bun:"reason,notnull,type:text"`
	TicketID    int64      `bun:"ticket_id,notnull"`
	UserID      int64      `bun:"user_id,notnull"`
	UserName    string     `bun:"user_name,notnull"`
	At          time.Time  `bun:"at,notnull"`
	Open        bool       `bun:"open,notnull"`
	Outcome     string     `bun:"outcome,notnull"`
	Note        string     `bun:"note,notnull,type:text"`
	SettledBy   int64      `bun:"settled_by,notnull"`
	SettledName string     `bun:"settled_name,notnull"`
	SettledAt   *time.Time `bun:"settled_at"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129030000_knowledge",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*entry20261129)(nil), (*edition20261129)(nil), (*unit20261129)(nil), (*use20261129)(nil),
			(*feedback20261129)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE INDEX knowledge_status ON knowledge_entries (status, id)",
			"CREATE INDEX knowledge_category ON knowledge_entries (category, uses, id)",
			"CREATE INDEX knowledge_until ON knowledge_entries (valid_until, id) WHERE live_no > 0 AND valid_until <> ''",
			"CREATE INDEX knowledge_reported ON knowledge_entries (id) WHERE open_reports > 0",
			"CREATE INDEX knowledge_units_unit ON knowledge_units (unit_id, entry_id)",
			"CREATE INDEX knowledge_uses_ticket ON knowledge_uses (ticket_id)",
			"CREATE INDEX knowledge_feedback_open ON knowledge_feedback (entry_id, id) WHERE open",
			// A person finds an entry useful once, and says once that it is wrong until they are answered.
			"CREATE UNIQUE INDEX knowledge_feedback_useful ON knowledge_feedback (entry_id, user_id) WHERE NOT wrong",
			"CREATE UNIQUE INDEX knowledge_feedback_wrong ON knowledge_feedback (entry_id, user_id) WHERE wrong AND open",
		); err != nil {
			return err
		}
		return fullText.Create(ctx, tx, "knowledge_entries")
	},
}}
