package appraisal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/jobs"
)

// Object is the name of a month in events and audit rows; its id is the month as 202611.
const Object = "appraisal_month"

// Frozen is announced when the figures of a month are frozen, and again for each correction.
type Frozen struct {
	ID      int64  `json:"id"` // 202611
	Month   string `json:"month"`
	Edition int    `json:"edition"`
	Formula int64  `json:"formula"`
	Reason  string `json:"reason,omitempty"`
}

// Event names the fact.
func (f Frozen) Event() (string, string, int64) { return "appraisal.frozen", Object, f.ID }

// snapshotRow is the board of a month as it was frozen.
type snapshotRow struct {
	bun.BaseModel `bun:"table:appraisal_snapshots,alias:s"`

	ID      int64     `bun:"id,pk,autoincrement"`
	Month   string    `bun:"month,notnull"`
	Edition int       `bun:"edition,notnull"`
	Formula int64     `bun:"formula_no,notnull"`
	Board   string    `bun:"board,notnull"`
	Reason  string    `bun:"reason,notnull"`
	By      string    `bun:"taken_by,notnull"`
	At      time.Time `bun:"taken_at,notnull"`
}

// Edition is one frozen state of a month.
type Edition struct {
	Edition int       `json:"edition"`
	Formula int64     `json:"formula"`
	Reason  string    `json:"reason,omitempty" doc:"Of a correction."`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// MonthView is the figures of a month for one viewer.
type MonthView struct {
	Board
	// Edition is the snapshot shown; 0 for figures as they are now.
	Edition  int       `json:"edition" doc:"The frozen edition shown; 0 for figures as they are now."`
	Editions []Edition `json:"editions" doc:"All frozen editions of the month, oldest first."`
	Whole    bool      `json:"whole" doc:"The viewer sees all units."`
	Manage   bool      `json:"manage" doc:"The viewer may correct the month and set formulas."`
}

// Month returns the figures of a month: the newest frozen edition, the edition asked for, or with live those of now. Whoever
// does not see the district sees the rows of their own units. It needs appraisal.view.
func (s *Service) Month(ctx context.Context, actor access.Actor, month string, edition int, live bool) (MonthView, error) {
	v := MonthView{Editions: []Edition{}}
	if err := s.views(actor); err != nil {
		return v, err
	}
	if err := fault.Merge(checkMonth("month", month), s.begun(month)); err != nil {
		return v, err
	}
	db := s.db.Read()
	var rows []snapshotRow
	if err := db.NewSelect().Model(&rows).Where("s.month = ?", month).OrderExpr("s.edition").Limit(200).Scan(ctx); err != nil {
		return v, err
	}
	var shown *snapshotRow
	for i := range rows {
		v.Editions = append(v.Editions, Edition{rows[i].Edition, rows[i].Formula, rows[i].Reason, rows[i].By, rows[i].At.UTC()})
		if !live && (edition == 0 || rows[i].Edition == edition) {
			shown = &rows[i]
		}
	}
	var err error
	switch {
	case shown != nil:
		v.Edition = shown.Edition
		err = json.Unmarshal([]byte(shown.Board), &v.Board)
	case edition != 0 && !live:
		return v, fault.ErrNotFound
	default:
		v.Board, err = s.live(ctx, db, month)
	}
	if err != nil {
		return v, err
	}
	ids, all, err := s.own(ctx, actor)
	if err != nil {
		return v, err
	}
	if v.Whole = all; !all {
		v.Board = v.narrow(ids)
	}
	v.Manage = s.manages(actor) == nil
	return v, nil
}

// Freeze keeps the figures of the last month that has ended, and of every month before that has cases and no snapshot,
// oldest first. Whatever the number of processes, each month is frozen once. It returns the months frozen. Only the system may.
func (s *Service) Freeze(ctx context.Context, actor access.Actor) ([]string, error) {
	if actor.Party != access.System {
		return nil, fault.ErrForbidden
	}
	var st stateRow
	if err := s.db.Read().NewSelect().Model(&st).Where("id = 1").Scan(ctx); err != nil {
		return nil, err
	}
	if behind, err := s.behind(ctx); err != nil {
		return nil, err
	} else if behind || st.Busy {
		return nil, fault.New(fault.Unavailable, "APPRAISAL_BEHIND", "考核数据尚未跟上工单进展，稍后自动重试")
	}
	now := s.clock.Now()
	current := now.In(clock.Beijing).Format("2006-01")
	var months []string
	err := s.db.Read().NewRaw(`SELECT DISTINCT k.month FROM appraisal_cases AS k WHERE k.month <> '' AND k.month < ?
		AND NOT EXISTS (SELECT 1 FROM appraisal_snapshots AS s WHERE s.month = k.month) ORDER BY k.month`, current).Scan(ctx, &months)
	if err != nil {
		return nil, err
	}
	var done []string
	for _, m := range months {
		err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error { return s.take(ctx, tx, actor, now, m, 1, "") })
		if errors.Is(err, fault.ErrChanged) { // another process froze it
			continue
		}
		if err != nil {
			return done, fmt.Errorf("freeze %s: %w", m, err)
		}
		done = append(done, m)
	}
	return done, nil
}

