package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/worktime"
)

// Budget is how much time a clock has, for tickets of a type and an urgency; empty is every one.
type Budget struct {
	ID          int64         `json:"id"`
	Type        string        `json:"type"`
	TypeName    string        `json:"typeName"`
	Urgency     Urgency       `json:"urgency" enum:",normal,urgent,critical"`
	Kind        ClockKind     `json:"kind" enum:"public,sign,handle,urge,return"`
	KindLabel   string        `json:"kindLabel"`
	Amount      int           `json:"amount"`
	Unit        worktime.Unit `json:"unit" enum:"working_days,working_minutes,clock_minutes"`
	Text        string        `json:"text" doc:"The budget in words."`
	WarnPercent int           `json:"warnPercent" doc:"Share of the time after which a warning is given; 0 is none."`
	Version     int64         `json:"version"`
	SetBy       string        `json:"setBy,omitempty"`
	SetAt       *time.Time    `json:"setAt,omitempty" doc:"Absent for one that came with the program."`
}

// Rung is a step of the ladder that presses a unit after its clock was breached.
type Rung struct {
	Name    string        `json:"name"`
	Amount  int           `json:"amount" doc:"After the deadline; 0 is at once."`
	Unit    worktime.Unit `json:"unit" enum:"working_days,working_minutes,clock_minutes"`
	Leaders bool          `json:"leaders" doc:"The leaders of the unit are told too."`
}

// Budgets lists all budgets, the general ones first, and the ladder. It needs ticket.budgets.
func (s *Service) Budgets(ctx context.Context, actor access.Actor) ([]Budget, []Rung, error) {
	if err := actor.Need(PermBudgets); err != nil {
		return nil, nil, err
	}
	db := s.db.Read()
	var rows []budgetRow
	if err := db.NewSelect().Model(&rows).OrderExpr("b.type_code, b.kind, b.urgency").Scan(ctx); err != nil {
		return nil, nil, err
	}
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	list := make([]Budget, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.view(names))
	}
	var steps []rungRow
	if err := db.NewSelect().Model(&steps).OrderExpr("r.step").Scan(ctx); err != nil {
		return nil, nil, err
	}
	ladder := make([]Rung, 0, len(steps))
	for _, r := range steps {
		ladder = append(ladder, Rung{Name: r.Name, Amount: r.Amount, Unit: r.Unit, Leaders: r.Leaders})
	}
	return list, ladder, nil
}

func (r budgetRow) view(names map[string]string) Budget {
	return Budget{ID: r.ID, Type: r.Type, TypeName: names[r.Type], Urgency: r.Urgency, Kind: r.Kind, KindLabel: r.Kind.Label(), Amount: r.Amount, Unit: r.Unit,
		Text: worktime.Budget{Amount: r.Amount, Unit: r.Unit}.String(), WarnPercent: r.WarnPercent, Version: r.Version, SetBy: r.SetBy, SetAt: utc(r.SetAt)}
}

// check returns a fault when the budget cannot be used.
func (r budgetRow) check() error {
	if r.Kind != PublicClock && r.Kind != SignClock && r.Kind != HandleClock && r.Kind != UrgeClock && r.Kind != ReturnWindow {
		return fault.InvalidField("kind", "CLOCK_KIND", "请选择时限种类")
	}
	if r.Urgency != "" && !r.Urgency.Known() {
		return fault.InvalidField("urgency", "TICKET_URGENCY", "没有这种紧急程度，请重新选择")
	}
	if err := (worktime.Budget{Amount: r.Amount, Unit: r.Unit}).Check(); err != nil {
		return fault.InvalidField("amount", "CLOCK_BUDGET", err.Error())
	}
	if r.WarnPercent < 0 || r.WarnPercent > 99 {
		return fault.InvalidField("warnPercent", "CLOCK_WARNING", "预警比例须在 0 至 99 之间")
	}
	return nil
}

// SetBudget asks for a new budget (Version 0), or to replace the one of the same type, urgency and kind.
type SetBudget struct {
	Key         string `json:"-"`
	Type        string
	Urgency     Urgency
	Kind        ClockKind
	Amount      int
	Unit        worktime.Unit
	WarnPercent int
	Version     int64
}

