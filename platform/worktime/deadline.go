package worktime

import (
	"slices"
	"time"
)

// farthest is how many days a walk goes before it gives up: no budget that Check lets pass needs as many in a calendar that
// Check lets pass, unless the calendar gives almost every day off.
const farthest = 40 * 366

// Reckoning is a deadline and how it came about.
type Reckoning struct {
	// Due is when the time runs out. It is zero while a pause that has not ended holds it, and in a calendar without work.
	Due time.Time `json:"due"`
	// Held says that a pause that has not ended holds the clock before its deadline.
	Held bool `json:"held"`
	// Counted are the stretches in which the clock ran; with working days, the days that were counted, each from its first
	// minute of work until its last, and what a pause made it need after them.
	Counted []Span `json:"counted"`
	// Skipped are the days from start to deadline that were not counted, each with the reason; none with clock minutes.
	Skipped []Skip `json:"skipped"`
	// Paused are the pauses that made the deadline later, cut to the time they took of it.
	Paused []Span `json:"paused"`
	// Unknown are the years it touches whose holidays the calendar does not know. The deadline may move when they are published.
	Unknown []int `json:"unknown"`
}

// Skip is a day that was not counted: one that was not worked, or the day of the start when working days are counted.
type Skip struct {
	Day Day    `json:"day"`
	Why string `json:"why"`
}

// Deadline says when the budget that starts at start runs out, and why. It depends on nothing but its arguments. Pauses may be
// given in any order and may overlap. The amount zero ends at once.
func Deadline(start time.Time, b Budget, c *Calendar, pauses []Pause) Reckoning {
	r := Reckoning{Counted: []Span{}, Skipped: []Skip{}, Paused: []Span{}, Unknown: []int{}}
	w := walk{c: c, pauses: tidy(pauses), note: &r}
	r.Due = w.due(start, b)
	r.Held = w.held
	end := r.Due
	if end.IsZero() {
		end = start
		if w.held {
			end = w.at
		}
	}
	if b.Unit == ClockMinutes {
		return r // no day is skipped and no holiday asked for
	}
	for d := DayOf(start); d <= DayOf(end); d++ {
		if why := c.Why(d); why != "" {
			r.Skipped = append(r.Skipped, Skip{Day: d, Why: why})
		} else if b.Unit == WorkingDays && d == DayOf(start) {
			r.Skipped = append(r.Skipped, Skip{Day: d, Why: "当日不计入"})
		}
		if y := d.Year(); !c.Knows(y) && !slices.Contains(r.Unknown, y) {
			r.Unknown = append(r.Unknown, y)
		}
	}
	return r
}

// Due is Deadline without the reckoning. held is Reckoning.Held.
func Due(start time.Time, b Budget, c *Calendar, pauses []Pause) (due time.Time, held bool) {
	w := walk{c: c, pauses: tidy(pauses)}
	due = w.due(start, b)
	return due, w.held
}

// Part says when the share of the budget, in percent, is used up: the moment of a warning. For working days it is a share of
// the working time between start and the end of the last day.
func Part(start time.Time, b Budget, c *Calendar, pauses []Pause, percent int) time.Time {
	w := walk{c: c, pauses: tidy(pauses)}
	switch b.Unit {
	case ClockMinutes:
		return w.run(start, share(time.Duration(b.Amount)*time.Minute, percent), always)
	case WorkingDays:
		base := w.base(start, b.Amount)
		if base.IsZero() {
			return base
		}
		return w.run(start, share(Worked(start, base, c, nil), percent), w.worked)
	}
	return w.run(start, share(time.Duration(b.Amount)*time.Minute, percent), w.worked)
}

func share(d time.Duration, percent int) time.Duration {
	return (d * time.Duration(percent) / 100).Truncate(time.Second)
}

// Worked is the working time between two moments without the pauses; zero when until is not after from.
func Worked(from, until time.Time, c *Calendar, pauses []Pause) time.Duration {
	return running(from, until, pauses, (&walk{c: c}).worked)
}

// Elapsed is the time in which the clock ran between two moments: clock time for clock minutes, working time for the others.
func Elapsed(from, until time.Time, unit Unit, c *Calendar, pauses []Pause) time.Duration {
	if unit == ClockMinutes {
		return running(from, until, pauses, always)
	}
	return Worked(from, until, c, pauses)
}

func running(from, until time.Time, pauses []Pause, next stretch) time.Duration {
	var sum time.Duration
	stops := tidy(pauses)
	for at := from; at.Before(until); {
		s, ok := next(at)
		if !ok || !s.From.Before(until) {
			break
		}
		if s.Until.IsZero() || s.Until.After(until) {
			s.Until = until
		}
		sum += s.Until.Sub(s.From)
		for _, p := range stops {
			if o := cut(p, s); o > 0 {
				sum -= o
			}
		}
		at = s.Until
	}
	return sum
}

// cut is how much of the stretch the pause takes.
func cut(p Pause, s Span) time.Duration {
	if p.From.After(s.From) {
		s.From = p.From
	}
	if !p.Open() && p.Until.Before(s.Until) {
		s.Until = p.Until
	}
	return s.Until.Sub(s.From)
}

