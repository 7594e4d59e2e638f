package worktime_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/worktime"
)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, clock.Beijing)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func day(text string) worktime.Day {
	d, err := worktime.ParseDay(text)
	if err != nil {
		panic(err)
	}
	return d
}

// office is 2026 as the State Council published it, worked 9 to 12 and 14 to 18.
func office() *worktime.Calendar {
	work := []worktime.Period{{From: 9 * 60, Until: 12 * 60}, {From: 14 * 60, Until: 18 * 60}}
	c := &worktime.Calendar{Weekly: [7][]worktime.Period{1: work, 2: work, 3: work, 4: work, 5: work}, MakeUp: work,
		Off: map[worktime.Day]string{}, On: map[worktime.Day]string{}, Years: []int{2026}}
	off := func(from, until, name string) {
		for d := day(from); d <= day(until); d++ {
			c.Off[d] = name
		}
	}
	off("2026-01-01", "2026-01-03", "元旦节")
	off("2026-02-15", "2026-02-23", "春节")
	off("2026-05-01", "2026-05-05", "劳动节")
	off("2026-09-25", "2026-09-27", "中秋节")
	off("2026-10-01", "2026-10-07", "国庆节")
	for _, d := range []string{"2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"} {
		c.On[day(d)] = "调休"
	}
	return c
}

func minutes(n int, unit worktime.Unit) worktime.Budget {
	return worktime.Budget{Amount: n, Unit: unit}
}

// TestDeadlines are cases that a person can check with a wall calendar.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	c := office()
	days := func(n int) worktime.Budget { return minutes(n, worktime.WorkingDays) }
	hours := func(n int) worktime.Budget { return minutes(n*60, worktime.WorkingMinutes) }
	for _, k := range []struct {
		what   string
		start  string
		b      worktime.Budget
		pauses []worktime.Pause
		due    string
	}{
		{"the day of receipt is not counted", "2026-11-26 10:00", days(1), nil, "2026-11-27 18:00"},
		{"received in the evening, still that day", "2026-11-26 20:00", days(1), nil, "2026-11-27 18:00"},
		{"over a weekend", "2026-11-26 14:00", days(3), nil, "2026-12-01 18:00"},
		{"received on a Saturday", "2026-11-28 10:00", days(1), nil, "2026-11-30 18:00"},
		{"received on a make-up Saturday: the day is not counted either", "2026-10-10 10:00", days(1), nil, "2026-10-12 18:00"},
		{"a make-up day counts", "2026-09-18 10:00", days(1), nil, "2026-09-20 18:00"},
		{"over the Spring Festival and its make-up day", "2026-02-13 10:00", days(2), nil, "2026-02-24 18:00"},
		{"over midnight into a make-up Saturday", "2026-05-08 23:59", days(1), nil, "2026-05-09 18:00"},
		{"one working hour before lunch ends at lunch", "2026-11-26 11:00", hours(1), nil, "2026-11-26 12:00"},
		{"over lunch", "2026-11-26 11:30", hours(1), nil, "2026-11-26 14:30"},
		{"started at lunch", "2026-11-26 12:30", hours(1), nil, "2026-11-26 15:00"},
		{"used up at closing time", "2026-11-26 14:00", hours(4), nil, "2026-11-26 18:00"},
		{"from the evening into the next morning", "2026-11-26 19:00", hours(1), nil, "2026-11-27 10:00"},
		{"from Friday into Monday", "2026-11-27 17:00", hours(2), nil, "2026-11-30 10:00"},
		{"the clock never rests", "2026-02-14 23:30", minutes(120, worktime.ClockMinutes), nil, "2026-02-15 01:30"},
		{"a pause of clock time", "2026-11-26 10:00", minutes(120, worktime.ClockMinutes), []worktime.Pause{{From: at("2026-11-26 11:00"), Until: at("2026-11-28 11:00")}}, "2026-11-28 12:00"},
		{"a pause over a holiday moves nothing", "2026-09-30 10:00", days(2), []worktime.Pause{{From: at("2026-09-30 18:00"), Until: at("2026-10-08 09:00")}}, "2026-10-09 18:00"},
		{"a pause of two working days", "2026-11-23 10:00", days(2), []worktime.Pause{{From: at("2026-11-24 10:00"), Until: at("2026-11-26 10:00")}}, "2026-11-27 18:00"},
		{"a pause of two working hours", "2026-11-23 10:00", days(2), []worktime.Pause{{From: at("2026-11-24 10:00"), Until: at("2026-11-24 12:00")}}, "2026-11-26 11:00"},
		{"pauses that overlap count once", "2026-11-26 09:00", hours(2), []worktime.Pause{{From: at("2026-11-26 10:00"), Until: at("2026-11-26 11:00")}, {From: at("2026-11-26 09:30"), Until: at("2026-11-26 10:30")}}, "2026-11-26 14:30"},
		{"a pause after the deadline", "2026-11-26 09:00", hours(1), []worktime.Pause{{From: at("2026-11-26 10:00"), Until: at("2026-11-27 10:00")}}, "2026-11-26 10:00"},
	} {
		r := worktime.Deadline(at(k.start), k.b, c, k.pauses)
		if !r.Due.Equal(at(k.due)) || r.Held {
			t.Errorf("%s: %s + %s is due %s, want %s", k.what, k.start, k.b, clock.Show(r.Due), k.due)
		}
	}
}