func (c SetBudget) row() budgetRow {
	return budgetRow{Type: c.Type, Urgency: c.Urgency, Kind: c.Kind, Amount: c.Amount, Unit: c.Unit, WarnPercent: c.WarnPercent}
}

// Check returns the fault of a budget that cannot be used. Whether there is such a type is asked when it is set.
func (c SetBudget) Check() error { return c.row().check() }

// SetBudget sets one budget; a version that is not the present one is a conflict. Clocks that run keep theirs. It needs
// ticket.budgets.
func (s *Service) SetBudget(ctx context.Context, actor access.Actor, cmd SetBudget) error {
	if err := actor.Need(PermBudgets); err != nil {
		return err
	}
	now := s.clock.Now()
	row := cmd.row()
	row.Version, row.SetAt, row.SetBy = cmd.Version+1, &now, actor.Name
	if err := row.check(); err != nil {
		return err
	}
	return s.onBudgets(ctx, actor, "ticket.budget", cmd.Key, cmd, func(ctx context.Context, tx bun.Tx) (string, error) {
		if cmd.Type != "" {
			if _, err := typeOf(ctx, tx, cmd.Type); errors.Is(err, fault.ErrNotFound) {
				return "", fault.InvalidField("type", "TICKET_TYPE", "没有这种诉求类型，请重新选择")
			} else if err != nil {
				return "", err
			}
		}
		if cmd.Version == 0 {
			res, err := tx.NewInsert().Model(&row).ExcludeColumn("id").On("CONFLICT (type_code, urgency, kind) DO NOTHING").Exec(ctx)
			if err := database.Changed(res, err); errors.Is(err, fault.ErrChanged) {
				return "", fault.New(fault.Conflict, "BUDGET_EXISTS", "该类型和紧急程度的时限已经设置，请刷新后修改")
			} else if err != nil {
				return "", err
			}
		} else if err := database.Changed(tx.NewUpdate().Model(&row).Column("amount", "unit", "warn_percent", "version", "set_at", "set_by").
			Where("b.type_code = ? AND b.urgency = ? AND b.kind = ? AND b.version = ?", cmd.Type, string(cmd.Urgency), string(cmd.Kind), cmd.Version).Exec(ctx)); err != nil {
			return "", budgetStale(err)
		}
		return fmt.Sprintf("设置%s：%s", cmd.Kind.Label(), worktime.Budget{Amount: cmd.Amount, Unit: cmd.Unit}), nil
	})
}

func budgetStale(err error) error {
	if errors.Is(err, fault.ErrChanged) {
		return fault.New(fault.Conflict, "CHANGED", "时限已被他人修改，请刷新后再设置").Wrap(err)
	}
	return err
}

// RemoveBudget takes a budget away, so that the next more general one counts. Those for every type and urgency stay. It needs
// ticket.budgets.
func (s *Service) RemoveBudget(ctx context.Context, actor access.Actor, id, version int64, key string) error {
	if err := actor.Need(PermBudgets); err != nil {
		return err
	}
	return s.onBudgets(ctx, actor, "ticket.budget_remove", key, []int64{id, version}, func(ctx context.Context, tx bun.Tx) (string, error) {
		var row budgetRow
		if err := tx.NewSelect().Model(&row).Where("b.id = ?", id).Scan(ctx); err != nil {
			return "", database.Found(err)
		}
		if row.Type == "" && row.Urgency == "" {
			return "", fault.New(fault.Conflict, "BUDGET_GENERAL", "通用时限不能删除，可以修改")
		}
		err := database.Changed(tx.NewDelete().Model((*budgetRow)(nil)).Where("id = ? AND version = ?", id, version).Exec(ctx))
		return "删除" + row.Kind.Label(), budgetStale(err)
	})
}

// maxRungs bounds the ladder.
const maxRungs = 10

