package application

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type application20261124 struct {
	bun.BaseModel `bun:"table:applications"`

	ID              int64      `bun:"id,pk,autoincrement"`
	Number          string     `bun:"number,notnull"`
	Status          string     `bun:"status,notnull"`
	Resume          string     `bun:"resume,notnull"`
	Version         int64      `bun:"version,notnull"`
	Source          string     `bun:"source,notnull"`
	ProductID       int64      `bun:"product_id,notnull"`
	ProductName     string     `bun:"product_name,notnull"`
	Edition         int64      `bun:"edition,notnull"`
	Kind            string     `bun:"kind,notnull"`
	KindName        string     `bun:"kind_name,notnull"`
	Lends           bool       `bun:"lends,notnull"`
	InstitutionID   int64      `bun:"institution_id,notnull"`
	InstitutionName string     `bun:"institution_name,notnull"`
	Materials       string     `bun:"materials,notnull,type:text"`
	EnterpriseID    int64      `bun:"enterprise_id,notnull"`
	EnterpriseName  string     `bun:"enterprise_name,notnull"`
	UserID          int64      `bun:"user_id,notnull"`
	ContactName     string     `bun:"contact_name,notnull"`
	PhoneSealed     string     `bun:"phone_sealed,notnull"`
	Amount          int64      `bun:"amount,notnull"`
	Term            int        `bun:"term,notnull"`
	Purpose         string     `bun:"purpose,notnull,type:text"`
	Collateral      string     `bun:"collateral,notnull,type:text"`
	HandlerID       *int64     `bun:"handler_id"`
	HandlerName     string     `bun:"handler_name,notnull"`
	SubmittedAt     time.Time  `bun:"submitted_at,notnull"`
	DueAt           time.Time  `bun:"due_at,notnull"`
	ClosedAt        *time.Time `bun:"closed_at"`
	Reason          string     `bun:"reason,notnull,type:text"`
	ApprovedAmount  int64      `bun:"approved_amount,notnull"`
	ApprovedRate    int        `bun:"approved_rate,notnull"`
	ApprovedTerm    int        `bun:"approved_term,notnull"`
	DisbursedAmount int64      `bun:"disbursed_amount,notnull"`
	DisbursedAt     *time.Time `bun:"disbursed_at"`
}

type draft20261124 struct {
	bun.BaseModel `bun:"table:application_drafts"`

	UserID          int64     `bun:"user_id,pk"`
	EnterpriseID    int64     `bun:"enterprise_id,pk"`
	ProductID       int64     `bun:"product_id,pk"`
	ProductName     string    `bun:"product_name,notnull"`
	KindName        string    `bun:"kind_name,notnull"`
	Lends           bool      `bun:"lends,notnull"`
	InstitutionName string    `bun:"institution_name,notnull"`
	Sealed          string    `bun:"sealed,notnull,type:text"`
	SavedAt         time.Time `bun:"saved_at,notnull"`
}

type file20261124 struct {
	bun.BaseModel `bun:"table:application_files"`

	ApplicationID int64  `bun:"application_id,pk"`
	FileID        int64  `bun:"file_id,pk"`
	Seq           int64  `bun:"seq,notnull"`
	Kind          string `bun:"kind,notnull"`
}

type number20261124 struct {
	bun.BaseModel `bun:"table:application_numbers"`

	Day  string `bun:"day,pk"`
	Last int64  `bun:"last,notnull"`
}

type limit20261130 struct {
	bun.BaseModel `bun:"table:application_limits"`

	Kind        string    `bun:"kind,pk"`
	AcceptDays  int       `bun:"accept_days,notnull"`
	HandleDays  int       `bun:"handle_days,notnull"`
	ConfirmDays int       `bun:"confirm_days,notnull"`
	WarnPercent int       `bun:"warn_percent,notnull"`
	Version     int64     `bun:"version,notnull"`
	SetAt       time.Time `bun:"set_at,notnull"`
	SetBy       string    `bun:"set_by,notnull"`
}

type diligence20261130 struct {
	bun.BaseModel `bun:"table:application_diligence"`

	ID            int64     `bun:"id,pk,autoincrement"`
	ApplicationID int64     `bun:"application_id,notnull"`
	Seq           int64     `bun:"seq,notnull"`
	Day           string    `bun:"day,notnull"`
	Way           string    `bun:"way,notnull"`
	People        string    `bun:"people,notnull"`
	Findings      string    `bun:"findings,notnull,type:text"`
	Advice        string    `bun:"advice,notnull,type:text"`
	ByName        string    `bun:"by_name,notnull"`
	At            time.Time `bun:"at,notnull"`
}

