package quality

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type work20261129 struct {
	bun.BaseModel `bun:"table:quality_works"`

	EventID   int64     `bun:"event_id,pk"`
	TicketID  int64     `bun:"ticket_id,notnull"`
	Number    string    `bun:"number,notnull"`
	Kind      string    `bun:"kind,notnull"`
	AgentID   int64     `bun:"agent_id,notnull"`
	AgentName string    `bun:"agent_name,notnull"`
	At        time.Time `bun:"at,notnull"`
}

type rule20261129 struct {
	bun.BaseModel `bun:"table:quality_rules"`

	ID         int64  `bun:"id,pk"`
	PerAgent   int    `bun:"per_agent,notnull"`
	Kinds      string `bun:"kinds,notnull"`
	AppealDays int    `bun:"appeal_days,notnull"`
	On         bool   `bun:"active,notnull"`
	Version    int64  `bun:"version,notnull"`
}

type draw20261129 struct {
	bun.BaseModel `bun:"table:quality_draws"`

	ID       int64     `bun:"id,pk,autoincrement"`
	Day      string    `bun:"day,nullzero"`
	From     time.Time `bun:"from_at,notnull"`
	To       time.Time `bun:"to_at,notnull"`
	AgentID  int64     `bun:"agent_id,nullzero"`
	PerAgent int       `bun:"per_agent,notnull"`
	Kinds    string    `bun:"kinds,notnull"`
	Seed     string    `bun:"seed,notnull"`
	Drawn    int       `bun:"drawn,notnull"`
	By       string    `bun:"made_by,notnull"`
	At       time.Time `bun:"made_at,notnull"`
}

type card20261129 struct {
	bun.BaseModel `bun:"table:quality_cards"`

	ID   int64     `bun:"id,pk,autoincrement"`
	Name string    `bun:"name,notnull"`
	Body string    `bun:"body,notnull,type:text"`
	By   string    `bun:"made_by,notnull"`
	At   time.Time `bun:"made_at,notnull"`
}

type check20261129 struct {
	bun.BaseModel `bun:"table:quality_checks"`

	ID          int64      `bun:"id,pk,autoincrement"`
	EventID     int64      `bun:"event_id,notnull,unique"`
	DrawID      int64      `bun:"draw_id,notnull"`
	TicketID    int64      `bun:"ticket_id,notnull"`
	Number      string     `bun:"number,notnull"`
	Kind        string     `bun:"kind,notnull"`
	AgentID     int64      `bun:"agent_id,notnull"`
	AgentName   string     `bun:"agent_name,notnull"`
	WorkedAt    time.Time  `bun:"worked_at,notnull"`
	Month       string     `bun:"month,notnull"`
	State       string     `bun:"state,notnull"`
	Version     int64      `bun:"version,notnull"`
	CardID      int64      `bun:"card_id,nullzero"`
	Marks       string     `bun:"marks,notnull,type:text"`
	Fatal       string     `bun:"fatal,notnull,type:text"`
	Score       *int       `bun:"score"`
	Comment     string     `bun:"comment,notnull,type:text"`
	InspectorID int64      `bun:"inspector_id,nullzero"`
	Inspector   string     `bun:"inspector,notnull"`
	ScoredAt    *time.Time `bun:"scored_at"`
	AppealUntil *time.Time `bun:"appeal_until"`
	Appeal      string     `bun:"appeal,notnull,type:text"`
	AppealedAt  *time.Time `bun:"appealed_at"`
	FirstScore  *int       `bun:"first_score"`
	Decision    string     `bun:"decision,notnull,type:text"`
	Decider     string     `bun:"decider,notnull"`
	DecidedAt   *time.Time `bun:"decided_at"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129100000_quality",
	Up: func(ctx context.Context, tx bun.Tx) error {
		err := database.CreateTables(ctx, tx, (*work20261129)(nil), (*rule20261129)(nil), (*draw20261129)(nil), (*card20261129)(nil), (*check20261129)(nil))
		if err != nil {
			return err
		}
		err = database.Exec(ctx, tx,
			"CREATE INDEX quality_works_at ON quality_works (at)",
			"CREATE UNIQUE INDEX quality_draws_day ON quality_draws (day) WHERE day IS NOT NULL",
			"CREATE INDEX quality_checks_state ON quality_checks (state, id)",
			"CREATE INDEX quality_checks_agent ON quality_checks (agent_id, id)",
			"CREATE INDEX quality_checks_month ON quality_checks (month, agent_id)",
			"INSERT INTO quality_rules (id, per_agent, kinds, appeal_days, active, version) VALUES (1, 2, 'opened,answered,called_back', 5, TRUE, 1)",
		)
		if err != nil {
			return err
		}
		body, err := json.Marshal(Standard())
		if err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&card20261129{Name: "通用评分表", Body: string(body), By: "系统预置", At: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)}).Exec(ctx)
		return err
	},
}, {
	ID: "20261129170200_quality_by_kind",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE quality_cards ADD COLUMN kind VARCHAR NOT NULL DEFAULT ''",
			"ALTER TABLE quality_cards ADD COLUMN withdrawn BOOLEAN NOT NULL DEFAULT FALSE",
			"ALTER TABLE quality_checks ADD COLUMN picked BOOLEAN NOT NULL DEFAULT FALSE",
			"ALTER TABLE quality_draws ADD COLUMN number VARCHAR NOT NULL DEFAULT ''",
			"ALTER TABLE quality_draws ADD COLUMN reason VARCHAR NOT NULL DEFAULT ''",
			"CREATE INDEX quality_cards_kind ON quality_cards (kind, id)",
			"CREATE INDEX quality_works_number ON quality_works (number)",
		)
	},
}}
