package audit

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type entry20261101 struct {
	bun.BaseModel `bun:"table:audit_entries"`

	ID        int64     `bun:"id,pk,autoincrement"`
	At        time.Time `bun:"at,notnull"`
	ActorID   int64     `bun:"actor_id,notnull"`
	ActorName string    `bun:"actor_name,notnull"`
	Party     string    `bun:"party,notnull"`
	IP        string    `bun:"ip,notnull"`
	TraceID   string    `bun:"trace_id,notnull"`
	Action    string    `bun:"action,notnull"`
	Object    string    `bun:"object,notnull"`
	ObjectID  int64     `bun:"object_id,notnull"`
	Summary   string    `bun:"summary,notnull"`
	Detail    string    `bun:"detail,notnull,type:text"`
}

type seal20261101 struct {
	bun.BaseModel `bun:"table:audit_seals"`

	Seq     int64  `bun:"seq,pk"`
	EntryID int64  `bun:"entry_id,notnull"`
	Hash    string `bun:"hash,notnull"`
}

type head20261128 struct {
	bun.BaseModel `bun:"table:audit_heads"`

	ID        int64      `bun:"id,pk"`
	Seq       int64      `bun:"seq,notnull"`
	EntryID   int64      `bun:"entry_id,notnull"`
	Hash      string     `bun:"hash,notnull"`
	ClosedID  int64      `bun:"closed_id,notnull"`
	RebuiltAt *time.Time `bun:"rebuilt_at"`
	Signature string     `bun:"signature,notnull"`
}

type check20261128 struct {
	bun.BaseModel `bun:"table:audit_checks"`

	ID        int64      `bun:"id,pk"`
	At        *time.Time `bun:"at"`
	FullAt    *time.Time `bun:"full_at"`
	Seq       int64      `bun:"seq,notnull"`
	Hash      string     `bun:"hash,notnull"`
	ClosedID  int64      `bun:"closed_id,notnull"`
	Problems  int64      `bun:"problems,notnull"`
	Error     string     `bun:"error,notnull,type:text"`
	ErrorAt   *time.Time `bun:"error_at"`
	Signature string     `bun:"signature,notnull"`
}

type anchor20261128 struct {
	bun.BaseModel `bun:"table:audit_anchors"`

	Day       string     `bun:"day,pk"`
	Content   string     `bun:"content,notnull,type:text"`
	WrittenAt *time.Time `bun:"written_at"`
}

type ship20261128 struct {
	bun.BaseModel `bun:"table:audit_ships"`

	ID         int64      `bun:"id,pk"`
	Seq        int64      `bun:"seq,notnull"`
	At         time.Time  `bun:"at,notnull"`
	Error      string     `bun:"error,notnull,type:text"`
	ErrorSince *time.Time `bun:"error_since"`
}

// Migrations are the tables of the package and the triggers that refuse to change them.
var Migrations = []database.Migration{{
	ID: "20261101000200_audit",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*entry20261101)(nil), (*seal20261101)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX audit_seals_entry ON audit_seals (entry_id)",
			"CREATE INDEX audit_entries_object ON audit_entries (object, object_id, id)",
			"CREATE INDEX audit_entries_actor ON audit_entries (actor_id, id)",
		); err != nil {
			return err
		}
		// Triggers are written differently by the two databases.
		var lite []string
		for _, table := range []string{"audit_entries", "audit_seals"} {
			for _, op := range []string{"UPDATE", "DELETE"} {
				lite = append(lite, "CREATE TRIGGER "+table+"_no_"+op+" BEFORE "+op+" ON "+table+
					" BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END")
			}
		}
		return database.ByDialect(ctx, tx, lite, []string{
			`CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'audit rows are never changed'; END $$`,
			"CREATE TRIGGER audit_entries_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
			"CREATE TRIGGER audit_seals_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
		})
	},
}, {
	// Reading: newest first, narrowed by who, what and when.
	ID: "20261124081300_audit_reading",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE audit_seals ADD COLUMN sealed_at TIMESTAMP",
			"DROP INDEX audit_entries_actor",
			"CREATE INDEX audit_entries_at ON audit_entries (at, id)",
			"CREATE INDEX audit_entries_actor ON audit_entries (actor_id, at, id)",
			"CREATE INDEX audit_entries_kind ON audit_entries (object, at, id)",
			"CREATE INDEX audit_entries_action ON audit_entries (action, at, id)",
		)
	},
}, {
	ID: "20261128030000_audit_head",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*head20261128)(nil), (*check20261128)(nil), (*anchor20261128)(nil), (*ship20261128)(nil))
	},
}}