type payment20261130 struct {
	bun.BaseModel `bun:"table:application_payments"`

	ApplicationID int64     `bun:"application_id,pk"`
	No            int       `bun:"no,pk"`
	Amount        int64     `bun:"amount,notnull"`
	PaidOn        string    `bun:"paid_on,notnull"`
	Note          string    `bun:"note,notnull,type:text"`
	ByName        string    `bun:"by_name,notnull"`
	At            time.Time `bun:"at,notnull"`
}

type memory20261130 struct {
	bun.BaseModel `bun:"table:application_memory"`

	ApplicationID int64     `bun:"application_id,pk"`
	Version       int64     `bun:"version,notnull"`
	Seq           int64     `bun:"seq,notnull"`
	Action        string    `bun:"action,notnull"`
	At            time.Time `bun:"at,notnull"`
	ActorID       *int64    `bun:"actor_id"`
	Was           string    `bun:"was,notnull,type:text"`
}

type answer20261130 struct {
	bun.BaseModel `bun:"table:application_answers"`

	ApplicationID int64     `bun:"application_id,pk"`
	Field         string    `bun:"field,pk"`
	Sort          int       `bun:"sort,notnull"`
	Definition    string    `bun:"definition,notnull,type:text"`
	Staff         bool      `bun:"staff,notnull"`
	Value         string    `bun:"value,notnull,type:text"`
	Number        *int64    `bun:"number"`
	ByName        string    `bun:"by_name,notnull"`
	At            time.Time `bun:"at,notnull"`
}

// Migrations are the tables of the module. The unique index keeps a company from having two open applications for one
// product, however many requests arrive at once.
var Migrations = []database.Migration{{
	ID: "20261124084000_applications",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*application20261124)(nil), (*draft20261124)(nil), (*file20261124)(nil), (*number20261124)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX applications_number ON applications (number)",
			"CREATE UNIQUE INDEX applications_open ON applications (enterprise_id, product_id) WHERE closed_at IS NULL",
			"CREATE INDEX applications_enterprise ON applications (enterprise_id, id)",
			"CREATE INDEX applications_enterprise_status ON applications (enterprise_id, status, id)",
			"CREATE INDEX applications_institution ON applications (institution_id, id)",
			"CREATE INDEX applications_institution_status ON applications (institution_id, status, id)",
			"CREATE INDEX applications_institution_due ON applications (institution_id, status, due_at, id)",
			"CREATE INDEX applications_handler ON applications (handler_id, id)",
			"CREATE INDEX applications_handler_status ON applications (handler_id, status, id)",
			"CREATE INDEX applications_status ON applications (status, id)",
			"CREATE INDEX applications_due ON applications (status, due_at, id)",
			"CREATE INDEX application_drafts_writer ON application_drafts (user_id, enterprise_id, saved_at)",
			"CREATE INDEX application_files_file ON application_files (file_id)")
	},
}, {
	ID: "20261129180100_application_numbers_drawn",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.SerialSteps(ctx, tx, "application_numbers")
	},
}, {
	ID: "20261130020100_application_desk",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := addColumns(ctx, tx,
			"phone_blind VARCHAR NOT NULL DEFAULT ''", "phone_tail VARCHAR NOT NULL DEFAULT ''", "promised_days BIGINT NOT NULL DEFAULT 0", "accepted_at TIMESTAMPTZ",
			"due_for VARCHAR NOT NULL DEFAULT ''", "due_from TIMESTAMPTZ", "due_days BIGINT NOT NULL DEFAULT 0", "due_calendar BIGINT NOT NULL DEFAULT 0",
			"due_percent BIGINT NOT NULL DEFAULT 0", "due_held_at TIMESTAMPTZ", "due_pauses TEXT NOT NULL DEFAULT ''", "ring_at TIMESTAMPTZ", "rung VARCHAR NOT NULL DEFAULT ''",
		); err != nil {
			return err
		}
		if err := database.CreateTables(ctx, tx, (*limit20261130)(nil)); err != nil {
			return err
		}
		if err := fullText.Create(ctx, tx, "applications"); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			// The deadlines that ran go on as they were: a number of hours after the application came in.
			"UPDATE applications SET due_from = submitted_at",
			"UPDATE applications SET due_for = 'accept', ring_at = due_at WHERE status = 'submitted'",
			"CREATE INDEX applications_ring ON applications (ring_at) WHERE ring_at IS NOT NULL",
			"CREATE INDEX applications_running ON applications (due_calendar, id) WHERE due_for <> ''",
			"CREATE INDEX applications_institution_running ON applications (institution_id, due_at, id) WHERE due_for <> ''",
			"CREATE INDEX applications_all_running ON applications (due_at, id) WHERE due_for <> ''",
			"CREATE INDEX applications_phone ON applications (phone_blind, id)",
			"CREATE INDEX applications_tail ON applications (phone_tail, id)",
			"CREATE INDEX applications_kind ON applications (kind, id)")
	},
}, {
	ID: "20261130020200_application_flows",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*diligence20261130)(nil), (*payment20261130)(nil)); err != nil {
			return err
		}
		if err := addColumns(ctx, tx, "accept_minutes BIGINT NOT NULL DEFAULT 0", "total_minutes BIGINT NOT NULL DEFAULT 0", "plan TEXT NOT NULL DEFAULT ''",
			"delivered_at TIMESTAMPTZ", "diligences BIGINT NOT NULL DEFAULT 0", "approved_at TIMESTAMPTZ", "payments BIGINT NOT NULL DEFAULT 0"); err != nil {
			return err
		}
		minutes := "CAST((julianday(closed_at) - julianday(submitted_at)) * 1440 AS INTEGER)"
		day := "date(disbursed_at, '+8 hours')"
		if database.KindOf(tx) == database.Postgres {
			minutes = "CAST(EXTRACT(EPOCH FROM closed_at - submitted_at) / 60 AS BIGINT)"
			day = "to_char(disbursed_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')"
		}
		return database.Exec(ctx, tx,
			// What was paid out before was paid at once; instalments count from then on.
			"INSERT INTO application_payments (application_id, no, amount, paid_on, note, by_name, at) SELECT id, 1, disbursed_amount, "+day+", '', institution_name, disbursed_at FROM applications WHERE disbursed_at IS NOT NULL",
			"UPDATE applications SET payments = 1, approved_at = disbursed_at WHERE disbursed_at IS NOT NULL",
			"UPDATE applications SET total_minutes = "+minutes+" WHERE closed_at IS NOT NULL",
			"CREATE INDEX application_diligence_of ON application_diligence (application_id, id)",
			"CREATE INDEX application_payments_day ON application_payments (paid_on)",
			"CREATE INDEX applications_submitted ON applications (submitted_at, id)")
	},
}, {
	ID: "20261130020300_application_memory",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*memory20261130)(nil))
	},
}, {
	ID: "20261130080200_application_answers",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*answer20261130)(nil)); err != nil {
			return err
		}
		if err := addColumns(ctx, tx, "financing_kind VARCHAR NOT NULL DEFAULT ''", "extra_version BIGINT NOT NULL DEFAULT 0"); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "CREATE INDEX application_answers_field ON application_answers (field, application_id)")
	},
}, {
	ID: "20261130090300_application_hints",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*hint20261130)(nil)); err != nil {
			return err
		}
		rows := make([]hint20261130, len(firstHints))
		for i, h := range firstHints {
			h.Version = 1
			rows[i] = h
		}
		_, err := tx.NewInsert().Model(&rows).Exec(ctx)
		return err
	},
}}

