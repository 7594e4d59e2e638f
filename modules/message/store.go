package message

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// message is one entry of a person's list.
type message struct {
	bun.BaseModel `bun:"table:messages,alias:m"`

	ID        int64      `bun:"id,pk,autoincrement"`
	UserID    int64      `bun:"user_id,notnull"`
	Key       string     `bun:"key,notnull"`
	Template  string     `bun:"template,notnull"`
	Group     Group      `bun:"topic,notnull"`
	Title     string     `bun:"title,notnull"`
	Text      string     `bun:"text,notnull"`
	Link      string     `bun:"link,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	ReadAt    *time.Time `bun:"read_at"`
}

// letter is a row of an outbox. The two outboxes have the same columns.
type letter struct {
	bun.BaseModel `bun:"table:sms_messages,alias:o"`

	ID         int64      `bun:"id,pk,autoincrement"`
	SendID     string     `bun:"send_id,notnull"`   // what the provider knows the letter by
	Recipient  string     `bun:"recipient,notnull"` // sealed: a phone or an open id
	PhoneBlind string     `bun:"phone_blind,nullzero"`
	UserID     int64      `bun:"user_id,nullzero"`
	Params     string     `bun:"params,notnull"` // sealed: a code is a secret
	Template   string     `bun:"template,notnull"`
	NoticeKey  string     `bun:"notice_key,notnull"` // of the notice it goes with; empty for a text that is none
	State      State      `bun:"state,notnull"`
	Version    int64      `bun:"version,notnull"`
	Claim      string     `bun:"claim,notnull"` // who works on it now; a slow worker's write is refused by it
	Receipt    string     `bun:"receipt,notnull"`
	Code       string     `bun:"code,notnull"`
	Attempts   int        `bun:"attempts,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	NotBefore  *time.Time `bun:"not_before"`
	TriedAt    *time.Time `bun:"tried_at"` // the first try since it was last queued
	ClaimedAt  *time.Time `bun:"claimed_at"`
}

type preferenceRow struct {
	bun.BaseModel `bun:"table:message_preferences,alias:p"`

	UserID    int64     `bun:"user_id,pk"`
	Group     Group     `bun:"topic,pk"`
	SMS       bool      `bun:"sms,notnull"`
	Wechat    bool      `bun:"wechat,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

type sms20261102 struct {
	bun.BaseModel `bun:"table:sms_messages"`

	ID        int64      `bun:"id,pk,autoincrement"`
	SendID    string     `bun:"send_id,notnull"`
	Phone     string     `bun:"phone,notnull,type:text"`
	Params    string     `bun:"params,notnull,type:text"`
	Template  string     `bun:"template,notnull"`
	State     string     `bun:"state,notnull"`
	Claim     string     `bun:"claim,notnull"`
	Receipt   string     `bun:"receipt,notnull"`
	Code      string     `bun:"code,notnull"`
	Attempts  int        `bun:"attempts,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	TriedAt   *time.Time `bun:"tried_at"`
}

type message20261124 struct {
	bun.BaseModel `bun:"table:messages"`

	ID        int64      `bun:"id,pk,autoincrement"`
	UserID    int64      `bun:"user_id,notnull"`
	Key       string     `bun:"key,notnull"`
	Template  string     `bun:"template,notnull"`
	Topic     string     `bun:"topic,notnull"`
	Title     string     `bun:"title,notnull"`
	Text      string     `bun:"text,notnull,type:text"`
	Link      string     `bun:"link,notnull"`
	CreatedAt time.Time  `bun:"created_at,notnull"`
	ReadAt    *time.Time `bun:"read_at"`
}

type wechat20261124 struct {
	bun.BaseModel `bun:"table:wechat_messages"`

	ID         int64      `bun:"id,pk,autoincrement"`
	SendID     string     `bun:"send_id,notnull"`
	Recipient  string     `bun:"recipient,notnull,type:text"`
	PhoneBlind string     `bun:"phone_blind"`
	UserID     *int64     `bun:"user_id"`
	Params     string     `bun:"params,notnull,type:text"`
	Template   string     `bun:"template,notnull"`
	State      string     `bun:"state,notnull"`
	Version    int64      `bun:"version,notnull"`
	Claim      string     `bun:"claim,notnull"`
	Receipt    string     `bun:"receipt,notnull"`
	Code       string     `bun:"code,notnull"`
	Attempts   int        `bun:"attempts,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	NotBefore  *time.Time `bun:"not_before"`
	TriedAt    *time.Time `bun:"tried_at"`
	ClaimedAt  *time.Time `bun:"claimed_at"`
}

type preference20261124 struct {
	bun.BaseModel `bun:"table:message_preferences"`

	UserID    int64     `bun:"user_id,pk"`
	Topic     string    `bun:"topic,pk"`
	SMS       bool      `bun:"sms,notnull"`
	Wechat    bool      `bun:"wechat,notnull"`
	UpdatedAt time.Time `bun:"updated_at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261102100000_sms_messages",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*sms20261102)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "CREATE UNIQUE INDEX sms_messages_send_id ON sms_messages (send_id)",
			"CREATE INDEX sms_messages_open ON sms_messages (id) WHERE state NOT IN ('sent', 'refused')")
	},
}, {
	ID: "20261124085000_messages",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*message20261124)(nil), (*wechat20261124)(nil), (*preference20261124)(nil)); err != nil {
			return err
		}
		steps := []string{
			"CREATE UNIQUE INDEX messages_key ON messages (user_id, key)",
			"CREATE INDEX messages_user ON messages (user_id, id)",
			"CREATE INDEX messages_unread ON messages (user_id, id) WHERE read_at IS NULL",
			"CREATE UNIQUE INDEX wechat_messages_send_id ON wechat_messages (send_id)",
			"ALTER TABLE sms_messages RENAME COLUMN phone TO recipient",
			"ALTER TABLE sms_messages ADD COLUMN phone_blind VARCHAR",
			"ALTER TABLE sms_messages ADD COLUMN user_id BIGINT",
			"ALTER TABLE sms_messages ADD COLUMN version BIGINT NOT NULL DEFAULT 1",
		}
		for _, table := range []string{"sms_messages", "wechat_messages"} {
			steps = append(steps,
				"CREATE INDEX "+table+"_state ON "+table+" (state, id)",
				"CREATE INDEX "+table+"_template ON "+table+" (template, id)",
				"CREATE INDEX "+table+"_phone ON "+table+" (phone_blind, id)")
		}
		moment := "TIMESTAMP"
		if database.KindOf(tx) == database.Postgres {
			moment = "TIMESTAMPTZ"
		}
		for _, column := range []string{"not_before", "claimed_at"} {
			steps = append([]string{"ALTER TABLE sms_messages ADD COLUMN " + column + " " + moment}, steps...)
		}
		return database.Exec(ctx, tx, steps...)
	},
}, {
	ID: "20261129166000_letters_of_a_notice",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.Exec(ctx, tx, "CREATE INDEX messages_notice ON messages (key)"); err != nil {
			return err
		}
		for _, table := range []string{"sms_messages", "wechat_messages"} {
			err := database.Exec(ctx, tx, "ALTER TABLE "+table+" ADD COLUMN notice_key VARCHAR NOT NULL DEFAULT ''",
				"CREATE INDEX "+table+"_notice ON "+table+" (notice_key, user_id) WHERE notice_key <> ''")
			if err != nil {
				return err
			}
		}
		return nil
	},
}}