// take keeps the board of a month as an edition, fault.ErrChanged when that edition exists.
func (s *Service) take(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, month string, edition int, reason string) error {
	if err := s.hold(ctx, tx); err != nil {
		return err
	}
	board, err := s.live(ctx, tx, month)
	if err != nil {
		return err
	}
	text, err := json.Marshal(board)
	if err != nil {
		return err
	}
	by := actor.Name
	if actor.Party == access.System {
		by = "系统"
	}
	row := snapshotRow{Month: month, Edition: edition, Formula: board.Formula.No, Board: string(text), Reason: reason, By: by, At: now}
	if err := database.Changed(tx.NewInsert().Model(&row).ExcludeColumn("id").On("CONFLICT (month, edition) DO NOTHING").Exec(ctx)); err != nil {
		return err
	}
	id, err := monthID(month)
	if err != nil {
		return err
	}
	if _, err := event.Append(ctx, tx, actor, now, Frozen{id, month, edition, board.Formula.No, reason}); err != nil {
		return err
	}
	summary := fmt.Sprintf("冻结 %s 考核结果，第 %d 版", month, edition)
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: "appraisal.freeze", Object: Object, ObjectID: id, Summary: summary, Detail: map[string]any{"reason": reason, "formula": board.Formula.No}})
}

func monthID(month string) (int64, error) {
	var y, m int64
	if _, err := fmt.Sscanf(month, "%d-%d", &y, &m); err != nil {
		return 0, err
	}
	return y*100 + m, nil
}

// Correct asks for a new edition of a frozen month.
type Correct struct {
	Key     string `json:"-"`
	Month   string
	Edition int // the newest one the actor saw
	Reason  string
}

// Correct freezes a month anew with the cases and the formula of now; the editions before stay. It needs appraisal.manage in
// the district; a conflict when somebody else corrected it meanwhile.
func (s *Service) Correct(ctx context.Context, actor access.Actor, cmd Correct) error {
	if err := s.manages(actor); err != nil {
		return err
	}
	if err := fault.Merge(checkMonth("month", cmd.Month), needs("reason", "更正原因", cmd.Reason)); err != nil {
		return err
	}
	if cmd.Edition < 1 {
		return fault.New(fault.Conflict, "NOT_FROZEN", "该月尚未冻结，月末冻结后才能更正")
	}
	now := s.clock.Now()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "appraisal.correct", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			var last int
			if err := tx.NewSelect().Model((*snapshotRow)(nil)).ColumnExpr("coalesce(max(s.edition), 0)").Where("s.month = ?", cmd.Month).Scan(ctx, &last); err != nil {
				return false, err
			}
			if last != cmd.Edition {
				return false, errCorrected
			}
			err := s.take(ctx, tx, actor, now, cmd.Month, last+1, cmd.Reason)
			if errors.Is(err, fault.ErrChanged) {
				return false, errCorrected
			}
			return true, err
		})
		return err
	})
}

var errCorrected = fault.New(fault.Conflict, "CHANGED", "该月的考核结果已有新的版本，请刷新后再更正")

// Formula is a version of what the rates are.
type Formula struct {
	FormulaRef
	Body   Body       `json:"body"`
	Rates  []RateInfo `json:"rates"`
	Reason string     `json:"reason"`
	Author string     `json:"author"`
	At     time.Time  `json:"at"`
}