// TestReckoning: the way to the deadline is told.
func TestReckoning(t *testing.T) {
	t.Parallel()
	c := office()
	r := worktime.Deadline(at("2026-09-30 10:00"), minutes(2, worktime.WorkingDays), c, nil)
	if len(r.Counted) != 2 || !r.Counted[0].From.Equal(at("2026-10-08 09:00")) || !r.Counted[1].Until.Equal(at("2026-10-09 18:00")) {
		t.Errorf("counted %v", r.Counted)
	}
	if len(r.Skipped) != 8 || r.Skipped[0].Why != "当日不计入" || r.Skipped[1].Why != "国庆节" || r.Skipped[7].Day != day("2026-10-07") {
		t.Errorf("skipped %v", r.Skipped)
	}
	if len(r.Unknown) != 0 {
		t.Errorf("2026 is known, %v", r.Unknown)
	}
	r = worktime.Deadline(at("2026-12-30 10:00"), minutes(3, worktime.WorkingDays), c, nil)
	if !slices.Equal(r.Unknown, []int{2027}) {
		t.Errorf("crosses into %v", r.Unknown)
	}
	if r = worktime.Deadline(at("2026-12-30 10:00"), minutes(10*24*60, worktime.ClockMinutes), c, nil); len(r.Unknown) != 0 {
		t.Error("clock time asks for no holidays")
	}
	r = worktime.Deadline(at("2026-11-26 09:00"), minutes(120, worktime.WorkingMinutes), c, []worktime.Pause{{From: at("2026-11-26 10:00")}})
	if !r.Held || !r.Due.IsZero() || len(r.Paused) != 1 || !r.Paused[0].Until.IsZero() {
		t.Errorf("held: %+v", r)
	}
	r = worktime.Deadline(at("2026-11-23 10:00"), minutes(2, worktime.WorkingDays), c, []worktime.Pause{{From: at("2026-11-24 10:00"), Until: at("2026-11-24 12:00")}})
	if len(r.Counted) != 3 || !r.Counted[2].From.Equal(at("2026-11-26 09:00")) || !r.Counted[2].Until.Equal(at("2026-11-26 11:00")) || len(r.Paused) != 1 {
		t.Errorf("the two hours after the second day: %+v", r)
	}
	nobody := &worktime.Calendar{}
	if due, held := worktime.Due(at("2026-11-26 09:00"), minutes(1, worktime.WorkingMinutes), nobody, nil); !due.IsZero() || held {
		t.Error("nobody works, yet it is due", due)
	}
	if nobody.Check() == nil {
		t.Error("a calendar without work passed")
	}
}

// world is a calendar of some weeks, pauses and a start, all on whole minutes.
type world struct {
	c      *worktime.Calendar
	pauses []worktime.Pause
	start  time.Time
}

func anyWorld(r *rand.Rand) world {
	periods := func() []worktime.Period {
		var list []worktime.Period
		from := 0
		if r.IntN(3) > 0 {
			from = r.IntN(700)
		}
		for range r.IntN(4) {
			until := min(from+1+r.IntN(400), 24*60)
			if r.IntN(6) == 0 {
				until = 24 * 60 // into midnight, perhaps on into the next day
			}
			list = append(list, worktime.Period{From: from, Until: until})
			from = until + r.IntN(120)
			if from >= 24*60 {
				break
			}
		}
		return list
	}
	w := world{c: &worktime.Calendar{Off: map[worktime.Day]string{}, On: map[worktime.Day]string{}, Years: []int{2026}}}
	for i := range w.c.Weekly {
		if r.IntN(4) > 0 {
			w.c.Weekly[i] = periods()
		}
	}
	w.c.MakeUp = []worktime.Period{{From: 540, Until: 540 + 1 + r.IntN(600)}}
	w.c.Weekly[1+r.IntN(5)] = []worktime.Period{{From: 540, Until: 720}, {From: 840, Until: 1080}}
	first := day("2026-03-01")
	for range r.IntN(20) {
		d := first + worktime.Day(r.IntN(60))
		if r.IntN(3) == 0 {
			w.c.On[d] = "调休"
			delete(w.c.Off, d)
		} else if _, on := w.c.On[d]; !on {
			w.c.Off[d] = "节日"
		}
	}
	w.start = first.At(r.IntN(20 * 24 * 60))
	for range r.IntN(4) {
		from := w.start.Add(time.Duration(r.IntN(15*24*60)) * time.Minute)
		w.pauses = append(w.pauses, worktime.Pause{From: from, Until: from.Add(time.Duration(r.IntN(6*24*60)) * time.Minute)})
	}
	return w
}

