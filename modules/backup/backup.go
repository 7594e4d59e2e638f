package backup

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/fault"
)

// State is where a run stands.
type State string

// The states.
const (
	Waiting   State = "waiting"   // 等待开始
	Making    State = "making"    // 正在备份
	Verifying State = "verifying" // 正在验证
	Copying   State = "copying"   // 正在复制
	Done      State = "done"      // 已完成
	Failed    State = "failed"    // 未完成
)

// open are the states in which a run is not over.
var open = []State{Waiting, Making, Verifying, Copying}

// working are the states in which a process has the run in hand.
var working = []State{Making, Verifying, Copying}

// Why a run was asked for.
const (
	BySchedule = "schedule"
	ByHand     = "manual"
)

const (
	// silent is how long a run in hand may give no sign before its process counts as dead.
	silent = time.Minute
	// attempts is how often a run is tried in all, pause how long the next try waits.
	attempts = 3
	pause    = 15 * time.Minute
)

// The permissions of the module.
const (
	PermView access.Permission = "backup.view"
	PermRun  access.Permission = "backup.run"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{{Name: PermView, Group: "备份", Label: "查看备份"}, {Name: PermRun, Group: "备份", Label: "立即备份"}}
}

// The faults of the module.
var (
	// ErrOpen: another run is not over yet.
	ErrOpen = fault.New(fault.Conflict, "BACKUP_OPEN", "已有一次备份正在等待或进行，请等它完成后再试")
	// ErrUnset: there is nobody to encrypt for.
	ErrUnset = fault.New(fault.Conflict, "BACKUP_UNSET", "尚未配置备份公钥，请系统管理员按《备份与恢复》手册生成密钥对并填写 backup.recipients")
)

// Run is one attempt to make a set.
type Run struct {
	bun.BaseModel `bun:"table:backups,alias:b"`

	ID           int64      `bun:"id,pk,autoincrement"`
	State        State      `bun:"state,notnull"`
	Cause        string     `bun:"cause,notnull"`
	Attempt      int64      `bun:"attempt,notnull"`
	AskedAt      time.Time  `bun:"asked_at,notnull"`
	AskedBy      string     `bun:"asked_by,notnull"`
	NotBefore    time.Time  `bun:"not_before,notnull"`
	Claim        string     `bun:"claim,notnull"` // of the process that has it in hand
	HeartbeatAt  *time.Time `bun:"heartbeat_at"`
	StartedAt    *time.Time `bun:"started_at"`
	EndedAt      *time.Time `bun:"ended_at"`
	Stage        string     `bun:"stage,notnull"`
	StageDone    int64      `bun:"stage_done,notnull"`
	StageTotal   int64      `bun:"stage_total,notnull"`
	SetName      string     `bun:"set_name,notnull"`
	Size         int64      `bun:"size,notnull"`
	Rows         int64      `bun:"rows,notnull"`
	Files        int64      `bun:"files,notnull"`
	FilesNew     int64      `bun:"files_new,notnull"`
	FilesMissing int64      `bun:"files_missing,notnull"`
	FilesDamaged int64      `bun:"files_damaged,notnull"`
	VerifiedAt   *time.Time `bun:"verified_at"`
	CopiedAt     *time.Time `bun:"copied_at"`
	CopyFault    string     `bun:"copy_fault,notnull,type:text"`
	Fault        string     `bun:"fault,notnull,type:text"`
}

// Item is a run as it is listed.
type Item struct {
	ID           int64      `json:"id"`
	State        State      `json:"state" enum:"waiting,making,verifying,copying,done,failed"`
	Cause        string     `json:"cause" enum:"schedule,manual"`
	Attempt      int64      `json:"attempt"`
	AskedAt      time.Time  `json:"askedAt"`
	AskedBy      string     `json:"askedBy"`
	NotBefore    time.Time  `json:"notBefore" doc:"A waiting run is not begun before."`
	StartedAt    *time.Time `json:"startedAt,omitempty"`
	EndedAt      *time.Time `json:"endedAt,omitempty"`
	Stage        string     `json:"stage" doc:"What is being done, in Chinese."`
	StageDone    int64      `json:"stageDone"`
	StageTotal   int64      `json:"stageTotal" doc:"0 when it is not known."`
	Set          string     `json:"set"`
	Size         int64      `json:"size"`
	Rows         int64      `json:"rows"`
	Files        int64      `json:"files"`
	FilesNew     int64      `json:"filesNew"`
	FilesMissing int64      `json:"filesMissing"`
	FilesDamaged int64      `json:"filesDamaged"`
	VerifiedAt   *time.Time `json:"verifiedAt,omitempty"`
	CopiedAt     *time.Time `json:"copiedAt,omitempty"`
	CopyFault    string     `json:"copyFault"`
	Fault        string     `json:"fault"`
	Kept         string     `json:"kept" doc:"Why the set stays: 最新, 每日 and so on; empty when it is gone or goes with the next tidying."`
	Present      bool       `json:"present" doc:"Whether the set is in the target."`
}

func (r *Run) item() Item {
	return Item{ID: r.ID, State: r.State, Cause: r.Cause, Attempt: r.Attempt, AskedAt: r.AskedAt.UTC(), AskedBy: r.AskedBy, NotBefore: r.NotBefore.UTC(),
		StartedAt: utc(r.StartedAt), EndedAt: utc(r.EndedAt), Stage: r.Stage, StageDone: r.StageDone, StageTotal: r.StageTotal, Set: r.SetName, Size: r.Size,
		Rows: r.Rows, Files: r.Files, FilesNew: r.FilesNew, FilesMissing: r.FilesMissing, FilesDamaged: r.FilesDamaged,
		VerifiedAt: utc(r.VerifiedAt), CopiedAt: utc(r.CopiedAt), CopyFault: r.CopyFault, Fault: r.Fault}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
