package server

import (
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis joins several processes; see docs/operations/processes.md.
type Redis struct {
	// URL is redis://user:password@host:6379/0; empty does without.
	URL string `koanf:"url"`
}

// Jobs is what a process does beside answering.
type Jobs struct {
	// Work is false for a serve that leaves jobs, schedules and outgoing messages to worker processes.
	Work bool `koanf:"work"`
	// LeaseSeconds is how long a process that says nothing counts as alive, before another one goes on with its work.
	LeaseSeconds int `koanf:"lease_seconds"`
}

func (j Jobs) lease() time.Duration { return time.Duration(j.LeaseSeconds) * time.Second }

func (c Config) drain() time.Duration { return time.Duration(c.DrainSeconds) * time.Second }

var processDefaults = map[string]any{"jobs.work": true, "jobs.lease_seconds": 45, "drain_seconds": 0}

func (c *Config) onPostgres() bool { return strings.Contains(c.Database, "://") }

func (c *Config) checkProcesses() error {
	switch {
	case c.Jobs.LeaseSeconds < 3 || c.Jobs.LeaseSeconds > 60:
		return configErrorf("jobs.lease_seconds：应为 3 至 60")
	case c.DrainSeconds < 0 || c.DrainSeconds > 60:
		return configErrorf("drain_seconds：应为 0 至 60")
	case !c.Jobs.Work && !c.onPostgres():
		return configErrorf("jobs.work：使用内嵌数据库时所有任务都由这一个进程处理，请设为 true；或改用 PostgreSQL 并启动 `huiqi worker`")
	}
	if c.Redis.URL == "" {
		return nil
	}
	if _, err := redis.ParseURL(c.Redis.URL); err != nil {
		return configErrorf("redis.url：应为地址，例如 redis://:password@127.0.0.1:6379/0")
	}
	return nil
}
