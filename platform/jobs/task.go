package jobs

import (
	"context"
	"time"
)

// Task is work that the clock asks for. Whatever the number of processes, each tick is worked once.
type Task struct {
	// Name is "module.verb", never changed: history hangs on it. Title is what the page of jobs shows.
	Name, Title string
	// Exactly one of Every and Cron says when: an interval, or five cron fields in Asia/Shanghai.
	Every time.Duration
	Cron  string
	// Run does the work; it must be idempotent, since a tick whose process died is worked again.
	Run func(ctx context.Context) error
}
