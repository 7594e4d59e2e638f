package ticket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/access"
	"github.com/huiqi/huiqi/platform/audit"
	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/event"
	"github.com/huiqi/huiqi/platform/failpoint"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/idempotency"
	"github.com/huiqi/huiqi/platform/lease"
	"github.com/huiqi/huiqi/platform/search"
	"github.com/huiqi/huiqi/platform/secret"
)

// UnitInfo is a department that may be given tickets. Levels holds the ids from level 1 down to the unit itself.
type UnitInfo struct {
	ID     int64    `json:"id"`
	Name   string   `json:"name"`
	Levels [4]int64 `json:"levels"`
}

// Units tells the department tree.
type Units interface {
	// Unit returns fault.ErrNotFound for an unknown or closed unit.
	Unit(ctx context.Context, db bun.IDB, id int64) (UnitInfo, error)
	// Units lists all units in the order of the tree.
	Units(ctx context.Context, db bun.IDB) ([]UnitInfo, error)
}

// Contact is how a person with an account is reached.
type Contact struct{ Name, Phone string }

// Requesters tells about people with accounts and companies.
type Requesters interface {
	Contact(ctx context.Context, db bun.IDB, userID int64) (Contact, error)
	EnterpriseName(ctx context.Context, db bun.IDB, id int64) (string, error)
	// EnterprisesByCode lists up to limit companies whose credit code begins with the prefix.
	EnterprisesByCode(ctx context.Context, db bun.IDB, prefix string, limit int) ([]int64, error)
}

// Files ties uploaded files to objects.
type Files interface {
	// Claim ties a file of the actor's own to the object; a file of somebody else is fault.ErrNotFound.
	Claim(ctx context.Context, tx bun.Tx, actor access.Actor, fileID int64, object string, objectID int64) error
	Of(ctx context.Context, db bun.IDB, object string, id int64) ([]FileView, error)
}

// Deps is what the module needs; all of it but Uploads, Outside, Callers, Puzzles, Areas and Calendars.
type Deps struct {
	DB         *database.DB
	Clock      clock.Clock
	Box        *secret.Box
	Units      Units
	Requesters Requesters
	Files      Files
	// Uploads, when set, keeps the files that come with the forms of the portal; without it they take none.
	Uploads Uploads
	// Rules are the numbers the desk works by; the zero value stands for DefaultRules.
	Rules Rules
	// Outside, when set, finds the words of a search; the database has the last word on each ticket.
	Outside search.Outside
	// Colleagues tells who may be named for a confidential ticket; without it nobody of a unit can be.
	Colleagues Colleagues
	// Callers, when set, tells who calls; without it callers are known by their tickets alone.
	Callers Callers
	// Puzzles, when set, are asked of whoever guessed wrongly at a self-query.
	Puzzles Puzzles
	// Areas tells the streets and towns; without it no ticket lies in one.
	Areas Areas
	// Calendars gives the working calendars; without it the weekdays alone are worked.
	Calendars Calendars
	// People names colleagues; without it nobody is assigned, mentioned or acts in a bulk.
	People People
	// Judging, when set, tells what requesters are asked about a reply; without it five levels and words.
	Judging Judging
	// Seats tells who is ready for a ticket, and Assigning how the tickets that wait are shared out among them; without
	// them each is claimed by hand.
	Seats     Seats
	Assigning Assigning
	// Log hears what goes wrong beside requests; nil is silent. Lease is how long a worker of bulk actions counts as alive.
	Log   *slog.Logger
	Lease time.Duration
}

// Service is the desk.
type Service struct {
	db         *database.DB
	clock      clock.Clock
	box        *secret.Box
	units      Units
	requesters Requesters
	files      Files
	uploads    Uploads
	outside    search.Outside
	rules      Rules
	calendars  Calendars
	colleagues Colleagues
	callers    Callers
	puzzles    Puzzles
	areas      Areas
	areaNames  func() map[string]string
	people     People
	judging    Judging
	seats      Seats
	assigning  Assigning
	bulks      lease.Table
	kept       atomic.Pointer[rules]
	names      struct {
		sync.Mutex
		list   map[string]string
		places places
		at     time.Time
	}
}

// New makes the service. It panics when something of Deps is missing.
func New(d Deps) *Service {
	if d.DB == nil || d.Clock == nil || d.Box == nil || d.Units == nil || d.Requesters == nil || d.Files == nil {
		panic("ticket: Deps is not complete")
	}
	if d.Rules == (Rules{}) {
		d.Rules = DefaultRules()
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		db: d.DB, clock: d.Clock, box: d.Box, units: d.Units, requesters: d.Requesters, files: d.Files, uploads: d.Uploads, outside: d.Outside, rules: d.Rules, calendars: d.Calendars,
		colleagues: d.Colleagues, callers: d.Callers, puzzles: d.Puzzles, areas: d.Areas, areaNames: namesOf(d.Areas),
		people: d.People, judging: d.Judging, seats: d.Seats, assigning: d.Assigning,
		bulks: lease.Table{DB: d.DB, Clock: d.Clock, Log: d.Log, Name: "ticket_bulks", Term: d.Lease},
	}
}

