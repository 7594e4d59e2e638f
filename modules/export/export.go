package export

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/sheet"
)

// State is where an export stands.
type State string

// The states.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	Expired   State = "expired" // the file was removed
)

var labels = map[State]string{Queued: "排队中", Running: "生成中", Done: "已完成", Failed: "失败", Cancelled: "已取消", Expired: "已过期"}

// Label is the state in words.
func (s State) Label() string { return labels[s] }

// Format is the kind of file.
type Format string

// The formats.
const (
	XLSX Format = "xlsx"
	CSV  Format = "csv"
)

// Object names an export in the audit log.
const Object = "export"

// The faults of the module.
var (
	ErrSource = fault.InvalidField("source", "EXPORT_SOURCE", "没有这种可导出的列表，请从列表页面的“导出”进入")
	ErrFormat = fault.InvalidField("format", "EXPORT_FORMAT", "请选择 Excel（xlsx）或 CSV 格式")
	// ErrBusy: one export at a time for each person.
	ErrBusy = fault.New(fault.Conflict, "EXPORT_BUSY", "您有一项导出尚未完成，请等它完成，或在“我的导出”中取消后再试")
	// ErrDaily: the day's exports are used up.
	ErrDaily = fault.New(fault.TooMany, "EXPORT_DAILY", "今天的导出次数已用完，请明天再试")
	// ErrRows: the list is longer than an installation lets go in one file.
	ErrRows = fault.New(fault.TooLarge, "EXPORT_ROWS", "符合条件的数据过多，请缩小筛选范围后分次导出")
	// ErrState: the state does not allow the action.
	ErrState = fault.New(fault.Conflict, "EXPORT_STATE", "导出任务的状态已变化，请刷新后查看")
	// ErrDamaged: the file is not as it was written.
	ErrDamaged = fault.New(fault.Conflict, "EXPORT_DAMAGED", "文件已损坏，不能下载，请重新申请导出")
	// ErrGone: the file was removed.
	ErrGone = fault.New(fault.Conflict, "EXPORT_EXPIRED", "文件已过期删除，请重新导出")
)

