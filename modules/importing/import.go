package importing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/sheet"
)

// State is where an import stands.
type State string

// The states.
const (
	Mapping    State = "mapping" // waits for the person to say what the columns are
	Reading    State = "reading"
	Checked    State = "checked" // waits for the person to publish
	Publishing State = "publishing"
	Done       State = "done"
	Failed     State = "failed"
	Cancelled  State = "cancelled"
)

var labels = map[State]string{Mapping: "待设置列", Reading: "检查中", Checked: "待发布", Publishing: "发布中", Done: "已完成", Failed: "失败", Cancelled: "已取消"}

// Label is the state in words.
func (s State) Label() string { return labels[s] }

// RowState is where one row stands.
type RowState string

// The states of rows.
const (
	RowGood    RowState = "good"
	RowKnown   RowState = "known" // good, and the record is there already
	RowBad     RowState = "bad"
	RowCreated RowState = "created"
	RowUpdated RowState = "updated"
	RowSkipped RowState = "skipped"
	RowRefused RowState = "refused" // good when it was checked, refused when it was published
	RowReview  RowState = "review"  // good, and a person must decide first
	RowDropped RowState = "dropped" // a person decided against it
)

// Object names an import in the audit log.
const Object = "import"

// The faults of the module.
var (
	ErrTarget = fault.InvalidField("target", "IMPORT_TARGET", "没有这种导入，请从列表页面的“导入”进入")
	// ErrRows: the file has more rows than an installation takes.
	ErrRows = fault.New(fault.TooLarge, "IMPORT_ROWS", "行数过多，请拆成几个文件后分别上传").On("file")
	// ErrBusy: one import at a time for each person.
	ErrBusy = fault.New(fault.Conflict, "IMPORT_BUSY", "您有一项导入正在进行，请等它完成或取消后再继续")
	// ErrState: the state does not allow the action.
	ErrState = fault.New(fault.Conflict, "IMPORT_STATE", "导入任务的状态已变化，请刷新后查看")
	// ErrReview: rows wait for a person's decision.
	ErrReview = fault.New(fault.Conflict, "IMPORT_REVIEW", "还有需要人工审核的行，请逐条或按类型决定后再发布")
	// ErrGone: the rows were removed.
	ErrGone = fault.New(fault.Conflict, "IMPORT_EXPIRED", "明细已过保存期限，只保留统计结果")
)

// row is one import.
type row struct {
	bun.BaseModel `bun:"table:imports,alias:i"`
	lease.Columns

	ID         int64            `bun:"id,pk,autoincrement"`
	OwnerID    int64            `bun:"owner_id,notnull"`
	Target     string           `bun:"target,notnull"`
	FileName   string           `bun:"file_name,notnull"`
	FileKey    string           `bun:"file_key,notnull"`
	FileSeal   string           `bun:"file_seal,notnull,type:text"` // sealed key of the file; "" for one of before
	SHA256     string           `bun:"sha256,notnull"`
	Sheets     string           `bun:"sheets,notnull,type:text"` // sealed JSON: []seen
	Sheet      int              `bun:"sheet,notnull"`
	Head       int              `bun:"head,notnull"`              // number of the row of heads
	Fields     string           `bun:"columns,notnull,type:text"` // JSON: field → column
	Duplicates sheet.Duplicates `bun:"duplicates,notnull"`
	State      State            `bun:"state,notnull"`
	Message    string           `bun:"message,notnull,type:text"`
	Total      int64            `bun:"rows_total,notnull"` // of the chosen sheet
	Read       int64            `bun:"rows_read,notnull"`
	Good       int64            `bun:"rows_good,notnull"`
	Known      int64            `bun:"rows_known,notnull"`
	Bad        int64            `bun:"rows_bad,notnull"`
	Created    int64            `bun:"rows_created,notnull"`
	Updated    int64            `bun:"rows_updated,notnull"`
	Skipped    int64            `bun:"rows_skipped,notnull"`
	Refused    int64            `bun:"rows_refused,notnull"`
	Review     int64            `bun:"rows_review,notnull"`
	Dropped    int64            `bun:"rows_dropped,notnull"`
	// Feed is the outside register that the rows come from, "" for a file; Cursor is the page that is being read, and Before
	// the number of the last row of the page before it.
	Feed   string `bun:"feed,notnull"`
	Source string `bun:"source,notnull"`
	Cursor string `bun:"cursor,notnull,type:text"`
	Before int    `bun:"page_before,notnull"`
	// LastRead and LastDone are the checkpoints of the two workers: numbers of rows.
	LastRead    int        `bun:"last_read,notnull"`
	LastDone    int        `bun:"last_done,notnull"`
	Purged      bool       `bun:"purged,notnull"` // rows and file are gone
	CreatedAt   time.Time  `bun:"created_at,notnull"`
	CheckedAt   *time.Time `bun:"checked_at"`
	PublishedAt *time.Time `bun:"published_at"` // asked for
	FinishedAt  *time.Time `bun:"finished_at"`
}

