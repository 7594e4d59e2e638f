package policy

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type run20261129 struct {
	bun.BaseModel `bun:"table:policy_runs"`

	ID       int64      `bun:"id,pk,autoincrement"`
	PolicyID int64      `bun:"policy_id,notnull"`
	Version  int64      `bun:"policy_version,notnull"`
	Origin   string     `bun:"origin,notnull"`
	By       string     `bun:"made_by,notnull"`
	AskedAt  time.Time  `bun:"asked_at,notnull"`
	DoneAt   *time.Time `bun:"done_at"`
	Counts   string     `bun:"counts,notnull,type:text"`
	Note     string     `bun:"note,notnull"`
}

type verdict20261129 struct {
	bun.BaseModel `bun:"table:policy_verdicts"`

	PolicyID     int64     `bun:"policy_id,pk"`
	EnterpriseID int64     `bun:"enterprise_id,pk"`
	Version      int64     `bun:"policy_version,notnull"`
	Since        time.Time `bun:"since,notnull"`
}

type follow20261129 struct {
	bun.BaseModel `bun:"table:policy_follow"`

	ID     int64 `bun:"id,pk"`
	FactID int64 `bun:"fact_id,notnull"`
}

type push20261129 struct {
	bun.BaseModel `bun:"table:policy_pushes"`

	ID            int64      `bun:"id,pk,autoincrement"`
	PolicyID      int64      `bun:"policy_id,notnull"`
	PolicyVersion int64      `bun:"policy_version,notnull"`
	State         string     `bun:"state,notnull"`
	Version       int64      `bun:"version,notnull"`
	Audience      string     `bun:"audience,notnull,type:text"`
	Preview       string     `bun:"preview,notnull,type:text"`
	MakerID       int64      `bun:"maker_id,notnull"`
	Maker         string     `bun:"maker,notnull"`
	ApproverID    int64      `bun:"approver_id,nullzero"`
	Approver      string     `bun:"approver,notnull"`
	Reason        string     `bun:"reason,notnull"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	ApprovedAt    *time.Time `bun:"approved_at"`
	EndedAt       *time.Time `bun:"ended_at"`
}

type pushItem20261129 struct {
	bun.BaseModel `bun:"table:policy_push_items"`

	PushID       int64      `bun:"push_id,pk"`
	EnterpriseID int64      `bun:"enterprise_id,pk"`
	Decision     string     `bun:"decision,notnull"`
	State        string     `bun:"state,notnull"`
	Reason       string     `bun:"reason,notnull"`
	Delivery     string     `bun:"delivery,notnull"`
	Opened       bool       `bun:"opened,notnull"`
	ToldAt       *time.Time `bun:"told_at"`
}

type told20261129 struct {
	bun.BaseModel `bun:"table:policy_told"`

	PolicyID     int64     `bun:"policy_id,pk"`
	EnterpriseID int64     `bun:"enterprise_id,pk"`
	Notice       string    `bun:"notice,notnull"`
	ToldAt       time.Time `bun:"told_at,notnull"`
}

type answer20261129 struct {
	bun.BaseModel `bun:"table:policy_answers"`

	ID           int64     `bun:"id,pk,autoincrement"`
	Number       string    `bun:"number,notnull"`
	Kind         string    `bun:"kind,notnull"`
	EnterpriseID int64     `bun:"enterprise_id,nullzero"`
	UserID       int64     `bun:"user_id,nullzero"`
	Q            string    `bun:"q,notnull"`
	One          bool      `bun:"one,notnull"`
	Editions     string    `bun:"editions,notnull,type:text"`
	Facts        string    `bun:"facts,notnull,type:text"`
	Fingerprint  string    `bun:"fingerprint,notnull"`
	Result       string    `bun:"result,notnull"`
	At           time.Time `bun:"at,notnull"`
	SeenAt       time.Time `bun:"seen_at,notnull"`
	ExpiresAt    time.Time `bun:"expires_at,notnull"`
}

type answerText20261129 struct {
	bun.BaseModel `bun:"table:policy_answer_texts"`

	PolicyID int64  `bun:"policy_id,pk"`
	Version  int64  `bun:"policy_version,pk"`
	Body     string `bun:"body,notnull,type:text"`
}

type grant20261129 struct {
	bun.BaseModel `bun:"table:policy_grants"`

	ID            int64      `bun:"id,pk,autoincrement"`
	PolicyID      int64      `bun:"policy_id,notnull"`
	PolicyVersion int64      `bun:"policy_version,notnull"`
	Title         string     `bun:"title,notnull"`
	State         string     `bun:"state,notnull"`
	Version       int64      `bun:"version,notnull"`
	FactMark      int64      `bun:"fact_mark,notnull"`
	MakerID       int64      `bun:"maker_id,notnull"`
	Maker         string     `bun:"maker,notnull"`
	DeciderID     int64      `bun:"decider_id,nullzero"`
	Decider       string     `bun:"decider,notnull"`
	Reason        string     `bun:"reason,notnull"`
	CreatedAt     time.Time  `bun:"created_at,notnull"`
	PublicAt      *time.Time `bun:"public_at"`
	PublicUntil   *time.Time `bun:"public_until"`
	FinalAt       *time.Time `bun:"final_at"`
}

type grantItem20261129 struct {
	bun.BaseModel `bun:"table:policy_grant_items"`

	GrantID      int64      `bun:"grant_id,pk"`
	EnterpriseID int64      `bun:"enterprise_id,pk"`
	Name         string     `bun:"name,notnull"`
	CreditCode   string     `bun:"credit_code,notnull"`
	Town         string     `bun:"town,notnull"`
	State        string     `bun:"state,notnull"`
	Evidence     string     `bun:"evidence,notnull,type:text"`
	Reason       string     `bun:"reason,notnull"`
	ConfirmedBy  string     `bun:"confirmed_by,notnull"`
	DecidedAt    *time.Time `bun:"decided_at"`
	Told         bool       `bun:"told,notnull"`
}

type objection20261129 struct {
	bun.BaseModel `bun:"table:policy_objections"`

	ID           int64      `bun:"id,pk,autoincrement"`
	GrantID      int64      `bun:"grant_id,notnull"`
	EnterpriseID int64      `bun:"enterprise_id,nullzero"`
	Number       string     `bun:"number,notnull"`
	Contact      string     `bun:"contact,notnull,type:text"`
	PhoneBlind   string     `bun:"phone_blind,notnull"`
	Text         string     `bun:"text,notnull,type:text"`
	State        string     `bun:"state,notnull"`
	Answer       string     `bun:"answer,notnull,type:text"`
	Decider      string     `bun:"decider,notnull"`
	At           time.Time  `bun:"at,notnull"`
	DecidedAt    *time.Time `bun:"decided_at"`
}

// ReachMigrations are the tables of finding and telling companies.
var ReachMigrations = []database.Migration{{
	ID: "20261129165000_policy_reach",
	Up: func(ctx context.Context, tx bun.Tx) error {
		err := database.CreateTables(ctx, tx, (*run20261129)(nil), (*verdict20261129)(nil), (*follow20261129)(nil), (*push20261129)(nil), (*pushItem20261129)(nil), (*told20261129)(nil),
			(*answer20261129)(nil), (*answerText20261129)(nil), (*grant20261129)(nil), (*grantItem20261129)(nil), (*objection20261129)(nil))
		if err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX policy_runs_policy ON policy_runs (policy_id, id)",
			"CREATE UNIQUE INDEX policy_runs_publish ON policy_runs (policy_id, policy_version) WHERE origin = 'publish'",
			"CREATE INDEX policy_verdicts_enterprise ON policy_verdicts (enterprise_id)",
			"CREATE INDEX policy_pushes_policy ON policy_pushes (policy_id, id)",
			"CREATE INDEX policy_push_items_state ON policy_push_items (push_id, state, enterprise_id)",
			"CREATE INDEX policy_told_enterprise ON policy_told (enterprise_id, told_at)",
			"CREATE UNIQUE INDEX policy_answers_number ON policy_answers (number)",
			"CREATE UNIQUE INDEX policy_answers_fingerprint ON policy_answers (fingerprint)",
			"CREATE INDEX policy_answers_enterprise ON policy_answers (enterprise_id, id)",
			"CREATE INDEX policy_answers_expires ON policy_answers (expires_at)",
			"CREATE INDEX policy_grants_policy ON policy_grants (policy_id, id)",
			"CREATE INDEX policy_grant_items_enterprise ON policy_grant_items (enterprise_id)",
			"CREATE UNIQUE INDEX policy_objections_number ON policy_objections (number)",
			"CREATE INDEX policy_objections_grant ON policy_objections (grant_id, id)",
			"CREATE INDEX policy_objections_phone ON policy_objections (phone_blind, at)",
		)
	},
}, {ID: "20261129183000_policy_outcome", Up: upOutcome}}
