package appraisal

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/fault"
)

// The permissions of the module.
const (
	PermView   access.Permission = "appraisal.view"
	PermManage access.Permission = "appraisal.manage"
	PermExport access.Permission = "appraisal.export"
)

// Permissions describes the rights of the module for the page where roles are edited.
func Permissions() []access.Info {
	return []access.Info{
		{Name: PermView, Group: "考核", Label: "查看三率考核和排名"},
		{Name: PermManage, Group: "考核", Label: "设置考核口径、更正月度快照"},
		{Name: PermExport, Group: "考核", Label: "导出三率考核"},
	}
}

// Unit is a department. Levels holds the ids from level 1 down to the unit itself.
type Unit struct {
	ID     int64
	Name   string
	Levels [4]int64
}

// Units tells the departments.
type Units interface {
	Units(ctx context.Context, db bun.IDB) ([]Unit, error)
}

// Spans tells how the clocks of a ticket's units ended.
type Spans interface {
	Spans(ctx context.Context, db bun.IDB, ticketID int64) ([]Span, error)
}

// Tickets tells the titles of the tickets that the actor may see; those they may not are not in the answer.
type Tickets interface {
	Titles(ctx context.Context, actor access.Actor, ids []int64) (map[int64]string, error)
}

// Deps is what the module needs; all of it but Behind.
type Deps struct {
	DB      *database.DB
	Clock   clock.Clock
	Units   Units
	Spans   Spans
	Tickets Tickets
	// Behind reports whether the listener has events to hear yet: a month is not frozen before it heard all.
	Behind func(ctx context.Context) (bool, error)
}

// Service is the appraisal.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	units   Units
	spans   Spans
	tickets Tickets
	behind  func(ctx context.Context) (bool, error)
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Units == nil || d.Spans == nil || d.Tickets == nil {
		panic("appraisal: Deps is not complete")
	}
	if d.Behind == nil {
		d.Behind = func(context.Context) (bool, error) { return false, nil }
	}
	return &Service{db: d.DB, clock: d.Clock, units: d.Units, spans: d.Spans, tickets: d.Tickets, behind: d.Behind}
}

// ListenerName is the name of the cursor of the listener.
const ListenerName = "appraisal.cases"

