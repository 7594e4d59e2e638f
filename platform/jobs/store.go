package jobs

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
)

// RunState is where the work of one tick stands.
type RunState string

// The states of a run.
const (
	RunWaiting RunState = "waiting" // nobody works on it; from WakeAt on somebody may
	RunRunning RunState = "running" // Process works on it, as long as the lease is renewed
	RunDone    RunState = "done"
	RunFailed  RunState = "failed" // for good; a person may ask for it again
)

// Trigger is what asked for a run.
type Trigger string

// The triggers.
const (
	ByClock  Trigger = "clock"
	ByPerson Trigger = "person" // run now
	ByRetry  Trigger = "retry"  // a person asked for a failed run again
)

// TaskRun is the work of one tick, kept as history.
type TaskRun struct {
	bun.BaseModel `bun:"table:task_runs,alias:r"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Task      string     `bun:"task,notnull"`
	Round     int64      `bun:"round,notnull"`
	Tick      time.Time  `bun:"tick,notnull"`
	Trigger   Trigger    `bun:"trigger_kind,notnull"`
	AskedBy   string     `bun:"asked_by,notnull"` // a person's name; empty for the clock
	State     RunState   `bun:"state,notnull"`
	WakeAt    time.Time  `bun:"wake_at,notnull"`
	Claim     string     `bun:"claim,notnull"`
	LeaseEnds *time.Time `bun:"lease_ends"`
	Attempts  int        `bun:"attempts,notnull"`
	Process   string     `bun:"process,notnull"`
	StartedAt *time.Time `bun:"started_at"`
	EndedAt   *time.Time `bun:"ended_at"`
	Note      string     `bun:"note,notnull"`
	Error     string     `bun:"error,notnull"`
}

// taskRow is what is kept about a task between runs.
type taskRow struct {
	bun.BaseModel `bun:"table:tasks,alias:k"`

	Name     string     `bun:"name,pk"`
	Since    time.Time  `bun:"since,notnull"` // ticks before it are nobody's
	Round    int64      `bun:"round,notnull"` // how often the clock was set back
	LastTick *time.Time `bun:"last_tick"`
	PausedAt *time.Time `bun:"paused_at"`
	PausedBy string     `bun:"paused_by,notnull"`
	// PausedReason is what that person wrote about it.
	PausedReason string `bun:"paused_reason,notnull"`
}

type run20261127 struct {
	bun.BaseModel `bun:"table:task_runs"`

	ID        int64      `bun:"id,pk,autoincrement"`
	Task      string     `bun:"task,notnull"`
	Round     int64      `bun:"round,notnull"`
	Tick      time.Time  `bun:"tick,notnull"`
	Trigger   string     `bun:"trigger_kind,notnull"`
	AskedBy   string     `bun:"asked_by,notnull"`
	State     string     `bun:"state,notnull"`
	WakeAt    time.Time  `bun:"wake_at,notnull"`
	Claim     string     `bun:"claim,notnull"`
	LeaseEnds *time.Time `bun:"lease_ends"`
	Attempts  int        `bun:"attempts,notnull"`
	Process   string     `bun:"process,notnull"`
	StartedAt *time.Time `bun:"started_at"`
	EndedAt   *time.Time `bun:"ended_at"`
	Note      string     `bun:"note,notnull,type:text"`
	Error     string     `bun:"error,notnull,type:text"`
}

type task20261127 struct {
	bun.BaseModel `bun:"table:tasks"`

	Name     string     `bun:"name,pk"`
	Since    time.Time  `bun:"since,notnull"`
	Round    int64      `bun:"round,notnull"`
	LastTick *time.Time `bun:"last_tick"`
	PausedAt *time.Time `bun:"paused_at"`
	PausedBy string     `bun:"paused_by,notnull"`
}

// taskMigration makes the books of the scheduler. The unique index is the promise that a tick is worked once.
var taskMigration = database.Migration{
	ID: "20261127090000_tasks",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*run20261127)(nil), (*task20261127)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx,
			"CREATE UNIQUE INDEX task_runs_tick ON task_runs (task, round, tick)",
			"CREATE INDEX task_runs_open ON task_runs (task) WHERE state IN ('waiting', 'running')",
			"CREATE INDEX task_runs_history ON task_runs (task, id)",
			"CREATE INDEX task_runs_state ON task_runs (state, id)",
		)
	},
}

// pauseMigration keeps why a task stands still.
var pauseMigration = database.Migration{
	ID: "20261128010000_task_pause_reason",
	Up: func(ctx context.Context, tx bun.Tx) error {
		return database.Exec(ctx, tx, "ALTER TABLE tasks ADD COLUMN paused_reason VARCHAR NOT NULL DEFAULT ''")
	},
}
