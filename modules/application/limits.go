package application

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/worktime"
)

// PermLimits is the right to set how long each step may take.
const PermLimits access.Permission = "application.limits"

// maxLimit is the longest limit in working days, about a year.
const maxLimit = 250

// Limit is how long the steps of applications for one kind of products may take, in working days.
type Limit struct {
	// Kind is the code of a kind of products; empty for all that have no limits of their own.
	Kind string `bun:"kind,pk" json:"kind"`
	// AcceptDays is for accepting or declining.
	AcceptDays int `bun:"accept_days,notnull" json:"acceptDays"`
	// HandleDays is from accepting to the result, where the product promises no time of its own.
	HandleDays int `bun:"handle_days,notnull" json:"handleDays"`
	// ConfirmDays is for the company to confirm or object after delivery; then the service counts as confirmed.
	ConfirmDays int `bun:"confirm_days,notnull" json:"confirmDays"`
	// WarnPercent is which part of the time may pass before somebody is reminded.
	WarnPercent int `bun:"warn_percent,notnull" json:"warnPercent"`
}

// firstLimit is what an installation begins with.
var firstLimit = Limit{AcceptDays: 2, HandleDays: 15, ConfirmDays: 5, WarnPercent: 75}

// Check says what is wrong with the limits, each at its input.
func (l Limit) Check() error {
	days := func(field, label string, n int) error {
		if n < 1 || n > maxLimit {
			return fault.InvalidField(field, "LIMIT_RANGE", fmt.Sprintf("%s应为 1 至 %d 个工作日", label, maxLimit))
		}
		return nil
	}
	var percent error
	if l.WarnPercent < 10 || l.WarnPercent > 95 {
		percent = fault.InvalidField("warnPercent", "LIMIT_PERCENT", "提醒时点应在时限的 10% 至 95% 之间")
	}
	return fault.Merge(days("acceptDays", "受理时限", l.AcceptDays), days("handleDays", "办理时限", l.HandleDays), days("confirmDays", "确认期限", l.ConfirmDays), percent)
}

type limitRow struct {
	bun.BaseModel `bun:"table:application_limits,alias:al"`

	Limit
	Version int64     `bun:"version,notnull"`
	SetAt   time.Time `bun:"set_at,notnull"`
	SetBy   string    `bun:"set_by,notnull"`
}

// LimitView is a kind with its limits as their editor sees them.
type LimitView struct {
	Limit
	KindName string     `json:"kindName"`
	Own      bool       `json:"own" doc:"Whether the kind has limits of its own; otherwise those of all kinds count."`
	Version  int64      `json:"version"`
	SetAt    *time.Time `json:"setAt,omitempty"`
	SetBy    string     `json:"setBy,omitempty"`
}

// Calendars gives the working calendars.
type Calendars interface {
	// InForce returns the calendar that counts now, fault.ErrNotFound before the first was published.
	InForce(ctx context.Context, db bun.IDB) (*worktime.Calendar, error)
	// Calendar returns the version of the number.
	Calendar(ctx context.Context, db bun.IDB, number int64) (*worktime.Calendar, error)
}

// weekdaysOnly counts before a calendar was published.
var weekdaysOnly = func() *worktime.Calendar {
	work := []worktime.Period{{From: 9 * 60, Until: 12 * 60}, {From: 14 * 60, Until: 18 * 60}}
	return &worktime.Calendar{Weekly: [7][]worktime.Period{1: work, 2: work, 3: work, 4: work, 5: work}, MakeUp: work}
}()

// Hours are the limits and the calendar that count now; the zero value is what counts before anything was set.
type Hours struct {
	calendar *worktime.Calendar
	rows     map[string]Limit
}

// Calendar is the working calendar.
func (h Hours) Calendar() *worktime.Calendar {
	if h.calendar == nil {
		return weekdaysOnly
	}
	return h.calendar
}

// of are the limits of a kind of products.
func (h Hours) of(kind string) Limit {
	if l, ok := h.rows[kind]; ok {
		return l
	}
	if l, ok := h.rows[""]; ok {
		return l
	}
	return firstLimit
}

// hours reads what counts now.
func (s *Service) hours(ctx context.Context, db bun.IDB) (Hours, error) {
	rows, err := limitRows(ctx, db)
	if err != nil {
		return Hours{}, err
	}
	h := Hours{rows: make(map[string]Limit, len(rows))}
	for _, r := range rows {
		h.rows[r.Kind] = r.Limit
	}
	h.calendar, err = s.inForce(ctx, db)
	return h, err
}

