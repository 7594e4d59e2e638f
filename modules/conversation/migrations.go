package conversation

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type thread20261130 struct {
	bun.BaseModel `bun:"table:conversation_threads"`

	ID                  int64      `bun:"id,pk,autoincrement"`
	CaseObject          string     `bun:"object,notnull"`
	CaseID              int64      `bun:"object_id,notnull"`
	Number              string     `bun:"number,notnull"`
	Title               string     `bun:"title,notnull"`
	InstitutionID       int64      `bun:"institution_id,notnull"`
	InstitutionName     string     `bun:"institution_name,notnull"`
	EnterpriseID        int64      `bun:"enterprise_id,notnull"`
	EnterpriseName      string     `bun:"enterprise_name,notnull"`
	UserID              int64      `bun:"user_id,notnull"`
	HandlerID           int64      `bun:"handler_id,notnull"`
	Notes               int        `bun:"notes,notnull"`
	LastAt              time.Time  `bun:"last_at,notnull"`
	EnterpriseUnread    int        `bun:"enterprise_unread,notnull"`
	EnterpriseSince     *time.Time `bun:"enterprise_since"`
	EnterpriseRead      int64      `bun:"enterprise_read,notnull"`
	EnterpriseReminded  bool       `bun:"enterprise_reminded,notnull"`
	InstitutionUnread   int        `bun:"institution_unread,notnull"`
	InstitutionSince    *time.Time `bun:"institution_since"`
	InstitutionRead     int64      `bun:"institution_read,notnull"`
	InstitutionReminded bool       `bun:"institution_reminded,notnull"`
}

type note20261130 struct {
	bun.BaseModel `bun:"table:conversation_notes"`

	ID          int64      `bun:"id,pk,autoincrement"`
	ThreadID    int64      `bun:"thread_id,notnull"`
	Side        string     `bun:"side,notnull"`
	ByID        int64      `bun:"by_id,notnull"`
	By          string     `bun:"made_by,notnull"`
	Words       string     `bun:"words,notnull,type:text"`
	At          time.Time  `bun:"made_at,notnull"`
	WithdrawnAt *time.Time `bun:"withdrawn_at"`
}

type file20261130 struct {
	bun.BaseModel `bun:"table:conversation_files"`

	NoteID int64 `bun:"note_id,pk"`
	FileID int64 `bun:"file_id,pk"`
}

type rule20261130 struct {
	bun.BaseModel `bun:"table:conversation_rules"`

	ID        int64 `bun:"id,pk"`
	Minutes   int   `bun:"minutes,notnull"`
	CloseDays int   `bun:"close_days,notnull"`
	Version   int64 `bun:"version,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261130030400_conversations",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*thread20261130)(nil), (*note20261130)(nil), (*file20261130)(nil), (*rule20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX conversation_threads_case ON conversation_threads (object, object_id)",
			"CREATE INDEX conversation_threads_enterprise ON conversation_threads (enterprise_id, last_at) WHERE enterprise_unread > 0",
			"CREATE INDEX conversation_threads_institution ON conversation_threads (institution_id, last_at) WHERE institution_unread > 0",
			"CREATE INDEX conversation_threads_enterprise_due ON conversation_threads (enterprise_since) WHERE enterprise_reminded = FALSE",
			"CREATE INDEX conversation_threads_institution_due ON conversation_threads (institution_since) WHERE institution_reminded = FALSE",
			"CREATE INDEX conversation_notes_thread ON conversation_notes (thread_id, id)",
			"INSERT INTO conversation_rules (id, minutes, close_days, version) VALUES (1, 60, 7, 1)",
		)
	},
}}
