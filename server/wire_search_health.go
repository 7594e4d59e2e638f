package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/huiqi/huiqi/modules/operations"
	"github.com/huiqi/huiqi/platform/search"
)

// longestBuild is how long making a copy outside may last before somebody should look: a million tickets take minutes.
const longestBuild = 2 * time.Hour

// outsideSince remembers since when each copy outside is not asked, or is being made. It is of this process: whoever takes
// the inspection over begins to count anew.
type outsideSince struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// of notes that the condition of the kind holds, or ends, and returns for how long it has.
func (o *outsideSince) of(kind string, holds bool, now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !holds {
		delete(o.since, kind)
		return 0
	}
	if o.since == nil {
		o.since = map[string]time.Time{}
	}
	first, known := o.since[kind]
	if !known || now.Before(first) {
		o.since[kind] = now
		return 0
	}
	return now.Sub(first)
}

// searchCheck is the rule of health of the full text: that it is there, and how far the copies outside lie behind.
func (h *house) searchCheck() operations.Check {
	var away, building outsideSince
	return operations.Check{
		Code: "search", Group: "后台工作", Title: "全文检索", Unit: "秒", Warn: 120, Bad: 600,
		Advice: "外部检索不可用时系统自动改用数据库检索，不影响办理。请检查外部检索服务，执行 huiqi search status 查看原因，必要时执行 huiqi search rebuild --outside。",
		Measure: func(ctx context.Context) (operations.Reading, error) {
			r := operations.Reading{Text: "正常"}
			for _, s := range searchSources() {
				stale, err := s.Stale(ctx, h.db.Read())
				if err != nil {
					return r, err
				}
				if stale {
					r.State, r.Text = operations.Warn, fmt.Sprintf("“%s”的全文索引正在重建，结果可能不全", s.Title)
				}
			}
			lags, err := h.searchLag(ctx)
			if err != nil {
				return r, err
			}
			now := h.clock.Now()
			for _, l := range lags {
				since := building.of(l.Kind, l.Building, now)
				if l.Building && since < longestBuild {
					away.of(l.Kind, false, now)
					r.State, r.Text = operations.Warn, fmt.Sprintf("外部索引 %s 正在重建，已用 %s", l.Kind, operations.Spell(since))
					continue
				}
				if behind := h.outsideBehind(l, away.of(l.Kind, l.Trouble != "", now)); behind > time.Duration(r.Value)*time.Second || l.Trouble != "" {
					r.Value, r.Text = int64(behind/time.Second), outsideText(l, behind)
					if l.Trouble != "" {
						r.State = operations.Warn
					}
				}
			}
			return r, nil
		},
	}
}

// outsideBehind is how old the oldest change is that the copy lacks, or for how long it is not asked, whichever is longer.
func (h *house) outsideBehind(l search.Lag, away time.Duration) time.Duration {
	return max(h.age(l.Oldest), away)
}

func outsideText(l search.Lag, behind time.Duration) string {
	text := fmt.Sprintf("外部索引 %s 有 %d 条未同步，落后 %s", l.Kind, l.Waiting, operations.Spell(behind))
	if l.Trouble != "" {
		text = fmt.Sprintf("外部索引 %s 不可用，已改用数据库检索 %s，%d 条未同步", l.Kind, operations.Spell(behind), l.Waiting)
	}
	return text
}
