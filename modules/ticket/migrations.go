package ticket

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type ticket20261103 struct {
	bun.BaseModel `bun:"table:tickets"`

	ID             int64      `bun:"id,pk,autoincrement"`
	Number         string     `bun:"number,notnull"`
	QueryHash      string     `bun:"query_hash,notnull"`
	Type           string     `bun:"type_code,notnull"`
	Title          string     `bun:"title,notnull"`
	Body           string     `bun:"body,notnull,type:text"`
	Urgency        string     `bun:"urgency,notnull"`
	Status         string     `bun:"status,notnull"`
	Version        int64      `bun:"version,notnull"`
	Source         string     `bun:"source,notnull"`
	RequesterName  string     `bun:"requester_name,notnull"`
	PhoneSealed    string     `bun:"phone_sealed,notnull"`
	PhoneBlind     string     `bun:"phone_blind"`
	PhoneTail      string     `bun:"phone_tail"`
	UserID         *int64     `bun:"user_id"`
	EnterpriseID   *int64     `bun:"enterprise_id"`
	EnterpriseName string     `bun:"enterprise_name,notnull"`
	OpenedBy       *int64     `bun:"opened_by"`
	UnitID         *int64     `bun:"unit_id"`
	UnitName       string     `bun:"unit_name,notnull"`
	UnitL1         *int64     `bun:"unit_l1"`
	UnitL2         *int64     `bun:"unit_l2"`
	UnitL3         *int64     `bun:"unit_l3"`
	UnitL4         *int64     `bun:"unit_l4"`
	CreatedAt      time.Time  `bun:"created_at,notnull"`
	DueAt          time.Time  `bun:"due_at,notnull"`
	ClosedAt       *time.Time `bun:"closed_at"`
	Reply          string     `bun:"reply,notnull,type:text"`
	Rating         *int       `bun:"rating"`
	Opinion        string     `bun:"opinion,notnull,type:text"`
}

type hop20261103 struct {
	bun.BaseModel `bun:"table:ticket_hops"`

	ID        int64      `bun:"id,pk,autoincrement"`
	TicketID  int64      `bun:"ticket_id,notnull"`
	FromID    *int64     `bun:"from_id"`
	FromName  string     `bun:"from_name,notnull"`
	UnitID    int64      `bun:"unit_id,notnull"`
	UnitName  string     `bun:"unit_name,notnull"`
	UnitL1    *int64     `bun:"unit_l1"`
	UnitL2    *int64     `bun:"unit_l2"`
	UnitL3    *int64     `bun:"unit_l3"`
	UnitL4    *int64     `bun:"unit_l4"`
	Lead      bool       `bun:"lead,notnull"`
	State     string     `bun:"state,notnull"`
	SentAt    time.Time  `bun:"sent_at,notnull"`
	SignedAt  *time.Time `bun:"signed_at"`
	RepliedAt *time.Time `bun:"replied_at"`
	DueAt     time.Time  `bun:"due_at,notnull"`
	Note      string     `bun:"note,notnull,type:text"`
}

type file20261103 struct {
	bun.BaseModel `bun:"table:ticket_files"`

	TicketID int64  `bun:"ticket_id,pk"`
	FileID   int64  `bun:"file_id,pk"`
	Seq      int64  `bun:"seq,notnull"`
	Kind     string `bun:"kind,notnull"`
}

type type20261103 struct {
	bun.BaseModel `bun:"table:ticket_types"`

	Code     string `bun:"code,pk"`
	Name     string `bun:"name,notnull"`
	Category string `bun:"category,notnull"`
	Urgency  string `bun:"urgency,notnull"`
	Hours    int    `bun:"hours,notnull"`
	Sort     int    `bun:"sort,notnull"`
}

type number20261103 struct {
	bun.BaseModel `bun:"table:ticket_numbers"`

	Day  string `bun:"day,pk"`
	Last int64  `bun:"last,notnull"`
}

