package seat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/text"
)

// ShiftView is a shift as it is shown.
type ShiftView struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"`
	Day     string `json:"day"`
	TeamID  int64  `json:"teamId"`
	Team    string `json:"team"`
	Name    string `json:"name"`
	From    string `json:"from"`
	To      string `json:"to"`
	Seats   int    `json:"seats"`
}

// ChangeView is a line of the roster's history.
type ChangeView struct {
	Day    string    `json:"day"`
	Text   string    `json:"text"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Week is the roster of a week.
type Week struct {
	Days    []string     `json:"days"`
	Shifts  []ShiftView  `json:"shifts"`
	Gaps    []Gap        `json:"gaps"`
	Hours   []HoursView  `json:"hours"`
	Teams   []TeamView   `json:"teams"`
	Changes []ChangeView `json:"changes" doc:"The last hundred of this week, newest first."`
}

// Week returns the roster of the week a day is in, "" for this one. Who sees seats, and who sits, may.
func (s *Service) Week(ctx context.Context, actor access.Actor, day string) (Week, error) {
	if actor.Need(PermSit) != nil {
		if err := actor.Need(PermView); err != nil {
			return Week{}, err
		}
	}
	if day == "" {
		day = s.clock.Now().In(clock.Beijing).Format(time.DateOnly)
	}
	days, err := weekOf(day)
	if err != nil {
		return Week{}, err
	}
	db := s.db.Read()
	w := Week{Days: days, Shifts: []ShiftView{}, Hours: []HoursView{}, Changes: []ChangeView{}}
	if w.Teams, err = teams(ctx, db); err != nil {
		return Week{}, err
	}
	names := map[int64]string{}
	for _, t := range w.Teams {
		names[t.ID] = t.Name
	}
	monday, _ := parseDay(days[0])
	rows, err := shiftsOf(ctx, db, monday.AddDate(0, 0, -1).Format(time.DateOnly), days[6])
	if err != nil {
		return Week{}, err
	}
	for _, h := range rows {
		if h.Day >= days[0] {
			w.Shifts = append(w.Shifts, ShiftView{h.ID, h.Version, h.Day, h.TeamID, names[h.TeamID], h.Name, Clock(h.From), Clock(h.To), h.Seats})
		}
	}
	var open []hours
	if err := db.NewSelect().Model(&open).OrderExpr("o.weekday").Scan(ctx); err != nil {
		return Week{}, err
	}
	byDay := map[int]hours{}
	for _, o := range open {
		byDay[o.Weekday] = o
		w.Hours = append(w.Hours, o.view())
	}
	w.Gaps = gaps(days, byDay, rows)
	var changes []shiftChange
	if err := db.NewSelect().Model(&changes).Where("c.day >= ? AND c.day <= ?", days[0], days[6]).OrderExpr("c.id DESC").Limit(100).Scan(ctx); err != nil {
		return Week{}, err
	}
	for _, c := range changes {
		w.Changes = append(w.Changes, ChangeView{c.Day, c.Text, c.Reason, c.By, c.At.UTC()})
	}
	return w, nil
}

func shiftsOf(ctx context.Context, db bun.IDB, from, to string) ([]shift, error) {
	var rows []shift
	err := db.NewSelect().Model(&rows).Where("h.day >= ? AND h.day <= ? AND NOT h.removed", from, to).OrderExpr("h.day, h.from_minute, h.id").Scan(ctx)
	return rows, err
}

// duty is what the roster says of people at a moment.
type duty struct {
	team       map[int64]string
	now, today map[int64]bool
}

func dutyOf(ctx context.Context, db bun.IDB, now time.Time) (duty, error) {
	d := duty{map[int64]string{}, map[int64]bool{}, map[int64]bool{}}
	list, err := teams(ctx, db)
	if err != nil {
		return d, err
	}
	local := now.In(clock.Beijing)
	today, before := local.Format(time.DateOnly), local.AddDate(0, 0, -1).Format(time.DateOnly)
	rows, err := shiftsOf(ctx, db, before, today)
	if err != nil {
		return d, err
	}
	minute := local.Hour()*60 + local.Minute()
	for _, t := range list {
		for _, id := range t.Members {
			d.team[id] = t.Name
		}
		for _, h := range rows {
			if h.TeamID != t.ID {
				continue
			}
			m := minute
			if h.Day == before {
				m += 1440
			}
			on := h.From <= m && m < h.To
			for _, id := range t.Members {
				d.now[id] = d.now[id] || on
				d.today[id] = d.today[id] || h.Day == today || on
			}
		}
	}
	return d, nil
}

// SaveShift asks to make, change or remove a shift. ID 0 makes one. A change or removal says its Reason.
type SaveShift struct {
	ID      int64  `json:"-"`
	Version int64  `json:"version"`
	Reason  string `json:"reason,omitempty"`
	Removed bool   `json:"removed,omitempty"`
	ShiftText
	Key string `json:"-"`
}

// SaveShift keeps a shift and why it was changed. Who manages seats may.
func (s *Service) SaveShift(ctx context.Context, actor access.Actor, cmd SaveShift) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	row, err := cmd.row()
	if err != nil {
		return err
	}
	least := 2
	if cmd.ID == 0 {
		least = 0
	}
	reason, err := text.Line("reason", cmd.Reason, least, 100)
	if err != nil {
		return text.Named(err, "调整原因")
	}
	now := s.clock.Now()
	row.ID, row.Version, row.Removed, row.At = cmd.ID, cmd.Version+1, cmd.Removed, now
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "seat.shift", Key: cmd.Key, Request: []any{cmd.ID, cmd}, Now: now}, func() (bool, error) {
			t := new(team)
			err := database.Found(tx.NewSelect().Model(t).Where("id = ? AND (NOT removed OR ?)", row.TeamID, cmd.Removed).Scan(ctx))
			if errors.Is(err, fault.ErrNotFound) {
				return false, fault.InvalidField("teamId", "TEAM_NONE", "没有这个班组，请重新选择")
			}
			if err != nil {
				return false, err
			}
			before := ""
			if row.ID == 0 {
				err = database.Insert(ctx, tx, &row)
			} else {
				old := new(shift)
				if err = database.Found(tx.NewSelect().Model(old).Where("id = ? AND NOT removed", row.ID).Scan(ctx)); err == nil {
					before = old.words() + " → "
					err = database.Changed(tx.NewUpdate().Model(&row).ExcludeColumn("id").Where("id = ? AND version = ? AND NOT removed", row.ID, cmd.Version).Exec(ctx))
				}
			}
			if err != nil {
				return false, err
			}
			after := t.Name + " " + row.words()
			if row.Removed {
				after = "取消"
			}
			return true, s.noteShift(ctx, tx, actor, row, before+after, reason, now)
		})
		return err
	})
	if errors.Is(err, fault.ErrChanged) {
		return errStaleRow
	}
	if err != nil {
		return fmt.Errorf("save shift %d: %w", cmd.ID, err)
	}
	return nil
}

func (h *shift) words() string {
	day := h.Day
	if d, err := parseDay(day); err == nil {
		day = d.Format("1月2日")
	}
	return fmt.Sprintf("%s%s %s—%s，%d 人", day, h.Name, Clock(h.From), Clock(h.To), h.Seats)
}

func (s *Service) noteShift(ctx context.Context, tx bun.Tx, actor access.Actor, h shift, words, reason string, now time.Time) error {
	c := shiftChange{ShiftID: h.ID, Day: h.Day, Text: words, Reason: reason, By: actor.Name, At: now}
	if err := database.Insert(ctx, tx, &c); err != nil {
		return err
	}
	if _, err := event.Append(ctx, tx, actor, now, Rostered{ShiftID: h.ID, Day: h.Day, Team: words, Reason: reason}); err != nil {
		return err
	}
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "seat.shift", Object: "seat_shift", ObjectID: h.ID, Summary: "排班：" + words, Detail: map[string]any{"reason": reason}})
}

// CopyWeek asks to put the shifts of one week into another.
type CopyWeek struct {
	From string `json:"from" doc:"A day of the week that is copied."`
	To   string `json:"to" doc:"A day of the week that is filled."`
	Key  string `json:"-"`
}

// ErrWeekTaken: the week already has shifts; nothing is overwritten.
var ErrWeekTaken = fault.New(fault.Conflict, "WEEK_TAKEN", "目标周已有排班，为避免覆盖请先取消该周班次，或逐个新增").On("to")

// CopyWeek fills an empty week with the shifts of another and returns how many there are. Who manages seats may.
func (s *Service) CopyWeek(ctx context.Context, actor access.Actor, cmd CopyWeek) (int, error) {
	if err := actor.Need(PermManage); err != nil {
		return 0, err
	}
	from, err := weekOf(cmd.From)
	if err != nil {
		return 0, err
	}
	to, err := weekOf(cmd.To)
	if err != nil {
		return 0, err
	}
	now := s.clock.Now()
	var n int
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n, err = idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "seat.copy_week", Key: cmd.Key, Request: cmd, Now: now}, func() (int, error) {
			if database.KindOf(tx) == database.Postgres { // two copies at once would fill the week twice
				if _, err := database.Run(ctx, tx, "LOCK TABLE seat_shifts IN SHARE ROW EXCLUSIVE MODE"); err != nil {
					return 0, err
				}
			}
			taken, err := shiftsOf(ctx, tx, to[0], to[6])
			if err != nil {
				return 0, err
			}
			if len(taken) > 0 {
				return 0, ErrWeekTaken
			}
			rows, err := shiftsOf(ctx, tx, from[0], from[6])
			if err != nil {
				return 0, err
			}
			if len(rows) == 0 {
				return 0, fault.InvalidField("from", "WEEK_EMPTY", "来源周没有排班，请另选一周")
			}
			return len(rows), s.fill(ctx, tx, actor, rows, from[0], to[0], now)
		})
		return err
	})
	return n, err
}

func (s *Service) fill(ctx context.Context, tx bun.Tx, actor access.Actor, rows []shift, from, to string, now time.Time) error {
	first, _ := parseDay(from)
	target, _ := parseDay(to)
	days := int(target.Sub(first).Hours() / 24)
	for _, h := range rows {
		day, _ := parseDay(h.Day)
		h.ID, h.Version, h.At, h.Day = 0, 1, now, day.AddDate(0, 0, days).Format(time.DateOnly)
		if err := database.Insert(ctx, tx, &h); err != nil {
			return err
		}
		if err := s.noteShift(ctx, tx, actor, h, h.words(), "复制自"+from+"所在周", now); err != nil {
			return err
		}
	}
	return nil
}
