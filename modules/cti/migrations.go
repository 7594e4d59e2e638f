package cti

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type call20261129 struct {
	bun.BaseModel `bun:"table:cti_calls"`

	ID         int64      `bun:"id,pk,autoincrement"`
	CallID     string     `bun:"call_id,notnull,unique"`
	Direction  string     `bun:"direction,notnull"`
	Queue      string     `bun:"queue,notnull"`
	Extension  string     `bun:"extension,notnull"`
	UserID     int64      `bun:"user_id,notnull"`
	UserName   string     `bun:"user_name,notnull"`
	Sealed     string     `bun:"number_sealed,notnull,type:text"`
	Blind      string     `bun:"number_blind,notnull"`
	Tail       string     `bun:"number_tail,notnull"`
	State      string     `bun:"state,notnull"`
	RangAt     time.Time  `bun:"rang_at,notnull"`
	AnsweredAt *time.Time `bun:"answered_at"`
	EndedAt    *time.Time `bun:"ended_at"`
	Recording  string     `bun:"recording,notnull,type:text"`
	TicketID   int64      `bun:"ticket_id,notnull"`
}

type event20261129 struct {
	bun.BaseModel `bun:"table:cti_events"`

	CallID string    `bun:"call_id,pk"`
	Kind   string    `bun:"kind,pk"`
	Scope  string    `bun:"scope,pk"`
	Digest string    `bun:"digest,notnull"`
	At     time.Time `bun:"at,notnull"`
}

type extension20261129 struct {
	bun.BaseModel `bun:"table:cti_extensions"`

	Extension string `bun:"extension,pk"`
	UserID    int64  `bun:"user_id,notnull,unique"`
	Name      string `bun:"user_name,notnull"`
}

type survey20261129 struct {
	bun.BaseModel `bun:"table:cti_surveys"`

	CallID string    `bun:"call_id,pk"`
	Ticket string    `bun:"ticket_number,notnull"`
	Key    int       `bun:"pressed,notnull"`
	At     time.Time `bun:"at,notnull"`
	Taken  bool      `bun:"taken,notnull"`
}

type nuisance20261129 struct {
	bun.BaseModel `bun:"table:cti_nuisance"`

	ID      int64      `bun:"id,pk,autoincrement"`
	Sealed  string     `bun:"number_sealed,notnull,type:text"`
	Blind   string     `bun:"number_blind,notnull"`
	Tail    string     `bun:"number_tail,notnull"`
	Reason  string     `bun:"reason,notnull,type:text"`
	Until   time.Time  `bun:"until_at,notnull"`
	By      string     `bun:"by_name,notnull"`
	At      time.Time  `bun:"at,notnull"`
	EndedAt *time.Time `bun:"ended_at"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129081000_cti",
	Up: func(ctx context.Context, tx bun.Tx) error {
		err := database.CreateTables(ctx, tx, (*call20261129)(nil), (*event20261129)(nil), (*extension20261129)(nil), (*survey20261129)(nil), (*nuisance20261129)(nil))
		if err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX cti_calls_rang ON cti_calls (rang_at)",
			"CREATE INDEX cti_calls_user ON cti_calls (user_id, rang_at)",
			"CREATE INDEX cti_calls_ticket ON cti_calls (ticket_id) WHERE ticket_id <> 0",
			"CREATE INDEX cti_calls_blind ON cti_calls (number_blind, id)",
			"CREATE INDEX cti_nuisance_blind ON cti_nuisance (number_blind)",
		)
	},
}}
