package operations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// State is how a check stands.
type State string

// The states, from good to bad.
const (
	Normal State = "normal" // 正常
	Warn   State = "warn"   // 注意
	Bad    State = "bad"    // 异常
)

func (s State) rank() int {
	switch s {
	case Bad:
		return 2
	case Warn:
		return 1
	}
	return 0
}

// worse returns the worse of two states.
func worse(a, b State) State {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// Check is one rule of health.
type Check struct {
	Code, Group, Title string
	// Unit is how the measured figure reads, "秒" or "%"; empty for a check that only says how things stand.
	Unit string
	// Less says that a smaller figure is worse.
	Less bool
	// Warn and Bad are the limits as long as nobody sets others. A figure at a limit has reached it.
	Warn, Bad int64
	// Advice says what to do when the check is not normal, as one sentence.
	Advice string
	// Measure looks. An error means that it could not: the check is then at 注意, and no alarm goes out for it.
	Measure func(ctx context.Context) (Reading, error)
}

// Reading is what was measured.
type Reading struct {
	Value int64
	// Text says in words what was found; empty is the figure with its unit.
	Text string
	// State is the least the check is at, whatever the limits say; empty is Normal.
	State State
	// Hold keeps a state that is not normal for so long, when what was found is a moment and not a condition.
	Hold time.Duration
}

func (c Check) valid() error {
	switch {
	case c.Code == "" || c.Group == "" || c.Title == "" || c.Advice == "" || c.Measure == nil:
		return fmt.Errorf("check %q is not described", c.Code)
	case c.Unit != "" && !c.fits(c.Warn, c.Bad):
		return fmt.Errorf("check %s: its limits do not fit", c.Code)
	}
	return nil
}

// fits reports whether two figures can be the limits.
func (c Check) fits(warn, bad int64) bool {
	return warn >= 0 && bad >= 0 && (c.Less && bad <= warn || !c.Less && warn <= bad)
}

// grade turns a reading into a state.
func (c Check) grade(r Reading, warn, bad int64) State {
	state := r.State
	if state == "" {
		state = Normal
	}
	if c.Unit == "" {
		return state
	}
	reached := func(limit int64) bool { return c.Less && r.Value <= limit || !c.Less && r.Value >= limit }
	switch {
	case reached(bad):
		return Bad
	case reached(warn):
		return worse(state, Warn)
	}
	return state
}

// measured is a reading with what is needed to store it.
type measured struct {
	check   Check
	reading Reading
	failed  bool
}

// measureTime bounds one check: an inspection must not hang on what it looks at.
const measureTime = 4 * time.Second

// atOnce is how many checks are measured at a time.
const atOnce = 6

// measureAll measures every check, in their order, within measureLongest.
func (s *Service) measureAll(ctx context.Context) []measured {
	found := make([]measured, len(s.checks))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, c := range s.checks {
		g.Go(func() error {
			found[i] = s.measure(ctx, c)
			return nil
		})
	}
	_ = g.Wait()
	return found
}

// measureLongest is how long an inspection may look, whatever hangs.
func (s *Service) measureLongest() time.Duration {
	return time.Duration((len(s.checks)+atOnce-1)/atOnce) * measureTime
}

// measure asks one check. What does not come back, as a look at a folder of a dead network disk, is left behind and not asked
// again until it does.
func (s *Service) measure(ctx context.Context, c Check) measured {
	ctx, cancel := context.WithTimeout(ctx, measureTime)
	defer cancel()
	type answer struct {
		r   Reading
		err error
	}
	if _, hangs := s.hanging.Load(c.Code); hangs {
		return s.unmeasured(c, errHangs)
	}
	came := make(chan answer, 1)
	go func() {
		r, err := c.Measure(ctx)
		came <- answer{r, err}
	}()
	var a answer
	select {
	case a = <-came:
	case <-ctx.Done():
		a.err = ctx.Err()
		s.hanging.Store(c.Code, true)
		go func() {
			<-came
			s.hanging.Delete(c.Code)
		}()
	}
	if a.err != nil {
		return s.unmeasured(c, a.err)
	}
	if a.r.Text == "" {
		a.r.Text = fmt.Sprintf("%d %s", a.r.Value, c.Unit)
	}
	return measured{check: c, reading: a.r}
}

var errHangs = errors.New("上一次检查没有返回")

func (s *Service) unmeasured(c Check, err error) measured {
	s.Log.Error("a health check could not look", "check", c.Code, "error", err)
	return measured{check: c, reading: Reading{Text: "未能检查：" + cut(err.Error(), 200)}, failed: true}
}

func (m measured) state(warn, bad int64) State {
	if m.failed {
		return Warn
	}
	return m.check.grade(m.reading, warn, bad)
}

// Finding is what one check found, for who asks without storing it.
type Finding struct {
	Group, Title, Text, Advice string
	State                      State
}

// Look measures every check and stores nothing; the limits are those that were set. It is for the command line, whose
// user has the machine.
func (s *Service) Look(ctx context.Context) ([]Finding, error) {
	rows, err := s.states(ctx, s.DB.Read())
	if err != nil {
		return nil, err
	}
	list := make([]Finding, 0, len(s.checks))
	for _, c := range s.checks {
		m := s.measure(ctx, c)
		warn, bad := limitsOf(c, rows[c.Code])
		list = append(list, Finding{Group: c.Group, Title: c.Title, Text: m.reading.Text, Advice: c.Advice, State: m.state(warn, bad)})
	}
	return list, nil
}

// Spell says a length of time in words: 45 秒, 3 分钟, 2 小时 5 分钟, 1 天 3 小时.
func Spell(d time.Duration) string {
	d = d.Abs()
	two := func(a time.Duration, unit string, b time.Duration, part string) string {
		if b == 0 {
			return fmt.Sprintf("%d %s", a, unit)
		}
		return fmt.Sprintf("%d %s %d %s", a, unit, b, part)
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d 秒", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d 分钟", d/time.Minute)
	case d < 24*time.Hour:
		return two(d/time.Hour, "小时", d%time.Hour/time.Minute, "分钟")
	}
	return two(d/(24*time.Hour), "天", d%(24*time.Hour)/time.Hour, "小时")
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