// phonePlace binds a sealed phone to its ticket.
func phonePlace(number string) string { return "ticket.phone:" + number }

// Types lists the kinds of requests with their forms, for everybody who is signed in; requesters get those that are in use.
func (s *Service) Types(ctx context.Context, actor access.Actor) ([]Type, error) {
	if !actor.SignedIn() {
		return nil, fault.ErrUnauthorized
	}
	rows, err := typeRows(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	forms, err := formsNow(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	out := make([]Type, 0, len(rows))
	for _, r := range rows {
		if r.Retired && actor.Party == access.Enterprise {
			continue
		}
		t := r.view()
		if form, ok := forms[r.Code]; ok {
			if t.Fields, err = form.fields(); err != nil {
				return nil, err
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// Targets lists the units a ticket may be dispatched to, for whoever dispatches; for whoever passes on, those below their own.
func (s *Service) Targets(ctx context.Context, actor access.Actor) ([]UnitInfo, error) {
	if !actor.Can(PermDispatch) {
		if err := actor.Need(PermForward); err != nil {
			return nil, err
		}
	}
	all, err := s.units.Units(ctx, s.db.Read())
	if err != nil || isDesk(actor) && actor.Can(PermDispatch) {
		return all, err
	}
	out := []UnitInfo{}
	for _, u := range all {
		if n := actor.Level(); n > 0 && u.ID != actor.DepartmentID && u.Levels[n-1] == actor.DepartmentID { // #nosec G602 -- Level is at most 4
			out = append(out, u)
		}
	}
	return out, nil
}

// Get returns the ticket as the actor may see it, ErrNotFound when they may not.
func (s *Service) Get(ctx context.Context, actor access.Actor, id int64) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	t, has, err := findToShow(ctx, s.db.Read(), visible(actor), id)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, s.db.Read(), actor, t, has)
}

// Sees returns nil when the actor may see the ticket, ErrNotFound when they may not: the word on who may read its files.
func (s *Service) Sees(ctx context.Context, actor access.Actor, id int64) error {
	_, err := find(ctx, s.db.Read(), visible(actor), id)
	return err
}

// ListFilter narrows a list within what the actor may see.
type ListFilter struct {
	Statuses []Status
	Urgency  Urgency
	Alert    Alert // tickets that are due soon or overdue; requesters may not ask
	// Query is what somebody looks for: words, a ticket number, a phone or its last four digits, the beginning of a credit
	// code. Whatever is typed is answered.
	Query string
	// Flag keeps what has the flag.
	Flag Flag
	// Waiting keeps what waits for the actor's own work; it overrules Statuses.
	Waiting bool
	Fields
	Cursor string
	Limit  int

	also []condition // Fields, compiled
}

// Page is a page of a list.
type Page struct {
	Items []Item
	Next  string // the cursor of the next page; "" on the last
	Note  string // a sentence on how the query was read or answered; mostly ""
}

// List is Page without its note.
func (s *Service) List(ctx context.Context, actor access.Actor, f ListFilter) ([]Item, string, error) {
	p, err := s.Page(ctx, actor, f)
	return p.Items, p.Next, err
}

// Page returns a page of the tickets the actor may see, newest first.
func (s *Service) Page(ctx context.Context, actor access.Actor, f ListFilter) (Page, error) {
	if !actor.SignedIn() {
		return Page{}, fault.ErrUnauthorized
	}
	if err := f.check(actor); err != nil {
		return Page{}, err
	}
	if f.Limit <= 0 || f.Limit > 100 {
		f.Limit = 20
	}
	db := s.db.Read()
	scopes, some, err := s.compile(ctx, db, actor, &f)
	if err != nil || !some {
		return Page{Items: []Item{}}, err
	}
	rows, w, err := s.pageRows(ctx, db, scopes, f)
	if err != nil {
		return Page{}, err
	}
	names, err := s.typeNames(ctx, db)
	if err != nil {
		return Page{}, err
	}
	p := Page{Items: make([]Item, 0, len(rows)), Note: w.note}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		p.Next = f.cursorOf(&rows[len(rows)-1])
	}
	with := besides{}
	if actor.Party != access.Enterprise {
		if with, err = besidesOf(ctx, db, actor, rows); err != nil {
			return Page{}, err
		}
	}
	for i := range rows {
		item := rows[i].item(names)
		item.AreaName = s.areaName(item.Area)
		with.put(&item)
		if actor.Party == access.Enterprise {
			item.Alert = NoAlert
		}
		if !w.words.Empty() {
			item.Marks = rows[i].marks(w.words)
		}
		p.Items = append(p.Items, item)
	}
	return p, nil
}

// rows reads a page of tickets within the scopes, newest first, with at least these columns, and how their query was
// understood.
func (s *Service) rows(ctx context.Context, db bun.IDB, columns string, scopes []scope, f ListFilter, before int64, limit int) ([]Ticket, wanted, error) {
	if strings.TrimSpace(f.Query) == "" {
		rows, err := list(ctx, db, columns, scopes, f, before, limit)
		return rows, wanted{}, err
	}
	w, err := s.understand(ctx, db, f.Query)
	if err != nil {
		return nil, w, err
	}
	read := map[int64]Ticket{}
	ids, note, err := s.lookup(ctx, db, scopes, f, w, before, limit, func(ctx context.Context, ids []int64) ([]int64, error) {
		some, err := walk(ctx, db, columns, scopes, f, []condition{among(db, "t.id", ids)}, "t.id DESC", fewLengths(len(ids)))
		seen := make([]int64, 0, len(some))
		for i := range some {
			read[some[i].ID] = some[i]
			seen = append(seen, some[i].ID)
		}
		return seen, err
	})
	if err != nil {
		return nil, w, err
	}
	w.note = note
	rows, err := readOn(ctx, db, columns, ids, read)
	return rows, w, err
}

// readOn gives the tickets in the order of the ids; those that were not read yet are read.
func readOn(ctx context.Context, db bun.IDB, columns string, ids []int64, read map[int64]Ticket) ([]Ticket, error) {
	var missing []int64
	for _, id := range ids {
		if _, ok := read[id]; !ok {
			missing = append(missing, id)
		}
	}
	more, err := byID(ctx, db, columns, missing)
	if err != nil {
		return nil, err
	}
	for i := range more {
		read[more[i].ID] = more[i]
	}
	rows := make([]Ticket, 0, len(ids))
	for _, id := range ids {
		if t, ok := read[id]; ok {
			rows = append(rows, t)
		}
	}
	return rows, nil
}

// current are the scopes of what lies with the unit: instead of what it once had, what it has a part in now.
func current(scopes []scope) []scope {
	var out []scope
	for _, s := range scopes {
		if s.past {
			s.where = s.open
		}
		out = append(out, s)
	}
	return out
}

// Ref names the ticket a command is about.
type Ref struct {
	ID      int64  `json:"id"`
	Version int64  `json:"version"` // the version the actor saw; a newer one is a conflict
	Key     string `json:"-"`       // idempotency key; the same key answers with the first outcome
}

// outcome is what a repeat of a command needs to answer the same.
type outcome struct {
	ID int64 `json:"id"`
}

// change is the frame of every command on a ticket: right, key, ticket, version, step, event, audit, in one transaction.
func (s *Service) change(ctx context.Context, actor access.Actor, action Action, ref Ref, request any,
	step func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error),
) (View, error) {
	if !actor.SignedIn() {
		return View{}, fault.ErrUnauthorized
	}
	if RightOf(action).Permission != "" && !decides(actor, action) {
		return View{}, ErrForbidden
	}
	now := s.clock.Now()
	err := s.db.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := idempotency.Do(ctx, tx, idempotency.Command{
			Actor: actor, Operation: "ticket." + string(action), Key: ref.Key, Request: request, Now: now,
		}, func() (outcome, error) {
			t, err := find(ctx, tx, visible(actor), ref.ID)
			if err != nil {
				return outcome{}, err
			}
			if !may(actor, t, action) {
				return outcome{}, ErrForbidden
			}
			if t.Version != ref.Version {
				return outcome{}, stale(ctx, tx, actor, t.ID)
			}
			if err := s.step(ctx, tx, actor, now, action, t, step); errors.Is(err, fault.ErrChanged) {
				return outcome{}, stale(ctx, tx, actor, t.ID)
			} else if err != nil {
				return outcome{}, err
			}
			return outcome{ID: t.ID}, failpoint.Hit("ticket.step-kept")
		})
		return err
	})
	if err != nil {
		return View{}, fmt.Errorf("%s ticket %d: %w", action, ref.ID, err)
	}
	if err := failpoint.Hit("ticket.step-committed"); err != nil {
		return View{}, err
	}
	return s.Get(ctx, actor, ref.ID)
}

