package intake

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type key20261129 struct {
	bun.BaseModel `bun:"table:intake_keys"`

	ID         int64      `bun:"id,pk,autoincrement"`
	Partner    string     `bun:"partner,notnull"`
	Start      string     `bun:"start,notnull"`
	Hash       string     `bun:"hash,notnull,unique"`
	Services   string     `bun:"services,notnull,type:text"`
	Review     bool       `bun:"review,notnull"`
	PerMinute  int64      `bun:"per_minute,notnull"`
	PerDay     int64      `bun:"per_day,notnull"`
	Minute     int64      `bun:"minute,notnull"`
	UsedMinute int64      `bun:"used_minute,notnull"`
	Day        string     `bun:"day,notnull"`
	UsedDay    int64      `bun:"used_day,notnull"`
	UsedAt     *time.Time `bun:"used_at"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	CreatedBy  string     `bun:"created_by,notnull"`
	RevokedAt  *time.Time `bun:"revoked_at"`
	RevokedBy  string     `bun:"revoked_by,notnull"`
}

type service20261129 struct {
	bun.BaseModel `bun:"table:intake_services"`

	Code      string    `bun:"code,pk"`
	Published bool      `bun:"published,notnull"`
	Keywords  string    `bun:"keywords,notnull"`
	SetBy     string    `bun:"set_by,notnull"`
	SetAt     time.Time `bun:"set_at,notnull"`
}

type request20261129 struct {
	bun.BaseModel `bun:"table:intake_requests"`

	ID          int64     `bun:"id,pk,autoincrement"`
	KeyID       int64     `bun:"key_id,notnull"`
	Outside     string    `bun:"outside,nullzero"`
	Digest      string    `bun:"digest,notnull"`
	TicketID    int64     `bun:"ticket_id,nullzero"`
	MessageID   int64     `bun:"message_id,nullzero"`
	Number      string    `bun:"number,nullzero"`
	Token       string    `bun:"token,nullzero"`
	Code        string    `bun:"code,notnull"`
	Datum       string    `bun:"datum,notnull"`
	Lat         *float64  `bun:"lat"`
	Long        *float64  `bun:"long"`
	Address     string    `bun:"address,notnull"`
	AddressID   string    `bun:"address_id,notnull"`
	Zip         string    `bun:"zip,notnull"`
	MediaURL    string    `bun:"media_url,notnull,type:text"`
	Description string    `bun:"description,notnull,type:text"`
	Contact     string    `bun:"contact,notnull,type:text"`
	PublicText  string    `bun:"public_text,notnull,type:text"`
	State       string    `bun:"state,notnull"`
	Note        string    `bun:"note,notnull"`
	Agency      string    `bun:"agency,notnull"`
	CreatedAt   time.Time `bun:"created_at,notnull"`
	UpdatedAt   time.Time `bun:"updated_at,notnull"`
	DueAt       time.Time `bun:"due_at,notnull"`
}

type talk20261129 struct {
	bun.BaseModel `bun:"table:intake_talks"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Blind     string    `bun:"blind,notnull,unique"`
	OpenID    string    `bun:"open_id,notnull,type:text"`
	State     string    `bun:"state,notnull"`
	Text      string    `bun:"text,notnull,type:text"`
	Media     string    `bun:"media,notnull,type:text"`
	Place     string    `bun:"place,notnull,type:text"`
	Matter    string    `bun:"matter,notnull"`
	TouchedAt time.Time `bun:"touched_at,notnull"`
	Wrong     int64     `bun:"wrong,notnull"`
	WrongAt   time.Time `bun:"wrong_at,notnull"`
	Version   int64     `bun:"version,notnull"`
}

type seen20261129 struct {
	bun.BaseModel `bun:"table:intake_seen"`

	Key    string    `bun:"key,pk"`
	Answer string    `bun:"answer,notnull,type:text"`
	At     time.Time `bun:"at,notnull"`
}

type message20261129 struct {
	bun.BaseModel `bun:"table:intake_messages"`

	ID         int64      `bun:"id,pk,autoincrement"`
	Channel    string     `bun:"channel,notnull"`
	Mark       string     `bun:"mark,notnull,unique"`
	State      string     `bun:"state,notnull"`
	Version    int64      `bun:"version,notnull"`
	Sender     string     `bun:"sender,notnull,type:text"`
	Blind      string     `bun:"blind,nullzero"`
	SenderName string     `bun:"sender_name,notnull"`
	Subject    string     `bun:"subject,notnull,type:text"`
	Body       string     `bun:"body,notnull,type:text"`
	Reference  string     `bun:"reference,notnull,type:text"`
	Code       string     `bun:"code,notnull"`
	Flag       string     `bun:"flag,notnull,type:text"`
	TicketID   int64      `bun:"ticket_id,nullzero"`
	Number     string     `bun:"number,notnull"`
	Reason     string     `bun:"reason,notnull,type:text"`
	DecidedBy  string     `bun:"decided_by,notnull"`
	DecidedAt  *time.Time `bun:"decided_at"`
	ReceivedAt time.Time  `bun:"received_at,notnull"`
}

type mailbox20261129 struct {
	bun.BaseModel `bun:"table:intake_mailboxes"`

	Address  string     `bun:"address,pk"`
	Validity int64      `bun:"validity,notnull"`
	Last     int64      `bun:"last_uid,notnull"`
	PolledAt *time.Time `bun:"polled_at"`
	Trouble  string     `bun:"trouble,notnull,type:text"`
}

type letter20261129 struct {
	bun.BaseModel `bun:"table:intake_letters"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Mark      string    `bun:"mark,notnull,unique"`
	Recipient string    `bun:"recipient,notnull,type:text"`
	Subject   string    `bun:"subject,notnull,type:text"`
	Text      string    `bun:"text,notnull,type:text"`
	Answers   string    `bun:"answers,notnull,type:text"`
	State     string    `bun:"state,notnull"`
	Trouble   string    `bun:"trouble,notnull,type:text"`
	CreatedAt time.Time `bun:"created_at,notnull"`
	SentAt    time.Time `bun:"sent_at,nullzero"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129050000_intake",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*key20261129)(nil), (*service20261129)(nil), (*request20261129)(nil), (*talk20261129)(nil),
			(*seen20261129)(nil), (*message20261129)(nil), (*mailbox20261129)(nil), (*letter20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX intake_requests_ticket ON intake_requests (ticket_id) WHERE ticket_id IS NOT NULL",
			"CREATE UNIQUE INDEX intake_requests_number ON intake_requests (number) WHERE number IS NOT NULL",
			"CREATE UNIQUE INDEX intake_requests_token ON intake_requests (token) WHERE token IS NOT NULL",
			"CREATE UNIQUE INDEX intake_requests_outside ON intake_requests (key_id, outside) WHERE outside IS NOT NULL",
			"CREATE INDEX intake_requests_message ON intake_requests (message_id)",
			"CREATE INDEX intake_requests_code ON intake_requests (code, created_at)",
			"CREATE INDEX intake_requests_key ON intake_requests (key_id, created_at)",
			"CREATE INDEX intake_messages_state ON intake_messages (state, id)",
			"CREATE INDEX intake_messages_ticket ON intake_messages (ticket_id)",
			"CREATE INDEX intake_seen_at ON intake_seen (at)",
			"CREATE INDEX intake_letters_state ON intake_letters (state, id)",
		)
	},
}, {
	ID: "20261129170300_intake_hidden",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE intake_requests ADD COLUMN hidden BOOLEAN NOT NULL DEFAULT FALSE")
	},
}}