// row is one export. Filters are sealed: they may hold a phone number that was searched for.
type row struct {
	bun.BaseModel `bun:"table:exports,alias:x"`
	lease.Columns

	ID         int64      `bun:"id,pk,autoincrement"`
	OwnerID    int64      `bun:"owner_id,notnull"`
	Source     string     `bun:"source,notnull"`
	Format     Format     `bun:"format,notnull"`
	Keys       string     `bun:"columns,notnull,type:text"` // JSON: keys
	Filters    string     `bun:"filters,notnull,type:text"` // sealed JSON
	FilterText string     `bun:"filter_text,notnull,type:text"`
	Purpose    string     `bun:"purpose,notnull,type:text"`
	Mark       string     `bun:"mark,notnull,type:text"`
	State      State      `bun:"state,notnull"`
	Rows       int64      `bun:"rows_done,notnull"`
	Total      int64      `bun:"rows_total,notnull"` // expected; 0 when nobody counted
	Message    string     `bun:"message,notnull,type:text"`
	After      string     `bun:"position,notnull"` // CSV: where the next part begins
	FileName   string     `bun:"file_name,notnull"`
	FileKey    string     `bun:"file_key,notnull"`
	FileSeal   string     `bun:"file_seal,notnull,type:text"` // sealed key of the file; "" for one of before
	Size       int64      `bun:"size,notnull"`                // of its text
	SHA256     string     `bun:"sha256,notnull"`              // of its text
	Downloads  int64      `bun:"downloads,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	StartedAt  *time.Time `bun:"started_at"`
	FinishedAt *time.Time `bun:"finished_at"`
	ExpiresAt  *time.Time `bun:"expires_at"`
}

// part is one piece of a CSV. Its row is there before its file: no file is without a row that leads to it.
type part struct {
	bun.BaseModel `bun:"table:export_parts,alias:p"`

	ExportID int64  `bun:"export_id,pk"`
	Fence    int64  `bun:"fence,pk"` // of the worker that wrote it
	Seq      int64  `bun:"seq,pk"`
	Key      string `bun:"key,notnull"`
	Seal     string `bun:"seal,notnull,type:text"` // sealed key of its file; "" for one of before
	Ready    bool   `bun:"ready,notnull"`          // whole, and part of the file
}

func (r *row) columns() []string {
	var keys []string
	_ = json.Unmarshal([]byte(r.Keys), &keys) // written by us
	return keys
}

// View is an export as its owner sees it.
type View struct {
	ID          int64      `json:"id"`
	Source      string     `json:"source"`
	SourceTitle string     `json:"sourceTitle"`
	Format      Format     `json:"format" enum:"xlsx,csv"`
	State       State      `json:"state" enum:"queued,running,done,failed,cancelled,expired"`
	Rows        int64      `json:"rows" doc:"Written so far."`
	Total       int64      `json:"total" doc:"Expected; 0 when unknown."`
	Columns     []string   `json:"columns" doc:"Titles."`
	FilterText  string     `json:"filterText" doc:"Empty for everything."`
	Purpose     string     `json:"purpose"`
	Message     string     `json:"message" doc:"Why it failed, or what the owner should know of the file."`
	FileName    string     `json:"fileName"`
	Size        int64      `json:"size"`
	Downloads   int64      `json:"downloads"`
	CreatedAt   time.Time  `json:"createdAt"`
	StartedAt   *time.Time `json:"startedAt,omitempty"`
	FinishedAt  *time.Time `json:"finishedAt,omitempty"`
	ExpiresAt   *time.Time `json:"expiresAt,omitempty"`
}

func (s *Service) view(ctx context.Context, r *row) View {
	v := View{ID: r.ID, Source: r.Source, SourceTitle: r.Source, Format: r.Format, State: r.State, Rows: r.Rows, Total: r.Total, Columns: []string{}, FilterText: r.FilterText,
		Purpose: r.Purpose, Message: r.Message, FileName: r.FileName, Size: r.Size, Downloads: r.Downloads, CreatedAt: r.CreatedAt.UTC(), StartedAt: utc(r.StartedAt),
		FinishedAt: utc(r.FinishedAt), ExpiresAt: utc(r.ExpiresAt)}
	src, err := s.source(ctx, r.Source)
	if err != nil { // a list that is gone has no titles
		return v
	}
	v.SourceTitle = src.Title
	keys := r.columns()
	for _, c := range src.Columns {
		for _, k := range keys {
			if c.Key == k {
				v.Columns = append(v.Columns, c.Title)
			}
		}
	}
	return v
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	u := at.UTC()
	return &u
}

// visible narrows a query to the actor's own exports. Nobody else has any business with them.
func visible(q *bun.SelectQuery, a access.Actor) *bun.SelectQuery {
	if a.UserID == 0 || !a.Party.Staff() {
		return q.Where("1 = 0")
	}
	return q.Where("x.owner_id = ?", a.UserID)
}

func find(ctx context.Context, db bun.IDB, a access.Actor, id int64) (*row, error) {
	r := new(row)
	q := db.NewSelect().Model(r).Where("x.id = ?", id)
	if a.Party != access.System {
		q = visible(q, a)
	}
	return r, database.Found(q.Scan(ctx))
}

// filterPlace binds the sealed filters to their owner.
func filterPlace(owner int64) string { return fmt.Sprintf("exports.filters:%d", owner) }

// filePlace binds the sealed key of a file to the file.
func filePlace(key string) string { return "exports.file:" + key }

func (s *Service) filters(r *row) (sheet.Filter, error) {
	plain, err := s.Box.Open(r.Filters, filterPlace(r.OwnerID))
	if err != nil {
		return nil, err
	}
	var f sheet.Filter
	return f, json.Unmarshal(plain, &f)
}

// markOf is the first row of the file: who took it, when, what for.
func markOf(district, place, name, purpose string, at time.Time) string {
	if place == "" {
		place = district
	}
	return fmt.Sprintf("%s惠企台导出　%s %s　%s　用途：%s　仅供上述用途使用，不得外传", district, place, name, clock.Show(at), purpose)
}

type exports20261127 struct {
	bun.BaseModel `bun:"table:exports"`

	Due        bool       `bun:"due,notnull"`
	Fence      int64      `bun:"fence,notnull"`
	Attempts   int64      `bun:"attempts,notnull"`
	LeaseUntil *time.Time `bun:"lease_until"`
	ID         int64      `bun:"id,pk,autoincrement"`
	OwnerID    int64      `bun:"owner_id,notnull"`
	Source     string     `bun:"source,notnull"`
	Format     string     `bun:"format,notnull"`
	Columns    string     `bun:"columns,notnull,type:text"`
	Filters    string     `bun:"filters,notnull,type:text"`
	FilterText string     `bun:"filter_text,notnull,type:text"`
	Purpose    string     `bun:"purpose,notnull,type:text"`
	Mark       string     `bun:"mark,notnull,type:text"`
	State      string     `bun:"state,notnull"`
	Rows       int64      `bun:"rows_done,notnull"`
	Total      int64      `bun:"rows_total,notnull"`
	Message    string     `bun:"message,notnull,type:text"`
	After      string     `bun:"position,notnull"`
	FileName   string     `bun:"file_name,notnull"`
	FileKey    string     `bun:"file_key,notnull"`
	Size       int64      `bun:"size,notnull"`
	SHA256     string     `bun:"sha256,notnull"`
	Downloads  int64      `bun:"downloads,notnull"`
	CreatedAt  time.Time  `bun:"created_at,notnull"`
	StartedAt  *time.Time `bun:"started_at"`
	FinishedAt *time.Time `bun:"finished_at"`
	ExpiresAt  *time.Time `bun:"expires_at"`
}

type exportParts20261127 struct {
	bun.BaseModel `bun:"table:export_parts"`

	ExportID int64  `bun:"export_id,pk"`
	Fence    int64  `bun:"fence,pk"`
	Seq      int64  `bun:"seq,pk"`
	Key      string `bun:"key,notnull"`
	Ready    bool   `bun:"ready,notnull"`
}

// Migrations are the tables of the module.
var Migrations = []database.Migration{{
	ID: "20261127030000_exports",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*exports20261127)(nil), (*exportParts20261127)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE INDEX exports_owner ON exports (owner_id, id)",
			"CREATE UNIQUE INDEX exports_busy ON exports (owner_id) WHERE due",
			"CREATE INDEX exports_due ON exports (id) WHERE due",
			"CREATE INDEX exports_files ON exports (state, expires_at)",
		)
	},
}, {
	// A file of before is read as it lies, until it expires.
	ID: "20261130150000_export_files_sealed",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx,
			"ALTER TABLE exports ADD COLUMN file_seal TEXT NOT NULL DEFAULT ''",
			"ALTER TABLE export_parts ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
		)
	},
}}
