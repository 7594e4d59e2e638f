package worktime

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Period is a part of a day in which people work, from a minute after midnight until another one.
type Period struct {
	From  int `json:"from"`
	Until int `json:"until"`
}

// String is the period as 09:00–12:00.
func (p Period) String() string {
	return fmt.Sprintf("%02d:%02d–%02d:%02d", p.From/60, p.From%60, p.Until/60, p.Until%60)
}

// Calendar says when people work. It is a value that nobody changes once it is used.
type Calendar struct {
	// Number tells versions of a calendar apart; a later one has the higher number.
	Number int64 `json:"number"`
	// Weekly are the periods of each weekday, from Sunday on, in order and apart. A day without periods is not worked.
	Weekly [7][]Period `json:"weekly"`
	// MakeUp are the periods of a make-up working day.
	MakeUp []Period `json:"makeUp"`
	// Off are the days that are not worked though their weekday is, and Sundays and Saturdays that belong to a holiday, with
	// its name. On are the make-up working days, with theirs.
	Off map[Day]string `json:"off"`
	On  map[Day]string `json:"on"`
	// Years are the years whose holidays are known. In others the weekdays alone decide, and a deadline that touches one says so.
	Years []int `json:"years"`
}

// Check says what makes the calendar unusable; a calendar that passes finds an end to every budget.
func (c *Calendar) Check() error {
	worked := false
	for i, list := range append(c.Weekly[:len(c.Weekly):len(c.Weekly)], c.MakeUp) {
		last := -1
		for _, p := range list {
			if p.From < 0 || p.Until > 24*60 || p.From >= p.Until {
				return fmt.Errorf("时段 %s 不正确，结束时间须晚于开始时间", p)
			}
			if p.From < last {
				return fmt.Errorf("时段 %s 与前一时段重叠，请按先后填写", p)
			}
			last = p.Until
		}
		worked = worked || i < 7 && len(list) > 0
	}
	switch {
	case !worked:
		return errors.New("每周至少一天要有工作时段")
	case len(c.On) > 0 && len(c.MakeUp) == 0:
		return errors.New("设置了调休上班的日子，请填写调休上班日的工作时段")
	}
	for d := range c.On {
		if _, both := c.Off[d]; both {
			return fmt.Errorf("%s不能既放假又上班", d.Show())
		}
	}
	return nil
}

// Periods are the periods worked on the day; none on a day off. The caller does not change them.
func (c *Calendar) Periods(d Day) []Period {
	if _, on := c.On[d]; on {
		return c.MakeUp
	}
	if _, off := c.Off[d]; off {
		return nil
	}
	return c.Weekly[d.Weekday()]
}

// Why names the reason for which the day is not worked, "" when it is.
func (c *Calendar) Why(d Day) string {
	if len(c.Periods(d)) > 0 {
		return ""
	}
	if name, off := c.Off[d]; off && name != "" {
		return name
	} else if off {
		return "放假"
	}
	return "周末"
}

// Knows reports whether the holidays of the year are known.
func (c *Calendar) Knows(year int) bool { return slices.Contains(c.Years, year) }

// Equal reports whether two calendars count alike, whatever their numbers.
func (c *Calendar) Equal(o *Calendar) bool {
	for i := range c.Weekly {
		if !slices.Equal(c.Weekly[i], o.Weekly[i]) {
			return false
		}
	}
	return slices.Equal(c.MakeUp, o.MakeUp) && maps.Equal(c.Off, o.Off) && maps.Equal(c.On, o.On) && slices.Equal(c.Years, o.Years)
}

// Unit is what an amount of time is counted in.
type Unit string

// The units.
const (
	WorkingMinutes Unit = "working_minutes"
	WorkingDays    Unit = "working_days"
	ClockMinutes   Unit = "clock_minutes"
)

// Known reports whether u is one of the units.
func (u Unit) Known() bool { return u == WorkingMinutes || u == WorkingDays || u == ClockMinutes }

// Budget is how much time there is.
type Budget struct {
	Amount int  `json:"amount"`
	Unit   Unit `json:"unit"`
}

// maxAmount bounds a budget to about a year of minutes, and to as many working days.
func (u Unit) maxAmount() int {
	if u == WorkingDays {
		return 366
	}
	return 366 * 24 * 60
}

// Check says what is wrong with the budget: an unknown unit, or an amount that is not between nothing and a year.
func (b Budget) Check() error {
	if !b.Unit.Known() {
		return errors.New("请选择计时单位：工作日、工作时间或自然时间")
	}
	if b.Amount <= 0 || b.Amount > b.Unit.maxAmount() {
		return errors.New("时限须大于零且不超过一年")
	}
	return nil
}

// String says the budget in words: 3 个工作日, 4 个工作小时, 24 小时.
func (b Budget) String() string {
	if b.Unit == WorkingDays {
		return fmt.Sprintf("%d 个工作日", b.Amount)
	}
	work := ""
	if b.Unit == WorkingMinutes {
		work = "工作"
	}
	switch h := b.Amount / 60; {
	case b.Unit == ClockMinutes && b.Amount%(24*60) == 0 && b.Amount > 24*60:
		return fmt.Sprintf("%d 天", b.Amount/(24*60))
	case b.Amount%60 == 0 && work != "":
		return fmt.Sprintf("%d 个工作小时", h)
	case b.Amount%60 == 0:
		return fmt.Sprintf("%d 小时", h)
	case work != "":
		return fmt.Sprintf("%d 分钟工作时间", b.Amount)
	}
	return fmt.Sprintf("%d 分钟", b.Amount)
}

// Span is a stretch of time.
type Span struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// Pause is a stretch in which the clock stands still. The zero Until is a pause that has not ended.
type Pause struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// Open reports whether the pause has not ended.
func (p Pause) Open() bool { return p.Until.IsZero() }
