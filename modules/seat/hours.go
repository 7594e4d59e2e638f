package seat

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
)

// HoursView is when the desk is open on a day of the week.
type HoursView struct {
	Weekday int    `json:"weekday" minimum:"0" maximum:"6" doc:"0 is Sunday."`
	From    string `json:"from"`
	To      string `json:"to"`
	Seats   int    `json:"seats" minimum:"0" maximum:"200" doc:"How many people it needs; 0 closes the day."`
	Version int64  `json:"version,omitempty" doc:"The one the actor saw; 0 of a day nobody has set."`
}

func (o hours) view() HoursView {
	return HoursView{o.Weekday, Clock(o.From), Clock(o.To), o.Seats, o.Version}
}

// words are the hours of a day in a sentence.
func (o hours) words() string {
	if o.Seats == 0 {
		return "不开放"
	}
	return fmt.Sprintf("%s—%s、%d 人", Clock(o.From), Clock(o.To), o.Seats)
}

// Check returns the fault of hours that cannot be kept.
func (v HoursView) Check() error {
	_, err := v.row()
	return err
}

func (v HoursView) row() (hours, error) {
	from, err1 := parseClock("from", v.From)
	to, err2 := parseClock("to", v.To)
	if err := fault.Merge(err1, err2); err != nil {
		return hours{}, err
	}
	if v.Weekday < 0 || v.Weekday > 6 || to <= from || v.Seats < 0 || v.Seats > 200 {
		return hours{}, fault.InvalidField("hours", "DESK_HOURS", "服务时间的结束须晚于开始，人数在 0 至 200 之间")
	}
	return hours{Weekday: v.Weekday, From: from, To: to, Seats: v.Seats, Version: v.Version}, nil
}

// SetHours asks to set when the desk is open and how many people it needs, for the days given, each over the version that
// was seen.
type SetHours struct {
	Hours []HoursView `json:"hours"`
	Key   string      `json:"-"`
}

// SetHours keeps all of the days or none. Who manages seats may; a day that somebody else changed meanwhile is a conflict that
// says who and to what. A day that is as it was keeps its version.
func (s *Service) SetHours(ctx context.Context, actor access.Actor, cmd SetHours) error {
	if err := actor.Need(PermManage); err != nil {
		return err
	}
	rows := make([]hours, 0, len(cmd.Hours))
	for _, v := range cmd.Hours {
		row, err := v.row()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(rows, func(o hours) bool { return o.Weekday == row.Weekday }) {
			return fault.InvalidField("hours", "DESK_HOURS", "同一天填写了两次，请保留一次")
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "seat.hours", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			for _, row := range rows {
				row.By, row.At = actor.Name, &now
				if err := setDay(ctx, tx, row); err != nil {
					return false, err
				}
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "seat.hours", Object: "seat_shift", Summary: "设置热线服务时间和上岗人数", Detail: cmd.Hours})
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("set hours: %w", err)
	}
	return nil
}

func setDay(ctx context.Context, tx bun.Tx, row hours) error {
	now := new(hours)
	err := database.Found(tx.NewSelect().Model(now).Where("o.weekday = ?", row.Weekday).Scan(ctx))
	if errors.Is(err, fault.ErrNotFound) {
		row.Version = 1
		err = database.Changed(tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx))
		if errors.Is(err, fault.ErrChanged) { // somebody set the day at the same moment
			return ErrStale.With("周%s的服务时间刚刚由他人设置，请刷新后再修改", weekday(row.Weekday))
		}
		return err
	}
	if err != nil {
		return err
	}
	if now.From == row.From && now.To == row.To && now.Seats == row.Seats {
		return nil
	}
	seen := row.Version
	row.Version++
	err = database.Changed(tx.NewUpdate().Model(&row).WherePK().Where("version = ?", seen).Exec(ctx))
	if errors.Is(err, fault.ErrChanged) {
		return now.stale()
	}
	return err
}

// stale says who changed the day, when and to what.
func (o *hours) stale() error {
	who, when := o.By, ""
	if who == "" {
		who = "他人"
	}
	if o.At != nil {
		when = "于" + clock.Show(*o.At)
	}
	return ErrStale.With("周%s的服务时间已由%s%s改为 %s，请刷新后再修改", weekday(o.Weekday), who, when, o.words())
}

func weekday(n int) string { return string([]rune("日一二三四五六")[n]) }
