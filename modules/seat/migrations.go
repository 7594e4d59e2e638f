package seat

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type seat20261129 struct {
	bun.BaseModel `bun:"table:seats"`

	UserID  int64     `bun:"user_id,pk"`
	Name    string    `bun:"name,notnull"`
	State   string    `bun:"state,notnull"`
	Reason  string    `bun:"reason,notnull"`
	Since   time.Time `bun:"since,notnull"`
	Until   time.Time `bun:"lease_until,notnull"`
	Version int64     `bun:"version,notnull"`
}

type spell20261129 struct {
	bun.BaseModel `bun:"table:seat_spells"`

	ID      int64      `bun:"id,pk,autoincrement"`
	UserID  int64      `bun:"user_id,notnull"`
	State   string     `bun:"state,notnull"`
	Reason  string     `bun:"reason,notnull"`
	BeganAt time.Time  `bun:"began_at,notnull"`
	EndedAt *time.Time `bun:"ended_at"`
	By      int64      `bun:"changed_by,notnull"`
}

type skill20261129 struct {
	bun.BaseModel `bun:"table:seat_skills"`

	UserID int64  `bun:"user_id,pk"`
	Code   string `bun:"code,pk"`
}

type team20261129 struct {
	bun.BaseModel `bun:"table:seat_teams"`

	ID       int64  `bun:"id,pk,autoincrement"`
	Name     string `bun:"name,notnull"`
	LeaderID int64  `bun:"leader_id,notnull"`
	Removed  bool   `bun:"removed,notnull"`
	Version  int64  `bun:"version,notnull"`
}

type member20261129 struct {
	bun.BaseModel `bun:"table:seat_members"`

	UserID int64 `bun:"user_id,pk"`
	TeamID int64 `bun:"team_id,notnull"`
}

type shift20261129 struct {
	bun.BaseModel `bun:"table:seat_shifts"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Day     string    `bun:"day,notnull"`
	TeamID  int64     `bun:"team_id,notnull"`
	Name    string    `bun:"name,notnull"`
	From    int       `bun:"from_minute,notnull"`
	To      int       `bun:"to_minute,notnull"`
	Seats   int       `bun:"seats,notnull"`
	Removed bool      `bun:"removed,notnull"`
	Version int64     `bun:"version,notnull"`
	At      time.Time `bun:"changed_at,notnull"`
}

type shiftChange20261129 struct {
	bun.BaseModel `bun:"table:seat_shift_changes"`

	ID      int64     `bun:"id,pk,autoincrement"`
	ShiftID int64     `bun:"shift_id,notnull"`
	Day     string    `bun:"day,notnull"`
	Text    string    `bun:"text,notnull"`
	Reason  string    `bun:"reason,notnull"`
	By      string    `bun:"by_name,notnull"`
	At      time.Time `bun:"at,notnull"`
}

type hours20261129 struct {
	bun.BaseModel `bun:"table:seat_hours"`

	Weekday int `bun:"weekday,pk"`
	From    int `bun:"from_minute,notnull"`
	To      int `bun:"to_minute,notnull"`
	Seats   int `bun:"seats,notnull"`
}

// Migrations are the tables of the module. The desk is open on weekdays from half past eight to six with two people until
// the installation says otherwise.
var Migrations = []database.Migration{{
	ID: "20261129080000_seats",
	Up: func(ctx context.Context, tx bun.Tx) error {
		err := database.CreateTables(ctx, tx, (*seat20261129)(nil), (*spell20261129)(nil), (*skill20261129)(nil), (*team20261129)(nil), (*member20261129)(nil),
			(*shift20261129)(nil), (*shiftChange20261129)(nil), (*hours20261129)(nil))
		if err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX seat_spells_user ON seat_spells (user_id, began_at)",
			"CREATE INDEX seat_spells_ended ON seat_spells (ended_at)",
			"CREATE UNIQUE INDEX seat_spells_open ON seat_spells (user_id) WHERE ended_at IS NULL",
			"CREATE UNIQUE INDEX seat_teams_name ON seat_teams (name) WHERE NOT removed",
			"CREATE INDEX seat_members_team ON seat_members (team_id)",
			"CREATE INDEX seat_shifts_day ON seat_shifts (day)",
			"CREATE INDEX seat_shift_changes_day ON seat_shift_changes (day)",
			"INSERT INTO seat_hours (weekday, from_minute, to_minute, seats) VALUES (1, 510, 1080, 2), (2, 510, 1080, 2), (3, 510, 1080, 2), (4, 510, 1080, 2), (5, 510, 1080, 2)",
		)
	},
}, {
	ID: "20261129170000_seat_hours_version",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE seat_hours ADD COLUMN version BIGINT NOT NULL DEFAULT 1",
			"ALTER TABLE seat_hours ADD COLUMN changed_by VARCHAR NOT NULL DEFAULT ''",
			"ALTER TABLE seat_hours ADD COLUMN changed_at TIMESTAMP",
		)
	},
}}
