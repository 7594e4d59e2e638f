package jobs

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/huiqi/huiqi/platform/clock"
)

// Task is work that the clock asks for. Whatever the number of processes, each tick is worked once.
type Task struct {
	// Name is "module.verb", never changed: history hangs on it. Title is what the page of jobs shows.
	Name, Title string
	// Exactly one of Every and Cron says when: an interval of five seconds or more, or five cron fields in Asia/Shanghai.
	// Ticks of an interval are its whole multiples, the same in every process.
	Every time.Duration
	Cron  string
	// Run does the work; it must be idempotent, since a tick whose process died is worked again. It should return soon after
	// ctx ends: another process then goes on. What it says with Note is kept with the run.
	//
	// After an error a task of an interval waits for its next tick; one with Cron is tried again after 1, 5 and 15 minutes.
	Run func(ctx context.Context) error
	// Timeout is how long one run may take; then ctx ends and the run has failed. Zero is two hours.
	Timeout time.Duration
	// Always is for work that does not wait when the clock was set forward; see Scheduler.Hold.
	Always bool
	// Failure says what it means when the task fails and what to do, as one sentence for the person on duty. It stands
	// beside the failure and in the alarm.
	Failure string
}

func (t Task) timeout() time.Duration {
	if t.Timeout == 0 {
		return 2 * time.Hour
	}
	return t.Timeout
}

// minEvery keeps what must be quick out of the books: it has a loop of its own.
const minEvery = 5 * time.Second

var taskName = regexp.MustCompile(`^[a-z]+(\.[a-z_]+)+$`)

func (t Task) check() error {
	switch {
	case !taskName.MatchString(t.Name):
		return fmt.Errorf("task %q: the name must be as module.verb", t.Name)
	case t.Title == "" || t.Run == nil:
		return fmt.Errorf("task %s: needs a title and work", t.Name)
	case (t.Every != 0) == (t.Cron != ""):
		return fmt.Errorf("task %s: needs exactly one of an interval and cron fields", t.Name)
	case t.Timeout < 0:
		return fmt.Errorf("task %s: a timeout of %s", t.Name, t.Timeout)
	case t.Cron == "" && t.Every < minEvery:
		return fmt.Errorf("task %s: an interval of %s is too short", t.Name, t.Every)
	}
	if t.Cron != "" {
		if _, err := parseCron(t.Cron); err != nil {
			return fmt.Errorf("task %s: %w", t.Name, err)
		}
	}
	return nil
}

// parseCron reads five fields in the zone of this country, without a zone database.
func parseCron(fields string) (cron.Schedule, error) {
	s, err := cron.ParseStandard(fields)
	if err != nil {
		return nil, err
	}
	spec, ok := s.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("%q: five fields are needed; an interval is given with Every", fields)
	}
	spec.Location = clock.Beijing
	return spec, nil
}

// Next returns the first tick after now.
func (t Task) Next(now time.Time) time.Time {
	if t.Cron == "" {
		return now.Truncate(t.Every).Add(t.Every).UTC()
	}
	s, err := parseCron(t.Cron)
	if err != nil {
		return time.Time{}
	}
	return s.Next(now).UTC()
}

// latest returns the last tick that is not after now; false when there was none within five years.
func (t Task) latest(now time.Time) (time.Time, bool) {
	if t.Cron == "" {
		return now.Truncate(t.Every).UTC(), true
	}
	s, err := parseCron(t.Cron)
	if err != nil {
		return time.Time{}, false
	}
	for _, back := range []time.Duration{time.Hour, 25 * time.Hour, 32 * 24 * time.Hour, 366 * 24 * time.Hour, 5 * 366 * 24 * time.Hour} {
		at := s.Next(now.Add(-back))
		if at.IsZero() || at.After(now) {
			continue
		}
		for next := s.Next(at); !next.IsZero() && !next.After(now); next = s.Next(at) {
			at = next
		}
		return at.UTC(), true
	}
	return time.Time{}, false
}

var (
	daily  = regexp.MustCompile(`^(\d+) (\d+) \* \* \*$`)
	weekly = regexp.MustCompile(`^(\d+) (\d+) \* \* ([0-6])$`)
)

// When says in words when the task runs.
func (t Task) When() string {
	var minute, hour, day int
	switch {
	case t.Cron == "":
		return "每 " + spell(t.Every)
	case daily.MatchString(t.Cron):
		_, _ = fmt.Sscanf(t.Cron, "%d %d", &minute, &hour)
		return fmt.Sprintf("每天 %02d:%02d", hour, minute)
	case weekly.MatchString(t.Cron):
		_, _ = fmt.Sscanf(t.Cron, "%d %d * * %d", &minute, &hour, &day)
		return fmt.Sprintf("每周%s %02d:%02d", []string{"日", "一", "二", "三", "四", "五", "六"}[day], hour, minute)
	}
	return "按计划 " + t.Cron
}

// spell says a duration in words.
func spell(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%d 小时", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d 分钟", d/time.Minute)
	}
	return fmt.Sprintf("%d 秒", d/time.Second)
}

type noteKey struct{}

type note struct {
	mu   sync.Mutex
	text string
}

// Note keeps a line with the run of a task, as "下架 3 个产品"; the last one stays. Outside a task it does nothing.
func Note(ctx context.Context, format string, args ...any) {
	n, ok := ctx.Value(noteKey{}).(*note)
	if !ok {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = cut(fmt.Sprintf(format, args...), 500)
}

func (n *note) read() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text
}

// cut keeps the first n runes.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "?")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
