package application

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/huiqi/huiqi/platform/worktime"
)

// DueFor is what must be done before a deadline.
type DueFor string

// What a deadline is for; "" when none runs.
const (
	DueAccept  DueFor = "accept"  // the institution accepts or declines
	DueHandle  DueFor = "handle"  // the institution comes to a result
	DueConfirm DueFor = "confirm" // the company confirms what was delivered, or objects
)

var dueWords = map[DueFor]string{DueAccept: "受理时限", DueHandle: "办理时限", DueConfirm: "确认期限"}

// Label is what the deadline is called.
func (d DueFor) Label() string { return dueWords[d] }

// Rung is how much of a running deadline was told.
type Rung string

// The rungs.
const (
	Silent   Rung = ""
	Warned   Rung = "warned"
	Breached Rung = "breached"
)

// pauses are kept as JSON text on both databases.
type pauses []worktime.Pause

// Value writes them.
func (p pauses) Value() (driver.Value, error) {
	if len(p) == 0 {
		return "", nil
	}
	b, err := json.Marshal([]worktime.Pause(p))
	return string(b), err
}

// Scan reads them.
func (p *pauses) Scan(src any) error {
	return scanJSON(src, (*[]worktime.Pause)(p))
}

// scanJSON reads a column of JSON text; "" leaves what is there.
func scanJSON(src, into any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			return nil
		}
		return json.Unmarshal([]byte(v), into)
	case []byte:
		if len(v) == 0 {
			return nil
		}
		return json.Unmarshal(v, into)
	}
	return fmt.Errorf("JSON from %T", src)
}

// Due is the deadline of an application: one runs at a time. It is embedded in Application.
type Due struct {
	For      DueFor     `bun:"due_for,notnull"`
	From     time.Time  `bun:"due_from,notnull"`
	Days     int        `bun:"due_days,notnull"` // working days
	Calendar int64      `bun:"due_calendar,notnull"`
	At       time.Time  `bun:"due_at,notnull"` // of the last deadline, when none runs
	Percent  int        `bun:"due_percent,notnull"`
	HeldAt   *time.Time `bun:"due_held_at"` // waits for the company since
	Pauses   pauses     `bun:"due_pauses,notnull"`
	RingAt   *time.Time `bun:"ring_at"` // when somebody has to be told next
	Rung     Rung       `bun:"rung,notnull"`
}

func (d *Due) budget() worktime.Budget {
	return worktime.Budget{Amount: d.Days, Unit: worktime.WorkingDays}
}

// start lets the deadline run anew.
func (d *Due) start(what DueFor, now time.Time, days, percent int, cal *worktime.Calendar) {
	*d = Due{For: what, From: now, Days: days, Percent: percent}
	d.reckon(now, cal)
}

// reckon says when it is due by the calendar, and when to ring next.
func (d *Due) reckon(now time.Time, cal *worktime.Calendar) {
	d.Calendar = cal.Number
	d.At, _ = worktime.Due(d.From, d.budget(), cal, d.Pauses)
	warn := worktime.Part(d.From, d.budget(), cal, d.Pauses, d.Percent)
	switch {
	case d.HeldAt != nil:
		d.RingAt = nil
	case d.Rung == Silent && !warn.IsZero() && warn.Before(d.At):
		d.RingAt = &warn
	case d.Rung == Breached && !now.Before(d.At):
		d.RingAt = nil
	default: // a calendar may have moved a deadline that was over: it is told again
		if d.Rung == Breached {
			d.Rung = Warned
		}
		at := d.At
		d.RingAt = &at
	}
}

// stop ends the deadline; when it was is kept.
func (d *Due) stop() {
	*d = Due{From: d.From, At: d.At, Days: d.Days, Calendar: d.Calendar}
}

// hold stops the clock until go on.
func (d *Due) hold(now time.Time) {
	if d.For != "" && d.HeldAt == nil {
		d.HeldAt, d.RingAt = &now, nil
	}
}

// goOn lets a held clock run on.
func (d *Due) goOn(now time.Time, cal *worktime.Calendar) {
	if d.HeldAt == nil {
		return
	}
	d.Pauses = append(d.Pauses[:len(d.Pauses):len(d.Pauses)], worktime.Pause{From: *d.HeldAt, Until: now, Reason: "等待企业补充材料"})
	d.HeldAt = nil
	d.reckon(now, cal)
}

// over reports whether the time has passed.
func (d *Due) over(now time.Time) bool {
	return d.For != "" && d.HeldAt == nil && now.After(d.At)
}

// DueView is a deadline in words.
type DueView struct {
	For     DueFor    `json:"for" enum:"accept,handle,confirm"`
	Label   string    `json:"label"`
	Budget  string    `json:"budget"`
	From    time.Time `json:"from"`
	At      time.Time `json:"at"`
	Held    bool      `json:"held" doc:"Stands still while the company is to supply something."`
	Overdue bool      `json:"overdue"`
	// Sentence says how the deadline came about.
	Sentence string `json:"sentence"`
}

// view explains the deadline that runs, nil when none does.
func (d *Due) view(cal *worktime.Calendar, now time.Time) *DueView {
	if d.For == "" {
		return nil
	}
	v := &DueView{For: d.For, Label: dueWords[d.For], From: d.From.UTC(), At: d.At.UTC(), Held: d.HeldAt != nil, Overdue: d.over(now)}
	if d.Days == 0 { // begun under the rule before: a number of hours
		v.Budget = worktime.Budget{Amount: int(d.At.Sub(d.From).Minutes()), Unit: worktime.ClockMinutes}.String()
		v.Sentence = fmt.Sprintf("%s：%s起连续计算，截止%s。", v.Budget, worktime.Moment(d.From), worktime.Moment(d.At))
		return v
	}
	b := d.budget()
	v.Budget = b.String()
	r := worktime.Deadline(d.From, b, cal, d.Pauses)
	parts := []string{fmt.Sprintf("%s：%s起，按工作日计算", v.Budget, worktime.Moment(d.From))}
	if words := worktime.SkippedWords(r.Skipped); len(words) > 0 {
		parts = append(parts, "不计"+strings.Join(words, "、"))
	}
	for _, p := range d.Pauses {
		parts = append(parts, worktime.Moment(p.From)+"至"+worktime.Moment(p.Until)+"等待企业补充材料，不计时")
	}
	for _, y := range r.Unknown {
		parts = append(parts, fmt.Sprintf("%d年度日历未维护，节假日安排公布后时限可能调整", y))
	}
	if d.HeldAt != nil {
		parts = append(parts, worktime.Moment(*d.HeldAt)+"起等待企业补充材料，暂停计时")
	} else {
		parts = append(parts, "截止"+worktime.Moment(d.At))
	}
	v.Sentence = strings.Join(parts, "；") + "。"
	return v
}