// stretch finds the first stretch in which a clock runs at or after a moment, cut to begin there. The zero Until has no end.
// It returns false when there is none.
type stretch func(at time.Time) (Span, bool)

func always(at time.Time) (Span, bool) { return Span{From: at}, true }

// walk goes through time with a calendar.
type walk struct {
	c      *Calendar
	pauses []Pause
	note   *Reckoning // nil when nobody asks why
	held   bool
	at     time.Time // where it was held
}

// worked finds the next stretch of working time.
func (w *walk) worked(at time.Time) (Span, bool) {
	d := DayOf(at)
	for range farthest {
		for _, p := range w.c.Periods(d) {
			if until := d.At(p.Until); until.After(at) {
				from := d.At(p.From)
				if from.Before(at) {
					from = at
				}
				return Span{From: from, Until: until}, true
			}
		}
		d++
	}
	return Span{}, false
}

// base is the end of the Nth working day after the day of start.
func (w *walk) base(start time.Time, n int) time.Time {
	d := DayOf(start)
	for range farthest {
		d++
		if p := w.c.Periods(d); len(p) > 0 {
			if w.note != nil {
				w.note.Counted = append(w.note.Counted, Span{From: d.At(p[0].From), Until: d.At(p[len(p)-1].Until)})
			}
			if n--; n <= 0 {
				return d.At(p[len(p)-1].Until)
			}
		}
	}
	return time.Time{}
}

func (w *walk) due(start time.Time, b Budget) time.Time {
	switch {
	case b.Amount <= 0:
		return start
	case b.Unit == ClockMinutes:
		return w.run(start, time.Duration(b.Amount)*time.Minute, always)
	case b.Unit == WorkingMinutes:
		return w.run(start, time.Duration(b.Amount)*time.Minute, w.worked)
	}
	base := w.base(start, b.Amount)
	if base.IsZero() || len(w.pauses) == 0 {
		return base
	}
	// What runs is the working time until the end of the last day; the pauses push it on.
	days := w.note
	w.note = nil
	if days != nil {
		w.note = &Reckoning{}
	}
	due := w.run(start, Worked(start, base, w.c, nil), w.worked)
	if days != nil {
		days.Paused = w.note.Paused
		for _, s := range w.note.Counted {
			if s.Until.After(base) {
				if s.From.Before(base) {
					s.From = base
				}
				days.Counted = append(days.Counted, s)
			}
		}
		w.note = days
	}
	return due
}

// run uses the amount up where next runs and no pause holds, and returns when it is gone.
func (w *walk) run(start time.Time, left time.Duration, next stretch) time.Time {
	if left <= 0 {
		return start
	}
	at, pauses := start, w.pauses
	for {
		s, ok := next(at)
		if !ok {
			return time.Time{}
		}
		// The pauses that ended before are behind; the first of the others may begin before the stretch ends.
		for len(pauses) > 0 && !pauses[0].Open() && !pauses[0].Until.After(s.From) {
			pauses = pauses[1:]
		}
		stop := s.Until
		paused := len(pauses) > 0 && (stop.IsZero() || pauses[0].From.Before(stop))
		if paused {
			stop = pauses[0].From
		}
		if !stop.IsZero() && !stop.After(s.From) { // held from the beginning
			stop = s.From
		}
		if stop.IsZero() || stop.Sub(s.From) >= left {
			end := s.From.Add(left)
			w.count(s.From, end)
			return end
		}
		w.count(s.From, stop)
		left -= stop.Sub(s.From)
		at = stop
		if !paused {
			continue
		}
		if pauses[0].Open() {
			w.held, w.at = true, stop
			w.pause(stop, time.Time{})
			return time.Time{}
		}
		w.pause(stop, pauses[0].Until)
		at = pauses[0].Until
	}
}

func (w *walk) count(from, until time.Time) {
	if w.note != nil && until.After(from) {
		w.note.Counted = append(w.note.Counted, Span{From: from, Until: until})
	}
}

func (w *walk) pause(from, until time.Time) {
	if w.note != nil {
		w.note.Paused = append(w.note.Paused, Span{From: from, Until: until})
	}
}

// tidy puts pauses in order, joined where they touch; those that end before they begin are dropped.
func tidy(pauses []Pause) []Pause {
	if len(pauses) == 0 {
		return nil
	}
	list := slices.Clone(pauses)
	slices.SortStableFunc(list, func(a, b Pause) int { return a.From.Compare(b.From) })
	var out []Pause
	for _, p := range list {
		if !p.Open() && !p.Until.After(p.From) {
			continue
		}
		if n := len(out); n > 0 && (out[n-1].Open() || !p.From.After(out[n-1].Until)) {
			if !out[n-1].Open() && (p.Open() || p.Until.After(out[n-1].Until)) {
				out[n-1].Until = p.Until
			}
			continue
		}
		out = append(out, p)
	}
	return out
}