type request20261129 struct {
	bun.BaseModel `bun:"table:ticket_requests"`

	ID           int64      `bun:"id,pk,autoincrement"`
	TicketID     int64      `bun:"ticket_id,notnull"`
	HopID        int64      `bun:"hop_id,notnull"`
	Kind         string     `bun:"kind,notnull"`
	State        string     `bun:"state,notnull"`
	Code         string     `bun:"code,notnull"`
	Basis        string     `bun:"basis,notnull,type:text"`
	Text         string     `bun:"text,notnull,type:text"`
	Days         int        `bun:"days,notnull"`
	Granted      int        `bun:"granted,notnull"`
	AfterSigning bool       `bun:"after_signing,notnull"`
	UnitID       int64      `bun:"unit_id,notnull"`
	UnitName     string     `bun:"unit_name,notnull"`
	DispatcherID *int64     `bun:"dispatcher_id"`
	Dispatcher   string     `bun:"dispatcher,notnull"`
	FiledBy      *int64     `bun:"filed_by"`
	FiledName    string     `bun:"filed_name,notnull"`
	FiledAt      time.Time  `bun:"filed_at,notnull"`
	EndorsedBy   *int64     `bun:"endorsed_by"`
	EndorsedName string     `bun:"endorsed_name,notnull"`
	EndorsedAt   *time.Time `bun:"endorsed_at"`
	DecidedBy    *int64     `bun:"decided_by"`
	DecidedName  string     `bun:"decided_name,notnull"`
	DecidedAt    *time.Time `bun:"decided_at"`
	Note         string     `bun:"note,notnull,type:text"`
	OldDueAt     *time.Time `bun:"old_due_at"`
	NewDueAt     *time.Time `bun:"new_due_at"`
}

type memory20261129 struct {
	bun.BaseModel `bun:"table:ticket_memory"`

	TicketID     int64     `bun:"ticket_id,pk"`
	Version      int64     `bun:"version,notnull"`
	Seq          int64     `bun:"seq,notnull"`
	Action       string    `bun:"action,notnull"`
	At           time.Time `bun:"at,notnull"`
	ActorID      *int64    `bun:"actor_id"`
	DepartmentID *int64    `bun:"department_id"`
	Was          string    `bun:"was,notnull,type:text"`
}

type link20261129 struct {
	bun.BaseModel `bun:"table:ticket_links"`

	LowID  int64     `bun:"low_id,pk"`
	HighID int64     `bun:"high_id,pk"`
	Note   string    `bun:"note,notnull,type:text"`
	ByID   *int64    `bun:"by_id"`
	ByName string    `bun:"by_name,notnull"`
	At     time.Time `bun:"at,notnull"`
}

