package ticket

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/worktime"
)

// ClockView is a clock with the reckoning of its deadline.
type ClockView struct {
	ID        int64     `json:"id"`
	Kind      ClockKind `json:"kind" enum:"public,reopened,sign,handle,urge"`
	Label     string    `json:"label"`
	UnitName  string    `json:"unitName,omitempty"`
	State     string    `json:"state" enum:"running,paused,stopped"`
	Budget    string    `json:"budget" doc:"In words: 3 个工作日."`
	StartedAt time.Time `json:"startedAt"`
	// DueAt is the deadline; of a clock that stands still the one it had before.
	DueAt     time.Time  `json:"dueAt"`
	WarnAt    *time.Time `json:"warnAt,omitempty"`
	StoppedAt *time.Time `json:"stoppedAt,omitempty"`
	Verdict   Verdict    `json:"verdict,omitempty" enum:"met,late,replaced,ended"`
	// Overdue says by how much the deadline was passed, in words; empty when it was not.
	Overdue string `json:"overdue,omitempty"`
	// Sentence is the whole reckoning as one sentence, Counted and Skipped its parts.
	Sentence string      `json:"sentence"`
	Counted  []string    `json:"counted"`
	Skipped  []string    `json:"skipped"`
	Pauses   []PauseView `json:"pauses"`
	// Notes are what else decided: the public clock, an extension, a year without holidays.
	Notes []string `json:"notes"`
}

// PauseView is a span in which a clock stood still.
type PauseView struct {
	From   time.Time  `json:"from"`
	Until  *time.Time `json:"until,omitempty" doc:"Absent while it lasts."`
	Reason string     `json:"reason,omitempty"`
}

// Clocks explains the clocks of a ticket, in the order in which they began. Requesters get the public ones. It returns
// ErrNotFound when the actor cannot see the ticket.
func (s *Service) Clocks(ctx context.Context, actor access.Actor, id int64) ([]ClockView, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	db := s.db.Read()
	if _, err := find(ctx, db, visible(actor), id); err != nil {
		return nil, err
	}
	rows, err := allClocks(ctx, db, id)
	if err != nil {
		return nil, err
	}
	names := map[int64]string{}
	if actor.Party != access.Enterprise {
		list, err := hops(ctx, db, id)
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			names[h.ID] = h.UnitName
		}
	}
	now := s.clock.Now()
	views := []ClockView{}
	for i := range rows {
		c := &rows[i]
		if actor.Party == access.Enterprise && !c.Kind.public() {
			continue
		}
		cal, err := s.calendarOf(ctx, db, c.Calendar)
		if err != nil {
			return nil, err
		}
		v, err := c.explain(cal, now)
		if err != nil {
			return nil, err
		}
		v.UnitName = names[c.HopID]
		views = append(views, v)
	}
	return views, nil
}

// explain reckons the deadline again and puts it in words.
func (c *Clock) explain(cal *worktime.Calendar, now time.Time) (ClockView, error) {
	v := ClockView{
		ID: c.ID, Kind: c.Kind, Label: c.Kind.Label(), State: "running", Budget: c.budget().String(), StartedAt: c.StartedAt.UTC(), DueAt: c.DueAt.UTC(),
		Verdict: c.Verdict, Counted: []string{}, Skipped: []string{}, Pauses: []PauseView{}, Notes: []string{},
	}
	if !c.WarnAt.IsZero() {
		v.WarnAt = utc(&c.WarnAt)
	}
	end := now
	switch {
	case !c.running():
		v.State, v.StoppedAt, end = "stopped", utc(&c.StoppedAt), c.StoppedAt
	case c.Paused:
		v.State = "paused"
	}
	pauses, err := c.pauses()
	if err != nil {
		return v, err
	}
	for _, p := range pauses {
		pv := PauseView{From: p.From.UTC(), Reason: p.Reason}
		if !p.Open() {
			pv.Until = utc(&p.Until)
		}
		v.Pauses = append(v.Pauses, pv)
	}
	b := c.budget()
	if b.Unit == worktime.WorkingDays {
		b.Amount += c.ExtraDays
	}
	r := worktime.Deadline(c.StartedAt, b, cal, pauses)
	if c.ExtraDays > 0 && b.Unit != worktime.WorkingDays && !r.Held {
		more := worktime.Deadline(r.Due, worktime.Budget{Amount: c.ExtraDays, Unit: worktime.WorkingDays}, cal, pauses)
		r.Due, r.Held, r.Unknown = more.Due, more.Held, more.Unknown
		r.Counted, r.Skipped = append(r.Counted, more.Counted...), append(r.Skipped, more.Skipped...)
	}
	v.Counted, v.Skipped = countedWords(b, r), worktime.SkippedWords(r.Skipped)
	v.Notes = c.notes(r)
	if end.After(c.DueAt) && !c.Paused && c.Verdict != Replaced && c.Verdict != Ended {
		v.Overdue = spellTime(worktime.Elapsed(c.DueAt, end, b.Unit, cal, pauses), b.Unit)
	}
	v.Sentence = c.sentence(b, &v)
	return v, nil
}