// Listener folds the tickets that events are about.
func (s *Service) Listener() event.Listener {
	return event.Listener{Name: ListenerName, Batch: func(ctx context.Context, tx bun.Tx, list []event.Event) error {
		var ids []int64
		for _, e := range list {
			if e.Object == "ticket" && heard[e.Type] && !slices.Contains(ids, e.ObjectID) {
				ids = append(ids, e.ObjectID)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		if err := s.hold(ctx, tx); err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.fold(ctx, tx, id); err != nil {
				return fmt.Errorf("fold ticket %d: %w", id, err)
			}
		}
		return nil
	}}
}

const caseColumns = "id, ticket_id, no, number, type_code, unit_id, unit_name, started_at, signed_at, replied_at, ended_at, month, response, solution, satisfaction, sign, handle, given_back, evidence, exclusion, again"

// fold makes the cases of a ticket anew and writes what is different.
func (s *Service) fold(ctx context.Context, tx bun.Tx, id int64) error {
	events, err := event.Of(ctx, tx, "ticket", id)
	if err != nil {
		return err
	}
	spans, err := s.spans.Spans(ctx, tx, id)
	if err != nil {
		return err
	}
	now, err := Fold(id, events, spans)
	if err != nil {
		return err
	}
	var before []Case
	if err := database.QueryAll(ctx, tx, &before, "SELECT "+caseColumns+" FROM appraisal_cases WHERE ticket_id = ? ORDER BY no", id); err != nil {
		return err
	}
	for i := range now {
		if i < len(before) {
			now[i].ID = before[i].ID
			if now[i].same(before[i]) {
				continue
			}
			if _, err := tx.NewUpdate().Model(&now[i]).WherePK().Exec(ctx); err != nil {
				return err
			}
			continue
		}
		if _, err := tx.NewInsert().Model(&now[i]).ExcludeColumn("id").Exec(ctx); err != nil {
			return err
		}
	}
	if len(before) > len(now) {
		_, err = database.Run(ctx, tx, "DELETE FROM appraisal_cases WHERE ticket_id = ? AND no > ?", id, len(now))
	}
	return err
}

func (c Case) same(o Case) bool {
	utc := func(c Case) Case {
		c.StartedAt = c.StartedAt.UTC()
		for _, at := range []**time.Time{&c.SignedAt, &c.RepliedAt, &c.EndedAt} {
			if *at != nil {
				u := (*at).UTC()
				*at = &u
			}
		}
		return c
	}
	return reflect.DeepEqual(utc(c), utc(o))
}

// formulaRow is a formula as it is kept.
type formulaRow struct {
	bun.BaseModel `bun:"table:appraisal_formulas,alias:f"`

	No     int64     `bun:"no,pk,autoincrement"`
	Name   string    `bun:"name,notnull"`
	From   string    `bun:"valid_from,notnull"`
	Body   string    `bun:"body,notnull"`
	Reason string    `bun:"reason,notnull"`
	Author string    `bun:"author,notnull"`
	At     time.Time `bun:"at,notnull"`
}

func (r formulaRow) ref() FormulaRef { return FormulaRef{r.No, r.Name, r.From} }

func (r formulaRow) body() (Body, error) {
	var b Body
	err := json.Unmarshal([]byte(r.Body), &b)
	return b, err
}

// inForce is the formula of a month: of those that begin with it or before, the latest beginning, then the latest made.
func inForce(ctx context.Context, db bun.IDB, month string) (formulaRow, error) {
	var r formulaRow
	err := db.NewSelect().Model(&r).Where("f.valid_from <= ?", month).OrderExpr("f.valid_from DESC, f.no DESC").Limit(1).Scan(ctx)
	return r, database.Found(err)
}

// live reckons the board of a month from the cases as they are now.
func (s *Service) live(ctx context.Context, db bun.IDB, month string) (Board, error) {
	f, err := inForce(ctx, db, month)
	if err != nil {
		return Board{}, err
	}
	body, err := f.body()
	if err != nil {
		return Board{}, err
	}
	var groups []group
	err = database.QueryAll(ctx, db, &groups, `SELECT unit_id, max(unit_name) AS unit_name, response, solution, satisfaction, sign, handle, given_back, evidence, exclusion, count(*) AS n
		FROM appraisal_cases WHERE month = ? GROUP BY unit_id, response, solution, satisfaction, sign, handle, given_back, evidence, exclusion
		ORDER BY unit_id, response, solution, satisfaction, sign, handle, given_back, evidence, exclusion`, month)
	return reckon(month, f.ref(), body, groups), err
}

// district reports whether the actor sees the figures of all units.
func district(a access.Actor) bool {
	return a.Party == access.System || a.Scope == access.ScopeDistrict && (a.Party == access.Platform || a.Party == access.Government)
}

func (s *Service) views(a access.Actor) error {
	if !a.SignedIn() {
		return fault.ErrUnauthorized
	}
	return a.Need(PermView)
}

func (s *Service) manages(a access.Actor) error {
	if err := a.Need(PermManage); err != nil {
		return err
	}
	if !district(a) {
		return fault.ErrForbidden
	}
	return nil
}

// own lists the units whose figures the actor may see; all is true for whoever sees the district.
func (s *Service) own(ctx context.Context, a access.Actor) (ids map[int64]bool, all bool, err error) {
	if district(a) {
		return nil, true, nil
	}
	ids = map[int64]bool{}
	n := a.Level()
	if a.Party != access.Government || n == 0 {
		return ids, false, nil
	}
	list, err := s.units.Units(ctx, s.db.Read())
	for _, u := range list {
		if u.ID == a.DepartmentID || a.Scope == access.ScopeSubtree && u.Levels[n-1] == a.DepartmentID { // #nosec G602 -- Level is at most 4
			ids[u.ID] = true
		}
	}
	return ids, false, err
}

// narrow leaves the rows of a board that the actor may see. Their ranks stay those among all units.
func (b Board) narrow(ids map[int64]bool) Board {
	b.Units = slices.DeleteFunc(slices.Clone(b.Units), func(r UnitRow) bool { return !ids[r.UnitID] })
	b.Total = UnitRow{Figures: []Figure{}, Excluded: []ExcludedCount{}}
	return b
}

// ErrLater: the month has not begun.
var ErrLater = fault.InvalidField("month", "MONTH", "该月尚未开始，请选择已开始的月份")

func (s *Service) begun(month string) error {
	if month > s.clock.Now().In(clock.Beijing).Format("2006-01") {
		return ErrLater
	}
	return nil
}