// SetLadder replaces the ladder. Steps come in the order of their time after the deadline. It needs ticket.budgets.
func (s *Service) SetLadder(ctx context.Context, actor access.Actor, rungs []Rung, key string) error {
	if err := actor.Need(PermBudgets); err != nil {
		return err
	}
	rows, err := ladder(rungs)
	if err != nil {
		return err
	}
	return s.onBudgets(ctx, actor, "ticket.ladder", key, rungs, func(ctx context.Context, tx bun.Tx) (string, error) {
		if _, err := tx.NewDelete().Model((*rungRow)(nil)).Where("step > 0").Exec(ctx); err != nil {
			return "", err
		}
		if len(rows) > 0 {
			if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("设置督办阶梯，共 %d 级", len(rows)), nil
	})
}

// CheckLadder returns the fault of a ladder that cannot be used.
func CheckLadder(rungs []Rung) error {
	_, err := ladder(rungs)
	return err
}

func ladder(rungs []Rung) ([]rungRow, error) {
	if len(rungs) > maxRungs {
		return nil, fault.InvalidField("rungs", "LADDER", fmt.Sprintf("督办阶梯最多 %d 级", maxRungs))
	}
	rows := make([]rungRow, 0, len(rungs))
	last := time.Time{}
	start := time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC) // a Monday: only the order matters
	for i, r := range rungs {
		name, err := clean("name", "名称", r.Name, 20, true)
		if err != nil {
			return nil, err
		}
		b := worktime.Budget{Amount: r.Amount, Unit: r.Unit}
		if r.Amount != 0 {
			if err := b.Check(); err != nil {
				return nil, fault.InvalidField("amount", "LADDER", fmt.Sprintf("第 %d 级：%s", i+1, err.Error()))
			}
		} else if !r.Unit.Known() {
			return nil, fault.InvalidField("unit", "LADDER", fmt.Sprintf("第 %d 级：请选择计时单位", i+1))
		}
		at, _ := worktime.Due(start, b, weekdaysOnly, nil)
		if at.Before(last) {
			return nil, fault.InvalidField("amount", "LADDER", fmt.Sprintf("第 %d 级应晚于上一级", i+1))
		}
		last = at
		rows = append(rows, rungRow{Step: i + 1, Name: name, Amount: r.Amount, Unit: r.Unit, Leaders: r.Leaders})
	}
	return rows, nil
}

// onBudgets is the frame of a change of the rules: key, change, stamp, audit.
func (s *Service) onBudgets(ctx context.Context, actor access.Actor, operation, key string, request any, step func(ctx context.Context, tx bun.Tx) (string, error)) error {
	now := s.clock.Now()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: operation, Key: key, Request: request, Now: now}, func() (bool, error) {
			summary, err := step(ctx, tx)
			if err != nil {
				return false, err
			}
			if err := budgetsChanged(ctx, tx, now); err != nil {
				return false, err
			}
			return true, audit.Write(ctx, tx, actor, now, audit.Record{Action: operation, Object: "ticket_budget", Summary: summary, Detail: request})
		})
		return err
	})
}

// TypeBudgets is what comes with the program for a type: until the unit signed, and until the requester has an answer.
type TypeBudgets struct {
	Type         string
	Sign, Answer worktime.Budget // the zero budget leaves the general one
}