// staged is one row of a file. Its values are sealed: they hold what people may not read in a database file.
type staged struct {
	bun.BaseModel `bun:"table:import_rows,alias:r"`

	ImportID int64    `bun:"import_id,pk"`
	Number   int      `bun:"number,pk"`
	State    RowState `bun:"state,notnull"`
	Values   string   `bun:"row_values,notnull,type:text"` // sealed JSON: field → text
	Problems string   `bun:"problems,notnull,type:text"`   // JSON: []sheet.RowProblem
	KeyBlind string   `bun:"key_blind,notnull"`
	ObjectID int64    `bun:"object_id,notnull"`
	// Flag is why a person must decide, Then what the row becomes when it is taken; both empty where nobody need.
	Flag string   `bun:"flag,notnull"`
	Then RowState `bun:"then_state,notnull"`
	// AlikeBlind is the keyed hash of the field by which rows of a file are held against each other.
	AlikeBlind string `bun:"alike_blind,notnull"`
}

// remembered is how a person mapped columns with the same heads the last time.
type remembered struct {
	bun.BaseModel `bun:"table:import_mappings"`

	OwnerID int64     `bun:"owner_id,pk"`
	Target  string    `bun:"target,pk"`
	Heads   string    `bun:"heads,pk"` // hash of the heads
	Columns string    `bun:"columns,notnull,type:text"`
	At      time.Time `bun:"at,notnull"`
}

// seen is what was found in one sheet of the file when it came.
type seen struct {
	Index   int        `json:"index"`
	Name    string     `json:"name"`
	Rows    int        `json:"rows"` // with something in them, heads among them
	Head    int        `json:"head"` // number of the row that looks like heads
	Heads   []string   `json:"heads"`
	Sample  [][]string `json:"sample"` // the rows behind the head
	First   []sheetRow `json:"first"`  // the first rows, to choose another head from
	Skipped bool       `json:"skipped"`
}

type sheetRow struct {
	Number int      `json:"number"`
	Cells  []string `json:"cells"`
}

func valuesPlace(id int64, number int) string {
	return fmt.Sprintf("import_rows.values:%d:%d", id, number)
}

func filePlace(key string) string { return "imports.file:" + key }

func sheetsPlace(owner int64) string { return fmt.Sprintf("imports.sheets:%d", owner) }

func (r *row) mapping() map[string]int {
	m := map[string]int{}
	if r.Fields != "" {
		_ = json.Unmarshal([]byte(r.Fields), &m) // written by us
	}
	return m
}

func (s *Service) seen(r *row) ([]seen, error) {
	if r.Sheets == "" {
		return []seen{}, nil
	}
	plain, err := s.Box.Open(r.Sheets, sheetsPlace(r.OwnerID))
	if err != nil {
		return nil, err
	}
	var out []seen
	return out, json.Unmarshal(plain, &out)
}

// visible narrows a query to the actor's own imports.
func visible(q *bun.SelectQuery, a access.Actor) *bun.SelectQuery {
	if a.UserID == 0 || !a.Party.Staff() {
		return q.Where("1 = 0")
	}
	return q.Where("i.owner_id = ?", a.UserID)
}

func find(ctx context.Context, db bun.IDB, a access.Actor, id int64) (*row, error) {
	r := new(row)
	q := db.NewSelect().Model(r).Where("i.id = ?", id)
	if a.Party != access.System {
		q = visible(q, a)
	}
	return r, database.Found(q.Scan(ctx))
}

func origin(id int64, number int) string { return fmt.Sprintf("import:%d:%d", id, number) }