// slow is the definition, minute by minute.
func (w world) runs(m time.Time, unit worktime.Unit) bool {
	for _, p := range w.pauses {
		if !m.Before(p.From) && m.Before(p.Until) {
			return false
		}
	}
	return unit == worktime.ClockMinutes || w.works(m)
}

func (w world) works(m time.Time) bool {
	local := m.In(clock.Beijing)
	minute := local.Hour()*60 + local.Minute()
	for _, p := range w.c.Periods(day(local.Format(time.DateOnly))) {
		if minute >= p.From && minute < p.Until {
			return true
		}
	}
	return false
}

func (w world) slow(start time.Time, b worktime.Budget) time.Time {
	left, unit := b.Amount, b.Unit
	if unit == worktime.WorkingDays {
		// The minutes of work until the Nth worked day after that of the start is over, then those minutes without the pauses.
		date, n, minutes := start.In(clock.Beijing).Format(time.DateOnly), 0, 0
		last := ""
		pending := 0
		for m := start; ; m = m.Add(time.Minute) {
			d := m.In(clock.Beijing).Format(time.DateOnly)
			if w.works(m) && d != date && d != last {
				if n++; n > b.Amount {
					break
				}
				last = d
			}
			if w.works(m) {
				pending++
			}
			minutes = pending
		}
		left, unit = minutes, worktime.WorkingMinutes
	}
	m := start
	for ; left > 0; m = m.Add(time.Minute) {
		if w.runs(m, unit) {
			left--
		}
	}
	return m
}

var units = []worktime.Unit{worktime.WorkingMinutes, worktime.WorkingDays, worktime.ClockMinutes}

// TestAgainstMinutes holds the reckoning against the definition, minute by minute, in calendars of every shape.
func TestAgainstMinutes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := anyWorld(r)
		if err := w.c.Check(); err != nil {
			t.Fatalf("%d: %v", seed, err)
		}
		for _, unit := range units {
			b := worktime.Budget{Amount: 1 + r.IntN(1500), Unit: unit}
			if unit == worktime.WorkingDays {
				b.Amount = 1 + r.IntN(6)
			}
			want := w.slow(w.start, b)
			got := worktime.Deadline(w.start, b, w.c, w.pauses)
			if !got.Due.Equal(want) {
				t.Fatalf("%d: %s from %s is due %s, minute by minute %s\n%+v", seed, b, clock.Show(w.start), clock.Show(got.Due), clock.Show(want), w)
			}
			if due, _ := worktime.Due(w.start, b, w.c, w.pauses); !due.Equal(want) {
				t.Fatalf("%d: Due is %s", seed, clock.Show(due))
			}
			if unit == worktime.WorkingDays {
				continue
			}
			if e := worktime.Elapsed(w.start, want, unit, w.c, w.pauses); e != time.Duration(b.Amount)*time.Minute {
				t.Fatalf("%d: %s ran until the deadline of %s", seed, e, b)
			}
			var sum time.Duration
			for _, s := range got.Counted {
				sum += s.Until.Sub(s.From)
			}
			if sum != time.Duration(b.Amount)*time.Minute {
				t.Fatalf("%d: the reckoning counts %s of %s: %+v", seed, sum, b, got.Counted)
			}
		}
	}
}

// TestLaws: a budget may be split, more time is never due earlier, and who starts later is never due earlier.
func TestLaws(t *testing.T) {
	t.Parallel()
	due := func(start time.Time, n int, unit worktime.Unit, w world) time.Time {
		d, _ := worktime.Due(start, minutes(n, unit), w.c, w.pauses)
		return d
	}
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := anyWorld(r)
		for _, unit := range units {
			a, b := r.IntN(900), r.IntN(900)
			later := w.start.Add(time.Duration(r.IntN(3000)) * time.Minute)
			if unit == worktime.WorkingDays {
				a, b, w.pauses = r.IntN(5), r.IntN(5), nil
			}
			if midnight := due(w.start, a, unit, w); unit == worktime.WorkingDays && worktime.DayOf(midnight).At(0).Equal(midnight) {
				continue // a day that is worked until midnight ends with the first moment of the next
			}
			if x, y := due(due(w.start, a, unit, w), b, unit, w), due(w.start, a+b, unit, w); !x.Equal(y) {
				t.Fatalf("%d: %d and then %d %s is %s, both at once %s", seed, a, b, unit, clock.Show(x), clock.Show(y))
			}
			if due(w.start, a+b, unit, w).Before(due(w.start, a, unit, w)) {
				t.Fatalf("%d: more %s is due earlier", seed, unit)
			}
			if a > 0 && due(later, a, unit, w).Before(due(w.start, a, unit, w)) {
				t.Fatalf("%d: a later start is due earlier, %s", seed, unit)
			}
			if d := due(w.start, a, unit, w); d.Before(w.start) {
				t.Fatalf("%d: due before the start", seed)
			}
		}
	}
}

