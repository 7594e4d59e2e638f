package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/worktime"
)

// Calendars gives the working calendar by the number of its version, with the same answer each time.
type Calendars interface {
	Calendar(ctx context.Context, db bun.IDB, number int64) (*worktime.Calendar, error)
}

// weekdaysOnly is worked where no calendar was published: Monday to Friday, and it knows no holidays.
var weekdaysOnly = func() *worktime.Calendar {
	work := []worktime.Period{{From: 9 * 60, Until: 12 * 60}, {From: 14 * 60, Until: 18 * 60}}
	return &worktime.Calendar{Weekly: [7][]worktime.Period{1: work, 2: work, 3: work, 4: work, 5: work}, MakeUp: work}
}()

// budgetRow is a budget as it is kept: for one type and urgency, for all of either, or for all of both.
type budgetRow struct {
	bun.BaseModel `bun:"table:ticket_budgets,alias:b"`

	ID          int64         `bun:"id,pk,autoincrement"`
	Type        string        `bun:"type_code,notnull"` // "" is every type
	Urgency     Urgency       `bun:"urgency,notnull"`   // "" is every urgency
	Kind        ClockKind     `bun:"kind,notnull"`
	Amount      int           `bun:"amount,notnull"`
	Unit        worktime.Unit `bun:"unit,notnull"`
	WarnPercent int           `bun:"warn_percent,notnull"`
	Version     int64         `bun:"version,notnull"`
	// SetAt is when a person set it; nil for one that came with the program.
	SetAt *time.Time `bun:"set_at"`
	SetBy string     `bun:"set_by,notnull"`
}

// rungRow is a step of the ladder that a breach climbs.
type rungRow struct {
	bun.BaseModel `bun:"table:ticket_rungs,alias:r"`

	Step   int           `bun:"step,pk"` // 1, 2, 3 …
	Name   string        `bun:"name,notnull"`
	Amount int           `bun:"amount,notnull"` // after the deadline; 0 is at once
	Unit   worktime.Unit `bun:"unit,notnull"`
	// Leaders says that the leaders of the unit are told, not only those who handle.
	Leaders bool `bun:"leaders,notnull"`
}

// stampRow tells every process which budgets and which calendar are in force.
type stampRow struct {
	bun.BaseModel `bun:"table:ticket_clock_stamps"`

	ID       int64 `bun:"id,pk"`
	Budgets  int64 `bun:"budgets,notnull"`
	Calendar int64 `bun:"calendar,notnull"` // 0 while none was published
}

type budgetKey struct {
	typ     string
	urgency Urgency
	kind    ClockKind
}

// Limit is the budget of one clock and the share of it after which a warning is given, in percent.
type Limit struct {
	Budget      worktime.Budget
	WarnPercent int
	row         int64 // the row it was read from
}

// rules are budgets, ladder and calendar as they are in force. Nobody changes them.
type rules struct {
	stamp    stampRow
	limits   map[budgetKey]Limit
	ladder   []rungRow
	calendar *worktime.Calendar
}

// limit finds the budget of a clock. What is said of a type and an urgency goes before what is said of an urgency, that
// before what is said of the type, and that before what is said of all: an emergency is one whatever it is about.
func (r *rules) limit(typ string, urgency Urgency, kind ClockKind) Limit {
	if kind == ReopenedClock {
		kind = PublicClock
	}
	for _, k := range []budgetKey{{typ, urgency, kind}, {"", urgency, kind}, {typ, "", kind}, {"", "", kind}} {
		if l, ok := r.limits[k]; ok {
			return l
		}
	}
	if kind == ReturnWindow {
		return Limit{Budget: worktime.Budget{Amount: 4 * 60, Unit: worktime.WorkingMinutes}}
	}
	return lastResort
}

// lastResort is the general limit of a desk, should somebody have deleted all rows.
var lastResort = Limit{Budget: worktime.Budget{Amount: 7 * 24 * 60, Unit: worktime.ClockMinutes}, WarnPercent: 75}

// due is when the public clock of a ticket that starts now ends.
func (r *rules) due(typ string, urgency Urgency, kind ClockKind, now time.Time) time.Time {
	at, _ := worktime.Due(now, r.limit(typ, urgency, kind).Budget, r.calendar, nil)
	return at
}

// rungAt is when the next step of the ladder is due for a clock that was breached; zero when it climbed all. The ladder presses
// units, so that the public clock has none.
func (r *rules) rungAt(c *Clock) time.Time {
	if c.Kind != SignClock && c.Kind != HandleClock || c.Rung >= len(r.ladder) {
		return time.Time{}
	}
	next := r.ladder[c.Rung]
	pauses, err := c.pauses()
	if err != nil {
		return time.Time{}
	}
	at, _ := worktime.Due(c.DueAt, worktime.Budget{Amount: next.Amount, Unit: next.Unit}, r.calendar, pauses)
	return at
}

// rules are kept in memory; one row tells whether they are still those in force. db is the transaction in a transaction.
func (s *Service) clockRules(ctx context.Context, db bun.IDB) (*rules, error) {
	var now stampRow
	err := database.QueryOne(ctx, db, []any{&now.Budgets, &now.Calendar}, "SELECT budgets, calendar FROM ticket_clock_stamps WHERE id = 1")
	if err != nil {
		return nil, fmt.Errorf("budgets in force: %w", err)
	}
	now.ID = 1
	kept := s.kept.Load()
	if kept != nil && kept.stamp == now {
		return kept, nil
	}
	r := &rules{stamp: now, limits: map[budgetKey]Limit{}, calendar: weekdaysOnly}
	var rows []budgetRow
	if err := db.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read budgets: %w", err)
	}
	for _, b := range rows {
		r.limits[budgetKey{b.Type, b.Urgency, b.Kind}] = Limit{Budget: worktime.Budget{Amount: b.Amount, Unit: b.Unit}, WarnPercent: b.WarnPercent, row: b.ID}
	}
	if err := db.NewSelect().Model(&r.ladder).OrderExpr("r.step").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the ladder: %w", err)
	}
	if r.calendar, err = s.calendarOf(ctx, db, now.Calendar); err != nil {
		return nil, err
	}
	s.kept.Store(r)
	return r, nil
}

// calendarOf is the version a deadline was reckoned with.
func (s *Service) calendarOf(ctx context.Context, db bun.IDB, number int64) (*worktime.Calendar, error) {
	if number == 0 {
		return weekdaysOnly, nil
	}
	if s.calendars == nil {
		return nil, errors.New("ticket: a calendar is in force and nobody gives it")
	}
	c, err := s.calendars.Calendar(ctx, db, number)
	if err != nil {
		return nil, fmt.Errorf("calendar %d: %w", number, err)
	}
	return c, nil
}

// budgetsChanged has every process read the budgets again, in the transaction of the change. The stamp grows with the time,
// so that one that was undone never comes back with other rows.
func budgetsChanged(ctx context.Context, tx bun.Tx, now time.Time) error {
	return database.Changed(tx.NewUpdate().Model((*stampRow)(nil)).
		Set("budgets = CASE WHEN budgets < ? THEN ? ELSE budgets + 1 END", now.UnixMicro(), now.UnixMicro()).Where("id = 1").Exec(ctx))
}

// UseCalendar puts a published version in force, in the transaction in which it is published. New deadlines are reckoned with
// it at once; those that run are moved by a task.
func (s *Service) UseCalendar(ctx context.Context, tx bun.Tx, number int64) error {
	return database.Changed(tx.NewUpdate().Model((*stampRow)(nil)).Set("calendar = ?", number).Where("id = 1").Exec(ctx))
}
