package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type level20261129 struct {
	bun.BaseModel `bun:"table:ticket_secrecy_levels"`

	Level int    `bun:"level,pk"`
	Name  string `bun:"name,notnull"`
	Note  string `bun:"note,notnull"`
}

type secret20261129 struct {
	bun.BaseModel `bun:"table:ticket_secrets"`

	TicketID int64     `bun:"ticket_id,pk"`
	AskedBy  string    `bun:"asked_by,notnull"`
	Reason   string    `bun:"reason,notnull,type:text"`
	SetBy    int64     `bun:"set_by,notnull"`
	SetName  string    `bun:"set_name,notnull"`
	SetAt    time.Time `bun:"set_at,notnull"`
}

type confidant20261129 struct {
	bun.BaseModel `bun:"table:ticket_confidants"`

	TicketID int64  `bun:"ticket_id,pk"`
	UserID   int64  `bun:"user_id,pk"`
	Name     string `bun:"name,notnull"`
}

type reveal20261129 struct {
	bun.BaseModel `bun:"table:ticket_reveals"`

	ID       int64     `bun:"id,pk,autoincrement"`
	TicketID int64     `bun:"ticket_id,notnull"`
	Number   string    `bun:"number,notnull"`
	UserID   int64     `bun:"user_id,notnull"`
	Name     string    `bun:"name,notnull"`
	Unit     string    `bun:"unit,notnull"`
	Reason   string    `bun:"reason,notnull,type:text"`
	At       time.Time `bun:"at,notnull"`
}

// confidentialStep is the schema of confidential tickets and of numbers that are revealed.
var confidentialStep = database.Migration{
	ID: "20261129082000_ticket_confidential",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*level20261129)(nil), (*secret20261129)(nil), (*confidant20261129)(nil), (*reveal20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"ALTER TABLE tickets ADD COLUMN secrecy BIGINT NOT NULL DEFAULT 0",
			"CREATE INDEX ticket_reveals_user ON ticket_reveals (user_id, at)",
			"CREATE INDEX ticket_reveals_ticket ON ticket_reveals (ticket_id)",
			"INSERT INTO ticket_secrecy_levels (level, name, note) VALUES (1, '敏感', '涉及举报人、未成年人等个人隐私'), (2, '保密', '涉及商业秘密，或当事人、承办单位书面要求保密')",
		)
	},
}