// notes are what the budget alone does not explain.
func (c *Clock) notes(r worktime.Reckoning) []string {
	notes := []string{}
	if c.ExtraDays > 0 {
		notes = append(notes, fmt.Sprintf("已批准延期 %d 个工作日", c.ExtraDays))
	}
	switch {
	case r.Held, c.DueAt.Equal(r.Due):
	case c.Follows:
		notes = append(notes, "承办单位经批准延期，办理时限随之顺延")
	case !c.Kind.public() && c.DueAt.Before(r.Due):
		notes = append(notes, "承办单位的时限不超过工单办理时限，按"+clock.Show(c.DueAt)+"计")
	}
	for _, y := range r.Unknown {
		notes = append(notes, unknownYear(y))
	}
	return notes
}

// unknownYear warns of a year whose holidays nobody has set.
func unknownYear(year int) string {
	return fmt.Sprintf("%d年度日历未维护，按周一至周五计算，节假日安排公布后时限可能调整", year)
}

func (c *Clock) sentence(b worktime.Budget, v *ClockView) string {
	parts := []string{fmt.Sprintf("%s：%s起", b, worktime.Moment(c.StartedAt))}
	if b.Unit == worktime.ClockMinutes && len(v.Pauses) == 0 {
		parts[0] += "连续计算"
	} else if len(v.Counted) > 0 {
		parts = append(parts, "计入"+strings.Join(v.Counted, "、"))
	}
	if len(v.Skipped) > 0 {
		parts = append(parts, "不计"+strings.Join(v.Skipped, "、"))
	}
	for _, p := range v.Pauses {
		if p.Until == nil {
			parts = append(parts, worktime.Moment(p.From)+"起挂起，暂停计时")
		} else {
			parts = append(parts, worktime.Moment(p.From)+"至"+worktime.Moment(*p.Until)+"挂起，不计时")
		}
	}
	parts = append(parts, v.Notes...)
	if v.State != "paused" {
		parts = append(parts, "截止"+worktime.Moment(c.DueAt))
	}
	return strings.Join(parts, "；") + "。"
}

// countedWords names what was counted: the days of a budget in working days, and spans of time.
func countedWords(b worktime.Budget, r worktime.Reckoning) []string {
	words := []string{}
	for i, s := range r.Counted {
		// A span that ends at midnight ends on the day before.
		from, last := worktime.DayOf(s.From), worktime.DayOf(s.Until.Add(-time.Second))
		switch {
		case b.Unit == worktime.WorkingDays && i < b.Amount:
			words = append(words, from.Show())
		case from == last:
			words = append(words, from.Show()+s.From.In(clock.Beijing).Format("15:04")+"–"+until(s.Until, last))
		default:
			words = append(words, worktime.Moment(s.From)+"至"+last.Show()+until(s.Until, last))
		}
	}
	return words
}

// until is the time of the day, 24:00 for its end.
func until(at time.Time, day worktime.Day) string {
	if at.Equal((day + 1).At(0)) {
		return "24:00"
	}
	return at.In(clock.Beijing).Format("15:04")
}

// spellTime says a span in hours and minutes.
func spellTime(d time.Duration, unit worktime.Unit) string {
	if d < time.Minute {
		return "不足 1 分钟"
	}
	h, m := int(d/time.Hour), int(d%time.Hour/time.Minute)
	text := ""
	if h > 0 {
		text = fmt.Sprintf("%d 小时", h)
	}
	if m > 0 {
		text = strings.TrimSpace(fmt.Sprintf("%s %d 分钟", text, m))
	}
	if unit != worktime.ClockMinutes {
		text += "（工作时间）"
	}
	return text
}
