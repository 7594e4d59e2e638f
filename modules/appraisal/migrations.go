package appraisal

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type case20261129 struct {
	bun.BaseModel `bun:"table:appraisal_cases"`

	ID           int64      `bun:"id,pk,autoincrement"`
	TicketID     int64      `bun:"ticket_id,notnull"`
	No           int        `bun:"no,notnull"`
	Number       string     `bun:"number,notnull"`
	Type         string     `bun:"type_code,notnull"`
	UnitID       int64      `bun:"unit_id,notnull"`
	UnitName     string     `bun:"unit_name,notnull"`
	StartedAt    time.Time  `bun:"started_at,notnull"`
	SignedAt     *time.Time `bun:"signed_at"`
	RepliedAt    *time.Time `bun:"replied_at"`
	EndedAt      *time.Time `bun:"ended_at"`
	Month        string     `bun:"month,notnull"`
	Response     string     `bun:"response,notnull"`
	Solution     string     `bun:"solution,notnull"`
	Satisfaction string     `bun:"satisfaction,notnull"`
	Sign         string     `bun:"sign,notnull"`
	Handle       string     `bun:"handle,notnull"`
	Return       string     `bun:"given_back,notnull"`
	Evidence     string     `bun:"evidence,notnull"`
	Exclusion    string     `bun:"exclusion,notnull"`
	Again        bool       `bun:"again,notnull"`
}

type formula20261129 struct {
	bun.BaseModel `bun:"table:appraisal_formulas"`

	No     int64     `bun:"no,pk,autoincrement"`
	Name   string    `bun:"name,notnull"`
	From   string    `bun:"valid_from,notnull"`
	Body   string    `bun:"body,notnull,type:text"`
	Reason string    `bun:"reason,notnull,type:text"`
	Author string    `bun:"author,notnull"`
	At     time.Time `bun:"at,notnull"`
}

type snapshot20261129 struct {
	bun.BaseModel `bun:"table:appraisal_snapshots"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Month   string    `bun:"month,notnull"`
	Edition int       `bun:"edition,notnull"`
	Formula int64     `bun:"formula_no,notnull"`
	Board   string    `bun:"board,notnull,type:text"`
	Reason  string    `bun:"reason,notnull,type:text"`
	By      string    `bun:"taken_by,notnull"`
	At      time.Time `bun:"taken_at,notnull"`
}

type state20261129 struct {
	bun.BaseModel `bun:"table:appraisal_state"`

	ID    int64 `bun:"id,pk"`
	After int64 `bun:"rebuilt_to,notnull"`
	Busy  bool  `bun:"rebuilding,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129072000_appraisal",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*case20261129)(nil), (*formula20261129)(nil), (*snapshot20261129)(nil), (*state20261129)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX appraisal_cases_no ON appraisal_cases (ticket_id, no)",
			"CREATE INDEX appraisal_cases_month ON appraisal_cases (month, unit_id, id)",
			"CREATE UNIQUE INDEX appraisal_snapshots_edition ON appraisal_snapshots (month, edition)",
			"CREATE INDEX appraisal_formulas_from ON appraisal_formulas (valid_from, no)",
		); err != nil {
			return err
		}
		body, err := json.Marshal(Standard())
		if err != nil {
			return err
		}
		first := formula20261129{Name: "三率考核口径（初始）", From: "2000-01", Body: string(body), Reason: "随程序提供的初始口径", Author: "系统", At: time.Now().UTC()}
		if _, err := tx.NewInsert().Model(&first).ExcludeColumn("no").Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&state20261129{ID: 1}).Exec(ctx)
		return err
	},
}}