// step takes one step with a ticket that was read in tx and keeps it, with what the ticket was before for whoever undoes it. It
// returns fault.ErrChanged when somebody else was faster.
func (s *Service) step(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, action Action, t *Ticket,
	do func(ctx context.Context, tx bun.Tx, t *Ticket) (effect, error),
) error {
	read, reply, unit := t.Version, t.Reply, t.UnitID
	before, err := remember(ctx, tx, actor, action, t)
	if err != nil {
		return err
	}
	e, err := do(ctx, tx, t)
	if err != nil {
		return err
	}
	kept, err := s.book(ctx, tx, actor, now, action, t, read, reply, e)
	if err != nil {
		return err
	}
	if t.UnitID != unit {
		if err := carry(ctx, tx, t); err != nil {
			return err
		}
		if err := letGo(ctx, tx, t.ID, unit); err != nil {
			return err
		}
	}
	if err := before.keep(ctx, tx, actor, action, t, kept); err != nil || e.then == nil {
		return err
	}
	return e.then()
}

// book keeps what a command did to a ticket that was read at a version, with a reply it had: the row, the full text, the event,
// its files and the line of the audit log. It returns fault.ErrChanged when somebody else was faster.
func (s *Service) book(ctx context.Context, tx bun.Tx, actor access.Actor, now time.Time, action Action, t *Ticket, read int64, reply string, e effect) (event.Event, error) {
	// The clocks come before the row and the event, which tell the deadline.
	if err := s.keepClocks(ctx, tx, actor, now, t, e.fact(t.head())); err != nil {
		return event.Event{}, err
	}
	if t.MovedAt = now; t.Status == Archived || t.Status == Void {
		t.MovedAt = time.Time{}
	}
	if err := save(ctx, tx, t, read); err != nil {
		return event.Event{}, err
	}
	if t.Reply != reply { // of all that is searched, only this changes
		words, err := searched(ctx, tx, []int64{t.ID})
		if err != nil {
			return event.Event{}, err
		}
		if err := fullText.Put(ctx, tx, t.doc(words[t.ID])); err != nil {
			return event.Event{}, err
		}
	}
	kept, err := event.Append(ctx, tx, actor, now, e.fact(t.head()))
	if err != nil {
		return event.Event{}, err
	}
	if err := s.claim(ctx, tx, actor, t.ID, kept.Seq, string(action), e.files); err != nil {
		return event.Event{}, err
	}
	if err := s.keepCallback(ctx, tx, actor, now, t, e.fact(t.head())); err != nil {
		return event.Event{}, err
	}
	return kept, audit.Write(ctx, tx, actor, now, changeRecord(action, t, e))
}