type hint20261130 struct {
	bun.BaseModel `bun:"table:application_hints"`

	Kind     string     `bun:"kind,pk"`
	For      string     `bun:"reader,pk"`
	Step     string     `bun:"step,pk"`
	Text     string     `bun:"text,notnull,type:text"`
	LinkText string     `bun:"link_text,notnull"`
	LinkURL  string     `bun:"link_url,notnull"`
	Picture  string     `bun:"picture,notnull,type:text"`
	Digest   string     `bun:"picture_digest,notnull"`
	Alt      string     `bun:"alt,notnull"`
	Version  int64      `bun:"version,notnull"`
	SetAt    *time.Time `bun:"set_at"`
	SetBy    string     `bun:"set_by,notnull"`
}

// firstHints are what an installation begins with; afterwards they are edited in the back office.
var firstHints = []hint20261130{
	{For: "handler", Step: "accept", Text: "受理前核对企业是否符合申请条件、材料是否齐全；缺材料的用“要求补正”，一次告知。"},
	{For: "handler", Step: "decline", Text: "写明不符合哪一项条件、怎样改进或可以申请的其他产品，企业会看到原文。"},
	{For: "handler", Step: "ask-supplement", Text: "一次列明缺少的全部材料和格式要求，等待补充期间时限暂停。"},
	{Kind: "financing", For: "handler", Step: "approve", Text: "按审批文件登记金额、年化利率和期限，不得向企业收取产品未公示的费用。"},
	{For: "applicant", Step: "submit", Text: "平台和机构办理申请不收取手续费、保证金，也不会索要验证码、密码。"},
	{For: "applicant", Step: "at-accepted", Text: "机构已受理，工作人员会与您联系，请保持电话畅通。"},
	{For: "applicant", Step: "confirm", Text: "请先核对交付成果再确认；不符合约定的，写明情况后提出异议。"},
}

// addColumns adds columns to the applications.
func addColumns(ctx context.Context, tx bun.Tx, columns ...string) error {
	var add []string
	for _, c := range columns {
		if database.KindOf(tx) == database.SQLite { // which knows times by this name alone
			c = strings.Replace(c, "TIMESTAMPTZ", "TIMESTAMP", 1)
		}
		add = append(add, "ALTER TABLE applications ADD COLUMN "+c)
	}
	return database.Exec(ctx, tx, add...)
}
