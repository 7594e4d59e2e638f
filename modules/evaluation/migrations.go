package evaluation

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type evaluation20261130 struct {
	bun.BaseModel `bun:"table:evaluations"`

	ID              int64      `bun:"id,pk,autoincrement"`
	Version         int64      `bun:"version,notnull"`
	Subject         string     `bun:"object,notnull"`
	SubjectID       int64      `bun:"object_id,notnull"`
	Phase           string     `bun:"phase,notnull"`
	Number          string     `bun:"number,notnull"`
	Title           string     `bun:"title,notnull"`
	Kind            string     `bun:"kind,notnull"`
	KindName        string     `bun:"kind_name,notnull"`
	ProductID       int64      `bun:"product_id,notnull"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	EnterpriseID    int64      `bun:"enterprise_id,notnull"`
	EnterpriseName  string     `bun:"enterprise_name,notnull"`
	Refused         bool       `bun:"refused,notnull"`
	UserID          int64      `bun:"user_id,notnull"`
	ByLink          bool       `bun:"by_link,notnull"`
	FormID          int64      `bun:"form_id,notnull"`
	Level           int        `bun:"level,notnull"`
	Label           string     `bun:"label,notnull"`
	Tags            string     `bun:"tags,notnull,type:text"`
	Words           string     `bun:"words,notnull,type:text"`
	GivenAt         time.Time  `bun:"given_at,notnull"`
	RevisedAt       *time.Time `bun:"revised_at"`
	Reply           string     `bun:"reply,notnull,type:text"`
	ReplyBy         string     `bun:"reply_by,notnull"`
	RepliedAt       *time.Time `bun:"replied_at"`
	ReplyReadAt     *time.Time `bun:"reply_read_at"`
	Hidden          bool       `bun:"hidden,notnull"`
	HiddenWhy       string     `bun:"hidden_why,notnull,type:text"`
	Voided          bool       `bun:"voided,notnull"`
	Superseded      bool       `bun:"superseded,notnull"`
	Counts          bool       `bun:"counts,notnull"`
}

type first20261130 struct {
	bun.BaseModel `bun:"table:evaluation_firsts"`

	EvaluationID int64     `bun:"evaluation_id,pk"`
	UserID       int64     `bun:"user_id,notnull"`
	FormID       int64     `bun:"form_id,notnull"`
	Level        int       `bun:"level,notnull"`
	Label        string    `bun:"label,notnull"`
	Tags         string    `bun:"tags,notnull,type:text"`
	Words        string    `bun:"words,notnull,type:text"`
	GivenAt      time.Time `bun:"given_at,notnull"`
}

type report20261130 struct {
	bun.BaseModel `bun:"table:evaluation_reports"`

	ID            int64      `bun:"id,pk,autoincrement"`
	EvaluationID  int64      `bun:"evaluation_id,notnull"`
	Cause         string     `bun:"cause,notnull"`
	Words         string     `bun:"words,notnull,type:text"`
	ByID          int64      `bun:"by_id,notnull"`
	By            string     `bun:"made_by,notnull"`
	ByInstitution bool       `bun:"by_institution,notnull"`
	At            time.Time  `bun:"made_at,notnull"`
	State         string     `bun:"state,notnull"`
	FirstID       int64      `bun:"first_id,notnull"`
	First         string     `bun:"first_by,notnull"`
	FirstReason   string     `bun:"first_reason,notnull,type:text"`
	FirstAt       *time.Time `bun:"first_at"`
	SecondBy      string     `bun:"second_by,notnull"`
	SecondReason  string     `bun:"second_reason,notnull,type:text"`
	SecondAt      *time.Time `bun:"second_at"`
}

type form20261130 struct {
	bun.BaseModel `bun:"table:evaluation_forms"`

	ID        int64     `bun:"id,pk,autoincrement"`
	Kind      string    `bun:"kind,notnull"`
	Body      string    `bun:"body,notnull,type:text"`
	By        string    `bun:"made_by,notnull"`
	At        time.Time `bun:"made_at,notnull"`
	Withdrawn bool      `bun:"withdrawn,notnull"`
}

type rule20261130 struct {
	bun.BaseModel `bun:"table:evaluation_rules"`

	ID     int64     `bun:"id,pk,autoincrement"`
	Body   string    `bun:"body,notnull,type:text"`
	Reason string    `bun:"reason,notnull,type:text"`
	By     string    `bun:"made_by,notnull"`
	At     time.Time `bun:"made_at,notnull"`
}

type case20261130 struct {
	bun.BaseModel `bun:"table:evaluation_cases"`

	Object          string     `bun:"object,pk"`
	ObjectID        int64      `bun:"object_id,pk"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	EndedAt         time.Time  `bun:"ended_at,notnull"`
	RemindedAt      *time.Time `bun:"reminded_at"`
}

// Migrations are the tables of the module. The unique index keeps a service from being evaluated twice in one phase, however many
// requests arrive at once.
var Migrations = []database.Migration{{
	ID: "20261130030200_evaluations",
	Up: func(ctx context.Context, tx bun.Tx) error {
		err := database.CreateTables(ctx, tx, (*evaluation20261130)(nil), (*first20261130)(nil), (*report20261130)(nil), (*form20261130)(nil), (*rule20261130)(nil), (*case20261130)(nil))
		if err != nil {
			return err
		}
		err = database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX evaluations_subject ON evaluations (object, object_id, phase)",
			"CREATE INDEX evaluations_institution ON evaluations (institution_id, id)",
			"CREATE INDEX evaluations_enterprise ON evaluations (enterprise_id, id)",
			"CREATE INDEX evaluations_product_counts ON evaluations (product_id, level) WHERE counts = TRUE",
			"CREATE INDEX evaluations_institution_counts ON evaluations (institution_id, level) WHERE counts = TRUE",
			"CREATE INDEX evaluations_given ON evaluations (given_at)",
			"CREATE INDEX evaluations_low ON evaluations (level, id)",
			"CREATE INDEX evaluation_reports_evaluation ON evaluation_reports (evaluation_id, id)",
			"CREATE UNIQUE INDEX evaluation_reports_open ON evaluation_reports (evaluation_id) WHERE state IN ('open', 'second')",
			"CREATE INDEX evaluation_forms_kind ON evaluation_forms (kind, id)",
			"CREATE INDEX evaluation_cases_due ON evaluation_cases (ended_at) WHERE reminded_at IS NULL",
			"CREATE INDEX evaluation_cases_ended ON evaluation_cases (ended_at)",
		)
		if err != nil {
			return err
		}
		at := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		form, err := json.Marshal(Standard())
		if err != nil {
			return err
		}
		rule, err := json.Marshal(StandardRule())
		if err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&form20261130{Body: string(form), By: "系统预置", At: at}).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&rule20261130{Body: string(rule), Reason: "系统预置", By: "系统预置", At: at}).Exec(ctx)
		return err
	},
}, {
	// Replies to tickets are judged by a form of their own.
	ID: "20261130101100_evaluation_ticket_form",
	Up: func(ctx context.Context, tx bun.Tx) error {
		form, err := json.Marshal(StandardOfTickets())
		if err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&form20261130{Kind: KindOfTickets, Body: string(form), By: "系统预置", At: time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)}).Exec(ctx)
		return err
	},
}}