func (s *Service) inForce(ctx context.Context, db bun.IDB) (*worktime.Calendar, error) {
	if s.Calendars == nil {
		return weekdaysOnly, nil
	}
	c, err := s.Calendars.InForce(ctx, db)
	if fault.KindOf(err) == fault.NotFound {
		return weekdaysOnly, nil
	}
	return c, err
}

// calendarOf is the version a deadline was reckoned with.
func (s *Service) calendarOf(ctx context.Context, db bun.IDB, number int64) (*worktime.Calendar, error) {
	if number == 0 || s.Calendars == nil {
		return weekdaysOnly, nil
	}
	return s.Calendars.Calendar(ctx, db, number)
}

func limitRows(ctx context.Context, db bun.IDB) ([]limitRow, error) {
	var rows []limitRow
	if err := db.NewSelect().Model(&rows).OrderExpr("al.kind").Scan(ctx); err != nil {
		return nil, fmt.Errorf("limits of applications: %w", err)
	}
	return rows, nil
}

// Limits lists the limits of all kinds, those of all the others first. It needs application.limits.
func (s *Service) Limits(ctx context.Context, actor access.Actor) ([]LimitView, error) {
	if err := actor.Need(PermLimits); err != nil {
		return nil, err
	}
	rows, err := limitRows(ctx, s.DB.Read())
	if err != nil {
		return nil, err
	}
	known := map[string]limitRow{}
	for _, r := range rows {
		known[r.Kind] = r
	}
	all := LimitView{Limit: firstLimit, KindName: "其他各类产品", Own: true}
	out := []LimitView{}
	add := func(v LimitView) {
		if r, ok := known[v.Kind]; ok {
			v.Limit, v.Own, v.Version, v.SetAt, v.SetBy = r.Limit, true, r.Version, utc(&r.SetAt), r.SetBy
		}
		out = append(out, v)
	}
	add(all)
	for _, k := range s.Kinds {
		v := LimitView{Limit: out[0].Limit, KindName: k.Name}
		v.Kind = k.Code
		add(v)
	}
	return out, nil
}

// SetLimit asks for the limits of a kind; Version 0 gives it limits of its own, Clear takes them away.
type SetLimit struct {
	Key string `json:"-"`
	Limit
	Clear   bool  `json:"clear"`
	Version int64 `json:"version"`
}

// SetLimit sets the limits of a kind for steps that begin from now on; running deadlines stay. It needs application.limits; a
// version that is not the newest is a conflict.
func (s *Service) SetLimit(ctx context.Context, actor access.Actor, cmd SetLimit) ([]LimitView, error) {
	if err := actor.Need(PermLimits); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.Kinds, func(k Kind) bool { return k.Code == cmd.Kind })
	if cmd.Kind != "" && i < 0 || cmd.Kind == "" && cmd.Clear {
		return nil, fault.InvalidField("kind", "LIMIT_KIND", "没有这类产品，请刷新后重新选择")
	}
	if err := cmd.Check(); err != nil && !cmd.Clear {
		return nil, err
	}
	name := "其他各类产品"
	if i >= 0 {
		name = s.Kinds[i].Name
	}
	now := s.Clock.Now()
	err := s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "application.limit", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			summary := "设置申请时限：" + name
			row := limitRow{Limit: cmd.Limit, Version: cmd.Version + 1, SetAt: now, SetBy: actor.Name}
			var err error
			switch {
			case cmd.Clear:
				summary = "取消单独的申请时限：" + name
				err = database.Changed(tx.NewDelete().Model((*limitRow)(nil)).Where("kind = ? AND version = ?", cmd.Kind, cmd.Version).Exec(ctx))
			case cmd.Version == 0:
				err = database.Changed(tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx))
			default:
				err = database.Changed(tx.NewUpdate().Model(&row).Column("accept_days", "handle_days", "confirm_days", "warn_percent", "version", "set_at", "set_by").
					Where("kind = ? AND version = ?", cmd.Kind, cmd.Version).Exec(ctx))
			}
			if err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: "application.limit", Object: "application_limit", Summary: summary, Detail: cmd})
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("limits of applications for %q: %w", cmd.Kind, err)
	}
	return s.Limits(ctx, actor)
}
