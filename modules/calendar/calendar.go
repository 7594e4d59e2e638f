package calendar

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/worktime"
)

// State is where a version stands.
type State string

// The states.
const (
	Draft      State = "draft"
	Published  State = "published"
	Superseded State = "superseded"
)

// The permissions of the module.
const (
	PermView   access.Permission = "calendar.view"
	PermManage access.Permission = "calendar.manage"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "系统", Label: "查看工作日历"},
		{Name: PermManage, Group: "系统", Label: "维护和发布工作日历"},
	}
}

// The faults of the module.
var (
	ErrNotFound = fault.ErrNotFound
	// ErrStale: somebody changed the draft after the actor saw it.
	ErrStale = fault.New(fault.Conflict, "CHANGED", "日历草稿已被他人修改，请刷新后再操作")
	// ErrNotDraft: a version that was published stays as it is.
	ErrNotDraft = fault.New(fault.Conflict, "CALENDAR_STATE", "已发布的日历不能修改，请新建草稿")
	// ErrSame: a draft like the version in force has nothing to publish.
	ErrSame = fault.New(fault.Conflict, "CALENDAR_SAME", "草稿与现行日历相同，没有需要发布的内容")
	// ErrOutdated: another version was put in force after the draft was begun.
	ErrOutdated = fault.New(fault.Conflict, "CALENDAR_OUTDATED", "草稿建立后已发布了新的日历，请删除草稿后重新编辑")
)

// version is a row.
type version struct {
	bun.BaseModel `bun:"table:calendar_versions,alias:v"`

	ID          int64      `bun:"id,pk,autoincrement"`
	State       State      `bun:"state,notnull"`
	BaseID      int64      `bun:"base_id,nullzero"` // the version in force when it was begun
	Note        string     `bun:"note,notnull"`
	Definition  string     `bun:"definition,notnull"`
	Version     int64      `bun:"version,notnull"`
	CreatedAt   time.Time  `bun:"created_at,notnull"`
	CreatedBy   string     `bun:"created_by,notnull"`
	ChangedAt   time.Time  `bun:"changed_at,notnull"`
	ChangedBy   string     `bun:"changed_by,notnull"`
	PublishedAt *time.Time `bun:"published_at"`
	PublishedBy string     `bun:"published_by,notnull"`
}

// calendar reads the definition.
func (v *version) calendar() (*worktime.Calendar, error) {
	c := new(worktime.Calendar)
	if err := json.Unmarshal([]byte(v.Definition), c); err != nil {
		return nil, fmt.Errorf("calendar version %d: %w", v.ID, err)
	}
	c.Number = v.ID
	return c, nil
}

// Exception is a day that differs from its weekday.
type Exception struct {
	Day  string `json:"day" doc:"2026-10-01"`
	Work bool   `json:"work" doc:"A make-up working day; otherwise a day off."`
	Name string `json:"name" doc:"Of the holiday."`
}

// Definition is a calendar as it is edited. Minutes count from midnight.
type Definition struct {
	// Weekly are the periods of Sunday to Saturday.
	Weekly [][]worktime.Period `json:"weekly" minItems:"7" maxItems:"7"`
	MakeUp []worktime.Period   `json:"makeUp" maxItems:"10"`
	Days   []Exception         `json:"days" maxItems:"4000"`
	Years  []int               `json:"years" maxItems:"50" doc:"The years whose holidays are set."`
}

const (
	maxName     = 20
	firstYear   = 2000
	lastYear    = 2100
	mostPeriods = 10
)

// Calendar checks the definition and returns its calendar, without a number.
func (d Definition) Calendar() (*worktime.Calendar, error) {
	c := &worktime.Calendar{MakeUp: d.MakeUp, Off: map[worktime.Day]string{}, On: map[worktime.Day]string{}, Years: slices.Clone(d.Years)}
	if len(d.Weekly) != 7 {
		return nil, fault.InvalidField("weekly", "CALENDAR", "请填写周日至周六的工作时段")
	}
	for i, list := range d.Weekly {
		if len(list) > mostPeriods || len(d.MakeUp) > mostPeriods {
			return nil, fault.InvalidField("weekly", "CALENDAR", fmt.Sprintf("每天最多 %d 个时段", mostPeriods))
		}
		c.Weekly[i] = list
	}
	for _, y := range c.Years {
		if y < firstYear || y > lastYear {
			return nil, fault.InvalidField("years", "CALENDAR", fmt.Sprintf("年度 %d 不正确", y))
		}
	}
	slices.Sort(c.Years)
	c.Years = slices.Compact(c.Years)
	for _, e := range d.Days {
		day, err := worktime.ParseDay(e.Day)
		if err != nil || day.Year() < firstYear || day.Year() > lastYear {
			return nil, fault.InvalidField("days", "CALENDAR", fmt.Sprintf("日期 %q 不正确", e.Day))
		}
		if utf8.RuneCountInString(e.Name) > maxName {
			return nil, fault.InvalidField("days", "CALENDAR", fmt.Sprintf("%s的名称最多 %d 个字", day.Show(), maxName))
		}
		_, off := c.Off[day]
		_, on := c.On[day]
		if off || on {
			return nil, fault.InvalidField("days", "CALENDAR", day.Show()+"设置了两次")
		}
		if e.Work {
			c.On[day] = e.Name
		} else {
			c.Off[day] = e.Name
		}
	}
	if err := c.Check(); err != nil {
		return nil, fault.InvalidField("weekly", "CALENDAR", err.Error())
	}
	return c, nil
}

// definition is the calendar as it is edited, its days in order.
func definition(c *worktime.Calendar) Definition {
	d := Definition{Weekly: make([][]worktime.Period, 7), MakeUp: list(c.MakeUp), Days: []Exception{}, Years: list(c.Years)}
	for i := range c.Weekly {
		d.Weekly[i] = list(c.Weekly[i])
	}
	for day, name := range c.Off {
		d.Days = append(d.Days, Exception{Day: day.String(), Name: name})
	}
	for day, name := range c.On {
		d.Days = append(d.Days, Exception{Day: day.String(), Work: true, Name: name})
	}
	slices.SortFunc(d.Days, func(a, b Exception) int { return cmp.Compare(a.Day, b.Day) })
	return d
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Warnings are the years that should be known and are not: this one, and from October on the next, whose holidays the State
// Council publishes in November.
func Warnings(c *worktime.Calendar, now time.Time) []string {
	out := []string{}
	today := now.In(clock.Beijing)
	years := []int{today.Year()}
	if today.Month() >= time.October {
		years = append(years, today.Year()+1)
	}
	for _, y := range years {
		if !c.Knows(y) {
			out = append(out, fmt.Sprintf("%d年度日历未维护", y))
		}
	}
	return out
}
