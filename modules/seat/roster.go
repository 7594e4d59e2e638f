package seat

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/text"
)

// skill is a matter that a person is trained for.
type skill struct {
	bun.BaseModel `bun:"table:seat_skills,alias:k"`

	UserID int64  `bun:"user_id,pk"`
	Code   string `bun:"code,pk"`
}

// team is a group of people who work together.
type team struct {
	bun.BaseModel `bun:"table:seat_teams,alias:m"`

	ID       int64  `bun:"id,pk,autoincrement"`
	Name     string `bun:"name,notnull"`
	LeaderID int64  `bun:"leader_id,notnull"`
	Removed  bool   `bun:"removed,notnull"`
	Version  int64  `bun:"version,notnull"`
}

// member is a person of a team; nobody is in two.
type member struct {
	bun.BaseModel `bun:"table:seat_members,alias:n"`

	UserID int64 `bun:"user_id,pk"`
	TeamID int64 `bun:"team_id,notnull"`
}

// shift has a team work on a day. Minutes count from midnight in Beijing; one that ends the next morning ends past 1440.
type shift struct {
	bun.BaseModel `bun:"table:seat_shifts,alias:h"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Day     string    `bun:"day,notnull"` // 2026-11-29
	TeamID  int64     `bun:"team_id,notnull"`
	Name    string    `bun:"name,notnull"` // 早班
	From    int       `bun:"from_minute,notnull"`
	To      int       `bun:"to_minute,notnull"`
	Seats   int       `bun:"seats,notnull"` // how many people of the team are on
	Removed bool      `bun:"removed,notnull"`
	Version int64     `bun:"version,notnull"`
	At      time.Time `bun:"changed_at,notnull"`
}

// shiftChange is what was changed of the roster, by whom and why.
type shiftChange struct {
	bun.BaseModel `bun:"table:seat_shift_changes,alias:c"`

	ID      int64     `bun:"id,pk,autoincrement"`
	ShiftID int64     `bun:"shift_id,notnull"`
	Day     string    `bun:"day,notnull"`
	Text    string    `bun:"text,notnull"`
	Reason  string    `bun:"reason,notnull"`
	By      string    `bun:"by_name,notnull"`
	At      time.Time `bun:"at,notnull"`
}

// hours is when the desk is open on a day of the week, 0 for Sunday, and how many people it needs.
type hours struct {
	bun.BaseModel `bun:"table:seat_hours,alias:o"`

	Weekday int        `bun:"weekday,pk"`
	From    int        `bun:"from_minute,notnull"`
	To      int        `bun:"to_minute,notnull"`
	Seats   int        `bun:"seats,notnull"`
	Version int64      `bun:"version,notnull"`
	By      string     `bun:"changed_by,notnull"`
	At      *time.Time `bun:"changed_at"`
}

// Gap is a part of a day in which fewer people are on than the desk needs.
type Gap struct {
	Day     string `json:"day"`
	From    string `json:"from"` // 08:30
	To      string `json:"to"`
	Have    int    `json:"have"`
	Need    int    `json:"need"`
	minutes [2]int
}

// gaps finds where in the open hours of the days too few are on. Shifts of the day before reach past midnight.
func gaps(days []string, open map[int]hours, shifts []shift) []Gap {
	out := []Gap{}
	for _, day := range days {
		date, err := parseDay(day)
		if err != nil {
			continue
		}
		need, ok := open[int(date.Weekday())]
		if !ok || need.Seats == 0 {
			continue
		}
		out = append(out, gapsOf(day, need, onDay(day, date, shifts))...)
	}
	return out
}

// span is how many people are on between two minutes of a day.
type span struct{ from, to, seats int }

func onDay(day string, date time.Time, shifts []shift) []span {
	before := date.AddDate(0, 0, -1).Format(time.DateOnly)
	var list []span
	for _, h := range shifts {
		switch h.Day {
		case day:
			list = append(list, span{h.From, h.To, h.Seats})
		case before:
			if h.To > 1440 {
				list = append(list, span{h.From - 1440, h.To - 1440, h.Seats})
			}
		}
	}
	return list
}

func gapsOf(day string, need hours, on []span) []Gap {
	edges := []int{need.From, need.To}
	for _, s := range on {
		for _, e := range []int{s.from, s.to} {
			if e > need.From && e < need.To {
				edges = append(edges, e)
			}
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	var out []Gap
	for i := 0; i+1 < len(edges); i++ {
		have := 0
		for _, s := range on {
			if s.from <= edges[i] && s.to >= edges[i+1] {
				have += s.seats
			}
		}
		if have >= need.Seats {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Have == have && out[n-1].minutes[1] == edges[i] {
			out[n-1].minutes[1], out[n-1].To = edges[i+1], Clock(edges[i+1])
			continue
		}
		out = append(out, Gap{Day: day, From: Clock(edges[i]), To: Clock(edges[i+1]), Have: have, Need: need.Seats, minutes: [2]int{edges[i], edges[i+1]}})
	}
	return out
}

// Clock writes a minute of a day as 08:30; past midnight as 次日 02:00.
func Clock(minute int) string {
	next := ""
	if minute > 1440 {
		next, minute = "次日 ", minute-1440
	}
	h, m := minute/60, minute%60
	return next + string([]byte{byte('0' + h/10), byte('0' + h%10), ':', byte('0' + m/10), byte('0' + m%10)}) // #nosec G115 -- h is at most 24, m at most 59
}

// parseClock reads 08:30 or 24:00.
func parseClock(field, s string) (int, error) {
	h, m, ok := strings.Cut(strings.TrimSpace(s), ":")
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || hour < 0 || minute < 0 || minute > 59 || hour*60+minute > 1440 {
		return 0, fault.InvalidField(field, "SHIFT_TIME", "时间请写成 08:30 的样子")
	}
	return hour*60 + minute, nil
}

// parseDay reads a date in Beijing.
func parseDay(s string) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, s, clock.Beijing)
}

// weekOf returns the seven days of the week, from Monday, that the day is in.
func weekOf(day string) ([]string, error) {
	d, err := parseDay(day)
	if err != nil {
		return nil, fault.InvalidField("week", "DAY", "日期请写成 2026-11-29 的样子")
	}
	d = d.AddDate(0, 0, -(int(d.Weekday())+6)%7)
	out := make([]string, 7)
	for i := range out {
		out[i] = d.AddDate(0, 0, i).Format(time.DateOnly)
	}
	return out, nil
}

// ShiftText is what a shift says.
type ShiftText struct {
	Day    string `json:"day" doc:"As 2026-11-29."`
	TeamID int64  `json:"teamId"`
	Name   string `json:"name"`
	From   string `json:"from" doc:"As 08:30, in Beijing."`
	To     string `json:"to" doc:"As 17:30; earlier than from ends the next day."`
	Seats  int    `json:"seats" minimum:"1" maximum:"200"`
}

// row reads the text into a shift.
func (t ShiftText) row() (shift, error) {
	h := shift{Day: t.Day, TeamID: t.TeamID, Seats: t.Seats}
	var wrong []error
	if _, err := parseDay(t.Day); err != nil {
		wrong = append(wrong, fault.InvalidField("day", "DAY", "日期请写成 2026-11-29 的样子"))
	}
	name, err := text.Line("name", t.Name, 1, 20)
	wrong = append(wrong, text.Named(err, "班次名称"))
	h.Name = name
	if h.From, err = parseClock("from", t.From); err != nil {
		wrong = append(wrong, err)
	}
	if h.To, err = parseClock("to", t.To); err != nil {
		wrong = append(wrong, err)
	}
	if h.To <= h.From {
		h.To += 1440
	}
	if h.Seats < 1 || h.Seats > 200 {
		wrong = append(wrong, fault.InvalidField("seats", "SHIFT_SEATS", "上岗人数请填 1 至 200"))
	}
	if h.To-h.From > 1440 {
		wrong = append(wrong, fault.InvalidField("to", "SHIFT_TIME", "一个班次最长 24 小时"))
	}
	return h, fault.Merge(wrong...)
}
