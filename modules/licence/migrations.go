package licence

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type kind20261129 struct {
	bun.BaseModel `bun:"table:licence_kinds"`

	Code   string `bun:"code,pk"`
	Name   string `bun:"name,notnull"`
	Hint   string `bun:"hint,notnull"`
	Dated  bool   `bun:"dated,notnull"`
	Remind string `bun:"remind,notnull,type:text"`
	Sort   int64  `bun:"sort,notnull"`
}

type licence20261129 struct {
	bun.BaseModel `bun:"table:licences"`

	ID           int64      `bun:"id,pk,autoincrement"`
	EnterpriseID int64      `bun:"enterprise_id,notnull"`
	Kind         string     `bun:"kind,notnull"`
	Number       string     `bun:"number,notnull"`
	Issuer       string     `bun:"issuer,notnull"`
	IssuedOn     string     `bun:"issued_on,notnull"`
	ExpiresOn    string     `bun:"expires_on,notnull"`
	State        string     `bun:"state,notnull"`
	Replaces     int64      `bun:"replaces_id,notnull"`
	Version      int64      `bun:"version,notnull"`
	At           time.Time  `bun:"created_at,notnull"`
	By           int64      `bun:"created_by,notnull"`
	ByName       string     `bun:"created_name,notnull"`
	EndedAt      *time.Time `bun:"ended_at"`
	Reason       string     `bun:"reason,notnull,type:text"`
}

type use20261129 struct {
	bun.BaseModel `bun:"table:licence_uses"`

	LicenceID int64     `bun:"licence_id,pk"`
	Object    string    `bun:"object,pk"`
	ObjectID  int64     `bun:"object_id,pk"`
	At        time.Time `bun:"at,notnull"`
	By        int64     `bun:"used_by,notnull"`
	ByName    string    `bun:"used_name,notnull"`
}

type reminder20261129 struct {
	bun.BaseModel `bun:"table:licence_reminders"`

	LicenceID int64     `bun:"licence_id,pk"`
	Threshold int64     `bun:"threshold,pk"`
	At        time.Time `bun:"at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129152000_licences",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*kind20261129)(nil), (*licence20261129)(nil), (*use20261129)(nil), (*reminder20261129)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			// The same paper is kept once: two uploads at once cannot both stay.
			"CREATE UNIQUE INDEX licences_current ON licences (enterprise_id, kind, number) WHERE state = 'current'",
			"CREATE INDEX licences_enterprise ON licences (enterprise_id, id)",
			"CREATE INDEX licences_expires ON licences (state, expires_on, id)",
			"CREATE INDEX licence_uses_object ON licence_uses (object, object_id)",
		)
	},
}}
