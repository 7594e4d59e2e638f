package appraisal

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
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

// stateRow says how far a rebuild has come.
type stateRow struct {
	bun.BaseModel `bun:"table:appraisal_state"`

	ID    int64 `bun:"id,pk"`
	After int64 `bun:"rebuilt_to,notnull"`
	Busy  bool  `bun:"rebuilding,notnull"`
}

// hold keeps a rebuild and the listener from overtaking each other: who has the row reads every event that was committed.
func (s *Service) hold(ctx context.Context, tx bun.Tx) error {
	if s.db.Kind() != database.Postgres {
		return nil
	}
	_, err := tx.NewRaw("SELECT 1 FROM appraisal_state WHERE id = 1 FOR UPDATE").Exec(ctx)
	return err
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

// rebuildPage is how many tickets one transaction of a rebuild folds.
const rebuildPage = 50

// Rebuild asks for all cases to be made anew from the log; a task does it, page by page. It needs appraisal.manage.
func (s *Service) Rebuild(ctx context.Context, actor access.Actor) error {
	if err := s.manages(actor); err != nil {
		return err
	}
	return s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := database.Run(ctx, tx, "UPDATE appraisal_state SET rebuilt_to = 0, rebuilding = TRUE WHERE id = 1"); err != nil {
			return err
		}
		return note(ctx, tx, actor, s.clock.Now(), "appraisal.rebuild", "重新计算全部考核件", nil)
	})
}

// Rebuilding is how far a rebuild that was asked for has come.
type Rebuilding struct {
	Busy bool `json:"busy"`
	// Percent counts by the numbers of tickets, of which there are some gaps.
	Percent int `json:"percent" minimum:"0" maximum:"100"`
}

// Rebuilding tells how far the last rebuild has come. It needs appraisal.manage.
func (s *Service) Rebuilding(ctx context.Context, actor access.Actor) (Rebuilding, error) {
	if err := s.manages(actor); err != nil {
		return Rebuilding{}, err
	}
	var st stateRow
	db := s.db.Read()
	if err := db.NewSelect().Model(&st).Where("id = 1").Scan(ctx); err != nil || !st.Busy {
		return Rebuilding{Percent: 100}, err
	}
	var last int64
	err := database.QueryOne(ctx, db, []any{&last}, "SELECT COALESCE(max(object_id), 0) FROM events WHERE object = 'ticket'")
	if err != nil || last == 0 {
		return Rebuilding{Busy: true}, err
	}
	return Rebuilding{Busy: true, Percent: int(min(99, 100*st.After/last))}, nil
}

// Work folds pages of a rebuild that was asked for until it is done, and returns how many tickets it folded. Only the system may.
func (s *Service) Work(ctx context.Context, actor access.Actor) (int, error) {
	if actor.Party != access.System {
		return 0, fault.ErrForbidden
	}
	total := 0
	for ctx.Err() == nil {
		n, err := s.rebuildSome(ctx)
		total += n
		if err != nil || n < rebuildPage {
			return total, err
		}
	}
	return total, ctx.Err()
}

func (s *Service) rebuildSome(ctx context.Context) (n int, err error) {
	err = s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		n = 0
		if err := s.hold(ctx, tx); err != nil {
			return err
		}
		var st stateRow
		if err := tx.NewSelect().Model(&st).Where("id = 1").Scan(ctx); err != nil || !st.Busy {
			return err
		}
		var ids []int64
		err := tx.NewRaw("SELECT object_id FROM events WHERE object = 'ticket' AND object_id > ? AND seq = 1 ORDER BY object_id LIMIT ?", st.After, rebuildPage).Scan(ctx, &ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.fold(ctx, tx, id); err != nil {
				return fmt.Errorf("fold ticket %d: %w", id, err)
			}
			st.After = id
		}
		n = len(ids)
		st.Busy = n == rebuildPage
		_, err = tx.NewUpdate().Model(&st).WherePK().Exec(ctx)
		return err
	})
	return n, err
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

// CaseView is a case behind a figure, of a ticket the viewer may see.
type CaseView struct {
	TicketID  int64      `json:"ticketId"`
	Number    string     `json:"number"`
	Title     string     `json:"title"`
	UnitName  string     `json:"unitName"`
	StartedAt time.Time  `json:"startedAt"`
	RepliedAt *time.Time `json:"repliedAt,omitempty"`
	EndedAt   *time.Time `json:"endedAt,omitempty"`
	Class     Class      `json:"class"`
	Label     string     `json:"label" doc:"What the case is for the rate."`
	Counted   bool       `json:"counted"`
	Good      bool       `json:"good"`
	Exclusion string     `json:"exclusion,omitempty" doc:"Why it is left out, in words."`
}

