package evidence

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type piece20261130 struct {
	bun.BaseModel `bun:"table:evidence_pieces"`

	ID            int64      `bun:"id,pk,autoincrement"`
	CaseObject    string     `bun:"object,notnull"`
	CaseID        int64      `bun:"object_id,notnull"`
	InstitutionID int64      `bun:"institution_id,notnull"`
	EnterpriseID  int64      `bun:"enterprise_id,notnull"`
	Side          string     `bun:"side,notnull"`
	Item          string     `bun:"item_code,notnull"`
	ItemName      string     `bun:"item_name,notnull"`
	FileID        int64      `bun:"file_id,notnull"`
	Note          string     `bun:"note,notnull,type:text"`
	Shared        bool       `bun:"shared,notnull"`
	ByID          int64      `bun:"by_id,notnull"`
	By            string     `bun:"made_by,notnull"`
	At            time.Time  `bun:"made_at,notnull"`
	RemovedAt     *time.Time `bun:"removed_at"`
	RemovedBy     string     `bun:"removed_by,notnull"`
}

type list20261130 struct {
	bun.BaseModel `bun:"table:evidence_lists"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Kind      string    `bun:"kind,notnull"`
	Body      string    `bun:"body,notnull,type:text"`
	By        string    `bun:"made_by,notnull"`
	At        time.Time `bun:"made_at,notnull"`
	Withdrawn bool      `bun:"withdrawn,notnull"`
}

type card20261130 struct {
	bun.BaseModel `bun:"table:evidence_cards"`

	ID     int64     `bun:"id,pk,autoincrement"`
	Target string    `bun:"target,notnull"`
	Name   string    `bun:"name,notnull"`
	Body   string    `bun:"body,notnull,type:text"`
	By     string    `bun:"made_by,notnull"`
	At     time.Time `bun:"made_at,notnull"`
}

type assessment20261130 struct {
	bun.BaseModel `bun:"table:evidence_assessments"`

	ID            int64     `bun:"id,pk,autoincrement"`
	Version       int64     `bun:"version,notnull"`
	CaseObject    string    `bun:"object,notnull"`
	CaseID        int64     `bun:"object_id,notnull"`
	Number        string    `bun:"number,notnull"`
	Title         string    `bun:"title,notnull"`
	Target        string    `bun:"target,notnull"`
	InstitutionID int64     `bun:"institution_id,notnull"`
	Name          string    `bun:"target_name,notnull"`
	CardID        int64     `bun:"card_id,notnull"`
	Marks         string    `bun:"marks,notnull,type:text"`
	Score         int       `bun:"score,notnull"`
	Comment       string    `bun:"comment,notnull,type:text"`
	ByID          int64     `bun:"by_id,notnull"`
	By            string    `bun:"made_by,notnull"`
	At            time.Time `bun:"made_at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261130030300_evidence",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*piece20261130)(nil), (*list20261130)(nil), (*card20261130)(nil), (*assessment20261130)(nil)); err != nil {
			return err
		}
		err := database.Exec(ctx, tx,
			"CREATE INDEX evidence_pieces_case ON evidence_pieces (object, object_id, id)",
			"CREATE UNIQUE INDEX evidence_pieces_file ON evidence_pieces (file_id)",
			"CREATE INDEX evidence_lists_kind ON evidence_lists (kind, id)",
			"CREATE INDEX evidence_cards_target ON evidence_cards (target, id)",
			"CREATE UNIQUE INDEX evidence_assessments_case ON evidence_assessments (object, object_id, target)",
			"CREATE INDEX evidence_assessments_institution ON evidence_assessments (institution_id, target, id)",
		)
		if err != nil {
			return err
		}
		at := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		for _, t := range Targets {
			body, err := json.Marshal(StandardCard(t))
			if err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(&card20261130{Target: string(t), Name: t.Label() + "评估表", Body: string(body), By: "系统预置", At: at}).Exec(ctx); err != nil {
				return err
			}
		}
		body, err := json.Marshal(StandardList())
		if err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&list20261130{Body: string(body), By: "系统预置", At: at}).Exec(ctx)
		return err
	},
}, {
	// Files of services given without the platform were tied to their records; they become evidence, which has a checklist and is assessed.
	ID: "20261130130000_evidence_offline",
	Up: func(ctx context.Context, tx bun.Tx) error {
		body, err := json.Marshal(OfflineList())
		if err != nil {
			return err
		}
		at := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		if _, err := tx.NewInsert().Model(&list20261130{Kind: Offline, Body: string(body), By: "系统预置", At: at}).Exec(ctx); err != nil {
			return err
		}
		exists := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('files', 'offline_services')"
		if database.KindOf(tx) == database.Postgres {
			exists = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN ('files', 'offline_services')"
		}
		var n int
		if err := tx.QueryRowContext(ctx, exists).Scan(&n); err != nil || n != 2 {
			return err
		}
		return database.Exec(ctx, tx, `INSERT INTO evidence_pieces (object, object_id, institution_id, enterprise_id, side, item_code, item_name, file_id, note, shared, by_id, made_by, made_at, removed_by)
			SELECT 'offline_service', o.id, o.institution_id, o.enterprise_id, 'institution', '', '其他', f.id, '', TRUE, o.by_id, o.made_by, o.made_at, ''
			FROM files AS f JOIN offline_services AS o ON f.object = 'offline_service' AND f.object_id = o.id ORDER BY f.id`,
			`UPDATE files SET object = 'evidence', object_id = (SELECT p.id FROM evidence_pieces AS p WHERE p.file_id = files.id)
			WHERE object = 'offline_service' AND id IN (SELECT file_id FROM evidence_pieces)`)
	},
}}