type imports20261127 struct {
	bun.BaseModel `bun:"table:imports"`

	Due         bool       `bun:"due,notnull"`
	Fence       int64      `bun:"fence,notnull"`
	Attempts    int64      `bun:"attempts,notnull"`
	LeaseUntil  *time.Time `bun:"lease_until"`
	ID          int64      `bun:"id,pk,autoincrement"`
	OwnerID     int64      `bun:"owner_id,notnull"`
	Target      string     `bun:"target,notnull"`
	FileName    string     `bun:"file_name,notnull"`
	FileKey     string     `bun:"file_key,notnull"`
	SHA256      string     `bun:"sha256,notnull"`
	Sheets      string     `bun:"sheets,notnull,type:text"`
	Sheet       int64      `bun:"sheet,notnull"`
	Head        int64      `bun:"head,notnull"`
	Columns     string     `bun:"columns,notnull,type:text"`
	Duplicates  string     `bun:"duplicates,notnull"`
	State       string     `bun:"state,notnull"`
	Message     string     `bun:"message,notnull,type:text"`
	Total       int64      `bun:"rows_total,notnull"`
	Read        int64      `bun:"rows_read,notnull"`
	Good        int64      `bun:"rows_good,notnull"`
	Known       int64      `bun:"rows_known,notnull"`
	Bad         int64      `bun:"rows_bad,notnull"`
	Created     int64      `bun:"rows_created,notnull"`
	Updated     int64      `bun:"rows_updated,notnull"`
	Skipped     int64      `bun:"rows_skipped,notnull"`
	Refused     int64      `bun:"rows_refused,notnull"`
	LastRead    int64      `bun:"last_read,notnull"`
	LastDone    int64      `bun:"last_done,notnull"`
	Purged      bool       `bun:"purged,notnull"`
	CreatedAt   time.Time  `bun:"created_at,notnull"`
	CheckedAt   *time.Time `bun:"checked_at"`
	PublishedAt *time.Time `bun:"published_at"`
	FinishedAt  *time.Time `bun:"finished_at"`
}

type importRows20261127 struct {
	bun.BaseModel `bun:"table:import_rows"`

	ImportID int64  `bun:"import_id,pk"`
	Number   int64  `bun:"number,pk"`
	State    string `bun:"state,notnull"`
	Values   string `bun:"row_values,notnull,type:text"`
	Problems string `bun:"problems,notnull,type:text"`
	KeyBlind string `bun:"key_blind,notnull"`
	ObjectID int64  `bun:"object_id,notnull"`
}

type importMappings20261127 struct {
	bun.BaseModel `bun:"table:import_mappings"`

	OwnerID int64     `bun:"owner_id,pk"`
	Target  string    `bun:"target,pk"`
	Heads   string    `bun:"heads,pk"`
	Columns string    `bun:"columns,notnull,type:text"`
	At      time.Time `bun:"at,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261127030100_imports",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*imports20261127)(nil), (*importRows20261127)(nil), (*importMappings20261127)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX imports_owner ON imports (owner_id, id)",
			"CREATE UNIQUE INDEX imports_busy ON imports (owner_id) WHERE due",
			"CREATE INDEX imports_due ON imports (id) WHERE due",
			"CREATE INDEX import_rows_key ON import_rows (import_id, key_blind, number)",
			"CREATE INDEX import_rows_state ON import_rows (import_id, state, number)",
		)
	},
}, {
	// A file of before stays readable as it is, until it expires.
	ID: "20261129120000_import_files_sealed",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE imports ADD COLUMN file_seal TEXT NOT NULL DEFAULT ''")
	},
}, {
	ID: "20261129155100_import_review",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE imports ADD COLUMN rows_review BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE imports ADD COLUMN rows_dropped BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE imports ADD COLUMN feed TEXT NOT NULL DEFAULT ''",
			"ALTER TABLE imports ADD COLUMN source TEXT NOT NULL DEFAULT 'roll'",
			"ALTER TABLE imports ADD COLUMN cursor TEXT NOT NULL DEFAULT ''",
			"ALTER TABLE imports ADD COLUMN page_before BIGINT NOT NULL DEFAULT 0",
			"ALTER TABLE import_rows ADD COLUMN flag TEXT NOT NULL DEFAULT ''",
			"ALTER TABLE import_rows ADD COLUMN then_state TEXT NOT NULL DEFAULT ''",
			"ALTER TABLE import_rows ADD COLUMN alike_blind TEXT NOT NULL DEFAULT ''",
			"CREATE INDEX import_rows_flag ON import_rows (import_id, flag, state) WHERE flag <> ''",
			"CREATE INDEX import_rows_alike ON import_rows (import_id, alike_blind, number) WHERE alike_blind <> ''",
		)
	},
}}