// CaseFilter names the figure whose cases are asked for.
type CaseFilter struct {
	Month  string
	UnitID int64 // 0 for all units the viewer sees
	Rate   Rate
	Class  Class  // "" for every class
	Left   bool   // only those that are left out of the rate
	Cursor string // as the answer before gave it
}

const casePage = 50

// Cases lists the cases behind a figure as they are now, those of tickets that the actor may see. It needs appraisal.view.
func (s *Service) Cases(ctx context.Context, actor access.Actor, f CaseFilter) ([]CaseView, string, error) {
	if err := s.views(actor); err != nil {
		return nil, "", err
	}
	if err := checkMonth("month", f.Month); err != nil {
		return nil, "", err
	}
	if f.Rate.Label() == "" {
		return nil, "", fault.InvalidField("rate", "RATE", "请选择指标")
	}
	var after int64
	if f.Cursor != "" {
		var err error
		if after, err = strconv.ParseInt(f.Cursor, 10, 64); err != nil || after < 0 {
			return nil, "", fault.InvalidField("cursor", "CURSOR", "翻页位置无效，请回到第一页")
		}
	}
	ids, all, err := s.own(ctx, actor)
	if err != nil {
		return nil, "", err
	}
	if !all && f.UnitID != 0 && !ids[f.UnitID] || !all && len(ids) == 0 {
		return []CaseView{}, "", nil
	}
	db := s.db.Read()
	form, err := inForce(ctx, db, f.Month)
	if err != nil {
		return nil, "", err
	}
	body, err := form.body()
	if err != nil {
		return nil, "", err
	}
	column := map[Rate]string{Response: "response", Solution: "solution", Satisfaction: "satisfaction", SignTime: "sign", HandleTime: "handle", Return: "given_back", Evidence: "evidence"}[f.Rate]
	var rows []Case
	q := db.NewSelect().Model(&rows).Where("k.month = ? AND k.id > ?", f.Month, after).OrderExpr("k.id").Limit(casePage + 1)
	if f.UnitID != 0 {
		q = q.Where("k.unit_id = ?", f.UnitID)
	} else if !all {
		list := []int64{}
		for id := range ids {
			list = append(list, id)
		}
		q = q.Where("k.unit_id IN (?)", bun.List(list))
	}
	if f.Class != "" {
		q = q.Where("? = ?", bun.Ident("k."+column), f.Class)
	}
	omitted := []Exclusion{}
	for _, o := range body.Omissions {
		if body.omits(f.Rate, o.Exclusion) {
			omitted = append(omitted, o.Exclusion)
		}
	}
	switch {
	case f.Left && len(omitted) == 0:
		return []CaseView{}, "", nil
	case f.Left:
		q = q.Where("k.exclusion IN (?)", bun.List(omitted))
	case len(omitted) > 0:
		q = q.Where("k.exclusion NOT IN (?)", bun.List(omitted))
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("cases: %w", err)
	}
	next := ""
	if len(rows) > casePage {
		rows = rows[:casePage]
		next = strconv.FormatInt(rows[casePage-1].ID, 10)
	}
	var wanted []int64
	for _, c := range rows {
		wanted = append(wanted, c.TicketID)
	}
	titles, err := s.tickets.Titles(ctx, actor, wanted)
	if err != nil {
		return nil, "", err
	}
	out := []CaseView{}
	for i := range rows {
		c := &rows[i]
		title, seen := titles[c.TicketID]
		if !seen {
			continue
		}
		counted, good := body.counts(f.Rate, c.class(f.Rate), c.Exclusion)
		v := CaseView{TicketID: c.TicketID, Number: c.Number, Title: title, UnitName: c.UnitName, StartedAt: c.StartedAt.UTC(), RepliedAt: c.RepliedAt, EndedAt: c.EndedAt,
			Class: c.class(f.Rate), Label: f.Rate.classLabel(c.class(f.Rate)), Counted: counted, Good: good}
		if body.omits(f.Rate, c.Exclusion) {
			v.Exclusion = c.Exclusion.Label()
		}
		out = append(out, v)
	}
	return out, next, nil
}

// ErrLater: the month has not begun.
var ErrLater = fault.InvalidField("month", "MONTH", "该月尚未开始，请选择已开始的月份")

func (s *Service) begun(month string) error {
	if month > s.clock.Now().In(clock.Beijing).Format("2006-01") {
		return ErrLater
	}
	return nil
}
