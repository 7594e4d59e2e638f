package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type holder20261129 struct {
	bun.BaseModel `bun:"table:ticket_holders"`

	TicketID int64     `bun:"ticket_id,pk"`
	Place    int64     `bun:"place,pk"`
	UserID   int64     `bun:"user_id,notnull"`
	UserName string    `bun:"user_name,notnull"`
	ByID     *int64    `bun:"by_id"`
	ByName   string    `bun:"by_name,notnull"`
	At       time.Time `bun:"at,notnull"`
}

type turn20261129 struct {
	bun.BaseModel `bun:"table:ticket_turns"`

	UserID int64 `bun:"user_id,pk"`
	Turn   int64 `bun:"turn,notnull"`
}

type view20261129 struct {
	bun.BaseModel `bun:"table:ticket_views"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Version   int64     `bun:"version,notnull"`
	Holder    string    `bun:"holder,notnull"`
	UserID    int64     `bun:"user_id,notnull"`
	UnitID    int64     `bun:"unit_id,notnull"`
	UnitName  string    `bun:"unit_name,notnull"`
	Name      string    `bun:"name,notnull"`
	Filter    string    `bun:"filter,notnull,type:text"`
	Columns   string    `bun:"columns,notnull,type:text"`
	Position  int64     `bun:"position,notnull"`
	EditorID  int64     `bun:"editor_id,notnull"`
	CreatedAt time.Time `bun:"created_at,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

type chosen20261129 struct {
	bun.BaseModel `bun:"table:ticket_view_defaults"`

	UserID int64 `bun:"user_id,pk"`
	ViewID int64 `bun:"view_id,notnull"`
}

type bulk20261129 struct {
	bun.BaseModel `bun:"table:ticket_bulks"`

	ID         int64      `bun:"id,pk,autoincrement"`
	Action     string     `bun:"action,notnull"`
	Params     string     `bun:"params,notnull,type:text"`
	State      string     `bun:"state,notnull"`
	OwnerID    int64      `bun:"owner_id,notnull"`
	OwnerName  string     `bun:"owner_name,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	FinishedAt *time.Time `bun:"finished_at"`
	Total      int        `bun:"total,notnull"`
	Done       int        `bun:"done,notnull"`
	Failed     int        `bun:"failed,notnull"`
	Undone     int        `bun:"undone,notnull"`
	Reason     string     `bun:"reason,notnull,type:text"`
	Due        bool       `bun:"due,notnull"`
	Fence      int64      `bun:"fence,notnull"`
	Attempts   int        `bun:"attempts,notnull"`
	LeaseUntil *time.Time `bun:"lease_until"`
}

type bulkRow20261129 struct {
	bun.BaseModel `bun:"table:ticket_bulk_rows"`

	BulkID   int64  `bun:"bulk_id,pk"`
	TicketID int64  `bun:"ticket_id,pk"`
	N        int    `bun:"n,notnull"`
	Version  int64  `bun:"version,notnull"`
	Number   string `bun:"number,notnull"`
	State    string `bun:"state,notnull"`
	Message  string `bun:"message,notnull,type:text"`
	After    int64  `bun:"after_version,notnull"`
	Before   int64  `bun:"before_holder,notnull"`
}

type note20261129 struct {
	bun.BaseModel `bun:"table:ticket_notes"`

	ID         int64      `bun:"id,pk,autoincrement"`
	TicketID   int64      `bun:"ticket_id,notnull"`
	Place      int64      `bun:"place,notnull"`
	PlaceName  string     `bun:"place_name,notnull"`
	AuthorID   int64      `bun:"author_id,notnull"`
	AuthorName string     `bun:"author_name,notnull"`
	Text       string     `bun:"text,notnull,type:text"`
	Version    int64      `bun:"version,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	EditedAt   *time.Time `bun:"edited_at"`
}

type reader20261129 struct {
	bun.BaseModel `bun:"table:ticket_note_readers"`

	NoteID int64  `bun:"note_id,pk"`
	Kind   string `bun:"kind,pk"`
	ID     int64  `bun:"id,pk"`
	Name   string `bun:"name,notnull"`
}

type tag20261129 struct {
	bun.BaseModel `bun:"table:ticket_tags"`

	TicketID int64     `bun:"ticket_id,pk"`
	Tag      string    `bun:"tag,pk"`
	ByID     *int64    `bun:"by_id"`
	ByName   string    `bun:"by_name,notnull"`
	At       time.Time `bun:"at,notnull"`
}

type presence20261129 struct {
	bun.BaseModel `bun:"table:ticket_presence"`

	TicketID int64     `bun:"ticket_id,pk"`
	UserID   int64     `bun:"user_id,pk"`
	UserName string    `bun:"user_name,notnull"`
	Place    string    `bun:"place_name,notnull"`
	Doing    string    `bun:"doing,notnull"`
	Until    time.Time `bun:"until,notnull"`
}

type draft20261129 struct {
	bun.BaseModel `bun:"table:ticket_drafts"`

	UserID int64     `bun:"user_id,pk"`
	Sealed string    `bun:"sealed,notnull,type:text"`
	At     time.Time `bun:"at,notnull"`
}

// deskStep adds what the desk works with beside the tickets themselves: who has which, saved views, bulk actions, notes,
// tags, who looks at what, and drafts. The index by deadline walks one state and urgency in the order in which they are due.
var deskStep = database.Migration{
	ID: "20261129060000_ticket_desk",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*holder20261129)(nil), (*turn20261129)(nil), (*view20261129)(nil), (*chosen20261129)(nil),
			(*bulk20261129)(nil), (*bulkRow20261129)(nil), (*note20261129)(nil), (*reader20261129)(nil), (*tag20261129)(nil),
			(*presence20261129)(nil), (*draft20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"INSERT INTO ticket_turns (user_id, turn) VALUES (0, 0)",
			"CREATE INDEX ticket_holders_user ON ticket_holders (user_id, ticket_id)",
			"CREATE INDEX ticket_views_user ON ticket_views (user_id) WHERE holder = 'personal'",
			"CREATE INDEX ticket_views_unit ON ticket_views (unit_id) WHERE holder = 'unit'",
			"CREATE INDEX ticket_bulks_due ON ticket_bulks (id) WHERE due",
			"CREATE INDEX ticket_bulks_owner ON ticket_bulks (owner_id, id)",
			"CREATE INDEX ticket_notes_ticket ON ticket_notes (ticket_id, id)",
			"CREATE INDEX ticket_tags_tag ON ticket_tags (tag, ticket_id)",
			"CREATE INDEX tickets_due ON tickets (status, urgency, due_at, id)",
			"CREATE INDEX tickets_created ON tickets (created_at, id)",
		)
	},
}
