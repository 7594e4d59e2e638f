package server

import (
	"time"

	"github.com/robfig/cron/v3"
)

// Operations is how the installation is watched over.
type Operations struct {
	// RepeatHours is after how many hours an alarm that nobody has acknowledged is sent again.
	RepeatHours int `koanf:"repeat_hours"`
	// Report says when the daily report is made: five cron fields, Asia/Shanghai.
	Report string `koanf:"report"`
}

var operationsDefaults = map[string]any{"operations.repeat_hours": 4, "operations.report": "0 8 * * *"}

func (o Operations) check() error {
	if o.RepeatHours < 1 || o.RepeatHours > 168 {
		return configErrorf("operations.repeat_hours：应为 1 至 168")
	}
	if s, err := cron.ParseStandard(o.Report); err != nil {
		return configErrorf("operations.report：%q 不是五段 cron 表达式，例如 0 8 * * *", o.Report)
	} else if _, fields := s.(*cron.SpecSchedule); !fields {
		return configErrorf("operations.report：%q 不是五段 cron 表达式，例如 0 8 * * *", o.Report)
	}
	return nil
}

func (o Operations) repeatAfter() time.Duration { return time.Duration(o.RepeatHours) * time.Hour }
