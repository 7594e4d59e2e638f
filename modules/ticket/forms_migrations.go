package ticket

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

type form20261129 struct {
	bun.BaseModel `bun:"table:ticket_forms"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Type    string    `bun:"type_code,notnull"`
	Version int64     `bun:"version,notnull"`
	Fields  string    `bun:"fields,notnull,type:text"`
	At      time.Time `bun:"at,notnull"`
	ByID    *int64    `bun:"by_id"`
	ByName  string    `bun:"by_name,notnull"`
}

type field20261129 struct {
	bun.BaseModel `bun:"table:ticket_fields"`

	TicketID int64  `bun:"ticket_id,pk"`
	Key      string `bun:"key,pk"`
	FormID   int64  `bun:"form_id,notnull"`
	Value    string `bun:"value,notnull,type:text"`
	Sealed   string `bun:"sealed,notnull,type:text"`
}

type scheme20261129 struct {
	bun.BaseModel `bun:"table:ticket_schemes"`

	Scheme  string `bun:"scheme,pk"`
	Version string `bun:"version,pk"`
	Name    string `bun:"name,notnull"`
	Note    string `bun:"note,notnull,type:text"`
}

type category20261129 struct {
	bun.BaseModel `bun:"table:ticket_categories"`

	Scheme  string `bun:"scheme,pk"`
	Version string `bun:"version,pk"`
	Code    string `bun:"code,pk"`
	Parent  string `bun:"parent,notnull"`
	Name    string `bun:"name,notnull"`
	Level   int    `bun:"level,notnull"`
}

type reason20261129 struct {
	bun.BaseModel `bun:"table:ticket_decline_reasons"`

	Code    string     `bun:"code,pk"`
	Name    string     `bun:"name,notnull"`
	Route   string     `bun:"route,notnull,type:text"`
	Sort    int        `bun:"sort,notnull"`
	Retired bool       `bun:"retired,notnull"`
	Version int64      `bun:"version,notnull"`
	SetAt   *time.Time `bun:"set_at"`
	SetBy   string     `bun:"set_by,notnull"`
}

type tries20261129 struct {
	bun.BaseModel `bun:"table:ticket_query_tries"`

	Who   string    `bun:"who,pk"`
	Wrong int       `bun:"wrong,notnull"`
	Since time.Time `bun:"since,notnull"`
}

type arrival20261129 struct {
	bun.BaseModel `bun:"table:ticket_arrivals"`

	Blind    string    `bun:"blind,pk"`
	TicketID int64     `bun:"ticket_id,notnull"`
	At       time.Time `bun:"at,notnull"`
}

// declineReasons are what an installation begins with; afterwards they are edited in the back office. The routes follow the
// practice of municipal hotlines and are no list of a law.
var declineReasons = []reason20261129{
	{Code: "litigation", Name: "已经或应当通过诉讼、仲裁、行政复议等法定途径解决", Route: "请向有管辖权的人民法院、仲裁机构或行政复议机关提出。"},
	{Code: "petition", Name: "应当通过信访渠道处理，或信访程序已经终结", Route: "请通过国家信访局网上信访平台或区信访办公室提出。"},
	{Code: "discipline", Name: "应由纪检监察机关受理的检举控告", Route: "请拨打 12388 或通过纪检监察机关举报网站反映。"},
	{Code: "police", Name: "属于 110、119、120、122 等紧急服务的事项", Route: "请立即拨打 110、119、120 或 122。"},
	{Code: "elsewhere", Name: "非本区职责或管辖范围", Route: "请向事项所在地的政务服务便民热线 12345 反映。"},
	{Code: "secret", Name: "涉及国家秘密、商业秘密或个人隐私，不宜公开办理", Route: "请持身份证明到相关主管部门窗口当面反映。"},
	{Code: "contract", Name: "平等主体之间的民事、商事纠纷", Route: "请先协商，协商不成的可申请人民调解，或向人民法院起诉、按约定申请仲裁。"},
	{Code: "unclear", Name: "诉求内容不明确，且无法联系补充", Route: "请写明时间、地点、事项后重新提交，或拨打 12345 由坐席协助登记。"},
}

var formStep = database.Migration{
	ID: "20261129040000_ticket_forms",
	Up: func(ctx context.Context, tx bun.Tx) error {
		err := database.CreateTables(ctx, tx, (*form20261129)(nil), (*field20261129)(nil), (*scheme20261129)(nil), (*category20261129)(nil),
			(*reason20261129)(nil), (*tries20261129)(nil), (*arrival20261129)(nil))
		if err != nil {
			return err
		}
		steps := []string{
			"CREATE UNIQUE INDEX ticket_forms_version ON ticket_forms (type_code, version)",
			"CREATE INDEX ticket_query_tries_since ON ticket_query_tries (since)",
			// what came in lately of one type: the hints of duplicates
			"CREATE INDEX tickets_type ON tickets (type_code, id)",
			"ALTER TABLE ticket_types ADD COLUMN version BIGINT NOT NULL DEFAULT 1",
			"ALTER TABLE ticket_types ADD COLUMN retired BOOLEAN NOT NULL DEFAULT FALSE",
			"ALTER TABLE ticket_types ADD COLUMN category_code VARCHAR NOT NULL DEFAULT ''",
		}
		if err := database.Exec(ctx, tx, steps...); err != nil {
			return err
		}
		rows := make([]reason20261129, len(declineReasons))
		for i, r := range declineReasons {
			r.Sort, r.Version = i+1, 1
			rows[i] = r
		}
		_, err = tx.NewInsert().Model(&rows).Exec(ctx)
		return err
	},
}
