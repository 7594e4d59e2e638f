package backup

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type run20261127 struct {
	bun.BaseModel `bun:"table:backups"`

	ID           int64      `bun:"id,pk,autoincrement"`
	State        string     `bun:"state,notnull"`
	Cause        string     `bun:"cause,notnull"`
	Attempt      int64      `bun:"attempt,notnull"`
	AskedAt      time.Time  `bun:"asked_at,notnull"`
	AskedBy      string     `bun:"asked_by,notnull"`
	NotBefore    time.Time  `bun:"not_before,notnull"`
	Claim        string     `bun:"claim,notnull"`
	HeartbeatAt  *time.Time `bun:"heartbeat_at"`
	StartedAt    *time.Time `bun:"started_at"`
	EndedAt      *time.Time `bun:"ended_at"`
	Stage        string     `bun:"stage,notnull"`
	StageDone    int64      `bun:"stage_done,notnull"`
	StageTotal   int64      `bun:"stage_total,notnull"`
	SetName      string     `bun:"set_name,notnull"`
	Size         int64      `bun:"size,notnull"`
	Rows         int64      `bun:"rows,notnull"`
	Files        int64      `bun:"files,notnull"`
	FilesNew     int64      `bun:"files_new,notnull"`
	FilesMissing int64      `bun:"files_missing,notnull"`
	FilesDamaged int64      `bun:"files_damaged,notnull"`
	VerifiedAt   *time.Time `bun:"verified_at"`
	CopiedAt     *time.Time `bun:"copied_at"`
	CopyFault    string     `bun:"copy_fault,notnull,type:text"`
	Fault        string     `bun:"fault,notnull,type:text"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261127060000_backups",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*run20261127)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX backups_state ON backups (state, id)",
			// One run at a time is asked for or worked; others wait for nothing.
			"CREATE UNIQUE INDEX backups_open ON backups ((1)) WHERE state IN ('waiting', 'making', 'verifying', 'copying')")
	},
}}
