package channel

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type channel20261130 struct {
	bun.BaseModel `bun:"table:channels"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Version int64     `bun:"version,notnull"`
	Code    string    `bun:"code,notnull"`
	Name    string    `bun:"name,notnull"`
	Kind    string    `bun:"kind,notnull"`
	Owner   string    `bun:"owner,notnull"`
	Landing string    `bun:"landing,notnull"`
	From    string    `bun:"from_day,notnull"`
	To      string    `bun:"to_day,notnull"`
	On      bool      `bun:"switched_on,notnull"`
	By      string    `bun:"made_by,notnull"`
	At      time.Time `bun:"made_at,notnull"`
}

type visit20261130 struct {
	bun.BaseModel `bun:"table:channel_visits"`

	ChannelID int64  `bun:"channel_id,pk"`
	Day       string `bun:"day,pk"`
	Visitor   string `bun:"visitor,pk"`
}

type attribution20261130 struct {
	bun.BaseModel `bun:"table:channel_attributions"`

	Subject      string    `bun:"subject,pk"`
	SubjectID    int64     `bun:"subject_id,pk"`
	ChannelID    int64     `bun:"channel_id,notnull"`
	How          string    `bun:"how,notnull"`
	EnterpriseID int64     `bun:"enterprise_id,notnull"`
	TouchedAt    time.Time `bun:"touched_at,notnull"`
	At           time.Time `bun:"made_at,notnull"`
	Day          string    `bun:"day,notnull"`
	OutcomeDay   string    `bun:"outcome_day,notnull"`
}

type rule20261130 struct {
	bun.BaseModel `bun:"table:channel_rules"`

	ID        int64 `bun:"id,pk"`
	Days      int   `bun:"days,notnull"`
	CarryDays int   `bun:"carry_days,notnull"`
	Version   int64 `bun:"version,notnull"`
}

// Migrations are the tables of the module. The keys count a visitor once a day and attribute a thing once, however many requests
// arrive at once.
var Migrations = []database.Migration{{
	ID: "20261130060100_channels",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*channel20261130)(nil), (*visit20261130)(nil), (*attribution20261130)(nil), (*rule20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX channels_code ON channels (code)",
			"CREATE INDEX channel_visits_day ON channel_visits (day, channel_id)",
			"CREATE INDEX channel_attributions_day ON channel_attributions (day, channel_id)",
			"CREATE INDEX channel_attributions_outcome ON channel_attributions (outcome_day, channel_id)",
			"CREATE INDEX channel_attributions_enterprise ON channel_attributions (enterprise_id, subject)",
			"INSERT INTO channel_rules (id, days, carry_days, version) VALUES (1, 30, 180, 1)",
		)
	},
}}