// Migrations are the tables of the module. A scope of a department tree is one equality on the column of its level.
var Migrations = []database.Migration{{
	ID: "20261103000001_tickets",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*ticket20261103)(nil), (*hop20261103)(nil), (*file20261103)(nil),
			(*type20261103)(nil), (*number20261103)(nil)); err != nil {
			return err
		}
		steps := []string{
			"CREATE UNIQUE INDEX tickets_number ON tickets (number)",
			"CREATE INDEX tickets_status ON tickets (status, id)",
			"CREATE INDEX tickets_user ON tickets (user_id, id)",
			"CREATE INDEX tickets_enterprise ON tickets (enterprise_id, id)",
			"CREATE INDEX tickets_phone ON tickets (phone_blind, id)",
			"CREATE INDEX tickets_unit_status ON tickets (unit_id, status, id)",
			"CREATE INDEX tickets_unit ON tickets (unit_id, id)",
			"CREATE INDEX ticket_hops_ticket ON ticket_hops (ticket_id, id)",
			"CREATE INDEX ticket_hops_unit ON ticket_hops (unit_id, ticket_id)",
			"CREATE INDEX ticket_files_file ON ticket_files (file_id)",
		}
		for n := 1; n <= 4; n++ {
			steps = append(steps,
				fmt.Sprintf("CREATE INDEX tickets_l%d_status ON tickets (unit_l%d, status, id)", n, n),
				fmt.Sprintf("CREATE INDEX tickets_l%d ON tickets (unit_l%d, id)", n, n),
				fmt.Sprintf("CREATE INDEX ticket_hops_l%d ON ticket_hops (unit_l%d, ticket_id)", n, n))
		}
		return database.Exec(ctx, tx, steps...)
	},
}, {
	ID: "20261127060100_ticket_type_set",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.ByDialect(ctx, tx, []string{"ALTER TABLE ticket_types ADD COLUMN set_at TIMESTAMP"}, []string{"ALTER TABLE ticket_types ADD COLUMN set_at timestamptz"})
	},
}, {
	ID: "20261128040500_ticket_search",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.Exec(ctx, tx, "CREATE INDEX tickets_phone_tail ON tickets (phone_tail, id)"); err != nil {
			return err
		}
		return fullText.Create(ctx, tx, "tickets")
	},
}, {
	ID: "20261129020000_ticket_lifecycle",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*request20261129)(nil), (*memory20261129)(nil), (*link20261129)(nil)); err != nil {
			return err
		}
		steps := []string{
			"ALTER TABLE tickets ADD COLUMN review_due BOOLEAN NOT NULL DEFAULT FALSE",
			"ALTER TABLE tickets ADD COLUMN round BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE tickets ADD COLUMN merged_into BIGINT",
			"ALTER TABLE tickets ADD COLUMN excluded BOOLEAN NOT NULL DEFAULT FALSE",
			"ALTER TABLE ticket_types ADD COLUMN review BOOLEAN NOT NULL DEFAULT FALSE",
			"ALTER TABLE ticket_hops ADD COLUMN parent_id BIGINT",
			"ALTER TABLE ticket_hops ADD COLUMN role VARCHAR NOT NULL DEFAULT 'lead'",
			"ALTER TABLE ticket_hops ADD COLUMN round BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE ticket_hops ADD COLUMN reply TEXT NOT NULL DEFAULT ''",
			"ALTER TABLE ticket_hops ADD COLUMN sent_by BIGINT",
			"ALTER TABLE ticket_hops ADD COLUMN sent_by_name VARCHAR NOT NULL DEFAULT ''",
			"CREATE INDEX tickets_merged ON tickets (merged_into) WHERE merged_into IS NOT NULL",
			"CREATE INDEX tickets_closed_at ON tickets (closed_at) WHERE status = 'closed'",
			"CREATE INDEX ticket_requests_ticket ON ticket_requests (ticket_id, id)",
			"CREATE INDEX ticket_requests_hop ON ticket_requests (hop_id, kind, state)",
			"CREATE INDEX ticket_requests_pending ON ticket_requests (kind, ticket_id) WHERE state IN ('filed', 'endorsed')",
			"CREATE INDEX ticket_requests_filed ON ticket_requests (filed_at)",
			"CREATE INDEX ticket_links_high ON ticket_links (high_id)",
			"CREATE INDEX ticket_hops_side ON ticket_hops (unit_id, state, ticket_id) WHERE NOT lead",
		}
		for n := 1; n <= 4; n++ {
			steps = append(steps, fmt.Sprintf("CREATE INDEX ticket_hops_side_l%d ON ticket_hops (unit_l%d, state, ticket_id) WHERE NOT lead", n, n))
		}
		return database.Exec(ctx, tx, steps...)
	},
}, clockStep, formStep, deskStep, callbackStep, evidenceStep, expireStep, confidentialStep, areaStep, judgeStep, returnStep, hintStep, judgeTagsStep, partEvidenceStep, placeStep, {
	ID: "20261129180000_ticket_numbers_drawn",
	Up: func(ctx context.Context, tx bun.Tx) error { return database.SerialSteps(ctx, tx, "ticket_numbers") },
}, {
	// A ticket that comes in has no unit yet: ten indexes of units took an entry for it that nobody ever looks up.
	ID: "20261201030002_ticket_units_known",
	Up: func(ctx context.Context, tx bun.Tx) error {
		var steps []string
		known := func(name, column, columns string) {
			steps = append(steps, "DROP INDEX "+name, fmt.Sprintf("CREATE INDEX %s ON tickets (%s) WHERE %s IS NOT NULL", name, columns, column))
		}
		known("tickets_unit_status", "unit_id", "unit_id, status, id")
		known("tickets_unit", "unit_id", "unit_id, id")
		for n := 1; n <= 4; n++ {
			column := fmt.Sprintf("unit_l%d", n)
			known(fmt.Sprintf("tickets_l%d_status", n), column, column+", status, id")
			known(fmt.Sprintf("tickets_l%d", n), column, column+", id")
		}
		return database.Exec(ctx, tx, steps...)
	},
}}