// TestPart: the warning lies between start and deadline and all of it is the deadline.
func TestPart(t *testing.T) {
	t.Parallel()
	c := office()
	for _, k := range []struct {
		start   string
		b       worktime.Budget
		percent int
		want    string
	}{
		{"2026-11-26 09:00", minutes(1, worktime.WorkingDays), 100, "2026-11-27 18:00"},
		{"2026-11-26 14:00", minutes(1, worktime.WorkingDays), 50, "2026-11-27 10:30"}, // 4 hours and 7: half is 5.5
		{"2026-11-26 09:00", minutes(24*60, worktime.ClockMinutes), 75, "2026-11-27 03:00"},
		{"2026-11-26 09:00", minutes(4*60, worktime.WorkingMinutes), 75, "2026-11-26 12:00"},
		{"2026-11-26 10:00", minutes(4*60, worktime.WorkingMinutes), 75, "2026-11-26 15:00"},
	} {
		if got := worktime.Part(at(k.start), k.b, c, nil, k.percent); !got.Equal(at(k.want)) {
			t.Errorf("%d %% of %s: %s, want %s", k.percent, k.b, clock.Show(got), k.want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*worktime.Calendar){
		"": func(*worktime.Calendar) {},
		"重叠": func(c *worktime.Calendar) {
			c.Weekly[1] = []worktime.Period{{From: 540, Until: 720}, {From: 700, Until: 800}}
		},
		"晚于开始":    func(c *worktime.Calendar) { c.Weekly[1] = []worktime.Period{{From: 540, Until: 540}} },
		"至少一天":    func(c *worktime.Calendar) { c.Weekly = [7][]worktime.Period{} },
		"调休上班日的工": func(c *worktime.Calendar) { c.MakeUp = nil },
		"既放假又上班":  func(c *worktime.Calendar) { c.Off[day("2026-10-10")] = "国庆节" },
	} {
		c := office()
		change(c)
		err := c.Check()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
	for _, b := range []worktime.Budget{{}, {Amount: 1}, {Amount: 0, Unit: worktime.WorkingDays}, {Amount: 367, Unit: worktime.WorkingDays}, {Amount: -1, Unit: worktime.ClockMinutes}} {
		if b.Check() == nil {
			t.Errorf("%v passed", b)
		}
	}
	for b, want := range map[worktime.Budget]string{
		{3, worktime.WorkingDays}: "3 个工作日", {240, worktime.WorkingMinutes}: "4 个工作小时", {1440, worktime.ClockMinutes}: "24 小时",
		{7 * 1440, worktime.ClockMinutes}: "7 天", {15, worktime.ClockMinutes}: "15 分钟", {90, worktime.WorkingMinutes}: "90 分钟工作时间",
	} {
		if b.String() != want {
			t.Errorf("%q, want %q", b, want)
		}
	}
}

// TestCalendarText: a calendar survives being written down.
func TestCalendarText(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(office())
	if err != nil {
		t.Fatal(err)
	}
	var back worktime.Calendar
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if !back.Equal(office()) || !strings.Contains(string(raw), `"2026-10-10":"调休"`) {
		t.Errorf("%s", raw)
	}
	for _, d := range []worktime.Day{0, -1, day("2026-02-28"), day("1969-12-31"), day("2100-03-01")} {
		if got := worktime.DayOf(d.At(0)); got != d || worktime.DayOf(d.At(24*60-1)) != d || d.At(0).In(clock.Beijing).Weekday() != d.Weekday() {
			t.Errorf("%s comes back as %s", d, got)
		}
	}
}

// BenchmarkDue reckons thirteen working days, the longest budget of the seed, as each new ticket does.
func BenchmarkDue(b *testing.B) {
	c, start, budget := office(), at("2026-11-26 10:00"), minutes(13, worktime.WorkingDays)
	for b.Loop() {
		if due, _ := worktime.Due(start, budget, c, nil); due.IsZero() {
			b.Fatal("no deadline")
		}
		if worktime.Part(start, budget, c, nil, 75).IsZero() {
			b.Fatal("no warning")
		}
	}
}