// EnsureBudgets brings the budgets of types to what is given, except those that a person set. Only the system may.
func (s *Service) EnsureBudgets(ctx context.Context, actor access.Actor, list []TypeBudgets) error {
	if actor.Party != access.System {
		return ErrForbidden
	}
	var rows []budgetRow
	for _, t := range list {
		for kind, b := range map[ClockKind]worktime.Budget{SignClock: t.Sign, PublicClock: t.Answer} {
			if b == (worktime.Budget{}) {
				continue
			}
			row := budgetRow{Type: t.Type, Kind: kind, Amount: b.Amount, Unit: b.Unit, WarnPercent: lastResort.WarnPercent, Version: 1}
			if err := row.check(); err != nil {
				return fmt.Errorf("budget of %s: %w", t.Type, err)
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	now := s.clock.Now()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewInsert().Model(&rows).ExcludeColumn("id").On("CONFLICT (type_code, urgency, kind) DO UPDATE").
			Set("amount = EXCLUDED.amount, unit = EXCLUDED.unit, warn_percent = EXCLUDED.warn_percent, version = b.version + 1").
			Where("b.set_at IS NULL AND (b.amount <> EXCLUDED.amount OR b.unit <> EXCLUDED.unit)").Exec(ctx)
		if err := database.Changed(res, err); errors.Is(err, fault.ErrChanged) {
			return nil
		} else if err != nil {
			return err
		}
		return budgetsChanged(ctx, tx, now)
	})
}

// Preview is what a ticket of a type and urgency would get that began now.
type Preview struct {
	Kind     ClockKind `json:"kind" enum:"public,sign,handle,urge"`
	Label    string    `json:"label"`
	Budget   string    `json:"budget"`
	From     string    `json:"from" doc:"Which row decided."`
	DueAt    time.Time `json:"dueAt"`
	Sentence string    `json:"sentence"`
}

// PreviewBudgets says what a ticket that began now would get. It needs ticket.budgets.
func (s *Service) PreviewBudgets(ctx context.Context, actor access.Actor, typ string, urgency Urgency) ([]Preview, error) {
	if err := actor.Need(PermBudgets); err != nil {
		return nil, err
	}
	db := s.db.Read()
	kind, err := typeOf(ctx, db, typ)
	if errors.Is(err, fault.ErrNotFound) {
		return nil, fault.InvalidField("type", "TICKET_TYPE", "请选择诉求类型")
	} else if err != nil {
		return nil, err
	}
	if urgency == "" {
		urgency = kind.Urgency
	} else if !urgency.Known() {
		return nil, fault.InvalidField("urgency", "TICKET_URGENCY", "没有这种紧急程度，请重新选择")
	}
	r, err := s.clockRules(ctx, db)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	out := []Preview{}
	t := &Ticket{Type: typ, Urgency: urgency}
	for _, k := range []ClockKind{PublicClock, SignClock, HandleClock, UrgeClock} {
		b := &book{rules: r}
		b.start(t, nil, k, now)
		c := b.clocks[0]
		if err := c.reckon(r.calendar); err != nil {
			return nil, err
		}
		v, err := c.explain(r.calendar, now)
		if err != nil {
			return nil, err
		}
		out = append(out, Preview{Kind: k, Label: k.Label(), Budget: v.Budget, From: r.source(typ, urgency, k), DueAt: v.DueAt, Sentence: v.Sentence})
	}
	return out, nil
}

// source names the row that decided about a budget.
func (r *rules) source(typ string, urgency Urgency, kind ClockKind) string {
	words := []string{"按诉求类型和紧急程度", "按紧急程度", "按诉求类型", "通用"}
	for i, k := range []budgetKey{{typ, urgency, kind}, {"", urgency, kind}, {typ, "", kind}, {"", "", kind}} {
		if _, ok := r.limits[k]; ok {
			return words[i]
		}
	}
	return words[3]
}

// setHours makes the hours of types that an installation set itself budgets of clock time, in its transaction.
func setHours(ctx context.Context, tx bun.Tx, now time.Time, types []Type, own bool) error {
	changed := false
	for _, t := range types {
		row := budgetRow{Type: t.Code, Kind: PublicClock, Amount: t.Hours * 60, Unit: worktime.ClockMinutes, WarnPercent: lastResort.WarnPercent, Version: 1}
		q := tx.NewInsert().Model(&row).ExcludeColumn("id")
		if own {
			row.SetAt, row.SetBy = &now, "安装设置"
			q = q.On("CONFLICT (type_code, urgency, kind) DO UPDATE").
				Set("amount = EXCLUDED.amount, unit = EXCLUDED.unit, version = b.version + 1, set_at = EXCLUDED.set_at, set_by = EXCLUDED.set_by")
		} else {
			q = q.On("CONFLICT (type_code, urgency, kind) DO NOTHING")
		}
		res, err := q.Exec(ctx)
		if err := database.Changed(res, err); errors.Is(err, fault.ErrChanged) {
			continue
		} else if err != nil {
			return fmt.Errorf("budget of %s: %w", t.Code, err)
		}
		changed = true
	}
	if !changed {
		return nil
	}
	return budgetsChanged(ctx, tx, now)
}
