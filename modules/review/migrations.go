package review

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type row20261129 struct {
	bun.BaseModel `bun:"table:return_reasons"`

	List    string    `bun:"list,pk"`
	Code    string    `bun:"code,pk"`
	Text    string    `bun:"text,notnull,type:text"`
	Words   bool      `bun:"words,notnull"`
	Sort    int       `bun:"sort,notnull"`
	Retired bool      `bun:"retired,notnull"`
	Version int64     `bun:"version,notnull"`
	SetAt   time.Time `bun:"set_at,notnull"`
	SetBy   string    `bun:"set_by,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261129211500_return_reasons",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.CreateTables(ctx, tx, (*row20261129)(nil))
	},
}, {
	// Delegations were of reviews of companies only, in a table of that module; where it is there, its rows move here.
	ID: "20261130090000_review_delegations",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*delegation20261130)(nil)); err != nil {
			return err
		}
		if err := database.Exec(ctx, tx,
			"CREATE INDEX review_delegations_to ON review_delegations (to_id, ends)",
			"CREATE INDEX review_delegations_from ON review_delegations (from_id, id)"); err != nil {
			return err
		}
		exists := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'enterprise_delegations'"
		if database.KindOf(tx) == database.Postgres {
			exists = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'enterprise_delegations'"
		}
		var n int
		if err := tx.QueryRowContext(ctx, exists).Scan(&n); err != nil || n == 0 {
			return err
		}
		return database.Exec(ctx, tx, `INSERT INTO review_delegations (from_id, from_name, to_id, to_name, works, starts, ends, reason, by_name, created_at, ended_at, ended_by)
			SELECT from_id, from_name, to_id, to_name, 'enterprise.review', starts, ends, reason, from_name, created_at, ended_at,
			CASE WHEN ended_at IS NULL THEN '' ELSE from_name END FROM enterprise_delegations ORDER BY id`,
			"DROP TABLE enterprise_delegations")
	},
}, {
	ID: "20261130120000_review_hints",
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
	bun.BaseModel `bun:"table:review_hints"`

	Review   string     `bun:"review,pk"`
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
	{Review: "product", For: "reviewer", Step: "pass-first", Text: "初审核对产品内容是否完整、收费和办理时限是否明确，有无夸大承诺；机构的许可是否覆盖所提供的服务。"},
	{Review: "product", For: "reviewer", Step: "pass-last", Text: "终审前看与上一版本的差异和机构的评价记录；利率、费用须符合监管要求。"},
	{Review: "product", For: "reviewer", Step: "return", Text: "一次列明全部需要修改之处和修改要求，机构会看到原文。"},
	{Review: "product", For: "submitter", Step: "edit", Text: "写明企业实际承担的全部费用；未公示的费用不得收取。"},
	{Review: "product", For: "submitter", Step: "at-platform_review", Text: "审核期间不能修改；发现填写有误的，可以先撤回再修改。"},
	{Review: "product", For: "submitter", Step: "at-returned", Text: "按退回原因逐项修改后重新提交，审核时限重新计算。"},
	{Review: "institution", For: "reviewer", Step: "check", Text: "初审核对名称、统一社会信用代码、法定代表人与证照是否一致，证照是否在有效期内。"},
	{Review: "institution", For: "reviewer", Step: "return", Text: "材料可以补正的退回补正，一次列明缺少的全部材料；不符合入驻条件的才不予通过。"},
	{Review: "institution", For: "submitter", Step: "form", Text: "证照请拍摄原件，四角完整、文字清晰；入驻不收取任何费用。"},
	{Review: "institution", For: "submitter", Step: "at-waiting", Text: "审核期间请保持联系手机畅通；需要修改的，可以先撤回。"},
	{Review: "renewal", For: "reviewer", Step: "pass", Text: "核对新证照的编号、有效期与照片一致；通过后立即替换机构信息中的旧证照。"},
	{Review: "renewal", For: "submitter", Step: "hand-in", Text: "请在旧证照到期前提交；审核通过前，机构信息仍显示旧证照。"},
}

type delegation20261130 struct {
	bun.BaseModel `bun:"table:review_delegations"`

	ID       int64      `bun:"id,pk,autoincrement"`
	FromID   int64      `bun:"from_id,notnull"`
	FromName string     `bun:"from_name,notnull"`
	ToID     int64      `bun:"to_id,notnull"`
	ToName   string     `bun:"to_name,notnull"`
	Works    string     `bun:"works,notnull"`
	Starts   time.Time  `bun:"starts,notnull"`
	Ends     time.Time  `bun:"ends,notnull"`
	Reason   string     `bun:"reason,notnull"`
	ByName   string     `bun:"by_name,notnull"`
	At       time.Time  `bun:"created_at,notnull"`
	EndedAt  *time.Time `bun:"ended_at"`
	EndedBy  string     `bun:"ended_by,notnull"`
}
