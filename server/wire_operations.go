package server

import (
	"fmt"
	"os"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/jobs"
)

// processName is what this process is called in histories.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// newScheduler makes the scheduler of this process. On SQLite no other process works.
func newScheduler(db *database.DB, p parts, workers *jobs.Workers) *jobs.Scheduler {
	return jobs.NewScheduler(jobs.SchedulerOptions{
		DB: db, Clock: p.clock, Log: p.log, Process: processName(), Alone: db.Kind() == database.SQLite,
	}, workers)
}