// carry has the tickets merged into one lie where it lies, so that its unit sees all its requesters.
func carry(ctx context.Context, tx bun.Tx, t *Ticket) error {
	_, err := tx.NewUpdate().Model(t).Column("unit_id", "unit_name", "unit_l1", "unit_l2", "unit_l3", "unit_l4").
		Where("merged_into = ? AND status = ?", t.ID, Merged).Exec(ctx)
	return err
}

// stale says what changed meanwhile, who did it and when.
func stale(ctx context.Context, tx bun.Tx, actor access.Actor, id int64) error {
	events, err := event.Of(ctx, tx, Object, id)
	if err != nil {
		return err
	}
	events = slices.DeleteFunc(events, func(e event.Event) bool { return clockInternal(e.Type) }) // they leave the version as it is
	if len(events) == 0 {
		return ErrStale
	}
	last := events[len(events)-1]
	step, err := stepOf(last)
	if err != nil {
		return err
	}
	who := last.By()
	if who == "" || (actor.Party == access.Enterprise && last.ActorID != actor.UserID) {
		who = "工作人员"
	}
	return ErrStale.With("工单已更新：%s于%s进行了“%s”，请刷新后再办理", who, clock.Show(last.At), step.Label)
}

// claim ties the files to the ticket and to the step they came with.
func (s *Service) claim(ctx context.Context, tx bun.Tx, actor access.Actor, id, seq int64, kind string, files []int64) error {
	if len(files) > maxFiles && (kind != string(ToReply) || len(files) > maxEvidence) {
		return fault.InvalidField("fileIds", "TOO_MANY_FILES", fmt.Sprintf("最多上传 %d 个附件，请删减后提交", maxFiles))
	}
	for _, f := range files {
		if err := s.files.Claim(ctx, tx, actor, f, Object, id); err != nil {
			return err
		}
		row := fileRow{TicketID: id, FileID: f, Seq: seq, Kind: kind}
		if _, err := tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("tie file %d: %w", f, err)
		}
	}
	return nil
}

// CountClosed counts the tickets that were closed, for everybody.
func (s *Service) CountClosed(ctx context.Context) (int, error) {
	n, err := s.db.Read().NewSelect().Model((*Ticket)(nil)).Where("status IN (?, ?)", Done, Archived).Count(ctx)
	return int(n), err
}