// Formulas lists the versions, the one that begins last first. It needs appraisal.view.
func (s *Service) Formulas(ctx context.Context, actor access.Actor) ([]Formula, error) {
	if err := s.views(actor); err != nil {
		return nil, err
	}
	var rows []formulaRow
	if err := s.db.Read().NewSelect().Model(&rows).OrderExpr("f.valid_from DESC, f.no DESC").Limit(200).Scan(ctx); err != nil {
		return nil, err
	}
	out := make([]Formula, 0, len(rows))
	for _, r := range rows {
		b, err := r.body()
		if err != nil {
			return nil, err
		}
		f := Formula{FormulaRef: r.ref(), Body: b, Reason: r.Reason, Author: r.Author, At: r.At.UTC()}
		for _, rate := range Rates {
			f.Rates = append(f.Rates, RateInfo{rate, rate.Label(), b.Words(rate)})
		}
		out = append(out, f)
	}
	return out, nil
}

// SetFormula asks for a new version from a month on.
type SetFormula struct {
	Key    string `json:"-"`
	Name   string
	From   string
	Body   Body
	Reason string
	Last   int64 // the number of the newest version the actor saw
}

// SetFormula adds a version. A month that is frozen keeps its figures, so a version begins after the last frozen month. It
// needs appraisal.manage in the district.
func (s *Service) SetFormula(ctx context.Context, actor access.Actor, cmd SetFormula) error {
	if err := s.manages(actor); err != nil {
		return err
	}
	if err := fault.Merge(needs("name", "名称", cmd.Name), needs("reason", "调整原因", cmd.Reason), checkMonth("from", cmd.From), cmd.Body.Check()); err != nil {
		return err
	}
	body, err := json.Marshal(cmd.Body)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{Actor: actor, Operation: "appraisal.formula", Key: cmd.Key, Request: cmd, Now: now}, func() (bool, error) {
			if err := s.hold(ctx, tx); err != nil {
				return false, err
			}
			var frozen string
			if err := tx.NewSelect().Model((*snapshotRow)(nil)).ColumnExpr("coalesce(max(s.month), '')").Scan(ctx, &frozen); err != nil {
				return false, err
			}
			if cmd.From <= frozen {
				return false, fault.InvalidField("from", "FORMULA_FROM", "考核结果已冻结至 "+frozen+"，新口径须从其后的月份起施行")
			}
			var last int64
			if err := tx.NewSelect().Model((*formulaRow)(nil)).ColumnExpr("coalesce(max(f.no), 0)").Scan(ctx, &last); err != nil {
				return false, err
			}
			if last != cmd.Last {
				return false, fault.New(fault.Conflict, "CHANGED", "考核口径已有新的版本，请刷新后再调整")
			}
			row := formulaRow{Name: cmd.Name, From: cmd.From, Body: string(body), Reason: cmd.Reason, Author: actor.Name, At: now}
			if _, err := tx.NewInsert().Model(&row).ExcludeColumn("no").Exec(ctx); err != nil {
				return false, err
			}
			return true, note(ctx, tx, actor, now, "appraisal.formula", "调整考核口径，自 "+cmd.From+" 起施行", cmd)
		})
		return err
	})
}

func needs(field, label, value string) error {
	if value == "" || !utf8.ValidString(value) {
		return fault.InvalidField(field, "REQUIRED", "请填写"+label)
	}
	if utf8.RuneCountInString(value) > 500 {
		return fault.InvalidField(field, "TOO_LONG", label+"最多 500 个字，请精简后提交")
	}
	return nil
}

func note(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, action, summary string, detail any) error {
	return audit.Write(ctx, tx, actor, now, audit.Record{Action: action, Object: "appraisal", Summary: summary, Detail: detail})
}

// Tasks are what the clock asks for.
func (s *Service) Tasks() []jobs.Task {
	return []jobs.Task{{
		Name: "appraisal.freeze", Title: "冻结上月三率考核结果", Cron: "20 1 * * *",
		Failure: "上月三率考核结果没有冻结；请查看失败原因，恢复后会自动冻结，在此之前请勿通报排名。",
		Run: func(ctx context.Context) error {
			months, err := s.Freeze(ctx, access.SystemActor("job:appraisal.freeze"))
			if len(months) > 0 {
				jobs.Note(ctx, "冻结 %v", months)
			}
			return err
		},
	}, {
		Name: "appraisal.rebuild", Title: "按要求重新计算考核件", Every: time.Minute,
		Run: func(ctx context.Context) error {
			n, err := s.Work(ctx, access.SystemActor("job:appraisal.rebuild"))
			if n > 0 {
				jobs.Note(ctx, "重新计算 %d 件工单", n)
			}
			return err
		},
	}}
}
