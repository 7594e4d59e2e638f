package operations

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitsTurnFiguresIntoStates(t *testing.T) {
	t.Parallel()
	more := Check{Unit: "秒"}
	less := Check{Unit: "%", Less: true}
	plain := Check{}
	for _, c := range []struct {
		what      string
		check     Check
		reading   Reading
		warn, bad int64
		want      State
	}{
		{"below both", more, Reading{Value: 59}, 60, 600, Normal},
		{"at the first", more, Reading{Value: 60}, 60, 600, Warn},
		{"just below the second", more, Reading{Value: 599}, 60, 600, Warn},
		{"at the second", more, Reading{Value: 600}, 60, 600, Bad},
		{"one limit for both", more, Reading{Value: 1}, 1, 1, Bad},
		{"much is left", less, Reading{Value: 16}, 15, 5, Normal},
		{"little is left", less, Reading{Value: 15}, 15, 5, Warn},
		{"nothing is left", less, Reading{Value: 0}, 15, 5, Bad},
		{"found bad whatever the figure", more, Reading{Value: 0, State: Bad}, 60, 600, Bad},
		{"found noteworthy and over the second", more, Reading{Value: 700, State: Warn}, 60, 600, Bad},
		{"found noteworthy and over the first", more, Reading{Value: 70, State: Warn}, 60, 600, Warn},
		{"no limits", plain, Reading{Value: 1_000_000}, 0, 0, Normal},
		{"no limits, found bad", plain, Reading{State: Bad}, 0, 0, Bad},
	} {
		if got := c.check.grade(c.reading, c.warn, c.bad); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	for _, c := range []struct {
		check     Check
		warn, bad int64
		fits      bool
	}{{more, 1, 1, true}, {more, 2, 1, false}, {less, 15, 5, true}, {less, 5, 15, false}, {more, -1, 5, false}} {
		if c.check.fits(c.warn, c.bad) != c.fits {
			t.Errorf("%d and %d with less=%v: want %v", c.warn, c.bad, c.check.Less, c.fits)
		}
	}
}

func TestSpell(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 秒", 45 * time.Second: "45 秒", time.Minute: "1 分钟", 59*time.Minute + 59*time.Second: "59 分钟", time.Hour: "1 小时",
		2*time.Hour + 5*time.Minute: "2 小时 5 分钟", 27 * time.Hour: "1 天 3 小时", 48 * time.Hour: "2 天", -time.Hour: "1 小时",
	} {
		if got := Spell(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

func TestAMomentStaysForItsTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 4, 0, 0, 0, time.UTC)
	r := stateRow{State: Normal, Since: now.Add(-time.Hour)}
	jump := measured{check: Check{}, reading: Reading{State: Bad, Hold: 10 * time.Minute, Text: "被调快 1 小时"}}
	calm := measured{check: Check{}, reading: Reading{Text: "没有发现跳变"}}
	r.take(jump, now)
	if r.State != Bad || !r.Since.Equal(now) {
		t.Fatalf("%+v", r)
	}
	r.take(calm, now.Add(9*time.Minute))
	if r.State != Bad || r.Text != "被调快 1 小时" || !r.CheckedAt.Equal(now.Add(9*time.Minute)) {
		t.Errorf("within its time: %+v", r)
	}
	back := r
	back.take(calm, now.Add(-time.Hour)) // the clock was set back again: an hour more would be too long
	if back.State != Normal {
		t.Errorf("with the clock set back: %+v", back)
	}
	r.take(calm, now.Add(10*time.Minute))
	if r.State != Normal || r.HoldUntil != nil {
		t.Errorf("after its time: %+v", r)
	}
}

// TestWhatHangsHoldsNothingUp: checks that never come back end with their time, and are not asked again until they do.
func TestWhatHangsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, free := 0, make(chan struct{})
		dead := Check{Code: "dead", Measure: func(context.Context) (Reading, error) {
			asked++
			<-free
			return Reading{Text: "好了"}, nil
		}}
		s := &Service{Deps: Deps{Log: slog.New(slog.DiscardHandler)}, checks: []Check{dead}}
		for i := range 20 {
			s.checks = append(s.checks, Check{Code: fmt.Sprint(i), Measure: func(ctx context.Context) (Reading, error) {
				<-ctx.Done()
				return Reading{}, ctx.Err()
			}})
		}
		begin := time.Now()
		for range 2 {
			for _, m := range s.measureAll(t.Context()) {
				if m.state(0, 0) != Warn {
					t.Errorf("%s: %+v", m.check.Code, m)
				}
			}
			synctest.Wait()
		}
		if took := time.Since(begin); took > 2*s.measureLongest() {
			t.Errorf("two inspections took %s, they may %s each", took, s.measureLongest())
		}
		if asked != 1 {
			t.Errorf("what hangs was asked %d times", asked)
		}
		close(free)
		synctest.Wait()
		if m := s.measure(t.Context(), dead); m.failed || asked != 2 {
			t.Errorf("when it came back: %+v, asked %d times", m, asked)
		}
	})
}
